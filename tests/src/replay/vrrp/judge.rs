//! Compares a case as it was recorded with the case as it was played.

use super::super::unit::Difference;
use super::story::{Micros, Story};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What is compared in time may differ by so much.
const TOLERANCE: Micros = 10_000;
/// The machine that recorded was shared: now and then a process there was woken so late.
const LATE_MAX: Micros = 130_000;
/// Gratuitous ARPs closer than this are one burst.
const BURST: Micros = 30_000;

/// Where the played case differs.
pub(super) fn differ(recorded: &Story, played: &Story) -> Vec<Difference> {
    let mut judge = Judge { recorded: Timeline::of(recorded), played: Timeline::of(played), found: Vec::new() };
    judge.transitions();
    judge.adverts();
    judge.announcements();
    judge.ends(recorded, played);
    judge.echoes(recorded, played);
    judge.logs(recorded, played);
    judge.found
}

struct Judge {
    recorded: Timeline,
    played: Timeline,
    found: Vec<Difference>,
}

/// A change of state: when, which instance, to which state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Transition {
    at: Micros,
    instance: String,
    state: String,
}

/// An advert: when, what it says, the packet without its identification and header checksum, the identification.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Advert {
    at: Micros,
    priority: u8,
    interval: Micros,
    packet: Vec<u8>,
    id: u16,
}

/// What is compared, in order of time.
#[derive(Default)]
struct Timeline {
    actions: Vec<Micros>,
    transitions: BTreeMap<String, Vec<Transition>>,
    /// By node and virtual router.
    adverts: BTreeMap<(String, u8), Vec<Advert>>,
    /// Gratuitous ARPs by node and address.
    garps: BTreeMap<(String, String), Vec<Micros>>,
}

impl Timeline {
    fn of(story: &Story) -> Timeline {
        let mut timeline =
            Timeline { actions: story.actions.iter().map(|(at, ..)| *at).collect(), ..Timeline::default() };
        for (node, lines) in &story.logs {
            let found = lines.iter().filter_map(|(at, text)| transition(*at, text)).collect();
            timeline.transitions.insert(node.clone(), found);
        }
        for (at, owner, frame) in &story.frames {
            if let Some((vrid, advert)) = advert(*at, frame)
                && let Some(node) = owner.as_ref().filter(|node| *node != "cl")
            {
                timeline.adverts.entry((node.clone(), vrid)).or_default().push(advert);
            }
            if let Some(address) = gratuitous(frame) {
                let node = owner.clone().or_else(|| timeline.last_master(*at)).unwrap_or_default();
                timeline.garps.entry((node, address)).or_default().push(*at);
            }
        }
        timeline
    }

    /// Who became master last: sends with the virtual MAC.
    fn last_master(&self, at: Micros) -> Option<String> {
        const LOG_LAG: Micros = 5_000;
        let all = self.transitions.iter().flat_map(|(node, list)| list.iter().map(move |change| (node, change)));
        let masters = all.filter(|(_, change)| change.state == "MASTER" && change.at <= at + LOG_LAG);
        masters.max_by_key(|(_, change)| change.at).map(|(node, _)| node.clone())
    }

    /// The times since whatever may have led to something at `at` on a node: an action, an advert of another node, its
    /// own last advert, its own last change of state.
    fn causes(&self, node: &str, vrid: Option<u8>, at: Micros) -> [Option<Micros>; 4] {
        let before =
            |times: &mut dyn Iterator<Item = Micros>| times.filter(|cause| *cause < at).max().map(|cause| at - cause);
        let adverts = |own: bool| {
            let fits = move |key: &(String, u8)| (key.0 == node) == own && vrid.is_none_or(|vrid| vrid == key.1);
            self.adverts
                .iter()
                .filter(move |(key, _)| fits(key))
                .flat_map(|(_, list)| list.iter().map(|advert| advert.at))
        };
        let states = self.transitions.get(node).into_iter().flatten().map(|change| change.at);
        [
            before(&mut self.actions.iter().copied()),
            before(&mut adverts(false)),
            before(&mut adverts(true)),
            before(&mut states.into_iter()),
        ]
    }
}

impl Judge {
    fn note(&mut self, field: impl Display, expected: impl Display, observed: impl Display) {
        self.found.push(Difference {
            field: field.to_string(),
            expected: expected.to_string(),
            observed: observed.to_string(),
        });
    }

    /// Notes a difference if nothing that may have led to the two things is equally far back.
    fn time(&mut self, field: impl Display, node: &str, vrid: Option<u8>, recorded: Micros, played: Micros) {
        if (recorded - played).abs() <= TOLERANCE {
            return;
        }
        let there = self.recorded.causes(node, vrid, recorded);
        let here = self.played.causes(node, vrid, played);
        let pairs = there.into_iter().zip(here).filter_map(|(there, here)| Some(there? - here?));
        let late: Vec<Micros> = pairs.chain([recorded - played]).collect();
        if late.iter().all(|late| late.abs() > TOLERANCE) {
            let is_late = late.iter().any(|late| (0..LATE_MAX).contains(late));
            let shown = |at: Micros, causes: [Option<Micros>; 4]| {
                let since = causes.map(|cause| cause.map_or("-".to_owned(), |cause| seconds(cause).to_string()));
                format!(
                    "{} (since action {}, other's advert {}, own advert {}, own state {})",
                    seconds(at),
                    since[0],
                    since[1],
                    since[2],
                    since[3]
                )
            };
            let field = if is_late { format!("{field} (recorded late)") } else { field.to_string() };
            self.note(field, shown(recorded, there), shown(played, here));
        }
    }

    fn transitions(&mut self) {
        for node in self.recorded.transitions.keys().cloned().collect::<Vec<_>>() {
            let there = self.recorded.transitions[&node].clone();
            let here = self.played.transitions.get(&node).cloned().unwrap_or_default();
            let list = |changes: &[Transition]| {
                let words =
                    changes.iter().map(|change| format!("{} {} {}", seconds(change.at), change.instance, change.state));
                words.collect::<Vec<_>>().join(", ")
            };
            let what = |changes: &[Transition]| {
                let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for change in changes {
                    keys.entry(change.instance.clone()).or_default().push(change.state.clone());
                }
                keys
            };
            if what(&there) != what(&here) {
                self.note(format!("{node} transitions"), list(&there), list(&here));
                continue;
            }
            for instance in what(&there).into_keys() {
                let own = |changes: &[Transition]| -> Vec<Transition> {
                    changes.iter().filter(|change| change.instance == instance).cloned().collect()
                };
                for (number, (there, here)) in own(&there).iter().zip(own(&here)).enumerate() {
                    let field = format!("{node} {instance} transition {number} to {}", there.state);
                    self.time(field, &node, None, there.at, here.at);
                }
            }
        }
    }

    fn adverts(&mut self) {
        let mut keys: Vec<(String, u8)> = self.recorded.adverts.keys().cloned().collect();
        keys.extend(self.played.adverts.keys().cloned());
        keys.sort();
        keys.dedup();
        for key in keys {
            let (node, vrid) = (&key.0, key.1);
            let there = periods(self.recorded.adverts.get(&key).map_or(&[][..], |list| list));
            let here = periods(self.played.adverts.get(&key).map_or(&[][..], |list| list));
            let name = format!("{node} adverts of {vrid}");
            if there.len() != here.len() {
                let show = |periods: &[Vec<Advert>]| {
                    let words = periods.iter().map(|period| {
                        let from = period.first().map_or(0, |advert| advert.at);
                        format!("{} from {}", period.len(), seconds(from))
                    });
                    words.collect::<Vec<_>>().join(", ")
                };
                self.note(format!("{name}: periods"), show(&there), show(&here));
                continue;
            }
            for (number, (there, here)) in there.iter().zip(&here).enumerate() {
                self.period(&format!("{name}: period {number}"), node, vrid, there, here);
            }
        }
    }

    fn period(&mut self, name: &str, node: &str, vrid: u8, there: &[Advert], here: &[Advert]) {
        if there.len().abs_diff(here.len()) > 1 {
            self.note(format!("{name} count"), there.len(), here.len());
        }
        for (number, (a, b)) in there.iter().zip(here).enumerate() {
            if a.packet != b.packet {
                self.note(format!("{name} advert {number} bytes"), hex(&a.packet), hex(&b.packet));
                return;
            }
            let (before_a, before_b) = match number {
                0 => {
                    self.time(format!("{name} begins"), node, Some(vrid), a.at, b.at);
                    continue;
                }
                _ => (&there[number - 1], &here[number - 1]),
            };
            let steps = (a.id.wrapping_sub(before_a.id), b.id.wrapping_sub(before_b.id));
            if steps.0 != steps.1 {
                self.note(format!("{name} advert {number} id"), steps.0, steps.1);
            }
            if ((a.at - before_a.at) - (b.at - before_b.at)).abs() > TOLERANCE {
                self.time(format!("{name} advert {number} of priority {}", a.priority), node, Some(vrid), a.at, b.at);
            }
        }
    }

    fn announcements(&mut self) {
        let mut keys: Vec<(String, String)> = self.recorded.garps.keys().cloned().collect();
        keys.extend(self.played.garps.keys().cloned());
        keys.sort();
        keys.dedup();
        for key in keys {
            let there = bursts(self.recorded.garps.get(&key).map_or(&[][..], |list| list));
            let here = bursts(self.played.garps.get(&key).map_or(&[][..], |list| list));
            let name = format!("{} gratuitous ARP for {}", key.0, key.1);
            let show = |bursts: &[(Micros, usize)]| {
                let words = bursts.iter().map(|(at, count)| format!("{count} at {}", seconds(*at)));
                words.collect::<Vec<_>>().join(", ")
            };
            let counts = |bursts: &[(Micros, usize)]| bursts.iter().map(|(_, count)| *count).collect::<Vec<_>>();
            if counts(&there) != counts(&here) {
                self.note(name, show(&there), show(&here));
                continue;
            }
            let mut last: Option<(Micros, Micros)> = None;
            for (number, ((a, _), (b, _))) in there.iter().zip(&here).enumerate() {
                // The second batch comes so long after the first.
                let follows = last.is_some_and(|(there, here)| ((a - there) - (b - here)).abs() <= 3 * TOLERANCE);
                last = Some((*a, *b));
                if !follows {
                    self.time(format!("{name} {number}"), &key.0, None, *a, *b);
                }
            }
        }
    }

    fn ends(&mut self, recorded: &Story, played: &Story) {
        for (node, there) in &recorded.addresses {
            let here = played.addresses.get(node).cloned().unwrap_or_default();
            if *there != here {
                self.note(format!("{node} addresses at the end"), there.join(", "), here.join(", "));
            }
        }
        for (target, _) in &recorded.echoes {
            let none = "none".to_owned();
            let there = recorded.entries.get(target).unwrap_or(&none);
            let here = played.entries.get(target).unwrap_or(&none);
            if there != here {
                self.note(format!("client's entry for {target}"), there, here);
            }
        }
        if recorded.notified != played.notified {
            self.note("notify scripts", recorded.notified.join(", "), played.notified.join(", "));
        }
    }

    /// Lost echoes, in runs without a break: each as long as recorded, give or take one.
    fn echoes(&mut self, recorded: &Story, played: &Story) {
        for ((target, sent), (_, here)) in recorded.echoes.iter().zip(&played.echoes) {
            let (there, here) = (losses(sent), losses(here));
            let equal = there.len() == here.len()
                && there.iter().zip(&here).all(|(a, b)| a.1.abs_diff(b.1) <= 1 && a.0.abs_diff(b.0) <= 1);
            if !equal {
                let show = |runs: &[(u32, u32)]| {
                    let words = runs.iter().map(|(from, count)| format!("{count} from {}", f64::from(*from) / 10.0));
                    words.collect::<Vec<_>>().join(", ")
                };
                // Everything but the length of runs that ended when the client asked again.
                let ended_by_question = there.len() == here.len()
                    && there.iter().zip(&here).all(|(a, b)| {
                        let asked = || asked_at_end(recorded, sent, *a, target);
                        a.0.abs_diff(b.0) <= 1 && (a.1.abs_diff(b.1) <= 1 || asked())
                    });
                let how = if ended_by_question { " until the client asked again" } else { "" };
                self.note(format!("echoes lost to {target}{how}"), show(&there), show(&here));
            }
        }
    }

    /// The lines of each instance and those of no instance, each in their order: instances of one process do what they
    /// do at one moment in an order of microseconds.
    fn logs(&mut self, recorded: &Story, played: &Story) {
        for (node, lines) in &recorded.logs {
            let there = streams(&canonical(lines));
            let here = streams(&canonical(played.logs.get(node).map_or(&[][..], |lines| lines)));
            let names: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
            for name in names {
                let none = Vec::new();
                let (there, here) = (there.get(name).unwrap_or(&none), here.get(name).unwrap_or(&none));
                let same = there.iter().zip(here).take_while(|(a, b)| a == b).count();
                if same < there.len().max(here.len()) {
                    let show =
                        |lines: &[String]| lines.iter().skip(same).take(3).cloned().collect::<Vec<_>>().join(" / ");
                    self.note(format!("{node} log {name}, line {same}"), show(there), show(here));
                }
            }
        }
    }
}

/// Lines by the instance that they begin with.
fn streams(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let several = {
        let names: BTreeSet<&str> = lines.iter().filter_map(|line| instance_of(line)).collect();
        names.len() > 1
    };
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // Which instance an address is of: it says so before the lines about single frames.
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for line in lines {
        let address = line.rsplit(' ').next().unwrap_or_default();
        if let Some(name) = instance_of(line).filter(|_| line.contains("Sending/queueing")) {
            owners.insert(address, name);
        }
        let owner = owners.get(address).copied().filter(|_| line.starts_with("Sending gratuitous ARP"));
        let name = instance_of(line).or(owner).filter(|_| several).unwrap_or("of the process");
        streams.entry(name.to_owned()).or_default().push(line.clone());
    }
    streams
}

fn instance_of(line: &str) -> Option<&str> {
    Some(line.strip_prefix('(')?.split_once(')')?.0).filter(|name| !name.contains(' '))
}

/// `(VI_1) Entering MASTER STATE`
fn transition(at: Micros, text: &str) -> Option<Transition> {
    let (instance, rest) = text.strip_prefix('(')?.split_once(") Entering ")?;
    let state = rest.split_once(" STATE")?.0;
    Some(Transition { at, instance: instance.to_owned(), state: state.to_owned() })
}

fn advert(at: Micros, frame: &[u8]) -> Option<(u8, Advert)> {
    const ETHERNET: usize = 14;
    if frame.get(12..14)? != [8, 0] || *frame.get(23)? != 112 {
        return None;
    }
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let mut packet = frame.get(ETHERNET..ETHERNET + total)?.to_vec();
    let id = u16::from_be_bytes([packet[4], packet[5]]);
    packet[4..6].copy_from_slice(&[0, 0]);
    packet[10..12].copy_from_slice(&[0, 0]);
    let interval = match packet[20] >> 4 {
        3 => i64::from(u16::from_be_bytes([packet[24] & 15, packet[25]])) * 10_000,
        _ => i64::from(packet[25]) * 1_000_000,
    };
    let (vrid, priority) = (packet[21], packet[22]);
    Some((vrid, Advert { at, priority, interval, packet, id }))
}

fn gratuitous(frame: &[u8]) -> Option<String> {
    if frame.get(12..14)? != [8, 6] || frame.get(20..22)? != [0, 1] || frame.get(28..32)? != frame.get(38..42)? {
        return None;
    }
    let octets: Vec<String> = frame[28..32].iter().map(u8::to_string).collect();
    Some(octets.join("."))
}

/// Adverts of one time as master: without a gap, up to a priority 0.
fn periods(adverts: &[Advert]) -> Vec<Vec<Advert>> {
    let mut periods: Vec<Vec<Advert>> = Vec::new();
    for advert in adverts {
        let goes_on = periods.last().and_then(|period| period.last()).is_some_and(|last| {
            let is_near = advert.at - last.at <= last.interval * 3 / 2;
            is_near && (last.priority != 0 || advert.priority == 0)
        });
        match periods.last_mut().filter(|_| goes_on) {
            Some(period) => period.push(advert.clone()),
            None => periods.push(vec![advert.clone()]),
        }
    }
    periods
}

fn bursts(times: &[Micros]) -> Vec<(Micros, usize)> {
    let mut bursts: Vec<(Micros, usize)> = Vec::new();
    let mut last = Micros::MIN / 2;
    for at in times {
        match bursts.last_mut().filter(|_| at - last <= BURST) {
            Some((_, count)) => *count += 1,
            None => bursts.push((*at, 1)),
        }
        last = *at;
    }
    bursts
}

/// Runs of lost echoes: the first number, and how many.
fn losses(echoes: &[(u32, Micros, bool)]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (number, _, lost) in echoes {
        match runs.last_mut().filter(|(from, count)| from + count == *number) {
            Some((_, count)) if *lost => *count += 1,
            _ if *lost => runs.push((*number, 1)),
            _ => {}
        }
    }
    runs
}

/// Whether a run of lost echoes ended with a question of the client for the address, to everybody.
fn asked_at_end(story: &Story, sent: &[(u32, Micros, bool)], run: (u32, u32), target: &str) -> bool {
    const NEAR: Micros = 150_000;
    let Some((_, end, _)) = sent.iter().find(|(number, ..)| *number == run.0 + run.1) else { return false };
    let Ok(address) = target.parse::<std::net::Ipv4Addr>() else { return false };
    story.frames.iter().any(|(at, owner, frame)| {
        (at - end).abs() <= NEAR
            && owner.as_deref() == Some("cl")
            && frame.get(..6) == Some(&[0xff; 6])
            && frame.get(12..14) == Some(&[8, 6])
            && frame.get(38..42) == Some(&address.octets())
    })
}

/// Log lines without pids, descriptors, indexes, paths, versions of the kernel, times of the processor. What parent and
/// child write at a start or reload is sorted: they write side by side.
fn canonical(lines: &[(Micros, String)]) -> Vec<String> {
    const AT_START: [&str; 21] = [
        "Starting Keepalived",
        "Running on",
        "Opening file",
        "Configuration file",
        "NOTICE",
        "Starting VRRP child",
        "Registering",
        "Assigned address",
        "Startup complete",
        "VRRP sockpool",
        "SECURITY VIOLATION",
        "Delaying startup",
        "use_vmac or no_accept",
        "removing VIPs.",
        "Entering BACKUP STATE (init)",
        "Success creating",
        "removing firewall drop rule",
        "Reload",
        "VRRP version 3 does not",
        "Strict mode",
        "Truncating",
    ];
    let mut all: Vec<String> = Vec::new();
    let mut starting: Vec<String> = Vec::new();
    for (_, text) in lines {
        // Paths; and what keepalived says to those who look for mistakes in it.
        if text.starts_with("Command line:") || text.starts_with("              '") || text.starts_with("read eventfd")
        {
            continue;
        }
        let text = plain(text);
        if AT_START.iter().any(|word| text.contains(word)) {
            starting.push(text);
            continue;
        }
        starting.sort();
        all.append(&mut starting);
        all.push(text);
    }
    starting.sort();
    all.append(&mut starting);
    all
}

fn plain(text: &str) -> String {
    if text.starts_with("Running on Linux") {
        return "Running on Linux".to_owned();
    }
    for (begins, stays) in [
        ("Starting VRRP child process, pid=", "Starting VRRP child process"),
        ("Opening file", "Opening file"),
        ("Configuration file", "Configuration file"),
        ("Stopped - used", "Stopped - used"),
        ("CPU usage", "CPU usage"),
        ("VRRP child process(", "VRRP child process died"),
        ("  Please log an issue at", "  Please log an issue at"),
        ("A thread timer expired", "A thread timer expired"),
    ] {
        if text.starts_with(begins) {
            return stays.to_owned();
        }
    }
    let mut text = text.to_owned();
    if let Some((_, rest)) = text.strip_prefix("(").and_then(|rest| rest.split_once(".conf: Line ")) {
        text = format!("(Line {rest}");
    }
    if text.starts_with("pid ") {
        let rest = text.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        return format!("pid {rest}");
    }
    if let Some((before, rest)) = text.split_once("ifindex(")
        && let Some((_, rest)) = rest.split_once(')')
        && let Some((between, after)) = rest.split_once("fd(")
        && let Some((_, after)) = after.split_once(')')
    {
        return format!("{before}ifindex(){between}fd(){after}");
    }
    text
}

fn seconds(at: Micros) -> impl Display {
    format!("{:.3}", at as f64 / 1e6)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
