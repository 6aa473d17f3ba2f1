//! Rows of tables: what all records of table changes have in common, and the list of the tables.
//!
//! A record says here, once, whose row it is, where the row stands, whether it is there, and how it is told. Whoever
//! rebuilds tables, writes JSON, checks a saved run or compares two of them asks this and knows no record by name.

use super::{ChainId, RoutingRule, ServiceKey, TrackedProtocol};
use crate::base::id::{IfaceId, NodeId, Pid};
use crate::trace::{Kind, Trace};
use crate::wire::Ipv4Addr;
use crate::wire::flow::{SocketAddr, Transport};
use ipnet::Ipv4Net;
use std::fmt::Debug;

/// A record that is the new value of a row.
pub trait Row: Debug {
    /// Where it stands, and whether it is there.
    fn seat(&self) -> Seat<'_>;

    /// The row in words.
    fn told(&self, trace: &Trace) -> RowText;

    /// Whose table it stands in.
    fn node(&self) -> NodeId {
        self.seat().node
    }

    /// Whether the row is there.
    fn is_present(&self) -> bool {
        self.seat().present
    }

    /// What names the row in its table.
    fn key(&self) -> Key<'_> {
        self.seat().key
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat<'a> {
    /// Whose table it stands in.
    pub node: NodeId,
    /// Whether the row is there.
    pub present: bool,
    /// What names the row in its table.
    pub key: Key<'a>,
}

/// A row in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowText {
    /// Which row.
    pub row: String,
    /// Its value.
    pub value: String,
}

/// What names a row in the table of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// The rows stand in the order of their names.
    Placed(Place),
    /// The rows stand in the order in which they were added.
    Added(Born<'a>),
}

/// Where a row stands in its table. All rows of one table have the same variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The table has one row.
    Only,
    /// An interface, by index.
    Interface(IfaceId),
    /// A neighbour.
    Neighbour(IfaceId, Ipv4Addr),
    /// A MAC of a forwarding table.
    Mac([u8; 6]),
    /// A virtual service.
    Service(ServiceKey),
    /// A real server of a service.
    Server(ServiceKey, SocketAddr),
    /// A connection.
    Connection(ConnectionKey),
    /// A process.
    Process(Pid),
    /// A chain of a filter.
    Chain(ChainId),
    /// A rule of a chain, by its order.
    Rule(ChainId, u64),
    /// The counters of a rule.
    Count(u32),
    /// A flow that is remembered.
    Tracked(TrackedProtocol, SocketAddr, SocketAddr),
    /// Where it was added: the number of the record with which the row appeared.
    Added(u32),
}

/// What names a row whose place is where it was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Born<'a> {
    /// An address of an interface.
    Address(IfaceId, Ipv4Addr, u8),
    /// A route: table, destination, kind, gateway, interface, metric.
    Route(u32, Ipv4Net, u8, Option<Ipv4Addr>, Option<IfaceId>, u32),
    /// A rule for routing: no host has two that are equal.
    RoutingRule(RoutingRule),
    /// A kernel setting.
    Setting(&'a str),
    /// A virtual router.
    Router(&'a str),
}

/// What names a connection: protocol, client, virtual address.
pub type ConnectionKey = (Option<Transport>, SocketAddr, SocketAddr);

/// A table of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Whether the machine runs.
    Power,
    /// Interfaces.
    Interface,
    /// Addresses.
    Address,
    /// Routes.
    Route,
    /// Rules for routing.
    RoutingRule,
    /// Neighbours.
    Neighbour,
    /// Forwarding entries of a switch.
    Fdb,
    /// Virtual services.
    Service,
    /// Real servers.
    Server,
    /// Connections of IPVS.
    Connection,
    /// Kernel settings.
    Sysctl,
    /// Virtual routers.
    Vrrp,
    /// What real servers are held for by their checkers.
    Health,
    /// Whether virtual services have enough servers.
    Quorum,
    /// Processes.
    Process,
    /// Chains of filters.
    Chain,
    /// Rules of filters.
    Rule,
    /// How often policies of chains were applied.
    ChainCount,
    /// How often rules were applied.
    RuleCount,
    /// Flows that connection tracking remembers.
    Tracked,
}

impl Table {
    /// Every table.
    pub const ALL: [Table; 20] = [
        Table::Power,
        Table::Interface,
        Table::Address,
        Table::Route,
        Table::RoutingRule,
        Table::Neighbour,
        Table::Fdb,
        Table::Service,
        Table::Server,
        Table::Connection,
        Table::Sysctl,
        Table::Vrrp,
        Table::Health,
        Table::Quorum,
        Table::Process,
        Table::Chain,
        Table::Rule,
        Table::ChainCount,
        Table::RuleCount,
        Table::Tracked,
    ];

    /// Its name in files of events.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Power => "power",
            Table::Interface => "interface",
            Table::Address => "address",
            Table::Route => "route",
            Table::RoutingRule => "rule",
            Table::Neighbour => "neighbour",
            Table::Fdb => "fdb",
            Table::Service => "service",
            Table::Server => "server",
            Table::Connection => "connection",
            Table::Sysctl => "sysctl",
            Table::Vrrp => "vrrp",
            Table::Health => "health",
            Table::Quorum => "quorum",
            Table::Process => "process",
            Table::Chain => "filter_chain",
            Table::Rule => "filter_rule",
            Table::ChainCount => "filter_policy",
            Table::RuleCount => "filter_count",
            Table::Tracked => "conntrack",
        }
    }
}

impl Kind {
    /// The table that an event of this kind changes, and the number of the record; none if it changes no table.
    pub const fn change(self) -> Option<(Table, u32)> {
        Some(match self {
            Kind::Power(at) => (Table::Power, at),
            Kind::Interface(at) => (Table::Interface, at),
            Kind::Address(at) => (Table::Address, at),
            Kind::Route(at) => (Table::Route, at),
            Kind::RoutingRule(at) => (Table::RoutingRule, at),
            Kind::Neighbour(at) => (Table::Neighbour, at),
            Kind::Fdb(at) => (Table::Fdb, at),
            Kind::Service(at) => (Table::Service, at),
            Kind::Server(at) => (Table::Server, at),
            Kind::Connection(at) => (Table::Connection, at),
            Kind::Sysctl(at) => (Table::Sysctl, at),
            Kind::Vrrp(at) => (Table::Vrrp, at),
            Kind::Health(at) => (Table::Health, at),
            Kind::Quorum(at) => (Table::Quorum, at),
            Kind::Process(at) => (Table::Process, at),
            Kind::Chain(at) => (Table::Chain, at),
            Kind::Rule(at) => (Table::Rule, at),
            Kind::ChainCount(at) => (Table::ChainCount, at),
            Kind::RuleCount(at) => (Table::RuleCount, at),
            Kind::Tracked(at) => (Table::Tracked, at),
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
            | Kind::Acted(_) => return None,
        })
    }
}

impl Trace {
    /// A record of a table; none if there are not so many.
    pub fn row(&self, table: Table, record: u32) -> Option<&dyn Row> {
        fn of<R: Row>(records: &[R], record: u32) -> Option<&dyn Row> {
            records.get(record as usize).map(|record| record as &dyn Row)
        }
        match table {
            Table::Power => of(&self.powers, record),
            Table::Interface => of(&self.interfaces, record),
            Table::Address => of(&self.addresses, record),
            Table::Route => of(&self.routes, record),
            Table::RoutingRule => of(&self.routing_rules, record),
            Table::Neighbour => of(&self.neighbours, record),
            Table::Fdb => of(&self.fdb, record),
            Table::Service => of(&self.services, record),
            Table::Server => of(&self.servers, record),
            Table::Connection => of(&self.connections, record),
            Table::Sysctl => of(&self.sysctls, record),
            Table::Vrrp => of(&self.vrrp, record),
            Table::Health => of(&self.health, record),
            Table::Quorum => of(&self.quorums, record),
            Table::Process => of(&self.processes, record),
            Table::Chain => of(&self.chains, record),
            Table::Rule => of(&self.rules, record),
            Table::ChainCount => of(&self.chain_counts, record),
            Table::RuleCount => of(&self.rule_counts, record),
            Table::Tracked => of(&self.tracked, record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_at_its_own_place_in_the_list() {
        for (place, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, place, "{}", table.name());
        }
    }
}
