//! Which events two runs share. An event is the same if the same thing happens on a host of the same name; the numbers
//! that a run gives to packets, frames, processes and records do not count, for one thing more would change all that follow.
//!
//! First what happens at the same instant in both is laid beside each other, then, in what is left, the same things at
//! other instants.

use super::align::{Gap, align, gaps};
use sim_core::base::id::EventId;
use sim_core::trace::{Kind, Trace, explain};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How two runs differ; each of the lists is in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The first place where they do: an event of each, if it has one there.
    pub(crate) first: Option<[Option<EventId>; 2]>,
    /// Events that only the one has, and only the other.
    pub(crate) only: [Vec<EventId>; 2],
    /// Events that both have, at another time.
    pub(crate) moved: Vec<(EventId, EventId)>,
}

impl Difference {
    /// Of two runs.
    pub(crate) fn of(a: &Trace, b: &Trace) -> Self {
        let things = [a, b].map(things);
        let instants = [timed(a, &things[0]), timed(b, &things[1])];
        let same = align(&instants[0], &instants[1]);
        let mut found = Difference::default();
        for gap in gaps(&same, (instants[0].len(), instants[1].len())) {
            if found.first.is_none() {
                found.first = Some([&gap.a, &gap.b].map(|side| (!side.is_empty()).then(|| event(side.start))));
            }
            found.take(&gap, &things);
        }
        found
    }

    /// What is the same in a stretch but for the time, and what is not.
    fn take(&mut self, gap: &Gap, things: &[Vec<u64>; 2]) {
        let (a, b) = (&things[0][gap.a.clone()], &things[1][gap.b.clone()]);
        let same = align(a, b);
        for stretch in &same {
            let pairs = (0..stretch.length).map(|at| (gap.a.start + stretch.a + at, gap.b.start + stretch.b + at));
            self.moved.extend(pairs.map(|(x, y)| (event(x), event(y))));
        }
        for rest in gaps(&same, (a.len(), b.len())) {
            self.only[0].extend(rest.a.map(|at| event(gap.a.start + at)));
            self.only[1].extend(rest.b.map(|at| event(gap.b.start + at)));
        }
    }
}

fn event(at: usize) -> EventId {
    EventId(at as u32)
}

/// What happens in each event, and where, as a number.
fn things(trace: &Trace) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::with_capacity(trace.events.len());
    for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
        let cause = event.cause.is_some().then(|| found.get(event.cause.0 as usize).copied()).flatten();
        // Which packet a decision is about stands in what led to it.
        let about = cause.filter(|_| matches!(event.kind, Kind::Decided(_) | Kind::Dropped));
        found.push(thing(trace, id, event.kind, about));
    }
    found
}

/// The same with the instant.
fn timed(trace: &Trace, things: &[u64]) -> Vec<u64> {
    let at = |(event, thing): (&sim_core::trace::Event, &u64)| {
        let mut hash = DefaultHasher::new();
        (trace.steps[event.step as usize].at.nanos(), thing).hash(&mut hash);
        hash.finish()
    };
    trace.events.iter().zip(things).map(at).collect()
}

fn thing(trace: &Trace, id: EventId, kind: Kind, about: Option<u64>) -> u64 {
    let node = trace.step_of(id).node;
    let mut hash = DefaultHasher::new();
    trace.node_name(node).hash(&mut hash);
    (std::mem::discriminant(&kind), about).hash(&mut hash);
    match kind {
        Kind::Sent { port, bytes, .. } | Kind::Received { port, bytes, .. } => {
            trace.port_name(port).hash(&mut hash);
            trace.bytes(bytes).hash(&mut hash);
        }
        Kind::Decided(why) => {
            (explain::code(trace, why), explain::sentence(trace, node, why)).hash(&mut hash);
        }
        Kind::Check(at) => {
            let record = &trace.checks[at as usize];
            format!("{} {} {record}", record.service, record.server).hash(&mut hash);
        }
        Kind::Log(at) => {
            let record = &trace.logs[at as usize];
            (&record.program, &record.text).hash(&mut hash);
        }
        Kind::CommandStarted(at) => trace.commands[at as usize].text.hash(&mut hash),
        Kind::CommandEnded(at) => {
            let record = &trace.commands[at as usize];
            (&record.text, &record.stdout, &record.stderr, record.exit).hash(&mut hash);
        }
        Kind::RequestStarted(at) => trace.requests[at as usize].url.hash(&mut hash),
        Kind::RequestEnded(at) => {
            let record = &trace.requests[at as usize];
            format!("{} {:?}", record.url, record.outcome).hash(&mut hash);
        }
        Kind::EchoAsked(at) | Kind::EchoAnswered(at) => {
            let record = &trace.echoes[at as usize];
            (record.target, record.sequence).hash(&mut hash);
        }
        Kind::Served(at) => {
            let record = &trace.served[at as usize];
            format!("{} {} {}", record.program, record.path, record.status).hash(&mut hash);
        }
        Kind::Process(at) => {
            let record = &trace.processes[at as usize];
            (&record.command, record.state.name(), record.present).hash(&mut hash);
        }
        Kind::Acted(at) => trace.cast.deeds.get(at as usize).hash(&mut hash),
        _ => {
            let row = kind.change().and_then(|(table, record)| trace.row(table, record));
            if let Some(row) = row {
                let told = row.told(trace);
                (row.is_present(), told.row, told.value).hash(&mut hash);
            }
        }
    }
    hash.finish()
}
