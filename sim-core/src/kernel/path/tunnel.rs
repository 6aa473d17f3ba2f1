//! The end of a tunnel: the packet inside is taken out, as if it had come in by the tunnel's device. Follows Linux
//! `ipip.c`, `ip_gre.c` and `fou.c`.
//!
//! ```text
//!   IP ─ protocol 4 ────────────────────────► a device of ipip
//!   IP ─ GRE ───────────────────────────────► a device of gre
//!   IP ─ UDP to a port of `ip fou` ─ GUE ───► a device of ipip
//! ```
//! # Not modelled
//! The ends of a device: it opens whatever comes for an address of this host.

use super::ingress;
use super::step::Step;
use crate::kernel::Kernel;
use crate::tables::verdict::IcmpError;
use crate::trace::Why;
use crate::trace::record::LinkKind;
use crate::trace::why::TunnelKind;
use crate::wire::packet::Packet;
use crate::wire::{checksum, gre, gue, ipip};
use crate::world::node::Cx;
use smoltcp::wire::IpProtocol;

const UDP: u8 = 17;

/// The tunnel whose end this host is for a packet, if it is one at all.
pub(super) fn of(kernel: &Kernel, packet: &Packet) -> Option<TunnelKind> {
    match u8::from(packet.ip().next_header()) {
        ipip::PROTOCOL => Some(TunnelKind::Ipip),
        gre::PROTOCOL if device(kernel, LinkKind::Gre, false).is_some() => Some(TunnelKind::Gre),
        UDP if !kernel.tables.fou.is_empty() => {
            let port = packet.payload().get(2..4).map(|port| u16::from_be_bytes([port[0], port[1]]))?;
            kernel.tables.fou.opens(port).then_some(TunnelKind::Gue)
        }
        _ => None,
    }
}

/// Takes the packet inside out.
pub(super) fn open(kernel: &mut Kernel, mut packet: Packet, by: TunnelKind, cx: &mut Cx) -> Step<Packet> {
    let (kind, header) = match by {
        TunnelKind::Ipip => (LinkKind::Ipip, Some(0)),
        TunnelKind::Gre => (LinkKind::Gre, gre::open(packet.payload()).ok()),
        TunnelKind::Gue if !is_sound(&packet) => return Step::Drop(packet, Why::BadTransportChecksum),
        TunnelKind::Gue => (LinkKind::Ipip, gue::open(packet.payload())),
    };
    let Some(header) = header else { return Step::Drop(packet, Why::BadTunnelHeader { by }) };
    let Some(tunnel) = device(kernel, kind, true) else {
        // GRE's driver is there, but no device of it is up; the other two have nobody for protocol 4.
        let code = if by == TunnelKind::Gre { 3 } else { 2 };
        return Step::Reject(packet, IcmpError { kind: 3, code, mtu: 0, source: None }, Why::NoTunnel { by });
    };
    let from = packet.ip().src_addr();
    let outer = usize::from(packet.ip().header_len());
    let parent = packet.buffer().packet;
    packet.buffer_mut().strip(outer + header);
    let Ok(length) = ingress::check(packet.bytes()) else { return Step::Drop(packet, Why::Malformed) };
    packet.buffer_mut().truncate(length);
    cx.note(Why::Decapsulated { by, from });
    let inner = cx.pen.new_packet(parent);
    packet.buffer_mut().packet = inner;
    cx.packet = inner;
    packet.iif = Some(tunnel);
    if let Some(interface) = kernel.tables.interfaces.get_mut(tunnel) {
        interface.counters.rx_packets += 1;
        interface.counters.rx_bytes += packet.bytes().len() as u64;
    }
    Step::On(packet)
}

/// The first device of this kind; that is up, if need be.
fn device(kernel: &Kernel, kind: LinkKind, must_be_up: bool) -> Option<crate::base::id::IfaceId> {
    let mut devices = kernel.tables.interfaces.iter().filter(|interface| interface.kind == kind);
    devices.find(|interface| interface.up || !must_be_up).map(|interface| interface.id)
}

/// Whether the checksum of a datagram is right, or there is none.
fn is_sound(packet: &Packet) -> bool {
    let (ip, datagram) = (packet.ip(), packet.payload());
    debug_assert_eq!(ip.next_header(), IpProtocol::Udp, "only datagrams are asked about");
    let has_none = datagram.get(6..8) == Some(&[0, 0]);
    let length = datagram.get(4..6).map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    let whole = datagram.get(..length).filter(|whole| whole.len() >= 8);
    whole.is_some_and(|whole| has_none || checksum::transport_sum(ip.src_addr(), ip.dst_addr(), UDP, whole) == 0xffff)
}
