//! The report of a run: one JSON document with a published, versioned schema.

use crate::About;
use crate::failover::{self, HealthChange, Vip, VipMove, VrrpTransition};
use crate::story::Archive;
use schemars::JsonSchema;
use serde::Serialize;
use sim_core::base::time::Instant;
use sim_core::trace::dispute::{self, Dispute};
use sim_core::trace::explain;
use sim_core::trace::outage;
use sim_core::trace::record::ClaimKind;
use sim_core::trace::record::Outcome;
use sim_core::trace::recorder::Counters;
use sim_core::wire::Mac;
use sim_core::wire::dissect::mac_text;

/// The name and version of the format; a reader refuses a version it does not know.
pub const SCHEMA: &str = "lvslab-report/1";

/// What a run came to. Times are nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// `lvslab-report/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// All 128 bits of the digest, in hexadecimal digits.
    pub digest: String,
    /// The simulated time that passed.
    pub simulated_ns: u64,
    /// How much there was of it.
    pub counts: Counts,
    /// Requests of client programs, in the order in which they were started.
    pub requests: Vec<Request>,
    /// Every new state of a virtual router on a host.
    pub vrrp_transitions: Vec<VrrpTransition>,
    /// Addresses of virtual routers that came to or left a host.
    pub vip_moves: Vec<VipMove>,
    /// Real servers that came, went or got another weight.
    pub health_changes: Vec<HealthChange>,
    /// The account of each address of a virtual router.
    pub vips: Vec<Vip>,
    /// Times during which a client got no answer from an address, in the order in which they began.
    pub outages: Vec<Outage>,
    /// How much of the time each address answered each client that asked it more than once.
    pub availability: Vec<Availability>,
    /// Typed lines, in the order in which they were started.
    pub commands: Vec<Command>,
    /// Addresses that several hosts of one link claimed, in the order in which that began.
    pub conflicts: Vec<Conflict>,
    /// What was expected of the run, and whether it holds.
    pub marks: Vec<Mark>,
}

/// How much there was in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Frames in the full capture: outbound at the sender and inbound at the receiver, on hosts' network cards.
    pub frames: u64,
    /// Frames delivered at the far end of a cable, at hosts and switches.
    pub packet_hops: u64,
    /// Packets that were dropped.
    pub drops: u64,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Request {
    /// Its number, from 1.
    pub n: u32,
    /// The client's host.
    pub host: String,
    /// What was asked for.
    pub url: String,
    /// When it was started.
    pub start_ns: u64,
    /// When it ended; null if it was still running.
    pub end_ns: Option<u64>,
    /// The status code of the response; null if there was none.
    pub status: Option<u16>,
    /// Why it failed; null if it did not.
    pub failure: Option<String>,
    /// The host whose program answered; null if none did.
    pub served_by: Option<String>,
}

/// An outage: from the first request or echo that was lost, or answered more than a second later, to the first answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outage {
    /// Its number, from 1.
    pub n: u32,
    /// The client's host.
    pub client: String,
    /// The address that was asked.
    pub target: String,
    /// When it began.
    pub from_ns: u64,
    /// When it ended; null if it lasted to the end.
    pub until_ns: Option<u64>,
    /// Requests and echoes that were never answered.
    pub lost: u32,
    /// Requests and echoes that were answered more than a second later.
    pub late: u32,
}

/// How much of the time an address answered a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Availability {
    /// The client's host.
    pub client: String,
    /// The address that was asked.
    pub target: String,
    /// From the first attempt to the last.
    pub span_ns: u64,
    /// The part of it that lay in outages.
    pub down_ns: u64,
    /// The part without outage, in parts per million.
    pub available_ppm: u32,
    /// How many requests and echoes were sent.
    pub asked: u32,
    /// How many of them were answered.
    pub answered: u32,
}

/// An address that several hosts of one link claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conflict {
    /// The address.
    pub address: String,
    /// The first claim that contradicted another.
    pub from_ns: u64,
    /// The last one.
    pub last_ns: u64,
    /// How often a claim contradicted another.
    pub times: u32,
    /// Who claimed it.
    pub claimants: Vec<Claimant>,
    /// The hosts that believed one of them.
    pub caches: Vec<Cache>,
}

/// A host that claimed an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Claimant {
    /// The host.
    pub host: String,
    /// The MAC that it named.
    pub mac: String,
    /// `answer`, `question` or `announcement`: how it claimed the address first.
    pub how: String,
    /// When that was.
    pub at_ns: u64,
    /// The frame of that claim; null if it is not in the capture.
    pub frame: Option<u32>,
    /// Codes of the decisions that let it claim the address.
    pub codes: Vec<String>,
    /// Lines that would have kept it quiet; empty for a host with a virtual service at the address.
    pub cures: Vec<String>,
}

/// What a host believed about a claimed address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cache {
    /// The host.
    pub host: String,
    /// From when on it believed whom.
    pub beliefs: Vec<Belief>,
}

/// Whom a host believed from some time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Belief {
    /// From then on.
    pub at_ns: u64,
    /// The MAC; null: nobody's.
    pub mac: Option<String>,
    /// The claimant with that MAC; null if it is none of them.
    pub host: Option<String>,
}

/// A typed line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Command {
    /// When it was started.
    pub at_ns: u64,
    /// The host.
    pub host: String,
    /// As it was typed.
    pub line: String,
    /// Typed at boot.
    pub boot: bool,
    /// Its exit status; null if it was still running.
    pub exit: Option<i32>,
    /// What it wrote to standard output (at most 64 KiB).
    pub stdout: String,
    /// What it wrote to standard error (at most 64 KiB).
    pub stderr: String,
}

/// An expectation of the scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mark {
    /// What was expected.
    pub expected: String,
    /// Whether it holds; null if it was not judged because another one does not hold.
    pub holds: Option<bool>,
    /// What was observed, if it does not hold.
    pub observed: Vec<String>,
}

impl Report {
    /// The report of a run.
    pub fn of(archive: &Archive, about: &About, counters: Counters, simulated_ns: u64, marks: Vec<Mark>) -> Report {
        let trace = archive.trace;
        Report {
            schema: SCHEMA.to_string(),
            scenario: about.scenario.clone(),
            title: about.title.clone(),
            seed: about.seed,
            digest: about.digest.clone(),
            simulated_ns,
            counts: Counts {
                frames: trace.frames.len() as u64,
                packet_hops: counters.packet_hops,
                drops: counters.drops,
            },
            requests: requests(archive),
            vrrp_transitions: failover::transitions(archive.trace),
            vip_moves: failover::moves(archive.trace),
            health_changes: failover::health(archive.trace),
            vips: failover::vips(archive.trace),
            outages: outages(archive),
            availability: availability(archive),
            commands: commands(archive),
            conflicts: conflicts(archive),
            marks,
        }
    }

    /// As text: one document, indented, with a newline at its end.
    ///
    /// # Panics
    /// Never: every field has a form in JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has a form in JSON") + "\n"
    }
}

/// The JSON schema of a report.
///
/// # Panics
/// Never: a schema has a form in JSON.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    serde_json::to_string_pretty(&schema).expect("a schema has a form in JSON") + "\n"
}

fn requests(archive: &Archive) -> Vec<Request> {
    let trace = archive.trace;
    let all = trace.requests.iter().zip(&archive.servers).zip(1..);
    all.map(|((request, server), n)| {
        let (status, failure) = match &request.outcome {
            Outcome::Running => (None, None),
            Outcome::Answered { status, .. } => (Some(*status), None),
            Outcome::Failed { reason } => (None, Some(reason.to_string())),
        };
        Request {
            n,
            host: trace.node_name(request.node).to_string(),
            url: request.url.to_string(),
            start_ns: request.started.nanos(),
            end_ns: request.ended.map(|ended| ended.nanos()),
            status,
            failure,
            served_by: server.filter(|_| status.is_some()).map(|node| trace.node_name(node).to_string()),
        }
    })
    .collect()
}

fn outages(archive: &Archive) -> Vec<Outage> {
    let trace = archive.trace;
    let all = outage::outages(trace).into_iter().zip(1..);
    all.map(|(outage, n)| Outage {
        n,
        client: trace.node_name(outage.pair.client).to_string(),
        target: outage.pair.target.to_string(),
        from_ns: outage.from.nanos(),
        until_ns: outage.until.map(|until| until.nanos()),
        lost: outage.lost,
        late: outage.late,
    })
    .collect()
}

fn availability(archive: &Archive) -> Vec<Availability> {
    let trace = archive.trace;
    let all = outage::availability(trace).into_iter();
    all.map(|one| Availability {
        client: trace.node_name(one.pair.client).to_string(),
        target: one.pair.target.to_string(),
        span_ns: one.span.nanos(),
        down_ns: one.down.nanos(),
        available_ppm: one.ppm(),
        asked: one.asked,
        answered: one.answered,
    })
    .collect()
}

fn conflicts(archive: &Archive) -> Vec<Conflict> {
    let trace = archive.trace;
    let name = |node| trace.node_name(node).to_string();
    let claimant = |dispute: &Dispute, one: &dispute::Claimant| Claimant {
        host: name(one.node),
        mac: mac_text(one.mac),
        how: match one.kind {
            ClaimKind::Answer => "answer",
            ClaimKind::Question => "question",
            ClaimKind::Announcement => "announcement",
        }
        .to_string(),
        at_ns: one.at.nanos(),
        frame: one.frame,
        codes: one.decisions.iter().filter_map(|id| Some(explain::decision(trace, *id)?.0.to_string())).collect(),
        cures: match one.serves {
            true => Vec::new(),
            false => crate::dispute::cures(trace, dispute, one).into_iter().map(|cure| cure.line).collect(),
        },
    };
    let belief = |dispute: &Dispute, (at, mac): &(Instant, Option<Mac>)| Belief {
        at_ns: at.nanos(),
        mac: mac.map(mac_text),
        host: mac.and_then(|mac| dispute.claimant(mac)).map(|one| name(one.node)),
    };
    let conflict = |dispute: &Dispute| Conflict {
        address: dispute.address.to_string(),
        from_ns: dispute.from.nanos(),
        last_ns: dispute.last.nanos(),
        times: dispute.times,
        claimants: dispute.claimants.iter().map(|one| claimant(dispute, one)).collect(),
        caches: dispute
            .followers
            .iter()
            .map(|follower| Cache {
                host: name(follower.node),
                beliefs: follower.beliefs.iter().map(|one| belief(dispute, one)).collect(),
            })
            .collect(),
    };
    dispute::disputes(trace).iter().map(conflict).collect()
}

fn commands(archive: &Archive) -> Vec<Command> {
    let trace = archive.trace;
    let all = trace.commands.iter();
    all.map(|command| Command {
        at_ns: command.started.nanos(),
        host: trace.node_name(command.node).to_string(),
        line: command.text.to_string(),
        boot: command.boot,
        exit: command.exit,
        stdout: command.stdout.clone(),
        stderr: command.stderr.clone(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_schema_is_the_one_in_force() {
        let published = include_str!("../schemas/report-1.json");
        assert_eq!(published, super::schema(), "a changed report needs a new version, or an addition and a new file");
    }
}
