//! The octets of the frame, sixteen a line, with the chosen field lit; a click on an octet chooses its field.

use super::brush::{framed, start};
use super::pick::Pick;
use crate::stepper::fields::{self, FieldRow};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::scene::Scene;
use crate::stepper::theme::Ink;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

const PER_LINE: usize = 16;
/// Where the first octet of a line stands.
const FIRST: usize = 6;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let scene = Scene::at(model.run(), model.cursor);
    let shown = scene.as_ref().and_then(Scene::frame);
    let title = shown.map_or("BYTES".to_string(), |frame| match frame.number {
        0 => format!("BYTES, {} octets", frame.length),
        number => format!("BYTES of f{number}, {} octets", frame.length),
    });
    let inside = framed(frame, area, model, PaneId::Bytes, &title);
    let (Some(scene), Some(shown)) = (&scene, shown) else { return };
    let rows = fields::rows(scene);
    let all = fields::only_fields(&rows);
    let chosen = all.get(model.at.field.min(all.len().saturating_sub(1))).copied();
    let place = chosen.and_then(|field| field.place);
    let changed: Vec<(usize, usize)> =
        all.iter().filter(|field| field.changed).filter_map(|field| field.place).collect();
    let height = (inside.height as usize).saturating_sub(1);
    let lines = shown.bytes.len().div_ceil(PER_LINE);
    let first = start(lines, place.map_or(0, |(start, _)| start / PER_LINE), height);
    let ink = |at: usize| {
        let within = |(start, length): (usize, usize)| (start..start + length).contains(&at);
        match place {
            Some(place) if within(place) => Ink::Selected,
            _ if changed.iter().any(|place| within(*place)) => Ink::Changed,
            _ => Ink::Plain,
        }
    };
    let mut drawn: Vec<Line> = Vec::new();
    for (index, chunk) in shown.bytes.chunks(PER_LINE).enumerate().skip(first).take(height) {
        drawn.push(one(model, index * PER_LINE, chunk, inside.width as usize, &ink));
    }
    drawn.push(caption(model, chosen));
    frame.render_widget(Paragraph::new(drawn), inside);
}

fn one(model: &Model, at: usize, chunk: &[u8], width: usize, ink: &impl Fn(usize) -> Ink) -> Line<'static> {
    let mut spans = vec![Span::styled(format!("{at:04x}  "), model.theme.style(Ink::Faint))];
    for (index, byte) in chunk.iter().enumerate() {
        spans.push(Span::styled(format!("{byte:02x}"), model.theme.style(ink(at + index))));
        let joined =
            ink(at + index) == Ink::Selected && index + 1 < chunk.len() && ink(at + index + 1) == Ink::Selected;
        let gap = if index == PER_LINE / 2 - 1 { "  " } else { " " };
        let style = if joined { model.theme.style(Ink::Selected) } else { model.theme.style(Ink::Plain) };
        spans.push(Span::styled(gap, style));
    }
    let used = FIRST + PER_LINE * 3 + 1;
    if width >= used + 2 + PER_LINE {
        let missing = PER_LINE - chunk.len();
        let fill = missing * 3 + usize::from(chunk.len() < PER_LINE / 2) + 1;
        spans.push(Span::raw(" ".repeat(fill)));
        for (index, byte) in chunk.iter().enumerate() {
            let c = if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
            spans.push(Span::styled(c.to_string(), model.theme.style(ink(at + index))));
        }
    }
    Line::from(spans)
}

/// The chosen field in words.
fn caption(model: &Model, chosen: Option<&FieldRow>) -> Line<'static> {
    let Some(field) = chosen else { return Line::default() };
    let row = field.name.row();
    let was = match (&field.before, field.changed) {
        (Some(before), true) => format!(", was {before}"),
        _ => String::new(),
    };
    let text = format!("{} = {}{was}", row.name, field.value());
    Line::styled(text, model.theme.style(if field.changed { Ink::Changed } else { Ink::Name }))
}

/// The smallest field that holds the octet there.
pub(crate) fn pick(model: &Model, size: Size, column: u16, line: u16) -> Option<Pick> {
    let scene = Scene::at(model.run(), model.cursor)?;
    let shown = scene.frame()?;
    let rows = fields::rows(&scene);
    let all = fields::only_fields(&rows);
    let place = all.get(model.at.field).and_then(|field| field.place);
    let lines = shown.bytes.len().div_ceil(PER_LINE);
    let height = (size.height as usize).saturating_sub(1);
    let first = start(lines, place.map_or(0, |(start, _)| start / PER_LINE), height);
    let right = (column as usize).checked_sub(FIRST)?;
    let right = if right > PER_LINE / 2 * 3 { right - 1 } else { right };
    let at = (first + line as usize) * PER_LINE + (right / 3).min(PER_LINE - 1);
    let holding = all.into_iter().enumerate().filter_map(|(index, field)| {
        let (start, length) = field.place?;
        (start..start + length).contains(&at).then_some((length, index))
    });
    holding.min().map(|(_, index)| Pick::Row(index))
}
