//! A frame comes in: is it for this machine, and does it make sense? Follows Linux `eth_type_trans` and `ip_rcv`.

use super::arp;
use crate::base::id::{IfaceId, PortId};
use crate::kernel::Kernel;
use crate::kernel::socket::Way;
use crate::trace::{Stage, Why};
use crate::wire::Mac;
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

/// The macvlans that get a frame, by index, and whether the interface below gets it too. (A macvlan takes only groups that
/// were joined on it; routing looks at that.) Follows Linux `macvlan_handle_frame`, for macvlans of the private mode.
pub(super) fn macvlans(kernel: &Kernel, port: PortId, frame: &Frame) -> (Vec<IfaceId>, bool) {
    let interfaces = &kernel.tables.interfaces;
    if !interfaces.has_macvlans() || !frame.is_whole() {
        return (Vec::new(), true);
    }
    let (from, to) = (frame.source(), frame.destination());
    let everybody = to.is_broadcast() || to.is_multicast();
    let Some(parent) = interfaces.at_port(port) else { return (Vec::new(), true) };
    let with = |mac: Mac| {
        let upper = interfaces.above(parent);
        upper.filter(move |id| interfaces.get(*id).is_some_and(|upper| upper.running() && upper.mac == mac))
    };
    if !everybody {
        let alone: Vec<IfaceId> = with(to).collect();
        let below = alone.is_empty();
        return (alone, below);
    }
    // What comes from a macvlan's own MAC is for that macvlan alone: its double elsewhere, a VRRP master of the same
    // virtual router, speaks to it.
    if let Some(double) = with(from).next() {
        return (vec![double], false);
    }
    (interfaces.above(parent).filter(|id| interfaces.get(*id).is_some_and(|upper| upper.running())).collect(), true)
}

/// Taps on the interface below see also what only a macvlan gets.
pub(super) fn overhear_below(kernel: &mut Kernel, port: PortId, frame: &Frame, cx: &mut Cx) {
    if !kernel.sockets.taps.is_empty()
        && let Some(id) = kernel.tables.interfaces.at_port(port)
    {
        kernel.sockets.overhear(id, Way::In, frame.bytes(), frame.buffer().packet, cx);
    }
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
