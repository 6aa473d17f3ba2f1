//! Two masters of one virtual router that hear each other and believe nothing (another password, another list of
//! addresses). Each advert that one reads puts its own timer off by a whole interval, so that in each round the one whose
//! timer was set some microseconds earlier sends, and the other is silent: who, no recording of ours decides. That
//! somebody sends once an interval, what is sent, and that each advert heard is one line of the log is compared.

use super::lines;
use super::story::{Micros, Story};
use super::timeline::{Timeline, Transition};

/// Two masters that do not believe each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deaf {
    pub(super) nodes: (String, String),
    pub(super) vrid: u8,
    /// When the second of them became master.
    pub(super) from: Micros,
    until: Micros,
}

impl Deaf {
    pub(super) fn all(story: &Story, line: &Timeline) -> Vec<Deaf> {
        let mut found = Vec::new();
        for (a, node_a) in story.nodes.iter().enumerate() {
            for node_b in &story.nodes[a + 1..] {
                for (vrid, from, until) in masterships(line, node_a, story.end) {
                    let others = masterships(line, node_b, story.end).into_iter().filter(|(other, ..)| *other == vrid);
                    found.extend(others.filter_map(|(_, start, end)| {
                        let deaf = Deaf {
                            nodes: (node_a.clone(), node_b.clone()),
                            vrid,
                            from: from.max(start),
                            until: until.min(end),
                        };
                        (deaf.from < deaf.until && deaf.reject_each_other(story)).then_some(deaf)
                    }));
                }
            }
        }
        found
    }

    /// Whether an advert is one of those that either might send. The first of each is not.
    pub(super) fn covers(&self, node: &str, vrid: u8, at: Micros) -> bool {
        self.vrid == vrid && self.names(node) && at > self.from && at <= self.until
    }

    pub(super) fn names(&self, node: &str) -> bool {
        self.nodes.0 == node || self.nodes.1 == node
    }

    /// Whether lines of this time may be about it: they are stamped some milliseconds late.
    pub(super) fn lasts(&self, at: Micros) -> bool {
        const STAMP: Micros = 20_000;
        at >= self.from && at <= self.until + STAMP
    }

    /// When somebody sent; both within 10 ms are one round.
    pub(super) fn rounds(&self, line: &Timeline) -> Vec<Micros> {
        const ROUND: Micros = 10_000;
        let mut all: Vec<Micros> =
            [&self.nodes.0, &self.nodes.1].into_iter().flat_map(|n| self.sent(n, line)).collect();
        all.sort();
        all.dedup_by(|later, earlier| *later - *earlier <= ROUND);
        all
    }

    fn sent(&self, node: &str, line: &Timeline) -> Vec<Micros> {
        let own = line.adverts.get(&(node.to_owned(), self.vrid)).into_iter().flatten();
        own.map(|advert| advert.at).filter(|at| self.covers(node, self.vrid, *at)).collect()
    }

    fn rejections(&self, node: &str, story: &Story) -> usize {
        let lines = story.logs.get(node).into_iter().flatten();
        lines.filter(|(at, text)| self.lasts(*at) && lines::is_rejection(text)).count()
    }

    fn reject_each_other(&self, story: &Story) -> bool {
        self.rejections(&self.nodes.0, story) + self.rejections(&self.nodes.1, story) > 1
    }

    /// What is wrong: a node that heard more or fewer adverts than it complained about (one may be on its way at the
    /// end), or one whose adverts are not all the same.
    pub(super) fn inconsistent(&self, story: &Story, line: &Timeline) -> Vec<String> {
        let mut problems = Vec::new();
        for (node, other) in [(&self.nodes.0, &self.nodes.1), (&self.nodes.1, &self.nodes.0)] {
            // The advert with which the second became master was heard by the first.
            let (said, heard) = (self.rejections(node, story), self.sent(other, line).len());
            if said < heard || said > heard + 1 {
                problems.push(format!("{node} heard {heard} and said so {said} times"));
            }
            let own = line.adverts.get(&(node.clone(), self.vrid)).into_iter().flatten();
            let mut packets: Vec<&[u8]> =
                own.filter(|advert| advert.priority != 0).map(|advert| &advert.packet[..]).collect();
            packets.dedup();
            if packets.len() > 1 {
                problems.push(format!("{node} sent {} different adverts", packets.len()));
            }
        }
        problems
    }
}

/// Virtual router, from, until: the times as master.
fn masterships(line: &Timeline, node: &str, end: Micros) -> Vec<(u8, Micros, Micros)> {
    let changes: Vec<&Transition> = line.transitions.get(node).into_iter().flatten().collect();
    let mut found = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let Some(vrid) = change.vrid.filter(|_| change.state == "MASTER") else { continue };
        let next = changes[number + 1..].iter().find(|next| next.instance == change.instance);
        found.push((vrid, change.at, next.map_or(end, |next| next.at)));
    }
    found
}
