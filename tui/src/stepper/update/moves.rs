//! Going through the run. Every step has one back that undoes it exactly; jumps are remembered.

use crate::place::Place;
use crate::stepper::model::Model;
use crate::stepper::panes::log;
use crate::stepper::rows::Row;
use crate::stepper::scene::Scene;
use sim_core::base::id::EventId;
use sim_core::base::time::Instant;
use sim_core::trace::Kind;
use std::sync::Arc;

/// Goes to the moment after an event.
pub(crate) fn go_to(model: &mut Model, event: EventId) {
    let run = Arc::clone(model.run());
    if run.trace.events.is_empty() {
        return;
    }
    model.cursor = event.min(run.last());
    model.tables.go_to(&run.trace, &run.changes, model.cursor);
}

/// The same, and remembers where I was.
pub(super) fn jump(model: &mut Model, event: EventId) {
    if event != model.cursor {
        model.trail.push(model.cursor);
        let too_many = model.trail.len().saturating_sub(TRAIL_MAX);
        model.trail.drain(..too_many);
        go_to(model, event);
    }
}

const TRAIL_MAX: usize = 500;

/// Where I was before the last jump.
pub(super) fn back(model: &mut Model) {
    match model.trail.pop() {
        Some(event) => go_to(model, event),
        None => model.note = Some("there was no jump".to_string()),
    }
}

/// So many rows of the list on, or back.
pub(super) fn frame(model: &mut Model, by: i64) {
    let run = Arc::clone(model.run());
    let event_of = |row: &Row| run.trace.frames[row.frame as usize - 1];
    let far = by.unsigned_abs() as usize;
    let target = if by >= 0 {
        let next = model.rows.partition_point(|row| event_of(row) <= model.cursor);
        let wanted = next.saturating_add(far.saturating_sub(1)).min(model.rows.len().saturating_sub(1));
        model.rows.get(wanted).filter(|_| next < model.rows.len())
    } else {
        let before = model.rows.partition_point(|row| event_of(row) < model.cursor);
        model.rows.get(before.saturating_sub(far)).filter(|_| before > 0)
    };
    match target.map(event_of) {
        Some(event) => go_to(model, event),
        None => {
            let edge = if by >= 0 { "this is the last frame" } else { "this is the first frame" };
            model.note = Some(match &model.filter {
                Some(applied) => format!("{edge} that passes {}", applied.filter.text()),
                None => edge.to_string(),
            });
        }
    }
}

/// The next event of the host of this one.
pub(super) fn event(model: &mut Model, forwards: bool) {
    let run = Arc::clone(model.run());
    let trace = &run.trace;
    let node = model.event_node();
    let here = |id: &u32| trace.step_of(EventId(*id)).node == node;
    let found = match forwards {
        true => (model.cursor.0.saturating_add(1)..trace.events.len() as u32).find(here),
        false => (0..model.cursor.0.min(trace.events.len() as u32)).rev().find(here),
    };
    match found {
        Some(id) => go_to(model, EventId(id)),
        None => {
            let what = if forwards { "nothing more happens on this host" } else { "nothing happened here before" };
            model.note = Some(what.to_string());
        }
    }
}

/// The next hop of this packet: where it leaves or comes in, through wrapping too.
pub(super) fn hop(model: &mut Model, forwards: bool) {
    let run = Arc::clone(model.run());
    let packet = run.trace.events.get(model.cursor.0 as usize).map(|event| event.packet);
    let Some(packet) = packet.filter(|packet| packet.is_some()) else {
        model.note = Some("this event is about no packet".to_string());
        return;
    };
    let way = run.way(packet);
    let mut frames: Vec<EventId> =
        way.iter().flat_map(|visit| visit.received.iter().chain(&visit.sent).copied()).collect();
    frames.sort_unstable();
    let found = match forwards {
        true => frames.iter().find(|event| **event > model.cursor),
        false => frames.iter().rfind(|event| **event < model.cursor),
    };
    match found {
        Some(event) => go_to(model, *event),
        None if forwards => {
            let ended = way.last().is_some_and(|last| last.dropped.is_some());
            let text = if ended { "the packet was dropped here" } else { "the packet goes no further" };
            model.note = Some(text.to_string());
        }
        None => model.note = Some("the packet was made here".to_string()),
    }
}

/// The next row of the list on the host that is looked at.
pub(super) fn on_host(model: &mut Model, forwards: bool) {
    let run = Arc::clone(model.run());
    let trace = &run.trace;
    let node = model.node();
    let event = |row: &Row| trace.frames[row.frame as usize - 1];
    let is_it = |id: &EventId| trace.step_of(*id).node == node;
    let found = match forwards {
        true => {
            let from = model.rows.partition_point(|row| event(row) <= model.cursor);
            model.rows[from..].iter().map(event).find(is_it)
        }
        false => {
            let to = model.rows.partition_point(|row| event(row) < model.cursor);
            model.rows[..to].iter().rev().map(event).find(is_it)
        }
    };
    match found {
        Some(event) => go_to(model, event),
        None => {
            let which = if forwards { "follows" } else { "came before" };
            model.note = Some(format!("no other frame {which} at {}", trace.node_name(node)));
        }
    }
}

/// The next request: its first event.
pub(super) fn request(model: &mut Model, forwards: bool) {
    let run = Arc::clone(model.run());
    let mut starts: Vec<EventId> = run.requests.iter().map(|request| request.start).collect();
    starts.sort_unstable();
    let found = match forwards {
        true => starts.iter().find(|start| **start > model.cursor),
        false => starts.iter().rfind(|start| **start < model.cursor),
    };
    match found {
        Some(start) => go_to(model, *start),
        None => {
            let what = if forwards { "no request follows" } else { "no request came before" };
            model.note = Some(what.to_string());
        }
    }
}

/// The first or the last row.
pub(super) fn edge(model: &mut Model, first: bool) {
    let row = if first { model.rows.first() } else { model.rows.last() };
    if let Some(row) = row {
        let event = model.run().trace.frames[row.frame as usize - 1];
        jump(model, event);
    }
}

/// The next frame that passes the filter.
pub(super) fn matching(model: &mut Model, forwards: bool) {
    if model.filter.is_none() {
        model.note = Some("there is no filter; / sets one".to_string());
    } else {
        frame(model, if forwards { 1 } else { -1 });
    }
}

/// A place as it was typed.
pub(super) fn place(model: &mut Model, text: &str) -> Result<(), String> {
    let place: Place = text.trim().parse()?;
    let run = Arc::clone(model.run());
    if run.trace.events.is_empty() {
        return Err("nothing happened in this run".to_string());
    }
    let event = place.event(&run.trace).map_err(|failure| failure.text())?;
    jump(model, event);
    Ok(())
}

/// Where a line of the log happened.
pub(super) fn to_log_row(model: &mut Model) {
    if let Some(event) = log::chosen(model) {
        jump(model, event);
    }
}

/// Where the next mark of the chosen lane is; after the last one, the first.
pub(super) fn to_lane_mark(model: &mut Model) {
    let run = Arc::clone(model.run());
    let Some(lane) = run.timeline.lanes.get(model.at.lane) else { return };
    let next = lane.marks.iter().find(|mark| mark.event > model.cursor).or(lane.marks.first());
    if let Some(mark) = next {
        jump(model, mark.event);
    }
}

/// The last thing that happened at an instant or before.
pub(super) fn to_instant(model: &mut Model, at: Instant) {
    let run = Arc::clone(model.run());
    if let Ok(event) = Place::Time(at).event(&run.trace) {
        jump(model, event);
    }
}

/// Where a typed line ended, or else where it began.
pub(super) fn after_command(model: &mut Model, index: u32) {
    let run = Arc::clone(model.run());
    let is_it = |kind: Kind| kind == Kind::CommandEnded(index) || kind == Kind::CommandStarted(index);
    if let Some(id) = run.trace.events.iter().rposition(|event| is_it(event.kind)) {
        go_to(model, EventId(id as u32));
    }
}

/// The connection of the packet under the cursor.
pub(super) fn connection(model: &Model) -> Option<u32> {
    let run = model.run();
    let scene = Scene::at(run, model.cursor)?;
    let number = scene.number().or_else(|| scene.frame().map(|frame| frame.number)).filter(|number| *number > 0)?;
    run.survey.conversations.of_frame(number)
}
