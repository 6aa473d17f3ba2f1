//! The menu of what can be broken at a host, its cables and its switches: each item adds one thing to the run, which goes
//! on as a fork.

use crate::stepper::fork::{Added, Addition, CABLE_FAULTS, CableFault, FAULTS};
use crate::stepper::model::{BarKind, CutWay, MenuItem, Model, Overlay};
use scenarios::Model as Scenario;
use scenarios::cable;
use scenarios::model::{Cut, NicIndex};
use sim_core::base::id::NodeId;
use sim_core::base::time::Instant;
use sim_core::trace::filter::Filter;
use sim_core::trace::record::ProcessState;
use std::collections::BTreeSet;

type Items = Vec<(String, MenuItem)>;

/// What can be done to the host or switch that is looked at.
pub(super) fn menu(model: &mut Model) {
    let node = model.node();
    let shown = model.now();
    let scenario = &model.run().scenario;
    let name = model.run().trace.node_name(node);
    let items = match node.index().checked_sub(scenario.hosts.len()) {
        None => at_host(model, node),
        Some(switch) if switch < scenario.switches.len() => at_switch(scenario, shown, switch),
        Some(_) => return,
    };
    let title = format!("At {shown} s on {name}");
    model.over.push(Overlay::Menu { title, items, row: 0 });
}

fn at_host(model: &Model, node: NodeId) -> Items {
    let scenario = &model.run().scenario;
    let shown = model.now();
    let host = node.index();
    let name = &scenario.hosts[host].name;
    let add = |what: Added| {
        let addition = Addition { shown, what };
        (addition.words(scenario), MenuItem::Add(addition))
    };
    let mut items = vec![(format!("type a command on {name}"), MenuItem::Console(node))];
    for nic in 0..scenario.hosts[host].nics.len() {
        let nic = NicIndex { host, nic };
        items.extend(CABLE_FAULTS.iter().map(|(fault, _)| add(Added::Cable(nic, *fault))));
        let change = format!("change the cable of {}: loss, delay, rate, queue …", scenario.nic_name(nic));
        items.push((change, MenuItem::Ask(BarKind::Cable(nic))));
    }
    items.extend(FAULTS.iter().map(|(fault, ..)| add(Added::Host(host, *fault))));
    let kill = |program: String| {
        let what = Added::Line { host, line: format!("killall -9 {program}") };
        (format!("{name}: kill -9 {program}"), MenuItem::Add(Addition { shown, what }))
    };
    items.extend(programs(model, node).into_iter().map(kill));
    let way = |from, to| CutWay { switch: None, from, to };
    let to = others(scenario, host, |other| way(Some(host), other), |other| format!("{name} → {other}"));
    items.push((format!("cut what {name} sends, to …"), MenuItem::More(format!("Cut what {name} sends"), to)));
    let from = others(scenario, host, |other| way(other, Some(host)), |other| format!("{other} → {name}"));
    items.push((format!("cut what {name} gets, from …"), MenuItem::More(format!("Cut what {name} gets"), from)));
    if has_cut(model) {
        items.push(add(Added::Heal(None)));
    }
    items
}

/// Anybody, and every other host.
fn others(
    scenario: &Scenario,
    host: usize,
    way: impl Fn(Option<usize>) -> CutWay,
    words: impl Fn(&str) -> String,
) -> Items {
    let named = (0..scenario.hosts.len()).filter(|other| *other != host);
    let all = std::iter::once(None).chain(named.map(Some));
    all.map(|other| {
        let name = other.map_or("anybody", |other| &*scenario.hosts[other].name);
        (words(name), MenuItem::Ask(BarKind::Cut(way(other))))
    })
    .collect()
}

fn at_switch(scenario: &Scenario, shown: Instant, switch: usize) -> Items {
    let at = Some(switch);
    let name = &scenario.switches[switch].name;
    let cabled = |host: &usize| scenario.hosts[*host].nics.iter().any(|nic| nic.switch == switch);
    let here: Vec<usize> = (0..scenario.hosts.len()).filter(cabled).collect();
    let ask = |text: String, from, to| (text, MenuItem::Ask(BarKind::Cut(CutWay { switch: at, from, to })));
    let mut items = vec![ask(format!("cut in {name}, whoever sends it"), None, None)];
    for host in here {
        let name = &scenario.hosts[host].name;
        items.push(ask(format!("{name} → anybody"), Some(host), None));
        items.push(ask(format!("anybody → {name}"), None, Some(host)));
    }
    let heal = Addition { shown, what: Added::Heal(at) };
    items.push((heal.words(scenario), MenuItem::Add(heal)));
    items
}

/// The programs that run on a host at the instant shown.
fn programs(model: &Model, node: NodeId) -> BTreeSet<String> {
    let processes = model.tables.node(&model.run().trace, node).processes();
    let alive = processes.filter(|record| record.state != ProcessState::Ended);
    alive.map(|record| record.program().to_string()).collect()
}

/// Whether something may be cut now.
fn has_cut(model: &Model) -> bool {
    let run = model.run();
    run.scenario.script.iter().any(|item| matches!(item.deed, scenarios::model::Deed::Cut(_)))
}

/// New settings of a cable, as they were typed.
///
/// # Errors
/// What makes no sense.
pub(crate) fn cable(model: &Model, nic: NicIndex, text: &str) -> Result<Addition, String> {
    let change = cable::read(text)?;
    Ok(Addition { shown: model.now(), what: Added::Cable(nic, CableFault::Change(change)) })
}

/// Which packets are cut, as it was typed; nothing is everything.
///
/// # Errors
/// What makes no sense.
pub(crate) fn cut(model: &Model, way: CutWay, text: &str) -> Result<Addition, String> {
    let packet = match text.trim() {
        "" => None,
        text => Some(cut_filter(text)?),
    };
    let one = |host: Option<usize>| host.map(|host| vec![host]);
    let cut = Cut { switch: way.switch, from: one(way.from), to: one(way.to), packet };
    Ok(Addition { shown: model.now(), what: Added::Cut(cut) })
}

/// A filter that a switch can ask.
pub(super) fn cut_filter(text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text).map_err(|error| error.to_string())?;
    if filter.asks_capture() {
        return Err("a switch knows only the frame: frame.* and lab.* cannot be asked in a cut".to_string());
    }
    Ok(filter)
}
