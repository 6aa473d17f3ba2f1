//! Whether a machine runs.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::trace::Trace;

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum PowerState {
    /// Switched on.
    On,
    /// Switched off, or crashed: nothing of what stood in its memory is left.
    Off,
    /// Stopped between two instructions (`freeze`): what stands in its memory stays.
    Frozen,
}

/// A host was switched on or off, or stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct PowerRecord {
    /// The host.
    pub node: NodeId,
    /// What it is.
    pub state: PowerState,
}

impl Row for PowerRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: true, key: Key::Placed(Place::Only) }
    }

    fn told(&self, trace: &Trace) -> RowText {
        RowText { row: trace.node_name(self.node).to_string(), value: self.state.name().to_string() }
    }
}

impl PowerState {
    /// `on`, `off`, `frozen`.
    pub const fn name(self) -> &'static str {
        match self {
            PowerState::On => "on",
            PowerState::Off => "off",
            PowerState::Frozen => "frozen",
        }
    }
}
