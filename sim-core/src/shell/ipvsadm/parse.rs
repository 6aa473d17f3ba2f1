//! What an `ipvsadm` line asks for, or what is wrong with it in the tool's own words (exit status 2).

use super::laddr;
use super::list::{Columns, FLAGS, List, What};
use super::names::Names;
use super::tunnel;
use super::words::{self, Failure, Given, Slip, usage};
use crate::base::time::Duration;
use crate::ipvs::sync::Role;
use crate::ipvs::{DaemonOptions, Persistence, ServerOptions, ServiceOptions};
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{SocketAddr, Transport};
use std::net::Ipv4Addr;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    AddService(ServiceKey, ServiceOptions),
    EditService(ServiceKey, ServiceOptions),
    DeleteService(ServiceKey),
    Clear,
    AddServer(ServiceKey, ServerOptions),
    EditServer(ServiceKey, ServerOptions),
    DeleteServer(ServiceKey, SocketAddr),
    List(List),
    Zero(Option<ServiceKey>),
    Timeouts([Duration; 3]),
    AddLocal(ServiceKey, laddr::Typed),
    DeleteLocal(ServiceKey, laddr::Typed),
    ListLocals(Option<ServiceKey>),
    StartDaemon(Role, DaemonOptions),
    StopDaemon(Role),
    Save { numeric: bool },
    Restore,
    Help,
    Version,
}

/// `-p` without a value, in seconds.
const DEFAULT_PERSISTENCE: u64 = 360;
/// The longest timeout, in seconds: a month.
const LONGEST: u64 = 31 * 24 * 3600;
const DEFAULT_SCHEDULER: &str = "wlc";

/// The commands, and which other options each takes; those in capitals in the second column must be there.
const COMMANDS: &[(&str, &str, &[&str], &[&str])] = &[
    ("add-service", "add-service", &[SERVICE], SERVICE_OPTIONS),
    ("edit-service", "edit-service", &[SERVICE], SERVICE_OPTIONS),
    ("delete-service", "delete-service", &[SERVICE], &[]),
    ("clear", "flush", &[], &[]),
    ("add-server", "add-server", &[SERVICE, "real-server"], SERVER_OPTIONS),
    ("edit-server", "edit-server", &[SERVICE, "real-server"], SERVER_OPTIONS),
    ("delete-server", "delete-server", &[SERVICE, "real-server"], &[]),
    ("list", "list", &[], LIST_OPTIONS),
    ("zero", "zero", &[], &[SERVICE]),
    ("set", "set", &[], &[]),
    ("add-laddr", "add-laddr", &[SERVICE, LOCAL, "ifname"], &[]),
    ("del-laddr", "del-laddr", &[SERVICE, LOCAL, "ifname"], &[]),
    ("get-laddr", "get-laddr", &[], &[SERVICE]),
    ("start-daemon", "start-daemon", &[], DAEMON_OPTIONS),
    ("stop-daemon", "stop-daemon", &[], &[]),
    ("save", "save", &[], &["numeric"]),
    ("restore", "restore", &[], &[]),
    ("help", "help", &[], &[]),
    ("version", "version", &[], &[]),
];

const SERVICE: &str = "service-address";
const FORWARD: &str = "forwarding-method";
const LOCAL: &str = "local-address";
const SERVICE_OPTIONS: &[&str] = &["scheduler", "persistent", "netmask", "ops", "sched-flags", "conn-timeout"];
const SERVER_OPTIONS: &[&str] =
    &[FORWARD, "weight", "u-threshold", "l-threshold", "tun-type", "tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"];
const DAEMON_OPTIONS: &[&str] = &["mcast-interface", "syncid", "sync-maxlen", "mcast-group", "mcast-port", "mcast-ttl"];
const LIST_OPTIONS: &[&str] = &[
    SERVICE,
    "numeric",
    "connection",
    "timeout",
    "daemon",
    "stats",
    "rate",
    "thresholds",
    "persistent-conn",
    "tun-info",
    "nosort",
    "sort",
    "exact",
];

/// Reads the words behind `ipvsadm`.
pub(super) fn read(args: &[&str], names: &Names) -> Result<Request, Failure> {
    if args.is_empty() {
        return Ok(Request::List(list(&[], None)?));
    }
    let words = words::read(args);
    let mut given = words.given.iter();
    let first = given.next();
    let command = first.and_then(|first| COMMANDS.iter().find(|row| row.0 == first.name));
    let (Some(command), Some(first)) = (command, first) else { return Err(try_help()) };
    let role = role_of(first)?;
    let given: Vec<&Given> = given.collect();
    check_options(&given)?;
    if let Some(slip) = words.slip {
        return Err(slipped(slip));
    }
    let service = service_of(&given, names)?;
    if command.0 == "set" {
        return timeouts(&words.free);
    }
    if let Some((_, free)) = words.free.first() {
        return Err(usage(format!("unexpected argument {free}")));
    }
    check_command(command, &given)?;
    let found = || service.ok_or_else(try_help);
    match command.0 {
        "add-service" => Ok(Request::AddService(found()?, service_options(found()?, &given)?)),
        "edit-service" => Ok(Request::EditService(found()?, service_options(found()?, &given)?)),
        "delete-service" => Ok(Request::DeleteService(found()?)),
        "clear" => Ok(Request::Clear),
        "add-server" => Ok(Request::AddServer(found()?, server_options(found()?, &given, names)?)),
        "edit-server" => Ok(Request::EditServer(found()?, server_options(found()?, &given, names)?)),
        "delete-server" => Ok(Request::DeleteServer(found()?, server_of(found()?, &given, names)?)),
        "list" => Ok(Request::List(list(&given, service)?)),
        "zero" => Ok(Request::Zero(service)),
        "add-laddr" => Ok(Request::AddLocal(found()?, local_of(&given, names)?)),
        "del-laddr" => Ok(Request::DeleteLocal(found()?, local_of(&given, names)?)),
        "get-laddr" => Ok(Request::ListLocals(service)),
        "start-daemon" => Ok(Request::StartDaemon(role, daemon_options(&given)?)),
        "stop-daemon" => Ok(Request::StopDaemon(role)),
        "save" => Ok(Request::Save { numeric: has(&given, "numeric") }),
        "restore" => Ok(Request::Restore),
        "help" => Ok(Request::Help),
        _ => Ok(Request::Version),
    }
}

/// What the tool calls an option when it complains.
fn class(given: &Given) -> &'static str {
    match given.name {
        "tcp-service" | "udp-service" | "fwmark-service" => SERVICE,
        "gatewaying" | "ipip" | "masquerading" | "fullnat" => FORWARD,
        "laddr" => LOCAL,
        other => other,
    }
}

fn check_options(given: &[&Given]) -> Result<(), Failure> {
    for (place, option) in given.iter().enumerate() {
        if COMMANDS.iter().any(|row| row.0 == option.name) {
            return Err(usage("multiple commands specified"));
        }
        if given[..place].iter().any(|earlier| class(earlier) == class(option)) {
            return Err(usage(format!("multiple '{}' options specified", class(option))));
        }
    }
    Ok(())
}

fn check_command(command: &(&str, &str, &[&str], &[&str]), given: &[&Given]) -> Result<(), Failure> {
    let (_, shown, needed, allowed) = command;
    for option in *needed {
        if !has(given, option) {
            return Err(usage(format!("You need to supply the '{option}' option for the '{shown}' command")));
        }
    }
    for option in given.iter().map(|option| class(option)) {
        if !needed.contains(&option) && !allowed.contains(&option) {
            return Err(usage(format!("Illegal '{option}' option with the '{shown}' command")));
        }
    }
    Ok(())
}

fn has(given: &[&Given], name: &str) -> bool {
    given.iter().any(|option| class(option) == name || option.name == name)
}

fn value<'g>(given: &[&'g Given], name: &str) -> Option<&'g str> {
    given.iter().find(|option| option.name == name)?.value.as_deref()
}

fn service_of(given: &[&Given], names: &Names) -> Result<Option<ServiceKey>, Failure> {
    let Some(option) = given.iter().find(|option| class(option) == SERVICE) else { return Ok(None) };
    let text = option.value.as_deref().unwrap_or_default();
    let transport = match option.name {
        "tcp-service" => Transport::Tcp,
        "udp-service" => Transport::Udp,
        _ => {
            let mark = text.parse::<u32>().ok().filter(|mark| *mark > 0);
            let mark = mark.ok_or_else(|| usage(format!("invalid fwmark value `{text}' specified")))?;
            return Ok(Some(ServiceKey::Mark(mark)));
        }
    };
    let (address, port) =
        names.endpoint(text, transport).ok_or_else(|| usage("illegal virtual server address[:port] specified"))?;
    Ok(Some(ServiceKey::Address(transport, SocketAddr { address, port: port.unwrap_or(0) })))
}

fn service_options(key: ServiceKey, given: &[&Given]) -> Result<ServiceOptions, Failure> {
    let scheduler = value(given, "scheduler").unwrap_or(DEFAULT_SCHEDULER).to_owned();
    let one_packet = has(given, "ops");
    let persistent = persistence(given)?;
    if let ServiceKey::Address(transport, address) = key {
        if one_packet && transport != Transport::Udp {
            return Err(usage("One-Packet Scheduling is only for UDP virtual services"));
        }
        if address.port == 0 && persistent.is_none() {
            return Err(usage("Zero port specified for non-persistent service"));
        }
    }
    let flags = value(given, "sched-flags").map_or(Ok(0), |text| scheduler_flags(text, &scheduler))?;
    let conn_timeout = match value(given, "conn-timeout") {
        None => None,
        Some(text) => Some(Duration::from_secs(timeout(text, 1)?)),
    };
    Ok(ServiceOptions { scheduler, flags, persistent, one_packet, conn_timeout })
}

fn persistence(given: &[&Given]) -> Result<Option<Persistence>, Failure> {
    let mask = match value(given, "netmask") {
        None => Ipv4Addr::BROADCAST,
        Some(text) => text.parse().map_err(|_| usage("illegal virtual server persistent mask specified"))?,
    };
    if !has(given, "persistent") {
        return Ok(None);
    }
    let seconds = value(given, "persistent").map_or(Ok(DEFAULT_PERSISTENCE), |text| timeout(text, 1))?;
    Ok(Some(Persistence { timeout: Duration::from_secs(seconds), mask }))
}

fn scheduler_flags(text: &str, scheduler: &str) -> Result<u8, Failure> {
    let mut flags = 0;
    for name in text.split(',') {
        let Some((owner, _, bit)) = FLAGS.iter().find(|(_, known, _)| *known == name) else {
            return Err(usage(format!("invalid scheduler flag `{name}'")));
        };
        if !owner.is_empty() && *owner != scheduler {
            return Err(usage(format!("incompatible scheduler flag `{name}'")));
        }
        flags |= bit;
    }
    Ok(flags)
}

fn server_of(service: ServiceKey, given: &[&Given], names: &Names) -> Result<SocketAddr, Failure> {
    let (transport, own_port) = match service {
        ServiceKey::Address(transport, address) => (transport, address.port),
        ServiceKey::Mark(_) => (Transport::Tcp, 0),
    };
    let text = value(given, "real-server").unwrap_or_default();
    let (address, port) =
        names.endpoint(text, transport).ok_or_else(|| usage("illegal real server address[:port] specified"))?;
    Ok(SocketAddr { address, port: port.unwrap_or(own_port) })
}

/// For `-g` and `-i` the server's port is the service's, whatever was typed.
fn server_options(service: ServiceKey, given: &[&Given], names: &Names) -> Result<ServerOptions, Failure> {
    let mut server = server_of(service, given, names)?;
    let method = match given.iter().find(|option| class(option) == FORWARD).map(|option| option.name) {
        Some("masquerading") => Method::Nat,
        Some("ipip") => Method::Tun,
        Some("fullnat") => Method::FullNat,
        _ => Method::Dr,
    };
    if let ServiceKey::Address(_, address) = service
        && !matches!(method, Method::Nat | Method::FullNat)
    {
        server.port = address.port;
    }
    let tunnel = tunnel::read(given, method)?;
    let number = |name: &str, complaint: &str| match value(given, name) {
        None => Ok(None),
        Some(text) => {
            let number = text.parse::<u32>().ok().filter(|number| *number <= i32::MAX as u32);
            number.map(Some).ok_or_else(|| usage(complaint))
        }
    };
    Ok(ServerOptions {
        server,
        method,
        tunnel,
        weight: number("weight", "illegal weight specified")?.unwrap_or(1),
        upper: number("u-threshold", "illegal u_threshold specified")?.unwrap_or(0),
        lower: number("l-threshold", "illegal l_threshold specified")?.unwrap_or(0),
    })
}

fn local_of(given: &[&Given], names: &Names) -> Result<laddr::Typed, Failure> {
    let text = value(given, "laddr").unwrap_or_default();
    let (address, _) = names.endpoint(text, Transport::Tcp).ok_or_else(|| usage("illegal local address"))?;
    Ok(laddr::Typed { address, interface: value(given, "ifname").unwrap_or_default().to_owned() })
}

/// Which daemon is meant. For other commands it does not matter.
fn role_of(first: &Given) -> Result<Role, Failure> {
    let complaint = match first.name {
        "start-daemon" => "illegal start_daemon specified",
        "stop-daemon" => "illegal stop_daemon specified",
        _ => return Ok(Role::Master),
    };
    match first.value.as_deref() {
        Some("master") => Ok(Role::Master),
        Some("backup") => Ok(Role::Backup),
        _ => Err(usage(complaint)),
    }
}

fn daemon_options(given: &[&Given]) -> Result<DaemonOptions, Failure> {
    const LONGEST: u32 = 65_535 - 28;
    let number = |name: &str, range: std::ops::RangeInclusive<u32>| match value(given, name) {
        None => Ok(0),
        Some(text) => {
            let number = text.parse::<u32>().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| usage(format!("illegal {name} specified")))
        }
    };
    let group = match value(given, "mcast-group") {
        None => Ipv4Addr::UNSPECIFIED,
        Some(text) => {
            let group = text.parse().ok().filter(Ipv4Addr::is_multicast);
            group.ok_or_else(|| usage(format!("invalid IPv4 mcast-group `{text}'")))?
        }
    };
    Ok(DaemonOptions {
        interface: value(given, "mcast-interface").unwrap_or("eth0").into(),
        sync_id: number("syncid", 0..=255)? as u8,
        longest: number("sync-maxlen", 1..=LONGEST)?,
        group,
        port: number("mcast-port", 1..=65_535)? as u16,
        ttl: number("mcast-ttl", 1..=255)? as u8,
    })
}

fn list(given: &[&Given], service: Option<ServiceKey>) -> Result<List, Failure> {
    let what = if has(given, "connection") {
        What::Connections
    } else if service.is_some() {
        What::Services
    } else if has(given, "timeout") {
        What::Timeouts
    } else if has(given, "daemon") {
        What::Daemon
    } else {
        What::Services
    };
    let columns = [
        ("stats", Columns::Stats),
        ("rate", Columns::Rate),
        ("thresholds", Columns::Thresholds),
        ("persistent-conn", Columns::Persistent),
        ("tun-info", Columns::Tunnels),
    ];
    let chosen = columns.iter().find(|(name, _)| has(given, name)).map(|(_, columns)| *columns);
    let is_other = ["connection", "timeout", "daemon"].iter().any(|name| has(given, name));
    let conflicts = matches!(chosen, Some(Columns::Stats | Columns::Rate | Columns::Thresholds));
    if is_other && conflicts {
        return Err(usage("options conflicts in the list command"));
    }
    Ok(List {
        what,
        columns: chosen.unwrap_or(Columns::Default),
        service,
        numeric: has(given, "numeric"),
        exact: has(given, "exact"),
        sorted: !has(given, "nosort"),
    })
}

fn timeouts(free: &[(usize, String)]) -> Result<Request, Failure> {
    let [tcp, fin, udp] = free else {
        return Err(match free.get(3) {
            Some((_, free)) => usage(format!("unexpected argument {free}")),
            None => usage("--set option requires 3 timeout values"),
        });
    };
    let seconds = |(_, text): &(usize, String)| timeout(text, 0).map(Duration::from_secs);
    Ok(Request::Timeouts([seconds(tcp)?, seconds(fin)?, seconds(udp)?]))
}

fn timeout(text: &str, least: u64) -> Result<u64, Failure> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| (least..=LONGEST).contains(seconds));
    seconds.ok_or_else(|| usage(format!("invalid timeout value `{text}' specified")))
}

fn slipped(slip: Slip) -> Failure {
    let (option, words) = match slip {
        Slip::Unknown { option, .. } => (option, "unknown option"),
        Slip::NoValue { option, .. } => (option, "missing argument"),
    };
    Failure { text: format!("{option}: {words}\n"), code: 255 }
}

fn try_help() -> Failure {
    let text = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n";
    Failure { text: text.to_owned(), code: 255 }
}
