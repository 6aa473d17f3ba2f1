//! Laws that hold for every scheduler of the registry, whatever happens to the servers in between. A thousand cases each;
//! more by the variable `PROPTEST_CASES`.

use super::*;
use crate::ipvs::conn::Kind;
use crate::ipvs::schedule::registry::SCHEDULERS;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn config() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(1_000),
    }
}

/// Servers there may be, numbered from 1.
const SERVERS: u8 = 8;

/// Something that happens to a director.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// A new connection, or a packet of a known one: the client's number, its port, the flags.
    Packet { client: u8, port: u8, flags: u8 },
    /// A server gets a weight and an upper threshold; it is added if it is not there.
    Set { server: u8, weight: u32, upper: u32 },
    /// A server is deleted.
    Delete { server: u8 },
    /// Seconds pass.
    Wait(u8),
}

fn deeds(flags: &'static [u8]) -> impl Strategy<Value = Vec<Deed>> {
    let packet = (0..6u8, 0..4u8, 0..flags.len()).prop_map(|(client, port, flag)| Deed::Packet {
        client,
        port,
        flags: flags[flag],
    });
    let set = (1..=SERVERS, 0..6u32, 0..5u32).prop_map(|(server, weight, upper)| Deed::Set { server, weight, upper });
    let delete = (1..=SERVERS).prop_map(|server| Deed::Delete { server });
    let wait = (0..40u8).prop_map(Deed::Wait);
    let deed = prop_oneof![6 => packet, 2 => set, 1 => delete, 1 => wait];
    (prop::collection::vec((0..6u32, 0..5u32), 1..5), prop::collection::vec(deed, 1..40)).prop_map(|(first, then)| {
        let first = (1..).zip(first).map(|(server, (weight, upper))| Deed::Set { server, weight, upper });
        first.chain(then).collect()
    })
}

impl Lab {
    fn do_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Packet { client, port, flags } => {
                self.input(tcp(far(client, port), vip(), flags));
            }
            Deed::Set { server: number, weight, upper } => {
                let options = ServerOptions { upper, ..server(10 + number, weight) };
                let is_there = self.ipvs.server(key(), rip(10 + number)).is_some();
                if is_there { self.edit(options) } else { self.add(options) }
            }
            Deed::Delete { server } => {
                if self.ipvs.server(key(), rip(10 + server)).is_some() {
                    self.delete(10 + server);
                }
            }
            Deed::Wait(seconds) => self.wait(seconds.into()),
        }
    }

    /// The server of a client's connection, by its number.
    fn server_of(&self, client: u8, port: u8) -> Option<u8> {
        let flow = Flow { transport: Transport::Tcp, source: far(client, port), destination: vip() };
        self.ipvs.connection(&flow).map(|conn| conn.server.address.octets()[3] - 10)
    }

    fn usable(&self) -> Vec<u8> {
        let is_usable =
            |number: &u8| self.ipvs.server(key(), rip(10 + number)).is_some_and(|server| server.is_usable());
        (1..=SERVERS).filter(is_usable).collect()
    }
}

fn far(client: u8, port: u8) -> SocketAddr {
    SocketAddr { address: Ipv4Addr::new(192, 0, 2, client), port: 10_000 + u16::from(port) }
}

/// Who gets a connection from each of these clients of 198.51.0.0/16; 0 is nobody.
fn who_serves(lab: &mut Lab, clients: u16, port: u16) -> Vec<u8> {
    let ask = |lab: &mut Lab, client: u16| {
        let [high, low] = client.to_be_bytes();
        let source = SocketAddr { address: Ipv4Addr::new(198, 51, high, low), port };
        lab.input(tcp(source, vip(), SYN));
        let flow = Flow { transport: Transport::Tcp, source, destination: vip() };
        lab.ipvs.connection(&flow).map_or(0, |conn| conn.server.address.octets()[3] - 10)
    };
    (0..clients).map(|client| ask(lab, client)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_scheduler_chooses_a_server_of_weight_0_a_full_one_or_one_that_is_gone(
        which in 0..SCHEDULERS.len(),
        flags in prop_oneof![Just(0u8), Just(0x08), Just(0x10), Just(0x18)],
        deeds in deeds(&[SYN, ACK, FIN, RST]),
    ) {
        let name = SCHEDULERS[which].0;
        let mut lab = Lab::new();
        lab.add_service(key(), ServiceOptions { flags, ..service(name) });
        for deed in deeds {
            let usable = lab.usable();
            let before = match deed {
                Deed::Packet { client, port, .. } => lab.server_of(client, port),
                Deed::Set { .. } | Deed::Delete { .. } | Deed::Wait(_) => None,
            };
            let known = lab.ipvs.connections().len();
            lab.do_deed(deed);
            let Deed::Packet { client, port, flags: SYN } = deed else { continue };
            let chosen = lab.server_of(client, port);
            let is_new = before.is_none() || lab.ipvs.connections().len() > known;
            if let (true, Some(chosen)) = (is_new, chosen) {
                // A destination that lblc knows stays at a server that is full.
                let heeds = usable.contains(&chosen) || name == "lblc" && lab.weight(chosen) > 0;
                prop_assert!(heeds, "{} chose .{} of {:?}", name, chosen, usable);
            }
            if chosen.is_none() {
                let may_refuse = matches!(name, "ovf" | "dh" | "sh" | "mh");
                prop_assert!(usable.is_empty() || may_refuse, "{} refused though {:?} could", name, usable);
            }
        }
    }

    #[test]
    fn with_fallback_a_hash_refuses_only_when_no_server_can(
        name in prop_oneof![Just("sh"), Just("mh")],
        deeds in deeds(&[SYN]),
    ) {
        let mut lab = Lab::new();
        lab.add_service(key(), ServiceOptions { flags: 0x08, ..service(name) });
        for deed in deeds {
            let usable = lab.usable();
            lab.do_deed(deed);
            let Deed::Packet { client, port, .. } = deed else { continue };
            if lab.server_of(client, port).is_none() {
                prop_assert!(usable.is_empty(), "{} refused though {:?} could", name, usable);
            }
        }
    }

    #[test]
    fn wrr_gives_every_server_its_weight_in_every_round(weights in prop::collection::vec(0u32..20, 1..8)) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let divisor = weights.iter().fold(0, |a, b| gcd(a, *b));
        let round = (total / divisor) as usize;
        let mut lab = Lab::with_servers("wrr", &weights);
        let picks = lab.open_many(3 * round as u16);
        // From any point on: a round has no beginning.
        for window in picks.windows(round) {
            for (weight, host) in weights.iter().zip(1u8..) {
                let expected = (weight / divisor) as usize;
                prop_assert_eq!(window.iter().filter(|chosen| **chosen == host).count(), expected);
            }
        }
    }

    #[test]
    fn rr_gives_everybody_a_turn_before_anybody_gets_a_second(weights in prop::collection::vec(0u32..3, 1..8)) {
        let usable = weights.iter().filter(|weight| **weight > 0).count();
        prop_assume!(usable > 0);
        let mut lab = Lab::with_servers("rr", &weights);
        for window in lab.open_many(3 * usable as u16).windows(usable) {
            let mut seen = window.to_vec();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), usable);
        }
    }

    #[test]
    fn a_quiesced_server_moves_nobody_elses_clients_with_mh(
        weights in prop::collection::vec(1u32..4, 2..8),
        leaves in 0usize..8,
    ) {
        let leaves = (leaves % weights.len()) as u8 + 1;
        let mut lab = Lab::with_servers("mh", &weights);
        let before = who_serves(&mut lab, 64, 1000);
        lab.edit(server(10 + leaves, 0));
        for (before, after) in before.into_iter().zip(who_serves(&mut lab, 64, 1001)) {
            prop_assert_eq!(after, if before == leaves { 0 } else { before });
        }
    }

    #[test]
    fn persistence_never_splits_a_client(
        which in 0..SCHEDULERS.len(),
        mask in prop_oneof![Just(Ipv4Addr::BROADCAST), Just(Ipv4Addr::new(255, 255, 255, 252))],
        deeds in deeds(&[SYN, ACK, FIN, RST]),
    ) {
        let mut lab = Lab::new();
        let persistent = Some(Persistence { timeout: Duration::from_secs(3_600), mask });
        lab.add_service(key(), ServiceOptions { persistent, ..service(SCHEDULERS[which].0) });
        let mut homes: BTreeMap<Ipv4Addr, u8> = BTreeMap::new();
        for deed in deeds {
            let is_known = match deed {
                Deed::Packet { client, port, .. } => lab.server_of(client, port).is_some(),
                Deed::Set { .. } | Deed::Delete { .. } | Deed::Wait(_) => false,
            };
            lab.do_deed(deed);
            if let Deed::Delete { server } = deed {
                homes.retain(|_, home| *home != server);
            }
            let Deed::Packet { client, port, flags: SYN } = deed else { continue };
            // A connection that began before its server was deleted stays where it was.
            let (false, Some(chosen)) = (is_known, lab.server_of(client, port)) else { continue };
            let home = *homes.entry(far(client, 0).address & mask).or_insert(chosen);
            prop_assert_eq!(home, chosen);
        }
    }

    #[test]
    fn one_connection_has_one_server_for_life(
        which in 0..SCHEDULERS.len(),
        deeds in deeds(&[SYN, ACK, 0x18]),
    ) {
        let mut lab = Lab::new();
        lab.add_service(key(), service(SCHEDULERS[which].0));
        let mut servers: BTreeMap<(u8, u8), u8> = BTreeMap::new();
        for deed in deeds {
            lab.do_deed(deed);
            // What has ended may begin anew elsewhere; what lives may not.
            servers.retain(|(client, port), _| lab.server_of(*client, *port).is_some());
            for conn in lab.ipvs.connections().iter().filter(|conn| conn.kind == Kind::Flow) {
                let (client, port) = (conn.client.address.octets()[3], (conn.client.port - 10_000) as u8);
                let server = conn.server.address.octets()[3] - 10;
                prop_assert_eq!(*servers.entry((client, port)).or_insert(server), server);
            }
        }
    }

    #[test]
    fn what_is_counted_is_what_is_in_the_table(
        which in 0..SCHEDULERS.len(),
        deeds in deeds(&[SYN, ACK, FIN, RST]),
    ) {
        let mut lab = Lab::new();
        lab.add_service(key(), service(SCHEDULERS[which].0));
        for deed in deeds {
            lab.do_deed(deed);
        }
        for number in 1..=SERVERS {
            let Some(found) = lab.ipvs.server(key(), rip(10 + number)) else { continue };
            let its = lab.ipvs.connections().iter().filter(|conn| conn.server == rip(10 + number));
            prop_assert_eq!(its.count() as u32, found.active + found.inactive());
        }
    }
}

proptest! {
    // Tables are built anew: fewer cases of more clients.
    #![proptest_config(ProptestConfig { cases: config().cases / 10, ..config() })]

    #[test]
    fn mh_moves_few_other_clients_when_a_server_leaves_and_sh_moves_most(
        count in 5usize..8,
        leaves in 0usize..8,
    ) {
        const CLIENTS: u16 = 300;
        let leaves = (leaves % count) as u8 + 1;
        let moved = |name: &str| {
            let mut lab = Lab::with_servers(name, &vec![1; count]);
            let before = who_serves(&mut lab, CLIENTS, 1000);
            lab.delete(10 + leaves);
            let after = who_serves(&mut lab, CLIENTS, 1001);
            let others = before.iter().zip(&after).filter(|(before, _)| **before != leaves);
            others.filter(|(before, after)| before != after).count()
        };
        let (mh, sh) = (moved("mh"), moved("sh"));
        prop_assert!(mh * 8 < usize::from(CLIENTS), "mh moved {} of {}", mh, CLIENTS);
        prop_assert!(sh * 3 > usize::from(CLIENTS), "sh moved {} of {}", sh, CLIENTS);
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
