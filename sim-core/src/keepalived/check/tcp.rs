//! `TCP_CHECK`: a connection that is closed again as soon as it is there.

use super::probe::{Event, Finding, Job, Probe, Progress, Tries, connect, connected, plain_mail};
use crate::keepalived::era::Era;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::Sys;
use crate::trace::record::CheckFlaw;

/// One at work.
#[derive(Debug, Default)]
pub(super) struct Tcp {
    socket: Option<SocketId>,
}

impl Tcp {
    fn look(&mut self, job: &Job<'_>, sys: &mut Sys) -> Option<Finding> {
        let socket = self.socket?;
        match connected(socket, sys) {
            Ok(false) => None,
            Ok(true) => {
                self.abandon(sys);
                Some(Finding::Good)
            }
            Err(error) => {
                self.abandon(sys);
                Some(Finding::Bad(error.flaw(), format!("TCP connection to {} failed.", job.server)))
            }
        }
    }
}

impl Probe for Tcp {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let socket = match connect(job, sys) {
            Ok(socket) => *self.socket.insert(socket),
            Err(finding) => return Progress::Over(finding),
        };
        self.look(job, sys).map_or(Progress::Socket(socket, job.timeout(sys)), Progress::Over)
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        if let Some(finding) = self.look(job, sys) {
            return Progress::Over(finding);
        }
        match (event, self.socket) {
            (Event::Socket, Some(socket)) => Progress::Socket(socket, job.timeout(sys)),
            _ => {
                self.abandon(sys);
                Progress::Over(Finding::Bad(job.no_connection(), format!("TCP connection to {} timeout.", job.server)))
            }
        }
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Some(socket) = self.socket.take() {
            sys.close(socket);
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, _: &str) -> String {
        plain_mail("TCP CHECK", flaw)
    }

    fn success(&self, job: &Job<'_>) -> String {
        format!("TCP connection to {} success.", job.server)
    }

    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String> {
        match job.era {
            Era::V1_1 => Some(format!("TCP connection to {} failed !!!", job.server)),
            Era::V1_3 => tries.of_old(job.server),
            Era::V2_2 => Some(format!("TCP_CHECK on service {} {}", job.server, tries.how())),
        }
    }
}
