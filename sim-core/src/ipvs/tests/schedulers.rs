//! Who gets the next connection. Servers .1 .2 .3 are added in this order; every connection stays open, unless said.

use super::*;
use crate::ipvs::Server;
use proptest::prelude::*;

fn check(scheduler: &str, weights: &[u32], expected: &[u8]) {
    let mut lab = Lab::with_servers(scheduler, weights);
    assert_eq!(lab.open_many(expected.len() as u16), expected, "{scheduler} {weights:?}");
}

#[test]
fn rr_goes_through_the_list_from_the_server_added_last() {
    check("rr", &[1, 1, 1], &[3, 2, 1, 3, 2, 1, 3]);
    check("rr", &[1, 0, 1], &[3, 1, 3, 1]);
    check("rr", &[0, 0], &[0, 0]);
}

#[test]
fn rr_goes_on_behind_a_server_that_was_deleted() {
    let mut lab = Lab::with_servers("rr", &[1, 1, 1]);
    assert_eq!(lab.open_many(2), [3, 2]);
    lab.delete(12);
    assert_eq!(lab.open_many(4), [1, 3, 1, 3]);
}

#[test]
fn rr_meets_a_new_server_when_it_comes_round() {
    let mut lab = Lab::with_servers("rr", &[1, 1]);
    assert_eq!(lab.open_many(1), [2]);
    lab.add(server(13, 1));
    assert_eq!(lab.open_many(4), [1, 3, 2, 1]);
}

#[test]
fn wrr_begins_in_its_lowest_level() {
    check("wrr", &[4, 3, 2], &[3, 2, 1, 1, 2, 1, 3, 2, 1, 3, 2, 1, 1, 2]);
    check("wrr", &[3, 1], &[2, 1, 1, 1, 2, 1, 1, 1]);
    check("wrr", &[5, 1, 1], &[3, 2, 1, 1, 1, 1, 1, 3, 2, 1]);
    check("wrr", &[10, 20, 30], &[3, 2, 1, 3, 3, 2, 3, 2, 1]);
    check("wrr", &[1, 1], &[2, 1, 2, 1]);
    check("wrr", &[2, 4], &[2, 1, 2, 2, 1, 2]);
    check("wrr", &[0, 0], &[0]);
}

#[test]
fn wrr_bound_later_begins_in_its_highest_level() {
    let mut lab = Lab::with_servers("rr", &[4, 3, 2]);
    lab.with(|ipvs, _, cx| ipvs.edit_service(key(), &service("wrr"), cx)).expect("the service is there");
    assert_eq!(lab.open_many(12), [1, 2, 1, 3, 2, 1, 3, 2, 1, 1, 2, 1]);
}

#[test]
fn wrr_begins_its_round_again_after_an_edit() {
    let mut lab = Lab::with_servers("wrr", &[4, 3, 2]);
    assert_eq!(lab.open_many(4), [3, 2, 1, 1]);
    lab.edit(server(11, 1));
    assert_eq!(lab.open_many(8), [2, 3, 2, 3, 2, 1, 2, 3]);
}

#[test]
fn wrr_does_not_walk_through_millions_of_levels_for_a_full_heavy_server() {
    let mut lab = Lab::with_servers("wrr", &[1]);
    lab.add(ServerOptions { upper: 1, ..server(12, 2_000_000_000) });
    assert_eq!(lab.open_many(1), [2], "until it is full");
    assert_eq!(lab.open_many(3), [1, 1, 1]);
}

#[test]
fn lc_ignores_weights_other_than_0() {
    check("lc", &[9, 2, 5], &[3, 2, 1, 3, 2, 1]);
    check("lc", &[1, 0, 1], &[3, 1, 3, 1]);
}

#[test]
fn wlc_compares_connections_per_weight() {
    check("wlc", &[1, 1, 1], &[3, 2, 1, 3, 2, 1]);
    check("wlc", &[3, 2, 1], &[3, 2, 1, 1, 2, 1, 3, 2, 1, 1, 2, 1]);
    check("wlc", &[1, 2], &[2, 1, 2, 2, 1, 2, 2, 1, 2]);
}

#[test]
fn sed_starts_with_the_heaviest() {
    check("sed", &[3, 2, 1], &[1, 2, 1, 3, 2, 1, 1, 2, 1, 3, 2, 1]);
    check("sed", &[1, 2], &[2, 2, 1, 2, 2, 1]);
    check("sed", &[1, 1, 1], &[3, 2, 1]);
}

#[test]
fn nq_takes_an_idle_server_whatever_its_weight() {
    check("nq", &[3, 2, 1], &[3, 2, 1, 1, 2, 1, 1, 2, 1, 3, 2, 1]);
    check("nq", &[1, 2], &[2, 1, 2, 2, 2, 1, 2, 2, 1]);
}

#[test]
fn fo_always_takes_the_heaviest() {
    check("fo", &[1, 3, 2], &[2, 2, 2, 2]);
    check("fo", &[3, 3], &[2, 2]);
}

#[test]
fn ovf_lets_a_server_have_one_more_than_its_weight() {
    check("ovf", &[2, 3, 1], &[2, 2, 2, 2, 1, 1, 1, 3, 3, 0]);
}

#[test]
fn udp_counts_as_inactive_for_wlc() {
    let mut lab = Lab::new();
    lab.add_service(udp_key(), service("wlc"));
    for (weight, host) in [1, 1, 2].into_iter().zip(11..) {
        let options = server(host, weight);
        lab.with(|ipvs, tables, cx| ipvs.add_server(udp_key(), &options, tables, cx)).expect("new");
    }
    let mut seen = Vec::new();
    for port in 1000..1008 {
        let source = SocketAddr { address: CLIENT, port };
        lab.input(udp(source, vip(), 10));
        let flow = Flow { transport: Transport::Udp, source, destination: vip() };
        seen.push(lab.ipvs.connection(&flow).expect("scheduled").server.address.octets()[3] - 10);
    }
    assert_eq!(seen, [3, 2, 1, 3, 3, 2, 1, 3]);
}

#[test]
fn a_full_server_is_skipped_until_its_count_falls_below_the_lower_threshold() {
    let mut lab = Lab::new();
    lab.add_service(key(), service("rr"));
    lab.add(server(11, 1));
    lab.add(ServerOptions { upper: 2, lower: 1, ..server(12, 1) });
    assert_eq!(lab.open_many(6), [2, 1, 2, 1, 1, 1]);
}

/// Who gets connections from 192.0.2.1, .2, …, each to the VIP.
fn clients(lab: &mut Lab, count: u8) -> Vec<u8> {
    let connect = |lab: &mut Lab, host| {
        let source = SocketAddr { address: Ipv4Addr::new(192, 0, 2, host), port: 40_000 + u16::from(host) };
        lab.input(tcp(source, vip(), SYN));
        let flow = Flow { transport: Transport::Tcp, source, destination: vip() };
        lab.ipvs.connection(&flow).map_or(0, |conn| conn.server.address.octets()[3])
    };
    (1..=count).map(|host| connect(lab, host)).collect()
}

/// Servers 10.0.0.1, .2, … with these scheduler flags; their addresses are hashed too.
fn hashing(scheduler: &str, flags: u8, weights: &[u32]) -> Lab {
    let mut lab = Lab::new();
    lab.add_service(key(), ServiceOptions { flags, ..service(scheduler) });
    for (weight, host) in weights.iter().zip(1..) {
        lab.add(server(host, *weight));
    }
    lab
}

#[test]
fn sh_hashes_the_client() {
    assert_eq!(clients(&mut hashing("sh", 0, &[1, 1, 1]), 12), [1, 2, 3, 2, 1, 3, 1, 2, 1, 3, 2, 3]);
    assert_eq!(clients(&mut hashing("sh", 0, &[3, 1, 2]), 12), [2, 1, 3, 1, 1, 1, 1, 3, 1, 3, 1, 3]);
    assert_eq!(clients(&mut hashing("sh", 0, &[1, 0, 1]), 12), [1, 0, 3, 0, 1, 3, 1, 0, 1, 3, 0, 3]);
    assert_eq!(clients(&mut hashing("sh", 8, &[1, 0, 1]), 12), [1, 1, 3, 1, 1, 3, 1, 1, 1, 3, 1, 3]);
}

#[test]
fn mh_hashes_the_client_and_keeps_the_slots_of_a_server_set_to_0() {
    assert_eq!(clients(&mut hashing("mh", 0, &[1, 1, 1]), 12), [3, 2, 2, 3, 2, 3, 2, 3, 1, 2, 3, 2]);
    assert_eq!(clients(&mut hashing("mh", 0, &[3, 1, 2]), 12), [3, 2, 1, 3, 1, 3, 2, 3, 1, 2, 3, 2]);
    for (flags, expected) in [(0, [3, 0, 0, 3, 0, 3, 0, 3, 1, 0, 3, 0]), (8, [3, 3, 1, 3, 1, 3, 1, 3, 1, 3, 3, 1])] {
        let mut lab = hashing("mh", flags, &[1, 1, 1]);
        lab.edit(server(2, 0));
        assert_eq!(clients(&mut lab, 12), expected);
    }
}

#[test]
fn sh_port_and_mh_port_spread_one_client() {
    for (scheduler, expected) in
        [("sh", [2, 1, 2, 3, 3, 1, 3, 1, 2, 2, 3, 2]), ("mh", [3, 3, 2, 3, 3, 3, 3, 1, 2, 3, 1, 1])]
    {
        let mut lab = hashing(scheduler, 0x10, &[1, 1, 1]);
        let server = |lab: &mut Lab, port| {
            lab.send(port, SYN);
            lab.conn(port).map_or(0, |conn| conn.server.address.octets()[3])
        };
        let seen: Vec<u8> = (40_000..40_012).map(|port| server(&mut lab, port)).collect();
        assert_eq!(seen, expected, "{scheduler}");
    }
}

/// Who gets connections to 192.0.2.1, .2, … through a firewall-mark service.
fn destinations(scheduler: &str, weights: &[u32], destinations: &[u8]) -> Vec<u8> {
    let mut lab = Lab::new();
    lab.add_service(ServiceKey::Mark(1), service(scheduler));
    for (weight, host) in weights.iter().zip(11..) {
        let options = server(host, *weight);
        lab.with(|ipvs, tables, cx| ipvs.add_server(ServiceKey::Mark(1), &options, tables, cx)).expect("new");
    }
    let mut port = 1000;
    let mut connect = |lab: &mut Lab, host| {
        port += 1;
        let source = SocketAddr { address: CLIENT, port };
        let destination = SocketAddr { address: Ipv4Addr::new(192, 0, 2, host), port: 80 };
        let mut packet = tcp(source, destination, SYN);
        packet.mark = 1;
        lab.input(packet);
        let flow = Flow { transport: Transport::Tcp, source, destination };
        lab.ipvs.connection(&flow).map_or(0, |conn| conn.server.address.octets()[3] - 10)
    };
    destinations.iter().map(|host| connect(&mut lab, *host)).collect()
}

#[test]
fn dh_hashes_the_destination() {
    let all: Vec<u8> = (1..=12).collect();
    assert_eq!(destinations("dh", &[1, 1, 1], &all), [1, 2, 3, 2, 1, 3, 1, 2, 1, 3, 2, 3]);
}

#[test]
fn lblc_keeps_a_destination_until_its_server_is_crowded() {
    assert_eq!(destinations("lblc", &[2, 2, 2], &[1, 2, 3, 1, 2, 3, 1, 2, 3]), [3, 2, 1, 3, 2, 1, 3, 2, 1]);
    assert_eq!(destinations("lblc", &[2, 2, 2], &[1; 12]), [3, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn lblcr_gives_a_hot_destination_more_servers() {
    assert_eq!(destinations("lblcr", &[2, 2, 2], &[1; 12]), [3, 3, 3, 2, 2, 2, 1, 1, 1, 1, 2, 3]);
}

#[test]
fn twos_spreads_by_weight() {
    let mut lab = Lab::with_servers("twos", &[1, 3]);
    let picks = lab.open_many(400);
    let first = picks.iter().filter(|host| **host == 1).count();
    assert!((60..140).contains(&first), "a quarter of 400, evened out: {first}");
}

/// The server that a walk through the list would choose: what the schedulers did before they had an index.
fn walked(lab: &Lab, scheduler: &str) -> Option<u8> {
    let service = lab.ipvs.service(key()).expect("it is there");
    let usable = |server: &&Server| server.weight > 0 && !server.overloaded;
    let servers: Vec<&Server> = lab.ipvs.servers(service).iter().filter(usable).collect();
    let load = |server: &Server| u64::from(server.active) * 257 + u64::from(server.inactive());
    let next = |server: &Server| u64::from(server.active) + 1;
    let cheapest = |cost: &dyn Fn(&Server) -> (u64, u64)| {
        servers.iter().copied().reduce(|best, server| {
            let ((a, v), (b, w)) = (cost(best), cost(server));
            if u128::from(a) * u128::from(w) > u128::from(b) * u128::from(v) { server } else { best }
        })
    };
    let weight = |server: &Server| u64::from(server.weight);
    let chosen = match scheduler {
        "lc" => cheapest(&|server| (load(server), 1)),
        "wlc" => cheapest(&|server| (load(server), weight(server))),
        "sed" => cheapest(&|server| (next(server), weight(server))),
        "nq" => servers
            .iter()
            .copied()
            .find(|server| server.active == 0)
            .or_else(|| cheapest(&|server| (next(server), weight(server)))),
        "fo" => cheapest(&|server| (1, weight(server))),
        _ => {
            let roomy = servers.iter().copied().filter(|server| server.active <= server.weight);
            roomy.reduce(|best, server| if server.weight > best.weight { server } else { best })
        }
    };
    chosen.map(|server| server.address.address.octets()[3] - 10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn an_index_chooses_what_a_walk_through_the_list_would(
        deeds in prop::collection::vec((0..10u8, 1..10u8, 0..5u32, 0..4u32), 1..120),
    ) {
        for scheduler in ["lc", "wlc", "sed", "nq", "fo", "ovf"] {
            let mut lab = Lab::with_servers(scheduler, &[1, 2, 3]);
            let mut port = 1000;
            for &(deed, host, weight, upper) in &deeds {
                let options = ServerOptions { upper: upper * 3, ..server(10 + host, weight) };
                let is_there = lab.ipvs.server(key(), rip(10 + host)).is_some();
                match deed {
                    0 if is_there => lab.delete(10 + host),
                    0 | 1 if !is_there => lab.add(options),
                    1 => lab.edit(options),
                    2 => drop(lab.send(1000 + u16::from(host), FIN)),
                    3 => drop(lab.send(1000 + u16::from(host), RST)),
                    4 => lab.wait(u64::from(weight) * 40),
                    _ => {
                        let expected = walked(&lab, scheduler).unwrap_or(0);
                        prop_assert_eq!(lab.open(port), expected, "{}", scheduler);
                        lab.send(port, ACK);
                        port += 1;
                    }
                }
            }
        }
    }
}
