//! The descriptors of processes: opened, handed down, closed; and the terminals of typed lines.

use super::descriptor::{Handle, Terminal};
use super::table::DESCRIPTORS_MAX;
use super::{Fd, Processes};
use crate::base::id::Pid;

impl Processes {
    pub(crate) fn handle(&self, pid: Pid, fd: Fd) -> Option<Handle> {
        self.table.get(&pid)?.descriptors.get(usize::from(fd.0)).copied().flatten()
    }

    /// Gives `pid` the smallest free descriptor. `None` if it has too many.
    pub(crate) fn install(&mut self, pid: Pid, handle: Handle) -> Option<Fd> {
        let descriptors = &mut self.table.get_mut(&pid)?.descriptors;
        let place = descriptors.iter().position(Option::is_none).unwrap_or(descriptors.len());
        if place >= DESCRIPTORS_MAX {
            return None;
        }
        if place == descriptors.len() {
            descriptors.push(None);
        }
        descriptors[place] = Some(handle);
        self.hold(handle);
        Some(Fd(place as u8))
    }

    pub(crate) fn close_fd(&mut self, pid: Pid, fd: Fd) {
        let slot = self.table.get_mut(&pid).and_then(|entry| entry.descriptors.get_mut(usize::from(fd.0)));
        if let Some(handle) = slot.and_then(Option::take) {
            self.release(handle);
        }
    }

    /// Gives a typed line a terminal of its own.
    pub(crate) fn open_terminal(&mut self, terminal: u32) {
        self.terminals.insert(terminal, Terminal::default());
    }

    /// Takes a terminal away; what is still written to it is lost.
    pub(crate) fn close_terminal(&mut self, terminal: u32) -> Terminal {
        self.terminals.remove(&terminal).unwrap_or_default()
    }

    /// Writes to a terminal, if it is still there.
    pub(crate) fn write_terminal(&mut self, terminal: u32, error: bool, bytes: &[u8]) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            let stream = if error { &mut terminal.stderr } else { &mut terminal.stdout };
            stream.write(bytes);
        }
    }

    pub(crate) fn wake_sleepers(&mut self, pipe: u32) {
        for pid in std::mem::take(&mut self.pipes.get(pipe).sleepers) {
            self.make_ready(pid);
        }
    }

    pub(super) fn hold(&mut self, handle: Handle) {
        match handle {
            Handle::Null | Handle::Terminal { .. } => {}
            Handle::PipeRead(pipe) => self.pipes.get(pipe).readers += 1,
            Handle::PipeWrite(pipe) => self.pipes.get(pipe).writers += 1,
            Handle::File(file) => self.opens.get(file).holders += 1,
        }
    }

    pub(super) fn release(&mut self, handle: Handle) {
        let pipe = match handle {
            Handle::Null | Handle::Terminal { .. } => return,
            Handle::PipeRead(pipe) => {
                self.pipes.get(pipe).readers -= 1;
                pipe
            }
            Handle::PipeWrite(pipe) => {
                self.pipes.get(pipe).writers -= 1;
                pipe
            }
            Handle::File(file) => {
                let open = self.opens.get(file);
                open.holders -= 1;
                if open.holders == 0 {
                    self.opens.take(file);
                }
                return;
            }
        };
        self.wake_sleepers(pipe);
        let ends = self.pipes.get(pipe);
        if ends.readers == 0 && ends.writers == 0 {
            self.pipes.take(pipe);
            self.fifos.retain(|_, open| *open != pipe);
        }
    }
}
