//! One check of one real server: it begins, goes on, and comes to an answer.

use super::config::{CheckType, Real, Virtual};
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Ending, Next, On, Signal, SocketId, Wait};
use crate::kernel::syscall::{RawPayload, Read, Stdio, Sys, TcpState};
use crate::trace::record::{CheckFlaw, CheckKind, ServiceKey};
use crate::wire::echo;
use crate::wire::flow::{SocketAddr, Transport};
use regex::Regex;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Up without looking.
    Always,
    /// A TCP connection.
    Connect(SocketAddr),
    /// An echo, so many times.
    Ping(SocketAddr, u32),
    /// A page: method, path, host, what it must match.
    Http { at: SocketAddr, request: String, receive: String },
    /// Text is sent, a line of the answer must match.
    Lines { at: SocketAddr, request: String, receive: String },
    /// A greeting that begins with this.
    Greeting(SocketAddr, &'static str),
    /// A command.
    Command(Vec<String>),
}

/// An attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    question: Question,
    pub(super) began: Instant,
    until: Instant,
    socket: Option<SocketId>,
    child: Option<Pid>,
    sent: bool,
    answer: Vec<u8>,
    tries: u32,
    sequence: u16,
}

/// How it stands.
pub(super) enum State {
    /// It waits for this.
    Waits(Next),
    /// The server is up, or this is wrong with it.
    Over(Option<CheckFlaw>),
}

const ICMP: u8 = 1;
const PING_DATA: usize = 64;
const ANSWER_MAX: usize = 1 << 20;
const READ_MAX: usize = 16_384;

/// What a check of this server asks. `negotiates`: for a combined check, whether it is the turn of the negotiation.
pub(super) fn question(service: &Virtual, real: &Real, negotiates: bool) -> Question {
    let at = SocketAddr { address: real.address.address, port: service.checked_port(real) };
    let kind = match service.check {
        CheckType::Combined(_) if negotiates => CheckType::Negotiate,
        CheckType::Combined(_) => CheckType::Connect,
        other => other,
    };
    match kind {
        CheckType::On | CheckType::Off | CheckType::Combined(_) => Question::Always,
        CheckType::Ping => Question::Ping(at, service.check_count),
        CheckType::Connect if matches!(service.key, ServiceKey::Address(Transport::Udp, _)) => {
            Question::Ping(at, service.check_count)
        }
        CheckType::Connect => Question::Connect(at),
        CheckType::External => {
            let name = match service.key {
                ServiceKey::Address(_, vip) => vip.address.to_string(),
                ServiceKey::Mark(mark) => mark.to_string(),
            };
            let mut argv: Vec<String> = service.check_command.split_whitespace().map(str::to_owned).collect();
            argv.extend([name, service.port().to_string(), at.address.to_string(), real.address.port.to_string()]);
            Question::Command(argv)
        }
        CheckType::Negotiate => negotiation(service, real, at),
    }
}

/// What the trace calls it.
pub(super) fn kind(service: &Virtual, negotiates: bool) -> CheckKind {
    match service.check {
        CheckType::On | CheckType::Off => CheckKind::On,
        CheckType::Ping => CheckKind::Ping,
        CheckType::Connect => CheckKind::Connect,
        CheckType::External => CheckKind::External,
        CheckType::Negotiate => CheckKind::Negotiate,
        CheckType::Combined(_) => {
            if negotiates {
                CheckKind::Negotiate
            } else {
                CheckKind::Connect
            }
        }
    }
}

fn negotiation(service: &Virtual, real: &Real, at: SocketAddr) -> Question {
    let request = if real.request.is_empty() { &service.request } else { &real.request };
    let receive = if real.receive.is_empty() { &service.receive } else { &real.receive }.clone();
    match service.service.as_str() {
        "http" | "https" | "http_proxy" => {
            let method = if service.head { "HEAD" } else { "GET" };
            // A whole URL replaces the server's own.
            let (host, path) = match request.strip_prefix("http://") {
                Some(url) => {
                    url.split_once('/').map_or((url, "/".to_owned()), |(host, path)| (host, format!("/{path}")))
                }
                None => ("", request.clone()),
            };
            let host = match (service.virtualhost.is_empty(), host) {
                (false, _) => service.virtualhost.clone(),
                (true, "") => at.to_string(),
                (true, host) => host.to_owned(),
            };
            let text = format!(
                "{method} {path} HTTP/1.1\r\nTE: deflate,gzip;q=0.3\r\nConnection: TE, close\r\nHost: {host}\r\nUser-Agent: ldirectord\r\n\r\n"
            );
            Question::Http { at, request: text, receive }
        }
        "simpletcp" => {
            let text = request.trim_start_matches('/').replace("\\n", "\n");
            Question::Lines { at, request: text, receive }
        }
        "ftp" | "smtp" | "submission" => Question::Greeting(at, "220"),
        "pop" | "pops" => Question::Greeting(at, "+OK"),
        "imap" | "imaps" => Question::Greeting(at, "* OK"),
        // Protocols that are not spoken here do not get through the reader.
        _ => match service.key {
            ServiceKey::Mark(_) => Question::Always,
            ServiceKey::Address(Transport::Udp, _) => Question::Ping(at, service.check_count),
            ServiceKey::Address(..) => Question::Connect(at),
        },
    }
}

impl Attempt {
    /// Begins; it is over after this time.
    pub(super) fn new(question: Question, now: Instant, timeout: Duration) -> Self {
        Attempt {
            question,
            began: now,
            until: now + timeout,
            socket: None,
            child: None,
            sent: false,
            answer: Vec::new(),
            tries: 0,
            sequence: 0,
        }
    }

    /// Goes on as far as it can. `timeout` is how long one echo is waited for.
    pub(super) fn go_on(&mut self, timeout: Duration, sys: &mut Sys) -> State {
        let state = self.step(timeout, sys);
        if let State::Over(_) = state {
            self.end(sys);
        }
        state
    }

    /// Closes what is open.
    pub(super) fn end(&mut self, sys: &mut Sys) {
        if let Some(socket) = self.socket.take() {
            sys.close(socket);
        }
        if let Some(child) = self.child.take() {
            sys.kill(child, Signal::Kill);
            sys.disown(child);
        }
    }

    fn step(&mut self, timeout: Duration, sys: &mut Sys) -> State {
        match self.question.clone() {
            Question::Always => State::Over(None),
            Question::Ping(at, tries) => self.ping(at, tries, timeout, sys),
            Question::Command(argv) => self.command(&argv, sys),
            Question::Connect(at) => match self.connected(at, sys) {
                Ok(_) => State::Over(None),
                Err(state) => state,
            },
            Question::Http { at, request, receive } => self.http(at, &request, &receive, sys),
            Question::Lines { at, request, receive } => self.lines(at, &request, &receive, sys),
            Question::Greeting(at, start) => self.greeting(at, start, sys),
        }
    }

    /// The socket of a connection that has come about.
    fn connected(&mut self, at: SocketAddr, sys: &mut Sys) -> Result<SocketId, State> {
        let socket = match self.socket {
            Some(socket) => socket,
            None => {
                let socket = sys.connect(None, at).map_err(|error| State::Over(Some(error.flaw())))?;
                self.socket = Some(socket);
                socket
            }
        };
        match sys.tcp_state(socket) {
            TcpState::Connected | TcpState::Closed => Ok(socket),
            TcpState::Failed(error) => Err(State::Over(Some(error.flaw()))),
            TcpState::Connecting => {
                let within = self.until.since(self.began);
                Err(self.wait(On::Socket(socket), CheckFlaw::NoConnection { within }, sys))
            }
        }
    }

    /// Waits, if there is time; `flaw` is what is wrong if there is none.
    fn wait(&self, on: On, flaw: CheckFlaw, sys: &Sys) -> State {
        if sys.now() >= self.until {
            return State::Over(Some(flaw));
        }
        State::Waits(Next::Wait(Wait { until: Some(self.until), any: vec![on] }))
    }

    /// What is wrong with a server that says nothing in time.
    fn silent(&self) -> CheckFlaw {
        CheckFlaw::NoAnswer { within: self.until.since(self.began) }
    }

    /// Sends what is asked, and reads what has come. True: nothing more will.
    fn converse(&mut self, socket: SocketId, request: &str, sys: &mut Sys) -> Result<bool, State> {
        if !self.sent {
            self.sent = true;
            if !request.is_empty() && sys.send(socket, request.as_bytes()).is_err() {
                return Err(State::Over(Some(CheckFlaw::Broken)));
            }
        }
        loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(bytes) if self.answer.len() + bytes.len() <= ANSWER_MAX => self.answer.extend(bytes),
                Read::Data(_) | Read::End => return Ok(true),
                Read::Wait => return Ok(false),
                Read::Failed(error) => return Err(State::Over(Some(error.flaw()))),
            }
        }
    }

    fn http(&mut self, at: SocketAddr, request: &str, receive: &str, sys: &mut Sys) -> State {
        let talk = self.connected(at, sys).and_then(|socket| Ok((socket, self.converse(socket, request, sys)?)));
        let (socket, ended) = match talk {
            Ok(talk) => talk,
            Err(state) => return state,
        };
        match response(&self.answer) {
            Some((status, body, whole)) if ended || whole => {
                let body = String::from_utf8_lossy(&self.answer[body..]);
                State::Over(match (200..300).contains(&status) {
                    true => wrong(matches(receive, &body)),
                    false => Some(CheckFlaw::Status(status)),
                })
            }
            Some(_) | None if ended => State::Over(Some(CheckFlaw::Broken)),
            Some(_) | None => self.wait(On::Socket(socket), self.silent(), sys),
        }
    }

    fn lines(&mut self, at: SocketAddr, request: &str, receive: &str, sys: &mut Sys) -> State {
        let first = !self.sent;
        let talk = self.connected(at, sys).and_then(|socket| Ok((socket, self.converse(socket, request, sys)?)));
        let (socket, ended) = match talk {
            Ok(talk) => talk,
            Err(state) => return state,
        };
        if first {
            sys.shutdown(socket);
        }
        let text = String::from_utf8_lossy(&self.answer);
        let complete = if ended { text.len() } else { text.rfind('\n').map_or(0, |at| at + 1) };
        if text[..complete].lines().any(|line| matches(receive, line)) {
            return State::Over(None);
        }
        match ended {
            true => State::Over(Some(CheckFlaw::Answer)),
            false => self.wait(On::Socket(socket), self.silent(), sys),
        }
    }

    fn greeting(&mut self, at: SocketAddr, start: &str, sys: &mut Sys) -> State {
        let talk = self.connected(at, sys).and_then(|socket| Ok((socket, self.converse(socket, "", sys)?)));
        let (socket, ended) = match talk {
            Ok(talk) => talk,
            Err(state) => return state,
        };
        if self.answer.contains(&b'\n') || ended {
            return State::Over(wrong(self.answer.starts_with(start.as_bytes())));
        }
        self.wait(On::Socket(socket), self.silent(), sys)
    }

    fn ping(&mut self, at: SocketAddr, tries: u32, timeout: Duration, sys: &mut Sys) -> State {
        let socket = match self.socket {
            Some(socket) if sys.now() < self.until => socket,
            Some(_) if self.tries >= tries => return State::Over(Some(CheckFlaw::NoAnswer { within: timeout })),
            known => {
                let socket = known.unwrap_or_else(|| sys.raw(ICMP));
                self.socket = Some(socket);
                self.tries += 1;
                self.sequence = self.sequence.wrapping_add(1);
                self.until = sys.now() + timeout;
                let data = &echo::request(identifier(sys), self.sequence, &[0; PING_DATA]);
                let payload = RawPayload { source: None, to: at.address, ttl: None, stays_whole: false, data };
                if let Err(error) = sys.raw_send(socket, &payload) {
                    return State::Over(Some(error.flaw()));
                }
                socket
            }
        };
        let own = identifier(sys);
        while let Some(packet) = sys.raw_recv(socket) {
            if echo::reply(&packet).is_some_and(|reply| reply.from == at.address && reply.identifier == own) {
                return State::Over(None);
            }
        }
        State::Waits(Next::Wait(Wait { until: Some(self.until), any: vec![On::Socket(socket)] }))
    }

    fn command(&mut self, argv: &[String], sys: &mut Sys) -> State {
        let child = match self.child {
            Some(child) => child,
            None => {
                let env = sys.env();
                let Ok(child) = sys.spawn(argv, &env, Stdio::default()) else {
                    return State::Over(Some(CheckFlaw::NotAsked));
                };
                self.child = Some(child);
                child
            }
        };
        match sys.wait_ending(child) {
            Some(ending) => {
                self.child = None;
                State::Over(match ending {
                    Ending::Killed(signal) => Some(CheckFlaw::Signal(signal.number() as u8)),
                    Ending::Exited(status) => (status != 0).then_some(CheckFlaw::Exit(status as u8)),
                })
            }
            None => {
                let within = self.until.since(self.began);
                self.wait(On::Child(child), CheckFlaw::Overtime { within }, sys)
            }
        }
    }
}

fn wrong(is_as_wanted: bool) -> Option<CheckFlaw> {
    (!is_as_wanted).then_some(CheckFlaw::Answer)
}

fn identifier(sys: &Sys) -> u16 {
    (sys.pid.0 & 0xffff) as u16
}

/// Whether a text matches; an empty expression matches everything. The reader has let good ones through only.
fn matches(pattern: &str, text: &str) -> bool {
    pattern.is_empty() || Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
}

/// Status of an answer, where its body begins, and whether it is all there.
fn response(answer: &[u8]) -> Option<(u16, usize, bool)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = parsed.parse(answer).ok()? else { return None };
    let length = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse::<usize>().ok());
    Some((parsed.code?, start, length.is_some_and(|length| answer.len() - start >= length)))
}
