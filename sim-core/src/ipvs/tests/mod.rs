//! A director by itself: packets into its hooks, verdicts out.

mod ftp;
mod fullnat;
mod laws;
mod packets;
mod persistence;
mod schedulers;
mod servers;
mod settings;

use super::conn::Conn;
use super::{Ipvs, Persistence, ServerOptions, ServiceOptions};
use crate::base::id::{EventId, NodeId, PacketId, PortId};
use crate::base::rng::Stream;
use crate::base::time::{Duration, Instant};
use crate::tables::Tables;
use crate::tables::interfaces::Address;
use crate::tables::verdict::Verdict;
use crate::trace::record::{LinkKind, Method, ServiceKey, Tunnel};
use crate::trace::{Level, Recorder, Stage};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::frame::Buffer;
use crate::wire::packet::Packet;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::{Cx, Pool};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, Ipv4Packet, Ipv4Repr, TcpPacket, UdpPacket};

const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);
const DIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 17;
const RST: u8 = 4;

/// A director on 10.0.0.0/24 that holds the VIP, and the time.
struct Lab {
    ipvs: Ipvs,
    tables: Tables,
    pen: Recorder,
    rng: Stream,
    pool: Pool,
    now: Instant,
}

fn rip(host: u8) -> SocketAddr {
    SocketAddr { address: Ipv4Addr::new(10, 0, 0, host), port: 80 }
}

fn vip() -> SocketAddr {
    SocketAddr { address: VIP, port: 80 }
}

fn key() -> ServiceKey {
    ServiceKey::Address(Transport::Tcp, vip())
}

fn udp_key() -> ServiceKey {
    ServiceKey::Address(Transport::Udp, vip())
}

fn service(scheduler: &str) -> ServiceOptions {
    ServiceOptions { scheduler: scheduler.into(), flags: 0, persistent: None, one_packet: false, conn_timeout: None }
}

fn server(host: u8, weight: u32) -> ServerOptions {
    ServerOptions { server: rip(host), method: Method::Dr, tunnel: Tunnel::Ipip, weight, upper: 0, lower: 0 }
}

impl Lab {
    fn new() -> Lab {
        let mut lab = Lab {
            ipvs: Ipvs::new(NodeId(0)),
            tables: Tables::new(NodeId(0)),
            pen: Recorder::new(Level::Everything, Default::default()),
            rng: Stream::named(1, "node/director"),
            pool: Pool::default(),
            now: Instant::ZERO,
        };
        lab.with(|_, tables, cx| {
            let lo = tables.add_interface("lo", LinkKind::Loopback, Mac::default(), 65_536, cx).expect("new");
            tables.set_up(lo, true, cx).expect("exists");
            let eth0 = tables.add_interface("eth0", LinkKind::Ethernet(PortId(0)), Mac::default(), 1500, cx);
            let eth0 = eth0.expect("new");
            tables.set_carrier(PortId(0), true, cx);
            tables.set_up(eth0, true, cx).expect("exists");
            tables.add_address(eth0, Address::new(DIP, 24, "eth0"), cx).expect("new");
            tables.add_address(eth0, Address::new(VIP, 32, "eth0"), cx).expect("new");
        });
        lab
    }

    /// A TCP service with this scheduler, and servers 10.0.0.1, .2, … of these weights, added in this order.
    fn with_servers(scheduler: &str, weights: &[u32]) -> Lab {
        let mut lab = Lab::new();
        lab.add_service(key(), service(scheduler));
        for (weight, host) in weights.iter().zip(11..) {
            lab.add(server(host, *weight));
        }
        lab
    }

    fn with<R>(&mut self, deed: impl FnOnce(&mut Ipvs, &mut Tables, &mut Cx) -> R) -> R {
        let mut cx = Cx {
            now: self.now,
            node: NodeId(0),
            rng: &mut self.rng,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Process,
        };
        deed(&mut self.ipvs, &mut self.tables, &mut cx)
    }

    fn add_service(&mut self, key: ServiceKey, options: ServiceOptions) {
        self.with(|ipvs, _, cx| ipvs.add_service(key, &options, cx)).expect("the service is new");
    }

    fn add(&mut self, options: ServerOptions) {
        self.with(|ipvs, tables, cx| ipvs.add_server(key(), &options, tables, cx)).expect("the server is new");
    }

    fn edit(&mut self, options: ServerOptions) {
        self.with(|ipvs, _, cx| ipvs.edit_server(key(), &options, cx)).expect("the server is there");
    }

    fn delete(&mut self, host: u8) {
        self.with(|ipvs, tables, cx| ipvs.delete_server(key(), rip(host), tables, cx)).expect("the server is there");
    }

    fn set(&mut self, name: &str, value: &str) {
        let name = format!("net.ipv4.vs.{name}");
        self.with(|_, tables, cx| tables.sysctl.set(&name, value, cx)).expect("a setting");
        self.with(|ipvs, tables, cx| ipvs.heed(tables.sysctl.vs(), cx.now));
    }

    /// Lets time pass, with everything that is due in it.
    fn wait(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(due) = self.ipvs.next_wake().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.with(|ipvs, tables, cx| ipvs.wake(tables, cx));
        }
        self.now = until;
    }

    fn input(&mut self, packet: Packet) -> Verdict {
        self.with(|ipvs, tables, cx| ipvs.input(packet, tables, cx))
    }

    /// A segment of the client with this port to the VIP.
    fn send(&mut self, port: u16, flags: u8) -> Verdict {
        self.input(tcp(SocketAddr { address: CLIENT, port }, vip(), flags))
    }

    /// The last octet of the server that a new connection from this port gets; 0 if it is refused.
    fn open(&mut self, port: u16) -> u8 {
        self.send(port, SYN);
        self.conn(port).map_or(0, |conn| conn.server.address.octets()[3] - 10)
    }

    /// The servers of so many new connections, each from a port of its own; none of them ends.
    fn open_many(&mut self, count: u16) -> Vec<u8> {
        let first = 20_000 + self.ipvs.connections().len() as u16;
        (first..first + count).map(|port| self.open(port)).collect()
    }

    fn conn(&self, port: u16) -> Option<&Conn> {
        let source = SocketAddr { address: CLIENT, port };
        self.ipvs.connection(&Flow { transport: Transport::Tcp, source, destination: vip() })
    }

    /// The weight of the server that [`Lab::open`] calls by this number.
    fn weight(&self, number: u8) -> u32 {
        self.ipvs.server(key(), rip(10 + number)).map_or(0, |server| server.weight)
    }

    /// Active and inactive connections of all servers.
    fn counts_of_all(&self) -> (u32, u32) {
        let servers = self.ipvs.services().flat_map(|service| self.ipvs.servers(service).iter().collect::<Vec<_>>());
        servers.fold((0, 0), |(active, inactive), server| (active + server.active, inactive + server.inactive()))
    }

    /// ActiveConn and InActConn of a server.
    fn counts(&self, host: u8) -> (u32, u32) {
        let server = self.ipvs.server(key(), rip(host)).expect("the server is there");
        (server.active, server.inactive())
    }
}

fn packet(source: Ipv4Addr, destination: Ipv4Addr, protocol: IpProtocol, payload: &[u8]) -> Packet {
    let repr = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: payload.len(),
        hop_limit: 63,
    };
    let mut buffer = Buffer::zeroed(20 + payload.len(), PacketId(0), Vec::new());
    let mut ip = Ipv4Packet::new_unchecked(buffer.bytes_mut());
    repr.emit(&mut ip, &ChecksumCapabilities::default());
    ip.payload_mut().copy_from_slice(payload);
    Packet::new(buffer)
}

fn tcp_bytes(source: SocketAddr, destination: SocketAddr, flags: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    bytes[12] = 0x50;
    bytes[13] = flags;
    let mut segment = TcpPacket::new_unchecked(&mut bytes);
    segment.set_src_port(source.port);
    segment.set_dst_port(destination.port);
    segment.fill_checksum(&source.address.into(), &destination.address.into());
    bytes
}

fn tcp(source: SocketAddr, destination: SocketAddr, flags: u8) -> Packet {
    let bytes = tcp_bytes(source, destination, flags);
    packet(source.address, destination.address, IpProtocol::Tcp, &bytes)
}

fn udp(source: SocketAddr, destination: SocketAddr, length: usize) -> Packet {
    let mut bytes = vec![0; 8 + length];
    let mut datagram = UdpPacket::new_unchecked(&mut bytes);
    datagram.set_src_port(source.port);
    datagram.set_dst_port(destination.port);
    datagram.set_len(8 + length as u16);
    datagram.fill_checksum(&source.address.into(), &destination.address.into());
    packet(source.address, destination.address, IpProtocol::Udp, &bytes)
}

fn persistence(seconds: u64) -> Persistence {
    Persistence { timeout: Duration::from_secs(seconds), mask: Ipv4Addr::BROADCAST }
}
