//! Ids: small numbers with a type, given in file order.

use std::fmt;

/// A host, switch or hub, numbered in file order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeId(pub u32);

/// A port: one NIC of one node. Numbered over the whole world in file order, so the ports of a node are consecutive.
/// A port is at one end of exactly one cable; the direction *leaving* it is known by the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct PortId(pub u32);

/// An interface of one host: its index there, as `ip link` numbers it (`lo` is 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct IfaceId(pub u16);

/// A line typed on a host (at boot or by the script); the host owns its parsed form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct LineId(pub u32);

/// A process of one host: its pid as `ps` shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Pid(pub u32);

/// One packet (or ARP frame) from its birth at a host to its end. A packet that is rewritten keeps its id; one that is
/// wrapped, fragmented or answered gets a new one that names its parent (`trace::Trace::parent`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct PacketId(pub u32);

/// An event of the trace, in the order in which events happened. Shown as `e73`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct EventId(pub u32);

/// Bytes of a frame, kept in the trace's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct BytesId(pub u32);

impl PacketId {
    /// No packet.
    pub const NONE: PacketId = PacketId(u32::MAX);
    /// Whether there is one.
    pub const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

impl EventId {
    /// No event: the beginning, or nothing is recorded at this level.
    pub const NONE: EventId = EventId(u32::MAX);
    /// Whether there is one.
    pub const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

impl BytesId {
    /// No bytes are kept.
    pub const NONE: BytesId = BytesId(u32::MAX);
    /// Whether there are some.
    pub const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

/// `e73`, or `-` for none.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_some() { write!(f, "e{}", self.0) } else { f.write_str("-") }
    }
}

impl NodeId {
    /// As an index into what is kept per node.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl PortId {
    /// As an index into what is kept per port.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl LineId {
    /// As an index into the lines of a run.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
