//! Before a packet leaves: mangle's rules, and the source of flows that nat translates.

use super::{Step, prerouting};
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::interfaces::{Interfaces, LOOPBACK};
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
    let mut packet = match prerouting::filter(kernel, Hook::Postrouting, packet, Some(route.iface), cx) {
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
    match tables.nat.postrouting(&mut packet, &mut tables.filter.ip, ifaces, masquerade, cx) {
        Ok(()) => Step::On(Xmit { packet, route }),
        Err(why) => Step::Drop(packet, why),
    }
}

/// The name of an interface as rules match it; empty for none.
pub(super) fn iface_name(interfaces: &Interfaces, id: Option<IfaceId>) -> &str {
    id.and_then(|id| interfaces.get(id)).map_or("", |interface| &*interface.name)
}
