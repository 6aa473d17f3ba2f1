//! What is tracked: interfaces, scripts, files, processes. Without a weight, a thing that is down brings its instances to
//! FAULT; with one, it changes their priority.
//!
//! Scripts (`script`) and files (`file`) have rooms of their own.

use super::super::config::{self, Config, ParameterMatch, Tracked, Tracks, Weight};
use super::super::tracked_file::LOOK;
use super::effect::{Effect, effect};
use super::file::{FileWatch, of_file};
use super::instance::{Fault, OWNER};
use super::script::{Known, ScriptRun};
use super::{Timer, Vrrp};
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::Signal;
use crate::kernel::syscall::Sys;

/// Everything that is tracked, each once.
#[derive(Debug, Default)]
pub(super) struct Watched {
    links: Vec<Link>,
    pub(super) scripts: Vec<ScriptRun>,
    pub(super) files: Vec<FileWatch>,
    processes: Vec<ProcessWatch>,
}

/// An interface.
#[derive(Debug)]
struct Link {
    name: String,
    /// As it counts.
    up: bool,
    /// As it is.
    is_up: bool,
}

/// A program of which some should run.
#[derive(Debug)]
struct ProcessWatch {
    conf: config::TrackProcess,
    /// As it counts.
    up: bool,
    /// Since when it is otherwise.
    differs_since: Option<Instant>,
}

impl Watched {
    /// The scripts that run.
    pub(super) fn running(&self) -> impl Iterator<Item = Pid> {
        self.scripts.iter().flat_map(|script| script.running.iter().copied())
    }

    /// The process ends: scripts that run end with it.
    pub(super) fn stop(&mut self, sys: &mut Sys) {
        for pid in self.scripts.iter_mut().flat_map(|script| std::mem::take(&mut script.running)) {
            sys.kill(pid, Signal::Term);
            sys.disown(pid);
        }
    }
}

impl Vrrp {
    // ── the beginning ──

    pub(super) fn begin_watching(&mut self, config: &Config, scripts: Vec<ScriptRun>, sys: &mut Sys) {
        self.watched = Watched { scripts, ..Watched::default() };
        for at in 0..self.instances.len() {
            let tracks = self.tracks_of(at);
            for name in self.links_of(at, &tracks, sys) {
                if !self.watched.links.iter().any(|link| link.name == name) {
                    let up = is_running(&name, sys);
                    self.watched.links.push(Link { name, up, is_up: up });
                }
            }
        }
        self.begin_files(config, sys);
        self.watched.processes = config.track_processes.iter().map(|conf| ProcessWatch::new(conf, sys)).collect();
        for at in 0..self.instances.len() {
            self.weigh_at_start(at);
        }
        for script in 0..self.watched.scripts.len() {
            let name = &self.watched.scripts[script].conf.name;
            if (0..self.instances.len()).any(|at| self.tracks_of(at).scripts.iter().any(|track| track.name == *name)) {
                self.set_timer(sys.now(), Timer::ScriptStart(script));
            }
        }
        if !(self.watched.files.is_empty() && self.watched.processes.is_empty()) {
            self.set_timer(sys.now() + LOOK, Timer::Look);
        }
    }

    /// What an instance tracks, its group's things included.
    pub(super) fn tracks_of(&self, at: usize) -> Tracks {
        let instance = &self.instances[at];
        let mut tracks = instance.conf.tracks.clone();
        let Some(group) = instance.group.map(|group| &self.groups[group].conf) else { return tracks };
        if !group.tracking_weight && group.members.len() > 1 {
            let keep = |tracked: &Tracked| tracked.weight.value == 0;
            tracks.interfaces.retain(keep);
            tracks.scripts.retain(keep);
        }
        tracks.interfaces.extend(group.tracks.interfaces.iter().cloned());
        tracks.scripts.extend(group.tracks.scripts.iter().cloned());
        tracks.files.extend(group.tracks.files.iter().cloned());
        tracks.processes.extend(group.tracks.processes.iter().cloned());
        tracks
    }

    fn links_of(&self, at: usize, tracks: &Tracks, sys: &Sys) -> Vec<String> {
        let exists = |name: &String| sys.kernel.tables.interfaces.named(name).is_some();
        let needed = self.needed_links(at).into_iter().filter(exists);
        tracks.interfaces.iter().map(|tracked| tracked.name.clone()).chain(needed).collect()
    }

    /// Interfaces without which an instance cannot be master: its own, and those that its addresses and routes name,
    /// unless they say `no_track`.
    fn needed_links(&self, at: usize) -> Vec<String> {
        let conf = &self.instances[at].conf;
        let mut names: Vec<String> = Vec::new();
        if conf.tracks_own_interface {
            names.push(conf.interface.clone());
            names.extend(conf.vmac.as_ref().map(|vmac| super::setup::vmac_name(conf, vmac)));
        }
        let addresses = conf.addresses.iter().chain(&conf.excluded_addresses).filter(|address| !address.untracked);
        names.extend(addresses.map(|address| address.interface.clone()).filter(|name| !name.is_empty()));
        let routes =
            conf.routes.iter().filter(|route| !route.untracked).flat_map(|route| behind(&route.words, &["dev"]));
        let rules = conf.rules.iter().filter(|rule| !rule.untracked);
        names.extend(
            routes.chain(rules.flat_map(|rule| behind(&rule.words, &["iif", "oif", "dev"]))).map(str::to_owned),
        );
        if !conf.tracks_own_interface {
            names.retain(|name| *name != conf.interface);
        }
        names.dedup();
        names
    }

    /// The faults, the scripts that are awaited and the priority that an instance begins with.
    fn weigh_at_start(&mut self, at: usize) {
        let effects = self.effects_on(at);
        let tracks = self.tracks_of(at);
        let keeps = |fault: &Fault| matches!(fault, Fault::Address | Fault::Peer);
        self.instances[at].faults.retain(keeps);
        self.instances[at].awaited.clear();
        for (script, run) in self.watched.scripts.iter().enumerate() {
            let tracked = tracks.scripts.iter().find(|tracked| tracked.name == run.conf.name);
            let counts_alone = tracked.is_some_and(|tracked| tracked.weight.value == 0);
            if counts_alone && run.known == Known::Nothing {
                self.instances[at].awaited.insert(script);
            }
        }
        for (fault, effect) in effects {
            if effect == Effect::Down {
                self.instances[at].faults.insert(fault);
            }
        }
        self.instances[at].priority = self.weighed(at);
    }

    /// What each tracked thing does to an instance.
    fn effects_on(&self, at: usize) -> Vec<(Fault, Effect)> {
        let tracks = self.tracks_of(at);
        let mut effects = Vec::new();
        let needed = self.needed_links(at);
        for (place, link) in self.watched.links.iter().enumerate() {
            // One that is needed has no weight.
            if needed.contains(&link.name) {
                effects.push((Fault::Link(place), effect(Weight::default(), link.up)));
                continue;
            }
            for tracked in tracks.interfaces.iter().filter(|tracked| tracked.name == link.name) {
                effects.push((Fault::Link(place), effect(tracked.weight, link.up)));
            }
        }
        for (place, script) in self.watched.scripts.iter().enumerate() {
            for tracked in tracks.scripts.iter().filter(|tracked| tracked.name == script.conf.name) {
                let does = match script.known {
                    Known::Result | Known::TakenAsFailed => effect(tracked.weight, script.is_up()),
                    // Nothing is added, nothing is taken away.
                    Known::Nothing | Known::NothingSinceReload => Effect::None,
                };
                effects.push((Fault::Script(place), does));
            }
        }
        for (place, file) in self.watched.files.iter().enumerate() {
            for tracked in tracks.files.iter().filter(|tracked| tracked.name == file.conf.name) {
                effects.push((Fault::File(place), of_file(tracked.weight, file.number)));
            }
        }
        for (place, process) in self.watched.processes.iter().enumerate() {
            for tracked in tracks.processes.iter().filter(|tracked| tracked.name == process.conf.name) {
                effects.push((Fault::Process(place), effect(tracked.weight, process.up)));
            }
        }
        effects
    }

    /// The priority in force: the base with all weights, from 1 to 254. That of an owner never changes.
    pub(super) fn weighed(&self, at: usize) -> u8 {
        let base = self.instances[at].base_priority;
        if base == OWNER {
            return OWNER;
        }
        let weights = self.effects_on(at).into_iter().map(|(_, effect)| match effect {
            Effect::Priority(change) => change,
            Effect::None | Effect::Down => 0,
        });
        let total = weights.fold(i64::from(base), i64::saturating_add);
        total.clamp(1, i64::from(OWNER) - 1) as u8
    }

    /// Something changed: every instance that tracks it goes down or up, or has another priority.
    pub(super) fn apply(&mut self, changed: Fault, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let effects: Vec<Effect> = self
                .effects_on(at)
                .into_iter()
                .filter(|(fault, _)| *fault == changed)
                .map(|(_, effect)| effect)
                .collect();
            if effects.is_empty() {
                continue;
            }
            let is_down = effects.contains(&Effect::Down);
            if is_down {
                self.bring_down(at, changed, sys);
            } else {
                self.bring_up(at, changed, sys);
            }
            let weighed = self.weighed(at);
            self.set_priority(at, weighed, sys);
        }
    }

    /// What keeps an instance in FAULT, in keepalived's words, and whether it writes a colon before.
    pub(super) fn faults_of(&self, at: usize) -> Vec<(bool, String)> {
        let words = |fault: &Fault| match *fault {
            Fault::Link(place) => Some((true, format!("(interface {} down)", self.watched.links.get(place)?.name))),
            Fault::Script(place) => {
                Some((true, format!("due to script {}", self.watched.scripts.get(place)?.conf.name)))
            }
            Fault::File(place) => {
                let file = self.watched.files.get(place)?;
                let status = self.status_of(at, file);
                Some((true, format!("(tracked file {} has status {status})", file.conf.name)))
            }
            Fault::Process(place) => {
                let name = &self.watched.processes.get(place)?.conf.name;
                Some((false, format!("(tracked process {name} quorum not achieved)")))
            }
            Fault::Address => Some((false, "(no IPv4 address for interface)".to_owned())),
            Fault::Peer => Some((false, "(no unicast peers)".to_owned())),
        };
        self.instances[at].faults.iter().filter_map(words).collect()
    }

    // ── interfaces ──

    pub(super) fn look_at_links(&mut self, sys: &mut Sys) {
        for place in 0..self.watched.links.len() {
            let link = &mut self.watched.links[place];
            let up = is_running(&link.name, sys);
            if link.is_up == up {
                continue;
            }
            link.is_up = up;
            let delays = self.given.config.interface_delays.iter().find(|delay| delay.interface == link.name);
            let wait = delays.map_or(Duration::ZERO, |delay| if up { delay.up } else { delay.down });
            match wait {
                Duration::ZERO => self.link_settled(place, sys),
                wait => self.set_timer(sys.now() + wait, Timer::Link(place)),
            }
        }
    }

    /// An interface has been in its state for long enough.
    pub(super) fn link_settled(&mut self, place: usize, sys: &mut Sys) {
        let Some(link) = self.watched.links.get_mut(place) else { return };
        if link.up == link.is_up {
            return;
        }
        link.up = link.is_up;
        let (name, up) = (link.name.clone(), link.up);
        self.say_link(&name, up, sys);
        self.apply(Fault::Link(place), sys);
    }

    // ── files and processes ──

    pub(super) fn look_at_files_and_processes(&mut self, sys: &mut Sys) {
        self.set_timer(sys.now() + LOOK, Timer::Look);
        self.look_at_files(sys);
        for place in 0..self.watched.processes.len() {
            let process = &mut self.watched.processes[place];
            let is = process.conf.is_satisfied(sys);
            if is == process.up {
                process.differs_since = None;
                continue;
            }
            let since = *process.differs_since.get_or_insert(sys.now());
            let delay = if is { process.conf.fork_delay } else { process.conf.terminate_delay };
            if sys.now() < since + delay {
                continue;
            }
            (process.up, process.differs_since) = (is, None);
            let (name, what) = (process.conf.name.clone(), if is { "gained" } else { "lost" });
            self.voice.say(&format!("Quorum {what} for tracked process {name}"), sys);
            self.apply(Fault::Process(place), sys);
        }
    }
}

impl ProcessWatch {
    fn new(conf: &config::TrackProcess, sys: &Sys) -> Self {
        ProcessWatch { conf: conf.clone(), up: conf.is_satisfied(sys), differs_since: None }
    }
}

impl config::TrackProcess {
    /// Whether neither too few nor too many of them run.
    fn is_satisfied(&self, sys: &Sys) -> bool {
        let running = sys.kernel.processes.list().filter(|process| process.state != 'Z' && self.means(&process.name));
        let count = running.count() as u32;
        count >= self.quorum && self.quorum_max.is_none_or(|most| count <= most)
    }

    fn means(&self, command_line: &str) -> bool {
        let mut words = command_line.split(' ');
        let program = words.next().unwrap_or_default();
        let base = program.rsplit('/').next().unwrap_or_default().trim_end_matches(':');
        let wanted = if self.process.starts_with('/') { program } else { base };
        if wanted != self.process {
            return false;
        }
        let parameters: Vec<&str> = words.collect();
        let mut pairs = self.parameters.iter().zip(&parameters);
        match self.matching {
            ParameterMatch::Ignored => true,
            ParameterMatch::Exact => parameters.len() == self.parameters.len() && pairs.all(|(a, b)| a == b),
            ParameterMatch::Initial => parameters.len() >= self.parameters.len() && pairs.all(|(a, b)| a == b),
            ParameterMatch::Partial => {
                parameters.len() >= self.parameters.len() && pairs.all(|(a, b)| b.starts_with(a.as_str()))
            }
        }
    }
}

/// The words that stand behind one of these.
fn behind<'a>(words: &'a [String], keys: &'a [&str]) -> impl Iterator<Item = &'a str> {
    words.windows(2).filter(|pair| keys.contains(&&*pair[0])).map(|pair| &*pair[1])
}

fn is_running(name: &str, sys: &Sys) -> bool {
    let interface = sys.kernel.tables.interfaces.named(name);
    interface.is_some_and(|interface| interface.running())
}
