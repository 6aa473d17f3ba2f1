//! Packet sockets for ARP (`AF_PACKET`, as `arping` opens one): a copy of every message that an interface hears, before
//! `arptables`.

use super::message::Message;
use crate::base::id::{IfaceId, Pid};
use crate::kernel::socket::SocketId;
use crate::kernel::{ArpMessage, Kernel};
use crate::wire::Mac;
use crate::world::node::Cx;
use std::collections::VecDeque;

/// The packet sockets of a host.
#[derive(Debug, Default)]
pub(crate) struct Ears(Vec<Ear>);

#[derive(Debug)]
struct Ear {
    pid: Pid,
    iface: IfaceId,
    heard: VecDeque<ArpMessage>,
}

/// Messages that wait for a program; more are lost, as with a full socket buffer.
const HEARD_MAX: usize = 256;

/// A number that no other socket of the host has: those are counted from below.
fn socket_of(pid: Pid) -> SocketId {
    SocketId(u32::MAX - pid.0)
}

impl Ears {
    /// Opens the socket of a process; it has one at most.
    pub(in crate::kernel) fn open(&mut self, pid: Pid, iface: IfaceId) -> SocketId {
        self.0.retain(|ear| ear.pid != pid);
        self.0.push(Ear { pid, iface, heard: VecDeque::new() });
        socket_of(pid)
    }

    /// The next message that a process heard.
    pub(in crate::kernel) fn next(&mut self, pid: Pid) -> Option<ArpMessage> {
        self.0.iter_mut().find(|ear| ear.pid == pid)?.heard.pop_front()
    }
}

/// Gives a message that came in to the packet sockets of its interface.
pub(super) fn overhear(kernel: &mut Kernel, message: &Message, to: Mac, iface: IfaceId, cx: &mut Cx) {
    if kernel.path.ears.0.is_empty() {
        return;
    }
    let Kernel { path, processes, .. } = kernel;
    path.ears.0.retain(|ear| processes.is_alive(ear.pid));
    let Message { operation, sender_mac, sender, target_mac, target } = *message;
    for ear in path.ears.0.iter_mut().filter(|ear| ear.iface == iface && ear.heard.len() < HEARD_MAX) {
        ear.heard.push_back(ArpMessage { to, operation, sender_mac, sender, target_mac, target });
        processes.socket_event(ear.pid, socket_of(ear.pid), cx.cause, cx.packet);
    }
}
