//! Two branches beside each other: the first event that differs, requests that ended otherwise, and the tables that
//! differ at the instant shown.

use super::describe;
use super::message::Effect;
use super::model::Model;
use super::run::Run;
use super::theme::Ink;
use sim_core::base::id::{EventId, NodeId};
use sim_core::trace::moment::Tables;
use sim_core::trace::{Kind, Trace};
use std::collections::BTreeSet;

/// Opens the comparison of the shown branch with another one; without a number, with the one it left.
pub(crate) fn open(model: &mut Model, which: &str, effects: &mut Vec<Effect>) -> Result<(), String> {
    if model.busy.is_some() {
        return Err("one thing at a time: Ctrl-C gives up what goes on".to_string());
    }
    let count = model.branches.len();
    let other = match which {
        "" => model.branches[model.shown].parent.ok_or("this is the scenario itself; say with which fork: diff 1")?,
        number => number.parse().ok().filter(|at| *at < count).ok_or(format!("there is no fork {number}"))?,
    };
    let (here, there) = match (other == model.shown, model.branches[other].parent) {
        (true, Some(parent)) => (other, parent),
        (true, None) => return Err("it is the one that is shown".to_string()),
        (false, _) => (model.shown, other),
    };
    let title = format!("{} and {}", name(model, there), name(model, here));
    model.busy = Some((format!("comparing {title}"), 0, 0));
    effects.push(Effect::Compare { title, old: there, new: here });
    Ok(())
}

/// `the scenario`, `fork 2`.
fn name(model: &Model, branch: usize) -> String {
    match model.branches[branch].parent {
        None => "the scenario".to_string(),
        Some(_) => format!("fork {branch}"),
    }
}

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
        _ => match kind.change() {
            Some((table, at)) => a
                .row(table, at)
                .zip(b.row(table, at))
                .is_none_or(|(x, y)| x.is_present() == y.is_present() && x.key() == y.key() && x.told(a) == y.told(b)),
            None => true,
        },
    }
}

/// What differs, line by line.
pub(crate) fn lines(a: &Run, b: &Run, now: sim_core::base::time::Instant) -> Vec<(Ink, String)> {
    let mut out = Vec::new();
    let Some(event) = first_difference(&a.trace, &b.trace) else {
        return vec![(Ink::Good, "no event differs".to_string())];
    };
    out.push((Ink::Title, format!("The first event that differs is {event}")));
    for (sign, run) in [("-", a), ("+", b)] {
        let text = match run.trace.events.get(event.0 as usize) {
            Some(_) => {
                let step = run.trace.step_of(event);
                let told = describe::event(run, event);
                format!("{sign} {} s  {}  {} {}", step.at, run.trace.node_name(step.node), told.code, told.text)
            }
            None => format!("{sign} the run is over"),
        };
        out.push((Ink::Plain, text));
    }
    requests(&mut out, a, b);
    out.push((Ink::Plain, String::new()));
    out.push((Ink::Title, format!("Tables that differ at {now} s")));
    let before = out.len();
    let (at_a, at_b) = (at(a, now), at(b, now));
    for node in (0..a.trace.cast.nodes.len() as u32).map(NodeId) {
        let text = |run: &Run, tables: &Tables| crate::tables::all(&run.trace, tables.node(&run.trace, node), now);
        let (old, new) = (text(a, &at_a), text(b, &at_b));
        if old == new {
            continue;
        }
        out.push((Ink::Name, a.trace.node_name(node).to_string()));
        let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (old.lines().collect(), new.lines().collect());
        let gone =
            old.lines().filter(|line| !after.contains(line)).map(|line| (Ink::Bad, format!("- {}", line.trim())));
        let come =
            new.lines().filter(|line| !before.contains(line)).map(|line| (Ink::Good, format!("+ {}", line.trim())));
        out.extend(gone.chain(come).take(LINES_MAX));
    }
    if out.len() == before {
        out.push((Ink::Plain, "none".to_string()));
    }
    out
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

fn at(run: &Run, now: sim_core::base::time::Instant) -> Tables {
    let mut tables = Tables::start(&run.trace);
    let event = crate::place::Place::Time(now).event(&run.trace).unwrap_or(run.last());
    tables.go_to(&run.trace, &run.changes, event);
    tables
}
