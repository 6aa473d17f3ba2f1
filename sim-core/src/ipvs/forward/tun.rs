//! IP tunnelling (`-i`): the packet travels inside another one, from the director to the real server, which unwraps it.
//! In front of it stands an IPv4 header alone (`--tun-type ipip`), one and GRE (`gre`), or one with UDP and GUE (`gue`).
//!
//! The outer TTL is the inner one after the director took one off, so a client's low TTL can end inside the tunnel.
//!
//! # Not modelled
//! GUE's remote checksum (`--tun-remcsum`) adds an option only to packets whose checksum the sender has left to its
//! network card. There are none here, so it is the same as `--tun-csum`.

use super::{Departure, ForwardingMethod, Way, depart, note_forward};
use crate::ipvs::conn::Conn;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::Why;
use crate::trace::record::{GueChecksum, Method, Tunnel};
use crate::trace::why::TunnelKind;
use crate::wire::flow::Flow;
use crate::wire::gue::Gue;
use crate::wire::ipip::{self, OUTER_HEADER, Outer};
use crate::wire::packet::Packet;
use crate::wire::{gre, gue};
use crate::world::node::Cx;
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};

/// Tunnelling.
#[derive(Debug)]
pub(super) struct Tun;

impl ForwardingMethod for Tun {
    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let overhead = overhead(way.tunnel);
        let (mut packet, route) = match depart(packet, conn.server.address, overhead as u32, way) {
            Err(verdict) => return verdict,
            Ok(Departure::Here(packet)) => {
                note_forward(Method::Local, conn, cx);
                return Verdict::Accept(packet);
            }
            Ok(Departure::Away(packet, route)) => (packet, route),
        };
        let length = packet.bytes().len() + overhead;
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
        let by = wrap(&mut packet, outer, way.tunnel, cx);
        let id = cx.pen.new_packet(packet.buffer().packet);
        packet.buffer_mut().packet = id;
        cx.packet = id;
        cx.note(Why::IpvsWrapped { by, from: outer.source, to: outer.destination });
        Verdict::Stolen(Xmit { packet, route })
    }
}

/// Octets that a tunnel puts in front.
pub(in crate::ipvs) const fn overhead(tunnel: Tunnel) -> usize {
    match tunnel {
        Tunnel::Ipip => OUTER_HEADER,
        Tunnel::Gre { checksum } => gre::overhead(checksum),
        Tunnel::Gue { .. } => gue::OVERHEAD,
    }
}

fn wrap(packet: &mut Packet, outer: Outer, tunnel: Tunnel, cx: &Cx) -> TunnelKind {
    match tunnel {
        Tunnel::Ipip => {
            ipip::wrap(packet, outer);
            TunnelKind::Ipip
        }
        Tunnel::Gre { checksum } => {
            gre::wrap(packet, outer, checksum);
            TunnelKind::Gre
        }
        Tunnel::Gue { port, checksum } => {
            let sport = source_port(packet, cx);
            gue::wrap(packet, outer, Gue { sport, dport: port, checksum: checksum != GueChecksum::None });
            TunnelKind::Gue
        }
    }
}

/// A port of the ephemeral range from the flow inside, the same for all its packets (Linux `udp_flow_src_port`).
fn source_port(packet: &Packet, cx: &Cx) -> u16 {
    const FIRST: u64 = 32_768;
    const LAST: u64 = 60_999;
    let mut hasher = SipHasher13::new_with_keys(u64::from(cx.node.0), 0x6775_6500);
    match Flow::of(packet) {
        Some(flow) => flow.hash(&mut hasher),
        None => (packet.ip().src_addr(), packet.ip().dst_addr()).hash(&mut hasher),
    }
    (FIRST + (((hasher.finish() >> 32) * (LAST - FIRST)) >> 32)) as u16
}
