//! Daemons that end, and those that start when they have: a signal is delivered in a daemon's own turn, and its port is
//! free only after that.

use crate::base::id::Pid;
use crate::kernel::process::{Fd, Next, On, Process, Signal, Wait};
use crate::kernel::syscall::Sys;
use crate::shell::command::Outcome;

/// What a call of a service command has set going.
#[derive(Debug, Default)]
pub(super) struct Turnover {
    stopping: Vec<(Pid, &'static str)>,
    starts: Vec<fn(&mut Sys<'_, '_>) -> bool>,
    code: i32,
}

impl Turnover {
    /// Tells the processes of a program to end.
    pub(super) fn stop(&mut self, program: &'static str, sys: &mut Sys) {
        for pid in super::mains(program, sys) {
            sys.kill(pid, Signal::Term);
            self.stopping.push((pid, program));
        }
    }

    /// Whether this call has told the program to end.
    pub(super) fn stops(&self, program: &str) -> bool {
        self.stopping.iter().any(|(_, stopping)| *stopping == program)
    }

    /// Starts a daemon when those that end have ended.
    pub(super) fn start(&mut self, start: fn(&mut Sys<'_, '_>) -> bool) {
        self.starts.push(start);
    }

    /// The end of the call.
    pub(super) fn finish(mut self, code: i32) -> Outcome {
        self.code = code;
        match self.stopping.is_empty() && self.starts.is_empty() {
            true => Outcome::Done(code),
            false => Outcome::Became(Box::new(self)),
        }
    }
}

impl Process for Turnover {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        self.stopping.retain(|(pid, _)| sys.kernel.processes.is_alive(*pid));
        if !self.stopping.is_empty() {
            let any = self.stopping.iter().map(|(pid, _)| On::Ended(*pid)).collect();
            return Next::Wait(Wait { until: None, any });
        }
        for start in self.starts.drain(..) {
            if !start(sys) {
                self.code = 1;
                // Where messages go, nobody can be told that they do not arrive.
                let _ = sys.write(Fd::STDERR, b"cannot fork: too many processes\n");
            }
        }
        Next::Exit(self.code)
    }
}
