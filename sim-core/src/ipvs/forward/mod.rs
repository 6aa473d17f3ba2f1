//! Forwarding methods: how a packet is brought to its real server. One file each; [`registry::METHODS`] is the list.
//!
//! ```text
//!   request ─► route to the server ─┬─ away: TTL taken down ─► MTU ─► the method's change ─► Stolen
//!                                   └─ here: the server is this host ─► Accept
//! ```
//! Follows Linux `ip_vs_xmit.c`.

mod bypass;
mod dr;
mod fullnat;
mod nat;
pub mod registry;
mod tun;

use super::conn::Conn;
use super::local::{LocalPorts, Locals};
use crate::base::time::Duration;
use crate::tables::Tables;
use crate::tables::routes::Route;
use crate::tables::verdict::{IcmpError, Verdict};
use crate::trace::Why;
use crate::trace::record::{Method, RouteKind, ServiceKey, Tunnel};
use crate::wire::flow::Flow;
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;
use std::fmt::Debug;
use std::net::Ipv4Addr;

/// A way of bringing packets to a real server.
pub trait ForwardingMethod: Debug + Sync {
    /// Takes what a new connection needs from the host's pools.
    ///
    /// # Errors
    /// If a pool is empty; the connection is then refused.
    fn bind(&self, conn: &mut Conn, from: &mut Reserve, cx: &mut Cx) -> Result<(), Why> {
        let _ = (conn, from, cx);
        Ok(())
    }

    /// Gives it back.
    fn release(&self, conn: &Conn, pools: &mut Pools) {
        let _ = (conn, pools);
    }

    /// How the two directions of a connection look here; none if the answers do not pass, or pass unchanged.
    fn keys(&self, conn: &Conn) -> (Flow, Option<Flow>) {
        (conn.request_flow(), None)
    }

    /// Sends a client's packet on.
    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict;

    /// Writes a server's packet back to what the client expects.
    fn reply(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let _ = (conn, way, cx);
        Verdict::Accept(packet)
    }

    /// Sends an ICMP error about a connection on to the server, after its quote was changed as the method changes
    /// packets.
    fn icmp_request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        self.request(packet, conn, way, cx)
    }

    /// Sends an ICMP error about a request on to the client.
    fn icmp_reply(&self, packet: Packet, conn: &Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let _ = (conn, way, cx);
        Verdict::Accept(packet)
    }

    /// What both sides are told when a connection ends that was ESTABLISHED.
    fn farewell(&self, conn: &Conn, cx: &mut Cx) -> Vec<Packet> {
        let _ = (conn, cx);
        Vec::new()
    }
}

/// What the methods draw from.
#[derive(Debug, Default)]
pub struct Pools {
    /// The identification of the next outer header that may be fragmented.
    next_id: u16,
    /// FULLNAT's ports.
    pub(super) ports: LocalPorts,
    /// The first and the last of them, as the settings are at this moment.
    pub(super) lports: (u16, u16),
}

/// What a new connection can be given, of its service and of the host.
#[derive(Debug)]
pub struct Reserve<'a> {
    /// The service.
    pub service: ServiceKey,
    /// Its scheduler.
    pub scheduler: &'static str,
    /// Its local addresses.
    pub locals: &'a mut Locals,
    /// Its `--conn-timeout`.
    pub conn_timeout: Option<Duration>,
    /// What all services draw from.
    pub pools: &'a mut Pools,
}

/// What a method looks at on a packet's way out.
#[derive(Debug)]
pub struct Way<'a> {
    /// Routes and addresses.
    pub tables: &'a Tables,
    /// What methods draw from.
    pub pools: &'a mut Pools,
    /// What a tunnel to this server puts in front.
    pub tunnel: Tunnel,
}

/// Where a packet goes after the common checks.
#[derive(Debug)]
enum Departure {
    /// The server is this host.
    Here(Packet),
    /// The server is elsewhere; the TTL has been taken down.
    Away(Packet, Route),
}

impl Pools {
    /// The next identification.
    pub(super) fn take_id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }
}

/// What all methods do first: the route to `to`, the TTL, the MTU less `overhead` octets of tunnel.
fn depart(mut packet: Packet, to: Ipv4Addr, overhead: u32, way: &Way) -> Result<Departure, Verdict> {
    let (source, vip) = (packet.ip().src_addr(), packet.ip().dst_addr());
    let refusal = |kind, code, mtu| IcmpError { kind, code, mtu, source: Some(vip) };
    let route = match way.tables.routes.lookup(to, None, 0, &way.tables.interfaces) {
        Ok(route) => route,
        Err(why) => return Err(Verdict::Reject(packet, refusal(3, 1, 0), why)),
    };
    packet.by_ipvs = true;
    if route.kind == RouteKind::Local {
        return Ok(Departure::Here(packet));
    }
    if source.is_loopback() {
        return Err(Verdict::Reject(packet, refusal(3, 1, 0), Why::Martian { source }));
    }
    if packet.ip().hop_limit() <= 1 {
        return Err(Verdict::Reject(packet, refusal(11, 0, 0), Why::TtlExpired { from: source }));
    }
    rewrite::decrement_ttl(&mut packet);
    let may_fragment = overhead > 0 && !way.tables.sysctl.vs().pmtu_disc;
    let mtu = route.mtu.saturating_sub(overhead);
    let length = packet.bytes().len() as u32;
    let is_icmp = packet.ip().next_header() == smoltcp::wire::IpProtocol::Icmp;
    if length > mtu && !may_fragment && packet.ip().dont_frag() && !is_icmp {
        let mtu_field = u16::try_from(mtu).unwrap_or(u16::MAX);
        return Err(Verdict::Reject(packet, refusal(3, 4, mtu_field), Why::TooLong { length, mtu }));
    }
    Ok(Departure::Away(packet, route))
}

/// A router on the way to `server` carries only `mtu` octets: noted in the route, whose MTU from here on is returned.
pub(super) fn learn_mtu(server: Ipv4Addr, mtu: u32, tables: &mut Tables, cx: &mut Cx) -> u32 {
    let Tables { routes, interfaces, .. } = tables;
    if let Some(learned) = routes.learn_mtu(server, mtu, cx.now, interfaces) {
        return learned;
    }
    routes.lookup(server, None, 0, interfaces).map_or(mtu, |route| route.mtu)
}

/// The note about a packet that is sent on.
fn note_forward(method: Method, conn: &Conn, cx: &mut Cx) {
    cx.note(Why::IpvsForward { method, server: conn.server.address, port: conn.server.port });
}
