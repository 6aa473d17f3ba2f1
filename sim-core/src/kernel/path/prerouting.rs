//! Before routing: fragments are put together if nat tracks flows, mangle's rules, the answers to translated flows.

use super::filter;
use super::step::Step;
use crate::kernel::Kernel;
use crate::trace::Stage;
use crate::trace::why::Hook;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// A packet that came in.
pub(super) fn pass(kernel: &mut Kernel, mut packet: Packet, cx: &mut Cx) -> Step<Packet> {
    cx.stage = Stage::Prerouting;
    if !kernel.tables.nat.is_idle(&kernel.tables.filter.ip) {
        packet = match kernel.path.reassembly.whole(packet, &kernel.tables.sysctl, cx) {
            Some(whole) => whole,
            None => return Step::Done,
        };
    }
    packet = match filter::ask(kernel, Hook::Prerouting, packet, None, cx) {
        Step::On(packet) => packet,
        ended => return ended,
    };
    match kernel.tables.nat.prerouting(&mut packet, &kernel.tables.filter.ip, cx) {
        Ok(()) => Step::On(packet),
        Err(why) => Step::Drop(packet, why),
    }
}
