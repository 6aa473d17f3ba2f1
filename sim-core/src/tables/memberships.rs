//! Which multicast groups a host has joined, by interface. Follows Linux `net/ipv4/igmp.c`, as far as it is about who
//! listens.
//!
//! # Not modelled
//! IGMP reports are not sent: switches here flood every group. Lists of sources (IGMPv3).

use crate::base::id::IfaceId;
use crate::wire::Ipv4Addr;
use std::collections::BTreeMap;

/// The groups a host has joined.
#[derive(Debug, Default)]
pub struct Memberships {
    /// How many sockets have joined.
    counts: BTreeMap<(IfaceId, Ipv4Addr), u32>,
}

/// Groups that a host may join on all its interfaces together.
const MEMBERSHIPS_MAX: usize = 4096;

/// All systems on this link (RFC 1112): every host is a member.
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

impl Memberships {
    /// One more socket listens to `group` on an interface. False if it is no group, or there are too many.
    pub fn join(&mut self, iface: IfaceId, group: Ipv4Addr) -> bool {
        if !group.is_multicast() || self.counts.len() >= MEMBERSHIPS_MAX {
            return false;
        }
        *self.counts.entry((iface, group)).or_insert(0) += 1;
        true
    }

    /// One socket less listens. False if none did.
    pub fn leave(&mut self, iface: IfaceId, group: Ipv4Addr) -> bool {
        let Some(count) = self.counts.get_mut(&(iface, group)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&(iface, group));
        }
        true
    }

    /// Whether packets to `group` are taken on an interface.
    pub fn holds(&self, iface: IfaceId, group: Ipv4Addr) -> bool {
        group == ALL_SYSTEMS || self.counts.contains_key(&(iface, group))
    }

    /// The groups that were joined, by interface, and by how many sockets.
    pub fn iter(&self) -> impl Iterator<Item = (IfaceId, Ipv4Addr, u32)> {
        self.counts.iter().map(|((iface, group), count)| (*iface, *group, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

    #[test]
    fn a_group_is_held_until_the_last_socket_has_left_it() {
        let (eth0, eth1) = (IfaceId(2), IfaceId(3));
        let mut memberships = Memberships::default();
        assert!(memberships.join(eth0, GROUP) && memberships.join(eth0, GROUP));
        assert!(!memberships.holds(eth1, GROUP));
        assert!(memberships.leave(eth0, GROUP) && memberships.holds(eth0, GROUP));
        assert!(memberships.leave(eth0, GROUP) && !memberships.holds(eth0, GROUP));
        assert!(!memberships.leave(eth0, GROUP));
    }

    #[test]
    fn every_host_listens_to_all_systems_and_no_host_is_a_member_of_a_single_address() {
        let mut memberships = Memberships::default();
        assert!(memberships.holds(IfaceId(2), ALL_SYSTEMS));
        assert!(!memberships.join(IfaceId(2), Ipv4Addr::new(10, 0, 0, 1)));
    }
}
