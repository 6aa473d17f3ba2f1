//! The only place where packets are edited; every edit mends the checksums in the same function, incrementally
//! (RFC 1624, eqn. 3), so that a checksum that was wrong stays wrong and corruption is not hidden.

pub mod segment;

use super::packet::Packet;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};
use std::net::Ipv4Addr;

/// An IPv4 header without options.
const IPV4_HEADER: usize = 20;
/// The part of a TCP header that every segment has.
const TCP_HEADER: usize = 20;
/// The longest TCP header, with options.
const TCP_HEADER_MAX: usize = 60;
const TCP_SEQUENCE: usize = 4;
const TCP_ACKNOWLEDGEMENT: usize = 8;
const TCP_FLAGS: usize = 13;
const TCP_CHECKSUM: usize = 16;
const TCP_ACK: u8 = 0x10;
/// The kind of TCP's option for selective acknowledgements (RFC 2018).
const TCP_SACK: u8 = 5;
const UDP_HEADER: usize = 8;
const ICMP_HEADER: usize = 8;
const ICMP_CHECKSUM: usize = 2;
const ECHO_IDENTIFIER: usize = 4;
const IP_LENGTH: usize = 2;
const TTL: usize = 8;
const HEADER_CHECKSUM: usize = 10;
const SOURCE: usize = 12;
const DESTINATION: usize = 16;

/// Takes one off the TTL, as forwarding does (RFC 1812, section 5.3.1).
///
/// # Panics
/// If the TTL is 0: the caller has dropped such a packet.
pub fn decrement_ttl(packet: &mut Packet) {
    let bytes = packet.head_mut(IPV4_HEADER);
    assert!(bytes[TTL] > 0, "a packet with TTL 0 is not forwarded");
    let old = word(bytes, TTL);
    bytes[TTL] -= 1;
    let new = word(bytes, TTL);
    mend(bytes, HEADER_CHECKSUM, old, new);
}

/// Makes the packet a fragment that begins at this octet, or whole; length and header checksum follow, DF stays.
pub fn set_fragment(packet: &mut Packet, offset: u16, more: bool) {
    let bytes = packet.head_mut(IPV4_HEADER);
    let mut ip = Ipv4Packet::new_unchecked(bytes);
    ip.set_more_frags(more);
    ip.set_frag_offset(offset);
    let length = packet.bytes().len() as u16;
    let header = usize::from(packet.bytes()[0] & 0x0f) * 4;
    let mut ip = Ipv4Packet::new_unchecked(packet.head_mut(header));
    ip.set_total_len(length);
    ip.fill_checksum();
}

/// Writes the source address and, if given, the source port of TCP or UDP.
pub fn set_source(packet: &mut Packet, address: Ipv4Addr, port: Option<u16>) {
    set_end(packet, SOURCE, 0, address, port);
}

/// Writes the destination address and, if given, the destination port of TCP or UDP.
pub fn set_destination(packet: &mut Packet, address: Ipv4Addr, port: Option<u16>) {
    set_end(packet, DESTINATION, 2, address, port);
}

/// Mends the checksum at `at` after the 16-bit word under it changed from `old` to `new` (RFC 1624, eqn. 3).
pub fn mend(bytes: &mut [u8], at: usize, old: u16, new: u16) {
    let sum = u32::from(!word(bytes, at)) + u32::from(!old) + u32::from(new);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    bytes[at..at + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

/// Writes the source of the packet that an ICMP error quotes: address and, if given, port. `mend_transport` mends the
/// quoted transport checksum too, if it is in the quotation.
pub fn set_quoted_source(packet: &mut Packet, address: Ipv4Addr, port: Option<u16>, mend_transport: bool) {
    set_quoted_end(packet, (SOURCE, 0), address, port, mend_transport);
}

/// Writes the destination of the packet that an ICMP error quotes, as [`set_quoted_source`] does.
pub fn set_quoted_destination(packet: &mut Packet, address: Ipv4Addr, port: Option<u16>, mend_transport: bool) {
    set_quoted_end(packet, (DESTINATION, 2), address, port, mend_transport);
}

/// Adds to the TCP sequence number of the packet that an ICMP error quotes; its own checksum is left, since most of what
/// it covers is not there.
pub fn shift_quoted_sequence(packet: &mut Packet, by: u32) {
    const SEQUENCE: usize = 4;
    let icmp = usize::from(packet.bytes()[0] & 0x0f) * 4;
    let bytes = packet.bytes_mut();
    let quoted = icmp + ICMP_HEADER;
    let Some(header) = bytes.get(quoted).map(|first| usize::from(first & 0x0f) * 4) else { return };
    let at = quoted + header + SEQUENCE;
    if bytes.len() < at + 4 || header < IPV4_HEADER || IpProtocol::from(bytes[quoted + 9]) != IpProtocol::Tcp {
        return;
    }
    let old = u32::from(word(bytes, at)) << 16 | u32::from(word(bytes, at + 2));
    let new = old.wrapping_add(by);
    write_in_icmp(bytes, icmp, at, (new >> 16) as u16);
    write_in_icmp(bytes, icmp, at + 2, new as u16);
}

/// Writes the identifier of an ICMP echo request or reply.
pub fn set_echo_identifier(packet: &mut Packet, identifier: u16) {
    let icmp = usize::from(packet.bytes()[0] & 0x0f) * 4;
    if packet.bytes().len() >= icmp + ICMP_HEADER {
        write_in_icmp(packet.bytes_mut(), icmp, icmp + ECHO_IDENTIFIER, identifier);
    }
}

/// What a TCP segment carries; nothing if its header is cut off.
pub fn tcp_payload(packet: &Packet) -> &[u8] {
    let segment = packet.payload();
    let header = segment.get(12).map_or(0, |octet| usize::from(octet >> 4) * 4);
    segment.get(header.max(TCP_HEADER)..).unwrap_or_default()
}

/// The sequence number of a TCP segment, whose header must be whole.
pub fn tcp_sequence(packet: &Packet) -> u32 {
    number(packet.payload(), TCP_SEQUENCE)
}

/// The acknowledgement number of a TCP segment, whose header must be whole.
pub fn tcp_acknowledgement(packet: &Packet) -> u32 {
    number(packet.payload(), TCP_ACKNOWLEDGEMENT)
}

/// Adds to the sequence number of a TCP segment.
pub fn shift_sequence(packet: &mut Packet, by: i32) {
    let segment = usize::from(packet.bytes()[0] & 0x0f) * 4;
    shift(packet, segment, segment + TCP_SEQUENCE, by);
}

/// Adds to the acknowledgement number of a TCP segment, if it has one, and to the blocks of its SACK option.
pub fn shift_acknowledgement(packet: &mut Packet, by: i32) {
    let segment = usize::from(packet.bytes()[0] & 0x0f) * 4;
    if packet.bytes()[segment + TCP_FLAGS] & TCP_ACK == 0 {
        return;
    }
    shift(packet, segment, segment + TCP_ACKNOWLEDGEMENT, by);
    let end = segment + usize::from(packet.bytes()[segment + 12] >> 4) * 4;
    let mut at = segment + TCP_HEADER;
    while at < end.min(packet.bytes().len()) {
        let (kind, length) = (packet.bytes()[at], packet.bytes().get(at + 1).copied().map_or(0, usize::from));
        match kind {
            0 => return,
            1 => at += 1,
            _ if length < 2 || at + length > end => return,
            TCP_SACK => {
                // A block that stands at an odd place is mended all the same: `shift` looks at words of the segment.
                (at + 2..at + length - 3).step_by(4).for_each(|edge| shift(packet, segment, edge, by));
                at += length;
            }
            _ => at += length,
        }
    }
}

/// Puts other octets in the place of some of a TCP segment's payload. The length may change; the checksum is made anew,
/// as Linux does: the caller has seen that it was right.
pub fn replace_in_tcp_payload(packet: &mut Packet, place: std::ops::Range<usize>, text: &[u8]) {
    let ip_header = usize::from(packet.bytes()[0] & 0x0f) * 4;
    let payload = packet.bytes().len() - tcp_payload(packet).len();
    packet.buffer_mut().splice(payload + place.start..payload + place.end, text);
    let length = packet.bytes().len() as u16;
    let bytes = packet.bytes_mut();
    let old = word(bytes, IP_LENGTH);
    bytes[IP_LENGTH..IP_LENGTH + 2].copy_from_slice(&length.to_be_bytes());
    mend(bytes, HEADER_CHECKSUM, old, length);
    let ip = Ipv4Packet::new_unchecked(&*bytes);
    let (source, destination) = (ip.src_addr(), ip.dst_addr());
    TcpPacket::new_unchecked(&mut bytes[ip_header..]).fill_checksum(&source.into(), &destination.into());
}

/// Whether the checksum of a TCP segment is right.
pub fn tcp_checksum_is_right(packet: &Packet) -> bool {
    let (source, destination) = (packet.ip().src_addr(), packet.ip().dst_addr());
    TcpPacket::new_checked(packet.payload())
        .is_ok_and(|segment| segment.verify_checksum(&source.into(), &destination.into()))
}

/// Adds to a number of a TCP segment that begins at `segment`, and mends the segment's checksum.
fn shift(packet: &mut Packet, segment: usize, at: usize, by: i32) {
    let bytes = packet.head_mut(segment + TCP_HEADER_MAX);
    if at + 4 > bytes.len() {
        return;
    }
    // Words are counted from the segment's start; a number at an odd place touches three of them.
    let first = at - (at - segment) % 2;
    let words: Vec<usize> = (first..at + 4).step_by(2).filter(|place| place + 2 <= bytes.len()).collect();
    let before: Vec<u16> = words.iter().map(|place| word(bytes, *place)).collect();
    let new = number(bytes, at).wrapping_add_signed(by);
    bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
    for (place, old) in words.into_iter().zip(before) {
        let new = word(bytes, place);
        mend(bytes, segment + TCP_CHECKSUM, old, new);
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn set_quoted_end(
    packet: &mut Packet,
    (address_at, port_at): (usize, usize),
    address: Ipv4Addr,
    port: Option<u16>,
    mend_transport_too: bool,
) {
    let icmp = usize::from(packet.bytes()[0] & 0x0f) * 4;
    let bytes = packet.bytes_mut();
    let quoted = icmp + ICMP_HEADER;
    let Some(header) = bytes.get(quoted).map(|first| usize::from(first & 0x0f) * 4) else { return };
    if bytes.len() < quoted + header + 4 || header < IPV4_HEADER {
        return;
    }
    let protocol = IpProtocol::from(bytes[quoted + 9]);
    let transport = quoted + header;
    let transport_checksum = mend_transport_too
        .then(|| transport_checksum_at(protocol, &bytes[transport..]))
        .flatten()
        .map(|at| transport + at);
    let new = address.octets();
    for half in [0, 2] {
        let at = quoted + address_at + half;
        let new_word = u16::from_be_bytes([new[half], new[half + 1]]);
        let old_word = write_in_icmp(bytes, icmp, at, new_word);
        let header_sum = summed(bytes, quoted + HEADER_CHECKSUM, old_word, new_word);
        write_in_icmp(bytes, icmp, quoted + HEADER_CHECKSUM, header_sum);
        if let Some(checksum) = transport_checksum {
            let sum = summed(bytes, checksum, old_word, new_word);
            write_in_icmp(bytes, icmp, checksum, sum);
        }
    }
    if let Some(port) = port {
        let old_word = write_in_icmp(bytes, icmp, transport + port_at, port);
        if let Some(checksum) = transport_checksum {
            let sum = summed(bytes, checksum, old_word, port);
            write_in_icmp(bytes, icmp, checksum, sum);
        }
    }
}

/// Writes a word inside an ICMP message and mends the message's checksum; the word that stood there is returned.
fn write_in_icmp(bytes: &mut [u8], icmp: usize, at: usize, new: u16) -> u16 {
    let old = word(bytes, at);
    bytes[at..at + 2].copy_from_slice(&new.to_be_bytes());
    mend(bytes, icmp + ICMP_CHECKSUM, old, new);
    old
}

/// What the checksum at `at` becomes when a word under it changes. A checksum of 0 (UDP: none) stays.
fn summed(bytes: &[u8], at: usize, old: u16, new: u16) -> u16 {
    let mut sum = [bytes[at], bytes[at + 1]];
    if sum != [0, 0] {
        mend(&mut sum, 0, old, new);
    }
    u16::from_be_bytes(sum)
}

fn set_end(packet: &mut Packet, address_at: usize, port_at: usize, address: Ipv4Addr, port: Option<u16>) {
    let protocol = packet.ip().next_header();
    let first_fragment = packet.ip().frag_offset() == 0;
    let header = usize::from(packet.bytes()[0] & 0x0f) * 4;
    let transport_checksum = first_fragment
        .then(|| transport_checksum_at(protocol, &packet.bytes()[header..]))
        .flatten()
        .map(|at| header + at);
    let transport_header = if protocol == IpProtocol::Udp { UDP_HEADER } else { TCP_HEADER };
    let bytes = packet.head_mut(header + transport_header);
    let new = address.octets();
    for half in [0, 2] {
        let at = address_at + half;
        let old_word = word(bytes, at);
        let new_word = u16::from_be_bytes([new[half], new[half + 1]]);
        bytes[at..at + 2].copy_from_slice(&new_word.to_be_bytes());
        mend(bytes, HEADER_CHECKSUM, old_word, new_word);
        if let Some(checksum) = transport_checksum {
            mend_transport(bytes, checksum, protocol, old_word, new_word);
        }
    }
    if let (Some(port), Some(checksum)) = (port, transport_checksum) {
        let at = header + port_at;
        let old_word = word(bytes, at);
        bytes[at..at + 2].copy_from_slice(&port.to_be_bytes());
        mend_transport(bytes, checksum, protocol, old_word, port);
    }
}

/// UDP's checksum 0 means "none" and stays; one that comes out as 0 is sent as 0xffff (RFC 768).
fn mend_transport(bytes: &mut [u8], at: usize, protocol: IpProtocol, old: u16, new: u16) {
    let is_udp = protocol == IpProtocol::Udp;
    if is_udp && word(bytes, at) == 0 {
        return;
    }
    mend(bytes, at, old, new);
    if is_udp && word(bytes, at) == 0 {
        bytes[at..at + 2].copy_from_slice(&[0xff, 0xff]);
    }
}

fn transport_checksum_at(protocol: IpProtocol, payload: &[u8]) -> Option<usize> {
    let (at, least) = if protocol == IpProtocol::Tcp {
        (16, 20)
    } else if protocol == IpProtocol::Udp {
        (6, 8)
    } else {
        return None;
    };
    (payload.len() >= least).then_some(at)
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
