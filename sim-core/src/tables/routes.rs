//! Routing tables, rules and the lookup. Follows Linux `net/ipv4/fib_*`.
//!
//! A table keeps its routes by destination; a lookup asks once per prefix length in use, longest first, so it does not
//! grow with the number of routes or local addresses.
//!
//! # Not modelled
//! TOS, multipath routes, next-hop objects.

mod cache;
pub mod change;
mod pmtu;

use crate::base::id::{IfaceId, NodeId};
use crate::base::map::Lookup;
use crate::base::time::Instant;
use crate::tables::interfaces::{Interfaces, LOOPBACK};
use crate::trace::Why;
use crate::trace::record::{RouteKind, RouteRecord, RoutingRuleRecord, Scope};
pub use crate::trace::record::{RoutingRule as Rule, RuleAction};
use crate::trace::recorder::Change;
use crate::world::node::Cx;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Table `local`: addresses of this host and broadcast addresses; kept by the kernel.
pub const TABLE_LOCAL: u32 = 255;
/// Table `main`: where `ip route` works if no table is named.
pub const TABLE_MAIN: u32 = 254;
/// Table `default`.
pub const TABLE_DEFAULT: u32 = 253;
/// Routes a host may have in all tables together.
pub const ROUTES_MAX: usize = 262_144;

/// Routing tables and rules.
#[derive(Debug)]
pub struct Routes {
    node: NodeId,
    rules: Vec<Rule>,
    tables: BTreeMap<u32, Table>,
    learned: pmtu::Learned,
    count: usize,
    /// How many routes have a preferred source.
    by_source: Lookup<Ipv4Addr, u32>,
    /// How many local routes were typed.
    custom_local: usize,
    /// How often a rule, a route or a learned MTU changed.
    revision: u64,
    answers: cache::Cache<Question, Found>,
    kinds: cache::Cache<Ipv4Addr, Option<RouteKind>>,
}

/// A route in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteEntry {
    /// Table, destination, kind, gateway, interface, source, scope, metric.
    pub record: RouteRecord,
    /// `mtu` of the route, if one was given.
    pub mtu: Option<u32>,
    /// `onlink`: the gateway is taken to be on the link.
    pub onlink: bool,
}

/// The answer of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// What to do.
    pub kind: RouteKind,
    /// The interface to send by (for `Local`: the one that holds the address).
    pub iface: IfaceId,
    /// Whose MAC the frame goes to: the gateway, or the destination itself.
    pub next_hop: Ipv4Addr,
    /// The gateway, if there is one.
    pub gateway: Option<Ipv4Addr>,
    /// The source address for a packet of this host's own.
    pub source: Ipv4Addr,
    /// The largest packet this way takes, in octets: the interface's MTU or a learned path MTU.
    pub mtu: u32,
}

/// What a lookup is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Where to.
    pub destination: Ipv4Addr,
    /// Where from, if that is fixed.
    pub source: Option<Ipv4Addr>,
    /// The packet's mark.
    pub mark: u32,
    /// The interface it arrived on; `lo` for this host's own.
    pub iif: IfaceId,
    /// Only by this interface (a socket bound to a device).
    pub oif: Option<IfaceId>,
}

/// What the tables say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A way.
    Route(Route),
    /// A route or rule that refuses: `Unreachable`, `Prohibit` or `Blackhole`.
    Refused(RouteKind),
    /// No route.
    Nothing,
}

#[derive(Debug, Default)]
struct Table {
    /// By destination, ordered as `ip route` prints; the routes of one destination by metric.
    routes: BTreeMap<(Ipv4Addr, u8), Vec<RouteEntry>>,
    /// The same, for the lookup: the preferred usable routes.
    best: Lookup<(u32, u8), Vec<RouteEntry>>,
    /// Prefix lengths in use, as bits: bit n is length n.
    lengths: u64,
    /// How many destinations have each length.
    per_length: BTreeMap<u8, u32>,
}

impl Routes {
    /// The three standard rules and empty tables.
    pub(super) fn new(node: NodeId) -> Self {
        let rule = |priority, table| Rule {
            priority,
            from: None,
            to: None,
            mark: None,
            iif: None,
            action: RuleAction::Lookup(table),
        };
        Routes {
            node,
            rules: vec![rule(0, TABLE_LOCAL), rule(32_766, TABLE_MAIN), rule(32_767, TABLE_DEFAULT)],
            tables: BTreeMap::new(),
            learned: pmtu::Learned::default(),
            count: 0,
            by_source: Lookup::default(),
            custom_local: 0,
            revision: 0,
            answers: cache::Cache::default(),
            kinds: cache::Cache::default(),
        }
    }

    /// The host is switched on: its rules are there from the beginning.
    pub(super) fn start(&self, cx: &mut Cx) {
        self.rules.iter().for_each(|rule| self.note_rule(*rule, true, cx));
    }

    /// The host is switched off: its rules are gone.
    pub(super) fn switch_off(&self, cx: &mut Cx) {
        self.rules.iter().for_each(|rule| self.note_rule(*rule, false, cx));
    }

    fn note_rule(&self, rule: Rule, present: bool, cx: &mut Cx) {
        cx.change(Change::RoutingRule(RoutingRuleRecord { node: self.node, rule, present }));
    }

    /// The way to `destination`. `source` is the source address if it is fixed (a rule may look at it); the route's
    /// `source` is then the same.
    ///
    /// # Errors
    /// `RouteNone`, `RouteRefused`.
    pub fn lookup(
        &self,
        destination: Ipv4Addr,
        source: Option<Ipv4Addr>,
        mark: u32,
        interfaces: &Interfaces,
    ) -> Result<Route, Why> {
        match self.find(Question { destination, source, mark, iif: LOOPBACK, oif: None }, interfaces) {
            Found::Route(route) => Ok(route),
            Found::Refused(_) => Err(Why::RouteRefused { address: destination }),
            Found::Nothing => Err(Why::RouteNone { address: destination }),
        }
    }

    /// The way to `destination` by a given interface. Groups and the broadcast address need no route then, and a
    /// destination without one is taken to be on the link (Linux `ip_route_output_key_hash_rcu`).
    ///
    /// # Errors
    /// `InterfaceDown`, `RouteRefused`.
    pub fn lookup_by(
        &self,
        oif: IfaceId,
        destination: Ipv4Addr,
        source: Option<Ipv4Addr>,
        mark: u32,
        interfaces: &Interfaces,
    ) -> Result<Route, Why> {
        let interface = interfaces.get(oif).filter(|interface| interface.up).ok_or(Why::InterfaceDown)?;
        let everybody = destination.is_multicast() || destination.is_broadcast();
        if !everybody {
            match self.find(Question { destination, source, mark, iif: LOOPBACK, oif: Some(oif) }, interfaces) {
                Found::Route(route) => return Ok(route),
                Found::Refused(_) => return Err(Why::RouteRefused { address: destination }),
                Found::Nothing => {}
            }
        }
        let select = || interfaces.select_source(oif, Some(destination), Scope::Link).unwrap_or(Ipv4Addr::UNSPECIFIED);
        Ok(Route {
            kind: if destination.is_broadcast() { RouteKind::Broadcast } else { RouteKind::Unicast },
            iface: oif,
            next_hop: destination,
            gateway: None,
            source: source.unwrap_or_else(select),
            mtu: interface.mtu,
        })
    }

    /// The same as [`Routes::lookup`], with everything a rule can look at.
    pub fn find(&self, question: Question, interfaces: &Interfaces) -> Found {
        let revision = (self.revision, interfaces.revision);
        let source = question.source.map_or(0, Ipv4Addr::to_bits);
        let hint = u64::from(question.destination.to_bits()) << 32 | u64::from(source ^ u32::from(question.iif.0));
        self.answers.answer(hint, question, revision, || self.walk(question, interfaces))
    }

    fn walk(&self, question: Question, interfaces: &Interfaces) -> Found {
        for rule in &self.rules {
            if !rule.applies(&question) {
                continue;
            }
            let table = match rule.action {
                RuleAction::Lookup(table) => table,
                RuleAction::Unreachable => return Found::Refused(RouteKind::Unreachable),
                RuleAction::Prohibit => return Found::Refused(RouteKind::Prohibit),
                RuleAction::Blackhole => return Found::Refused(RouteKind::Blackhole),
            };
            let Some(entry) = self.tables.get(&table).and_then(|table| table.lookup(&question)) else { continue };
            return match entry.record.kind {
                RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole => {
                    Found::Refused(entry.record.kind)
                }
                RouteKind::Unicast | RouteKind::Local | RouteKind::Broadcast => {
                    Found::Route(self.answer(entry, &question, interfaces))
                }
            };
        }
        Found::Nothing
    }

    /// What kind of address this is by the `local` table: `Local`, `Broadcast`, or none for anything else.
    pub fn local_kind(&self, address: Ipv4Addr) -> Option<RouteKind> {
        self.kinds.answer(u64::from(address.to_bits()), address, (self.revision, 0), || {
            let question = Question { destination: address, source: None, mark: 0, iif: LOOPBACK, oif: None };
            self.tables.get(&TABLE_LOCAL)?.lookup(&question).map(|entry| entry.record.kind)
        })
    }

    /// Whether somebody typed rules or local routes: whether an address is this host's is then more than a list of its
    /// addresses.
    pub fn is_customised(&self) -> bool {
        self.custom_local > 0 || self.rules.len() != STANDARD_RULES
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The routes of a table, as `ip route show table …` orders them.
    pub fn table(&self, table: u32) -> impl Iterator<Item = &RouteEntry> {
        self.tables.get(&table).into_iter().flat_map(|table| table.routes.values().flatten())
    }

    /// The tables that have routes, by number.
    pub fn tables(&self) -> impl Iterator<Item = u32> {
        self.tables.iter().filter(|(_, table)| !table.routes.is_empty()).map(|(number, _)| *number)
    }

    /// The learned path MTUs: destination, MTU in octets, when it is forgotten; by address.
    pub fn learned(&self) -> impl Iterator<Item = (Ipv4Addr, u32, Instant)> {
        self.learned.iter()
    }

    fn answer(&self, entry: &RouteEntry, question: &Question, interfaces: &Interfaces) -> Route {
        let record = &entry.record;
        let iface = record.iface.unwrap_or(LOOPBACK);
        let next_hop = record.gateway.unwrap_or(question.destination);
        let source = question.source.or(record.source).unwrap_or_else(|| {
            let scope = if record.scope == Scope::Host { Scope::Host } else { Scope::Link };
            interfaces.select_source(iface, Some(next_hop), scope).unwrap_or(Ipv4Addr::UNSPECIFIED)
        });
        let link = if record.kind == RouteKind::Local { LOOPBACK } else { iface };
        let device_mtu = interfaces.get(link).map_or(1500, |interface| interface.mtu);
        let mtu = entry.mtu.unwrap_or(device_mtu).min(device_mtu);
        // A router looks at its link only (`ip_forward_use_pmtu` is 0); what it learned is for its own packets.
        let learned = if question.iif == LOOPBACK { self.learned.mtu(question.destination) } else { None };
        let mtu = learned.map_or(mtu, |learned| learned.min(mtu));
        Route { kind: record.kind, iface, next_hop, gateway: record.gateway, source, mtu }
    }
}

impl Rule {
    fn applies(&self, question: &Question) -> bool {
        let within = |net: &Option<Ipv4Net>, address: Option<Ipv4Addr>| match (net, address) {
            (None, _) => true,
            (Some(net), None) => net.prefix_len() == 0,
            (Some(net), Some(address)) => net.contains(&address),
        };
        within(&self.from, question.source)
            && within(&self.to, Some(question.destination))
            && self.mark.is_none_or(|(mark, mask)| question.mark & mask == mark & mask)
            && self.iif.is_none_or(|iif| iif == question.iif)
    }
}

impl Table {
    fn lookup(&self, question: &Question) -> Option<&RouteEntry> {
        let address = u32::from(question.destination);
        let mut lengths = self.lengths;
        while lengths != 0 {
            let length = 63 - lengths.leading_zeros();
            lengths &= !(1 << length);
            let network = address & mask(length);
            if let Some(entries) = self.best.get(&(network, length as u8)) {
                let by = |entry: &&RouteEntry| question.oif.is_none_or(|oif| entry.record.iface == Some(oif));
                if let Some(entry) = entries.iter().find(by) {
                    return Some(entry);
                }
            }
        }
        None
    }
}

const STANDARD_RULES: usize = 3;

fn mask(length: u32) -> u32 {
    if length == 0 { 0 } else { u32::MAX << (32 - length) }
}
