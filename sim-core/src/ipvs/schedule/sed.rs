//! Shortest expected delay: the server that would have the fewest *active* connections per unit of weight with one more.
//!
//! Follows Linux `ip_vs_sed.c`. Inactive connections do not count, so UDP all goes to the heaviest server.

use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::Server;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Sed;

impl Scheduler for Sed {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        Pick::by_cost(servers.cheapest(delay), servers)
    }

    fn cost(&self, server: &Server) -> u64 {
        delay(server)
    }
}

/// Active connections, and the one that would come.
pub(super) fn delay(server: &Server) -> u64 {
    u64::from(server.active) + 1
}
