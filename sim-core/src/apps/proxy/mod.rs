//! Proxies: haproxy and nginx as they stand between clients and servers. Each connection of a client has one of its own
//! to a server, so that client and server never see each other's packets.
//!
//! ```text
//!   haproxy.cfg, nginx.conf ─► Setup ─► Proxy (one process)
//!   client ─► frontend ─► (http: the path) ─► backend ─► balance ─► server ─► octets both ways
//! ```
//! # Not modelled
//! TLS, HTTP/2, keep-alive (every answer of an http frontend closes its connection), compression, caches, cookies.

mod balance;
pub mod haproxy;
mod head;
mod health;
pub mod nginx;
mod process;
mod session;
pub mod when;
mod words;

pub use process::Proxy;

use crate::base::time::Duration;
use crate::kernel::syscall::{SocketError, Sys};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;
use when::When;

/// What a proxy does, as its file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// Which proxy it is.
    pub program: Program,
    /// Where it listens.
    pub frontends: Vec<Frontend>,
    /// Groups of servers.
    pub backends: Vec<Backend>,
    /// Whether it writes a log.
    pub logs: bool,
}

impl Setup {
    /// The first place where it could not listen now, in the program's words. Its first process tries them all before
    /// it goes to the background.
    pub fn first_refusal(&self, sys: &mut Sys) -> Option<String> {
        self.frontends.iter().zip(0..).find_map(|(frontend, number)| {
            let refused = |bind: &SocketAddr| Some((*bind, sys.may_listen(*bind).err()?));
            let (bind, error) = frontend.binds.iter().find_map(refused)?;
            Some(self.cannot_bind(number, bind, error))
        })
    }

    /// That it cannot listen at a place of a frontend, in the program's words.
    fn cannot_bind(&self, frontend: usize, bind: SocketAddr, error: SocketError) -> String {
        match self.program {
            Program::Haproxy => {
                let name = &self.frontends[frontend].name;
                format!("[ALERT]    (1) : Starting frontend {name}: cannot bind socket ({error}) [{bind}]")
            }
            Program::Nginx => {
                let number = if error == SocketError::AddressInUse { 98 } else { 99 };
                format!("nginx: [emerg] bind() to {bind} failed ({number}: {error})")
            }
        }
    }
}

/// Which proxy it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Program {
    /// haproxy 2.6.
    #[default]
    Haproxy,
    /// nginx 1.22.
    Nginx,
}

/// Where a proxy listens, and what it does with those who come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontend {
    /// Its name.
    pub name: String,
    /// Its addresses; 0.0.0.0 is every one.
    pub binds: Vec<SocketAddr>,
    /// Whether it reads HTTP.
    pub mode: Mode,
    /// What is done with which request: the first that fits counts.
    pub routes: Vec<Route>,
    /// `option forwardfor`.
    pub forwards_for: bool,
    /// How a connection is logged.
    pub log: LogFormat,
    /// How long it waits for a client.
    pub client_timeout: Duration,
    /// Connections at a time.
    pub max_connections: usize,
}

/// What a proxy understands of what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Octets.
    #[default]
    Tcp,
    /// Requests and answers.
    Http,
}

/// `option httplog`, `option tcplog`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `Connect from …`.
    #[default]
    Plain,
    /// One line a connection.
    Tcp,
    /// One line a request.
    Http,
}

/// What is done with paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Paths that begin so.
    pub prefix: String,
    /// Only this path itself (`location =`).
    pub exact: bool,
    /// What else must be so; none: nothing.
    pub when: Option<When>,
    /// What is done.
    pub action: Action,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A server of this backend gets it.
    Backend(usize),
    /// A page of the host's own disk, below this folder.
    Files(String),
    /// An answer with this status and text.
    Answer(u16, String),
}

/// A group of servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// How a server is chosen.
    pub balance: Balance,
    /// The servers, in file order.
    pub servers: Vec<Server>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub server_timeout: Duration,
    /// How often a connection that failed is tried again.
    pub retries: u32,
    /// The last try goes to another server (`option redispatch`); nginx: every one does.
    pub redispatches: bool,
    /// How servers are asked whether they are well; none: they are only connected to.
    pub http_check: Option<HttpCheck>,
    /// `option forwardfor`.
    pub forwards_for: bool,
    /// Headers that are set in requests (`proxy_set_header`), with nginx' variables in them.
    pub headers: Vec<(String, String)>,
}

/// `option httpchk METHOD URI VERSION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// `OPTIONS`, `GET`, `HEAD`.
    pub method: String,
    /// `/`.
    pub uri: String,
    /// `HTTP/1.0`, with what follows it (`\r\nHost:\ x`).
    pub version: String,
    /// `http-check expect status N`; none: 200 to 399.
    pub expected: Option<u16>,
}

/// How a server is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest connections per weight.
    LeastConnections,
    /// By the client's address (haproxy's `source`).
    Source,
    /// By the client's network (nginx' `ip_hash`).
    IpHash,
    /// The first that is well.
    First,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// 0 to 256; 0 takes nobody.
    pub weight: u32,
    /// Only if no other is well.
    pub is_backup: bool,
    /// `disabled`, `down`.
    pub is_disabled: bool,
    /// haproxy's `check`.
    pub check: Option<Check>,
    /// nginx' `max_fails` and `fail_timeout`; 0: never held for down.
    pub max_fails: u32,
    /// See [`Server::max_fails`].
    pub fail_timeout: Duration,
    /// `maxconn`; 0: any.
    pub max_connections: usize,
}

/// haproxy's `check inter … rise … fall …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// From one to the next.
    pub inter: Duration,
    /// So many good ones in a row bring it up.
    pub rise: u32,
    /// So many bad ones take it down.
    pub fall: u32,
    /// At this port; 0: the server's own.
    pub port: u16,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong, in the program's own words or the lab's.
    pub text: String,
    /// It exists and is not modelled.
    pub is_not_modelled: bool,
    /// Only said; the file is used all the same.
    pub is_note: bool,
}

impl Default for Check {
    fn default() -> Self {
        Check { inter: Duration::from_secs(2), rise: 2, fall: 3, port: 0 }
    }
}

impl Server {
    /// A server with every option at its default.
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Server {
            name: name.to_owned(),
            address,
            weight: 1,
            is_backup: false,
            is_disabled: false,
            check: None,
            max_fails: 0,
            fail_timeout: Duration::from_secs(10),
            max_connections: 0,
        }
    }
}

impl Program {
    /// What syslog and the trace call it.
    pub const fn name(self) -> &'static str {
        match self {
            Program::Haproxy => "haproxy",
            Program::Nginx => "nginx",
        }
    }
}

/// An address with a port: `10.0.0.1:80`, `*:80`, `:80`, `80`.
fn read_end(text: &str, usual_port: u16) -> Option<SocketAddr> {
    let (address, port) = match text.rsplit_once(':') {
        Some((address, port)) => (address, port.parse().ok()?),
        None if text.parse::<u16>().is_ok() => ("*", text.parse().ok()?),
        None => (text, usual_port),
    };
    let address = match address {
        "" | "*" => Ipv4Addr::UNSPECIFIED,
        "localhost" => Ipv4Addr::LOCALHOST,
        text => text.parse().ok()?,
    };
    Some(SocketAddr { address, port })
}
