//! The failover account as values of the report, and as text.

use crate::outage::news_of_servers;
use crate::story::millis;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::failover::{Sign, Takeover, Tenure, Vip as Account, account, two_holders};
use sim_core::trace::{Kind, Trace};
use sim_core::wire::dissect::mac_text;
use sim_core::wire::{Ipv4Addr, Mac};
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
    /// Who had the address on a card, and when: a machine whose keepalived was killed keeps it.
    pub holders: Vec<Master>,
    /// How each master but the first became it.
    pub takeovers: Vec<Move>,
    /// Adverts and gratuitous ARP of each host.
    pub sent: Vec<Sent>,
    /// Neighbour entries that named a machine that was not master while another one was.
    pub wrong_caches: Vec<Wrong>,
}

/// A time during which a host was master, or had the address.
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
    /// Why: `silence`, `leaves`, `preempts`, `refuses`, or `nothing` if it never heard an advert.
    pub reason: String,
    /// From the last advert that the new master believed, or from the old one's farewell, to this; null if it took over
    /// for another reason.
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
        reason: match takeover.sign {
            Sign::Nothing => "nothing",
            Sign::Silence(_) => "silence",
            Sign::Leaves(_) => "leaves",
            Sign::Preempts(_) => "preempts",
            Sign::Refuses(_) => "refuses",
        }
        .to_string(),
        detection_ns: takeover.detection().map(|span| span.nanos()),
        announced_after_ns: takeover.announced.map(|at| at.since(takeover.at).nanos()),
    };
    let all = account(trace).into_iter();
    all.map(|vip| Vip {
        address: vip.address.to_string(),
        vrid: vip.vrid,
        masters: vip.tenures.iter().map(master).collect(),
        holders: vip.held.iter().map(master).collect(),
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
        out.push(format!("{} (VRID {})   master: {}", vip.address, vip.vrid, tenures(trace, &vip.tenures)));
        if !is_same(&vip.tenures, &vip.held) {
            out.push(format!("   the address was on: {}", tenures(trace, &vip.held)));
        }
        for takeover in vip.takeovers.iter().take(TOLD_MAX) {
            let told = told(takeover, name(takeover.from), name(takeover.to));
            out.push(format!("   {told}{}", both(&vip, takeover, name(takeover.from), end)));
        }
        let tacit = vip.takeovers.len().saturating_sub(TOLD_MAX);
        if tacit > 0 {
            out.push(format!("   … and {tacit} takeovers more"));
        }
        for (node, sent) in &vip.sent {
            let leaving =
                if sent.leaving > 0 { format!(", {} of them with priority 0", sent.leaving) } else { String::new() };
            let plural = if sent.adverts == 1 { "" } else { "s" };
            let (adverts, announcements) = (sent.adverts, sent.announcements);
            let name = name(*node);
            out.push(format!("   {name} sent {adverts} advert{plural}{leaving}, {announcements} gratuitous ARP"));
        }
        for wrong in vip.wrong.iter().take(TOLD_MAX) {
            let length = millis(wrong.length(end).nanos());
            let from = seconds(wrong.from);
            let whose = owner(trace, wrong.mac).map_or(String::new(), |owner| format!(" ({owner})"));
            let whom = format!("{}{whose}", mac_text(wrong.mac));
            out.push(format!("   {} believed {whom} wrongly for {length}, from {from} s", name(wrong.node)));
        }
        let tacit = vip.wrong.len().saturating_sub(TOLD_MAX);
        if tacit > 0 {
            out.push(format!("   … and {tacit} wrong caches more (--report F.json has them)"));
        }
    }
    out
}

/// Whether an address was on several of these hosts at once for no longer than a handover takes.
pub fn is_handover(vips: &[Account], address: Ipv4Addr, hosts: &[NodeId], end: Instant) -> bool {
    vips.iter().filter(|vip| vip.address == address).any(|vip| {
        let are_holders = hosts.iter().all(|host| vip.held.iter().any(|tenure| tenure.node == *host));
        are_holders && two_holders(vip, end).is_none_or(|(_, length)| length <= HANDOVER)
    })
}

/// The old master gives an address up when it hears the new one's advert: so long at most on a LAN.
const HANDOVER: Duration = Duration::from_millis(10);

/// `n1 3.609–12.350, n2 15.259–the end`.
fn tenures(trace: &Trace, tenures: &[Tenure]) -> String {
    let one = |tenure: &Tenure| {
        let until = tenure.until.map_or("the end".to_string(), seconds);
        format!("{} {}–{until}", trace.node_name(tenure.node), seconds(tenure.from))
    };
    let mut all: Vec<String> = tenures.iter().take(TOLD_MAX).map(one).collect();
    if tenures.len() > TOLD_MAX {
        all.push(format!("{} more", tenures.len() - TOLD_MAX));
    }
    if all.is_empty() { "nobody".to_string() } else { all.join(", ") }
}

/// Whether whoever was master had the address, and nobody else, but for what a handover takes.
fn is_same(masters: &[Tenure], held: &[Tenure]) -> bool {
    let near = |a: Instant, b: Instant| a.max(b).since(a.min(b)) <= HANDOVER;
    let same = |(a, b): (&Tenure, &Tenure)| {
        let ends = match (a.until, b.until) {
            (Some(a), Some(b)) => near(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        a.node == b.node && near(a.from, b.from) && ends
    };
    masters.len() == held.len() && masters.iter().zip(held).all(same)
}

/// Whose card this MAC is: `n1:eth0`.
fn owner(trace: &Trace, mac: Mac) -> Option<String> {
    let card = trace.cast.ports.iter().find(|card| card.mac == Some(mac))?;
    Some(format!("{}:{}", trace.node_name(card.node), card.name))
}

fn told(takeover: &Takeover, from: &str, to: &str) -> String {
    let since = |at: Instant| millis(takeover.at.since(at).nanos());
    let sign = match takeover.sign {
        Sign::Nothing => ": it heard no advert".to_string(),
        Sign::Silence(last) => format!(", {} after the last advert it heard", since(last)),
        Sign::Leaves(last) => format!(", {} after it heard that {from} leaves", since(last)),
        Sign::Preempts(priority) => format!(": it preempts, with priority {} against {priority}", takeover.priority),
        Sign::Refuses(flaw) => format!(": it heard adverts and believed none, for they had {}", flaw.words()),
    };
    let announced = match takeover.announced {
        Some(at) => format!("announced {} later", millis(at.since(takeover.at).nanos())),
        None => "never announced".to_string(),
    };
    format!("{} s  {to} took over from {from}{sign}; {announced}", seconds(takeover.at))
}

/// That the master before goes on as master, if it does for longer than a handover takes.
fn both(vip: &Account, takeover: &Takeover, from: &str, end: Instant) -> String {
    let until = |tenure: &Tenure| tenure.until.unwrap_or(end);
    let mut open = vip.tenures.iter().filter(|tenure| tenure.node == takeover.from && tenure.from <= takeover.at);
    let goes_on = open.any(|tenure| until(tenure) > takeover.at + HANDOVER);
    if goes_on { format!("; {from} was still master") } else { String::new() }
}

/// `12.345`.
fn seconds(at: Instant) -> String {
    format!("{}.{:03}", at.nanos() / 1_000_000_000, at.nanos() % 1_000_000_000 / 1_000_000)
}
