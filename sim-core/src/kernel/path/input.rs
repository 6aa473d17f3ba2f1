//! For this host: fragments are put together, the filter and IPVS have their say, then tunnels, ICMP and sockets.
//! Follows Linux `ip_local_deliver`.

use super::step::Step;
use super::{filter, icmp, tunnel};
use crate::kernel::Kernel;
use crate::kernel::sockets::Delivery;
use crate::tables::verdict::IcmpError;
use crate::trace::why::Hook;
use crate::trace::{Stage, Why};
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use smoltcp::wire::IpProtocol;

/// The hooks of INPUT.
pub(super) fn pass(kernel: &mut Kernel, packet: Packet, cx: &mut Cx) -> Step<Packet> {
    cx.stage = Stage::Input;
    let Some(packet) = kernel.path.reassembly.whole(packet, &kernel.tables.sysctl, cx) else { return Step::Done };
    let packet = match filter::ask(kernel, Hook::Input, packet, None, cx) {
        Step::On(packet) => packet,
        ended => return ended,
    };
    if kernel.ipvs.is_empty() || packet.broadcast {
        return Step::On(packet);
    }
    cx.stage = Stage::Ipvs;
    Step::from(kernel.ipvs.input(packet, &mut kernel.tables, cx))
}

/// Gives the packet to whom it is for. What comes out of a tunnel begins again.
pub(super) fn deliver(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) -> Step<Packet> {
    if kernel.ipvs.hears(&packet) {
        kernel.ipvs.take_message(&packet, &kernel.tables, cx);
        cx.recycle(packet.into_buffer());
        return Step::Done;
    }
    if let Some(by) = tunnel::of(kernel, &packet) {
        return tunnel::open(kernel, packet, by, cx);
    }
    let protocol = packet.ip().next_header();
    match kernel.sockets.deliver(packet, &kernel.tables, cx) {
        Delivery::Taken => Step::Done,
        Delivery::NoListener(packet) => {
            let port = packet.payload().get(2..4).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
            Step::Reject(packet, unreachable(3), Why::NoListener { port })
        }
        Delivery::NotMine(packet) => match protocol {
            IpProtocol::Icmp => {
                icmp::receive(kernel, packet, out, cx);
                Step::Done
            }
            _ if kernel.sockets.hears(protocol.into()) => {
                cx.recycle(packet.into_buffer());
                Step::Done
            }
            _ => Step::Reject(packet, unreachable(2), Why::NoProtocol { protocol: protocol.into() }),
        },
    }
}

fn unreachable(code: u8) -> IcmpError {
    IcmpError { kind: 3, code, mtu: 0, source: None }
}
