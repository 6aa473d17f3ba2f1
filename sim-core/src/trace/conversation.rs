//! Connections as a reader sees them: frames that belong together, through NAT, tunnels and FULLNAT. They are numbered
//! from 1 in the order of their first frame (`lab.conn`).
//!
//! Addresses change under way, but a rewritten packet keeps its id; so whatever addresses one packet has shown belong to
//! one connection. A SYN with a new initial sequence number begins a new one, though ports are used again.

use super::Trace;
use crate::base::id::{EventId, PacketId};
use crate::wire::field::{FieldName, Protocol};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use std::collections::BTreeMap;

/// Which frame belongs to which connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversations {
    /// By frame number minus 1.
    frames: Vec<Option<u32>>,
    /// Since when a pair of ends belongs to which connection, in order of time.
    ends: BTreeMap<Ends, Vec<(EventId, u32)>>,
    count: u32,
}

/// A flow without direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ends(Transport, SocketAddr, SocketAddr);

impl From<Flow> for Ends {
    fn from(flow: Flow) -> Self {
        let (a, b) = (flow.source, flow.destination);
        Ends(flow.transport, a.min(b), a.max(b))
    }
}

impl Conversations {
    /// Reads a trace once.
    pub fn of(trace: &Trace) -> Self {
        let mut all = Conversations { frames: Vec::with_capacity(trace.frames.len()), ..Self::default() };
        let mut packets: BTreeMap<PacketId, u32> = BTreeMap::new();
        let mut first_sequence: Vec<Option<u64>> = Vec::new();
        for frame in trace.captured_frames() {
            let dissected = frame.dissect();
            let Some(flow) = dissected.flow() else {
                all.frames.push(None);
                continue;
            };
            let is_error = dissected.has(Protocol::Icmp);
            let fresh = (!is_error && dissected.flag(FieldName::TcpSyn) && !dissected.flag(FieldName::TcpAckFlag))
                .then(|| dissected.number(FieldName::TcpSeq))
                .flatten();
            let ends = Ends::from(flow);
            let known = packets.get(&frame.packet).copied().filter(|_| frame.packet.is_some()).or_else(|| {
                let conn = all.ends.get(&ends)?.last()?.1;
                let begins_anew = fresh.is_some() && first_sequence[conn as usize - 1] != fresh;
                (!begins_anew).then_some(conn)
            });
            let conn = match known {
                Some(conn) => conn,
                None if is_error => {
                    all.frames.push(None);
                    continue;
                }
                None => {
                    all.count += 1;
                    first_sequence.push(fresh);
                    all.count
                }
            };
            packets.insert(frame.packet, conn);
            let since = all.ends.entry(ends).or_default();
            if !is_error && since.last().is_none_or(|(_, last)| *last != conn) {
                since.push((frame.event, conn));
            }
            all.frames.push(Some(conn));
        }
        all
    }

    /// The connection of a frame, by its number in the capture.
    pub fn of_frame(&self, number: u32) -> Option<u32> {
        self.frames.get((number as usize).checked_sub(1)?).copied().flatten()
    }

    /// The connection that these two ends had last begun at an event.
    pub fn at(&self, transport: Transport, a: SocketAddr, b: SocketAddr, event: EventId) -> Option<u32> {
        let since = self.ends.get(&Ends(transport, a.min(b), a.max(b)))?;
        since.iter().take_while(|(begun, _)| *begun <= event).last().map(|(_, conn)| *conn)
    }

    /// The numbers of the frames of a connection, in order.
    pub fn frames_of(&self, conn: u32) -> impl Iterator<Item = u32> + '_ {
        self.frames.iter().zip(1..).filter(move |(of, _)| **of == Some(conn)).map(|(_, number)| number)
    }

    /// How many connections there are.
    pub fn count(&self) -> u32 {
        self.count
    }
}
