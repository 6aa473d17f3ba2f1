//! Places as people write them: a frame `f21`, an event `e73`, a request `r3`, a time `1.2s`.

use crate::failure::Failure;
use sim_core::base::id::EventId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::{Kind, Trace};

/// A place in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A frame of the full capture, from 1.
    Frame(u32),
    /// An event.
    Event(u32),
    /// A request, from 1.
    Request(u32),
    /// A time.
    Time(Instant),
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbered = |prefix: char| text.strip_prefix(prefix).and_then(|rest| rest.parse::<u32>().ok());
        if let Ok(number) = text.parse() {
            return Ok(Place::Frame(number));
        }
        if let Some(number) = numbered('f') {
            return Ok(Place::Frame(number));
        }
        if let Some(number) = numbered('e') {
            return Ok(Place::Event(number));
        }
        if let Some(number) = numbered('r') {
            return Ok(Place::Request(number));
        }
        match Duration::parse(text) {
            Some(span) => Ok(Place::Time(Instant::ZERO + span)),
            None => Err("a place is a frame f21, an event e73, a request r3 or a time 1.2s".to_string()),
        }
    }
}

impl Place {
    /// The last event at or before the place.
    pub(crate) fn event(self, trace: &Trace) -> Result<EventId, Failure> {
        let count = trace.events.len() as u32;
        match self {
            Place::Frame(number) => {
                let found = trace.frame(number).map(|frame| frame.event);
                found.ok_or_else(|| {
                    Failure::Usage(format!("there is no frame f{number}; the last is f{}", trace.frames.len()))
                })
            }
            Place::Event(number) if number < count => Ok(EventId(number)),
            Place::Event(number) => {
                Err(Failure::Usage(format!("there is no event e{number}; the last is e{}", count.saturating_sub(1))))
            }
            Place::Request(number) => {
                let is_it = |kind: &Kind| *kind == Kind::RequestStarted(number.wrapping_sub(1));
                let found = trace.events.iter().position(|event| is_it(&event.kind));
                let requests = trace.requests.len();
                found
                    .map(|index| EventId(index as u32))
                    .ok_or_else(|| Failure::Usage(format!("there is no request r{number}; the run has {requests}")))
            }
            Place::Time(at) => {
                let steps = trace.steps.partition_point(|step| step.at <= at) as u32;
                let events = trace.events.partition_point(|event| event.step < steps) as u32;
                Ok(EventId(events.saturating_sub(1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_printed() {
        for (text, place) in [
            ("f21", Place::Frame(21)),
            ("21", Place::Frame(21)),
            ("e73", Place::Event(73)),
            ("r3", Place::Request(3)),
            ("1.2s", Place::Time(Instant::from_nanos(1_200_000_000))),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        for text in ["", "x3", "f", "1.2"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
