//! Typed lines and what came back, as a terminal shows them.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use pcap_out::layout::pad;
use pcap_out::story::{Archive, millis};
use sim_core::base::id::NodeId;
use sim_core::trace::Trace;
use sim_core::trace::record::{CommandRecord, Outcome};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// Runs of one line longer than this are shortened.
const REPEATS_MAX: usize = 8;
const OUTPUT_LINES_MAX: usize = 60;
const INDENT: &str = "          ";

/// Shows every line that the script typed; of the boot, all lines or only those that failed.
pub(crate) fn show(screen: &mut Screen, archive: &Archive, boot: bool) -> Result<(), Failure> {
    let all: Vec<(usize, &CommandRecord)> = archive.trace.commands.iter().enumerate().collect();
    let left_out = all.iter().filter(|(_, command)| command.boot && !boot && !failed(command)).count();
    if left_out > 0 {
        let lines = if left_out == 1 { "1 line was".to_string() } else { format!("{left_out} lines were") };
        let text = format!("{} s  {lines} typed at boot (--boot shows them)", pad_left("0.000", 6));
        screen.line(&screen.ink(Ink::Faint, &text))?;
    }
    let shown: Vec<(usize, &CommandRecord)> =
        all.into_iter().filter(|(_, command)| !command.boot || boot || failed(command)).collect();
    let requests = requests_by_line(archive.trace);
    let mut at = 0;
    while at < shown.len() {
        let same = shown[at..].iter().take_while(|(_, other)| is_same(other, shown[at].1)).count();
        let count = if same > REPEATS_MAX { 4 } else { same };
        for (index, command) in &shown[at..at + count] {
            one(screen, archive, &requests[*index], command)?;
        }
        if count < same {
            rest(screen, archive, &requests, &shown[at + count..at + same])?;
        }
        at += same;
    }
    Ok(())
}

fn is_same(a: &CommandRecord, b: &CommandRecord) -> bool {
    a.node == b.node && a.text == b.text && a.boot == b.boot
}

fn failed(command: &CommandRecord) -> bool {
    command.exit.is_some_and(|exit| exit != 0)
}

fn one(screen: &mut Screen, archive: &Archive, requests: &[usize], command: &CommandRecord) -> Result<(), Failure> {
    let prompt = format!("[root@{} ~]#", archive.trace.node_name(command.node));
    let time = pad_left(&seconds(command.started.nanos()), 6);
    let mut typed = command.text.lines();
    let first = typed.next().unwrap_or_default();
    let prompt = screen.ink(Ink::Faint, &prompt);
    screen.line(&format!("{time} s  {prompt} {}", screen.ink(Ink::Strong, first)))?;
    for line in typed {
        screen.line(&format!("{INDENT}> {}", screen.ink(Ink::Strong, line)))?;
    }
    let mut lines: Vec<&str> = command.stdout.lines().chain(command.stderr.lines()).collect();
    let left_out = lines.len().saturating_sub(OUTPUT_LINES_MAX);
    lines.truncate(OUTPUT_LINES_MAX);
    let mark = mark(archive, requests);
    let last = lines.len().saturating_sub(1);
    if lines.is_empty() && !mark.is_empty() {
        lines.push("");
    }
    for (line, number) in lines.iter().zip(0..) {
        let line = printable(line);
        match (number == last, mark.is_empty()) {
            (true, false) => {
                let room = screen.width.saturating_sub(INDENT.len() + mark.width() + 2);
                let mark = screen.ink(Ink::Name, &mark);
                screen.line(&format!("{INDENT}{}  {mark}", pad(&line, room)))?;
            }
            (true, true) | (false, _) => screen.line(&format!("{INDENT}{line}"))?,
        }
    }
    if left_out > 0 {
        screen.line(&format!("{INDENT}… {left_out} more lines (--report F.json has them)"))?;
    }
    match command.exit {
        Some(0) => Ok(()),
        Some(code) => screen.line(&format!("{INDENT}{}", screen.ink(Ink::Bad, &format!("exit status {code}")))),
        None => {
            let note = match command.ended {
                Some(_) => "(its machine was switched off)",
                None => "(still running when the run ended)",
            };
            screen.line(&format!("{INDENT}{}", screen.ink(Ink::Faint, note)))
        }
    }
}

/// Who served the requests of this line: `server6   1.83 ms`, or a count per host.
fn mark(archive: &Archive, requests: &[usize]) -> String {
    match requests {
        [] => String::new(),
        [one] => {
            let request = &archive.trace.requests[*one];
            let (Some(ended), Outcome::Answered { .. }) = (request.ended, &request.outcome) else {
                return String::new();
            };
            let took = millis(ended.since(request.started).nanos());
            let by = archive.servers[*one].map_or("", |node| archive.trace.node_name(node));
            format!("{by}   {}", pad_left(&took, 8)).trim().to_string()
        }
        many => tally(archive, many),
    }
}

/// The requests of each line: a request belongs to the line on its host that was typed last and still ran when the
/// request began.
fn requests_by_line(trace: &Trace) -> Vec<Vec<usize>> {
    let mut lines: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
    for (index, command) in trace.commands.iter().enumerate() {
        lines.entry(command.node).or_default().push(index);
    }
    let mut found = vec![Vec::new(); trace.commands.len()];
    for (index, request) in trace.requests.iter().enumerate() {
        let Some(own) = lines.get(&request.node) else { continue };
        let typed = own.partition_point(|line| trace.commands[*line].started <= request.started);
        let still_runs = |line: &&usize| trace.commands[**line].ended.is_none_or(|ended| ended >= request.started);
        let line = own[..typed].iter().rev().take(LOOK_BACK).find(still_runs);
        if let Some(line) = line {
            found[*line].push(index);
        }
    }
    found
}

/// How many lines of a host may run side by side for a request to be told apart.
const LOOK_BACK: usize = 256;

/// `20 requests: server5 10, server6 10`.
fn tally(archive: &Archive, requests: &[usize]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for index in requests {
        let answered = matches!(archive.trace.requests[*index].outcome, Outcome::Answered { .. });
        let by = archive.servers[*index].filter(|_| answered);
        let name = by.map_or(if answered { "?" } else { "failed" }.to_string(), |node| {
            archive.trace.node_name(node).to_string()
        });
        *counts.entry(name).or_default() += 1;
    }
    let list: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!("{} requests: {}", requests.len(), list.join(", "))
}

/// The rest of a long run of one line, in one line.
fn rest(
    screen: &mut Screen,
    archive: &Archive,
    requests: &[Vec<usize>],
    commands: &[(usize, &CommandRecord)],
) -> Result<(), Failure> {
    let requests: Vec<usize> = commands.iter().flat_map(|(index, _)| requests[*index].iter().copied()).collect();
    let wrong = commands.iter().filter(|(_, command)| failed(command)).count();
    let mut text = format!("… the same {} times more", commands.len());
    if wrong > 0 {
        text.push_str(&format!(", {wrong} with an exit status other than 0"));
    }
    if !requests.is_empty() {
        text.push_str(&format!(": {}", tally(archive, &requests)));
    }
    screen.line(&format!("{INDENT}{}", screen.ink(Ink::Faint, &text)))
}

/// `1.000`.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03}", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000_000)
}

fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// Without what would move the cursor of the reader's terminal.
fn printable(line: &str) -> String {
    let line = line.replace('\t', "        ");
    line.trim_end().chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}
