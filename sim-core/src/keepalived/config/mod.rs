//! What a `keepalived.conf` says: the typed model that the VRRP process and the checkers work from.
//!
//! Every value is what keepalived 2.2.7 ends up with: defaults are filled in, an instance's options are resolved
//! against `global_defs`, and what keepalived clears or corrects (`nopreempt` with `state MASTER`, a quorum above the
//! sum of weights) is already cleared. What it says about that stands in the [`Remark`]s.

pub mod address;
pub mod checker;
pub mod global;
pub mod instance;
pub mod notify;
pub mod read;
pub mod route;
pub mod server;
pub mod service;
pub mod sync_group;
pub mod track;

pub use address::VirtualAddress;
pub use checker::{Checker, CheckerKind, ConnectOptions};
pub use global::Global;
pub use instance::{Authentication, Garp, Instance, OldChecksum, Preemption, Unicast, Version, Wanted};
pub use notify::{Command, InstanceNotify};
pub use read::{IncludedFile, Input, Nowhere, Program, Surroundings, read};
pub use route::{VirtualRoute, VirtualRule};
pub use server::{Forwarding, RealServer, SorryServer};
pub use service::{
    GroupEntry, LocalAddress, LocalAddressGroup, SchedulerFlags, ServiceName, VirtualServer, VirtualServerGroup,
};
pub use sync_group::SyncGroup;
pub use track::{Bfd, Direction, ParameterMatch, Script, TrackFile, TrackProcess, Tracked, Tracks, Weight};

use crate::base::time::Duration;

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `global_defs` and what stands at the root.
    pub global: Global,
    /// `vrrp_instance`, in file order.
    pub instances: Vec<Instance>,
    /// `vrrp_sync_group`, in file order. Names in [`SyncGroup::members`] are those of instances that exist.
    pub sync_groups: Vec<SyncGroup>,
    /// `vrrp_script`, in file order. An instance tracks one by its name.
    pub scripts: Vec<Script>,
    /// `track_file` (`vrrp_track_file`), in file order; instances and `FILE_CHECK`s name them.
    pub track_files: Vec<TrackFile>,
    /// `vrrp_track_process`, in file order.
    pub track_processes: Vec<TrackProcess>,
    /// `bfd_instance`, in file order.
    pub bfds: Vec<Bfd>,
    /// `static_ipaddress`.
    pub static_addresses: Vec<VirtualAddress>,
    /// `static_routes`.
    pub static_routes: Vec<VirtualRoute>,
    /// `static_rules`.
    pub static_rules: Vec<VirtualRule>,
    /// `track_group`: names of groups of instances for static routes, and their members.
    pub track_groups: Vec<TrackGroup>,
    /// `garp_group`.
    pub garp_groups: Vec<GarpGroup>,
    /// `interface_up_down_delays`.
    pub interface_delays: Vec<InterfaceDelay>,
    /// `virtual_server_group`, in file order.
    pub virtual_server_groups: Vec<VirtualServerGroup>,
    /// `local_address_group` (DPVS), in file order.
    pub local_address_groups: Vec<LocalAddressGroup>,
    /// `virtual_server`, in file order; one without a real server is not here.
    pub virtual_servers: Vec<VirtualServer>,
    /// `SSL {}` was given: nothing of it changes what a check sends.
    pub ssl: bool,
    /// A `vrrp_instance` or a static address, route or rule stands in the file, good or bad: there is a VRRP process.
    pub names_vrrp: bool,
    /// A `virtual_server` stands in the file, good or bad: there is a process for the health checks.
    pub names_checks: bool,
}

/// `track_group NAME { group { … } }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackGroup {
    /// Its name.
    pub name: String,
    /// Names of `vrrp_instance`s.
    pub members: Vec<String>,
}

/// `garp_group`: gratuitous ARPs of its interfaces are at least so far apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GarpGroup {
    /// Names of interfaces.
    pub interfaces: Vec<String>,
    /// Between two gratuitous ARPs; zero: no delay.
    pub garp_interval: Duration,
    /// Between two unsolicited neighbour advertisements; zero: no delay.
    pub gna_interval: Duration,
}

/// A line of `interface_up_down_delays`: a change of an interface's state counts only after this long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceDelay {
    /// The interface.
    pub interface: String,
    /// Before a loss counts.
    pub down: Duration,
    /// Before a return counts.
    pub up: Duration,
}

/// A stretch of one line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was named: the first one, or one that was included.
    pub file: String,
    /// 1 is the first line; 0: the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0: the line as a whole.
    pub column: usize,
    /// How many characters it is long.
    pub length: usize,
}

/// What is said about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// keepalived writes the place before the line in its log: it was still reading the file.
    pub placed: bool,
    /// The place is in a file that was included; the parent names the file only then.
    pub named: bool,
    /// Of which kind.
    pub kind: RemarkKind,
    /// Which process of keepalived says it.
    pub reader: Reader,
    /// For [`RemarkKind::Logged`], [`RemarkKind::Warning`] and [`RemarkKind::Fatal`] keepalived's own log line without its
    /// place; otherwise what the lab has to say.
    pub text: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// How bad a [`Remark`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkKind {
    /// keepalived takes the option; here it has no effect.
    Note,
    /// keepalived logs it and goes on; its configuration test passes.
    Logged,
    /// keepalived logs it and goes on; its configuration test fails.
    Warning(ErrorClass),
    /// keepalived logs it, and the process that reads it ends.
    Fatal(ErrorClass),
    /// keepalived would do it; the lab does not model it and refuses the file.
    Refused,
}

/// What `keepalived -t` makes of an error. The worst one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// A file or an interface is not there: exit status 4.
    File,
    /// Anything else: exit status 5.
    General,
    /// Scripts run without `enable_script_security`: exit status 6.
    Security,
    /// A word behind a keyword is missing: keepalived ends at once, exit status 2.
    Parameter,
}

/// The process of keepalived that reads a part of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// `Keepalived`.
    Parent,
    /// `Keepalived_vrrp`.
    Vrrp,
    /// `Keepalived_healthcheckers`.
    Checkers,
    /// `Keepalived_bfd`.
    Bfd,
    /// All of them: what stands at the root or in `global_defs`.
    Every,
}

impl Remark {
    /// The line as a process of keepalived writes it to its log. Children read a copy in which every file is named, so
    /// they always name it; the parent only names files that were included.
    pub fn log_line(&self, by: Reader) -> String {
        let Place { file, line, .. } = &self.place;
        match (self.placed, by == Reader::Parent && !self.named) {
            (false, _) => self.text.clone(),
            (true, true) => format!("(Line {line}) {}", self.text),
            (true, false) => format!("({file}: Line {line}) {}", self.text),
        }
    }

    /// Whether keepalived itself says it, as opposed to the lab.
    pub fn is_keepalived(&self) -> bool {
        !matches!(self.kind, RemarkKind::Note | RemarkKind::Refused)
    }

    /// Whether that process of keepalived says it.
    pub fn is_said_by(&self, by: Reader) -> bool {
        self.is_keepalived() && (self.reader == by || self.reader == Reader::Every)
    }
}

/// The exit status of `keepalived -t` after these remarks.
pub fn test_status(remarks: &[Remark]) -> u8 {
    let worst = remarks.iter().filter_map(|remark| match remark.kind {
        RemarkKind::Warning(class) | RemarkKind::Fatal(class) => Some(class),
        RemarkKind::Note | RemarkKind::Logged | RemarkKind::Refused => None,
    });
    match worst.max() {
        None => 0,
        Some(ErrorClass::File) => 4,
        Some(ErrorClass::General) => 5,
        Some(ErrorClass::Security) => 6,
        Some(ErrorClass::Parameter) => 2,
    }
}

impl Config {
    /// The script of that name.
    pub fn script(&self, name: &str) -> Option<&Script> {
        self.scripts.iter().find(|script| script.name == name)
    }

    /// The tracked file of that name.
    pub fn track_file(&self, name: &str) -> Option<&TrackFile> {
        self.track_files.iter().find(|file| file.name == name)
    }

    /// The tracked process of that name.
    pub fn track_process(&self, name: &str) -> Option<&TrackProcess> {
        self.track_processes.iter().find(|process| process.name == name)
    }

    /// The instance of that name.
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.name == name)
    }

    /// The group of virtual servers of that name.
    pub fn virtual_server_group(&self, name: &str) -> Option<&VirtualServerGroup> {
        self.virtual_server_groups.iter().find(|group| group.name == name)
    }

    /// Whether the parent starts a VRRP process for this.
    pub fn has_vrrp(&self) -> bool {
        self.names_vrrp
    }

    /// Whether the parent starts a process of checkers for this.
    pub fn has_checkers(&self) -> bool {
        self.names_checks
    }
}
