//! Expectations: hosts and filters are there, times lie in the run, what one needs is named.

use super::{Names, address, script};
use crate::library;
use crate::model::{Count, Expectation, Host, Law, Model, What};
use crate::problem::{Problems, did_you_mean};
use crate::read::Text;
use crate::schema::expect::{LawText, WhatText};
use crate::schema::{At, ScenarioText};
use crate::source::Source;
use sim_core::base::time::{Duration, Instant};

/// All expectations, in file order.
pub(super) fn expect(
    written: &ScenarioText,
    names: &Names,
    hosts: &[Host],
    until: Instant,
    source: &dyn Source,
    problems: &mut Problems,
) -> Vec<Expectation> {
    let mut all = Vec::new();
    let known: Vec<Option<&str>> =
        written.expect.iter().map(|one| one.name.as_ref().map(|name| name.text.as_str())).collect();
    for (index, one) in written.expect.iter().enumerate() {
        if let Some(name) = &one.name
            && known[..index].contains(&Some(name.text.as_str()))
        {
            problems.error(name.place(), format!("two expectations are named \"{}\"", name.text), "");
        }
        let needs = one.needs.as_ref().and_then(|needs| {
            let found = known[..index].iter().position(|name| *name == Some(needs.text.as_str()));
            if found.is_none() {
                let message = format!("no expectation before this one is named \"{}\"", needs.text);
                let names = known[..index].iter().flatten().copied();
                problems.error(needs.place(), message, did_you_mean(&needs.text, names));
            }
            found
        });
        let what = what(&one.what, names, &Around { hosts, until, source }, problems);
        if let Some(what) = what {
            let name = one.name.as_ref().map(|name| name.text.clone());
            all.push(Expectation { name, needs, what, place: one.place.clone() });
        }
    }
    all
}

fn what(written: &WhatText, names: &Names, around: &Around, problems: &mut Problems) -> Option<What> {
    let Around { hosts, until, source } = *around;
    let mut moment = |at: &Option<At<Duration>>| {
        let Some(at) = at else { return until };
        if Instant::ZERO + at.value > until {
            let hint = format!("the run ends at {}", until.since(Instant::ZERO));
            problems.error(&at.place, format!("{} is after the end", at.value), hint);
        }
        Instant::ZERO + at.value
    };
    Some(match written {
        WhatText::ServedBy { url, hosts } => {
            if !url.text.contains("://") {
                problems.error(url.place(), "a URL begins with its protocol", format!("\"http://{}/\"", url.text));
            }
            let hosts = hosts.iter().filter_map(|(name, count)| Some((names.host(name, problems)?, *count))).collect();
            What::ServedBy { url: url.text.clone(), hosts }
        }
        WhatText::Requests { from, ok, failed } => {
            let from = match from {
                Some(name) => Some(names.host(name, problems)?),
                None => None,
            };
            What::Requests { from, ok: *ok, failed: *failed }
        }
        WhatText::Output { on, run, contains, nth } => {
            if let Some(nth) = nth.as_ref().filter(|nth| nth.value == 0) {
                problems.error(&nth.place, "nth counts from 1", "");
            }
            if contains.text.trim().is_empty() {
                problems.error(contains.place(), "every output contains nothing", "say what it contains");
            }
            What::Output {
                on: names.host(on, problems)?,
                run: run.text.trim().to_string(),
                contains: contains.text.clone(),
                nth: nth.as_ref().map(|nth| nth.value),
            }
        }
        WhatText::Neighbour { on, address: text, is, at } => {
            let at = moment(at);
            let (on, address, is) =
                (names.host(on, problems), address(text, "the neighbour", problems), names.nic(is, hosts, problems));
            What::Neighbour { on: on?, address: address?, is: is?, at }
        }
        WhatText::Sees { host, packet, count, never } => {
            let (host, packet) = (names.host(host, problems), script::filter(packet, problems));
            let count = match (never, count) {
                (true, _) => Count::None,
                (false, None) => Count::Some,
                (false, Some(count)) => Count::Exactly(*count),
            };
            What::Sees { host: host?, packet: packet?, count }
        }
        WhatText::Always(LawText::ChecksumsCorrect) => What::Always(Law::ChecksumsCorrect),
        WhatText::Always(LawText::OneAnswererPerAddress) => What::Always(Law::OneAnswererPerAddress),
        WhatText::Always(LawText::OneServerPerConnection) => What::Always(Law::OneServerPerConnection),
        WhatText::Always(LawText::OneMaster { grace }) => {
            What::Always(Law::OneMaster { grace: grace.unwrap_or(Duration::ZERO) })
        }
        WhatText::Master { instance, on, at } => {
            let (at, on) = (moment(at), names.host(on, problems));
            What::Master { instance: instance.text.trim().to_string(), on: on?, at }
        }
        WhatText::Outage { of, seen_by, at_most } => {
            let (of, seen_by) = (address(of, "the address", problems), names.host(seen_by, problems));
            What::Outage { of: of?, seen_by: seen_by?, at_most: *at_most }
        }
        WhatText::Availability { of, seen_by, at_least, at_most } => {
            let (of, seen_by) = (address(of, "the address", problems), names.host(seen_by, problems));
            let (at_least, at_most) = (at_least.unwrap_or(0), at_most.unwrap_or(1_000_000));
            What::Availability { of: of?, seen_by: seen_by?, at_least, at_most }
        }
        WhatText::SamePackets { as_, at } => {
            let at = names.host(at, problems)?;
            let other = other(as_, source, problems)?;
            if other.hosts.get(at).is_none_or(|host| host.name != hosts[at].name) {
                let hint = "the hosts must stand at the same place in both files, since MACs come from it";
                problems.error(as_.place(), format!("{} has no such host at this place", as_.text), hint);
                return None;
            }
            What::SamePackets { other: Box::new(other), at }
        }
    })
}

/// What an expectation is checked against.
struct Around<'a> {
    hosts: &'a [Host],
    until: Instant,
    source: &'a dyn Source,
}

/// The scenario that another one is compared with: a file beside this one, or a bundled scenario.
fn other(name: &Text, source: &dyn Source, problems: &mut Problems) -> Option<Model> {
    let loaded = match library::find(&name.text) {
        Some(bundled) => crate::load_without_expectations(&bundled.file(), &bundled),
        None => crate::load_without_expectations(&name.text, source),
    };
    match loaded {
        Ok(model) => Some(model),
        Err(found) => {
            let first = found.first().map_or(String::new(), |problem| problem.message.clone());
            let hint = "name a bundled scenario (lvslab list), or a file beside this one";
            problems.error(name.place(), format!("cannot compare with {}: {first}", name.text), hint);
            None
        }
    }
}
