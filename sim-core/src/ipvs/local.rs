//! FULLNAT's local addresses: the list of each service, and the ports of each address. Follows DPVS (`ip_vs_laddr.c`,
//! `sa_pool.c`) with one worker.
//!
//! ```text
//!   service ─► addresses, in turn ─► the real server's bucket (one of 16) ─► the port that has been free longest
//! ```
//! A bucket has all ports for itself: two servers of different buckets can use one address and port at the same time,
//! two of the same bucket cannot. The range of ports is `net.ipv4.vs.fullnat_lport_min` to `_max`, names of the Alibaba
//! patches with DPVS's values.

use crate::base::id::IfaceId;
use crate::trace::record::ServiceKey;
use crate::wire::flow::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// A local address of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The address.
    pub address: Ipv4Addr,
    /// The interface that was named with it.
    pub iface: IfaceId,
}

/// The local addresses of a service, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locals {
    list: Vec<Local>,
    /// Which was taken last.
    last: Option<usize>,
}

/// Addresses that are tried for one connection.
pub(super) const TRIES_MAX: usize = 16;
/// Addresses of a service: more are refused.
pub(super) const LOCALS_MAX: usize = 1024;

impl Locals {
    /// The addresses.
    pub fn iter(&self) -> impl Iterator<Item = &Local> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn find(&self, address: Ipv4Addr) -> Option<usize> {
        self.list.iter().position(|local| local.address == address)
    }

    pub(super) fn add(&mut self, local: Local) {
        self.list.push(local);
    }

    /// Takes one out. If it was the last one taken, the turn goes on behind the one that follows it.
    pub(super) fn remove(&mut self, place: usize) {
        self.list.remove(place);
        self.last = match self.last {
            Some(last) if last > place => Some(last - 1),
            Some(last) if last == place && place == self.list.len() => None,
            last => last,
        };
    }

    /// The address `step` places behind the last one.
    pub(super) fn next(&mut self, step: usize) -> Option<Ipv4Addr> {
        let count = self.list.len();
        let next = self.last.map_or(step - 1, |last| last + step).checked_rem(count)?;
        self.last = Some(next);
        Some(self.list[next].address)
    }
}

/// Ports of all local addresses of a host, and how many connections of each service use an address.
#[derive(Debug, Default)]
pub(super) struct LocalPorts {
    buckets: BTreeMap<(Ipv4Addr, u8), Bucket>,
    in_use: BTreeMap<(ServiceKey, Ipv4Addr), u32>,
}

/// Free ports of an address towards the real servers of a bucket.
#[derive(Debug)]
struct Bucket {
    /// From this one on no port was ever taken.
    fresh: u32,
    /// Ports that came back, the first first.
    returned: VecDeque<u16>,
}

const BUCKETS: u16 = 16;

impl LocalPorts {
    /// Takes the port that has been free longest.
    pub(super) fn take(&mut self, local: Ipv4Addr, server: SocketAddr, range: (u16, u16)) -> Option<u16> {
        let fresh = u32::from(range.0);
        let bucket =
            self.buckets.entry((local, bucket_of(server))).or_insert(Bucket { fresh, returned: VecDeque::new() });
        if bucket.fresh <= u32::from(range.1) {
            bucket.fresh += 1;
            return Some((bucket.fresh - 1) as u16);
        }
        bucket.returned.pop_front()
    }

    /// Gives a port back; it is used again after all others.
    pub(super) fn give_back(&mut self, local: SocketAddr, server: SocketAddr) {
        if let Some(bucket) = self.buckets.get_mut(&(local.address, bucket_of(server))) {
            bucket.returned.push_back(local.port);
        }
    }

    /// A connection of a service uses an address.
    pub(super) fn hold(&mut self, service: ServiceKey, local: Ipv4Addr) {
        *self.in_use.entry((service, local)).or_default() += 1;
    }

    /// It does so no longer.
    pub(super) fn let_go(&mut self, service: ServiceKey, local: Ipv4Addr) {
        if let Some(count) = self.in_use.get_mut(&(service, local)) {
            *count -= 1;
            if *count == 0 {
                self.in_use.remove(&(service, local));
            }
        }
    }

    /// How many connections of a service use an address.
    pub(super) fn connections(&self, service: ServiceKey, local: Ipv4Addr) -> u32 {
        self.in_use.get(&(service, local)).copied().unwrap_or(0)
    }
}

/// By the low half of the server's address, and its port.
fn bucket_of(server: SocketAddr) -> u8 {
    let low_half = server.address.to_bits() as u16;
    (low_half.wrapping_add(server.port) % BUCKETS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 200);
    const RANGE: (u16, u16) = (1025, 65_535);

    fn server(host: u8) -> SocketAddr {
        SocketAddr { address: Ipv4Addr::new(10, 0, 1, host), port: 80 }
    }

    fn locals(count: u8) -> Locals {
        let mut locals = Locals::default();
        for host in 1..=count {
            locals.add(Local { address: Ipv4Addr::new(10, 0, 0, host), iface: IfaceId(2) });
        }
        locals
    }

    /// The last octets of the addresses that these steps lead to.
    fn check(locals: &mut Locals, steps: &[usize], expected: &[u8]) {
        let taken: Vec<u8> =
            steps.iter().filter_map(|step| locals.next(*step)).map(|address| address.octets()[3]).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn addresses_are_taken_in_turn_and_a_step_of_two_leaves_one_out() {
        check(&mut locals(3), &[1, 1, 1, 1, 2, 1], &[1, 2, 3, 1, 3, 1]);
        check(&mut locals(3), &[2], &[2]);
        check(&mut locals(1), &[2, 1, 2], &[1, 1, 1]);
        check(&mut locals(0), &[1], &[]);
    }

    #[test]
    fn an_address_that_goes_does_not_disturb_the_turn() {
        let mut three = locals(3);
        check(&mut three, &[1, 1], &[1, 2]);
        three.remove(0);
        check(&mut three, &[1, 1], &[3, 2]);
        three.remove(1);
        check(&mut three, &[1], &[2]);
    }

    #[test]
    fn a_port_that_came_back_is_used_after_all_others() {
        let mut ports = LocalPorts::default();
        let take = |ports: &mut LocalPorts| ports.take(LIP, server(5), (1025, 1027));
        assert_eq!([take(&mut ports), take(&mut ports)], [Some(1025), Some(1026)]);
        ports.give_back(SocketAddr { address: LIP, port: 1025 }, server(5));
        assert_eq!([take(&mut ports), take(&mut ports), take(&mut ports)], [Some(1027), Some(1025), None]);
    }

    #[test]
    fn servers_of_different_buckets_share_a_port_and_those_of_one_do_not() {
        let mut ports = LocalPorts::default();
        assert_eq!(ports.take(LIP, server(5), RANGE), Some(1025));
        assert_eq!(ports.take(LIP, server(6), RANGE), Some(1025));
        assert_eq!(ports.take(LIP, server(21), RANGE), Some(1026), "5 and 21 are equal modulo 16");
    }

    #[test]
    fn an_address_has_64511_ports_in_each_bucket() {
        let mut ports = LocalPorts::default();
        let count = std::iter::from_fn(|| ports.take(LIP, server(5), RANGE)).count();
        assert_eq!(count, 64_511);
    }
}
