//! Connections of IPVS with their state and how long they live without a further packet.

use super::writer::{ROWS_MAX, Writer, clock, step_in};
use crate::stepper::theme::Ink;
use sim_core::trace::record::Table;

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

pub(super) fn rows(writer: &mut Writer) {
    let count = writer.tables.connection_count();
    writer.title(&format!("ipvs connections ({count}): time left, state"));
    for record in writer.tables.connections().take(ROWS_MAX) {
        let left = clock(record.expires.since(writer.now));
        let name = record.transport.map_or("IP", |transport| transport.name());
        let local = record.local.map_or(String::new(), |local| format!(" by {local}"));
        writer.moved(record, &writer.trace.connections, Ink::Plain, |was| {
            let state = step_in(12, was.map(|was| was.state), record.state);
            format!("  {name:<3} {left} {state}{} → {}{local}", record.client, record.server)
        });
    }
    writer.more(count);
    writer.gone(&[Table::Connection]);
}
