//! The tables at this instant: one file each with one function that writes its rows, one row each in [`TABLES`].
//!
//! What this step changed is lit and marked: `new`, `*`, `gone`. The text mode and the comparison of runs print the same
//! rows.

mod addresses;
mod connections;
mod conntrack;
mod fdb;
mod filters;
mod neighbours;
mod overview;
mod processes;
mod routes;
mod services;
mod settings;
mod vrrp;
mod writer;

use super::brush::{cut, framed, line, list};
use crate::stepper::keymap::Action;
use crate::stepper::model::Model;
use crate::stepper::pane::{PaneId, TableKind};
use crate::stepper::theme::Ink;
use pcap_out::headers::ShortMacs;
use pcap_out::layout::pad;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sim_core::base::id::EventId;
use sim_core::base::time::Instant;
use sim_core::trace::Trace;
use sim_core::trace::changes::News;
use sim_core::trace::tables::NodeTables;
use unicode_width::UnicodeWidthStr;
use writer::{Mark, ROWS_MAX, Row, Writer};

/// A row of the registry.
pub(crate) struct TableRow {
    /// Which.
    pub(crate) kind: TableKind,
    /// Its name.
    pub(crate) name: &'static str,
    /// Shows every node's, not those of one.
    of_all: bool,
    /// Writes it.
    write: fn(&mut Writer),
}

const fn row(kind: TableKind, name: &'static str, of_all: bool, write: fn(&mut Writer)) -> TableRow {
    TableRow { kind, name, of_all, write }
}

/// Every table, in the order of their keys.
pub(crate) const TABLES: &[TableRow] = &[
    row(TableKind::Overview, "overview", false, overview::write),
    row(TableKind::Arp, "ARP", false, neighbours::write),
    row(TableKind::Fdb, "switches", true, fdb::write_all),
    row(TableKind::Routes, "routes", false, routes::write),
    row(TableKind::Services, "services", false, services::write),
    row(TableKind::Connections, "connections", false, connections::write),
    row(TableKind::Vrrp, "VRRP", true, vrrp::write_all),
    row(TableKind::Filters, "filters", false, filters::write),
    row(TableKind::Processes, "processes", false, processes::write),
    row(TableKind::Conntrack, "conntrack", false, conntrack::write),
    row(TableKind::Addresses, "addresses", false, addresses::write),
    row(TableKind::Settings, "settings", false, settings::write),
];

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let run = model.run();
    let name = run.trace.cast.nodes.get(model.node().index()).map_or("", |card| &card.name);
    let pinned = if model.host.is_some() { " (chosen)" } else { "" };
    let table = of(model.table);
    let key = model.keys.shown(Action::Table(model.table));
    let title = match table.of_all {
        true => format!("TABLES  {key} {}", table.name),
        false => format!("TABLES at {name}{pinned}  {key} {}", table.name),
    };
    let inside = framed(frame, area, model, PaneId::Tables, &title);
    let width = inside.width as usize;
    let rows = rows(model);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new("empty at this instant"), inside);
        return;
    }
    let chosen = model.at.table.min(rows.len() - 1);
    let lines: Vec<Line> = rows
        .iter()
        .map(|row| {
            let ink = if row.mark == Mark::None { row.ink } else { Ink::Changed };
            let room = width.saturating_sub(MARK_WIDTH);
            let short = row.short.as_ref().filter(|_| row.text.width() > room);
            let text = pad(&cut(short.unwrap_or(&row.text), room), room);
            line(model, &[(ink, text), (Ink::Changed, format!("{:>MARK_WIDTH$}", row.mark.sign()))], width)
        })
        .collect();
    let chosen = if model.focus == PaneId::Tables { chosen } else { 0 };
    list(frame, inside, model, PaneId::Tables, lines, Some(chosen));
}

/// Columns of ` gone`.
const MARK_WIDTH: usize = 5;

/// How many rows there are.
pub(crate) fn count(model: &Model) -> usize {
    rows(model).len()
}

/// The row of a table.
fn of(kind: TableKind) -> &'static TableRow {
    TABLES.iter().find(|row| row.kind == kind).unwrap_or(&TABLES[0])
}

fn rows(model: &Model) -> Vec<Row> {
    let run = model.run();
    if run.trace.events.is_empty() {
        return Vec::new();
    }
    let news = news(model);
    let tables = model.tables.node(&run.trace, model.node());
    let mut writer = Writer::new(&run.trace, &run.macs, tables, model.now(), &news);
    // The tables of every node stand beside those of one.
    writer.all = Some(&model.tables);
    (of(model.table).write)(&mut writer);
    writer.rows
}

/// What changed since the frame before, up to now.
fn news(model: &Model) -> Vec<News<'_>> {
    let run = model.run();
    let before = run.frame_before(model.cursor);
    let is_frame = run.trace.frame_number(model.cursor).is_some();
    let last = if is_frame { before.saturating_sub(1) } else { before };
    let from = match last.checked_sub(1) {
        Some(index) => run.trace.frames[index as usize],
        None => EventId(model.cursor.0.saturating_sub(64)),
    };
    run.changes.news(&run.trace, from, model.cursor).take(ROWS_MAX).collect()
}

/// The tables of a node as plain text: those of the overview, or one.
pub(crate) fn text(
    trace: &Trace,
    macs: &ShortMacs,
    tables: NodeTables,
    now: Instant,
    kind: TableKind,
    news: &[News],
) -> String {
    let mut writer = Writer::new(trace, macs, tables, now, news);
    (of(kind).write)(&mut writer);
    let line = |row: &Row| match row.mark {
        Mark::None => format!("   {}\n", row.text),
        mark => format!("   {}  {}\n", pad(&row.text, TEXT_WIDTH), mark.sign()),
    };
    writer.rows.iter().map(line).collect()
}

/// In plain text the marks stand behind so many columns.
const TEXT_WIDTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stepper::keymap::ACTIONS;

    #[test]
    fn every_table_has_a_key_and_every_key_of_tables_has_a_table() {
        let keys: Vec<TableKind> = ACTIONS
            .iter()
            .filter_map(|row| match row.action {
                Action::Table(kind) => Some(kind),
                _ => None,
            })
            .collect();
        let tables: Vec<TableKind> = TABLES.iter().map(|row| row.kind).collect();
        assert_eq!(keys, tables);
    }
}
