//! Definitions: `$NAME=value`, and `$NAME` or `${NAME}` where it is used.

use std::collections::BTreeMap;

/// How often definitions are replaced in one line; a definition that names itself would never end.
const REPLACEMENTS_MAX: usize = 512;

/// The definitions that hold at this point of the file.
#[derive(Debug)]
pub(super) struct Definitions {
    by_name: BTreeMap<String, Value>,
    chance: u64,
}

#[derive(Debug)]
enum Value {
    Text(String),
    /// The lines of a definition that goes over several.
    Lines(Vec<String>),
    /// `_PWD`: the folder of the file that is read.
    Folder,
    /// `_RANDOM`.
    Random,
}

/// A line in which definitions were replaced.
#[derive(Debug)]
pub(super) struct Replaced {
    /// The line.
    pub(super) line: String,
    /// The lines that follow it from definitions of several lines, the next first; one list a definition, the innermost last.
    pub(super) following: Vec<Vec<String>>,
    /// How often something was replaced.
    pub(super) count: usize,
}

/// Why a line could not be finished.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It grew longer than keepalived's buffer.
    TooLong,
    /// Definitions name each other without end.
    Endless,
}

/// What `$` at some place of a line stands for.
struct Use {
    name: String,
    /// Octets of the line that are replaced, from the `$` on.
    length: usize,
    parameters: Vec<u64>,
    /// Nothing stands behind it.
    last: bool,
}

impl Definitions {
    /// The ones that always hold.
    pub(super) fn standard(id: &str, seed: u64) -> Self {
        let text = |text: &str| Value::Text(text.to_owned());
        let list = [
            ("_PWD", Value::Folder),
            ("_INSTANCE", text(id)),
            ("_RANDOM", Value::Random),
            ("_HASH", text("#")),
            ("_BANG", text("!")),
        ];
        let by_name = list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Definitions { by_name, chance: seed | 1 }
    }

    /// Sets a definition of one line.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.by_name.insert(name.to_owned(), Value::Text(value.to_owned()));
    }

    /// Sets a definition of several lines.
    pub(super) fn set_lines(&mut self, name: &str, lines: Vec<String>) {
        self.by_name.insert(name.to_owned(), Value::Lines(lines));
    }

    /// Replaces what a line uses. A definition of several lines is only replaced at the end of the line; a value that
    /// begins with `~` ends the replacing.
    pub(super) fn replace(&mut self, line: &str, folder: &str, longest: usize) -> Result<Replaced, Unfinished> {
        let mut line = line.to_owned();
        let mut following = Vec::new();
        let (mut from, mut count) = (0, 0);
        while let Some(at) = line[from..].find('$').map(|at| at + from).filter(|at| at + 1 < line.len()) {
            let Some(used) = self.used(&line[at..]) else {
                from = at + 1;
                continue;
            };
            count += 1;
            if count > REPLACEMENTS_MAX {
                return Err(Unfinished::Endless);
            }
            let value = match self.by_name.get(&used.name) {
                None => String::new(),
                Some(Value::Text(text)) => text.clone(),
                Some(Value::Lines(lines)) => {
                    let mut rest = lines.clone();
                    let first = if rest.is_empty() { String::new() } else { rest.remove(0) };
                    following.push(rest);
                    first
                }
                Some(Value::Folder) => folder.to_owned(),
                Some(Value::Random) => self.random(&used.parameters).to_string(),
            };
            if line.len() + value.len() - used.length.min(line.len()) > longest {
                return Err(Unfinished::TooLong);
            }
            line.replace_range(at..at + used.length, &value);
            if value.trim_start_matches([' ', '\t']).starts_with('~') {
                break;
            }
            from = at;
        }
        Ok(Replaced { line, following, count })
    }

    /// What the `$` at the beginning of a text uses, if that is defined.
    fn used(&self, text: &str) -> Option<Use> {
        let used = use_of(text)?;
        let value = self.by_name.get(&used.name)?;
        let fits = used.last || !matches!(value, Value::Lines(_));
        let takes_parameters = matches!(value, Value::Random);
        (fits && (used.parameters.is_empty() || takes_parameters)).then_some(used)
    }

    /// keepalived seeds its generator with the time unless `random_seed` is given; a run here is repeatable.
    fn random(&mut self, parameters: &[u64]) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let low = parameters.first().copied().unwrap_or(0);
        let high = parameters.get(1).copied().unwrap_or(32767);
        low.saturating_add(self.chance % high.saturating_sub(low).saturating_add(1).max(1))
    }
}

/// What the `$` at the beginning of a text uses.
fn use_of(text: &str) -> Option<Use> {
    let rest = &text[1..];
    let (braced, rest) = rest.strip_prefix('{').map_or((false, rest), |rest| (true, rest));
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, behind) = (rest[..end].to_owned(), &rest[end..]);
    if !braced {
        let ends = behind.is_empty() || behind.starts_with([' ', '\t', ',', ')']);
        return ends.then(|| Use { name, length: 1 + end, parameters: Vec::new(), last: behind.is_empty() });
    }
    let close = behind.find('}')?;
    let given = &behind[..close];
    if given.contains(|c: char| c != ' ' && !c.is_ascii_digit()) || given.ends_with(' ') && !given.trim().is_empty() {
        return None;
    }
    let parameters = given.split(' ').filter(|word| !word.is_empty()).map(|word| word.parse().unwrap_or(0)).collect();
    Some(Use { name, length: 2 + end + close + 1, parameters, last: close + 1 == behind.len() })
}

/// `$NAME=value` at the beginning of a line: the name, and the value as it stands there.
pub(super) fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('$')?.split_once('=')?;
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| (name, value.trim_start_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(set: &[(&str, &str)], line: &str) -> String {
        let mut definitions = Definitions::standard("lb1", 1);
        for (name, value) in set {
            definitions.set(name, value);
        }
        definitions.replace(line, "/etc/keepalived", 1023).map_or_else(|why| format!("{why:?}"), |found| found.line)
    }

    #[test]
    fn a_definition_is_replaced_where_its_name_ends() {
        assert_eq!(replaced(&[("A", "1")], "x $A y"), "x 1 y");
        assert_eq!(replaced(&[("A", "1")], "x${A}y $Ab"), "x1y $Ab");
        assert_eq!(replaced(&[("A", "$B"), ("B", "2")], "${A}"), "2");
        assert_eq!(replaced(&[], "on ${_INSTANCE} in ${_PWD}"), "on lb1 in /etc/keepalived");
    }

    #[test]
    fn definitions_that_name_each_other_end() {
        assert_eq!(replaced(&[("A", "$B"), ("B", "$A")], "$A"), "Endless");
        assert_eq!(replaced(&[("A", "x${A}${A}")], "$A"), "TooLong");
        assert_eq!(replaced(&[("A", "x".repeat(700).as_str())], "${A}${A}"), "TooLong");
    }

    #[test]
    fn a_definition_needs_its_sign_at_once() {
        assert_eq!(definition("$A=b c"), Some(("A", "b c")));
        assert_eq!(definition("$A =b"), None);
        assert_eq!(definition("$1=b"), None);
    }
}
