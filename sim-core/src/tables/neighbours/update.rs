//! Applying what an ARP message offers (`neigh_update`).

use super::{NeighbourState, Neighbours};
use crate::base::id::IfaceId;
use crate::base::time::{Duration, Instant};
use crate::base::wheel;
use crate::tables::sysctl::Sysctl;
use crate::trace::Why;
use crate::trace::recorder::Change;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Cx;

/// What an ARP message offers about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The sender's MAC.
    pub mac: Mac,
    /// `Reachable` (an answer to us) or `Stale`.
    pub state: NeighbourState,
    /// May change a MAC that is valid.
    pub overrides: bool,
    /// Makes an entry if there is none.
    pub creates: bool,
}

impl Neighbours {
    /// Whether a changed MAC may be changed again: `locktime` is over, as the kernel counts it, in ticks.
    pub fn unlocked(&self, iface: IfaceId, address: Ipv4Addr, sysctl: &Sysctl, now: Instant) -> bool {
        let Some(entry) = self.get(iface, address) else { return true };
        wheel::ticks(now) > wheel::ticks(entry.updated) + wheel::ticks(Instant::ZERO + sysctl.neigh(iface).locktime)
    }

    /// Takes in what an ARP message offers. Packets that waited are released.
    pub fn update(&mut self, iface: IfaceId, address: Ipv4Addr, offer: Offer, sysctl: &Sysctl, cx: &mut Cx) {
        let known = self.by_key.get(&(iface, address)).copied();
        let slot = match known {
            Some(slot) => slot,
            None if !offer.creates => return cx.note(Why::ArpUnsolicited { address }),
            None => match self.find_or_create(iface, address, sysctl, cx) {
                Some(slot) => slot,
                None => return cx.note(Why::ArpUnsolicited { address }),
            },
        };
        let entry = self.slots[slot].as_mut().expect("the index names entries that are there");
        if matches!(entry.state, NeighbourState::Permanent | NeighbourState::NoArp) {
            return cx.note(Why::ArpPermanent { address });
        }
        if offer.state == NeighbourState::Reachable {
            entry.confirmed = cx.now;
        }
        let valid = entry.is_valid();
        let same = entry.mac == Some(offer.mac);
        if valid && !same && !offer.overrides {
            return cx.note(Why::ArpLocked { address });
        }
        if valid && same && offer.state == NeighbourState::Stale {
            return cx.note(Why::ArpLearned { address });
        }
        cx.note(Why::ArpLearned { address });
        self.write(slot, Some(offer.mac), offer.state, sysctl, cx);
    }

    /// Writes MAC and state, sets the timer, and releases what waited if there is a MAC.
    pub(super) fn write(&mut self, slot: usize, mac: Option<Mac>, state: NeighbourState, sysctl: &Sysctl, cx: &mut Cx) {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        let iface = entry.iface;
        let mac = mac.or(entry.mac);
        let mac_changed = entry.mac != mac;
        if entry.state != state || mac_changed {
            entry.updated = cx.now;
        }
        if mac_changed && state != NeighbourState::Reachable {
            entry.confirmed = before(cx.now, sysctl.neigh(iface).base_reachable.times(2));
        }
        if state == NeighbourState::Reachable {
            entry.confirmed = cx.now;
        }
        entry.mac = mac;
        let state_changed = entry.state != state;
        self.permanent -= usize::from(entry.state == NeighbourState::Permanent);
        self.permanent += usize::from(state == NeighbourState::Permanent);
        entry.state = state;
        if mac_changed || state_changed {
            cx.change(Change::Neighbour(entry.record(self.node, true)));
        }
        if !state_changed {
            return;
        }
        let timer = match state {
            NeighbourState::Reachable => {
                let reachable = self.reachable_time(iface, sysctl, cx);
                Some(cx.now + reachable)
            }
            NeighbourState::Delay | NeighbourState::Probe | NeighbourState::Incomplete => Some(cx.now),
            NeighbourState::Stale | NeighbourState::Failed | NeighbourState::Permanent | NeighbourState::NoArp => None,
        };
        let entry = self.slots[slot].as_mut().expect("it was there");
        match state {
            NeighbourState::Probe => entry.probes = 0,
            // A round by broadcast counts as if the one by unicast had failed.
            NeighbourState::Incomplete => entry.probes = sysctl.neigh(iface).ucast_solicit,
            NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Failed
            | NeighbourState::Permanent
            | NeighbourState::NoArp => {}
        }
        self.arm(slot, timer);
        self.release(slot);
    }

    /// What waited may go, if there is a MAC.
    fn release(&mut self, slot: usize) {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        if !entry.is_valid() {
            return;
        }
        entry.waiting_bytes = 0;
        let (iface, address) = (entry.iface, entry.address);
        self.released.extend(entry.waiting.drain(..).map(|packet| (iface, address, packet)));
    }
}

fn before(now: Instant, span: Duration) -> Instant {
    Instant::from_nanos(now.nanos().saturating_sub(span.nanos()))
}
