//! The process of a proxy: takes clients, chooses servers, carries octets, checks servers.
//!
//! # Not modelled
//! Workers as processes of their own. At a reload the old worker finishes what it has begun, by the old file, and takes
//! nothing new; `ps` shows one process all the same.

mod checks;
mod log;

use super::balance::{self, Turns};
use super::head::{self, Head, Journey};
use super::health::Health;
use super::session::{Phase, Pipe, Session};
use super::{Action, Mode, Program, Route, Setup};
use crate::apps::http_server;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::{Sys, TcpState};
use crate::wire::flow::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The process.
#[derive(Debug)]
pub struct Proxy {
    setup: Setup,
    /// Reads the file again, at a reload.
    read: fn(&mut Sys) -> Option<Setup>,
    is_started: bool,
    listeners: BTreeMap<SocketId, usize>,
    sessions: BTreeMap<u32, Session>,
    next_session: u32,
    /// Which session a socket belongs to.
    ends: BTreeMap<SocketId, u32>,
    /// Of each backend: turns, and how its servers are.
    turns: Vec<Turns>,
    health: Vec<Vec<Health>>,
    checks: BTreeMap<SocketId, (usize, usize)>,
    timers: BTreeSet<(Instant, Timer)>,
    /// Workers of files that were read before; they have no listeners and check nobody.
    retired: Vec<Proxy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Session(u32),
    Check(usize, usize),
}

const BACKLOG: u32 = 511;
/// Old workers at a time; when there are more, the oldest is cut off.
const RETIRED_MAX: usize = 16;
const PAUSE_BEFORE_RETRY: Duration = Duration::from_secs(1);

impl Proxy {
    /// A proxy that does what `setup` says; `read` gives the setup after a reload.
    pub fn new(setup: Setup, read: fn(&mut Sys) -> Option<Setup>) -> Self {
        Proxy {
            setup,
            read,
            is_started: false,
            listeners: BTreeMap::new(),
            sessions: BTreeMap::new(),
            next_session: 0,
            ends: BTreeMap::new(),
            turns: Vec::new(),
            health: Vec::new(),
            checks: BTreeMap::new(),
            timers: BTreeSet::new(),
            retired: Vec::new(),
        }
    }

    /// Listens wherever the file says; false if it cannot at one place.
    fn start(&mut self, sys: &mut Sys) -> bool {
        self.is_started = true;
        let name = self.setup.program.name();
        let mut wanted: Vec<(SocketAddr, usize)> = Vec::new();
        for (number, frontend) in self.setup.frontends.iter().enumerate() {
            wanted.extend(frontend.binds.iter().map(|bind| (*bind, number)));
        }
        for (bind, number) in wanted {
            let known = self.listeners.iter().find(|(socket, _)| sys.listens_at(**socket) == Some(bind));
            let socket = match known.map(|(socket, _)| *socket) {
                Some(socket) => socket,
                None => match sys.listen(bind, BACKLOG) {
                    Ok(socket) => socket,
                    Err(error) => {
                        let text = self.setup.cannot_bind(number, bind, error);
                        sys.log(name, &text);
                        return false;
                    }
                },
            };
            self.listeners.insert(socket, number);
        }
        self.turns = vec![Turns::default(); self.setup.backends.len()];
        let of = self.setup.backends.iter().map(|backend| backend.servers.len()).sum();
        let mut place = 0;
        self.health.clear();
        for backend in &self.setup.backends {
            let mut row = Vec::new();
            for server in &backend.servers {
                row.push(Health::new(server, sys.now(), place, of));
                place += 1;
            }
            self.health.push(row);
        }
        for (at, row) in self.health.iter().enumerate() {
            let due =
                row.iter().enumerate().filter_map(|(server, health)| Some((health.due?, Timer::Check(at, server))));
            self.timers.extend(due);
        }
        if self.setup.program == Program::Haproxy {
            for frontend in &self.setup.frontends {
                self.say(&format!("Proxy {} started.", frontend.name), sys);
            }
        }
        true
    }

    fn run(&mut self, sys: &mut Sys) -> Next {
        if !self.is_started && !self.start(sys) {
            return Next::Exit(1);
        }
        while let Some(socket) = sys.next_ready() {
            if let Some(frontend) = self.listeners.get(&socket).copied() {
                self.take_clients(socket, frontend, sys);
            } else if let Some(number) = self.ends.get(&socket).copied() {
                self.go_on(number, sys);
            } else if let Some((backend, server)) = self.checks.get(&socket).copied() {
                self.look_at_check(backend, server, sys);
            } else if let Some(old) = self.retired.iter_mut().find(|old| old.ends.contains_key(&socket)) {
                old.go_on_by_socket(socket, sys);
            }
        }
        self.fire_timers(sys);
        for old in &mut self.retired {
            old.fire_timers(sys);
        }
        self.retired.retain(|old| !old.sessions.is_empty());
        let own = self.timers.first().map(|(due, _)| *due);
        let old = self.retired.iter().filter_map(|old| old.timers.first().map(|(due, _)| *due)).min();
        Next::Wait(Wait { until: Instant::soonest([own, old]), any: vec![On::AnySocket] })
    }

    fn fire_timers(&mut self, sys: &mut Sys) {
        while let Some((due, timer)) = self.timers.first().copied()
            && due <= sys.now()
        {
            self.timers.pop_first();
            match timer {
                Timer::Session(number) => self.time_up(number, sys),
                Timer::Check(backend, server) => self.check(backend, server, sys),
            }
        }
    }

    /// A client of an old worker: when it has its answer, it has to come again.
    fn go_on_by_socket(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(number) = self.ends.get(&socket).copied() else { return };
        self.go_on(number, sys);
        if self.sessions.get(&number).is_some_and(Session::is_idle) {
            self.end(number, sys);
        }
    }

    // ── clients ──

    fn take_clients(&mut self, listener: SocketId, frontend: usize, sys: &mut Sys) {
        let in_use = self.sessions.values().filter(|session| session.frontend == frontend).count();
        let mut room = self.setup.frontends[frontend].max_connections.saturating_sub(in_use);
        while room > 0
            && let Some((client, peer)) = sys.accept(listener)
        {
            room -= 1;
            let nowhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 };
            let local = sys.ends(client).map_or(nowhere, |(local, _)| local);
            let number = self.next_session;
            self.next_session = self.next_session.wrapping_add(1);
            self.ends.insert(client, number);
            let session = Session {
                frontend,
                client,
                peer,
                local,
                began: sys.now(),
                phase: Phase::Reading,
                backend: None,
                server: None,
                uplink: None,
                relayed: None,
                tried: Vec::new(),
                tries: 0,
                to_server: Pipe::default(),
                to_client: Pipe::default(),
                until: Instant::NEVER,
                request: String::new(),
                path: String::new(),
                status: 0,
                connected_at: None,
                answered_at: None,
            };
            self.sessions.insert(number, session);
            self.wait_until(number, sys.now() + self.setup.frontends[frontend].client_timeout);
            if self.setup.frontends[frontend].mode == Mode::Tcp {
                let fits = |route: &&Route| route.when.as_ref().is_none_or(|when| when.holds(peer.address, None));
                let route = self.setup.frontends[frontend].routes.iter().find(fits);
                let action = route.map(|route| route.action.clone());
                match action {
                    Some(Action::Backend(backend)) => self.call(number, backend, sys),
                    Some(Action::Files(_) | Action::Answer(..)) | None => self.end(number, sys),
                }
            } else {
                self.go_on(number, sys);
            }
        }
    }

    /// Something happened at one of its two ends.
    fn go_on(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        if !session.to_server.fill(session.client, sys) {
            return self.end(number, sys);
        }
        match session.phase {
            Phase::Reading => self.read_request(number, sys),
            Phase::Connecting => self.look_at_uplink(number, sys),
            Phase::Answering | Phase::Carrying | Phase::Closing => self.carry(number, sys),
        }
    }

    /// The request's head: where it goes.
    fn read_request(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let request = match head::request(&session.to_server.octets) {
            Head::Whole(request) => request,
            Head::Incomplete if session.to_server.is_ended => return self.end(number, sys),
            Head::Incomplete => return,
            Head::Malformed => return self.answer(number, 400, "", sys),
        };
        session.request = format!("{} {} HTTP/1.1", request.method, request.path);
        session.path = request.path.clone();
        let frontend = &self.setup.frontends[session.frontend];
        let path = request.path.split(['?', '#']).next().unwrap_or("/").to_owned();
        let client = session.peer.address;
        let route = frontend.routes.iter().find(|route| {
            let is_its_path = match route.exact {
                true => path == route.prefix,
                false => path.starts_with(&route.prefix),
            };
            is_its_path && route.when.as_ref().is_none_or(|when| when.holds(client, Some(&request)))
        });
        let Some(route) = route else {
            let status = if self.setup.program == Program::Haproxy { 503 } else { 404 };
            return self.answer(number, status, "", sys);
        };
        match route.action.clone() {
            Action::Backend(backend) => {
                let journey = Journey {
                    client: session.peer.address,
                    own: session.local.address,
                    own_port: session.local.port,
                    backend: &self.setup.backends[backend],
                    forwards_for: frontend.forwards_for || self.setup.backends[backend].forwards_for,
                    program: self.setup.program,
                };
                let mut octets = request.forwarded(journey);
                octets.extend_from_slice(&session.to_server.octets[request.length..]);
                session.to_server.octets = octets;
                self.call(number, backend, sys);
            }
            Action::Files(root) => match http_server::page(&root, &path, sys) {
                Ok(body) => self.answer(number, 200, &String::from_utf8_lossy(&body), sys),
                Err(_) => self.answer(number, 404, "", sys),
            },
            Action::Answer(status, text) => self.answer(number, status, &text, sys),
        }
    }

    // ── servers ──

    /// Chooses a server and calls it.
    fn call(&mut self, number: u32, backend: usize, sys: &mut Sys) {
        let now = sys.now();
        let Some(session) = self.sessions.get(&number) else { return };
        let (client, tried) = (session.peer.address, session.tried.clone());
        let group = &self.setup.backends[backend];
        let connections = self.connections(backend);
        let health = &self.health[backend];
        let is_able = |place: usize| {
            let server = &group.servers[place];
            let has_room = server.max_connections == 0 || connections[place] < server.max_connections;
            health[place].is_able(server, now) && has_room
        };
        let untried = |place: usize| is_able(place) && !tried.contains(&place);
        let turns = &mut self.turns[backend];
        let mut chosen = balance::choose(group, turns, client, &connections, &untried);
        if chosen.is_none() && self.setup.program == Program::Haproxy {
            chosen = balance::choose(group, turns, client, &connections, &is_able);
        }
        let Some(place) = chosen else {
            if self.setup.program == Program::Nginx && tried.is_empty() {
                self.say_error("no live upstreams while connecting to upstream", number, sys);
            }
            for health in &mut self.health[backend] {
                health.forgive();
            }
            return self.answer(number, if self.setup.program == Program::Nginx { 502 } else { 503 }, "", sys);
        };
        let (address, timeout) = (group.servers[place].address, group.connect_timeout);
        let Some(session) = self.sessions.get_mut(&number) else { return };
        (session.backend, session.server, session.phase) = (Some(backend), Some(place), Phase::Connecting);
        session.tries += 1;
        match sys.connect(None, address) {
            Ok(uplink) => {
                session.uplink = Some(uplink);
                self.ends.insert(uplink, number);
                self.wait_until(number, now + timeout);
            }
            Err(_) => self.call_failed(number, sys),
        }
    }

    /// How many connections each server of a backend has.
    fn connections(&self, backend: usize) -> Vec<usize> {
        let mut counts = vec![0; self.setup.backends[backend].servers.len()];
        for session in self.sessions.values().filter(|session| session.backend == Some(backend)) {
            if let Some(count) = session.server.and_then(|server| counts.get_mut(server)) {
                *count += 1;
            }
        }
        counts
    }

    fn look_at_uplink(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let Some(uplink) = session.uplink else { return };
        match sys.tcp_state(uplink) {
            TcpState::Connecting => {}
            TcpState::Failed(_) => self.call_failed(number, sys),
            TcpState::Connected | TcpState::Closed => {
                session.connected_at = Some(sys.now());
                session.relayed = sys.ends(uplink);
                session.phase = match self.setup.frontends[session.frontend].mode {
                    Mode::Http => Phase::Answering,
                    Mode::Tcp => Phase::Carrying,
                };
                self.carry(number, sys);
            }
        }
    }

    /// The server could not be reached: another try, or an answer that says so.
    fn call_failed(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let (Some(backend), Some(place)) = (session.backend, session.server) else { return };
        if let Some(uplink) = session.uplink.take() {
            self.ends.remove(&uplink);
            sys.close(uplink);
        }
        session.server = None;
        let tries = session.tries;
        let group = &self.setup.backends[backend];
        match self.setup.program {
            Program::Nginx => {
                session.tried.push(place);
                let server = group.servers[place].clone();
                self.say_error(
                    &format!("connect() failed while connecting to upstream, upstream: \"http://{}\"", server.address),
                    number,
                    sys,
                );
                self.health[backend][place].fail(&server, sys.now());
                self.call(number, backend, sys);
            }
            Program::Haproxy if tries <= group.retries => {
                if group.redispatches && tries == group.retries {
                    session.tried.push(place);
                }
                session.phase = Phase::Connecting;
                // A server that refuses is tried again a second later.
                self.wait_until(number, sys.now() + PAUSE_BEFORE_RETRY);
            }
            Program::Haproxy => self.answer(number, 503, "", sys),
        }
    }

    /// Octets both ways.
    fn carry(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        if let Some(uplink) = session.uplink {
            let is_server_gone = !session.to_client.fill(uplink, sys);
            let is_deaf = !session.to_server.drain(uplink, sys);
            if session.phase == Phase::Answering {
                match head::answer(&session.to_client.octets) {
                    Head::Whole((status, octets)) => {
                        session.to_client.octets = octets;
                        session.status = status;
                        session.answered_at = Some(sys.now());
                        session.phase = Phase::Carrying;
                        if let (Some(backend), Some(server)) = (session.backend, session.server) {
                            self.health[backend][server].succeed();
                        }
                    }
                    Head::Incomplete if session.to_client.is_ended || is_server_gone => {
                        return self.answer(number, 502, "", sys);
                    }
                    Head::Malformed => return self.answer(number, 502, "", sys),
                    Head::Incomplete => {}
                }
            } else if is_server_gone || is_deaf {
                session.to_client.is_ended = true;
            }
        }
        let Some(session) = self.sessions.get_mut(&number) else { return };
        if session.phase == Phase::Answering {
            let timeout = session.backend.map_or(Duration::MAX, |backend| self.setup.backends[backend].server_timeout);
            return self.wait_until(number, sys.now() + timeout);
        }
        let is_gone = !session.to_client.drain(session.client, sys);
        let is_http = self.setup.frontends[session.frontend].mode == Mode::Http;
        let is_done = session.to_client.is_done() && (is_http || session.to_server.is_done());
        if is_gone || is_done {
            return self.end(number, sys);
        }
        let timeout = match session.backend {
            Some(backend) => self.setup.backends[backend].server_timeout,
            None => self.setup.frontends[session.frontend].client_timeout,
        };
        self.wait_until(number, sys.now() + timeout);
    }

    /// An answer of the proxy's own; in TCP mode only the end.
    fn answer(&mut self, number: u32, status: u16, text: &str, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        if let Some(uplink) = session.uplink.take() {
            self.ends.remove(&uplink);
            sys.close(uplink);
        }
        if self.setup.frontends[session.frontend].mode == Mode::Tcp {
            return self.end(number, sys);
        }
        session.status = status;
        session.server = None;
        session.phase = Phase::Closing;
        session.to_client = Pipe::of(head::own(self.setup.program, status, text));
        self.carry(number, sys);
    }

    fn time_up(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&number).filter(|session| session.until <= sys.now()) else { return };
        match (session.phase, session.uplink, session.backend) {
            (Phase::Connecting, None, Some(backend)) => self.call(number, backend, sys),
            (Phase::Connecting, Some(_), _) => self.call_failed(number, sys),
            (Phase::Answering, ..) => self.answer(number, 504, "", sys),
            _ => self.end(number, sys),
        }
    }

    fn end(&mut self, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.remove(&number) else { return };
        self.timers.remove(&(session.until, Timer::Session(number)));
        for socket in [Some(session.client), session.uplink].into_iter().flatten() {
            self.ends.remove(&socket);
        }
        self.record(&session, sys);
        self.log(&session, sys);
        for socket in [Some(session.client), session.uplink].into_iter().flatten() {
            sys.close(socket);
        }
    }

    fn wait_until(&mut self, number: u32, until: Instant) {
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let before = std::mem::replace(&mut session.until, until);
        self.timers.remove(&(before, Timer::Session(number)));
        self.timers.insert((until, Timer::Session(number)));
    }

    fn reload(&mut self, sys: &mut Sys) -> Next {
        let Some(setup) = (self.read)(sys) else {
            self.say("the new configuration cannot be used; the old one stays", sys);
            return self.run(sys);
        };
        for (socket, _) in std::mem::take(&mut self.checks) {
            sys.close(socket);
        }
        self.retire(sys);
        let binds: BTreeSet<SocketAddr> = setup.frontends.iter().flat_map(|frontend| frontend.binds.clone()).collect();
        for socket in self.listeners.keys().copied().collect::<Vec<_>>() {
            if sys.listens_at(socket).is_none_or(|bind| !binds.contains(&bind)) {
                self.listeners.remove(&socket);
                sys.close(socket);
            }
        }
        self.setup = setup;
        match self.start(sys) {
            true => self.run(sys),
            false => Next::Exit(1),
        }
    }
}

impl Proxy {
    /// What has begun goes on by the old file, in an old worker; who only holds a connection open is sent away.
    fn retire(&mut self, sys: &mut Sys) {
        let idle = self.sessions.iter().filter(|(_, session)| session.is_idle()).map(|(number, _)| *number);
        for number in idle.collect::<Vec<_>>() {
            self.end(number, sys);
        }
        let mut old = Proxy::new(self.setup.clone(), self.read);
        old.is_started = true;
        old.sessions = std::mem::take(&mut self.sessions);
        old.ends = std::mem::take(&mut self.ends);
        old.turns = std::mem::take(&mut self.turns);
        old.health = std::mem::take(&mut self.health);
        old.timers = std::mem::take(&mut self.timers);
        old.timers.retain(|(_, timer)| matches!(timer, Timer::Session(_)));
        self.retired.push(old);
        if self.retired.len() > RETIRED_MAX {
            let mut oldest = self.retired.remove(0);
            for number in oldest.sessions.keys().copied().collect::<Vec<_>>() {
                oldest.end(number, sys);
            }
        }
    }
}

impl Process for Proxy {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        self.run(sys)
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Term | Signal::Int | Signal::Quit => {
                if self.setup.program == Program::Haproxy {
                    for frontend in &self.setup.frontends {
                        self.say(&format!("Stopping proxy {} in 0 ms.", frontend.name), sys);
                    }
                }
                Some(Next::Exit(0))
            }
            Signal::Hup | Signal::Usr2 => Some(self.reload(sys)),
            // haproxy: finish softly; nginx: open the logs again.
            Signal::Usr1 if self.setup.program == Program::Haproxy => Some(Next::Exit(0)),
            Signal::Usr1 | Signal::Child | Signal::Cont | Signal::Kill | Signal::Stop => Some(self.run(sys)),
        }
    }
}
