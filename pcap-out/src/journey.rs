//! A packet's journey as text: a block per host, the headers before and after, and every decision with its reason.

use crate::headers::{Headers, ShortMacs};
use crate::layout::{pad, rule, with_mark, wrap};
use crate::story::Archive;
use sim_core::base::id::{EventId, NodeId, PacketId};
use sim_core::trace::journey::Visit;
use sim_core::trace::question::Question;
use sim_core::trace::record::{ConnRecord, ConnState, Method, RequestRecord};
use sim_core::trace::{Kind, Why, explain};
use sim_core::wire::flow::SocketAddr;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How a journey is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Columns.
    pub width: usize,
    /// Every packet of the connection, not only the first and its answer.
    pub all: bool,
}

/// The journey of request `number`, from 1. None if there is no such request.
pub fn request(archive: &Archive, number: u32, manner: Manner) -> Option<String> {
    let index = (number as usize).checked_sub(1)?;
    let request = archive.trace.requests.get(index)?;
    let client = archive.trace.node_name(request.node);
    let mut out = format!("request {number}   {client}: {}   →   {}\n", request.url, archive.outcome(index, request));
    let Some(story) = archive.story(number) else {
        out.push_str("            no packet of it was ever sent\n");
        return Some(out);
    };
    if let (Some(client), Some(asked)) = (request.client, request.asked) {
        let (from, to) = (story.frames.first().unwrap_or(&0), story.frames.last().unwrap_or(&0));
        let count = story.frames.len();
        let _ = writeln!(out, "            {client} → {asked}; {count} frames between f{from} and f{to}");
    }
    let mut teller = Teller { archive, macs: ShortMacs::of(archive.trace), manner, hop: 0, out };
    let told: Vec<PacketId> = if manner.all {
        story.packets.clone()
    } else {
        [Some(story.first), story.answer].into_iter().flatten().collect()
    };
    for (packet, index) in told.iter().zip(1..) {
        let title = match (index, Some(*packet) == story.answer) {
            (1, _) => "The first packet: ",
            (_, true) => "The answer: ",
            (_, false) => "",
        };
        teller.tell(title, *packet, None);
    }
    teller.kept(request);
    let rest = story.packets.len() - told.len();
    if rest > 0 {
        let _ = write!(teller.out, "\n{rest} more packets belong to this connection (--all shows them).\n");
    }
    Some(teller.out)
}

/// The journey of the packet that frame `number` carries. None if there is no such frame.
pub fn frame(archive: &Archive, number: u32, manner: Manner) -> Option<String> {
    let frame = archive.trace.frame(number)?;
    let direction = if frame.outbound { "leaves" } else { "reaches" };
    let out = format!(
        "frame f{number}   {direction} {} at {} s, {} octets\n            {}\n",
        archive.trace.port_name(frame.port),
        frame.at,
        frame.length,
        sim_core::wire::summary::line(&frame.bytes, frame.length as usize)
    );
    let mut teller = Teller { archive, macs: ShortMacs::of(archive.trace), manner, hop: 0, out };
    let origin = archive.history.origin(archive.trace, frame.packet);
    teller.tell("", origin, Some(frame.event));
    Some(teller.out)
}

struct Teller<'a> {
    archive: &'a Archive<'a>,
    macs: ShortMacs,
    manner: Manner,
    hop: u32,
    out: String,
}

const INDENT: &str = "         ";
/// Columns of a header's name.
const NAME: usize = 6;

impl Teller<'_> {
    /// The way of a packet; the hop with the frame `here` is marked.
    fn tell(&mut self, title: &str, packet: PacketId, here: Option<EventId>) {
        let visits = self.archive.way(packet);
        let first = visits.iter().flat_map(|visit| visit.received.iter().chain(&visit.sent)).next();
        let brief = first.and_then(|event| self.archive.frame(*event)).map(|frame| Headers::of(&frame).brief);
        let _ = write!(self.out, "\n{title}{}\n", brief.unwrap_or_else(|| "A packet that never left".to_string()));
        for visit in &visits {
            self.hop += 1;
            self.visit(visit, here);
        }
        self.lost(&visits);
    }

    fn visit(&mut self, visit: &Visit, here: Option<EventId>) {
        let archive = self.archive;
        let card = &archive.trace.cast.nodes[visit.node.index()];
        let number = |event: &EventId| archive.trace.frame_number(*event);
        let came = visit.received.as_ref().and_then(number);
        let left: Vec<String> = visit.sent.iter().filter_map(number).map(|number| format!("f{number}")).collect();
        let how = match (came, left.is_empty()) {
            (None, false) => format!("sends {}", left.join(" ")),
            (Some(came), false) => format!("in f{came}, out {}", left.join(" ")),
            (Some(came), true) => format!("in f{came}"),
            (None, true) => "never leaves".to_string(),
        };
        let role = if *card.role == *card.name { String::new() } else { format!(", {}", card.role) };
        let is_here = here.is_some_and(|here| visit.received == Some(here) || visit.sent.contains(&here));
        let mark = if is_here { " ◂" } else { "" };
        let left = format!("hop {}  {}{role}{mark}", self.hop, card.name);
        let right = format!("{how}, {} s", self.moment(visit));
        self.out.push_str(&rule(&left, &right, self.manner.width));
        self.headers(visit);
        self.reasons(visit);
    }

    /// When the packet left, or else when it came.
    fn moment(&self, visit: &Visit) -> String {
        let event = visit.sent.first().or(visit.received.as_ref());
        event.map_or(visit.at, |event| self.archive.trace.at(*event)).to_string()
    }

    fn headers(&mut self, visit: &Visit) {
        let see = |event: Option<&EventId>| {
            event.and_then(|event| self.archive.frame(*event)).map(|frame| Headers::of(&frame))
        };
        match (see(visit.received.as_ref()), see(visit.sent.first())) {
            (Some(before), Some(after)) => self.both(&before, &after),
            (None, Some(only)) | (Some(only), None) => self.single(&only),
            (None, None) => {}
        }
    }

    fn single(&mut self, headers: &Headers) {
        for (name, value) in self.rows(headers) {
            let _ = writeln!(self.out, "{INDENT}{}{value}", pad(name, NAME));
        }
    }

    /// Before and after, with `*` at the edge where something changed.
    fn both(&mut self, before: &Headers, after: &Headers) {
        let (old, new) = (self.rows(before), self.rows(after));
        let column = (self.manner.width - INDENT.len() - NAME - 6) / 2;
        let _ = writeln!(self.out, "{INDENT}{}{}│ after", " ".repeat(NAME), pad("before", column));
        let mut names: Vec<&str> = new.iter().map(|row| row.0).collect();
        let gone = old.iter().map(|row| row.0).filter(|name| !new.iter().any(|row| row.0 == *name));
        names.splice(1..1, gone.collect::<Vec<_>>());
        for name in names {
            let value = |rows: &[(&str, String)]| {
                rows.iter().find(|row| row.0 == name).map_or(String::new(), |row| row.1.clone())
            };
            let (was, is) = (value(&old), value(&new));
            let line = if was == is {
                format!("{INDENT}{}{} │ =", pad(name, NAME), pad(&was, column - 1))
            } else {
                format!("{INDENT}{}{} │ {}*", pad(name, NAME), pad(&was, column - 1), pad(&is, column + 1))
            };
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    fn rows(&self, headers: &Headers) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        if let Some((source, destination)) = headers.eth {
            rows.push(("eth", format!("{} → {}", self.macs.show(source), self.macs.show(destination))));
        }
        if let Some((source, destination, ttl)) = headers.outer {
            rows.push(("outer", format!("{source} → {destination}  ttl {ttl}")));
        }
        if let Some((source, destination)) = headers.ip {
            rows.push(("ip", format!("{source} → {destination}")));
        }
        if let Some(ttl) = headers.ttl {
            let sum = headers.checksum.map_or(String::new(), |sum| format!("  (checksum 0x{sum:04x})"));
            rows.push(("ttl", format!("{ttl}{sum}")));
        }
        let brief = &headers.brief;
        rows.push(match headers.ports {
            Some((source, destination)) => (headers.protocol, format!("{source} → {destination}  {brief}")),
            None => (headers.protocol, brief.clone()),
        });
        rows
    }

    fn reasons(&mut self, visit: &Visit) {
        let mut label = "   why   ";
        let decisions: Vec<EventId> = visit
            .events
            .iter()
            .copied()
            .filter(|id| matches!(self.archive.trace.event(*id).kind, Kind::Decided(_)))
            .collect();
        for event in decisions.iter().copied() {
            let Some((code, sentence)) = explain::decision(self.archive.trace, event) else { continue };
            self.out.push_str(&with_mark(label, &sentence, code, self.manner.width));
            label = INDENT;
            self.question(event);
            self.consequence(event);
        }
        let waits = decisions.iter().any(|event| self.is_waiting(*event));
        match (visit.dropped, visit.sent.is_empty()) {
            (Some(_), _) => self.aside("the packet ends here"),
            (None, true) if waits => self.aside("it was still waiting when the run ended"),
            (None, _) => {}
        }
    }

    fn is_waiting(&self, event: EventId) -> bool {
        matches!(self.archive.trace.event(event).kind, Kind::Decided(Why::ArpQueued { .. }))
    }

    fn aside(&mut self, text: &str) {
        for line in wrap(text, self.manner.width.saturating_sub(INDENT.len())) {
            let _ = writeln!(self.out, "{INDENT}{line}");
        }
    }

    /// What follows from a way of forwarding for the real server and for the answer.
    fn consequence(&mut self, event: EventId) {
        let Kind::Decided(Why::IpvsForward { method, .. }) = self.archive.trace.event(event).kind else { return };
        let text = match method {
            Method::Dr => "so the server must own the VIP too, and listen on the same port",
            Method::Tun => "so the server needs a device that opens it, and must own the VIP too",
            Method::Nat => "so the answer must come back through this director",
            Method::FullNat => "so the answer comes back to this director from any network",
            Method::Local | Method::Bypass => return,
        };
        self.aside(&format!("  {text}"));
    }

    /// What directors still remember of the request's connection when the run ends.
    fn kept(&mut self, request: &RequestRecord) {
        let trace = self.archive.trace;
        let mut last: BTreeMap<(NodeId, SocketAddr), &ConnRecord> = BTreeMap::new();
        for record in trace.connections.iter().filter(|record| Some(record.client) == request.client) {
            last.insert((record.node, record.virtual_), record);
        }
        let is_active = |state| {
            matches!(state, ConnState::Established | ConnState::SynSent | ConnState::SynRecv | ConnState::SynAck)
        };
        for record in last.values().filter(|record| record.present && Some(record.virtual_) == request.asked) {
            let column = if is_active(record.state) { "ActiveConn" } else { "InActConn" };
            let text = format!(
                "{} still has the connection when the run ends: {}, until {} s. It counts as {column}.",
                trace.node_name(record.node),
                record.state,
                record.expires
            );
            self.out.push('\n');
            for line in wrap(&text, self.manner.width) {
                let _ = writeln!(self.out, "{line}");
            }
        }
    }

    /// After a decision to ask: who answered and who did not.
    fn question(&mut self, asked: EventId) {
        let archive = self.archive;
        if !matches!(archive.trace.event(asked).kind, Kind::Decided(Why::ArpAsk { .. } | Why::ArpProbe { .. })) {
            return;
        }
        let Some(question) = Question::of(archive.trace, &archive.history, asked) else { return };
        for own in &question.own {
            if let Some((code, sentence)) = explain::decision(archive.trace, *own) {
                self.out.push_str(&with_mark(&format!("{INDENT}  "), &sentence, code, self.manner.width));
            }
        }
        if question.reactions.is_empty() {
            let _ = writeln!(self.out, "{INDENT}  nobody who heard the question has that address");
        }
        for reaction in &question.reactions {
            let Some((code, sentence)) = explain::decision(archive.trace, reaction.decision) else { continue };
            let verb = if reaction.answered { "answered" } else { "was silent" };
            let text = format!("{} {verb}: {sentence}", archive.trace.node_name(reaction.node));
            self.out.push_str(&with_mark(&format!("{INDENT}  "), &text, code, self.manner.width));
        }
    }

    /// If the last host sent the packet and nobody got it.
    fn lost(&mut self, visits: &[Visit]) {
        let Some(last) = visits.last().filter(|last| !last.sent.is_empty() && last.dropped.is_none()) else { return };
        let _ = writeln!(
            self.out,
            "{INDENT}nobody took this frame: {} was the last to see the packet",
            self.archive.trace.node_name(last.node)
        );
    }
}
