//! `route` (net-tools): the main routing table.
//!
//! `route add -host VIP lo:0` is taken without `dev`, and a label stands for its interface, as there.

use super::command::{Call, Command, Opt, Outcome, refused_words};
use crate::base::id::IfaceId;
use crate::kernel::syscall::Sys;
use crate::tables::Refusal;
use crate::tables::routes::change::{How, NewRoute, Pattern};
use crate::tables::routes::{RouteEntry, TABLE_MAIN};
use crate::trace::record::RouteKind;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// `route`.
pub(super) const COMMAND: Command = Command {
    names: &["route"],
    summary: "the routing table (net-tools)",
    options: &[
        Opt::flag("-n", "numbers"),
        Opt::accepted("-e", false, "the same list"),
        Opt::accepted("-v", false, "nothing more is said"),
        Opt::flag("add", "adds"),
        Opt::flag("del", "deletes"),
        Opt::value("-host", "to one address"),
        Opt::value("-net", "to a network"),
        Opt::flag("default", "to everything else"),
        Opt::value("gw", "the router"),
        Opt::value("dev", "the interface"),
        Opt::value("netmask", "the mask"),
        Opt::value("metric", "smaller is preferred"),
        Opt::flag("reject", "refuses"),
        Opt::accepted("mss", true, "TCP's own"),
        Opt::accepted("window", true, "TCP's own"),
        Opt::accepted("irtt", true, "TCP's own"),
        Opt::refused("-A", true, "IPv4 only"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
        Opt::refused("-C", false, "there is no route cache"),
    ],
    check: refused_words,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let mut at = 0;
    let mut numeric = false;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-') && !matches!(**word, "-host" | "-net")) {
        numeric |= word.contains('n');
        at += 1;
    }
    match words.get(at) {
        None => kernel_table(numeric, Layout::Route, call, sys),
        Some(&("add" | "del" | "delete")) => {
            let add = words[at] == "add";
            match change(add, &words[at + 1..], sys) {
                Ok(()) => Outcome::Done(0),
                Err((code, message)) => call.fail(code, message),
            }
        }
        Some(&("flush" | "change")) => call.fail(4, "route: not supported\n"),
        Some(_) => call.fail(4, USAGE),
    }
}

/// What was typed, taken apart.
#[derive(Default)]
struct Typed {
    host: bool,
    net: bool,
    target: Option<Ipv4Net>,
    gateway: Option<Ipv4Addr>,
    device: Option<IfaceId>,
    metric: u32,
    reject: bool,
}

type Stop = (i32, String);

fn change(add: bool, words: &[&str], sys: &mut Sys<'_, '_>) -> Result<(), Stop> {
    let typed = read(words, sys)?;
    let Some(target) = typed.target else { return Err((4, USAGE.into())) };
    let ioctl = if add { "SIOCADDRT" } else { "SIOCDELRT" };
    let kind = if typed.reject { RouteKind::Unreachable } else { RouteKind::Unicast };
    let tables = &mut sys.kernel.tables;
    let done = match add {
        true if typed.gateway.is_none() && typed.device.is_none() && !typed.reject => Err(Refusal::NoDevice),
        true => {
            let route = NewRoute {
                kind,
                gateway: typed.gateway,
                iface: if typed.reject { None } else { typed.device },
                metric: typed.metric,
                ..NewRoute::to(target)
            };
            // The old system call puts a route behind those of its destination unless it is the very same.
            tables.routes.add(route, How::Add, &tables.interfaces, sys.cx)
        }
        false => {
            let pattern = Pattern {
                destination: Some(target),
                gateway: typed.gateway,
                iface: typed.device,
                metric: (typed.metric > 0).then_some(typed.metric),
                ..Pattern::default()
            };
            tables.routes.delete(&pattern, sys.cx)
        }
    };
    done.map_err(|refusal| (7, format!("{ioctl}: {refusal}\n")))
}

fn read(words: &[&str], sys: &Sys<'_, '_>) -> Result<Typed, Stop> {
    let mut typed = Typed::default();
    let mut mask = None;
    let mut text = None;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "-host" => typed.host = true,
            "-net" => typed.net = true,
            "gw" | "gateway" => {
                let name = words.next().unwrap_or_default();
                typed.gateway = Some(name.parse().map_err(|_| (1, format!("{name}: Host name lookup failure\n")))?);
            }
            "dev" | "device" => typed.device = Some(device(words.next().unwrap_or_default(), sys)?),
            "netmask" | "genmask" => {
                let name = words.next().unwrap_or_default();
                let wrong = || (4, format!("route: bogus netmask {name}\n"));
                let given: Ipv4Addr = name.parse().map_err(|_| wrong())?;
                mask = Some(ipnet::ipv4_mask_to_prefix(given).map_err(|_| wrong())?);
            }
            "metric" => typed.metric = words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
            "reject" => typed.reject = true,
            "mss" | "window" | "irtt" | "mtu" => drop(words.next()),
            "mod" | "dyn" | "reinstate" => {}
            word if text.is_none() => text = Some(word),
            // A device may stand there without `dev`.
            word => typed.device = Some(device(word, sys)?),
        }
    }
    let Some(text) = text else { return Ok(typed) };
    if text == "default" {
        typed.target = Some(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
        return Ok(typed);
    }
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: Ipv4Addr = address.parse().map_err(|_| (1, format!("{text}: Unknown host\n")))?;
    let length = match length {
        Some(length) => Some(length.parse::<u8>().ok().filter(|l| *l <= 32).ok_or((4, USAGE.to_owned()))?),
        None => mask,
    };
    if typed.host && length.is_some_and(|length| length < 32) {
        return Err((4, "route: netmask doesn't make sense with host route\n".into()));
    }
    let length = match length {
        Some(length) => length,
        None if typed.net => class(address),
        None => 32,
    };
    let target = Ipv4Net::new_assert(address, length);
    if target.trunc() != target {
        return Err((4, "route: netmask doesn't match route address\n".into()));
    }
    typed.target = Some(target);
    Ok(typed)
}

/// A label is its interface.
fn device(name: &str, sys: &Sys<'_, '_>) -> Result<IfaceId, Stop> {
    let base = name.split(':').next().unwrap_or(name);
    let found = sys.kernel.tables.interfaces.named(base);
    found.map(|interface| interface.id).ok_or_else(|| (7, "SIOCADDRT: No such device\n".to_owned()))
}

fn class(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0 if address.is_unspecified() => 0,
        0..128 => 8,
        128..192 => 16,
        _ => 24,
    }
}

/// Who prints the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `route`
    Route,
    /// `netstat -r`
    Netstat,
}

/// The routing table as net-tools print it.
pub(super) fn kernel_table(numeric: bool, layout: Layout, call: &mut Call<'_>, sys: &Sys<'_, '_>) -> Outcome {
    let tables = &sys.kernel.tables;
    let mut text = String::from("Kernel IP routing table\n");
    text.push_str(match layout {
        Layout::Route => "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
        Layout::Netstat => "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n",
    });
    for RouteEntry { record, .. } in tables.routes.table(TABLE_MAIN) {
        let refuses = matches!(record.kind, RouteKind::Unreachable | RouteKind::Prohibit);
        if !refuses && record.kind != RouteKind::Unicast {
            continue;
        }
        let (target, length) = (record.destination.addr(), record.destination.prefix_len());
        let shown = match (length, numeric) {
            (0, false) => "default".to_owned(),
            _ => target.to_string(),
        };
        let gateway = match (record.gateway, refuses, numeric) {
            (Some(gateway), ..) => gateway.to_string(),
            (None, true, _) => "-".into(),
            (None, false, true) => "0.0.0.0".into(),
            (None, false, false) => "*".into(),
        };
        let mut flags = String::from(if refuses { "!" } else { "U" });
        if record.gateway.is_some() {
            flags.push('G');
        }
        if length == 32 {
            flags.push('H');
        }
        let device = record.iface.and_then(|iface| tables.interfaces.get(iface)).map_or("-", |i| &*i.name);
        let metric = if refuses { "-".to_owned() } else { record.metric.to_string() };
        if layout == Layout::Netstat {
            let mask = record.destination.netmask().to_string();
            text.push_str(&format!("{shown:<15} {gateway:<15} {mask:<15} {flags:<5}     0 0          0 {device}\n"));
            continue;
        }
        text.push_str(&format!(
            "{shown:<15} {gateway:<15} {:<15} {flags:<5} {metric:<6} {:<6} {:>3} {device}\n",
            record.destination.netmask().to_string(),
            if refuses { "-" } else { "0" },
            if refuses { "-" } else { "0" },
        ));
    }
    call.out(text);
    Outcome::Done(0)
}

const USAGE: &str = "Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [gw Gw] [metric M]
                              [netmask N] [mss Mss] [window W] [irtt I]
                              [mod] [dyn] [reinstate] [[dev] If]
       inet_route [-vF] add {-host|-net} Target[/prefix] [metric M] reject
       inet_route [-FC] flush      NOT supported
";
