//! Keys while something lies over the panes: help, lists, texts, questions.

use super::{bar, compare, console, editor, forks, predict};
use crate::stepper::input::Input;
use crate::stepper::keymap::{Action, Key};
use crate::stepper::message::{Effect, Pointer};
use crate::stepper::model::{BarKind, MenuItem, Model, Overlay};
use crate::stepper::panes::{help as key_list, overlay};
use crate::stepper::predict::Question;
use ratatui::crossterm::event::KeyCode;

/// What a key means in a list or a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    Enter,
    Close,
    Other,
}

fn meaning(model: &Model, key: Key) -> Move {
    match model.keys.action(key) {
        Some(Action::Up) => Move::Up,
        Some(Action::Down) => Move::Down,
        Some(Action::PageUp) => Move::PageUp,
        Some(Action::PageDown) => Move::PageDown,
        Some(Action::Open) => Move::Enter,
        Some(Action::Close) => Move::Close,
        _ => Move::Other,
    }
}

/// A key for what lies on top. Gives back what a typed command asks for.
pub(super) fn press(model: &mut Model, key: Key, effects: &mut Vec<Effect>) -> Option<Action> {
    let is_help = key.code == KeyCode::F(1) || (key == Key::letter('?') && takes_question_mark(model));
    if is_help && !matches!(model.over.last(), Some(Overlay::Help { .. })) {
        help(model);
        return None;
    }
    match model.over.pop()? {
        Overlay::Bar(line) => return bar::press(model, line, key, effects),
        Overlay::Console(line) => console::press(model, line, key, effects),
        Overlay::Editor(open) => editor::press(model, open, key, effects),
        Overlay::Help { search, scroll } => help_key(model, search, scroll, key),
        Overlay::Text { title, lines, scroll } => {
            let last = lines.len().saturating_sub(1);
            let scroll = match meaning(model, key) {
                Move::Up => scroll.saturating_sub(1),
                Move::Down => (scroll + 1).min(last),
                Move::PageUp => scroll.saturating_sub(PAGE),
                Move::PageDown => (scroll + PAGE).min(last),
                Move::Close | Move::Enter => return None,
                Move::Other => scroll,
            };
            model.over.push(Overlay::Text { title, lines, scroll });
        }
        Overlay::Menu { title, items, row } => menu_key(model, title, items, row, key, effects),
        Overlay::Forks { row } => forks_key(model, row, key, effects),
        Overlay::Predict { question, row, given } => predict_key(model, question, row, given, key),
        Overlay::Quit => match key.code {
            KeyCode::Char('y') => effects.push(Effect::Quit),
            KeyCode::Char('s') => bar::open(model, BarKind::Save(forks::unsaved(model))),
            KeyCode::Char('n') | KeyCode::Esc | KeyCode::Char('q') => {}
            _ => model.over.push(Overlay::Quit),
        },
    }
    None
}

/// In a line that is being typed a question mark is a letter, unless the line is empty.
fn takes_question_mark(model: &Model) -> bool {
    match model.over.last() {
        Some(Overlay::Bar(bar)) => bar.input.text().is_empty() || matches!(bar.kind, BarKind::Filter | BarKind::Break),
        Some(Overlay::Console(console)) => console.input.text().is_empty(),
        Some(Overlay::Editor(_)) => false,
        _ => true,
    }
}

const PAGE: usize = 10;

/// Opens the list of keys.
pub(super) fn help(model: &mut Model) {
    model.over.push(Overlay::Help { search: Input::default(), scroll: 0 });
}

fn help_key(model: &mut Model, mut search: Input, mut scroll: usize, key: Key) {
    match key.code {
        KeyCode::Esc | KeyCode::Enter | KeyCode::F(1) => return,
        KeyCode::Char('?' | 'q') if search.text().is_empty() => return,
        KeyCode::Down => scroll += 1,
        KeyCode::Up => scroll = scroll.saturating_sub(1),
        KeyCode::PageDown => scroll += PAGE,
        KeyCode::PageUp => scroll = scroll.saturating_sub(PAGE),
        _ => {
            search.key(key);
            scroll = 0;
        }
    }
    let count = key_list::lines(model, &search.text()).len();
    scroll = scroll.min(count.saturating_sub(1));
    model.over.push(Overlay::Help { search, scroll });
}

fn menu_key(
    model: &mut Model,
    title: String,
    items: Vec<(String, MenuItem)>,
    row: usize,
    key: Key,
    effects: &mut Vec<Effect>,
) {
    let last = items.len().saturating_sub(1);
    let row = match meaning(model, key) {
        Move::Up => row.saturating_sub(1),
        Move::Down => (row + 1).min(last),
        Move::PageUp => 0,
        Move::PageDown => last,
        Move::Close => return,
        Move::Enter => {
            match items.into_iter().nth(row).map(|(_, item)| item) {
                Some(MenuItem::Add(addition)) => {
                    forks::add(model, addition, effects);
                }
                Some(MenuItem::Console(node)) => console::open(model, node),
                Some(MenuItem::Ask(kind)) => bar::open(model, kind),
                Some(MenuItem::More(title, items)) => model.over.push(Overlay::Menu { title, items, row: 0 }),
                None => {}
            }
            return;
        }
        Move::Other => row,
    };
    model.over.push(Overlay::Menu { title, items, row });
}

fn forks_key(model: &mut Model, row: usize, key: Key, effects: &mut Vec<Effect>) {
    let last = model.branches.len() - 1;
    let row = match (meaning(model, key), key.code) {
        (Move::Up, _) => row.saturating_sub(1),
        (Move::Down, _) => (row + 1).min(last),
        (Move::Close, _) => return,
        (Move::Enter, _) => {
            forks::show(model, row);
            return;
        }
        (_, KeyCode::Char('s')) if row > 0 => {
            bar::open(model, BarKind::Save(row));
            return;
        }
        (_, KeyCode::Char('d')) => {
            if let Err(message) = compare::open(model, &row.to_string(), effects) {
                model.note = Some(message);
            }
            return;
        }
        _ => row,
    };
    model.over.push(Overlay::Forks { row });
}

fn predict_key(model: &mut Model, question: Question, row: usize, given: Option<usize>, key: Key) {
    let last = question.choices.len().saturating_sub(1);
    let digit = match key.code {
        KeyCode::Char(c @ '1'..='9') => Some(c as usize - '1' as usize).filter(|at| *at <= last),
        _ => None,
    };
    match (given, digit, meaning(model, key)) {
        (_, _, Move::Close) => {}
        (None, Some(at), _) => predict::answer(model, question, at),
        (None, None, Move::Enter) => predict::answer(model, question, row),
        (None, None, Move::Up) => {
            model.over.push(Overlay::Predict { question, row: row.saturating_sub(1), given });
        }
        (None, None, Move::Down) => {
            model.over.push(Overlay::Predict { question, row: (row + 1).min(last), given });
        }
        (Some(_), _, Move::Enter) => {}
        (Some(_), ..) if key == Key::letter('p') => predict::open(model),
        _ => model.over.push(Overlay::Predict { question, row, given }),
    }
}

/// Text was pasted.
pub(super) fn paste(model: &mut Model, text: &str) {
    let Some(mut top) = model.over.pop() else { return };
    match &mut top {
        Overlay::Bar(line) => bar::paste(model, line, text),
        Overlay::Console(console) => {
            console.input.insert(text);
            console::offer(model, console);
        }
        Overlay::Editor(open) if !open.asks => open.insert(text),
        Overlay::Help { search, .. } => search.insert(text),
        Overlay::Editor(_)
        | Overlay::Menu { .. }
        | Overlay::Forks { .. }
        | Overlay::Text { .. }
        | Overlay::Predict { .. }
        | Overlay::Quit => {}
    }
    model.over.push(top);
}

/// The wheel scrolls what lies on top, a click takes a row of it.
pub(super) fn pointed(
    model: &mut Model,
    pointer: Pointer,
    column: u16,
    line: u16,
    effects: &mut Vec<Effect>,
) -> Option<Action> {
    if let Some(open) = model.over.pop_if(|top| matches!(top, Overlay::Editor(_))) {
        let Overlay::Editor(open) = open else { return None };
        editor::point(model, open, pointer, column, line);
        return None;
    }
    let code = match pointer {
        Pointer::Up => KeyCode::Up,
        Pointer::Down => KeyCode::Down,
        Pointer::Click => return clicked(model, column, line, effects),
    };
    let types = matches!(model.over.last(), Some(Overlay::Bar(_) | Overlay::Console(_)));
    if types { None } else { press(model, Key::plain(code), effects) }
}

/// A click on a row of a list takes it.
fn clicked(model: &mut Model, column: u16, line: u16, effects: &mut Vec<Effect>) -> Option<Action> {
    let hit = overlay::hit(model, column, line)?;
    if let Some(Overlay::Menu { row, .. } | Overlay::Forks { row } | Overlay::Predict { row, .. }) =
        model.over.last_mut()
    {
        *row = hit;
        let opens = model.keys.keys(Action::Open).first().copied().unwrap_or(Key::plain(KeyCode::Enter));
        return press(model, opens, effects);
    }
    None
}
