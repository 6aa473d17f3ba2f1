//! Weighted least-connection: the server with the fewest connections per unit of weight.
//!
//! Follows Linux `ip_vs_wlc.c`. Keeps no state of its own. Servers of weight 0 are never chosen.

use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::ipvs::server::Server;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Wlc;

impl Scheduler for Wlc {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        Pick::by_cost(servers.cheapest(overhead), servers)
    }

    fn cost(&self, server: &Server) -> u64 {
        overhead(server)
    }
}
