//! `traceroute`: probes with a small TTL, so that each router on the way must say that it has run out.
//!
//! ```text
//!   TTL 1: three probes ─► ICMP time exceeded from the first router
//!   TTL 2: three probes ─► … from the second          the target itself answers: the end
//! ```
//! Sixteen probes are under way at once, as with the real one; lines are printed in the order of hops.

use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{RawPayload, Sys};
use crate::wire::checksum;
use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};
use std::net::Ipv4Addr;

/// What the probes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Datagrams to ports where nobody listens, one further each time.
    Udp,
    /// Echo requests (`-I`).
    Icmp,
    /// SYNs (`-T`).
    Tcp,
}

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The host as typed.
    pub host: String,
    /// Its address.
    pub target: Ipv4Addr,
    /// The probes.
    pub probe: Probe,
    /// `-f`: the first TTL.
    pub first: u8,
    /// `-m`: the last TTL.
    pub hops: u8,
    /// `-q`: probes per hop.
    pub each: u8,
    /// `-w`: how long an answer may take.
    pub patience: Duration,
    /// `-p`: the (first) port.
    pub port: u16,
    /// `-s`: the source.
    pub source: Option<Ipv4Addr>,
    /// `-n`: addresses once, not twice.
    pub numeric: bool,
}

/// The process.
#[derive(Debug)]
pub struct Traceroute {
    options: Options,
    sockets: Option<(SocketId, SocketId)>,
    identifier: u16,
    probes: Vec<Sent>,
    shown_hops: usize,
    text: String,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    from: Ipv4Addr,
    took: Duration,
    mark: &'static str,
    /// Nothing lies behind who sent this.
    last: bool,
}

/// Probes under way at once.
const UNDER_WAY: usize = 16;
/// Octets of a probe with its IPv4 header.
const LENGTH: usize = 60;
const IPV4_HEADER: usize = 20;
/// The first port of TCP probes' sources.
const TCP_SOURCES: u16 = 33_000;

impl Traceroute {
    /// A trace that begins when its process does.
    pub fn new(options: Options) -> Self {
        let text = format!(
            "traceroute to {} ({}), {} hops max, {LENGTH} byte packets\n",
            options.host, options.target, options.hops
        );
        Traceroute { options, sockets: None, identifier: 0, probes: Vec::new(), shown_hops: 0, text }
    }

    /// The sockets for probes and for ICMP; the same for echo requests.
    fn start(&mut self, sys: &mut Sys) -> (SocketId, SocketId) {
        let icmp = sys.raw(IpProtocol::Icmp.into());
        let probes = match self.options.probe {
            Probe::Icmp => icmp,
            Probe::Udp => sys.raw(IpProtocol::Udp.into()),
            Probe::Tcp => sys.raw(IpProtocol::Tcp.into()),
        };
        self.identifier = sys.pid.0 as u16;
        *self.sockets.insert((probes, icmp))
    }

    fn probes_max(&self) -> usize {
        usize::from(self.options.hops + 1 - self.options.first) * usize::from(self.options.each)
    }

    /// Sends as many probes as may be under way.
    fn ask(&mut self, socket: SocketId, sys: &mut Sys) -> Result<(), String> {
        let end = self.last_hop().map_or(self.probes_max(), |hop| (hop + 1) * usize::from(self.options.each));
        loop {
            let waits = |probe: &&Sent| probe.answer.is_none() && probe.at + self.options.patience > sys.cx.now;
            if self.probes.len() >= end || self.probes.iter().filter(waits).count() >= UNDER_WAY {
                return Ok(());
            }
            let number = self.probes.len();
            let ttl = self.options.first + (number / usize::from(self.options.each)) as u8;
            let source = self.options.source.or_else(|| {
                let tables = &sys.kernel.tables;
                let route = tables.routes.lookup(self.options.target, None, 0, &tables.interfaces);
                route.ok().map(|route| route.source)
            });
            let data = &self.payload(number as u16, source.unwrap_or(Ipv4Addr::UNSPECIFIED), sys);
            let (source, to) = (self.options.source, self.options.target);
            let payload = RawPayload { source, to, ttl: Some(ttl), stays_whole: false, data };
            sys.raw_send(socket, &payload).map_err(|error| format!("connect: {error}\n"))?;
            self.probes.push(Sent { at: sys.now(), answer: None });
        }
    }

    fn payload(&self, number: u16, source: Ipv4Addr, sys: &mut Sys) -> Vec<u8> {
        let (source, target) = (source.into(), self.options.target.into());
        let mut bytes = vec![0; LENGTH - IPV4_HEADER];
        match self.options.probe {
            Probe::Icmp => {
                bytes[0] = 8;
                bytes[4..6].copy_from_slice(&self.identifier.to_be_bytes());
                bytes[6..8].copy_from_slice(&(number + 1).to_be_bytes());
                let sum = !checksum::sum(&bytes);
                bytes[2..4].copy_from_slice(&sum.to_be_bytes());
            }
            Probe::Udp => {
                let length = bytes.len() as u16;
                let mut udp = UdpPacket::new_unchecked(&mut bytes);
                udp.set_src_port(32_768 | self.identifier);
                udp.set_dst_port(self.options.port.wrapping_add(number));
                udp.set_len(length);
                udp.fill_checksum(&source, &target);
            }
            Probe::Tcp => {
                bytes[12] = 0xa0;
                let mut tcp = TcpPacket::new_unchecked(&mut bytes);
                tcp.set_src_port(TCP_SOURCES.wrapping_add(number));
                tcp.set_dst_port(self.options.port);
                tcp.set_seq_number(smoltcp::wire::TcpSeqNumber(sys.cx.rng.u32() as i32));
                tcp.set_syn(true);
                tcp.set_window_len(5_840);
                // Three options of no operation fill the header up.
                bytes[20..40].fill(1);
                TcpPacket::new_unchecked(&mut bytes).fill_checksum(&source, &target);
            }
        }
        bytes
    }

    /// Which probe a packet answers, and what it says.
    fn read(&self, packet: &[u8]) -> Option<(usize, &'static str, bool, Ipv4Addr)> {
        let ip = Ipv4Packet::new_checked(packet).ok()?;
        let from = ip.src_addr();
        if ip.next_header() == IpProtocol::Tcp && self.options.probe == Probe::Tcp {
            let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
            let number = tcp.dst_port().checked_sub(TCP_SOURCES)?;
            let is_it = from == self.options.target && tcp.src_port() == self.options.port;
            return is_it.then_some((number.into(), "", true, from));
        }
        if ip.next_header() != IpProtocol::Icmp {
            return None;
        }
        let icmp = Icmpv4Packet::new_checked(ip.payload()).ok()?;
        let (kind, code): (u8, u8) = (icmp.msg_type().into(), icmp.msg_code());
        if kind == 0 && self.options.probe == Probe::Icmp {
            let is_it = icmp.echo_ident() == self.identifier;
            return is_it.then_some((usize::from(icmp.echo_seq_no()).checked_sub(1)?, "", true, from));
        }
        let quoted = Ipv4Packet::new_unchecked(ip.payload().get(8..)?);
        let inner = ip.payload().get(8 + usize::from(ip.payload().get(8)? & 0x0f) * 4..)?;
        if quoted.dst_addr() != self.options.target {
            return None;
        }
        let number = match (quoted.next_header(), self.options.probe) {
            (IpProtocol::Udp, Probe::Udp) if word(inner, 0)? == 32_768 | self.identifier => {
                word(inner, 2)?.wrapping_sub(self.options.port)
            }
            (IpProtocol::Tcp, Probe::Tcp) => word(inner, 0)?.wrapping_sub(TCP_SOURCES),
            (IpProtocol::Icmp, Probe::Icmp) if word(inner, 4)? == self.identifier => word(inner, 6)?.wrapping_sub(1),
            _ => return None,
        };
        let (mark, last) = match (kind, code) {
            (11, _) => ("", false),
            (3, 3) => ("", true),
            (3, 0) => (" !N", true),
            (3, 1) => (" !H", true),
            (3, 2) => (" !P", true),
            (3, 4) => (" !F", true),
            (3, 9 | 10 | 13) => (" !X", true),
            (3, _) => (" !U", true),
            _ => return None,
        };
        Some((number.into(), mark, last, from))
    }

    fn listen(&mut self, socket: SocketId, sys: &mut Sys) {
        while let Some(packet) = sys.raw_recv(socket) {
            let Some((number, mark, last, from)) = self.read(&packet) else { continue };
            let now = sys.now();
            let patience = self.options.patience;
            if let Some(probe) = self.probes.get_mut(number).filter(|probe| probe.answer.is_none()) {
                let took = now.since(probe.at);
                if took <= patience {
                    probe.answer = Some(Answer { from, took, mark, last });
                }
            }
        }
    }

    /// The hop (from 0) where the way ends, as far as known.
    fn last_hop(&self) -> Option<usize> {
        let number = self.probes.iter().position(|probe| probe.answer.is_some_and(|answer| answer.last))?;
        Some(number / usize::from(self.options.each))
    }

    /// Prints the hops whose probes were answered or given up; whether that was the last.
    fn show(&mut self, now: Instant) -> bool {
        let each = usize::from(self.options.each);
        loop {
            let begin = self.shown_hops * each;
            let Some(hop) = self.probes.get(begin..begin + each) else { return false };
            if hop.iter().any(|probe| probe.answer.is_none() && probe.at + self.options.patience > now) {
                return false;
            }
            self.text += &format!("{:>2} ", usize::from(self.options.first) + self.shown_hops);
            let mut before = None;
            for probe in hop {
                let Some(answer) = probe.answer else {
                    self.text += " *";
                    continue;
                };
                if before != Some(answer.from) {
                    let from = answer.from;
                    self.text += &if self.options.numeric { format!(" {from}") } else { format!(" {from} ({from})") };
                    before = Some(answer.from);
                }
                let micros = answer.took.nanos() / 1_000;
                self.text += &format!("  {}.{:03} ms{}", micros / 1_000, micros % 1_000, answer.mark);
            }
            self.text.push('\n');
            let is_last = hop.iter().any(|probe| probe.answer.is_some_and(|answer| answer.last));
            self.shown_hops += 1;
            if is_last || self.shown_hops * each >= self.probes_max() {
                return true;
            }
        }
    }
}

impl Process for Traceroute {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let (probes, icmp) = match self.sockets {
            Some(sockets) => sockets,
            None => self.start(sys),
        };
        self.listen(icmp, sys);
        if probes != icmp {
            self.listen(probes, sys);
        }
        let asked = self.ask(probes, sys);
        let is_over = self.show(sys.now());
        // Nobody reads it any more: then nobody misses it.
        let _unread = sys.write(Fd::STDOUT, self.text.as_bytes());
        self.text.clear();
        if let Err(problem) = asked {
            let _unread = sys.write(Fd::STDERR, problem.as_bytes());
            return Next::Exit(1);
        }
        if is_over {
            return Next::Exit(0);
        }
        let given_up = self.probes.iter().filter(|probe| probe.answer.is_none());
        let until = given_up.map(|probe| probe.at + self.options.patience).filter(|at| *at > sys.now()).min();
        Next::Wait(Wait { until, any: vec![On::Socket(icmp), On::Socket(probes)] })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}
