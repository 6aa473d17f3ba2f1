//! Flows that connection tracking remembers for MASQUERADE and SNAT.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{Table, TrackedState};

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

pub(super) fn rows(writer: &mut Writer) {
    let count = writer.tables.count(Table::Tracked);
    writer.title(&format!("conntrack ({count}): state, seconds it stays after its last packet"));
    for record in writer.tables.tracked().take(ROWS_MAX) {
        let ink = match record.state {
            TrackedState::Unreplied => Ink::Warn,
            TrackedState::Replied | TrackedState::Closing | TrackedState::Reset => Ink::Plain,
        };
        let leaves = match record.leaves_as == record.source {
            true => String::new(),
            false => format!(" as {}", record.leaves_as),
        };
        let text = format!(
            "  {:<4} {:<9} {:>6} {} → {}{leaves}",
            record.protocol.name(),
            record.state.name(),
            record.stays.secs(),
            record.source,
            record.destination
        );
        writer.row(record, ink, text);
    }
    writer.more(count);
    writer.gone(&[Table::Tracked]);
}
