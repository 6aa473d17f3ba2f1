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
//! Reno, not Cubic; SACK is told but not used for recovery; the retransmission timeout is at least 1 s (Linux: 200 ms)
//! and at most 60 s (Linux: 120 s), so that the retries of a SYN go out after 1, 3, 7, 15, 31, 63 and 123 s; the receive
//! window does not grow beyond 64 KiB; a lowered path MTU is used from the next (re)transmission on; no ECN, no
//! SYN cookies (4,096 half-open connections per listener), no urgent data, no keep-alives.

mod calls;
mod datagram;
mod flow;
mod ports;
mod segment;
mod stack;
mod time_wait;

use super::process::SocketId;
use super::syscall::SocketError;
use crate::base::id::{EventId, PacketId, Pid};
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::tables::Tables;
use crate::trace::{Stage, Why};
use crate::wire::flow::{Flow as FlowOnWire, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use datagram::{Raw, Udp};
use flow::{Beginning, Flow, FlowKey, Role};
use ports::Ports;
use segment::{ACK, FIN, RST, SYN, Seen, Unsound};
use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint, IpProtocol, UdpPacket};
use stack::Stacks;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::Ipv4Addr;
use time_wait::{Answer, TimeWait, TimeWaits};

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

/// Something that a process is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) owner: Pid,
    pub(crate) socket: SocketId,
    pub(crate) cause: EventId,
    pub(crate) packet: PacketId,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Flow(u32),
    Listener,
    Udp,
    Raw,
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
    // ── packets in ──

    /// Gives a packet to the socket it is for. It was addressed to this host and passed INPUT.
    pub fn deliver(&mut self, packet: Packet, tables: &Tables, cx: &mut Cx) -> Delivery {
        cx.stage = Stage::Socket;
        let protocol = packet.ip().next_header();
        if !self.raw.is_empty() {
            self.copy_to_raw(&packet, cx);
        }
        match protocol {
            IpProtocol::Tcp => {
                self.deliver_segment(packet, tables, cx);
                Delivery::Taken
            }
            IpProtocol::Udp => self.deliver_datagram(packet, cx),
            _ => Delivery::NotMine(packet),
        }
    }

    /// Whether a raw socket listens to this protocol.
    pub(crate) fn hears(&self, protocol: u8) -> bool {
        self.raw.iter().any(|raw| raw.protocol == protocol)
    }

    /// A filter refuses a segment by RST: the answer goes out as if nothing listened.
    pub(crate) fn refuse(&mut self, packet: &Packet, cx: &mut Cx) {
        if let Ok(seen) = Seen::of(packet)
            && let Some(answer) = segment::reset(&seen, cx)
        {
            self.send_out(answer, cx);
        }
    }

    fn deliver_segment(&mut self, packet: Packet, tables: &Tables, cx: &mut Cx) {
        let seen = match Seen::of(&packet) {
            Ok(seen) => seen,
            Err(unsound) => {
                return drop_packet(packet, unsound.why(), cx);
            }
        };
        let ends = [seen.source, seen.destination];
        if ends.iter().any(|end| end.port == 0 || !is_unicast(end.address)) {
            return drop_packet(packet, Why::StraySegment { port: seen.destination.port }, cx);
        }
        let key = FlowKey { local: seen.destination, remote: seen.source };
        if let Some(place) = self.flows.get(&key).copied() {
            return self.segment_for(place, &seen, packet, cx);
        }
        match self.time_waits.segment(&key, &seen, cx.now) {
            None | Some(Answer::Reuse) => {}
            Some(Answer::Silence) => {
                cx.note(Why::Delivered { port: key.local.port });
                return cx.recycle(packet.into_buffer());
            }
            Some(Answer::Acknowledge(bare)) => {
                cx.note(Why::Delivered { port: key.local.port });
                let answer = segment::bare(bare, cx);
                self.send_out(answer, cx);
                return cx.recycle(packet.into_buffer());
            }
        }
        if seen.flags & (SYN | ACK | RST | FIN) == SYN
            && let Some(listener) = self.listener_at(key.local)
        {
            return self.welcome(listener, key, &seen, packet, tables, cx);
        }
        let port = key.local.port;
        let why = if seen.has(RST) || seen.has(ACK) { Why::StraySegment { port } } else { Why::NoListener { port } };
        cx.drop(why);
        if let Some(answer) = segment::reset(&seen, cx) {
            self.send_out(answer, cx);
        }
        cx.recycle(packet.into_buffer());
    }

    /// A SYN for a listener: a new flow.
    fn welcome(&mut self, listener: usize, key: FlowKey, seen: &Seen, packet: Packet, tables: &Tables, cx: &mut Cx) {
        let to = &mut self.listeners[listener];
        let port = key.local.port;
        if to.queue.len() > to.backlog as usize || to.embryos >= EMBRYOS_MAX || self.kinds.len() >= SOCKETS_MAX {
            return drop_packet(packet, Why::BacklogFull { port }, cx);
        }
        to.embryos += 1;
        let (listener, owner) = (to.id, to.owner);
        let mtu = tables
            .routes
            .lookup(key.remote.address, Some(key.local.address), packet.mark, &tables.interfaces)
            .map_or(1500, |route| route.mtu);
        cx.note(Why::Delivered { port });
        let last = (cx.cause, packet.buffer().packet);
        let id = self.new_id();
        let give_up = cx.now + EMBRYO_PATIENCE;
        let beginning = Beginning { id, owner, key, role: Role::Embryo(listener), mtu, give_up, last };
        let place = self.begin(beginning, cx);
        let flow = self.places[place as usize].flow.as_mut().expect("the flow was just made");
        if !seen.has_scale {
            flow.do_not_scale();
        }
        flow.peer_timestamp = seen.timestamp.map(|(value, _)| value);
        let endpoint = IpListenEndpoint { addr: Some(IpAddress::Ipv4(key.local.address)), port };
        flow.tcp_mut().listen(endpoint).expect("a socket that is not open can listen at a port");
        self.stacks.feed(flow.mtu, flow.set_mut(), packet.bytes(), &mut self.made, cx);
        cx.recycle(packet.into_buffer());
        self.drain(place, cx);
    }

    /// A segment of a known flow.
    fn segment_for(&mut self, place: u32, seen: &Seen, packet: Packet, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("the index names places with a flow");
        let port = flow.key.local.port;
        let before = flow.state();
        let completes = matches!(flow.role, Role::Embryo(_)) && seen.flags & (ACK | SYN | RST) == ACK;
        if completes
            && let Role::Embryo(id) = flow.role
            && let Some(listener) = self.listeners.iter().find(|listener| listener.id == id)
            && listener.queue.len() > listener.backlog as usize
        {
            return drop_packet(packet, Why::BacklogFull { port }, cx);
        }
        cx.note(Why::Delivered { port });
        flow.last = (cx.cause, packet.buffer().packet);
        flow.heard = cx.now;
        let is_new = seen.payload > 0 && (seen.seq.wrapping_add(seen.payload).wrapping_sub(flow.next_ack) as i32) > 0;
        if flow.is_orphan && is_new && matches!(before, State::FinWait1 | State::FinWait2) {
            // Nobody will ever read this.
            flow.tcp_mut().abort();
            cx.recycle(packet.into_buffer());
            self.drain(place, cx);
            return self.free_place(place, cx);
        }
        if seen.payload > 0 {
            flow.count_data();
            flow.had_loss |= seen.seq != flow.next_ack;
        }
        if before == State::SynSent && !seen.has_scale {
            flow.do_not_scale();
        }
        if let Some((value, _)) = seen.timestamp
            && flow.peer_timestamp.is_none_or(|last| (value.wrapping_sub(last) as i32) >= 0)
        {
            flow.peer_timestamp = Some(value);
        }
        let unread = flow.tcp().recv_queue();
        self.stacks.feed(flow.mtu, flow.set_mut(), packet.bytes(), &mut self.made, cx);
        cx.recycle(packet.into_buffer());
        let after = flow.state();
        let has_data = flow.tcp().recv_queue() > unread;
        let has_room = flow.wants_room && flow.tcp().can_send();
        if has_room {
            flow.wants_room = false;
        }
        if seen.has(ACK) && (flow.confirmed == Instant::NEVER || cx.now.since(flow.confirmed) >= CONFIRM_PAUSE) {
            flow.confirmed = cx.now;
            self.confirmed.push(flow.key.remote.address);
        }
        self.after_segment(place, before, after, seen, cx);
        if before != after || has_data || has_room {
            self.tell(place);
        }
    }

    /// What a segment's effect on the state leads to.
    fn after_segment(&mut self, place: u32, before: State, after: State, seen: &Seen, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("the flow is there until it is freed");
        if after == State::Closed && before != State::Closed {
            if before != State::LastAck || seen.has(RST) {
                flow.error = Some(match before {
                    State::SynSent => SocketError::Refused,
                    State::CloseWait => SocketError::BrokenPipe,
                    _ => SocketError::Reset,
                });
            }
            self.take_made(place, cx);
            return self.finish_flow(place, cx);
        }
        if after == State::Listen {
            // RST in answer to SYN+ACK.
            self.take_made(place, cx);
            return self.free_place(place, cx);
        }
        if after == State::TimeWait {
            self.drain(place, cx);
            return self.keep_time_wait(place, cx);
        }
        if before == State::SynSent && after == State::Established {
            flow.give_up = Instant::NEVER;
        }
        if after == State::FinWait2 && flow.is_orphan {
            flow.give_up = cx.now + FIN_PATIENCE;
        }
        if let Role::Embryo(listener) = flow.role
            && matches!(after, State::Established | State::CloseWait)
        {
            flow.role = Role::Queued(listener);
            flow.give_up = Instant::NEVER;
            let (id, owner, port) = (flow.id, flow.owner, flow.key.local.port);
            cx.note(Why::Accepted { port });
            if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                listener.embryos = listener.embryos.saturating_sub(1);
                listener.queue.push_back(id);
                let event = Event { owner, socket: listener.id, cause: cx.cause, packet: cx.packet };
                self.events.push(event);
            }
        }
        let flow = self.places[place as usize].flow.as_mut().expect("the flow is there until it is freed");
        // The process is about to close, most likely: its FIN then carries the acknowledgement.
        if after == State::CloseWait && before == State::Established && self.made.is_empty() {
            if !flow.is_put_off {
                flow.is_put_off = true;
                self.put_off.push(place);
            }
            return;
        }
        self.drain(place, cx);
    }

    fn deliver_datagram(&mut self, packet: Packet, cx: &mut Cx) -> Delivery {
        let ip = packet.ip();
        let (source, destination) = (ip.src_addr(), ip.dst_addr());
        let Ok(udp) = UdpPacket::new_checked(packet.payload()) else {
            drop_packet(packet, Why::Malformed, cx);
            return Delivery::Taken;
        };
        if udp.checksum() != 0 && !udp.verify_checksum(&IpAddress::Ipv4(source), &IpAddress::Ipv4(destination)) {
            drop_packet(packet, Why::BadTransportChecksum, cx);
            return Delivery::Taken;
        }
        let local = SocketAddr { address: destination, port: udp.dst_port() };
        let remote = SocketAddr { address: source, port: udp.src_port() };
        let anywhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: local.port };
        let id = self.bound.get(&local).or_else(|| self.bound.get(&anywhere)).copied();
        let is_for = |id: &SocketId| {
            let socket = self.udp.iter().find(|socket| socket.id == *id);
            socket.is_some_and(|socket| socket.peer.is_none_or(|peer| peer == remote))
        };
        let Some(id) = id.filter(is_for) else {
            cx.note(Why::NoListener { port: local.port });
            return Delivery::NoListener(packet);
        };
        cx.note(Why::Delivered { port: local.port });
        let bytes = udp.payload().to_vec();
        let (cause, packet_id) = (cx.cause, packet.buffer().packet);
        let socket = self.udp.iter_mut().find(|socket| socket.id == id).expect("bound names sockets that are there");
        if socket.queue.push(bytes.len(), (bytes, remote)) {
            self.events.push(Event { owner: socket.owner, socket: id, cause, packet: packet_id });
        }
        cx.recycle(packet.into_buffer());
        Delivery::Taken
    }

    fn copy_to_raw(&mut self, packet: &Packet, cx: &mut Cx) {
        let protocol = u8::from(packet.ip().next_header());
        for socket in self.raw.iter_mut().filter(|socket| socket.protocol == protocol) {
            if socket.queue.push(packet.bytes().len(), packet.bytes().to_vec()) {
                self.events.push(Event {
                    owner: socket.owner,
                    socket: socket.id,
                    cause: cx.cause,
                    packet: packet.buffer().packet,
                });
            }
        }
    }

    /// An ICMP error about a packet of this host's own came in. `flow` is as the quoted packet shows it: its source is
    /// this host. `mtu` is of 3/4 only.
    pub fn icmp_error(&mut self, flow: FlowOnWire, kind: u8, code: u8, mtu: u32, cx: &mut Cx) {
        if flow.transport == Transport::Udp {
            return;
        }
        let key = FlowKey { local: flow.source, remote: flow.destination };
        let Some(place) = self.flows.get(&key).copied() else { return };
        let flow = self.places[place as usize].flow.as_mut().expect("the index names places with a flow");
        if (kind, code) == (3, 4) {
            // Linux `min_pmtu`: no lower, however small a value is claimed.
            let mtu = mtu.max(552);
            if mtu < flow.mtu {
                flow.mtu = mtu;
                self.drain(place, cx);
            }
            return;
        }
        if flow.state() != State::SynSent {
            return;
        }
        let error = match (kind, code) {
            (3, 0 | 6 | 11) => SocketError::NetUnreachable,
            (3, 2 | 3) => SocketError::Refused,
            (3 | 11, _) => SocketError::HostUnreachable,
            _ => return,
        };
        flow.error = Some(error);
        flow.last = (cx.cause, cx.packet);
        self.tell(place);
        self.finish_flow(place, cx);
    }

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
        if flow.deadline <= cx.now {
            self.drain(place, cx);
        } else {
            self.arm(place);
        }
    }

    // ── flows ──

    /// Lets a flow send what it can, and notes when it wants to be called again.
    fn drain(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that is driven is there");
        let before = cx.context();
        (cx.cause, cx.packet) = flow.last;
        cx.stage = Stage::Socket;
        let (mtu, made) = (flow.mtu, &mut self.made);
        flow.deadline = self.stacks.drain(mtu, flow.set_mut(), made, cx);
        self.take_made(place, cx);
        self.arm(place);
        cx.resume(before);
    }

    /// Moves what smoltcp made into the queue of packets to be sent.
    fn take_made(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that is driven is there");
        for packet in self.made.drain(..) {
            self.outgoing.push_back(flow.finish(packet, cx));
        }
    }

    fn arm(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        let Some(flow) = &place.flow else { return };
        let due = flow.deadline.min(flow.give_up);
        if due < place.armed {
            place.armed = due;
            self.timers.push(Reverse((due, index)));
        }
    }

    fn begin(&mut self, beginning: Beginning, cx: &mut Cx) -> u32 {
        let mut flow = self.pool.pop().unwrap_or_else(Flow::blank);
        flow.begin(beginning, cx);
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize].flow = Some(flow);
                place
            }
            None => {
                self.places.push(Place { flow: Some(flow), armed: Instant::NEVER });
                self.places.len() as u32 - 1
            }
        };
        self.flows.insert(beginning.key, place);
        self.kinds.insert(beginning.id, Kind::Flow(place));
        place
    }

    /// The connection is over: nothing more is received. The place is freed as soon as its process lets go.
    fn finish_flow(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that ends is there");
        flow.is_over = true;
        flow.deadline = Instant::NEVER;
        flow.give_up = Instant::NEVER;
        self.flows.remove(&flow.key);
        let is_held = !flow.is_orphan && matches!(flow.role, Role::Client | Role::Accepted | Role::Queued(_));
        if !is_held {
            self.free_place(place, cx);
        }
    }

    fn keep_time_wait(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_ref().expect("a flow that ends is there");
        let record = TimeWait {
            expires: cx.now,
            next_seq: flow.next_seq,
            next_ack: flow.next_ack,
            window: flow.window,
            peer_timestamp: flow.peer_timestamp,
            timestamp_offset: flow.timestamp_offset,
        };
        self.time_waits.insert(flow.key, record, cx.now);
        self.finish_flow(place, cx);
    }

    /// Takes a flow out altogether.
    fn free_place(&mut self, index: u32, _cx: &mut Cx) {
        let Some(mut flow) = self.places[index as usize].flow.take() else { return };
        if self.flows.get(&flow.key) == Some(&index) {
            self.flows.remove(&flow.key);
        }
        self.kinds.remove(&flow.id);
        match flow.role {
            Role::Embryo(listener) => {
                if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                    listener.embryos = listener.embryos.saturating_sub(1);
                }
            }
            Role::Queued(listener) => {
                if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                    listener.queue.retain(|waiting| *waiting != flow.id);
                }
            }
            Role::Client | Role::Accepted => {
                if !flow.is_orphan {
                    self.let_go(flow.owner);
                }
            }
        }
        if self.pool.len() < POOL_MAX && !flow.had_loss {
            flow.is_put_off = false;
            self.pool.push(flow);
        }
        self.free.push(index);
    }

    fn tell(&mut self, place: u32) {
        let Some(flow) = &self.places[place as usize].flow else { return };
        if !flow.is_orphan && matches!(flow.role, Role::Client | Role::Accepted) {
            let (cause, packet) = flow.last;
            self.events.push(Event { owner: flow.owner, socket: flow.id, cause, packet });
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
