//! What is compared of a story, in order of time: changes of state, adverts, gratuitous ARPs, each with what may have
//! caused it.

use super::story::{Micros, Story};
use std::collections::BTreeMap;

/// A process that waits for another of its threads, or for the one instance before, does so for less than this.
const BEHIND: Micros = 10_000;
/// A log line about a new master is written after its advert was sent, and stamped when it was read.
const STAMP: Micros = 150_000;

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    /// When: a new master's first advert says it best, otherwise the log does, unless the addresses are gone before: then
    /// the line was read late.
    pub(super) at: Micros,
    pub(super) instance: String,
    /// Its virtual router, if the configuration tells.
    pub(super) vrid: Option<u8>,
    pub(super) state: String,
    /// The first state of a process.
    pub(super) is_first: bool,
}

/// An advert: when, what it says, the packet without its identification and header checksum (and, with AH, without
/// sequence number and sum, which go with it), the identification, AH's sequence number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advert {
    pub(super) at: Micros,
    pub(super) priority: u8,
    pub(super) interval: Micros,
    pub(super) packet: Vec<u8>,
    pub(super) id: u16,
    pub(super) sequence: u32,
}

/// What may have led to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Something was done to the network.
    Action,
    /// An advert of another node, for this virtual router.
    Heard(u8),
    /// The node's own last advert for this virtual router.
    Sent(u8),
    /// The node's own last change of state.
    State,
    /// The node's own last gratuitous ARP.
    Announced,
    /// The process was at work for another instance until just now.
    Behind,
}

/// What a time is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// A virtual router, if it is known which.
    Router(Option<u8>),
    /// The gratuitous ARPs for an address.
    Address(&'a str),
}

impl About<'_> {
    pub(super) fn vrid(self) -> Option<u8> {
        match self {
            About::Router(vrid) => vrid,
            About::Address(_) => None,
        }
    }
}

/// How long ago each of the causes was.
pub(super) type Causes = BTreeMap<Cause, Micros>;

/// What is compared, in order of time.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    actions: Vec<Micros>,
    /// By node.
    pub(super) transitions: BTreeMap<String, Vec<Transition>>,
    /// By node and virtual router.
    pub(super) adverts: BTreeMap<(String, u8), Vec<Advert>>,
    /// Adverts that were made by hand.
    forged: Vec<(u8, Micros)>,
    /// Gratuitous ARPs by node and address.
    pub(super) garps: BTreeMap<(String, String), Vec<Micros>>,
}

impl Timeline {
    pub(super) fn of(story: &Story) -> Timeline {
        let mut timeline =
            Timeline { actions: story.actions.iter().map(|(at, ..)| *at).collect(), ..Timeline::default() };
        for (at, owner, frame) in &story.frames {
            let Some((vrid, advert)) = advert(*at, frame) else { continue };
            match owner.as_ref() {
                Some(node) if node != "cl" => {
                    timeline.adverts.entry((node.clone(), vrid)).or_default().push(advert);
                }
                Some(_) | None => timeline.forged.push((vrid, *at)),
            }
        }
        for (node, lines) in &story.logs {
            let found = lines.iter().filter_map(|(at, text)| timeline.transition(story, node, *at, text)).collect();
            timeline.transitions.insert(node.clone(), found);
        }
        for (at, owner, frame) in &story.frames {
            if let Some(address) = gratuitous(frame) {
                let node = owner.clone().or_else(|| timeline.last_master(*at)).unwrap_or_default();
                timeline.garps.entry((node, address)).or_default().push(*at);
            }
        }
        timeline
    }

    /// `(VI_1) Entering MASTER STATE`
    fn transition(&self, story: &Story, node: &str, at: Micros, text: &str) -> Option<Transition> {
        let (instance, rest) = text.strip_prefix('(')?.split_once(") Entering ")?;
        let (state, rest) = rest.split_once(" STATE")?;
        let vrid = story.vrids.get(&(node.to_owned(), instance.to_owned())).copied();
        let first_advert = vrid.filter(|_| state == "MASTER").and_then(|vrid| {
            let own = self.adverts.get(&(node.to_owned(), vrid))?;
            own.iter().map(|advert| advert.at).rfind(|sent| *sent <= at && at - *sent <= STAMP)
        });
        let removals = story.removals.get(node).into_iter().flatten();
        let gives_up = state != "MASTER" && !rest.contains("(init)");
        let removal = removals.copied().filter(|gone| gives_up && *gone <= at && at - *gone <= STAMP).max();
        Some(Transition {
            at: first_advert.or(removal).unwrap_or(at),
            instance: instance.to_owned(),
            vrid,
            state: state.to_owned(),
            is_first: rest.contains("(init)"),
        })
    }

    /// Who became master last: sends with the virtual MAC.
    fn last_master(&self, at: Micros) -> Option<String> {
        const LOG_LAG: Micros = 5_000;
        let all = self.transitions.iter().flat_map(|(node, list)| list.iter().map(move |change| (node, change)));
        let masters = all.filter(|(_, change)| change.state == "MASTER" && change.at <= at + LOG_LAG);
        masters.max_by_key(|(_, change)| change.at).map(|(node, _)| node.clone())
    }

    /// The times since whatever may have led to something at `at` on a node; of adverts, those of one virtual router, or
    /// of all for gratuitous ARPs, which follow from an advert or change of state in the same moment.
    pub(super) fn causes(&self, node: &str, of: About, at: Micros) -> Causes {
        let vrid = of.vrid();
        let mut causes = Causes::new();
        let mut since = |cause: Cause, when: Micros| {
            let in_one_moment = matches!(of, About::Address(_)) && cause != Cause::Action;
            if when < at || when == at && in_one_moment {
                let least = causes.entry(cause).or_insert(at - when);
                *least = (*least).min(at - when);
            }
        };
        for action in &self.actions {
            since(Cause::Action, *action);
        }
        for ((sender, router), list) in &self.adverts {
            let is_own = sender == node;
            let router = *router;
            for advert in list {
                if vrid.is_none_or(|vrid| vrid == router) {
                    since(if is_own { Cause::Sent(router) } else { Cause::Heard(router) }, advert.at);
                }
                if is_own && vrid != Some(router) && at - advert.at <= BEHIND {
                    since(Cause::Behind, advert.at);
                }
            }
        }
        for (router, when) in self.forged.iter().filter(|(router, _)| vrid.is_none_or(|vrid| vrid == *router)) {
            since(Cause::Heard(*router), *when);
        }
        for change in self.transitions.get(node).into_iter().flatten() {
            since(Cause::State, change.at);
        }
        for ((_, address), list) in self.garps.iter().filter(|((sender, _), _)| sender == node) {
            // Addresses are announced in turn; here in one instant.
            let is_other = matches!(of, About::Address(own) if own != address);
            for garp in list.iter().filter(|garp| **garp < at || is_other) {
                since(Cause::Announced, *garp);
            }
        }
        causes
    }

    /// When adverts came that a node could hear in a span of time.
    pub(super) fn heard_between(&self, node: &str, vrid: u8, from: Micros, until: Micros) -> Vec<Micros> {
        let others = self.adverts.iter().filter(|((sender, of), _)| sender != node && *of == vrid);
        let times = others.flat_map(|(_, list)| list).map(|advert| advert.at);
        times.filter(|at| *at > from && *at < until).collect()
    }

    /// Whether a gratuitous ARP of a node comes after a new master's first advert of the same moment, not before it.
    pub(super) fn follows_advert(&self, node: &str, garp: Micros) -> bool {
        const MOMENT: Micros = 20_000;
        let masters = self.transitions.get(node).into_iter().flatten().filter(|change| change.state == "MASTER");
        let mut near = masters.map(|change| change.at).filter(|at| (at - garp).abs() <= MOMENT).peekable();
        near.peek().is_none() || near.any(|at| at <= garp)
    }

    pub(super) fn is_master_at_the_end(&self, node: &str) -> bool {
        let last = self.transitions.get(node).into_iter().flatten().next_back();
        last.is_some_and(|change| change.state == "MASTER")
    }

    /// Whether a node became master for the first time since `from`.
    pub(super) fn is_first_mastership(&self, node: &str, vrid: u8, from: Micros, at: Micros) -> bool {
        let own = self.transitions.get(node).into_iter().flatten();
        own.filter(|change| change.state == "MASTER" && change.vrid == Some(vrid))
            .all(|change| change.at < from || change.at >= at - STAMP)
    }
}

fn advert(at: Micros, frame: &[u8]) -> Option<(u8, Advert)> {
    const ETHERNET: usize = 14;
    const AH: usize = 24;
    if frame.get(12..14)? != [8, 0] {
        return None;
    }
    let body = match *frame.get(23)? {
        112 => 20,
        51 => 20 + AH,
        _ => return None,
    };
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let mut packet = frame.get(ETHERNET..ETHERNET + total)?.to_vec();
    let id = u16::from_be_bytes([packet[4], packet[5]]);
    packet[4..6].copy_from_slice(&[0, 0]);
    packet[10..12].copy_from_slice(&[0, 0]);
    let mut sequence = 0;
    if body > 20 {
        sequence = u32::from_be_bytes(packet.get(28..32)?.try_into().ok()?);
        packet.get_mut(28..44)?.fill(0);
    }
    let head = packet.get(body..body + 8)?;
    let interval = match head[0] >> 4 {
        3 => i64::from(u16::from_be_bytes([head[4] & 15, head[5]])) * 10_000,
        _ => i64::from(head[5]) * 1_000_000,
    };
    let (vrid, priority) = (head[1], head[2]);
    Some((vrid, Advert { at, priority, interval, packet, id, sequence }))
}

fn gratuitous(frame: &[u8]) -> Option<String> {
    if frame.get(12..14)? != [8, 6] || frame.get(20..22)? != [0, 1] || frame.get(28..32)? != frame.get(38..42)? {
        return None;
    }
    let octets: Vec<String> = frame[28..32].iter().map(u8::to_string).collect();
    Some(octets.join("."))
}

/// A frame in a few words, if it is one that is compared.
pub(super) fn told(at: Micros, frame: &[u8]) -> Option<String> {
    if let Some(address) = gratuitous(frame) {
        return Some(format!("gratuitous ARP for {address}"));
    }
    let (vrid, advert) = advert(at, frame)?;
    Some(format!("advert of {vrid}, priority {}, id {}", advert.priority, advert.id))
}

/// Adverts of one time as master: without a gap, up to a priority 0.
pub(super) fn periods(adverts: &[Advert]) -> Vec<Vec<Advert>> {
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

/// When each burst began, and how many it had. Gratuitous ARPs closer than 30 ms are one burst.
pub(super) fn bursts(times: &[Micros]) -> Vec<(Micros, usize)> {
    const BURST: Micros = 30_000;
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
