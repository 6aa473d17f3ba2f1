//! Typed lines: parsed by the shell when the scenario loads, so that an unknown command or an option that is not
//! modelled is found before anything runs.

use crate::problem::{Problem, Problems, Severity};
use crate::read::Text;
use sim_core::shell::{Line, ScriptProblem, parse};

/// The lines of a text; problems are added with their places. `known` are paths of files of the host: programs of its
/// own.
pub(super) fn lines(text: &Text, known: &[&str], problems: &mut Problems) -> Vec<Line> {
    let (lines, found) = match parse::lines(&text.text, known) {
        Ok(read) => read,
        Err(found) => (Vec::new(), found),
    };
    report(text, found, problems);
    lines
}

/// A text of the script: it is typed at once, on a terminal of its own.
pub(super) fn line(text: &Text, problems: &mut Problems) -> Vec<Line> {
    let (line, found) = match parse::line(&text.text, &[]) {
        Ok(read) => read,
        Err(found) => (None, found),
    };
    report(text, found, problems);
    line.into_iter().collect()
}

fn report(text: &Text, found: Vec<ScriptProblem>, problems: &mut Problems) {
    for problem in found {
        let place = text.place_of(problem.start..problem.start + problem.length);
        let severity = if problem.warning { Severity::Note } else { Severity::Error };
        problems.push(Problem::error(&place, problem.message, problem.hint.unwrap_or_default()).severity(severity));
    }
}

/// The text without the blanks that its lines have in common: a script in a scenario is indented with the scenario.
pub(super) fn dedent(text: &Text) -> Text {
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = text.text.split('\n').skip(1).filter(|line| !line.trim().is_empty()).map(blanks).min().unwrap_or(0);
    let mut at = 0;
    let mut removed = Vec::new();
    for (number, line) in text.text.split_inclusive('\n').enumerate() {
        let blanks = blanks(line).min(common);
        if number > 0 && blanks > 0 {
            removed.push((at..at + blanks, String::new()));
        }
        at += line.len();
    }
    if removed.is_empty() { text.clone() } else { text.replaced(&removed) }
}
