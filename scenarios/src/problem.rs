//! What is wrong with a scenario: a place, a sentence, a hint. All problems of a file are collected and shown at once.
//!
//! ```text
//! error: there is no host "sever5"
//!     ┌─ broken.ron:47:24
//!  47 │         (at: "5s", on: "sever5", run: "systemctl stop httpd"),
//!     │                        ^^^^^^^^ did you mean "server5"?
//!     = hosts here: client, router, server4, server5, server6
//! ```

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;
use unicode_width::UnicodeWidthChar;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is run.
    Error,
    /// The run goes on; what was written has no effect, or not the one that it seems to have.
    Warning,
    /// Something was put right while reading.
    Note,
}

/// A text that the author wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name as the author knows it: `broken.ron`, `files/rs5.sh`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub file: Arc<SourceFile>,
    /// Octets from its start; begin and end are at character boundaries.
    pub span: Range<usize>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where; none if the file itself cannot be read.
    pub place: Option<Place>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What to do about it, shown under the place; may be empty.
    pub hint: String,
    /// Other places that belong to it, with a word each.
    pub related: Vec<(Place, String)>,
    /// Lines shown below, each after `=`.
    pub notes: Vec<String>,
}

/// Collects the problems of a scenario: the first hundred, each once.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    errors: usize,
    left_out: usize,
}

/// How many problems are shown at most.
pub const PROBLEMS_MAX: usize = 100;

impl Problems {
    /// Adds one, unless it was said already or there are too many.
    pub fn push(&mut self, problem: Problem) {
        if self.list.contains(&problem) {
            return;
        }
        if problem.severity == Severity::Error {
            self.errors += 1;
        }
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    /// An error at a place.
    pub fn error(&mut self, place: &Place, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Problem::error(place, message, hint));
    }

    /// Whether no more are kept: then nobody needs to look for what may have been meant.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= PROBLEMS_MAX
    }

    /// Whether there is an error among them.
    pub fn is_fatal(&self) -> bool {
        self.errors > 0
    }

    /// All of them, errors first, each kind in the order of the text.
    pub fn into_vec(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|problem| (problem.severity, problem.sort_key()));
        if self.left_out > 0 {
            self.list.push(Problem {
                severity: Severity::Error,
                place: None,
                message: format!("{} more problems are not shown", self.left_out),
                hint: String::new(),
                related: Vec::new(),
                notes: Vec::new(),
            });
        }
        self.list
    }
}

impl Problem {
    /// An error at a place.
    pub fn error(place: &Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem {
            severity: Severity::Error,
            place: Some(place.clone()),
            message: message.into(),
            hint: hint.into(),
            related: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// An error that concerns no place in a text.
    pub fn without_place(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem {
            severity: Severity::Error,
            place: None,
            message: message.into(),
            hint: String::new(),
            related: Vec::new(),
            notes: Some(hint.into()).filter(|hint: &String| !hint.is_empty()).into_iter().collect(),
        }
    }

    /// The same with another severity.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Problem { severity, ..self }
    }

    /// The same with a line below.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with another place that belongs to it.
    #[must_use]
    pub fn related(mut self, place: &Place, word: impl Into<String>) -> Self {
        self.related.push((place.clone(), word.into()));
        self
    }

    fn sort_key(&self) -> (String, usize) {
        self.place.as_ref().map_or((String::new(), 0), |place| (place.file.name.clone(), place.span.start))
    }

    /// As it is shown in plain text: the line with the place underlined, what belongs to it, the hint.
    pub fn render(&self) -> String {
        let mut text = format!("{}: {}\n", self.severity, self.message);
        let mut margin = 4;
        if let Some(place) = &self.place {
            let mut lines: Vec<(&Place, &str, char)> =
                self.related.iter().map(|(place, word)| (place, word.as_str(), '-')).collect();
            lines.push((place, self.hint.as_str(), '^'));
            lines.sort_by_key(|(place, ..)| place.span.start);
            margin = lines.iter().map(|(place, ..)| place.line().to_string().len() + 2).max().unwrap_or(0).max(4);
            let _ = writeln!(text, "{:margin$}┌─ {place}", "");
            let mut last_file = &place.file;
            for (place, word, mark) in lines {
                if !Arc::ptr_eq(last_file, &place.file) {
                    let _ = writeln!(text, "{:margin$}┌─ {place}", "");
                    last_file = &place.file;
                }
                place.render(&mut text, margin, word, mark);
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "{:margin$}= {note}", "");
        }
        text
    }
}

/// All problems as plain text, and how many there are.
pub fn render(problems: &[Problem]) -> String {
    let mut text: String = problems.iter().map(|problem| problem.render() + "\n").collect();
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(plural(errors, "error"));
    }
    if warnings > 0 {
        parts.push(plural(warnings, "warning"));
    }
    if !parts.is_empty() {
        let end = if errors > 0 { "; nothing was run" } else { "" };
        let _ = writeln!(text, "{}{end}", parts.join(", "));
    }
    text
}

impl Place {
    /// The whole of a text.
    pub fn whole(file: &Arc<SourceFile>) -> Self {
        Place { file: Arc::clone(file), span: 0..file.text.len() }
    }

    /// The line it begins in, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// The column it begins in, in characters from 1.
    pub fn column(&self) -> usize {
        self.before().rsplit('\n').next().unwrap_or("").chars().count() + 1
    }

    fn before(&self) -> &str {
        let mut at = self.span.start.min(self.file.text.len());
        while !self.file.text.is_char_boundary(at) {
            at -= 1;
        }
        &self.file.text[..at]
    }

    /// Writes the line of the text with the place marked below, shortened to a window around it.
    fn render(&self, text: &mut String, margin: usize, word: &str, mark: char) {
        let number = self.line();
        let line_start = self.before().rfind('\n').map_or(0, |at| at + 1);
        let line = self.file.text[line_start..].lines().next().unwrap_or("");
        let from = self.before().len() - line_start;
        let to = (self.span.end.max(self.span.start) - line_start).min(line.len());
        let columns: Vec<(usize, char)> = line.char_indices().collect();
        let begin = columns.iter().take_while(|(at, _)| *at < from).count();
        let end = columns.iter().take_while(|(at, _)| *at < to).count().max(begin + 1);
        let shown_from = if end > LINE_MAX { begin.saturating_sub(LINE_MAX / 2) } else { 0 };
        let shown_to = columns.len().min(shown_from + LINE_MAX);
        let (left, right) = (if shown_from > 0 { "…" } else { "" }, if shown_to < columns.len() { "…" } else { "" });
        let shown: String = columns[shown_from..shown_to].iter().map(|(_, c)| visible(*c)).collect();
        let _ = writeln!(text, "{number:>width$} │ {left}{shown}{right}", width = margin - 1);
        let width =
            |range: &[(usize, char)]| -> usize { range.iter().map(|(_, c)| visible(*c).width().unwrap_or(1)).sum() };
        let begin_shown = begin.min(columns.len());
        let indent = left.chars().count() + width(&columns[shown_from.min(begin_shown)..begin_shown]);
        let marked = width(&columns[begin_shown..end.min(shown_to).max(begin_shown)]).max(1);
        let marks = mark.to_string().repeat(marked);
        let line = format!("{:margin$}│ {:indent$}{marks} {word}", "", "");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// How many characters of a line are shown.
const LINE_MAX: usize = 92;

/// A character that moves the cursor or shows nothing, as one that shows a blank.
fn visible(c: char) -> char {
    if c.is_control() || c == '\u{a0}' || c.width() == Some(0) { ' ' } else { c }
}

/// `broken.ron:47:24`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.line(), self.column())
    }
}

/// `error`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// The name among `known` that the author probably meant.
pub(crate) fn suggest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let least = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .take(20_000)
        .map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= least)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `did you mean "x"?`, or nothing.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    if written.len() > 200 {
        return String::new();
    }
    suggest(written, known).map_or(String::new(), |name| format!("did you mean \"{name}\"?"))
}
