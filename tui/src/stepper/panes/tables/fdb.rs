//! Behind which of its ports a switch has seen a MAC.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::Table;
use sim_core::wire::dissect::mac_text;

/// Every switch.
pub(super) fn write_all(writer: &mut Writer) {
    writer.each_node(write);
}

pub(super) fn write(writer: &mut Writer) {
    let card = &writer.trace.cast.nodes[writer.node.index()];
    if !card.is_switch {
        return;
    }
    writer.title(&card.name);
    for record in writer.tables.fdb().take(ROWS_MAX) {
        let port = &writer.trace.cast.ports[record.port.index()].name;
        writer.row(record, Ink::Plain, format!("  {:<18} {port}", mac_text(record.mac)));
    }
    writer.more(writer.tables.count(Table::Fdb));
    writer.gone(&[Table::Fdb]);
}
