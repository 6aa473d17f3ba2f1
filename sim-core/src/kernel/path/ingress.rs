//! A frame comes in: is it for this machine, and does it make sense? Follows Linux `eth_type_trans` and `ip_rcv`.

use super::arp;
use crate::base::id::{IfaceId, PortId};
use crate::kernel::Kernel;
use crate::kernel::socket::Way;
use crate::trace::{Stage, Why};
use crate::wire::checksum;
use crate::wire::frame::{ETHERTYPE_ARP, ETHERTYPE_IPV4, Frame};
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use smoltcp::wire::Ipv4Packet;

/// The IPv4 packet in a frame, if there is one to go on with. ARP is dealt with here.
pub(super) fn accept(
    kernel: &mut Kernel,
    port: PortId,
    on: Option<IfaceId>,
    frame: Frame,
    out: &mut Outbox,
    cx: &mut Cx,
) -> Option<Packet> {
    cx.stage = Stage::Ingress;
    let verdict = match on.or_else(|| kernel.tables.interfaces.at_port(port)) {
        Some(id) => look(kernel, &frame, id),
        None => Err(Why::InterfaceDown),
    };
    if !kernel.sockets.taps.is_empty()
        && let Some(id) = on.or_else(|| kernel.tables.interfaces.at_port(port))
        && !matches!(verdict, Err(Why::InterfaceDown))
    {
        kernel.sockets.overhear(id, Way::In, frame.bytes(), frame.buffer().packet, cx);
    }
    let (id, broadcast) = match verdict {
        Ok(found) => found,
        Err(why) => return end(frame, why, cx),
    };
    match frame.ethertype() {
        ETHERTYPE_ARP => {
            arp::receive(kernel, frame, id, out, cx);
            None
        }
        ETHERTYPE_IPV4 => match check(frame.payload()) {
            Ok(length) => {
                let mut packet = frame.into_packet();
                packet.buffer_mut().truncate(length);
                packet.iif = Some(id);
                packet.broadcast = broadcast;
                Some(packet)
            }
            Err(why) => end(frame, why, cx),
        },
        ethertype => end(frame, Why::UnknownEthertype { ethertype }, cx),
    }
}

/// The macvlans that get a frame too (to everybody), or alone (to their MAC), by index. (A macvlan takes only groups that
/// were joined on it; routing looks at that.)
pub(super) fn macvlans(kernel: &Kernel, port: PortId, frame: &Frame) -> Vec<IfaceId> {
    let interfaces = &kernel.tables.interfaces;
    if !interfaces.has_macvlans() || !frame.is_whole() {
        return Vec::new();
    }
    let to = frame.destination();
    let everybody = to.is_broadcast() || to.is_multicast();
    let Some(parent) = interfaces.at_port(port) else { return Vec::new() };
    let takes =
        |id: &IfaceId| interfaces.get(*id).is_some_and(|upper| upper.running() && (everybody || upper.mac == to));
    interfaces.above(parent).filter(takes).collect()
}

/// The interface a frame belongs to, and whether it was addressed to more than this machine.
fn look(kernel: &mut Kernel, frame: &Frame, id: IfaceId) -> Result<(IfaceId, bool), Why> {
    let interface = kernel.tables.interfaces.get_mut(id).ok_or(Why::InterfaceDown)?;
    if !interface.up {
        return Err(Why::InterfaceDown);
    }
    if !frame.is_whole() {
        return Err(Why::Malformed);
    }
    let destination = frame.destination();
    let broadcast = destination.is_broadcast() || destination.is_multicast();
    if !broadcast && destination != interface.mac {
        return Err(Why::OtherHost);
    }
    interface.counters.rx_packets += 1;
    interface.counters.rx_bytes += frame.payload().len() as u64;
    Ok((id, broadcast))
}

/// Octets of the packet without Ethernet's padding, if header and lengths are sound (RFC 1122, section 3.2.1).
pub(super) fn check(payload: &[u8]) -> Result<usize, Why> {
    let ip = Ipv4Packet::new_checked(payload).map_err(|_| Why::Malformed)?;
    if ip.version() != 4 || ip.header_len() < 20 || ip.total_len() < u16::from(ip.header_len()) {
        return Err(Why::Malformed);
    }
    if !checksum::is_right(&payload[..usize::from(ip.header_len())]) {
        return Err(Why::BadHeaderChecksum);
    }
    Ok(usize::from(ip.total_len()))
}

fn end(frame: Frame, why: Why, cx: &mut Cx) -> Option<Packet> {
    cx.drop(why);
    cx.recycle(frame.into_buffer());
    None
}
