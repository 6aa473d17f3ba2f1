//! When a kernel timer fires. Linux keeps timers in a wheel whose slots grow with the distance (`kernel/time/timer.c`),
//! so they fire late, never early: with HZ 250, one of 1 s fires after 1.00 to 1.03 s, and one that is set again each
//! time it fires runs every 1.024 s. That is what questions by ARP on a real network show.

use crate::base::time::{Duration, Instant};

const JIFFY_NS: u64 = 4_000_000;
/// Slots of a level before the next, eight times coarser, begins.
const SLOTS: u64 = 63;
const LEVELS: u32 = 8;

/// When a timer that is set at `now` for `at` fires.
pub(super) fn fires(now: Instant, at: Instant) -> Instant {
    let clock = now.nanos() / JIFFY_NS;
    let span = at.since(now).nanos().div_ceil(JIFFY_NS);
    let wanted = clock.saturating_add(span);
    let level = (0..LEVELS).find(|level| span < SLOTS << (3 * level)).unwrap_or(LEVELS);
    let slot = 1u64 << (3 * level);
    let jiffies = (wanted / slot + 1).saturating_mul(slot);
    Instant::ZERO + Duration::from_nanos(jiffies.saturating_mul(JIFFY_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_of_one_second_that_sets_itself_again_runs_every_1024_ms() {
        let start = Instant::ZERO + Duration::from_micros(722_667_084);
        let first = fires(start, start + Duration::from_secs(1));
        assert!((1000..1032).contains(&first.since(start).millis()));
        let second = fires(first, first + Duration::from_secs(1));
        assert_eq!(second.since(first), Duration::from_millis(1024));
    }

    #[test]
    fn a_timer_never_fires_early_and_at_most_a_slot_late() {
        for ms in [0, 1, 4, 200, 252, 1000, 2016, 5000, 16_000, 45_000, 600_000] {
            let start = Instant::ZERO + Duration::from_micros(12_345_678);
            let wanted = start + Duration::from_millis(ms);
            let fired = fires(start, wanted);
            assert!(fired > start && fired >= wanted, "{ms} ms");
            assert!(fired.since(wanted).millis() <= ms / 7 + 8, "{ms} ms: {} late", fired.since(wanted).millis());
        }
    }
}
