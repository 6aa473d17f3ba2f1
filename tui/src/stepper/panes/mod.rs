//! The panes: one file each with one function that draws it, one row each in [`PANES`]. They read the model and decide
//! nothing.

pub(crate) mod bytes;
pub(crate) mod editor;
pub(crate) mod frames;
pub(crate) mod headers;
pub(crate) mod help;
pub(crate) mod log;
pub(crate) mod overlay;
pub(crate) mod question;
pub(crate) mod status;
pub(crate) mod tables;
pub(crate) mod timeline;
pub(crate) mod topology;
pub(crate) mod why;

use super::model::Model;
use super::theme::Ink;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaneId {
    /// The frames, in order.
    Frames,
    /// Headers before and after.
    Headers,
    /// The frame's octets.
    Bytes,
    /// The chain of decisions.
    Why,
    /// Tables at this instant.
    Tables,
    /// What is cabled to what.
    Topology,
    /// States over time.
    Timeline,
    /// What was typed, and what programs said.
    Log,
    /// What the scenario asks and expects.
    Question,
}

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
}

/// Every pane, in the order in which Tab visits them.
pub(crate) const PANES: &[Row] = &[
    Row { id: PaneId::Frames, name: "frames", enter: "reason", view: frames::view, rows: |model| model.rows.len() },
    Row { id: PaneId::Headers, name: "headers", enter: "why this field", view: headers::view, rows: headers::count },
    Row { id: PaneId::Bytes, name: "bytes", enter: "why this field", view: bytes::view, rows: headers::count },
    Row { id: PaneId::Why, name: "why", enter: "reason", view: why::view, rows: why::count },
    Row { id: PaneId::Tables, name: "tables", enter: "why not", view: tables::view, rows: tables::count },
    Row { id: PaneId::Log, name: "log", enter: "go there", view: log::view, rows: log::count },
    Row { id: PaneId::Question, name: "question", enter: "predict", view: question::view, rows: question::count },
    Row {
        id: PaneId::Timeline,
        name: "timeline",
        enter: "next mark",
        view: timeline::view,
        rows: |model| model.run().timeline.lanes.len(),
    },
    Row {
        id: PaneId::Topology,
        name: "topology",
        enter: "console",
        view: topology::view,
        rows: |model| model.run().tree.len(),
    },
];

impl PaneId {
    /// Its row.
    pub(crate) fn row(self) -> &'static Row {
        PANES.iter().find(|row| row.id == self).unwrap_or(&PANES[0])
    }

    /// Whether it stands where others can stand too, when there is not room for all.
    pub(crate) fn shares_corner(self) -> bool {
        matches!(self, PaneId::Tables | PaneId::Log | PaneId::Question)
    }
}

/// How many rows of a pane can be chosen.
pub(crate) fn row_count(model: &Model, pane: PaneId) -> usize {
    (pane.row().rows)(model)
}

/// A click inside a pane, at a column and line of it.
pub(crate) fn clicked(model: &mut Model, pane: PaneId, inside: Rect, column: u16, line: u16) {
    let height = inside.height as usize;
    let line = line as usize;
    match pane {
        PaneId::Frames => frames::clicked(model, height, line),
        PaneId::Headers => headers::clicked(model, height, line),
        PaneId::Bytes => bytes::clicked(model, height, line, column as usize),
        PaneId::Why => model.at.why = start(row_count(model, pane), model.at.why, height) + line,
        PaneId::Tables => model.at.table = start(row_count(model, pane), model.at.table, height) + line,
        PaneId::Question => model.at.question = start(row_count(model, pane), model.at.question, height) + line,
        PaneId::Log => log::clicked(model, height, line),
        PaneId::Timeline => timeline::clicked(model, inside, column, line as u16),
        PaneId::Topology => {
            let row = start(row_count(model, pane), topology::row(model), height) + line;
            if let Some(branch) = model.run().tree.get(row) {
                (model.at.node, model.host) = (row, Some(branch.node));
            }
        }
    }
}

/// Draws everything.
pub(crate) fn view(frame: &mut Frame, model: &Model) {
    let area = frame.area();
    match model.places() {
        None => {
            let text = format!("lvslab needs 60 × 16 columns and lines; here are {} × {}", area.width, area.height);
            frame.render_widget(Paragraph::new(text), area);
        }
        Some(places) => {
            status::header(frame, places.header, model);
            // The pane with the focus comes last, so that its borders lie on top.
            let (last, first): (Vec<_>, Vec<_>) = places.panes.into_iter().partition(|(id, _)| *id == model.focus);
            for (id, area) in first.into_iter().chain(last) {
                (id.row().view)(frame, area, model);
            }
            status::view(frame, places.status, model);
            overlay::view(frame, area, model);
        }
    }
    model.theme.finish(frame.buffer_mut());
}

/// Draws the border of a pane; gives back what is inside.
pub(crate) fn framed(frame: &mut Frame, area: Rect, model: &Model, id: PaneId, title: &str) -> Rect {
    let has_focus = model.focus == id;
    let border = if has_focus { Ink::Focus } else { Ink::Faint };
    let name = if has_focus { Ink::Focus } else { Ink::Title };
    let sign = if has_focus { "▶" } else { "" };
    let room = (area.width as usize).saturating_sub(5);
    let title = Line::styled(cut(&format!(" {sign}{title} "), room), model.theme.style(name));
    let block =
        Block::bordered().merge_borders(MergeStrategy::Exact).border_style(model.theme.style(border)).title(title);
    let inside = block.inner(area);
    frame.render_widget(Clear, inside);
    frame.render_widget(block, area);
    inside
}

/// The first line shown of `count`, so that `chosen` is in the middle where it can be.
pub(crate) fn start(count: usize, chosen: usize, height: usize) -> usize {
    chosen.saturating_sub(height / 2).min(count.saturating_sub(height))
}

/// A text in at most `width` columns; what does not fit ends in `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// A line of pieces with their inks, cut to a width and filled up.
pub(crate) fn line(model: &Model, pieces: &[(Ink, String)], width: usize) -> Line<'static> {
    let mut left = width;
    let mut spans = Vec::new();
    for (ink, text) in pieces {
        let text = cut(&plain(text), left);
        left = left.saturating_sub(text.width());
        spans.push(Span::styled(text, model.theme.style(*ink)));
    }
    spans.push(Span::raw(" ".repeat(left)));
    Line::from(spans)
}

/// Without what would move the terminal's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// Draws lines; the chosen one is lit if the pane has the focus.
pub(crate) fn list(frame: &mut Frame, area: Rect, model: &Model, id: PaneId, lines: Vec<Line>, chosen: Option<usize>) {
    let height = area.height as usize;
    let first = start(lines.len(), chosen.unwrap_or(0), height);
    let here = model.focus == id;
    let shown = lines.into_iter().enumerate().skip(first).take(height).map(|(index, line)| {
        let is_chosen = here && chosen == Some(index);
        if is_chosen { line.style(model.theme.style(Ink::Selected)) } else { line }
    });
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), area);
}

/// The style of an ink, for a piece that is drawn alone.
pub(crate) fn style(model: &Model, ink: Ink) -> Style {
    model.theme.style(ink)
}
