//! How well each server is: haproxy's active checks with `rise` and `fall`, nginx' counting of failures.

use super::{Check, HttpCheck, Server};
use crate::base::time::{Duration, Instant};
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, SocketError, Sys, TcpState};
use crate::wire::flow::SocketAddr;

/// What is known of a server.
#[derive(Clone, Debug)]
pub(super) struct Health {
    /// haproxy: 0 to rise + fall - 1; up from `rise` on.
    level: u32,
    is_up: bool,
    /// nginx: failures, since when, and until when it is left alone.
    fails: u32,
    since: Instant,
    out_until: Instant,
    /// When the next check is due.
    pub(super) due: Option<Instant>,
    pub(super) running: Option<Running>,
}

/// A check that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) socket: SocketId,
    pub(super) until: Instant,
    began: Instant,
    is_asked: bool,
    answer: Vec<u8>,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Result {
    pub(super) is_good: bool,
    /// `Layer4 check passed`.
    pub(super) reason: String,
    pub(super) took: Duration,
}

const ANSWER_MAX: usize = 16 * 1024;

impl Health {
    /// A server that is taken to be well; one failed check is then enough. `place` of `of` spreads the first checks.
    pub(super) fn new(server: &Server, now: Instant, place: usize, of: usize) -> Self {
        let check = server.check;
        let spread = |check: Check| Duration::from_nanos(check.inter.nanos() * place as u64 / of.max(1) as u64);
        Health {
            level: check.map_or(0, |check| check.rise),
            is_up: true,
            fails: 0,
            since: Instant::ZERO,
            out_until: Instant::ZERO,
            due: check.map(|check| now + spread(check)),
            running: None,
        }
    }

    /// Whether it may be given a connection.
    pub(super) fn is_able(&self, server: &Server, now: Instant) -> bool {
        !server.is_disabled && self.is_up && now >= self.out_until
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up
    }

    /// A check has ended; whether the server is held for up or down now, if that is news.
    pub(super) fn count(&mut self, is_good: bool, check: Check) -> Option<bool> {
        let (rise, fall) = (check.rise.max(1), check.fall.max(1));
        match (is_good, self.is_up) {
            (true, true) => {
                self.level = rise + fall - 1;
                None
            }
            (true, false) => {
                self.level += 1;
                if self.level < rise {
                    return None;
                }
                self.level = rise + fall - 1;
                self.is_up = true;
                Some(true)
            }
            (false, true) => {
                self.level = self.level.saturating_sub(1);
                if self.level >= rise {
                    return None;
                }
                self.level = 0;
                self.is_up = false;
                Some(false)
            }
            (false, false) => {
                self.level = 0;
                None
            }
        }
    }

    /// nginx: a connection failed. Whether the server is left alone for a while.
    pub(super) fn fail(&mut self, server: &Server, now: Instant) -> bool {
        if server.max_fails == 0 {
            return false;
        }
        if now.since(self.since) > server.fail_timeout {
            self.fails = 0;
        }
        self.since = now;
        self.fails += 1;
        if self.fails < server.max_fails {
            return false;
        }
        self.out_until = now + server.fail_timeout;
        true
    }

    /// nginx: a connection went well.
    pub(super) fn succeed(&mut self) {
        self.fails = 0;
    }

    /// nginx: nobody is left, so everybody is tried anew.
    pub(super) fn forgive(&mut self) {
        self.fails = 0;
        self.out_until = Instant::ZERO;
    }

    /// Begins a check.
    pub(super) fn begin(
        &mut self,
        server: &Server,
        check: Check,
        sys: &mut Sys,
    ) -> std::result::Result<SocketId, Result> {
        let port = if check.port == 0 { server.address.port } else { check.port };
        self.due = Some(sys.now() + check.inter);
        match sys.connect(None, SocketAddr { port, ..server.address }) {
            Ok(socket) => {
                let (began, until) = (sys.now(), sys.now() + check.inter);
                self.running = Some(Running { socket, until, began, is_asked: false, answer: Vec::new() });
                Ok(socket)
            }
            Err(error) => Err(Result { is_good: false, reason: refused(error), took: Duration::ZERO }),
        }
    }

    /// How a check stands; none: it goes on.
    pub(super) fn look(&mut self, http: Option<&HttpCheck>, sys: &mut Sys) -> Option<Result> {
        let running = self.running.as_mut()?;
        let result = running.look(http, sys)?;
        let socket = running.socket;
        self.running = None;
        sys.close(socket);
        Some(result)
    }
}

impl Running {
    fn look(&mut self, http: Option<&HttpCheck>, sys: &mut Sys) -> Option<Result> {
        let took = sys.now().since(self.began);
        let done = |is_good: bool, reason: String| Some(Result { is_good, reason, took });
        match sys.tcp_state(self.socket) {
            TcpState::Failed(error) => return done(false, refused(error)),
            TcpState::Connecting if sys.now() >= self.until => return done(false, "Layer4 timeout".into()),
            TcpState::Connecting => return None,
            TcpState::Connected | TcpState::Closed => {}
        }
        let Some(http) = http else { return done(true, "Layer4 check passed".into()) };
        if !std::mem::replace(&mut self.is_asked, true) {
            let text = format!("{} {} {}\r\nConnection: close\r\n\r\n", http.method, http.uri, http.version);
            if sys.send(self.socket, text.as_bytes()).is_err() {
                return done(false, "Layer7 wrong status".into());
            }
        }
        let is_over = loop {
            match sys.recv(self.socket, ANSWER_MAX) {
                Read::Data(bytes) if self.answer.len() < ANSWER_MAX => self.answer.extend(bytes),
                Read::Wait => break sys.now() >= self.until,
                Read::Data(_) | Read::End | Read::Failed(_) => break true,
            }
        };
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut headers);
        let status = match parsed.parse(&self.answer) {
            Ok(httparse::Status::Complete(_)) => parsed.code,
            Ok(httparse::Status::Partial) | Err(_) => None,
        };
        match status {
            Some(code) if http.expected.map_or((200..400).contains(&code), |wanted| wanted == code) => {
                done(true, format!("Layer7 check passed, code: {code}"))
            }
            Some(code) => done(false, format!("Layer7 wrong status, code: {code}")),
            None if is_over && sys.now() >= self.until => done(false, "Layer7 timeout".into()),
            None if is_over => done(false, "Layer7 invalid response".into()),
            None => None,
        }
    }
}

fn refused(error: SocketError) -> String {
    format!("Layer4 connection problem, info: \"{error}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn health(rise: u32, fall: u32) -> (Health, Check) {
        let check = Check { rise, fall, ..Check::default() };
        let address = SocketAddr { address: Ipv4Addr::LOCALHOST, port: 80 };
        let server = Server { check: Some(check), ..Server::new("a", address) };
        (Health::new(&server, Instant::ZERO, 0, 1), check)
    }

    #[test]
    fn one_failure_is_enough_at_the_start_and_fall_are_needed_later() {
        let (mut health, check) = health(2, 3);
        assert_eq!(health.count(false, check), Some(false));
        assert_eq!([health.count(true, check), health.count(true, check)], [None, Some(true)]);
        assert_eq!([false; 3].map(|good| health.count(good, check)), [None, None, Some(false)]);
    }

    #[test]
    fn a_good_check_between_bad_ones_begins_the_count_anew() {
        let (mut health, check) = health(1, 2);
        assert_eq!(health.count(true, check), None);
        assert_eq!([false, true, false].map(|good| health.count(good, check)), [None, None, None]);
        assert_eq!(health.count(false, check), Some(false));
    }
}
