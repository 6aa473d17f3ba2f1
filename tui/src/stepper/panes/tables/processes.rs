//! The processes of a host.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{ProcessState, Table};

pub(super) fn write(writer: &mut Writer) {
    if writer.is_off() {
        return;
    }
    writer.title("processes     parent  since");
    for record in writer.tables.processes().take(ROWS_MAX) {
        let (ink, state) = match record.state {
            ProcessState::Alive => (Ink::Plain, ""),
            ProcessState::Stopped => (Ink::Warn, "  (stopped)"),
            ProcessState::Ended => (Ink::Bad, "  (ended, nobody has asked how)"),
        };
        let since = format!("{} s", record.started);
        let text = format!("  {:<11} {:<7} {since:<12} {}{state}", record.pid.0, record.parent.0, record.command);
        writer.row(record, ink, text);
    }
    writer.more(writer.tables.count(Table::Process));
    writer.gone(&[Table::Process]);
}
