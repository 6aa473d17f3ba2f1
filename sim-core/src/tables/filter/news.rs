//! What the trace is told of chains and rules.
//!
//! Rules are changed by commands and daemons, counters by packets. Both write here what is new; the kernel takes it with
//! [`super::Filter::tell`] when the turn, or the packet's question, is over.

use crate::base::id::NodeId;
use crate::trace::record::{ChainCountRecord, ChainId, ChainRecord, Policy, RuleCountRecord, RuleRecord};
use crate::trace::recorder::Change;

/// What is new.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    pub(super) node: NodeId,
    pub(super) changes: Vec<Change>,
    /// Rules of `iptables` have even numbers, those of `arptables` odd ones.
    next_rule: u32,
}

/// A chain as the trace knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roll {
    id: ChainId,
    name: Box<str>,
    policy: Option<Policy>,
    /// The trace has heard of it.
    is_told: bool,
    /// The trace has heard how often the policy was applied.
    is_counted: bool,
    rules: Vec<Label>,
}

/// What the trace calls a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Label {
    rule: u32,
    order: u64,
    counted: bool,
}

/// The order of the first rule of a chain, and the distance to one put before or behind all others: 32,767 times
/// either way, and 48 times between the same two, there is room without numbering anew.
const FIRST: u64 = 1 << 63;
const GAP: u64 = 1 << 48;

impl News {
    pub(super) fn new(node: NodeId, first_rule: u32) -> Self {
        News { node, changes: Vec::new(), next_rule: first_rule }
    }

    fn write_rule(&mut self, chain: ChainId, label: Label, text: &str, present: bool) {
        let Label { rule, order, .. } = label;
        let record = RuleRecord { node: self.node, chain, order, rule, text: text.into(), present };
        self.changes.push(Change::Rule(record));
    }

    fn write_count(&mut self, rule: u32, (packets, bytes): (u64, u64), present: bool) {
        self.changes.push(Change::RuleCount(RuleCountRecord { node: self.node, rule, packets, bytes, present }));
    }
}

impl Roll {
    /// A chain that is built in has a policy. It is not told of before something happens to it.
    pub(super) fn new(id: ChainId, name: &str, policy: Option<Policy>) -> Self {
        Roll { id, name: name.into(), policy, is_told: false, is_counted: false, rules: Vec::new() }
    }

    /// Its number in its table.
    pub(super) fn number(&self) -> u16 {
        self.id.number
    }

    /// It has rules or another policy, or was made.
    pub(super) fn appear(&mut self, news: &mut News) {
        if !self.is_told {
            self.is_told = true;
            self.write(true, news);
        }
    }

    /// It was deleted, or the machine is off.
    pub(super) fn vanish(&mut self, news: &mut News) {
        self.clear(news);
        if std::mem::take(&mut self.is_counted) {
            self.write_policy_count((0, 0), false, news);
        }
        if std::mem::take(&mut self.is_told) {
            self.write(false, news);
        }
    }

    pub(super) fn set_policy(&mut self, policy: Policy, news: &mut News) {
        if self.policy != Some(policy) {
            self.policy = Some(policy);
            self.is_told = true;
            self.write(true, news);
        }
    }

    /// A rule was put in at this place, from 0. `texts` are all rules as they stand then.
    pub(super) fn insert(&mut self, at: usize, texts: impl Fn(usize) -> String, news: &mut News) {
        self.appear(news);
        let order = |at: usize| self.rules.get(at).map(|label| label.order);
        let between = match (at.checked_sub(1).and_then(order), order(at)) {
            (None, None) => Some(FIRST),
            (Some(before), None) => before.checked_add(GAP),
            (None, Some(after)) => after.checked_sub(GAP),
            (Some(before), Some(after)) => Some(before + (after - before) / 2).filter(|middle| *middle > before),
        };
        let label = Label { rule: news.next_rule, order: between.unwrap_or(FIRST), counted: false };
        news.next_rule += 2;
        self.rules.insert(at, label);
        if between.is_some() {
            news.write_rule(self.id, label, &texts(at), true);
            return;
        }
        for (place, label) in self.rules.iter().enumerate().filter(|(place, _)| *place != at) {
            news.write_rule(self.id, *label, &texts(place), false);
        }
        for (place, label) in self.rules.iter_mut().enumerate() {
            label.order = FIRST + place as u64 * GAP;
            news.write_rule(self.id, *label, &texts(place), true);
        }
    }

    /// The rule at this place, from 0, was deleted.
    pub(super) fn remove(&mut self, at: usize, news: &mut News) {
        let label = self.rules.remove(at);
        self.leave(label, news);
    }

    /// All rules were deleted.
    pub(super) fn clear(&mut self, news: &mut News) {
        for label in std::mem::take(&mut self.rules) {
            self.leave(label, news);
        }
    }

    /// The counters of the rule at this place, from 0, have these values.
    pub(super) fn count(&mut self, at: usize, counters: (u64, u64), news: &mut News) {
        let label = &mut self.rules[at];
        if label.counted || counters != (0, 0) {
            label.counted = true;
            news.write_count(label.rule, counters, true);
        }
    }

    /// The counters of the policy have these values.
    pub(super) fn count_policy(&mut self, counters: (u64, u64), news: &mut News) {
        if self.is_told && (self.is_counted || counters != (0, 0)) {
            self.is_counted = true;
            self.write_policy_count(counters, true, news);
        }
    }

    fn write_policy_count(&self, (packets, bytes): (u64, u64), present: bool, news: &mut News) {
        let record = ChainCountRecord { node: news.node, chain: self.id, packets, bytes, present };
        news.changes.push(Change::ChainCount(record));
    }

    fn leave(&self, label: Label, news: &mut News) {
        news.write_rule(self.id, label, "", false);
        if label.counted {
            news.write_count(label.rule, (0, 0), false);
        }
    }

    fn write(&self, present: bool, news: &mut News) {
        let (chain, name, policy) = (self.id, self.name.clone(), self.policy);
        news.changes.push(Change::Chain(ChainRecord { node: news.node, chain, name, policy, present }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::record::FilterTable;
    use std::collections::BTreeMap;

    /// What stands in the chain after these changes: texts by order.
    fn shown(news: &News) -> Vec<String> {
        let mut rules = BTreeMap::new();
        for change in &news.changes {
            let Change::Rule(record) = change else { continue };
            match record.present {
                true => assert_eq!(rules.insert(record.order, record.text.to_string()), None, "a place is taken once"),
                false => assert!(rules.remove(&record.order).is_some(), "only what stands there goes"),
            }
        }
        rules.into_values().collect()
    }

    #[test]
    fn rules_stand_in_the_trace_in_their_order_wherever_they_are_put() {
        let id = ChainId { table: FilterTable::Filter, number: 0 };
        let (mut roll, mut news) = (Roll::new(id, "INPUT", Some(Policy::Accept)), News::default());
        let mut rules: Vec<String> = Vec::new();
        for number in 0..300 {
            // Always before the last one: the room between two is soon used up.
            let at = if number % 3 == 0 { rules.len() } else { rules.len().saturating_sub(1) };
            rules.insert(at, format!("rule {number}"));
            roll.insert(at, |place| rules[place].clone(), &mut news);
            if number % 7 == 0 {
                rules.remove(0);
                roll.remove(0, &mut news);
            }
            assert_eq!(shown(&news), rules);
        }
    }
}
