//! How a command fails: what is said on standard error, and the exit status that scripts rely on.

use scenarios::Problem;
use std::io::{self, ErrorKind, Write};

/// Says something on standard error. If nobody can hear it, there is nothing left to do.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// 1: the run is fine, but an expectation does not hold; it was said already.
    Expectation,
    /// 2: the arguments make no sense.
    Usage(String),
    /// 3: the scenario is invalid.
    Invalid(Vec<Problem>),
    /// 4: a file cannot be read or written.
    File(String),
    /// 5: the same scenario and seed gave two different runs.
    Determinism(String),
    /// Who read the output has gone away: nobody needs to hear of it.
    NobodyReads,
}

impl Failure {
    /// Of writing a file.
    pub(crate) fn writing(name: &str, error: &io::Error) -> Failure {
        Failure::File(format!("cannot write {name}: {}", reason(error)))
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::NobodyReads => 0,
            Failure::Expectation => 1,
            Failure::Usage(_) => 2,
            Failure::Invalid(_) => 3,
            Failure::File(_) => 4,
            Failure::Determinism(_) => 5,
        }
    }

    /// What went wrong, in a line or more.
    pub(crate) fn text(&self) -> String {
        match self {
            Failure::Expectation | Failure::NobodyReads => String::new(),
            Failure::Usage(text) | Failure::File(text) | Failure::Determinism(text) => text.clone(),
            Failure::Invalid(problems) => scenarios::problem::render(problems),
        }
    }

    /// Says on standard error what went wrong.
    pub(crate) fn report(&self) {
        let text = match self {
            Failure::Expectation | Failure::NobodyReads => return,
            Failure::Usage(text) | Failure::File(text) | Failure::Determinism(text) => format!("error: {text}\n"),
            Failure::Invalid(problems) => scenarios::problem::render(problems),
        };
        say(&text);
    }
}

/// What an error of the operating system says to somebody who is not a programmer.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::StorageFull => "there is no room left on the device".to_string(),
        ErrorKind::PermissionDenied => "permission denied".to_string(),
        ErrorKind::NotFound => "there is no such folder".to_string(),
        ErrorKind::IsADirectory => "it is a folder".to_string(),
        _ => error.to_string(),
    }
}

/// Of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::writing("the output", &error),
        }
    }
}
