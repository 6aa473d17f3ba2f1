//! Before routing: fragments are put together if nat tracks flows, mangle's rules, the answers to translated flows.

use super::Step;
use super::postrouting::iface_name;
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::filter::IpVerdict;
use crate::tables::filter::ip::RejectWith;
use crate::tables::verdict::IcmpError;
use crate::trace::why::Hook;
use crate::trace::{Stage, Why};
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
    packet = match filter(kernel, Hook::Prerouting, packet, None, cx) {
        Step::On(packet) => packet,
        ended => return ended,
    };
    match kernel.tables.nat.prerouting(&mut packet, &kernel.tables.filter.ip, cx) {
        Ok(()) => Step::On(packet),
        Err(why) => Step::Drop(packet, why),
    }
}

/// What `iptables` says at a hook. `oif` is the interface the packet will leave by, where that is known.
pub(super) fn filter(
    kernel: &mut Kernel,
    hook: Hook,
    mut packet: Packet,
    oif: Option<IfaceId>,
    cx: &mut Cx,
) -> Step<Packet> {
    let tables = &mut kernel.tables;
    if tables.filter.ip.is_idle(hook) {
        return Step::On(packet);
    }
    let ifaces = (iface_name(&tables.interfaces, packet.iif), iface_name(&tables.interfaces, oif));
    match tables.filter.ip.evaluate(hook, &mut packet, ifaces, cx) {
        IpVerdict::Accept => Step::On(packet),
        IpVerdict::Drop(why) => Step::Drop(packet, why),
        IpVerdict::Reject(RejectWith::Unreachable(code), why) => {
            Step::Reject(packet, IcmpError { kind: 3, code, mtu: 0, source: None }, why)
        }
        IpVerdict::Reject(RejectWith::TcpReset, why) => reset(packet, why, kernel, cx),
    }
}

/// `--reject-with tcp-reset`: the answer is queued like one of a socket's.
fn reset(packet: Packet, why: Why, kernel: &mut Kernel, cx: &mut Cx) -> Step<Packet> {
    kernel.sockets.refuse(&packet, cx);
    Step::Drop(packet, why)
}
