//! What a command is: its names, its options in three columns, a check for words that are known when the scenario
//! loads, and the function that runs it.

use crate::kernel::process::{Env, Fd, Process};
use crate::kernel::syscall::Sys;

/// A command of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What it is called; the first is shown.
    pub names: &'static [&'static str],
    /// What it does, in one line.
    pub summary: &'static str,
    /// Every option (or keyword) that the real one has and a tutorial might type, by column.
    pub options: &'static [Opt],
    /// Finds what cannot work in words that are known beforehand; `words[0]` is the name. [`getopt`] is enough for
    /// most.
    pub check: fn(&Command, &[&str]) -> Vec<Fault>,
    /// Does it. What [`Command::check`] finds not modelled never gets here.
    pub run: fn(&mut Call<'_>, &mut Sys<'_, '_>) -> Outcome,
}

/// An option of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt {
    /// As typed: `-t`, `--stats`. Two spellings of one option are two rows.
    pub name: &'static str,
    /// Whether a value follows.
    pub value: bool,
    /// Its column.
    pub status: Status,
    /// What it does, or why it is refused.
    pub note: &'static str,
}

/// How far an option is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Does what it does on Linux.
    Modelled,
    /// Taken, and without effect: nothing that can be seen in the lab depends on it.
    Accepted,
    /// Exists on Linux and is not modelled: an error when the scenario loads, exit status 125 in scripts.
    Refused,
}

/// Something that cannot work, found in the words of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which word, from 0.
    pub word: usize,
    /// Whose fault.
    pub kind: FaultKind,
    /// What is wrong, as a fragment.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Whose fault a [`Fault`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It does not exist on Linux either. At run time the command itself says so.
    Unknown,
    /// It exists on Linux; the lab does not model it.
    NotModelled,
}

/// Exit status of what exists on Linux and is not modelled.
pub(super) const NOT_MODELLED: i32 = 125;

/// How a command went on.
#[derive(Debug)]
pub enum Outcome {
    /// It has ended, with this exit status.
    Done(i32),
    /// It goes on as a process of its own, and its exit status is that of the process.
    Became(Box<dyn Process>),
    /// It goes on as a shell, which is a process of its own.
    Shell(Start),
}

/// What a new shell begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// What it runs.
    pub source: Source,
    /// `$1` and those that follow.
    pub args: Vec<String>,
    /// Letters of `set -…` that are in force.
    pub options: String,
}

/// Where a shell takes its script from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A text, and what messages call it (`bash -c TEXT NAME`).
    Text(String, String),
    /// A file of the host.
    File(String),
}

/// One call of a command.
#[derive(Debug)]
pub struct Call<'a> {
    /// The words, expanded; the first is the name as typed.
    pub argv: &'a [String],
    /// The exported variables.
    pub env: &'a Env,
    /// The working directory, absolute.
    pub cwd: &'a str,
    /// Where the program of a name stands, if the lab knows one.
    pub path_of: fn(&str) -> Option<String>,
    output: Vec<(Fd, Vec<u8>)>,
}

impl<'a> Call<'a> {
    /// A call with these words.
    pub fn new(argv: &'a [String], env: &'a Env, cwd: &'a str, path_of: fn(&str) -> Option<String>) -> Self {
        Call { argv, env, cwd, path_of, output: Vec::new() }
    }

    /// The name as typed, without its path: `/sbin/ip` is `ip`.
    pub fn name(&self) -> &'a str {
        self.argv.first().map_or("", |word| base_name(word))
    }

    /// The words after the name.
    pub fn args(&self) -> &'a [String] {
        self.argv.get(1..).unwrap_or_default()
    }

    /// Writes to standard output, as it is (no newline is added).
    pub fn out(&mut self, text: impl AsRef<[u8]>) {
        self.write(Fd::STDOUT, text.as_ref());
    }

    /// Writes to standard error, as it is (no newline is added).
    pub fn err(&mut self, text: impl AsRef<[u8]>) {
        self.write(Fd::STDERR, text.as_ref());
    }

    /// Writes to standard error, and ends with this exit status.
    pub fn fail(&mut self, code: i32, text: impl AsRef<[u8]>) -> Outcome {
        self.err(text);
        Outcome::Done(code)
    }

    /// A path of the host made absolute by the working directory, without `.`, `..` and double slashes.
    pub fn path(&self, path: &str) -> String {
        crate::kernel::files::absolute(self.cwd, path)
    }

    /// What was written, in order.
    pub fn take_output(&mut self) -> Vec<(Fd, Vec<u8>)> {
        std::mem::take(&mut self.output)
    }

    fn write(&mut self, fd: Fd, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.output.last_mut() {
            Some((last, text)) if *last == fd => text.extend_from_slice(bytes),
            _ => self.output.push((fd, bytes.to_vec())),
        }
    }
}

impl Opt {
    /// An option that is modelled and takes no value.
    pub const fn flag(name: &'static str, note: &'static str) -> Opt {
        Opt { name, value: false, status: Status::Modelled, note }
    }

    /// An option that is modelled and takes a value.
    pub const fn value(name: &'static str, note: &'static str) -> Opt {
        Opt { name, value: true, status: Status::Modelled, note }
    }

    /// An option without effect in the lab.
    pub const fn accepted(name: &'static str, value: bool, note: &'static str) -> Opt {
        Opt { name, value, status: Status::Accepted, note }
    }

    /// An option that is not modelled.
    pub const fn refused(name: &'static str, value: bool, note: &'static str) -> Opt {
        Opt { name, value, status: Status::Refused, note }
    }
}

impl Fault {
    /// Something that does not exist on Linux either.
    pub fn unknown(word: usize, message: impl Into<String>) -> Fault {
        Fault { word, kind: FaultKind::Unknown, message: message.into(), hint: None }
    }

    /// Something that exists and is not modelled.
    pub fn not_modelled(word: usize, message: impl Into<String>) -> Fault {
        Fault { word, kind: FaultKind::NotModelled, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }
}

/// The check of commands that read their options as `getopt_long` does: clusters (`-Ln`), values in the same word or
/// the next, long options with `=` or shortened to what is unique, and `--`.
pub fn getopt(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut at = 1;
    while at < words.len() {
        let word = words[at];
        if word == "--" {
            break;
        }
        if word.starts_with("--") {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            match find_long(command.options, name) {
                Some(option) => {
                    refuse(option, command, at, &mut faults);
                    if option.value && value.is_none() {
                        at += 1;
                    }
                }
                None => faults.push(unknown_option(command, at, name)),
            }
        } else if word.len() > 1 && word.starts_with('-') {
            at += cluster(command, word, at, &mut faults);
        }
        at += 1;
    }
    faults
}

/// The check of commands whose options are words (`add`, `-host`): only what is refused is looked for.
pub fn refused_words(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, word) in words.iter().enumerate().skip(1) {
        if let Some(option) = command.options.iter().find(|option| option.name == *word) {
            refuse(option, command, at, &mut faults);
        }
    }
    faults
}

/// The check of commands whose words are all free.
pub fn anything(_: &Command, _: &[&str]) -> Vec<Fault> {
    Vec::new()
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The nearest of `names` to `word`, if it is near enough to be a slip.
pub fn did_you_mean<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many further words the options of a cluster take.
fn cluster(command: &Command, word: &str, at: usize, faults: &mut Vec<Fault>) -> usize {
    // An option such as `-host` is written with one dash.
    if let Some(option) = command.options.iter().find(|option| option.name == word) {
        refuse(option, command, at, faults);
        return usize::from(option.value);
    }
    for (place, letter) in word.char_indices().skip(1) {
        let name = format!("-{letter}");
        let Some(option) = command.options.iter().find(|option| option.name == name) else {
            faults.push(unknown_option(command, at, &name));
            return 0;
        };
        refuse(option, command, at, faults);
        if option.value {
            return usize::from(place + letter.len_utf8() == word.len());
        }
    }
    0
}

fn find_long(options: &'static [Opt], name: &str) -> Option<&'static Opt> {
    options.iter().find(|option| option.name == name).or_else(|| {
        let mut near = options.iter().filter(|option| option.name.starts_with("--") && option.name.starts_with(name));
        let first = near.next()?;
        near.next().is_none().then_some(first)
    })
}

fn refuse(option: &Opt, command: &Command, at: usize, faults: &mut Vec<Fault>) {
    if option.status == Status::Refused {
        let message = format!("{} {} is not modelled", command.names[0], option.name);
        faults.push(Fault::not_modelled(at, message).hint(option.note));
    }
}

/// The fault of an option that the command does not have.
pub fn unknown_option(command: &Command, at: usize, name: &str) -> Fault {
    let fault = Fault::unknown(at, format!("{} has no option {name}", command.names[0]));
    match did_you_mean(name, command.options.iter().map(|option| option.name)) {
        Some(near) if name.len() > 2 => fault.hint(format!("did you mean {near}?")),
        _ => fault.hint(format!("lvslab commands {} lists its options", command.names[0])),
    }
}
