//! The filter language: Wireshark's words for what stands in a frame, `frame.*` for the frame in its capture, and four
//! words of the lab's own. A filter without `lab.` words can be pasted into Wireshark unchanged.
//!
//! ```text
//!   ip.src == 172.25.92.100 && tcp.srcport == 80          arp.opcode == 2 and not arp.isgratuitous == 1
//!   tcp.flags.syn == 1 && lab.host == router              tcp.port in {80, 443, 8000..8010} || icmp
//!   lab.why == IPVS.DR                                    frame.comment contains "arptables"
//! ```
//! A field that occurs several times (both ports, the headers of a tunnel) matches if one of its values does; `!=` holds
//! if the field is there and *none* of its values is equal, as in Wireshark 4. A bare field asks whether it is there.
//!
//! # Not modelled
//! Slices (`eth.src[0:3]`), functions, arithmetic, `matches`, layer numbers (`ip.src#1`). They are refused by name.

mod lexer;
mod parser;

use crate::wire::Ipv4Addr;
use crate::wire::dissect::{Dissection, Field, Value, dissect};
use crate::wire::field::{FIELDS, FieldKind, FieldName, Protocol};
use ipnet::Ipv4Net;
use std::fmt;

/// A filter, checked and ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: Box<str>,
    expr: Expr,
}

/// Why a text is not a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// First octet of the text concerned.
    pub start: usize,
    /// Octet after the last.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub hint: Option<String>,
}

/// What a filter is asked about: a frame, and where it was captured if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The frame, taken apart.
    pub frame: &'a Dissection,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where, when and why; none in a switch's cut, where `frame.*` and `lab.*` cannot be asked.
    pub capture: Option<&'a Surroundings>,
}

/// A frame in its capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its number, from 1.
    pub number: u32,
    /// Octets of the whole frame.
    pub length: u32,
    /// Octets that were kept.
    pub captured: u32,
    /// Nanoseconds since 1970-01-01 00:00:00 UTC.
    pub epoch_ns: u64,
    /// Nanoseconds since the first frame of the capture.
    pub relative_ns: u64,
    /// `server4:eth0`.
    pub interface: String,
    /// Its comment in the capture.
    pub comment: String,
    /// `server4`.
    pub host: String,
    /// How often this packet was on a cable up to here; 1 at its first sender.
    pub hop: u32,
    /// The codes of the decisions made about it where it was captured.
    pub whys: Vec<&'static str>,
    /// The connection it belongs to, from 1, the same through NAT and tunnels.
    pub conn: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// `frame`: always true.
    Always,
    Protocol(Protocol),
    Exists(Key),
    Compare(Key, Op, Operand),
    In(Key, Vec<Item>),
    Contains(Key, Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    One(Operand),
    Range(Operand, Operand),
}

/// What a field is compared with, of the field's own kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Number(u64),
    Mac([u8; 6]),
    Address(Ipv4Addr),
    Network(Ipv4Net),
    Text(Vec<u8>),
}

/// What can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Field(FieldName),
    /// Either of two: `ip.addr`, `tcp.port`.
    Either(FieldName, FieldName),
    Capture(Word),
}

/// A word about the frame in its capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Number,
    Length,
    Captured,
    Epoch,
    Relative,
    Interface,
    Comment,
    Host,
    Hop,
    Why,
    Conn,
}

/// The names that stand for either of two fields.
const EITHER: &[(&str, FieldName, FieldName)] = &[
    ("eth.addr", FieldName::EthDst, FieldName::EthSrc),
    ("ip.addr", FieldName::IpSrc, FieldName::IpDst),
    ("tcp.port", FieldName::TcpSrcPort, FieldName::TcpDstPort),
    ("udp.port", FieldName::UdpSrcPort, FieldName::UdpDstPort),
];

/// The words about a frame in its capture; those of the lab's own come last.
const WORDS: &[(&str, Word, FieldKind)] = &[
    ("frame.number", Word::Number, FieldKind::Number),
    ("frame.len", Word::Length, FieldKind::Number),
    ("frame.cap_len", Word::Captured, FieldKind::Number),
    ("frame.time_epoch", Word::Epoch, FieldKind::Number),
    ("frame.time_relative", Word::Relative, FieldKind::Number),
    ("frame.interface_name", Word::Interface, FieldKind::Text),
    ("frame.comment", Word::Comment, FieldKind::Text),
    ("lab.host", Word::Host, FieldKind::Text),
    ("lab.hop", Word::Hop, FieldKind::Number),
    ("lab.why", Word::Why, FieldKind::Text),
    ("lab.conn", Word::Conn, FieldKind::Number),
];

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The first place where the text is not a filter.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let expr = parser::parse(text)?;
        Ok(Filter { text: text.trim().into(), expr })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks what only a capture knows (`frame.*`, `lab.*`).
    pub fn asks_capture(&self) -> bool {
        asks_capture(&self.expr)
    }

    /// Whether the subject passes.
    pub fn matches(&self, subject: Subject) -> bool {
        matches(&self.expr, subject)
    }

    /// Whether a frame passes by its bytes alone. What only a capture knows does not match.
    pub fn matches_frame(&self, bytes: &[u8]) -> bool {
        let frame = dissect(bytes, bytes.len());
        self.matches(Subject { frame: &frame, bytes, capture: None })
    }
}

/// Every name a filter may use, for completion: protocols, fields, words.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once("frame")
        .chain(Protocol::ALL.into_iter().map(Protocol::name))
        .chain(FIELDS.iter().map(|row| row.name))
        .chain(EITHER.iter().map(|(name, ..)| *name))
        .chain(WORDS.iter().map(|(name, ..)| *name))
}

impl Key {
    fn named(name: &str) -> Option<Key> {
        let field = FIELDS.iter().find(|row| row.name == name).map(|row| Key::Field(row.field));
        let either = || EITHER.iter().find(|row| row.0 == name).map(|row| Key::Either(row.1, row.2));
        let word = || WORDS.iter().find(|row| row.0 == name).map(|row| Key::Capture(row.1));
        field.or_else(either).or_else(word)
    }

    fn kind(self) -> FieldKind {
        match self {
            Key::Field(field) | Key::Either(field, _) => field.row().kind,
            Key::Capture(word) => {
                WORDS.iter().find(|row| row.1 == word).map_or(FieldKind::Number, |(_, _, kind)| *kind)
            }
        }
    }
}

/// A value of the subject, ready to be compared.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Number(u64),
    Mac([u8; 6]),
    Address(Ipv4Addr),
    Text(&'a [u8]),
}

fn matches(expr: &Expr, subject: Subject) -> bool {
    match expr {
        Expr::And(all) => all.iter().all(|one| matches(one, subject)),
        Expr::Or(any) => any.iter().any(|one| matches(one, subject)),
        Expr::Not(inner) => !matches(inner, subject),
        Expr::Always => true,
        Expr::Protocol(protocol) => subject.frame.has(*protocol),
        Expr::Exists(key) => any(*key, subject, &mut |_| true),
        Expr::Compare(key, Op::Ne, operand) => {
            any(*key, subject, &mut |_| true) && !any(*key, subject, &mut |seen| holds(seen, Op::Eq, operand))
        }
        Expr::Compare(key, op, operand) => any(*key, subject, &mut |seen| holds(seen, *op, operand)),
        Expr::In(key, items) => any(*key, subject, &mut |seen| {
            items.iter().any(|item| match item {
                Item::One(operand) => holds(seen, Op::Eq, operand),
                Item::Range(from, to) => holds(seen, Op::Ge, from) && holds(seen, Op::Le, to),
            })
        }),
        Expr::Contains(key, part) => any(*key, subject, &mut |seen| match seen {
            Seen::Text(text) => contains(text, part),
            Seen::Mac(mac) => contains(&mac, part),
            Seen::Number(_) | Seen::Address(_) => false,
        }),
    }
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

/// Whether one of the subject's values of `key` passes `test`.
fn any(key: Key, subject: Subject, test: &mut dyn FnMut(Seen) -> bool) -> bool {
    let mut field = |name: FieldName| {
        subject.frame.fields.iter().any(|field| field.name == name && test(see(field, subject.bytes)))
    };
    match key {
        Key::Field(name) => field(name),
        Key::Either(one, other) => field(one) || field(other),
        Key::Capture(word) => subject.capture.is_some_and(|capture| any_word(word, capture, test)),
    }
}

fn any_word(word: Word, capture: &Surroundings, test: &mut dyn FnMut(Seen) -> bool) -> bool {
    match word {
        Word::Number => test(Seen::Number(u64::from(capture.number))),
        Word::Length => test(Seen::Number(u64::from(capture.length))),
        Word::Captured => test(Seen::Number(u64::from(capture.captured))),
        Word::Epoch => test(Seen::Number(capture.epoch_ns)),
        Word::Relative => test(Seen::Number(capture.relative_ns)),
        Word::Interface => test(Seen::Text(capture.interface.as_bytes())),
        Word::Comment => !capture.comment.is_empty() && test(Seen::Text(capture.comment.as_bytes())),
        Word::Host => test(Seen::Text(capture.host.as_bytes())),
        Word::Hop => test(Seen::Number(u64::from(capture.hop))),
        Word::Why => capture.whys.iter().any(|code| test(Seen::Text(code.as_bytes()))),
        Word::Conn => capture.conn.is_some_and(|conn| test(Seen::Number(u64::from(conn)))),
    }
}

fn see<'a>(field: &Field, bytes: &'a [u8]) -> Seen<'a> {
    match field.value {
        Value::Number(number) => Seen::Number(number),
        Value::Flag(flag) => Seen::Number(u64::from(flag)),
        Value::Mac(mac) => Seen::Mac(mac.0),
        Value::Address(address) => Seen::Address(address),
        Value::Text => Seen::Text(field.bytes(bytes)),
    }
}

fn holds(seen: Seen, op: Op, operand: &Operand) -> bool {
    match (seen, operand) {
        (Seen::Number(value), Operand::Number(other)) => compare(&value, op, other),
        (Seen::Mac(value), Operand::Mac(other)) => compare(&value, op, other),
        (Seen::Address(value), Operand::Address(other)) => compare(&value, op, other),
        (Seen::Address(value), Operand::Network(network)) => match op {
            Op::Eq => network.contains(&value),
            Op::Ne => !network.contains(&value),
            Op::Lt => value < network.network(),
            Op::Le => value <= network.broadcast(),
            Op::Gt => value > network.broadcast(),
            Op::Ge => value >= network.network(),
        },
        (Seen::Text(value), Operand::Text(other)) => compare(&value, op, &other.as_slice()),
        // The parser pairs a field with an operand of its own kind only.
        (Seen::Number(_) | Seen::Mac(_) | Seen::Address(_) | Seen::Text(_), _) => false,
    }
}

fn compare<T: Ord>(value: &T, op: Op, other: &T) -> bool {
    match op {
        Op::Eq => value == other,
        Op::Ne => value != other,
        Op::Lt => value < other,
        Op::Le => value <= other,
        Op::Gt => value > other,
        Op::Ge => value >= other,
    }
}

fn asks_capture(expr: &Expr) -> bool {
    match expr {
        Expr::And(all) | Expr::Or(all) => all.iter().any(asks_capture),
        Expr::Not(inner) => asks_capture(inner),
        Expr::Always | Expr::Protocol(_) => false,
        Expr::Exists(key) | Expr::Compare(key, ..) | Expr::In(key, _) | Expr::Contains(key, _) => {
            matches!(key, Key::Capture(_))
        }
    }
}

/// `tcp.prot: no such field (did you mean tcp.port?)`.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

#[cfg(test)]
mod tests;
