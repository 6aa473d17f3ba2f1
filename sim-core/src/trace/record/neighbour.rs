//! The neighbour table's words.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::{IfaceId, NodeId};
use crate::trace::Trace;
use crate::wire::dissect::mac_text;
use crate::wire::{Ipv4Addr, Mac};
use std::fmt;

/// State of a neighbour entry (NUD), as `ip neigh` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum NeighbourState {
    /// Being asked for; no MAC yet.
    Incomplete,
    /// Confirmed lately.
    Reachable,
    /// Has a MAC that was not confirmed lately.
    Stale,
    /// In use while stale; will be probed in a moment.
    Delay,
    /// Being asked by unicast.
    Probe,
    /// Nobody answered.
    Failed,
    /// Set by hand, never changed by ARP.
    Permanent,
    /// No resolution is needed.
    NoArp,
}

/// An entry of a neighbour table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct NeighbourRecord {
    /// The host whose table it is.
    pub node: NodeId,
    /// The interface.
    pub iface: IfaceId,
    /// The neighbour's address.
    pub address: Ipv4Addr,
    /// Its MAC, if one is known.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::maybe_mac"))]
    pub mac: Option<Mac>,
    /// Its state.
    pub state: NeighbourState,
    /// False when the entry was deleted.
    pub present: bool,
}

/// `REACHABLE`.
impl fmt::Display for NeighbourState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NeighbourState::Incomplete => "INCOMPLETE",
            NeighbourState::Reachable => "REACHABLE",
            NeighbourState::Stale => "STALE",
            NeighbourState::Delay => "DELAY",
            NeighbourState::Probe => "PROBE",
            NeighbourState::Failed => "FAILED",
            NeighbourState::Permanent => "PERMANENT",
            NeighbourState::NoArp => "NOARP",
        })
    }
}

impl Row for NeighbourRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Neighbour(self.iface, self.address)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let mac = self.mac.map_or("no MAC".to_string(), mac_text);
        RowText { row: self.address.to_string(), value: format!("{mac} {}", self.state) }
    }
}
