//! The headers of a frame that ladders and journeys show, side by side before and after a host.

use sim_core::trace::Trace;
use sim_core::trace::capture::Captured;
use sim_core::wire::dissect::{Dissection, Layer, Value};
use sim_core::wire::field::{FieldName as F, Protocol};
use sim_core::wire::summary;
use sim_core::wire::{Ipv4Addr, Mac};

/// What is shown of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Ethernet source and destination.
    pub eth: Option<(Mac, Mac)>,
    /// Source, destination and TTL of a tunnel's outer header.
    pub outer: Option<(Ipv4Addr, Ipv4Addr, u64)>,
    /// What stands between the two headers of a tunnel: `GRE`, `GUE`; `IP` if nothing does.
    pub tunnel: &'static str,
    /// Source and destination of the (inner) packet.
    pub ip: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Its TTL.
    pub ttl: Option<u64>,
    /// Its header checksum.
    pub checksum: Option<u64>,
    /// TCP or UDP ports.
    pub ports: Option<(u64, u64)>,
    /// `tcp`, `udp`, `icmp`, `arp`.
    pub protocol: &'static str,
    /// In a few words: `SYN`, `GET /`, `who-has 10.0.0.2?`.
    pub brief: String,
}

impl Headers {
    /// Of a captured frame.
    pub fn of(frame: &Captured) -> Headers {
        let dissected = frame.dissect();
        let ips: Vec<&Layer> =
            dissected.layers.iter().filter(|layer| layer.protocol == Protocol::Ip && !layer.quoted).collect();
        let inner = ips.last().copied();
        let outer = (ips.len() > 1).then(|| ips[0]);
        let transport = dissected.layers.iter().rfind(|layer| {
            !layer.quoted && matches!(layer.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Icmp | Protocol::Arp)
        });
        Headers {
            eth: dissected.mac(F::EthSrc).zip(dissected.mac(F::EthDst)),
            outer: outer.and_then(|layer| {
                let (source, destination) = ends(&dissected, layer)?;
                Some((source, destination, number(&dissected, layer, F::IpTtl)?))
            }),
            tunnel: dissected
                .layers
                .iter()
                .find(|layer| matches!(layer.protocol, Protocol::Gre | Protocol::Gue))
                .map_or("IP", |layer| layer.protocol.title()),
            ip: inner.and_then(|layer| ends(&dissected, layer)),
            ttl: inner.and_then(|layer| number(&dissected, layer, F::IpTtl)),
            checksum: inner.and_then(|layer| number(&dissected, layer, F::IpChecksum)),
            ports: transport.and_then(|layer| {
                let either = |a, b| number(&dissected, layer, a).or_else(|| number(&dissected, layer, b));
                either(F::TcpSrcPort, F::UdpSrcPort).zip(either(F::TcpDstPort, F::UdpDstPort))
            }),
            protocol: transport.map_or("ip", |layer| layer.protocol.name()),
            brief: summary::brief_of(&dissected, &frame.bytes),
        }
    }
}

fn ends(frame: &Dissection, layer: &Layer) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let address = |name| match frame.in_layer(layer, name)?.value {
        Value::Address(address) => Some(address),
        Value::Number(_) | Value::Flag(_) | Value::Mac(_) | Value::Text => None,
    };
    address(F::IpSrc).zip(address(F::IpDst))
}

fn number(frame: &Dissection, layer: &Layer, name: F) -> Option<u64> {
    match frame.in_layer(layer, name)?.value {
        Value::Number(number) => Some(number),
        Value::Flag(_) | Value::Mac(_) | Value::Address(_) | Value::Text => None,
    }
}

/// MACs as short as they can be without two looking alike: the octets that all cards share are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortMacs {
    shared: Vec<u8>,
}

impl ShortMacs {
    /// For the cards of a run.
    pub fn of(trace: &Trace) -> Self {
        let mut macs = trace.cast.ports.iter().filter_map(|card| card.mac);
        let first = macs.next().map_or(Vec::new(), |mac| mac.0[..5].to_vec());
        let shared = macs.fold(first, |mut shared, mac| {
            let same = shared.iter().zip(mac.0).take_while(|(a, b)| **a == *b).count();
            shared.truncate(same);
            shared
        });
        ShortMacs { shared }
    }

    /// `:04`, or the whole address if it does not begin like the others.
    pub fn show(&self, mac: Mac) -> String {
        let full = sim_core::wire::dissect::mac_text(mac);
        if mac.0 == [0xff; 6] {
            "everybody".to_string()
        } else if !self.shared.is_empty() && mac.0.starts_with(&self.shared) {
            full[self.shared.len() * 3 - 1..].to_string()
        } else {
            full
        }
    }
}
