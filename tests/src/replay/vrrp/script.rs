//! Does to the lab what was done to the real hosts, and reads what came of it.

use super::super::host_plan::{self, Card, Typist};
use super::super::program::{Echoes, Program};
use super::story::{Micros, Story};
use crate::recording::{CaseFolder, ReadError};
use serde_json::Value;
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::nodes::host::Host;
use sim_core::nodes::switch::Switch;
use sim_core::trace::filter::Filter;
use sim_core::trace::moment::Moment;
use sim_core::trace::{Kind, Level, NodeCard, PortCard, Trace};
use sim_core::wire::Mac;
use sim_core::wire::checksum;
use sim_core::world::action::{Action, Deed};
use sim_core::world::link::LinkSettings;
use sim_core::world::node::Node;
use sim_core::world::sim::{Plan, Sim};
use std::net::Ipv4Addr;

/// Where the case's files lie on the lab's hosts; the recordings call it `@RUN@`.
const RUN: &str = "/run/case";
/// The clock of the replay begins this much before the case.
const LEAD: Duration = Duration::from_secs(1);
const MAC_AGEING: Duration = Duration::from_secs(300);
const CABLE: LinkSettings =
    LinkSettings { rate_bps: 10_000_000_000, delay: Duration::from_micros(5), queue: 1000, mtu: 1500, loss_ppm: 0 };

/// The world of a case: the directors and the client, then one or two switches.
struct Lan {
    hosts: Vec<String>,
    /// By port: host, device.
    cards: Vec<(usize, usize)>,
    switches: usize,
}

/// Plays a case.
pub(super) fn play(case: &CaseFolder, recorded: &Story) -> Result<Story, ReadError> {
    let lan = Lan::of(case, recorded);
    let mut typist = Typist::default();
    let mut deeds = Vec::new();
    let mut writer = Writer { lan: &lan, case, recorded, typist: &mut typist, deeds: &mut deeds };
    writer.prepare()?;
    for (at, action, args) in &recorded.actions {
        writer.act(*at, action, args)?;
    }
    writer.ping();
    let end = instant(recorded.end);
    let mut sim = Sim::new(lan.plan(typist, deeds, end));
    sim.run_until(end);
    Ok(lan.story(&sim, recorded))
}

pub(super) fn instant(at: Micros) -> Instant {
    Instant::ZERO + LEAD + Duration::from_micros(at.max(0) as u64)
}

impl Lan {
    fn of(case: &CaseFolder, recorded: &Story) -> Lan {
        let mut hosts = vec!["cl".to_owned()];
        // A Linux bridge floods to the port that was added last first.
        hosts.extend(recorded.nodes.iter().rev().cloned());
        let switches = if case.path.join("lan1.pcap.gz").exists() { 2 } else { 1 };
        let mut cards = Vec::new();
        for host in 0..hosts.len() {
            let own = if host == 0 { 1 } else { switches };
            cards.extend((0..own).map(|device| (host, device)));
        }
        Lan { hosts, cards, switches }
    }

    fn host(&self, name: &str) -> Option<NodeId> {
        self.hosts.iter().position(|host| host == name).map(|at| NodeId(at as u32))
    }

    fn switch(&self, number: usize) -> NodeId {
        NodeId((self.hosts.len() + number) as u32)
    }

    /// The port that the recordings call `n1` or `n1_1`.
    fn port(&self, name: &str) -> Option<PortId> {
        let (host, device) =
            name.split_once('_').map_or((name, 0), |(host, device)| (host, device.parse().unwrap_or(0)));
        let host = self.hosts.iter().position(|known| known == host)?;
        let at = self.cards.iter().position(|card| *card == (host, device))?;
        Some(PortId(at as u32))
    }

    fn number(&self, host: usize) -> u8 {
        match self.hosts[host].strip_prefix('n').and_then(|number| number.parse::<u8>().ok()) {
            Some(number) => 10 + number,
            None => 50,
        }
    }

    fn mac(&self, host: usize, device: usize) -> Mac {
        let last = if self.number(host) == 50 { 0x50 } else { self.number(host) - 10 + 0x10 };
        Mac([2, 0, 0, 0, device as u8, last])
    }

    fn plan(&self, typist: Typist, deeds: Vec<(Instant, Deed)>, until: Instant) -> Plan {
        let lines = typist.lines();
        let mut nodes: Vec<(NodeCard, Box<dyn Node>)> = Vec::new();
        let mut ports: Vec<PortCard> = Vec::new();
        let card = |name: &str, is_switch| NodeCard { name: name.into(), role: "host".into(), is_switch };
        for (number, host) in self.hosts.iter().enumerate() {
            let node = NodeId(number as u32);
            let own = self.cards.iter().enumerate().filter(|(_, (host, _))| *host == number);
            let cards: Vec<Card> = own
                .map(|(port, (host, device))| {
                    (PortId(port as u32), format!("eth{device}"), self.mac(*host, *device), 1500)
                })
                .collect();
            ports.extend(cards.iter().map(|(_, name, mac, _)| port_card(node, name, Some(*mac))));
            nodes.push((card(host, false), Box::new(host_plan::host(node, host, &cards, lines.clone()))));
        }
        let mut cables = Vec::new();
        for switch in 0..self.switches {
            let node = NodeId(nodes.len() as u32);
            let first = ports.len() as u32;
            for (port, (host, _)) in self.cards.iter().enumerate().filter(|(_, (_, device))| *device == switch) {
                cables.push((PortId(port as u32), PortId(ports.len() as u32), CABLE));
                ports.push(port_card(node, &self.hosts[*host], None));
            }
            let own = (first..ports.len() as u32).map(PortId);
            nodes.push((card(&format!("lan{switch}"), true), Box::new(Switch::new(node, own, MAC_AGEING))));
        }
        Plan { seed: 1, level: Level::Everything, nodes, ports, cables, deeds, until }
    }

    /// What came of it.
    fn story(&self, sim: &Sim, recorded: &Story) -> Story {
        let trace = sim.trace();
        let mut story = Story {
            nodes: recorded.nodes.clone(),
            actions: recorded.actions.clone(),
            end: recorded.end,
            vrids: recorded.vrids.clone(),
            startup_delays: recorded.startup_delays.clone(),
            ..Story::default()
        };
        for node in &recorded.nodes {
            story.logs.insert(node.clone(), Vec::new());
        }
        let mut answered: Vec<(Ipv4Addr, u16)> = Vec::new();
        for event in &trace.events {
            let step = trace.steps[event.step as usize];
            let at = (step.at.nanos() / 1000) as Micros - (LEAD.nanos() / 1000) as Micros;
            let Some(host) = self.hosts.get(step.node.index()) else { continue };
            match event.kind {
                Kind::Log(index) => {
                    let record = &trace.logs[index as usize];
                    if let Some(log) = story.logs.get_mut(host).filter(|_| record.program.starts_with("Keepalived")) {
                        log.push((at, record.text.to_string()));
                    }
                }
                Kind::Sent { bytes, .. } => story.frames.push((at, Some(host.clone()), whole(trace, bytes))),
                Kind::Received { bytes, .. } if host == "cl" => answered.extend(answer(&whole(trace, bytes))),
                _ => {}
            }
        }
        let moment = Moment::at(trace, sim.now());
        for node in &recorded.nodes {
            let Some(id) = self.host(node) else { continue };
            let tables = moment.node(id);
            let mut found: Vec<String> = tables
                .addresses()
                .map(|record| format!("{} {}/{}", tables.interface_name(record.iface), record.address, record.prefix))
                .collect();
            found.sort();
            story.addresses.insert(node.clone(), found);
            if let Some(host) = sim.node::<Host>(id)
                && let Ok(bytes) = host.kernel().files.read(&format!("{RUN}/notify.rec"))
            {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let lines = text.lines().filter_map(|line| Some(line.trim().split_once(' ')?.1.to_owned()));
                story.notified.extend(lines);
            }
        }
        story.notified.sort();
        for record in moment.node(NodeId(0)).neighbours() {
            let mac = record.mac.map_or("none".to_owned(), |mac| mac.to_string().replace('-', ":"));
            story.entries.insert(record.address.to_string(), mac);
        }
        for (target, sent) in &recorded.echoes {
            let address: Ipv4Addr = target.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
            let came = |number: u32| answered.contains(&(address, number as u16));
            let echoes = sent.iter().map(|(number, at, _)| (*number, *at, !came(*number))).collect();
            story.echoes.push((target.clone(), echoes));
        }
        story
    }
}

/// Writes the script.
struct Writer<'a> {
    lan: &'a Lan,
    case: &'a CaseFolder,
    recorded: &'a Story,
    typist: &'a mut Typist,
    deeds: &'a mut Vec<(Instant, Deed)>,
}

impl Writer<'_> {
    /// Addresses, files.
    fn prepare(&mut self) -> Result<(), ReadError> {
        for (host, name) in self.lan.hosts.iter().enumerate() {
            let at = Instant::ZERO;
            self.type_at(at, name, "ip link set lo up");
            for device in 0..self.lan.cards.iter().filter(|(owner, _)| *owner == host).count() {
                let number = self.lan.number(host);
                self.type_at(at, name, &format!("ip link set eth{device} up"));
                self.type_at(at, name, &format!("ip addr add 10.0.{device}.{number}/24 dev eth{device}"));
            }
            self.type_at(at, name, &format!("mkdir -p {RUN}"));
        }
        for node in self.recorded.nodes.clone() {
            let text = self.read(&format!("{node}.keepalived.conf"))?;
            self.write_at(Instant::from_nanos(1000), &node, &format!("{RUN}/{node}.conf"), text);
            for script in ["chk.sh", "ntf.sh"] {
                if self.case.path.join(script).exists() {
                    let text = self.read(script)?;
                    self.write_at(Instant::from_nanos(1000), &node, &format!("{RUN}/{script}"), text);
                    self.type_at(Instant::from_nanos(2000), &node, &format!("chmod +x {RUN}/{script}"));
                }
            }
        }
        Ok(())
    }

    fn read(&self, file: &str) -> Result<String, ReadError> {
        Ok(String::from_utf8_lossy(&self.case.read(file)?).replace("@RUN@", RUN))
    }

    fn act(&mut self, at: Micros, action: &str, args: &[Value]) -> Result<(), ReadError> {
        let word = |number: usize| args.get(number).and_then(Value::as_str).unwrap_or_default().to_owned();
        let now = instant(at);
        let name = word(0);
        let (pid, vrrp_pid) = (format!("$(cat {RUN}/{name}.pid)"), format!("$(cat {RUN}/{name}.vrrp.pid)"));
        match action {
            "start" => self.start(at, &name),
            "kill9" => self.type_at(now, &name, &format!("kill -9 {pid} {vrrp_pid}")),
            "kill9_child" => self.type_at(now, &name, &format!("kill -9 {vrrp_pid}")),
            "kill9_parent" => self.type_at(now, &name, &format!("kill -9 {pid}")),
            "term" => self.type_at(now, &name, &format!("kill -TERM {pid}")),
            "hup" => self.type_at(now, &name, &format!("kill -HUP {pid}")),
            "stop" => self.type_at(now, &name, &format!("kill -STOP {pid} {vrrp_pid}")),
            "cont" => self.type_at(now, &name, &format!("kill -CONT {pid} {vrrp_pid}")),
            "crash" => {
                for switch in 0..self.lan.switches {
                    self.cut(now, switch, Some(&[&name]), None, None);
                    self.cut(now, switch, None, Some(&[&name]), None);
                }
                self.type_at(now, &name, &format!("kill -9 {pid} {vrrp_pid}"));
            }
            "boot" => {
                self.heal(now);
                for number in 1..args.len() {
                    self.type_at(now, &name, &word(number).replace("@RUN@", RUN));
                }
                self.start(at, &name);
            }
            "nft" => {
                self.heal(now);
                for rule in args.iter().filter_map(Value::as_str) {
                    self.rule(now, rule);
                }
            }
            "port" => {
                let port = self.lan.port(&name).ok_or_else(|| self.wrong(format!("no port {name}")))?;
                let deed = if word(1) == "up" { Deed::Plug(port) } else { Deed::Unplug(port) };
                self.deeds.push((now, deed));
            }
            "if" => self.type_at(now, &name, &format!("ip link set {} {}", word(1), word(2))),
            "file" => {
                for node in self.recorded.nodes.clone() {
                    self.write_at(now, &node, &format!("{RUN}/{name}"), word(1));
                }
            }
            "conf" => {
                let file = word(1).trim_start_matches("(see ").trim_end_matches(')').to_owned();
                let text = self.read(&file)?;
                self.write_at(now, &name, &format!("{RUN}/{name}.conf"), text);
            }
            "ns" => self.type_at(now, &name, &word(1).replace("@RUN@", RUN)),
            "forge" => self.forge(at, &args[0]),
            other => return Err(self.wrong(format!("action {other} is not known"))),
        }
        Ok(())
    }

    fn wrong(&self, what: String) -> ReadError {
        self.case.wrong("case.json", what)
    }

    fn start(&mut self, at: Micros, name: &str) {
        let at = instant(self.recorded.first_state(name, at));
        let line = format!("keepalived -n -l -D -P -f {RUN}/{name}.conf -p {RUN}/{name}.pid -r {RUN}/{name}.vrrp.pid");
        self.type_at(at, name, &line);
    }

    fn type_at(&mut self, at: Instant, host: &str, line: &str) {
        let Some(host) = self.lan.host(host) else { return };
        let line = self.typist.line(line);
        self.deeds.push((at, Deed::To(host, Action::Run(line))));
    }

    fn write_at(&mut self, at: Instant, host: &str, path: &str, text: String) {
        let Some(host) = self.lan.host(host) else { return };
        let line = self.typist.program(Program::File(path.to_owned(), text.into_bytes()));
        self.deeds.push((at, Deed::To(host, Action::Run(line))));
    }

    // ── the bridge ──

    fn heal(&mut self, at: Instant) {
        for switch in 0..self.lan.switches {
            self.deeds.push((at, Deed::Heal { switch: self.lan.switch(switch) }));
        }
    }

    fn cut(&mut self, at: Instant, switch: usize, from: Option<&[&str]>, to: Option<&[&str]>, packet: Option<&str>) {
        let hosts = |names: Option<&[&str]>| {
            names.map(|names| names.iter().filter_map(|name| self.lan.host(name)).collect::<Vec<_>>())
        };
        let packet = packet.map(|text| Filter::parse(text).expect("the replay's filters are right"));
        let (from, to) = (hosts(from), hosts(to));
        self.deeds.push((at, Deed::Cut { switch: self.lan.switch(switch), from, to, packet }));
    }

    /// `iifname "n1" oifname { "n2", "n3" } ip protocol 112 drop`
    fn rule(&mut self, at: Instant, rule: &str) {
        let names = |key: &str| -> Option<Vec<String>> {
            let rest = rule.split_once(key)?.1.trim_start();
            let text = match rest.strip_prefix('{') {
                Some(set) => set.split('}').next()?,
                None => rest.split_whitespace().next()?,
            };
            Some(text.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect())
        };
        let (from, to) = (names("iifname"), names("oifname"));
        let packet = match rule {
            _ if rule.contains("ip protocol 112") => Some("ip.proto == 112".to_owned()),
            _ if rule.contains("ether type arp") => {
                let words: Vec<&str> = rule.split_whitespace().collect();
                let address = words.iter().position(|word| *word == "saddr").and_then(|at| words.get(at + 2));
                let address = address.copied().unwrap_or_default();
                Some(format!("arp.src.proto_ipv4 == {address} && arp.dst.proto_ipv4 == {address}"))
            }
            _ => None,
        };
        for switch in 0..self.lan.switches {
            let suffix = if switch == 0 { String::new() } else { format!("_{switch}") };
            let here = |names: &Option<Vec<String>>| -> Option<Vec<String>> {
                let names = names.as_ref()?.iter();
                let own = |name: &&String| name.contains('_') == (switch > 0);
                Some(names.filter(own).map(|name| name.trim_end_matches(&*suffix).to_owned()).collect())
            };
            let (from, to) = (here(&from), here(&to));
            if [&from, &to].into_iter().flatten().any(Vec::is_empty) {
                continue;
            }
            let from: Option<Vec<&str>> = from.as_ref().map(|names| names.iter().map(String::as_str).collect());
            let to: Option<Vec<&str>> = to.as_ref().map(|names| names.iter().map(String::as_str).collect());
            self.cut(at, switch, from.as_deref(), to.as_deref(), packet.as_deref());
        }
    }

    // ── the client ──

    fn ping(&mut self) {
        for (target, echoes) in &self.recorded.echoes {
            let Ok(target) = target.parse() else { continue };
            let sends = echoes.iter().map(|(number, at, _)| (instant(*at), *number as u16)).collect();
            let line = self.typist.program(Program::Echoes(Echoes::new(target, sends)));
            self.deeds.push((Instant::from_nanos(3000), Deed::To(NodeId(0), Action::Run(line))));
        }
    }

    /// An advert made by hand, as the stimuli make it.
    fn forge(&mut self, at: Micros, what: &Value) {
        let number = |key: &str, default: u64| what[key].as_u64().unwrap_or(default);
        let address =
            |text: Option<&str>, default: &str| text.unwrap_or(default).parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
        let (source, group) = (address(what["src"].as_str(), "10.0.0.50"), Ipv4Addr::new(224, 0, 0, 18));
        let version = number("ver", 2) as u8;
        let given = what["vips"].as_array().map(|vips| vips.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        let addresses: Vec<Ipv4Addr> =
            given.unwrap_or_else(|| vec!["10.0.0.100"]).iter().map(|vip| address(Some(vip), "")).collect();
        let count = number("naddr", addresses.len() as u64) as u8;
        let kind = version << 4 | number("type", 1) as u8;
        let mut body = vec![kind, number("vrid", 51) as u8, number("prio", 0) as u8, count];
        match version {
            2 => body.extend([number("auth_type", 1) as u8, number("adv", 1) as u8]),
            _ => body.extend((number("adv", 100) as u16).to_be_bytes()),
        }
        body.extend([0, 0]);
        body.extend(addresses.iter().flat_map(|address| address.octets()));
        if version == 2 {
            let mut key = what["auth"].as_str().unwrap_or("1111").as_bytes().to_vec();
            key.resize(8, 0);
            body.extend(key);
        }
        body.extend(std::iter::repeat_n(0, number("trail", 0) as usize));
        let sum = match version {
            3 => checksum::transport_sum(source, group, 112, &body),
            _ => checksum::sum(&body),
        };
        let sum = !sum ^ number("ck_xor", 0) as u16;
        body[6..8].copy_from_slice(&sum.to_be_bytes());
        let mut packet = vec![0x45, 0xc0, 0, 0, 0, 0, 0, 0, number("ttl", 255) as u8, 112, 0, 0];
        packet[2..4].copy_from_slice(&(20 + body.len() as u16).to_be_bytes());
        packet.extend(source.octets());
        packet.extend(group.octets());
        let sum = !checksum::sum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut frame = vec![1, 0, 0x5e, 0, 0, 0x12, 2, 0, 0, 0, 0, 0x50, 8, 0];
        frame.extend(packet);
        frame.extend(body);
        let gap = what["gap"].as_f64().unwrap_or(1.0);
        for turn in 0..number("count", 1) {
            // The program that sends it took some 50 ms to start: the frame on the wire tells when.
            let at = self.sent_by_hand(at, &frame, turn as usize, gap);
            let line = self.typist.program(Program::Frame(PortId(0), frame.clone()));
            self.deeds.push((instant(at), Deed::To(NodeId(0), Action::Run(line))));
        }
    }

    /// When the forged frame really left.
    fn sent_by_hand(&self, at: Micros, frame: &[u8], turn: usize, gap: f64) -> Micros {
        let same = |seen: &&(Micros, Option<String>, Vec<u8>)| seen.0 >= at && seen.2.get(..frame.len()) == Some(frame);
        let seen = self.recorded.frames.iter().filter(same).nth(turn).map(|(at, ..)| *at);
        seen.unwrap_or(at + super::story::micros(gap * turn as f64))
    }
}

fn port_card(node: NodeId, name: &str, mac: Option<Mac>) -> PortCard {
    PortCard { node, name: name.into(), mac, address: None, peer: None }
}

fn whole(trace: &Trace, bytes: sim_core::base::id::BytesId) -> Vec<u8> {
    let (head, tail) = trace.bytes(bytes);
    [head, tail].concat()
}

/// Whose echo reply it is, and to which number.
fn answer(frame: &[u8]) -> Option<(Ipv4Addr, u16)> {
    const ECHO_REPLY: u8 = 0;
    if frame.get(12..14)? != [8, 0] || *frame.get(23)? != 1 || *frame.get(34)? != ECHO_REPLY {
        return None;
    }
    let source = Ipv4Addr::new(frame[26], frame[27], frame[28], frame[29]);
    Some((source, u16::from_be_bytes([*frame.get(40)?, *frame.get(41)?])))
}
