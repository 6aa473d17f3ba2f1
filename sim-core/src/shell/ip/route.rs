//! `ip route`: add append change replace prepend del show flush get.

use super::{Done, Ip, Stop, address_of, answer, check_words, command, link, network_of, scope_name, scope_of};
use crate::base::id::IfaceId;
use crate::shell::command::Fault;
use crate::tables::interfaces::LOOPBACK;
use crate::tables::routes::change::{How, NewRoute, Pattern};
use crate::tables::routes::{Found, Question, RouteEntry, TABLE_DEFAULT, TABLE_LOCAL, TABLE_MAIN};
use crate::trace::record::{RouteKind, Scope};
use ipnet::Ipv4Net;

const COMMANDS: &[&str] = &[
    "add", "append", "change", "chg", "replace", "prepend", "test", "delete", "get", "show", "list", "lst", "flush",
    "save", "restore", "showdump", "help",
];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    check_words(
        words,
        &[
            ("nexthop", "one next hop a route; name the gateway"),
            ("encap", "only ipip tunnels are modelled"),
            ("tos", "routes by TOS are not modelled"),
            ("dsfield", "routes by TOS are not modelled"),
            ("realm", "realms are not modelled"),
            ("nhid", "name the gateway in the route"),
            ("multicast", "multicast routes are not modelled"),
            ("nat", "Linux has had no NAT routes since 2.6"),
            ("save", "put the commands into a script"),
            ("restore", "put the commands into a script"),
            ("throw", "use ip rule"),
        ],
    )
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "route")? {
        "add" => modify(ip, How::Add),
        "append" => modify(ip, How::Append),
        "prepend" => modify(ip, How::Prepend),
        "change" | "chg" => modify(ip, How::Change),
        "replace" => modify(ip, How::Replace),
        "del" => delete(ip),
        "show" => show(ip),
        "flush" => flush(ip),
        "get" => get(ip),
        other => Err(Stop(255, format!("ip route {other}: see ip-route(8)"))),
    }
}

/// A route as typed.
#[derive(Default)]
struct Typed {
    destination: Option<Ipv4Net>,
    kind: Option<RouteKind>,
    gateway: Option<std::net::Ipv4Addr>,
    device: Option<IfaceId>,
    source: Option<std::net::Ipv4Addr>,
    scope: Option<Scope>,
    table: Option<u32>,
    metric: Option<u32>,
    mtu: Option<u32>,
    onlink: bool,
    by_kernel: Option<bool>,
}

fn typed(ip: &mut Ip<'_, '_, '_, '_>) -> Result<Typed, Stop> {
    let mut route = Typed::default();
    while let Some(word) = ip.words.next() {
        match word {
            "via" => {
                let text = ip.words.value()?;
                route.gateway = Some(if text == "inet" { address_of(ip.words.value()?)? } else { address_of(text)? });
            }
            "dev" | "oif" => route.device = Some(ip.next_device()?),
            "src" => route.source = Some(address_of(ip.words.value()?)?),
            "metric" | "priority" | "preference" => {
                route.metric = Some(link::number(ip.words.value()?, "metric")?);
            }
            "table" => route.table = Some(table_of(ip.words.value()?)?),
            "scope" => {
                let text = ip.words.value()?;
                route.scope = Some(scope_of(text).ok_or_else(|| {
                    Stop(255, format!("Error: argument \"{text}\" is wrong: invalid \"scope\" value"))
                })?);
            }
            "mtu" => {
                let text = ip.words.value()?;
                route.mtu = Some(link::number(if text == "lock" { ip.words.value()? } else { text }, "mtu")?);
            }
            "proto" | "protocol" => route.by_kernel = Some(ip.words.value()? == "kernel"),
            "onlink" => route.onlink = true,
            // TCP's own defaults hold in the lab.
            "advmss" | "window" | "rtt" | "rttvar" | "cwnd" | "initcwnd" | "initrwnd" | "hoplimit" | "features"
            | "quickack" | "congctl" | "rto_min" | "ssthresh" | "reordering" => drop(ip.words.value()?),
            "to" => route.destination = Some(network_of(ip.words.value()?)?),
            "unicast" => route.kind = Some(RouteKind::Unicast),
            "local" => route.kind = Some(RouteKind::Local),
            "broadcast" | "brd" => route.kind = Some(RouteKind::Broadcast),
            "blackhole" => route.kind = Some(RouteKind::Blackhole),
            "unreachable" => route.kind = Some(RouteKind::Unreachable),
            "prohibit" => route.kind = Some(RouteKind::Prohibit),
            word if route.destination.is_none() => route.destination = Some(network_of(word)?),
            word => return Err(Stop(255, format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    Ok(route)
}

fn modify(ip: &mut Ip<'_, '_, '_, '_>, how: How) -> Done {
    let typed = typed(ip)?;
    let Some(destination) = typed.destination else {
        return Err(Stop(2, "RTNETLINK answers: Invalid argument".into()));
    };
    let kind = typed.kind.unwrap_or(RouteKind::Unicast);
    // `ip` puts local and broadcast routes into the table where the kernel keeps its own.
    let own = matches!(kind, RouteKind::Local | RouteKind::Broadcast);
    let table = typed.table.unwrap_or(if own { TABLE_LOCAL } else { TABLE_MAIN });
    let refuses = matches!(kind, RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole);
    if typed.gateway.is_none() && typed.device.is_none() && !refuses && kind != RouteKind::Local {
        return Err(Stop(2, "RTNETLINK answers: No such device".into()));
    }
    let route = NewRoute {
        table,
        kind,
        gateway: typed.gateway,
        iface: typed.device.or((kind == RouteKind::Local).then_some(LOOPBACK)),
        source: typed.source,
        scope: typed.scope,
        metric: typed.metric.unwrap_or(0),
        mtu: typed.mtu,
        onlink: typed.onlink,
        by_kernel: typed.by_kernel.unwrap_or(false),
        ..NewRoute::to(destination)
    };
    let tables = &mut ip.sys.kernel.tables;
    answer(tables.routes.add(route, how, &tables.interfaces, ip.sys.cx))
}

fn pattern(typed: &Typed) -> Pattern {
    let own = matches!(typed.kind, Some(RouteKind::Local | RouteKind::Broadcast));
    Pattern {
        table: typed.table.or(own.then_some(TABLE_LOCAL)),
        destination: typed.destination,
        kind: typed.kind,
        gateway: typed.gateway,
        iface: typed.device,
        source: typed.source,
        scope: typed.scope,
        metric: typed.metric,
        by_kernel: typed.by_kernel,
    }
}

fn delete(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let typed = typed(ip)?;
    answer(ip.sys.kernel.tables.routes.delete(&pattern(&typed), ip.sys.cx))
}

/// Which routes `show` and `flush` mean.
#[derive(Default)]
struct Which {
    typed: Typed,
    /// `root PREFIX`: it and what is inside.
    root: Option<Ipv4Net>,
    /// `match PREFIX`: it and what it is inside of.
    within: Option<Ipv4Net>,
    all_tables: bool,
    cache: bool,
}

fn which(ip: &mut Ip<'_, '_, '_, '_>) -> Result<Which, Stop> {
    let mut which = Which::default();
    while let Some(word) = ip.words.next() {
        match word {
            "table" => match ip.words.value()? {
                "all" => which.all_tables = true,
                "cache" => which.cache = true,
                text => which.typed.table = Some(table_of(text)?),
            },
            "cache" | "cached" => which.cache = true,
            "dev" | "oif" | "iif" => which.typed.device = Some(ip.next_device()?),
            "via" => which.typed.gateway = Some(address_of(ip.words.value()?)?),
            "src" => which.typed.source = Some(address_of(ip.words.value()?)?),
            "proto" | "protocol" => which.typed.by_kernel = Some(ip.words.value()? == "kernel"),
            "scope" => which.typed.scope = scope_of(ip.words.value()?),
            "type" => which.typed.kind = kind_of(ip.words.value()?),
            "root" => which.root = Some(network_of(ip.words.value()?)?),
            "match" => which.within = Some(network_of(ip.words.value()?)?),
            "exact" | "to" => which.typed.destination = Some(network_of(ip.words.value()?)?),
            "all" => {}
            word => which.typed.destination = Some(network_of(word)?),
        }
    }
    Ok(which)
}

impl Which {
    fn picks(&self, pattern: &Pattern, entry: &RouteEntry) -> bool {
        let destination = &entry.record.destination;
        pattern.matches(entry)
            && self.root.is_none_or(|root| root.contains(destination))
            && self.within.is_none_or(|within| destination.contains(&within))
    }
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let which = which(ip)?;
    if which.cache {
        return Ok(());
    }
    let pattern = pattern(&which.typed);
    let routes = &ip.sys.kernel.tables.routes;
    let mut tables: Vec<u32> =
        if which.all_tables { routes.tables().collect() } else { vec![pattern.table.unwrap_or(TABLE_MAIN)] };
    // The local table comes last, as in `ip route show table all`.
    tables.sort_by_key(|table| (*table == TABLE_LOCAL, *table));
    let mut text = String::new();
    for table in tables {
        for entry in routes.table(table).filter(|entry| which.picks(&pattern, entry)) {
            text.push_str(&line(ip, entry, which.all_tables, which.typed.device.is_some()));
        }
    }
    ip.out(text);
    Ok(())
}

fn flush(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    if ip.words.peek().is_none() {
        return Err(Stop(255, "\"ip route flush\" requires arguments.".into()));
    }
    let which = which(ip)?;
    if which.cache {
        ip.sys.kernel.tables.routes.flush_cache();
        return Ok(());
    }
    let mut pattern = pattern(&which.typed);
    let routes = &mut ip.sys.kernel.tables.routes;
    let tables: Vec<u32> =
        if which.all_tables { routes.tables().collect() } else { vec![pattern.table.unwrap_or(TABLE_MAIN)] };
    for table in tables {
        pattern.table = Some(table);
        let gone: Vec<RouteEntry> = routes.table(table).filter(|entry| which.picks(&pattern, entry)).cloned().collect();
        for entry in gone {
            let record = &entry.record;
            let one = Pattern {
                table: Some(table),
                destination: Some(record.destination),
                kind: Some(record.kind),
                gateway: record.gateway,
                iface: record.iface,
                metric: Some(record.metric),
                ..Pattern::default()
            };
            let _ = routes.delete(&one, ip.sys.cx);
        }
    }
    Ok(())
}

fn line(ip: &Ip<'_, '_, '_, '_>, entry: &RouteEntry, table: bool, hide_device: bool) -> String {
    let record = &entry.record;
    let mut text = match record.kind {
        RouteKind::Unicast => String::new(),
        kind => format!("{} ", kind_name(kind)),
    };
    text.push_str(&match (record.destination.prefix_len(), record.destination.addr()) {
        (0, address) if address.is_unspecified() => "default ".to_owned(),
        (32, address) => format!("{address} "),
        (length, address) => format!("{address}/{length} "),
    });
    if let Some(gateway) = record.gateway {
        text.push_str(&format!("via {gateway} "));
    }
    if let Some(iface) = record.iface.filter(|_| !hide_device) {
        text.push_str(&format!("dev {} ", ip.name_of(iface)));
    }
    if table && record.table != TABLE_MAIN {
        text.push_str(&format!("table {} ", table_name(record.table)));
    }
    if record.by_kernel {
        text.push_str("proto kernel ");
    }
    if record.scope != Scope::Global {
        text.push_str(&format!("scope {} ", scope_name(record.scope)));
    }
    if let Some(source) = record.source {
        text.push_str(&format!("src {source} "));
    }
    if record.metric != 0 {
        text.push_str(&format!("metric {} ", record.metric));
    }
    if entry.onlink {
        text.push_str("onlink ");
    }
    let interface = record.iface.and_then(|iface| ip.sys.kernel.tables.interfaces.get(iface));
    if interface.is_some_and(|interface| interface.up && !interface.carrier) {
        text.push_str("linkdown ");
    }
    if let Some(mtu) = entry.mtu {
        text.push_str(&format!("mtu {mtu} "));
    }
    text.push('\n');
    text
}

fn get(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let (mut destination, mut source, mut mark, mut iif, mut oif) = (None, None, 0, None, None);
    while let Some(word) = ip.words.next() {
        match word {
            "from" => source = Some(address_of(ip.words.value()?)?),
            "mark" => mark = link::number(ip.words.value()?, "mark")?,
            "iif" => iif = Some(ip.next_device()?),
            "oif" | "dev" => oif = Some(ip.next_device()?),
            "to" => destination = Some(network_of(ip.words.value()?)?.addr()),
            word => destination = Some(network_of(word)?.addr()),
        }
    }
    let Some(destination) = destination else { return Err(Stop(255, "need at least a destination address".into())) };
    let question = Question { destination, source, mark, iif: iif.unwrap_or(LOOPBACK), oif };
    let tables = &ip.sys.kernel.tables;
    let route = match tables.routes.find(question, &tables.interfaces) {
        Found::Route(route) => route,
        Found::Refused(RouteKind::Blackhole) => return Err(Stop(2, "RTNETLINK answers: Invalid argument".into())),
        Found::Refused(RouteKind::Prohibit) => return Err(Stop(2, "RTNETLINK answers: Permission denied".into())),
        Found::Refused(_) => return Err(Stop(2, "RTNETLINK answers: No route to host".into())),
        Found::Nothing => return Err(Stop(2, "RTNETLINK answers: Network is unreachable".into())),
    };
    let local = route.kind == RouteKind::Local;
    let kind = if route.kind == RouteKind::Unicast { String::new() } else { format!("{} ", kind_name(route.kind)) };
    let from = source.map_or_else(String::new, |source| format!("from {source} "));
    let via = route.gateway.map_or_else(String::new, |gateway| format!("via {gateway} "));
    let device = ip.name_of(if local { LOOPBACK } else { route.iface });
    let src = if source.is_some() {
        String::new()
    } else {
        format!("src {} ", if local { destination } else { route.source })
    };
    let mark = if mark == 0 { String::new() } else { format!("mark {mark:#x} ") };
    let learned = tables.routes.learned().find(|(address, ..)| *address == destination);
    let cache = match learned {
        Some((_, mtu, until)) => format!("expires {}sec mtu {mtu} ", until.since(ip.sys.cx.now).secs()),
        None if local => "<local> ".to_owned(),
        None => String::new(),
    };
    ip.out(format!("{kind}{destination} {from}{via}dev {device} {src}{mark}uid 0 \n    cache {cache}\n"));
    Ok(())
}

pub(super) fn table_of(text: &str) -> Result<u32, Stop> {
    match text {
        "local" => Ok(TABLE_LOCAL),
        "main" => Ok(TABLE_MAIN),
        "default" => Ok(TABLE_DEFAULT),
        number => number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Stop(255, format!("Error: argument \"{text}\" is wrong: table id value is invalid"))),
    }
}

pub(super) fn table_name(table: u32) -> String {
    match table {
        TABLE_LOCAL => "local".into(),
        TABLE_MAIN => "main".into(),
        TABLE_DEFAULT => "default".into(),
        number => number.to_string(),
    }
}

fn kind_of(text: &str) -> Option<RouteKind> {
    Some(match text {
        "unicast" => RouteKind::Unicast,
        "local" => RouteKind::Local,
        "broadcast" => RouteKind::Broadcast,
        "unreachable" => RouteKind::Unreachable,
        "prohibit" => RouteKind::Prohibit,
        "blackhole" => RouteKind::Blackhole,
        _ => return None,
    })
}

fn kind_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Blackhole => "blackhole",
    }
}
