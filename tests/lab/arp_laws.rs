//! Laws of ARP on random LANs (`lan`): with every cure nobody takes a real server for the VIP, without one somebody can;
//! caches come to agree; the lab reports who contradicts whom; a switch floods only what it must.

use crate::lan::{Act, Holds, Lan, Station, VIP, any_delay, beliefs, broken, hold, mac, name, node};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use sim_core::base::id::{EventId, NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::moment::Moment;
use sim_core::trace::record::NeighbourState;
use sim_core::trace::{Kind, Trace, Why, dispute};
use sim_core::wire::Mac;
use sim_core::wire::arp::{Arp, REPLY};
use std::collections::BTreeMap;

/// What clients and directors do.
fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::PingVip),
        3 => (0usize..6).prop_map(Act::Ping),
        2 => Just(Act::Flush),
        1 => any_delay().prop_map(Act::Delay),
    ]
}

/// What a real server does; announcing the VIP is what no setting forbids, so it is left out.
fn act_of_server() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0usize..6).prop_map(Act::PingAsVip),
        2 => (0usize..6).prop_map(Act::Ping),
        2 => Just(Act::Flush),
        1 => Just(Act::Give),
        1 => Just(Act::Take),
        1 => any_delay().prop_map(Act::Delay),
    ]
}

/// A cluster: one director (`h1`), real servers, clients. `server` makes a real server of any numbers.
fn cluster(server: impl Fn(u8, u8, u32) -> Station + 'static) -> impl Strategy<Value = (Lan, usize)> {
    let director = (any_delay(), any::<bool>()).prop_map(|(delay_us, alone)| Station {
        vip: if alone { Holds::OnEth0Alone } else { Holds::OnEth0 },
        delay_us,
        ..Station::PLAIN
    });
    let servers = prop::collection::vec((any::<u8>(), any::<u8>(), any_delay()), 1..=4);
    let client = (any_delay(), 0u8..=2).prop_map(|(delay_us, accept)| Station { delay_us, accept, ..Station::PLAIN });
    let script = prop::collection::vec((100u64..20_000, any::<prop::sample::Index>(), act(), act_of_server()), 1..16);
    (any::<u64>(), any::<bool>(), director, servers, client, script).prop_map(
        move |(seed, hub, director, servers, client, script)| {
            let count = servers.len();
            let mut stations = vec![director];
            stations.extend(servers.into_iter().map(|(a, b, delay)| server(a, b, delay)));
            stations.push(client);
            let script = script.into_iter().map(|(at, who, others, servers)| {
                let who = who.index(count + 2);
                let act = if (1..=count).contains(&who) { servers } else { others };
                (at, who, fitting(act, who, count + 2))
            });
            let script = script.collect();
            (Lan { seed, hub, ageing_ms: 300_000, until_ms: 24_000, stations, script }, count)
        },
    )
}

/// Nobody pings a host that is not there.
fn fitting(act: Act, who: usize, stations: usize) -> Act {
    let other = |target: usize| match target % (stations - 1) {
        target if target >= who => target + 1,
        target => target,
    };
    match act {
        Act::Ping(target) => Act::Ping(other(target)),
        Act::PingAsVip(target) => Act::PingAsVip(other(target)),
        act => act,
    }
}

/// Whether somebody ever believed that the VIP is at one of these hosts.
fn took_for_vip(trace: &Trace, stations: impl Iterator<Item = usize> + Clone) -> Option<(NodeId, usize)> {
    beliefs(trace).find_map(|record| {
        let found = stations.clone().find(|station| record.mac == Some(mac(*station)))?;
        Some((record.node, found))
    })
}

/// (a) By settings silent are 1, 2 and 8: 3 to 7 answer for an address of scope global, wherever it stands. With arptables
/// the OUTPUT rule alone is enough, because it also rewrites answers.
#[test]
fn with_a_cure_no_cache_ever_takes_a_real_server_for_the_vip() {
    let silent = [0, 1, 2, 8];
    let server = move |a: u8, b: u8, delay_us| {
        let vip = if a & 64 == 0 { Holds::OnLo } else { Holds::OnDummy };
        let uncured = Station { vip, accept: a / 4 % 3, delay_us, ..Station::PLAIN };
        match a & 128 {
            0 => Station {
                ignore: (silent[1 + usize::from(a) % 3], silent[usize::from(b) % 4]),
                announce: (2, b / 64 % 3),
                ..uncured
            },
            _ => Station { arptables: (b & 1 == 0, true), ..uncured },
        }
    };
    hold("with a cure no cache takes a real server for the VIP", cluster(server).prop_map(|(lan, _)| lan), |lan| {
        let servers = 1..lan.stations.len() - 1;
        match took_for_vip(&lan.run(), servers) {
            Some((who, whom)) => Err(broken(format!("{} takes {} for the VIP", name(who.index()), name(whom)))),
            None => Ok(()),
        }
    });
}

/// (b) Whoever has the VIP at last is found by all who use it.
#[test]
fn when_one_host_answers_all_caches_come_to_agree() {
    const SETTLED_MS: u64 = 20_000;
    let station = (any_delay(), 0u8..=2, any::<u8>()).prop_map(|(delay_us, accept, place)| Station {
        vip: [Holds::OnLo, Holds::OnEth0, Holds::OnEth0Alone][usize::from(place % 3)],
        // On lo it must not be silent, or nobody answers at all.
        ignore: (if place % 3 == 0 { 0 } else { place / 8 % 2 }, 0),
        announce: (place / 16 % 3, 0),
        accept,
        delay_us,
        ..Station::PLAIN
    });
    // Who has it next, and whether that is announced, how, and whether the announcement is lost.
    let moves = prop::collection::vec((any::<prop::sample::Index>(), 0u8..3, any::<bool>()), 0..4);
    let uses = prop::collection::vec((0u64..SETTLED_MS, any::<prop::sample::Index>(), act()), 0..12);
    let lans = (any::<u64>(), any::<bool>(), prop::collection::vec(station, 2..=6), moves, uses).prop_map(
        |(seed, hub, mut stations, moves, uses)| {
            let count = stations.len();
            let mut script: Vec<(u64, usize, Act)> = uses
                .into_iter()
                .map(|(at, who, act)| (at + 500, who.index(count), fitting(act, who.index(count), count)))
                .collect();
            let mut holder = 0;
            for ((to, announced, lost), turn) in moves.into_iter().zip(1u64..) {
                let (to, at) = (to.index(count), turn * 4_500);
                if to == holder {
                    continue;
                }
                if lost {
                    script.push((at, to, Act::LoseAnnouncements));
                    script.push((at + 900, to, Act::Heal));
                }
                script.push((at, holder, Act::Give));
                script.push((at, to, Act::Take));
                match announced {
                    1 => script.push((at + 1, to, Act::Announce)),
                    2 => script.push((at + 1, to, Act::AnnounceByAnswer)),
                    _ => {}
                }
                holder = to;
            }
            for who in 0..count {
                script.push((SETTLED_MS + 46_500, who, Act::PingVip));
                script.push((SETTLED_MS + 60_500, who, Act::PingVip));
            }
            // At boot only the first has it: the others take it later, at the same place.
            for (station, index) in stations.iter_mut().zip(0..) {
                if index > 0 {
                    script.push((0, index, Act::Give));
                }
                if station.vip == Holds::Nothing {
                    station.vip = Holds::OnEth0;
                }
            }
            script.sort_by_key(|(at, ..)| *at);
            Lan { seed, hub, ageing_ms: 300_000, until_ms: SETTLED_MS + 66_000, stations, script }
        },
    );
    hold("when one host answers all caches agree", lans, |lan| {
        let trace = lan.run();
        let mut holder = 0;
        for (_, who, act) in &lan.script {
            if *act == Act::Take {
                holder = *who;
            }
        }
        let moment = Moment::at(&trace, Instant::NEVER);
        // Whoever has the address itself looks nobody up for it.
        for who in (0..lan.stations.len()).filter(|who| *who != holder) {
            let entries = moment.node(node(who)).neighbours().filter(|entry| entry.address == VIP);
            for entry in entries.filter(|entry| entry.state != NeighbourState::Failed) {
                if entry.mac != Some(mac(holder)) {
                    return Err(broken(format!("{} believes {:?}, and {} has it", name(who), entry.mac, name(holder))));
                }
            }
        }
        Ok(())
    });
}

/// (c) Two answers to one question are reported, and the first is believed until `locktime` has passed.
#[test]
fn two_answers_are_reported_and_the_first_wins_unless_locktime_passed() {
    let answerer = (any_delay(), any::<u8>()).prop_map(|(delay_us, place)| Station {
        vip: [Holds::OnLo, Holds::OnDummy, Holds::OnEth0, Holds::OnEth0Alone][usize::from(place % 4)],
        delay_us,
        ..Station::PLAIN
    });
    let asker = any_delay().prop_map(|delay_us| Station { delay_us, ..Station::PLAIN });
    let lans = (any::<u64>(), any::<bool>(), prop::collection::vec(answerer, 2..=5), asker, 100u64..2_000).prop_map(
        |(seed, hub, mut stations, asker, at)| {
            stations.insert(0, asker);
            Lan { seed, hub, ageing_ms: 300_000, until_ms: at + 4_500, stations, script: vec![(at, 0, Act::PingVip)] }
        },
    );
    hold("the first of two answers wins unless locktime passed", lans, |lan| {
        let trace = lan.run();
        let answers = answers_at(&trace, node(0));
        let who: std::collections::BTreeSet<[u8; 6]> = answers.iter().map(|(_, mac)| mac.0).collect();
        let reported: usize = dispute::disputes(&trace).iter().map(|dispute| dispute.claimants.len()).sum();
        if who.len() > 1 && reported < who.len() {
            return Err(broken(format!("{} hosts answered, {reported} are reported", who.len())));
        }
        believed_by_the_rules(&trace, &answers)
    });
}

/// The answers about the VIP that reached a host, in order.
fn answers_at(trace: &Trace, host: NodeId) -> Vec<(Instant, Mac)> {
    let received = trace.captured_frames().filter(|frame| !frame.outbound && frame.node == host);
    received
        .filter_map(|frame| {
            let said = Arp::of_frame(&frame.bytes)?;
            let mine = trace.cast.ports[frame.port.index()].mac == Some(Mac::from_bytes(&frame.bytes[..6]));
            (mine && said.operation == REPLY && said.sender == VIP).then_some((frame.at, said.sender_mac))
        })
        .collect()
}

/// What the first host believed, held against the rule: the first answer, then another only more than a second after the
/// last change. The kernel counts seconds in ticks of 4 ms, so within 8 ms of a second either is right.
fn believed_by_the_rules(trace: &Trace, answers: &[(Instant, Mac)]) -> TestCaseResult {
    let mut believed: Option<(Instant, Mac)> = None;
    for (at, mac) in answers {
        let now = entry_at(trace, *at);
        let expected = match believed {
            None => Some(*mac),
            Some((_, before)) if before == *mac => Some(*mac),
            Some((changed, before)) => match at.since(changed).millis() {
                0..992 => Some(before),
                992..=1_008 => now,
                _ => Some(*mac),
            },
        };
        if now != expected {
            return Err(broken(format!("at {at} s h1 believes {now:?}, and by the rules {expected:?}")));
        }
        if now != believed.map(|(_, mac)| mac) {
            believed = now.map(|mac| (*at, mac));
        }
    }
    Ok(())
}

/// Whom the first host believed after everything of an instant.
fn entry_at(trace: &Trace, at: Instant) -> Option<Mac> {
    let mut found = None;
    for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
        if trace.at(id) > at {
            break;
        }
        if let Kind::Neighbour(index) = event.kind {
            let record = &trace.neighbours[index as usize];
            if record.node == node(0) && record.address == VIP {
                found = record.mac.filter(|_| record.present && record.state != NeighbourState::Failed);
            }
        }
    }
    found
}

/// (d) What is on the wire does not tell the two cures apart.
#[test]
fn arptables_and_sysctl_cures_look_the_same_on_the_wire() {
    let server = |a: u8, _, delay_us| Station {
        vip: if a & 1 == 0 { Holds::OnLo } else { Holds::OnDummy },
        delay_us,
        ..Station::PLAIN
    };
    // A server that gave the VIP up still drops questions for it by arptables, and learns from them by sysctl: there the
    // cures do differ.
    let keeps_the_vip = |(mut lan, count): (Lan, usize)| {
        lan.script.retain(|(_, who, act)| !((1..=count).contains(who) && matches!(act, Act::Give | Act::Take)));
        lan
    };
    hold("arptables and sysctl cures are equal", cluster(server).prop_map(keeps_the_vip), |lan| {
        let cured = |cure: fn(&mut Station)| {
            let mut lan = lan.clone();
            let servers = 1..lan.stations.len() - 1;
            lan.stations[servers].iter_mut().for_each(cure);
            lan.run()
        };
        let by_sysctl = cured(|station| (station.ignore, station.announce) = ((1, 0), (2, 0)));
        let by_arptables = cured(|station| station.arptables = (true, true));
        let wire = |trace: &Trace| -> Vec<(Instant, PortId, Vec<u8>)> {
            trace.captured_frames().map(|frame| (frame.at, frame.port, frame.bytes.into_owned())).collect()
        };
        let (one, other) = (wire(&by_sysctl), wire(&by_arptables));
        let differ = one.iter().zip(&other).position(|(a, b)| a != b);
        match differ.or_else(|| (one.len() != other.len()).then_some(one.len().min(other.len()))) {
            Some(at) => Err(broken(format!("frame f{} differs", at + 1))),
            None => Ok(()),
        }
    });
}

/// (e) Every part of the cure is needed: without it there is a schedule that makes somebody take that real server for the
/// VIP. It is searched for, from what the LAN has to what shows it best. (The INPUT rule of arptables is no such part: the
/// OUTPUT rule also rewrites answers.)
#[test]
fn without_any_one_part_of_the_cure_some_schedule_shows_it() {
    let cured = |a: u8, _, delay_us| match a & 1 {
        0 => Station { vip: Holds::OnLo, ignore: (1, 0), announce: (2, 0), delay_us, ..Station::PLAIN },
        _ => Station { vip: Holds::OnLo, arptables: (true, true), delay_us, ..Station::PLAIN },
    };
    let lans =
        (cluster(cured), any::<prop::sample::Index>(), any::<bool>()).prop_map(|((mut lan, count), who, answers)| {
            let server = 1 + who.index(count);
            let station = &mut lan.stations[server];
            match (station.arptables.1, answers) {
                (false, true) => station.ignore = (0, 0),
                (false, false) => station.announce = (0, 0),
                (true, _) => station.arptables.1 = false,
            }
            lan
        });
    hold("without a part of the cure some schedule shows it", lans, |lan| {
        let uncured = |station: &Station| !station.arptables.1 && (station.ignore.0 == 0 || station.announce.0 == 0);
        let server =
            (1..lan.stations.len() - 1).find(|index| uncured(&lan.stations[*index])).expect("one part was taken");
        for attempt in 0..6 {
            if took_for_vip(&schedule(lan, server, attempt).run(), std::iter::once(server)).is_some() {
                return Ok(());
            }
        }
        Err(broken(format!("no schedule makes anybody take {} for the VIP", name(server))))
    });
}

/// Schedules to be tried, from what happens by itself to what is most likely to show it.
fn schedule(lan: &Lan, server: usize, attempt: u64) -> Lan {
    let mut lan = lan.clone();
    let client = lan.stations.len() - 1;
    if attempt == 0 {
        return lan;
    }
    // The client asks when the real server is near; the real server wants something of the client, as the VIP, when it
    // has forgotten who that is and the client has an entry.
    lan.until_ms = 12_000;
    lan.script = vec![
        (50, 0, Act::Delay(1_000 * attempt as u32)),
        (50, server, Act::Delay(1)),
        (1_000, client, Act::Flush),
        (1_100, client, Act::PingVip),
        (5_000 + 500 * attempt, server, Act::Flush),
        (5_001 + 500 * attempt, server, Act::PingAsVip(client)),
    ];
    lan
}

/// (f) A switch sends to all ports only what is for everybody, or for somebody of whom it heard nothing for too long.
#[test]
fn a_switch_never_floods_a_known_unicast() {
    let server = |a: u8, b: u8, delay_us| Station {
        vip: [Holds::Nothing, Holds::OnLo, Holds::OnEth0, Holds::OnEth0Alone][usize::from(a % 4)],
        ignore: (b % 9, a / 16 % 9),
        announce: (b / 16 % 3, 0),
        accept: a / 32 % 3,
        delay_us,
        ..Station::PLAIN
    };
    let lans = (cluster(server), 500u64..10_000).prop_map(|((lan, _), ageing_ms)| Lan { hub: false, ageing_ms, ..lan });
    hold("a switch never floods a known unicast", lans, |lan| {
        let trace = lan.run();
        let switch = NodeId(lan.stations.len() as u32);
        let ageing = Duration::from_millis(lan.ageing_ms);
        let mut heard: BTreeMap<[u8; 6], Instant> = BTreeMap::new();
        let mut in_hand: Option<[u8; 6]> = None;
        for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
            let step = trace.step_of(id);
            if step.node != switch {
                continue;
            }
            match event.kind {
                Kind::Received { bytes, .. } => {
                    let (head, _) = trace.bytes(bytes);
                    let octets = |from: usize| <[u8; 6]>::try_from(&head[from..from + 6]).expect("six octets");
                    heard.insert(octets(6), step.at);
                    in_hand = Some(octets(0));
                }
                Kind::Decided(Why::SwitchUnknown) => {
                    let to = in_hand.expect("a decision is about a frame");
                    if let Some(last) = heard.get(&to).filter(|last| step.at.since(**last) < ageing) {
                        return Err(broken(format!("{id}: floods a frame to {to:02x?}, heard at {last} s")));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    });
}
