//! What is tracked: interfaces, scripts, files, processes. Without a weight, a thing that is down brings its instances to
//! FAULT; with one, it changes their priority.
//!
//! ```text
//!   script   result 0 … rise-1 │ rise … rise+fall-1      below the line it is down, above it is up;
//!                  success ─►  │  ◄─ failure             the first result ever counts alone
//! ```

use super::super::config::{self, Config, Direction, ParameterMatch, Tracked, Tracks, Weight};
use super::instance::{Fault, OWNER};
use super::{Timer, Vrrp};
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Ending, Env, Signal};
use crate::kernel::syscall::{Stdio, Sys};

/// Everything that is tracked, each once.
#[derive(Debug, Default)]
pub(super) struct Watched {
    links: Vec<Link>,
    scripts: Vec<ScriptRun>,
    files: Vec<FileWatch>,
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

/// A script.
#[derive(Debug)]
struct ScriptRun {
    conf: config::Script,
    running: Option<Pid>,
    /// It was told to end because it took too long.
    is_late: bool,
    has_ended_once: bool,
    /// 0 before the first.
    last_status: i32,
    result: u32,
}

/// A file with a number in it.
#[derive(Debug)]
struct FileWatch {
    conf: config::TrackFile,
    number: i64,
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

/// What holds for an instance because of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing.
    None,
    /// It cannot work.
    Down,
    /// Its priority changes by so much.
    Priority(i64),
}

/// How often files and processes are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// After SIGTERM, a script has so long before SIGKILL.
const KILL_AFTER: Duration = Duration::from_secs(2);

impl Watched {
    /// The scripts that run.
    pub(super) fn running(&self) -> impl Iterator<Item = Pid> {
        self.scripts.iter().filter_map(|script| script.running)
    }

    /// The process ends: scripts that run end with it.
    pub(super) fn stop(&mut self, sys: &mut Sys) {
        for pid in self.scripts.iter_mut().filter_map(|script| script.running.take()) {
            sys.kill(pid, Signal::Term);
            sys.disown(pid);
        }
    }
}

impl Vrrp {
    // ── the beginning ──

    pub(super) fn begin_watching(&mut self, config: &Config, sys: &mut Sys) {
        let before = std::mem::take(&mut self.watched);
        for at in 0..self.instances.len() {
            let tracks = self.tracks_of(at);
            for name in self.links_of(at, &tracks) {
                if !self.watched.links.iter().any(|link| link.name == name) {
                    let up = is_running(&name, sys);
                    self.watched.links.push(Link { name, up, is_up: up });
                }
            }
        }
        self.watched.scripts = config.scripts.iter().map(|conf| ScriptRun::new(conf.clone())).collect();
        for script in &mut self.watched.scripts {
            // A reload lets what has not changed go on.
            if let Some(old) = before.scripts.iter().find(|old| old.conf == script.conf) {
                script.has_ended_once = old.has_ended_once;
                script.last_status = old.last_status;
                script.result = old.result;
            }
        }
        for script in before.scripts.iter().filter_map(|script| script.running) {
            sys.disown(script);
        }
        self.begin_files(config, sys);
        self.watched.processes = config.track_processes.iter().map(|conf| ProcessWatch::new(conf, sys)).collect();
        self.timers.retain(|_, timer| {
            !matches!(
                timer,
                Timer::ScriptStart(_) | Timer::ScriptTerm(_) | Timer::ScriptKill(_) | Timer::Look | Timer::Link(_)
            )
        });
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

    fn begin_files(&mut self, config: &Config, sys: &mut Sys) {
        for conf in &config.track_files {
            if let Some(init) = conf.init
                && (init.overwrite || sys.read_file(&conf.path).is_err())
            {
                // A folder that is not there: keepalived logs it and goes on with 0.
                let _unwritten = sys.write_file(&conf.path, format!("{}\n", init.value).as_bytes());
            }
            let number = number_in(&conf.path, sys);
            self.watched.files.push(FileWatch { conf: conf.clone(), number });
        }
    }

    /// What an instance tracks, its group's things included.
    fn tracks_of(&self, at: usize) -> Tracks {
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

    fn links_of(&self, at: usize, tracks: &Tracks) -> Vec<String> {
        let instance = &self.instances[at];
        let own = instance.conf.tracks_own_interface.then(|| instance.conf.interface.clone());
        own.into_iter().chain(tracks.interfaces.iter().map(|tracked| tracked.name.clone())).collect()
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
            if counts_alone && !run.has_ended_once && !run.conf.init_fail {
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
        let instance = &self.instances[at];
        let mut effects = Vec::new();
        for (place, link) in self.watched.links.iter().enumerate() {
            if instance.conf.tracks_own_interface && link.name == instance.conf.interface {
                effects.push((Fault::Link(place), effect(Weight::default(), link.up)));
            }
            for tracked in tracks.interfaces.iter().filter(|tracked| tracked.name == link.name) {
                effects.push((Fault::Link(place), effect(tracked.weight, link.up)));
            }
        }
        for (place, script) in self.watched.scripts.iter().enumerate() {
            for tracked in tracks.scripts.iter().filter(|tracked| tracked.name == script.conf.name) {
                let does = match (script.has_ended_once || script.conf.init_fail, tracked.weight.value) {
                    (true, _) => effect(tracked.weight, script.is_up()),
                    // Not known yet: nothing is added, nothing is taken away.
                    (false, _) => Effect::None,
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
    fn weighed(&self, at: usize) -> u8 {
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
    fn apply(&mut self, changed: Fault, sys: &mut Sys) {
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

    /// A file's number times its weight; without a weight, -254 is FAULT.
    fn status_of(&self, at: usize, file: &FileWatch) -> i64 {
        let tracks = self.tracks_of(at);
        let weights =
            tracks.files.iter().filter(|tracked| tracked.name == file.conf.name).map(|tracked| tracked.weight);
        let of = |weight: Weight| match weight.direction {
            Direction::Straight => i64::from(weight.value).saturating_mul(file.number),
            Direction::Reversed => i64::from(weight.value).saturating_mul(file.number).saturating_neg(),
        };
        weights.map(|weight| if weight.value == 0 { -254 } else { of(weight) }).min().unwrap_or(-254)
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

    // ── scripts ──

    pub(super) fn start_script(&mut self, place: usize, sys: &mut Sys) {
        let script = &self.watched.scripts[place];
        let (interval, timeout) = (script.conf.interval.max(Duration::from_millis(1)), script.conf.timeout);
        let (name, argv) = (script.conf.name.clone(), script.conf.command.argv.clone());
        self.set_timer(sys.now() + interval, Timer::ScriptStart(place));
        if self.watched.scripts[place].running.is_some() {
            let text = format!("Track script {name} is already running, expect idle - skipping run");
            return self.voice.say(&text, sys);
        }
        match sys.spawn(&argv, &Env::new(), Stdio::default()) {
            Ok(pid) => {
                self.watched.scripts[place].running = Some(pid);
                self.watched.scripts[place].is_late = false;
                if timeout > Duration::ZERO {
                    self.set_timer(sys.now() + timeout, Timer::ScriptTerm(place));
                }
            }
            // As the shell says it of a program that is not there, or may not be run.
            Err(crate::kernel::process::ExecError::NotFound(_)) => self.script_ended(place, Ending::Exited(127), sys),
            Err(_) => self.script_ended(place, Ending::Exited(126), sys),
        }
    }

    /// A script has taken too long.
    pub(super) fn end_script(&mut self, place: usize, signal: Signal, sys: &mut Sys) {
        let Some(script) = self.watched.scripts.get_mut(place) else { return };
        let Some(pid) = script.running else { return };
        script.is_late = true;
        sys.kill(pid, signal);
        if signal == Signal::Term {
            self.set_timer(sys.now() + KILL_AFTER, Timer::ScriptKill(place));
        }
    }

    pub(super) fn reap_scripts(&mut self, sys: &mut Sys) {
        for place in 0..self.watched.scripts.len() {
            let Some(pid) = self.watched.scripts[place].running else { continue };
            if let Some(ending) = sys.wait_ending(pid) {
                self.watched.scripts[place].running = None;
                self.timers.retain(|_, timer| *timer != Timer::ScriptTerm(place) && *timer != Timer::ScriptKill(place));
                self.script_ended(place, ending, sys);
            }
        }
    }

    fn script_ended(&mut self, place: usize, ending: Ending, sys: &mut Sys) {
        let script = &mut self.watched.scripts[place];
        let name = script.conf.name.clone();
        let is_first = !std::mem::replace(&mut script.has_ended_once, true);
        let was_up = script.is_up();
        if let Ending::Exited(status) = ending {
            let before = std::mem::replace(&mut script.last_status, status);
            if before != status {
                self.voice.say(&format!("Script `{name}` now returning {status}"), sys);
            }
        }
        let script = &mut self.watched.scripts[place];
        let (good, is_late) = (ending == Ending::Exited(0), std::mem::take(&mut script.is_late));
        script.count(good, is_first);
        let is_up = script.is_up();
        if !is_first && was_up == is_up {
            return;
        }
        let how = match (is_up, is_late, ending) {
            (true, ..) => "succeeded".to_owned(),
            (false, true, _) => "timed_out".to_owned(),
            (false, false, Ending::Killed(signal)) => format!("failed (due to signal {})", signal.number()),
            (false, false, Ending::Exited(status)) => format!("failed (exited with status {status})"),
        };
        self.say_script(&name, &how, sys);
        self.script_known(place, sys);
    }

    /// A script's state is known, or another: its instances follow.
    fn script_known(&mut self, place: usize, sys: &mut Sys) {
        let waited: Vec<usize> =
            (0..self.instances.len()).filter(|at| self.instances[*at].awaited.remove(&place)).collect();
        self.apply(Fault::Script(place), sys);
        for at in waited {
            self.try_up(at, sys);
        }
    }

    fn say_script(&self, name: &str, how: &str, sys: &mut Sys) {
        let how = match (super::log::is_old(sys), how) {
            (false, how) => how,
            (true, "timed_out") => "timed out",
            (true, "succeeded") => "succeeded",
            (true, _) => "failed",
        };
        self.voice.say(&format!("VRRP_Script({name}) {how}"), sys);
    }

    // ── files and processes ──

    pub(super) fn look_at_files_and_processes(&mut self, sys: &mut Sys) {
        self.set_timer(sys.now() + LOOK, Timer::Look);
        for place in 0..self.watched.files.len() {
            let file = &self.watched.files[place];
            let number = number_in(&file.conf.path, sys);
            if number == file.number {
                continue;
            }
            let text = format!("Track file {} changed from {} to {number}", file.conf.name, file.number);
            self.voice.detail(&text, sys);
            self.watched.files[place].number = number;
            self.apply(Fault::File(place), sys);
        }
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
            let (name, says) = (process.conf.name.clone(), if is { "is up" } else { "is down" });
            self.voice.say(&format!("Track process {name} {says}"), sys);
            self.apply(Fault::Process(place), sys);
        }
    }
}

impl ScriptRun {
    fn new(conf: config::Script) -> Self {
        // One success is enough at first; `init_fail` asks for all of them.
        let result = if conf.init_fail { 0 } else { conf.rise.saturating_sub(1) };
        ScriptRun { conf, running: None, is_late: false, has_ended_once: false, last_status: 0, result }
    }

    fn is_up(&self) -> bool {
        self.result >= self.conf.rise.max(1)
    }

    fn count(&mut self, good: bool, is_first: bool) {
        let (rise, fall) = (self.conf.rise.max(1), self.conf.fall.max(1));
        let full = rise + fall - 1;
        self.result = match good {
            true if self.result + 1 < rise => self.result + 1,
            true => full,
            false if self.result > rise && !is_first => self.result - 1,
            false => 0,
        };
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

/// What a thing that is up or down does.
fn effect(weight: Weight, up: bool) -> Effect {
    let up = match weight.direction {
        Direction::Straight => up,
        Direction::Reversed => !up,
    };
    match (weight.value, up) {
        (0, true) => Effect::None,
        (0, false) => Effect::Down,
        (value, true) if value > 0 => Effect::Priority(i64::from(value)),
        (value, false) if value < 0 => Effect::Priority(i64::from(value)),
        _ => Effect::None,
    }
}

/// A file's number times the weight; -254 is FAULT. Without a weight: 0 is up.
fn of_file(weight: Weight, number: i64) -> Effect {
    let factor = match weight.direction {
        Direction::Straight => i64::from(weight.value),
        Direction::Reversed => -i64::from(weight.value),
    };
    match factor {
        0 if number == 0 => Effect::None,
        0 => Effect::Down,
        factor => match factor.saturating_mul(number).clamp(-254, 253) {
            -254 => Effect::Down,
            change => Effect::Priority(change),
        },
    }
}

/// The number at the beginning of a file; 0 if there is none.
fn number_in(path: &str, sys: &mut Sys) -> i64 {
    let Ok(bytes) = sys.read_file(path) else { return 0 };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start();
    let end = text.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && matches!(c, '-' | '+')));
    text[..end.map_or(text.len(), |(at, _)| at)].parse().unwrap_or(0)
}

fn is_running(name: &str, sys: &Sys) -> bool {
    let interface = sys.kernel.tables.interfaces.named(name);
    interface.is_some_and(|interface| interface.running())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rise: u32, fall: u32) -> ScriptRun {
        let timing = Duration::from_secs(1);
        ScriptRun::new(config::Script {
            name: "chk".into(),
            command: config::Command::default(),
            interval: timing,
            timeout: timing,
            weight: Weight::default(),
            rise,
            fall,
            init_fail: false,
        })
    }

    #[test]
    fn the_first_result_counts_alone_and_then_rise_and_fall() {
        for (results, up) in [
            (&[true][..], true),
            (&[false][..], false),
            (&[true, false][..], true),
            (&[true, false, false][..], false),
            (&[true, false, true, false][..], true),
            (&[false, true][..], false),
            (&[false, true, true][..], true),
        ] {
            let mut script = script(2, 2);
            for (number, good) in results.iter().enumerate() {
                script.count(*good, number == 0);
            }
            assert_eq!(script.is_up(), up, "{results:?}");
        }
    }

    #[test]
    fn a_weight_counts_on_its_own_side_only() {
        let weight = |value, direction| Weight { value, direction };
        assert_eq!(effect(weight(20, Direction::Straight), true), Effect::Priority(20));
        assert_eq!(effect(weight(20, Direction::Straight), false), Effect::None);
        assert_eq!(effect(weight(-20, Direction::Straight), false), Effect::Priority(-20));
        assert_eq!(effect(weight(0, Direction::Straight), false), Effect::Down);
        assert_eq!(effect(weight(0, Direction::Reversed), false), Effect::None);
        assert_eq!(of_file(weight(2, Direction::Straight), -300), Effect::Down);
        assert_eq!(of_file(weight(2, Direction::Straight), 10), Effect::Priority(20));
    }
}
