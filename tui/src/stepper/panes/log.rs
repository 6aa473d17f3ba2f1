//! The log up to now: what was typed and what came back, what programs wrote, requests, actions of the script.

use super::brush::{framed, line, list, start};
use super::pick::Pick;
use crate::stepper::describe;
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sim_core::base::id::EventId;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let inside = framed(frame, area, model, PaneId::Log, "LOG, up to now");
    let (height, width) = (inside.height as usize, inside.width as usize);
    let count = count(model);
    if count == 0 {
        frame.render_widget(Paragraph::new("nothing was typed or written so far"), inside);
        return;
    }
    let row = row(model, count);
    let first = start(count, row, height);
    let run = model.run();
    let lines: Vec<Line> = run.notable[first..count.min(first + height)]
        .iter()
        .map(|event| {
            let told = describe::event(run, *event);
            let step = run.trace.step_of(*event);
            let name = run.trace.node_name(step.node);
            let pieces = [
                (Ink::Faint, format!("{:>11} ", step.at.to_string())),
                (Ink::Name, format!("{name:<9} ")),
                (told.ink, told.text),
            ];
            line(model, &pieces, width)
        })
        .collect();
    list(frame, inside, model, PaneId::Log, lines, Some(row - first));
}

/// How many lines there are up to now.
pub(crate) fn count(model: &Model) -> usize {
    model.run().notable.partition_point(|event| *event <= model.cursor)
}

/// The chosen line; rows are counted from the last one.
fn row(model: &Model, count: usize) -> usize {
    let back = if model.focus == PaneId::Log { model.at.log } else { 0 };
    (count - 1).saturating_sub(back)
}

/// Where the chosen line happened.
pub(crate) fn chosen(model: &Model) -> Option<EventId> {
    let count = count(model);
    let row = row(model, count.max(1));
    model.run().notable.get(row).copied().filter(|_| count > 0)
}

/// Where the line happened.
pub(crate) fn pick(model: &Model, size: Size, _: u16, line: u16) -> Option<Pick> {
    let count = count(model);
    if count == 0 {
        return None;
    }
    let at = start(count, row(model, count), size.height as usize) + line as usize;
    model.run().notable[..count].get(at).map(|event| Pick::Line(*event))
}
