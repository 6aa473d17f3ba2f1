//! Lines of `virtual_routes`, `static_routes`, `virtual_rules`, `static_rules`: what `ip route` and `ip rule` would take.

use super::address::host;
use super::parser::{Outcome, Parser, Stop};
use super::words::Words;
use crate::keepalived::config::{VirtualRoute, VirtualRule};

/// What only keepalived knows, found in a line.
#[derive(Default)]
struct Own {
    untracked: bool,
    track_group: String,
}

/// Types of routes that may stand first.
const KINDS: &[&str] =
    &["unicast", "local", "broadcast", "anycast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "nat"];

/// The preference of the first rule that has none; the next has one less.
const FIRST_PREFERENCE: u32 = 16_384;

/// A route; none if keepalived throws it away.
pub(super) fn route(p: &mut Parser<'_>, words: &Words, is_static: bool) -> Result<Option<VirtualRoute>, Stop> {
    let mut own = Own::default();
    let mut out: Vec<String> = Vec::new();
    let (mut index, mut destination, mut kind) = (0, String::new(), "unicast");
    while let Some(word) = words.get(index) {
        match word {
            "no_track" if !is_static => own.untracked = true,
            "track_group" if is_static => {
                index += 1;
                group(p, words, index, &mut own)?;
            }
            "via" | "gw" => {
                if word == "gw" {
                    p.say(words, index, "\"gw\" for routes is deprecated. Please use \"via\"");
                }
                index += 1;
                let mut given = p.word(words, index)?.to_owned();
                if matches!(given.as_str(), "inet" | "inet6") {
                    index += 1;
                    given = p.word(words, index)?.to_owned();
                }
                if host(&given).is_none() {
                    p.say(words, index, &format!("VRRP parsed invalid IP {given}. skipping IP..."));
                    p.say(words, index, &format!("invalid route via address {given}"));
                    return Ok(None);
                }
                out.extend(["via".to_owned(), given]);
            }
            "src" => {
                index += 1;
                let given = p.word(words, index)?.to_owned();
                if host(&given).is_none() {
                    p.say(words, index, &format!("invalid route src address {given}"));
                    return Ok(None);
                }
                out.extend(["src".to_owned(), given]);
            }
            "dev" | "oif" => {
                index += 1;
                let name = p.word(words, index)?.to_owned();
                if !p.knows_interface(&name) {
                    p.say(words, index, &format!("WARNING - interface {name} for VROUTE nexthop doesn't exist"));
                    return Ok(None);
                }
                out.extend(["dev".to_owned(), name]);
            }
            "metric" | "priority" | "preference" => {
                index += 1;
                let value = p.word(words, index)?.to_owned();
                out.extend(["metric".to_owned(), value]);
            }
            "table" | "scope" | "mtu" | "advmss" | "window" | "hoplimit" | "initcwnd" | "initrwnd" | "protocol"
            | "proto" => {
                out.push(word.to_owned());
                index += 1;
                if words.get(index) == Some("lock") {
                    index += 1;
                }
                out.push(p.word(words, index)?.to_owned());
            }
            "onlink" => out.push(word.to_owned()),
            "inet" => {}
            "tos" | "dsfield" | "realms" | "rtt" | "rttvar" | "reordering" | "cwnd" | "ssthresh" | "rto_min"
            | "features" | "quickack" | "congctl" | "pref" | "expires" | "encap" | "nexthop" | "or" | "from" | "as"
            | "inet6" | "ttl-propagate" => {
                p.refuse(words, index, &format!("`{word}` of a route is not modelled"), "leave it out");
                return Ok(None);
            }
            word if KINDS.contains(&word) && destination.is_empty() => kind = word,
            word if destination.is_empty() => {
                if word == "to" {
                    index += 1;
                    continue;
                }
                if word != "default" && host(word).is_none() {
                    p.say(words, index, &format!("VRRP parsed invalid IP {word}. skipping IP..."));
                    p.say(words, index, &format!("unknown route keyword {word}"));
                    return Ok(None);
                }
                word.clone_into(&mut destination);
                out.push(word.to_owned());
            }
            word => {
                p.say(words, index, &format!("unknown route keyword {word}"));
                return Ok(None);
            }
        }
        index += 1;
    }
    if destination.is_empty() {
        p.say(words, 0, "Route has no destination address - ignoring");
        return Ok(None);
    }
    if !own.untracked && !out.iter().any(|word| word == "dev") {
        let text = format!("Warning - cannot track route {destination} with no interface specified, not tracking");
        p.say(words, 0, &text);
        own.untracked = true;
    }
    if kind != "unicast" {
        // The destination is the first word that was kept, wherever it stood.
        out.insert(0, kind.to_owned());
    }
    Ok(Some(VirtualRoute { words: out, untracked: own.untracked, track_group: own.track_group }))
}

/// A rule; none if keepalived throws it away.
pub(super) fn rule(p: &mut Parser<'_>, words: &Words, is_static: bool) -> Result<Option<VirtualRule>, Stop> {
    let mut own = Own::default();
    let mut out: Vec<String> = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        match word {
            "no_track" if !is_static => own.untracked = true,
            "track_group" if is_static => {
                index += 1;
                group(p, words, index, &mut own)?;
            }
            "from" | "to" => {
                index += 1;
                let given = p.word(words, index)?.to_owned();
                if given != "all" && host(&given).is_none() {
                    p.say(words, index, &format!("Invalid rule {word} address {given}"));
                    return Ok(None);
                }
                out.extend([word.to_owned(), given]);
            }
            "table" | "lookup" | "priority" | "order" | "pref" | "preference" | "fwmark" | "iif" | "dev" => {
                index += 1;
                let value = p.word(words, index)?.to_owned();
                let word = match word {
                    "order" | "pref" | "preference" => "priority",
                    "dev" => "iif",
                    word => word,
                };
                out.extend([word.to_owned(), value]);
            }
            "blackhole" | "prohibit" | "unreachable" => out.push(word.to_owned()),
            "inet" | "type" | "unicast" => {}
            "not"
            | "tos"
            | "dsfield"
            | "realms"
            | "oif"
            | "goto"
            | "nop"
            | "suppress_prefixlength"
            | "suppress_ifgroup"
            | "tunnel-id"
            | "uidrange"
            | "l3mdev"
            | "ipproto"
            | "sport"
            | "dport"
            | "protocol"
            | "inet6" => {
                p.refuse(words, index, &format!("`{word}` of a rule is not modelled"), "leave it out");
                return Ok(None);
            }
            other => {
                p.say(words, index, &format!("Unknown rule option {other}"));
                return Ok(None);
            }
        }
        index += 1;
    }
    if !out.iter().any(|word| word == "priority") {
        let preference = FIRST_PREFERENCE.saturating_sub(p.drafts.rules_without_preference);
        p.drafts.rules_without_preference += 1;
        let text =
            format!("Rule has no preference specified - setting to {preference}. This is probably not what you want.");
        p.say(words, 0, &text);
        out.extend(["priority".to_owned(), preference.to_string()]);
    }
    Ok(Some(VirtualRule { words: out, untracked: own.untracked, track_group: own.track_group }))
}

fn group(p: &mut Parser<'_>, words: &Words, index: usize, own: &mut Own) -> Outcome {
    let name = p.word(words, index)?.to_owned();
    if p.drafts.track_groups.iter().any(|group| group.name == name) {
        own.track_group = name;
    } else {
        p.say(words, index, &format!("track_group {name} not found"));
    }
    Ok(())
}

pub(super) fn static_addresses(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(address) = super::address::line(p, line, true)? {
            super::address::refuse_v6(p, line, 0, &address);
            p.drafts.static_addresses.push(address);
        }
        Ok(())
    })
}

pub(super) fn static_routes(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(found) = route(p, line, true)? {
            p.drafts.static_routes.push(found);
        }
        Ok(())
    })
}

pub(super) fn static_rules(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(found) = rule(p, line, true)? {
            p.drafts.static_rules.push(found);
        }
        Ok(())
    })
}
