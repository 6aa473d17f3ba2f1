//! `global_defs`, and the single words at the root.

use super::limits::{LVS_TIMEOUT_MAX, SECONDS_MAX, TIMER_MAX};
use super::parser::{Outcome, Parser, Stop};
use super::script;
use super::words::Words;
use super::{address, lines};
use crate::base::time::Duration;
use crate::keepalived::config::global::{Fifo, LvsFlush, SyncDaemon};
use crate::keepalived::config::{Command, Global, Version};
use std::net::IpAddr;

/// Nothing to read: the words that have no effect here.
pub(super) fn nothing(_: &mut Parser<'_>, _: &Words) -> Outcome {
    Ok(())
}

/// A value that has no effect here but must be there.
pub(super) fn one_word(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.word(words, 1).map(|_| ())
}

fn text(p: &mut Parser<'_>, words: &Words, missing: &str) -> Option<String> {
    match words.get(1) {
        Some(value) => Some(value.to_owned()),
        None => {
            p.say(words, 0, missing);
            None
        }
    }
}

fn global<'p>(p: &'p mut Parser<'_>) -> &'p mut Global {
    &mut p.drafts.global.global
}

pub(super) fn router_id(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(value) = text(p, words, "routerid name missing - ignoring") {
        global(p).router_id = value;
    }
    Ok(())
}

pub(super) fn email_from(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(value) = text(p, words, "emailfrom missing - ignoring") {
        global(p).email_from = value;
    }
    Ok(())
}

pub(super) fn email(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let mut found = Vec::new();
    p.value_block(words, |_, line| {
        found.extend_from_slice(line.from(0));
        Ok(())
    })?;
    if found.is_empty() {
        p.say(words, 0, "Warning - empty notification_email block");
    }
    global(p).email_to = found;
    Ok(())
}

/// `vrrp_priority` and so on: checked, without effect.
pub(super) fn process_priority(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.get(1).is_some() && p.int(words, 1, -20, 19, false)?.is_none() {
        let process = words.keyword().trim_end_matches("_priority").to_owned();
        p.say(words, 1, &format!("Invalid {process} process priority specified"));
    }
    Ok(())
}

/// `vrrp_rt_priority` and so on: checked, without effect.
pub(super) fn real_time_priority(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let process = words.keyword().trim_end_matches("_rt_priority").to_owned();
    let Some(given) = words.get(1) else {
        p.say(words, 0, &format!("No {process} process real-time priority specified"));
        return Ok(());
    };
    let (least, most) = (1, 99);
    match p.int(words, 1, i32::MIN.into(), i32::MAX.into(), true)? {
        None => p.say(words, 1, &format!("{process} process real-time priority '{given}' invalid")),
        Some(value) if value < least => {
            let text =
                format!("{process} process real-time priority {value} less than minimum {least} - setting to minimum");
            p.say(words, 1, &text);
        }
        Some(value) if value > most => {
            let text = format!(
                "{process} process real-time priority {value} greater than maximum {most} - setting to maximum"
            );
            p.say(words, 1, &text);
        }
        Some(_) => {}
    }
    Ok(())
}

/// The name of a table for nftables: checked, without effect.
pub(super) fn nftables(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if std::mem::replace(&mut p.drafts.global.nftables, true) {
        p.say(words, 0, "nftables already specified - ignoring");
    }
    Ok(())
}

/// A file with the time of a reload: checked, without effect.
pub(super) fn reload_time_file(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() != 2 {
        p.say(words, 0, "reload_time_file invalid");
    }
    Ok(())
}

pub(super) fn iptables(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let text = "iptables not supported, using nftables instead. Please replace 'vrrp_iptables and 'vrrp_ipsets' with 'nftables' config option";
    p.say(words, 0, text);
    p.drafts.global.nftables = true;
    Ok(())
}

pub(super) fn ipsets(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.say_hint(words, 0, "Unknown keyword 'vrrp_ipsets'", "keepalived is built without ipset on Debian");
    Ok(())
}

pub(super) fn smtp_server(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let host = p.word(words, 1)?.to_owned();
    let port = match words.get(2) {
        None => Some(25),
        Some(_) => p.unsigned(words, 2, 1, 65535, true)?,
    };
    match port.and_then(|port| u16::try_from(port).ok()) {
        Some(port) => global(p).smtp_server = Some((host, port)),
        None => {
            let port = words.get(2).unwrap_or("25");
            p.say(words, 1, &format!("Invalid smtp server {host} {port}"));
        }
    }
    Ok(())
}

pub(super) fn smtp_helo(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(name) = words.get(1) {
        global(p).smtp_helo_name = name.to_owned();
    }
    Ok(())
}

pub(super) fn smtp_timeout(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match p.unsigned(words, 1, 0, SECONDS_MAX, true)? {
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("smtp_connect_timeout '{given}' must be in [0, {SECONDS_MAX}] - ignoring"));
        }
        Some(0) => {
            p.say(words, 1, "smtp_conect_timeout must be greater than 0, setting to 1");
            global(p).smtp_connect_timeout = Duration::from_secs(1);
        }
        Some(seconds) => global(p).smtp_connect_timeout = Duration::from_secs(seconds.into()),
    }
    Ok(())
}

/// A switch whose message for a wrong value names the value (`{}`), or not.
fn switch(p: &mut Parser<'_>, words: &Words, message: &str) -> Option<bool> {
    let value = Parser::on_off(words, 1);
    if value.is_none() {
        let given = words.get(1).unwrap_or_default();
        p.say(words, 1, &message.replace("{}", given));
    }
    value
}

pub(super) fn smtp_alert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let on = switch(p, words, &format!("Invalid value '{{}}' for global {} specified", words.keyword()));
    let draft = &mut p.drafts.global;
    match (on, words.keyword()) {
        (None, _) => {}
        (on, "smtp_alert_vrrp") => draft.smtp_alert_vrrp = on,
        (on, "smtp_alert_checker") => draft.smtp_alert_checker = on,
        (on, _) => draft.smtp_alert = on,
    }
    Ok(())
}

pub(super) fn no_email_faults(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).no_email_faults = true;
    Ok(())
}

pub(super) fn no_checker_emails(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(on) = switch(p, words, "Invalid value '{}' for global no_checker_emails specified") {
        global(p).no_checker_emails = on;
    }
    Ok(())
}

pub(super) fn rs_init_notifies(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).rs_init_notifies = true;
    Ok(())
}

pub(super) fn log_all_failures(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(on) = switch(p, words, "Invalid value for checker_log_all_failures specified") {
        global(p).checker_log_all_failures = on;
    }
    Ok(())
}

pub(super) fn default_interface(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(name) = text(p, words, "default_interface requires interface name") {
        global(p).default_interface = name;
    }
    Ok(())
}

pub(super) fn dynamic_interfaces(p: &mut Parser<'_>, words: &Words) -> Outcome {
    global(p).dynamic_interfaces = true;
    if let Some(option) = words.get(1).filter(|&option| option != "allow_if_changes") {
        p.say(words, 1, &format!("Unknown dynamic_interfaces option '{option}'"));
    }
    Ok(())
}

pub(super) fn lvs_timeouts(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() < 3 {
        p.say(words, 0, "lvs_timeouts requires at least one option");
        return Ok(());
    }
    let mut index = 1;
    while let Some(option) = words.get(index) {
        if !matches!(option, "tcp" | "tcpfin" | "udp") {
            p.say(words, index, &format!("Unknown option {option} specified for lvs_timeouts"));
            index += 1;
            continue;
        }
        let Some(given) = words.get(index + 1) else {
            p.say(words, index, &format!("No value specified for lvs_timeout {option} - ignoring"));
            break;
        };
        match p.unsigned(words, index + 1, 0, LVS_TIMEOUT_MAX, false)? {
            None => p.say(words, index + 1, &format!("Invalid lvs_timeout {option} ({given}) - ignoring")),
            Some(seconds) => {
                let timeouts = &mut global(p).lvs_timeouts;
                let timeout = match option {
                    "tcp" => &mut timeouts.tcp,
                    "tcpfin" => &mut timeouts.tcp_fin,
                    _ => &mut timeouts.udp,
                };
                *timeout = Duration::from_secs(seconds.into());
            }
        }
        index += 2;
    }
    Ok(())
}

pub(super) fn lvs_flush(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).lvs_flush = true;
    Ok(())
}

pub(super) fn lvs_flush_on_stop(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        None => global(p).lvs_flush_on_stop = LvsFlush::All,
        Some("VS") => global(p).lvs_flush_on_stop = LvsFlush::Services,
        Some(other) => p.say(words, 1, &format!("Unknown lvs_flush_on_stop type {other}")),
    }
    Ok(())
}

pub(super) fn lvs_sync_daemon(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(given) = &p.drafts.global.global.lvs_sync_daemon {
        let text =
            format!("lvs_sync_daemon has already been specified as {} {} - ignoring", given.interface, given.instance);
        p.say(words, 0, &text);
        return Ok(());
    }
    let Some(interface) = words.get(1) else {
        p.say(words, 0, "lvs_sync_daemon requires interface");
        return Ok(());
    };
    if interface.len() >= 16 {
        p.say(words, 1, &format!("lvs_sync_daemon interface name '{interface}' too long - ignoring"));
        return Ok(());
    }
    let mut daemon = SyncDaemon { interface: interface.to_owned(), ..SyncDaemon::default() };
    let mut index = 2;
    while let Some(option) = words.get(index) {
        index += sync_option(p, words, (index, option), &mut daemon)?;
    }
    global(p).lvs_sync_daemon = Some(daemon);
    Ok(())
}

/// One option of `lvs_sync_daemon`; how many words it takes.
fn sync_option(p: &mut Parser<'_>, words: &Words, at: (usize, &str), daemon: &mut SyncDaemon) -> Result<usize, Stop> {
    let (index, option) = at;
    if option == "inst" {
        let name = p.word(words, index + 1)?;
        if daemon.instance.is_empty() {
            daemon.instance = name.to_owned();
        } else {
            let text =
                format!("lvs_sync_daemon vrrp instance has already been specified as {} - ignoring", daemon.instance);
            p.say(words, index, &text);
        }
        return Ok(2);
    }
    let range = match option {
        "id" => Some((0, 255)),
        "maxlen" => Some((1, 65535 - 28)),
        "port" => Some((1, 65535)),
        "ttl" => Some((1, 255)),
        "group" => None,
        // Before 2.0: lvs_sync_daemon IF INSTANCE [ID].
        _ if index == 2 => {
            daemon.instance = option.to_owned();
            return Ok(1);
        }
        _ if index == 3 => {
            match p.unsigned(words, 3, 0, 255, false)? {
                None => p.say(words, 3, &format!("Invalid syncid ({option}) - defaulting to vrid")),
                Some(id) => {
                    p.say(words, 3, "Please use keyword \"id\" before lvs_sync_daemon SYNCID");
                    daemon.id = u8::try_from(id).ok();
                }
            }
            return Ok(1);
        }
        _ => {
            p.say(words, index, &format!("Unknown option {option} specified for lvs_sync_daemon"));
            return Ok(1);
        }
    };
    let ignoring = if option == "id" { ", defaulting to vrid" } else { " - ignoring" };
    let Some(given) = words.get(index + 1) else {
        p.say(words, index, &format!("No value specified for lvs_sync_daemon {option}{ignoring}"));
        return Ok(1);
    };
    let Some((least, most)) = range else {
        match given.parse::<IpAddr>() {
            Ok(group) if group.is_multicast() => daemon.group = Some(group),
            Ok(_) => {
                p.say(words, index + 1, &format!("lvs_sync_daemon group address {given} is not multicast - ignoring"))
            }
            Err(_) => p.say(words, index + 1, &format!("Invalid lvs_sync_daemon group ({given}) - ignoring")),
        }
        return Ok(2);
    };
    match (p.unsigned(words, index + 1, least, most, false)?, option) {
        (None, "id") => p.say(words, index + 1, &format!("Invalid syncid ({given}) - defaulting to vrid")),
        (None, _) => p.say(words, index + 1, &format!("Invalid lvs_sync_daemon {option} ({given}) - ignoring")),
        (Some(value), "id") => daemon.id = u8::try_from(value).ok(),
        (Some(value), "maxlen") => daemon.max_len = u16::try_from(value).ok(),
        (Some(value), "port") => daemon.port = u16::try_from(value).ok(),
        (Some(value), _) => daemon.ttl = u8::try_from(value).ok(),
    }
    Ok(2)
}

pub(super) fn multicast_group4(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    match address::host(&given) {
        None => p.say(words, 1, &format!("Can't parse vrrp_mcast_group4 [{given}]. Skipping")),
        Some(IpAddr::V6(_)) => p.say(words, 1, &format!("vrrp_mcast_group4 [{given}] is not IPv4. Skipping")),
        Some(IpAddr::V4(group)) if !group.is_multicast() => {
            p.say(words, 1, &format!("vrrp_mcast_group4 [{given}] is not multicast. Skipping"));
        }
        Some(IpAddr::V4(group)) => global(p).multicast_group = group,
    }
    Ok(())
}

pub(super) fn multicast_group6(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    match address::host(&given) {
        None => p.say(words, 1, &format!("Can't parse vrrp_mcast_group6 [{given}]. Skipping")),
        Some(IpAddr::V4(_)) => p.say(words, 1, &format!("vrrp_mcast_group6 [{given}] is not IPv6. Skipping")),
        Some(IpAddr::V6(group)) if !group.is_multicast() => {
            p.say(words, 1, &format!("vrrp_mcast_group6 [{given}] is not multicast. Skipping"));
        }
        Some(IpAddr::V6(_)) => {}
    }
    Ok(())
}

pub(super) fn garp(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let invalid = match keyword {
        "vrrp_garp_master_refresh" => "Invalid vrrp_garp_master_refresh '{}' - ignoring",
        "vrrp_garp_lower_prio_repeat" => "Invalid vrrp_garp_lower_prio_repeat '{}'",
        _ => "",
    };
    let most = match keyword {
        "vrrp_garp_master_delay" | "vrrp_garp_lower_prio_delay" => SECONDS_MAX,
        "vrrp_garp_lower_prio_repeat" => i32::MAX as u32,
        _ => u32::MAX,
    };
    let given = words.get(1).unwrap_or_default();
    let Some(mut value) = p.unsigned(words, 1, 0, most, true)? else {
        let text = if invalid.is_empty() {
            format!("{keyword} '{given}' invalid - ignoring")
        } else {
            invalid.replace("{}", given)
        };
        p.say(words, 1, &text);
        return Ok(());
    };
    if value == 0 && matches!(keyword, "vrrp_garp_master_repeat" | "vrrp_garp_master_refresh_repeat") {
        p.say(words, 1, &format!("{keyword} must be greater than 0, setting to 1"));
        value = 1;
    }
    let (draft, span) = (&mut p.drafts.global, Duration::from_secs(value.into()));
    match keyword {
        "vrrp_garp_master_delay" => draft.garp_delay = span,
        "vrrp_garp_master_repeat" => draft.garp_repeat = value,
        "vrrp_garp_master_refresh" => draft.garp_refresh = span,
        "vrrp_garp_master_refresh_repeat" => draft.garp_refresh_repeat = value,
        "vrrp_garp_lower_prio_delay" => draft.garp_lower_delay = Some(span),
        _ => draft.garp_lower_repeat = Some(value),
    }
    Ok(())
}

pub(super) fn garp_interval(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let given = p.word(words, 1)?.to_owned();
    match p.time(words, 1, (1, TIMER_MAX))? {
        None => p.say(words, 1, &format!("{keyword} '{given}' is invalid")),
        Some(interval) => {
            let slot = match keyword {
                "vrrp_gna_interval" => &mut global(p).gna_interval,
                _ => &mut global(p).garp_interval,
            };
            *slot = interval;
            if interval >= Duration::from_secs(1) {
                p.log(words, &format!("The {keyword} is very large - {given} seconds"));
            }
        }
    }
    Ok(())
}

pub(super) fn min_garp(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(on) = switch(p, words, "Invalid value for vrrp_min_garp specified") else { return Ok(()) };
    if !on {
        return Ok(());
    }
    let draft = &mut p.drafts.global;
    // What was set to something else stays.
    if draft.garp_repeat == 5 {
        draft.garp_repeat = 1;
    }
    if draft.garp_refresh_repeat == 1 {
        draft.garp_refresh_repeat = 0;
    }
    if draft.garp_delay == Duration::from_secs(5) {
        draft.garp_delay = Duration::ZERO;
    }
    Ok(())
}

pub(super) fn garp_extra(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword().to_owned();
    if keyword == "vrrp_vmac_garp_intvl" {
        p.say(words, 0, "Keyword \"vrrp_vmac_garp_intvl\" is deprecated - please use \"vrrp_garp_extra_if\"");
    }
    let mut delay = None;
    for index in 1..words.count() {
        if words.get(index) == Some("all") {
            continue;
        }
        let given = words.get(index).unwrap_or_default();
        delay = p.unsigned(words, index, 1, 86_400, true)?;
        if delay.is_none() {
            p.say(words, index, &format!("{keyword} '{given}' invalid - ignoring"));
            return Ok(());
        }
    }
    match delay {
        Some(delay) => p.drafts.global.garp_extra = Duration::from_secs(delay.into()),
        None => p.say(words, 0, &format!("{keyword} specified without time - ignoring")),
    }
    Ok(())
}

pub(super) fn down_timer_adverts(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, 100, true)? {
        None => p.say(words, 1, &format!("Invalid vrrp_down_timer_adverts [1:100] '{given}'")),
        Some(count) => p.drafts.global.down_timer_adverts = u8::try_from(count).unwrap_or(3),
    }
    Ok(())
}

pub(super) fn lower_prio_no_advert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(on) = switch(p, words, "Invalid value for vrrp_lower_prio_no_advert specified") {
        p.drafts.global.lower_prio_no_advert = on;
    }
    Ok(())
}

pub(super) fn higher_prio_send_advert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(on) = switch(p, words, "Invalid value for vrrp_higher_prio_send_advert specified") {
        p.drafts.global.higher_prio_send_advert = on;
    }
    Ok(())
}

pub(super) fn version(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match p.int(words, 1, 2, 3, true)? {
        None => p.say(words, 1, "VRRP Error: Version must be either 2 or 3"),
        Some(2) => p.drafts.global.version = Version::V2,
        Some(_) => p.drafts.global.version = Version::V3,
    }
    Ok(())
}

pub(super) fn check_unicast_src(p: &mut Parser<'_>, _: &Words) -> Outcome {
    p.drafts.global.check_unicast_source = true;
    Ok(())
}

pub(super) fn skip_check_adv_addr(p: &mut Parser<'_>, _: &Words) -> Outcome {
    p.drafts.global.skip_check_adv_addr = true;
    Ok(())
}

pub(super) fn strict(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).strict = true;
    Ok(())
}

pub(super) fn startup_delay(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    match p.time(words, 1, (1_000, TIMER_MAX))? {
        None => p.say(words, 1, &format!("vrrp_startup_delay '{given}' is invalid")),
        Some(delay) => {
            global(p).startup_delay = delay;
            if delay >= Duration::from_secs(60) {
                p.log(words, &format!("The vrrp_startup_delay is very large - {given} seconds"));
            }
        }
    }
    Ok(())
}

pub(super) fn log_unknown_vrids(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).log_unknown_vrids = true;
    Ok(())
}

pub(super) fn priority_changes(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(on) = switch(p, words, "Invalid value '{}' for global vrrp_notify_priority_changes specified") {
        p.drafts.global.priority_changes = on;
    }
    Ok(())
}

pub(super) fn fifo_states(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).fifo_states_on_reload = true;
    Ok(())
}

/// The part of a keyword before `notify_fifo`: keepalived's name for the kind.
fn fifo_kind(keyword: &str) -> &str {
    keyword.split("notify_fifo").next().unwrap_or_default()
}

fn fifo_slot<'p>(p: &'p mut Parser<'_>, kind: &str) -> &'p mut Option<Fifo> {
    match kind {
        "vrrp_" => &mut global(p).vrrp_notify_fifo,
        "lvs_" => &mut global(p).lvs_notify_fifo,
        _ => &mut global(p).notify_fifo,
    }
}

pub(super) fn fifo(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let kind = fifo_kind(words.keyword());
    let Some(path) = words.get(1) else {
        p.say(words, 0, &format!("No {kind}notify_fifo name specified"));
        return Ok(());
    };
    if fifo_slot(p, kind).as_ref().is_some_and(|fifo| !fifo.path.is_empty()) {
        p.say(words, 1, &format!("{kind}notify_fifo already specified - ignoring {path}"));
        return Ok(());
    }
    if let Some(user) = words.get(2).filter(|user| !p.around.has_user(user)) {
        p.log(words, &format!("Script user '{user}' does not exist"));
        p.log(words, &format!("Invalid user/group for {kind} fifo (null) - ignoring"));
        return Ok(());
    }
    fifo_slot(p, kind).get_or_insert_default().path = path.to_owned();
    Ok(())
}

pub(super) fn fifo_script(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let kind = fifo_kind(words.keyword());
    let Some(path) = words.get(1) else {
        p.say(words, 0, &format!("No {kind}notify_fifo_script specified"));
        return Ok(());
    };
    if fifo_slot(p, kind).as_ref().is_some_and(|fifo| fifo.script.is_some()) {
        p.say(words, 1, &format!("{kind}notify_fifo_script already specified - ignoring {path}"));
        return Ok(());
    }
    let script = script::notify(p, words, &format!("{kind}notify_fifo"))?;
    fifo_slot(p, kind).get_or_insert_default().script = script;
    Ok(())
}

pub(super) fn script_user(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(user) = words.get(1) else {
        p.say(words, 0, "No script username specified");
        return Ok(());
    };
    p.drafts.global.script_user_sought = true;
    let (user, group) = (user.to_owned(), words.get(2).unwrap_or_default().to_owned());
    if !script::can_run_as(p, words, &user, &group) {
        p.say(words, 1, "Error setting global script uid/gid");
        p.drafts.global.script_user_bad = true;
        return Ok(());
    }
    global(p).script_user = (user, group);
    Ok(())
}

pub(super) fn script_security(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).script_security = true;
    Ok(())
}

/// `startup_script` or `shutdown_script`.
pub(super) fn start_stop_script(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let kind = words.keyword().trim_end_matches("_script").to_owned();
    let is_startup = kind == "startup";
    let given =
        if is_startup { &p.drafts.global.global.startup_script } else { &p.drafts.global.global.shutdown_script };
    if given.is_some() {
        p.say(words, 0, &format!("{kind} script already specified"));
        return Ok(());
    }
    if words.get(1).is_none() {
        p.say(words, 0, &format!("{kind} script missing"));
        return Ok(());
    }
    let Some(command) = script::notify(p, words, &kind)? else {
        p.say(words, 1, &format!("Invalid {kind} script"));
        return Ok(());
    };
    let with = |command: Command| Some((command, Duration::from_secs(10)));
    if is_startup {
        global(p).startup_script = with(command);
    } else {
        global(p).shutdown_script = with(command);
    }
    Ok(())
}

/// `startup_script_timeout` or `shutdown_script_timeout`.
pub(super) fn start_stop_timeout(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let kind = words.keyword().trim_end_matches("_script_timeout").to_owned();
    let Some(given) = words.get(1) else {
        p.say(words, 0, &format!("{kind}_script_timeout requires value"));
        return Ok(());
    };
    match p.unsigned(words, 1, 1, 1000, true)? {
        None => p.say(words, 1, &format!("{kind}_script_timeout '{given}' must be in [1, 1000] - ignoring")),
        Some(seconds) => {
            let span = Some(Duration::from_secs(seconds.into()));
            let draft = &mut p.drafts.global;
            if kind == "startup" { draft.startup_timeout = span } else { draft.shutdown_timeout = span }
        }
    }
    Ok(())
}

pub(super) fn max_auto_priority(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(given) = words.get(1) else {
        global(p).max_auto_priority = Some(99);
        return Ok(());
    };
    match p.int(words, 1, -1, 99, true)? {
        None => {
            p.say(words, 1, &format!("max_auto_priority '{given}' must be in [0, 99] (or -1 to disable) - ignoring"))
        }
        Some(0) => {}
        Some(priority) => global(p).max_auto_priority = i32::try_from(priority).ok(),
    }
    Ok(())
}

pub(super) fn include_check(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let all = lines::CHECK_READ | lines::CHECK_MATCH | lines::CHECK_WILDCARD | lines::CHECK_BRACE;
    if words.count() == 1 {
        p.lines.include_check = all;
    }
    for (index, word) in words.from(1).iter().enumerate() {
        let (change, name) = match word.split_at_checked(1) {
            Some((sign @ ("+" | "-"), name)) => (Some(sign), name),
            _ => (None, word.as_str()),
        };
        if change.is_none() && index > 0 {
            p.say(words, index + 1, &format!("Duplicate include_check '{word}' specified - ignoring"));
            continue;
        }
        let flag = match name {
            "read" => lines::CHECK_READ,
            "match" => lines::CHECK_MATCH,
            "wildcard_match" => lines::CHECK_WILDCARD,
            "brace_match" => lines::CHECK_BRACE,
            _ => {
                p.say(words, index + 1, &format!("Unknown include_check type '{name}' - ignoring"));
                continue;
            }
        };
        match change {
            None => p.lines.include_check = lines::CHECK_READ | flag,
            Some("+") => p.lines.include_check |= flag,
            Some(_) => p.lines.include_check &= !flag,
        }
    }
    Ok(())
}

pub(super) fn reload_check_config(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).reload_check_config = true;
    Ok(())
}

pub(super) fn random_seed(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, u32::MAX, false)? {
        None => p.say(words, 1, &format!("random_seed {given} invalid")),
        Some(seed) => global(p).random_seed = Some(seed),
    }
    Ok(())
}

pub(super) fn net_namespace(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(name) = text(p, words, "net_namespace name missing - ignoring") else { return Ok(()) };
    if global(p).net_namespace.is_empty() {
        global(p).net_namespace = name;
        global(p).use_pid_dir = true;
    } else {
        p.say(words, 1, &format!("Duplicate net_namespace definition {name} - ignoring"));
    }
    Ok(())
}

pub(super) fn instance(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(name) = text(p, words, "instance name missing - ignoring") else { return Ok(()) };
    if global(p).instance_name.is_empty() {
        global(p).instance_name = name;
        global(p).use_pid_dir = true;
    } else {
        p.say(words, 1, &format!("Duplicate instance definition {name} - ignoring"));
    }
    Ok(())
}

pub(super) fn use_pid_dir(p: &mut Parser<'_>, _: &Words) -> Outcome {
    global(p).use_pid_dir = true;
    Ok(())
}

pub(super) fn child_wait_time(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, u32::MAX, false)? {
        None => p.say(words, 1, &format!("Invalid child_wait_time {given}")),
        Some(seconds) => global(p).child_wait_time = Duration::from_secs(seconds.into()),
    }
    Ok(())
}
