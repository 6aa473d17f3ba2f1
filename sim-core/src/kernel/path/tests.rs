//! Kernels on wires, without programs: frames go from card to card by hand, at once.

mod arp;
mod forwarding;
mod fragments;
mod groups;
mod robust;

use super::*;
use crate::base::id::{EventId, NodeId, PacketId};
use crate::base::rng::Stream;
use crate::base::time::Duration;
use crate::kernel::Os;
use crate::tables::interfaces::Address;
use crate::tables::routes::change::{How, NewRoute};
use crate::trace::record::LinkKind;
use crate::trace::{Cast, Kind, Level, Recorder, Stage};
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Pool;
use ipnet::Ipv4Net;
use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet};

/// Some machines, and who shares a link with whom.
struct Bench {
    kernels: Vec<Kernel>,
    rngs: Vec<Stream>,
    /// Ports of one link.
    links: Vec<Vec<PortId>>,
    pen: Recorder,
    pool: Pool,
    now: Instant,
    /// Every frame that was sent: by which port, and its bytes.
    seen: Vec<(PortId, Vec<u8>)>,
    frames: VecDeque<(PortId, Frame)>,
}

impl Bench {
    fn new(machines: u32) -> Bench {
        let mut bench = Bench {
            kernels: Vec::new(),
            rngs: Vec::new(),
            links: Vec::new(),
            pen: Recorder::new(Level::Everything, Cast::default()),
            pool: Pool::default(),
            now: Instant::ZERO + Duration::from_secs(1),
            seen: Vec::new(),
            frames: VecDeque::new(),
        };
        for number in 0..machines {
            bench.kernels.push(Kernel::new(NodeId(number), &format!("h{number}"), Os::default()));
            bench.rngs.push(Stream::named(1, &format!("h{number}")));
            bench.on(number as usize, |kernel, _, cx| {
                kernel.tables.start("h", cx);
                kernel.tables.set_up(LOOPBACK_ID, true, cx).unwrap();
            });
        }
        bench
    }

    /// Does something at one machine; what it sends goes on the wires.
    fn on<T>(&mut self, machine: usize, does: impl FnOnce(&mut Kernel, &mut Outbox, &mut Cx) -> T) -> T {
        let mut out = Outbox::default();
        let node = NodeId(machine as u32);
        self.pen.begin_step(self.now, node);
        let mut cx = Cx {
            now: self.now,
            node,
            rng: &mut self.rngs[machine],
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Wire,
        };
        let result = does(&mut self.kernels[machine], &mut out, &mut cx);
        for (port, frame) in out.drain() {
            self.seen.push((port, frame.bytes().to_vec()));
            self.frames.push_back((port, frame));
        }
        result
    }

    /// A card `ethN` with an address; ports are `machine * 10 + n`.
    fn card(&mut self, machine: usize, n: u32, address: &str) -> IfaceId {
        let port = PortId(machine as u32 * 10 + n);
        let net: Ipv4Net = address.parse().unwrap();
        self.on(machine, |kernel, _, cx| {
            let name = format!("eth{n}");
            let mac = mac(machine, n);
            let id = kernel.tables.add_interface(&name, LinkKind::Ethernet(port), mac, 1500, cx).unwrap();
            kernel.tables.set_up(id, true, cx).unwrap();
            kernel.tables.add_address(id, Address::new(net.addr(), net.prefix_len(), &name), cx).unwrap();
            id
        })
    }

    fn wire(&mut self, ends: &[(usize, u32)]) {
        self.links.push(ends.iter().map(|(machine, n)| PortId(*machine as u32 * 10 + n)).collect());
    }

    fn gateway(&mut self, machine: usize, gateway: &str) {
        self.on(machine, |kernel, _, cx| {
            let route = NewRoute { gateway: Some(gateway.parse().unwrap()), ..NewRoute::to(Ipv4Net::default()) };
            kernel.tables.routes.add(route, How::Add, &kernel.tables.interfaces, cx).unwrap();
        });
    }

    fn sysctl(&mut self, machine: usize, key: &str, value: &str) {
        self.on(machine, |kernel, _, cx| kernel.tables.sysctl.set(key, value, cx).unwrap());
    }

    /// Delivers what is on the wires, until nothing is.
    fn run(&mut self) {
        for _ in 0..10_000 {
            let Some((from, frame)) = self.frames.pop_front() else { return };
            let link = self.links.iter().find(|link| link.contains(&from)).cloned().unwrap_or_default();
            for port in link.into_iter().filter(|port| *port != from) {
                let copy = Frame::from_bytes(frame.bytes(), frame.buffer().packet);
                self.on((port.0 / 10) as usize, |kernel, out, cx| kernel.receive(port, copy, out, cx));
            }
        }
        panic!("the frames never end");
    }

    /// Lets time pass, second by second, waking who wants to.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        for _ in 0..100_000 {
            self.run();
            let next = self.kernels.iter().filter_map(Kernel::next_wake).min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            for machine in 0..self.kernels.len() {
                if self.kernels[machine].next_wake().is_some_and(|wake| wake <= self.now) {
                    self.on(machine, |kernel, out, cx| kernel.wake(out, cx));
                }
            }
        }
        panic!("something wakes without end");
    }

    fn send(&mut self, machine: usize, bytes: &[u8]) {
        self.on(machine, |kernel, out, cx| {
            let mut buffer = cx.new_buffer(bytes.len());
            buffer.bytes_mut().copy_from_slice(bytes);
            cx.packet = buffer.packet;
            super::send(kernel, Packet::new(buffer), out, cx);
            kernel.transmit(out, cx);
        });
        self.run();
    }

    /// IPv4 packets that left by a port.
    fn packets(&self, port: u32) -> Vec<&[u8]> {
        let ours = |(from, frame): &&(PortId, Vec<u8>)| *from == PortId(port) && frame[12..14] == [8, 0];
        self.seen.iter().filter(ours).map(|(_, frame)| &frame[14..]).collect()
    }

    /// ARP messages that left by a port, as `op sender > target`, with the Ethernet destination's last octet.
    fn arps(&self, port: u32) -> Vec<String> {
        let ours = |(from, frame): &&(PortId, Vec<u8>)| *from == PortId(port) && frame[12..14] == [8, 6];
        let address = |b: &[u8]| Ipv4Addr::new(b[0], b[1], b[2], b[3]);
        self.seen
            .iter()
            .filter(ours)
            .map(|(_, f)| {
                let to = if f[..6] == [0xff; 6] { "all".into() } else { format!("{}", f[5]) };
                format!("{} {} > {} to {to}", f[21], address(&f[28..32]), address(&f[38..42]))
            })
            .collect()
    }

    fn whys(&self) -> Vec<Why> {
        let decided = |event: &crate::trace::Event| match event.kind {
            Kind::Decided(why) => Some(why),
            _ => None,
        };
        self.pen.trace().events.iter().filter_map(decided).collect()
    }
}

const LOOPBACK_ID: IfaceId = crate::tables::interfaces::LOOPBACK;

fn mac(machine: usize, n: u32) -> Mac {
    Mac([2, 0, 0, 0, 0, machine as u8 * 10 + n as u8])
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// An IPv4 packet with any payload.
fn packet(source: &str, destination: &str, protocol: IpProtocol, ttl: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 20 + payload.len()];
    bytes[20..].copy_from_slice(payload);
    let length = bytes.len() as u16;
    let mut header = Ipv4Packet::new_unchecked(&mut bytes);
    header.set_version(4);
    header.set_header_len(20);
    header.set_total_len(length);
    header.set_ident(7);
    header.set_hop_limit(ttl);
    header.set_next_header(protocol);
    header.set_src_addr(ip(source));
    header.set_dst_addr(ip(destination));
    header.fill_checksum();
    bytes
}

fn echo(source: &str, destination: &str, ttl: u8, octets: usize) -> Vec<u8> {
    let mut icmp = vec![8, 0, 0, 0, 0, 1, 0, 1];
    icmp.extend((0..octets).map(|n| n as u8));
    Icmpv4Packet::new_unchecked(&mut icmp).fill_checksum();
    packet(source, destination, IpProtocol::Icmp, ttl, &icmp)
}

/// A client, a router and a server behind it.
fn through_a_router() -> Bench {
    let mut bench = Bench::new(3);
    bench.card(0, 0, "10.0.1.10/24");
    bench.card(1, 0, "10.0.1.1/24");
    bench.card(1, 1, "10.0.2.1/24");
    bench.card(2, 0, "10.0.2.21/24");
    bench.wire(&[(0, 0), (1, 0)]);
    bench.wire(&[(1, 1), (2, 0)]);
    bench.gateway(0, "10.0.1.1");
    bench.gateway(2, "10.0.2.1");
    bench.sysctl(1, "net.ipv4.ip_forward", "1");
    bench
}
