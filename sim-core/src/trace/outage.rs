//! Outages as a client sees them: from the first request or echo that was lost, or answered late, to the first answer
//! after it. Nothing is concluded from the state of servers; only what the client asked for and got counts.
//!
//! ```text
//!   answered  answered  lost  lost  lost  answered
//!                       └── outage ──┴────────┘
//! ```

use super::Trace;
use super::record::Outcome;
use crate::base::id::NodeId;
use crate::base::time::{Duration, Instant};
use crate::wire::Ipv4Addr;
use std::collections::BTreeMap;

/// Something that a client asked of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was asked.
    pub at: Instant,
    /// When it was answered; none if it never was.
    pub answered: Option<Instant>,
    /// What it was.
    pub what: Asked,
}

/// A kind of attempt, with its index among the trace's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An echo request: index into [`Trace::echoes`].
    Echo(u32),
    /// A request: index into [`Trace::requests`].
    Request(u32),
}

/// A client and the address it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The client's host.
    pub client: NodeId,
    /// The address.
    pub target: Ipv4Addr,
}

/// A time during which a client got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Who asked whom.
    pub pair: Pair,
    /// When the first attempt was made that was lost or late.
    pub from: Instant,
    /// When the first answer came; none if the run ended before.
    pub until: Option<Instant>,
    /// When the last answer before it came; none if there was none.
    pub good_before: Option<Instant>,
    /// Attempts that were never answered.
    pub lost: u32,
    /// Attempts that were answered more than [`LATE`] after they were made.
    pub late: u32,
}

/// How much of the time an address answered a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Who asked whom.
    pub pair: Pair,
    /// From the first attempt to the last.
    pub span: Duration,
    /// The part of it that lay in outages.
    pub down: Duration,
    /// How many outages.
    pub outages: u32,
    /// How many attempts.
    pub asked: u32,
    /// How many of them were answered.
    pub answered: u32,
}

/// An answer that takes longer than this was in trouble: TCP sends its SYN again after one second.
pub const LATE: Duration = Duration::from_secs(1);

/// All attempts, by client and address, in the order in which they were made.
pub fn attempts(trace: &Trace) -> BTreeMap<Pair, Vec<Attempt>> {
    let mut all: BTreeMap<Pair, Vec<Attempt>> = BTreeMap::new();
    for (echo, index) in trace.echoes.iter().zip(0..) {
        let attempt = Attempt { at: echo.asked, answered: echo.answered, what: Asked::Echo(index) };
        all.entry(Pair { client: echo.node, target: echo.target }).or_default().push(attempt);
    }
    for (request, index) in trace.requests.iter().zip(0..) {
        let Some(asked) = request.asked else { continue };
        let is_answered = matches!(request.outcome, Outcome::Answered { .. });
        let answered = request.ended.filter(|_| is_answered);
        let attempt = Attempt { at: request.started, answered, what: Asked::Request(index) };
        all.entry(Pair { client: request.node, target: asked.address }).or_default().push(attempt);
    }
    for list in all.values_mut() {
        list.sort_by_key(|attempt| attempt.at);
    }
    all
}

/// Every outage of the run, in the order in which they began.
pub fn outages(trace: &Trace) -> Vec<Outage> {
    let mut all: Vec<Outage> = attempts(trace).iter().flat_map(|(pair, list)| of(*pair, list)).collect();
    all.sort_by_key(|outage| (outage.from, outage.pair));
    all
}

/// The outages among the attempts of one client at one address, which stand in order of time.
pub fn of(pair: Pair, attempts: &[Attempt]) -> Vec<Outage> {
    let mut closed = Vec::new();
    let mut open: Option<Outage> = None;
    let mut good_before = None;
    for attempt in attempts {
        if open.is_some_and(|outage| outage.until.is_some_and(|until| until <= attempt.at)) {
            good_before = open.and_then(|outage| outage.until);
            closed.extend(open.take());
        }
        match (attempt.answered, attempt.is_late()) {
            (Some(answered), false) => {
                if let Some(mut outage) = open.take() {
                    outage.heard(answered);
                    closed.push(outage);
                }
                good_before = Some(answered);
            }
            (answered, late) => {
                let new = Outage { pair, from: attempt.at, until: None, good_before, lost: 0, late: 0 };
                let outage = open.get_or_insert(new);
                if late {
                    outage.late += 1;
                } else {
                    outage.lost += 1;
                }
                if let Some(answered) = answered {
                    outage.heard(answered);
                }
            }
        }
    }
    closed.extend(open);
    closed
}

/// How available each address was to each client that asked it more than once.
pub fn availability(trace: &Trace) -> Vec<Availability> {
    let all = attempts(trace);
    let several = all.iter().filter(|(_, list)| list.len() > 1);
    several.map(|(pair, list)| available(*pair, list)).collect()
}

fn available(pair: Pair, attempts: &[Attempt]) -> Availability {
    let time = |attempt: Option<&Attempt>| attempt.map_or(Instant::ZERO, |attempt| attempt.at);
    let (first, last) = (time(attempts.first()), time(attempts.last()));
    let outages = of(pair, attempts);
    // What comes after the last attempt is not known: an outage that goes on counts up to there.
    let until = |outage: &Outage| outage.until.map_or(last, |until| until.min(last)).max(outage.from);
    let down = outages.iter().fold(Duration::ZERO, |sum, outage| sum + until(outage).since(outage.from));
    Availability {
        pair,
        span: last.since(first),
        down,
        outages: outages.len() as u32,
        asked: attempts.len() as u32,
        answered: attempts.iter().filter(|attempt| attempt.answered.is_some()).count() as u32,
    }
}

impl Availability {
    /// The part of the time without outage, in parts per million.
    pub fn ppm(&self) -> u32 {
        let span = u128::from(self.span.nanos().max(1));
        let up = u128::from((self.span - self.down.min(self.span)).nanos());
        if self.down == Duration::ZERO { 1_000_000 } else { (up * 1_000_000 / span) as u32 }
    }
}

impl Attempt {
    /// Whether it was answered, but more than [`LATE`] after it was made.
    pub fn is_late(&self) -> bool {
        self.answered.is_some_and(|answered| answered.since(self.at) > LATE)
    }
}

impl Outage {
    /// How long it took; to the end of the run, `end`, if no answer came.
    pub fn length(&self, end: Instant) -> Duration {
        self.until.unwrap_or(end.max(self.from)).since(self.from)
    }

    fn heard(&mut self, answered: Instant) {
        self.until = Some(self.until.map_or(answered, |until| until.min(answered)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair { client: NodeId(0), target: Ipv4Addr::new(10, 0, 0, 100) };

    /// Attempts as (asked, answered) in milliseconds; 0 is never. What comes out: from, until, lost, late.
    fn check(asked: &[(u64, u64)], expected: &[(u64, u64, u32, u32)]) {
        let at = |ms: u64| Instant::ZERO + Duration::from_millis(ms);
        let attempts: Vec<Attempt> = asked
            .iter()
            .map(|(asked, answered)| Attempt {
                at: at(*asked),
                answered: (*answered > 0).then(|| at(*answered)),
                what: Asked::Echo(0),
            })
            .collect();
        let found = of(PAIR, &attempts);
        let shown: Vec<(u64, u64, u32, u32)> = found
            .iter()
            .map(|outage| {
                let until = outage.until.map_or(0, |until| until.since(Instant::ZERO).millis());
                (outage.from.since(Instant::ZERO).millis(), until, outage.lost, outage.late)
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_outage_ends_with_the_first_answer_after_it_began() {
        check(&[(100, 101), (200, 0), (300, 0), (400, 401), (500, 501)], &[(200, 401, 2, 0)]);
    }

    #[test]
    fn a_request_that_waited_for_the_takeover_ends_the_outage_by_its_late_answer() {
        check(&[(100, 101), (200, 3_300), (1_200, 3_301), (4_000, 4_001)], &[(200, 3_300, 0, 2)]);
    }

    #[test]
    fn two_losses_with_an_answer_between_them_are_two_outages() {
        check(&[(100, 0), (200, 201), (300, 0), (400, 401)], &[(100, 201, 1, 0), (300, 401, 1, 0)]);
    }

    #[test]
    fn half_of_the_time_down_is_half_available() {
        let at = |s: u64| Instant::ZERO + Duration::from_secs(s);
        let attempt = |s, good: bool| Attempt { at: at(s), answered: good.then(|| at(s)), what: Asked::Echo(0) };
        let attempts: Vec<Attempt> = (0..=10).map(|s| attempt(s, !(2..7).contains(&s))).collect();
        let found = available(PAIR, &attempts);
        assert_eq!((found.ppm(), found.outages, found.asked, found.answered), (500_000, 1, 11, 6));
    }

    #[test]
    fn without_any_answer_an_outage_lasts_to_the_end() {
        check(&[(100, 0), (200, 0)], &[(100, 0, 2, 0)]);
        let outage =
            Outage { pair: PAIR, from: Instant::ZERO + LATE, until: None, good_before: None, lost: 1, late: 0 };
        assert_eq!(outage.length(Instant::ZERO + LATE + LATE), LATE);
    }
}
