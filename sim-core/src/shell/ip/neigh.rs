//! `ip neighbour`: add change replace del show flush get.

use super::{Done, Ip, Stop, answer, check_words, command, link, network_of};
use crate::base::id::IfaceId;
use crate::shell::command::Fault;
use crate::tables::neighbours::{Neighbour, NewNeighbour};
use crate::trace::record::NeighbourState;
use ipnet::Ipv4Net;

const COMMANDS: &[&str] = &["add", "change", "chg", "replace", "delete", "get", "show", "list", "lst", "flush", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    check_words(words, &[("proxy", "use arp_ignore and routes; proxy ARP entries are not modelled")])
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

fn modify(ip: &mut Ip<'_, '_, '_, '_>, replace: bool, must_exist: bool) -> Done {
    let (mut address, mut mac, mut device) = (None, None, None);
    let mut state = NeighbourState::Permanent;
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => device = Some(ip.words.value()?),
            "lladdr" => mac = Some(link::mac_of(ip.words.value()?)?),
            "nud" => {
                let text = ip.words.value()?;
                state = state_of(text)
                    .ok_or_else(|| Stop(255, format!("Error: argument \"{text}\" is wrong: nud state is bad")))?;
            }
            "router" | "use" | "managed" | "extern_learn" => {}
            "protocol" => drop(ip.words.value()?),
            "to" => address = Some(super::address_of(ip.words.value()?)?),
            word if address.is_none() => address = Some(super::address_of(word)?),
            word => return Err(Stop(255, format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    let (Some(address), Some(device)) = (address, device) else {
        return Err(Stop(255, "Device and destination are required arguments.".into()));
    };
    let iface = ip.device(device)?;
    let tables = &mut ip.sys.kernel.tables;
    if must_exist && tables.neighbours.get(iface, address).is_none() {
        return Err(Stop(2, "RTNETLINK answers: No such file or directory".into()));
    }
    let new = NewNeighbour { iface, address, mac, state };
    answer(tables.neighbours.set(new, replace, &tables.sysctl, ip.sys.cx))
}

fn delete(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let (mut address, mut device) = (None, None);
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => device = Some(ip.words.value()?),
            "lladdr" | "nud" => drop(ip.words.value()?),
            "to" => address = Some(super::address_of(ip.words.value()?)?),
            word if address.is_none() => address = Some(super::address_of(word)?),
            word => return Err(Stop(255, format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage."))),
        }
    }
    let (Some(address), Some(device)) = (address, device) else {
        return Err(Stop(255, "Device and destination are required arguments.".into()));
    };
    let iface = ip.device(device)?;
    answer(ip.sys.kernel.tables.neighbours.delete(iface, address, ip.sys.cx))
}

/// Which entries are meant.
#[derive(Default)]
struct Which {
    device: Option<IfaceId>,
    to: Option<Ipv4Net>,
    states: Vec<NeighbourState>,
    all: bool,
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
        match word {
            "dev" => which.device = Some(ip.next_device()?),
            "to" => which.to = Some(network_of(ip.words.value()?)?),
            "nud" => match ip.words.value()? {
                "all" => which.all = true,
                text => which.states.push(
                    state_of(text)
                        .ok_or_else(|| Stop(255, format!("Error: argument \"{text}\" is wrong: nud state is bad")))?,
                ),
            },
            "unused" | "all" | "any" => {}
            word => which.to = Some(network_of(word)?),
        }
    }
    Ok(which)
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let which = which(ip)?;
    let shown = |state| state != NeighbourState::NoArp;
    let mut text = String::new();
    for entry in ip.sys.kernel.tables.neighbours.iter().filter(|entry| which.picks(entry, shown)) {
        let device = if which.device.is_some() { None } else { Some(ip.name_of(entry.iface)) };
        text.push_str(&line(entry, device.as_deref()));
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
        Some(entry) => line(entry, Some(&ip.name_of(device))),
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

fn line(entry: &Neighbour, device: Option<&str>) -> String {
    let device = device.map_or_else(String::new, |name| format!("dev {name} "));
    let mac = entry.mac.filter(|_| entry.is_valid() || entry.state == NeighbourState::Failed);
    let mac = mac.filter(|_| entry.state != NeighbourState::Failed);
    let mac = mac.map_or_else(String::new, |mac| format!("lladdr {} ", mac.to_string().replace('-', ":")));
    format!("{} {device}{mac}{} \n", entry.address, entry.state)
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
