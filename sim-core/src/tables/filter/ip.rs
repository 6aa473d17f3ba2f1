//! `iptables`: the tables filter, nat and mangle, as far as LVS guides use them. Follows Linux `ip_tables.c`.
//!
//! ```text
//!   PREROUTING  mangle                INPUT  mangle, filter        FORWARD  mangle, filter
//!   OUTPUT      mangle, filter        POSTROUTING  mangle (nat's rules are asked by `tables/nat`)
//! ```
//!
//! # Not modelled
//! Matches on connection state, limits, sets; targets DNAT, REDIRECT, LOG, TPROXY; the raw and security tables. The
//! command refuses them with a reason.

mod matching;
mod typed;

pub use matching::{MarkMatch, Matches, Ports, TcpFlags};
pub use typed::{REJECTIONS, TCP_FLAGS};

use super::news::{News, Roll};
use super::{Maybe, RULES_MAX, RuleError, place_of_new};
use crate::base::id::NodeId;
use crate::trace::Why;
pub use crate::trace::record::Policy;
use crate::trace::record::{ChainId, FilterTable};
use crate::trace::why::Hook;
use crate::wire::Ipv4Addr;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// The tables.
#[derive(Clone, Debug)]
pub struct IpTables {
    tables: [Vec<Chain>; 3],
    pub(super) news: News,
    /// The number of the next chain of a user's.
    next_chain: u16,
    /// By hook: there is a rule, or a policy that drops.
    busy: [bool; 5],
}

/// A table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// `-t filter`, the default.
    #[default]
    Filter,
    /// `-t nat`.
    Nat,
    /// `-t mangle`.
    Mangle,
}

/// A chain, built in or of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    roll: Roll,
    /// `INPUT`, or what the user called it.
    pub name: Box<str>,
    /// What becomes of packets at its end; none for a chain of the user's, which returns.
    pub policy: Option<Policy>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
    /// Packets that met the policy.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which packets.
    pub matches: Matches,
    /// What becomes of them.
    pub target: Target,
    /// Packets it was applied to.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// No target: counts only.
    Count,
    /// `-j ACCEPT`.
    Accept,
    /// `-j DROP`.
    Drop,
    /// `-j REJECT`.
    Reject(RejectWith),
    /// `-j RETURN`.
    Return,
    /// `-j CHAIN`.
    Jump(Box<str>),
    /// `-j MARK --set-mark VALUE/MASK`.
    Mark(MarkMatch),
    /// `-j MASQUERADE` (nat, POSTROUTING).
    Masquerade,
    /// `-j SNAT --to-source` (nat, POSTROUTING).
    Snat(Ipv4Addr),
}

/// How a packet is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectWith {
    /// ICMP type 3 with this code; 3 (port unreachable) if nothing was said.
    Unreachable(u8),
    /// `--reject-with tcp-reset`.
    TcpReset,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpVerdict {
    /// It goes on.
    Accept,
    /// It ends.
    Drop(Why),
    /// It ends and its sender is told.
    Reject(RejectWith, Why),
}

/// What nat's POSTROUTING says of a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    /// It keeps its source.
    None,
    /// The address of the interface it leaves by.
    Masquerade,
    /// This source.
    Source(Ipv4Addr),
}

/// A place in the chains where evaluation goes on after a jump.
#[derive(Clone, Copy)]
struct Place {
    chain: usize,
    rule: usize,
}

const DEPTH_MAX: usize = 16;
const HOOKS: [Hook; 5] = [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

impl Default for IpTables {
    fn default() -> Self {
        IpTables::new(NodeId::default())
    }
}

impl IpTables {
    /// The tables of a host, without rules.
    pub(super) fn new(node: NodeId) -> Self {
        let chains = |table: Table, hooks: &[Hook]| {
            let chain = |(number, hook): (u16, &Hook)| table.chain(number, hook.chain(), Some(Policy::Accept));
            (0..).zip(hooks).map(chain).collect()
        };
        IpTables {
            tables: [
                chains(Table::Filter, &[Hook::Input, Hook::Forward, Hook::Output]),
                chains(Table::Nat, &[Hook::Prerouting, Hook::Input, Hook::Output, Hook::Postrouting]),
                chains(Table::Mangle, &HOOKS),
            ],
            news: News::new(node, 2),
            next_chain: HOOKS.len() as u16,
            busy: [false; 5],
        }
    }

    // ── the packet path ──

    /// Whether nothing at this hook can say anything but yes: the path then skips it.
    pub fn is_idle(&self, hook: Hook) -> bool {
        !self.busy[hook as usize]
    }

    /// What mangle and filter say about a packet at this hook, by the names of the interfaces it came by and leaves by.
    /// MARK sets the packet's mark.
    pub fn evaluate(&mut self, hook: Hook, packet: &mut Packet, ifaces: (&str, &str), cx: &mut Cx) -> IpVerdict {
        for table in [Table::Mangle, Table::Filter] {
            let verdict = self.run(table, hook, packet, ifaces, cx);
            match verdict {
                Ended::Accept => {}
                Ended::Drop(why) => return IpVerdict::Drop(why),
                Ended::Reject(with, why) => return IpVerdict::Reject(with, why),
                Ended::Translate(_) => unreachable!("only nat's chains take targets of nat"),
            }
        }
        IpVerdict::Accept
    }

    /// Whether nat has rules for new flows.
    pub fn translates(&self) -> bool {
        self.tables[Table::Nat as usize].iter().any(|chain| !chain.rules.is_empty())
    }

    /// What nat's POSTROUTING says of the first packet of a flow.
    ///
    /// # Errors
    /// If a rule drops it.
    pub fn translation(&mut self, packet: &mut Packet, ifaces: (&str, &str), cx: &mut Cx) -> Result<Translation, Why> {
        match self.run(Table::Nat, Hook::Postrouting, packet, ifaces, cx) {
            Ended::Accept => Ok(Translation::None),
            Ended::Translate(translation) => Ok(translation),
            Ended::Drop(why) | Ended::Reject(_, why) => Err(why),
        }
    }

    fn run(&mut self, table: Table, hook: Hook, packet: &mut Packet, ifaces: (&str, &str), cx: &mut Cx) -> Ended {
        let chains = &mut self.tables[table as usize];
        let Some(first) = chains.iter().position(|chain| chain.policy.is_some() && &*chain.name == hook.chain()) else {
            return Ended::Accept;
        };
        let octets = packet.bytes().len() as u64;
        let mut stack = [Place { chain: 0, rule: 0 }; DEPTH_MAX];
        let mut depth = 0;
        let mut at = Place { chain: first, rule: 0 };
        loop {
            let chain = &mut chains[at.chain];
            let Some(rule) = chain.rules.get_mut(at.rule) else {
                if depth > 0 {
                    depth -= 1;
                    at = stack[depth];
                    continue;
                }
                return chains[first].by_policy(octets, hook, &mut self.news);
            };
            at.rule += 1;
            if !rule.matches.hold(packet, ifaces) {
                continue;
            }
            rule.packets += 1;
            rule.bytes += octets;
            let counters = (rule.packets, rule.bytes);
            chain.roll.count(at.rule - 1, counters, &mut self.news);
            let number = at.rule as u16;
            let why = Why::Filtered { rule: number, hook };
            match &rule.target {
                Target::Count => {}
                Target::Accept => return Ended::Accept,
                Target::Drop => return Ended::Drop(why),
                Target::Reject(with) => return Ended::Reject(*with, why),
                Target::Mark(mark) => {
                    packet.mark = (packet.mark & !mark.mask) | mark.value;
                    cx.note(Why::Marked { mark: packet.mark, rule: number });
                }
                Target::Masquerade => return Ended::Translate(Translation::Masquerade),
                Target::Snat(to) => return Ended::Translate(Translation::Source(*to)),
                Target::Return if depth > 0 => {
                    depth -= 1;
                    at = stack[depth];
                }
                Target::Return => return chains[first].by_policy(octets, hook, &mut self.news),
                Target::Jump(name) => {
                    let target = name.clone();
                    let chain = chains.iter().position(|chain| chain.name == target);
                    let chain = chain.expect("a jump is only taken into the rules if its chain exists");
                    assert!(depth < DEPTH_MAX, "jumps are checked for depth when they are typed");
                    stack[depth] = at;
                    depth += 1;
                    at = Place { chain, rule: 0 };
                }
            }
        }
    }

    // ── the command ──

    /// The chains of a table, built-in ones first.
    pub fn chains(&self, table: Table) -> &[Chain] {
        &self.tables[table as usize]
    }

    /// `-A`, or `-I` before rule `at` (from 0).
    ///
    /// # Errors
    /// If chain, place or target are not possible.
    pub fn insert(&mut self, table: Table, chain: &str, at: Option<usize>, rule: Rule) -> Result<(), RuleError> {
        self.allow(table, chain, &rule)?;
        let (chain, news) = self.chain_mut(table, chain)?;
        let at = place_of_new(at, chain.rules.len())?;
        chain.rules.insert(at, rule);
        chain.roll.insert(at, |at| chain.rules[at].to_string(), news);
        self.look_again();
        Ok(())
    }

    /// `-D` of the first rule with these matches and this target.
    ///
    /// # Errors
    /// If there is none.
    pub fn delete(&mut self, table: Table, chain: &str, matches: &Matches, target: &Target) -> Result<(), RuleError> {
        let (found, _) = self.chain_mut(table, chain)?;
        let at = found.rules.iter().position(|rule| rule.matches == *matches && rule.target == *target);
        self.delete_at(table, chain, at.ok_or(RuleError::NoRule)?)
    }

    /// `-D CHAIN n` (from 0).
    ///
    /// # Errors
    /// If there is none.
    pub fn delete_at(&mut self, table: Table, chain: &str, at: usize) -> Result<(), RuleError> {
        let (chain, news) = self.chain_mut(table, chain)?;
        if at >= chain.rules.len() {
            return Err(RuleError::NoSuchIndex);
        }
        chain.rules.remove(at);
        chain.roll.remove(at, news);
        self.look_again();
        Ok(())
    }

    /// `-F`: all rules of a chain, or of all chains.
    ///
    /// # Errors
    /// If there is no such chain.
    pub fn flush(&mut self, table: Table, chain: Option<&str>) -> Result<(), RuleError> {
        self.each(table, chain, Chain::flush)?;
        self.look_again();
        Ok(())
    }

    /// `-P`.
    ///
    /// # Errors
    /// If the chain is not built in.
    pub fn set_policy(&mut self, table: Table, chain: &str, policy: Policy) -> Result<(), RuleError> {
        let (chain, news) = self.chain_mut(table, chain).map_err(|_| RuleError::NotBuiltIn)?;
        chain.policy.as_mut().map(|old| *old = policy).ok_or(RuleError::NotBuiltIn)?;
        chain.roll.set_policy(policy, news);
        self.look_again();
        Ok(())
    }

    /// `-N`.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn new_chain(&mut self, table: Table, name: &str) -> Result<(), RuleError> {
        let chains = &mut self.tables[table as usize];
        if chains.iter().any(|chain| &*chain.name == name) {
            return Err(RuleError::ChainExists);
        }
        if chains.len() >= RULES_MAX {
            return Err(RuleError::TooManyLinks);
        }
        let mut chain = table.chain(self.next_chain, name, None);
        chain.roll.appear(&mut self.news);
        chains.push(chain);
        // A number that is in use is not given twice: there are never more than 4,096 chains.
        while chains.iter().any(|chain| chain.roll.number() == self.next_chain) {
            self.next_chain = self.next_chain.checked_add(1).unwrap_or(HOOKS.len() as u16);
        }
        Ok(())
    }

    /// `-X`: a chain of the user's, or all of them that can go.
    ///
    /// # Errors
    /// If it has rules or is jumped to.
    pub fn delete_chain(&mut self, table: Table, name: Option<&str>) -> Result<(), RuleError> {
        let chains = &self.tables[table as usize];
        let going: Vec<Box<str>> = match name {
            Some(name) => vec![name.into()],
            None => chains.iter().filter(|chain| chain.policy.is_none()).map(|chain| chain.name.clone()).collect(),
        };
        for name in going {
            let chains = &mut self.tables[table as usize];
            let at = chains.iter().position(|chain| chain.name == name && chain.policy.is_none());
            let at = at.ok_or(RuleError::NoChain)?;
            if !chains[at].rules.is_empty() {
                return Err(RuleError::ChainNotEmpty);
            }
            let leads_here = |rule: &Rule| matches!(&rule.target, Target::Jump(to) if *to == name);
            if chains.iter().any(|chain| chain.rules.iter().any(leads_here)) {
                return Err(RuleError::TooManyLinks);
            }
            chains.remove(at).roll.vanish(&mut self.news);
        }
        Ok(())
    }

    /// `-Z`.
    ///
    /// # Errors
    /// If there is no such chain.
    pub fn zero(&mut self, table: Table, chain: Option<&str>) -> Result<(), RuleError> {
        self.each(table, chain, Chain::zero)
    }

    /// The machine is off.
    pub(super) fn vanish(&mut self) {
        self.tables.iter_mut().flatten().for_each(|chain| chain.roll.vanish(&mut self.news));
    }

    fn each(
        &mut self,
        table: Table,
        chain: Option<&str>,
        does: impl Fn(&mut Chain, &mut News),
    ) -> Result<(), RuleError> {
        match chain {
            Some(chain) => {
                let (chain, news) = self.chain_mut(table, chain)?;
                does(chain, news);
            }
            None => self.tables[table as usize].iter_mut().for_each(|chain| does(chain, &mut self.news)),
        }
        Ok(())
    }

    fn chain_mut(&mut self, table: Table, name: &str) -> Result<(&mut Chain, &mut News), RuleError> {
        let found = self.tables[table as usize].iter_mut().find(|chain| &*chain.name == name);
        Ok((found.ok_or(RuleError::NoChain)?, &mut self.news))
    }

    /// Whether the rule's target may stand in this chain.
    fn allow(&self, table: Table, chain: &str, rule: &Rule) -> Result<(), RuleError> {
        let in_nat = table == Table::Nat;
        match &rule.target {
            Target::Masquerade | Target::Snat(_) if !in_nat || chain != "POSTROUTING" => Err(RuleError::Invalid),
            Target::Mark(_) if table != Table::Mangle => Err(RuleError::Invalid),
            Target::Reject(_) if table != Table::Filter => Err(RuleError::Invalid),
            Target::Reject(RejectWith::TcpReset) => match rule.matches.protocol {
                Some(Maybe { value: 6, inverted: false }) => Ok(()),
                _ => Err(RuleError::Invalid),
            },
            Target::Jump(to) => self.allow_jump(table, chain, to),
            _ => Ok(()),
        }
    }

    fn allow_jump(&self, table: Table, from: &str, to: &str) -> Result<(), RuleError> {
        let chains = &self.tables[table as usize];
        let target = chains.iter().find(|chain| &*chain.name == to && chain.policy.is_none());
        let mut reached: Vec<&Chain> = vec![target.ok_or(RuleError::NoChain)?];
        for depth in 0.. {
            if reached.is_empty() {
                return Ok(());
            }
            if depth >= DEPTH_MAX / 2 || reached.iter().any(|chain| &*chain.name == from) {
                return Err(RuleError::Loop);
            }
            let jumps = reached.iter().flat_map(|chain| &chain.rules).filter_map(|rule| match &rule.target {
                Target::Jump(to) => Some(to),
                _ => None,
            });
            let mut names: Vec<_> = jumps.collect();
            names.sort();
            names.dedup();
            reached = chains.iter().filter(|chain| names.contains(&&chain.name)).collect();
        }
        Ok(())
    }

    fn look_again(&mut self) {
        for hook in HOOKS {
            let speaks = |table: Table| {
                let chains = &self.tables[table as usize];
                let chain = chains.iter().find(|chain| chain.policy.is_some() && &*chain.name == hook.chain());
                chain.is_some_and(|chain| !chain.rules.is_empty() || chain.policy == Some(Policy::Drop))
            };
            self.busy[hook as usize] = speaks(Table::Filter) || speaks(Table::Mangle);
        }
    }
}

/// How the run through a table's chains ended.
enum Ended {
    Accept,
    Drop(Why),
    Reject(RejectWith, Why),
    Translate(Translation),
}

impl Chain {
    fn flush(&mut self, news: &mut News) {
        self.rules.clear();
        self.roll.clear(news);
    }

    fn zero(&mut self, news: &mut News) {
        (self.packets, self.bytes) = (0, 0);
        self.roll.count_policy((0, 0), news);
        for (at, rule) in self.rules.iter_mut().enumerate() {
            (rule.packets, rule.bytes) = (0, 0);
            self.roll.count(at, (0, 0), news);
        }
    }

    fn by_policy(&mut self, octets: u64, hook: Hook, news: &mut News) -> Ended {
        self.packets += 1;
        self.bytes += octets;
        self.roll.count_policy((self.packets, self.bytes), news);
        match self.policy {
            Some(Policy::Drop) => Ended::Drop(Why::Filtered { rule: 0, hook }),
            Some(Policy::Accept) | None => Ended::Accept,
        }
    }
}

impl Table {
    fn chain(self, number: u16, name: &str, policy: Option<Policy>) -> Chain {
        let table = match self {
            Table::Filter => FilterTable::Filter,
            Table::Nat => FilterTable::Nat,
            Table::Mangle => FilterTable::Mangle,
        };
        let roll = Roll::new(ChainId { table, number }, name, policy);
        Chain { roll, name: name.into(), policy, rules: Vec::new(), packets: 0, bytes: 0 }
    }
}

impl Hook {
    /// The name of its built-in chains.
    pub const fn chain(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(target: Target) -> Rule {
        Rule { matches: Matches::default(), target, packets: 0, bytes: 0 }
    }

    #[test]
    fn a_chain_cannot_jump_to_itself_by_any_way() {
        let mut tables = IpTables::default();
        for name in ["one", "two"] {
            tables.new_chain(Table::Filter, name).unwrap();
        }
        assert_eq!(tables.insert(Table::Filter, "one", None, rule(Target::Jump("two".into()))), Ok(()));
        let back = tables.insert(Table::Filter, "two", None, rule(Target::Jump("one".into())));
        assert_eq!(back, Err(RuleError::Loop));
    }

    #[test]
    fn targets_stand_only_where_they_mean_something() {
        let mut tables = IpTables::default();
        let masquerade =
            |table, chain, tables: &mut IpTables| tables.insert(table, chain, None, rule(Target::Masquerade));
        assert_eq!(masquerade(Table::Nat, "POSTROUTING", &mut tables), Ok(()));
        assert_eq!(masquerade(Table::Filter, "INPUT", &mut tables), Err(RuleError::Invalid));
        assert_eq!(masquerade(Table::Nat, "NOWHERE", &mut tables), Err(RuleError::Invalid));
    }

    #[test]
    fn a_hook_without_rules_is_idle() {
        let mut tables = IpTables::default();
        assert!(tables.is_idle(Hook::Input));
        tables.set_policy(Table::Filter, "INPUT", Policy::Drop).unwrap();
        assert!(!tables.is_idle(Hook::Input) && tables.is_idle(Hook::Output));
        tables.set_policy(Table::Filter, "INPUT", Policy::Accept).unwrap();
        assert!(tables.is_idle(Hook::Input));
    }
}
