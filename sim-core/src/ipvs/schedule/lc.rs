//! Least connection: the server with the fewest connections; 257 inactive ones weigh as much as one active.
//!
//! Follows Linux `ip_vs_lc.c`. Servers of weight 0 are never chosen; other weights do not
//! matter.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers, overhead};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost.
#[derive(Debug)]
pub(super) struct Lc {
    index: Index<Price>,
}

impl Default for Lc {
    fn default() -> Self {
        Lc { index: Index::new(price) }
    }
}

impl Scheduler for Lc {
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
fn price(server: &Server, place: u32) -> Price {
    Price { cost: overhead(server), weight: u32::from(server.is_usable()), place }
}
