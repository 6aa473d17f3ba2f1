//! Every table where it has something to show, at four sizes, and that what a step changes is marked.

use super::super::pane::PaneId;
use super::super::pane::TableKind;
use super::super::panes::tables::TABLES;
use super::{Model, enter, opened, press, text};

/// A scenario at a place, with this host chosen.
fn at(scenario: &str, place: &str, host: &str, size: (u16, u16)) -> Model {
    let mut model = opened(scenario, size);
    press(&mut model, &["t"]);
    enter(&mut model, place);
    let cast = &model.run().trace.cast;
    let node = cast.nodes.iter().position(|card| &*card.name == host).expect("there is such a host");
    model.host = Some(sim_core::base::id::NodeId(node as u32));
    model
}

fn shown(model: &mut Model, kind: TableKind) -> String {
    model.table = kind;
    super::super::update::focus(model, PaneId::Tables);
    model.enlarged = true;
    text(model)
}

/// Where a table has something to show: scenario, place, host.
fn full(kind: TableKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        TableKind::Overview | TableKind::Arp | TableKind::Services | TableKind::Connections => {
            ("tutorial-000-dr", "f21", "server4")
        }
        TableKind::Routes | TableKind::Fdb | TableKind::Addresses => ("tutorial-000-dr", "f21", "server6"),
        TableKind::Settings => ("tutorial-000-dr", "f21", "router"),
        TableKind::Filters => ("tutorial-000-dr", "f10", "server5"),
        TableKind::Processes => ("split-brain-heal", "8s", "n1"),
        TableKind::Vrrp => ("split-brain-heal", "8s", "n1"),
        TableKind::Conntrack => ("tutorial-001-nat", "3.1s", "director"),
    }
}

fn every_table(size: (u16, u16)) -> String {
    let mut out = String::new();
    for row in TABLES {
        let (scenario, place, host) = full(row.kind);
        let mut model = at(scenario, place, host, size);
        let screen = shown(&mut model, row.kind);
        assert!(!screen.contains("empty at this instant"), "{}:\n{screen}", row.name);
        out.push_str(&format!("{} × {}, {} of {host} in {scenario} at {place}\n{screen}\n", size.0, size.1, row.name));
    }
    out
}

#[test]
fn every_table_at_60_by_16() {
    insta::assert_snapshot!(every_table((60, 16)));
}

#[test]
fn every_table_at_80_by_24() {
    insta::assert_snapshot!(every_table((80, 24)));
}

#[test]
fn every_table_at_120_by_40() {
    insta::assert_snapshot!(every_table((120, 40)));
}

#[test]
fn every_table_at_200_by_60() {
    insta::assert_snapshot!(every_table((200, 60)));
}

/// The line of the screen that contains this text.
fn line(screen: &str, part: &str) -> String {
    let found = screen.lines().find(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("no line has {part}:\n{screen}")).trim_end_matches('│').trim_end().to_string()
}

#[test]
fn the_rule_that_drops_a_question_for_the_vip_is_lit_in_that_step_and_counts_it() {
    // server5 hears frame 10, "who has the VIP", and its arptables rule drops it.
    let mut model = at("tutorial-000-dr", "f10", "server5", (120, 40));
    let before = line(&shown(&mut model, TableKind::Filters), "-j DROP");
    assert!(before.ends_with("[0]"), "{before}");
    press(&mut model, &["s"]);
    let after = line(&shown(&mut model, TableKind::Filters), "-j DROP");
    assert!(after.contains("[0 → 1]") && after.ends_with('*'), "{after}");
    press(&mut model, &["S"]);
    assert_eq!(line(&shown(&mut model, TableKind::Filters), "-j DROP"), before);
}

#[test]
fn a_host_that_crashed_is_off_and_has_no_tables() {
    let mut model = at("failover-crash", "12s", "n1", (120, 40));
    assert!(shown(&mut model, TableKind::Processes).contains("keepalived"));
    model = at("failover-crash", "13s", "n1", (120, 40));
    for row in TABLES.iter().filter(|row| !matches!(row.kind, TableKind::Fdb | TableKind::Vrrp)) {
        let screen = shown(&mut model, row.kind);
        assert!(screen.contains("n1 is off"), "{}:\n{screen}", row.name);
        assert!(!screen.contains("10.0.0.12"), "{}:\n{screen}", row.name);
    }
    let routers = shown(&mut model, TableKind::Vrrp);
    assert!(routers.contains("virtual routers of n2") && !routers.contains("virtual routers of n1"), "{routers}");
}
