//! Through this host: TTL, size, the filter, the answers that IPVS rewrites. Follows Linux `ip_forward`.

use super::step::Step;
use super::{filter, fragment, routing};
use crate::kernel::Kernel;
use crate::tables::routes::Route;
use crate::tables::verdict::{IcmpError, Xmit};
use crate::trace::why::Hook;
use crate::trace::{Stage, Why};
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;

/// A packet for somebody else: may it go on, and is it short enough?
pub(super) fn take_ttl(mut packet: Packet, route: &Route, cx: &mut Cx) -> Step<Packet> {
    cx.stage = Stage::Forward;
    let ttl = packet.ip().hop_limit();
    if ttl <= 1 {
        let why = Why::TtlExpired { from: packet.ip().src_addr() };
        return Step::Reject(packet, IcmpError { kind: 11, code: 0, mtu: 0, source: None }, why);
    }
    if let Some((error, why)) = fragment::too_long(&packet, route.mtu) {
        return Step::Reject(packet, error, why);
    }
    rewrite::decrement_ttl(&mut packet);
    cx.note(Why::Forwarded { ttl: ttl - 1 });
    Step::On(packet)
}

/// Whether the sender should have sent it to the next hop itself, as both are on the link that it came by and goes out
/// to (`ip_mkroute_input`; RFC 1812, section 5.2.7.2).
pub(super) fn deserves_redirect(kernel: &Kernel, packet: &Packet, route: &Route) -> bool {
    if packet.iif != Some(route.iface) || !kernel.tables.sysctl.conf(route.iface).send_redirects {
        return false;
    }
    let back = kernel.tables.routes.lookup(packet.ip().src_addr(), None, 0, &kernel.tables.interfaces);
    back.is_ok_and(|back| back.gateway.is_none() && back.iface == route.iface)
}

/// The hooks of FORWARD.
pub(super) fn pass(kernel: &mut Kernel, packet: Packet, route: Route, cx: &mut Cx) -> Step<Xmit> {
    cx.stage = Stage::Forward;
    let packet = match filter::ask(kernel, Hook::Forward, packet, Some(route.iface), cx) {
        Step::On(packet) => packet,
        ended => return ended.without(),
    };
    if kernel.ipvs.is_empty() {
        return Step::On(Xmit { packet, route });
    }
    let Some(packet) = kernel.path.reassembly.whole(packet, &kernel.tables.sysctl, cx) else { return Step::Done };
    cx.stage = Stage::Ipvs;
    let source = packet.ip().src_addr();
    match Step::from(kernel.ipvs.forward(packet, &mut kernel.tables, cx)) {
        Step::On(packet) => {
            let rerouted = packet.ip().src_addr() != source && kernel.tables.sysctl.vs().snat_reroute;
            let route = rerouted.then(|| routing::way_on(kernel, &packet)).flatten().unwrap_or(route);
            Step::On(Xmit { packet, route })
        }
        ended => ended.without(),
    }
}

impl Step<Packet> {
    /// The same end of a packet for a stage that hands on something else.
    ///
    /// # Panics
    /// If it goes on.
    pub(super) fn without<T>(self) -> Step<T> {
        match self {
            Step::On(_) => panic!("a packet that goes on is handed on"),
            Step::Drop(packet, why) => Step::Drop(packet, why),
            Step::Reject(packet, error, why) => Step::Reject(packet, error, why),
            Step::Stolen(xmit) => Step::Stolen(xmit),
            Step::Done => Step::Done,
        }
    }
}
