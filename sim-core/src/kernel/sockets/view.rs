//! What `ss` shows: every TCP and UDP socket of the host, in the order of their addresses.

use super::Sockets;
use super::flow::Role;
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::wire::flow::{SocketAddr, Transport};
use smoltcp::socket::tcp::State;

/// A socket as `ss` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketView {
    /// TCP or UDP.
    pub transport: Transport,
    /// `ESTAB`, `LISTEN`, `TIME-WAIT`.
    pub state: &'static str,
    /// Octets to be read; of a listener: connections to be accepted.
    pub received: usize,
    /// Octets not acknowledged; of a listener: how many may wait.
    pub unsent: usize,
    /// This host's end.
    pub local: SocketAddr,
    /// The other end, if there is one.
    pub remote: Option<SocketAddr>,
    /// Whose it is; none if no process has it any more.
    pub owner: Option<Pid>,
}

impl Sockets {
    /// Every TCP and UDP socket.
    pub fn view(&self, now: Instant) -> Vec<SocketView> {
        let tcp = Transport::Tcp;
        let flows = self.places.iter().filter_map(|place| place.flow.as_ref()).filter(|flow| !flow.is_over);
        let flows = flows.map(|flow| SocketView {
            transport: tcp,
            state: state(flow.state()),
            received: flow.tcp().recv_queue(),
            unsent: flow.tcp().send_queue(),
            local: flow.key.local,
            remote: Some(flow.key.remote),
            owner: (!flow.is_orphan && matches!(flow.role, Role::Client | Role::Accepted)).then_some(flow.owner),
        });
        let listeners = self.listeners.iter().map(|listener| SocketView {
            transport: tcp,
            state: "LISTEN",
            received: listener.queue.len(),
            unsent: listener.backlog as usize,
            local: listener.local,
            remote: None,
            owner: Some(listener.owner),
        });
        let ended = self.time_waits.keys(now).into_iter().map(|key| SocketView {
            transport: tcp,
            state: "TIME-WAIT",
            received: 0,
            unsent: 0,
            local: key.local,
            remote: Some(key.remote),
            owner: None,
        });
        let udp = self.udp.iter().map(|socket| SocketView {
            transport: Transport::Udp,
            state: if socket.peer.is_some() { "ESTAB" } else { "UNCONN" },
            received: 0,
            unsent: 0,
            local: socket.local,
            remote: socket.peer,
            owner: Some(socket.owner),
        });
        let mut all: Vec<SocketView> = udp.chain(listeners).chain(flows).chain(ended).collect();
        let order = |socket: &SocketView| (socket.transport != Transport::Udp, socket.local, socket.remote);
        all.sort_by_key(order);
        all
    }
}

const fn state(state: State) -> &'static str {
    match state {
        State::Closed => "UNCONN",
        State::Listen => "LISTEN",
        State::SynSent => "SYN-SENT",
        State::SynReceived => "SYN-RECV",
        State::Established => "ESTAB",
        State::FinWait1 => "FIN-WAIT-1",
        State::FinWait2 => "FIN-WAIT-2",
        State::CloseWait => "CLOSE-WAIT",
        State::Closing => "CLOSING",
        State::LastAck => "LAST-ACK",
        State::TimeWait => "TIME-WAIT",
    }
}
