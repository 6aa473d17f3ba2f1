//! Authentication by AH (RFC 2402), as keepalived 2.2.7 writes it around a VRRP 2 advert: HMAC-MD5-96 over the packet.
//!
//! ```text
//!   IPv4 (protocol 51) │ 112, 4, 0, 0 │ SPI = source │ sequence │ 12 octets of HMAC │ VRRP body with auth type 2
//! ```
//! Not as in the RFC: the TTL counts in the sum (for unicast it is taken as 0).

use crate::wire::vrrp;
use md5::{Digest, Md5};

/// Octets of the header.
pub(super) const HEADER: usize = 24;

const IP_HEADER: usize = 20;
const SUM: std::ops::Range<usize> = IP_HEADER + 12..IP_HEADER + HEADER;
const BLOCK: usize = 64;

/// The header with this sequence number; the sum is still to be filled in.
pub(super) fn header(source: [u8; 4], sequence: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[0] = vrrp::PROTOCOL;
    header[1] = 4;
    header[4..8].copy_from_slice(&source);
    header[8..12].copy_from_slice(&sequence.to_be_bytes());
    header
}

/// Fills the sum of a whole packet in. Its length and identification are right already.
pub(super) fn seal(packet: &mut [u8], key: [u8; 8], is_unicast: bool) {
    let sum = sum(packet, key, is_unicast);
    packet[SUM].copy_from_slice(&sum);
}

/// Whether the sum of a packet is right.
pub(super) fn is_sealed(packet: &[u8], key: [u8; 8], is_unicast: bool) -> bool {
    packet.get(SUM) == Some(&sum(packet, key, is_unicast)[..])
}

/// SPI and sequence number of a packet; none if it is too short.
pub(super) fn numbers(packet: &[u8]) -> Option<(&[u8], u32)> {
    let header = packet.get(IP_HEADER..IP_HEADER + HEADER)?;
    let sequence = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    Some((&header[4..8], sequence))
}

fn sum(packet: &[u8], key: [u8; 8], is_unicast: bool) -> [u8; 12] {
    let mut covered = packet.to_vec();
    covered[1] = 0;
    covered[6..8].fill(0);
    covered[10..12].fill(0);
    if is_unicast {
        covered[8] = 0;
    }
    if covered.len() >= SUM.end {
        covered[SUM].fill(0);
    }
    let padded = |with: u8| {
        let mut block = [with; BLOCK];
        block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
        block
    };
    let inner = Md5::new().chain_update(padded(0x36)).chain_update(&covered).finalize();
    let outer = Md5::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    let mut sum = [0; 12];
    sum.copy_from_slice(&outer[..12]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_was_changed_is_no_longer_sealed() {
        let mut packet = vec![0; IP_HEADER + HEADER + 20];
        packet[0] = 0x45;
        packet[8] = 255;
        packet[IP_HEADER..IP_HEADER + HEADER].copy_from_slice(&header([10, 0, 0, 11], 7));
        seal(&mut packet, *b"1111\0\0\0\0", false);
        assert!(is_sealed(&packet, *b"1111\0\0\0\0", false));
        assert!(!is_sealed(&packet, *b"2222\0\0\0\0", false));
        assert_eq!(numbers(&packet), Some((&[10, 0, 0, 11][..], 7)));
        packet[8] = 254;
        assert!(!is_sealed(&packet, *b"1111\0\0\0\0", false), "the TTL counts");
        packet[8] = 255;
        packet[1] = 0xc0;
        assert!(is_sealed(&packet, *b"1111\0\0\0\0", false), "the type of service does not");
    }
}
