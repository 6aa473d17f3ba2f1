//! An expectation as written: a kind, and its fields.

use super::{At, loss_ppm, unit};
use crate::problem::{Place, Problems};
use crate::read::{Piece, Record, Text};
use sim_core::base::time::Duration;

/// An expectation; `name` and `needs` tie them together.
#[derive(Debug)]
pub(crate) struct ExpectText {
    pub(crate) name: Option<Text>,
    pub(crate) needs: Option<Text>,
    pub(crate) what: WhatText,
    pub(crate) place: Place,
}

/// What is expected.
#[derive(Debug)]
pub(crate) enum WhatText {
    ServedBy { url: Text, hosts: Vec<(Text, u64)> },
    Requests { from: Option<Text>, ok: Option<u64>, failed: Option<u64> },
    Output { on: Text, run: Text, contains: Text, nth: Option<At<u64>> },
    Outage { of: Text, seen_by: Text, at_most: Duration },
    Availability { of: Text, seen_by: Text, at_least: Option<u32>, at_most: Option<u32> },
    Master { instance: Text, on: Text, at: Option<At<Duration>> },
    Neighbour { on: Text, address: Text, is: Text, at: Option<At<Duration>> },
    Sees { host: Text, packet: Text, count: Option<u64>, never: bool },
    SamePackets { as_: Text, at: Text },
    Always(LawText),
}

/// What must hold in every moment.
#[derive(Debug)]
pub(crate) enum LawText {
    OneMaster { grace: Option<Duration> },
    ChecksumsCorrect,
    OneAnswererPerAddress,
    OneServerPerConnection,
}

const KINDS: &[(&str, &[&str])] = &[
    ("ServedBy", &["url", "hosts", "name", "needs"]),
    ("Requests", &["from", "ok", "failed", "name", "needs"]),
    ("Output", &["on", "run", "contains", "nth", "name", "needs"]),
    ("Outage", &["of", "seen_by", "at_most", "name", "needs"]),
    ("Availability", &["of", "seen_by", "at_least", "at_most", "name", "needs"]),
    ("Master", &["instance", "on", "at", "name", "needs"]),
    ("Neighbour", &["on", "address", "is", "at", "name", "needs"]),
    ("Sees", &["host", "packet", "count", "name", "needs"]),
    ("NeverSees", &["host", "packet", "name", "needs"]),
    ("SamePackets", &["as", "at", "name", "needs"]),
    ("Always", &[]),
];
const LAWS: &[&str] = &["OneMaster", "ChecksumsCorrect", "OneAnswererPerAddress", "OneServerPerConnection"];

impl ExpectText {
    /// Reads an expectation.
    pub(crate) fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let known: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let (kind, place, rest) = piece.variant("expectation", &known, problems)?;
        let Some(rest) = rest else {
            problems.error(&place, format!("{kind} lacks its brackets"), format!("write {kind}(…)"));
            return None;
        };
        if kind == "Always" {
            let law = rest.tuple(kind, 1, problems)?.into_iter().next()?;
            let what = WhatText::Always(LawText::read(law, problems)?);
            return Some(ExpectText { name: None, needs: None, what, place: piece.head() });
        }
        let fields = KINDS.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, fields)| fields);
        let record = rest.record(kind, fields, problems)?;
        let read = Fields { record: &record, kind };
        let what = what_text(kind, &read, problems);
        let (name, needs) = (read.maybe("name", problems), read.maybe("needs", problems));
        Some(ExpectText { name, needs, what: what?, place: piece.head() })
    }
}

/// The fields of one expectation.
struct Fields<'a> {
    record: &'a Record<'a>,
    kind: &'a str,
}

impl Fields<'_> {
    fn string(&self, field: &str, problems: &mut Problems) -> Option<Text> {
        self.record.need(field, self.kind, problems)?.string(field, problems)
    }

    fn maybe(&self, field: &str, problems: &mut Problems) -> Option<Text> {
        self.record.get(field)?.string(field, problems)
    }

    fn number(&self, field: &str, problems: &mut Problems) -> Option<At<u64>> {
        let piece = self.record.get(field)?;
        Some(At { value: piece.number(field, 1_000_000_000, problems)?, place: piece.place() })
    }

    /// A share such as `"99.5%"`, in parts per million.
    fn share(&self, field: &str, problems: &mut Problems) -> Option<u32> {
        let piece = self.record.get(field)?;
        let ppm = unit(piece, field, loss_ppm, "write it like \"99.5%\", at most \"100%\"", problems)?;
        u32::try_from(ppm).ok()
    }

    fn time(&self, field: &str, problems: &mut Problems) -> Option<At<Duration>> {
        let piece = self.record.get(field)?;
        Some(At { value: piece.duration(field, problems)?, place: piece.place() })
    }
}

fn what_text(kind: &str, read: &Fields, problems: &mut Problems) -> Option<WhatText> {
    Some(match kind {
        "ServedBy" => {
            let url = read.string("url", problems);
            let entries = read.record.need("hosts", kind, problems)?.entries("hosts", problems);
            let hosts = entries
                .into_iter()
                .filter_map(|(name, piece)| Some((name, piece.number("the count", 1_000_000_000, problems)?)))
                .collect();
            WhatText::ServedBy { url: url?, hosts }
        }
        "Requests" => {
            let from = read.maybe("from", problems);
            let (ok, failed) = (read.number("ok", problems), read.number("failed", problems));
            if ok.is_none() && failed.is_none() {
                problems.error(&read.record.head(), "Requests says neither \"ok\" nor \"failed\"", "");
                return None;
            }
            WhatText::Requests { from, ok: ok.map(|at| at.value), failed: failed.map(|at| at.value) }
        }
        "Output" => {
            let (on, run) = (read.string("on", problems), read.string("run", problems));
            let (contains, nth) = (read.string("contains", problems), read.number("nth", problems));
            WhatText::Output { on: on?, run: run?, contains: contains?, nth }
        }
        "Outage" => {
            let (of, seen_by) = (read.string("of", problems), read.string("seen_by", problems));
            read.record.need("at_most", kind, problems);
            let at_most = read.time("at_most", problems);
            WhatText::Outage { of: of?, seen_by: seen_by?, at_most: at_most?.value }
        }
        "Availability" => {
            let (of, seen_by) = (read.string("of", problems), read.string("seen_by", problems));
            let (at_least, at_most) = (read.share("at_least", problems), read.share("at_most", problems));
            if at_least.is_none() && at_most.is_none() {
                problems.error(&read.record.head(), "Availability says neither \"at_least\" nor \"at_most\"", "");
                return None;
            }
            WhatText::Availability { of: of?, seen_by: seen_by?, at_least, at_most }
        }
        "Master" => {
            let (instance, on, at) =
                (read.string("instance", problems), read.string("on", problems), read.time("at", problems));
            WhatText::Master { instance: instance?, on: on?, at }
        }
        "Neighbour" => {
            let (on, address) = (read.string("on", problems), read.string("address", problems));
            let (is, at) = (read.string("is", problems), read.time("at", problems));
            WhatText::Neighbour { on: on?, address: address?, is: is?, at }
        }
        "SamePackets" => {
            let (as_, at) = (read.string("as", problems), read.string("at", problems));
            WhatText::SamePackets { as_: as_?, at: at? }
        }
        kind => {
            let (host, packet) = (read.string("host", problems), read.string("packet", problems));
            let count = read.number("count", problems).map(|at| at.value);
            WhatText::Sees { host: host?, packet: packet?, count, never: kind == "NeverSees" }
        }
    })
}

impl LawText {
    fn read(piece: Piece, problems: &mut Problems) -> Option<Self> {
        let (law, place, rest) = piece.variant("law", LAWS, problems)?;
        if law == "OneMaster" {
            let record = rest.map(|rest| rest.record(law, &["grace"], problems));
            let grace = match record {
                Some(record) => record?.get("grace").map(|piece| piece.duration("grace", problems)),
                None => None,
            };
            return Some(LawText::OneMaster { grace: grace.flatten() });
        }
        if rest.is_some() {
            problems.error(&place, format!("{law} has no brackets"), "");
        }
        Some(match law {
            "ChecksumsCorrect" => LawText::ChecksumsCorrect,
            "OneAnswererPerAddress" => LawText::OneAnswererPerAddress,
            _ => LawText::OneServerPerConnection,
        })
    }
}
