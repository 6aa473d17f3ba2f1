//! Multicast: who takes it, who hears his own, by which card it leaves; and what packet sockets see of it.

use super::*;
use crate::base::id::Pid;
use crate::kernel::socket::Way;
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);

/// Three machines on one link.
fn three() -> Bench {
    let mut bench = Bench::new(3);
    for machine in 0..3 {
        bench.card(machine, 0, &format!("10.0.0.1{machine}/24"));
    }
    bench.wire(&[(0, 0), (1, 0), (2, 0)]);
    bench
}

fn sys<T>(bench: &mut Bench, machine: usize, does: impl FnOnce(&mut Sys) -> T) -> T {
    bench.on(machine, |kernel, out, cx| {
        let result = does(&mut Sys { kernel, out, cx, pid: Pid(500) });
        kernel.transmit(out, cx);
        result
    })
}

#[test]
fn only_who_joined_a_group_hears_it_and_the_sender_hears_itself_if_it_wants() {
    let (any, eth0) = (SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 8848 }, IfaceId(2));
    let to = SocketAddr { address: GROUP, port: 8848 };
    for loops in [true, false] {
        let mut bench = three();
        let sockets: Vec<_> = (0..3).map(|m| sys(&mut bench, m, |sys| sys.udp(any).unwrap())).collect();
        for (machine, socket) in sockets.iter().enumerate().take(2) {
            sys(&mut bench, machine, |sys| sys.join_group(*socket, GROUP, eth0).unwrap());
        }
        sys(&mut bench, 0, |sys| {
            sys.set_multicast(sockets[0], Some(eth0), 3, loops).unwrap();
            sys.send_to(sockets[0], to, b"hello").unwrap();
        });
        bench.run();
        let heard: Vec<_> =
            (0..3).map(|m| sys(&mut bench, m, |sys| sys.recv_from(sockets[m]).map(|(bytes, _)| bytes))).collect();
        let hello = Some(b"hello".to_vec());
        assert_eq!(heard, [hello.clone().filter(|_| loops), hello, None]);
        assert!(bench.whys().contains(&Why::MulticastNotJoined { group: GROUP }));
        assert_eq!(bench.packets(0)[0][8], 3, "the TTL is the one that was set");
    }
}

#[test]
fn a_group_without_a_route_leaves_by_the_card_that_was_chosen_only() {
    let mut bench = three();
    let any = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 8848 };
    let to = SocketAddr { address: GROUP, port: 8848 };
    sys(&mut bench, 0, |sys| {
        let socket = sys.udp(any).unwrap();
        assert!(sys.send_to(socket, to, b"x").is_err());
        sys.set_multicast(socket, Some(IfaceId(2)), 1, false).unwrap();
        assert!(sys.send_to(socket, to, b"x").is_ok());
    });
    assert_eq!(bench.packets(0).len(), 1);
}

#[test]
fn a_group_is_left_when_the_socket_is_closed() {
    let mut bench = three();
    let socket = sys(&mut bench, 1, |sys| sys.raw(112));
    sys(&mut bench, 1, |sys| sys.join_group(socket, GROUP, IfaceId(2)).unwrap());
    assert!(bench.kernels[1].tables.memberships.holds(IfaceId(2), GROUP));
    sys(&mut bench, 1, |sys| sys.close(socket));
    bench.on(1, |kernel, _, cx| kernel.tell_processes(cx.now));
    assert!(!bench.kernels[1].tables.memberships.holds(IfaceId(2), GROUP));
}

#[test]
fn a_header_of_ones_own_leaves_as_it_is_written() {
    let mut bench = three();
    let mut own = packet("10.0.0.10", "224.0.0.18", IpProtocol::Unknown(112), 255, b"body");
    own[1] = 0xc0;
    own[10..12].copy_from_slice(&[0, 0]);
    sys(&mut bench, 0, |sys| {
        let socket = sys.raw(112);
        sys.raw_send_header(socket, Some(IfaceId(2)), &own).unwrap();
    });
    let sent = bench.packets(0)[0];
    assert!(crate::wire::checksum::is_right(&sent[..20]));
    assert_eq!((&sent[..10], &sent[12..]), (&own[..10], &own[12..]));
    assert_eq!(bench.seen[0].1[..6], [1, 0, 0x5e, 0, 0, 18]);
}

#[test]
fn a_packet_socket_sees_both_ways_and_sends_frames_as_they_are() {
    let mut bench = three();
    let socket = sys(&mut bench, 0, |sys| sys.packet_socket(None));
    bench.send(0, &echo("10.0.0.10", "10.0.0.11", 64, 8));
    let seen = sys(&mut bench, 0, |sys| std::iter::from_fn(|| sys.packet_recv(socket)).collect::<Vec<_>>());
    let ways: Vec<Way> = seen.iter().map(|(_, way, _)| *way).collect();
    assert_eq!(ways, [Way::Out, Way::In, Way::Out, Way::In], "question and answer of ARP, then of ping");
    let frame = [&[0xff; 6][..], &[2, 9, 9, 9, 9, 9], &[0x88, 0xb5], b"anything"].concat();
    sys(&mut bench, 0, |sys| sys.packet_send(socket, IfaceId(2), &frame).unwrap());
    assert_eq!(bench.seen.last().unwrap().1, frame);
}
