//! The words of Linux Virtual Server: services, real servers, connections, and a scheduler's evidence.

use super::{Key, Place, Row, RowText, Seat};
use crate::base::id::NodeId;
use crate::base::time::{Duration, Instant};
use crate::trace::Trace;
use crate::wire::flow::{SocketAddr, Transport};
use std::fmt;

/// The name of a scheduler: `rr`.
pub type SchedulerName = &'static str;

/// What names a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum ServiceKey {
    /// A protocol, the VIP and the port.
    Address(Transport, SocketAddr),
    /// A firewall mark.
    Mark(u32),
}

/// How a packet is brought to a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Method {
    /// `-m`, listed as `Masq`.
    Nat,
    /// `-g`, listed as `Route`.
    Dr,
    /// `-i`, listed as `Tunnel`.
    Tun,
    /// `-b`, DPVS's FULLNAT.
    FullNat,
    /// The real server is the director itself.
    Local,
    /// Straight to where the packet was addressed (`cache_bypass`).
    Bypass,
}

/// What a tunnel (`-i`) puts in front of a packet (`--tun-type` and what goes with it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Tunnel {
    /// An IPv4 header (RFC 2003).
    #[default]
    Ipip,
    /// An IPv4 header and one of GRE (RFC 2784).
    Gre {
        /// `--tun-csum`: with a checksum over what is inside.
        checksum: bool,
    },
    /// An IPv4 header, one of UDP and one of GUE, version 0.
    Gue {
        /// `--tun-port`: the UDP port of the real server.
        port: u16,
        /// What protects the datagram.
        checksum: GueChecksum,
    },
}

/// What protects a GUE datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum GueChecksum {
    /// `--tun-nocsum`: UDP's checksum is 0.
    #[default]
    None,
    /// `--tun-csum`: UDP's checksum.
    Udp,
    /// `--tun-remcsum`: UDP's checksum, and the inner one is left to the receiver where the sender has not made it yet.
    Remote,
}

/// State of a connection as the director sees it (`ipvsadm -Lc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum ConnState {
    /// Before the first packet was looked at; also a persistence template.
    None,
    /// TCP.
    Established,
    /// TCP.
    SynSent,
    /// TCP.
    SynRecv,
    /// TCP.
    FinWait,
    /// TCP.
    TimeWait,
    /// TCP.
    Close,
    /// TCP.
    CloseWait,
    /// TCP.
    LastAck,
    /// TCP.
    Listen,
    /// TCP.
    SynAck,
    /// UDP has this one state.
    Udp,
    /// A template that has carried a real connection.
    Assured,
}

impl ConnState {
    /// The state of TCP with this number in Linux's list.
    pub fn of_tcp(number: u16) -> Option<ConnState> {
        const ALL: [ConnState; 11] = [
            ConnState::None,
            ConnState::Established,
            ConnState::SynSent,
            ConnState::SynRecv,
            ConnState::FinWait,
            ConnState::TimeWait,
            ConnState::Close,
            ConnState::CloseWait,
            ConnState::LastAck,
            ConnState::Listen,
            ConnState::SynAck,
        ];
        ALL.get(usize::from(number)).copied()
    }
}

/// A virtual service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ServiceRecord {
    /// The director.
    pub node: NodeId,
    /// What names it.
    pub key: ServiceKey,
    /// `rr`, `wrr` and so on.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::scheduler"))]
    pub scheduler: SchedulerName,
    /// The timeout of `-p`.
    pub persistent: Option<Duration>,
    /// Whether the service exists.
    pub present: bool,
}

/// A real server of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ServerRecord {
    /// The director.
    pub node: NodeId,
    /// The service.
    pub service: ServiceKey,
    /// The real server.
    pub server: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// Its weight; 0 takes no new connections.
    pub weight: u32,
    /// Connections in an active state.
    pub active: u32,
    /// The others.
    pub inactive: u32,
    /// Whether the server is in the service's list.
    pub present: bool,
}

/// A connection entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ConnRecord {
    /// The director.
    pub node: NodeId,
    /// TCP or UDP; none for the template of a persistent firewall-mark service, which covers every protocol.
    pub transport: Option<Transport>,
    /// The client.
    pub client: SocketAddr,
    /// The virtual service's address.
    pub virtual_: SocketAddr,
    /// The real server.
    pub server: SocketAddr,
    /// The director's own address and port towards the server (FULLNAT).
    pub local: Option<SocketAddr>,
    /// How packets are brought to it.
    pub method: Method,
    /// Its state.
    pub state: ConnState,
    /// When it ends, unless a packet comes.
    pub expires: Instant,
    /// Whether the entry exists.
    pub present: bool,
}

/// On what grounds a scheduler chose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    /// The scheduler.
    #[cfg_attr(feature = "saved", serde(with = "crate::trace::saved::scheduler"))]
    pub scheduler: SchedulerName,
    /// The service.
    pub service: ServiceKey,
    /// The kind of ground.
    pub family: Family,
    /// Who was chosen; none if nobody could be.
    pub winner: Option<Candidate>,
    /// At most three others that were looked at, in the order of looking.
    pub rivals: [Option<Candidate>; 3],
    /// How many servers the service has.
    pub servers: u32,
}

/// The families of grounds that `explain` knows; a new scheduler uses one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Family {
    /// The next in the list after the last one chosen (rr), at a weight level (wrr).
    Rotation {
        /// Who was chosen last.
        after: Option<SocketAddr>,
        /// wrr's current weight level; 0 where there are no levels.
        level: u32,
    },
    /// The lowest cost: connections per weight (lc, wlc, sed, nq, lblc, lblcr), or the heaviest (fo, ovf).
    Cost,
    /// A slot of a table found by hashing (dh, sh, mh).
    Slot {
        /// The slot.
        slot: u32,
        /// How many slots the table has.
        of: u32,
    },
    /// Two drawn at random, the cheaper one taken (twos).
    Draw,
}

/// A server that a scheduler looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct Candidate {
    /// The real server.
    pub server: SocketAddr,
    /// Its weight.
    pub weight: u32,
    /// What it costs by the scheduler's own measure; 0 where there is none.
    pub cost: u64,
}

impl Tunnel {
    /// As `ipvsadm --tun-type` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Tunnel::Ipip => "ipip",
            Tunnel::Gre { .. } => "gre",
            Tunnel::Gue { .. } => "gue",
        }
    }
}

impl Method {
    /// As `ipvsadm -L` prints it.
    pub const fn listed(self) -> &'static str {
        match self {
            Method::Nat => "Masq",
            Method::Dr => "Route",
            Method::Tun => "Tunnel",
            Method::FullNat => "FullNat",
            Method::Local => "Local",
            Method::Bypass => "Bypass",
        }
    }
}

/// `SYN_RECV`.
impl fmt::Display for ConnState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ConnState::None => "NONE",
            ConnState::Established => "ESTABLISHED",
            ConnState::SynSent => "SYN_SENT",
            ConnState::SynRecv => "SYN_RECV",
            ConnState::FinWait => "FIN_WAIT",
            ConnState::TimeWait => "TIME_WAIT",
            ConnState::Close => "CLOSE",
            ConnState::CloseWait => "CLOSE_WAIT",
            ConnState::LastAck => "LAST_ACK",
            ConnState::Listen => "LISTEN",
            ConnState::SynAck => "SYNACK",
            ConnState::Udp => "UDP",
            ConnState::Assured => "ASSURED",
        })
    }
}

/// `TCP 172.25.92.100:80` or `FWM 1`.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceKey::Address(transport, address) => write!(f, "{} {address}", transport.name()),
            ServiceKey::Mark(mark) => write!(f, "FWM {mark}"),
        }
    }
}

impl Row for ServiceRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Service(self.key)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        RowText { row: self.key.to_string(), value: self.scheduler.to_string() }
    }
}

impl Row for ServerRecord {
    fn seat(&self) -> Seat<'_> {
        Seat { node: self.node, present: self.present, key: Key::Placed(Place::Server(self.service, self.server)) }
    }

    fn told(&self, _: &Trace) -> RowText {
        let value = format!(
            "{} weight {} active {} inactive {}",
            self.method.listed(),
            self.weight,
            self.active,
            self.inactive
        );
        RowText { row: format!("{} -> {}", self.service, self.server), value }
    }
}

impl Row for ConnRecord {
    fn seat(&self) -> Seat<'_> {
        Seat {
            node: self.node,
            present: self.present,
            key: Key::Placed(Place::Connection((self.transport, self.client, self.virtual_))),
        }
    }

    fn told(&self, _: &Trace) -> RowText {
        let row = format!("{} -> {} -> {}", self.client, self.virtual_, self.server);
        RowText { row, value: format!("{} until {} s", self.state, self.expires) }
    }
}
