//! What `systemctl` tells of services: status, lists, properties, and signals to their processes.

use super::super::command::{Call, Outcome};
use super::super::{journalctl, processes};
use super::{Kind, SERVICES, Service};
use crate::base::calendar::Date;
use crate::kernel::process::table::ProcessInfo;
use crate::kernel::syscall::Sys;
use std::fmt::Write;

/// `systemctl status`: exit status 3 if it does not run.
pub(super) fn status(service: &Service, call: &mut Call, sys: &mut Sys) -> i32 {
    let name = service.names[0];
    let active = service.is_active(sys);
    let dot = if active { "●" } else { "○" };
    let mut text = format!("{dot} {name}.service - {}\n", service.description);
    let _ = writeln!(text, "     Loaded: loaded (/lib/systemd/system/{name}.service; enabled; preset: enabled)");
    let processes = processes_of(service, sys);
    let since = processes.iter().map(|process| process.started).min();
    let _ = match (active, since) {
        (true, Some(since)) => {
            let date = Date::of(since);
            let day = format!("{} {}-{:02}-{:02}", date.weekday_name(), date.year, date.month, date.day);
            let clock = format!("{:02}:{:02}:{:02}", date.hour, date.minute, date.second);
            let ago = ago(sys.now().since(since).nanos() / 1_000_000_000);
            writeln!(text, "     Active: active (running) since {day} {clock} UTC; {ago} ago")
        }
        (true, None) => writeln!(text, "     Active: active (exited)"),
        (false, _) => writeln!(text, "     Active: inactive (dead)"),
    };
    if let (Kind::Daemon { program, .. }, [main, ..]) = (&service.kind, processes.as_slice()) {
        let _ = writeln!(text, "   Main PID: {} ({program})", main.pid.0);
        let _ = writeln!(text, "      Tasks: {}", processes.len());
        let _ = writeln!(text, "     CGroup: /system.slice/{name}.service");
        for (at, process) in processes.iter().enumerate() {
            let branch = if at + 1 == processes.len() { "└─" } else { "├─" };
            let _ = writeln!(text, "             {branch}{} {}", process.pid.0, process.name);
        }
    }
    let log = journalctl::last_of(name, LINES, sys);
    if !log.is_empty() {
        text.push('\n');
        text.extend(log.iter().flat_map(|line| [line.as_str(), "\n"]));
    }
    call.out(text);
    if active { 0 } else { 3 }
}

/// `systemctl list-units`.
pub(super) fn list(call: &mut Call, sys: &Sys) -> Outcome {
    let mut text = format!("  {:<28} LOAD   ACTIVE SUB     DESCRIPTION\n", "UNIT");
    let active = SERVICES.iter().filter(|service| service.is_active(sys));
    let mut count = 0;
    for service in active {
        let unit = format!("{}.service", service.names[0]);
        let sub = if matches!(service.kind, Kind::Daemon { .. }) { "running" } else { "exited" };
        let _ = writeln!(text, "  {unit:<28} loaded active {sub:<7} {}", service.description);
        count += 1;
    }
    let _ = writeln!(text, "\n{count} loaded units listed.");
    call.out(text);
    Outcome::Done(0)
}

/// `systemctl kill [-s SIGNAL]`: every process of the service gets the signal.
pub(super) fn kill(service: &Service, signal: &str, call: &mut Call, sys: &mut Sys) -> i32 {
    let Ok((signal, _)) = processes::signal_of(&[format!("-{signal}")]) else {
        call.err(format!("Failed to parse signal string {signal}.\n"));
        return 1;
    };
    for process in processes_of(service, sys) {
        if let Some(signal) = signal {
            sys.kill(process.pid, signal);
        }
    }
    0
}

/// `systemctl show -p NAME`: the properties that can be told.
pub(super) fn show(service: &Service, wanted: &[&str], call: &mut Call, sys: &Sys) -> i32 {
    let active = service.is_active(sys);
    let main = processes_of(service, sys).first().map_or(0, |process| process.pid.0);
    let sub = match (active, &service.kind) {
        (true, Kind::Daemon { .. }) => "running",
        (true, _) => "exited",
        (false, _) => "dead",
    };
    let all = [
        ("Id", format!("{}.service", service.names[0])),
        ("Description", service.description.to_owned()),
        ("LoadState", "loaded".into()),
        ("ActiveState", if active { "active" } else { "inactive" }.into()),
        ("SubState", sub.into()),
        ("MainPID", main.to_string()),
    ];
    for (name, value) in all.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        call.out(format!("{name}={value}\n"));
    }
    0
}

fn processes_of(service: &Service, sys: &Sys) -> Vec<ProcessInfo> {
    let Kind::Daemon { program, .. } = service.kind else { return Vec::new() };
    let pids = sys.kernel.processes.named(program);
    let mut all: Vec<ProcessInfo> = sys.kernel.processes.list().filter(|process| pids.contains(&process.pid)).collect();
    // The one that is no child of the others comes first.
    all.sort_by_key(|process| (pids.contains(&process.parent), process.pid));
    all
}

fn ago(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}min {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}min"),
    }
}

/// Lines of the log that a status shows.
const LINES: usize = 10;
