//! Virtual routers: their state, priority, and the master they hear.

use super::writer::{ROWS_MAX, Writer, step_in};
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
        writer.moved(record, &writer.trace.vrrp, ink, |was| {
            format!(
                "  {:<10} vrid {:<3} {}prio {} {}{master}",
                record.instance,
                record.vrid,
                step_in(7, was.map(|was| was.state.name()), record.state.name()),
                step_in(4, was.map(|was| was.priority), record.priority),
                addresses.join(" ")
            )
        });
    }
    writer.gone(&[Table::Vrrp]);
}
