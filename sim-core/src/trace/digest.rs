//! The digest of a run: SipHash-128 with a fixed key over every frame delivered (time, port, bytes) and every command's
//! output. Two runs with the same digest delivered the same bytes at the same places at the same times.
//!
//! A frame's bytes are hashed once, to a fingerprint of 64 bits that travels with the buffer until an edit; a rewrite of
//! the headers leaves the payload's own fingerprint standing. SipHash takes in the time, the port and the fingerprint, so
//! a hop costs the same for a short and a long frame. The fingerprint itself is by folded multiplication, which is ten
//! times as fast as SipHash: nobody chooses bytes here to fool it.

use super::record::CommandRecord;
use crate::base::id::PortId;
use crate::base::time::Instant;
use crate::wire::frame::{Buffer, ETHERNET_HEADER, Tail};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::fmt;
use std::hash::Hasher;
use std::num::NonZeroU64;

/// The digest of a run, or of a run so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u128);

/// A digest that is being taken. What comes in waits in a block, since SipHash is fastest in long strokes.
#[derive(Clone, Debug)]
pub(super) struct Running {
    hasher: SipHasher13,
    block: Vec<u8>,
}

const KEY: (u64, u64) = (0x6c76_736c_6162_2d64, 0x6967_6573_742d_7631);
const BLOCK: usize = 1_536;
const FRAME: u64 = 1;
const COMMAND: u64 = 2;

impl Default for Running {
    fn default() -> Self {
        Running { hasher: SipHasher13::new_with_keys(KEY.0, KEY.1), block: Vec::with_capacity(BLOCK + 64) }
    }
}

impl Running {
    /// A frame with this fingerprint was delivered.
    pub(super) fn frame(&mut self, at: Instant, port: PortId, print: NonZeroU64) {
        let mut record = [0; 24];
        record[..8].copy_from_slice(&(FRAME << 32 | u64::from(port.0)).to_le_bytes());
        record[8..16].copy_from_slice(&at.nanos().to_le_bytes());
        record[16..].copy_from_slice(&print.get().to_le_bytes());
        self.take_in(&record);
    }

    /// A command ended.
    pub(super) fn command(&mut self, at: Instant, record: &CommandRecord) {
        let exit = record.exit.map_or(u64::MAX, |exit| u64::from(exit as u32));
        let texts = [&*record.text, &record.stdout, &record.stderr];
        let prints = texts.map(|text| hash(text.as_bytes()));
        let words = [COMMAND << 32 | u64::from(record.node.0), at.nanos(), exit, prints[0], prints[1], prints[2]];
        self.take_in(words.map(u64::to_le_bytes).as_flattened());
    }

    /// The digest so far.
    pub(super) fn value(&self) -> Digest {
        let mut hasher = self.hasher;
        hasher.write(&self.block);
        Digest(hasher.finish128().into())
    }

    fn take_in(&mut self, record: &[u8]) {
        self.block.extend_from_slice(record);
        if self.block.len() >= BLOCK {
            self.hasher.write(&self.block);
            self.block.clear();
        }
    }
}

/// The fingerprint of a frame's bytes, taken from the buffer if they were not edited since it was last asked for.
pub(super) fn fingerprint(buffer: &mut Buffer) -> NonZeroU64 {
    if let Some(print) = buffer.print {
        return print;
    }
    let bytes = buffer.bytes();
    let (head, payload) = bytes.split_at(head_length(bytes));
    let (head_print, payload_length) = (hash(head), payload.len() as u32);
    let mut print = head_print;
    if payload_length > 0 {
        if buffer.tail.length != payload_length {
            let tail = Tail { length: payload_length, kept: Tail::NOT_KEPT, print: hash(payload) | 1 };
            buffer.tail = tail;
        } else if buffer.tail.print == 0 {
            let tail_print = hash(payload) | 1;
            buffer.tail.print = tail_print;
        }
        print = fold(head_print, buffer.tail.print);
    }
    let print = NonZeroU64::new(print).unwrap_or(NonZeroU64::MIN);
    buffer.print = Some(print);
    print
}

/// Octets of a frame up to the end of its transport header, through tunnels: what rewrites change.
pub(super) fn head_length(frame: &[u8]) -> usize {
    const SHORT: usize = ETHERNET_HEADER + 60;
    if frame.len() < ETHERNET_HEADER + 20 || frame[12..14] != [0x08, 0x00] {
        return frame.len().min(SHORT);
    }
    let mut at = ETHERNET_HEADER;
    let mut protocol = frame[at + 9];
    at += usize::from(frame[at] & 0x0f) * 4;
    if protocol == 4 && frame.len() >= at + 20 {
        protocol = frame[at + 9];
        at += usize::from(frame[at] & 0x0f) * 4;
    }
    let transport = match protocol {
        6 => frame.get(at + 12).map_or(20, |offset| usize::from(offset >> 4) * 4),
        17 | 1 => 8,
        _ => 40,
    };
    frame.len().min(at + transport)
}

/// 16 octets at a time, each pair of words multiplied into the state.
fn hash(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<16>();
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    let state = pairs.iter().fold(KEY.0, take_pair);
    fold(take_pair(state, &last), bytes.len() as u64)
}

fn take_pair(state: u64, pair: &[u8; 16]) -> u64 {
    let word = |at: usize| u64::from_le_bytes(pair[at..at + 8].try_into().expect("half of sixteen octets is eight"));
    fold(state ^ word(0), word(8))
}

/// Both halves of a product, so that every bit of either word reaches every bit of the result.
fn fold(one: u64, other: u64) -> u64 {
    const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
    const SECOND: u64 = 0xd6e8_feb8_6659_fd93;
    let product = u128::from(one ^ FIRST) * u128::from(other ^ SECOND);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The first 32 bits, as `run` prints them: `3f0c9a51`. The alternate form `{:#}` has all 128.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { write!(f, "{:032x}", self.0) } else { write!(f, "{:08x}", self.0 >> 96) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use crate::wire::frame::Frame;

    fn tcp_frame(payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0u8; 14 + 20 + 20];
        bytes[12..14].copy_from_slice(&[0x08, 0x00]);
        bytes[14] = 0x45;
        bytes[14 + 9] = 6;
        bytes[34 + 12] = 0x50;
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_fingerprint_depends_on_the_bytes_only_and_not_on_how_they_came_about() {
        let mut fresh = Frame::from_bytes(&tcp_frame(b"hello"), PacketId::NONE).into_buffer();
        let mut edited = Frame::from_bytes(&tcp_frame(b"hello"), PacketId::NONE).into_buffer();
        edited.head_mut(20)[3] = 9;
        fingerprint(&mut edited);
        edited.head_mut(20)[3] = 0;
        assert_eq!(edited.tail.length, 5);
        assert_eq!(fingerprint(&mut fresh), fingerprint(&mut edited));
    }

    #[test]
    fn an_edit_of_one_octet_anywhere_changes_the_fingerprint() {
        let mut buffer = Frame::from_bytes(&tcp_frame(b"hello, world"), PacketId::NONE).into_buffer();
        let before = fingerprint(&mut buffer);
        for at in 0..buffer.bytes().len() {
            if (12..14).contains(&at) {
                continue;
            }
            buffer.bytes_mut()[at] ^= 1;
            assert_ne!(fingerprint(&mut buffer), before, "octet {at}");
            buffer.bytes_mut()[at] ^= 1;
            assert_eq!(fingerprint(&mut buffer), before, "octet {at}");
        }
    }
}
