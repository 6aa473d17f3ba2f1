//! ICMP errors about connections (types 3, 4 and 11): turned to the connection's other end.
//!
//! | who sends | what it quotes | what is done |
//! |---|---|---|
//! | the client, or a router before it | a server's answer: VIP → client | on to the server, as the method sends packets |
//! | a NAT server, or a router before it | a request: client → server | source becomes the VIP, the quote too |
//! | a FULLNAT server, or a router before it | a request: local address → server | both ends become the client's |
//! | a router in a tunnel's way | the outer packet: director → server | an error about the inner packet, from the VIP |

use super::Ipvs;
use super::admit::Turned;
use super::conn::ConnId;
use super::forward::{Way, registry};
use crate::tables::Tables;
use crate::tables::verdict::{IcmpError, Verdict};
use crate::trace::Why;
use crate::trace::record::Method;
use crate::trace::why::Hook;
use crate::wire::flow::Flow;
use crate::wire::packet::Packet;
use crate::wire::{gre, gue, ipip};
use crate::world::node::Cx;
use smoltcp::wire::{IpProtocol, Ipv4Packet};
use std::net::Ipv4Addr;

const ICMP_HEADER: usize = 8;
const UDP: u8 = 17;

/// What an ICMP error says, and where the packet it quotes stands.
struct Quote {
    kind: u8,
    code: u8,
    /// The MTU of 3/4.
    mtu: u32,
    /// Octets from the start of the ICMP packet to the quoted IPv4 header.
    at: usize,
    header: usize,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: IpProtocol,
    dont_fragment: bool,
    is_first: bool,
}

impl Ipvs {
    pub(super) fn icmp(&mut self, packet: Packet, hook: Hook, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        let Some(quote) = Quote::of(&packet) else { return Verdict::Accept(packet) };
        if hook == Hook::Input
            && let Some((id, inner)) = self.tunnelled(&packet, &quote)
        {
            return self.icmp_of_tunnel(id, packet, &quote, &inner, tables, cx);
        }
        let Some(flow) = quote.flow(&packet) else { return Verdict::Accept(packet) };
        if let Some(id) = self.conns.reply(&flow.reversed()) {
            return self.icmp_reply(id, packet, &quote, tables, cx);
        }
        match self.conns.request(&flow.reversed()) {
            Some(id) => self.icmp_request(id, packet, &quote, tables, cx),
            None if tables.sysctl.vs().schedule_icmp => {
                self.icmp_admit(flow.reversed(), packet, hook, &quote, tables, cx)
            }
            None => Verdict::Accept(packet),
        }
    }

    /// With `schedule_icmp`, an error about a packet of no connection makes one, as if the packet had come. Not for
    /// FULLNAT, which begins with a SYN.
    fn icmp_admit(
        &mut self,
        flow: Flow,
        packet: Packet,
        hook: Hook,
        quote: &Quote,
        tables: &mut Tables,
        cx: &mut Cx,
    ) -> Verdict {
        let service = self.services.find(&flow, packet.mark);
        if service.is_some_and(|id| !self.services.service(id).locals.is_empty()) {
            return Verdict::Accept(packet);
        }
        match self.admit(&flow, None, &packet, hook, tables.sysctl.vs(), cx) {
            Ok(id) => {
                let verdict = self.icmp_request(id, packet, quote, tables, cx);
                self.restart(id, cx);
                verdict
            }
            Err(Turned::NotMine) => Verdict::Accept(packet),
            Err(Turned::Dropped(why) | Turned::Refused(why)) => Verdict::Drop(packet, why),
        }
    }

    /// From the client's side, on to the server.
    fn icmp_request(&mut self, id: ConnId, packet: Packet, quote: &Quote, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        if !is_sound(&packet) {
            return Verdict::Drop(packet, Why::BadTransportChecksum);
        }
        let length = packet.bytes().len() as u64;
        self.count(id, cx.now, |counts| {
            counts.in_packets += 1;
            counts.in_bytes += length;
        });
        let tunnel = self.tunnel_of(id);
        let conn = self.conns.get_mut(id);
        cx.note(Why::IpvsIcmp { kind: quote.kind, to: conn.server.address });
        let mut way = Way { tables, pools: &mut self.pools, tunnel };
        registry::of(conn.method).icmp_request(packet, conn, &mut way, cx)
    }

    /// From the side of a server that was reached by NAT or FULLNAT, on to the client.
    fn icmp_reply(&mut self, id: ConnId, packet: Packet, quote: &Quote, tables: &Tables, cx: &mut Cx) -> Verdict {
        if !is_sound(&packet) {
            return Verdict::Drop(packet, Why::BadTransportChecksum);
        }
        let length = packet.bytes().len() as u64;
        self.count(id, cx.now, |counts| {
            counts.out_packets += 1;
            counts.out_bytes += length;
        });
        let tunnel = self.tunnel_of(id);
        let conn = self.conns.get(id);
        cx.note(Why::IpvsIcmp { kind: quote.kind, to: conn.client.address });
        let mut way = Way { tables, pools: &mut self.pools, tunnel };
        registry::of(conn.method).icmp_reply(packet, conn, &mut way, cx)
    }

    /// The connection whose packet travels inside the quoted one, and that packet.
    fn tunnelled(&self, packet: &Packet, quote: &Quote) -> Option<(ConnId, Quote)> {
        let behind = packet.bytes().get(quote.at + quote.header..).filter(|_| quote.is_first)?;
        let header = match u8::from(quote.protocol) {
            ipip::PROTOCOL => 0,
            gre::PROTOCOL => gre::length_of(behind)?,
            UDP => gue::open(behind)?,
            _ => return None,
        };
        let inner = Quote::header(packet, quote.at + quote.header + header)?;
        let id = self.conns.request(&inner.flow(packet)?)?;
        let conn = self.conns.get(id);
        (conn.method == Method::Tun && conn.server.address == quote.destination).then_some((id, inner))
    }

    /// About an outer packet of this director: the client is told about the inner one, from the VIP.
    fn icmp_of_tunnel(
        &mut self,
        id: ConnId,
        mut packet: Packet,
        quote: &Quote,
        inner: &Quote,
        tables: &mut Tables,
        cx: &mut Cx,
    ) -> Verdict {
        if !is_sound(&packet) {
            return Verdict::Drop(packet, Why::BadTransportChecksum);
        }
        let conn = self.conns.get(id);
        let (server, client, vip) = (conn.server.address, conn.client.address, conn.virtual_.address);
        let mut mtu = 0;
        if (quote.kind, quote.code) == (3, 4) {
            let least = self.learn_mtu(server, quote.mtu, tables, cx);
            if !inner.dont_fragment {
                return Verdict::Drop(packet, Why::IcmpTaken { kind: 3, code: 4 });
            }
            let overhead = (inner.at - quote.at) as u32;
            mtu = if least > 68 + overhead { least - overhead } else { least };
        }
        packet.buffer_mut().strip(inner.at);
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        let error = IcmpError { kind: quote.kind, code: quote.code, mtu, source: Some(vip) };
        Verdict::Reject(packet, error, Why::IpvsIcmp { kind: quote.kind, to: client })
    }

    /// Notes what the way to a server carries; the MTU of the route from here on.
    fn learn_mtu(&self, server: Ipv4Addr, mtu: u32, tables: &mut Tables, cx: &mut Cx) -> u32 {
        super::forward::learn_mtu(server, mtu, tables, cx)
    }
}

impl Quote {
    /// The quote of an ICMP error; none for other ICMP, and for quotes of later fragments.
    fn of(packet: &Packet) -> Option<Quote> {
        let icmp = packet.payload();
        let kind = *icmp.first()?;
        if !matches!(kind, 3 | 4 | 11) || icmp.len() < ICMP_HEADER {
            return None;
        }
        let at = packet.bytes().len() - icmp.len() + ICMP_HEADER;
        let quote = Quote::header(packet, at)?;
        let mtu = u32::from(u16::from_be_bytes([icmp[6], icmp[7]]));
        Some(Quote { kind, code: icmp[1], mtu, ..quote })
    }

    /// The IPv4 header at `at`, which may be followed by less than it says.
    fn header(packet: &Packet, at: usize) -> Option<Quote> {
        let bytes = packet.bytes().get(at..).filter(|bytes| bytes.len() >= 20)?;
        let ip = Ipv4Packet::new_unchecked(bytes);
        let header = usize::from(ip.header_len());
        if ip.version() != 4 || header < 20 || bytes.len() < header {
            return None;
        }
        Some(Quote {
            kind: 0,
            code: 0,
            mtu: 0,
            at,
            header,
            source: ip.src_addr(),
            destination: ip.dst_addr(),
            protocol: ip.next_header(),
            dont_fragment: ip.dont_frag(),
            is_first: ip.frag_offset() == 0,
        })
    }

    /// The quoted packet's flow.
    fn flow(&self, packet: &Packet) -> Option<Flow> {
        let payload = packet.bytes().get(self.at + self.header..)?;
        self.is_first.then(|| Flow::of_parts(self.source, self.destination, self.protocol, payload))?
    }
}

/// Whether the ICMP checksum is right: an error that came broken is not turned.
fn is_sound(packet: &Packet) -> bool {
    let sum: u32 = packet
        .payload()
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .fold(0, |sum, word| {
            let sum = sum + word;
            (sum & 0xffff) + (sum >> 16)
        });
    sum == 0xffff
}
