//! `tcpdump`: a line for every frame that passes an interface, as the cable has it.
//!
//! # Not modelled
//! Names, files (`--pcap` writes captures), dumps of octets, protocols other than ARP, IPv4, ICMP, TCP, UDP, VRRP.

use crate::base::calendar::Date;
use crate::base::id::IfaceId;
use crate::base::time::{EPOCH_UNIX_SECONDS, Instant};
use crate::kernel::Os;
use crate::kernel::process::{Fd, Next, On, Process, Signal, SocketId};
use crate::kernel::sockets::Way;
use crate::kernel::syscall::Sys;
use crate::trace::filter::Filter;
use crate::wire::dissect::{dissect, mac_text};
use crate::wire::field::FieldName as F;
use crate::wire::summary;
use std::net::Ipv4Addr;

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// `-i`: none is `any`.
    pub iface: Option<IfaceId>,
    /// Its name.
    pub name: String,
    /// The expression; none takes all.
    pub filter: Option<Filter>,
    /// `-c`: stops after so many.
    pub count: Option<u64>,
    /// `-e`: the Ethernet header too.
    pub ethernet: bool,
    /// `-v`: the IPv4 header too.
    pub verbose: bool,
    /// What stands in front of a line.
    pub stamp: Stamp,
}

/// The time in front of a line: `-t`, as often as it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The time of day.
    #[default]
    Clock,
    /// `-t`: none.
    None,
    /// `-tt`: seconds since 1970.
    Unix,
    /// `-ttt`: since the line before.
    Gap,
    /// `-tttt`: date and time.
    Date,
    /// `-ttttt`: since the first line.
    SinceFirst,
}

/// The process.
#[derive(Debug)]
pub struct Sniffer {
    options: Options,
    socket: Option<SocketId>,
    seen: u64,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Sniffer {
    /// A sniffer that will show this.
    pub fn new(options: Options) -> Self {
        Sniffer { options, socket: None, seen: 0, first: None, last: None }
    }

    fn start(&mut self, sys: &mut Sys) -> SocketId {
        let socket = sys.packet_socket(self.options.iface);
        self.socket = Some(socket);
        // Before 4.99 it said so in other words; before 4.1 it took only the heads of frames, in words at least.
        let (more, length) = match sys.kernel.os {
            Os::CentOs4 => ("-v or -vv", "capture size 96"),
            Os::Rhel6 => ("-v or -vv", "capture size 65535"),
            Os::CentOs7 => ("-v or -vv", "capture size 262144"),
            Os::Debian12 => ("-v[v]...", "snapshot length 262144"),
        };
        if !self.options.verbose {
            let text = format!("tcpdump: verbose output suppressed, use {more} for full protocol decode\n");
            say(Fd::STDERR, &text, sys);
        } else {
            say(Fd::STDERR, "tcpdump: ", sys);
        }
        let name = &self.options.name;
        let kind = if self.options.iface.is_some() { "EN10MB (Ethernet)" } else { "LINUX_SLL2 (Linux cooked v2)" };
        let text = format!("listening on {name}, link-type {kind}, {length} bytes\n");
        say(Fd::STDERR, &text, sys);
        socket
    }

    /// The time in front of a line of now.
    fn stamp(&mut self, now: Instant) -> String {
        let first = *self.first.get_or_insert(now);
        let last = self.last.replace(now).unwrap_or(now);
        let date = Date::of(now);
        let micros = now.nanos() % 1_000_000_000 / 1_000;
        let clock = format!("{:02}:{:02}:{:02}.{micros:06} ", date.hour, date.minute, date.second);
        let span = |from: Instant| {
            let micros = now.since(from).nanos() / 1_000;
            let seconds = micros / 1_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            format!(" {hours:02}:{minutes:02}:{:02}.{:06} ", seconds % 60, micros % 1_000_000)
        };
        match self.options.stamp {
            Stamp::Clock => clock,
            Stamp::None => String::new(),
            Stamp::Unix => format!("{}.{micros:06} ", EPOCH_UNIX_SECONDS + now.secs()),
            Stamp::Gap => span(last),
            Stamp::Date => format!("{}-{:02}-{:02} {clock}", date.year, date.month, date.day),
            Stamp::SinceFirst => span(first),
        }
    }

    fn show(&mut self, iface: IfaceId, way: Way, frame: &[u8], sys: &mut Sys) {
        let mut line = self.stamp(sys.now());
        if self.options.iface.is_none() {
            let name = sys.kernel.tables.interfaces.get(iface).map_or("?", |interface| &*interface.name);
            line.push_str(&format!("{name:<5} {:<3} ", if way == Way::In { "In" } else { "Out" }));
        }
        line.push_str(&described(frame, self.options.ethernet, self.options.verbose));
        line.push('\n');
        say(Fd::STDOUT, &line, sys);
    }

    fn finish(&self, sys: &mut Sys) -> Next {
        let seen = self.seen;
        let plural = if seen == 1 { "" } else { "s" };
        let text = format!(
            "\n{seen} packet{plural} captured\n{seen} packet{plural} received by filter\n0 packets dropped by kernel\n"
        );
        say(Fd::STDERR, &text, sys);
        Next::Exit(0)
    }
}

impl Process for Sniffer {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let socket = match self.socket {
            Some(socket) => socket,
            None => self.start(sys),
        };
        while let Some((iface, way, frame)) = sys.packet_recv(socket) {
            if self.options.filter.as_ref().is_some_and(|filter| !filter.matches_frame(&frame)) {
                continue;
            }
            self.seen += 1;
            self.show(iface, way, &frame, sys);
            if self.options.count.is_some_and(|count| self.seen >= count) {
                return self.finish(sys);
            }
        }
        Next::on(On::Socket(socket))
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        matches!(signal, Signal::Int | Signal::Term).then(|| self.finish(sys))
    }
}

/// A frame as `tcpdump -nn` prints it, without the time.
fn described(frame: &[u8], ethernet: bool, verbose: bool) -> String {
    let line = summary::line(frame, frame.len());
    let dissection = dissect(frame, frame.len());
    let number = |name| dissection.number(name).unwrap_or(0);
    let is_ip = dissection.number(F::IpTtl).is_some();
    let mut text = String::new();
    let rest = if ethernet {
        let mac = |name| dissection.mac(name).map_or("?".to_owned(), mac_text);
        let (name, prefix) = match number(F::EthType) {
            0x0800 => ("IPv4", "IP "),
            0x0806 => ("ARP", "ARP, "),
            _ => ("Unknown", ""),
        };
        text = format!(
            "{} > {}, ethertype {name} (0x{:04x}), length {}: ",
            mac(F::EthSrc),
            mac(F::EthDst),
            number(F::EthType),
            frame.len()
        );
        line.strip_prefix(prefix).unwrap_or(&line).to_owned()
    } else {
        line
    };
    if !(verbose && is_ip) {
        return text + &rest;
    }
    let flags = match (dissection.flag(F::IpFlagDf), dissection.flag(F::IpFlagMf)) {
        (true, _) => "DF",
        (_, true) => "+",
        _ => "none",
    };
    let protocol = match number(F::IpProtocol) {
        1 => "ICMP".to_owned(),
        4 => "IPIP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        112 => "VRRP".to_owned(),
        other => format!("unknown, {other}"),
    };
    let head = format!(
        "(tos 0x{:x}, ttl {}, id {}, offset {}, flags [{flags}], proto {protocol} ({}), length {})\n    ",
        number(F::IpDsField),
        number(F::IpTtl),
        number(F::IpId),
        number(F::IpFragmentOffset) * 8,
        number(F::IpProtocol),
        number(F::IpLength),
    );
    let rest = advert(frame, &rest).unwrap_or(rest);
    match rest.strip_prefix("IP ") {
        Some(inner) => format!("{text}IP {head}{inner}"),
        None => format!("{text}{head}{rest}"),
    }
}

/// What `-v` adds to the line of an advert: who sends it once more, its addresses, and the password in clear.
fn advert(frame: &[u8], line: &str) -> Option<String> {
    let packet = frame.get(ETHERNET..)?;
    let octets = packet.get(usize::from(packet.first()? & 15) * 4..)?;
    let (version, count) = (octets.first()? >> 4, usize::from(*octets.get(3)?));
    if *packet.get(9)? != VRRP || !line.contains("VRRP") {
        return None;
    }
    let all = octets.get(8..8 + 4 * count)?;
    let addresses: Vec<String> =
        all.chunks_exact(4).map(|one| Ipv4Addr::new(one[0], one[1], one[2], one[3]).to_string()).collect();
    let number = if count > 1 { format!("({count})") } else { String::new() };
    let mut said = format!(", addrs{number}: {}", addresses.join(","));
    if version == 2 && octets.get(4) == Some(&1) {
        let password: String = octets.get(8 + 4 * count..16 + 4 * count)?.iter().map(|octet| caret(*octet)).collect();
        said += &format!(" auth \"{password}\"");
    }
    let (ends, what) = line.split_once(": ")?;
    let again = ends.strip_prefix("IP ").unwrap_or(ends);
    Some(format!("{ends}: vrrp {again}: {what}{said}"))
}

/// An octet as tcpdump shows it in text: `^@` for 0.
fn caret(octet: u8) -> String {
    match octet {
        0..32 => format!("^{}", char::from(octet + 64)),
        127 => "^?".into(),
        128.. => format!("M-{}", caret(octet & 0x7f)),
        _ => char::from(octet).to_string(),
    }
}

const ETHERNET: usize = 14;
const VRRP: u8 = 112;

fn say(to: Fd, text: &str, sys: &mut Sys) {
    // Nobody reads it any more: as with SIGPIPE, nothing is left to say.
    let _unread = sys.write(to, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advert_reads_as_in_tcpdump() {
        let mut frame = vec![1, 0, 0x5e, 0, 0, 0x12, 2, 0, 0, 0, 0, 0x11, 8, 0];
        frame.extend([0x45, 0xc0, 0, 40, 0, 1, 0, 0, 255, 112, 0, 0, 10, 0, 0, 11, 224, 0, 0, 18]);
        frame.extend([0x21, 51, 100, 1, 1, 1, 1, 13, 10, 0, 0, 100]);
        frame.extend(b"1111\0\0\0\0");
        let advert = "VRRPv2, Advertisement, vrid 51, prio 100, authtype simple, intvl 1s, length 20";
        assert_eq!(described(&frame, false, false), format!("IP 10.0.0.11 > 224.0.0.18: {advert}"));
        let ethernet = "02:00:00:00:00:11 > 01:00:5e:00:00:12, ethertype IPv4 (0x0800), length 54: ";
        assert_eq!(described(&frame, true, false), format!("{ethernet}10.0.0.11 > 224.0.0.18: {advert}"));
        let head = "(tos 0xc0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 40)";
        let more = format!("vrrp 10.0.0.11 > 224.0.0.18: {advert}, addrs: 10.0.0.100 auth \"1111^@^@^@^@\"");
        assert_eq!(described(&frame, false, true), format!("IP {head}\n    10.0.0.11 > 224.0.0.18: {more}"));
    }
}
