//! Packet sockets (`AF_PACKET`): copies of the frames that pass an interface, both ways, as on the cable.

use super::datagram::Queue;
use super::{Kind, Sockets};
use crate::base::id::{IfaceId, PacketId, Pid};
use crate::kernel::socket::{Event, SocketId, Way};
use crate::world::node::Cx;

/// The packet sockets of a host.
#[derive(Debug, Default)]
pub(crate) struct Taps(Vec<Tap>);

#[derive(Debug)]
struct Tap {
    id: SocketId,
    owner: Pid,
    iface: Option<IfaceId>,
    queue: Queue<(IfaceId, Way, Vec<u8>)>,
}

impl Taps {
    /// Whether nobody looks: the packet path asks with every frame.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, pid: Pid) -> impl Iterator<Item = SocketId> {
        self.0.iter().filter(move |tap| tap.owner == pid).map(|tap| tap.id)
    }

    /// Closes a socket; its owner.
    pub(super) fn close(&mut self, socket: SocketId) -> Option<Pid> {
        let at = self.0.iter().position(|tap| tap.id == socket)?;
        Some(self.0.remove(at).owner)
    }
}

impl Sockets {
    pub(crate) fn packet_socket(&mut self, owner: Pid, iface: Option<IfaceId>) -> SocketId {
        let id = self.new_id();
        self.taps.0.push(Tap { id, owner, iface, queue: Queue::default() });
        self.kinds.insert(id, Kind::Packet);
        self.hold(owner);
        id
    }

    pub(crate) fn has_packet_socket(&self, socket: SocketId) -> bool {
        self.taps.0.iter().any(|tap| tap.id == socket)
    }

    pub(crate) fn packet_recv(&mut self, socket: SocketId) -> Option<(IfaceId, Way, Vec<u8>)> {
        let tap = self.taps.0.iter_mut().find(|tap| tap.id == socket)?;
        tap.queue.take(tap.owner, socket, &mut self.events)
    }

    /// A frame passes an interface.
    pub(crate) fn overhear(&mut self, iface: IfaceId, way: Way, frame: &[u8], packet: PacketId, cx: &Cx) {
        for tap in self.taps.0.iter_mut().filter(|tap| tap.iface.is_none_or(|only| only == iface)) {
            if tap.queue.push(frame.len(), (iface, way, frame.to_vec())) {
                self.events.push(Event { owner: tap.owner, socket: tap.id, cause: cx.cause, packet });
            }
        }
    }
}
