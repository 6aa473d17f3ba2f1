//! `replay.json`: everything that was done to the lab, on one clock.

use super::{CaseFolder, ReadError};
use serde::Deserialize;
use serde_json::Value;

/// What was done, in order of time.
#[derive(Clone, Debug)]
pub struct History {
    /// What the captures' clock shows at time 0, in nanoseconds; none if no packets were kept.
    pub capture_zero_ns: Option<u64>,
    /// What was done.
    pub events: Vec<Done>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// When, in microseconds since the taps were opened; negative before.
    pub at_us: i64,
    /// On which host; none for markers.
    pub host: Option<String>,
    /// What.
    pub deed: Deed,
}

/// What can be done to the lab. Kinds that only tell what a program saw are `Other`.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// The host comes into being.
    Node,
    /// An interface of the host is plugged into a switch.
    Link {
        /// `eth0`.
        device: String,
        /// The switch.
        switch: String,
        /// Its MAC.
        mac: String,
        /// Largest IP packet.
        mtu: u32,
    },
    /// A command was typed.
    Command {
        /// The line.
        line: String,
        /// Its exit status.
        exit: i64,
        /// Until it ended, in microseconds.
        took_us: i64,
        /// What it wrote.
        output: String,
    },
    /// A command that only looks.
    View {
        /// The line.
        line: String,
        /// What it wrote.
        output: String,
    },
    /// A kernel setting was written.
    Sysctl {
        /// Its key with dots.
        key: String,
        /// Its value.
        value: String,
    },
    /// A socket listens, or is bound (UDP).
    Listen {
        /// `tcp` or `udp`.
        proto: String,
        /// Its address.
        address: String,
        /// Its port.
        port: u16,
    },
    /// That socket is closed.
    Unlisten {
        /// `tcp` or `udp`.
        proto: String,
        /// Its address.
        address: String,
        /// Its port.
        port: u16,
    },
    /// A socket is connected (UDP: given its peer).
    Connect {
        /// `tcp`, `udp` or `raw`.
        proto: String,
        /// This end.
        me: String,
        /// The other.
        peer: String,
        /// `ok`, `refused`, `timeout` or an error's name.
        result: String,
        /// What was set.
        options: SocketOptions,
    },
    /// Something is sent.
    Send {
        /// `tcp`, `udp` or `raw`.
        proto: String,
        /// This end.
        me: Option<String>,
        /// The other.
        peer: Option<String>,
        /// How many octets, or (raw) which.
        what: Payload,
        /// What was set.
        options: SocketOptions,
    },
    /// A socket is closed; `hard` with RST.
    Close {
        /// `tcp`, `udp` or `raw`.
        proto: String,
        /// This end.
        me: Option<String>,
        /// The other.
        peer: Option<String>,
        /// With RST (SO_LINGER 0).
        hard: bool,
    },
    /// An Ethernet frame is put on the wire by hand.
    Frame {
        /// By this interface.
        device: String,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// A step begins.
    Step {
        /// Its name: `01-get-small-1`.
        key: String,
        /// When it ends, in microseconds.
        until_us: i64,
    },
    /// A row of an `arp-*` case begins; none: what follows belongs to no row.
    Row(Option<usize>),
    /// What a node replay does not need: its kind.
    Other(String),
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// So many octets.
    Octets(usize),
    /// These octets.
    Bytes(Vec<u8>),
}

/// What a program set on its socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SocketOptions {
    /// IP_TTL.
    pub ttl: Option<u8>,
    /// IP_MTU_DISCOVER: 0 never DF, 1 as a rule, 2 always DF.
    pub mtu_discover: Option<u8>,
}

#[derive(Deserialize)]
struct File {
    pcap_t0: Option<f64>,
    events: Vec<Vec<Value>>,
}

impl CaseFolder {
    /// Reads `replay.json`.
    ///
    /// # Errors
    /// If it is missing or an event is not what is expected.
    pub fn history(&self) -> Result<History, ReadError> {
        const FILE: &str = "replay.json";
        let file: File = serde_json::from_slice(&self.read(FILE)?).map_err(|error| self.wrong(FILE, error))?;
        let mut events = Vec::with_capacity(file.events.len());
        for event in &file.events {
            let Some(done) = done(event) else {
                return Err(self.wrong(FILE, format!("not an event: {}", Value::from(event.clone()))));
            };
            events.push(done);
        }
        let capture_zero_ns = file.pcap_t0.map(|seconds| micros(seconds) as u64 * 1000);
        Ok(History { capture_zero_ns, events })
    }
}

fn done(event: &[Value]) -> Option<Done> {
    let at_us = micros(event.first()?.as_f64()?);
    let host = event.get(1)?.as_str().map(str::to_owned);
    Some(Done { at_us, host, deed: deed(event.get(2)?.as_str()?, &event[3..])? })
}

fn deed(kind: &str, fields: &[Value]) -> Option<Deed> {
    Some(match kind {
        "node" => Deed::Node,
        "link" => Deed::Link {
            device: text(fields, 0)?,
            switch: text(fields, 1)?,
            mac: text(fields, 2)?,
            mtu: u32::try_from(fields.get(3)?.as_u64()?).ok()?,
        },
        "cmd" => Deed::Command {
            line: text(fields, 0)?,
            exit: fields.get(1)?.as_i64()?,
            took_us: micros(fields.get(2)?.as_f64()?),
            output: text(fields, 3).unwrap_or_default(),
        },
        "view" => Deed::View { line: text(fields, 0)?, output: text(fields, 1)? },
        "sysctl" => Deed::Sysctl { key: text(fields, 0)?, value: text(fields, 1)? },
        "listen" => Deed::Listen { proto: text(fields, 0)?, address: text(fields, 1)?, port: port(fields, 2)? },
        "unlisten" => Deed::Unlisten { proto: text(fields, 0)?, address: text(fields, 1)?, port: port(fields, 2)? },
        "connect" => Deed::Connect {
            proto: text(fields, 0)?,
            me: text(fields, 1).unwrap_or_default(),
            peer: text(fields, 2)?,
            result: text(fields, 3)?,
            options: options(fields.get(5)),
        },
        "send" => Deed::Send {
            proto: text(fields, 0)?,
            me: text(fields, 1),
            peer: text(fields, 2),
            what: payload(fields.get(3)?)?,
            options: options(fields.get(4)),
        },
        "close" | "reset" => {
            Deed::Close { proto: text(fields, 0)?, me: text(fields, 1), peer: text(fields, 2), hard: kind == "reset" }
        }
        "frame" => Deed::Frame { device: text(fields, 0)?, bytes: octets(fields.get(1)?.as_str()?)? },
        "step" => Deed::Step { key: text(fields, 0)?, until_us: micros(fields.get(2)?.as_f64()?) },
        "row" => Deed::Row(fields.first()?.as_u64().map(|row| row as usize)),
        "accept" | "recv" | "shutdown" | "delnode" | "probe" | "run" | "event" | "log" | "web" | "file" | "start"
        | "signal" | "exit" => Deed::Other(kind.to_owned()),
        _ => return None,
    })
}

fn text(fields: &[Value], at: usize) -> Option<String> {
    fields.get(at)?.as_str().map(str::to_owned)
}

fn port(fields: &[Value], at: usize) -> Option<u16> {
    u16::try_from(fields.get(at)?.as_u64()?).ok()
}

fn options(field: Option<&Value>) -> SocketOptions {
    field.and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

fn payload(field: &Value) -> Option<Payload> {
    match field.as_u64() {
        Some(count) => Some(Payload::Octets(count as usize)),
        None => octets(field.as_str()?).map(Payload::Bytes),
    }
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

/// The recordings write seconds with at most six decimals; whole microseconds from here on.
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
