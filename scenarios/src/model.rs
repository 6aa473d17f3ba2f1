//! What is meant: a scenario that was checked and cannot be wrong. Names are resolved to indices, ranges are written
//! out, typed lines are parsed. The world is built from it (`assemble`), and the trace is judged by it (`expect`).

use crate::problem::{Place, Problem};
use ipnet::Ipv4Net;
use sim_core::base::time::{Duration, Instant};
use sim_core::kernel::Os;
use sim_core::nodes::switch::SwitchKind;
use sim_core::shell::Line;
use sim_core::trace::filter::Filter;
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::link::{LinkChange, LinkSettings};

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name: a bundled scenario's, or the file's without `.ron`.
    pub name: String,
    /// One line.
    pub title: String,
    /// What it shows.
    pub about: String,
    /// Where chance begins.
    pub seed: u64,
    /// When the run ends.
    pub until: Instant,
    /// The switches, in file order.
    pub switches: Vec<Switch>,
    /// The hosts, in file order.
    pub hosts: Vec<Host>,
    /// What happens when, in file order (not in order of time).
    pub script: Vec<Item>,
    /// What must be true.
    pub expect: Vec<Expectation>,
    /// What was put right, and what has no effect.
    pub warnings: Vec<Problem>,
}

/// Index of a switch in [`Model::switches`].
pub type SwitchIndex = usize;
/// Index of a host in [`Model::hosts`].
pub type HostIndex = usize;

/// A switch.
#[derive(Clone, Debug)]
pub struct Switch {
    /// Its name.
    pub name: String,
    /// A switch, and how long it believes where a MAC is (300 s unless said), or a hub.
    pub kind: SwitchKind,
}

/// What a host is for: a label with defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Asks.
    Client,
    /// Forwards: `ip_forward` is 1.
    Router,
    /// Has the virtual services.
    Director,
    /// Answers: its web server runs from the start.
    RealServer,
    /// Anything else.
    Host,
}

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// What it passes for.
    pub os: Os,
    /// The default gateway that its installer set.
    pub gateway: Option<Ipv4Addr>,
    /// Its network cards, in file order.
    pub nics: Vec<Nic>,
    /// Files that are there from the start: path and text.
    pub files: Vec<(String, String)>,
    /// Lines typed at boot, one after another.
    pub boot: Vec<Line>,
    /// Services that run from the start.
    pub services: Vec<&'static str>,
}

/// A network card and its cable.
#[derive(Clone, Debug)]
pub struct Nic {
    /// `eth0`.
    pub name: String,
    /// Its MAC.
    pub mac: Mac,
    /// Where its cable goes.
    pub switch: SwitchIndex,
    /// The address that its installer set.
    pub address: Option<Ipv4Net>,
    /// The cable.
    pub link: LinkSettings,
}

/// A network card: the host and the card's index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NicIndex {
    /// The host.
    pub host: HostIndex,
    /// Index in its [`Host::nics`].
    pub nic: usize,
}

/// Something of the script.
#[derive(Clone, Debug)]
pub struct Item {
    /// When, the first time.
    pub at: Instant,
    /// How often.
    pub times: u32,
    /// The span between two times.
    pub every: Duration,
    /// What.
    pub deed: Deed,
}

/// What the script does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Types lines on a host, each time on a terminal of its own.
    Run {
        /// The host.
        host: HostIndex,
        /// The lines, one after another.
        lines: Vec<Line>,
    },
    /// The cable of a card loses or gets its signal, at both ends.
    Carrier {
        /// The card.
        nic: NicIndex,
        /// Gets it.
        up: bool,
    },
    /// Switches a host off.
    PowerOff(HostIndex),
    /// Switches a host on again: its boot lines run.
    PowerOn(HostIndex),
    /// `kill -9` of everything, and silence.
    Crash(HostIndex),
    /// Stops a host as if it were suspended.
    Freeze(HostIndex),
    /// Lets it go on.
    Thaw(HostIndex),
    /// New settings for the cable of a card.
    SetLink {
        /// The card.
        nic: NicIndex,
        /// What changes.
        change: LinkChange,
    },
    /// Switches stop passing frames from some hosts to others, one way.
    Cut(Cut),
    /// They pass them again: this switch, or none is every switch.
    Heal(Option<SwitchIndex>),
    /// From then on a host fails at random (it is switched off) and is repaired (switched on), until the run ends.
    Wear {
        /// The host.
        host: HostIndex,
        /// Mean time between failures: the mean of an exponential distribution of the time that it runs.
        mtbf: Duration,
        /// Mean time to repair: the same of the time that it is off.
        mttr: Duration,
    },
}

/// Which frames are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// In this switch only; none is every switch.
    pub switch: Option<SwitchIndex>,
    /// From these hosts; none is from any.
    pub from: Option<Vec<HostIndex>>,
    /// To these hosts; none is to any.
    pub to: Option<Vec<HostIndex>>,
    /// Frames of this kind only.
    pub packet: Option<Filter>,
}

/// Something that must be true.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// What other expectations call it.
    pub name: Option<String>,
    /// It counts only if this one holds: an index in [`Model::expect`].
    pub needs: Option<usize>,
    /// What.
    pub what: What,
    /// Where it stands.
    pub place: Place,
}

/// What is expected.
#[derive(Clone, Debug)]
pub enum What {
    /// Finished responses to a URL, by the host that gave them; a host that is not named gave none.
    ServedBy {
        /// `http://172.25.92.100/`.
        url: String,
        /// How many.
        hosts: Vec<(HostIndex, u64)>,
    },
    /// How many requests were answered and failed.
    Requests {
        /// Of this host; none is all together.
        from: Option<HostIndex>,
        /// Answered.
        ok: Option<u64>,
        /// Failed, or still running at the end.
        failed: Option<u64>,
    },
    /// What a typed line printed.
    Output {
        /// The host.
        on: HostIndex,
        /// The line as typed.
        run: String,
        /// Part of its output; blanks at the end of a line do not matter.
        contains: String,
        /// Which time it ran, from 1; none is every time.
        nth: Option<u64>,
    },
    /// Who had the MAC of an address, in a host's neighbour table.
    Neighbour {
        /// The host.
        on: HostIndex,
        /// The address.
        address: Ipv4Addr,
        /// Whose MAC.
        is: NicIndex,
        /// When.
        at: Instant,
    },
    /// How long a client at most went without an answer.
    Outage {
        /// The address that it asks.
        of: Ipv4Addr,
        /// The client.
        seen_by: HostIndex,
        /// The longest outage that is allowed.
        at_most: Duration,
    },
    /// Which host is master of a virtual router.
    Master {
        /// Name of the `vrrp_instance`.
        instance: String,
        /// The host.
        on: HostIndex,
        /// When.
        at: Instant,
    },
    /// How much of the time an address answered a client, from its first attempt to its last.
    Availability {
        /// The address that it asks.
        of: Ipv4Addr,
        /// The client.
        seen_by: HostIndex,
        /// Parts per million, at least.
        at_least: u32,
        /// Parts per million, at most.
        at_most: u32,
    },
    /// The cards of a host see the same frames, byte for byte and in the same order, as in another scenario.
    SamePackets {
        /// The other scenario, without its expectations.
        other: Box<Model>,
        /// The host, in both.
        at: HostIndex,
    },
    /// How many frames of a kind a host's cards saw, both ways.
    Sees {
        /// The host.
        host: HostIndex,
        /// The kind.
        packet: Filter,
        /// How many.
        count: Count,
    },
    /// A law that holds in every moment.
    Always(Law),
}

/// How many frames are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// At least one.
    Some,
    /// None.
    None,
    /// Exactly so many.
    Exactly(u64),
}

/// What must hold in every moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// IP, TCP, UDP and ICMP checksums are right in every frame.
    ChecksumsCorrect,
    /// Questions for an address are answered with one MAC only.
    OneAnswererPerAddress,
    /// A client's connection reaches one real server only.
    OneServerPerConnection,
    /// No address of a virtual router has two masters at once for longer than this.
    OneMaster {
        /// How long.
        grace: Duration,
    },
}

impl Model {
    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<HostIndex> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// `server4:eth0`.
    pub fn nic_name(&self, index: NicIndex) -> String {
        let host = &self.hosts[index.host];
        format!("{}:{}", host.name, host.nics[index.nic].name)
    }
}

impl Role {
    /// As a reader of the trace shows it: `real server`.
    pub const fn label(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Router => "router",
            Role::Director => "director",
            Role::RealServer => "real server",
            Role::Host => "host",
        }
    }
}
