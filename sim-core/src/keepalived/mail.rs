//! Mail of keepalived (`smtp_alert`): a real conversation on port 25 of `smtp_server`, one mail for all addressees.
//!
//! ```text
//!   connect ─► 220 ─► HELO ─► 250 ─► MAIL FROM ─► 250 ─► RCPT TO … ─► 250 ─► DATA ─► 354 ─► text ─► 250 ─► QUIT
//! ```
//! # Not modelled
//! A name for `smtp_server`: it must be an address.

use super::config::Global;
use super::voice::Voice;
use crate::base::time::Instant;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, Sys, TcpState};
use crate::wire::flow::SocketAddr;
use std::collections::BTreeMap;

/// Mails on their way.
#[derive(Debug, Default)]
pub struct Post {
    mails: BTreeMap<SocketId, Mail>,
}

#[derive(Debug)]
struct Mail {
    server: SocketAddr,
    /// What is said after each good answer, in order.
    lines: Vec<String>,
    /// How many of them were said.
    said: usize,
    connected: bool,
    heard: Vec<u8>,
    give_up: Instant,
}

/// Mails at a time; what comes on top is lost, with a line in the log.
const MAILS_MAX: usize = 64;

/// Octets of an answer, at most.
const ANSWER_MAX: usize = 4_096;

const SMTP: u16 = 25;

impl Post {
    /// Sends a mail, if the file names a server and somebody to write to.
    pub fn send(&mut self, subject: &str, text: &str, global: &Global, voice: &Voice, sys: &mut Sys) {
        let Some((host, port)) = global.smtp_server.as_ref().filter(|_| !global.email_to.is_empty()) else { return };
        let Ok(address) = host.parse() else {
            voice.say(&format!("SMTP server {host} is no address: names are not modelled"), sys);
            return;
        };
        if self.mails.len() >= MAILS_MAX {
            return voice.say("SMTP alert dropped: too many are on their way", sys);
        }
        let server = SocketAddr { address, port: if *port == 0 { SMTP } else { *port } };
        let Ok(socket) = sys.connect(None, server) else {
            return voice.say(&format!("Error connecting SMTP server {}.", shown(server)), sys);
        };
        let give_up = sys.now() + global.smtp_connect_timeout;
        let lines = conversation(subject, text, global, &sys.kernel.hostname);
        self.mails.insert(socket, Mail { server, lines, said: 0, connected: false, heard: Vec::new(), give_up });
    }

    /// Something happened at this socket: false if it is not one of a mail.
    pub fn ready(&mut self, socket: SocketId, voice: &Voice, sys: &mut Sys) -> bool {
        let Some(mail) = self.mails.get_mut(&socket) else { return false };
        match sys.tcp_state(socket) {
            TcpState::Connecting => return true,
            TcpState::Failed(_) => {
                voice.say(&format!("Error connecting SMTP server {}.", shown(mail.server)), sys);
                self.end(socket, sys);
                return true;
            }
            TcpState::Connected | TcpState::Closed => {}
        }
        if !std::mem::replace(&mut mail.connected, true) {
            voice.say(&format!("Remote SMTP server {} connected.", shown(mail.server)), sys);
        }
        let mut is_over = false;
        while !is_over {
            match sys.recv(socket, ANSWER_MAX) {
                Read::Data(bytes) => mail.heard.extend(bytes),
                Read::Wait => break,
                Read::End | Read::Failed(_) => is_over = true,
            }
            is_over |= mail.heard.len() > ANSWER_MAX;
        }
        while let Some(answer) = mail.next_answer() {
            let is_good = matches!(answer, b'2' | b'3');
            if is_good && mail.said + 1 == mail.lines.len() {
                voice.say("SMTP alert successfully sent.", sys);
            } else if !is_good {
                voice.say(&format!("Error processing mail with SMTP server {}.", shown(mail.server)), sys);
                is_over = true;
            }
            match mail.lines.get(mail.said).filter(|_| is_good) {
                Some(line) => {
                    mail.said += 1;
                    is_over |= sys.send(socket, line.as_bytes()).is_err();
                }
                None => is_over = true,
            }
        }
        if is_over {
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
            if let Some(mail) = self.mails.get(&socket) {
                voice.say(&format!("Timeout connecting SMTP server {}.", shown(mail.server)), sys);
            }
            self.end(socket, sys);
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

impl Mail {
    /// The first digit of the next whole answer, which may have several lines (`250-…`).
    fn next_answer(&mut self) -> Option<u8> {
        loop {
            let end = self.heard.iter().position(|octet| *octet == b'\n')?;
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            if line.get(3) != Some(&b'-') {
                return line.first().copied();
            }
        }
    }
}

fn conversation(subject: &str, text: &str, global: &Global, hostname: &str) -> Vec<String> {
    let or_host = |text: &str| if text.is_empty() { hostname.to_owned() } else { text.to_owned() };
    let from = if global.email_from.is_empty() { format!("root@{hostname}") } else { global.email_from.clone() };
    let router = or_host(&global.router_id);
    let mut lines = vec![format!("HELO {}\r\n", or_host(&global.smtp_helo_name)), format!("MAIL FROM:<{from}>\r\n")];
    lines.extend(global.email_to.iter().map(|to| format!("RCPT TO:<{to}>\r\n")));
    lines.push("DATA\r\n".to_owned());
    let to = global.email_to.join(", ");
    lines.push(format!(
        "From: {from}\r\nSubject: [{router}] {subject}\r\nX-Mailer: Keepalived\r\nTo: {to}\r\n\r\n{text}\r\n.\r\n"
    ));
    lines.push("QUIT\r\n".to_owned());
    lines
}

fn shown(server: SocketAddr) -> String {
    format!("[{}]:{}", server.address, server.port)
}
