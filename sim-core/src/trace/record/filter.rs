//! What `iptables` and `arptables` set: chains with their policies, rules, and how often each rule was applied.
//!
//! A rule stands in the trace as its program lists it. Its counters are records of their own: they change with packets.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::trace::Trace;

/// A table of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum FilterTable {
    /// `arptables-legacy`, and `arptables` before Debian 10.
    ArpLegacy,
    /// `arptables-nft`.
    ArpNft,
    /// `iptables -t mangle`.
    Mangle,
    /// `iptables -t nat`.
    Nat,
    /// `iptables -t filter`.
    Filter,
}

/// What names a chain on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ChainId {
    /// The table it stands in.
    pub table: FilterTable,
    /// Its number there: the chains that are built in come first. Not used again for a chain made later.
    pub number: u16,
}

/// What becomes of packets at the end of a built-in chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Policy {
    /// They go on.
    Accept,
    /// They end.
    Drop,
}

/// A chain. One that is built in is recorded when it gets its first rule or another policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ChainRecord {
    /// The host.
    pub node: NodeId,
    /// Which.
    pub chain: ChainId,
    /// `INPUT`, or what the user called it.
    pub name: Box<str>,
    /// What becomes of packets at its end; none for a chain of the user's, which returns.
    pub policy: Option<Policy>,
    /// False when it was deleted.
    pub present: bool,
}

/// A rule of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RuleRecord {
    /// The host.
    pub node: NodeId,
    /// The chain it stands in.
    pub chain: ChainId,
    /// Rules of a chain stand in the order of these numbers.
    pub order: u64,
    /// Its number on this host, not used again for a rule added later.
    pub rule: u32,
    /// As its program lists it: `-s 192.168.0.0/24 -j MASQUERADE`.
    pub text: Box<str>,
    /// False when it was deleted.
    pub present: bool,
}

/// How many packets came to the end of a chain that is built in, and met its policy. Recorded for chains that the trace
/// has heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ChainCountRecord {
    /// The host.
    pub node: NodeId,
    /// The chain.
    pub chain: ChainId,
    /// Packets or ARP messages.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// False when the chain is gone.
    pub present: bool,
}

/// How often a rule was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RuleCountRecord {
    /// The host.
    pub node: NodeId,
    /// The rule's number.
    pub rule: u32,
    /// Packets or ARP messages.
    pub packets: u64,
    /// Their octets.
    pub bytes: u64,
    /// False when the rule was deleted.
    pub present: bool,
}

impl Row for ChainRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Chain(self.chain)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = self.policy.map_or("of the user's".to_string(), |policy| format!("policy {}", policy.name()));
        RowText { row: format!("{} {}", self.chain.table.name(), self.name), value }
    }
}

impl Row for ChainCountRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Chain(self.chain)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let ChainId { table, number } = self.chain;
        RowText { row: format!("{} chain {number} policy", table.name()), value: counted(self.packets, self.bytes) }
    }
}

impl Row for RuleRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Rule(self.chain, self.order)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        RowText { row: format!("{} rule {}", self.chain.table.name(), self.rule), value: self.text.to_string() }
    }
}

impl Row for RuleCountRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Count(self.rule)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        RowText { row: format!("rule {}", self.rule), value: counted(self.packets, self.bytes) }
    }
}

fn counted(packets: u64, bytes: u64) -> String {
    format!("{packets} packets, {bytes} octets")
}

impl FilterTable {
    /// `iptables -t nat`.
    pub const fn name(self) -> &'static str {
        match self {
            FilterTable::ArpLegacy => "arptables-legacy",
            FilterTable::ArpNft => "arptables-nft",
            FilterTable::Mangle => "iptables -t mangle",
            FilterTable::Nat => "iptables -t nat",
            FilterTable::Filter => "iptables",
        }
    }
}

impl Policy {
    /// `ACCEPT`.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::Accept => "ACCEPT",
            Policy::Drop => "DROP",
        }
    }
}
