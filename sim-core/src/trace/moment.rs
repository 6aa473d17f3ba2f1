//! The tables of every node at any event, rebuilt from the changes that the trace holds. The live world is never asked.
//!
//! ```text
//!   changes   ──┼───┼──┼────┼──┼───┼──►      forwards: put the new record into its row
//!                          ▲                 back:     put the record before it there again
//!                        Tables              far away: copy the nearest keyframe and go on from there
//! ```
//! [`Tables`] are numbers only and may be kept beside their trace; [`Moment`] is the handy form for one question.

use super::changes::Changes;
use super::record::{
    AddressRecord, ConnRecord, FdbRecord, HealthRecord, InterfaceRecord, NeighbourRecord, QuorumRecord, RouteRecord,
    ServerRecord, ServiceKey, ServiceRecord, SysctlRecord, VrrpRecord,
};
use super::{Kind, Trace};
use crate::base::id::{EventId, IfaceId, NodeId};
use crate::base::time::Instant;
use crate::wire::Ipv4Addr;
use crate::wire::flow::{SocketAddr, Transport};
use std::collections::BTreeMap;

/// What names a connection: protocol, client, virtual address.
pub type ConnectionKey = (Option<Transport>, SocketAddr, SocketAddr);

/// All tables of all nodes after some changes, as numbers of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    nodes: Vec<Rows>,
    /// How many changes have been taken in.
    pub(super) taken: u32,
}

/// The tables of one node: for each row the number of its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rows {
    interfaces: BTreeMap<IfaceId, u32>,
    /// By the record with which the row appeared, so in the order in which they were added.
    addresses: BTreeMap<u32, u32>,
    routes: BTreeMap<u32, u32>,
    neighbours: BTreeMap<(IfaceId, Ipv4Addr), u32>,
    fdb: BTreeMap<[u8; 6], u32>,
    services: BTreeMap<ServiceKey, u32>,
    servers: BTreeMap<(ServiceKey, SocketAddr), u32>,
    connections: BTreeMap<ConnectionKey, u32>,
    sysctls: BTreeMap<u32, u32>,
    vrrp: BTreeMap<u32, u32>,
    health: BTreeMap<(ServiceKey, SocketAddr), u32>,
    quorums: BTreeMap<ServiceKey, u32>,
}

/// The tables of one node, each in a fixed order.
#[derive(Clone, Copy, Debug)]
pub struct NodeTables<'a> {
    trace: &'a Trace,
    rows: &'a Rows,
}

/// All tables of a trace after an event.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    trace: &'a Trace,
    changes: Changes,
    tables: Tables,
}

impl Tables {
    /// Before the first event.
    pub fn start(trace: &Trace) -> Self {
        Tables { nodes: vec![Rows::default(); trace.cast.nodes.len()], taken: 0 }
    }

    /// Goes to the moment after the event `id`, forwards or back. `changes` are those of `trace`.
    pub fn go_to(&mut self, trace: &Trace, changes: &Changes, id: EventId) {
        let target = changes.up_to(id);
        let far = self.taken.abs_diff(target);
        if far > JUMP_MIN {
            match changes.keyframe(target) {
                Some((at, tables)) if target - at < far => self.clone_from(tables),
                None if target < far => *self = Self::start(trace),
                Some(_) | None => {}
            }
        }
        while self.taken < target {
            let (kind, _) = changes.get(trace, self.taken);
            self.put(trace, changes, kind, false);
            self.taken += 1;
        }
        while self.taken > target {
            self.taken -= 1;
            let (kind, before) = changes.get(trace, self.taken);
            match before {
                Some(before) if is_present(trace, with_record(kind, before)) => {
                    self.put(trace, changes, with_record(kind, before), false);
                }
                Some(_) | None => self.put(trace, changes, kind, true),
            }
        }
    }

    /// The tables of a node.
    pub fn node<'a>(&'a self, trace: &'a Trace, node: NodeId) -> NodeTables<'a> {
        NodeTables { trace, rows: &self.nodes[node.index()] }
    }

    /// How many rows all tables have.
    pub fn rows(&self) -> usize {
        self.nodes.iter().map(Rows::count).sum()
    }

    /// Puts a record into its row; takes the row away if the record says so, or if `away`.
    pub(super) fn put(&mut self, trace: &Trace, changes: &Changes, kind: Kind, away: bool) {
        let nodes = &mut self.nodes;
        match kind {
            Kind::Interface(at) => {
                let record = &trace.interfaces[at as usize];
                set(&mut nodes[record.node.index()].interfaces, record.id, at, record.present && !away);
            }
            Kind::Address(at) => {
                let record = &trace.addresses[at as usize];
                let place = changes.addresses[at as usize];
                set(&mut nodes[record.node.index()].addresses, place, at, record.present && !away);
            }
            Kind::Route(at) => {
                let record = &trace.routes[at as usize];
                let place = changes.routes[at as usize];
                set(&mut nodes[record.node.index()].routes, place, at, record.present && !away);
            }
            Kind::Neighbour(at) => {
                let record = &trace.neighbours[at as usize];
                let key = (record.iface, record.address);
                set(&mut nodes[record.node.index()].neighbours, key, at, record.present && !away);
            }
            Kind::Fdb(at) => {
                let record = &trace.fdb[at as usize];
                set(&mut nodes[record.node.index()].fdb, record.mac.0, at, record.present && !away);
            }
            Kind::Service(at) => {
                let record = &trace.services[at as usize];
                set(&mut nodes[record.node.index()].services, record.key, at, record.present && !away);
            }
            Kind::Server(at) => {
                let record = &trace.servers[at as usize];
                let key = (record.service, record.server);
                set(&mut nodes[record.node.index()].servers, key, at, record.present && !away);
            }
            Kind::Connection(at) => {
                let record = &trace.connections[at as usize];
                let key = (record.transport, record.client, record.virtual_);
                set(&mut nodes[record.node.index()].connections, key, at, record.present && !away);
            }
            Kind::Sysctl(at) => {
                let record = &trace.sysctls[at as usize];
                let place = changes.sysctls[at as usize];
                set(&mut nodes[record.node.index()].sysctls, place, at, !away);
            }
            Kind::Vrrp(at) => {
                let record = &trace.vrrp[at as usize];
                let place = changes.vrrp[at as usize];
                set(&mut nodes[record.node.index()].vrrp, place, at, record.present && !away);
            }
            Kind::Health(at) => {
                let record = &trace.health[at as usize];
                let key = (record.service, record.server);
                set(&mut nodes[record.node.index()].health, key, at, record.present && !away);
            }
            Kind::Quorum(at) => {
                let record = &trace.quorums[at as usize];
                set(&mut nodes[record.node.index()].quorums, record.service, at, record.present && !away);
            }
            Kind::Sent { .. }
            | Kind::Received { .. }
            | Kind::Dropped
            | Kind::Decided(_)
            | Kind::Check(_)
            | Kind::Log(_)
            | Kind::CommandStarted(_)
            | Kind::CommandEnded(_)
            | Kind::RequestStarted(_)
            | Kind::RequestEnded(_)
            | Kind::EchoAsked(_)
            | Kind::EchoAnswered(_)
            | Kind::Served(_)
            | Kind::Acted(_) => {}
        }
    }
}

/// Nearer than this no keyframe is looked for.
const JUMP_MIN: u32 = 1024;

impl Rows {
    fn count(&self) -> usize {
        let hosts = self.interfaces.len() + self.addresses.len() + self.routes.len() + self.neighbours.len();
        let ipvs = self.services.len() + self.servers.len() + self.connections.len();
        let daemons = self.vrrp.len() + self.health.len() + self.quorums.len();
        hosts + ipvs + daemons + self.fdb.len() + self.sysctls.len()
    }
}

/// The same kind of change with another record.
fn with_record(kind: Kind, record: u32) -> Kind {
    match kind {
        Kind::Interface(_) => Kind::Interface(record),
        Kind::Address(_) => Kind::Address(record),
        Kind::Route(_) => Kind::Route(record),
        Kind::Neighbour(_) => Kind::Neighbour(record),
        Kind::Fdb(_) => Kind::Fdb(record),
        Kind::Service(_) => Kind::Service(record),
        Kind::Server(_) => Kind::Server(record),
        Kind::Connection(_) => Kind::Connection(record),
        Kind::Sysctl(_) => Kind::Sysctl(record),
        Kind::Vrrp(_) => Kind::Vrrp(record),
        Kind::Health(_) => Kind::Health(record),
        Kind::Quorum(_) => Kind::Quorum(record),
        other => other,
    }
}

/// Whether the record of a change says that the row is there.
fn is_present(trace: &Trace, kind: Kind) -> bool {
    match kind {
        Kind::Interface(at) => trace.interfaces[at as usize].present,
        Kind::Address(at) => trace.addresses[at as usize].present,
        Kind::Route(at) => trace.routes[at as usize].present,
        Kind::Neighbour(at) => trace.neighbours[at as usize].present,
        Kind::Fdb(at) => trace.fdb[at as usize].present,
        Kind::Service(at) => trace.services[at as usize].present,
        Kind::Server(at) => trace.servers[at as usize].present,
        Kind::Connection(at) => trace.connections[at as usize].present,
        Kind::Vrrp(at) => trace.vrrp[at as usize].present,
        Kind::Health(at) => trace.health[at as usize].present,
        Kind::Quorum(at) => trace.quorums[at as usize].present,
        _ => true,
    }
}

fn set<K: Ord>(table: &mut BTreeMap<K, u32>, key: K, record: u32, present: bool) {
    if present {
        table.insert(key, record);
    } else {
        table.remove(&key);
    }
}

impl<'a> NodeTables<'a> {
    /// Interfaces, by index.
    pub fn interfaces(self) -> impl Iterator<Item = &'a InterfaceRecord> {
        self.rows.interfaces.values().map(move |at| &self.trace.interfaces[*at as usize])
    }

    /// Addresses, in the order in which they were added.
    pub fn addresses(self) -> impl Iterator<Item = &'a AddressRecord> {
        self.rows.addresses.values().map(move |at| &self.trace.addresses[*at as usize])
    }

    /// Routes, in the order in which they were added.
    pub fn routes(self) -> impl Iterator<Item = &'a RouteRecord> {
        self.rows.routes.values().map(move |at| &self.trace.routes[*at as usize])
    }

    /// Neighbours, by interface and address.
    pub fn neighbours(self) -> impl Iterator<Item = &'a NeighbourRecord> {
        self.rows.neighbours.values().map(move |at| &self.trace.neighbours[*at as usize])
    }

    /// Forwarding entries of a switch, by MAC.
    pub fn fdb(self) -> impl Iterator<Item = &'a FdbRecord> {
        self.rows.fdb.values().map(move |at| &self.trace.fdb[*at as usize])
    }

    /// Virtual services.
    pub fn services(self) -> impl Iterator<Item = &'a ServiceRecord> {
        self.rows.services.values().map(move |at| &self.trace.services[*at as usize])
    }

    /// Real servers of all services.
    pub fn servers(self) -> impl Iterator<Item = &'a ServerRecord> {
        self.rows.servers.values().map(move |at| &self.trace.servers[*at as usize])
    }

    /// Connections, by protocol, client and virtual address.
    pub fn connections(self) -> impl Iterator<Item = &'a ConnRecord> {
        self.rows.connections.values().map(move |at| &self.trace.connections[*at as usize])
    }

    /// How many connections there are.
    pub fn connection_count(self) -> usize {
        self.rows.connections.len()
    }

    /// Kernel settings that were set, in the order in which they first were.
    pub fn sysctls(self) -> impl Iterator<Item = &'a SysctlRecord> {
        self.rows.sysctls.values().map(move |at| &self.trace.sysctls[*at as usize])
    }

    /// Virtual routers, in the order in which they appeared.
    pub fn vrrp(self) -> impl Iterator<Item = &'a VrrpRecord> {
        self.rows.vrrp.values().map(move |at| &self.trace.vrrp[*at as usize])
    }

    /// Real servers as their checkers hold them, by service.
    pub fn health(self) -> impl Iterator<Item = &'a HealthRecord> {
        self.rows.health.values().map(move |at| &self.trace.health[*at as usize])
    }

    /// Virtual services that somebody looks after, and whether they have enough servers.
    pub fn quorums(self) -> impl Iterator<Item = &'a QuorumRecord> {
        self.rows.quorums.values().map(move |at| &self.trace.quorums[*at as usize])
    }

    /// The name of an interface.
    pub fn interface_name(self, id: IfaceId) -> &'a str {
        self.rows.interfaces.get(&id).map_or("?", |at| &self.trace.interfaces[*at as usize].name)
    }
}

/// The same rows with the same records.
impl PartialEq for NodeTables<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<'a> Moment<'a> {
    /// Before the first event.
    pub fn start(trace: &'a Trace) -> Self {
        Moment { trace, changes: Changes::of(trace), tables: Tables::start(trace) }
    }

    /// After the event `id`.
    pub fn after(trace: &'a Trace, id: EventId) -> Self {
        let mut moment = Self::start(trace);
        moment.go_to(id);
        moment
    }

    /// After everything that happened at `at` or before.
    pub fn at(trace: &'a Trace, at: Instant) -> Self {
        let mut moment = Self::start(trace);
        let steps = trace.steps.partition_point(|step| step.at <= at) as u32;
        let events = trace.events.partition_point(|event| event.step < steps) as u32;
        if let Some(last) = events.checked_sub(1) {
            moment.go_to(EventId(last));
        }
        moment
    }

    /// Goes to the moment after the event `id`, forwards or back.
    pub fn go_to(&mut self, id: EventId) {
        self.tables.go_to(self.trace, &self.changes, id);
    }

    /// The tables of a node.
    pub fn node(&self, node: NodeId) -> NodeTables<'_> {
        self.tables.node(self.trace, node)
    }
}
