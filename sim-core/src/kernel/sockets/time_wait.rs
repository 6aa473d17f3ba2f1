//! TIME_WAIT: what is kept of a connection that this end closed first. 60 s, whatever happens in between, unless a
//! newer connection takes the place.
//!
//! Follows Linux `tcp_timewait_state_process` (`net/ipv4/tcp_minisocks.c`).

use super::flow::FlowKey;
use super::segment::{ACK, Bare, RST, SYN, Seen};
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use std::collections::VecDeque;

/// How long (Linux `TCP_TIMEWAIT_LEN`).
const LENGTH: Duration = Duration::from_secs(60);

/// Connections that are kept, at most (Linux `tcp_max_tw_buckets` with 1 GiB of memory is of this size).
const RECORDS_MAX: usize = 65_536;

/// The connections in TIME_WAIT.
#[derive(Debug, Default)]
pub(super) struct TimeWaits {
    records: Lookup<FlowKey, TimeWait>,
    /// In the order of their ends, as far as these were known when a record was made.
    ends: VecDeque<(Instant, FlowKey)>,
}

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeWait {
    pub(super) expires: Instant,
    pub(super) next_seq: u32,
    pub(super) next_ack: u32,
    pub(super) window: u16,
    pub(super) peer_timestamp: Option<u32>,
    pub(super) timestamp_offset: u32,
}

/// What a segment to such a connection leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// A newer connection: the record is gone.
    Reuse,
    /// The last acknowledgement once more.
    Acknowledge(Bare),
    /// Nothing.
    Silence,
}

impl TimeWaits {
    pub(super) fn insert(&mut self, key: FlowKey, mut record: TimeWait, now: Instant) {
        self.forget_old(now);
        if self.records.len() >= RECORDS_MAX {
            return;
        }
        record.expires = now + LENGTH;
        self.ends.push_back((record.expires, key));
        self.records.insert(key, record);
    }

    pub(super) fn contains(&self, key: &FlowKey, now: Instant) -> bool {
        self.records.get(key).is_some_and(|record| record.expires > now)
    }

    /// The connections that are kept.
    pub(super) fn keys(&self, now: Instant) -> Vec<FlowKey> {
        let live = |key: &FlowKey, end: Instant| self.records.get(key).is_some_and(|record| record.expires == end);
        self.ends.iter().filter(|(end, key)| *end > now && live(key, *end)).map(|(_, key)| *key).collect()
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&mut self, now: Instant) -> usize {
        self.forget_old(now);
        self.records.len()
    }

    /// A segment of such a connection came in. None if there is no such connection.
    pub(super) fn segment(&mut self, key: &FlowKey, seen: &Seen, now: Instant) -> Option<Answer> {
        if self.records.is_empty() {
            return None;
        }
        self.forget_old(now);
        let record = self.records.get_mut(key)?;
        let is_old = match (seen.timestamp, record.peer_timestamp) {
            (Some((value, _)), Some(last)) => !seen.has(RST) && (value.wrapping_sub(last) as i32) < 0,
            _ => false,
        };
        if !is_old && seen.seq == record.next_ack && (seen.length() == 0 || seen.has(RST)) {
            if seen.has(RST) {
                self.records.remove(key);
                return Some(Answer::Silence);
            }
            record.expires = now + LENGTH;
            self.ends.push_back((record.expires, *key));
            if let Some((value, _)) = seen.timestamp {
                record.peer_timestamp = Some(value);
            }
            return Some(Answer::Silence);
        }
        let is_newer = (seen.seq.wrapping_sub(record.next_ack) as i32) > 0
            || matches!((seen.timestamp, record.peer_timestamp), (Some((value, _)), Some(last)) if (value.wrapping_sub(last) as i32) > 0);
        if seen.has(SYN) && !seen.has(RST) && !seen.has(ACK) && !is_old && is_newer {
            self.records.remove(key);
            return Some(Answer::Reuse);
        }
        if seen.has(RST) {
            return Some(Answer::Silence);
        }
        if is_old || seen.has(ACK) {
            record.expires = now + LENGTH;
            self.ends.push_back((record.expires, *key));
        }
        Some(Answer::Acknowledge(Bare {
            source: key.local,
            destination: key.remote,
            flags: ACK,
            seq: record.next_seq,
            ack: record.next_ack,
            window: record.window,
            id: 0,
            timestamp: record
                .peer_timestamp
                .map(|last| ((now.millis() as u32).wrapping_add(record.timestamp_offset), last)),
        }))
    }

    /// A record whose end was put off stands in the list twice; the earlier end is passed over.
    fn forget_old(&mut self, now: Instant) {
        while let Some((end, key)) = self.ends.front() {
            if *end > now {
                return;
            }
            if self.records.get(key).is_some_and(|record| record.expires <= now) {
                self.records.remove(key);
            }
            self.ends.pop_front();
        }
    }
}
