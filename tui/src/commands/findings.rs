//! What a run came to that nobody asked for: whose virtual addresses were, what clients missed, hosts that failed,
//! addresses that several hosts claim.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::session::Ran;
use pcap_out::layout::wrap;
use pcap_out::story::millis;
use scenarios::Model;
use scenarios::model::Deed;
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Kind;
use sim_core::trace::dispute::disputes;
use sim_core::trace::failover::account;
use sim_core::trace::outage::{Outage, availability, outages};

/// Shows all of it; nothing of what did not happen.
pub(super) fn show(screen: &mut Screen, model: &Model, ran: &Ran) -> Result<(), Failure> {
    failover(screen, ran)?;
    outages_of(screen, ran)?;
    wear(screen, model, ran)?;
    conflicts(screen, ran)
}

/// Whose the addresses of virtual routers were.
fn failover(screen: &mut Screen, ran: &Ran) -> Result<(), Failure> {
    let lines = pcap_out::failover::lines(&ran.trace, ran.now);
    if !lines.is_empty() {
        screen.line("")?;
    }
    for line in lines {
        let indent = if line.starts_with(' ') { "      " } else { " " };
        let (first, rest) = match wrap(&line, screen.width - indent.len()).split_first() {
            Some((first, rest)) => (first.clone(), rest.to_vec()),
            None => continue,
        };
        let start = if indent.len() > 1 { "    " } else { " " };
        screen.line(&format!("{start}{first}"))?;
        for line in rest {
            screen.line(&format!("{indent}  {line}"))?;
        }
    }
    Ok(())
}

/// With fewer attempts nothing is said about parts of the time.
const SAMPLES_MIN: u32 = 20;
/// Availability says nothing about attempts that were made at once.
const SPAN_MIN: Duration = Duration::from_secs(1);

/// At most this many outages are shown one by one.
const OUTAGES_MAX: usize = 8;

/// A line for each outage; a client that never got any answer from an address has failed requests, not an outage.
fn outages_of(screen: &mut Screen, ran: &Ran) -> Result<(), Failure> {
    let served = |outage: &Outage| outage.until.is_some() || outage.good_before.is_some();
    let all = outages(&ran.trace);
    let shown: Vec<(&Outage, u32)> = all.iter().zip(1..).filter(|(outage, _)| served(outage)).collect();
    if !shown.is_empty() {
        screen.line("")?;
    }
    for (outage, number) in shown.iter().take(OUTAGES_MAX) {
        let client = ran.trace.node_name(outage.pair.client);
        let until = outage.until.map_or("the end".to_string(), |until| format!("{until} s"));
        let late = if outage.late > 0 { format!(", {} late", outage.late) } else { String::new() };
        screen.line(&format!(
            " outage {number}   {client} without {} for {}: {} s to {until}, {} lost{late}",
            outage.pair.target,
            millis(outage.length(ran.now).nanos()),
            outage.from,
            outage.lost
        ))?;
    }
    if let Some(more) = shown.len().checked_sub(OUTAGES_MAX).filter(|more| *more > 0) {
        screen.line(&format!(" … and {more} more (--report F.json has them)"))?;
    }
    for one in availability(&ran.trace).iter().filter(|one| one.outages > 0 && one.answered > 0 && one.span >= SPAN_MIN)
    {
        let (target, client) = (one.pair.target, ran.trace.node_name(one.pair.client));
        let counts = format!("{} of {} requests and echoes", one.answered, one.asked);
        if one.asked < SAMPLES_MIN {
            screen.line(&format!(" {target} answered {client} {counts}"))?;
            continue;
        }
        let share = percent(u64::from(one.ppm()), 1_000_000);
        screen.line(&format!(
            " {target} answered {client} {share} of {} s: {counts}",
            one.span.nanos() / 1_000_000_000
        ))?;
    }
    Ok(())
}

/// For hosts that fail at random: how much of the time they were on, beside MTBF / (MTBF + MTTR).
fn wear(screen: &mut Screen, model: &Model, ran: &Ran) -> Result<(), Failure> {
    for item in &model.script {
        let Deed::Wear { host, mtbf, mttr } = &item.deed else { continue };
        let name = &model.hosts[*host].name;
        let expected = percent(mtbf.nanos(), (*mtbf + *mttr).nanos());
        let (failures, on) = worn(ran, name, item.at);
        let span = ran.now.since(item.at.min(ran.now));
        let found = percent(on.nanos(), span.nanos());
        screen.line(&format!(
            " {name} failed {failures} times and was on {found} of the time; MTBF / (MTBF + MTTR) is {expected}"
        ))?;
    }
    Ok(())
}

/// How often a host was switched off, and how long it was on in all, since `at`.
fn worn(ran: &Ran, name: &str, at: Instant) -> (u32, Duration) {
    let (off, on) = (format!("power_off {name}"), format!("power_on {name}"));
    let (mut failures, mut total, mut since) = (0, Duration::ZERO, Some(at));
    for (event, id) in ran.trace.events.iter().zip(0..) {
        let Kind::Acted(position) = event.kind else { continue };
        let now = ran.trace.at(EventId(id));
        let deed = ran.trace.cast.deeds.get(position as usize).map_or("", |deed| deed);
        if deed == off {
            failures += 1;
            total = total + since.take().map_or(Duration::ZERO, |since| now.since(since));
        } else if deed == on {
            since = since.or(Some(now));
        }
    }
    (failures, total + since.map_or(Duration::ZERO, |since| ran.now.max(since).since(since)))
}

/// `97.3 %`.
fn percent(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 100_000 / u128::from(whole.max(1));
    format!("{}.{:03} %", thousandths / 1_000, thousandths % 1_000)
}

/// At most this many addresses that several hosts claim are shown one by one.
const CONFLICTS_MAX: usize = 8;

/// Who claims an address that others claim too, and which caches followed whom.
fn conflicts(screen: &mut Screen, ran: &Ran) -> Result<(), Failure> {
    let mut all = disputes(&ran.trace);
    // When a master hands over, both have the address until the old one hears of it: nothing to worry about.
    let vips = if all.is_empty() { Vec::new() } else { account(&ran.trace) };
    all.retain(|dispute| {
        let hosts: Vec<NodeId> = dispute.claimants.iter().map(|claimant| claimant.node).collect();
        !pcap_out::failover::is_handover(&vips, dispute.address, &hosts, ran.now)
    });
    if all.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    for dispute in all.iter().take(CONFLICTS_MAX) {
        let mut lines = wrap(&pcap_out::dispute::head(&ran.trace, dispute), screen.width - 3).into_iter();
        let first = lines.next().unwrap_or_default();
        screen.line(&format!(" {} {first}", screen.ink(Ink::Bad, "!")))?;
        for line in lines {
            screen.line(&format!("   {line}"))?;
        }
        for belief in pcap_out::dispute::beliefs(&ran.trace, dispute, ran.now) {
            for line in wrap(&belief, screen.width - 5) {
                screen.line(&format!("     {line}"))?;
            }
        }
    }
    match all.len().checked_sub(CONFLICTS_MAX + 1) {
        Some(left_out) => screen.line(&format!(" ! and {} addresses more", left_out + 1)),
        None => Ok(()),
    }
}
