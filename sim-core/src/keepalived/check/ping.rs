//! `PING_CHECK`: one ICMP echo.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries, filling, plain_mail};
use crate::base::time::Instant;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{RawPayload, Sys};
use crate::trace::record::CheckFlaw;
use crate::wire::echo::{self, Reply};

/// One at work.
#[derive(Debug, Default)]
pub(super) struct Ping {
    socket: Option<(SocketId, Instant)>,
    sequence: u16,
    identifier: u16,
}

const ICMP: u8 = 1;
/// Octets of data that the echo carries.
const PAYLOAD: usize = 128;

impl Ping {
    /// The identifier tells the answers of this checker from those of others.
    pub(super) fn new(number: usize) -> Self {
        Ping { identifier: number as u16, ..Ping::default() }
    }

    fn is_answered(&self, socket: SocketId, job: &Job<'_>, sys: &mut Sys) -> bool {
        let Some(target) = job.target() else { return false };
        let mut found = false;
        let awaited = Reply { from: target.address, identifier: self.identifier, sequence: self.sequence };
        while let Some(packet) = sys.raw_recv(socket) {
            found |= echo::reply(&packet) == Some(awaited);
        }
        found
    }
}

impl Probe for Ping {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let Some(target) = job.target() else {
            return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, "IPv6 is not modelled".into()));
        };
        let socket = sys.raw(ICMP);
        self.sequence = self.sequence.wrapping_add(1);
        let data = &echo::request(self.identifier, self.sequence, &filling(PAYLOAD));
        let source = job.source().map(|source| source.address);
        let payload = RawPayload { source, to: target.address, ttl: None, stays_whole: false, data };
        if let Err(error) = sys.raw_send(socket, &payload) {
            sys.close(socket);
            job.voice.say("send ICMP packet fail", sys);
            return Progress::Over(Finding::Bad(error.flaw(), String::new()));
        }
        let until = job.timeout(sys);
        self.socket = Some((socket, until));
        Progress::Socket(socket, until)
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let Some((socket, until)) = self.socket else {
            return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new()));
        };
        if self.is_answered(socket, job, sys) {
            self.abandon(sys);
            return Progress::Over(Finding::Good);
        }
        if event == Event::Socket && sys.now() < until {
            return Progress::Socket(socket, until);
        }
        self.abandon(sys);
        Progress::Over(Finding::Bad(job.no_answer(), format!("ICMP connection to address {} timeout.", job.server)))
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Some((socket, _)) = self.socket.take() {
            sys.close(socket);
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, _: &str) -> String {
        plain_mail("ICMP CHECK", flaw)
    }

    fn success(&self, job: &Job<'_>) -> String {
        format!("ICMP connection to {} success.", job.server)
    }

    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String> {
        // The virtual server is named in one of the two lines only.
        let whom = match tries.has_run && tries.retry > 0 {
            true => format!("{} of {}", job.server, job.service),
            false => job.server.to_owned(),
        };
        Some(format!("ICMP CHECK on service {whom} {}", tries.how()))
    }
}
