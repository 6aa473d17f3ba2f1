//! Adverts: what is sent, and what becomes of one that was heard: the checks in keepalived's order, then what a backup and
//! a master do about it.
//!
//! ```text
//!   packet ─► whose VRID? ─► length, TTL, version, password, interval, type, count, sum, addresses ─┬─ backup ─► heard, discarded
//!                                                                                                   └─ master ─► stays, yields
//! ```
//! A master that has read any advert of its VRID starts its own timer anew, also if it did not believe it: two masters
//! that do not understand each other push each other's adverts away.

use super::super::config::{Authentication, OldChecksum, Unicast, Version};
use super::instance::{Instance, OWNER, Preempt};
use super::setup::PROTOCOL_AH;
use super::{Timer, Vrrp, ah};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::trace::Why;
use crate::trace::record::{VrrpFlaw, VrrpState};
use crate::wire::Ipv4Addr;
use crate::wire::vrrp::{self, Advert, View};
use std::cmp::Ordering;
use std::net::IpAddr;

const IP_HEADER: usize = 20;

/// What gratuitous ARPs against a master of less priority take: recorded, 0.1 to 6 ms.
const DEFENDING: Duration = Duration::from_millis(1);

/// An advert that was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard<'a> {
    /// The whole packet.
    packet: &'a [u8],
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ttl: u8,
    view: View<'a>,
}

impl<'a> Heard<'a> {
    /// Reads a packet; none if it is too short for an advert.
    fn read(packet: &'a [u8]) -> Option<Heard<'a>> {
        let header = usize::from(packet.first()? & 15) * 4;
        let more = if *packet.get(9)? == PROTOCOL_AH { ah::HEADER } else { 0 };
        let view = View::new(packet.get(header + more..)?)?;
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        Some(Heard { packet, source: address(12), destination: address(16), ttl: packet[8], view })
    }

    fn interval(&self) -> Duration {
        match self.view.version() {
            // An interval of 0 would let a backup time out again and again at one instant: it counts as the shortest.
            3 => Duration::from_millis(u64::from(self.view.interval_cs().max(1)) * 10),
            _ => Duration::from_secs(u64::from(self.view.interval_s())),
        }
    }
}

impl Vrrp {
    // ── out ──

    /// Sends an advert of this priority: to the group, or to each peer in turn.
    pub(super) fn send_advert(&mut self, at: usize, priority: u8, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        let (Some(sender), Some(source)) = (self.sender, instance.source) else { return };
        instance.stats.sent += 1;
        match &instance.conf.unicast {
            None => {
                let by = match instance.conf.vmac.as_ref().is_some_and(|vmac| vmac.transmit_by_base) {
                    true => instance.base,
                    false => instance.iface,
                };
                let packet = instance.advert(priority, source, instance.conf.multicast_group);
                // An interface that is down loses it, as on a real machine.
                let _lost = sys.raw_send_header(sender, by, &packet);
            }
            Some(unicast) => {
                let peers: Vec<IpAddr> = unicast.peers.iter().map(|peer| peer.address).collect();
                for peer in peers {
                    let IpAddr::V4(peer) = peer else { continue };
                    let packet = self.instances[at].advert(priority, source, peer);
                    let _lost = sys.raw_send_header(sender, None, &packet);
                }
            }
        }
    }

    // ── in ──

    /// A packet came in by a receiver.
    pub(super) fn heard(&mut self, receiver: usize, packet: &[u8], sys: &mut Sys) {
        let Some(heard) = Heard::read(packet) else { return };
        let receiver = &self.receivers[receiver];
        if heard.destination.is_multicast() == receiver.is_unicast {
            return;
        }
        let vrid = heard.view.vrid();
        let Some(at) = receiver.members.iter().copied().find(|at| self.instances[*at].conf.vrid == vrid) else {
            if self.given.config.global.log_unknown_vrids {
                let iface = receiver.iface;
                self.say_unknown(vrid, iface, sys);
            }
            return;
        };
        let before = self.instances[at].state;
        match before {
            VrrpState::Init | VrrpState::Fault => return,
            VrrpState::Backup => self.hear_as_backup(at, &heard, sys),
            VrrpState::Master => self.hear_as_master(at, &heard, sys),
        }
        self.follow(at, before);
    }

    fn hear_as_backup(&mut self, at: usize, heard: &Heard, sys: &mut Sys) {
        let vrid = heard.view.vrid();
        let skips = self.instances[at].conf.skip_check_adv_addr && self.instances[at].last_heard == Some(heard.source);
        if !self.believes(at, heard, skips, sys) {
            return self.restart_if_delayed(at, sys);
        }
        let (from, priority) = (heard.source, heard.view.priority());
        let own = self.instances[at].priority;
        if priority == 0 {
            sys.cx.note(Why::VrrpLeft { from, vrid });
            self.say_left(at, sys);
            let instance = &mut self.instances[at];
            instance.down = instance.skew();
            return self.restart_timer(at, sys);
        }
        if priority < own && !self.lets_be(at, sys) {
            sys.cx.note(Why::VrrpDiscarded { from, vrid, priority });
            self.say_discarding(at, priority, from, sys);
            self.instances[at].master = Some(from);
            self.instances[at].last_heard = Some(from);
            return self.restart_if_delayed(at, sys);
        }
        if priority >= own && self.instances[at].preempt != Preempt::Idle {
            self.instances[at].preempt = Preempt::Idle;
            self.say_preempt_over(at, sys);
        }
        sys.cx.note(Why::VrrpAccepted { from, vrid, priority });
        self.learn_interval(at, heard, sys);
        let instance = &mut self.instances[at];
        instance.down = instance.master_down();
        instance.want = VrrpState::Backup;
        instance.last_heard = Some(from);
        if instance.master.replace(from) != Some(from) {
            self.write_state(at, sys);
        }
        self.restart_timer(at, sys);
    }

    /// An advert that counts for nothing leaves the timer running. While `vrrp_startup_delay` holds, what is left of it
    /// is put behind the end of the delay once more: recorded, and hardly meant.
    fn restart_if_delayed(&mut self, at: usize, sys: &Sys) {
        let instance = &mut self.instances[at];
        if let Some((due, _)) = instance.timer {
            instance.down = due.since(sys.now());
        }
        if self.delayed_until.is_some_and(|end| sys.now() < end) {
            self.restart_timer(at, sys);
        }
    }

    fn hear_as_master(&mut self, at: usize, heard: &Heard, sys: &mut Sys) {
        if self.believes(at, heard, false, sys) && self.yields(at, heard, sys) {
            return;
        }
        if !self.instances[at].conf.lower_prio_no_advert {
            self.restart_timer(at, sys);
        }
    }

    /// A master has heard an advert it believes. True if it is no longer master.
    fn yields(&mut self, at: usize, heard: &Heard, sys: &mut Sys) -> bool {
        let vrid = heard.view.vrid();
        let (from, priority) = (heard.source, heard.view.priority());
        let own = self.instances[at].priority;
        let by_address = self.instances[at].source.map_or(Ordering::Greater, |source| from.cmp(&source));
        let rank = priority.cmp(&own).then(by_address);
        let says_more = priority == 0 || self.instances[at].conf.higher_prio_send_advert && rank == Ordering::Greater;
        if says_more {
            if priority == 0 {
                sys.cx.note(Why::VrrpLeft { from, vrid });
                self.say_left_to_master(at, sys);
            }
            self.send_advert(at, own, sys);
            if priority == 0 {
                return false;
            }
        }
        if priority == own && by_address == Ordering::Equal {
            self.say_own_address(at, sys);
            return false;
        }
        if priority == own && own == OWNER {
            self.say_two_owners(at, sys);
            self.instances[at].base_priority = OWNER - 1;
            self.instances[at].priority = OWNER - 1;
        }
        let own = self.instances[at].priority;
        if priority.cmp(&own).then(by_address) == Ordering::Less {
            self.defend(at, heard, sys);
            return false;
        }
        sys.cx.note(Why::VrrpYielded { to: from, vrid, priority });
        self.say_yielding(at, priority, from, sys);
        self.learn_interval(at, heard, sys);
        self.instances[at].master = Some(from);
        self.leave_master(at, VrrpState::Backup, false, sys);
        true
    }

    /// Somebody with less says that he is master: told by an advert, and everybody by gratuitous ARPs.
    fn defend(&mut self, at: usize, heard: &Heard, sys: &mut Sys) {
        let (from, priority) = (heard.source, heard.view.priority());
        sys.cx.note(Why::VrrpDefended { from, vrid: heard.view.vrid(), priority });
        self.say_defending(at, priority, from, sys);
        if let Some((_, sequence)) = ah::numbers(heard.packet).filter(|_| heard.packet[9] == PROTOCOL_AH) {
            self.say_of(at, "IPSEC-AH : Syncing seq_num - Increment seq", sys);
            self.instances[at].sequence = sequence.wrapping_add(1);
        }
        if !self.instances[at].conf.lower_prio_no_advert {
            self.send_advert(at, self.instances[at].priority, sys);
        }
        self.announce_again(at, sys);
        for other in self.companions(at) {
            if self.instances[other].has_addresses {
                self.announce_again(other, sys);
            }
        }
        self.notify_lower_priority(at, sys);
    }

    fn announce_again(&mut self, at: usize, sys: &mut Sys) {
        let garp = self.instances[at].conf.garp;
        if garp.lower_prio_repeat > 0 {
            self.announce(at, garp.lower_prio_repeat, sys);
            self.work(DEFENDING, sys);
            if garp.lower_prio_delay > Duration::ZERO {
                self.set_timer(self.busy_until + garp.lower_prio_delay, Timer::LowerGarp(at));
            }
        }
    }

    /// Version 3: the master's interval is taken over.
    fn learn_interval(&mut self, at: usize, heard: &Heard, sys: &mut Sys) {
        let instance = &mut self.instances[at];
        let interval = heard.interval();
        if instance.conf.version == Version::V3 && instance.master_interval != interval {
            let before = std::mem::replace(&mut instance.master_interval, interval);
            self.say_interval(at, before, interval, sys);
        }
    }

    /// Whether an advert is sound and for this virtual router; if not, it is said why.
    fn believes(&mut self, at: usize, heard: &Heard, skips_addresses: bool, sys: &mut Sys) -> bool {
        let result = check(&self.instances[at], heard, skips_addresses);
        if is_past_authentication(&result)
            && let Some((_, sequence)) = ah::numbers(heard.packet).filter(|_| heard.packet[9] == PROTOCOL_AH)
        {
            self.instances[at].sequence = sequence;
        }
        match result {
            Ok(()) => {
                self.instances[at].stats.believed(heard.view.priority());
                true
            }
            Err((flaw, text)) => {
                self.instances[at].stats.rejected(flaw, heard.view.auth_type());
                sys.cx.note(Why::VrrpRejected { from: heard.source, vrid: heard.view.vrid(), flaw });
                self.say_rejected(at, &text, sys);
                false
            }
        }
    }
}

/// A sequence number of AH counts as soon as the sum is right, whatever is wrong further on.
fn is_past_authentication(result: &Result<(), (VrrpFlaw, String)>) -> bool {
    match result {
        Ok(()) => true,
        Err((flaw, _)) => match flaw {
            VrrpFlaw::Length | VrrpFlaw::Ttl | VrrpFlaw::Version | VrrpFlaw::AuthType | VrrpFlaw::Password => false,
            VrrpFlaw::Interval
            | VrrpFlaw::Kind
            | VrrpFlaw::Count
            | VrrpFlaw::Checksum
            | VrrpFlaw::Peer
            | VrrpFlaw::Addresses => true,
        },
    }
}

/// The checks, in keepalived's order.
fn check(instance: &Instance, heard: &Heard, skips_addresses: bool) -> Result<(), (VrrpFlaw, String)> {
    let Heard { view, ttl, source, destination, packet } = *heard;
    let conf = &instance.conf;
    let more = if packet[9] == PROTOCOL_AH { ah::HEADER } else { 0 };
    let expected = IP_HEADER + more + vrrp::length(view.version(), usize::from(view.count()));
    if packet.len() != expected {
        let how = if packet.len() > expected { "long" } else { "short" };
        let text = format!("vrrp packet too {how}, length {} and expect {expected}", packet.len());
        return Err((VrrpFlaw::Length, text));
    }
    if conf.unicast.is_none() && ttl != vrrp::TTL {
        return Err((VrrpFlaw::Ttl, format!("invalid TTL/HL. Received {ttl} and expect {}", vrrp::TTL)));
    }
    let version = if conf.version == Version::V2 { 2 } else { 3 };
    if view.version() != version {
        let text = format!("wrong version. Received {} and expect {version}", view.version());
        return Err((VrrpFlaw::Version, text));
    }
    if conf.version == Version::V2 {
        check_version_2(instance, heard)?;
    }
    if view.kind() != 1 {
        return Err((VrrpFlaw::Kind, format!("Invalid packet type. {} and expect 1", view.kind())));
    }
    let own = instance.advertised();
    if !skips_addresses && usize::from(view.count()) != own.len() {
        let text = format!("received an unexpected ip number count {}, expected {}!", view.count(), own.len());
        return Err((VrrpFlaw::Count, text));
    }
    let pseudo = (conf.version == Version::V3).then_some((source, destination));
    let old = conf.unicast.as_ref().is_some_and(|unicast| unicast.old_checksum != OldChecksum::Never);
    if !(view.sum_is_right(pseudo) || old && view.sum_is_right(None)) {
        return Err((VrrpFlaw::Checksum, format!("Invalid VRRPv{version} checksum")));
    }
    if skips_addresses {
        return Ok(());
    }
    if let Some(missing) = own.iter().find(|own| !view.addresses().any(|address| address == **own)) {
        let vrid = conf.vrid;
        let text = format!("ip address associated with VRID {vrid} not present in MASTER advert: {missing}");
        return Err((VrrpFlaw::Addresses, text));
    }
    match &conf.unicast {
        Some(unicast) => check_peer(unicast, source, ttl),
        None => Ok(()),
    }
}

fn check_version_2(instance: &Instance, heard: &Heard) -> Result<(), (VrrpFlaw, String)> {
    let (conf, view) = (&instance.conf, heard.view);
    let expected = auth_type(conf.authentication);
    if view.auth_type() > 2 {
        return Err((VrrpFlaw::AuthType, format!("Invalid auth type: {}", view.auth_type())));
    }
    if view.auth_type() != expected {
        let text = format!("received a {} auth, expecting {expected}!", view.auth_type());
        return Err((VrrpFlaw::AuthType, text));
    }
    if let Some(Authentication::Ah(key)) = conf.authentication {
        check_ah(instance, heard, key)?;
    }
    if let Some(Authentication::Pass(key)) = conf.authentication
        && view.auth_data() != Some(&key[..])
    {
        return Err((VrrpFlaw::Password, "received an invalid passwd!".to_owned()));
    }
    let own = conf.advert_interval.secs();
    if u64::from(view.interval_s()) != own {
        let text = format!("advertisement interval mismatch mine={own} sec rcv'd={} sec", view.interval_s());
        return Err((VrrpFlaw::Interval, text));
    }
    Ok(())
}

/// The sum first: nothing of a packet that was changed is believed.
fn check_ah(instance: &Instance, heard: &Heard, key: [u8; 8]) -> Result<(), (VrrpFlaw, String)> {
    let wrong = |text: String| Err((VrrpFlaw::Password, text));
    let Some((spi, sequence)) = ah::numbers(heard.packet) else {
        return wrong("IPSEC-AH : no header".to_owned());
    };
    if !ah::is_sealed(heard.packet, key, instance.conf.unicast.is_some()) {
        let text = "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !";
        return wrong(text.to_owned());
    }
    if spi != heard.source.octets() {
        return wrong("IPSEC AH : invalid IPSEC SPI value.".to_owned());
    }
    if sequence <= instance.sequence {
        let last = instance.sequence;
        let text = format!("IPSEC-AH : sequence number {sequence} already processed. Packet dropped. Local({last})");
        return wrong(text);
    }
    Ok(())
}

/// With `check_unicast_src`, which a limit for the TTL of a peer brings along.
fn check_peer(unicast: &Unicast, source: Ipv4Addr, ttl: u8) -> Result<(), (VrrpFlaw, String)> {
    if !unicast.check_source {
        return Ok(());
    }
    let Some(peer) = unicast.peers.iter().find(|peer| peer.address == IpAddr::V4(source)) else {
        return Err((VrrpFlaw::Peer, format!("unicast source address {source} not a unicast peer")));
    };
    if ttl < peer.min_ttl || ttl > peer.max_ttl {
        let text = format!("TTL/HL {ttl} not in range {} - {}", peer.min_ttl, peer.max_ttl);
        return Err((VrrpFlaw::Ttl, text));
    }
    Ok(())
}

const fn auth_type(authentication: Option<Authentication>) -> u8 {
    match authentication {
        None => 0,
        Some(Authentication::Pass(_)) => 1,
        Some(Authentication::Ah(_)) => 2,
    }
}

impl Instance {
    /// The whole packet of an advert, from its IPv4 header on; the kernel fills in length and checksum.
    fn advert(&mut self, priority: u8, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        self.last_id = self.last_id.wrapping_add(1);
        let conf = &self.conf;
        let addresses = self.advertised();
        let v3 = conf.version == Version::V3;
        let auth_data = match conf.authentication {
            Some(Authentication::Pass(key)) => key,
            Some(Authentication::Ah(_)) | None => [0; 8],
        };
        let interval = if v3 { conf.advert_interval.millis() / 10 } else { conf.advert_interval.secs() };
        let advert = Advert {
            version: if v3 { 3 } else { 2 },
            vrid: conf.vrid,
            priority,
            auth_type: auth_type(conf.authentication),
            interval: interval as u16,
            addresses: &addresses,
            auth_data,
        };
        let old = conf.unicast.as_ref().is_some_and(|unicast| unicast.old_checksum == OldChecksum::Use);
        let body = advert.emit((v3 && !old).then_some((source, destination)));
        let ttl = conf.unicast.as_ref().and_then(|unicast| unicast.ttl).unwrap_or(vrrp::TTL);
        let key = match conf.authentication {
            Some(Authentication::Ah(key)) => Some(key),
            Some(Authentication::Pass(_)) | None => None,
        };
        let protocol = if key.is_some() { PROTOCOL_AH } else { vrrp::PROTOCOL };
        let is_unicast = conf.unicast.is_some();
        let mut packet = vec![0; IP_HEADER];
        packet[0] = 0x45;
        packet[1] = vrrp::TOS;
        packet[4..6].copy_from_slice(&self.last_id.to_be_bytes());
        packet[8] = ttl;
        packet[9] = protocol;
        packet[12..16].copy_from_slice(&source.octets());
        packet[16..20].copy_from_slice(&destination.octets());
        if key.is_some() {
            self.sequence = self.sequence.wrapping_add(1);
            packet.extend(ah::header(source.octets(), self.sequence));
        }
        packet.extend(body);
        if let Some(key) = key {
            let length = packet.len() as u16;
            packet[2..4].copy_from_slice(&length.to_be_bytes());
            ah::seal(&mut packet, key, is_unicast);
        }
        packet
    }
}
