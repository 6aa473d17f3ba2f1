//! What happens changes the model here, and nowhere else.
//!
//! ```text
//!   message ─► the overlay on top ─► the table of keys ─► moves, finding, looking, doing ─► model, effects
//! ```

mod bar;
mod compare;
mod console;
mod editor;
pub(super) mod faults;
mod finding;
mod focus;
mod forks;
mod mouse;
mod moves;
mod over;
mod predict;
mod words;

pub(crate) use finding::filtered;
#[cfg(test)]
pub(crate) use focus::focus;
pub(crate) use moves::go_to;

use super::job::Done;
use super::keymap::{Action, Key};
use super::message::{Effect, Message};
use super::model::{BarKind, Branch, Model, Overlay, Play, SPEEDS};
use super::pane::PaneId;
use super::panes::registry::PANES;
use super::{explain_field, pages, whynot};
use std::sync::Arc;

/// Takes in what happened; gives back what is to be done outside.
pub(crate) fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    match message {
        Message::Key(key) => press(model, key, &mut effects),
        Message::Mouse(pointer, column, row) => {
            if let Some(action) = mouse::happened(model, pointer, column, row, &mut effects) {
                act(model, action, &mut effects);
            }
        }
        Message::Paste(text) => paste(model, &text),
        Message::Resize(columns, rows) => model.size = (columns, rows),
        Message::Tick(ms) => tick(model, ms),
        Message::Progress(done, of) => {
            if let Some((_, so_far, whole)) = &mut model.busy {
                (*so_far, *whole) = (done, of);
            }
        }
        Message::Done(done) => {
            model.busy = None;
            match done {
                Done::Run(run, parent) => {
                    forks::made(model, Branch { run: Arc::new(*run), parent, saved: false });
                }
                Done::File(editor) => editor::open(model, *editor),
                Done::NoFile(text) => forks::failed(model, &text),
                Done::Compared(title, lines) => model.over.push(Overlay::Text { title, lines, scroll: 0 }),
                Done::Saved(..) => unreachable!("only the first run is read from a file"),
            }
        }
        Message::Failed(text) => {
            model.busy = None;
            forks::failed(model, &text);
            model.note = Some(text);
        }
        Message::Said(text) => model.note = Some(text),
        Message::Saved(branch, text) => {
            if let Some(branch) = model.branches.get_mut(branch) {
                branch.saved = true;
            }
            model.note = Some(text);
        }
    }
    effects
}

fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    model.note = None;
    let action = model.keys.action(key);
    if action == Some(Action::Suspend) {
        effects.push(Effect::Suspend);
        return;
    }
    if key.ctrl && key == (Key { ctrl: true, ..Key::letter('c') }) {
        return interrupt(model, key, effects);
    }
    if !model.over.is_empty() {
        if let Some(action) = over::press(model, key, effects) {
            act(model, action, effects);
        }
        return;
    }
    let Some(action) = action else {
        if key.ctrl || key.alt {
            return;
        }
        model.note =
            Some(format!("{} does nothing here; {} lists the keys", key.sign(), model.keys.shown(Action::Help)));
        return;
    };
    if !matches!(action, Action::Play | Action::Faster | Action::Slower) {
        model.play = None;
    }
    act(model, action, effects);
}

/// Ctrl-C: gives up what goes on; if nothing does, it leaves the console or the editor, else it quits.
fn interrupt(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    if model.busy.is_some() {
        effects.push(Effect::Cancel);
    } else if matches!(model.over.last(), Some(Overlay::Console(_) | Overlay::Editor(_))) {
        let asked = over::press(model, key, effects);
        assert!(asked.is_none(), "no command is typed in a console or an editor");
    } else if model.seek.take().is_none() && model.play.take().is_none() {
        forks::quit(model, effects);
    }
}

/// Does what a key or a command means.
pub(crate) fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    match action {
        Action::NextFrame => moves::frame(model, 1),
        Action::PreviousFrame => moves::frame(model, -1),
        Action::NextEvent => moves::event(model, true),
        Action::PreviousEvent => moves::event(model, false),
        Action::NextHop => moves::hop(model, true),
        Action::PreviousHop => moves::hop(model, false),
        Action::NextOnHost => moves::on_host(model, true),
        Action::PreviousOnHost => moves::on_host(model, false),
        Action::NextRequest => moves::request(model, true),
        Action::PreviousRequest => moves::request(model, false),
        Action::First => moves::edge(model, true),
        Action::Last => moves::edge(model, false),
        Action::Back => moves::back(model),
        Action::NextMatch => moves::matching(model, true),
        Action::PreviousMatch => moves::matching(model, false),
        Action::Follow => finding::follow(model),
        Action::Fold => finding::fold(model),
        Action::Apply => finding::apply_field(model),
        Action::NextBreak => finding::seek(model, true),
        Action::PreviousBreak => finding::seek(model, false),
        Action::Filter => bar::open(model, BarKind::Filter),
        Action::Break => bar::open(model, BarKind::Break),
        Action::Place => bar::open(model, BarKind::Place),
        Action::Command => bar::open(model, BarKind::Command),
        Action::Play => {
            model.play = match model.play {
                Some(_) => None,
                None => Some(Play { waited_ms: 0 }),
            };
        }
        Action::Faster => model.speed = (model.speed + 1).min(SPEEDS.len() - 1),
        Action::Slower => model.speed = model.speed.saturating_sub(1),
        Action::NextPane => focus::by(model, 1),
        Action::PreviousPane => focus::by(model, PANES.len() - 1),
        Action::Down => focus::row(model, 1),
        Action::Up => focus::row(model, -1),
        Action::PageDown => focus::row(model, focus::page(model)),
        Action::PageUp => focus::row(model, -focus::page(model)),
        Action::Enlarge => model.enlarged = !model.enlarged,
        Action::Open => open(model, effects),
        Action::Console => console::open(model, model.node()),
        Action::Faults => faults::menu(model),
        Action::Forks => model.over.push(Overlay::Forks { row: model.shown }),
        Action::Why => lay(model, pages::page(model)),
        Action::WhyNot => model.over.push(whynot::text(model)),
        Action::Predict => predict::open(model),
        Action::Table(kind) => focus::table(model, kind),
        Action::ZoomIn => zoom(model, (model.zoom + 1).min(ZOOM_MAX)),
        Action::ZoomOut => zoom(model, model.zoom.saturating_sub(1)),
        Action::PanLater => pan(model, 1),
        Action::PanEarlier => pan(model, -1),
        Action::Help => over::help(model),
        Action::Close => close(model, effects),
        Action::Suspend => effects.push(Effect::Suspend),
    }
}

/// Lays a text over the panes, or says why there is none.
fn lay(model: &mut Model, text: Result<Overlay, String>) {
    match text {
        Ok(text) => model.over.push(text),
        Err(note) => model.note = Some(note),
    }
}

/// Another span of the timeline, around now.
fn zoom(model: &mut Model, zoom: u32) {
    (model.zoom, model.pan) = (zoom, 0);
}

/// Moves the timeline by a quarter of what it shows, as far as there is something.
fn pan(model: &mut Model, by: i32) {
    // Near an end of the run the first quarters change nothing.
    let moved = (1..=4).map(|times| model.pan.saturating_add(by * times));
    let shown = model.span();
    if let Some(pan) = moved.into_iter().find(|pan| model.span_at(*pan) != shown) {
        model.pan = pan;
    } else {
        let edge = if by > 0 { "the timeline ends here" } else { "the timeline begins here" };
        let whole = "the timeline shows the whole run; z shortens its span";
        model.note = Some(if model.zoom == 0 { whole } else { edge }.to_string());
    }
}

/// The whole run divided by 2 so often is the shortest span of the timeline.
const ZOOM_MAX: u32 = 24;

fn paste(model: &mut Model, text: &str) {
    if model.over.is_empty() {
        model.note = Some("nothing takes pasted text here; ! opens a console, / a filter".to_string());
    } else {
        over::paste(model, text);
    }
}

fn tick(model: &mut Model, ms: u64) {
    finding::turn(model);
    let pause = SPEEDS[model.speed.min(SPEEDS.len() - 1)];
    let Some(play) = &mut model.play else { return };
    play.waited_ms += ms;
    if play.waited_ms < pause {
        return;
    }
    play.waited_ms = 0;
    let before = model.cursor;
    moves::frame(model, 1);
    if model.cursor == before || finding::is_break(model) {
        model.play = None;
    }
}

/// Opens the row under the cursor of the pane with the focus.
fn open(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.focus {
        PaneId::Frames | PaneId::Why => lay(model, pages::page(model)),
        PaneId::Headers | PaneId::Bytes => lay(model, explain_field::text(model)),
        PaneId::Topology => console::open(model, model.node()),
        PaneId::Tables => model.over.push(whynot::text(model)),
        PaneId::Log => moves::to_log_row(model),
        PaneId::Timeline => moves::to_lane_mark(model),
        PaneId::Question => act(model, Action::Predict, effects),
    }
}

/// Closes what is open, one thing at a time; with nothing open, quits.
fn close(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.busy.is_some() {
        effects.push(Effect::Cancel);
    } else if model.enlarged {
        model.enlarged = false;
    } else if model.host.take().is_some() || model.seek.take().is_some() {
        // That was something open.
    } else {
        forks::quit(model, effects);
    }
}
