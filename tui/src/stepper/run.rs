//! A finished run with everything the panes look up in it, read once. It never changes; a fork is another one.

use super::fork::Addition;
use super::rows::{self, Noise};
use super::tree::{self, Branch};
use super::watch::Watch;
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

impl Run {
    /// Reads a record in [`STAGES`](super::watch::STAGES) stages. None if nobody waits for it any longer.
    pub(crate) fn of(raw: Raw, watch: &Watch) -> Option<Run> {
        let trace = &raw.trace;
        let waits = |stages| (!watch.read(stages)).then_some(());
        waits(0)?;
        let changes = Changes::of(trace);
        waits(1)?;
        let history = History::of(trace);
        waits(2)?;
        let survey = Survey::with(trace, &history);
        waits(3)?;
        let noise = rows::noise(trace, &survey);
        waits(4)?;
        Some(Run::assemble(raw, changes, history, survey, noise))
    }

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
            if is_notable(&trace, event.kind) {
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

fn is_notable(trace: &Trace, kind: Kind) -> bool {
    // What the script types has a line of its own.
    if let Kind::Acted(position) = kind {
        return trace.cast.deeds.get(position as usize).is_some_and(|deed| !deed.is_empty());
    }
    matches!(
        kind,
        Kind::Log(_)
            | Kind::CommandStarted(_)
            | Kind::CommandEnded(_)
            | Kind::RequestStarted(_)
            | Kind::RequestEnded(_)
            | Kind::Served(_)
    )
}
