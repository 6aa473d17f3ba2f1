//! `lvslab run`: a scenario from beginning to end, and what it came to.

use super::findings;
use crate::drawing;
use crate::failure::Failure;
use crate::files::write_whole;
use crate::filter::compiled;
use crate::paint::{Ink, Screen};
use crate::session::{self, End, Options, Ran};
use crate::suggest::did_you_mean;
use crate::typed;
use clap::{Args, ValueEnum};
use pcap_out::layout::{pad, side_by_side, wrap};
use pcap_out::pcapng::{Selection, Side};
use pcap_out::report::{Mark, Report};
use pcap_out::saved::{self, ToSave};
use pcap_out::story::Archive;
use pcap_out::{json, ladder, pcapng};
use scenarios::Model;
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::dispute::disputes;
use sim_core::trace::filter::Filter;
use sim_core::trace::outage::outages;
use sim_core::trace::record::Outcome;
use sim_core::trace::select::Selector;
use sim_core::world::sim::Stopped;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr;

/// Run a scenario: what was typed, who served, what holds.
///
/// Exit status 1 if an expectation of the scenario does not hold.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A scenario file or name
    #[arg(value_name = "S")]
    scenario: String,
    /// Draw the way of request 1 (or N), and what changed at each hop
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    ladder: Option<u32>,
    /// Write a capture for Wireshark (- is standard output)
    #[arg(long, value_name = "F.pcapng")]
    pcap: Option<PathBuf>,
    /// Which end of a frame's way the capture has: both, out, in
    #[arg(long, value_name = "SIDE", default_value = "both", hide_possible_values = true)]
    pcap_side: SideName,
    /// Only the cards of these hosts
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pcap_on: Vec<String>,
    /// Write one capture per network card into a folder
    #[arg(long, value_name = "DIR")]
    pcap_split: Option<PathBuf>,
    /// Write a JSON report (- is standard output)
    #[arg(long, value_name = "F.json")]
    report: Option<PathBuf>,
    /// Write every event, one JSON line each (- is standard output)
    #[arg(long, value_name = "F.jsonl")]
    events: Option<PathBuf>,
    /// Save the whole run; lvslab tui F opens it without running it again
    #[arg(long, value_name = "F.lvsrun")]
    save: Option<PathBuf>,
    /// List the frames that pass a filter; captures then hold only them
    #[arg(long, value_name = "X")]
    filter: Option<String>,
    /// Show also what was typed at boot
    #[arg(long)]
    boot: bool,
    /// Run twice and compare
    #[arg(long)]
    twice: bool,
    /// Another seed than the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// End earlier or later than the scenario says
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Instant>,
}

/// Which end of a frame's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SideName {
    Both,
    Out,
    In,
}

fn parse_time(text: &str) -> Result<Instant, String> {
    let span = Duration::parse(text).ok_or("a time has a unit: 12s, 200ms, 1.5s")?;
    Ok(Instant::ZERO + span)
}

pub(crate) fn run(arguments: &Run, screen: &mut Screen) -> Result<(), Failure> {
    let to_stdout = [&arguments.pcap, &arguments.report, &arguments.events, &arguments.save];
    if to_stdout.into_iter().flatten().filter(|name| *name == Path::new("-")).count() > 1 {
        return Err(Failure::Usage("only one of them can go to standard output (-)".to_string()));
    }
    let filter = arguments.filter.as_deref().map(compiled).transpose()?;
    let (model, texts) = session::open_with_texts(&arguments.scenario)?;
    let options = Options { seed: arguments.seed, until: arguments.until };
    let ran = session::run(&model, &options)?;
    if let Some(file) = &arguments.save {
        let whole = matches!(ran.stopped, End::Engine(Stopped::Until | Stopped::Quiet));
        let run = ToSave { about: &ran.about, end: ran.now, whole, texts: &texts, trace: &ran.trace };
        write_whole(file, |out| saved::write(out, &run))?;
    }
    if arguments.twice {
        session::compare_with_another_run(&model, &options, &ran)?;
    }
    let marks = session::judge(&model, &ran);
    let archive = Archive::of(&ran.trace);
    let chosen = filter.as_ref().map(|filter| Selector::new(&ran.trace).select(filter));
    let numbers: Option<BTreeSet<u32>> = chosen.as_ref().map(|list| list.iter().copied().collect());
    write_files(arguments, &archive, &ran, &marks, numbers)?;
    if !writes_to_stdout(arguments) {
        show(arguments, screen, &model, &archive, &ran, &marks)?;
        if let (Some(filter), Some(chosen)) = (&filter, &chosen) {
            list_frames(screen, &ran, filter, chosen)?;
        }
    }
    session::complain_about_end(&ran);
    if marks.iter().all(|mark| mark.holds != Some(false)) { Ok(()) } else { Err(Failure::Expectation) }
}

fn writes_to_stdout(arguments: &Run) -> bool {
    let files = [&arguments.pcap, &arguments.report, &arguments.events, &arguments.save];
    files.into_iter().flatten().any(|name| name == Path::new("-"))
}

fn write_files(
    arguments: &Run,
    archive: &Archive,
    ran: &Ran,
    marks: &[Mark],
    frames: Option<BTreeSet<u32>>,
) -> Result<(), Failure> {
    let trace = archive.trace;
    let side = match arguments.pcap_side {
        SideName::Both => Side::Both,
        SideName::Out => Side::Out,
        SideName::In => Side::In,
    };
    let selection = Selection { side, on: hosts(arguments, archive)?, frames };
    if let Some(name) = &arguments.pcap {
        write_whole(name, |out| pcapng::write(out, trace, &ran.about, &selection).map(|_| ()))?;
    }
    if let Some(folder) = &arguments.pcap_split {
        std::fs::create_dir_all(folder).map_err(|error| Failure::writing(&folder.display().to_string(), &error))?;
        for file in pcapng::split(trace, &ran.about, &selection) {
            let (name, bytes) = file?;
            write_whole(&folder.join(name), |out| out.write_all(&bytes))?;
        }
    }
    if let Some(name) = &arguments.report {
        let report = Report::of(archive, &ran.about, ran.counters, ran.now.nanos(), marks.to_vec());
        write_whole(name, |out| out.write_all(report.to_json().as_bytes()))?;
    }
    if let Some(name) = &arguments.events {
        write_whole(name, |out| json::write(out, trace, &ran.about))?;
    }
    Ok(())
}

fn hosts(arguments: &Run, archive: &Archive) -> Result<Option<BTreeSet<NodeId>>, Failure> {
    if arguments.pcap_on.is_empty() {
        return Ok(None);
    }
    let nodes = &archive.trace.cast.nodes;
    let names = || nodes.iter().filter(|card| !card.is_switch).map(|card| &*card.name);
    let find = |name: &String| {
        let found = nodes.iter().position(|card| !card.is_switch && *card.name == **name);
        found
            .map(|index| NodeId(index as u32))
            .ok_or_else(|| Failure::Usage(format!("there is no host {name}{}", did_you_mean(name, names()))))
    };
    arguments.pcap_on.iter().map(find).collect::<Result<_, _>>().map(Some)
}

fn show(
    arguments: &Run,
    screen: &mut Screen,
    model: &Model,
    archive: &Archive,
    ran: &Ran,
    marks: &[Mark],
) -> Result<(), Failure> {
    screen.line(&format!("{}   {}", screen.ink(Ink::Name, &model.name), screen.ink(Ink::Strong, &model.title)))?;
    for line in wrap(&model.about, screen.width) {
        screen.line(&line)?;
    }
    screen.line("")?;
    for line in drawing::topology(archive.trace, ran.after_boot(), screen.width) {
        screen.line(&line)?;
    }
    screen.line("")?;
    typed::show(screen, archive, arguments.boot)?;
    if let Some(number) = arguments.ladder {
        show_ladder(screen, archive, number)?;
    }
    if !marks.is_empty() {
        screen.line("")?;
        show_marks(screen, marks)?;
    }
    findings::show(screen, model, ran)?;
    show_totals(screen, model, archive, ran, marks)?;
    show_next(arguments, screen, archive, marks)
}

fn show_ladder(screen: &mut Screen, archive: &Archive, number: u32) -> Result<(), Failure> {
    let count = archive.trace.requests.len();
    if number == 0 || number as usize > count {
        return Err(Failure::Usage(format!("there is no request {number}; the run has {count}")));
    }
    screen.line("")?;
    match ladder::request(archive, number, screen.width) {
        Some(text) => screen.put(&text),
        None => screen.line(&format!("Request {number} sent no packet.")),
    }
}

/// Two columns where they fit; what does not hold takes lines of its own.
fn show_marks(screen: &mut Screen, marks: &[Mark]) -> Result<(), Failure> {
    let column = (screen.width - 6) / 2;
    let mut waiting: Option<String> = None;
    for mark in marks {
        let sign = match mark.holds {
            Some(true) => screen.ink(Ink::Good, "✔"),
            Some(false) => screen.ink(Ink::Bad, "✘"),
            None => "–".to_string(),
        };
        let fits = mark.holds == Some(true) && mark.expected.width() <= column;
        let cell = format!(" {sign} {}", pad(&mark.expected, if fits { column } else { 0 }));
        match (waiting.take(), fits) {
            (Some(left), true) => screen.line(&format!("{left}{cell}"))?,
            (None, true) => waiting = Some(cell),
            (left, false) => {
                if let Some(left) = left {
                    screen.line(&left)?;
                }
                let lines = wrap(&mark.expected, screen.width - 4);
                screen.line(&format!(" {sign} {}", lines[0]))?;
                for line in &lines[1..] {
                    screen.line(&format!("   {line}"))?;
                }
                for observed in &mark.observed {
                    for line in wrap(observed, screen.width - 6) {
                        screen.line(&format!("     {line}"))?;
                    }
                }
            }
        }
    }
    match waiting {
        Some(left) => screen.line(&left),
        None => Ok(()),
    }
}

fn show_totals(
    screen: &mut Screen,
    model: &Model,
    archive: &Archive,
    ran: &Ran,
    marks: &[Mark],
) -> Result<(), Failure> {
    let requests = &archive.trace.requests;
    let answered = requests.iter().filter(|request| matches!(request.outcome, Outcome::Answered { .. })).count();
    let good = marks.iter().filter(|mark| mark.holds == Some(true)).count();
    let mut parts = Vec::new();
    if !marks.is_empty() {
        parts.push(format!("{good} of {} expectations hold", marks.len()));
    }
    if !requests.is_empty() {
        parts.push(format!(
            "{} request{}, {answered} answered",
            requests.len(),
            if requests.len() == 1 { "" } else { "s" }
        ));
    }
    parts.push(format!("{} frames", archive.trace.frames.len()));
    let took = if screen.is_terminal() { format!(" in {} ms", ran.took.as_millis()) } else { String::new() };
    parts.push(format!("{} simulated{took}", spaced(ran.now.since(Instant::ZERO))));
    screen.line("")?;
    for line in side_by_side(&parts, "   ", "", screen.width) {
        screen.line(&line)?;
    }
    if ran.now < model.until {
        let end = model.until;
        screen.line(&format!("the scenario would go on until {end} s: what was to happen later is missing"))?;
    }
    let seed = ran.about.seed;
    screen.line(&format!(
        "seed {seed}   digest {}   (--seed N for another run, --twice to compare two)",
        ran.short_digest()
    ))
}

/// `12 s`, `1.5 s`.
fn spaced(span: Duration) -> String {
    let text = span.to_string();
    let unit = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    format!("{} {}", &text[..unit], &text[unit..])
}

fn show_next(arguments: &Run, screen: &mut Screen, archive: &Archive, marks: &[Mark]) -> Result<(), Failure> {
    let name = &arguments.scenario;
    let mut next = Vec::new();
    if !archive.trace.requests.is_empty() {
        next.push(format!("lvslab explain {name} --request 1"));
        if arguments.ladder.is_none() {
            next.push("--ladder".to_string());
        }
    }
    if let Some(dispute) = disputes(archive.trace).first() {
        next.push(format!("lvslab explain {name} --address {}", dispute.address));
    }
    if outages(archive.trace).iter().any(|outage| outage.good_before.is_some()) {
        next.push(format!("lvslab explain {name} --outage 1"));
    }
    next.push(format!("lvslab tui {name}"));
    if arguments.pcap.is_none() {
        next.push("--pcap F.pcapng".to_string());
    }
    if marks.iter().any(|mark| mark.holds == Some(false)) {
        next.push(format!("lvslab show {name}"));
    }
    next[0] = format!("next:  {}", next[0]);
    side_by_side(&next, "     ", "       ", screen.width).iter().try_for_each(|line| screen.line(line))
}

fn list_frames(screen: &mut Screen, ran: &Ran, filter: &Filter, chosen: &[u32]) -> Result<(), Failure> {
    screen.line("")?;
    screen.line(&format!("{} of {} frames pass  {}", chosen.len(), ran.trace.frames.len(), filter.text()))?;
    for frame in chosen.iter().filter_map(|number| ran.trace.frame(*number)) {
        screen.line(&crate::commands::step::frame_line(&ran.trace, &frame, screen.width))?;
    }
    Ok(())
}
