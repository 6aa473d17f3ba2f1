//! Least connection: the server with the fewest connections; 257 inactive ones weigh as much as one active.
//!
//! Follows Linux `ip_vs_lc.c`. Servers of weight 0 are never chosen; other weights do not
//! matter.

use super::cheapest::Cheapest;
use super::index::Price;
use super::{Scheduler, overhead};
use crate::ipvs::server::Server;

/// A new one.
pub(super) fn new() -> Box<dyn Scheduler> {
    Cheapest::by(price, overhead)
}

/// What a server costs; one that is not usable cannot be had.
fn price(server: &Server, place: u32) -> Price {
    Price { cost: overhead(server), weight: u32::from(server.is_usable()), place }
}
