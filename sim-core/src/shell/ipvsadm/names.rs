//! Names of hosts and ports: `http` for 80 unless `-n`, `www:http` in place of numbers.
//!
//! Hosts come from the host's `/etc/hosts`, ports from the list below, which is what `/etc/services` of every
//! distribution begins with. There is no name server.

use crate::wire::flow::{SocketAddr, Transport};
use std::net::Ipv4Addr;

/// What names stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    hosts: Vec<(Ipv4Addr, Vec<String>)>,
}

/// Ports and their names, for TCP and UDP alike.
const PORTS: &[(u16, &str)] = &[
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (20, "ftp-data"),
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (37, "time"),
    (53, "domain"),
    (67, "bootps"),
    (68, "bootpc"),
    (69, "tftp"),
    (80, "http"),
    (88, "kerberos"),
    (110, "pop3"),
    (111, "sunrpc"),
    (119, "nntp"),
    (123, "ntp"),
    (143, "imap2"),
    (161, "snmp"),
    (179, "bgp"),
    (389, "ldap"),
    (443, "https"),
    (465, "submissions"),
    (514, "syslog"),
    (587, "submission"),
    (636, "ldaps"),
    (873, "rsync"),
    (993, "imaps"),
    (995, "pop3s"),
    (1194, "openvpn"),
    (1433, "ms-sql-s"),
    (2049, "nfs"),
    (3128, "squid"),
    (3306, "mysql"),
    (5060, "sip"),
    (5432, "postgresql"),
    (6379, "redis"),
    (8080, "http-alt"),
];

/// The name of a port.
pub(in crate::shell) fn service_name(port: u16) -> Option<&'static str> {
    PORTS.iter().find(|(known, _)| *known == port).map(|(_, name)| *name)
}

impl Names {
    /// The names in the text of `/etc/hosts`.
    pub(super) fn of(hosts: &str) -> Names {
        let line = |line: &str| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address = words.next()?.parse().ok()?;
            Some((address, words.map(str::to_owned).collect::<Vec<_>>()))
        };
        Names { hosts: hosts.lines().filter_map(line).filter(|(_, names)| !names.is_empty()).collect() }
    }

    /// `address[:port]`, either by name or number.
    pub(super) fn endpoint(&self, text: &str, transport: Transport) -> Option<(Ipv4Addr, Option<u16>)> {
        let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
        let address = self.address(host)?;
        match port {
            None => Some((address, None)),
            Some(port) => Some((address, Some(self.port(port, transport)?))),
        }
    }

    /// As `ipvsadm` without `-n` shows it; numbers where there is no name.
    pub(super) fn shown(&self, address: SocketAddr, transport: Transport) -> String {
        format!("{}:{}", self.host(address.address), self.service(address.port, transport))
    }

    fn host(&self, address: Ipv4Addr) -> String {
        let found = self.hosts.iter().find(|(known, _)| *known == address);
        found.map_or_else(|| address.to_string(), |(_, names)| names[0].clone())
    }

    fn service(&self, port: u16, transport: Transport) -> String {
        // Web servers have a name for TCP only in the lists of most distributions; both are shown alike.
        let _ = transport;
        service_name(port).map_or_else(|| port.to_string(), str::to_owned)
    }

    fn address(&self, text: &str) -> Option<Ipv4Addr> {
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let named = |names: &[String]| names.iter().any(|name| name == text);
        self.hosts.iter().find(|(_, names)| named(names)).map(|(address, _)| *address)
    }

    fn port(&self, text: &str, _: Transport) -> Option<u16> {
        if let Ok(port) = text.parse() {
            return Some(port);
        }
        PORTS.iter().find(|(_, name)| *name == text).map(|(port, _)| *port)
    }
}
