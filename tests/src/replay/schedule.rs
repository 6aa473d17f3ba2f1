//! Scenario replay of `sched-*`: one LAN, a fresh director, a client and servers; connections are opened and closed by
//! real handshakes through the director, and after every event its counters are read.
//!
//! ```text
//!   client ──┐                 every run: commands of `setup`, then the events one after another;
//!   dir    ──┼── switch        `ipvsadm -Ln` is typed on the director at the end of each
//!   rs1…4  ──┘
//! ```
//! Compared are the server that got each connection, how it ended without one, `cnt` after every event, what the
//! commands wrote, and the final table. Ports are attached to the switch in reverse order, as a Linux bridge floods.

use super::host_plan::{self, Typist};
use super::station::{Errand, Progress, Station};
use super::unit::{Difference, Outcome, Unit};
use crate::recording::case::{Case, Nic, SchedulerEvent, SchedulerRun};
use crate::recording::{CaseFolder, ReadError};
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::nodes::host::Host;
use sim_core::nodes::switch::Switch;
use sim_core::trace::record::ConnState;
use sim_core::trace::{Level, NodeCard, PortCard};
use sim_core::wire::flow::SocketAddr;
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::action::{Action, Deed};
use sim_core::world::link::LinkSettings;
use sim_core::world::sim::{Plan, Sim};
use std::collections::BTreeMap;

/// When the first event happens: the director is set up by then.
const FIRST_EVENT: Duration = Duration::from_secs(1);
/// Between two events where the recording gives no time.
const STEP: Duration = Duration::from_millis(5);
/// As a Linux bridge has it.
const MAC_AGEING: Duration = Duration::from_secs(300);
/// Fast enough for a handshake with its questions by ARP in a tenth of a millisecond, as in the recordings.
const CABLE: LinkSettings =
    LinkSettings { rate_bps: 100_000_000_000, delay: Duration::from_nanos(500), queue: 1000, mtu: 1500, loss_ppm: 0 };
/// When one end closes a connection, the other one's program does so this much later.
const OTHER_END_LATER: Duration = Duration::from_millis(1);
/// An attempt that nobody answers is given up after this.
const GIVEN_UP: Duration = Duration::from_millis(900);

/// Replays every run of the case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(folder: &CaseFolder) -> Result<Outcome, ReadError> {
    let case = folder.case()?;
    let runs = case.scheduler_runs().map_err(|error| folder.wrong("case.json", error))?;
    if let Some(run) = runs.iter().find(|run| sim_core::ipvs::schedule::registry::find(&run.scheduler).is_none()) {
        return Ok(Outcome::NotYet(format!("no scheduler {}", run.scheduler)));
    }
    Ok(Outcome::Replayed(
        runs.iter().map(|run| Unit { name: run.label.clone(), differences: play(&case, run) }).collect(),
    ))
}

/// The world of one run, and where things are in it.
struct Lan {
    sim: Sim,
    client: NodeId,
    director: NodeId,
    servers: BTreeMap<String, NodeId>,
    names: BTreeMap<Ipv4Addr, String>,
}

fn play(case: &Case, run: &SchedulerRun) -> Vec<Difference> {
    let schedule = times(&run.events);
    let end = schedule.last().map_or(Instant::ZERO + FIRST_EVENT, |(_, until)| *until);
    let mut lan = build(case, run, &schedule, end);
    let mut over = Vec::with_capacity(schedule.len());
    let mut living = Vec::new();
    for (_, until) in &schedule {
        lan.sim.run_until(*until);
        over.push(lan.just_over(&mut living, *until));
    }
    lan.sim.run_until(end + STEP + STEP);
    let lines: Vec<(String, String)> =
        lan.sim.trace().commands.iter().map(|c| (c.text.to_string(), format!("{}{}", c.stdout, c.stderr))).collect();
    let mut differences = Vec::new();
    let said = &mut lines.into_iter();
    for (key, _) in run.sysctls.iter().filter(|(key, _)| !key.starts_with("net.ipv6.")) {
        let (_, output) = said.next().unwrap_or_default();
        expect(&format!("setting {key}"), "", &output, &mut differences);
    }
    for line in &run.setup {
        let expected = match line {
            crate::recording::case::SetupLine::Silent(_) => "",
            crate::recording::case::SetupLine::Spoke(_, output) => output,
        };
        let (_, output) = said.next().unwrap_or_default();
        expect(&format!("output of {}", line.line()), expected, &output, &mut differences);
    }
    if run.scheduler == DRAWN {
        return compare_shares(&lan, run, &schedule);
    }
    for ((event, (_, until)), over) in run.events.iter().zip(&schedule).zip(&over) {
        compare_event(&lan, event, (*until, over), said, &mut differences);
    }
    let (_, table) = said.next().unwrap_or_default();
    let last: Vec<&str> = table.lines().skip(TITLE_LINES).collect();
    expect("final", &run.last.join("\n"), &last.join("\n"), &mut differences);
    differences
}

/// The scheduler that draws its servers: only how many connections each got can be compared.
const DRAWN: &str = "twos";

/// The shares of a run that is left to chance: equal to within a tenth of all connections and three.
fn compare_shares(lan: &Lan, run: &SchedulerRun, schedule: &[(Instant, Instant)]) -> Vec<Difference> {
    let mut shares: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut all = 0;
    for (event, (_, until)) in run.events.iter().zip(schedule) {
        let (Some(client), Some(service)) = (end(&event.src), end(&event.dst)) else {
            continue;
        };
        all += 1;
        let here = lan.server_of(event, client, service, *until).unwrap_or_else(|| "none".to_owned());
        shares.entry(event.rs.clone().unwrap_or_else(|| "none".to_owned())).or_default().0 += 1;
        shares.entry(here).or_default().1 += 1;
    }
    let mut differences = Vec::new();
    for (server, (recorded, observed)) in shares.into_iter().filter(|(_, (a, b))| (a - b).abs() > 3 + all / 10) {
        expect(&format!("share of {server}"), &recorded.to_string(), &observed.to_string(), &mut differences);
    }
    differences
}

/// The three lines above the first service of `ipvsadm -Ln`.
const TITLE_LINES: usize = 3;

fn compare_event(
    lan: &Lan,
    event: &SchedulerEvent,
    (until, over): (Instant, &BTreeMap<String, u32>),
    said: &mut impl Iterator<Item = (String, String)>,
    differences: &mut Vec<Difference>,
) {
    let name = match event.n {
        Some(n) => format!("{} {n}", event.op),
        None => event.op.clone(),
    };
    if let ("cmd", Some(recorded)) = (&event.op[..], &event.out) {
        let (_, output) = said.next().unwrap_or_default();
        expect(&format!("{name} output"), recorded, &output, differences);
    } else if event.op == "cmd" {
        said.next();
    }
    if let (Some(client), Some(service)) = (end(&event.src), end(&event.dst)) {
        let got = lan.server_of(event, client, service, until);
        expect(
            &format!("{name} rs"),
            event.rs.as_deref().unwrap_or("none"),
            got.as_deref().unwrap_or("none"),
            differences,
        );
        if event.op == "conn" {
            let how = lan.outcome_at_client(client, service, until);
            expect(&format!("{name} res"), event.res.as_deref().unwrap_or("ok"), how, differences);
        }
    }
    let (_, table) = said.next().unwrap_or_default();
    let counted = counts(&table, &lan.names);
    for server in event.cnt.keys().chain(counted.keys().filter(|server| !event.cnt.contains_key(*server))) {
        let show = |counts: Option<&(u32, u32)>| counts.map_or("absent".to_owned(), |(a, i)| format!("{a} {i}"));
        let (recorded, observed) = (show(event.cnt.get(server)), show(counted.get(server)));
        let late = is_late(event.cnt.get(server), counted.get(server), over.get(server));
        let what = if late { "late cnt" } else { "cnt" };
        expect(&format!("{name} {what} {server}"), &recorded, &observed, differences);
    }
}

/// Whether the recording only counts inactive connections that have just ended here: the kernel's timers fire late.
fn is_late(recorded: Option<&(u32, u32)>, here: Option<&(u32, u32)>, over: Option<&u32>) -> bool {
    match (recorded, here, over) {
        (Some(recorded), Some(here), Some(over)) => {
            recorded.0 == here.0 && (here.1..=here.1 + over).contains(&recorded.1)
        }
        _ => false,
    }
}

/// A connection of the director that is not active: its client, its server, when it ends, and how late the kernel may
/// be to end it.
type Ending = (SocketAddr, SocketAddr, Instant, Duration);

/// How late the kernel ends a connection of 10 s, and one of 60 or 120 s.
const LATE_CLOSE: Duration = Duration::from_millis(260);
const LATE: Duration = Duration::from_millis(2100);

impl Lan {
    /// How many inactive connections of each server have ended here and may live on in the recording. `living` is what
    /// was there at the event before.
    fn just_over(&self, living: &mut Vec<Ending>, now: Instant) -> BTreeMap<String, u32> {
        let director = self.sim.node::<Host>(self.director).expect("the director is a host");
        let there: Vec<Ending> = director
            .kernel()
            .ipvs
            .connections()
            .iter()
            .filter_map(|conn| {
                let late = match conn.state {
                    ConnState::Close => LATE_CLOSE,
                    ConnState::FinWait | ConnState::TimeWait | ConnState::CloseWait => LATE,
                    _ => return None,
                };
                Some((conn.client, conn.server, conn.expires, late))
            })
            .collect();
        let is_there = |one: &Ending| there.iter().any(|other| (other.0, other.1) == (one.0, one.1));
        living.retain(|one| !is_there(one) && now <= one.2 + one.3);
        let mut over = BTreeMap::new();
        for ended in living.iter() {
            if let Some(name) = self.names.get(&ended.1.address) {
                *over.entry(name.clone()).or_default() += 1;
            }
        }
        living.extend(there);
        over
    }

    fn server_of(
        &self,
        event: &SchedulerEvent,
        client: SocketAddr,
        service: SocketAddr,
        until: Instant,
    ) -> Option<String> {
        let from = Instant::from_nanos(until.nanos().saturating_sub(span(event).nanos()));
        let took = |node: NodeId| {
            let station = self.sim.node::<Station>(node).expect("servers are stations");
            if event.op == "udp" {
                return station.datagrams().iter().any(|(at, peer)| *peer == client && from <= *at && *at < until);
            }
            station.took(client, service, from, until)
        };
        self.servers.iter().find(|(_, node)| took(**node)).map(|(name, _)| name.clone())
    }

    fn outcome_at_client(&self, client: SocketAddr, service: SocketAddr, until: Instant) -> &'static str {
        let station = self.sim.node::<Station>(self.client).expect("the client is a station");
        match station.answer(client, service, until) {
            Some(Progress::Refused) => "refused",
            Some(Progress::Open) => "ok",
            _ => "timeout",
        }
    }
}

/// When each event begins and when its counters are read.
fn times(events: &[SchedulerEvent]) -> Vec<(Instant, Instant)> {
    let mut at = Instant::ZERO + FIRST_EVENT;
    events
        .iter()
        .map(|event| {
            let begin = at;
            at += span(event);
            (begin, at)
        })
        .collect()
}

fn span(event: &SchedulerEvent) -> Duration {
    let seconds = |s: f64| Duration::from_micros((s * 1e6).round() as u64);
    match (event.dt, event.s) {
        (Some(dt), _) => seconds(dt),
        (None, Some(s)) => seconds(s),
        (None, None) if event.res.as_deref() == Some("timeout") => GIVEN_UP,
        (None, None) => STEP,
    }
}

fn build(case: &Case, run: &SchedulerRun, schedule: &[(Instant, Instant)], end_at: Instant) -> Lan {
    let mut names = BTreeMap::new();
    let mut nics: Vec<&Nic> = Vec::new();
    for nic in &case.topology {
        if !nics.iter().any(|other| other.host == nic.host) {
            nics.push(nic);
        }
    }
    let ends: BTreeMap<u32, (SocketAddr, SocketAddr)> =
        run.events.iter().filter_map(|event| Some((event.n?, (end(&event.src)?, end(&event.dst)?)))).collect();
    let mut typist = Typist::default();
    let mut deeds = Vec::new();
    let director = nics.iter().position(|nic| nic.host == "dir").expect("a scheduler needs a director");
    let director = NodeId(director as u32);
    let mut setup = Instant::ZERO;
    for (key, value) in run.sysctls.iter().filter(|(key, _)| !key.starts_with("net.ipv6.")) {
        setup += Duration::from_millis(1);
        deeds.push((setup, typist.setting(key, value)));
    }
    for line in &run.setup {
        setup += Duration::from_millis(1);
        deeds.push((setup, typist.line(line.line())));
    }
    for (event, (begin, until)) in run.events.iter().zip(schedule) {
        if let Some(command) = &event.cmd {
            deeds.push((*begin, typist.line(command)));
        }
        deeds.push((*until, typist.line("ipvsadm -Ln")));
    }
    deeds.push((end_at + STEP, typist.line("ipvsadm -Ln")));

    let (mut nodes, mut ports, mut cables): (Vec<(NodeCard, _)>, _, _) = (Vec::new(), Vec::new(), Vec::new());
    let switch = NodeId(nics.len() as u32);
    let lines = typist.lines();
    for (index, nic) in nics.iter().enumerate() {
        let (node, port) = (NodeId(index as u32), PortId(index as u32));
        let mac = mac(&nic.mac);
        let net = nic.addr.as_deref().unwrap_or_default();
        let address: Ipv4Addr = net.split('/').next().and_then(|a| a.parse().ok()).unwrap_or(Ipv4Addr::UNSPECIFIED);
        let body: Box<dyn sim_core::world::node::Node> = if node == director {
            Box::new(host_plan::host(node, &nic.host, &[(port, nic.dev.clone(), mac, nic.mtu)], lines.clone()))
        } else {
            let serves = nic.host != "client";
            if serves {
                names.insert(address, nic.host.clone());
            }
            let station = Station::new(port, mac, address, routes(case, &nic.host), serves);
            Box::new(station.with_errands(errands(run, schedule, &ends, serves)))
        };
        nodes.push((card(&nic.host, false), body));
        ports.push(port_card(node, &nic.dev, Some(mac)));
    }
    // A Linux bridge floods to the newest port first; ours in file order, so the last host gets the first port.
    let count = nics.len() as u32;
    for (index, nic) in nics.iter().enumerate().rev() {
        let at_switch = PortId(ports.len() as u32);
        ports.push(port_card(switch, &nic.host, None));
        cables.push((PortId(index as u32), at_switch, CABLE));
    }
    nodes.push((card("switch", true), Box::new(Switch::new(switch, (count..2 * count).map(PortId), MAC_AGEING))));
    let deeds = deeds.into_iter().map(|(at, line)| (at, Deed::To(director, Action::Run(line)))).collect();
    let plan = Plan { seed: 1, level: Level::Frames, nodes, ports, cables, deeds, until: end_at + STEP + STEP };
    let node_of = |host: &str| nics.iter().position(|nic| nic.host == host).map(|index| NodeId(index as u32));
    Lan {
        sim: Sim::new(plan),
        director,
        client: node_of("client").expect("a scheduler needs a client"),
        servers: names.values().filter_map(|name| Some((name.clone(), node_of(name)?))).collect(),
        names,
    }
}

/// What client and servers do by themselves. Servers close first only where the event says so; every server has all
/// such errands and does those of the connections it has.
fn errands(
    run: &SchedulerRun,
    schedule: &[(Instant, Instant)],
    ends: &BTreeMap<u32, (SocketAddr, SocketAddr)>,
    serves: bool,
) -> Vec<(Instant, Errand)> {
    let mut errands: Vec<(Instant, Errand)> = run
        .events
        .iter()
        .zip(schedule)
        .filter_map(|(event, (begin, _))| {
            let (client, service) = *ends.get(&event.n?)?;
            let errand = match (&event.op[..], event.how.as_deref()) {
                ("conn", _) if !serves => Errand::Open(client, service),
                ("udp", _) if !serves => Errand::Datagram(client, service),
                ("close", Some("sfin")) if serves => Errand::Close(client, service),
                ("close", Some("rst")) if !serves => Errand::Reset(client, service),
                ("close", Some("fin")) if !serves => Errand::Close(client, service),
                // The program at the other end closes too, whether or not it has heard of it.
                ("close", Some(_)) => return Some((*begin + OTHER_END_LATER, Errand::Close(client, service))),
                _ => return None,
            };
            Some((*begin, errand))
        })
        .collect();
    errands.sort_by_key(|(at, _)| *at);
    errands
}

/// The routes that a host's commands set by `ip route add NET/16 via ROUTER`.
fn routes(case: &Case, host: &str) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    case.commands
        .iter()
        .filter(|typed| typed.host.as_deref() == Some(host))
        .flat_map(|typed| typed.cmd.split(';'))
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["ip", "route", "add", net, "via", router] => {
                    Some((net.strip_suffix("/16")?.parse().ok()?, router.parse().ok()?))
                }
                _ => None,
            }
        })
        .collect()
}

/// Active and inactive connections per server, from `ipvsadm -Ln`.
fn counts(table: &str, names: &BTreeMap<Ipv4Addr, String>) -> BTreeMap<String, (u32, u32)> {
    table
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["->", server, _, _, active, inactive] = words[..] else {
                return None;
            };
            let address: Ipv4Addr = server.split(':').next()?.parse().ok()?;
            Some((names.get(&address)?.clone(), (active.parse().ok()?, inactive.parse().ok()?)))
        })
        .collect()
}

fn expect(field: &str, expected: &str, observed: &str, differences: &mut Vec<Difference>) {
    if expected != observed {
        let (expected, observed) = (expected.to_owned(), observed.to_owned());
        differences.push(Difference { field: field.to_owned(), expected, observed });
    }
}

fn end(text: &Option<String>) -> Option<SocketAddr> {
    let (address, port) = text.as_deref()?.rsplit_once(':')?;
    Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? })
}

fn mac(text: &str) -> Mac {
    let mut octets = [0; 6];
    for (octet, digits) in octets.iter_mut().zip(text.split(':')) {
        *octet = u8::from_str_radix(digits, 16).unwrap_or_default();
    }
    Mac(octets)
}

fn card(name: &str, is_switch: bool) -> NodeCard {
    NodeCard { name: name.into(), role: if is_switch { "switch" } else { "host" }.into(), is_switch }
}

fn port_card(node: NodeId, name: &str, mac: Option<Mac>) -> PortCard {
    PortCard { node, name: name.into(), mac, address: None, peer: None }
}
