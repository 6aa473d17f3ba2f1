//! From what was written to what is meant: names are resolved, ranges written out, typed lines parsed, and everything
//! that cannot be is reported, all at once. Nothing downstream checks again.

mod expect;
mod hosts;
mod lines;
mod script;

use crate::model::{HostIndex, Model, NicIndex, Switch};
use crate::problem::{Problem, Problems, did_you_mean};
use crate::read::Text;
use crate::schema::ScenarioText;
use crate::source::Source;
use ipnet::Ipv4Net;
use sim_core::base::time::{Duration, Instant};
use sim_core::nodes::switch::{AGEING, SwitchKind};
use sim_core::wire::{Ipv4Addr, Mac};
use std::collections::BTreeMap;

/// How many switches a scenario may have.
const SWITCHES_MAX: usize = 1_000;
/// How long a run may last: a year.
const UNTIL_MAX: Duration = Duration::from_secs(366 * 86_400);

/// What is known of the scenario while it is checked.
pub(crate) struct Names {
    switches: BTreeMap<String, usize>,
    hosts: BTreeMap<String, HostIndex>,
}

/// Makes a model of what was written; none if there is an error among the problems.
pub(crate) fn validate(name: &str, written: &ScenarioText, source: &dyn Source, problems: &mut Problems) -> Model {
    let until = until(written, problems);
    let switches = switches(written, problems);
    let mut names = Names {
        switches: switches.iter().enumerate().map(|(index, switch)| (switch.name.clone(), index)).collect(),
        hosts: BTreeMap::new(),
    };
    let hosts = hosts::hosts(written, &mut names, source, problems);
    let script = script::script(written, &names, &hosts, until, problems);
    let expect = expect::expect(written, &names, &hosts, until, source, problems);
    let text = |text: &Option<Text>| text.as_ref().map_or(String::new(), |text| text.text.trim().to_string());
    let title = if text(&written.title).is_empty() { name.to_string() } else { text(&written.title) };
    Model {
        name: name.to_string(),
        title,
        about: text(&written.about),
        seed: written.seed,
        until,
        switches,
        hosts,
        script,
        expect,
        warnings: Vec::new(),
    }
}

fn until(written: &ScenarioText, problems: &mut Problems) -> Instant {
    let Some(until) = &written.until else { return Instant::NEVER };
    if until.value == Duration::ZERO {
        problems.error(&until.place, "a run that ends at 0 shows nothing", "say how long it lasts: \"12s\"");
    }
    if until.value > UNTIL_MAX {
        problems.error(&until.place, "a run lasts a year at most", "");
    }
    Instant::ZERO + until.value
}

fn switches(written: &ScenarioText, problems: &mut Problems) -> Vec<Switch> {
    if let Some((name, _)) = written.switches.get(SWITCHES_MAX) {
        problems.error(name.place(), format!("a scenario has at most {SWITCHES_MAX} switches"), "");
    }
    let written = written.switches.iter().take(SWITCHES_MAX);
    written
        .map(|(name, switch)| {
            check_name(name, "a switch", problems);
            let kind = match switch.is_hub {
                true => SwitchKind::Hub,
                false => SwitchKind::Switch { ageing: switch.mac_aging.unwrap_or(AGEING) },
            };
            Switch { name: name.text.clone(), kind }
        })
        .collect()
}

/// A name that can stand in `server4:eth0`, in file names and in filters.
fn check_name(name: &Text, what: &str, problems: &mut Problems) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = !name.text.is_empty() && name.text.chars().count() <= 64 && name.text.chars().all(fits);
    if !good {
        let hint = "letters, digits, '-', '_' and '.', at most 64";
        problems.error(name.place(), format!("\"{}\" cannot be the name of {what}", name.text), hint);
    }
    good
}

impl Names {
    /// The host that was meant.
    fn host(&self, name: &Text, problems: &mut Problems) -> Option<HostIndex> {
        self.host_named(&name.text, name, problems)
    }

    fn host_named(&self, name: &str, at: &Text, problems: &mut Problems) -> Option<HostIndex> {
        let found = self.hosts.get(name).copied();
        if found.is_none() && problems.is_full() {
            problems.error(at.place(), "there is no such host", "");
        } else if found.is_none() {
            let known = self.hosts.keys().map(String::as_str);
            let problem = Problem::error(at.place(), format!("there is no host \"{name}\""), did_you_mean(name, known));
            problems.push(problem.note(format!("hosts here: {}", some_of(self.hosts.keys()))));
        }
        found
    }

    /// The switch that was meant.
    fn switch(&self, name: &Text, problems: &mut Problems) -> Option<usize> {
        let found = self.switches.get(&name.text).copied();
        if found.is_none() && problems.is_full() {
            problems.error(name.place(), "there is no such switch", "");
        } else if found.is_none() {
            let known = self.switches.keys().map(String::as_str);
            let message = format!("there is no switch \"{}\"", name.text);
            let problem = Problem::error(name.place(), message, did_you_mean(&name.text, known));
            problems.push(problem.note(format!("switches here: {}", some_of(self.switches.keys()))));
        }
        found
    }

    /// The network card that `host:nic` means.
    fn nic(&self, name: &Text, hosts: &[crate::model::Host], problems: &mut Problems) -> Option<NicIndex> {
        let Some((host, nic)) = name.text.split_once(':') else {
            let message = format!("\"{}\" is not a network card", name.text);
            problems.error(name.place(), message, "write it like \"server4:eth0\"");
            return None;
        };
        let host = self.host_named(host, name, problems)?;
        let nics = &hosts[host].nics;
        let index = nics.iter().position(|card| card.name == nic);
        if index.is_none() {
            let known: Vec<&str> = nics.iter().map(|card| card.name.as_str()).collect();
            let message = format!("{} has no network card \"{nic}\"", hosts[host].name);
            let problem = Problem::error(name.place(), message, did_you_mean(nic, known.iter().copied()));
            problems.push(
                problem.note(format!("it has {}", if known.is_empty() { "none".into() } else { known.join(", ") })),
            );
        }
        index.map(|nic| NicIndex { host, nic })
    }
}

/// The first names of a list, and how many more there are.
fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 12;
    let count = names.len();
    if count == 0 {
        return "none".to_string();
    }
    let shown: Vec<&str> = names.take(SHOWN).map(String::as_str).collect();
    let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
    shown.join(", ") + &more
}

/// Reads an address without a prefix.
fn address(text: &Text, what: &str, problems: &mut Problems) -> Option<Ipv4Addr> {
    let read = text.text.trim().parse::<Ipv4Addr>().ok();
    if read.is_none() {
        let hint = if text.text.contains('/') { "without the prefix length" } else { "four numbers: \"172.25.92.1\"" };
        problems.error(text.place(), format!("{what} \"{}\" is not an IPv4 address", text.text), hint);
    }
    read
}

/// Reads an address with its prefix length.
fn network(text: &Text, problems: &mut Problems) -> Option<Ipv4Net> {
    let written = text.text.trim();
    let Ok(net) = written.parse::<Ipv4Net>() else {
        let hint = if written.parse::<Ipv4Addr>().is_ok() {
            format!("with its prefix length: \"{written}/24\"")
        } else {
            "an address and a prefix length: \"172.25.92.4/24\"".to_string()
        };
        problems.error(text.place(), format!("\"{written}\" is not an address of a network card"), hint);
        return None;
    };
    let a = net.addr();
    let wrong = if a.is_unspecified() || a.octets()[0] == 0 {
        Some("0.0.0.0/8 belongs to nobody")
    } else if a.is_loopback() {
        Some("127.0.0.0/8 is every host's own")
    } else if a.is_multicast() || a.octets()[0] >= 240 {
        Some("it is no address of a single host")
    } else if net.prefix_len() < 31 && a == net.network() {
        Some("it is the address of the network itself")
    } else if net.prefix_len() < 31 && a == net.broadcast() {
        Some("it is the broadcast address of its network")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        problems.error(text.place(), format!("{net} cannot be the address of a network card"), wrong);
    }
    Some(net)
}

/// Reads a MAC.
fn mac(text: &Text, problems: &mut Problems) -> Option<Mac> {
    let parts: Vec<&str> = text.text.split([':', '-']).collect();
    let octets: Option<Vec<u8>> =
        parts.iter().map(|part| if part.len() <= 2 { u8::from_str_radix(part, 16).ok() } else { None }).collect();
    match octets.as_deref().map(<[u8; 6]>::try_from) {
        Some(Ok(octets)) if octets[0] & 1 == 0 && octets != [0; 6] => Some(Mac(octets)),
        Some(Ok(_)) => {
            problems.error(text.place(), format!("{} is not the MAC of a single network card", text.text), "");
            None
        }
        Some(Err(_)) | None => {
            let hint = "six numbers: \"02:00:00:00:01:01\"";
            problems.error(text.place(), format!("\"{}\" is not a MAC", text.text), hint);
            None
        }
    }
}
