//! Laws that hold in every moment of a run.

use super::checksums;
use super::finding::Finding;
use crate::model::{Law, Model, Role};
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::Trace;
use sim_core::trace::conversation::Conversations;
use sim_core::trace::failover;
use sim_core::wire::dissect::mac_text;
use sim_core::wire::field::{FieldName, Protocol};
use sim_core::wire::{Ipv4Addr, Mac};
use std::collections::BTreeMap;

/// A law as a sentence.
pub(super) fn said(law: Law) -> String {
    let text = match law {
        Law::ChecksumsCorrect => "every checksum of every frame is right",
        Law::OneAnswererPerAddress => "no address is answered for by two machines",
        Law::OneServerPerConnection => "no connection reaches two real servers",
        Law::OneMaster { grace } => {
            return format!("no virtual address has two masters for longer than {grace}");
        }
    };
    text.to_string()
}

/// Whether a law holds in a run.
pub(super) fn finding(model: &Model, trace: &Trace, conversations: &Conversations, law: Law) -> Finding {
    match law {
        Law::ChecksumsCorrect => checksums_correct(model, trace),
        Law::OneAnswererPerAddress => one_answerer(model, trace),
        Law::OneServerPerConnection => one_server(model, trace, conversations),
        Law::OneMaster { grace } => one_master(model, trace, grace),
    }
}

fn checksums_correct(model: &Model, trace: &Trace) -> Finding {
    for frame in trace.captured_frames().filter(|frame| frame.bytes.len() == frame.length as usize) {
        if let Some(wrong) = checksums::wrong(&frame.bytes) {
            return Err(vec![
                format!("frame f{} at {} s: the {wrong} checksum is wrong", frame.number, frame.at),
                look(model, frame.number),
            ]);
        }
    }
    Ok(())
}

/// Two answers for one address that lie closer together than this answer the same question.
const SAME_QUESTION: Duration = Duration::from_secs(1);

fn one_answerer(model: &Model, trace: &Trace) -> Finding {
    let mut last: BTreeMap<Ipv4Addr, (Mac, Instant, u32)> = BTreeMap::new();
    for frame in trace.captured_frames().filter(|frame| frame.outbound) {
        let dissected = frame.dissect();
        let answers = dissected.number(FieldName::ArpOpcode) == Some(2);
        let said = dissected.address(FieldName::ArpSrcIp).zip(dissected.mac(FieldName::ArpSrcMac));
        let Some((address, mac)) = said.filter(|_| answers) else { continue };
        let before = last.insert(address, (mac, frame.at, frame.number));
        let Some((other, at, number)) = before else { continue };
        if other != mac && frame.at.since(at) < SAME_QUESTION {
            return Err(vec![
                format!("frame f{number} at {at} s says that {address} is at {}", mac_text(other)),
                format!("frame f{} at {} s says that it is at {}", frame.number, frame.at, mac_text(mac)),
                look(model, frame.number),
            ]);
        }
    }
    Ok(())
}

fn one_server(model: &Model, trace: &Trace, conversations: &Conversations) -> Finding {
    let is_server = |node: NodeId| model.hosts.get(node.index()).is_some_and(|host| host.role == Role::RealServer);
    let mut reached: BTreeMap<u32, NodeId> = BTreeMap::new();
    for frame in trace.captured_frames().filter(|frame| !frame.outbound && is_server(frame.node)) {
        let Some(conn) = conversations.of_frame(frame.number) else { continue };
        let dissected = frame.dissect();
        // A flooded copy reaches the card of a host that does not take it.
        let is_mine = dissected.mac(FieldName::EthDst) == trace.cast.ports[frame.port.index()].mac;
        if !is_mine || !dissected.has(Protocol::Tcp) || dissected.has(Protocol::Icmp) {
            continue;
        }
        let first = *reached.entry(conn).or_insert(frame.node);
        if first != frame.node {
            let (a, b) = (trace.node_name(first), trace.node_name(frame.node));
            return Err(vec![
                format!("connection {conn} reached {a}, and in frame f{} at {} s also {b}", frame.number, frame.at),
                look(model, frame.number),
            ]);
        }
    }
    Ok(())
}

fn one_master(model: &Model, trace: &Trace, grace: Duration) -> Finding {
    let account = failover::account(trace);
    if account.is_empty() {
        return Err(vec!["no host runs a virtual router".to_string()]);
    }
    let end = trace.steps.last().map_or(Instant::ZERO, |step| step.at);
    for vip in &account {
        let Some((since, length)) = failover::two_masters(vip, end).filter(|(_, length)| *length > grace) else {
            continue;
        };
        return Err(vec![
            format!("{} has two masters for {length}, from {since} s", vip.address),
            format!("look: lvslab timeline {}", model.name),
        ]);
    }
    Ok(())
}

fn look(model: &Model, frame: u32) -> String {
    format!("look: lvslab explain {} --frame {frame}", model.name)
}
