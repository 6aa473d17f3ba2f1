//! `ip link`: add del set show.

use super::{Done, Ip, Stop, answer, check_words, command, tunnel};
use crate::base::id::IfaceId;
use crate::shell::command::Fault;
use crate::tables::interfaces::Interface;
use crate::trace::record::LinkKind;
use crate::wire::Mac;

const COMMANDS: &[&str] = &["add", "set", "change", "replace", "delete", "show", "list", "lst", "xstats", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    let keyed = if words.contains(&"type") { tunnel::keyed(words) } else { Vec::new() };
    if !keyed.is_empty() {
        return keyed;
    }
    check_words(
        words,
        &[
            ("vlan", "cable the host to a switch of its own"),
            ("bridge", "a switch of the scenario is a bridge"),
            ("bond", "bonds are not modelled"),
            ("veth", "cables are written in the scenario"),
            ("macvlan", "macvlans are not modelled"),
            ("vxlan", "only dummy, ipip and gre are modelled"),
            ("gretap", "gre carries IPv4"),
            ("netns", "a host is a host of its own here"),
            ("master", "bridges are switches of the scenario"),
            ("promisc", "capture on the NIC is always complete"),
        ],
    )
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "link")? {
        "add" => add(ip),
        "set" | "change" => set(ip),
        "del" => delete(ip),
        "show" => show(ip),
        other => Err(Stop(255, format!("ip link {other}: see ip-link(8)"))),
    }
}

fn add(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let (mut name, mut kind, mut mac, mut mtu) = (None, None, None, None);
    while let Some(word) = ip.words.next() {
        match word {
            "type" => kind = Some(ip.words.value()?),
            "name" | "dev" => name = Some(ip.words.value()?),
            "address" => mac = Some(mac_of(ip.words.value()?)?),
            "mtu" => mtu = Some(number(ip.words.value()?, "mtu")?),
            "txqueuelen" | "qlen" | "numtxqueues" => drop(ip.words.value()?),
            word if kind.is_some_and(tunnel::is_kind) => tunnel::take_option(ip, word)?,
            word if name.is_none() => name = Some(word),
            word => return Err(Stop(255, format!("Error: either \"dev\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    let Some(kind) = kind else {
        return Err(Stop(255, "Not enough information: \"type\" argument is required".into()));
    };
    let (kind, default_mtu, stem) = match kind {
        "dummy" => (LinkKind::Dummy, 1500, "dummy"),
        "ipip" => (LinkKind::Ipip, 1480, "tunl"),
        "gre" => (LinkKind::Gre, tunnel::GRE_MTU, "gre"),
        _ => return Err(Stop(2, "Error: Unknown device type.".into())),
    };
    let interfaces = &ip.sys.kernel.tables.interfaces;
    let free = (0..).map(|n| format!("{stem}{n}")).find(|name| interfaces.named(name).is_none());
    let name = name.map(str::to_owned).or(free).unwrap_or_default();
    let own = match kind {
        LinkKind::Dummy => dummy_mac(ip.sys.kernel.node.0, interfaces.iter().count() as u16),
        LinkKind::Ipip | LinkKind::Gre | LinkKind::Loopback | LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } => {
            Mac([0; 6])
        }
    };
    let tables = &mut ip.sys.kernel.tables;
    let made = tables.add_interface(&name, kind, mac.unwrap_or(own), mtu.unwrap_or(default_mtu), ip.sys.cx);
    answer(made.map(drop))
}

/// A dummy's MAC: locally administered, different on every host.
fn dummy_mac(node: u32, count: u16) -> Mac {
    let [_, a, b, c] = node.to_be_bytes();
    Mac([0x06, a, b, c, (count >> 8) as u8, count as u8])
}

fn delete(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let mut name = None;
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => name = Some(ip.words.value()?),
            "type" => drop(ip.words.value()?),
            word => name = Some(word),
        }
    }
    let Some(name) = name else {
        return Err(Stop(255, "Not enough information: \"dev\" argument is required.".into()));
    };
    let id = ip.device(name)?;
    answer(ip.sys.kernel.tables.delete_interface(id, ip.sys.cx))
}

fn set(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let mut name = None;
    let mut changes = Vec::new();
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => name = Some(ip.words.value()?),
            "up" => changes.push(Change::Up(true)),
            "down" => changes.push(Change::Up(false)),
            "mtu" => changes.push(Change::Mtu(number(ip.words.value()?, "mtu")?)),
            "address" => changes.push(Change::Mac(mac_of(ip.words.value()?)?)),
            "arp" => match ip.words.value()? {
                "on" => changes.push(Change::Arp(true)),
                "off" => changes.push(Change::Arp(false)),
                other => {
                    let text = format!("Error: argument of \"arp\" must be one of \"on off\", not \"{other}\"");
                    return Err(Stop(255, text));
                }
            },
            // Nothing in the lab depends on them.
            "txqueuelen" | "qlen" | "group" | "multicast" | "dynamic" | "alias" => drop(ip.words.value()?),
            word if name.is_none() => name = Some(word),
            word => return Err(Stop(255, format!("Error: either \"dev\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    let Some(name) = name else {
        return Err(Stop(255, "Not enough of information: \"dev\" argument is required.".into()));
    };
    let id = ip.device(name)?;
    for change in changes {
        apply(ip, id, change)?;
    }
    Ok(())
}

enum Change {
    Up(bool),
    Mtu(u32),
    Mac(Mac),
    Arp(bool),
}

fn apply(ip: &mut Ip<'_, '_, '_, '_>, id: IfaceId, change: Change) -> Done {
    let sys = &mut *ip.sys;
    answer(match change {
        Change::Up(up) => sys.kernel.set_up(id, up, sys.out, sys.cx),
        Change::Mtu(mtu) => sys.kernel.tables.set_mtu(id, mtu, sys.cx),
        Change::Mac(mac) => sys.kernel.tables.set_mac(id, mac, sys.cx),
        Change::Arp(on) => sys.kernel.tables.set_arp(id, on, sys.cx),
    })
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let mut only = None;
    let (mut up, mut kind) = (false, None);
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => only = Some(ip.next_shown_device()?),
            "up" => up = true,
            "type" => kind = Some(ip.words.value()?),
            word => only = Some(ip.shown_device(word)?),
        }
    }
    let style = ip.style;
    let mut text = String::new();
    for interface in ip.sys.kernel.tables.interfaces.iter() {
        let of_kind = kind.is_none_or(|kind| match interface.kind {
            LinkKind::Dummy => kind == "dummy",
            LinkKind::Ipip => kind == "ipip",
            LinkKind::Gre => kind == "gre",
            LinkKind::Macvlan { .. } => kind == "macvlan",
            LinkKind::Loopback | LinkKind::Ethernet(_) => false,
        });
        if only.is_some_and(|id| id != interface.id) || (up && !interface.up) || !of_kind {
            continue;
        }
        if style.brief {
            let name = shown_name(interface);
            let (state, mac, flags) = (state(interface), hardware(interface), flags(interface));
            text.push_str(&format!("{name:<16} {state:<14} {mac} <{flags}> \n"));
            continue;
        }
        text.push_str(&head(interface, if style.one_line { "\\" } else { "\n" }));
        if style.counters {
            text.push_str(&counters(interface));
        }
        text.push('\n');
    }
    ip.out(text);
    Ok(())
}

/// The two lines that begin an interface; `separator` stands between them, nothing after.
pub(super) fn head(interface: &Interface, separator: &str) -> String {
    format!("{}{separator}{}", first_line(interface), second_line(interface))
}

pub(super) fn first_line(interface: &Interface) -> String {
    let name = shown_name(interface);
    let qdisc = match (interface.up, interface.kind) {
        (_, LinkKind::Loopback) => "noqueue",
        (false, _) => "noop",
        (true, LinkKind::Ethernet(_)) => "pfifo_fast",
        (true, LinkKind::Dummy | LinkKind::Ipip | LinkKind::Gre | LinkKind::Macvlan { .. }) => "noqueue",
    };
    let (id, flags, mtu, state) = (interface.id.0, flags(interface), interface.mtu, state(interface));
    format!("{id}: {name}: <{flags}> mtu {mtu} qdisc {qdisc} state {state} group default qlen 1000")
}

fn second_line(interface: &Interface) -> String {
    let (kind, broadcast) = match interface.kind {
        LinkKind::Loopback => ("loopback", "00:00:00:00:00:00"),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => ("ether", "ff:ff:ff:ff:ff:ff"),
        LinkKind::Ipip => ("ipip", "0.0.0.0"),
        LinkKind::Gre => ("gre", "0.0.0.0"),
    };
    format!("    link/{kind} {} brd {broadcast}", hardware(interface))
}

fn hardware(interface: &Interface) -> String {
    match interface.kind {
        LinkKind::Ipip | LinkKind::Gre => "0.0.0.0".into(),
        LinkKind::Loopback | LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => {
            interface.mac.to_string().replace('-', ":")
        }
    }
}

fn shown_name(interface: &Interface) -> String {
    match interface.kind {
        LinkKind::Ipip | LinkKind::Gre => format!("{}@NONE", interface.name),
        LinkKind::Macvlan { .. } => format!("{}@{}", interface.name, interface.below.as_deref().unwrap_or("NONE")),
        LinkKind::Loopback | LinkKind::Ethernet(_) | LinkKind::Dummy => interface.name.to_string(),
    }
}

/// The operational state (RFC 2863), as Linux drivers report it.
pub(super) fn state(interface: &Interface) -> &'static str {
    match interface.kind {
        _ if !interface.up => "DOWN",
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } if interface.carrier => "UP",
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } => "DOWN",
        LinkKind::Loopback | LinkKind::Dummy | LinkKind::Ipip | LinkKind::Gre => "UNKNOWN",
    }
}

pub(super) fn flags(interface: &Interface) -> String {
    let mut flags: Vec<&str> = Vec::new();
    if interface.up && !interface.carrier {
        flags.push("NO-CARRIER");
    }
    match interface.kind {
        LinkKind::Loopback => flags.push("LOOPBACK"),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } => flags.extend(["BROADCAST", "MULTICAST"]),
        LinkKind::Dummy => flags.push("BROADCAST"),
        LinkKind::Ipip | LinkKind::Gre => {}
    }
    if !interface.arp && interface.kind != LinkKind::Loopback {
        flags.push("NOARP");
    }
    if interface.up {
        flags.push("UP");
        if interface.carrier {
            flags.push("LOWER_UP");
        }
    }
    flags.join(",")
}

fn counters(interface: &Interface) -> String {
    let counters = interface.counters;
    let row = |bytes: u64, packets: u64| format!("    {bytes:<10} {packets:<8} 0       0       0       0       ");
    format!(
        "\n    RX:  bytes packets errors dropped  missed   mcast           \n{}\n    TX:  bytes packets errors dropped carrier collsns           \n{}",
        row(counters.rx_bytes, counters.rx_packets),
        row(counters.tx_bytes, counters.tx_packets)
    )
}

pub(super) fn mac_of(text: &str) -> Result<Mac, Stop> {
    let octets: Vec<u8> = text.split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    let whole = text.split(':').count() == 6;
    match <[u8; 6]>::try_from(octets) {
        Ok(octets) if whole => Ok(Mac(octets)),
        _ => Err(Stop(1, format!("\"{text}\" is invalid lladdr."))),
    }
}

pub(super) fn number(text: &str, what: &str) -> Result<u32, Stop> {
    let wrong = || Stop(255, format!("Error: argument \"{text}\" is wrong: Invalid \"{what}\" value\n"));
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).map_err(|_| wrong()),
        None => text.parse().map_err(|_| wrong()),
    }
}
