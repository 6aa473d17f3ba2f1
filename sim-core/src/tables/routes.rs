//! Routing tables, rules and the lookup. Follows Linux `net/ipv4/fib_*`.

use crate::base::id::IfaceId;
use crate::trace::record::RouteKind;
use std::net::Ipv4Addr;

/// Routing tables and rules.
#[derive(Debug, Default)]
pub struct Routes;

/// The answer of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What to do.
    pub kind: RouteKind,
    /// The interface to send by (for `Local`: the one that holds the address).
    pub iface: IfaceId,
    /// Whose MAC the frame goes to: the gateway, or the destination itself.
    pub next_hop: Ipv4Addr,
    /// The gateway, if there is one.
    pub gateway: Option<Ipv4Addr>,
    /// The source address for a packet of this host's own.
    pub source: Ipv4Addr,
    /// The largest packet this way takes, in octets: the interface's MTU or a learned path MTU.
    pub mtu: u32,
}
