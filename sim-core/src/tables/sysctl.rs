//! Kernel settings: `/proc/sys`, known by their dotted names (`net.ipv4.ip_forward`).
//!
//! Only what differs from the default is kept; what the packet path asks all the time is kept beside it as plain
//! numbers ([`Hot`], [`Conf`]). For an interface most settings join `conf.all` and its own: the larger counts
//! (`arp_ignore`), either is enough (`proxy_arp`), or both are needed (`accept_redirects`).
//!
//! # Not modelled
//! Settings outside the tables of this room are refused as unknown. `net.ipv6.*` is accepted and has no effect.

pub mod conf;
mod global;
mod neigh;
mod setting;
pub mod vs;

pub use conf::Conf;
pub use neigh::Neigh;
pub use setting::Setting;
pub use vs::Vs;

use crate::base::id::{IfaceId, NodeId};
use crate::trace::record::SysctlRecord;
use crate::trace::recorder::Change;
use crate::world::node::Cx;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The settings of a host.
#[derive(Debug)]
pub struct Sysctl {
    node: NodeId,
    /// Values that differ from the default, by full name.
    changed: BTreeMap<Box<str>, Vec<i64>>,
    /// What was set, by full name: it stands in the trace.
    written: BTreeSet<Box<str>>,
    hostname: Box<str>,
    hot: Hot,
    vs: Vs,
    /// `conf.all`, `conf.default`, then by interface index.
    conf_all: conf::Row,
    conf_default: conf::Row,
    conf: Vec<Option<conf::Row>>,
    /// What counts for each interface: its own values joined with those of `all`.
    joined: Vec<Conf>,
    joined_default: Conf,
    neigh_default: neigh::Row,
    neigh: Vec<Option<neigh::Row>>,
    names: Vec<Option<Box<str>>>,
}

/// Settings that the packet path asks for all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hot {
    /// `net.ipv4.ip_forward`.
    pub ip_forward: bool,
    /// `net.ipv4.ip_default_ttl`.
    pub default_ttl: u8,
    /// `net.ipv4.ip_local_port_range`.
    pub local_ports: (u16, u16),
    /// `net.ipv4.ip_no_pmtu_disc`: DF is not set.
    pub no_pmtu_disc: bool,
    /// `net.ipv4.icmp_ratelimit`, in milliseconds; 0 is no limit.
    pub icmp_ratelimit_ms: u64,
    /// `net.ipv4.icmp_ratemask`: a bit for each ICMP type that is limited.
    pub icmp_ratemask: u32,
    /// `net.ipv4.icmp_echo_ignore_all`.
    pub echo_ignore_all: bool,
    /// `net.ipv4.icmp_echo_ignore_broadcasts`.
    pub echo_ignore_broadcasts: bool,
    /// `net.ipv4.ipfrag_time`, in seconds.
    pub fragment_timeout_s: u64,
    /// `net.ipv4.ip_nonlocal_bind`.
    pub nonlocal_bind: bool,
    /// `net.ipv4.tcp_timestamps`.
    pub tcp_timestamps: bool,
    /// `net.ipv4.tcp_tw_reuse`.
    pub tcp_tw_reuse: u8,
    /// `net.ipv4.tcp_max_tw_buckets`.
    pub tcp_max_tw_buckets: u32,
    /// `net.ipv4.tcp_syn_retries`.
    pub tcp_syn_retries: u8,
    /// `net.ipv4.tcp_fin_timeout`, in seconds.
    pub tcp_fin_timeout_s: u64,
}

/// Why a setting cannot be read or written, in `sysctl`'s words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SysctlError {
    /// No such setting. The text has the path as `sysctl` prints it.
    #[error("cannot stat /proc/sys/{0}: No such file or directory")]
    Unknown(Box<str>),
    /// The value is not a number, or not in the range (EINVAL).
    #[error("setting key \"{0}\": Invalid argument")]
    Invalid(Box<str>),
    /// The setting exists, and another value would do what is not modelled.
    #[error("setting key \"{0}\": Operation not supported (not modelled: it keeps its value)")]
    NotModelled(Box<str>),
    /// The setting can only be read.
    #[error("permission denied on key \"{0}\"")]
    ReadOnly(Box<str>),
}

/// A name, taken apart.
enum Place {
    Global(&'static Setting),
    Vs(&'static Setting),
    ConfAll(usize),
    ConfDefault(usize),
    Conf(IfaceId, usize),
    NeighDefault(usize),
    Neigh(IfaceId, usize),
    Hostname,
    /// Accepted without effect.
    Ipv6,
}

impl Sysctl {
    /// The kernel's own values.
    pub(super) fn new(node: NodeId) -> Self {
        let mut sysctl = Sysctl {
            node,
            changed: BTreeMap::new(),
            written: BTreeSet::new(),
            hostname: "(none)".into(),
            hot: Hot::START,
            vs: Vs::START,
            conf_all: conf::Row::all(),
            conf_default: conf::Row::own(),
            conf: Vec::new(),
            joined: Vec::new(),
            joined_default: Conf::join(&conf::Row::all(), &conf::Row::own()),
            neigh_default: neigh::Row::START,
            neigh: Vec::new(),
            names: Vec::new(),
        };
        sysctl.refresh();
        sysctl
    }

    // ── by name ──

    /// The value as text, as `cat /proc/sys/…` shows it. `key` has dots or slashes.
    ///
    /// # Errors
    /// `Unknown`.
    pub fn get(&self, key: &str) -> Result<String, SysctlError> {
        let key = dotted(key);
        Ok(match self.place(&key)? {
            Place::Hostname => self.hostname.to_string(),
            place => join(&self.numbers(&place, &key)),
        })
    }

    /// The first number of a setting; for those that nobody asks all the time.
    pub fn number(&self, key: &str) -> Option<i64> {
        let key = dotted(key);
        let place = self.place(&key).ok()?;
        self.numbers(&place, &key).first().copied()
    }

    /// Sets a value, as `sysctl -w` and `echo … > /proc/sys/…` do.
    ///
    /// # Errors
    /// `Unknown`, `Invalid`.
    pub fn set(&mut self, key: &str, text: &str, cx: &mut Cx) -> Result<(), SysctlError> {
        let key = dotted(key);
        let place = self.place(&key)?;
        let text = text.trim();
        if let Place::Hostname = place {
            self.hostname = text.into();
        } else {
            let numbers = parse(text).ok_or_else(|| SysctlError::Invalid(key.as_str().into()))?;
            self.write(&place, &key, numbers)?;
        }
        match place {
            Place::ConfAll(_) | Place::ConfDefault(_) | Place::Conf(..) => self.join_again(),
            Place::Global(setting) if setting.name == IP_FORWARD => self.join_again(),
            Place::Global(_) | Place::Vs(_) | Place::NeighDefault(_) | Place::Neigh(..) => {}
            Place::Hostname | Place::Ipv6 => {}
        }
        self.refresh();
        let value = self.get(&key)?.into_boxed_str();
        self.written.insert(key.as_str().into());
        cx.change(Change::Sysctl(SysctlRecord { node: self.node, key: key.into_boxed_str(), value, present: true }));
        Ok(())
    }

    /// The host is switched off: what was set is forgotten.
    pub(super) fn switch_off(&mut self, cx: &mut Cx) {
        for key in std::mem::take(&mut self.written) {
            let record = SysctlRecord { node: self.node, key, value: "".into(), present: false };
            cx.change(Change::Sysctl(record));
        }
    }

    /// Every setting by its dotted name, in the order of `sysctl -a`.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = global::SETTINGS.iter().map(|setting| setting.name.to_string()).collect();
        keys.push(HOSTNAME.to_string());
        keys.extend(
            vs::SETTINGS.iter().filter(|setting| vs::is_listed(setting)).map(|setting| format!("{VS}{}", setting.name)),
        );
        let interfaces = || self.names.iter().flatten().map(|name| &**name);
        for owner in ["all", "default"].into_iter().chain(interfaces()) {
            keys.extend(conf::SETTINGS.iter().map(|setting| format!("{CONF}{owner}.{}", setting.name)));
        }
        for owner in ["default"].into_iter().chain(interfaces()) {
            let has = |setting: &&Setting| owner == "default" || !neigh::OF_THE_TABLE.contains(&setting.name);
            keys.extend(neigh::SETTINGS.iter().filter(has).map(|setting| format!("{NEIGH}{owner}.{}", setting.name)));
        }
        keys.sort();
        keys
    }

    /// The host's name was set at the start.
    pub fn set_hostname(&mut self, name: &str) {
        self.hostname = name.into();
    }

    // ── what the packet path asks ──

    /// Settings of the whole host.
    pub fn hot(&self) -> &Hot {
        &self.hot
    }

    /// Settings of IPVS.
    pub fn vs(&self) -> &Vs {
        &self.vs
    }

    /// Settings of an interface, joined with `conf.all`.
    pub fn conf(&self, id: IfaceId) -> Conf {
        *self.joined.get(usize::from(id.0)).unwrap_or(&self.joined_default)
    }

    fn join_again(&mut self) {
        let (all, default) = (&self.conf_all, &self.conf_default);
        self.joined_default = Conf::join(all, default);
        self.joined = self.conf.iter().map(|own| Conf::join(all, own.as_ref().unwrap_or(default))).collect();
    }

    /// Neighbour settings of an interface.
    pub fn neigh(&self, id: IfaceId) -> Neigh {
        let own = self.neigh.get(usize::from(id.0)).and_then(Option::as_ref).unwrap_or(&self.neigh_default);
        Neigh::of(own)
    }

    /// Neighbour settings of `neigh.default`: the thresholds of the whole table.
    pub fn neigh_default(&self) -> Neigh {
        Neigh::of(&self.neigh_default)
    }

    /// Whether packets that came by this interface may be forwarded.
    pub fn forwards(&self, id: IfaceId) -> bool {
        self.conf.get(usize::from(id.0)).and_then(Option::as_ref).is_some_and(|row| row.get(conf::FORWARDING) != 0)
    }

    /// `promote_secondaries` of an interface or of all.
    pub(super) fn promotes_secondaries(&self, id: IfaceId) -> bool {
        self.conf(id).promote_secondaries
    }

    /// `arp_evict_nocarrier`.
    pub(super) fn evicts_without_carrier(&self, id: IfaceId) -> bool {
        self.conf(id).arp_evict_nocarrier
    }

    // ── interfaces come and go ──

    pub(super) fn add_interface(&mut self, id: IfaceId, name: &str) {
        let at = usize::from(id.0);
        if self.conf.len() <= at {
            self.conf.resize_with(at + 1, || None);
            self.neigh.resize_with(at + 1, || None);
            self.names.resize_with(at + 1, || None);
        }
        self.conf[at] = Some(self.conf_default.clone());
        self.neigh[at] = Some(self.neigh_default.clone());
        self.names[at] = Some(name.into());
        self.join_again();
    }

    /// An address was set on an interface: later values of `default` are not for it (`ipv4_devconf_setall`).
    pub(super) fn settle_interface(&mut self, id: IfaceId) {
        let at = usize::from(id.0);
        if let Some(row) = self.conf.get_mut(at).and_then(Option::as_mut) {
            row.settle();
        }
        if let Some(row) = self.neigh.get_mut(at).and_then(Option::as_mut) {
            row.settle();
        }
    }

    pub(super) fn remove_interface(&mut self, id: IfaceId) {
        let at = usize::from(id.0);
        self.conf[at] = None;
        self.neigh[at] = None;
        self.names[at] = None;
        self.join_again();
    }

    // ── names ──

    fn place(&self, key: &str) -> Result<Place, SysctlError> {
        let unknown = || SysctlError::Unknown(key.replace('.', "/").into_boxed_str());
        let in_table = |table: &'static [Setting], name: &str| table.iter().position(|setting| setting.name == name);
        if key == HOSTNAME {
            return Ok(Place::Hostname);
        }
        if let Some(name) = key.strip_prefix(VS) {
            let at = in_table(vs::SETTINGS, name).ok_or_else(unknown)?;
            return Ok(Place::Vs(&vs::SETTINGS[at]));
        }
        if let Some((owner, name)) = key.strip_prefix(CONF).and_then(|rest| rest.rsplit_once('.')) {
            let at = in_table(conf::SETTINGS, name).ok_or_else(unknown)?;
            return match owner {
                "all" => Ok(Place::ConfAll(at)),
                "default" => Ok(Place::ConfDefault(at)),
                _ => Ok(Place::Conf(self.named(owner).ok_or_else(unknown)?, at)),
            };
        }
        if let Some((owner, name)) = key.strip_prefix(NEIGH).and_then(|rest| rest.rsplit_once('.')) {
            let at = in_table(neigh::SETTINGS, name).ok_or_else(unknown)?;
            return match owner {
                "default" => Ok(Place::NeighDefault(at)),
                _ if neigh::OF_THE_TABLE.contains(&name) => Err(unknown()),
                _ => Ok(Place::Neigh(self.named(owner).ok_or_else(unknown)?, at)),
            };
        }
        if let Some((owner, name)) = key.strip_prefix(IPV6_CONF).and_then(|rest| rest.rsplit_once('.')) {
            let known = matches!(owner, "all" | "default") || self.named(owner).is_some();
            return if known && IPV6_NAMES.contains(&name) { Ok(Place::Ipv6) } else { Err(unknown()) };
        }
        in_table(global::SETTINGS, key).map(|at| Place::Global(&global::SETTINGS[at])).ok_or_else(unknown)
    }

    /// The interface with this name. In a dotted name, a dot of an interface (`eth0.5`) is written as a slash.
    fn named(&self, name: &str) -> Option<IfaceId> {
        let at = self.names.iter().position(|own| own.as_deref() == Some(name))?;
        Some(IfaceId(at as u16))
    }

    fn numbers(&self, place: &Place, key: &str) -> Vec<i64> {
        match *place {
            Place::Global(setting) | Place::Vs(setting) => {
                self.changed.get(key).cloned().unwrap_or_else(|| setting.default.to_vec())
            }
            Place::ConfAll(at) => vec![self.conf_all.get(at)],
            Place::ConfDefault(at) => vec![self.conf_default.get(at)],
            Place::Conf(id, at) => {
                vec![self.conf[usize::from(id.0)].as_ref().map_or(0, |row| row.get(at))]
            }
            Place::NeighDefault(at) => vec![self.neigh_default.get(at)],
            Place::Neigh(id, at) => {
                vec![self.neigh[usize::from(id.0)].as_ref().map_or(0, |row| row.get(at))]
            }
            Place::Ipv6 => self.changed.get(key).cloned().unwrap_or_else(|| vec![0]),
            Place::Hostname => Vec::new(),
        }
    }

    fn write(&mut self, place: &Place, key: &str, numbers: Vec<i64>) -> Result<(), SysctlError> {
        let invalid = || SysctlError::Invalid(key.into());
        let check = |setting: &Setting| {
            let count = numbers.len() == setting.default.len();
            let range = numbers.iter().all(|number| (setting.min..=setting.max).contains(number));
            if count && range { Ok(()) } else { Err(invalid()) }
        };
        let modelled = |at: usize| match conf::is_refused(at, numbers[0]) {
            true => Err(SysctlError::NotModelled(key.into())),
            false => Ok(()),
        };
        match *place {
            Place::Global(setting) => {
                check(setting)?;
                if setting.name == PORT_RANGE && numbers[0] > numbers[1] {
                    return Err(invalid());
                }
                if setting.name == IP_FORWARD {
                    self.forward_everywhere(numbers[0]);
                }
                self.changed.insert(key.into(), numbers);
            }
            Place::Vs(setting) => {
                check(setting)?;
                if vs::is_invalid(setting, &numbers) {
                    return Err(invalid());
                }
                if vs::is_refused(setting, &numbers) {
                    return Err(SysctlError::NotModelled(key.into()));
                }
                self.changed.insert(key.into(), numbers);
            }
            Place::ConfAll(at) => {
                check(&conf::SETTINGS[at])?;
                modelled(at)?;
                self.conf_all.set(at, numbers[0]);
                if at == conf::FORWARDING {
                    self.forward_everywhere(numbers[0]);
                    self.changed.insert(IP_FORWARD.into(), numbers);
                }
            }
            Place::ConfDefault(at) => {
                check(&conf::SETTINGS[at])?;
                modelled(at)?;
                self.conf_default.set(at, numbers[0]);
                self.conf.iter_mut().flatten().for_each(|row| row.inherit(at, numbers[0]));
            }
            Place::Conf(id, at) => {
                check(&conf::SETTINGS[at])?;
                modelled(at)?;
                if let Some(row) = &mut self.conf[usize::from(id.0)] {
                    row.set(at, numbers[0]);
                }
            }
            Place::NeighDefault(at) => {
                check(&neigh::SETTINGS[at])?;
                self.neigh_default.set(at, numbers[0]);
                self.neigh.iter_mut().flatten().for_each(|row| row.inherit(at, numbers[0]));
            }
            Place::Neigh(id, at) => {
                check(&neigh::SETTINGS[at])?;
                if let Some(row) = &mut self.neigh[usize::from(id.0)] {
                    row.set(at, numbers[0]);
                }
            }
            Place::Ipv6 => {
                if numbers.len() != 1 {
                    return Err(invalid());
                }
                self.changed.insert(key.into(), numbers);
            }
            Place::Hostname => {}
        }
        Ok(())
    }

    /// `ip_forward` and `conf.all.forwarding` are one switch: it sets every interface (`inet_forward_change`). Turning
    /// it on also stops redirects from being accepted.
    fn forward_everywhere(&mut self, on: i64) {
        let rows = self.conf.iter_mut().flatten().chain([&mut self.conf_default, &mut self.conf_all]);
        for row in rows {
            row.set(conf::FORWARDING, on);
        }
        self.conf_all.set(conf::ACCEPT_REDIRECTS, i64::from(on == 0));
    }

    fn refresh(&mut self) {
        let first = |key: &str| {
            self.changed.get(key).map_or_else(
                || global::SETTINGS.iter().find(|setting| setting.name == key).map_or(0, |setting| setting.default[0]),
                |numbers| numbers[0],
            )
        };
        let ports = self.changed.get(PORT_RANGE).map_or((32_768, 60_999), |n| (n[0] as u16, n[1] as u16));
        self.hot = Hot {
            ip_forward: first(IP_FORWARD) != 0,
            default_ttl: first("net.ipv4.ip_default_ttl") as u8,
            local_ports: ports,
            no_pmtu_disc: first("net.ipv4.ip_no_pmtu_disc") != 0,
            icmp_ratelimit_ms: first("net.ipv4.icmp_ratelimit") as u64,
            icmp_ratemask: first("net.ipv4.icmp_ratemask") as u32,
            echo_ignore_all: first("net.ipv4.icmp_echo_ignore_all") != 0,
            echo_ignore_broadcasts: first("net.ipv4.icmp_echo_ignore_broadcasts") != 0,
            fragment_timeout_s: first("net.ipv4.ipfrag_time") as u64,
            nonlocal_bind: first("net.ipv4.ip_nonlocal_bind") != 0,
            tcp_timestamps: first("net.ipv4.tcp_timestamps") != 0,
            tcp_tw_reuse: first("net.ipv4.tcp_tw_reuse") as u8,
            tcp_max_tw_buckets: first("net.ipv4.tcp_max_tw_buckets") as u32,
            tcp_syn_retries: first("net.ipv4.tcp_syn_retries") as u8,
            tcp_fin_timeout_s: first("net.ipv4.tcp_fin_timeout") as u64,
        };
        let changed = &self.changed;
        self.vs = Vs::of(|setting, at| {
            changed.get(format!("{VS}{}", setting.name).as_str()).map_or(setting.default[at], |numbers| numbers[at])
        });
    }
}

impl Hot {
    const START: Hot = Hot {
        ip_forward: false,
        default_ttl: 64,
        local_ports: (32_768, 60_999),
        no_pmtu_disc: false,
        icmp_ratelimit_ms: 1000,
        icmp_ratemask: 6168,
        echo_ignore_all: false,
        echo_ignore_broadcasts: true,
        fragment_timeout_s: 30,
        nonlocal_bind: false,
        tcp_timestamps: true,
        tcp_tw_reuse: 2,
        tcp_max_tw_buckets: 4096,
        tcp_syn_retries: 6,
        tcp_fin_timeout_s: 60,
    };
}

/// `net/ipv4/ip_forward` and `net.ipv4.ip_forward` are the same key. As in `sysctl`, the first separator decides which
/// one it is, and the other kind stands for a dot inside a name.
fn dotted(key: &str) -> String {
    let key = key.trim_start_matches("/proc/sys/");
    let slash_first = key.find(['.', '/']).is_some_and(|at| key.as_bytes()[at] == b'/');
    let swap = |c| match c {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    if slash_first { key.chars().map(swap).collect() } else { key.to_string() }
}

fn join(numbers: &[i64]) -> String {
    let mut text = String::new();
    for (at, number) in numbers.iter().enumerate() {
        let gap = if at == 0 { "" } else { "\t" };
        write!(text, "{gap}{number}").expect("writing to a string does not fail");
    }
    text
}

fn parse(text: &str) -> Option<Vec<i64>> {
    let numbers: Option<Vec<i64>> = text.split_whitespace().map(number).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

const HOSTNAME: &str = "kernel.hostname";
const IP_FORWARD: &str = "net.ipv4.ip_forward";
const PORT_RANGE: &str = "net.ipv4.ip_local_port_range";
const VS: &str = "net.ipv4.vs.";
const CONF: &str = "net.ipv4.conf.";
const NEIGH: &str = "net.ipv4.neigh.";
const IPV6_CONF: &str = "net.ipv6.conf.";
const IPV6_NAMES: &[&str] = &["disable_ipv6", "forwarding", "accept_ra", "autoconf", "accept_redirects"];
