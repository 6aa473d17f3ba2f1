//! What an `ldirectord.cf` says, and what there is to say about it.

pub use super::parse::{DIRECTIVES, Directive, Stands, read};
use crate::base::time::Duration;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{SocketAddr, Transport};
use std::net::Ipv4Addr;

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What stands outside of sections.
    pub globals: Globals,
    /// The sections, in file order.
    pub virtuals: Vec<Virtual>,
}

/// What holds for all sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// `checkinterval`: from the end of a round to the next; 10 s.
    pub check_interval: Duration,
    /// `autoreload`.
    pub autoreload: bool,
    /// `callback`: run with the file's path when the file has changed; empty: none.
    pub callback: String,
    /// `logfile`: a path, or a facility of syslog.
    pub log: String,
    /// `supervised`: it stays in the foreground.
    pub supervised: bool,
    /// `maintenancedir`; empty: none.
    pub maintenance: String,
    /// Defaults of sections.
    pub(super) inherited: Inherited,
}

/// What a section may take from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inherited {
    pub(super) check_timeout: Option<Duration>,
    pub(super) negotiate_timeout: Option<Duration>,
    pub(super) check_count: Option<u32>,
    pub(super) failure_count: Option<u32>,
    pub(super) fallback: Option<Fallback>,
    pub(super) fallback_command: Option<String>,
    pub(super) quiescent: Option<bool>,
    pub(super) readd_quiescent: Option<bool>,
    pub(super) clean_stop: Option<bool>,
}

impl Default for Globals {
    fn default() -> Self {
        Globals {
            check_interval: Duration::from_secs(10),
            autoreload: false,
            callback: String::new(),
            log: "/var/log/ldirectord.log".to_owned(),
            supervised: false,
            maintenance: String::new(),
            inherited: Inherited::default(),
        }
    }
}

/// A virtual service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Virtual {
    /// What names it in the kernel.
    pub key: ServiceKey,
    /// `scheduler`; `wrr`.
    pub scheduler: String,
    /// `persistent`.
    pub persistent: Option<Duration>,
    /// `netmask`; /32.
    pub netmask: Ipv4Addr,
    /// `ops`.
    pub one_packet: bool,
    /// `checktype`.
    pub check: CheckType,
    /// `service`, or what the port means.
    pub service: String,
    /// `request`, with its leading `/`.
    pub request: String,
    /// `receive`: a regular expression; empty: anything.
    pub receive: String,
    /// `virtualhost`; empty: the server's address.
    pub virtualhost: String,
    /// `httpmethod=HEAD`.
    pub head: bool,
    /// `checkport`.
    pub check_port: Option<u16>,
    /// `checkcommand`; `/bin/true`.
    pub check_command: String,
    /// `checktimeout`, resolved; 5 s.
    pub check_timeout: Duration,
    /// `negotiatetimeout`, resolved; 30 s.
    pub negotiate_timeout: Duration,
    /// `checkcount`: echoes of a ping; 1.
    pub check_count: u32,
    /// `failurecount`: failures in a row before a server is down; 1.
    pub failure_count: u32,
    /// `quiescent`: weight 0 instead of removal.
    pub quiescent: bool,
    /// `readdquiescent`: a server that is down and gone comes back with weight 0.
    pub readd_quiescent: bool,
    /// `cleanstop`: everything is removed at the end.
    pub clean_stop: bool,
    /// `fallback`.
    pub fallback: Option<Fallback>,
    /// `fallbackcommand`; empty: none.
    pub fallback_command: String,
    /// `real`, in file order, ranges spread out.
    pub reals: Vec<Real>,
}

/// `fallback=A[:port] [gate|masq|ipip]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its port; 0: the service's.
    pub port: u16,
    /// gate if nothing is said.
    pub method: Method,
}

/// `real=A[:port] gate|masq|ipip [weight] [request, receive]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Real {
    /// Its address and the port of the file; 0: none.
    pub address: SocketAddr,
    /// How packets come to it.
    pub method: Method,
    /// 1 if nothing is said.
    pub weight: u32,
    /// Its own request; empty: the section's.
    pub request: String,
    /// Its own expression; empty: the section's.
    pub receive: String,
    /// `u:N`, as `ipvsadm -x`.
    pub upper: u32,
    /// `l:N`, as `ipvsadm -y`.
    pub lower: u32,
}

/// `checktype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckType {
    /// Speaks the service's protocol.
    Negotiate,
    /// A TCP connection; for UDP an echo.
    Connect,
    /// An echo.
    Ping,
    /// `checkcommand`.
    External,
    /// No check, nothing is ever added.
    Off,
    /// No check, everything is up.
    On,
    /// So many connections, then one negotiation.
    Combined(u32),
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it says, as far as it could be read.
    pub config: Config,
    /// Everything that there is to say, in file order.
    pub remarks: Vec<Remark>,
}

/// Something about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line, from 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters are meant; 0: the rest of the line.
    pub length: usize,
    /// How bad it is.
    pub kind: RemarkKind,
    /// What ldirectord says, or the lab.
    pub text: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// How bad a [`Remark`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// ldirectord does not start, or keeps its old configuration.
    Error,
    /// ldirectord logs it and goes on.
    Warning,
    /// ldirectord takes it, perhaps for something else than was meant, and says nothing.
    Note,
    /// The lab does not do it.
    NotModelled,
}

impl Remark {
    /// Whether ldirectord does not start with it here.
    pub fn stops(&self) -> bool {
        match self.kind {
            RemarkKind::Error | RemarkKind::NotModelled => true,
            RemarkKind::Warning | RemarkKind::Note => false,
        }
    }
}

impl Virtual {
    /// `10.0.0.1:80`, or the mark: what log lines call it.
    pub fn name(&self) -> String {
        match self.key {
            ServiceKey::Address(_, at) => at.to_string(),
            ServiceKey::Mark(mark) => mark.to_string(),
        }
    }

    /// Its port; 0 for a mark.
    pub fn port(&self) -> u16 {
        match self.key {
            ServiceKey::Address(_, at) => at.port,
            ServiceKey::Mark(_) => 0,
        }
    }

    /// `tcp`, `udp`, `fwm`.
    pub fn protocol(&self) -> &'static str {
        match self.key {
            ServiceKey::Address(Transport::Udp, _) => "udp",
            ServiceKey::Address(..) => "tcp",
            ServiceKey::Mark(_) => "fwm",
        }
    }

    /// A server's address in the kernel: without NAT its port is the service's.
    pub fn mapped(&self, address: Ipv4Addr, port: u16, method: Method) -> SocketAddr {
        let forced = !matches!(self.key, ServiceKey::Mark(_)) && method != Method::Nat;
        let port = if forced || port == 0 { self.port() } else { port };
        SocketAddr { address, port }
    }

    /// The port that is checked: `checkport`, the server's own, or what is usual for the service.
    pub fn checked_port(&self, real: &Real) -> u16 {
        let usual =
            || super::ports::SERVICES.iter().find(|(_, name)| *name == self.service).map_or(0, |(port, _)| *port);
        match (self.check_port, real.address.port) {
            (Some(port), _) => port,
            (None, 0) => match usual() {
                0 => self.port(),
                port => port,
            },
            (None, port) => port,
        }
    }
}
