//! When a kernel timer that sets itself again fires. Linux keeps timers in a wheel whose slots grow with the distance
//! (`kernel/time/timer.c`), so they fire late, never early. With HZ 250, a timer of 1 s set by a packet fires after
//! 1.000 to 1.032 s, depending on where in a slot it was set; set again by itself, it is at the beginning of a slot and
//! runs every 1.024 s. That is what ARP on a real network shows. The lab takes the earliest of the possible times for
//! the former.

use super::time::{Duration, Instant};

const JIFFY_NS: u64 = 4_000_000;
/// Slots of a level before the next, eight times coarser, begins.
const SLOTS: u64 = 63;
const LEVELS: u32 = 8;

/// Ticks of the kernel's clock up to `at` (`jiffies`).
pub fn ticks(at: Instant) -> u64 {
    at.nanos() / JIFFY_NS
}

/// When a timer fires that fired at `now` and set itself again for `span`.
pub fn again(now: Instant, span: Duration) -> Instant {
    let jiffies = span.nanos().div_ceil(JIFFY_NS);
    let level = (0..LEVELS).find(|level| jiffies < SLOTS << (3 * level)).unwrap_or(LEVELS);
    let slot = 1u64 << (3 * level);
    let rounded = (jiffies / slot + 1).saturating_mul(slot);
    now + Duration::from_nanos(rounded.saturating_mul(JIFFY_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_set_again_lasts_1024_ms() {
        assert_eq!(again(Instant::ZERO, Duration::from_secs(1)), Instant::ZERO + Duration::from_millis(1024));
    }

    #[test]
    fn a_timer_never_fires_early_and_at_most_a_slot_late() {
        for ms in [0, 1, 4, 200, 252, 1000, 2016, 5000, 16_000, 45_000, 600_000] {
            let late = again(Instant::ZERO, Duration::from_millis(ms)).millis() - ms;
            assert!(late > 0 && late <= ms / 7 + 8, "{ms} ms: {late} ms late");
        }
    }
}
