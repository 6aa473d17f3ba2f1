//! The sync daemon: a director tells others about its connections, so that one of them can take over.
//!
//! ```text
//!   carry ─► offer: is it time to tell? ─► buffer ─► (full, or 2 s old) ─► datagram to 224.0.0.81:8848     [`master`]
//!   datagram ─► entries of the table, with state and timeout as told, counted for their servers            [`backup`]
//! ```
//! A host may run both daemons. Follows Linux `ip_vs_sync.c`.
//!
//! # Not modelled
//! Groups of IPv6. `sync_sock_size` has no effect: the socket's buffer is never full.

mod backup;
pub(super) mod daemon;
mod master;

pub use daemon::{DaemonError, DaemonOptions, Role};

use super::Ipvs;
use super::log::Line;
use crate::base::time::Instant;
use crate::tables::Tables;
use crate::tables::verdict::Xmit;
use crate::wire::sync::{GROUP, PORT};
use crate::world::node::Cx;
use daemon::Daemon;
use master::Master;

/// The daemons of a host.
#[derive(Debug, Default)]
pub(super) struct Sync {
    master: Option<Master>,
    backup: Option<Daemon>,
    /// Number of the first thread of the next daemon, as a process; the log tells it.
    threads: u32,
}

const DATAGRAM_HEADERS: u32 = 28;
const USUAL_MTU: u32 = 1500;
const LONGEST: u32 = 65_535;
/// A backup listens for messages of at least this size, whatever was asked for.
const BACKUP_LEAST: u32 = 1024;
/// Numbers of kernel threads: below those of programs.
const FIRST_THREAD: u32 = 410;

impl Ipvs {
    /// `ipvsadm --start-daemon`.
    ///
    /// # Errors
    /// `NoDevice`, `Runs`, `Invalid`, `NoRoom`.
    pub fn start_daemon(
        &mut self,
        role: Role,
        options: &DaemonOptions,
        tables: &mut Tables,
        cx: &mut Cx,
    ) -> Result<(), DaemonError> {
        let group = if options.group.is_unspecified() { GROUP } else { options.group };
        if !group.is_multicast() {
            return Err(DaemonError::Invalid);
        }
        let Some(interface) = tables.interfaces.named(&options.interface) else {
            self.log.say(Line::UnknownInterface(options.interface.clone()));
            return Err(DaemonError::NoDevice);
        };
        let iface = interface.id;
        let (mtu, least) = match role {
            Role::Master => (USUAL_MTU, 1),
            Role::Backup => (interface.mtu.clamp(USUAL_MTU, LONGEST), BACKUP_LEAST),
        };
        let longest = match options.longest {
            0 => mtu - DATAGRAM_HEADERS,
            asked => asked.clamp(least, LONGEST - DATAGRAM_HEADERS),
        };
        let options = DaemonOptions {
            group,
            longest,
            port: if options.port == 0 { PORT } else { options.port },
            ttl: options.ttl.max(1),
            ..options.clone()
        };
        let runs = match role {
            Role::Master => self.sync.master.is_some(),
            Role::Backup => self.sync.backup.is_some(),
        };
        if runs {
            return Err(DaemonError::Runs);
        }
        let other = self.sync.master.as_ref().map(|master| &master.daemon).or(self.sync.backup.as_ref());
        let ports = other.map_or(u16::from(tables.sysctl.vs().sync_ports), |other| other.ports);
        let pid = FIRST_THREAD + self.sync.threads;
        self.sync.threads += u32::from(ports);
        let (interface, sync_id) = (options.interface.clone(), options.sync_id);
        let daemon = Daemon { options, iface, ports, pid };
        match role {
            Role::Master => {
                if tables.interfaces.get(iface).is_some_and(|interface| interface.addresses.is_empty()) {
                    self.log.say(Line::NoAddress);
                }
                self.sync.master = Some(Master::new(daemon, tables, cx));
            }
            Role::Backup => {
                if !tables.memberships.join(iface, group) {
                    return Err(DaemonError::NoRoom);
                }
                self.sync.backup = Some(daemon);
            }
        }
        for thread in 0..ports {
            self.log.say(Line::ThreadStarted { role, interface: interface.clone(), sync_id, thread });
        }
        Ok(())
    }

    /// `ipvsadm --stop-daemon`: what was not sent yet is lost.
    ///
    /// # Errors
    /// `RunsNot`.
    pub fn stop_daemon(&mut self, role: Role, tables: &mut Tables) -> Result<(), DaemonError> {
        let stopped = match role {
            Role::Master => self.sync.master.take().map(|master| master.daemon),
            Role::Backup => self.sync.backup.take(),
        };
        let daemon = stopped.ok_or(DaemonError::RunsNot)?;
        if role == Role::Backup {
            tables.memberships.leave(daemon.iface, daemon.options.group);
        }
        for thread in 0..daemon.ports {
            self.log.say(Line::ThreadStops { role, pid: daemon.pid + u32::from(thread) });
        }
        Ok(())
    }

    /// The daemons that run, as `ipvsadm -L --daemon` lists them.
    pub fn daemons(&self) -> impl Iterator<Item = (Role, &DaemonOptions)> {
        let master = self.sync.master.as_ref().map(|master| (Role::Master, &master.daemon.options));
        let backup = self.sync.backup.as_ref().map(|backup| (Role::Backup, &backup.options));
        master.into_iter().chain(backup)
    }

    /// Whether this host only listens and `backup_only` keeps it from being a director.
    pub(super) fn stands_aside(&self, tables: &Tables) -> bool {
        self.sync.backup.is_some() && tables.sysctl.vs().backup_only
    }

    /// The next datagram of the master daemon.
    pub(super) fn next_message(&mut self, tables: &Tables, cx: &mut Cx) -> Option<Xmit> {
        let master = self.sync.master.as_mut()?;
        master.next_datagram(&mut self.pools, &mut self.log, tables, cx)
    }

    pub(super) fn wake_sync(&mut self, now: Instant) {
        if let Some(master) = &mut self.sync.master {
            master.wake(now);
        }
    }

    pub(super) fn sync_due(&self) -> Option<Instant> {
        self.sync.master.as_ref().map(Master::next_wake)
    }
}
