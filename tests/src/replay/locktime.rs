//! `arp-locktime`: one host alone hears ARP messages that were made by hand, at their times; what it shows of its
//! neighbour table is compared. A row is a unit.
//!
//! ```text
//!   replay.json ── commands, settings, datagrams ──►┐
//!                                                    ├─► the host on a bench ──► `ip neigh show` ── compare ◄── recorded
//!   the frames of the station beside it ────────────►┘
//! ```
//! What the host sends is not compared: no packets were kept.

use super::bench::Bench;
use super::host_plan::Typist;
use super::program::{Datagram, Datagrams, Program};
use super::stage::{Port, Stage};
use super::unit::{Difference, Outcome, Unit};
use super::view;
use crate::recording::history::{Deed, Payload};
use crate::recording::{CaseFolder, ReadError};
use sim_core::base::id::LineId;
use sim_core::base::time::Duration;
use sim_core::wire::flow::SocketAddr;

/// The host that is looked at.
const HOST: &str = "router";

/// Something that happens to the host.
enum Input {
    Typed(LineId),
    Frame(usize, Vec<u8>),
}

/// A look at the neighbour table.
struct Look {
    line: String,
    recorded: String,
    /// None: it belongs to no row.
    row: Option<usize>,
}

/// Replays the case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    let stage = Stage::of(case)?;
    let ports: Vec<&Port> = stage.ports.iter().filter(|port| port.host == HOST).collect();
    let mut typist = Typist::default();
    let (mut inputs, mut looks) = (Vec::new(), Vec::new());
    let (mut row, mut rows) = (None, Vec::new());
    for done in &stage.history.events {
        let at = stage.instant(done.at_us);
        let here = done.host.as_deref() == Some(HOST);
        match &done.deed {
            Deed::Row(begins) => {
                row = *begins;
                rows.extend(begins.iter().copied());
            }
            Deed::Command { line, .. } if here => inputs.push((at, Input::Typed(typist.line(line)))),
            Deed::Sysctl { key, value } if here => {
                inputs.push((at, Input::Typed(typist.line(&format!("sysctl -w {key}='{value}'")))));
            }
            Deed::View { line, output } if here => {
                inputs.push((at, Input::Typed(typist.line(line))));
                looks.push(Look { line: line.clone(), recorded: output.clone(), row });
            }
            Deed::Send { proto, me: Some(me), peer: Some(peer), what: Payload::Octets(length), .. }
                if here && proto == "udp" =>
            {
                let (from, to) = (end(case, me)?, end(case, peer)?);
                let datagram = Datagram { at, from, to, payload: vec![0; *length], mtu_discover: None };
                let program = Datagrams::new(from, None, vec![datagram], at + Duration::from_micros(1));
                inputs.push((at, Input::Typed(typist.program(Program::Datagrams(program)))));
            }
            Deed::Frame { device, bytes } if !here => {
                let sender = done.host.as_deref().unwrap_or_default();
                let switch = stage.ports.iter().find(|port| port.host == sender && port.device == *device);
                let reached = |port: &&&Port| switch.is_some_and(|from| from.switch == port.switch);
                for (nic, _) in ports.iter().enumerate().filter(|(_, port)| reached(port)) {
                    inputs.push((at, Input::Frame(nic, bytes.clone())));
                }
            }
            _ => {}
        }
    }
    let nics: Vec<_> = ports.iter().map(|port| (port.device.clone(), port.mac, port.mtu)).collect();
    let mut bench = Bench::new(HOST, &nics, typist.lines());
    for (at, input) in inputs {
        while let Some(wake) = bench.next_wake().filter(|wake| *wake <= at) {
            bench.wake(wake);
        }
        bench.go_to(at);
        match input {
            Input::Typed(line) => bench.type_line(line),
            Input::Frame(nic, bytes) => bench.receive(nic, &bytes),
        }
    }
    Ok(Outcome::Replayed(judge(&bench, looks, rows)))
}

fn judge(bench: &Bench, looks: Vec<Look>, rows: Vec<usize>) -> Vec<Unit> {
    let mut units: Vec<Unit> =
        rows.iter().map(|row| Unit { name: format!("row {row}"), differences: Vec::new() }).collect();
    let mut shown = bench.commands().iter().filter(|command| command.text.starts_with("ip neigh show"));
    for look in looks {
        let observed = shown.next().map_or(String::new(), |command| format!("{}{}", command.stdout, command.stderr));
        let unit = rows.iter().position(|row| look.row == Some(*row));
        if let Some(unit) = unit
            && let Some(differs) = view::differ(&look.line, &look.recorded, &observed)
        {
            units[unit].differences.push(Difference {
                field: format!("{HOST} command {}", look.line),
                expected: differs.recorded,
                observed: differs.observed,
            });
        }
    }
    units
}

fn end(case: &CaseFolder, text: &str) -> Result<SocketAddr, ReadError> {
    let parsed = text
        .rsplit_once(':')
        .and_then(|(address, port)| Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? }));
    parsed.ok_or_else(|| case.wrong("replay.json", format!("not an end of a socket: {text}")))
}
