//! Source hashing: the client's address decides, with `sh-port` also its port.
//!
//! Follows Linux `ip_vs_sh.c`: a table of 256 slots, filled with runs of each server as long as its weight. A server
//! that cannot be used refuses what hashes to it, unless `sh-fallback`.

use super::{Ask, Pick, Refusal, Scheduler, Servers, fold, hash_32};
use crate::trace::record::Family;

/// Places in the list, by slot.
#[derive(Debug, Default)]
pub(super) struct Sh {
    table: Vec<usize>,
}

const BITS: u32 = 8;
const SLOTS: usize = 1 << BITS;
/// `-b sh-fallback`.
const FALLBACK: u8 = 0x08;
/// `-b sh-port`.
const PORT: u8 = 0x10;

impl Scheduler for Sh {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let port = if ask.flags & PORT != 0 { ask.flow.source.port } else { 0 };
        let hash = hash_32(fold(ask.flow.source.address).wrapping_add(u32::from(port)), BITS) as usize;
        let tries = if ask.flags & FALLBACK != 0 { SLOTS } else { 0 };
        let probes = (0..tries).map(|offset| ((offset + hash) % SLOTS + hash) % SLOTS);
        for slot in std::iter::once(hash).chain(probes) {
            let place = *self.table.get(slot).ok_or(Refusal::NoDestination)?;
            if servers.get(place).is_usable() {
                let family = Family::Slot { slot: slot as u32, of: SLOTS as u32 };
                return Ok(Pick { server: servers.id(place), family });
            }
        }
        Err(Refusal::NoDestination)
    }

    fn begin(&mut self, servers: &Servers) {
        self.fill(servers);
    }
}

impl Sh {
    /// A server of weight 0 still takes one slot in each round.
    fn fill(&mut self, servers: &Servers) {
        self.table.clear();
        let (mut place, mut run) = (0, 0);
        while !servers.is_empty() && self.table.len() < SLOTS {
            self.table.push(place);
            run += 1;
            if run >= servers.get(place).weight {
                (place, run) = ((place + 1) % servers.len(), 0);
            }
        }
    }
}
