//! FULLNAT from end to end, read from the trace of whole runs: who rewrites what, where TOA stands and what it says, and
//! that a reader can follow one connection through it.

use sim_core::base::id::NodeId;
use sim_core::trace::conversation::Conversations;
use sim_core::trace::journey::History;
use sim_core::trace::{Kind, Trace, Why};
use sim_core::wire::dissect::Dissection;
use sim_core::wire::field::FieldName as F;
use sim_core::wire::flow::{Flow, SocketAddr};
use std::collections::BTreeSet;

fn run(name: &str) -> Trace {
    let source = scenarios::library::find(name).expect("the scenario is bundled");
    let model = scenarios::load(&source.file(), &source).expect("a bundled scenario has no problems");
    let mut sim = scenarios::assemble(&model, scenarios::Options::default());
    sim.run_until(model.until);
    sim.into_trace()
}

fn node(trace: &Trace, name: &str) -> NodeId {
    let at = trace.cast.nodes.iter().position(|card| &*card.name == name);
    NodeId(at.expect("the scenario has a host of this name") as u32)
}

fn ends(frame: &Dissection) -> Option<(String, String)> {
    frame.flow().map(|Flow { source, destination, .. }| (source.to_string(), destination.to_string()))
}

/// Each address and port that a director writes, in one round trip: two in the request, two in the reply.
#[test]
fn four_ends_are_rewritten_in_one_round_trip() {
    let trace = run("tutorial-000-fullnat");
    let director = node(&trace, "server4");
    let conversations = Conversations::of(&trace);
    let mut rewritten: Vec<[(String, String); 2]> = Vec::new();
    let mut came: Option<(sim_core::base::id::PacketId, (String, String))> = None;
    for frame in trace.captured_frames().filter(|frame| frame.node == director) {
        if conversations.of_frame(frame.number) != Some(1) {
            continue;
        }
        let Some(shown) = ends(&frame.dissect()) else { continue };
        if frame.outbound {
            let before = came.take().filter(|(packet, _)| *packet == frame.packet);
            let (_, before) = before.expect("the packet that leaves is the one that came: it keeps its id");
            rewritten.push([before, shown]);
        } else {
            came = Some((frame.packet, shown));
        }
    }
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let (client, vip) = ("172.25.254.92:60600", "172.25.254.100:80");
    let (local, server) = ("172.25.92.200:1025", "172.25.93.6:80");
    let request = [pair(client, vip), pair(local, server)];
    let reply = [pair(server, local), pair(vip, client)];
    assert_eq!(rewritten[..2], [request.clone(), reply.clone()], "SYN and its answer");
    assert!(rewritten.iter().all(|way| *way == request || *way == reply), "{rewritten:?}");
    assert!(rewritten.len() >= 8, "handshake, request, answer and both ends");
}

/// Kind 254, eight octets, the client's port and address, directly behind the fixed header: in what acknowledges the
/// server's SYN alone, and nowhere else.
#[test]
fn toa_stands_first_among_the_options_and_says_who_the_client_is() {
    let trace = run("tutorial-000-fullnat");
    let servers = [node(&trace, "server5"), node(&trace, "server6")];
    let (mut with, mut without) = (0, 0);
    let mut first_data = std::collections::BTreeMap::new();
    for frame in trace.captured_frames().filter(|frame| servers.contains(&frame.node)) {
        let dissected = frame.dissect();
        let Some(flow) = dissected.flow() else { continue };
        if frame.outbound {
            if dissected.flag(F::TcpSyn) {
                let seq = dissected.number(F::TcpSeq).expect("a segment has a number");
                first_data.insert((flow.destination, flow.source), (seq + 1) & 0xffff_ffff);
            }
            continue;
        }
        let ack = dissected.number(F::TcpAck).expect("a segment acknowledges a number");
        let due = !dissected.flag(F::TcpSyn)
            && !dissected.flag(F::TcpReset)
            && first_data.get(&(flow.source, flow.destination)) == Some(&ack);
        let tcp_at = 14 + 20;
        let options = &frame.bytes[tcp_at + 20..];
        if due {
            with += 1;
            assert_eq!(options[..2], [254, 8], "f{}", frame.number);
            let port = u16::from_be_bytes([options[2], options[3]]);
            assert!((60_600..60_610).contains(&port));
            assert_eq!(options[4..8], [172, 25, 254, 92]);
        } else {
            without += 1;
            assert_eq!(dissected.address(F::ToaAddress), None, "f{}", frame.number);
        }
    }
    assert_eq!(with, 8, "the end of the handshake and the request, four times");
    assert!(without >= 8, "SYN and what follows the answer");
}

/// The journey of a packet that FULLNAT rewrites is one journey, and each request finds the server that answered it,
/// though two servers saw the same local address and port.
#[test]
fn a_reader_follows_a_connection_through_fullnat() {
    let trace = run("tutorial-000-fullnat");
    let conversations = Conversations::of(&trace);
    let history = History::of(&trace);
    assert_eq!(conversations.count(), 4);
    for conn in 1..=4 {
        let hosts: BTreeSet<&str> = conversations
            .frames_of(conn)
            .filter_map(|number| trace.frame(number))
            .map(|frame| trace.node_name(frame.node))
            .collect();
        let server = if conn % 2 == 1 { "server6" } else { "server5" };
        assert_eq!(hosts, BTreeSet::from(["client", "server4", "router", server]), "connection {conn}");
        let first = conversations.frames_of(conn).next().and_then(|number| trace.frame(number)).expect("a frame");
        let way: Vec<&str> =
            history.journey(&trace, first.packet).iter().map(|visit| trace.node_name(visit.node)).collect();
        assert_eq!(way, ["client", "server4", "router", server]);
    }
    let served = sim_core::trace::served::hosts(&trace, &conversations);
    let names: Vec<_> = served.into_iter().map(|node| node.map(|node| trace.node_name(node))).collect();
    assert_eq!(names, [Some("server6"), Some("server5"), Some("server6"), Some("server5")]);
}

/// The server's log and its socket know the client, the trace knows both.
#[test]
fn with_the_module_a_server_sees_the_client_and_without_it_the_local_address() {
    let trace = run("tutorial-000-fullnat");
    for (server, peer) in [("server5", "172.25.254.92"), ("server6", "172.25.92.200")] {
        let node = node(&trace, server);
        let served: Vec<(String, String)> = trace
            .served
            .iter()
            .filter(|record| record.node == node)
            .map(|record| (record.peer.address.to_string(), record.remote.address.to_string()))
            .collect();
        let expected = (peer.to_owned(), "172.25.92.200".to_owned());
        assert_eq!(served, [expected.clone(), expected], "{server}");
    }
}

/// Real servers answer the local address they were asked from, so each director gets its own answers.
#[test]
fn real_servers_reply_through_the_director_that_holds_the_local_address() {
    let trace = run("fullnat-two-directors");
    let mut seen = BTreeSet::new();
    for (director, local) in [("d1", "10.0.2.201"), ("d2", "10.0.2.202")] {
        let director = node(&trace, director);
        for frame in trace.captured_frames().filter(|frame| frame.node == director && !frame.outbound) {
            let dissected = frame.dissect();
            let Some(SocketAddr { address, .. }) = dissected.flow().map(|flow| flow.destination) else { continue };
            if address.octets()[..3] == [10, 0, 2] {
                assert_eq!(address.to_string(), local, "f{}", frame.number);
                seen.insert(local);
            }
        }
    }
    assert_eq!(seen.len(), 2, "both directors had answers");
}

#[test]
fn every_reason_of_fullnat_that_a_student_meets_is_given_in_its_scenarios() {
    let mut given = BTreeSet::new();
    let names = [
        "tutorial-000-fullnat",
        "fullnat-without-toa",
        "fullnat-no-port-left",
        "fullnat-two-directors",
        "fullnat-idle",
    ];
    for name in names {
        let trace = run(name);
        given.extend(trace.events.iter().filter_map(|event| match event.kind {
            Kind::Decided(why) => Some(sim_core::trace::explain::code(&trace, why)),
            _ => None,
        }));
        assert!(trace.events.iter().any(|event| matches!(event.kind, Kind::Decided(Why::ToaAdded { .. }))), "{name}");
    }
    let expected = [
        "IPVS.FULLNAT",
        "FULLNAT.LIP",
        "FULLNAT.LIP.FULL",
        "FULLNAT.LIP.NONE",
        "FULLNAT.BACK",
        "FULLNAT.SEQ",
        "FULLNAT.TIMESTAMPS",
        "FULLNAT.MSS",
        "FULLNAT.RST",
        "TOA.ADDED",
        "TOA.NOTDUE",
        "TOA.TAKEN",
        "TOA.UNREAD",
    ];
    let missing: Vec<&str> = expected.into_iter().filter(|code| !given.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
