//! Named pipes: what `mkfifo` made in the file tree is a pipe while somebody has it open.
//!
//! Opening one end waits for the other in Linux. Here the opening succeeds, and the first reading or writing waits:
//! programs see the same, for none does anything between the two.

use super::descriptor::{End, Handle, Pipe};
use super::{Fd, Processes};
use crate::base::id::Pid;

impl Processes {
    /// Opens one end of the named pipe with this number. `None` if the process has too many descriptors.
    pub(crate) fn open_fifo(&mut self, pid: Pid, number: u32, end: End) -> Option<Fd> {
        let pipe = match self.fifos.get(&number) {
            Some(pipe) => *pipe,
            None => {
                let pipe = self.pipes.put(Pipe::default());
                self.fifos.insert(number, pipe);
                pipe
            }
        };
        let handle = match end {
            End::Reader => Handle::PipeRead(pipe),
            End::Writer => Handle::PipeWrite(pipe),
        };
        let fd = self.install(pid, handle);
        let open = self.pipes.get(pipe);
        open.awaits = match (open.readers, open.writers) {
            (0, 0) => {
                self.pipes.take(pipe);
                self.fifos.remove(&number);
                return None;
            }
            (0, _) => Some(End::Reader),
            (_, 0) => Some(End::Writer),
            _ => None,
        };
        self.wake_sleepers(pipe);
        fd
    }
}
