//! Destination hashing: the packet's destination address decides.
//!
//! Follows Linux `ip_vs_dh.c`: a table of 256 slots, filled by going through the list again and again; weights do not
//! matter, but a server of weight 0 refuses what hashes to it. Made for caches behind a firewall-mark service: with one
//! VIP, everything goes to one server.

use super::{Ask, Pick, Refusal, Scheduler, Servers, fold, hash_32};
use crate::trace::record::Family;

/// The number of servers is the whole table: slot i has server i modulo that.
#[derive(Debug, Default)]
pub(super) struct Dh;

const BITS: u32 = 8;

impl Scheduler for Dh {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let slot = hash_32(fold(ask.flow.destination.address), BITS);
        let place = (slot as usize).checked_rem(servers.len()).ok_or(Refusal::NoDestination)?;
        if !servers.get(place).is_usable() {
            return Err(Refusal::NoDestination);
        }
        Ok(Pick { server: servers.id(place), family: Family::Slot { slot, of: 1 << BITS } })
    }
}
