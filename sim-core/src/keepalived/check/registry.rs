//! Every kind of checker, one row per file.

use super::probe::Probe;
use super::{http, ping, script, smtp, tcp, udp};
use crate::keepalived::config::CheckerKind;
use crate::trace::record::CheckKind;

/// A kind of checker.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The block's name in the file.
    pub keyword: &'static str,
    /// How it goes on after what it found.
    pub manner: Manner,
    /// What the trace calls it.
    pub(super) record: CheckKind,
    make: fn(&CheckerKind, usize) -> Option<Box<dyn Probe>>,
}

/// How a kind goes on after what it found. Where the kinds have nothing to say of their own, they are alike: the first
/// look decides alone, later ones are repeated `retry` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A server that is known to be down is tried again `retry` times, too.
    Connection,
    /// A server that is known to be down is looked at once a `delay_loop`.
    Datagram,
    /// The page that failed must be good before the others are asked for again.
    Pages,
    /// The first look is repeated as well, and so are those of a server that is down.
    Greeting,
    /// The next run comes one `delay_loop` after the beginning of the last one, not its end; every finding that is
    /// news is mailed.
    Command,
}

/// The kinds that are modelled, as keepalived.conf(5) orders them.
pub const KINDS: &[Kind] = &[
    Kind {
        keyword: "HTTP_GET",
        manner: Manner::Pages,
        record: CheckKind::HttpGet,
        make: |kind, _| match kind {
            CheckerKind::Http(spec) if !spec.tls => Some(Box::new(http::Http::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "SSL_GET",
        manner: Manner::Pages,
        record: CheckKind::SslGet,
        make: |kind, _| match kind {
            CheckerKind::Http(spec) if spec.tls => Some(Box::new(http::Http::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "TCP_CHECK",
        manner: Manner::Connection,
        record: CheckKind::TcpCheck,
        make: |kind, _| match kind {
            CheckerKind::Tcp => Some(Box::<tcp::Tcp>::default()),
            _ => None,
        },
    },
    Kind {
        keyword: "UDP_CHECK",
        manner: Manner::Datagram,
        record: CheckKind::UdpCheck,
        make: |kind, _| match kind {
            CheckerKind::Udp(spec) => Some(Box::new(udp::Udp::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "SMTP_CHECK",
        manner: Manner::Greeting,
        record: CheckKind::SmtpCheck,
        make: |kind, _| match kind {
            CheckerKind::Smtp(spec) => Some(Box::new(smtp::Smtp::new(&spec.helo_name))),
            _ => None,
        },
    },
    Kind {
        keyword: "MISC_CHECK",
        manner: Manner::Command,
        record: CheckKind::MiscCheck,
        make: |kind, _| match kind {
            CheckerKind::Misc(spec) => Some(Box::new(script::Misc::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "PING_CHECK",
        manner: Manner::Datagram,
        record: CheckKind::PingCheck,
        make: |kind, number| match kind {
            CheckerKind::Ping => Some(Box::new(ping::Ping::new(number))),
            _ => None,
        },
    },
];

/// The kind of a checker and one of it; none if it is not modelled (the reader refuses those).
pub(super) fn make(kind: &CheckerKind, number: usize) -> Option<(&'static Kind, Box<dyn Probe>)> {
    KINDS.iter().find_map(|row| (row.make)(kind, number).map(|probe| (row, probe)))
}
