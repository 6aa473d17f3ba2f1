//! GRE (RFC 2784) around an IPv4 packet: four octets, or eight with a checksum, behind an outer IPv4 header.
//!
//! # Not modelled
//! Keys and sequence numbers (RFC 2890), routing (RFC 1701), other payloads than IPv4.

use super::checksum;
use super::ipip::{self, OUTER_HEADER, Outer};
use super::packet::Packet;

/// Its number in an IPv4 header.
pub const PROTOCOL: u8 = 47;

const BASE: usize = 4;
const CHECKSUM_PRESENT: u16 = 0x8000;
/// Bits that this reader understands: the checksum's alone.
const UNDERSTOOD: u16 = CHECKSUM_PRESENT;
const IPV4: u16 = 0x0800;

/// What is wrong with a GRE header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GreError {
    /// Too short, or with fields that are not understood here.
    Malformed,
    /// Its checksum is wrong.
    Checksum,
}

/// Octets of the header.
pub const fn header_length(checksum: bool) -> usize {
    if checksum { BASE + 4 } else { BASE }
}

/// Puts outer header and GRE header in front of `packet`.
///
/// # Panics
/// If the result is longer than 65535 octets: the caller has refused such a packet.
pub fn wrap(packet: &mut Packet, outer: Outer, checksum: bool) {
    let header = header_length(checksum);
    packet.buffer_mut().grow(header);
    let bytes = packet.bytes_mut();
    bytes[..header].fill(0);
    bytes[2..4].copy_from_slice(&IPV4.to_be_bytes());
    if checksum {
        bytes[..2].copy_from_slice(&CHECKSUM_PRESENT.to_be_bytes());
        let sum = !checksum::sum(bytes);
        bytes[4..6].copy_from_slice(&sum.to_be_bytes());
    }
    ipip::put_outer(packet, outer, PROTOCOL);
}

/// Octets of the GRE header at the beginning of `payload`, behind which an IPv4 packet stands.
///
/// # Errors
/// If it cannot be opened here.
pub fn open(payload: &[u8]) -> Result<usize, GreError> {
    let length = length_of(payload).ok_or(GreError::Malformed)?;
    if length > BASE && !checksum::is_right(payload) {
        return Err(GreError::Checksum);
    }
    Ok(length)
}

/// The same of a packet that is only quoted, so that its checksum cannot be verified.
pub fn length_of(payload: &[u8]) -> Option<usize> {
    let (flags, protocol) = match payload {
        [a, b, c, d, ..] => (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])),
        _ => return None,
    };
    let length = header_length(flags & CHECKSUM_PRESENT != 0);
    (flags & !UNDERSTOOD == 0 && protocol == IPV4 && payload.len() >= length).then_some(length)
}

/// Octets before the inner packet, with the outer IPv4 header.
pub const fn overhead(checksum: bool) -> usize {
    OUTER_HEADER + header_length(checksum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use crate::wire::frame::Buffer;
    use std::net::Ipv4Addr;

    fn wrapped(checksum: bool) -> Packet {
        let mut inner = Buffer::zeroed(21, PacketId(0), Vec::new());
        inner.bytes_mut().copy_from_slice(&[0x45, 0, 0, 21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 99]);
        let mut packet = Packet::new(inner);
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 1, 5));
        let outer = Outer { source, destination, ttl: 62, tos: 0, dont_fragment: true, id: 0 };
        wrap(&mut packet, outer, checksum);
        packet
    }

    #[test]
    fn the_inner_packet_stands_behind_24_or_28_octets() {
        for checksum in [false, true] {
            let packet = wrapped(checksum);
            assert_eq!(packet.bytes().len(), 21 + overhead(checksum));
            assert!(packet.ip().verify_checksum());
            assert_eq!(u8::from(packet.ip().next_header()), PROTOCOL);
            assert_eq!(open(packet.payload()), Ok(header_length(checksum)));
            assert_eq!(packet.bytes()[overhead(checksum)], 0x45);
        }
    }

    #[test]
    fn damage_is_seen_only_with_a_checksum() {
        for (checksum, expected) in [(false, Ok(4)), (true, Err(GreError::Checksum))] {
            let mut packet = wrapped(checksum);
            *packet.bytes_mut().last_mut().expect("octets") ^= 1;
            assert_eq!(open(packet.payload()), expected);
        }
    }

    #[test]
    fn keys_and_other_payloads_are_not_opened() {
        assert_eq!(open(&[0x20, 0, 8, 0, 0, 0, 0, 1]), Err(GreError::Malformed));
        assert_eq!(open(&[0, 0, 0x86, 0xdd]), Err(GreError::Malformed));
        assert_eq!(open(&[0, 0, 8]), Err(GreError::Malformed));
    }
}
