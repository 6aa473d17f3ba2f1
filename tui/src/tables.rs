//! The tables of a host at an instant, as plain text.

use crate::stepper::keymap::{ACTIONS, Action};
use crate::stepper::pane::TableKind;
use crate::stepper::panes::tables::{self, TABLES};
use pcap_out::headers::ShortMacs;
use sim_core::base::time::Instant;
use sim_core::trace::Trace;
use sim_core::trace::changes::News;
use sim_core::trace::tables::NodeTables;

/// A table of a host; what this step changed is marked.
pub(crate) fn text(trace: &Trace, tables: NodeTables, now: Instant, kind: TableKind, news: &[News]) -> String {
    tables::text(trace, &ShortMacs::of(trace), tables, now, kind, news)
}

/// The table that this key shows in the stepper.
pub(crate) fn by_key(key: &str) -> Option<TableKind> {
    let tables = ACTIONS.iter().filter(|row| row.keys.contains(&key));
    tables.into_iter().find_map(|row| if let Action::Table(kind) = row.action { Some(kind) } else { None })
}

/// Every table of a node that is not empty, each once.
pub(crate) fn all(trace: &Trace, tables: NodeTables, now: Instant) -> String {
    let macs = ShortMacs::of(trace);
    let kinds = TABLES.iter().map(|row| row.kind).filter(|kind| *kind != TableKind::Overview);
    kinds.map(|kind| tables::text(trace, &macs, tables, now, kind, &[])).collect()
}
