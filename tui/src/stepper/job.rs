//! Work that may take long (a run, reading it, comparing two), on a thread of its own: the screen and the keyboard never
//! wait for it. One job is one thread; what it makes belongs to nobody else until it is done.
//!
//! ```text
//!   screen ──start──► thread: run ─► read, stage by stage ─┐
//!     ▲  ╰──look: how far? or give it up────────────────────┤
//!     ╰──────────────────── the finished run ◄──────────────╯
//! ```

use super::diff;
use super::editor::{self, Editor};
use super::fork::{self, Added, Addition};
use super::run::{Raw, Run};
use super::theme::Ink;
use super::watch::Watch;
use crate::failure::Failure;
use crate::session::{self, End, Options};
use scenarios::Model;
use sim_core::base::id::NodeId;
use sim_core::base::time::Instant;
use sim_core::trace::record::CommandRecord;
use sim_core::world::sim::{Sim, Stopped};
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a job came to.
#[derive(Debug)]
pub(crate) enum Done {
    /// A run.
    Run(Box<Run>, Option<usize>),
    /// A run that was read from a file, and the texts of its scenario.
    Saved(Box<Run>, Vec<(String, String)>),
    /// A file of a host, to be edited.
    File(Box<Editor>),
    /// Why a file cannot be edited.
    NoFile(String),
    /// Two runs beside each other: a heading, and lines.
    Compared(String, Vec<(Ink, String)>),
}

/// Work under way. Dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Job {
    watch: Arc<Watch>,
    answer: Receiver<Result<Done, Failure>>,
    thread: Option<JoinHandle<()>>,
}

/// How far a job is.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It goes on: so far, of so much.
    Going(u64, u64),
    /// It is done.
    Done(Done),
    /// It cannot be done.
    Failed(Failure),
}

impl Job {
    /// Runs a scenario with what was added. `parent` is the branch it leaves.
    ///
    /// # Errors
    /// Why an addition cannot be made.
    pub(crate) fn begin(
        base: &Model,
        added: Vec<Addition>,
        parent: Option<usize>,
        options: &Options,
    ) -> Result<Job, String> {
        let scenario = fork::with(base, &added)?;
        let seed = options.seed.unwrap_or(scenario.seed);
        let until = options.until.unwrap_or(scenario.until);
        Ok(Job::start(move |watch| {
            // The world is made here: nothing of it ever leaves this thread.
            let sim = session::assembled(&scenario, seed, until);
            let Some(raw) = drive(sim, scenario, added, (seed, until), watch) else { return Ok(None) };
            Ok(Run::of(raw, watch).map(|run| Done::Run(Box::new(run), parent)))
        }))
    }

    /// Reads a run that was saved in a file.
    pub(crate) fn of_saved(file: String) -> Job {
        Job::start(move |watch| {
            let gone = || Failure::File(format!("cannot open {file}: it is no saved run any longer"));
            let saved = session::saved(&file)?.ok_or_else(gone)?;
            let scenario = session::from_texts(&saved.texts)?;
            let raw = Raw {
                scenario,
                added: Vec::new(),
                trace: saved.trace,
                end: Instant::from_nanos(saved.head.end_ns),
                stopped: if saved.head.whole { End::Engine(Stopped::Until) } else { End::Interrupted },
                seed: saved.head.seed,
                digest: saved.head.digest.chars().take(8).collect(),
            };
            Ok(Run::of(raw, watch).map(|run| Done::Saved(Box::new(run), saved.texts)))
        })
    }

    /// Reads a file of a host at an instant, as `cat` typed there would show it. The run goes no further than that.
    ///
    /// # Errors
    /// Why nothing can be added.
    pub(crate) fn edit(
        base: &Model,
        mut added: Vec<Addition>,
        cat: Addition,
        path: String,
        seed: u64,
    ) -> Result<Job, String> {
        let Added::Line { host, .. } = cat.what else { return Err("a file is read by a line".to_string()) };
        let at = cat.at();
        added.push(cat);
        let scenario = fork::with(base, &added)?;
        let until = at + READING;
        Ok(Job::start(move |watch| {
            let sim = session::assembled(&scenario, seed, until);
            let Some(raw) = drive(sim, scenario, added, (seed, until), watch) else { return Ok(None) };
            let is_it = |record: &&CommandRecord| {
                record.node.index() == host && record.started == at && !record.boot && record.ended.is_some()
            };
            let Some(record) = raw.trace.commands.iter().rfind(is_it) else {
                return Ok(Some(Done::NoFile(
                    "this host was not running, so nobody could read a file here".to_string(),
                )));
            };
            let text = match record.exit {
                Some(0) => Some(&*record.stdout),
                _ if record.stderr.contains("No such file") => None,
                _ => return Ok(Some(Done::NoFile(record.stderr.trim().to_string()))),
            };
            if text.is_some_and(|text| text.len() > editor::OCTETS_MAX) {
                return Ok(Some(Done::NoFile(format!("{path} is too long to be edited here"))));
            }
            let node = NodeId(host as u32);
            Ok(Some(Done::File(Box::new(Editor::new(node, path, text)))))
        }))
    }

    /// Lays two runs beside each other, at an instant.
    pub(crate) fn compare(title: String, old: Arc<Run>, new: Arc<Run>, now: Instant) -> Job {
        Job::start(move |_| Ok(Some(Done::Compared(title, diff::lines(&old, &new, now)))))
    }

    #[expect(clippy::disallowed_methods, reason = "the screen waits for the work; one run is still one thread")]
    fn start(work: impl FnOnce(&Watch) -> Result<Option<Done>, Failure> + Send + 'static) -> Job {
        let watch = Arc::new(Watch::default());
        let (tell, answer) = mpsc::sync_channel(1);
        let theirs = Arc::clone(&watch);
        let thread = thread::spawn(move || {
            if let Some(result) = work(&theirs).transpose() {
                // Nobody hears it if the job was given up at the last moment.
                let _ = tell.send(result);
            }
        });
        Job { watch, answer, thread: Some(thread) }
    }

    /// Looks how far it is; waits a moment for the end.
    pub(crate) fn look(&mut self, patience: Duration) -> Turn {
        match self.answer.recv_timeout(patience) {
            Ok(Ok(done)) => Turn::Done(done),
            Ok(Err(failure)) => Turn::Failed(failure),
            Err(RecvTimeoutError::Timeout) => {
                let (done, of) = self.watch.so_far();
                Turn::Going(done, of)
            }
            Err(RecvTimeoutError::Disconnected) => {
                // A job that ends without an answer is a bug of ours: it is one here too.
                if let Some(Err(bug)) = self.thread.take().map(JoinHandle::join) {
                    panic::resume_unwind(bug);
                }
                Turn::Failed(Failure::Usage("the work ended without a result".to_string()))
            }
        }
    }

    /// Waits until it is done.
    #[cfg(test)]
    pub(crate) fn finish(mut self) -> Done {
        loop {
            match self.look(Duration::from_secs(1)) {
                Turn::Done(done) => return done,
                Turn::Failed(failure) => panic!("{}", failure.text()),
                Turn::Going(..) => {}
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.watch.give_up();
    }
}

impl Done {
    /// The run that it is.
    #[cfg(test)]
    pub(crate) fn run(self) -> Run {
        match self {
            Done::Run(run, _) | Done::Saved(run, _) => *run,
            other => panic!("this is no run: {other:?}"),
        }
    }
}

/// Turns the engine to its end; none if it was given up.
fn drive(
    mut sim: Sim,
    scenario: Model,
    added: Vec<Addition>,
    (seed, until): (u64, Instant),
    watch: &Watch,
) -> Option<Raw> {
    let stopped = loop {
        if let Some(stopped) = (0..BATCH).find_map(|_| sim.step()) {
            break stopped;
        }
        if watch.ran(sim.now(), until) {
            return None;
        }
    };
    let end = match stopped {
        Stopped::Until | Stopped::Quiet => until,
        Stopped::Livelock { .. } | Stopped::TraceFull { .. } => sim.now(),
    };
    let digest = sim.digest().map_or("none".to_string(), |digest| digest.to_string());
    Some(Raw { scenario, added, trace: sim.into_trace(), end, stopped: End::Engine(stopped), seed, digest })
}

/// So much simulated time a file takes to be read.
const READING: sim_core::base::time::Duration = sim_core::base::time::Duration::from_millis(1);

/// Turns of the engine between two looks at whether anybody still waits.
const BATCH: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_given_up_ends_by_itself() {
        let model = session::open("tutorial-000-dr").unwrap_or_else(|failure| panic!("{}", failure.text()));
        let options = Options { until: Some(Instant::from_nanos(u64::MAX / 2)), ..Options::default() };
        let mut job = Job::begin(&model, Vec::new(), None, &options).expect("nothing is added");
        assert!(matches!(job.look(Duration::ZERO), Turn::Going(..)));
        let thread = job.thread.take().expect("it works");
        drop(job);
        thread.join().expect("no bug of ours");
    }

    #[test]
    fn a_bug_in_the_work_is_a_bug_here() {
        let mut job = Job::start(|_| panic!("made up"));
        let bug = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            loop {
                job.look(Duration::from_millis(10));
            }
        }));
        assert_eq!(bug.expect_err("it panics here too").downcast_ref::<&str>(), Some(&"made up"));
    }
}
