//! Why: what was decided about this packet at this host, in order; without a packet, what led to this event.

use super::brush::{cut, framed, line, list};
use crate::stepper::describe;
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::scene::Scene;
use crate::stepper::theme::Ink;
use pcap_out::layout::{pad, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sim_core::base::id::EventId;
use sim_core::trace::{Kind, explain};

/// Columns of the stage's name.
const STAGE: usize = 12;
/// More causes than this are not followed back.
const CHAIN_MAX: usize = 12;

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let run = model.run();
    let name = run.trace.cast.nodes.get(model.event_node().index()).map_or("", |card| &card.name);
    let inside = framed(frame, area, model, PaneId::Why, &format!("WHY, at {name}"));
    let width = inside.width as usize;
    let chain = chain(model);
    let mut lines: Vec<Line> = Vec::new();
    let mut first_of: Vec<usize> = Vec::new();
    for (event, number) in chain.iter().zip(1..) {
        first_of.push(lines.len());
        lines.extend(one(model, *event, number, width));
    }
    if lines.is_empty() {
        let text = "nothing was decided here so far; s goes on inside the host";
        frame.render_widget(Paragraph::new(wrap(text, width).join("\n")), inside);
        return;
    }
    let here = chain.iter().rposition(|event| *event <= model.cursor).unwrap_or(0);
    let row = if model.focus == PaneId::Why { model.at.why.min(chain.len() - 1) } else { here };
    list(frame, inside, model, PaneId::Why, lines, first_of.get(row).copied());
}

fn one(model: &Model, event: EventId, number: usize, width: usize) -> Vec<Line<'static>> {
    let run = model.run();
    let told = describe::event(run, event);
    let stage = describe::stage(run.trace.event(event).stage);
    let is_now = event == model.cursor;
    let is_later = event > model.cursor;
    let mark = if is_now { "▌" } else { " " };
    let head = format!("{mark}{number:>2} {}", pad(stage, STAGE));
    let code = told.code;
    let room = width.saturating_sub(head.chars().count() + code.len() + 1).max(12);
    let ink = if is_later {
        Ink::Faint
    } else if is_now {
        Ink::Here
    } else {
        told.ink
    };
    let mut lines = Vec::new();
    for (text, index) in wrap(&told.text, room).into_iter().zip(0..) {
        let pieces = match index {
            0 => [
                (Ink::Faint, head.clone()),
                (ink, pad(&cut(&text, room), room)),
                (if is_later { Ink::Faint } else { Ink::Name }, format!(" {code}")),
            ],
            _ => [(Ink::Faint, " ".repeat(head.chars().count())), (ink, text), (Ink::Faint, String::new())],
        };
        lines.push(line(model, &pieces, width));
    }
    lines
}

/// The events of the pane, in order.
pub(crate) fn chain(model: &Model) -> Vec<EventId> {
    let run = model.run();
    let Some(scene) = Scene::at(run, model.cursor) else { return Vec::new() };
    let mut chain: Vec<EventId> = match &scene.visit {
        Some(visit) if !visit.events.is_empty() || visit.dropped.is_some() => {
            let mut all: Vec<EventId> = visit.events.clone();
            all.extend(visit.dropped);
            all
        }
        Some(_) | None => causes(model),
    };
    chain.sort_unstable();
    chain.dedup();
    if model.is_veiled() {
        chain.retain(|event| *event <= model.cursor);
    }
    chain.truncate(CHAIN_LINES_MAX);
    chain
}

/// A packet with more decisions at one host than this is not shown whole.
const CHAIN_LINES_MAX: usize = 400;

/// What led to this event, the first cause first, and the event itself.
fn causes(model: &Model) -> Vec<EventId> {
    let trace = &model.run().trace;
    let mut found = vec![model.cursor];
    while let Some(last) = found.last().copied() {
        let cause = trace.event(last).cause;
        // A cause always lies before what it caused.
        if !cause.is_some() || cause >= last || found.len() >= CHAIN_MAX {
            break;
        }
        found.push(cause);
    }
    found
}

/// How many decisions can be chosen.
pub(crate) fn count(model: &Model) -> usize {
    chain(model).len()
}

/// The decision that is chosen.
pub(crate) fn chosen(model: &Model) -> Option<EventId> {
    let chain = chain(model);
    chain.get(model.at.why.min(chain.len().checked_sub(1)?)).copied()
}

/// The code of the most telling decision about the frame of now.
pub(crate) fn telling(model: &Model) -> Option<&'static str> {
    let run = model.run();
    if let Some((code, _)) = run.trace.frame_number(model.cursor).and_then(|number| describe::verdict(run, number)) {
        return Some(code);
    }
    let chain = chain(model);
    chain.iter().rev().filter(|event| **event <= model.cursor).find_map(|event| match run.trace.event(*event).kind {
        Kind::Decided(why) => Some(explain::code(&run.trace, why)),
        _ => None,
    })
}
