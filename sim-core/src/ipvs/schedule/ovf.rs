//! Weighted overflow: the heaviest server until it has more active connections than its weight, then the next.
//!
//! Follows Linux `ip_vs_ovf.c`. "More than" lets a server of weight w have w + 1 before it overflows.

use super::Scheduler;
use super::cheapest::Cheapest;
use super::index::Price;
use crate::ipvs::server::Server;

/// A new one.
pub(super) fn new() -> Box<dyn Scheduler> {
    Cheapest::by(price, |server| u64::from(server.active))
}

/// The same cost for all that have room: per unit of weight the heaviest is the cheapest.
fn price(server: &Server, place: u32) -> Price {
    let has_room = server.is_usable() && server.active <= server.weight;
    Price { cost: 1, weight: if has_room { server.weight } else { 0 }, place }
}
