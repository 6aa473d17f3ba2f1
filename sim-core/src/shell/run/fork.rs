//! Children of a shell: pipelines, subshells, `$(…)`, `&`. A child is a copy of the shell at another place in the ops.

use super::super::parse::op::{Fork, ForkKind, Pc};
use super::{Doing, Job, Queued, Shell, Step};
use crate::base::id::Pid;
use crate::kernel::process::{ExecError, Fd};
use crate::kernel::syscall::{Open, Stdio, Sys};
use std::collections::BTreeMap;

impl Shell {
    pub(super) fn fork(&mut self, fork: &Fork, sys: &mut Sys) -> Step {
        // What was written so far comes before what the children write.
        if self.flush(sys).is_err() {
            self.pc -= 1;
            self.doing = Doing::Full;
            return Step::Wait;
        }
        match fork.kind {
            ForkKind::Wait => self.pipeline(fork, sys),
            ForkKind::Slot(slot) => self.substitute(fork, slot, sys),
            ForkKind::Background => self.background(fork, sys),
        }
    }

    fn pipeline(&mut self, fork: &Fork, sys: &mut Sys) -> Step {
        let mut children = Vec::with_capacity(fork.stages.len());
        let mut from_before: Option<Fd> = None;
        for (index, (entry, name)) in fork.stages.iter().enumerate() {
            let pipe = match (index + 1 < fork.stages.len()).then(|| sys.pipe()).transpose() {
                Ok(pipe) => pipe,
                Err(error) => {
                    self.complain(&format!("pipe error: {error}"));
                    break;
                }
            };
            let stdio = Stdio {
                stdin: from_before.unwrap_or(self.stdio.stdin),
                stdout: pipe.map_or(self.stdio.stdout, |(_, write)| write),
                stderr: self.stdio.stderr,
            };
            let started = sys.fork(name, Box::new(self.child(*entry)), stdio);
            if let Some(fd) = from_before.take() {
                sys.close_fd(fd);
            }
            if let Some((read, write)) = pipe {
                sys.close_fd(write);
                from_before = Some(read);
            }
            match started {
                Ok(pid) => children.push((pid, None)),
                Err(error) => self.cannot_fork(&error),
            }
        }
        if let Some(fd) = from_before {
            sys.close_fd(fd);
        }
        if children.len() < fork.stages.len() {
            children.push((sys.pid, Some(254)));
        }
        self.doing = Doing::Children { children, guarded: fork.guarded };
        Step::Wait
    }

    fn substitute(&mut self, fork: &Fork, slot: u16, sys: &mut Sys) -> Step {
        let (read, write) = match sys.pipe() {
            Ok(pipe) => pipe,
            Err(error) => {
                self.complain(&format!("pipe error: {error}"));
                self.state.slots.insert(slot, "".into());
                return Step::On;
            }
        };
        let stdio = Stdio { stdout: write, ..self.stdio };
        let (entry, name) = &fork.stages[0];
        let started = sys.fork(name, Box::new(self.child(*entry)), stdio);
        sys.close_fd(write);
        match started {
            Ok(child) => {
                self.doing = Doing::Collect { from: read, child, slot, octets: Vec::new() };
                Step::Wait
            }
            Err(error) => {
                sys.close_fd(read);
                self.cannot_fork(&error);
                self.state.slots.insert(slot, "".into());
                Step::On
            }
        }
    }

    fn background(&mut self, fork: &Fork, sys: &mut Sys) -> Step {
        let null = sys.open("/dev/null", Open::Read).ok();
        let stdio = Stdio { stdin: null.unwrap_or(self.stdio.stdin), ..self.stdio };
        let (entry, name) = &fork.stages[0];
        let started = sys.fork(name, Box::new(self.child(*entry)), stdio);
        if let Some(fd) = null {
            sys.close_fd(fd);
        }
        match started {
            Ok(pid) => self.note_job(pid),
            Err(error) => {
                self.cannot_fork(&error);
                self.state.status = 254;
                return Step::On;
            }
        }
        self.state.status = 0;
        Step::On
    }

    fn note_job(&mut self, pid: Pid) {
        self.state.background = Some(pid);
        self.jobs.push(Job { pid, status: None });
        if self.jobs.len() > JOBS_MAX {
            self.jobs.remove(0);
        }
        if self.typed && !self.child {
            let text = format!("[{}] {}\n", self.jobs.len(), pid.0);
            self.queue.push_back(Queued::Write(self.stdio.stderr, text.into_bytes()));
        }
    }

    fn cannot_fork(&mut self, error: &ExecError) {
        let _ = error;
        self.complain("fork: retry: Resource temporarily unavailable");
    }

    /// A copy that runs the ops from `entry` to their `End`.
    fn child(&self, entry: Pc) -> Shell {
        let mut child = Shell::with_state(self.state.clone(), self.code.clone());
        child.pc = entry;
        child.budget = self.budget;
        child.child = true;
        child.typed = self.typed;
        child.traps = self.traps.iter().filter(|(_, command)| command.is_empty()).map(copy).collect::<BTreeMap<_, _>>();
        child
    }
}

fn copy<K: Copy, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (*key, value.clone())
}

const JOBS_MAX: usize = 256;
