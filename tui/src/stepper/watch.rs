//! What the screen and long work tell each other: how far it is, and whether anybody still waits for it.

use sim_core::base::time::Instant;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the screen and the work tell each other.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    given_up: AtomicBool,
    done: AtomicU64,
}

impl Watch {
    /// The run has got to an instant. True if nobody waits any longer.
    pub(crate) fn ran(&self, now: Instant, until: Instant) -> bool {
        let whole = u128::from(until.nanos().max(1));
        let done = (u128::from(now.nanos()) * u128::from(PARTS) / whole) as u64;
        self.done.store(done.min(PARTS), Ordering::Relaxed);
        self.given_up.load(Ordering::Relaxed)
    }

    /// So many stages of reading are done. True if nobody waits any longer.
    pub(crate) fn read(&self, stages: u64) -> bool {
        self.done.store(PARTS + stages * STAGE_PARTS, Ordering::Relaxed);
        self.given_up.load(Ordering::Relaxed)
    }

    /// How much is done so far, of how much.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), WHOLE)
    }

    /// Nobody waits any longer.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// What goes on, in words, when so many parts are done.
pub(crate) fn doing(done: u64) -> String {
    match done.checked_sub(PARTS) {
        None => "running the scenario".to_string(),
        Some(read) => format!("reading what was recorded, {} of {STAGES}", (read / STAGE_PARTS + 1).min(STAGES)),
    }
}

/// Progress of a run is counted in so many parts.
const PARTS: u64 = 1000;
/// What a stage of reading counts beside them.
const STAGE_PARTS: u64 = 100;
/// How many stages reading has.
pub(crate) const STAGES: u64 = 5;
/// All of it.
const WHOLE: u64 = PARTS + STAGES * STAGE_PARTS;
