//! Every command, one row per file.

use super::command::Command;

/// Every command that a host understands.
pub const COMMANDS: &[&Command] = &[];

/// The command of this name (a path of a program directory may stand in front).
pub fn find(name: &str) -> Option<&'static Command> {
    let name = program_name(name)?;
    COMMANDS.iter().copied().find(|command| command.names.contains(&name))
}

/// Where `which` finds a command; none if the shell does it itself, or there is none.
pub fn path_of(name: &str) -> Option<String> {
    let command = find(name)?;
    let name = super::command::base_name(name);
    let directory = if is_in_shell(command.names[0]) { return None } else { directory_of(name) };
    Some(format!("{directory}/{name}"))
}

/// Whether bash does this command itself.
pub fn is_in_shell(name: &str) -> bool {
    super::run::is_builtin(name) || matches!(name, ":" | "[" | "echo" | "false" | "kill" | "printf" | "test" | "true")
}

/// Whether a path is where start scripts live: `/etc/init.d/httpd`.
pub fn is_start_script(path: &str) -> bool {
    path.starts_with("/etc/init.d/") || path.starts_with("/etc/rc.d/init.d/")
}

fn directory_of(name: &str) -> &'static str {
    const SYSTEM: &[&str] = &[
        "arp", "arping", "arptables", "chkconfig", "ifconfig", "ip", "iptables", "ipvsadm", "ipvsadm-restore",
        "ipvsadm-save", "lsmod", "modprobe", "route", "service", "sysctl",
    ];
    if SYSTEM.contains(&name) { "/usr/sbin" } else { "/usr/bin" }
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
