//! Least connection: the server with the fewest connections; 257 inactive ones weigh as much as one active.
//!
//! Follows Linux `ip_vs_lc.c`. Keeps no state of its own. Servers of weight 0 are never chosen; other weights do not
//! matter.

use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::ipvs::server::Server;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Lc;

impl Scheduler for Lc {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        let usable = servers.iter().enumerate().filter(|(_, server)| server.is_usable());
        Pick::by_cost(usable.min_by_key(|(_, server)| overhead(server)).map(|(place, _)| place), servers)
    }

    fn cost(&self, server: &Server) -> u64 {
        overhead(server)
    }
}
