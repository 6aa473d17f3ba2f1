//! What was decided about each frame of the capture. A decision belongs to the frame in which the packet left the host;
//! if it ended there, to the frame in which it came.

use super::{Kind, Trace, explain};
use crate::base::id::{EventId, NodeId, PacketId};
use std::collections::BTreeMap;

/// Decisions by frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// By frame number minus 1.
    frames: Vec<Vec<EventId>>,
}

/// Decisions about a packet at a host that have found no frame yet.
#[derive(Default)]
struct Open {
    received: Option<u32>,
    decisions: Vec<EventId>,
}

impl Notes {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        let mut notes = Notes { frames: vec![Vec::new(); trace.frames.len()] };
        let mut open: BTreeMap<(PacketId, NodeId), Open> = BTreeMap::new();
        let mut number = 0;
        for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
            let is_frame = trace.frames.get(number as usize) == Some(&id);
            number += u32::from(is_frame);
            if !event.packet.is_some() {
                continue;
            }
            let at = (event.packet, trace.steps[event.step as usize].node);
            match event.kind {
                Kind::Decided(_) => open.entry(at).or_default().decisions.push(id),
                Kind::Received { .. } if is_frame => {
                    let before = open.insert(at, Open { received: Some(number), decisions: Vec::new() });
                    notes.close(before);
                }
                Kind::Sent { .. } if is_frame => {
                    let decisions = open.get_mut(&at).map(|open| std::mem::take(&mut open.decisions));
                    notes.frames[number as usize - 1].extend(decisions.unwrap_or_default());
                }
                _ => {}
            }
        }
        for (_, rest) in open {
            notes.close(Some(rest));
        }
        notes
    }

    fn close(&mut self, open: Option<Open>) {
        if let Some(Open { received: Some(number), decisions }) = open {
            self.frames[number as usize - 1].extend(decisions);
        }
    }

    /// The decisions about a frame, by its number in the capture.
    pub fn decisions(&self, number: u32) -> &[EventId] {
        (number as usize).checked_sub(1).and_then(|index| self.frames.get(index)).map_or(&[], Vec::as_slice)
    }

    /// Code and sentence of each decision about a frame.
    pub fn comments(&self, trace: &Trace, number: u32) -> Vec<(&'static str, String)> {
        self.decisions(number).iter().filter_map(|event| explain::decision(trace, *event)).collect()
    }
}
