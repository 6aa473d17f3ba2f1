//! Entries that nobody needs: the periodic collection (`neigh_periodic_work`) and the one that makes room for a new
//! entry (`neigh_alloc`, `neigh_forced_gc`).

use super::{Neighbour, NeighbourState, Neighbours};
use crate::base::time::{Duration, Instant};
use crate::tables::sysctl::Sysctl;
use crate::world::node::Cx;

/// Above this many entries in all, no table grows, whatever `gc_thresh3` says.
const ENTRIES_MAX: usize = 65_536;
/// An entry that changed no longer ago is not taken to make room; so long `gc_thresh2` is tolerated.
const YOUNG: Duration = Duration::from_secs(5);
/// To make room, so many entries are looked at, oldest first.
const LOOKED_AT_MAX: usize = 2_048;

impl Neighbours {
    /// The periodic collection is due: it runs every half of `base_reachable_time`, and does nothing below `gc_thresh1`
    /// entries.
    pub(super) fn collect(&mut self, sysctl: &Sysctl, cx: &mut Cx) {
        let now = cx.now;
        let gone = |entry: &Neighbour| {
            let unused = now > entry.used.max(entry.confirmed) + sysctl.neigh(entry.iface).gc_stale;
            match entry.state {
                NeighbourState::Failed => true,
                NeighbourState::Stale | NeighbourState::NoArp => unused,
                NeighbourState::Permanent
                | NeighbourState::Incomplete
                | NeighbourState::Reachable
                | NeighbourState::Delay
                | NeighbourState::Probe => false,
            }
        };
        self.flush(gone, cx);
        self.next_collection = None;
        self.plan_collection(sysctl, now);
    }

    /// Sets the time of the next collection, if there is enough to collect and none is set. Collections happen at
    /// multiples of their period.
    pub(super) fn plan_collection(&mut self, sysctl: &Sysctl, now: Instant) {
        let settings = sysctl.neigh_default();
        if self.next_collection.is_some() || self.len() < (settings.gc_thresh1 as usize).max(1) {
            return;
        }
        let period = (settings.base_reachable.nanos() / 2).max(1_000_000);
        self.next_collection = Some(Instant::from_nanos((now.nanos() / period + 1).saturating_mul(period)));
    }

    /// Makes room for an entry; none if the table is full.
    pub(super) fn make_room(&mut self, sysctl: &Sysctl, cx: &mut Cx) -> Option<()> {
        let settings = sysctl.neigh_default();
        let entries = self.len() - self.permanent;
        let (soft, hard) = (settings.gc_thresh2 as usize, settings.gc_thresh3 as usize);
        let is_full = entries >= hard || self.len() >= ENTRIES_MAX;
        if !is_full && (entries < soft || cx.now.since(self.made_room) <= YOUNG && self.made_room != Instant::ZERO) {
            return Some(());
        }
        self.made_room = cx.now;
        let most = entries.saturating_sub(soft).max(1);
        let goes = |entry: &Neighbour| match entry.state {
            NeighbourState::Failed | NeighbourState::NoArp => entry.waiting.is_empty(),
            NeighbourState::Stale => cx.now.since(entry.updated) > YOUNG,
            // A timer holds the others.
            NeighbourState::Permanent
            | NeighbourState::Incomplete
            | NeighbourState::Reachable
            | NeighbourState::Delay
            | NeighbourState::Probe => false,
        };
        let oldest = self.by_age.values().take(LOOKED_AT_MAX);
        let gone: Vec<usize> =
            oldest.copied().filter(|slot| self.slots[*slot].as_ref().is_some_and(goes)).take(most).collect();
        for slot in &gone {
            self.remove(*slot, cx);
        }
        (!is_full || !gone.is_empty()).then_some(())
    }
}
