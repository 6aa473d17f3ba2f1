//! What is to be seen at the instant shown: the packet, its visit to the host, the frame before and after.

use super::run::Run;
use sim_core::base::id::{EventId, NodeId};
use sim_core::trace::capture::Captured;
use sim_core::trace::journey::Visit;
use sim_core::trace::{Event, Kind};

/// The event under the cursor and what belongs to it.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// The run.
    pub(crate) run: &'a Run,
    /// The event's number.
    pub(crate) id: EventId,
    /// The event.
    pub(crate) event: Event,
    /// Where.
    pub(crate) node: NodeId,
    /// The packet at this host; none if the event is about no packet.
    pub(crate) visit: Option<Visit>,
    /// Which hop of its way, from 1, and how many there are.
    pub(crate) hop: Option<(usize, usize)>,
    /// The frame as it came in.
    pub(crate) before: Option<Captured<'a>>,
    /// The frame as it left, if it has.
    pub(crate) after: Option<Captured<'a>>,
}

impl<'a> Scene<'a> {
    /// The scene at an event; none in an empty run.
    pub(crate) fn at(run: &'a Run, id: EventId) -> Option<Self> {
        let event = *run.trace.events.get(id.0 as usize)?;
        let node = run.trace.step_of(id).node;
        let mut scene = Scene { run, id, event, node, visit: None, hop: None, before: None, after: None };
        if event.packet.is_some() {
            scene.find_visit();
        }
        let captured = |event: Option<EventId>| event.and_then(|event| any_frame(run, event));
        if let Some(visit) = &scene.visit {
            scene.before = captured(visit.received.filter(|received| *received <= id));
            scene.after = captured(visit.sent.iter().copied().rfind(|sent| *sent <= id));
        }
        Some(scene)
    }

    fn find_visit(&mut self) {
        let (id, node) = (self.id, self.node);
        let holds = |visit: &Visit| {
            visit.received == Some(id)
                || visit.dropped == Some(id)
                || visit.sent.contains(&id)
                || visit.events.contains(&id)
        };
        let way = self.run.way(self.event.packet);
        if let Some(index) = way.iter().position(|visit| visit.node == node && holds(visit)) {
            self.hop = Some((index + 1, way.len()));
            self.visit = way.into_iter().nth(index);
            return;
        }
        let all = self.run.history.visits(&self.run.trace, self.event.packet);
        self.visit = all.into_iter().find(|visit| visit.node == node && holds(visit));
    }

    /// The frame that the headers pane is about: the one that left, else the one that came.
    pub(crate) fn frame(&self) -> Option<&Captured<'a>> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The number of the frame under the cursor, if the event is one.
    pub(crate) fn number(&self) -> Option<u32> {
        self.run.trace.frame_number(self.id)
    }
}

/// A frame by its event, at a switch too (with the number 0).
fn any_frame(run: &Run, event: EventId) -> Option<Captured<'_>> {
    if let Some(frame) = run.frame_at(event) {
        return Some(frame);
    }
    let trace = &run.trace;
    let (outbound, port, bytes, length) = match trace.event(event).kind {
        Kind::Sent { port, bytes, length } => (true, port, bytes, length),
        Kind::Received { port, bytes, length } => (false, port, bytes, length),
        _ => return None,
    };
    let (head, tail) = trace.bytes(bytes);
    let step = trace.step_of(event);
    Some(Captured {
        number: 0,
        event,
        at: step.at,
        node: step.node,
        port,
        outbound,
        packet: trace.event(event).packet,
        length,
        bytes: std::borrow::Cow::Owned([head, tail].concat()),
    })
}
