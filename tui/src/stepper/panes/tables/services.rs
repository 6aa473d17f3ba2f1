//! Virtual services with their real servers, and what health checkers hold them for.

use super::writer::{ROWS_MAX, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{Standing, Table};

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

pub(super) fn rows(writer: &mut Writer) {
    writer.title("ipvs services                forward weight active inactive");
    let tables = writer.tables;
    for service in tables.services().take(ROWS_MAX) {
        let held = service.persistent.map_or(String::new(), |time| format!(" persistent {}", time.secs()));
        writer.row(service, Ink::Name, format!("  {} {}{held}", service.key, service.scheduler));
        for record in tables.servers().filter(|record| record.service == service.key).take(ROWS_MAX) {
            let ink = if record.weight == 0 { Ink::Warn } else { Ink::Plain };
            let text = format!(
                "    -> {:<21}{:<8}{:<7}{:<7}{}",
                record.server.to_string(),
                record.method.listed(),
                record.weight,
                record.active,
                record.inactive
            );
            writer.row(record, ink, text);
        }
    }
    writer.more(tables.count(Table::Service));
    if tables.count(Table::Health) + tables.count(Table::Quorum) > 0 {
        health(writer);
    }
    writer.gone(&[Table::Service, Table::Server, Table::Health, Table::Quorum]);
}

fn health(writer: &mut Writer) {
    writer.title("health, as the checkers find it");
    let tables = writer.tables;
    for quorum in tables.quorums().take(ROWS_MAX) {
        let stand_in = quorum.stand_in.map_or(String::new(), |server| format!(", {server} stands in"));
        let word = if quorum.standing == Standing::Up { "enough" } else { "not enough" };
        let (weight, needed) = (quorum.weight, quorum.needed);
        let text = format!("  {} {word}: weight {weight}, {needed} needed{stand_in}", quorum.service);
        writer.row(quorum, ink(quorum.standing), text);
        for record in tables.health().filter(|record| record.service == quorum.service).take(ROWS_MAX) {
            let text = format!("    -> {:<21}{}", record.server.to_string(), record.standing.name());
            writer.row(record, ink(record.standing), text);
        }
    }
}

fn ink(standing: Standing) -> Ink {
    match standing {
        Standing::Up => Ink::Good,
        Standing::Down => Ink::Bad,
    }
}
