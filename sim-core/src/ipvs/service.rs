//! Virtual services and their real servers, in the kernel's order.

use crate::base::time::Duration;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// What `ipvsadm -A` and `-E` say about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOptions {
    /// `-s`: a name of the registry of schedulers.
    pub scheduler: String,
    /// `-b`: flags of the scheduler; bits `0x08` flag-1, `0x10` flag-2, `0x20` flag-3.
    pub flags: u8,
    /// `-p` and `-M`.
    pub persistent: Option<Persistence>,
    /// `-o`: every datagram is scheduled anew.
    pub one_packet: bool,
}

/// Persistence: a client stays with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// How long after its last new connection a client is remembered.
    pub timeout: Duration,
    /// Clients that are equal under this mask are one client.
    pub mask: Ipv4Addr,
}

/// What `ipvsadm -a` and `-e` say about a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Its address; port 0 (only with firewall marks) keeps the packet's own.
    pub server: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// `-w`; 0 takes no new connections.
    pub weight: u32,
    /// `-x`: no new connections at this many; 0 is no limit.
    pub upper: u32,
    /// `-y`: new ones again below this many; 0 is three quarters of `upper`.
    pub lower: u32,
}

/// Why the kernel refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// EEXIST for `-A`.
    ServiceExists,
    /// ENOENT for `-A` and `-E`: no scheduler of that name.
    NoScheduler,
    /// ESRCH: there is no such service.
    NoService,
    /// EEXIST for `-a`.
    ServerExists,
    /// ENOENT for `-e` and `-d`.
    NoServer,
    /// EINVAL: the address is not unicast.
    Invalid,
    /// ERANGE: the lower threshold is above the upper.
    OutOfRange,
}

/// A virtual service.
#[derive(Debug)]
pub struct Service {
    /// What names it.
    pub key: ServiceKey,
}
