//! A frame taken apart: its layers and fields with their names, places and values. Reads any bytes: what is cut short
//! or makes no sense ends the dissection at that place with a note, and what was read before stays.
//!
//! ```text
//!   Ethernet ─┬─ ARP
//!             └─ IPv4 ─┬─ TCP ── TOA ── HTTP's first line
//!                      ├─ UDP ─┬─ GUE ── IPv4
//!                      │      └─ message of the IPVS sync daemon
//!                      ├─ GRE ── IPv4
//!                      ├─ ICMP ── the packet it quotes (IPv4 again)
//!                      ├─ VRRP
//!                      └─ IPv4 (IP in IP)
//! ```
//! # Not modelled
//! VLAN tags, IPv6, relative TCP sequence numbers, reassembly of segments.

mod sync;
mod tunnel;

use super::field::{FieldName as F, Protocol};
use super::flow::{Flow, SocketAddr, Transport};
use super::frame::{ETHERTYPE_ARP, ETHERTYPE_IPV4};
use super::{Ipv4Addr, Mac};
use super::{gre, gue, toa};
use std::ops::Range;

/// A frame, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dissection {
    /// Its layers, from the outside in.
    pub layers: Vec<Layer>,
    /// All fields, layer after layer.
    pub fields: Vec<Field>,
    /// Where and why reading ended early.
    pub problem: Option<Problem>,
}

/// A layer of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its protocol.
    pub protocol: Protocol,
    /// Where its header stands.
    pub bytes: Range<usize>,
    /// Its fields: a range of [`Dissection::fields`].
    pub fields: Range<usize>,
    /// Part of a packet that an ICMP message quotes.
    pub quoted: bool,
}

/// A field of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which.
    pub name: F,
    /// First octet.
    pub start: u16,
    /// Octets; 0 for what is concluded, not read.
    pub length: u16,
    /// Its value.
    pub value: Value,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A flag.
    Flag(bool),
    /// An Ethernet address.
    Mac(Mac),
    /// An IPv4 address.
    Address(Ipv4Addr),
    /// Text: the octets at the field's place.
    Text,
}

/// Where reading ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The octet.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Takes a frame apart. `bytes` may be only the beginning of a frame of `length` octets.
pub fn dissect(bytes: &[u8], length: usize) -> Dissection {
    let mut reader = Reader { bytes, out: Dissection::default(), quoted: false, cut: length > bytes.len() };
    reader.ethernet();
    reader.out
}

impl Dissection {
    /// Whether there is a layer of this protocol.
    pub fn has(&self, protocol: Protocol) -> bool {
        self.layers.iter().any(|layer| layer.protocol == protocol)
    }

    /// The first field of this name.
    pub fn field(&self, name: F) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The number in the first field of this name.
    pub fn number(&self, name: F) -> Option<u64> {
        match self.field(name)?.value {
            Value::Number(number) => Some(number),
            Value::Flag(flag) => Some(u64::from(flag)),
            Value::Mac(_) | Value::Address(_) | Value::Text => None,
        }
    }

    /// Whether the first flag of this name is set.
    pub fn flag(&self, name: F) -> bool {
        self.number(name) == Some(1)
    }

    /// The address in the first field of this name.
    pub fn address(&self, name: F) -> Option<Ipv4Addr> {
        match self.field(name)?.value {
            Value::Address(address) => Some(address),
            Value::Number(_) | Value::Flag(_) | Value::Mac(_) | Value::Text => None,
        }
    }

    /// The MAC in the first field of this name.
    pub fn mac(&self, name: F) -> Option<Mac> {
        match self.field(name)?.value {
            Value::Mac(mac) => Some(mac),
            Value::Number(_) | Value::Flag(_) | Value::Address(_) | Value::Text => None,
        }
    }

    /// The fields of a layer.
    pub fn fields_of(&self, layer: &Layer) -> &[Field] {
        &self.fields[layer.fields.clone()]
    }

    /// The field of this name in a layer.
    pub fn in_layer(&self, layer: &Layer, name: F) -> Option<&Field> {
        self.fields_of(layer).iter().find(|field| field.name == name)
    }

    /// The TCP or UDP flow that the frame is about: of the innermost packet, through tunnels; for an ICMP error, of the
    /// packet it quotes, as that packet shows it.
    pub fn flow(&self) -> Option<Flow> {
        let at = self.layers.iter().rposition(|layer| matches!(layer.protocol, Protocol::Tcp | Protocol::Udp))?;
        let (layer, ip) = (&self.layers[at], &self.layers[at.checked_sub(1)?]);
        let (transport, source, destination) = match layer.protocol {
            Protocol::Tcp => (Transport::Tcp, F::TcpSrcPort, F::TcpDstPort),
            _ => (Transport::Udp, F::UdpSrcPort, F::UdpDstPort),
        };
        let end = |address, port| {
            let (Value::Address(address), Value::Number(port)) =
                (self.in_layer(ip, address)?.value, self.in_layer(layer, port)?.value)
            else {
                return None;
            };
            Some(SocketAddr { address, port: port as u16 })
        };
        Some(Flow { transport, source: end(F::IpSrc, source)?, destination: end(F::IpDst, destination)? })
    }
}

impl Field {
    /// The octets of the field in its frame.
    pub fn bytes<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        frame.get(usize::from(self.start)..usize::from(self.start) + usize::from(self.length)).unwrap_or(&[])
    }

    /// The value as a list of headers shows it.
    pub fn show(&self, frame: &[u8]) -> String {
        match (self.value, self.name) {
            (
                Value::Number(number),
                F::EthType | F::ArpProtoType | F::GreProtocol | F::GreFlags | F::IpChecksum | F::IcmpChecksum,
            ) => hex4(number),
            (Value::Number(number), F::TcpChecksum | F::UdpChecksum | F::VrrpChecksum | F::GreChecksum | F::IpId) => {
                hex4(number)
            }
            (Value::Number(number), F::TcpFlags) => format!("0x{number:03x}"),
            (Value::Number(number), F::IpDsField) => format!("0x{number:02x}"),
            (Value::Number(number), _) => number.to_string(),
            (Value::Flag(flag), _) => if flag { "yes" } else { "no" }.to_string(),
            (Value::Mac(mac), _) => mac_text(mac),
            (Value::Address(address), _) => address.to_string(),
            (Value::Text, _) => String::from_utf8_lossy(self.bytes(frame)).escape_debug().to_string(),
        }
    }
}

/// `02:00:00:00:00:04`.
pub fn mac_text(mac: Mac) -> String {
    let b = mac.as_bytes();
    format!("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5])
}

fn hex4(number: u64) -> String {
    format!("0x{number:04x}")
}

struct Reader<'a> {
    bytes: &'a [u8],
    out: Dissection,
    /// Inside a packet that ICMP quotes: it may end anywhere.
    quoted: bool,
    /// Only the beginning of the frame was kept: it may end anywhere.
    cut: bool,
}

const ETHERNET: usize = 14;
const NESTED_MAX: usize = 8;

impl Reader<'_> {
    fn ethernet(&mut self) {
        if !self.open(Protocol::Eth, 0, ETHERNET) {
            return;
        }
        self.mac(F::EthDst, 0);
        self.mac(F::EthSrc, 6);
        self.number(F::EthType, 12, 2);
        let ethertype = self.word(12);
        self.close();
        match ethertype {
            ETHERTYPE_IPV4 => self.ip(ETHERNET, self.bytes.len()),
            ETHERTYPE_ARP => self.arp(ETHERNET),
            _ => self.data(ETHERNET, self.bytes.len()),
        }
    }

    fn arp(&mut self, at: usize) {
        if !self.open(Protocol::Arp, at, 28) {
            return;
        }
        self.number(F::ArpHwType, at, 2);
        self.number(F::ArpProtoType, at + 2, 2);
        self.number(F::ArpHwSize, at + 4, 1);
        self.number(F::ArpProtoSize, at + 5, 1);
        self.number(F::ArpOpcode, at + 6, 2);
        if self.bytes[at + 4] != 6 || self.bytes[at + 5] != 4 {
            self.problem(at + 4, "ARP with address sizes other than 6 and 4");
            return self.close();
        }
        self.mac(F::ArpSrcMac, at + 8);
        self.address(F::ArpSrcIp, at + 14);
        self.mac(F::ArpDstMac, at + 18);
        self.address(F::ArpDstIp, at + 24);
        let (sender, target) = (&self.bytes[at + 14..at + 18], &self.bytes[at + 24..at + 28]);
        let (gratuitous, probe) = (sender == target, sender == [0; 4] && self.word(at + 6) == 1);
        self.concluded(F::ArpIsGratuitous, at, Value::Flag(gratuitous));
        self.concluded(F::ArpIsProbe, at, Value::Flag(probe));
        self.close();
    }

    fn ip(&mut self, at: usize, end: usize) {
        if self.out.layers.len() > NESTED_MAX {
            return self.problem(at, "too many headers inside each other");
        }
        if !self.open(Protocol::Ip, at, 20) {
            return;
        }
        let (first, header) = (self.bytes[at], usize::from(self.bytes[at] & 0x0f) * 4);
        self.put(F::IpVersion, at, 1, Value::Number(u64::from(first >> 4)));
        self.put(F::IpHeaderLength, at, 1, Value::Number(header as u64));
        if first >> 4 != 4 || header < 20 || at + header > self.bytes.len() {
            self.problem(at, "not an IPv4 header");
            return self.close();
        }
        self.widen(at + header);
        let (tos, fragment, protocol) = (self.bytes[at + 1], self.word(at + 6), self.bytes[at + 9]);
        self.number(F::IpDsField, at + 1, 1);
        self.put(F::IpDscp, at + 1, 1, Value::Number(u64::from(tos >> 2)));
        self.put(F::IpEcn, at + 1, 1, Value::Number(u64::from(tos & 3)));
        self.number(F::IpLength, at + 2, 2);
        self.number(F::IpId, at + 4, 2);
        self.put(F::IpFlagDf, at + 6, 1, Value::Flag(fragment & 0x4000 != 0));
        self.put(F::IpFlagMf, at + 6, 1, Value::Flag(fragment & 0x2000 != 0));
        self.put(F::IpFragmentOffset, at + 6, 2, Value::Number(u64::from(fragment & 0x1fff)));
        self.number(F::IpTtl, at + 8, 1);
        self.number(F::IpProtocol, at + 9, 1);
        self.number(F::IpChecksum, at + 10, 2);
        self.address(F::IpSrc, at + 12);
        self.address(F::IpDst, at + 16);
        let total = usize::from(self.word(at + 2));
        if total < header {
            self.problem(at + 2, "total length is shorter than the header");
            return self.close();
        }
        self.close();
        if at + total > end && !self.quoted && !self.cut {
            self.problem(at + 2, "total length is longer than the frame");
        }
        let (next, end) = (at + header, end.min(at + total));
        if fragment & 0x1fff != 0 {
            return self.data(next, end);
        }
        let more_to_come = fragment & 0x2000 != 0;
        match protocol {
            1 => self.icmp(next, end),
            4 => self.ip(next, end),
            6 => self.tcp(next, end, at + total),
            17 => self.udp(next, end, more_to_come),
            gre::PROTOCOL => self.gre(next, end),
            112 => self.vrrp(next, end),
            // AH (RFC 2402) around an advert: what is inside counts.
            51 if self.bytes.get(next) == Some(&112) && next + 24 <= end => self.vrrp(next + 24, end),
            _ => self.data(next, end),
        }
    }

    fn icmp(&mut self, at: usize, end: usize) {
        if !self.open_within(Protocol::Icmp, at, 8, end) {
            return;
        }
        self.number(F::IcmpType, at, 1);
        self.number(F::IcmpCode, at + 1, 1);
        self.number(F::IcmpChecksum, at + 2, 2);
        let (kind, code) = (self.bytes[at], self.bytes[at + 1]);
        match (kind, code) {
            (0 | 8, _) => {
                self.number(F::IcmpIdent, at + 4, 2);
                self.number(F::IcmpSeq, at + 6, 2);
            }
            (3, 4) => self.number(F::IcmpMtu, at + 6, 2),
            _ => {}
        }
        self.close();
        if matches!(kind, 3 | 4 | 5 | 11 | 12) && at + 8 < end {
            self.quoted = true;
            self.ip(at + 8, end);
        } else {
            self.data(at + 8, end);
        }
    }

    /// `whole_end`: where the segment ends by the IPv4 header, even if the bytes were not kept.
    fn tcp(&mut self, at: usize, end: usize, whole_end: usize) {
        if self.quoted && at + 8 <= end && at + 20 > end {
            return self.quoted_ports(at);
        }
        if !self.open_within(Protocol::Tcp, at, 20, end) {
            return;
        }
        let header = usize::from(self.bytes[at + 12] >> 4) * 4;
        self.number(F::TcpSrcPort, at, 2);
        self.number(F::TcpDstPort, at + 2, 2);
        self.number(F::TcpSeq, at + 4, 4);
        self.number(F::TcpAck, at + 8, 4);
        self.put(F::TcpHeaderLength, at + 12, 1, Value::Number(header as u64));
        let flags = self.word(at + 12) & 0x0fff;
        self.put(F::TcpFlags, at + 12, 2, Value::Number(u64::from(flags)));
        for (bit, name) in
            [F::TcpCwr, F::TcpEce, F::TcpUrg, F::TcpAckFlag, F::TcpPush, F::TcpReset, F::TcpSyn, F::TcpFin]
                .into_iter()
                .enumerate()
        {
            self.put(name, at + 13, 1, Value::Flag(flags & (0x80 >> bit) != 0));
        }
        self.number(F::TcpWindow, at + 14, 2);
        self.number(F::TcpChecksum, at + 16, 2);
        self.number(F::TcpUrgentPointer, at + 18, 2);
        if header < 20 || (at + header > end && !self.quoted && !self.cut) {
            self.problem(at + 12, "TCP header length makes no sense");
            return self.close();
        }
        let options_end = (at + header).min(end);
        self.widen(options_end);
        let toa = self.tcp_options(at + 20, options_end);
        let payload = whole_end.saturating_sub(at + header);
        self.concluded(F::TcpLength, at, Value::Number(payload as u64));
        self.close();
        if let Some(at) = toa {
            self.start(Protocol::Toa, at, at + toa::LENGTH);
            self.number(F::ToaPort, at + 2, 2);
            self.address(F::ToaAddress, at + 4);
            self.close();
        }
        if self.quoted {
            return;
        }
        let web = [self.word(at), self.word(at + 2)].iter().any(|port| matches!(port, 80 | 8080));
        if !(web && self.http(options_end, end)) {
            self.data(options_end, end);
        }
    }

    /// An ICMP error may quote only 8 octets of the TCP header.
    fn quoted_ports(&mut self, at: usize) {
        if self.open(Protocol::Tcp, at, 8) {
            self.number(F::TcpSrcPort, at, 2);
            self.number(F::TcpDstPort, at + 2, 2);
            self.number(F::TcpSeq, at + 4, 4);
            self.close();
        }
    }

    /// The place of the first TOA is returned: it is shown as a layer of its own.
    fn tcp_options(&mut self, mut at: usize, end: usize) -> Option<usize> {
        let mut toa = None;
        while at < end {
            let kind = self.bytes[at];
            self.number(F::TcpOptionKind, at, 1);
            if kind == 0 {
                break;
            }
            if kind == 1 {
                at += 1;
                continue;
            }
            let length = if at + 1 < end { usize::from(self.bytes[at + 1]) } else { 0 };
            if length < 2 || at + length > end {
                self.problem(at, "TCP option length makes no sense");
                break;
            }
            match (kind, length) {
                (2, 4) => self.number(F::TcpMss, at + 2, 2),
                (3, 3) => self.number(F::TcpWindowScale, at + 2, 1),
                (8, 10) => {
                    self.number(F::TcpTimestamp, at + 2, 4);
                    self.number(F::TcpTimestampEcho, at + 6, 4);
                }
                (253 | 254, 4..) => {
                    self.number(F::TcpExperiment, at + 2, 2);
                    if (kind, length) == (toa::KIND, toa::LENGTH) {
                        toa.get_or_insert(at);
                    }
                }
                _ => {}
            }
            at += length;
        }
        toa
    }

    /// The first line of an HTTP message. False if this is none.
    fn http(&mut self, at: usize, end: usize) -> bool {
        let Some(text) = self.bytes.get(at..end.min(self.bytes.len())) else { return false };
        let line_end = text.iter().take(2048).position(|byte| *byte == b'\r' || *byte == b'\n').unwrap_or(0);
        let line = &text[..line_end];
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
        let second_at = at + first.len() + 1;
        if first.starts_with(b"HTTP/1.") {
            let Some(code) = std::str::from_utf8(second).ok().and_then(|code| code.parse::<u16>().ok()) else {
                return false;
            };
            self.start(Protocol::Http, at, end);
            self.put(F::HttpCode, second_at, second.len(), Value::Number(u64::from(code)));
        } else if matches!(first, b"GET" | b"HEAD" | b"POST" | b"PUT" | b"DELETE" | b"OPTIONS")
            && words.next().is_some_and(|version| version.starts_with(b"HTTP/"))
        {
            self.start(Protocol::Http, at, end);
            self.put(F::HttpMethod, at, first.len(), Value::Text);
            self.put(F::HttpUri, second_at, second.len(), Value::Text);
        } else {
            return false;
        }
        self.close();
        true
    }

    fn udp(&mut self, at: usize, end: usize, more_to_come: bool) {
        if !self.open_within(Protocol::Udp, at, 8, end) {
            return;
        }
        self.number(F::UdpSrcPort, at, 2);
        self.number(F::UdpDstPort, at + 2, 2);
        self.number(F::UdpLength, at + 4, 2);
        self.number(F::UdpChecksum, at + 6, 2);
        let length = usize::from(self.word(at + 4));
        let beyond = at + length > end && !self.quoted && !self.cut && !more_to_come;
        if length < 8 || beyond {
            self.problem(at + 4, "UDP length makes no sense");
            return self.close();
        }
        self.close();
        let ports = [self.word(at), self.word(at + 2)];
        let end = end.min(at + length);
        if ports.contains(&super::sync::PORT) && !self.quoted {
            return self.sync(at + 8, end);
        }
        match self.bytes.get(at..end.min(self.bytes.len())).and_then(gue::open) {
            Some(header) if self.is_ip_header(at + header) => self.gue(at + 8, at + header, end),
            Some(_) | None => self.data(at + 8, end),
        }
    }

    fn vrrp(&mut self, at: usize, end: usize) {
        if !self.open_within(Protocol::Vrrp, at, 8, end) {
            return;
        }
        let version = self.bytes[at] >> 4;
        self.put(F::VrrpVersion, at, 1, Value::Number(u64::from(version)));
        self.put(F::VrrpType, at, 1, Value::Number(u64::from(self.bytes[at] & 0x0f)));
        self.number(F::VrrpId, at + 1, 1);
        self.number(F::VrrpPriority, at + 2, 1);
        self.number(F::VrrpAddressCount, at + 3, 1);
        if version == 2 {
            self.number(F::VrrpAuthType, at + 4, 1);
            self.number(F::VrrpInterval, at + 5, 1);
        }
        self.number(F::VrrpChecksum, at + 6, 2);
        let count = usize::from(self.bytes[at + 3]);
        let addresses_end = at + 8 + count * 4;
        if addresses_end > end {
            self.problem(at + 3, "more addresses are announced than there is room for");
            return self.close();
        }
        for index in 0..count {
            self.address(F::VrrpAddress, at + 8 + index * 4);
        }
        if version == 2 && self.bytes[at + 4] == 1 && addresses_end + 8 <= end {
            let password = &self.bytes[addresses_end..addresses_end + 8];
            let length = password.iter().position(|byte| *byte == 0).unwrap_or(8);
            self.put(F::VrrpAuthString, addresses_end, length, Value::Text);
            self.widen(addresses_end + 8);
        } else {
            self.widen(addresses_end);
        }
        self.close();
    }

    fn data(&mut self, at: usize, end: usize) {
        let end = end.min(self.bytes.len());
        if at < end {
            self.start(Protocol::Data, at, end);
            self.concluded(F::DataLength, at, Value::Number((end - at) as u64));
            self.close();
        }
    }

    // ── writing down ──

    fn open(&mut self, protocol: Protocol, at: usize, least: usize) -> bool {
        self.open_within(protocol, at, least, self.bytes.len())
    }

    fn open_within(&mut self, protocol: Protocol, at: usize, least: usize, end: usize) -> bool {
        if at + least > end.min(self.bytes.len()) {
            if !self.quoted && !self.cut {
                self.problem(at, "the header is cut short");
            }
            return false;
        }
        self.start(protocol, at, at + least);
        true
    }

    fn start(&mut self, protocol: Protocol, at: usize, end: usize) {
        let fields = self.out.fields.len();
        self.out.layers.push(Layer { protocol, bytes: at..end, fields: fields..fields, quoted: self.quoted });
    }

    fn widen(&mut self, end: usize) {
        self.out.layers.last_mut().expect("a layer is open").bytes.end = end;
    }

    fn close(&mut self) {
        let end = self.out.fields.len();
        self.out.layers.last_mut().expect("a layer is open").fields.end = end;
    }

    fn problem(&mut self, at: usize, what: &'static str) {
        self.out.problem.get_or_insert(Problem { at, what });
    }

    fn put(&mut self, name: F, at: usize, length: usize, value: Value) {
        self.out.fields.push(Field { name, start: at as u16, length: length as u16, value });
    }

    fn concluded(&mut self, name: F, at: usize, value: Value) {
        self.put(name, at, 0, value);
    }

    fn number(&mut self, name: F, at: usize, length: usize) {
        let value = self.bytes[at..at + length].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.put(name, at, length, Value::Number(value));
    }

    fn mac(&mut self, name: F, at: usize) {
        self.put(name, at, 6, Value::Mac(Mac::from_bytes(&self.bytes[at..at + 6])));
    }

    fn address(&mut self, name: F, at: usize) {
        let b = &self.bytes[at..at + 4];
        self.put(name, at, 4, Value::Address(Ipv4Addr::new(b[0], b[1], b[2], b[3])));
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}
