//! Round robin: the next usable server in the list, in turn.
//!
//! Follows Linux `ip_vs_rr.c`. The weight matters only in being 0 or not.

use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::trace::record::Family;

/// Where the walk stands.
#[derive(Debug, Default)]
pub(super) struct Rr {
    /// The place of the server chosen last; none: before the first.
    last: Option<usize>,
}

impl Scheduler for Rr {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        let count = servers.len();
        let first = self.last.map_or(0, |last| last + 1);
        let mut place = first;
        for _ in 0..count {
            if place >= count {
                place = 0;
            }
            if servers.get(place).is_usable() {
                let after = self.last.map(|last| servers.get(last).address);
                self.last = Some(place);
                return Ok(Pick { server: servers.id(place), family: Family::Rotation { after, level: 0 } });
            }
            place += 1;
        }
        Err(Refusal::NoDestination)
    }

    fn begin(&mut self, _: &Servers) {
        self.last = None;
    }

    fn added(&mut self, _: &Servers) {
        self.last = self.last.map(|last| last + 1);
    }

    /// If it was the one chosen last, the walk goes back to the one before it.
    fn removed(&mut self, place: usize, _: &Servers) {
        self.last = self.last.and_then(|last| if last >= place { last.checked_sub(1) } else { Some(last) });
    }
}
