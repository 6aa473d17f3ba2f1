//! UDP and raw sockets: queues of datagrams, and the packets that carry them.

use crate::base::id::{IfaceId, Pid};
use crate::kernel::socket::{Event, SocketError, SocketId};
use crate::wire::flow::SocketAddr;
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use smoltcp::wire::{IpAddress, Ipv4Packet, UdpPacket};
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// Octets that wait at one socket, at most (Linux `rmem_default`).
const QUEUE_MAX: usize = 212_992;

/// What a datagram costs in the queue beyond its octets, so that empty ones are bounded too.
const OVERHEAD: usize = 256;

/// A UDP socket.
#[derive(Debug)]
pub(super) struct Udp {
    pub(super) id: SocketId,
    pub(super) owner: Pid,
    pub(super) local: SocketAddr,
    /// Whom it is connected to: datagrams of others are not for it.
    pub(super) peer: Option<SocketAddr>,
    /// What an ICMP message said of a datagram of a connected socket, until somebody asks.
    pub(super) error: Option<SocketError>,
    pub(super) queue: Queue<(Vec<u8>, SocketAddr)>,
    pub(super) multicast: Multicast,
}

/// A raw socket: copies of every packet of one protocol.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) id: SocketId,
    pub(super) owner: Pid,
    pub(super) protocol: u8,
    /// Only packets that came by this interface (`SO_BINDTODEVICE`).
    pub(super) device: Option<IfaceId>,
    pub(super) queue: Queue<Vec<u8>>,
    pub(super) multicast: Multicast,
}

/// How a socket sends to groups, and which it has joined.
#[derive(Debug)]
pub(super) struct Multicast {
    /// `IP_MULTICAST_IF`; none: by route.
    pub(super) iface: Option<IfaceId>,
    /// `IP_MULTICAST_TTL`.
    pub(super) ttl: u8,
    /// `IP_MULTICAST_LOOP`.
    pub(super) loops: bool,
    pub(super) joined: Vec<(IfaceId, Ipv4Addr)>,
}

impl Default for Multicast {
    fn default() -> Self {
        Multicast { iface: None, ttl: 1, loops: true, joined: Vec::new() }
    }
}

/// Where a packet of a socket must leave, and whether this host hears it too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exit {
    pub(super) oif: Option<IfaceId>,
    pub(super) loops: bool,
}

/// What waits at a socket.
#[derive(Debug)]
pub(super) struct Queue<T> {
    list: VecDeque<(usize, T)>,
    used: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { list: VecDeque::new(), used: 0 }
    }
}

impl<T> Queue<T> {
    /// Whether there was room.
    pub(super) fn push(&mut self, octets: usize, value: T) -> bool {
        let cost = octets + OVERHEAD;
        if self.used + cost > QUEUE_MAX {
            return false;
        }
        self.used += cost;
        self.list.push_back((cost, value));
        true
    }

    /// The oldest; if there are more, the socket stays ready.
    pub(super) fn take(&mut self, owner: Pid, socket: SocketId, events: &mut Vec<Event>) -> Option<T> {
        let (cost, value) = self.list.pop_front()?;
        self.used -= cost;
        if !self.list.is_empty() {
            events.push(Event::more(owner, socket));
        }
        Some(value)
    }
}

/// The IPv4 header of a packet of this host's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) ttl: u8,
    pub(super) id: u16,
    pub(super) dont_fragment: bool,
}

/// A packet with this header and payload.
pub(super) fn packet(header: Header, payload: &[u8], cx: &mut Cx) -> Packet {
    const IP_HEADER: usize = 20;
    let whole = IP_HEADER + payload.len();
    let mut packet = Packet::new(cx.new_buffer(whole));
    packet.buffer_mut().cause = cx.cause;
    let bytes = packet.bytes_mut();
    bytes[0] = 0x45;
    bytes[2..4].copy_from_slice(&(whole as u16).to_be_bytes());
    bytes[4..6].copy_from_slice(&header.id.to_be_bytes());
    bytes[6] = if header.dont_fragment { 0x40 } else { 0 };
    bytes[8] = header.ttl;
    bytes[9] = header.protocol;
    bytes[12..16].copy_from_slice(&header.source.octets());
    bytes[16..20].copy_from_slice(&header.destination.octets());
    bytes[IP_HEADER..].copy_from_slice(payload);
    Ipv4Packet::new_unchecked(bytes).fill_checksum();
    packet
}

/// A packet as a process wrote it, with what the kernel fills in.
pub(super) fn with_header(bytes: &[u8], source: Ipv4Addr, id: u16, cx: &mut Cx) -> Packet {
    let mut packet = Packet::new(cx.new_buffer(bytes.len()));
    packet.buffer_mut().cause = cx.cause;
    let place = packet.bytes_mut();
    place.copy_from_slice(bytes);
    place[2..4].copy_from_slice(&(bytes.len() as u16).to_be_bytes());
    place[4..6].copy_from_slice(&id.to_be_bytes());
    place[12..16].copy_from_slice(&source.octets());
    Ipv4Packet::new_unchecked(place).fill_checksum();
    packet
}

/// A UDP datagram, its checksum filled in.
pub(super) fn datagram(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    const HEADER: usize = 8;
    let mut bytes = vec![0; HEADER + payload.len()];
    let length = bytes.len() as u16;
    bytes[0..2].copy_from_slice(&source.port.to_be_bytes());
    bytes[2..4].copy_from_slice(&destination.port.to_be_bytes());
    bytes[4..6].copy_from_slice(&length.to_be_bytes());
    bytes[HEADER..].copy_from_slice(payload);
    UdpPacket::new_unchecked(&mut bytes[..])
        .fill_checksum(&IpAddress::Ipv4(source.address), &IpAddress::Ipv4(destination.address));
    bytes
}
