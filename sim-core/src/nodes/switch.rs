//! A learning switch (IEEE 802.1D, clauses 7.7 to 7.9): one table of where each MAC was last seen. A hub is the same
//! box without the table: it repeats every frame (IEEE 802.3, clause 27).
//!
//! ```text
//!   frame ─► learn the source ─► destination known? ─┬─ yes ─► that port
//!                                                    └─ no, broadcast, multicast ─► all other ports, in file order
//! ```
//! Entries age (300 s by default): an entry leaves the table when that long no frame came from its address. The table
//! holds 65,536 entries; while it is full of fresh ones, new addresses are not learned and frames to them go to all
//! ports.
//!
//! # Not modelled
//! Spanning tree, VLANs, IGMP snooping; the reserved group addresses 01:80:c2:00:00:0x are flooded like others. A hub's
//! half duplex and its collisions.

use crate::base::id::{NodeId, PortId};
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::trace::record::FdbRecord;
use crate::trace::recorder::Change;
use crate::trace::{Stage, Why};
use crate::wire::Mac;
use crate::wire::frame::Frame;
use crate::world::action::{Action, Cut};
use crate::world::node::{Cx, Node, Outbox};
use std::collections::BTreeSet;

/// A switch, or a hub.
#[derive(Debug)]
pub struct Switch {
    node: NodeId,
    ports: Vec<Port>,
    kind: SwitchKind,
    entries: Vec<Entry>,
    by_mac: Lookup<Mac, u32>,
    /// When each entry is to be looked at: never later than when it ages.
    timers: BTreeSet<(Instant, [u8; 6])>,
    /// Where the search for an aged entry goes on when the table is full.
    hand: usize,
    cuts: Vec<Cut>,
    power: Power,
}

/// What the box does with what it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchKind {
    /// Learns who is where, and believes it for this long.
    Switch {
        /// Without a frame from the address.
        ageing: Duration,
    },
    /// Repeats every frame to all other ports.
    Hub,
}

#[derive(Debug)]
struct Port {
    id: PortId,
    has_signal: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    mac: Mac,
    port: PortId,
    seen: Instant,
    /// When its timer fires.
    timer: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    On,
    Off,
    Frozen,
}

/// How long an entry lives without a frame from its address, if the scenario does not say (IEEE 802.1D, table 7-5).
pub const AGEING: Duration = Duration::from_secs(300);

const ENTRIES_MAX: usize = 65_536;
/// How many entries are looked at for an aged one when the table is full.
const SEARCH_MAX: usize = 8;

impl Switch {
    /// A switch that knows nobody. With `ageing` zero it forgets at once.
    pub fn new(node: NodeId, ports: impl IntoIterator<Item = PortId>, ageing: Duration) -> Self {
        Self::of_kind(node, ports, SwitchKind::Switch { ageing })
    }

    /// A box that knows nobody.
    pub fn of_kind(node: NodeId, ports: impl IntoIterator<Item = PortId>, kind: SwitchKind) -> Self {
        Switch {
            node,
            ports: ports.into_iter().map(|id| Port { id, has_signal: true }).collect(),
            kind,
            entries: Vec::new(),
            by_mac: Lookup::default(),
            timers: BTreeSet::new(),
            hand: 0,
            cuts: Vec::new(),
            power: Power::On,
        }
    }

    fn learn(&mut self, frame: &Frame, port: PortId, ageing: Duration, cx: &mut Cx) {
        let mac = frame.source();
        if !mac.is_unicast() || ageing == Duration::ZERO {
            return;
        }
        let Some(&slot) = self.by_mac.get(&mac) else {
            if self.insert(Entry { mac, port, seen: cx.now, timer: cx.now + ageing }, ageing, cx) {
                cx.note(Why::SwitchLearned { port });
                self.write(mac, port, true, cx);
            }
            return;
        };
        let entry = &mut self.entries[slot as usize];
        let before = std::mem::replace(entry, Entry { mac, port, seen: cx.now, timer: entry.timer });
        if before.port == port {
            return;
        }
        if has_aged(&before, ageing, cx.now) {
            cx.note(Why::SwitchLearned { port });
        } else {
            cx.note(Why::SwitchMoved { from: before.port });
        }
        self.write(mac, port, true, cx);
    }

    /// Where `mac` is, if that is known and not too old.
    fn find(&mut self, mac: Mac, ageing: Duration, cx: &mut Cx) -> Option<PortId> {
        let slot = *self.by_mac.get(&mac)? as usize;
        let entry = self.entries[slot];
        if has_aged(&entry, ageing, cx.now) {
            self.remove(slot, cx);
            return None;
        }
        Some(entry.port)
    }

    fn forward(&mut self, mut frame: Frame, from: PortId, to: PortId, out: &mut Outbox, cx: &mut Cx) {
        if let Some(number) = self.cut(&frame, from, to) {
            return end(frame, Why::SwitchCut { cut: number }, cx);
        }
        cx.note(Why::SwitchForwarded { port: to });
        frame.buffer_mut().cause = cx.cause;
        out.send(to, frame);
    }

    fn flood(&mut self, mut frame: Frame, from: PortId, why: Why, out: &mut Outbox, cx: &mut Cx) {
        cx.note(why);
        frame.buffer_mut().cause = cx.cause;
        let mut last = None;
        let mut last_cut = None;
        for port in &self.ports {
            if port.id == from || !port.has_signal {
                continue;
            }
            if let Some(cut) = self.cut(&frame, from, port.id) {
                last_cut = Some(cut);
                continue;
            }
            if let Some(port) = last.replace(port.id) {
                out.send(port, Frame::new(cx.pool.copy(frame.buffer())));
            }
        }
        match (last, last_cut) {
            (Some(port), None) => out.send(port, frame),
            (Some(port), Some(cut)) => {
                out.send(port, frame);
                cx.note(Why::SwitchCut { cut });
            }
            (None, Some(cut)) => end(frame, Why::SwitchCut { cut }, cx),
            (None, None) => end(frame, Why::SwitchNoPort, cx),
        }
    }

    fn cut(&self, frame: &Frame, from: PortId, to: PortId) -> Option<u32> {
        self.cuts.iter().find(|cut| cut.stops(frame, from, to)).map(|cut| cut.number)
    }

    /// Whether there was room.
    fn insert(&mut self, entry: Entry, ageing: Duration, cx: &mut Cx) -> bool {
        if self.entries.len() >= ENTRIES_MAX && !self.make_room(ageing, cx) {
            return false;
        }
        self.timers.insert((entry.timer, entry.mac.0));
        self.by_mac.insert(entry.mac, self.entries.len() as u32);
        self.entries.push(entry);
        true
    }

    fn make_room(&mut self, ageing: Duration, cx: &mut Cx) -> bool {
        for _ in 0..SEARCH_MAX {
            self.hand = (self.hand + 1) % self.entries.len();
            if has_aged(&self.entries[self.hand], ageing, cx.now) {
                self.remove(self.hand, cx);
                return true;
            }
        }
        false
    }

    fn remove(&mut self, slot: usize, cx: &mut Cx) {
        let gone = self.entries.swap_remove(slot);
        self.by_mac.remove(&gone.mac);
        self.timers.remove(&(gone.timer, gone.mac.0));
        if let Some(moved) = self.entries.get(slot) {
            self.by_mac.insert(moved.mac, slot as u32);
        }
        self.write(gone.mac, gone.port, false, cx);
    }

    /// Forgets everybody behind `port`, or everybody.
    fn forget(&mut self, port: Option<PortId>, cx: &mut Cx) {
        for slot in (0..self.entries.len()).rev() {
            if port.is_none_or(|port| self.entries[slot].port == port) {
                self.remove(slot, cx);
            }
        }
    }

    /// Takes out what has aged. A timer that fires too early, because a frame came meanwhile, is set anew.
    fn age(&mut self, ageing: Duration, cx: &mut Cx) {
        while let Some(&(at, mac)) = self.timers.first()
            && at <= cx.now
        {
            let slot = *self.by_mac.get(&Mac(mac)).expect("a timer is taken out with its entry") as usize;
            if has_aged(&self.entries[slot], ageing, cx.now) {
                self.remove(slot, cx);
            } else {
                let entry = &mut self.entries[slot];
                self.timers.remove(&(at, mac));
                entry.timer = entry.seen + ageing;
                self.timers.insert((entry.timer, mac));
            }
        }
    }

    fn write(&self, mac: Mac, port: PortId, present: bool, cx: &mut Cx) {
        cx.change(Change::Fdb(FdbRecord { node: self.node, mac, port, present }));
    }
}

impl Node for Switch {
    fn receive(&mut self, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Switch;
        if self.power != Power::On {
            return end(frame, Why::HostDown, cx);
        }
        if !frame.is_whole() {
            return end(frame, Why::Malformed, cx);
        }
        let SwitchKind::Switch { ageing } = self.kind else {
            return self.flood(frame, port, Why::HubRepeated, out, cx);
        };
        self.learn(&frame, port, ageing, cx);
        let destination = frame.destination();
        if !destination.is_unicast() {
            return self.flood(frame, port, Why::SwitchBroadcast, out, cx);
        }
        match self.find(destination, ageing, cx) {
            None => self.flood(frame, port, Why::SwitchUnknown, out, cx),
            Some(to) if to == port => end(frame, Why::SwitchSamePort, cx),
            Some(to) => self.forward(frame, port, to, out, cx),
        }
    }

    fn wake(&mut self, _: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Switch;
        if let SwitchKind::Switch { ageing } = self.kind {
            self.age(ageing, cx);
        }
    }

    fn act(&mut self, action: &Action, _: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Switch;
        match action {
            Action::Carrier { port, up } => {
                if let Some(port) = self.ports.iter_mut().find(|known| known.id == *port) {
                    port.has_signal = *up;
                }
                if !up {
                    self.forget(Some(*port), cx);
                }
            }
            Action::PowerOff | Action::Crash => {
                self.power = Power::Off;
                self.forget(None, cx);
            }
            Action::Freeze if self.power == Power::On => self.power = Power::Frozen,
            Action::Thaw if self.power == Power::Frozen => self.power = Power::On,
            Action::PowerOn => self.power = Power::On,
            Action::Cut(cut) => self.cuts.push(cut.clone()),
            Action::Heal => self.cuts.clear(),
            // A switch starts at once and has no terminal; freezing what is off, or thawing what runs, changes nothing.
            Action::Boot | Action::Run(_) | Action::Freeze | Action::Thaw => {}
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }
}

fn has_aged(entry: &Entry, ageing: Duration, now: Instant) -> bool {
    now.since(entry.seen) >= ageing
}

/// A frame ends in the switch.
fn end(frame: Frame, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(frame.into_buffer());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::puppet::{Puppet, Sighting};
    use crate::trace::filter::Filter;
    use crate::trace::{Kind, Level, NodeCard, PortCard};
    use crate::world::{Deed, LinkSettings, Plan, Sim, Stopped};

    const SWITCH: NodeId = NodeId(0);

    fn run(puppets: u32, sends: &[(u64, u32, [u8; 2])], deeds: Vec<(u64, Deed)>, ageing: Duration) -> Sim {
        run_kind(puppets, sends, deeds, SwitchKind::Switch { ageing })
    }

    /// A box with a puppet at each of its ports: puppet n is node n + 1, its port n + `puppets`, the box's port n.
    fn run_kind(puppets: u32, sends: &[(u64, u32, [u8; 2])], deeds: Vec<(u64, Deed)>, kind: SwitchKind) -> Sim {
        let card = |name: String, is_switch| NodeCard { name: name.into(), role: "host".into(), is_switch };
        let port = |node| PortCard { node: NodeId(node), name: "eth0".into(), mac: None, address: None, peer: None };
        let switch: Box<dyn Node> = Box::new(Switch::of_kind(SWITCH, (0..puppets).map(PortId), kind));
        let mut nodes = vec![(card("lan".into(), true), switch)];
        let mut ports: Vec<_> = (0..puppets).map(|_| port(0)).collect();
        for n in 0..puppets {
            let own = sends.iter().filter(|(_, from, _)| *from == n).map(|(at_ms, _, [to, from])| Sighting {
                at: ms(*at_ms),
                port: PortId(puppets + n),
                bytes: frame(*to, *from),
            });
            nodes.push((card(format!("p{n}"), false), Box::new(Puppet::sending(own.collect()))));
            ports.push(port(n + 1));
        }
        let mut sim = Sim::new(Plan {
            seed: 1,
            level: Level::Everything,
            nodes,
            ports,
            cables: (0..puppets).map(|n| (PortId(n), PortId(puppets + n), LinkSettings::default())).collect(),
            deeds: deeds.into_iter().map(|(at_ms, deed)| (ms(at_ms), deed)).collect(),
            until: Instant::from_nanos(10_000_000_000),
        });
        assert!(matches!(sim.run(), Stopped::Quiet | Stopped::Until));
        sim
    }

    fn ms(at: u64) -> Instant {
        Instant::from_nanos(at * 1_000_000)
    }

    /// To and from stations named by one octet; 255 is broadcast.
    fn frame(to: u8, from: u8) -> Box<[u8]> {
        let mac = |station| if station == 255 { [255; 6] } else { [2, 0, 0, 0, 0, station] };
        let mut bytes = [mac(to), mac(from)].concat();
        bytes.extend_from_slice(&[0x08, 0x06]);
        bytes.resize(60, 0);
        bytes.into()
    }

    /// How many frames each puppet got.
    fn got(sim: &Sim, puppets: u32) -> Vec<usize> {
        let received = |n| sim.node::<Puppet>(NodeId(n + 1)).expect("these nodes are puppets").received().len();
        (0..puppets).map(received).collect()
    }

    fn says(sim: &Sim, why: Why) -> bool {
        sim.trace().events.iter().any(|event| event.kind == Kind::Decided(why))
    }

    #[test]
    fn a_frame_to_nobody_known_goes_to_all_other_ports_and_its_answer_to_one() {
        let sim = run(4, &[(1, 0, [2, 1]), (2, 1, [1, 2])], vec![], AGEING);
        assert_eq!(got(&sim, 4), [1, 1, 1, 1]);
        assert!(says(&sim, Why::SwitchUnknown) && says(&sim, Why::SwitchForwarded { port: PortId(0) }));
    }

    #[test]
    fn a_flood_leaves_in_file_order() {
        let sim = run(4, &[(1, 2, [255, 3])], vec![], AGEING);
        let sent = sim.trace().events.iter().filter_map(|event| match event.kind {
            Kind::Sent { port, .. } if sim.trace().steps[event.step as usize].node == SWITCH => Some(port.0),
            _ => None,
        });
        assert_eq!(sent.collect::<Vec<_>>(), [0, 1, 3]);
    }

    #[test]
    fn an_entry_is_forgotten_after_the_ageing_time() {
        let sends = [(1, 1, [255, 2]), (2, 0, [2, 1]), (1_001, 0, [2, 1])];
        assert_eq!(got(&run(3, &sends, vec![], Duration::from_secs(1)), 3), [1, 2, 2]);
        assert_eq!(got(&run(3, &sends, vec![], Duration::from_secs(2)), 3), [1, 2, 1]);
    }

    #[test]
    fn an_entry_leaves_the_table_when_it_has_aged_though_nobody_asks_for_it() {
        let sim = run(3, &[(1, 1, [255, 2]), (700, 1, [255, 2])], vec![], Duration::from_secs(1));
        let gone = sim.trace().events.iter().zip(0..).filter_map(|(event, id)| match event.kind {
            Kind::Fdb(at) if !sim.trace().fdb[at as usize].present => {
                Some(sim.trace().at(crate::base::id::EventId(id)))
            }
            _ => None,
        });
        let seen = ms(700);
        let gone: Vec<Instant> = gone.collect();
        assert_eq!(gone.len(), 1);
        assert!(gone[0].since(seen).millis() == 1_000, "the last frame counts: {gone:?}");
    }

    #[test]
    fn a_hub_repeats_every_frame_and_learns_nothing() {
        let sends = [(1, 0, [2, 1]), (2, 1, [1, 2]), (3, 0, [2, 1])];
        let sim = run_kind(4, &sends, vec![], SwitchKind::Hub);
        assert_eq!(got(&sim, 4), [1, 2, 3, 3]);
        assert!(says(&sim, Why::HubRepeated) && sim.trace().fdb.is_empty());
    }

    #[test]
    fn a_station_that_moves_is_found_behind_its_new_port() {
        let sim = run(3, &[(1, 1, [255, 9]), (2, 2, [255, 9]), (3, 0, [9, 1])], vec![], AGEING);
        assert_eq!(got(&sim, 3), [2, 1, 2]);
        assert!(says(&sim, Why::SwitchMoved { from: PortId(1) }));
    }

    #[test]
    fn a_frame_to_a_station_behind_its_own_port_ends_in_the_switch() {
        let sim = run(2, &[(1, 0, [255, 1]), (2, 0, [1, 7])], vec![], AGEING);
        assert_eq!(got(&sim, 2), [0, 1]);
        assert!(says(&sim, Why::SwitchSamePort));
    }

    #[test]
    fn a_port_without_a_signal_forgets_its_stations() {
        let deeds = vec![(2, Deed::Unplug(PortId(1))), (3, Deed::Plug(PortId(1)))];
        let sim = run(3, &[(1, 1, [255, 2]), (4, 0, [2, 1])], deeds, AGEING);
        assert_eq!(got(&sim, 3), [1, 1, 2]);
        let is_gone = |record: &FdbRecord| record.port == PortId(1) && !record.present;
        assert!(sim.trace().fdb.iter().any(is_gone));
    }

    #[test]
    fn a_cut_stops_one_way_and_one_kind_until_it_is_healed() {
        let cut = Deed::Cut {
            switch: SWITCH,
            from: Some(vec![NodeId(1)]),
            to: Some(vec![NodeId(2)]),
            packet: Some(Filter::parse("arp").unwrap()),
        };
        let deeds = vec![(2, cut), (5, Deed::Heal { switch: SWITCH })];
        let sends = [(1, 0, [255, 1]), (3, 0, [255, 1]), (4, 1, [255, 2]), (6, 0, [255, 1])];
        let sim = run(3, &sends, deeds, AGEING);
        assert_eq!(got(&sim, 3), [1, 2, 4]);
        assert!(says(&sim, Why::SwitchCut { cut: 0 }));
    }

    #[test]
    fn a_switch_that_is_off_passes_nothing_and_has_forgotten_everything() {
        let deeds = vec![(2, Deed::To(SWITCH, Action::PowerOff)), (4, Deed::To(SWITCH, Action::PowerOn))];
        let sim = run(3, &[(1, 1, [255, 2]), (3, 0, [2, 1]), (5, 0, [2, 1])], deeds, AGEING);
        assert_eq!(got(&sim, 3), [1, 1, 2]);
        assert!(says(&sim, Why::HostDown));
    }
}
