//! The message itself, and how it leaves: `arptables` OUTPUT, then the link.

use super::super::egress;
use crate::base::id::IfaceId;
use crate::kernel::{ArpMessage, Kernel};
use crate::tables::filter::arp::ArpHook;
use crate::tables::filter::{ArpVerdict, ArpView};
use crate::trace::{Stage, Why};
use crate::wire::frame::{ETHERTYPE_ARP, ETHERTYPE_IPV4};
use crate::wire::packet::Packet;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::{Cx, Outbox};

/// Operation of a question.
pub(super) const REQUEST: u16 = 1;
/// Operation of an answer.
pub(super) const REPLY: u16 = 2;

const LENGTH: usize = 28;
/// Hardware types Ethernet and IEEE 802.
const HARDWARE: [u16; 2] = [1, 6];

/// The fields of a message for Ethernet and IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) operation: u16,
    pub(super) sender_mac: Mac,
    pub(super) sender: Ipv4Addr,
    pub(super) target_mac: Mac,
    pub(super) target: Ipv4Addr,
}

impl Message {
    /// Reads a message; none if it is not for Ethernet and IPv4, or too short.
    pub(super) fn parse(bytes: &[u8]) -> Option<Message> {
        let bytes = bytes.get(..LENGTH)?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        if !HARDWARE.contains(&word(0)) || word(2) != ETHERTYPE_IPV4 || bytes[4..6] != [6, 4] {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        Some(Message {
            operation: word(6),
            sender_mac: Mac::from_bytes(&bytes[8..14]),
            sender: address(14),
            target_mac: Mac::from_bytes(&bytes[18..24]),
            target: address(24),
        })
    }

    fn write(&self, bytes: &mut [u8]) {
        bytes[0..2].copy_from_slice(&HARDWARE[0].to_be_bytes());
        bytes[2..4].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
        bytes[4..6].copy_from_slice(&[6, 4]);
        bytes[6..8].copy_from_slice(&self.operation.to_be_bytes());
        bytes[8..14].copy_from_slice(self.sender_mac.as_bytes());
        bytes[14..18].copy_from_slice(&self.sender.octets());
        bytes[18..24].copy_from_slice(self.target_mac.as_bytes());
        bytes[24..28].copy_from_slice(&self.target.octets());
    }
}

/// Sends a message of a program; false if the interface is down or does not speak ARP.
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
        emit(kernel, iface, to, Message { operation, sender_mac, sender, target_mac, target }, out, cx);
    }
    can
}

/// Sends a message to a MAC of the link.
pub(super) fn emit(kernel: &mut Kernel, iface: IfaceId, to: Mac, message: Message, out: &mut Outbox, cx: &mut Cx) {
    let circumstances = cx.context();
    cx.stage = Stage::Arp;
    let mut buffer = cx.new_buffer(LENGTH);
    cx.packet = buffer.packet;
    match filtered(kernel, ArpHook::Output, iface, message, cx) {
        Some(message) => {
            message.write(buffer.bytes_mut());
            egress::ethernet(kernel, Packet::new(buffer), iface, to, ETHERTYPE_ARP, out, cx);
        }
        None => cx.recycle(buffer),
    }
    cx.resume(circumstances);
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
    match tables.filter.arp.evaluate(hook, &ArpView { iface: name, opcode: operation, sender_mac, sender, target }) {
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
