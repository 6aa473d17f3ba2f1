//! Addresses that more than one host of a link claimed: who, how, by which decision, and which caches followed whom.
//! Read from the conflicts that were noted, the decisions and the changes of neighbour tables; nothing is worked out anew.

use super::record::{Claim, ClaimKind, NeighbourState, ServiceKey};
use super::{Kind, Trace, Why};
use crate::base::id::{EventId, NodeId, PortId};
use crate::base::time::Instant;
use crate::wire::arp::Arp;
use crate::wire::{Ipv4Addr, Mac};
use std::collections::{BTreeMap, BTreeSet};

/// An address claimed by several hosts of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The address.
    pub address: Ipv4Addr,
    /// The first claim that contradicted another.
    pub from: Instant,
    /// The last one.
    pub last: Instant,
    /// How often a claim contradicted another.
    pub times: u32,
    /// Who claims it, in file order.
    pub claimants: Vec<Claimant>,
    /// The hosts that believed one of them, in file order.
    pub followers: Vec<Follower>,
}

/// A host that claims the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// The host.
    pub node: NodeId,
    /// Its card.
    pub port: PortId,
    /// The MAC that it names.
    pub mac: Mac,
    /// How it claimed the address the first time that it mattered.
    pub kind: ClaimKind,
    /// The frame of that claim, if it is in the capture.
    pub frame: Option<u32>,
    /// When that was.
    pub at: Instant,
    /// What it decided when it answered, or asked as the address: the first of each.
    pub decisions: Vec<EventId>,
    /// It has a virtual service at the address: it is the one that should answer.
    pub serves: bool,
}

/// A host that believed a claimant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The host.
    pub node: NodeId,
    /// From when on it believed whom; none: nobody.
    pub beliefs: Vec<(Instant, Option<Mac>)>,
}

/// Every dispute of a run, in the order in which they began.
pub fn disputes(trace: &Trace) -> Vec<Dispute> {
    let mut found: BTreeMap<(Ipv4Addr, PortId), Dispute> = BTreeMap::new();
    for record in &trace.conflicts {
        let claim = record.claim;
        let dispute = found.entry((record.address, record.link)).or_insert_with(|| Dispute {
            address: record.address,
            from: claim.at,
            last: claim.at,
            times: 0,
            claimants: Vec::new(),
            followers: Vec::new(),
        });
        dispute.last = claim.at;
        dispute.times += 1;
        for claim in record.others.iter().chain([&claim]) {
            note_claim(trace, dispute, claim);
        }
    }
    let mut disputes: Vec<Dispute> = found.into_values().collect();
    if !disputes.is_empty() {
        note_decisions(trace, &mut disputes);
    }
    for dispute in &mut disputes {
        let macs: BTreeSet<[u8; 6]> = dispute.claimants.iter().map(|claimant| claimant.mac.0).collect();
        dispute
            .followers
            .retain(|follower| follower.beliefs.iter().any(|(_, mac)| mac.is_some_and(|mac| macs.contains(&mac.0))));
    }
    disputes.sort_by_key(|dispute| (dispute.from, dispute.address));
    disputes
}

impl Dispute {
    /// Who claims the address with this MAC.
    pub fn claimant(&self, mac: Mac) -> Option<&Claimant> {
        self.claimants.iter().find(|claimant| claimant.mac == mac)
    }
}

fn note_claim(trace: &Trace, dispute: &mut Dispute, claim: &Claim) {
    let Some(card) = trace.cast.ports.get(claim.port.index()) else { return };
    let Err(place) = dispute.claimants.binary_search_by_key(&card.node, |known| known.node) else { return };
    let here = |key| matches!(key, ServiceKey::Address(_, end) if end.address == dispute.address);
    let serves = trace.services.iter().any(|service| service.node == card.node && here(service.key));
    dispute.claimants.insert(
        place,
        Claimant {
            node: card.node,
            port: claim.port,
            mac: claim.mac,
            kind: claim.kind,
            frame: frame_of(trace, dispute.address, claim),
            at: claim.at,
            decisions: Vec::new(),
            serves,
        },
    );
}

/// The frame that made a claim.
fn frame_of(trace: &Trace, address: Ipv4Addr, claim: &Claim) -> Option<u32> {
    let first = trace.frames.partition_point(|event| trace.at(*event) < claim.at);
    let same_time =
        trace.frames[first..].iter().zip(first as u32 + 1..).take_while(|(event, _)| trace.at(**event) == claim.at);
    let is_it = |event: EventId| match trace.event(event).kind {
        Kind::Sent { port, bytes, .. } if port == claim.port => {
            let (head, tail) = trace.bytes(bytes);
            Arp::of_frame(&[head, tail].concat()).is_some_and(|said| said.sender == address)
        }
        _ => false,
    };
    same_time.into_iter().find(|(event, _)| is_it(**event)).map(|(_, number)| number)
}

/// One walk over the events: what claimants decided, and what the neighbour tables said.
fn note_decisions(trace: &Trace, disputes: &mut [Dispute]) {
    let mut by_address: BTreeMap<Ipv4Addr, Vec<usize>> = BTreeMap::new();
    for (dispute, index) in disputes.iter().zip(0..) {
        by_address.entry(dispute.address).or_default().push(index);
    }
    for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
        let (address, is_answer) = match event.kind {
            Kind::Decided(Why::ArpAnswer { address, .. } | Why::ArpProxied { address, .. }) => (address, true),
            Kind::Decided(Why::ArpAsk { sender, .. }) => (sender, false),
            Kind::Neighbour(at) => {
                let record = &trace.neighbours[at as usize];
                let usable = !matches!(record.state, NeighbourState::Failed | NeighbourState::Incomplete);
                let mac = record.mac.filter(|_| usable && record.present);
                for index in by_address.get(&record.address).into_iter().flatten() {
                    believe(&mut disputes[*index], record.node, trace.at(id), mac);
                }
                continue;
            }
            _ => continue,
        };
        let node = trace.step_of(id).node;
        for index in by_address.get(&address).into_iter().flatten() {
            let claimants = &mut disputes[*index].claimants;
            let Ok(place) = claimants.binary_search_by_key(&node, |claimant| claimant.node) else { continue };
            let claimant = &mut claimants[place];
            let known = claimant
                .decisions
                .iter()
                .any(|known| is_answer == !matches!(trace.event(*known).kind, Kind::Decided(Why::ArpAsk { .. })));
            if !known {
                claimant.decisions.push(id);
            }
        }
    }
}

fn believe(dispute: &mut Dispute, node: NodeId, at: Instant, mac: Option<Mac>) {
    let place = dispute.followers.binary_search_by_key(&node, |follower| follower.node).unwrap_or_else(|place| {
        dispute.followers.insert(place, Follower { node, beliefs: Vec::new() });
        place
    });
    let beliefs = &mut dispute.followers[place].beliefs;
    let changed = match beliefs.last() {
        Some((_, before)) => *before != mac,
        None => mac.is_some(),
    };
    if changed {
        beliefs.push((at, mac));
    }
}
