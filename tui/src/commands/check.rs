//! `lvslab check`: scenarios are read and checked, nothing runs.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::session;
use clap::Args;
use scenarios::Problem;

/// Check scenario files without running them.
///
/// Every problem of every file is shown with its place. Exit status 3 if one of them cannot run.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Scenario files or names
    #[arg(required = true, value_name = "F")]
    files: Vec<String>,
}

pub(crate) fn run(arguments: &Check, screen: &mut Screen) -> Result<(), Failure> {
    let mut problems: Vec<Problem> = Vec::new();
    for file in &arguments.files {
        match session::open(file) {
            Ok(model) => {
                let good = screen.ink(Ink::Good, "✔");
                let (hosts, lines) = (model.hosts.len(), model.hosts.iter().map(|host| host.boot.len()).sum::<usize>());
                let count =
                    |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
                let parts = [
                    count(hosts, "host"),
                    count(lines, "boot line"),
                    count(model.script.len(), "action"),
                    count(model.expect.len(), "expectation"),
                ];
                screen.line(&format!("{good} {file}   {}", parts.join(", ")))?;
                session::warn(&model);
            }
            Err(Failure::Invalid(found)) => {
                screen.line(&format!("{} {file}", screen.ink(Ink::Bad, "✘")))?;
                problems.extend(found);
            }
            Err(other) => return Err(other),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::Invalid(problems)) }
}
