//! `ab`, Apache's HTTP server benchmark: so many requests, so many at once, and the table of what it took.
//!
//! ```text
//!   lane: connecting ─► asking ─► reading ─► (closed, or kept with -k) ─► the next request …
//! ```
//! Every request stands in the trace. Times are whole microseconds, as Apache's own.
//!
//! # Not modelled
//! Uploads, TLS, cookies, chunked bodies.

mod options;
mod report;

pub use options::Options;

use crate::base::time::Instant;
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Read, SocketError, Sys, TcpState};
use crate::trace::record::{Outcome, RequestRecord};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use options::HEARTBEAT_FROM;
use report::Totals;
use std::collections::BTreeMap;

/// The process.
#[derive(Debug)]
pub struct Ab {
    options: Options,
    request: Vec<u8>,
    began: Option<Instant>,
    lanes: BTreeMap<SocketId, Lane>,
    begun: u64,
    totals: Totals,
    /// When lanes are looked through for answers that take too long.
    look_at: Instant,
    out: Vec<u8>,
    ends: Option<i32>,
}

#[derive(Debug)]
struct Lane {
    record: u32,
    client: Option<SocketAddr>,
    began: Instant,
    connected: Option<Instant>,
    asked: Option<Instant>,
    first: Option<Instant>,
    sent: usize,
    octets: Vec<u8>,
}

/// An answer's head.
struct Head {
    length: usize,
    status: u16,
    body: Option<usize>,
    server: String,
    keeps: bool,
}

/// What came of a step of a lane.
enum Step {
    Waits,
    /// The whole answer; whether the connection can be used again.
    Answered {
        head: Head,
        keeps: bool,
    },
    Failed(SocketError),
}

const READ_MAX: usize = 65_536;

impl Ab {
    /// A benchmark that begins when its process does.
    pub fn new(options: Options) -> Self {
        let mut request = format!("{} {} HTTP/1.0\r\n", if options.head_only { "HEAD" } else { "GET" }, options.path);
        if options.keeps {
            request += "Connection: Keep-Alive\r\n";
        }
        let port = if options.remote.port == 80 { String::new() } else { format!(":{}", options.remote.port) };
        request += &format!("Host: {}{port}\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n", options.host);
        for line in &options.headers {
            request += &format!("{line}\r\n");
        }
        Ab {
            request: (request + "\r\n").into_bytes(),
            options,
            began: None,
            lanes: BTreeMap::new(),
            begun: 0,
            totals: Totals::default(),
            look_at: Instant::ZERO,
            out: Vec::new(),
            ends: None,
        }
    }

    /// Begins the next request, by a connection of its own or a kept one.
    fn begin(&mut self, kept: Option<SocketId>, sys: &mut Sys) {
        if self.begun == self.options.requests {
            if let Some(socket) = kept {
                sys.close(socket);
            }
            return;
        }
        self.begun += 1;
        let record = sys.cx.pen.next_request();
        let opened = kept.map_or_else(|| sys.connect(None, self.options.remote), Ok);
        let client = opened.ok().and_then(|socket| sys.ends(socket)).map(|(local, _)| local);
        let now = sys.now();
        sys.cx.change(Change::RequestStarted(RequestRecord {
            node: sys.kernel.node,
            url: self.options.url.as_str().into(),
            started: now,
            ended: None,
            client,
            asked: Some(self.options.remote),
            outcome: Outcome::Running,
        }));
        let connected = kept.map(|_| now);
        let lane =
            Lane { record, client, began: now, connected, asked: None, first: None, sent: 0, octets: Vec::new() };
        match opened {
            Ok(socket) => {
                self.lanes.insert(socket, lane);
                if kept.is_some() {
                    self.attend(socket, sys);
                }
            }
            Err(error) => self.failed(&lane, error, true, sys),
        }
    }

    fn attend(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(lane) = self.lanes.get_mut(&socket) else { return };
        let step = lane.go_on(socket, &self.request, self.options.head_only, sys);
        match step {
            Step::Waits => {}
            Step::Answered { head, keeps } => {
                let Some(lane) = self.lanes.remove(&socket) else { return };
                self.answered(&lane, &head, sys);
                let keeps = keeps && self.options.keeps;
                self.totals.kept += u64::from(keeps);
                if !keeps {
                    sys.close(socket);
                }
                self.begin(keeps.then_some(socket), sys);
            }
            Step::Failed(error) => {
                let Some(lane) = self.lanes.remove(&socket) else { return };
                sys.close(socket);
                self.failed(&lane, error, lane.connected.is_none(), sys);
                if self.ends.is_none() {
                    self.begin(None, sys);
                }
            }
        }
    }

    fn answered(&mut self, lane: &Lane, head: &Head, sys: &mut Sys) {
        let body = lane.octets.len() - head.length;
        let outcome = Outcome::Answered { status: head.status, bytes: body as u64 };
        end_record(lane, outcome, sys);
        let micros = |at: Option<Instant>| at.map_or(0, |at| at.since(lane.began).nanos() / 1_000);
        let total = sys.now().since(lane.began).nanos() / 1_000;
        let connect = micros(lane.connected);
        let waiting = micros(lane.first).saturating_sub(micros(lane.asked));
        self.totals.add(report::Times { connect, waiting, total });
        self.totals.octets += lane.octets.len() as u64;
        self.totals.html += body as u64;
        if !(200..300).contains(&head.status) {
            self.totals.not_2xx += 1;
        }
        let first = self.totals.first.get_or_insert_with(|| (head.server.clone(), body as u64));
        if first.1 != body as u64 {
            self.totals.wrong_length += 1;
        }
        self.heartbeat(sys);
    }

    fn heartbeat(&self, sys: &mut Sys) {
        let (done, all) = (self.totals.done(), self.options.requests);
        let every = (all / 10).max(100);
        if !self.options.quiet && all > HEARTBEAT_FROM && done.is_multiple_of(every) {
            tell(&format!("Completed {done} requests\n"), sys);
        }
    }

    fn failed(&mut self, lane: &Lane, error: SocketError, connecting: bool, sys: &mut Sys) {
        end_record(lane, Outcome::Failed { reason: error.to_string().into() }, sys);
        if connecting {
            self.totals.not_connected += 1;
        } else {
            self.totals.not_received += 1;
        }
        if self.options.goes_on {
            return;
        }
        let (what, code) = match error {
            SocketError::TimedOut => ("apr_pollset_poll: The timeout specified has expired".to_owned(), 70_007),
            SocketError::Refused => (format!("apr_socket_recv: {error}"), 111),
            SocketError::Reset => (format!("apr_socket_recv: {error}"), 104),
            SocketError::HostUnreachable => (format!("apr_socket_connect(): {error}"), 113),
            SocketError::NetUnreachable => (format!("apr_socket_connect(): {error}"), 101),
            SocketError::AddressNotAvailable => (format!("apr_socket_connect(): {error}"), 99),
            other => (format!("apr_socket_recv: {other}"), 5),
        };
        tell(&format!("{what} ({code})\n"), sys);
        let done = self.totals.done();
        if done > 0 {
            tell(&format!("Total of {done} requests completed\n"), sys);
        }
        self.ends = Some(code & 0xff);
    }

    /// Lanes whose answer takes too long.
    fn give_up_late(&mut self, sys: &mut Sys) {
        if sys.now() < self.look_at {
            return;
        }
        let patience = self.options.patience;
        let late = |lane: &Lane| lane.began + patience <= sys.cx.now;
        let late: Vec<SocketId> = self.lanes.iter().filter(|(_, lane)| late(lane)).map(|(socket, _)| *socket).collect();
        for socket in late {
            let Some(lane) = self.lanes.remove(&socket) else { continue };
            sys.reset(socket);
            self.failed(&lane, SocketError::TimedOut, lane.connected.is_none(), sys);
            if self.ends.is_none() {
                self.begin(None, sys);
            }
        }
        // Lanes that begin later are due later.
        let next = self.lanes.values().map(|lane| lane.began + patience).min();
        self.look_at = next.unwrap_or(sys.now() + patience);
    }
}

impl Process for Ab {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let began = match self.began {
            Some(began) => began,
            None => {
                self.out = report::banner(&self.options).into_bytes();
                for _ in 0..self.options.lanes {
                    if self.ends.is_none() {
                        self.begin(None, sys);
                    }
                }
                *self.began.insert(sys.now())
            }
        };
        while self.ends.is_none()
            && let Some(socket) = sys.next_ready()
        {
            self.attend(socket, sys);
        }
        let deadline = self.options.longest.map(|longest| began + longest);
        if self.ends.is_none() {
            self.give_up_late(sys);
            let all = self.lanes.is_empty() && self.begun == self.options.requests;
            if all || deadline.is_some_and(|deadline| deadline <= sys.now()) {
                if !self.options.quiet && self.options.requests > HEARTBEAT_FROM {
                    tell(&format!("Finished {} requests\n", self.totals.done()), sys);
                } else {
                    self.out.extend_from_slice(b"..done\n");
                }
                self.out.extend(report::table(&self.options, &self.totals, sys.now().since(began)).into_bytes());
                self.ends = Some(0);
            }
        }
        while !self.out.is_empty() && (self.ends.is_some() || self.totals.done() == 0) {
            match sys.write(Fd::STDOUT, &self.out) {
                Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                Ok(count) => drop(self.out.drain(..count)),
                Err(_) => return Next::Exit(141),
            }
        }
        if let Some(code) = self.ends {
            for socket in std::mem::take(&mut self.lanes).into_keys() {
                sys.close(socket);
            }
            return Next::Exit(code);
        }
        let until = deadline.map_or(self.look_at, |deadline| deadline.min(self.look_at));
        Next::Wait(Wait { until: Some(until), any: vec![On::AnySocket] })
    }
}

impl Lane {
    fn go_on(&mut self, socket: SocketId, request: &[u8], head_only: bool, sys: &mut Sys) -> Step {
        if self.connected.is_none() {
            match sys.tcp_state(socket) {
                TcpState::Connecting => return Step::Waits,
                TcpState::Connected => self.connected = Some(sys.now()),
                TcpState::Failed(error) => return Step::Failed(error),
                TcpState::Closed => return Step::Failed(SocketError::Reset),
            }
        }
        while self.sent < request.len() {
            match sys.send(socket, &request[self.sent..]) {
                Ok(0) => return Step::Waits,
                Ok(count) => self.sent += count,
                Err(error) => return Step::Failed(error),
            }
            self.asked = Some(sys.now());
        }
        loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(octets) => {
                    self.first.get_or_insert(sys.now());
                    self.octets.extend(octets);
                    if let Some(head) = read_head(&self.octets) {
                        let body = if head_only { Some(0) } else { head.body };
                        if body.is_some_and(|body| self.octets.len() >= head.length + body) {
                            let keeps = head.keeps;
                            return Step::Answered { head, keeps };
                        }
                    }
                }
                Read::Wait => return Step::Waits,
                Read::End => {
                    return match read_head(&self.octets) {
                        Some(head) => Step::Answered { head, keeps: false },
                        None => Step::Failed(SocketError::Reset),
                    };
                }
                Read::Failed(error) => return Step::Failed(error),
            }
        }
    }
}

fn read_head(octets: &[u8]) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = parsed.parse(octets) else { return None };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
    };
    Some(Head {
        length,
        status: parsed.code.unwrap_or(0),
        body: header("Content-Length").and_then(|length| length.parse().ok()),
        server: header("Server").unwrap_or_default(),
        keeps: header("Connection").is_some_and(|text| text.eq_ignore_ascii_case("keep-alive")),
    })
}

fn end_record(lane: &Lane, outcome: Outcome, sys: &mut Sys) {
    if let Some(begun) = sys.cx.pen.trace().requests.get(lane.record as usize) {
        let record = RequestRecord { ended: Some(sys.now()), outcome, client: lane.client, ..begun.clone() };
        sys.cx.change(Change::RequestEnded(lane.record, record));
    }
}

fn tell(text: &str, sys: &mut Sys) {
    // Nobody reads it: then nobody misses it.
    let _unread = sys.write(Fd::STDERR, text.as_bytes());
}
