//! TCP sockets as `ss` lists them.

use super::Sockets;
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::wire::flow::SocketAddr;
use smoltcp::socket::tcp::State;
use std::net::Ipv4Addr;

/// A flow in `/proc/net/tcp`'s sense, as `ss -tn` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// `ESTAB`, `LISTEN` and so on, as `ss` writes it.
    pub state: &'static str,
    /// Octets that the process has not read (of a listener: connections that wait).
    pub receive_queue: usize,
    /// Octets that were not acknowledged (of a listener: how many may wait).
    pub send_queue: usize,
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Its process.
    pub owner: Option<Pid>,
}

impl Sockets {
    /// Every TCP socket, listeners first, then flows in the order of their places (`ss -tan`).
    pub fn tcp_list(&self) -> Vec<TcpInfo> {
        let nowhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 };
        let listeners = self.listeners.iter().map(|listener| TcpInfo {
            state: "LISTEN",
            receive_queue: listener.queue.len(),
            send_queue: listener.backlog as usize,
            local: listener.local,
            remote: nowhere,
            owner: Some(listener.owner),
        });
        let flows = self.places.iter().filter_map(|place| place.flow.as_ref()).filter(|flow| !flow.is_over);
        let flows = flows.map(|flow| TcpInfo {
            state: match flow.state() {
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
            },
            receive_queue: flow.tcp().recv_queue(),
            send_queue: flow.tcp().send_queue(),
            local: flow.key.local,
            remote: flow.key.remote,
            owner: (!flow.is_orphan).then_some(flow.owner),
        });
        listeners.chain(flows).collect()
    }

    /// How many connections are in TIME_WAIT.
    pub fn time_wait_count(&mut self, now: Instant) -> usize {
        self.time_waits.count(now)
    }
}
