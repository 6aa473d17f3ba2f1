//! The process table: who there is, what each waits for, who runs next.
//!
//! The kernel's half of a process. Bodies are kept by whoever runs them (`kernel/exec.rs`), so that a body can be
//! given the whole kernel.

use super::descriptor::{Handle, OpenFile, Pipe, Places, Terminal};
use super::ready::ReadySockets;
use super::{Ending, Env, Exec, ExecError, On, Process, Signal, SocketId, Wait};
use crate::base::id::{EventId, PacketId, Pid};
use crate::base::time::Instant;
use crate::trace::record::program;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::rc::Rc;

/// Processes of a host, at most.
pub const PROCESSES_MAX: usize = 4096;

/// Descriptors of a process, at most.
pub(crate) const DESCRIPTORS_MAX: usize = 64;

/// The process that adopts orphans and starts what is typed.
pub const INIT: Pid = Pid(1);

/// Turns of one process within one instant, at most: one more, and it is stopped as livelocked.
const TURNS_PER_INSTANT_MAX: u32 = 100_000;

/// The processes of one host.
#[derive(Debug, Default)]
pub struct Processes {
    pub(super) table: BTreeMap<Pid, Entry>,
    ready: VecDeque<Pid>,
    timers: BinaryHeap<Reverse<(Instant, Pid)>>,
    born: Vec<(Pid, Box<dyn Process>)>,
    ended: Vec<(Pid, i32)>,
    killed: Vec<Pid>,
    /// What changed since somebody told the trace, and whether the process is still in the table.
    news: Vec<(ProcessInfo, bool)>,
    last_pid: u32,
    network_revision: u64,
    pub(crate) exec: Option<Rc<dyn Exec>>,
    pub(crate) pipes: Places<Pipe>,
    /// Named pipes that are open: their numbers in the file tree, and the pipes.
    pub(super) fifos: BTreeMap<u32, u32>,
    pub(crate) opens: Places<OpenFile>,
    pub(crate) terminals: BTreeMap<u32, Terminal>,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) parent: Pid,
    pub(crate) name: Box<str>,
    pub(crate) env: Env,
    pub(crate) directory: Box<str>,
    pub(crate) descriptors: Vec<Option<Handle>>,
    pub(crate) started: Instant,
    state: State,
    wait: Wait,
    /// When the heap's live entry of this process is due.
    armed: Instant,
    is_queued: bool,
    is_stopped: bool,
    is_unawaited: bool,
    /// What it gets when its parent dies (PR_SET_PDEATHSIG).
    parent_death: Option<Signal>,
    signals: Vec<Signal>,
    ready_sockets: ReadySockets,
    turns: (Instant, u32),
    origin: (EventId, PacketId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    Ended(Ending),
}

/// One turn that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Wake it.
    Wake(Pid),
    /// Hand it a signal.
    Signal(Pid, Signal),
    /// It is over: it was killed.
    End(Pid, Signal),
    /// It ran away: it took too many turns without any time passing.
    Runaway(Pid),
}

/// A process as `ps` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its number.
    pub pid: Pid,
    /// Its parent's.
    pub parent: Pid,
    /// Its command line.
    pub name: Box<str>,
    /// `R`, `S`, `T` or `Z`, as in /proc/PID/status.
    pub state: char,
    /// When it was started.
    pub started: Instant,
}

impl Processes {
    /// The processes of a host that starts programs with `exec`.
    pub fn new(exec: Rc<dyn Exec>) -> Self {
        Processes { last_pid: 400, exec: Some(exec), ..Processes::default() }
    }

    /// Every process, in the order of their numbers.
    pub fn list(&self) -> impl Iterator<Item = ProcessInfo> {
        self.table.iter().map(|(pid, entry)| entry.info(*pid))
    }

    /// Processes whose program has this name (`killall`, `pidof`): the first word of the command line, without its
    /// folder and a trailing colon.
    pub fn named(&self, program: &str) -> Vec<Pid> {
        self.table
            .iter()
            .filter(|(_, entry)| entry.state == State::Alive && entry.program() == program)
            .map(|(pid, _)| *pid)
            .collect()
    }

    /// Whether a process is there and has not ended.
    pub fn is_alive(&self, pid: Pid) -> bool {
        self.table.get(&pid).is_some_and(|entry| entry.state == State::Alive)
    }

    /// Puts a process into the table; its body is picked up by `kernel/exec.rs`.
    pub(crate) fn add(
        &mut self,
        name: &str,
        body: Box<dyn Process>,
        parent: Pid,
        descriptors: Vec<Option<Handle>>,
        env: Env,
        now: Instant,
    ) -> Result<Pid, ExecError> {
        if self.table.len() >= PROCESSES_MAX {
            return Err(ExecError::TooMany);
        }
        let directory = self.table.get(&parent).map_or("/root".into(), |entry| entry.directory.clone());
        let pid = self.next_pid();
        for handle in descriptors.iter().flatten() {
            self.hold(*handle);
        }
        let entry = Entry {
            parent,
            name: name.into(),
            env,
            directory,
            descriptors,
            started: now,
            state: State::Alive,
            wait: Wait::default(),
            armed: Instant::NEVER,
            is_queued: false,
            is_stopped: false,
            is_unawaited: parent == INIT,
            parent_death: None,
            signals: Vec::new(),
            ready_sockets: ReadySockets::default(),
            turns: (Instant::ZERO, 0),
            origin: (EventId::NONE, PacketId::NONE),
        };
        self.table.insert(pid, entry);
        self.note(pid);
        self.born.push((pid, body));
        self.make_ready(pid);
        Ok(pid)
    }

    pub(crate) fn entry(&self, pid: Pid) -> Option<&Entry> {
        self.table.get(&pid)
    }

    pub(crate) fn entry_mut(&mut self, pid: Pid) -> Option<&mut Entry> {
        self.table.get_mut(&pid)
    }

    /// The bodies of processes that were added since the last call.
    pub(crate) fn take_born(&mut self) -> Vec<(Pid, Box<dyn Process>)> {
        std::mem::take(&mut self.born)
    }

    /// Processes that SIGKILL ended since the last call: their bodies are still there.
    pub(crate) fn take_killed(&mut self) -> Vec<Pid> {
        std::mem::take(&mut self.killed)
    }

    /// Processes that ended since the last call, with their exit status, in order.
    pub fn take_ended(&mut self) -> Vec<(Pid, i32)> {
        std::mem::take(&mut self.ended)
    }

    // ── who runs next ──

    /// Puts processes whose time has come into the run queue. A process has at most one live entry in the heap; if it
    /// has put its time off since, the entry is made anew when it comes up.
    pub(crate) fn fire_timers(&mut self, now: Instant) {
        while let Some(Reverse((at, pid))) = self.timers.peek().copied() {
            if at > now {
                return;
            }
            self.timers.pop();
            let Some(entry) = self.table.get_mut(&pid).filter(|entry| entry.armed == at) else { continue };
            entry.armed = Instant::NEVER;
            match entry.wait.until {
                Some(until) if until > now => {
                    entry.armed = until;
                    self.timers.push(Reverse((until, pid)));
                }
                Some(_) => self.make_ready(pid),
                None => {}
            }
        }
    }

    /// When the next process sleeps till.
    pub fn next_wake(&self) -> Option<Instant> {
        if !self.ready.is_empty() {
            return Some(Instant::ZERO);
        }
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Whether a timer is due.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.timers.peek().is_some_and(|Reverse((at, _))| *at <= now)
    }

    /// The revision of interfaces and addresses that processes were last told of.
    pub(crate) fn network_revision(&self) -> u64 {
        self.network_revision
    }

    /// Whether somebody is ready, or was just born.
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the next turn out of the run queue.
    pub(crate) fn next_turn(&mut self, now: Instant) -> Option<Turn> {
        while let Some(pid) = self.ready.pop_front() {
            let Some(entry) = self.table.get_mut(&pid) else { continue };
            entry.is_queued = false;
            if entry.state != State::Alive {
                continue;
            }
            if entry.signals.contains(&Signal::Kill) {
                return Some(Turn::End(pid, Signal::Kill));
            }
            if entry.is_stopped {
                continue;
            }
            if entry.turns.0 != now {
                entry.turns = (now, 0);
            }
            entry.turns.1 += 1;
            if entry.turns.1 > TURNS_PER_INSTANT_MAX {
                return Some(Turn::Runaway(pid));
            }
            if !entry.signals.is_empty() {
                let signal = entry.signals.remove(0);
                return Some(Turn::Signal(pid, signal));
            }
            entry.wait = Wait::default();
            return Some(Turn::Wake(pid));
        }
        None
    }

    /// What led to the process being woken: the event and the packet.
    pub(crate) fn origin(&self, pid: Pid) -> (EventId, PacketId) {
        self.table.get(&pid).map_or((EventId::NONE, PacketId::NONE), |entry| entry.origin)
    }

    /// The process goes on waiting as before (it ignored a signal).
    pub(crate) fn resume(&mut self, pid: Pid) {
        if self.table.get(&pid).is_some_and(|entry| !entry.signals.is_empty()) {
            self.make_ready(pid);
        }
    }

    /// The process goes on after it was stopped: it is woken, whatever happened meanwhile.
    pub(crate) fn go_on(&mut self, pid: Pid) {
        self.make_ready(pid);
    }

    /// The body has said what it waits for.
    pub(crate) fn sleep(&mut self, pid: Pid, wait: Wait) {
        let can_go_on = wait.any.iter().any(|on| self.holds(pid, *on));
        for on in &wait.any {
            if let On::Readable(fd) | On::Writable(fd) = on
                && let Some(Handle::PipeRead(pipe) | Handle::PipeWrite(pipe)) = self.handle(pid, *fd)
            {
                let sleepers = &mut self.pipes.get(pipe).sleepers;
                if !sleepers.contains(&pid) {
                    sleepers.push(pid);
                }
            }
        }
        let Some(entry) = self.table.get_mut(&pid) else { return };
        if let Some(until) = wait.until
            && until < entry.armed
        {
            entry.armed = until;
            self.timers.push(Reverse((until, pid)));
        }
        entry.wait = wait;
        entry.origin = (EventId::NONE, PacketId::NONE);
        if can_go_on || !entry.signals.is_empty() {
            self.make_ready(pid);
        }
    }

    /// Whether what is waited for is so already.
    fn holds(&mut self, pid: Pid, on: On) -> bool {
        match on {
            On::Child(child) | On::Ended(child) => {
                self.table.get(&child).is_none_or(|entry| entry.state != State::Alive)
            }
            On::Readable(fd) => match self.handle(pid, fd) {
                Some(Handle::PipeRead(pipe)) => self.pipes.get(pipe).is_readable(),
                _ => true,
            },
            On::Writable(fd) => match self.handle(pid, fd) {
                Some(Handle::PipeWrite(pipe)) => self.pipes.get(pipe).room() != Some(0),
                _ => true,
            },
            On::Socket(socket) => self.table.get_mut(&pid).is_some_and(|entry| entry.ready_sockets.forget(socket)),
            On::AnySocket => self.table.get(&pid).is_some_and(|entry| !entry.ready_sockets.is_empty()),
            On::Link | On::Address => false,
        }
    }

    pub(super) fn make_ready(&mut self, pid: Pid) {
        let Some(entry) = self.table.get_mut(&pid) else { return };
        if !entry.is_queued && entry.state == State::Alive {
            entry.is_queued = true;
            self.ready.push_back(pid);
        }
    }

    // ── what wakes ──

    /// Something happened at a socket of `owner`.
    pub(crate) fn socket_event(&mut self, owner: Pid, socket: SocketId, cause: EventId, packet: PacketId) {
        let Some(entry) = self.table.get_mut(&owner) else { return };
        if entry.wait.any.contains(&On::Socket(socket)) {
            if !entry.is_queued {
                entry.origin = (cause, packet);
            }
            self.make_ready(owner);
            return;
        }
        entry.ready_sockets.announce(socket);
        if entry.wait.any.contains(&On::AnySocket) {
            self.make_ready(owner);
        }
    }

    /// Whether a signal waits for `pid` to stop running.
    pub(crate) fn is_signalled(&self, pid: Pid) -> bool {
        self.table.get(&pid).is_some_and(|entry| !entry.signals.is_empty())
    }

    /// The next socket of `pid` at which something happened.
    pub(crate) fn next_ready(&mut self, pid: Pid) -> Option<SocketId> {
        self.table.get_mut(&pid)?.ready_sockets.next()
    }

    /// `pid` closed a socket.
    pub(crate) fn forget_socket(&mut self, pid: Pid, socket: SocketId) {
        if let Some(entry) = self.table.get_mut(&pid) {
            entry.ready_sockets.forget(socket);
        }
    }

    /// Interfaces and addresses are at this revision: if that is a new one, wakes who waits for a change.
    pub(crate) fn network_is(&mut self, revision: u64) {
        if std::mem::replace(&mut self.network_revision, revision) == revision {
            return;
        }
        let sleepers: Vec<Pid> = self
            .table
            .iter()
            .filter(|(_, entry)| entry.wait.any.iter().any(|on| matches!(on, On::Link | On::Address)))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in sleepers {
            self.make_ready(pid);
        }
    }

    /// Sends a signal of the process `from`. False if there is no such process.
    pub(crate) fn kill(&mut self, from: Pid, pid: Pid, signal: Signal) -> bool {
        let Some(entry) = self.table.get_mut(&pid) else { return false };
        if entry.state != State::Alive {
            return true;
        }
        if signal == Signal::Kill && from != pid {
            // Nothing of it runs any more; its body and its sockets go when this turn is over.
            self.killed.push(pid);
            self.end(pid, Ending::Killed(signal));
            return true;
        }
        let was_stopped = entry.is_stopped;
        match signal {
            Signal::Stop => entry.is_stopped = true,
            Signal::Cont => entry.is_stopped = false,
            Signal::Hup
            | Signal::Int
            | Signal::Quit
            | Signal::Kill
            | Signal::Usr1
            | Signal::Usr2
            | Signal::Term
            | Signal::Child => {}
        }
        if signal != Signal::Stop && !entry.signals.contains(&signal) {
            entry.signals.push(signal);
        }
        let is_news = entry.is_stopped != was_stopped;
        if is_news {
            self.note(pid);
        }
        self.make_ready(pid);
        true
    }

    /// `child` gets this signal when its parent, now `parent`, dies.
    pub(crate) fn end_with_parent(&mut self, parent: Pid, child: Pid, signal: Signal) {
        if let Some(entry) = self.table.get_mut(&child).filter(|entry| entry.parent == parent) {
            entry.parent_death = Some(signal);
        }
    }

    /// How a child has ended; it is taken out of the table.
    pub(crate) fn reap(&mut self, parent: Pid, child: Pid) -> Option<Ending> {
        let entry = self.table.get(&child)?;
        let State::Ended(ending) = entry.state else { return None };
        if entry.parent != parent {
            return None;
        }
        self.remove(child);
        Some(ending)
    }

    /// Nobody will ask for the status of `child`: it belongs to init.
    pub(crate) fn disown(&mut self, parent: Pid, child: Pid) {
        let Some(entry) = self.table.get_mut(&child) else { return };
        if entry.parent != parent {
            return;
        }
        if entry.state == State::Alive {
            entry.parent = INIT;
            entry.is_unawaited = true;
            self.note(child);
        } else {
            self.remove(child);
        }
    }

    /// The process is over: its descriptors are closed, its children belong to init, its parent is told.
    pub(crate) fn end(&mut self, pid: Pid, ending: Ending) {
        let Some(entry) = self.table.get_mut(&pid) else { return };
        if entry.state != State::Alive {
            return;
        }
        entry.state = State::Ended(ending);
        entry.signals.clear();
        let (parent, is_unawaited) = (entry.parent, entry.is_unawaited);
        let descriptors = std::mem::take(&mut entry.descriptors);
        for handle in descriptors.into_iter().flatten() {
            self.release(handle);
        }
        self.ended.push((pid, ending.status()));
        let children: Vec<Pid> =
            self.table.iter().filter(|(_, child)| child.parent == pid).map(|(child, _)| *child).collect();
        for child in children {
            self.disown(pid, child);
            if let Some(signal) = self.table.get(&child).and_then(|child| child.parent_death) {
                self.kill(pid, child, signal);
            }
        }
        let watchers: Vec<Pid> = self
            .table
            .iter()
            .filter(|(_, watcher)| watcher.wait.any.contains(&On::Ended(pid)))
            .map(|(watcher, _)| *watcher)
            .collect();
        for watcher in watchers {
            self.make_ready(watcher);
        }
        if is_unawaited {
            self.remove(pid);
            return;
        }
        self.note(pid);
        if self.table.get(&parent).is_some_and(|parent| parent.wait.any.contains(&On::Child(pid))) {
            self.make_ready(parent);
        }
    }

    // ── what the trace is told ──

    /// Another command line.
    pub(crate) fn rename(&mut self, pid: Pid, name: &str) {
        if let Some(entry) = self.table.get_mut(&pid) {
            entry.name = name.into();
            self.note(pid);
        }
    }

    /// What changed since the last call, in order: the process, and whether it is still there.
    pub(crate) fn take_news(&mut self) -> Vec<(ProcessInfo, bool)> {
        std::mem::take(&mut self.news)
    }

    fn note(&mut self, pid: Pid) {
        if let Some(entry) = self.table.get(&pid) {
            self.news.push((entry.info(pid), true));
        }
    }

    fn remove(&mut self, pid: Pid) {
        if let Some(entry) = self.table.remove(&pid) {
            self.news.push((entry.info(pid), false));
        }
    }

    fn next_pid(&mut self) -> Pid {
        loop {
            self.last_pid = if self.last_pid >= 4_194_303 { 300 } else { self.last_pid + 1 };
            let pid = Pid(self.last_pid);
            if !self.table.contains_key(&pid) {
                return pid;
            }
        }
    }
}

impl Entry {
    fn program(&self) -> &str {
        program(&self.name)
    }

    fn info(&self, pid: Pid) -> ProcessInfo {
        let (parent, name, started) = (self.parent, self.name.clone(), self.started);
        ProcessInfo { pid, parent, name, state: self.letter(), started }
    }

    fn letter(&self) -> char {
        match self.state {
            State::Ended(_) => 'Z',
            State::Alive if self.is_stopped => 'T',
            State::Alive if self.is_queued => 'R',
            State::Alive => 'S',
        }
    }
}
