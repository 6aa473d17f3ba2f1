//! `lvslab check`: scenarios, `keepalived.conf` and `ldirectord.cf` are read and checked, nothing runs.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::session;
use clap::Args;
use scenarios::{Problem, Severity, daemon_files};

/// Check scenarios, keepalived.conf and ldirectord.cf without running them.
///
/// Every problem of every file is shown with its place. Exit status 3 if a scenario cannot run, or if the daemon's own
/// test would not take its file (`keepalived -t`).
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Scenario files or names, files of keepalived (*.conf) or ldirectord (*.cf)
    #[arg(required = true, value_name = "F")]
    files: Vec<String>,
}

pub(crate) fn run(arguments: &Check, screen: &mut Screen) -> Result<(), Failure> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut unread: Vec<Failure> = Vec::new();
    for file in &arguments.files {
        if daemon_files::is_daemon_file(file) {
            match daemon_file(file, screen) {
                Ok(found) => problems.extend(found),
                Err(Failure::Invalid(found)) => {
                    screen.line(&format!("{} {file}", screen.ink(Ink::Bad, "✘")))?;
                    problems.extend(found);
                }
                Err(failure @ (Failure::File(_) | Failure::Usage(_))) => unread.push(failure),
                Err(other) => return Err(other),
            }
            continue;
        }
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
            Err(failure @ (Failure::File(_) | Failure::Usage(_))) => unread.push(failure),
            Err(other) => return Err(other),
        }
    }
    // The other files were checked all the same: what was found in them comes first.
    let Some(last) = unread.pop() else {
        return if problems.is_empty() { Ok(()) } else { Err(Failure::Invalid(problems)) };
    };
    screen.finish()?;
    if !problems.is_empty() {
        Failure::Invalid(problems).report();
    }
    unread.iter().for_each(Failure::report);
    Err(last)
}

/// Checks a file of keepalived or ldirectord; gives its problems if the daemon would not take it.
fn daemon_file(name: &str, screen: &mut Screen) -> Result<Vec<Problem>, Failure> {
    let (file, folder) = session::on_disk(name)?;
    let checked = daemon_files::check(&file, &folder).map_err(Failure::Invalid)?;
    if checked.passes {
        screen.line(&format!("{} {name}   {}", screen.ink(Ink::Good, "✔"), checked.content))?;
        session::show(&checked.problems);
        return Ok(Vec::new());
    }
    screen.line(&format!("{} {name}", screen.ink(Ink::Bad, "✘")))?;
    let said = |problem: &Problem| problem.severity != Severity::Note;
    Ok(checked.problems.into_iter().filter(said).collect())
}
