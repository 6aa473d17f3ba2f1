//! `virtual_server`, `virtual_server_group`, and the forwarding method of servers.

use super::address::host;
use super::draft::{Family, ServiceDraft, SorryDraft};
use super::limits::{LVS_TIMEOUT_MAX, TIMER_MAX, TIMER_UNLIMITED, WEIGHT_MAX};
use super::parser::{Outcome, Parser, Stop};
use super::script;
use super::words::Words;
use crate::base::time::Duration;
use crate::keepalived::config::service::Protocol;
use crate::keepalived::config::{Forwarding, Reader, ServiceName, VirtualServer};
use crate::trace::record::Method;
use std::net::{IpAddr, Ipv4Addr};

/// `IPVS_SVC_PERSISTENT_TIMEOUT`.
pub(super) const PERSISTENT: Duration = Duration::from_secs(360);
/// The schedulers keepalived knows.
const SCHEDULERS: &[&str] =
    &["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"];

fn it<'p>(p: &'p mut Parser<'_>) -> &'p mut VirtualServer {
    &mut p.service().it
}

/// An address and a port behind a keyword, from `index` on; a port of nothing but zeros is none.
pub(super) fn address_port(p: &mut Parser<'_>, words: &Words, index: usize) -> Result<Option<(IpAddr, u16)>, Stop> {
    let address = host(p.word(words, index)?);
    let port = match words.get(index + 1).filter(|port| port.chars().any(|c| c != '0')) {
        None => Some(0),
        Some(_) => p.unsigned(words, index + 1, 1, 65535, true)?,
    };
    Ok(address.zip(port.and_then(|port| u16::try_from(port).ok())))
}

pub(super) fn open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.reader = Reader::Checkers;
    let first = p.word(words, 1)?.to_owned();
    let name = match first.as_str() {
        "group" => Some(ServiceName::Group(p.word(words, 2)?.to_owned())),
        "fwmark" => {
            let given = p.word(words, 2)?.to_owned();
            let mark = p.unsigned(words, 2, 0, u32::MAX, true)?;
            if mark.is_none() {
                let text = format!("virtual server fwmark '{given}' must be in [0, 4294967295] - ignoring");
                p.say(words, 2, &text);
            }
            mark.map(ServiceName::Mark)
        }
        _ => {
            let found = address_port(p, words, 1)?;
            if found.is_none() {
                let port = words.get(2).filter(|port| port.chars().any(|c| c != '0'));
                let (label, port) = port.map_or(("", String::new()), |port| ("/port", format!("/{port}")));
                p.say(words, 1, &format!("Invalid virtual server IP address{label} {first}{port} - skipping"));
            }
            found.map(|(address, port)| ServiceName::Address(address, port))
        }
    };
    let Some(name) = name else {
        p.skip_block();
        return Ok(());
    };
    if let ServiceName::Address(IpAddr::V6(_), _) = name {
        p.refuse(words, 1, "IPv6 is not modelled", "use IPv4 addresses");
    }
    p.drafts.services.push(ServiceDraft::new(name, words.place(1)));
    Ok(())
}

/// Servers of another address family than the service are taken out, but for tunnels.
pub(super) fn close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let service = p.service();
    let Some(sorry) = &service.sorry else { return Ok(()) };
    let tunnelled = sorry.forwarding.as_ref().or(service.forwarding.as_ref()).is_some_and(|f| f.method == Method::Tun);
    if tunnelled {
        return Ok(());
    }
    let (address, family) = (sorry.address, Family::of(sorry.address));
    if *service.family.get_or_insert(family) != family {
        service.sorry = None;
        let text =
            format!("Address family of virtual server and sorry server {address} don't match - skipping sorry server.");
        p.say(words, 0, &text);
    }
    Ok(())
}

pub(super) fn ip_family(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let family = match given.as_str() {
        "inet" => Family::V4,
        "inet6" => Family::V6,
        _ => {
            p.say(words, 1, &format!("unknown address family {given}"));
            return Ok(());
        }
    };
    if *p.service().family.get_or_insert(family) != family {
        p.say(words, 1, &format!("Virtual server specified family {given} conflicts with server family"));
    }
    Ok(())
}

/// The timers and counts that services, servers and checkers have in common: the keyword, and what it is called in
/// messages.
pub(super) fn timer(
    p: &mut Parser<'_>,
    words: &Words,
    least: u64,
    most: u64,
    invalid: &str,
) -> Result<Option<Duration>, Stop> {
    let given = words.get(1).unwrap_or_default().to_owned();
    let read = p.time(words, 1, (least, most))?;
    if read.is_none() {
        p.say(words, 1, &invalid.replace("{}", &given));
    }
    Ok(read)
}

pub(super) fn times(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword().to_owned();
    let (least, most, text) = match keyword.as_str() {
        "connect_timeout" => (1, TIMER_MAX, "virtual server connect_timeout {} invalid - ignoring"),
        "delay_loop" => (1, TIMER_UNLIMITED, "virtual server delay loop '{}' invalid - ignoring"),
        "delay_before_retry" => (0, TIMER_UNLIMITED, "virtual server delay before retry '{}' invalid - ignoring"),
        _ => (0, TIMER_UNLIMITED, "virtual server warmup '{}' invalid - ignoring"),
    };
    let Some(span) = timer(p, words, least, most, text)? else { return Ok(()) };
    let service = p.service();
    match keyword.as_str() {
        "connect_timeout" => service.connect_timeout = span,
        "delay_loop" => service.it.delay_loop = span,
        "delay_before_retry" => service.times.delay_before_retry = Some(span),
        _ => service.times.warmup = Some(span),
    }
    Ok(())
}

pub(super) fn retry(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, u32::MAX, false)? {
        None => p.say(words, 1, &format!("retry value invalid - {given}")),
        Some(retry) => p.service().times.retry = Some(retry),
    }
    Ok(())
}

pub(super) fn scheduler(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    if SCHEDULERS.contains(&given.as_str()) {
        p.service().scheduler = Some(given);
    } else {
        let hint = format!("one of {}", SCHEDULERS.join(" "));
        p.say_hint(words, 1, &format!("Invalid lvs_scheduler '{given}' - ignoring"), &hint);
    }
    Ok(())
}

pub(super) fn scheduler_flag(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let flag = words.keyword();
    let scheduler = p.service().scheduler.clone().unwrap_or_default();
    let bits = match (flag, scheduler.as_str()) {
        ("ops", _) => {
            it(p).one_packet = true;
            return Ok(());
        }
        ("flag-1", _) | ("sh-fallback", "sh") | ("mh-fallback", "mh") => 0x08,
        ("flag-2", _) | ("sh-port", "sh") | ("mh-port", "mh") => 0x10,
        ("flag-3", _) => 0x20,
        (_, "sh" | "mh") => 0,
        _ => {
            p.say(words, 0, &format!("{flag} only applies to sh scheduler - ignoring"));
            return Ok(());
        }
    };
    it(p).scheduler_flags.bits |= bits;
    Ok(())
}

/// `lb_kind`, `lvs_method`: none if keepalived throws it away.
pub(super) fn forwarding(p: &mut Parser<'_>, words: &Words, what: &str) -> Result<Option<Forwarding>, Stop> {
    let method = match p.word(words, 1)? {
        "NAT" => Method::Nat,
        "DR" => Method::Dr,
        "TUN" => Method::Tun,
        "FNAT" => Method::FullNat,
        other => {
            let text = format!("PARSER : unknown [{other}] routing method for {what} server.");
            p.say_hint(words, 1, &text, "NAT, DR or TUN, in capitals; FNAT as in DPVS");
            return Ok(None);
        }
    };
    let tunnel = words.from(2).to_vec();
    if !tunnel_is_good(p, words, what)? {
        return Ok(None);
    }
    if method == Method::FullNat {
        let hint = "local_address_group and laddr_group_name name the addresses it needs";
        p.note_hint(words, 1, "FNAT is a word of DPVS's keepalived", hint);
    }
    Ok(Some(Forwarding { method, tunnel }))
}

/// `type ipip|gue|gre port N nocsum|csum|remcsum`.
fn tunnel_is_good(p: &mut Parser<'_>, words: &Words, what: &str) -> Result<bool, Stop> {
    let (mut kind, mut port, mut checksum) = ("ipip", 0, "nocsum");
    let mut index = 2;
    while let Some(option) = words.get(index) {
        let value = words.get(index + 1);
        match option {
            "type" => match value {
                None => {
                    p.say(words, index, &format!("Missing tunnel type for {what} server."));
                    return Ok(false);
                }
                Some(given @ ("ipip" | "gue" | "gre")) => kind = given,
                Some(given) => {
                    p.say(words, index + 1, &format!("Unknown tunnel type {given} for {what} server."));
                    return Ok(false);
                }
            },
            "port" => {
                let Some(given) = value else {
                    p.say(words, index, &format!("Missing port for {what} server gue tunnel."));
                    return Ok(false);
                };
                match p.unsigned(words, index + 1, 1, 65535, false)? {
                    Some(number) => port = number,
                    None => {
                        p.say(words, index + 1, &format!("Invalid gue tunnel port {given} for {what} server."));
                        return Ok(false);
                    }
                }
            }
            "nocsum" | "csum" | "remcsum" => {
                checksum = option;
                index += 1;
                continue;
            }
            other => {
                p.say(words, index, &format!("Invalid tunnel option {other} for {what} server."));
                return Ok(false);
            }
        }
        index += 2;
    }
    let wrong = if (kind == "gue") != (port != 0) {
        "gue tunnels require port, otherwise cannot have port."
    } else if kind == "ipip" && checksum != "nocsum" {
        "ipip tunnels do not support checksum option."
    } else if kind == "gre" && checksum == "remcsum" {
        "gre tunnels do not support remote checksum option."
    } else {
        return Ok(true);
    };
    p.say(words, 2, wrong);
    Ok(false)
}

pub(super) fn lb_kind(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(found) = forwarding(p, words, "virtual")? {
        p.service().forwarding = Some(found);
    }
    Ok(())
}

pub(super) fn persistence_timeout(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() < 2 {
        it(p).persistence = Some(PERSISTENT);
        return Ok(());
    }
    match p.unsigned(words, 1, 1, LVS_TIMEOUT_MAX, false)? {
        None => p.say(words, 1, "persistence_timeout invalid"),
        Some(seconds) => it(p).persistence = Some(Duration::from_secs(seconds.into())),
    }
    Ok(())
}

pub(super) fn persistence_engine(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let mut given = p.word(words, 1)?.to_owned();
    if given.len() > 16 {
        p.say(words, 1, &format!("persistence_name too long, truncating - {given}"));
        given = given.chars().take(16).collect();
    }
    it(p).persistence_engine = given;
    Ok(())
}

pub(super) fn persistence_granularity(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let guessed = if given.contains('.') { Family::V4 } else { Family::V6 };
    let family = p.service().family.unwrap_or(guessed);
    match family {
        Family::V6 => {
            if p.unsigned(words, 1, 1, 128, false)?.is_none() {
                p.say(words, 1, &format!("Invalid IPv6 persistence_granularity specified - {given}"));
                return Ok(());
            }
        }
        Family::V4 => match super::address::aton(&given) {
            Some(mask) => {
                it(p).persistence_mask = mask;
                if !given.contains('.') {
                    let text = format!("`persistence_granularity {given}` is the mask {mask}, not a length");
                    p.note_hint(words, 1, &text, "write the mask, as 255.255.255.0");
                }
            }
            None => {
                p.say(words, 1, &format!("Invalid IPv4 persistence_granularity specified - {given}"));
                return Ok(());
            }
        },
    }
    p.service().family.get_or_insert(family);
    it(p).persistence.get_or_insert(PERSISTENT);
    Ok(())
}

pub(super) fn protocol(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    p.service().protocol = match given.to_ascii_uppercase().as_str() {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => {
            p.refuse(words, 1, "SCTP services are not modelled", "TCP or UDP");
            Some(Protocol::Sctp)
        }
        _ => {
            p.say(words, 1, &format!("Unknown protocol {given} - ignoring"));
            return Ok(());
        }
    };
    Ok(())
}

/// Words without a value.
pub(super) fn mark(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let it = it(p);
    match words.keyword() {
        "ha_suspend" => it.ha_suspend = true,
        "alpha" => it.alpha = true,
        "omega" => it.omega = true,
        _ => it.inhibit_on_failure = true,
    }
    Ok(())
}

pub(super) fn smtp_alert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match Parser::on_off(words, 1) {
        Some(on) => p.service().smtp_alert = Some(on),
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("Invalid virtual_server smtp_alert parameter {given}"));
        }
    }
    Ok(())
}

pub(super) fn virtualhost(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        Some(host) => host.clone_into(&mut it(p).virtualhost),
        None => p.say(words, 0, "virtual server virtualhost missing"),
    }
    Ok(())
}

pub(super) fn quorum_script(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let up = words.keyword() == "quorum_up";
    let known = if up { &it(p).quorum_up } else { &it(p).quorum_down };
    if known.is_some() {
        let script = p.word(words, 1)?;
        let name = group_name(p);
        p.say(words, 1, &format!("({name}) {} script already specified - ignoring {script}", words.keyword()));
        return Ok(());
    }
    let command = script::notify(p, words, "quorum")?;
    let slot = if up { &mut it(p).quorum_up } else { &mut it(p).quorum_down };
    *slot = command;
    Ok(())
}

/// The name of the group a service is named by; keepalived prints `(null)` for others.
pub(super) fn group_name(p: &mut Parser<'_>) -> String {
    match &it(p).name {
        ServiceName::Group(name) => name.clone(),
        ServiceName::Address(..) | ServiceName::Mark(_) => "(null)".to_owned(),
    }
}

pub(super) fn quorum(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    let quorum = p.unsigned(words, 1, 1, u32::MAX, true)?;
    if quorum.is_none() {
        p.say(words, 1, &format!("Quorum {given} must be in [1, 4294967295]. Setting to 1."));
    }
    it(p).quorum = quorum.unwrap_or(1);
    Ok(())
}

pub(super) fn hysteresis(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, u32::MAX, true)? {
        None => p.say(words, 1, &format!("Hysteresis {given} must be in [0, 4294967295] - ignoring")),
        Some(hysteresis) => it(p).hysteresis = hysteresis,
    }
    Ok(())
}

pub(super) fn weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, WEIGHT_MAX, true)? {
        None => p.say(words, 1, &format!("Virtual server weight {given} is outside range 1-{WEIGHT_MAX}")),
        Some(weight) => it(p).weight = weight,
    }
    Ok(())
}

pub(super) fn sorry_server(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match address_port(p, words, 1)? {
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("Invalid sorry server IP address {given} - skipping"));
        }
        Some((address, port)) => {
            let forwarding = p.service().forwarding.clone();
            p.service().sorry = Some(SorryDraft { address, port, forwarding, inhibit: false });
        }
    }
    Ok(())
}

pub(super) fn sorry_inhibit(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match &mut p.service().sorry {
        Some(sorry) => sorry.inhibit = true,
        None => p.say(words, 0, "Ignoring sorry_server inhibit used before or without sorry_server"),
    }
    Ok(())
}

pub(super) fn sorry_method(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if p.service().sorry.is_none() {
        p.say(words, 0, "sorry_server forwarding used without sorry_server");
        return Ok(());
    }
    let found = forwarding(p, words, "sorry")?;
    if let (Some(found), Some(sorry)) = (found, &mut p.service().sorry) {
        sorry.forwarding = Some(found);
    }
    Ok(())
}

/// Addresses of one range.
pub(super) const RANGE_MAX: u32 = 65_535;

/// The last address of `A/LEN`, `A-B` or `A-D`; of `A`, itself.
pub(super) fn range_end(
    p: &mut Parser<'_>,
    line: &Words,
    given: &str,
    start: Ipv4Addr,
) -> Result<Option<Ipv4Addr>, Stop> {
    if let Some((_, mask)) = given.split_once('/') {
        let Some(mask) = mask.parse::<u32>().ok().filter(|mask| (1..=32).contains(mask)) else {
            p.say(line, 0, &format!("Invalid netmask - {given} - skipping"));
            return Ok(None);
        };
        let host_part = u32::MAX.checked_shr(mask).unwrap_or(0);
        if start.to_bits() & host_part != 0 {
            p.say(line, 0, &format!("Address mask bits not empty - {given} - skipping"));
            return Ok(None);
        }
        return Ok(Some(Ipv4Addr::from_bits(start.to_bits() | host_part)));
    }
    let Some((_, last)) = given.split_once('-') else { return Ok(Some(start)) };
    if last.contains('.') {
        let Ok(end) = last.parse::<Ipv4Addr>() else {
            p.say(line, 0, &format!("Invalid range end {given} - skipping"));
            return Ok(None);
        };
        if start > end {
            let text = format!("Address range end is less than address range start - {given} - skipping");
            p.say(line, 0, &text);
            return Ok(None);
        }
        return Ok(Some(end));
    }
    let read = super::number::whole(last);
    if !read.complete {
        let warn = if p.test { "" } else { "WARNING - " };
        let extra = last.trim_start_matches(|c: char| c.is_ascii_digit());
        let text = format!("{warn}Virtual server group range '{given}' has extra characters at end '{extra}'");
        p.say(line, 0, &text);
        if p.test {
            return Ok(None);
        }
    } else if read.value > 255 || read.value < 0 {
        p.say(line, 0, &format!("Virtual server group range '{given}' end '{last}' too large"));
        return Ok(None);
    }
    let [a, b, c, d] = start.octets();
    let last = u8::try_from(read.value).unwrap_or(0);
    if d >= last {
        let text = format!("Address range end is not greater than address range start - {given} - skipping");
        p.say(line, 0, &text);
        return Ok(None);
    }
    Ok(Some(Ipv4Addr::new(a, b, c, last)))
}

pub(super) fn ssl_open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if p.drafts.ssl {
        p.say(words, 0, "SSL context already specified - replacing");
    }
    p.drafts.ssl = true;
    Ok(())
}

pub(super) fn ssl_file(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() < 2 {
        let kind = match words.keyword() {
            "ca" => "cafile",
            "certificate" => "certfile",
            "key" => "keyfile",
            other => other,
        };
        p.say(words, 0, &format!("SSL {kind} missing"));
    }
    Ok(())
}
