//! Every reason has a code, a sentence and a page.

use super::*;
use crate::base::id::NodeId;
use crate::trace::record::{Candidate, ConnState, Evidence, Family, ServiceKey, VrrpFlaw};
use crate::trace::why::{ConflictId, EvidenceId, Hook, ToaCase, TunnelKind};
use crate::trace::{Cast, NodeCard, PortCard};
use crate::wire::flow::{SocketAddr, Transport};
use std::collections::BTreeSet;

const VIP: Ipv4Addr = Ipv4Addr::new(172, 25, 92, 100);
const RIP: Ipv4Addr = Ipv4Addr::new(172, 25, 92, 6);
const NONE: Ipv4Addr = Ipv4Addr::new(10, 9, 9, 9);

/// One of each reason, in the order of `why.rs`.
fn one_of_each() -> Vec<Why> {
    let (state, evidence, on, port, rule) = (ConnState::SynRecv, EvidenceId(0), IfaceId(2), 80, 1);
    vec![
        Why::LinkDown,
        Why::LinkQueueFull { queued: 1000 },
        Why::LinkLoss { loss_ppm: 1_000 },
        Why::LinkTooLong { length: 1501, mtu: 1500 },
        Why::SwitchForwarded { port: PortId(0) },
        Why::SwitchBroadcast,
        Why::SwitchUnknown,
        Why::SwitchSamePort,
        Why::SwitchNoPort,
        Why::SwitchCut { cut: 0 },
        Why::SwitchLearned { port: PortId(0) },
        Why::SwitchMoved { from: PortId(0) },
        Why::HubRepeated,
        Why::PuppetTook,
        Why::OtherHost,
        Why::InterfaceDown,
        Why::UnknownEthertype { ethertype: 0x86dd },
        Why::Malformed,
        Why::BadHeaderChecksum,
        Why::BadTransportChecksum,
        Why::HostDown,
        Why::Martian { source: VIP },
        Why::ReversePath { source: RIP },
        Why::FragmentHeld { so_far: 1480 },
        Why::Reassembled { length: 3000 },
        Why::MulticastNotJoined { group: Ipv4Addr::new(224, 0, 0, 18) },
        Why::ReassemblyTimeout,
        Why::ArpAsk { target: RIP, sender: NONE, attempt: 2, announce: 0, otherwise: 4 },
        Why::ArpQueued { target: RIP },
        Why::ArpProbe { target: RIP, attempt: 1 },
        Why::ArpAnswer { address: VIP, holds_it_on: on, ignore: 0, otherwise: 0x106 },
        Why::ArpProxied { address: RIP, behind: on, published: false },
        Why::ArpIgnored { address: VIP, holds_it_on: IfaceId(1), ignore: 1 },
        Why::ArpFilterRoute { address: VIP },
        Why::ArpFiltered { address: VIP, rule, inbound: true },
        Why::ArpMangled { from: VIP, to: RIP, rule },
        Why::ArpNotMine { address: VIP },
        Why::ArpLearned { address: RIP },
        Why::ArpUnsolicited { address: VIP },
        Why::ArpLocked { address: VIP },
        Why::ArpPermanent { address: VIP },
        Why::ArpConflict { conflict: ConflictId(0) },
        Why::ArpFailed { target: RIP },
        Why::ArpQueueFull { target: RIP },
        Why::RouteLocal { address: VIP, on },
        Why::RouteLink { address: RIP, by: on },
        Why::RouteVia { address: NONE, gateway: RIP, by: on },
        Why::RouteNone { address: NONE },
        Why::RouteRefused { address: NONE },
        Why::Filtered { rule: 0, hook: Hook::Input },
        Why::Filtered { rule: 2, hook: Hook::Forward },
        Why::Marked { mark: 1, rule },
        Why::Masqueraded { to: NONE, port },
        Why::Unmasqueraded { to: NONE, port },
        Why::NatTableFull,
        Why::PathMtuLearned { destination: NONE, mtu: 1480 },
        Why::DummySwallowed,
        Why::Forwarded { ttl: 63 },
        Why::ForwardingOff,
        Why::TtlExpired { from: NONE },
        Why::TooLong { length: 1500, mtu: 1480 },
        Why::Fragmented { pieces: 3, mtu: 1500 },
        Why::Decapsulated { by: TunnelKind::Ipip, from: NONE },
        Why::Decapsulated { by: TunnelKind::Gue, from: NONE },
        Why::NoTunnel { by: TunnelKind::Ipip },
        Why::NoTunnel { by: TunnelKind::Gre },
        Why::NoTunnel { by: TunnelKind::Gue },
        Why::BadTunnelHeader { by: TunnelKind::Gre },
        Why::Delivered { port },
        Why::Accepted { port },
        Why::BacklogFull { port },
        Why::NoListener { port },
        Why::StraySegment { port },
        Why::EchoAnswered,
        Why::IcmpTaken { kind: 3, code: 4 },
        Why::IcmpSent { kind: 11, code: 0, to: NONE },
        Why::IcmpSuppressed,
        Why::NoProtocol { protocol: 99 },
        Why::IpvsNew { address: VIP, port },
        Why::IpvsFound { state },
        Why::IpvsNotMine { port: 22 },
        Why::IpvsScheduled { evidence },
        Why::IpvsNoDestination { evidence },
        Why::IpvsPersistent { server: RIP, port },
        Why::IpvsConn { state, timeout_s: 60, active: true },
        Why::IpvsState { from: state, to: ConnState::FinWait, timeout_s: 120, active: false },
        Why::IpvsExpired { state },
        Why::IpvsNoSyn,
        Why::IpvsServerGone,
        Why::IpvsReused { state: ConnState::TimeWait },
        Why::IpvsNoDest,
        Why::IpvsTableFull,
        Why::IpvsForward { method: Method::Nat, server: RIP, port },
        Why::IpvsForward { method: Method::Dr, server: RIP, port },
        Why::IpvsForward { method: Method::Tun, server: RIP, port },
        Why::IpvsForward { method: Method::FullNat, server: RIP, port },
        Why::IpvsForward { method: Method::Local, server: NONE, port },
        Why::IpvsForward { method: Method::Bypass, server: NONE, port },
        Why::IpvsReply { address: VIP, port },
        Why::IpvsFtpExpects { client: NONE, from: 0, to: 50_000 },
        Why::IpvsFtpExpects { client: NONE, from: 40_000, to: 20 },
        Why::IpvsFtpRewritten { address: VIP, port },
        Why::IpvsFtpShifted { by: -2 },
        Why::IpvsIcmp { kind: 3, to: NONE },
        Why::VrrpTimeout { vrid: 51, priority: 100 },
        Why::VrrpAccepted { from: RIP, vrid: 51, priority: 100 },
        Why::VrrpDiscarded { from: RIP, vrid: 51, priority: 90 },
        Why::VrrpRejected { from: RIP, vrid: 51, flaw: VrrpFlaw::Password },
        Why::VrrpLeft { from: RIP, vrid: 51 },
        Why::VrrpYielded { to: RIP, vrid: 51, priority: 100 },
        Why::VrrpDefended { from: RIP, vrid: 51, priority: 90 },
        Why::VrrpFault { vrid: 51 },
        Why::VrrpAnnounced { address: VIP },
        Why::IpvsLocal { address: NONE, port: 1025, skips: false },
        Why::IpvsLocal { address: NONE, port: 1025, skips: true },
        Why::IpvsLocalFull { address: NONE, server: RIP },
        Why::IpvsNoLocal { addresses: 0 },
        Why::IpvsNoLocal { addresses: 3 },
        Why::IpvsReturned { client: NONE, port },
        Why::IpvsSequence { first: 4_000_000_000 },
        Why::IpvsReset { to: RIP, port },
        Why::TimestampsRemoved,
        Why::MssLowered { from: 1460, to: 1452 },
        Why::ToaAdded { client: NONE, port: 40_002 },
        Why::ToaNotDue { case: ToaCase::Syn },
        Why::ToaNotDue { case: ToaCase::Reset },
        Why::ToaNotDue { case: ToaCase::Known },
        Why::ToaPruned { octets: 12 },
        Why::ToaNoRoom { room: 4 },
        Why::ToaTooLong { length: 1500, mtu: 1500 },
        Why::ToaTaken { client: NONE, port: 40_002 },
        Why::ToaAbsent { peer: NONE },
        Why::ToaUnread { peer: NONE },
        Why::IpvsWrapped { by: TunnelKind::Ipip, from: NONE, to: RIP },
        Why::IpvsWrapped { by: TunnelKind::Gue, from: NONE, to: RIP },
        Why::IpvsFlood { one_in: 10 },
        Why::IpvsShed { state },
        Why::IpvsSetAside,
        Why::IpvsSync { packets: 3 },
        Why::IpvsSyncHeard { connections: 2 },
        Why::IpvsSyncOther { sync_id: 2, own: 1 },
    ]
}

fn trace() -> Trace {
    let node = |name: &str| NodeCard { name: name.into(), role: "host".into(), is_switch: false };
    let port = |node, address: &str, peer| PortCard {
        node: NodeId(node),
        name: "eth0".into(),
        mac: None,
        address: Some(address.parse().expect("a network")),
        peer: Some(PortId(peer)),
    };
    let cast = Cast {
        deeds: Vec::new(),
        nodes: vec![node("server4"), node("server6")],
        ports: vec![port(0, "172.25.92.4/24", 1), port(1, "172.25.92.6/24", 0)],
    };
    Trace { cast, ..Trace::default() }
}

fn with_evidence(scheduler: &'static str, family: Family, winner: Option<Candidate>) -> Trace {
    let service = ServiceKey::Address(Transport::Tcp, SocketAddr { address: VIP, port: 80 });
    let rival = Candidate { server: SocketAddr { address: NONE, port: 80 }, weight: 0, cost: 512 };
    let rivals = [Some(rival), None, None];
    Trace { evidence: vec![Evidence { scheduler, service, family, winner, rivals, servers: 2 }], ..trace() }
}

#[test]
fn every_reason_of_the_list_is_tried_here() {
    let source = include_str!("../why.rs");
    let list = source.split("pub enum Why {").nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("the list");
    let listed: BTreeSet<&str> = list
        .lines()
        .filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase())
        .map(|line| line.trim().trim_end_matches([',', '{', ' ']))
        .collect();
    let debug: Vec<String> = one_of_each().iter().map(|why| format!("{why:?}")).collect();
    let tried: BTreeSet<&str> = debug.iter().map(|text| text.split([' ', '{']).next().expect("a name")).collect();
    assert_eq!(listed, tried);
}

#[test]
fn every_reason_has_a_sentence_that_can_follow_its_code_on_a_line() {
    let trace = trace();
    for why in one_of_each() {
        let text = sentence(&trace, NodeId(0), why);
        assert!((10..=160).contains(&text.chars().count()), "{why:?}: {text}");
        assert!(!text.ends_with('.') && !text.contains('\n'), "{why:?}: {text}");
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_reason() {
    let trace = trace();
    let mut codes: BTreeSet<&str> = one_of_each().into_iter().map(|why| code(&trace, why)).collect();
    let schedulers = ["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "sed", "nq", "mh", "twos"];
    for scheduler in schedulers {
        let trace = with_evidence(scheduler, Family::Cost, None);
        codes.insert(code(&trace, Why::IpvsScheduled { evidence: EvidenceId(0) }));
    }
    let pages: BTreeSet<&str> = all_pages().map(|page| page.code).collect();
    assert_eq!(codes, pages);
    assert_eq!(all_pages().count(), pages.len(), "no code has two pages");
    assert_eq!(page("ipvs.dr").map(|page| page.code), Some("IPVS.DR"));
}

#[test]
fn a_choice_names_its_grounds() {
    let winner = Candidate { server: SocketAddr { address: RIP, port: 80 }, weight: 1, cost: 256 };
    let check = |scheduler, family, winner, expected: &str| {
        let trace = with_evidence(scheduler, family, winner);
        let why = match winner {
            Some(_) => Why::IpvsScheduled { evidence: EvidenceId(0) },
            None => Why::IpvsNoDestination { evidence: EvidenceId(0) },
        };
        assert_eq!(sentence(&trace, NodeId(0), why), expected);
    };
    let after = Some(SocketAddr { address: NONE, port: 80 });
    check(
        "rr",
        Family::Rotation { after: None, level: 0 },
        Some(winner),
        "rr: 172.25.92.6 (server6) stands first in the list (the server added last does)",
    );
    check(
        "wrr",
        Family::Rotation { after, level: 3 },
        Some(winner),
        "wrr: 172.25.92.6 (server6) is next in the list after 10.9.9.9; weight level 3",
    );
    check(
        "wlc",
        Family::Cost,
        Some(winner),
        "wlc: 172.25.92.6 (server6) has the lowest cost for its weight, 256 for 1; others: 10.9.9.9 512 for 0",
    );
    check(
        "rr",
        Family::Rotation { after: None, level: 0 },
        None,
        "none of the 2 servers of TCP 172.25.92.100:80 can be chosen by rr: 10.9.9.9 has weight 0",
    );
}
