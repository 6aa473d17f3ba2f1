//! Two hosts' sockets back to back, with a cable of 1 ms between them and no IP path.

use super::segment::{ACK, FIN, RST, SYN, Seen};
use super::*;
use crate::base::id::NodeId;
use crate::base::id::PortId;
use crate::base::rng::Stream;
use crate::kernel::syscall::{Read, TcpState};
use crate::tables::Tables;
use crate::tables::interfaces::{Address, LOOPBACK};
use crate::trace::Stage;
use crate::trace::record::LinkKind;
use crate::trace::{Cast, Level, Recorder};
use crate::wire::Mac;
use crate::wire::flow::{Flow as FlowOnWire, Transport};
use crate::world::node::Pool;
use proptest::prelude::*;

const CLIENT: usize = 0;
const SERVER: usize = 1;
const DELAY: Duration = Duration::from_millis(1);
const PID: Pid = Pid(7);

/// A segment as it went over the cable.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Crossed {
    at: Instant,
    from: usize,
    flags: String,
    length: usize,
    payload: u32,
    window: u16,
}

struct Lab {
    now: Instant,
    ends: [Sockets; 2],
    tables: [Tables; 2],
    chance: [Stream; 2],
    pen: Recorder,
    pool: Pool,
    cable: Vec<(Instant, usize, Vec<u8>)>,
    crossed: Vec<Crossed>,
    /// Whether the n-th packet is lost.
    loses: fn(usize) -> bool,
    mtu: u32,
}

impl Lab {
    fn new() -> Lab {
        Lab::with_mtu(1500)
    }

    fn with_mtu(mtu: u32) -> Lab {
        let mut lab = Lab {
            now: Instant::ZERO,
            ends: [Sockets::default(), Sockets::default()],
            tables: [Tables::new(NodeId(0)), Tables::new(NodeId(1))],
            chance: [Stream::named(1, "a"), Stream::named(1, "b")],
            pen: Recorder::new(Level::Counters, Cast::default()),
            pool: Pool::default(),
            cable: Vec::new(),
            crossed: Vec::new(),
            loses: |_| false,
            mtu,
        };
        for host in [CLIENT, SERVER] {
            let mtu = lab.mtu;
            lab.on(host, |_, tables, cx| {
                tables.start("x", cx);
                tables.set_up(LOOPBACK, true, cx).unwrap();
                let mac = Mac([2, 0, 0, 0, 0, host as u8]);
                let id = tables.add_interface("eth0", LinkKind::Ethernet(PortId(host as u32)), mac, mtu, cx).unwrap();
                tables.set_carrier(PortId(host as u32), true, cx);
                tables.set_up(id, true, cx).unwrap();
                tables.add_address(id, Address::new(address(host), 24, "eth0"), cx).unwrap();
            });
        }
        lab
    }

    fn on<T>(&mut self, host: usize, call: impl FnOnce(&mut Sockets, &mut Tables, &mut Cx) -> T) -> T {
        let mut cx = Cx {
            now: self.now,
            node: NodeId(host as u32),
            rng: &mut self.chance[host],
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Socket,
        };
        let result = call(&mut self.ends[host], &mut self.tables[host], &mut cx);
        self.collect(host);
        result
    }

    fn collect(&mut self, host: usize) {
        while let Some(packet) = self.ends[host].poll_transmit() {
            assert!(packet.ip().verify_checksum(), "wrong IP checksum");
            let seen = Seen::of(&packet).expect("a sound segment with the right checksum");
            let tcp = smoltcp::wire::TcpPacket::new_checked(packet.payload()).unwrap();
            let names = [(FIN, 'F'), (SYN, 'S'), (RST, 'R'), (8, 'P'), (ACK, 'A')];
            self.crossed.push(Crossed {
                at: self.now,
                from: host,
                flags: names.iter().filter(|(bit, _)| seen.has(*bit)).map(|(_, name)| *name).collect(),
                length: packet.bytes().len(),
                payload: seen.payload,
                window: tcp.window_len(),
            });
            if !(self.loses)(self.crossed.len() - 1) {
                self.cable.push((self.now + DELAY, 1 - host, packet.bytes().to_vec()));
            }
        }
    }

    fn inject(&mut self, host: usize, bytes: &[u8]) {
        self.on(host, |sockets, tables, cx| {
            let mut packet = Packet::new(cx.new_buffer(bytes.len()));
            packet.bytes_mut().copy_from_slice(bytes);
            sockets.deliver(packet, tables, cx);
            sockets.settle(cx);
        });
    }

    /// Lets time pass.
    fn run(&mut self, span: Duration) {
        let until = self.now + span;
        for _ in 0..1_000_000 {
            let arrival = self.cable.iter().map(|(at, ..)| *at).min();
            let timers = self.ends.iter().filter_map(Sockets::next_wake).min();
            let Some(next) = arrival.into_iter().chain(timers).min().filter(|next| *next <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let place = self.cable.iter().position(|(at, ..)| *at == next).unwrap();
                let (_, host, bytes) = self.cable.remove(place);
                self.inject(host, &bytes);
            } else {
                for host in [CLIENT, SERVER] {
                    self.on(host, |sockets, _, cx| sockets.wake(cx));
                }
            }
        }
        panic!("the sockets never come to rest");
    }

    fn listen(&mut self, backlog: u32) -> SocketId {
        self.on(SERVER, |sockets, tables, _| sockets.listen(PID, everywhere(80), backlog, tables)).unwrap()
    }

    fn connect(&mut self) -> SocketId {
        self.on(CLIENT, |sockets, tables, cx| sockets.connect(PID, None, end(SERVER, 80), tables, cx)).unwrap()
    }

    /// A connection: the client's and the server's socket.
    fn pair(&mut self) -> (SocketId, SocketId) {
        let listener = self.listen(128);
        let client = self.connect();
        self.run(Duration::from_millis(10));
        let (server, _) = self.on(SERVER, |sockets, _, _| sockets.accept(PID, listener)).expect("a connection");
        (client, server)
    }

    fn read_all(&mut self, host: usize, socket: SocketId) -> (Vec<u8>, Read) {
        let mut all = Vec::new();
        loop {
            match self.on(host, |sockets, _, cx| sockets.recv(socket, 10_000, cx)) {
                Read::Data(data) => all.extend(data),
                other => return (all, other),
            }
        }
    }

    fn send(&mut self, host: usize, socket: SocketId, bytes: &[u8]) -> Result<usize, SocketError> {
        self.on(host, |sockets, _, cx| sockets.send(socket, bytes, cx))
    }

    fn close(&mut self, host: usize, socket: SocketId) {
        self.on(host, |sockets, _, cx| sockets.close(socket, cx));
    }

    fn state(&mut self, host: usize, socket: SocketId) -> TcpState {
        self.on(host, |sockets, _, _| sockets.tcp_state(socket))
    }

    fn flags(&self) -> Vec<&str> {
        self.crossed.iter().map(|crossed| crossed.flags.as_str()).collect()
    }

    /// Nothing is left of any connection.
    fn is_clean(&self, host: usize) -> bool {
        self.ends[host].places.iter().all(|place| place.flow.is_none()) && self.ends[host].flows.is_empty()
    }
}

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + host as u8)
}

fn end(host: usize, port: u16) -> SocketAddr {
    SocketAddr { address: address(host), port }
}

fn everywhere(port: u16) -> SocketAddr {
    SocketAddr { address: Ipv4Addr::UNSPECIFIED, port }
}

#[test]
fn a_short_request_takes_the_ten_segments_that_were_recorded_on_linux() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    lab.send(CLIENT, client, &[b'q'; 29]).unwrap();
    lab.run(Duration::from_millis(2));
    assert_eq!(lab.read_all(SERVER, server).0.len(), 29);
    lab.send(SERVER, server, &[b'a'; 253]).unwrap();
    lab.run(Duration::from_millis(1));
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(1));
    // The cable brings data and FIN; the client's process closes when it sees the end.
    lab.on(CLIENT, |sockets, _, cx| while matches!(sockets.recv(client, 100_000, cx), Read::Data(_)) {});
    lab.close(CLIENT, client);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.flags()[..6], ["S", "SA", "A", "PA", "A", "PA"]);
    assert_eq!(lab.crossed[0].length, 60);
    assert_eq!(lab.crossed[1].length, 60);
    assert_eq!(lab.crossed[2].length, 52);
    assert_eq!((lab.crossed[0].window, lab.crossed[1].window), (64_240, 65_160));
    assert_eq!((lab.crossed[2].window, lab.crossed[4].window), (502, 509));
    assert!(lab.is_clean(CLIENT) && lab.is_clean(SERVER), "{:?}", lab.flags());
}

#[test]
fn a_closing_client_acknowledges_the_servers_fin_with_its_own() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    let before = lab.crossed.len();
    lab.close(SERVER, server);
    // Not `run`: the client's process closes in the very turn in which the FIN comes.
    lab.now += DELAY;
    let (_, host, fin) = lab.cable.remove(0);
    assert_eq!(host, CLIENT);
    lab.on(CLIENT, |sockets, tables, cx| {
        let mut packet = Packet::new(cx.new_buffer(fin.len()));
        packet.bytes_mut().copy_from_slice(&fin);
        sockets.deliver(packet, tables, cx);
        assert_eq!(sockets.recv(client, 100, cx), Read::End);
        sockets.close(client, cx);
        sockets.settle(cx);
    });
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.flags()[before..], ["FA", "FA", "A"]);
    assert_eq!(lab.ends[SERVER].time_waits.count(lab.now), 1);
    assert_eq!(lab.ends[CLIENT].time_waits.count(lab.now), 0);
}

#[test]
fn a_megabyte_arrives_whole_in_both_directions_at_once() {
    let mut lab = Lab::new();
    transfer(&mut lab, 1 << 20);
}

#[test]
fn a_megabyte_arrives_whole_although_one_packet_in_fifty_is_lost() {
    let mut lab = Lab::new();
    lab.loses = |n| n % 50 == 49;
    transfer(&mut lab, 1 << 20);
}

#[test]
fn small_and_large_mtus_carry_data() {
    for mtu in [552, 1480, 9000, 65_535] {
        let mut lab = Lab::with_mtu(mtu);
        transfer(&mut lab, 100_000);
        assert!(lab.crossed.iter().all(|crossed| crossed.length <= mtu as usize), "{mtu}");
    }
}

fn transfer(lab: &mut Lab, length: usize) {
    let (client, server) = lab.pair();
    let data: Vec<u8> = (0..length as u32).map(|n| (n / 7) as u8).collect();
    let mut sent = [0, 0];
    let mut got = [Vec::new(), Vec::new()];
    for _ in 0..100_000 {
        for (host, socket) in [(CLIENT, client), (SERVER, server)] {
            if sent[host] < data.len() {
                sent[host] += lab.send(host, socket, &data[sent[host]..]).unwrap();
            }
            got[host].extend(lab.read_all(host, socket).0);
        }
        if got.iter().all(|got| got.len() == data.len()) {
            break;
        }
        lab.run(Duration::from_millis(1));
    }
    assert!(got[CLIENT] == data && got[SERVER] == data, "{} {}", got[CLIENT].len(), got[SERVER].len());
}

#[test]
fn an_early_megabyte_waits_for_a_reader_that_sleeps() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    let mut sent = 0;
    for _ in 0..200 {
        sent += lab.send(CLIENT, client, &[7; 10_000]).unwrap();
        lab.run(Duration::from_millis(10));
    }
    assert!((65_000..=131_070).contains(&sent), "two buffers hold it back: {sent}");
    let mut got = 0;
    for _ in 0..10_000 {
        got += lab.read_all(SERVER, server).0.len();
        lab.run(Duration::from_millis(100));
        if got == sent {
            return;
        }
    }
    panic!("{got} of {sent} octets arrived");
}

#[test]
fn nobody_listens_and_the_client_is_refused() {
    let mut lab = Lab::new();
    let client = lab.connect();
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::Refused));
    assert_eq!(lab.flags(), ["S", "RA"]);
    assert_eq!(lab.crossed[1].length, 40);
    lab.close(CLIENT, client);
    assert!(lab.is_clean(CLIENT));
}

#[test]
fn nobody_answers_and_the_client_gives_up_after_127_seconds() {
    let mut lab = Lab::new();
    lab.loses = |_| true;
    let client = lab.connect();
    lab.run(Duration::from_secs(126));
    assert_eq!(lab.state(CLIENT, client), TcpState::Connecting);
    let seconds: Vec<u64> = lab.crossed.iter().map(|crossed| crossed.at.secs()).collect();
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63]);
    lab.run(Duration::from_secs(2));
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::TimedOut));
}

#[test]
fn a_request_that_is_lost_goes_out_again_when_linux_would_send_it() {
    let mut lab = Lab::new();
    let (client, _) = lab.pair();
    let before = lab.crossed.len();
    lab.loses = |_| true;
    let asked = lab.now;
    lab.send(CLIENT, client, b"GET / HTTP/1.1").unwrap();
    lab.run(Duration::from_secs(30));
    let tries: Vec<u64> = lab.crossed[before..].iter().map(|crossed| crossed.at.since(asked).millis()).collect();
    assert_eq!(tries, [0, 204, 408, 816, 1_632, 3_264, 6_528, 13_056, 26_112], "202 ms in whole ticks");
}

#[test]
fn every_fin_that_comes_again_is_answered() {
    let mut lab = Lab::new();
    let (client, _) = lab.pair();
    let before = lab.crossed.len();
    assert_eq!(before, 3);
    lab.loses = |n| n >= 3 && n % 2 == 0;
    lab.on(CLIENT, |sockets, _, cx| sockets.shutdown(client, cx));
    lab.run(Duration::from_millis(900));
    let flags = lab.flags();
    assert_eq!(flags[before..], ["FA", "A", "FA", "A", "FA", "A", "FA", "A"]);
}

#[test]
fn a_full_backlog_drops_the_syn() {
    let mut lab = Lab::new();
    lab.listen(1);
    for _ in 0..3 {
        lab.connect();
        lab.run(Duration::from_millis(10));
    }
    assert_eq!(lab.flags(), ["S", "SA", "A", "S", "SA", "A", "S"]);
}

#[test]
fn closing_with_unread_data_resets() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    lab.send(CLIENT, client, b"hello").unwrap();
    lab.run(Duration::from_millis(10));
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.flags().last(), Some(&"RA"));
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::Reset));
    assert!(lab.is_clean(SERVER));
}

#[test]
fn a_half_closed_connection_still_receives() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    lab.on(CLIENT, |sockets, _, cx| sockets.shutdown(client, cx));
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.read_all(SERVER, server).1, Read::End);
    lab.send(SERVER, server, b"still here").unwrap();
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.read_all(CLIENT, client), (b"still here".to_vec(), Read::Wait));
    assert_eq!(lab.send(CLIENT, client, b"no"), Err(SocketError::BrokenPipe));
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.read_all(CLIENT, client).1, Read::End);
    lab.close(CLIENT, client);
    assert!(lab.is_clean(CLIENT) && lab.is_clean(SERVER));
}

#[test]
fn data_to_a_process_that_has_closed_is_reset() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(10));
    lab.send(CLIENT, client, b"anybody?").unwrap();
    lab.run(Duration::from_millis(10));
    assert!(lab.flags().last().is_some_and(|flags| flags.starts_with('R')), "{:?}", lab.flags());
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::BrokenPipe));
}

#[test]
fn time_wait_lasts_sixty_seconds_and_gives_way_to_a_newer_connection() {
    let mut lab = Lab::new();
    let listener = lab.listen(128);
    let local = Some(end(CLIENT, 5_555));
    let connect =
        |lab: &mut Lab| lab.on(CLIENT, |sockets, tables, cx| sockets.connect(PID, local, end(SERVER, 80), tables, cx));
    let client = connect(&mut lab).unwrap();
    lab.run(Duration::from_millis(10));
    let (server, _) = lab.on(SERVER, |sockets, _, _| sockets.accept(PID, listener)).unwrap();
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(10));
    lab.close(CLIENT, client);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.ends[SERVER].time_waits.count(lab.now), 1);
    let again = connect(&mut lab).unwrap();
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.ends[SERVER].time_waits.count(lab.now), 0, "the newer connection took the place");
    assert_eq!(lab.state(CLIENT, again), TcpState::Connected);
    lab.close(CLIENT, again);
    lab.run(Duration::from_millis(10));
    let (server, _) = lab.on(SERVER, |sockets, _, _| sockets.accept(PID, listener)).unwrap();
    lab.close(SERVER, server);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.ends[CLIENT].time_waits.count(lab.now), 1);
    assert_eq!(connect(&mut lab), Err(SocketError::AddressNotAvailable));
    lab.run(Duration::from_secs(61));
    assert_eq!(lab.ends[CLIENT].time_waits.count(lab.now), 0);
}

#[test]
fn an_unreachable_message_ends_a_connect_and_not_a_connection() {
    let mut lab = Lab::new();
    lab.loses = |_| true;
    let client = lab.connect();
    let (local, remote) = lab.ends[CLIENT].ends(client).unwrap();
    let flow = FlowOnWire { transport: Transport::Tcp, source: local, destination: remote };
    lab.on(CLIENT, |sockets, _, cx| sockets.icmp_error(flow, 3, 1, 0, cx));
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::HostUnreachable));

    let mut lab = Lab::new();
    let (client, _) = lab.pair();
    let (local, remote) = lab.ends[CLIENT].ends(client).unwrap();
    let flow = FlowOnWire { transport: Transport::Tcp, source: local, destination: remote };
    lab.on(CLIENT, |sockets, _, cx| sockets.icmp_error(flow, 3, 1, 0, cx));
    assert_eq!(lab.state(CLIENT, client), TcpState::Connected);
}

#[test]
fn a_lowered_path_mtu_makes_later_segments_smaller() {
    let mut lab = Lab::new();
    let (client, server) = lab.pair();
    let (local, remote) = lab.ends[CLIENT].ends(client).unwrap();
    let flow = FlowOnWire { transport: Transport::Tcp, source: local, destination: remote };
    lab.on(CLIENT, |sockets, _, cx| sockets.icmp_error(flow, 3, 4, 1_000, cx));
    lab.send(CLIENT, client, &[1; 5_000]).unwrap();
    lab.run(Duration::from_millis(100));
    assert_eq!(lab.read_all(SERVER, server).0.len(), 5_000);
    assert_eq!(lab.crossed.iter().map(|crossed| crossed.length).max(), Some(1_000));
}

#[test]
fn a_closed_listener_resets_who_waits_in_it() {
    let mut lab = Lab::new();
    let listener = lab.listen(128);
    let client = lab.connect();
    lab.run(Duration::from_millis(10));
    lab.close(SERVER, listener);
    lab.run(Duration::from_millis(10));
    assert_eq!(lab.state(CLIENT, client), TcpState::Failed(SocketError::Reset));
    assert!(lab.is_clean(SERVER));
}

#[test]
fn twenty_thousand_connections_use_few_places() {
    let mut lab = Lab::new();
    let listener = lab.listen(128);
    for _ in 0..2_000 {
        let client = lab.connect();
        lab.run(Duration::from_millis(3));
        let (server, _) = lab.on(SERVER, |sockets, _, _| sockets.accept(PID, listener)).unwrap();
        lab.close(SERVER, server);
        lab.run(Duration::from_millis(1));
        lab.close(CLIENT, client);
        lab.run(Duration::from_millis(3));
    }
    assert!(lab.ends[SERVER].places.len() < 4 && lab.ends[CLIENT].places.len() < 4);
    assert!(lab.ends[SERVER].timers.len() < 10);
}

#[test]
fn datagrams_arrive_whole_and_a_full_queue_drops_them() {
    let mut lab = Lab::new();
    let receiver = lab.on(SERVER, |sockets, tables, cx| sockets.udp(PID, everywhere(53), tables, cx)).unwrap();
    let sender = lab.on(CLIENT, |sockets, tables, cx| sockets.udp(PID, everywhere(0), tables, cx)).unwrap();
    let mut packets = Vec::new();
    for n in 0..300_u32 {
        let text = vec![n as u8; 1_000];
        let Lab { ends, tables, chance, pen, pool, .. } = &mut lab;
        let mut cx = Cx {
            now: Instant::ZERO,
            node: NodeId(0),
            rng: &mut chance[CLIENT],
            pen,
            pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Socket,
        };
        ends[CLIENT].send_to(sender, end(SERVER, 53), &text, &tables[CLIENT], &mut cx).unwrap();
        packets.push(ends[CLIENT].poll_transmit().unwrap());
    }
    for packet in packets {
        lab.inject(SERVER, packet.bytes());
    }
    let mut got = 0;
    while let Some((bytes, from)) = lab.ends[SERVER].recv_from(receiver) {
        assert_eq!((bytes.len(), from.address), (1_000, address(CLIENT)));
        got += 1;
    }
    assert_eq!(got, 212_992 / 1_256);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes, a listening host neither panics nor spins, and forgets half-open connections in time.
    #[test]
    fn arbitrary_segments_do_no_harm(
        segments in proptest::collection::vec(
            (0..4_u16, any::<u8>(), any::<u32>(), any::<u32>(), any::<u16>(),
             proptest::collection::vec(any::<u8>(), 0..40), proptest::collection::vec(any::<u8>(), 0..64), 0..2_u8),
            1..40),
    ) {
        let mut lab = Lab::new();
        lab.loses = |_| true;
        lab.listen(4);
        for (port, flags, seq, ack, window, mut options, payload, near) in segments {
            options.resize(options.len().div_ceil(4) * 4, 0);
            let header = 20 + options.len();
            let mut bytes = vec![0; 20 + header + payload.len()];
            let whole = bytes.len() as u16;
            bytes[0] = 0x45;
            bytes[2..4].copy_from_slice(&whole.to_be_bytes());
            bytes[8] = 64;
            bytes[9] = 6;
            bytes[12..16].copy_from_slice(&address(CLIENT).octets());
            bytes[16..20].copy_from_slice(&address(SERVER).octets());
            // Half of the segments answer what was sent last, so that handshakes are completed too.
            let known = lab.ends[SERVER].places.iter().flat_map(|place| &place.flow).next();
            let known = known.map(|flow| (flow.next_ack, flow.next_seq));
            let (seq, ack) = if near == 0 { known.unwrap_or((seq, ack)) } else { (seq, ack) };
            let tcp = &mut bytes[20..];
            tcp[0..2].copy_from_slice(&(1_000 + port).to_be_bytes());
            tcp[2..4].copy_from_slice(&80_u16.to_be_bytes());
            tcp[4..8].copy_from_slice(&seq.to_be_bytes());
            tcp[8..12].copy_from_slice(&ack.to_be_bytes());
            tcp[12] = (header as u8 / 4) << 4;
            tcp[13] = flags;
            tcp[14..16].copy_from_slice(&window.to_be_bytes());
            tcp[20..header].copy_from_slice(&options);
            tcp[header..].copy_from_slice(&payload);
            smoltcp::wire::TcpPacket::new_unchecked(&mut *tcp).fill_checksum(
                &IpAddress::Ipv4(address(CLIENT)), &IpAddress::Ipv4(address(SERVER)));
            smoltcp::wire::Ipv4Packet::new_unchecked(&mut bytes[..]).fill_checksum();
            lab.inject(SERVER, &bytes);
            lab.run(Duration::from_millis(100));
        }
        lab.run(Duration::from_secs(4_000));
        prop_assert!(lab.ends[SERVER].listeners[0].embryos == 0);
    }
}
