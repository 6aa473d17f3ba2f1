//! What is tracked: scripts, files, processes, interfaces, BFD sessions, and with which weight.

use super::notify::Command;
use crate::base::time::Duration;
use std::net::IpAddr;

/// What a tracked thing does to a priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// -253 to 253 (files: -2147483647 to 2147483647). 0: the instance goes to FAULT instead.
    pub value: i32,
    /// `reverse`: counts the other way around.
    pub direction: Direction,
}

/// Whether a weight counts as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Positive: added while it is up. Negative: taken away while it is down.
    #[default]
    Straight,
    /// `reverse`: up and down are exchanged.
    Reversed,
}

/// What an instance or a group tracks, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// `track_interface`. The instance's own interface is not in it, see
    /// [`Instance::tracks_own_interface`](super::Instance::tracks_own_interface).
    pub interfaces: Vec<Tracked>,
    /// `track_script`: names of [`Script`]s that exist.
    pub scripts: Vec<Tracked>,
    /// `track_file`: names of [`TrackFile`]s that exist; the weight multiplies the file's number.
    pub files: Vec<Tracked>,
    /// `track_process`: names of [`TrackProcess`]es that exist.
    pub processes: Vec<Tracked>,
    /// `track_bfd`: names of [`Bfd`]s that exist.
    pub bfds: Vec<Tracked>,
}

/// A tracked thing by name, with the weight that holds here (its own, or the default of the thing).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    /// Of the interface, script, file, process or BFD session.
    pub name: String,
    /// What it does.
    pub weight: Weight,
}

/// `vrrp_script NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What is run.
    pub command: Command,
    /// From one start to the next; 1 s.
    pub interval: Duration,
    /// When a run is killed; as long as the interval if not given.
    pub timeout: Duration,
    /// The weight for instances that give none; 0.
    pub weight: Weight,
    /// Successes in a row before it is up; 1.
    pub rise: u32,
    /// Failures in a row before it is down; 1.
    pub fall: u32,
    /// `init_fail`: taken as failed until it has run.
    pub init_fail: bool,
}

/// `track_file NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackFile {
    /// Its name.
    pub name: String,
    /// The path.
    pub path: String,
    /// The weight for those that give none; 1.
    pub weight: Weight,
    /// `init_file`: what is written at start.
    pub init: Option<TrackFileInit>,
}

/// `init_file [VALUE] [overwrite]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackFileInit {
    /// The number; 0.
    pub value: i64,
    /// An existing file is overwritten.
    pub overwrite: bool,
}

/// `vrrp_track_process NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackProcess {
    /// Its name.
    pub name: String,
    /// The program: a name, or a path.
    pub process: String,
    /// Its parameters, if they count.
    pub parameters: Vec<String>,
    /// How the parameters are compared.
    pub matching: ParameterMatch,
    /// The weight for those that give none; 1.
    pub weight: Weight,
    /// Fewer of them: down; 1.
    pub quorum: u32,
    /// More of them: down; none: no limit.
    pub quorum_max: Option<u32>,
    /// `delay`, `fork_delay`: a new process counts after this long.
    pub fork_delay: Duration,
    /// `delay`, `terminate_delay`: an ended process counts after this long.
    pub terminate_delay: Duration,
    /// `full_command`: the whole command line is compared, not the name.
    pub full_command: bool,
}

/// `param_match`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterMatch {
    /// They do not count.
    #[default]
    Ignored,
    /// All the same.
    Exact,
    /// The first ones the same, the last may be cut short.
    Partial,
    /// The first ones the same.
    Initial,
}

/// `bfd_instance NAME`: kept for `track_bfd` and `BFD_CHECK`; BFD itself is not modelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bfd {
    /// Its name.
    pub name: String,
    /// `neighbor_ip`.
    pub neighbour: Option<IpAddr>,
    /// `source_ip`.
    pub source: Option<IpAddr>,
    /// The weight for instances that give none.
    pub weight: Weight,
}
