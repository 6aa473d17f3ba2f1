//! Counters of services and real servers (`ipvsadm --stats`) and their rates (`--rate`).
//!
//! A rate is an average that every 2 s moves a quarter of the way towards what these 2 s showed, kept as an integer
//! scaled by 2¹⁰ (connections, packets) or 2⁵ (octets). What is shown, counters too, is what the last of these ticks saw:
//! `ipvsadm --stats` lags by up to 2 s. Follows Linux `ip_vs_est.c`; both are brought up to date when somebody looks or
//! counts, so an idle service costs nothing.

use crate::base::time::{Duration, Instant};

/// What was counted since the beginning or since `ipvsadm -Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections scheduled.
    pub conns: u64,
    /// Packets of clients.
    pub in_packets: u64,
    /// Packets of real servers that passed here.
    pub out_packets: u64,
    /// Octets of the clients' packets, IP headers included.
    pub in_bytes: u64,
    /// Octets of the servers' packets, IP headers included.
    pub out_bytes: u64,
}

/// Counts and rates of one service, server or host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    counts: Counts,
    /// The counts at the last tick.
    last: Counts,
    /// The counts that are taken for zero.
    zero: Counts,
    /// The scaled averages.
    averages: Counts,
    /// How many ticks of the estimator are in the averages.
    seen: u64,
}

/// The clock of the estimator: it stands still while `net.ipv4.vs.run_estimation` is 0.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimator {
    /// Since when it stands.
    stands: Option<Instant>,
    /// Ticks that were left out before.
    missed: u64,
}

impl Estimator {
    /// Whether it is to run from here on.
    pub(super) fn heed(&mut self, runs: bool, now: Instant) {
        match (runs, self.stands) {
            (false, None) => self.stands = Some(now),
            (true, Some(since)) => {
                self.missed += now.nanos() / TICK.nanos() - since.nanos() / TICK.nanos();
                self.stands = None;
            }
            (true, None) | (false, Some(_)) => {}
        }
    }

    /// The time by this clock.
    pub(super) fn clock(&self, now: Instant) -> Instant {
        let at = self.stands.unwrap_or(now);
        Instant::from_nanos(at.nanos().saturating_sub(self.missed * TICK.nanos()))
    }
}

const TICK: Duration = Duration::from_nanos(2_000_000_000);
/// After so many idle ticks every average is 0.
const FADED: u64 = 400;

impl Stats {
    /// What was counted, to this moment.
    pub fn counts(&self) -> Counts {
        self.counts.less(self.zero)
    }

    /// What was counted up to the last tick before `now`, as `ipvsadm --stats` shows it.
    pub fn shown(&self, now: Instant) -> Counts {
        let mut seen = *self;
        seen.catch_up(now);
        seen.last.less(seen.zero)
    }

    /// The counts, to be added to at `now`.
    pub(super) fn counting(&mut self, now: Instant) -> &mut Counts {
        self.catch_up(now);
        &mut self.counts
    }

    /// Averages per second at `now`, as `ipvsadm --rate` shows them.
    pub fn rates(&self, now: Instant) -> Counts {
        let mut seen = *self;
        seen.catch_up(now);
        let Counts { conns, in_packets, out_packets, in_bytes, out_bytes } = seen.averages;
        let small = |average: u64| (average + 0x1ff) >> 10;
        let large = |average: u64| (average + 0xf) >> 5;
        Counts {
            conns: small(conns),
            in_packets: small(in_packets),
            out_packets: small(out_packets),
            in_bytes: large(in_bytes),
            out_bytes: large(out_bytes),
        }
    }

    /// `ipvsadm -Z`: what the last tick saw is zero from here on. What came after it still counts.
    pub(super) fn zero(&mut self, now: Instant) {
        self.catch_up(now);
        self.zero = self.last;
        self.averages = Counts::default();
    }

    /// Runs the ticks of the estimator up to `now`.
    fn catch_up(&mut self, now: Instant) {
        let due = now.nanos() / TICK.nanos();
        for _ in 0..(due - self.seen.min(due)).min(FADED) {
            let Counts { conns, in_packets, out_packets, in_bytes, out_bytes } = self.counts;
            step(&mut self.averages.conns, conns - self.last.conns, 9);
            step(&mut self.averages.in_packets, in_packets - self.last.in_packets, 9);
            step(&mut self.averages.out_packets, out_packets - self.last.out_packets, 9);
            step(&mut self.averages.in_bytes, in_bytes - self.last.in_bytes, 4);
            step(&mut self.averages.out_bytes, out_bytes - self.last.out_bytes, 4);
            self.last = self.counts;
        }
        self.seen = self.seen.max(due);
    }
}

impl Counts {
    fn less(self, zero: Counts) -> Counts {
        Counts {
            conns: self.conns - zero.conns,
            in_packets: self.in_packets - zero.in_packets,
            out_packets: self.out_packets - zero.out_packets,
            in_bytes: self.in_bytes - zero.in_bytes,
            out_bytes: self.out_bytes - zero.out_bytes,
        }
    }
}

/// One tick: `more` since the last, in 2 s, so per second and scaled it is `more << shift`.
fn step(average: &mut u64, more: u64, shift: u32) {
    let rate = (more << shift) as i64;
    let now = *average as i64;
    *average = (now + ((rate - now) >> 2)) as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn five_connections_a_second_are_shown_as_1_2_3_and_after_10_s_as_4() {
        let mut stats = Stats::default();
        let mut shown = Vec::new();
        for step in 0..50 {
            stats.counting(at(step * 200)).conns += 1;
            if step % 10 == 9 {
                shown.push(stats.rates(at(step * 200 + 200)).conns);
            }
        }
        assert_eq!(shown, [1, 2, 3, 3, 4]);
    }

    #[test]
    fn counters_are_shown_as_the_last_two_second_tick_saw_them() {
        let mut stats = Stats::default();
        stats.counting(at(500)).in_packets += 3;
        assert_eq!(stats.shown(at(1999)).in_packets, 0);
        assert_eq!(stats.shown(at(2000)).in_packets, 3);
        stats.counting(at(2100)).in_packets += 1;
        stats.zero(at(2200));
        assert_eq!((stats.shown(at(2300)).in_packets, stats.shown(at(4000)).in_packets), (0, 1));
    }
}
