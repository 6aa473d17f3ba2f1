//! What descriptors lead to: terminals, pipes and open files, counted by how many descriptors hold them.
//!
//! Sockets are not descriptors here: a process names them by [`super::SocketId`].

use crate::base::id::Pid;
use std::collections::VecDeque;

/// What a descriptor leads to. The number is an index into the host's list of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    /// Reads the end at once, forgets what is written.
    Null,
    /// Standard output (or error) of a typed line. Reading gives the end: nobody types.
    Terminal { terminal: u32, error: bool },
    /// The end of a pipe that is read.
    PipeRead(u32),
    /// The end of a pipe that is written.
    PipeWrite(u32),
    /// An open file.
    File(u32),
}

/// Octets a pipe holds (pipe(7)).
pub(crate) const PIPE_CAPACITY: usize = 65_536;

/// Octets of output that are kept of one typed line, for each of its two streams.
pub const OUTPUT_CAPACITY: usize = 65_536;

/// A pipe.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) bytes: VecDeque<u8>,
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// A named pipe that was opened at one end only waits for somebody at the other.
    pub(crate) awaits: Option<End>,
    /// Who sleeps at one of its ends.
    pub(crate) sleepers: Vec<Pid>,
}

/// An end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Reader,
    Writer,
}

impl Pipe {
    /// Whether a reader has something to read, or the end.
    pub(crate) fn is_readable(&self) -> bool {
        !self.bytes.is_empty() || self.has_ended()
    }

    /// Whether nothing more will come.
    pub(crate) fn has_ended(&self) -> bool {
        self.bytes.is_empty() && self.writers == 0 && self.awaits != Some(End::Writer)
    }

    /// Octets that a writer can write; none if nobody reads any more.
    pub(crate) fn room(&self) -> Option<usize> {
        match (self.readers, self.awaits) {
            (0, Some(End::Reader)) => Some(0),
            (0, _) => None,
            _ => Some(PIPE_CAPACITY - self.bytes.len()),
        }
    }
}

/// An open file: the position is shared by all descriptors that were handed down.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) path: Box<str>,
    pub(crate) position: usize,
    pub(crate) append: bool,
    pub(crate) writable: bool,
    pub(crate) holders: u32,
}

/// What a typed line wrote, as far as kept.
#[derive(Debug, Default)]
pub(crate) struct Terminal {
    pub(crate) stdout: Kept,
    pub(crate) stderr: Kept,
}

/// The first [`OUTPUT_CAPACITY`] octets of a stream, and how many more there were.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    lost: u64,
}

impl Kept {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let room = OUTPUT_CAPACITY - self.bytes.len();
        let taken = room.min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.lost += (bytes.len() - taken) as u64;
    }

    /// As text; a last line says how much was not kept.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.lost > 0 {
            text.push_str(&format!("\n[{} more octets of output were not kept]\n", self.lost));
        }
        text
    }
}

/// Lists whose places are used again, smallest first.
#[derive(Debug)]
pub(crate) struct Places<T> {
    list: Vec<Option<T>>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places { list: Vec::new() }
    }
}

impl<T> Places<T> {
    pub(crate) fn put(&mut self, value: T) -> u32 {
        match self.list.iter().position(Option::is_none) {
            Some(free) => {
                self.list[free] = Some(value);
                free as u32
            }
            None => {
                self.list.push(Some(value));
                self.list.len() as u32 - 1
            }
        }
    }

    pub(crate) fn get(&mut self, place: u32) -> &mut T {
        self.list[place as usize].as_mut().expect("a descriptor leads to something that is there")
    }

    pub(crate) fn take(&mut self, place: u32) -> T {
        self.list[place as usize].take().expect("a descriptor leads to something that is there")
    }
}
