//! `ipvsadm -L`: services and servers, connections, timeouts, as text. Widths and titles are those of ipvsadm 1.31.

use super::names::Names;
use super::tunnel;
use crate::base::time::Instant;
use crate::ipvs::stats::Counts;
use crate::ipvs::sync::Role;
use crate::ipvs::{DaemonOptions, Ipvs, Server, Service};
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{SocketAddr, Transport};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// The first line of a full list.
const VERSION_LINE: &str = "IP Virtual Server version 1.2.1 (size=4096)\n";
/// A service's name is cut at so many characters.
const SERVICE_WIDTH: usize = 33;
/// A server's too.
const SERVER_WIDTH: usize = 28;

/// A list, and how it is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) what: What,
    pub(super) columns: Columns,
    pub(super) service: Option<ServiceKey>,
    pub(super) numeric: bool,
    pub(super) exact: bool,
    pub(super) sorted: bool,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Services,
    Connections,
    Timeouts,
    Daemon,
}

/// Which columns stand behind a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    Default,
    Stats,
    Rate,
    Thresholds,
    Persistent,
    Tunnels,
}

/// Scheduler flags: the scheduler they belong to (any, if empty), the name, the bit.
pub(super) const FLAGS: &[(&str, &str, u8)] = &[
    ("sh", "sh-fallback", 0x08),
    ("sh", "sh-port", 0x10),
    ("mh", "mh-fallback", 0x08),
    ("mh", "mh-port", 0x10),
    ("", "flag-1", 0x08),
    ("", "flag-2", 0x10),
    ("", "flag-3", 0x20),
];

/// The list. `None` if it is about a service that does not exist.
pub(super) fn text(ipvs: &Ipvs, list: &List, names: &Names, now: Instant) -> Option<String> {
    match list.what {
        What::Services => services(ipvs, list, names, ipvs.estimated(now)),
        What::Connections => Some(connections(ipvs, list, names, now)),
        What::Timeouts => {
            let [tcp, fin, udp] = ipvs.timeouts().map(|timeout| timeout.secs());
            Some(format!("Timeout (tcp tcpfin udp): {tcp} {fin} {udp}\n"))
        }
        What::Daemon => Some(daemons(ipvs)),
    }
}

fn daemons(ipvs: &Ipvs) -> String {
    let mut text = String::new();
    for (role, options) in ipvs.daemons() {
        let role = match role {
            Role::Master => "master",
            Role::Backup => "backup",
        };
        let DaemonOptions { interface, sync_id, longest, group, port, ttl } = options;
        let _ = write!(text, "{role} sync daemon (mcast={interface}, syncid={sync_id}, maxlen={longest}, ");
        let _ = writeln!(text, "group={group}, port={port}, ttl={ttl})");
    }
    text
}

/// Services in the order of the list: by protocol, address and port, then by mark.
pub(super) fn in_order(ipvs: &Ipvs, sorted: bool) -> Vec<&Service> {
    let mut services: Vec<&Service> = ipvs.services().collect();
    if sorted {
        services.sort_by_key(|service| service.key);
    }
    services
}

/// The servers of a service in the order of the list: by address and port, or as the kernel has them.
pub(super) fn servers_in_order<'a>(ipvs: &'a Ipvs, service: &'a Service, sorted: bool) -> Vec<&'a Server> {
    let mut servers: Vec<&Server> = ipvs.servers(service).iter().collect();
    if sorted {
        servers.sort_by_key(|server| server.address);
    }
    servers
}

/// The names of the flags that are set, with commas.
pub(super) fn flag_names(service: &Service) -> String {
    let own = FLAGS.iter().any(|(owner, ..)| *owner == service.scheduler_name);
    let owner = if own { service.scheduler_name } else { "" };
    let has_own = |bit: u8| FLAGS.iter().any(|(known, _, its)| *known == owner && *its == bit);
    let is_set = |row: &&(&str, &str, u8)| {
        let (known, _, bit) = **row;
        service.flags & bit != 0 && (known == owner || known.is_empty() && !has_own(bit))
    };
    FLAGS.iter().filter(is_set).map(|(_, name, _)| *name).collect::<Vec<_>>().join(",")
}

/// `10.0.0.100:80`, or by name.
pub(super) fn endpoint(address: SocketAddr, transport: Transport, numeric: bool, names: &Names) -> String {
    if numeric { address.to_string() } else { names.shown(address, transport) }
}

fn services(ipvs: &Ipvs, list: &List, names: &Names, now: Instant) -> Option<String> {
    let mut text = String::new();
    let chosen = match list.service {
        None => {
            text.push_str(VERSION_LINE);
            in_order(ipvs, list.sorted)
        }
        Some(key) => vec![ipvs.service(key)?],
    };
    title(list.columns, &mut text);
    for service in chosen {
        service_line(service, list, names, now, &mut text);
        let transport = transport_of(service.key);
        for server in servers_in_order(ipvs, service, list.sorted) {
            let name = cut(&endpoint(server.address, transport, list.numeric, names), SERVER_WIDTH);
            let _ = write!(text, "  -> {name:<28}");
            server_columns(server, list, now, &mut text);
        }
    }
    Some(text)
}

fn title(columns: Columns, text: &mut String) {
    const LOCAL: &str = "Prot LocalAddress:Port";
    const REMOTE: &str = "  -> RemoteAddress:Port";
    let _ = match columns {
        Columns::Default => {
            writeln!(text, "{LOCAL} Scheduler Flags\n{REMOTE}           Forward Weight ActiveConn InActConn")
        }
        Columns::Tunnels => {
            let tunnel = "Forward TunnelInfo    Weight ActiveConn InActConn";
            writeln!(text, "{LOCAL} Scheduler Flags\n{REMOTE}           {tunnel}")
        }
        Columns::Stats => {
            let heads = ["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"];
            writeln!(text, "{LOCAL:<33}{}\n{REMOTE}", heads.map(|head| format!(" {head:>8}")).concat())
        }
        Columns::Rate => {
            let heads = ["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"];
            writeln!(text, "{LOCAL:<33}{}\n{REMOTE}", heads.map(|head| format!(" {head:>8}")).concat())
        }
        Columns::Thresholds => {
            let heads = ["Uthreshold", "Lthreshold", "ActiveConn", "InActConn"];
            writeln!(text, "{LOCAL:<33}{}\n{REMOTE}", heads.map(|head| format!(" {head:<10}")).concat())
        }
        Columns::Persistent => writeln!(
            text,
            "{LOCAL:<33} {:<9} {:<11} {:<10} {:<10}\n{REMOTE}",
            "Weight", "PersistConn", "ActiveConn", "InActConn"
        ),
    };
}

fn service_line(service: &Service, list: &List, names: &Names, now: Instant, text: &mut String) {
    let name = match service.key {
        ServiceKey::Mark(mark) => format!("FWM  {mark}"),
        ServiceKey::Address(transport, address) => {
            format!("{:<4} {}", transport.name(), endpoint(address, transport, list.numeric, names))
        }
    };
    let name = cut(&name, SERVICE_WIDTH);
    match list.columns {
        Columns::Stats => {
            let _ = write!(text, "{name:<33}");
            numbers(service.stats.shown(now), list.exact, text);
        }
        Columns::Rate => {
            let _ = write!(text, "{name:<33}");
            numbers(service.stats.rates(now), list.exact, text);
        }
        Columns::Default | Columns::Thresholds | Columns::Persistent | Columns::Tunnels => {
            let _ = write!(text, "{name} {}", service.scheduler_name);
            let flags = flag_names(service);
            if !flags.is_empty() {
                let _ = write!(text, " ({flags})");
            }
            if let Some(persistence) = service.persistent {
                let _ = write!(text, " persistent {}", persistence.timeout.secs());
                if persistence.mask != Ipv4Addr::BROADCAST {
                    let _ = write!(text, " mask {}", persistence.mask);
                }
            }
            if service.one_packet {
                text.push_str(" ops");
            }
            if let Some(timeout) = service.conn_timeout {
                let _ = write!(text, " conn-timeout {}", timeout.secs());
            }
            text.push('\n');
        }
    }
}

fn server_columns(server: &Server, list: &List, now: Instant, text: &mut String) {
    let (active, inactive) = (server.active, server.inactive());
    let _ = match list.columns {
        Columns::Default => {
            let (forward, weight) = (server.method.listed(), server.weight);
            writeln!(text, " {forward:<7} {weight:<6} {active:<10} {inactive:<10}")
        }
        Columns::Tunnels => {
            let (forward, weight) = (server.method.listed(), server.weight);
            let tunnel = if server.method == Method::Tun { tunnel::listed(server.tunnel) } else { "n/a".to_owned() };
            writeln!(text, " {forward:<7} {tunnel:<13} {weight:<6} {active:<10} {inactive:<10}")
        }
        Columns::Thresholds => {
            writeln!(text, " {:<10} {:<10} {active:<10} {inactive:<10}", server.upper, server.lower)
        }
        Columns::Persistent => {
            let (weight, persistent) = (server.weight, server.persistent);
            writeln!(text, " {weight:<9} {persistent:<11} {active:<10} {inactive:<10}")
        }
        Columns::Stats => return numbers(server.stats.shown(now), list.exact, text),
        Columns::Rate => return numbers(server.stats.rates(now), list.exact, text),
    };
}

fn numbers(counts: Counts, exact: bool, text: &mut String) {
    let Counts { conns, in_packets, out_packets, in_bytes, out_bytes } = counts;
    for number in [conns, in_packets, out_packets, in_bytes, out_bytes] {
        text.push_str(&if exact { whole(number) } else { short(number) });
    }
    text.push('\n');
}

fn whole(number: u64) -> String {
    let width = (number.to_string().len() + 1).max(9);
    format!("{number:>width$}")
}

/// Nine characters: in thousands, millions, … where it would be longer.
fn short(number: u64) -> String {
    const K: u64 = 1_000;
    match number {
        0..100_000_000 => format!("{number:>9}"),
        100_000_000..1_000_000_000 => format!("{:>8}K", number / K),
        1_000_000_000..100_000_000_000 => format!("{:>8}M", number / (K * K)),
        100_000_000_000..100_000_000_000_000 => format!("{:>8}G", number / (K * K * K)),
        _ => format!("{:>8}T", number / (K * K * K * K)),
    }
}

/// With DPVS's column of local addresses, if any connection has one.
fn connections(ipvs: &Ipvs, list: &List, names: &Names, now: Instant) -> String {
    let mut text = String::from("IPVS connection entries\n");
    let local = ipvs.connections().iter().any(|conn| conn.local().is_some());
    let title = if local { "local              " } else { "" };
    let _ = writeln!(text, "pro expire state       source             virtual            {title}destination");
    for conn in ipvs.connections().iter() {
        let transport = conn.transport.unwrap_or(Transport::Tcp);
        let name = |address| endpoint(address, transport, list.numeric, names);
        let seconds = conn.seconds_left(now);
        let shown = match conn.local() {
            _ if !local => String::new(),
            Some(end) => format!("{:<18} ", name(end)),
            None => format!("{:<18} ", "-"),
        };
        let expire = format!("{:02}:{:02}", seconds / 60, seconds % 60);
        let _ = writeln!(
            text,
            "{:<3} {expire:<6} {:<11} {:<18} {:<18} {shown}{}",
            conn.transport.map_or("IP", Transport::name),
            conn.state,
            name(conn.client),
            name(conn.virtual_),
            name(conn.server)
        );
    }
    text
}

fn transport_of(key: ServiceKey) -> Transport {
    match key {
        ServiceKey::Address(transport, _) => transport,
        ServiceKey::Mark(_) => Transport::Tcp,
    }
}

fn cut(name: &str, width: usize) -> String {
    name.chars().take(width).collect()
}
