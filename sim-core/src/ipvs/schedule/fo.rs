//! Weighted failover: always the heaviest usable server.
//!
//! Follows Linux `ip_vs_fo.c`. Set the first server's weight to 0, or delete it, and the next heaviest takes over.

use super::{Ask, Pick, Refusal, Scheduler, Servers};

/// No state.
#[derive(Debug, Default)]
pub(super) struct Fo;

impl Scheduler for Fo {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        Pick::by_cost(servers.heaviest(|_| true), servers)
    }
}
