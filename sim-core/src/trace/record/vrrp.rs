//! VRRP's words: the state of a virtual router on one host, and whose its addresses are.

use super::{Born, Key, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::trace::Trace;
use crate::wire::Ipv4Addr;
use std::fmt;

/// The state of a virtual router on a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum VrrpState {
    /// Not decided yet: scripts that are tracked have not ended for the first time.
    #[default]
    Init,
    /// Listens to the master.
    Backup,
    /// Has the addresses.
    Master,
    /// Takes no part: something that is tracked is down.
    Fault,
}

/// What is wrong with an advert, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum VrrpFlaw {
    /// Longer or shorter than its addresses take.
    Length,
    /// Not sent on this link, or too far away for a peer.
    Ttl,
    /// Another version of the protocol.
    Version,
    /// Another type of authentication.
    AuthType,
    /// Another password, or the wrong sum of AH.
    Password,
    /// Another interval (version 2).
    Interval,
    /// Not an advertisement.
    Kind,
    /// Another number of addresses.
    Count,
    /// The checksum.
    Checksum,
    /// Not from a peer.
    Peer,
    /// An address of this host's list is not in it.
    Addresses,
}

/// A virtual router as one host sees it. The host holds the addresses while it is master; one whose keepalived was
/// killed holds them on, which its [`super::AddressRecord`]s show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct VrrpRecord {
    /// The host.
    pub node: NodeId,
    /// Name of the `vrrp_instance`.
    pub instance: Box<str>,
    /// `virtual_router_id`.
    pub vrid: u8,
    /// Its state.
    pub state: VrrpState,
    /// The priority in force, 1 to 255.
    pub priority: u8,
    /// The master that was heard last; none while this host is it, or nobody was heard.
    pub master: Option<Ipv4Addr>,
    /// The virtual addresses.
    pub addresses: Box<[Ipv4Addr]>,
    /// False when keepalived stopped or no longer has this instance.
    pub present: bool,
}

impl VrrpState {
    /// `MASTER`, as keepalived writes it.
    pub const fn name(self) -> &'static str {
        match self {
            VrrpState::Init => "INIT",
            VrrpState::Backup => "BACKUP",
            VrrpState::Master => "MASTER",
            VrrpState::Fault => "FAULT",
        }
    }
}

impl VrrpFlaw {
    /// In words that fit after "an advert with".
    pub const fn words(self) -> &'static str {
        match self {
            VrrpFlaw::Length => "a length that does not fit its addresses",
            VrrpFlaw::Ttl => "a TTL that a neighbour's does not have",
            VrrpFlaw::Version => "another version",
            VrrpFlaw::AuthType => "another type of authentication",
            VrrpFlaw::Password => "another password",
            VrrpFlaw::Interval => "another interval",
            VrrpFlaw::Kind => "an unknown type",
            VrrpFlaw::Count => "another number of addresses",
            VrrpFlaw::Checksum => "a wrong checksum",
            VrrpFlaw::Peer => "a sender that is no peer",
            VrrpFlaw::Addresses => "other addresses",
        }
    }
}

/// `MASTER`.
impl fmt::Display for VrrpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Row for VrrpRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Added(Born::Router(&self.instance)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = format!("{} priority {}", self.state, self.priority);
        RowText { row: format!("{} vrid {}", self.instance, self.vrid), value }
    }
}
