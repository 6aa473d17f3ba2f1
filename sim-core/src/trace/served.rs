//! Which server program answered which request: found by the connection, which a reader follows through NAT and
//! FULLNAT, so that the address under which a server saw its client does not matter; through a proxy by what the
//! proxy says of its own connections.

use super::conversation::Conversations;
use super::{Kind, Trace};
use crate::base::id::{EventId, NodeId};
use crate::wire::flow::Transport;
use std::collections::BTreeMap;

/// The index into [`Trace::served`] of the answer to each request of [`Trace::requests`]; none if no server's answer
/// belongs to it.
pub fn answers(trace: &Trace, conversations: &Conversations) -> Vec<Option<usize>> {
    let mut waiting: BTreeMap<u32, std::collections::VecDeque<usize>> = BTreeMap::new();
    for (event, id) in trace.events.iter().zip(0..) {
        let Kind::Served(index) = event.kind else { continue };
        let record = &trace.served[index as usize];
        let conn = conversations.at(Transport::Tcp, record.remote, record.local, EventId(id));
        let Some(conn) = conn else { continue };
        // What a proxy passed on was answered by the server behind it.
        let behind = record.relayed.and_then(|(own, server)| {
            let conn = conversations.at(Transport::Tcp, own, server, EventId(id))?;
            waiting.get_mut(&conn)?.pop_front()
        });
        waiting.entry(conn).or_default().push_back(behind.unwrap_or(index as usize));
    }
    let mut ends = vec![None; trace.requests.len()];
    for (event, id) in trace.events.iter().zip(0..) {
        if let Kind::RequestEnded(index) = event.kind {
            ends[index as usize] = Some(EventId(id));
        }
    }
    let last = EventId(trace.events.len() as u32);
    let requests = trace.requests.iter().zip(ends);
    requests
        .map(|(request, end)| {
            let (client, asked) = (request.client?, request.asked?);
            let conn = conversations.at(Transport::Tcp, client, asked, end.unwrap_or(last))?;
            waiting.get_mut(&conn)?.pop_front()
        })
        .collect()
}

/// The host that answered each request.
pub fn hosts(trace: &Trace, conversations: &Conversations) -> Vec<Option<NodeId>> {
    let found = answers(trace, conversations);
    found.into_iter().map(|index| index.map(|index| trace.served[index].node)).collect()
}
