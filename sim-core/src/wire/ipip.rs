//! IPv4 in IPv4 (RFC 2003): the outer header in front of a packet.

use super::packet::Packet;
use smoltcp::wire::{IpProtocol, Ipv4Packet};
use std::net::Ipv4Addr;

/// Its number in an IPv4 header.
pub const PROTOCOL: u8 = 4;
/// Octets of an outer header.
pub const OUTER_HEADER: usize = 20;

/// What the outer header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outer {
    /// Where the tunnel begins.
    pub source: Ipv4Addr,
    /// Where it ends.
    pub destination: Ipv4Addr,
    /// TTL.
    pub ttl: u8,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Not to be fragmented.
    pub dont_fragment: bool,
    /// Identification.
    pub id: u16,
}

/// Puts an outer header in front of `packet`.
///
/// # Panics
/// If the result is longer than 65535 octets: the caller has refused such a packet.
pub fn wrap(packet: &mut Packet, outer: Outer) {
    put_outer(packet, outer, PROTOCOL);
}

/// Puts an outer header in front of what a tunnel of any kind has made of a packet.
pub(super) fn put_outer(packet: &mut Packet, outer: Outer, protocol: u8) {
    let length = packet.bytes().len() + OUTER_HEADER;
    let length = u16::try_from(length).expect("a wrapped packet fits a length field");
    packet.buffer_mut().grow(OUTER_HEADER);
    let mut header = Ipv4Packet::new_unchecked(&mut packet.bytes_mut()[..OUTER_HEADER]);
    header.set_version(4);
    header.set_header_len(OUTER_HEADER as u8);
    header.set_dscp(outer.tos >> 2);
    header.set_ecn(outer.tos & 3);
    header.set_total_len(length);
    header.set_ident(outer.id);
    header.clear_flags();
    header.set_dont_frag(outer.dont_fragment);
    header.set_frag_offset(0);
    header.set_hop_limit(outer.ttl);
    header.set_next_header(IpProtocol::from(protocol));
    header.set_src_addr(outer.source);
    header.set_dst_addr(outer.destination);
    header.fill_checksum();
}

/// The type of service of an outer header: DSCP copied, ECN copied but "congestion experienced" made ECT(0), so that the
/// tunnel starts unmarked (RFC 3168, section 9.1.1).
pub const fn outer_tos(inner: u8) -> u8 {
    if inner & 3 == 3 { inner & !1 } else { inner }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use crate::wire::frame::Buffer;

    #[test]
    fn the_outer_header_stands_before_the_unchanged_inner_packet() {
        let mut inner = Buffer::zeroed(20, PacketId(0), Vec::new());
        inner.bytes_mut()[0] = 0x45;
        inner.bytes_mut()[3] = 20;
        let mut packet = Packet::new(inner);
        let outer = Outer {
            source: Ipv4Addr::new(10, 0, 2, 2),
            destination: Ipv4Addr::new(10, 0, 3, 22),
            ttl: 62,
            tos: outer_tos(0xb3),
            dont_fragment: true,
            id: 0,
        };
        wrap(&mut packet, outer);
        let ip = packet.ip();
        assert!(ip.verify_checksum());
        assert_eq!((ip.total_len(), ip.hop_limit(), ip.dont_frag()), (40, 62, true));
        assert_eq!((ip.dscp(), ip.ecn()), (0xb3 >> 2, 2), "CE outside is only set by a router of the tunnel");
        assert_eq!(packet.bytes()[20], 0x45);
    }
}
