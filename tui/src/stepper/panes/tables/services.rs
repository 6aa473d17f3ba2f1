//! Virtual services with their real servers, and what health checkers hold them for.

use super::writer::{ROWS_MAX, Writer, step, step_in};
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
            writer.moved(record, &writer.trace.servers, ink, |was| {
                format!(
                    "    -> {:<21}{:<8}{}{}{}",
                    record.server.to_string(),
                    record.method.listed(),
                    step_in(7, was.map(|was| was.weight), record.weight),
                    step_in(7, was.map(|was| was.active), record.active),
                    step(was.map(|was| was.inactive), record.inactive)
                )
            });
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
        writer.moved(quorum, &writer.trace.quorums, ink(quorum.standing), |was| {
            let weight = step(was.map(|was| was.weight), quorum.weight);
            format!("  {} {word}: weight {weight}, {} needed{stand_in}", quorum.service, quorum.needed)
        });
        for record in tables.health().filter(|record| record.service == quorum.service).take(ROWS_MAX) {
            writer.moved(record, &writer.trace.health, ink(record.standing), |was| {
                let standing = step(was.map(|was| was.standing.name()), record.standing.name());
                format!("    -> {:<21}{standing}", record.server.to_string())
            });
        }
    }
}

fn ink(standing: Standing) -> Ink {
    match standing {
        Standing::Up => Ink::Good,
        Standing::Down => Ink::Bad,
    }
}
