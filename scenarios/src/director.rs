//! A director alone, for `lvslab bench director`: packets straight into the hooks of its IPVS, nothing around it. What
//! scheduling, finding and ending a connection cost is seen here without the network that they otherwise are a small
//! part of.

use sim_core::base::id::{EventId, NodeId, PacketId, PortId};
use sim_core::base::rng::Stream;
use sim_core::base::time::{Duration, Instant};
use sim_core::ipvs::{Ipvs, ServerOptions, ServiceOptions};
use sim_core::tables::Tables;
use sim_core::tables::interfaces::Address;
use sim_core::tables::verdict::Verdict;
use sim_core::trace::record::{LinkKind, Method, ServiceKey, Tunnel};
use sim_core::trace::{Level, Recorder, Stage};
use sim_core::wire::flow::{SocketAddr, Transport};
use sim_core::wire::packet::Packet;
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::node::{Cx, Pool};

/// The director.
pub struct Director {
    ipvs: Ipvs,
    tables: Tables,
    pen: Recorder,
    chance: Stream,
    pool: Pool,
    now: Instant,
    servers: u32,
}

const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SYN: u8 = 2;
const ACK: u8 = 16;
const HEADERS: usize = 40;

impl Director {
    /// A director of DR with so many real servers.
    ///
    /// # Panics
    /// If there is no such scheduler, or there are more servers than 10.0.0.0/8 has addresses.
    pub fn new(scheduler: &str, servers: u32) -> Director {
        let mut director = Director {
            ipvs: Ipvs::new(NodeId(0)),
            tables: Tables::new(NodeId(0)),
            pen: Recorder::new(Level::Counters, Default::default()),
            chance: Stream::named(1, "node/director"),
            pool: Pool::default(),
            now: Instant::ZERO,
            servers,
        };
        director.with(|ipvs, tables, cx| {
            let lo = tables.add_interface("lo", LinkKind::Loopback, Mac::default(), 65_536, cx).expect("it is new");
            tables.set_up(lo, true, cx).expect("it exists");
            let eth0 = tables.add_interface("eth0", LinkKind::Ethernet(PortId(0)), Mac::default(), 1500, cx);
            let eth0 = eth0.expect("it is new");
            tables.set_carrier(PortId(0), true, cx);
            tables.set_up(eth0, true, cx).expect("it exists");
            tables.add_address(eth0, Address::new(VIP, 8, "eth0"), cx).expect("it is new");
            let (persistent, conn_timeout) = (None, None);
            let options =
                ServiceOptions { scheduler: scheduler.into(), flags: 0, persistent, one_packet: false, conn_timeout };
            ipvs.add_service(key(), &options, cx).expect("there is such a scheduler");
            for number in 0..servers {
                let server = SocketAddr { address: Ipv4Addr::from(0x0a01_0000 + number), port: 80 };
                let (method, tunnel) = (Method::Dr, Tunnel::Ipip);
                let options = ServerOptions { server, method, tunnel, weight: 1 + number % 3, upper: 0, lower: 0 };
                ipvs.add_server(key(), &options, tables, cx).expect("it is new");
            }
        });
        director
    }

    /// So many new connections: a SYN and an ACK each.
    pub fn open(&mut self, connections: u32) {
        for number in 0..connections {
            self.send(number, SYN);
            self.send(number, ACK);
        }
    }

    /// So many packets, each of another of the connections, in no order that a cache would like.
    pub fn carry(&mut self, connections: u32, packets: u32) {
        let mut number = 0;
        for _ in 0..packets {
            number = (number + 7_919) % connections;
            self.send(number, ACK);
        }
    }

    /// Lets all connections end.
    ///
    /// # Panics
    /// If one does not.
    pub fn end(&mut self) {
        let until = self.now + Duration::from_secs(1000);
        while let Some(due) = self.ipvs.next_wake().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.with(|ipvs, tables, cx| ipvs.wake(tables, cx));
        }
        assert!(self.ipvs.connections().is_empty(), "every connection has its time");
    }

    /// How many real servers there are.
    pub fn servers(&self) -> u32 {
        self.servers
    }

    fn send(&mut self, connection: u32, flags: u8) {
        self.now += Duration::from_nanos(100);
        let verdict = self.with(|ipvs, tables, cx| {
            let mut buffer = cx.new_buffer(HEADERS);
            write(buffer.bytes_mut(), connection, flags);
            ipvs.input(Packet::new(buffer), tables, cx)
        });
        let Verdict::Stolen(xmit) = verdict else { panic!("a packet of a connection is sent on") };
        self.pool.give(xmit.packet.into_buffer());
    }

    fn with<R>(&mut self, deed: impl FnOnce(&mut Ipvs, &mut Tables, &mut Cx) -> R) -> R {
        let mut cx = Cx {
            now: self.now,
            node: NodeId(0),
            rng: &mut self.chance,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Input,
        };
        deed(&mut self.ipvs, &mut self.tables, &mut cx)
    }
}

fn key() -> ServiceKey {
    ServiceKey::Address(Transport::Tcp, SocketAddr { address: VIP, port: 80 })
}

/// A segment of a client's connection to the VIP. IPVS does not look at the checksums of DR.
fn write(bytes: &mut [u8], connection: u32, flags: u8) {
    bytes[0] = 0x45;
    bytes[2..4].copy_from_slice(&(HEADERS as u16).to_be_bytes());
    bytes[8] = 64;
    bytes[9] = 6;
    bytes[12..16].copy_from_slice(&(0x0a80_0000 + connection / 50_000).to_be_bytes());
    bytes[16..20].copy_from_slice(&VIP.octets());
    bytes[20..22].copy_from_slice(&(1024 + (connection % 50_000) as u16).to_be_bytes());
    bytes[22..24].copy_from_slice(&80u16.to_be_bytes());
    bytes[32] = 0x50;
    bytes[33] = flags;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_open_live_and_end() {
        let mut director = Director::new("wlc", 10);
        director.open(100);
        director.carry(100, 500);
        assert_eq!((director.ipvs.connections().len(), director.servers()), (100, 10));
        director.end();
    }
}
