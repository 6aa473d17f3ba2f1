//! The mouse: a click gives the focus and chooses a row, the wheel moves.

use super::{focus, over, row};
use crate::stepper::message::{Effect, Pointer};
use crate::stepper::model::Model;
use crate::stepper::panes;
use ratatui::layout::{Margin, Position};

/// Takes in what the mouse did.
pub(super) fn happened(model: &mut Model, pointer: Pointer, column: u16, line: u16, effects: &mut Vec<Effect>) {
    if !model.over.is_empty() {
        return over::pointed(model, pointer, column, line, effects);
    }
    let Some(places) = model.places() else { return };
    let found = places.panes.iter().rfind(|(_, area)| area.contains(Position::new(column, line)));
    let Some((pane, area)) = found.copied() else { return };
    match pointer {
        Pointer::Click => {
            focus(model, pane);
            let inside = area.inner(Margin::new(1, 1));
            if inside.contains(Position::new(column, line)) {
                panes::clicked(model, pane, inside, column - inside.x, line - inside.y);
            }
        }
        Pointer::Up | Pointer::Down => {
            let by = if pointer == Pointer::Up { -1 } else { 1 };
            let held = model.focus;
            model.focus = pane;
            row(model, by);
            model.focus = held;
        }
    }
}
