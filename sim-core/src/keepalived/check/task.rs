//! One checker of one real server: when it looks, how often it tries again, and what it holds for true.
//!
//! ```text
//!   first look: 1 s + random(0..warmup) after the start; one failure is enough
//!   well ─► again in delay_loop
//!   bad  ─► up to `retry` more times, delay_before_retry apart ─► down
//! ```
//! The first look and every change of mind are logged. The kinds differ in small things, see [`Manner`]. The first
//! generations have no such first look: they take a server for well, and say nothing as long as it is.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries};
use super::registry::{self, Kind, Manner};
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
    /// The server's weight in the file.
    pub(super) given_weight: i64,
    pub(super) is_up: bool,
    /// It has come to a finding.
    pub(super) has_run: bool,
    /// It has looked.
    has_looked: bool,
    retried: u32,
    /// A page is bad that has to be good before the others are asked for.
    is_page_bad: bool,
    /// What it adds to the server's weight.
    weight: i64,
    /// The exit status that this is for.
    last_status: i32,
    /// Bad findings in a row.
    failures: u32,
    began: Instant,
    /// A line for the log that is due.
    pub(super) said: Option<String>,
    /// The text of a mail that is due.
    pub(super) mail: Option<String>,
    /// The virtual address is here (`ha_suspend`); without it, a look that is due is put off.
    pub(super) is_enabled: bool,
    pub(super) state: State,
}

/// What it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// For its next attempt.
    Idle(Instant),
    /// In an attempt.
    Busy(Progress),
    /// For nothing: it was given up.
    GivenUp,
}

/// What a turn of a checker led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing new.
    None,
    /// It holds the server for well.
    Up,
    /// It holds the server for down. What it added to the weight is taken back: so much.
    Down(i64),
    /// It held the server for down before it looked, and does so still.
    StillDown(i64),
    /// The server's weight is another by so much; whether it was held for down before.
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
            given_weight: 0,
            is_up: !spec.alpha,
            has_run: false,
            has_looked: false,
            retried: 0,
            is_page_bad: false,
            weight: 0,
            last_status: 0,
            failures: 0,
            began: Instant::ZERO,
            said: None,
            mail: None,
            is_enabled: true,
            state: State::GivenUp,
        })
    }

    /// Sets the time of its first look.
    pub(super) fn arm(&mut self, sys: &mut Sys) {
        if Era::of(sys.kernel.os).is_old() {
            self.has_run = true;
        } else if !self.has_run && self.kind.manner != Manner::Greeting {
            self.retried = self.spec.retry;
        }
        let warmup = self.spec.warmup.nanos();
        let random = if warmup == 0 { 0 } else { sys.cx.rng.below(warmup) };
        self.state = State::Idle(sys.now() + FIRST_LOOK + Duration::from_nanos(random));
    }

    /// What an earlier checker that did the same came to.
    pub(super) fn inherit(&mut self, old: &Task) {
        self.is_up = old.is_up;
        self.has_run = old.has_run;
        self.has_looked = old.has_looked;
        self.is_page_bad = old.is_page_bad;
        self.retried = old.retried.min(self.spec.retry.saturating_sub(1));
        self.weight = old.weight;
        // Another weight in the file: the next status is news, whatever it is.
        self.last_status = if self.given_weight == old.given_weight { old.last_status } else { -1 };
    }

    /// When it is due.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Idle(due) => Some(*due),
            State::Busy(Progress::Socket(_, until) | Progress::Child(_, until)) => Some(*until),
            State::Busy(Progress::Over(_)) | State::GivenUp => None,
        }
    }

    /// Its time has come, or something happened that its attempt waits for.
    pub(super) fn go_on(&mut self, event: Event, voice: &Voice, sys: &mut Sys) -> News {
        let era = Era::of(sys.kernel.os);
        let Task { spec, server, service, is_up, has_run, is_page_bad, .. } = self;
        let (is_up, has_run, is_page_bad) = (*is_up, *has_run, *is_page_bad);
        let job = Job { spec, server, service, era, is_up, has_run, is_page_bad, voice };
        let progress = match &self.state {
            State::GivenUp => return News::None,
            State::Idle(due) if sys.now() < *due => return News::None,
            State::Idle(_) if !self.is_enabled => {
                self.rest_from(sys.now(), self.spec.delay_loop, sys);
                return News::None;
            }
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

    /// Gives it up.
    pub(super) fn suspend(&mut self, sys: &mut Sys) {
        self.probe.abandon(sys);
        self.state = State::GivenUp;
    }

    fn conclude(&mut self, finding: Finding, voice: &Voice, sys: &mut Sys) -> News {
        match finding {
            Finding::Good => self.find_up(voice, sys),
            Finding::Status(status) if status == self.last_status => self.find_up(voice, sys),
            Finding::Status(status) => {
                // 0 asks for the weight in the file, N for N - 2.
                let weight = if status == 0 { 0 } else { i64::from(status) - 2 - self.given_weight };
                self.last_status = status;
                let change = weight - std::mem::replace(&mut self.weight, weight);
                let is_back = self.find_up(voice, sys) == News::Up;
                News::Weight(change, is_back)
            }
            Finding::More(pause) => {
                self.is_page_bad = false;
                self.retried = if self.has_run { 0 } else { self.spec.retry };
                self.failures = 0;
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
        let had_looked = std::mem::replace(&mut self.has_looked, true);
        self.record(None, 1, !(was_up && had_looked), sys);
        if was_up && had_run {
            return News::None;
        }
        if !was_up || self.kind.manner == Manner::Command {
            self.mail = Some(self.probe.mail(None, ""));
        }
        let era = Era::of(sys.kernel.os);
        self.said = Some(self.probe.success(&self.job(era, voice)));
        if was_up { News::None } else { News::Up }
    }

    fn find_bad(&mut self, flaw: CheckFlaw, why: &str, voice: &Voice, sys: &mut Sys) -> News {
        let era = Era::of(sys.kernel.os);
        let (retry, manner) = (self.retry(era), self.kind.manner);
        // A server that is known to be down is nothing new.
        let is_open = self.is_up || !self.has_run;
        let had_run = std::mem::replace(&mut self.has_run, true);
        let had_looked = std::mem::replace(&mut self.has_looked, true);
        self.failures = self.failures.saturating_add(1);
        let is_final = self.retried >= retry
            && match manner {
                Manner::Connection | Manner::Greeting => true,
                Manner::Datagram | Manner::Pages | Manner::Command => is_open,
            };
        let enough = if had_run || manner == Manner::Greeting { retry + 1 } else { 1 };
        let is_news = is_final && (self.is_up || !had_looked);
        self.say_each(why, is_open, era, voice, sys);
        self.retried = if is_final { 0 } else { self.retried + u32::from(is_open || self.retries_while_down()) };
        let was_up = self.is_up;
        self.is_up &= !is_final;
        self.record(Some(flaw), enough, is_news, sys);
        self.is_page_bad |= is_final && manner == Manner::Pages && !era.is_old();
        match (is_final, manner) {
            (false, Manner::Pages) if era.is_old() && !is_open => self.rest(self.spec.delay_loop, sys),
            (false, Manner::Pages) => self.rest(self.pause_of_pages(), sys),
            (true, Manner::Pages) if !era.is_old() => self.rest(self.pause_of_pages(), sys),
            (true, _) => self.rest(self.spec.delay_loop, sys),
            (false, Manner::Connection | Manner::Greeting) => self.rest(self.spec.delay_before_retry, sys),
            (false, Manner::Datagram) if was_up => self.rest(self.spec.delay_before_retry, sys),
            (false, Manner::Command) if is_open => self.rest(self.spec.delay_before_retry, sys),
            (false, Manner::Datagram | Manner::Command) => self.rest(self.spec.delay_loop, sys),
        }
        if manner == Manner::Greeting && !is_final {
            // Only a finding counts as a look.
            self.has_run = had_run;
        }
        let says_all = self.spec.log_all_failures && matches!(manner, Manner::Command | Manner::Greeting);
        // A page that fails at the first look of a server that has to prove itself changes nothing.
        let is_worth_saying = is_open && (manner != Manner::Pages || was_up);
        if is_worth_saying && (is_final || says_all) {
            let tries = Tries { retry, retried: self.retried, has_run: had_run || manner == Manner::Pages };
            self.said = self.probe.failure(tries, &self.job(era, voice));
        }
        if !is_final || !is_worth_saying {
            return News::None;
        }
        if was_up || manner == Manner::Command {
            self.mail = Some(self.probe.mail(Some(flaw), why));
        }
        let change = if era.is_old() { 0 } else { self.forget_weight(flaw) };
        match was_up {
            true => News::Down(change),
            // With `alpha`, who is to be told is told that it is down, although it never was up.
            false => News::StillDown(change),
        }
    }

    /// What `log_all_failures` shows; the first generations always do so of a server that is up.
    fn say_each(&self, why: &str, is_open: bool, era: Era, voice: &Voice, sys: &mut Sys) {
        let says = match (self.kind.manner, era) {
            (Manner::Command, _) => false,
            (Manner::Pages, Era::V1_1) | (Manner::Pages | Manner::Connection, Era::V1_3) => self.is_up,
            (_, Era::V1_1 | Era::V1_3) => false,
            (Manner::Connection | Manner::Datagram, Era::V2_2) => self.spec.log_all_failures && self.is_up,
            (Manner::Pages, Era::V2_2) => self.spec.log_all_failures && is_open,
            (Manner::Greeting, Era::V2_2) => false,
        };
        if says && !why.is_empty() {
            voice.say(why, sys);
        }
    }

    fn retries_while_down(&self) -> bool {
        matches!(self.kind.manner, Manner::Connection | Manner::Greeting)
    }

    /// From a page that failed to the next one.
    fn pause_of_pages(&self) -> Duration {
        const AT_ONCE: Duration = Duration::from_millis(1);
        let hurries = matches!(&self.spec.kind, CheckerKind::Http(spec) if spec.fast_recovery);
        match self.is_page_bad {
            true => self.spec.delay_loop.max(self.spec.delay_before_retry),
            false if hurries && !self.is_up => AT_ONCE,
            false => self.spec.delay_before_retry,
        }
    }

    /// A command that fails takes back the weight it gave; one that a signal ends has the server keep it.
    fn forget_weight(&mut self, flaw: CheckFlaw) -> i64 {
        let weight = std::mem::replace(&mut self.weight, 0);
        match flaw {
            CheckFlaw::Exit(status) => {
                self.last_status = i32::from(status);
                -weight
            }
            _ => 0,
        }
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
            (Era::V1_1 | Era::V1_3, CheckerKind::Misc(_)) => 0,
            _ => self.spec.retry,
        }
    }

    fn rest(&mut self, pause: Duration, sys: &Sys) {
        let from = if self.kind.manner == Manner::Command { self.began } else { sys.now() };
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
        let Task { spec, server, service, is_up, has_run, is_page_bad, .. } = self;
        let (is_up, has_run, is_page_bad) = (*is_up, *has_run, *is_page_bad);
        Job { spec, server, service, era, is_up, has_run, is_page_bad, voice }
    }
}
