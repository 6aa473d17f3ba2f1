//! The way of a packet through a host: the only file that knows the order. Every stage is entered once and left by
//! returning; none calls another.
//!
//! ```text
//!      receive ─► ingress ─► prerouting ─► routing ─┬─ local ──► input ──┬─► decapsulate ─► (again)
//!                                                   │                    ├─► sockets ─► process
//!                                                   │                    └─ ipvs: Stolen ─┐
//!                                                   └─ elsewhere ─► forward ─┐            │
//!      send ────► routing ─► output ◄────────────────────────────────────────│────────────┘
//!                              └───────────────► postrouting ◄───────────────┘
//!                                                     └─► arp ─► egress ─► outbox
//! ```

pub mod arp;
pub mod egress;
mod filter;
pub mod forward;
pub mod fragment;
mod handover;
pub mod icmp;
mod igmp;
pub mod ingress;
pub mod input;
pub mod output;
pub mod postrouting;
pub mod prerouting;
pub mod reassembly;
pub mod routing;
mod step;
mod tunnel;

use super::log::KERNEL;
use super::{ArpMessage, Kernel};
use crate::base::id::{IfaceId, PortId};
use crate::base::time::Instant;
use crate::ipvs::Outgoing;
use crate::tables::verdict::{IcmpError, Xmit};
use crate::trace::Why;
use crate::wire::frame::Frame;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use std::collections::VecDeque;
use step::{Step, Way};

/// What the path keeps between packets.
#[derive(Debug, Default)]
pub struct State {
    /// Fragments that wait for each other.
    pub(crate) reassembly: reassembly::Reassembly,
    /// How fast ICMP errors may be sent.
    pub(crate) icmp_limits: icmp::Limits,
    /// Packets that this host sent to itself.
    pub(crate) looped: VecDeque<Packet>,
    /// Answers of ARP for somebody else that are held back.
    pub(crate) held_back: arp::HeldBack,
    /// Programs that listen to ARP.
    pub(in crate::kernel) ears: arp::Ears,
    /// The identification of the next packet whose may be chosen.
    identification: u16,
}

/// Tunnels in tunnels that are unpacked before a packet counts as malformed.
const NESTING_MAX: usize = 8;
/// Packets that a host sends in one turn; the rest waits for its next one.
const DRAIN_MAX: usize = 100_000;

impl State {
    /// The identification of a packet that may be fragmented. Linux draws it from a hash; here it counts.
    pub(crate) fn next_identification(&mut self) -> u16 {
        self.identification = self.identification.wrapping_add(1);
        self.identification
    }
}

/// A frame came in by a port.
pub(crate) fn receive(kernel: &mut Kernel, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
    let (uppers, is_for_below) = ingress::macvlans(kernel, port, &frame);
    if !is_for_below {
        ingress::overhear_below(kernel, port, &frame, cx);
    }
    for (number, upper) in uppers.iter().copied().enumerate() {
        let circumstances = cx.context();
        if !is_for_below && number + 1 == uppers.len() {
            return enter(kernel, port, Some(upper), frame, out, cx);
        }
        let copy = Frame::new(cx.pool.copy(frame.buffer()));
        enter(kernel, port, Some(upper), copy, out, cx);
        cx.resume(circumstances);
    }
    enter(kernel, port, None, frame, out, cx);
}

/// A frame comes in by the interface of its port, or by one on top of it.
fn enter(kernel: &mut Kernel, port: PortId, on: Option<IfaceId>, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
    if let Some(packet) = ingress::accept(kernel, port, on, frame, out, cx) {
        arrive(kernel, packet, out, cx);
    }
}

/// An IPv4 packet came in by the interface `packet.iif`.
pub(crate) fn arrive(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) {
    let mut arrived = packet;
    for _ in 0..NESTING_MAX {
        let Some(packet) = settle(prerouting::pass(kernel, arrived, cx), kernel, out, cx) else { return };
        let Some((packet, way)) = settle(routing::inbound(kernel, packet, cx), kernel, out, cx) else { return };
        match way {
            Way::Local => {
                let Some(packet) = settle(input::pass(kernel, packet, cx), kernel, out, cx) else { return };
                match settle(input::deliver(kernel, packet, out, cx), kernel, out, cx) {
                    Some(inner) => arrived = inner,
                    None => return,
                }
            }
            Way::Elsewhere(route) => {
                let Some(packet) = settle(forward::take_ttl(packet, &route, cx), kernel, out, cx) else { return };
                if forward::deserves_redirect(kernel, &packet, &route) {
                    icmp::redirect(kernel, &packet, route.next_hop, out, cx);
                }
                let Some(xmit) = settle(forward::pass(kernel, packet, route, cx), kernel, out, cx) else { return };
                return leave(kernel, xmit, true, out, cx);
            }
        }
    }
    settle(Step::<()>::Drop(arrived, Why::Malformed), kernel, out, cx);
}

/// A packet of this host's own is sent. Its source is set; the way is found here.
pub fn send(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) {
    let Some((packet, route)) = settle(routing::outbound(kernel, packet, cx), kernel, out, cx) else { return };
    let Some(xmit) = settle(output::pass(kernel, Xmit { packet, route }, cx), kernel, out, cx) else { return };
    leave(kernel, xmit, true, out, cx);
}

/// Sends what waits inside, in this order: packets to this host itself, packets whose neighbour has answered, what
/// sockets and IPVS have to send; until there is nothing.
pub(crate) fn drain(kernel: &mut Kernel, out: &mut Outbox, cx: &mut Cx) {
    let circumstances = cx.context();
    kernel.ipvs.heed(kernel.tables.sysctl.vs(), cx.now);
    for _ in 0..DRAIN_MAX {
        if let Some(packet) = kernel.path.looped.pop_front() {
            cx.take_up(packet.buffer());
            arrive(kernel, packet, out, cx);
        } else if let Some((iface, next_hop, packet)) = kernel.tables.neighbours.next_released() {
            cx.packet = packet.buffer().packet;
            arp::send(kernel, packet, iface, next_hop, out, cx);
        } else if let Some(packet) = kernel.sockets.poll_transmit() {
            cx.take_up(packet.buffer());
            send(kernel, packet, out, cx);
        } else if let Some(outgoing) = kernel.ipvs.poll_transmit(&mut kernel.tables, cx) {
            match outgoing {
                Outgoing::Routed(packet) => {
                    cx.take_up(packet.buffer());
                    send(kernel, packet, out, cx);
                }
                Outgoing::By(xmit) => {
                    cx.take_up(xmit.packet.buffer());
                    if let Some(xmit) = settle(output::pass(kernel, xmit, cx), kernel, out, cx) {
                        leave(kernel, xmit, true, out, cx);
                    }
                }
            }
        } else {
            break;
        }
    }
    cx.resume(circumstances);
    for line in kernel.ipvs.take_log() {
        kernel.write_log(KERNEL, &line, cx);
    }
}

/// Does what is due: neighbours, reports of groups, fragments, translated flows, path MTUs, connections of IPVS, sockets.
pub(crate) fn wake(kernel: &mut Kernel, out: &mut Outbox, cx: &mut Cx) {
    arp::wake(kernel, out, cx);
    igmp::wake(kernel, out, cx);
    while let Some(first) = kernel.path.reassembly.expire(cx) {
        if let Some(packet) = first {
            cx.take_up(packet.buffer());
            let error = IcmpError { kind: 11, code: 1, mtu: 0, source: None };
            settle(Step::<()>::Reject(packet, error, Why::ReassemblyTimeout), kernel, out, cx);
        }
    }
    kernel.tables.nat.wake(cx);
    kernel.tables.routes.wake(cx.now);
    kernel.ipvs.wake(&mut kernel.tables, cx);
    kernel.sockets.wake(cx);
}

/// When something is due.
pub(crate) fn next_wake(kernel: &Kernel) -> Option<Instant> {
    let tables = &kernel.tables;
    let wakes = [
        tables.neighbours.next_wake(),
        arp::next_wake(kernel),
        tables.memberships.next_wake(),
        kernel.path.reassembly.next_wake(),
        tables.nat.next_wake(),
        tables.routes.next_wake(),
        kernel.ipvs.next_wake(),
        kernel.sockets.next_wake(),
    ];
    Instant::soonest(wakes)
}

/// Sends an ARP message by an interface; false if the interface cannot.
pub(crate) fn send_arp(
    kernel: &mut Kernel,
    iface: IfaceId,
    message: ArpMessage,
    out: &mut Outbox,
    cx: &mut Cx,
) -> bool {
    arp::send_message(kernel, iface, message, out, cx)
}

/// Announces the addresses of an interface that came up, if `arp_notify` says so.
pub(crate) fn announce(kernel: &mut Kernel, iface: IfaceId, out: &mut Outbox, cx: &mut Cx) {
    arp::announce(kernel, iface, out, cx);
}

/// The end of every way out. What IPVS sends has its addresses already: nat does not look at it.
fn leave(kernel: &mut Kernel, xmit: Xmit, translate: bool, out: &mut Outbox, cx: &mut Cx) {
    let Some(Xmit { packet, route }) = settle(postrouting::pass(kernel, xmit, translate, cx), kernel, out, cx) else {
        return;
    };
    if packet.bytes().len() <= route.mtu as usize && packet.largest_piece == 0 {
        return handover::by_route(kernel, packet, &route, out, cx);
    }
    for piece in fragment::split(packet, route.mtu, cx) {
        match piece {
            Ok(piece) => handover::by_route(kernel, piece, &route, out, cx),
            Err((packet, error, why)) => {
                settle(Step::<()>::Reject(packet, error, why), kernel, out, cx);
            }
        }
    }
}

/// Ends the packet if the stage said so; else hands on what the next stage needs.
fn settle<T>(step: Step<T>, kernel: &mut Kernel, out: &mut Outbox, cx: &mut Cx) -> Option<T> {
    match step {
        Step::On(next) => return Some(next),
        Step::Done => {}
        Step::Drop(packet, why) => {
            cx.drop(why);
            cx.recycle(packet.into_buffer());
        }
        Step::Reject(packet, error, why) => {
            cx.drop(why);
            icmp::send_error(kernel, &packet, error, out, cx);
            cx.recycle(packet.into_buffer());
        }
        Step::Stolen(xmit) => {
            if let Some(xmit) = settle(output::pass_stolen(kernel, xmit, cx), kernel, out, cx) {
                leave(kernel, xmit, false, out, cx);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
