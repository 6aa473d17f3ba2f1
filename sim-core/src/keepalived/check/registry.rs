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
    /// Whether a server that is known to be down is tried again `retry` times too.
    pub retries_while_down: bool,
    /// Whether the next attempt comes one `delay_loop` after the beginning of the last one, not its end.
    pub counts_from_start: bool,
    /// Whether the first finding is mailed even if it is what was expected.
    pub mails_first: bool,
    /// What the trace calls it.
    pub(super) record: CheckKind,
    make: fn(&CheckerKind, usize) -> Option<Box<dyn Probe>>,
}

/// The kinds that are modelled, as keepalived.conf(5) orders them.
pub const KINDS: &[Kind] = &[
    Kind {
        keyword: "HTTP_GET",
        retries_while_down: false,
        counts_from_start: false,
        mails_first: false,
        record: CheckKind::HttpGet,
        make: |kind, _| match kind {
            CheckerKind::Http(spec) if !spec.tls => Some(Box::new(http::Http::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "SSL_GET",
        retries_while_down: false,
        counts_from_start: false,
        mails_first: false,
        record: CheckKind::SslGet,
        make: |kind, _| match kind {
            CheckerKind::Http(spec) if spec.tls => Some(Box::new(http::Http::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "TCP_CHECK",
        retries_while_down: true,
        counts_from_start: false,
        mails_first: false,
        record: CheckKind::TcpCheck,
        make: |kind, _| match kind {
            CheckerKind::Tcp => Some(Box::<tcp::Tcp>::default()),
            _ => None,
        },
    },
    Kind {
        keyword: "UDP_CHECK",
        retries_while_down: false,
        counts_from_start: false,
        mails_first: false,
        record: CheckKind::UdpCheck,
        make: |kind, _| match kind {
            CheckerKind::Udp(spec) => Some(Box::new(udp::Udp::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "SMTP_CHECK",
        retries_while_down: false,
        counts_from_start: false,
        mails_first: false,
        record: CheckKind::SmtpCheck,
        make: |kind, _| match kind {
            CheckerKind::Smtp(spec) => Some(Box::new(smtp::Smtp::new(&spec.helo_name))),
            _ => None,
        },
    },
    Kind {
        keyword: "MISC_CHECK",
        retries_while_down: false,
        counts_from_start: true,
        mails_first: true,
        record: CheckKind::MiscCheck,
        make: |kind, _| match kind {
            CheckerKind::Misc(spec) => Some(Box::new(script::Misc::new(spec))),
            _ => None,
        },
    },
    Kind {
        keyword: "PING_CHECK",
        retries_while_down: false,
        counts_from_start: false,
        mails_first: false,
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
