//! What was written: the fields of a scenario file with their places, each of the right kind, none unknown or double.
//! Whether it makes sense together is `validate`'s business.

pub(crate) mod expect;
pub(crate) mod host;
pub(crate) mod script;

use crate::problem::{Place, Problems};
use crate::read::{Piece, Text};
use host::HostText;
use sim_core::base::time::Duration;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A scenario file.
#[derive(Debug)]
pub(crate) struct ScenarioText {
    pub(crate) title: Option<Text>,
    pub(crate) about: Option<Text>,
    pub(crate) seed: u64,
    pub(crate) until: Option<At<Duration>>,
    pub(crate) link: LinkText,
    pub(crate) switches: Vec<(Text, SwitchText)>,
    pub(crate) hosts: Vec<(Text, HostText)>,
    pub(crate) script: Vec<script::ItemText>,
    pub(crate) expect: Vec<expect::ExpectText>,
}

/// `(rate: "1Gbit", delay: "50us", queue: 1000, mtu: 1500, loss: "0.1%")`, all optional.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkText {
    pub(crate) rate_bps: Option<u64>,
    pub(crate) delay: Option<Duration>,
    pub(crate) queue_frames: Option<u32>,
    pub(crate) mtu: Option<u32>,
    pub(crate) loss_ppm: Option<u32>,
}

/// `(mac_aging: "300s")` or `(kind: Hub)`.
#[derive(Debug, Default)]
pub(crate) struct SwitchText {
    pub(crate) is_hub: bool,
    pub(crate) mac_aging: Option<Duration>,
}

/// What a box between cables can be.
const KINDS: &[&str] = &["Switch", "Hub"];

const SCENARIO: &[&str] = &["title", "about", "seed", "until", "link", "switches", "hosts", "script", "expect"];
const LINK: &[&str] = &["rate", "delay", "queue", "mtu", "loss"];

impl ScenarioText {
    /// Reads a scenario file; none if it is not one at all.
    pub(crate) fn read(whole: Piece, problems: &mut Problems) -> Option<Self> {
        let record = whole.record("a scenario", SCENARIO, problems)?;
        let link = record.get("link").map(|piece| LinkText::read(piece, problems)).unwrap_or_default();
        let until = record.need("until", "the scenario", problems).and_then(|piece| {
            let value = piece.duration("until", problems)?;
            Some(At { value, place: piece.place() })
        });
        let switches = record.get("switches").map_or(Vec::new(), |piece| {
            let entries = piece.entries("switches", problems);
            entries.into_iter().map(|(name, piece)| (name, SwitchText::read(piece, problems))).collect()
        });
        let hosts = record.need("hosts", "the scenario", problems).map_or(Vec::new(), |piece| {
            let entries = piece.entries("hosts", problems);
            entries
                .into_iter()
                .filter_map(|(name, piece)| HostText::read(piece, &name.text, problems).map(|host| (name, host)))
                .collect()
        });
        let script = record.get("script").map_or(Vec::new(), |piece| {
            let items = piece.items("script", problems);
            items.into_iter().filter_map(|piece| script::ItemText::read(piece, problems)).collect()
        });
        let expect = record.get("expect").map_or(Vec::new(), |piece| {
            let items = piece.items("expect", problems);
            items.into_iter().filter_map(|piece| expect::ExpectText::read(piece, problems)).collect()
        });
        Some(ScenarioText {
            title: record.get("title").and_then(|piece| piece.string("title", problems)),
            about: record.get("about").and_then(|piece| piece.string("about", problems)),
            seed: record.get("seed").and_then(|piece| piece.number("seed", u64::MAX, problems)).unwrap_or(1),
            until,
            link,
            switches,
            hosts,
            script,
            expect,
        })
    }
}

impl SwitchText {
    fn read(piece: Piece, problems: &mut Problems) -> Self {
        let Some(record) = piece.record("a switch", &["kind", "mac_aging"], problems) else {
            return SwitchText::default();
        };
        let kind = record.get("kind").and_then(|piece| Some(piece.variant("kind", KINDS, problems)?.0));
        let is_hub = kind.is_some_and(|kind| kind == "Hub");
        let mac_aging = record.get("mac_aging").and_then(|piece| {
            if is_hub {
                problems.error(&piece.head(), "a hub learns nothing, so nothing can age", "leave mac_aging out");
            }
            piece.duration("mac_aging", problems)
        });
        SwitchText { is_hub, mac_aging }
    }
}

impl LinkText {
    /// Reads a cable's settings.
    pub(crate) fn read(piece: Piece, problems: &mut Problems) -> Self {
        let Some(record) = piece.record("a link", LINK, problems) else { return LinkText::default() };
        let rate_bps = record
            .get("rate")
            .and_then(|piece| unit(piece, "rate", rate_bps, "write it like \"1Gbit\" or \"100Mbit\"", problems));
        let loss_ppm = record
            .get("loss")
            .and_then(|piece| unit(piece, "loss", loss_ppm, "write it like \"0.1%\", at most \"100%\"", problems));
        let mtu = record.get("mtu").and_then(|piece| {
            let mtu = piece.number("mtu", 65_535, problems)?;
            if mtu < 68 {
                problems.error(&piece.place(), "the mtu of an IPv4 link is at least 68", "68 to 65535 octets");
            }
            Some(mtu as u32)
        });
        LinkText {
            rate_bps,
            delay: record.get("delay").and_then(|piece| piece.duration("delay", problems)),
            queue_frames: record
                .get("queue")
                .and_then(|piece| piece.number("queue (frames)", 1_000_000, problems))
                .map(|frames| frames as u32),
            mtu,
            loss_ppm: loss_ppm.map(|ppm| ppm as u32),
        }
    }

    /// These settings, and `default`'s where nothing is said.
    pub(crate) fn or(&self, default: &LinkText) -> LinkText {
        LinkText {
            rate_bps: self.rate_bps.or(default.rate_bps),
            delay: self.delay.or(default.delay),
            queue_frames: self.queue_frames.or(default.queue_frames),
            mtu: self.mtu.or(default.mtu),
            loss_ppm: self.loss_ppm.or(default.loss_ppm),
        }
    }
}

/// Reads a number with its unit.
pub(super) fn unit(
    piece: Piece,
    what: &str,
    parse: fn(&str) -> Option<u64>,
    hint: &str,
    problems: &mut Problems,
) -> Option<u64> {
    let text = piece.string(what, problems)?;
    let value = parse(&text.text);
    if value.is_none() {
        problems.error(&piece.head(), format!("\"{}\" is not a {what}", text.text), hint);
    }
    value
}

/// `1Gbit`, `100Mbit`, `64kbit`, `9600bit`, in bits per second.
pub(crate) fn rate_bps(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match text[split..].trim().trim_end_matches("/s") {
        "bit" | "bps" => 1,
        "kbit" | "Kbit" | "kbps" => 1_000,
        "Mbit" | "mbit" | "Mbps" => 1_000_000,
        "Gbit" | "gbit" | "Gbps" => 1_000_000_000,
        _ => return None,
    };
    scaled(&text[..split], unit).filter(|rate| (1_000..=1_000_000_000_000).contains(rate))
}

/// `0.1%` in parts per million.
pub(crate) fn loss_ppm(text: &str) -> Option<u64> {
    scaled(text.trim().strip_suffix('%')?.trim(), 10_000).filter(|ppm| *ppm <= 1_000_000)
}

/// A decimal number times `unit`, exactly.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut value = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut digit_unit = unit;
    for digit in fraction.bytes() {
        if !digit.is_ascii_digit() || !digit_unit.is_multiple_of(10) {
            return None;
        }
        digit_unit /= 10;
        value = value.checked_add(u64::from(digit - b'0') * digit_unit)?;
    }
    Some(value)
}
