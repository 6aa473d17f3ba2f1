//! Power of two choices: two servers are drawn by weight, the one with fewer connections per weight is taken.
//!
//! Follows Linux `ip_vs_twos.c`, with the host's own chance.

use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::ipvs::server::Server;
use crate::trace::record::Family;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Twos;

impl Scheduler for Twos {
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal> {
        let usable = || servers.iter().enumerate().filter(|(_, server)| server.is_usable());
        let total: u64 = usable().map(|(_, server)| u64::from(server.weight)).sum();
        if total == 0 {
            return Err(Refusal::NoDestination);
        }
        // The draw includes 0 and the sum: the first server in the list has one chance more.
        let (one, other) = (ask.rng.below(total + 1), ask.rng.below(total + 1));
        let at = |draw: u64| {
            let mut passed = 0;
            let found = usable().find(|(_, server)| {
                passed += u64::from(server.weight);
                draw <= passed
            });
            found.ok_or(Refusal::NoDestination)
        };
        let ((place, a), (other_place, b)) = (at(one)?, at(other)?);
        let is_cheaper =
            u128::from(b.weight) * u128::from(overhead(a)) > u128::from(a.weight) * u128::from(overhead(b));
        let place = if is_cheaper { other_place } else { place };
        Ok(Pick { server: servers.id(place), family: Family::Draw })
    }

    fn cost(&self, server: &Server) -> u64 {
        overhead(server)
    }
}
