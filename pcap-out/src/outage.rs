//! The story of an outage: what the client missed, and what happened in the world around it, in order.

use crate::layout::wrap;
use crate::story::millis;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::outage::{Outage, outages};
use sim_core::trace::record::{LinkKind, NeighbourState, ServiceKey};
use sim_core::trace::{Kind, Trace};
use sim_core::wire::Mac;
use sim_core::wire::dissect::mac_text;
use sim_core::wire::field::FieldName;
use sim_core::wire::flow::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How far before the outage its causes are looked for: longer than any detection takes by default.
const BEFORE: Duration = Duration::from_secs(5);
/// Lines of the story that are shown.
const LINES_MAX: usize = 120;

/// The story of outage `number`, from 1; none if there is no such outage.
pub fn tell(trace: &Trace, number: u32, end: Instant, width: usize) -> Option<String> {
    let outage = *outages(trace).get((number as usize).checked_sub(1)?)?;
    let mut out = head(trace, &outage, number, end);
    let from = Instant::from_nanos(outage.from.nanos().saturating_sub(BEFORE.nanos()));
    let from = outage.good_before.map_or(from, |good| good.min(from));
    let until = outage.until.unwrap_or(end);
    let first = trace.steps.partition_point(|step| step.at < from) as u32;
    let last = trace.steps.partition_point(|step| step.at <= until) as u32;
    let events = trace.events.partition_point(|event| event.step < first)
        ..trace.events.partition_point(|event| event.step < last);
    let news = news_of_servers(trace);
    let mut lines: Vec<Line> = Vec::new();
    let mut told_start = false;
    for id in events.map(|index| EventId(index as u32)) {
        let at = trace.at(id);
        if !told_start && at >= outage.from {
            told_start = true;
            lines.push(Line {
                at: outage.from, who: client(trace, &outage), what: "── the outage begins".to_string()
            });
        }
        let Some(what) = remarkable(trace, id, &outage, &news) else { continue };
        let who = trace.node_name(trace.step_of(id).node).to_string();
        match lines.last() {
            Some(before) if before.who == who && before.what == what => {}
            _ => lines.push(Line { at, who, what }),
        }
    }
    if let Some(until) = outage.until {
        lines.push(Line {
            at: until,
            who: client(trace, &outage),
            what: "── the first answer: it is over".to_string(),
        });
    }
    let column = lines.iter().map(|line| line.who.len()).max().unwrap_or(0);
    let shown = lines.len().min(LINES_MAX);
    for line in &lines[..shown] {
        let indent = format!("{:>11} s  {:column$}  ", format!("{:.6}", line.at), line.who);
        let room = width.saturating_sub(indent.len()).max(30);
        for (text, index) in wrap(&line.what, room).iter().zip(0..) {
            let lead = if index == 0 { indent.clone() } else { " ".repeat(indent.len()) };
            let _ = writeln!(out, "{lead}{text}");
        }
    }
    if shown < lines.len() {
        let _ = writeln!(out, "… {} more lines (--events F.jsonl has them)", lines.len() - shown);
    }
    Some(out)
}

struct Line {
    at: Instant,
    who: String,
    what: String,
}

fn client(trace: &Trace, outage: &Outage) -> String {
    trace.node_name(outage.pair.client).to_string()
}

fn head(trace: &Trace, outage: &Outage, number: u32, end: Instant) -> String {
    let length = millis(outage.length(end).nanos());
    let until = outage.until.map_or("the end of the run".to_string(), |until| format!("{until} s"));
    let before = match outage.good_before {
        Some(good) => format!("the last answer before it came at {good} s"),
        None => "there was no answer before it".to_string(),
    };
    format!(
        "outage {number}   {} without {} for {length}: {} s to {until}\n           {} lost, {} late; {before}\n\n",
        client(trace, outage),
        outage.pair.target,
        outage.from,
        outage.lost,
        outage.late,
    )
}

/// What somebody who looks for the cause wants to know of an event; none for the rest.
fn remarkable(trace: &Trace, id: EventId, outage: &Outage, news: &BTreeSet<u32>) -> Option<String> {
    let target = outage.pair.target;
    match trace.event(id).kind {
        Kind::Acted(position) => {
            let deed = trace.cast.deeds.get(position as usize)?;
            (!deed.is_empty()).then(|| format!("the script: {deed}"))
        }
        Kind::CommandStarted(at) => {
            let command = &trace.commands[at as usize];
            let is_clients = command.node == outage.pair.client;
            (!is_clients && !command.boot)
                .then(|| format!("[root@{} ~]# {}", trace.node_name(command.node), command.text))
        }
        Kind::Interface(at) => {
            let record = &trace.interfaces[at as usize];
            let is_card = matches!(record.kind, LinkKind::Ethernet(_));
            let state = match (record.up, record.carrier) {
                (true, true) => "up, with a signal",
                (true, false) => "up, but its cable has no signal",
                (false, _) => "down",
            };
            // Every card comes up at the start.
            (is_card && trace.at(id) > Instant::ZERO).then(|| format!("{} is {state}", record.name))
        }
        Kind::Address(at) => {
            let record = &trace.addresses[at as usize];
            let verb = if record.present { "is set on" } else { "is removed from" };
            (record.address == target).then(|| format!("{target}/{} {verb} {}", record.prefix, record.label))
        }
        Kind::Neighbour(at) => {
            let record = &trace.neighbours[at as usize];
            let says = match (record.present, record.mac) {
                (false, _) => "is forgotten".to_string(),
                (true, None) => format!("is {}", record.state),
                (true, Some(_)) if record.state == NeighbourState::Failed => "is FAILED".to_string(),
                (true, Some(mac)) => format!("is {} at {}, {}", mac_text(mac), owner(trace, mac), record.state),
            };
            (record.address == target).then(|| format!("believes: {target} {says}"))
        }
        Kind::Server(at) => {
            let record = &trace.servers[at as usize];
            let verb = if record.present { format!("has weight {}", record.weight) } else { "is removed".to_string() };
            news.contains(&at).then(|| format!("real server {} of {} {verb}", record.server, record.service))
        }
        Kind::Vrrp(at) => {
            let record = &trace.vrrp[at as usize];
            record.addresses.contains(&target).then(|| match record.present {
                true => format!("{} is {} with priority {}", record.instance, record.state, record.priority),
                false => format!("{} is no more", record.instance),
            })
        }
        Kind::Check(at) => {
            let record = &trace.checks[at as usize];
            record.is_news.then(|| format!("{} of {}: {record}", record.server, record.service))
        }
        Kind::Quorum(at) => {
            let record = &trace.quorums[at as usize];
            record.stand_in.map(|server| format!("{server} stands in for the servers of {}", record.service))
        }
        Kind::Log(at) => {
            let record = &trace.logs[at as usize];
            Some(format!("{}: {}", record.program, record.text))
        }
        Kind::Sent { .. } => gratuitous(trace, id, outage),
        Kind::Received { .. }
        | Kind::Dropped
        | Kind::Decided(_)
        | Kind::Route(_)
        | Kind::Fdb(_)
        | Kind::Service(_)
        | Kind::Connection(_)
        | Kind::Sysctl(_)
        | Kind::Power(_)
        | Kind::RoutingRule(_)
        | Kind::Process(_)
        | Kind::Chain(_)
        | Kind::Rule(_)
        | Kind::ChainCount(_)
        | Kind::RuleCount(_)
        | Kind::Tracked(_)
        | Kind::CommandEnded(_)
        | Kind::RequestStarted(_)
        | Kind::RequestEnded(_)
        | Kind::EchoAsked(_)
        | Kind::EchoAnswered(_)
        | Kind::Health(_)
        | Kind::Served(_) => None,
    }
}

/// The records by which a real server came, went or got another weight; the others only count connections.
pub(crate) fn news_of_servers(trace: &Trace) -> BTreeSet<u32> {
    let mut known: BTreeMap<(NodeId, ServiceKey, SocketAddr), (bool, u32)> = BTreeMap::new();
    let mut news = BTreeSet::new();
    for (record, index) in trace.servers.iter().zip(0..) {
        let value = (record.present, record.weight);
        if known.insert((record.node, record.service, record.server), value) != Some(value) {
            news.insert(index);
        }
    }
    news
}

/// Gratuitous ARP for the address in question.
fn gratuitous(trace: &Trace, id: EventId, outage: &Outage) -> Option<String> {
    let frame = trace.frame(trace.frame_number(id)?)?;
    let dissected = frame.dissect();
    let address = |name| dissected.address(name);
    let is_it = address(FieldName::ArpSrcIp) == Some(outage.pair.target)
        && address(FieldName::ArpDstIp) == Some(outage.pair.target);
    let mac = dissected.mac(FieldName::ArpSrcMac)?;
    is_it.then(|| format!("gratuitous ARP: {} is at {}", outage.pair.target, mac_text(mac)))
}

/// `n1:eth0`.
fn owner(trace: &Trace, mac: Mac) -> String {
    let found = trace.cast.ports.iter().find(|card| card.mac == Some(mac));
    found.map_or("nobody's card".to_string(), |card| name(trace, card.node, &card.name))
}

fn name(trace: &Trace, node: NodeId, card: &str) -> String {
    format!("{}:{card}", trace.node_name(node))
}
