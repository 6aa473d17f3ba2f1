//! Shortest expected delay: the server that would have the fewest *active* connections per unit of weight with one more.
//!
//! Follows Linux `ip_vs_sed.c`. Inactive connections do not count, so UDP all goes to the heaviest server.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost.
#[derive(Debug)]
pub(super) struct Sed {
    index: Index<Price>,
}

impl Default for Sed {
    fn default() -> Self {
        Sed { index: Index::new(price) }
    }
}

impl Scheduler for Sed {
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
        delay(server)
    }
}

/// What a server costs; one that is not usable cannot be had.
pub(super) fn price(server: &Server, place: u32) -> Price {
    Price { cost: delay(server), weight: if server.is_usable() { server.weight } else { 0 }, place }
}

/// Active connections, and the one that would come.
pub(super) fn delay(server: &Server) -> u64 {
    u64::from(server.active) + 1
}
