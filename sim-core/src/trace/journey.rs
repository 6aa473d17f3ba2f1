//! Where a packet went and what was decided about it: its visits to hosts, hop by hop, through rewrites (which keep its
//! id) and through wrapping, unwrapping and fragmenting (which make a packet that names its parent).
//!
//! ```text
//!   client ──f5──► router ──f13──► director ──f21──► real server        one packet
//!      visit 1        visit 2          visit 3            visit 4       received? · decided · sent?
//! ```

use super::{Kind, Trace};
use crate::base::id::{EventId, NodeId, PacketId};
use crate::base::time::Instant;
use crate::wire::Ipv4Addr;
use crate::wire::dissect::{Dissection, Value};
use crate::wire::field::{FieldName, Protocol};

/// All events by the packet they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    events: Grouped<EventId>,
    children: Grouped<PacketId>,
}

/// Lists by packet, all in one row: those of packet `n` stand from `starts[n]` to `starts[n + 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grouped<T> {
    starts: Vec<u32>,
    list: Vec<T>,
}

impl<T: Copy> Grouped<T> {
    /// Groups what `all` gives, twice in the same order; `none` fills places that are not written yet.
    fn of<I: Iterator<Item = (PacketId, T)>>(all: impl Fn() -> I, none: T) -> Self {
        let mut starts: Vec<u32> = Vec::new();
        for (packet, _) in all() {
            let index = packet.0 as usize + 1;
            if starts.len() <= index {
                starts.resize(index + 1, 0);
            }
            starts[index] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut list = vec![none; starts.last().copied().unwrap_or(0) as usize];
        let mut next = starts.clone();
        for (packet, one) in all() {
            let place = &mut next[packet.0 as usize];
            list[*place as usize] = one;
            *place += 1;
        }
        Grouped { starts, list }
    }

    fn get(&self, packet: PacketId) -> &[T] {
        let index = packet.0 as usize;
        match (self.starts.get(index), self.starts.get(index.wrapping_add(1))) {
            (Some(from), Some(to)) => &self.list[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

/// A packet at one host: how it came, what was decided, how it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The host or switch.
    pub node: NodeId,
    /// The packet.
    pub packet: PacketId,
    /// When the visit began.
    pub at: Instant,
    /// The frame it came in; none where it was made.
    pub received: Option<EventId>,
    /// What was decided and which tables changed, in order.
    pub events: Vec<EventId>,
    /// The frames it left in.
    pub sent: Vec<EventId>,
    /// Where it was dropped, if it was.
    pub dropped: Option<EventId>,
}

impl History {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        let events = || {
            let all = trace.events.iter().zip((0..).map(EventId));
            all.filter(|(event, _)| event.packet.is_some()).map(|(event, id)| (event.packet, id))
        };
        let children = || {
            let all = trace.parents.iter().zip((0..).map(PacketId));
            all.filter(|(parent, _)| parent.is_some()).map(|(parent, child)| (*parent, child))
        };
        History { events: Grouped::of(events, EventId::NONE), children: Grouped::of(children, PacketId::NONE) }
    }

    /// The events about a packet, in order.
    pub fn events(&self, packet: PacketId) -> &[EventId] {
        self.events.get(packet)
    }

    /// The packets that came from this one: wrapped, unwrapped, fragments, answers, ARP questions for its sake.
    pub fn children(&self, packet: PacketId) -> &[PacketId] {
        self.children.get(packet)
    }

    /// The visits of one packet under its own id, switches included, in order of time.
    pub fn visits(&self, trace: &Trace, packet: PacketId) -> Vec<Visit> {
        let mut visits: Vec<Visit> = Vec::new();
        for id in self.events(packet) {
            let step = trace.step_of(*id);
            let kind = trace.event(*id).kind;
            let received = matches!(kind, Kind::Received { .. });
            let open = visits.iter().rposition(|visit| visit.node == step.node).filter(|_| !received);
            let at = open.unwrap_or_else(|| {
                visits.push(Visit::begin(step.node, packet, step.at));
                visits.len() - 1
            });
            visits[at].add(*id, kind);
        }
        visits
    }

    /// The whole way of a packet from where it was made to where it ended, through wrapping and unwrapping, hosts only.
    /// `packet` may be any part of the way.
    pub fn journey(&self, trace: &Trace, packet: PacketId) -> Vec<Visit> {
        let mut family = vec![self.origin(trace, packet)];
        let mut next = 0;
        while next < family.len() && family.len() < FAMILY_MAX {
            let parent = family[next];
            let kin = self.children(parent).iter().filter(|child| self.travels_on(trace, parent, **child));
            family.extend(kin.copied());
            next += 1;
        }
        let mut visits: Vec<Visit> = family.iter().flat_map(|packet| self.visits(trace, *packet)).collect();
        visits.retain(|visit| !trace.cast.nodes[visit.node.index()].is_switch);
        visits.sort_by_key(Visit::first_event);
        join(visits)
    }

    /// The packet from which this one came by wrapping or unwrapping only.
    pub fn origin(&self, trace: &Trace, packet: PacketId) -> PacketId {
        let mut at = packet;
        for _ in 0..FAMILY_MAX {
            match trace.parent(at) {
                Some(parent) if self.travels_on(trace, parent, at) => at = parent,
                Some(_) | None => break,
            }
        }
        at
    }

    /// Whether `child` is `parent` in another wrapping, not an answer or a question for its sake.
    fn travels_on(&self, trace: &Trace, parent: PacketId, child: PacketId) -> bool {
        match (self.heart(trace, parent), self.heart(trace, child)) {
            (Some(parent), Some(child)) => parent == child,
            // A packet that was unwrapped and delivered leaves no frame of its own; an ARP question does.
            (Some(_), None) => !self.has_frame(trace, child),
            (None, _) => false,
        }
    }

    fn has_frame(&self, trace: &Trace, packet: PacketId) -> bool {
        self.events(packet).iter().any(|id| trace.frame_number(*id).is_some())
    }

    /// What stays the same through wrapping: the innermost packet's ends, as the last frame of this packet shows them.
    fn heart(&self, trace: &Trace, packet: PacketId) -> Option<Heart> {
        let frame = self.events(packet).iter().rev().find(|id| trace.frame_number(**id).is_some())?;
        let frame = trace.frame(trace.frame_number(*frame)?)?;
        Heart::of(&frame.dissect())
    }
}

const FAMILY_MAX: usize = 256;

/// The innermost packet's protocol, addresses, IP id and first transport words.
#[derive(PartialEq, Eq)]
struct Heart(u64, Ipv4Addr, Ipv4Addr, u64);

impl Heart {
    fn of(frame: &Dissection) -> Option<Heart> {
        let layer = frame.layers.iter().rfind(|layer| layer.protocol == Protocol::Ip && !layer.quoted)?;
        let value = |name| frame.in_layer(layer, name).map(|field| field.value);
        let (Some(Value::Number(protocol)), Some(Value::Number(id))) =
            (value(FieldName::IpProtocol), value(FieldName::IpId))
        else {
            return None;
        };
        let (Some(Value::Address(source)), Some(Value::Address(destination))) =
            (value(FieldName::IpSrc), value(FieldName::IpDst))
        else {
            return None;
        };
        Some(Heart(protocol, source, destination, id))
    }
}

/// A packet that is wrapped or unwrapped goes on as another at the same host: one visit.
fn join(visits: Vec<Visit>) -> Vec<Visit> {
    let mut joined: Vec<Visit> = Vec::new();
    for visit in visits {
        match joined.iter_mut().rfind(|earlier| earlier.node == visit.node) {
            Some(earlier) if visit.received.is_none() && earlier.packet != visit.packet => {
                earlier.events.extend(visit.events);
                earlier.sent.extend(visit.sent);
                earlier.dropped = earlier.dropped.or(visit.dropped);
            }
            Some(_) | None => joined.push(visit),
        }
    }
    joined
}

impl Visit {
    fn begin(node: NodeId, packet: PacketId, at: Instant) -> Self {
        Visit { node, packet, at, received: None, events: Vec::new(), sent: Vec::new(), dropped: None }
    }

    fn add(&mut self, id: EventId, kind: Kind) {
        match kind {
            Kind::Received { .. } => self.received = Some(id),
            Kind::Sent { .. } => self.sent.push(id),
            Kind::Dropped => self.dropped = Some(id),
            _ => self.events.push(id),
        }
    }

    fn first_event(&self) -> EventId {
        let all = self.received.iter().chain(&self.events).chain(&self.sent).chain(&self.dropped);
        all.copied().min().unwrap_or(EventId::NONE)
    }
}
