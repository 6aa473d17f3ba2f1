//! Predict, then reveal: a question about what comes next, made from the trace, with the recorded reason as its answer.

use super::describe;
use super::run::Run;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::question::Question as Asked;
use sim_core::trace::record::{Method, VrrpState};
use sim_core::trace::tables::Tables;
use sim_core::trace::why::EvidenceId;
use sim_core::trace::{Event, Kind, Why, explain};
use sim_core::wire::dissect::mac_text;
use std::collections::BTreeSet;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// What is asked.
    pub(crate) text: String,
    /// What can be answered.
    pub(crate) choices: Vec<String>,
    /// Which of them is right.
    pub(crate) right: usize,
    /// Where it is decided.
    pub(crate) event: EventId,
    /// Why.
    pub(crate) because: String,
    /// Whoever answered it knows it: it is not asked again.
    pub(crate) once: bool,
}

impl Question {
    /// What makes it the same question again: what is asked, and what is right.
    pub(crate) fn topic(&self) -> String {
        format!("{} {}", self.text, self.choices.get(self.right).map_or("", |right| right))
    }
}

/// How far a question may lie ahead, in events.
const LOOK_AHEAD: usize = 200_000;
const CHOICES_MAX: usize = 8;

/// The next thing after `from` that can be asked about. `tables` stand there; `asked` are the topics that are known.
pub(crate) fn next(run: &Run, tables: &Tables, from: EventId, asked: &BTreeSet<String>) -> Option<Question> {
    let now = if run.trace.events.is_empty() { Instant::ZERO } else { run.trace.at(from) };
    let ahead = run.trace.events.iter().enumerate().skip(from.0 as usize + 1).take(LOOK_AHEAD);
    // The tables go along, so that a long way to the next question costs no more than the changes on it.
    let mut tables = tables.clone();
    let about_it = |(index, event): (usize, &Event)| about(run, &mut tables, now, EventId(index as u32), event.kind);
    ahead.filter_map(about_it).find(|question| is_a_question(question) && !asked.contains(&question.topic()))
}

/// With one choice there is nothing to ask.
fn is_a_question(question: &Question) -> bool {
    question.choices.len() > 1
}

fn about(run: &Run, tables: &mut Tables, now: Instant, event: EventId, kind: Kind) -> Option<Question> {
    match kind {
        Kind::Decided(Why::IpvsScheduled { evidence }) => which_server(run, tables, event, evidence),
        Kind::Decided(Why::ArpAsk { target, attempt: 1, .. }) => who_answers(run, event, target),
        Kind::Decided(Why::Forwarded { ttl }) => which_ttl(run, event, u64::from(ttl)),
        Kind::Decided(Why::IpvsForward { method, .. }) => what_changes(run, event, method),
        Kind::Vrrp(index) => {
            let record = &run.trace.vrrp[index as usize];
            (record.present && record.state == VrrpState::Master)
                .then(|| who_is_master(run, now, event, &record.instance))?
        }
        _ => None,
    }
}

fn because(run: &Run, event: EventId) -> String {
    explain::decision(&run.trace, event).map_or(String::new(), |(code, sentence)| format!("{sentence} ({code})"))
}

fn which_server(run: &Run, tables: &mut Tables, event: EventId, evidence: EvidenceId) -> Option<Question> {
    let grounds = run.trace.evidence.get(evidence.0 as usize)?;
    let winner = grounds.winner?.server;
    let director = run.trace.step_of(event).node;
    tables.go_to(&run.trace, &run.changes, event);
    let all = tables.node(&run.trace, director).servers().filter(|record| record.service == grounds.service);
    let mut servers: Vec<_> = all.map(|record| record.server).take(CHOICES_MAX).collect();
    if !servers.contains(&winner) {
        servers.push(winner);
    }
    let choices: Vec<String> = servers.iter().map(|server| owner(run, *server)).collect();
    let right = servers.iter().position(|server| *server == winner)?;
    let (name, scheduler) = (run.trace.node_name(director), grounds.scheduler);
    let text = format!("A new connection to {}. Which real server will {scheduler} on {name} choose?", grounds.service);
    Some(Question { text, choices, right, event, because: because(run, event), once: false })
}

fn owner(run: &Run, server: sim_core::wire::flow::SocketAddr) -> String {
    let cast = &run.trace.cast;
    let port = cast.ports.iter().find(|port| port.address.is_some_and(|net| net.addr() == server.address));
    match port {
        Some(port) => format!("{} ({server})", run.trace.node_name(port.node)),
        None => server.to_string(),
    }
}

fn who_answers(run: &Run, event: EventId, target: std::net::Ipv4Addr) -> Option<Question> {
    let asked = Asked::of(&run.trace, &run.history, event)?;
    let mut hosts: BTreeSet<NodeId> = asked.reactions.iter().map(|reaction| reaction.node).collect();
    let heard = run.trace.cast.ports.iter().filter(|port| port.address.is_some_and(|net| net.contains(&target)));
    hosts.extend(heard.map(|port| port.node).filter(|node| *node != asked.asker));
    let hosts: Vec<NodeId> = hosts.into_iter().take(CHOICES_MAX).collect();
    let answered = asked.reactions.iter().find(|reaction| reaction.answered);
    let mut choices: Vec<String> = hosts.iter().map(|node| run.trace.node_name(*node).to_string()).collect();
    choices.push("nobody".to_string());
    let right = match answered {
        Some(reaction) => hosts.iter().position(|node| *node == reaction.node)?,
        None => hosts.len(),
    };
    let silent = asked.reactions.iter().filter(|reaction| !reaction.answered).map(|reaction| {
        format!("{} was silent: {}", run.trace.node_name(reaction.node), because(run, reaction.decision))
    });
    let said = answered.map(|reaction| because(run, reaction.decision));
    let because = said.into_iter().chain(silent).collect::<Vec<_>>().join("; ");
    let name = run.trace.node_name(asked.asker);
    let event = answered.map_or(event, |reaction| reaction.decision);
    Some(Question {
        text: format!("{name} asks who has {target}. Who will answer?"),
        choices,
        right,
        event,
        because,
        once: true,
    })
}

fn which_ttl(run: &Run, event: EventId, ttl: u64) -> Option<Question> {
    let name = run.trace.node_name(run.trace.step_of(event).node);
    let values: BTreeSet<u64> = BTreeSet::from([ttl.saturating_sub(1), ttl, ttl + 1, 64]);
    let right = values.iter().position(|value| *value == ttl)?;
    let choices = values.iter().map(u64::to_string).collect();
    let text = format!("{name} sends the packet on. With which TTL will it leave?");
    Some(Question { text, choices, right, event, because: because(run, event), once: true })
}

/// The destination MAC of the frame in which a packet leaves its director.
fn what_changes(run: &Run, event: EventId, method: Method) -> Option<Question> {
    if !matches!(method, Method::Dr | Method::Nat | Method::Tun | Method::FullNat) {
        return None;
    }
    let packet = run.trace.event(event).packet;
    let node = run.trace.step_of(event).node;
    let visit = run.way(packet).into_iter().find(|visit| visit.node == node && visit.events.contains(&event))?;
    let frame = run.frame_at(*visit.sent.first()?)?;
    let real = frame.dissect().mac(sim_core::wire::field::FieldName::EthDst)?;
    let cards = run.trace.cast.ports.iter().filter(|port| port.node != node);
    let mut macs: Vec<(String, bool)> = Vec::new();
    for card in cards {
        let Some(mac) = card.mac else { continue };
        macs.push((format!("{} ({}:{})", mac_text(mac), run.trace.node_name(card.node), card.name), mac == real));
    }
    macs.sort_by_key(|(_, right)| !*right);
    macs.truncate(CHOICES_MAX);
    macs.sort();
    let right = macs.iter().position(|(_, right)| *right)?;
    let text = format!("{} forwards the packet ({}). To which MAC?", run.trace.node_name(node), method.listed());
    let choices = macs.into_iter().map(|(text, _)| text).collect();
    Some(Question { text, choices, right, event: frame.event, because: because(run, event), once: true })
}

/// Who, and when: the right host a second too early and too late stands among the choices too.
fn who_is_master(run: &Run, now: Instant, event: EventId, instance: &str) -> Option<Question> {
    let nodes: BTreeSet<NodeId> =
        run.trace.vrrp.iter().filter(|record| &*record.instance == instance).map(|record| record.node).collect();
    let new = run.trace.step_of(event).node;
    let at = run.trace.at(event);
    let others = nodes.into_iter().filter(|node| *node != new).map(|node| (at, node)).take(CHOICES_MAX - 3);
    let early = Instant::from_nanos(at.nanos().saturating_sub(SECOND.nanos()));
    let times = [early, at, at + SECOND].into_iter().filter(|time| *time > now).map(|time| (time, new));
    let all: BTreeSet<(Instant, NodeId)> = others.chain(times).collect();
    let right = all.iter().position(|choice| *choice == (at, new))?;
    let choices = all.iter().map(|(at, node)| format!("{} at {} s", run.trace.node_name(*node), short(*at))).collect();
    let reason = describe::vrrp_reason(run, event).map_or(String::new(), |reason| because(run, reason));
    let because = format!("{} at {at} s: {reason}", run.trace.node_name(new));
    let text = format!("It is {} s. Who will be the next to become master of {instance}, and when?", short(now));
    Some(Question { text, choices, right, event, because, once: false })
}

const SECOND: Duration = Duration::from_secs(1);

/// `13.259`: milliseconds are enough for whoever guesses.
fn short(at: Instant) -> String {
    format!("{}.{:03}", at.nanos() / 1_000_000_000, at.nanos() / 1_000_000 % 1_000)
}
