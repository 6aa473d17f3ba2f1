//! A packet leaves by an interface. The only file that fills the outbox.

use crate::base::id::{IfaceId, PortId};
use crate::kernel::Kernel;
use crate::kernel::socket::SocketError;
use crate::kernel::socket::Way;
use crate::tables::interfaces::LOOPBACK;
use crate::trace::{Stage, Why};
use crate::wire::Mac;
use crate::wire::frame::{ETHERNET_HEADER, Frame};
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};

/// Packets that this host sends to itself within one turn.
const LOOPED_MAX: usize = 65_536;

/// Puts the Ethernet header in front and the frame out.
pub(crate) fn ethernet(
    kernel: &mut Kernel,
    mut packet: Packet,
    iface: IfaceId,
    destination: Mac,
    ethertype: u16,
    out: &mut Outbox,
    cx: &mut Cx,
) {
    let interface = kernel.tables.interfaces.get(iface).filter(|interface| interface.running());
    let Some((port, mac)) = interface.and_then(|interface| Some((interface.port()?, interface.mac))) else {
        cx.stage = Stage::Wire;
        return end(packet, Why::InterfaceDown, cx);
    };
    count(kernel, iface, packet.bytes().len());
    packet.buffer_mut().cause = cx.cause;
    leave(kernel, iface, port, Frame::around(packet, destination, mac, ethertype), out, cx);
}

/// Puts a frame out that a process wrote itself.
pub(crate) fn raw_frame(
    kernel: &mut Kernel,
    iface: IfaceId,
    bytes: &[u8],
    out: &mut Outbox,
    cx: &mut Cx,
) -> Result<(), SocketError> {
    let interface = kernel.tables.interfaces.get(iface).ok_or(SocketError::NoDevice)?;
    if !interface.up {
        return Err(SocketError::NetworkDown);
    }
    if bytes.len() < ETHERNET_HEADER || bytes.len() > interface.mtu as usize + ETHERNET_HEADER {
        return Err(SocketError::Invalid);
    }
    let Some(port) = interface.port() else { return Err(SocketError::NotSupported) };
    let carrier = interface.carrier;
    let circumstances = cx.context();
    let mut buffer = cx.new_buffer(bytes.len());
    buffer.bytes_mut().copy_from_slice(bytes);
    cx.packet = buffer.packet;
    buffer.cause = cx.cause;
    if carrier {
        count(kernel, iface, bytes.len() - ETHERNET_HEADER);
        leave(kernel, iface, port, Frame::new(buffer), out, cx);
    } else {
        cx.stage = Stage::Wire;
        cx.drop(Why::LinkDown);
        cx.recycle(buffer);
    }
    cx.resume(circumstances);
    Ok(())
}

/// The frame leaves; packet sockets see it.
fn leave(kernel: &mut Kernel, iface: IfaceId, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
    if !kernel.sockets.taps.is_empty() {
        kernel.sockets.overhear(iface, Way::Out, frame.bytes(), frame.buffer().packet, cx);
    }
    out.send(port, frame);
}

/// Gives a packet back to this host, as if it had come in by `lo`.
pub(super) fn loop_back(kernel: &mut Kernel, mut packet: Packet, cx: &mut Cx) {
    if kernel.path.looped.len() >= LOOPED_MAX {
        return end(packet, Why::LinkQueueFull { queued: LOOPED_MAX as u32 }, cx);
    }
    count(kernel, LOOPBACK, packet.bytes().len());
    packet.iif = Some(LOOPBACK);
    packet.buffer_mut().cause = cx.cause;
    kernel.path.looped.push_back(packet);
}

/// Counts a packet that leaves.
pub(super) fn count(kernel: &mut Kernel, iface: IfaceId, octets: usize) {
    if let Some(interface) = kernel.tables.interfaces.get_mut(iface) {
        interface.counters.tx_packets += 1;
        interface.counters.tx_bytes += octets as u64;
    }
}

/// Ends a packet that cannot leave.
pub(super) fn end(packet: Packet, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
}
