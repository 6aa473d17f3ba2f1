//! The ARP protocol (RFC 826).
use crate::base::id::IfaceId;
use crate::kernel::{ArpMessage, Kernel};
use crate::wire::frame::Frame;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use std::net::Ipv4Addr;

/// A message came in.
pub(super) fn receive(_: &mut Kernel, _: Frame, _: IfaceId, _: &mut Outbox, _: &mut Cx) {}
/// Sends a packet to a neighbour.
pub(super) fn send(_: &mut Kernel, _: Packet, _: IfaceId, _: Ipv4Addr, _: &mut Outbox, _: &mut Cx) {}
/// Timers.
pub(super) fn wake(_: &mut Kernel, _: &mut Outbox, _: &mut Cx) {}
/// Sends a message.
pub(super) fn send_message(_: &mut Kernel, _: IfaceId, _: ArpMessage, _: &mut Outbox, _: &mut Cx) -> bool {
    false
}
/// Announces.
pub(super) fn announce(_: &mut Kernel, _: IfaceId, _: &mut Outbox, _: &mut Cx) {}
