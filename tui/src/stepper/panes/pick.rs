//! What stands under the mouse in a pane.

use super::brush::start;
use ratatui::layout::Size;
use sim_core::base::id::EventId;
use sim_core::base::time::Instant;

/// What is clicked on in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// A row to be chosen.
    Row(usize),
    /// A frame of the list.
    Frame(EventId),
    /// A line of the log: where it happened.
    Line(EventId),
    /// A lane of the timeline, an instant on it, or both.
    Time(Option<usize>, Option<Instant>),
}

/// The row under a line of a list that is drawn around its chosen row.
pub(super) fn listed(count: usize, chosen: usize, size: Size, line: u16) -> Pick {
    Pick::Row(start(count, chosen, size.height as usize) + line as usize)
}
