//! Every command, one row per file.

use super::command::Command;

/// Every command that a host understands.
pub const COMMANDS: &[&Command] = &[];

/// The command of this name (a path of a program directory may stand in front).
pub fn find(name: &str) -> Option<&'static Command> {
    let name = program_name(name)?;
    COMMANDS.iter().copied().find(|command| command.names.contains(&name))
}

/// Every name of every command.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().flat_map(|command| command.names.iter().copied())
}

/// The name of the program that `word` calls: `ip`, `/sbin/ip`; none for other paths.
fn program_name(word: &str) -> Option<&str> {
    let Some((directory, name)) = word.rsplit_once('/') else { return Some(word) };
    PROGRAM_DIRECTORIES.contains(&directory).then_some(name)
}

const PROGRAM_DIRECTORIES: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
