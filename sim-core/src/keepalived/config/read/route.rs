//! Lines of `virtual_routes`, `static_routes`, `virtual_rules`, `static_rules`: what `ip route` and `ip rule` would take.

use super::draft::Family;
use super::number::based;
use super::parser::{Outcome, Parser, Stop};
use super::words::Words;
use crate::keepalived::config::{VirtualRoute, VirtualRule};

/// What only keepalived knows, found in a line.
#[derive(Default)]
struct Own {
    /// That of its addresses so far; `default` has none.
    family: Option<Family>,
    untracked: bool,
    track_group: String,
    /// Something that is not modelled was found, and refused.
    refused: bool,
}

/// Types of routes that may stand before the destination.
const KINDS: &[&str] = &[
    "unicast",
    "local",
    "broadcast",
    "brd",
    "anycast",
    "multicast",
    "throw",
    "unreachable",
    "prohibit",
    "blackhole",
    "nat",
];

/// The preference of the first rule that has none; the next has one less.
const FIRST_PREFERENCE: u32 = 16_384;

/// The protocol number of routes that keepalived watches.
const PROTOCOL: &str = "18";

/// Whether `find_rttables_table` knows a table: a number, or a name that every host has.
fn is_table(name: &str) -> bool {
    matches!(name, "main" | "local" | "default" | "unspec") || based(name).is_some()
}

/// Whether an address of that family (`default`: none) may stand behind what was read of the line.
fn joins(own: &mut Own, family: Option<Family>) -> bool {
    let fits = own.family.is_none() || own.family == family;
    own.family = own.family.or(family);
    fits
}

/// A network, and its family: `default`, `any`, `all`, or an address with a length. None: keepalived has said that it is none.
fn network(
    p: &mut Parser<'_>,
    words: &Words,
    index: usize,
    own: &mut Own,
) -> Result<Option<(String, Option<Family>)>, Stop> {
    let given = p.word(words, index)?.to_owned();
    if matches!(given.as_str(), "default" | "any" | "all") {
        return Ok(Some(("default".to_owned(), None)));
    }
    if given == "default6" {
        p.log(words, "'default6' is deprecated - please replace with 'inet6 default'");
        refuse(p, words, index, own, "IPv6 is not modelled");
        return Ok(Some((given, Some(Family::V6))));
    }
    let Some((address, _)) = super::address::with_prefix(p, words, index, true)? else { return Ok(None) };
    if address.is_ipv6() {
        refuse(p, words, index, own, "IPv6 is not modelled");
    }
    Ok(Some((given, Some(Family::of(address)))))
}

fn refuse(p: &mut Parser<'_>, words: &Words, index: usize, own: &mut Own, text: &str) {
    own.refused = true;
    p.refuse(words, index, text, "leave it out");
}

/// A host of a route, behind its keyword. None: keepalived has said that it is none.
fn gateway(
    p: &mut Parser<'_>,
    words: &Words,
    index: usize,
    own: &mut Own,
    invalid: &str,
) -> Result<Option<String>, Stop> {
    let Some((address, _)) = super::address::with_prefix(p, words, index, false)? else {
        let given = words.get(index).unwrap_or_default();
        p.say(words, index, &format!("{invalid} address {given}"));
        return Ok(None);
    };
    if !joins(own, Some(Family::of(address))) {
        p.say(words, index, "Cannot mix IPv4 and IPv6 addresses for route");
        return Ok(None);
    }
    if address.is_ipv6() {
        refuse(p, words, index, own, "IPv6 is not modelled");
    }
    Ok(Some(address.to_string()))
}

/// A route; none if keepalived throws it away, or if it is not modelled.
pub(super) fn route(p: &mut Parser<'_>, words: &Words, is_static: bool) -> Result<Option<VirtualRoute>, Stop> {
    let mut own = Own::default();
    let mut out: Vec<String> = Vec::new();
    let (mut index, mut destination, mut kind, mut protocol) = (0, String::new(), "unicast", None);
    while let Some(word) = words.get(index) {
        match word {
            "no_track" => own.untracked = true,
            "track_group" if is_static => {
                index += 1;
                group(p, words, index, &mut own)?;
            }
            "via" | "gw" => {
                if word == "gw" {
                    p.say(words, index, "\"gw\" for routes is deprecated. Please use \"via\"");
                }
                index += 1;
                if matches!(p.word(words, index)?, "inet" | "inet6") {
                    index += 1;
                }
                let Some(address) = gateway(p, words, index, &mut own, "invalid route via")? else { return Ok(None) };
                out.extend(["via".to_owned(), address]);
            }
            "src" => {
                index += 1;
                let Some(address) = gateway(p, words, index, &mut own, "invalid route src")? else { return Ok(None) };
                out.extend(["src".to_owned(), address]);
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
            "protocol" => {
                index += 1;
                protocol = Some(p.word(words, index)?.to_owned());
            }
            "table" | "scope" | "mtu" | "advmss" | "window" | "hoplimit" | "initcwnd" | "initrwnd" => {
                index += 1;
                if matches!(word, "mtu" | "advmss") && words.get(index) == Some("lock") {
                    index += 1;
                }
                let value = p.word(words, index)?.to_owned();
                if word == "table" && !is_table(&value) {
                    p.say(words, index, &format!("Routing table {value} not found for route"));
                    return Ok(None);
                }
                out.extend([word.to_owned(), value]);
            }
            "onlink" => out.push(word.to_owned()),
            // How it is put among routes of the same destination; there is one of each here.
            "add" | "append" | "prepend" => {}
            // keepalived passes over the word behind it.
            "inet" => index += 1,
            "inet6" => {
                index += 1;
                refuse(p, words, index - 1, &mut own, "IPv6 is not modelled");
            }
            "or" => {
                p.say(words, index, "\"or\" for routes is deprecated. Please use \"nexthop\"");
                refuse(p, words, index, &mut own, "several next hops of one route are not modelled");
                index += 1;
                if gateway(p, words, index, &mut own, "Invalid \"or\"")?.is_none() {
                    return Ok(None);
                }
            }
            "nexthop" => {
                refuse(p, words, index, &mut own, "several next hops of one route are not modelled");
                break;
            }
            "tos" | "dsfield" | "realms" | "features" | "quickack" | "pref" | "expires" | "from" | "vrf"
            | "ttl-propagate" | "fastopen_no_cookie" => {
                refuse(p, words, index, &mut own, &format!("`{word}` of a route is not modelled"));
                index += 1;
                p.word(words, index)?;
            }
            "rtt" | "rttvar" | "reordering" | "cwnd" | "ssthresh" | "rto_min" | "congctl" => {
                refuse(p, words, index, &mut own, &format!("`{word}` of a route is not modelled"));
                index += 1;
                if p.word(words, index)? == "lock" {
                    index += 1;
                    p.word(words, index)?;
                }
            }
            "as" | "encap" => {
                refuse(p, words, index, &mut own, &format!("`{word}` of a route is not modelled"));
                return Ok(None);
            }
            // Whatever else it is, keepalived takes it for the destination, and the last one counts.
            word => {
                if word == "to" {
                    index += 1;
                } else if let Some(known) = KINDS.iter().find(|known| **known == word) {
                    kind = if *known == "brd" { "broadcast" } else { known };
                    index += 1;
                }
                let Some((found, family)) = network(p, words, index, &mut own)? else {
                    let given = words.get(index).unwrap_or_default();
                    p.say(words, index, &format!("unknown route keyword {given}"));
                    return Ok(None);
                };
                if !joins(&mut own, family) {
                    let given = words.get(index).unwrap_or_default();
                    let text = format!("Cannot mix IPv4 and IPv6 addresses for route ({given})");
                    p.say_hint(words, index, &text, "put the destination first");
                    return Ok(None);
                }
                destination = found;
            }
        }
        index += 1;
    }
    if destination.is_empty() {
        p.say(words, 0, "Route must have a destination");
        return Ok(None);
    }
    if !own.untracked {
        if protocol.is_some_and(|protocol| protocol != PROTOCOL && protocol != "keepalived") {
            let text =
                format!("Route cannot be tracked if protocol is not RTPROT_KEEPALIVED({PROTOCOL}), resetting protocol");
            p.say(words, 0, &text);
        }
        if !out.iter().any(|word| word == "dev") {
            let text = format!("Warning - cannot track route {destination} with no interface specified, not tracking");
            p.say(words, 0, &text);
            own.untracked = true;
        }
    }
    if own.refused {
        return Ok(None);
    }
    out.insert(0, destination);
    if kind != "unicast" {
        out.insert(0, kind.to_owned());
    }
    Ok(Some(VirtualRoute { words: out, untracked: own.untracked, track_group: own.track_group }))
}

/// A rule; none if keepalived throws it away, or if it is not modelled.
pub(super) fn rule(p: &mut Parser<'_>, words: &Words, is_static: bool) -> Result<Option<VirtualRule>, Stop> {
    let mut own = Own::default();
    let mut out: Vec<String> = Vec::new();
    let (mut index, mut acts, mut jumps) = (0, false, false);
    while let Some(word) = words.get(index) {
        match word {
            "no_track" => own.untracked = true,
            "track_group" if is_static => {
                index += 1;
                group(p, words, index, &mut own)?;
            }
            "from" | "to" => {
                index += 1;
                let Some((found, family)) = network(p, words, index, &mut own)? else {
                    let given = words.get(index).unwrap_or_default();
                    p.say(words, index, &format!("Invalid rule {word} address {given}"));
                    return Ok(None);
                };
                if !joins(&mut own, family) {
                    p.say(words, index, "rule specification has mixed IPv4 and IPv6");
                    return Ok(None);
                }
                let found = if found == "default" { "all".to_owned() } else { found };
                out.extend([word.to_owned(), found]);
            }
            "table" | "lookup" => {
                index += 1;
                let value = p.word(words, index)?.to_owned();
                if !is_table(&value) {
                    p.say(words, index, &format!("Routing table {value} not found for rule"));
                    return Ok(None);
                }
                if !acted(p, words, index, &mut acts, "unreachable") {
                    return Ok(None);
                }
                out.extend([word.to_owned(), value]);
            }
            "priority" | "order" | "preference" => {
                index += 1;
                let value = p.word(words, index)?.to_owned();
                if based(&value).is_none() {
                    p.unsigned_in(words, index, &value, (0, u32::MAX), false);
                    p.say(words, index, &format!("Invalid rule preference {word} specified"));
                    return Ok(None);
                }
                out.extend(["priority".to_owned(), value]);
            }
            "fwmark" => {
                index += 1;
                let value = p.word(words, index)?.to_owned();
                if !value.splitn(2, '/').all(|part| based(part).is_some()) {
                    p.say(words, index, &format!("Invalid rule fwmark {value} specified"));
                    return Ok(None);
                }
                out.extend([word.to_owned(), value]);
            }
            "iif" | "dev" | "oif" => {
                index += 1;
                let name = p.word(words, index)?.to_owned();
                if !p.knows_interface(&name) {
                    p.say(words, index, &format!("WARNING - interface {name} for rule doesn't exist"));
                    return Ok(None);
                }
                if word == "oif" {
                    refuse(p, words, index, &mut own, "`oif` of a rule is not modelled");
                }
                out.extend(["iif".to_owned(), name]);
            }
            // keepalived passes over the word behind it.
            "inet" => index += 1,
            "inet6" => {
                index += 1;
                refuse(p, words, index - 1, &mut own, "IPv6 is not modelled");
            }
            "not" => refuse(p, words, index, &mut own, "`not` of a rule is not modelled"),
            "tos"
            | "dsfield"
            | "realms"
            | "suppress_prefixlength"
            | "sup_pl"
            | "suppress_ifgroup"
            | "sup_group"
            | "tunnel-id"
            | "uidrange"
            | "ipproto"
            | "sport"
            | "dport"
            | "protocol" => {
                refuse(p, words, index, &mut own, &format!("`{word}` of a rule is not modelled"));
                index += 1;
                p.word(words, index)?;
            }
            "l3mdev" => {
                refuse(p, words, index, &mut own, "`l3mdev` of a rule is not modelled");
                acts = true;
            }
            _ => {
                index += usize::from(word == "type");
                let action = p.word(words, index)?;
                match action {
                    "blackhole" | "prohibit" | "unreachable" => out.push(action.to_owned()),
                    "nop" | "goto" => {
                        refuse(p, words, index, &mut own, &format!("`{action}` of a rule is not modelled"));
                        jumps |= action == "goto";
                        index += usize::from(action == "goto");
                    }
                    _ if KINDS.contains(&action) || based(action).is_some_and(|number| number < 256) => {
                        let text = format!("Invalid rule action {action}");
                        p.say(words, index, &text);
                        return Ok(None);
                    }
                    _ => {
                        let text = format!("Unknown rule option {action}");
                        p.say(words, index, &text);
                        return Ok(None);
                    }
                }
                if !acted(p, words, index, &mut acts, "unreachable/l3mdev") {
                    return Ok(None);
                }
            }
        }
        index += 1;
    }
    let has_preference = out.iter().any(|word| word == "priority");
    if jumps && !has_preference {
        let target = words.get(words.count() - 1).unwrap_or_default();
        p.say(words, 0, &format!("Invalid rule - goto target {target} specified without preference"));
        return Ok(None);
    }
    if !acts {
        p.say(words, 0, "No action specified for rule - ignoring");
        return Ok(None);
    }
    if !has_preference {
        let is_v6 = words.get(0) == Some("inet6") || words.from(0).iter().any(|word| word.contains(':'));
        let given =
            if is_v6 { &mut p.drafts.rules6_without_preference } else { &mut p.drafts.rules_without_preference };
        let preference = FIRST_PREFERENCE.saturating_sub(*given);
        *given += 1;
        let text =
            format!("Rule has no preference specified - setting to {preference}. This is probably not what you want.");
        p.say(words, 0, &text);
        out.extend(["priority".to_owned(), preference.to_string()]);
    }
    if own.refused {
        return Ok(None);
    }
    Ok(Some(VirtualRule { words: out, untracked: own.untracked, track_group: own.track_group }))
}

/// A rule does one thing. False: it has done one already, and keepalived throws it away.
fn acted(p: &mut Parser<'_>, words: &Words, index: usize, acts: &mut bool, last: &str) -> bool {
    if *acts {
        let text = format!("Cannot specify more than one of table/nop/goto/blackhole/prohibit/{last} for rule");
        p.say(words, index, &text);
    }
    !std::mem::replace(acts, true)
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
