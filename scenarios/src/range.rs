//! Ranges in host names: `"rs{1..120}"` is 120 hosts, and `{n}` or `{n+10}` in their strings is the number.

use crate::read::Text;
use std::ops::RangeInclusive;

/// How many hosts a scenario may have.
pub(crate) const HOSTS_MAX: usize = 10_000;

/// A host key as written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// One host.
    One,
    /// A host for each number.
    Many {
        /// The numbers.
        numbers: RangeInclusive<u32>,
        /// What stands before.
        before: String,
        /// What stands behind.
        behind: String,
    },
}

/// What is wrong with a key or a string.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RangeError {
    /// `{…}` that is not a range.
    NotARange,
    /// The last is before the first.
    Empty,
    /// More numbers than hosts are allowed.
    TooMany,
    /// The number comes out below zero or too large.
    OutOfRange,
}

/// Reads a host key.
pub(crate) fn key(written: &str) -> Result<Key, RangeError> {
    let Some(open) = written.find('{') else {
        return if written.contains('}') { Err(RangeError::NotARange) } else { Ok(Key::One) };
    };
    let close = written[open..].find('}').ok_or(RangeError::NotARange)? + open;
    let (first, last) = written[open + 1..close].split_once("..").ok_or(RangeError::NotARange)?;
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| RangeError::NotARange);
    let (first, last) = (number(first)?, number(last)?);
    let (before, behind) = (written[..open].to_string(), written[close + 1..].to_string());
    if behind.contains(['{', '}']) {
        return Err(RangeError::NotARange);
    }
    if first > last {
        return Err(RangeError::Empty);
    }
    if last - first >= HOSTS_MAX as u32 {
        return Err(RangeError::TooMany);
    }
    Ok(Key::Many { numbers: first..=last, before, behind })
}

/// `text` with the host's number in place of `{n}`, `{n+10}`, `{n-1}`. `${n}` is the shell's and is left alone, and so
/// is every other brace.
pub(crate) fn fill(text: &Text, n: u32) -> Result<Text, RangeError> {
    let mut replacements = Vec::new();
    let mut from = 0;
    while let Some(at) = text.text[from..].find("{n").map(|at| at + from) {
        from = at + 2;
        let Some(close) = text.text[from..].find('}').map(|close| close + from) else { break };
        let shift = &text.text[from..close];
        if text.text[..at].ends_with('$') {
            continue;
        }
        let value = match (shift.split_at_checked(1), shift) {
            (_, "") => Some(n),
            (Some(("+", digits)), _) if is_number(digits) => digits.parse().ok().and_then(|k| n.checked_add(k)),
            (Some(("-", digits)), _) if is_number(digits) => digits.parse().ok().and_then(|k| n.checked_sub(k)),
            _ => continue,
        };
        replacements.push((at..close + 1, value.ok_or(RangeError::OutOfRange)?.to_string()));
        from = close + 1;
    }
    Ok(if replacements.is_empty() { text.clone() } else { text.replaced(&replacements) })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 10 && text.bytes().all(|octet| octet.is_ascii_digit())
}
