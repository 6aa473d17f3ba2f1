//! Weighted least-connection: the server with the fewest connections per unit of weight.
//!
//! Follows Linux `ip_vs_wlc.c`. Servers of weight 0 are never chosen.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost.
#[derive(Debug)]
pub(super) struct Wlc {
    index: Index<Price>,
}

impl Default for Wlc {
    fn default() -> Self {
        Wlc { index: Index::new(price) }
    }
}

impl Scheduler for Wlc {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        self.index.refresh(servers);
        Pick::cheapest(self.index.best(), servers)
    }

    fn begin(&mut self, _: &Servers) {
        self.index.forget();
    }

    fn added(&mut self, _: &Servers) {
        self.index.forget();
    }

    fn removed(&mut self, _: usize, _: &Servers) {
        self.index.forget();
    }

    fn edited(&mut self, _: &Servers) {
        self.index.forget();
    }

    fn changed(&mut self, id: ServerId, server: &Server) {
        self.index.update(id, server);
    }

    fn cost(&self, server: &Server) -> u64 {
        overhead(server)
    }
}

/// What a server costs; one that is not usable cannot be had.
pub(super) fn price(server: &Server, place: u32) -> Price {
    Price { cost: overhead(server), weight: if server.is_usable() { server.weight } else { 0 }, place }
}
