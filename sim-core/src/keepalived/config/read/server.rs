//! `real_server` and what stands in it, but for its checkers.

use super::draft::{Family, ServerDraft, Times};
use super::limits::{TIMER_MAX, TIMER_UNLIMITED, WEIGHT_MAX};
use super::parser::{Outcome, Parser};
use super::script;
use super::service::{address_port, forwarding, group_name, timer};
use super::words::Words;
use crate::keepalived::config::{Forwarding, RealServer};
use crate::trace::record::Method;

pub(super) fn open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some((address, port)) = address_port(p, words, 1)? else {
        let (ip, port) = (words.get(1).unwrap_or_default(), words.get(2).unwrap_or("(null)"));
        p.say(words, 1, &format!("Invalid real server ip address/port {ip}/{port} - skipping"));
        p.skip_block();
        return Ok(());
    };
    if address.is_ipv6() {
        p.refuse(words, 1, "IPv6 is not modelled", "use IPv4 addresses");
    }
    let forwarding = p.service().forwarding.clone();
    let it = RealServer {
        address,
        port,
        forwarding: Forwarding::default(),
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
        inhibit_on_failure: false,
        alpha: false,
        notify_up: None,
        notify_down: None,
        smtp_alert: false,
        virtualhost: String::new(),
        checkers: Vec::new(),
    };
    p.service().servers.push(ServerDraft {
        it,
        place: words.place(1),
        forwarding,
        weight: None,
        inhibit: None,
        alpha: None,
        smtp_alert: None,
        times: Times::default(),
        checkers: Vec::new(),
    });
    Ok(())
}

/// A server of another address family than its service is taken out, unless it is reached by a tunnel.
pub(super) fn close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(server) = p.service().servers.last() else { return Ok(()) };
    let address = server.it.address;
    if server.forwarding.as_ref().is_some_and(|forwarding| forwarding.method == Method::Tun) {
        return Ok(());
    }
    let family = Family::of(address);
    if *p.service().family.get_or_insert(family) != family {
        let text =
            format!("Address family of virtual server and real server {address} don't match - skipping real server.");
        p.say(words, 0, &text);
        p.service().servers.pop();
    }
    Ok(())
}

pub(super) fn weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, WEIGHT_MAX, true)? {
        None => p.say(words, 1, &format!("Real server weight {given} is outside range 0-{WEIGHT_MAX}")),
        Some(weight) => p.server().weight = Some(weight),
    }
    Ok(())
}

pub(super) fn method(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(found) = forwarding(p, words, "real")? {
        p.server().forwarding = Some(found);
    }
    Ok(())
}

pub(super) fn threshold(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, u32::MAX, true)? {
        None => p.say(words, 1, &format!("Invalid real_server {keyword} '{given}' - ignoring")),
        Some(count) if keyword == "uthreshold" => p.server().it.upper_threshold = count,
        Some(count) => p.server().it.lower_threshold = count,
    }
    Ok(())
}

/// `inhibit_on_failure`, `alpha`, `smtp_alert`.
pub(super) fn switch(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let Some(on) = Parser::on_off(words, 1) else {
        let given = words.get(1).unwrap_or_default();
        let keyword = if keyword == "smtp_alert" { "real_server smtp_alert" } else { keyword };
        p.say(words, 1, &format!("Invalid {keyword} parameter {given}"));
        return Ok(());
    };
    let server = p.server();
    let slot = match keyword {
        "inhibit_on_failure" => &mut server.inhibit,
        "alpha" => &mut server.alpha,
        _ => &mut server.smtp_alert,
    };
    *slot = Some(on);
    Ok(())
}

pub(super) fn notify(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let up = words.keyword() == "notify_up";
    let known = if up { p.server().it.notify_up.is_some() } else { p.server().it.notify_down.is_some() };
    if known {
        let script = p.word(words, 1)?;
        let name = group_name(p);
        p.say(words, 1, &format!("({name}) {} script already specified - ignoring {script}", words.keyword()));
        return Ok(());
    }
    let command = script::notify(p, words, "notify")?;
    let it = &mut p.server().it;
    let slot = if up { &mut it.notify_up } else { &mut it.notify_down };
    *slot = command;
    Ok(())
}

pub(super) fn times(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword().to_owned();
    let (least, most) = match keyword.as_str() {
        "connect_timeout" => (1, TIMER_MAX),
        "delay_loop" => (1, TIMER_UNLIMITED),
        _ => (0, TIMER_UNLIMITED),
    };
    let quote = if keyword == "connect_timeout" { "{}" } else { "'{}'" };
    let text = format!("real server {keyword} {quote} invalid - ignoring");
    let Some(span) = timer(p, words, least, most, &text)? else { return Ok(()) };
    set(&mut p.server().times, &keyword, span);
    Ok(())
}

/// Sets the timer of that keyword.
pub(super) fn set(times: &mut Times, keyword: &str, span: crate::base::time::Duration) {
    let slot = match keyword {
        "connect_timeout" => &mut times.connect_timeout,
        "delay_loop" => &mut times.delay_loop,
        "delay_before_retry" => &mut times.delay_before_retry,
        _ => &mut times.warmup,
    };
    *slot = Some(span);
}

pub(super) fn retry(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, u32::MAX, false)? {
        None => p.say(words, 1, &format!("retry value invalid - {given}")),
        Some(retry) => p.server().times.retry = Some(retry),
    }
    Ok(())
}

pub(super) fn virtualhost(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        Some(host) => host.clone_into(&mut p.server().it.virtualhost),
        None => p.say(words, 0, "real server virtualhost missing"),
    }
    Ok(())
}
