//! `net.ipv4.vs.*`, with the values a 6.1 kernel starts with (Linux `ip_vs_ctl.c`).

use super::setting::Setting;

/// What IPVS asks for, as plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vs {
    /// Only as backup of the sync daemon: forward nothing.
    pub backup_only: bool,
    /// Local clients may reach a server directly when no server is left.
    pub cache_bypass: bool,
    /// What to do with a client port that is used again: 0, 1 or 2 (bit mask).
    pub conn_reuse_mode: u8,
    /// Let netfilter track the connections.
    pub conntrack: bool,
    /// Memory defence: 0 to 3.
    pub drop_entry: u8,
    /// Memory defence by dropping packets: 0 to 3.
    pub drop_packet: u8,
    /// Free memory, in pages, below which the defences start.
    pub amemthresh: i64,
    /// Drop rate of `drop_packet` 3.
    pub am_droprate: i64,
    /// End connections of deleted servers at their next packet.
    pub expire_nodest_conn: bool,
    /// Templates of servers with weight 0 do not count.
    pub expire_quiescent_template: bool,
    /// FULLNAT: the first and the last port that is used of a local address. Not in Linux: the Alibaba patches' names.
    pub fullnat_lports: (u16, u16),
    /// Set IPVS aside for packets from a tunnel.
    pub ignore_tunneled: bool,
    /// LBLC: how long a destination is kept, in seconds.
    pub lblc_expiration_s: u64,
    /// LBLCR: how long a server set is kept, in seconds.
    pub lblcr_expiration_s: u64,
    /// NAT servers may send ICMP errors for connections that are not known.
    pub nat_icmp_send: bool,
    /// DF of tunnels follows the inner packet.
    pub pmtu_disc: bool,
    /// Rates are estimated.
    pub run_estimation: bool,
    /// ICMP packets of no connection are scheduled.
    pub schedule_icmp: bool,
    /// Memory defence by shorter TCP timeouts: 0 to 3.
    pub secure_tcp: u8,
    /// Any SCTP packet makes a connection.
    pub sloppy_sctp: bool,
    /// Any TCP packet makes a connection.
    pub sloppy_tcp: bool,
    /// Replies are routed again after their source is written.
    pub snat_reroute: bool,
    /// Sync daemon: persistent templates only.
    pub sync_persist_mode: bool,
    /// Sync daemon: threads.
    pub sync_ports: u8,
    /// Sync daemon: queue length.
    pub sync_qlen_max: i64,
    /// Sync daemon: seconds between refreshes; 0 none.
    pub sync_refresh_period_s: u64,
    /// Sync daemon: how often a message is repeated.
    pub sync_retries: u8,
    /// Sync daemon: socket buffer in octets; 0 default.
    pub sync_sock_size: i64,
    /// Sync daemon: packets before the first message, then every so many.
    pub sync_threshold: (u32, u32),
    /// Sync daemon: message version.
    pub sync_version: u8,
}

const fn setting(name: &'static str, default: &'static [i64], max: i64) -> Setting {
    Setting { name, default, min: 0, max }
}

const INT: i64 = i32::MAX as i64;

/// The settings.
pub(super) const SETTINGS: &[Setting] = &[
    setting("am_droprate", &[10], INT),
    setting("amemthresh", &[1024], INT),
    setting("backup_only", &[0], INT),
    setting("cache_bypass", &[0], INT),
    setting("conn_reuse_mode", &[1], INT),
    setting("conntrack", &[0], INT),
    setting("drop_entry", &[0], 3),
    setting("drop_packet", &[0], 3),
    setting("expire_nodest_conn", &[0], INT),
    setting("expire_quiescent_template", &[0], INT),
    Setting { name: "fullnat_lport_max", default: &[65_535], min: 1025, max: 65_535 },
    Setting { name: "fullnat_lport_min", default: &[1025], min: 1025, max: 65_535 },
    setting("ignore_tunneled", &[0], INT),
    setting("lblc_expiration", &[86_400], INT),
    setting("lblcr_expiration", &[86_400], INT),
    setting("nat_icmp_send", &[0], INT),
    setting("pmtu_disc", &[1], INT),
    setting("run_estimation", &[1], INT),
    setting("schedule_icmp", &[0], INT),
    setting("secure_tcp", &[0], 3),
    setting("sloppy_sctp", &[0], INT),
    setting("sloppy_tcp", &[0], INT),
    setting("snat_reroute", &[1], INT),
    setting("sync_persist_mode", &[0], INT),
    setting("sync_ports", &[1], 64),
    setting("sync_qlen_max", &[18_737], INT),
    setting("sync_refresh_period", &[0], INT),
    setting("sync_retries", &[0], 3),
    setting("sync_sock_size", &[0], INT),
    setting("sync_threshold", &[3, 50], INT),
    setting("sync_version", &[1], 1),
];

/// Settings that exist and are not modelled: they keep their value, and another one is refused.
const FIXED: &[&str] = &["conntrack"];

/// Whether a setting is one of Linux 6.1, which `sysctl -a` lists; the others answer to their names.
pub(super) fn is_listed(setting: &Setting) -> bool {
    !setting.name.starts_with("fullnat_")
}

/// Whether these numbers make no sense together, though each is in its range.
pub(super) fn is_invalid(setting: &Setting, numbers: &[i64]) -> bool {
    match (setting.name, numbers) {
        ("sync_threshold", [threshold, period]) => *period != 0 && threshold >= period,
        ("sync_ports", [ports]) => !u64::try_from(*ports).is_ok_and(u64::is_power_of_two),
        _ => false,
    }
}

/// Whether these numbers would ask for something that is not modelled.
pub(super) fn is_refused(setting: &Setting, numbers: &[i64]) -> bool {
    FIXED.contains(&setting.name) && numbers != setting.default
}

impl Vs {
    pub(super) const START: Vs = Vs {
        backup_only: false,
        cache_bypass: false,
        conn_reuse_mode: 1,
        conntrack: false,
        drop_entry: 0,
        drop_packet: 0,
        amemthresh: 1024,
        am_droprate: 10,
        expire_nodest_conn: false,
        expire_quiescent_template: false,
        fullnat_lports: (1025, 65_535),
        ignore_tunneled: false,
        lblc_expiration_s: 86_400,
        lblcr_expiration_s: 86_400,
        nat_icmp_send: false,
        pmtu_disc: true,
        run_estimation: true,
        schedule_icmp: false,
        secure_tcp: 0,
        sloppy_sctp: false,
        sloppy_tcp: false,
        snat_reroute: true,
        sync_persist_mode: false,
        sync_ports: 1,
        sync_qlen_max: 18_737,
        sync_refresh_period_s: 0,
        sync_retries: 0,
        sync_sock_size: 0,
        sync_threshold: (3, 50),
        sync_version: 1,
    };

    /// The values, asked one by one.
    pub(super) fn of(value: impl Fn(&Setting, usize) -> i64) -> Vs {
        let number = |name: &str, at: usize| {
            SETTINGS.iter().find(|setting| setting.name == name).map_or(0, |setting| value(setting, at))
        };
        let n = |name: &str| number(name, 0);
        let on = |name: &str| number(name, 0) != 0;
        Vs {
            backup_only: on("backup_only"),
            cache_bypass: on("cache_bypass"),
            conn_reuse_mode: n("conn_reuse_mode") as u8,
            conntrack: on("conntrack"),
            drop_entry: n("drop_entry") as u8,
            drop_packet: n("drop_packet") as u8,
            amemthresh: n("amemthresh"),
            am_droprate: n("am_droprate"),
            expire_nodest_conn: on("expire_nodest_conn"),
            expire_quiescent_template: on("expire_quiescent_template"),
            fullnat_lports: (n("fullnat_lport_min") as u16, n("fullnat_lport_max") as u16),
            ignore_tunneled: on("ignore_tunneled"),
            lblc_expiration_s: n("lblc_expiration") as u64,
            lblcr_expiration_s: n("lblcr_expiration") as u64,
            nat_icmp_send: on("nat_icmp_send"),
            pmtu_disc: on("pmtu_disc"),
            run_estimation: on("run_estimation"),
            schedule_icmp: on("schedule_icmp"),
            secure_tcp: n("secure_tcp") as u8,
            sloppy_sctp: on("sloppy_sctp"),
            sloppy_tcp: on("sloppy_tcp"),
            snat_reroute: on("snat_reroute"),
            sync_persist_mode: on("sync_persist_mode"),
            sync_ports: n("sync_ports") as u8,
            sync_qlen_max: n("sync_qlen_max"),
            sync_refresh_period_s: n("sync_refresh_period") as u64,
            sync_retries: n("sync_retries") as u8,
            sync_sock_size: n("sync_sock_size"),
            sync_threshold: (number("sync_threshold", 0) as u32, number("sync_threshold", 1) as u32),
            sync_version: n("sync_version") as u8,
        }
    }
}
