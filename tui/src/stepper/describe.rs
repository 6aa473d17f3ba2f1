//! One line about any event: a code, words, and the ink they are drawn with.

use super::run::Run;
use super::theme::Ink;
use pcap_out::story::millis;
use sim_core::base::id::EventId;
use sim_core::trace::record::{Outcome, RowText, Standing};
use sim_core::trace::{Kind, Stage, Why, explain};
use sim_core::wire::dissect::Dissection;
use sim_core::wire::field::Protocol;
use sim_core::wire::summary;

/// An event in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// `IPVS.DR`, or nothing.
    pub(crate) code: String,
    /// What happened.
    pub(crate) text: String,
    /// How it is drawn.
    pub(crate) ink: Ink,
}

/// What happened.
pub(crate) fn event(run: &Run, id: EventId) -> Told {
    let trace = &run.trace;
    let event = trace.event(id);
    let told = |code: &str, text: String, ink| Told { code: code.to_string(), text, ink };
    match event.kind {
        Kind::Sent { port, bytes, length } | Kind::Received { port, bytes, length } => {
            let (head, tail) = trace.bytes(bytes);
            let whole = [head, tail].concat();
            let verb = if matches!(event.kind, Kind::Sent { .. }) { "leaves" } else { "reaches" };
            let number = trace.frame_number(id).map_or(String::new(), |number| format!("f{number} "));
            let brief = summary::brief(&whole, length as usize);
            told("", format!("{number}{brief} {verb} {}", trace.port_name(port)), Ink::Plain)
        }
        Kind::Decided(why) => {
            let node = trace.step_of(id).node;
            told(explain::code(trace, why), explain::sentence(trace, node, why), Ink::Plain)
        }
        Kind::Dropped => told("DROP", "the packet ends here".to_string(), Ink::Bad),
        Kind::Check(index) => {
            let record = &trace.checks[index as usize];
            let ink = match (record.flaw, record.standing) {
                (Some(_), _) => Ink::Bad,
                (None, Standing::Up) if record.is_news => Ink::Good,
                (None, _) => Ink::Plain,
            };
            told("CHECK", format!("{} of {}: {record}", record.server, record.service), ink)
        }
        Kind::Log(index) => {
            let record = &trace.logs[index as usize];
            told("LOG", format!("{}: {}", record.program, record.text), Ink::Plain)
        }
        Kind::CommandStarted(index) => {
            let record = &trace.commands[index as usize];
            let first = record.text.lines().next().unwrap_or_default();
            told("TYPED", format!("[root@{} ~]# {first}", trace.node_name(record.node)), Ink::Title)
        }
        Kind::CommandEnded(index) => {
            let record = &trace.commands[index as usize];
            let ink = if record.exit == Some(0) { Ink::Plain } else { Ink::Bad };
            let exit = record.exit.map_or("no exit status".to_string(), |exit| format!("exit status {exit}"));
            let first = record.stdout.lines().chain(record.stderr.lines()).find(|line| !line.trim().is_empty());
            let first = first.map_or(String::new(), |line| format!(": {}", line.trim()));
            told("ENDED", format!("{} {exit}{first}", short(&record.text)), ink)
        }
        Kind::RequestStarted(index) => {
            let record = &trace.requests[index as usize];
            told(
                "REQUEST",
                format!("r{} {} asks for {}", index + 1, trace.node_name(record.node), record.url),
                Ink::Title,
            )
        }
        Kind::RequestEnded(index) => request_ended(run, index),
        Kind::Served(index) => {
            let record = &trace.served[index as usize];
            told("SERVED", format!("{} answers {} with {}", record.program, record.path, record.status), Ink::Good)
        }
        Kind::Acted(position) => {
            let deed = trace.cast.deeds.get(position as usize).filter(|deed| !deed.is_empty());
            let text = deed.map_or("the script has something typed here".to_string(), |deed| deed.to_string());
            told("SCRIPT", text, Ink::Title)
        }
        Kind::EchoAsked(index) => {
            let echo = &trace.echoes[index as usize];
            told("PING", format!("echo request {} to {} is sent", echo.sequence, echo.target), Ink::Plain)
        }
        Kind::EchoAnswered(index) => {
            let echo = &trace.echoes[index as usize];
            let took =
                echo.answered.map_or(String::new(), |at| format!(" after {}", millis(at.since(echo.asked).nanos())));
            told("PING", format!("the answer to echo request {} is here{took}", echo.sequence), Ink::Good)
        }
        kind => changed(run, kind),
    }
}

fn request_ended(run: &Run, index: u32) -> Told {
    let record = &run.trace.requests[index as usize];
    let took =
        record.ended.map_or(String::new(), |ended| format!(" after {}", millis(ended.since(record.started).nanos())));
    let by = run.requests[index as usize].server;
    let by = by.map_or(String::new(), |node| format!(" by {}", run.trace.node_name(node)));
    let (ink, what) = match &record.outcome {
        Outcome::Answered { status, bytes } => (Ink::Good, format!("{status}, {bytes} octets{by}")),
        Outcome::Failed { reason } => (Ink::Bad, format!("failed: {reason}")),
        Outcome::Running => (Ink::Warn, "not finished".to_string()),
    };
    Told { code: "REQUEST".to_string(), text: format!("r{} {what}{took}", index + 1), ink }
}

/// A change of a table, by the same words as the events file.
fn changed(run: &Run, kind: Kind) -> Told {
    let text = match pcap_out::json::change(&run.trace, kind) {
        Some((table, record)) => {
            let RowText { row, value } = record.told(&run.trace);
            let table = table.name();
            if record.is_present() { format!("{table}: {row} is {value}") } else { format!("{table}: {row} is gone") }
        }
        None => String::new(),
    };
    Told { code: "TABLE".to_string(), text, ink: Ink::Changed }
}

/// Why a virtual router has a new state: the cause if it is a decision, else the last decision about virtual routers on
/// that host at that instant.
pub(crate) fn vrrp_reason(run: &Run, event: EventId) -> Option<EventId> {
    let trace = &run.trace;
    let is_reason = |id: EventId| match trace.event(id).kind {
        Kind::Decided(Why::VrrpAnnounced { .. }) => false,
        Kind::Decided(why) => explain::code(trace, why).starts_with("VRRP."),
        _ => false,
    };
    let cause = trace.event(event).cause;
    if cause.is_some() && is_reason(cause) {
        return Some(cause);
    }
    let (at, node) = (trace.at(event), trace.step_of(event).node);
    let before = (0..event.0).rev().map(EventId).take_while(|id| trace.at(*id) == at);
    before.filter(|id| trace.step_of(*id).node == node).find(|id| is_reason(*id))
}

/// The most telling decision about a frame: its code and ink.
pub(crate) fn verdict(run: &Run, number: u32) -> Option<(&'static str, Ink)> {
    let trace = &run.trace;
    let best = run.survey.notes.decisions(number).iter().filter_map(|id| match trace.event(*id).kind {
        Kind::Decided(why) => Some((weight(why, trace.event(*id).stage), *id, why)),
        _ => None,
    });
    let (_, id, why) = best.max_by_key(|(weight, id, _)| (*weight, *id))?;
    let dropped =
        trace.events.get(id.0 as usize + 1).is_some_and(|next| next.kind == Kind::Dropped && next.cause == id);
    let ink = if dropped { Ink::Bad } else { Ink::Name };
    Some((explain::code(trace, why), ink))
}

/// How much a decision says about a frame, beside the others.
fn weight(why: Why, stage: Stage) -> u8 {
    match why {
        Why::IpvsForward { .. } | Why::IpvsReply { .. } | Why::ArpMangled { .. } => 9,
        Why::Masqueraded { .. } | Why::Unmasqueraded { .. } | Why::IcmpSent { .. } => 8,
        Why::IpvsState { .. } | Why::IpvsFound { .. } | Why::ArpQueued { .. } => 3,
        Why::RouteLink { .. } | Why::RouteVia { .. } | Why::RouteLocal { .. } => 1,
        Why::OtherHost => 0,
        _ => match stage {
            Stage::Ipvs => 7,
            Stage::Arp => 6,
            Stage::Forward => 5,
            Stage::Socket | Stage::Icmp => 4,
            _ => 2,
        },
    }
}

/// The ink of a frame, by what it carries.
pub(crate) fn frame_ink(frame: &Dissection) -> Ink {
    if frame.has(Protocol::Arp) {
        Ink::Arp
    } else if frame.has(Protocol::Vrrp) {
        Ink::Vrrp
    } else if frame.has(Protocol::Icmp) {
        Ink::Icmp
    } else {
        Ink::Transport
    }
}

/// `IPVS` of a stage, for a column.
pub(crate) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Wire => "wire",
        Stage::Switch => "switch",
        Stage::Ingress => "ingress",
        Stage::Arp => "arp",
        Stage::Prerouting => "PREROUTING",
        Stage::Routing => "routing",
        Stage::Input => "INPUT",
        Stage::Ipvs => "ipvs",
        Stage::Forward => "FORWARD",
        Stage::Output => "OUTPUT",
        Stage::Postrouting => "POSTROUTING",
        Stage::Icmp => "icmp",
        Stage::Socket => "socket",
        Stage::Process => "process",
    }
}

/// The beginning of a typed text.
fn short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    match first.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &first[..at]),
        None => first.to_string(),
    }
}
