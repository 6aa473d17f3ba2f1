//! `arp-matrix`, `arp-scope`: a client, a router, a director and two real servers on two switches. In every row the
//! servers hold the VIP in another way, and six questions are asked; who answers, in which order and with which fields,
//! and what the router's neighbour table holds, is compared. A row is a unit.
//!
//! Hosts are attached in reverse order: a Linux bridge floods to the port added last first, and that host is also the
//! first to answer.

use super::host_plan::Typist;
use super::lan::Lan;
use super::program::{Datagram, Datagrams, Program};
use super::segment::Arp;
use super::stage::Stage;
use super::unit::{Difference, Outcome, Unit};
use super::view;
use crate::recording::history::{Deed, Payload};
use crate::recording::{CaseFolder, ReadError};
use serde_json::Value;
use sim_core::base::id::{LineId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::{Kind, Level, Trace};
use sim_core::wire::flow::SocketAddr;
use sim_core::world::action::{Action, Deed as Script};
use sim_core::world::sim::Sim;

/// What is asked in every row, in this order.
const PROBES: [&str; 6] = [
    "router_asks_vip",
    "sender_other_subnet",
    "sender_0.0.0.0",
    "who_has_rip_of_rs1",
    "rs1_sends_from_vip_to_router",
    "rs1_sends_from_vip_to_client",
];
/// A question of a row, from when to when its answers count.
struct Probe {
    row: usize,
    name: &'static str,
    from: Instant,
    until: Instant,
}

/// Something typed on a host; with what a look at a table showed in the recording.
struct Typed {
    at: Instant,
    host: usize,
    line: LineId,
    row: Option<usize>,
    look: Option<(String, String)>,
    /// A datagram is sent.
    sends: bool,
}

/// Replays the case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    let stage = Stage::of(case)?;
    let rows = case.case()?.result.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let lan = Lan::of(&stage);
    let mut typist = Typist::default();
    let (typed, probes) = script(&lan, &mut typist);
    let end = typed.last().map_or(Instant::ZERO, |typed| typed.at) + Duration::from_secs(1);
    let deeds = typed.iter().map(|typed| {
        let host = NodeId(typed.host as u32);
        (typed.at, Script::To(host, Action::Run(typed.line)))
    });
    let deeds = deeds.collect();
    let mut sim = Sim::new(lan.plan(typist, deeds, end, Level::Frames));
    sim.run_until(end);
    Ok(Outcome::Replayed(judge(&lan, &rows, &typed, &probes, sim.trace())))
}

/// What is typed, in order of time, and when each question is asked.
fn script(lan: &Lan, typist: &mut Typist) -> (Vec<Typed>, Vec<Probe>) {
    let (mut typed, mut probes): (Vec<Typed>, Vec<Probe>) = (Vec::new(), Vec::new());
    let (mut row, mut asked) = (None, 0);
    for done in &lan.stage.history.events {
        let at = lan.stage.instant(done.at_us);
        let host = done.host.as_deref().and_then(|name| lan.hosts.iter().position(|host| *host == name));
        let look = match &done.deed {
            Deed::View { line, output } => Some((line.clone(), output.clone())),
            _ => None,
        };
        match (&done.deed, host) {
            (Deed::Row(begins), _) => {
                close(&mut probes, at);
                (row, asked) = (*begins, 0);
            }
            (Deed::Other(kind), _) if kind == "probe" => {
                close(&mut probes, at);
                if let (Some(row), Some(name)) = (row, PROBES.get(asked)) {
                    probes.push(Probe { row, name, from: at, until: Instant::NEVER });
                }
                asked += 1;
            }
            (Deed::Command { line, .. } | Deed::View { line, .. }, Some(host)) => {
                typed.push(Typed { at, host, line: typist.line(line), row, look, sends: false });
            }
            (Deed::Sysctl { key, value }, Some(host)) if !key.starts_with("net.ipv6.") => {
                typed.push(Typed { at, host, line: typist.setting(key, value), row, look, sends: false });
            }
            (Deed::Send { proto, me: Some(me), peer: Some(peer), what: Payload::Octets(count), .. }, Some(host))
                if proto == "udp" =>
            {
                let Some((from, to)) = end(me).zip(end(peer)) else { continue };
                let datagram = Datagram { at, from, to, payload: vec![0; *count], mtu_discover: None };
                let socket = Datagrams::new(from, None, vec![datagram], at + Duration::from_micros(1));
                let line = typist.program(Program::Datagrams(socket));
                typed.push(Typed { at, host, line, row, look, sends: true });
            }
            (Deed::Frame { device, bytes }, Some(host)) => {
                let Some(port) = lan.port(lan.hosts[host], device) else { continue };
                let line = typist.program(Program::Frame(port, bytes.clone()));
                typed.push(Typed { at, host, line, row, look, sends: false });
            }
            _ => {}
        }
    }
    (typed, probes)
}

fn close(probes: &mut [Probe], at: Instant) {
    if let Some(last) = probes.last_mut().filter(|last| last.until == Instant::NEVER) {
        last.until = at;
    }
}

fn judge(lan: &Lan, rows: &[Value], typed: &[Typed], probes: &[Probe], trace: &Trace) -> Vec<Unit> {
    let index = |row: &Value| row.get("i").and_then(Value::as_u64).map(|index| index as usize);
    let mut units: Vec<Unit> = rows
        .iter()
        .map(|row| Unit { name: format!("row {}", index(row).unwrap_or_default()), differences: Vec::new() })
        .collect();
    let unit_of = |wanted: usize| rows.iter().position(|row| index(row) == Some(wanted));
    for (typed, shown) in typed.iter().zip(&trace.commands) {
        let Some((unit, (line, recorded))) = typed.row.and_then(unit_of).zip(typed.look.as_ref()) else { continue };
        let observed = format!("{}{}", shown.stdout, shown.stderr);
        if let Some(differs) = view::differ(line, recorded, &observed) {
            let field = format!("command {line}");
            units[unit].differences.push(Difference { field, expected: differs.recorded, observed: differs.observed });
        }
    }
    for probe in probes {
        let Some(unit) = unit_of(probe.row) else { continue };
        let Some(result) = rows[unit].get(probe.name) else { continue };
        let (recorded, observed) = match probe.name {
            "router_asks_vip" => (&result["replies_in_order_at_router"], heard(lan, trace, probe)),
            "rs1_sends_from_vip_to_router" | "rs1_sends_from_vip_to_client" => {
                (&result["rs1_arp"], asked(lan, trace, typed, probe))
            }
            _ => (result, heard(lan, trace, probe)),
        };
        let recorded: Vec<String> = recorded
            .as_array()
            .map_or(Vec::new(), |lines| lines.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        if recorded != observed {
            let (expected, observed) = (recorded.join(", "), observed.join(", "));
            units[unit].differences.push(Difference { field: probe.name.to_owned(), expected, observed });
        }
    }
    units
}

/// The answers that reached the router while a question was open.
fn heard(lan: &Lan, trace: &Trace, probe: &Probe) -> Vec<String> {
    messages(lan, trace, probe.from, probe.until).into_iter().filter(|line| line.starts_with("reply")).collect()
}

/// The questions that rs1 asked after it had something to send; the router hears them all.
fn asked(lan: &Lan, trace: &Trace, typed: &[Typed], probe: &Probe) -> Vec<String> {
    let of_rs1 =
        |typed: &&Typed| typed.sends && lan.hosts[typed.host] == "rs1" && (probe.from..probe.until).contains(&typed.at);
    let from = typed.iter().rfind(of_rs1).map_or(probe.from, |typed| typed.at);
    let is_question = |line: &String| line.starts_with("request") && line.contains("sha rs1.");
    messages(lan, trace, from, probe.until).into_iter().filter(is_question).collect()
}

/// ARP messages that reached the router, as the recording writes them: `reply spa 10.0.2.100 sha dir.eth0 tpa 10.0.2.1 (unicast)`.
fn messages(lan: &Lan, trace: &Trace, from: Instant, until: Instant) -> Vec<String> {
    let card = lan.port("router", "eth1");
    let first = trace.frames.partition_point(|event| trace.at(*event) < from);
    let mut lines = Vec::new();
    for event in trace.frames[first..].iter().take_while(|event| trace.at(**event) < until) {
        let bytes = match trace.event(*event).kind {
            Kind::Received { port, bytes, .. } if Some(port) == card => bytes,
            _ => continue,
        };
        let (head, tail) = trace.bytes(bytes);
        let Some(arp) = Arp::of(&[head, tail].concat()) else { continue };
        let holder = lan.cards.iter().find(|card| card.mac == arp.sender_mac);
        let holder = holder.map_or(arp.sender_mac.to_string(), |card| format!("{}.{}", card.host, card.device));
        let what = if arp.operation == 1 { "request" } else { "reply" };
        let to = if arp.destination.is_broadcast() { "broadcast" } else { "unicast" };
        lines.push(format!("{what} spa {} sha {holder} tpa {} ({to})", arp.sender, arp.target));
    }
    lines
}

fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? })
}
