//! Which packets a rule is about.

use crate::tables::filter::{IfaceName, Maybe};
use crate::wire::packet::Packet;
use ipnet::Ipv4Net;
use smoltcp::wire::IpProtocol;
use std::ops::RangeInclusive;

/// Which packets a rule is about. An empty field matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// `-s`.
    pub source: Option<Maybe<Ipv4Net>>,
    /// `-d`.
    pub destination: Option<Maybe<Ipv4Net>>,
    /// `-i`.
    pub in_iface: Option<Maybe<IfaceName>>,
    /// `-o`.
    pub out_iface: Option<Maybe<IfaceName>>,
    /// `-p`, by number.
    pub protocol: Option<Maybe<u8>>,
    /// `--sport`.
    pub source_ports: Option<Maybe<Ports>>,
    /// `--dport`.
    pub destination_ports: Option<Maybe<Ports>>,
    /// `--tcp-flags MASK SET`, `--syn`.
    pub tcp_flags: Option<Maybe<TcpFlags>>,
    /// `--icmp-type`.
    pub icmp_type: Option<Maybe<u8>>,
    /// `-m mark --mark VALUE/MASK`.
    pub mark: Option<Maybe<MarkMatch>>,
}

/// A range of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// TCP flags by their bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags {
    /// Which are looked at.
    pub mask: u8,
    /// Which of these must be set.
    pub set: u8,
}

/// A mark under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkMatch {
    /// The mark.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
}

impl Matches {
    pub(super) fn hold(&self, packet: &Packet, (iif, oif): (&str, &str)) -> bool {
        let ip = packet.ip();
        let protocol = u8::from(ip.next_header());
        self.source.as_ref().is_none_or(|net| net.holds(|net| net.contains(&ip.src_addr())))
            && self.destination.as_ref().is_none_or(|net| net.holds(|net| net.contains(&ip.dst_addr())))
            && self.in_iface.as_ref().is_none_or(|name| name.holds(|name| name.covers(iif)))
            && self.out_iface.as_ref().is_none_or(|name| name.holds(|name| name.covers(oif)))
            && self.protocol.as_ref().is_none_or(|wanted| wanted.holds(|wanted| *wanted == protocol || *wanted == 0))
            && self.mark.as_ref().is_none_or(|mark| mark.holds(|mark| packet.mark & mark.mask == mark.value))
            && (!self.looks_at_transport() || self.transport_holds(packet))
    }

    fn looks_at_transport(&self) -> bool {
        self.source_ports.is_some()
            || self.destination_ports.is_some()
            || self.tcp_flags.is_some()
            || self.icmp_type.is_some()
    }

    /// A later fragment has no transport header and matches none of these.
    fn transport_holds(&self, packet: &Packet) -> bool {
        let ip = packet.ip();
        let payload = packet.payload();
        let port = |at: usize| payload.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        let has_ports = matches!(ip.next_header(), IpProtocol::Tcp | IpProtocol::Udp);
        let ports = |wanted: &Option<Maybe<Ports>>, at| {
            wanted.as_ref().is_none_or(|wanted| {
                has_ports && port(at).is_some_and(|port| wanted.holds(|range| range.range().contains(&port)))
            })
        };
        ip.frag_offset() == 0
            && ports(&self.source_ports, 0)
            && ports(&self.destination_ports, 2)
            && self.tcp_flags.as_ref().is_none_or(|flags| {
                ip.next_header() == IpProtocol::Tcp
                    && payload.get(13).is_some_and(|octet| flags.holds(|flags| octet & flags.mask == flags.set))
            })
            && self.icmp_type.as_ref().is_none_or(|wanted| {
                ip.next_header() == IpProtocol::Icmp
                    && payload.first().is_some_and(|kind| wanted.holds(|wanted| wanted == kind))
            })
    }
}

impl Ports {
    const fn range(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}
