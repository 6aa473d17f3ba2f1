//! Which files an `include` means: a path with `*`, `?`, `[…]` and `{a,b}`.

use super::surroundings::Surroundings;
use crate::kernel::files::absolute;

/// Patterns that one `include` may spread into, and files it may match.
const MATCHES_MAX: usize = 512;

/// What an `include` found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Paths, sorted as a shell sorts them.
    pub(super) paths: Vec<String>,
    /// A path without wildcards that is not there, or a folder that is not there.
    pub(super) missing: bool,
    /// The pattern has wildcards.
    pub(super) wild: bool,
    /// The pattern has braces.
    pub(super) braces: bool,
}

/// Finds what a pattern means for a file in `folder`.
pub(super) fn find(pattern: &str, folder: &str, around: &dyn Surroundings) -> Found {
    let mut found = Found { braces: pattern.contains('{'), ..Found::default() };
    for alternative in braces(pattern) {
        let full = absolute(folder, &alternative);
        let wild = full.contains(['*', '?', '[']);
        found.wild |= wild;
        let before = found.paths.len();
        walk(&full, around, &mut found.paths);
        found.missing |= found.paths.len() == before && (!wild || !around.is_folder(plain_folder(&full)));
    }
    found
}

/// The part of a pattern in front of the first folder or file with a wildcard.
fn plain_folder(full: &str) -> &str {
    let end = full.find(['*', '?', '[']).map_or(full.len(), |wild| full[..wild].rfind('/').unwrap_or(0));
    if end == 0 { "/" } else { &full[..end] }
}

/// The folder of a path.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// `a{b,c}d` as `abd` and `acd`.
fn braces(pattern: &str) -> Vec<String> {
    let mut open = vec![pattern.to_owned()];
    let mut done = Vec::new();
    while let Some(next) = open.pop() {
        let parts = next.find('{').and_then(|from| Some((from, from + next[from..].find('}')?)));
        match parts {
            Some((from, to)) if open.len() + done.len() < MATCHES_MAX => {
                let inner = &next[from + 1..to];
                open.extend(inner.rsplit(',').map(|choice| format!("{}{choice}{}", &next[..from], &next[to + 1..])));
            }
            Some(_) | None => done.push(next),
        }
    }
    done
}

/// Adds the files that match a path from the root, folder by folder.
fn walk(full: &str, around: &dyn Surroundings, paths: &mut Vec<String>) {
    let mut folders = vec![String::new()];
    for part in full.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in &folders {
            if part.contains(['*', '?', '[']) {
                let mut names = around.list(if folder.is_empty() { "/" } else { folder });
                names.sort();
                let hidden = |name: &String| name.starts_with('.') && !part.starts_with('.');
                let fitting = names.into_iter().filter(|name| !hidden(name) && fits(part, name));
                next.extend(fitting.map(|name| format!("{folder}/{name}")));
            } else {
                next.push(format!("{folder}/{part}"));
            }
        }
        next.truncate(MATCHES_MAX);
        folders = next;
    }
    paths.extend(folders.into_iter().filter(|path| around.exists(path)));
    paths.truncate(MATCHES_MAX);
}

/// Whether a name fits a pattern of `*`, `?` and `[…]`.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut back) = (0, 0, None);
    loop {
        let step = match pattern.get(p) {
            Some('*') => {
                back = Some((p, n));
                p += 1;
                continue;
            }
            None if n == name.len() => return true,
            None => None,
            Some(_) => name.get(n).and_then(|&c| one(&pattern[p..], c)),
        };
        match (step, back) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((star, from))) if from < name.len() => {
                back = Some((star, from + 1));
                p = star + 1;
                n = from + 1;
            }
            (None, _) => return false,
        }
    }
}

/// How long the first element of a pattern is, if the character fits it.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '[' => {
            let close = pattern.iter().skip(2).position(|&c| c == ']').map(|at| at + 2);
            let Some(close) = close else { return (c == '[').then_some(1) };
            let inner = &pattern[1..close];
            let (not, inner) = match inner.first() {
                Some('!' | '^') => (true, &inner[1..]),
                _ => (false, inner),
            };
            let mut among = false;
            let mut at = 0;
            while at < inner.len() {
                if at + 2 < inner.len() && inner[at + 1] == '-' {
                    among |= inner[at] <= c && c <= inner[at + 2];
                    at += 3;
                } else {
                    among |= inner[at] == c;
                    at += 1;
                }
            }
            (among != not).then_some(close + 1)
        }
        other => (other == c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_as_in_a_shell() {
        let check = |pattern, name, expected| assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        check("*.conf", "a.conf", true);
        check("*.conf", "a.conf~", false);
        check("vs_?.c*f", "vs_1.conf", true);
        check("[a-c]*", "bx", true);
        check("[!a-c]*", "bx", false);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
    }

    #[test]
    fn braces_spread_in_order() {
        assert_eq!(braces("/a/{x,y}{1,2}"), ["/a/x1", "/a/x2", "/a/y1", "/a/y2"]);
    }

    #[test]
    fn a_path_is_taken_from_the_folder_of_the_file() {
        assert_eq!(absolute("/etc/keepalived", "conf.d/a"), "/etc/keepalived/conf.d/a");
        assert_eq!(absolute("/etc/keepalived", "../x"), "/etc/x");
        assert_eq!(folder_of("/etc/keepalived/keepalived.conf"), "/etc/keepalived");
    }
}
