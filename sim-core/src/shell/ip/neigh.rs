//! `ip neighbour`: add change replace del show flush get.

use super::{Done, Ip, Stop, answer, check_words, command, link, network_of};
use crate::base::id::IfaceId;
use crate::base::time::Instant;
use crate::shell::command::{Fault, NOT_MODELLED};
use crate::tables::neighbours::{Neighbour, NewNeighbour};
use crate::trace::record::NeighbourState;
use crate::wire::Mac;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

const COMMANDS: &[&str] = &["add", "change", "chg", "replace", "delete", "get", "show", "list", "lst", "flush", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    check_words(words, REFUSED)
}

/// Words that would ask for something else than is done.
const REFUSED: &[(&str, &str)] = &[
    ("router", "the flag means something in IPv6 only"),
    ("use", "send something: ping -c 1 ADDRESS"),
    ("managed", "entries that the kernel keeps fresh by itself are not modelled"),
    ("extern_learn", "entries that a routing daemon owns are not modelled"),
    ("protocol", "who made an entry is not kept"),
    ("unused", "which entries somebody holds is not kept; nud stale picks those that nobody uses"),
    ("nomaster", "bridges are switches of the scenario"),
    ("master", "bridges are switches of the scenario"),
    ("vrf", "VRFs are not modelled"),
];

/// The same for words that the loader could not see.
fn refused(word: &str) -> Option<Stop> {
    let (_, hint) = REFUSED.iter().find(|(name, _)| *name == word)?;
    Some(Stop(NOT_MODELLED, format!("ip neigh: \"{word}\" is not modelled ({hint})")))
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "neigh")? {
        "add" => modify(ip, false, false),
        "change" | "chg" => modify(ip, true, true),
        "replace" => modify(ip, true, false),
        "del" => delete(ip),
        "show" => show(ip),
        "get" => get(ip),
        "flush" => flush(ip),
        other => Err(Stop(255, format!("ip neigh {other}: see ip-neighbour(8)"))),
    }
}

/// An entry as it was typed for `add` and its kin.
struct Entry {
    iface: IfaceId,
    address: Ipv4Addr,
    mac: Option<Mac>,
    state: NeighbourState,
    proxy: bool,
}

fn entry(ip: &mut Ip<'_, '_, '_, '_>) -> Result<Entry, Stop> {
    let (mut address, mut mac, mut device, mut proxy) = (None, None, None, false);
    let mut state = NeighbourState::Permanent;
    while let Some(word) = ip.words.next() {
        if let Some(stop) = refused(word) {
            return Err(stop);
        }
        match word {
            "proxy" => {
                proxy = true;
                address = Some(super::address_of(ip.words.value()?)?);
            }
            "dev" => device = Some(ip.words.value()?),
            "lladdr" => mac = Some(link::mac_of(ip.words.value()?)?),
            "nud" => state = wanted_state(ip.words.value()?)?,
            "to" => address = Some(super::address_of(ip.words.value()?)?),
            word if address.is_none() => address = Some(super::address_of(word)?),
            word => return Err(Stop(255, format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    let (Some(address), Some(device)) = (address, device) else {
        return Err(Stop(255, "Device and destination are required arguments.".into()));
    };
    Ok(Entry { iface: ip.device(device)?, address, mac, state, proxy })
}

fn wanted_state(text: &str) -> Result<NeighbourState, Stop> {
    state_of(text).ok_or_else(|| Stop(255, format!("Error: argument \"{text}\" is wrong: nud state is bad")))
}

fn modify(ip: &mut Ip<'_, '_, '_, '_>, replace: bool, must_exist: bool) -> Done {
    let Entry { iface, address, mac, state, proxy } = entry(ip)?;
    let tables = &mut ip.sys.kernel.tables;
    if proxy {
        return answer(tables.neighbours.publish(iface, address));
    }
    if must_exist && tables.neighbours.get(iface, address).is_none() {
        return Err(Stop(2, "RTNETLINK answers: No such file or directory".into()));
    }
    let new = NewNeighbour { iface, address, mac, state };
    answer(tables.neighbours.set(new, replace, &tables.sysctl, ip.sys.cx))
}

fn delete(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let Entry { iface, address, proxy, .. } = entry(ip)?;
    let neighbours = &mut ip.sys.kernel.tables.neighbours;
    answer(match proxy {
        true => neighbours.withdraw(iface, address),
        false => neighbours.delete(iface, address, ip.sys.cx),
    })
}

/// Which entries are meant.
#[derive(Default)]
struct Which {
    device: Option<IfaceId>,
    to: Option<Ipv4Net>,
    states: Vec<NeighbourState>,
    all: bool,
    proxy: bool,
}

impl Which {
    fn picks(&self, entry: &Neighbour, default: impl Fn(NeighbourState) -> bool) -> bool {
        self.device.is_none_or(|device| device == entry.iface)
            && self.to.is_none_or(|to| to.contains(&entry.address))
            && (self.all || self.states.contains(&entry.state) || (self.states.is_empty() && default(entry.state)))
    }
}

fn which(ip: &mut Ip<'_, '_, '_, '_>) -> Result<Which, Stop> {
    let mut which = Which::default();
    while let Some(word) = ip.words.next() {
        if let Some(stop) = refused(word) {
            return Err(stop);
        }
        match word {
            "proxy" => which.proxy = true,
            "dev" => which.device = Some(ip.next_device()?),
            "to" => which.to = Some(network_of(ip.words.value()?)?),
            "nud" => match ip.words.value()? {
                "all" => which.all = true,
                text => which.states.push(wanted_state(text)?),
            },
            "all" | "any" => {}
            word => which.to = Some(network_of(word)?),
        }
    }
    Ok(which)
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let which = which(ip)?;
    let shown = |state| state != NeighbourState::NoArp;
    let mut text = String::new();
    let named = |id: IfaceId| if which.device.is_some() { None } else { Some(ip.name_of(id)) };
    if which.proxy {
        let meant = |(iface, address): &(IfaceId, Ipv4Addr)| {
            which.device.is_none_or(|device| device == *iface) && which.to.is_none_or(|to| to.contains(address))
        };
        for (iface, address) in ip.sys.kernel.tables.neighbours.published().filter(meant) {
            let device = named(iface).map_or_else(String::new, |name| format!("dev {name} "));
            text.push_str(&format!("{address} {device}proxy \n"));
        }
        ip.out(text);
        return Ok(());
    }
    let now = ip.style.counters.then(|| ip.sys.now());
    for entry in ip.sys.kernel.tables.neighbours.iter().filter(|entry| which.picks(entry, shown)) {
        text.push_str(&line(entry, named(entry.iface).as_deref(), now));
    }
    ip.out(text);
    Ok(())
}

fn get(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let which = which(ip)?;
    let (Some(device), Some(to)) = (which.device, which.to) else {
        return Err(Stop(255, "Device and address are required arguments.".into()));
    };
    let text = match ip.sys.kernel.tables.neighbours.get(device, to.addr()) {
        Some(entry) => line(entry, Some(&ip.name_of(device)), None),
        None => return Err(Stop(2, "RTNETLINK answers: No such file or directory".into())),
    };
    ip.out(text);
    Ok(())
}

fn flush(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    if ip.words.peek().is_none() {
        return Err(Stop(1, "Flush requires arguments.".into()));
    }
    let which = which(ip)?;
    // Permanent entries and those without resolution stay unless they are named.
    let goes = |state| !matches!(state, NeighbourState::Permanent | NeighbourState::NoArp);
    let tables = &mut ip.sys.kernel.tables;
    tables.neighbours.flush(|entry| which.picks(entry, goes), ip.sys.cx);
    Ok(())
}

/// An entry as it is listed; with `now`, as `ip -s` lists it.
fn line(entry: &Neighbour, device: Option<&str>, now: Option<Instant>) -> String {
    let device = device.map_or_else(String::new, |name| format!("dev {name} "));
    let mac = entry.mac.filter(|_| entry.is_valid() || entry.state == NeighbourState::Failed);
    let mac = mac.filter(|_| entry.state != NeighbourState::Failed);
    let mac = mac.map_or_else(String::new, |mac| format!("lladdr {} ", mac.to_string().replace('-', ":")));
    let counted = now.map_or_else(String::new, |now| {
        let ago = |at: Instant| now.since(at).secs();
        // A timer that runs holds the entry.
        let held = matches!(
            entry.state,
            NeighbourState::Incomplete | NeighbourState::Reachable | NeighbourState::Delay | NeighbourState::Probe
        );
        let held = if held { "ref 1 " } else { "" };
        let Neighbour { used, confirmed, updated, probes, .. } = entry;
        format!("{held}used {}/{}/{} probes {probes} ", ago(*used), ago(*confirmed), ago(*updated))
    });
    format!("{} {device}{mac}{counted}{} \n", entry.address, entry.state)
}

fn state_of(text: &str) -> Option<NeighbourState> {
    Some(match text {
        "permanent" => NeighbourState::Permanent,
        "reachable" => NeighbourState::Reachable,
        "noarp" => NeighbourState::NoArp,
        "stale" => NeighbourState::Stale,
        "incomplete" => NeighbourState::Incomplete,
        "delay" => NeighbourState::Delay,
        "probe" => NeighbourState::Probe,
        "failed" => NeighbourState::Failed,
        _ => return None,
    })
}
