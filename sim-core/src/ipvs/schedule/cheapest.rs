//! A scheduler that takes the cheapest server, and of equals the first: what lc, wlc, sed, fo and ovf have in common. They
//! differ in their price.

use super::index::{Index, Price};
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their price.
#[derive(Debug)]
pub(super) struct Cheapest {
    index: Index<Price>,
    cost: fn(&Server) -> u64,
}

impl Cheapest {
    /// With this price of a server at a place, and this cost for the explanation of a choice.
    pub(super) fn by(price: fn(&Server, u32) -> Price, cost: fn(&Server) -> u64) -> Box<dyn Scheduler> {
        Box::new(Cheapest { index: Index::new(price), cost })
    }
}

impl Scheduler for Cheapest {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        self.index.refresh(servers);
        Pick::cheapest(self.index.best(), servers)
    }

    fn begin(&mut self, _: &Servers) {
        self.index.forget();
    }

    fn changed(&mut self, id: ServerId, server: &Server) {
        self.index.update(id, server);
    }

    fn cost(&self, server: &Server) -> u64 {
        (self.cost)(server)
    }
}
