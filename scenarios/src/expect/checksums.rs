//! Checksums of a whole frame: IPv4 headers (both of a tunnel), ICMP, TCP, UDP, GRE.

use sim_core::wire::{gre, gue};

/// The protocol whose checksum is wrong, if one is. What is no whole, unfragmented packet is judged as far as it goes.
pub(super) fn wrong(frame: &[u8]) -> Option<&'static str> {
    let is_ip = frame.len() >= ETHERNET && frame[12..14] == [0x08, 0x00];
    if is_ip { packet(&frame[ETHERNET..]) } else { None }
}

const ETHERNET: usize = 14;

fn packet(ip: &[u8]) -> Option<&'static str> {
    let header = usize::from(ip.first()? & 0x0f) * 4;
    if ip.len() < header || header < 20 {
        return None;
    }
    if sum(&ip[..header], 0) != 0xffff {
        return Some("IP");
    }
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff;
    let payload = ip.get(header..total)?;
    if fragment != 0 {
        return None;
    }
    let pseudo = sum(&ip[12..20], 0) + u32::from(ip[9]) + payload.len() as u32;
    match ip[9] {
        1 => (sum(payload, 0) != 0xffff).then_some("ICMP"),
        4 => packet(payload),
        6 => (payload.len() >= 20 && sum(payload, pseudo) != 0xffff).then_some("TCP"),
        17 => {
            let has_one = payload.len() >= 8 && payload[6..8] != [0, 0];
            if has_one && sum(payload, pseudo) != 0xffff {
                return Some("UDP");
            }
            let inside = &payload[gue::open(payload)?..];
            let is_packet = inside.len() >= 20 && inside[0] == 0x45 && sum(&inside[..20], 0) == 0xffff;
            is_packet.then(|| packet(inside)).flatten()
        }
        gre::PROTOCOL => {
            let header = gre::length_of(payload)?;
            if header > 4 && sum(payload, 0) != 0xffff {
                return Some("GRE");
            }
            packet(&payload[header..])
        }
        _ => None,
    }
}

/// The ones' complement sum of 16-bit words (RFC 1071).
fn sum(bytes: &[u8], start: u32) -> u32 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum = words.fold(start, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 header with UDP from the wild: 192.168.0.1 to 192.168.0.199, as in RFC 1071 explanations.
    fn datagram() -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend([0x45, 0, 0, 32, 0, 0, 0x40, 0, 64, 17, 0xb8, 0xb4, 192, 168, 0, 1, 192, 168, 0, 199]);
        frame.extend([0x04, 0x00, 0x00, 0x35, 0, 12, 0, 0, b'l', b'v', b's', b'!']);
        let check = 0xffff - sum(&frame[34..], sum(&frame[26..34], 0) + 17 + 12);
        frame[40..42].copy_from_slice(&(check as u16).to_be_bytes());
        let header = 0xffff - sum(&[&frame[14..24], &frame[26..34]].concat(), 0);
        frame[24..26].copy_from_slice(&(header as u16).to_be_bytes());
        frame
    }

    #[test]
    fn one_changed_octet_is_seen() {
        let good = datagram();
        assert_eq!(wrong(&good), None);
        for at in 14..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            let judged = wrong(&bad);
            // The version and header length decide where the header ends; the rest must not go unseen.
            assert!(judged.is_some() || at == 14, "octet {at}");
        }
    }
}
