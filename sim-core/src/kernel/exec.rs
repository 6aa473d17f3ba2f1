//! Runs what is ready: takes turns out of the run queue, gives each body its system calls, and lets the kernel send
//! what that led to, until nothing is left to do at this instant.
//!
//! ```text
//!   next_turn ─► body.wake(sys) ─► settle ─► sockets' packets ─► path ─► (a local socket hears them) ─► next_turn …
//! ```

use super::Kernel;
use super::process::descriptor::Handle;
use super::process::table::Turn;
use super::process::{Ending, Next, Process, Signal};
use super::syscall::Sys;
use crate::base::id::{EventId, NodeId, PacketId, Pid};
use crate::trace::Stage;
use crate::trace::recorder::Context;
use crate::world::node::{Cx, Outbox};
use std::collections::BTreeMap;

/// The bodies of a host's processes.
#[derive(Debug, Default)]
pub struct Bodies {
    alive: BTreeMap<Pid, Box<dyn Process>>,
    watched: Option<Pid>,
    kept: Option<Box<dyn Process>>,
}

impl Bodies {
    /// Keeps the body of this process when it has ended, for whoever goes on where it stopped.
    pub fn watch(&mut self, pid: Pid) {
        self.watched = Some(pid);
        self.kept = None;
    }

    /// The machine is off: no process is left.
    pub fn end_all(&mut self, node: NodeId, cx: &mut Cx) {
        for mut body in std::mem::take(self).alive.into_values() {
            body.gone(node, cx);
        }
    }

    /// The body of the process that was watched, if it has ended.
    pub fn take_kept(&mut self) -> Option<Box<dyn Process>> {
        self.kept.take()
    }
}

/// Rounds within one instant, at most. A process that takes more turns than 100,000 is ended by itself, so this bound
/// holds only for a crowd of them.
const ROUNDS_MAX: u32 = 10_000_000;

/// Runs the processes until all of them wait.
pub fn run(kernel: &mut Kernel, bodies: &mut Bodies, out: &mut Outbox, cx: &mut Cx) {
    let before = cx.context();
    kernel.processes.fire_timers(cx.now);
    kernel.tell_processes(cx.now);
    for _ in 0..ROUNDS_MAX {
        for (pid, body) in kernel.processes.take_born() {
            if kernel.processes.is_alive(pid) {
                bodies.alive.insert(pid, body);
            }
        }
        kernel.tell_changes(cx);
        let Some(turn) = kernel.processes.next_turn(cx.now) else {
            if !kernel.settle(out, cx) {
                break;
            }
            continue;
        };
        take(turn, kernel, bodies, out, cx);
        for pid in kernel.processes.take_killed() {
            if let Some(mut body) = bodies.alive.remove(&pid) {
                body.gone(kernel.node, cx);
            }
            kernel.sockets.close_all_of(pid, cx);
        }
        kernel.transmit(out, cx);
        kernel.tell_processes(cx.now);
    }
    cx.resume(before);
}

fn take(turn: Turn, kernel: &mut Kernel, bodies: &mut Bodies, out: &mut Outbox, cx: &mut Cx) {
    match turn {
        Turn::Wake(pid) => {
            let next = with_body(pid, kernel, bodies, out, cx, |body, sys| body.wake(sys));
            finish(pid, next, kernel, bodies, cx);
        }
        Turn::Signal(pid, signal) => {
            let next = with_body(pid, kernel, bodies, out, cx, |body, sys| body.signal(signal, sys));
            match next {
                Some(next) => finish(pid, next, kernel, bodies, cx),
                None if signal.ends_by_default() => {
                    end(pid, Ending::Killed(signal), kernel, bodies, cx);
                }
                // What happened while it was stopped is still to be looked at.
                None if signal == Signal::Cont => kernel.processes.go_on(pid),
                None => kernel.processes.resume(pid),
            }
        }
        Turn::End(pid, signal) => end(pid, Ending::Killed(signal), kernel, bodies, cx),
        Turn::Runaway(pid) => {
            let text = "stopped: it took 100000 turns without any time passing\n";
            if let Some(handle) = kernel.processes.handle(pid, super::process::Fd::STDERR) {
                let name = kernel.processes.entry(pid).map_or_else(String::new, |entry| entry.name.to_string());
                kernel.write_stopped(handle, &format!("{name}: {text}"));
            }
            end(pid, Ending::Killed(Signal::Kill), kernel, bodies, cx);
        }
    }
}

/// Lends a body the kernel. The body is out of the list meanwhile, so nothing can enter it twice.
fn with_body<T>(
    pid: Pid,
    kernel: &mut Kernel,
    bodies: &mut Bodies,
    out: &mut Outbox,
    cx: &mut Cx,
    call: impl FnOnce(&mut dyn Process, &mut Sys) -> T,
) -> T {
    let mut body = bodies.alive.remove(&pid).expect("a process that is alive has a body");
    let (cause, packet) = kernel.processes.origin(pid);
    cx.resume(Context { cause, packet, stage: Stage::Process });
    let result = call(body.as_mut(), &mut Sys { kernel, out, cx, pid });
    kernel.tell_changes(cx);
    bodies.alive.insert(pid, body);
    result
}

fn finish(pid: Pid, next: Next, kernel: &mut Kernel, bodies: &mut Bodies, cx: &mut Cx) {
    match next {
        Next::Exit(status) => end(pid, Ending::Exited(status & 0xff), kernel, bodies, cx),
        Next::Wait(wait) => kernel.processes.sleep(pid, wait),
    }
}

fn end(pid: Pid, ending: Ending, kernel: &mut Kernel, bodies: &mut Bodies, cx: &mut Cx) {
    kernel.processes.end(pid, ending);
    kernel.tell_changes(cx);
    let body = bodies.alive.remove(&pid);
    if bodies.watched == Some(pid) {
        bodies.watched = None;
        bodies.kept = body;
    }
    kernel.sockets.close_all_of(pid, cx);
    cx.resume(Context { cause: EventId::NONE, packet: PacketId::NONE, stage: Stage::Process });
}

impl Kernel {
    /// Writes why a process was stopped, where its standard error leads, as far as there is room.
    fn write_stopped(&mut self, handle: Handle, text: &str) {
        match handle {
            Handle::Terminal { terminal, error } => self.processes.write_terminal(terminal, error, text.as_bytes()),
            Handle::Null | Handle::PipeRead(_) | Handle::PipeWrite(_) | Handle::File(_) => {
                self.log.note("kernel", text.trim_end());
            }
        }
    }
}
