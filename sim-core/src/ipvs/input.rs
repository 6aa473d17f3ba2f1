//! A client's packet: find its connection, or make one; then move the state and send it on.
//!
//! ```text
//!   known? ─┬─ yes ─► still good? ─┬─ server gone ─► dropped
//!           │                      └─ over, or its server has no use ─► ended, as if not known
//!           └─ no ──► admit (service, server, entry)
//!   carry: count ─► state ─► forwarding method ─► timer
//! ```

use super::Ipvs;
use super::admit::Turned;
use super::conn::{Conn, ConnId, Kind};
use super::forward::{Way, registry};
use super::state::{Direction, Flags};
use crate::tables::Tables;
use crate::tables::sysctl::Vs;
use crate::tables::verdict::{IcmpError, Verdict};
use crate::trace::Why;
use crate::trace::record::{ConnState, Method, ServiceKey, Tunnel};
use crate::trace::why::Hook;
use crate::wire::flow::{Flow, Transport};
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// What a known entry is worth to a packet.
enum Standing {
    /// The packet belongs to it.
    Good,
    /// It ends, and the packet is looked at as if there were none.
    Over(Why),
    /// Its server was deleted: the packet is dropped.
    Gone,
}

impl Ipvs {
    pub(super) fn request(&mut self, flow: Flow, packet: Packet, hook: Hook, tables: &Tables, cx: &mut Cx) -> Verdict {
        let flags = Flags::of(&packet, flow.transport);
        if flow.transport == Transport::Tcp && flags.is_none() {
            return Verdict::Accept(packet);
        }
        let settings = tables.sysctl.vs();
        let known = match self.conns.request(&flow) {
            None => None,
            Some(id) => match self.standing(id, flags, settings) {
                Standing::Good => Some(id),
                Standing::Gone => return Verdict::Drop(packet, Why::IpvsServerGone),
                Standing::Over(why) => {
                    cx.note(why);
                    self.end(id, cx);
                    None
                }
            },
        };
        let id = match known {
            Some(id) => {
                cx.note(Why::IpvsFound { state: self.conns.get(id).state });
                id
            }
            None => match self.admit(&flow, flags, &packet, hook, settings, cx) {
                Ok(id) => id,
                Err(Turned::NotMine) => return Verdict::Accept(packet),
                Err(Turned::Dropped(why)) => return Verdict::Drop(packet, why),
                Err(Turned::Refused(why)) => match self.bypass(&flow, &packet, why, tables, cx) {
                    Some(Ok(id)) => id,
                    Some(Err(why)) => return Verdict::Drop(packet, why),
                    None => return refuse(packet, why, tables),
                },
            },
        };
        self.carry(id, packet, flags, tables, cx)
    }

    /// With `cache_bypass`, a packet of a firewall mark that no server takes goes straight to where it was addressed:
    /// the entry for that. None if it cannot.
    fn bypass(
        &mut self,
        flow: &Flow,
        packet: &Packet,
        why: Why,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Option<Result<ConnId, Why>> {
        let to = flow.destination.address;
        let is_elsewhere = !to.is_multicast() && !to.is_broadcast() && tables.routes.local_kind(to).is_none();
        if !tables.sysctl.vs().cache_bypass || !is_elsewhere {
            return None;
        }
        let service = self.services.find(flow, packet.mark)?;
        let ServiceKey::Mark(mark) = self.services.service(service).key else { return None };
        cx.note(why);
        let kind = self.kind_of_flow(service, flow);
        let conn = Conn::unbound(kind, Some(flow.transport), flow.source, flow.destination, Method::Bypass);
        Some(self.begin(Conn { mark, ..conn }, cx))
    }

    /// A new connection in an old entry's place, or a packet for a deleted server.
    fn standing(&self, id: ConnId, flags: Option<Flags>, settings: &Vs) -> Standing {
        let conn = self.conns.get(id);
        let server = conn.dest.map(|dest| self.services.server(dest));
        if flags.is_some_and(|flags| flags.syn) {
            if settings.expire_nodest_conn && server.is_some_and(|server| server.weight == 0) {
                return Standing::Over(Why::IpvsNoDest);
            }
            let is_over = match conn.state {
                ConnState::TimeWait | ConnState::Close => settings.conn_reuse_mode != 0,
                ConnState::FinWait => settings.conn_reuse_mode & 2 != 0 && conn.one_way,
                _ => false,
            };
            if is_over && conn.control.is_none() {
                return Standing::Over(Why::IpvsReused { state: conn.state });
            }
        }
        match server {
            Some(server) if !server.available => {
                if settings.expire_nodest_conn {
                    Standing::Over(Why::IpvsNoDest)
                } else {
                    Standing::Gone
                }
            }
            Some(_) | None => Standing::Good,
        }
    }

    /// What a tunnel to the server of a connection puts in front, as it was typed last.
    pub(super) fn tunnel_of(&self, id: ConnId) -> Tunnel {
        self.conns.get(id).dest.map_or(Tunnel::Ipip, |dest| self.services.server(dest).tunnel)
    }

    /// Everything that a packet of a known connection does.
    fn carry(&mut self, id: ConnId, mut packet: Packet, flags: Option<Flags>, tables: &Tables, cx: &mut Cx) -> Verdict {
        let length = packet.bytes().len() as u64;
        self.count(id, cx.now, |counts| {
            counts.in_packets += 1;
            counts.in_bytes += length;
        });
        let direction = if self.conns.get(id).one_way { Direction::InputOnly } else { Direction::Input };
        self.step(id, direction, flags, cx);
        if let Some(port) = self.conns.get(id).any_client_port.then(|| Flow::of(&packet)).flatten() {
            let conn = self.conns.get_mut(id);
            conn.client.port = port.source.port;
            let keys = registry::of(conn.method).keys(conn);
            self.conns.set_client_port(id, keys);
        }
        if let Err(why) = self.help_request(id, &mut packet, cx) {
            return Verdict::Drop(packet, why);
        }
        let tunnel = self.tunnel_of(id);
        let conn = self.conns.get_mut(id);
        let mut way = Way { tables, pools: &mut self.pools, tunnel };
        let verdict = registry::of(conn.method).request(packet, conn, &mut way, cx);
        let conn = self.conns.get_mut(id);
        conn.in_packets = conn.in_packets.wrapping_add(1);
        let (kind, packets) = (conn.kind, conn.in_packets);
        let settings = tables.sysctl.vs();
        match kind {
            Kind::OnePacket => self.offer(id, settings.sync_threshold.0, settings, cx),
            Kind::Flow | Kind::Template => self.offer(id, packets, settings, cx),
        }
        match kind {
            Kind::OnePacket => self.end(id, cx),
            Kind::Flow | Kind::Template => self.restart(id, cx),
        }
        verdict
    }
}

/// ICMP port unreachable from the VIP; nothing, if the VIP is not an address of this host (a firewall mark's).
fn refuse(packet: Packet, why: Why, tables: &Tables) -> Verdict {
    let vip = packet.ip().dst_addr();
    if tables.interfaces.local(vip).is_none() {
        return Verdict::Drop(packet, why);
    }
    Verdict::Reject(packet, IcmpError { kind: 3, code: 3, mtu: 0, source: Some(vip) }, why)
}
