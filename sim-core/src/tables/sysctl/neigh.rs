//! `net.ipv4.neigh.{default,IF}.*` (Linux `net/core/neighbour.c`, `net/ipv4/arp.c`).

use super::Setting;
use crate::base::time::Duration;

/// The neighbour settings of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neigh {
    /// Mean time for which a confirmation counts.
    pub base_reachable: Duration,
    /// Between two questions.
    pub retrans: Duration,
    /// From the first use of a stale entry to its probe.
    pub delay_first_probe: Duration,
    /// How long an entry must be unused to be collected.
    pub gc_stale: Duration,
    /// How long a changed MAC is kept against others.
    pub locktime: Duration,
    /// How long an answer for somebody else is held back, at most.
    pub proxy_delay: Duration,
    /// Questions by unicast.
    pub ucast_solicit: u32,
    /// Questions by broadcast.
    pub mcast_solicit: u32,
    /// Questions by broadcast after those by unicast were not answered.
    pub mcast_resolicit: u32,
    /// Octets that may wait for an answer.
    pub unres_qlen_bytes: u64,
    /// Entries below which nothing is collected.
    pub gc_thresh1: u32,
    /// Entries above which everything unused for 5 s is collected.
    pub gc_thresh2: u32,
    /// Entries above which there can be no more.
    pub gc_thresh3: u32,
}

/// One row of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row([i64; SETTINGS.len()]);

const fn setting(name: &'static str, default: &'static [i64]) -> Setting {
    Setting { name, default, min: 0, max: i32::MAX as i64 }
}

/// The settings. Times in jiffies of 10 ms (`locktime`, `proxy_delay`, `retrans_time`), in seconds, or in milliseconds
/// (`_ms`).
pub(super) const SETTINGS: &[Setting] = &[
    setting("anycast_delay", &[100]),
    setting("app_solicit", &[0]),
    setting("base_reachable_time", &[30]),
    setting("base_reachable_time_ms", &[30_000]),
    setting("delay_first_probe_time", &[5]),
    setting("gc_interval", &[30]),
    setting("gc_stale_time", &[60]),
    setting("gc_thresh1", &[128]),
    setting("gc_thresh2", &[512]),
    setting("gc_thresh3", &[1024]),
    setting("interval_probe_time_ms", &[5000]),
    setting("locktime", &[100]),
    setting("mcast_resolicit", &[0]),
    setting("mcast_solicit", &[3]),
    setting("proxy_delay", &[80]),
    setting("proxy_qlen", &[64]),
    setting("retrans_time", &[100]),
    setting("retrans_time_ms", &[1000]),
    setting("ucast_solicit", &[3]),
    setting("unres_qlen", &[101]),
    setting("unres_qlen_bytes", &[212_992]),
];

const BASE_REACHABLE: usize = 2;
const BASE_REACHABLE_MS: usize = 3;
const DELAY_FIRST_PROBE: usize = 4;
const GC_STALE: usize = 6;
const GC_THRESH1: usize = 7;
const GC_THRESH2: usize = 8;
const GC_THRESH3: usize = 9;
const LOCKTIME: usize = 11;
const MCAST_RESOLICIT: usize = 12;
const MCAST_SOLICIT: usize = 13;
const PROXY_DELAY: usize = 14;
const RETRANS: usize = 16;
const RETRANS_MS: usize = 17;
const UCAST_SOLICIT: usize = 18;
const UNRES_QLEN_BYTES: usize = 20;

impl Row {
    pub(super) const START: Row = Row::start();

    const fn start() -> Row {
        let mut row = [0; SETTINGS.len()];
        let mut at = 0;
        while at < SETTINGS.len() {
            row[at] = SETTINGS[at].default[0];
            at += 1;
        }
        Row(row)
    }

    pub(super) fn get(&self, at: usize) -> i64 {
        self.0[at]
    }

    /// Two names of one value are kept alike.
    pub(super) fn set(&mut self, at: usize, value: i64) {
        self.0[at] = value;
        match at {
            BASE_REACHABLE => self.0[BASE_REACHABLE_MS] = value.saturating_mul(1000),
            BASE_REACHABLE_MS => self.0[BASE_REACHABLE] = value / 1000,
            RETRANS => self.0[RETRANS_MS] = value.saturating_mul(10),
            RETRANS_MS => self.0[RETRANS] = value / 10,
            _ => {}
        }
    }
}

impl Neigh {
    pub(super) fn of(row: &Row) -> Neigh {
        let number = |at: usize| row.0[at] as u64;
        let jiffies = |at: usize| Duration::from_millis(number(at) * 10);
        Neigh {
            base_reachable: Duration::from_millis(number(BASE_REACHABLE_MS)),
            retrans: Duration::from_millis(number(RETRANS_MS).max(10)),
            delay_first_probe: Duration::from_secs(number(DELAY_FIRST_PROBE)),
            gc_stale: Duration::from_secs(number(GC_STALE)),
            locktime: jiffies(LOCKTIME),
            proxy_delay: jiffies(PROXY_DELAY),
            ucast_solicit: number(UCAST_SOLICIT) as u32,
            mcast_solicit: number(MCAST_SOLICIT) as u32,
            mcast_resolicit: number(MCAST_RESOLICIT) as u32,
            unres_qlen_bytes: number(UNRES_QLEN_BYTES),
            gc_thresh1: number(GC_THRESH1) as u32,
            gc_thresh2: number(GC_THRESH2) as u32,
            gc_thresh3: number(GC_THRESH3) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_those_of_the_names() {
        let named = [
            (BASE_REACHABLE, "base_reachable_time"),
            (BASE_REACHABLE_MS, "base_reachable_time_ms"),
            (DELAY_FIRST_PROBE, "delay_first_probe_time"),
            (GC_STALE, "gc_stale_time"),
            (GC_THRESH1, "gc_thresh1"),
            (GC_THRESH2, "gc_thresh2"),
            (GC_THRESH3, "gc_thresh3"),
            (LOCKTIME, "locktime"),
            (MCAST_RESOLICIT, "mcast_resolicit"),
            (MCAST_SOLICIT, "mcast_solicit"),
            (PROXY_DELAY, "proxy_delay"),
            (RETRANS, "retrans_time"),
            (RETRANS_MS, "retrans_time_ms"),
            (UCAST_SOLICIT, "ucast_solicit"),
            (UNRES_QLEN_BYTES, "unres_qlen_bytes"),
        ];
        for (at, name) in named {
            assert_eq!(SETTINGS[at].name, name);
        }
    }
}
