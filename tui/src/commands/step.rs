//! `lvslab tui`: the walk through a run. At a terminal it opens the stepper; with `--text`, or without a terminal, it
//! is the same walk as plain text.

use crate::failure::Failure;
use crate::failure::say;
use crate::filter::compiled;
use crate::paint::{Ink, Screen};
use crate::place::Place;
use crate::session::{self, Options, Ran};
use crate::stepper::pane::TableKind;
use crate::stepper::{self, Opening, What};
use crate::tables;
use clap::Args;
use pcap_out::journey::{self, Manner};
use pcap_out::story::Archive;
use sim_core::base::id::EventId;
use sim_core::trace::Trace;
use sim_core::trace::capture::Captured;
use sim_core::trace::moment::Moment;
use sim_core::trace::select::Selector;
use sim_core::wire::summary;
use std::io::{self, BufRead, IsTerminal};
use unicode_width::UnicodeWidthStr;

/// Walk through a run, frame by frame, forwards and back.
///
/// On a terminal: the full-screen stepper; ? lists its keys. With --text: Enter or n goes on, p goes back, a place (f21,
/// r3, 1.2s) jumps there, a key of the tables (0 to 9, i, u) prints one of this host, q ends. Without a terminal every frame is listed; with --at, one place is shown in full: the
/// packet's journey and the tables of that host at that instant.
#[derive(Debug, Args)]
pub(crate) struct Step {
    /// A scenario file or name, or a run that was saved with run --save
    #[arg(value_name = "S")]
    scenario: String,
    /// As plain text, also on a terminal
    #[arg(long)]
    text: bool,
    /// Begin at a frame f21, an event e73, a request r3 or a time 1.2s
    #[arg(long, value_name = "PLACE")]
    at: Option<Place>,
    /// Only frames that pass
    #[arg(long, value_name = "X")]
    filter: Option<String>,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(crate) fn run(arguments: &Step, screen: &mut Screen) -> Result<(), Failure> {
    let filter = arguments.filter.as_deref().map(compiled).transpose()?;
    let is_saved = session::is_saved(&arguments.scenario)?;
    let options = Options { seed: arguments.seed, until: None };
    let interactive = io::stdin().is_terminal() && screen.is_terminal();
    if interactive && !arguments.text {
        let what = if is_saved {
            What::Saved(arguments.scenario.clone())
        } else {
            let (scenario, texts) = session::open_with_texts(&arguments.scenario)?;
            session::warn(&scenario);
            What::Scenario { scenario: Box::new(scenario), texts }
        };
        let config = stepper::config::load()?;
        return stepper::open(Opening { what, options, at: arguments.at, filter, config });
    }
    let ran = match session::saved(&arguments.scenario)? {
        Some(saved) => session::of_saved(saved),
        None => session::run(&session::open(&arguments.scenario)?, &options)?,
    };
    let trace = &ran.trace;
    let frames: Vec<u32> = match &filter {
        Some(filter) => Selector::new(trace).select(filter),
        None => (1..=trace.frames.len() as u32).collect(),
    };
    let start = match arguments.at {
        Some(place) => Some(at_place(trace, &frames, place)?),
        None => None,
    };
    let archive = Archive::of(trace);
    match start {
        _ if frames.is_empty() => Err(Failure::Usage("there is no frame to show".to_string())),
        start if interactive => walk(screen, &ran, &archive, &frames, start.unwrap_or(0)),
        Some(index) => full(screen, &archive, frames[index]),
        None => {
            let lines = frames.iter().filter_map(|number| trace.frame(*number));
            let width = screen.width;
            lines.map(|frame| frame_line(trace, &frame, width)).try_for_each(|line| screen.line(&line))
        }
    }
}

/// Index of the first frame at or after a place; the last one if there is none.
fn at_place(trace: &Trace, frames: &[u32], place: Place) -> Result<usize, Failure> {
    let event = place.event(trace)?;
    let found = frames.iter().position(|number| trace.frames[*number as usize - 1] >= event);
    Ok(found.unwrap_or(frames.len().saturating_sub(1)))
}

/// `f21    1.000808  server4:eth0   ▸ IP 172.25.254.92.40002 > 172.25.92.100.80: Flags [S], …`.
pub(crate) fn frame_line(trace: &Trace, frame: &Captured, width: usize) -> String {
    let ports = trace.cast.ports.iter().filter(|card| !trace.cast.nodes[card.node.index()].is_switch);
    let column = ports.map(|card| trace.node_name(card.node).width() + card.name.width() + 1).max().unwrap_or(0);
    let arrow = if frame.outbound { "▸" } else { "◂" };
    let summary = summary::line(&frame.bytes, frame.length as usize);
    let line = format!(
        "{:<6} {}  {:<column$} {arrow} {summary}",
        format!("f{}", frame.number),
        frame.at,
        trace.port_name(frame.port)
    );
    if line.width() <= width { line } else { line.chars().take(width - 1).chain(['…']).collect() }
}

/// One frame in full: the journey of its packet, and the tables of its host.
fn full(screen: &mut Screen, archive: &Archive, number: u32) -> Result<(), Failure> {
    let manner = Manner { width: screen.width, all: false };
    let text = journey::frame(archive, number, manner).unwrap_or_default();
    screen.put(&text)?;
    let Some(frame) = archive.trace.frame(number) else { return Ok(()) };
    show_tables(screen, archive.trace, &frame, TableKind::Overview)
}

/// A table of the frame's host at that instant, with what changed since the frame before.
fn show_tables(screen: &mut Screen, trace: &Trace, frame: &Captured, kind: TableKind) -> Result<(), Failure> {
    let moment = Moment::after(trace, frame.event);
    let before = frame.number.checked_sub(2).map_or(EventId(0), |index| trace.frames[index as usize]);
    let news: Vec<_> = moment.news(before, frame.event).collect();
    let text = tables::text(trace, moment.node(frame.node), frame.at, kind, &news);
    if text.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.line(&screen.ink(Ink::Strong, &format!("{} at {} s", trace.node_name(frame.node), frame.at)))?;
    screen.put(&text)
}

/// Frame by frame, as lines are typed.
fn walk(screen: &mut Screen, ran: &Ran, archive: &Archive, frames: &[u32], start: usize) -> Result<(), Failure> {
    let mut at = start;
    let mut lines = io::stdin().lock().lines();
    let mut is_shown = false;
    loop {
        if !std::mem::take(&mut is_shown) {
            full(screen, archive, frames[at])?;
        }
        screen.line("")?;
        screen.put(&screen.ink(Ink::Faint, "n next, p back, f21 r3 1.2s go there, 0-9 i u tables, q quit: "))?;
        screen.finish()?;
        let Some(line) = lines.next().transpose().map_err(|error| Failure::File(error.to_string()))? else {
            return screen.line("");
        };
        match line.trim() {
            "" | "n" => at = (at + 1).min(frames.len() - 1),
            "p" => at = at.saturating_sub(1),
            "g" => at = 0,
            "G" => at = frames.len() - 1,
            "q" => return Ok(()),
            key if tables::by_key(key).is_some() => {
                if let (Some(frame), Some(kind)) = (archive.trace.frame(frames[at]), tables::by_key(key)) {
                    show_tables(screen, archive.trace, &frame, kind)?;
                }
                is_shown = true;
            }
            place => match place.parse::<Place>() {
                Ok(place) => match at_place(&ran.trace, frames, place) {
                    Ok(index) => at = index,
                    Err(failure) => failure.report(),
                },
                Err(message) => say(&format!("{message}\n")),
            },
        }
    }
}
