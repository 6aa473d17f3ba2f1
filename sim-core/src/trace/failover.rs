//! The failover account: for every address of a virtual router, who was its master when, who had the address when, how a
//! takeover came about, and which hosts believed a wrong machine for how long. Read from VRRP states and decisions,
//! adverts, addresses, gratuitous ARP and neighbour entries of the trace; what clients noticed stands in [`super::outage`].
//!
//! ```text
//!   last advert of n1          n2 is master       first gratuitous ARP      the router believes n2
//!        │◄─────── detection ───────►│◄──── announced ────►│                        │
//!        n1 ends                     │◄────────────── a wrong cache ───────────────►│
//! ```

use super::record::{VrrpFlaw, VrrpState};
use super::{Kind, Trace, Why};
use crate::base::id::{EventId, IfaceId, NodeId};
use crate::base::time::{Duration, Instant};
use crate::wire::dissect::dissect;
use crate::wire::field::{FieldName, Protocol};
use crate::wire::{Ipv4Addr, Mac};
use std::collections::{BTreeMap, BTreeSet};

/// One address of a virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vip {
    /// The address.
    pub address: Ipv4Addr,
    /// The virtual router's number.
    pub vrid: u8,
    /// Who was master, in the order in which they became it.
    pub tenures: Vec<Tenure>,
    /// Which of the router's machines had the address, in the order in which they got it. A machine whose keepalived was killed keeps it;
    /// keepalived 1.x sets it an interval after it has become master.
    pub held: Vec<Tenure>,
    /// How each master but the first became it.
    pub takeovers: Vec<Takeover>,
    /// Adverts and announcements of each host that sent any.
    pub sent: BTreeMap<NodeId, Sent>,
    /// Neighbour entries that named a machine that was not master while another one was.
    pub wrong: Vec<WrongCache>,
}

/// A time during which a host was master, or had an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// The host.
    pub node: NodeId,
    /// When that began.
    pub from: Instant,
    /// When it was over; none if it was still at the end.
    pub until: Option<Instant>,
}

/// How a host became master after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takeover {
    /// When.
    pub at: Instant,
    /// The new master.
    pub to: NodeId,
    /// The master before.
    pub from: NodeId,
    /// Its own priority then.
    pub priority: u8,
    /// Why it did not go on waiting.
    pub sign: Sign,
    /// When the new master's first gratuitous ARP went out.
    pub announced: Option<Instant>,
}

/// What a backup last made of the adverts of others, before it became master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It heard none since it was started: none came, or none that its firewall let in.
    Nothing,
    /// It believed one, then, and none after it.
    Silence(Instant),
    /// The master said, then, that it leaves: priority 0.
    Leaves(Instant),
    /// It hears a master of this priority, less than its own: it takes over from one that is well.
    Preempts(u8),
    /// It hears adverts, and believes none of them.
    Refuses(VrrpFlaw),
}

/// What a host sent for an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Adverts of the virtual router.
    pub adverts: u32,
    /// Those of them with priority 0.
    pub leaving: u32,
    /// Gratuitous ARP frames.
    pub announcements: u32,
}

/// A neighbour entry that named the wrong machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCache {
    /// The host that believed it.
    pub node: NodeId,
    /// The MAC it believed.
    pub mac: Mac,
    /// From when: the other host was master, or the entry came into being.
    pub from: Instant,
    /// Until when; none if it was wrong at the end.
    pub until: Option<Instant>,
}

/// The account of every address of every virtual router, by address.
pub fn account(trace: &Trace) -> Vec<Vip> {
    let mut book = Book::new(trace);
    for id in (0..trace.events.len() as u32).map(EventId) {
        match trace.event(id).kind {
            Kind::Vrrp(at) => book.state(at as usize, trace.at(id)),
            Kind::Neighbour(at) => book.neighbour(at as usize, trace.at(id)),
            Kind::Address(at) => book.address(at as usize, trace.at(id)),
            Kind::Decided(why) => {
                let step = trace.step_of(id);
                book.heard(why, step.node, step.at);
            }
            Kind::Sent { bytes, length, .. } => {
                let step = trace.step_of(id);
                let (head, tail) = trace.bytes(bytes);
                match ether_type(head) {
                    Some(ARP) => book.arp(&[head, tail].concat(), length, step.node, step.at),
                    Some(IPV4) if is_vrrp(head) => book.advert(&[head, tail].concat(), length, step.node),
                    Some(_) | None => {}
                }
            }
            _ => {}
        }
    }
    book.close()
}

/// The longest time during which two hosts were master of one address at once, and since when; none if they never were.
pub fn two_masters(vip: &Vip, end: Instant) -> Option<(Instant, Duration)> {
    longest_overlap(&vip.tenures, end)
}

/// The longest time during which two hosts had the address at once, and since when; none if they never had.
pub fn two_holders(vip: &Vip, end: Instant) -> Option<(Instant, Duration)> {
    longest_overlap(&vip.held, end)
}

fn longest_overlap(tenures: &[Tenure], end: Instant) -> Option<(Instant, Duration)> {
    let mut longest: Option<(Instant, Duration)> = None;
    let mut latest_end = Instant::ZERO;
    for tenure in tenures {
        let until = tenure.until.unwrap_or(end);
        let overlap = latest_end.min(until);
        if overlap > tenure.from {
            let length = overlap.since(tenure.from);
            if longest.is_none_or(|(_, known)| length > known) {
                longest = Some((tenure.from, length));
            }
        }
        latest_end = latest_end.max(until);
    }
    longest
}

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
/// IP protocol numbers of VRRP, and of AH, in which it may be wrapped.
const VRRP_PROTOCOLS: [u8; 2] = [112, 51];

fn ether_type(head: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*head.get(12)?, *head.get(13)?]))
}

fn is_vrrp(head: &[u8]) -> bool {
    head.get(14 + 9).is_some_and(|protocol| VRRP_PROTOCOLS.contains(protocol))
}

/// VRID and priority of an advert.
fn vrrp(frame: &[u8], length: u32) -> Option<(u8, u8)> {
    let dissected = dissect(frame, length as usize);
    let number = |name| dissected.number(name).and_then(|value| u8::try_from(value).ok());
    dissected.has(Protocol::Vrrp).then_some(())?;
    Some((number(FieldName::VrrpId)?, number(FieldName::VrrpPriority)?))
}

struct Book<'a> {
    trace: &'a Trace,
    vips: BTreeMap<Ipv4Addr, Vip>,
    /// What each host last made of an advert of each virtual router.
    heard: BTreeMap<(u8, NodeId), Sign>,
    /// The hosts of each virtual router.
    routers: BTreeSet<(u8, NodeId)>,
    /// Who has which address, since when: also before a virtual router is known that it is one of.
    held: BTreeMap<Ipv4Addr, Vec<Tenure>>,
    /// Adverts of each virtual router from each host, and those of them with priority 0.
    counted: BTreeMap<(u8, NodeId), (u32, u32)>,
    /// What each host believes, by address.
    believed: BTreeMap<Ipv4Addr, BTreeMap<(NodeId, IfaceId), Mac>>,
    /// Which of [`Vip::wrong`] is going on, by address, host and interface.
    going_on: BTreeMap<(Ipv4Addr, NodeId, IfaceId), usize>,
    owners: BTreeMap<[u8; 6], NodeId>,
}

impl<'a> Book<'a> {
    fn new(trace: &'a Trace) -> Self {
        let cards = trace.cast.ports.iter();
        let owners = cards.filter_map(|card| Some((card.mac?.0, card.node))).collect();
        Book {
            trace,
            vips: BTreeMap::new(),
            heard: BTreeMap::new(),
            routers: BTreeSet::new(),
            held: BTreeMap::new(),
            counted: BTreeMap::new(),
            believed: BTreeMap::new(),
            going_on: BTreeMap::new(),
            owners,
        }
    }

    fn close(mut self) -> Vec<Vip> {
        for vip in self.vips.values_mut() {
            vip.held = self.held.remove(&vip.address).unwrap_or_default();
            // Real servers may have the address too, quietly.
            vip.held.retain(|tenure| self.routers.contains(&(vip.vrid, tenure.node)));
            let of_router = (vip.vrid, NodeId(0))..=(vip.vrid, NodeId(u32::MAX));
            for ((_, node), (adverts, leaving)) in self.counted.range(of_router) {
                let sent = vip.sent.entry(*node).or_default();
                (sent.adverts, sent.leaving) = (*adverts, *leaving);
            }
        }
        self.vips.into_values().collect()
    }

    fn state(&mut self, at: usize, now: Instant) {
        let record = &self.trace.vrrp[at];
        let is_master = record.present && record.state == VrrpState::Master;
        self.routers.insert((record.vrid, record.node));
        if !record.present {
            self.heard.remove(&(record.vrid, record.node));
        }
        for address in &record.addresses {
            let new = Vip {
                address: *address,
                vrid: record.vrid,
                tenures: Vec::new(),
                held: Vec::new(),
                takeovers: Vec::new(),
                sent: BTreeMap::new(),
                wrong: Vec::new(),
            };
            let vip = self.vips.entry(*address).or_insert(new);
            let open = vip.tenures.iter_mut().rev().find(|tenure| tenure.node == record.node && tenure.until.is_none());
            match (open, is_master) {
                (Some(tenure), false) => tenure.until = Some(now),
                (None, true) => {
                    let before = vip.tenures.last().map(|tenure| tenure.node);
                    vip.tenures.push(Tenure { node: record.node, from: now, until: None });
                    if let Some(from) = before.filter(|node| *node != record.node) {
                        let sign = self.heard.get(&(record.vrid, record.node)).copied();
                        vip.takeovers.push(Takeover {
                            at: now,
                            to: record.node,
                            from,
                            priority: record.priority,
                            sign: sign.unwrap_or(Sign::Nothing),
                            announced: None,
                        });
                    }
                }
                (Some(_), true) | (None, false) => {}
            }
            let believers: Vec<(NodeId, IfaceId)> =
                self.believed.get(address).map(|all| all.keys().copied().collect()).unwrap_or_default();
            for (node, iface) in believers {
                self.judge(*address, node, iface, now);
            }
        }
    }

    fn neighbour(&mut self, at: usize, now: Instant) {
        let record = &self.trace.neighbours[at];
        let all = self.believed.entry(record.address).or_default();
        let before = match record.mac.filter(|_| record.present) {
            Some(mac) => all.insert((record.node, record.iface), mac),
            None => all.remove(&(record.node, record.iface)),
        };
        if before != record.mac.filter(|_| record.present) {
            self.judge(record.address, record.node, record.iface, now);
        }
    }

    /// Whether what a host believes of an address is wrong now: begins or ends its wrong cache.
    fn judge(&mut self, address: Ipv4Addr, node: NodeId, iface: IfaceId, now: Instant) {
        let Some(vip) = self.vips.get_mut(&address) else { return };
        let mut masters = vip.tenures.iter().rev().filter(|tenure| tenure.until.is_none()).peekable();
        let believed = self.believed.get(&address).and_then(|all| all.get(&(node, iface))).copied();
        // A virtual MAC is nobody's card: it is right wherever the master is.
        let owner = believed.and_then(|mac| self.owners.get(&mac.0));
        let wrong = match owner {
            Some(owner) => masters.peek().is_some() && masters.all(|tenure| tenure.node != *owner),
            None => false,
        };
        let key = (address, node, iface);
        let known = self.going_on.get(&key).copied();
        let same = known.is_some_and(|index| Some(vip.wrong[index].mac) == believed);
        if let Some(index) = known.filter(|_| !(wrong && same)) {
            vip.wrong[index].until = Some(now);
            self.going_on.remove(&key);
        }
        if let (true, false, Some(mac)) = (wrong, known.is_some() && same, believed) {
            vip.wrong.push(WrongCache { node, mac, from: now, until: None });
            self.going_on.insert(key, vip.wrong.len() - 1);
        }
    }

    /// An address came to a host, or left it.
    fn address(&mut self, at: usize, now: Instant) {
        let record = &self.trace.addresses[at];
        let held = self.held.entry(record.address).or_default();
        let open = held.iter_mut().rev().find(|tenure| tenure.node == record.node && tenure.until.is_none());
        match (open, record.present) {
            (Some(tenure), false) => tenure.until = Some(now),
            (None, true) => held.push(Tenure { node: record.node, from: now, until: None }),
            (Some(_), true) | (None, false) => {}
        }
    }

    /// A host made something of an advert.
    fn heard(&mut self, why: Why, node: NodeId, now: Instant) {
        let (vrid, sign) = match why {
            Why::VrrpAccepted { vrid, .. } | Why::VrrpYielded { vrid, .. } => (vrid, Sign::Silence(now)),
            Why::VrrpLeft { vrid, .. } => (vrid, Sign::Leaves(now)),
            Why::VrrpDiscarded { vrid, priority, .. } => (vrid, Sign::Preempts(priority)),
            Why::VrrpRejected { vrid, flaw, .. } => (vrid, Sign::Refuses(flaw)),
            _ => return,
        };
        self.heard.insert((vrid, node), sign);
    }

    fn advert(&mut self, frame: &[u8], length: u32, node: NodeId) {
        if self.trace.cast.nodes[node.index()].is_switch {
            return;
        }
        let Some((vrid, priority)) = vrrp(frame, length) else { return };
        let (adverts, leaving) = self.counted.entry((vrid, node)).or_default();
        *adverts += 1;
        *leaving += u32::from(priority == 0);
    }

    fn arp(&mut self, frame: &[u8], length: u32, node: NodeId, now: Instant) {
        if self.trace.cast.nodes[node.index()].is_switch {
            return;
        }
        let dissected = dissect(frame, length as usize);
        let source = dissected.address(FieldName::ArpSrcIp);
        if source != dissected.address(FieldName::ArpDstIp) {
            return;
        }
        let Some(vip) = source.and_then(|address| self.vips.get_mut(&address)) else { return };
        vip.sent.entry(node).or_default().announcements += 1;
        if let Some(last) = vip.takeovers.last_mut()
            && last.to == node
            && last.announced.is_none()
        {
            last.announced = Some(now);
        }
    }
}

impl Takeover {
    /// From the last advert that the new master believed, or from the farewell of the old one, to its taking over; none
    /// if there was none, or if it took over for another reason.
    pub fn detection(&self) -> Option<Duration> {
        match self.sign {
            Sign::Silence(last) | Sign::Leaves(last) => Some(self.at.since(last)),
            Sign::Nothing | Sign::Preempts(_) | Sign::Refuses(_) => None,
        }
    }
}

impl WrongCache {
    /// How long; to the end of the run, `end`, if it was never put right.
    pub fn length(&self, end: Instant) -> Duration {
        self.until.unwrap_or(end.max(self.from)).since(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vip(tenures: &[(u32, u64, u64)]) -> Vip {
        let at = |ms: u64| Instant::ZERO + Duration::from_millis(ms);
        Vip {
            address: Ipv4Addr::new(10, 0, 0, 100),
            vrid: 51,
            tenures: tenures
                .iter()
                .map(|(node, from, until)| Tenure {
                    node: NodeId(*node),
                    from: at(*from),
                    until: (*until > 0).then(|| at(*until)),
                })
                .collect(),
            held: Vec::new(),
            takeovers: Vec::new(),
            sent: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    #[test]
    fn two_masters_are_counted_from_the_second_to_the_end_of_either() {
        let end = Instant::ZERO + Duration::from_millis(10_000);
        let check = |tenures: &[(u32, u64, u64)], expected: Option<u64>| {
            assert_eq!(two_masters(&vip(tenures), end).map(|(_, length)| length.millis()), expected);
        };
        check(&[(1, 0, 1_000), (2, 1_000, 0)], None);
        check(&[(1, 0, 1_500), (2, 1_000, 0)], Some(500));
        check(&[(1, 0, 0), (2, 1_000, 4_000)], Some(3_000));
        check(&[(1, 0, 0), (2, 1_000, 2_000), (2, 5_000, 0)], Some(5_000));
    }
}
