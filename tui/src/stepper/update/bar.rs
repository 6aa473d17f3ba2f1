//! Lines typed at the bottom: filter, breakpoint, place, command, file. What is typed is checked as it is typed.

use super::words::{common, offered, word};
use super::{compare, faults, finding, focus, forks, moves};
use crate::place::Place;
use crate::stepper::input::Input;
use crate::stepper::keymap::{ACTIONS, Action, Key};
use crate::stepper::message::Effect;
use crate::stepper::model::{Bar, BarKind, Model, Overlay};
use crate::stepper::panes::registry::PANES;
use crate::suggest::did_you_mean;
use ratatui::crossterm::event::KeyCode;
use sim_core::trace::filter::{self, Filter};

/// Opens a line.
pub(super) fn open(model: &mut Model, kind: BarKind) {
    let history = match kind {
        BarKind::Filter | BarKind::Break | BarKind::Cut(_) => &model.typed.filters,
        BarKind::Place => &model.typed.places,
        BarKind::Command | BarKind::Save(_) | BarKind::Cable(_) => &model.typed.commands,
    };
    let mut input = Input::with_history(history);
    if let (BarKind::Filter, Some(applied)) = (kind, &model.filter) {
        input.set(applied.filter.text());
    }
    if let BarKind::Save(branch) = kind {
        input.set(&format!("{}-fork{branch}.ron", model.branches[0].run.scenario.name));
    }
    let mut bar = Bar { kind, input, problem: None, choices: Vec::new() };
    check(model, &mut bar);
    model.over.push(Overlay::Bar(bar));
}

/// A key while a line is typed. Gives back what a command asks for.
pub(super) fn press(model: &mut Model, mut bar: Bar, key: Key, effects: &mut Vec<Effect>) -> Option<Action> {
    match key.code {
        KeyCode::Esc => return None,
        KeyCode::Enter => return enter(model, bar, effects),
        KeyCode::Tab => {
            let word = word(&bar.input.before()).len();
            if let Some(choice) = common(&bar.choices) {
                bar.input.complete(word, &choice);
            }
        }
        _ => {
            bar.input.key(key);
        }
    }
    check(model, &mut bar);
    model.over.push(Overlay::Bar(bar));
    None
}

/// Text was pasted into the line.
pub(super) fn paste(model: &Model, bar: &mut Bar, text: &str) {
    bar.input.insert(text);
    check(model, bar);
}

/// What is wrong with the line, and what its last word may become.
fn check(model: &Model, bar: &mut Bar) {
    let text = bar.input.text();
    let before = bar.input.before();
    let word = word(&before);
    bar.problem = None;
    bar.choices = Vec::new();
    match bar.kind {
        BarKind::Filter | BarKind::Break | BarKind::Cut(_) => {
            let hosts = model.run().trace.cast.nodes.iter().map(|card| &*card.name);
            bar.choices = offered(word, hosts);
            bar.choices.extend(offered(word, filter::names()));
            if !text.trim().is_empty() {
                bar.problem = Filter::parse(&text).err().map(|error| (error.start, error.end, error.to_string()));
            }
            if let (BarKind::Cut(_), None, false) = (bar.kind, &bar.problem, text.trim().is_empty()) {
                bar.problem = faults::cut_filter(&text).err().map(|message| (0, text.len(), message));
            }
        }
        BarKind::Place => {
            if !text.trim().is_empty() {
                let read = text.trim().parse::<Place>();
                bar.problem = read.err().map(|message| (0, text.len(), message));
            }
        }
        BarKind::Command => {
            bar.choices = offered(word, commands());
        }
        BarKind::Cable(_) => {
            bar.choices = offered(word, scenarios::cable::WORDS.iter().map(|(name, _)| *name));
            if !text.trim().is_empty() {
                bar.problem = scenarios::cable::read(&text).err().map(|message| (0, text.len(), message));
            }
        }
        BarKind::Save(_) => {}
    }
}

fn enter(model: &mut Model, bar: Bar, effects: &mut Vec<Effect>) -> Option<Action> {
    let text = bar.input.text();
    let text = text.trim();
    let done = match bar.kind {
        BarKind::Filter if text.is_empty() => {
            finding::filtered(model, None);
            Ok(None)
        }
        BarKind::Break if text.is_empty() => Ok(None),
        BarKind::Filter => Filter::parse(text)
            .map(|filter| {
                Input::remember(&mut model.typed.filters, text);
                finding::filtered(model, Some(filter));
                None
            })
            .map_err(|error| error.to_string()),
        BarKind::Break => Filter::parse(text)
            .map(|filter| {
                Input::remember(&mut model.typed.filters, text);
                finding::toggle_break(model, filter);
                None
            })
            .map_err(|error| error.to_string()),
        BarKind::Place => moves::place(model, text).map(|()| {
            Input::remember(&mut model.typed.places, text);
            None
        }),
        BarKind::Command => {
            Input::remember(&mut model.typed.commands, text);
            command(model, text, effects)
        }
        BarKind::Cable(_) if text.is_empty() => Ok(None),
        BarKind::Cable(nic) => faults::cable(model, nic, text).map(|addition| {
            forks::add(model, addition, effects);
            None
        }),
        BarKind::Cut(way) => faults::cut(model, way, text).map(|addition| {
            Input::remember(&mut model.typed.filters, text);
            forks::add(model, addition, effects);
            None
        }),
        BarKind::Save(branch) => {
            if !text.is_empty() {
                effects.push(Effect::Save(branch, text.to_string()));
            }
            Ok(None)
        }
    };
    done.unwrap_or_else(|message| {
        let end = bar.input.text().len();
        let problem = bar.problem.clone().or(Some((0, end, message)));
        model.over.push(Overlay::Bar(Bar { problem, ..bar }));
        None
    })
}

/// A command by its name: every action of the table, which is given back, and a few that take a word.
fn command(model: &mut Model, text: &str, effects: &mut Vec<Effect>) -> Result<Option<Action>, String> {
    let (name, rest) = text.split_once(' ').map_or((text, ""), |(name, rest)| (name, rest.trim()));
    match name {
        "" => {}
        "q" | "quit" => forks::quit(model, effects),
        "diff" => compare::open(model, rest, effects)?,
        "save" => {
            let branch = model.shown;
            if rest.is_empty() {
                open(model, BarKind::Save(branch));
            } else {
                effects.push(Effect::Save(branch, rest.to_string()));
            }
        }
        "filter" if !rest.is_empty() => {
            let filter = Filter::parse(rest).map_err(|error| error.to_string())?;
            finding::filtered(model, Some(filter));
        }
        "break" if !rest.is_empty() => {
            let filter = Filter::parse(rest).map_err(|error| error.to_string())?;
            finding::toggle_break(model, filter);
        }
        "place" if !rest.is_empty() => moves::place(model, rest)?,
        _ => match (ACTIONS.iter().find(|row| row.name == name), PANES.iter().find(|row| row.name == name)) {
            (Some(row), _) => return Ok(Some(row.action)),
            (None, Some(pane)) => focus::focus(model, pane.id),
            (None, None) => {
                return Err(format!("there is no command {name}{}", did_you_mean(name, commands())));
            }
        },
    }
    Ok(None)
}

/// The names of all commands: actions, panes, and a few that take a word.
fn commands() -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().map(|row| row.name).chain(PANES.iter().map(|row| row.name)).chain(["diff", "save", "quit"])
}
