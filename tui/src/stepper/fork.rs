//! What is added to a run at an instant: a line typed on a host, or a fault. The run is made again with it, one
//! nanosecond after the instant shown, so that everything up to there is the same.

use scenarios::Model;
use scenarios::cable;
use scenarios::model::{Cut, Deed, Item, NicIndex};
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::world::link::LinkChange;

/// One thing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addition {
    /// The instant shown when it was added; it happens right after.
    pub(crate) shown: Instant,
    /// What.
    pub(crate) what: Added,
}

/// What is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// A line is typed on a host.
    Line {
        /// The host, by its place in the scenario.
        host: usize,
        /// As it was typed.
        line: String,
    },
    /// Something is done to a host.
    Host(usize, Fault),
    /// Something is done to the cable of a network card.
    Cable(NicIndex, CableFault),
    /// Switches stop some frames, one way.
    Cut(Cut),
    /// One switch, or all of them, pass them again.
    Heal(Option<usize>),
}

/// What can be done to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Switched off.
    PowerOff,
    /// Switched on.
    PowerOn,
    /// Every program killed, and silence.
    Crash,
    /// Stopped as if suspended.
    Freeze,
    /// Goes on.
    Thaw,
}

/// What can be done to a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CableFault {
    /// Pulled.
    Unplug,
    /// Plugged in again.
    Plug,
    /// Has other settings.
    Change(LinkChange),
}

/// Every fault of a host, with the word of the scenario file and what it does.
pub(crate) const FAULTS: &[(Fault, &str, &str)] = &[
    (Fault::PowerOff, "power_off", "switch off"),
    (Fault::PowerOn, "power_on", "switch on"),
    (Fault::Crash, "crash", "crash: kill everything, and silence"),
    (Fault::Freeze, "freeze", "freeze, as if suspended"),
    (Fault::Thaw, "thaw", "let it go on"),
];

/// What is often done to a cable, and what it does.
pub(crate) const CABLE_FAULTS: &[(CableFault, &str)] = &[
    (CableFault::Unplug, "pull the cable of"),
    (CableFault::Plug, "plug in the cable of"),
    (CableFault::Change(loss(500_000)), "lose half of the frames at"),
    (CableFault::Change(loss(0)), "lose no more frames at"),
];

const fn loss(ppm: u32) -> LinkChange {
    LinkChange { rate_bps: None, delay: None, queue: None, mtu: None, loss_ppm: Some(ppm) }
}

impl Addition {
    /// When it happens.
    pub(crate) fn at(&self) -> Instant {
        self.shown + Duration::from_nanos(1)
    }

    /// Shows a file of a host on a terminal there.
    pub(crate) fn reading(shown: Instant, node: NodeId, path: &str) -> Addition {
        let line = format!("cat {}", crate::session::quoted_path(path));
        Addition { shown, what: Added::Line { host: node.index(), line } }
    }

    /// As an item of the script.
    ///
    /// # Errors
    /// Why the line cannot be typed.
    pub(crate) fn item(&self) -> Result<Item, String> {
        let deed = match &self.what {
            Added::Line { host, line } => {
                let (lines, _) = sim_core::shell::parse::lines(line, &[]).map_err(|problems| {
                    problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ")
                })?;
                if lines.is_empty() {
                    return Err("there is no command in it".to_string());
                }
                Deed::Run { host: *host, lines }
            }
            Added::Host(host, fault) => match fault {
                Fault::PowerOff => Deed::PowerOff(*host),
                Fault::PowerOn => Deed::PowerOn(*host),
                Fault::Crash => Deed::Crash(*host),
                Fault::Freeze => Deed::Freeze(*host),
                Fault::Thaw => Deed::Thaw(*host),
            },
            Added::Cable(nic, CableFault::Unplug) => Deed::Carrier { nic: *nic, up: false },
            Added::Cable(nic, CableFault::Plug) => Deed::Carrier { nic: *nic, up: true },
            Added::Cable(nic, CableFault::Change(change)) => Deed::SetLink { nic: *nic, change: *change },
            Added::Cut(cut) => Deed::Cut(cut.clone()),
            Added::Heal(switch) => Deed::Heal(*switch),
        };
        Ok(Item { at: self.at(), times: 1, every: Duration::ZERO, deed })
    }

    /// As it is written in a scenario's script.
    pub(crate) fn ron(&self, model: &Model) -> String {
        let at = self.at().nanos();
        let (name, nic) = (|host: &usize| quoted(&model.hosts[*host].name), |nic| quoted(&model.nic_name(nic)));
        let what = match &self.what {
            Added::Line { host, line } => format!("on: {}, run: {}", name(host), quoted(line)),
            Added::Host(host, fault) => {
                let word = FAULTS.iter().find(|row| row.0 == *fault).map_or("", |row| row.1);
                format!("{word}: {}", name(host))
            }
            Added::Cable(at, CableFault::Unplug) => format!("unplug: {}", nic(*at)),
            Added::Cable(at, CableFault::Plug) => format!("plug: {}", nic(*at)),
            Added::Cable(at, CableFault::Change(change)) => format!("set_link: ({}, {})", nic(*at), cable::ron(change)),
            Added::Cut(cut) => {
                let hosts = |word: &str, hosts: &Option<Vec<usize>>| {
                    let names = hosts.as_ref()?.iter().map(name).collect::<Vec<_>>().join(", ");
                    Some(format!("{word}: [{names}]"))
                };
                let fields = [
                    cut.switch.map(|switch| format!("switch: {}", quoted(&model.switches[switch].name))),
                    hosts("from", &cut.from),
                    hosts("to", &cut.to),
                    cut.packet.as_ref().map(|packet| format!("packet: {}", quoted(packet.text()))),
                ];
                format!("cut: ({})", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Added::Heal(None) => "heal: ()".to_string(),
            Added::Heal(Some(switch)) => format!("heal: (switch: {})", quoted(&model.switches[*switch].name)),
        };
        format!("(at: \"{}.{:09}s\", {what}),", at / 1_000_000_000, at % 1_000_000_000)
    }

    /// In words: `server5: systemctl stop httpd`.
    pub(crate) fn words(&self, model: &Model) -> String {
        match &self.what {
            Added::Line { host, line } => {
                let first = line.lines().next().unwrap_or_default();
                let more = if first.len() < line.len() { " …" } else { "" };
                format!("{}: {first}{more}", model.hosts[*host].name)
            }
            Added::Host(host, fault) => {
                let words = FAULTS.iter().find(|row| row.0 == *fault).map_or("", |row| row.2);
                format!("{}: {words}", model.hosts[*host].name)
            }
            Added::Cable(nic, fault) => match (CABLE_FAULTS.iter().find(|row| row.0 == *fault), fault) {
                (Some((_, words)), _) => format!("{words} {}", model.nic_name(*nic)),
                (None, CableFault::Change(change)) => format!("{} at {}", cable::words(change), model.nic_name(*nic)),
                (None, CableFault::Unplug | CableFault::Plug) => {
                    format!("change the cable of {}", model.nic_name(*nic))
                }
            },
            Added::Cut(cut) => {
                let side = |hosts: &Option<Vec<usize>>, nobody: &str| match hosts {
                    Some(hosts) => hosts.iter().map(|host| &*model.hosts[*host].name).collect::<Vec<_>>().join(", "),
                    None => nobody.to_string(),
                };
                let what = cut.packet.as_ref().map_or("everything", |packet| packet.text());
                format!("cut {what} from {} to {}", side(&cut.from, "anybody"), side(&cut.to, "anybody"))
            }
            Added::Heal(None) => "heal: nothing is cut any longer".to_string(),
            Added::Heal(Some(switch)) => format!("heal {}", model.switches[*switch].name),
        }
    }
}

/// The scenario with the additions, ready to run.
pub(crate) fn with(model: &Model, added: &[Addition]) -> Result<Model, String> {
    let mut model = model.clone();
    for addition in added {
        model.script.push(addition.item()?);
        model.until = model.until.max(addition.at() + PATIENCE);
    }
    Ok(model)
}

/// A run goes on at least so long after something was added.
const PATIENCE: Duration = Duration::from_secs(10);

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
