//! The tables of all nodes as numbers of records, and how a change is put into them and taken back. When the changes
//! happened, and how to get to a moment, is known to [`super::changes`] and [`super::moment`].

use super::Trace;
use super::record::{
    AddressRecord, ChainCountRecord, ChainId, ChainRecord, ConnRecord, FdbRecord, HealthRecord, InterfaceRecord,
    NeighbourRecord, Place, PowerState, ProcessRecord, QuorumRecord, RouteRecord, RoutingRuleRecord, Row,
    RuleCountRecord, RuleRecord, ServerRecord, ServiceRecord, SysctlRecord, Table, TrackedRecord, VrrpRecord,
};
use crate::base::id::{IfaceId, NodeId};
use std::collections::BTreeMap;

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
    tables: [BTreeMap<Place, u32>; Table::ALL.len()],
}

/// The tables of one node, each in a fixed order.
#[derive(Clone, Copy, Debug)]
pub struct NodeTables<'a> {
    trace: &'a Trace,
    node: NodeId,
    rows: &'a Rows,
}

/// One change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    /// The table.
    pub(super) table: Table,
    /// The new record's number.
    pub(super) record: u32,
    /// The new record.
    pub(super) row: &'a dyn Row,
    /// Where the row stands.
    pub(super) place: Place,
}

impl Tables {
    /// Before the first event.
    pub fn start(trace: &Trace) -> Self {
        Tables { nodes: vec![Rows::default(); trace.cast.nodes.len()], taken: 0 }
    }

    /// The tables of a node.
    pub fn node<'a>(&'a self, trace: &'a Trace, node: NodeId) -> NodeTables<'a> {
        NodeTables { trace, node, rows: &self.nodes[node.index()] }
    }

    /// How many rows all tables have.
    pub fn rows(&self) -> usize {
        self.nodes.iter().map(Rows::count).sum()
    }

    /// Puts a new record into its row, or takes the row away if the record says so. Gives back the record before.
    pub(super) fn put(&mut self, change: Change) -> Option<u32> {
        let table = self.table_mut(change);
        match change.row.is_present() {
            true => table.insert(change.place, change.record),
            false => table.remove(&change.place),
        }
    }

    /// Puts the record back that stood in the row before a change.
    pub(super) fn take_back(&mut self, change: Change, before: Option<u32>) {
        let table = self.table_mut(change);
        match before {
            Some(before) => table.insert(change.place, before),
            None => table.remove(&change.place),
        };
    }

    fn table_mut(&mut self, change: Change) -> &mut BTreeMap<Place, u32> {
        &mut self.nodes[change.row.node().index()].tables[change.table as usize]
    }
}

impl Rows {
    fn count(&self) -> usize {
        self.tables.iter().map(BTreeMap::len).sum()
    }
}

impl<'a> NodeTables<'a> {
    /// Whose they are.
    pub fn owner(self) -> NodeId {
        self.node
    }

    /// Whether the machine runs; none before it was switched on for the first time, and for a switch.
    pub fn power(self) -> Option<PowerState> {
        self.rows(Table::Power, &self.trace.powers).next().map(|record| record.state)
    }

    /// Interfaces, by index.
    pub fn interfaces(self) -> impl Iterator<Item = &'a InterfaceRecord> {
        self.rows(Table::Interface, &self.trace.interfaces)
    }

    /// Addresses, in the order in which they were added.
    pub fn addresses(self) -> impl Iterator<Item = &'a AddressRecord> {
        self.rows(Table::Address, &self.trace.addresses)
    }

    /// Routes, in the order in which they were added.
    pub fn routes(self) -> impl Iterator<Item = &'a RouteRecord> {
        self.rows(Table::Route, &self.trace.routes)
    }

    /// Rules for routing, in the order in which they were added.
    pub fn routing_rules(self) -> impl Iterator<Item = &'a RoutingRuleRecord> {
        self.rows(Table::RoutingRule, &self.trace.routing_rules)
    }

    /// Neighbours, by interface and address.
    pub fn neighbours(self) -> impl Iterator<Item = &'a NeighbourRecord> {
        self.rows(Table::Neighbour, &self.trace.neighbours)
    }

    /// Forwarding entries of a switch, by MAC.
    pub fn fdb(self) -> impl Iterator<Item = &'a FdbRecord> {
        self.rows(Table::Fdb, &self.trace.fdb)
    }

    /// Virtual services.
    pub fn services(self) -> impl Iterator<Item = &'a ServiceRecord> {
        self.rows(Table::Service, &self.trace.services)
    }

    /// Real servers of all services.
    pub fn servers(self) -> impl Iterator<Item = &'a ServerRecord> {
        self.rows(Table::Server, &self.trace.servers)
    }

    /// Connections, by protocol, client and virtual address.
    pub fn connections(self) -> impl Iterator<Item = &'a ConnRecord> {
        self.rows(Table::Connection, &self.trace.connections)
    }

    /// How many rows a table has.
    pub fn count(self, table: Table) -> usize {
        self.rows.tables[table as usize].len()
    }

    /// How many connections there are.
    pub fn connection_count(self) -> usize {
        self.count(Table::Connection)
    }

    /// Kernel settings that were set, in the order in which they first were.
    pub fn sysctls(self) -> impl Iterator<Item = &'a SysctlRecord> {
        self.rows(Table::Sysctl, &self.trace.sysctls)
    }

    /// Virtual routers, in the order in which they appeared.
    pub fn vrrp(self) -> impl Iterator<Item = &'a VrrpRecord> {
        self.rows(Table::Vrrp, &self.trace.vrrp)
    }

    /// Processes, by number.
    pub fn processes(self) -> impl Iterator<Item = &'a ProcessRecord> {
        self.rows(Table::Process, &self.trace.processes)
    }

    /// Chains of filters that have or had rules or another policy, by table.
    pub fn chains(self) -> impl Iterator<Item = &'a ChainRecord> {
        self.rows(Table::Chain, &self.trace.chains)
    }

    /// Rules of a chain, in order.
    pub fn rules(self, chain: ChainId) -> impl Iterator<Item = &'a RuleRecord> {
        let rules = self.rows.tables[Table::Rule as usize].range(Place::Rule(chain, 0)..=Place::Rule(chain, u64::MAX));
        rules.map(move |(_, at)| &self.trace.rules[*at as usize])
    }

    /// How often the policy of a chain was applied; none if that is not recorded.
    pub fn chain_count(self, chain: ChainId) -> Option<&'a ChainCountRecord> {
        let at = self.rows.tables[Table::ChainCount as usize].get(&Place::Chain(chain))?;
        Some(&self.trace.chain_counts[*at as usize])
    }

    /// How often a rule was applied; none if it never was.
    pub fn rule_count(self, rule: u32) -> Option<&'a RuleCountRecord> {
        let at = self.rows.tables[Table::RuleCount as usize].get(&Place::Count(rule))?;
        Some(&self.trace.rule_counts[*at as usize])
    }

    /// Flows that connection tracking remembers, by protocol and ends.
    pub fn tracked(self) -> impl Iterator<Item = &'a TrackedRecord> {
        self.rows(Table::Tracked, &self.trace.tracked)
    }

    /// Real servers as their checkers hold them, by service.
    pub fn health(self) -> impl Iterator<Item = &'a HealthRecord> {
        self.rows(Table::Health, &self.trace.health)
    }

    /// Virtual services that somebody looks after, and whether they have enough servers.
    pub fn quorums(self) -> impl Iterator<Item = &'a QuorumRecord> {
        self.rows(Table::Quorum, &self.trace.quorums)
    }

    /// The name of an interface.
    pub fn interface_name(self, id: IfaceId) -> &'a str {
        let at = self.rows.tables[Table::Interface as usize].get(&Place::Interface(id));
        at.map_or("?", |at| &self.trace.interfaces[*at as usize].name)
    }

    /// The records of a table, which stand in `all`, in the order of its rows.
    fn rows<R>(self, table: Table, all: &'a [R]) -> impl Iterator<Item = &'a R> {
        self.rows.tables[table as usize].values().map(move |at| &all[*at as usize])
    }
}

/// The same rows with the same records.
impl PartialEq for NodeTables<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}
