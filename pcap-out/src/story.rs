//! What belongs to one request: its connection, the packet that asked first, the packet that answered first, and the
//! hosts that each passed.

use sim_core::base::id::{EventId, NodeId, PacketId};
use sim_core::trace::capture::Captured;
use sim_core::trace::conversation::Conversations;
use sim_core::trace::journey::{History, Visit};
use sim_core::trace::notes::Notes;
use sim_core::trace::record::{Outcome, RequestRecord};
use sim_core::trace::{Kind, Trace, Why, served};
use sim_core::wire::field::{FieldName, Protocol};
use sim_core::wire::flow::Transport;
use std::collections::BTreeSet;

/// A trace with everything that stories are told from, read once.
#[derive(Debug)]
pub struct Archive<'a> {
    /// The trace.
    pub trace: &'a Trace,
    /// Events by packet.
    pub history: History,
    /// Frames by connection.
    pub conversations: Conversations,
    /// Decisions by frame.
    pub notes: Notes,
    /// Which host answered each request.
    pub servers: Vec<Option<NodeId>>,
    /// The last event of each request.
    ends: Vec<EventId>,
}

/// What belongs to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its connection.
    pub conn: u32,
    /// The numbers of the connection's frames.
    pub frames: Vec<u32>,
    /// The packets of the connection, in the order of their first frame.
    pub packets: Vec<PacketId>,
    /// The first packet: the SYN.
    pub first: PacketId,
    /// The first packet that came back: SYN ACK, RST or an ICMP error.
    pub answer: Option<PacketId>,
}

impl<'a> Archive<'a> {
    /// Reads a trace.
    pub fn of(trace: &'a Trace) -> Self {
        let conversations = Conversations::of(trace);
        let last = EventId(trace.events.len() as u32);
        let mut ends = vec![last; trace.requests.len()];
        for (event, id) in trace.events.iter().zip(0..) {
            if let Kind::RequestEnded(index) = event.kind {
                ends[index as usize] = EventId(id);
            }
        }
        let servers = served::hosts(trace, &conversations);
        Archive { trace, history: History::of(trace), notes: Notes::of(trace), conversations, servers, ends }
    }

    /// The story of request `number`, from 1; none if no packet of it was ever sent.
    pub fn story(&self, number: u32) -> Option<Story> {
        let index = (number as usize).checked_sub(1)?;
        let request = self.trace.requests.get(index)?;
        let (client, asked) = (request.client?, request.asked?);
        let conn = self.conversations.at(Transport::Tcp, client, asked, self.ends[index])?;
        let frames: Vec<u32> = self.conversations.frames_of(conn).collect();
        let mut packets: Vec<PacketId> = Vec::new();
        let mut seen: BTreeSet<PacketId> = BTreeSet::new();
        let mut answer = None;
        for frame in frames.iter().filter_map(|number| self.trace.frame(*number)) {
            let origin = self.history.origin(self.trace, frame.packet);
            if seen.insert(origin) {
                packets.push(origin);
                let comes_back = packets.len() > 1 && is_first_answer(&frame);
                answer = answer.or(comes_back.then_some(origin));
            }
        }
        let first = *packets.first()?;
        Some(Story { conn, frames, packets, first, answer })
    }

    /// The way of a packet: its visits to hosts, without those that only ignored a flooded copy.
    pub fn way(&self, packet: PacketId) -> Vec<Visit> {
        let mut visits = self.history.journey(self.trace, packet);
        visits.retain(|visit| !self.decisions(visit).any(|(_, why)| why == Why::OtherHost));
        visits
    }

    /// The decisions of a visit, in order.
    pub fn decisions(&self, visit: &Visit) -> impl Iterator<Item = (EventId, Why)> + use<'_> {
        let events = visit.events.clone().into_iter();
        events.filter_map(|id| match self.trace.event(id).kind {
            Kind::Decided(why) => Some((id, why)),
            _ => None,
        })
    }

    /// The captured frame of an event.
    pub fn frame(&self, event: EventId) -> Option<Captured<'a>> {
        self.trace.frame(self.trace.frame_number(event)?)
    }

    /// `200, 22 octets, served by server6 in 1.83 ms`.
    pub fn outcome(&self, index: usize, request: &RequestRecord) -> String {
        let took = request.ended.map(|ended| format!(" in {}", millis(ended.since(request.started).nanos())));
        let took = took.unwrap_or_default();
        match &request.outcome {
            Outcome::Running => "not finished when the run ended".to_string(),
            Outcome::Answered { status, bytes } => {
                let by = self.servers.get(index).copied().flatten();
                let by = by.map_or(String::new(), |node| format!(", served by {}", self.trace.node_name(node)));
                format!("{status}, {bytes} octets{by}{took}")
            }
            Outcome::Failed { reason } => format!("failed{took}: {reason}"),
        }
    }
}

/// `1.83 ms`.
pub fn millis(ns: u64) -> String {
    match ns {
        0..10_000_000 => format!("{}.{:02} ms", ns / 1_000_000, ns % 1_000_000 / 10_000),
        10_000_000..10_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ => format!("{}.{:01} s", ns / 1_000_000_000, ns % 1_000_000_000 / 100_000_000),
    }
}

fn is_first_answer(frame: &Captured) -> bool {
    let dissected = frame.dissect();
    let syn_ack = dissected.flag(FieldName::TcpSyn) && dissected.flag(FieldName::TcpAckFlag);
    syn_ack || dissected.flag(FieldName::TcpReset) || dissected.has(Protocol::Icmp)
}
