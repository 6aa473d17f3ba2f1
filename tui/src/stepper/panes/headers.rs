//! The headers before │ after this host. What changed is lit and marked with `*`; `=` means the same as before.

use super::brush::{cut, framed, line, list, start};
use super::pick::Pick;
use crate::stepper::fields::{self, FieldRow, HeaderRow};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::scene::Scene;
use crate::stepper::theme::Ink;
use pcap_out::layout::pad;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

/// Columns of a field's name.
const NAME: usize = 18;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let scene = Scene::at(model.run(), model.cursor);
    let inside = framed(frame, area, model, PaneId::Headers, &title(model, scene.as_ref()));
    let rows = scene.as_ref().map_or(Vec::new(), fields::rows);
    let (Some(scene), false) = (scene, rows.is_empty()) else {
        frame.render_widget(Paragraph::new("no frame at this event; s and → go on"), inside);
        return;
    };
    if inside.height == 0 {
        return;
    }
    let width = inside.width as usize;
    let both = scene.before.is_some() && scene.after.is_some();
    let value = if both { width.saturating_sub(NAME + 5) / 2 } else { width.saturating_sub(NAME + 1) };
    let number = |frame: Option<&sim_core::trace::capture::Captured>| {
        frame.filter(|frame| frame.number > 0).map_or(String::new(), |frame| format!("f{}", frame.number))
    };
    let (came, left) = (number(scene.before.as_ref()), number(scene.after.as_ref()));
    let heading = match (scene.before.is_some(), scene.after.is_some()) {
        (true, true) => {
            format!("{}│ {}", pad(&format!("before: in {came}"), value + 1), format_args!("after: out {left}"))
        }
        (true, false) => format!("in {came}"),
        _ => format!("out {left}"),
    };
    let top = Rect { height: 1, ..inside };
    let rest = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let heading = [(Ink::Faint, format!("{}{heading}", " ".repeat(NAME)))];
    frame.render_widget(Paragraph::new(line(model, &heading, width)), top);
    let chosen = chosen_line(&rows, model.at.field);
    let lines: Vec<Line> = rows.iter().map(|row| one(model, row, both, value, width)).collect();
    list(frame, rest, model, PaneId::Headers, lines, chosen);
}

fn title(model: &Model, scene: Option<&Scene>) -> String {
    let Some(scene) = scene else { return "HEADERS".to_string() };
    let name = model.run().trace.node_name(scene.node);
    match scene.hop {
        Some((hop, of)) => format!("HEADERS at {name}, hop {hop} of {of}"),
        None => format!("HEADERS at {name}"),
    }
}

/// The line on which the chosen field stands.
fn chosen_line(rows: &[HeaderRow], field: usize) -> Option<usize> {
    let count = fields::only_fields(rows).len();
    let wanted = field.min(count.checked_sub(1)?);
    let is_field = |row: &&(usize, &HeaderRow)| matches!(row.1, HeaderRow::Field(_));
    rows.iter().enumerate().collect::<Vec<_>>().iter().filter(is_field).nth(wanted).map(|(index, _)| *index)
}

fn one(model: &Model, row: &HeaderRow, both: bool, value: usize, width: usize) -> Line<'static> {
    match row {
        HeaderRow::Layer(title) => line(model, &[(Ink::Title, title.clone())], width),
        HeaderRow::Field(field) => {
            let name = pad(&cut(&format!("  {}", field.name.row().title), NAME - 1), NAME);
            let ink = if field.changed { Ink::Changed } else { Ink::Plain };
            if !both {
                return line(model, &[(Ink::Faint, name), (ink, field.value().to_string())], width);
            }
            let before = fitted(field.before.as_deref().unwrap_or("-"), value);
            let (sign, after) = after(field);
            let mark = if field.changed { "*" } else { "" };
            let room = width.saturating_sub(NAME + value + 4);
            let after = fitted(&after, room);
            let gap = " ".repeat(room.saturating_sub(after.width()));
            let pieces = [
                (Ink::Faint, name),
                (Ink::Plain, pad(&before, value)),
                (Ink::Faint, format!(" │{sign}")),
                (ink, format!("{after}{gap}{mark}")),
            ];
            line(model, &pieces, width)
        }
    }
}

/// A value in so many columns. Of a MAC the end is kept, which tells cards apart.
fn fitted(text: &str, width: usize) -> String {
    let is_mac = text.len() == 17 && text.matches(':').count() == 5;
    match text.len().checked_sub(width.saturating_sub(1)) {
        Some(from) if is_mac && text.width() > width && text.is_char_boundary(from) => format!("…{}", &text[from..]),
        Some(_) | None => cut(text, width),
    }
}

fn after(field: &FieldRow) -> (&'static str, String) {
    match (&field.before, &field.after) {
        (Some(before), Some(after)) if before == after => (" ", "=".to_string()),
        (_, Some(after)) => (" ", after.clone()),
        (_, None) => (" ", "-".to_string()),
    }
}

/// How many fields can be chosen.
pub(crate) fn count(model: &Model) -> usize {
    Scene::at(model.run(), model.cursor).map_or(0, |scene| fields::only_fields(&fields::rows(&scene)).len())
}

/// The field on a line.
pub(crate) fn pick(model: &Model, size: Size, _: u16, line: u16) -> Option<Pick> {
    let scene = Scene::at(model.run(), model.cursor)?;
    let rows = fields::rows(&scene);
    // The first line says what the columns are.
    let height = (size.height as usize).saturating_sub(1);
    let first = start(rows.len(), chosen_line(&rows, model.at.field).unwrap_or(0), height);
    let at = first + (line as usize).checked_sub(1)?;
    let is_field = |row: &&HeaderRow| matches!(row, HeaderRow::Field(_));
    rows.get(at).filter(is_field)?;
    Some(Pick::Row(rows[..at].iter().filter(is_field).count()))
}
