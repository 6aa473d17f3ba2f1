//! What panes draw with: borders, lines cut to a width, lists with a chosen row.

use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::merge::MergeStrategy;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

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
