//! `vrrp_instance`: one virtual router as this host takes part in it.

use super::address::VirtualAddress;
use super::notify::InstanceNotify;
use super::route::{VirtualRoute, VirtualRule};
use super::track::Tracks;
use crate::base::time::Duration;
use std::net::{IpAddr, Ipv4Addr};

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// `state`, after what keepalived makes of it.
    pub wanted: Wanted,
    /// `interface`.
    pub interface: String,
    /// `virtual_router_id`, 1 to 255.
    pub vrid: u8,
    /// `priority`, 1 to 255; 100 unless `state MASTER` stands without a priority, which means 255.
    pub priority: u8,
    /// `version`, or `vrrp_version`.
    pub version: Version,
    /// `advert_int`; version 2: whole seconds.
    pub advert_interval: Duration,
    /// `down_timer_adverts`, 1 to 100; 3.
    pub down_timer_adverts: u8,
    /// `authentication`; version 2 only.
    pub authentication: Option<Authentication>,
    /// `virtual_ipaddress`, in file order: these stand in the adverts.
    pub addresses: Vec<VirtualAddress>,
    /// `virtual_ipaddress_excluded`: set, but not in the adverts.
    pub excluded_addresses: Vec<VirtualAddress>,
    /// `virtual_routes`.
    pub routes: Vec<VirtualRoute>,
    /// `virtual_rules`.
    pub rules: Vec<VirtualRule>,
    /// `nopreempt`, `preempt_delay`.
    pub preemption: Preemption,
    /// `mcast_src_ip` or `unicast_src_ip`; none: the interface's first address.
    pub source: Option<IpAddr>,
    /// `track_src_ip`: without that address the instance is in FAULT.
    pub track_source: bool,
    /// `mcast_dst_ip`, or `vrrp_mcast_group4`.
    pub multicast_group: Ipv4Addr,
    /// `unicast_peer` and what belongs to it; none: multicast.
    pub unicast: Option<Unicast>,
    /// `use_vmac`, `vmac_xmit_base`; none: the interface's own MAC.
    pub vmac: Option<Vmac>,
    /// The instance's own interface is tracked; false with `dont_track_primary`.
    pub tracks_own_interface: bool,
    /// What is tracked.
    pub tracks: Tracks,
    /// What is run and mailed.
    pub notify: InstanceNotify,
    /// Gratuitous ARP.
    pub garp: Garp,
    /// `lower_prio_no_advert`: a master does not answer an advert of lower priority.
    pub lower_prio_no_advert: bool,
    /// `higher_prio_send_advert`: a master that yields sends one more advert.
    pub higher_prio_send_advert: bool,
    /// `skip_check_adv_addr`: adverts of the same master are not checked for their addresses again.
    pub skip_check_adv_addr: bool,
    /// `strict_mode`, or `vrrp_strict`.
    pub strict: bool,
    /// `accept`, the default: packets to the addresses are taken also if this is not the owner. False with `no_accept`
    /// and in strict mode.
    pub accept: bool,
    /// `promote_secondaries`.
    pub promote_secondaries: bool,
    /// `lvs_sync_daemon_interface` (old).
    pub sync_daemon_interface: String,
    /// `linkbeat_use_polling`.
    pub linkbeat_polling: bool,
    /// `debug`, 0 to 4.
    pub debug: u8,
}

/// `state`: what an instance wants to be first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// `state MASTER`, or priority 255 and no `state`.
    Master,
    /// `state BACKUP`, and everything else.
    #[default]
    Backup,
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// RFC 3768.
    #[default]
    V2,
    /// RFC 5798.
    V3,
}

/// `authentication`. The key is padded with zeros, what is longer than 8 octets does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `auth_type PASS`: the key stands in the advert.
    Pass([u8; 8]),
    /// `auth_type AH`: HMAC-MD5-96 over the packet.
    Ah([u8; 8]),
}

/// What an instance does about a master of lower priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preemption {
    /// Takes over when its timer runs out.
    #[default]
    Always,
    /// `preempt_delay`: the same, but first waits this long, counted from the first such advert.
    After(Duration),
    /// `nopreempt`.
    Never,
}

/// Adverts to peers instead of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unicast {
    /// `unicast_peer`, in file order. May be empty with `unicast_fault_no_peer`.
    pub peers: Vec<Peer>,
    /// `unicast_ttl`; none: 255.
    pub ttl: Option<u8>,
    /// `check_unicast_src`: only adverts of peers count.
    pub check_source: bool,
    /// `unicast_fault_no_peer`: FAULT while there is no peer.
    pub fault_without_peer: bool,
    /// `old_unicast_checksum`: version 3 with the checksum of keepalived 1.3.6 and before.
    pub old_checksum: OldChecksum,
}

/// `old_unicast_checksum [never]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OldChecksum {
    /// Taken over from a peer that uses it.
    #[default]
    Follow,
    /// Used from the start.
    Use,
    /// Never used.
    Never,
}

/// A line of `unicast_peer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// `min_ttl`: adverts with less are dropped.
    pub min_ttl: u8,
    /// `max_ttl`: adverts with more are dropped; 255.
    pub max_ttl: u8,
}

/// `use_vmac [NAME] [MAC]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vmac {
    /// The name of the macvlan; `vrrp.VRID` by default.
    pub interface: String,
    /// The MAC, if it is not 00:00:5e:00:01:VRID.
    pub mac: Option<[u8; 6]>,
    /// `vmac_xmit_base`: adverts leave by the interface below, with its MAC.
    pub transmit_by_base: bool,
}

/// When how many gratuitous ARPs are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garp {
    /// `garp_master_delay`: the second batch comes this long after the first; zero: none. 5 s.
    pub delay: Duration,
    /// `garp_master_repeat`: of how many rounds a batch is; 5.
    pub repeat: u32,
    /// `garp_master_refresh`: further batches so far apart; zero: none.
    pub refresh: Duration,
    /// `garp_master_refresh_repeat`: of how many rounds they are; 1.
    pub refresh_repeat: u32,
    /// `garp_lower_prio_delay`: the second batch after an advert of lower priority; as `delay`.
    pub lower_prio_delay: Duration,
    /// `garp_lower_prio_repeat`: of how many rounds a batch after such an advert is; as `repeat`. 0: none.
    pub lower_prio_repeat: u32,
    /// `garp_extra_if`: the VMAC's MAC is shown on the interface below so often; zero: never.
    pub extra_interface: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Garp {
            delay: Duration::from_secs(5),
            repeat: 5,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_delay: Duration::from_secs(5),
            lower_prio_repeat: 5,
            extra_interface: Duration::ZERO,
        }
    }
}

impl Instance {
    /// An instance of that name with every option at its default. It has no interface, no virtual router id and no
    /// address yet.
    pub fn new(name: &str) -> Self {
        Instance {
            name: name.to_owned(),
            wanted: Wanted::Backup,
            interface: String::new(),
            vrid: 0,
            priority: 100,
            version: Version::V2,
            advert_interval: Duration::from_secs(1),
            down_timer_adverts: 3,
            authentication: None,
            addresses: Vec::new(),
            excluded_addresses: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            preemption: Preemption::Always,
            source: None,
            track_source: false,
            multicast_group: Ipv4Addr::new(224, 0, 0, 18),
            unicast: None,
            vmac: None,
            tracks_own_interface: true,
            tracks: Tracks::default(),
            notify: InstanceNotify::default(),
            garp: Garp::default(),
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            skip_check_adv_addr: false,
            strict: false,
            accept: true,
            promote_secondaries: false,
            sync_daemon_interface: String::new(),
            linkbeat_polling: false,
            debug: 0,
        }
    }
}
