//! Simulated time: nanoseconds since the run began. No wall clock, no floats.
//!
//! Virtual time 0 is 2000-01-01 00:00:00 UTC in captures, in `date` and in log lines ([`EPOCH_UNIX_SECONDS`]).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Virtual time 0 as seconds since 1970-01-01 00:00:00 UTC: 2000-01-01 00:00:00 UTC.
pub const EPOCH_UNIX_SECONDS: u64 = 946_684_800;

/// A point in simulated time, in nanoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Instant(u64);

/// A span of simulated time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Duration(u64);

impl Instant {
    /// The beginning of the run.
    pub const ZERO: Instant = Instant(0);
    /// Later than anything that happens: 584 years.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The instant `ns` nanoseconds after the beginning.
    pub const fn from_nanos(ns: u64) -> Self {
        Instant(ns)
    }

    /// Nanoseconds since the beginning.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the beginning, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds since the beginning, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// The soonest of some times, if there is one.
    pub fn soonest<const N: usize>(times: [Option<Instant>; N]) -> Option<Instant> {
        // Without branches: every turn of every host asks a dozen tables for their next time.
        let soonest = times.into_iter().fold(Instant::NEVER, |soonest, at| soonest.min(at.unwrap_or(Instant::NEVER)));
        (soonest != Instant::NEVER).then_some(soonest)
    }

    /// The span from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// Longer than any run.
    pub const MAX: Duration = Duration(u64::MAX);

    /// A span of `ns` nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        Duration(ns)
    }

    /// A span of `us` microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Duration(us.saturating_mul(1_000))
    }

    /// A span of `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Duration(ms.saturating_mul(1_000_000))
    }

    /// A span of `s` seconds.
    pub const fn from_secs(s: u64) -> Self {
        Duration(s.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// `self` times `n`, at most [`Duration::MAX`].
    pub const fn times(self, n: u64) -> Self {
        Duration(self.0.saturating_mul(n))
    }

    /// Reads `50us`, `1.5s`, `200 ms`, `12s`, `300ns`, `5m`, `2h`. A bare number has no unit and is refused, except `0`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim());
        let unit_ns: u64 = match unit {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" | "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "" if number == "0" => 1,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > 9 || number.ends_with('.') {
            return None;
        }
        let mut ns = whole.parse::<u64>().ok()?.checked_mul(unit_ns)?;
        let mut digit_ns = unit_ns;
        for digit in fraction.bytes() {
            if !digit.is_ascii_digit() {
                return None;
            }
            digit_ns /= 10;
            ns = ns.checked_add(u64::from(digit - b'0') * digit_ns)?;
        }
        Some(Duration(ns))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }
}

/// Seconds with six decimals, `1.000808 s` in most reports: `1.000808`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1_000)
    }
}

/// The shortest exact form with one unit: `50us`, `1.5s`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit_ns, unit) = match self.0 {
            0 => return f.write_str("0s"),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "us"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        write!(f, "{}", self.0 / unit_ns)?;
        let rest = self.0 % unit_ns;
        if rest != 0 {
            let width = unit_ns.ilog10() as usize;
            let digits = format!("{rest:0width$}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_alike() {
        for (text, ns) in
            [("50us", 50_000), ("1.5s", 1_500_000_000), ("0s", 0), ("300ns", 300), ("2.000001ms", 2_000_001)]
        {
            assert_eq!(Duration::parse(text), Some(Duration::from_nanos(ns)), "{text}");
            assert_eq!(Duration::from_nanos(ns).to_string(), text);
        }
    }

    #[test]
    fn a_span_without_a_unit_is_refused() {
        for text in ["", "5", "s", "1.s", ".5s", "1.2.3s", "-1s", "1 day", "99999999999999999999s"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }
}
