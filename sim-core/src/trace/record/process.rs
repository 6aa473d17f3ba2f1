//! The processes of a host. That one of them sleeps or is about to run is not recorded: it would be an event each time
//! something wakes.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::{NodeId, Pid};
use crate::base::time::Instant;
use crate::trace::Trace;

/// What a process can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum ProcessState {
    /// It runs or waits (`R` or `S`).
    Alive,
    /// SIGSTOP has stopped it (`T`).
    Stopped,
    /// It has ended, and its parent has not asked for its exit status (`Z`).
    Ended,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ProcessRecord {
    /// The host.
    pub node: NodeId,
    /// Its number.
    pub pid: Pid,
    /// Its parent's; 1 for a daemon or what was typed.
    pub parent: Pid,
    /// Its command line.
    pub command: Box<str>,
    /// What it can do.
    pub state: ProcessState,
    /// When it was started.
    pub started: Instant,
    /// False when it is gone.
    pub present: bool,
}

impl Row for ProcessRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Process(self.pid)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = format!("{} (parent {}, {})", self.command, self.parent.0, self.state.name());
        RowText { row: self.pid.0.to_string(), value }
    }
}

impl ProcessRecord {
    /// The program: what `killall` and `pidof` know the process by.
    pub fn program(&self) -> &str {
        program(&self.command)
    }
}

/// The program of a command line: its first word, without its folder and a trailing colon.
pub fn program(command: &str) -> &str {
    let first = command.split(' ').next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default().trim_end_matches(':')
}

impl ProcessState {
    /// `alive`, `stopped`, `ended`.
    pub const fn name(self) -> &'static str {
        match self {
            ProcessState::Alive => "alive",
            ProcessState::Stopped => "stopped",
            ProcessState::Ended => "ended",
        }
    }
}
