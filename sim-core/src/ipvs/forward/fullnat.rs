//! FULLNAT (`-b`): source and destination both change, in both directions. The real server sees the director as its
//! client, so its answers come back from any network and need no route, no gateway and no VIP; a TCP option (TOA) tells it
//! who the client is. Not in Linux: follows DPVS (`ip_vs_xmit.c`, `ip_vs_proto_tcp.c`).
//!
//! ```text
//!   client:cport → VIP:vport   ──►   LIP:lport → RIP:rport      in by INPUT, out by a route of LIP → RIP
//!   client:cport ← VIP:vport   ◄──   LIP:lport ← RIP:rport      in by INPUT, out by a route of VIP → client
//! ```
//! Many clients share one LIP:lport over time. So that the server does not take one for the other, each connection gets
//! an initial sequence number of the director's, which grows with time, and no time stamps. (TOA takes no sequence
//! numbers: options never do.)
//!
//! The TTL stays as it is: traceroute does not see the director.
//!
//! # Not modelled
//! SYN proxy, UOA (the client's address for UDP), the PROXY protocol, DPVS's setting `xmit_ttl`.

use super::{ForwardingMethod, Reserve, Way, note_forward};
use crate::ipvs::conn::{Conn, Crossing};
use crate::ipvs::local::TRIES_MAX;
use crate::ipvs::state::Flags;
use crate::tables::routes::Route;
use crate::tables::verdict::{IcmpError, Verdict, Xmit};
use crate::trace::Why;
use crate::trace::record::{Method, RouteKind};
use crate::trace::why::ToaCase;
use crate::wire::checksum;
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::wire::rewrite::{self, segment};
use crate::wire::toa::{self, Toa};
use crate::world::node::Cx;
use siphasher::sip::SipHasher13;
use smoltcp::wire::{IpProtocol, Ipv4Packet};
use std::hash::Hasher;
use std::net::Ipv4Addr;

/// A datagram shorter than its header has ports to be found by and none to be rewritten. (TCP was looked at before.)
const UDP_HEADER: usize = 8;
const IP_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
/// One pick in twenty leaves an address out, with schedulers that go round themselves: else addresses and servers could
/// go round in step, and each server would always see the same address.
const SKIPS_PERCENT: u64 = 5;
/// The clock behind initial sequence numbers ticks every 64 ns.
const TICK_SHIFT: u32 = 6;

/// FULLNAT.
#[derive(Debug)]
pub(super) struct FullNat;

impl ForwardingMethod for FullNat {
    fn bind(&self, conn: &mut Conn, from: &mut Reserve, cx: &mut Cx) -> Result<(), Why> {
        let local = take_local(conn.server, from, cx)?;
        from.pools.ports.hold(from.service, local.address);
        conn.crossing = Some(Box::new(Crossing {
            local,
            service: from.service,
            established: from.conn_timeout,
            delta: None,
            first_data: None,
            server_ack: 0,
            server_end: 0,
        }));
        Ok(())
    }

    fn release(&self, conn: &Conn, pools: &mut super::Pools) {
        if let Some(crossing) = &conn.crossing {
            pools.ports.give_back(crossing.local, conn.server);
            pools.ports.let_go(crossing.service, crossing.local.address);
        }
    }

    fn keys(&self, conn: &Conn) -> (Flow, Option<Flow>) {
        let request = conn.request_flow();
        (request, conn.local().map(|local| Flow { source: conn.server, destination: local, ..request }))
    }

    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let client = conn.client;
        let Some(crossing) = conn.crossing.as_deref_mut().filter(|_| packet.payload().len() >= UDP_HEADER) else {
            return Verdict::Drop(packet, Why::Malformed);
        };
        let (mut packet, route) = match leave(packet, crossing.local.address, conn.server.address, way) {
            Ok(left) => left,
            Err(verdict) => return verdict,
        };
        if let Some(flags) = conn.transport.and_then(|transport| Flags::of(&packet, transport)) {
            if flags.syn && !flags.ack {
                greet(&mut packet, crossing, conn.server, cx);
            }
            introduce(&mut packet, client, crossing.first_data, flags, route.mtu, cx);
            segment::shift_sequence(&mut packet, crossing.delta.unwrap_or(0));
        }
        let local = crossing.local;
        rewrite::set_source(&mut packet, local.address, Some(local.port));
        rewrite::set_destination(&mut packet, conn.server.address, Some(conn.server.port));
        note_forward(Method::FullNat, conn, cx);
        depart(packet, route)
    }

    fn reply(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let Some(crossing) = conn.crossing.as_deref_mut() else { return Verdict::Drop(packet, Why::Malformed) };
        let (mut packet, route) = match leave(packet, conn.virtual_.address, conn.client.address, way) {
            Ok(left) => left,
            Err(verdict) => return verdict,
        };
        rewrite::set_source(&mut packet, conn.virtual_.address, Some(conn.virtual_.port));
        rewrite::set_destination(&mut packet, conn.client.address, Some(conn.client.port));
        if let Some(flags) = conn.transport.and_then(|transport| Flags::of(&packet, transport)) {
            remember(&packet, crossing, flags);
            if flags.syn && flags.ack {
                if let Some((from, to)) = segment::lower_mss(&mut packet, toa::LENGTH as u16) {
                    cx.note(Why::MssLowered { from, to });
                }
                crossing.first_data = Some(numbers(&packet).0.wrapping_add(1));
            }
            segment::shift_acknowledgment(&mut packet, crossing.delta.unwrap_or(0));
        }
        cx.note(Why::IpvsReturned { client: conn.client.address, port: conn.client.port });
        depart(packet, route)
    }

    fn icmp_request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let Some(local) = conn.local() else { return Verdict::Drop(packet, Why::Malformed) };
        let (mut packet, route) = match leave(packet, local.address, conn.server.address, way) {
            Ok(left) => left,
            Err(verdict) => return verdict,
        };
        rewrite::set_source(&mut packet, local.address, None);
        rewrite::set_destination(&mut packet, conn.server.address, None);
        rewrite::set_quoted_source(&mut packet, conn.server.address, Some(conn.server.port), false);
        rewrite::set_quoted_destination(&mut packet, local.address, Some(local.port), false);
        note_forward(Method::FullNat, conn, cx);
        depart(packet, route)
    }

    fn icmp_reply(&self, packet: Packet, conn: &Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let (mut packet, route) = match leave(packet, conn.virtual_.address, conn.client.address, way) {
            Ok(left) => left,
            Err(verdict) => return verdict,
        };
        rewrite::set_source(&mut packet, conn.virtual_.address, None);
        rewrite::set_destination(&mut packet, conn.client.address, None);
        rewrite::set_quoted_source(&mut packet, conn.client.address, Some(conn.client.port), false);
        rewrite::set_quoted_destination(&mut packet, conn.virtual_.address, Some(conn.virtual_.port), false);
        if let Some(delta) = conn.crossing.as_ref().and_then(|crossing| crossing.delta) {
            rewrite::shift_quoted_sequence(&mut packet, delta.wrapping_neg());
        }
        cx.note(Why::IpvsReturned { client: conn.client.address, port: conn.client.port });
        depart(packet, route)
    }

    /// A connection that has said nothing for its whole time in ESTABLISHED is ended for both sides, since neither could
    /// reach the other any more.
    fn farewell(&self, conn: &Conn, cx: &mut Cx) -> Vec<Packet> {
        let Some(crossing) = conn.crossing.as_deref().filter(|_| conn.transport == Some(Transport::Tcp)) else {
            return Vec::new();
        };
        let to_server = (crossing.local, conn.server, crossing.server_ack);
        let to_client = (conn.virtual_, conn.client, crossing.server_end);
        let mut reset = |(from, to, sequence): (SocketAddr, SocketAddr, u32)| {
            let mut packet = reset(from, to, sequence, cx);
            cx.packet = packet.buffer().packet;
            cx.note(Why::IpvsReset { to: to.address, port: to.port });
            packet.buffer_mut().cause = cx.cause;
            packet
        };
        vec![reset(to_server), reset(to_client)]
    }
}

/// The next local address of the service that has a port left towards this server, and the port.
fn take_local(server: SocketAddr, from: &mut Reserve, cx: &mut Cx) -> Result<SocketAddr, Why> {
    let goes_round = from.scheduler.starts_with("rr") || from.scheduler.starts_with("wrr");
    let count = from.locals.len();
    for _ in 0..count.min(TRIES_MAX) {
        let skips = goes_round && count > 1 && cx.rng.below(100) < SKIPS_PERCENT;
        let Some(address) = from.locals.next(if skips { 2 } else { 1 }) else { break };
        match from.pools.ports.take(address, server, from.pools.lports) {
            Some(port) => {
                cx.note(Why::IpvsLocal { address, port, skips });
                return Ok(SocketAddr { address, port });
            }
            None => cx.note(Why::IpvsLocalFull { address, server: server.address }),
        }
    }
    Err(Why::IpvsNoLocal { addresses: count as u32 })
}

/// The common checks of both directions: is there a way, and does the packet fit? Nothing is changed yet, so that an
/// error goes to who sent it, about what was sent.
fn leave(mut packet: Packet, from: Ipv4Addr, to: Ipv4Addr, way: &Way) -> Result<(Packet, Route), Verdict> {
    let asked = packet.ip().dst_addr();
    let refusal = |kind, code, mtu| IcmpError { kind, code, mtu, source: Some(asked) };
    let route = match way.tables.routes.lookup(to, Some(from), packet.mark, &way.tables.interfaces) {
        Ok(route) => route,
        Err(why) => return Err(Verdict::Reject(packet, refusal(3, 1, 0), why)),
    };
    packet.by_ipvs = true;
    let length = packet.bytes().len() as u32;
    let is_icmp = packet.ip().next_header() == IpProtocol::Icmp;
    let goes_away = route.kind != RouteKind::Local;
    if goes_away && length > route.mtu && packet.ip().dont_frag() && !is_icmp {
        let mtu = u16::try_from(route.mtu).unwrap_or(u16::MAX);
        return Err(Verdict::Reject(packet, refusal(3, 4, mtu), Why::TooLong { length, mtu: route.mtu }));
    }
    Ok((packet, route))
}

fn depart(packet: Packet, route: Route) -> Verdict {
    match route.kind {
        RouteKind::Local => Verdict::Accept(packet),
        _ => Verdict::Stolen(Xmit { packet, route }),
    }
}

/// What happens to a client's SYN: no time stamps, and another sequence number, the same if it comes again.
fn greet(packet: &mut Packet, crossing: &mut Crossing, server: SocketAddr, cx: &mut Cx) {
    if segment::blank_timestamps(packet) {
        cx.note(Why::TimestampsRemoved);
    }
    if crossing.delta.is_none() {
        let first = initial_sequence(crossing.local, server, cx);
        crossing.delta = Some(first.wrapping_sub(numbers(packet).0));
        cx.note(Why::IpvsSequence { first });
    }
}

/// Tells the server who the client is, in every segment that acknowledges nothing but the server's SYN.
fn introduce(packet: &mut Packet, client: SocketAddr, first_data: Option<u32>, flags: Flags, mtu: u32, cx: &mut Cx) {
    let case = match first_data {
        _ if flags.syn => Some(ToaCase::Syn),
        _ if flags.rst => Some(ToaCase::Reset),
        Some(first) if numbers(packet).1 == first => None,
        Some(_) | None => Some(ToaCase::Known),
    };
    if let Some(case) = case {
        return cx.note(Why::ToaNotDue { case });
    }
    let mut obstacle = obstacle(packet, mtu);
    if obstacle.is_some() {
        let octets = segment::prune_options(packet, toa::LENGTH);
        if octets > 0 {
            cx.note(Why::ToaPruned { octets: octets as u8 });
        }
        if octets >= toa::LENGTH {
            obstacle = self::obstacle(packet, mtu);
        }
    }
    match obstacle {
        Some(why) => cx.note(why),
        None => {
            segment::insert_option(packet, &Toa { client }.emit());
            cx.note(Why::ToaAdded { client: client.address, port: client.port });
        }
    }
}

/// Why there is no place for the option, if there is none.
fn obstacle(packet: &Packet, mtu: u32) -> Option<Why> {
    let length = packet.bytes().len() as u32;
    if length + toa::LENGTH as u32 > mtu {
        return Some(Why::ToaTooLong { length, mtu });
    }
    let room = segment::room(packet);
    (room < toa::LENGTH).then_some(Why::ToaNoRoom { room: room as u8 })
}

/// Notes how far the server is, for a reset that may have to be sent. An older segment changes nothing.
fn remember(packet: &Packet, crossing: &mut Crossing, flags: Flags) {
    let (sequence, ack) = numbers(packet);
    let is_older = (ack.wrapping_sub(crossing.server_ack) as i32) < 0 && crossing.server_ack != 0;
    if flags.rst || is_older {
        return;
    }
    let header = usize::from(packet.payload()[12] >> 4) * 4;
    let payload = packet.payload().len().saturating_sub(header) as u32;
    let length = if flags.syn { 1 } else { payload };
    (crossing.server_ack, crossing.server_end) = (ack, sequence.wrapping_add(length));
}

/// Sequence and acknowledgment number of a segment whose header is whole.
fn numbers(packet: &Packet) -> (u32, u32) {
    let tcp = packet.payload();
    let number = |at: usize| u32::from_be_bytes([tcp[at], tcp[at + 1], tcp[at + 2], tcp[at + 3]]);
    (number(4), number(8))
}

/// The same two ends get a number that grows with time; different ones start apart.
fn initial_sequence(local: SocketAddr, server: SocketAddr, cx: &Cx) -> u32 {
    let mut hasher = SipHasher13::new_with_keys(u64::from(cx.node.0), 0x6675_6c6c_6e61_7400);
    for end in [local, server] {
        hasher.write_u32(end.address.to_bits());
        hasher.write_u16(end.port);
    }
    (hasher.finish() as u32).wrapping_add((cx.now.nanos() >> TICK_SHIFT) as u32)
}

/// A segment of the director's own: RST alone.
fn reset(from: SocketAddr, to: SocketAddr, sequence: u32, cx: &mut Cx) -> Packet {
    const LENGTH: usize = IP_HEADER + TCP_HEADER;
    let mut buffer = cx.new_buffer(LENGTH);
    let bytes = buffer.bytes_mut();
    let mut ip = Ipv4Packet::new_unchecked(&mut *bytes);
    ip.set_version(4);
    ip.set_header_len(IP_HEADER as u8);
    ip.set_total_len(LENGTH as u16);
    ip.set_dont_frag(true);
    ip.set_hop_limit(64);
    ip.set_next_header(IpProtocol::Tcp);
    ip.set_src_addr(from.address);
    ip.set_dst_addr(to.address);
    ip.fill_checksum();
    let tcp = &mut bytes[IP_HEADER..];
    tcp[0..2].copy_from_slice(&from.port.to_be_bytes());
    tcp[2..4].copy_from_slice(&to.port.to_be_bytes());
    tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
    tcp[12] = (TCP_HEADER as u8 / 4) << 4;
    tcp[13] = 4;
    let sum = !checksum::transport_sum(from.address, to.address, 6, tcp);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut packet = Packet::new(buffer);
    packet.by_ipvs = true;
    packet
}
