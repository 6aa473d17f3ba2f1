//! Facts about ARP on small LANs, and that what `explain` recommends cures.

use crate::lan;
use pcap_out::dispute::cures;
use scenarios::Model;
use scenarios::problem::{SourceFile, render};
use sim_core::base::id::NodeId;
use sim_core::shell::parse;
use sim_core::trace::dispute::disputes;
use sim_core::trace::{Kind, Trace, Why};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::arp::{Arp, REPLY};
use std::sync::Arc;

/// Two hosts `a` (10.0.0.1) and `b` (10.0.0.2) on a switch, what is typed on them at boot, and then on `a`.
fn lan(boot_a: &[&str], boot_b: &[&str], script: &[(&str, &str, &str)]) -> Trace {
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line:?}, ")).collect::<String>();
    let script: String =
        script.iter().map(|(at, on, run)| format!("(at: {at:?}, on: {on:?}, run: {run:?}),\n")).collect();
    let text = format!(
        "Scenario(until: \"60s\", switches: {{ \"lan\": () }}, hosts: {{
            \"a\": (role: Host, nics: {{ \"eth0\": (to: \"lan\", address: \"10.0.0.1/24\") }}, boot: [{}]),
            \"b\": (role: Host, nics: {{ \"eth0\": (to: \"lan\", address: \"10.0.0.2/24\"), \"eth1\": (to: \"lan\") }}, boot: [{}]),
        }}, script: [{script}])",
        lines(boot_a),
        lines(boot_b),
    );
    let file = Arc::new(SourceFile { name: "arp.ron".into(), text });
    run(&scenarios::load_text(&file, &lan::Alone).unwrap_or_else(|problems| panic!("{}", render(&problems))))
}

fn run(model: &Model) -> Trace {
    let mut sim = scenarios::assemble(model, scenarios::Options::default());
    sim.run();
    sim.into_trace()
}

/// What a typed line printed, both streams, and its exit status.
fn printed(trace: &Trace, line: &str) -> (String, i32) {
    let ran = trace.commands.iter().find(|command| &*command.text == line).expect("it was typed");
    (format!("{}{}", ran.stdout, ran.stderr), ran.exit.expect("it ended"))
}

/// ARP messages that a host sent.
fn sent(trace: &Trace, node: u32) -> Vec<(u64, Arp)> {
    let frames = trace.captured_frames().filter(|frame| frame.outbound && frame.node == NodeId(node));
    frames.filter_map(|frame| Some((frame.at.millis(), Arp::of_frame(&frame.bytes)?))).collect()
}

#[test]
fn a_packet_socket_passes_no_arptables() {
    let drop_all = ["arptables -P OUTPUT DROP"];
    let trace = lan(
        &drop_all,
        &[],
        &[("1s", "a", "arping -q -c 1 -U -I eth0 10.0.0.1"), ("5s", "a", "ping -q -c 1 -W 1 10.0.0.2")],
    );
    let own: Vec<u64> = sent(&trace, 0).iter().map(|(at, _)| *at).collect();
    assert_eq!(own, [1_000], "arping is heard, the kernel's own question is not");
}

#[test]
fn a_published_address_is_answered_for_by_a_host_that_forwards_to_it() {
    let publish = [
        "sysctl -q -w net.ipv4.ip_forward=1",
        "ip addr add 10.9.0.1/24 dev eth1",
        "ip link set eth1 up",
        "ip neigh add proxy 10.9.0.7 dev eth0",
    ];
    let asks = [
        ("1s", "a", "arping -q -c 2 -I eth0 10.9.0.7"),
        ("4s", "b", "ip neigh show proxy"),
        ("5s", "b", "arp -d 10.9.0.7 pub"),
        ("6s", "a", "arping -q -c 2 -f -w 1 -I eth0 10.9.0.7"),
    ];
    let trace = lan(&["ip route add 10.9.0.0/24 dev eth0"], &publish, &asks);
    assert_eq!(printed(&trace, "arping -q -c 2 -I eth0 10.9.0.7").1, 0);
    assert_eq!(printed(&trace, "ip neigh show proxy"), ("10.9.0.7 dev eth0 proxy \n".into(), 0));
    assert_eq!(printed(&trace, "arping -q -c 2 -f -w 1 -I eth0 10.9.0.7").1, 1);
    let published = |kind| matches!(kind, Kind::Decided(Why::ArpProxied { published: true, .. }));
    assert!(trace.events.iter().any(|event| published(event.kind)));
}

#[test]
fn entries_that_nobody_needs_are_collected_above_gc_thresh1_only() {
    let asks: Vec<String> = (50..54).map(|n| format!("ping -q -c 1 -W 1 10.0.0.{n}")).collect();
    let mut script: Vec<(&str, &str, &str)> = asks.iter().map(|line| ("1s", "a", line.as_str())).collect();
    script.push(("14s", "a", "ip neigh show | wc -l"));
    script.push(("16s", "a", "ip neigh show nud failed | wc -l"));
    let few = lan(&["sysctl -q -w net.ipv4.neigh.default.gc_thresh1=4"], &[], &script);
    assert_eq!(printed(&few, "ip neigh show | wc -l").0.trim(), "4");
    assert_eq!(printed(&few, "ip neigh show nud failed | wc -l").0.trim(), "0");
    let many = lan(&["sysctl -q -w net.ipv4.neigh.default.gc_thresh1=5"], &[], &script);
    assert_eq!(printed(&many, "ip neigh show nud failed | wc -l").0.trim(), "4");
}

#[test]
fn above_gc_thresh3_there_is_no_further_entry() {
    let boot = ["sysctl -q -w net.ipv4.neigh.default.gc_thresh3=2 net.ipv4.neigh.default.gc_thresh2=2"];
    let script: Vec<String> = (50..53).map(|n| format!("ping -q -c 1 -W 1 10.0.0.{n}")).collect();
    let mut script: Vec<(&str, &str, &str)> = script.iter().map(|line| ("1s", "a", line.as_str())).collect();
    script.push(("1500ms", "a", "ip neigh show | wc -l"));
    let trace = lan(&boot, &[], &script);
    assert_eq!(printed(&trace, "ip neigh show | wc -l").0.trim(), "2");
    assert!(trace.events.iter().any(|event| matches!(event.kind, Kind::Decided(Why::ArpQueueFull { .. }))));
}

#[test]
fn questions_of_app_solicit_are_heard_by_nobody_on_the_link() {
    let trace = lan(&["sysctl -q -w net.ipv4.neigh.eth0.app_solicit=1"], &[], &[("1s", "a", "ping -q -c 1 10.0.0.2")]);
    let first = sent(&trace, 0).first().map(|(at, _)| *at);
    assert_eq!(first, Some(2_000), "the first question went to a program of the host");
}

#[test]
fn a_new_mean_reachable_time_counts_at_once() {
    let boot = ["sysctl -q -w net.ipv4.neigh.eth0.base_reachable_time_ms=1000"];
    let trace =
        lan(&boot, &[], &[("1s", "a", "ping -q -c 1 10.0.0.2"), ("4s", "a", "ip neigh show nud delay | wc -l")]);
    assert_eq!(printed(&trace, "ip neigh show nud delay | wc -l").0.trim(), "1");
}

#[test]
fn statistics_of_an_entry_are_shown_in_iproutes_order() {
    let trace = lan(&[], &[], &[("1s", "a", "ping -q -c 1 10.0.0.2"), ("4s", "a", "ip -s neigh show")]);
    let text = printed(&trace, "ip -s neigh show").0;
    assert_eq!(text, "10.0.0.2 dev eth0 lladdr 02:00:00:00:02:01 ref 1 used 3/2/2 probes 4 REACHABLE \n");
}

#[test]
fn words_of_ip_neigh_that_are_not_modelled_are_refused() {
    let trace = lan(&["w=managed"], &[], &[("1s", "a", "w=managed; ip neigh add 10.0.0.9 dev eth0 $w")]);
    let (said, status) = printed(&trace, "w=managed; ip neigh add 10.0.0.9 dev eth0 $w");
    assert!(status == 125 && said.contains("not modelled"), "{said}");
}

/// Whether a host claims an address by answers, or by questions.
fn claims(trace: &Trace, node: NodeId, address: Ipv4Addr, by_answer: bool) -> bool {
    sent(trace, node.0).iter().any(|(_, said)| said.sender == address && (said.operation == REPLY) == by_answer)
}

/// Every line that `explain --address` recommends is typed on the host it is for, alone, and the host is quiet then.
#[test]
fn every_cure_that_is_recommended_cures() {
    let mut tried = 0;
    for name in [
        "arp-no-cure-eth0",
        "arp-no-cure-lo",
        "arp-no-cure-local-route",
        "arp-stolen-by-request",
        "arp-half-announce-1",
        "arp-half-one-server",
        "arp-half-only-announce",
        "arp-rs-rebooted",
        "arp-proxy",
    ] {
        let bundled = scenarios::library::find(name).expect("it is bundled");
        let model =
            scenarios::load(&bundled.file(), &bundled).unwrap_or_else(|problems| panic!("{}", render(&problems)));
        let before = run(&model);
        for dispute in disputes(&before) {
            for claimant in dispute.claimants.iter().filter(|claimant| !claimant.serves) {
                let cures = cures(&before, &dispute, claimant);
                assert!(!cures.is_empty() || claimant.decisions.is_empty(), "{name}: there is a cure");
                for cure in cures {
                    let by_answer = !cure.line.contains("announce") && !cure.line.contains("OUTPUT");
                    assert!(claims(&before, claimant.node, dispute.address, by_answer), "{name}: {}", cure.line);
                    let mut cured = model.clone();
                    let lines =
                        parse::lines(&cure.line, &[]).unwrap_or_else(|_| panic!("{}: it can be typed", cure.line));
                    cured.hosts[claimant.node.index()].boot.extend(lines.0);
                    let after = run(&cured);
                    assert!(!claims(&after, claimant.node, dispute.address, by_answer), "{name}: {}", cure.line);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 20, "{tried} lines were tried");
}
