//! The protocol's side of an FTP client: a control connection, one exchange at a time, and its data connection.
//!
//! ```text
//!   Connect ─► greeting                              Say ─► reply
//!   Data, passive: PASV ─► 227 ─► connects ─► command ─► 150 ─┐
//!   Data, active:  listens ─► PORT ─► 200 ─► command ─► 150 ──┴─► octets, the end ─► 226
//! ```

use crate::apps::ftp_server::six_numbers;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{On, SocketId};
use crate::kernel::syscall::{Read, SocketError, Sys, TcpState};
use crate::trace::record::{Outcome, RequestRecord};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// Who opens data connections, and how their address is agreed upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `PASV`.
    #[default]
    Passive,
    /// `EPSV`, and `PASV` if the server does not know it.
    Extended,
    /// `PORT`.
    Active,
}

/// One exchange.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// A control connection, up to the greeting.
    Connect(SocketAddr),
    /// A command and its reply.
    Say(String),
    /// A command with a data connection; with octets to send, or to receive.
    Data { command: String, upload: Option<Vec<u8>> },
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A reply below 400, and what came by the data connection.
    Good { code: u16, text: String, data: Vec<u8> },
    /// A reply of 400 and above.
    Refused { code: u16, text: String },
    /// The connection is gone, or never came about.
    Lost(String),
}

/// Something that was said, for those who want to see it.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Sent(String),
    Heard(String),
    Note(String),
}

/// A control connection.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) mode: Mode,
    /// The longest a server may be silent.
    pub(super) patience: Duration,
    /// A private address in a 227 of a server that has a public one is not believed (`ftp:fix-pasv-address`).
    pub(super) mends_address: bool,
    pub(super) said: Vec<Said>,
    url: String,
    control: Option<Control>,
    doing: Doing,
    data: Data,
    pending: Option<(String, Option<Vec<u8>>)>,
    received: Vec<u8>,
    reply: Option<(u16, String)>,
    last_heard: Instant,
}

#[derive(Debug)]
struct Control {
    socket: SocketId,
    remote: SocketAddr,
    input: Vec<u8>,
    lines: Vec<String>,
    record: u32,
    octets: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doing {
    #[default]
    Nothing,
    Connecting,
    /// The greeting, or the reply to a command.
    Replying,
    /// The reply to PASV, EPSV or PORT.
    Agreeing,
    /// The data connection, before the command.
    Reaching,
    /// The command was sent: octets, and the final reply.
    Transferring,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    Listening(SocketId),
    Connecting(SocketId),
    Open {
        socket: SocketId,
        sent: usize,
    },
    Over,
}

const LINE_MAX: usize = 16 * 1024;
const RECEIVED_MAX: usize = 16 << 20;

impl Talk {
    pub(super) fn new(url: String, mode: Mode, patience: Duration) -> Self {
        Talk { url, mode, patience, ..Talk::default() }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.control.is_some()
    }

    /// The URL of the sessions that begin from here on.
    pub(super) fn rename(&mut self, url: String) {
        self.url = url;
    }

    /// What to wait for.
    pub(super) fn waits_for(&self) -> Vec<On> {
        let data = match self.data {
            Data::Listening(socket) | Data::Connecting(socket) | Data::Open { socket, .. } => Some(On::Socket(socket)),
            Data::None | Data::Over => None,
        };
        self.control.iter().map(|control| On::Socket(control.socket)).chain(data).collect()
    }

    /// When patience ends; none if nothing is awaited.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.doing != Doing::Nothing).then(|| self.last_heard + self.patience)
    }

    /// Begins an exchange.
    pub(super) fn begin(&mut self, order: Order, sys: &mut Sys) -> Option<Answer> {
        self.last_heard = sys.now();
        self.reply = None;
        match order {
            Order::Connect(remote) => self.connect(remote, sys),
            Order::Say(text) => self.send(&text, Doing::Replying, sys),
            Order::Data { command, upload } => {
                self.received.clear();
                self.pending = Some((command, upload));
                self.agree(self.mode, sys)
            }
        }
    }

    /// Goes on with the exchange; none while it waits.
    pub(super) fn go_on(&mut self, sys: &mut Sys) -> Option<Answer> {
        if self.deadline().is_some_and(|deadline| deadline <= sys.now()) {
            return Some(self.lose("Connection timed out", sys));
        }
        if self.doing == Doing::Connecting {
            let socket = self.control.as_ref()?.socket;
            match sys.tcp_state(socket) {
                TcpState::Connecting => return None,
                TcpState::Connected => {
                    self.doing = Doing::Replying;
                    self.last_heard = sys.now();
                }
                TcpState::Failed(error) => return Some(self.lose(&error.to_string(), sys)),
                TcpState::Closed => return Some(self.lose(&SocketError::Reset.to_string(), sys)),
            }
        }
        if let Err(reason) = self.listen(sys) {
            return Some(self.lose(&reason, sys));
        }
        match self.doing {
            Doing::Nothing | Doing::Connecting => None,
            Doing::Replying => {
                let (code, text) = self.reply.take()?;
                self.doing = Doing::Nothing;
                if code == 421 {
                    return Some(self.lose(&text, sys));
                }
                Some(answer(code, text, Vec::new()))
            }
            Doing::Agreeing => {
                let (code, text) = self.reply.take()?;
                self.agreed(code, text, sys)
            }
            Doing::Reaching => self.reach(sys),
            Doing::Transferring => self.transfer(sys),
        }
    }

    /// Closes everything.
    pub(super) fn hang_up(&mut self, sys: &mut Sys) {
        self.close_data(sys);
        if let Some(control) = self.control.take() {
            sys.shutdown(control.socket);
            sys.close(control.socket);
        }
        self.doing = Doing::Nothing;
    }

    /// The session ended well on the server's word.
    pub(super) fn finish(&mut self, status: u16, sys: &mut Sys) {
        self.end_record(Outcome::Answered { status, bytes: self.octets() }, sys);
        self.hang_up(sys);
    }

    /// Whether the server has closed the connection while nothing was asked of it.
    pub(super) fn was_left(&mut self, sys: &mut Sys) -> bool {
        if self.doing == Doing::Nothing && self.control.is_some() && (self.listen(sys).is_err() || self.reply.is_some())
        {
            self.lose("Peer closed connection", sys);
            return true;
        }
        false
    }

    fn octets(&self) -> u64 {
        self.control.as_ref().map_or(0, |control| control.octets)
    }

    fn connect(&mut self, remote: SocketAddr, sys: &mut Sys) -> Option<Answer> {
        let record = sys.cx.pen.next_request();
        let connected = sys.connect(None, remote);
        let client = connected.ok().and_then(|socket| sys.ends(socket)).map(|(local, _)| local);
        sys.cx.change(Change::RequestStarted(RequestRecord {
            node: sys.kernel.node,
            url: self.url.as_str().into(),
            started: sys.now(),
            ended: None,
            client,
            asked: Some(remote),
            outcome: Outcome::Running,
        }));
        let control = |socket| Control { socket, remote, input: Vec::new(), lines: Vec::new(), record, octets: 0 };
        match connected {
            Ok(socket) => {
                self.control = Some(control(socket));
                self.doing = Doing::Connecting;
                None
            }
            Err(error) => {
                let reason = error.to_string();
                if let Some(begun) = sys.cx.pen.trace().requests.get(record as usize) {
                    let outcome = Outcome::Failed { reason: reason.as_str().into() };
                    let ended = RequestRecord { ended: Some(sys.now()), outcome, ..begun.clone() };
                    sys.cx.change(Change::RequestEnded(record, ended));
                }
                Some(Answer::Lost(reason))
            }
        }
    }

    fn end_record(&self, outcome: Outcome, sys: &mut Sys) {
        let Some(control) = &self.control else { return };
        if let Some(begun) = sys.cx.pen.trace().requests.get(control.record as usize) {
            let record = RequestRecord { ended: Some(sys.now()), outcome, ..begun.clone() };
            sys.cx.change(Change::RequestEnded(control.record, record));
        }
    }

    /// Gives the session up, for this reason.
    pub(super) fn lose(&mut self, reason: &str, sys: &mut Sys) -> Answer {
        self.end_record(Outcome::Failed { reason: reason.into() }, sys);
        self.said.push(Said::Note(reason.to_owned()));
        self.hang_up(sys);
        Answer::Lost(reason.to_owned())
    }

    fn send(&mut self, text: &str, next: Doing, sys: &mut Sys) -> Option<Answer> {
        let Some(control) = &self.control else { return Some(Answer::Lost("Not connected".into())) };
        // A command is far smaller than a send buffer.
        if let Err(error) = sys.send(control.socket, format!("{text}\r\n").as_bytes()) {
            return Some(self.lose(&error.to_string(), sys));
        }
        let shown = if text.starts_with("PASS ") { "PASS XXXX" } else { text };
        self.said.push(Said::Sent(shown.to_owned()));
        self.doing = next;
        None
    }

    /// Reads the control connection up to the end of a reply.
    fn listen(&mut self, sys: &mut Sys) -> Result<(), String> {
        let Some(control) = &mut self.control else { return Ok(()) };
        while self.reply.is_none() {
            if let Some(end) = control.input.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = control.input.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                self.last_heard = sys.now();
                self.said.push(Said::Heard(line.clone()));
                control.lines.push(line.clone());
                let begin = control.lines[0].get(..3).unwrap_or_default().to_owned();
                let is_last = line.get(..3) == Some(&begin) && line.as_bytes().get(3) != Some(&b'-');
                if is_last {
                    let code = begin.parse().map_err(|_| "Protocol error".to_owned())?;
                    self.reply = Some((code, control.lines.join("\n")));
                    control.lines.clear();
                }
                continue;
            }
            match sys.recv(control.socket, LINE_MAX) {
                Read::Data(octets) if control.input.len() + octets.len() > LINE_MAX => {
                    return Err("Line too long".into());
                }
                Read::Data(octets) => control.input.extend_from_slice(&octets),
                Read::Wait => return Ok(()),
                Read::End => return Err("Peer closed connection".into()),
                Read::Failed(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    // ── data connections ──

    fn agree(&mut self, mode: Mode, sys: &mut Sys) -> Option<Answer> {
        match mode {
            Mode::Passive => self.send("PASV", Doing::Agreeing, sys),
            Mode::Extended => self.send("EPSV", Doing::Agreeing, sys),
            Mode::Active => {
                let socket = self.control.as_ref()?.socket;
                let local = sys.ends(socket).map(|(local, _)| local)?;
                let listener = (0..16).find_map(|_| {
                    let port = 32_768 + sys.cx.rng.below(28_232) as u16;
                    sys.listen(SocketAddr { port, ..local }, 1).ok().map(|listener| (listener, port))
                });
                let Some((listener, port)) = listener else { return Some(self.lose("no port is free", sys)) };
                self.data = Data::Listening(listener);
                let [a, b, c, d] = local.address.octets();
                let [high, low] = port.to_be_bytes();
                self.send(&format!("PORT {a},{b},{c},{d},{high},{low}"), Doing::Agreeing, sys)
            }
        }
    }

    fn agreed(&mut self, code: u16, text: String, sys: &mut Sys) -> Option<Answer> {
        match (code, self.mode) {
            (500..=502, Mode::Extended) => {
                self.mode = Mode::Passive;
                return self.agree(Mode::Passive, sys);
            }
            (400.., _) => {
                self.doing = Doing::Nothing;
                self.close_data(sys);
                return Some(Answer::Refused { code, text });
            }
            (_, Mode::Active) => return self.ask(sys),
            (..400, Mode::Passive | Mode::Extended) => {}
        }
        let remote = self.control.as_ref()?.remote;
        let named = if code == 229 { extended(&text, remote) } else { passive(&text) };
        let Some(named) = named else { return Some(self.lose("Protocol error: no address in the answer", sys)) };
        let is_inside = |address: Ipv4Addr| address.is_private() || address.is_loopback() || address.is_unspecified();
        let mended = self.mends_address && is_inside(named.address) && !is_inside(remote.address);
        let named = if mended { SocketAddr { address: remote.address, ..named } } else { named };
        self.said.push(Said::Note(format!("Connecting data socket to ({}) port {}", named.address, named.port)));
        match sys.connect(None, named) {
            Ok(socket) => {
                self.data = Data::Connecting(socket);
                self.doing = Doing::Reaching;
                None
            }
            Err(error) => Some(self.lose(&error.to_string(), sys)),
        }
    }

    fn reach(&mut self, sys: &mut Sys) -> Option<Answer> {
        let Data::Connecting(socket) = self.data else { return self.ask(sys) };
        match sys.tcp_state(socket) {
            TcpState::Connecting => None,
            TcpState::Connected => {
                self.said.push(Said::Note("Data connection established".into()));
                self.last_heard = sys.now();
                self.data = Data::Open { socket, sent: 0 };
                self.ask(sys)
            }
            TcpState::Failed(error) => Some(self.lose(&format!("Data connection: {error}"), sys)),
            TcpState::Closed => Some(self.lose("Data connection: Connection reset by peer", sys)),
        }
    }

    /// Sends the command that makes use of the data connection.
    fn ask(&mut self, sys: &mut Sys) -> Option<Answer> {
        let command = self.pending.as_ref().map_or_else(String::new, |(command, _)| command.clone());
        self.send(&command, Doing::Transferring, sys).or_else(|| self.go_on(sys))
    }

    fn transfer(&mut self, sys: &mut Sys) -> Option<Answer> {
        match self.reply.take() {
            Some((100..200, _)) => {
                if let Err(reason) = self.listen(sys) {
                    return Some(self.lose(&reason, sys));
                }
            }
            other => self.reply = other,
        }
        if let Err(reason) = self.move_octets(sys) {
            return Some(self.lose(&reason, sys));
        }
        let is_refused = self.reply.as_ref().is_some_and(|(code, _)| *code >= 400);
        let is_over = matches!(self.data, Data::Over | Data::None);
        if self.reply.is_none() || !(is_refused || is_over) {
            return None;
        }
        let (code, text) = self.reply.take()?;
        self.close_data(sys);
        self.doing = Doing::Nothing;
        self.pending = None;
        if code == 421 {
            return Some(self.lose(&text, sys));
        }
        let data = std::mem::take(&mut self.received);
        Some(answer(code, text, data))
    }

    fn move_octets(&mut self, sys: &mut Sys) -> Result<(), String> {
        if let Data::Listening(listener) = self.data {
            let Some((socket, _)) = sys.accept(listener) else { return Ok(()) };
            sys.close(listener);
            self.last_heard = sys.now();
            self.data = Data::Open { socket, sent: 0 };
        }
        let Data::Open { socket, sent } = &mut self.data else { return Ok(()) };
        let socket = *socket;
        let mut moved = 0;
        if let Some((_, Some(content))) = &self.pending {
            while *sent < content.len() {
                match sys.send(socket, &content[*sent..]) {
                    Ok(0) => break,
                    Ok(count) => {
                        *sent += count;
                        moved += count;
                    }
                    Err(error) => return Err(format!("Data connection: {error}")),
                }
            }
            let all = *sent == content.len();
            if all {
                sys.close(socket);
                self.data = Data::Over;
            }
        } else {
            loop {
                match sys.recv(socket, 65_536) {
                    Read::Data(octets) => {
                        moved += octets.len();
                        self.received.extend_from_slice(&octets);
                        if self.received.len() > RECEIVED_MAX {
                            return Err("the file is longer than the lab keeps".into());
                        }
                    }
                    Read::Wait => break,
                    Read::End => {
                        sys.close(socket);
                        self.data = Data::Over;
                        break;
                    }
                    Read::Failed(error) => return Err(format!("Data connection: {error}")),
                }
            }
        }
        if moved > 0 {
            self.last_heard = sys.now();
            if let Some(control) = &mut self.control {
                control.octets += moved as u64;
            }
        }
        Ok(())
    }

    fn close_data(&mut self, sys: &mut Sys) {
        match std::mem::take(&mut self.data) {
            Data::Listening(socket) | Data::Connecting(socket) | Data::Open { socket, .. } => sys.close(socket),
            Data::None | Data::Over => {}
        }
    }
}

fn answer(code: u16, text: String, data: Vec<u8>) -> Answer {
    if code >= 400 { Answer::Refused { code, text } } else { Answer::Good { code, text, data } }
}

/// The address in a 227: six numbers somewhere behind the code.
fn passive(text: &str) -> Option<SocketAddr> {
    let rest = text.get(4..)?;
    let begin = rest.find(|c: char| c.is_ascii_digit())?;
    let end = rest[begin..].find(|c: char| !c.is_ascii_digit() && c != ',').map_or(rest.len(), |at| begin + at);
    six_numbers(&rest[begin..end])
}

/// The port in a 229; the address is the control connection's.
fn extended(text: &str, remote: SocketAddr) -> Option<SocketAddr> {
    let inner = text.split_once('(')?.1.split_once(')')?.0;
    let bar = inner.chars().next()?;
    let port = inner.trim_matches(bar).parse().ok()?;
    Some(SocketAddr { port, ..remote })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_the_data_connection_in_many_ways() {
        let remote = SocketAddr { address: Ipv4Addr::new(10, 1, 0, 100), port: 21 };
        let named = SocketAddr { address: Ipv4Addr::new(10, 2, 0, 1), port: 51_213 };
        for text in ["227 Entering Passive Mode (10,2,0,1,200,13).", "227 Entering Passive Mode. 10,2,0,1,200,13"] {
            assert_eq!(passive(text), Some(named), "{text}");
        }
        let text = "229 Entering Extended Passive Mode (|||51213|)";
        assert_eq!(extended(text, remote), Some(SocketAddr { port: 51_213, ..remote }));
        assert_eq!((passive("227 no"), extended("229 (|||x|)", remote)), (None, None));
    }
}
