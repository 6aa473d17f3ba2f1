//! `MISC_CHECK`: a command; its exit status says how the server is.

use super::probe::{Event, Finding, Job, Probe, Progress};
use crate::base::id::Pid;
use crate::base::time::Duration;
use crate::keepalived::config::checker::Misc as Spec;
use crate::kernel::process::Signal;
use crate::kernel::syscall::{Stdio, Sys};
use crate::trace::record::CheckFlaw;

/// One at work.
#[derive(Debug)]
pub(super) struct Misc {
    spec: Spec,
    running: Running,
    /// How the last run ended: `exited with status 1`, `timed out`.
    ended: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Running {
    No,
    Yes(Pid),
    /// It was told to end, and is killed if it does not.
    Terminated(Pid),
}

/// From SIGTERM to SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

impl Misc {
    pub(super) fn new(spec: &Spec) -> Self {
        Misc { spec: spec.clone(), running: Running::No, ended: String::new() }
    }

    fn judge(&mut self, status: i32) -> Finding {
        let was_terminated = matches!(self.running, Running::Terminated(_));
        self.running = Running::No;
        if was_terminated {
            self.ended = "timed out".into();
            return Finding::Bad(CheckFlaw::Overtime { within: self.spec.timeout }, self.ended.clone());
        }
        let flaw = match Signal::that_ended(status) {
            Some(signal) => CheckFlaw::Signal(signal.number() as u8),
            None => CheckFlaw::Exit(status as u8),
        };
        self.ended = match flaw {
            CheckFlaw::Signal(signal) => format!("due to signal {signal}"),
            _ => format!("exited with status {status}"),
        };
        match (status, self.spec.dynamic) {
            (0, _) => Finding::Good,
            (2..=255, true) if Signal::that_ended(status).is_none() => Finding::Weight(i64::from(status) - 2),
            _ => Finding::Bad(flaw, self.ended.clone()),
        }
    }

    fn path(&self) -> &str {
        self.spec.command.argv.first().map_or("", String::as_str)
    }
}

impl Probe for Misc {
    fn begin(&mut self, _: &Job<'_>, sys: &mut Sys) -> Progress {
        let env = sys.env();
        match sys.spawn(&self.spec.command.argv, &env, Stdio::default()) {
            Ok(pid) => {
                self.running = Running::Yes(pid);
                Progress::Child(pid, sys.now() + self.spec.timeout)
            }
            Err(error) => {
                self.ended = error.to_string();
                Progress::Over(Finding::Bad(CheckFlaw::NotAsked, self.ended.clone()))
            }
        }
    }

    fn go_on(&mut self, event: Event, _: &Job<'_>, sys: &mut Sys) -> Progress {
        match (event, self.running) {
            (Event::Ended(status), _) => Progress::Over(self.judge(status)),
            (_, Running::Yes(pid)) => {
                sys.kill(pid, Signal::Term);
                self.running = Running::Terminated(pid);
                Progress::Child(pid, sys.now() + GRACE)
            }
            (_, Running::Terminated(pid)) => {
                sys.kill(pid, Signal::Kill);
                Progress::Child(pid, sys.now() + GRACE)
            }
            (_, Running::No) => Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new())),
        }
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Running::Yes(pid) | Running::Terminated(pid) = std::mem::replace(&mut self.running, Running::No) {
            sys.kill(pid, Signal::Term);
            sys.disown(pid);
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
            true => format!("Misc check to {} for [{}] success.", job.server, self.path()),
            false => format!("Misc check for [{} VS {}] by [{}] succeeded.", job.server, job.service, self.path()),
        }
    }

    fn failure(&self, how: &str, job: &Job<'_>) -> String {
        if job.era.is_old() {
            return format!("Misc check to {} for [{}] failed.", job.server, self.path());
        }
        let how = how.trim_end_matches('.');
        let how = if how == "failed" { "failed with retry disabled" } else { how };
        format!("Misc check for [{} VS {}] by [{}] {how} ({}).", job.server, job.service, self.path(), self.ended)
    }
}
