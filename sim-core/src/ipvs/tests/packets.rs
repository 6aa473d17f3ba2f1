//! What a packet looks like when it leaves, and who is told when it does not.

use super::*;
use crate::tables::verdict::IcmpError;
use crate::trace::Why;
use proptest::prelude::*;

fn lab(method: Method) -> Lab {
    let mut lab = Lab::new();
    lab.add_service(key(), service("rr"));
    lab.add(ServerOptions { method, server: SocketAddr { port: 8080, ..rip(11) }, ..server(11, 1) });
    lab
}

fn client() -> SocketAddr {
    SocketAddr { address: CLIENT, port: 1000 }
}

fn stolen(verdict: Verdict) -> Packet {
    match verdict {
        Verdict::Stolen(xmit) => xmit.packet,
        Verdict::Accept(_) | Verdict::Drop(..) | Verdict::Reject(..) => panic!("not sent on: {verdict:?}"),
    }
}

fn tcp_is_sound(packet: &Packet) -> bool {
    let ip = packet.ip();
    let segment = TcpPacket::new_checked(packet.payload()).expect("whole");
    ip.verify_checksum() && segment.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into())
}

#[test]
fn dr_changes_the_ttl_and_nothing_else() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let before = tcp(client(), vip(), SYN);
    let after = stolen(lab.input(before.clone()));
    assert_eq!(after.ip().hop_limit(), 62);
    assert!(tcp_is_sound(&after));
    assert_eq!((after.ip().dst_addr(), after.payload()), (VIP, before.payload()));
}

#[test]
fn nat_rewrites_the_request_and_writes_the_reply_back() {
    let mut lab = lab(Method::Nat);
    let request = stolen(lab.send(1000, SYN));
    assert_eq!((request.ip().dst_addr(), request.ip().hop_limit()), (rip(11).address, 62));
    assert_eq!(u16::from_be_bytes([request.payload()[2], request.payload()[3]]), 8080);
    assert!(tcp_is_sound(&request));

    let from = SocketAddr { port: 8080, ..rip(11) };
    let reply = lab.with(|ipvs, tables, cx| ipvs.forward(tcp(from, client(), SYN | ACK), tables, cx));
    let Verdict::Accept(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.ip().src_addr(), VIP);
    assert_eq!(u16::from_be_bytes([reply.payload()[0], reply.payload()[1]]), 80);
    assert!(tcp_is_sound(&reply));
    let counts = lab.ipvs.service(key()).expect("there").stats.counts();
    assert_eq!((counts.conns, counts.in_packets, counts.out_packets, counts.out_bytes), (1, 1, 1, 40));
}

#[test]
fn tun_wraps_and_the_outer_ttl_is_the_inner_one() {
    let mut lab = lab(Method::Tun);
    let packet = stolen(lab.send(1000, SYN));
    let outer = packet.ip();
    assert_eq!((outer.src_addr(), outer.dst_addr(), outer.hop_limit()), (DIP, rip(11).address, 62));
    assert_eq!(outer.next_header(), IpProtocol::Unknown(4));
    let inner = Ipv4Packet::new_checked(packet.payload()).expect("whole");
    assert_eq!((inner.dst_addr(), inner.hop_limit(), inner.verify_checksum()), (VIP, 62, true));
}

#[test]
fn a_ttl_of_1_ends_at_the_director_and_the_vip_says_so() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let mut packet = tcp(client(), vip(), SYN);
    while packet.ip().hop_limit() > 1 {
        crate::wire::rewrite::decrement_ttl(&mut packet);
    }
    let verdict = lab.input(packet);
    let expected = IcmpError { kind: 11, code: 0, mtu: 0, source: Some(VIP) };
    assert!(matches!(verdict, Verdict::Reject(_, error, Why::TtlExpired { .. }) if error == expected), "{verdict:?}");
}

#[test]
fn a_service_without_servers_refuses_by_port_unreachable_from_the_vip() {
    let mut lab = Lab::with_servers("rr", &[]);
    let verdict = lab.send(1000, SYN);
    let expected = IcmpError { kind: 3, code: 3, mtu: 0, source: Some(VIP) };
    assert!(matches!(verdict, Verdict::Reject(_, error, _) if error == expected), "{verdict:?}");
}

#[test]
fn a_tunnel_has_20_octets_less_room() {
    let mut lab = Lab::new();
    lab.add_service(udp_key(), service("rr"));
    let options = ServerOptions { method: Method::Tun, ..server(11, 1) };
    lab.with(|ipvs, tables, cx| ipvs.add_server(udp_key(), &options, tables, cx)).expect("new");
    let long = udp(client(), vip(), 1453);
    assert!(long.ip().dont_frag());
    let verdict = lab.input(long);
    let expected = IcmpError { kind: 3, code: 4, mtu: 1480, source: Some(VIP) };
    assert!(matches!(verdict, Verdict::Reject(_, error, _) if error == expected), "{verdict:?}");
    stolen(lab.input(udp(client(), vip(), 1452)));
    lab.set("pmtu_disc", "0");
    let wrapped = stolen(lab.input(udp(client(), vip(), 1453)));
    assert!(!wrapped.ip().dont_frag());
}

#[test]
fn a_router_in_the_tunnel_complains_and_the_client_hears_it_from_the_vip() {
    let mut lab = lab(Method::Tun);
    let wrapped = stolen(lab.send(1000, SYN));
    let mut icmp = vec![11, 0, 0, 0, 0, 0, 0, 0];
    icmp.extend_from_slice(wrapped.bytes());
    fill_icmp_checksum(&mut icmp);
    let router = Ipv4Addr::new(10, 0, 0, 1);
    let verdict = lab.input(packet(router, DIP, IpProtocol::Icmp, &icmp));
    let Verdict::Reject(inner, error, _) = verdict else { panic!("{verdict:?}") };
    assert_eq!(error, IcmpError { kind: 11, code: 0, mtu: 0, source: Some(VIP) });
    assert_eq!((inner.ip().src_addr(), inner.ip().dst_addr()), (CLIENT, VIP));
}

#[test]
fn a_quotation_that_was_cut_off_does_no_harm() {
    let mut lab = lab(Method::Tun);
    lab.send(1000, SYN);
    let mut segment = tcp_bytes(client(), vip(), ACK);
    segment.resize(1400, 0);
    let wrapped = stolen(lab.input(packet(CLIENT, VIP, IpProtocol::Tcp, &segment)));
    let mut icmp = vec![3, 4, 0, 0, 0, 0, 1200u16.to_be_bytes()[0], 1200u16.to_be_bytes()[1]];
    icmp.extend_from_slice(&wrapped.bytes()[..548]);
    fill_icmp_checksum(&mut icmp);
    let verdict = lab.input(packet(Ipv4Addr::new(10, 0, 0, 1), DIP, IpProtocol::Icmp, &icmp));
    let Verdict::Reject(inner, error, _) = verdict else { panic!("{verdict:?}") };
    assert_eq!(error, IcmpError { kind: 3, code: 4, mtu: 1180, source: Some(VIP) });
    assert_eq!((inner.bytes().len(), inner.header().dst_addr()), (528, VIP));
}

#[test]
fn a_packet_that_ipvs_sent_on_is_not_looked_at_again() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let sent = stolen(lab.send(1000, SYN));
    assert!(matches!(lab.input(sent), Verdict::Accept(_)));
    assert_eq!(lab.ipvs.service(key()).expect("there").stats.counts().in_packets, 1);
}

#[test]
fn an_icmp_error_of_a_nat_server_reaches_the_client_as_one_about_the_vip() {
    let mut lab = lab(Method::Nat);
    let request = stolen(lab.send(1000, SYN));
    let mut icmp = vec![3, 3, 0, 0, 0, 0, 0, 0];
    icmp.extend_from_slice(&request.bytes()[..28]);
    fill_icmp_checksum(&mut icmp);
    let error = packet(rip(11).address, CLIENT, IpProtocol::Icmp, &icmp);
    let verdict = lab.with(|ipvs, tables, cx| ipvs.forward(error, tables, cx));
    let Verdict::Accept(error) = verdict else { panic!("{verdict:?}") };
    assert_eq!(error.ip().src_addr(), VIP);
    let quoted = Ipv4Packet::new_unchecked(&error.payload()[8..]);
    assert_eq!((quoted.dst_addr(), quoted.verify_checksum()), (VIP, true));
    assert_eq!(u16::from_be_bytes([error.payload()[30], error.payload()[31]]), 80);
    assert_eq!(checksum(error.payload()), 0);
}

#[test]
fn an_icmp_error_of_the_client_reaches_the_nat_server_as_one_about_itself() {
    let mut lab = lab(Method::Nat);
    lab.send(1000, SYN);
    let answer = packet(VIP, CLIENT, IpProtocol::Tcp, &tcp_bytes(vip(), client(), ACK));
    let mut icmp = vec![3, 1, 0, 0, 0, 0, 0, 0];
    icmp.extend_from_slice(&answer.bytes()[..28]);
    fill_icmp_checksum(&mut icmp);
    let error = stolen(lab.input(packet(CLIENT, VIP, IpProtocol::Icmp, &icmp)));
    assert_eq!(error.ip().dst_addr(), rip(11).address);
    let quoted = Ipv4Packet::new_unchecked(&error.payload()[8..]);
    assert_eq!(quoted.src_addr(), rip(11).address);
    assert_eq!(u16::from_be_bytes([error.payload()[28], error.payload()[29]]), 8080);
    assert_eq!(checksum(error.payload()), 0);
}

#[test]
fn a_server_on_the_director_itself_is_delivered_to_without_a_change() {
    let mut lab = Lab::new();
    lab.add_service(key(), service("rr"));
    let local = SocketAddr { address: Ipv4Addr::LOCALHOST, port: 80 };
    lab.add(ServerOptions { server: local, ..server(0, 1) });
    let before = tcp(client(), vip(), SYN);
    let verdict = lab.input(before.clone());
    let Verdict::Accept(after) = verdict else { panic!("{verdict:?}") };
    assert_eq!(after.bytes(), before.bytes());
}

#[test]
fn one_packet_services_schedule_every_datagram_and_remember_none() {
    let mut lab = Lab::new();
    lab.add_service(udp_key(), ServiceOptions { one_packet: true, ..service("rr") });
    for host in [11, 12] {
        let options = server(host, 1);
        lab.with(|ipvs, tables, cx| ipvs.add_server(udp_key(), &options, tables, cx)).expect("new");
    }
    for _ in 0..4 {
        stolen(lab.input(udp(client(), vip(), 10)));
    }
    assert!(lab.ipvs.connections().is_empty());
    let conns = |host| lab.ipvs.server(udp_key(), rip(host)).expect("there").stats.counts().conns;
    assert_eq!((conns(11), conns(12)), (2, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_packet_makes_a_director_panic(
        method in prop_oneof![Just(Method::Nat), Just(Method::Dr), Just(Method::Tun)],
        packets in proptest::collection::vec(
            (
                0usize..3,
                prop_oneof![Just(1u8), Just(6), Just(17), Just(4)],
                (0usize..4, 0usize..4),
                proptest::collection::vec(any::<u8>(), 0..90),
                prop_oneof![Just(0u16), Just(80), Just(8080), Just(1000)],
            ),
            1..30,
        ),
    ) {
        let mut lab = lab(method);
        lab.add_service(udp_key(), service("wlc"));
        let options = ServerOptions { method, ..server(11, 1) };
        lab.with(|ipvs, tables, cx| ipvs.add_server(udp_key(), &options, tables, cx)).expect("new");
        lab.send(1000, SYN);
        let ends = [CLIENT, VIP, rip(11).address, DIP];
        for (hook, protocol, (from, to), mut payload, port) in packets {
            if payload.len() >= 4 && payload[0] & 1 == 0 {
                payload[..2].copy_from_slice(&port.to_be_bytes());
                payload[2..4].copy_from_slice(&80u16.to_be_bytes());
            }
            if protocol == 1 && payload.len() >= 8 + 24 {
                // An error that quotes something like a packet of the connection.
                payload[0] = [3, 11, 4, 8][usize::from(payload[1] & 3)];
                payload[8] = [0x45, 0x46, 0x4f, 0x40][usize::from(payload[2] & 3)];
                payload[8 + 9] = [6, 17, 4, 1][usize::from(payload[3] & 3)];
                payload[20..24].copy_from_slice(&ends[from].octets());
                payload[24..28].copy_from_slice(&ends[to].octets());
                fill_icmp_checksum(&mut payload);
            }
            let packet = packet(ends[from], ends[to], IpProtocol::from(protocol), &payload);
            lab.with(|ipvs, tables, cx| match hook {
                0 => ipvs.input(packet, tables, cx),
                1 => ipvs.forward(packet, tables, cx),
                _ => ipvs.output(packet, tables, cx),
            });
        }
        lab.wait(2000);
        prop_assert!(lab.ipvs.connections().is_empty());
        prop_assert_eq!(lab.counts_of_all(), (0, 0));
    }
}

fn checksum(bytes: &[u8]) -> u16 {
    let sum: u32 = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(*w.get(1).unwrap_or(&0))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !(((sum & 0xffff) + (sum >> 16)) as u16)
}

fn fill_icmp_checksum(bytes: &mut [u8]) {
    bytes[2..4].fill(0);
    let sum = checksum(bytes);
    bytes[2..4].copy_from_slice(&sum.to_be_bytes());
}
