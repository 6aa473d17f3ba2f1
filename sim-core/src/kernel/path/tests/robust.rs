//! Whatever comes in, a host goes on; whatever is rewritten, its checksums are right.

use super::*;
use crate::ipvs::{ServerOptions, ServiceOptions};
use crate::tables::filter::ip::{Matches, Rule, Table, Target};
use crate::trace::record::{Method, Policy, ServiceKey, Tunnel};
use crate::trace::why::Hook;
use crate::wire::flow::{SocketAddr, Transport};
use crate::wire::rewrite;
use proptest::prelude::*;
use smoltcp::wire::{IpAddress, TcpPacket, UdpPacket};

/// A router that is also the end of tunnels, masquerades, and balances TCP and UDP port 9 in all three ways.
fn host() -> Bench {
    let mut bench = through_a_router();
    bench.on(1, |kernel, _, cx| {
        let id = kernel.tables.add_interface("tunl0", LinkKind::Ipip, Mac([0; 6]), 1480, cx).unwrap();
        kernel.tables.set_up(id, true, cx).unwrap();
        let masquerade = Rule { matches: Matches::default(), target: Target::Masquerade, packets: 0, bytes: 0 };
        kernel.tables.filter.ip.insert(Table::Nat, "POSTROUTING", None, masquerade).unwrap();
        for transport in [Transport::Tcp, Transport::Udp] {
            let key = ServiceKey::Address(transport, SocketAddr { address: ip("10.0.1.1"), port: 9 });
            let options = ServiceOptions {
                scheduler: "rr".into(),
                flags: 0,
                persistent: None,
                one_packet: false,
                conn_timeout: None,
            };
            kernel.ipvs.add_service(key, &options, cx).unwrap();
            for (host, method) in [(21, Method::Dr), (22, Method::Nat), (23, Method::Tun)] {
                let server = SocketAddr { address: Ipv4Addr::new(10, 0, 2, host), port: 9 };
                let server = ServerOptions { server, method, tunnel: Tunnel::Ipip, weight: 1, upper: 0, lower: 0 };
                kernel.ipvs.add_server(key, &server, &kernel.tables, cx).unwrap();
            }
        }
        kernel.tables.sysctl.set("net.ipv4.vs.sloppy_tcp", "1", cx).unwrap();
    });
    bench
}

fn hit(bench: &mut Bench, bytes: &[u8]) {
    bench.on(1, |kernel, out, cx| {
        let packet = cx.pen.new_packet(PacketId::NONE);
        cx.packet = packet;
        kernel.receive(PortId(10), Frame::from_bytes(bytes, packet), out, cx);
    });
    bench.frames.clear();
}

/// A frame whose header is likely to be believed, with any bytes behind it.
fn likely(to: u8, protocol: u8, flags: u16, header_words: u8, inner: &[u8]) -> Vec<u8> {
    let mut frame = mac(1, 0).as_bytes().to_vec();
    frame.extend([2, 0, 0, 0, 0, 0, 8, 0]);
    let mut ip = packet("10.0.1.10", "10.0.1.1", IpProtocol::from(protocol), 9, inner);
    ip[0] = 0x40 | header_words;
    ip[19] = to;
    ip[6..8].copy_from_slice(&flags.to_be_bytes());
    if usize::from(header_words) * 4 <= ip.len() && header_words >= 5 {
        Ipv4Packet::new_unchecked(&mut ip).fill_checksum();
    }
    frame.extend(ip);
    frame
}

/// Linux takes what IPVS sends through the hooks of LOCAL_OUT, as if the host had made it.
#[test]
fn a_rule_of_output_sees_what_ipvs_sends() {
    let mut bench = host();
    bench.on(1, |kernel, _, _| kernel.tables.filter.ip.set_policy(Table::Filter, "OUTPUT", Policy::Drop).unwrap());
    let syn = [&[0x13, 0x88, 0, 9][..], &[0; 8], &[0x50, 2], &[0; 6]].concat();
    hit(&mut bench, &likely(1, 6, 0x4000, 5, &syn));
    let whys = bench.whys();
    assert!(whys.iter().any(|why| matches!(why, Why::IpvsForward { .. })), "{whys:?}");
    assert_eq!(whys.last(), Some(&Why::Filtered { rule: 0, hook: Hook::Output }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_never_stop_a_host(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..8),
    ) {
        let mut bench = host();
        for bytes in &frames {
            hit(&mut bench, bytes);
            let mut addressed = mac(1, 0).as_bytes().to_vec();
            addressed.extend(bytes);
            hit(&mut bench, &addressed);
        }
        bench.pass(40);
    }

    #[test]
    fn arbitrary_payloads_never_stop_a_host(
        packets in prop::collection::vec(
            (
                prop::sample::select(vec![1u8, 2, 10, 21, 255]),
                prop::sample::select(vec![1u8, 2, 4, 6, 17, 47, 112, 255]),
                prop::sample::select(vec![0u16, 0x4000, 0x2000, 0x2001, 1, 185, 0x1fff]),
                prop::sample::select(vec![5u8, 5, 5, 6, 15, 4, 0]),
                prop::collection::vec(prop_oneof![Just(0u8), Just(9u8), Just(69u8), Just(0x50), any::<u8>()], 0..100),
            ),
            1..8,
        ),
    ) {
        let mut bench = host();
        for (to, protocol, flags, words, inner) in &packets {
            hit(&mut bench, &likely(*to, *protocol, *flags, *words, inner));
        }
        bench.pass(40);
    }

    #[test]
    fn errors_that_quote_anything_never_stop_a_host(
        errors in prop::collection::vec(
            (
                prop::sample::select(vec![3u8, 4, 5, 11, 12, 18]),
                0u8..6,
                any::<u16>(),
                prop::sample::select(vec!["10.0.1.1", "10.0.1.10", "10.0.2.21", "10.0.2.22", "10.0.2.1"]),
                prop::sample::select(vec!["10.0.1.1", "10.0.1.10", "10.0.2.22", "10.0.2.23"]),
                prop::sample::select(vec![1u8, 4, 6, 17]),
                prop::collection::vec(prop_oneof![Just(0u8), Just(9u8), Just(0x45), any::<u8>()], 0..60),
                0usize..90,
            ),
            1..8,
        ),
    ) {
        let mut bench = host();
        let syn = [&[0x13, 0x88, 0, 9][..], &[0; 8], &[0x50, 2], &[0; 6]].concat();
        hit(&mut bench, &likely(1, 6, 0x4000, 5, &syn));
        hit(&mut bench, &likely(1, 17, 0, 5, &[0x13, 0x88, 0, 9, 0, 8, 0, 0]));
        for (kind, code, mtu, source, destination, protocol, inner, cut) in &errors {
            let quoted = packet(source, destination, IpProtocol::from(*protocol), 60, inner);
            let mut icmp = vec![*kind, *code, 0, 0, 0, 0];
            icmp.extend(mtu.to_be_bytes());
            icmp.extend(&quoted[..quoted.len().min(*cut)]);
            Icmpv4Packet::new_unchecked(&mut icmp).fill_checksum();
            hit(&mut bench, &likely(1, 1, 0, 5, &icmp));
        }
        bench.pass(40);
    }

    #[test]
    fn arp_of_any_content_never_stops_a_host(
        messages in prop::collection::vec((any::<[u8; 28]>(), any::<bool>(), any::<bool>()), 1..8),
        accept in prop::sample::select(vec!["0", "1", "2"]),
    ) {
        let mut bench = host();
        bench.sysctl(1, "net.ipv4.conf.all.arp_accept", accept);
        bench.sysctl(1, "net.ipv4.conf.all.proxy_arp", "1");
        for (content, sound, to_all) in &messages {
            let mut content = *content;
            if *sound {
                let (operation, third) = (1 + (content[7] & 1), 1 + (content[20] & 1));
                content[..8].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, operation]);
                content[14..17].copy_from_slice(&[10, 0, 1]);
                content[24..27].copy_from_slice(&[10, 0, third]);
            }
            let mut frame = if *to_all { [0xff; 6].to_vec() } else { mac(1, 0).as_bytes().to_vec() };
            frame.extend([2, 0, 0, 0, 0, 7, 8, 6]);
            frame.extend(content);
            hit(&mut bench, &frame);
        }
        bench.pass(20);
    }

    #[test]
    fn checksums_are_right_after_any_rewrite(
        tcp in any::<bool>(),
        addresses in any::<[u32; 4]>(),
        ports in any::<[u16; 4]>(),
        ttl in 1u8..=255,
        payload in prop::collection::vec(any::<u8>(), 0..64),
        edits in prop::collection::vec(0u8..3, 1..6),
    ) {
        let (source, destination) = (Ipv4Addr::from(addresses[0]), Ipv4Addr::from(addresses[1]));
        let header = if tcp { 20 } else { 8 };
        let mut body = vec![0; header];
        body[0..2].copy_from_slice(&ports[0].to_be_bytes());
        body[2..4].copy_from_slice(&ports[1].to_be_bytes());
        body.extend(&payload);
        let ends = (IpAddress::Ipv4(source), IpAddress::Ipv4(destination));
        if tcp {
            body[12] = 0x50;
            TcpPacket::new_unchecked(&mut body).fill_checksum(&ends.0, &ends.1);
        } else {
            let length = body.len() as u16;
            body[4..6].copy_from_slice(&length.to_be_bytes());
            UdpPacket::new_unchecked(&mut body).fill_checksum(&ends.0, &ends.1);
        }
        let protocol = if tcp { IpProtocol::Tcp } else { IpProtocol::Udp };
        let bytes = packet(&source.to_string(), &destination.to_string(), protocol, ttl, &body);
        let frame = Frame::from_bytes(&[&[0; 14][..], &bytes].concat(), PacketId(0));
        let mut packet = frame.into_packet();
        for edit in edits {
            match edit {
                0 if packet.ip().hop_limit() > 0 => rewrite::decrement_ttl(&mut packet),
                0 => {}
                1 => rewrite::set_source(&mut packet, Ipv4Addr::from(addresses[2]), Some(ports[2])),
                _ => rewrite::set_destination(&mut packet, Ipv4Addr::from(addresses[3]), Some(ports[3])),
            }
            let ip = packet.ip();
            prop_assert!(ip.verify_checksum());
            let ends = (IpAddress::Ipv4(ip.src_addr()), IpAddress::Ipv4(ip.dst_addr()));
            let right = if tcp {
                TcpPacket::new_checked(packet.payload()).unwrap().verify_checksum(&ends.0, &ends.1)
            } else {
                UdpPacket::new_checked(packet.payload()).unwrap().verify_checksum(&ends.0, &ends.1)
            };
            prop_assert!(right);
        }
    }
}
