//! A station: a puppet that holds TCP and UDP conversations like the programs of the recordings did, and no more. It
//! answers and asks by ARP, opens connections by a real handshake, takes them, closes them with FIN or RST.
//!
//! One kind serves as client and as server: what it does by itself is in its list of [`Errand`]s.

use super::segment::{ACK, Arp, FIN, PSH, Packet, RST, SYN};
use sim_core::base::id::{PacketId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::base::wheel;
use sim_core::wire::flow::{Flow, SocketAddr, Transport};
use sim_core::wire::frame::Frame;
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::node::{Action, Cx, Node, Outbox};
use std::collections::BTreeMap;

/// Something a station does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Opens a connection from the first end to the second.
    Open(SocketAddr, SocketAddr),
    /// Sends a datagram from the first end to the second.
    Datagram(SocketAddr, SocketAddr),
    /// Closes the connection between this end of a client and that of a service, if it has it: with FIN.
    Close(SocketAddr, SocketAddr),
    /// Closes it with RST.
    Reset(SocketAddr, SocketAddr),
}

/// How far a connection is, or what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// SYN sent, nothing heard.
    Asking,
    /// SYN came, SYN+ACK sent.
    Asked,
    /// Both know.
    Open,
    /// Our FIN is sent.
    Closing,
    /// Refused: RST, or ICMP unreachable.
    Refused,
    /// Over.
    Closed,
}

/// A station on a LAN.
#[derive(Debug)]
pub struct Station {
    port: PortId,
    mac: Mac,
    address: Ipv4Addr,
    /// Where packets go that are not for the LAN `address/24`: `(network /16, router)`.
    routes: Vec<(Ipv4Addr, Ipv4Addr)>,
    serves: bool,
    errands: Vec<(Instant, Errand)>,
    next: usize,
    neighbours: BTreeMap<Ipv4Addr, Mac>,
    waiting: Vec<(Ipv4Addr, Vec<u8>)>,
    connections: BTreeMap<Flow, Connection>,
    /// When each connection of a flow began, and whether it came about.
    attempts: BTreeMap<Flow, Vec<(Instant, Progress)>>,
    datagrams: Vec<(Instant, SocketAddr)>,
    /// FINs that are sent again unless the other end closes: when, which, how long after the last time.
    unanswered: BTreeMap<(Instant, Flow), Wait>,
}

/// How long a FIN waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// Until the probe.
    Probe,
    /// Until it is sent again.
    Retry(Duration),
}

/// A FIN is sent again after this as a probe for losses, after this once more, then after twice as long each time (Linux:
/// the smallest RTO, `tcp_orphan_retries`).
const FIRST_RETRY: Duration = Duration::from_millis(204);
const LAST_RETRY: Duration = Duration::from_secs(27);

#[derive(Debug)]
struct Connection {
    progress: Progress,
    seq: u32,
    ack: u32,
    /// The other end has our FIN.
    finished: bool,
    /// We ended it with RST.
    reset: bool,
}

impl Station {
    /// A station; `serves` takes every connection that is asked for, and closes when the client has.
    pub fn new(port: PortId, mac: Mac, address: Ipv4Addr, routes: Vec<(Ipv4Addr, Ipv4Addr)>, serves: bool) -> Self {
        Station {
            port,
            mac,
            address,
            routes,
            serves,
            errands: Vec::new(),
            next: 0,
            neighbours: BTreeMap::new(),
            waiting: Vec::new(),
            connections: BTreeMap::new(),
            attempts: BTreeMap::new(),
            datagrams: Vec::new(),
            unanswered: BTreeMap::new(),
        }
    }

    /// What it does by itself, in order of time.
    pub fn with_errands(mut self, errands: Vec<(Instant, Errand)>) -> Self {
        self.errands = errands;
        self
    }

    /// What became of the last attempt of `client` that began before `until`: open, refused, or still asking.
    pub fn answer(&self, client: SocketAddr, service: SocketAddr, until: Instant) -> Option<Progress> {
        let flow = Flow { transport: Transport::Tcp, source: client, destination: service };
        let attempts = self.attempts.get(&flow)?;
        attempts.iter().rev().find(|(began, ..)| *began < until).map(|(.., progress)| *progress)
    }

    /// Whether this server took the last connection of `client` that began before `until`, and within a second of it.
    pub fn took(&self, client: SocketAddr, service: SocketAddr, from: Instant, until: Instant) -> bool {
        let flow = Flow { transport: Transport::Tcp, source: service, destination: client };
        let attempts = self.attempts.get(&flow).into_iter().flatten();
        attempts.into_iter().any(|(began, progress)| from <= *began && *began < until && *progress == Progress::Open)
    }

    /// The datagrams that came, with their sender.
    pub fn datagrams(&self) -> &[(Instant, SocketAddr)] {
        &self.datagrams
    }

    fn do_errand(&mut self, errand: Errand, out: &mut Outbox, now: Instant) {
        match errand {
            Errand::Open(client, service) => {
                let flow = Flow { transport: Transport::Tcp, source: client, destination: service };
                let seq = first_sequence(flow);
                self.connections.insert(
                    flow,
                    Connection { progress: Progress::Asking, seq: seq + 1, ack: 0, finished: false, reset: false },
                );
                self.attempts.entry(flow).or_default().push((now, Progress::Asking));
                self.send_segment(flow, SYN, seq, 0, out);
            }
            Errand::Datagram(client, service) => {
                let flow = Flow { transport: Transport::Udp, source: client, destination: service };
                let mut udp = vec![0; 8];
                udp[0..2].copy_from_slice(&client.port.to_be_bytes());
                udp[2..4].copy_from_slice(&service.port.to_be_bytes());
                udp.extend_from_slice(b"datagram");
                let length = udp.len() as u16;
                udp[4..6].copy_from_slice(&length.to_be_bytes());
                self.send_packet(flow, udp, out);
            }
            Errand::Close(client, service) => self.finish(client, service, FIN | ACK, out, now),
            Errand::Reset(client, service) => self.finish(client, service, RST | ACK, out, now),
        }
    }

    fn finish(&mut self, client: SocketAddr, service: SocketAddr, flags: u8, out: &mut Outbox, now: Instant) {
        let asked = Flow { transport: Transport::Tcp, source: client, destination: service };
        for flow in [asked, asked.reversed()] {
            let Some(connection) = self.connections.get_mut(&flow).filter(|c| c.progress == Progress::Open) else {
                continue;
            };
            let (seq, ack) = (connection.seq, connection.ack);
            connection.progress = if flags & RST != 0 { Progress::Closed } else { Progress::Closing };
            connection.reset = flags & RST != 0;
            connection.seq += u32::from(flags & FIN != 0);
            if flags & FIN != 0 {
                self.unanswered.insert((now + FIRST_RETRY, flow), Wait::Probe);
            }
            self.send_segment(flow, flags, seq, ack, out);
        }
    }

    /// Sends FINs again that nobody has answered.
    fn retry(&mut self, out: &mut Outbox, now: Instant) {
        while let Some(entry) = self.unanswered.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, flow), waited) = entry.remove_entry();
            let is_ending = |c: &&Connection| matches!(c.progress, Progress::Closing | Progress::Closed);
            let closing = self.connections.get(&flow).filter(is_ending).filter(|c| !c.finished && !c.reset);
            let Some(connection) = closing else { continue };
            let next = match waited {
                Wait::Probe => FIRST_RETRY,
                Wait::Retry(waited) => waited.times(2),
            };
            if next <= LAST_RETRY {
                self.unanswered.insert((wheel::again(now, next), flow), Wait::Retry(next));
            }
            let (seq, ack) = (connection.seq.wrapping_sub(1), connection.ack);
            self.send_segment(flow, FIN | ACK, seq, ack, out);
        }
    }

    fn take_segment(&mut self, flow: Flow, frame: &[u8], out: &mut Outbox, now: Instant) {
        let Some(tcp) = Packet::of(frame).and_then(|packet| packet.tcp) else {
            return;
        };
        let ours = flow.reversed();
        let length = segment_length(frame);
        if tcp.flags & (SYN | ACK) == SYN && self.serves {
            let seq = first_sequence(ours);
            let connection =
                Connection { progress: Progress::Asked, seq: seq + 1, ack: tcp.seq + 1, finished: false, reset: false };
            self.connections.insert(ours, connection);
            self.attempts.entry(ours).or_default().push((now, Progress::Asked));
            return self.send_segment(ours, SYN | ACK, seq, tcp.seq + 1, out);
        }
        let Some(connection) = self.connections.get_mut(&ours) else {
            return;
        };
        if tcp.flags & RST != 0 {
            let refused = connection.progress == Progress::Asking;
            connection.progress = if refused { Progress::Refused } else { Progress::Closed };
            connection.reset = true;
            if refused {
                self.settle(ours, Progress::Refused);
            }
            return;
        }
        let was = connection.progress;
        let is_ending = matches!(was, Progress::Closing | Progress::Closed);
        connection.finished |= is_ending && tcp.flags & ACK != 0 && tcp.ack == connection.seq;
        match was {
            Progress::Asking if tcp.flags & (SYN | ACK) == SYN | ACK => {
                connection.progress = Progress::Open;
                connection.ack = tcp.seq + 1;
                let (seq, ack) = (connection.seq, connection.ack);
                self.settle(ours, Progress::Open);
                return self.send_segment(ours, ACK, seq, ack, out);
            }
            Progress::Asked => {
                connection.progress = Progress::Open;
                self.settle(ours, Progress::Open);
            }
            Progress::Open | Progress::Closing => {}
            // A FIN that is sent again: acknowledged again, or answered with RST where nothing is left.
            Progress::Closed if tcp.flags & FIN != 0 => {
                let (flags, seq, ack) =
                    if connection.reset { (RST, tcp.ack, 0) } else { (ACK, connection.seq, connection.ack) };
                return self.send_segment(ours, flags, seq, ack, out);
            }
            Progress::Asking | Progress::Refused | Progress::Closed => return,
        }
        if tcp.flags & FIN == 0 {
            return;
        }
        let connection = self.connections.get_mut(&ours).expect("the connection was looked up above");
        connection.ack = tcp.seq + length + 1;
        let (seq, ack) = (connection.seq, connection.ack);
        let answers_with_fin = was != Progress::Closing;
        connection.progress = if answers_with_fin { Progress::Closing } else { Progress::Closed };
        connection.seq += u32::from(answers_with_fin);
        self.send_segment(ours, ACK, seq, ack, out);
        if answers_with_fin {
            // The program reads the end of the stream and closes too.
            self.unanswered.insert((now + FIRST_RETRY, ours), Wait::Probe);
            self.send_segment(ours, FIN | ACK, seq, ack, out);
        }
    }

    /// An ICMP unreachable ends the connection that it quotes.
    fn take_icmp(&mut self, frame: &[u8]) {
        const ETHERNET: usize = 14;
        const UNREACHABLE: u8 = 3;
        let payload = ETHERNET + usize::from(frame[ETHERNET] & 0x0f) * 4;
        if frame.get(payload) != Some(&UNREACHABLE) || frame.len() < payload + 8 + 20 + 4 {
            return;
        }
        let quoted = &frame[payload + 8..];
        let ports = usize::from(quoted[0] & 0x0f) * 4;
        let end = |at: usize, port: usize| SocketAddr {
            address: Ipv4Addr::new(quoted[at], quoted[at + 1], quoted[at + 2], quoted[at + 3]),
            port: u16::from_be_bytes([quoted[ports + port], quoted[ports + port + 1]]),
        };
        let flow = Flow { transport: Transport::Tcp, source: end(12, 0), destination: end(16, 2) };
        if let Some(connection) = self.connections.get_mut(&flow).filter(|c| c.progress == Progress::Asking) {
            connection.progress = Progress::Refused;
            self.settle(flow, Progress::Refused);
        }
    }

    /// Writes what became of the last attempt.
    fn settle(&mut self, flow: Flow, progress: Progress) {
        if let Some((_, last)) = self.attempts.get_mut(&flow).and_then(|attempts| attempts.last_mut()) {
            *last = progress;
        }
    }

    fn send_segment(&mut self, flow: Flow, flags: u8, seq: u32, ack: u32, out: &mut Outbox) {
        let mut tcp = vec![0; 20];
        tcp[0..2].copy_from_slice(&flow.source.port.to_be_bytes());
        tcp[2..4].copy_from_slice(&flow.destination.port.to_be_bytes());
        tcp[4..8].copy_from_slice(&seq.to_be_bytes());
        tcp[8..12].copy_from_slice(&ack.to_be_bytes());
        tcp[12] = 5 << 4;
        tcp[13] = flags & !PSH;
        tcp[14..16].copy_from_slice(&64240u16.to_be_bytes());
        self.send_packet(flow, tcp, out);
    }

    fn send_packet(&mut self, flow: Flow, mut payload: Vec<u8>, out: &mut Outbox) {
        let (protocol, checksum_at) = match flow.transport {
            Transport::Tcp => (6, 16),
            Transport::Udp => (17, 6),
        };
        let mut pseudo = [flow.source.address.octets(), flow.destination.address.octets()].concat();
        pseudo.extend_from_slice(&[0, protocol]);
        pseudo.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        pseudo.extend_from_slice(&payload);
        payload[checksum_at..checksum_at + 2].copy_from_slice(&checksum(&pseudo).to_be_bytes());
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0];
        ip.extend_from_slice(&flow.source.address.octets());
        ip.extend_from_slice(&flow.destination.address.octets());
        ip[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
        let header_checksum = checksum(&ip);
        ip[10..12].copy_from_slice(&header_checksum.to_be_bytes());
        ip.extend_from_slice(&payload);
        let next_hop = self.next_hop(flow.destination.address);
        match self.neighbours.get(&next_hop) {
            Some(mac) => self.put(*mac, 0x0800, &ip, out),
            None => {
                self.waiting.push((next_hop, ip));
                self.ask(next_hop, out);
            }
        }
    }

    fn next_hop(&self, destination: Ipv4Addr) -> Ipv4Addr {
        let wanted = destination.octets();
        let router = self.routes.iter().find(|(network, _)| network.octets()[..2] == wanted[..2]);
        match router {
            Some((_, router)) if self.address.octets()[..3] != wanted[..3] => *router,
            Some(_) | None => destination,
        }
    }

    fn ask(&mut self, target: Ipv4Addr, out: &mut Outbox) {
        let mut arp = vec![0, 1, 0x08, 0x00, 6, 4, 0, 1];
        arp.extend_from_slice(self.mac.as_bytes());
        arp.extend_from_slice(&self.address.octets());
        arp.extend_from_slice(&[0; 6]);
        arp.extend_from_slice(&target.octets());
        self.put(Mac::BROADCAST, 0x0806, &arp, out);
    }

    fn take_arp(&mut self, arp: Arp, out: &mut Outbox) {
        if arp.operation == 1 && arp.target == self.address {
            self.neighbours.insert(arp.sender, arp.sender_mac);
            let answer = arp.answer(self.mac);
            out.send(self.port, Frame::from_bytes(&answer, PacketId::NONE));
        } else if arp.operation == 2 {
            self.neighbours.insert(arp.sender, arp.sender_mac);
        }
        for (next_hop, ip) in std::mem::take(&mut self.waiting) {
            match self.neighbours.get(&next_hop) {
                Some(mac) => self.put(*mac, 0x0800, &ip, out),
                None => self.waiting.push((next_hop, ip)),
            }
        }
    }

    fn put(&self, destination: Mac, ethertype: u16, payload: &[u8], out: &mut Outbox) {
        let mut frame = [destination.0, self.mac.0].concat();
        frame.extend_from_slice(&ethertype.to_be_bytes());
        frame.extend_from_slice(payload);
        out.send(self.port, Frame::from_bytes(&frame, PacketId::NONE));
    }
}

impl Node for Station {
    fn receive(&mut self, _: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
        let bytes = frame.bytes();
        if let Some(arp) = Arp::of(bytes) {
            return self.take_arp(arp, out);
        }
        let Some(packet) = Packet::of(bytes).filter(|packet| packet.destination_mac == self.mac) else {
            return;
        };
        match packet.protocol {
            1 => self.take_icmp(bytes),
            6 | 17 => {
                let ports = 14 + usize::from(bytes[14] & 0x0f) * 4;
                let port = |at: usize| u16::from_be_bytes([bytes[ports + at], bytes[ports + at + 1]]);
                let source = SocketAddr { address: packet.source, port: port(0) };
                let destination = SocketAddr { address: packet.destination, port: port(2) };
                if packet.protocol == 17 {
                    self.datagrams.push((cx.now, source));
                } else {
                    self.take_segment(Flow { transport: Transport::Tcp, source, destination }, bytes, out, cx.now);
                }
            }
            _ => {}
        }
    }

    fn wake(&mut self, out: &mut Outbox, cx: &mut Cx) {
        while let Some((_, errand)) = self.errands.get(self.next).copied().filter(|(at, _)| *at <= cx.now) {
            self.next += 1;
            self.do_errand(errand, out, cx.now);
        }
        self.retry(out, cx.now);
    }

    fn act(&mut self, _: &Action, _: &mut Outbox, _: &mut Cx) {}

    fn next_wake(&self) -> Option<Instant> {
        let errand = self.errands.get(self.next).map(|(at, _)| *at);
        let retry = self.unanswered.first_key_value().map(|((at, _), _)| *at);
        errand.into_iter().chain(retry).min()
    }
}

/// Any number does, as long as it differs from flow to flow.
fn first_sequence(flow: Flow) -> u32 {
    u32::from(flow.source.port) << 12 | u32::from(flow.destination.port) & 0xfff
}

fn segment_length(frame: &[u8]) -> u32 {
    let header = usize::from(frame[14] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let offset = usize::from(frame[14 + header + 12] >> 4) * 4;
    total.saturating_sub(header + offset) as u32
}

/// The Internet checksum (RFC 1071).
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
