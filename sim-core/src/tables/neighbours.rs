//! The neighbour table: which MAC an address of a link has, and how sure that is. Follows Linux
//! `net/core/neighbour.c`.
//!
//! ```text
//!   (none) ─► INCOMPLETE ─► REACHABLE ─► STALE ─► DELAY ─► PROBE ─► FAILED ─► (asked again at the next packet)
//!                  └──► FAILED   ▲────────┴────────┴─────────┘ confirmed
//! ```
//! Timers are lazy: an entry has at most one, and one that comes too early is set anew. Those that set
//! themselves again run as late as the kernel's (`base/wheel.rs`).

mod collect;
mod machine;
mod published;
mod update;

use crate::base::id::{IfaceId, NodeId};
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::tables::Refusal;
use crate::tables::sysctl::Sysctl;
use crate::trace::record::{NeighbourRecord, NeighbourState};
use crate::wire::packet::Packet;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Cx;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use machine::{Due, Resolution};
pub use update::Offer;

/// The neighbour table of a host.
#[derive(Debug)]
pub struct Neighbours {
    node: NodeId,
    links: Vec<Option<Link>>,
    slots: Vec<Option<Neighbour>>,
    free: Vec<usize>,
    by_key: Lookup<(IfaceId, Ipv4Addr), usize>,
    /// The same in the order in which it is shown.
    ordered: BTreeMap<(IfaceId, Ipv4Addr), usize>,
    timers: BTreeSet<(Instant, IfaceId, Ipv4Addr)>,
    published: BTreeSet<(IfaceId, Ipv4Addr)>,
    /// The entries in the order in which they were made.
    by_age: BTreeMap<u64, usize>,
    births: u64,
    /// How many are permanent: those do not count for the thresholds.
    permanent: usize,
    /// When the periodic collection is due; none as long as there is too little to collect.
    next_collection: Option<Instant>,
    /// When entries were last taken to make room.
    made_room: Instant,
    /// Packets whose wait is over, to be sent by the packet path.
    released: VecDeque<(IfaceId, Ipv4Addr, Packet)>,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The interface.
    pub iface: IfaceId,
    /// Whose.
    pub address: Ipv4Addr,
    /// Its MAC, if one is known.
    pub mac: Option<Mac>,
    /// How sure that is.
    pub state: NeighbourState,
    /// When it was last confirmed.
    pub confirmed: Instant,
    /// When it was last used.
    pub used: Instant,
    /// When state or MAC last changed.
    pub updated: Instant,
    /// Questions sent in this round, as the kernel counts them: broadcasts come after `ucast_solicit`.
    pub probes: u32,
    waiting: VecDeque<Packet>,
    waiting_bytes: u64,
    timer: Option<Instant>,
    /// Its place in the order in which entries were made.
    born: u64,
}

/// An entry as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewNeighbour {
    /// The interface.
    pub iface: IfaceId,
    /// Whose.
    pub address: Ipv4Addr,
    /// Its MAC.
    pub mac: Option<Mac>,
    /// `nud`: `Permanent` if nothing is said.
    pub state: NeighbourState,
}

/// What an interface adds.
#[derive(Clone, Copy, Debug)]
struct Link {
    /// How long a confirmation counts: drawn anew every 300 s.
    reachable: Duration,
    drawn: Instant,
    /// How often the mean had been set then.
    redraw: u32,
}

impl Neighbours {
    /// No entry.
    pub(super) fn new(node: NodeId) -> Self {
        Neighbours {
            node,
            links: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            by_key: Lookup::default(),
            ordered: BTreeMap::new(),
            timers: BTreeSet::new(),
            published: BTreeSet::new(),
            by_age: BTreeMap::new(),
            births: 0,
            permanent: 0,
            next_collection: None,
            made_room: Instant::ZERO,
            released: VecDeque::new(),
        }
    }

    /// The entry for an address of a link.
    pub fn get(&self, iface: IfaceId, address: Ipv4Addr) -> Option<&Neighbour> {
        let slot = *self.by_key.get(&(iface, address))?;
        self.slots[slot].as_ref()
    }

    /// All entries, by interface and address.
    pub fn iter(&self) -> impl Iterator<Item = &Neighbour> {
        self.ordered.values().filter_map(|slot| self.slots[*slot].as_ref())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ordered.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ordered.is_empty()
    }

    /// `ip neigh add` (`replace` false: refuses one that is there), `replace`, `arp -s`. Without a MAC only a state that
    /// needs none (`Failed`, `Incomplete`, `NoArp`) can be set.
    ///
    /// # Errors
    /// `Exists`, `Invalid`, `TooMany`.
    pub fn set(&mut self, new: NewNeighbour, replace: bool, sysctl: &Sysctl, cx: &mut Cx) -> Result<(), Refusal> {
        let NewNeighbour { iface, address, mac, state } = new;
        let needs_mac = !matches!(state, NeighbourState::Failed | NeighbourState::Incomplete | NeighbourState::NoArp);
        let known = self.get(iface, address);
        if known.is_some() && !replace {
            return Err(Refusal::Exists);
        }
        if needs_mac && mac.is_none() && known.is_none_or(|known| known.mac.is_none()) {
            return Err(Refusal::Invalid);
        }
        let slot = self.find_or_create(iface, address, sysctl, cx).ok_or(Refusal::TooMany)?;
        self.write(slot, mac, state, sysctl, cx);
        Ok(())
    }

    /// `ip neigh del`, `arp -d`: the entry fails and is gone; what waited for it is dropped.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn delete(&mut self, iface: IfaceId, address: Ipv4Addr, cx: &mut Cx) -> Result<(), Refusal> {
        let slot = *self.by_key.get(&(iface, address)).ok_or(Refusal::NotFound)?;
        self.remove(slot, cx);
        Ok(())
    }

    /// `ip neigh flush`: deletes what `goes` picks; how many went.
    pub fn flush(&mut self, goes: impl Fn(&Neighbour) -> bool, cx: &mut Cx) -> usize {
        let gone: Vec<usize> =
            self.ordered.values().copied().filter(|slot| self.slots[*slot].as_ref().is_some_and(&goes)).collect();
        for slot in &gone {
            self.remove(*slot, cx);
        }
        gone.len()
    }

    /// An upper layer has proof that the neighbour gets our packets (a TCP acknowledgement came).
    pub fn confirm(&mut self, iface: IfaceId, address: Ipv4Addr, now: Instant) {
        if let Some(slot) = self.by_key.get(&(iface, address))
            && let Some(entry) = &mut self.slots[*slot]
        {
            entry.confirmed = now;
        }
    }

    /// A packet whose wait is over: by which interface and to whom it goes.
    pub fn next_released(&mut self) -> Option<(IfaceId, Ipv4Addr, Packet)> {
        self.released.pop_front()
    }

    /// When an entry wants something.
    pub fn next_wake(&self) -> Option<Instant> {
        let timer = self.timers.first().map(|(at, ..)| *at);
        timer.into_iter().chain(self.next_collection).min()
    }

    pub(super) fn add_interface(&mut self, id: IfaceId, cx: &mut Cx) {
        let at = usize::from(id.0);
        if self.links.len() <= at {
            self.links.resize(at + 1, None);
        }
        self.links[at] = Some(Link { reachable: draw(Duration::from_secs(30), cx), drawn: cx.now, redraw: 0 });
    }

    /// The interface went down (`all`), or lost its carrier or changed its MAC (permanent entries stay).
    pub(super) fn interface_gone(&mut self, id: IfaceId, all: bool, cx: &mut Cx) {
        self.flush(|entry| entry.iface == id && (all || entry.state != NeighbourState::Permanent), cx);
        if all {
            self.published.retain(|(iface, _)| *iface != id);
        }
    }
}

impl Neighbour {
    /// Whether it has a MAC that may be used.
    pub fn is_valid(&self) -> bool {
        match self.state {
            NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
            | NeighbourState::NoArp => true,
            NeighbourState::Incomplete | NeighbourState::Failed => false,
        }
    }

    /// The entry as the trace keeps it.
    pub fn record(&self, node: NodeId, present: bool) -> NeighbourRecord {
        let Neighbour { iface, address, mac, state, .. } = *self;
        NeighbourRecord { node, iface, address, mac, state, present }
    }
}

/// A time between half and one and a half of `base` (`neigh_rand_reach_time`).
fn draw(base: Duration, cx: &mut Cx) -> Duration {
    if base == Duration::ZERO {
        return base;
    }
    Duration::from_nanos(base.nanos() / 2 + cx.rng.below(base.nanos()))
}
