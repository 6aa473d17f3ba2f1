//! Interfaces come and go, go up and down, get and lose their signal; the tables follow (Linux `fib_netdev_event`,
//! `inetdev_event`, `neigh_ifdown`).

use super::interfaces::{Address, LOOPBACK};
use super::{Refusal, Tables};
use crate::base::id::{IfaceId, PortId};
use crate::trace::record::LinkKind;
use crate::trace::recorder::Change;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Cx;

/// The smallest MTU of an interface, in octets (RFC 791).
pub const MTU_MIN: u32 = 68;
/// The largest MTU, in octets.
pub const MTU_MAX: u32 = 65_535;
/// The MTU of `lo`, in octets.
pub const LOOPBACK_MTU: u32 = 65_536;

impl Tables {
    /// The host starts: `lo` comes into being, down, and the name is set.
    pub fn start(&mut self, hostname: &str, cx: &mut Cx) {
        self.sysctl.set_hostname(hostname);
        self.routes.start(cx);
        self.add_interface("lo", LinkKind::Loopback, Mac([0; 6]), LOOPBACK_MTU, cx)
            .expect("the first interface of a host can be added");
    }

    /// Adds an interface, down and without addresses, under the next index. The first one of a host must be `lo`.
    ///
    /// # Errors
    /// `Exists`, `TooMany`, `Invalid` (no name, or more than 15 octets).
    pub fn add_interface(
        &mut self,
        name: &str,
        kind: LinkKind,
        mac: Mac,
        mtu: u32,
        cx: &mut Cx,
    ) -> Result<IfaceId, Refusal> {
        if name.is_empty() || name.len() > NAME_MAX || name.contains(['/', ' ']) {
            return Err(Refusal::Invalid);
        }
        if self.interfaces.named(name).is_some() {
            return Err(Refusal::Exists);
        }
        let id = self.interfaces.add(name, kind, mac, mtu).ok_or(Refusal::TooMany)?;
        self.sysctl.add_interface(id, name);
        self.neighbours.add_interface(id, cx);
        self.note_interface(id, true, cx);
        Ok(id)
    }

    /// `ip link add link PARENT name NAME address MAC type macvlan mode private`: an interface with a MAC of its own on
    /// the cable of another, down and without addresses.
    ///
    /// # Errors
    /// As [`Tables::add_interface`]; `NoDevice`, `NotSupported` (the parent has no cable).
    pub fn add_macvlan(&mut self, name: &str, parent: IfaceId, mac: Mac, cx: &mut Cx) -> Result<IfaceId, Refusal> {
        let below = self.interfaces.get(parent).ok_or(Refusal::NoDevice)?;
        let LinkKind::Ethernet(port) = below.kind else { return Err(Refusal::NotSupported) };
        let (mtu, carrier, below) = (below.mtu, below.running(), below.name.clone());
        let id = self.add_interface(name, LinkKind::Macvlan { parent, port }, mac, mtu, cx)?;
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.below = Some(below);
        }
        self.follow_below(id, carrier, cx);
        Ok(id)
    }

    /// What is on top of an interface has a signal while that one is running.
    fn follow_below(&mut self, id: IfaceId, carrier: bool, cx: &mut Cx) {
        let Some(interface) = self.interfaces.get_mut(id).filter(|interface| interface.carrier != carrier) else {
            return;
        };
        interface.carrier = carrier;
        self.note_interface(id, true, cx);
        if !carrier && self.sysctl.evicts_without_carrier(id) {
            self.neighbours.interface_gone(id, false, cx);
        }
    }

    fn tell_above(&mut self, id: IfaceId, cx: &mut Cx) {
        if !self.interfaces.has_macvlans() {
            return;
        }
        let carrier = self.interfaces.get(id).is_some_and(|interface| interface.running());
        let above: Vec<IfaceId> = self.interfaces.above(id).collect();
        for upper in above {
            self.follow_below(upper, carrier, cx);
        }
    }

    /// `ip link del`: dummies, macvlans and tunnels only.
    ///
    /// # Errors
    /// `NoDevice`, `NotSupported`.
    pub fn delete_interface(&mut self, id: IfaceId, cx: &mut Cx) -> Result<(), Refusal> {
        let interface = self.interfaces.get(id).ok_or(Refusal::NoDevice)?;
        if matches!(interface.kind, LinkKind::Loopback | LinkKind::Ethernet(_)) {
            return Err(Refusal::NotSupported);
        }
        self.set_up(id, false, cx)?;
        self.flush_addresses(id, cx);
        self.routes.interface_gone(id, true, cx);
        self.neighbours.interface_gone(id, true, cx);
        self.note_interface(id, false, cx);
        self.interfaces.remove(id);
        self.sysctl.remove_interface(id);
        Ok(())
    }

    /// The host is switched off: what stood in its memory is gone.
    pub fn switch_off(&mut self, cx: &mut Cx) {
        let all: Vec<IfaceId> = self.interfaces.iter().map(|interface| interface.id).collect();
        for id in all {
            self.flush_addresses(id, cx);
            self.routes.interface_gone(id, true, cx);
            self.neighbours.interface_gone(id, true, cx);
            self.note_interface(id, false, cx);
            self.interfaces.remove(id);
        }
        self.routes.switch_off(cx);
        self.filter.switch_off(cx);
        self.nat.switch_off(cx);
        self.sysctl.switch_off(cx);
    }

    /// `ip link set … up` or `down`. Returns whether it changed.
    ///
    /// # Errors
    /// `NoDevice`.
    pub fn set_up(&mut self, id: IfaceId, up: bool, cx: &mut Cx) -> Result<bool, Refusal> {
        let interface = self.interfaces.get_mut(id).ok_or(Refusal::NoDevice)?;
        if interface.up == up {
            return Ok(false);
        }
        interface.up = up;
        self.note_interface(id, true, cx);
        if up {
            if id == LOOPBACK && self.interfaces.get(id).is_some_and(|lo| lo.addresses.is_empty()) {
                let address = Address::new(Ipv4Addr::LOCALHOST, 8, "lo");
                self.add_address(id, address, cx)?;
            }
            self.restore_routes(id, cx);
        } else {
            self.routes.interface_gone(id, false, cx);
            self.neighbours.interface_gone(id, true, cx);
        }
        self.tell_above(id, cx);
        Ok(true)
    }

    /// The cable of a port got or lost its signal. Routes stay; neighbours are forgotten when it is lost
    /// (`arp_evict_nocarrier`). Returns the interface if something changed.
    pub fn set_carrier(&mut self, port: PortId, carrier: bool, cx: &mut Cx) -> Option<IfaceId> {
        let id = self.interfaces.at_port(port)?;
        let interface = self.interfaces.get_mut(id)?;
        if interface.carrier == carrier {
            return None;
        }
        interface.carrier = carrier;
        self.note_interface(id, true, cx);
        if !carrier && self.sysctl.evicts_without_carrier(id) {
            self.neighbours.interface_gone(id, false, cx);
        }
        self.tell_above(id, cx);
        Some(id)
    }

    /// `ip link set … mtu`.
    ///
    /// # Errors
    /// `NoDevice`, `MtuTooSmall`, `MtuTooLarge`.
    pub fn set_mtu(&mut self, id: IfaceId, mtu: u32, cx: &mut Cx) -> Result<(), Refusal> {
        let interface = self.interfaces.get_mut(id).ok_or(Refusal::NoDevice)?;
        let (least, most) = if interface.kind == LinkKind::Loopback { (0, u32::MAX) } else { (MTU_MIN, MTU_MAX) };
        if mtu < least {
            return Err(Refusal::MtuTooSmall);
        }
        if mtu > most {
            return Err(Refusal::MtuTooLarge);
        }
        interface.mtu = mtu;
        self.note_interface(id, true, cx);
        Ok(())
    }

    /// `ip link set … address`. The neighbours of the interface are forgotten.
    ///
    /// # Errors
    /// `NoDevice`, `Invalid` (a group address).
    pub fn set_mac(&mut self, id: IfaceId, mac: Mac, cx: &mut Cx) -> Result<(), Refusal> {
        let interface = self.interfaces.get_mut(id).ok_or(Refusal::NoDevice)?;
        if !mac.is_unicast() {
            return Err(Refusal::Invalid);
        }
        interface.mac = mac;
        self.neighbours.interface_gone(id, false, cx);
        self.note_interface(id, true, cx);
        Ok(())
    }

    /// `ip link set … arp on` or `off`.
    ///
    /// # Errors
    /// `NoDevice`.
    pub fn set_arp(&mut self, id: IfaceId, arp: bool, cx: &mut Cx) -> Result<(), Refusal> {
        let interface = self.interfaces.get_mut(id).ok_or(Refusal::NoDevice)?;
        if interface.arp != arp {
            interface.arp = arp;
            self.neighbours.interface_gone(id, false, cx);
            self.note_interface(id, true, cx);
        }
        Ok(())
    }

    fn note_interface(&mut self, id: IfaceId, present: bool, cx: &mut Cx) {
        self.interfaces.revision += 1;
        if let Some(record) = self.interfaces.record(id, present) {
            cx.change(Change::Interface(record));
        }
    }
}

const NAME_MAX: usize = 15;
