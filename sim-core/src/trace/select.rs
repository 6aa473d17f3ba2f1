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
    survey: Option<Survey>,
}

/// What a filter may ask about frames beyond their bytes, read once. Numbers only: it may be kept beside its trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Decisions by frame.
    pub notes: Notes,
    /// Connections by frame.
    pub conversations: Conversations,
    /// How often its packet was on a cable, by frame number minus 1.
    hops: Vec<u32>,
}

impl<'a> Selector<'a> {
    /// For this trace.
    pub fn new(trace: &'a Trace) -> Self {
        Selector { trace, survey: None }
    }

    /// The numbers of the frames that pass, in order.
    pub fn select(&mut self, filter: &Filter) -> Vec<u32> {
        let trace = self.trace;
        trace.captured_frames().filter(|frame| self.passes(filter, frame)).map(|frame| frame.number).collect()
    }

    /// Whether a frame passes.
    pub fn passes(&mut self, filter: &Filter, frame: &Captured) -> bool {
        let trace = self.trace;
        let survey = filter.asks_capture().then(|| &*self.survey.get_or_insert_with(|| Survey::of(trace)));
        let dissected = frame.dissect();
        let capture = survey.map(|survey| survey.surroundings(trace, frame));
        filter.matches(Subject { frame: &dissected, bytes: &frame.bytes, capture: capture.as_ref() })
    }
}

impl Survey {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        Survey::with(trace, &History::of(trace))
    }

    /// As [`Survey::of`], with the history of the same trace at hand.
    pub fn with(trace: &Trace, history: &History) -> Self {
        Survey { notes: Notes::of(trace), conversations: Conversations::of(trace), hops: hops(trace, history) }
    }

    /// Whether a frame of the same trace passes.
    pub fn passes(&self, trace: &Trace, filter: &Filter, frame: &Captured) -> bool {
        let dissected = frame.dissect();
        let capture = filter.asks_capture().then(|| self.surroundings(trace, frame));
        filter.matches(Subject { frame: &dissected, bytes: &frame.bytes, capture: capture.as_ref() })
    }

    /// How often the packet of a frame had been sent by a host up to there; 1 at its first sender.
    pub fn hop(&self, number: u32) -> u32 {
        (number as usize).checked_sub(1).and_then(|index| self.hops.get(index)).copied().unwrap_or(0)
    }

    fn surroundings(&self, trace: &Trace, frame: &Captured) -> Surroundings {
        let comments = self.notes.comments(trace, frame.number);
        let text: Vec<String> = comments.iter().map(|(code, text)| format!("{code} {text}")).collect();
        Surroundings {
            number: frame.number,
            length: frame.length,
            captured: frame.bytes.len() as u32,
            epoch_ns: EPOCH_UNIX_SECONDS * 1_000_000_000 + frame.at.nanos(),
            relative_ns: trace.frames.first().map_or(0, |first| frame.at.since(trace.at(*first)).nanos()),
            interface: trace.port_name(frame.port),
            comment: text.join("\n"),
            host: trace.node_name(frame.node).to_string(),
            hop: self.hop(frame.number),
            whys: comments.iter().map(|(code, _)| *code).collect(),
            conn: self.conversations.of_frame(frame.number),
        }
    }
}

/// For each frame, how often its packet had been sent by a host up to there.
fn hops(trace: &Trace, history: &History) -> Vec<u32> {
    let mut sent: BTreeMap<PacketId, u32> = BTreeMap::new();
    let count = |frame: Captured| {
        let hops = sent.entry(history.origin(trace, frame.packet)).or_default();
        *hops += u32::from(frame.outbound);
        *hops
    };
    trace.captured_frames().map(count).collect()
}
