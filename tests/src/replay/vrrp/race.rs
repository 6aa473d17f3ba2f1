//! A case whose outcome is a race, played with another of its recorded outcomes than the one whose files lie there. Up to
//! the race everything is compared as ever; from then on, what does not depend on who wins: addresses, adverts, batches of
//! gratuitous ARPs, what the client loses, the lines of a takeover, and that nobody says what no recorded node says.

use super::super::unit::Difference;
use super::judge;
use super::lines;
use super::story::{Micros, Story};
use super::timeline::{Timeline, bursts};
use std::collections::BTreeSet;

/// Adverts and the like are some milliseconds apart on either side.
const BEFORE: Micros = 10_000;

/// Where the played case differs from a recorded one that another node won.
pub(super) fn differ(recorded: &Story, played: &Story) -> Vec<Difference> {
    let (there, here) = (recorded.masters_at(), played.masters_at());
    let same = there.iter().zip(&here).take_while(|((_, a), (_, b))| a == b).count();
    let times = [there.get(same), here.get(same)].into_iter().flatten().map(|(at, _)| *at);
    let until = times.min().unwrap_or(recorded.end) - BEFORE;
    let mut found = judge::differ(&before(recorded, until), &before(played, until));
    found.extend(after(recorded, played));
    found
}

/// What happened until then. Nothing has ended yet.
fn before(story: &Story, until: Micros) -> Story {
    let mut story = story.clone();
    story.end = until;
    for lines in story.logs.values_mut() {
        lines.retain(|(at, _)| *at < until);
    }
    story.frames.retain(|(at, ..)| *at < until);
    story.addresses.clear();
    story.entries.clear();
    story.notified.clear();
    for (_, echoes) in &mut story.echoes {
        echoes.retain(|(_, at, _)| *at < until);
    }
    story
}

/// What holds whoever wins.
fn after(recorded: &Story, played: &Story) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field: &str, there: String, here: String| {
        if there != here {
            found.push(Difference { field: field.to_owned(), expected: there, observed: here });
        }
    };
    // One of the nodes has the virtual addresses.
    let addresses = |story: &Story| {
        let mut all: Vec<&str> = story.addresses.values().flatten().map(String::as_str).collect();
        all.sort_unstable();
        all.join(", ")
    };
    compare("race: addresses at the end, on all nodes", addresses(recorded), addresses(played));
    let lines = (Timeline::of(recorded), Timeline::of(played));
    let owner = |story: &Story, line: &Timeline| {
        let masters = story.nodes.iter().filter(|node| line.is_master_at_the_end(node)).count();
        format!("{masters} masters")
    };
    compare("race: masters at the end", owner(recorded, &lines.0), owner(played, &lines.1));
    let adverts = |line: &Timeline| {
        let packets = line.adverts.values().flatten().filter(|advert| advert.priority != 0);
        packets.map(|advert| without_sender(&advert.packet)).collect::<BTreeSet<_>>()
    };
    compare("race: adverts but for their sender", shown(&adverts(&lines.0)), shown(&adverts(&lines.1)));
    // A master that heard of another at once announces twice: whole batches, as long as the recorded ones.
    let batch = |address: &str| {
        let own = lines.0.garps.iter().filter(|((_, known), _)| known == address);
        own.flat_map(|(_, times)| bursts(times)).map(|(_, count)| count).min().unwrap_or(0)
    };
    for ((node, address), times) in &lines.1.garps {
        let batch = batch(address);
        let broken = bursts(times).into_iter().find(|(_, count)| batch == 0 || count % batch != 0);
        if let Some((_, count)) = broken {
            let field = format!("race: gratuitous ARPs of {node} for {address}");
            compare(&field, format!("batches of {batch}"), count.to_string());
        }
    }
    compare("race: what a new master says", shown_lines(&takeovers(recorded)), shown_lines(&takeovers(played)));
    let known: BTreeSet<String> = all_lines(recorded).chain(BY_RACES.map(str::to_owned)).collect();
    let strange: BTreeSet<String> = all_lines(played).filter(|line| !known.contains(line)).collect();
    compare("race: lines that no recorded node says", String::new(), shown_lines(&strange));
    found.extend(judge::lost_echoes(recorded, played));
    found
}

/// What masters that meet say, in each outcome of a race or in another.
const BY_RACES: [&str; 7] = [
    "(VI_#) Receive advertisement timeout",
    "(VI_#) Entering BACKUP STATE",
    "(VI_#) removing VIPs.",
    "(VI_#) received lower priority (#) advert from # - discarding",
    "(VI_#) Received advert from # with lower priority #, ours #, forcing new election",
    "(VI_#) Master received advert from # with higher priority #, ours #",
    "(VI_#) Master received advert from # with same priority # but higher IP address than ours",
];

/// The lines from `Entering MASTER STATE` to the end of its gratuitous ARPs, of each takeover.
fn takeovers(story: &Story) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for lines in story.logs.values() {
        for (at, _) in lines.iter().enumerate().filter(|(_, (_, text))| text.ends_with("Entering MASTER STATE")) {
            let is_part = |text: &str| text.contains("setting ") || text.contains("gratuitous ARP");
            let part = lines[at + 1..].iter().take_while(|(_, text)| is_part(text)).map(|(_, text)| text);
            // A second batch that follows without another line between begins with an address that was named.
            let mut named = BTreeSet::new();
            let batch: Vec<String> = part
                .take_while(|text| !text.contains("Sending/queueing") || named.insert((*text).clone()))
                .map(|text| plain(text))
                .collect();
            found.insert(batch.join(" / "));
        }
    }
    found
}

fn all_lines(story: &Story) -> impl Iterator<Item = String> {
    story.logs.values().flat_map(|lines| lines::canonical(lines)).map(|line| plain(&line))
}

/// A line without its numbers.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' => {
                if !plain.ends_with('#') {
                    plain.push('#');
                }
            }
            '.' if plain.ends_with('#') => {}
            c => plain.push(c),
        }
    }
    plain
}

fn shown_lines(lines: &BTreeSet<String>) -> String {
    lines.iter().cloned().collect::<Vec<_>>().join(" | ")
}

/// An advert's packet without source, priority and sum of the body.
fn without_sender(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    for range in [12..16, 22..23, 26..28] {
        packet.get_mut(range).into_iter().flatten().for_each(|octet| *octet = 0);
    }
    packet
}

fn shown(packets: &BTreeSet<Vec<u8>>) -> String {
    let hex = |packet: &Vec<u8>| packet.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    packets.iter().map(hex).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two nodes that both announce 10.0.0.100 when they become master; `winner` does.
    fn story(winner: &str, address: &str) -> Story {
        let mut story = Story { nodes: vec!["n1".into(), "n2".into()], end: 10_000_000, ..Story::default() };
        for node in ["n1", "n2"] {
            let begin = (100_000, "(VI_1) Entering BACKUP STATE (init)".to_owned());
            let mut lines = vec![begin];
            let mut own = vec!["eth0 10.0.0.11/24".to_owned()];
            if node == winner {
                lines.push((3_709_000, "(VI_1) Entering MASTER STATE".to_owned()));
                own.push(format!("eth0 {address}/24"));
            }
            story.vrids.insert((node.into(), "VI_1".into()), 51);
            story.logs.insert(node.into(), lines);
            story.addresses.insert(node.into(), own);
        }
        story
    }

    #[test]
    fn who_wins_a_race_is_free_and_nothing_else_is() {
        let recorded = story("n1", "10.0.0.100");
        assert_eq!(differ(&recorded, &story("n2", "10.0.0.100")), Vec::new());
        let other_address = differ(&recorded, &story("n2", "10.0.0.101"));
        assert_eq!(other_address.len(), 1, "{other_address:?}");
        let mut early = story("n2", "10.0.0.100");
        early.logs.get_mut("n2").unwrap().insert(0, (1_000_000, "(VI_1) Entering FAULT STATE".to_owned()));
        assert!(!differ(&recorded, &early).is_empty());
        let mut strange = story("n2", "10.0.0.100");
        strange.logs.get_mut("n2").unwrap().push((5_000_000, "(VI_1) Entering FAULT STATE".to_owned()));
        assert!(!differ(&recorded, &strange).is_empty(), "what is said after the race is compared too");
        let mut silent = story("n2", "10.0.0.100");
        silent.logs.get_mut("n2").unwrap().push((3_710_000, "(VI_1) setting VIPs.".to_owned()));
        assert!(!differ(&recorded, &silent).is_empty(), "a takeover has the same lines");
    }
}
