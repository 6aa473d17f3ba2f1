//! How a message leaves: `arptables` OUTPUT if the kernel made it, then the link.

use super::super::egress;
use crate::base::id::IfaceId;
use crate::kernel::{ArpMessage, Kernel};
use crate::tables::filter::arp::ArpHook;
use crate::tables::filter::{ArpVerdict, ArpView};
use crate::trace::{Stage, Why};
use crate::wire::Mac;
pub(super) use crate::wire::arp::{Arp as Message, LENGTH, REPLY, REQUEST};
use crate::wire::frame::ETHERTYPE_ARP;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};

/// Sends a message of a program's packet socket, which no filter sees: Linux asks `arptables` in `arp_xmit` only. False if the interface is down or does not speak ARP.
pub(in crate::kernel::path) fn send(
    kernel: &mut Kernel,
    iface: IfaceId,
    message: ArpMessage,
    out: &mut Outbox,
    cx: &mut Cx,
) -> bool {
    let can =
        kernel.tables.interfaces.get(iface).is_some_and(|interface| interface.running() && interface.port().is_some());
    if can {
        let ArpMessage { to, operation, sender_mac, sender, target_mac, target } = message;
        let circumstances = cx.context();
        (cx.stage, cx.packet) = (Stage::Arp, cx.pen.new_packet(cx.packet));
        leave(kernel, iface, to, Message { operation, sender_mac, sender, target_mac, target }, out, cx);
        cx.resume(circumstances);
    }
    can
}

/// Sends a message of the kernel's to a MAC of the link, as `arptables` leaves it.
pub(super) fn emit(kernel: &mut Kernel, iface: IfaceId, to: Mac, message: Message, out: &mut Outbox, cx: &mut Cx) {
    let circumstances = cx.context();
    cx.stage = Stage::Arp;
    cx.packet = cx.pen.new_packet(cx.packet);
    if let Some(message) = filtered(kernel, ArpHook::Output, iface, message, cx) {
        leave(kernel, iface, to, message, out, cx);
    }
    cx.resume(circumstances);
}

/// Sends the packet in hand, with this message in it.
fn leave(kernel: &mut Kernel, iface: IfaceId, to: Mac, message: Message, out: &mut Outbox, cx: &mut Cx) {
    let mut buffer = cx.pool.zeroed(LENGTH, cx.packet);
    message.write(buffer.bytes_mut());
    egress::ethernet(kernel, Packet::new(buffer), iface, to, ETHERTYPE_ARP, out, cx);
}

/// What `arptables` leaves of a message; none if it was dropped.
pub(super) fn filtered(
    kernel: &mut Kernel,
    hook: ArpHook,
    iface: IfaceId,
    message: Message,
    cx: &mut Cx,
) -> Option<Message> {
    let tables = &mut kernel.tables;
    let name = tables.interfaces.get(iface).map_or("", |interface| &*interface.name);
    let Message { operation, sender_mac, sender, target, .. } = message;
    let view = ArpView { iface: name, opcode: operation, sender_mac, sender, target };
    let verdict = tables.filter.arp.evaluate(hook, &view);
    tables.filter.tell(cx);
    match verdict {
        ArpVerdict::Accept => Some(message),
        ArpVerdict::Drop { rule } => {
            let inbound = hook == ArpHook::Input;
            cx.drop(Why::ArpFiltered { address: if inbound { target } else { sender }, rule, inbound });
            None
        }
        ArpVerdict::Mangle { sender: new_sender, target: new_target, rule } => {
            let changed =
                Message { sender: new_sender.unwrap_or(sender), target: new_target.unwrap_or(target), ..message };
            let (from, to) = if new_sender.is_some() { (sender, changed.sender) } else { (target, changed.target) };
            cx.note(Why::ArpMangled { from, to, rule });
            Some(changed)
        }
    }
}
