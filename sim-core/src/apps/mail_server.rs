//! `postfix`: a mail server that takes mail on port 25 for everybody and puts it into `/var/spool/mail/USER` of its host.
//!
//! ```text
//!   220 ─► HELO ─► MAIL FROM ─► RCPT TO … ─► DATA ─► text, a line with one dot ─► 250 ─► QUIT
//! ```
//! Texts are postfix's.
//!
//! # Not modelled
//! Relaying (every domain is its own), queues, pipelining, TLS, authentication, `main.cf`, its log.

use crate::base::calendar::Date;
use crate::kernel::process::{Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Open, Read, Sys};
use crate::wire::flow::SocketAddr;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The process.
#[derive(Debug, Default)]
pub struct MailServer {
    listener: Option<SocketId>,
    sessions: BTreeMap<SocketId, Session>,
}

/// A client's conversation.
#[derive(Debug, Default)]
struct Session {
    heard: Vec<u8>,
    from: Option<String>,
    to: Vec<String>,
    /// The text so far, while one is taken.
    text: Option<String>,
}

/// What a line of the client leads to.
enum Reply {
    Say(String),
    /// A line of the text.
    Nothing,
    /// The text is whole.
    Deliver,
    Bye,
}

/// Where the boxes stand, from the outermost folder on.
const BOXES: [&str; 2] = ["/var/spool", "/var/spool/mail"];
const SMTP: u16 = 25;
const BACKLOG: u32 = 100;
const READ_MAX: usize = 16_384;
/// Octets of a mail, at most.
const MAIL_MAX: usize = 65_536;
/// Octets of a line, at most.
const LINE_MAX: usize = 2_048;
/// Addressees of a mail, at most.
const RECIPIENTS_MAX: usize = 100;

impl MailServer {
    fn welcome(&mut self, socket: SocketId, sys: &mut Sys) {
        let greeting = format!("220 {} ESMTP Postfix\r\n", sys.kernel.hostname);
        if sys.send(socket, greeting.as_bytes()).is_ok() {
            self.sessions.insert(socket, Session::default());
        } else {
            sys.close(socket);
        }
    }

    fn attend(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&socket) else { return };
        if !session.go_on(socket, sys) {
            self.sessions.remove(&socket);
            sys.close(socket);
        }
    }
}

impl Session {
    /// False when it is over.
    fn go_on(&mut self, socket: SocketId, sys: &mut Sys) -> bool {
        loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(bytes) => self.heard.extend(bytes),
                Read::Wait => return true,
                Read::End | Read::Failed(_) => return false,
            }
            while let Some(end) = self.heard.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                let hostname = sys.kernel.hostname.to_string();
                let (answer, goes_on) = match self.take(&line, &hostname) {
                    Reply::Nothing => continue,
                    Reply::Say(text) => (text, true),
                    Reply::Bye => ("221 2.0.0 Bye".to_owned(), false),
                    Reply::Deliver => (self.deliver(sys), true),
                };
                if sys.send(socket, format!("{answer}\r\n").as_bytes()).is_err() || !goes_on {
                    return false;
                }
            }
            if self.heard.len() > LINE_MAX {
                return false;
            }
        }
    }

    fn take(&mut self, line: &str, hostname: &str) -> Reply {
        if let Some(text) = &mut self.text {
            if line == "." {
                return Reply::Deliver;
            }
            if text.len() + line.len() < MAIL_MAX {
                text.push_str(line.strip_prefix('.').unwrap_or(line));
                text.push('\n');
            }
            return Reply::Nothing;
        }
        let say = |text: &str| Reply::Say(text.to_owned());
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => Reply::Say(format!("250 {hostname}")),
            "EHLO" => Reply::Say(format!("250-{hostname}\r\n250 8BITMIME")),
            "MAIL" => {
                self.from = Some(address(rest));
                self.to.clear();
                say("250 2.1.0 Ok")
            }
            "RCPT" if self.from.is_none() => say("503 5.5.1 Error: need MAIL command"),
            "RCPT" if self.to.len() >= RECIPIENTS_MAX => say("452 4.5.3 Error: too many recipients"),
            "RCPT" => {
                self.to.push(address(rest));
                say("250 2.1.5 Ok")
            }
            "DATA" if self.from.is_none() => say("503 5.5.1 Error: need RCPT command"),
            "DATA" if self.to.is_empty() => say("554 5.5.1 Error: no valid recipients"),
            "DATA" => {
                self.text = Some(String::new());
                say("354 End data with <CR><LF>.<CR><LF>")
            }
            "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                say("250 2.0.0 Ok")
            }
            "NOOP" => say("250 2.0.0 Ok"),
            "QUIT" => Reply::Bye,
            _ => say("502 5.5.2 Error: command not recognized"),
        }
    }

    /// Puts the mail into the boxes of its addressees; what the client is told.
    fn deliver(&mut self, sys: &mut Sys) -> String {
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        let text = self.text.take().unwrap_or_default();
        let date = Date::of(sys.now());
        let (weekday, month) = (date.weekday_name(), date.month_name());
        let Date { day, hour, minute, second, year, .. } = date;
        let head = format!("From {from}  {weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}\n");
        for to in to {
            let name = to.split('@').next().unwrap_or_default();
            let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-+".contains(*c)).collect();
            // Without room in the host's files the mail is lost.
            if let Ok(file) = sys.open(&format!("/var/spool/mail/{name}"), Open::Append) {
                let _lost = sys.write(file, format!("{head}{text}\n").as_bytes());
                sys.close_fd(file);
            }
        }
        format!("250 2.0.0 Ok: queued as {:011X}", sys.now().nanos() / 1_000)
    }
}

/// `<root@localhost>` behind `FROM:` or `TO:`.
fn address(rest: &str) -> String {
    let rest = rest.split_once(':').map_or(rest, |(_, rest)| rest).trim();
    let inside = rest.strip_prefix('<').and_then(|rest| rest.split('>').next());
    inside.unwrap_or(rest).to_owned()
}

impl Process for MailServer {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let listener = match self.listener {
            Some(listener) => listener,
            None => {
                let local = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: SMTP };
                let Ok(listener) = sys.listen(local, BACKLOG) else { return Next::Exit(1) };
                for folder in BOXES {
                    // They may be there already.
                    let _known = sys.kernel.files.make_folder(folder, sys.cx.now);
                }
                *self.listener.insert(listener)
            }
        };
        while let Some(socket) = sys.next_ready() {
            if socket != listener {
                self.attend(socket, sys);
                continue;
            }
            while let Some((socket, _)) = sys.accept(listener) {
                self.welcome(socket, sys);
                self.attend(socket, sys);
            }
        }
        Next::Wait(Wait { until: None, any: vec![On::AnySocket] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lines: &[&str]) -> Vec<String> {
        let mut session = Session::default();
        let said = lines.iter().map(|line| match session.take(line, "mx") {
            Reply::Say(text) => text[..3].to_owned(),
            Reply::Nothing => "-".to_owned(),
            Reply::Deliver => "deliver".to_owned(),
            Reply::Bye => "bye".to_owned(),
        });
        said.collect()
    }

    #[test]
    fn a_mail_needs_a_sender_and_somebody_to_write_to() {
        let whole = ["HELO n1", "MAIL FROM:<a@b>", "RCPT TO:<root@mx>", "DATA", "Subject: x", "."];
        assert_eq!(answers(&whole), ["250", "250", "250", "354", "-", "deliver"]);
        assert_eq!(answers(&["RCPT TO:<root@mx>", "DATA", "MAIL FROM:<a@b>", "DATA"]), ["503", "503", "250", "554"]);
        assert_eq!(answers(&["VRFY root", "QUIT"]), ["502", "bye"]);
    }

    #[test]
    fn an_address_stands_between_brackets() {
        assert_eq!(address("FROM:<root@lvs1>"), "root@lvs1");
        assert_eq!(address("TO: <a@b> NOTIFY=NEVER"), "a@b");
    }
}
