//! Health checks: what a checker found of a real server each time it looked, which servers are held for up, and whether
//! a virtual service has enough of them.
//!
//! ```text
//!   check ─► check ─► check …      every look, also when nothing is new
//!      └─ news ─► health           a real server goes down or comes back: all its checkers together
//!                   └─► quorum     enough servers or not, and whether the sorry server stands in
//!                         └─► service, server    what the IPVS table then says (the kernel's records)
//! ```

use super::ipvs::ServiceKey;
use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::base::time::{Duration, Instant};
use crate::trace::Trace;
use crate::wire::flow::SocketAddr;
use std::fmt;

/// The program that checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Inspector {
    /// keepalived's health checkers.
    Keepalived,
    /// ldirectord.
    Ldirectord,
}

/// How it checks, under the name that its file gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum CheckKind {
    /// keepalived: pages of a web server.
    HttpGet,
    /// keepalived: the same with TLS.
    SslGet,
    /// keepalived: a connection.
    TcpCheck,
    /// keepalived: a datagram.
    UdpCheck,
    /// keepalived: a mail server's greeting.
    SmtpCheck,
    /// keepalived: a question for a name.
    DnsCheck,
    /// keepalived: a command.
    MiscCheck,
    /// keepalived: an echo.
    PingCheck,
    /// keepalived: the number in a file.
    FileCheck,
    /// ldirectord: a question in the service's own protocol.
    Negotiate,
    /// ldirectord: a connection.
    Connect,
    /// ldirectord: an echo.
    Ping,
    /// ldirectord: a command.
    External,
    /// ldirectord: up without looking.
    On,
}

/// What a look has found wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum CheckFlaw {
    /// Its port refused: nothing listens there.
    Refused,
    /// Nobody leads there: no route, or no machine answers for the address.
    Unreachable,
    /// The connection broke before the answer was whole.
    Broken,
    /// No connection came about in this time.
    NoConnection {
        /// What the file allows.
        within: Duration,
    },
    /// It did not answer in this time.
    NoAnswer {
        /// What the file allows.
        within: Duration,
    },
    /// A web server's status is none of those wanted.
    Status(u16),
    /// The MD5 of the page is another one.
    Digest,
    /// It answers, but not what is wanted.
    Answer,
    /// The command ended with this status.
    Exit(u8),
    /// The command was ended by this signal.
    Signal(u8),
    /// The command took longer than this.
    Overtime {
        /// What the file allows.
        within: Duration,
    },
    /// This host could not ask: no command, no socket.
    NotAsked,
    /// Somebody put it out of service: a file in the maintenance folder, a number in a tracked file.
    Withdrawn,
}

/// What a checker holds a server for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Standing {
    /// It serves.
    Up,
    /// It does not.
    Down,
}

/// One look of one checker at one real server, when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct CheckRecord {
    /// The director.
    pub node: NodeId,
    /// Who looked.
    pub by: Inspector,
    /// How.
    pub kind: CheckKind,
    /// For which virtual service; of a group of them, the first.
    pub service: ServiceKey,
    /// At which real server, as the IPVS table calls it.
    pub server: SocketAddr,
    /// When the look began; it ended at the event.
    pub began: Instant,
    /// What is wrong; none if nothing is.
    pub flaw: Option<CheckFlaw>,
    /// Failures in a row, this one included; 0 after a good look.
    pub failures: u32,
    /// So many in a row take a server down that is up.
    pub enough: u32,
    /// What the checker holds the server for from here on.
    pub standing: Standing,
    /// Whether that is another than before.
    pub is_news: bool,
}

/// A real server as its checkers together hold it: up while all of them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct HealthRecord {
    /// The director.
    pub node: NodeId,
    /// Who says so.
    pub by: Inspector,
    /// The virtual service; of a group of them, the first.
    pub service: ServiceKey,
    /// The real server.
    pub server: SocketAddr,
    /// What it is held for.
    pub standing: Standing,
    /// The weight it has while it is up.
    pub weight: u32,
    /// False when nobody checks it any more.
    pub present: bool,
}

/// Whether a virtual service has enough servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct QuorumRecord {
    /// The director.
    pub node: NodeId,
    /// Who says so.
    pub by: Inspector,
    /// The virtual service; of a group of them, the first.
    pub service: ServiceKey,
    /// The weights of all servers that are up.
    pub weight: u32,
    /// The weight it takes: less to keep a quorum than to gain it, if there is a hysteresis.
    pub needed: u32,
    /// Whether there is a quorum.
    pub standing: Standing,
    /// The sorry server (ldirectord: the fallback) that stands in.
    pub stand_in: Option<SocketAddr>,
    /// False when nobody looks after the service any more.
    pub present: bool,
}

impl Row for HealthRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Server(self.service, self.server)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = format!("{} weight {}", self.standing.name(), self.weight);
        RowText { row: format!("{} -> {}", self.service, self.server), value }
    }
}

impl Row for QuorumRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Service(self.service)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let stand_in = self.stand_in.map_or(String::new(), |server| format!(", {server} stands in"));
        let value = format!("{}: {} of {}{stand_in}", self.standing.name(), self.weight, self.needed);
        RowText { row: self.service.to_string(), value }
    }
}

impl Inspector {
    /// The program's name.
    pub const fn name(self) -> &'static str {
        match self {
            Inspector::Keepalived => "keepalived",
            Inspector::Ldirectord => "ldirectord",
        }
    }
}

impl CheckKind {
    /// As the program's file writes it: `TCP_CHECK`, `negotiate`.
    pub const fn name(self) -> &'static str {
        match self {
            CheckKind::HttpGet => "HTTP_GET",
            CheckKind::SslGet => "SSL_GET",
            CheckKind::TcpCheck => "TCP_CHECK",
            CheckKind::UdpCheck => "UDP_CHECK",
            CheckKind::SmtpCheck => "SMTP_CHECK",
            CheckKind::DnsCheck => "DNS_CHECK",
            CheckKind::MiscCheck => "MISC_CHECK",
            CheckKind::PingCheck => "PING_CHECK",
            CheckKind::FileCheck => "FILE_CHECK",
            CheckKind::Negotiate => "negotiate",
            CheckKind::Connect => "connect",
            CheckKind::Ping => "ping",
            CheckKind::External => "external",
            CheckKind::On => "on",
        }
    }
}

impl Standing {
    /// `up` or `down`.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Up => "up",
            Standing::Down => "down",
        }
    }

    /// Up, if so.
    pub const fn up_if(is_up: bool) -> Self {
        if is_up { Standing::Up } else { Standing::Down }
    }
}

/// In words that fit after "because".
impl fmt::Display for CheckFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckFlaw::Refused => f.write_str("its port refuses connections"),
            CheckFlaw::Unreachable => f.write_str("nobody answers for its address"),
            CheckFlaw::Broken => f.write_str("the connection broke"),
            CheckFlaw::NoConnection { within } => write!(f, "no connection came about within {} s", seconds(*within)),
            CheckFlaw::NoAnswer { within } => write!(f, "no answer came within {} s", seconds(*within)),
            CheckFlaw::Status(status) => write!(f, "it answers with status {status}"),
            CheckFlaw::Digest => f.write_str("the MD5 of its page is another one"),
            CheckFlaw::Answer => f.write_str("its answer is not the one wanted"),
            CheckFlaw::Exit(status) => write!(f, "the command ended with status {status}"),
            CheckFlaw::Signal(signal) => write!(f, "the command was ended by signal {signal}"),
            CheckFlaw::Overtime { within } => write!(f, "the command took longer than {} s", seconds(*within)),
            CheckFlaw::NotAsked => f.write_str("this host could not ask"),
            CheckFlaw::Withdrawn => f.write_str("somebody put it out of service"),
        }
    }
}

/// `3` or `0.5`.
fn seconds(span: Duration) -> String {
    let millis = span.millis();
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `TCP_CHECK finds nothing wrong`, `HTTP_GET: it answers with status 503 (failure 1 of 2): still up`.
impl fmt::Display for CheckRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, standing) = (self.kind.name(), self.standing.name());
        match (self.flaw, self.is_news) {
            (None, false) if self.standing == Standing::Up => write!(f, "{kind} finds nothing wrong"),
            (None, news) => write!(f, "{kind} finds nothing wrong: {}{standing}", if news { "" } else { "still " }),
            (Some(flaw), true) => write!(f, "{kind}: {flaw}: {standing}"),
            (Some(flaw), false) if self.standing == Standing::Up => {
                write!(f, "{kind}: {flaw} (failure {} of {}): still up", self.failures, self.enough)
            }
            (Some(flaw), false) => write!(f, "{kind}: {flaw}: still {standing}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Ipv4Addr;

    fn told(flaw: Option<CheckFlaw>, standing: Standing, is_news: bool) -> String {
        let server = SocketAddr { address: Ipv4Addr::new(10, 0, 1, 1), port: 80 };
        CheckRecord {
            node: NodeId(0),
            by: Inspector::Keepalived,
            kind: CheckKind::HttpGet,
            service: ServiceKey::Mark(1),
            server,
            began: Instant::ZERO,
            flaw,
            failures: u32::from(flaw.is_some()),
            enough: 2,
            standing,
            is_news,
        }
        .to_string()
    }

    #[test]
    fn a_look_is_told_with_its_ground_and_what_the_server_is_held_for() {
        let silent = CheckFlaw::NoAnswer { within: Duration::from_millis(1_500) };
        assert_eq!(told(None, Standing::Up, false), "HTTP_GET finds nothing wrong");
        assert_eq!(told(None, Standing::Up, true), "HTTP_GET finds nothing wrong: up");
        assert_eq!(told(None, Standing::Down, false), "HTTP_GET finds nothing wrong: still down");
        let twice = "HTTP_GET: no answer came within 1.5 s (failure 1 of 2): still up";
        assert_eq!(told(Some(silent), Standing::Up, false), twice);
        let status = CheckFlaw::Status(503);
        assert_eq!(told(Some(status), Standing::Down, true), "HTTP_GET: it answers with status 503: down");
        assert_eq!(told(Some(status), Standing::Down, false), "HTTP_GET: it answers with status 503: still down");
    }
}
