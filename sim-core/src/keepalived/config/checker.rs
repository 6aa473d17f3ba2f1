//! The checkers of a real server: when they look, how often they try, what they look at.

use super::notify::Command;
use super::track::Weight;
use crate::base::time::Duration;
use std::net::IpAddr;

/// One checker, everything resolved against its real and virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checker {
    /// What it does.
    pub kind: CheckerKind,
    /// Where it connects to.
    pub connect: ConnectOptions,
    /// `delay_loop`: from the end of a check to the next.
    pub delay_loop: Duration,
    /// `warmup`: the first check comes at a random time up to this after the start; as `delay_loop`. Zero: at once.
    pub warmup: Duration,
    /// `retry`: how many more failures before it is down.
    pub retry: u32,
    /// `delay_before_retry`: from a failure to the next try.
    pub delay_before_retry: Duration,
    /// `alpha`: down until it succeeds.
    pub alpha: bool,
    /// `log_all_failures`, or `checker_log_all_failures`.
    pub log_all_failures: bool,
}

/// Where a checker connects to, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// `connect_ip`, or the real server's address.
    pub address: IpAddr,
    /// `connect_port`, or the real server's port.
    pub port: u16,
    /// `bindto`.
    pub bind_address: Option<IpAddr>,
    /// `bind_port`; 0: any.
    pub bind_port: u16,
    /// `bind_if`; empty: none.
    pub bind_interface: String,
    /// `connect_timeout`; 5 s.
    pub timeout: Duration,
    /// `fwmark`: the mark of its packets; 0: none.
    pub mark: u32,
}

/// What a checker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckerKind {
    /// `TCP_CHECK`: a connection.
    Tcp,
    /// `HTTP_GET`, `SSL_GET`: pages.
    Http(Http),
    /// `MISC_CHECK`: a command.
    Misc(Misc),
    /// `PING_CHECK`: an echo.
    Ping,
    /// `UDP_CHECK`: a datagram.
    Udp(Udp),
    /// `SMTP_CHECK`: HELO and QUIT.
    Smtp(Smtp),
    /// `DNS_CHECK`: a question.
    Dns(Dns),
    /// `FILE_CHECK`: the number in a tracked file.
    File(Vec<(String, Weight)>),
    /// `BFD_CHECK`: a BFD session.
    Bfd(String),
}

/// `HTTP_GET`, `SSL_GET`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// `SSL_GET`.
    pub tls: bool,
    /// `url`, in file order; at least one.
    pub urls: Vec<Url>,
    /// `http_protocol`.
    pub protocol: HttpProtocol,
    /// `enable_sni`.
    pub sni: bool,
    /// `fast_recovery`.
    pub fast_recovery: bool,
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpProtocol {
    /// `1.0`.
    #[default]
    Http10,
    /// `1.0C`: with `Connection: close`.
    Http10Close,
    /// `1.1`.
    Http11,
}

/// `url { … }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `path`.
    pub path: String,
    /// `digest`: the MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `status_code`: ranges of good ones. Never empty: 200 to 299 if not given.
    pub status: Vec<(u16, u16)>,
    /// Whose page: of the url, the checker, the real server or the virtual server, in that order; empty: the address.
    pub virtualhost: String,
    /// `regex`: what the body must match (PCRE2).
    pub regex: Option<Regex>,
}

/// `regex`, `regex_no_match` and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regex {
    /// The pattern.
    pub pattern: String,
    /// `regex_no_match`: it must not match.
    pub must_not_match: bool,
    /// `regex_options`, as written (`caseless`, `multiline` …).
    pub options: Vec<String>,
    /// `regex_min_offset`, in octets.
    pub min_offset: usize,
    /// `regex_max_offset`, in octets; 0: no limit.
    pub max_offset: usize,
}

/// `MISC_CHECK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misc {
    /// `misc_path`.
    pub command: Command,
    /// `misc_timeout`; as `delay_loop` if not given.
    pub timeout: Duration,
    /// `misc_dynamic`: the exit status is a weight.
    pub dynamic: bool,
}

/// `UDP_CHECK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    /// `payload`: what is sent.
    pub payload: Vec<u8>,
    /// `require_reply`: an answer must come.
    pub require_reply: bool,
    /// What the answer must begin with.
    pub reply: Vec<u8>,
    /// Which bits of it count, as many octets as `reply`.
    pub reply_mask: Vec<u8>,
    /// `min_reply_length`, in octets.
    pub min_reply_len: usize,
    /// `max_reply_length`, in octets; 255.
    pub max_reply_len: usize,
}

/// `SMTP_CHECK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smtp {
    /// `helo_name`; `smtpchecker.keepalived.org`.
    pub helo_name: String,
}

/// `DNS_CHECK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// `type`; `SOA`.
    pub kind: String,
    /// `name`; `.`.
    pub name: String,
}
