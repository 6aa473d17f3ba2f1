//! Two branches beside each other: the first event that differs, requests that ended otherwise, and the tables that
//! differ at the instant shown.

use super::describe;
use super::run::{Raw, Run};
use super::theme::Ink;
use super::watch::Watch;
use crate::session::Ran;
use scenarios::Model;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::capture::Captured;
use sim_core::trace::tables::Tables;
use sim_core::trace::{Kind, Trace};
use std::collections::BTreeSet;

/// The first event that is not the same in both.
pub(crate) fn first_difference(a: &Trace, b: &Trace) -> Option<EventId> {
    let same = a.events.iter().zip(&b.events).take_while(|(x, y)| {
        x.kind == y.kind && a.steps[x.step as usize] == b.steps[y.step as usize] && records_equal(a, b, x.kind)
    });
    let count = same.count();
    (count < a.events.len() || count < b.events.len()).then_some(EventId(count as u32))
}

fn records_equal(a: &Trace, b: &Trace, kind: Kind) -> bool {
    match kind {
        Kind::Sent { bytes, .. } | Kind::Received { bytes, .. } => a.bytes(bytes) == b.bytes(bytes),
        Kind::Check(at) => a.checks[at as usize] == b.checks[at as usize],
        Kind::Log(at) => a.logs[at as usize] == b.logs[at as usize],
        Kind::CommandStarted(at) => a.commands[at as usize].text == b.commands[at as usize].text,
        Kind::CommandEnded(at) => a.commands[at as usize] == b.commands[at as usize],
        Kind::RequestStarted(at) => a.requests[at as usize].url == b.requests[at as usize].url,
        Kind::RequestEnded(at) => a.requests[at as usize].outcome == b.requests[at as usize].outcome,
        Kind::Acted(at) => a.cast.deeds.get(at as usize) == b.cast.deeds.get(at as usize),
        _ => match kind.change() {
            Some((table, at)) => a
                .row(table, at)
                .zip(b.row(table, at))
                .is_none_or(|(x, y)| x.is_present() == y.is_present() && x.key() == y.key() && x.told(a) == y.told(b)),
            None => true,
        },
    }
}

/// What differs between two runs that have just ended; the tables at an instant, or at the end.
pub(crate) fn runs(a: (Model, Ran), b: (Model, Ran), at: Option<Instant>) -> Vec<(Ink, String)> {
    let [Some(a), Some(b)] = [a, b].map(|(scenario, ran)| {
        let (seed, digest) = (ran.about.seed, ran.short_digest());
        let Ran { trace, now: end, stopped, .. } = ran;
        Run::of(Raw { scenario, added: Vec::new(), trace, end, stopped, seed, digest }, &Watch::default())
    }) else {
        unreachable!("nobody gives up the reading of these runs");
    };
    let now = at.unwrap_or(a.end.max(b.end));
    lines(&a, &b, now)
}

/// What differs, line by line.
pub(crate) fn lines(a: &Run, b: &Run, now: Instant) -> Vec<(Ink, String)> {
    let mut out = Vec::new();
    let names = |run: &Run| run.trace.cast.nodes.iter().map(|card| card.name.to_string()).collect::<Vec<_>>();
    let (before, after) = (names(a), names(b));
    for (ink, sign, here, there) in [(Ink::Bad, "-", &before, &after), (Ink::Good, "+", &after, &before)] {
        out.extend(here.iter().filter(|name| !there.contains(name)).map(|name| (ink, format!("{sign} host {name}"))));
    }
    let Some(event) = first_difference(&a.trace, &b.trace) else {
        return vec![(Ink::Good, "no event differs".to_string())];
    };
    out.push((Ink::Title, format!("The first event that differs is {event}")));
    told_both(&mut out, [a, b].map(|run| ((event.0 as usize) < run.trace.events.len()).then_some(event)), a, b);
    if let Some(number) = first_frame(&a.trace, &b.trace) {
        out.push((Ink::Plain, String::new()));
        out.push((Ink::Title, format!("The first frame that differs is f{number}")));
        told_both(&mut out, [a, b].map(|run| run.trace.frames.get(number as usize - 1).copied()), a, b);
    }
    requests(&mut out, a, b);
    out.push((Ink::Plain, String::new()));
    out.push((Ink::Title, format!("Tables that differ at {now} s")));
    let start = out.len();
    let (at_a, at_b) = (at(a, now), at(b, now));
    for name in before.iter().filter(|name| after.contains(name)) {
        tables(&mut out, name, (a, &at_a), (b, &at_b), now);
    }
    if out.len() == start {
        out.push((Ink::Plain, "none".to_string()));
    }
    out
}

/// An event of each run in a line.
fn told_both(out: &mut Vec<(Ink, String)>, events: [Option<EventId>; 2], a: &Run, b: &Run) {
    for ((ink, sign, run), event) in [(Ink::Bad, "-", a), (Ink::Good, "+", b)].into_iter().zip(events) {
        let text = match event {
            Some(event) => {
                let step = run.trace.step_of(event);
                let told = describe::event(run, event);
                format!("{sign} {} s  {}  {} {}", step.at, run.trace.node_name(step.node), told.code, told.text)
            }
            None => format!("{sign} the run is over"),
        };
        out.push((ink, text));
    }
}

/// The first frame of the captures that is not the same in both: time, card, octets.
fn first_frame(a: &Trace, b: &Trace) -> Option<u32> {
    let same = |(x, y): &(Captured, Captured)| {
        x.at == y.at && x.outbound == y.outbound && x.bytes == y.bytes && a.port_name(x.port) == b.port_name(y.port)
    };
    let count = a.captured_frames().zip(b.captured_frames()).take_while(same).count();
    (count < a.frames.len().max(b.frames.len())).then_some(count as u32 + 1)
}

/// The tables of one host in both runs, as far as they differ.
fn tables(out: &mut Vec<(Ink, String)>, name: &str, a: (&Run, &Tables), b: (&Run, &Tables), now: Instant) {
    let text = |(run, tables): (&Run, &Tables)| {
        let cast = run.trace.cast.nodes.iter().zip((0..).map(NodeId));
        let node = cast.into_iter().find(|(card, _)| &*card.name == name).map(|(_, node)| node);
        node.map_or(String::new(), |node| crate::tables::all(&run.trace, tables.node(&run.trace, node), now))
    };
    let (old, new) = (text(a), text(b));
    if old == new {
        return;
    }
    out.push((Ink::Name, name.to_string()));
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (old.lines().collect(), new.lines().collect());
    let gone = old.lines().filter(|line| !after.contains(line)).map(|line| (Ink::Bad, format!("- {}", line.trim())));
    let come = new.lines().filter(|line| !before.contains(line)).map(|line| (Ink::Good, format!("+ {}", line.trim())));
    out.extend(gone.take(LINES_MAX));
    out.extend(come.take(LINES_MAX));
}

const LINES_MAX: usize = 40;

/// Requests that ended otherwise.
fn requests(out: &mut Vec<(Ink, String)>, a: &Run, b: &Run) {
    let count = a.requests.len().max(b.requests.len());
    let told = |run: &Run, index: usize| match run.requests.get(index) {
        Some(request) => match request.end {
            Some(end) => describe::event(run, end).text,
            None => format!("r{} not finished", index + 1),
        },
        None => format!("r{} does not exist", index + 1),
    };
    let mut differ =
        (0..count).map(|index| (told(a, index), told(b, index))).filter(|(old, new)| old != new).peekable();
    if differ.peek().is_some() {
        out.push((Ink::Plain, String::new()));
        out.push((Ink::Title, "Requests that ended otherwise".to_string()));
    }
    for (old, new) in differ.take(LINES_MAX) {
        out.push((Ink::Bad, format!("- {old}")));
        out.push((Ink::Good, format!("+ {new}")));
    }
}

fn at(run: &Run, now: Instant) -> Tables {
    let mut tables = Tables::start(&run.trace);
    let event = crate::place::Place::Time(now).event(&run.trace).unwrap_or(run.last());
    tables.go_to(&run.trace, &run.changes, event);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{self, Options};

    fn compared(a: &str, b: &str) -> Vec<String> {
        let [a, b] = [a, b].map(|name| {
            let model = session::open(name).unwrap_or_else(|failure| panic!("{}", failure.text()));
            let ran = session::run(&model, &Options::default()).unwrap_or_else(|failure| panic!("{}", failure.text()));
            (model, ran)
        });
        runs(a, b, None).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn without_the_two_lines_a_real_server_answers_and_the_director_sees_nothing() {
        let lines = compared("tutorial-000-dr", "tutorial-000-no-arptables");
        let has = |part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
        has("The first frame that differs is f8");
        has("+ 172.25.92.100   eth1  :04:01    REACHABLE");
        has("- 1 -j DROP -d 172.25.92.100  [1]");
        has("- ipvs connections (4)");
        has("+ ipvs connections (0)");
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        assert_eq!(compared("tutorial-000-dr", "tutorial-000-dr"), ["no event differs"]);
    }
}
