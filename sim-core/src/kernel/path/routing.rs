//! The routing decision. Follows Linux `ip_route_input_slow`, `fib_validate_source` and `ip_route_output_key`.

use super::{Step, Way};
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::interfaces::LOOPBACK;
use crate::tables::routes::{Found, Question, Route};
use crate::tables::verdict::IcmpError;
use crate::trace::record::RouteKind;
use crate::trace::{Stage, Why};
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use std::net::Ipv4Addr;

/// Where a packet that came in goes.
pub(super) fn inbound(kernel: &mut Kernel, packet: Packet, cx: &mut Cx) -> Step<(Packet, Way)> {
    cx.stage = Stage::Routing;
    let tables = &kernel.tables;
    let iif = packet.iif.unwrap_or(LOOPBACK);
    let (source, destination) = (packet.ip().src_addr(), packet.ip().dst_addr());
    let everybody = destination.is_broadcast() || destination.is_multicast();
    if let Err(why) = addresses(kernel, source, destination, iif) {
        return Step::Drop(packet, why);
    }
    if everybody {
        cx.note(Why::RouteLocal { address: destination, on: iif });
        return Step::On((packet, Way::Local));
    }
    let question = Question { destination, source: Some(source), mark: packet.mark, iif, oif: None };
    let found = tables.routes.find(question, &tables.interfaces);
    let is_local = matches!(found, Found::Route(Route { kind: RouteKind::Local | RouteKind::Broadcast, .. }));
    if let Err(why) = reverse_path(kernel, &packet, source, iif) {
        return Step::Drop(packet, why);
    }
    if !is_local && !tables.sysctl.forwards(iif) {
        // Linux looks for a route all the same, but tells nobody that there is none.
        return Step::Drop(packet, Why::ForwardingOff);
    }
    let unreachable = |code| IcmpError { kind: 3, code, mtu: 0, source: None };
    match found {
        Found::Route(route) if is_local => {
            cx.note(Why::RouteLocal { address: destination, on: route.iface });
            Step::On((packet, Way::Local))
        }
        Found::Route(_) if packet.broadcast => Step::Drop(packet, Why::OtherHost),
        Found::Route(route) => {
            note_route(&route, destination, cx);
            Step::On((packet, Way::Elsewhere(route)))
        }
        Found::Refused(RouteKind::Blackhole) => Step::Drop(packet, Why::RouteRefused { address: destination }),
        Found::Refused(_) if !kernel.path.icmp_limits.allow_route_error(source, cx.now) => {
            Step::Drop(packet, Why::RouteRefused { address: destination })
        }
        Found::Nothing if !kernel.path.icmp_limits.allow_route_error(source, cx.now) => {
            Step::Drop(packet, Why::RouteNone { address: destination })
        }
        Found::Refused(RouteKind::Prohibit) => {
            Step::Reject(packet, unreachable(13), Why::RouteRefused { address: destination })
        }
        Found::Refused(_) => Step::Reject(packet, unreachable(1), Why::RouteRefused { address: destination }),
        Found::Nothing => Step::Reject(packet, unreachable(0), Why::RouteNone { address: destination }),
    }
}

/// Where a packet of this host's own goes.
pub(super) fn outbound(kernel: &mut Kernel, packet: Packet, cx: &mut Cx) -> Step<(Packet, Route)> {
    cx.stage = Stage::Routing;
    match way_out(kernel, &packet) {
        Ok(route) => {
            note_route(&route, packet.ip().dst_addr(), cx);
            Step::On((packet, route))
        }
        Err(why) => Step::Drop(packet, why),
    }
}

/// The route of a packet of this host's own, by its addresses and mark.
pub(super) fn way_out(kernel: &Kernel, packet: &Packet) -> Result<Route, Why> {
    let ip = packet.ip();
    kernel.tables.routes.lookup(ip.dst_addr(), Some(ip.src_addr()), packet.mark, &kernel.tables.interfaces)
}

/// The same for a packet that is forwarded and was given another source on its way.
pub(super) fn way_on(kernel: &Kernel, packet: &Packet) -> Option<Route> {
    match way_out(kernel, packet) {
        Ok(route) if route.kind == RouteKind::Unicast => Some(route),
        Ok(_) | Err(_) => None,
    }
}

pub(super) fn note_route(route: &Route, address: Ipv4Addr, cx: &mut Cx) {
    cx.note(match route.gateway {
        _ if matches!(route.kind, RouteKind::Local) => Why::RouteLocal { address, on: route.iface },
        Some(gateway) => Why::RouteVia { address, gateway, by: route.iface },
        None => Why::RouteLink { address, by: route.iface },
    });
}

/// Addresses that cannot be right on a link (RFC 1122, section 3.2.1.3).
fn addresses(kernel: &Kernel, source: Ipv4Addr, destination: Ipv4Addr, iif: IfaceId) -> Result<(), Why> {
    if iif == LOOPBACK {
        return Ok(());
    }
    let conf = kernel.tables.sysctl.conf(iif);
    let foreign = source.is_multicast() || source.is_broadcast();
    let nobody = source.octets()[0] == 0 && !destination.is_broadcast() && !destination.is_multicast();
    let looped = (source.is_loopback() || destination.is_loopback()) && !conf.route_localnet;
    let ours = !conf.accept_local && kernel.tables.routes.local_kind(source).is_some();
    if foreign || nobody || looped || ours || destination.octets()[0] == 0 {
        return Err(Why::Martian { source });
    }
    Ok(())
}

/// `rp_filter`: 1 asks that the way back leads through the same interface, 2 that there is one.
fn reverse_path(kernel: &Kernel, packet: &Packet, source: Ipv4Addr, iif: IfaceId) -> Result<(), Why> {
    let conf = kernel.tables.sysctl.conf(iif);
    if iif == LOOPBACK || conf.rp_filter == 0 {
        return Ok(());
    }
    let mark = if conf.src_valid_mark { packet.mark } else { 0 };
    let back = Question { destination: source, source: Some(packet.ip().dst_addr()), mark, iif: LOOPBACK, oif: None };
    match kernel.tables.routes.find(back, &kernel.tables.interfaces) {
        Found::Route(route) if conf.rp_filter == 2 || route.iface == iif => Ok(()),
        _ => Err(Why::ReversePath { source }),
    }
}
