//! Weighted round robin: rounds of falling levels; at each level the servers that are at least as heavy, in turn.
//!
//! ```text
//!   weights 4 3 2:   level 4: 1   level 3: 1 2   level 2: 1 2 3   (level 1: 1 2 3)   and again
//! ```
//! Follows Linux `ip_vs_wrr.c`: not smooth, so the heaviest server gets runs. Servers are added one at a time, so a new
//! service begins in the lowest level.

use super::index::Index;
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};
use crate::trace::record::Family;

/// Where the walk stands.
#[derive(Debug)]
pub(super) struct Wrr {
    /// The place of the server chosen last; none: before the first.
    last: Option<usize>,
    /// The current level.
    level: u32,
    /// The highest level.
    top: u32,
    /// From one level to the next.
    step: u32,
    /// The weights of servers that are not overloaded.
    weights: Index<u32>,
}

impl Default for Wrr {
    fn default() -> Self {
        let weight = |server: &Server, _: u32| if server.overloaded { 0 } else { server.weight };
        Wrr { last: None, level: 0, top: 0, step: 0, weights: Index::new(weight) }
    }
}

impl Scheduler for Wrr {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        if self.top == 0 {
            return Err(Refusal::NoDestination);
        }
        self.weights.refresh(servers);
        let last = self.last;
        let after = last.map(|last| servers.get(last).address);
        let (mut restarted, mut last_pass, mut stop) = (false, false, None);
        let mut place = last.map_or(0, |last| last + 1);
        loop {
            let found = self.weights.first_from(place, self.level);
            if let Some(stop) = stop.filter(|stop| place <= *stop && found.is_none_or(|found| *stop < found)) {
                self.last = Some(stop);
                return Err(Refusal::AllOverloaded);
            }
            if let Some(found) = found {
                self.last = Some(found);
                return Ok(Pick { server: servers.id(found), family: Family::Rotation { after, level: self.level } });
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
            self.level = self.level.min(self.highest_wanted());
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

    fn changed(&mut self, id: ServerId, server: &Server) {
        self.weights.update(id, server);
    }
}

impl Wrr {
    fn measure(&mut self, servers: &Servers) {
        self.last = None;
        self.weights.forget();
        let divisor = servers.iter().fold(0, |divisor, server| gcd(divisor, server.weight));
        self.step = divisor.max(1);
        let heaviest = servers.iter().map(|server| server.weight).max().unwrap_or(0);
        self.top = heaviest.saturating_sub(self.step - 1);
    }

    /// The levels above this one have nobody to choose; Linux walks through them one by one, which takes long when an
    /// overloaded server is heavier by millions.
    fn highest_wanted(&self) -> u32 {
        self.weights.best().saturating_sub(1) / self.step * self.step + 1
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
