//! What matters at this host.

use super::writer::Writer;
use super::{addresses, connections, conntrack, fdb, filters, neighbours, services, vrrp};
use sim_core::trace::record::Table;

/// The tables that are not empty; neighbours always.
pub(super) fn write(writer: &mut Writer) {
    if writer.trace.cast.nodes[writer.node.index()].is_switch {
        return fdb::write(writer);
    }
    if writer.is_off() {
        return;
    }
    let tables = writer.tables;
    let has = |table| tables.count(table) > 0;
    if has(Table::Vrrp) {
        vrrp::rows(writer);
    }
    if has(Table::Service) {
        services::rows(writer);
    }
    if has(Table::Connection) {
        connections::rows(writer);
    }
    if has(Table::Tracked) {
        conntrack::rows(writer);
    }
    if filters::says_something(writer) {
        filters::rows(writer);
    }
    neighbours::rows(writer);
    addresses::rows(writer);
}
