//! Tests of the stepper: each pane at each size, every key, and that going back undoes going forwards.

mod figures;
mod keys;
mod labs;
mod laws;
mod saving;
mod screens;
mod tables;

use super::fork::Addition;
use super::job::Job;
use super::keymap::{Key, Keymap};
use super::message::{Effect, Message};
use super::model::Model;
use super::panes;
use super::theme::Theme;
use super::update::update;
use crate::session::{self, Options};
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::sync::Arc;

/// The stepper at the beginning of a bundled scenario.
fn opened(scenario: &str, size: (u16, u16)) -> Model {
    let model = session::open(scenario).unwrap_or_else(|failure| panic!("{}", failure.text()));
    let job = Job::begin(&model, Vec::new(), None, &Options::default()).expect("nothing is added");
    Model::new(Arc::new(job.finish().run()), size, Theme::default(), Keymap::default())
}

/// Presses keys by their names; forks are made at once. Gives back the effects that were not carried out.
fn press(model: &mut Model, keys: &[&str]) -> Vec<Effect> {
    let mut left = Vec::new();
    for name in keys {
        let key = Key::named(name).unwrap_or_else(|| panic!("{name} is a key"));
        left.extend(send(model, Message::Key(key)));
    }
    left
}

/// Types a text, letter by letter.
fn enter(model: &mut Model, text: &str) {
    for c in text.chars() {
        send(model, Message::Key(Key::letter(c)));
    }
    press(model, &["Enter"]);
}

/// Sends a message; makes the fork that it asks for.
fn send(model: &mut Model, message: Message) -> Vec<Effect> {
    let mut left = Vec::new();
    for effect in update(model, message) {
        match effect {
            Effect::Fork(addition) => {
                let base = model.branches[0].run.scenario.clone();
                let mut added = model.run().added.clone();
                added.push(addition);
                let answer = match Job::begin(&base, added, Some(model.shown), &Options::default()) {
                    Ok(job) => Message::Done(job.finish()),
                    Err(text) => Message::Failed(text),
                };
                left.extend(send(model, answer));
            }
            Effect::Edit { node, path } => {
                let base = model.branches[0].run.scenario.clone();
                let cat = Addition::reading(model.now(), node, &path);
                let job = Job::edit(&base, model.run().added.clone(), cat, path, model.run().seed);
                let done = job.expect("a file is read").finish();
                left.extend(send(model, Message::Done(done)));
            }
            Effect::Compare { title, old, new } => {
                let run = |at: usize| Arc::clone(&model.branches[at].run);
                let done = Job::compare(title, run(old), run(new), model.now()).finish();
                left.extend(send(model, Message::Done(done)));
            }
            other => left.push(other),
        }
    }
    left
}

/// The screen as it is drawn.
fn drawn(model: &Model) -> Buffer {
    let backend = TestBackend::new(model.size.0, model.size.1);
    let mut terminal = ratatui::Terminal::new(backend).expect("a test terminal");
    terminal.draw(|frame| panes::view(frame, model)).expect("it draws");
    terminal.backend().buffer().clone()
}

/// The screen as text.
fn text(model: &Model) -> String {
    as_text(&drawn(model))
}

fn as_text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
