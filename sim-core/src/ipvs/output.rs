//! A real server's packet that passes the director: its source becomes what the client expects.

use super::Ipvs;
use super::conn::ConnId;
use super::forward::{Way, registry};
use super::state::{Direction, Flags};
use crate::tables::Tables;
use crate::tables::verdict::{IcmpError, Verdict};
use crate::trace::Why;
use crate::wire::flow::{Flow, Transport};
use crate::wire::packet::Packet;
use crate::world::node::Cx;

const UDP_HEADER: usize = 8;

impl Ipvs {
    /// A packet of a known connection's server. Servers that were deleted are still answered for.
    pub(super) fn reply(&mut self, id: ConnId, mut packet: Packet, tables: &Tables, cx: &mut Cx) -> Verdict {
        let tunnel = self.tunnel_of(id);
        let conn = self.conns.get_mut(id);
        let (method, virtual_) = (registry::of(conn.method), conn.virtual_);
        let flags = conn.transport.and_then(|transport| Flags::of(&packet, transport));
        let is_short = match conn.transport {
            Some(Transport::Tcp) => flags.is_none(),
            Some(Transport::Udp) | None => packet.payload().len() < UDP_HEADER,
        };
        if is_short {
            return Verdict::Accept(packet);
        }
        cx.note(Why::IpvsFound { state: conn.state });
        if let Err(why) = self.help_reply(id, &mut packet, cx) {
            return Verdict::Drop(packet, why);
        }
        let length = packet.bytes().len() as u64;
        cx.note(Why::IpvsReply { address: virtual_.address, port: virtual_.port });
        let mut way = Way { tables, pools: &mut self.pools, tunnel };
        let verdict = method.reply(packet, self.conns.get_mut(id), &mut way, cx);
        self.count(id, cx.now, |counts| {
            counts.out_packets += 1;
            counts.out_bytes += length;
        });
        self.step(id, Direction::Output, flags, cx);
        self.restart(id, cx);
        verdict
    }

    /// A forwarded packet of no connection: with `nat_icmp_send`, a known server is told that nobody waits for it.
    pub(super) fn unknown_reply(&mut self, flow: Flow, packet: Packet, tables: &Tables, cx: &mut Cx) -> Verdict {
        if !tables.sysctl.vs().nat_icmp_send || !self.services.is_server(flow.transport, flow.source) {
            return Verdict::Accept(packet);
        }
        let is_reset = Flags::of(&packet, flow.transport).is_some_and(|flags| flags.rst);
        if is_reset {
            return Verdict::Accept(packet);
        }
        cx.note(Why::IpvsNotMine { port: flow.destination.port });
        let error = IcmpError { kind: 3, code: 3, mtu: 0, source: None };
        Verdict::Reject(packet, error, Why::StraySegment { port: flow.source.port })
    }
}
