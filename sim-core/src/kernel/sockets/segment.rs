//! TCP segments as Linux writes them: the order of options, time stamps, windows, IP ids. smoltcp decides *what* is
//! sent; this file decides how it looks, and makes the segments that no socket stands behind.
//!
//! Follows Linux `net/ipv4/tcp_output.c` (`tcp_options_write`) and `ip_output.c`.

use crate::wire::checksum;
use crate::wire::flow::SocketAddr;
use crate::wire::packet::Packet;
use crate::wire::toa::{self, Toa};
use crate::world::node::Cx;
use smoltcp::wire::TcpPacket;
use std::net::Ipv4Addr;

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const ACK: u8 = 0x10;

/// TCP's protocol number.
const TCP: u8 = 6;
pub(super) const IP_HEADER: usize = 20;
pub(super) const TCP_HEADER: usize = 20;
/// Octets that time stamps take in every segment.
pub(super) const TIMESTAMP_ROOM: u32 = 12;

/// What this file needs to know of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) flags: u8,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) payload: u32,
    /// Not scaled.
    pub(super) window: u16,
    pub(super) timestamp: Option<(u32, u32)>,
    pub(super) has_scale: bool,
    /// The client that a TOA names.
    pub(super) toa: Option<SocketAddr>,
}

/// Whether the transport checksum or the header is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsound {
    Malformed,
    Checksum,
}

impl Seen {
    /// Reads a segment; its checksum is verified.
    pub(super) fn of(packet: &Packet) -> Result<Seen, Unsound> {
        let ip = packet.ip();
        let (source, destination) = (ip.src_addr(), ip.dst_addr());
        let tcp = TcpPacket::new_checked(packet.payload()).map_err(|_| Unsound::Malformed)?;
        if checksum::transport_sum(source, destination, TCP, packet.payload()) != 0xffff {
            return Err(Unsound::Checksum);
        }
        let options = Options::read(tcp.options());
        let header = usize::from(tcp.header_len());
        Ok(Seen {
            source: SocketAddr { address: source, port: tcp.src_port() },
            destination: SocketAddr { address: destination, port: tcp.dst_port() },
            flags: packet.payload()[13],
            seq: tcp.seq_number().0 as u32,
            ack: tcp.ack_number().0 as u32,
            payload: (packet.payload().len() - header) as u32,
            window: tcp.window_len(),
            timestamp: options.timestamp,
            has_scale: options.scale.is_some(),
            toa: options.toa,
        })
    }

    /// Octets of sequence space: payload, SYN and FIN.
    pub(super) fn length(&self) -> u32 {
        self.payload + u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0)
    }

    pub(super) fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

/// The options of a segment.
#[derive(Clone, Copy, Debug, Default)]
struct Options<'a> {
    mss: Option<u16>,
    scale: Option<u8>,
    sack_permitted: bool,
    timestamp: Option<(u32, u32)>,
    sack: &'a [u8],
    toa: Option<SocketAddr>,
}

impl<'a> Options<'a> {
    fn read(mut bytes: &'a [u8]) -> Options<'a> {
        let mut options = Options::default();
        while let [kind, rest @ ..] = bytes {
            match kind {
                0 => break,
                1 => {
                    bytes = rest;
                    continue;
                }
                _ => {}
            }
            let Some(length) = rest.first().map(|length| usize::from(*length)) else { break };
            if length < 2 || length > bytes.len() {
                break;
            }
            let value = &bytes[2..length];
            match (kind, value) {
                (2, [high, low]) => options.mss = Some(u16::from_be_bytes([*high, *low])),
                (3, [shift]) => options.scale = Some(*shift),
                (4, []) => options.sack_permitted = true,
                (5, blocks) => options.sack = blocks,
                (&toa::KIND, _) if options.toa.is_none() => {
                    options.toa = Toa::parse(&bytes[..length]).map(|toa| toa.client);
                }
                (8, [a, b, c, d, e, f, g, h]) => {
                    options.timestamp =
                        Some((u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h])));
                }
                _ => {}
            }
            bytes = &bytes[length..];
        }
        options
    }

    /// In Linux's order: MSS, then SACK permitted in front of the time stamps or two NOPs, then NOP and the window
    /// scale; in other segments two NOPs and the time stamps, two NOPs and SACK blocks.
    fn write(&self, out: &mut [u8; 40]) -> usize {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        if let Some(mss) = self.mss {
            put(&[2, 4]);
            put(&mss.to_be_bytes());
        }
        match self.timestamp {
            Some((value, echo)) => {
                put(if self.sack_permitted { &[4, 2] } else { &[1, 1] });
                put(&[8, 10]);
                put(&value.to_be_bytes());
                put(&echo.to_be_bytes());
            }
            None if self.sack_permitted => put(&[1, 1, 4, 2]),
            None => {}
        }
        if let Some(shift) = self.scale {
            put(&[1, 3, 3, shift]);
        }
        if !self.sack.is_empty() {
            // Three blocks fit beside time stamps.
            let blocks = self.sack.len().min(24) / 8 * 8;
            put(&[1, 1, 5, blocks as u8 + 2]);
            put(&self.sack[..blocks]);
        }
        at
    }
}

/// What is written into a segment that smoltcp made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    /// Of the IPv4 header.
    pub(super) id: u16,
    /// Our time stamp, if the segment has one.
    pub(super) timestamp: u32,
    /// The window scale we offer.
    pub(super) scale: u8,
    /// Octets of the window, before scaling.
    pub(super) window: u32,
    /// Whether the window is scaled in segments without SYN.
    pub(super) is_scaled: bool,
}

/// Gives a segment that smoltcp made Linux's looks, and its checksums.
pub(super) fn finish(mut packet: Packet, with: Finish, cx: &mut Cx) -> Packet {
    let header = usize::from(packet.bytes()[IP_HEADER + 12] >> 4) * 4;
    let flags = packet.bytes()[IP_HEADER + 13];
    let (mut options, payload_at) = {
        let bytes = packet.bytes();
        (Options::read(&bytes[IP_HEADER + TCP_HEADER..IP_HEADER + header]), IP_HEADER + header)
    };
    if let Some((value, echo)) = &mut options.timestamp {
        *value = with.timestamp;
        if flags & (SYN | ACK) == SYN {
            *echo = 0;
        }
    }
    if options.scale.is_some() {
        options.scale = Some(with.scale);
    }
    let mut text = [0; 40];
    let length = options.write(&mut text);
    if TCP_HEADER + length != header {
        let payload = packet.bytes()[payload_at..].to_vec();
        let whole = IP_HEADER + TCP_HEADER + length + payload.len();
        let mut longer = Packet::new(cx.new_buffer(whole));
        longer.bytes_mut()[..IP_HEADER + TCP_HEADER].copy_from_slice(&packet.bytes()[..IP_HEADER + TCP_HEADER]);
        longer.bytes_mut()[IP_HEADER + TCP_HEADER + length..].copy_from_slice(&payload);
        longer.buffer_mut().packet = packet.buffer().packet;
        cx.recycle(std::mem::replace(&mut packet, longer).into_buffer());
        let bytes = packet.bytes_mut();
        bytes[2..4].copy_from_slice(&(whole as u16).to_be_bytes());
        bytes[IP_HEADER + 12] = ((TCP_HEADER + length) as u8 / 4) << 4;
    }
    let is_scaled = with.is_scaled && flags & SYN == 0;
    let window = if is_scaled { with.window.div_ceil(1 << with.scale) } else { with.window };
    let bytes = packet.bytes_mut();
    bytes[IP_HEADER + TCP_HEADER..IP_HEADER + TCP_HEADER + length].copy_from_slice(&text[..length]);
    bytes[IP_HEADER + 14..IP_HEADER + 16].copy_from_slice(&(window.min(65_535) as u16).to_be_bytes());
    seal(bytes, with.id);
    packet
}

/// A segment without payload that is not smoltcp's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bare {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) flags: u8,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) window: u16,
    pub(super) timestamp: Option<(u32, u32)>,
    /// Of the IPv4 header.
    pub(super) id: u16,
}

/// Makes such a segment.
pub(super) fn bare(segment: Bare, cx: &mut Cx) -> Packet {
    let mut text = [0; 40];
    let length = Options { timestamp: segment.timestamp, ..Options::default() }.write(&mut text);
    let whole = IP_HEADER + TCP_HEADER + length;
    let mut packet = Packet::new(cx.new_buffer(whole));
    let bytes = packet.bytes_mut();
    bytes[0] = 0x45;
    bytes[2..4].copy_from_slice(&(whole as u16).to_be_bytes());
    bytes[8] = 64;
    bytes[9] = 6;
    bytes[12..16].copy_from_slice(&segment.source.address.octets());
    bytes[16..20].copy_from_slice(&segment.destination.address.octets());
    let tcp = &mut bytes[IP_HEADER..];
    tcp[0..2].copy_from_slice(&segment.source.port.to_be_bytes());
    tcp[2..4].copy_from_slice(&segment.destination.port.to_be_bytes());
    tcp[4..8].copy_from_slice(&segment.seq.to_be_bytes());
    tcp[8..12].copy_from_slice(&segment.ack.to_be_bytes());
    tcp[12] = ((TCP_HEADER + length) as u8 / 4) << 4;
    tcp[13] = segment.flags;
    tcp[14..16].copy_from_slice(&segment.window.to_be_bytes());
    tcp[TCP_HEADER..TCP_HEADER + length].copy_from_slice(&text[..length]);
    seal(bytes, segment.id);
    packet
}

/// The answer to a segment that nobody wants (RFC 9293, section 3.10.7.1). None for an RST.
pub(super) fn reset(refused: &Seen, cx: &mut Cx) -> Option<Packet> {
    if refused.has(RST) {
        return None;
    }
    let (flags, seq, ack) = if refused.has(ACK) {
        (RST, refused.ack, 0)
    } else {
        (RST | ACK, 0, refused.seq.wrapping_add(refused.length()))
    };
    let segment = Bare {
        source: refused.destination,
        destination: refused.source,
        flags,
        seq,
        ack,
        window: 0,
        timestamp: None,
        id: 0,
    };
    Some(bare(segment, cx))
}

/// Writes id and DF, and both checksums.
fn seal(bytes: &mut [u8], id: u16) {
    bytes[1] = 0;
    bytes[4..6].copy_from_slice(&id.to_be_bytes());
    bytes[6..8].copy_from_slice(&[0x40, 0]);
    bytes[10..12].fill(0);
    let header = !checksum::sum(&bytes[..IP_HEADER]);
    bytes[10..12].copy_from_slice(&header.to_be_bytes());
    let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
    let (source, destination) = (address(12), address(16));
    let tcp = &mut bytes[IP_HEADER..];
    tcp[16..18].fill(0);
    let sum = !checksum::transport_sum(source, destination, TCP, tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
}
