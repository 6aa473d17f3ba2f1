//! The virtual servers: defaults, ports, quorums, checkers.

use super::super::draft::{CheckerDraft, ServerDraft, ServiceDraft, Times};
use super::super::parser::Parser;
use super::super::service::PERSISTENT;
use super::scripts;
use crate::base::time::Duration;
use crate::keepalived::config::service::Protocol;
use crate::keepalived::config::{
    Checker, CheckerKind, Config, ConnectOptions, Forwarding, GroupEntry, Place, RealServer, RemarkKind, ServiceName,
    SorryServer, VirtualServer, VirtualServerGroup,
};
use crate::trace::record::Method;
use std::net::IpAddr;

/// Completes the virtual servers.
pub(super) fn complete(p: &mut Parser<'_>, config: &mut Config) {
    let mut found = Vec::new();
    let mut place = Place::default();
    for draft in std::mem::take(&mut p.drafts.services) {
        if let ServiceName::Group(name) = &draft.it.name
            && config.virtual_server_group(name).is_none()
        {
            let text = format!(
                "Virtual server group {name} specified but not configured - ignoring virtual server {}",
                named(&draft)
            );
            let remark = p.remark(RemarkKind::Logged, draft.place, &text);
            p.push(remark);
            continue;
        }
        if draft.servers.is_empty() {
            p.conclude(format!("Virtual server {} has no real servers - ignoring", named(&draft)), draft.place);
            continue;
        }
        place = draft.place.clone();
        found.push(service(p, config, draft));
    }
    scripts::checks(p, &mut found, &place);
    config.virtual_servers = found;
}

/// How keepalived names a service; its protocol may not be known yet.
fn named(draft: &ServiceDraft) -> String {
    match &draft.it.name {
        ServiceName::Address(address, port) => trio(*address, *port, draft.protocol),
        ServiceName::Mark(mark) => format!("FWM {mark}"),
        ServiceName::Group(name) => format!("[{name}]:0"),
    }
}

/// `[10.0.0.1]:tcp:80`.
fn trio(address: IpAddr, port: u16, protocol: Option<Protocol>) -> String {
    let protocol = match protocol {
        Some(Protocol::Tcp) => "tcp",
        Some(Protocol::Udp) => "udp",
        Some(Protocol::Sctp) => "sctp",
        None => "none",
    };
    format!("[{address}]:{protocol}:{port}")
}

fn service(p: &mut Parser<'_>, config: &Config, mut draft: ServiceDraft) -> VirtualServer {
    let group = match &draft.it.name {
        ServiceName::Group(name) => config.virtual_server_group(name),
        ServiceName::Address(..) | ServiceName::Mark(_) => None,
    };
    options(p, &mut draft, group);
    draft.it.scheduler = draft.scheduler.clone().unwrap_or_else(|| {
        let text = format!("Virtual server {}: no scheduler set, setting default 'wlc'", named(&draft));
        p.conclude(text, draft.place.clone());
        "wlc".to_owned()
    });
    let global = &p.drafts.global;
    let alert = global.smtp_alert_checker.or(global.smtp_alert);
    draft.it.smtp_alert = draft.smtp_alert.or(alert).unwrap_or(false);
    duplicates(p, &mut draft);
    defaults(p, &mut draft, alert.unwrap_or(true));
    sorry(p, &mut draft);
    quorum(p, &mut draft);
    ports(p, &mut draft, group);
    draft.it.protocol = draft.protocol.unwrap_or_default();
    draft.it.forwarding = draft.forwarding.clone().unwrap_or_default();
    let servers = std::mem::take(&mut draft.servers);
    let (outer, connect) = (Times { delay_loop: Some(draft.it.delay_loop), ..draft.times }, draft.connect_timeout);
    let log_all = p.drafts.global.global.checker_log_all_failures;
    draft.it.servers = servers.into_iter().map(|it| server(it, &draft.it, (outer, connect), log_all)).collect();
    draft.it
}

/// What does not go together in the service itself.
fn options(p: &mut Parser<'_>, draft: &mut ServiceDraft, group: Option<&VirtualServerGroup>) {
    let entries: &[GroupEntry] = group.map_or(&[], |group| &group.entries);
    let has_mark = matches!(draft.it.name, ServiceName::Mark(_)) || entries.iter().any(is_mark);
    let by_address = match &draft.it.name {
        ServiceName::Address(..) => true,
        ServiceName::Mark(_) => false,
        ServiceName::Group(_) => entries.iter().any(|entry| !is_mark(entry)),
    };
    if draft.it.ha_suspend && has_mark {
        say(p, draft, "cannot use ha_suspend with fwmarks - clearing ha_suspend");
        draft.it.ha_suspend = false;
    }
    if by_address {
        if draft.protocol.is_none() {
            say(p, draft, "no protocol set - defaulting to UDP");
            draft.protocol = Some(Protocol::Udp);
        }
        if draft.it.one_packet && draft.protocol != Some(Protocol::Udp) {
            say(p, draft, "one packet scheduling requires UDP - resetting");
            draft.it.one_packet = false;
        }
    }
    let any_port = match &draft.it.name {
        ServiceName::Address(_, port) => *port == 0,
        ServiceName::Mark(_) => false,
        ServiceName::Group(_) => entries.iter().any(|entry| matches!(entry, GroupEntry::Range(_, _, 0))),
    };
    if any_port && draft.it.persistence.is_none() {
        say(p, draft, "zero port only valid for persistent services - setting");
        draft.it.persistence = Some(PERSISTENT);
    }
    if draft.protocol.is_some() && has_mark && !by_address {
        let text = format!(
            "Warning: Virtual server {}: protocol specified for fwmark - protocol will be ignored",
            named(draft)
        );
        p.conclude(text, draft.place.clone());
        draft.protocol = None;
    }
}

fn is_mark(entry: &GroupEntry) -> bool {
    matches!(entry, GroupEntry::Mark(_))
}

fn say(p: &mut Parser<'_>, draft: &ServiceDraft, text: &str) {
    p.conclude(format!("Virtual server {}: {text}", named(draft)), draft.place.clone());
}

fn duplicates(p: &mut Parser<'_>, draft: &mut ServiceDraft) {
    let mut index = 0;
    while index < draft.servers.len() {
        let it = &draft.servers[index];
        let (address, port, place) = (it.it.address, it.it.port, it.place.clone());
        if draft.servers[..index].iter().any(|known| (known.it.address, known.it.port) == (address, port)) {
            let name = trio(address, port, draft.protocol);
            p.conclude(format!("VS {}: real server {name} is duplicated - removing second rs", named(draft)), place);
            draft.servers.remove(index);
        } else {
            index += 1;
        }
    }
}

/// What servers take from the service.
fn defaults(p: &mut Parser<'_>, draft: &mut ServiceDraft, alert: bool) {
    for index in 0..draft.servers.len() {
        if draft.servers[index].forwarding.is_none() {
            let forwarding = default_forwarding(p, draft);
            draft.servers[index].forwarding = Some(forwarding);
        }
        let service = &draft.it;
        let (alpha, inhibit, weight) = (service.alpha, service.inhibit_on_failure, service.weight);
        let server = &mut draft.servers[index];
        server.it.alpha = server.alpha.unwrap_or(alpha);
        server.it.inhibit_on_failure = server.inhibit.unwrap_or(inhibit);
        server.it.weight = server.weight.unwrap_or(weight);
        server.it.smtp_alert = server.smtp_alert.unwrap_or(alert);
        server.it.forwarding = server.forwarding.clone().unwrap_or_default();
    }
}

/// The service's forwarding method; NAT if there is none, which is said once.
fn default_forwarding(p: &mut Parser<'_>, draft: &mut ServiceDraft) -> Forwarding {
    if draft.forwarding.is_none() {
        say(p, draft, "no forwarding method set, setting default NAT");
    }
    draft.forwarding.get_or_insert_default().clone()
}

fn sorry(p: &mut Parser<'_>, draft: &mut ServiceDraft) {
    let Some(given) = draft.sorry.take() else { return };
    let forwarding = given.forwarding.unwrap_or_else(|| default_forwarding(p, draft));
    let same = draft.servers.iter().find(|server| (server.it.address, server.it.port) == (given.address, given.port));
    let mut inhibit = given.inhibit;
    if let Some(server) = same.filter(|server| server.it.inhibit_on_failure != inhibit) {
        inhibit = server.it.inhibit_on_failure;
        let name = trio(given.address, given.port, draft.protocol);
        let how = if inhibit { "sett" } else { "clear" };
        let text =
            format!("real server {name} matches sorry server, but inhibit setting differs, {how}ing on sorry server");
        say(p, draft, &text);
    }
    draft.it.sorry_server =
        Some(SorryServer { address: given.address, port: given.port, forwarding, weight: 1, inhibit });
}

fn quorum(p: &mut Parser<'_>, draft: &mut ServiceDraft) {
    let sum: u64 = draft.servers.iter().map(|server| u64::from(server.it.weight)).sum();
    let sum = u32::try_from(sum).unwrap_or(u32::MAX);
    if draft.it.quorum > sum {
        let text = format!(
            "Warning - quorum {} for {} exceeds total weight of real servers {sum}, reducing quorum to {sum}",
            draft.it.quorum,
            named(draft)
        );
        p.conclude(text, draft.place.clone());
        draft.it.quorum = sum;
    }
    let (hysteresis, quorum) = (draft.it.hysteresis, draft.it.quorum);
    if hysteresis >= quorum {
        let less = quorum.wrapping_sub(1);
        say(p, draft, &format!("hysteresis {hysteresis} >= quorum {quorum}; setting hysteresis to {less}"));
        draft.it.hysteresis = quorum.saturating_sub(1);
    }
}

/// Without NAT, servers have the port of their service.
fn ports(p: &mut Parser<'_>, draft: &mut ServiceDraft, group: Option<&VirtualServerGroup>) {
    if let Some(group) = group {
        group_ports(p, draft, group);
        return;
    }
    let name = named(draft);
    let wanted = match draft.it.name {
        ServiceName::Address(_, port) => Some(port),
        ServiceName::Mark(_) | ServiceName::Group(_) => None,
    };
    for index in 0..draft.servers.len() {
        let (protocol, server) = (draft.protocol, &mut draft.servers[index]);
        let (it, place) = (&mut server.it, server.place.clone());
        let own = trio(it.address, it.port, protocol);
        let nat = maps_ports(it.forwarding.method);
        match wanted {
            Some(port) if it.port == 0 => it.port = port,
            Some(port) if !nat && it.port != port => {
                it.port = port;
                let text =
                    format!("WARNING - virtual server {name} and real server {own} ports don't match - resetting");
                p.conclude(text, place);
            }
            None if !nat && it.port != 0 => {
                it.port = 0;
                let text =
                    format!("WARNING - fwmark virtual server {name}, real server {own} has port specified - clearing");
                p.conclude(text, place);
            }
            Some(_) | None => {}
        }
    }
    let Some(sorry) = &mut draft.it.sorry_server else { return };
    if maps_ports(sorry.forwarding.method) {
        return;
    }
    let text = match wanted {
        Some(port) if sorry.port == 0 => {
            sorry.port = port;
            return;
        }
        Some(port) if sorry.port != port => {
            sorry.port = port;
            format!("WARNING - virtual server {name} and sorry server ports don't match - resetting")
        }
        None if sorry.port != 0 => {
            sorry.port = 0;
            format!("WARNING - virtual server {name}, sorry server has port specified - clearing")
        }
        Some(_) | None => return,
    };
    p.conclude(text, draft.place.clone());
}

/// Whether a server may listen on another port than the service.
const fn maps_ports(method: Method) -> bool {
    matches!(method, Method::Nat | Method::FullNat)
}

fn group_ports(p: &mut Parser<'_>, draft: &ServiceDraft, group: &VirtualServerGroup) {
    let name = named(draft);
    let routed = |server: &&ServerDraft| !maps_ports(server.it.forwarding.method) && server.it.port != 0;
    let sorry = draft.it.sorry_server.as_ref().filter(|sorry| !maps_ports(sorry.forwarding.method) && sorry.port != 0);
    if group.entries.iter().any(is_mark) {
        for server in draft.servers.iter().filter(routed) {
            let own = trio(server.it.address, server.it.port, draft.protocol);
            let text = format!(
                "WARNING - fwmark virtual server {name}, real server {own} has port specified - port will be ignored"
            );
            p.conclude(text, server.place.clone());
        }
        if sorry.is_some() {
            let text = format!(
                "WARNING - fwmark virtual server {name}, sorry server has port specified - port will be ignored"
            );
            p.conclude(text, draft.place.clone());
        }
    }
    for entry in &group.entries {
        let GroupEntry::Range(first, last, port) = entry else { continue };
        let shown = if first == last { format!("{first},{port}") } else { format!("{first}-{last},{port}") };
        for server in draft.servers.iter().filter(routed).filter(|server| server.it.port != *port) {
            let own = trio(server.it.address, server.it.port, draft.protocol);
            let text = format!("virtual server {name}:[{shown}] and real server {own} ports don't match");
            p.conclude(text, server.place.clone());
        }
        if sorry.is_some_and(|sorry| sorry.port != *port) {
            let text =
                format!("WARNING - virtual server {name}, sorry server has port specified - port will be ignored");
            p.conclude(text, draft.place.clone());
        }
    }
}

fn server(
    draft: ServerDraft,
    service: &VirtualServer,
    (outer, connect): (Times, Duration),
    log_all: bool,
) -> RealServer {
    let mut it = draft.it;
    if it.virtualhost.is_empty() {
        it.virtualhost.clone_from(&service.virtualhost);
    }
    let times = draft.times.or(outer);
    let times = Times { connect_timeout: times.connect_timeout.or(Some(connect)), ..times };
    it.checkers = draft.checkers.into_iter().map(|draft| checker(draft, &it, times, log_all)).collect();
    it
}

fn checker(mut draft: CheckerDraft, server: &RealServer, outer: Times, log_all: bool) -> Checker {
    let second = Duration::from_secs(1);
    let (retry, delay) = match &draft.kind {
        CheckerKind::Http(_) => (1, Some(Duration::from_secs(3))),
        CheckerKind::Misc(_) => (0, Some(second)),
        CheckerKind::Dns(_) => (3, None),
        CheckerKind::Tcp
        | CheckerKind::Ping
        | CheckerKind::Udp(_)
        | CheckerKind::Smtp(_)
        | CheckerKind::File(_)
        | CheckerKind::Bfd(_) => (1, Some(second)),
    };
    let times = draft.times.or(outer);
    let delay_loop = times.delay_loop.unwrap_or(Duration::from_secs(60));
    match &mut draft.kind {
        CheckerKind::Http(http) => {
            for url in http.urls.iter_mut().filter(|url| url.virtualhost.is_empty()) {
                let host = if draft.virtualhost.is_empty() { &server.virtualhost } else { &draft.virtualhost };
                url.virtualhost.clone_from(host);
            }
        }
        CheckerKind::Misc(misc) => misc.timeout = draft.misc_timeout.unwrap_or(delay_loop),
        _ => {}
    }
    Checker {
        kind: draft.kind,
        connect: ConnectOptions {
            address: draft.address.unwrap_or(server.address),
            port: draft.port.unwrap_or(server.port),
            bind_address: draft.bind_address,
            bind_port: draft.bind_port,
            bind_interface: draft.bind_interface,
            timeout: times.connect_timeout.unwrap_or(Duration::from_secs(5)),
            mark: draft.mark,
        },
        delay_loop,
        warmup: times.warmup.unwrap_or(delay_loop),
        retry: times.retry.unwrap_or(retry),
        delay_before_retry: times.delay_before_retry.or(delay).unwrap_or(delay_loop),
        alpha: draft.alpha.unwrap_or(server.alpha),
        log_all_failures: draft.log_all_failures || log_all,
    }
}
