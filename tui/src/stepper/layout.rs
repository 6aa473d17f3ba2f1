//! Where the panes stand. The same answer serves drawing and the mouse.
//!
//! ```text
//!   below 100 × 30        100 × 30 and up              160 × 45 and up
//!   ┌ frames ───────┐     ┌ timeline ───────────┐      ┌ timeline ───────────────────────┐
//!   │               │     ├ topology ┬ headers ─┤      ├ topology ┬ headers ─┬ tables ───┤
//!   ├ the pane that ┤     ├ frames ──┤          │      ├ frames ──┤          │           │
//!   │ has the focus │     │          ├ bytes ───┤      │          │          ├ log ──────┤
//!   └───────────────┘     ├ why ─────┼ tables* ─┤      ├ why ─────┼ bytes ───┼ question ─┤
//!                         └──────────┴──────────┘      └──────────┴──────────┴───────────┘
//!                         * or the log, or the question
//! ```

use super::pane::PaneId;
use ratatui::layout::Rect;

/// Smaller than this there is nothing but one line.
pub(crate) const SMALLEST: (u16, u16) = (60, 16);

/// What stands where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The first line.
    pub(crate) header: Rect,
    /// The panes. Neighbours share their border.
    pub(crate) panes: Vec<(PaneId, Rect)>,
    /// The last line.
    pub(crate) status: Rect,
}

/// What the layout depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// The pane with the focus.
    pub(crate) focus: PaneId,
    /// It alone.
    pub(crate) enlarged: bool,
    /// What stands in the corner that several panes share.
    pub(crate) corner: PaneId,
    /// How many lanes the timeline has.
    pub(crate) lanes: usize,
    /// How many lines the topology has.
    pub(crate) nodes: usize,
}

/// Where everything stands on a screen; none if it is too small.
pub(crate) fn places(size: (u16, u16), wanted: &Wanted) -> Option<Places> {
    let (width, height) = size;
    if width < SMALLEST.0 || height < SMALLEST.1 {
        return None;
    }
    let header = Rect::new(0, 0, width, 1);
    let status = Rect::new(0, height - 1, width, 1);
    let body = Rect::new(0, 1, width, height - 2);
    let panes = if wanted.enlarged {
        vec![(wanted.focus, body)]
    } else if width >= 160 && height >= 45 {
        large(body, wanted)
    } else if width >= 100 && height >= 30 {
        medium(body, wanted)
    } else {
        small(body, wanted)
    };
    Some(Places { header, panes, status })
}

fn small(body: Rect, wanted: &Wanted) -> Vec<(PaneId, Rect)> {
    let second = if wanted.focus == PaneId::Frames { wanted.corner } else { wanted.focus };
    let [top, bottom] = down(body, [body.height / 2]);
    vec![(PaneId::Frames, top), (second, bottom)]
}

fn medium(body: Rect, wanted: &Wanted) -> Vec<(PaneId, Rect)> {
    let [time, rest] = down(body, [time_height(wanted, body.height)]);
    let [left, right] = across(rest, [rest.width / 2 + 1]);
    let nodes = (wanted.nodes as u16 + 2).clamp(5, rest.height / 4);
    let [topology, frames, why] = down(left, [nodes, (rest.height - nodes) / 2]);
    let [headers, bytes, corner] = down(right, [rest.height * 2 / 5, rest.height / 4]);
    vec![
        (PaneId::Timeline, time),
        (PaneId::Topology, topology),
        (PaneId::Frames, frames),
        (PaneId::Why, why),
        (PaneId::Headers, headers),
        (PaneId::Bytes, bytes),
        (wanted.corner, corner),
    ]
}

fn large(body: Rect, wanted: &Wanted) -> Vec<(PaneId, Rect)> {
    let [time, rest] = down(body, [time_height(wanted, body.height)]);
    let [left, middle, right] = across(rest, [rest.width * 2 / 5, rest.width * 3 / 10]);
    let nodes = (wanted.nodes as u16 + 2).clamp(5, rest.height / 3);
    let [topology, frames, why] = down(left, [nodes, (rest.height - nodes) / 2]);
    let [headers, bytes] = down(middle, [rest.height * 3 / 5]);
    let [tables, log, question] = down(right, [rest.height / 2, rest.height / 4]);
    vec![
        (PaneId::Timeline, time),
        (PaneId::Topology, topology),
        (PaneId::Frames, frames),
        (PaneId::Why, why),
        (PaneId::Headers, headers),
        (PaneId::Bytes, bytes),
        (PaneId::Tables, tables),
        (PaneId::Log, log),
        (PaneId::Question, question),
    ]
}

fn time_height(wanted: &Wanted, height: u16) -> u16 {
    // On a low screen the frames need the lines more.
    let part = if height < 36 { 5 } else { 4 };
    (wanted.lanes as u16 + 3).clamp(4, height / part)
}

/// One above the other; each shares a border with the next. The last takes what is left.
fn down<const N: usize, const M: usize>(area: Rect, heights: [u16; N]) -> [Rect; M] {
    let mut y = area.y;
    std::array::from_fn(|index| {
        let left = area.y + area.height - y;
        let height = heights.get(index).copied().unwrap_or(left).clamp(3.min(left), left);
        let rect = Rect::new(area.x, y, area.width, height);
        y = (y + height).saturating_sub(1).min(area.y + area.height - 1);
        rect
    })
}

/// One beside the other; each shares a border with the next. The last takes what is left.
fn across<const N: usize, const M: usize>(area: Rect, widths: [u16; N]) -> [Rect; M] {
    let mut x = area.x;
    std::array::from_fn(|index| {
        let left = area.x + area.width - x;
        let width = widths.get(index).copied().unwrap_or(left).clamp(3.min(left), left);
        let rect = Rect::new(x, area.y, width, area.height);
        x = (x + width).saturating_sub(1).min(area.x + area.width - 1);
        rect
    })
}
