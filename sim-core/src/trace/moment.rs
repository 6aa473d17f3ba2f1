//! The tables of every node at any event, rebuilt from the changes that the trace holds. The live world is never asked.
//!
//! Going forwards folds the events between; going back begins again. The door ([`Moment::go_to`]) is the same for
//! keyframes.

use super::record::{
    AddressRecord, ConnRecord, FdbRecord, InterfaceRecord, NeighbourRecord, RouteRecord, ServerRecord, ServiceKey,
    ServiceRecord, SysctlRecord, VrrpRecord,
};
use super::{Kind, Trace};
use crate::base::id::{EventId, IfaceId, NodeId};
use crate::base::time::Instant;
use crate::wire::Ipv4Addr;
use crate::wire::flow::{SocketAddr, Transport};
use std::collections::BTreeMap;

/// All tables after an event.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    trace: &'a Trace,
    /// The first event that has not been taken in.
    next: u32,
    nodes: Vec<NodeTables<'a>>,
}

/// The tables of one node, each in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeTables<'a> {
    /// Interfaces.
    pub interfaces: BTreeMap<IfaceId, &'a InterfaceRecord>,
    /// Addresses, in the order in which they were added.
    pub addresses: Vec<&'a AddressRecord>,
    /// Routes, in the order in which they were added.
    pub routes: Vec<&'a RouteRecord>,
    /// Neighbours.
    pub neighbours: BTreeMap<(IfaceId, Ipv4Addr), &'a NeighbourRecord>,
    /// Forwarding entries of a switch, by MAC.
    pub fdb: BTreeMap<[u8; 6], &'a FdbRecord>,
    /// Virtual services.
    pub services: BTreeMap<ServiceKey, &'a ServiceRecord>,
    /// Real servers of services.
    pub servers: BTreeMap<(ServiceKey, SocketAddr), &'a ServerRecord>,
    /// Connections: protocol, client, virtual address.
    pub connections: BTreeMap<(Option<Transport>, SocketAddr, SocketAddr), &'a ConnRecord>,
    /// Kernel settings that were set.
    pub sysctls: BTreeMap<&'a str, &'a SysctlRecord>,
    /// Virtual routers, by the name of the instance.
    pub vrrp: BTreeMap<&'a str, &'a VrrpRecord>,
}

impl<'a> Moment<'a> {
    /// Before the first event.
    pub fn start(trace: &'a Trace) -> Self {
        Moment { trace, next: 0, nodes: vec![NodeTables::default(); trace.cast.nodes.len()] }
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
        moment.forward(events);
        moment
    }

    /// Goes to the moment after the event `id`, forwards or back.
    pub fn go_to(&mut self, id: EventId) {
        let target = id.0.saturating_add(1).min(self.trace.events.len() as u32);
        if target < self.next {
            *self = Self::start(self.trace);
        }
        self.forward(target);
    }

    /// The tables of a node.
    pub fn node(&self, node: NodeId) -> &NodeTables<'a> {
        &self.nodes[node.index()]
    }

    fn forward(&mut self, target: u32) {
        while self.next < target {
            let kind = self.trace.events[self.next as usize].kind;
            self.apply(kind);
            self.next += 1;
        }
    }

    fn apply(&mut self, kind: Kind) {
        let trace = self.trace;
        let nodes = &mut self.nodes;
        match kind {
            Kind::Interface(at) => {
                let record = &trace.interfaces[at as usize];
                put(&mut nodes[record.node.index()].interfaces, record.id, record, record.present);
            }
            Kind::Address(at) => {
                let record = &trace.addresses[at as usize];
                let same = |other: &&AddressRecord| {
                    (other.iface, other.address, other.prefix) == (record.iface, record.address, record.prefix)
                };
                put_in_order(&mut nodes[record.node.index()].addresses, record, same, record.present);
            }
            Kind::Route(at) => {
                let record = &trace.routes[at as usize];
                let same = |other: &&RouteRecord| same_route(other, record);
                put_in_order(&mut nodes[record.node.index()].routes, record, same, record.present);
            }
            Kind::Neighbour(at) => {
                let record = &trace.neighbours[at as usize];
                let key = (record.iface, record.address);
                put(&mut nodes[record.node.index()].neighbours, key, record, record.present);
            }
            Kind::Fdb(at) => {
                let record = &trace.fdb[at as usize];
                put(&mut nodes[record.node.index()].fdb, record.mac.0, record, record.present);
            }
            Kind::Service(at) => {
                let record = &trace.services[at as usize];
                put(&mut nodes[record.node.index()].services, record.key, record, record.present);
            }
            Kind::Server(at) => {
                let record = &trace.servers[at as usize];
                let key = (record.service, record.server);
                put(&mut nodes[record.node.index()].servers, key, record, record.present);
            }
            Kind::Connection(at) => {
                let record = &trace.connections[at as usize];
                let key = (record.transport, record.client, record.virtual_);
                put(&mut nodes[record.node.index()].connections, key, record, record.present);
            }
            Kind::Sysctl(at) => {
                let record = &trace.sysctls[at as usize];
                put(&mut nodes[record.node.index()].sysctls, &*record.key, record, true);
            }
            Kind::Vrrp(at) => {
                let record = &trace.vrrp[at as usize];
                put(&mut nodes[record.node.index()].vrrp, &*record.instance, record, record.present);
            }
            Kind::Sent { .. }
            | Kind::Received { .. }
            | Kind::Dropped
            | Kind::Decided(_)
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

impl NodeTables<'_> {
    /// The name of an interface.
    pub fn interface_name(&self, id: IfaceId) -> &str {
        self.interfaces.get(&id).map_or("?", |record| &record.name)
    }
}

fn same_route(a: &RouteRecord, b: &RouteRecord) -> bool {
    (a.table, a.destination, a.kind, a.gateway, a.iface, a.metric)
        == (b.table, b.destination, b.kind, b.gateway, b.iface, b.metric)
}

fn put<'a, K: Ord, V>(table: &mut BTreeMap<K, &'a V>, key: K, record: &'a V, present: bool) {
    if present {
        table.insert(key, record);
    } else {
        table.remove(&key);
    }
}

fn put_in_order<'a, V>(table: &mut Vec<&'a V>, record: &'a V, same: impl Fn(&&V) -> bool, present: bool) {
    match (table.iter().position(same), present) {
        (Some(at), true) => table[at] = record,
        (Some(at), false) => {
            table.remove(at);
        }
        (None, true) => table.push(record),
        (None, false) => {}
    }
}
