//! Reads the options of a call at run time as `getopt_long` does, by the command's own table.

use super::command::{Command, Opt};
use std::fmt;

/// The options and the other words of a call.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    /// The options in order, by the name in the table.
    pub(super) given: Vec<(&'static str, Option<&'a str>)>,
    /// The words that are no options, in order.
    pub(super) words: Vec<&'a str>,
}

/// What cannot be read, in getopt's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No such option.
    Unknown(String),
    /// A value is missing.
    NoValue(String),
}

impl<'a> Options<'a> {
    /// The options in `args`, the words after the name.
    pub(super) fn read(command: &Command, args: &'a [String]) -> Result<Self, Unreadable> {
        let mut read = Options::default();
        let mut args = args.iter().map(String::as_str);
        while let Some(word) = args.next() {
            if word == "--" {
                read.words.extend(args.by_ref());
            } else if word.starts_with("--") {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                let option = long(command.options, name).ok_or_else(|| Unreadable::Unknown(word.to_owned()))?;
                let value = match (option.value, value) {
                    (false, _) => None,
                    (true, Some(value)) => Some(value),
                    (true, None) => Some(args.next().ok_or_else(|| Unreadable::NoValue(word.to_owned()))?),
                };
                read.given.push((option.name, value));
            } else if let Some(option) = whole(command.options, word) {
                // An option such as `-Ws` is written with one dash.
                let value = match option.value {
                    false => None,
                    true => Some(args.next().ok_or_else(|| Unreadable::NoValue(word.to_owned()))?),
                };
                read.given.push((option.name, value));
            } else if word.len() > 1 && word.starts_with('-') {
                read.cluster(command, word, &mut args)?;
            } else {
                read.words.push(word);
            }
        }
        Ok(read)
    }

    /// Whether one of these was given.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.given.iter().any(|(given, _)| names.contains(given))
    }

    /// The last value given to one of these.
    pub(super) fn value(&self, names: &[&str]) -> Option<&'a str> {
        self.given.iter().rev().find(|(given, _)| names.contains(given)).and_then(|(_, value)| *value)
    }

    /// All values given to these.
    pub(super) fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'a str> + 's {
        self.given.iter().filter(|(given, _)| names.contains(given)).filter_map(|(_, value)| *value)
    }

    /// `-sSI`, `-c4`, `-c 4`.
    fn cluster(
        &mut self,
        command: &Command,
        word: &'a str,
        args: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), Unreadable> {
        for (at, letter) in word.char_indices().skip(1) {
            let name = format!("-{letter}");
            let option = command.options.iter().find(|option| option.name == name);
            let option = option.ok_or(Unreadable::Unknown(name))?;
            if !option.value {
                self.given.push((option.name, None));
                continue;
            }
            let rest = &word[at + letter.len_utf8()..];
            let value = if rest.is_empty() { args.next() } else { Some(rest) };
            let value = value.ok_or_else(|| Unreadable::NoValue(option.name.to_owned()))?;
            self.given.push((option.name, Some(value)));
            break;
        }
        Ok(())
    }
}

/// An option of more than one letter behind one dash.
fn whole(options: &'static [Opt], word: &str) -> Option<&'static Opt> {
    options.iter().find(|option| option.name == word && word.len() > 2 && !word.starts_with("--"))
}

/// The option of this long name, or the only one that begins with it.
fn long(options: &'static [Opt], name: &str) -> Option<&'static Opt> {
    let exact = options.iter().find(|option| option.name == name);
    exact.or_else(|| {
        let mut near = options.iter().filter(|option| option.name.starts_with(name));
        near.next().filter(|_| near.next().is_none())
    })
}

/// As `getopt_long(3)` says it.
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Unknown(option) if option.starts_with("--") => write!(f, "unrecognized option '{option}'"),
            Unreadable::Unknown(option) => write!(f, "invalid option -- '{}'", option.trim_start_matches('-')),
            Unreadable::NoValue(option) if option.starts_with("--") => {
                write!(f, "option '{option}' requires an argument")
            }
            Unreadable::NoValue(option) => {
                write!(f, "option requires an argument -- '{}'", option.trim_start_matches('-'))
            }
        }
    }
}

impl Unreadable {
    /// As the GNU core utilities say it.
    pub(super) fn coreutils(&self, name: &str) -> String {
        format!("{name}: {self}\nTry '{name} --help' for more information.\n")
    }
}
