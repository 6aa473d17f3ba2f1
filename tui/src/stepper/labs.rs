//! The menu that `lvslab` alone shows: the bundled scenarios under their headings, what the chosen one is about, and a
//! search. It chooses; opening and running are the business of who asked.

use super::app::message;
use super::config::Config;
use super::input::Input;
use super::keymap::{Key, Keymap};
use super::message::{Message, Pointer};
use super::panes::cut;
use super::terminal::Terminal;
use super::theme::{Ink, Theme};
use crate::failure::Failure;
use crate::session;
use pcap_out::layout::{pad, wrap};
use ratatui::Frame;
use ratatui::crossterm::event::{self, KeyCode};
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use scenarios::library;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This scenario in the stepper.
    Open(&'static str),
    /// This scenario as `lvslab run` shows it.
    Run(&'static str),
    /// Nothing more.
    Quit,
}

/// A scenario of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    group: &'static str,
    name: &'static str,
    title: String,
    about: String,
}

/// The menu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labs {
    entries: Vec<Entry>,
    size: (u16, u16),
    theme: Theme,
    keys: Keymap,
    search: Input,
    /// Letters go into the search.
    types: bool,
    /// The chosen one, among those that are found.
    row: usize,
    /// The first line of the list that is shown.
    top: usize,
    help: bool,
    /// Said in the last line until the next key.
    pub(crate) note: Option<String>,
}

/// A line of the list: a heading, or a scenario by its place among those found.
enum Shown<'a> {
    Heading(&'static str),
    Entry(usize, &'a Entry),
}

impl Labs {
    /// Nothing is searched, the first one is chosen.
    pub(crate) fn new(config: &Config, size: (u16, u16)) -> Self {
        Labs::of(library::all(), config, size)
    }

    /// The same, of these.
    pub(super) fn of(all: impl Iterator<Item = library::Bundled>, config: &Config, size: (u16, u16)) -> Self {
        let entries = all.map(|bundled| {
            let (title, about) = match session::open(bundled.name) {
                Ok(model) => (model.title, model.about),
                Err(_) => ("(it does not load)".to_string(), String::new()),
            };
            Entry { group: bundled.group, name: bundled.name, title, about }
        });
        Labs {
            entries: entries.collect(),
            size,
            theme: config.theme,
            keys: config.keys.clone(),
            search: Input::default(),
            types: false,
            row: 0,
            top: 0,
            help: false,
            note: None,
        }
    }

    /// Takes the terminal until something is chosen.
    ///
    /// # Errors
    /// The terminal.
    pub(crate) fn choose(&mut self) -> Result<Choice, Failure> {
        let mut terminal = Terminal::enter()?;
        self.theme.ascii |= terminal.draws_wide();
        self.size = terminal.size()?;
        self.scroll();
        loop {
            terminal.draw(|frame| view(frame, self))?;
            if terminal.is_told_to_end() {
                return Ok(Choice::Quit);
            }
            if !event::poll(PATIENCE)? {
                continue;
            }
            let Some(message) = message(event::read()?) else { continue };
            if matches!(message, Message::Key(key) if Some(key) == Key::named("ctrl-z")) {
                terminal.suspend()?;
            } else if let Some(choice) = self.update(message) {
                return Ok(choice);
            }
        }
    }

    /// Those that are found: every word of the search stands in their name, title or heading.
    fn found(&self) -> Vec<&Entry> {
        let search = self.search.text().to_lowercase();
        let holds = |entry: &&Entry| {
            let text = format!("{} {} {}", entry.name, entry.title, entry.group).to_lowercase();
            search.split_whitespace().all(|word| text.contains(word))
        };
        self.entries.iter().filter(holds).collect()
    }

    fn chosen(&self) -> Option<&Entry> {
        self.found().get(self.row).copied()
    }

    /// Takes in what happened.
    pub(crate) fn update(&mut self, message: Message) -> Option<Choice> {
        let choice = match message {
            Message::Key(key) => self.press(key),
            Message::Mouse(pointer, column, line) => self.point(pointer, column, line),
            Message::Paste(text) => {
                self.search.insert(&text);
                (self.types, self.row) = (true, 0);
                None
            }
            Message::Resize(columns, rows) => {
                self.size = (columns, rows);
                None
            }
            _ => None,
        };
        self.scroll();
        choice
    }

    /// Scrolls no further than the chosen one needs: what was clicked stays under the pointer.
    fn scroll(&mut self) {
        let Some((list, _)) = places(self.size) else { return };
        let height = usize::from(list.height.saturating_sub(2)).max(1);
        let found = self.found();
        let lines = lines(&found);
        let chosen = |line: &Shown| matches!(line, Shown::Entry(row, _) if *row == self.row);
        let at = lines.iter().position(chosen).unwrap_or(0);
        // The heading of the first one is worth a line too.
        let least = if at <= 1 { 0 } else { at };
        self.top = self.top.clamp((at + 1).saturating_sub(height), least).min(lines.len().saturating_sub(height));
    }

    fn press(&mut self, key: Key) -> Option<Choice> {
        self.note = None;
        let page = usize::from(self.size.1 / 2).max(1);
        if std::mem::take(&mut self.help) {
            return None;
        }
        match key.code {
            KeyCode::Char('c' | 'd') if key.ctrl => return Some(Choice::Quit),
            KeyCode::Enter => return self.open(),
            KeyCode::Down => self.move_to(self.row + 1),
            KeyCode::Up => self.move_to(self.row.saturating_sub(1)),
            KeyCode::PageDown => self.move_to(self.row + page),
            KeyCode::PageUp => self.move_to(self.row.saturating_sub(page)),
            KeyCode::F(1) => self.help = true,
            KeyCode::Esc if self.types => self.types = false,
            KeyCode::Esc if !self.search.text().is_empty() => self.look_for(""),
            KeyCode::Esc => return Some(Choice::Quit),
            _ if self.types => {
                self.search.key(key);
                self.move_to(0);
            }
            KeyCode::Home | KeyCode::Char('g') => self.move_to(0),
            KeyCode::End | KeyCode::Char('G') => self.move_to(usize::MAX),
            KeyCode::Char('?') => self.help = true,
            KeyCode::Char('q') => return Some(Choice::Quit),
            KeyCode::Char('r') => return self.chosen().map(|entry| Choice::Run(entry.name)),
            KeyCode::Char('j') => self.move_to(self.row + 1),
            KeyCode::Char('k') => self.move_to(self.row.saturating_sub(1)),
            KeyCode::Char('/') => self.types = true,
            KeyCode::Char(_) if !key.ctrl && !key.alt => {
                self.types = true;
                self.search.key(key);
                self.move_to(0);
            }
            _ => {}
        }
        None
    }

    fn look_for(&mut self, text: &str) {
        self.search.set(text);
        self.move_to(0);
    }

    fn move_to(&mut self, row: usize) {
        self.row = row.min(self.found().len().saturating_sub(1));
    }

    fn open(&mut self) -> Option<Choice> {
        let chosen = self.chosen().map(|entry| Choice::Open(entry.name));
        if chosen.is_none() {
            self.note = Some("nothing is found; Esc Esc shows all".to_string());
        }
        chosen
    }

    /// A click chooses, another one on the same row opens.
    fn point(&mut self, pointer: Pointer, column: u16, line: u16) -> Option<Choice> {
        match pointer {
            Pointer::Up => self.move_to(self.row.saturating_sub(1)),
            Pointer::Down => self.move_to(self.row + 1),
            Pointer::Click => {
                let (list, _) = places(self.size)?;
                let inside = Block::bordered().inner(list);
                if !inside.contains(Position::new(column, line)) {
                    return None;
                }
                let found = self.found();
                let lines = lines(&found);
                let Some(Shown::Entry(row, entry)) = lines.get(self.top + usize::from(line - inside.y)) else {
                    return None;
                };
                if *row == self.row {
                    return Some(Choice::Open(entry.name));
                }
                self.row = *row;
            }
        }
        None
    }
}

const PATIENCE: Duration = Duration::from_millis(200);

/// The list, and the text about the chosen one; none if the screen is too small.
fn places((width, height): (u16, u16)) -> Option<(Rect, Rect)> {
    let (least_width, least_height) = super::layout::SMALLEST;
    if width < least_width || height < least_height {
        return None;
    }
    let body = height - 3;
    Some(if width >= 110 {
        let left = width * 3 / 5;
        (Rect::new(0, 2, left, body), Rect::new(left, 2, width - left, body))
    } else {
        let below = (height / 4).clamp(4, 8);
        (Rect::new(0, 2, width, body - below), Rect::new(0, 2 + body - below, width, below))
    })
}

fn lines<'a>(found: &[&'a Entry]) -> Vec<Shown<'a>> {
    let mut lines = Vec::new();
    let mut group = "";
    for (entry, row) in found.iter().zip(0..) {
        if entry.group != group {
            group = entry.group;
            lines.push(Shown::Heading(group));
        }
        lines.push(Shown::Entry(row, entry));
    }
    lines
}

/// Draws it.
pub(crate) fn view(frame: &mut Frame, labs: &Labs) {
    let area = frame.area();
    let style = |ink| labs.theme.style(ink);
    let Some((list, about)) = places((area.width, area.height)) else {
        let text = format!("lvslab needs 60 × 16 columns and lines; here are {} × {}", area.width, area.height);
        frame.render_widget(Paragraph::new(text), area);
        return labs.theme.finish(frame.buffer_mut());
    };
    let found = labs.found();
    let width = area.width as usize;
    let count = format!("{} of {} scenarios ", found.len(), labs.entries.len());
    let head = " lvslab  what happens to every packet of a Linux Virtual Server, and why";
    let room = width.saturating_sub(count.width() + 1);
    let head = format!("{} {count}", pad(&cut(head, room), room));
    frame.render_widget(Paragraph::new(Line::styled(head, style(Ink::Selected))), Rect { height: 1, ..area });
    let (typed, column) = labs.search.window(width.saturating_sub(12).max(1));
    let prompt = if labs.types { "search: " } else { "/ search: " };
    let bar = Line::from(vec![Span::styled(format!(" {prompt}"), style(Ink::Name)), Span::raw(typed)]);
    frame.render_widget(Paragraph::new(bar), Rect { y: 1, height: 1, ..area });
    draw_list(frame, labs, list, &found);
    draw_about(frame, labs, about);
    let last = Rect { y: area.height - 1, height: 1, ..area };
    let hints = [("Enter", "opens"), ("r", "runs"), ("/", "search"), ("↑ ↓", "choose"), ("?", "keys"), ("q", "quit")];
    let typing = [("Enter", "opens"), ("↑ ↓", "choose"), ("Esc", "ends the search"), ("F1", "keys")];
    let hints: &[(&str, &str)] = if labs.types { &typing } else { &hints };
    let line = match &labs.note {
        Some(note) => Line::styled(cut(&format!(" {}", super::panes::plain(note)), width), style(Ink::Warn)),
        None => {
            let words = hints.iter().flat_map(|(key, what)| {
                [
                    Span::styled(format!(" {key}"), style(Ink::Name)),
                    Span::styled(format!(" {what} "), style(Ink::Faint)),
                ]
            });
            Line::from(words.collect::<Vec<_>>())
        }
    };
    frame.render_widget(Paragraph::new(line), last);
    if labs.help {
        draw_help(frame, labs, area);
    } else if labs.types {
        frame.set_cursor_position(Position::new((1 + prompt.len() + column) as u16, 1));
    }
    labs.theme.finish(frame.buffer_mut());
}

fn framed(frame: &mut Frame, labs: &Labs, area: Rect, title: &str, ink: Ink) -> Rect {
    let style = labs.theme.style(ink);
    let title = Line::styled(cut(&format!(" {title} "), (area.width as usize).saturating_sub(3)), style);
    let block = Block::bordered().border_style(style).title(title);
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    inside
}

fn draw_list(frame: &mut Frame, labs: &Labs, area: Rect, found: &[&Entry]) {
    let inside = framed(frame, labs, area, "SCENARIOS", Ink::Focus);
    let width = inside.width as usize;
    let names = labs.entries.iter().map(|entry| entry.name.width()).max().unwrap_or(0).min(width / 2);
    let lines = lines(found);
    let shown = lines.iter().skip(labs.top).take(inside.height as usize).map(|line| match line {
        Shown::Heading(group) => Line::styled((*group).to_string(), labs.theme.style(Ink::Title)),
        Shown::Entry(row, entry) => {
            let is_chosen = *row == labs.row;
            let mark = if is_chosen { "▌" } else { " " };
            let text = format!("{mark}{} {}", pad(&cut(entry.name, names), names), entry.title);
            let text = pad(&cut(&text, width), width);
            if is_chosen { Line::styled(text, labs.theme.style(Ink::Selected)) } else { Line::raw(text) }
        }
    });
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), inside);
}

fn draw_about(frame: &mut Frame, labs: &Labs, area: Rect) {
    let Some(entry) = labs.chosen() else {
        framed(frame, labs, area, "nothing is found", Ink::Faint);
        return;
    };
    let inside = framed(frame, labs, area, entry.name, Ink::Faint);
    let width = (inside.width as usize).max(1);
    let title = wrap(&entry.title, width).into_iter().map(|line| Line::styled(line, labs.theme.style(Ink::Title)));
    let about = wrap(&entry.about, width).into_iter().map(Line::raw);
    let more = [String::new(), format!("lvslab run {}", entry.name), format!("lvslab tui {}", entry.name)];
    let more = more.into_iter().map(|line| Line::styled(line, labs.theme.style(Ink::Faint)));
    frame.render_widget(Paragraph::new(title.chain(about).chain(more).collect::<Vec<_>>()), inside);
}

/// The keys of this menu. In the stepper `?` shows another list.
const KEYS: &[&str] = &[
    "Enter            opens the scenario in the stepper; q there comes back",
    "r                runs it and shows what it prints",
    "any letter, /    searches names, titles and headings; Esc ends it",
    "↑ ↓ j k          choose; PgUp PgDn, g G: a page, the ends",
    "the mouse        a click chooses, another one opens; the wheel moves",
    "?  F1            this list",
    "Ctrl-Z           leaves for the shell; fg comes back",
    "q  Esc  Ctrl-C   quit",
];

fn draw_help(frame: &mut Frame, labs: &Labs, area: Rect) {
    let widest = KEYS.iter().map(|line| line.width()).max().unwrap_or(0) as u16;
    let (width, height) = ((widest + 2).min(area.width), (KEYS.len() as u16 + 2).min(area.height));
    let place = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    let inside = framed(frame, labs, place, "KEYS", Ink::Focus);
    let lines: Vec<Line> = KEYS.iter().map(|line| Line::raw(cut(line, inside.width as usize))).collect();
    frame.render_widget(Paragraph::new(lines), inside);
}
