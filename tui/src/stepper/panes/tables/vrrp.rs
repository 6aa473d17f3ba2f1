//! Virtual routers: their state, priority, and the master they hear.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{Table, VrrpState};

/// Every host that takes part.
pub(super) fn write_all(writer: &mut Writer) {
    writer.each_node(|writer| {
        if writer.tables.count(Table::Vrrp) > 0 {
            rows(writer);
        } else {
            writer.gone(&[Table::Vrrp]);
        }
    });
}

pub(super) fn rows(writer: &mut Writer) {
    writer.title(&format!("virtual routers of {}", writer.trace.node_name(writer.node)));
    for record in writer.tables.vrrp().take(ROWS_MAX) {
        let ink = match record.state {
            VrrpState::Master => Ink::Good,
            VrrpState::Fault => Ink::Bad,
            VrrpState::Backup | VrrpState::Init => Ink::Plain,
        };
        let master = record.master.map_or(String::new(), |master| format!("  hears {master}"));
        let addresses: Vec<String> = record.addresses.iter().map(|address| address.to_string()).collect();
        let text = format!(
            "  {:<10} vrid {:<3} {:<6} prio {:<3}  {}{master}",
            record.instance,
            record.vrid,
            record.state.name(),
            record.priority,
            addresses.join(" ")
        );
        writer.row(record, ink, text);
    }
    writer.gone(&[Table::Vrrp]);
}
