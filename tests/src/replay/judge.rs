//! What a host sent and showed in its replay, held against the recording, step by step.

use super::bench::Bench;
use super::canonical::Passing;
use super::node::Player;
use super::own::is_known;
use super::segment::{Arp, Packet};
use super::stage::{Sighting, prefix_address};
use super::unit::{Difference, Unit};
use super::{compare, view};
use crate::recording::history::Deed;
use sim_core::base::time::Instant;
use sim_core::wire::Ipv4Addr;
use std::collections::BTreeSet;

/// Compares the replay of one host.
pub(super) struct Judge<'a, 'b> {
    pub(super) player: &'b Player<'a>,
}

impl Judge<'_, '_> {
    /// Compares what the host sent, step by step.
    pub(super) fn frames(&self, observed: &[Sighting], units: &mut [Unit]) {
        let mut known: BTreeSet<(usize, Ipv4Addr)> = BTreeSet::new();
        let mut from = Instant::ZERO;
        for (step, unit) in self.player.stage.steps.iter().zip(units) {
            let within = |at: Instant| from < at && at <= step.until;
            let mut passing = Passing::default();
            self.player.received.iter().filter(|seen| within(seen.at)).for_each(|seen| passing.note(&seen.frame));
            if self.flushes(from, step.until) {
                known.clear();
            }
            let pick = |sent: &[Sighting], device: usize, arp: bool| -> Vec<Vec<u8>> {
                sent.iter()
                    .filter(|sent| within(sent.at) && sent.device == device)
                    .filter(|sent| Arp::of(&sent.frame).is_some() == arp && self.is_compared(sent, &known))
                    .map(|sent| passing.canonical(&sent.frame))
                    .collect()
            };
            for (device, port) in self.player.ports.iter().enumerate() {
                let place = format!("{}.{}", self.player.host, port.device);
                for arp in [true, false] {
                    let (mut left, mut right) = (pick(&self.player.recorded, device, arp), pick(observed, device, arp));
                    if arp {
                        // When a question goes out depends on when the packet behind it was ready.
                        left.sort();
                        right.sort();
                    }
                    compare::frames(&place, &left, &right, &mut unit.differences);
                }
            }
            for sent in self.player.recorded.iter().chain(observed).filter(|sent| within(sent.at)) {
                known.extend(self.neighbours_of(sent));
            }
            from = step.until;
        }
    }

    fn is_compared(&self, sent: &Sighting, known: &BTreeSet<(usize, Ipv4Addr)>) -> bool {
        const IGMP: u8 = 2;
        if let Some(arp) = Arp::of(&sent.frame) {
            let question = arp.is_question();
            return !question || (arp.destination.is_broadcast() && !known.contains(&(sent.device, arp.target)));
        }
        Packet::of(&sent.frame).is_some_and(|packet| packet.protocol != IGMP && !self.player.own.is_tcp(&packet))
    }

    /// The neighbours that a sent frame shows to be known from then on.
    fn neighbours_of(&self, sent: &Sighting) -> Vec<(usize, Ipv4Addr)> {
        if let Some(arp) = Arp::of(&sent.frame) {
            return vec![(sent.device, arp.target)];
        }
        let Some(packet) = Packet::of(&sent.frame) else {
            return Vec::new();
        };
        let port = self.player.stage.ports.iter().find(|port| port.mac == packet.destination_mac);
        let Some(port) = port else {
            return Vec::new();
        };
        let addresses = self.player.stage.history.events.iter().filter(|done| done.host.as_ref() == Some(&port.host));
        addresses
            .filter_map(|done| match &done.deed {
                Deed::Command { line, .. } => Some(line),
                _ => None,
            })
            .filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words[..] {
                    ["ip", "addr", "add", net, "dev", device] if device == port.device => prefix_address(net),
                    _ => None,
                }
            })
            .map(|address| (sent.device, address))
            .collect()
    }

    /// What was typed must end as it did on the real host, and what only looks must show the same.
    pub(super) fn commands(&self, bench: &Bench, units: &mut [Unit]) {
        let mut commands = bench.commands().iter().filter(|command| &*command.text != "(replay)");
        for done in self.player.deeds() {
            let line = match &done.deed {
                Deed::Command { line, .. } | Deed::View { line, .. } if is_known(line) => line,
                Deed::Sysctl { key, .. } if !key.starts_with("net.ipv6.") => key,
                _ => continue,
            };
            let Some(command) = commands.next() else {
                break;
            };
            let at = self.player.stage.instant(done.at_us);
            let said = format!("{}{}", command.stdout, command.stderr);
            let mut what = "command";
            let difference = match &done.deed {
                Deed::View { output, .. } => {
                    let step = self.player.stage.steps.iter().find(|step| at <= step.until);
                    let in_step = step.is_some_and(|step| step.from <= at);
                    view::differ(line, output, &said).filter(|_| in_step).map(|differs| {
                        what = if differs.late_only { "late" } else { "command" };
                        (differs.recorded, differs.observed)
                    })
                }
                // Whether a ping is answered is up to frames whose identifier is the recorded one, not ours.
                Deed::Command { line, .. } if line.starts_with("ping ") => None,
                Deed::Command { exit, .. } => ends_otherwise(*exit, command.exit, &said),
                _ => ends_otherwise(0, command.exit, &said),
            };
            let unit = self.player.stage.steps.iter().position(|step| at <= step.until).unwrap_or(units.len() - 1);
            units[unit].differences.extend(difference.map(|(expected, observed)| Difference {
                field: format!("{} {what} {line}", self.player.host),
                expected,
                observed,
            }));
        }
    }

    /// Whether the host's neighbours were forgotten between two instants.
    fn flushes(&self, from: Instant, until: Instant) -> bool {
        self.player.deeds().any(|done| {
            let at = self.player.stage.instant(done.at_us);
            let forgets = matches!(&done.deed, Deed::Command { line, .. }
                if line.starts_with("ip neigh flush") || (line.starts_with("ip link set") && line.ends_with("down")));
            forgets && from < at && at <= until
        })
    }
}

fn ends_otherwise(recorded: i64, observed: Option<i32>, said: &str) -> Option<(String, String)> {
    let same = observed.map(i64::from) == Some(recorded);
    (!same).then(|| (format!("exit status {recorded}"), format!("{observed:?} {}", said.trim())))
}
