//! What programs did: commands and their output, log lines, requests.

use crate::base::id::{LineId, NodeId};
use crate::base::time::Instant;
use crate::wire::Ipv4Addr;
use crate::wire::flow::SocketAddr;

/// A line that was typed, and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct CommandRecord {
    /// The host.
    pub node: NodeId,
    /// The line's number, if it stands in the scenario.
    pub line: Option<LineId>,
    /// The line as typed.
    pub text: Box<str>,
    /// When it was started.
    pub started: Instant,
    /// When it ended; none while it runs.
    pub ended: Option<Instant>,
    /// Its exit status; none while it runs, and if its machine was switched off under it.
    pub exit: Option<i32>,
    /// What it wrote to standard output, as far as kept (64 KiB).
    pub stdout: String,
    /// What it wrote to standard error, as far as kept (64 KiB).
    pub stderr: String,
    /// Typed at boot, not by the script.
    pub boot: bool,
}

/// A line of a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct LogRecord {
    /// The host.
    pub node: NodeId,
    /// Who wrote it: `kernel`, `Keepalived_vrrp[5191]`.
    pub program: Box<str>,
    /// The text.
    pub text: Box<str>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// Not yet.
    Running,
    /// With a response.
    Answered {
        /// Status code (HTTP), or 0 where the protocol has none.
        status: u16,
        /// Octets of the body.
        bytes: u64,
    },
    /// Without one.
    Failed {
        /// Why, as the client's program says it: `Connection refused`.
        reason: Box<str>,
    },
}

/// A request of a client program (`curl`, `ab`, an FTP session), numbered from 1 as `r1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct RequestRecord {
    /// The client's host.
    pub node: NodeId,
    /// `http://172.25.92.100/`.
    pub url: Box<str>,
    /// When the program began.
    pub started: Instant,
    /// When it ended; none while it runs.
    pub ended: Option<Instant>,
    /// The client's end of the connection, once there is one.
    pub client: Option<SocketAddr>,
    /// The address that was asked.
    pub asked: Option<SocketAddr>,
    /// How it ended.
    pub outcome: Outcome,
}

/// An ICMP echo request of a `ping`, and its answer. Recorded when the program sends it, also if its packet never gets
/// out of the host because nobody says which MAC the address has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct EchoRecord {
    /// The host that asks.
    pub node: NodeId,
    /// Whom it asks.
    pub target: Ipv4Addr,
    /// Its number, from 1 (`icmp_seq`).
    pub sequence: u16,
    /// When it was sent.
    pub asked: Instant,
    /// When the answer came; none if none did.
    pub answered: Option<Instant>,
}

/// A request as the server program saw it. Which request of a client it was, a reader finds by the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ServedRecord {
    /// The server's host.
    pub node: NodeId,
    /// The server program: `httpd`.
    pub program: Box<str>,
    /// The client, as the program was told.
    pub peer: SocketAddr,
    /// The other end of the connection: another than `peer` only where a TOA was read.
    pub remote: SocketAddr,
    /// The server's end.
    pub local: SocketAddr,
    /// What was asked for: `/index.html`.
    pub path: Box<str>,
    /// Status code of the answer.
    pub status: u16,
    /// A proxy that had the answer from a server: its own end and the server's.
    pub relayed: Option<(SocketAddr, SocketAddr)>,
}
