//! The parent process: it reads the file, starts the two children, starts them again when they die, and passes on
//! what it is told to do.
//!
//! ```text
//!   keepalived ─► Starting … Opening file … ─► fork Healthcheck ─► fork VRRP ─► Startup complete ─► waits
//!      HUP  ─► Reloading ... ─► reads the file ─► HUP to the children ─► Reload complete
//!      TERM ─► Stopping ─► TERM to the children ─► both have ended ─► Stopped Keepalived ─► exit 0
//!      a child died ─► … died: Respawning ─► fork
//! ```
//! A child does in its first turn what the log shows before `Startup complete`, and goes on at its next, which it asks
//! for with `Next::until(now)`; the same at a reload. Each asks for SIGTERM when the parent dies (`PR_SET_PDEATHSIG`),
//! so that after a `kill -9` of the parent alone the children stop in order.
//!
//! # Not modelled
//! The BFD child. `keepalived.data` and JSON dumps (SIGUSR1): one log line says so.

use super::check::Checkers;
use super::config::Reader;
use super::era::Era;
use super::launch::{EXIT_CONFIG, Given, Launch, Role};
use super::voice::Voice;
use super::vrrp::Vrrp;
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Ending, Next, On, Process, Signal, Wait};
use crate::kernel::syscall::{Stdio, Sys};
use std::rc::Rc;

/// The parent process.
#[derive(Debug)]
pub struct Daemon {
    launch: Rc<Launch>,
    voice: Voice,
    given: Rc<Given>,
    state: State,
    children: Vec<Child>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was done yet.
    New,
    /// The children have their first turn.
    Starting,
    /// The children are told to read the file again.
    Reloading,
    /// Waits for signals and for the end of a child.
    Running,
    /// The children are told to end, and are killed at this time.
    Stopping(Instant),
}

/// What came of reading the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It can be used.
    Good,
    /// It is not there.
    Missing,
    /// It cannot be used.
    Unusable,
}

/// One of the two children.
#[derive(Clone, Copy, Debug)]
struct Child {
    role: Role,
    /// While it lives.
    pid: Option<Pid>,
    started: Instant,
    /// When it is started again, if it has died.
    due: Instant,
    /// How long the next start is put off, if it dies early.
    delay: Duration,
}

/// Exit status of the parent when there is no configuration file.
const EXIT_NO_CONFIG: i32 = 5;

/// A child that lived for so long is started again at once when it dies.
const LIVED_LONG: Duration = Duration::from_secs(10);

/// From the end of a child to the start of the next: its sockets are closed first, and those on which it heard packets
/// need some time for that. Recorded, 16 ms.
const DEATH: Duration = Duration::from_millis(15);

/// The longest time that a start is put off.
const DELAY_MAX: Duration = Duration::from_secs(60);

impl Daemon {
    /// A parent that was started like this.
    pub fn new(launch: Launch) -> Self {
        let launch = Rc::new(launch);
        let voice = Voice::new(Role::Parent.ident(), launch.clone());
        Daemon { launch, voice, given: Rc::new(Given::default()), state: State::New, children: Vec::new() }
    }

    fn start(&mut self, sys: &mut Sys) -> Next {
        let era = Era::of(sys.kernel.os);
        self.voice.say(&format!("Starting Keepalived {}", era.version()), sys);
        if !era.is_old() {
            self.voice.say("Running on Linux 6.1.0 (built for Linux 6.1.0)", sys);
            for line in self.launch.logged() {
                self.voice.say(&line, sys);
            }
        }
        if self.launch.is_running(sys) {
            self.voice.say("daemon is already running", sys);
            return Next::Exit(0);
        }
        match self.read(sys) {
            Reading::Good => {}
            Reading::Missing => return Next::Exit(EXIT_NO_CONFIG),
            Reading::Unusable => return Next::Exit(EXIT_CONFIG),
        }
        if !era.is_old() && self.given.config.global.max_auto_priority.is_none() {
            let text = "NOTICE: setting config option max_auto_priority should result in better keepalived performance";
            self.voice.say(text, sys);
        }
        self.write_pid(Role::Parent, sys.pid, sys);
        for role in [Role::Checkers, Role::Vrrp] {
            if self.wants(role, era) {
                self.children.push(Child::new(role));
            }
        }
        if self.children.is_empty() {
            self.voice.say("Warning - keepalived has no configuration to run", sys);
        }
        for place in 0..self.children.len() {
            self.fork(place, sys);
        }
        self.state = State::Starting;
        Next::until(sys.now())
    }

    /// Whether this child is to run.
    fn wants(&self, role: Role, era: Era) -> bool {
        let always = self.launch.all || era.is_old();
        match role {
            Role::Parent => true,
            Role::Checkers => self.launch.checkers && (always || self.given.config.has_checkers()),
            Role::Vrrp => self.launch.vrrp && (always || self.given.config.has_vrrp()),
        }
    }

    /// Reads the configuration file, and says what the parent has to say about it.
    fn read(&mut self, sys: &mut Sys) -> Reading {
        let era = Era::of(sys.kernel.os);
        let file = self.launch.file.clone();
        let Some(given) = self.launch.read(sys) else {
            self.voice.say(&format!("Unable to find configuration file {file} (glob returned 3)"), sys);
            return Reading::Missing;
        };
        if era != Era::V1_1 {
            self.voice.say(&format!("Opening file '{file}'."), sys);
        }
        if !era.is_old() {
            self.voice.say(&format!("Configuration file {file}"), sys);
        }
        self.given = Rc::new(given);
        match self.voice.announce(&self.given, Reader::Parent, sys) {
            true => Reading::Good,
            false => Reading::Unusable,
        }
    }

    fn fork(&mut self, place: usize, sys: &mut Sys) {
        let role = self.children[place].role;
        let (launch, given) = (self.launch.clone(), self.given.clone());
        let body: Box<dyn Process> = match role {
            Role::Checkers => Box::new(Checkers::new(launch, given)),
            Role::Vrrp => Box::new(Vrrp::new(launch, given)),
            Role::Parent => return,
        };
        let Ok(pid) = sys.fork(&self.launch.shown(), body, Stdio::default()) else {
            self.voice
                .say(&format!("{} child process: fork error(Resource temporarily unavailable)", role.title()), sys);
            self.children[place].due = sys.now() + DELAY_MAX;
            return;
        };
        sys.end_with_parent(pid, Signal::Term);
        self.voice.say(&format!("Starting {} child process, pid={}", role.title(), pid.0), sys);
        self.write_pid(role, pid, sys);
        let child = &mut self.children[place];
        child.pid = Some(pid);
        child.started = sys.now();
    }

    fn run(&mut self, sys: &mut Sys) -> Next {
        match self.state {
            State::New => return self.start(sys),
            State::Starting => {
                if !Era::of(sys.kernel.os).is_old() {
                    self.voice.say("Startup complete", sys);
                }
                self.state = State::Running;
            }
            State::Reloading => {
                if !Era::of(sys.kernel.os).is_old() {
                    self.voice.say("Reload complete", sys);
                }
                self.state = State::Running;
            }
            State::Running | State::Stopping(_) => {}
        }
        for place in 0..self.children.len() {
            if let Some(ending) = self.children[place].pid.and_then(|pid| sys.wait_ending(pid)) {
                self.bury(place, ending, sys);
            }
        }
        match self.state {
            State::Stopping(kill_at) => return self.finish(kill_at, sys),
            State::New | State::Starting | State::Reloading | State::Running => {}
        }
        for place in 0..self.children.len() {
            let Child { pid, due, .. } = self.children[place];
            if pid.is_none() && due <= sys.now() {
                self.fork(place, sys);
            }
        }
        self.sleep()
    }

    fn sleep(&self) -> Next {
        let any = self.children.iter().filter_map(|child| child.pid).map(On::Child).collect();
        let until = self.children.iter().filter(|child| child.pid.is_none()).map(|child| child.due).min();
        Next::Wait(Wait { until, any })
    }

    /// A child has ended.
    fn bury(&mut self, place: usize, ending: Ending, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        let Child { role, pid, started, delay, .. } = self.children[place];
        let Some(pid) = pid else { return };
        self.children[place].pid = None;
        self.remove_pid(role, sys);
        if matches!(self.state, State::Stopping(_)) {
            return;
        }
        if !self.wants(role, era) {
            self.children.remove(place);
            return;
        }
        if !era.is_old() {
            self.say_how_it_died(pid, ending, sys);
        }
        if ending == Ending::Exited(EXIT_CONFIG) {
            let text = format!("{} child process({}) died: permanent error. Terminating", role.title(), pid.0);
            self.voice.say(&text, sys);
            sys.kill(sys.pid, Signal::Term);
            self.children[place].due = Instant::NEVER;
            return;
        }
        if !self.launch.respawn {
            self.voice.say(&format!("{} child process({}) died: Exiting", role.title(), pid.0), sys);
            sys.kill(sys.pid, Signal::Term);
            self.children[place].due = Instant::NEVER;
            return;
        }
        self.voice.say(&format!("{} child process({}) died: Respawning", role.title(), pid.0), sys);
        let put_off = if sys.now().since(started) >= LIVED_LONG { Duration::ZERO } else { delay };
        let child = &mut self.children[place];
        child.due = sys.now() + put_off + DEATH;
        child.delay = if put_off == Duration::ZERO { Duration::from_secs(1) } else { put_off.times(2).min(DELAY_MAX) };
        if !era.is_old() {
            for line in PLEASE_REPORT {
                self.voice.say(line, sys);
            }
            let text =
                format!("Restart of {} process delayed {} seconds to limit respawn rate", role.title(), put_off.secs());
            self.voice.say(&text, sys);
        }
    }

    fn say_how_it_died(&self, pid: Pid, ending: Ending, sys: &mut Sys) {
        let pid = pid.0;
        let text = match ending {
            Ending::Killed(Signal::Kill) => {
                format!("pid {pid} exited due to signal 9 (Killed) - has rlimit_rttime been exceeded?")
            }
            Ending::Killed(signal) => {
                format!("pid {pid} exited due to signal {} ({})", signal.number(), signal.described())
            }
            Ending::Exited(status) => format!("pid {pid} exited with status {status}"),
        };
        self.voice.say(&text, sys);
    }

    fn stop(&mut self, sys: &mut Sys) -> Next {
        if let State::Stopping(kill_at) = self.state {
            return self.finish(kill_at, sys);
        }
        let era = Era::of(sys.kernel.os);
        let text = if era.is_old() { format!("Stopping Keepalived {}", era.version()) } else { "Stopping".into() };
        self.voice.say(&text, sys);
        for pid in self.children.iter().filter_map(|child| child.pid) {
            sys.kill(pid, Signal::Term);
        }
        let kill_at = sys.now() + self.given.config.global.child_wait_time;
        self.state = State::Stopping(kill_at);
        self.finish(kill_at, sys)
    }

    /// Ends when the children have.
    fn finish(&mut self, kill_at: Instant, sys: &mut Sys) -> Next {
        let era = Era::of(sys.kernel.os);
        let alive: Vec<Pid> = self.children.iter().filter_map(|child| child.pid).collect();
        if !alive.is_empty() && sys.now() < kill_at {
            return Next::Wait(Wait { until: Some(kill_at), any: alive.into_iter().map(On::Child).collect() });
        }
        for pid in alive {
            self.voice.say(&format!("process {} failed to die - forcing termination", pid.0), sys);
            sys.kill(pid, Signal::Kill);
        }
        for role in [Role::Checkers, Role::Vrrp, Role::Parent] {
            self.remove_pid(role, sys);
        }
        if !era.is_old() {
            // The lab's programs take no time of the processor.
            self.voice.say("CPU usage (self/children) user: 0.000000/0.000000 system: 0.000000/0.000000", sys);
        }
        if era != Era::V1_1 {
            self.voice.say(&format!("Stopped Keepalived {}", era.version()), sys);
        }
        Next::Exit(0)
    }

    fn reload(&mut self, sys: &mut Sys) -> Next {
        if matches!(self.state, State::Stopping(_) | State::New) {
            return self.run(sys);
        }
        let era = Era::of(sys.kernel.os);
        if !era.is_old() {
            self.voice.say("Reloading ...", sys);
        }
        let before = self.given.clone();
        if self.read(sys) != Reading::Good {
            self.given = before;
            return self.sleep();
        }
        for role in [Role::Checkers, Role::Vrrp] {
            let place = self.children.iter().position(|child| child.role == role);
            match (place, self.wants(role, era)) {
                (None, true) => {
                    self.children.push(Child::new(role));
                    self.fork(self.children.len() - 1, sys);
                }
                (Some(place), wanted) => {
                    if let Some(pid) = self.children[place].pid {
                        sys.kill(pid, if wanted { Signal::Hup } else { Signal::Term });
                    }
                }
                (None, false) => {}
            }
        }
        self.state = State::Reloading;
        Next::until(sys.now())
    }

    fn write_pid(&self, role: Role, pid: Pid, sys: &mut Sys) {
        let file = self.launch.pid_file(role, Era::of(sys.kernel.os));
        if let Err(error) = sys.write_file(&file, format!("{}\n", pid.0).as_bytes()) {
            self.voice.say(&format!("unable to write pid file {file}: {error}"), sys);
        }
    }

    fn remove_pid(&self, role: Role, sys: &mut Sys) {
        let file = self.launch.pid_file(role, Era::of(sys.kernel.os));
        // A pid file that is gone already need not be removed.
        let _gone = sys.kernel.files.remove(&file);
    }
}

impl Process for Daemon {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        self.run(sys)
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int => Some(self.stop(sys)),
            Signal::Hup => Some(self.reload(sys)),
            Signal::Usr1 => {
                self.voice.say("/tmp/keepalived.data is not written (not modelled)", sys);
                Some(self.run(sys))
            }
            Signal::Usr2 => {
                let vrrp = self.children.iter().find(|child| child.role == Role::Vrrp);
                if let Some(pid) = vrrp.and_then(|child| child.pid) {
                    sys.kill(pid, Signal::Usr2);
                }
                Some(self.run(sys))
            }
            Signal::Child | Signal::Cont | Signal::Quit | Signal::Kill | Signal::Stop => None,
        }
    }
}

impl Child {
    fn new(role: Role) -> Self {
        Child { role, pid: None, started: Instant::ZERO, due: Instant::ZERO, delay: Duration::ZERO }
    }
}

const PLEASE_REPORT: [&str; 3] = [
    "  Please log an issue at https://github.com/acassen/keepalived/issues",
    "  and include a full copy of your keepalived configuration files, and",
    "  copies of the keepalived system log entries around the time this happened",
];
