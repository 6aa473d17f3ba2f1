//! What `iptables` says at a hook.

use super::step::Step;
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::filter::IpVerdict;
use crate::tables::filter::ip::RejectWith;
use crate::tables::interfaces::Interfaces;
use crate::tables::verdict::IcmpError;
use crate::trace::Why;
use crate::trace::why::Hook;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// What `iptables` says at a hook. `oif` is the interface the packet will leave by, where that is known.
pub(super) fn ask(
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
    let verdict = tables.filter.ip.evaluate(hook, &mut packet, ifaces, cx);
    tables.filter.tell(cx);
    match verdict {
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

/// The name of an interface as rules match it; empty for none.
pub(super) fn iface_name(interfaces: &Interfaces, id: Option<IfaceId>) -> &str {
    id.and_then(|id| interfaces.get(id)).map_or("", |interface| &*interface.name)
}
