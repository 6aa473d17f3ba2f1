//! IP tunnelling (`-i`): the packet travels inside another one, from the director to the real server, which unwraps it.
//!
//! The outer TTL is the inner one after the director took one off, so a client's low TTL can end inside the tunnel.
//!
//! # Not modelled
//! GRE and GUE.

use super::{Departure, ForwardingMethod, Way, depart, note_forward};
use crate::ipvs::conn::Conn;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::Why;
use crate::trace::record::Method;
use crate::wire::ipip::{self, OUTER_HEADER, Outer};
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// IP in IP.
#[derive(Debug)]
pub(super) struct Tun;

impl ForwardingMethod for Tun {
    fn request(&self, packet: Packet, conn: &Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let (mut packet, route) = match depart(packet, conn.server.address, OUTER_HEADER as u32, way) {
            Err(verdict) => return verdict,
            Ok(Departure::Here(packet)) => {
                note_forward(Method::Local, conn, cx);
                return Verdict::Accept(packet);
            }
            Ok(Departure::Away(packet, route)) => (packet, route),
        };
        let length = packet.bytes().len() + OUTER_HEADER;
        if length > usize::from(u16::MAX) {
            let why = Why::TooLong { length: length as u32, mtu: u32::from(u16::MAX) };
            return Verdict::Drop(packet, why);
        }
        note_forward(Method::Tun, conn, cx);
        let inner = packet.ip();
        let dont_fragment = way.tables.sysctl.vs().pmtu_disc && inner.dont_frag();
        let outer = Outer {
            source: route.source,
            destination: conn.server.address,
            ttl: inner.hop_limit(),
            tos: ipip::outer_tos(inner.dscp() << 2 | inner.ecn()),
            dont_fragment,
            id: if dont_fragment { 0 } else { way.pools.take_id() },
        };
        ipip::wrap(&mut packet, outer);
        let id = cx.pen.new_packet(packet.buffer().packet);
        packet.buffer_mut().packet = id;
        cx.packet = id;
        cx.note(Why::IpvsWrapped { from: outer.source, to: outer.destination });
        Verdict::Stolen(Xmit { packet, route })
    }
}
