//! The routing table's words.

use super::host::Scope;
use crate::base::id::{IfaceId, NodeId};
use crate::wire::Ipv4Addr;
use ipnet::Ipv4Net;

/// What a route does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum RouteKind {
    /// Sends it on.
    Unicast,
    /// Delivers it here.
    Local,
    /// Delivers it here and to everybody on the link.
    Broadcast,
    /// Refuses it: ICMP host unreachable.
    Unreachable,
    /// Refuses it: ICMP administratively prohibited.
    Prohibit,
    /// Drops it.
    Blackhole,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RouteRecord {
    /// The host.
    pub node: NodeId,
    /// The table: 255 local, 254 main, 253 default.
    pub table: u32,
    /// What it is for.
    pub destination: Ipv4Net,
    /// What it does.
    pub kind: RouteKind,
    /// The router to send to; none if the destination itself is on the link.
    pub gateway: Option<Ipv4Addr>,
    /// The interface to send by.
    pub iface: Option<IfaceId>,
    /// Preferred source address.
    pub source: Option<Ipv4Addr>,
    /// How far the destination is.
    pub scope: Scope,
    /// Smaller is preferred.
    pub metric: u32,
    /// Added by the kernel itself (`proto kernel`), not typed.
    pub by_kernel: bool,
    /// Whether the route exists.
    pub present: bool,
}
