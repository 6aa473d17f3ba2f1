//! Routers, local delivery, ICMP.

use super::*;

fn icmp_of(packet: &[u8]) -> (u8, u8, Ipv4Addr, u8) {
    let ip = Ipv4Packet::new_checked(packet).unwrap();
    assert!(ip.verify_checksum());
    assert!(Icmpv4Packet::new_checked(&packet[20..]).unwrap().verify_checksum());
    (packet[20], packet[21], ip.src_addr(), packet[1])
}

#[test]
fn an_echo_passes_a_router_and_its_answer_comes_back() {
    let mut bench = through_a_router();
    bench.send(0, &echo("10.0.1.10", "10.0.2.21", 64, 56));
    let forwarded = bench.packets(11);
    assert_eq!(forwarded.len(), 1);
    assert_eq!(forwarded[0][8], 63, "the router takes one off the TTL");
    let answers = bench.packets(10);
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].len(), answers[0][20], answers[0][8]), (84, 0, 63));
    assert_eq!(answers[0][28..], echo("10.0.1.10", "10.0.2.21", 64, 56)[28..]);
}

#[test]
fn a_host_answers_itself_without_a_frame() {
    let mut bench = through_a_router();
    bench.send(0, &echo("127.0.0.1", "127.0.0.1", 64, 8));
    bench.send(0, &echo("10.0.1.10", "10.0.1.10", 64, 8));
    assert!(bench.seen.is_empty());
    assert_eq!(bench.whys().iter().filter(|why| **why == Why::EchoAnswered).count(), 2);
}

#[test]
fn ttl_1_ends_at_the_router_which_says_so_from_the_near_address() {
    let mut bench = through_a_router();
    bench.send(0, &echo("10.0.1.10", "10.0.2.21", 1, 32));
    assert!(bench.packets(11).is_empty());
    assert_eq!(icmp_of(bench.packets(10)[0]), (11, 0, ip("10.0.1.1"), 0xc0));
    assert_eq!(bench.packets(10)[0].len(), 20 + 8 + 60);
}

#[test]
fn a_router_without_a_route_says_net_unreachable_and_a_host_says_nothing() {
    let mut bench = through_a_router();
    bench.send(0, &echo("10.0.1.10", "172.16.0.1", 64, 8));
    assert_eq!(icmp_of(bench.packets(10)[0]), (3, 0, ip("10.0.1.1"), 0xc0));
    bench.sysctl(1, "net.ipv4.ip_forward", "0");
    bench.send(0, &echo("10.0.1.10", "172.16.0.1", 64, 8));
    assert_eq!(bench.packets(10).len(), 1);
}

#[test]
fn a_packet_too_long_for_the_way_is_fragmented_or_refused() {
    let mut bench = through_a_router();
    bench.on(1, |kernel, _, cx| {
        let id = kernel.tables.interfaces.named("eth1").unwrap().id;
        kernel.tables.set_mtu(id, 1000, cx).unwrap();
    });
    bench.send(0, &echo("10.0.1.10", "10.0.2.21", 64, 1472));
    let sizes: Vec<usize> = bench.packets(11).iter().map(|packet| packet.len()).collect();
    assert_eq!(sizes, [996, 524]);
    let mut whole = echo("10.0.1.10", "10.0.2.21", 64, 1472);
    let mut header = Ipv4Packet::new_unchecked(&mut whole);
    header.set_dont_frag(true);
    header.fill_checksum();
    bench.seen.clear();
    bench.send(0, &whole);
    let refusal = bench.packets(10)[0].to_vec();
    assert_eq!(icmp_of(&refusal), (3, 4, ip("10.0.1.1"), 0xc0));
    assert_eq!((&refusal[26..28], refusal.len()), (&1000u16.to_be_bytes()[..], 576));
    let learned: Vec<_> = bench.kernels[0].tables.routes.learned().map(|(to, mtu, _)| (to, mtu)).collect();
    assert_eq!(learned, [(ip("10.0.2.21"), 1000)]);
}

#[test]
fn a_router_sends_by_the_mtu_of_its_link_whatever_it_learned_for_itself() {
    let mut bench = through_a_router();
    bench.on(1, |kernel, _, cx| {
        let tables = &mut kernel.tables;
        tables.routes.learn_mtu(ip("10.0.2.21"), 600, cx.now, &tables.interfaces).unwrap();
    });
    bench.send(0, &echo("10.0.1.10", "10.0.2.21", 64, 1000));
    assert_eq!(bench.packets(11).len(), 1);
}

#[test]
fn strict_reverse_path_filtering_drops_what_comes_by_the_wrong_card() {
    let mut bench = through_a_router();
    bench.sysctl(1, "net.ipv4.conf.all.rp_filter", "1");
    bench.send(2, &echo("10.0.2.21", "10.0.1.10", 64, 8));
    assert_eq!(bench.packets(10).len(), 1);
    let forged = {
        let mut bytes = mac(1, 1).as_bytes().to_vec();
        bytes.extend(mac(2, 0).as_bytes());
        bytes.extend([8, 0]);
        bytes.extend(echo("10.0.1.99", "10.0.1.10", 64, 8));
        bytes
    };
    bench.on(1, |kernel, out, cx| kernel.receive(PortId(11), Frame::from_bytes(&forged, PacketId(0)), out, cx));
    assert!(bench.whys().contains(&Why::ReversePath { source: ip("10.0.1.99") }));
}

#[test]
fn errors_to_one_host_are_limited_to_six_and_then_one_a_second() {
    let mut bench = through_a_router();
    for _ in 0..10 {
        bench.send(0, &packet("10.0.1.10", "10.0.2.21", IpProtocol::Udp, 1, &[0, 9, 0, 9, 0, 8, 0, 0]));
    }
    assert_eq!(bench.packets(10).len(), 6);
    bench.pass(2);
    for _ in 0..10 {
        bench.send(0, &packet("10.0.1.10", "10.0.2.21", IpProtocol::Udp, 1, &[0, 9, 0, 9, 0, 8, 0, 0]));
    }
    assert_eq!(bench.packets(10).len(), 8);
}

#[test]
fn a_packet_back_out_of_the_card_it_came_by_is_answered_with_a_redirect() {
    let mut bench = Bench::new(3);
    bench.card(0, 0, "10.0.1.10/24");
    bench.card(1, 0, "10.0.1.1/24");
    bench.card(2, 0, "10.0.1.2/24");
    bench.wire(&[(0, 0), (1, 0), (2, 0)]);
    bench.gateway(0, "10.0.1.1");
    bench.gateway(1, "10.0.1.2");
    bench.sysctl(1, "net.ipv4.ip_forward", "1");
    bench.send(0, &echo("10.0.1.10", "10.9.9.9", 64, 8));
    let sent = bench.packets(10);
    assert_eq!(sent.len(), 2, "a redirect and the packet itself");
    assert_eq!(icmp_of(sent[0]).0, 5);
    assert_eq!(sent[0][24..28], ip("10.0.1.2").octets());
    bench.seen.clear();
    bench.sysctl(1, "net.ipv4.conf.all.send_redirects", "0");
    bench.sysctl(1, "net.ipv4.conf.eth0.send_redirects", "0");
    bench.pass(60);
    bench.send(0, &echo("10.0.1.10", "10.9.9.9", 64, 8));
    assert_eq!(bench.packets(10).len(), 1);
}
