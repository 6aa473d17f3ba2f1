//! One direction of a cable: the sender's queue, the wire's delay, loss, the signal. A link never reorders.
//!
//! ```text
//!   sender ─► queue ─► serialisation ─► flight ─► far port
//!             (full?)  (busy until)     (delay)
//! ```
//! A hop costs one event: serialisation is arithmetic on the time until which the transmitter is busy, and only the
//! frame that arrives next has an entry in the world's queue.
//!
//! # Not modelled
//! Collisions and half duplex, bit errors inside a delivered frame, pause frames.

use crate::base::id::PortId;
use crate::base::rng::Stream;
use crate::base::time::{Duration, Instant};
use crate::trace::Why;
use crate::wire::frame::{ETHERNET_HEADER, Frame};
use std::collections::VecDeque;

/// What a cable is like, the same in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// Bits per second. 0 is refused by the loader and taken as 1 here.
    pub rate_bps: u64,
    /// How long a signal takes from end to end.
    pub delay: Duration,
    /// How many frames wait for the transmitter at most, the one on its way out included.
    pub queue: u32,
    /// The longest IP packet it carries, in octets.
    pub mtu: u32,
    /// How many frames of a million it loses.
    pub loss_ppm: u32,
}

/// A change of some of a cable's settings; what is none stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// New [`LinkSettings::rate_bps`].
    pub rate_bps: Option<u64>,
    /// New [`LinkSettings::delay`].
    pub delay: Option<Duration>,
    /// New [`LinkSettings::queue`].
    pub queue: Option<u32>,
    /// New [`LinkSettings::mtu`].
    pub mtu: Option<u32>,
    /// New [`LinkSettings::loss_ppm`].
    pub loss_ppm: Option<u32>,
}

impl LinkChange {
    /// What changes: ` loss 5% delay 2ms`.
    pub(super) fn said(&self) -> String {
        let mut out = String::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                out.push_str(&format!(" {name} {value}"));
            }
        };
        add("rate", self.rate_bps.map(|rate| format!("{rate} bit/s")));
        add("delay", self.delay.map(|delay| delay.to_string()));
        add("queue", self.queue.map(|queue| queue.to_string()));
        add("mtu", self.mtu.map(|mtu| mtu.to_string()));
        add("loss", self.loss_ppm.map(percent));
        out
    }
}

/// `0.5%` of 5,000 parts per million.
fn percent(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The direction of a cable that leaves one port.
#[derive(Debug)]
pub(super) struct Link {
    /// The port at the far end.
    pub(super) far: PortId,
    settings: LinkSettings,
    carrier: bool,
    busy_until: Instant,
    last_arrival: Instant,
    /// When each frame that is still in the sender's queue will have left it.
    leaving: VecDeque<Instant>,
    flight: VecDeque<(Instant, Frame)>,
    chance: Stream,
}

/// What became of a frame that was given to a link.
#[derive(Debug)]
pub(super) enum Carried {
    /// It is the only one under way and arrives then; the link is to be armed.
    Next(Instant),
    /// Others are before it.
    Behind,
    /// It is lost.
    Lost(Frame, Why),
}

/// Octets on the wire beside the frame: preamble and start delimiter 8, FCS 4, gap 12 (IEEE 802.3, clause 4.4.2).
const OVERHEAD: u64 = 24;
/// The shortest frame without its FCS; a NIC fills up to it (IEEE 802.3, clause 4.2.3.3).
const SHORTEST: u64 = 60;
/// How many frames can be under way on a cable, however long and fast it is.
const FLIGHT_MAX: usize = 65_536;

impl Default for LinkSettings {
    fn default() -> Self {
        LinkSettings {
            rate_bps: 1_000_000_000,
            delay: Duration::from_micros(50),
            queue: 1_000,
            mtu: 1_500,
            loss_ppm: 0,
        }
    }
}

impl LinkSettings {
    /// These settings after a change.
    pub fn changed(self, change: LinkChange) -> Self {
        LinkSettings {
            rate_bps: change.rate_bps.unwrap_or(self.rate_bps),
            delay: change.delay.unwrap_or(self.delay),
            queue: change.queue.unwrap_or(self.queue),
            mtu: change.mtu.unwrap_or(self.mtu),
            loss_ppm: change.loss_ppm.unwrap_or(self.loss_ppm),
        }
    }

    /// How long the transmitter is busy with a frame of `octets` (FCS not counted).
    pub fn serialisation(&self, octets: usize) -> Duration {
        const NS_PER_S: u64 = 1_000_000_000;
        let bits = ((octets as u64).max(SHORTEST) + OVERHEAD) * 8;
        Duration::from_nanos((bits * NS_PER_S).div_ceil(self.rate_bps.max(1)))
    }
}

impl Link {
    /// A link to `far` with a signal.
    pub(super) fn new(far: PortId, settings: LinkSettings, chance: Stream) -> Self {
        Link {
            far,
            settings,
            carrier: true,
            busy_until: Instant::ZERO,
            last_arrival: Instant::ZERO,
            leaving: VecDeque::new(),
            flight: VecDeque::new(),
            chance,
        }
    }

    /// Takes a frame from the sender.
    pub(super) fn carry(&mut self, frame: Frame, now: Instant) -> Carried {
        let octets = frame.bytes().len();
        let length = octets.saturating_sub(ETHERNET_HEADER) as u32;
        if !self.carrier {
            return Carried::Lost(frame, Why::LinkDown);
        }
        if length > self.settings.mtu {
            return Carried::Lost(frame, Why::LinkTooLong { length, mtu: self.settings.mtu });
        }
        while self.leaving.front().is_some_and(|left| *left <= now) {
            self.leaving.pop_front();
        }
        let queued = self.leaving.len() as u32;
        if queued >= self.settings.queue || self.flight.len() >= FLIGHT_MAX {
            return Carried::Lost(frame, Why::LinkQueueFull { queued });
        }
        self.busy_until = self.busy_until.max(now) + self.settings.serialisation(octets);
        self.leaving.push_back(self.busy_until);
        if self.chance.happens(self.settings.loss_ppm) {
            return Carried::Lost(frame, Why::LinkLoss { loss_ppm: self.settings.loss_ppm });
        }
        let arrives = (self.busy_until + self.settings.delay).max(self.last_arrival);
        self.last_arrival = arrives;
        self.flight.push_back((arrives, frame));
        if self.flight.len() == 1 { Carried::Next(arrives) } else { Carried::Behind }
    }

    /// Hands over the frame that arrives now, and when the next one does (`NEVER`: none is under way).
    pub(super) fn arrive(&mut self) -> (Frame, Instant) {
        let (_, frame) = self.flight.pop_front().expect("a link is armed only while a frame is under way");
        (frame, self.flight.front().map_or(Instant::NEVER, |(at, _)| *at))
    }

    /// Whether there is a signal.
    pub(super) fn carrier(&self) -> bool {
        self.carrier
    }

    /// Gives the link its signal back.
    pub(super) fn plug(&mut self) {
        self.carrier = true;
    }

    /// Takes the signal away; what was queued or under way is lost, and comes back in order.
    pub(super) fn unplug(&mut self) -> impl Iterator<Item = Frame> {
        self.carrier = false;
        self.busy_until = Instant::ZERO;
        self.leaving.clear();
        self.flight.drain(..).map(|(_, frame)| frame)
    }

    /// How many frames are queued or under way.
    pub(super) fn under_way(&self) -> usize {
        self.flight.len()
    }

    /// What it is like.
    pub(super) fn settings(&self) -> LinkSettings {
        self.settings
    }

    /// Sets what it is like from here on; frames under way are not concerned.
    pub(super) fn set(&mut self, settings: LinkSettings) {
        self.settings = settings;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use proptest::prelude::*;

    fn frame(octets: usize, number: u8) -> Frame {
        let mut bytes = vec![0; octets.max(15)];
        bytes[14] = number;
        Frame::from_bytes(&bytes, PacketId::NONE)
    }

    fn link(settings: LinkSettings) -> Link {
        Link::new(PortId(1), settings, Stream::named(1, "link/test"))
    }

    #[test]
    fn a_full_frame_takes_12_304_us_at_a_gigabit() {
        assert_eq!(LinkSettings::default().serialisation(1_514), Duration::from_nanos(12_304));
        assert_eq!(LinkSettings::default().serialisation(42), Duration::from_nanos(672));
    }

    #[test]
    fn the_queue_counts_what_has_not_left_the_transmitter() {
        let mut link = link(LinkSettings { queue: 2, ..LinkSettings::default() });
        let now = Instant::ZERO;
        assert!(matches!(link.carry(frame(60, 1), now), Carried::Next(_)));
        assert!(matches!(link.carry(frame(60, 2), now), Carried::Behind));
        assert!(matches!(link.carry(frame(60, 3), now), Carried::Lost(_, Why::LinkQueueFull { queued: 2 })));
        let later = now + Duration::from_nanos(672);
        assert!(matches!(link.carry(frame(60, 4), later), Carried::Behind));
    }

    #[test]
    fn a_frame_of_the_mtu_passes_and_one_octet_more_does_not() {
        let mut link = link(LinkSettings::default());
        assert!(matches!(link.carry(frame(1_514, 1), Instant::ZERO), Carried::Next(_)));
        let long = link.carry(frame(1_515, 1), Instant::ZERO);
        assert!(matches!(long, Carried::Lost(_, Why::LinkTooLong { length: 1_501, mtu: 1_500 })));
    }

    proptest! {
        /// Frames come out in the order in which they went in, at times that never go back, whatever the settings
        /// become meanwhile.
        #[test]
        fn a_link_never_reorders(
            steps in prop::collection::vec((0u64..20_000, 15usize..1_600, 1u64..10_000_000_000, 0u64..200_000), 1..100)
        ) {
            let mut link = link(LinkSettings::default());
            let (mut now, mut sent, mut arrivals) = (Instant::ZERO, Vec::new(), Vec::new());
            for (number, (gap, octets, rate_bps, delay)) in steps.into_iter().enumerate() {
                now += Duration::from_nanos(gap);
                link.set(LinkSettings {
                    rate_bps, delay: Duration::from_nanos(delay), mtu: 1_500, queue: 50, loss_ppm: 100_000,
                });
                match link.carry(frame(octets, number as u8), now) {
                    Carried::Next(_) | Carried::Behind => sent.push(number as u8),
                    Carried::Lost(..) => {}
                }
            }
            while let Some((at, frame)) = link.flight.pop_front() {
                arrivals.push(at);
                prop_assert_eq!(frame.bytes()[14], sent.remove(0));
            }
            prop_assert!(sent.is_empty());
            prop_assert!(arrivals.is_sorted());
        }
    }
}
