//! The packet path, in order. To be filled in.

use super::{ArpMessage, Kernel};
use crate::base::id::{IfaceId, PortId};
use crate::base::time::Instant;
use crate::wire::frame::Frame;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};

/// What the path keeps between packets.
#[derive(Debug, Default)]
pub struct State {}

/// A frame came in by a port.
pub fn receive(_kernel: &mut Kernel, _port: PortId, _frame: Frame, _out: &mut Outbox, _cx: &mut Cx) {}

/// A packet of this host's own: OUTPUT, POSTROUTING, neighbour, egress. Source and destination stand in it; it is
/// routed here.
pub fn send(_kernel: &mut Kernel, _packet: Packet, _out: &mut Outbox, _cx: &mut Cx) {}

/// Sends what waits inside.
pub fn drain(_kernel: &mut Kernel, _out: &mut Outbox, _cx: &mut Cx) {}

/// Does what is due.
pub fn wake(_kernel: &mut Kernel, _out: &mut Outbox, _cx: &mut Cx) {}

/// When something is due next.
pub fn next_wake(_kernel: &Kernel) -> Option<Instant> {
    None
}

/// Sends an ARP message.
pub fn send_arp(_kernel: &mut Kernel, _iface: IfaceId, _message: ArpMessage, _out: &mut Outbox, _cx: &mut Cx) -> bool {
    false
}

/// Announces the addresses of an interface that came up, if `arp_notify` says so.
pub fn announce(_kernel: &mut Kernel, _iface: IfaceId, _out: &mut Outbox, _cx: &mut Cx) {}
