//! Keys in the editor of a host's file. Saving types the file on the host: the run goes on as a fork.

use super::forks;
use crate::stepper::editor::Editor;
use crate::stepper::fork::{Added, Addition};
use crate::stepper::keymap::Key;
use crate::stepper::message::{Effect, Pointer};
use crate::stepper::model::{Model, Overlay};
use crate::stepper::panes::found;
use crate::stepper::theme::Ink;
use ratatui::crossterm::event::KeyCode;

/// The file was read: the editor opens over the console that asked for it. `text` is none if there is no such file.
pub(super) fn open(model: &mut Model, editor: Editor) {
    // The console may have been closed while the file was read.
    if let Some(Overlay::Console(console)) = model.over.last_mut() {
        console.waiting = false;
        model.over.push(Overlay::Editor(editor));
    }
}

/// A key.
pub(super) fn press(model: &mut Model, mut editor: Editor, key: Key, effects: &mut Vec<Effect>) {
    if std::mem::take(&mut editor.asks) {
        match key.code {
            KeyCode::Char('y' | 's' | 'w') | KeyCode::Enter => return save(model, editor, effects),
            KeyCode::Char('n') => return,
            KeyCode::Esc => {}
            _ => editor.asks = true,
        }
        model.over.push(Overlay::Editor(editor));
        return;
    }
    match (key.code, key.ctrl) {
        (KeyCode::Char('s' | 'o'), true) => return save(model, editor, effects),
        (KeyCode::Esc, _) | (KeyCode::Char('x' | 'q' | 'd' | 'c'), true) => {
            if !editor.is_changed {
                return;
            }
            editor.asks = true;
        }
        _ => {
            let page = usize::from(model.size.1).saturating_sub(4).max(1);
            editor.key(key, page);
        }
    }
    model.over.push(Overlay::Editor(editor));
}

fn save(model: &mut Model, editor: Editor, effects: &mut Vec<Effect>) {
    let what = Added::Line { host: editor.node.index(), line: editor.command() };
    let addition = Addition { shown: model.now(), what };
    if let Err(message) = addition.item() {
        model.note = Some(message);
        model.over.push(Overlay::Editor(editor));
        return;
    }
    // What was typed is not thrown away because there is no room for another fork.
    if !forks::add(model, addition, effects) {
        model.over.push(Overlay::Editor(editor));
        return;
    }
    if let Some(Overlay::Console(console)) = model.over.last_mut() {
        console.waiting = true;
        let lines = if editor.lines.len() == 1 { "line" } else { "lines" };
        console.lines.push((Ink::Faint, format!("{}: {} {lines} written", editor.path, editor.lines.len())));
    }
}

/// The mouse.
pub(super) fn point(model: &mut Model, mut editor: Editor, pointer: Pointer, column: u16, line: u16) {
    match pointer {
        Pointer::Up => editor.to(editor.row.saturating_sub(1), editor.column),
        Pointer::Down => editor.to(editor.row + 1, editor.column),
        Pointer::Click => {
            if let Some((row, column)) = found(model.size, &editor, column, line) {
                editor.to(row, column);
            }
        }
    }
    model.over.push(Overlay::Editor(editor));
}
