//! Chains and rules of `iptables` and `arptables`, and how often each rule was applied.

use super::writer::{Mark, ROWS_MAX, Row, Writer};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{ChainRecord, Policy, Table};

pub(super) fn write(writer: &mut Writer) {
    if !writer.is_off() {
        rows(writer);
    }
}

/// Whether there is a rule, or a policy that drops.
pub(super) fn says_something(writer: &Writer) -> bool {
    writer.tables.chains().any(|chain| speaks(writer, chain))
}

/// A chain that is as Linux begins is left out.
fn speaks(writer: &Writer, chain: &ChainRecord) -> bool {
    chain.policy != Some(Policy::Accept) || writer.tables.rules(chain.chain).next().is_some()
}

pub(super) fn rows(writer: &mut Writer) {
    writer.title("filters: rule, packets");
    let tables = writer.tables;
    for chain in tables.chains().take(ROWS_MAX) {
        if !speaks(writer, chain) && writer.mark(chain) == Mark::None {
            continue;
        }
        let policy = chain.policy.map_or(String::new(), |policy| format!(" (policy {})", policy.name()));
        let ink = if chain.policy == Some(Policy::Drop) { Ink::Warn } else { Ink::Name };
        writer.row(chain, ink, format!("  {} {}{policy}", chain.chain.table.name(), chain.name));
        for (number, rule) in (1..).zip(tables.rules(chain.chain)).take(ROWS_MAX) {
            let count = tables.rule_count(rule.rule);
            let packets = count.map_or(0, |count| count.packets);
            let mark = match (writer.mark(rule), count.map(|count| writer.mark(count))) {
                (Mark::None, Some(mark)) if mark != Mark::None => Mark::Changed,
                (mark, _) => mark,
            };
            let text = format!("    {number} {}  [{packets}]", rule.text);
            writer.rows.push(Row { ink: Ink::Plain, text, mark });
        }
    }
    writer.gone(&[Table::Chain, Table::Rule]);
}
