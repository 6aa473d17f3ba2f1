//! `MISC_CHECK`: a command; its exit status says how the server is.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries};
use crate::base::id::Pid;
use crate::base::time::Duration;
use crate::keepalived::config::checker::Misc as Spec;
use crate::kernel::process::{Ending, Signal};
use crate::kernel::syscall::{Stdio, Sys};
use crate::trace::record::CheckFlaw;

/// One at work.
#[derive(Debug)]
pub(super) struct Misc {
    spec: Spec,
    running: Running,
    /// How the last run ended, if it was not well.
    ended: Option<CheckFlaw>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Running {
    No,
    Yes(Pid),
    /// It was told to end, and is killed if it does not.
    Terminated(Pid),
    /// It was killed.
    Killed(Pid),
}

/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// Exit status of a command that could not be started: no such program.
const NOT_FOUND: i32 = 127;

impl Misc {
    pub(super) fn new(spec: &Spec) -> Self {
        Misc { spec: spec.clone(), running: Running::No, ended: None }
    }

    fn judge(&mut self, ending: Ending, job: &Job<'_>) -> Finding {
        let running = std::mem::replace(&mut self.running, Running::No);
        let flaw = match (ending, running) {
            (Ending::Exited(0), _) if job.era.is_old() => return Finding::Good,
            (Ending::Exited(0), _) => return Finding::Status(0),
            (Ending::Exited(status @ 2..), _) if self.spec.dynamic => return Finding::Status(status),
            (Ending::Exited(status), _) => CheckFlaw::Exit(status as u8),
            // A command that catches SIGTERM and ends by itself is judged by its status.
            (Ending::Killed(Signal::Term), Running::Terminated(_) | Running::Killed(_))
            | (Ending::Killed(Signal::Kill), Running::Killed(_)) => CheckFlaw::Overtime { within: self.spec.timeout },
            (Ending::Killed(signal), _) => CheckFlaw::Signal(signal.number() as u8),
        };
        self.ended = Some(flaw);
        Finding::Bad(flaw, String::new())
    }

    fn path(&self) -> &str {
        self.spec.command.argv.first().map_or("", String::as_str)
    }
}

impl Probe for Misc {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let env = sys.env();
        match sys.spawn(&self.spec.command.argv, &env, Stdio::default()) {
            Ok(pid) => {
                self.running = Running::Yes(pid);
                Progress::Child(pid, sys.now() + self.spec.timeout)
            }
            Err(_) => Progress::Over(self.judge(Ending::Exited(NOT_FOUND), job)),
        }
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let (signal, running) = match (event, self.running) {
            (Event::Ended(ending), _) => return Progress::Over(self.judge(ending, job)),
            (Event::Socket | Event::TimeUp, Running::Yes(pid)) => (Signal::Term, Running::Terminated(pid)),
            (Event::Socket | Event::TimeUp, Running::Terminated(pid) | Running::Killed(pid)) => {
                (Signal::Kill, Running::Killed(pid))
            }
            (Event::Socket | Event::TimeUp, Running::No) => {
                return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new()));
            }
        };
        self.running = running;
        let (Running::Yes(pid) | Running::Terminated(pid) | Running::Killed(pid)) = running else {
            return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new()));
        };
        sys.kill(pid, signal);
        Progress::Child(pid, sys.now() + GRACE)
    }

    fn abandon(&mut self, sys: &mut Sys) {
        match std::mem::replace(&mut self.running, Running::No) {
            Running::Yes(pid) | Running::Terminated(pid) | Running::Killed(pid) => {
                sys.kill(pid, Signal::Term);
                sys.disown(pid);
            }
            Running::No => {}
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, _: &str) -> String {
        let how = match flaw {
            None => "succeeded",
            Some(CheckFlaw::Overtime { .. }) => "timed out",
            Some(_) => "failed",
        };
        format!("=> MISC CHECK {how} on service <=")
    }

    fn success(&self, job: &Job<'_>) -> String {
        match job.era.is_old() {
            true => format!("Misc check to [{}] for [{}] success.", job.spec.connect.address, self.path()),
            false => format!("Misc check for [{} VS {}] by [{}] succeeded.", job.server, job.service, self.path()),
        }
    }

    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String> {
        let is_late = matches!(self.ended, Some(CheckFlaw::Overtime { .. }));
        if job.era.is_old() {
            let how = if is_late { "timed out" } else { "failed." };
            return Some(format!("Misc check to [{}] for [{}] {how}", job.spec.connect.address, self.path()));
        }
        let what = if is_late { "timed out" } else { "failed" };
        let retries = |count: u32| if count == 1 { "retry" } else { "retries" };
        let Tries { retry, retried, .. } = tries;
        let when = match (retry, retried) {
            (0, _) => " with retry disabled".to_owned(),
            (_, 0) => format!(" after {retry} {}", retries(retry)),
            (_, 1) => format!(", will do {retry} {}", retries(retry)),
            (_, _) => format!(" on retry {}/{retry}", retried - 1),
        };
        let why = match self.ended {
            Some(CheckFlaw::Signal(signal)) => format!(" (due to signal {signal})"),
            Some(CheckFlaw::Exit(status)) => format!(" (exited with status {status})"),
            _ => String::new(),
        };
        Some(format!("Misc check for [{} VS {}] by [{}] {what}{when}{why}.", job.server, job.service, self.path()))
    }
}
