//! Octets as a row of frames. Random octets alone would hardly pass the first checksum: a record says what is put right.
//!
//! ```text
//!   kind │ tenths of a second until it │ length (2) ║ octets ║ next record …
//!     kind & 3: 0 a frame   1 an IPv4 packet   2 the body of an advert   3 the payload of IPv4, protocol in its first octet
//!     kind & 4: lengths and checksums stay as they are     kind & 8: to the host alone, not to the group
//! ```

use super::lone::{HOST, HOST_MAC, PUPPET, PUPPET_MAC};
use sim_core::wire::checksum::{sum, transport_sum};
use sim_core::wire::vrrp::{GROUP, PROTOCOL};
use sim_core::wire::{Ipv4Addr, Mac};

/// Records at most: longer rows say nothing new.
const RECORDS_MAX: usize = 64;
const GROUP_MAC: Mac = Mac([1, 0, 0x5e, 0, 0, 18]);

/// The frames of a row, each with its time in milliseconds after `begin`, and when the last one is sent.
pub(super) fn read(octets: &[u8], begin: u64) -> (Vec<(u64, Vec<u8>)>, u64) {
    let (mut rest, mut at, mut frames) = (octets, begin, Vec::new());
    while let [kind, tenths, high, low, more @ ..] = rest {
        if frames.len() == RECORDS_MAX {
            break;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(more.len()).min(9_000);
        at += u64::from(*tenths) * 100;
        frames.push((at, frame(*kind, &more[..length])));
        rest = &more[length..];
    }
    (frames, at)
}

/// A record.
pub(super) fn record(kind: u8, tenths: u8, octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut record = vec![kind, tenths, length[0], length[1]];
    record.extend(octets);
    record
}

fn frame(kind: u8, octets: &[u8]) -> Vec<u8> {
    let (as_it_is, alone) = (kind & 4 != 0, kind & 8 != 0);
    let to = if alone { HOST } else { GROUP };
    let mut packet = match kind & 3 {
        0 => return octets.to_vec(),
        1 => octets.to_vec(),
        2 => ip(PROTOCOL, to, octets),
        _ => match octets.split_first() {
            Some((protocol, payload)) => ip(*protocol, to, payload),
            None => Vec::new(),
        },
    };
    if !as_it_is {
        put_right(&mut packet);
    }
    let mac = if alone { HOST_MAC } else { GROUP_MAC };
    let mut frame = Vec::with_capacity(14 + packet.len());
    frame.extend(mac.0);
    frame.extend(PUPPET_MAC.0);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// A packet of the puppet.
fn ip(protocol: u8, to: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0xc0, 0, 0, 0, 1, 0, 0, 255, protocol, 0, 0];
    packet.extend(PUPPET.octets());
    packet.extend(to.octets());
    packet.extend(payload);
    packet
}

/// Length and checksums, as far as the octets have a place for them.
fn put_right(packet: &mut [u8]) {
    let header = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
    if header < 20 || packet.len() < header {
        return;
    }
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    let (head, body) = packet.split_at_mut(header);
    fill(head, 10, sum);
    let address = |at: usize| Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]);
    let (protocol, from, to) = (head[9], address(12), address(16));
    match protocol {
        1 => fill(body, 2, sum),
        6 => fill(body, 16, |body| transport_sum(from, to, protocol, body)),
        17 => {
            if let Some(place) = body.get_mut(4..6) {
                place.copy_from_slice(&(u16::from_be_bytes(length).saturating_sub(20)).to_be_bytes());
            }
            fill(body, 6, |body| transport_sum(from, to, protocol, body));
        }
        PROTOCOL if body.first().is_some_and(|first| first >> 4 == 2) => fill(body, 6, sum),
        PROTOCOL => fill(body, 6, |body| transport_sum(from, to, protocol, body)),
        _ => {}
    }
}

fn fill(octets: &mut [u8], at: usize, sum: impl Fn(&[u8]) -> u16) {
    if octets.len() < at + 2 {
        return;
    }
    octets[at..at + 2].fill(0);
    let right = !sum(octets);
    octets[at..at + 2].copy_from_slice(&right.to_be_bytes());
}
