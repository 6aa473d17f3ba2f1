//! Everything that can happen to the stepper.

use super::job::Done;
use super::keymap::Key;
use sim_core::base::id::NodeId;

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(Key),
    /// The mouse did something at a column and row.
    Mouse(Pointer, u16, u16),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size: columns, rows.
    Resize(u16, u16),
    /// So many milliseconds went by.
    Tick(u64),
    /// A job got further: how far, of how much.
    Progress(u64, u64),
    /// A job ended.
    Done(Done),
    /// A job was given up, or could not be done.
    Failed(String),
    /// Something was written to disk, or could not be.
    Said(String),
    /// A fork was saved, by its place in the list.
    Saved(usize, String),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    /// The left button went down.
    Click,
    /// The wheel turned up.
    Up,
    /// The wheel turned down.
    Down,
}

/// What the stepper wants done outside of its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Run the shown branch again with one thing more.
    Fork(super::fork::Addition),
    /// Lay two branches beside each other, by their places in the list.
    Compare {
        /// The heading of it.
        title: String,
        /// The one that was there before.
        old: usize,
        /// The other one.
        new: usize,
    },
    /// Read a file of a host at the instant shown, for the editor.
    Edit {
        /// The host.
        node: NodeId,
        /// The file, as it was typed.
        path: String,
    },
    /// Give up the job that runs.
    Cancel,
    /// Write a branch as a scenario to this file.
    Save(usize, String),
    /// Stop, as after Ctrl-Z, until the shell brings us back.
    Suspend,
    /// End.
    Quit,
}
