//! The routing decision. Follows Linux `ip_route_input_slow`, `fib_validate_source` and `ip_route_output_key`.

use super::step::{Step, Way};
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::Tables;
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
    let question = Question { destination, source: Some(source), mark: packet.mark, iif, oif: None };
    if everybody {
        if source.octets()[0] != 0
            && let Err(why) = believe_source(kernel, &question, false)
        {
            return Step::Drop(packet, why);
        }
        if destination.is_multicast() && iif != LOOPBACK && !tables.memberships.holds(iif, destination) {
            return Step::Drop(packet, Why::MulticastNotJoined { group: destination });
        }
        cx.note(Why::RouteLocal { address: destination, on: iif });
        return Step::On((packet, Way::Local));
    }
    let found = tables.routes.find(question, &tables.interfaces);
    let is_local = matches!(found, Found::Route(Route { kind: RouteKind::Local | RouteKind::Broadcast, .. }));
    let back_out = matches!(found, Found::Route(route) if route.iface == iif && !is_local);
    if let Err(why) = believe_source(kernel, &question, back_out) {
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
    let (destination, source) = (ip.dst_addr(), ip.src_addr());
    let Tables { routes, interfaces, .. } = &kernel.tables;
    match packet.oif {
        None => routes.lookup(destination, Some(source), packet.mark, interfaces),
        Some(oif) => routes.lookup_by(oif, destination, Some(source), packet.mark, interfaces),
    }
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
    if foreign || nobody || looped || destination.octets()[0] == 0 {
        return Err(Why::Martian { source });
    }
    Ok(())
}

/// Whether a packet with this source may come by an interface. Without `rp_filter` only this host's own addresses are
/// refused; with it, 1 asks that the way back leads through the same interface, 2 that there is one. `back_out` says
/// that the packet would leave by the interface it came by, where redirects need the full check.
pub(super) fn believe_source(kernel: &Kernel, question: &Question, back_out: bool) -> Result<(), Why> {
    let Question { destination, source: Some(source), iif, mark, .. } = *question else { return Ok(()) };
    if iif == LOOPBACK {
        return Ok(());
    }
    let (routes, interfaces) = (&kernel.tables.routes, &kernel.tables.interfaces);
    let conf = kernel.tables.sysctl.conf(iif);
    if conf.rp_filter == 0 && !(back_out && conf.send_redirects) && !routes.is_customised() {
        let refused = !conf.accept_local && interfaces.local(source).is_some();
        return if refused { Err(Why::Martian { source }) } else { Ok(()) };
    }
    let mark = if conf.src_valid_mark { mark } else { 0 };
    let back = Question { destination: source, source: Some(destination), mark, iif: LOOPBACK, oif: None };
    match routes.find(back, interfaces) {
        Found::Route(Route { kind: RouteKind::Broadcast, .. }) => Err(Why::Martian { source }),
        Found::Route(Route { kind: RouteKind::Local, .. }) if !conf.accept_local => Err(Why::Martian { source }),
        Found::Route(route) if conf.rp_filter != 1 || route.iface == iif => Ok(()),
        Found::Refused(_) | Found::Nothing if conf.rp_filter == 0 => Ok(()),
        Found::Route(_) | Found::Refused(_) | Found::Nothing => Err(Why::ReversePath { source }),
    }
}
