//! The loop: the terminal's events become messages, the model's effects are carried out, the panes are drawn. Work that
//! takes long is done in slices between two looks at the keyboard; nothing blocks the screen.

use super::config::Config;
use super::job::{Job, Turn};
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
use pcap_out::saved::Saved;
use ratatui::crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Gauge, Paragraph};
use scenarios::Model as Scenario;
use sim_core::trace::filter::Filter;
use std::rc::Rc;
use std::time::Duration;

/// What the stepper is opened with.
pub(crate) struct Opening {
    /// The scenario.
    pub(crate) scenario: Scenario,
    /// Its texts, its own first: a fork is saved as an addition to them.
    pub(crate) texts: Vec<(String, String)>,
    /// The run, if it was made and saved before.
    pub(crate) saved: Option<Box<Saved>>,
    /// Seed and end.
    pub(crate) options: Options,
    /// Where to begin.
    pub(crate) at: Option<Place>,
    /// What to show.
    pub(crate) filter: Option<Filter>,
    /// Keys and colours.
    pub(crate) config: Config,
}

/// How long the loop waits for a key when nothing goes on.
const IDLE: Duration = Duration::from_millis(200);
/// The same while something is played or looked for.
const BUSY: Duration = Duration::from_millis(8);

/// Opens the stepper and stays until it is left.
///
/// # Errors
/// The terminal, or a place that does not exist.
pub(crate) fn open(mut opening: Opening) -> Result<(), Failure> {
    let mut terminal = Terminal::enter()?;
    let theme = Theme { ascii: opening.config.theme.ascii || terminal.draws_wide(), ..opening.config.theme };
    let Some(run) = first_run(&mut terminal, &mut opening, theme)? else { return Ok(()) };
    let mut model = Model::new(Rc::new(run), terminal.size()?, theme, opening.config.keys.clone());
    if let Some(filter) = opening.filter.clone() {
        filtered(&mut model, Some(filter));
    }
    if let Some(place) = opening.at {
        let event = place.event(&model.run().trace)?;
        super::update::go_to(&mut model, event);
    }
    let mut app = App { terminal, model, opening, job: None };
    app.stay()
}

struct App {
    terminal: Terminal,
    model: Model,
    opening: Opening,
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
        let pause = match (self.job.is_some(), self.model.is_active()) {
            (true, _) => Duration::ZERO,
            (false, true) => BUSY,
            (false, false) => IDLE,
        };
        let mut messages = Vec::new();
        let mut patience = pause;
        while messages.len() < EVENTS_MAX && event::poll(patience)? {
            messages.extend(message(event::read()?));
            patience = Duration::ZERO;
        }
        Ok(messages)
    }

    /// A slice of the job.
    fn work(&mut self) -> Option<Message> {
        let job = self.job.as_mut()?;
        match job.turn() {
            Turn::Going(done, of) => Some(Message::Progress(done, of)),
            Turn::Done(done) => {
                self.job = None;
                Some(Message::Done(done))
            }
        }
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
                match Job::begin(&self.opening.scenario, added, Some(self.model.shown), &self.opening.options) {
                    Ok(job) => {
                        self.job = Some(job);
                        return Ok(false);
                    }
                    Err(text) => Message::Failed(text),
                }
            }
            Effect::Save(branch, file) => {
                let run = Rc::clone(&self.model.branches[branch.min(self.model.branches.len() - 1)].run);
                match save::save(&self.opening.texts, &run, &file) {
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
fn message(event: Event) -> Option<Message> {
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

/// Makes the first run, with progress on the screen; none if it was given up.
fn first_run(terminal: &mut Terminal, opening: &mut Opening, theme: Theme) -> Result<Option<Run>, Failure> {
    let mut job = match opening.saved.take() {
        Some(saved) => Job::of_saved(&opening.scenario, *saved),
        None => Job::begin(&opening.scenario, Vec::new(), None, &opening.options).map_err(Failure::Usage)?,
    };
    let mut clock = Clock::start();
    let mut drawn = false;
    loop {
        let (done, of) = match job.turn() {
            Turn::Done(done) => return Ok(Some(done.run)),
            Turn::Going(done, of) => (done, of),
        };
        if clock.elapsed().as_millis() > 60 || (!drawn && clock.elapsed().as_millis() > 20) {
            terminal.draw(|frame| progress(frame, opening, theme, done, of))?;
            (clock, drawn) = (Clock::start(), true);
        }
        if terminal.is_told_to_end() {
            return Ok(None);
        }
        while event::poll(Duration::ZERO)? {
            if let Event::Key(key) = event::read()? {
                let key = Key::of(key);
                let leaves = [Key::named("q"), Key::named("Esc"), Key::named("ctrl-c")];
                if leaves.contains(&Some(key)) {
                    return Ok(None);
                }
            }
        }
    }
}

fn progress(frame: &mut ratatui::Frame, opening: &Opening, theme: Theme, done: u64, of: u64) {
    let area = frame.area();
    frame.render_widget(Clear, area);
    let title = format!(" {}  {} ", opening.scenario.name, opening.scenario.title);
    let block = Block::bordered().title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if inside.height >= 3 {
        let middle = ratatui::layout::Rect { y: inside.y + inside.height / 2, height: 1, ..inside };
        let ratio = (done as f64 / of.max(1) as f64).clamp(0.0, 1.0);
        frame.render_widget(Gauge::default().ratio(ratio).gauge_style(theme.style(Ink::Focus)), middle);
        let below = ratatui::layout::Rect { y: middle.y + 1, ..middle };
        frame.render_widget(Paragraph::new(Line::from("running; q gives up").centered()), below);
    }
    theme.finish(frame.buffer_mut());
}
