//! `vrrp_script`: a command that is run again and again, and what its results are worth.
//!
//! ```text
//!   result 0 … rise-1 │ rise … rise+fall-1      below the line it is down, above it is up;
//!         success ─►  │  ◄─ failure             the first result ever counts alone
//! ```

use super::super::config::{self, Config};
use super::instance::Fault;
use super::{Timer, Vrrp};
use crate::base::id::Pid;
use crate::base::time::Duration;
use crate::kernel::process::{Ending, Env, Signal};
use crate::kernel::syscall::{Stdio, Sys};

/// A script.
#[derive(Debug)]
pub(super) struct ScriptRun {
    pub(super) conf: config::Script,
    /// Its runs: 2.2.7 says that it skips one while another goes on, and starts it all the same.
    pub(super) running: Vec<Pid>,
    doing: Doing,
    pub(super) known: Known,
    /// 0 before the first.
    last_status: i32,
    result: u32,
}

/// What a script does, as keepalived sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Nothing: its last run has ended.
    Nothing,
    /// It runs.
    Running,
    /// It has taken too long: SIGTERM was sent.
    Ending,
    /// SIGKILL was sent.
    Forced,
}

/// What is known of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing: those whom it can bring to FAULT wait for it.
    Nothing,
    /// Nothing, but it came with a reload: nobody waits.
    NothingSinceReload,
    /// `init_fail`: it counts as failed.
    TakenAsFailed,
    /// It has ended once.
    Result,
}

/// After SIGTERM, a script has so long before SIGKILL.
const KILL_AFTER: Duration = Duration::from_secs(2);
/// How long it has then, each time.
const KILL_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// Runs of one script at a time. One that never ends would fill the table of processes.
const RUNS_MAX: usize = 100;

impl Vrrp {
    /// Every script of the file, none of which has run.
    pub(super) fn new_scripts(config: &Config) -> Vec<ScriptRun> {
        config.scripts.iter().map(|conf| ScriptRun::new(conf.clone(), Known::Nothing)).collect()
    }

    /// The scripts of a file that is read again: one of the same name is as good as it was. Those that run are ended.
    pub(super) fn keep_scripts(&mut self, config: &Config, sys: &mut Sys) -> Vec<ScriptRun> {
        self.watched.stop(sys);
        let mut scripts = Vec::new();
        for conf in &config.scripts {
            let mut script = ScriptRun::new(conf.clone(), Known::NothingSinceReload);
            if let Some(old) = self.watched.scripts.iter().find(|old| old.conf.name == conf.name) {
                script.take_over(old);
                if script.known == Known::Result && !super::log::is_old(sys) {
                    let how = if script.is_up() { "successful" } else { "unsuccessful" };
                    self.voice.say(&format!("VRRP_Script({}) considered {how} on reload", conf.name), sys);
                }
            }
            scripts.push(script);
        }
        scripts
    }

    pub(super) fn start_script(&mut self, place: usize, sys: &mut Sys) {
        let script = &self.watched.scripts[place];
        let (interval, timeout) = (script.conf.interval.max(Duration::from_millis(1)), script.conf.timeout);
        let (name, argv) = (script.conf.name.clone(), script.conf.command.argv.clone());
        let busy = match script.doing {
            Doing::Nothing => None,
            Doing::Running => Some("already running"),
            Doing::Ending | Doing::Forced => Some("being timed out"),
        };
        self.set_timer(sys.now() + interval, Timer::ScriptStart(place));
        if let Some(busy) = busy {
            self.voice.say(&format!("Track script {name} is {busy}, expect idle - skipping run"), sys);
        }
        if self.watched.scripts[place].running.len() >= RUNS_MAX {
            return;
        }
        match sys.spawn(&argv, &Env::new(), Stdio::default()) {
            Ok(pid) => {
                let script = &mut self.watched.scripts[place];
                script.running.push(pid);
                script.doing = Doing::Running;
                let timeout = if timeout > Duration::ZERO { timeout } else { interval };
                self.set_timer(sys.now() + timeout, Timer::ScriptLate(place, pid));
            }
            // As the shell says it of a program that is not there, or may not be run.
            Err(crate::kernel::process::ExecError::NotFound(_)) => self.script_ended(place, Ending::Exited(127), sys),
            Err(_) => self.script_ended(place, Ending::Exited(126), sys),
        }
    }

    /// A run has taken too long.
    pub(super) fn script_late(&mut self, place: usize, pid: Pid, sys: &mut Sys) {
        let Some(script) = self.watched.scripts.get_mut(place).filter(|script| script.running.contains(&pid)) else {
            return;
        };
        let (doing, signal, wait) = match script.doing {
            // Another run has ended meanwhile, and keepalived takes this one for it.
            Doing::Nothing => return,
            Doing::Running => (Doing::Ending, Signal::Term, KILL_AFTER),
            Doing::Ending => (Doing::Forced, Signal::Kill, KILL_AFTER),
            Doing::Forced => (Doing::Forced, Signal::Kill, KILL_AGAIN_AFTER),
        };
        if script.doing == Doing::Forced {
            let text = format!("Script {} child (PID {}) failed to terminate after kill", script.conf.name, pid.0);
            self.voice.say(&text, sys);
        }
        self.watched.scripts[place].doing = doing;
        sys.kill(pid, signal);
        self.set_timer(sys.now() + wait, Timer::ScriptLate(place, pid));
    }

    pub(super) fn reap_scripts(&mut self, sys: &mut Sys) {
        for place in 0..self.watched.scripts.len() {
            for pid in self.watched.scripts[place].running.clone() {
                let Some(ending) = sys.wait_ending(pid) else { continue };
                self.watched.scripts[place].running.retain(|running| *running != pid);
                self.timers.retain(|_, timer| *timer != Timer::ScriptLate(place, pid));
                self.script_ended(place, ending, sys);
            }
        }
    }

    fn script_ended(&mut self, place: usize, ending: Ending, sys: &mut Sys) {
        let script = &mut self.watched.scripts[place];
        let name = script.conf.name.clone();
        if let Ending::Exited(status) = ending
            && std::mem::replace(&mut script.last_status, status) != status
        {
            self.voice.say(&format!("Script `{name}` now returning {status}"), sys);
        }
        let script = &mut self.watched.scripts[place];
        let doing = std::mem::replace(&mut script.doing, Doing::Nothing);
        let turned = script.count(ending == Ending::Exited(0));
        let how = match (ending, doing) {
            (Ending::Exited(0), _) => "succeeded".to_owned(),
            (Ending::Exited(status), _) => format!("failed (exited with status {status})"),
            (Ending::Killed(Signal::Term), Doing::Ending)
            | (Ending::Killed(Signal::Term | Signal::Kill), Doing::Forced) => "timed_out".to_owned(),
            (Ending::Killed(signal), _) => format!("failed (due to signal {})", signal.number()),
        };
        if turned {
            self.say_script(&name, &how, sys);
            self.script_known(place, sys);
        }
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
}

impl ScriptRun {
    fn new(conf: config::Script, known: Known) -> Self {
        // One success is enough at first; `init_fail` asks for all of them.
        let (result, known) = match conf.init_fail {
            true => (0, Known::TakenAsFailed),
            false => (conf.rise.saturating_sub(1), known),
        };
        ScriptRun { conf, running: Vec::new(), doing: Doing::Nothing, known, last_status: 0, result }
    }

    /// A reload: how far it was from up or down, as far as the new numbers let it be.
    fn take_over(&mut self, old: &ScriptRun) {
        match old.known {
            Known::Nothing | Known::NothingSinceReload => {
                self.known = old.known;
                self.result = self.rise().saturating_sub(1);
            }
            Known::TakenAsFailed | Known::Result => {
                self.known = Known::Result;
                self.last_status = old.last_status;
                self.result = match (old.is_up(), old.result) {
                    (false, 0) => 0,
                    (false, result) => (self.rise() + result).saturating_sub(old.rise()),
                    (true, result) if result == old.full() => self.full(),
                    (true, result) => (self.rise() + result - old.rise()).min(self.full()),
                };
            }
        }
    }

    fn rise(&self) -> u32 {
        self.conf.rise.max(1)
    }

    /// So many successes in a row are as many as count.
    fn full(&self) -> u32 {
        self.rise() + self.conf.fall.max(1) - 1
    }

    pub(super) fn is_up(&self) -> bool {
        self.result >= self.rise()
    }

    /// Whether it is up or down from now on and was not before, or it was not known.
    fn count(&mut self, good: bool) -> bool {
        let (rise, full) = (self.rise(), self.full());
        let is_first = matches!(self.known, Known::Nothing | Known::NothingSinceReload);
        self.known = Known::Result;
        match good {
            true if self.result + 1 < rise => {
                self.result += 1;
                false
            }
            true => std::mem::replace(&mut self.result, full) < rise,
            false if self.result > rise => {
                self.result -= 1;
                false
            }
            false => std::mem::replace(&mut self.result, 0) == rise || is_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rise: u32, fall: u32, init_fail: bool) -> ScriptRun {
        let timing = Duration::from_secs(1);
        let conf = config::Script {
            name: "chk".into(),
            command: config::Command::default(),
            interval: timing,
            timeout: timing,
            weight: config::Weight::default(),
            rise,
            fall,
            init_fail,
        };
        ScriptRun::new(conf, Known::Nothing)
    }

    #[test]
    fn with_init_fail_a_script_needs_all_its_successes_and_its_failures_are_no_news() {
        let mut script = script(3, 2, true);
        let news: Vec<bool> = [false, true, true, true].into_iter().map(|good| script.count(good)).collect();
        assert_eq!(news, [false, false, false, true]);
    }

    #[test]
    fn a_reload_keeps_how_far_a_script_is() {
        let mut old = script(2, 3, false);
        old.count(true);
        old.count(false);
        let mut new = script(1, 5, false);
        new.take_over(&old);
        assert_eq!((new.is_up(), new.result), (true, 2), "one failure less than full, as before");
        old.count(false);
        old.count(false);
        let mut new = script(3, 1, false);
        new.take_over(&old);
        assert_eq!((new.is_up(), new.result), (false, 0));
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
            let mut script = script(2, 2, false);
            for good in results {
                script.count(*good);
            }
            assert_eq!(script.is_up(), up, "{results:?}");
        }
    }
}
