//! How long a client went without an answer, at most.

use super::{Finding, node};
use crate::model::{HostIndex, Model};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Trace;
use sim_core::trace::outage::{self, Outage, Pair};
use sim_core::wire::Ipv4Addr;

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
