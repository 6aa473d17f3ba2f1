//! Which pane has the focus, and which row is chosen in it.

use super::moves;
use crate::stepper::layout::Places;
use crate::stepper::model::Model;
use crate::stepper::pane::{PaneId, TableKind};
use crate::stepper::panes::registry::{PANES, row_count};

/// Gives the focus to a pane, which takes the shared corner if it belongs there.
pub(crate) fn focus(model: &mut Model, pane: PaneId) {
    model.focus = pane;
    if pane.shares_corner() {
        model.corner = pane;
    }
}

/// Gives it to the pane so many on.
pub(super) fn by(model: &mut Model, by: usize) {
    let at = PANES.iter().position(|row| row.id == model.focus).unwrap_or(0);
    focus(model, PANES[(at + by) % PANES.len()].id);
}

/// Shows a table.
pub(super) fn table(model: &mut Model, kind: TableKind) {
    model.table = kind;
    focus(model, PaneId::Tables);
}

/// How many rows the pane with the focus shows.
pub(super) fn page(model: &Model) -> i64 {
    let height = |places: Places| {
        let found = places.panes.into_iter().find(|(id, _)| *id == model.focus);
        found.map_or(10, |(_, area)| i64::from(area.height.saturating_sub(2)).max(1))
    };
    model.places().map_or(10, height)
}

/// The next row of the pane with the focus, or another so far away.
pub(super) fn row(model: &mut Model, by: i64) {
    let last = row_count(model, model.focus).saturating_sub(1);
    let moved = |at: usize, by: i64| (at as i64 + by).clamp(0, last as i64) as usize;
    let row = match model.focus {
        PaneId::Frames => return moves::frame(model, by),
        PaneId::Headers | PaneId::Bytes => moved(model.at.field.min(last), by),
        PaneId::Why => moved(model.at.why.min(last), by),
        PaneId::Tables => moved(model.at.table, by),
        PaneId::Timeline => moved(model.at.lane, by),
        PaneId::Question => moved(model.at.question, by),
        // Its rows are counted from the last one.
        PaneId::Log => moved(model.at.log, -by),
        PaneId::Topology => moved(model.at.node, by),
    };
    choose(model, model.focus, row);
}

/// Chooses a row of a pane; a line of the topology is a host to be looked at.
pub(super) fn choose(model: &mut Model, pane: PaneId, row: usize) {
    match pane {
        // Its row is that of now.
        PaneId::Frames => {}
        PaneId::Headers | PaneId::Bytes => model.at.field = row,
        PaneId::Why => model.at.why = row,
        PaneId::Tables => model.at.table = row,
        PaneId::Timeline => model.at.lane = row,
        PaneId::Question => model.at.question = row,
        PaneId::Log => model.at.log = row,
        PaneId::Topology => {
            if let Some(branch) = model.run().tree.get(row) {
                (model.at.node, model.host) = (row, Some(branch.node));
            }
        }
    }
}
