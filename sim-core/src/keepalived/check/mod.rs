//! The child of the health checks: `Keepalived_healthcheckers`.
//!
//! ```text
//!   start ─► Initializing ipvs: services and servers into the table, quorum
//!         ─► (parent: Startup complete) ─► Activating healthchecker … ─► each checker at its own time
//!   HUP   ─► reads the file again: what did not change keeps its state
//!   TERM  ─► takes everything out of the table
//! ```
//! One process, many checkers: what happens at a socket, a child or a clock goes to the checker that waits for it.
//!
//! # Not modelled
//! `DNS_CHECK`, `BFD_CHECK`, `regex`, marks and interfaces of checks, SCTP, IPv6 (refused by the reader).

mod account;
mod alerts;
mod file;
mod http;
mod names;
mod ping;
mod pool;
mod probe;
pub mod registry;
mod script;
mod smtp;
mod table;
mod task;
mod tcp;
mod udp;

use super::config::global::LvsFlush;
use super::config::global::SyncDaemon;
use super::config::{Reader, ServiceName, VirtualServer};
use super::era::Era;
use super::launch::{EXIT_CONFIG, Given, Launch, Role};
use super::sync_daemon;
use super::voice::Voice;
use crate::base::id::{NodeId, Pid};
use crate::base::time::Instant;
use crate::kernel::process::{Ending, Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::Sys;
use crate::world::node::Cx;
use alerts::Alerts;
use file::FileCheck;
use pool::{Office, Pool, Stop};
use probe::{Event, Progress};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use task::{News, State, Task};

/// The process.
#[derive(Debug)]
pub struct Checkers {
    voice: Voice,
    given: Rc<Given>,
    stage: Stage,
    pools: Vec<Pool>,
    tasks: Vec<Task>,
    files: Vec<FileCheck>,
    /// When the files are looked at next.
    look_at: Instant,
    alerts: Alerts,
    /// When which checker is due.
    timers: BTreeSet<(Instant, usize)>,
    sockets: BTreeMap<SocketId, usize>,
    children: BTreeMap<Pid, usize>,
    /// The addresses of the host, as far as they are looked at.
    addresses: BTreeSet<Ipv4Addr>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    /// The table is filled, no checker was activated yet.
    Filled,
    Running,
}

impl Checkers {
    /// A child with this configuration.
    pub fn new(launch: Rc<Launch>, given: Rc<Given>) -> Self {
        Checkers {
            voice: Voice::new(Role::Checkers.ident(), launch),
            given,
            stage: Stage::New,
            pools: Vec::new(),
            tasks: Vec::new(),
            files: Vec::new(),
            look_at: Instant::ZERO,
            alerts: Alerts::default(),
            timers: BTreeSet::new(),
            sockets: BTreeMap::new(),
            children: BTreeMap::new(),
            addresses: BTreeSet::new(),
        }
    }

    fn start(&mut self, sys: &mut Sys) -> Next {
        let era = Era::of(sys.kernel.os);
        self.greet(era, sys);
        if !self.voice.announce(&self.given, Reader::Checkers, sys) {
            return Next::Exit(EXIT_CONFIG);
        }
        if !era.is_old() {
            self.voice.say("Initializing ipvs", sys);
        }
        let given = self.given.clone();
        self.set_globals(sys);
        self.open_fifos(sys);
        for spec in &given.config.virtual_servers {
            let mut pool = Pool::new(spec, &given.config);
            if pool.is_out_of_reach() {
                self.voice.say(&format!("VS {} is not modelled (IPv6, SCTP)", pool.name(era)), sys);
                continue;
            }
            self.files.extend(file::of_pool(self.pools.len(), &mut pool, &given.config, false, sys));
            let Checkers { voice, alerts, .. } = self;
            pool.start(&mut Office { voice, alerts, config: &given.config }, sys);
            self.pools.push(pool);
        }
        self.begin_sync(None, sys);
        self.stage = Stage::Filled;
        Next::until(sys.now())
    }

    /// `lvs_sync_daemon` without an instance: both daemons run.
    fn begin_sync(&self, before: Option<&SyncDaemon>, sys: &mut Sys) {
        let Some(daemon) = sync_daemon_of(&self.given) else { return };
        if before == Some(daemon) {
            return;
        }
        sync_daemon::stop_both(sys);
        sync_daemon::start_both(daemon, &self.voice, sys);
    }

    /// What the generations say before they read their file.
    fn greet(&mut self, era: Era, sys: &mut Sys) {
        self.addresses = addresses(sys);
        if !era.is_old() {
            return;
        }
        if era == Era::V1_1 {
            self.voice.say("Using MII-BMSR NIC polling thread...", sys);
        }
        for address in self.addresses.clone() {
            self.voice.say(&format!("Netlink reflector reports IP {address} added"), sys);
        }
        self.voice.say("Registering Kernel netlink reflector", sys);
        self.voice.say("Registering Kernel netlink command channel", sys);
        let file = self.voice.launch().file.clone();
        self.voice.say(&format!("Opening file '{file}'."), sys);
    }

    /// The pipes for VRRP and checks alike have their script from here.
    fn open_fifos(&mut self, sys: &mut Sys) {
        let global = &self.given.config.global;
        let (all, own) = (global.notify_fifo.as_ref(), global.lvs_notify_fifo.as_ref());
        self.alerts.fifos.open(all, own, (Role::Checkers, true), &self.voice, sys);
    }

    fn set_globals(&mut self, sys: &mut Sys) {
        let global = &self.given.config.global;
        if global.lvs_flush {
            let kernel = &mut *sys.kernel;
            kernel.ipvs.clear(&kernel.tables, sys.cx);
        }
        let timeouts = global.lvs_timeouts;
        sys.kernel.ipvs.set_timeouts(timeouts.tcp, timeouts.tcp_fin, timeouts.udp);
    }

    /// Makes the checkers anew, and keeps what those of `old` that do the same have come to.
    fn activate(&mut self, old: &[(String, String, Task)], sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        self.tasks.clear();
        for (pool_at, pool) in self.pools.iter_mut().enumerate() {
            for member_at in 0..pool.members.len() {
                pool.members[member_at].failed = 0;
                let (names, whom) = ((pool.member_name(member_at, era), pool.name(era)), pool.whom(member_at));
                for spec in &pool.members[member_at].spec.checkers {
                    let number = self.tasks.len();
                    let Some(mut task) = Task::new((pool_at, member_at), spec, names.clone(), number) else { continue };
                    task.whom = whom;
                    task.given_weight = i64::from(pool.members[member_at].spec.weight);
                    let same = old
                        .iter()
                        .find(|(server, service, old)| (server, service) == (&names.0, &names.1) && old.spec == *spec);
                    match same {
                        Some((_, _, old)) => task.inherit(old),
                        // A new checker of a server that is up holds it for well, whatever `alpha` says.
                        None if !old.is_empty() && pool.members[member_at].is_alive => task.is_up = true,
                        None => {}
                    }
                    self.tasks.push(task);
                }
            }
        }
        for task in &self.tasks {
            let member = &mut self.pools[task.pool].members[task.member];
            member.failed += usize::from(!task.is_up);
        }
        for check in self.files.iter().filter(|check| check.effect() == file::Effect::Fault) {
            self.pools[check.pool].members[check.member].failed += 1;
        }
        for number in 0..self.tasks.len() {
            let (pool, member) = (self.tasks[number].pool, self.tasks[number].member);
            let (server, service) = (self.pools[pool].member_name(member, era), self.pools[pool].name(era));
            let is_enabled = !self.is_suspended(pool);
            self.tasks[number].is_enabled = is_enabled;
            let text = match era {
                Era::V2_2 if !is_enabled => format!("Deactivating healthchecker for service {server} for VS {service}"),
                Era::V1_1 => format!("Activating healtchecker for service {server}"),
                Era::V1_3 => format!("Activating healthchecker for service {server}"),
                Era::V2_2 => format!("Activating healthchecker for service {server} for VS {service}"),
            };
            self.voice.say(&text, sys);
            self.tasks[number].arm(sys);
            self.list(number);
        }
        if !era.is_old() {
            self.voice.say("Activating BFD healthchecker", sys);
        }
    }

    /// Whether the checks of a virtual server wait for its address (`ha_suspend`).
    fn is_suspended(&self, pool: usize) -> bool {
        let spec = &self.pools[pool].spec;
        match &spec.name {
            ServiceName::Address(IpAddr::V4(address), _) if spec.ha_suspend => !self.addresses.contains(address),
            _ => false,
        }
    }

    fn run(&mut self, sys: &mut Sys) -> Next {
        match self.stage {
            Stage::New => return self.start(sys),
            Stage::Filled => {
                self.stage = Stage::Running;
                self.activate(&[], sys);
            }
            Stage::Running => {}
        }
        self.look_at_addresses(sys);
        while let Some(socket) = sys.next_ready() {
            if let Some(number) = self.sockets.get(&socket).copied() {
                self.go_on(number, Event::Socket, sys);
            } else {
                self.alerts.ready(socket, &self.voice, sys);
            }
        }
        let ended: Vec<(usize, Ending)> = {
            let children = &self.children;
            children.iter().filter_map(|(pid, number)| Some((*number, sys.wait_ending(*pid)?))).collect()
        };
        for (number, ending) in ended {
            self.go_on(number, Event::Ended(ending), sys);
        }
        while let Some((due, number)) = self.timers.first().copied()
            && due <= sys.now()
        {
            self.go_on(number, Event::TimeUp, sys);
        }
        self.look_at_files(sys);
        self.alerts.post.wake(&self.voice, sys);
        self.alerts.fifos.reap(Role::Checkers, &self.voice, sys);
        self.sleep()
    }

    fn sleep(&self) -> Next {
        let mut any = vec![On::AnySocket, On::Address];
        any.extend(self.children.keys().map(|pid| On::Child(*pid)));
        any.extend(self.alerts.fifos.wakes());
        let timer = self.timers.first().map(|(due, _)| *due);
        Next::Wait(Wait { until: Instant::soonest([timer, self.next_look(), self.alerts.post.next_wake()]), any })
    }

    /// Gives a checker its turn, and carries out what it found.
    fn go_on(&mut self, number: usize, event: Event, sys: &mut Sys) {
        self.unlist(number);
        let news = self.tasks[number].go_on(event, &self.voice, sys);
        self.list(number);
        let Task { pool, member, .. } = self.tasks[number];
        let given = self.given.clone();
        let Checkers { pools, voice, alerts, .. } = self;
        let mut office = Office { voice, alerts, config: &given.config };
        let pool = &mut pools[pool];
        let was_alive = pool.members[member].is_alive;
        match news {
            News::Weight(change, _) => pool.change_weight(member, change, &mut office, sys),
            News::Down(change) | News::StillDown(change) => pool.members[member].weight += change,
            News::None | News::Up => {}
        }
        if let Some(text) = self.tasks[number].said.take() {
            office.voice.say(&text, sys);
        }
        match news {
            News::None => {}
            News::StillDown(_) => pool.tell(member, &mut office, sys),
            News::Down(_) => {
                pool.members[member].failed += 1;
                if pool.members[member].failed == 1 {
                    pool.set_alive(member, false, &mut office, sys);
                }
            }
            News::Up => {
                pool.recover(member, &mut office, sys);
            }
            News::Weight(_, was_down) => {
                if was_down {
                    pool.recover(member, &mut office, sys);
                }
            }
        }
        let is_news = pool.members[member].is_alive != was_alive;
        if let Some(text) = self.tasks[number].mail.take()
            && (is_news || !given.config.global.no_checker_emails)
        {
            pool.mail_member(member, &text, &mut office, sys);
        }
    }

    /// Notes what a checker waits for.
    fn list(&mut self, number: usize) {
        let task = &self.tasks[number];
        if let Some(due) = task.due() {
            self.timers.insert((due, number));
        }
        match task.state {
            State::Busy(Progress::Socket(socket, _)) => {
                self.sockets.insert(socket, number);
            }
            State::Busy(Progress::Child(pid, _)) => {
                self.children.insert(pid, number);
            }
            State::Busy(Progress::Over(_)) | State::Idle(_) | State::GivenUp => {}
        }
    }

    fn unlist(&mut self, number: usize) {
        let task = &self.tasks[number];
        if let Some(due) = task.due() {
            self.timers.remove(&(due, number));
        }
        match task.state {
            State::Busy(Progress::Socket(socket, _)) => {
                self.sockets.remove(&socket);
            }
            State::Busy(Progress::Child(pid, _)) => {
                self.children.remove(&pid);
            }
            State::Busy(Progress::Over(_)) | State::Idle(_) | State::GivenUp => {}
        }
    }

    /// Addresses that came or went: `ha_suspend`, and what the first generation logs.
    fn look_at_addresses(&mut self, sys: &mut Sys) {
        let now = addresses(sys);
        if now == self.addresses {
            return;
        }
        let era = Era::of(sys.kernel.os);
        let old = std::mem::replace(&mut self.addresses, now.clone());
        if era.is_old() {
            for address in now.difference(&old) {
                self.voice.say(&format!("Netlink reflector reports IP {address} added"), sys);
            }
            for address in old.difference(&now) {
                self.voice.say(&format!("Netlink reflector reports IP {address} removed"), sys);
            }
        }
        if !era.is_old() && self.voice.launch().detail {
            let looked_at = |address: &&Ipv4Addr| {
                let is_name = |spec: &VirtualServer| {
                    spec.ha_suspend
                        && matches!(spec.name, ServiceName::Address(IpAddr::V4(name), _) if name == **address)
                };
                self.pools.iter().any(|pool| is_name(&pool.spec))
            };
            for address in now.difference(&old).filter(looked_at) {
                self.voice.say(&format!("Netlink reflector reports IP {address} added"), sys);
            }
            for address in old.difference(&now).filter(looked_at) {
                self.voice.say(&format!("Netlink reflector reports IP {address} removed"), sys);
            }
        }
        for number in 0..self.tasks.len() {
            let Task { pool, member, .. } = self.tasks[number];
            let is = self.is_suspended(pool);
            if is != self.tasks[number].is_enabled {
                continue;
            }
            let (server, service) = (self.pools[pool].member_name(member, era), self.pools[pool].name(era));
            let doing = if is { "Suspending" } else { "Activating" };
            self.voice.say(&format!("{doing} healthchecker for service {server} for VS {service}"), sys);
            self.tasks[number].is_enabled = !is;
        }
    }

    fn reload(&mut self, sys: &mut Sys) -> Next {
        let era = Era::of(sys.kernel.os);
        let Some(given) = self.voice.launch().clone().read(sys) else { return self.run(sys) };
        self.voice.say(if era.is_old() { "Reloading Healthchecker process(SIGHUP)" } else { "Reloading" }, sys);
        let given = Rc::new(given);
        if !self.voice.announce(&given, Reader::Checkers, sys) {
            return Next::Exit(EXIT_CONFIG);
        }
        let before = std::mem::replace(&mut self.given, given.clone());
        if !era.is_old() {
            self.voice.say("Reinitializing ipvs", sys);
        }
        self.open_fifos(sys);
        self.begin_sync(sync_daemon_of(&before), sys);
        let old = self.lay_down_tasks(era, sys);
        self.forget_files();
        let Checkers { voice, alerts, .. } = self;
        let mut office = Office { voice, alerts, config: &given.config };
        let mut before = std::mem::take(&mut self.pools);
        for spec in &given.config.virtual_servers {
            let is_same = |pool: &Pool| (&pool.spec.name, pool.spec.protocol) == (&spec.name, spec.protocol);
            let pool = match before.iter().position(is_same) {
                Some(place) => {
                    let mut pool = before.remove(place);
                    pool.become_like(spec, &mut office, sys);
                    pool
                }
                None => {
                    let mut pool = Pool::new(spec, &given.config);
                    if pool.is_out_of_reach() {
                        continue;
                    }
                    pool.start(&mut office, sys);
                    pool
                }
            };
            self.pools.push(pool);
        }
        for mut pool in before {
            let what = match &pool.spec.name {
                ServiceName::Group(name) => format!("Removing Virtual Server Group [{name}]"),
                ServiceName::Address(..) | ServiceName::Mark(_) => {
                    format!("Removing Virtual Server {}", pool.name(era))
                }
            };
            office.voice.say(&what, sys);
            pool.stop(Stop::Reload, &mut office, sys);
        }
        self.renew_files(sys);
        self.activate(&old, sys);
        self.bring_back(sys);
        self.sleep()
    }

    /// After a reload: servers that no checker holds for down any more.
    fn bring_back(&mut self, sys: &mut Sys) {
        let given = self.given.clone();
        let Checkers { pools, voice, alerts, .. } = self;
        let mut office = Office { voice, alerts, config: &given.config };
        for pool in pools {
            for member in 0..pool.members.len() {
                if pool.members[member].failed == 0 {
                    pool.set_alive(member, true, &mut office, sys);
                }
            }
        }
    }

    /// Takes the checkers out, with the names of whom they look at.
    fn lay_down_tasks(&mut self, era: Era, sys: &mut Sys) -> Vec<(String, String, Task)> {
        self.timers.clear();
        self.sockets.clear();
        self.children.clear();
        let named = |mut task: Task| {
            task.suspend(sys);
            let pool = &self.pools[task.pool];
            (pool.member_name(task.member, era), pool.name(era), task)
        };
        std::mem::take(&mut self.tasks).into_iter().map(named).collect()
    }

    fn stop(&mut self, sys: &mut Sys) -> Next {
        let given = self.given.clone();
        for task in &mut self.tasks {
            task.suspend(sys);
        }
        if self.voice.launch().release_ipvs {
            let Checkers { pools, voice, alerts, .. } = self;
            let mut office = Office { voice, alerts, config: &given.config };
            let flush = given.config.global.lvs_flush_on_stop;
            if flush == LvsFlush::All {
                let kernel = &mut *sys.kernel;
                kernel.ipvs.clear(&kernel.tables, sys.cx);
            }
            for pool in pools {
                match flush {
                    LvsFlush::No => pool.stop(Stop::End, &mut office, sys),
                    LvsFlush::Services => pool.flush(false, &mut office, sys),
                    LvsFlush::All => pool.flush(true, &mut office, sys),
                }
            }
        }
        self.alerts.fifos.close(sys);
        if sync_daemon_of(&given).is_some() {
            sync_daemon::stop_both(sys);
        }
        self.voice.say_stopped(sys);
        Next::Exit(0)
    }
}

fn sync_daemon_of(given: &Given) -> Option<&SyncDaemon> {
    given.config.global.lvs_sync_daemon.as_ref().filter(|daemon| daemon.instance.is_empty())
}

impl Process for Checkers {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        self.run(sys)
    }

    fn gone(&mut self, _: NodeId, cx: &mut Cx) {
        for pool in &mut self.pools {
            pool.close_account(cx);
        }
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int => Some(self.stop(sys)),
            Signal::Hup => Some(self.reload(sys)),
            Signal::Child | Signal::Cont | Signal::Quit | Signal::Usr1 | Signal::Usr2 | Signal::Kill | Signal::Stop => {
                None
            }
        }
    }
}

fn addresses(sys: &Sys) -> BTreeSet<Ipv4Addr> {
    let all = sys.kernel.tables.interfaces.iter().flat_map(|interface| &interface.addresses);
    all.map(|address| address.address).filter(|address| !address.is_loopback()).collect()
}
