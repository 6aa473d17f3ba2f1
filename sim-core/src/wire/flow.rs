//! Who talks to whom: the five values that name a flow.

use super::packet::Packet;
use smoltcp::wire::IpProtocol;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;

/// An IPv4 address and a TCP or UDP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct SocketAddr {
    /// The address.
    pub address: Ipv4Addr,
    /// The port; 0 where it does not matter.
    pub port: u16,
}

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Transport {
    /// TCP, protocol 6.
    Tcp,
    /// UDP, protocol 17.
    Udp,
}

/// A flow as one packet of it shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The protocol.
    pub transport: Transport,
    /// The packet's source.
    pub source: SocketAddr,
    /// The packet's destination.
    pub destination: SocketAddr,
}

impl Flow {
    /// The flow of `packet`; none if it is neither TCP nor UDP, a later fragment, or too short to have ports.
    pub fn of(packet: &Packet) -> Option<Flow> {
        let ip = packet.ip();
        if ip.frag_offset() != 0 {
            return None;
        }
        Flow::of_parts(ip.src_addr(), ip.dst_addr(), ip.next_header(), packet.payload())
    }

    /// The flow of a packet given in parts, as it is quoted in an ICMP error. `payload` needs its first 4 octets only.
    pub fn of_parts(source: Ipv4Addr, destination: Ipv4Addr, protocol: IpProtocol, payload: &[u8]) -> Option<Flow> {
        let transport = Transport::of(protocol)?;
        let ports = payload.get(..4)?;
        Some(Flow {
            transport,
            source: SocketAddr { address: source, port: u16::from_be_bytes([ports[0], ports[1]]) },
            destination: SocketAddr { address: destination, port: u16::from_be_bytes([ports[2], ports[3]]) },
        })
    }

    /// The same flow as a packet of the other direction shows it.
    pub fn reversed(self) -> Flow {
        Flow { transport: self.transport, source: self.destination, destination: self.source }
    }
}

impl Transport {
    /// The transport with this IP protocol number.
    pub fn of(protocol: IpProtocol) -> Option<Transport> {
        if protocol == IpProtocol::Tcp {
            Some(Transport::Tcp)
        } else if protocol == IpProtocol::Udp {
            Some(Transport::Udp)
        } else {
            None
        }
    }

    /// `TCP` or `UDP`.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        }
    }
}

/// In one word: lookups by flow are on every packet's way.
impl Hash for SocketAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.address.to_bits()) << 16 | u64::from(self.port));
    }
}

/// `172.25.92.100:80`.
impl fmt::Display for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}
