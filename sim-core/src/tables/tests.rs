//! Addresses, links, routes and settings together, as `ip` would show them.

use super::interfaces::{Address, LOOPBACK};
use super::routes::change::{How, NewRoute, Pattern, rule_for};
use super::routes::{Found, Question, RouteEntry, Rule, RuleAction, TABLE_LOCAL, TABLE_MAIN};
use super::{Refusal, Tables};
use crate::base::id::{EventId, IfaceId, NodeId, PacketId, PortId};
use crate::base::rng::Stream;
use crate::base::time::{Duration, Instant};
use crate::trace::record::{LinkKind, RouteKind, Scope};
use crate::trace::{Cast, Level, Recorder, Stage};
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::{Cx, Pool};
use ipnet::Ipv4Net;
use proptest::prelude::*;

struct Lab {
    tables: Tables,
    rng: Stream,
    pen: Recorder,
    pool: Pool,
    now: Instant,
}

const ETH0: IfaceId = IfaceId(2);
const ETH1: IfaceId = IfaceId(3);

impl Lab {
    /// `lo`, `eth0` and `eth1`, up and without addresses.
    fn new() -> Lab {
        let mut lab = Lab {
            tables: Tables::new(NodeId(0)),
            rng: Stream::named(1, "node/h"),
            pen: Recorder::new(Level::Everything, Cast::default()),
            pool: Pool::default(),
            now: Instant::ZERO,
        };
        lab.with(|tables, cx| {
            tables.start("h", cx);
            tables.set_up(LOOPBACK, true, cx).unwrap();
            for n in 0..2 {
                let kind = LinkKind::Ethernet(PortId(n));
                let mac = Mac([2, 0, 0, 0, 0, n as u8]);
                let id = tables.add_interface(&format!("eth{n}"), kind, mac, 1500, cx).unwrap();
                tables.set_up(id, true, cx).unwrap();
            }
        });
        lab
    }

    fn with<T>(&mut self, does: impl FnOnce(&mut Tables, &mut Cx) -> T) -> T {
        let mut cx = Cx {
            now: self.now,
            node: NodeId(0),
            rng: &mut self.rng,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Process,
        };
        does(&mut self.tables, &mut cx)
    }

    fn add(&mut self, id: IfaceId, address: &str) -> Result<(), Refusal> {
        let net = net(address);
        self.with(|tables, cx| tables.add_address(id, Address::new(net.addr(), net.prefix_len(), "x"), cx))
    }

    fn del(&mut self, id: IfaceId, address: &str) -> Result<(), Refusal> {
        let net = net(address);
        self.with(|tables, cx| tables.delete_address(id, net.addr(), Some(net.prefix_len()), cx))
    }

    fn route(&mut self, new: NewRoute) -> Result<(), Refusal> {
        self.with(|tables, cx| tables.routes.add(new, How::Add, &tables.interfaces, cx))
    }

    fn set(&mut self, key: &str, value: &str) {
        self.with(|tables, cx| tables.sysctl.set(key, value, cx)).unwrap();
    }

    /// `dst dev N [src S]`, of the routes that are not `lo`'s.
    fn list(&self, table: u32) -> Vec<String> {
        let line = |entry: &RouteEntry| {
            let record = &entry.record;
            let kind = match record.kind {
                RouteKind::Local => "local ",
                RouteKind::Broadcast => "broadcast ",
                RouteKind::Unreachable => "unreachable ",
                _ => "",
            };
            let via = record.gateway.map_or(String::new(), |gateway| format!(" via {gateway}"));
            let src = record.source.map_or(String::new(), |source| format!(" src {source}"));
            format!("{kind}{}{via} dev {}{src}", record.destination, record.iface.map_or(0, |id| id.0))
        };
        self.tables.routes.table(table).filter(|entry| entry.record.iface != Some(LOOPBACK)).map(line).collect()
    }

    fn goes(&self, destination: &str) -> Option<(IfaceId, Ipv4Addr, Ipv4Addr)> {
        let route = self.tables.routes.lookup(ip(destination), None, 0, &self.tables.interfaces).ok()?;
        Some((route.iface, route.next_hop, route.source))
    }
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn via(destination: &str, gateway: &str) -> NewRoute {
    NewRoute { gateway: Some(ip(gateway)), ..NewRoute::to(net(destination)) }
}

#[test]
fn an_address_brings_three_routes_and_takes_them_away_again() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    assert_eq!(lab.list(TABLE_MAIN), ["10.0.0.0/24 dev 2 src 10.0.0.5"]);
    let local = ["local 10.0.0.5/32 dev 2 src 10.0.0.5", "broadcast 10.0.0.255/32 dev 2 src 10.0.0.5"];
    assert_eq!(lab.list(TABLE_LOCAL), local);
    assert_eq!(lab.tables.interfaces.local(ip("10.0.0.5")), Some(ETH0));
    lab.del(ETH0, "10.0.0.5/24").unwrap();
    assert!(lab.list(TABLE_MAIN).is_empty() && lab.list(TABLE_LOCAL).is_empty());
    assert_eq!(lab.tables.interfaces.local(ip("10.0.0.5")), None);
}

#[test]
fn a_vip_of_32_bits_brings_a_local_route_only() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.100/32").unwrap();
    assert_eq!(lab.list(TABLE_LOCAL), ["local 10.0.0.100/32 dev 2 src 10.0.0.100"]);
    assert!(lab.list(TABLE_MAIN).is_empty());
}

#[test]
fn a_vip_on_lo_with_a_short_mask_claims_the_whole_subnet() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    lab.add(LOOPBACK, "10.0.0.100/24").unwrap();
    assert_eq!(lab.tables.routes.local_kind(ip("10.0.0.77")), Some(RouteKind::Local));
}

#[test]
fn secondary_addresses_go_with_their_primary_one_unless_they_are_promoted() {
    for promote in [false, true] {
        let mut lab = Lab::new();
        if promote {
            lab.set("net.ipv4.conf.eth0.promote_secondaries", "1");
        }
        lab.add(ETH0, "10.0.0.5/24").unwrap();
        lab.add(ETH0, "10.0.0.6/24").unwrap();
        lab.add(ETH0, "10.0.0.7/24").unwrap();
        let secondary: Vec<bool> =
            lab.tables.interfaces.get(ETH0).unwrap().addresses.iter().map(|address| address.secondary).collect();
        assert_eq!(secondary, [false, true, true]);
        lab.del(ETH0, "10.0.0.5/24").unwrap();
        if promote {
            assert_eq!(lab.list(TABLE_MAIN), ["10.0.0.0/24 dev 2 src 10.0.0.6"]);
            assert!(lab.list(TABLE_LOCAL).contains(&"local 10.0.0.7/32 dev 2 src 10.0.0.6".to_string()));
        } else {
            assert!(lab.list(TABLE_MAIN).is_empty() && lab.list(TABLE_LOCAL).is_empty());
        }
    }
}

#[test]
fn an_address_is_added_once_and_deleted_once() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    assert_eq!(lab.add(ETH0, "10.0.0.5/24"), Err(Refusal::Exists));
    assert_eq!(lab.del(ETH0, "10.0.0.9/24"), Err(Refusal::NoSuchAddress));
    assert_eq!(lab.add(IfaceId(99), "10.0.0.9/24"), Err(Refusal::NoDevice));
    lab.add(ETH0, "10.0.0.5/32").unwrap();
    lab.del(ETH0, "10.0.0.5/24").unwrap();
    assert_eq!(lab.tables.interfaces.local(ip("10.0.0.5")), Some(ETH0), "the /32 still stands");
    assert_eq!(lab.tables.routes.local_kind(ip("10.0.0.5")), Some(RouteKind::Local));
}

#[test]
fn a_link_that_goes_down_takes_its_routes_but_not_its_addresses() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    lab.route(via("0.0.0.0/0", "10.0.0.1")).unwrap();
    lab.with(|tables, cx| tables.set_up(ETH0, false, cx)).unwrap();
    assert!(lab.list(TABLE_MAIN).is_empty());
    assert_eq!(lab.list(TABLE_LOCAL), ["local 10.0.0.5/32 dev 2 src 10.0.0.5"]);
    lab.with(|tables, cx| tables.set_up(ETH0, true, cx)).unwrap();
    assert_eq!(lab.list(TABLE_MAIN), ["10.0.0.0/24 dev 2 src 10.0.0.5"], "typed routes do not come back");
    assert_eq!(lab.list(TABLE_LOCAL).len(), 2);
}

#[test]
fn a_gateway_must_be_on_a_link() {
    let mut lab = Lab::new();
    assert_eq!(lab.route(via("0.0.0.0/0", "10.0.0.1")), Err(Refusal::InvalidGateway));
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    lab.route(via("0.0.0.0/0", "10.0.0.1")).unwrap();
    assert_eq!(lab.route(via("10.9.0.0/16", "10.8.0.1")), Err(Refusal::InvalidGateway), "a gateway behind a gateway");
    assert_eq!(lab.route(via("0.0.0.0/0", "10.0.0.2")), Err(Refusal::Exists));
    assert_eq!(lab.route(via("10.9.0.1/16", "10.0.0.1")), Err(Refusal::Invalid), "host bits");
    lab.route(NewRoute { metric: 10, ..via("0.0.0.0/0", "10.0.0.2") }).unwrap();
    assert_eq!(lab.goes("8.8.8.8"), Some((ETH0, ip("10.0.0.1"), ip("10.0.0.5"))));
    lab.with(|tables, cx| {
        tables.routes.delete(&Pattern { metric: Some(0), gateway: Some(ip("10.0.0.1")), ..Pattern::default() }, cx)
    })
    .unwrap();
    assert_eq!(lab.goes("8.8.8.8"), Some((ETH0, ip("10.0.0.2"), ip("10.0.0.5"))));
}

#[test]
fn the_longest_prefix_wins_and_a_refusing_route_refuses() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    lab.add(ETH1, "10.0.1.5/24").unwrap();
    lab.route(via("10.8.0.0/16", "10.0.0.1")).unwrap();
    lab.route(via("10.8.7.0/24", "10.0.1.1")).unwrap();
    lab.route(NewRoute { kind: RouteKind::Unreachable, ..NewRoute::to(net("10.8.7.9/32")) }).unwrap();
    assert_eq!(lab.goes("10.8.6.1"), Some((ETH0, ip("10.0.0.1"), ip("10.0.0.5"))));
    assert_eq!(lab.goes("10.8.7.1"), Some((ETH1, ip("10.0.1.1"), ip("10.0.1.5"))));
    assert_eq!(lab.goes("10.8.7.9"), None);
    assert_eq!(lab.goes("172.16.0.1"), None);
}

#[test]
fn a_rule_sends_marked_packets_another_way_and_can_make_them_local() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    let rule = Rule { mark: Some((1, u32::MAX)), ..rule_for(100) };
    lab.with(|tables, cx| tables.routes.add_rule(rule, None, cx)).unwrap();
    assert_eq!(lab.tables.routes.rules()[1].priority, 32_765);
    let local =
        NewRoute { table: 100, kind: RouteKind::Local, iface: Some(LOOPBACK), ..NewRoute::to(net("0.0.0.0/0")) };
    lab.route(local).unwrap();
    let found = |lab: &Lab, mark| {
        let question = Question { destination: ip("203.0.113.1"), source: None, mark, iif: ETH0, oif: None };
        lab.tables.routes.find(question, &lab.tables.interfaces)
    };
    assert!(matches!(found(&lab, 1), Found::Route(route) if route.kind == RouteKind::Local));
    assert_eq!(found(&lab, 0), Found::Nothing);
    let meant = |rule: &Rule| rule.action == RuleAction::Lookup(100);
    let removed = lab.with(|tables, cx| tables.routes.delete_rule(meant, cx)).unwrap();
    assert_eq!(removed.mark, Some((1, u32::MAX)));
    assert_eq!(found(&lab, 1), Found::Nothing, "an answer that was kept is of no use after a change");
}

#[test]
fn the_source_is_the_primary_address_of_the_next_hops_subnet() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    lab.add(ETH0, "10.7.0.5/24").unwrap();
    lab.route(via("0.0.0.0/0", "10.7.0.1")).unwrap();
    assert_eq!(lab.goes("8.8.8.8").unwrap().2, ip("10.7.0.5"));
    lab.route(NewRoute { source: Some(ip("10.0.0.5")), ..via("9.0.0.0/8", "10.7.0.1") }).unwrap();
    assert_eq!(lab.goes("9.9.9.9").unwrap().2, ip("10.0.0.5"));
    let foreign = NewRoute { source: Some(ip("1.2.3.4")), ..via("11.0.0.0/8", "10.7.0.1") };
    assert_eq!(lab.route(foreign), Err(Refusal::InvalidSource));
    lab.del(ETH0, "10.0.0.5/24").unwrap();
    assert_eq!(lab.goes("9.9.9.9").unwrap().2, ip("10.7.0.5"), "the route went with its preferred source");
}

#[test]
fn a_learned_path_mtu_is_forgotten_after_ten_minutes() {
    let mut lab = Lab::new();
    lab.add(ETH0, "10.0.0.5/24").unwrap();
    let mtu = |lab: &Lab| lab.tables.routes.lookup(ip("10.0.0.9"), None, 0, &lab.tables.interfaces).unwrap().mtu;
    let now = lab.now;
    lab.with(|tables, _| tables.routes.learn_mtu(ip("10.0.0.9"), 1400, now, &tables.interfaces));
    assert_eq!(mtu(&lab), 1400);
    lab.with(|tables, _| tables.routes.learn_mtu(ip("10.0.0.9"), 100, now, &tables.interfaces));
    assert_eq!(mtu(&lab), 552, "nobody can make it smaller than that");
    assert_eq!(lab.tables.routes.next_wake(), Some(now + Duration::from_secs(600)));
    lab.tables.routes.wake(now + Duration::from_secs(600));
    assert_eq!(mtu(&lab), 1500);
}

#[test]
fn settings_of_all_and_of_an_interface_join_as_the_kernel_joins_them() {
    let mut lab = Lab::new();
    lab.set("net.ipv4.conf.all.arp_ignore", "1");
    lab.set("net.ipv4.conf.eth0.arp_ignore", "2");
    lab.set("net/ipv4/conf/eth1/arp_filter", "1");
    lab.set("net.ipv4.conf.all.send_redirects", "0");
    lab.set("net.ipv4.conf.eth1.send_redirects", "0");
    let conf = |id| lab.tables.sysctl.conf(id);
    assert_eq!((conf(ETH0).arp_ignore, conf(ETH1).arp_ignore), (2, 1));
    assert_eq!((conf(ETH0).arp_filter, conf(ETH1).arp_filter), (false, true));
    assert_eq!((conf(ETH0).send_redirects, conf(ETH1).send_redirects), (true, false));
}

#[test]
fn ip_forward_is_every_interfaces_switch() {
    let mut lab = Lab::new();
    assert!(!lab.tables.sysctl.forwards(ETH0));
    lab.set("net.ipv4.ip_forward", "1");
    assert!(lab.tables.sysctl.forwards(ETH0));
    assert_eq!(lab.tables.sysctl.get("net.ipv4.conf.all.forwarding").unwrap(), "1");
    lab.set("net.ipv4.conf.eth0.forwarding", "0");
    assert!(!lab.tables.sysctl.forwards(ETH0) && lab.tables.sysctl.forwards(ETH1));
    lab.set("net.ipv4.conf.all.forwarding", "0");
    assert_eq!(lab.tables.sysctl.get("net/ipv4/ip_forward").unwrap(), "0");
}

#[test]
fn default_counts_for_interfaces_that_come_later_or_have_no_address_and_no_value_yet() {
    let mut lab = Lab::new();
    lab.set("net.ipv4.conf.eth0.arp_announce", "1");
    for key in ["conf.default.arp_ignore", "conf.default.arp_announce", "neigh.default.ucast_solicit"] {
        lab.set(&format!("net.ipv4.{key}"), "2");
    }
    let eth0 = lab.tables.sysctl.conf(ETH0);
    assert_eq!((eth0.arp_ignore, eth0.arp_announce, lab.tables.sysctl.neigh(ETH0).ucast_solicit), (2, 1, 2));
    let address = Address::new(Ipv4Addr::new(10, 8, 0, 1), 24, "eth0");
    lab.with(|tables, cx| tables.add_address(ETH0, address, cx)).unwrap();
    lab.set("net.ipv4.conf.default.arp_ignore", "1");
    assert_eq!(lab.tables.sysctl.conf(ETH0).arp_ignore, 2, "an address was set: default is over for it");
    let id = lab.with(|tables, cx| tables.add_interface("dummy0", LinkKind::Dummy, Mac([2; 6]), 1500, cx)).unwrap();
    assert_eq!(lab.tables.sysctl.conf(id).arp_ignore, 1);
    lab.with(|tables, cx| tables.delete_interface(id, cx)).unwrap();
    assert!(lab.tables.sysctl.get("net.ipv4.conf.dummy0.arp_ignore").is_err());
}

#[test]
fn an_unknown_setting_is_refused_in_sysctls_words() {
    let mut lab = Lab::new();
    let refusal = lab.with(|tables, cx| tables.sysctl.set("net.ipv4.no_such", "1", cx)).unwrap_err();
    assert_eq!(refusal.to_string(), "cannot stat /proc/sys/net/ipv4/no_such: No such file or directory");
    for (key, value) in
        [("net.ipv4.ip_forward", "yes"), ("net.ipv4.ip_forward", "1 2"), ("net.ipv4.ip_default_ttl", "0")]
    {
        let refusal = lab.with(|tables, cx| tables.sysctl.set(key, value, cx)).unwrap_err();
        assert!(refusal.to_string().contains("Invalid argument"), "{key} = {value}");
    }
    lab.set("net.ipv4.ip_local_port_range", "1024 1030");
    assert_eq!(lab.tables.sysctl.get("net.ipv4.ip_local_port_range").unwrap(), "1024\t1030");
    assert_eq!(lab.tables.sysctl.hot().local_ports, (1024, 1030));
    for key in lab.tables.sysctl.keys() {
        assert!(lab.tables.sysctl.get(&key).is_ok(), "{key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_added_and_deleted_the_tables_agree(
        deeds in prop::collection::vec(
            (0u8..6, 0u16..3, 0u8..4, prop::sample::select(vec![8u8, 24, 25, 32])), 1..40),
    ) {
        let mut lab = Lab::new();
        for (deed, on, host, prefix) in deeds {
            let id = [LOOPBACK, ETH0, ETH1][usize::from(on)];
            let address = format!("10.0.{}.{}/{prefix}", host / 2, 100 + host);
            let _ = match deed {
                0..=2 => lab.add(id, &address),
                3 => lab.del(id, &address),
                4 => lab.with(|tables, cx| tables.set_up(id, false, cx)).map(drop),
                _ => lab.with(|tables, cx| tables.set_up(id, true, cx)).map(drop),
            };
        }
        let tables = &lab.tables;
        let mut standing = std::collections::BTreeSet::new();
        for interface in tables.interfaces.iter() {
            for address in &interface.addresses {
                standing.insert(address.address);
                prop_assert!(tables.interfaces.stands_on(address.address, interface.id));
                prop_assert_eq!(tables.routes.local_kind(address.address), Some(RouteKind::Local));
                let primary = interface.addresses.iter().filter(|a| a.subnet() == address.subnet() && !a.secondary);
                prop_assert_eq!(primary.count(), 1, "one primary address for {:?}", address);
            }
        }
        for entry in tables.routes.table(TABLE_LOCAL).chain(tables.routes.table(TABLE_MAIN)) {
            let record = &entry.record;
            let source = record.source.expect("the kernel's routes name a source");
            prop_assert!(standing.contains(&source), "{:?}", record);
            let up = record.iface.and_then(|id| tables.interfaces.get(id)).is_some_and(|interface| interface.up);
            prop_assert!(up || record.scope == Scope::Host, "{:?}", record);
        }
        let ids: Vec<IfaceId> = tables.interfaces.iter().map(|interface| interface.id).collect();
        for id in ids {
            lab.with(|tables, cx| tables.flush_addresses(id, cx));
        }
        prop_assert_eq!(lab.tables.routes.table(TABLE_LOCAL).chain(lab.tables.routes.table(TABLE_MAIN)).count(), 0);
        prop_assert_eq!(lab.tables.interfaces.address_count(), 0);
    }
}
