//! `ifconfig` (net-tools): interfaces and their labelled addresses (`eth0:0`).
//!
//! Two layouts: that of net-tools 1.60 (CentOS 4, RHEL 6) and that of 2.0 and later.
//!
//! # Not modelled
//! IPv6, hardware classes, point-to-point addresses, `promisc`.

use super::command::{Call, Command, Fault, Opt, Outcome};
use crate::base::id::IfaceId;
use crate::kernel::Os;
use crate::kernel::syscall::Sys;
use crate::tables::Refusal;
use crate::tables::interfaces::{Address, Interface};
use crate::trace::record::{LinkKind, Scope};
use crate::wire::Mac;
use std::net::Ipv4Addr;

/// `ifconfig`.
pub(super) const COMMAND: Command = Command {
    names: &["ifconfig"],
    summary: "interfaces and labelled addresses",
    options: &[
        Opt::flag("-a", "interfaces that are down too"),
        Opt::flag("up", "up"),
        Opt::flag("down", "down; of a label: takes its address away"),
        Opt::value("netmask", "the mask"),
        Opt::value("broadcast", "the broadcast address"),
        Opt::value("mtu", "the largest packet"),
        Opt::value("hw", "ether MAC"),
        Opt::flag("arp", "answers and asks by ARP"),
        Opt::flag("-arp", "does not"),
        Opt::value("add", "a further address"),
        Opt::value("del", "takes an address away"),
        Opt::accepted("metric", true, "routes have metrics of their own"),
        Opt::accepted("txqueuelen", true, "the link has a queue of its own"),
        Opt::accepted("multicast", false, "always on"),
        Opt::accepted("-s", false, "the same list"),
        Opt::refused("pointopoint", true, "point-to-point addresses are not modelled"),
        Opt::refused("promisc", false, "capture on the NIC is always complete"),
        Opt::refused("inet6", true, "IPv6 is not modelled"),
        Opt::refused("tunnel", true, "use ip tunnel"),
    ],
    check,
    run,
};

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let row = |word: &str| command.options.iter().find(|option| option.name == word);
    let mut faults = Vec::new();
    for (at, word) in words.iter().enumerate().skip(1) {
        match row(word) {
            Some(option) if option.status == super::Status::Refused => {
                let fault = Fault::not_modelled(at, format!("ifconfig {word} is not modelled"));
                faults.push(fault.hint(option.note));
            }
            Some(_) => {}
            None if at > 1 && is_keyword(word) && !row(words[at - 1]).is_some_and(|option| option.value) => {
                let near = super::command::did_you_mean(word, command.options.iter().map(|option| option.name));
                let fault = Fault::unknown(at, format!("ifconfig has no \"{word}\""));
                faults.push(match near {
                    Some(near) => fault.hint(format!("did you mean {near}?")),
                    None => fault.hint("an address, netmask, broadcast, up and down are what it takes"),
                });
            }
            None => {}
        }
    }
    faults
}

/// A word that is no address and no MAC.
fn is_keyword(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.contains(':') && !matches!(word, "inet" | "ether")
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> =
        call.args().iter().map(String::as_str).filter(|word| !matches!(*word, "-s" | "-v")).collect();
    match words.as_slice() {
        [] => list(false, call, sys),
        ["-a"] => list(true, call, sys),
        [name] => one(name, call, sys),
        [name, rest @ ..] => configure(name, rest, call, sys),
    }
}

// ── showing ──

fn list(all: bool, call: &mut Call<'_>, sys: &Sys<'_, '_>) -> Outcome {
    let mut interfaces: Vec<&Interface> = sys.kernel.tables.interfaces.iter().collect();
    // As net-tools list them: by name, `lo` where its name puts it.
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = String::new();
    for interface in interfaces.into_iter().filter(|interface| all || interface.up) {
        text.push_str(&show(interface, &interface.name, sys.kernel.os));
        for label in labels(interface) {
            text.push_str(&show(interface, label, sys.kernel.os));
        }
    }
    call.out(text);
    Outcome::Done(0)
}

fn one(name: &str, call: &mut Call<'_>, sys: &Sys<'_, '_>) -> Outcome {
    let base = name.split(':').next().unwrap_or(name);
    let Some(interface) = sys.kernel.tables.interfaces.named(base) else {
        return call.fail(1, format!("{name}: error fetching interface information: Device not found\n"));
    };
    let text = show(interface, name, sys.kernel.os);
    call.out(text);
    Outcome::Done(0)
}

fn labels(interface: &Interface) -> Vec<&str> {
    let mut labels: Vec<&str> =
        interface.addresses.iter().map(|address| &*address.label).filter(|label| *label != &*interface.name).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

fn show(interface: &Interface, label: &str, os: Os) -> String {
    let address = interface.addresses.iter().find(|address| &*address.label == label);
    let whole = label == &*interface.name;
    match os {
        Os::CentOs4 | Os::Rhel6 => old(interface, label, address, whole, os),
        Os::CentOs7 | Os::Debian12 => new(interface, label, address, whole, os),
    }
}

fn old(interface: &Interface, label: &str, address: Option<&Address>, whole: bool, os: Os) -> String {
    let encap = match interface.kind {
        LinkKind::Loopback => "Local Loopback  ".to_owned(),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => {
            format!("Ethernet  HWaddr {}  ", mac(interface).to_uppercase())
        }
        LinkKind::Ipip => "IPIP Tunnel  HWaddr   ".to_owned(),
        LinkKind::Gre => format!("UNSPEC  HWaddr {}  ", ["00"; 16].join("-")),
    };
    let mut text = format!("{label:<9} Link encap:{encap}\n");
    let pad = "          ";
    if let Some(address) = address {
        let broadcast = match (address.broadcast, interface.kind) {
            (_, LinkKind::Loopback | LinkKind::Ipip | LinkKind::Gre) => String::new(),
            (Some(broadcast), _) => format!("  Bcast:{broadcast}"),
            (None, _) => "  Bcast:0.0.0.0".to_owned(),
        };
        text.push_str(&format!("{pad}inet addr:{}{broadcast}  Mask:{}\n", address.address, mask(address.prefix)));
    }
    let mut flags: Vec<&str> = Vec::new();
    if interface.up {
        flags.push("UP");
    }
    match interface.kind {
        LinkKind::Loopback => flags.push("LOOPBACK"),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => flags.push("BROADCAST"),
        LinkKind::Ipip | LinkKind::Gre => {}
    }
    if interface.running() {
        flags.push("RUNNING");
    }
    if !interface.arp && interface.kind != LinkKind::Loopback {
        flags.push("NOARP");
    }
    if matches!(interface.kind, LinkKind::Ethernet(_) | LinkKind::Macvlan { .. }) {
        flags.push("MULTICAST");
    }
    // The kernels of those days gave lo another MTU than the one behind the lab.
    let mtu = if interface.kind == LinkKind::Loopback && matches!(os, Os::CentOs4 | Os::Rhel6) {
        16_436
    } else {
        interface.mtu
    };
    text.push_str(&format!("{pad}{}  MTU:{mtu}  Metric:1\n", flags.join(" ")));
    if whole {
        let counters = interface.counters;
        text.push_str(&format!(
            "{pad}RX packets:{} errors:0 dropped:0 overruns:0 frame:0\n{pad}TX packets:{} errors:0 dropped:0 overruns:0 carrier:0\n{pad}collisions:0 txqueuelen:{} \n{pad}RX bytes:{} ({})  TX bytes:{} ({})\n",
            counters.rx_packets,
            counters.tx_packets,
            if interface.kind == LinkKind::Loopback { 0 } else { 1000 },
            counters.rx_bytes,
            readable(counters.rx_bytes, &BINARY, "b"),
            counters.tx_bytes,
            readable(counters.tx_bytes, &BINARY, "b"),
        ));
    }
    text.push('\n');
    text
}

/// How octets are counted.
struct Units {
    base: u64,
    names: [&'static str; 4],
}

const BINARY: Units = Units { base: 1024, names: ["KiB", "MiB", "GiB", "TiB"] };
/// net-tools of our days.
const DECIMAL: Units = Units { base: 1000, names: ["KB", "MB", "GB", "TB"] };

fn new(interface: &Interface, label: &str, address: Option<&Address>, whole: bool, os: Os) -> String {
    let (mut bits, mut names) = (0_u32, Vec::new());
    let mut flag = |on: bool, bit: u32, name: &'static str| {
        if on {
            bits |= bit;
            names.push(name);
        }
    };
    let broadcasts = matches!(interface.kind, LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy);
    flag(interface.up, 1, "UP");
    flag(broadcasts, 2, "BROADCAST");
    flag(interface.kind == LinkKind::Loopback, 8, "LOOPBACK");
    flag(interface.running(), 64, "RUNNING");
    flag(!interface.arp && interface.kind != LinkKind::Loopback, 128, "NOARP");
    flag(matches!(interface.kind, LinkKind::Ethernet(_) | LinkKind::Macvlan { .. }), 4096, "MULTICAST");
    let mut text = format!("{label}: flags={bits}<{}>  mtu {}\n", names.join(","), interface.mtu);
    let pad = "        ";
    if let Some(address) = address {
        let broadcast = match (address.broadcast, broadcasts) {
            (Some(broadcast), true) => format!("  broadcast {broadcast}"),
            (None, true) => "  broadcast 0.0.0.0".to_owned(),
            (_, false) => String::new(),
        };
        text.push_str(&format!("{pad}inet {}  netmask {}{broadcast}\n", address.address, mask(address.prefix)));
    }
    text.push_str(&match interface.kind {
        LinkKind::Loopback => format!("{pad}loop  txqueuelen 1000  (Local Loopback)\n"),
        LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => {
            format!("{pad}ether {}  txqueuelen 1000  (Ethernet)\n", mac(interface))
        }
        LinkKind::Ipip => format!("{pad}tunnel   txqueuelen 1000  (IPIP Tunnel)\n"),
        LinkKind::Gre => format!("{pad}unspec {}  txqueuelen 1000  (UNSPEC)\n", ["00"; 16].join("-")),
    });
    if whole {
        let counters = interface.counters;
        let units = if os == Os::CentOs7 { &BINARY } else { &DECIMAL };
        text.push_str(&format!(
            "{pad}RX packets {}  bytes {} ({})\n{pad}RX errors 0  dropped 0  overruns 0  frame 0\n{pad}TX packets {}  bytes {} ({})\n{pad}TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n",
            counters.rx_packets,
            counters.rx_bytes,
            readable(counters.rx_bytes, units, "B"),
            counters.tx_packets,
            counters.tx_bytes,
            readable(counters.tx_bytes, units, "B"),
        ));
    }
    text.push('\n');
    text
}

/// `1.2 KiB`, as net-tools rounds: tenths, cut off.
fn readable(octets: u64, units: &Units, one: &str) -> String {
    let base = units.base;
    let mut unit = 0;
    let mut size = base;
    while octets >= size && unit < units.names.len() {
        size = size.saturating_mul(base);
        unit += 1;
    }
    let whole = size / base;
    let name = if unit == 0 { one } else { units.names[unit - 1] };
    format!("{}.{} {name}", octets / whole, octets % whole * 10 / whole)
}

fn mac(interface: &Interface) -> String {
    interface.mac.to_string().replace('-', ":")
}

fn mask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
}

// ── changing ──

/// What is to be set.
#[derive(Default)]
struct Change {
    address: Option<(Ipv4Addr, Option<u8>)>,
    mask: Option<Ipv4Addr>,
    broadcast: Option<Ipv4Addr>,
    up: Option<bool>,
}

fn configure(name: &str, words: &[&str], call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let base = name.split(':').next().unwrap_or(name);
    if base == "tunl0" {
        // The kernel loads the module when the device is named.
        super::ip::load("ipip", sys);
    }
    let Some(id) = sys.kernel.tables.interfaces.named(base).map(|interface| interface.id) else {
        return no_device(name, words, call);
    };
    let mut change = Change::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let done = match word {
            "up" => {
                change.up = Some(true);
                Ok(())
            }
            "down" => {
                change.up = Some(false);
                Ok(())
            }
            "netmask" => value(&mut words).map(|mask| change.mask = Some(mask)),
            "broadcast" | "-broadcast" => value(&mut words).map(|broadcast| change.broadcast = Some(broadcast)),
            "mtu" => {
                number(&mut words).and_then(|mtu| refused(sys.kernel.tables.set_mtu(id, mtu, sys.cx), "SIOCSIFMTU"))
            }
            "arp" => refused(sys.kernel.tables.set_arp(id, true, sys.cx), "SIOCSIFFLAGS"),
            "-arp" => refused(sys.kernel.tables.set_arp(id, false, sys.cx), "SIOCSIFFLAGS"),
            "hw" => hardware(&mut words, id, sys),
            "add" => value(&mut words).and_then(|address| set(id, base, (address, Some(32)), None, sys)),
            "del" => value(&mut words).and_then(|address| {
                refused(sys.kernel.tables.delete_address(id, address, None, sys.cx), "SIOCSIFADDR")
            }),
            "metric" | "txqueuelen" => number(&mut words).map(drop),
            "inet" | "multicast" => Ok(()),
            text => match address(text) {
                Some(address) => {
                    change.address = Some(address);
                    Ok(())
                }
                None => Err(format!("{text}: Unknown host\nifconfig: `--help' gives usage information.\n")),
            },
        };
        if let Err(message) = done {
            return call.fail(1, message);
        }
    }
    match apply(id, name, change, sys) {
        Ok(()) => Outcome::Done(0),
        Err(message) => call.fail(1, message),
    }
}

fn no_device(name: &str, words: &[&str], call: &mut Call<'_>) -> Outcome {
    let what = if words.iter().any(|word| address(word).is_some()) { "SIOCSIFADDR: No such device\n" } else { "" };
    let flags = format!("{name}: ERROR while getting interface flags: No such device\n");
    let mask = if words.contains(&"netmask") { "SIOCSIFNETMASK: No such device\n" } else { "" };
    call.fail(255, format!("{what}{flags}{mask}"))
}

fn apply(id: IfaceId, label: &str, change: Change, sys: &mut Sys<'_, '_>) -> Result<(), String> {
    let base = label.split(':').next().unwrap_or(label);
    if let Some((address, prefix)) = change.address {
        let prefix = match change.mask {
            Some(mask) => Some(ipnet::ipv4_mask_to_prefix(mask).map_err(|_| invalid_mask(label))?),
            None => prefix,
        };
        set(id, label, (address, prefix), change.broadcast, sys)?;
        // Setting an address brings an interface up.
        let up = change.up.unwrap_or(true);
        if up || label == base {
            return flags(id, up, sys);
        }
    } else if change.mask.is_some() || change.broadcast.is_some() {
        alter(id, label, &change, sys)?;
    }
    match change.up {
        // `eth0:0 down` takes the address away.
        Some(false) if label != base => drop_label(id, label, sys),
        Some(up) => flags(id, up, sys),
        None => Ok(()),
    }
}

/// `SIOCSIFADDR`: the label's address is replaced.
fn set(
    id: IfaceId,
    label: &str,
    (address, prefix): (Ipv4Addr, Option<u8>),
    broadcast: Option<Ipv4Addr>,
    sys: &mut Sys<'_, '_>,
) -> Result<(), String> {
    let tables = &mut sys.kernel.tables;
    let old = tables.interfaces.get(id).and_then(|interface| interface.addresses.iter().find(|a| &*a.label == label));
    if let Some(old) = old.cloned() {
        let same = old.address == address && prefix.is_none_or(|prefix| prefix == old.prefix);
        if same && broadcast.is_none_or(|broadcast| old.broadcast == Some(broadcast)) {
            return Ok(());
        }
        refused(tables.delete_address(id, old.address, Some(old.prefix), sys.cx), "SIOCSIFADDR")?;
    }
    if address.is_unspecified() {
        return Ok(());
    }
    let prefix = prefix.unwrap_or(class(address));
    let mut new = Address::new(address, prefix, label);
    let loopback = tables.interfaces.get(id).is_some_and(|interface| interface.kind == LinkKind::Loopback);
    let given = ipnet::Ipv4Net::new_assert(address, prefix).broadcast();
    new.broadcast = broadcast.or((!loopback && prefix < 31).then_some(given));
    if address.is_loopback() {
        new.scope = Scope::Host;
    }
    refused(tables.add_address(id, new, sys.cx), "SIOCSIFADDR")
}

/// `SIOCSIFNETMASK`, `SIOCSIFBRDADDR`: the address that the label has gets another mask or broadcast address.
fn alter(id: IfaceId, label: &str, change: &Change, sys: &mut Sys<'_, '_>) -> Result<(), String> {
    let interface = sys.kernel.tables.interfaces.get(id);
    let Some(old) = interface.and_then(|i| i.addresses.iter().find(|a| &*a.label == label)).cloned() else {
        return Err("SIOCSIFNETMASK: Cannot assign requested address\n".into());
    };
    let prefix = match change.mask {
        Some(mask) => ipnet::ipv4_mask_to_prefix(mask).map_err(|_| invalid_mask(label))?,
        None => old.prefix,
    };
    set(id, label, (old.address, Some(prefix)), change.broadcast.or(old.broadcast), sys)
}

fn drop_label(id: IfaceId, label: &str, sys: &mut Sys<'_, '_>) -> Result<(), String> {
    let interface = sys.kernel.tables.interfaces.get(id);
    match interface.and_then(|i| i.addresses.iter().find(|a| &*a.label == label)).cloned() {
        Some(old) => {
            refused(sys.kernel.tables.delete_address(id, old.address, Some(old.prefix), sys.cx), "SIOCSIFFLAGS")
        }
        None => Err("SIOCSIFFLAGS: Cannot assign requested address\n".into()),
    }
}

fn flags(id: IfaceId, up: bool, sys: &mut Sys<'_, '_>) -> Result<(), String> {
    refused(sys.kernel.set_up(id, up, sys.out, sys.cx), "SIOCSIFFLAGS")
}

fn hardware<'w>(words: &mut impl Iterator<Item = &'w str>, id: IfaceId, sys: &mut Sys<'_, '_>) -> Result<(), String> {
    let (class, text) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if class != "ether" {
        return Err(format!("hw address type `{class}' has no handler to set address. failed.\n"));
    }
    let octets: Vec<u8> = text.split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    let octets = <[u8; 6]>::try_from(octets).map_err(|_| format!("{text}: invalid ether address.\n"))?;
    refused(sys.kernel.tables.set_mac(id, Mac(octets), sys.cx), "SIOCSIFHWADDR")
}

fn value<'w>(words: &mut impl Iterator<Item = &'w str>) -> Result<Ipv4Addr, String> {
    let text = words.next().unwrap_or_default();
    let hex = text.strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok()).map(Ipv4Addr::from);
    hex.or_else(|| text.parse().ok())
        .ok_or_else(|| format!("{text}: Unknown host\nifconfig: `--help' gives usage information.\n"))
}

fn number<'w>(words: &mut impl Iterator<Item = &'w str>) -> Result<u32, String> {
    words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| "ifconfig: `--help' gives usage information.\n".to_owned())
}

fn address(text: &str) -> Option<(Ipv4Addr, Option<u8>)> {
    match text.split_once('/') {
        Some((address, prefix)) => Some((address.parse().ok()?, Some(prefix.parse().ok().filter(|p| *p <= 32)?))),
        None => Some((text.parse().ok()?, None)),
    }
}

/// The prefix of the address's class, as the kernel takes it when no mask is given.
fn class(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        192..224 => 24,
        _ => 32,
    }
}

fn invalid_mask(label: &str) -> String {
    format!("SIOCSIFNETMASK: Invalid argument\n{label}: the mask has holes\n")
}

fn refused(done: Result<(), Refusal>, what: &str) -> Result<(), String> {
    done.map_err(|refusal| format!("{what}: {refusal}\n"))
}
