//! Processes: what the kernel knows of a program. A body is a small state machine that does something and says what it
//! waits for; it never blocks, and it reaches the kernel only through [`Sys`].
//!
//! ```text
//!   spawn ─► run queue ─► wake(sys) ─┬─ Wait(..) ─► asleep ─► (something it waits for happens) ─► run queue
//!                                    └─ Exit(code) ─► the parent is told; reaped
//! ```
//! The run queue is first in, first out, and bounded. Entries are the kernel's; bodies are kept by `nodes/host`.

use super::syscall::Sys;
use crate::base::id::{NodeId, Pid};
use crate::base::time::Instant;
use crate::world::node::Cx;
use std::collections::BTreeMap;

pub mod descriptor;
mod fifo;
mod handles;
mod ready;
pub mod table;

pub use super::socket::SocketId;
pub use table::Processes;

/// The body of a process.
pub trait Process: std::fmt::Debug + std::any::Any {
    /// Runs until it has to wait. May be called although nothing it waits for has happened.
    fn wake(&mut self, sys: &mut Sys) -> Next;

    /// A signal that can be caught (not KILL, not STOP). `None` takes the default (signal(7)): HUP, INT, QUIT, USR1,
    /// USR2 and TERM end it, CHLD and CONT are ignored.
    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        let _ = (signal, sys);
        None
    }

    /// It was killed, or its machine is off: it can do nothing any more. What only it knew, and the trace shows as a
    /// table of `node`, is to be recorded as gone.
    fn gone(&mut self, node: NodeId, cx: &mut Cx) {
        let _ = (node, cx);
    }
}

/// What a process does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Sleeps until one of these.
    Wait(Wait),
    /// Has ended with this exit status (0 to 255).
    Exit(i32),
}

/// How a process has ended (wait(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status (0 to 255).
    Exited(i32),
    /// A signal ended it.
    Killed(Signal),
}

/// What a process waits for: any one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// This time has come.
    pub until: Option<Instant>,
    /// One of these can go on.
    pub any: Vec<On>,
}

/// Something to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// This child has ended (its status can then be taken with `sys.wait`).
    Child(Pid),
    /// This process, somebody else's child, has ended (`pidfd_open`).
    Ended(Pid),
    /// There is something to read, or the end, at this descriptor.
    Readable(Fd),
    /// There is room to write at this descriptor (a pipe).
    Writable(Fd),
    /// Something happened at this socket: connected, refused, data, room, end.
    Socket(SocketId),
    /// Something happened at any socket of this process: `sys.next_ready()` says at which, one after another. For
    /// servers and load generators with many sockets (`epoll`).
    AnySocket,
    /// An interface or its carrier changed.
    Link,
    /// An address changed.
    Address,
}

/// A descriptor of a process: 0, 1, 2 are standard input, output and error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fd(pub u8);

/// Signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// 1.
    Hup,
    /// 2.
    Int,
    /// 3.
    Quit,
    /// 9: cannot be caught.
    Kill,
    /// 10.
    Usr1,
    /// 12.
    Usr2,
    /// 15.
    Term,
    /// 17: a child ended.
    Child,
    /// 18.
    Cont,
    /// 19: cannot be caught.
    Stop,
}

/// Variables handed to a program.
pub type Env = BTreeMap<String, String>;

/// Makes programs from command lines. Declared here because daemons must start commands that live on a higher floor;
/// implemented by the shell, handed to the kernel by `nodes/host`.
pub trait Exec: std::fmt::Debug {
    /// The program that `argv[0]` names, ready to run.
    ///
    /// # Errors
    /// If there is no such program, or its arguments name something that is not modelled.
    fn exec(&self, argv: &[String], env: &Env) -> Result<Box<dyn Process>, ExecError>;
}

/// Why a program cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// No such command: exit status 127.
    #[error("{0}: command not found")]
    NotFound(String),
    /// A file that is not executable: exit status 126.
    #[error("{0}: Permission denied")]
    NotExecutable(String),
    /// It exists on Linux, and the lab does not model it: exit status 125.
    #[error("{0}")]
    NotModelled(String),
    /// Too many processes (4096 on a host).
    #[error("cannot fork: too many processes")]
    TooMany,
}

impl Signal {
    /// Its number (signal(7)).
    pub const fn number(self) -> i32 {
        match self {
            Signal::Hup => 1,
            Signal::Int => 2,
            Signal::Quit => 3,
            Signal::Kill => 9,
            Signal::Usr1 => 10,
            Signal::Usr2 => 12,
            Signal::Term => 15,
            Signal::Child => 17,
            Signal::Cont => 18,
            Signal::Stop => 19,
        }
    }

    /// The signal that `kill` and `killall` call by this name or number: `HUP`, `SIGHUP`, `1`.
    pub fn named(text: &str) -> Option<Signal> {
        const ALL: [(&str, Signal); 10] = [
            ("HUP", Signal::Hup),
            ("INT", Signal::Int),
            ("QUIT", Signal::Quit),
            ("KILL", Signal::Kill),
            ("USR1", Signal::Usr1),
            ("USR2", Signal::Usr2),
            ("TERM", Signal::Term),
            ("CHLD", Signal::Child),
            ("CONT", Signal::Cont),
            ("STOP", Signal::Stop),
        ];
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let number = text.parse::<i32>().ok();
        ALL.iter().find(|(known, signal)| *known == name || Some(signal.number()) == number).map(|(_, signal)| *signal)
    }

    /// As `strsignal` describes it.
    pub const fn described(self) -> &'static str {
        match self {
            Signal::Hup => "Hangup",
            Signal::Int => "Interrupt",
            Signal::Quit => "Quit",
            Signal::Kill => "Killed",
            Signal::Usr1 => "User defined signal 1",
            Signal::Usr2 => "User defined signal 2",
            Signal::Term => "Terminated",
            Signal::Child => "Child exited",
            Signal::Cont => "Continued",
            Signal::Stop => "Stopped (signal)",
        }
    }

    /// Whether it ends a process that does not catch it.
    pub const fn ends_by_default(self) -> bool {
        !matches!(self, Signal::Child | Signal::Cont | Signal::Stop)
    }
}

impl Ending {
    /// As a shell has it in `$?`: 128 + n if signal n ended it.
    pub const fn status(self) -> i32 {
        match self {
            Ending::Exited(status) => status,
            Ending::Killed(signal) => 128 + signal.number(),
        }
    }
}

impl Next {
    /// Sleeps until `at`.
    pub fn until(at: Instant) -> Next {
        Next::Wait(Wait { until: Some(at), any: Vec::new() })
    }

    /// Sleeps until `on`.
    pub fn on(on: On) -> Next {
        Next::Wait(Wait { until: None, any: vec![on] })
    }

    /// Sleeps until `on`, at most until `at`.
    pub fn on_or_until(on: On, at: Instant) -> Next {
        Next::Wait(Wait { until: Some(at), any: vec![on] })
    }

    /// Sleeps until a signal.
    pub fn forever() -> Next {
        Next::Wait(Wait::default())
    }
}

impl Fd {
    /// Standard input.
    pub const STDIN: Fd = Fd(0);
    /// Standard output.
    pub const STDOUT: Fd = Fd(1);
    /// Standard error.
    pub const STDERR: Fd = Fd(2);
}
