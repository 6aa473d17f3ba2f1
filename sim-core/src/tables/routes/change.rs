//! Adding, replacing and deleting routes and rules, with the kernel's checks (`fib_check_nh`, `fib_table_insert`).

use super::{Found, Question, ROUTES_MAX, RouteEntry, Routes, Rule, RuleAction, TABLE_MAIN, Table, pmtu};
use crate::base::id::IfaceId;
use crate::base::time::Instant;
use crate::tables::interfaces::{Interfaces, LOOPBACK};
use crate::tables::refusal::Refusal;
use crate::trace::record::{RouteKind, RouteRecord, Scope};
use crate::trace::recorder::Change;
use crate::world::node::Cx;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A route as `ip route add` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoute {
    /// The table.
    pub table: u32,
    /// What it is for; 0.0.0.0/0 is `default`.
    pub destination: Ipv4Net,
    /// What it does.
    pub kind: RouteKind,
    /// The router.
    pub gateway: Option<Ipv4Addr>,
    /// The interface; found through the gateway if not given.
    pub iface: Option<IfaceId>,
    /// Preferred source address.
    pub source: Option<Ipv4Addr>,
    /// How far; none: global with a gateway, link without one, host for local routes, as `ip` chooses.
    pub scope: Option<Scope>,
    /// Smaller is preferred.
    pub metric: u32,
    /// The route's own MTU.
    pub mtu: Option<u32>,
    /// Do not check that the gateway is on a link.
    pub onlink: bool,
    /// `proto kernel`.
    pub by_kernel: bool,
}

/// What to do if a route of the same destination and metric is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `ip route add`: refuse.
    Add,
    /// `ip route replace`: take its place.
    Replace,
    /// `ip route change`: take its place; refuse if there is none.
    Change,
    /// `ip route append`: stand behind it.
    Append,
    /// `ip route prepend`: stand before it.
    Prepend,
}

/// Which routes `ip route del`, `flush` and `show` mean: everything that is given must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The table; `main` if none.
    pub table: Option<u32>,
    /// The destination, exactly.
    pub destination: Option<Ipv4Net>,
    /// The kind.
    pub kind: Option<RouteKind>,
    /// The gateway.
    pub gateway: Option<Ipv4Addr>,
    /// The interface.
    pub iface: Option<IfaceId>,
    /// The preferred source.
    pub source: Option<Ipv4Addr>,
    /// The scope.
    pub scope: Option<Scope>,
    /// The metric.
    pub metric: Option<u32>,
    /// `proto kernel` or not.
    pub by_kernel: Option<bool>,
}

impl NewRoute {
    /// A unicast route in `main` and nothing else given.
    pub fn to(destination: Ipv4Net) -> Self {
        NewRoute {
            table: TABLE_MAIN,
            destination,
            kind: RouteKind::Unicast,
            gateway: None,
            iface: None,
            source: None,
            scope: None,
            metric: 0,
            mtu: None,
            onlink: false,
            by_kernel: false,
        }
    }
}

impl Pattern {
    /// Whether a route is meant (its table is not looked at).
    pub fn matches(&self, entry: &RouteEntry) -> bool {
        fn agrees<T: PartialEq>(wanted: &Option<T>, value: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        }
        let record = &entry.record;
        agrees(&self.destination, &record.destination)
            && agrees(&self.kind, &record.kind)
            && self.gateway.is_none_or(|gateway| record.gateway == Some(gateway))
            && self.iface.is_none_or(|iface| record.iface == Some(iface))
            && self.source.is_none_or(|source| record.source == Some(source))
            && agrees(&self.scope, &record.scope)
            && agrees(&self.metric, &record.metric)
            && agrees(&self.by_kernel, &record.by_kernel)
    }
}

impl Routes {
    /// `ip route add`, `replace`, `change`, `append`, `prepend`.
    ///
    /// # Errors
    /// `Exists`, `NotFound`, `Invalid`, `NoDevice`, `Down`, `InvalidGateway`, `InvalidSource`, `TooMany`.
    pub fn add(&mut self, new: NewRoute, how: How, interfaces: &Interfaces, cx: &mut Cx) -> Result<(), Refusal> {
        if new.destination.trunc() != new.destination {
            return Err(Refusal::Invalid);
        }
        if self.count >= ROUTES_MAX {
            return Err(Refusal::TooMany);
        }
        let scope = new.scope.unwrap_or(match new.kind {
            RouteKind::Local => Scope::Host,
            RouteKind::Broadcast => Scope::Link,
            RouteKind::Unicast if new.gateway.is_none() => Scope::Link,
            RouteKind::Unicast | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole => Scope::Global,
        });
        let refuses = matches!(new.kind, RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole);
        let iface = if refuses {
            if new.gateway.is_some() || new.iface.is_some() {
                return Err(Refusal::Invalid);
            }
            None
        } else {
            Some(self.next_hop_device(&new, scope, interfaces)?)
        };
        if let Some(source) = new.source
            && self.local_kind(source) != Some(RouteKind::Local)
            && interfaces.local(source).is_none()
        {
            return Err(Refusal::InvalidSource);
        }
        let entry = RouteEntry {
            record: RouteRecord {
                node: self.node,
                table: new.table,
                destination: new.destination,
                kind: new.kind,
                gateway: new.gateway,
                iface,
                source: new.source,
                scope,
                metric: new.metric,
                by_kernel: new.by_kernel,
                present: true,
            },
            mtu: new.mtu,
            onlink: new.onlink,
        };
        self.insert(entry, how, cx)
    }

    /// `ip route del`: the first route that matches.
    ///
    /// # Errors
    /// `NoSuchRoute`.
    pub fn delete(&mut self, pattern: &Pattern, cx: &mut Cx) -> Result<(), Refusal> {
        let table = pattern.table.unwrap_or(TABLE_MAIN);
        let rows = self.tables.get(&table).ok_or(Refusal::NoSuchRoute)?;
        let first = |(key, group): (&(Ipv4Addr, u8), &Vec<RouteEntry>)| {
            group.iter().position(|entry| pattern.matches(entry)).map(|at| (*key, at))
        };
        let found = match pattern.destination {
            Some(net) => rows.routes.get_key_value(&(net.network(), net.prefix_len())).and_then(first),
            None => rows.routes.iter().find_map(first),
        };
        let (key, at) = found.ok_or(Refusal::NoSuchRoute)?;
        self.revision += 1;
        self.take(table, key, at, cx);
        Ok(())
    }

    /// `ip route flush`: every route that matches; how many went.
    pub fn flush(&mut self, pattern: &Pattern, cx: &mut Cx) -> usize {
        let before = self.count;
        self.remove(pattern.table.unwrap_or(TABLE_MAIN), cx, |entry| pattern.matches(entry));
        before - self.count
    }

    /// `ip route flush cache`: forgets the learned path MTUs.
    pub fn flush_cache(&mut self) {
        self.revision += 1;
        self.learned.clear();
    }

    /// `ip rule add`. Without a priority it stands before the first of the rules that were added so far.
    ///
    /// # Errors
    /// `Exists`, `TooMany`.
    pub fn add_rule(&mut self, rule: Rule, priority: Option<u32>, cx: &mut Cx) -> Result<(), Refusal> {
        if self.rules.len() >= RULES_MAX {
            return Err(Refusal::TooMany);
        }
        let priority = priority.unwrap_or_else(|| self.free_priority());
        let rule = Rule { priority, ..rule };
        if self.rules.contains(&rule) {
            return Err(Refusal::Exists);
        }
        let at = self.rules.iter().position(|other| other.priority > priority).unwrap_or(self.rules.len());
        self.revision += 1;
        self.rules.insert(at, rule);
        self.note_rule(rule, true, cx);
        Ok(())
    }

    /// `ip rule del`: the first rule that `meant` picks.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete_rule(&mut self, meant: impl Fn(&Rule) -> bool, cx: &mut Cx) -> Result<Rule, Refusal> {
        let at = self.rules.iter().position(meant).ok_or(Refusal::NotFound)?;
        self.revision += 1;
        let rule = self.rules.remove(at);
        self.note_rule(rule, false, cx);
        Ok(rule)
    }

    /// A router said that packets to `destination` must not be longer than `mtu` octets. Returns the MTU now believed;
    /// none if nothing changed.
    pub fn learn_mtu(&mut self, destination: Ipv4Addr, mtu: u32, now: Instant, interfaces: &Interfaces) -> Option<u32> {
        let known = self.lookup(destination, None, 0, interfaces).ok()?.mtu;
        if mtu >= known {
            return None;
        }
        let mtu = mtu.max(pmtu::SMALLEST).min(known);
        self.revision += 1;
        self.learned.learn(destination, mtu, now + pmtu::KEPT);
        Some(mtu)
    }

    /// Forgets path MTUs that are due.
    pub fn wake(&mut self, now: Instant) {
        if self.learned.next_due().is_some_and(|due| due <= now) {
            self.revision += 1;
            self.learned.forget_due(now);
        }
    }

    /// When a path MTU is due to be forgotten.
    pub fn next_wake(&self) -> Option<Instant> {
        self.learned.next_due()
    }

    /// Removes the routes through an interface: all, or (it went down) all but those to this host's own addresses.
    pub(in crate::tables) fn interface_gone(&mut self, iface: IfaceId, all: bool, cx: &mut Cx) {
        for table in self.table_numbers() {
            self.remove(table, cx, |entry| {
                entry.record.iface == Some(iface) && (all || entry.record.scope != Scope::Host)
            });
        }
    }

    /// Removes the routes whose preferred source is no longer an address of this host.
    pub(in crate::tables) fn source_gone(&mut self, source: Ipv4Addr, cx: &mut Cx) {
        if !self.by_source.contains(&source) {
            return;
        }
        for table in self.table_numbers() {
            self.remove(table, cx, |entry| entry.record.source == Some(source));
        }
    }

    fn table_numbers(&self) -> Vec<u32> {
        self.tables.keys().copied().collect()
    }

    fn free_priority(&self) -> u32 {
        let first = self.rules.iter().map(|rule| rule.priority).find(|priority| *priority > 0);
        first.map_or(32_765, |priority| priority.saturating_sub(1).max(1))
    }

    /// The interface of a new route; checks that its gateway is on a link of this host.
    fn next_hop_device(&self, new: &NewRoute, scope: Scope, interfaces: &Interfaces) -> Result<IfaceId, Refusal> {
        let device = |id: IfaceId| interfaces.get(id).ok_or(Refusal::NoDevice);
        let Some(gateway) = new.gateway else {
            let iface = device(new.iface.ok_or(Refusal::NoDevice)?)?;
            return if iface.up || scope == Scope::Host { Ok(iface.id) } else { Err(Refusal::Down) };
        };
        if scope >= Scope::Link {
            return Err(Refusal::Invalid);
        }
        if new.onlink {
            let iface = device(new.iface.ok_or(Refusal::NoDevice)?)?;
            return if iface.up { Ok(iface.id) } else { Err(Refusal::Down) };
        }
        if let Some(id) = new.iface
            && !device(id)?.up
        {
            return Err(Refusal::Down);
        }
        let question = Question { destination: gateway, source: None, mark: 0, iif: LOOPBACK, oif: new.iface };
        match self.find(question, interfaces) {
            Found::Route(route) if route.gateway.is_some() => Err(Refusal::InvalidGateway),
            Found::Route(route) if route.kind == RouteKind::Broadcast => Err(Refusal::InvalidGateway),
            Found::Route(route) => Ok(route.iface),
            Found::Refused(_) | Found::Nothing => Err(Refusal::InvalidGateway),
        }
    }

    fn insert(&mut self, entry: RouteEntry, how: How, cx: &mut Cx) -> Result<(), Refusal> {
        self.revision += 1;
        let table = self.tables.entry(entry.record.table).or_default();
        let key = (entry.record.destination.network(), entry.record.destination.prefix_len());
        let group = table.routes.get(&key).map_or(&[][..], Vec::as_slice);
        let metric = entry.record.metric;
        let first = group.iter().position(|other| other.record.metric == metric);
        let behind = group.iter().rposition(|other| other.record.metric <= metric).map_or(0, |at| at + 1);
        let twin = group.contains(&entry);
        let at = match (how, first) {
            (How::Add, Some(_)) => return Err(Refusal::Exists),
            (How::Append | How::Prepend, _) if twin => return Err(Refusal::Exists),
            (How::Change, None) => return Err(Refusal::NotFound),
            (How::Replace | How::Change, Some(at)) => {
                if twin {
                    return Ok(());
                }
                let number = entry.record.table;
                self.take(number, key, at, cx);
                at
            }
            (How::Prepend, Some(at)) => at,
            (How::Add | How::Replace | How::Append | How::Prepend, _) => behind,
        };
        cx.change(Change::Route(entry.record.clone()));
        self.count_source(entry.record.source, true);
        self.custom_local += usize::from(is_custom_local(&entry.record));
        self.tables.entry(entry.record.table).or_default().put(key, at, entry);
        self.count += 1;
        Ok(())
    }

    /// Takes out of a table what `goes` picks, in the order of the table.
    fn remove(&mut self, table: u32, cx: &mut Cx, mut goes: impl FnMut(&RouteEntry) -> bool) {
        self.revision += 1;
        let Some(rows) = self.tables.get(&table) else { return };
        let mut gone = Vec::new();
        for (key, group) in &rows.routes {
            for (at, entry) in group.iter().enumerate() {
                if goes(entry) {
                    gone.push((*key, at));
                }
            }
        }
        for (key, at) in gone.into_iter().rev() {
            self.take(table, key, at, cx);
        }
    }

    fn take(&mut self, table: u32, key: (Ipv4Addr, u8), at: usize, cx: &mut Cx) {
        let table = self.tables.get_mut(&table).expect("the caller found the route there");
        let old = table.take(key, at);
        self.count -= 1;
        self.count_source(old.record.source, false);
        self.custom_local -= usize::from(is_custom_local(&old.record));
        cx.change(Change::Route(RouteRecord { present: false, ..old.record }));
    }

    /// Keeps the count of routes with a preferred source, so that nobody has to look through all of them.
    fn count_source(&mut self, source: Option<Ipv4Addr>, more: bool) {
        let Some(source) = source else { return };
        let count = self.by_source.get_or_insert_with(source, || 0);
        if more {
            *count += 1;
        } else {
            *count -= 1;
        }
        if *count == 0 {
            self.by_source.remove(&source);
        }
    }
}

impl Table {
    fn put(&mut self, key: (Ipv4Addr, u8), at: usize, entry: RouteEntry) {
        let group = self.routes.entry(key).or_default();
        group.insert(at, entry);
        self.best.insert((u32::from(key.0), key.1), group.clone());
        if group.len() == 1 {
            *self.per_length.entry(key.1).or_default() += 1;
            self.lengths |= 1 << key.1;
        }
    }

    fn take(&mut self, key: (Ipv4Addr, u8), at: usize) -> RouteEntry {
        let group = self.routes.get_mut(&key).expect("the caller found the route there");
        let entry = group.remove(at);
        if group.is_empty() {
            self.routes.remove(&key);
            self.best.remove(&(u32::from(key.0), key.1));
            let left = self.per_length.get_mut(&key.1).expect("a destination that is there is counted");
            *left -= 1;
            if *left == 0 {
                self.lengths &= !(1 << key.1);
            }
        } else {
            self.best.insert((u32::from(key.0), key.1), group.clone());
        }
        entry
    }
}

/// A rule with nothing given that asks this table.
pub fn rule_for(table: u32) -> Rule {
    Rule { priority: 0, from: None, to: None, mark: None, iif: None, action: RuleAction::Lookup(table) }
}

/// A local route that somebody typed.
fn is_custom_local(record: &RouteRecord) -> bool {
    record.kind == RouteKind::Local && !record.by_kernel
}

const RULES_MAX: usize = 1024;
