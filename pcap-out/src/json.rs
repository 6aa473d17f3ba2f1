//! The events of a run as JSON, one a line; the first line says which run it was. Schema and version are published.

use crate::About;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::base::id::{EventId, NodeId};
use sim_core::trace::record::{Outcome, Row, RowText, Table};
use sim_core::trace::{Kind, Stage, Trace, explain};
use sim_core::wire::summary;
use std::io::{self, Write};

/// The name and version of the format.
pub const SCHEMA: &str = "lvslab-events/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Head {
    /// `lvslab-events/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// All 128 bits of the digest, in hexadecimal digits.
    pub digest: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// The event's number: `e73` is 73.
    pub event: u32,
    /// Nanoseconds since the run began.
    pub at_ns: u64,
    /// The host or switch.
    pub node: String,
    /// The number of the event that led to it; null for a beginning.
    pub cause: Option<u32>,
    /// The packet concerned; null if none is.
    pub packet: Option<u32>,
    /// Where in the node: `wire`, `routing`, `ipvs` …
    pub stage: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A frame left by a port.
    Sent(Frame),
    /// A frame came in by a port.
    Received(Frame),
    /// The packet ended here.
    Dropped,
    /// Something was decided.
    Decided {
        /// The stable code: `IPVS.DR`.
        code: String,
        /// The sentence, with its evidence.
        why: String,
    },
    /// A table has a new value.
    Changed {
        /// `power`, `interface`, `address`, `route`, `rule`, `neighbour`, `fdb`, `service`, `server`, `connection`, `sysctl`,
        /// `vrrp`, `health`, `quorum`, `process`, `filter_chain`, `filter_policy`, `filter_rule`, `filter_count`, `conntrack`.
        table: String,
        /// Which row.
        row: String,
        /// Its new value.
        value: String,
        /// False if the row is gone.
        present: bool,
    },
    /// A checker looked at a real server.
    Checked {
        /// `keepalived` or `ldirectord`.
        by: String,
        /// How: `TCP_CHECK`, `negotiate`.
        check: String,
        /// The virtual service; of a group of them, the first.
        service: String,
        /// The real server.
        server: String,
        /// When the look began, in nanoseconds since the run began.
        began_ns: u64,
        /// What is wrong with the server; null if nothing is.
        flaw: Option<String>,
        /// Failures in a row, this one included.
        failures: u32,
        /// So many in a row take a server down that is up.
        enough: u32,
        /// What the checker holds the server for from here on: `up` or `down`.
        standing: String,
        /// Whether that is another than before.
        is_news: bool,
    },
    /// A log line.
    Log {
        /// Who wrote it.
        program: String,
        /// The text.
        text: String,
    },
    /// A typed line was started.
    CommandStarted {
        /// Its number, from 1.
        command: u32,
        /// As it was typed.
        line: String,
    },
    /// A typed line ended.
    CommandEnded {
        /// Its number, from 1.
        command: u32,
        /// Its exit status.
        exit: Option<i32>,
    },
    /// A request was started.
    RequestStarted {
        /// Its number, from 1.
        request: u32,
        /// What was asked for.
        url: String,
    },
    /// A request was answered or failed.
    RequestEnded {
        /// Its number, from 1.
        request: u32,
        /// The status code; null if there was no response.
        status: Option<u16>,
    },
    /// A ping sent an echo request.
    EchoAsked {
        /// Its number in the run, from 1.
        echo: u32,
        /// Whom it asks.
        target: String,
        /// `icmp_seq`.
        sequence: u16,
    },
    /// The answer to an echo request came.
    EchoAnswered {
        /// The number of the request in the run, from 1.
        echo: u32,
        /// From asking to the answer.
        took_ns: u64,
    },
    /// A server program answered a request.
    Served {
        /// The program.
        program: String,
        /// The client's end as the server sees it.
        peer: String,
        /// What was asked for.
        path: String,
        /// The status code.
        status: u16,
    },
    /// An action of the script.
    Acted {
        /// Its position in the script, from 0.
        position: u32,
        /// What it was: `unplug n1:eth0`; empty for a typed line.
        deed: String,
    },
}

/// A frame at a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Frame {
    /// Its number in the full capture; null at a switch.
    pub frame: Option<u32>,
    /// `server4:eth0`.
    pub port: String,
    /// Octets.
    pub length: u32,
    /// One line in tcpdump's manner.
    pub summary: String,
}

/// Writes all events.
///
/// # Errors
/// Of the writer.
pub fn write(mut out: impl Write, trace: &Trace, about: &About) -> io::Result<()> {
    let head = Head {
        schema: SCHEMA.to_string(),
        scenario: about.scenario.clone(),
        seed: about.seed,
        digest: about.digest.clone(),
    };
    serde_json::to_writer(&mut out, &head)?;
    out.write_all(b"\n")?;
    for id in (0..trace.events.len() as u32).map(EventId) {
        serde_json::to_writer(&mut out, &line(trace, id))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// The JSON schema of a line after the first.
///
/// # Panics
/// Never: a schema has a form in JSON.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Line);
    serde_json::to_string_pretty(&schema).expect("a schema has a form in JSON") + "\n"
}

/// One event.
pub fn line(trace: &Trace, id: EventId) -> Line {
    let event = trace.event(id);
    let step = trace.step_of(id);
    Line {
        event: id.0,
        at_ns: step.at.nanos(),
        node: trace.node_name(step.node).to_string(),
        cause: event.cause.is_some().then_some(event.cause.0),
        packet: event.packet.is_some().then_some(event.packet.0),
        stage: stage(event.stage).to_string(),
        what: what(trace, id, step.node),
    }
}

fn what(trace: &Trace, id: EventId, node: NodeId) -> What {
    match trace.event(id).kind {
        Kind::Sent { port, bytes, length } => What::Sent(frame(trace, id, trace.port_name(port), bytes, length)),
        Kind::Received { port, bytes, length } => {
            What::Received(frame(trace, id, trace.port_name(port), bytes, length))
        }
        Kind::Dropped => What::Dropped,
        Kind::Decided(why) => {
            What::Decided { code: explain::code(trace, why).to_string(), why: explain::sentence(trace, node, why) }
        }
        Kind::Check(at) => {
            let record = &trace.checks[at as usize];
            What::Checked {
                by: record.by.name().to_string(),
                check: record.kind.name().to_string(),
                service: record.service.to_string(),
                server: record.server.to_string(),
                began_ns: record.began.nanos(),
                flaw: record.flaw.map(|flaw| flaw.to_string()),
                failures: record.failures,
                enough: record.enough,
                standing: record.standing.name().to_string(),
                is_news: record.is_news,
            }
        }
        Kind::Log(at) => {
            let record = &trace.logs[at as usize];
            What::Log { program: record.program.to_string(), text: record.text.to_string() }
        }
        Kind::CommandStarted(at) => {
            What::CommandStarted { command: at + 1, line: trace.commands[at as usize].text.to_string() }
        }
        Kind::CommandEnded(at) => What::CommandEnded { command: at + 1, exit: trace.commands[at as usize].exit },
        Kind::RequestStarted(at) => {
            What::RequestStarted { request: at + 1, url: trace.requests[at as usize].url.to_string() }
        }
        Kind::RequestEnded(at) => {
            let status = match trace.requests[at as usize].outcome {
                Outcome::Answered { status, .. } => Some(status),
                Outcome::Running | Outcome::Failed { .. } => None,
            };
            What::RequestEnded { request: at + 1, status }
        }
        Kind::EchoAsked(at) => {
            let echo = &trace.echoes[at as usize];
            What::EchoAsked { echo: at + 1, target: echo.target.to_string(), sequence: echo.sequence }
        }
        Kind::EchoAnswered(at) => {
            let echo = &trace.echoes[at as usize];
            let took = echo.answered.map_or(0, |answered| answered.since(echo.asked).nanos());
            What::EchoAnswered { echo: at + 1, took_ns: took }
        }
        Kind::Served(at) => {
            let record = &trace.served[at as usize];
            What::Served {
                program: record.program.to_string(),
                peer: record.peer.to_string(),
                path: record.path.to_string(),
                status: record.status,
            }
        }
        Kind::Acted(position) => {
            let deed = trace.cast.deeds.get(position as usize).map_or(String::new(), |deed| deed.to_string());
            What::Acted { position, deed }
        }
        kind => changed(trace, kind),
    }
}

/// The new value of a table's row.
fn changed(trace: &Trace, kind: Kind) -> What {
    let (table, row) = change(trace, kind).expect("an event that is nothing else changes a table");
    let RowText { row: name, value } = row.told(trace);
    What::Changed { table: table.name().to_string(), row: name, value, present: row.is_present() }
}

/// The row that an event changes, and its table.
pub fn change(trace: &Trace, kind: Kind) -> Option<(Table, &dyn Row)> {
    let (table, record) = kind.change()?;
    Some((table, trace.row(table, record)?))
}

fn frame(trace: &Trace, id: EventId, port: String, bytes: sim_core::base::id::BytesId, length: u32) -> Frame {
    let (head, tail) = trace.bytes(bytes);
    let summary = summary::line(&[head, tail].concat(), length as usize);
    Frame { frame: trace.frame_number(id), port, length, summary }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Wire => "wire",
        Stage::Switch => "switch",
        Stage::Ingress => "ingress",
        Stage::Arp => "arp",
        Stage::Prerouting => "prerouting",
        Stage::Routing => "routing",
        Stage::Input => "input",
        Stage::Ipvs => "ipvs",
        Stage::Forward => "forward",
        Stage::Output => "output",
        Stage::Postrouting => "postrouting",
        Stage::Icmp => "icmp",
        Stage::Socket => "socket",
        Stage::Process => "process",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_schema_is_the_one_in_force() {
        let published = include_str!("../schemas/events-1.json");
        assert_eq!(published, super::schema(), "a changed line needs a new version, or an addition and a new file");
    }
}
