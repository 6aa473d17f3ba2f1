//! Looks at text before the library does: bounds that keep its recursive descent short, and numbers it cannot hold.

use super::source::Raw;

/// What stands in the way of reading `text`, if anything.
pub(super) fn refuse(text: &str) -> Option<Raw> {
    if text.len() > TEXT_MAX {
        return Some(Raw::at(0..0, format!("the script has {} octets", text.len())).hint("256 KiB are the limit"));
    }
    if let Some(at) = text.find('\0') {
        return Some(Raw::at(at..at + 1, "a script holds no NUL"));
    }
    depth(text).or_else(|| long_number(text))
}

/// Brackets and keywords that open something are counted without regard to quotes: too many is too many.
fn depth(text: &str) -> Option<Raw> {
    let mut open = 0_usize;
    let mut round = 0_usize;
    let mut word_start = 0;
    for (at, character) in text.char_indices() {
        let word_ends = !character.is_ascii_alphanumeric() && character != '_';
        if word_ends {
            match &text[word_start..at] {
                "if" | "while" | "until" | "for" | "case" | "select" => open += 1,
                "fi" | "done" | "esac" => open = open.saturating_sub(1),
                _ => {}
            }
            word_start = at + character.len_utf8();
        }
        match character {
            '(' => round += 1,
            ')' => round = round.saturating_sub(1),
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > OPEN_MAX || round > ROUND_MAX {
            return Some(Raw::at(at..at + character.len_utf8(), "nested too deeply for the lab's shell"));
        }
    }
    None
}

/// A number where the shell takes one (`$12345678901`, `{1..99999999999}`) that fits nowhere.
fn long_number(text: &str) -> Option<Raw> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = bytes[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| at + length);
        let before = bytes[..at].last().copied().unwrap_or(b' ');
        let signed = matches!(before, b'-' | b'+') && at > 1;
        let opener = if signed { bytes[at - 2] } else { before };
        if end - at > 9 && matches!(opener, b'$' | b'{' | b'~' | b'.' | b'#' | b'!') {
            return Some(Raw::at(at..end, "a number that is too large"));
        }
        at = end;
    }
    None
}

const TEXT_MAX: usize = 256 * 1024;
const OPEN_MAX: usize = 60;
const ROUND_MAX: usize = 12;
