//! How long a client went without an answer, and how much of the time it got one.

use super::finding::{Finding, node};
use crate::model::{HostIndex, Model};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Trace;
use sim_core::trace::outage::{self, Availability, Outage, Pair};
use sim_core::wire::Ipv4Addr;
use std::ops::RangeInclusive;

/// Whether no outage of `of`, as `client` sees it, is longer than `at_most`.
pub(super) fn finding(model: &Model, trace: &Trace, of: Ipv4Addr, client: HostIndex, at_most: Duration) -> Finding {
    let pair = Pair { client: node(client), target: of };
    if !outage::attempts(trace).contains_key(&pair) {
        return Err(vec![format!("{} never asked {of} for anything", model.hosts[client].name)]);
    }
    let all = outage::outages(trace);
    let own = all.iter().zip(1..).filter(|(outage, _)| outage.pair == pair);
    let end = trace.steps.last().map_or(Instant::ZERO, |step| step.at);
    let longest = own.max_by_key(|(outage, _)| outage.length(end));
    match longest {
        Some((outage, number)) if outage.length(end) > at_most => {
            Err(vec![observed(outage, end), format!("look: lvslab explain {} --outage {number}", model.name)])
        }
        Some(_) | None => Ok(()),
    }
}

fn observed(outage: &Outage, end: Instant) -> String {
    let until = outage.until.map_or("the end".to_string(), |until| format!("{until} s"));
    let Outage { from, lost, late, .. } = outage;
    format!("the longest outage is {}: {from} s to {until}, {lost} lost and {late} late", outage.length(end))
}

/// Whether `of` answered the client as much of the time as expected, in parts per million.
pub(super) fn available(
    model: &Model,
    trace: &Trace,
    of: Ipv4Addr,
    client: HostIndex,
    expected: RangeInclusive<u32>,
) -> Finding {
    let pair = Pair { client: node(client), target: of };
    let Some(found) = outage::availability(trace).into_iter().find(|one| one.pair == pair) else {
        return Err(vec![format!("{} asked {of} at most once", model.hosts[client].name)]);
    };
    if expected.contains(&found.ppm()) {
        return Ok(());
    }
    let Availability { span, down, outages, .. } = found;
    Err(vec![format!("{}: {outages} outages, {down} of {span}", percent(found.ppm()))])
}

/// `99.5 %` of 995,000 parts per million.
pub(super) fn percent(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}
