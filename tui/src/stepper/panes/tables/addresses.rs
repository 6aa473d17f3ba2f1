//! Interfaces and their addresses.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::Table;
use sim_core::wire::dissect::mac_text;

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

pub(super) fn rows(writer: &mut Writer) {
    writer.title("interfaces and addresses");
    let tables = writer.tables;
    for record in tables.interfaces().take(ROWS_MAX) {
        let ink = if record.up && record.carrier { Ink::Plain } else { Ink::Warn };
        let state = match (record.up, record.carrier) {
            (true, true) => "up",
            (true, false) => "up, no carrier",
            (false, _) => "down",
        };
        let text = format!("  {:<6} {state}  {}  mtu {}", record.name, mac_text(record.mac), record.mtu);
        writer.row(record, ink, text);
        for address in tables.addresses().filter(|address| address.iface == record.id).take(ROWS_MAX) {
            let label = if address.label == record.name { String::new() } else { format!("  {}", address.label) };
            writer.row(address, Ink::Plain, format!("         {}/{}{label}", address.address, address.prefix));
        }
    }
    writer.gone(&[Table::Interface, Table::Address]);
}
