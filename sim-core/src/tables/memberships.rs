//! Which multicast groups a host has joined, by interface, and what it has to report of that (IGMPv3). Follows Linux
//! `net/ipv4/igmp.c`.
//!
//! ```text
//!   first socket joins, last one leaves ─► two ticks ─► report ─► up to 1 s at random ─► the same report again
//! ```
//! Every change is said twice (the robustness variable), and an interface has one timer for all its groups.
//!
//! # Not modelled
//! Queries and their answers, IGMPv1 and v2, lists of sources: no router of the lab asks, and switches flood every group.

use crate::base::id::IfaceId;
use crate::base::rng::Stream;
use crate::base::time::{Duration, Instant};
use crate::wire::Ipv4Addr;
use std::collections::BTreeMap;

/// The groups a host has joined.
#[derive(Debug, Default)]
pub struct Memberships {
    /// How many sockets have joined.
    counts: BTreeMap<(IfaceId, Ipv4Addr), u32>,
    /// What is still to be reported.
    reports: BTreeMap<IfaceId, Pending>,
}

/// What an interface still has to report.
#[derive(Debug, Default)]
struct Pending {
    /// Groups that were left, and how often that is still to be said; then those that were joined.
    news: BTreeMap<(News, Ipv4Addr), u8>,
    /// How many more reports.
    rounds: u8,
    /// When the next goes out; none: two ticks after the change.
    due: Option<Instant>,
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// The host has left it.
    Left,
    /// The host has joined it.
    Joined,
}

/// A report that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// By which interface.
    pub iface: IfaceId,
    /// The groups, and what became of them.
    pub records: Vec<(News, Ipv4Addr)>,
}

/// Groups that a host may join on all its interfaces together.
const MEMBERSHIPS_MAX: usize = 4096;

/// How often a change is said.
const ROBUSTNESS: u8 = 2;

/// A tick of the kernel's clock (250 a second), and the least that its timer for reports takes.
const TICK: Duration = Duration::from_millis(4);
const TICKS: Duration = Duration::from_millis(8);
const TICKS_PER_SECOND: u64 = 250;

/// All systems on this link (RFC 1112): every host is a member.
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

impl Memberships {
    /// One more socket listens to `group` on an interface. False if it is no group, or there are too many.
    pub fn join(&mut self, iface: IfaceId, group: Ipv4Addr) -> bool {
        if !group.is_multicast() || self.counts.len() >= MEMBERSHIPS_MAX {
            return false;
        }
        let count = self.counts.entry((iface, group)).or_insert(0);
        *count += 1;
        if *count == 1 {
            self.note(iface, group, News::Joined);
        }
        true
    }

    /// One socket less listens. False if none did.
    pub fn leave(&mut self, iface: IfaceId, group: Ipv4Addr) -> bool {
        let Some(count) = self.counts.get_mut(&(iface, group)) else { return false };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&(iface, group));
            self.note(iface, group, News::Left);
        }
        true
    }

    /// An interface is up again: its groups are reported anew.
    pub fn came_up(&mut self, iface: IfaceId) {
        let groups: Vec<Ipv4Addr> =
            self.counts.keys().filter(|(of, _)| *of == iface).map(|(_, group)| *group).collect();
        for group in groups {
            self.note(iface, group, News::Joined);
        }
    }

    fn note(&mut self, iface: IfaceId, group: Ipv4Addr, news: News) {
        if group == ALL_SYSTEMS {
            return;
        }
        let pending = self.reports.entry(iface).or_default();
        pending.news.remove(&(News::Left, group));
        pending.news.remove(&(News::Joined, group));
        pending.news.insert((news, group), ROBUSTNESS);
        (pending.rounds, pending.due) = (ROBUSTNESS, None);
    }

    /// Sets the time of what was not there before this turn.
    pub fn heed(&mut self, now: Instant) {
        for pending in self.reports.values_mut() {
            pending.due.get_or_insert(now + TICKS);
        }
    }

    /// A report whose time has come.
    pub fn next_report(&mut self, now: Instant, rng: &mut Stream) -> Option<Report> {
        let (iface, pending) = self.reports.iter_mut().find(|(_, one)| one.due.is_some_and(|due| due <= now))?;
        let iface = *iface;
        let records = pending.news.keys().copied().collect();
        pending.news.retain(|_, left| {
            *left -= 1;
            *left > 0
        });
        pending.rounds -= 1;
        if pending.rounds == 0 {
            self.reports.remove(&iface);
        } else {
            pending.due = Some(now + TICKS + TICK.times(rng.below(TICKS_PER_SECOND)));
        }
        Some(Report { iface, records })
    }

    /// When the next report is due.
    pub fn next_wake(&self) -> Option<Instant> {
        self.reports.values().filter_map(|pending| pending.due).min()
    }

    /// Whether packets to `group` are taken on an interface.
    pub fn holds(&self, iface: IfaceId, group: Ipv4Addr) -> bool {
        group == ALL_SYSTEMS || self.counts.contains_key(&(iface, group))
    }

    /// The groups that were joined, by interface, and by how many sockets.
    pub fn iter(&self) -> impl Iterator<Item = (IfaceId, Ipv4Addr, u32)> {
        self.counts.iter().map(|((iface, group), count)| (*iface, *group, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

    #[test]
    fn a_group_is_held_until_the_last_socket_has_left_it() {
        let (eth0, eth1) = (IfaceId(2), IfaceId(3));
        let mut memberships = Memberships::default();
        assert!(memberships.join(eth0, GROUP) && memberships.join(eth0, GROUP));
        assert!(!memberships.holds(eth1, GROUP));
        assert!(memberships.leave(eth0, GROUP) && memberships.holds(eth0, GROUP));
        assert!(memberships.leave(eth0, GROUP) && !memberships.holds(eth0, GROUP));
        assert!(!memberships.leave(eth0, GROUP));
    }

    #[test]
    fn every_host_listens_to_all_systems_and_no_host_is_a_member_of_a_single_address() {
        let mut memberships = Memberships::default();
        assert!(memberships.holds(IfaceId(2), ALL_SYSTEMS));
        assert!(!memberships.join(IfaceId(2), Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn a_change_is_reported_twice_and_what_was_left_stands_before_what_was_joined() {
        let (eth0, other) = (IfaceId(2), Ipv4Addr::new(224, 0, 0, 81));
        let mut rng = Stream::named(1, "node/n1");
        let mut memberships = Memberships::default();
        memberships.join(eth0, GROUP);
        memberships.join(eth0, GROUP);
        assert_eq!(memberships.next_wake(), None);
        memberships.heed(Instant::ZERO);
        let first = memberships.next_wake().expect("a report is due");
        assert_eq!(first, Instant::ZERO + TICKS);
        assert_eq!(memberships.next_report(Instant::ZERO, &mut rng), None);
        let report = memberships.next_report(first, &mut rng).expect("it is due");
        assert_eq!(report.records, [(News::Joined, GROUP)]);
        let again = memberships.next_wake().expect("it is said twice");
        assert!(again >= first + TICKS && again < first + Duration::from_millis(1_008));
        memberships.join(eth0, other);
        memberships.leave(eth0, GROUP);
        memberships.leave(eth0, GROUP);
        memberships.heed(first);
        let mut said = Vec::new();
        while let Some(due) = memberships.next_wake() {
            said.push(memberships.next_report(due, &mut rng).expect("it is due").records);
        }
        let both = vec![(News::Left, GROUP), (News::Joined, other)];
        assert_eq!(said, [both.clone(), both]);
    }
}
