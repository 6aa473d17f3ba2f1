//! Weighted failover: always the heaviest usable server.
//!
//! Follows Linux `ip_vs_fo.c`. Set the first server's weight to 0, or delete it, and the next heaviest takes over.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost.
#[derive(Debug)]
pub(super) struct Fo {
    index: Index<Price>,
}

impl Default for Fo {
    fn default() -> Self {
        Fo { index: Index::new(price) }
    }
}

impl Scheduler for Fo {
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
}

/// The same cost for all: per unit of weight the heaviest is the cheapest.
fn price(server: &Server, place: u32) -> Price {
    Price { cost: 1, weight: if server.is_usable() { server.weight } else { 0 }, place }
}
