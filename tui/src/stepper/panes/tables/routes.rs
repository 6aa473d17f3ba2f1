//! Rules for routing, in the order in which they are asked, and the routes.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{RouteKind, RouteRecord, Row, Table};

pub(super) fn write(writer: &mut Writer) {
    if writer.is_off() {
        return;
    }
    writer.title("routes");
    // Table local is full of what every host has.
    let shown = |record: &&RouteRecord| record.table != TABLE_LOCAL;
    for record in writer.tables.routes().filter(shown).take(ROWS_MAX) {
        let text = told(writer, record);
        writer.row(record, Ink::Plain, text);
    }
    writer.more(writer.tables.routes().filter(shown).count());
    writer.title("rules: which table is asked");
    let mut rules: Vec<_> = writer.tables.routing_rules().collect();
    // Among equals the older stands first, as they come.
    rules.sort_by_key(|record| record.rule.priority);
    for record in rules.into_iter().take(ROWS_MAX) {
        let iif = record.rule.iif.map_or(String::new(), |iif| format!(" iif {}", writer.tables.interface_name(iif)));
        let text = format!("  {}{iif} {}", record.told(writer.trace).row, record.rule.action);
        writer.row(record, Ink::Plain, text);
    }
    writer.gone(&[Table::Route, Table::RoutingRule]);
}

const TABLE_LOCAL: u32 = 255;
const TABLE_MAIN: u32 = 254;

/// As `ip route` writes it.
fn told(writer: &Writer, record: &RouteRecord) -> String {
    let via = record.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
    let dev = record.iface.map_or(String::new(), |iface| format!(" dev {}", writer.tables.interface_name(iface)));
    let kind = match record.kind {
        RouteKind::Unicast => String::new(),
        kind => format!("{} ", kind.name()),
    };
    let source = record.source.map_or(String::new(), |source| format!(" src {source}"));
    let metric = if record.metric == 0 { String::new() } else { format!(" metric {}", record.metric) };
    let table = if record.table == TABLE_MAIN { String::new() } else { format!(" table {}", record.table) };
    let destination = match record.destination.prefix_len() {
        0 => "default".to_string(),
        _ => record.destination.to_string(),
    };
    format!("  {kind}{destination}{via}{dev}{source}{metric}{table}")
}
