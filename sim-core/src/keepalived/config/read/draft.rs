//! What was read so far: an option that was not given is not there yet, `complete` decides what it becomes.

use crate::base::time::Duration;
use crate::keepalived::config::checker::{Http, Smtp, Udp};
use crate::keepalived::config::instance::{OldChecksum, Vmac};
use crate::keepalived::config::service::Protocol;
use crate::keepalived::config::{
    Bfd, CheckerKind, Command, Config, Forwarding, GarpGroup, Global, Instance, InterfaceDelay, LocalAddressGroup,
    Place, RealServer, Script, ServiceName, SyncGroup, TrackFile, TrackGroup, TrackProcess, Version, VirtualAddress,
    VirtualRoute, VirtualRule, VirtualServer, VirtualServerGroup, Wanted, instance::Peer,
};
use std::net::{IpAddr, Ipv4Addr};

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub(super) global: GlobalDraft,
    pub(super) instances: Vec<InstanceDraft>,
    pub(super) groups: Vec<GroupDraft>,
    pub(super) scripts: Vec<ScriptDraft>,
    pub(super) files: Vec<TrackFile>,
    pub(super) file: Option<FileDraft>,
    pub(super) processes: Vec<TrackProcess>,
    pub(super) bfds: Vec<Bfd>,
    pub(super) static_addresses: Vec<VirtualAddress>,
    pub(super) static_routes: Vec<VirtualRoute>,
    pub(super) static_rules: Vec<VirtualRule>,
    /// Rules of the file that were given a preference by keepalived.
    pub(super) rules_without_preference: u32,
    /// The same for rules of IPv6.
    pub(super) rules6_without_preference: u32,
    pub(super) track_groups: Vec<TrackGroup>,
    pub(super) garp_groups: Vec<GarpGroupDraft>,
    pub(super) interface_delays: Vec<InterfaceDelay>,
    pub(super) service_groups: Vec<VirtualServerGroup>,
    pub(super) local_groups: Vec<LocalAddressGroup>,
    pub(super) services: Vec<ServiceDraft>,
    pub(super) ssl: bool,
}

/// `global_defs`, with what instances take from it.
#[derive(Debug)]
pub(super) struct GlobalDraft {
    pub(super) global: Global,
    pub(super) garp_delay: Duration,
    pub(super) garp_repeat: u32,
    pub(super) garp_refresh: Duration,
    pub(super) garp_refresh_repeat: u32,
    pub(super) garp_lower_delay: Option<Duration>,
    pub(super) garp_lower_repeat: Option<u32>,
    pub(super) garp_extra: Duration,
    pub(super) down_timer_adverts: u8,
    pub(super) lower_prio_no_advert: bool,
    pub(super) higher_prio_send_advert: bool,
    pub(super) version: Version,
    pub(super) check_unicast_source: bool,
    pub(super) skip_check_adv_addr: bool,
    pub(super) priority_changes: bool,
    pub(super) smtp_alert: Option<bool>,
    pub(super) smtp_alert_vrrp: Option<bool>,
    pub(super) smtp_alert_checker: Option<bool>,
    pub(super) startup_timeout: Option<Duration>,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) script_user_bad: bool,
    /// Whether the user that scripts run as was looked for already, or was given.
    pub(super) script_user_sought: bool,
    /// `nftables` was given.
    pub(super) nftables: bool,
}

impl Default for GlobalDraft {
    fn default() -> Self {
        GlobalDraft {
            global: Global::default(),
            garp_delay: Duration::from_secs(5),
            garp_repeat: 5,
            garp_refresh: Duration::ZERO,
            garp_refresh_repeat: 1,
            garp_lower_delay: None,
            garp_lower_repeat: None,
            garp_extra: Duration::ZERO,
            down_timer_adverts: 3,
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            version: Version::V2,
            check_unicast_source: false,
            skip_check_adv_addr: false,
            priority_changes: false,
            smtp_alert: None,
            smtp_alert_vrrp: None,
            smtp_alert_checker: None,
            startup_timeout: None,
            shutdown_timeout: None,
            script_user_bad: false,
            script_user_sought: false,
            nftables: false,
        }
    }
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }
}

/// `auth_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthType {
    Pass,
    Ah,
}

/// A `vrrp_instance`.
#[derive(Debug)]
pub(super) struct InstanceDraft {
    pub(super) it: Instance,
    pub(super) place: Place,
    pub(super) named: bool,
    pub(super) family: Option<Family>,
    pub(super) wanted: Option<Wanted>,
    pub(super) priority: Option<u8>,
    pub(super) version: Option<Version>,
    pub(super) has_interface: bool,
    pub(super) advert: Option<Duration>,
    pub(super) auth_type: Option<AuthType>,
    pub(super) key: [u8; 8],
    pub(super) nopreempt: bool,
    pub(super) preempt_delay: Duration,
    pub(super) strict: Option<bool>,
    pub(super) accept: Option<bool>,
    pub(super) garp_lower_delay: Option<Duration>,
    pub(super) garp_lower_repeat: Option<u32>,
    pub(super) garp_extra: Option<Duration>,
    pub(super) lower_prio_no_advert: Option<bool>,
    pub(super) higher_prio_send_advert: Option<bool>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) priority_changes: Option<bool>,
    pub(super) notify_deleted: bool,
    pub(super) multicast: Option<Ipv4Addr>,
    pub(super) unicast: bool,
    pub(super) peers: Vec<Peer>,
    pub(super) ttl: Option<u8>,
    pub(super) check_unicast_source: bool,
    pub(super) fault_without_peer: bool,
    pub(super) old_checksum: OldChecksum,
    pub(super) vmac: Option<Vmac>,
    pub(super) transmit_by_base: bool,
    /// `use_ipvlan` without an address.
    pub(super) ipvlan_without_address: bool,
}

impl InstanceDraft {
    pub(super) fn new(name: &str, place: Place, global: &GlobalDraft) -> Self {
        let mut it = Instance::new(name);
        // Only what stands before the instance in the file counts here, as in keepalived.
        it.garp.delay = global.garp_delay;
        it.garp.repeat = global.garp_repeat;
        it.garp.refresh = global.garp_refresh;
        it.garp.refresh_repeat = global.garp_refresh_repeat;
        it.down_timer_adverts = global.down_timer_adverts;
        it.skip_check_adv_addr = global.skip_check_adv_addr;
        InstanceDraft {
            it,
            place,
            named: false,
            family: None,
            wanted: None,
            priority: None,
            version: None,
            has_interface: false,
            advert: None,
            auth_type: None,
            key: [0; 8],
            nopreempt: false,
            preempt_delay: Duration::ZERO,
            strict: None,
            accept: None,
            garp_lower_delay: None,
            garp_lower_repeat: None,
            garp_extra: None,
            lower_prio_no_advert: None,
            higher_prio_send_advert: None,
            smtp_alert: None,
            priority_changes: None,
            notify_deleted: false,
            multicast: None,
            unicast: false,
            peers: Vec::new(),
            ttl: None,
            check_unicast_source: false,
            fault_without_peer: false,
            old_checksum: OldChecksum::Follow,
            vmac: None,
            transmit_by_base: false,
            ipvlan_without_address: false,
        }
    }
}

/// A `vrrp_sync_group`.
#[derive(Debug, Default)]
pub(super) struct GroupDraft {
    pub(super) it: SyncGroup,
    pub(super) place: Place,
    pub(super) members: Option<Vec<String>>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) priority_changes: Option<bool>,
}

/// A `vrrp_script`.
#[derive(Debug)]
pub(super) struct ScriptDraft {
    pub(super) it: Script,
    pub(super) place: Place,
    pub(super) timeout: Option<Duration>,
    pub(super) user_set: bool,
    pub(super) bad: bool,
}

/// A `track_file` that is read.
#[derive(Debug, Default)]
pub(super) struct FileDraft {
    pub(super) it: TrackFile,
}

/// A `garp_group`.
#[derive(Debug, Default)]
pub(super) struct GarpGroupDraft {
    pub(super) it: GarpGroup,
    pub(super) has_interval: bool,
    pub(super) number: u32,
}

/// A `virtual_server`.
#[derive(Debug)]
pub(super) struct ServiceDraft {
    pub(super) it: VirtualServer,
    pub(super) place: Place,
    pub(super) family: Option<Family>,
    pub(super) protocol: Option<Protocol>,
    pub(super) scheduler: Option<String>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) times: Times,
    pub(super) connect_timeout: Duration,
    pub(super) sorry: Option<SorryDraft>,
    pub(super) servers: Vec<ServerDraft>,
}

/// How often and how long a checker tries, as far as it is said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) delay_loop: Option<Duration>,
    pub(super) warmup: Option<Duration>,
    pub(super) retry: Option<u32>,
    pub(super) delay_before_retry: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
}

impl Times {
    /// What is not said here is taken from there.
    pub(super) fn or(self, outer: Times) -> Times {
        Times {
            delay_loop: self.delay_loop.or(outer.delay_loop),
            warmup: self.warmup.or(outer.warmup),
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
        }
    }
}

impl ServiceDraft {
    pub(super) fn new(name: ServiceName, place: Place) -> Self {
        let family = match &name {
            ServiceName::Address(address, _) => Some(Family::of(*address)),
            ServiceName::Mark(_) | ServiceName::Group(_) => None,
        };
        ServiceDraft {
            it: VirtualServer::new(name),
            place,
            family,
            protocol: None,
            scheduler: None,
            forwarding: None,
            smtp_alert: None,
            times: Times::default(),
            connect_timeout: Duration::from_secs(5),
            sorry: None,
            servers: Vec::new(),
        }
    }
}

/// A `sorry_server`.
#[derive(Debug)]
pub(super) struct SorryDraft {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) inhibit: bool,
}

/// A `real_server`.
#[derive(Debug)]
pub(super) struct ServerDraft {
    pub(super) it: RealServer,
    pub(super) place: Place,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) weight: Option<u32>,
    pub(super) inhibit: Option<bool>,
    pub(super) alpha: Option<bool>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) times: Times,
    pub(super) checkers: Vec<CheckerDraft>,
}

/// A checker.
#[derive(Debug)]
pub(super) struct CheckerDraft {
    pub(super) kind: CheckerKind,
    pub(super) address: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) bind_address: Option<IpAddr>,
    pub(super) bind_port: u16,
    pub(super) bind_interface: String,
    pub(super) mark: u32,
    pub(super) times: Times,
    pub(super) alpha: Option<bool>,
    pub(super) log_all_failures: bool,
    /// `misc_timeout`.
    pub(super) misc_timeout: Option<Duration>,
    /// `virtualhost` of the checker.
    pub(super) virtualhost: String,
    pub(super) user_set: bool,
    /// It was given up: an error removes it.
    pub(super) gone: bool,
}

impl CheckerDraft {
    pub(super) fn new(kind: CheckerKind) -> Self {
        CheckerDraft {
            kind,
            address: None,
            port: None,
            bind_address: None,
            bind_port: 0,
            bind_interface: String::new(),
            mark: 0,
            times: Times::default(),
            alpha: None,
            log_all_failures: false,
            misc_timeout: None,
            virtualhost: String::new(),
            user_set: false,
            gone: false,
        }
    }

    /// The HTTP check it is.
    pub(super) fn http(&mut self) -> Option<&mut Http> {
        match &mut self.kind {
            CheckerKind::Http(http) => Some(http),
            _ => None,
        }
    }

    /// The command it runs.
    pub(super) fn command(&mut self) -> Option<&mut Command> {
        match &mut self.kind {
            CheckerKind::Misc(misc) => Some(&mut misc.command),
            _ => None,
        }
    }

    /// The UDP check it is.
    pub(super) fn udp(&mut self) -> Option<&mut Udp> {
        match &mut self.kind {
            CheckerKind::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    /// The SMTP check it is.
    pub(super) fn smtp(&mut self) -> Option<&mut Smtp> {
        match &mut self.kind {
            CheckerKind::Smtp(smtp) => Some(smtp),
            _ => None,
        }
    }
}

impl Drafts {
    /// What needs no completing.
    pub(super) fn plain(&mut self) -> Config {
        Config {
            track_files: std::mem::take(&mut self.files),
            track_processes: std::mem::take(&mut self.processes),
            bfds: std::mem::take(&mut self.bfds),
            static_addresses: std::mem::take(&mut self.static_addresses),
            static_routes: std::mem::take(&mut self.static_routes),
            static_rules: std::mem::take(&mut self.static_rules),
            interface_delays: std::mem::take(&mut self.interface_delays),
            garp_groups: std::mem::take(&mut self.garp_groups).into_iter().map(|group| group.it).collect(),
            virtual_server_groups: std::mem::take(&mut self.service_groups),
            local_address_groups: std::mem::take(&mut self.local_groups),
            ssl: self.ssl,
            ..Config::default()
        }
    }
}
