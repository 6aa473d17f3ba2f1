//! Interfaces, addresses, forwarding entries of a switch, kernel settings.

use super::{Born, Key, Place, Row, RowText, Seat};
use crate::base::id::{IfaceId, NodeId, PortId};
use crate::trace::Trace;
use crate::wire::dissect::mac_text;
use crate::wire::{Ipv4Addr, Mac};

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum LinkKind {
    /// `lo`.
    Loopback,
    /// A network card with a cable.
    Ethernet(PortId),
    /// `dummy0`: sends nowhere.
    Dummy,
    /// `tunl0` and other IP-in-IP devices.
    Ipip,
    /// `gre0` and other GRE devices that carry IPv4.
    Gre,
    /// `vrrp.51`: a second MAC on the cable of another interface (private mode).
    Macvlan {
        /// The interface below.
        parent: IfaceId,
        /// Its port.
        port: PortId,
    },
}

/// An interface with its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct InterfaceRecord {
    /// The host.
    pub node: NodeId,
    /// Its index there.
    pub id: IfaceId,
    /// Its name.
    pub name: Box<str>,
    /// What it is.
    pub kind: LinkKind,
    /// Its MAC; all zero for `lo` and tunnels.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::mac"))]
    pub mac: Mac,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// Administratively up (`ip link set up`).
    pub up: bool,
    /// A signal on the cable (LOWER_UP).
    pub carrier: bool,
    /// Answers and asks by ARP (not NOARP).
    pub arp: bool,
    /// Whether the interface exists.
    pub present: bool,
}

/// How far an address is valid (`scope` of `ip addr`), in the order of rtnetlink's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Scope {
    /// Everywhere (0).
    Global,
    /// On this link only (253).
    Link,
    /// In this host only (254).
    Host,
    /// Nowhere (255): the scope of a next hop that is not there.
    Nowhere,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct AddressRecord {
    /// The host.
    pub node: NodeId,
    /// The interface it stands on.
    pub iface: IfaceId,
    /// The address.
    pub address: Ipv4Addr,
    /// Length of its prefix, 0 to 32.
    pub prefix: u8,
    /// Broadcast address, if one was set.
    pub broadcast: Option<Ipv4Addr>,
    /// How far it is valid.
    pub scope: Scope,
    /// `eth0` or a label such as `eth0:0`.
    pub label: Box<str>,
    /// A later address of the same subnet.
    pub secondary: bool,
    /// Whether the address exists.
    pub present: bool,
}

/// A forwarding entry of a switch: behind which port a MAC was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct FdbRecord {
    /// The switch.
    pub node: NodeId,
    /// The address.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::mac"))]
    pub mac: Mac,
    /// Where it was seen.
    pub port: PortId,
    /// False when it aged out or its port lost its signal.
    pub present: bool,
}

/// A kernel setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct SysctlRecord {
    /// The host.
    pub node: NodeId,
    /// Its name with dots: `net.ipv4.conf.all.arp_ignore`.
    pub key: Box<str>,
    /// The value as text.
    pub value: Box<str>,
    /// False when the machine was switched off.
    pub present: bool,
}

impl Row for InterfaceRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Interface(self.id)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let state = if self.up { "up" } else { "down" };
        let carrier = if self.carrier { "carrier" } else { "no carrier" };
        let value = format!("{state}, {carrier}, mtu {}, {}", self.mtu, mac_text(self.mac));
        RowText { row: self.name.to_string(), value }
    }
}

impl Row for AddressRecord {
    fn seat(&self) -> Seat<'_> {
        Seat {
            node: self.node,
            present: self.present,
            key: Key::Added(Born::Address(self.iface, self.address, self.prefix)),
        }
    }

    fn told(&self, _: &Trace) -> RowText {
        RowText { row: format!("{}/{}", self.address, self.prefix), value: self.label.to_string() }
    }
}

impl Row for FdbRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Mac(self.mac.0)) }
    }

    fn told(&self, trace: &Trace) -> RowText {
        RowText { row: mac_text(self.mac), value: trace.port_name(self.port) }
    }
}

impl Row for SysctlRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Added(Born::Setting(&self.key)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        RowText { row: self.key.to_string(), value: self.value.to_string() }
    }
}
