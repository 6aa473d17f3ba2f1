//! Shortest expected delay: the server that would have the fewest *active* connections per unit of weight with one more.
//!
//! Follows Linux `ip_vs_sed.c`. Inactive connections do not count, so UDP all goes to the heaviest server.

use super::Scheduler;
use super::cheapest::Cheapest;
use super::index::Price;
use crate::ipvs::server::Server;

/// A new one.
pub(super) fn new() -> Box<dyn Scheduler> {
    Cheapest::by(price, delay)
}

/// What a server costs; one that is not usable cannot be had.
pub(super) fn price(server: &Server, place: u32) -> Price {
    Price { cost: delay(server), weight: if server.is_usable() { server.weight } else { 0 }, place }
}

/// Active connections, and the one that would come.
pub(super) fn delay(server: &Server) -> u64 {
    u64::from(server.active) + 1
}
