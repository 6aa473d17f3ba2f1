//! Floor 2: the trace, the one record of a run that every output reads.
//!
//! ```text
//!   world, nodes ── pen (Recorder) ──► Trace ──► explain, journey, moment, digest, filter ──► ladder, JSON, pcapng, screen
//! ```
//! What happened is a row of small [`Event`]s. An event knows its step (time and node), its cause, its packet and its
//! stage; what is larger than a few words stands in an arena and the event holds the index. Frame bytes stand once:
//! a hop that changes nothing reuses the span, a rewrite stores the new head only.

pub mod capture;
pub mod changes;
mod claims;
pub mod conversation;
pub mod digest;
pub mod dispute;
pub mod explain;
pub mod failover;
pub mod filter;
pub mod journey;
pub mod moment;
pub mod notes;
pub mod outage;
pub mod question;
pub mod record;
pub mod recorder;
#[cfg(feature = "saved")]
pub mod saved;
pub mod select;
pub mod served;
pub mod tables;
pub mod why;

pub use digest::Digest;
pub use recorder::{Level, Recorder};
pub use why::Why;

use crate::base::id::{BytesId, EventId, NodeId, PacketId, PortId};
use crate::base::time::Instant;
use record::{
    AddressRecord, ChainCountRecord, ChainRecord, CheckRecord, CommandRecord, ConflictRecord, ConnRecord, EchoRecord,
    Evidence, FdbRecord, HealthRecord, InterfaceRecord, LogRecord, NeighbourRecord, PowerRecord, ProcessRecord,
    QuorumRecord, RequestRecord, RouteRecord, RoutingRuleRecord, RuleCountRecord, RuleRecord, ServedRecord,
    ServerRecord, ServiceRecord, SysctlRecord, TrackedRecord, VrrpRecord,
};

/// Where in a node something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Stage {
    /// On the cable or at the NIC.
    #[default]
    Wire,
    /// In a switch.
    Switch,
    /// Checks of an arriving frame.
    Ingress,
    /// The ARP protocol and the neighbour table.
    Arp,
    /// Netfilter PREROUTING.
    Prerouting,
    /// The routing decision.
    Routing,
    /// Netfilter INPUT, and what takes packets there.
    Input,
    /// IPVS.
    Ipvs,
    /// Netfilter FORWARD.
    Forward,
    /// Netfilter OUTPUT.
    Output,
    /// Netfilter POSTROUTING.
    Postrouting,
    /// ICMP of this host.
    Icmp,
    /// Sockets.
    Socket,
    /// A process.
    Process,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Kind {
    /// A frame left by a port; the next number in the capture.
    Sent {
        /// The port.
        port: PortId,
        /// Its bytes.
        bytes: BytesId,
        /// Octets of the whole frame.
        length: u32,
    },
    /// A frame came in by a port; the next number in the capture.
    Received {
        /// The port.
        port: PortId,
        /// Its bytes.
        bytes: BytesId,
        /// Octets of the whole frame.
        length: u32,
    },
    /// A packet ended here; the decision is this event's cause.
    Dropped,
    /// Something was decided.
    Decided(Why),
    /// An interface has a new value.
    Interface(u32),
    /// An address came or went.
    Address(u32),
    /// A route came or went.
    Route(u32),
    /// A neighbour entry has a new value.
    Neighbour(u32),
    /// A switch's forwarding entry has a new value.
    Fdb(u32),
    /// A virtual service has a new value.
    Service(u32),
    /// A real server has a new value.
    Server(u32),
    /// A connection has a new value.
    Connection(u32),
    /// A kernel setting has a new value.
    Sysctl(u32),
    /// A virtual router has a new state.
    Vrrp(u32),
    /// A checker looked at a real server.
    Check(u32),
    /// A real server is held for up or down.
    Health(u32),
    /// A virtual service has enough servers, or not.
    Quorum(u32),
    /// A host was switched on or off, or stopped.
    Power(u32),
    /// A rule for routing came or went.
    RoutingRule(u32),
    /// A process has a new value.
    Process(u32),
    /// A chain of a filter has a new value.
    Chain(u32),
    /// A rule of a filter came or went.
    Rule(u32),
    /// The policy of a chain was applied.
    ChainCount(u32),
    /// A rule of a filter was applied.
    RuleCount(u32),
    /// A flow that is remembered has a new value.
    Tracked(u32),
    /// A log line.
    Log(u32),
    /// A typed line was started.
    CommandStarted(u32),
    /// A typed line ended.
    CommandEnded(u32),
    /// A request was started.
    RequestStarted(u32),
    /// A request was answered or failed.
    RequestEnded(u32),
    /// A ping sent an echo request.
    EchoAsked(u32),
    /// Its answer came.
    EchoAnswered(u32),
    /// A server program answered a request.
    Served(u32),
    /// An action of the script, by its position.
    Acted(u32),
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Event {
    /// Index into [`Trace::steps`]: when and where.
    pub step: u32,
    /// The event that led to this one.
    pub cause: EventId,
    /// The packet concerned.
    pub packet: PacketId,
    /// Where in the node.
    pub stage: Stage,
    /// What.
    pub kind: Kind,
}

/// One turn of the engine: a frame arrived, a node woke or an action happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Step {
    /// When.
    pub at: Instant,
    /// Where.
    pub node: NodeId,
}

/// Where the bytes of a frame are kept: its head (to the end of the transport header) and its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// Start of the head in the arena.
    pub head: u32,
    /// Octets of the head.
    pub head_length: u16,
    /// Octets of the payload that are kept.
    pub tail_length: u16,
    /// Start of the payload in the arena.
    pub tail: u32,
}

/// What the readers must know about the nodes that no event says: fixed for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Cast {
    /// The nodes, by [`NodeId`].
    pub nodes: Vec<NodeCard>,
    /// The ports, by [`PortId`].
    pub ports: Vec<PortCard>,
    /// What the script does, by its position: `unplug n1:eth0`. Empty for typed lines, which are commands.
    pub deeds: Vec<Box<str>>,
}

/// A node as a reader shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeCard {
    /// Its name in the scenario.
    pub name: Box<str>,
    /// `client`, `router`, `director`, `real server`, `host`, `switch`, `hub`.
    pub role: Box<str>,
    /// A switch or hub, not a host.
    pub is_switch: bool,
}

/// A port as a reader shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct PortCard {
    /// Its node.
    pub node: NodeId,
    /// `eth0`; for a switch, the name of what is at the other end.
    pub name: Box<str>,
    /// Its MAC (a host's).
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::maybe_mac"))]
    pub mac: Option<crate::wire::Mac>,
    /// The address its installer set (a host's).
    pub address: Option<ipnet::Ipv4Net>,
    /// The port at the other end of its cable.
    pub peer: Option<PortId>,
}

/// Everything that was recorded of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Trace {
    /// Who took part.
    pub cast: Cast,
    /// Time and place of the events, in order.
    pub steps: Vec<Step>,
    /// The events, in order; an [`EventId`] is an index.
    pub events: Vec<Event>,
    /// The events `Sent` and `Received` at hosts' network cards: frame No. n of the capture is `frames[n - 1]`.
    pub frames: Vec<EventId>,
    /// Which packet a packet came from (unwrapped, fragmented, answered), by [`PacketId`].
    pub parents: Vec<PacketId>,
    /// Bytes of frames.
    pub arena: Vec<u8>,
    /// Where in the arena, by [`BytesId`].
    pub spans: Vec<Span>,
    /// Grounds of schedulers.
    pub evidence: Vec<Evidence>,
    /// Claims of addresses that contradict others.
    pub conflicts: Vec<ConflictRecord>,
    /// New values of interfaces.
    pub interfaces: Vec<InterfaceRecord>,
    /// New values of addresses.
    pub addresses: Vec<AddressRecord>,
    /// New values of routes.
    pub routes: Vec<RouteRecord>,
    /// New values of neighbour entries.
    pub neighbours: Vec<NeighbourRecord>,
    /// New values of forwarding entries.
    pub fdb: Vec<FdbRecord>,
    /// New values of virtual services.
    pub services: Vec<ServiceRecord>,
    /// New values of real servers.
    pub servers: Vec<ServerRecord>,
    /// New values of connections.
    pub connections: Vec<ConnRecord>,
    /// New values of kernel settings.
    pub sysctls: Vec<SysctlRecord>,
    /// New states of virtual routers.
    pub vrrp: Vec<VrrpRecord>,
    /// Looks of checkers at real servers.
    pub checks: Vec<CheckRecord>,
    /// What real servers are held for.
    pub health: Vec<HealthRecord>,
    /// Whether virtual services have enough servers.
    pub quorums: Vec<QuorumRecord>,
    /// Hosts that were switched on or off, or stopped.
    pub powers: Vec<PowerRecord>,
    /// New values of rules for routing.
    pub routing_rules: Vec<RoutingRuleRecord>,
    /// New values of processes.
    pub processes: Vec<ProcessRecord>,
    /// New values of chains of filters.
    pub chains: Vec<ChainRecord>,
    /// New values of rules of filters.
    pub rules: Vec<RuleRecord>,
    /// How often policies of chains were applied.
    pub chain_counts: Vec<ChainCountRecord>,
    /// New counters of these rules.
    pub rule_counts: Vec<RuleCountRecord>,
    /// New values of flows that are remembered.
    pub tracked: Vec<TrackedRecord>,
    /// Log lines.
    pub logs: Vec<LogRecord>,
    /// Typed lines, in the order in which they were started.
    pub commands: Vec<CommandRecord>,
    /// Requests, in the order in which they were started: `r1` is the first.
    pub requests: Vec<RequestRecord>,
    /// Echo requests, in the order in which they were sent.
    pub echoes: Vec<EchoRecord>,
    /// Requests as the server programs saw them.
    pub served: Vec<ServedRecord>,
}

impl Trace {
    /// The event with this id.
    pub fn event(&self, id: EventId) -> &Event {
        &self.events[id.0 as usize]
    }

    /// When and where an event happened.
    pub fn step_of(&self, id: EventId) -> Step {
        self.steps[self.event(id).step as usize]
    }

    /// When an event happened.
    pub fn at(&self, id: EventId) -> Instant {
        self.step_of(id).at
    }

    /// The packet that `packet` came from, if any.
    pub fn parent(&self, packet: PacketId) -> Option<PacketId> {
        self.parents.get(packet.0 as usize).copied().filter(|parent| parent.is_some())
    }

    /// The bytes of a frame as far as they were kept, in two pieces: head and payload.
    pub fn bytes(&self, id: BytesId) -> (&[u8], &[u8]) {
        if !id.is_some() {
            return (&[], &[]);
        }
        let span = self.spans[id.0 as usize];
        let (head, tail) = (span.head as usize, span.tail as usize);
        (
            &self.arena[head..head + usize::from(span.head_length)],
            &self.arena[tail..tail + usize::from(span.tail_length)],
        )
    }

    /// `server4`.
    pub fn node_name(&self, node: NodeId) -> &str {
        &self.cast.nodes[node.index()].name
    }

    /// `server4:eth0`.
    pub fn port_name(&self, port: PortId) -> String {
        let card = &self.cast.ports[port.index()];
        format!("{}:{}", self.node_name(card.node), card.name)
    }
}

const _: () = assert!(size_of::<Event>() <= 32, "an event is at most 32 bytes");
