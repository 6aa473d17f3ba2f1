//! The engine: takes what is due next from the queue and gives it to the node concerned.
//!
//! ```text
//!            ┌─ Act ────► deed ───────────────┐
//!   queue ───┼─ Arrive ─► link ─► receive ────┼─► outbox ─► links ─► queue
//!            └─ Wake ───► wake ───────────────┘   next_wake ───────► queue
//! ```
//! One event per packet-hop; at most one pending wake per node. Frames that leave and arrive are written to the trace
//! here, so nodes never do.

use super::action::{Action, Cut, Deed};
use super::link::{Carried, Link, LinkSettings};
use super::node::{Cx, Node, Outbox, Pool};
use super::topology::Topology;
use crate::base::id::{EventId, NodeId, PacketId, PortId};
use crate::base::queue::{Class, Entity, Queue};
use crate::base::rng::Stream;
use crate::base::time::Instant;
use crate::trace::recorder::{Change, Context, Counters, Tap};
use crate::trace::{Cast, Digest, Level, NodeCard, PortCard, Recorder, Stage, Trace, Why};
use crate::wire::frame::Frame;
use std::any::Any;

/// A world that is about to run. The loader has checked it.
pub struct Plan {
    /// The number that all chance of the run depends on.
    pub seed: u64,
    /// How much is recorded.
    pub level: Level,
    /// The nodes in file order, as readers show them, and their bodies.
    pub nodes: Vec<(NodeCard, Box<dyn Node>)>,
    /// The ports in file order; those of a node are consecutive. The engine sets `peer` from the cables.
    pub ports: Vec<PortCard>,
    /// The cables: two ports and what the cable is like.
    pub cables: Vec<(PortId, PortId, LinkSettings)>,
    /// The script. A deed's number is its position here; deeds of one instant happen in this order. Every node is
    /// booted at t = 0 in file order before the first deed.
    pub deeds: Vec<(Instant, Deed)>,
    /// When the run ends.
    pub until: Instant,
}

/// Why the engine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The time asked for was reached.
    Until,
    /// Nothing is pending, nor ever will be.
    Quiet,
    /// More than a million things happened at one instant; this node had the last.
    Livelock {
        /// The node.
        node: NodeId,
        /// The instant.
        at: Instant,
    },
    /// The trace is full ([`Recorder::is_full`]).
    TraceFull {
        /// When.
        at: Instant,
    },
}

/// A world that runs.
pub struct Sim {
    now: Instant,
    until: Instant,
    queue: Queue,
    nodes: Vec<Slot>,
    /// The link that leaves each port; none if no cable is at it.
    links: Vec<Option<Link>>,
    owners: Vec<NodeId>,
    deeds: Vec<(Instant, u32, Deed)>,
    next_deed: usize,
    cuts: u32,
    booted: bool,
    same_instant: u32,
    topology: Topology,
    pen: Recorder,
    pool: Pool,
    out: Outbox,
}

struct Slot {
    node: Box<dyn Node>,
    chance: Stream,
}

const SAME_INSTANT_MAX: u32 = 1_000_000;

impl Sim {
    /// A world at t = 0, before anything has happened.
    ///
    /// # Panics
    /// If the plan is not sound: a port with two cables, a port of no node.
    pub fn new(plan: Plan) -> Sim {
        let Plan { seed, level, nodes, mut ports, cables, deeds, until } = plan;
        let (cards, bodies): (Vec<NodeCard>, Vec<Box<dyn Node>>) = nodes.into_iter().unzip();
        for (a, b, _) in &cables {
            for (port, peer) in [(*a, *b), (*b, *a)] {
                let before = ports[port.index()].peer.replace(peer);
                assert!(before.is_none_or(|before| before == peer), "a port has one cable");
            }
        }
        let mut cast = Cast { nodes: cards, ports, deeds: Vec::new() };
        cast.deeds = deeds.iter().map(|(_, deed)| deed.said(&cast).into()).collect();
        let mut links: Vec<Option<Link>> = cast.ports.iter().map(|_| None).collect();
        for (a, b, settings) in cables {
            for (port, far) in [(a, b), (b, a)] {
                let card = &cast.ports[port.index()];
                let name = format!("link/{}:{}", cast.nodes[card.node.index()].name, card.name);
                links[port.index()] = Some(Link::new(far, settings, Stream::named(seed, &name)));
            }
        }
        let nodes = cast
            .nodes
            .iter()
            .zip(bodies)
            .map(|(card, node)| Slot { node, chance: Stream::named(seed, &format!("node/{}", card.name)) })
            .collect();
        let mut deeds: Vec<_> =
            deeds.into_iter().enumerate().map(|(position, (at, deed))| (at, position as u32, deed)).collect();
        deeds.sort_by_key(|(at, position, _)| (*at, *position));
        Sim {
            now: Instant::ZERO,
            until,
            queue: Queue::default(),
            nodes,
            links,
            owners: cast.ports.iter().map(|card| card.node).collect(),
            deeds,
            next_deed: 0,
            cuts: 0,
            booted: false,
            same_instant: 0,
            topology: Topology::of(&cast),
            pen: Recorder::new(level, cast),
            pool: Pool::default(),
            out: Outbox::default(),
        }
    }

    /// Runs to the end of the plan.
    pub fn run(&mut self) -> Stopped {
        self.run_until(self.until)
    }

    /// Runs everything that is due up to and including `until`; the time is then `until`.
    pub fn run_until(&mut self, until: Instant) -> Stopped {
        loop {
            match self.step_until(until) {
                None => {}
                Some(Stopped::Until | Stopped::Quiet) if self.now < until => {
                    self.now = until;
                    return if self.queue.is_empty() { Stopped::Quiet } else { Stopped::Until };
                }
                Some(stopped) => return stopped,
            }
        }
    }

    /// Does the next thing that is due before the plan's end; none if it was done, else why not.
    pub fn step(&mut self) -> Option<Stopped> {
        self.step_until(self.until)
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When the plan ends.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// What was recorded so far.
    pub fn trace(&self) -> &Trace {
        self.pen.trace()
    }

    /// What was recorded, at the end. Lines that still run keep what they have printed so far.
    pub fn into_trace(mut self) -> Trace {
        for (line, stdout, stderr) in self.nodes.iter_mut().flat_map(|slot| slot.node.screens()) {
            self.pen.keep_screen(line, stdout, stderr);
        }
        self.pen.into_trace()
    }

    /// The digest so far; none at level counters.
    pub fn digest(&self) -> Option<Digest> {
        self.pen.digest()
    }

    /// The counts so far.
    pub fn counters(&self) -> Counters {
        self.pen.counters()
    }

    /// Lets `tap` see every frame delivered from here on.
    pub fn set_tap(&mut self, tap: Box<dyn Tap>) {
        self.pen.set_tap(tap);
    }

    /// Gives the tap back, if it is a `T`.
    pub fn take_tap<T: Tap>(&mut self) -> Option<Box<T>> {
        self.pen.take_tap()
    }

    /// What is cabled to what.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// How many frames are queued or under way on all cables.
    pub fn under_way(&self) -> usize {
        self.links.iter().flatten().map(Link::under_way).sum()
    }

    /// Looks into a node, if it is a `T`. For tests and for what is typed at a terminal; outputs read the trace.
    pub fn node<T: Node>(&self, id: NodeId) -> Option<&T> {
        let node: &dyn Any = &*self.nodes[id.index()].node;
        node.downcast_ref()
    }

    /// Looks into a node to take something out of it.
    pub fn node_mut<T: Node>(&mut self, id: NodeId) -> Option<&mut T> {
        let node: &mut dyn Any = &mut *self.nodes[id.index()].node;
        node.downcast_mut()
    }

    fn step_until(&mut self, until: Instant) -> Option<Stopped> {
        if !self.booted {
            self.boot();
            return None;
        }
        let Some((at, entity)) = self.queue.due(until) else {
            return Some(if self.queue.is_empty() { Stopped::Quiet } else { Stopped::Until });
        };
        if at > self.now {
            self.now = at;
            self.same_instant = 0;
        }
        self.same_instant += 1;
        match entity.class {
            Class::Act => self.act(),
            Class::Arrive => self.arrive(PortId(entity.index)),
            Class::Wake => self.wake(NodeId(entity.index)),
        }
        if self.same_instant > SAME_INSTANT_MAX {
            return Some(Stopped::Livelock { node: self.pen.step().node, at });
        }
        self.pen.is_full().then_some(Stopped::TraceFull { at })
    }

    /// Every node starts, in file order; a port without a cable has no signal from the beginning.
    fn boot(&mut self) {
        self.booted = true;
        for port in (0..self.links.len() as u32).map(PortId) {
            if self.links[port.index()].is_none() {
                self.tell(self.owners[port.index()], &Action::Carrier { port, up: false }, EventId::NONE);
            }
        }
        for node in (0..self.nodes.len() as u32).map(NodeId) {
            self.tell(node, &Action::Boot, EventId::NONE);
        }
        self.arm_next_deed();
    }

    fn arrive(&mut self, leaving: PortId) {
        let link = self.links[leaving.index()].as_mut().expect("only a link's direction is armed for arrivals");
        let port = link.far;
        let (mut frame, next) = link.arrive();
        self.queue.arm(Entity { class: Class::Arrive, index: leaving.0 }, next);
        let node = self.owners[port.index()];
        self.pen.begin_step(self.now, node);
        let cause = self.pen.received(port, frame.buffer_mut());
        let packet = frame.buffer().packet;
        self.turn(node, cause, packet, |body, out, cx| body.receive(port, frame, out, cx));
    }

    fn wake(&mut self, node: NodeId) {
        self.pen.begin_step(self.now, node);
        self.turn(node, EventId::NONE, PacketId::NONE, |body, out, cx| body.wake(out, cx));
    }

    fn tell(&mut self, node: NodeId, action: &Action, cause: EventId) {
        self.pen.begin_step(self.now, node);
        self.turn(node, cause, PacketId::NONE, |body, out, cx| body.act(action, out, cx));
    }

    /// One call of one node: then its frames go to the links, and the queue learns when it wants to wake.
    fn turn(
        &mut self,
        id: NodeId,
        cause: EventId,
        packet: PacketId,
        call: impl FnOnce(&mut dyn Node, &mut Outbox, &mut Cx),
    ) {
        let slot = &mut self.nodes[id.index()];
        let mut cx = Cx {
            now: self.now,
            node: id,
            rng: &mut slot.chance,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause,
            packet,
            stage: Stage::Wire,
        };
        call(&mut *slot.node, &mut self.out, &mut cx);
        let wake_at = slot.node.next_wake().map_or(Instant::NEVER, |at| at.max(self.now));
        self.queue.arm(Entity { class: Class::Wake, index: id.0 }, wake_at);
        for (port, mut frame) in self.out.drain() {
            assert!(self.owners[port.index()] == id, "a node sends by its own ports");
            let buffer = frame.buffer_mut();
            let context = Context { cause: buffer.cause, packet: buffer.packet, stage: Stage::Wire };
            self.pen.sent(port, buffer, context);
            let Some(link) = &mut self.links[port.index()] else {
                lose(&mut self.pen, &mut self.pool, frame, Why::LinkDown);
                continue;
            };
            match link.carry(frame, self.now) {
                Carried::Next(at) => self.queue.arm(Entity { class: Class::Arrive, index: port.0 }, at),
                Carried::Behind => {}
                Carried::Lost(frame, why) => lose(&mut self.pen, &mut self.pool, frame, why),
            }
        }
    }

    fn act(&mut self) {
        let (_, position, deed) = self.deeds[self.next_deed].clone();
        self.queue.arm(Entity { class: Class::Act, index: position }, Instant::NEVER);
        self.next_deed += 1;
        self.arm_next_deed();
        self.pen.begin_step(self.now, self.place_of(&deed));
        let context = Context { cause: EventId::NONE, packet: PacketId::NONE, stage: Stage::Wire };
        let cause = self.pen.changed(Change::Acted(position), context);
        match deed {
            Deed::To(node, action) => self.tell(node, &action, cause),
            Deed::Unplug(port) => self.signal(port, false, cause),
            Deed::Plug(port) => self.signal(port, true, cause),
            Deed::SetLink(port, change) => {
                let far = self.links[port.index()].as_ref().map(|link| link.far);
                for port in [Some(port), far].into_iter().flatten() {
                    if let Some(link) = &mut self.links[port.index()] {
                        link.set(link.settings().changed(change));
                    }
                }
            }
            Deed::Cut { switch, from, to, packet } => {
                let cut = Cut {
                    number: self.cuts,
                    from: from.map(|nodes| self.ports_towards(switch, &nodes)),
                    to: to.map(|nodes| self.ports_towards(switch, &nodes)),
                    packet,
                };
                self.cuts += 1;
                self.tell(switch, &Action::Cut(cut), cause);
            }
            Deed::Heal { switch } => self.tell(switch, &Action::Heal, cause),
        }
    }

    /// The signal of a cable comes or goes: at both ends, and both nodes are told.
    fn signal(&mut self, port: PortId, up: bool, cause: EventId) {
        let Some(far) = self.links[port.index()].as_ref().map(|link| link.far) else { return };
        let ends = [port, far];
        let has_signal = self.links[port.index()].as_ref().is_some_and(Link::carrier);
        if has_signal == up {
            return;
        }
        for port in ends {
            self.pen.begin_step(self.now, self.owners[port.index()]);
            let link = self.links[port.index()].as_mut().expect("both ends of a cable have a link");
            if up {
                link.plug();
                continue;
            }
            self.queue.arm(Entity { class: Class::Arrive, index: port.0 }, Instant::NEVER);
            for frame in link.unplug() {
                lose(&mut self.pen, &mut self.pool, frame, Why::LinkDown);
            }
        }
        for port in ends {
            self.tell(self.owners[port.index()], &Action::Carrier { port, up }, cause);
        }
    }

    fn arm_next_deed(&mut self) {
        if let Some((at, position, _)) = self.deeds.get(self.next_deed) {
            self.queue.arm(Entity { class: Class::Act, index: *position }, (*at).max(self.now));
        }
    }

    fn place_of(&self, deed: &Deed) -> NodeId {
        match deed {
            Deed::To(node, _) | Deed::Cut { switch: node, .. } | Deed::Heal { switch: node } => *node,
            Deed::Unplug(port) | Deed::Plug(port) | Deed::SetLink(port, _) => self.owners[port.index()],
        }
    }

    fn ports_towards(&self, switch: NodeId, nodes: &[NodeId]) -> Vec<PortId> {
        nodes.iter().filter_map(|node| self.topology.port_towards(switch, *node)).collect()
    }
}

/// A frame ends on a cable.
fn lose(pen: &mut Recorder, pool: &mut Pool, frame: Frame, why: Why) {
    let buffer = frame.into_buffer();
    pen.dropped(why, Context { cause: buffer.cause, packet: buffer.packet, stage: Stage::Wire });
    pool.give(buffer);
}
