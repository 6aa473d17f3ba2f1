//! Daemons that end, and those that start when they have: a signal is delivered in a daemon's own turn, and its port is
//! free only after that. Whether a start came off is known when the program's first process has ended.

use super::started::{Start, Started};
use crate::base::id::Pid;
use crate::kernel::process::{Fd, Next, On, Process, Signal, Wait};
use crate::kernel::syscall::{Read, Stdio, Sys};
use crate::shell::command::Outcome;
use std::collections::VecDeque;

/// What a call of a service command has set going.
#[derive(Debug, Default)]
pub(super) struct Turnover {
    stopping: Vec<(Pid, &'static str)>,
    starts: VecDeque<Wanted>,
    starting: Option<Starting>,
    code: i32,
}

/// A daemon to be started, and what is said then.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Its name in the log.
    pub(super) program: &'static str,
    /// How.
    pub(super) start: Start,
    /// Said on standard output if it runs.
    pub(super) good: String,
    /// Said if it does not, and where.
    pub(super) bad: (Fd, String),
    /// What its first process says goes to the log, not to the terminal.
    pub(super) is_logged: bool,
}

#[derive(Debug)]
struct Starting {
    wanted: Wanted,
    pid: Pid,
    errors: Option<Fd>,
}

/// Octets of what a program says that are logged.
const SAID_MAX: usize = 65_536;

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
    pub(super) fn start(&mut self, wanted: Wanted) {
        self.starts.push_back(wanted);
    }

    /// How many daemons are to be started.
    pub(super) fn wanted(&self) -> usize {
        self.starts.len()
    }

    /// The end of the call.
    pub(super) fn finish(mut self, code: i32) -> Outcome {
        self.code = code;
        match self.stopping.is_empty() && self.starts.is_empty() {
            true => Outcome::Done(code),
            false => Outcome::Became(Box::new(self)),
        }
    }

    fn begin(&mut self, wanted: Wanted, sys: &mut Sys) {
        let pipe = if wanted.is_logged { sys.pipe().ok() } else { None };
        let stderr = pipe.map_or(Fd::STDERR, |(_, writer)| writer);
        let started = (wanted.start)(sys, Stdio { stderr, ..Stdio::default() });
        if let Some((_, writer)) = pipe {
            sys.close_fd(writer);
        }
        let errors = pipe.map(|(reader, _)| reader);
        match started {
            Started::By(pid) => self.starting = Some(Starting { wanted, pid, errors }),
            Started::Runs | Started::Failed => self.end(&wanted, errors, started == Started::Runs, sys),
        }
    }

    /// It runs, or does not; either way it is said.
    fn end(&mut self, wanted: &Wanted, errors: Option<Fd>, runs: bool, sys: &mut Sys) {
        if let Some(errors) = errors {
            if let Read::Data(said) = sys.read(errors, SAID_MAX) {
                for line in String::from_utf8_lossy(&said).lines() {
                    sys.log(wanted.program, line);
                }
            }
            sys.close_fd(errors);
        }
        let (to, text) = if runs { (Fd::STDOUT, &wanted.good) } else { (wanted.bad.0, &wanted.bad.1) };
        // Where messages go, nobody can be told that they do not arrive.
        let _ = sys.write(to, text.as_bytes());
        if !runs {
            self.code = 1;
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
        loop {
            if let Some(Starting { wanted, pid, errors }) = self.starting.take() {
                let Some(status) = sys.wait(pid) else {
                    self.starting = Some(Starting { wanted, pid, errors });
                    return Next::on(On::Child(pid));
                };
                self.end(&wanted, errors, status == 0, sys);
            }
            let Some(wanted) = self.starts.pop_front() else { return Next::Exit(self.code) };
            self.begin(wanted, sys);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::Os;
    use crate::shell::testing::Bench;

    const ELSEWHERE: &str = "mkdir -p /etc/haproxy; printf 'frontend web\n bind 10.9.9.9:80\n default_backend b\nbackend b\n server s 10.0.0.2:80\n' > /etc/haproxy/haproxy.cfg; ";

    #[test]
    fn a_unit_that_cannot_listen_fails_and_the_log_says_why() {
        let line =
            format!("{ELSEWHERE}systemctl start haproxy; echo $?; grep -c 'cannot bind socket' /var/log/messages");
        let result = Bench::networked(Os::Debian12).run(&line);
        assert_eq!(result.out, "1\n1\n", "{}", result.err);
        assert!(result.err.starts_with("Job for haproxy.service failed because the control process exited"));
    }

    #[test]
    fn a_start_script_that_cannot_listen_says_failed() {
        let result = Bench::networked(Os::Rhel6).run(&format!("{ELSEWHERE}service haproxy start; echo $?"));
        assert_eq!(result.out, format!("{:<59}[FAILED]\n1\n", "Starting haproxy:"), "{}", result.err);
        assert!(result.err.contains("cannot bind socket (Cannot assign requested address) [10.9.9.9:80]"));
    }

    #[test]
    fn what_may_be_bound_without_being_there_starts() {
        let line = format!("{ELSEWHERE}sysctl -qw net.ipv4.ip_nonlocal_bind=1; systemctl start haproxy; echo $?");
        let result = Bench::networked(Os::Debian12).run(&line);
        assert_eq!((result.out.as_str(), result.err.as_str()), ("0\n", ""));
    }
}
