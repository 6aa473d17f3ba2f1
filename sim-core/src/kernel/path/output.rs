//! From this host: the filter and IPVS have their say, and the way is found anew if they changed what it depends on.
//! Follows Linux `__ip_local_out`.

use super::step::Step;
use super::{filter, routing};
use crate::kernel::Kernel;
use crate::tables::verdict::Xmit;
use crate::trace::Stage;
use crate::trace::why::Hook;
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use std::net::Ipv4Addr;

/// A packet of this host's own.
pub(super) fn pass(kernel: &mut Kernel, xmit: Xmit, cx: &mut Cx) -> Step<Xmit> {
    cx.stage = Stage::Output;
    let Xmit { packet, route } = xmit;
    let idle = kernel.tables.filter.ip.is_idle(Hook::Output);
    if idle && kernel.ipvs.is_empty() && kernel.tables.nat.is_idle(&kernel.tables.filter.ip) {
        return Step::On(Xmit { packet, route });
    }
    let before = key(&packet);
    let packet = match from_ipvs(kernel, packet, cx) {
        Step::On(packet) => packet,
        ended => return ended.without(),
    };
    cx.stage = Stage::Output;
    let mut packet = match filter::ask(kernel, Hook::Output, packet, Some(route.iface), cx) {
        Step::On(packet) => packet,
        ended => return ended.without(),
    };
    if let Err(why) = kernel.tables.nat.prerouting(&mut packet, &kernel.tables.filter.ip, cx) {
        return Step::Drop(packet, why);
    }
    if key(&packet) == before {
        return Step::On(Xmit { packet, route });
    }
    match routing::way_out(kernel, &packet) {
        Ok(route) => Step::On(Xmit { packet, route }),
        Err(why) => Step::Drop(packet, why),
    }
}

/// A packet that IPVS sends: it has had its say, and nat leaves its packets alone, but the filter is asked.
pub(super) fn pass_stolen(kernel: &mut Kernel, xmit: Xmit, cx: &mut Cx) -> Step<Xmit> {
    cx.stage = Stage::Output;
    let Xmit { packet, route } = xmit;
    let mark = packet.mark;
    let packet = match filter::ask(kernel, Hook::Output, packet, Some(route.iface), cx) {
        Step::On(packet) => packet,
        ended => return ended.without(),
    };
    let route = if packet.mark == mark { None } else { routing::way_on(kernel, &packet) }.unwrap_or(route);
    Step::On(Xmit { packet, route })
}

fn from_ipvs(kernel: &mut Kernel, packet: Packet, cx: &mut Cx) -> Step<Packet> {
    if kernel.ipvs.is_empty() {
        return Step::On(packet);
    }
    cx.stage = Stage::Ipvs;
    Step::from(kernel.ipvs.output(packet, &mut kernel.tables, cx))
}

/// What the way of a packet depends on.
fn key(packet: &Packet) -> (Ipv4Addr, Ipv4Addr, u32) {
    (packet.ip().src_addr(), packet.ip().dst_addr(), packet.mark)
}
