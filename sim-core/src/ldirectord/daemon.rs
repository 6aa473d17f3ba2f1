//! The process: rounds of checks, one server after the other; what comes of them; reload and end.
//!
//! ```text
//!   start ─► services and servers into the table ─► round: check, check, check … ─► sleep checkinterval ─┐
//!                                                     ▲                                                   │
//!                                                     └──── autoreload? HUP? ◄──────────────────────────┘
//! ```
//! A check that hangs holds up all that come after it, for as long as its timeout.

use super::check::{Attempt, Question, State, kind, question};
use super::config::{CheckType, Config, Virtual, read};
use super::pool;
use crate::base::calendar::Date;
use crate::base::id::NodeId;
use crate::base::time::Instant;
use crate::kernel::process::{Next, Process, Signal};
use crate::kernel::syscall::{Open, Stdio, Sys};
use crate::trace::record::{CheckFlaw, HealthRecord, QuorumRecord};
use crate::world::node::Cx;
use std::rc::Rc;

/// Where ldirectord looks for its file, in this order.
pub const FILES: &[&str] = &["/etc/ha.d/ldirectord.cf", "/etc/ha.d/conf/ldirectord.cf"];

/// What `ps` shows.
pub const PROGRAM: &str = "ldirectord";

/// Checks of one turn that need no waiting, before the process lets others run.
const STEPS_MAX: usize = 100_000;

/// The process.
#[derive(Debug)]
pub struct Ldirectord {
    path: String,
    text: String,
    changed: Option<Instant>,
    pub(super) config: Rc<Config>,
    pub(super) states: Vec<Section>,
    phase: Phase,
    /// Checks of this round and their answers: the same question is asked once.
    asked: Vec<(Question, Option<CheckFlaw>)>,
}

/// What is known of a section.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) servers: Vec<Server>,
    fallback_on: bool,
    /// What the trace was told last.
    pub(super) told: Option<QuorumRecord>,
}

/// What is known of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) up: bool,
    /// Failures that count: those of a server that is up.
    pub(super) failures: u32,
    /// Failures in a row.
    pub(super) in_a_row: u32,
    /// Of a combined check: connections since the last negotiation.
    connects: u32,
    negotiated: bool,
    /// What the trace was told last.
    pub(super) told: Option<HealthRecord>,
}

#[derive(Debug)]
enum Phase {
    New,
    /// The next to be checked, and the attempt that is at it.
    Round {
        section: usize,
        server: usize,
        attempt: Option<Attempt>,
    },
    Asleep(Instant),
}

impl Ldirectord {
    /// A daemon for the file at `path`, whose text was read already and has no errors.
    pub fn new(path: &str, text: &str) -> Self {
        Ldirectord {
            path: path.to_owned(),
            text: text.to_owned(),
            changed: None,
            config: Rc::new(read(text).config),
            states: Vec::new(),
            phase: Phase::New,
            asked: Vec::new(),
        }
    }

    /// `ldirectord`, or what the file is called.
    fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        file.strip_suffix(".cf").unwrap_or(file)
    }

    /// Where the pid stands.
    pub fn pid_file(path: &str) -> String {
        let file = path.rsplit('/').next().unwrap_or(path);
        format!("/var/run/ldirectord.{}.pid", file.strip_suffix(".cf").unwrap_or(file))
    }

    fn say(&self, text: &str, sys: &mut Sys) {
        let log = &self.config.globals.log;
        if !log.starts_with('/') {
            sys.log(&format!("ldirectord[{}]", sys.pid.0), text);
            return;
        }
        let date = Date::of(sys.now());
        let (weekday, month) = (date.weekday_name(), date.month_name());
        let Date { day, hour, minute, second, year, .. } = date;
        let line = format!(
            "[{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}|{}|{}] {text}\n",
            self.name(),
            sys.pid.0
        );
        // A log that cannot be written is lost, as on a real machine.
        if let Ok(file) = sys.open(log, Open::Append) {
            let _lost = sys.write(file, line.as_bytes());
            sys.close_fd(file);
        }
    }

    fn tell(&self, text: Option<String>, sys: &mut Sys) {
        if let Some(text) = text {
            self.say(&text, sys);
        }
    }

    fn start(&mut self, sys: &mut Sys) {
        self.say("Starting Linux Director v1.186-ha as daemon", sys);
        let pid = format!("{}\n", sys.pid.0);
        // Without its folder there is no pid file.
        let _lost = sys.write_file(&Ldirectord::pid_file(&self.path), pid.as_bytes());
        self.changed = self.modified(sys);
        self.set_up(sys);
    }

    fn modified(&self, sys: &Sys) -> Option<Instant> {
        sys.kernel.files.stat(&self.path).ok().map(|file| file.changed)
    }

    /// Brings the table to what the file says: servers that are in it stay, others come and go.
    fn set_up(&mut self, sys: &mut Sys) {
        let config = self.config.clone();
        self.states = Vec::new();
        for (index, service) in config.virtuals.iter().enumerate() {
            let text = pool::open(service, sys);
            self.say(&text, sys);
            let wanted: Vec<_> = service
                .reals
                .iter()
                .map(|real| service.mapped(real.address.address, real.address.port, real.method))
                .collect();
            for at in pool::present(service, sys).into_iter().filter(|at| !wanted.contains(at)) {
                let text = pool::delete(service, at, "real", sys);
                self.tell(text, sys);
            }
            let mut section = Section::default();
            for real in &service.reals {
                let known = pool::weight(service, real, sys);
                let up = known.is_some_and(|weight| weight > 0);
                section.servers.push(Server { up, negotiated: false, ..Server::default() });
                if !up && service.check != CheckType::Off {
                    // It appears for a moment, so that there is something to quiesce.
                    if !service.readd_quiescent {
                        let text = pool::restore(service, real, sys);
                        self.tell(text, sys);
                    }
                    let text = pool::take_down(service, real, sys);
                    self.tell(text, sys);
                }
            }
            self.states.push(section);
            for number in 0..service.reals.len() {
                self.account_for_server(index, number, sys);
            }
            self.fall_back(index, service, sys);
        }
        self.begin_round();
    }

    fn begin_round(&mut self) {
        self.asked.clear();
        self.phase = Phase::Round { section: 0, server: 0, attempt: None };
    }

    /// The fallback comes in if no server of the section is up, and goes if one is.
    fn fall_back(&mut self, index: usize, service: &Virtual, sys: &mut Sys) {
        if service.check == CheckType::Off {
            return;
        }
        self.account_for_section(index, sys);
        let any_up = self.states[index].servers.iter().any(|server| server.up);
        if any_up != self.states[index].fallback_on {
            return;
        }
        self.states[index].fallback_on = !any_up;
        if let Some(fallback) = &service.fallback {
            let text = match any_up {
                false => Some(pool::add_fallback(service, fallback, sys)),
                true => pool::delete(service, pool::fallback_at(service, fallback), "fallback", sys),
            };
            self.tell(text, sys);
        }
        if !service.fallback_command.is_empty() {
            let word = if any_up { "stop" } else { "start" };
            let argv = [&*service.fallback_command, word, &service.name(), service.protocol()];
            self.run(&argv, sys);
        }
    }

    /// Runs a command that nobody waits for.
    fn run(&self, argv: &[&str], sys: &mut Sys) {
        let argv: Vec<String> = argv.iter().flat_map(|part| part.split_whitespace()).map(str::to_owned).collect();
        let env = sys.env();
        match sys.spawn(&argv, &env, Stdio::default()) {
            Ok(child) => sys.disown(child),
            Err(error) => self.say(&format!("system({}) failed: {error}", argv.join(" ")), sys),
        }
    }

    /// Goes on with the round until something has to be waited for.
    fn round(&mut self, sys: &mut Sys) -> Next {
        let config = self.config.clone();
        for _ in 0..STEPS_MAX {
            let Phase::Round { section, server, .. } = &self.phase else { break };
            let (index, number) = (*section, *server);
            let Some(service) = config.virtuals.get(index) else { return self.end_of_round(sys) };
            let Some(real) = service.reals.get(number).filter(|_| service.check != CheckType::Off) else {
                self.phase = Phase::Round { section: index + 1, server: 0, attempt: None };
                continue;
            };
            if self.is_in_maintenance(index, number, sys) {
                let flaw = Some(CheckFlaw::Withdrawn);
                self.account_for_check((index, number), kind(service, true), sys.now(), flaw, sys);
                self.verdict(index, number, flaw, sys);
                self.go_to_next();
                continue;
            }
            let Phase::Round { attempt, .. } = &mut self.phase else { break };
            let negotiates = self.states[index].servers[number].negotiates(service.check);
            let asks = question(service, real, negotiates);
            let timeout = match service.check {
                CheckType::Negotiate => service.negotiate_timeout,
                CheckType::Combined(_) if negotiates => service.negotiate_timeout,
                _ => service.check_timeout,
            };
            let (began, flaw) = match self.asked.iter().find(|(known, _)| *known == asks) {
                Some((_, flaw)) if attempt.is_none() => (sys.now(), *flaw),
                Some(_) | None => {
                    let running = attempt.get_or_insert_with(|| Attempt::new(asks.clone(), sys.now(), timeout));
                    match running.go_on(timeout, sys) {
                        State::Waits(next) => return next,
                        State::Over(flaw) => {
                            self.asked.push((asks, flaw));
                            (running.began, flaw)
                        }
                    }
                }
            };
            let kind = kind(service, negotiates);
            self.account_for_check((index, number), kind, began, flaw, sys);
            self.states[index].servers[number].note(service.check, flaw.is_none(), negotiates);
            self.verdict(index, number, flaw, sys);
            self.go_to_next();
        }
        Next::until(sys.now())
    }

    fn go_to_next(&mut self) {
        if let Phase::Round { section, server, .. } = &self.phase {
            self.phase = Phase::Round { section: *section, server: *server + 1, attempt: None };
        }
    }

    /// A file of the server's name in the folder takes it down at once.
    fn is_in_maintenance(&self, section: usize, server: usize, sys: &Sys) -> bool {
        let folder = &self.config.globals.maintenance;
        let real = &self.config.virtuals[section].reals[server];
        let exists = |name: String| sys.kernel.files.stat(&format!("{folder}/{name}")).is_ok();
        !folder.is_empty() && (exists(real.address.to_string()) || exists(real.address.address.to_string()))
    }

    /// What a check says is done.
    fn verdict(&mut self, section: usize, number: usize, flaw: Option<CheckFlaw>, sys: &mut Sys) {
        let config = self.config.clone();
        let (service, real) = (&config.virtuals[section], &config.virtuals[section].reals[number]);
        let at = service.mapped(real.address.address, real.address.port, real.method);
        let whom = format!("{at} ({}:{})", service.protocol(), service.name());
        let server = &mut self.states[section].servers[number];
        let Some(flaw) = flaw else {
            let had_failed = std::mem::take(&mut server.failures) > 0;
            let was_up = std::mem::replace(&mut server.up, true);
            if had_failed && was_up {
                self.say(&format!("Resetting soft failure count: {whom}"), sys);
            }
            if !was_up {
                self.account_for_server(section, number, sys);
                let text = pool::restore(service, real, sys);
                self.tell(text, sys);
                self.fall_back(section, service, sys);
            }
            return;
        };
        if !server.up {
            return;
        }
        server.failures += 1;
        let (failures, limit) = (server.failures, service.failure_count);
        if failures < limit && flaw != CheckFlaw::Withdrawn {
            self.say(&format!("Soft failure real server: {whom} failure {failures}/{limit}"), sys);
            return;
        }
        (server.up, server.failures) = (false, 0);
        self.account_for_server(section, number, sys);
        let text = pool::take_down(service, real, sys);
        self.tell(text, sys);
        self.fall_back(section, service, sys);
    }

    fn end_of_round(&mut self, sys: &mut Sys) -> Next {
        if self.config.globals.autoreload {
            let changed = self.modified(sys);
            if changed != self.changed {
                self.changed = changed;
                if self.file_changed(sys) {
                    return Next::until(sys.now());
                }
            }
        }
        let until = sys.now() + self.config.globals.check_interval;
        self.phase = Phase::Asleep(until);
        Next::until(until)
    }

    /// The file has another time. True: it was read anew and a round begins.
    fn file_changed(&mut self, sys: &mut Sys) -> bool {
        let text = sys.read_file(&self.path).map(|text| String::from_utf8_lossy(&text).into_owned());
        let Ok(text) = text else { return false };
        if text == self.text {
            return false;
        }
        self.say(&format!("Configuration file '{}' has changed on disk", self.path), sys);
        let done = self.reload(&text, sys);
        let what = if done { " - reread new configuration" } else { " - ignore new configuration" };
        self.say(what, sys);
        let callback = self.config.globals.callback.clone();
        if !callback.is_empty() {
            let path = self.path.clone();
            self.run(&[&callback, &path], sys);
        }
        done
    }

    /// Goes by another file; one with errors changes nothing.
    fn reload(&mut self, text: &str, sys: &mut Sys) -> bool {
        text.clone_into(&mut self.text);
        let reading = read(text);
        let errors = reading.remarks.iter().filter(|remark| remark.stops());
        let errors: Vec<String> = errors
            .map(|remark| {
                format!("Error [{}] reading file {} at line {}: {}", sys.pid.0, self.path, remark.line, remark.text)
            })
            .collect();
        if let Some(first) = errors.first() {
            self.say(first, sys);
            return false;
        }
        self.abandon(sys);
        let old = std::mem::replace(&mut self.config, Rc::new(reading.config));
        for service in old.virtuals.iter().filter(|old| !self.config.virtuals.iter().any(|new| new.key == old.key)) {
            let text = pool::purge(service, "reload", sys);
            self.say(&text, sys);
        }
        let mut before = std::mem::take(&mut self.states);
        self.set_up(sys);
        for section in &mut before {
            section.close_account(&self.states, sys.cx);
        }
        true
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Phase::Round { attempt: Some(attempt), .. } = &mut self.phase {
            attempt.end(sys);
        }
    }

    fn stop(&mut self, sys: &mut Sys) {
        self.abandon(sys);
        let config = self.config.clone();
        for service in config.virtuals.iter().filter(|service| service.clean_stop) {
            for at in pool::present(service, sys) {
                let is_fallback =
                    service.fallback.as_ref().is_some_and(|fallback| pool::fallback_at(service, fallback) == at);
                let text = pool::delete(service, at, if is_fallback { "fallback" } else { "real" }, sys);
                self.tell(text, sys);
            }
            let text = pool::purge(service, "stop", sys);
            self.say(&text, sys);
        }
        self.close_accounts(sys.cx);
        // It may be gone already.
        let _gone = sys.kernel.files.remove(&Ldirectord::pid_file(&self.path));
    }
}

impl Server {
    /// Of a combined check: whether it is the turn of the negotiation. The first check is one.
    fn negotiates(&self, check: CheckType) -> bool {
        matches!(check, CheckType::Combined(limit) if !self.negotiated || self.connects >= limit)
    }

    fn note(&mut self, check: CheckType, up: bool, negotiated: bool) {
        if !matches!(check, CheckType::Combined(_)) {
            return;
        }
        match (up, negotiated) {
            (true, true) => (self.negotiated, self.connects) = (true, 0),
            (true, false) => self.connects += 1,
            (false, _) => self.negotiated = false,
        }
    }
}

impl Process for Ldirectord {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        match &self.phase {
            Phase::New => {
                self.start(sys);
                Next::until(sys.now())
            }
            Phase::Asleep(until) if sys.now() < *until => Next::until(*until),
            Phase::Asleep(_) => {
                self.begin_round();
                self.round(sys)
            }
            Phase::Round { .. } => self.round(sys),
        }
    }

    fn gone(&mut self, _: NodeId, cx: &mut Cx) {
        self.close_accounts(cx);
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int => {
                let name = if signal == Signal::Term { "TERM" } else { "INT" };
                self.say(&format!("Linux Director Daemon terminated on signal: {name}"), sys);
                self.stop(sys);
                Some(Next::Exit(0))
            }
            Signal::Hup => {
                self.say("Reloading Linux Director Daemon config on signal: HUP", sys);
                if let Ok(text) = sys.read_file(&self.path) {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    self.changed = self.modified(sys);
                    self.reload(&text, sys);
                }
                Some(Next::until(sys.now()))
            }
            _ => None,
        }
    }
}
