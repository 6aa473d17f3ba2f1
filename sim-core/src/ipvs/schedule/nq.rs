//! Never queue: the first server without active connections, whatever its weight; if there is none, as sed.
//!
//! Follows Linux `ip_vs_nq.c`.

use super::sed::delay;
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::Server;

/// No state.
#[derive(Debug, Default)]
pub(super) struct Nq;

impl Scheduler for Nq {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        let idle = servers.iter().position(|server| server.is_usable() && server.active == 0);
        Pick::by_cost(idle.or_else(|| servers.cheapest(delay)), servers)
    }

    fn cost(&self, server: &Server) -> u64 {
        delay(server)
    }
}
