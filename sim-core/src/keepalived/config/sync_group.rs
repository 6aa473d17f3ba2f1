//! `vrrp_sync_group`: instances that change state together.

use super::notify::InstanceNotify;
use super::track::Tracks;

/// A group of instances of one state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// Names of its instances, in file order; two or more unless the group was kept with a warning.
    pub members: Vec<String>,
    /// What the group tracks.
    pub tracks: Tracks,
    /// What is run at a change of the group's state.
    pub notify: InstanceNotify,
    /// `sync_group_tracking_weight` (or `global_tracking`): the members' weights count.
    pub tracking_weight: bool,
}
