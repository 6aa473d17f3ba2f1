//! The mouse: a click gives the focus and chooses what stands there, the wheel moves.

use super::{focus, moves, over};
use crate::stepper::keymap::Action;
use crate::stepper::message::{Effect, Pointer};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::panes::pick::Pick;
use crate::stepper::panes::registry;
use ratatui::layout::{Margin, Position};

/// Takes in what the mouse did. Gives back what a typed command asks for.
pub(super) fn happened(
    model: &mut Model,
    pointer: Pointer,
    column: u16,
    line: u16,
    effects: &mut Vec<Effect>,
) -> Option<Action> {
    if !model.over.is_empty() {
        return over::pointed(model, pointer, column, line, effects);
    }
    let places = model.places()?;
    let found = places.panes.iter().rfind(|(_, area)| area.contains(Position::new(column, line)));
    let (pane, area) = found.copied()?;
    match pointer {
        Pointer::Click => {
            focus::focus(model, pane);
            let inside = area.inner(Margin::new(1, 1));
            if inside.contains(Position::new(column, line)) {
                let pick = registry::row(pane).pick;
                if let Some(picked) = pick(model, inside.as_size(), column - inside.x, line - inside.y) {
                    take(model, pane, picked);
                }
            }
        }
        Pointer::Up | Pointer::Down => {
            let by = if pointer == Pointer::Up { -1 } else { 1 };
            let held = model.focus;
            model.focus = pane;
            focus::row(model, by);
            model.focus = held;
        }
    }
    None
}

/// Chooses, or goes to, what was clicked on.
fn take(model: &mut Model, pane: PaneId, picked: Pick) {
    match picked {
        Pick::Row(row) => focus::choose(model, pane, row),
        Pick::Frame(event) => moves::go_to(model, event),
        Pick::Line(event) => moves::jump(model, event),
        Pick::Time(lane, at) => {
            if let Some(lane) = lane {
                focus::choose(model, pane, lane);
            }
            if let Some(at) = at {
                moves::to_instant(model, at);
            }
        }
    }
}
