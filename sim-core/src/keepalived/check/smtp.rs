//! `SMTP_CHECK`: a mail server that greets, takes HELO, and says good-bye. Each answer is one line.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries, connect, connected, plain_mail};
use crate::base::time::Instant;
use crate::keepalived::config::checker::ConnectOptions;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, Sys};
use crate::trace::record::CheckFlaw;

/// One at work.
#[derive(Debug)]
pub(super) struct Smtp {
    helo: String,
    talk: Option<Talk>,
    /// What was wrong last, for the log.
    wrong: String,
}

#[derive(Debug)]
struct Talk {
    socket: SocketId,
    until: Instant,
    heard: Vec<u8>,
    /// Answers so far: to the connection, HELO, QUIT.
    answers: usize,
}

const ANSWER_MAX: usize = 4_096;

impl Smtp {
    pub(super) fn new(helo: &str) -> Self {
        Smtp { helo: helo.to_owned(), talk: None, wrong: String::new() }
    }

    fn look(&mut self, job: &Job<'_>, sys: &mut Sys) -> Option<Finding> {
        let talk = self.talk.as_mut()?;
        let bad = |flaw: CheckFlaw, what: &str| Some(Finding::Bad(flaw, whom(what, job)));
        match connected(talk.socket, sys) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => return bad(error.flaw(), "Could not connect to"),
        }
        loop {
            match sys.recv(talk.socket, ANSWER_MAX) {
                Read::Data(bytes) if talk.heard.len() < ANSWER_MAX => talk.heard.extend(bytes),
                Read::Wait => break,
                Read::Data(_) | Read::End | Read::Failed(_) => return bad(CheckFlaw::Broken, "Read failure from"),
            }
            if let Some(end) = talk.heard.iter().position(|octet| *octet == b'\n') {
                // More than one line at once counts as one.
                let line: Vec<u8> = talk.heard.drain(..).take(end).collect();
                let status = status(&line);
                // What it says to QUIT does not matter.
                let flawed = match talk.answers {
                    0 if status != Some(220) => Some("Bad greeting banner from"),
                    1 if status != Some(250) => Some("Bad HELO response from"),
                    _ => None,
                };
                if let Some(flawed) = flawed {
                    return bad(CheckFlaw::Answer, flawed);
                }
                talk.answers += 1;
                talk.until = job.timeout(sys);
                let next = match talk.answers {
                    1 => format!("HELO {}\r\n", self.helo),
                    2 => "QUIT\r\n".to_owned(),
                    _ => return Some(Finding::Good),
                };
                if sys.send(talk.socket, next.as_bytes()).is_err() {
                    return bad(CheckFlaw::Broken, "Write failure to");
                }
            }
        }
        None
    }
}

/// The code of an answer: three digits with a blank behind them. `250-…` is none.
fn status(line: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(line.get(..3)?).ok()?;
    matches!(line.get(3), None | Some(b' ')).then(|| text.parse().ok())?
}

/// `Read timeout from server [10.0.0.1]:25`
fn whom(what: &str, job: &Job<'_>) -> String {
    let ConnectOptions { address, port, .. } = &job.spec.connect;
    format!("{what} server [{address}]:{port}")
}

impl Probe for Smtp {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let socket = match connect(job, sys) {
            Ok(socket) => socket,
            Err(finding) => {
                let (to, server) = (job.spec.connect.address, job.server.replacen(":tcp:", ":", 1));
                self.wrong = format!("Network unreachable for server {to} - real server {server}");
                return Progress::Over(match finding {
                    Finding::Bad(flaw, _) => Finding::Bad(flaw, self.wrong.clone()),
                    other => other,
                });
            }
        };
        let until = job.timeout(sys);
        self.talk = Some(Talk { socket, until, heard: Vec::new(), answers: 0 });
        Progress::Socket(socket, until)
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let found = self.look(job, sys);
        let has_connection = self.talk.as_ref().is_some_and(|talk| connected(talk.socket, sys) == Ok(true));
        let flaw = if has_connection { job.no_answer() } else { job.no_connection() };
        match (found, &self.talk) {
            (None, Some(talk)) if event == Event::Socket || sys.now() < talk.until => {
                Progress::Socket(talk.socket, talk.until)
            }
            (found, _) => {
                self.abandon(sys);
                let waited = if has_connection { "Read timeout from" } else { "Connection timeout to" };
                let finding = found.unwrap_or_else(|| Finding::Bad(flaw, whom(waited, job)));
                if let Finding::Bad(_, why) = &finding {
                    self.wrong.clone_from(why);
                }
                Progress::Over(finding)
            }
        }
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Some(talk) = self.talk.take() {
            sys.close(talk.socket);
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, why: &str) -> String {
        match flaw {
            None => plain_mail("CHECK", flaw),
            Some(_) => format!("=> CHECK failed on service : {why} <="),
        }
    }

    fn success(&self, job: &Job<'_>) -> String {
        format!("Remote SMTP server {} succeed on service.", job.server)
    }

    fn failure(&self, _: Tries, _: &Job<'_>) -> Option<String> {
        Some(format!("SMTP_CHECK {}", self.wrong))
    }
}
