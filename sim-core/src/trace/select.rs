//! The frames that pass a filter, with everything a filter may ask about them.

use super::Trace;
use super::capture::Captured;
use super::conversation::Conversations;
use super::filter::{Filter, Subject, Surroundings};
use super::journey::History;
use super::notes::Notes;
use crate::base::id::PacketId;
use crate::base::time::EPOCH_UNIX_SECONDS;
use std::collections::BTreeMap;

/// Answers filters about one trace; what only some filters ask is read when it is first asked.
#[derive(Debug)]
pub struct Selector<'a> {
    trace: &'a Trace,
    index: Option<Index>,
}

#[derive(Debug)]
struct Index {
    notes: Notes,
    conversations: Conversations,
    /// By frame number minus 1.
    hops: Vec<u32>,
}

impl<'a> Selector<'a> {
    /// For this trace.
    pub fn new(trace: &'a Trace) -> Self {
        Selector { trace, index: None }
    }

    /// The numbers of the frames that pass, in order.
    pub fn select(&mut self, filter: &Filter) -> Vec<u32> {
        let trace = self.trace;
        trace.captured_frames().filter(|frame| self.passes(filter, frame)).map(|frame| frame.number).collect()
    }

    /// Whether a frame passes.
    pub fn passes(&mut self, filter: &Filter, frame: &Captured) -> bool {
        let dissected = frame.dissect();
        let capture = filter.asks_capture().then(|| self.surroundings(frame));
        filter.matches(Subject { frame: &dissected, bytes: &frame.bytes, capture: capture.as_ref() })
    }

    fn surroundings(&mut self, frame: &Captured) -> Surroundings {
        let trace = self.trace;
        let index = self.index.get_or_insert_with(|| Index::of(trace));
        let comments = index.notes.comments(trace, frame.number);
        let text: Vec<String> = comments.iter().map(|(code, text)| format!("{code} {text}")).collect();
        Surroundings {
            number: frame.number,
            length: frame.length,
            captured: frame.bytes.len() as u32,
            epoch_ns: EPOCH_UNIX_SECONDS * 1_000_000_000 + frame.at.nanos(),
            interface: trace.port_name(frame.port),
            comment: text.join("\n"),
            host: trace.node_name(frame.node).to_string(),
            hop: index.hops[frame.number as usize - 1],
            whys: comments.iter().map(|(code, _)| *code).collect(),
            conn: index.conversations.of_frame(frame.number),
        }
    }
}

impl Index {
    fn of(trace: &Trace) -> Self {
        Index { notes: Notes::of(trace), conversations: Conversations::of(trace), hops: hops(trace) }
    }
}

/// For each frame, how often its packet had been sent by a host up to there.
fn hops(trace: &Trace) -> Vec<u32> {
    let history = History::of(trace);
    let mut sent: BTreeMap<PacketId, u32> = BTreeMap::new();
    let count = |frame: Captured| {
        let hops = sent.entry(history.origin(trace, frame.packet)).or_default();
        *hops += u32::from(frame.outbound);
        *hops
    };
    trace.captured_frames().map(count).collect()
}
