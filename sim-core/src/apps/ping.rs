//! `ping`: ICMP echo requests and what comes back (iputils).
//!
//! # Not modelled
//! Names other than those of `/etc/hosts`, flooding, record route, broadcast addresses.

use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::{RawPayload, SocketError, Sys};
use crate::trace::record::EchoRecord;
use crate::trace::recorder::Change;
use crate::wire::echo;
use smoltcp::wire::{Icmpv4DstUnreachable, Icmpv4Message, Icmpv4Packet, Ipv4Packet};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The destination as typed.
    pub target: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// `-c`: stop after so many.
    pub count: Option<u64>,
    /// `-i`: from one to the next.
    pub interval: Duration,
    /// `-W`: how long to wait for the last answer.
    pub timeout: Option<Duration>,
    /// `-w`: stop after so long.
    pub deadline: Option<Duration>,
    /// `-s`: octets after the ICMP header.
    pub size: u16,
    /// `-t`: TTL; none is the host's default.
    pub ttl: Option<u8>,
    /// `-I`: source address.
    pub source: Option<Ipv4Addr>,
    /// `-M do`: never in fragments.
    pub whole: bool,
    /// `-q`: the summary only.
    pub quiet: bool,
}

/// The process.
#[derive(Debug)]
pub struct Ping {
    options: Options,
    socket: Option<SocketId>,
    identifier: u16,
    started: Instant,
    last_sent: Instant,
    sent: u64,
    received: u64,
    duplicates: u64,
    errors: u64,
    waiting: BTreeMap<u16, Asked>,
    round_trips: RoundTrips,
}

/// An echo request that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Instant,
    /// Its place among the trace's echoes.
    record: u32,
}

/// Round-trip times, in microseconds.
#[derive(Debug, Default)]
struct RoundTrips {
    min: u64,
    max: u64,
    sum: u64,
    sum_of_squares: u128,
}

const ICMP: u8 = 1;
const ICMP_HEADER: usize = 8;
const WAITING_MAX: usize = 65_536;
/// How long iputils waits for the last answer if `-W` does not say.
const LINGER: Duration = Duration::from_secs(10);

impl Ping {
    /// A ping that will ask this.
    pub fn new(options: Options) -> Self {
        Ping {
            options,
            socket: None,
            identifier: 0,
            started: Instant::ZERO,
            last_sent: Instant::ZERO,
            sent: 0,
            received: 0,
            duplicates: 0,
            errors: 0,
            waiting: BTreeMap::new(),
            round_trips: RoundTrips::default(),
        }
    }

    fn start(&mut self, sys: &mut Sys) -> SocketId {
        let socket = sys.raw(ICMP);
        self.socket = Some(socket);
        self.identifier = sys.pid.0 as u16;
        self.started = sys.now();
        let Options { target, address, size, .. } = &self.options;
        let from = self.options.source.map_or(String::new(), |source| format!(" from {source} :"));
        let whole = usize::from(*size) + ICMP_HEADER + 20;
        say(&format!("PING {target} ({address}){from} {size}({whole}) bytes of data.\n"), sys);
        socket
    }

    fn ask(&mut self, socket: SocketId, sys: &mut Sys) -> Result<(), Next> {
        let sequence = (self.sent + 1) as u16;
        let mut data: Vec<u8> = (0..self.options.size).map(|at| at as u8).collect();
        let stamp = sys.now().nanos().to_be_bytes();
        if let Some(place) = data.get_mut(..stamp.len()) {
            place.copy_from_slice(&stamp);
        }
        let message = echo::request(self.identifier, sequence, &data);
        let Options { address, source, ttl, whole, .. } = self.options;
        let payload = RawPayload { source, to: address, ttl, stays_whole: whole, data: &message };
        match sys.raw_send(socket, &payload) {
            Ok(()) => {}
            Err(SocketError::MessageTooLong) if whole => {
                let tables = &sys.kernel.tables;
                let mtu = tables.routes.lookup(address, None, 0, &tables.interfaces).map_or(0, |route| route.mtu);
                let text = format!("ping: local error: message too long, mtu={mtu}\n");
                let _unread = sys.write(Fd::STDERR, text.as_bytes());
                self.errors += 1;
            }
            Err(error) if self.sent == 0 => {
                let _unread = sys.write(Fd::STDERR, format!("ping: connect: {error}\n").as_bytes());
                return Err(Next::Exit(2));
            }
            Err(error) => {
                let _unread = sys.write(Fd::STDERR, format!("ping: sendmsg: {error}\n").as_bytes());
                self.errors += 1;
            }
        }
        self.sent += 1;
        self.last_sent = sys.now();
        if self.waiting.len() < WAITING_MAX {
            let record = sys.cx.pen.next_echo();
            self.waiting.insert(sequence, Asked { at: sys.now(), record });
            let node = sys.kernel.node;
            sys.cx.change(Change::EchoAsked(EchoRecord {
                node,
                target: address,
                sequence,
                asked: sys.now(),
                answered: None,
            }));
        }
        Ok(())
    }

    fn listen(&mut self, socket: SocketId, sys: &mut Sys) {
        while let Some(bytes) = sys.raw_recv(socket) {
            let Ok(ip) = Ipv4Packet::new_checked(&bytes[..]) else { continue };
            let Ok(icmp) = Icmpv4Packet::new_checked(ip.payload()) else { continue };
            match icmp.msg_type() {
                Icmpv4Message::EchoReply if icmp.echo_ident() == self.identifier => {
                    self.answered(ip.src_addr(), ip.hop_limit(), icmp.echo_seq_no(), ip.payload().len(), sys);
                }
                Icmpv4Message::DstUnreachable | Icmpv4Message::TimeExceeded => self.refused(ip.src_addr(), &icmp, sys),
                _ => {}
            }
        }
    }

    fn answered(&mut self, from: Ipv4Addr, ttl: u8, sequence: u16, length: usize, sys: &mut Sys) {
        let Some(asked) = self.waiting.remove(&sequence) else {
            self.duplicates += 1;
            self.print(&format!("{length} bytes from {from}: icmp_seq={sequence} ttl={ttl} (DUP!)\n"), sys);
            return;
        };
        sys.cx.change(Change::EchoAnswered(asked.record, sys.now()));
        let micros = sys.now().since(asked.at).nanos() / 1_000;
        self.received += 1;
        self.round_trips.add(micros, self.received);
        let time = shown_time(micros);
        self.print(&format!("{length} bytes from {from}: icmp_seq={sequence} ttl={ttl} time={time} ms\n"), sys);
    }

    fn refused(&mut self, from: Ipv4Addr, icmp: &Icmpv4Packet<&[u8]>, sys: &mut Sys) {
        let Ok(quoted) = Ipv4Packet::new_checked(icmp.data()).or_else(|_| {
            // The quotation may be cut short: its header is enough.
            let quoted = Ipv4Packet::new_unchecked(icmp.data());
            if icmp.data().len() >= 28 { Ok(quoted) } else { Err(()) }
        }) else {
            return;
        };
        let header = usize::from(quoted.header_len());
        let Some(echo) = icmp.data().get(header..header + ICMP_HEADER) else { return };
        let echo = Icmpv4Packet::new_unchecked(echo);
        if quoted.dst_addr() != self.options.address || echo.echo_ident() != self.identifier {
            return;
        }
        let text = match icmp.msg_type() {
            Icmpv4Message::TimeExceeded => "Time to live exceeded".to_owned(),
            _ => unreachable_text(icmp),
        };
        self.errors += 1;
        self.waiting.remove(&echo.echo_seq_no());
        self.print(&format!("From {from} icmp_seq={} {text}\n", echo.echo_seq_no()), sys);
    }

    fn print(&self, line: &str, sys: &mut Sys) {
        if !self.options.quiet {
            say(line, sys);
        }
    }

    /// When it is over: all asked for have come, or the waiting has been long enough.
    fn over_at(&self) -> Option<Instant> {
        let by_deadline = self.options.deadline.map(|limit| self.started + limit);
        let by_count = self.options.count.filter(|count| self.sent >= *count).map(|_| {
            if self.waiting.is_empty() {
                return self.last_sent;
            }
            let wait = self.options.timeout.unwrap_or(match self.received {
                0 => LINGER,
                _ => Duration::from_micros(self.round_trips.max * 2).max(self.options.interval),
            });
            self.last_sent + wait
        });
        match (by_deadline, by_count) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn finish(&self, sys: &mut Sys) -> Next {
        let mut text = format!("\n--- {} ping statistics ---\n", self.options.target);
        text += &format!("{} packets transmitted, {} received", self.sent, self.received);
        if self.duplicates > 0 {
            text += &format!(", +{} duplicates", self.duplicates);
        }
        if self.errors > 0 {
            text += &format!(", +{} errors", self.errors);
        }
        let elapsed = self.last_sent.since(self.started).millis();
        text += &format!(
            ", {}% packet loss, time {elapsed}ms\n",
            percent(self.sent.saturating_sub(self.received), self.sent)
        );
        if self.received > 0 {
            text += &self.round_trips.summary(self.received);
        }
        text += "\n";
        say(&text, sys);
        Next::Exit(i32::from(self.received == 0))
    }
}

impl Process for Ping {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let socket = match self.socket {
            Some(socket) => socket,
            None => self.start(sys),
        };
        self.listen(socket, sys);
        if self.over_at().is_some_and(|at| at <= sys.now()) {
            return self.finish(sys);
        }
        let asks_again = self.options.count.is_none_or(|count| self.sent < count);
        if asks_again
            && (self.sent == 0 || sys.now() >= self.last_sent + self.options.interval)
            && let Err(end) = self.ask(socket, sys)
        {
            return end;
        }
        let asks_again = self.options.count.is_none_or(|count| self.sent < count);
        let next_ask = asks_again.then(|| self.last_sent + self.options.interval);
        let until = [next_ask, self.over_at()].into_iter().flatten().min();
        Next::Wait(Wait { until, any: vec![On::Socket(socket)] })
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        (signal == Signal::Int).then(|| self.finish(sys))
    }
}

impl RoundTrips {
    fn add(&mut self, micros: u64, count: u64) {
        self.min = if count == 1 { micros } else { self.min.min(micros) };
        self.max = self.max.max(micros);
        self.sum += micros;
        self.sum_of_squares += u128::from(micros) * u128::from(micros);
    }

    fn summary(&self, count: u64) -> String {
        let average = self.sum / count;
        let variance =
            (self.sum_of_squares / u128::from(count)).saturating_sub(u128::from(average) * u128::from(average));
        let deviation = variance.isqrt() as u64;
        let ms = |micros: u64| format!("{}.{:03}", micros / 1_000, micros % 1_000);
        format!("rtt min/avg/max/mdev = {}/{}/{}/{} ms", ms(self.min), ms(average), ms(self.max), ms(deviation))
    }
}

/// Three significant digits, as iputils prints a round trip.
fn shown_time(micros: u64) -> String {
    match micros {
        100_000.. => format!("{}", micros / 1_000),
        10_000..100_000 => format!("{}.{}", micros / 1_000, micros % 1_000 / 100),
        1_000..10_000 => format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10),
        0..1_000 => format!("0.{micros:03}"),
    }
}

/// `100 × part / whole` with six significant digits and no trailing zeros, as C prints `%g`.
fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0".into();
    }
    let scaled = |decimals: u32| {
        let (part, whole) = (u128::from(part) * 100 * 10u128.pow(decimals), u128::from(whole));
        (part + whole / 2) / whole
    };
    let decimals = (0..=8).find(|decimals| scaled(*decimals) >= 100_000).unwrap_or(8);
    let (value, unit) = (scaled(decimals), 10u128.pow(decimals));
    let width = decimals as usize;
    let text = format!("{}.{:0width$}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn unreachable_text(icmp: &Icmpv4Packet<&[u8]>) -> String {
    match Icmpv4DstUnreachable::from(icmp.msg_code()) {
        Icmpv4DstUnreachable::NetUnreachable => "Destination Net Unreachable".into(),
        Icmpv4DstUnreachable::HostUnreachable => "Destination Host Unreachable".into(),
        Icmpv4DstUnreachable::ProtoUnreachable => "Destination Protocol Unreachable".into(),
        Icmpv4DstUnreachable::PortUnreachable => "Destination Port Unreachable".into(),
        Icmpv4DstUnreachable::FragRequired => {
            // The octets 6 and 7 of the ICMP header hold the next hop's MTU (RFC 1191, section 4).
            format!("Frag needed and DF set (mtu = {})", icmp.echo_seq_no())
        }
        Icmpv4DstUnreachable::CommProhibited => "Packet filtered".into(),
        _ => format!("Dest Unreachable, Bad Code: {}", icmp.msg_code()),
    }
}

fn say(text: &str, sys: &mut Sys) {
    // Nobody reads it any more: as with SIGPIPE, nothing is left to say.
    let _unread = sys.write(Fd::STDOUT, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (micros, text) in [(26, "0.026"), (1_420, "1.42"), (12_345, "12.3"), (123_456, "123"), (3_004_999, "3004")]
        {
            assert_eq!(shown_time(micros), text);
        }
    }

    #[test]
    fn losses_are_written_as_c_writes_them() {
        for (part, whole, text) in
            [(0, 3, "0"), (1, 2, "50"), (1, 3, "33.3333"), (2, 3, "66.6667"), (4, 4, "100"), (1, 300, "0.333333")]
        {
            assert_eq!(percent(part, whole), text);
        }
    }
}
