//! Addresses come and go, and their routes with them (Linux `devinet.c`, `fib_add_ifaddr`, `fib_del_ifaddr`).
//!
//! An address ADDRESS/LEN of interface X brings
//! ```text
//!   local     ADDRESS         dev X  table local  scope host  src PRIMARY
//!   broadcast last of subnet  dev X  table local  scope link  src PRIMARY     (LEN < 31, primary, X up)
//!   unicast   SUBNET/LEN      dev X  table main   scope link  src ADDRESS     (LEN < 32, primary, X up; local on lo)
//! ```

use super::interfaces::{ADDRESSES_MAX, Address, LOOPBACK};
use super::routes::change::{How, NewRoute, Pattern};
use super::routes::{TABLE_LOCAL, TABLE_MAIN};
use super::{Refusal, Tables};
use crate::base::id::IfaceId;
use crate::trace::record::{RouteKind, Scope};
use crate::trace::recorder::Change;
use crate::wire::Ipv4Addr;
use crate::world::node::Cx;
use ipnet::Ipv4Net;

impl Tables {
    /// `ip addr add`. Whether it is secondary is decided here.
    ///
    /// # Errors
    /// `NoDevice`, `Exists`, `Invalid` (0.0.0.0, a prefix above 32, or another scope than its subnet's), `TooMany`.
    pub fn add_address(&mut self, id: IfaceId, new: Address, cx: &mut Cx) -> Result<(), Refusal> {
        let interface = self.interfaces.get(id).ok_or(Refusal::NoDevice)?;
        if new.address.is_unspecified() || new.prefix > 32 {
            return Err(Refusal::Invalid);
        }
        let mut address = Address { secondary: false, ..new };
        for other in &interface.addresses {
            if other.prefix == address.prefix && other.covers(address.address) {
                if other.address == address.address {
                    return Err(Refusal::Exists);
                }
                if other.scope != address.scope {
                    return Err(Refusal::Invalid);
                }
                address.secondary = true;
            }
        }
        if self.interfaces.address_count() >= ADDRESSES_MAX {
            return Err(Refusal::TooMany);
        }
        cx.change(Change::Address(address.record(cx.node, id, true)));
        self.interfaces.insert_address(id, address.clone());
        self.sysctl.settle_interface(id);
        self.add_routes_of(id, &address, cx);
        Ok(())
    }

    /// `ip addr del`: with a primary address go the secondary ones of its subnet, unless `promote_secondaries` is set.
    /// `prefix` none takes the first that fits.
    ///
    /// # Errors
    /// `NoDevice`, `NoSuchAddress`.
    pub fn delete_address(
        &mut self,
        id: IfaceId,
        address: Ipv4Addr,
        prefix: Option<u8>,
        cx: &mut Cx,
    ) -> Result<(), Refusal> {
        let interface = self.interfaces.get(id).ok_or(Refusal::NoDevice)?;
        let fits = |a: &Address| a.address == address && prefix.is_none_or(|prefix| a.prefix == prefix);
        let at = interface.addresses.iter().position(fits).ok_or(Refusal::NoSuchAddress)?;
        let gone = interface.addresses[at].clone();
        let promote = !gone.secondary && self.sysctl.promotes_secondaries(id);
        if !gone.secondary && !promote {
            while let Some(at) = self.secondary_of(id, &gone) {
                self.take_address(id, at, cx);
            }
        }
        let at = self.place_of(id, &gone).expect("only secondary addresses were deleted meanwhile");
        self.take_address(id, at, cx);
        if promote && let Some(at) = self.secondary_of(id, &gone) {
            self.promote(id, at, cx);
        }
        Ok(())
    }

    /// `ip addr flush dev`.
    pub fn flush_addresses(&mut self, id: IfaceId, cx: &mut Cx) {
        while let Some(last) = self.interfaces.get(id).and_then(|interface| interface.addresses.len().checked_sub(1)) {
            self.take_address(id, last, cx);
        }
    }

    /// The interface came up: the routes of its addresses are put back.
    pub(super) fn restore_routes(&mut self, id: IfaceId, cx: &mut Cx) {
        let addresses = self.interfaces.get(id).map_or(Vec::new(), |interface| interface.addresses.clone());
        for address in &addresses {
            self.add_routes_of(id, address, cx);
        }
    }

    fn place_of(&self, id: IfaceId, address: &Address) -> Option<usize> {
        self.interfaces.get(id)?.addresses.iter().position(|a| a == address)
    }

    fn secondary_of(&self, id: IfaceId, primary: &Address) -> Option<usize> {
        let same = |a: &Address| a.secondary && a.prefix == primary.prefix && a.covers(primary.address);
        self.interfaces.get(id)?.addresses.iter().position(same)
    }

    fn promote(&mut self, id: IfaceId, at: usize, cx: &mut Cx) {
        let mut address = self.interfaces.remove_address(id, at);
        address.secondary = false;
        cx.change(Change::Address(address.record(cx.node, id, true)));
        self.interfaces.insert_address(id, address.clone());
        let of_subnet: Vec<Address> = self.interfaces.get(id).map_or(Vec::new(), |interface| {
            let same = |a: &&Address| a.prefix == address.prefix && a.covers(address.address);
            interface.addresses.iter().filter(same).cloned().collect()
        });
        for address in &of_subnet {
            self.delete_local_route(id, address.address, cx);
            self.add_routes_of(id, address, cx);
        }
    }

    /// Takes an address out, with its routes.
    fn take_address(&mut self, id: IfaceId, at: usize, cx: &mut Cx) {
        let address = self.interfaces.remove_address(id, at);
        cx.change(Change::Address(address.record(cx.node, id, false)));
        let left = self.interfaces.get(id).map_or(&[][..], |interface| interface.addresses.as_slice());
        let subnet_stays = left.iter().any(|a| !a.secondary && a.subnet() == address.subnet());
        let address_stays = left.iter().any(|a| a.address == address.address);
        let broadcasts: Vec<Ipv4Addr> = broadcasts_of(&address)
            .filter(|gone| !left.iter().any(|a| broadcasts_of(a).any(|stays| stays == *gone)))
            .collect();
        let none_left = left.is_empty();
        if !address.secondary && !subnet_stays && address.prefix < 32 {
            self.delete_route(TABLE_MAIN, address.subnet(), id, cx);
            self.delete_route(TABLE_LOCAL, address.subnet(), id, cx);
        }
        for broadcast in broadcasts {
            self.delete_route(TABLE_LOCAL, Ipv4Net::from(broadcast), id, cx);
        }
        if !address_stays {
            self.delete_local_route(id, address.address, cx);
        }
        if self.interfaces.local(address.address).is_none() {
            self.routes.source_gone(address.address, cx);
        }
        if none_left {
            self.routes.interface_gone(id, true, cx);
            self.neighbours.interface_gone(id, true, cx);
        }
    }

    fn delete_local_route(&mut self, id: IfaceId, address: Ipv4Addr, cx: &mut Cx) {
        self.delete_route(TABLE_LOCAL, Ipv4Net::from(address), id, cx);
    }

    /// Deletes a route that the kernel made; it may be gone already.
    fn delete_route(&mut self, table: u32, destination: Ipv4Net, id: IfaceId, cx: &mut Cx) {
        let pattern = Pattern {
            table: Some(table),
            destination: Some(destination),
            iface: Some(id),
            by_kernel: Some(true),
            ..Pattern::default()
        };
        let _ = self.routes.delete(&pattern, cx);
    }

    fn add_routes_of(&mut self, id: IfaceId, address: &Address, cx: &mut Cx) {
        let Some(interface) = self.interfaces.get(id) else { return };
        let up = interface.up;
        let primary = interface
            .addresses
            .iter()
            .find(|a| !a.secondary && a.prefix == address.prefix && a.covers(address.address))
            .map_or(address.address, |primary| primary.address);
        let subnet = address.subnet();
        self.add_route(TABLE_LOCAL, RouteKind::Local, Ipv4Net::from(address.address), id, primary, cx);
        if !up {
            return;
        }
        if let Some(broadcast) = address.broadcast.filter(|broadcast| !broadcast.is_broadcast()) {
            self.add_route(TABLE_LOCAL, RouteKind::Broadcast, Ipv4Net::from(broadcast), id, primary, cx);
        }
        if address.secondary || address.prefix == 32 || subnet.network().octets()[0] == 0 {
            return;
        }
        if id == LOOPBACK {
            self.add_route(TABLE_LOCAL, RouteKind::Local, subnet, id, primary, cx);
        } else {
            self.add_route(TABLE_MAIN, RouteKind::Unicast, subnet, id, primary, cx);
        }
        if address.prefix < 31 {
            self.add_route(TABLE_LOCAL, RouteKind::Broadcast, Ipv4Net::from(subnet.broadcast()), id, primary, cx);
        }
    }

    /// Adds a route of the kernel's own; one that is there already stays.
    fn add_route(
        &mut self,
        table: u32,
        kind: RouteKind,
        destination: Ipv4Net,
        id: IfaceId,
        source: Ipv4Addr,
        cx: &mut Cx,
    ) {
        let route = NewRoute {
            table,
            kind,
            iface: Some(id),
            source: Some(source),
            scope: Some(if kind == RouteKind::Local { Scope::Host } else { Scope::Link }),
            by_kernel: true,
            ..NewRoute::to(destination)
        };
        let _ = self.routes.add(route, How::Append, &self.interfaces, cx);
    }
}

/// The broadcast addresses that an address brings with it.
fn broadcasts_of(address: &Address) -> impl Iterator<Item = Ipv4Addr> {
    let given = address.broadcast.filter(|broadcast| !broadcast.is_broadcast());
    let of_subnet = (!address.secondary && address.prefix < 31).then(|| address.subnet().broadcast());
    given.into_iter().chain(of_subnet)
}
