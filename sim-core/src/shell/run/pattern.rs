//! Shell patterns: `*`, `?`, `[a-z]`, `\x`. Matching takes time linear in the product of both lengths.
//!
//! # Not modelled
//! `extglob` (`@(a|b)`), `globstar`.

/// Whether all of `text` matches.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = tokens(pattern);
    let text: Vec<char> = text.chars().collect();
    matches_tokens(&pattern, &text)
}

/// Whether a pattern has something that is not itself.
pub(crate) fn is_special(pattern: &str) -> bool {
    tokens(pattern).iter().any(|token| !matches!(token, Token::One(_)))
}

/// A pattern that matches exactly this text.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// The text that a pattern without special characters matches.
pub(crate) fn unquote(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

/// The octet where the part of `text` that matches ends (it begins at `start`); the longest or the shortest.
pub(crate) fn match_at(pattern: &str, text: &str, start: usize, longest: bool) -> Option<usize> {
    let pattern = tokens(pattern);
    let tail: Vec<(usize, char)> = text[start..].char_indices().collect();
    let characters: Vec<char> = tail.iter().map(|(_, character)| *character).collect();
    let ends = 0..=characters.len();
    let found = |count: &usize| matches_tokens(&pattern, &characters[..*count]);
    let count = if longest { ends.rev().find(found) } else { ends.into_iter().find(found) }?;
    Some(tail.get(count).map_or(text.len(), |(at, _)| start + at))
}

/// Files that match an absolute pattern, in order. `list` gives the names in a directory.
pub(crate) fn files(pattern: &str, list: &mut dyn FnMut(&str) -> Vec<String>) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in &found {
            if !is_special(part) {
                next.push(format!("{directory}/{}", unquote(part)));
                continue;
            }
            let from = if directory.is_empty() { "/" } else { directory };
            let mut names: Vec<String> = list(from);
            names.retain(|name| matches(part, name) && (!name.starts_with('.') || part.starts_with('.')));
            names.sort();
            next.extend(names.into_iter().map(|name| format!("{directory}/{name}")));
        }
        next.truncate(FILES_MAX);
        found = next;
    }
    found
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    One(char),
    Any,
    Many,
    Class { not: bool, ranges: Vec<(char, char)> },
}

fn tokens(pattern: &str) -> Vec<Token> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut tokens = Vec::with_capacity(characters.len());
    let mut at = 0;
    while at < characters.len() {
        match characters[at] {
            '\\' if at + 1 < characters.len() => {
                at += 1;
                tokens.push(Token::One(characters[at]));
            }
            '*' if tokens.last() == Some(&Token::Many) => {}
            '*' => tokens.push(Token::Many),
            '?' => tokens.push(Token::Any),
            '[' => match class(&characters[at + 1..]) {
                Some((token, length)) => {
                    tokens.push(token);
                    at += length;
                }
                None => tokens.push(Token::One('[')),
            },
            other => tokens.push(Token::One(other)),
        }
        at += 1;
    }
    tokens
}

/// What follows `[`, and how many characters it takes, `]` included.
fn class(rest: &[char]) -> Option<(Token, usize)> {
    let not = matches!(rest.first(), Some('!' | '^'));
    let mut at = usize::from(not);
    let first = at;
    let mut ranges = Vec::new();
    loop {
        let mut from = *rest.get(at)?;
        if from == ']' && at > first {
            return Some((Token::Class { not, ranges }, at + 1));
        }
        if from == '[' && rest.get(at + 1) == Some(&':') {
            let name: String = rest[at + 2..].iter().take_while(|c| **c != ':').collect();
            ranges.extend_from_slice(named(&name)?);
            at += name.chars().count() + 4;
            continue;
        }
        if from == '\\' {
            at += 1;
            from = *rest.get(at)?;
        }
        if rest.get(at + 1) == Some(&'-') && rest.get(at + 2).is_some_and(|to| *to != ']') {
            ranges.push((from, rest[at + 2]));
            at += 3;
        } else {
            ranges.push((from, from));
            at += 1;
        }
    }
}

fn named(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "digit" => &[('0', '9')],
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => &[('A', 'Z')],
        "lower" => &[('a', 'z')],
        "space" => &[(' ', ' '), ('\t', '\r')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "xdigit" => &[('0', '9'), ('a', 'f'), ('A', 'F')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        _ => return None,
    })
}

/// Greedy with one point to return to: the last `*`.
fn matches_tokens(pattern: &[Token], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while seen < text.len() {
        let fits = match pattern.get(at) {
            Some(Token::Many) => {
                back = Some((at, seen));
                at += 1;
                continue;
            }
            Some(Token::Any) => true,
            Some(Token::One(character)) => *character == text[seen],
            Some(Token::Class { not, ranges }) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&text[seen])) != *not
            }
            None => false,
        };
        if fits {
            at += 1;
            seen += 1;
        } else if let Some((star, from)) = back {
            at = star + 1;
            seen = from + 1;
            back = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|token| *token == Token::Many)
}

const FILES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_the_shell() {
        for (pattern, text, yes) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("start|stop", "start", false),
            ("[[:digit:]]*", "7up", true),
            ("192.168.*.[0-9]", "192.168.10.5", true),
        ] {
            assert_eq!(matches(pattern, text), yes, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_take_long() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(400)));
    }
}
