//! When what nobody acknowledged is sent again: Linux's timer. smoltcp keeps what was sent and sends it; its own timer,
//! of a second at least, never fires (`stack.rs`).
//!
//! ```text
//!   sent ─► due = now + timeout ─┬─ acknowledged ─► the round trip is measured, the timeout follows it
//!                                └─ fire ─► a lone segment once for nothing, else the timeout doubles ─► sent
//! ```
//! Follows Linux `net/ipv4/tcp_input.c` (`tcp_rtt_estimator`), `tcp_timer.c` (`tcp_retransmit_timer`, `tcp_probe_timer`)
//! and `tcp_output.c` (`tcp_send_loss_probe`). So the only segment in flight on a LAN goes out again after 204, 408,
//! 816 ms and so on, and a SYN after 1, 3, 7, 15, 31 and 63 s.
//!
//! # Not modelled
//! The loss probe when several segments are in flight, which Linux sends after two round trips.

use crate::base::time::{Duration, Instant};

/// Before a round trip was measured (Linux `TCP_TIMEOUT_INIT`).
const FIRST: Duration = Duration::from_secs(1);
/// The timeout doubles up to here (Linux `TCP_RTO_MAX`).
const LONGEST: Duration = Duration::from_secs(120);
/// What the timeout is more than the round trip, at least (Linux `TCP_RTO_MIN`), in microseconds.
const MARGIN_MIN: i64 = 200_000;
/// Timeouts are whole ticks of a kernel with HZ = 250, in microseconds.
const TICK: u64 = 4_000;

/// The timer of one end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retransmission {
    /// When it fires; never if nothing waits for the other end.
    pub(super) due: Instant,
    timeout: Duration,
    flight: Option<Flight>,
    round_trip: Option<RoundTrip>,
    /// A lone segment was sent once more already.
    has_probed: bool,
    /// The other end's window is shut.
    is_shut: bool,
}

/// What was sent.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// The oldest sequence number that is not acknowledged.
    oldest: u32,
    /// Where the newest segment begins.
    newest: u32,
    /// The sequence number after it.
    next: u32,
    /// An acknowledgement of this sequence number tells how long a round trip takes that began then.
    timed: Option<(u32, Instant)>,
}

impl Retransmission {
    /// Of a connection on which nothing was sent.
    pub(super) const fn new() -> Self {
        Retransmission {
            due: Instant::NEVER,
            timeout: FIRST,
            flight: None,
            round_trip: None,
            has_probed: false,
            is_shut: false,
        }
    }

    /// A segment of `length` octets of sequence space goes out, for the first time or again.
    pub(super) fn sent(&mut self, seq: u32, length: u32, now: Instant) {
        let flight = self.flight.get_or_insert(Flight { oldest: seq, newest: seq, next: seq, timed: None });
        let end = seq.wrapping_add(length);
        let is_new = is_before(flight.next, end);
        if is_new {
            (flight.newest, flight.next) = (seq, end);
            flight.timed.get_or_insert((end, now));
        } else {
            // Time stamps tell which of the two was answered.
            flight.timed = Some((end, now));
        }
        if !is_new || self.due == Instant::NEVER {
            self.due = now + self.timeout;
        }
    }

    /// An acknowledgement came in, with the window as it stands in the segment.
    pub(super) fn acknowledged(&mut self, ack: u32, window: u16, now: Instant) {
        let was_shut = std::mem::replace(&mut self.is_shut, window == 0);
        let Some(flight) = &mut self.flight else { return };
        let is_progress = is_before(flight.oldest, ack) && !is_before(flight.next, ack);
        if is_progress {
            flight.oldest = ack;
            self.has_probed = false;
            if let Some((end, began)) = flight.timed
                && !is_before(ack, end)
            {
                flight.timed = None;
                let measured = (now.since(began).nanos() / 1_000) as i64;
                match &mut self.round_trip {
                    None => self.round_trip = Some(RoundTrip::first(measured, flight.next)),
                    Some(round_trip) => round_trip.again(measured, ack, flight.next),
                }
            }
        }
        if is_progress || was_shut && window > 0 {
            self.timeout = self.round_trip.map_or(self.timeout, |round_trip| round_trip.timeout());
            self.due = if flight.oldest == flight.next { Instant::NEVER } else { now + self.timeout };
        }
    }

    /// Something waits that could not be sent, because the window is shut: it is tried after the timeout.
    pub(super) fn wait(&mut self, now: Instant) {
        if self.due == Instant::NEVER {
            self.due = now + self.timeout;
        }
    }

    /// Time has come: what follows is [`Retransmission::sent`] or [`Retransmission::wait`].
    pub(super) fn fire(&mut self) {
        self.due = Instant::NEVER;
        let is_lone = self.flight.is_some_and(|flight| flight.oldest == flight.newest && flight.oldest != flight.next);
        if is_lone && self.round_trip.is_some() && !self.has_probed && !self.is_shut {
            self.has_probed = true;
        } else {
            self.timeout = (self.timeout + self.timeout).min(LONGEST);
        }
    }
}

/// How long answers take, in microseconds.
#[derive(Clone, Copy, Debug)]
struct RoundTrip {
    /// Eight times the smoothed round trip.
    smoothed: i64,
    /// Four times the mean deviation.
    deviation: i64,
    /// The largest deviation of this round.
    largest: i64,
    /// What is added to the round trip.
    margin: i64,
    /// The round ends when this sequence number is acknowledged.
    round_ends: u32,
}

impl RoundTrip {
    fn first(measured: i64, next: u32) -> Self {
        let deviation = measured * 2;
        let margin = deviation.max(MARGIN_MIN);
        RoundTrip { smoothed: measured * 8, deviation, largest: margin, margin, round_ends: next }
    }

    fn again(&mut self, measured: i64, ack: u32, next: u32) {
        let error = measured - self.smoothed / 8;
        self.smoothed += error;
        let mut change = error.abs() - self.deviation / 4;
        if error < 0 && change > 0 {
            // An answer that is quicker than before says little about slow ones.
            change /= 8;
        }
        self.deviation += change;
        if self.deviation > self.largest {
            self.largest = self.deviation;
            self.margin = self.margin.max(self.largest);
        }
        if is_before(self.round_ends, ack) {
            if self.largest < self.margin {
                self.margin -= (self.margin - self.largest) / 4;
            }
            self.round_ends = next;
            self.largest = MARGIN_MIN;
        }
    }

    fn timeout(&self) -> Duration {
        let exact = (self.smoothed / 8 + self.margin) as u64;
        Duration::from_micros(exact.next_multiple_of(TICK)).min(LONGEST)
    }
}

fn is_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: u32 = 1_000;

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    /// When the segment that is lost each time goes out again, in milliseconds.
    fn tries(timer: &mut Retransmission, seq: u32, length: u32, count: usize) -> Vec<u64> {
        (0..count)
            .map(|_| {
                let now = timer.due;
                timer.fire();
                timer.sent(seq, length, now);
                now.millis()
            })
            .collect()
    }

    fn established(round_trip_ms: u64) -> Retransmission {
        let mut timer = Retransmission::new();
        timer.sent(SYN, 1, at(0));
        timer.acknowledged(SYN + 1, 64_000, at(round_trip_ms));
        assert_eq!(timer.due, Instant::NEVER, "all is acknowledged");
        timer
    }

    #[test]
    fn a_syn_is_sent_again_after_one_second_and_then_doubled() {
        let mut timer = Retransmission::new();
        timer.sent(SYN, 1, at(0));
        assert_eq!(tries(&mut timer, SYN, 1, 6), [1_000, 3_000, 7_000, 15_000, 31_000, 63_000]);
    }

    #[test]
    fn a_lone_segment_is_probed_once_before_the_timeout_doubles_up_to_two_minutes() {
        let mut timer = established(0);
        timer.sent(SYN + 1, 18, at(0));
        let tries = tries(&mut timer, SYN + 1, 18, 12);
        assert_eq!(tries[..8], [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600]);
        assert_eq!(tries[10..], [204_800, 324_800]);
    }

    #[test]
    fn of_two_segments_the_first_try_doubles_the_timeout() {
        let mut timer = established(0);
        timer.sent(SYN + 1, 1_448, at(0));
        timer.sent(SYN + 1_449, 1_448, at(0));
        assert_eq!(tries(&mut timer, SYN + 1, 1_448, 3), [200, 600, 1_400]);
    }

    #[test]
    fn an_acknowledgement_begins_the_wait_again_and_undoes_the_doubling() {
        let mut timer = established(0);
        timer.sent(SYN + 1, 100, at(0));
        timer.sent(SYN + 101, 100, at(0));
        tries(&mut timer, SYN + 1, 100, 3);
        timer.acknowledged(SYN + 101, 64_000, at(1_500));
        assert_eq!(timer.due.millis(), 1_500 + 212 + 4, "the last try took 100 ms to be answered");
        timer.acknowledged(SYN + 201, 64_000, at(1_501));
        assert_eq!(timer.due, Instant::NEVER);
    }

    #[test]
    fn the_timeout_follows_long_round_trips() {
        let mut timer = established(300);
        timer.sent(SYN + 1, 1, at(300));
        assert_eq!(timer.due, at(300 + 300 + 600), "three times the only round trip");
        for n in 0..40 {
            timer.acknowledged(SYN + 2 + n, 64_000, at(600 + u64::from(n) * 300));
            timer.sent(SYN + 2 + n, 1, at(600 + u64::from(n) * 300));
        }
        assert_eq!(timer.due.since(at(600 + 39 * 300)).millis(), 504, "a steady round trip and 200 ms and a little");
    }

    #[test]
    fn a_shut_window_is_tried_ever_more_rarely_until_it_opens() {
        let mut timer = established(0);
        timer.acknowledged(SYN + 1, 0, at(10));
        timer.wait(at(10));
        assert_eq!(tries(&mut timer, SYN + 1, 1, 3), [210, 610, 1_410]);
        timer.acknowledged(SYN + 1, 64_000, at(1_500));
        assert_eq!(timer.due, at(1_700));
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_changes_nothing() {
        let mut timer = established(0);
        timer.sent(SYN + 1, 100, at(5));
        timer.acknowledged(SYN + 5_000, 64_000, at(6));
        timer.acknowledged(SYN, 64_000, at(6));
        assert_eq!(timer.due, at(205));
    }
}
