//! An ARP question and what became of it: who heard it, who owns the address asked for, who answered and who kept silent,
//! and why.

use super::journey::History;
use super::{Kind, Trace, Why};
use crate::base::id::{EventId, NodeId, PacketId};
use crate::wire::Ipv4Addr;
use crate::wire::field::FieldName;

/// A question that was broadcast or asked by unicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who asked.
    pub asker: NodeId,
    /// Whose MAC was wanted.
    pub target: Ipv4Addr,
    /// The frame of the question.
    pub frame: EventId,
    /// What the asker's own rules did to it.
    pub own: Vec<EventId>,
    /// What each host decided that owns the address or has a rule about it, in order of time.
    pub reactions: Vec<Reaction>,
}

/// What a host did about a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The host.
    pub node: NodeId,
    /// The decision.
    pub decision: EventId,
    /// Whether it answered.
    pub answered: bool,
}

impl Question {
    /// The question that the decision `asked` ([`Why::ArpAsk`] or [`Why::ArpProbe`]) led to.
    pub fn of(trace: &Trace, history: &History, asked: EventId) -> Option<Question> {
        let target = match trace.event(asked).kind {
            Kind::Decided(Why::ArpAsk { target, .. } | Why::ArpProbe { target, .. }) => target,
            _ => return None,
        };
        let asker = trace.step_of(asked).node;
        let from = trace.frames.partition_point(|frame| *frame < asked);
        let frame = (from + 1..=trace.frames.len().min(from + LOOK_AHEAD)).find_map(|number| {
            let frame = trace.frame(number as u32)?;
            let dissected = frame.dissect();
            let asks = dissected.number(FieldName::ArpOpcode) == Some(1)
                && dissected.address(FieldName::ArpDstIp) == Some(target);
            (frame.outbound && frame.node == asker && asks).then_some(frame)
        })?;
        let own = history.events(frame.packet).iter().copied().filter(|id| {
            let decided =
                matches!(trace.event(*id).kind, Kind::Decided(Why::ArpMangled { .. } | Why::ArpFiltered { .. }));
            decided && *id < frame.event
        });
        let reactions = reactions(trace, history, frame.packet);
        Some(Question { asker, target, frame: frame.event, own: own.collect(), reactions })
    }
}

/// How many frames of the capture may lie between a decision to ask and the question.
const LOOK_AHEAD: usize = 64;

fn reactions(trace: &Trace, history: &History, question: PacketId) -> Vec<Reaction> {
    let mut reactions: Vec<Reaction> = Vec::new();
    for id in history.events(question) {
        let Kind::Decided(why) = trace.event(*id).kind else { continue };
        let answered = match why {
            Why::ArpAnswer { .. } => true,
            Why::ArpIgnored { .. } | Why::ArpFilterRoute { .. } | Why::ArpFiltered { inbound: true, .. } => false,
            _ => continue,
        };
        let node = trace.step_of(*id).node;
        if !reactions.iter().any(|reaction| reaction.node == node) {
            reactions.push(Reaction { node, decision: *id, answered });
        }
    }
    reactions
}
