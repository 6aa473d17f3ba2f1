//! Regular expressions as `grep`, `sed` and `[[ =~ ]]` write them, translated for the library.
//!
//! # Not modelled
//! Back-references (`\1` in a pattern).

use regex::{Regex, RegexBuilder};

/// An extended expression (`grep -E`).
pub(super) fn extended(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    build(pattern, ignore_case)
}

/// A basic expression (`grep`): `\(`, `\|`, `\{`, `\+`, `\?` are special, the bare ones are not.
#[cfg(test)]
fn basic(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    build(&basic_text(pattern)?, ignore_case)
}

/// A basic expression as an extended one.
pub(super) fn basic_text(pattern: &str) -> Result<String, String> {
    let mut translated = String::with_capacity(pattern.len() + 8);
    let mut characters = pattern.chars().peekable();
    let mut start = true;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(special @ ('(' | ')' | '|' | '{' | '}' | '+' | '?')) => translated.push(special),
                Some(other) => {
                    translated.push('\\');
                    translated.push(other);
                }
                None => return Err("Trailing backslash".into()),
            },
            '(' | ')' | '|' | '{' | '}' | '+' | '?' => {
                translated.push('\\');
                translated.push(character);
            }
            // A star that nothing stands before is a star.
            '*' if start => translated.push_str("\\*"),
            '[' => bracket(&mut characters, &mut translated),
            other => translated.push(other),
        }
        start = matches!(translated.chars().last(), Some('(' | '|' | '^')) || translated.is_empty();
    }
    Ok(translated)
}

/// Copies `[…]` as it is.
fn bracket(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, translated: &mut String) {
    translated.push('[');
    let mut first = true;
    while let Some(character) = characters.next() {
        match character {
            '^' if first => {
                translated.push('^');
                continue;
            }
            ']' if !first => {
                translated.push(']');
                return;
            }
            '[' if characters.peek() == Some(&':') => translated.push('['),
            '[' | ']' | '\\' | '&' | '~' => {
                translated.push('\\');
                translated.push(character);
            }
            ':' => {
                translated.push(':');
                if characters.peek() == Some(&']') {
                    characters.next();
                    translated.push(']');
                }
            }
            other => translated.push(other),
        }
        first = false;
    }
}

fn build(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| "Invalid regular expression".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_and_extended_expressions_differ_in_what_is_special() {
        for (pattern, text, yes) in [
            ("a\\|b", "b", true),
            ("a|b", "b", false),
            ("(x)", "(x)", true),
            ("\\(x\\)", "x", true),
            ("^172\\.25", "172.25.92.100", true),
            ("[.]1", "x.1", true),
            ("[[:digit:]]*$", "12", true),
            ("*", "*", true),
            ("inet ", "    inet 10.0.0.1/24", true),
        ] {
            assert_eq!(basic(pattern, false).unwrap().is_match(text), yes, "{pattern}");
        }
        assert!(extended("a|b", true).unwrap().is_match("B"));
    }
}
