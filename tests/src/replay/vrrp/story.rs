//! What happened in a case, read off its files or off the lab's trace, in one form.

use crate::recording::{CaseFolder, ReadError};
use flate2::read::GzDecoder;
use pcap_file::pcap::PcapReader;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;

/// Microseconds since the case began.
pub(super) type Micros = i64;

/// What happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// Names of the directors.
    pub(super) nodes: Vec<String>,
    /// When something was done, and what.
    pub(super) actions: Vec<(Micros, String, Vec<Value>)>,
    /// When the case ended.
    pub(super) end: Micros,
    /// Log lines of each node.
    pub(super) logs: BTreeMap<String, Vec<(Micros, String)>>,
    /// Frames on the LANs: when, sent by whom (if that is known), and what.
    pub(super) frames: Vec<(Micros, Option<String>, Vec<u8>)>,
    /// When each node took an address away, as its kernel reported it. As played, nothing: the log tells exactly.
    pub(super) removals: BTreeMap<String, Vec<Micros>>,
    /// Addresses of each node's interfaces at the end.
    pub(super) addresses: BTreeMap<String, Vec<String>>,
    /// The client's entries for virtual addresses at the end: address and MAC.
    pub(super) entries: BTreeMap<String, String>,
    /// The client's echo requests of each file: number, when it was sent, whether it was lost.
    pub(super) echoes: Vec<(String, Vec<Echo>)>,
    /// Lines that notify scripts wrote, without times.
    pub(super) notified: Vec<String>,
    /// Virtual routers by node and name of the instance, as the files say.
    pub(super) vrids: BTreeMap<(String, String), u8>,
    /// `vrrp_startup_delay`, by node.
    pub(super) startup_delays: BTreeMap<String, Micros>,
}

/// An echo request: its number, when it was sent, whether it was lost.
pub(super) type Echo = (u32, Micros, bool);

impl Story {
    /// As recorded.
    pub(super) fn recorded(case: &CaseFolder) -> Result<Story, ReadError> {
        let text = case.read("case.json")?;
        let json: Value = serde_json::from_slice(&text).map_err(|error| case.wrong("case.json", error))?;
        let mut story = Story {
            nodes: json["nodes"].as_object().map(|nodes| nodes.keys().cloned().collect()).unwrap_or_default(),
            end: micros(json["duration"].as_f64().unwrap_or(0.0)),
            ..Story::default()
        };
        for action in json["actions"].as_array().into_iter().flatten() {
            let at = micros(action["t"].as_f64().unwrap_or(0.0));
            let args = action["args"].as_array().cloned().unwrap_or_default();
            story.actions.push((at, action["action"].as_str().unwrap_or_default().to_owned(), args));
        }
        for node in story.nodes.clone() {
            let log = String::from_utf8_lossy(&case.read(&format!("{node}.log"))?).into_owned();
            let mut lines: Vec<(Micros, String)> = log.lines().filter_map(log_line).collect();
            lines.retain(|(at, _)| *at < story.end);
            story.logs.insert(node.clone(), lines);
            story.addresses.insert(node.clone(), addresses(&json["final_addr"][&node]));
            // `  +21.388888 Deleted 2: eth0    inet 10.0.0.100/24 …`
            let kernel =
                String::from_utf8_lossy(&case.read(&format!("{node}.ipmon.log")).unwrap_or_default()).into_owned();
            let removed = kernel.lines().filter_map(log_line).filter(|(_, text)| text.starts_with("Deleted "));
            story.removals.insert(node.clone(), removed.map(|(at, _)| at).collect());
            let conf = String::from_utf8_lossy(&case.read(&format!("{node}.keepalived.conf"))?).into_owned();
            story.read_conf(&node, &conf);
        }
        for lan in ["lan", "lan1"] {
            let file = format!("{lan}.pcap.gz");
            if case.path.join(&file).exists() {
                story.read_frames(case, &file)?;
            }
        }
        story.frames.sort_by_key(|(at, ..)| *at);
        let end = story.end;
        story.frames.retain(|(at, ..)| *at < end);
        for entry in json["final_client_neigh"].as_array().into_iter().flatten() {
            let words: Vec<&str> = entry.as_str().unwrap_or_default().split_whitespace().collect();
            let mac = words.iter().position(|word| *word == "lladdr").and_then(|at| words.get(at + 1));
            if let Some(address) = words.first() {
                story.entries.insert((*address).to_owned(), mac.map_or("none", |mac| mac).to_owned());
            }
        }
        let targets: Vec<String> = json["measured"]["ping"]
            .as_object()
            .map(|pings| pings.values().filter_map(|ping| Some(ping["vip"].as_str()?.to_owned())).collect())
            .unwrap_or_default();
        for (number, target) in targets.into_iter().enumerate() {
            let file = if number == 0 { "cl.ping.log".to_owned() } else { format!("cl.ping{number}.log") };
            let text = String::from_utf8_lossy(&case.read(&file)?).into_owned();
            story.echoes.push((target, text.lines().filter_map(echo).collect()));
        }
        if let Ok(record) = case.read("notify.rec") {
            let text = String::from_utf8_lossy(&record).into_owned();
            story.notified = text.lines().filter_map(|line| Some(line.trim().split_once(' ')?.1.to_owned())).collect();
            story.notified.sort();
        }
        Ok(story)
    }

    fn read_frames(&mut self, case: &CaseFolder, file: &str) -> Result<(), ReadError> {
        const START_S: i64 = 1000;
        let mut bytes = Vec::new();
        GzDecoder::new(&case.read(file)?[..]).read_to_end(&mut bytes).map_err(|error| case.wrong(file, error))?;
        let mut reader = PcapReader::new(&bytes[..]).map_err(|error| case.wrong(file, error))?;
        while let Some(packet) = reader.next_packet() {
            let packet = packet.map_err(|error| case.wrong(file, error))?;
            let at = packet.timestamp.as_micros() as i64 - START_S * 1_000_000;
            let frame = packet.data.into_owned();
            self.frames.push((at, owner(&frame), frame));
        }
        Ok(())
    }

    /// As lines for a reader.
    pub(super) fn told(&self) -> Vec<String> {
        let mut lines: Vec<(Micros, String)> = Vec::new();
        for (node, log) in &self.logs {
            lines.extend(log.iter().map(|(at, text)| (*at, format!("{node} {text}"))));
        }
        for (at, owner, frame) in &self.frames {
            let owner = owner.as_deref().unwrap_or("?");
            if let Some(told) = super::timeline::told(*at, frame) {
                lines.push((*at, format!("{owner} > {told}")));
            }
        }
        for (target, echoes) in &self.echoes {
            let lost = echoes.iter().filter(|(.., lost)| *lost);
            lines.extend(lost.map(|(number, at, _)| (*at, format!("cl echo {number} to {target} is lost"))));
        }
        lines.sort_by_key(|(at, _)| *at);
        let mut told: Vec<String> =
            lines.into_iter().map(|(at, text)| format!("{:10.6} {text}", at as f64 / 1e6)).collect();
        told.extend(self.addresses.iter().map(|(node, own)| format!("end: {node} has {}", own.join(", "))));
        told.extend(self.entries.iter().map(|(address, mac)| format!("end: cl believes {address} at {mac}")));
        told.extend(self.notified.iter().map(|line| format!("end: noted {line}")));
        told
    }

    /// Who became master, in order.
    pub(super) fn masters(&self) -> Vec<String> {
        self.masters_at().into_iter().map(|(_, node)| node).collect()
    }

    /// Who became master, and when.
    pub(super) fn masters_at(&self) -> Vec<(Micros, String)> {
        let lines = self.logs.iter().flat_map(|(node, lines)| lines.iter().map(move |(at, text)| (*at, node, text)));
        let mut masters: Vec<(Micros, &String)> = lines
            .filter(|(.., text)| text.ends_with("Entering MASTER STATE"))
            .map(|(at, node, _)| (at, node))
            .collect();
        masters.sort();
        masters.into_iter().map(|(at, node)| (at, node.clone())).collect()
    }

    /// What of a configuration file is needed to compare: numbers of virtual routers, a startup delay.
    fn read_conf(&mut self, node: &str, conf: &str) {
        let mut instance = None;
        for line in conf.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["vrrp_instance", name, ..] => instance = Some(name.to_owned()),
                ["virtual_router_id", number] => {
                    if let (Some(instance), Ok(number)) = (&instance, number.parse()) {
                        self.vrids.insert((node.to_owned(), instance.clone()), number);
                    }
                }
                ["vrrp_startup_delay", seconds] => {
                    self.startup_delays.insert(node.to_owned(), micros(seconds.parse().unwrap_or(0.0)));
                }
                _ => {}
            }
        }
    }

    /// When the node's process was last started before `at`.
    pub(super) fn started_before(&self, node: &str, at: Micros) -> Option<Micros> {
        let starts = self.actions.iter().filter(|(when, action, args)| {
            *when <= at && matches!(action.as_str(), "start" | "boot") && args.first().is_some_and(|name| name == node)
        });
        starts.map(|(when, ..)| *when).max()
    }

    /// When the timers of a process that was started at `at` began: with the first state of its last instance.
    pub(super) fn first_state(&self, node: &str, at: Micros) -> Micros {
        let is_first = |text: &str| {
            text.ends_with("Entering BACKUP STATE (init)")
                || text.ends_with("Receive advertisement timeout")
                || text.starts_with("VRRP_Script(")
                || text.contains("FAULT")
        };
        // Log lines are stamped when they are read. The group is joined before, and told so some 9 ms later, by a tick
        // of the kernel: that on the wire tells better if the log was read late.
        const JOIN_LAG: Micros = 8_000;
        const START: Micros = 500_000;
        let lines = || self.logs.get(node).into_iter().flatten().filter(|(when, _)| *when >= at);
        let said = lines().find(|(_, text)| is_first(text)).map(|(when, _)| *when);
        let is_report = |(when, owner, frame): &&(Micros, Option<String>, Vec<u8>)| {
            *when >= at
                && owner.as_deref() == Some(node)
                && frame.get(12..14) == Some(&[8, 0])
                && frame.get(23) == Some(&2)
        };
        let joined = self.frames.iter().find(is_report).map(|(when, ..)| (*when - JOIN_LAG).max(at));
        let first = said.unwrap_or(at).min(joined.unwrap_or(Micros::MAX));
        // Instances take their first states one after another, and then all timers begin.
        let first_states = || {
            lines().filter(|(when, text)| *when < at + START && text.ends_with("STATE (init)")).map(|(when, _)| *when)
        };
        match (first_states().min(), first_states().max()) {
            (Some(from), Some(until)) => first + (until - from),
            _ => first,
        }
    }
}

/// Who became master in which order, in each of the repetitions of a case that is a race (`races.json`).
pub(super) fn races(case: &CaseFolder) -> Result<Vec<Vec<String>>, ReadError> {
    let Ok(text) = std::fs::read(case.path.with_file_name("races.json")) else { return Ok(Vec::new()) };
    let json: Value = serde_json::from_slice(&text).map_err(|error| case.wrong("../races.json", error))?;
    let names = |outcome: &Value| {
        let masters = outcome.as_array().into_iter().flatten();
        masters.filter_map(|master| Some(master[0].as_str()?.to_owned())).collect()
    };
    Ok(json[&case.name].as_array().into_iter().flatten().map(names).collect())
}

pub(super) fn micros(seconds: f64) -> Micros {
    (seconds * 1e6).round() as Micros
}

/// `   +3.654821 TEXT`
fn log_line(line: &str) -> Option<(Micros, String)> {
    let (at, text) = line.trim_start().strip_prefix('+')?.split_once(' ')?;
    Some((micros(at.parse().ok()?), text.to_owned()))
}

/// `32 3.200 454.95` or `0 0.086 lost EHOSTUNREACH`
fn echo(line: &str) -> Option<(u32, Micros, bool)> {
    let mut words = line.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let at = micros(words.next()?.parse().ok()?);
    Some((number, at, words.next()? == "lost"))
}

/// `eth0@if3         UP             10.0.0.11/24 10.0.0.100/24`: `eth0 10.0.0.11/24`, one for each address.
fn addresses(lines: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for line in lines.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let mut words = line.split_whitespace();
        let Some(name) = words.next().map(|name| name.split('@').next().unwrap_or(name)) else { continue };
        found.extend(words.skip(1).filter(|word| word.contains('.')).map(|address| format!("{name} {address}")));
    }
    found.sort();
    found
}

/// Who sent a frame, by its source MAC: the hosts' end in the same digits as their addresses.
fn owner(frame: &[u8]) -> Option<String> {
    match frame.get(6..12)? {
        [2, 0, 0, 0, _, 0x50] => Some("cl".to_owned()),
        [2, 0, 0, 0, _, last @ 0x11..=0x13] => Some(format!("n{}", last - 0x10)),
        // A virtual MAC: an advert says whose it is, an ARP message does not.
        _ if frame.get(12..14)? == [8, 0] => match frame.get(26..30)? {
            [10, 0, _, last @ 11..=13] => Some(format!("n{}", last - 10)),
            _ => None,
        },
        _ => None,
    }
}
