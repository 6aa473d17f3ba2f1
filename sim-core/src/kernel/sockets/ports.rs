//! Ports that a host gives to its own connections: 32768 to 60999, in an order of Linux's kind.
//!
//! Linux 6.1 begins at a place drawn per destination, goes up by two over the even ports (`connect`), and takes odd ones
//! only when all even ones are in use; here the place is drawn once per host, so that ports are easy to read.

use crate::world::node::Cx;

const LOW: u16 = 32_768;
const HIGH: u16 = 60_999;
const PAIRS: u32 = (HIGH as u32 - LOW as u32).div_ceil(2);

/// Where the next search begins.
#[derive(Debug, Default)]
pub(super) struct Ports {
    next: Option<u32>,
}

impl Ports {
    /// A port for which `is_free` holds.
    pub(super) fn pick(&mut self, cx: &mut Cx, mut is_free: impl FnMut(u16) -> bool) -> Option<u16> {
        let first = match self.next {
            Some(first) => first,
            None => cx.rng.below(u64::from(PAIRS)) as u32,
        };
        for parity in [0, 1] {
            for step in 0..PAIRS {
                let pair = (first + step) % PAIRS;
                let port = LOW + (pair * 2) as u16 + parity;
                if is_free(port) {
                    self.next = Some((pair + 1) % PAIRS);
                    return Some(port);
                }
            }
        }
        None
    }
}
