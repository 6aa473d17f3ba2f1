//! Grounds that stand in an arena of the trace, in words: a scheduler's, and those of a conflict.

use super::Names;
use crate::base::id::PortId;
use crate::trace::Trace;
use crate::trace::record::{Candidate, ClaimKind, Evidence, Family};
use crate::trace::why::{ConflictId, EvidenceId};

/// Codes of the schedulers, by the name that `ipvsadm` uses.
const CODES: &[(&str, &str)] = &[
    ("rr", "IPVS.RR"),
    ("wrr", "IPVS.WRR"),
    ("lc", "IPVS.LC"),
    ("wlc", "IPVS.WLC"),
    ("fo", "IPVS.FO"),
    ("ovf", "IPVS.OVF"),
    ("lblc", "IPVS.LBLC"),
    ("lblcr", "IPVS.LBLCR"),
    ("dh", "IPVS.DH"),
    ("sh", "IPVS.SH"),
    ("sed", "IPVS.SED"),
    ("nq", "IPVS.NQ"),
    ("mh", "IPVS.MH"),
    ("twos", "IPVS.TWOS"),
];

/// `IPVS.RR`; `IPVS.CHOSEN` where the grounds were not recorded.
pub(super) fn scheduler_code(trace: &Trace, id: EvidenceId) -> &'static str {
    let scheduler = trace.evidence.get(id.0 as usize).map(|evidence| evidence.scheduler);
    CODES.iter().find(|(name, _)| Some(*name) == scheduler).map_or("IPVS.CHOSEN", |(_, code)| code)
}

/// Who claims what against whom: `172.25.92.100 is claimed by server5, and by server4 and server6 too`.
pub(super) fn conflict(trace: &Trace, id: ConflictId) -> String {
    let Some(record) = trace.conflicts.get(id.0 as usize) else {
        return "two hosts claim one address (which was not recorded)".to_string();
    };
    let host = |port: PortId| trace.cast.ports.get(port.index()).map_or("somebody", |card| trace.node_name(card.node));
    let how = match record.claim.kind {
        ClaimKind::Answer => "answers for",
        ClaimKind::Question => "asks as",
        ClaimKind::Announcement => "announces",
    };
    let shown = record.others.iter().take(3).map(|other| host(other.port)).collect::<Vec<_>>().join(", ");
    let more = record.others.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let verb = if record.others.len() == 1 { "claims" } else { "claim" };
    format!("{} {how} {}, which {shown}{more} {verb} too", host(record.claim.port), record.address)
}

/// The scheduler of this name.
#[cfg(feature = "saved")]
pub(super) fn scheduler_named(name: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
}

/// Why this server.
pub(super) fn chosen(names: &Names, trace: &Trace, id: EvidenceId) -> String {
    let Some(evidence) = trace.evidence.get(id.0 as usize) else {
        return "the scheduler chose a server (its grounds were not recorded)".to_string();
    };
    let Some(winner) = evidence.winner else { return nobody(names, trace, id) };
    let (scheduler, server) = (evidence.scheduler, names.host(winner.server.address));
    if evidence.servers == 1 {
        return format!("{scheduler}: {server} is the only server of {}", evidence.service);
    }
    match evidence.family {
        Family::Rotation { after, level } => {
            rotation(names, evidence, after.map(|after| after.address), level, &server)
        }
        Family::Cost => cost(names, evidence, winner, &server),
        Family::Slot { slot, of } => {
            format!("{scheduler}: hashing leads to slot {slot} of {of}, which holds {server}; the same key always does")
        }
        Family::Draw => {
            let other = rivals(names, evidence);
            format!("{scheduler}: two servers were drawn by chance, and {server} was the cheaper one{other}")
        }
    }
}

fn rotation(names: &Names, evidence: &Evidence, after: Option<std::net::Ipv4Addr>, level: u32, server: &str) -> String {
    let scheduler = evidence.scheduler;
    let place = match after {
        Some(after) => format!("{server} is next in the list after {}", names.host(after)),
        None => format!("{server} stands first in the list (the server added last does)"),
    };
    if level == 0 { format!("{scheduler}: {place}") } else { format!("{scheduler}: {place}; weight level {level}") }
}

fn cost(names: &Names, evidence: &Evidence, winner: Candidate, server: &str) -> String {
    let rivals = rivals(names, evidence);
    let scheduler = evidence.scheduler;
    match scheduler {
        "fo" => format!("fo: {server} has the greatest weight, {}{rivals}", winner.weight),
        "ovf" => format!("ovf: {server} has the greatest weight that is not used up, {}{rivals}", winner.weight),
        "lc" => format!("lc: {server} has the least connections, cost {}{rivals}", winner.cost),
        _ => format!(
            "{scheduler}: {server} has the lowest cost for its weight, {} for {}{rivals}",
            winner.cost, winner.weight
        ),
    }
}

/// `; others: 172.25.92.5 (server5) 256 for 1`.
fn rivals(names: &Names, evidence: &Evidence) -> String {
    let list: Vec<String> = evidence
        .rivals
        .iter()
        .flatten()
        .map(|rival| format!("{} {} for {}", names.host(rival.server.address), rival.cost, rival.weight))
        .collect();
    if list.is_empty() { String::new() } else { format!("; others: {}", list.join(", ")) }
}

/// Why no server.
pub(super) fn nobody(names: &Names, trace: &Trace, id: EvidenceId) -> String {
    let Some(evidence) = trace.evidence.get(id.0 as usize) else {
        return "no real server can take it".to_string();
    };
    let (scheduler, service) = (evidence.scheduler, evidence.service);
    match (evidence.servers, evidence.rivals[0]) {
        (0, _) => format!("{service} has no real server at all"),
        (servers, Some(rival)) if rival.weight == 0 => format!(
            "none of the {servers} servers of {service} can be chosen by {scheduler}: {} has weight 0",
            names.host(rival.server.address)
        ),
        (servers, _) => format!("none of the {servers} servers of {service} can be chosen by {scheduler}"),
    }
}
