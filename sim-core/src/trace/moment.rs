//! The tables of every node at any event, rebuilt from the changes that the trace holds. The live world is never asked.
//!
//! ```text
//!   changes   ──┼───┼──┼────┼──┼───┼──►      forwards: put the new record into its row
//!                          ▲                 back:     put the record before it there again
//!                        Tables              far away: copy the nearest keyframe and go on from there
//! ```
//! [`Tables`] are numbers only and may be kept beside their trace; [`Moment`] is the handy form for one question.

use super::Trace;
use super::changes::{Changes, News};
use super::tables::{NodeTables, Tables};
use crate::base::id::{EventId, NodeId};
use crate::base::time::Instant;

/// All tables of a trace after an event.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    trace: &'a Trace,
    changes: Changes,
    tables: Tables,
}

impl Tables {
    /// Goes to the moment after the event `id`, forwards or back. `changes` are those of `trace`.
    pub fn go_to(&mut self, trace: &Trace, changes: &Changes, id: EventId) {
        let target = changes.up_to(id);
        let far = self.taken.abs_diff(target);
        if far > JUMP_MIN {
            match changes.keyframe(target) {
                Some((at, tables)) if target - at < far => self.clone_from(tables),
                None if target < far => *self = Self::start(trace),
                Some(_) | None => {}
            }
        }
        while self.taken < target {
            if let Some((change, _)) = changes.get(trace, self.taken) {
                self.put(change);
            }
            self.taken += 1;
        }
        while self.taken > target {
            self.taken -= 1;
            if let Some((change, before)) = changes.get(trace, self.taken) {
                self.take_back(change, before);
            }
        }
    }
}

/// Nearer than this no keyframe is looked for.
const JUMP_MIN: u32 = 1024;

impl<'a> Moment<'a> {
    /// Before the first event.
    pub fn start(trace: &'a Trace) -> Self {
        Moment { trace, changes: Changes::of(trace), tables: Tables::start(trace) }
    }

    /// After the event `id`.
    pub fn after(trace: &'a Trace, id: EventId) -> Self {
        let mut moment = Self::start(trace);
        moment.go_to(id);
        moment
    }

    /// After everything that happened at `at` or before.
    pub fn at(trace: &'a Trace, at: Instant) -> Self {
        let mut moment = Self::start(trace);
        let steps = trace.steps.partition_point(|step| step.at <= at) as u32;
        let events = trace.events.partition_point(|event| event.step < steps) as u32;
        if let Some(last) = events.checked_sub(1) {
            moment.go_to(EventId(last));
        }
        moment
    }

    /// Goes to the moment after the event `id`, forwards or back.
    pub fn go_to(&mut self, id: EventId) {
        self.tables.go_to(self.trace, &self.changes, id);
    }

    /// What changed after the event `from` up to and including `to`, in order.
    pub fn news(&self, from: EventId, to: EventId) -> impl Iterator<Item = News<'_>> {
        self.changes.news(self.trace, from, to)
    }

    /// The tables of a node.
    pub fn node(&self, node: NodeId) -> NodeTables<'_> {
        self.tables.node(self.trace, node)
    }
}
