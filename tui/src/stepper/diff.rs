//! Two branches beside each other: the first event that differs, requests that ended otherwise, the tables that
//! differ at the instant shown.

use super::describe;
use super::difference::Difference;
use super::run::{Raw, Run};
use super::theme::Ink;
use super::watch::Watch;
use crate::session::Ran;
use scenarios::Model;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::Trace;
use sim_core::trace::capture::Captured;
use sim_core::trace::tables::Tables;
use std::collections::{BTreeMap, BTreeSet};

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
    let difference = Difference::of(&a.trace, &b.trace);
    let Some(first) = difference.first else {
        return vec![(Ink::Good, "no event differs".to_string())];
    };
    if let Some(event) = first[0].or(first[1]) {
        out.push((Ink::Title, format!("The first event that differs is {event}")));
    }
    told_both(&mut out, first, a, b);
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
    events(&mut out, &difference, a, b);
    out
}

/// An event of each run in a line.
fn told_both(out: &mut Vec<(Ink, String)>, events: [Option<EventId>; 2], a: &Run, b: &Run) {
    for ((ink, sign, run), event) in [(Ink::Bad, "-", a), (Ink::Good, "+", b)].into_iter().zip(events) {
        let text = event.map_or("nothing here".to_string(), |event| told(run, event));
        out.push((ink, format!("{sign} {text}")));
    }
}

fn told(run: &Run, event: EventId) -> String {
    format!("{} s  {}", run.trace.at(event), what(run, event))
}

fn what(run: &Run, event: EventId) -> String {
    let told = describe::event(run, event);
    format!("{}  {} {}", run.trace.node_name(run.trace.step_of(event).node), told.code, told.text)
}

/// How many events differ, and the first of them in the order of time.
fn events(out: &mut Vec<(Ink, String)>, difference: &Difference, a: &Run, b: &Run) {
    let Difference { only: [gone, come], moved, .. } = difference;
    out.push((Ink::Plain, String::new()));
    out.push((
        Ink::Title,
        format!("Events: {} only in -, {} only in +, {} in both at another time", gone.len(), come.len(), moved.len()),
    ));
    let of_one = |run: &Run, events: &[EventId], ink, sign| -> Vec<(Instant, Ink, String)> {
        let first = events.iter().take(LINES_MAX);
        first.map(|event| (run.trace.at(*event), ink, format!("{sign} {}", told(run, *event)))).collect()
    };
    let mut lines = of_one(a, gone, Ink::Bad, "-");
    lines.extend(of_one(b, come, Ink::Good, "+"));
    lines.extend(moved.iter().take(LINES_MAX).map(|(was, is)| {
        let (before, after) = (a.trace.at(*was), b.trace.at(*is));
        (before.min(after), Ink::Warn, format!("~ {before} s → {after} s  {}", what(b, *is)))
    }));
    lines.sort_by_key(|(at, ..)| *at);
    out.extend(lines.into_iter().take(LINES_MAX).map(|(_, ink, text)| (ink, text)));
    let more = (gone.len() + come.len() + moved.len()).saturating_sub(LINES_MAX);
    if more > 0 {
        out.push((Ink::Faint, format!("… {more} more")));
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

/// Requests that ended otherwise: the n-th of a host for a page beside the n-th in the other run.
fn requests(out: &mut Vec<(Ink, String)>, a: &Run, b: &Run) {
    let (before, after) = (by_name(a), by_name(b));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let told = |run: &Run, index: Option<&usize>| {
        let Some(index) = index else { return ("there is no such request".to_string(), None) };
        let request = &run.requests[*index];
        let text = match request.end {
            Some(end) => describe::event(run, end).text,
            None => format!("r{} not finished", index + 1),
        };
        let record = &run.trace.requests[*index];
        let server = request.server.map(|node| run.trace.node_name(node).to_string());
        let took = record.ended.map(|ended| ended.since(record.started));
        (text, Some((record.outcome.clone(), took, server)))
    };
    let mut pairs: Vec<_> = names.into_iter().map(|name| (before.get(name), after.get(name))).collect();
    pairs.sort_by_key(|(old, new)| (old.or(*new).copied(), old.is_none()));
    let pairs = pairs.into_iter().map(|(old, new)| (told(a, old), told(b, new)));
    let mut differ = pairs.filter(|((_, old), (_, new))| old != new).peekable();
    if differ.peek().is_some() {
        out.push((Ink::Plain, String::new()));
        out.push((Ink::Title, "Requests that ended otherwise".to_string()));
    }
    for ((old, _), (new, _)) in differ.take(LINES_MAX) {
        out.push((Ink::Bad, format!("- {old}")));
        out.push((Ink::Good, format!("+ {new}")));
    }
}

/// Requests by who asks for what the how manieth time.
fn by_name(run: &Run) -> BTreeMap<(String, String, u32), usize> {
    let mut times: BTreeMap<(String, String), u32> = BTreeMap::new();
    let named = run.trace.requests.iter().enumerate().map(|(index, record)| {
        let (host, page) = (run.trace.node_name(record.node).to_string(), record.url.to_string());
        let time = times.entry((host.clone(), page.clone())).or_default();
        *time += 1;
        ((host, page, *time), index)
    });
    named.collect()
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
