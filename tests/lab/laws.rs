//! Laws of the engine, on random worlds of switches and puppets whose cables lose frames, overflow, and come and go.

use proptest::prelude::*;
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::nodes::puppet::{Puppet, Sighting};
use sim_core::nodes::switch::Switch;
use sim_core::trace::{Kind, Level, NodeCard, PortCard, Why};
use sim_core::world::node::Node;
use sim_core::world::{Deed, LinkSettings, Plan, Sim, Stopped};

/// A tree of switches with puppets at its leaves, what they send, and how its cables fare.
#[derive(Clone, Debug)]
struct Recipe {
    seed: u64,
    /// The switch that each further switch is cabled to, as a choice among the earlier ones.
    switches: Vec<u8>,
    /// The switch of each puppet.
    puppets: Vec<u8>,
    /// When (in µs), from which puppet, to which station, how long.
    frames: Vec<(u16, u8, u8, u16)>,
    /// When (in µs), which cable, plugged or not.
    flaps: Vec<(u16, u8, bool)>,
    loss_ppm: u32,
    queue: u32,
}

fn recipe() -> impl Strategy<Value = Recipe> {
    (
        any::<u64>(),
        prop::collection::vec(any::<u8>(), 0..4),
        prop::collection::vec(any::<u8>(), 2..6),
        prop::collection::vec((0u16..300, any::<u8>(), any::<u8>(), 0u16..1_600), 1..60),
        prop::collection::vec((0u16..400, any::<u8>(), any::<bool>()), 0..8),
        prop_oneof![Just(0), Just(100_000)],
        1u32..20,
    )
        .prop_map(|(seed, switches, puppets, frames, flaps, loss_ppm, queue)| Recipe {
            seed,
            switches,
            puppets,
            frames,
            flaps,
            loss_ppm,
            queue,
        })
}

/// Switches are the first nodes, puppets the others.
fn world(recipe: &Recipe, level: Level) -> Sim {
    let switches = recipe.switches.len() + 1;
    let puppet = |choice: u8| switches + usize::from(choice) % recipe.puppets.len();
    let up = recipe.switches.iter().enumerate().map(|(n, to)| (usize::from(*to) % (n + 1), n + 1));
    let leaves = recipe.puppets.iter().enumerate().map(|(n, to)| (usize::from(*to) % switches, switches + n));
    let ends: Vec<(usize, usize)> = up.chain(leaves).collect();
    let mut ports = Vec::new();
    let mut ports_of = vec![Vec::new(); switches + recipe.puppets.len()];
    let mut cable_ends = vec![[PortId(0); 2]; ends.len()];
    for (node, own) in ports_of.iter_mut().enumerate() {
        for (cable, (a, b)) in ends.iter().enumerate().filter(|(_, (a, b))| *a == node || *b == node) {
            let port = PortId(ports.len() as u32);
            cable_ends[cable][usize::from(*b == node)] = port;
            own.push(port);
            let name = format!("to{}", if *a == node { b } else { a });
            let node = NodeId(node as u32);
            ports.push(PortCard { node, name: name.into(), mac: None, address: None, peer: None });
        }
    }
    let nodes = ports_of.iter().enumerate().map(|(node, own)| {
        let is_switch = node < switches;
        let card = NodeCard { name: format!("n{node}").into(), role: "host".into(), is_switch };
        let sends = recipe.frames.iter().filter(|(_, from, ..)| puppet(*from) == node);
        let body: Box<dyn Node> = if is_switch {
            Box::new(Switch::new(NodeId(node as u32), own.clone(), Duration::from_micros(100)))
        } else {
            Box::new(Puppet::sending(
                sends.map(|(at, _, to, octets)| sighting(*at, own[0], node, puppet(*to), *octets)).collect(),
            ))
        };
        (card, body)
    });
    let settings = LinkSettings { queue: recipe.queue, loss_ppm: recipe.loss_ppm, ..LinkSettings::default() };
    let flap = |(at, cable, plug): &(u16, u8, bool)| {
        let port = cable_ends[usize::from(*cable) % cable_ends.len()][0];
        (us(*at), if *plug { Deed::Plug(port) } else { Deed::Unplug(port) })
    };
    Sim::new(Plan {
        seed: recipe.seed,
        level,
        nodes: nodes.collect(),
        ports,
        cables: cable_ends.iter().map(|[a, b]| (*a, *b, settings)).collect(),
        deeds: recipe.flaps.iter().map(flap).collect(),
        until: us(u16::MAX),
    })
}

/// Every fifth frame or so is a broadcast, and some are too short or too long to be sound.
fn sighting(at: u16, port: PortId, from: usize, to: usize, octets: u16) -> Sighting {
    let mut bytes = vec![0; usize::from(octets)];
    let mac = |station: usize| [2, 0, 0, 0, 0, station as u8];
    let header = [if octets.is_multiple_of(5) { [255; 6] } else { mac(to) }, mac(from)].concat();
    let known = bytes.len().min(12);
    bytes[..known].copy_from_slice(&header[..known]);
    Sighting { at: us(at), port, bytes: bytes.into() }
}

fn us(at: u16) -> Instant {
    Instant::from_nanos(u64::from(at) * 1_000)
}

proptest! {
    /// Every frame that was sent arrives once or is dropped once, and every frame that arrived at a node was sent on,
    /// taken or dropped: nothing gets lost without a reason.
    #[test]
    fn every_frame_sent_is_delivered_or_dropped_with_a_reason(recipe in recipe()) {
        let mut sim = world(&recipe, Level::Everything);
        prop_assert_eq!(sim.run(), Stopped::Quiet);
        prop_assert_eq!(sim.under_way(), 0);
        let trace = sim.trace();
        let mut ends = vec![0u32; trace.events.len()];
        let mut outcomes = vec![0u32; trace.events.len()];
        for event in &trace.events {
            let is_taken = matches!(event.kind, Kind::Decided(Why::PuppetTook));
            if !matches!(event.kind, Kind::Sent { .. } | Kind::Received { .. } | Kind::Dropped) && !is_taken {
                continue;
            }
            let mut cause = event.cause;
            while cause.is_some() {
                let before = trace.event(cause);
                match before.kind {
                    Kind::Sent { .. } => { ends[cause.0 as usize] += 1; break; }
                    Kind::Received { .. } => { outcomes[cause.0 as usize] += 1; break; }
                    _ => cause = before.cause,
                }
            }
        }
        for (event, (ends, outcomes)) in trace.events.iter().zip(ends.iter().zip(&outcomes)) {
            match event.kind {
                Kind::Sent { .. } => prop_assert_eq!(*ends, 1),
                Kind::Received { .. } => prop_assert!(*outcomes >= 1),
                _ => {}
            }
        }
        let counters = sim.counters();
        let on_cables = trace.events.iter().filter(|event| matches!(
            event.kind,
            Kind::Decided(Why::LinkDown | Why::LinkQueueFull { .. } | Why::LinkLoss { .. } | Why::LinkTooLong { .. })
        ));
        prop_assert_eq!(counters.frames_sent, counters.packet_hops + on_cables.count() as u64);
    }

    /// The same seed gives the same run, at any level.
    #[test]
    fn a_run_depends_on_its_plan_only(recipe in recipe()) {
        let run = |level| {
            let mut sim = world(&recipe, level);
            sim.run();
            (sim.digest(), sim.counters().packet_hops, sim.counters().drops)
        };
        let everything = run(Level::Everything);
        prop_assert_eq!(run(Level::Frames), everything);
        prop_assert_eq!((run(Level::Counters).1, run(Level::Counters).2), (everything.1, everything.2));
    }
}

/// A capture written while the run goes on has every frame delivered, whole, in order.
#[test]
fn a_live_capture_has_every_frame_delivered() {
    let recipe = Recipe {
        seed: 3,
        switches: vec![0],
        puppets: vec![0, 1, 1],
        frames: (0..40).map(|n| (n * 7, n as u8, n as u8 + 1, 60 + n * 11)).collect(),
        flaps: vec![],
        loss_ppm: 100_000,
        queue: 20,
    };
    let mut sim = world(&recipe, Level::Counters);
    let about = pcap_out::About { scenario: "law".into(), title: "law".into(), seed: 3, digest: "none".into() };
    let path = std::env::temp_dir().join(format!("lvslab-live-{}.pcapng", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    sim.set_tap(Box::new(pcap_out::live::Live::new(file, &sim.trace().cast, &about).unwrap()));
    sim.run();
    let live = sim.take_tap::<pcap_out::live::Live<std::fs::File>>().unwrap();
    assert_eq!(live.finish().unwrap(), sim.counters().packet_hops);
    let text = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut reader = pcap_file::pcapng::PcapNgReader::new(&text[..]).unwrap();
    let (mut times, mut octets) = (Vec::new(), 0);
    while let Some(block) = reader.next_block() {
        if let pcap_file::pcapng::Block::EnhancedPacket(packet) = block.unwrap() {
            assert_eq!(packet.data.len(), packet.original_len as usize);
            times.push(packet.timestamp);
            octets += packet.data.len();
        }
    }
    assert_eq!(times.len() as u64, sim.counters().packet_hops);
    assert!(times.is_sorted() && octets > 0);
}
