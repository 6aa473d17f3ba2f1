//! Floor 5: one Linux host: its packet path, sockets, processes and system calls.

pub mod exec;
pub mod files;
pub mod log;
mod proc;
pub mod process;
pub mod sockets;
pub mod syscall;

use crate::base::id::NodeId;
use crate::tables::Tables;
use crate::world::node::{Cx, Outbox};
use files::Files;
use log::Log;
use process::Processes;
use sockets::Sockets;

/// One host's kernel: everything but the bodies of its processes, which `nodes/host` keeps.
#[derive(Debug)]
pub struct Kernel {
    /// The host's number in the world.
    pub node: NodeId,
    /// Its name.
    pub hostname: Box<str>,
    /// What it passes for: chooses wording only.
    pub os: Os,
    /// What it knows.
    pub tables: Tables,
    /// Ends of connections.
    pub sockets: Sockets,
    /// Who runs on it.
    pub processes: Processes,
    /// Its disk.
    pub files: Files,
    /// Its system log.
    pub log: Log,
    /// What a program asked for: carried out by `nodes/host` at the end of the turn.
    pub power: Option<Power>,
}

/// What a program asks of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `poweroff`.
    Off,
    /// `reboot`.
    Again,
}

impl Kernel {
    /// Sends what the sockets have to send.
    pub fn transmit(&mut self, out: &mut Outbox, cx: &mut Cx) {
        let _ = (out, cx);
    }

    /// Ends a turn of the host: what was put off until the processes had their say is sent. Whether that led to more
    /// work for them.
    pub fn settle(&mut self, out: &mut Outbox, cx: &mut Cx) -> bool {
        let _ = (out, cx);
        false
    }
}

/// The distribution a host passes for. It chooses wording (`ifconfig`, `service`, arptables chain names, log lines) and
/// keepalived's era; everything else is Linux 6.1 and keepalived 2.2.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Os {
    /// CentOS 4 (2005).
    CentOs4,
    /// Red Hat Enterprise Linux 6 (2010).
    Rhel6,
    /// CentOS 7 (2014).
    CentOs7,
    /// Debian 12 (2023).
    #[default]
    Debian12,
}
