//! `virtual_server` and `virtual_server_group`: what stands in the IPVS table, and when it counts as up.

use super::notify::Command;
use super::server::{Forwarding, RealServer, SorryServer};
use crate::base::time::Duration;
use std::net::{IpAddr, Ipv4Addr};

/// A virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualServer {
    /// What names it.
    pub name: ServiceName,
    /// `protocol`; UDP if not given (with a warning), for a firewall mark meaningless.
    pub protocol: Protocol,
    /// `lb_algo`, `lvs_sched`; `wlc`.
    pub scheduler: String,
    /// `sh-port`, `mh-fallback`, `flag-1` and so on.
    pub scheduler_flags: SchedulerFlags,
    /// `ops`: each datagram is scheduled anew.
    pub one_packet: bool,
    /// `lb_kind`, `lvs_method`: for servers that name none.
    pub forwarding: Forwarding,
    /// `persistence_timeout`; none: off.
    pub persistence: Option<Duration>,
    /// `persistence_granularity`; /32.
    pub persistence_mask: Ipv4Addr,
    /// `persistence_engine` (`sip`); empty: none.
    pub persistence_engine: String,
    /// `delay_loop`: from the end of a check to the next; 60 s. Servers and checkers have it resolved.
    pub delay_loop: Duration,
    /// `alpha`: servers are down until a check succeeds.
    pub alpha: bool,
    /// `omega`: `notify_down` and `quorum_down` also run at the end.
    pub omega: bool,
    /// `inhibit_on_failure`: weight 0 instead of removal, for servers that do not say.
    pub inhibit_on_failure: bool,
    /// `ha_suspend`: no checks while the address is not on this host.
    pub ha_suspend: bool,
    /// `quorum`, in weight; 1.
    pub quorum: u32,
    /// `hysteresis`, in weight; 0.
    pub hysteresis: u32,
    /// `quorum_up`.
    pub quorum_up: Option<Command>,
    /// `quorum_down`.
    pub quorum_down: Option<Command>,
    /// `smtp_alert`, resolved.
    pub smtp_alert: bool,
    /// `virtualhost`: for HTTP checks that name none; empty: none.
    pub virtualhost: String,
    /// `weight`: for servers that name none; 1.
    pub weight: u32,
    /// `laddr_group_name` (DPVS): the [`LocalAddressGroup`] that FULLNAT takes its addresses of; empty: none.
    pub local_addresses: String,
    /// `sorry_server`.
    pub sorry_server: Option<SorryServer>,
    /// `real_server`, in file order, each once.
    pub servers: Vec<RealServer>,
}

/// What names a virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceName {
    /// `virtual_server ADDR [PORT]`; port 0: any.
    Address(IpAddr, u16),
    /// `virtual_server fwmark N`.
    Mark(u32),
    /// `virtual_server group NAME`: a [`VirtualServerGroup`] that exists.
    Group(String),
}

/// `protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    #[default]
    Udp,
    /// SCTP.
    Sctp,
}

/// Flags of a scheduler, in IPVS' own bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchedulerFlags {
    /// Bits `0x08` flag-1 (`sh-fallback`, `mh-fallback`), `0x10` flag-2 (`sh-port`, `mh-port`), `0x20` flag-3.
    pub bits: u8,
}

/// `virtual_server_group NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualServerGroup {
    /// Its name.
    pub name: String,
    /// Its addresses and marks, in file order.
    pub entries: Vec<GroupEntry>,
}

/// `local_address_group NAME` of DPVS: addresses that FULLNAT sends from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAddressGroup {
    /// Its name.
    pub name: String,
    /// Its addresses, in file order.
    pub entries: Vec<LocalAddress>,
}

/// A line of a `local_address_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAddress {
    /// The first address.
    pub first: Ipv4Addr,
    /// The last one, which may be the first.
    pub last: Ipv4Addr,
    /// The interface that holds them; empty (as with LVS before DPVS): the one whose network they are in.
    pub interface: String,
}

/// A line of a `virtual_server_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEntry {
    /// `ADDR [PORT]`, `A.B.C.D-E [PORT]`: from the first to the last address, at most 65536.
    Range(IpAddr, IpAddr, u16),
    /// `fwmark N`.
    Mark(u32),
}

impl VirtualServer {
    /// A virtual server of that name with every option at its default and no real server.
    pub fn new(name: ServiceName) -> Self {
        VirtualServer {
            name,
            protocol: Protocol::Udp,
            scheduler: "wlc".to_owned(),
            scheduler_flags: SchedulerFlags::default(),
            one_packet: false,
            forwarding: Forwarding::default(),
            persistence: None,
            persistence_mask: Ipv4Addr::BROADCAST,
            persistence_engine: String::new(),
            delay_loop: Duration::from_secs(60),
            alpha: false,
            omega: false,
            inhibit_on_failure: false,
            ha_suspend: false,
            quorum: 1,
            hysteresis: 0,
            quorum_up: None,
            quorum_down: None,
            smtp_alert: false,
            virtualhost: String::new(),
            weight: 1,
            local_addresses: String::new(),
            sorry_server: None,
            servers: Vec::new(),
        }
    }
}
