//! Counters of services and real servers (`ipvsadm --stats`) and their rates (`--rate`).
//!
//! A rate is an average that every 2 s moves a quarter of the way towards what these 2 s showed, kept as an integer
//! scaled by 2¹⁰ (connections, packets) or 2⁵ (octets). Follows Linux `ip_vs_est.c`; the rate is brought up to date
//! when somebody looks or counts, so an idle service costs nothing.

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
    /// The counts at `seen`.
    last: Counts,
    /// The scaled averages.
    averages: Counts,
    /// How many ticks of the estimator are in the averages.
    seen: u64,
}

const TICK: Duration = Duration::from_nanos(2_000_000_000);
/// After so many idle ticks every average is 0.
const FADED: u64 = 400;

impl Stats {
    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.counts
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

    /// `ipvsadm -Z`.
    pub(super) fn zero(&mut self, now: Instant) {
        *self = Stats { seen: now.nanos() / TICK.nanos(), ..Stats::default() };
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

/// One tick: `more` since the last, in 2 s, so per second and scaled it is `more << shift`.
fn step(average: &mut u64, more: u64, shift: u32) {
    let rate = (more << shift) as i64;
    let now = *average as i64;
    *average = (now + ((rate - now) >> 2)) as u64;
}
