//! What lblc and lblcr remember per destination: 1024 chains of entries, tidied once a minute.
//!
//! Every 30th minute all entries that were not used for long go (`lblc_expiration`); in between, only when there are
//! too many, some that were not used for 6 minutes.

use super::index::{Price, Worth};
use super::{Servers, fold, hash_32, wlc};
use crate::base::time::{Duration, Instant};
use crate::ipvs::server::{Server, ServerId};
use crate::wire::Ipv4Addr;

/// An entry: what a scheduler knows about a destination.
#[derive(Debug)]
pub(super) struct Entry<T> {
    address: Ipv4Addr,
    pub(super) used: Instant,
    pub(super) known: T,
}

/// The entries of one service.
#[derive(Debug)]
pub(super) struct Cache<T> {
    chains: Vec<Vec<Entry<T>>>,
    count: usize,
    due: Option<Instant>,
    minutes: u32,
    rover: usize,
}

const BITS: u32 = 10;
const CHAINS: usize = 1 << BITS;
/// More than this is too many.
const LARGE: usize = 16 * CHAINS;
/// No more than this are kept (Linux 6.1.192).
const MOST: usize = LARGE / 2 * 3;
const PERIOD: Duration = Duration::from_secs(60);
const FULL_CHECK_EVERY: u32 = 30;
const UNUSED: Duration = Duration::from_secs(360);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        let chains = (0..CHAINS).map(|_| Vec::new()).collect();
        Cache { chains, count: 0, due: None, minutes: 1, rover: 0 }
    }
}

impl<T> Cache<T> {
    /// The entry of a destination.
    pub(super) fn get_mut(&mut self, address: Ipv4Addr) -> Option<&mut Entry<T>> {
        self.chains[chain_of(address)].iter_mut().find(|entry| entry.address == address)
    }

    /// Remembers something about a destination, in place of what was known; nothing if there are too many entries.
    pub(super) fn put(&mut self, address: Ipv4Addr, known: T, now: Instant) {
        self.due.get_or_insert(now + PERIOD);
        let chain = &mut self.chains[chain_of(address)];
        if let Some(at) = chain.iter().position(|entry| entry.address == address) {
            chain.remove(at);
            self.count -= 1;
        }
        if self.count < MOST {
            chain.insert(0, Entry { address, used: now, known });
            self.count += 1;
        }
    }

    /// Whether an entry passes `test`.
    pub(super) fn any(&self, test: impl Fn(&T) -> bool) -> bool {
        self.chains.iter().flatten().any(|entry| test(&entry.known))
    }

    /// When the next minute is over.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.due
    }

    /// A minute is over.
    pub(super) fn tidy(&mut self, now: Instant, expiration: Duration) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = Some(now + PERIOD);
        if self.minutes.is_multiple_of(FULL_CHECK_EVERY) {
            self.drop_unused(CHAINS, usize::MAX, now, expiration);
            self.minutes = 1;
        } else if self.count <= LARGE {
            self.minutes += 1;
        } else {
            let goal = ((self.count - LARGE) * 4 / 3).min(LARGE / 2);
            self.drop_unused(CHAINS, goal, now, UNUSED);
        }
    }

    /// Goes through the chains behind the rover until `goal` entries are gone.
    fn drop_unused(&mut self, chains: usize, goal: usize, now: Instant, unused: Duration) {
        let mut gone = 0;
        for _ in 0..chains {
            self.rover = (self.rover + 1) % CHAINS;
            let chain = &mut self.chains[self.rover];
            let before = chain.len();
            chain.retain(|entry| now < entry.used + unused);
            gone += before - chain.len();
            self.count -= before - chain.len();
            if gone >= goal {
                return;
            }
        }
    }
}

/// Whether a cached server is left for another: it has more active connections than its weight, and somebody has less
/// than half of that.
pub(super) fn is_crowded(server: &Server, servers: &Servers) -> bool {
    let has_room = |other: &Server| u64::from(other.active) * 2 < u64::from(other.weight);
    server.active > server.weight && servers.iter().any(has_room)
}

/// The choice of wlc.
pub(super) fn least_loaded(servers: &Servers) -> Option<ServerId> {
    let prices = servers.iter().zip(0..).map(|(server, place)| wlc::price(server, place));
    let best = prices.reduce(Price::better).filter(|best| best.weight > 0)?;
    Some(servers.id(best.place as usize))
}

fn chain_of(address: Ipv4Addr) -> usize {
    hash_32(fold(address), BITS) as usize
}
