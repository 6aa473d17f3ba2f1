//! Mail of keepalived (`smtp_alert`): a real conversation on port 25 of `smtp_server`, one mail for all addressees.
//!
//! ```text
//!   connect ─► 220 ─► HELO ─► 250 ─► MAIL FROM ─► 250 ─► RCPT TO … ─► 250 ─► DATA ─► 354 ─► text ─► 250 ─► QUIT ─► 221
//!                       any other answer, or none in time ─────────────────────────────────────────►┘
//! ```
//! The processes of VRRP and of the checkers each have their own.

use super::config::Global;
use super::voice::Voice;
use crate::base::calendar::Date;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, SocketError, Sys, TcpState};
use crate::wire::flow::SocketAddr;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Mails on their way.
#[derive(Debug, Default)]
pub struct Post {
    mails: BTreeMap<SocketId, Mail>,
}

#[derive(Debug)]
struct Mail {
    server: String,
    /// The connection has come about.
    is_open: bool,
    turns: Vec<Turn>,
    /// Whose answer is waited for.
    at: usize,
    heard: Vec<u8>,
    timeout: Duration,
    give_up: Instant,
}

/// What is said, and the answer that it should get.
#[derive(Debug)]
struct Turn {
    name: &'static str,
    says: String,
    code: u16,
}

/// Mails at a time; what comes on top is lost, with a line in the log.
const MAILS_MAX: usize = 64;

/// Octets of an answer, at most.
const ANSWER_MAX: usize = 1_024;

const SMTP: u16 = 25;

impl Post {
    /// Sends a mail, if the file names a server and somebody to write to. `[router_id]` is put before the subject.
    pub fn send(&mut self, subject: &str, text: &str, global: &Global, voice: &Voice, sys: &mut Sys) {
        let Some((host, port)) = global.smtp_server.as_ref().filter(|_| !global.email_to.is_empty()) else { return };
        let Some(address) = sys.resolve(host) else {
            voice.say(&format!("SMTP server {host} is not known"), sys);
            return;
        };
        if self.mails.len() >= MAILS_MAX {
            return voice.say("SMTP alert dropped: too many are on their way", sys);
        }
        let to = SocketAddr { address, port: if *port == 0 { SMTP } else { *port } };
        // keepalived has no word for a connection that cannot even begin.
        let Ok(socket) = sys.connect(None, to) else { return };
        let timeout = global.smtp_connect_timeout;
        let mail = Mail {
            server: format!("[{}]:{}", to.address, to.port),
            is_open: false,
            turns: conversation(subject, text, global, sys),
            at: 0,
            heard: Vec::new(),
            timeout,
            give_up: sys.now() + timeout,
        };
        self.mails.insert(socket, mail);
    }

    /// Something happened at this socket: false if it is not one of a mail.
    pub fn ready(&mut self, socket: SocketId, voice: &Voice, sys: &mut Sys) -> bool {
        let Some(mail) = self.mails.get_mut(&socket) else { return false };
        if mail.go_on(socket, voice, sys).is_break() {
            self.end(socket, sys);
        }
        true
    }

    /// Gives up what takes too long.
    pub fn wake(&mut self, voice: &Voice, sys: &mut Sys) {
        let now = sys.now();
        let late: Vec<SocketId> =
            self.mails.iter().filter(|(_, mail)| mail.give_up <= now).map(|(socket, _)| *socket).collect();
        for socket in late {
            if self.mails.get_mut(&socket).is_none_or(|mail| mail.be_late(socket, voice, sys).is_break()) {
                self.end(socket, sys);
            }
        }
    }

    /// When something has to be given up.
    pub fn next_wake(&self) -> Option<Instant> {
        self.mails.values().map(|mail| mail.give_up).min()
    }

    fn end(&mut self, socket: SocketId, sys: &mut Sys) {
        self.mails.remove(&socket);
        sys.close(socket);
    }
}

/// Whether the conversation is over.
type Flow = ControlFlow<()>;

impl Mail {
    fn go_on(&mut self, socket: SocketId, voice: &Voice, sys: &mut Sys) -> Flow {
        match sys.tcp_state(socket) {
            TcpState::Connecting => return ControlFlow::Continue(()),
            TcpState::Failed(SocketError::TimedOut) if !self.is_open => return self.be_late(socket, voice, sys),
            TcpState::Failed(_) if !self.is_open => {
                voice.say(&format!("SMTP connection ERROR to {}.", self.server), sys);
                return ControlFlow::Break(());
            }
            TcpState::Connected | TcpState::Closed | TcpState::Failed(_) => {}
        }
        if !std::mem::replace(&mut self.is_open, true) {
            voice.detail(&format!("Remote SMTP server {} connected.", self.server), sys);
            self.give_up = sys.now() + self.timeout;
        }
        loop {
            match sys.recv(socket, ANSWER_MAX) {
                Read::Data(bytes) => self.heard.extend(bytes),
                Read::Wait => return ControlFlow::Continue(()),
                Read::End => {
                    voice.say(&format!("Remote SMTP server {} has closed the connection.", self.server), sys);
                    return ControlFlow::Break(());
                }
                Read::Failed(_) => {
                    voice.say(&format!("Error reading data from remote SMTP server {}.", self.server), sys);
                    return ControlFlow::Break(());
                }
            }
            if self.heard.len() >= ANSWER_MAX {
                let text = format!(
                    "Received buffer from remote SMTP server {} overflow our get read buffer length.",
                    self.server
                );
                voice.say(&text, sys);
                self.heard.clear();
                self.take_leave(socket, sys)?;
            }
            while let Some(code) = self.next_answer() {
                self.hear(code, socket, voice, sys)?;
            }
        }
    }

    /// A whole answer has come.
    fn hear(&mut self, code: u16, socket: SocketId, voice: &Voice, sys: &mut Sys) -> Flow {
        let turn = &self.turns[self.at];
        if code != turn.code {
            let (name, server) = (turn.name, &self.server);
            voice.say(&format!("Error processing {name} cmd on SMTP server {server}. SMTP status code = {code}"), sys);
            return self.take_leave(socket, sys);
        }
        if turn.name == "BODY" {
            voice.detail("SMTP alert successfully sent.", sys);
        }
        match self.at + 1 < self.turns.len() {
            true => self.say(self.at + 1, socket, sys),
            false => ControlFlow::Break(()),
        }
    }

    /// QUIT, whatever came before; no more after it.
    fn take_leave(&mut self, socket: SocketId, sys: &mut Sys) -> Flow {
        let last = self.turns.len() - 1;
        if self.at == last { ControlFlow::Break(()) } else { self.say(last, socket, sys) }
    }

    fn say(&mut self, turn: usize, socket: SocketId, sys: &mut Sys) -> Flow {
        self.at = turn;
        self.give_up = sys.now() + self.timeout;
        match sys.send(socket, self.turns[turn].says.as_bytes()) {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// It takes too long.
    fn be_late(&mut self, socket: SocketId, voice: &Voice, sys: &mut Sys) -> Flow {
        if !self.is_open {
            voice.say(&format!("Timeout opening connection to remote SMTP server {}.", self.server), sys);
            return ControlFlow::Break(());
        }
        voice.say(&format!("Timeout reading data to remote SMTP server {}.", self.server), sys);
        self.take_leave(socket, sys)
    }

    /// The code of the next whole answer, which may have several lines (`250-…`).
    fn next_answer(&mut self) -> Option<u16> {
        loop {
            let end = self.heard.windows(2).position(|pair| pair == b"\r\n")?;
            let line: Vec<u8> = self.heard.drain(..end + 2).collect();
            if line.get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
                return Some(code.unwrap_or(0));
            }
        }
    }
}

fn conversation(subject: &str, text: &str, global: &Global, sys: &Sys) -> Vec<Turn> {
    let hostname = &sys.kernel.hostname;
    let or_host = |text: &str| if text.is_empty() { hostname.to_string() } else { text.to_owned() };
    let from = if global.email_from.is_empty() { format!("root@{hostname}") } else { global.email_from.clone() };
    let router = or_host(&global.router_id);
    let turn = |name, code, says: String| Turn { name, says, code };
    let mut turns = vec![
        turn("(E)SMTP", 220, String::new()),
        turn("HELO", 250, format!("HELO {}\r\n", or_host(&global.smtp_helo_name))),
        turn("MAIL", 250, format!("MAIL FROM:<{from}>\r\n")),
    ];
    turns.extend(global.email_to.iter().map(|to| turn("RCPT", 250, format!("RCPT TO:<{to}>\r\n"))));
    turns.push(turn("DATA", 354, "DATA\r\n".to_owned()));
    let (date, to) = (date(sys.now()), global.email_to.join(", "));
    let head =
        format!("Date: {date}\r\nFrom: {from}\r\nSubject: [{router}] {subject}\r\nX-Mailer: Keepalived\r\nTo: {to}");
    turns.push(turn("BODY", 250, format!("{head}\r\n\r\n{text}\r\n\r\n.\r\n")));
    turns.push(turn("QUIT", 221, "QUIT\r\n".to_owned()));
    turns
}

/// `Sat, 01 Jan 2000 00:00:03 +0000`.
fn date(now: Instant) -> String {
    let date = Date::of(now);
    let (weekday, month) = (date.weekday_name(), date.month_name());
    let Date { day, hour, minute, second, year, .. } = date;
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}
