//! What must be true of a run, held against its trace. Nothing is recomputed: every judgement reads what was recorded.

mod checksums;
mod finding;
mod laws;
mod outage;
mod same;

use crate::model::{Count, Expectation, HostIndex, Model, NicIndex, What};
use finding::{Finding, node};
use sim_core::base::id::NodeId;
use sim_core::base::time::Instant;
use sim_core::trace::conversation::Conversations;
use sim_core::trace::filter::Filter;
use sim_core::trace::moment::Moment;
use sim_core::trace::record::{CommandRecord, NeighbourState, Outcome, RequestRecord, VrrpState};
use sim_core::trace::select::Selector;
use sim_core::trace::{Trace, served};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::dissect::mac_text;
use std::collections::BTreeMap;

/// An expectation, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What was expected.
    pub expected: String,
    /// Whether it holds; none if the one that it needs does not.
    pub holds: Option<bool>,
    /// If it does not hold: what was observed instead, at which place, and how to look.
    pub observed: Vec<String>,
}

/// Judges every expectation, in file order.
pub fn judge(model: &Model, trace: &Trace) -> Vec<Judgement> {
    let conversations = Conversations::of(trace);
    let servers = served::hosts(trace, &conversations);
    let mut judge = Judge { model, trace, conversations, servers, selector: Selector::new(trace) };
    let mut findings: Vec<Finding> = Vec::new();
    for expectation in &model.expect {
        findings.push(judge.finding(&expectation.what));
    }
    let judgement = |(expectation, finding): (&Expectation, &Finding)| {
        let counts = expectation.needs.is_none_or(|needed| findings[needed].is_ok());
        Judgement {
            expected: said(model, &expectation.what),
            holds: counts.then_some(finding.is_ok()),
            observed: finding.as_ref().err().filter(|_| counts).cloned().unwrap_or_default(),
        }
    };
    model.expect.iter().zip(&findings).map(judgement).collect()
}

struct Judge<'a> {
    model: &'a Model,
    trace: &'a Trace,
    conversations: Conversations,
    servers: Vec<Option<NodeId>>,
    selector: Selector<'a>,
}

impl Judge<'_> {
    fn finding(&mut self, what: &What) -> Finding {
        match what {
            What::ServedBy { url, hosts } => self.served_by(url, hosts),
            What::Requests { from, ok, failed } => self.requests(*from, *ok, *failed),
            What::Output { on, run, contains, nth } => self.output(*on, run, contains, *nth),
            What::Neighbour { on, address, is, at } => self.neighbour(*on, *address, *is, *at),
            What::Sees { host, packet, count } => self.sees(*host, packet, *count),
            What::Outage { of, seen_by, at_most } => outage::finding(self.model, self.trace, *of, *seen_by, *at_most),
            What::Master { instance, on, at } => self.master(instance, *on, *at),
            What::Availability { of, seen_by, at_least, at_most } => {
                outage::available(self.model, self.trace, *of, *seen_by, *at_least..=*at_most)
            }
            What::SamePackets { other, at } => same::finding(self.model, self.trace, other, *at),
            What::Always(law) => laws::finding(self.model, self.trace, &self.conversations, *law),
        }
    }

    fn served_by(&self, url: &str, hosts: &[(HostIndex, u64)]) -> Finding {
        let expected: BTreeMap<NodeId, u64> = hosts.iter().map(|(host, count)| (node(*host), *count)).collect();
        let mut counted: BTreeMap<NodeId, u64> = expected.keys().map(|node| (*node, 0)).collect();
        let answered = |request: &RequestRecord| matches!(request.outcome, Outcome::Answered { .. });
        for (request, server) in self.trace.requests.iter().zip(&self.servers) {
            if let (true, true, Some(server)) = (&*request.url == url, answered(request), server) {
                *counted.entry(*server).or_default() += 1;
            }
        }
        if counted == expected {
            return Ok(());
        }
        let list: Vec<String> =
            counted.iter().map(|(node, count)| format!("{} {count}", self.trace.node_name(*node))).collect();
        Err(vec![format!("served by {}", list.join(", ")), self.look("explain", "--request 1")])
    }

    fn requests(&self, from: Option<HostIndex>, ok: Option<u64>, failed: Option<u64>) -> Finding {
        let mine = |request: &&RequestRecord| from.is_none_or(|host| node(host) == request.node);
        let all: Vec<&RequestRecord> = self.trace.requests.iter().filter(mine).collect();
        let good = all.iter().filter(|request| matches!(request.outcome, Outcome::Answered { .. })).count() as u64;
        let bad = all.len() as u64 - good;
        if ok.is_none_or(|ok| ok == good) && failed.is_none_or(|failed| failed == bad) {
            return Ok(());
        }
        Err(vec![format!("{good} answered, {bad} failed or not finished")])
    }

    fn output(&self, on: HostIndex, run: &str, contains: &str, nth: Option<u64>) -> Finding {
        let is_it = |command: &&CommandRecord| command.node == node(on) && without_comment(&command.text) == run.trim();
        let runs: Vec<&CommandRecord> = self.trace.commands.iter().filter(is_it).collect();
        let chosen: Vec<&CommandRecord> = match nth {
            Some(nth) => runs.get((nth.max(1) - 1) as usize).copied().into_iter().collect(),
            None => runs.clone(),
        };
        if chosen.is_empty() {
            return Err(vec![format!("it was typed {} times", runs.len())]);
        }
        let wanted = tidy(contains);
        let wrong = chosen.iter().find(|command| {
            let printed = format!("{}{}", command.stdout, command.stderr);
            !tidy(&printed).contains(wanted.trim_matches('\n'))
        });
        let Some(command) = wrong else { return Ok(()) };
        let printed = format!("{}{}", command.stdout, command.stderr);
        let mut observed = vec![match printed.trim().is_empty() {
            true => format!("at {} s it printed nothing", command.started),
            false => format!("at {} s it printed:", command.started),
        }];
        observed.extend(printed.lines().take(OBSERVED_LINES_MAX).map(|line| line.trim_end().to_string()));
        Err(observed)
    }

    fn neighbour(&self, on: HostIndex, address: Ipv4Addr, is: NicIndex, at: Instant) -> Finding {
        let moment = Moment::at(self.trace, at);
        let tables = moment.node(node(on));
        let usable = |state| !matches!(state, NeighbourState::Failed | NeighbourState::Incomplete);
        let mut entries = tables.neighbours().filter(|entry| entry.address == address && usable(entry.state));
        let Some(mac) = entries.find_map(|entry| entry.mac) else {
            return Err(vec![format!("it has no entry for {address} at {at} s")]);
        };
        if mac == self.model.hosts[is.host].nics[is.nic].mac {
            return Ok(());
        }
        let owner = self.trace.cast.ports.iter().position(|card| card.mac == Some(mac));
        let owner = owner.map(|index| self.trace.port_name(sim_core::base::id::PortId(index as u32)));
        let owner = owner.unwrap_or_else(|| "nobody here".to_string());
        Err(vec![format!("at {at} s it believes that {address} is at {}, which is {owner}", mac_text(mac))])
    }

    fn master(&self, instance: &str, on: HostIndex, at: Instant) -> Finding {
        let moment = Moment::at(self.trace, at);
        let state = |host: HostIndex| moment.node(node(host)).vrrp().find(|record| &*record.instance == instance);
        if state(on).is_some_and(|record| record.state == VrrpState::Master) {
            return Ok(());
        }
        let others = self.model.hosts.iter().enumerate();
        let mut observed: Vec<String> =
            others.filter_map(|(index, host)| Some(format!("{} is {}", host.name, state(index)?.state))).collect();
        if observed.is_empty() {
            observed.push(format!("no host runs an instance {instance} at {at} s"));
        }
        Err(vec![observed.join(", "), self.look("timeline", "").trim_end().to_string()])
    }

    fn sees(&mut self, host: HostIndex, packet: &Filter, count: Count) -> Finding {
        let trace = self.trace;
        let own = trace.captured_frames().filter(|frame| frame.node == node(host));
        let seen: Vec<u32> =
            own.filter(|frame| self.selector.passes(packet, frame)).map(|frame| frame.number).collect();
        let holds = match count {
            Count::Some => !seen.is_empty(),
            Count::None => seen.is_empty(),
            Count::Exactly(count) => seen.len() as u64 == count,
        };
        if holds {
            return Ok(());
        }
        let Some(first) = seen.first().and_then(|number| trace.frame(*number)) else {
            return Err(vec!["no such frame".to_string()]);
        };
        let list: Vec<String> = seen.iter().take(8).map(|number| format!("f{number}")).collect();
        let more =
            if seen.len() > list.len() { format!(" and {} more", seen.len() - list.len()) } else { String::new() };
        Err(vec![
            format!("{} frames: {}{more}; the first at {} s", seen.len(), list.join(" "), first.at),
            self.look("explain", &format!("--frame {}", first.number)),
        ])
    }

    /// The command that opens a place.
    fn look(&self, command: &str, rest: &str) -> String {
        format!("look: lvslab {command} {} {rest}", self.model.name)
    }
}

const OBSERVED_LINES_MAX: usize = 12;

/// A typed line without the comment at its end.
fn without_comment(text: &str) -> &str {
    let comment = text.char_indices().find(|(at, c)| *c == '#' && text[..*at].ends_with([' ', '\t']));
    text[..comment.map_or(text.len(), |(at, _)| at)].trim()
}

/// Without the blanks at the ends of lines.
fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// An expectation as a sentence.
fn said(model: &Model, what: &What) -> String {
    let host = |index: HostIndex| model.hosts[index].name.as_str();
    match what {
        What::ServedBy { url, hosts } => {
            let list: Vec<String> = hosts.iter().map(|(index, count)| format!("{} {count}", host(*index))).collect();
            format!("{url} is served by {}", list.join(", "))
        }
        What::Requests { from, ok, failed } => {
            let whose = from.map_or("all requests".to_string(), |index| format!("requests of {}", host(index)));
            let ok = ok.map(|ok| format!("{ok} answered"));
            let failed = failed.map(|failed| format!("{failed} failed"));
            let parts: Vec<String> = [ok, failed].into_iter().flatten().collect();
            format!("{whose}: {}", parts.join(", "))
        }
        What::Output { on, run, contains, nth } => {
            let first = contains.trim().lines().next().unwrap_or_default().trim();
            let dots = if contains.trim().lines().count() > 1 { " …" } else { "" };
            let which = nth.map_or(String::new(), |nth| format!(" (No. {nth})"));
            format!("{}: {run}{which} prints {first}{dots}", host(*on))
        }
        What::Neighbour { on, address, is, at } => {
            let when = if *at >= model.until { String::new() } else { format!(" at {at} s") };
            format!("{} believes that {address} is {}{when}", host(*on), model.nic_name(*is))
        }
        What::Sees { host: index, packet, count } => match count {
            Count::Some => format!("{} sees {}", host(*index), packet.text()),
            Count::None => format!("{} never sees {}", host(*index), packet.text()),
            Count::Exactly(count) => format!("{} sees {count} times {}", host(*index), packet.text()),
        },
        What::Outage { of, seen_by, at_most } => {
            format!("{} is without {of} for at most {at_most}", host(*seen_by))
        }
        What::Master { instance, on, at } => {
            let when = if *at >= model.until { String::new() } else { format!(" at {at} s") };
            format!("{} is master of {instance}{when}", host(*on))
        }
        What::Availability { of, seen_by, at_least, at_most } => {
            let bounds = match (at_least, at_most) {
                (0, most) => format!("at most {}", outage::percent(*most)),
                (least, 1_000_000) => format!("at least {}", outage::percent(*least)),
                (least, most) => format!("{} to {}", outage::percent(*least), outage::percent(*most)),
            };
            format!("{of} answers {} {bounds} of the time", host(*seen_by))
        }
        What::SamePackets { other, at } => format!("{} sees the same packets as in {}", host(*at), other.name),
        What::Always(law) => laws::said(*law),
    }
}
