//! Generic UDP Encapsulation, version 0, around an IPv4 packet: outer IPv4 header, UDP, and four octets that name what is
//! inside. Follows Linux `net/ipv4/fou.c`.
//!
//! # Not modelled
//! Control messages, version 1 (which has no header). Of the private options only the remote checksum is read, which is
//! passed over: nobody here leaves a checksum half made.

use super::checksum;
use super::ipip::{self, OUTER_HEADER, Outer};
use super::packet::Packet;

const UDP: u8 = 17;
const UDP_HEADER: usize = 8;
const BASE: usize = 4;
const IPV4_INSIDE: u8 = 4;
/// Bit of the control messages, and of the length of what follows the base header, in words.
const CONTROL: u8 = 0x20;
const LENGTH_WORDS: u8 = 0x1f;

/// Octets before the inner packet, with the outer IPv4 header.
pub const OVERHEAD: usize = OUTER_HEADER + UDP_HEADER + BASE;

/// What the headers say besides the outer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gue {
    /// UDP source port: a hash of the flow inside, so that routers spread flows and keep each together.
    pub sport: u16,
    /// UDP destination port.
    pub dport: u16,
    /// Whether UDP has a checksum.
    pub checksum: bool,
}

/// Puts outer header, UDP and GUE in front of `packet`.
///
/// # Panics
/// If the result is longer than 65535 octets: the caller has refused such a packet.
pub fn wrap(packet: &mut Packet, outer: Outer, gue: Gue) {
    packet.buffer_mut().grow(UDP_HEADER + BASE);
    let bytes = packet.bytes_mut();
    let length = u16::try_from(bytes.len()).expect("a wrapped packet fits a length field");
    bytes[0..2].copy_from_slice(&gue.sport.to_be_bytes());
    bytes[2..4].copy_from_slice(&gue.dport.to_be_bytes());
    bytes[4..6].copy_from_slice(&length.to_be_bytes());
    bytes[6..8].fill(0);
    bytes[8..12].copy_from_slice(&[0, IPV4_INSIDE, 0, 0]);
    if gue.checksum {
        // A sum that comes out as 0 is sent as 0xffff, since 0 says that there is none (RFC 768).
        let sum = match !checksum::transport_sum(outer.source, outer.destination, UDP, bytes) {
            0 => 0xffff,
            sum => sum,
        };
        bytes[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    ipip::put_outer(packet, outer, UDP);
}

/// Octets of UDP and GUE headers at the beginning of `datagram`, behind which an IPv4 packet stands. UDP's own checksum
/// is the caller's affair.
pub fn open(datagram: &[u8]) -> Option<usize> {
    let gue = datagram.get(UDP_HEADER..)?;
    let (first, inside) = match gue {
        [first, inside, _, _, ..] => (*first, *inside),
        _ => return None,
    };
    let length = UDP_HEADER + BASE + usize::from(first & LENGTH_WORDS) * 4;
    let is_ours = first >> 6 == 0 && first & CONTROL == 0 && inside == IPV4_INSIDE;
    (is_ours && datagram.len() >= length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use crate::wire::frame::Buffer;
    use std::net::Ipv4Addr;

    fn wrapped(checksum: bool) -> Packet {
        let mut inner = Buffer::zeroed(20, PacketId(0), Vec::new());
        inner.bytes_mut()[0] = 0x45;
        inner.bytes_mut()[3] = 20;
        let mut packet = Packet::new(inner);
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 1, 5));
        let outer = Outer { source, destination, ttl: 62, tos: 0, dont_fragment: true, id: 0 };
        wrap(&mut packet, outer, Gue { sport: 40_000, dport: 5555, checksum });
        packet
    }

    #[test]
    fn the_inner_packet_stands_behind_32_octets() {
        let packet = wrapped(false);
        assert_eq!(packet.bytes().len(), 20 + OVERHEAD);
        assert_eq!(packet.bytes()[20..32], [0x9c, 0x40, 0x15, 0xb3, 0, 32, 0, 0, 0, 4, 0, 0]);
        assert_eq!(open(packet.payload()), Some(12));
    }

    #[test]
    fn with_a_checksum_the_datagram_sums_up() {
        let packet = wrapped(true);
        let (source, destination) = (packet.ip().src_addr(), packet.ip().dst_addr());
        assert_eq!(checksum::transport_sum(source, destination, UDP, packet.payload()), 0xffff);
    }

    #[test]
    fn options_are_passed_over_and_strangers_refused() {
        let head = |first, inside| [&[0; 8][..], &[first, inside, 0, 0], &[0; 12]].concat();
        assert_eq!(open(&head(2, 4)), Some(20));
        assert_eq!(open(&head(0x20, 4)), None, "a control message");
        assert_eq!(open(&head(0x40, 4)), None, "version 1");
        assert_eq!(open(&head(0, 41)), None, "IPv6");
        assert_eq!(open(&head(9, 4)), None, "cut short");
    }
}
