//! Gratuitous ARP: everybody on the link is told where the addresses are now.
//!
//! A batch is some rounds over all addresses, at once; with `garp_interval` the frames wait for each other, and an
//! address waits at most once.

use super::{Timer, Vrrp};
use crate::base::id::IfaceId;
use crate::base::time::{Duration, Instant};
use crate::kernel::syscall::Sys;
use crate::trace::Why;
use crate::wire::{Ipv4Addr, Mac};
use std::collections::{BTreeMap, BTreeSet};

/// What waits for `garp_interval`.
#[derive(Debug, Default)]
pub(super) struct Garps {
    /// By instance and place in its list.
    waiting: BTreeSet<(usize, usize, IfaceId, Ipv4Addr)>,
    /// When the next one may leave, by interface.
    next: BTreeMap<IfaceId, Instant>,
    is_armed: bool,
}

impl Vrrp {
    /// What waits is not sent: a reload forgets it.
    pub(super) fn forget_garps(&mut self) {
        self.garps.waiting.clear();
        self.garps.is_armed = false;
    }

    /// A batch of so many rounds. Nothing if the instance has given its addresses up meanwhile.
    pub(super) fn announce(&mut self, at: usize, rounds: u32, sys: &mut Sys) {
        let instance = &self.instances[at];
        if !instance.has_addresses || !instance.is_up() {
            return;
        }
        let (conf, iface) = (&instance.conf, instance.iface);
        let all = conf.addresses.iter().chain(&conf.excluded_addresses);
        let addresses: Vec<(Ipv4Addr, IfaceId)> = all
            .filter_map(|address| Some((address.v4()?, super::setup::place(address, iface, &conf.interface, sys)?)))
            .collect();
        for round in 0..rounds {
            for (place, (address, by)) in addresses.iter().enumerate() {
                if round == 0 {
                    self.say_queueing(at, *by, *address, sys);
                }
                self.announce_one((at, place, *by, *address), sys);
            }
        }
    }

    /// A master's regular advert: is it time for a refresh?
    pub(super) fn refresh(&mut self, at: usize, sys: &mut Sys) {
        let garp = self.instances[at].conf.garp;
        if self.instances[at].refresh_at.is_some_and(|due| due <= sys.now()) {
            self.instances[at].refresh_at = Some(sys.now() + garp.refresh);
            self.announce(at, garp.refresh_repeat, sys);
        }
    }

    fn announce_one(&mut self, one: (usize, usize, IfaceId, Ipv4Addr), sys: &mut Sys) {
        let (_, _, by, address) = one;
        let interval = self.interval_of(by, sys);
        if interval == Duration::ZERO {
            return self.send_garp(by, address, sys);
        }
        if self.garps.next.get(&by).is_none_or(|next| *next <= sys.now()) && !self.garps.is_armed {
            self.garps.next.insert(by, sys.now() + interval);
            return self.send_garp(by, address, sys);
        }
        self.garps.waiting.insert(one);
        self.arm(sys);
    }

    /// Sends those whose time has come: one on each interface.
    pub(super) fn send_queued(&mut self, sys: &mut Sys) {
        self.garps.is_armed = false;
        for one in self.garps.waiting.clone() {
            let (at, _, by, address) = one;
            if !self.instances[at].has_addresses {
                self.garps.waiting.remove(&one);
                continue;
            }
            if self.garps.next.get(&by).is_none_or(|next| *next <= sys.now()) {
                self.garps.waiting.remove(&one);
                self.garps.next.insert(by, sys.now() + self.interval_of(by, sys));
                self.send_garp(by, address, sys);
            }
        }
        self.arm(sys);
    }

    fn arm(&mut self, sys: &Sys) {
        if self.garps.is_armed {
            return;
        }
        let waiting = self.garps.waiting.iter().filter_map(|(_, _, by, _)| self.garps.next.get(by)).copied();
        if let Some(due) = waiting.min() {
            self.garps.is_armed = true;
            self.set_timer(due.max(sys.now()), Timer::GarpQueue);
        }
    }

    /// `garp_interval` of the interface's `garp_group`, or the global one.
    fn interval_of(&self, by: IfaceId, sys: &Sys) -> Duration {
        let config = &self.given.config;
        let name = sys.kernel.tables.interfaces.get(by).map_or("", |interface| &*interface.name);
        let group = config.garp_groups.iter().find(|group| group.interfaces.iter().any(|known| known == name));
        group.map_or(config.global.garp_interval, |group| group.garp_interval)
    }

    pub(super) fn send_garp(&self, by: IfaceId, address: Ipv4Addr, sys: &mut Sys) {
        let Some(socket) = self.packets else { return };
        let Some(mac) = sys.kernel.tables.interfaces.get(by).map(|interface| interface.mac) else { return };
        let before = sys.cx.context();
        sys.cx.note(Why::VrrpAnnounced { address });
        self.say_garp(by, address, sys);
        // An interface that is down loses it, as on a real machine.
        let _lost = sys.packet_send(socket, by, &frame(mac, address));
        sys.cx.resume(before);
    }
}

/// A question about one's own address, to everybody (RFC 826, 5227): 42 octets, without padding.
fn frame(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    const REQUEST: [u8; 8] = [0, 1, 8, 0, 6, 4, 0, 1];
    let mut frame = Vec::with_capacity(42);
    frame.extend(Mac::BROADCAST.as_bytes());
    frame.extend(mac.as_bytes());
    frame.extend([0x08, 0x06]);
    frame.extend(REQUEST);
    frame.extend(mac.as_bytes());
    frame.extend(address.octets());
    frame.extend(Mac::BROADCAST.as_bytes());
    frame.extend(address.octets());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gratuitous_arp_is_a_question_of_42_octets_about_ones_own_address() {
        let frame = frame(Mac([2, 0, 0, 0, 0, 0x11]), Ipv4Addr::new(10, 0, 0, 100));
        assert_eq!(frame.len(), 42);
        assert_eq!(frame[..6], [0xff; 6]);
        assert_eq!(frame[28..32], frame[38..42]);
        assert_eq!(frame[32..38], [0xff; 6]);
    }
}
