//! The Internet checksum (RFC 1071), whole: for what is checked at an end host and written by one. Edits on the way mend
//! it instead (`rewrite.rs`).

use std::net::Ipv4Addr;

/// The one's complement sum of 16-bit words, not complemented. An odd last octet counts as the high half of a word.
pub fn sum(bytes: &[u8]) -> u16 {
    let (words, rest) = bytes.as_chunks::<4>();
    let whole: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    // The sum of swapped words is the swapped sum (RFC 1071, section 2 (B)), so the machine's own order does.
    u16::from_be(fold(whole + u64::from(u32::from_ne_bytes(last))))
}

/// Whether the words, their checksum among them, sum up as they should.
pub fn is_right(bytes: &[u8]) -> bool {
    sum(bytes) == 0xffff
}

/// The sum of a transport segment with its pseudo-header (RFC 9293, section 3.1; RFC 768).
pub fn transport_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, segment: &[u8]) -> u16 {
    let [source, destination] = [source, destination].map(|address| {
        let bits = address.to_bits();
        u64::from(bits >> 16) + u64::from(bits & 0xffff)
    });
    fold(source + destination + u64::from(protocol) + segment.len() as u64 + u64::from(sum(segment)))
}

fn fold(mut sum: u64) -> u16 {
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use smoltcp::wire::{IpAddress, TcpPacket};

    proptest! {
        /// Compared with the words added one after another.
        #[test]
        fn the_sum_is_that_of_the_words(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut slow = 0u32;
            for word in bytes.chunks(2) {
                slow += u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low));
                slow = (slow & 0xffff) + (slow >> 16);
            }
            prop_assert_eq!(u32::from(sum(&bytes)), slow);
        }

        #[test]
        fn a_segment_that_smoltcp_sealed_is_right(
            mut segment in prop::collection::vec(any::<u8>(), 20..200), source: u32, destination: u32,
        ) {
            let [source, destination] = [source, destination].map(Ipv4Addr::from_bits);
            TcpPacket::new_unchecked(&mut segment)
                .fill_checksum(&IpAddress::Ipv4(source), &IpAddress::Ipv4(destination));
            prop_assert_eq!(transport_sum(source, destination, 6, &segment), 0xffff);
        }
    }
}
