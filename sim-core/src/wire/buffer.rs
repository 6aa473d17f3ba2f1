//! Bytes with room in front for the headers of tunnels, and the ids that travel with them. A buffer has one owner and is
//! moved; its storage is used again.

use crate::base::id::{BytesId, EventId, PacketId};
use std::num::NonZeroU64;
use std::ops::{Deref, DerefMut};

/// Octets kept free in front of a frame that a host makes: an Ethernet header and the longest tunnel headers.
pub const HEADROOM: usize = 64;

/// Bytes with room in front, and what travels with them. One pointer wide, since buffers are moved from stage to stage
/// and from queue to queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer(Box<Held>);

/// What a [`Buffer`] holds: the bytes, and the ids that travel with them. Not in the bytes, never seen by a receiver's
/// logic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    data: Vec<u8>,
    start: u32,
    /// The packet these bytes belong to.
    pub packet: PacketId,
    /// The event that made them what they are.
    pub cause: EventId,
    /// Where the trace keeps exactly these bytes; `NONE` as soon as one of them was edited.
    pub kept: BytesId,
    /// The digest's fingerprint of exactly these bytes; none as soon as one of them was edited.
    pub print: Option<NonZeroU64>,
    /// What is known of the last octets.
    pub tail: Tail,
}

/// What the trace and the digest know of the last octets of a buffer: a transport payload, which routers and directors
/// leave alone while they edit the headers before it. Empty if nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// How many octets, counted from the end.
    pub length: u32,
    /// Where the trace's arena has them; [`Tail::NOT_KEPT`] if it has not.
    pub kept: u32,
    /// The digest's fingerprint of them; 0 if it was not taken.
    pub print: u64,
}

impl Tail {
    /// The trace's arena does not have them.
    pub const NOT_KEPT: u32 = u32::MAX;
    /// Nothing is known.
    pub const UNKNOWN: Tail = Tail { length: 0, kept: Tail::NOT_KEPT, print: 0 };
}

impl Buffer {
    /// A buffer of `length` zero octets with [`HEADROOM`] in front, made in `storage`.
    pub fn zeroed(length: usize, packet: PacketId, storage: Vec<u8>) -> Self {
        let mut buffer = Buffer(Box::new(Held {
            data: storage,
            start: 0,
            packet,
            cause: EventId::NONE,
            kept: BytesId::NONE,
            print: None,
            tail: Tail::UNKNOWN,
        }));
        buffer.begin(length, packet);
        buffer
    }

    /// Makes it a buffer of `length` zero octets, as [`Buffer::zeroed`] does, whatever it was.
    pub fn begin(&mut self, length: usize, packet: PacketId) {
        self.data.clear();
        self.data.resize(HEADROOM + length, 0);
        self.start = HEADROOM as u32;
        self.packet = packet;
        self.cause = EventId::NONE;
        self.forget_whole();
        self.tail = Tail::UNKNOWN;
    }

    /// Makes it a copy of another, ids included: a flood makes these.
    pub fn become_copy(&mut self, other: &Buffer) {
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        data.extend_from_slice(&other.data);
        *self.0 = Held { data, ..**other };
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data[self.start as usize..]
    }

    /// The bytes, to be edited: nothing that is known of them is right any more.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.forget_whole();
        self.tail = Tail::UNKNOWN;
        let start = self.start as usize;
        &mut self.data[start..]
    }

    /// The first `count` octets, or all if there are fewer, to be edited: the payload behind them stays known.
    pub fn head_mut(&mut self, count: usize) -> &mut [u8] {
        self.forget_whole();
        let length = self.data.len() - self.start as usize;
        let count = count.min(length);
        if count + self.tail.length as usize > length {
            self.tail = Tail::UNKNOWN;
        }
        let start = self.start as usize;
        &mut self.data[start..start + count]
    }

    fn forget_whole(&mut self) {
        self.kept = BytesId::NONE;
        self.print = None;
    }

    /// Takes `count` octets off the front.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn strip(&mut self, count: usize) {
        assert!(count <= self.bytes().len(), "cannot strip more octets than there are");
        self.forget_whole();
        self.start += count as u32;
        if self.tail.length as usize > self.bytes().len() {
            self.tail = Tail::UNKNOWN;
        }
    }

    /// Puts `count` octets in front, with undefined content.
    pub fn grow(&mut self, count: usize) {
        self.forget_whole();
        let start = self.start as usize;
        if count > start {
            let more = HEADROOM + count - start;
            self.data.splice(0..0, std::iter::repeat_n(0, more));
            self.start += more as u32;
        }
        self.start -= count as u32;
    }

    /// Puts other octets, more or fewer, in the place of some.
    pub fn splice(&mut self, place: std::ops::Range<usize>, octets: &[u8]) {
        self.forget_whole();
        self.tail = Tail::UNKNOWN;
        let start = self.start as usize;
        self.data.splice(start + place.start..start + place.end, octets.iter().copied());
    }

    /// Cuts the end off, so that `length` octets remain (Ethernet padding, the rest of a quoted packet).
    pub fn truncate(&mut self, length: usize) {
        if length < self.bytes().len() {
            self.forget_whole();
            self.tail = Tail::UNKNOWN;
            let end = self.start as usize + length;
            self.data.truncate(end);
        }
    }
}

impl Deref for Buffer {
    type Target = Held;
    fn deref(&self) -> &Held {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Held {
        &mut self.0
    }
}
