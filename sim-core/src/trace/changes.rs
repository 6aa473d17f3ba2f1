//! Every change of a table in a trace, with what stood in that row before: what lets a reader of the tables
//! ([`super::moment`]) go back as cheaply as forwards. Made once per trace, in one pass.
//!
//! Numbers only, so that it can be kept beside the trace that it was made of.

use super::moment::Tables;
use super::{Kind, Trace};
use crate::base::id::EventId;
use std::collections::BTreeMap;

/// The changes of a trace, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The events that change a table.
    events: Vec<u32>,
    /// By change: the record that stood in the row before, or [`NONE`].
    before: Vec<u32>,
    /// By record of an address: the record with which the row appeared, which is its place in the table.
    pub(super) addresses: Vec<u32>,
    /// The same of routes.
    pub(super) routes: Vec<u32>,
    /// The same of kernel settings.
    pub(super) sysctls: Vec<u32>,
    /// The same of virtual routers.
    pub(super) vrrp: Vec<u32>,
    /// All tables after so many changes, now and then.
    keyframes: Vec<(u32, Tables)>,
}

/// No record.
pub(super) const NONE: u32 = u32::MAX;

/// Between two keyframes lie at least so many changes, and at least as many as all tables have rows: keyframes take no
/// more room than the changes themselves, and a jump costs no more than a copy of the tables.
const BETWEEN_KEYFRAMES: u32 = 4096;

/// The last record of each row, while the changes are read.
#[derive(Default)]
struct Last<'a> {
    by_row: BTreeMap<RowKey<'a>, u32>,
}

/// What names a row of any table of any node.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum RowKey<'a> {
    Interface(u32, u16),
    Address(u32, u16, std::net::Ipv4Addr, u8),
    Route(u32, u32, ipnet::Ipv4Net, u8, Option<std::net::Ipv4Addr>, Option<u16>, u32),
    Neighbour(u32, u16, std::net::Ipv4Addr),
    Fdb(u32, [u8; 6]),
    Service(u32, super::record::ServiceKey),
    Server(u32, super::record::ServiceKey, crate::wire::flow::SocketAddr),
    Connection(u32, super::moment::ConnectionKey),
    Sysctl(u32, &'a str),
    Vrrp(u32, &'a str),
    Health(u32, super::record::ServiceKey, crate::wire::flow::SocketAddr),
    Quorum(u32, super::record::ServiceKey),
}

impl Changes {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        let mut changes = Changes::default();
        let mut last = Last::default();
        let mut tables = Tables::start(trace);
        let mut keyframe = 0;
        for (event, id) in trace.events.iter().zip(0..) {
            let Some((key, record)) = row(trace, event.kind) else { continue };
            let before = last.by_row.insert(key, record).unwrap_or(NONE);
            changes.note_birth(trace, event.kind, before);
            changes.events.push(id);
            changes.before.push(before);
            let taken = changes.events.len() as u32;
            tables.put(trace, &changes, event.kind, false);
            if taken.is_multiple_of(BETWEEN_KEYFRAMES) && tables.rows() <= (taken - keyframe) as usize {
                tables.taken = taken;
                changes.keyframes.push((taken, tables.clone()));
                keyframe = taken;
            }
        }
        changes
    }

    /// How many changes happened up to and including an event.
    pub fn up_to(&self, event: EventId) -> u32 {
        self.events.partition_point(|change| *change <= event.0) as u32
    }

    /// The events that change a table, after the event `from` up to and including `to`.
    pub fn between(&self, from: EventId, to: EventId) -> impl Iterator<Item = EventId> + '_ {
        let (from, to) = (self.up_to(from), self.up_to(to));
        self.events[from.min(to) as usize..to as usize].iter().map(|event| EventId(*event))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// Octets that all of this takes, about.
    pub fn octets(&self) -> usize {
        let rows: usize = self.keyframes.iter().map(|(_, tables)| tables.rows()).sum();
        let numbers = self.events.len() + self.before.len();
        (numbers + self.addresses.len() + self.routes.len() + self.sysctls.len() + self.vrrp.len()) * 4
            + rows * ROW_OCTETS
    }

    /// The kind of change No. `index`, and the record before it.
    pub(super) fn get(&self, trace: &Trace, index: u32) -> (Kind, Option<u32>) {
        let event = self.events[index as usize] as usize;
        let before = self.before[index as usize];
        (trace.events[event].kind, (before != NONE).then_some(before))
    }

    /// The last keyframe at or before so many changes.
    pub(super) fn keyframe(&self, taken: u32) -> Option<&(u32, Tables)> {
        let after = self.keyframes.partition_point(|(at, _)| *at <= taken);
        after.checked_sub(1).map(|index| &self.keyframes[index])
    }

    /// A row that appears gets its place at the end of its table and keeps it until it goes.
    fn note_birth(&mut self, trace: &Trace, kind: Kind, before: u32) {
        let (births, record, was_there) = match kind {
            Kind::Address(at) => (&mut self.addresses, at, before != NONE && trace.addresses[before as usize].present),
            Kind::Route(at) => (&mut self.routes, at, before != NONE && trace.routes[before as usize].present),
            Kind::Sysctl(at) => (&mut self.sysctls, at, before != NONE),
            Kind::Vrrp(at) => (&mut self.vrrp, at, before != NONE && trace.vrrp[before as usize].present),
            _ => return,
        };
        let birth = if was_there { births[before as usize] } else { record };
        births.resize((record as usize + 1).max(births.len()), NONE);
        births[record as usize] = birth;
    }
}

/// A row of a B-tree: key, number, and what the tree needs.
const ROW_OCTETS: usize = 40;

/// The row that an event changes, and its new record; none if it changes no table.
fn row(trace: &Trace, kind: Kind) -> Option<(RowKey<'_>, u32)> {
    let found = match kind {
        Kind::Interface(at) => {
            let record = &trace.interfaces[at as usize];
            (RowKey::Interface(record.node.0, record.id.0), at)
        }
        Kind::Address(at) => {
            let record = &trace.addresses[at as usize];
            (RowKey::Address(record.node.0, record.iface.0, record.address, record.prefix), at)
        }
        Kind::Route(at) => {
            let record = &trace.routes[at as usize];
            let (iface, kind) = (record.iface.map(|iface| iface.0), record.kind as u8);
            (
                RowKey::Route(
                    record.node.0,
                    record.table,
                    record.destination,
                    kind,
                    record.gateway,
                    iface,
                    record.metric,
                ),
                at,
            )
        }
        Kind::Neighbour(at) => {
            let record = &trace.neighbours[at as usize];
            (RowKey::Neighbour(record.node.0, record.iface.0, record.address), at)
        }
        Kind::Fdb(at) => {
            let record = &trace.fdb[at as usize];
            (RowKey::Fdb(record.node.0, record.mac.0), at)
        }
        Kind::Service(at) => {
            let record = &trace.services[at as usize];
            (RowKey::Service(record.node.0, record.key), at)
        }
        Kind::Server(at) => {
            let record = &trace.servers[at as usize];
            (RowKey::Server(record.node.0, record.service, record.server), at)
        }
        Kind::Connection(at) => {
            let record = &trace.connections[at as usize];
            (RowKey::Connection(record.node.0, (record.transport, record.client, record.virtual_)), at)
        }
        Kind::Sysctl(at) => {
            let record = &trace.sysctls[at as usize];
            (RowKey::Sysctl(record.node.0, &record.key), at)
        }
        Kind::Vrrp(at) => {
            let record = &trace.vrrp[at as usize];
            (RowKey::Vrrp(record.node.0, &record.instance), at)
        }
        Kind::Health(at) => {
            let record = &trace.health[at as usize];
            (RowKey::Health(record.node.0, record.service, record.server), at)
        }
        Kind::Quorum(at) => {
            let record = &trace.quorums[at as usize];
            (RowKey::Quorum(record.node.0, record.service), at)
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
        | Kind::Acted(_) => return None,
    };
    Some(found)
}
