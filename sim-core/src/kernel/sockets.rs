//! The sockets of one host: TCP on smoltcp, UDP and raw of our own.
//!
//! ```text
//!   input ─► deliver ─┬─ flow known ──────► its socket ─► event for its process, answers into `outgoing`
//!                     ├─ TIME_WAIT ───────► time_wait
//!                     ├─ SYN, a listener ─► new flow (our backlog), then as above
//!                     └─ nobody ──────────► RST here (TCP), NoListener for the kernel's ICMP (UDP)
//!   path  ◄─ poll_transmit ◄─ outgoing
//! ```
//! Every flow is a `SocketSet` of its own, found by its four values; flows are used again after they end. A deadline is
//! kept with its flow, and the heap holds at most one entry per place, so that moving a deadline costs nothing.
//!
//! # Not like Linux
//! smoltcp decides what is sent, so these differ: the first congestion window is 2,048 octets (Linux: ten segments);
//! Reno, not Cubic; SACK is told but not used for recovery, and a timeout sends all that is in flight again, not the
//! first segment alone (when it does, is Linux's affair: `retransmission.rs`); the receive window does not grow beyond
//! 64 KiB; a lowered path MTU is used from the next (re)transmission on; no ECN, no SYN cookies (4,096 half-open
//! connections per listener), no urgent data, no keep-alives.

mod calls;
mod datagram;
mod datagram_calls;
mod flow;
mod flows;
mod ports;
mod receive;
mod retransmission;
mod segment;
mod stack;
mod tap;
mod time_wait;
pub mod toa;
mod view;

pub use super::socket::Way;
use super::socket::{Event, SocketError, SocketId};
use crate::base::id::{EventId, IfaceId, PacketId, Pid};
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::trace::Why;
use crate::wire::flow::SocketAddr;
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use datagram::{Raw, Udp};
use flow::{Flow, FlowKey};
use ports::Ports;
use segment::Unsound;
use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpAddress, IpEndpoint};
use stack::Stacks;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::Ipv4Addr;
use tap::Taps;
use time_wait::TimeWaits;
pub use view::SocketView;

/// A connection that nobody answers is given up after this time (Linux `tcp_syn_retries` = 6).
const CONNECT_PATIENCE: Duration = Duration::from_secs(127);
/// A handshake that is not completed is forgotten after this time (Linux `tcp_synack_retries` = 5).
const EMBRYO_PATIENCE: Duration = Duration::from_secs(63);
/// A connection on which nothing is heard, with something not acknowledged (Linux `tcp_retries2` = 15).
const SILENCE_PATIENCE: Duration = Duration::from_millis(924_600);
/// The same after its process has closed it (Linux `tcp_orphan_retries`, 8 by default).
const ORPHAN_PATIENCE: Duration = Duration::from_millis(102_200);
/// A closed connection whose other end does not close (Linux `tcp_fin_timeout`).
const FIN_PATIENCE: Duration = Duration::from_secs(60);
/// A flow confirms its neighbour no more often than this.
const CONFIRM_PAUSE: Duration = Duration::from_millis(500);
/// Handshakes under way per listener (Linux `tcp_max_syn_backlog`).
const EMBRYOS_MAX: u32 = 4_096;
/// Connections that wait to be accepted, at most (Linux `somaxconn`).
const BACKLOG_MAX: u32 = 4_096;
/// Flows that are kept for use again.
const POOL_MAX: usize = 2_048;
/// Sockets of a host, at most (Linux: `nr_open` and memory).
const SOCKETS_MAX: usize = 262_144;

/// The sockets of one host.
#[derive(Debug, Default)]
pub struct Sockets {
    kinds: Lookup<SocketId, Kind>,
    next_id: u32,
    places: Vec<Place>,
    free: Vec<u32>,
    #[expect(clippy::vec_box, reason = "flows move between here and their places without being copied")]
    pool: Vec<Box<Flow>>,
    flows: Lookup<FlowKey, u32>,
    time_waits: TimeWaits,
    listeners: Vec<Listener>,
    listening: Lookup<SocketAddr, SocketId>,
    udp: Vec<Udp>,
    bound: Lookup<SocketAddr, SocketId>,
    raw: Vec<Raw>,
    pub(crate) taps: Taps,
    /// Groups that closed sockets had joined.
    left: Vec<(IfaceId, Ipv4Addr)>,
    ports: Ports,
    stacks: Stacks,
    timers: BinaryHeap<Reverse<(Instant, u32)>>,
    /// Flows whose answer was put off until the processes had their say.
    put_off: Vec<u32>,
    outgoing: VecDeque<Packet>,
    events: Vec<Event>,
    owned: Lookup<Pid, u32>,
    made: Vec<Packet>,
    datagram_id: u16,
    confirmed: Vec<Ipv4Addr>,
    /// The module that reads clients' addresses from a TCP option.
    pub toa: toa::Toa,
}

/// What happened to a packet.
#[derive(Debug)]
pub enum Delivery {
    /// A socket has it, or it was dropped with its reason, or answered with RST.
    Taken,
    /// UDP, and nothing listens at its port: the sender is told by ICMP. The reason is noted.
    NoListener(Packet),
    /// Neither TCP nor UDP. Raw sockets have their copies.
    NotMine(Packet),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Flow(u32),
    Listener,
    Udp,
    Raw,
    Packet,
}

#[derive(Debug)]
struct Place {
    flow: Option<Box<Flow>>,
    /// When the heap's live entry of this place is due.
    armed: Instant,
}

#[derive(Debug)]
struct Listener {
    id: SocketId,
    owner: Pid,
    local: SocketAddr,
    backlog: u32,
    embryos: u32,
    queue: VecDeque<SocketId>,
}

impl Sockets {
    // ── packets out ──

    /// The next packet to be sent by this host; its buffer names the packet it answers, and what led to it.
    pub fn poll_transmit(&mut self) -> Option<Packet> {
        self.outgoing.pop_front()
    }

    /// Whether processes are to be told something, or something waits for them to have had their say.
    pub(crate) fn has_news(&self) -> bool {
        !(self.events.is_empty() && self.put_off.is_empty() && self.confirmed.is_empty() && self.outgoing.is_empty())
    }

    /// The processes have had their say: what was put off is sent. True if that made packets.
    pub(crate) fn settle(&mut self, cx: &mut Cx) -> bool {
        if self.put_off.is_empty() {
            return !self.outgoing.is_empty();
        }
        for place in std::mem::take(&mut self.put_off) {
            let flow = self.places[place as usize].flow.as_mut().filter(|flow| flow.is_put_off);
            if let Some(flow) = flow {
                flow.is_put_off = false;
                self.drain(place, cx);
            }
        }
        !self.outgoing.is_empty()
    }

    /// What processes are to be told.
    pub(crate) fn take_events(&mut self) -> std::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    /// Hosts that TCP has just heard an acknowledgement from: the next hops on the way to them work.
    pub(crate) fn take_confirmed(&mut self) -> std::vec::Drain<'_, Ipv4Addr> {
        self.confirmed.drain(..)
    }

    /// Groups that sockets had joined which were closed.
    pub(crate) fn take_left(&mut self) -> std::vec::Drain<'_, (IfaceId, Ipv4Addr)> {
        self.left.drain(..)
    }

    /// When a flow next has something to do by itself.
    pub fn next_wake(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Time has come: flows that are due send again or are given up.
    pub fn wake(&mut self, cx: &mut Cx) {
        let before = cx.context();
        while let Some(Reverse((at, place))) = self.timers.peek().copied() {
            if at > cx.now {
                break;
            }
            self.timers.pop();
            if self.places[place as usize].armed != at {
                continue;
            }
            self.places[place as usize].armed = Instant::NEVER;
            self.due(place, cx);
        }
        cx.resume(before);
    }

    fn due(&mut self, place: u32, cx: &mut Cx) {
        let Some(flow) = self.places[place as usize].flow.as_mut() else { return };
        if flow.is_over {
            return;
        }
        let patience = if flow.is_orphan { ORPHAN_PATIENCE } else { SILENCE_PATIENCE };
        let waits_for_ack =
            flow.tcp().send_queue() > 0 || matches!(flow.state(), State::FinWait1 | State::Closing | State::LastAck);
        let is_silent = waits_for_ack && cx.now.since(flow.heard) >= patience;
        if flow.give_up <= cx.now || is_silent {
            flow.error = Some(SocketError::TimedOut);
            flow.last = (EventId::NONE, PacketId::NONE);
            self.tell(place);
            return self.finish_flow(place, cx);
        }
        let fires = flow.retransmission.due <= cx.now;
        if fires {
            flow.retransmission.fire();
            flow.leaps.leap();
        }
        if fires || flow.deadline <= cx.now {
            self.drain(place, cx);
        } else {
            self.arm(place);
        }
    }

    fn send_out(&mut self, mut packet: Packet, cx: &Cx) {
        packet.buffer_mut().cause = cx.cause;
        self.outgoing.push_back(packet);
    }

    fn listener_at(&self, local: SocketAddr) -> Option<usize> {
        if self.listeners.is_empty() {
            return None;
        }
        let anywhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: local.port };
        let id = self.listening.get(&local).or_else(|| self.listening.get(&anywhere))?;
        self.listeners.iter().position(|listener| listener.id == *id)
    }

    fn new_id(&mut self) -> SocketId {
        self.next_id += 1;
        SocketId(self.next_id)
    }

    fn hold(&mut self, owner: Pid) {
        *self.owned.get_or_insert_with(owner, || 0) += 1;
    }

    fn let_go(&mut self, owner: Pid) {
        if let Some(count) = self.owned.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.owned.remove(&owner);
            }
        }
    }
}

impl Unsound {
    fn why(self) -> Why {
        match self {
            Unsound::Malformed => Why::Malformed,
            Unsound::Checksum => Why::BadTransportChecksum,
        }
    }
}

fn drop_packet(packet: Packet, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
}

fn is_unicast(address: Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
}

fn endpoint(end: SocketAddr) -> IpEndpoint {
    IpEndpoint { addr: IpAddress::Ipv4(end.address), port: end.port }
}

#[cfg(test)]
mod tests;
