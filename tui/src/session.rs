//! From a name to a finished run: the scenario is found, read, built and run, and what it came to is kept.

use crate::failure::Failure;
use crate::failure::say;
use crate::files::Folder;
use crate::place::Place;
use crate::suggest::did_you_mean;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pcap_out::About;
use pcap_out::report::Mark;
use pcap_out::saved::{self, Saved};
use scenarios::model::{Deed, Item};
use scenarios::{Model, Source};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::record::CommandRecord;
use sim_core::trace::recorder::Counters;
use sim_core::trace::{Digest, Trace};
use sim_core::world::sim::{Sim, Stopped};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What may differ from what the scenario says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Another seed.
    pub(crate) seed: Option<u64>,
    /// Another end.
    pub(crate) until: Option<Instant>,
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Everything that was recorded.
    pub(crate) trace: Trace,
    /// What was counted.
    pub(crate) counters: Counters,
    /// Name, seed and digest.
    pub(crate) about: About,
    /// The digest.
    pub(crate) digest: Option<Digest>,
    /// When the run ended, in simulated time.
    pub(crate) now: Instant,
    /// Why it ended.
    pub(crate) stopped: End,
    /// How long it took, in real time.
    pub(crate) took: std::time::Duration,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The engine stopped.
    Engine(Stopped),
    /// Somebody pressed Ctrl-C, or sent SIGTERM.
    Interrupted,
}

/// A bundled scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bundled {
    pub(crate) name: &'static str,
    pub(crate) alias: Option<&'static str>,
}

impl Ran {
    /// `3f0c9a51`.
    pub(crate) fn short_digest(&self) -> String {
        self.digest.map_or("none".to_string(), |digest| digest.to_string())
    }

    /// The last instant before the script began, when boot is over.
    pub(crate) fn after_boot(&self) -> Instant {
        let script = self.trace.commands.iter().filter(|command| !command.boot);
        let first = script.map(|command| command.started).min().unwrap_or(self.now);
        Instant::from_nanos(first.nanos().saturating_sub(1))
    }
}

/// The bundled scenarios, in the order in which they are best met.
pub(crate) fn bundled() -> Vec<Bundled> {
    let aliases = scenarios::library::ALIASES;
    let alias = |name| aliases.iter().find(|(_, meant)| *meant == name).map(|(alias, _)| *alias);
    scenarios::library::names().map(|name| Bundled { name, alias: alias(name) }).collect()
}

/// Whether this is a bundled scenario or a file.
pub(crate) fn exists(name: &str) -> bool {
    scenarios::library::find(name).is_some() || Path::new(name).is_file()
}

/// Finds, reads and checks a scenario.
pub(crate) fn open(name: &str) -> Result<Model, Failure> {
    open_with_texts(name).map(|(model, _)| model)
}

/// The same, and every text that was read for it: the scenario's own first, by names in its folder.
pub(crate) fn open_with_texts(name: &str) -> Result<(Model, Vec<(String, String)>), Failure> {
    let (file, source): (String, Box<dyn Source>) = match scenarios::library::find(name) {
        Some(bundled) => (bundled.file(), Box::new(bundled)),
        None => {
            let (file, folder) = on_disk(name)?;
            (file, Box::new(folder))
        }
    };
    let noted = Noted { source: &*source, texts: RefCell::default() };
    let model = scenarios::load(&file, &noted).map_err(Failure::Invalid)?;
    Ok((model, noted.texts.into_inner()))
}

/// A scenario whose texts are at hand.
pub(crate) fn from_texts(texts: &[(String, String)]) -> Result<Model, Failure> {
    let name = texts.first().map_or("", |(name, _)| name);
    scenarios::load(name, &Noted { source: &AtHand(texts), texts: RefCell::default() }).map_err(Failure::Invalid)
}

/// Whether a file is a saved run, by how it begins.
pub(crate) fn is_saved(name: &str) -> Result<bool, Failure> {
    use std::io::Read;
    let path = Path::new(name);
    if !path.is_file() {
        return Ok(false);
    }
    let mut file = std::fs::File::open(path).map_err(|error| unreadable(name, &error))?;
    let mut begins = vec![0; saved::MAGIC.len()];
    Ok(file.read_exact(&mut begins).is_ok() && begins == saved::MAGIC)
}

/// A saved run, if the file is one.
pub(crate) fn saved(name: &str) -> Result<Option<Saved>, Failure> {
    if !is_saved(name)? {
        return Ok(None);
    }
    let bytes = std::fs::read(name).map_err(|error| unreadable(name, &error))?;
    saved::read(&bytes).map(Some).map_err(|message| Failure::File(format!("cannot open {name}: {message}")))
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::File(format!("cannot read {name}: {}", crate::failure::reason(error)))
}

/// A source that notes what was read from it.
struct Noted<'a> {
    source: &'a dyn Source,
    texts: RefCell<Vec<(String, String)>>,
}

impl Source for Noted<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = self.source.read(path)?;
        let mut texts = self.texts.borrow_mut();
        if !texts.iter().any(|(known, _)| known == path) {
            texts.push((path.to_string(), text.clone()));
        }
        Ok(text)
    }
}

/// Texts that are at hand.
struct AtHand<'a>(&'a [(String, String)]);

impl Source for AtHand<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| "No such file or directory".to_string())
    }
}

/// A scenario as it is written.
pub(crate) fn text(name: &str) -> Result<String, Failure> {
    let read = match scenarios::library::find(name) {
        Some(bundled) => bundled.read(&bundled.file()),
        None => {
            let (file, folder) = on_disk(name)?;
            folder.read(&file)
        }
    };
    read.map_err(|error| Failure::File(format!("cannot read {name}: {error}")))
}

/// The name of a file in its folder, and the folder.
pub(crate) fn on_disk(name: &str) -> Result<(String, Folder), Failure> {
    let path = Path::new(name);
    let looks_like_file = name.contains(['/', '.']) || path.exists();
    if !looks_like_file {
        let known: Vec<Bundled> = bundled();
        let meant = did_you_mean(name, known.iter().flat_map(|one| [Some(one.name), one.alias].into_iter().flatten()));
        return Err(Failure::Usage(format!("there is no scenario `{name}`{meant} (lvslab list shows all)")));
    }
    match path.file_name() {
        Some(file) if path.is_file() => match std::fs::File::open(path) {
            Ok(_) => Ok((file.to_string_lossy().into_owned(), Folder::of(path))),
            Err(error) => Err(unreadable(name, &error)),
        },
        _ if path.is_dir() => Err(Failure::File(format!("cannot read {name}: it is a folder"))),
        _ if path.exists() => Err(Failure::File(format!("cannot read {name}: it is a device or a pipe, and no file"))),
        Some(_) | None => Err(Failure::File(format!("cannot read {name}: there is no such file"))),
    }
}

/// Says on standard error what was put right in a scenario and what has no effect.
pub(crate) fn warn(model: &Model) {
    if !model.warnings.is_empty() {
        say(&scenarios::problem::render(&model.warnings));
    }
}

/// Says on standard error what there is to say about a file that is good.
pub(crate) fn show(problems: &[scenarios::Problem]) {
    if !problems.is_empty() {
        say(&scenarios::problem::render(problems));
    }
}

/// Runs a scenario, and says before what was put right in it.
pub(crate) fn run(model: &Model, options: &Options) -> Result<Ran, Failure> {
    let interrupt = Interrupt::listen();
    warn(model);
    Ok(run_listening(model, options, &interrupt))
}

/// Runs a scenario about which everything was said already.
fn run_again(model: &Model, options: &Options) -> Result<Ran, Failure> {
    Ok(run_listening(model, options, &Interrupt::listen()))
}

fn run_listening(model: &Model, options: &Options, interrupt: &Interrupt) -> Ran {
    let seed = options.seed.unwrap_or(model.seed);
    let until = options.until.unwrap_or(model.until);
    drive(assembled(model, seed, until), model, seed, until, interrupt)
}

/// Ctrl-C and SIGTERM, as long as a run lasts.
struct Interrupt {
    came: Arc<AtomicBool>,
    handlers: Vec<signal_hook::SigId>,
}

impl Interrupt {
    fn listen() -> Interrupt {
        let came = Arc::new(AtomicBool::new(false));
        // Without a handler a signal ends the program as it would without us.
        let handlers = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM]
            .into_iter()
            .filter_map(|signal| signal_hook::flag::register(signal, Arc::clone(&came)).ok())
            .collect();
        Interrupt { came, handlers }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}

/// The world of a scenario, before anything has happened.
pub(crate) fn assembled(model: &Model, seed: u64, until: Instant) -> Sim {
    scenarios::assemble(
        model,
        scenarios::Options { seed: Some(seed), until: Some(until), ..scenarios::Options::default() },
    )
}

/// Turns the engine, with a progress bar for whoever waits longer than a second, until the end, Ctrl-C or SIGTERM.
fn drive(mut sim: Sim, model: &Model, seed: u64, until: Instant, interrupt: &Interrupt) -> Ran {
    let clock = Clock::start();
    let mut progress: Option<ProgressBar> = None;
    let mut turns: u32 = 0;
    let stopped = loop {
        if let Some(stopped) = sim.step() {
            break End::Engine(stopped);
        }
        turns = turns.wrapping_add(1);
        if turns.is_multiple_of(1024) {
            if interrupt.came.load(Ordering::Relaxed) {
                break End::Interrupted;
            }
            if progress.is_none() && clock.elapsed().as_secs() >= 1 {
                progress = Some(bar(until));
            }
            if let Some(progress) = &progress {
                progress.set_position(sim.now().millis());
            }
        }
    };
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    let took = clock.elapsed();
    let (counters, digest) = (sim.counters(), sim.digest());
    let now = match stopped {
        End::Engine(Stopped::Until | Stopped::Quiet) => until,
        End::Engine(_) | End::Interrupted => sim.now(),
    };
    let about = About {
        scenario: model.name.clone(),
        title: model.title.clone(),
        seed,
        digest: digest.map_or("none".to_string(), |digest| format!("{digest:#}")),
    };
    Ran { trace: sim.into_trace(), counters, about, digest, now, stopped, took }
}

fn bar(until: Instant) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(until.millis()), target);
    let style = ProgressStyle::with_template("{wide_bar} {percent} % of the simulated time, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Says on standard error if the run did not end as it should.
pub(crate) fn complain_about_end(ran: &Ran) {
    let text = match ran.stopped {
        End::Engine(Stopped::Until | Stopped::Quiet) => return,
        End::Engine(Stopped::Livelock { node, at }) => format!(
            "stopped at {at} s: more than a million things happened at one instant, the last at {}",
            ran.trace.node_name(node)
        ),
        End::Engine(Stopped::TraceFull { at }) => {
            format!("stopped at {at} s: the record of the run is full; --until {at}s runs only so far")
        }
        End::Interrupted => format!("interrupted at {} s; everything up to there was kept", ran.now),
    };
    say(&format!("{text}\n"));
}

/// Runs the scenario again and compares what both delivered and printed.
pub(crate) fn compare_with_another_run(model: &Model, options: &Options, first: &Ran) -> Result<(), Failure> {
    let second = run_again(model, options)?;
    if first.digest != second.digest {
        let at = first.trace.events.iter().zip(&second.trace.events).position(|(a, b)| a != b);
        let place = at.map_or("at the end of one of them".to_string(), |at| format!("first at event e{at}"));
        let (a, b) = (first.short_digest(), second.short_digest());
        return Err(Failure::Determinism(format!("two runs of the same scenario and seed differ, {place}: {a}, {b}")));
    }
    say(&format!("two runs, one digest: {}\n", first.short_digest()));
    Ok(())
}

/// A run that was made before.
pub(crate) fn of_saved(saved: Saved) -> Ran {
    let Saved { head, trace, .. } = saved;
    let about = About { scenario: head.scenario, title: head.title, seed: head.seed, digest: head.digest };
    let stopped = if head.whole { End::Engine(Stopped::Until) } else { End::Interrupted };
    Ran {
        trace,
        counters: Counters::default(),
        about,
        digest: None,
        now: Instant::from_nanos(head.end_ns),
        stopped,
        took: std::time::Duration::ZERO,
    }
}

/// What was expected, and whether it holds.
pub(crate) fn judge(model: &Model, ran: &Ran) -> Vec<Mark> {
    // Another scenario that this one is compared with runs with the same seed to the same end.
    let model = &Model { seed: ran.about.seed, until: ran.now, ..model.clone() };
    marks(model, &ran.trace)
}

/// The same, of a trace.
pub(crate) fn marks(model: &Model, trace: &Trace) -> Vec<Mark> {
    let judgements = scenarios::expect::judge(model, trace).into_iter();
    judgements.map(|one| Mark { expected: one.expected, holds: one.holds, observed: one.observed }).collect()
}

/// The instant of a place; what is not a time is looked up in a run.
pub(crate) fn instant_of(model: &Model, place: Place) -> Result<Instant, Failure> {
    match place {
        Place::Time(at) => Ok(at),
        Place::Frame(_) | Place::Event(_) | Place::Request(_) => {
            let ran = run_again(model, &Options::default())?;
            Ok(ran.trace.at(place.event(&ran.trace)?))
        }
    }
}

/// Types one more line on a host, right after an instant, and runs the rest.
pub(crate) fn exec(model: &Model, host: &str, at: Instant, line: &str) -> Result<CommandRecord, Failure> {
    let Some(index) = model.host(host) else {
        let meant = did_you_mean(host, model.hosts.iter().map(|host| host.name.as_str()));
        return Err(Failure::Usage(format!("there is no host {host}{meant}")));
    };
    let typed = sim_core::shell::parse::typed(line).map_err(|problems| {
        let said: Vec<String> = problems.iter().map(said).collect();
        Failure::Usage(format!("this cannot be typed: {}", said.join("; ")))
    })?;
    let at = at + Duration::from_nanos(1);
    let item = Item { at, times: 1, every: Duration::ZERO, deed: Deed::Run { host: index, lines: vec![typed] } };
    let mut model = model.clone();
    model.script.push(item);
    model.until = model.until.max(at + PATIENCE);
    // What is to be said about the scenario is no answer to what was typed.
    let ran = run_again(&model, &Options::default())?;
    let is_it = |command: &&CommandRecord| command.node.index() == index && command.started == at && !command.boot;
    let typed = ran.trace.commands.iter().rfind(is_it).cloned();
    typed.ok_or_else(|| Failure::Usage(format!("{host} was not running at {at} s, so nobody could type there")))
}

/// What might have been meant by a line that did not do what was wanted: a hint for each of its words that the lab does
/// not know.
pub(crate) fn hints(line: &str) -> Vec<String> {
    let Err(problems) = sim_core::shell::parse::lines(line, &[]) else { return Vec::new() };
    problems.iter().filter(|problem| !problem.warning).filter_map(|problem| problem.hint.clone()).collect()
}

fn said(problem: &sim_core::shell::parse::ScriptProblem) -> String {
    match &problem.hint {
        Some(hint) => format!("{} ({hint})", problem.message),
        None => problem.message.clone(),
    }
}

/// How long a typed command may take, if the scenario ends earlier.
const PATIENCE: Duration = Duration::from_secs(60);

/// Words as a shell would have to be given them.
pub(crate) fn quoted(words: &[String]) -> String {
    if let [one] = words {
        return one.clone();
    }
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// One word as a shell would have to be given it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match word.chars().all(plain) && !word.is_empty() {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A file's name as a shell would have to be given it; `~/` stays the home folder.
pub(crate) fn quoted_path(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(rest) => format!("~/{}", quote(rest)),
        None => quote(path),
    }
}

/// Real time, which only the command line may look at, and only to say how long something took.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "the command line times a run; nothing simulated sees it")]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the command line times a run")]
    pub(crate) fn start() -> Self {
        Clock(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}
