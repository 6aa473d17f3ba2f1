//! The readers of the trace agree with what the run printed and with each other.

use scenarios::problem::SourceFile;
use scenarios::{Source, library};
use sim_core::base::id::{EventId, NodeId};
use sim_core::base::time::Instant;
use sim_core::trace::changes::Changes;
use sim_core::trace::conversation::Conversations;
use sim_core::trace::filter::Filter;
use sim_core::trace::moment::Moment;
use sim_core::trace::record::{PowerState, RequestRecord, Table};
use sim_core::trace::select::Selector;
use sim_core::trace::tables::Tables;
use sim_core::trace::{Kind, Level, Trace, explain, served};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The trace of a bundled scenario.
fn trace(name: &str, level: Level) -> Trace {
    let bundled = library::find(name).expect("it is bundled");
    let model = scenarios::load(&bundled.file(), &bundled).expect("it can be loaded");
    let mut sim = scenarios::assemble(&model, scenarios::Options { level, ..scenarios::Options::default() });
    sim.run();
    sim.into_trace()
}

fn node(trace: &Trace, name: &str) -> NodeId {
    let at = trace.cast.nodes.iter().position(|card| &*card.name == name).expect("there is such a node");
    NodeId(at as u32)
}

#[test]
fn who_served_is_found_through_dr_nat_and_tunnels() {
    // The pages say which server they come from: www is server5, bbs is server6.
    for scenario in ["tutorial-000-dr", "tutorial-000-nat", "tutorial-000-tun"] {
        let trace = trace(scenario, Level::Everything);
        let hosts = served::hosts(&trace, &Conversations::of(&trace));
        let mut pages = trace.commands.iter().filter(|command| command.text.starts_with("curl"));
        for host in &hosts {
            let page = &pages.next().expect("each request is one curl").stdout;
            let expected = if page.contains("www.test.com") { "server5" } else { "server6" };
            assert_eq!(host.map(|host| trace.node_name(host)), Some(expected), "{scenario}");
        }
        assert_eq!(hosts.len(), 4, "{scenario}");
    }
}

#[test]
fn a_connection_keeps_its_number_through_nat() {
    let trace = trace("tutorial-000-nat", Level::Everything);
    let conversations = Conversations::of(&trace);
    assert_eq!(conversations.count(), 4);
    for (conn, request) in (1..).zip(&trace.requests) {
        let RequestRecord { client: Some(client), .. } = request else { panic!("each request had a connection") };
        let filter = Filter::parse(&format!("lab.conn == {conn}")).expect("a filter");
        let by_number = Selector::new(&trace).select(&filter);
        let filter = Filter::parse(&format!("tcp.port == {}", client.port)).expect("a filter");
        assert_eq!(by_number, Selector::new(&trace).select(&filter), "NAT leaves the client's port alone");
    }
}

#[test]
fn going_back_in_time_shows_the_same_tables_as_going_there_first() {
    for scenario in ["tutorial-000-dr", "tutorial-001-nat", "tutorial-002-lvs-real", "failover-crash"] {
        let trace = trace(scenario, Level::Everything);
        let last = trace.events.len() as u32 - 1;
        let changes = Changes::of(&trace);
        let (mut back, mut there) = (Tables::start(&trace), Vec::new());
        for event in 0..=last {
            back.go_to(&trace, &changes, EventId(event));
            there.push(back.clone());
        }
        for event in (0..=last).rev() {
            back.go_to(&trace, &changes, EventId(event));
            assert_eq!(back, there[event as usize], "{scenario} e{event}");
        }
        for event in [last / 2, last / 3, last / 3 + 1, 0, last] {
            let moment = Moment::after(&trace, EventId(event));
            for node in (0..trace.cast.nodes.len() as u32).map(NodeId) {
                assert_eq!(moment.node(node), there[event as usize].node(&trace, node), "{scenario} e{event}");
            }
        }
    }
}

#[test]
fn a_host_that_is_off_has_no_tables_and_one_that_is_on_again_those_of_its_boot() {
    let bundled = library::find("tutorial-000-dr").expect("it is bundled");
    let text = bundled.read(&bundled.file()).expect("it is bundled");
    let added = r#"script: [(at: "2s", power_off: "server4"), (at: "3s", power_on: "server4"),"#;
    let file = SourceFile { name: bundled.file(), text: text.replace("script: [", added) };
    let model = scenarios::load_text(&Arc::new(file), &bundled).expect("it can be loaded");
    let mut sim = scenarios::assemble(&model, scenarios::Options::default());
    sim.run();
    let trace = sim.into_trace();
    let director = node(&trace, "server4");
    let at = |at_ms: u64| Moment::at(&trace, Instant::from_nanos(at_ms * 1_000_000));
    let rows = |moment: &Moment| Table::ALL.map(|table| moment.node(director).count(table));
    assert!(rows(&at(1_900)).iter().sum::<usize>() > 20, "addresses, routes, services, connections");
    let off = at(2_500);
    assert_eq!(off.node(director).power(), Some(PowerState::Off));
    assert_eq!(rows(&off).iter().sum::<usize>(), 1, "that it is off, and nothing else: {:?}", rows(&off));
    let again = at(3_500);
    assert_eq!(again.node(director).power(), Some(PowerState::On));
    assert_eq!(again.node(director).connection_count(), 0);
    for table in [Table::Address, Table::Route, Table::Service, Table::Server, Table::RoutingRule] {
        assert_eq!(again.node(director).count(table), at(900).node(director).count(table), "{}", table.name());
    }
}

#[test]
fn the_tables_at_a_time_are_those_that_a_command_lists_then() {
    let trace = trace("tutorial-000-dr", Level::Everything);
    let director = node(&trace, "server4");
    let inactive = |at_ns| {
        let moment = Moment::at(&trace, Instant::from_nanos(at_ns));
        moment.node(director).servers().map(|server| server.inactive).collect::<Vec<_>>()
    };
    assert_eq!(inactive(900_000_000), [0, 0], "before the first request");
    assert_eq!(inactive(7_000_000_000), [2, 2], "as ipvsadm -Ln says at 7 s");
}

#[test]
fn every_reason_that_a_run_gives_has_a_page() {
    for bundled in library::names() {
        let trace = trace(bundled, Level::Everything);
        let codes: BTreeSet<&str> = trace
            .events
            .iter()
            .filter_map(|event| match event.kind {
                Kind::Decided(why) => Some(explain::code(&trace, why)),
                _ => None,
            })
            .collect();
        let lacking: Vec<&&str> = codes.iter().filter(|code| explain::page(code).is_none()).collect();
        assert!(lacking.is_empty(), "{bundled}: {lacking:?}");
    }
}

#[test]
fn frames_of_which_only_the_head_was_kept_are_read_as_far_as_they_go() {
    let (whole, heads) = (trace("tutorial-000-tun", Level::Everything), trace("tutorial-000-tun", Level::Frames));
    // Level frames keeps one record a hop: what came in.
    let inbound = whole.captured_frames().filter(|frame| !frame.outbound);
    let inbound: Vec<_> = inbound.collect();
    assert_eq!(inbound.len(), heads.frames.len());
    for (whole, head) in inbound.into_iter().zip(heads.captured_frames()) {
        assert_eq!(whole.length as usize, whole.bytes.len());
        assert_eq!(whole.length, head.length, "the original length is known");
        assert!(whole.bytes.starts_with(&head.bytes));
        assert_eq!(head.dissect().problem, None, "a frame that was cut is not malformed");
        assert_eq!(whole.dissect().flow(), head.dissect().flow());
    }
}
