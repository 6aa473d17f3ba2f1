//! The digest of a run: SipHash-128 with a fixed key over every frame delivered (time, port, bytes) and every command's
//! output. Two runs with the same digest delivered the same bytes at the same places at the same times.
//!
//! A frame's bytes are hashed once, to a fingerprint that travels with the buffer until an edit; a rewrite of the
//! headers leaves the payload's own fingerprint standing. The running digest takes in the time, the port and the
//! fingerprint, so a hop costs the same for a short and a long frame.

use super::record::CommandRecord;
use crate::base::id::PortId;
use crate::base::time::Instant;
use crate::wire::frame::{Buffer, ETHERNET_HEADER, Tail};
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher13x128};
use std::fmt;
use std::hash::Hasher;
use std::num::NonZeroU64;

/// The digest of a run, or of a run so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u128);

/// A digest that is being taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running(SipHasher13x128);

const KEY: (u64, u64) = (0x6c76_736c_6162_2d64, 0x6967_6573_742d_7631);
const FRAME: u64 = 1;
const COMMAND: u64 = 2;

impl Default for Running {
    fn default() -> Self {
        Running(SipHasher13x128::new_with_keys(KEY.0, KEY.1))
    }
}

impl Running {
    /// A frame with this fingerprint was delivered.
    pub(super) fn frame(&mut self, at: Instant, port: PortId, print: NonZeroU64) {
        self.0.write_u64(FRAME << 32 | u64::from(port.0));
        self.0.write_u64(at.nanos());
        self.0.write_u64(print.get());
    }

    /// A command ended.
    pub(super) fn command(&mut self, at: Instant, record: &CommandRecord) {
        self.0.write_u64(COMMAND << 32 | u64::from(record.node.0));
        self.0.write_u64(at.nanos());
        self.0.write_u64(record.exit.map_or(u64::MAX, |exit| u64::from(exit as u32)));
        for text in [&*record.text, &record.stdout, &record.stderr] {
            self.0.write_u64(text.len() as u64);
            self.0.write_u64(hash(text.as_bytes()));
        }
    }

    /// The digest so far.
    pub(super) fn value(&self) -> Digest {
        Digest(self.0.finish128().into())
    }
}

/// The fingerprint of a frame's bytes, taken from the buffer if they were not edited since it was last asked for.
pub(super) fn fingerprint(buffer: &mut Buffer) -> NonZeroU64 {
    if let Some(print) = buffer.print {
        return print;
    }
    let bytes = buffer.bytes();
    let (head, payload) = bytes.split_at(head_length(bytes));
    let mut hasher = SipHasher13::new_with_keys(KEY.1, KEY.0);
    hasher.write_u64((head.len() as u64) << 32 | payload.len() as u64);
    hasher.write(head);
    if !payload.is_empty() {
        let known = buffer.tail.length as usize == payload.len() && buffer.tail.print != 0;
        let tail_print = if known { buffer.tail.print } else { hash(payload) | 1 };
        hasher.write_u64(tail_print);
        if !known {
            let same = buffer.tail.length as usize == payload.len();
            let kept = if same { buffer.tail.kept } else { Tail::NOT_KEPT };
            buffer.tail = Tail { length: payload.len() as u32, kept, print: tail_print };
        }
    }
    let print = NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN);
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

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
    hasher.write(bytes);
    hasher.finish()
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
