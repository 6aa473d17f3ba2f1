//! ICMP of this host: echo, what errors mean for its own flows, and the errors it sends (RFC 792, RFC 1122 section
//! 3.2.2). Follows Linux `net/ipv4/icmp.c`.
//!
//! # Not modelled
//! Timestamp requests are not answered; redirects are sent, but taken note of only and not followed.

use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::kernel::Kernel;
use crate::kernel::path;
use crate::tables::sysctl::Hot;
use crate::tables::verdict::IcmpError;
use crate::trace::record::RouteKind;
use crate::trace::{Stage, Why};
use crate::wire::flow::Flow;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet};
use std::net::Ipv4Addr;

/// How fast this host may send errors to one destination (`icmp_ratelimit`, `icmp_ratemask`; Linux
/// `inet_peer_xrlim_allow`): a token per interval, at most six saved.
#[derive(Debug, Default)]
pub struct Limits {
    saved: Lookup<Ipv4Addr, Saved>,
}

/// Linux keeps all three uses in one `inet_peer`, so that they share the tokens.
#[derive(Clone, Copy, Debug)]
struct Saved {
    at: Instant,
    tokens: Duration,
    redirects: u32,
}

const HEADER: usize = 20;
const ICMP_HEADER: usize = 8;
/// RFC 1812, section 4.3.2.3: as much of the packet as fits in 576 octets.
const ERROR_MAX: usize = 576;
const BURST: u64 = 6;
/// Errors of the routing decision (Linux `ip_rt_error_cost`, `ip_rt_error_burst`).
const ROUTE_ERROR_COST: Duration = Duration::from_secs(1);
const ROUTE_ERROR_BURST: u64 = 5;
/// Redirects to one host (Linux `ip_rt_redirect_load`, `_number`, `_silence`): each waits twice as long as the one
/// before, nine at most, until there was no cause for one for 20.48 s.
const REDIRECT_LOAD: Duration = Duration::from_millis(20);
const REDIRECTS_MAX: u32 = 9;
const REDIRECT_SILENCE: Duration = Duration::from_millis(20_480);
const DESTINATIONS_MAX: usize = 65_536;
/// RFC 1812, section 4.3.2.5: internetwork control.
const PRECEDENCE: u8 = 0xc0;

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER: u8 = 12;

/// A message for this host. Raw sockets have had their copy.
pub(super) fn receive(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) {
    cx.stage = Stage::Icmp;
    let (kind, code) = match Icmpv4Packet::new_checked(packet.payload()) {
        Err(_) => return end(packet, Why::Malformed, cx),
        Ok(icmp) if !icmp.verify_checksum() => return end(packet, Why::BadTransportChecksum, cx),
        Ok(icmp) => (u8::from(icmp.msg_type()), icmp.msg_code()),
    };
    match kind {
        ECHO_REQUEST if ignores_echo(kernel, &packet) => return end(packet, Why::IcmpTaken { kind, code }, cx),
        ECHO_REQUEST => answer_echo(kernel, &packet, out, cx),
        UNREACHABLE | QUENCH | TIME_EXCEEDED | PARAMETER => {
            cx.note(Why::IcmpTaken { kind, code });
            learn(kernel, &packet, kind, code, cx);
        }
        _ => cx.note(Why::IcmpTaken { kind, code }),
    }
    cx.recycle(packet.into_buffer());
}

/// Sends an ICMP error about a packet, unless none may be sent (RFC 1122, section 3.2.2) or the rate limit holds.
pub(crate) fn send_error(kernel: &mut Kernel, about: &Packet, error: IcmpError, out: &mut Outbox, cx: &mut Cx) {
    cx.stage = Stage::Icmp;
    let to = about.header().src_addr();
    if !may_tell(kernel, about) || !kernel.path.icmp_limits.allow(kernel.tables.sysctl.hot(), error.kind, to, cx.now) {
        return cx.note(Why::IcmpSuppressed);
    }
    let [high, low] = error.mtu.to_be_bytes();
    tell(kernel, about, error, [0, 0, high, low], out, cx);
}

/// Tells the sender of a packet that it should have sent it to `gateway` itself.
pub(super) fn redirect(kernel: &mut Kernel, about: &Packet, gateway: Ipv4Addr, out: &mut Outbox, cx: &mut Cx) {
    if !may_tell(kernel, about) || !kernel.path.icmp_limits.allow_redirect(about.ip().src_addr(), cx.now) {
        return;
    }
    let circumstances = cx.context();
    cx.stage = Stage::Icmp;
    let error = IcmpError { kind: REDIRECT, code: 1, mtu: 0, source: None };
    tell(kernel, about, error, gateway.octets(), out, cx);
    cx.resume(circumstances);
}

fn tell(kernel: &mut Kernel, about: &Packet, error: IcmpError, rest: [u8; 4], out: &mut Outbox, cx: &mut Cx) {
    let to = about.ip().src_addr();
    let Some(source) = error.source.or_else(|| source_of(kernel, about)) else {
        return cx.note(Why::IcmpSuppressed);
    };
    let room = ERROR_MAX - HEADER - ICMP_HEADER;
    let quoted = &about.bytes()[..about.bytes().len().min(room)];
    let mut buffer = cx.new_buffer(HEADER + ICMP_HEADER + quoted.len());
    let bytes = buffer.bytes_mut();
    let icmp = &mut bytes[HEADER..];
    icmp[0] = error.kind;
    icmp[1] = error.code;
    icmp[4..8].copy_from_slice(&rest);
    icmp[ICMP_HEADER..].copy_from_slice(quoted);
    Icmpv4Packet::new_unchecked(icmp).fill_checksum();
    let service = about.bytes()[1] & 0x1e | PRECEDENCE;
    write_header(kernel, bytes, source, to, service);
    cx.note(Why::IcmpSent { kind: error.kind, code: error.code, to });
    buffer.cause = cx.cause;
    send(kernel, Packet::new(buffer), out, cx);
}

/// Nobody answered for the next hop of these packets: their senders are told.
pub(super) fn host_unreachable(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) {
    let error = IcmpError { kind: UNREACHABLE, code: 1, mtu: 0, source: None };
    if packet.iif.is_none() {
        // This host's own packet: its socket is told without a frame.
        if let Some(flow) = Flow::of(&packet) {
            kernel.sockets.icmp_error(flow, error.kind, error.code, 0, cx);
        }
    }
    send_error(kernel, &packet, error, out, cx);
    cx.recycle(packet.into_buffer());
}

fn answer_echo(kernel: &mut Kernel, request: &Packet, out: &mut Outbox, cx: &mut Cx) {
    cx.note(Why::EchoAnswered);
    let ip = request.ip();
    let (from, asked) = (ip.src_addr(), ip.dst_addr());
    let source = if kernel.tables.interfaces.local(asked).is_some() || asked.is_loopback() {
        Some(asked)
    } else {
        kernel.tables.routes.lookup(from, None, 0, &kernel.tables.interfaces).ok().map(|route| route.source)
    };
    let Some(source) = source else { return cx.note(Why::IcmpSuppressed) };
    let message = request.payload();
    let mut buffer = cx.new_buffer(HEADER + message.len());
    let bytes = buffer.bytes_mut();
    bytes[HEADER..].copy_from_slice(message);
    bytes[HEADER] = ECHO_REPLY;
    Icmpv4Packet::new_unchecked(&mut bytes[HEADER..]).fill_checksum();
    write_header(kernel, bytes, source, from, request.bytes()[1]);
    buffer.cause = cx.cause;
    send(kernel, Packet::new(buffer), out, cx);
}

fn send(kernel: &mut Kernel, packet: Packet, out: &mut Outbox, cx: &mut Cx) {
    let circumstances = cx.context();
    cx.packet = packet.buffer().packet;
    path::send(kernel, packet, out, cx);
    cx.resume(circumstances);
}

fn write_header(kernel: &mut Kernel, bytes: &mut [u8], source: Ipv4Addr, to: Ipv4Addr, service: u8) {
    let length = bytes.len() as u16;
    let identification = kernel.path.next_identification();
    let mut ip = Ipv4Packet::new_unchecked(bytes);
    ip.set_version(4);
    ip.set_header_len(HEADER as u8);
    ip.set_dscp(service >> 2);
    ip.set_ecn(service & 3);
    ip.set_total_len(length);
    ip.set_ident(identification);
    ip.clear_flags();
    ip.set_frag_offset(0);
    ip.set_hop_limit(kernel.tables.sysctl.hot().default_ttl);
    ip.set_next_header(IpProtocol::Icmp);
    ip.set_src_addr(source);
    ip.set_dst_addr(to);
    ip.fill_checksum();
}

/// An error about one of this host's own packets: its path MTU and its socket.
fn learn(kernel: &mut Kernel, packet: &Packet, kind: u8, code: u8, cx: &mut Cx) {
    let icmp = packet.payload();
    let Some(quoted) = icmp.get(ICMP_HEADER..).filter(|quoted| quoted.len() >= HEADER) else { return };
    let ip = Ipv4Packet::new_unchecked(quoted);
    let header = usize::from(ip.header_len());
    if ip.version() != 4 || header < HEADER || quoted.len() < header {
        return;
    }
    let mtu = u16::from_be_bytes([icmp[6], icmp[7]]);
    let mut mtu_now = u32::from(mtu);
    let is_ours = kernel.tables.routes.local_kind(ip.src_addr()) == Some(RouteKind::Local);
    if (kind, code) == (UNREACHABLE, 4) && is_ours {
        let destination = ip.dst_addr();
        let learned = kernel.tables.routes.learn_mtu(destination, u32::from(mtu), cx.now, &kernel.tables.interfaces);
        if let Some(learned) = learned {
            mtu_now = learned;
            cx.note(Why::PathMtuLearned { destination, mtu: learned });
        }
    }
    if let Some(flow) = Flow::of_parts(ip.src_addr(), ip.dst_addr(), ip.next_header(), &quoted[header..]) {
        kernel.sockets.icmp_error(flow, kind, code, mtu_now, cx);
    }
}

fn ignores_echo(kernel: &Kernel, packet: &Packet) -> bool {
    let hot = kernel.tables.sysctl.hot();
    let to_many = packet.broadcast || packet.ip().dst_addr().is_multicast();
    hot.echo_ignore_all || to_many && hot.echo_ignore_broadcasts
}

/// Whether an error may be sent about a packet: not about errors, later fragments, or what went to or came from many.
fn may_tell(kernel: &Kernel, about: &Packet) -> bool {
    let ip = about.header();
    let (source, destination) = (ip.src_addr(), ip.dst_addr());
    let from_one = !source.is_multicast() && !source.is_broadcast() && source.octets()[0] != 0;
    let to_one = !about.broadcast && !destination.is_multicast() && !destination.is_broadcast();
    let is_error = ip.next_header() == IpProtocol::Icmp
        && !matches!(about.payload().first(), Some(&(ECHO_REPLY | ECHO_REQUEST | 13..=18)));
    let broadcast_route = kernel.tables.routes.local_kind(destination) == Some(RouteKind::Broadcast);
    from_one && to_one && !broadcast_route && !is_error && ip.frag_offset() == 0
}

/// The packet's own destination if it came in for that, else (it was forwarded, or IPVS sent it on) the address of the
/// way back.
fn source_of(kernel: &Kernel, about: &Packet) -> Option<Ipv4Addr> {
    let destination = about.header().dst_addr();
    if about.iif.is_some() && !about.by_ipvs && kernel.tables.interfaces.local(destination).is_some() {
        return Some(destination);
    }
    let back = kernel.tables.routes.lookup(about.header().src_addr(), None, 0, &kernel.tables.interfaces);
    back.ok().map(|route| route.source)
}

fn end(packet: Packet, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
}

impl Limits {
    fn allow(&mut self, hot: &Hot, kind: u8, to: Ipv4Addr, now: Instant) -> bool {
        let interval = Duration::from_millis(hot.icmp_ratelimit_ms);
        let limited = kind < 32 && hot.icmp_ratemask & (1 << kind) != 0;
        if !limited || interval == Duration::ZERO || to.is_loopback() {
            return true;
        }
        self.of(to, now).take(interval, interval.times(BURST), now)
    }

    /// Whether an error about a missing or refusing route may be sent (`ip_error`).
    pub(super) fn allow_route_error(&mut self, to: Ipv4Addr, now: Instant) -> bool {
        self.of(to, now).take(ROUTE_ERROR_COST, ROUTE_ERROR_COST.times(ROUTE_ERROR_BURST), now)
    }

    fn allow_redirect(&mut self, to: Ipv4Addr, now: Instant) -> bool {
        let saved = self.of(to, now);
        if now.since(saved.at) > REDIRECT_SILENCE {
            (saved.tokens, saved.redirects) = (Duration::ZERO, 0);
        }
        if saved.redirects >= REDIRECTS_MAX {
            saved.at = now;
            return false;
        }
        let pause = REDIRECT_LOAD.times(1 << saved.redirects);
        if saved.redirects > 0 && now.since(saved.at) <= pause {
            return false;
        }
        saved.at = now;
        saved.redirects += 1;
        true
    }

    fn of(&mut self, to: Ipv4Addr, now: Instant) -> &mut Saved {
        if self.saved.len() >= DESTINATIONS_MAX && !self.saved.contains(&to) {
            self.saved.clear();
        }
        self.saved.get_or_insert_with(to, || Saved { at: now, tokens: LONG_AGO, redirects: 0 })
    }
}

impl Saved {
    /// Takes what one message costs, if so much was saved since the last one; never more than `most` is.
    fn take(&mut self, cost: Duration, most: Duration, now: Instant) -> bool {
        let now = Instant::from_nanos(now.nanos() / JIFFY_NS * JIFFY_NS);
        self.tokens = (self.tokens + now.since(self.at)).min(most);
        self.at = now;
        let allowed = self.tokens >= cost;
        if allowed {
            self.tokens = self.tokens - cost;
        }
        allowed
    }
}

/// Linux counts the time here in ticks of its clock, 250 a second.
const JIFFY_NS: u64 = 4_000_000;
/// A destination that is new counts as not written to for a minute.
const LONG_AGO: Duration = Duration::from_secs(60);
