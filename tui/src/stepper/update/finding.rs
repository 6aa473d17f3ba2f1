//! What is shown and where the search stops: filter, folding, following, breakpoints. Long searches go in slices.

use super::moves;
use crate::stepper::explain_field;
use crate::stepper::model::{Applied, Model, Seek};
use crate::stepper::rows;
use sim_core::trace::filter::Filter;
use std::sync::Arc;

/// Frames that are looked at in one slice.
fn slice(filters: &[Filter]) -> u32 {
    // What only the capture knows (reasons, connections) is made into text for each frame.
    if filters.iter().any(Filter::asks_capture) { 400 } else { 4000 }
}

/// Shows only frames that pass; none shows all.
pub(crate) fn filtered(model: &mut Model, filter: Option<Filter>) {
    model.filter = filter.map(|filter| Applied { filter, frames: Vec::new(), scanned: 0 });
    scan(model);
    rebuild(model);
}

/// The rows anew, from what is known of the filter so far.
pub(super) fn rebuild(model: &mut Model) {
    let run = Arc::clone(model.run());
    let only = model.filter.as_ref().map(|applied| applied.frames.as_slice());
    model.rows = Arc::new(rows::rows(&run.noise, only, model.fold));
}

/// A slice of everything that goes on.
pub(super) fn turn(model: &mut Model) {
    if model.filter.as_ref().is_some_and(|applied| applied.scanned < model.run().frames()) {
        scan(model);
        rebuild(model);
    }
    if let Some(seek) = model.seek {
        look(model, seek);
    }
}

fn scan(model: &mut Model) {
    let run = Arc::clone(model.run());
    let Some(applied) = &mut model.filter else { return };
    let to = applied.scanned.saturating_add(slice(std::slice::from_ref(&applied.filter))).min(run.frames());
    for number in applied.scanned + 1..=to {
        let Some(frame) = run.trace.frame(number) else { continue };
        if run.survey.passes(&run.trace, &applied.filter, &frame) {
            applied.frames.push(number);
        }
    }
    applied.scanned = to;
}

/// Only the connection of this packet; again: everything.
pub(super) fn follow(model: &mut Model) {
    let follows = |applied: &Applied| applied.filter.text().starts_with("lab.conn == ");
    if model.filter.as_ref().is_some_and(follows) {
        return filtered(model, None);
    }
    let Some(conn) = moves::connection(model) else {
        model.note = Some("this frame belongs to no connection".to_string());
        return;
    };
    let Ok(filter) = Filter::parse(&format!("lab.conn == {conn}")) else { return };
    let run = Arc::clone(model.run());
    let frames = run.survey.conversations.frames_of(conn).collect();
    model.filter = Some(Applied { filter, frames, scanned: run.frames() });
    rebuild(model);
}

/// Folds noise, or shows it.
pub(super) fn fold(model: &mut Model) {
    model.fold = !model.fold;
    rebuild(model);
    let folded = "folded: copies of flooded frames, adverts, health checks";
    model.note = Some(if model.fold { folded } else { "every frame is shown" }.to_string());
}

/// The field under the cursor as the filter.
pub(super) fn apply_field(model: &mut Model) {
    match explain_field::as_filter(model).map(|text| Filter::parse(&text)) {
        Some(Ok(filter)) => filtered(model, Some(filter)),
        Some(Err(error)) => model.note = Some(error.to_string()),
        None => model.note = Some("there is no field here".to_string()),
    }
}

/// Sets a breakpoint, or takes away the same one.
pub(super) fn toggle_break(model: &mut Model, filter: Filter) {
    let known = model.breaks.iter().position(|other| other.text() == filter.text());
    match known {
        Some(at) => {
            model.breaks.remove(at);
            model.note = Some(format!("no break on {} any longer", filter.text()));
        }
        None if model.breaks.len() >= BREAKS_MAX => {
            model.note = Some(format!("there are {BREAKS_MAX} breakpoints already"));
        }
        None => {
            model.note = Some(format!("break on {}; c goes on to the next", filter.text()));
            model.breaks.push(filter);
        }
    }
}

const BREAKS_MAX: usize = 32;

/// Begins the search for the next breakpoint.
pub(super) fn seek(model: &mut Model, forwards: bool) {
    if model.breaks.is_empty() {
        model.note = Some("there is no breakpoint; b sets one".to_string());
        return;
    }
    let run = Arc::clone(model.run());
    let now = run.frame_before(model.cursor);
    let is_frame = run.trace.frame_number(model.cursor).is_some();
    let frame = match (forwards, is_frame) {
        (true, _) => now + 1,
        (false, true) => now.saturating_sub(1),
        (false, false) => now,
    };
    look(model, Seek { frame, forwards });
}

fn look(model: &mut Model, mut seek: Seek) {
    let run = Arc::clone(model.run());
    for _ in 0..slice(&model.breaks) {
        let Some(frame) = run.trace.frame(seek.frame) else {
            model.seek = None;
            let side = if seek.forwards { "after" } else { "before" };
            model.note = Some(format!("no breakpoint {side} this frame"));
            return;
        };
        if model.breaks.iter().any(|filter| run.survey.passes(&run.trace, filter, &frame)) {
            model.seek = None;
            moves::jump(model, frame.event);
            return;
        }
        seek.frame = if seek.forwards { seek.frame + 1 } else { seek.frame.wrapping_sub(1) };
    }
    model.seek = Some(seek);
}

/// Whether the frame of now is one to stop at.
pub(super) fn is_break(model: &Model) -> bool {
    let run = model.run();
    let Some(frame) = run.frame_at(model.cursor) else { return false };
    model.breaks.iter().any(|filter| run.survey.passes(&run.trace, filter, &frame))
}
