//! A daemon: which one, what it was told, and what it is once it runs.

use crate::base::id::IfaceId;
use crate::wire::Ipv4Addr;

/// Which daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Tells.
    Master,
    /// Listens.
    Backup,
}

/// What `ipvsadm --start-daemon` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonOptions {
    /// `--mcast-interface`.
    pub interface: Box<str>,
    /// `--syncid`; a backup of 0 listens to all.
    pub sync_id: u8,
    /// `--sync-maxlen`: octets of the largest message; 0 is as many as fit.
    pub longest: u32,
    /// `--mcast-group`; 0.0.0.0 is 224.0.0.81.
    pub group: Ipv4Addr,
    /// `--mcast-port`; 0 is 8848.
    pub port: u16,
    /// `--mcast-ttl`; 0 is 1.
    pub ttl: u8,
}

/// Why a daemon is not started or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonError {
    /// ENODEV: no such interface.
    NoDevice,
    /// EEXIST: it runs.
    Runs,
    /// ESRCH: it does not run.
    RunsNot,
    /// EINVAL: not a group.
    Invalid,
    /// ENOBUFS: no more groups can be joined.
    NoRoom,
}

/// A daemon that runs.
#[derive(Clone, Debug)]
pub(super) struct Daemon {
    pub(super) options: DaemonOptions,
    pub(super) iface: IfaceId,
    /// Threads, each with a port of its own.
    pub(super) ports: u16,
    /// The first one's number as a process.
    pub(super) pid: u32,
}
