//! The end of the way: to this host itself, to everybody on the link, or to the neighbour that is the next hop.

use super::{arp, egress};
use crate::kernel::Kernel;
use crate::tables::routes::Route;
use crate::trace::Why;
use crate::trace::record::{LinkKind, RouteKind};
use crate::trace::why::TunnelKind;
use crate::wire::Mac;
use crate::wire::frame::ETHERTYPE_IPV4;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use std::net::Ipv4Addr;

/// Sends a packet by its route: to itself, to everybody on the link, or to the next hop.
pub(super) fn by_route(kernel: &mut Kernel, packet: Packet, route: &Route, out: &mut Outbox, cx: &mut Cx) {
    if matches!(route.kind, RouteKind::Local) {
        return egress::loop_back(kernel, packet, cx);
    }
    let destination = packet.ip().dst_addr();
    let Some(interface) = kernel.tables.interfaces.get(route.iface) else {
        return egress::end(packet, Why::InterfaceDown, cx);
    };
    match interface.kind {
        LinkKind::Loopback => egress::loop_back(kernel, packet, cx),
        LinkKind::Dummy => {
            egress::count(kernel, route.iface, packet.bytes().len());
            egress::end(packet, Why::DummySwallowed, cx);
        }
        LinkKind::Ipip => egress::end(packet, Why::NoTunnel { by: TunnelKind::Ipip }, cx),
        LinkKind::Gre => egress::end(packet, Why::NoTunnel { by: TunnelKind::Gre }, cx),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. }
            if route.kind == RouteKind::Broadcast || destination.is_broadcast() =>
        {
            egress::ethernet(kernel, packet, route.iface, Mac::BROADCAST, ETHERTYPE_IPV4, out, cx);
        }
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } if destination.is_multicast() => {
            if packet.loops && kernel.tables.memberships.holds(route.iface, destination) {
                let copy = Packet::new(cx.pool.copy(packet.buffer()));
                egress::loop_back(kernel, copy, cx);
            }
            if packet.ip().hop_limit() == 0 {
                let from = packet.ip().src_addr();
                return egress::end(packet, Why::TtlExpired { from }, cx);
            }
            egress::ethernet(kernel, packet, route.iface, multicast_mac(destination), ETHERTYPE_IPV4, out, cx);
        }
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } => {
            arp::send(kernel, packet, route.iface, route.next_hop, out, cx)
        }
    }
}

/// RFC 1112, section 6.4: the last 23 bits of the group's address.
fn multicast_mac(group: Ipv4Addr) -> Mac {
    let [_, b, c, d] = group.octets();
    Mac([0x01, 0x00, 0x5e, b & 0x7f, c, d])
}
