//! Services: what `systemctl`, `service` and the scripts of `/etc/init.d` start and stop. One row per service.

mod control;
mod ftp;
mod keepalived;
mod mail;
mod network;
mod rules;
pub(super) mod started;
mod turnover;
mod unit;
mod verdict;
mod web;

pub(super) use control::{INIT_SCRIPT, SERVICE, SYSTEMCTL};
pub(super) use network::IFUP;
pub use network::install as install_network;

use crate::base::id::Pid;
use crate::kernel::Os;
use crate::kernel::process::table::ProcessInfo;
use crate::kernel::syscall::Sys;
use started::Start;

/// A service of the table.
#[derive(Debug)]
pub(super) struct Service {
    /// What it is called; the first is shown.
    names: &'static [&'static str],
    /// As `systemctl status` shows it.
    description: &'static str,
    /// What a start script does besides `start`, `stop`, `restart` and `status`.
    kind: Kind,
}

/// What a service is.
#[derive(Debug)]
enum Kind {
    /// A daemon: it runs as processes of this name.
    Daemon { program: &'static str, start: Start },
    /// Rules of the kernel, kept in a file.
    Rules(rules::Rules),
    /// The cards and their addresses: `network`.
    Network,
    /// It does not run and cannot be started; to stop it is fine.
    Never,
}

const fn daemon(
    names: &'static [&'static str],
    description: &'static str,
    program: &'static str,
    start: Start,
) -> Service {
    Service { names, description, kind: Kind::Daemon { program, start } }
}

/// Every service that can be started.
const SERVICES: &[Service] = &[
    daemon(&["httpd", "apache2"], "The Apache HTTP Server", "httpd", web::start_httpd),
    daemon(&["nginx"], "nginx - high performance web server", "nginx", web::start_nginx),
    daemon(&["haproxy"], "HAProxy Load Balancer", "haproxy", web::start_haproxy),
    daemon(&["keepalived"], "LVS and VRRP High Availability Monitor", "keepalived", keepalived::start),
    daemon(
        &["ldirectord"],
        "Monitor and administer real servers in a LVS cluster of load balanced virtual servers",
        "ldirectord",
        super::ldirectord::start_service,
    ),
    daemon(&["vsftpd"], "Vsftpd ftp daemon", "vsftpd", ftp::start_vsftpd),
    daemon(&["postfix", "sendmail"], "Postfix Mail Transport Agent", "master", mail::start),
    Service {
        names: &["ipvsadm"],
        description: "Initialise the Linux Virtual Server",
        kind: Kind::Rules(rules::IPVSADM),
    },
    Service {
        names: &["arptables_jf", "arptables"],
        description: "Automates a packet filtering firewall with arptables",
        kind: Kind::Rules(rules::ARPTABLES),
    },
    Service { names: &["iptables"], description: "IPv4 firewall with iptables", kind: Kind::Rules(rules::IPTABLES) },
    Service { names: &["firewalld"], description: "firewalld - dynamic firewall daemon", kind: Kind::Never },
    Service {
        names: &["network", "networking", "NetworkManager"],
        description: "Bring up/down networking",
        kind: Kind::Network,
    },
];

/// Services of Linux that are known and not modelled.
const NOT_MODELLED: [&str; 5] = ["sshd", "crond", "rsyslog", "chronyd", "ntpd"];

fn find(name: &str) -> Option<&'static Service> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    SERVICES.iter().find(|service| service.names.contains(&name))
}

/// All names, for suggestions.
fn names() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().flat_map(|service| service.names.iter().copied())
}

impl Service {
    fn is_active(&self, sys: &Sys) -> bool {
        match &self.kind {
            Kind::Daemon { program, .. } => !sys.kernel.processes.named(program).is_empty(),
            Kind::Rules(rules) => (rules.active)(sys),
            Kind::Network => true,
            Kind::Never => false,
        }
    }
}

/// The processes of a program that are not children of one of its own: what a service command signals.
fn mains(program: &str, sys: &Sys) -> Vec<Pid> {
    let all = sys.kernel.processes.named(program);
    let is_main = |info: &ProcessInfo| all.contains(&info.pid) && !all.contains(&info.parent);
    sys.kernel.processes.list().filter(is_main).map(|info| info.pid).collect()
}

/// Whether the host has `systemctl` as its own way to start services.
fn has_systemd(os: Os) -> bool {
    os >= Os::CentOs7
}
