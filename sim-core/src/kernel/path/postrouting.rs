//! Before a packet leaves: mangle's rules, and the source of flows that nat translates.

use super::filter::{self, iface_name};
use super::step::Step;
use crate::kernel::Kernel;
use crate::tables::interfaces::LOOPBACK;
use crate::tables::verdict::Xmit;
use crate::trace::Stage;
use crate::trace::record::Scope;
use crate::trace::why::Hook;
use crate::world::node::Cx;
use std::net::Ipv4Addr;

/// A packet whose way is known.
pub(super) fn pass(kernel: &mut Kernel, xmit: Xmit, translate: bool, cx: &mut Cx) -> Step<Xmit> {
    cx.stage = Stage::Postrouting;
    let Xmit { packet, route } = xmit;
    let mut packet = match filter::ask(kernel, Hook::Postrouting, packet, Some(route.iface), cx) {
        Step::On(packet) => packet,
        ended => return ended.without(),
    };
    let tables = &mut kernel.tables;
    if !translate || route.iface == LOOPBACK || tables.nat.is_idle(&tables.filter.ip) {
        return Step::On(Xmit { packet, route });
    }
    let masquerade = tables.interfaces.select_source(route.iface, Some(route.next_hop), Scope::Global);
    let masquerade = masquerade.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let ifaces = (iface_name(&tables.interfaces, packet.iif), iface_name(&tables.interfaces, Some(route.iface)));
    let done = tables.nat.postrouting(&mut packet, &mut tables.filter.ip, ifaces, masquerade, cx);
    tables.filter.tell(cx);
    match done {
        Ok(()) => Step::On(Xmit { packet, route }),
        Err(why) => Step::Drop(packet, why),
    }
}
