//! The checkers of a real server: `TCP_CHECK`, `HTTP_GET` and so on, with the words they have in common.

use super::address::host;
use super::draft::CheckerDraft;
use super::limits::{SECONDS_MAX, TIMER_MAX, TIMER_UNLIMITED, WEIGHT_MAX};
use super::parser::{Outcome, Parser};
use super::script;
use super::server::set;
use super::service::timer;
use super::words::Words;
use crate::base::time::Duration;
use crate::keepalived::config::checker::{Dns, Http, HttpProtocol, Misc, Regex, Smtp, Udp, Url};
use crate::keepalived::config::{CheckerKind, Direction, Weight};

/// Good answers of HTTP, if a url names none.
const STATUS_DEFAULT: (u16, u16) = (200, 299);
/// What `status_code` takes.
const STATUS: std::ops::RangeInclusive<i128> = 100..=599;

pub(super) fn open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let kind = match words.keyword() {
        "TCP_CHECK" => CheckerKind::Tcp,
        "PING_CHECK" => CheckerKind::Ping,
        "HTTP_GET" => CheckerKind::Http(Http::default()),
        "SSL_GET" => CheckerKind::Http(Http { tls: true, ..Http::default() }),
        "MISC_CHECK" => CheckerKind::Misc(Misc::default()),
        "SMTP_CHECK" => CheckerKind::Smtp(Smtp { helo_name: "smtpchecker.keepalived.org".to_owned() }),
        "DNS_CHECK" => CheckerKind::Dns(Dns { kind: "SOA".to_owned(), name: String::new() }),
        "FILE_CHECK" => CheckerKind::File(Vec::new()),
        "BFD_CHECK" => CheckerKind::Bfd(String::new()),
        _ => CheckerKind::Udp(Udp {
            payload: Vec::new(),
            require_reply: false,
            reply: Vec::new(),
            reply_mask: Vec::new(),
            min_reply_len: 0,
            max_reply_len: 255,
        }),
    };
    p.server().checkers.push(CheckerDraft::new(kind));
    Ok(())
}

pub(super) fn close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let checker = p.checker();
    let is_script = matches!(&checker.kind, CheckerKind::Misc(misc) if !misc.command.argv.is_empty());
    let user_bad = is_script && !checker.user_set && !checker.gone && !script::has_default_user(p, words);
    let checker = p.checker();
    let wrong = match &mut checker.kind {
        CheckerKind::Http(http) if http.urls.is_empty() => {
            Some("HTTP/SSL_GET checker has no urls specified - ignoring".to_owned())
        }
        CheckerKind::Misc(misc) if misc.command.argv.is_empty() => {
            Some("No script path has been specified for MISC_CHECKER - skipping".to_owned())
        }
        CheckerKind::Misc(misc) if user_bad => {
            Some(format!("Unable to set default user for misc script {} - removing", script::shown(&misc.command.argv)))
        }
        CheckerKind::File(files) if files.is_empty() => {
            Some("FILE_CHECK has no track_file specified - ignoring".to_owned())
        }
        CheckerKind::Udp(udp) if udp.min_reply_len > udp.max_reply_len => {
            let text = format!(
                "UDP_CHECK min_reply length {} > max_reply_length {} - will always fail",
                udp.min_reply_len, udp.max_reply_len
            );
            p.say(words, 0, &text);
            return Ok(());
        }
        CheckerKind::Dns(dns) => {
            if dns.name.is_empty() {
                ".".clone_into(&mut dns.name);
            }
            None
        }
        CheckerKind::Http(_)
        | CheckerKind::Misc(_)
        | CheckerKind::File(_)
        | CheckerKind::Udp(_)
        | CheckerKind::Tcp
        | CheckerKind::Ping
        | CheckerKind::Smtp(_)
        | CheckerKind::Bfd(_) => None,
    };
    let gone = checker.gone;
    if let Some(text) = wrong.as_ref().filter(|_| !gone) {
        p.say(words, 0, text);
    }
    if gone || wrong.is_some() {
        p.server().checkers.pop();
    }
    Ok(())
}

pub(super) fn connect_ip(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let given = p.word(words, 1)?.to_owned();
    match host(&given) {
        None => p.say(words, 1, &format!("Invalid {keyword} address {given} - ignoring")),
        Some(address) if address.is_ipv6() => p.refuse(words, 1, "IPv6 is not modelled", "use an IPv4 address"),
        address if keyword == "bindto" => p.checker().bind_address = address,
        address => p.checker().address = address,
    }
    Ok(())
}

pub(super) fn connect_port(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, 65535, true)?.and_then(|port| u16::try_from(port).ok()) {
        None => p.say(words, 1, &format!("Invalid checker {keyword} '{given}'")),
        Some(port) if keyword == "bind_port" => p.checker().bind_port = port,
        port => p.checker().port = port,
    }
    Ok(())
}

pub(super) fn bind_if(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    if given.len() > 15 {
        p.say(words, 1, &format!("Interface name {given} is too long - ignoring"));
    } else {
        p.checker().bind_interface = given;
    }
    Ok(())
}

pub(super) fn fwmark(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, u32::MAX, true)? {
        None => p.say(words, 1, &format!("Invalid fwmark connection value '{given}'")),
        Some(mark) => p.checker().mark = mark,
    }
    Ok(())
}

pub(super) fn times(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword().to_owned();
    let (least, most, text) = match keyword.as_str() {
        "connect_timeout" => (1, TIMER_MAX, "connect_timeout {} invalid - ignoring"),
        "delay_loop" => (1, TIMER_UNLIMITED, "delay_loop '{}' is invalid - ignoring"),
        "delay_before_retry" => (0, TIMER_UNLIMITED, "Invalid delay_before_retry connection value '{}'"),
        _ => (0, TIMER_UNLIMITED, "Invalid warmup connection value '{}'"),
    };
    if let Some(span) = timer(p, words, least, most, text)? {
        set(&mut p.checker().times, &keyword, span);
    }
    Ok(())
}

/// `retry`, and its old name `nb_get_retry`.
pub(super) fn retry(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    let old = words.keyword() == "nb_get_retry";
    if old {
        p.say(words, 0, "nb_get_retry is deprecated - please use 'retry'");
    }
    match p.unsigned(words, 1, 0, u32::MAX, true)? {
        None if old => p.say(words, 1, &format!("Invalid nb_get_retry value '{given}'")),
        None => p.say(words, 1, &format!("Invalid retry connection value '{given}'")),
        Some(retry) => p.checker().times.retry = Some(retry),
    }
    Ok(())
}

/// `alpha`, `log_all_failures`, `enable_sni`, `fast_recovery`.
pub(super) fn switch(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let Some(on) = Parser::on_off(words, 1) else {
        let given = words.get(1).unwrap_or_default();
        p.say(words, 1, &format!("Invalid {keyword} parameter {given}"));
        return Ok(());
    };
    let checker = p.checker();
    match keyword {
        "alpha" => checker.alpha = Some(on),
        "log_all_failures" => checker.log_all_failures = on,
        _ => {
            if let Some(http) = checker.http() {
                let slot = if keyword == "enable_sni" { &mut http.sni } else { &mut http.fast_recovery };
                *slot = on;
            }
        }
    }
    Ok(())
}

pub(super) fn virtualhost(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        Some(host) => host.clone_into(&mut p.checker().virtualhost),
        None => p.say(words, 0, "HTTP_GET virtualhost name missing"),
    }
    Ok(())
}

pub(super) fn http_protocol(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let protocol = match words.get(1) {
        None => {
            p.say(words, 0, "Missing http_protocol version");
            return Ok(());
        }
        Some("1.0") => HttpProtocol::Http10,
        Some("1.0C" | "1.0c") => HttpProtocol::Http10Close,
        Some("1.1") => HttpProtocol::Http11,
        Some(other) => {
            p.say(words, 1, &format!("Invalid http_protocol version {other}"));
            return Ok(());
        }
    };
    if let Some(http) = p.checker().http() {
        http.protocol = protocol;
    }
    Ok(())
}

fn url<'p>(p: &'p mut Parser<'_>) -> Option<&'p mut Url> {
    p.checker().http()?.urls.last_mut()
}

pub(super) fn url_open(p: &mut Parser<'_>, _: &Words) -> Outcome {
    if let Some(http) = p.checker().http() {
        http.urls.push(Url::default());
    }
    Ok(())
}

pub(super) fn url_close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(found) = url(p) else { return Ok(()) };
    if found.status.is_empty() {
        found.status.push(STATUS_DEFAULT);
    }
    let (pathless, patternless) =
        (found.path.is_empty(), found.regex.as_ref().is_some_and(|regex| regex.pattern.is_empty()));
    let mut crossed = None;
    if patternless {
        found.regex = None;
    } else if let Some(regex) = &mut found.regex
        && regex.max_offset > 0
        && regex.min_offset >= regex.max_offset
    {
        crossed = Some((regex.min_offset, regex.max_offset - 1));
        (regex.min_offset, regex.max_offset) = (0, 0);
    }
    if pathless {
        p.say(words, 0, "HTTP/SSL_GET checker url has no path - ignoring");
        if let Some(http) = p.checker().http() {
            http.urls.pop();
        }
        return Ok(());
    }
    if patternless {
        p.log(words, "regex parameters specified without regex");
    }
    if let Some((least, most)) = crossed {
        p.log(words, &format!("regex min offset {least} > regex_max_offset {most} - ignoring"));
    }
    Ok(())
}

pub(super) fn url_path(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let path = p.word(words, 1)?.to_owned();
    if let Some(url) = url(p) {
        url.path = path;
    }
    Ok(())
}

pub(super) fn url_digest(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    if url(p).is_some_and(|url| url.digest.is_some()) {
        p.say(words, 1, &format!("Digest '{given}' is a duplicate"));
        return Ok(());
    }
    if given.len() != 32 {
        let text = format!("digest '{given}' character length should be 32 rather than {}", given.len());
        p.say(words, 1, &text);
        return Ok(());
    }
    let mut digest = [0u8; 16];
    for (index, octet) in digest.iter_mut().enumerate().rev() {
        let at = 2 * index;
        let Some(value) = given.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()) else {
            let read = given.get(..at + 2).unwrap_or(&given);
            p.say(words, 1, &format!("Unable to interpret hex digit in '{read}' at offset {at}/{}", at + 1));
            return Ok(());
        };
        *octet = value;
    }
    if let Some(url) = url(p) {
        url.digest = Some(digest);
    }
    Ok(())
}

pub(super) fn url_status(p: &mut Parser<'_>, words: &Words) -> Outcome {
    for (index, given) in words.from(1).iter().enumerate() {
        let (low, high) = given.split_once('-').unwrap_or((given, given));
        let (low, high) = (super::number::whole(low), super::number::whole(high));
        let good = low.complete && high.complete && STATUS.contains(&low.value) && STATUS.contains(&high.value);
        if !good || low.value > high.value {
            p.say(words, index + 1, &format!("Invalid HTTP_GET status code '{given}'"));
            continue;
        }
        if let Some(url) = url(p) {
            url.status.push((u16::try_from(low.value).unwrap_or(0), u16::try_from(high.value).unwrap_or(0)));
        }
    }
    Ok(())
}

pub(super) fn url_virtualhost(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        None => p.say(words, 0, "Missing HTTP_GET virtualhost name"),
        Some(host) => {
            if let Some(url) = url(p) {
                host.clone_into(&mut url.virtualhost);
            }
        }
    }
    Ok(())
}

fn regex<'p>(p: &'p mut Parser<'_>) -> Option<&'p mut Regex> {
    url(p).map(|url| url.regex.get_or_insert_default())
}

pub(super) fn url_regex(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match super::text::quoted_words(&words.line.text).as_deref() {
        Ok([_, pattern]) => {
            if let Some(regex) = regex(p) {
                pattern.clone_into(&mut regex.pattern);
            }
        }
        Ok(_) | Err(_) => p.log(words, "regex missing or too many fields"),
    }
    Ok(())
}

pub(super) fn url_regex_no_match(p: &mut Parser<'_>, _: &Words) -> Outcome {
    if let Some(regex) = regex(p) {
        regex.must_not_match = true;
    }
    Ok(())
}

pub(super) fn url_regex_options(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(regex) = regex(p) {
        regex.options.extend_from_slice(words.from(1));
    }
    Ok(())
}

pub(super) fn url_regex_offset(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let offset = match words.from(1) {
        [given] => match given.parse::<u32>() {
            Ok(offset) => offset as usize,
            Err(_) => {
                p.log(words, &format!("Invalid {keyword} {given} specified"));
                0
            }
        },
        _ => {
            p.log(words, &format!("Missing or too may options for {keyword}"));
            0
        }
    };
    if let Some(regex) = regex(p) {
        match keyword {
            "regex_min_offset" => regex.min_offset = offset,
            _ => regex.max_offset = offset.saturating_add(1),
        }
    }
    Ok(())
}

pub(super) fn misc_path(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.word(words, 1)?;
    let argv = script::plain(p, words);
    if let Some(command) = p.checker().command() {
        command.argv = argv;
    }
    Ok(())
}

pub(super) fn misc_timeout(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, SECONDS_MAX, true)? {
        None => p.say(words, 1, &format!("Invalid misc_timeout value '{given}'")),
        Some(0) => p.checker().misc_timeout = None,
        Some(seconds) => p.checker().misc_timeout = Some(Duration::from_secs(seconds.into())),
    }
    Ok(())
}

pub(super) fn misc_dynamic(p: &mut Parser<'_>, _: &Words) -> Outcome {
    if let CheckerKind::Misc(misc) = &mut p.checker().kind {
        misc.dynamic = true;
    }
    Ok(())
}

pub(super) fn misc_user(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let script = p.checker().command().map(|command| script::shown(&command.argv)).unwrap_or_default();
    let Some(user) = words.get(1) else {
        p.say(words, 0, &format!("No user specified for misc checker script {script}"));
        return Ok(());
    };
    if !script::can_run_as(p, words, user, words.get(2).unwrap_or_default()) {
        p.say(words, 1, &format!("Failed to set uid/gid for misc checker script {script} - removing"));
        p.checker().gone = true;
        return Ok(());
    }
    let checker = p.checker();
    checker.user_set = true;
    if let Some(command) = checker.command() {
        user.clone_into(&mut command.user);
        words.get(2).unwrap_or_default().clone_into(&mut command.group);
    }
    Ok(())
}

/// Octets in hexadecimal with blanks between them; `x` stands for any half octet, if `mask` is wanted.
fn hex(text: &str, wild: bool) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut data, mut mask) = (Vec::new(), Vec::new());
    let digit = |c: char| match c {
        'x' | 'X' if wild => Some((0, 0)),
        c => c.to_digit(16).and_then(|value| u8::try_from(value).ok()).map(|value| (value, 0xf)),
    };
    for group in text.split([' ', '\t']).filter(|group| !group.is_empty()) {
        let mut chars = group.chars();
        while let Some(high) = chars.next() {
            let (high, high_mask) = digit(high)?;
            match chars.next() {
                None => {
                    data.push(high);
                    mask.push(high_mask);
                }
                Some(low) => {
                    let (low, low_mask) = digit(low)?;
                    data.push(high << 4 | low);
                    mask.push(high_mask << 4 | low_mask);
                }
            }
        }
    }
    // keepalived takes a last octet of ff for the sign that something was wrong.
    (data.last().is_some_and(|last| *last != 0xff)).then_some((data, mask))
}

pub(super) fn udp_payload(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() == 1 {
        p.say(words, 0, "UDP_CHECK payload requires a payload");
        return Ok(());
    }
    match hex(&words.from(1).join(" "), false) {
        None => p.say(words, 1, "Invalid hex string for UDP_CHECK payload"),
        Some((payload, _)) => {
            if let Some(udp) = p.checker().udp() {
                udp.payload = payload;
            }
        }
    }
    Ok(())
}

pub(super) fn udp_require_reply(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(udp) = p.checker().udp() {
        udp.require_reply = true;
    }
    if words.count() == 1 {
        return Ok(());
    }
    match hex(&words.from(1).join(" "), true) {
        None => p.say(words, 1, "Invalid hex string for UDP_CHECK reply"),
        Some((reply, mask)) => {
            if let Some(udp) = p.checker().udp() {
                (udp.reply, udp.reply_mask) = (reply, mask);
            }
        }
    }
    Ok(())
}

pub(super) fn udp_length(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let least = words.keyword() == "min_reply_length";
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, 65535, false)? {
        None => {
            let which = if least { "min" } else { "max" };
            p.say(words, 1, &format!("UDP_CHECK {which} length {given} not valid - must be between 0 & 65535"));
        }
        Some(length) => {
            if let Some(udp) = p.checker().udp() {
                let slot = if least { &mut udp.min_reply_len } else { &mut udp.max_reply_len };
                *slot = length as usize;
            }
        }
    }
    Ok(())
}

pub(super) fn helo_name(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match words.get(1) {
        None => p.say(words, 0, "SMTP_CHECK helo name missing"),
        Some(name) => {
            if let Some(smtp) = p.checker().smtp() {
                name.clone_into(&mut smtp.helo_name);
            }
        }
    }
    Ok(())
}

/// `host { … }` of an old SMTP_CHECK: where to connect to; several hosts are not told apart.
pub(super) fn smtp_host(_: &mut Parser<'_>, _: &Words) -> Outcome {
    Ok(())
}

pub(super) fn dns_type(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    if !["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"].contains(&given.as_str()) {
        p.say(words, 1, &format!("Unknown DNS check type {given} - ignoring"));
    } else if let CheckerKind::Dns(dns) = &mut p.checker().kind {
        dns.kind = given;
    }
    Ok(())
}

pub(super) fn dns_name(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let CheckerKind::Dns(dns) = &mut p.checker().kind else { return Ok(()) };
    if !dns.name.is_empty() {
        p.say(words, 1, "DNS_CHECK name already specified - ignoring");
    } else if given.contains("..") || given.starts_with('.') && given.len() > 1 {
        p.say(words, 1, &format!("DNS_CHECK name '{given}' has empty label - ignoring"));
    } else {
        dns.name = given;
    }
    Ok(())
}

pub(super) fn file_name(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let Some(weight) = p.drafts.files.iter().find(|file| file.name == given).map(|file| file.weight) else {
        p.say(words, 1, &format!("track_file {given} not found"));
        return Ok(());
    };
    if let CheckerKind::File(files) = &mut p.checker().kind {
        let weight = files.first().map_or(weight, |(_, weight)| *weight);
        *files = vec![(given, weight)];
    }
    Ok(())
}

pub(super) fn file_weight(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.count() < 2 {
        p.say(words, 0, "track file weight missing");
        return Ok(());
    }
    let most = i64::from(WEIGHT_MAX);
    let Some(value) = p.int(words, 1, -most, most, true)? else {
        let text = format!("weight for track file must be in [-{WEIGHT_MAX}..{WEIGHT_MAX}] inclusive. Ignoring...");
        p.say(words, 1, &text);
        return Ok(());
    };
    let direction = match words.get(2) {
        None | Some("noreverse") => Direction::Straight,
        Some("reverse") => Direction::Reversed,
        Some(other) => {
            p.say(words, 2, &format!("unknown track file weight option {other} - ignoring"));
            return Ok(());
        }
    };
    if let CheckerKind::File(files) = &mut p.checker().kind
        && let Some((_, weight)) = files.first_mut()
    {
        *weight = Weight { value: i32::try_from(value).unwrap_or(0), direction };
    }
    Ok(())
}

pub(super) fn bfd_name(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    if let CheckerKind::Bfd(name) = &mut p.checker().kind {
        *name = given;
    }
    Ok(())
}
