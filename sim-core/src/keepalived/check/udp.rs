//! `UDP_CHECK`: a datagram. Without `require_reply` the server is well unless the port is refused in time.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries, filling, plain_mail};
use crate::base::time::Instant;
use crate::keepalived::config::checker::Udp as Spec;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::Sys;
use crate::trace::record::CheckFlaw;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// One at work.
#[derive(Debug)]
pub(super) struct Udp {
    spec: Spec,
    socket: Option<(SocketId, Instant)>,
}

/// Octets that are sent if the file says none.
const PAYLOAD: usize = 32;

impl Udp {
    pub(super) fn new(spec: &Spec) -> Self {
        Udp { spec: spec.clone(), socket: None }
    }

    /// Whether an answer is what the file asks for. Without octets to compare, every answer is. Of a shorter one, those
    /// are compared that are there.
    fn accepts(&self, answer: &[u8]) -> bool {
        let Spec { reply, reply_mask, min_reply_len, max_reply_len, .. } = &self.spec;
        let is_equal = reply.iter().zip(answer).enumerate().all(|(at, (wanted, octet))| {
            let mask = reply_mask.get(at).copied().unwrap_or(0xff);
            octet & mask == wanted & mask
        });
        reply.is_empty() || (is_equal && (*min_reply_len..=*max_reply_len).contains(&answer.len()))
    }
}

impl Probe for Udp {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let bad = |flaw: CheckFlaw, why: String| Progress::Over(Finding::Bad(flaw, why));
        let Some(target) = job.target() else { return bad(CheckFlaw::NotAsked, "IPv6 is not modelled".into()) };
        let any = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 };
        let socket = match sys.udp(job.source().unwrap_or(any)) {
            Ok(socket) => socket,
            Err(error) => return bad(error.flaw(), String::new()),
        };
        let until = job.timeout(sys);
        self.socket = Some((socket, until));
        let payload = if self.spec.payload.is_empty() { filling(PAYLOAD) } else { self.spec.payload.clone() };
        let sent = sys.connect_datagrams(socket, target).and_then(|()| sys.send_to(socket, target, &payload));
        if let Err(error) = sent {
            self.abandon(sys);
            return bad(error.flaw(), String::new());
        }
        Progress::Socket(socket, until)
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let Some((socket, until)) = self.socket else {
            return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new()));
        };
        let refused = sys.datagram_error(socket).is_some();
        let answer = sys.recv_from(socket);
        let finding = match (refused, answer) {
            (true, _) => Finding::Bad(CheckFlaw::Refused, format!("UDP connection to {} failed.", job.server)),
            (false, Some((answer, _))) if !self.spec.require_reply || self.accepts(&answer) => Finding::Good,
            (false, Some(_)) => {
                Finding::Bad(CheckFlaw::Answer, format!("UDP check to {} reply data mismatch.", job.server))
            }
            (false, None) if event == Event::Socket && sys.now() < until => return Progress::Socket(socket, until),
            (false, None) if self.spec.require_reply => {
                Finding::Bad(job.no_answer(), format!("UDP connection to {} failed.", job.server))
            }
            (false, None) => Finding::Good,
        };
        self.abandon(sys);
        Progress::Over(finding)
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Some((socket, _)) = self.socket.take() {
            sys.close(socket);
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, _: &str) -> String {
        plain_mail("UDP CHECK", flaw)
    }

    fn success(&self, job: &Job<'_>) -> String {
        format!("UDP connection to {} success.", job.server)
    }

    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String> {
        Some(format!("UDP_CHECK on service {} {}", job.server, tries.how()))
    }
}
