//! The tables of a host at an instant, as plain text.

use pcap_out::headers::ShortMacs;
use sim_core::base::id::NodeId;
use sim_core::base::time::Instant;
use sim_core::trace::Trace;
use sim_core::trace::moment::{Moment, NodeTables};
use std::fmt::Write;

/// Neighbours, virtual services with their servers, connections with the time they have left.
pub(crate) fn text(trace: &Trace, moment: &Moment, node: NodeId, now: Instant) -> String {
    of(trace, moment.node(node), now)
}

/// As [`text`], of tables that are at hand.
pub(crate) fn of(trace: &Trace, tables: NodeTables, now: Instant) -> String {
    let mut out = String::new();
    neighbours(&mut out, trace, tables);
    services(&mut out, tables);
    connections(&mut out, tables, now);
    forwarding(&mut out, trace, tables);
    out
}

fn neighbours(out: &mut String, trace: &Trace, tables: NodeTables) {
    if tables.neighbours().next().is_none() {
        return;
    }
    let macs = ShortMacs::of(trace);
    let _ = writeln!(out, "   arp");
    for record in tables.neighbours() {
        let mac = record.mac.map_or("-".to_string(), |mac| macs.show(mac));
        let iface = tables.interface_name(record.iface);
        let _ = writeln!(out, "      {:<16} {mac:<8} {iface:<6} {}", record.address.to_string(), record.state);
    }
}

fn services(out: &mut String, tables: NodeTables) {
    if tables.services().next().is_none() {
        return;
    }
    let _ = writeln!(out, "   virtual services              forward weight active inactive");
    for service in tables.services() {
        let key = &service.key;
        let _ = writeln!(out, "      {key} {}", service.scheduler);
        for record in tables.servers().filter(|record| record.service == *key) {
            let (server, method) = (record.server.to_string(), record.method.listed());
            let (weight, active, inactive) = (record.weight, record.active, record.inactive);
            let _ = writeln!(out, "        -> {server:<21}{method:<8}{weight:<7}{active:<7}{inactive}");
        }
    }
}

fn connections(out: &mut String, tables: NodeTables, now: Instant) {
    if tables.connection_count() == 0 {
        return;
    }
    let _ = writeln!(out, "   connections");
    for record in tables.connections().take(CONNECTIONS_MAX) {
        let left = record.expires.since(now).secs();
        let (client, server) = (record.client.to_string(), record.server.to_string());
        let _ = writeln!(out, "      {client:<21} → {server:<21} {:<12} {left} s left", record.state);
    }
    if let Some(more) = tables.connection_count().checked_sub(CONNECTIONS_MAX + 1) {
        let _ = writeln!(out, "      … {} more", more + 1);
    }
}

const CONNECTIONS_MAX: usize = 20;

fn forwarding(out: &mut String, trace: &Trace, tables: NodeTables) {
    if tables.fdb().next().is_none() {
        return;
    }
    let macs = ShortMacs::of(trace);
    let _ = writeln!(out, "   forwarding");
    for record in tables.fdb() {
        let _ = writeln!(out, "      {:<8} {}", macs.show(record.mac), trace.port_name(record.port));
    }
}
