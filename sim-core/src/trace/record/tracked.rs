//! Flows that netfilter's connection tracking remembers, for the nat table.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::base::time::Duration;
use crate::trace::Trace;
use crate::wire::flow::SocketAddr;

/// A protocol whose flows are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum TrackedProtocol {
    /// ICMP echo; its identifier stands where the others have ports.
    Icmp,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How far a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum TrackedState {
    /// Nobody has answered yet (`UNREPLIED`).
    Unreplied,
    /// Both sides have sent.
    Replied,
    /// TCP: a FIN has passed.
    Closing,
    /// TCP: a RST has passed.
    Reset,
}

/// A flow that is remembered. It is recorded when it begins, is translated, gets to another state, or ends: not at every
/// packet, each of which gives it the whole of [`TrackedRecord::stays`] again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct TrackedRecord {
    /// The host that remembers it.
    pub node: NodeId,
    /// Its protocol.
    pub protocol: TrackedProtocol,
    /// Who sent its first packet.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// The source that its packets have when they leave: the same, or what MASQUERADE or SNAT wrote.
    pub leaves_as: SocketAddr,
    /// How far it is.
    pub state: TrackedState,
    /// How long it stays after its last packet.
    pub stays: Duration,
    /// False when it is forgotten.
    pub present: bool,
}

impl Row for TrackedRecord {
    fn seat(&self) -> Seat<'_> {
        Seat {
            node: self.node,
            present: self.present,
            key: Key::Placed(Place::Tracked(self.protocol, self.source, self.destination)),
        }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = format!("{}, leaves as {}, stays {} s", self.state.name(), self.leaves_as, self.stays.secs());
        RowText { row: format!("{} {} -> {}", self.protocol.name(), self.source, self.destination), value }
    }
}

impl TrackedProtocol {
    /// `tcp`.
    pub const fn name(self) -> &'static str {
        match self {
            TrackedProtocol::Icmp => "icmp",
            TrackedProtocol::Tcp => "tcp",
            TrackedProtocol::Udp => "udp",
        }
    }
}

impl TrackedState {
    /// `UNREPLIED`.
    pub const fn name(self) -> &'static str {
        match self {
            TrackedState::Unreplied => "UNREPLIED",
            TrackedState::Replied => "REPLIED",
            TrackedState::Closing => "CLOSING",
            TrackedState::Reset => "CLOSED",
        }
    }
}
