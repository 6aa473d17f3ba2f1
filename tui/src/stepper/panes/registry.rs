//! Every pane in one table: its name, what draws it, how many rows can be chosen, what a click means.

use super::pick::{Pick, listed};
use super::{bytes, frames, headers, log, question, tables, timeline, topology, why};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};

/// A row of the registry.
pub(crate) struct Row {
    /// Which pane.
    pub(crate) id: PaneId,
    /// Its name, for the last line and the help.
    pub(crate) name: &'static str,
    /// What Enter does in it.
    pub(crate) enter: &'static str,
    /// Draws it.
    pub(crate) view: fn(&mut Frame, Rect, &Model),
    /// How many rows can be chosen.
    pub(crate) rows: fn(&Model) -> usize,
    /// What stands under a column and line of it, in an area of this size.
    pub(crate) pick: fn(&Model, Size, u16, u16) -> Option<Pick>,
}

/// Every pane, in the order in which Tab visits them.
pub(crate) const PANES: &[Row] = &[
    Row {
        id: PaneId::Frames,
        name: "frames",
        enter: "reason",
        view: frames::view,
        rows: |model| model.rows.len(),
        pick: frames::pick,
    },
    Row {
        id: PaneId::Headers,
        name: "headers",
        enter: "why this field",
        view: headers::view,
        rows: headers::count,
        pick: headers::pick,
    },
    Row {
        id: PaneId::Bytes,
        name: "bytes",
        enter: "why this field",
        view: bytes::view,
        rows: headers::count,
        pick: bytes::pick,
    },
    Row {
        id: PaneId::Why,
        name: "why",
        enter: "reason",
        view: why::view,
        rows: why::count,
        pick: |model, size, _, line| Some(listed(why::count(model), model.at.why, size, line)),
    },
    Row {
        id: PaneId::Tables,
        name: "tables",
        enter: "why not",
        view: tables::view,
        rows: tables::count,
        pick: |model, size, _, line| Some(listed(tables::count(model), model.at.table, size, line)),
    },
    Row { id: PaneId::Log, name: "log", enter: "go there", view: log::view, rows: log::count, pick: log::pick },
    Row {
        id: PaneId::Question,
        name: "question",
        enter: "predict",
        view: question::view,
        rows: question::count,
        pick: |model, size, _, line| Some(listed(question::count(model), model.at.question, size, line)),
    },
    Row {
        id: PaneId::Timeline,
        name: "timeline",
        enter: "next mark",
        view: timeline::view,
        rows: |model| model.run().timeline.lanes.len(),
        pick: timeline::pick,
    },
    Row {
        id: PaneId::Topology,
        name: "topology",
        enter: "console",
        view: topology::view,
        rows: |model| model.run().tree.len(),
        pick: |model, size, _, line| Some(listed(model.run().tree.len(), topology::row(model), size, line)),
    },
];

/// The row of a pane.
pub(crate) fn row(pane: PaneId) -> &'static Row {
    PANES.iter().find(|row| row.id == pane).unwrap_or(&PANES[0])
}

/// How many rows of a pane can be chosen.
pub(crate) fn row_count(model: &Model, pane: PaneId) -> usize {
    (row(pane).rows)(model)
}
