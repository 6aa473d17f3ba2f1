//! The way of a request as a ladder: one line per cable, what changed at each host in brackets, and why below.
//!
//! ```text
//!   1  client  → router    eth  :01  →  :02     172.25.254.92 → 172.25.92.100    ttl  64
//!   2  router  → server4   eth [:03] → [:04]    =             → =                ttl [63]
//! ```

use crate::headers::{Headers, ShortMacs};
use crate::layout::{pad, wrap};
use crate::story::Archive;
use sim_core::base::id::{EventId, PacketId};
use sim_core::trace::journey::Visit;
use sim_core::trace::question::Question;
use sim_core::trace::{Why, explain};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// One step of a ladder.
struct Rung {
    from: String,
    to: String,
    headers: Headers,
    why: Vec<&'static str>,
    notes: Vec<String>,
    begins_answer: bool,
}

/// The ladder of request `number`, from 1, at most `width` columns wide; none if it sent no packet.
pub fn request(archive: &Archive, number: u32, width: usize) -> Option<String> {
    let story = archive.story(number)?;
    let mut rungs = Vec::new();
    for packet in [Some(story.first), story.answer].into_iter().flatten() {
        climb(archive, packet, &mut rungs);
    }
    let what = match story.answer {
        Some(_) => "its first packet and the answer",
        None => "its first packet; no answer came",
    };
    let mut out = format!("The way of request {number} ({what}; what a host changed is in brackets)\n");
    out.push_str(&table(archive, &rungs));
    for (rung, number) in rungs.iter().zip(1..) {
        for note in &rung.notes {
            let lines = wrap(note, width.saturating_sub(6));
            for (line, index) in lines.iter().zip(0..) {
                let label = if index == 0 { format!("{number:>3}: ") } else { "     ".to_string() };
                let _ = writeln!(out, "{label}{line}");
            }
        }
    }
    Some(out)
}

fn climb(archive: &Archive, packet: PacketId, rungs: &mut Vec<Rung>) {
    let visits = archive.way(packet);
    let begins_answer = !rungs.is_empty();
    for (visit, index) in visits.iter().zip(0..) {
        let Some(frame) = visit.sent.first().and_then(|event| archive.frame(*event)) else {
            if let (Some(note), Some(last)) = (end_note(archive, visit), rungs.last_mut()) {
                last.notes.push(note);
            }
            continue;
        };
        let next = visits[index + 1..].iter().find(|next| next.received.is_some());
        let to = next.map_or("nobody".to_string(), |next| archive.trace.node_name(next.node).to_string());
        let mut notes = question_notes(archive, visit);
        notes.extend(choice_notes(archive, visit));
        rungs.push(Rung {
            from: archive.trace.node_name(visit.node).to_string(),
            to,
            headers: Headers::of(&frame),
            why: codes(archive, visit),
            notes,
            begins_answer: begins_answer && index == 0,
        });
    }
}

/// The lines, in columns; a value that the host changed is in brackets, one that stayed is `=`.
fn table(archive: &Archive, rungs: &[Rung]) -> String {
    let macs = ShortMacs::of(archive.trace);
    let with_ports =
        rungs.windows(2).any(|pair| !pair[1].begins_answer && pair[0].headers.ports != pair[1].headers.ports);
    let rows: Vec<Vec<String>> = rungs
        .iter()
        .enumerate()
        .map(|(index, rung)| {
            let before = index.checked_sub(1).filter(|_| !rung.begins_answer).map(|before| &rungs[before].headers);
            row(rung, before, &macs, with_ports)
        })
        .collect();
    let widths: Vec<usize> =
        (0..7).map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for (row, number) in rows.iter().zip(1..) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width)).collect();
        let [from, to, macs, ends, ttl, outer, why] = cells.as_slice() else { continue };
        let line = format!("{number:>3}  {from} → {to}  {macs}  {ends}  {ttl}  {outer}  {why}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

fn row(rung: &Rung, before: Option<&Headers>, macs: &ShortMacs, with_ports: bool) -> Vec<String> {
    let headers = &rung.headers;
    let mark = |text: String, was: Option<bool>| match was {
        Some(true) => format!("[{text}]"),
        Some(false) | None => format!(" {text} "),
    };
    let eth = headers.eth.map_or(String::new(), |(source, destination)| {
        let changed = |now, was: Option<sim_core::wire::Mac>| was.map(|was| was != now);
        let (source_was, destination_was) =
            (before.and_then(|b| b.eth).map(|e| e.0), before.and_then(|b| b.eth).map(|e| e.1));
        format!(
            "{} → {}",
            mark(macs.show(source), changed(source, source_was)),
            mark(macs.show(destination), changed(destination, destination_was))
        )
    });
    let end = |headers: &Headers, second: bool| {
        let (source, destination) = headers.ip?;
        let address = if second { destination } else { source };
        let port = headers.ports.filter(|_| with_ports).map(|ports| if second { ports.1 } else { ports.0 });
        Some(port.map_or(address.to_string(), |port| format!("{address}:{port}")))
    };
    let side = |second| {
        let now = end(headers, second).unwrap_or_default();
        match before.and_then(|before| end(before, second)) {
            Some(was) if was != now => format!("[{now}]"),
            Some(_) => " = ".to_string(),
            None => format!(" {now} "),
        }
    };
    let ttl = headers.ttl.map_or(String::new(), |ttl| {
        format!("ttl {}", mark(ttl.to_string(), before.and_then(|b| b.ttl).map(|was| was != ttl)))
    });
    let outer =
        headers.outer.map_or(String::new(), |(source, destination, _)| format!("inside {source} → {destination}"));
    vec![
        rung.from.clone(),
        rung.to.clone(),
        eth,
        format!("{} → {}", side(false), side(true)),
        ttl,
        outer,
        rung.why.join(", "),
    ]
}

/// The codes that say what kind of host this was for the packet.
fn codes(archive: &Archive, visit: &Visit) -> Vec<&'static str> {
    let telling = |why: &Why| {
        matches!(
            why,
            Why::IpvsScheduled { .. }
                | Why::IpvsPersistent { .. }
                | Why::IpvsForward { .. }
                | Why::IpvsReply { .. }
                | Why::IpvsNoDestination { .. }
                | Why::Masqueraded { .. }
                | Why::Unmasqueraded { .. }
                | Why::Decapsulated { .. }
        )
    };
    archive.decisions(visit).filter(|(_, why)| telling(why)).map(|(_, why)| explain::code(archive.trace, why)).collect()
}

/// Who answered and who kept silent, where a host had to ask for an address that several hosts have.
fn question_notes(archive: &Archive, visit: &Visit) -> Vec<String> {
    let mut notes = Vec::new();
    for (event, why) in archive.decisions(visit) {
        let Why::ArpAsk { target, .. } = why else { continue };
        let Some(question) = Question::of(archive.trace, &archive.history, event) else { continue };
        notes.extend(question.own.iter().filter_map(|own| said(archive, *own)));
        if question.reactions.len() < 2 {
            continue;
        }
        let names = |answered: bool| {
            let list = question.reactions.iter().filter(|reaction| reaction.answered == answered);
            list.map(|reaction| archive.trace.node_name(reaction.node)).collect::<Vec<_>>().join(", ")
        };
        let silent = question.reactions.iter().find(|reaction| !reaction.answered);
        let answered = question.reactions.iter().filter(|reaction| reaction.answered).count();
        let only = if answered == 1 { "only " } else { "" };
        let mut note = format!("{only}{} answered \"who has {target}?\"", names(true));
        if let Some((code, _)) = silent.and_then(|silent| explain::decision(archive.trace, silent.decision)) {
            let _ = write!(note, "; {} kept silent ({code})", names(false));
        }
        notes.push(note);
    }
    notes
}

/// The director's choice and way, in full.
fn choice_notes(archive: &Archive, visit: &Visit) -> Vec<String> {
    let telling = |why: &Why| {
        matches!(
            why,
            Why::IpvsScheduled { .. } | Why::IpvsPersistent { .. } | Why::IpvsForward { .. } | Why::IpvsReply { .. }
        )
    };
    archive.decisions(visit).filter(|(_, why)| telling(why)).filter_map(|(event, _)| said(archive, event)).collect()
}

/// Why a packet ended where it did: only if that was not its destination's program.
fn end_note(archive: &Archive, visit: &Visit) -> Option<String> {
    let (event, _) = archive.decisions(visit).filter(|(_, why)| !matches!(why, Why::ArpLearned { .. })).last()?;
    let (_, sentence) = explain::decision(archive.trace, event)?;
    let name = archive.trace.node_name(visit.node);
    let verb = if visit.dropped.is_some() { "dropped it" } else { "took it" };
    Some(format!("{name} {verb}: {sentence}"))
}

fn said(archive: &Archive, event: EventId) -> Option<String> {
    explain::decision(archive.trace, event).map(|(_, sentence)| sentence)
}
