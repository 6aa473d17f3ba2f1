//! Every change of a table in a trace, with what stood in that row before: what lets a reader of the tables
//! ([`super::moment`]) go back as cheaply as forwards. Made once per trace, in one pass.
//!
//! Numbers only, so that it can be kept beside the trace that it was made of.

use super::Trace;
use super::record::{Born, Key, Place, Row, Table};
use super::tables::{Change, Tables};
use crate::base::id::{EventId, NodeId};
use std::collections::BTreeMap;

/// The changes of a trace, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The events that change a table.
    events: Vec<u32>,
    /// By change: the record that stood in the row before, or [`NONE`].
    before: Vec<u32>,
    /// Changes of rows that stand where they were added, with the record with which the row appeared.
    born: Vec<(u32, u32)>,
    /// All tables after so many changes, now and then.
    keyframes: Vec<(u32, Tables)>,
}

/// A change as a reader shows it.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// The table.
    pub table: Table,
    /// Where the row stands in it.
    pub place: Place,
    /// The new record.
    pub row: &'a dyn Row,
    /// The number of the record that stood there before; none if the row was not there.
    pub before: Option<u32>,
}

/// No record.
const NONE: u32 = u32::MAX;

/// Between two keyframes lie at least so many changes, and at least as many as all tables have rows: keyframes take no
/// more room than the changes themselves, and a jump costs no more than a copy of the tables.
const BETWEEN_KEYFRAMES: u32 = 4096;

/// The rows that stand where they were added: with which record each appeared, if it is there.
type Births<'a> = BTreeMap<(NodeId, Born<'a>), u32>;

impl Changes {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        let mut changes = Changes::default();
        let mut births = Births::new();
        let mut tables = Tables::start(trace);
        let mut keyframe = 0;
        for (event, id) in trace.events.iter().zip(0..) {
            let Some((table, record)) = event.kind.change() else { continue };
            let Some(row) = trace.row(table, record) else { continue };
            let place = changes.place(row, record, &mut births);
            changes.events.push(id);
            let change = Change { table, record, row, place };
            changes.before.push(tables.put(change).unwrap_or(NONE));
            let taken = changes.events.len() as u32;
            if taken.is_multiple_of(BETWEEN_KEYFRAMES) && tables.rows() <= (taken - keyframe) as usize {
                tables.taken = taken;
                changes.keyframes.push((taken, tables.clone()));
                keyframe = taken;
            }
        }
        changes
    }

    /// How many changes happened up to and including an event.
    pub fn up_to(&self, event: EventId) -> u32 {
        self.events.partition_point(|change| *change <= event.0) as u32
    }

    /// The events that change a table, after the event `from` up to and including `to`.
    pub fn between(&self, from: EventId, to: EventId) -> impl Iterator<Item = EventId> + '_ {
        let (from, to) = (self.up_to(from), self.up_to(to));
        self.events[from.min(to) as usize..to as usize].iter().map(|event| EventId(*event))
    }

    /// What changed after the event `from` up to and including `to`, in order.
    pub fn news<'a>(&'a self, trace: &'a Trace, from: EventId, to: EventId) -> impl Iterator<Item = News<'a>> {
        let (from, to) = (self.up_to(from), self.up_to(to));
        (from.min(to)..to).filter_map(move |index| self.get(trace, index)).map(|(change, before)| {
            let Change { table, place, row, .. } = change;
            News { table, place, row, before }
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// Octets that all of this takes, about.
    pub fn octets(&self) -> usize {
        let rows: usize = self.keyframes.iter().map(|(_, tables)| tables.rows()).sum();
        (self.events.len() + self.before.len() + 2 * self.born.len()) * 4 + rows * ROW_OCTETS
    }

    /// Change No. `index`, and the record before it.
    pub(super) fn get<'a>(&self, trace: &'a Trace, index: u32) -> Option<(Change<'a>, Option<u32>)> {
        let event = self.events[index as usize] as usize;
        let (table, record) = trace.events[event].kind.change()?;
        let row = trace.row(table, record)?;
        let place = match row.key() {
            Key::Placed(place) => place,
            Key::Added(_) => Place::Added(self.birth(index)),
        };
        let before = self.before[index as usize];
        Some((Change { table, record, row, place }, (before != NONE).then_some(before)))
    }

    /// The last keyframe at or before so many changes.
    pub(super) fn keyframe(&self, taken: u32) -> Option<&(u32, Tables)> {
        let after = self.keyframes.partition_point(|(at, _)| *at <= taken);
        after.checked_sub(1).map(|index| &self.keyframes[index])
    }

    /// Where the row of the next change stands. One that appears among rows that stand where they were added gets its
    /// place at the end and keeps it until it goes.
    fn place<'a>(&mut self, row: &'a dyn Row, record: u32, births: &mut Births<'a>) -> Place {
        let name = match row.key() {
            Key::Placed(place) => return place,
            Key::Added(name) => (row.node(), name),
        };
        let birth = match row.is_present() {
            true => *births.entry(name).or_insert(record),
            false => births.remove(&name).unwrap_or(record),
        };
        self.born.push((self.events.len() as u32, birth));
        Place::Added(birth)
    }

    fn birth(&self, index: u32) -> u32 {
        let at = self.born.partition_point(|(change, _)| *change < index);
        self.born.get(at).map_or(NONE, |(_, birth)| *birth)
    }
}

/// A row of a B-tree: place, number, and what the tree needs.
const ROW_OCTETS: usize = 48;
