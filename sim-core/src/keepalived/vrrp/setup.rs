//! What the process asks of the kernel: interfaces, sockets, addresses, routes, the VMAC's macvlan, the filter that makes
//! a virtual address mute (`no_accept`, strict mode).

use super::super::config::{self, Authentication, Config, VirtualAddress, VirtualRoute, VirtualRule};
use super::instance::{Fault, OWNER};
use super::log::{Held, is_old};
use super::{Vrrp, instance::Instance};
use crate::base::id::IfaceId;
use crate::kernel::process::{Env, SocketId};
use crate::kernel::syscall::{Stdio, Sys};
use crate::tables::filter::Maybe;
use crate::tables::filter::ip::{Matches, Rule, Table, Target};
use crate::tables::interfaces::Address;
use crate::trace::record::VrrpState;
use crate::wire::{Ipv4Addr, Mac, vrrp};
use ipnet::Ipv4Net;
use std::net::IpAddr;

/// The protocol of IPSEC AH.
pub(super) const PROTOCOL_AH: u8 = 51;

/// A socket on which adverts arrive.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) socket: SocketId,
    pub(super) iface: IfaceId,
    pub(super) protocol: u8,
    pub(super) is_unicast: bool,
    /// The group, or the address of this host.
    pub(super) address: Ipv4Addr,
    /// The instances it is for, by place.
    pub(super) members: Vec<usize>,
}

impl Vrrp {
    // ── interfaces ──

    /// Looks up the interface and source address of each instance. False if an interface is not there.
    pub(super) fn find_interfaces(&mut self, sys: &mut Sys) -> bool {
        let mut is_complete = true;
        for at in 0..self.instances.len() {
            let name = self.instances[at].conf.interface.clone();
            let found = sys.kernel.tables.interfaces.named(&name).map(|interface| interface.id);
            let instance = &mut self.instances[at];
            (instance.base, instance.iface) = (found, found);
            if found.is_none() {
                let instance = &instance.conf.name;
                let text = format!("WARNING - interface {name} for vrrp_instance {instance} doesn't exist");
                self.voice.say(&text, sys);
                is_complete = false;
            }
            self.find_source(at, sys);
        }
        if !is_complete && !self.given.config.global.dynamic_interfaces {
            self.voice.say("Non-existent interface specified in configuration", sys);
            return false;
        }
        true
    }

    /// The address that adverts come from: the one configured, or the interface's first.
    pub(super) fn find_source(&mut self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        let interface = instance.base.and_then(|id| sys.kernel.tables.interfaces.get(id));
        let addresses = interface.map_or(&[][..], |interface| &interface.addresses);
        let given = match instance.conf.source {
            Some(IpAddr::V4(address)) => Some(address),
            Some(IpAddr::V6(_)) | None => None,
        };
        let first = addresses.iter().map(|address| address.address);
        // Virtual addresses do not count: they may go.
        let natural = first.clone().find(|address| !self.is_virtual(*address));
        let is_missing = match given {
            Some(given) if instance.conf.track_source => !first.clone().any(|address| address == given),
            Some(_) => false,
            None => natural.is_none(),
        };
        self.instances[at].source = given.or(natural);
        let has_no_peer = instance_has_no_peer(&self.instances[at]);
        for (is_there, fault) in [(is_missing, Fault::Address), (has_no_peer, Fault::Peer)] {
            match is_there {
                true => self.bring_down(at, fault, sys),
                false => self.bring_up(at, fault, sys),
            }
        }
    }

    fn is_virtual(&self, address: Ipv4Addr) -> bool {
        let confs = self.instances.iter().map(|instance| &instance.conf);
        let mut all = confs.flat_map(|conf| conf.addresses.iter().chain(&conf.excluded_addresses));
        all.any(|own| own.v4() == Some(address))
    }

    /// Addresses came or went: those of the instances, and those that adverts come from.
    pub(super) fn look_at_addresses(&mut self, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let before = self.instances[at].source;
            self.find_source(at, sys);
            let instance = &self.instances[at];
            if let Some(iface) = instance.base
                && before != instance.source
            {
                let name = super::log::name_of(iface, sys);
                let text = match (before, instance.source) {
                    (_, Some(source)) => format!("Assigned address {source} for interface {name}"),
                    (before, None) => {
                        let lost = before.unwrap_or(Ipv4Addr::UNSPECIFIED);
                        format!("Deassigned address {lost} from interface {name}")
                    }
                };
                self.voice.detail(&text, sys);
            }
            self.look_for_lost(at, sys);
        }
    }

    /// Somebody took a virtual address away from a master: it steps down, tells everybody, and soon takes over again.
    fn look_for_lost(&mut self, at: usize, sys: &mut Sys) {
        let instance = &self.instances[at];
        if instance.state != VrrpState::Master || !instance.has_addresses {
            return;
        }
        let (conf, iface) = (&instance.conf, instance.iface);
        let lost = conf.addresses.iter().chain(&conf.excluded_addresses).find_map(|address| {
            let (ip, on) = (address.v4()?, place(address, iface, &conf.interface, sys)?);
            let is_lost = !address.untracked && !sys.kernel.tables.interfaces.stands_on(ip, on);
            is_lost.then_some((ip, on))
        });
        let Some((address, on)) = lost else { return };
        let name = super::log::name_of(on, sys);
        let text = match is_old(sys) {
            true => format!("Netlink reflector reports IP {address} removed"),
            false => format!("Netlink reflector reports IP {address} removed from {name}"),
        };
        self.voice.say(&text, sys);
        if is_old(sys) {
            return;
        }
        self.leave_master(at, VrrpState::Backup, true, sys);
        let instance = &mut self.instances[at];
        instance.down = instance.skew();
        self.restart_timer(at, sys);
        self.follow(at, VrrpState::Master);
    }

    // ── sockets ──

    pub(super) fn open_receivers(&mut self, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let instance = &self.instances[at];
            let by_base = instance.conf.vmac.as_ref().is_some_and(|vmac| vmac.transmit_by_base);
            let Some(iface) = (if by_base { instance.base } else { instance.iface }) else { continue };
            let is_unicast = instance.conf.unicast.is_some();
            let protocol = match instance.conf.authentication {
                Some(Authentication::Ah(_)) => PROTOCOL_AH,
                Some(Authentication::Pass(_)) | None => vrrp::PROTOCOL,
            };
            let own = instance.source.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let address = if is_unicast { own } else { instance.conf.multicast_group };
            let key = (iface, protocol, is_unicast, address);
            let same = |known: &&mut Receiver| (known.iface, known.protocol, known.is_unicast, known.address) == key;
            if let Some(receiver) = self.receivers.iter_mut().find(same) {
                receiver.members.push(at);
                continue;
            }
            let socket = sys.raw(protocol);
            // The socket was just made, and the interface is there: the calls cannot fail.
            let _bound = sys.bind_to_device(socket, Some(iface));
            if !is_unicast {
                let _joined = sys.join_group(socket, address, iface);
            }
            self.receivers.push(Receiver { socket, iface, protocol, is_unicast, address, members: vec![at] });
        }
        if let Some(sender) = self.sender {
            let _quiet = sys.set_multicast(sender, None, vrrp::TTL, false);
        }
    }

    // ── addresses ──

    /// A master takes its addresses.
    pub(super) fn set_addresses(&mut self, at: usize, sys: &mut Sys) {
        self.set_mute(at, true, sys);
        self.put_addresses(at, sys);
        self.instances[at].has_addresses = true;
    }

    /// Whether an address is new.
    fn put_addresses(&mut self, at: usize, sys: &mut Sys) -> bool {
        let Instance { conf, iface, .. } = &self.instances[at];
        let mut is_new = false;
        for (held, addresses) in
            [(Held::Addresses, &conf.addresses), (Held::ExcludedAddresses, &conf.excluded_addresses)]
        {
            self.say_handling(at, true, held, sys);
            for address in addresses {
                let Some(on) = place(address, *iface, &conf.interface, sys) else { continue };
                let refused = add(address, on, sys);
                is_new |= !refused;
                if refused && is_old(sys) {
                    self.voice.say("Netlink: error: File exists, type=(20), seq=1256202461, pid=0", sys);
                }
            }
        }
        self.say_handling(at, true, Held::Routes, sys);
        for route in &conf.routes {
            ip_route("add", route, sys);
        }
        self.say_handling(at, true, Held::Rules, sys);
        for rule in &conf.rules {
            ip_rule("add", rule, sys);
        }
        is_new
    }

    /// The addresses go, if the instance has any.
    pub(super) fn remove_addresses(&mut self, at: usize, sys: &mut Sys) {
        if !std::mem::replace(&mut self.instances[at].has_addresses, false) {
            return;
        }
        self.take_addresses(at, sys);
        self.set_mute(at, false, sys);
    }

    fn take_addresses(&self, at: usize, sys: &mut Sys) {
        let Instance { conf, iface, .. } = &self.instances[at];
        self.say_handling(at, false, Held::Rules, sys);
        for rule in &conf.rules {
            ip_rule("del", rule, sys);
        }
        self.say_handling(at, false, Held::Routes, sys);
        for route in &conf.routes {
            ip_route("del", route, sys);
        }
        for (held, addresses) in
            [(Held::Addresses, &conf.addresses), (Held::ExcludedAddresses, &conf.excluded_addresses)]
        {
            self.say_handling(at, false, held, sys);
            for address in addresses {
                if let Some(on) = place(address, *iface, &conf.interface, sys) {
                    delete(address, on, sys);
                }
            }
        }
    }

    /// At the start: what an earlier run that was killed left behind.
    pub(super) fn clear_addresses(&mut self, at: usize, sys: &mut Sys) {
        if self.instances[at].has_new_vmac || is_old(sys) {
            return;
        }
        self.take_addresses(at, sys);
        if !self.instances[at].accepts() {
            self.detail_of(at, "removing firewall drop rule", sys);
            mute(&self.instances[at], false, sys);
        }
        self.find_source(at, sys);
    }

    /// A reload: addresses, routes and rules of a master that are no longer in the file go, new ones come. New addresses
    /// are announced, and the others with them, once.
    pub(super) fn change_addresses(&mut self, at: usize, before: &Instance, sys: &mut Sys) {
        let Instance { conf, iface, .. } = &self.instances[at];
        for rule in before.conf.rules.iter().filter(|old| !conf.rules.contains(old)) {
            ip_rule("del", rule, sys);
        }
        for route in before.conf.routes.iter().filter(|old| !conf.routes.contains(old)) {
            ip_route("del", route, sys);
        }
        let kept = |old: &VirtualAddress| conf.addresses.iter().chain(&conf.excluded_addresses).any(|new| new == old);
        let old = before.conf.addresses.iter().chain(&before.conf.excluded_addresses);
        for old in old.filter(|old| !kept(old)) {
            if let (Some(on), Some(address)) = (place(old, *iface, &conf.interface, sys), old.v4()) {
                self.say_gone(at, address, old.prefix_len, on, sys);
                delete(old, on, sys);
            }
        }
        if !before.accepts() {
            mute(before, false, sys);
        }
        self.set_mute(at, true, sys);
        if self.put_addresses(at, sys) {
            let garp = self.instances[at].conf.garp;
            self.announce(at, garp.repeat, sys);
        }
    }

    // ── a mute address ──

    fn set_mute(&mut self, at: usize, mute: bool, sys: &mut Sys) {
        if self.instances[at].accepts() {
            return;
        }
        let verb = if mute { "setting" } else { "removing" };
        self.detail_of(at, &format!("{verb} firewall drop rule"), sys);
        self::mute(&self.instances[at], mute, sys);
    }

    // ── VMAC ──

    pub(super) fn create_vmacs(&mut self, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let instance = &self.instances[at];
            let (Some(vmac), Some(base)) = (&instance.conf.vmac, instance.base) else { continue };
            let name = vmac_name(&instance.conf, vmac);
            let mac = Mac(vmac.mac.unwrap_or([0, 0, 0x5e, 0, 1, instance.conf.vrid]));
            let tables = &mut sys.kernel.tables;
            let known = tables.interfaces.named(&name).map(|interface| interface.id);
            let Some(id) = known.or_else(|| tables.add_macvlan(&name, base, mac, sys.cx).ok()) else {
                self.say_vmac(at, &format!("Unable to create VMAC interface {name}"), sys);
                continue;
            };
            match known {
                None => self.say_vmac(at, &format!("Success creating VMAC interface {name}"), sys),
                Some(_) => self.say_of(at, &format!("Found matching interface {name}"), sys),
            }
            self.instances[at].has_new_vmac = known.is_none();
            let parent = super::log::name_of(base, sys);
            let settings =
                [(&parent, "arp_ignore"), (&parent, "arp_filter"), (&name, "arp_ignore"), (&name, "accept_local")];
            for (interface, setting) in settings {
                // The settings are there: both interfaces are.
                let _set = sys.kernel.tables.sysctl.set(&format!("net.ipv4.conf.{interface}.{setting}"), "1", sys.cx);
            }
            let _up = sys.kernel.set_up(id, true, sys.out, sys.cx);
            self.instances[at].iface = Some(id);
        }
    }

    pub(super) fn remove_vmacs(&mut self, sys: &mut Sys) {
        for at in 0..self.instances.len() {
            let instance = &self.instances[at];
            let (Some(iface), true) = (instance.iface, instance.iface != instance.base) else { continue };
            let name = super::log::name_of(iface, sys);
            if sys.kernel.tables.delete_interface(iface, sys.cx).is_ok() {
                self.say_vmac(at, &format!("Success removing VMAC interface {name}"), sys);
            }
        }
    }

    fn say_vmac(&self, at: usize, text: &str, sys: &mut Sys) {
        // keepalived writes a colon here and nowhere else: recorded.
        let name = &self.instances[at].conf.name;
        match text.starts_with("Success creating") {
            true => self.voice.say(&format!("({name}): {text}"), sys),
            false => self.voice.say(&format!("({name}) {text}"), sys),
        }
    }

    // ── what is static ──

    /// `promote_secondaries`: other addresses of the network outlive the one that is taken away.
    pub(super) fn set_promotion(&mut self, sys: &mut Sys) {
        for instance in self.instances.iter().filter(|instance| instance.conf.promote_secondaries) {
            let path = promotion(&instance.conf.interface);
            if sys.read_file(&path).is_ok_and(|value| value.starts_with(b"0")) && sys.write_file(&path, b"1\n").is_ok()
            {
                self.promoted.push(path);
            }
        }
    }

    pub(super) fn clear_promotion(&mut self, sys: &mut Sys) {
        for path in std::mem::take(&mut self.promoted) {
            // The interface may be gone.
            let _gone = sys.write_file(&path, b"0\n");
        }
    }

    pub(super) fn set_static(&self, config: &Config, sys: &mut Sys) {
        for address in &config.static_addresses {
            if let Some(on) = place(address, None, "", sys) {
                add(address, on, sys);
            }
        }
        for route in &config.static_routes {
            ip_route("add", route, sys);
        }
        for rule in &config.static_rules {
            ip_rule("add", rule, sys);
        }
    }

    pub(super) fn clear_static(&self, sys: &mut Sys) {
        let config = &self.given.config;
        for rule in &config.static_rules {
            ip_rule("del", rule, sys);
        }
        for route in &config.static_routes {
            ip_route("del", route, sys);
        }
        for address in &config.static_addresses {
            if let Some(on) = place(address, None, "", sys) {
                delete(address, on, sys);
            }
        }
    }
}

impl Instance {
    /// Whether packets to the addresses are taken.
    fn accepts(&self) -> bool {
        self.conf.accept || self.base_priority == OWNER
    }
}

/// Packets to and from the addresses are dropped. (nftables does it on a real machine, where `iptables -L` does not show
/// it.)
fn mute(instance: &Instance, mute: bool, sys: &mut Sys) {
    let filter = &mut sys.kernel.tables.filter.ip;
    for address in instance.advertised() {
        let net = Some(Maybe::is(Ipv4Net::new_assert(address, 32)));
        let to = Matches { destination: net, ..Matches::default() };
        let from = Matches { source: net, ..Matches::default() };
        for (chain, matches) in [("INPUT", to), ("OUTPUT", from)] {
            // A rule that is gone already need not be deleted; a table that is full is left as it is.
            let _done = match mute {
                true => {
                    let rule = Rule { matches, target: Target::Drop, packets: 0, bytes: 0 };
                    filter.insert(Table::Filter, chain, Some(0), rule)
                }
                false => filter.delete(Table::Filter, chain, &matches, &Target::Drop),
            };
        }
    }
}

/// What the VMAC's macvlan is called.
pub(super) fn vmac_name(conf: &config::Instance, vmac: &config::instance::Vmac) -> String {
    match vmac.interface.as_str() {
        "" => format!("vrrp.{}", conf.vrid),
        name => name.to_owned(),
    }
}

fn instance_has_no_peer(instance: &Instance) -> bool {
    instance.conf.unicast.as_ref().is_some_and(|unicast| unicast.fault_without_peer && unicast.peers.is_empty())
}

/// The interface an address goes to: its own `dev`, or that of the instance (which may be the VMAC's).
pub(super) fn place(address: &VirtualAddress, own: Option<IfaceId>, named: &str, sys: &Sys) -> Option<IfaceId> {
    if address.interface.is_empty() || address.interface == named {
        return own;
    }
    sys.kernel.tables.interfaces.named(&address.interface).map(|interface| interface.id)
}

/// Whether it was refused: the address is there already.
fn add(address: &VirtualAddress, on: IfaceId, sys: &mut Sys) -> bool {
    let Some(ip) = address.v4() else { return false };
    let label = match address.label.as_str() {
        "" => super::log::name_of(on, sys),
        label => label.to_owned(),
    };
    let new = Address {
        address: ip,
        prefix: address.prefix_len,
        broadcast: address.broadcast,
        scope: address.scope,
        label: label.into(),
        secondary: false,
    };
    sys.kernel.tables.add_address(on, new, sys.cx).is_err()
}

fn delete(address: &VirtualAddress, on: IfaceId, sys: &mut Sys) {
    if let Some(ip) = address.v4() {
        // One that somebody else took away already is gone.
        let _gone = sys.kernel.tables.delete_address(on, ip, Some(address.prefix_len), sys.cx);
    }
}

fn ip_route(verb: &str, route: &VirtualRoute, sys: &mut Sys) {
    ip("route", verb, &route.words, sys);
}

fn ip_rule(verb: &str, rule: &VirtualRule, sys: &mut Sys) {
    ip("rule", verb, &rule.words, sys);
}

/// Routes and rules go through the same door as when they are typed.
fn ip(what: &str, verb: &str, words: &[String], sys: &mut Sys) {
    let mut argv = vec!["ip".to_owned(), what.to_owned(), verb.to_owned()];
    argv.extend(words.iter().cloned());
    if let Ok(pid) = sys.spawn(&argv, &Env::new(), Stdio::default()) {
        sys.disown(pid);
    }
}

/// Where the kernel's setting stands.
fn promotion(interface: &str) -> String {
    format!("/proc/sys/net/ipv4/conf/{interface}/promote_secondaries")
}
