//! What one kind of checker does in one attempt: it begins, goes on when something happens, and comes to a finding.

use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::keepalived::config::Checker;
use crate::keepalived::era::Era;
use crate::keepalived::voice::Voice;
use crate::kernel::process::{Ending, SocketId};
use crate::kernel::syscall::{SocketError, Sys, TcpState};
use crate::trace::record::CheckFlaw;
use crate::wire::flow::SocketAddr;
use std::net::IpAddr;

/// One kind of checker, at work for one real server.
pub(super) trait Probe: std::fmt::Debug {
    /// Begins an attempt.
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress;

    /// Something happened that the attempt waits for.
    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress;

    /// Gives the attempt up: closes what is open.
    fn abandon(&mut self, sys: &mut Sys);

    /// The text of the mail when the server is found down (for this, and with this line in the log) or well.
    fn mail(&self, flaw: Option<CheckFlaw>, why: &str) -> String;

    /// The log line when the server is found well again.
    fn success(&self, job: &Job<'_>) -> String;

    /// The log line when the server is found down, if there is one.
    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String>;
}

/// How often a server was tried that is found down, or that is tried once more (`log_all_failures`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tries {
    /// `retry`.
    pub(super) retry: u32,
    /// Which of them comes next; 0: it is down.
    pub(super) retried: u32,
    /// Whether it had come to a finding before.
    pub(super) has_run: bool,
}

impl Tries {
    /// `failed after 2 retries.`
    pub(super) fn how(self) -> String {
        match self.has_run && self.retry > 0 {
            true => format!("failed after {} retries.", self.retry),
            false => "failed.".to_owned(),
        }
    }

    /// The same in the words of the first generations, who say nothing without `retry`.
    pub(super) fn of_old(self, server: &str) -> Option<String> {
        (self.retry > 0).then(|| format!("Check on service {server} failed after {} retry.", self.retry))
    }
}

/// Whom a checker looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// What the file says.
    pub(super) spec: &'a Checker,
    /// What the log calls the real server.
    pub(super) server: &'a str,
    /// What the log calls its virtual server.
    pub(super) service: &'a str,
    /// Which keepalived this is.
    pub(super) era: Era,
    /// Whether the checker has found it well so far.
    pub(super) is_up: bool,
    /// Whether it has come to a finding before.
    pub(super) has_run: bool,
    /// Whether a page is bad that has to be good before the others are asked for.
    pub(super) is_page_bad: bool,
    /// For lines of its own.
    pub(super) voice: &'a Voice,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Something at the socket.
    Socket,
    /// The child has ended.
    Ended(Ending),
    /// The time is up.
    TimeUp,
}

/// How an attempt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Waits for something at a socket, at most until then.
    Socket(SocketId, Instant),
    /// Waits for a child, at most until then.
    Child(Pid, Instant),
    /// It is over.
    Over(Finding),
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The server is well.
    Good,
    /// The same: a command ended with this status, which may be a weight.
    Status(i32),
    /// Well so far: there is more to look at, after this time.
    More(Duration),
    /// The server is not well: why, and the log line for `log_all_failures`.
    Bad(CheckFlaw, String),
}

impl Job<'_> {
    /// Where to connect to; none for IPv6.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        let IpAddr::V4(address) = self.spec.connect.address else { return None };
        Some(SocketAddr { address, port: self.spec.connect.port })
    }

    /// From where, if the file says so.
    pub(super) fn source(&self) -> Option<SocketAddr> {
        match (self.spec.connect.bind_address, self.spec.connect.bind_port) {
            (Some(IpAddr::V4(address)), port) => Some(SocketAddr { address, port }),
            _ => None,
        }
    }

    /// Nothing came about in time.
    pub(super) fn no_connection(&self) -> CheckFlaw {
        CheckFlaw::NoConnection { within: self.spec.connect.timeout }
    }

    /// Nothing came in time.
    pub(super) fn no_answer(&self) -> CheckFlaw {
        CheckFlaw::NoAnswer { within: self.spec.connect.timeout }
    }

    /// When a step that begins now has taken too long.
    pub(super) fn timeout(&self, sys: &Sys) -> Instant {
        sys.now() + self.spec.connect.timeout
    }
}

/// Begins a TCP connection to the job's target.
pub(super) fn connect(job: &Job<'_>, sys: &mut Sys) -> Result<SocketId, Finding> {
    let target = job.target().ok_or_else(|| Finding::Bad(CheckFlaw::NotAsked, "IPv6 is not modelled".into()))?;
    sys.connect(job.source(), target).map_err(|error| Finding::Bad(error.flaw(), error.to_string()))
}

/// Whether a connection has come about.
pub(super) fn connected(socket: SocketId, sys: &mut Sys) -> Result<bool, SocketError> {
    match sys.tcp_state(socket) {
        TcpState::Connecting => Ok(false),
        TcpState::Connected | TcpState::Closed => Ok(true),
        TcpState::Failed(error) => Err(error),
    }
}

/// What is sent where the file does not say what: a text that shows who asks, as often as there is room.
pub(super) fn filling(octets: usize) -> Vec<u8> {
    b"keepalived check - ".iter().copied().cycle().take(octets).collect()
}

/// What most kinds mail.
pub(super) fn plain_mail(kind: &str, flaw: Option<CheckFlaw>) -> String {
    let how = if flaw.is_none() { "succeed" } else { "failed" };
    format!("=> {kind} {how} on service <=")
}
