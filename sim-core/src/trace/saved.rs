//! What a saved run needs beside the derived forms: how values of other crates are written, the shape of the format, and
//! whether a trace that was read holds together. Only with the feature `saved`; nothing simulated depends on it.

use super::record::Table;
use super::{Kind, Trace};
use crate::base::id::{EventId, PacketId};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

/// A number that changes whenever the form of a trace does: files of another shape are not read.
pub fn shape() -> u64 {
    let mut hasher = SipHasher13::new();
    for text in SHAPE {
        hasher.write(text.as_bytes());
    }
    hasher.finish128().h1
}

/// The files in which the form of a trace is written down.
const SHAPE: &[&str] = &[
    include_str!("mod.rs"),
    include_str!("why.rs"),
    include_str!("record/check.rs"),
    include_str!("record/conflict.rs"),
    include_str!("record/filter.rs"),
    include_str!("record/host.rs"),
    include_str!("record/ipvs.rs"),
    include_str!("record/neighbour.rs"),
    include_str!("record/power.rs"),
    include_str!("record/process.rs"),
    include_str!("record/program.rs"),
    include_str!("record/route.rs"),
    include_str!("record/tracked.rs"),
    include_str!("record/vrrp.rs"),
];

/// Whether every number in a trace names something that is there, so that readers may follow it.
pub fn holds_together(trace: &Trace) -> bool {
    let (nodes, ports) = (trace.cast.nodes.len(), trace.cast.ports.len());
    let arena = trace.arena.len();
    let cast = trace
        .cast
        .ports
        .iter()
        .all(|card| card.node.index() < nodes && card.peer.is_none_or(|peer| peer.index() < ports));
    let steps = trace.steps.iter().all(|step| step.node.index() < nodes);
    let spans = trace.spans.iter().all(|span| {
        span.head as usize + usize::from(span.head_length) <= arena
            && span.tail as usize + usize::from(span.tail_length) <= arena
    });
    let events = trace.events.iter().zip(0u32..).all(|(event, id)| {
        let cause = !event.cause.is_some() || event.cause < EventId(id);
        let packet = !event.packet.is_some() || event.packet < PacketId(PACKETS_MAX);
        (event.step as usize) < trace.steps.len() && cause && packet && kind_holds(trace, event.kind)
    });
    let ordered = trace.events.windows(2).all(|pair| pair[0].step <= pair[1].step)
        && trace.steps.windows(2).all(|pair| pair[0].at <= pair[1].at)
        && trace.frames.windows(2).all(|pair| pair[0] < pair[1]);
    let frames = trace.frames.iter().all(|event| {
        let found = trace.events.get(event.0 as usize);
        found.is_some_and(|event| matches!(event.kind, Kind::Sent { .. } | Kind::Received { .. }))
    });
    let parents = trace.parents.iter().zip(0u32..).all(|(parent, id)| !parent.is_some() || parent.0 < id);
    cast && steps && spans && events && ordered && frames && parents && owners_hold(trace, nodes)
}

/// No run has more packets than this.
const PACKETS_MAX: u32 = 1 << 30;

fn kind_holds(trace: &Trace, kind: Kind) -> bool {
    let within = |at: u32, length: usize| (at as usize) < length;
    match kind {
        Kind::Sent { port, bytes, .. } | Kind::Received { port, bytes, .. } => {
            port.index() < trace.cast.ports.len() && (!bytes.is_some() || within(bytes.0, trace.spans.len()))
        }
        Kind::Check(at) => within(at, trace.checks.len()),
        Kind::Log(at) => within(at, trace.logs.len()),
        Kind::CommandStarted(at) | Kind::CommandEnded(at) => within(at, trace.commands.len()),
        Kind::RequestStarted(at) | Kind::RequestEnded(at) => within(at, trace.requests.len()),
        Kind::Served(at) => within(at, trace.served.len()),
        _ => kind.change().is_none_or(|(table, at)| trace.row(table, at).is_some()),
    }
}

fn owners_hold(trace: &Trace, nodes: usize) -> bool {
    let rows = |table| (0..).map_while(move |at| trace.row(table, at));
    Table::ALL.into_iter().flat_map(rows).all(|row| row.node().index() < nodes)
        && trace.fdb.iter().all(|record| record.port.index() < trace.cast.ports.len())
        && trace.checks.iter().all(|record| record.node.index() < nodes)
        && trace.logs.iter().all(|record| record.node.index() < nodes)
        && trace.commands.iter().all(|record| record.node.index() < nodes)
        && trace.requests.iter().all(|record| record.node.index() < nodes)
        && trace.served.iter().all(|record| record.node.index() < nodes)
}

/// A MAC as its six octets.
pub(super) mod mac {
    use crate::wire::Mac;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::trace) fn serialize<S: Serializer>(mac: &Mac, to: S) -> Result<S::Ok, S::Error> {
        mac.0.serialize(to)
    }

    pub(in crate::trace) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Mac, D::Error> {
        <[u8; 6]>::deserialize(from).map(Mac)
    }
}

/// A MAC or none.
pub(super) mod maybe_mac {
    use crate::wire::Mac;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::trace) fn serialize<S: Serializer>(mac: &Option<Mac>, to: S) -> Result<S::Ok, S::Error> {
        mac.map(|mac| mac.0).serialize(to)
    }

    pub(in crate::trace) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Mac>, D::Error> {
        Ok(Option::<[u8; 6]>::deserialize(from)?.map(Mac))
    }
}

/// The name of a scheduler, which is one of a few.
pub(super) mod scheduler {
    use crate::trace::explain;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::trace) fn serialize<S: Serializer>(name: &&'static str, to: S) -> Result<S::Ok, S::Error> {
        name.serialize(to)
    }

    pub(in crate::trace) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
        let name = String::deserialize(from)?;
        explain::scheduler_named(&name).ok_or_else(|| D::Error::custom("there is no such scheduler"))
    }
}
