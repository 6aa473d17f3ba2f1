//! Starting a daemon, and how that goes.

use crate::base::id::Pid;
use crate::kernel::syscall::{Stdio, Sys};

/// Starts a daemon, whose first process writes what is wrong to that standard error.
pub(super) type Start = fn(&mut Sys<'_, '_>, Stdio) -> Started;

/// How a start goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Started {
    /// It runs.
    Runs,
    /// It does not.
    Failed,
    /// This process brings it up; its exit status tells.
    By(Pid),
}
