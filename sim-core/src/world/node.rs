//! What the engine and a node know of each other.
//!
//! ```text
//!            Event::Arrive ──► receive ─┐
//!   engine ─ Event::Wake ────► wake ────┼──► Outbox (frames) ──► links
//!            Event::Act ─────► act ─────┘
//!          ◄──────────── next_wake
//! ```

pub use super::action::Action;
use crate::base::id::{EventId, NodeId, PacketId, PortId};
use crate::base::rng::Stream;
use crate::base::time::Instant;
use crate::trace::recorder::{Change, Context};
use crate::trace::{Recorder, Stage, Why};
use crate::wire::frame::{Buffer, Frame};
use std::any::Any;

/// A closed box with ports: a host, a switch, a puppet. (`Any`, so that a test can look into its own node after a run.)
pub trait Node: Any {
    /// A frame reached `port`. The engine has written that it came, and `cx` has it as packet and cause.
    fn receive(&mut self, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx);

    /// The time that `next_wake` gave has come.
    fn wake(&mut self, out: &mut Outbox, cx: &mut Cx);

    /// The script does something to this node.
    fn act(&mut self, action: &Action, out: &mut Outbox, cx: &mut Cx);

    /// When the node next wants to wake by itself. Asked after every call; never in the past.
    fn next_wake(&self) -> Option<Instant>;

    /// What stands on the terminals of lines that still run when the run ends: the number of the line, standard output,
    /// standard error.
    fn screens(&mut self) -> Vec<(u32, String, String)> {
        Vec::new()
    }
}

/// Frames that leave a node in this turn, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: Vec<(PortId, Frame)>,
}

/// What a node is given for one turn: the time, its own chance, the pen for the trace, the buffer pool, and the
/// circumstances under which the next event is written.
pub struct Cx<'a> {
    /// The time.
    pub now: Instant,
    /// The node.
    pub node: NodeId,
    /// The node's own stream of chance.
    pub rng: &'a mut Stream,
    /// The pen.
    pub pen: &'a mut Recorder,
    /// Storage of frames that are gone.
    pub pool: &'a mut Pool,
    /// What led to what is done next.
    pub cause: EventId,
    /// The packet in hand.
    pub packet: PacketId,
    /// Where in the node.
    pub stage: Stage,
}

/// Storage of frames that are gone, to be used again.
#[derive(Debug, Default)]
pub struct Pool {
    free: Vec<Buffer>,
}

const POOL_MAX: usize = 4096;
/// Octets that a new buffer has beyond what is asked for: headers in front, and use again by a longer frame.
const SPARE: usize = 256;

impl Outbox {
    /// Puts a frame out by `port`. In a host, only `egress.rs` does. The engine writes that it left, with the cause that
    /// its buffer names: set `buffer.cause` to what decided it.
    pub fn send(&mut self, port: PortId, frame: Frame) {
        self.frames.push((port, frame));
    }

    /// Takes the frames out, in order: the engine does, after each turn.
    pub fn drain(&mut self) -> std::vec::Drain<'_, (PortId, Frame)> {
        self.frames.drain(..)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

impl Cx<'_> {
    /// Writes a decision; what is written next has it as its cause.
    pub fn note(&mut self, why: Why) {
        self.cause = self.pen.decided(why, self.context());
    }

    /// Writes that the packet in hand ended here.
    pub fn drop(&mut self, why: Why) {
        self.cause = self.pen.dropped(why, self.context());
    }

    /// Writes the new value of a table or program; what is written next has it as its cause.
    pub fn change(&mut self, change: Change) {
        self.cause = self.pen.changed(change, self.context());
    }

    /// A new packet of `length` octets with room for headers in front; it came from the packet in hand, if there is one.
    pub fn new_buffer(&mut self, length: usize) -> Buffer {
        let packet = self.pen.new_packet(self.packet);
        self.pool.zeroed(length, packet)
    }

    /// Takes a frame or packet apart that has ended.
    pub fn recycle(&mut self, buffer: Buffer) {
        self.pool.give(buffer);
    }

    /// The circumstances, to be put back with [`Cx::resume`] after something was done on the side.
    pub fn context(&self) -> Context {
        Context { cause: self.cause, packet: self.packet, stage: self.stage }
    }

    /// Sets the circumstances.
    pub fn resume(&mut self, context: Context) {
        self.cause = context.cause;
        self.packet = context.packet;
        self.stage = context.stage;
    }

    /// Makes `buffer` the packet in hand, with what it is about as the cause.
    pub fn take_up(&mut self, buffer: &Buffer) {
        self.packet = buffer.packet;
        self.cause = buffer.cause;
    }
}

impl Pool {
    /// A buffer of `length` zero octets.
    pub fn zeroed(&mut self, length: usize, packet: PacketId) -> Buffer {
        match self.free.pop() {
            Some(mut buffer) => {
                buffer.begin(length, packet);
                buffer
            }
            None => Buffer::zeroed(length, packet, Vec::with_capacity(length + SPARE)),
        }
    }

    /// A copy of a buffer, ids included.
    pub fn copy(&mut self, buffer: &Buffer) -> Buffer {
        match self.free.pop() {
            Some(mut copy) => {
                copy.become_copy(buffer);
                copy
            }
            None => buffer.clone(),
        }
    }

    /// A buffer that is no longer used.
    pub fn give(&mut self, buffer: Buffer) {
        if self.free.len() < POOL_MAX {
            self.free.push(buffer);
        }
    }
}
