//! What everybody who has to do with a socket calls it by: its number, what can go wrong, and the way of a frame.

use crate::base::id::{EventId, PacketId, Pid};
use crate::trace::record::CheckFlaw;
use std::net::Ipv4Addr;

/// A socket of a host. Never used again within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// What went wrong with a socket, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// EOPNOTSUPP: a value of `/proc/sys` that asks for what is not modelled.
    #[error("Operation not supported (not modelled)")]
    NotSupported,
    /// ECONNREFUSED.
    #[error("Connection refused")]
    Refused,
    /// ECONNRESET.
    #[error("Connection reset by peer")]
    Reset,
    /// ETIMEDOUT.
    #[error("Connection timed out")]
    TimedOut,
    /// EHOSTUNREACH.
    #[error("No route to host")]
    HostUnreachable,
    /// ENETUNREACH.
    #[error("Network is unreachable")]
    NetUnreachable,
    /// EADDRINUSE.
    #[error("Address already in use")]
    AddressInUse,
    /// EADDRNOTAVAIL: the address is not this host's, or no port is left.
    #[error("Cannot assign requested address")]
    AddressNotAvailable,
    /// EPIPE.
    #[error("Broken pipe")]
    BrokenPipe,
    /// EMSGSIZE.
    #[error("Message too long")]
    MessageTooLong,
    /// EPERM: a filter refused it.
    #[error("Operation not permitted")]
    NotPermitted,
    /// EBADF: not open, or not in this direction.
    #[error("Bad file descriptor")]
    BadDescriptor,
    /// EINVAL.
    #[error("Invalid argument")]
    Invalid,
    /// ENODEV: no such interface.
    #[error("No such device")]
    NoDevice,
    /// ENETDOWN: the interface is down.
    #[error("Network is down")]
    NetworkDown,
    /// ENOSPC: the host's files may take 64 MiB together.
    #[error("No space left on device")]
    NoSpace,
}

impl SocketError {
    /// What a health check makes of it.
    pub const fn flaw(self) -> CheckFlaw {
        match self {
            SocketError::Refused => CheckFlaw::Refused,
            SocketError::HostUnreachable | SocketError::NetUnreachable => CheckFlaw::Unreachable,
            SocketError::Reset | SocketError::TimedOut | SocketError::BrokenPipe => CheckFlaw::Broken,
            SocketError::NotSupported
            | SocketError::AddressInUse
            | SocketError::AddressNotAvailable
            | SocketError::MessageTooLong
            | SocketError::NotPermitted
            | SocketError::BadDescriptor
            | SocketError::Invalid
            | SocketError::NoDevice
            | SocketError::NetworkDown
            | SocketError::NoSpace => CheckFlaw::NotAsked,
        }
    }
}

/// Something happened at a socket, and its process is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) owner: Pid,
    pub(crate) socket: SocketId,
    pub(crate) cause: EventId,
    pub(crate) packet: PacketId,
}

impl Event {
    /// There is more to take; no packet came for it.
    pub(crate) fn more(owner: Pid, socket: SocketId) -> Event {
        Event { owner, socket, cause: EventId::NONE, packet: PacketId::NONE }
    }
}

/// Which way a frame passed an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It came in.
    In,
    /// It left.
    Out,
}

/// What a raw socket sends; the kernel writes the IPv4 header before it.
#[derive(Clone, Copy, Debug)]
pub struct RawPayload<'a> {
    /// The source; none: as the route has it.
    pub source: Option<Ipv4Addr>,
    /// The destination.
    pub to: Ipv4Addr,
    /// The TTL; none: 64, or the socket's for groups.
    pub ttl: Option<u8>,
    /// It is not to be sent in fragments (`IP_PMTUDISC_DO`).
    pub stays_whole: bool,
    /// Everything after the IPv4 header.
    pub data: &'a [u8],
}
