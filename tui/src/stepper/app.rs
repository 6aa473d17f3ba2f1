//! The loop: the terminal's events become messages, the model's effects are carried out, the panes are drawn. Work that
//! takes long is done on a thread of its own (`job`); nothing blocks the screen.

use super::config::Config;
use super::fork::Addition;
use super::job::{Done, Job, Turn};
use super::keymap::Key;
use super::message::{Effect, Message, Pointer};
use super::model::Model;
use super::panes;
use super::run::Run;
use super::save;
use super::terminal::Terminal;
use super::theme::{Ink, Theme};
use super::update::{filtered, update};
use crate::failure::Failure;
use crate::place::Place;
use crate::session::{Clock, Options};
use ratatui::crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Gauge, Paragraph};
use scenarios::Model as Scenario;
use sim_core::trace::filter::Filter;
use std::sync::Arc;
use std::time::Duration;

/// What the stepper is opened with.
pub(crate) struct Opening {
    /// What is to be seen.
    pub(crate) what: What,
    /// Seed and end.
    pub(crate) options: Options,
    /// Where to begin.
    pub(crate) at: Option<Place>,
    /// What to show.
    pub(crate) filter: Option<Filter>,
    /// Keys and colours.
    pub(crate) config: Config,
}

/// The texts of a scenario, by their names in its folder.
type Texts = Vec<(String, String)>;

/// What the stepper shows.
pub(crate) enum What {
    /// A scenario, which is run first.
    Scenario {
        /// The scenario.
        scenario: Box<Scenario>,
        /// Its texts, its own first: a fork is saved as an addition to them.
        texts: Texts,
    },
    /// A run that was made and saved before, by its file.
    Saved(String),
}

/// How long the loop waits for a key when nothing goes on.
const IDLE: Duration = Duration::from_millis(200);
/// The same while something is played or looked for.
const BUSY: Duration = Duration::from_millis(8);

/// Opens the stepper and stays until it is left.
///
/// # Errors
/// The terminal, or a place that does not exist.
pub(crate) fn open(opening: Opening) -> Result<(), Failure> {
    let mut terminal = Terminal::enter()?;
    let theme = Theme { ascii: opening.config.theme.ascii || terminal.draws_wide(), ..opening.config.theme };
    let Some((run, texts)) = first_run(&mut terminal, opening.what, &opening.options, theme)? else { return Ok(()) };
    let mut app = App {
        scenario: run.scenario.clone(),
        texts,
        options: Options { seed: Some(run.seed), ..opening.options },
        model: Model::new(Arc::new(run), terminal.size()?, theme, opening.config.keys),
        terminal,
        job: None,
    };
    if opening.filter.is_some() {
        filtered(&mut app.model, opening.filter);
    }
    if let Some(place) = opening.at {
        let event = place.event(&app.model.run().trace)?;
        super::update::go_to(&mut app.model, event);
    }
    app.stay()
}

struct App {
    terminal: Terminal,
    model: Model,
    /// What every fork begins with.
    scenario: Scenario,
    texts: Texts,
    options: Options,
    job: Option<Job>,
}

impl App {
    fn stay(&mut self) -> Result<(), Failure> {
        let mut clock = Clock::start();
        loop {
            let model = &self.model;
            self.terminal.draw(|frame| panes::view(frame, model))?;
            if self.terminal.is_told_to_end() {
                return Ok(());
            }
            let mut messages = self.wait()?;
            let ms = clock.elapsed().as_millis() as u64;
            if self.model.is_active() && ms > 0 {
                messages.push(Message::Tick(ms));
                clock = Clock::start();
            } else if !self.model.is_active() {
                clock = Clock::start();
            }
            messages.extend(self.work());
            for message in messages {
                for effect in update(&mut self.model, message) {
                    if self.carry_out(effect)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// What the terminal has to say; all that is there at once, so that a held key does not run ahead of the screen.
    fn wait(&mut self) -> Result<Vec<Message>, Failure> {
        let pause = if self.job.is_some() || self.model.is_active() { BUSY } else { IDLE };
        let mut messages = Vec::new();
        let mut patience = pause;
        while messages.len() < EVENTS_MAX && event::poll(patience)? {
            messages.extend(message(event::read()?));
            patience = Duration::ZERO;
        }
        Ok(messages)
    }

    /// How far the job is.
    fn work(&mut self) -> Option<Message> {
        let message = match self.job.as_mut()?.look(Duration::ZERO) {
            Turn::Going(done, of) => return Some(Message::Progress(done, of)),
            Turn::Done(done) => Message::Done(done),
            Turn::Failed(failure) => Message::Failed(failure.text()),
        };
        self.job = None;
        Some(message)
    }

    /// True if that was the end.
    fn carry_out(&mut self, effect: Effect) -> Result<bool, Failure> {
        let answer = match effect {
            Effect::Quit => return Ok(true),
            Effect::Suspend => {
                self.terminal.suspend()?;
                return Ok(false);
            }
            Effect::Cancel => {
                self.job = None;
                Message::Failed("given up".to_string())
            }
            Effect::Fork(addition) => {
                let mut added = self.model.run().added.clone();
                added.push(addition);
                match Job::begin(&self.scenario, added, Some(self.model.shown), &self.options) {
                    Ok(job) => {
                        self.job = Some(job);
                        return Ok(false);
                    }
                    Err(text) => Message::Failed(text),
                }
            }
            Effect::Compare { title, old, new } => {
                let run = |at: usize| Arc::clone(&self.model.branches[at.min(self.model.branches.len() - 1)].run);
                self.job = Some(Job::compare(title, run(old), run(new), self.model.now()));
                return Ok(false);
            }
            Effect::Edit { node, path } => {
                let run = self.model.run();
                let cat = Addition::reading(self.model.now(), node, &path);
                match Job::edit(&self.scenario, run.added.clone(), cat, path, run.seed) {
                    Ok(job) => {
                        self.job = Some(job);
                        return Ok(false);
                    }
                    Err(text) => Message::Failed(text),
                }
            }
            Effect::Save(branch, file) => {
                let run = Arc::clone(&self.model.branches[branch.min(self.model.branches.len() - 1)].run);
                match save::save(&self.texts, &run, &file) {
                    Ok(text) => Message::Saved(branch, text),
                    Err(text) => Message::Said(text),
                }
            }
        };
        update(&mut self.model, answer);
        Ok(false)
    }
}

/// More events than this are not taken at once.
const EVENTS_MAX: usize = 64;

/// A terminal's event as a message.
pub(super) fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Message::Key(Key::of(key))),
        Event::Mouse(mouse) => {
            let pointer = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Pointer::Click,
                MouseEventKind::ScrollUp => Pointer::Up,
                MouseEventKind::ScrollDown => Pointer::Down,
                _ => return None,
            };
            Some(Message::Mouse(pointer, mouse.column, mouse.row))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

/// Makes or reads the first run, with progress on the screen; none if it was given up.
fn first_run(
    terminal: &mut Terminal,
    what: What,
    options: &Options,
    theme: Theme,
) -> Result<Option<(Run, Texts)>, Failure> {
    let (title, mut job, mut texts) = match what {
        What::Scenario { scenario, texts } => {
            let title = format!(" {}  {} ", scenario.name, scenario.title);
            let job = Job::begin(&scenario, Vec::new(), None, options).map_err(Failure::Usage)?;
            (title, job, texts)
        }
        What::Saved(file) => (format!(" {file} "), Job::of_saved(file), Vec::new()),
    };
    let clock = Clock::start();
    loop {
        let (done, of) = match job.look(AT_ONCE) {
            Turn::Going(done, of) => (done, of),
            Turn::Failed(failure) => return Err(failure),
            Turn::Done(Done::Run(run, _)) => return Ok(Some((*run, texts))),
            Turn::Done(Done::Saved(run, read)) => {
                texts = read;
                return Ok(Some((*run, texts)));
            }
            Turn::Done(Done::Compared(..) | Done::File(_) | Done::NoFile(_)) => {
                unreachable!("only a run was asked for")
            }
        };
        terminal.draw(|frame| progress(frame, &title, theme, done, of, clock.elapsed()))?;
        if terminal.is_told_to_end() {
            return Ok(None);
        }
        while event::poll(BUSY)? {
            let Event::Key(key) = event::read()? else { continue };
            let key = Key::of(key);
            if [Key::named("q"), Key::named("Esc"), Key::named("ctrl-c")].contains(&Some(key)) {
                return Ok(None);
            }
            if Some(key) == Key::named("ctrl-z") {
                terminal.suspend()?;
            }
        }
    }
}

/// A run that is there within this time is shown without a word about waiting.
const AT_ONCE: Duration = Duration::from_millis(30);

fn progress(frame: &mut ratatui::Frame, title: &str, theme: Theme, done: u64, of: u64, so_far: Duration) {
    let area = frame.area();
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(panes::cut(title, (area.width as usize).saturating_sub(2)));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if inside.height >= 3 {
        let middle = Rect { y: inside.y + inside.height / 2, height: 1, ..inside };
        let ratio = (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
        frame.render_widget(Gauge::default().ratio(ratio).gauge_style(theme.style(Ink::Focus)), middle);
        let below = Rect { y: middle.y + 1, ..middle };
        let said = format!("{}, {} s so far; q gives up", super::watch::doing(done), so_far.as_secs());
        frame.render_widget(Paragraph::new(Line::from(said).centered()), below);
    }
    theme.finish(frame.buffer_mut());
}
