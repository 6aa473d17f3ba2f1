//! FULLNAT: what the director does to each packet of a connection, in both directions.

use super::*;
use crate::base::id::IfaceId;
use crate::ipvs::local::Local;
use crate::ipvs::{ControlError, Outgoing};
use crate::tables::verdict::Xmit;
use crate::trace::Why;
use crate::trace::record::ConnState;
use crate::wire::checksum;
use crate::wire::rewrite::segment;
use crate::wire::toa::Toa;
use proptest::prelude::*;
use smoltcp::wire::Icmpv4Packet;

const ETH0: IfaceId = IfaceId(2);
const SYN_ACK: u8 = SYN | ACK;
/// Of a SYN: MSS, SACK permitted, time stamps, window scale.
const OPTIONS: [u8; 20] = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
const CLIENT_ISN: u32 = 1_000;
const SERVER_ISN: u32 = 77_000;

fn lip(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, host)
}

fn client(port: u16) -> SocketAddr {
    SocketAddr { address: Ipv4Addr::new(10, 0, 0, 50), port }
}

/// A director with one server and these local addresses.
fn lab(scheduler: &str, locals: &[u8]) -> Lab {
    let mut lab = Lab::new();
    lab.add_service(key(), service(scheduler));
    lab.add(ServerOptions { method: Method::FullNat, ..server(11, 1) });
    for host in locals {
        lab.add_local(*host).expect("the address is new");
    }
    lab
}

impl Lab {
    fn add_local(&mut self, host: u8) -> Result<(), ControlError> {
        let local = Local { address: lip(host), iface: ETH0 };
        self.with(|ipvs, tables, cx| ipvs.add_local(key(), local, tables, cx))
    }

    fn stolen(&mut self, packet: Packet) -> Packet {
        match self.input(packet) {
            Verdict::Stolen(Xmit { packet, .. }) => packet,
            other => panic!("the packet was to be sent on: {other:?}"),
        }
    }

    fn client_sends(&mut self, segment: Segment) -> Packet {
        self.stolen(segment.between(client(40_000), vip()))
    }

    fn server_sends(&mut self, segment: Segment) -> Packet {
        self.stolen(segment.between(rip(11), SocketAddr { address: lip(200), port: 1025 }))
    }

    /// SYN and SYN+ACK; what is added to the client's numbers.
    fn greet(&mut self) -> u32 {
        let syn = self.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, options: &OPTIONS, ..Segment::default() });
        let delta = numbers(&syn).0.wrapping_sub(CLIENT_ISN);
        let ack = numbers(&syn).0.wrapping_add(1);
        self.server_sends(Segment { flags: SYN_ACK, seq: SERVER_ISN, ack, options: &OPTIONS, ..Segment::default() });
        delta
    }

    /// The next packet that the director sends by itself.
    fn says_itself(&mut self) -> Option<Packet> {
        match self.with(|ipvs, tables, cx| ipvs.poll_transmit(tables, cx))? {
            Outgoing::Routed(packet) => Some(packet),
            Outgoing::By(xmit) => Some(xmit.packet),
        }
    }

    fn reasons(&self) -> Vec<Why> {
        let decided = self.pen.trace().events.iter().filter_map(|event| match event.kind {
            crate::trace::Kind::Decided(why) => Some(why),
            _ => None,
        });
        decided.collect()
    }
}

#[derive(Default)]
struct Segment<'a> {
    flags: u8,
    seq: u32,
    ack: u32,
    options: &'a [u8],
    payload: usize,
}

impl Segment<'_> {
    fn between(&self, source: SocketAddr, destination: SocketAddr) -> Packet {
        let header = 20 + self.options.len();
        let mut bytes = vec![0; header + self.payload];
        bytes[12] = (header as u8 / 4) << 4;
        bytes[13] = self.flags;
        bytes[4..8].copy_from_slice(&self.seq.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ack.to_be_bytes());
        bytes[20..header].copy_from_slice(self.options);
        let mut segment = TcpPacket::new_unchecked(&mut bytes);
        segment.set_src_port(source.port);
        segment.set_dst_port(destination.port);
        segment.fill_checksum(&source.address.into(), &destination.address.into());
        let mut packet = packet(source.address, destination.address, IpProtocol::Tcp, &bytes);
        packet.bytes_mut()[6] = 0x40;
        let mut ip = Ipv4Packet::new_unchecked(packet.bytes_mut());
        ip.fill_checksum();
        packet
    }
}

fn numbers(packet: &Packet) -> (u32, u32) {
    let tcp = TcpPacket::new_unchecked(packet.payload());
    (tcp.seq_number().0 as u32, tcp.ack_number().0 as u32)
}

fn ends(packet: &Packet) -> (String, String) {
    let flow = Flow::of(packet).expect("TCP or UDP");
    (flow.source.to_string(), flow.destination.to_string())
}

/// Ends, checksums and TTL of what the director sends.
fn check(packet: &Packet, source: &str, destination: &str) {
    assert_eq!(ends(packet), (source.to_owned(), destination.to_owned()));
    let ip = packet.ip();
    assert!(ip.verify_checksum());
    let protocol = u8::from(ip.next_header());
    assert_eq!(checksum::transport_sum(ip.src_addr(), ip.dst_addr(), protocol, packet.payload()), 0xffff);
    assert_eq!(ip.hop_limit(), 63, "DPVS leaves the TTL as it is");
}

fn toa(packet: &Packet) -> Option<SocketAddr> {
    segment::options(packet).and_then(Toa::find).map(|toa| toa.client)
}

#[test]
fn both_ends_change_in_both_directions() {
    let mut lab = lab("rr", &[200]);
    let syn = lab.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, options: &OPTIONS, ..Segment::default() });
    check(&syn, "10.0.0.200:1025", "10.0.0.11:80");
    let ack = numbers(&syn).0.wrapping_add(1);
    let answer = Segment { flags: SYN_ACK, seq: SERVER_ISN, ack, options: &OPTIONS, ..Segment::default() };
    let answer = lab.server_sends(answer);
    check(&answer, "10.0.0.100:80", "10.0.0.50:40000");
    assert_eq!(numbers(&answer), (SERVER_ISN, CLIENT_ISN + 1), "the client reads its own numbers");
}

#[test]
fn a_syn_has_no_time_stamps_and_no_toa_and_another_number() {
    let mut lab = lab("rr", &[200]);
    let syn = lab.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, options: &OPTIONS, ..Segment::default() });
    assert_ne!(numbers(&syn).0, CLIENT_ISN);
    let expected = [2, 4, 5, 180, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7];
    assert_eq!(segment::options(&syn), Some(&expected[..]));
    let again = lab.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, options: &OPTIONS, ..Segment::default() });
    assert_eq!(again.bytes(), syn.bytes(), "the same when it is sent again");
}

#[test]
fn the_servers_mss_is_lowered_by_the_length_of_toa_and_the_clients_is_not() {
    let mut lab = lab("rr", &[200]);
    let syn = lab.client_sends(Segment { flags: SYN, options: &OPTIONS, ..Segment::default() });
    let answer = lab.server_sends(Segment { flags: SYN_ACK, options: &OPTIONS, ..Segment::default() });
    let mss = |packet: &Packet| segment::options(packet).map(|options| [options[2], options[3]]);
    assert_eq!((mss(&syn), mss(&answer)), (Some([5, 180]), Some([5, 172])));
}

#[test]
fn toa_stands_in_what_acknowledges_the_servers_syn_alone() {
    let mut lab = lab("rr", &[200]);
    lab.greet();
    let mut has = |flags, ack, payload| {
        let sent = lab.client_sends(Segment { flags, seq: CLIENT_ISN + 1, ack, payload, ..Segment::default() });
        check(&sent, "10.0.0.200:1025", "10.0.0.11:80");
        toa(&sent)
    };
    let known = Some(client(40_000));
    assert_eq!(has(ACK, SERVER_ISN + 1, 0), known, "the end of the handshake");
    assert_eq!(has(ACK, SERVER_ISN + 1, 100), known, "the first data");
    assert_eq!(has(ACK, SERVER_ISN + 1, 100), known, "sent again");
    assert_eq!(has(ACK, SERVER_ISN + 501, 100), None, "the server has answered");
    assert_eq!(has(FIN, SERVER_ISN + 1, 0), known, "a client that has nothing to say");
    assert_eq!(has(RST | ACK, SERVER_ISN + 1, 0), None);
}

#[test]
fn numbers_and_selective_acknowledgements_are_translated_back() {
    let mut lab = lab("rr", &[200]);
    let delta = lab.greet();
    let sent = lab.client_sends(Segment { flags: ACK, seq: 5_000, ack: SERVER_ISN + 9, ..Segment::default() });
    assert_eq!(numbers(&sent), (5_000_u32.wrapping_add(delta), SERVER_ISN + 9));
    let edge = |number: u32| number.wrapping_add(delta).to_be_bytes();
    let sack = [&[1, 1, 5, 10][..], &edge(6_000), &edge(7_000)].concat();
    let ack = 5_000_u32.wrapping_add(delta);
    let answer = lab.server_sends(Segment { flags: ACK, seq: 1, ack, options: &sack, ..Segment::default() });
    assert_eq!(numbers(&answer), (1, 5_000));
    let expected = [&[1, 1, 5, 10][..], &6_000_u32.to_be_bytes(), &7_000_u32.to_be_bytes()].concat();
    assert_eq!(segment::options(&answer), Some(&expected[..]));
}

#[test]
fn without_room_selective_acknowledgements_give_way_to_toa() {
    let mut lab = lab("rr", &[200]);
    lab.greet();
    let options = [&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 26][..], &[0; 24]].concat();
    let full = Segment { flags: ACK, seq: 1, ack: SERVER_ISN + 1, options: &options, payload: 10 };
    let sent = lab.client_sends(full);
    check(&sent, "10.0.0.200:1025", "10.0.0.11:80");
    assert_eq!(toa(&sent), Some(client(40_000)));
    assert!(lab.reasons().contains(&Why::ToaPruned { octets: 28 }));
}

#[test]
fn a_packet_that_toa_would_make_too_long_goes_without() {
    let mut lab = lab("rr", &[200]);
    lab.greet();
    let mut has = |payload| {
        let options = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
        let segment = Segment { flags: ACK, seq: 1, ack: SERVER_ISN + 1, options: &options, payload };
        toa(&lab.client_sends(segment)).is_some()
    };
    assert_eq!([has(1_440), has(1_441), has(1_448)], [true, false, false]);
    assert!(lab.reasons().contains(&Why::ToaTooLong { length: 1_500, mtu: 1_500 }));
}

#[test]
fn states_and_times_are_those_of_dpvs() {
    let mut lab = lab("rr", &[200]);
    let mut timeline = Vec::new();
    let mut look = |lab: &Lab| {
        let conn = lab.ipvs.connections().iter().next().expect("there is one");
        timeline.push((conn.state, conn.seconds_left(lab.now), lab.counts(11)));
    };
    lab.greet();
    look(&lab);
    lab.client_sends(Segment { flags: ACK, ack: SERVER_ISN + 1, ..Segment::default() });
    look(&lab);
    lab.client_sends(Segment { flags: FIN, ack: SERVER_ISN + 1, ..Segment::default() });
    look(&lab);
    lab.server_sends(Segment { flags: FIN, seq: SERVER_ISN + 1, ..Segment::default() });
    look(&lab);
    use ConnState::{CloseWait, Established, SynRecv, TimeWait};
    let expected = [(SynRecv, 30, (0, 1)), (Established, 90, (1, 0)), (CloseWait, 7, (0, 1)), (TimeWait, 7, (0, 1))];
    assert_eq!(timeline, expected);
}

#[test]
fn an_idle_connection_is_reset_at_both_ends() {
    let mut lab = lab("rr", &[200]);
    let delta = lab.greet();
    lab.client_sends(Segment {
        flags: ACK,
        seq: CLIENT_ISN + 1,
        ack: SERVER_ISN + 1,
        payload: 10,
        ..Segment::default()
    });
    let ack = (CLIENT_ISN + 11).wrapping_add(delta);
    lab.server_sends(Segment { flags: ACK, seq: SERVER_ISN + 1, ack, payload: 100, ..Segment::default() });
    lab.wait(89);
    assert!(lab.says_itself().is_none());
    lab.wait(1);
    let to_server = lab.says_itself().expect("to the server");
    let to_client = lab.says_itself().expect("to the client");
    assert!(lab.says_itself().is_none());
    assert_eq!(ends(&to_server), ("10.0.0.200:1025".into(), "10.0.0.11:80".into()));
    assert_eq!(ends(&to_client), ("10.0.0.100:80".into(), "10.0.0.50:40000".into()));
    assert_eq!((numbers(&to_server).0, numbers(&to_client).0), (ack, SERVER_ISN + 101));
    assert!([&to_server, &to_client].iter().all(|packet| packet.payload()[13] == RST && packet.by_ipvs));
    assert!(lab.ipvs.connections().is_empty());
}

#[test]
fn a_connection_that_is_over_ends_without_a_word() {
    let mut lab = lab("rr", &[200]);
    lab.greet();
    lab.wait(30);
    assert!(lab.ipvs.connections().is_empty());
    assert!(lab.says_itself().is_none());
}

#[test]
fn conn_timeout_of_the_service_is_that_of_established() {
    let mut lab = Lab::new();
    lab.add_service(key(), ServiceOptions { conn_timeout: Some(Duration::from_secs(900)), ..service("rr") });
    lab.add(ServerOptions { method: Method::FullNat, ..server(11, 1) });
    lab.add_local(200).expect("new");
    lab.greet();
    lab.client_sends(Segment { flags: ACK, ack: SERVER_ISN + 1, ..Segment::default() });
    assert_eq!(lab.ipvs.connections().iter().next().map(|conn| conn.seconds_left(lab.now)), Some(900));
}

#[test]
fn only_a_pure_syn_begins_a_connection() {
    let mut lab = lab("rr", &[200]);
    for flags in [ACK, SYN_ACK, SYN | 1, RST] {
        let packet = Segment { flags, ..Segment::default() }.between(client(40_000), vip());
        assert!(matches!(lab.input(packet), Verdict::Accept(_)), "flags {flags}");
    }
    assert!(lab.ipvs.connections().is_empty());
}

/// The last octets of the local addresses of so many new connections.
fn taken(lab: &mut Lab, count: u16) -> Vec<u8> {
    let syn = Segment { flags: SYN, ..Segment::default() };
    let one = |port| match lab.input(syn.between(client(port), vip())) {
        Verdict::Stolen(Xmit { packet, .. }) => Some(packet.ip().src_addr().octets()[3]),
        _ => None,
    };
    (10_000..10_000 + count).map_while(one).collect()
}

#[test]
fn local_addresses_are_taken_in_turn() {
    assert_eq!(taken(&mut lab("wlc", &[200, 201, 202]), 7), [200, 201, 202, 200, 201, 202, 200]);
}

#[test]
fn with_rr_one_address_in_twenty_is_left_out() {
    let sequence = taken(&mut lab("rr", &[200, 201, 202]), 4_000);
    let skips = sequence.windows(2).filter(|pair| (pair[1] + 3 - pair[0]) % 3 == 2).count();
    assert!((120..280).contains(&skips), "{skips} of 4000");
    let never = taken(&mut lab("wlc", &[200, 201, 202]), 300);
    assert!(never.windows(2).all(|pair| (pair[1] + 3 - pair[0]) % 3 == 1));
}

#[test]
fn when_an_address_has_no_port_the_next_one_is_tried_and_then_nobody() {
    let mut lab = lab("wlc", &[200, 201]);
    lab.set("fullnat_lport_min", "2000");
    lab.set("fullnat_lport_max", "2001");
    lab.add_local(202).expect("new");
    assert_eq!(taken(&mut lab, 10), [200, 201, 202, 200, 201, 202]);
    assert!(lab.reasons().iter().any(|why| matches!(why, Why::IpvsLocalFull { .. })));
    let syn = Segment { flags: SYN, ..Segment::default() }.between(client(9), vip());
    assert!(matches!(lab.input(syn), Verdict::Drop(_, Why::IpvsNoLocal { addresses: 3 })));
    lab.wait(31);
    assert_eq!(taken(&mut lab, 1).len(), 1, "ports come back");
}

#[test]
fn a_service_without_local_address_drops() {
    let mut lab = Lab::with_servers("rr", &[]);
    lab.add(ServerOptions { method: Method::FullNat, ..server(11, 1) });
    let syn = Segment { flags: SYN, ..Segment::default() }.between(client(9), vip());
    assert!(matches!(lab.input(syn), Verdict::Drop(_, Why::IpvsNoLocal { addresses: 0 })));
}

#[test]
fn a_local_address_in_use_cannot_be_deleted_and_twice_cannot_be_added() {
    let mut lab = lab("rr", &[200]);
    assert_eq!(lab.add_local(200), Err(ControlError::LocalExists));
    lab.greet();
    let local = Local { address: lip(200), iface: ETH0 };
    assert_eq!(lab.ipvs.delete_local(key(), local), Err(ControlError::LocalBusy));
    lab.wait(31);
    assert_eq!(lab.ipvs.delete_local(key(), local), Ok(()));
    assert_eq!(lab.ipvs.delete_local(key(), local), Err(ControlError::NoLocal));
    assert!(lab.tables.interfaces.local(lip(200)).is_some(), "the host keeps the address");
}

#[test]
fn a_template_takes_no_port() {
    let mut lab = Lab::new();
    lab.add_service(key(), ServiceOptions { persistent: Some(persistence(50)), ..service("rr") });
    lab.add(ServerOptions { method: Method::FullNat, ..server(11, 1) });
    lab.add_local(200).expect("new");
    lab.greet();
    assert_eq!(lab.ipvs.local_connections(key(), lip(200)), 1);
    assert_eq!(lab.ipvs.connections().len(), 2);
}

#[test]
fn udp_is_translated_both_ways_without_toa() {
    let mut lab = Lab::new();
    lab.add_service(udp_key(), service("rr"));
    let options = ServerOptions { method: Method::FullNat, ..server(11, 1) };
    lab.with(|ipvs, tables, cx| ipvs.add_server(udp_key(), &options, tables, cx)).expect("new");
    let local = Local { address: lip(200), iface: ETH0 };
    lab.with(|ipvs, tables, cx| ipvs.add_local(udp_key(), local, tables, cx)).expect("new");
    let request = lab.stolen(udp(client(5_000), vip(), 30));
    check(&request, "10.0.0.200:1025", "10.0.0.11:80");
    assert_eq!(request.payload().len(), 38);
    let answer = lab.stolen(udp(rip(11), SocketAddr { address: lip(200), port: 1025 }, 30));
    check(&answer, "10.0.0.100:80", "10.0.0.50:5000");
}

/// An ICMP error of 10.0.0.99 about a packet.
fn error_about(about: &Packet, to: Ipv4Addr, kind: u8, code: u8) -> Packet {
    let mut bytes = vec![kind, code, 0, 0, 0, 0, 5, 0];
    bytes.extend(&about.bytes()[..28]);
    Icmpv4Packet::new_unchecked(&mut bytes).fill_checksum();
    packet(lip(99), to, IpProtocol::Icmp, &bytes)
}

fn quoted(error: &Packet) -> Packet {
    let inner = &error.payload()[8..];
    let mut buffer = Buffer::zeroed(inner.len(), PacketId(0), Vec::new());
    buffer.bytes_mut().copy_from_slice(inner);
    Packet::new(buffer)
}

#[test]
fn an_error_from_the_servers_side_reaches_the_client_about_its_own_packet() {
    let mut lab = lab("rr", &[200]);
    let syn = lab.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, ..Segment::default() });
    let error = lab.stolen(error_about(&syn, lip(200), 3, 4));
    assert_eq!((error.ip().src_addr(), error.ip().dst_addr()), (VIP, client(0).address));
    assert!(Icmpv4Packet::new_unchecked(error.payload()).verify_checksum());
    let quoted = quoted(&error);
    let flow =
        Flow::of_parts(quoted.header().src_addr(), quoted.header().dst_addr(), IpProtocol::Tcp, quoted.payload());
    assert_eq!(flow.map(|flow| (flow.source, flow.destination)), Some((client(40_000), vip())));
    assert_eq!(quoted.payload()[4..8], CLIENT_ISN.to_be_bytes());
}

#[test]
fn an_error_from_the_clients_side_reaches_the_server_about_its_own_packet() {
    let mut lab = lab("rr", &[200]);
    let syn = lab.client_sends(Segment { flags: SYN, seq: CLIENT_ISN, ..Segment::default() });
    let ack = numbers(&syn).0.wrapping_add(1);
    let answer = lab.server_sends(Segment { flags: SYN_ACK, seq: SERVER_ISN, ack, ..Segment::default() });
    let error = lab.stolen(error_about(&answer, VIP, 11, 0));
    assert_eq!((error.ip().src_addr(), error.ip().dst_addr()), (lip(200), rip(11).address));
    assert!(Icmpv4Packet::new_unchecked(error.payload()).verify_checksum());
    let quoted = quoted(&error);
    assert_eq!((quoted.header().src_addr(), quoted.header().dst_addr()), (rip(11).address, lip(200)));
    assert_eq!(quoted.payload()[..4], [0, 80, 4, 1]);
}

#[test]
fn what_is_too_long_is_refused_before_anything_changes() {
    let mut lab = lab("rr", &[200]);
    lab.greet();
    let long = Segment { flags: ACK, ack: 1, payload: 1_500, ..Segment::default() }.between(client(40_000), vip());
    let Verdict::Reject(packet, error, _) = lab.input(long) else { panic!("DF forbids to cut it") };
    assert_eq!((error.kind, error.code, error.mtu, error.source), (3, 4, 1_500, Some(VIP)));
    assert_eq!(ends(&packet), ("10.0.0.50:40000".into(), "10.0.0.100:80".into()));
}

proptest! {
    /// Whatever a client sends through a connection, the server gets a sound packet from the local address, and the
    /// other way round.
    #[test]
    fn every_segment_of_a_connection_arrives_sound(
        flags in 0_u8..64, seq: u32, ack: u32, words in 0_usize..11, fill in prop::collection::vec(any::<u8>(), 40),
        payload in 0_usize..1_400,
    ) {
        let mut lab = lab("rr", &[200]);
        lab.greet();
        let segment = |flags, ack| Segment { flags, seq, ack, options: &fill[..words * 4], payload };
        for ack in [ack, SERVER_ISN + 1] {
            if let Verdict::Stolen(Xmit { packet, .. }) = lab.input(segment(flags, ack).between(client(40_000), vip())) {
                check(&packet, "10.0.0.200:1025", "10.0.0.11:80");
            }
        }
        let local = SocketAddr { address: lip(200), port: 1025 };
        if let Verdict::Stolen(Xmit { packet, .. }) = lab.input(segment(flags, ack).between(rip(11), local)) {
            check(&packet, "10.0.0.100:80", "10.0.0.50:40000");
        }
    }
}
