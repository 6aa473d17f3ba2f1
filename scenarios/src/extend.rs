//! Something more in a scenario's script: its text with items added at the end of `script`, everything else untouched.

use sim_core::base::time::{Duration, Instant};

/// The text with these items in its script, and `until` no earlier than this. None if the text is no scenario.
pub fn with_script(text: &str, items: &[String], until: Instant) -> Option<String> {
    let outline = Outline::of(text)?;
    let added: String = items.iter().map(|item| format!("        {item}\n")).collect();
    let mut out = text.to_string();
    match outline.field("script") {
        Some(script) => {
            let (open, close) = bracket(text, script)?;
            let inside = text[open + 1..close].trim_end();
            let comma = if needs_comma(inside) { "," } else { "" };
            let end = open + 1 + inside.len();
            out.replace_range(end..close, &format!("{comma}\n{added}    "));
        }
        None => {
            let inside = text[..outline.close].trim_end();
            let comma = if needs_comma(inside) { "," } else { "" };
            out.replace_range(inside.len()..outline.close, &format!("{comma}\n    script: [\n{added}    ],\n"));
        }
    }
    later(&mut out, until);
    Some(out)
}

/// The fields of the outermost bracket.
struct Outline {
    /// Name, and where its value begins.
    fields: Vec<(String, usize)>,
    /// Where the outermost bracket closes.
    close: usize,
}

impl Outline {
    fn of(text: &str) -> Option<Outline> {
        let mut fields = Vec::new();
        let mut depth = 0usize;
        for (at, c) in outside(text, 0) {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(Outline { fields, close: at });
                    }
                }
                ':' if depth == 1 => {
                    let name = text[..at].trim_end();
                    let from = name.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
                    fields.push((name[from..].to_string(), at + 1));
                }
                _ => {}
            }
        }
        None
    }

    fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, at)| *at)
    }
}

/// Whether another item needs a comma before it: not after one, and not at the beginning.
fn needs_comma(inside: &str) -> bool {
    let mut last = None;
    let mut at = 0;
    while at < inside.len() {
        let rest = &inside[at..];
        let length = opaque(rest);
        let c = rest.chars().next().unwrap_or(' ');
        if !(c.is_whitespace() || length.is_some() && rest.starts_with('/')) {
            last = Some(if length.is_some() { '"' } else { c });
        }
        at += length.unwrap_or(c.len_utf8());
    }
    last.is_some_and(|c| c != ',' && c != '(')
}

/// The bracket after `from` and the one that closes it.
fn bracket(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut open = None;
    let mut depth = 0usize;
    for (at, c) in outside(text, from) {
        match c {
            '(' | '[' | '{' => {
                open = open.or(Some(at));
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return open.map(|open| (open, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// The characters outside of strings and comments, each with its place.
fn outside(text: &str, from: usize) -> impl Iterator<Item = (usize, char)> {
    let mut at = from;
    std::iter::from_fn(move || {
        while let Some(length) = opaque(&text[at..]) {
            at += length;
        }
        let c = text[at..].chars().next()?;
        let here = at;
        at += c.len_utf8();
        Some((here, c))
    })
}

/// Octets of a comment or a string that begins here; brackets in it mean nothing.
fn opaque(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if let Some(inside) = rest.strip_prefix("/*") {
        return Some(inside.find("*/").map_or(rest.len(), |at| at + 4));
    }
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let opened = &raw[hashes..];
        if let Some(body) = opened.strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(1 + hashes + 1 + length);
        }
        return None;
    }
    if !rest.starts_with('"') {
        return None;
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// Lets the scenario run until then at least.
fn later(text: &mut String, until: Instant) {
    let Some(at) = Outline::of(text).and_then(|outline| outline.field("until")) else { return };
    let value = text[at..].trim_start();
    let from = at + (text[at..].len() - value.len());
    let Some(length) = opaque(value).filter(|_| value.starts_with('"')) else { return };
    let written = Duration::parse(value[1..length - 1].trim()).map(|span| Instant::ZERO + span);
    if written.is_some_and(|written| written < until) {
        let span = Duration::from_nanos(until.nanos());
        text.replace_range(from..from + length, &format!("\"{span}\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_added_whatever_the_script_looks_like() {
        let item = ["(at: \"2s\", on: \"a\", run: \"true\"),".to_string()];
        for (text, expected) in [
            ("S(a: 1, script: [])", "S(a: 1, script: [\n        ITEM\n    ])"),
            ("S(a: 1)", "S(a: 1,\n    script: [\n        ITEM\n    ],\n)"),
            ("S(script: [(at: \"1s\")], b: \"]\")", "S(script: [(at: \"1s\"),\n        ITEM\n    ], b: \"]\")"),
            ("S(script: [ (x), // ] ,\n ])", "S(script: [ (x), // ] ,\n        ITEM\n    ])"),
            ("S(s: r#\"script: [\"#, script: [(x)])", "S(s: r#\"script: [\"#, script: [(x),\n        ITEM\n    ])"),
        ] {
            let expected = expected.replace("ITEM", &item[0]);
            assert_eq!(with_script(text, &item, Instant::ZERO).as_deref(), Some(expected.as_str()), "{text}");
        }
        assert_eq!(with_script("S(", &item, Instant::ZERO), None);
    }

    #[test]
    fn the_end_moves_only_later() {
        let at = Instant::from_nanos(5_000_000_000);
        let text = with_script("S(until: \"2s\", script: [])", &[], at).expect("a scenario");
        assert!(text.contains("until: \"5s\""), "{text}");
        let text = with_script("S(until: \"9s\", script: [])", &[], at).expect("a scenario");
        assert!(text.contains("until: \"9s\""), "{text}");
    }
}
