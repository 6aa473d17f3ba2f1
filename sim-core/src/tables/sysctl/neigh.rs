//! `net.ipv4.neigh.{default,IF}.*` (Linux `net/core/neighbour.c`, `net/ipv4/arp.c`).

use super::setting::Setting;
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
    /// Questions that only a program of the host is told of, and nobody on the link hears.
    pub app_solicit: u32,
    /// Octets that may wait for an answer.
    pub unres_qlen_bytes: u64,
    /// Answers for somebody else that may be held back.
    pub proxy_qlen: u32,
    /// Counts how often the mean reachable time was set: each time it is drawn anew.
    pub redraw: u32,
    /// Entries below which nothing is collected.
    pub gc_thresh1: u32,
    /// Entries above which everything unused for 5 s is collected.
    pub gc_thresh2: u32,
    /// Entries above which there can be no more.
    pub gc_thresh3: u32,
}

/// One row of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    values: [i64; SETTINGS.len()],
    /// Which values were set here, so that those of `default` no longer change them: a bit each.
    own: u32,
    redraw: u32,
}

const fn setting(name: &'static str, default: &'static [i64]) -> Setting {
    Setting { name, default, min: 0, max: i32::MAX as i64 }
}

/// What an `skb` with a full Ethernet frame counts for in `unres_qlen` (`SKB_TRUESIZE(ETH_FRAME_LEN)`), in octets.
const FULL_FRAME: i64 = 2090;

/// The settings. `anycast_delay` is about IPv6, `gc_interval` is read by nobody, `interval_probe_time_ms` is about
/// `managed` entries, which are refused. Times in jiffies of 10 ms (`locktime`, `proxy_delay`, `retrans_time`), in seconds, or in milliseconds
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

/// Settings of the whole table: only `default` has them.
pub(super) const OF_THE_TABLE: &[&str] = &["gc_interval", "gc_thresh1", "gc_thresh2", "gc_thresh3"];

const APP_SOLICIT: usize = 1;
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
const PROXY_QLEN: usize = 15;
const RETRANS: usize = 16;
const RETRANS_MS: usize = 17;
const UCAST_SOLICIT: usize = 18;
const UNRES_QLEN: usize = 19;
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
        Row { values: row, own: 0, redraw: 0 }
    }

    pub(super) fn get(&self, at: usize) -> i64 {
        self.values[at]
    }

    /// Sets a value here.
    pub(super) fn set(&mut self, at: usize, value: i64) {
        self.write(at, value);
        self.own |= bits(at);
        if matches!(at, BASE_REACHABLE | BASE_REACHABLE_MS) {
            self.redraw = self.redraw.wrapping_add(1);
        }
    }

    /// `default` was set: taken over unless the value was set here.
    pub(super) fn inherit(&mut self, at: usize, value: i64) {
        if self.own & bits(at) == 0 {
            self.write(at, value);
        }
    }

    /// An address was set on the interface: from here on `default` changes nothing here.
    pub(super) fn settle(&mut self) {
        self.own = u32::MAX;
    }

    /// Two names of one value are kept alike.
    fn write(&mut self, at: usize, value: i64) {
        self.values[at] = value;
        match at {
            BASE_REACHABLE => self.values[BASE_REACHABLE_MS] = value.saturating_mul(1000),
            BASE_REACHABLE_MS => self.values[BASE_REACHABLE] = value / 1000,
            RETRANS => self.values[RETRANS_MS] = value.saturating_mul(10),
            RETRANS_MS => self.values[RETRANS] = value / 10,
            UNRES_QLEN => self.values[UNRES_QLEN_BYTES] = value.saturating_mul(FULL_FRAME),
            UNRES_QLEN_BYTES => self.values[UNRES_QLEN] = value / FULL_FRAME,
            _ => {}
        }
    }
}

/// The bits of a value and of its other name.
fn bits(at: usize) -> u32 {
    let other = match at {
        BASE_REACHABLE => BASE_REACHABLE_MS,
        BASE_REACHABLE_MS => BASE_REACHABLE,
        RETRANS => RETRANS_MS,
        RETRANS_MS => RETRANS,
        UNRES_QLEN => UNRES_QLEN_BYTES,
        UNRES_QLEN_BYTES => UNRES_QLEN,
        alone => alone,
    };
    1 << at | 1 << other
}

impl Neigh {
    pub(super) fn of(row: &Row) -> Neigh {
        let number = |at: usize| row.values[at] as u64;
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
            app_solicit: number(APP_SOLICIT) as u32,
            unres_qlen_bytes: number(UNRES_QLEN_BYTES),
            proxy_qlen: number(PROXY_QLEN) as u32,
            redraw: row.redraw,
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
            (APP_SOLICIT, "app_solicit"),
            (PROXY_QLEN, "proxy_qlen"),
            (UNRES_QLEN, "unres_qlen"),
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
