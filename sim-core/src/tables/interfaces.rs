//! Network interfaces and their addresses. Follows Linux `net/ipv4/devinet.c`.
//!
//! What an address brings with it in the routing tables is [`super::address`]'s business; here is only who stands where.

use crate::base::id::{IfaceId, NodeId, PortId};
use crate::base::map::Lookup;
use crate::trace::record::{AddressRecord, InterfaceRecord, LinkKind, Scope};
use crate::wire::{Ipv4Addr, Mac};
use ipnet::Ipv4Net;

/// Interfaces a host may have.
pub const INTERFACES_MAX: usize = 4096;
/// Addresses a host may have.
pub const ADDRESSES_MAX: usize = 16_384;
/// `lo` is the first interface of every host.
pub const LOOPBACK: IfaceId = IfaceId(1);

/// The interfaces of a host.
#[derive(Debug)]
pub struct Interfaces {
    node: NodeId,
    /// By index; the first, index 0, is never used; a deleted one leaves a gap.
    list: Vec<Option<Interface>>,
    ports: Lookup<PortId, IfaceId>,
    ours: Lookup<Ipv4Addr, Owners>,
    count: usize,
    macvlans: usize,
    /// How often an interface, its carrier or an address changed: programs that wait for that look at it.
    pub(crate) revision: u64,
}

/// An interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its index.
    pub id: IfaceId,
    /// Its name.
    pub name: Box<str>,
    /// What it is.
    pub kind: LinkKind,
    /// Its MAC; all zero for `lo` and tunnels.
    pub mac: Mac,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// A signal on the cable.
    pub carrier: bool,
    /// Answers and asks by ARP (not NOARP).
    pub arp: bool,
    /// Its addresses, in the order in which `ip addr` shows them: primary ones, then secondary ones.
    pub addresses: Vec<Address>,
    /// What passed it.
    pub counters: IfaceCounters,
    /// The name of the interface below a macvlan.
    pub below: Option<Box<str>>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// Length of its prefix, 0 to 32.
    pub prefix: u8,
    /// Broadcast address, if one was set.
    pub broadcast: Option<Ipv4Addr>,
    /// How far it is valid.
    pub scope: Scope,
    /// The interface's name, or a label such as `eth0:0`.
    pub label: Box<str>,
    /// A later address of the same subnet.
    pub secondary: bool,
}

/// Packets and octets that passed an interface, Ethernet header not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IfaceCounters {
    /// Packets received.
    pub rx_packets: u64,
    /// Octets received.
    pub rx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Octets sent.
    pub tx_bytes: u64,
}

/// The interfaces on which one address stands: the first, and how often in all.
#[derive(Clone, Copy, Debug)]
struct Owners {
    first: IfaceId,
    count: u32,
}

impl Interfaces {
    /// No interface yet.
    pub(super) fn new(node: NodeId) -> Self {
        let (ports, ours) = (Lookup::default(), Lookup::default());
        Interfaces { node, list: vec![None], ports, ours, count: 0, macvlans: 0, revision: 0 }
    }

    /// Adds an interface, down and without addresses, under the next index. None if there are too many.
    pub(super) fn add(&mut self, name: &str, kind: LinkKind, mac: Mac, mtu: u32) -> Option<IfaceId> {
        if self.list.len() >= INTERFACES_MAX {
            return None;
        }
        let id = IfaceId(self.list.len() as u16);
        if let LinkKind::Ethernet(port) = kind {
            self.ports.insert(port, id);
        }
        self.macvlans += usize::from(matches!(kind, LinkKind::Macvlan { .. }));
        let arp = matches!(kind, LinkKind::Ethernet(_) | LinkKind::Macvlan { .. });
        self.list.push(Some(Interface {
            id,
            name: name.into(),
            kind,
            mac,
            mtu,
            up: false,
            carrier: true,
            arp,
            addresses: Vec::new(),
            counters: IfaceCounters::default(),
            below: None,
        }));
        Some(id)
    }

    /// Takes an interface out. Its addresses are gone already.
    pub(super) fn remove(&mut self, id: IfaceId) {
        if let Some(LinkKind::Ethernet(port)) = self.get(id).map(|interface| interface.kind) {
            self.ports.remove(&port);
        }
        if let Some(LinkKind::Macvlan { .. }) = self.get(id).map(|interface| interface.kind) {
            self.macvlans -= 1;
        }
        self.list[usize::from(id.0)] = None;
    }

    /// The interface with this index.
    pub fn get(&self, id: IfaceId) -> Option<&Interface> {
        self.list.get(usize::from(id.0))?.as_ref()
    }

    /// The interface with this index, to be changed.
    pub(crate) fn get_mut(&mut self, id: IfaceId) -> Option<&mut Interface> {
        self.list.get_mut(usize::from(id.0))?.as_mut()
    }

    /// The interface with this name.
    pub fn named(&self, name: &str) -> Option<&Interface> {
        self.iter().find(|interface| &*interface.name == name)
    }

    /// The interface at a port.
    pub fn at_port(&self, port: PortId) -> Option<IfaceId> {
        self.ports.get(&port).copied()
    }

    /// The macvlans on top of an interface, by index.
    pub(crate) fn above(&self, below: IfaceId) -> impl Iterator<Item = IfaceId> + '_ {
        let is_above = move |kind| matches!(kind, LinkKind::Macvlan { parent, .. } if parent == below);
        self.iter().filter(move |interface| is_above(interface.kind)).map(|interface| interface.id)
    }

    /// Whether there is a macvlan: the packet path asks with every frame.
    pub(crate) fn has_macvlans(&self) -> bool {
        self.macvlans > 0
    }

    /// All interfaces, by index.
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.list.iter().flatten()
    }

    /// Whether an address is this host's, and on which interface it stands (the first, if on several). Only addresses
    /// that were set: 127.0.0.2 is local by a route, not by an address.
    pub fn local(&self, address: Ipv4Addr) -> Option<IfaceId> {
        self.ours.get(&address).map(|owners| owners.first)
    }

    /// Whether an address stands on this interface.
    pub fn stands_on(&self, address: Ipv4Addr, id: IfaceId) -> bool {
        match self.ours.get(&address) {
            None => false,
            Some(owners) if owners.first == id => true,
            Some(owners) if owners.count == 1 => false,
            Some(_) => self.get(id).is_some_and(|interface| interface.addresses.iter().any(|a| a.address == address)),
        }
    }

    /// Addresses in all.
    pub fn address_count(&self) -> usize {
        self.count
    }

    /// The source address that an interface lends a packet to `target`: its first primary address whose scope is at
    /// most `scope` and whose subnet holds `target`, else its first such primary address, else that of another
    /// interface (Linux `inet_select_addr`).
    pub fn select_source(&self, id: IfaceId, target: Option<Ipv4Addr>, scope: Scope) -> Option<Ipv4Addr> {
        let fits = |address: &&Address| !address.secondary && address.scope <= scope;
        if let Some(interface) = self.get(id) {
            let mut suitable = interface.addresses.iter().filter(fits);
            let first = suitable.clone().next();
            let near = target.and_then(|target| suitable.find(|address| address.covers(target)));
            if let Some(address) = near.or(first) {
                return Some(address.address);
            }
        }
        let not_link = |address: &&Address| fits(address) && address.scope != Scope::Link;
        self.iter().find_map(|interface| interface.addresses.iter().find(not_link)).map(|address| address.address)
    }

    /// Notes a new address, at the place where `ip addr` shows it: a primary one behind the primary ones, a secondary
    /// one at the end.
    pub(super) fn insert_address(&mut self, id: IfaceId, address: Address) {
        self.count += 1;
        self.revision += 1;
        let owners = self.ours.get_or_insert_with(address.address, || Owners { first: id, count: 0 });
        owners.count += 1;
        let interface = self.get_mut(id).expect("the caller looked the interface up");
        let at = if address.secondary {
            interface.addresses.len()
        } else {
            interface.addresses.iter().position(|a| a.secondary).unwrap_or(interface.addresses.len())
        };
        interface.addresses.insert(at, address);
    }

    /// Takes the address at a place out.
    pub(super) fn remove_address(&mut self, id: IfaceId, at: usize) -> Address {
        self.count -= 1;
        self.revision += 1;
        let address = self.get_mut(id).expect("the caller looked the interface up").addresses.remove(at);
        let owners = self.ours.get_mut(&address.address).expect("an address that stands somewhere is counted");
        owners.count -= 1;
        if owners.count == 0 {
            self.ours.remove(&address.address);
        } else {
            let first = self
                .iter()
                .find(|interface| interface.addresses.iter().any(|a| a.address == address.address))
                .map(|interface| interface.id)
                .expect("the count says that it still stands somewhere");
            self.ours.insert(address.address, Owners { first, count: self.ours_count(address.address) });
        }
        address
    }

    fn ours_count(&self, address: Ipv4Addr) -> u32 {
        self.ours.get(&address).map_or(0, |owners| owners.count)
    }

    /// The interface as the trace keeps it.
    pub fn record(&self, id: IfaceId, present: bool) -> Option<InterfaceRecord> {
        let interface = self.get(id)?;
        Some(InterfaceRecord {
            node: self.node,
            id,
            name: interface.name.clone(),
            kind: interface.kind,
            mac: interface.mac,
            mtu: interface.mtu,
            up: interface.up,
            carrier: interface.carrier,
            arp: interface.arp,
            present,
        })
    }
}

impl Interface {
    /// Whether packets can pass: up, and with a signal.
    pub fn running(&self) -> bool {
        self.up && self.carrier
    }

    /// The port, if it has a cable.
    pub fn port(&self) -> Option<PortId> {
        match self.kind {
            LinkKind::Ethernet(port) | LinkKind::Macvlan { port, .. } => Some(port),
            LinkKind::Loopback | LinkKind::Dummy | LinkKind::Ipip | LinkKind::Gre => None,
        }
    }
}

impl Address {
    /// An address as `ip addr add ADDRESS/PREFIX dev NAME` makes it: no broadcast address, scope global (host for
    /// 127.0.0.0/8), labelled with the interface's name.
    pub fn new(address: Ipv4Addr, prefix: u8, device: &str) -> Self {
        let scope = if address.is_loopback() { Scope::Host } else { Scope::Global };
        Address { address, prefix, broadcast: None, scope, label: device.into(), secondary: false }
    }

    /// The subnet it stands in.
    pub fn subnet(&self) -> Ipv4Net {
        Ipv4Net::new_assert(self.address, self.prefix).trunc()
    }

    /// Whether `other` is in its subnet.
    pub fn covers(&self, other: Ipv4Addr) -> bool {
        self.subnet().contains(&other)
    }

    /// The address as the trace keeps it.
    pub fn record(&self, node: NodeId, iface: IfaceId, present: bool) -> AddressRecord {
        AddressRecord {
            node,
            iface,
            address: self.address,
            prefix: self.prefix,
            broadcast: self.broadcast,
            scope: self.scope,
            label: self.label.clone(),
            secondary: self.secondary,
            present,
        }
    }
}
