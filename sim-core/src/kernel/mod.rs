//! Floor 5: one Linux host: its packet path, sockets, processes and system calls.

pub mod process;
pub mod syscall;

use crate::base::id::NodeId;
use crate::tables::Tables;

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
