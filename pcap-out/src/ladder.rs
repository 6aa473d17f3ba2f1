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
    why: Vec<String>,
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
        None => "its first packet, which nobody answered",
    };
    let title = format!("The way of request {number} ({what}; what a host changed is in brackets)");
    let mut out = wrap(&title, width).join("\n") + "\n";
    out.push_str(&table(archive, &rungs, width));
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
fn table(archive: &Archive, rungs: &[Rung], columns: usize) -> String {
    let macs = ShortMacs::of(archive.trace);
    let with_ports =
        rungs.windows(2).any(|pair| !pair[1].begins_answer && pair[0].headers.ports != pair[1].headers.ports);
    let rows: Vec<[String; 9]> = rungs
        .iter()
        .enumerate()
        .map(|(index, rung)| {
            let before = index.checked_sub(1).filter(|_| !rung.begins_answer).map(|before| &rungs[before].headers);
            row(rung, before, &macs, with_ports)
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    // Number, arrows and gaps; what does not fit on one line goes on two.
    let fits = 26 + [0, 1, 2, 3, 4, 5, 6, 8].map(width).iter().sum::<usize>() <= columns;
    let gap = if fits { "  " } else { "\n       " };
    let mut out = String::new();
    for (row, number) in rows.iter().zip(1..) {
        let cell = |column: usize| pad(&row[column], width(column));
        let (eth, ip) = (
            format!("{} → {}", cell(2), cell(3)),
            format!("{} → {}", centred(&row[4], width(4)), centred(&row[5], width(5))),
        );
        let line = format!("{number:>3}  {} → {}  {eth}{gap}{ip}  ttl {}  {}", cell(0), cell(1), cell(6), cell(8));
        let _ = writeln!(out, "{}", line.trim_end());
        if !row[7].is_empty() {
            let _ = writeln!(out, "     {}", row[7]);
        }
    }
    out
}

/// `=` in the middle of its column, everything else at its left edge.
fn centred(text: &str, width: usize) -> String {
    if text == "=" { pad(&format!("{}=", " ".repeat(width.saturating_sub(1) / 2)), width) } else { pad(text, width) }
}

/// From, to, MACs, addresses, TTL, the outer header, codes.
fn row(rung: &Rung, before: Option<&Headers>, macs: &ShortMacs, with_ports: bool) -> [String; 9] {
    let headers = &rung.headers;
    let bracketed = |now: String, was: Option<String>| match was {
        Some(was) if was != now => format!("[{now}]"),
        Some(_) | None => format!(" {now} "),
    };
    let eth = |second: bool| {
        let of = |headers: &Headers| headers.eth.map(|eth| macs.show(if second { eth.1 } else { eth.0 }));
        bracketed(of(headers).unwrap_or_default(), before.and_then(of))
    };
    let end = |second: bool| {
        let of = |headers: &Headers| {
            let (source, destination) = headers.ip?;
            let address = if second { destination } else { source };
            let port = headers.ports.filter(|_| with_ports).map(|ports| if second { ports.1 } else { ports.0 });
            Some(port.map_or(address.to_string(), |port| format!("{address}:{port}")))
        };
        let (now, was) = (of(headers).unwrap_or_default(), before.and_then(of));
        if was.as_ref() == Some(&now) { "=".to_string() } else { bracketed(now, was) }
    };
    let ttl = |headers: &Headers| headers.ttl.map(|ttl| ttl.to_string());
    let article = if headers.tunnel == "IP" { "an" } else { "a" };
    let outer = headers.outer.map_or(String::new(), |(source, destination, _)| {
        format!("inside {article} {} packet {source} → {destination}", headers.tunnel)
    });
    [
        rung.from.clone(),
        rung.to.clone(),
        eth(false),
        eth(true),
        end(false),
        end(true),
        bracketed(ttl(headers).unwrap_or_default(), before.and_then(ttl)),
        outer,
        rung.why.join(", "),
    ]
}

/// What the host was for the packet, in a word or two: `rr, DR`.
fn codes(archive: &Archive, visit: &Visit) -> Vec<String> {
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
    let short = |why: Why| {
        let code = explain::code(archive.trace, why);
        let short = code.strip_prefix("IPVS.").unwrap_or(code);
        if matches!(why, Why::IpvsScheduled { .. }) { short.to_lowercase() } else { short.to_string() }
    };
    archive.decisions(visit).filter(|(_, why)| telling(why)).map(|(_, why)| short(why)).collect()
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

/// Why a packet ended where it did: if it was dropped, or if a host took it for an address that is not its installer's.
fn end_note(archive: &Archive, visit: &Visit) -> Option<String> {
    let name = archive.trace.node_name(visit.node);
    if visit.dropped.is_some() {
        let told = |why: &Why| matches!(why, Why::IcmpSent { .. } | Why::IcmpSuppressed);
        let (event, _) = archive.decisions(visit).filter(|(_, why)| !told(why)).last()?;
        return Some(format!("{name} dropped it: {}", said(archive, event)?));
    }
    let local = archive.decisions(visit).filter_map(|(_, why)| match why {
        Why::RouteLocal { address, .. } => Some(address),
        _ => None,
    });
    let taken = local.last()?;
    let mut cards = archive.trace.cast.ports.iter().filter(|card| card.node == visit.node);
    let is_installed = cards.any(|card| card.address.is_some_and(|net| net.addr() == taken));
    let opened = archive.decisions(visit).any(|(_, why)| matches!(why, Why::Decapsulated { .. }));
    let first = if opened { "opens the tunnel and " } else { "" };
    let note = format!("{name} {first}takes the packet, because {taken} is its own address too");
    (!is_installed).then_some(note)
}

fn said(archive: &Archive, event: EventId) -> Option<String> {
    explain::decision(archive.trace, event).map(|(_, sentence)| sentence)
}
