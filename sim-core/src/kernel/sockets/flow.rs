//! One end of a TCP connection: a smoltcp socket in a set of its own, and what smoltcp does not keep.

use super::retransmission::Retransmission;
use super::segment::{self, Bare, Finish, SYN, TIMESTAMP_ROOM};
use super::stack::{self, Leaps};
use crate::base::id::{EventId, PacketId, Pid};
use crate::base::time::Instant;
use crate::kernel::socket::{SocketError, SocketId};
use crate::wire::flow::SocketAddr;
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::wire::TcpPacket;
use std::hash::{Hash, Hasher};

/// Octets of each buffer.
const BUFFER: usize = 65_535;

/// Octets that are asked of the allocator for a buffer: from this size on it hands out zero pages that take memory only
/// when they are written, so that 10,000 flows which carry little are cheap. (Smaller pieces are cleared, and so taken
/// whole.)
const LAZY: usize = 256 * 1024;

/// The window scale Linux offers with its default buffers (`tcp_rmem`).
pub(super) const SCALE: u8 = 7;

/// Segments with data that are acknowledged at once, before acknowledgements are delayed (Linux `TCP_MAX_QUICKACKS`).
const QUICK_ACKS: u8 = 16;

/// What names a flow: this host's end and the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FlowKey {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
}

/// In two words: this is the hottest lookup of a host.
impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (local, remote) = (self.local, self.remote);
        state.write_u64(u64::from(local.address.to_bits()) << 32 | u64::from(remote.address.to_bits()));
        state.write_u32(u32::from(local.port) << 16 | u32::from(remote.port));
    }
}

/// How a flow came about, and how far it is in the hands of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// This host connects, or did.
    Client,
    /// A listener got a SYN; the handshake is not complete.
    Embryo(SocketId),
    /// The handshake is complete; nobody has taken the connection yet.
    Queued(SocketId),
    /// A process took it.
    Accepted,
}

/// One end of a connection.
pub(super) struct Flow {
    pub(super) id: SocketId,
    pub(super) owner: Pid,
    pub(super) key: FlowKey,
    pub(super) role: Role,
    pub(super) mtu: u32,
    set: SocketSet<'static>,
    handle: SocketHandle,
    /// What the process is told once, and why nothing more happens.
    pub(super) error: Option<SocketError>,
    /// The process has closed it; the rest is the kernel's affair.
    pub(super) is_orphan: bool,
    /// Nothing more will be sent or received: smoltcp's socket is done with.
    pub(super) is_over: bool,
    pub(super) wants_room: bool,
    /// What came last, to name as the parent of what is sent.
    pub(super) last: (EventId, PacketId),
    pub(super) heard: Instant,
    /// When the neighbour on the way was last known to work from this flow's acknowledgements.
    pub(super) confirmed: Instant,
    /// When the flow is given up, whatever smoltcp says.
    pub(super) give_up: Instant,
    /// When smoltcp wants to be called again.
    pub(super) deadline: Instant,
    pub(super) retransmission: Retransmission,
    /// How far smoltcp's clock has been moved on.
    pub(super) leaps: Leaps,
    pub(super) is_put_off: bool,
    /// A segment was sent twice, or out of order came in: the socket is not used again.
    pub(super) had_loss: bool,
    pub(super) next_seq: u32,
    pub(super) next_ack: u32,
    pub(super) window: u16,
    pub(super) peer_timestamp: Option<u32>,
    /// Who the other end is by its TOA, for programs that ask.
    pub(super) introduced: Option<SocketAddr>,
    pub(super) timestamp_offset: u32,
    is_scaled: bool,
    has_sent: bool,
    id_of_next: u16,
    /// What the first window falls short of the buffer.
    shortfall: u32,
    quick_acks: u8,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("key", &self.key).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What a new flow is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning {
    pub(super) id: SocketId,
    pub(super) owner: Pid,
    pub(super) key: FlowKey,
    pub(super) role: Role,
    pub(super) mtu: u32,
    pub(super) give_up: Instant,
    pub(super) last: (EventId, PacketId),
}

impl Flow {
    /// A flow that does nothing yet, with buffers.
    pub(super) fn blank() -> Box<Flow> {
        let buffer = || {
            let mut pages = vec![0; LAZY];
            pages.truncate(BUFFER);
            SocketBuffer::new(pages)
        };
        let mut set = SocketSet::new(Vec::with_capacity(1));
        let handle = set.add(Socket::new(buffer(), buffer()));
        let nowhere = SocketAddr { address: std::net::Ipv4Addr::UNSPECIFIED, port: 0 };
        Box::new(Flow {
            id: SocketId(0),
            owner: Pid(0),
            key: FlowKey { local: nowhere, remote: nowhere },
            role: Role::Client,
            mtu: 0,
            set,
            handle,
            error: None,
            is_orphan: false,
            is_over: false,
            wants_room: false,
            last: (EventId::NONE, PacketId::NONE),
            heard: Instant::ZERO,
            confirmed: Instant::ZERO,
            give_up: Instant::NEVER,
            deadline: Instant::NEVER,
            retransmission: Retransmission::new(),
            leaps: Leaps::default(),
            is_put_off: false,
            had_loss: false,
            next_seq: 0,
            next_ack: 0,
            window: 0,
            peer_timestamp: None,
            introduced: None,
            timestamp_offset: 0,
            is_scaled: true,
            has_sent: false,
            id_of_next: 0,
            shortfall: 0,
            quick_acks: 0,
        })
    }

    /// Makes a blank or used flow new.
    pub(super) fn begin(&mut self, beginning: Beginning, cx: &mut Cx) {
        let Beginning { id, owner, key, role, mtu, give_up, last } = beginning;
        let chance = cx.rng.u64();
        let mss = mtu.saturating_sub(40).max(48);
        // Linux rounds its first window down to whole segments: without time stamps in a SYN, with them in its answer.
        let unit = if role == Role::Client { mss } else { mss - TIMESTAMP_ROOM };
        let window = (BUFFER as u32 / unit * unit).max(unit.min(BUFFER as u32));
        self.id = id;
        self.owner = owner;
        self.key = key;
        self.role = role;
        self.mtu = mtu;
        self.error = None;
        self.is_orphan = false;
        self.is_over = false;
        self.wants_room = false;
        self.last = last;
        self.heard = cx.now;
        self.confirmed = Instant::NEVER;
        self.give_up = give_up;
        self.deadline = Instant::NEVER;
        self.retransmission = Retransmission::new();
        self.is_put_off = false;
        self.had_loss = false;
        self.next_seq = 0;
        self.next_ack = 0;
        self.window = 0;
        self.peer_timestamp = None;
        self.introduced = None;
        self.timestamp_offset = chance as u32;
        self.is_scaled = true;
        self.has_sent = false;
        self.id_of_next = (chance >> 32) as u16;
        self.shortfall = BUFFER as u32 - window;
        self.quick_acks = 0;
        let socket = self.tcp_mut();
        if socket.is_open() {
            socket.abort();
        }
        socket.set_tsval_generator(Some(placeholder_timestamp));
        socket.set_congestion_control(CongestionControl::Reno);
        socket.set_ack_delay(None);
        socket.set_nagle_enabled(true);
        socket.set_timeout(None);
        socket.set_keep_alive(None);
        socket.set_hop_limit(None);
    }

    pub(super) fn tcp(&self) -> &Socket<'static> {
        self.set.get(self.handle)
    }

    pub(super) fn tcp_mut(&mut self) -> &mut Socket<'static> {
        self.set.get_mut(self.handle)
    }

    pub(super) fn set_mut(&mut self) -> &mut SocketSet<'static> {
        &mut self.set
    }

    pub(super) fn state(&self) -> State {
        self.tcp().state()
    }

    /// The other end does not scale windows.
    pub(super) fn do_not_scale(&mut self) {
        self.is_scaled = false;
    }

    /// A segment with data came in: after the first ones, acknowledgements are delayed.
    pub(super) fn count_data(&mut self) {
        if self.quick_acks < QUICK_ACKS {
            self.quick_acks += 1;
            if self.quick_acks == QUICK_ACKS {
                self.tcp_mut().set_ack_delay(Some(stack::ACK_DELAY));
            }
        }
    }

    /// Whether something waits for the other end: an answer, or room.
    pub(super) fn waits(&self) -> bool {
        let states = [State::SynSent, State::SynReceived, State::FinWait1, State::Closing, State::LastAck];
        self.tcp().send_queue() > 0 || states.contains(&self.state())
    }

    /// Gives a segment that smoltcp made Linux's looks, and notes how far the connection is.
    pub(super) fn finish(&mut self, packet: Packet, cx: &mut Cx) -> Packet {
        let (flags, seq, ack, length, free) = {
            let tcp = TcpPacket::new_unchecked(packet.payload());
            let flags = packet.payload()[13];
            let scaled = u32::from(tcp.window_len());
            let free = scaled.saturating_sub(self.shortfall);
            (flags, tcp.seq_number().0 as u32, tcp.ack_number().0 as u32, tcp.segment_len() as u32, free)
        };
        let end = seq.wrapping_add(length);
        if self.has_sent && length > 0 && end.wrapping_sub(self.next_seq) as i32 <= 0 {
            self.had_loss = true;
        }
        if !self.has_sent || end.wrapping_sub(self.next_seq) as i32 > 0 {
            self.next_seq = end;
        }
        self.has_sent = true;
        if length > 0 {
            self.retransmission.sent(seq, length, cx.now);
        }
        if flags & segment::ACK != 0 {
            self.next_ack = ack;
        }
        let id = if flags & (SYN | segment::ACK) == SYN | segment::ACK { 0 } else { self.next_id() };
        let finish =
            Finish { id, timestamp: self.timestamp(cx.now), scale: SCALE, window: free, is_scaled: self.is_scaled };
        let packet = segment::finish(packet, finish, cx);
        self.window = TcpPacket::new_unchecked(packet.payload()).window_len();
        packet
    }

    /// The last acknowledgement once more.
    pub(super) fn acknowledge_again(&mut self, now: Instant) -> Bare {
        Bare {
            source: self.key.local,
            destination: self.key.remote,
            flags: segment::ACK,
            seq: self.next_seq,
            ack: self.next_ack,
            window: self.window,
            timestamp: self.peer_timestamp.map(|echo| (self.timestamp(now), echo)),
            id: self.next_id(),
        }
    }

    fn timestamp(&self, now: Instant) -> u32 {
        (now.millis() as u32).wrapping_add(self.timestamp_offset)
    }

    fn next_id(&mut self) -> u16 {
        let id = self.id_of_next;
        self.id_of_next = id.wrapping_add(1);
        id
    }
}

/// smoltcp asks for a time stamp without saying the time; the real one is written by [`segment::finish`].
fn placeholder_timestamp() -> u32 {
    0
}
