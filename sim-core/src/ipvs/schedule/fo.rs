//! Weighted failover: always the heaviest usable server.
//!
//! Follows Linux `ip_vs_fo.c`. Set the first server's weight to 0, or delete it, and the next heaviest takes over.

use super::Scheduler;
use super::cheapest::Cheapest;
use super::index::Price;
use crate::ipvs::server::Server;

/// A new one.
pub(super) fn new() -> Box<dyn Scheduler> {
    Cheapest::by(price, |_| 0)
}

/// The same cost for all: per unit of weight the heaviest is the cheapest.
fn price(server: &Server, place: u32) -> Price {
    Price { cost: 1, weight: if server.is_usable() { server.weight } else { 0 }, place }
}
