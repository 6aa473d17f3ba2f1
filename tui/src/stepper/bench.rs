//! How fast the stepper opens and answers, on a screen that is drawn and not shown. For `lvslab bench --stepper`.

use super::keymap::{Key, Keymap};
use super::message::Message;
use super::model::Model;
use super::panes;
use super::run::{Raw, Run};
use super::theme::Theme;
use super::update::update;
use super::watch::Watch;
use crate::session::{Clock, End};
use ratatui::backend::TestBackend;
use sim_core::base::time::Instant;
use sim_core::trace::Trace;
use sim_core::world::sim::Stopped;
use std::sync::Arc;

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Events of the run.
    pub(crate) events: usize,
    /// Frames of its capture.
    pub(crate) frames: u32,
    /// From the end of the run to the first screen, in milliseconds.
    pub(crate) open_ms: f64,
    /// Keys that were pressed.
    pub(crate) keys: usize,
    /// From a key to the drawn screen, in milliseconds: the median.
    pub(crate) median_ms: f64,
    /// The 99th of 100.
    pub(crate) p99_ms: f64,
    /// The longest, and the key.
    pub(crate) longest_ms: f64,
    /// Which key took longest.
    pub(crate) longest: String,
}

/// The size of the screen.
const SIZE: (u16, u16) = (120, 40);

/// Opens a run and presses keys: steps, hops, jumps, folding, a filter, breakpoints, tables.
pub(crate) fn measure(trace: Trace, end: Instant) -> Figures {
    let (events, frames) = (trace.events.len(), trace.frames.len() as u32);
    let clock = Clock::start();
    let scenario = scenarios::Model {
        name: "bench".to_string(),
        title: String::new(),
        about: String::new(),
        seed: 1,
        until: end,
        switches: Vec::new(),
        hosts: Vec::new(),
        script: Vec::new(),
        expect: Vec::new(),
        warnings: Vec::new(),
    };
    let raw = Raw {
        scenario,
        added: Vec::new(),
        trace,
        end,
        stopped: End::Engine(Stopped::Quiet),
        seed: 1,
        digest: String::new(),
    };
    let Some(run) = Run::of(raw, &Watch::default()) else { unreachable!("nobody gives it up") };
    let mut model = Model::new(Arc::new(run), SIZE, Theme::default(), Keymap::default());
    let Ok(mut terminal) = ratatui::Terminal::new(TestBackend::new(SIZE.0, SIZE.1));
    let Ok(_) = terminal.draw(|frame| panes::view(frame, &model));
    let open_ms = ms(&clock);
    let mut took: Vec<(f64, String)> = Vec::new();
    for name in keys(frames) {
        let Some(key) = Key::named(&name) else { continue };
        let clock = Clock::start();
        update(&mut model, Message::Key(key));
        let Ok(_) = terminal.draw(|frame| panes::view(frame, &model));
        took.push((ms(&clock), name));
        // What goes on in slices must not hold up a key either.
        for _ in 0..TURNS {
            if !model.is_active() {
                break;
            }
            let clock = Clock::start();
            update(&mut model, Message::Tick(1));
            let Ok(_) = terminal.draw(|frame| panes::view(frame, &model));
            took.push((ms(&clock), "slice".to_string()));
        }
    }
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].clone();
    Figures {
        events,
        frames,
        open_ms,
        keys: took.len(),
        median_ms: at(0.5).0,
        p99_ms: at(0.99).0,
        longest_ms: at(1.0).0,
        longest: at(1.0).1,
    }
}

/// Slices that a filter is given after each key.
const TURNS: usize = 4;

fn ms(clock: &Clock) -> f64 {
    clock.elapsed().as_secs_f64() * 1000.0
}

/// The keys that are pressed, by their names.
fn keys(frames: u32) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut press = |names: &[&str], times: usize| {
        for _ in 0..times {
            keys.extend(names.iter().map(|name| (*name).to_string()));
        }
    };
    press(&["Right"], 150);
    press(&["s"], 100);
    press(&["."], 60);
    press(&["Left", "S", ","], 50);
    press(&["G", "g", "Backspace"], 10);
    for part in 1..20 {
        let place: Vec<String> = format!("f{}", u64::from(frames) * part / 20).chars().map(String::from).collect();
        press(&["t"], 1);
        press(&place.iter().map(String::as_str).collect::<Vec<_>>(), 1);
        press(&["Enter", "Right", "o", "f", "f", "4", "5", "W", "Esc"], 1);
    }
    press(&["F"], 4);
    press(&["/", "t", "c", "p", ".", "f", "l", "a", "g", "s", ".", "s", "y", "n", "Enter"], 1);
    press(&["n", "N", "G", "g"], 20);
    press(&["b", "a", "r", "p", "Enter"], 1);
    press(&["c", "C"], 20);
    press(&["Tab", "j", "k"], 30);
    keys
}
