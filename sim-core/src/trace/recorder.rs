//! The pen of the trace: what the engine and the nodes write with. It decides by the level what is kept; the writers
//! cannot tell the difference.
//!
//! | level | kept |
//! |---|---|
//! | counters | counts of frames, hops and drops only |
//! | frames | one event and the head of the frame per hop, drops with their reason, commands and requests |
//! | everything | all events, whole frames |

use super::claims::Claims;
use super::digest::{Digest, Running, fingerprint, head_length};
use super::record::{
    AddressRecord, ChainCountRecord, ChainRecord, CheckRecord, CommandRecord, ConnRecord, EchoRecord, Evidence,
    FdbRecord, HealthRecord, InterfaceRecord, LogRecord, NeighbourRecord, PowerRecord, ProcessRecord, QuorumRecord,
    RequestRecord, RouteRecord, RoutingRuleRecord, RuleCountRecord, RuleRecord, ServedRecord, ServerRecord,
    ServiceRecord, SysctlRecord, TrackedRecord, VrrpRecord,
};
use super::why::{ConflictId, EvidenceId};
use super::{Cast, Event, Kind, Span, Stage, Step, Trace, Why};
use crate::base::id::{BytesId, EventId, NodeId, PacketId, PortId};
use crate::base::time::Instant;
use crate::wire::frame::{Buffer, Tail};
use std::any::Any;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Counts only.
    Counters,
    /// A record and the head of the frame per hop.
    Frames,
    /// Every event, every byte.
    Everything,
}

/// Counts that every level keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that left a port of a host or switch.
    pub frames_sent: u64,
    /// Frames delivered at the far end of a link.
    pub packet_hops: u64,
    /// Packets that were dropped.
    pub drops: u64,
    /// Events that happened, kept or not.
    pub events: u64,
}

const ARENA_MAX: usize = 2 << 30;
const EVENTS_MAX: usize = 64 << 20;

/// Writes the trace.
pub struct Recorder {
    level: Level,
    trace: Trace,
    counters: Counters,
    step: Step,
    step_is_written: bool,
    next_packet: u32,
    digest: Running,
    claims: Claims,
    tap: Option<Box<dyn Tap>>,
}

/// Sees every frame when it is delivered, whole, at any level: a capture that is written while the run goes on.
pub trait Tap: Any {
    /// A frame came in by `port`.
    fn frame(&mut self, at: Instant, port: PortId, bytes: &[u8]);
}

/// The circumstances of an event, which the writer's `Cx` carries.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// What led to it.
    pub cause: EventId,
    /// The packet in hand.
    pub packet: PacketId,
    /// Where in the node.
    pub stage: Stage,
}

impl Recorder {
    /// A pen for a run with this cast.
    pub fn new(level: Level, cast: Cast) -> Self {
        let claims = if level == Level::Everything { Claims::new(&cast) } else { Claims::default() };
        Recorder {
            level,
            claims,
            trace: Trace { cast, ..Trace::default() },
            counters: Counters::default(),
            step: Step { at: Instant::ZERO, node: NodeId(0) },
            step_is_written: false,
            next_packet: 0,
            digest: Running::default(),
            tap: None,
        }
    }

    /// How much is kept.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Lets `tap` see every frame delivered from here on.
    pub fn set_tap(&mut self, tap: Box<dyn Tap>) {
        self.tap = Some(tap);
    }

    /// Gives the tap back, if it is a `T`.
    pub fn take_tap<T: Tap>(&mut self) -> Option<Box<T>> {
        let tap: Box<dyn Any> = self.tap.take()?;
        tap.downcast().ok()
    }

    /// The counts so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The digest of the run so far: every frame delivered and every command's output. None at level counters.
    pub fn digest(&self) -> Option<Digest> {
        (self.level >= Level::Frames).then(|| self.digest.value())
    }

    /// What was recorded so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What was recorded, at the end.
    pub fn into_trace(self) -> Trace {
        self.trace
    }

    /// What a line has printed that has not ended. It is no event: nothing happened, the run is over.
    pub fn keep_screen(&mut self, line: u32, stdout: String, stderr: String) {
        if let Some(record) = self.trace.commands.get_mut(line as usize).filter(|record| record.ended.is_none()) {
            (record.stdout, record.stderr) = (stdout, stderr);
        }
    }

    /// Begins a turn of the engine; the step is written with its first event.
    pub fn begin_step(&mut self, at: Instant, node: NodeId) {
        self.step = Step { at, node };
        self.step_is_written = false;
    }

    /// The turn that is being written.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether the bounds of the trace are reached: 2 GiB of frame bytes or 64 Mi events. The run is then to end.
    pub fn is_full(&self) -> bool {
        self.trace.arena.len() > ARENA_MAX || self.trace.events.len() > EVENTS_MAX
    }

    /// A new packet, which came from `parent` (`PacketId::NONE`: from a socket or a program).
    pub fn new_packet(&mut self, parent: PacketId) -> PacketId {
        let id = PacketId(self.next_packet);
        self.next_packet += 1;
        if self.level == Level::Everything {
            self.trace.parents.push(parent);
        }
        id
    }

    /// A decision. Kept at level everything.
    pub fn decided(&mut self, why: Why, context: Context) -> EventId {
        self.counters.events += 1;
        if self.level < Level::Everything {
            return context.cause;
        }
        self.claims.silent(self.step.node, why);
        self.write(Kind::Decided(why), context)
    }

    /// A packet ended here, for this reason. Kept at level frames and above.
    pub fn dropped(&mut self, why: Why, context: Context) -> EventId {
        self.counters.events += 2;
        self.counters.drops += 1;
        if self.level < Level::Frames {
            return context.cause;
        }
        self.claims.silent(self.step.node, why);
        let cause = self.write(Kind::Decided(why), context);
        self.write(Kind::Dropped, Context { cause, ..context })
    }

    /// A frame leaves by `port`. Kept at level everything; the frame's ids are then brought up to date.
    pub fn sent(&mut self, port: PortId, buffer: &mut Buffer, context: Context) -> EventId {
        self.counters.frames_sent += 1;
        self.counters.events += 1;
        if self.level < Level::Everything {
            return context.cause;
        }
        let mut context = Context { packet: buffer.packet, ..context };
        if let Some(conflict) = self.claims.sent(&self.trace.cast, self.step.at, port, buffer.bytes()) {
            self.trace.conflicts.push(conflict);
            let conflict = ConflictId(self.trace.conflicts.len() as u32 - 1);
            context.cause = self.decided(Why::ArpConflict { conflict }, context);
        }
        let length = buffer.bytes().len() as u32;
        let bytes = self.keep(buffer);
        let event = self.write(Kind::Sent { port, bytes, length }, context);
        self.number(event, port);
        buffer.cause = event;
        event
    }

    /// A frame came in by `port`. Kept at level frames and above; the frame's ids are then brought up to date.
    pub fn received(&mut self, port: PortId, buffer: &mut Buffer) -> EventId {
        self.counters.packet_hops += 1;
        self.counters.events += 1;
        if let Some(tap) = &mut self.tap {
            tap.frame(self.step.at, port, buffer.bytes());
        }
        if self.level < Level::Frames {
            return EventId::NONE;
        }
        self.digest.frame(self.step.at, port, fingerprint(buffer));
        let length = buffer.bytes().len() as u32;
        let bytes = self.keep(buffer);
        let context = Context { cause: buffer.cause, packet: buffer.packet, stage: Stage::Wire };
        let event = self.write(Kind::Received { port, bytes, length }, context);
        self.number(event, port);
        buffer.cause = event;
        event
    }

    /// Grounds of a scheduler, to be named by a [`Why`]. Index 0 at lower levels, where nobody reads it.
    pub fn evidence(&mut self, evidence: Evidence) -> EvidenceId {
        if self.level < Level::Everything {
            return EvidenceId(0);
        }
        self.trace.evidence.push(evidence);
        EvidenceId(self.trace.evidence.len() as u32 - 1)
    }

    /// A table or a program has a new value. Kept at level everything; commands and requests at frames too.
    pub fn changed(&mut self, change: Change, context: Context) -> EventId {
        self.counters.events += 1;
        let least = match change {
            Change::CommandStarted(_)
            | Change::CommandEnded(..)
            | Change::RequestStarted(_)
            | Change::RequestEnded(..)
            | Change::EchoAsked(_)
            | Change::EchoAnswered(..)
            | Change::Served(_)
            | Change::Acted(_) => Level::Frames,
            _ => Level::Everything,
        };
        let always = matches!(
            change,
            Change::CommandStarted(_) | Change::CommandEnded(..) | Change::RequestStarted(_) | Change::RequestEnded(..)
        );
        if self.level < least && !always {
            return context.cause;
        }
        if let Change::Address(record) = &change {
            self.claims.address(record);
        }
        let trace = &mut self.trace;
        let kind = match change {
            Change::Interface(record) => Kind::Interface(push(&mut trace.interfaces, record)),
            Change::Address(record) => Kind::Address(push(&mut trace.addresses, record)),
            Change::Route(record) => Kind::Route(push(&mut trace.routes, record)),
            Change::Neighbour(record) => Kind::Neighbour(push(&mut trace.neighbours, record)),
            Change::Fdb(record) => Kind::Fdb(push(&mut trace.fdb, record)),
            Change::Service(record) => Kind::Service(push(&mut trace.services, record)),
            Change::Server(record) => Kind::Server(push(&mut trace.servers, record)),
            Change::Connection(record) => Kind::Connection(push(&mut trace.connections, record)),
            Change::Sysctl(record) => Kind::Sysctl(push(&mut trace.sysctls, record)),
            Change::Vrrp(record) => Kind::Vrrp(push(&mut trace.vrrp, record)),
            Change::Check(record) => Kind::Check(push(&mut trace.checks, record)),
            Change::Health(record) => Kind::Health(push(&mut trace.health, record)),
            Change::Quorum(record) => Kind::Quorum(push(&mut trace.quorums, record)),
            Change::Power(record) => Kind::Power(push(&mut trace.powers, record)),
            Change::RoutingRule(record) => Kind::RoutingRule(push(&mut trace.routing_rules, record)),
            Change::Process(record) => Kind::Process(push(&mut trace.processes, record)),
            Change::Chain(record) => Kind::Chain(push(&mut trace.chains, record)),
            Change::Rule(record) => Kind::Rule(push(&mut trace.rules, record)),
            Change::ChainCount(record) => Kind::ChainCount(push(&mut trace.chain_counts, record)),
            Change::RuleCount(record) => Kind::RuleCount(push(&mut trace.rule_counts, record)),
            Change::Tracked(record) => Kind::Tracked(push(&mut trace.tracked, record)),
            Change::Log(record) => Kind::Log(push(&mut trace.logs, record)),
            Change::CommandStarted(record) => Kind::CommandStarted(push(&mut trace.commands, record)),
            Change::CommandEnded(index, record) => {
                self.digest.command(self.step.at, &record);
                trace.commands[index as usize] = record;
                Kind::CommandEnded(index)
            }
            Change::RequestStarted(record) => Kind::RequestStarted(push(&mut trace.requests, record)),
            Change::RequestEnded(index, record) => {
                trace.requests[index as usize] = record;
                Kind::RequestEnded(index)
            }
            Change::EchoAsked(record) => Kind::EchoAsked(push(&mut trace.echoes, record)),
            Change::EchoAnswered(index, at) => {
                if let Some(echo) = trace.echoes.get_mut(index as usize) {
                    echo.answered = Some(at);
                }
                Kind::EchoAnswered(index)
            }
            Change::Served(record) => Kind::Served(push(&mut trace.served, record)),
            Change::Acted(position) => Kind::Acted(position),
        };
        if self.level < Level::Frames {
            return context.cause;
        }
        self.write(kind, context)
    }

    /// The index that the next `CommandStarted` gets.
    pub fn next_command(&self) -> u32 {
        self.trace.commands.len() as u32
    }

    /// The index that the next `RequestStarted` gets.
    pub fn next_request(&self) -> u32 {
        self.trace.requests.len() as u32
    }

    /// The index that the next `EchoAsked` gets.
    pub fn next_echo(&self) -> u32 {
        self.trace.echoes.len() as u32
    }

    fn write(&mut self, kind: Kind, context: Context) -> EventId {
        if !self.step_is_written {
            self.trace.steps.push(self.step);
            self.step_is_written = true;
        }
        let id = EventId(self.trace.events.len() as u32);
        let step = self.trace.steps.len() as u32 - 1;
        self.trace.events.push(Event {
            step,
            cause: context.cause,
            packet: context.packet,
            stage: context.stage,
            kind,
        });
        id
    }

    /// Gives a frame its number in the capture, unless it is at a switch's port.
    fn number(&mut self, event: EventId, port: PortId) {
        let cast = &self.trace.cast;
        let owner = cast.ports.get(port.index()).and_then(|card| cast.nodes.get(card.node.index()));
        if owner.is_none_or(|owner| !owner.is_switch) {
            self.trace.frames.push(event);
        }
    }

    /// Keeps the bytes of a frame, unless exactly these are kept already.
    fn keep(&mut self, buffer: &mut Buffer) -> BytesId {
        if buffer.kept.is_some() {
            return buffer.kept;
        }
        let length = buffer.bytes().len();
        let split = head_length(buffer.bytes());
        let tail_length = length - split;
        let arena = &mut self.trace.arena;
        let head = arena.len() as u32;
        arena.extend_from_slice(&buffer.bytes()[..split]);
        let mut tail = None;
        if self.level == Level::Everything && tail_length > 0 {
            if buffer.tail.length as usize != tail_length {
                buffer.tail = Tail { length: tail_length as u32, ..Tail::UNKNOWN };
            }
            if buffer.tail.kept == Tail::NOT_KEPT {
                buffer.tail.kept = arena.len() as u32;
                arena.extend_from_slice(&buffer.bytes()[split..]);
            }
            tail = Some(buffer.tail.kept);
        }
        self.trace.spans.push(Span {
            head,
            head_length: split as u16,
            tail: tail.unwrap_or(0),
            tail_length: if tail.is_some() { tail_length as u16 } else { 0 },
        });
        buffer.kept = BytesId(self.trace.spans.len() as u32 - 1);
        buffer.kept
    }
}

/// What [`Recorder::changed`] writes: the new value. The numbers are indices that `next_command`, `next_request` or
/// `next_echo` gave.
#[derive(Clone, Debug)]
pub enum Change {
    /// An interface.
    Interface(InterfaceRecord),
    /// An address.
    Address(AddressRecord),
    /// A route.
    Route(RouteRecord),
    /// A neighbour entry.
    Neighbour(NeighbourRecord),
    /// A forwarding entry.
    Fdb(FdbRecord),
    /// A virtual service.
    Service(ServiceRecord),
    /// A real server.
    Server(ServerRecord),
    /// A connection.
    Connection(ConnRecord),
    /// A kernel setting.
    Sysctl(SysctlRecord),
    /// A virtual router has a new state.
    Vrrp(VrrpRecord),
    /// A checker looked at a real server.
    Check(CheckRecord),
    /// A real server is held for up or down.
    Health(HealthRecord),
    /// A virtual service has enough servers, or not.
    Quorum(QuorumRecord),
    /// A host was switched on or off, or stopped.
    Power(PowerRecord),
    /// A rule for routing.
    RoutingRule(RoutingRuleRecord),
    /// A process.
    Process(ProcessRecord),
    /// A chain of a filter.
    Chain(ChainRecord),
    /// A rule of a filter.
    Rule(RuleRecord),
    /// The policy of a chain was applied.
    ChainCount(ChainCountRecord),
    /// How often a rule of a filter was applied.
    RuleCount(RuleCountRecord),
    /// A flow that is remembered.
    Tracked(TrackedRecord),
    /// A log line.
    Log(LogRecord),
    /// A typed line begins.
    CommandStarted(CommandRecord),
    /// A typed line ended.
    CommandEnded(u32, CommandRecord),
    /// A request begins.
    RequestStarted(RequestRecord),
    /// A request ended.
    RequestEnded(u32, RequestRecord),
    /// A ping sent an echo request.
    EchoAsked(EchoRecord),
    /// The answer to an echo request came at this time.
    EchoAnswered(u32, Instant),
    /// A server program answered a request.
    Served(ServedRecord),
    /// An action of the script, by its position.
    Acted(u32),
}

fn push<T>(arena: &mut Vec<T>, record: T) -> u32 {
    arena.push(record);
    arena.len() as u32 - 1
}
