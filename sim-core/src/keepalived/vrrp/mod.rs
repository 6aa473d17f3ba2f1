//! The VRRP child, `Keepalived_vrrp`: one process for all virtual routers of a host.
//!
//! ```text
//!   start ─► register ─► (the parent: Startup complete) ─► begin ─► ┌───────────────── a turn ─────────────────┐
//!                                                                   │ links and addresses, adverts, timers,    │
//!                                                                   │ scripts that ended, files and processes  │
//!                                                                   └──────────────────────────────────────────┘
//!   HUP ─► reload     TERM ─► priority 0, addresses removed ─► one second ─► exit
//! ```
//! The files of this room: `instance` (states and timers of one virtual router), `advert` (what is sent, what is
//! believed), `garp` (gratuitous ARP), `sync_group`, `track` (interfaces, processes), `script`, `file`, `notify`,
//! `setup` (sockets, addresses, interfaces), `sync_role` (IPVS' sync daemons), `reload`, `stats`, `log` (the words of each
//! generation of keepalived).
//!
//! # Not modelled
//! IPv6, BFD, VRF, ipvlan, DBus, SNMP, notification FIFOs. A tracked file or process is looked at twenty times a second;
//! real keepalived is told at once.

mod advert;
mod ah;
mod effect;
mod file;
mod garp;
mod instance;
mod log;
mod notify;
mod reload;
mod script;
mod setup;
mod stats;
mod sync_group;
mod sync_role;
mod track;

use super::config::Reader;
use super::fifo::Fifos;
use super::launch::{EXIT_CONFIG, Given, Launch, Role};
use super::mail::Post;
use super::voice::Voice;
use crate::base::id::{NodeId, Pid};
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;
use crate::trace::recorder::Change;
use crate::world::node::Cx;
use garp::Garps;
use instance::Instance;
use setup::Receiver;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use sync_group::Group;
use track::Watched;

/// The process.
#[derive(Debug)]
pub struct Vrrp {
    voice: Voice,
    given: Rc<Given>,
    phase: Phase,
    instances: Vec<Instance>,
    groups: Vec<Group>,
    receivers: Vec<Receiver>,
    /// Adverts leave by this raw socket.
    sender: Option<SocketId>,
    /// Gratuitous ARPs leave by this packet socket.
    packets: Option<SocketId>,
    garps: Garps,
    watched: Watched,
    timers: BTreeMap<(Instant, u64), Timer>,
    /// Numbers timers that are due at the same time.
    count: u64,
    /// `vrrp_startup_delay` ends.
    delayed_until: Option<Instant>,
    post: Post,
    /// Pipes that are told of every change.
    fifos: Fifos,
    /// Settings `promote_secondaries` of interfaces that are to be put back.
    promoted: Vec<String>,
    /// The process has work to do until then, and looks at nothing else.
    busy_until: Instant,
    /// What it goes on with then.
    steps: VecDeque<Step>,
}

/// A part of a takeover. Each is done when the one before is; nothing comes between. Instances are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The advert is out, the addresses are set: everybody is told.
    Announce(usize),
    /// It is no longer master: the addresses go.
    Release(usize),
    /// They are gone: its group follows.
    Follow(usize),
    /// An instance has become master: its group follows.
    Lead(usize),
    /// It becomes master with its group.
    Enter(usize),
    /// All of its group are masters: the group's scripts are started.
    Tell(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was done yet.
    New,
    /// What the log shows before `Startup complete` was done.
    Registered,
    /// The virtual routers are at work.
    Running,
    /// Priority 0 was said; the process ends at this time.
    Stopping(Instant),
}

/// Something to be done later. Instances, scripts and interfaces are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// The second batch of gratuitous ARPs after becoming master.
    MasterGarp(usize),
    /// The second batch after an advert of lower priority.
    LowerGarp(usize),
    /// The next of the gratuitous ARPs that wait for `garp_interval`.
    GarpQueue,
    /// A script is started.
    ScriptStart(usize),
    /// A run of a script has taken too long: SIGTERM, then SIGKILL.
    ScriptLate(usize, Pid),
    /// An interface has been in its new state for long enough (`interface_up_down_delays`).
    Link(usize),
    /// Tracked files and processes are looked at.
    Look,
}

/// How long a stopping process waits, so that its last adverts and scripts get out.
const LINGER: Duration = Duration::from_secs(1);

/// Timers at most: a flood of adverts of lower priority must not fill the memory.
const TIMERS_MAX: usize = 65_536;

impl Vrrp {
    /// A child with this configuration.
    pub fn new(launch: Rc<Launch>, given: Rc<Given>) -> Self {
        Vrrp {
            voice: Voice::new(Role::Vrrp.ident(), launch),
            given,
            phase: Phase::New,
            instances: Vec::new(),
            groups: Vec::new(),
            receivers: Vec::new(),
            sender: None,
            packets: None,
            garps: Garps::default(),
            watched: Watched::default(),
            timers: BTreeMap::new(),
            count: 0,
            delayed_until: None,
            post: Post::default(),
            fifos: Fifos::default(),
            promoted: Vec::new(),
            busy_until: Instant::ZERO,
            steps: VecDeque::new(),
        }
    }

    fn config(&self) -> Rc<Given> {
        self.given.clone()
    }

    /// What the log shows before `Startup complete`. False if the configuration cannot be used.
    fn register(&mut self, sys: &mut Sys) -> bool {
        self.say_registering(sys);
        let given = self.config();
        if !self.voice.announce(&given, Reader::Vrrp, sys) {
            return false;
        }
        let delay = given.config.global.startup_delay;
        if delay > Duration::ZERO {
            self.voice.say(&format!("Delaying startup for {} seconds", delay.secs()), sys);
            self.delayed_until = Some(sys.now() + delay);
        }
        self.instances = given.config.instances.iter().map(|conf| Instance::new(conf.clone())).collect();
        self.groups = Group::all(&given.config);
        self.join_groups();
        if !self.find_interfaces(sys) {
            return false;
        }
        self.say_addresses(sys);
        self.create_vmacs(sys);
        self.open_fifos(sys);
        let scripts = Self::new_scripts(&given.config);
        self.begin_watching(&given.config, scripts, sys);
        self.say_faults(sys);
        self.say_registered(sys);
        true
    }

    /// Scripts are started, and each virtual router takes its first state.
    fn begin(&mut self, sys: &mut Sys) {
        let given = self.config();
        self.sender = Some(sys.raw(RAW));
        self.packets = Some(sys.packet_socket(Some(crate::base::id::IfaceId(0))));
        self.set_promotion(sys);
        self.set_static(&given.config, sys);
        self.open_receivers(sys);
        for at in 0..self.instances.len() {
            self.clear_addresses(at, sys);
        }
        for at in 0..self.groups.len() {
            self.begin_group(at, sys);
        }
        self.begin_sync(sys);
        for at in 0..self.instances.len() {
            self.begin_instance(at, sys);
        }
        // All timers begin when the last instance has its first state.
        for at in 0..self.instances.len() {
            self.restart_timer(at, sys);
        }
        self.say_sockets(sys);
    }

    /// One turn: everything that has happened since the last.
    fn turn(&mut self, sys: &mut Sys) {
        while !self.is_busy(sys) {
            let Some(step) = self.steps.pop_front() else { break };
            self.go_on(step, sys);
        }
        if self.is_busy(sys) {
            return;
        }
        self.say_late(sys);
        self.look_at_links(sys);
        self.look_at_addresses(sys);
        self.hear(sys);
        self.fire_timers(sys);
        self.fire_instances(sys);
        self.reap_scripts(sys);
        self.fifos.reap(Role::Vrrp, &self.voice, sys);
        self.see_to_mail(sys);
    }

    /// What happens at other sockets than those of adverts.
    fn see_to_mail(&mut self, sys: &mut Sys) {
        while let Some(socket) = sys.next_ready() {
            self.post.ready(socket, &self.voice, sys);
        }
        self.post.wake(&self.voice, sys);
    }

    /// Some work takes time. Others wait for it: instances of one process are dealt with one after another.
    fn work(&mut self, time: Duration, sys: &Sys) {
        self.busy_until = self.busy_until.max(sys.now()) + time;
    }

    fn go_on(&mut self, step: Step, sys: &mut Sys) {
        match step {
            Step::Announce(at) => {
                self.announce_takeover(at, sys);
                self.restart_timer(at, sys);
            }
            Step::Release(at) => {
                self.release(at, false, sys);
                self.notify_state(at, sys);
                self.restart_timer(at, sys);
            }
            Step::Follow(at) => self.group_backup(at, sys),
            Step::Lead(at) => self.group_master(at, sys),
            Step::Enter(at) => self.enter_master(at, sys),
            Step::Tell(at) => self.notify_group_of(at, sys),
        }
    }

    /// Before something that concerns all instances.
    fn finish_steps(&mut self, sys: &mut Sys) {
        while let Some(step) = self.steps.pop_front() {
            self.go_on(step, sys);
        }
    }

    fn is_busy(&self, sys: &Sys) -> bool {
        sys.now() < self.busy_until
    }

    /// Reads every advert that came.
    fn hear(&mut self, sys: &mut Sys) {
        for at in 0..self.receivers.len() {
            let socket = self.receivers[at].socket;
            while let Some(packet) = sys.raw_recv(socket) {
                self.heard(at, &packet, sys);
            }
        }
    }

    /// Does what the process itself has put off.
    fn fire_timers(&mut self, sys: &mut Sys) {
        // Each round takes one that is due away; what a round puts in is due later, but for the one GARP queue.
        for _ in 0..2 * TIMERS_MAX {
            let Some((key, timer)) = self.timers.first_key_value().map(|(key, timer)| (*key, *timer)) else { return };
            if key.0 > sys.now() {
                return;
            }
            self.timers.remove(&key);
            self.due(timer, sys);
        }
    }

    /// Instances whose time is up, in the order of time.
    fn fire_instances(&mut self, sys: &mut Sys) {
        // An instance's timer is set anew in each round, to a later time.
        for _ in 0..2 * TIMERS_MAX {
            match self.next_instance().filter(|((due, _), _)| *due <= sys.now()) {
                Some((_, at)) if !self.is_busy(sys) => self.timed_out(at, sys),
                Some(_) | None => return,
            }
        }
    }

    /// The instance whose timer runs out first, and when.
    fn next_instance(&self) -> Option<((Instant, u64), usize)> {
        let timers = self.instances.iter().enumerate().filter_map(|(at, instance)| Some((instance.timer?, at)));
        timers.min()
    }

    fn due(&mut self, timer: Timer, sys: &mut Sys) {
        match timer {
            Timer::MasterGarp(at) => self.announce(at, self.instances[at].conf.garp.repeat, sys),
            Timer::LowerGarp(at) => self.announce(at, self.instances[at].conf.garp.lower_prio_repeat, sys),
            Timer::GarpQueue => self.send_queued(sys),
            Timer::ScriptStart(script) => self.start_script(script, sys),
            Timer::ScriptLate(script, pid) => self.script_late(script, pid, sys),
            Timer::Link(link) => self.link_settled(link, sys),
            Timer::Look => self.look_at_files_and_processes(sys),
        }
    }

    fn set_timer(&mut self, at: Instant, timer: Timer) {
        if self.timers.len() < TIMERS_MAX {
            let count = self.next_count();
            self.timers.insert((at, count), timer);
        }
    }

    fn next_count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn sleep(&self, sys: &Sys) -> Next {
        if let Phase::Stopping(end) = self.phase {
            let until = Instant::soonest([Some(end), self.post.next_wake()]);
            return Next::Wait(Wait { until, any: vec![On::AnySocket] });
        }
        if self.busy_until > sys.now() {
            return Next::until(self.busy_until);
        }
        let timer = self.timers.keys().next().map(|(at, _)| *at);
        let instance = self.next_instance().map(|((at, _), _)| at);
        let until = timer.into_iter().chain(instance).chain(self.post.next_wake()).min();
        let mut any = vec![On::AnySocket, On::Link, On::Address];
        any.extend(self.watched.running().map(On::Child));
        any.extend(self.fifos.wakes());
        Next::Wait(Wait { until, any })
    }

    /// Every master says priority 0, the addresses go, and everybody is told.
    fn stop(&mut self, sys: &mut Sys) -> Next {
        match self.phase {
            Phase::Stopping(_) => return self.sleep(sys),
            Phase::New | Phase::Registered => return Next::Exit(0),
            Phase::Running => {}
        }
        self.finish_steps(sys);
        self.end_sync(sys);
        for at in 0..self.instances.len() {
            if self.instances[at].state == VrrpState::Master {
                self.release(at, true, sys);
            }
            self.forget(at, sys);
            self.notify_stop(at, sys);
        }
        self.notify_groups_stop(sys);
        self.watched.stop(sys);
        self.clear_static(sys);
        self.timers.clear();
        for instance in &mut self.instances {
            instance.timer = None;
        }
        for receiver in std::mem::take(&mut self.receivers) {
            sys.close(receiver.socket);
        }
        self.phase = Phase::Stopping(sys.now() + LINGER);
        self.sleep(sys)
    }

    fn finish(&mut self, sys: &mut Sys) -> Next {
        self.remove_vmacs(sys);
        self.clear_promotion(sys);
        self.fifos.close(sys);
        self.voice.say_stopped(sys);
        Next::Exit(0)
    }
}

impl Process for Vrrp {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        match self.phase {
            Phase::New => {
                if !self.register(sys) {
                    return Next::Exit(EXIT_CONFIG);
                }
                self.phase = Phase::Registered;
                Next::until(sys.now())
            }
            Phase::Registered => {
                self.phase = Phase::Running;
                self.begin(sys);
                self.turn(sys);
                self.sleep(sys)
            }
            Phase::Running => {
                self.turn(sys);
                self.sleep(sys)
            }
            Phase::Stopping(end) if end <= sys.now() => self.finish(sys),
            Phase::Stopping(_) => {
                self.see_to_mail(sys);
                self.sleep(sys)
            }
        }
    }

    fn gone(&mut self, node: NodeId, cx: &mut Cx) {
        if self.phase == Phase::Running {
            for at in 0..self.instances.len() {
                cx.change(Change::Vrrp(self.row(at, false, node)));
            }
        }
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int => Some(self.stop(sys)),
            Signal::Hup => {
                if self.phase == Phase::Running {
                    self.reload(sys);
                }
                Some(match self.phase {
                    Phase::New | Phase::Registered => Next::until(sys.now()),
                    Phase::Running | Phase::Stopping(_) => self.sleep(sys),
                })
            }
            Signal::Usr1 | Signal::Usr2 => Some(match self.phase {
                Phase::New | Phase::Registered => Next::until(sys.now()),
                Phase::Running | Phase::Stopping(_) => {
                    if signal == Signal::Usr2 {
                        self.print_stats(sys);
                    }
                    self.sleep(sys)
                }
            }),
            Signal::Cont => Some(self.wake(sys)),
            Signal::Child | Signal::Quit | Signal::Kill | Signal::Stop => None,
        }
    }
}

/// `IPPROTO_RAW`: a socket that only sends.
const RAW: u8 = 255;
