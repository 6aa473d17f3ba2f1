//! Two hosts claim one address.

use crate::base::id::PortId;
use crate::base::time::Instant;
use crate::wire::{Ipv4Addr, Mac};

/// How an ARP message claims an address for a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum ClaimKind {
    /// It answers a question.
    Answer,
    /// It asks for something else under this address.
    Question,
    /// It announces the address (gratuitous ARP).
    Announcement,
}

/// A claim: "this address is at this MAC".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Claim {
    /// When it was sent.
    pub at: Instant,
    /// By which card of which host.
    pub port: PortId,
    /// The MAC that it names.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::mac"))]
    pub mac: Mac,
    /// How.
    pub kind: ClaimKind,
}

/// A claim that contradicts what others claim.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ConflictRecord {
    /// The address.
    pub address: Ipv4Addr,
    /// The link: the lowest port of all that hear each other.
    pub link: PortId,
    /// The claim.
    pub claim: Claim,
    /// What stands against it, by host in file order: the last claim of each other host that still has the address. At
    /// most eight.
    pub others: Vec<Claim>,
}
