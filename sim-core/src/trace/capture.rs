//! The frames of a trace as a capture shows them: numbered from 1, on a host's network card, outbound at the sender and
//! inbound at the receiver. A switch's ports are not captured.

use super::{Kind, Trace};
use crate::base::id::{EventId, NodeId, PacketId, PortId};
use crate::base::time::Instant;
use crate::wire::dissect::{Dissection, dissect};
use std::borrow::Cow;

/// A frame on a network card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured<'a> {
    /// Its number, from 1: `f21`.
    pub number: u32,
    /// Its event.
    pub event: EventId,
    /// When.
    pub at: Instant,
    /// Whose network card.
    pub node: NodeId,
    /// The network card.
    pub port: PortId,
    /// It left; otherwise it came in.
    pub outbound: bool,
    /// The packet.
    pub packet: PacketId,
    /// Octets of the whole frame.
    pub length: u32,
    /// The octets that were kept: all, or the beginning.
    pub bytes: Cow<'a, [u8]>,
}

impl Trace {
    /// Frame No. `number` of the capture.
    pub fn frame(&self, number: u32) -> Option<Captured<'_>> {
        let event = *self.frames.get((number as usize).checked_sub(1)?)?;
        self.captured(number, event)
    }

    /// All frames of the capture, in order.
    pub fn captured_frames(&self) -> impl Iterator<Item = Captured<'_>> {
        self.frames.iter().zip(1..).filter_map(|(event, number)| self.captured(number, *event))
    }

    /// The number of a frame in the capture, by its event.
    pub fn frame_number(&self, event: EventId) -> Option<u32> {
        self.frames.binary_search(&event).ok().map(|index| index as u32 + 1)
    }

    fn captured(&self, number: u32, event: EventId) -> Option<Captured<'_>> {
        let (outbound, port, bytes, length) = match self.event(event).kind {
            Kind::Sent { port, bytes, length } => (true, port, bytes, length),
            Kind::Received { port, bytes, length } => (false, port, bytes, length),
            _ => return None,
        };
        let (head, tail) = self.bytes(bytes);
        let bytes = if tail.is_empty() { Cow::Borrowed(head) } else { Cow::Owned([head, tail].concat()) };
        let step = self.step_of(event);
        let packet = self.event(event).packet;
        Some(Captured { number, event, at: step.at, node: step.node, port, outbound, packet, length, bytes })
    }
}

impl Captured<'_> {
    /// The frame, taken apart.
    pub fn dissect(&self) -> Dissection {
        dissect(&self.bytes, self.length as usize)
    }
}
