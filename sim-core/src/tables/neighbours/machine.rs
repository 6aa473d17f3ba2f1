//! Using an entry, and what its timer does.

use super::{Neighbour, Neighbours, draw};
use crate::base::id::{EventId, IfaceId};
use crate::base::time::{Duration, Instant};
use crate::base::wheel;
use crate::tables::sysctl::Sysctl;
use crate::trace::Why;
use crate::trace::record::NeighbourState;
use crate::trace::recorder::Change;
use crate::wire::packet::Packet;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Cx;

/// What becomes of a packet that wants to go to a neighbour.
#[derive(Debug)]
pub enum Resolution {
    /// It can go, to this MAC.
    Send(Packet, Mac),
    /// It waits; somebody asked already.
    Waits,
    /// It waits, and the question is to be broadcast now. The address is the source of the packet.
    Ask {
        /// Source address of the packet that waits.
        source: Ipv4Addr,
    },
    /// The table is full: the packet is dropped.
    Full(Packet),
    /// The settings allow no question at all: the packet is dropped.
    Mute(Packet),
}

/// What a timer asks for.
#[derive(Debug)]
pub enum Due {
    /// A question is to be sent.
    Ask {
        /// By this interface.
        iface: IfaceId,
        /// Whose MAC is wanted.
        target: Ipv4Addr,
        /// To this MAC only; none: broadcast.
        to: Option<Mac>,
        /// Source address of the first packet that waits.
        source: Option<Ipv4Addr>,
        /// 1 for the first of the round.
        attempt: u8,
        /// What made the first packet wait, or the entry want a probe.
        cause: EventId,
    },
    /// Nobody answered: these packets cannot be delivered.
    Failed {
        /// By this interface.
        iface: IfaceId,
        /// Whose MAC was wanted.
        target: Ipv4Addr,
        /// What waited, oldest first.
        packets: Vec<Packet>,
    },
}

/// How long a reachable time is used before it is drawn anew.
const DRAWN_FOR: Duration = Duration::from_secs(300);

impl Neighbours {
    /// Brings a packet to a neighbour: it can go at once, or waits for an answer.
    pub fn resolve(
        &mut self,
        iface: IfaceId,
        target: Ipv4Addr,
        packet: Packet,
        sysctl: &Sysctl,
        cx: &mut Cx,
    ) -> Resolution {
        let slot = match self.by_key.get(&(iface, target)) {
            Some(slot) => *slot,
            None => match self.find_or_create(iface, target, sysctl, cx) {
                Some(slot) => slot,
                None => return Resolution::Full(packet),
            },
        };
        let entry = self.slots[slot].as_mut().expect("the index names entries that are there");
        match (entry.state, entry.mac) {
            (NeighbourState::Reachable | NeighbourState::Permanent | NeighbourState::NoArp, Some(mac)) => {
                Resolution::Send(packet, mac)
            }
            (NeighbourState::Delay | NeighbourState::Probe, Some(mac)) => {
                entry.used = cx.now;
                Resolution::Send(packet, mac)
            }
            (NeighbourState::Stale, Some(mac)) => {
                entry.used = cx.now;
                let delay = sysctl.neigh(iface).delay_first_probe;
                self.enter(slot, NeighbourState::Delay, cx);
                self.arm(slot, Some(cx.now + delay));
                Resolution::Send(packet, mac)
            }
            (NeighbourState::Incomplete, _) => {
                entry.used = cx.now;
                self.queue(slot, packet, sysctl, cx);
                Resolution::Waits
            }
            (_, _) => {
                entry.used = cx.now;
                let source = packet.ip().src_addr();
                let settings = sysctl.neigh(iface);
                if settings.mcast_solicit == 0 && settings.app_solicit == 0 {
                    return Resolution::Mute(packet);
                }
                self.enter(slot, NeighbourState::Incomplete, cx);
                self.slots[slot].as_mut().expect("it was there").probes = settings.ucast_solicit.saturating_add(1);
                self.arm(slot, Some(cx.now + settings.retrans));
                self.queue(slot, packet, sysctl, cx);
                if settings.app_solicit > 0 { Resolution::Waits } else { Resolution::Ask { source } }
            }
        }
    }

    /// The next thing a timer asks for; none if no timer is due.
    pub fn next_due(&mut self, sysctl: &Sysctl, cx: &mut Cx) -> Option<Due> {
        while let Some(&(at, iface, target)) = self.timers.first() {
            if at > cx.now {
                return None;
            }
            let slot = *self.by_key.get(&(iface, target)).expect("a timer is taken out with its entry");
            self.arm(slot, None);
            if let Some(due) = self.fire(slot, sysctl, cx) {
                return Some(due);
            }
        }
        None
    }

    /// What the table does by itself at this instant, besides its timers.
    pub fn tidy(&mut self, sysctl: &Sysctl, cx: &mut Cx) {
        if self.next_collection.is_some_and(|at| at <= cx.now) {
            self.collect(sysctl, cx);
        }
    }

    fn fire(&mut self, slot: usize, sysctl: &Sysctl, cx: &mut Cx) -> Option<Due> {
        let entry = self.slots[slot].as_ref().expect("a timer is taken out with its entry");
        let (iface, confirmed, used) = (entry.iface, entry.confirmed, entry.used);
        let settings = sysctl.neigh(iface);
        let delay = settings.delay_first_probe;
        match entry.state {
            NeighbourState::Reachable => {
                let until = confirmed + self.reachable_time(iface, sysctl, cx);
                if cx.now < until {
                    self.arm(slot, Some(until));
                } else if cx.now <= used + delay {
                    self.enter(slot, NeighbourState::Delay, cx);
                    self.arm(slot, Some(cx.now + delay));
                } else {
                    self.enter(slot, NeighbourState::Stale, cx);
                }
                None
            }
            NeighbourState::Delay => {
                if cx.now <= confirmed + delay {
                    self.enter(slot, NeighbourState::Reachable, cx);
                    let until = confirmed + self.reachable_time(iface, sysctl, cx);
                    self.arm(slot, Some(until));
                    return None;
                }
                self.enter(slot, NeighbourState::Probe, cx);
                self.slots[slot].as_mut().expect("it was there").probes = 0;
                self.ask_again(slot, sysctl, cx)
            }
            NeighbourState::Incomplete | NeighbourState::Probe => self.ask_again(slot, sysctl, cx),
            NeighbourState::Stale | NeighbourState::Failed | NeighbourState::Permanent | NeighbourState::NoArp => None,
        }
    }

    /// The next question of the round, or the end of it.
    fn ask_again(&mut self, slot: usize, sysctl: &Sysctl, cx: &mut Cx) -> Option<Due> {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        let (iface, target) = (entry.iface, entry.address);
        let settings = sysctl.neigh(iface);
        let probing = entry.state == NeighbourState::Probe;
        let ucast = settings.ucast_solicit;
        let mcast = if probing { settings.mcast_resolicit } else { settings.mcast_solicit };
        let most = ucast.saturating_add(settings.app_solicit).saturating_add(mcast);
        if entry.probes >= most {
            let packets: Vec<Packet> = entry.waiting.drain(..).collect();
            entry.waiting_bytes = 0;
            self.enter(slot, NeighbourState::Failed, cx);
            return Some(Due::Failed { iface, target, packets });
        }
        entry.probes += 1;
        let attempt = if probing { entry.probes } else { entry.probes.saturating_sub(ucast) }.min(255) as u8;
        let to = if probing && entry.probes <= ucast { entry.mac } else { None };
        let silent = entry.probes > ucast && entry.probes - ucast <= settings.app_solicit;
        let source = entry.waiting.front().map(|packet| packet.ip().src_addr());
        let cause = entry.waiting.front().map_or(cx.cause, |packet| packet.buffer().cause);
        self.arm(slot, Some(wheel::again(cx.now, settings.retrans)));
        if silent {
            return None;
        }
        Some(Due::Ask { iface, target, to, source, attempt, cause })
    }

    /// How long a confirmation counts on a link; drawn anew every 300 s, and when the mean is set.
    pub(super) fn reachable_time(&mut self, iface: IfaceId, sysctl: &Sysctl, cx: &mut Cx) -> Duration {
        let Some(Some(link)) = self.links.get_mut(usize::from(iface.0)) else { return Duration::from_secs(30) };
        let settings = sysctl.neigh(iface);
        if cx.now.since(link.drawn) >= DRAWN_FOR || link.redraw != settings.redraw {
            *link =
                super::Link { reachable: draw(settings.base_reachable, cx), drawn: cx.now, redraw: settings.redraw };
        }
        link.reachable
    }

    /// Sets an entry's state, and says so.
    pub(super) fn enter(&mut self, slot: usize, state: NeighbourState, cx: &mut Cx) {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        if entry.state != state {
            entry.state = state;
            entry.updated = cx.now;
            cx.change(Change::Neighbour(entry.record(self.node, true)));
        }
    }

    /// Sets or takes away an entry's timer.
    pub(super) fn arm(&mut self, slot: usize, at: Option<Instant>) {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        if let Some(old) = entry.timer.take() {
            self.timers.remove(&(old, entry.iface, entry.address));
        }
        if let Some(at) = at {
            entry.timer = Some(at);
            self.timers.insert((at, entry.iface, entry.address));
        }
    }

    fn queue(&mut self, slot: usize, packet: Packet, sysctl: &Sysctl, cx: &mut Cx) {
        let entry = self.slots[slot].as_mut().expect("the caller looked it up");
        let limit = sysctl.neigh(entry.iface).unres_qlen_bytes;
        let size = cost(&packet);
        while entry.waiting_bytes + size > limit {
            let Some(oldest) = entry.waiting.pop_front() else { break };
            entry.waiting_bytes -= cost(&oldest);
            let context = cx.context();
            cx.take_up(oldest.buffer());
            cx.drop(Why::ArpQueueFull { target: entry.address });
            cx.resume(context);
            cx.recycle(oldest.into_buffer());
        }
        let mut packet = packet;
        cx.note(Why::ArpQueued { target: entry.address });
        packet.buffer_mut().cause = cx.cause;
        entry.waiting_bytes += size;
        entry.waiting.push_back(packet);
    }

    /// The entry for an address; a new one is in state FAILED without a MAC, as nobody was asked yet. None if the table
    /// is full.
    pub(super) fn find_or_create(
        &mut self,
        iface: IfaceId,
        address: Ipv4Addr,
        sysctl: &Sysctl,
        cx: &mut Cx,
    ) -> Option<usize> {
        if let Some(slot) = self.by_key.get(&(iface, address)) {
            return Some(*slot);
        }
        self.make_room(sysctl, cx)?;
        let entry = Neighbour {
            iface,
            address,
            mac: None,
            state: NeighbourState::Failed,
            confirmed: Instant::ZERO,
            used: cx.now,
            updated: Instant::ZERO,
            probes: 0,
            waiting: std::collections::VecDeque::new(),
            waiting_bytes: 0,
            timer: None,
            born: self.births,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(entry);
                slot
            }
            None => {
                self.slots.push(Some(entry));
                self.slots.len() - 1
            }
        };
        self.by_key.insert((iface, address), slot);
        self.ordered.insert((iface, address), slot);
        self.by_age.insert(self.births, slot);
        self.births += 1;
        self.plan_collection(sysctl, cx.now);
        Some(slot)
    }

    /// Takes an entry out; what waited is dropped without an ICMP error.
    pub(super) fn remove(&mut self, slot: usize, cx: &mut Cx) {
        self.arm(slot, None);
        let Some(mut entry) = self.slots[slot].take() else { return };
        self.by_key.remove(&(entry.iface, entry.address));
        self.ordered.remove(&(entry.iface, entry.address));
        self.by_age.remove(&entry.born);
        self.permanent -= usize::from(entry.state == NeighbourState::Permanent);
        self.free.push(slot);
        let context = cx.context();
        while let Some(packet) = entry.waiting.pop_front() {
            cx.take_up(packet.buffer());
            cx.drop(Why::ArpFailed { target: entry.address });
            cx.recycle(packet.into_buffer());
        }
        cx.resume(context);
        entry.state = if entry.state == NeighbourState::Incomplete { NeighbourState::Failed } else { entry.state };
        cx.change(Change::Neighbour(entry.record(self.node, false)));
    }
}

/// What a packet costs in the queue: Linux counts the whole buffer (`skb->truesize`), about 768 octets of overhead.
fn cost(packet: &Packet) -> u64 {
    packet.bytes().len() as u64 + 768
}
