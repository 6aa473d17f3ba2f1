//! `lvs_sync_daemon`: IPVS' sync daemons, which tell another director of connections. With an instance, the VRRP child runs
//! one of them: the master daemon while that instance is master, otherwise the backup daemon. Without, the checkers' child
//! runs both.

use super::config::global::SyncDaemon;
use super::voice::Voice;
use crate::ipvs::sync::{DaemonError, DaemonOptions, Role};
use crate::kernel::syscall::Sys;
use crate::wire::Ipv4Addr;
use std::net::IpAddr;

/// Starts a daemon. What the kernel has against it is logged.
pub(super) fn start(daemon: &SyncDaemon, role: Role, voice: &Voice, sys: &mut Sys) {
    let kernel = &mut *sys.kernel;
    let done = kernel.ipvs.start_daemon(role, &options(daemon), &mut kernel.tables, sys.cx);
    say(done, ("IP_VS_SO_SET_STARTDAEMON", 1163), voice, sys);
}

/// Stops a daemon; what was not sent yet is lost.
pub(super) fn stop(role: Role, voice: &Voice, sys: &mut Sys) {
    let kernel = &mut *sys.kernel;
    let done = kernel.ipvs.stop_daemon(role, &mut kernel.tables);
    say(done, ("IP_VS_SO_SET_STOPDAEMON", 1164), voice, sys);
}

/// Stops a daemon that may not run, and says nothing.
pub(super) fn stop_if_it_runs(role: Role, sys: &mut Sys) {
    let kernel = &mut *sys.kernel;
    let _may_not_run = kernel.ipvs.stop_daemon(role, &mut kernel.tables);
}

/// Starts both.
pub(super) fn start_both(daemon: &SyncDaemon, voice: &Voice, sys: &mut Sys) {
    for role in [Role::Master, Role::Backup] {
        start(daemon, role, voice, sys);
    }
}

/// Stops what runs.
pub(super) fn stop_both(sys: &mut Sys) {
    for role in [Role::Master, Role::Backup] {
        stop_if_it_runs(role, sys);
    }
}

fn options(daemon: &SyncDaemon) -> DaemonOptions {
    let group = match daemon.group {
        Some(IpAddr::V4(group)) => group,
        Some(IpAddr::V6(_)) | None => Ipv4Addr::UNSPECIFIED,
    };
    DaemonOptions {
        interface: daemon.interface.as_str().into(),
        sync_id: daemon.id.unwrap_or(0),
        longest: daemon.max_len.map_or(0, u32::from),
        group,
        port: daemon.port.unwrap_or(0),
        ttl: daemon.ttl.unwrap_or(0),
    }
}

fn say(done: Result<(), DaemonError>, command: (&str, u32), voice: &Voice, sys: &mut Sys) {
    let Err(error) = done else { return };
    let (text, number) = match error {
        DaemonError::NoDevice => ("No such device", 19),
        DaemonError::Runs => ("Daemon has already run", 17),
        DaemonError::RunsNot => ("No daemon is running", 3),
        DaemonError::Invalid => ("Invalid argument", 22),
        DaemonError::NoRoom => ("No buffer space available", 105),
    };
    let (name, code) = command;
    voice.say(&format!("IPVS cmd {name}({code}) error: {text}({number})"), sys);
}
