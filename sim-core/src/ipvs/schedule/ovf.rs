//! Weighted overflow: the heaviest server until it has more active connections than its weight, then the next.
//!
//! Follows Linux `ip_vs_ovf.c`. "More than" lets a server of weight w have w + 1 before it overflows.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost.
#[derive(Debug)]
pub(super) struct Ovf {
    index: Index<Price>,
}

impl Default for Ovf {
    fn default() -> Self {
        Ovf { index: Index::new(price) }
    }
}

impl Scheduler for Ovf {
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
        u64::from(server.active)
    }
}

/// The same cost for all that have room: per unit of weight the heaviest is the cheapest.
fn price(server: &Server, place: u32) -> Price {
    let has_room = server.is_usable() && server.active <= server.weight;
    Price { cost: 1, weight: if has_room { server.weight } else { 0 }, place }
}
