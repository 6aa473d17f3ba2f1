//! `net.ipv4.conf.{all,default,IF}.*`, and how `all` and the interface's own value are joined (Linux
//! `include/linux/inetdevice.h`: `IN_DEV_MAXCONF`, `IN_DEV_ORCONF`, `IN_DEV_ANDCONF`, `IN_DEV_CONF_GET`).

use super::setting::Setting;

/// The settings of an interface that count, `conf.all` included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conf {
    /// 0 to 8: which questions are answered. The larger of both.
    pub arp_ignore: u8,
    /// 0 to 2: which sender address questions carry. The larger of both.
    pub arp_announce: u8,
    /// 0 to 2: which unasked messages make an entry. The larger of both.
    pub arp_accept: u8,
    /// Answer only where the way back leads. Either is enough.
    pub arp_filter: bool,
    /// Announce addresses when the interface comes up. The larger of both.
    pub arp_notify: bool,
    /// Drop gratuitous messages. Either is enough.
    pub drop_gratuitous_arp: bool,
    /// Forget neighbours when the carrier is lost. Both are needed.
    pub arp_evict_nocarrier: bool,
    /// Answer for addresses behind other interfaces. Either is enough.
    pub proxy_arp: bool,
    /// The same for addresses behind this interface. The interface's own.
    pub proxy_arp_pvlan: bool,
    /// Which medium the interface is at: of one medium, nobody answers for another. 0: its own, -1: never. The
    /// interface's own.
    pub medium_id: i32,
    /// 0 off, 1 strict, 2 loose. The larger of both.
    pub rp_filter: u8,
    /// Packets from this host's own addresses may arrive. Either is enough.
    pub accept_local: bool,
    /// 127.0.0.0/8 may pass. Either is enough.
    pub route_localnet: bool,
    /// The mark counts in the reverse path check. Either is enough.
    pub src_valid_mark: bool,
    /// Send ICMP redirects. Either is enough.
    pub send_redirects: bool,
    /// Accept them: both if this host forwards, either if not.
    pub accept_redirects: bool,
    /// Log packets with impossible addresses. Either is enough.
    pub log_martians: bool,
    /// The first secondary address takes the place of its primary one. Either is enough.
    pub promote_secondaries: bool,
    /// Packets from here may be forwarded. The interface's own.
    pub forwarding: bool,
}

/// One row of values: of `all`, `default` or an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    values: [i32; SETTINGS.len()],
    /// Which values were set here, so that those of `default` no longer change them: a bit each.
    own: u32,
}

const fn setting(name: &'static str, default: &'static [i64], min: i64, max: i64) -> Setting {
    Setting { name, default, min, max }
}

const INT: i64 = i32::MAX as i64;

/// Settings that exist and are not modelled: they keep their value, and another one is refused.
const FIXED: &[&str] = &["bootp_relay", "drop_unicast_in_l2_multicast"];

/// Whether this value would ask for something that is not modelled.
pub(super) fn is_refused(at: usize, value: i64) -> bool {
    FIXED.contains(&SETTINGS[at].name) && value != SETTINGS[at].default[0]
}

/// The settings, with the values of `default` and of interfaces at the start.
pub(super) const SETTINGS: &[Setting] = &[
    setting("accept_local", &[0], -INT, INT),
    setting("accept_redirects", &[1], -INT, INT),
    setting("accept_source_route", &[1], -INT, INT),
    setting("arp_accept", &[0], 0, 2),
    setting("arp_announce", &[0], -INT, INT),
    setting("arp_evict_nocarrier", &[1], 0, 1),
    setting("arp_filter", &[0], -INT, INT),
    setting("arp_ignore", &[0], -INT, INT),
    setting("arp_notify", &[0], -INT, INT),
    setting("bootp_relay", &[0], -INT, INT),
    setting("disable_policy", &[0], -INT, INT),
    setting("disable_xfrm", &[0], -INT, INT),
    setting("drop_gratuitous_arp", &[0], -INT, INT),
    setting("drop_unicast_in_l2_multicast", &[0], -INT, INT),
    setting("forwarding", &[0], -INT, INT),
    setting("log_martians", &[0], -INT, INT),
    setting("medium_id", &[0], -INT, INT),
    setting("promote_secondaries", &[0], -INT, INT),
    setting("proxy_arp", &[0], -INT, INT),
    setting("proxy_arp_pvlan", &[0], -INT, INT),
    setting("route_localnet", &[0], -INT, INT),
    setting("rp_filter", &[0], -INT, INT),
    setting("secure_redirects", &[1], -INT, INT),
    setting("send_redirects", &[1], -INT, INT),
    setting("shared_media", &[1], -INT, INT),
    setting("src_valid_mark", &[0], -INT, INT),
    setting("tag", &[0], -INT, INT),
];

const ACCEPT_LOCAL: usize = 0;
pub(super) const ACCEPT_REDIRECTS: usize = 1;
const ACCEPT_SOURCE_ROUTE: usize = 2;
const ARP_ACCEPT: usize = 3;
const ARP_ANNOUNCE: usize = 4;
const ARP_EVICT_NOCARRIER: usize = 5;
const ARP_FILTER: usize = 6;
const ARP_IGNORE: usize = 7;
const ARP_NOTIFY: usize = 8;
const DROP_GRATUITOUS_ARP: usize = 12;
pub(super) const FORWARDING: usize = 14;
const LOG_MARTIANS: usize = 15;
const MEDIUM_ID: usize = 16;
const PROMOTE_SECONDARIES: usize = 17;
const PROXY_ARP: usize = 18;
const PROXY_ARP_PVLAN: usize = 19;
const ROUTE_LOCALNET: usize = 20;
const RP_FILTER: usize = 21;
const SEND_REDIRECTS: usize = 23;
const SRC_VALID_MARK: usize = 25;

impl Row {
    /// `default` and new interfaces.
    pub(super) fn own() -> Row {
        let mut row = [0; SETTINGS.len()];
        for (value, setting) in row.iter_mut().zip(SETTINGS) {
            *value = setting.default[0] as i32;
        }
        Row { values: row, own: 0 }
    }

    /// `all`, whose `accept_source_route` starts as 0.
    pub(super) fn all() -> Row {
        let mut row = Row::own();
        row.values[ACCEPT_SOURCE_ROUTE] = 0;
        row
    }

    pub(super) fn get(&self, at: usize) -> i64 {
        i64::from(self.values[at])
    }

    /// Sets a value here.
    pub(super) fn set(&mut self, at: usize, value: i64) {
        self.values[at] = value as i32;
        self.own |= 1 << at;
    }

    /// `default` was set: taken over unless the value was set here. Not so for `forwarding`, which has a rule of its own.
    pub(super) fn inherit(&mut self, at: usize, value: i64) {
        if at != FORWARDING && self.own & 1 << at == 0 {
            self.values[at] = value as i32;
        }
    }

    /// An address was set on the interface: from here on `default` changes nothing here.
    pub(super) fn settle(&mut self) {
        self.own = u32::MAX;
    }
}

impl Conf {
    pub(super) fn join(all: &Row, own: &Row) -> Conf {
        let max = |at: usize| all.values[at].max(own.values[at]).clamp(0, 255) as u8;
        let or = |at: usize| all.values[at] != 0 || own.values[at] != 0;
        let and = |at: usize| all.values[at] != 0 && own.values[at] != 0;
        let forwarding = own.values[FORWARDING] != 0;
        Conf {
            arp_ignore: max(ARP_IGNORE),
            arp_announce: max(ARP_ANNOUNCE),
            arp_accept: max(ARP_ACCEPT),
            arp_filter: or(ARP_FILTER),
            arp_notify: max(ARP_NOTIFY) != 0,
            drop_gratuitous_arp: or(DROP_GRATUITOUS_ARP),
            arp_evict_nocarrier: and(ARP_EVICT_NOCARRIER),
            proxy_arp: or(PROXY_ARP),
            proxy_arp_pvlan: own.values[PROXY_ARP_PVLAN] != 0,
            medium_id: own.values[MEDIUM_ID],
            rp_filter: max(RP_FILTER),
            accept_local: or(ACCEPT_LOCAL),
            route_localnet: or(ROUTE_LOCALNET),
            src_valid_mark: or(SRC_VALID_MARK),
            send_redirects: or(SEND_REDIRECTS),
            accept_redirects: if forwarding { and(ACCEPT_REDIRECTS) } else { or(ACCEPT_REDIRECTS) },
            log_martians: or(LOG_MARTIANS),
            promote_secondaries: or(PROMOTE_SECONDARIES),
            forwarding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_those_of_the_names() {
        let named = [
            (ACCEPT_LOCAL, "accept_local"),
            (ACCEPT_REDIRECTS, "accept_redirects"),
            (ACCEPT_SOURCE_ROUTE, "accept_source_route"),
            (ARP_ACCEPT, "arp_accept"),
            (ARP_ANNOUNCE, "arp_announce"),
            (ARP_EVICT_NOCARRIER, "arp_evict_nocarrier"),
            (ARP_FILTER, "arp_filter"),
            (ARP_IGNORE, "arp_ignore"),
            (ARP_NOTIFY, "arp_notify"),
            (DROP_GRATUITOUS_ARP, "drop_gratuitous_arp"),
            (FORWARDING, "forwarding"),
            (LOG_MARTIANS, "log_martians"),
            (MEDIUM_ID, "medium_id"),
            (PROMOTE_SECONDARIES, "promote_secondaries"),
            (PROXY_ARP, "proxy_arp"),
            (PROXY_ARP_PVLAN, "proxy_arp_pvlan"),
            (ROUTE_LOCALNET, "route_localnet"),
            (RP_FILTER, "rp_filter"),
            (SEND_REDIRECTS, "send_redirects"),
            (SRC_VALID_MARK, "src_valid_mark"),
        ];
        for (at, name) in named {
            assert_eq!(SETTINGS[at].name, name);
        }
    }
}
