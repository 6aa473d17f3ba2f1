//! Who claims which address on which link, as the pen sees it: every ARP message that leaves a host's card names an
//! address and a MAC. A claim conflicts with those of other hosts on the same link that still stand: their hosts have
//! the address and did not keep silent about it since, or claimed it without having it no longer than a second ago.
//!
//! No machine of a real LAN sees all this; a student may. Nothing here changes what happens.

use super::record::{AddressRecord, Claim, ClaimKind, ConflictRecord};
use super::{Cast, Why};
use crate::base::id::{NodeId, PortId};
use crate::base::time::{Duration, Instant};
use crate::wire::Ipv4Addr;
use crate::wire::arp::{Arp, REPLY};
use std::collections::BTreeMap;

/// The claims that stand, and who has which address.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The link of each port, by port: the lowest port of all that hear each other.
    links: Vec<PortId>,
    /// How often an address stands on a host's interfaces.
    has: BTreeMap<(Ipv4Addr, NodeId), u32>,
    /// The last claim of each host, by address and link.
    standing: BTreeMap<(Ipv4Addr, PortId), BTreeMap<NodeId, Claim>>,
}

/// Of claims by other hosts, so many are named.
const OTHERS_MAX: usize = 8;
/// How long the claim of a host counts that does not have the address.
const WITHOUT_ADDRESS: Duration = Duration::from_secs(1);

impl Claims {
    pub(super) fn new(cast: &Cast) -> Self {
        Claims { links: links(cast), ..Claims::default() }
    }

    /// An address came or went.
    pub(super) fn address(&mut self, record: &AddressRecord) {
        let key = (record.address, record.node);
        if record.present {
            *self.has.entry(key).or_default() += 1;
        } else if let Some(count) = self.has.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.has.remove(&key);
            }
        }
    }

    /// A host kept silent about an address, or wrote another one instead: its claims are over.
    pub(super) fn silent(&mut self, node: NodeId, why: Why) {
        let address = match why {
            Why::ArpIgnored { address, .. }
            | Why::ArpFiltered { address, .. }
            | Why::ArpMangled { from: address, .. } => address,
            _ => return,
        };
        let of_address = self.standing.range_mut((address, PortId(0))..=(address, PortId(u32::MAX)));
        for (_, claims) in of_address {
            claims.remove(&node);
        }
    }

    /// A frame leaves by a host's card: what it claims, if others claim the same.
    pub(super) fn sent(&mut self, cast: &Cast, at: Instant, port: PortId, frame: &[u8]) -> Option<ConflictRecord> {
        let said = Arp::of_frame(frame)?;
        let card = cast.ports.get(port.index())?;
        if said.sender.is_unspecified() || cast.nodes.get(card.node.index())?.is_switch {
            return None;
        }
        let kind = match (said.operation, said.sender == said.target) {
            (_, true) => ClaimKind::Announcement,
            (REPLY, false) => ClaimKind::Answer,
            (_, false) => ClaimKind::Question,
        };
        let link = *self.links.get(port.index())?;
        let claim = Claim { at, port, mac: said.sender_mac, kind };
        let standing = self.standing.entry((said.sender, link)).or_default();
        standing.insert(card.node, claim);
        if standing.len() == 1 {
            return None;
        }
        let mut others = Vec::new();
        let mut over = Vec::new();
        for (node, other) in standing.iter().filter(|(node, _)| **node != card.node) {
            let stands = self.has.contains_key(&(said.sender, *node)) || at.since(other.at) <= WITHOUT_ADDRESS;
            match stands {
                true => others.push(*other),
                false => over.push(*node),
            }
            if others.len() == OTHERS_MAX {
                break;
            }
        }
        for node in over {
            standing.remove(&node);
        }
        (!others.is_empty()).then_some(ConflictRecord { address: said.sender, link, claim, others })
    }
}

/// Ports hear each other if a cable or a switch is between them.
fn links(cast: &Cast) -> Vec<PortId> {
    let ports = &cast.ports;
    let mut links: Vec<Option<PortId>> = vec![None; ports.len()];
    let mut of_switch: BTreeMap<NodeId, Vec<PortId>> = BTreeMap::new();
    for (card, index) in ports.iter().zip(0..) {
        if cast.nodes.get(card.node.index()).is_some_and(|node| node.is_switch) {
            of_switch.entry(card.node).or_default().push(PortId(index));
        }
    }
    for first in (0..ports.len() as u32).map(PortId) {
        let mut reached = vec![first];
        while let Some(port) = reached.pop() {
            if links[port.index()].is_some() {
                continue;
            }
            links[port.index()] = Some(first);
            let unseen = |port: &PortId| links[port.index()].is_none();
            let card = &ports[port.index()];
            reached.extend(card.peer.filter(unseen));
            // Taken out, so that the ports of a switch are walked once.
            reached.extend(of_switch.remove(&card.node).into_iter().flatten().filter(unseen));
        }
    }
    links.into_iter().map(|link| link.expect("every port begins a walk or is met on one")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::IfaceId;
    use crate::trace::record::Scope;
    use crate::trace::{NodeCard, PortCard};
    use crate::wire::Mac;

    const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);

    /// Three hosts on a switch (node 3, ports 3 to 5) and a fourth host (node 4, port 6) at no cable.
    fn cast() -> Cast {
        let node = |is_switch| NodeCard { name: "n".into(), role: "host".into(), is_switch };
        let port = |node, peer| PortCard { node: NodeId(node), name: "p".into(), mac: None, address: None, peer };
        Cast {
            nodes: vec![node(false), node(false), node(false), node(true), node(false)],
            ports: (0..3)
                .map(|n| port(n, Some(PortId(n + 3))))
                .chain((0..3).map(|n| port(3, Some(PortId(n)))))
                .chain([port(4, None)])
                .collect(),
            ..Cast::default()
        }
    }

    fn answer(port: u32, at_ms: u64) -> (Instant, PortId, Vec<u8>) {
        let mut frame = vec![0; 42];
        frame[12..14].copy_from_slice(&[8, 6]);
        let mac = Mac([2, 0, 0, 0, 0, port as u8]);
        let asker = Ipv4Addr::new(10, 0, 0, 1);
        let said = Arp { operation: REPLY, sender_mac: mac, sender: VIP, target_mac: mac, target: asker };
        said.write(&mut frame[14..]);
        (Instant::from_nanos(at_ms * 1_000_000), PortId(port), frame)
    }

    fn stands_on(node: u32, present: bool) -> AddressRecord {
        AddressRecord {
            node: NodeId(node),
            iface: IfaceId(2),
            address: VIP,
            prefix: 32,
            broadcast: None,
            scope: Scope::Global,
            label: "eth0".into(),
            secondary: false,
            present,
        }
    }

    /// Whose claims stand against each of the claims.
    fn against(changes: &[AddressRecord], sent: &[(u32, u64)]) -> Vec<Vec<u32>> {
        let cast = cast();
        let mut claims = Claims::new(&cast);
        changes.iter().for_each(|change| claims.address(change));
        let claim = |(port, at): &(u32, u64)| {
            let (at, port, frame) = answer(*port, *at);
            let conflict = claims.sent(&cast, at, port, &frame);
            conflict.map_or(Vec::new(), |conflict| conflict.others.iter().map(|other| other.port.0).collect())
        };
        sent.iter().map(claim).collect()
    }

    #[test]
    fn hosts_that_have_an_address_and_claim_it_are_in_conflict_however_long_ago() {
        let have = [stands_on(0, true), stands_on(1, true)];
        assert_eq!(against(&have, &[(0, 0), (1, 60_000), (2, 60_001)]), [vec![], vec![0], vec![0, 1]]);
    }

    #[test]
    fn a_host_that_gave_the_address_back_is_no_rival() {
        let moved = [stands_on(0, true), stands_on(0, false), stands_on(1, true)];
        assert_eq!(against(&moved, &[(0, 0), (1, 5_000)]), [vec![], vec![]]);
    }

    #[test]
    fn another_link_is_another_matter() {
        let have = [stands_on(0, true), stands_on(4, true)];
        assert_eq!(against(&have, &[(0, 0), (6, 1)]), [vec![], vec![]]);
    }
}
