//! Kernel settings that were set.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::Table;

pub(super) fn write(writer: &mut Writer) {
    if writer.is_off() {
        return;
    }
    writer.title("kernel settings that were set");
    for record in writer.tables.sysctls().take(ROWS_MAX) {
        writer.row(record, Ink::Plain, format!("  {} = {}", record.key, record.value));
    }
    writer.more(writer.tables.count(Table::Sysctl));
}
