//! The timeline across the top: lanes of states and moments, a line for now, `z Z` for a shorter or longer span, `[ ]` for an
//! earlier or later one.

use super::brush::{cut, framed, start};
use super::pick::Pick;
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;
use pcap_out::timeline::{Cell, Tone, axis, column};
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use sim_core::base::time::Instant;
use unicode_width::UnicodeWidthStr;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let inside = framed(frame, area, model, PaneId::Timeline, "TIME");
    if inside.height == 0 {
        return;
    }
    let timeline = &model.run().timeline;
    let (from, to) = model.span();
    let (names, room) = columns(model, inside.width as usize);
    let lanes = (inside.height as usize).saturating_sub(1);
    let first = start(timeline.lanes.len(), model.at.lane, lanes);
    let is_shown = (from..=to).contains(&model.now());
    let now = is_shown.then(|| column(model.now(), from, to, room));
    let later = |at: usize| if is_shown { Some(at) > now } else { model.now() < from };
    let mut lines: Vec<Line> = Vec::new();
    for (lane, index) in timeline.lanes.iter().zip(0..).skip(first).take(lanes) {
        let is_chosen = model.focus == PaneId::Timeline && index == model.at.lane;
        let state = lane.state_at(model.now()).filter(|mark| !mark.text.is_empty());
        let state = state.map_or(String::new(), |mark| format!(" {}", mark.text));
        let name = cut(&format!("{}{state}", lane.name), names);
        let ink = if is_chosen { Ink::Selected } else { Ink::Plain };
        let mut spans = vec![Span::styled(pad(&name, names), model.theme.style(ink)), Span::raw(" ")];
        let cells = lane.cells(from, to, room);
        spans.extend(cells.iter().enumerate().map(|(at, cell)| drawn(model, *cell, Some(at) == now, later(at))));
        lines.push(Line::from(spans));
    }
    lines.push(foot(model, from, to, names, room, now));
    frame.render_widget(Paragraph::new(lines), inside);
}

/// Columns of the lanes' names, and of the lanes.
fn columns(model: &Model, width: usize) -> (usize, usize) {
    let widest = model.run().timeline.lanes.iter().map(|lane| lane.name.width() + 9).max().unwrap_or(0);
    let names = widest.min(width / 3);
    (names, width.saturating_sub(names + 1).max(1))
}

fn drawn(model: &Model, cell: Cell, is_now: bool, is_later: bool) -> Span<'static> {
    let hidden = is_later && model.is_veiled();
    let ink = match cell.tone {
        Tone::Absent | Tone::Idle | Tone::Tick => Ink::Faint,
        Tone::Active | Tone::Good => Ink::Good,
        Tone::Other => Ink::Name,
        Tone::Late => Ink::Warn,
        Tone::Wrong | Tone::Failed => Ink::Bad,
    };
    let sign = match cell.tone {
        _ if hidden => ' ',
        Tone::Good if is_later => '○',
        _ => cell.sign,
    };
    let sign = if is_now && sign == ' ' { '│' } else { sign };
    let style = model.theme.style(if is_now { Ink::Selected } else { ink });
    Span::styled(sign.to_string(), style)
}

fn foot(model: &Model, from: Instant, to: Instant, names: usize, room: usize, now: Option<usize>) -> Line<'static> {
    let zoom = if model.zoom == 0 { String::new() } else { format!("zoom 1/{}", 1u64 << model.zoom.min(40)) };
    let axis: String = cut(&axis(from, to, room), room);
    let mut signs: Vec<char> = axis.chars().collect();
    signs.resize(room, ' ');
    let (before, rest) = signs.split_at(now.unwrap_or(room).min(room));
    let (here, after) = rest.split_at(usize::from(!rest.is_empty()));
    Line::from(vec![
        Span::styled(pad(&cut(&zoom, names), names + 1), model.theme.style(Ink::Faint)),
        Span::styled(before.iter().collect::<String>(), model.theme.style(Ink::Faint)),
        Span::styled(here.iter().collect::<String>(), model.theme.style(Ink::Selected)),
        Span::styled(after.iter().collect::<String>(), model.theme.style(Ink::Faint)),
    ])
}

/// The lane of a line, and the instant of a column.
pub(crate) fn pick(model: &Model, size: Size, at: u16, line: u16) -> Option<Pick> {
    let (names, room) = columns(model, size.width as usize);
    let lanes = (size.height as usize).saturating_sub(1);
    let count = model.run().timeline.lanes.len();
    let lane = start(count, model.at.lane, lanes) + line as usize;
    let lane = Some(lane).filter(|lane| *lane < count && (line as usize) < lanes);
    let instant = (at as usize).checked_sub(names + 1).map(|place| {
        let (from, to) = model.span();
        let span = u128::from(to.since(from).nanos());
        let offset = (span * place as u128 / room as u128) as u64;
        Instant::from_nanos(from.nanos().saturating_add(offset))
    });
    Some(Pick::Time(lane, instant))
}
