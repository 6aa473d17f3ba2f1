//! Every command, one row per file.

use super::builtins;
use super::command::{Command, base_name};

/// Every command that a host understands, in groups.
pub const COMMANDS: &[&[&Command]] = &[
    // Addresses, routes, settings.
    &[&super::ip::COMMAND, &super::ifconfig::COMMAND, &super::route::COMMAND, &super::arp::COMMAND],
    &[&super::arping::COMMAND],
    &[&super::sysctl::COMMAND, &super::housekeeping::MODPROBE, &super::housekeeping::LSMOD],
    // Files and texts.
    &[
        &super::cat::COMMAND,
        &super::grep::COMMAND,
        &super::sed::COMMAND,
        &super::lines::HEAD,
        &super::lines::TAIL,
        &super::lines::WC,
    ],
    &[&super::lines::SORT, &super::lines::UNIQ, &super::ls::COMMAND, &super::disk::CP, &super::disk::MV],
    &[
        &super::disk::RM,
        &super::disk::MKDIR,
        &super::disk::RMDIR,
        &super::disk::MKFIFO,
        &super::disk::CHMOD,
        &super::disk::CHOWN,
    ],
    &[&super::disk::LN, &super::disk::TOUCH, &super::columns::CUT, &super::columns::TR, &super::columns::TEE],
    &[&super::columns::XARGS, &super::columns::BASENAME, &super::columns::DIRNAME],
    // The host and its processes.
    &[&super::host::HOSTNAME, &super::host::DATE, &super::host::WHICH, &super::host::UNAME, &super::host::WHOAMI],
    &[&super::host::SEQ, &super::processes::KILL, &super::processes::KILLALL, &super::processes::PIDOF],
    &[&super::pgrep::COMMAND, &super::ps::COMMAND, &super::prefix::TIMEOUT, &super::prefix::AS_IT_IS],
    &[&super::processes::POWER, &super::dmesg::COMMAND, &super::journalctl::COMMAND],
    &[&super::housekeeping::PACKAGES, &super::housekeeping::RPM, &super::housekeeping::QUIET],
    &[&super::housekeeping::EDITORS, &super::elsewhere::COMMAND],
    // LVS.
    &[&super::ipvsadm::IPVSADM, &super::ipvsadm::SAVE, &super::ipvsadm::RESTORE],
    &[&super::genhash::COMMAND, &super::keepalived::COMMAND, &super::ldirectord::COMMAND],
    &[&super::haproxy::COMMAND, &super::nginx::COMMAND],
    // The shell.
    builtins::COMMANDS,
    &[&super::echo::COMMAND, &super::printf::COMMAND, &super::test::COMMAND],
    &[&super::truth::TRUE, &super::truth::FALSE, &super::sleep::COMMAND, &super::bash::COMMAND],
    // Filters and services.
    &[
        &super::arptables::COMMAND,
        &super::iptables::COMMAND,
        &super::iptables::saved::COMMAND,
        &super::service::SYSTEMCTL,
        &super::service::SERVICE,
        &super::service::INIT_SCRIPT,
        &super::service::IFUP,
    ],
    // Clients.
    &[&super::build::TAR, &super::build::MAKE, &super::traceroute::COMMAND],
    &[&super::nc::COMMAND, &super::ab::COMMAND, &super::ss::COMMAND, &super::netstat::COMMAND, &super::watch::COMMAND],
    &[&super::ftp::LFTP, &super::ftp::FTP, &super::ftp::VSFTPD],
    &[&super::curl::COMMAND, &super::wget::COMMAND, &super::ping::COMMAND, &super::tcpdump::COMMAND],
];

/// Every command that a host understands.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().copied().flatten().copied()
}

/// The command of this name (a path of a program directory may stand in front).
pub fn find(name: &str) -> Option<&'static Command> {
    let name = program_name(name)?;
    commands().find(|command| command.names.contains(&name))
}

/// Where `which` finds a command; none if the shell does it itself, or there is none.
pub fn path_of(name: &str) -> Option<String> {
    let command = find(name).filter(|command| is_here(command))?;
    if is_in_shell(command.names[0]) {
        return None;
    }
    let name = base_name(name);
    Some(format!("{}/{name}", if SYSTEM.contains(&name) { "/usr/sbin" } else { "/usr/bin" }))
}

/// Whether bash does this command itself.
pub fn is_in_shell(name: &str) -> bool {
    let is_builtin = builtins::COMMANDS.iter().any(|row| row.names.contains(&name));
    is_builtin || matches!(name, ":" | "[" | "echo" | "false" | "kill" | "printf" | "test" | "true")
}

/// Whether a path is where start scripts live: `/etc/init.d/httpd`.
pub fn is_start_script(path: &str) -> bool {
    path.starts_with("/etc/init.d/") || path.starts_with("/etc/rc.d/init.d/")
}

/// Every name of every command that a host has.
pub fn names() -> impl Iterator<Item = &'static str> {
    commands().filter(|command| is_here(command)).flat_map(|command| command.names.iter().copied())
}

/// Whether hosts have the command: of some they only say what to type instead.
fn is_here(command: &Command) -> bool {
    command.names != super::elsewhere::COMMAND.names
}

/// The name of the program that `word` calls: `ip`, `/sbin/ip`; none for other paths.
fn program_name(word: &str) -> Option<&str> {
    let Some((directory, name)) = word.rsplit_once('/') else { return Some(word) };
    if is_start_script(word) {
        return (name != "functions").then_some("/etc/init.d/");
    }
    PROGRAM_DIRECTORIES.contains(&directory).then_some(name)
}

const PROGRAM_DIRECTORIES: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

const SYSTEM: &[&str] = &[
    "arp",
    "arping",
    "arptables",
    "chkconfig",
    "ifconfig",
    "ifdown",
    "ifup",
    "ip",
    "iptables",
    "ipvsadm",
    "ipvsadm-restore",
    "ipvsadm-save",
    "haproxy",
    "keepalived",
    "nginx",
    "lsmod",
    "modprobe",
    "route",
    "service",
    "sysctl",
    "tcpdump",
    "vsftpd",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_have_one_name() {
        let mut all: Vec<&str> = names().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
