//! Locality-based least connection: a destination stays with its server; new ones, and those whose server is crowded, go
//! where wlc says. Made for caches behind a firewall-mark service.
//!
//! Follows Linux `ip_vs_lblc.c`. The threshold `-x` does not hold for a destination that is known.

use super::cache::{Cache, is_crowded, least_loaded};
use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::base::time::{Duration, Instant};
use crate::ipvs::server::{Server, ServerId};
use crate::tables::sysctl::Vs;
use crate::trace::record::Family;

/// The server of each destination.
#[derive(Debug, Default)]
pub(super) struct Lblc {
    cache: Cache<ServerId>,
}

impl Scheduler for Lblc {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let address = ask.flow.destination.address;
        let pick = |server| Ok(Pick { server, family: Family::Cost });
        let mut known = None;
        if let Some(entry) = self.cache.get_mut(address) {
            entry.used = ask.now;
            known = Some(entry.known);
            let server = servers.known(entry.known);
            if server.available && server.weight > 0 && !is_crowded(server, servers) {
                return pick(entry.known);
            }
        }
        let chosen = least_loaded(servers).ok_or(Refusal::NoDestination)?;
        if known != Some(chosen) {
            self.cache.put(address, chosen, ask.now);
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
        self.cache.tidy(now, Duration::from_secs(settings.lblc_expiration_s));
    }

    fn holds(&self, server: ServerId) -> bool {
        self.cache.any(|known| *known == server)
    }
}
