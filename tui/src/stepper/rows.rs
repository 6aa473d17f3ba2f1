//! The rows of the frame list: which frames are shown, and which stand behind another one.
//!
//! Folding takes away what happens all the time: copies of a flooded frame that nobody wanted, adverts, health checks.
//! Nothing is lost: a row says how many more stand behind it, and `F` shows them.

use sim_core::base::id::{BytesId, NodeId, PacketId};
use sim_core::trace::select::Survey;
use sim_core::trace::{Kind, Trace, Why};
use sim_core::wire::flow::Transport;
use std::collections::{BTreeMap, BTreeSet};

/// What the list may fold about a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noise {
    /// Nothing.
    Kept,
    /// A copy of the same flooded frame; the row of that frame stands for it.
    Copy(u32),
    /// A VRRP advert.
    Advert,
    /// A frame of a health check.
    Check,
}

/// A row of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The frame shown, by its number.
    pub(crate) frame: u32,
    /// How many more stand behind it.
    pub(crate) more: u32,
}

/// What is noise among the frames of a trace.
pub(crate) fn noise(trace: &Trace, survey: &Survey) -> Vec<Noise> {
    let checks = checks(trace, survey);
    let mut copies: BTreeMap<(PacketId, BytesId), u32> = BTreeMap::new();
    let mut found: Vec<Noise> = Vec::with_capacity(trace.frames.len());
    for (event, number) in trace.frames.iter().zip(1..) {
        let event = trace.event(*event);
        let (bytes, inbound) = match event.kind {
            Kind::Received { bytes, .. } => (bytes, true),
            Kind::Sent { bytes, .. } => (bytes, false),
            _ => (BytesId::NONE, false),
        };
        let conn = survey.conversations.of_frame(number);
        let own = if is_advert(trace.bytes(bytes).0) {
            Noise::Advert
        } else if conn.is_some_and(|conn| checks.contains(&conn)) {
            Noise::Check
        } else {
            Noise::Kept
        };
        found.push(own);
        if !inbound || !event.packet.is_some() {
            continue;
        }
        match copies.get(&(event.packet, bytes)).copied() {
            None => {
                copies.insert((event.packet, bytes), number);
            }
            // The copy that somebody wanted stands for the others.
            Some(first) if is_unwanted(trace, survey, first) && !is_unwanted(trace, survey, number) => {
                copies.insert((event.packet, bytes), number);
                for behind in &mut found[first as usize - 1..number as usize - 1] {
                    if *behind == Noise::Copy(first) {
                        *behind = Noise::Copy(number);
                    }
                }
                found[first as usize - 1] = Noise::Copy(number);
            }
            Some(first) => found[number as usize - 1] = Noise::Copy(first),
        }
    }
    found
}

/// Whether nobody did anything with a frame that came in.
fn is_unwanted(trace: &Trace, survey: &Survey, number: u32) -> bool {
    survey.notes.decisions(number).iter().any(|id| {
        matches!(
            trace.event(*id).kind,
            Kind::Decided(Why::OtherHost | Why::ArpNotMine { .. } | Why::ArpFiltered { .. } | Why::ArpIgnored { .. })
        )
    })
}

/// An IPv4 packet of protocol 112.
fn is_advert(head: &[u8]) -> bool {
    head.get(12..14) == Some(&[8, 0]) && head.get(23) == Some(&112)
}

/// The connections that a director began with one of its own real servers: health checks.
fn checks(trace: &Trace, survey: &Survey) -> BTreeSet<u32> {
    let servers: BTreeSet<(NodeId, std::net::Ipv4Addr)> =
        trace.servers.iter().map(|record| (record.node, record.server.address)).collect();
    let mut seen = 0;
    let mut found = BTreeSet::new();
    if servers.is_empty() {
        return found;
    }
    for number in 1..=trace.frames.len() as u32 {
        // Connections are numbered in the order of their first frame.
        let Some(conn) = survey.conversations.of_frame(number).filter(|conn| *conn > seen) else { continue };
        seen = conn;
        let Some(frame) = trace.frame(number).filter(|frame| frame.outbound) else { continue };
        let Some(flow) = frame.dissect().flow() else { continue };
        if flow.transport == Transport::Tcp && servers.contains(&(frame.node, flow.destination.address)) {
            found.insert(conn);
        }
    }
    found
}

/// The rows of a list: of all frames or those in `only`, folded or not.
pub(crate) fn rows(noise: &[Noise], only: Option<&[u32]>, fold: bool) -> Vec<Row> {
    let all: Box<dyn Iterator<Item = u32> + '_> = match only {
        Some(only) => Box::new(only.iter().copied()),
        None => Box::new(1..=noise.len() as u32),
    };
    if !fold {
        return all.map(|frame| Row { frame, more: 0 }).collect();
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut behind: BTreeMap<u32, u32> = BTreeMap::new();
    let mut last = Noise::Kept;
    for frame in all {
        let kind = noise[frame as usize - 1];
        match kind {
            Noise::Copy(of) if only.is_none_or(|only| only.binary_search(&of).is_ok()) => {
                *behind.entry(of).or_default() += 1;
                continue;
            }
            Noise::Advert | Noise::Check if kind == last => {
                if let Some(row) = rows.last_mut() {
                    row.more += 1;
                }
                continue;
            }
            Noise::Kept | Noise::Copy(_) | Noise::Advert | Noise::Check => rows.push(Row { frame, more: 0 }),
        }
        last = kind;
    }
    for row in &mut rows {
        row.more += behind.get(&row.frame).copied().unwrap_or(0);
    }
    rows
}
