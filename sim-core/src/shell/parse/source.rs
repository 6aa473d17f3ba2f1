//! Places: from what the library says (characters) to octets of the text as given, and to line and column.

use super::ScriptProblem;
use crate::shell::paste::{self, Note};
use std::ops::Range;

/// A problem in octets of the text that is being read.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Only a problem if there is no function or file of this name.
    pub(super) unless_named: Option<String>,
}

impl Raw {
    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Raw {
        Raw { span, message: message.into(), hint: None, unless_named: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Raw {
        self.hint = Some(hint.into());
        self
    }
}

/// Octets of each character of a text.
#[derive(Debug)]
pub(super) struct Characters {
    offsets: Option<Vec<usize>>,
    length: usize,
}

impl Characters {
    pub(super) fn new(text: &str) -> Self {
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Characters { offsets, length: text.len() }
    }

    /// The octet where the character of this number begins.
    pub(super) fn octet(&self, character: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(character).copied().unwrap_or(self.length),
            None => character.min(self.length),
        }
    }
}

/// The line (from 1) and the column in characters (from 1) of an octet.
pub(super) fn line_and_column(text: &str, octet: usize) -> (usize, usize) {
    let mut octet = octet.min(text.len());
    while !text.is_char_boundary(octet) {
        octet -= 1;
    }
    let before = &text[..octet];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Problems of the cleaned text as problems of the text as given, in its order.
pub(super) fn in_original(original: &str, notes: &[Note], raw: Vec<Raw>) -> Vec<ScriptProblem> {
    let mut problems: Vec<ScriptProblem> = raw
        .into_iter()
        .map(|raw| {
            let start = paste::original(notes, raw.span.start);
            let end = paste::original(notes, raw.span.end).max(start);
            problem(original, start, end - start, raw.message, raw.hint, false)
        })
        .collect();
    problems.sort_by_key(|problem| problem.start);
    problems
}

/// Corrections of pasted text as warnings: each kind once.
pub(super) fn corrections(original: &str, notes: &[Note]) -> Vec<ScriptProblem> {
    let mut seen: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for note in notes {
        if !seen.contains(&note.message.as_str()) {
            seen.push(&note.message);
            let hint = Some("pasted from a web page? it was corrected".to_owned());
            warnings.push(problem(original, note.start, note.length, note.message.clone(), hint, true));
        }
    }
    warnings
}

fn problem(
    text: &str,
    start: usize,
    length: usize,
    message: String,
    hint: Option<String>,
    warning: bool,
) -> ScriptProblem {
    let (line, column) = line_and_column(text, start);
    ScriptProblem { start, length, line, column, message, hint, warning }
}
