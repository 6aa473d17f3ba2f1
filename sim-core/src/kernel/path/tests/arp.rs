//! Who answers, who learns, who asks in whose name.

use super::*;
use crate::trace::record::NeighbourState as State;

/// A router and a real server that holds the VIP on `lo`.
fn real_server() -> Bench {
    let mut bench = Bench::new(2);
    bench.card(0, 0, "10.0.2.1/24");
    bench.card(1, 0, "10.0.2.21/24");
    bench.wire(&[(0, 0), (1, 0)]);
    bench.on(1, |kernel, _, cx| {
        kernel.tables.add_address(LOOPBACK_ID, Address::new(ip("10.0.2.100"), 32, "lo"), cx).unwrap();
    });
    bench
}

fn state(bench: &Bench, machine: usize, address: &str) -> Option<(State, Option<u8>)> {
    let id = bench.kernels[machine].tables.interfaces.named("eth0").unwrap().id;
    let entry = bench.kernels[machine].tables.neighbours.get(id, ip(address))?;
    Some((entry.state, entry.mac.map(|mac| mac.as_bytes()[5])))
}

/// A message from a stranger's MAC on the first card of a machine.
fn hears(bench: &mut Bench, machine: usize, to: Mac, op: u8, sender: (&str, u8), target: (&str, Mac)) {
    let mut bytes = to.as_bytes().to_vec();
    let sender_mac = [2, 0, 0, 0, 0, sender.1];
    bytes.extend(sender_mac);
    bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, op]);
    bytes.extend(sender_mac);
    bytes.extend(ip(sender.0).octets());
    bytes.extend(target.1.as_bytes());
    bytes.extend(ip(target.0).octets());
    let port = PortId(machine as u32 * 10);
    bench.on(machine, |kernel, out, cx| kernel.receive(port, Frame::from_bytes(&bytes, PacketId(0)), out, cx));
}

const NOBODY: Mac = Mac([0; 6]);

#[test]
fn arp_ignore_decides_whether_the_vip_on_lo_is_answered() {
    let expected = [("0", true), ("1", false), ("2", false), ("3", true), ("4", true), ("8", false)];
    for (value, answered) in expected {
        let mut bench = real_server();
        bench.sysctl(1, "net.ipv4.conf.all.arp_ignore", value);
        bench.send(0, &echo("10.0.2.1", "10.0.2.100", 64, 8));
        assert_eq!(bench.arps(10).len() == 1, answered, "arp_ignore {value}");
    }
}

#[test]
fn the_setting_of_lo_alone_does_nothing() {
    let mut bench = real_server();
    bench.sysctl(1, "net.ipv4.conf.lo.arp_ignore", "1");
    bench.send(0, &echo("10.0.2.1", "10.0.2.100", 64, 8));
    assert_eq!(bench.arps(10), ["2 10.0.2.100 > 10.0.2.1 to 0"]);
}

#[test]
fn arp_announce_decides_in_whose_name_is_asked() {
    for (value, name) in [("0", "10.0.2.100"), ("1", "10.0.2.100"), ("2", "10.0.2.21")] {
        let mut bench = real_server();
        bench.sysctl(1, "net.ipv4.conf.all.arp_announce", value);
        bench.send(1, &echo("10.0.2.100", "10.0.2.1", 64, 8));
        assert_eq!(bench.arps(10)[0], format!("1 {name} > 10.0.2.1 to all"), "arp_announce {value}");
    }
}

#[test]
fn a_question_is_repeated_three_times_and_then_the_sender_is_told() {
    let mut bench = through_a_router();
    bench.send(0, &echo("10.0.1.10", "10.0.2.99", 64, 8));
    bench.pass(10);
    let asked = vec!["1 10.0.2.1 > 10.0.2.99 to all"; 3];
    assert_eq!(bench.arps(11), asked);
    assert!(bench.whys().contains(&Why::ArpFailed { target: ip("10.0.2.99") }));
    let told = bench.packets(10);
    assert_eq!((told.len(), told[0][20], told[0][21]), (1, 3, 1));
}

#[test]
fn an_entry_in_use_is_probed_by_unicast_and_found_again() {
    let mut bench = real_server();
    bench.send(0, &echo("10.0.2.1", "10.0.2.21", 64, 8));
    assert_eq!(state(&bench, 0, "10.0.2.21"), Some((State::Reachable, Some(10))));
    bench.pass(50);
    assert_eq!(state(&bench, 0, "10.0.2.21"), Some((State::Stale, Some(10))));
    bench.send(0, &echo("10.0.2.1", "10.0.2.21", 64, 8));
    assert_eq!(state(&bench, 0, "10.0.2.21"), Some((State::Delay, Some(10))));
    bench.seen.clear();
    bench.pass(8);
    assert_eq!(bench.arps(0)[0], "1 10.0.2.1 > 10.0.2.21 to 10");
    assert_eq!(state(&bench, 0, "10.0.2.21"), Some((State::Reachable, Some(10))));
}

#[test]
fn a_dead_neighbour_is_asked_three_times_by_unicast_and_fails() {
    let mut bench = real_server();
    bench.send(0, &echo("10.0.2.1", "10.0.2.21", 64, 8));
    bench.links.clear();
    bench.pass(50);
    bench.seen.clear();
    bench.send(0, &echo("10.0.2.1", "10.0.2.21", 64, 8));
    bench.pass(12);
    assert_eq!(bench.arps(0), vec!["1 10.0.2.1 > 10.0.2.21 to 10"; 3]);
    assert_eq!(state(&bench, 0, "10.0.2.21"), Some((State::Failed, Some(10))));
}

#[test]
fn the_first_answer_wins_for_one_second_and_a_tick() {
    let mut bench = real_server();
    bench.sysctl(1, "net.ipv4.conf.all.arp_ignore", "8");
    bench.send(0, &echo("10.0.2.1", "10.0.2.100", 64, 8));
    hears(&mut bench, 0, mac(0, 0), 2, ("10.0.2.100", 0xa), ("10.0.2.1", mac(0, 0)));
    assert_eq!(state(&bench, 0, "10.0.2.100"), Some((State::Reachable, Some(0xa))));
    hears(&mut bench, 0, mac(0, 0), 2, ("10.0.2.100", 0xb), ("10.0.2.1", mac(0, 0)));
    assert_eq!(state(&bench, 0, "10.0.2.100"), Some((State::Reachable, Some(0xa))));
    bench.now += Duration::from_millis(1000);
    hears(&mut bench, 0, mac(0, 0), 2, ("10.0.2.100", 0xb), ("10.0.2.1", mac(0, 0)));
    assert_eq!(state(&bench, 0, "10.0.2.100"), Some((State::Reachable, Some(0xa))));
    bench.now += Duration::from_millis(4);
    hears(&mut bench, 0, mac(0, 0), 2, ("10.0.2.100", 0xb), ("10.0.2.1", mac(0, 0)));
    assert_eq!(state(&bench, 0, "10.0.2.100"), Some((State::Reachable, Some(0xb))));
}

#[test]
fn a_gratuitous_message_or_a_question_for_us_takes_over_at_once() {
    let cases = [
        ("gratuitous request", 1, Mac::BROADCAST, ("10.0.2.100", NOBODY), true),
        ("gratuitous reply to its own MAC", 2, Mac::BROADCAST, ("10.0.2.100", Mac([2, 0, 0, 0, 0, 0xb])), true),
        ("gratuitous reply to everybody", 2, Mac::BROADCAST, ("10.0.2.100", Mac::BROADCAST), false),
        ("question for us", 1, Mac::BROADCAST, ("10.0.2.1", NOBODY), true),
        ("question for somebody else", 1, Mac::BROADCAST, ("10.0.2.77", NOBODY), false),
        ("answer", 2, mac(0, 0), ("10.0.2.1", mac(0, 0)), false),
    ];
    for (what, op, to, target, takes_over) in cases {
        let mut bench = real_server();
        bench.links.clear();
        bench.send(0, &echo("10.0.2.1", "10.0.2.100", 64, 8));
        hears(&mut bench, 0, mac(0, 0), 2, ("10.0.2.100", 0xa), ("10.0.2.1", mac(0, 0)));
        hears(&mut bench, 0, to, op, ("10.0.2.100", 0xb), target);
        let expected = if takes_over { (State::Stale, Some(0xb)) } else { (State::Reachable, Some(0xa)) };
        assert_eq!(state(&bench, 0, "10.0.2.100"), Some(expected), "{what}");
    }
}

#[test]
fn an_unasked_announcement_makes_no_entry_unless_arp_accept_says_so() {
    for (accept, makes) in [("0", false), ("1", true), ("2", true)] {
        let mut bench = real_server();
        bench.sysctl(0, "net.ipv4.conf.all.arp_accept", accept);
        hears(&mut bench, 0, Mac::BROADCAST, 1, ("10.0.2.100", 0xa), ("10.0.2.100", NOBODY));
        assert_eq!(state(&bench, 0, "10.0.2.100").is_some(), makes, "arp_accept {accept}");
        hears(&mut bench, 0, Mac::BROADCAST, 1, ("10.0.2.50", 0xa), ("10.0.2.77", NOBODY));
        assert_eq!(state(&bench, 0, "10.0.2.50"), None, "a question for somebody else never makes one");
    }
}

#[test]
fn a_probe_is_answered_and_teaches_nothing() {
    let mut bench = real_server();
    hears(&mut bench, 0, Mac::BROADCAST, 1, ("0.0.0.0", 0xa), ("10.0.2.1", NOBODY));
    assert_eq!(bench.arps(0), ["2 10.0.2.1 > 0.0.0.0 to 10"]);
    assert!(bench.kernels[0].tables.neighbours.is_empty());
}

#[test]
fn a_permanent_entry_is_never_changed() {
    let mut bench = real_server();
    bench.on(0, |kernel, _, cx| {
        let iface = kernel.tables.interfaces.named("eth0").unwrap().id;
        let entry = crate::tables::neighbours::NewNeighbour {
            iface,
            address: ip("10.0.2.100"),
            mac: Some(mac(3, 3)),
            state: State::Permanent,
        };
        kernel.tables.neighbours.set(entry, true, &kernel.tables.sysctl, cx).unwrap();
    });
    hears(&mut bench, 0, Mac::BROADCAST, 1, ("10.0.2.100", 0xb), ("10.0.2.1", NOBODY));
    assert_eq!(state(&bench, 0, "10.0.2.100"), Some((State::Permanent, Some(33))));
}

#[test]
fn many_waiting_packets_do_not_take_more_than_their_queue() {
    let mut bench = through_a_router();
    bench.links.truncate(1);
    for _ in 0..600 {
        bench.send(0, &echo("10.0.1.10", "10.0.2.21", 64, 1000));
    }
    let dropped = bench.whys().iter().filter(|why| matches!(why, Why::ArpQueueFull { .. })).count();
    assert!((300..500).contains(&dropped), "{dropped}");
}

#[test]
fn a_router_answers_for_hosts_behind_it_if_proxy_arp_is_on() {
    let mut bench = through_a_router();
    bench.sysctl(1, "net.ipv4.conf.eth0.proxy_arp", "1");
    hears(&mut bench, 1, Mac::BROADCAST, 1, ("10.0.1.10", 0), ("10.0.2.21", NOBODY));
    assert!(bench.arps(10).is_empty(), "it is held back for a moment");
    bench.pass(1);
    assert_eq!(bench.arps(10), ["2 10.0.2.21 > 10.0.1.10 to 0"]);
}
