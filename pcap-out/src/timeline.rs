//! What happened when, as lanes on one time axis: states of virtual routers, who answers for a VIP, requests and pings of
//! clients, real servers in and out of service, gratuitous ARP, and what the script did. The screen draws the same lanes
//! as the text.

use crate::layout::pad;
use crate::story::millis;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::record::{Outcome, ServiceKey, Standing, VrrpState};
use sim_core::trace::{Kind, Trace, Why};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::flow::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The lanes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// When the run ended.
    pub end: Instant,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// What it is about: `server4 VI_1`.
    pub name: String,
    /// What happened, in order of time.
    pub marks: Vec<Mark>,
}

/// Something on a lane. It lasts until the next mark of its lane if it is a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Instant,
    /// The event.
    pub event: EventId,
    /// What it is.
    pub tone: Tone,
    /// In words: `MASTER`, `server4`.
    pub text: String,
}

/// What a mark is, which decides how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// A state: there is none.
    Absent,
    /// A state: ready, not active.
    Idle,
    /// A state: active.
    Active,
    /// A state: another one is active (an owner other than the last).
    Other,
    /// A state: something is wrong.
    Wrong,
    /// A moment: a tick.
    Tick,
    /// A moment: it went well.
    Good,
    /// A moment: it went well, but it took long.
    Late,
    /// A moment: it failed.
    Failed,
}

/// A cell of a drawn lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The sign.
    pub sign: char,
    /// What it stands for.
    pub tone: Tone,
}

/// A request that took longer than this is drawn as late: something was sent again.
const LATE_NS: u64 = 500_000_000;

impl Tone {
    /// Whether it lasts until the next mark.
    pub const fn lasts(self) -> bool {
        matches!(self, Tone::Absent | Tone::Idle | Tone::Active | Tone::Other | Tone::Wrong)
    }

    /// How it is drawn.
    pub const fn sign(self) -> char {
        match self {
            Tone::Absent => ' ',
            Tone::Idle => '─',
            Tone::Active => '━',
            Tone::Other => '═',
            Tone::Wrong => '╳',
            Tone::Tick => '┊',
            Tone::Good => '●',
            Tone::Late => '◐',
            Tone::Failed => '✗',
        }
    }
}

impl Timeline {
    /// Reads a trace once. `end` is when the run ended.
    pub fn of(trace: &Trace, end: Instant) -> Self {
        let vips = vips(trace);
        let mut lanes = Lanes::default();
        for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
            let step = trace.steps[event.step as usize];
            lanes.event(trace, &vips, event.kind, id, step.at, step.node);
        }
        Timeline { lanes: lanes.finish(), end }
    }

    /// The marks of all lanes in order of time.
    pub fn marks(&self) -> Vec<(&str, &Mark)> {
        let mut all: Vec<(&str, &Mark)> =
            self.lanes.iter().flat_map(|lane| lane.marks.iter().map(|mark| (&*lane.name, mark))).collect();
        all.sort_by_key(|(_, mark)| mark.event);
        all
    }

    /// The timeline as text of `width` columns, with the changes of states below it.
    pub fn text(&self, width: usize) -> String {
        let mut out = String::new();
        let column = self.lanes.iter().map(|lane| lane.name.width()).max().unwrap_or(0).min(width / 2);
        let room = width.saturating_sub(column + 2).max(10);
        for lane in &self.lanes {
            let cells = lane.cells(Instant::ZERO, self.end, room);
            let line: String = cells.iter().map(|cell| cell.sign).collect();
            let _ = writeln!(out, "{}  {}", pad(&lane.name, column), line.trim_end());
        }
        let _ = writeln!(out, "{}  {}", " ".repeat(column), axis(Instant::ZERO, self.end, room));
        let _ =
            writeln!(out, "\n━ active  ═ another is active  ─ ready  ╳ wrong  ● answered  ◐ late  ✗ failed  ┊ then");
        self.changes(&mut out);
        out
    }

    fn changes(&self, out: &mut String) {
        let told: Vec<(&str, &Mark)> = self.marks().into_iter().filter(|(_, mark)| !mark.text.is_empty()).collect();
        if told.is_empty() {
            return;
        }
        let column = told.iter().map(|(lane, _)| lane.width()).max().unwrap_or(0);
        out.push('\n');
        for (lane, mark) in told.iter().take(CHANGES_MAX) {
            let _ = writeln!(out, "{:>12} s  {}  {}", mark.at.to_string(), pad(lane, column), mark.text);
        }
        if let Some(more) = told.len().checked_sub(CHANGES_MAX + 1) {
            let _ = writeln!(out, "… {} more", more + 1);
        }
    }
}

const CHANGES_MAX: usize = 60;

impl Lane {
    /// The lane from `from` to `to` in `width` cells. Where several things fall into one cell, the worst is drawn.
    pub fn cells(&self, from: Instant, to: Instant, width: usize) -> Vec<Cell> {
        let mut cells = vec![Cell { sign: ' ', tone: Tone::Absent }; width];
        let mut state = Tone::Absent;
        let mut filled = 0;
        // What is wrong for less than a cell is seen all the same.
        let mut wrong: Vec<usize> = Vec::new();
        for mark in &self.marks {
            if mark.at > to {
                break;
            }
            let place = column(mark.at.max(from), from, to, width);
            if mark.tone.lasts() {
                fill(&mut cells, filled, place, state);
                if mark.at >= from && state == Tone::Wrong {
                    wrong.push(place);
                }
                (state, filled) = (mark.tone, place);
            } else if mark.at >= from {
                let cell = &mut cells[place.min(width.saturating_sub(1))];
                if mark.tone >= cell.tone {
                    *cell = Cell { sign: mark.tone.sign(), tone: mark.tone };
                }
            }
        }
        fill(&mut cells, filled, width, state);
        for place in wrong.into_iter().filter(|place| *place < width) {
            cells[place] = Cell { sign: Tone::Wrong.sign(), tone: Tone::Wrong };
        }
        cells
    }

    /// The state that lasts at an instant.
    pub fn state_at(&self, at: Instant) -> Option<&Mark> {
        let lasting = self.marks.iter().take_while(|mark| mark.at <= at);
        lasting.filter(|mark| mark.tone.lasts()).last()
    }
}

fn fill(cells: &mut [Cell], from: usize, to: usize, tone: Tone) {
    if tone == Tone::Absent {
        return;
    }
    let to = to.min(cells.len());
    for cell in &mut cells[from.min(to)..to] {
        *cell = Cell { sign: tone.sign(), tone };
    }
}

/// The cell of an instant.
pub fn column(at: Instant, from: Instant, to: Instant, width: usize) -> usize {
    let span = u128::from(to.since(from).nanos().max(1));
    let place = u128::from(at.since(from).nanos()) * width as u128 / span;
    (place as usize).min(width.saturating_sub(1))
}

/// The times at both ends and in between.
pub fn axis(from: Instant, to: Instant, width: usize) -> String {
    let mut line = String::new();
    let steps = (width / 14).clamp(1, 12) as u64;
    let span = to.since(from).nanos();
    for step in 0..=steps {
        let at = from.nanos() + span / steps * step;
        let text = format!("{}.{:03}", at / 1_000_000_000, at / 1_000_000 % 1_000);
        let place = (width as u64 * step / steps) as usize;
        let place = if step == steps { width.saturating_sub(text.width() + 2) } else { place };
        if line.width() <= place {
            line = pad(&line, place);
            line.push_str(&text);
        }
    }
    line.push_str(" s");
    line
}

/// The lanes while they are read.
#[derive(Default)]
struct Lanes {
    routers: BTreeMap<(NodeId, Box<str>), Lane>,
    owners: BTreeMap<Ipv4Addr, Lane>,
    last_owner: BTreeMap<Ipv4Addr, (NodeId, Tone)>,
    gratuitous: BTreeMap<Ipv4Addr, Lane>,
    servers: BTreeMap<(NodeId, ServiceKey, SocketAddr), Lane>,
    checks: BTreeMap<(NodeId, ServiceKey, SocketAddr), Lane>,
    requests: BTreeMap<NodeId, Lane>,
    pings: BTreeMap<(NodeId, Ipv4Addr), Lane>,
    script: BTreeMap<NodeId, Lane>,
    deeds: Option<Lane>,
}

impl Lanes {
    fn event(
        &mut self,
        trace: &Trace,
        vips: &BTreeSet<Ipv4Addr>,
        kind: Kind,
        event: EventId,
        at: Instant,
        node: NodeId,
    ) {
        let name = trace.node_name(node);
        let mark = |tone, text: String| Mark { at, event, tone, text };
        match kind {
            Kind::Vrrp(index) => {
                let record = &trace.vrrp[index as usize];
                let (tone, text) = match (record.present, record.state) {
                    (false, _) => (Tone::Absent, "gone".to_string()),
                    (true, VrrpState::Master) => (Tone::Active, record.state.to_string()),
                    (true, VrrpState::Backup | VrrpState::Init) => (Tone::Idle, record.state.to_string()),
                    (true, VrrpState::Fault) => (Tone::Wrong, record.state.to_string()),
                };
                let key = (node, record.instance.clone());
                let lane = self.routers.entry(key).or_insert_with(|| lane(format!("{name} {}", record.instance)));
                if lane.marks.last().is_none_or(|last| last.text != text) {
                    lane.marks.push(mark(tone, text));
                }
            }
            Kind::Decided(Why::ArpAnswer { address, .. }) if vips.contains(&address) => {
                self.owner(address, node, name, at, event);
            }
            Kind::Sent { bytes, .. } if !trace.cast.nodes[node.index()].is_switch => {
                let Some(address) = gratuitous(trace.bytes(bytes).0).filter(|address| vips.contains(address)) else {
                    return;
                };
                self.owner(address, node, name, at, event);
                let lane = self.gratuitous.entry(address).or_insert_with(|| lane(format!("gratuitous ARP {address}")));
                lane.marks.push(mark(Tone::Tick, String::new()));
            }
            Kind::Server(index) => {
                let record = &trace.servers[index as usize];
                let (tone, text) = match (record.present, record.weight) {
                    (false, _) => (Tone::Wrong, "removed".to_string()),
                    (true, 0) => (Tone::Wrong, "weight 0".to_string()),
                    (true, weight) => (Tone::Active, format!("weight {weight}")),
                };
                let key = (node, record.service, record.server);
                let title = || format!("{name} → {}", record.server);
                let lane = self.servers.entry(key).or_insert_with(|| lane(title()));
                if lane.marks.last().is_none_or(|last| last.text != text) {
                    // Of what happens at one instant, what comes out of it counts.
                    lane.marks.retain(|before| before.at < at);
                    lane.marks.push(mark(tone, text));
                }
            }
            Kind::Check(index) => {
                let record = &trace.checks[index as usize];
                let tone = if record.flaw.is_some() { Tone::Failed } else { Tone::Good };
                let key = (node, record.service, record.server);
                let title = || format!("{name} checks {}", record.server);
                // A server that is known to be down needs no words at every look.
                let is_told = record.is_news || (record.flaw.is_some() && record.standing == Standing::Up);
                let text = if is_told { record.to_string() } else { String::new() };
                self.checks.entry(key).or_insert_with(|| lane(title())).marks.push(mark(tone, text));
            }
            Kind::RequestStarted(index) if trace.requests[index as usize].ended.is_none() => {
                let text = format!("r{} has no answer when the run ends", index + 1);
                self.requests(node, name).marks.push(mark(Tone::Late, text));
            }
            Kind::RequestEnded(index) => {
                let record = &trace.requests[index as usize];
                let took = at.since(record.started).nanos();
                let lane = self.requests(node, name);
                let (tone, text) = match &record.outcome {
                    Outcome::Answered { .. } if took < LATE_NS => {
                        (Tone::Good, again(lane, || format!("r{} is answered again", index + 1)))
                    }
                    Outcome::Answered { .. } | Outcome::Running => {
                        (Tone::Late, format!("r{} answered after {}", index + 1, millis(took)))
                    }
                    Outcome::Failed { reason } => (Tone::Failed, format!("r{} failed: {reason}", index + 1)),
                };
                lane.marks.push(mark(tone, text));
            }
            Kind::EchoAsked(index) => self.ping(trace, index, event, name),
            Kind::CommandStarted(index) if !trace.commands[index as usize].boot => {
                let lane = self.script.entry(node).or_insert_with(|| lane(format!("{name} types")));
                lane.marks.push(mark(Tone::Tick, trace.commands[index as usize].text.to_string()));
            }
            Kind::Acted(position) => {
                let Some(deed) = trace.cast.deeds.get(position as usize).filter(|deed| !deed.is_empty()) else {
                    return;
                };
                let lane = self.deeds.get_or_insert_with(|| lane("the script".to_string()));
                lane.marks.push(mark(Tone::Tick, deed.to_string()));
            }
            _ => {}
        }
    }

    fn requests(&mut self, node: NodeId, name: &str) -> &mut Lane {
        self.requests.entry(node).or_insert_with(|| lane(format!("{name} requests")))
    }

    /// A ping stands where it was sent. Of several that are lost in a row the first is told.
    fn ping(&mut self, trace: &Trace, index: u32, event: EventId, name: &str) {
        let record = &trace.echoes[index as usize];
        let (sequence, target) = (record.sequence, record.target);
        let key = (record.node, target);
        let lane = self.pings.entry(key).or_insert_with(|| lane(format!("{name} pings {target}")));
        let was_lost = lane.marks.last().is_some_and(|last| last.tone == Tone::Failed);
        let (tone, text) = match record.answered {
            None if was_lost => (Tone::Failed, String::new()),
            None => (Tone::Failed, format!("echo {sequence} is not answered")),
            Some(answered) => match answered.since(record.asked).nanos() {
                took if took >= LATE_NS => (Tone::Late, format!("echo {sequence} answered after {}", millis(took))),
                _ => (Tone::Good, again(lane, || format!("echo {sequence} is answered again"))),
            },
        };
        lane.marks.push(Mark { at: record.asked, event, tone, text });
    }

    fn owner(&mut self, address: Ipv4Addr, node: NodeId, name: &str, at: Instant, event: EventId) {
        let before = self.last_owner.get(&address).copied();
        if before.is_some_and(|(owner, _)| owner == node) {
            return;
        }
        let tone = match before {
            Some((_, Tone::Active)) => Tone::Other,
            Some(_) | None => Tone::Active,
        };
        self.last_owner.insert(address, (node, tone));
        let lane = self.owners.entry(address).or_insert_with(|| lane(format!("{address} answers")));
        lane.marks.push(Mark { at, event, tone, text: name.to_string() });
    }

    /// Servers that never change say nothing; their lanes are left out.
    fn finish(self) -> Vec<Lane> {
        let mut servers = self.servers;
        servers.retain(|_, lane| lane.marks.iter().any(|mark| mark.at > Instant::ZERO));
        let (servers, checks) = (told_apart(servers), told_apart(self.checks));
        self.routers
            .into_values()
            .chain(self.owners.into_values())
            .chain(self.requests.into_values())
            .chain(self.pings.into_values())
            .chain(servers)
            .chain(checks)
            .chain(self.gratuitous.into_values())
            .chain(self.deeds)
            .chain(self.script.into_values())
            .collect()
    }
}

/// A server of several services has a lane for each: their names tell them apart.
fn told_apart(mut lanes: BTreeMap<(NodeId, ServiceKey, SocketAddr), Lane>) -> impl Iterator<Item = Lane> {
    let of: Vec<(NodeId, SocketAddr)> = lanes.keys().map(|(node, _, server)| (*node, *server)).collect();
    for ((node, service, server), lane) in &mut lanes {
        if of.iter().filter(|other| **other == (*node, *server)).count() > 1 {
            lane.name.push_str(&format!(" of {service}"));
        }
    }
    lanes.into_values()
}

/// What is said of something good after something bad; otherwise nothing.
fn again(lane: &Lane, text: impl FnOnce() -> String) -> String {
    if lane.marks.last().is_some_and(|last| last.tone == Tone::Failed) { text() } else { String::new() }
}

fn lane(name: String) -> Lane {
    Lane { name, marks: Vec::new() }
}

/// The addresses of virtual services and virtual routers.
fn vips(trace: &Trace) -> BTreeSet<Ipv4Addr> {
    let services = trace.services.iter().filter_map(|record| match record.key {
        ServiceKey::Address(_, end) => Some(end.address),
        ServiceKey::Mark(_) => None,
    });
    services.chain(trace.vrrp.iter().flat_map(|record| record.addresses.iter().copied())).collect()
}

/// The address of a gratuitous ARP message: sender and target are the same.
fn gratuitous(head: &[u8]) -> Option<Ipv4Addr> {
    let (kind, sender, target) = (head.get(12..14)?, head.get(28..32)?, head.get(38..42)?);
    (kind == [8, 6] && sender == target).then(|| Ipv4Addr::new(sender[0], sender[1], sender[2], sender[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(ms: u64, tone: Tone) -> Mark {
        Mark { at: Instant::from_nanos(ms * 1_000_000), event: EventId(0), tone, text: String::new() }
    }

    fn drawn(marks: Vec<Mark>) -> String {
        let lane = Lane { name: "n".into(), marks };
        let cells = lane.cells(Instant::ZERO, Instant::from_nanos(1_000_000_000), 10);
        cells.iter().map(|cell| cell.sign).collect()
    }

    #[test]
    fn a_state_lasts_until_the_next_one_and_moments_do_not() {
        assert_eq!(drawn(vec![mark(200, Tone::Idle), mark(500, Tone::Active)]), "  ───━━━━━");
        assert_eq!(drawn(vec![mark(200, Tone::Good), mark(210, Tone::Failed), mark(900, Tone::Good)]), "  ✗      ●");
    }

    #[test]
    fn a_fault_shorter_than_a_cell_is_seen() {
        assert_eq!(drawn(vec![mark(0, Tone::Active), mark(510, Tone::Wrong), mark(520, Tone::Active)]), "━━━━━╳━━━━");
    }
}
