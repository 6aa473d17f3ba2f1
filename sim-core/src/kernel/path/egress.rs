//! A packet leaves by an interface. The only file that fills the outbox.

use super::arp;
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::interfaces::LOOPBACK;
use crate::tables::routes::Route;
use crate::trace::record::{LinkKind, RouteKind};
use crate::trace::{Stage, Why};
use crate::wire::Mac;
use crate::wire::frame::ETHERTYPE_IPV4;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use std::net::Ipv4Addr;

/// Packets that this host sends to itself within one turn.
const LOOPED_MAX: usize = 65_536;

/// Sends a packet by its route: to itself, to everybody on the link, or to the next hop.
pub(super) fn by_route(kernel: &mut Kernel, packet: Packet, route: &Route, out: &mut Outbox, cx: &mut Cx) {
    if matches!(route.kind, RouteKind::Local) {
        return loop_back(kernel, packet, cx);
    }
    let destination = packet.ip().dst_addr();
    let Some(interface) = kernel.tables.interfaces.get(route.iface) else { return end(packet, Why::InterfaceDown, cx) };
    match interface.kind {
        LinkKind::Loopback => loop_back(kernel, packet, cx),
        LinkKind::Dummy => {
            count(kernel, route.iface, packet.bytes().len());
            end(packet, Why::DummySwallowed, cx);
        }
        LinkKind::Ipip => end(packet, Why::NoTunnel, cx),
        LinkKind::Ethernet(_) if route.kind == RouteKind::Broadcast || destination.is_broadcast() => {
            ethernet(kernel, packet, route.iface, Mac::BROADCAST, ETHERTYPE_IPV4, out, cx);
        }
        LinkKind::Ethernet(_) if destination.is_multicast() => {
            ethernet(kernel, packet, route.iface, multicast_mac(destination), ETHERTYPE_IPV4, out, cx);
        }
        LinkKind::Ethernet(_) => arp::send(kernel, packet, route.iface, route.next_hop, out, cx),
    }
}

/// Puts the Ethernet header in front and the frame out.
pub(crate) fn ethernet(
    kernel: &mut Kernel,
    mut packet: Packet,
    iface: IfaceId,
    destination: Mac,
    ethertype: u16,
    out: &mut Outbox,
    cx: &mut Cx,
) {
    let interface = kernel.tables.interfaces.get(iface).filter(|interface| interface.running());
    let Some((port, mac)) = interface.and_then(|interface| Some((interface.port()?, interface.mac))) else {
        cx.stage = Stage::Wire;
        return end(packet, Why::InterfaceDown, cx);
    };
    count(kernel, iface, packet.bytes().len());
    packet.buffer_mut().cause = cx.cause;
    out.send(port, packet.into_frame(destination, mac, ethertype));
}

fn loop_back(kernel: &mut Kernel, mut packet: Packet, cx: &mut Cx) {
    if kernel.path.looped.len() >= LOOPED_MAX {
        return end(packet, Why::LinkQueueFull { queued: LOOPED_MAX as u32 }, cx);
    }
    count(kernel, LOOPBACK, packet.bytes().len());
    packet.iif = Some(LOOPBACK);
    packet.buffer_mut().cause = cx.cause;
    kernel.path.looped.push_back(packet);
}

fn count(kernel: &mut Kernel, iface: IfaceId, octets: usize) {
    if let Some(interface) = kernel.tables.interfaces.get_mut(iface) {
        interface.counters.tx_packets += 1;
        interface.counters.tx_bytes += octets as u64;
    }
}

/// RFC 1112, section 6.4: the last 23 bits of the group's address.
fn multicast_mac(group: Ipv4Addr) -> Mac {
    let [_, b, c, d] = group.octets();
    Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d])
}

fn end(packet: Packet, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
}
