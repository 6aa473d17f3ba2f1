//! Chains and rules of `iptables` and `arptables`, and how often each rule was applied.

use super::writer::{Mark, ROWS_MAX, Row, Writer, step};
use crate::stepper::theme::Ink;
use sim_core::trace::record::{ChainRecord, Policy, RuleRecord, Table};

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
        chain_row(writer, chain);
        for (number, rule) in (1..).zip(tables.rules(chain.chain)).take(ROWS_MAX) {
            rule_row(writer, number, rule);
        }
    }
    writer.gone(&[Table::Chain, Table::Rule]);
}

fn chain_row(writer: &mut Writer, chain: &ChainRecord) {
    let ink = if chain.policy == Some(Policy::Drop) { Ink::Warn } else { Ink::Name };
    let name = format!("  {} {}", chain.chain.table.name(), chain.name);
    let Some(policy) = chain.policy else { return writer.row(chain, ink, name) };
    let name = format!("{name} (policy {})", policy.name());
    let Some(count) = writer.tables.chain_count(chain.chain) else { return writer.row(chain, ink, name) };
    let was = writer.was(count, &writer.trace.chain_counts).map(|was| was.packets);
    let mark = counted(writer.mark(chain), writer.mark(count));
    let text = |was| format!("{name}  [{}]", step(was, count.packets));
    writer.rows.push(Row { ink, text: text(was), short: was.map(|_| text(None)), mark });
}

fn rule_row(writer: &mut Writer, number: usize, rule: &RuleRecord) {
    let count = writer.tables.rule_count(rule.rule);
    let packets = count.map_or(0, |count| count.packets);
    let mark_of_count = count.map_or(Mark::None, |count| writer.mark(count));
    let mark = counted(writer.mark(rule), mark_of_count);
    let was = match (mark_of_count, count) {
        (Mark::Changed, Some(count)) => writer.was(count, &writer.trace.rule_counts).map(|was| was.packets),
        // The first packet makes the record.
        (Mark::New, Some(_)) => Some(0),
        (Mark::None | Mark::Gone, _) | (_, None) => None,
    };
    let text = |was| format!("    {number} {}  [{}]", rule.text, step(was, packets));
    writer.rows.push(Row { ink: Ink::Plain, text: text(was), short: was.map(|_| text(None)), mark });
}

/// What this step did to a row that has its counters in a record of their own.
fn counted(row: Mark, count: Mark) -> Mark {
    if row == Mark::None && count != Mark::None { Mark::Changed } else { row }
}
