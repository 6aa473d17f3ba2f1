//! The words of a line, each with the place it came from.

use super::lines::Line;
use super::text::{is_blank, words};
use crate::keepalived::config::Place;

/// The words of a logical line; never none.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// The line.
    pub(super) line: Line,
    list: Vec<String>,
}

impl Words {
    /// The words of a line; none if it has none. False: a `"` is not closed.
    pub(super) fn of(line: Line) -> (Option<Self>, bool) {
        let (list, closed) = words(&line.text);
        ((!list.is_empty()).then_some(Words { line, list }), closed)
    }

    /// The first word.
    pub(super) fn keyword(&self) -> &str {
        self.list.first().map_or("", String::as_str)
    }

    /// The word at that place, if there is one.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        self.list.get(index).map(String::as_str)
    }

    /// How many words there are.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// The words from that place on.
    pub(super) fn from(&self, index: usize) -> &[String] {
        self.list.get(index..).unwrap_or_default()
    }

    /// Where a word stands in the file; the whole line if it came from a definition.
    pub(super) fn place(&self, index: usize) -> Place {
        let raw = &*self.line.raw;
        let mut place = Place { file: self.line.file.to_string(), line: self.line.number, ..Place::default() };
        let mut from = 0;
        for (at, word) in self.list.iter().enumerate().take(index + 1) {
            if word.is_empty() {
                continue;
            }
            let Some(found) = find_word(raw, word, from) else { break };
            if at == index {
                place.column = raw[..found].chars().count() + 1;
                place.length = word.chars().count();
            }
            from = found + word.len();
        }
        if place.column == 0 {
            let trimmed = raw.trim();
            place.column = raw.chars().take_while(|&c| is_blank(c)).count() + 1;
            place.length = trimmed.chars().count();
        }
        place
    }
}

/// Where a word stands in a line as a whole word, from an octet on.
fn find_word(raw: &str, word: &str, from: usize) -> Option<usize> {
    let ends = |c: char| is_blank(c) || matches!(c, '"' | '\'' | '{' | '}');
    let mut at = from;
    loop {
        let found = raw.get(at..)?.find(word)? + at;
        let before = raw[..found].chars().next_back().is_none_or(ends);
        let behind = raw[found + word.len()..].chars().next().is_none_or(|c| ends(c) || matches!(c, '#' | '!'));
        if before && behind {
            return Some(found);
        }
        at = found + word.chars().next().map_or(1, char::len_utf8);
    }
}
