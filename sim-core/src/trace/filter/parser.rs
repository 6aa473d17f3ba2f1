//! From words to an expression: names are looked up, values are read by the kind of the field, and every mistake is
//! said at its place.

use super::lexer::{Token, TokenKind, tokens};
use super::{Expr, FilterError, Item, Key, Op, Operand, Word, names};
use crate::wire::field::{FieldKind, Protocol};
use std::ops::Range;

/// Words that are meant for one of ours: Wireshark fields that are not modelled, and slips.
const MEANT: &[(&str, &str)] = &[
    ("tcp.seq", "tcp.seq_raw"),
    ("tcp.ack", "tcp.ack_raw"),
    ("tcp.nxtseq", "tcp.seq_raw"),
    ("tcp.stream", "lab.conn"),
    ("udp.stream", "lab.conn"),
    ("tcp.window_size", "tcp.window_size_value"),
    ("tcp.flags.rst", "tcp.flags.reset"),
    ("tcp.flags.psh", "tcp.flags.push"),
    ("ip.host", "ip.addr"),
    ("ip.tos", "ip.dsfield"),
    ("arp.op", "arp.opcode"),
    ("arp.src.ip", "arp.src.proto_ipv4"),
    ("arp.dst.ip", "arp.dst.proto_ipv4"),
    ("arp.duplicate-address-detected", "arp"),
    ("frame.time", "frame.time_relative"),
    ("frame.interface_id", "frame.interface_name"),
    ("vrrp.vrid", "vrrp.virt_rtr_id"),
    ("vrrp.priority", "vrrp.prio"),
    ("http.status", "http.response.code"),
    ("host", "lab.host"),
    ("why", "lab.why"),
    ("conn", "lab.conn"),
    ("hop", "lab.hop"),
    ("src", "ip.src"),
    ("dst", "ip.dst"),
    ("port", "tcp.port"),
];

const TEXT_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;

/// Reads a filter.
pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > TEXT_MAX {
        return Err(error(TEXT_MAX..text.len(), format!("a filter has at most {TEXT_MAX} characters"), None));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(error(
            0..text.len(),
            "a filter cannot be empty".into(),
            Some("\"frame\" passes every frame".into()),
        ));
    }
    let mut parser = Parser { tokens, at: 0, end: text.len(), depth: 0 };
    let expr = parser.either()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(parser.surplus(&token.clone())),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    /// `a or b or c`: binds loosest.
    fn either(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.both()?];
        while self.take_any(&["||"], &["or"]) {
            parts.push(self.both()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    /// `a and b and c`.
    fn both(&mut self) -> Result<Expr, FilterError> {
        let mut parts = vec![self.one()?];
        while self.take_any(&["&&"], &["and"]) {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    /// `not a`, `( … )`, or a test.
    fn one(&mut self) -> Result<Expr, FilterError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let place = self.place();
            return Err(error(place, format!("more than {DEPTH_MAX} brackets or negations inside each other"), None));
        }
        let expr = if self.take_any(&["!"], &["not"]) {
            Expr::Not(Box::new(self.one()?))
        } else if self.take_any(&["("], &[]) {
            let open = self.tokens[self.at - 1].place.clone();
            let inner = self.either()?;
            if !self.take_any(&[")"], &[]) {
                return Err(match self.peek().cloned() {
                    Some(token) => self.surplus(&token),
                    None => error(open, "this bracket is not closed".into(), None),
                });
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Expr, FilterError> {
        let Some(token) = self.next() else {
            return Err(error(self.place(), "a field or protocol is missing here".into(), None));
        };
        let TokenKind::Word(name) = &token.kind else {
            return Err(error(token.place, "a field or protocol is expected here".into(), None));
        };
        if self.take_any(&["["], &[]) || name.contains(['#', ']']) {
            return Err(error(token.place, "slices and layer numbers are not modelled".into(), None));
        }
        if self.peek().is_some_and(|next| next.kind == TokenKind::Sign("(")) {
            return Err(error(token.place, format!("functions such as {name}() are not modelled"), None));
        }
        if let Some(expr) = protocol(name) {
            return Ok(expr);
        }
        let Some(key) = Key::named(name) else { return Err(unknown(name, token.place)) };
        self.rest_of_test(key, name)
    }

    /// After the field: an operator and a value, `in {…}`, `contains …`, or nothing.
    fn rest_of_test(&mut self, key: Key, name: &str) -> Result<Expr, FilterError> {
        let Some(token) = self.peek().cloned() else { return Ok(Expr::Exists(key)) };
        let op = match &token.kind {
            TokenKind::Sign("==") => Op::Eq,
            TokenKind::Sign("!=") => Op::Ne,
            TokenKind::Sign("<") => Op::Lt,
            TokenKind::Sign("<=") => Op::Le,
            TokenKind::Sign(">") => Op::Gt,
            TokenKind::Sign(">=") => Op::Ge,
            TokenKind::Sign("=") => {
                return Err(error(token.place, "one = compares nothing".into(), Some("write ==".into())));
            }
            TokenKind::Word(word) => match word.as_str() {
                "eq" => Op::Eq,
                "ne" => Op::Ne,
                "lt" => Op::Lt,
                "le" => Op::Le,
                "gt" => Op::Gt,
                "ge" => Op::Ge,
                "in" => {
                    self.at += 1;
                    return self.set(key, name);
                }
                "contains" => {
                    self.at += 1;
                    return self.part(key, name);
                }
                "matches" => {
                    return Err(error(
                        token.place,
                        "regular expressions are not modelled".into(),
                        Some("contains looks for a piece of text".into()),
                    ));
                }
                _ => return Ok(Expr::Exists(key)),
            },
            TokenKind::Sign(_) | TokenKind::Quoted(_) => return Ok(Expr::Exists(key)),
        };
        self.at += 1;
        let value = self.value(name)?;
        Ok(Expr::Compare(key, op, operand(key, name, &value)?))
    }

    /// `{80, 443, 8000..8010}`; commas may be left out.
    fn set(&mut self, key: Key, name: &str) -> Result<Expr, FilterError> {
        if !self.take_any(&["{"], &[]) {
            return Err(error(self.place(), "\"in\" is followed by a set".into(), Some(format!("{name} in {{1, 2}}"))));
        }
        let mut items = Vec::new();
        while !self.take_any(&["}"], &[]) {
            if self.take_any(&[","], &[]) && !items.is_empty() {
                continue;
            }
            let value = self.value(name)?;
            items.push(item(key, name, &value)?);
        }
        if items.is_empty() {
            let place = self.tokens[self.at - 1].place.clone();
            return Err(error(place, "an empty set contains nothing".into(), None));
        }
        Ok(Expr::In(key, items))
    }

    fn part(&mut self, key: Key, name: &str) -> Result<Expr, FilterError> {
        let value = self.value(name)?;
        let text = token_text(&value);
        let bytes = match (key.kind(), &value.kind) {
            (FieldKind::Text, _) => text.as_bytes().to_vec(),
            (FieldKind::Mac, TokenKind::Word(_)) => octets(text).ok_or_else(|| {
                error(value.place.clone(), format!("{text} is not a piece of a MAC"), Some("02:00".into()))
            })?,
            (FieldKind::Number | FieldKind::Flag | FieldKind::Address | FieldKind::Mac, _) => {
                return Err(error(value.place, format!("{name} has no text that could contain something"), None));
            }
        };
        Ok(Expr::Contains(key, bytes))
    }

    fn value(&mut self, name: &str) -> Result<Token, FilterError> {
        match self.peek().cloned() {
            Some(token) if !matches!(token.kind, TokenKind::Sign(_)) => {
                self.at += 1;
                Ok(token)
            }
            _ => Err(error(self.place(), format!("a value for {name} is missing here"), None)),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take_any(&mut self, signs: &[&str], words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|token| match &token.kind {
            TokenKind::Sign(sign) => signs.contains(sign),
            TokenKind::Word(word) => words.contains(&word.as_str()),
            TokenKind::Quoted(_) => false,
        });
        self.at += usize::from(found);
        found
    }

    /// Where the next word stands, or the end of the text.
    fn place(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |token| token.place.clone())
    }

    fn surplus(&self, token: &Token) -> FilterError {
        let text = token_text(token);
        let hint = match text {
            "&" => Some("write &&".to_string()),
            "|" => Some("write ||".to_string()),
            _ if matches!(token.kind, TokenKind::Word(_)) => Some("join tests with && or ||".to_string()),
            _ => None,
        };
        error(token.place.clone(), format!("\"{text}\" is not expected here"), hint)
    }
}

fn protocol(name: &str) -> Option<Expr> {
    if name == "frame" {
        return Some(Expr::Always);
    }
    Protocol::ALL.into_iter().find(|protocol| protocol.name() == name).map(Expr::Protocol)
}

fn item(key: Key, name: &str, value: &Token) -> Result<Item, FilterError> {
    let text = token_text(value);
    if let (TokenKind::Word(_), Some((from, to))) = (&value.kind, text.split_once("..")) {
        let side =
            |text: &str| operand(key, name, &Token { kind: TokenKind::Word(text.into()), place: value.place.clone() });
        return Ok(Item::Range(side(from)?, side(to)?));
    }
    Ok(Item::One(operand(key, name, value)?))
}

fn operand(key: Key, name: &str, value: &Token) -> Result<Operand, FilterError> {
    let text = token_text(value);
    let wrong = |what: &str, hint: &str| {
        Err(error(value.place.clone(), format!("{name} is {what}, and \"{text}\" is not"), Some(hint.to_string())))
    };
    let since = match key {
        Key::Capture(Word::Epoch) => Some(("a time in seconds since 1970", "time 0 of a run is 946684800")),
        Key::Capture(Word::Relative) => Some(("a time in seconds since the first frame", "1.5")),
        Key::Capture(_) | Key::Field(_) | Key::Either(..) => None,
    };
    if let Some((what, hint)) = since {
        return seconds(text).map_or_else(|| wrong(what, hint), |ns| Ok(Operand::Number(ns)));
    }
    match key.kind() {
        FieldKind::Number => match number(text) {
            Some(number) => Ok(Operand::Number(number)),
            None => wrong("a number", "80 or 0x50"),
        },
        FieldKind::Flag => match text.to_ascii_lowercase().as_str() {
            "1" | "true" => Ok(Operand::Number(1)),
            "0" | "false" => Ok(Operand::Number(0)),
            _ => wrong("a flag", "1 or 0"),
        },
        FieldKind::Mac => match octets(text).and_then(|octets| <[u8; 6]>::try_from(octets).ok()) {
            Some(mac) => Ok(Operand::Mac(mac)),
            None => wrong("a MAC", "02:00:00:00:00:04"),
        },
        FieldKind::Address => match (text.parse(), text.parse()) {
            (Ok(address), _) => Ok(Operand::Address(address)),
            (_, Ok(network)) => Ok(Operand::Network(network)),
            _ => wrong("an IPv4 address or network", "10.0.0.1 or 10.0.0.0/24"),
        },
        FieldKind::Text => Ok(Operand::Text(text.as_bytes().to_vec())),
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Seconds with up to nine decimals, as nanoseconds.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: u64 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// `02:00:00:00:00:04` or with `-`; any number of octets.
fn octets(text: &str) -> Option<Vec<u8>> {
    let pieces = text.split([':', '-']);
    pieces.map(|piece| if piece.len() == 2 { u8::from_str_radix(piece, 16).ok() } else { None }).collect()
}

fn token_text(token: &Token) -> &str {
    match &token.kind {
        TokenKind::Word(text) | TokenKind::Quoted(text) => text,
        TokenKind::Sign(sign) => sign,
    }
}

fn unknown(name: &str, place: Range<usize>) -> FilterError {
    let meant = MEANT.iter().find(|(wrong, _)| *wrong == name).map(|(_, right)| *right);
    let near = || {
        let mut all: Vec<_> = names().map(|known| (strsim::damerau_levenshtein(known, name), known)).collect();
        all.sort();
        all.first().filter(|(distance, _)| *distance <= name.len() / 3).map(|(_, known)| *known)
    };
    let hint = meant.or_else(near).map(|right| format!("did you mean {right}?"));
    let message = match name {
        "tcp.seq" | "tcp.ack" => format!("{name} is relative in Wireshark and not modelled"),
        _ => format!("there is no field or protocol {name}"),
    };
    error(place, message, hint)
}

fn error(place: Range<usize>, message: String, hint: Option<String>) -> FilterError {
    FilterError { start: place.start, end: place.end, message, hint }
}
