//! Weighted overflow: the heaviest server until it has more active connections than its weight, then the next.
//!
//! Follows Linux `ip_vs_ovf.c`. "More than" lets a server of weight w have w + 1 before it overflows.

use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::Server;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Ovf;

impl Scheduler for Ovf {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        Pick::by_cost(servers.heaviest(|server| server.active <= server.weight), servers)
    }

    fn cost(&self, server: &Server) -> u64 {
        u64::from(server.active)
    }
}
