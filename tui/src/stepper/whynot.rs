//! Why not: why this host is not master, this server not chosen, this address not answered for. Only what was decided
//! and recorded up to now is told.

use super::describe;
use super::model::{Model, Overlay};
use super::run::Run;
use super::theme::Ink;
use pcap_out::layout::wrap;
use sim_core::base::id::{EventId, NodeId};
use sim_core::trace::record::{NeighbourState, ServiceKey, VrrpState};
use sim_core::trace::tables::Tables;
use sim_core::trace::{Kind, Trace, Why, explain};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The answers for the host that is looked at.
pub(crate) fn text(model: &Model) -> Overlay {
    let run = model.run();
    let node = model.node();
    let title = format!("Why not {}? As of {} s", run.trace.node_name(node), model.now());
    Overlay::Text { title, lines: lines(run, &model.tables, node, model.cursor), scroll: 0 }
}

/// The answers about a host at an event.
pub(crate) fn lines(run: &Run, tables: &Tables, node: NodeId, now: EventId) -> Vec<(Ink, String)> {
    let mut out = Vec::new();
    master(&mut out, run, tables, node, now);
    chosen(&mut out, run, tables, node, now);
    answers(&mut out, run, node, now);
    neighbours(&mut out, run, tables, node, now);
    drops(&mut out, run, node, now);
    if out.is_empty() {
        let text = "nothing was decided against this host so far: no service lists it, no question was left unanswered, \
                    no packet was dropped";
        out.extend(wrap(text, WIDTH).into_iter().map(|line| (Ink::Plain, line)));
    }
    out
}

const WIDTH: usize = 72;

fn heading(out: &mut Vec<(Ink, String)>, text: &str) {
    if !out.is_empty() {
        out.push((Ink::Plain, String::new()));
    }
    out.push((Ink::Title, text.to_string()));
}

fn say(out: &mut Vec<(Ink, String)>, ink: Ink, text: &str) {
    out.extend(wrap(text, WIDTH).into_iter().map(|line| (ink, line)));
}

fn decision(out: &mut Vec<(Ink, String)>, trace: &Trace, event: EventId) {
    let Some((code, sentence)) = explain::decision(trace, event) else { return };
    let (at, node) = (trace.at(event), trace.node_name(trace.step_of(event).node));
    say(out, Ink::Plain, &format!("{node}: {sentence}"));
    out.push((Ink::Faint, format!("{code}, {event} at {at} s")));
}

/// The last decision up to `now` that passes, on this host or anywhere.
fn last(trace: &Trace, now: EventId, node: Option<NodeId>, passes: impl Fn(Why) -> bool) -> Option<EventId> {
    let until = (now.0 as usize + 1).min(trace.events.len());
    let found = trace.events[..until].iter().enumerate().rev().find(|(_, event)| {
        let here = node.is_none_or(|node| trace.steps[event.step as usize].node == node);
        matches!(event.kind, Kind::Decided(why) if here && passes(why))
    });
    found.map(|(index, _)| EventId(index as u32))
}

fn master(out: &mut Vec<(Ink, String)>, run: &Run, tables: &Tables, node: NodeId, now: EventId) {
    let trace = &run.trace;
    for record in tables.node(trace, node).vrrp() {
        heading(out, &format!("Not master of {}?", record.instance));
        let text = match (record.state, record.master) {
            (VrrpState::Master, _) => "It is master.".to_string(),
            (VrrpState::Backup, Some(master)) => {
                format!("It is backup (priority {}) and hears {master}, which is master.", record.priority)
            }
            (VrrpState::Backup, None) => {
                format!(
                    "It is backup (priority {}) and waits for adverts; it has heard no master so far.",
                    record.priority
                )
            }
            (VrrpState::Fault, _) => "It is in FAULT: something it tracks is down.".to_string(),
            (VrrpState::Init, _) => "It has not begun: tracked scripts have not ended for the first time.".to_string(),
        };
        say(out, Ink::Plain, &text);
        let until = now.0 as usize + 1;
        let mine = trace.events[..until.min(trace.events.len())].iter().enumerate().rev().find(|(_, event)| {
            matches!(event.kind, Kind::Vrrp(at) if trace.vrrp[at as usize].node == node && trace.vrrp[at as usize].instance == record.instance)
        });
        let reason = mine.and_then(|(index, _)| describe::vrrp_reason(run, EventId(index as u32)));
        if let Some(reason) = reason {
            decision(out, trace, reason);
        }
    }
    let stopped =
        trace.vrrp.iter().any(|record| record.node == node) && tables.node(trace, node).vrrp().next().is_none();
    if stopped {
        heading(out, "Not master?");
        say(out, Ink::Plain, "keepalived does not run on this host at this moment.");
    }
}

/// The services that list this host, and the last choice of each.
fn chosen(out: &mut Vec<(Ink, String)>, run: &Run, tables: &Tables, node: NodeId, now: EventId) {
    let trace = &run.trace;
    let own = addresses(trace, node);
    let ever: BTreeSet<(NodeId, ServiceKey)> = trace
        .servers
        .iter()
        .filter(|record| own.contains(&record.server.address))
        .map(|record| (record.node, record.service))
        .collect();
    for (director, service) in ever {
        let last = last(trace, now, Some(director), |why| match why {
            Why::IpvsScheduled { evidence } | Why::IpvsNoDestination { evidence } => {
                trace.evidence.get(evidence.0 as usize).is_some_and(|grounds| grounds.service == service)
            }
            _ => false,
        });
        let winner = last.and_then(|event| match trace.event(event).kind {
            Kind::Decided(Why::IpvsScheduled { evidence }) => trace.evidence.get(evidence.0 as usize)?.winner,
            _ => None,
        });
        let name = trace.node_name(director);
        match winner.is_some_and(|winner| own.contains(&winner.server.address)) {
            true => heading(out, &format!("Chosen for {service} by {name}, the last time")),
            false => heading(out, &format!("Not chosen for {service} by {name}?")),
        }
        let here = tables.node(trace, director).servers();
        let listed = here.into_iter().find(|record| record.service == service && own.contains(&record.server.address));
        match listed {
            None => say(out, Ink::Bad, "It is not in the list of servers at this moment."),
            Some(record) if record.weight == 0 => {
                say(out, Ink::Bad, "Its weight is 0: it keeps its connections and gets no new ones.");
            }
            Some(record) => say(
                out,
                Ink::Plain,
                &format!(
                    "It is in the list: weight {}, {} active, {} inactive.",
                    record.weight, record.active, record.inactive
                ),
            ),
        }
        match last {
            None => say(out, Ink::Faint, "No connection has been scheduled so far."),
            Some(event) => decision(out, trace, event),
        }
    }
}

fn answers(out: &mut Vec<(Ink, String)>, run: &Run, node: NodeId, now: EventId) {
    let trace = &run.trace;
    let silent = last(trace, now, Some(node), |why| {
        matches!(
            why,
            Why::ArpIgnored { .. }
                | Why::ArpFiltered { .. }
                | Why::ArpFilterRoute { .. }
                | Why::ArpUnsolicited { .. }
                | Why::ArpLocked { .. }
                | Why::ArpPermanent { .. }
        )
    });
    if let Some(event) = silent {
        heading(out, "No answer to ARP, or not believed?");
        decision(out, trace, event);
    }
}

fn neighbours(out: &mut Vec<(Ink, String)>, run: &Run, tables: &Tables, node: NodeId, now: EventId) {
    let trace = &run.trace;
    let lost = tables.node(trace, node).neighbours();
    let lost = lost.filter(|record| matches!(record.state, NeighbourState::Failed | NeighbourState::Incomplete));
    for record in lost.take(5) {
        heading(out, &format!("No MAC for {}?", record.address));
        let address = record.address;
        let event = last(
            trace,
            now,
            Some(node),
            |why| matches!(why, Why::ArpFailed { target } | Why::ArpAsk { target, .. } if target == address),
        );
        match event {
            Some(event) => decision(out, trace, event),
            None => say(out, Ink::Plain, "It is being asked for."),
        }
    }
}

/// The last packet that ended here.
fn drops(out: &mut Vec<(Ink, String)>, run: &Run, node: NodeId, now: EventId) {
    let trace = &run.trace;
    let until = (now.0 as usize + 1).min(trace.events.len());
    let dropped = trace.events[..until].iter().rev().find(|event| {
        let is_drop = event.kind == Kind::Dropped && trace.steps[event.step as usize].node == node;
        is_drop && event.cause.is_some() && !is_everyday(trace.event(event.cause).kind)
    });
    if let Some(event) = dropped {
        heading(out, "A packet that did not get through?");
        decision(out, trace, event.cause);
    }
}

fn is_everyday(kind: Kind) -> bool {
    matches!(kind, Kind::Decided(Why::OtherHost | Why::ArpNotMine { .. } | Why::MulticastNotJoined { .. }))
}

fn addresses(trace: &Trace, node: NodeId) -> BTreeSet<Ipv4Addr> {
    let cards = trace.cast.ports.iter().filter(|port| port.node == node).filter_map(|port| port.address);
    let vips: BTreeSet<Ipv4Addr> = trace
        .services
        .iter()
        .filter_map(|record| match record.key {
            ServiceKey::Address(_, end) => Some(end.address),
            ServiceKey::Mark(_) => None,
        })
        .collect();
    let added = trace.addresses.iter().filter(|record| record.node == node).map(|record| record.address);
    cards.map(|net| net.addr()).chain(added).filter(|address| !vips.contains(address)).collect()
}
