//! The failover account as values of the report, and as text.

use crate::outage::news_of_servers;
use crate::story::millis;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::failover::{Takeover, Tenure, account};
use sim_core::trace::{Kind, Trace};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::dissect::mac_text;
use std::collections::BTreeSet;

/// A new state of a virtual router on a host. Times are nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VrrpTransition {
    /// When.
    pub at_ns: u64,
    /// The host.
    pub host: String,
    /// The `vrrp_instance`.
    pub instance: String,
    /// The `virtual_router_id`.
    pub vrid: u8,
    /// `INIT`, `BACKUP`, `MASTER`, `FAULT`, or `STOPPED`.
    pub state: String,
    /// The priority in force.
    pub priority: u8,
}

/// An address came to a host, or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VipMove {
    /// When.
    pub at_ns: u64,
    /// The host.
    pub host: String,
    /// The address.
    pub address: String,
    /// Whether it came.
    pub present: bool,
}

/// A real server came, went, or got another weight: by a health check, or by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthChange {
    /// When.
    pub at_ns: u64,
    /// The director.
    pub host: String,
    /// `TCP 172.25.92.100:80` or `FWM 1`.
    pub service: String,
    /// The real server.
    pub server: String,
    /// Its weight now.
    pub weight: u32,
    /// Whether it is in the table.
    pub present: bool,
    /// The health check that led to it, and what it found: `TCP_CHECK: its port refuses connections: down`; null if none
    /// did.
    pub check: Option<String>,
    /// When the first of the failed looks in a row began: from then to this the failure was being detected; null if no
    /// check failed.
    pub failing_since_ns: Option<u64>,
}

/// The account of an address of a virtual router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vip {
    /// The address.
    pub address: String,
    /// The `virtual_router_id`.
    pub vrid: u8,
    /// Who was master, and when.
    pub masters: Vec<Master>,
    /// How each master but the first became it.
    pub takeovers: Vec<Move>,
    /// Adverts and gratuitous ARP of each host.
    pub sent: Vec<Sent>,
    /// Neighbour entries that named a machine that was not master while another one was.
    pub wrong_caches: Vec<Wrong>,
}

/// A time during which a host was master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Master {
    /// The host.
    pub host: String,
    /// From when.
    pub from_ns: u64,
    /// Until when; null if it was still at the end.
    pub until_ns: Option<u64>,
}

/// How a host became master after another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Move {
    /// When.
    pub at_ns: u64,
    /// The master before.
    pub from: String,
    /// The new master.
    pub to: String,
    /// From the last advert that the new master heard to this; null if it heard none.
    pub detection_ns: Option<u64>,
    /// From this to the first gratuitous ARP; null if none was sent.
    pub announced_after_ns: Option<u64>,
}

/// What a host sent for an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sent {
    /// The host.
    pub host: String,
    /// Adverts of the virtual router.
    pub adverts: u32,
    /// Those of them with priority 0.
    pub leaving: u32,
    /// Gratuitous ARP frames for this address.
    pub gratuitous_arp: u32,
}

/// A neighbour entry that named the wrong machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wrong {
    /// The host that believed it.
    pub host: String,
    /// The MAC it believed.
    pub mac: String,
    /// From when.
    pub from_ns: u64,
    /// Until when; null if it was wrong at the end.
    pub until_ns: Option<u64>,
}

/// Every new state of a virtual router.
pub fn transitions(trace: &Trace) -> Vec<VrrpTransition> {
    let mut all = Vec::new();
    for (event, id) in trace.events.iter().zip(0..) {
        let Kind::Vrrp(at) = event.kind else { continue };
        let record = &trace.vrrp[at as usize];
        let state = if record.present { record.state.name() } else { "STOPPED" };
        all.push(VrrpTransition {
            at_ns: trace.at(EventId(id)).nanos(),
            host: trace.node_name(record.node).to_string(),
            instance: record.instance.to_string(),
            vrid: record.vrid,
            state: state.to_string(),
            priority: record.priority,
        });
    }
    // A record of the same state holds another master or priority heard.
    let mut last = std::collections::BTreeMap::new();
    all.retain(|one| {
        last.insert((one.host.clone(), one.instance.clone()), one.state.clone()) != Some(one.state.clone())
    });
    all
}

/// Every coming and going of an address that is one of a virtual router's.
pub fn moves(trace: &Trace) -> Vec<VipMove> {
    let virtual_: BTreeSet<Ipv4Addr> = trace.vrrp.iter().flat_map(|record| record.addresses.iter().copied()).collect();
    let mut all = Vec::new();
    for (event, id) in trace.events.iter().zip(0..) {
        let Kind::Address(at) = event.kind else { continue };
        let record = &trace.addresses[at as usize];
        if virtual_.contains(&record.address) {
            all.push(VipMove {
                at_ns: trace.at(EventId(id)).nanos(),
                host: trace.node_name(record.node).to_string(),
                address: record.address.to_string(),
                present: record.present,
            });
        }
    }
    all
}

/// Every coming and going of a real server, and every new weight.
pub fn health(trace: &Trace) -> Vec<HealthChange> {
    let news = news_of_servers(trace);
    let since = failing_since(trace);
    let mut all = Vec::new();
    for (event, id) in trace.events.iter().zip(0..) {
        let Kind::Server(at) = event.kind else { continue };
        if news.contains(&at) {
            let record = &trace.servers[at as usize];
            let check = check_behind(trace, EventId(id));
            let failed = check.and_then(|at| since[at as usize]);
            all.push(HealthChange {
                at_ns: trace.at(EventId(id)).nanos(),
                host: trace.node_name(record.node).to_string(),
                service: record.service.to_string(),
                server: record.server.to_string(),
                weight: record.weight,
                present: record.present,
                check: check.map(|at| trace.checks[at as usize].to_string()),
                failing_since_ns: failed.map(Instant::nanos),
            });
        }
    }
    all
}

/// The look of a checker that led to an event, if one did.
fn check_behind(trace: &Trace, id: EventId) -> Option<u32> {
    let mut id = id;
    for _ in 0..CAUSES_MAX {
        id = trace.event(id).cause;
        if !id.is_some() {
            return None;
        }
        if let Kind::Check(at) = trace.event(id).kind {
            return Some(at);
        }
    }
    None
}

/// From a look to what comes of it lie at most so many events: log lines, other servers of the pool.
const CAUSES_MAX: usize = 1_000;

/// By look: when the first of the failed ones in a row began; none for one that did not fail.
fn failing_since(trace: &Trace) -> Vec<Option<Instant>> {
    let mut first = std::collections::BTreeMap::new();
    let checks = trace.checks.iter();
    let since = checks.map(|check| {
        let key = (check.node, check.kind, check.service, check.server);
        match check.flaw {
            Some(_) => Some(*first.entry(key).or_insert(check.began)),
            None => first.remove(&key).and(None),
        }
    });
    since.collect()
}

/// The account of every address of every virtual router.
pub fn vips(trace: &Trace) -> Vec<Vip> {
    let name = |node: NodeId| trace.node_name(node).to_string();
    let master = |tenure: &Tenure| Master {
        host: name(tenure.node),
        from_ns: tenure.from.nanos(),
        until_ns: tenure.until.map(Instant::nanos),
    };
    let takeover = |takeover: &Takeover| Move {
        at_ns: takeover.at.nanos(),
        from: name(takeover.from),
        to: name(takeover.to),
        detection_ns: takeover.detection().map(|span| span.nanos()),
        announced_after_ns: takeover.announced.map(|at| at.since(takeover.at).nanos()),
    };
    let all = account(trace).into_iter();
    all.map(|vip| Vip {
        address: vip.address.to_string(),
        vrid: vip.vrid,
        masters: vip.tenures.iter().map(master).collect(),
        takeovers: vip.takeovers.iter().map(takeover).collect(),
        sent: vip
            .sent
            .iter()
            .map(|(node, sent)| Sent {
                host: name(*node),
                adverts: sent.adverts,
                leaving: sent.leaving,
                gratuitous_arp: sent.announcements,
            })
            .collect(),
        wrong_caches: vip
            .wrong
            .iter()
            .map(|wrong| Wrong {
                host: name(wrong.node),
                mac: mac_text(wrong.mac),
                from_ns: wrong.from.nanos(),
                until_ns: wrong.until.map(Instant::nanos),
            })
            .collect(),
    })
    .collect()
}

/// Of takeovers and of wrong caches, so many are told.
const TOLD_MAX: usize = 6;

/// The account in lines: per address its masters, takeovers, and what hosts wrongly believed.
pub fn lines(trace: &Trace, end: Instant) -> Vec<String> {
    let mut out = Vec::new();
    for vip in account(trace) {
        let name = |node: NodeId| trace.node_name(node);
        let tenure = |tenure: &Tenure| {
            let until = tenure.until.map_or("the end".to_string(), seconds);
            format!("{} {}–{until}", name(tenure.node), seconds(tenure.from))
        };
        let mut masters: Vec<String> = vip.tenures.iter().take(TOLD_MAX).map(tenure).collect();
        if vip.tenures.len() > TOLD_MAX {
            masters.push(format!("{} more", vip.tenures.len() - TOLD_MAX));
        }
        if masters.is_empty() {
            masters.push("nobody".to_string());
        }
        out.push(format!("{} (VRID {})   master: {}", vip.address, vip.vrid, masters.join(", ")));
        for takeover in vip.takeovers.iter().take(TOLD_MAX) {
            out.push(format!("   {}", told(takeover, name(takeover.from), name(takeover.to))));
        }
        for (node, sent) in &vip.sent {
            let leaving =
                if sent.leaving > 0 { format!(", {} of them with priority 0", sent.leaving) } else { String::new() };
            out.push(format!(
                "   {} sent {} adverts{leaving}, {} gratuitous ARP",
                name(*node),
                sent.adverts,
                sent.announcements
            ));
        }
        for wrong in vip.wrong.iter().take(TOLD_MAX) {
            let length = millis(wrong.length(end).nanos());
            let from = seconds(wrong.from);
            out.push(format!("   {} believed {} for {length}, from {from} s", name(wrong.node), mac_text(wrong.mac)));
        }
    }
    out
}

fn told(takeover: &Takeover, from: &str, to: &str) -> String {
    let sign = match (takeover.last_advert, takeover.last_priority) {
        (Some(last), Some(0)) => {
            format!(", {} after it heard that {from} leaves", millis(takeover.at.since(last).nanos()))
        }
        (Some(last), _) => format!(", {} after the last advert it heard", millis(takeover.at.since(last).nanos())),
        (None, _) => String::new(),
    };
    let announced = match takeover.announced {
        Some(at) => format!("announced {} later", millis(at.since(takeover.at).nanos())),
        None => "never announced".to_string(),
    };
    format!("{} s  {to} took over from {from}{sign}; {announced}", seconds(takeover.at))
}

/// `12.345`.
fn seconds(at: Instant) -> String {
    format!("{}.{:03}", at.nanos() / 1_000_000_000, at.nanos() % 1_000_000_000 / 1_000_000)
}
