//! Who is where on the link, as this host believes it.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{NeighbourState, Table};

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

pub(super) fn rows(writer: &mut Writer) {
    writer.title("arp (neighbours)");
    for record in writer.tables.neighbours().take(ROWS_MAX) {
        let mac = record.mac.map_or("-".to_string(), |mac| writer.macs.show(mac));
        let iface = writer.tables.interface_name(record.iface);
        let ink = match record.state {
            NeighbourState::Failed => Ink::Bad,
            NeighbourState::Incomplete => Ink::Warn,
            _ => Ink::Plain,
        };
        let text = format!("  {:<15} {iface:<5} {mac:<9} {}", record.address.to_string(), record.state);
        writer.row(record, ink, text);
    }
    writer.more(writer.tables.count(Table::Neighbour));
    writer.gone(&[Table::Neighbour]);
}
