//! `arp` (net-tools): the neighbour table.

use super::command::{Call, Command, Opt, Outcome, getopt};
use crate::kernel::syscall::Sys;
use crate::tables::neighbours::{Neighbour, NewNeighbour};
use crate::trace::record::NeighbourState;
use crate::wire::Mac;
use std::net::Ipv4Addr;

/// `arp`.
pub(super) const COMMAND: Command = Command {
    names: &["arp"],
    summary: "who is where on the link (net-tools)",
    options: &[
        Opt::flag("-a", "in BSD's words"),
        Opt::flag("-n", "numbers"),
        Opt::flag("-e", "in Linux's words"),
        Opt::flag("-v", "with a summary"),
        Opt::value("-i", "of this interface only"),
        Opt::flag("-s", "ADDRESS MAC [temp|pub]: sets an entry, or publishes the address"),
        Opt::flag("-d", "ADDRESS [pub]: deletes an entry, or withdraws it"),
        Opt::accepted("-H", true, "everything is Ethernet"),
        Opt::accepted("-t", true, "everything is Ethernet"),
        Opt::refused("-f", true, "use arp -s"),
        Opt::refused("-D", false, "write the MAC"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match super::options::Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(4, wrong.coreutils("arp")),
    };
    let device = options.value(&["-i"]);
    if options.has(&["-s"]) {
        return set(&options.words, device, call, sys);
    }
    if options.has(&["-d"]) {
        return delete(&options.words, device, call, sys);
    }
    let only: Option<Ipv4Addr> = options.words.first().and_then(|word| word.parse().ok());
    list(only, device, options.has(&["-a"]), call, sys)
}

/// The entries of an address or a device, or all; `plainly` as BSD's `arp -a` has them.
fn list(
    only: Option<Ipv4Addr>,
    device: Option<&str>,
    plainly: bool,
    call: &mut Call<'_>,
    sys: &mut Sys<'_, '_>,
) -> Outcome {
    let name_of = |entry: &Neighbour| {
        sys.kernel.tables.interfaces.get(entry.iface).map_or_else(String::new, |interface| interface.name.to_string())
    };
    let entries: Vec<(&Neighbour, String)> = sys
        .kernel
        .tables
        .neighbours
        .iter()
        .filter(|entry| only.is_none_or(|only| only == entry.address) && entry.state != NeighbourState::NoArp)
        .map(|entry| (entry, name_of(entry)))
        .filter(|(_, name)| device.is_none_or(|device| device == name))
        .collect();
    if entries.is_empty() {
        return match (only, device) {
            (Some(address), _) => {
                let on = device.map_or_else(String::new, |device| format!(" on {device}"));
                let text = format!("{address} ({address}) -- no entry{on}\n");
                call.out(text);
                Outcome::Done(1)
            }
            (None, Some(device)) => {
                call.out(format!("arp: in 0 entries no match found on {device}.\n"));
                Outcome::Done(0)
            }
            (None, None) => Outcome::Done(0),
        };
    }
    let row = if plainly { plain_row } else { table_row };
    let rows: String = entries.into_iter().map(|(entry, name)| row(entry, &name)).collect();
    let head = "Address                  HWtype  HWaddress           Flags Mask            Iface\n";
    call.out(format!("{}{rows}", if plainly { "" } else { head }));
    Outcome::Done(0)
}

/// `? (10.0.0.1) at 02:00:00:00:00:01 [ether] on eth0`
fn plain_row(entry: &Neighbour, device: &str) -> String {
    let (mac, kind) = match shown_mac(entry) {
        Some(mac) => (mac, " [ether]"),
        None => ("<incomplete>".to_owned(), ""),
    };
    let fixed = if entry.state == NeighbourState::Permanent { " PERM" } else { "" };
    format!("? ({}) at {mac}{kind}{fixed} on {device}\n", entry.address)
}

/// A row of the table that `arp` and `arp -n` print.
fn table_row(entry: &Neighbour, device: &str) -> String {
    let address = entry.address.to_string();
    match shown_mac(entry) {
        Some(mac) => {
            let flags = if entry.state == NeighbourState::Permanent { "CM" } else { "C" };
            format!("{address:<23}  {:<8}{mac:<20}{flags:<22}{device}\n", "ether")
        }
        None => format!("{address:<23}  {:<8}{:<20}{:<22}{device}\n", "", "(incomplete)", ""),
    }
}

fn shown_mac(entry: &Neighbour) -> Option<String> {
    entry.mac.filter(|_| entry.is_valid()).map(|mac| mac.to_string().replace('-', ":"))
}

fn set(words: &[&str], device: Option<&str>, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let [address, mac, rest @ ..] = words else {
        return call.fail(4, "arp: need hardware address\n");
    };
    let Ok(to) = address.parse::<Ipv4Addr>() else { return call.fail(1, format!("{address}: Unknown host\n")) };
    let octets: Vec<u8> = mac.split(':').filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    let Ok(octets) = <[u8; 6]>::try_from(octets) else { return call.fail(1, "arp: invalid hardware address\n") };
    if let Some(word) = rest.iter().find(|word| !matches!(**word, "pub" | "temp" | "dontpub")) {
        return call.fail(super::command::NOT_MODELLED, format!("arp: {word} is not modelled\n"));
    }
    if rest.contains(&"pub") {
        return publish(to, Mac(octets), device, call, sys);
    }
    let state = if rest.contains(&"temp") { NeighbourState::Reachable } else { NeighbourState::Permanent };
    let tables = &mut sys.kernel.tables;
    let on_link = tables.routes.lookup(to, None, 0, &tables.interfaces).ok().filter(|route| route.gateway.is_none());
    let iface = match device {
        Some(name) => tables.interfaces.named(name).map(|interface| interface.id),
        None => on_link.map(|route| route.iface),
    };
    let Some(iface) = iface else { return call.fail(255, "SIOCSARP: Network is unreachable\n") };
    let new = NewNeighbour { iface, address: to, mac: Some(Mac(octets)), state };
    match tables.neighbours.set(new, true, &tables.sysctl, sys.cx) {
        Ok(()) => Outcome::Done(0),
        Err(refusal) => call.fail(255, format!("SIOCSARP: {refusal}\n")),
    }
}

/// Publishes an address on the interface that is named, or on the one that has the MAC.
fn publish(to: Ipv4Addr, mac: Mac, device: Option<&str>, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let tables = &mut sys.kernel.tables;
    let found = match device {
        Some(name) => tables.interfaces.named(name),
        None => tables.interfaces.iter().find(|interface| interface.port().is_some() && interface.mac == mac),
    };
    let Some(iface) = found.map(|interface| interface.id) else { return call.fail(255, "SIOCSARP: No such device\n") };
    match tables.neighbours.publish(iface, to) {
        Ok(()) => Outcome::Done(0),
        Err(refusal) => call.fail(255, format!("SIOCSARP: {refusal}\n")),
    }
}

fn delete(words: &[&str], device: Option<&str>, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some(address) = words.first() else { return call.fail(4, "arp: need host name\n") };
    let Ok(to) = address.parse::<Ipv4Addr>() else { return call.fail(1, format!("{address}: Unknown host\n")) };
    let tables = &mut sys.kernel.tables;
    let wanted = device.and_then(|name| tables.interfaces.named(name)).map(|interface| interface.id);
    if words.contains(&"pub") {
        let of = tables
            .neighbours
            .published()
            .find(|(iface, address)| *address == to && wanted.is_none_or(|id| id == *iface));
        return match of.map(|(iface, address)| tables.neighbours.withdraw(iface, address)) {
            Some(Ok(())) => Outcome::Done(0),
            Some(Err(_)) | None => {
                call.out(format!("No ARP entry for {to}\n"));
                Outcome::Done(255)
            }
        };
    }
    let found = tables.neighbours.iter().find(|entry| entry.address == to && wanted.is_none_or(|id| id == entry.iface));
    let Some(iface) = found.map(|entry| entry.iface) else {
        call.out(format!("No ARP entry for {to}\n"));
        return Outcome::Done(255);
    };
    // It was there a moment ago.
    let _ = tables.neighbours.delete(iface, to, sys.cx);
    Outcome::Done(0)
}
