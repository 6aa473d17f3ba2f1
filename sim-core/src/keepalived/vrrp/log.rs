//! The words of the log: 2.2.7's, and those of the first generation (1.1 to 1.3).

use super::super::era::Era;
use super::Vrrp;
use crate::base::id::IfaceId;
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::trace::record::VrrpState;
use crate::wire::Ipv4Addr;

impl Vrrp {
    /// `(VI_1) TEXT`, or `VRRP_Instance(VI_1) TEXT`.
    pub(super) fn say_of(&self, at: usize, text: &str, sys: &mut Sys) {
        let line = self.line_of(at, text, sys);
        self.voice.say(&line, sys);
    }

    /// The same, with `-D` only.
    pub(super) fn detail_of(&self, at: usize, text: &str, sys: &mut Sys) {
        let line = self.line_of(at, text, sys);
        self.voice.detail(&line, sys);
    }

    fn line_of(&self, at: usize, text: &str, sys: &Sys) -> String {
        let name = &self.instances[at].conf.name;
        let title = if is_old(sys) { "VRRP_Instance" } else { "" };
        format!("{title}({name}) {text}")
    }

    // ── the process ──

    pub(super) fn say_registering(&self, sys: &mut Sys) {
        for text in ["Registering Kernel netlink reflector", "Registering Kernel netlink command channel"] {
            self.say_if_old_or_detailed(text, sys);
        }
    }

    /// What 1.x always says and 2.2.7 with `-D` only.
    fn say_if_old_or_detailed(&self, text: &str, sys: &mut Sys) {
        match is_old(sys) {
            true => self.voice.say(text, sys),
            false => self.voice.detail(text, sys),
        }
    }

    pub(super) fn say_addresses(&self, sys: &mut Sys) {
        let mut said = Vec::new();
        for instance in &self.instances {
            let Some(iface) = instance.base else { continue };
            // The first address counts here, whether it is a virtual one or not.
            let Some(source) = sys.kernel.tables.interfaces.get(iface).and_then(|it| it.addresses.first()) else {
                continue;
            };
            if said.contains(&iface) {
                continue;
            }
            said.push(iface);
            let (name, source) = (name_of(iface, sys), source.address);
            match is_old(sys) {
                true => self.voice.say(&format!("Netlink reflector reports IP {source} added"), sys),
                false => self.voice.detail(&format!("Assigned address {source} for interface {name}"), sys),
            }
        }
    }

    pub(super) fn say_registered(&self, sys: &mut Sys) {
        let text = match Era::of(sys.kernel.os) {
            Era::V1_1 => "Registering gratutious ARP shared channel",
            Era::V1_3 | Era::V2_2 => "Registering gratuitous ARP shared channel",
        };
        self.say_if_old_or_detailed(text, sys);
        let file = self.voice.launch().file.clone();
        if is_old(sys) {
            self.voice.say(&format!("Opening file '{file}'."), sys);
        }
    }

    pub(super) fn say_sockets(&self, sys: &mut Sys) {
        let era = Era::of(sys.kernel.os);
        for (place, receiver) in self.receivers.iter().enumerate() {
            let (index, protocol) = (receiver.iface.0, receiver.protocol);
            let fd = 12 + 2 * place;
            let group = receiver.address;
            let text = match era {
                Era::V1_1 => format!("VRRP sockpool: [ifindex({index}), proto({protocol}), fd({fd},{})]", fd + 1),
                Era::V1_3 => {
                    let unicast = u8::from(receiver.is_unicast);
                    format!(
                        "VRRP sockpool: [ifindex({index}), proto({protocol}), unicast({unicast}), fd({fd},{})]",
                        fd + 1
                    )
                }
                Era::V2_2 => {
                    let how = if receiver.is_unicast { ", unicast" } else { "multicast" };
                    let first = format!("VRRP sockpool: [ifindex({index:3}), family(IPv4), proto({protocol})");
                    format!("{first}, fd({fd},{}) {how}, address({group})]", fd + 1)
                }
            };
            self.say_if_old_or_detailed(&text, sys);
        }
    }

    /// A process that was stopped or starved says by how much a timer is late.
    pub(super) fn say_late(&self, sys: &mut Sys) {
        let timers = self.timers.keys().map(|(at, _)| *at).next();
        let first = timers.into_iter().chain(self.next_instance().map(|((at, _), _)| at)).min();
        let Some(first) = first.filter(|first| *first < sys.now()) else { return };
        let late = sys.now().since(first);
        if late >= Duration::from_secs(1) && !is_old(sys) {
            let (whole, micros) = (late.secs(), late.nanos() / 1_000 % 1_000_000);
            self.voice.say(&format!("A thread timer expired {whole}.{micros:06} seconds ago"), sys);
        }
    }

    pub(super) fn say_link(&self, name: &str, up: bool, sys: &mut Sys) {
        let text = match (is_old(sys), up) {
            (false, true) => format!("Netlink reports {name} up"),
            (false, false) => format!("Netlink reports {name} down"),
            (true, true) => format!("Kernel is reporting: interface {name} UP"),
            (true, false) => format!("Kernel is reporting: interface {name} DOWN"),
        };
        self.voice.say(&text, sys);
    }

    pub(super) fn say_unknown(&self, vrid: u8, iface: IfaceId, sys: &mut Sys) {
        let name = name_of(iface, sys);
        self.voice.say(&format!("Unknown VRID({vrid}) received on interface({name}). ignoring..."), sys);
    }

    // ── states ──

    pub(super) fn say_entering(&self, at: usize, state: VrrpState, init: bool, sys: &mut Sys) {
        let suffix = if init && !is_old(sys) { " (init)" } else { "" };
        self.say_of(at, &format!("Entering {state} STATE{suffix}"), sys);
        if state == VrrpState::Fault && is_old(sys) {
            self.say_of(at, "Now in FAULT state", sys);
        }
    }

    /// What is in FAULT from the start, and why: first all reasons, then all instances.
    pub(super) fn say_faults(&mut self, sys: &mut Sys) {
        if is_old(sys) {
            return;
        }
        for at in 0..self.instances.len() {
            self.say_reasons(at, sys);
        }
        for group in &self.groups {
            let first = group.members.iter().find(|member| !self.instances[**member].is_up());
            if let Some(first) = first {
                let (group, member) = (&group.conf.name, &self.instances[*first].conf.name);
                self.voice.say(&format!("VRRP_Group({group}): Syncing {member} to FAULT state"), sys);
            }
        }
        for at in 0..self.instances.len() {
            let is_down = !self.instances[at].is_up() || self.group_is_down(at);
            if is_down && !std::mem::replace(&mut self.instances[at].has_said_fault, true) {
                self.say_of(at, "entering FAULT state", sys);
            }
        }
    }

    fn say_reasons(&self, at: usize, sys: &mut Sys) {
        let name = &self.instances[at].conf.name;
        for (colon, reason) in self.faults_of(at) {
            let colon = if colon { ":" } else { "" };
            self.voice.say(&format!("({name}){colon} entering FAULT state {reason}"), sys);
        }
    }

    pub(super) fn say_fault_at_start(&self, at: usize, sys: &mut Sys) {
        if is_old(sys) {
            return self.say_of(at, "Entering FAULT STATE", sys);
        }
        self.say_reasons(at, sys);
        self.say_of(at, "entering FAULT state", sys);
    }

    pub(super) fn say_transition(&self, at: usize, sys: &mut Sys) {
        self.say_of(at, "Transition to MASTER STATE", sys);
    }

    pub(super) fn say_timeout(&self, at: usize, sys: &mut Sys) {
        if !is_old(sys) {
            self.detail_of(at, "Receive advertisement timeout", sys);
        }
    }

    /// `setting VIPs.`, `removing E-VIPs.`, `setting Virtual Routes`, if there are any.
    pub(super) fn say_handling(&self, at: usize, sets: bool, what: Held, sys: &mut Sys) {
        let conf = &self.instances[at].conf;
        let (is_empty, noun) = match what {
            Held::Addresses => (conf.addresses.is_empty(), "VIPs."),
            Held::ExcludedAddresses => (conf.excluded_addresses.is_empty(), "E-VIPs."),
            Held::Routes => (conf.routes.is_empty(), "Virtual Routes"),
            Held::Rules => (conf.rules.is_empty(), "Virtual Rules"),
        };
        let (verb, protocol) = (if sets { "setting" } else { "removing" }, if is_old(sys) { "protocol " } else { "" });
        if !is_empty {
            self.detail_of(at, &format!("{verb} {protocol}{noun}"), sys);
        }
    }

    /// An address that a reload takes away.
    pub(super) fn say_gone(&self, at: usize, address: Ipv4Addr, prefix_len: u8, on: IfaceId, sys: &mut Sys) {
        if !is_old(sys) {
            let name = name_of(on, sys);
            self.say_of(at, &format!("ip address {address}/{prefix_len} dev {name}, no longer exist"), sys);
        }
    }

    /// Who was in FAULT and speaks to its peers one by one tells them where it is.
    pub(super) fn say_own_garp(&self, at: usize, source: Ipv4Addr, sys: &mut Sys) {
        let name = &self.instances[at].conf.name;
        self.voice.detail(&format!("{name}: sending gratuitous ARP for {source}"), sys);
    }

    pub(super) fn say_zero(&self, at: usize, sys: &mut Sys) {
        self.detail_of(at, "sent 0 priority", sys);
    }

    pub(super) fn say_priority(&self, at: usize, from: u8, to: u8, sys: &mut Sys) {
        self.say_of(at, &format!("Changing effective priority from {from} to {to}"), sys);
    }

    pub(super) fn say_syncing(&self, group: usize, state: VrrpState, sys: &mut Sys) {
        let name = &self.groups[group].conf.name;
        self.voice.say(&format!("VRRP_Group({name}) Syncing instances to {state} state"), sys);
    }

    // ── adverts ──

    pub(super) fn say_left(&self, at: usize, sys: &mut Sys) {
        if !is_old(sys) {
            self.detail_of(at, "Backup received priority 0 advertisement", sys);
        }
    }

    pub(super) fn say_left_to_master(&self, at: usize, sys: &mut Sys) {
        if !is_old(sys) {
            self.detail_of(at, "Master received priority 0 message", sys);
        }
    }

    pub(super) fn say_discarding(&self, at: usize, priority: u8, from: Ipv4Addr, sys: &mut Sys) {
        if !is_old(sys) {
            let text = format!("received lower priority ({priority}) advert from {from} - discarding");
            self.say_of(at, &text, sys);
        }
    }

    pub(super) fn say_yielding(&self, at: usize, priority: u8, from: Ipv4Addr, sys: &mut Sys) {
        let own = self.instances[at].priority;
        let text = match Era::of(sys.kernel.os) {
            Era::V1_1 => "Received higher prio advert".to_owned(),
            Era::V1_3 if priority == own => {
                format!("Received advert from {from} with same priority {own} but higher IP address than ours")
            }
            Era::V1_3 => format!("Received advert with higher priority {priority}, ours {own}"),
            Era::V2_2 if priority == own => {
                format!("Master received advert from {from} with same priority {own} but higher IP address than ours")
            }
            Era::V2_2 => format!("Master received advert from {from} with higher priority {priority}, ours {own}"),
        };
        self.say_of(at, &text, sys);
    }

    pub(super) fn say_defending(&self, at: usize, priority: u8, from: Ipv4Addr, sys: &mut Sys) {
        let own = self.instances[at].priority;
        let forcing = if self.instances[at].conf.lower_prio_no_advert { "" } else { ", forcing new election" };
        let text = match Era::of(sys.kernel.os) {
            Era::V1_1 => "Received lower prio advert, forcing new election".to_owned(),
            Era::V1_3 => format!("Received advert with lower priority {priority}, ours {own}{forcing}"),
            Era::V2_2 => format!("Received advert from {from} with lower priority {priority}, ours {own}{forcing}"),
        };
        self.say_of(at, &text, sys);
    }

    pub(super) fn say_rejected(&self, at: usize, text: &str, sys: &mut Sys) {
        self.say_of(at, text, sys);
    }

    pub(super) fn say_own_address(&self, at: usize, sys: &mut Sys) {
        self.say_of(at, "WARNING - equal priority advert received from remote host with our IP address.", sys);
    }

    pub(super) fn say_two_owners(&self, at: usize, sys: &mut Sys) {
        let text = "CONFIGURATION ERROR: local instance and a remote instance are both configured as address owner, please \
                    fix - reducing local priority";
        self.say_of(at, text, sys);
    }

    pub(super) fn say_interval(&self, at: usize, from: Duration, to: Duration, sys: &mut Sys) {
        let (from, to) = (from.millis(), to.millis());
        self.detail_of(at, &format!("advertisement interval updated from {from}ms to {to}ms by master"), sys);
    }

    pub(super) fn say_own_interval(&self, at: usize, from: Duration, to: Duration, sys: &mut Sys) {
        let (from, to) = (from.millis(), to.millis());
        self.detail_of(at, &format!("changing advert interval from {from}ms to locally configured {to}ms"), sys);
    }

    pub(super) fn say_preempt_delay(&self, at: usize, delay: Duration, sys: &mut Sys) {
        let (whole, micros) = (delay.secs(), delay.nanos() / 1_000 % 1_000_000);
        self.detail_of(at, &format!("start preempt delay ({whole}.{micros:06})"), sys);
    }

    pub(super) fn say_preempt_over(&self, at: usize, sys: &mut Sys) {
        self.detail_of(at, "stop preempt delay", sys);
    }

    // ── gratuitous ARP ──

    pub(super) fn say_queueing(&self, at: usize, by: IfaceId, address: Ipv4Addr, sys: &mut Sys) {
        let name = name_of(by, sys);
        let what = match Era::of(sys.kernel.os) {
            Era::V1_1 => "Sending",
            Era::V1_3 | Era::V2_2 => "Sending/queueing",
        };
        self.detail_of(at, &format!("{what} gratuitous ARPs on {name} for {address}"), sys);
    }

    pub(super) fn say_garp(&self, by: IfaceId, address: Ipv4Addr, sys: &mut Sys) {
        let name = name_of(by, sys);
        if Era::of(sys.kernel.os) != Era::V1_1 {
            self.voice.detail(&format!("Sending gratuitous ARP on {name} for {address}"), sys);
        }
    }
}

/// What an instance holds as master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// `virtual_ipaddress`.
    Addresses,
    /// `virtual_ipaddress_excluded`.
    ExcludedAddresses,
    /// `virtual_routes`.
    Routes,
    /// `virtual_rules`.
    Rules,
}

pub(super) fn is_old(sys: &Sys) -> bool {
    Era::of(sys.kernel.os).is_old()
}

pub(super) fn name_of(iface: IfaceId, sys: &Sys) -> String {
    sys.kernel.tables.interfaces.get(iface).map_or_else(String::new, |interface| interface.name.to_string())
}
