//! The story of an address that several hosts claim: who, by which rule, what would have kept each of them quiet, and
//! which caches followed whom. What would have kept a host quiet was noted with its decision.

use crate::layout::{pad, with_mark, wrap};
use sim_core::base::id::{IfaceId, PortId};
use sim_core::base::time::Instant;
use sim_core::trace::dispute::{Claimant, Dispute, disputes};
use sim_core::trace::record::{AddressRecord, ClaimKind, LinkKind};
use sim_core::trace::{Kind, Trace, Why, explain};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::dissect::mac_text;
use std::fmt::Write;

/// The stories of all disputes about `address`; none if there is no dispute.
pub fn tell(trace: &Trace, address: Ipv4Addr, end: Instant, width: usize) -> Option<String> {
    let about: Vec<Dispute> = disputes(trace).into_iter().filter(|dispute| dispute.address == address).collect();
    let stories: Vec<String> = about.iter().map(|dispute| story(trace, dispute, end, width)).collect();
    (!stories.is_empty()).then(|| stories.join("\n"))
}

/// In one line: `172.25.92.100 is claimed by server4, server5 and server6 (2 times between 1.0003 s and 1.2 s)`.
pub fn head(trace: &Trace, dispute: &Dispute) -> String {
    let names: Vec<&str> = dispute.claimants.iter().map(|claimant| trace.node_name(claimant.node)).collect();
    let (last, first) = names.split_last().expect("a dispute has two claimants");
    let names = match first.len() {
        0..=7 => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", first[..7].join(", "), many - 6),
    };
    let when = match dispute.times {
        1 => format!("at {} s", dispute.from),
        times => format!("{times} times between {} s and {} s", dispute.from, dispute.last),
    };
    format!("{} is claimed by {names}: {when}", dispute.address)
}

/// Whom each cache followed: `router believed server5 from 1.0003 s to the end`.
pub fn beliefs(trace: &Trace, dispute: &Dispute, end: Instant) -> Vec<String> {
    let mut lines = Vec::new();
    for follower in dispute.followers.iter().take(FOLLOWERS_MAX) {
        let who = trace.node_name(follower.node);
        let ends = follower.beliefs.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let mut parts: Vec<String> = Vec::new();
        for ((from, mac), until) in follower.beliefs.iter().zip(ends) {
            let Some(mac) = mac else { continue };
            let whom = dispute.claimant(*mac).map(|claimant| trace.node_name(claimant.node).to_string());
            let until = until.filter(|until| *until < end).map_or("the end".to_string(), |until| format!("{until} s"));
            parts.push(format!("{} from {from} s to {until}", whom.unwrap_or_else(|| mac_text(*mac))));
        }
        if parts.len() > BELIEFS_MAX {
            let left_out = parts.len() - BELIEFS_MAX;
            let last = parts.pop().expect("there are some");
            parts.truncate(BELIEFS_MAX - 1);
            parts.push(format!("… {left_out} more …"));
            parts.push(last);
        }
        lines.push(format!("{who} believed {}", parts.join(", ")));
    }
    if dispute.followers.len() > FOLLOWERS_MAX {
        lines.push(format!("and {} hosts more", dispute.followers.len() - FOLLOWERS_MAX));
    }
    lines
}

const FOLLOWERS_MAX: usize = 8;
const BELIEFS_MAX: usize = 6;
const CLAIMANTS_MAX: usize = 12;
const INDENT: &str = "      ";

fn story(trace: &Trace, dispute: &Dispute, end: Instant, width: usize) -> String {
    let mut out = String::new();
    for line in wrap(&head(trace, dispute), width) {
        let _ = writeln!(out, "{line}");
    }
    let column = dispute.claimants.iter().map(|claimant| trace.node_name(claimant.node).len()).max().unwrap_or(0);
    for claimant in dispute.claimants.iter().take(CLAIMANTS_MAX) {
        let name = pad(trace.node_name(claimant.node), column);
        let frame = claimant.frame.map_or(String::new(), |frame| format!(", f{frame}"));
        let how = match claimant.kind {
            ClaimKind::Answer => "answered for it",
            ClaimKind::Question => "asked under it",
            ClaimKind::Announcement => "announced it",
        };
        let role = if claimant.serves { ", and has the virtual service" } else { "" };
        let _ = writeln!(out, "\n   {name}  at {}, {how} at {} s{frame}{role}", mac_text(claimant.mac), claimant.at);
        for decision in &claimant.decisions {
            if let Some((code, sentence)) = explain::decision(trace, *decision) {
                out.push_str(&with_mark(INDENT, &sentence, code, width));
            }
        }
        if !claimant.serves {
            let cures = cures(trace, dispute, claimant);
            if !cures.is_empty() {
                let _ = writeln!(out, "{INDENT}any of these on {} keeps it quiet:", trace.node_name(claimant.node));
            }
            for cure in cures {
                let _ = writeln!(out, "{INDENT}  {}", cure.line);
                if !cure.note.is_empty() {
                    let _ = writeln!(out, "{INDENT}      {}", cure.note);
                }
            }
        }
    }
    if let Some(left_out) = dispute.claimants.len().checked_sub(CLAIMANTS_MAX + 1) {
        let _ = writeln!(out, "\n   … {} hosts more", left_out + 1);
    }
    let _ = writeln!(out);
    for belief in beliefs(trace, dispute, end) {
        for line in wrap(&belief, width.saturating_sub(3)) {
            let _ = writeln!(out, "   {line}");
        }
    }
    for line in at_the_caches(trace, dispute) {
        let _ = writeln!(out, "{INDENT}{line}");
    }
    out
}

/// A line that would have kept a claimant quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// What to type on the claimant.
    pub line: String,
    /// What else it does.
    pub note: &'static str,
}

/// What would have kept a claimant quiet, as far as its own decisions say. Each line cures alone what it stands for: a
/// host that both answers and asks under the address needs one of each.
pub fn cures(trace: &Trace, dispute: &Dispute, claimant: &Claimant) -> Vec<Cure> {
    let address = dispute.address;
    let mut cures = Vec::new();
    for decision in &claimant.decisions {
        match trace.event(*decision).kind {
            Kind::Decided(Why::ArpAnswer { otherwise, holds_it_on, .. }) => {
                let stands = stands(trace, dispute, claimant, holds_it_on);
                cures.extend(quiet_answer(address, otherwise, stands.as_deref()));
            }
            Kind::Decided(Why::ArpAsk { otherwise, .. }) => {
                cures.extend(quiet_question(trace, claimant, address, otherwise))
            }
            Kind::Decided(Why::ArpProxied { published, .. }) => cures.push(Cure {
                line: match published {
                    true => {
                        format!("ip neigh del proxy {address} dev {}", trace.cast.ports[claimant.port.index()].name)
                    }
                    false => {
                        format!("sysctl -w net.ipv4.conf.{}.proxy_arp=0", trace.cast.ports[claimant.port.index()].name)
                    }
                },
                note: "",
            }),
            _ => {}
        }
    }
    cures
}

fn quiet_answer(address: Ipv4Addr, otherwise: u16, stands: Option<&str>) -> Vec<Cure> {
    let cured_by = |value: u16| otherwise & 1 << value != 0;
    let mut cures = Vec::new();
    let setting = |value: u16, note| Cure { line: format!("sysctl -w net.ipv4.conf.all.arp_ignore={value}"), note };
    match (cured_by(1), cured_by(2)) {
        (true, _) => cures.push(setting(1, "")),
        (false, true) => cures.push(setting(2, "")),
        (false, false) => {}
    }
    cures.push(Cure { line: format!("arptables -I INPUT -d {address} -j DROP"), note: "" });
    if let (false, Some(stands)) = (cured_by(1), stands) {
        let there = format!("ip addr del {stands} && ip addr add {address}/32 dev lo");
        cures.push(Cure {
            line: format!("{there} && sysctl -w net.ipv4.conf.all.arp_ignore=1"),
            note: "arp_ignore=1 does not silence it where it stands on the card that hears the question",
        });
    }
    if cured_by(8) && !cured_by(1) && !cured_by(2) {
        cures.push(setting(8, "but then it does not answer for its own address either"));
    }
    cures
}

fn quiet_question(trace: &Trace, claimant: &Claimant, address: Ipv4Addr, otherwise: u8) -> Vec<Cure> {
    let mut cures = Vec::new();
    if otherwise & 1 << 2 != 0 {
        let note = if otherwise & 1 << 1 != 0 { "1 is enough here" } else { "" };
        cures.push(Cure { line: "sysctl -w net.ipv4.conf.all.arp_announce=2".to_string(), note });
    }
    if let Some(own) = trace.cast.ports[claimant.port.index()].address {
        let line = format!("arptables -I OUTPUT -s {address} -j mangle --mangle-ip-s {}", own.addr());
        cures.push(Cure { line, note: "" });
    }
    cures
}

/// How `ip addr` names the address of a claimant if it stands on a network card: `172.25.92.100/24 dev eth0`.
fn stands(trace: &Trace, dispute: &Dispute, claimant: &Claimant, iface: IfaceId) -> Option<String> {
    let card = trace.interfaces.iter().find(|record| record.node == claimant.node && record.id == iface)?;
    let is_it = |record: &&AddressRecord| {
        (record.node, record.iface, record.address) == (claimant.node, iface, dispute.address)
    };
    let address = trace.addresses.iter().find(is_it)?;
    let is_card = matches!(card.kind, LinkKind::Ethernet(_));
    is_card.then(|| format!("{}/{} dev {}", address.address, address.prefix, card.name))
}

/// What one can do where the wrong claim was believed.
fn at_the_caches(trace: &Trace, dispute: &Dispute) -> Vec<String> {
    let Some(right) = dispute.claimants.iter().find(|claimant| claimant.serves) else { return Vec::new() };
    let port = |port: PortId| &trace.cast.ports[port.index()];
    let misled = dispute
        .followers
        .iter()
        .filter(|follower| follower.beliefs.last().is_some_and(|(_, mac)| mac.is_some_and(|mac| mac != right.mac)));
    let mac = mac_text(right.mac);
    let mut lines = Vec::new();
    for follower in misled.take(1) {
        let link =
            trace.neighbours.iter().rfind(|record| record.node == follower.node && record.address == dispute.address);
        let name = link.and_then(|link| {
            trace.interfaces.iter().find(|record| record.node == follower.node && record.id == link.iface)
        });
        let device = name.map_or("eth0", |record| &record.name);
        lines.push(format!(
            "on {}: ip neigh replace {} lladdr {mac} dev {device}",
            trace.node_name(follower.node),
            dispute.address
        ));
        lines.push("   holds until somebody deletes it; after a failover it is wrong".to_string());
        let card = port(right.port);
        lines.push(format!("on {}: arping -c 1 -U -I {} {}", trace.node_name(right.node), card.name, dispute.address));
        lines.push("   puts it right once; the next question is a race again".to_string());
    }
    lines
}
