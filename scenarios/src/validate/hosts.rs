//! Hosts: ranges written out, cables and addresses checked against each other, texts read.

use super::{Names, address, check_name, lines, mac, network};
use crate::daemon_files;
use crate::model::{Host, HostIndex, Nic, Role};
use crate::problem::{Place, Problem, Problems, Severity, suggest};
use crate::range::{self, HOSTS_MAX, Key, RangeError};
use crate::read::Text;
use crate::schema::ScenarioText;
use crate::schema::host::{Content, HostText, NicText};
use crate::source::{self, Source, TEXT_MAX};
use ipnet::Ipv4Net;
use sim_core::kernel::Os;
use sim_core::shell::Line;
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::link::LinkSettings;
use std::collections::BTreeMap;

/// How many network cards a host may have.
const NICS_MAX: usize = 64;
/// How many octets the files of all hosts may have together.
const FILES_MAX: usize = 256 << 20;

/// What is remembered over all hosts.
struct Seen<'a> {
    source: &'a dyn Source,
    texts: BTreeMap<String, Result<Text, String>>,
    addresses: BTreeMap<Ipv4Addr, (Place, String)>,
    macs: BTreeMap<Mac, (Place, String)>,
    gateways: Vec<(HostIndex, Ipv4Addr, Text)>,
    octets: usize,
}

/// All hosts, in file order.
pub(super) fn hosts(
    written: &ScenarioText,
    names: &mut Names,
    source: &dyn Source,
    problems: &mut Problems,
) -> Vec<Host> {
    let mut seen = Seen {
        source,
        texts: BTreeMap::new(),
        addresses: BTreeMap::new(),
        macs: BTreeMap::new(),
        gateways: Vec::new(),
        octets: 0,
    };
    let mut hosts = Vec::new();
    for (name, text) in &written.hosts {
        for (name, number) in spread(name, problems) {
            if hosts.len() == HOSTS_MAX {
                problems.error(name.place(), format!("a scenario has at most {HOSTS_MAX} hosts"), "");
                return hosts;
            }
            if let Some(host) = host(&name, text, number, hosts.len(), names, written, &mut seen, problems) {
                names.hosts.insert(host.name.clone(), hosts.len());
                hosts.push(host);
            }
        }
    }
    if written.hosts.is_empty() && !problems.is_fatal() {
        problems.push(Problem::without_place("the scenario has no host", ""));
    }
    check_gateways(&hosts, &seen, problems);
    hosts
}

/// The names that a key stands for, with their numbers.
fn spread(key: &Text, problems: &mut Problems) -> Vec<(Text, Option<u32>)> {
    match range::key(&key.text) {
        Ok(Key::One) => vec![(key.clone(), None)],
        Ok(Key::Many { numbers, before, behind }) => numbers
            .map(|n| {
                let whole = 0..key.text.len();
                (key.replaced(&[(whole, format!("{before}{n}{behind}"))]), Some(n))
            })
            .collect(),
        Err(error) => {
            range_problem(key, &error, problems);
            Vec::new()
        }
    }
}

fn range_problem(text: &Text, error: &RangeError, problems: &mut Problems) {
    let (message, hint) = match error {
        RangeError::NotARange => (format!("\"{}\" is not a range", text.text), "write it like \"rs{1..120}\""),
        RangeError::Empty => (format!("the range in \"{}\" is empty", text.text), "the smaller number comes first"),
        RangeError::TooMany => (format!("the range in \"{}\" is too long", text.text), "at most 10000 hosts"),
        RangeError::OutOfRange => (format!("a number in \"{}\" comes out too small or too large", text.text), ""),
    };
    problems.error(text.place(), message, hint);
}

#[expect(clippy::too_many_arguments, reason = "one host needs the whole scenario around it; called once")]
fn host(
    name: &Text,
    text: &HostText,
    number: Option<u32>,
    index: HostIndex,
    names: &Names,
    written: &ScenarioText,
    seen: &mut Seen,
    problems: &mut Problems,
) -> Option<Host> {
    if !check_name(name, "a host", problems) {
        return None;
    }
    if names.hosts.contains_key(&name.text) || names.switches.contains_key(&name.text) {
        let what = if names.hosts.contains_key(&name.text) { "host" } else { "switch" };
        problems.error(name.place(), format!("there is a {what} \"{}\" already", name.text), "");
        return None;
    }
    let mut fill = |text: &Text| match number.map(|n| range::fill(text, n)) {
        None => Some(text.clone()),
        Some(Ok(filled)) => Some(filled),
        Some(Err(error)) => {
            range_problem(text, &error, problems);
            None
        }
    };
    // Strings are filled before anything is read of them; what cannot be filled is left out.
    let gateway = text.gateway.as_ref().and_then(&mut fill);
    let nics: Vec<(Text, NicText)> = text
        .nics
        .iter()
        .map(|(name, nic)| {
            let mut maybe = |text: &Option<Text>| text.as_ref().and_then(&mut fill);
            let (to, address, mac) = (maybe(&nic.to), maybe(&nic.address), maybe(&nic.mac));
            (name.clone(), NicText { to, address, mac, link: nic.link.clone() })
        })
        .collect();
    let mut content = |content: &Content| fill(content.written()).map(|text| content.with(text));
    let files: Vec<(Text, Content)> =
        text.files.iter().filter_map(|(path, file)| Some((path.clone(), content(file)?))).collect();
    let boot: Vec<Content> = text.boot.iter().filter_map(&mut content).collect();

    if let Some((name, _)) = nics.get(NICS_MAX) {
        problems.error(name.place(), format!("a host has at most {NICS_MAX} network cards"), "");
    }
    let nics: Vec<Nic> = nics
        .iter()
        .take(NICS_MAX)
        .enumerate()
        .map(|(card, (nic_name, nic_text))| {
            let place = (index, card, name.text.as_str());
            nic(nic_name, nic_text, place, names, written, seen, problems)
        })
        .collect();
    let gateway = gateway.and_then(|text| {
        let gateway = address(&text, "the gateway", problems)?;
        seen.gateways.push((index, gateway, text));
        Some(gateway)
    });
    let role = role(text.role.as_deref());
    let os = system(text.os.as_deref());
    let known: Vec<&str> = files.iter().map(|(path, _)| path.text.as_str()).collect();
    let boot: Vec<Line> = boot.iter().flat_map(|content| boot_lines(content, &known, seen, problems)).collect();
    let services = services(role, os, &boot);
    Some(Host {
        name: name.text.clone(),
        role,
        os,
        gateway,
        nics,
        files: read_files(&files, seen, problems),
        boot,
        services,
    })
}

fn role(word: Option<&str>) -> Role {
    match word {
        Some("Client") => Role::Client,
        Some("Router") => Role::Router,
        Some("Director") => Role::Director,
        Some("RealServer") => Role::RealServer,
        // The schema lets only known words through.
        Some(_) | None => Role::Host,
    }
}

fn system(word: Option<&str>) -> Os {
    match word {
        Some("CentOs4") => Os::CentOs4,
        Some("Rhel6") => Os::Rhel6,
        Some("CentOs7") => Os::CentOs7,
        // The schema lets only known words through.
        Some(_) | None => Os::Debian12,
    }
}

/// A real server's web server runs from the start, unless its boot lines start one themselves.
fn services(role: Role, os: Os, boot: &[Line]) -> Vec<&'static str> {
    let starts_one = |line: &Line| {
        ["httpd", "nginx", "apache2"].iter().any(|server| line.text.contains(server))
            && ["start", "restart"].iter().any(|verb| line.text.split_whitespace().any(|word| word == *verb))
    };
    if role != Role::RealServer || boot.iter().any(starts_one) {
        return Vec::new();
    }
    match os {
        Os::CentOs4 | Os::Rhel6 | Os::CentOs7 => vec!["httpd"],
        Os::Debian12 => vec!["nginx"],
    }
}

fn nic(
    name: &Text,
    text: &NicText,
    (host, card, host_name): (HostIndex, usize, &str),
    names: &Names,
    written: &ScenarioText,
    seen: &mut Seen,
    problems: &mut Problems,
) -> Nic {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.text.is_empty() || name.text.len() > 15 || !name.text.chars().all(fits) || name.text == "lo" {
        let hint = "letters and digits, at most 15; labels such as eth0:0 are typed";
        problems.error(name.place(), format!("\"{}\" cannot be the name of a network card", name.text), hint);
    }
    let nic_name = format!("{host_name}:{}", name.text);
    let address = text.address.as_ref().and_then(|text| {
        let net = network(text, problems)?;
        if let Some((first, _)) = seen.addresses.get(&net.addr()) {
            let message = format!("{} is the address of two network cards", net.addr());
            problems.push(
                Problem::error(text.place(), message, "and again here")
                    .related(first, "first here")
                    .note(format!("if you want a conflict, type it: boot \"ip addr add {net} dev {}\"", name.text)),
            );
        } else {
            seen.addresses.insert(net.addr(), (text.place().clone(), nic_name.clone()));
        }
        Some(net)
    });
    // 02:00:00:00:HH:NN; with more than 255 hosts the octet before carries on.
    let [.., high, low] = (host as u32 + 1).to_be_bytes();
    let derived = Mac([2, 0, 0, high, low, card as u8 + 1]);
    let mac = text.mac.as_ref().map_or(Some(derived), |text| mac(text, problems));
    if let Some(mac) = mac {
        let place = text.mac.as_ref().unwrap_or(name).place();
        if let Some((first, _)) = seen.macs.get(&mac) {
            let message = format!("{mac} is the MAC of two network cards");
            problems.push(Problem::error(place, message, "and again here").related(first, "first here"));
        } else {
            seen.macs.insert(mac, (place.clone(), nic_name));
        }
    }
    let switch = text.to.as_ref().and_then(|to| {
        if let Some((host, _)) = to.text.split_once(':').filter(|(host, _)| names.hosts.contains_key(*host)) {
            let hint = "put a switch between the two hosts";
            problems.error(to.place(), format!("a cable goes to a switch, not to {host} itself"), hint);
            return None;
        }
        names.switch(to, problems)
    });
    let link = text.link.or(&written.link);
    let default = LinkSettings::default();
    Nic {
        name: name.text.clone(),
        // Where a problem was found no model is made; the card stays, so that nothing else is said to lack it.
        mac: mac.unwrap_or(derived),
        switch: switch.unwrap_or(0),
        address,
        link: LinkSettings {
            rate_bps: link.rate_bps.unwrap_or(default.rate_bps),
            delay: link.delay.unwrap_or(default.delay),
            queue: link.queue_frames.unwrap_or(default.queue),
            mtu: link.mtu.unwrap_or(default.mtu),
            loss_ppm: link.loss_ppm.unwrap_or(default.loss_ppm),
        },
    }
}

fn check_gateways(hosts: &[Host], seen: &Seen, problems: &mut Problems) {
    for (index, gateway, text) in &seen.gateways {
        if problems.is_full() {
            return;
        }
        let host = &hosts[*index];
        let networks: Vec<(&str, Ipv4Net)> =
            host.nics.iter().filter_map(|nic| Some((nic.name.as_str(), nic.address?))).collect();
        if networks.iter().any(|(_, net)| net.addr() == *gateway) {
            problems.error(
                text.place(),
                format!("{gateway} is {}'s own address", host.name),
                "a gateway is another host",
            );
        } else if !networks.iter().any(|(_, net)| net.contains(gateway)) {
            let own: Vec<String> = networks.iter().map(|(nic, net)| format!("{} on {nic}", net.trunc())).collect();
            let hint = if own.is_empty() {
                "it has no address".to_string()
            } else {
                format!("none of its networks ({}) contains it", own.join(", "))
            };
            let problem =
                Problem::error(text.place(), format!("{} cannot reach its gateway {gateway}", host.name), hint);
            problems.push(match nearest_gateway(*gateway, &networks, *index, hosts) {
                Some((address, nic)) => problem.note(format!("did you mean {address} ({nic})?")),
                None => problem,
            });
        } else if !seen.addresses.contains_key(gateway) && !is_typed(*gateway, hosts) {
            let message = format!("no host has the gateway {gateway} of {}", host.name);
            let known = seen.addresses.keys().filter(|address| networks.iter().any(|(_, net)| net.contains(*address)));
            let known: Vec<String> = known.map(ToString::to_string).collect();
            let hint = suggest(&gateway.to_string(), known.iter().map(String::as_str))
                .map_or("packets to other networks will be lost".to_string(), |near| format!("did you mean {near}?"));
            problems.push(Problem::error(text.place(), message, hint).severity(Severity::Warning));
        }
    }
}

/// A router, else any host, that stands on one of these networks, with the address that looks most alike.
fn nearest_gateway(
    written: Ipv4Addr,
    networks: &[(&str, Ipv4Net)],
    own: HostIndex,
    hosts: &[Host],
) -> Option<(Ipv4Addr, String)> {
    let near = |a: Ipv4Addr| strsim::damerau_levenshtein(&a.to_string(), &written.to_string());
    hosts
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != own)
        .flat_map(|(_, host)| host.nics.iter().map(move |nic| (host, nic)))
        .filter_map(|(host, nic)| Some((host, nic, nic.address?.addr())))
        .filter(|(_, _, address)| networks.iter().any(|(_, net)| net.contains(address)))
        .min_by_key(|(host, _, address)| (host.role != Role::Router, near(*address)))
        .map(|(host, nic, address)| (address, format!("{}:{}", host.name, nic.name)))
}

/// Whether some host gets this address by a typed line or a file (a virtual gateway).
fn is_typed(address: Ipv4Addr, hosts: &[Host]) -> bool {
    let address = address.to_string();
    hosts.iter().any(|host| {
        host.boot.iter().any(|line| line.text.contains(&address))
            || host.files.iter().any(|(_, text)| text.contains(&address))
    })
}

fn boot_lines(content: &Content, known: &[&str], seen: &mut Seen, problems: &mut Problems) -> Vec<Line> {
    match content {
        Content::Text(text) => lines::lines(&lines::dedent(text), known, problems),
        Content::File(path) => {
            seen.open(path, problems).map_or(Vec::new(), |text| lines::lines(&text, known, problems))
        }
    }
}

fn read_files(files: &[(Text, Content)], seen: &mut Seen, problems: &mut Problems) -> Vec<(String, String)> {
    let mut read = Vec::new();
    for (path, content) in files {
        if !path.text.starts_with('/') || path.text.ends_with('/') || path.text.split('/').any(|part| part == "..") {
            problems.error(path.place(), format!("\"{}\" is not the path of a file", path.text), "it begins with /");
            continue;
        }
        if path.text.starts_with("/proc/") || path.text.starts_with("/dev/") {
            let hint = "type it: boot \"echo 1 > /proc/…\"";
            problems.error(path.place(), format!("{} is made by the kernel", path.text), hint);
            continue;
        }
        let text = match content {
            Content::Text(text) => Some(without_first_break(lines::dedent(text))),
            Content::File(from) => seen.open(from, problems),
        };
        let Some(text) = text else { continue };
        let text = daemon_files::as_meant(&path.text, text, problems);
        daemon_files::of_host(&path.text, &text, problems);
        let text = text.text;
        seen.octets += text.len();
        if seen.octets > FILES_MAX {
            problems.error(path.place(), format!("the hosts' files are larger than {FILES_MAX} octets together"), "");
            return read;
        }
        read.push((path.text.clone(), text));
    }
    read
}

/// A text in a scenario begins on the line below its quote.
fn without_first_break(text: Text) -> Text {
    let breaks = text.text.len() - text.text.trim_start_matches('\n').len();
    if breaks == 0 { text } else { text.replaced(&[(0..breaks, String::new())]) }
}

impl Seen<'_> {
    /// A text of the scenario's folder, read once.
    fn open(&mut self, path: &Text, problems: &mut Problems) -> Option<Text> {
        let source = self.source;
        let entry = self
            .texts
            .entry(path.text.clone())
            .or_insert_with(|| source::open(&path.text, source).map(|file| Text::of_file(&file)));
        match entry {
            Ok(text) => Some(text.clone()),
            Err(error) => {
                problems.error(path.place(), format!("cannot read \"{}\": {error}", path.text), "");
                None
            }
        }
    }
}

const _: () = assert!(TEXT_MAX <= FILES_MAX, "one text fits");
