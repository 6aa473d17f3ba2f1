//! What IPVS writes to the kernel's log, in Linux 6.1's words. Lines that packets cause are limited: ten in 5 s, and
//! then how many were left out (Linux `net_ratelimit`).

use super::schedule::Refusal;
use super::sync::daemon::Role;
use crate::base::time::{Duration, Instant};
use crate::trace::record::ServiceKey;
use std::fmt;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `ipvsadm -s` names a scheduler that there is none of.
    NoScheduler(Box<str>),
    /// A scheduler finds nobody.
    NoDestination { scheduler: &'static str, service: ServiceKey, refusal: Refusal },
    /// A daemon began.
    ThreadStarted { role: Role, interface: Box<str>, sync_id: u8, thread: u16 },
    /// A daemon ends.
    ThreadStops { role: Role, pid: u32 },
    /// `--mcast-interface` names no interface.
    UnknownInterface(Box<str>),
    /// The interface of a daemon has no address.
    NoAddress,
    /// A message could not be sent: the network is down.
    SendFailed,
    /// A message makes no sense from some place on.
    BadMessage(&'static str),
}

/// Lines that the kernel has not fetched yet.
#[derive(Debug, Default)]
pub(super) struct Log {
    waiting: Vec<String>,
    begin: Option<Instant>,
    printed: u32,
    missed: u32,
}

const INTERVAL: Duration = Duration::from_secs(5);
const BURST: u32 = 10;

impl Log {
    pub(super) fn say(&mut self, line: Line) {
        self.waiting.push(format!("IPVS: {line}"));
    }

    pub(super) fn say_limited(&mut self, line: Line, now: Instant) {
        let begin = *self.begin.get_or_insert(now);
        if begin + INTERVAL < now {
            if self.missed > 0 {
                self.waiting.push(format!("net_ratelimit: {} callbacks suppressed", self.missed));
            }
            (self.begin, self.printed, self.missed) = (Some(now), 0, 0);
        }
        if self.printed < BURST {
            self.printed += 1;
            self.say(line);
        } else {
            self.missed += 1;
        }
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Line::NoScheduler(name) => write!(f, "Scheduler module ip_vs_{name} not found"),
            Line::NoDestination { scheduler, service, refusal } => {
                write!(f, "{scheduler}: ")?;
                match service {
                    ServiceKey::Mark(mark) => write!(f, "FWM {mark} 0x{mark:08X}")?,
                    ServiceKey::Address(transport, address) => write!(f, "{} {address}", transport.name())?,
                }
                f.write_str(match refusal {
                    Refusal::NoDestination | Refusal::Unsaid => " - no destination available",
                    Refusal::AllOverloaded => " - no destination available: all destinations are overloaded",
                })
            }
            Line::ThreadStarted { role: Role::Master, interface, sync_id, thread } => {
                write!(
                    f,
                    "sync thread started: state = MASTER, mcast_ifn = {interface}, syncid = {sync_id}, id = {thread}"
                )
            }
            Line::ThreadStarted { role: Role::Backup, interface, sync_id, thread } => {
                write!(
                    f,
                    "sync thread started: state = BACKUP, mcast_ifn = {interface}, syncid = {sync_id}, id = {thread}"
                )
            }
            Line::ThreadStops { role: Role::Master, pid } => write!(f, "stopping master sync thread {pid} ..."),
            Line::ThreadStops { role: Role::Backup, pid } => write!(f, "stopping backup sync thread {pid} ..."),
            Line::UnknownInterface(name) => write!(f, "Unknown mcast interface: {name}"),
            Line::NoAddress => f.write_str("You probably need to specify IP address on multicast interface."),
            Line::SendFailed => f.write_str("ip_vs_send_async error -101"),
            Line::BadMessage(what) => write!(f, "BACKUP, Dropping buffer, {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_in_five_seconds_and_then_how_many_were_left_out() {
        let mut log = Log::default();
        let line = Line::BadMessage("msg > buffer");
        for ms in 0..25 {
            log.say_limited(line.clone(), Instant::ZERO + Duration::from_millis(ms));
        }
        assert_eq!(log.take().len(), 10);
        log.say_limited(line, Instant::ZERO + Duration::from_secs(6));
        let lines = log.take();
        assert_eq!(lines[0], "net_ratelimit: 15 callbacks suppressed");
        assert_eq!(lines.len(), 2);
    }
}
