//! Weighted least-connection: the server with the fewest connections per unit of weight.
//!
//! Follows Linux `ip_vs_wlc.c`. Servers of weight 0 are never chosen.

use super::cheapest::Cheapest;
use super::index::Price;
use super::{Scheduler, overhead};
use crate::ipvs::server::Server;

/// A new one.
pub(super) fn new() -> Box<dyn Scheduler> {
    Cheapest::by(price, overhead)
}

/// What a server costs; one that is not usable cannot be had.
pub(super) fn price(server: &Server, place: u32) -> Price {
    Price { cost: overhead(server), weight: if server.is_usable() { server.weight } else { 0 }, place }
}
