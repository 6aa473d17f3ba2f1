//! A finished run with everything the panes look up in it, read once. It never changes; a fork is another one.

use super::fork::Addition;
use super::rows::{self, Noise};
use super::tree::{self, Branch};
use crate::session::{self, End};
use pcap_out::headers::ShortMacs;
use pcap_out::report::Mark;
use pcap_out::timeline::Timeline;
use scenarios::Model;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::capture::Captured;
use sim_core::trace::changes::Changes;
use sim_core::trace::journey::{History, Visit};
use sim_core::trace::select::Survey;
use sim_core::trace::{Kind, Trace, Why, served};
use sim_core::world::sim::Stopped;

/// What was run, and what was recorded.
#[derive(Debug)]
pub(crate) struct Run {
    /// The scenario, with what was added in the console.
    pub(crate) scenario: Model,
    /// What was added, in order.
    pub(crate) added: Vec<Addition>,
    /// The record.
    pub(crate) trace: Trace,
    /// When the run ended.
    pub(crate) end: Instant,
    /// Why it ended.
    pub(crate) stopped: End,
    /// The seed.
    pub(crate) seed: u64,
    /// `3f0c9a51`.
    pub(crate) digest: String,
    /// Changes of tables.
    pub(crate) changes: Changes,
    /// Events by packet.
    pub(crate) history: History,
    /// Decisions and connections by frame.
    pub(crate) survey: Survey,
    /// By frame number minus 1: what the list folds.
    pub(crate) noise: Vec<Noise>,
    /// By request: its first event, its last one, and who answered it.
    pub(crate) requests: Vec<Request>,
    /// Events worth a line in the log.
    pub(crate) notable: Vec<EventId>,
    /// MACs, shortened.
    pub(crate) macs: ShortMacs,
    /// What is cabled to what, from the first client outwards.
    pub(crate) tree: Vec<Branch>,
    /// States over time.
    pub(crate) timeline: Timeline,
    /// What was expected, and whether it holds.
    pub(crate) marks: Vec<Mark>,
}

/// Where a request stands in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// When its program began.
    pub(crate) start: EventId,
    /// When it ended; none if it never did.
    pub(crate) end: Option<EventId>,
    /// Whose program answered.
    pub(crate) server: Option<NodeId>,
}

/// A run that is being read, one stage at a time, so that the screen can say how far it is.
#[derive(Debug)]
pub(crate) struct Reading {
    raw: Raw,
    changes: Option<Changes>,
    history: Option<History>,
    survey: Option<Survey>,
    noise: Option<Vec<Noise>>,
}

/// What an engine leaves behind.
#[derive(Debug)]
pub(crate) struct Raw {
    /// The scenario, with what was added.
    pub(crate) scenario: Model,
    /// What was added.
    pub(crate) added: Vec<Addition>,
    /// The record.
    pub(crate) trace: Trace,
    /// When it ended.
    pub(crate) end: Instant,
    /// Why.
    pub(crate) stopped: End,
    /// The seed.
    pub(crate) seed: u64,
    /// `3f0c9a51`.
    pub(crate) digest: String,
}

/// How many stages reading has.
pub(crate) const STAGES: u64 = 5;

impl Reading {
    /// Nothing has been read yet.
    pub(crate) fn new(raw: Raw) -> Self {
        Reading { raw, changes: None, history: None, survey: None, noise: None }
    }

    /// How many stages are done.
    pub(crate) fn done(&self) -> u64 {
        [self.changes.is_some(), self.history.is_some(), self.survey.is_some(), self.noise.is_some()]
            .into_iter()
            .map(u64::from)
            .sum()
    }

    /// Does the next stage; gives the run after the last one.
    pub(crate) fn stage(mut self: Box<Self>) -> Result<Run, Box<Reading>> {
        let trace = &self.raw.trace;
        if self.changes.is_none() {
            self.changes = Some(Changes::of(trace));
            return Err(self);
        }
        let Some(history) = &self.history else {
            self.history = Some(History::of(trace));
            return Err(self);
        };
        let Some(survey) = &self.survey else {
            self.survey = Some(Survey::with(trace, history));
            return Err(self);
        };
        if self.noise.is_none() {
            self.noise = Some(rows::noise(trace, survey));
            return Err(self);
        }
        match *self {
            Reading {
                raw,
                changes: Some(changes),
                history: Some(history),
                survey: Some(survey),
                noise: Some(noise),
            } => Ok(Run::assemble(raw, changes, history, survey, noise)),
            unfinished => Err(Box::new(unfinished)),
        }
    }
}

impl Run {
    fn assemble(raw: Raw, changes: Changes, history: History, survey: Survey, noise: Vec<Noise>) -> Run {
        let Raw { scenario, added, trace, end, stopped, seed, digest } = raw;
        let servers = served::hosts(&trace, &survey.conversations);
        let never = EventId(trace.events.len().saturating_sub(1) as u32);
        let mut requests: Vec<Request> =
            servers.into_iter().map(|server| Request { start: never, end: None, server }).collect();
        let mut notable = Vec::new();
        for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
            match event.kind {
                Kind::RequestStarted(index) => requests[index as usize].start = id,
                Kind::RequestEnded(index) => requests[index as usize].end = Some(id),
                _ => {}
            }
            if is_notable(event.kind) {
                notable.push(id);
            }
        }
        let macs = ShortMacs::of(&trace);
        let tree = tree::of(&trace);
        let timeline = Timeline::of(&trace, end);
        let marks = session::marks(&scenario, &trace);
        Run {
            scenario,
            added,
            trace,
            end,
            stopped,
            seed,
            digest,
            changes,
            history,
            survey,
            noise,
            requests,
            notable,
            macs,
            tree,
            timeline,
            marks,
        }
    }

    /// What is to be said if the run did not end as it should.
    pub(crate) fn complaint(&self) -> Option<String> {
        match self.stopped {
            End::Engine(Stopped::Until | Stopped::Quiet) => None,
            End::Engine(Stopped::Livelock { node, at }) => Some(format!(
                "the run stopped at {at} s: more than a million things happened at one instant, the last at {}",
                self.trace.node_name(node)
            )),
            End::Engine(Stopped::TraceFull { at }) => Some(format!("the run stopped at {at} s: its record is full")),
            End::Interrupted => Some(format!("the run was interrupted at {} s", self.end)),
        }
    }

    /// The last event.
    pub(crate) fn last(&self) -> EventId {
        EventId(self.trace.events.len().saturating_sub(1) as u32)
    }

    /// How many frames the capture has.
    pub(crate) fn frames(&self) -> u32 {
        self.trace.frames.len() as u32
    }

    /// The frame that an event is.
    pub(crate) fn frame_at(&self, event: EventId) -> Option<Captured<'_>> {
        self.trace.frame(self.trace.frame_number(event)?)
    }

    /// The number of the last frame at or before an event; 0 before the first.
    pub(crate) fn frame_before(&self, event: EventId) -> u32 {
        self.trace.frames.partition_point(|frame| *frame <= event) as u32
    }

    /// The way of a packet: its visits to hosts, without those that only ignored a flooded copy.
    pub(crate) fn way(&self, packet: sim_core::base::id::PacketId) -> Vec<Visit> {
        let mut visits = self.history.journey(&self.trace, packet);
        let ignored =
            |visit: &Visit| visit.events.iter().any(|id| self.trace.event(*id).kind == Kind::Decided(Why::OtherHost));
        visits.retain(|visit| !ignored(visit));
        visits
    }
}

fn is_notable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Log(_)
            | Kind::CommandStarted(_)
            | Kind::CommandEnded(_)
            | Kind::RequestStarted(_)
            | Kind::RequestEnded(_)
            | Kind::Served(_)
            | Kind::Acted(_)
    )
}
