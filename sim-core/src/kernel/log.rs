//! The system log: `/var/log/messages`, as syslogd writes it, and the trace's log lines.
//!
//! A line is `Jan  1 00:00:07 rs1 Keepalived_vrrp[512]: text`; virtual time 0 is 2000-01-01 00:00:00 UTC.

use super::Kernel;
use crate::base::calendar::Date;
use crate::base::time::Instant;
use crate::trace::record::LogRecord;
use crate::trace::recorder::Change;
use crate::world::node::Cx;
use std::collections::VecDeque;

/// Where lines go.
pub const MESSAGES: &str = "/var/log/messages";

/// Whom the kernel's own lines are from.
pub const KERNEL: &str = "kernel";
/// The kernel keeps so many of its own lines.
const RING: usize = 4096;

/// Lines that were noted where no pen was at hand, written with the next turn; and the kernel's own lines.
#[derive(Debug, Default)]
pub struct Log {
    waiting: Vec<(Box<str>, Box<str>)>,
    ring: VecDeque<(Instant, Box<str>)>,
}

impl Log {
    /// Keeps a line for the next [`Kernel::write_log`].
    pub(crate) fn note(&mut self, program: &str, text: &str) {
        self.waiting.push((program.into(), text.into()));
    }

    /// The kernel's own lines that it still keeps (`dmesg`).
    pub fn ring(&self) -> impl Iterator<Item = (Instant, &str)> {
        self.ring.iter().map(|(at, text)| (*at, &**text))
    }

    /// Forgets them.
    pub fn clear_ring(&mut self) {
        self.ring.clear();
    }
}

impl Kernel {
    /// Writes a log line to the trace and to `/var/log/messages`.
    pub fn write_log(&mut self, program: &str, text: &str, cx: &mut Cx) {
        for (program, text) in std::mem::take(&mut self.log.waiting) {
            self.write_line(&program, &text, cx);
        }
        self.write_line(program, text, cx);
    }

    fn write_line(&mut self, program: &str, text: &str, cx: &mut Cx) {
        let line = format!("{} {} {program}: {text}\n", Date::of(cx.now).syslog(), self.hostname);
        if program == KERNEL {
            if self.log.ring.len() == RING {
                self.log.ring.pop_front();
            }
            self.log.ring.push_back((cx.now, text.into()));
        }
        // A full disk loses log lines on a real machine too.
        let _ = self.files.append(MESSAGES, line.as_bytes(), cx.now);
        cx.change(Change::Log(LogRecord { node: self.node, program: program.into(), text: text.into() }));
    }
}
