//! Work that may take long (a run, and reading it), done in slices between two looks at the keyboard.

use super::fork::{self, Addition};
use super::run::{Raw, Reading, Run, STAGES};
use crate::session::{self, Clock, End, Options};
use pcap_out::saved::Saved;
use scenarios::Model;
use sim_core::base::time::Instant;
use sim_core::world::sim::{Sim, Stopped};

/// What a job came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The run.
    pub(crate) run: Run,
    /// The branch it was forked from; none for the first run.
    pub(crate) parent: Option<usize>,
}

/// A run that is being made.
pub(crate) struct Job {
    state: State,
    parent: Option<usize>,
}

enum State {
    Running { sim: Box<Sim>, scenario: Box<Model>, added: Vec<Addition>, seed: u64, until: Instant },
    Reading(Box<Reading>),
    Over,
}

/// How far a job is.
pub(crate) enum Turn {
    /// It goes on: so far, of so much.
    Going(u64, u64),
    /// It is done.
    Done(Box<Done>),
}

/// Real time that a slice takes, in milliseconds.
const SLICE_MS: u128 = 12;
/// Progress is counted in so many parts.
const PARTS: u64 = 1000;

impl Job {
    /// Runs a scenario with what was added.
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
        let sim = session::assembled(&scenario, seed, until);
        let state = State::Running { sim: Box::new(sim), scenario: Box::new(scenario), added, seed, until };
        Ok(Job { state, parent })
    }

    /// Reads a run that was made before.
    pub(crate) fn of_saved(scenario: &Model, saved: Saved) -> Job {
        let Saved { head, trace, .. } = saved;
        let raw = Raw {
            scenario: scenario.clone(),
            added: Vec::new(),
            trace,
            end: Instant::from_nanos(head.end_ns),
            stopped: if head.whole { End::Engine(Stopped::Until) } else { End::Interrupted },
            seed: head.seed,
            digest: head.digest.chars().take(8).collect(),
        };
        Job { state: State::Reading(Box::new(Reading::new(raw))), parent: None }
    }

    /// Works for a moment.
    pub(crate) fn turn(&mut self) -> Turn {
        let clock = Clock::start();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Running { mut sim, scenario, added, seed, until } => {
                let stopped = loop {
                    if let Some(stopped) = batch(&mut sim) {
                        break stopped;
                    }
                    if clock.elapsed().as_millis() >= SLICE_MS {
                        let done = part(sim.now(), until);
                        self.state = State::Running { sim, scenario, added, seed, until };
                        return Turn::Going(done, PARTS + STAGES);
                    }
                };
                let end = match stopped {
                    Stopped::Until | Stopped::Quiet => until,
                    Stopped::Livelock { .. } | Stopped::TraceFull { .. } => sim.now(),
                };
                let digest = sim.digest().map_or("none".to_string(), |digest| digest.to_string());
                let stopped = End::Engine(stopped);
                let raw = Raw { scenario: *scenario, added, trace: sim.into_trace(), end, stopped, seed, digest };
                self.state = State::Reading(Box::new(Reading::new(raw)));
                Turn::Going(PARTS, PARTS + STAGES)
            }
            State::Reading(reading) => match reading.stage() {
                Err(more) => {
                    let done = PARTS + more.done();
                    self.state = State::Reading(more);
                    Turn::Going(done, PARTS + STAGES)
                }
                Ok(run) => Turn::Done(Box::new(Done { run, parent: self.parent })),
            },
            State::Over => Turn::Going(PARTS + STAGES, PARTS + STAGES),
        }
    }

    /// Works until it is done.
    #[cfg(test)]
    pub(crate) fn finish(mut self) -> Box<Done> {
        loop {
            if let Turn::Done(done) = self.turn() {
                return done;
            }
        }
    }
}

/// Some turns of the engine.
fn batch(sim: &mut Sim) -> Option<Stopped> {
    (0..256).find_map(|_| sim.step())
}

fn part(now: Instant, until: Instant) -> u64 {
    let whole = until.nanos().max(1);
    (u128::from(now.nanos()) * u128::from(PARTS) / u128::from(whole)) as u64
}
