//! TCP, UDP and raw sockets of one host.

use crate::base::id::Pid;
use crate::world::node::Cx;

/// The sockets of one host.
#[derive(Debug, Default)]
pub struct Sockets {}

impl Sockets {
    /// A process has ended: its sockets are closed.
    pub(crate) fn close_all_of(&mut self, pid: Pid, cx: &mut Cx) {
        let _ = (pid, cx);
    }
}
