//! Reads shell text into a [`Script`]: flat ops that a process can stop at and go on from. All problems are found at
//! once, each with its place.
//!
//! The syntax is read by brush-parser; its tree is lowered by `lower.rs`, its words by `word.rs`.
//!
//! # Not modelled
//! Arrays, `<(…)`, `coproc`, `select`, `time`, descriptors other than 0, 1 and 2, `${!x}`, `${x@Q}`. They are refused
//! with their place.

mod guard;
mod lower;
pub(crate) mod op;
mod source;
mod word;

use super::paste;
use op::Op;
use source::{Characters, Raw};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A script, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it is called in messages: a file's path, `-bash` for typed lines.
    pub name: Arc<str>,
    pub(crate) ops: Arc<[Op]>,
    /// Whether it was typed: messages then name no line.
    pub(crate) typed: bool,
}

/// A line as it is typed on a terminal (with here-documents and compound commands it may be several lines of text).
#[derive(Clone, Debug)]
pub struct Line {
    /// As typed, after the correction of pasted text.
    pub text: Arc<str>,
    /// Where it stands in the text as given, in octets.
    pub start: usize,
    /// Ready to run.
    pub script: Script,
}

/// Something that cannot work in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptProblem {
    /// Where, in octets of the text as given.
    pub start: usize,
    /// How many octets are meant.
    pub length: usize,
    /// Where, as a line from 1.
    pub line: usize,
    /// Where, as a column in characters from 1.
    pub column: usize,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether it runs nevertheless: a correction of pasted text.
    pub warning: bool,
}

/// Reads a whole script, as `bash FILE` does. Commands are looked up when they run.
///
/// # Errors
/// Every problem, in the order of the text.
pub fn script(text: &str, name: &str) -> Result<Script, Vec<ScriptProblem>> {
    let (clean, notes) = paste::clean(text);
    let program = program(&clean).map_err(|raw| source::in_original(text, &notes, vec![raw]))?;
    let (ops, problems) = lower::lower(&clean, &program.complete_commands, lower::Commands::WhenTheyRun);
    match problems.is_empty() {
        true => Ok(Script { name: name.into(), ops, typed: false }),
        false => Err(source::in_original(text, &notes, problems)),
    }
}

/// Reads what is typed on a terminal: one [`Line`] per complete command, and the corrections of pasted text. Commands of
/// literal words are checked; `known` are paths of files of the host, which may be programs too.
///
/// # Errors
/// Every problem, in the order of the text; corrections are among them as warnings.
pub fn lines(text: &str, known: &[&str]) -> Result<(Vec<Line>, Vec<ScriptProblem>), Vec<ScriptProblem>> {
    let (clean, notes) = paste::clean(text);
    let mut warnings = source::corrections(text, &notes);
    let mut problems = Vec::new();
    let mut lines = Vec::new();
    let mut functions = Vec::new();
    for (start, piece) in pieces(&clean, &mut problems) {
        let commands = match program(piece) {
            Ok(program) => program.complete_commands,
            Err(raw) => {
                problems.push(moved(raw, start));
                continue;
            }
        };
        let (ops, found) = lower::lower(piece, &commands, lower::Commands::Now { known, functions: &mut functions });
        problems.extend(found.into_iter().map(|raw| moved(raw, start)));
        if !commands.is_empty() {
            let script = Script { name: "-bash".into(), ops, typed: true };
            lines.push(Line { text: piece.trim().into(), start: paste::original(&notes, start), script });
        }
    }
    problems.retain(|raw| raw.unless_named.as_ref().is_none_or(|name| !functions.contains(name)));
    if problems.is_empty() {
        return Ok((lines, warnings));
    }
    warnings.extend(source::in_original(text, &notes, problems));
    warnings.sort_by_key(|problem| problem.start);
    Err(warnings)
}

/// Reads what somebody types on a host that runs: as one line, whose commands are looked up when they run, so that what
/// the real programs refuse they refuse in their own words.
///
/// # Errors
/// The syntax errors, in the order of the text.
pub fn typed(text: &str) -> Result<Line, Vec<ScriptProblem>> {
    let script = Script { typed: true, ..script(text, "-bash")? };
    let (clean, notes) = paste::clean(text);
    Ok(Line { text: clean.trim().into(), start: paste::original(&notes, 0), script })
}

/// Reads what is typed at once: like [`lines`], but the whole text is one line, whose commands share one shell.
///
/// # Errors
/// As [`lines`].
pub fn line(text: &str, known: &[&str]) -> Result<(Option<Line>, Vec<ScriptProblem>), Vec<ScriptProblem>> {
    let (mut lines, warnings) = lines(text, known)?;
    if lines.len() < 2 {
        return Ok((lines.pop(), warnings));
    }
    let (clean, _) = paste::clean(text);
    // Each command was read a moment ago, and they end where lines end.
    let commands = program(&clean).map(|program| program.complete_commands).unwrap_or_default();
    let (ops, _) = lower::lower(&clean, &commands, lower::Commands::WhenTheyRun);
    let script = Script { name: "-bash".into(), ops, typed: true };
    Ok((Some(Line { text: clean.trim().into(), start: lines[0].start, script }), warnings))
}

/// The text cut where a complete command ends; what cannot be read is reported and left out.
fn pieces<'t>(text: &'t str, problems: &mut Vec<Raw>) -> Vec<(usize, &'t str)> {
    let mut pieces = Vec::new();
    let ends: Vec<usize> = text.split_inclusive('\n').scan(0, |end, line| advance(end, line.len())).collect();
    let mut start = 0;
    let mut first = 0;
    while first < ends.len() {
        let last = ends.len().min(first + LINES_OF_A_COMMAND_MAX);
        let whole = (first..last).find_map(|line| match program(&text[start..ends[line]]) {
            Ok(_) => Some((line, None)),
            Err(raw) if is_unfinished(&raw) && line + 1 < last => None,
            Err(raw) => Some((line, Some(raw))),
        });
        match whole {
            Some((line, None)) => {
                pieces.push((start, &text[start..ends[line]]));
                first = line + 1;
            }
            // Nothing ends what this line begins: the fault is here, and the next line is looked at for itself.
            Some((_, Some(_))) | None => {
                let raw = program(&text[start..ends[first]]).err();
                let blamed = raw.unwrap_or_else(|| Raw::at(0..ends[first] - start, "a syntax error"));
                problems.push(moved(blamed, start));
                first += 1;
            }
        }
        start = ends[first - 1];
    }
    pieces
}

fn advance(end: &mut usize, length: usize) -> Option<usize> {
    *end += length;
    Some(*end)
}

fn moved(mut raw: Raw, by: usize) -> Raw {
    raw.span = raw.span.start + by..raw.span.end + by;
    raw
}

fn is_unfinished(raw: &Raw) -> bool {
    raw.message == UNFINISHED
}

/// The tree of a text, or its first syntax error.
fn program(text: &str) -> Result<brush_parser::ast::Program, Raw> {
    if let Some(raw) = guard::refuse(text) {
        return Err(raw);
    }
    // A text that ends with a backslash goes on in the next line.
    if text.trim_end_matches('\n').ends_with('\\') && text.ends_with('\n') && !text.ends_with("\\\\\n") {
        let end = text.trim_end_matches('\n').len();
        let continued = &text[..end - 1];
        if continued.trim().is_empty() {
            return Err(Raw::at(0..end, UNFINISHED));
        }
        return Err(Raw::at(end - 1..end, UNFINISHED).hint("the line ends with a backslash, and nothing follows"));
    }
    let read = catch_unwind(AssertUnwindSafe(|| {
        brush_parser::Parser::new(text.as_bytes(), &brush_parser::ParserOptions::default()).parse_program()
    }));
    match read {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(error)) => Err(syntax_error(text, &error)),
        Err(_) => Err(Raw::at(0..text.trim_end().len(), "the lab's shell cannot read this")),
    }
}

fn syntax_error(text: &str, error: &brush_parser::ParseError) -> Raw {
    use brush_parser::ParseError;
    let characters = Characters::new(text);
    match error {
        ParseError::ParsingNear(position) => {
            let start = characters.octet(position.index);
            let token: String = text[start..].chars().take_while(|c| !c.is_whitespace()).take(20).collect();
            let near = if token.is_empty() { "newline" } else { &token };
            Raw::at(start..start + token.len(), format!("syntax error near unexpected token `{near}'"))
        }
        ParseError::ParsingAtEndOfInput | ParseError::Tokenizing { .. } => {
            Raw::at(opener(text), UNFINISHED).hint("a quote, a bracket, or `fi`, `done`, `esac`, the end of a << text")
        }
    }
}

/// Where something is likely to have been opened that nothing ends: the first line's text.
fn opener(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    start..end
}

const UNFINISHED: &str = "something that begins here is not ended";
const LINES_OF_A_COMMAND_MAX: usize = 200;
