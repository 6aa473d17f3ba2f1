//! A line of `virtual_routes`, `static_routes`, `virtual_rules` or `static_rules`.

/// A route that comes and goes with an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualRoute {
    /// The words behind `ip route add`, in `ip`'s own spelling (`10.1.0.0/16 via 10.0.0.1 dev eth0 metric 10`), with what
    /// only keepalived knows taken out.
    pub words: Vec<String>,
    /// `no_track`: its loss does not count.
    pub untracked: bool,
    /// `track_group NAME` (static routes only); empty: none.
    pub track_group: String,
}

/// A routing rule that comes and goes with an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualRule {
    /// The words behind `ip rule add` (`from 10.0.0.100 table 100 priority 10`).
    pub words: Vec<String>,
    /// `no_track`: its loss does not count.
    pub untracked: bool,
    /// `track_group NAME` (static rules only); empty: none.
    pub track_group: String,
}
