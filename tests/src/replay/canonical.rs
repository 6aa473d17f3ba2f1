//! What the rules do not determine is set to a fixed value, in the recorded frame and in the observed one alike, and
//! the checksums over it are mended (so that a wrong checksum stays wrong):
//!
//! | field | where |
//! |---|---|
//! | IP identification | where the host made the packet itself and the value is not 0 (Linux draws it) |
//! | source port of a datagram to a group | where the host sent it (the sync daemon's socket draws it) |
//! | identifier, and the first 16 octets of data, of an echo request | where the host sent it (a process id, a time stamp) |
//!
//! A packet that passes a host keeps its identification, and there it is compared.

use sim_core::wire::rewrite::mend;
use std::collections::BTreeSet;

const ETHERNET: usize = 14;
const IP_ID: usize = ETHERNET + 4;
const IP_PROTOCOL: usize = ETHERNET + 9;
const IP_CHECKSUM: usize = ETHERNET + 10;
const DRAWN: u16 = 0xffff;
const ECHO_REQUEST: u8 = 8;
/// `ping` writes the time (a `timeval` of 16 octets) in front of its pattern.
const ECHO_TIME: usize = 16;

/// What the packets that a host received carry: whatever it sends with the same values, it passes on.
#[derive(Clone, Debug, Default)]
pub struct Passing {
    /// Protocol and identification: two numbers of 16 bits are equal by chance now and then.
    ids: BTreeSet<(u8, u16)>,
    echoes: BTreeSet<u16>,
}

impl Passing {
    /// Takes note of a received frame.
    pub fn note(&mut self, frame: &[u8]) {
        if let Some(ip) = ipv4(frame) {
            self.ids.insert((frame[IP_PROTOCOL], word(frame, IP_ID)));
            if let Some(ident) = echo_request(frame, ip) {
                self.echoes.insert(word(frame, ident));
            }
        }
    }

    fn passes(&self, frame: &[u8], id: u16) -> bool {
        self.ids.contains(&(frame[IP_PROTOCOL], id))
    }

    /// The frame with what is not determined set to a fixed value.
    pub fn canonical(&self, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        let Some(ip) = ipv4(&frame) else {
            return frame;
        };
        let id = word(&frame, IP_ID);
        if id != 0 && !self.passes(&frame, id) {
            replace(&mut frame, IP_ID, IP_CHECKSUM, DRAWN);
        }
        if let Some((port, checksum)) = group_port(&frame, ip).filter(|_| id == 0 || !self.passes(&frame, id)) {
            replace(&mut frame, port, checksum, DRAWN);
        }
        if let Some(ident) = echo_request(&frame, ip).filter(|ident| !self.echoes.contains(&word(&frame, *ident))) {
            let checksum = ident - 2;
            let data = ident + 4;
            replace(&mut frame, ident, checksum, DRAWN);
            for at in (data..(data + ECHO_TIME).min(frame.len().saturating_sub(1))).step_by(2) {
                replace(&mut frame, at, checksum, 0);
            }
        }
        frame
    }
}

/// Where the IPv4 header ends, if the frame is one.
fn ipv4(frame: &[u8]) -> Option<usize> {
    let whole = frame.len() >= ETHERNET + 20 && frame[12..14] == [0x08, 0x00] && frame[ETHERNET] >> 4 == 4;
    whole.then(|| ETHERNET + usize::from(frame[ETHERNET] & 0x0f) * 4)
}

/// Where the source port and the checksum of a datagram to a group stand, if the frame is one.
fn group_port(frame: &[u8], payload: usize) -> Option<(usize, usize)> {
    const UDP: u8 = 17;
    let to_group = frame[ETHERNET + 16] >> 4 == 0xe;
    let is = to_group && frame[IP_PROTOCOL] == UDP && frame.len() >= payload + 8;
    is.then_some((payload, payload + 6))
}

/// Where the identifier of an echo request stands, if the frame is one (and no later fragment).
fn echo_request(frame: &[u8], payload: usize) -> Option<usize> {
    const ICMP: u8 = 1;
    let first = word(frame, ETHERNET + 6) & 0x1fff == 0;
    let is = first && frame[ETHERNET + 9] == ICMP && frame.len() >= payload + 8 && frame[payload] == ECHO_REQUEST;
    is.then_some(payload + 4)
}

fn replace(frame: &mut [u8], at: usize, checksum: usize, new: u16) {
    let old = word(frame, at);
    frame[at..at + 2].copy_from_slice(&new.to_be_bytes());
    mend(frame, checksum, old, new);
}

fn word(frame: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([frame[at], frame[at + 1]])
}
