//! What a hook answers, in netfilter's own words.

use super::routes::Route;
use crate::trace::Why;
use crate::wire::packet::Packet;
use std::net::Ipv4Addr;

/// The answer of a hook about a packet.
#[derive(Debug)]
pub enum Verdict {
    /// Go on with it.
    Accept(Packet),
    /// It ends here.
    Drop(Packet, Why),
    /// It ends here, and its sender is told.
    Reject(Packet, IcmpError, Why),
    /// The hook took it: it is to be sent as it is, past OUTPUT and POSTROUTING.
    Stolen(Xmit),
}

/// A packet that IPVS sends: rewritten, its TTL taken down, its way chosen.
#[derive(Debug)]
pub struct Xmit {
    /// The packet.
    pub packet: Packet,
    /// Its way.
    pub route: Route,
}

/// An ICMP error to be sent about a packet (RFC 792).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// Type: 3 unreachable, 11 time exceeded.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// The next hop's MTU for 3/4, else 0.
    pub mtu: u16,
    /// The source to send from; none: the rules of the host decide (the packet's destination if it is local, else
    /// the address of the outgoing interface).
    pub source: Option<Ipv4Addr>,
}
