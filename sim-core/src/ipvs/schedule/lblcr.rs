//! Locality-based least connection with replication: a destination has a set of servers; when the least loaded of them
//! is crowded, the set grows, and it shrinks when it was left alone for long.
//!
//! Follows Linux `ip_vs_lblcr.c`.

use super::cache::{Cache, is_crowded, least_loaded};
use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::base::time::{Duration, Instant};
use crate::ipvs::server::{Server, ServerId};
use crate::tables::sysctl::Vs;
use crate::trace::record::Family;

/// The servers of each destination.
#[derive(Debug, Default)]
pub(super) struct Lblcr {
    cache: Cache<Set>,
}

/// The servers of a destination, the newest first.
#[derive(Debug)]
struct Set {
    members: Vec<ServerId>,
    changed: Instant,
}

impl Scheduler for Lblcr {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let (address, now) = (ask.flow.destination.address, ask.now);
        let pick = |server| Ok(Pick { server, family: Family::Cost });
        let Some(entry) = self.cache.get_mut(address) else {
            let chosen = least_loaded(servers).ok_or(Refusal::Unsaid)?;
            self.cache.put(address, Set { members: vec![chosen], changed: now }, now);
            return pick(chosen);
        };
        entry.used = now;
        let set = &mut entry.known;
        let cheapest = set.cheapest(servers);
        if set.members.len() > 1 && now > set.changed + Duration::from_secs(ask.settings.lblcr_expiration_s) {
            set.drop_dearest(servers);
            set.changed = now;
        }
        if let Some(member) = cheapest
            && !is_crowded(servers.known(member), servers)
        {
            return pick(member);
        }
        let chosen = least_loaded(servers).ok_or(Refusal::NoDestination)?;
        if !set.members.contains(&chosen) {
            set.members.insert(0, chosen);
            set.changed = now;
        }
        pick(chosen)
    }

    fn cost(&self, server: &Server) -> u64 {
        overhead(server)
    }

    fn next_wake(&self) -> Option<Instant> {
        self.cache.next_wake()
    }

    fn wake(&mut self, now: Instant, settings: &Vs) {
        self.cache.tidy(now, Duration::from_secs(settings.lblcr_expiration_s));
    }

    fn holds(&self, server: ServerId) -> bool {
        self.cache.any(|set| set.members.contains(&server))
    }
}

impl Set {
    /// The member with the lowest cost by weight that can be used; of equals the earlier one.
    fn cheapest(&self, servers: &Servers) -> Option<ServerId> {
        let usable = |id: &&ServerId| {
            let server = servers.known(**id);
            server.available && server.is_usable()
        };
        self.members
            .iter()
            .filter(usable)
            .copied()
            .reduce(|best, id| if is_dearer(servers.known(best), servers.known(id)) { id } else { best })
    }

    /// Takes the member with the highest cost by weight out.
    fn drop_dearest(&mut self, servers: &Servers) {
        let weighs = |id: &&ServerId| servers.known(**id).weight > 0;
        let dearest = self
            .members
            .iter()
            .filter(weighs)
            .copied()
            .reduce(|worst, id| if is_dearer(servers.known(id), servers.known(worst)) { id } else { worst });
        self.members.retain(|id| Some(*id) != dearest);
    }
}

/// Whether `one` costs more per weight than `other`.
fn is_dearer(one: &Server, other: &Server) -> bool {
    u128::from(overhead(one)) * u128::from(other.weight) > u128::from(overhead(other)) * u128::from(one.weight)
}
