//! Maglev hashing: like source hashing, but few clients move when a server comes or goes.
//!
//! Follows Linux `ip_vs_mh.c` on 64-bit machines: a table of 4093 slots; each server has an order of slots of its own,
//! from hashes of its address, and the servers take the next free one in turn, as often as their weight says. A server
//! edited to weight 0 keeps its slots and refuses what hashes there, unless `mh-fallback`; one added with weight 0 gets
//! none.

use super::{Ask, Pick, Refusal, Scheduler, Servers, fold};
use crate::trace::record::Family;
use crate::wire::Ipv4Addr;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Places in the list, by slot.
#[derive(Debug, Default)]
pub(super) struct Mh {
    table: Vec<u32>,
}

/// A prime (`CONFIG_IP_VS_MH_TAB_INDEX` 12).
const SLOTS: u32 = 4093;
/// Turns of a server in one round have at most so many bits.
const TURN_BITS: u32 = 6;
/// The keys of the two hashes.
const FIRST: u64 = 2_654_435_761;
const SECOND: u64 = 2_654_446_892;
/// `-b mh-fallback`.
const FALLBACK: u8 = 0x08;
/// `-b mh-port`.
const PORT: u8 = 0x10;
const FREE: u32 = u32::MAX;

impl Scheduler for Mh {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let client = ask.flow.source;
        let port = if ask.flags & PORT != 0 { client.port } else { 0 };
        let slot_at = |offset| hash(client.address, port, FIRST, offset) % SLOTS;
        let first = slot_at(0);
        let tries = if ask.flags & FALLBACK != 0 { SLOTS } else { 0 };
        let probes = (0..tries).map(|offset| slot_at((offset + first) % SLOTS));
        for slot in std::iter::once(first).chain(probes) {
            let place = *self.table.get(slot as usize).ok_or(Refusal::NoDestination)? as usize;
            if servers.get(place).is_usable() {
                return Ok(Pick { server: servers.id(place), family: Family::Slot { slot, of: SLOTS } });
            }
        }
        Err(Refusal::NoDestination)
    }

    fn begin(&mut self, servers: &Servers) {
        self.fill(servers);
    }
}

/// A server while the table is filled.
struct Candidate {
    place: u32,
    slot: u32,
    skip: u32,
    turns: u32,
}

impl Mh {
    fn fill(&mut self, servers: &Servers) {
        self.table.clear();
        let mut candidates = candidates(servers);
        if candidates.is_empty() {
            return;
        }
        self.table.resize(SLOTS as usize, FREE);
        let mut taken = 0;
        for at in (0..candidates.len()).cycle() {
            let candidate = &mut candidates[at];
            for _ in 0..candidate.turns {
                while self.table[candidate.slot as usize] != FREE {
                    candidate.slot = (candidate.slot + candidate.skip) % SLOTS;
                }
                self.table[candidate.slot as usize] = candidate.place;
                taken += 1;
                if taken == SLOTS {
                    return;
                }
            }
        }
    }
}

/// The servers that get slots, in list order.
fn candidates(servers: &Servers) -> Vec<Candidate> {
    let divisor = servers.iter().fold(0, |divisor, server| gcd(divisor, server.last_weight));
    if divisor == 0 {
        return Vec::new();
    }
    let heaviest = servers.iter().map(|server| server.last_weight / divisor).max().unwrap_or(0);
    let shift = (u32::BITS - heaviest.leading_zeros()).saturating_sub(TURN_BITS);
    let candidate = |(place, server): (usize, &super::Server)| {
        let at = |key| hash(server.address.address, server.address.port, key, 0);
        Candidate {
            place: place as u32,
            slot: at(FIRST) % SLOTS,
            skip: at(SECOND) % (SLOTS - 1) + 1,
            turns: ((server.last_weight / divisor) >> shift).max(1),
        }
    };
    servers.iter().enumerate().filter(|(_, server)| server.last_weight > 0).map(candidate).collect()
}

/// The kernel's `hsiphash` of one number: SipHash-1-3, the lower half.
fn hash(address: Ipv4Addr, port: u16, key: u64, offset: u32) -> u32 {
    let value = fold(address).wrapping_add(u32::from(port)).wrapping_add(offset);
    let mut hasher = SipHasher13::new_with_keys(key, key);
    hasher.write(&value.to_le_bytes());
    hasher.finish() as u32
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_kernels() {
        let number = |value: u32, key| hash(Ipv4Addr::from(value), 0, key, 0);
        assert_eq!((number(0, 0), number(1, 0)), (0x9ac4_8af0, 0xc37b_7090));
        assert_eq!((number(0, FIRST), number(1, FIRST)), (0x1d5a_77c2, 0x16ec_66b2));
        assert_eq!((number(0xc000_0201, FIRST), number(0, SECOND)), (0x9288_9c88, 0xf882_433f));
    }
}
