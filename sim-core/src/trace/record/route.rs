//! The routing table's words.

use super::host::Scope;
use super::{Born, Key, Row, RowText, Seat};
use crate::base::id::{IfaceId, NodeId};
use crate::trace::Trace;
use crate::wire::Ipv4Addr;
use ipnet::Ipv4Net;
use std::fmt;

/// What a route does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum RouteKind {
    /// Sends it on.
    Unicast,
    /// Delivers it here.
    Local,
    /// Delivers it here and to everybody on the link.
    Broadcast,
    /// Refuses it: ICMP host unreachable.
    Unreachable,
    /// Refuses it: ICMP administratively prohibited.
    Prohibit,
    /// Drops it.
    Blackhole,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RouteRecord {
    /// The host.
    pub node: NodeId,
    /// The table: 255 local, 254 main, 253 default.
    pub table: u32,
    /// What it is for.
    pub destination: Ipv4Net,
    /// What it does.
    pub kind: RouteKind,
    /// The router to send to; none if the destination itself is on the link.
    pub gateway: Option<Ipv4Addr>,
    /// The interface to send by.
    pub iface: Option<IfaceId>,
    /// Preferred source address.
    pub source: Option<Ipv4Addr>,
    /// How far the destination is.
    pub scope: Scope,
    /// Smaller is preferred.
    pub metric: u32,
    /// Added by the kernel itself (`proto kernel`), not typed.
    pub by_kernel: bool,
    /// Whether the route exists.
    pub present: bool,
}

/// A rule for routing (`ip rule`): which table is asked. Rules are asked by priority; among equals the older first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RoutingRule {
    /// 0 is asked first; 32766 is `main`, 32767 `default`.
    pub priority: u32,
    /// Only packets from there.
    pub from: Option<Ipv4Net>,
    /// Only packets to there.
    pub to: Option<Ipv4Net>,
    /// Only packets with this mark, under this mask.
    pub mark: Option<(u32, u32)>,
    /// Only packets that arrived on this interface (`lo`: this host's own).
    pub iif: Option<IfaceId>,
    /// What then.
    pub action: RuleAction,
}

/// A rule for routing of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RoutingRuleRecord {
    /// The host.
    pub node: NodeId,
    /// The rule.
    pub rule: RoutingRule,
    /// Whether the rule exists.
    pub present: bool,
}

/// What a rule for routing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum RuleAction {
    /// Asks this table; if it has no route, the next rule.
    Lookup(u32),
    /// Refuses: ICMP host unreachable.
    Unreachable,
    /// Refuses: ICMP administratively prohibited.
    Prohibit,
    /// Drops.
    Blackhole,
}

impl RouteKind {
    /// As `ip route` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            RouteKind::Unicast => "unicast",
            RouteKind::Local => "local",
            RouteKind::Broadcast => "broadcast",
            RouteKind::Unreachable => "unreachable",
            RouteKind::Prohibit => "prohibit",
            RouteKind::Blackhole => "blackhole",
        }
    }
}

/// `lookup main`.
impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleAction::Lookup(255) => f.write_str("lookup local"),
            RuleAction::Lookup(254) => f.write_str("lookup main"),
            RuleAction::Lookup(253) => f.write_str("lookup default"),
            RuleAction::Lookup(table) => write!(f, "lookup {table}"),
            RuleAction::Unreachable => f.write_str("unreachable"),
            RuleAction::Prohibit => f.write_str("prohibit"),
            RuleAction::Blackhole => f.write_str("blackhole"),
        }
    }
}

impl Row for RouteRecord {
    fn seat(&self) -> Seat<'_> {
        let (kind, gateway, iface) = (self.kind as u8, self.gateway, self.iface);
        Seat {
            node: self.node,
            present: self.present,
            key: Key::Added(Born::Route(self.table, self.destination, kind, gateway, iface, self.metric)),
        }
    }

    fn told(&self, _: &Trace) -> RowText {
        let via = self.gateway.map_or("on link".to_string(), |gateway| format!("via {gateway}"));
        let value = format!("{} {via}, table {}", self.kind.name(), self.table);
        RowText { row: self.destination.to_string(), value }
    }
}

impl Row for RoutingRuleRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Added(Born::RoutingRule(self.rule)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let RoutingRule { priority, from, to, mark, .. } = self.rule;
        let mut row = format!("{priority}: from {}", from.map_or("all".to_string(), |net| net.to_string()));
        row += &to.map_or(String::new(), |net| format!(" to {net}"));
        row += &match mark {
            Some((mark, u32::MAX)) => format!(" fwmark {mark:#x}"),
            Some((mark, mask)) => format!(" fwmark {mark:#x}/{mask:#x}"),
            None => String::new(),
        };
        RowText { row, value: self.rule.action.to_string() }
    }
}
