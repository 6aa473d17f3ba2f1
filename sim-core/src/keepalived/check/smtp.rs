//! `SMTP_CHECK`: a mail server that greets, takes HELO, and says good-bye.

use super::probe::{Event, Finding, Job, Probe, Progress, connect, connected, plain_mail};
use crate::base::time::Instant;
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
        let bad = |flaw: CheckFlaw, what: &str| Some(Finding::Bad(flaw, format!("{what} server {}", job.server)));
        match connected(talk.socket, sys) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => return bad(error.flaw(), "Error connecting to"),
        }
        loop {
            match sys.recv(talk.socket, ANSWER_MAX) {
                Read::Data(bytes) if talk.heard.len() < ANSWER_MAX => talk.heard.extend(bytes),
                Read::Wait => break,
                Read::Data(_) | Read::End | Read::Failed(_) => return bad(CheckFlaw::Broken, "Read failure from"),
            }
            while let Some(end) = talk.heard.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = talk.heard.drain(..=end).collect();
                if line.get(3) == Some(&b'-') {
                    continue;
                }
                // What it says to QUIT does not matter.
                let wanted: [(&[u8], &str); 3] =
                    [(b"220", "Bad greeting banner from"), (b"250", "Bad HELO response from"), (b"", "")];
                let (code, flawed) = wanted[talk.answers];
                if !line.starts_with(code) {
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

impl Probe for Smtp {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let socket = match connect(job, sys) {
            Ok(socket) => socket,
            Err(finding) => {
                self.wrong = format!("Error connecting to server {}", job.server);
                return Progress::Over(finding);
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
                let late = || Finding::Bad(flaw, format!("{waited} server {}", job.server));
                let finding = found.unwrap_or_else(late);
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

    fn failure(&self, _: &str, _: &Job<'_>) -> String {
        format!("SMTP_CHECK {}", self.wrong)
    }
}
