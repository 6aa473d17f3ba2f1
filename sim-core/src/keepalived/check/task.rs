//! One checker of one real server: when it looks, how often it tries again, and what it holds for true.
//!
//! ```text
//!   first look: 1 s + random(0..warmup) after the start; one failure is enough
//!   well ─► again in delay_loop
//!   bad  ─► up to `retry` more times, delay_before_retry apart ─► down
//! ```
//! The first look and every change of mind are logged.

use super::probe::{Event, Finding, Job, Probe, Progress};
use super::registry::{self, Kind};
use crate::base::time::{Duration, Instant};
use crate::keepalived::config::{Checker, CheckerKind};
use crate::keepalived::era::Era;
use crate::keepalived::voice::Voice;
use crate::kernel::syscall::Sys;
use crate::trace::record::{CheckFlaw, CheckRecord, Inspector, ServiceKey, Standing};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;

/// A checker at work.
#[derive(Debug)]
pub(super) struct Task {
    /// Which virtual server, which of its real servers.
    pub(super) pool: usize,
    pub(super) member: usize,
    pub(super) spec: Checker,
    kind: &'static Kind,
    probe: Box<dyn Probe>,
    server: String,
    service: String,
    /// The service and the server in the IPVS table; none for what the lab cannot have there.
    pub(super) whom: Option<(ServiceKey, SocketAddr)>,
    pub(super) is_up: bool,
    pub(super) has_run: bool,
    retried: u32,
    /// Bad findings in a row.
    failures: u32,
    began: Instant,
    /// The text of a mail that is due.
    pub(super) mail: Option<String>,
    pub(super) state: State,
}

/// What it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// For its next attempt.
    Idle(Instant),
    /// In an attempt.
    Busy(Progress),
    /// For the virtual address to be here (`ha_suspend`).
    Suspended,
}

/// What a turn of a checker led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing new.
    None,
    /// It holds the server for well.
    Up,
    /// It holds the server for down.
    Down,
    /// The server's weight is to be this; whether it was held for down before.
    Weight(i64, bool),
}

/// The first look is this long after the start, and `warmup` at random on top.
const FIRST_LOOK: Duration = Duration::from_secs(1);

impl Task {
    /// A checker that has not looked yet.
    pub(super) fn new(place: (usize, usize), spec: &Checker, names: (String, String), number: usize) -> Option<Self> {
        let (kind, probe) = registry::make(&spec.kind, number)?;
        let (server, service) = names;
        Some(Task {
            pool: place.0,
            member: place.1,
            spec: spec.clone(),
            kind,
            probe,
            server,
            service,
            whom: None,
            is_up: !spec.alpha,
            has_run: false,
            retried: 0,
            failures: 0,
            began: Instant::ZERO,
            mail: None,
            state: State::Suspended,
        })
    }

    /// Sets the time of its first look.
    pub(super) fn arm(&mut self, sys: &mut Sys) {
        let warmup = self.spec.warmup.nanos();
        let random = if warmup == 0 { 0 } else { sys.cx.rng.below(warmup) };
        self.state = State::Idle(sys.now() + FIRST_LOOK + Duration::from_nanos(random));
    }

    /// What an earlier checker that did the same came to.
    pub(super) fn inherit(&mut self, old: &Task) {
        self.is_up = old.is_up;
        self.has_run = old.has_run;
    }

    /// When it is due.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Idle(due) => Some(*due),
            State::Busy(Progress::Socket(_, until) | Progress::Child(_, until)) => Some(*until),
            State::Busy(Progress::Over(_)) | State::Suspended => None,
        }
    }

    /// Its time has come, or something happened that its attempt waits for.
    pub(super) fn go_on(&mut self, event: Event, voice: &Voice, sys: &mut Sys) -> News {
        let era = Era::of(sys.kernel.os);
        let (is_up, has_run) = (self.is_up, self.has_run);
        let job = Job { spec: &self.spec, server: &self.server, service: &self.service, era, is_up, has_run, voice };
        let progress = match &self.state {
            State::Suspended => return News::None,
            State::Idle(due) if sys.now() < *due => return News::None,
            State::Idle(_) => {
                self.began = sys.now();
                self.probe.begin(&job, sys)
            }
            State::Busy(_) => self.probe.go_on(event, &job, sys),
        };
        match progress {
            Progress::Over(finding) => self.conclude(finding, voice, sys),
            busy @ (Progress::Socket(..) | Progress::Child(..)) => {
                self.state = State::Busy(busy);
                News::None
            }
        }
    }

    /// Stops looking.
    pub(super) fn suspend(&mut self, sys: &mut Sys) {
        self.probe.abandon(sys);
        self.state = State::Suspended;
    }

    fn conclude(&mut self, finding: Finding, voice: &Voice, sys: &mut Sys) -> News {
        match finding {
            Finding::Good => self.find_up(voice, sys),
            Finding::Weight(weight) => {
                let was_down = self.find_up(voice, sys) == News::Up;
                News::Weight(weight, was_down)
            }
            Finding::More(pause) => {
                (self.retried, self.failures) = (0, 0);
                self.record(None, 1, false, sys);
                self.rest(pause, sys);
                News::None
            }
            Finding::Bad(flaw, why) => self.find_bad(flaw, &why, voice, sys),
        }
    }

    fn find_up(&mut self, voice: &Voice, sys: &mut Sys) -> News {
        (self.retried, self.failures) = (0, 0);
        self.rest(self.spec.delay_loop, sys);
        let (was_up, had_run) = (std::mem::replace(&mut self.is_up, true), std::mem::replace(&mut self.has_run, true));
        self.record(None, 1, !(was_up && had_run), sys);
        if !was_up || (!had_run && self.kind.mails_first) {
            self.mail = Some(self.probe.mail(None, ""));
        }
        if was_up && had_run {
            return News::None;
        }
        // The first generation says nothing of a server that is as it was taken to be.
        let era = Era::of(sys.kernel.os);
        if !(was_up && era.is_old()) {
            voice.say(&self.probe.success(&self.job(era, voice)), sys);
        }
        if was_up { News::None } else { News::Up }
    }

    fn find_bad(&mut self, flaw: CheckFlaw, why: &str, voice: &Voice, sys: &mut Sys) -> News {
        let era = Era::of(sys.kernel.os);
        let says_each = match era {
            Era::V1_1 => false,
            Era::V1_3 => self.is_up,
            Era::V2_2 => self.spec.log_all_failures,
        };
        if says_each && !why.is_empty() {
            voice.say(why, sys);
        }
        self.failures = self.failures.saturating_add(1);
        let retry = self.retry(era);
        if self.has_run && self.retried < retry && (self.is_up || self.kind.retries_while_down) {
            self.retried += 1;
            self.record(Some(flaw), retry + 1, false, sys);
            self.rest_from(sys.now(), self.spec.delay_before_retry, sys);
            return News::None;
        }
        let (was_up, had_run) = (std::mem::replace(&mut self.is_up, false), std::mem::replace(&mut self.has_run, true));
        self.retried = 0;
        self.record(Some(flaw), if had_run { retry + 1 } else { 1 }, was_up || !had_run, sys);
        match self.kind.retries_while_down {
            true => self.rest(self.spec.delay_loop, sys),
            false => self.rest(self.spec.delay_loop.max(self.spec.delay_before_retry), sys),
        }
        if !was_up && had_run {
            return News::None;
        }
        let how = match (had_run && retry > 0, era) {
            (true, Era::V2_2) => format!("failed after {retry} retries."),
            (true, Era::V1_1 | Era::V1_3) => format!("failed after {retry} retry."),
            (false, _) => "failed.".to_owned(),
        };
        if was_up || (!had_run && self.kind.mails_first) {
            self.mail = Some(self.probe.mail(Some(flaw), why));
        }
        voice.say(&self.probe.failure(&how, &self.job(era, voice)), sys);
        if was_up { News::Down } else { News::None }
    }

    /// What the trace is told of every look.
    fn record(&self, flaw: Option<CheckFlaw>, enough: u32, is_news: bool, sys: &mut Sys) {
        let Some((service, server)) = self.whom else { return };
        sys.cx.change(Change::Check(CheckRecord {
            node: sys.cx.node,
            by: Inspector::Keepalived,
            kind: self.kind.record,
            service,
            server,
            began: self.began,
            flaw,
            failures: self.failures,
            enough,
            standing: Standing::up_if(self.is_up),
            is_news,
        }));
    }

    /// How many more failures it takes.
    fn retry(&self, era: Era) -> u32 {
        match (era, &self.spec.kind) {
            // TCP_CHECK had no such option.
            (Era::V1_1, CheckerKind::Tcp) => 0,
            _ => self.spec.retry,
        }
    }

    fn rest(&mut self, pause: Duration, sys: &Sys) {
        let from = if self.kind.counts_from_start { self.began } else { sys.now() };
        self.rest_from(from, pause, sys);
    }

    /// Timers are set in whole milliseconds: what a handshake takes on an idle LAN does not add up, and checks that began
    /// together stay in the order of the file.
    fn rest_from(&mut self, from: Instant, pause: Duration, sys: &Sys) {
        const MILLISECOND: u64 = 1_000_000;
        let due = (from + pause).nanos() / MILLISECOND * MILLISECOND;
        self.state = State::Idle(Instant::from_nanos(due).max(sys.now()));
    }

    fn job<'a>(&'a self, era: Era, voice: &'a Voice) -> Job<'a> {
        let Task { spec, server, service, is_up, has_run, .. } = self;
        Job { spec, server, service, era, is_up: *is_up, has_run: *has_run, voice }
    }
}
