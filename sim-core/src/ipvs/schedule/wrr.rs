//! Weighted round robin: rounds of falling levels; at each level the servers that are at least as heavy, in turn.
//!
//! ```text
//!   weights 4 3 2:   level 4: 1   level 3: 1 2   level 2: 1 2 3   (level 1: 1 2 3)   and again
//! ```
//! Follows Linux `ip_vs_wrr.c`: not smooth, so the heaviest server gets runs. Servers are added one at a time, so a new
//! service begins in the lowest level.

use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::trace::record::Family;

/// Where the walk stands.
#[derive(Debug, Default)]
pub(super) struct Wrr {
    /// The place of the server chosen last; none: before the first.
    last: Option<usize>,
    /// The current level.
    level: u32,
    /// The highest level.
    top: u32,
    /// From one level to the next.
    step: u32,
}

impl Scheduler for Wrr {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        if self.top == 0 {
            return Err(Refusal::NoDestination);
        }
        let last = self.last;
        let after = last.map(|last| servers.get(last).address);
        let (mut restarted, mut last_pass, mut stop) = (false, false, None);
        let mut place = last.map_or(0, |last| last + 1);
        loop {
            while place < servers.len() {
                let server = servers.get(place);
                if !server.overloaded && server.weight >= self.level {
                    self.last = Some(place);
                    return Ok(Pick {
                        server: servers.id(place),
                        family: Family::Rotation { after, level: self.level },
                    });
                }
                if Some(place) == stop {
                    self.last = Some(place);
                    return Err(Refusal::AllOverloaded);
                }
                place += 1;
            }
            place = 0;
            self.level = self.level.saturating_sub(self.step);
            if self.level == 0 {
                self.level = self.top;
                if last_pass || last.is_none() {
                    self.last = None;
                    return Err(Refusal::AllOverloaded);
                }
                restarted = true;
            }
            self.level = self.level.min(self.highest_wanted(servers));
            last_pass = self.level <= self.step;
            if last_pass && restarted && last.is_some() {
                stop = last;
            }
        }
    }

    fn begin(&mut self, servers: &Servers) {
        self.measure(servers);
        self.level = self.top;
    }

    fn added(&mut self, servers: &Servers) {
        self.restart(servers);
    }

    fn removed(&mut self, _: usize, servers: &Servers) {
        self.restart(servers);
    }

    fn edited(&mut self, servers: &Servers) {
        self.restart(servers);
    }
}

impl Wrr {
    fn measure(&mut self, servers: &Servers) {
        self.last = None;
        let divisor = servers.iter().fold(0, |divisor, server| gcd(divisor, server.weight));
        self.step = divisor.max(1);
        let heaviest = servers.iter().map(|server| server.weight).max().unwrap_or(0);
        self.top = heaviest.saturating_sub(self.step - 1);
    }

    /// The levels above this one have nobody to choose; Linux walks through them one by one, which takes long when an
    /// overloaded server is heavier by millions.
    fn highest_wanted(&self, servers: &Servers) -> u32 {
        let usable = servers.iter().filter(|server| !server.overloaded);
        let heaviest = usable.map(|server| server.weight).max().unwrap_or(0);
        heaviest.saturating_sub(1) / self.step * self.step + 1
    }

    fn restart(&mut self, servers: &Servers) {
        self.measure(servers);
        if self.level > self.top || self.level == 0 {
            self.level = self.top;
        } else if self.step > 1 {
            self.level = self.level / self.step * self.step + 1;
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
