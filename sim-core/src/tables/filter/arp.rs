//! `arptables`: the chains INPUT and OUTPUT for ARP messages. Follows Linux `arp_tables.c` and `arpt_mangle.c`.
//!
//! The legacy and the nft variant keep rules of their own; a message meets both.
//!
//! # Not modelled
//! The FORWARD chain (bridges only), chains of the user's, `--h-length`, `--range` and the like.

mod typed;

use super::news::{News, Roll};
use super::{IfaceName, Maybe, RuleError, place_of_new};
use crate::base::id::NodeId;
use crate::trace::record::{ChainId, FilterTable, Policy};
use crate::wire::{Ipv4Addr, Mac};
use ipnet::Ipv4Net;

/// The rules of both variants.
#[derive(Clone, Debug)]
pub struct ArpTables {
    variants: [[ArpChain; 2]; 2],
    pub(super) news: News,
}

/// Which program's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `arptables-legacy`, and `arptables` before Debian 10.
    Legacy,
    /// `arptables-nft`.
    Nft,
}

/// A chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpHook {
    /// Messages that came in (`IN`, `INPUT`).
    Input,
    /// Messages of this host (`OUT`, `OUTPUT`).
    Output,
}

/// The rules of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArpChain {
    roll: Roll,
    /// The rules, in order.
    pub rules: Vec<ArpRule>,
    /// `-P DROP`.
    pub drops_by_default: bool,
    /// Messages that came to the end.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArpRule {
    /// Which messages.
    pub matches: ArpMatches,
    /// What becomes of them.
    pub target: ArpTarget,
    /// Messages it was applied to.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
}

/// Which messages a rule is about. An empty field matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArpMatches {
    /// `-s`: the sender's protocol address.
    pub source: Option<Maybe<Ipv4Net>>,
    /// `-d`: the target's protocol address.
    pub destination: Option<Maybe<Ipv4Net>>,
    /// `--source-mac`: the sender's hardware address.
    pub source_mac: Option<Maybe<Mac>>,
    /// `-i`.
    pub in_iface: Option<Maybe<IfaceName>>,
    /// `-o`.
    pub out_iface: Option<Maybe<IfaceName>>,
    /// `--opcode`: 1 request, 2 reply.
    pub opcode: Option<Maybe<u16>>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpTarget {
    /// `-j ACCEPT`.
    Accept,
    /// `-j DROP`.
    Drop,
    /// `-j CONTINUE`, or no target: counts only.
    Continue,
    /// `-j mangle`: other addresses are written, then the message is accepted.
    Mangle {
        /// `--mangle-ip-s`.
        sender: Option<Ipv4Addr>,
        /// `--mangle-ip-d`.
        target: Option<Ipv4Addr>,
        /// `--mangle-target DROP`: dropped after all.
        then_drop: bool,
    },
}

/// A message as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct ArpView<'a> {
    /// The interface it came by or leaves by.
    pub iface: &'a str,
    /// 1 request, 2 reply.
    pub opcode: u16,
    /// The sender's MAC.
    pub sender_mac: Mac,
    /// The sender's address.
    pub sender: Ipv4Addr,
    /// The target's address.
    pub target: Ipv4Addr,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpVerdict {
    /// It goes on as it is.
    Accept,
    /// It ends, by this rule (from 1; 0: the policy).
    Drop {
        /// The rule.
        rule: u16,
    },
    /// It goes on with other addresses.
    Mangle {
        /// The sender's new address.
        sender: Option<Ipv4Addr>,
        /// The target's new address.
        target: Option<Ipv4Addr>,
        /// The rule, from 1.
        rule: u16,
    },
}

/// Octets of an ARP message, as the counters count them.
const MESSAGE: u64 = 28;

impl Default for ArpTables {
    fn default() -> Self {
        ArpTables::new(NodeId::default())
    }
}

impl ArpTables {
    /// The tables of a host, without rules.
    pub(super) fn new(node: NodeId) -> Self {
        let chains = |table| {
            [("INPUT", 0), ("OUTPUT", 1)].map(|(name, number)| ArpChain {
                roll: Roll::new(ChainId { table, number }, name, Some(Policy::Accept)),
                rules: Vec::new(),
                drops_by_default: false,
                packets: 0,
                bytes: 0,
            })
        };
        let variants = [chains(FilterTable::ArpLegacy), chains(FilterTable::ArpNft)];
        ArpTables { variants, news: News::new(node, 1) }
    }

    /// The rules of one chain of one variant.
    pub fn chain(&self, variant: Variant, hook: ArpHook) -> &ArpChain {
        &self.variants[variant as usize][hook as usize]
    }

    /// `-A`, or `-I` before rule `at` (from 0).
    ///
    /// # Errors
    /// If there is no such place, or the chain is full.
    pub fn insert(
        &mut self,
        variant: Variant,
        hook: ArpHook,
        at: Option<usize>,
        rule: ArpRule,
    ) -> Result<(), RuleError> {
        let (chain, news) = self.chain_mut(variant, hook);
        let at = place_of_new(at, chain.rules.len())?;
        chain.rules.insert(at, rule);
        chain.roll.insert(at, |at| chain.rules[at].typed(None).trim_end().to_string(), news);
        Ok(())
    }

    /// `-D` of the first rule with these matches and this target.
    ///
    /// # Errors
    /// If there is none.
    pub fn delete(
        &mut self,
        variant: Variant,
        hook: ArpHook,
        matches: &ArpMatches,
        target: &ArpTarget,
    ) -> Result<(), RuleError> {
        let rules = &self.chain(variant, hook).rules;
        let found = rules.iter().position(|rule| rule.matches == *matches && rule.target == *target);
        self.delete_at(variant, hook, found.ok_or(RuleError::NoRule)?)
    }

    /// `-D CHAIN n` (from 0).
    ///
    /// # Errors
    /// If there is none.
    pub fn delete_at(&mut self, variant: Variant, hook: ArpHook, at: usize) -> Result<(), RuleError> {
        let (chain, news) = self.chain_mut(variant, hook);
        if at >= chain.rules.len() {
            return Err(RuleError::NoIndex);
        }
        chain.rules.remove(at);
        chain.roll.remove(at, news);
        Ok(())
    }

    /// `-P`.
    pub fn set_policy(&mut self, variant: Variant, hook: ArpHook, drops: bool) {
        let (chain, news) = self.chain_mut(variant, hook);
        chain.drops_by_default = drops;
        chain.roll.set_policy(if drops { Policy::Drop } else { Policy::Accept }, news);
    }

    /// `-F`: all rules of a chain.
    pub fn flush(&mut self, variant: Variant, hook: ArpHook) {
        let (chain, news) = self.chain_mut(variant, hook);
        chain.rules.clear();
        chain.roll.clear(news);
    }

    /// `-Z`: the counters of a chain.
    pub fn zero(&mut self, variant: Variant, hook: ArpHook) {
        let (chain, news) = self.chain_mut(variant, hook);
        (chain.packets, chain.bytes) = (0, 0);
        chain.roll.count_policy((0, 0), news);
        for (at, rule) in chain.rules.iter_mut().enumerate() {
            (rule.packets, rule.bytes) = (0, 0);
            chain.roll.count(at, (0, 0), news);
        }
    }

    /// The machine is off.
    pub(super) fn vanish(&mut self) {
        self.variants.iter_mut().flatten().for_each(|chain| chain.roll.vanish(&mut self.news));
    }

    fn chain_mut(&mut self, variant: Variant, hook: ArpHook) -> (&mut ArpChain, &mut News) {
        (&mut self.variants[variant as usize][hook as usize], &mut self.news)
    }

    /// Whether a variant has rules: the other one's listing warns of them.
    pub fn has_rules(&self, variant: Variant) -> bool {
        self.variants[variant as usize].iter().any(|chain| !chain.rules.is_empty())
    }

    /// Whether any variant has rules.
    pub fn has_any_rules(&self) -> bool {
        self.variants.iter().flatten().any(|chain| !chain.rules.is_empty())
    }

    /// What the rules say about a message at this hook.
    pub fn evaluate(&mut self, hook: ArpHook, message: &ArpView) -> ArpVerdict {
        let mut verdict = ArpVerdict::Accept;
        for variant in &mut self.variants {
            match variant[hook as usize].evaluate(hook, message, &mut self.news) {
                ArpVerdict::Accept => {}
                ArpVerdict::Drop { rule } => return ArpVerdict::Drop { rule },
                mangled @ ArpVerdict::Mangle { .. } => verdict = mangled,
            }
        }
        verdict
    }
}

impl ArpChain {
    fn evaluate(&mut self, hook: ArpHook, message: &ArpView, news: &mut News) -> ArpVerdict {
        for (number, rule) in (1u16..).zip(&mut self.rules) {
            if !rule.matches.hold(hook, message) {
                continue;
            }
            rule.packets += 1;
            rule.bytes += MESSAGE;
            self.roll.count(usize::from(number) - 1, (rule.packets, rule.bytes), news);
            match rule.target {
                ArpTarget::Accept => return ArpVerdict::Accept,
                ArpTarget::Drop | ArpTarget::Mangle { then_drop: true, .. } => {
                    return ArpVerdict::Drop { rule: number };
                }
                ArpTarget::Continue => {}
                ArpTarget::Mangle { sender, target, then_drop: false } => {
                    return ArpVerdict::Mangle { sender, target, rule: number };
                }
            }
        }
        self.packets += 1;
        self.bytes += MESSAGE;
        self.roll.count_policy((self.packets, self.bytes), news);
        if self.drops_by_default { ArpVerdict::Drop { rule: 0 } } else { ArpVerdict::Accept }
    }
}

impl ArpMatches {
    fn hold(&self, hook: ArpHook, message: &ArpView) -> bool {
        let (iface, other_iface) = match hook {
            ArpHook::Input => (&self.in_iface, &self.out_iface),
            ArpHook::Output => (&self.out_iface, &self.in_iface),
        };
        other_iface.as_ref().is_none_or(|name| name.holds(|name| name.covers("")))
            && iface.as_ref().is_none_or(|name| name.holds(|name| name.covers(message.iface)))
            && self.source.as_ref().is_none_or(|net| net.holds(|net| net.contains(&message.sender)))
            && self.destination.as_ref().is_none_or(|net| net.holds(|net| net.contains(&message.target)))
            && self.source_mac.as_ref().is_none_or(|mac| mac.holds(|mac| *mac == message.sender_mac))
            && self.opcode.as_ref().is_none_or(|opcode| opcode.holds(|opcode| *opcode == message.opcode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 100);
    const RIP: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 21);

    fn rule(matches: ArpMatches, target: ArpTarget) -> ArpRule {
        ArpRule { matches, target, packets: 0, bytes: 0 }
    }

    fn one(address: Ipv4Addr) -> Option<Maybe<Ipv4Net>> {
        Some(Maybe::is(Ipv4Net::from(address)))
    }

    fn message(sender: Ipv4Addr, target: Ipv4Addr) -> ArpView<'static> {
        ArpView { iface: "eth0", opcode: 1, sender_mac: Mac([2, 0, 0, 0, 0, 1]), sender, target }
    }

    fn cured() -> ArpTables {
        let mut tables = ArpTables::default();
        let dropped = rule(ArpMatches { destination: one(VIP), ..ArpMatches::default() }, ArpTarget::Drop);
        tables.insert(Variant::Legacy, ArpHook::Input, None, dropped).unwrap();
        let target = ArpTarget::Mangle { sender: Some(RIP), target: None, then_drop: false };
        let mangled = rule(ArpMatches { source: one(VIP), ..ArpMatches::default() }, target);
        tables.insert(Variant::Nft, ArpHook::Output, None, mangled).unwrap();
        tables
    }

    #[test]
    fn a_question_for_the_vip_is_dropped_and_counted() {
        let mut tables = cured();
        let verdict = tables.evaluate(ArpHook::Input, &message(Ipv4Addr::new(10, 0, 2, 1), VIP));
        assert_eq!(verdict, ArpVerdict::Drop { rule: 1 });
        assert_eq!(tables.chain(Variant::Legacy, ArpHook::Input).rules[0].packets, 1);
        assert_eq!(tables.evaluate(ArpHook::Input, &message(Ipv4Addr::new(10, 0, 2, 1), RIP)), ArpVerdict::Accept);
    }

    #[test]
    fn a_question_in_the_vips_name_gets_the_servers_own() {
        let verdict = cured().evaluate(ArpHook::Output, &message(VIP, Ipv4Addr::new(10, 0, 2, 1)));
        assert_eq!(verdict, ArpVerdict::Mangle { sender: Some(RIP), target: None, rule: 1 });
    }
}
