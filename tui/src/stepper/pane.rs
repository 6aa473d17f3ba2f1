//! The names of the panes, and of the tables that one of them shows.

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaneId {
    /// The frames, in order.
    Frames,
    /// Headers before and after.
    Headers,
    /// The frame's octets.
    Bytes,
    /// The chain of decisions.
    Why,
    /// Tables at this instant.
    Tables,
    /// What is cabled to what.
    Topology,
    /// States over time.
    Timeline,
    /// What was typed, and what programs said.
    Log,
    /// What the scenario asks and expects.
    Question,
}

impl PaneId {
    /// Whether it stands where others can stand too, when there is not room for all.
    pub(crate) fn shares_corner(self) -> bool {
        matches!(self, PaneId::Tables | PaneId::Log | PaneId::Question)
    }
}

/// Which tables the tables pane shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TableKind {
    /// What matters at this host.
    #[default]
    Overview,
    /// Neighbours.
    Arp,
    /// Forwarding entries.
    Fdb,
    /// Routes.
    Routes,
    /// Virtual services and their servers.
    Services,
    /// Connections.
    Connections,
    /// Virtual routers.
    Vrrp,
    /// Rules of `iptables` and `arptables`.
    Filters,
    /// Processes.
    Processes,
    /// Flows that connection tracking remembers.
    Conntrack,
    /// Interfaces and addresses.
    Addresses,
    /// Kernel settings.
    Settings,
}
