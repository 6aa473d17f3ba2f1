//! Path MTUs learned from ICMP 3/4, kept for 600 s (Linux `ip_rt_mtu_expires`), never below 552 octets (`min_pmtu`).

use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// How long a path MTU is believed.
pub(super) const KEPT: Duration = Duration::from_secs(600);
/// The smallest path MTU that is believed, in octets.
pub(super) const SMALLEST: u32 = 552;
const LEARNED_MAX: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Learned {
    by_address: BTreeMap<Ipv4Addr, (u32, Instant)>,
    hot: Lookup<Ipv4Addr, u32>,
    /// Not later than the first of them is due.
    earliest: Option<Instant>,
}

impl Learned {
    pub(super) fn mtu(&self, destination: Ipv4Addr) -> Option<u32> {
        if self.hot.is_empty() {
            return None;
        }
        self.hot.get(&destination).copied()
    }

    /// Believes `mtu` until `until`, unless there is no room.
    pub(super) fn learn(&mut self, destination: Ipv4Addr, mtu: u32, until: Instant) {
        if self.by_address.len() >= LEARNED_MAX && !self.by_address.contains_key(&destination) {
            return;
        }
        self.by_address.insert(destination, (mtu, until));
        self.earliest = Some(self.earliest.map_or(until, |earliest| earliest.min(until)));
        self.hot.insert(destination, mtu);
    }

    pub(super) fn forget_due(&mut self, now: Instant) {
        let hot = &mut self.hot;
        self.by_address.retain(|address, (_, until)| {
            let keep = *until > now;
            if !keep {
                hot.remove(address);
            }
            keep
        });
        self.earliest = self.by_address.values().map(|(_, until)| *until).min();
    }

    pub(super) fn clear(&mut self) {
        self.by_address.clear();
        self.hot.clear();
        self.earliest = None;
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.earliest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, u32, Instant)> {
        self.by_address.iter().map(|(address, (mtu, until))| (*address, *mtu, *until))
    }
}
