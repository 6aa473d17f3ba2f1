//! Never queue: the first server without active connections, whatever its weight; if there is none, as sed.
//!
//! Follows Linux `ip_vs_nq.c`.

use super::index::{Index, Price};
use super::sed::{delay, price};
use super::{Ask, Pick, Refusal, Scheduler, Servers};
use crate::ipvs::server::{Server, ServerId};

/// The servers by their cost, and those that are idle.
#[derive(Debug)]
pub(super) struct Nq {
    index: Index<Price>,
    idle: Index<u32>,
}

impl Default for Nq {
    fn default() -> Self {
        let idle = |server: &Server, _: u32| u32::from(server.is_usable() && server.active == 0);
        Nq { index: Index::new(price), idle: Index::new(idle) }
    }
}

impl Scheduler for Nq {
    fn schedule(&mut self, servers: &Servers, _: &mut Ask) -> Result<Pick, Refusal> {
        self.index.refresh(servers);
        self.idle.refresh(servers);
        match self.idle.first_from(0, 1) {
            Some(place) => Pick::by_cost(Some(place), servers),
            None => Pick::cheapest(self.index.best(), servers),
        }
    }

    fn begin(&mut self, _: &Servers) {
        self.forget();
    }

    fn changed(&mut self, id: ServerId, server: &Server) {
        self.index.update(id, server);
        self.idle.update(id, server);
    }

    fn cost(&self, server: &Server) -> u64 {
        delay(server)
    }
}

impl Nq {
    fn forget(&mut self) {
        self.index.forget();
        self.idle.forget();
    }
}
