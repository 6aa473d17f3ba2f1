//! Compares a case as it was recorded with the case as it was played.
//!
//! A time is compared with the time since whatever may have led to it, within 10 ms. A process of the recording that was
//! woken late says so in the field's name; how late it may be and how often stands here.

use super::super::unit::Difference;
use super::deaf::Deaf;
use super::lines;
use super::story::{Echo, Micros, Story};
use super::timeline::{About, Advert, Causes, Timeline, Transition, bursts, periods};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What is compared in time may differ by so much.
const TOLERANCE: Micros = 10_000;
/// The machine that recorded was shared: now and then everything on it stood still for a moment (the client, which sends
/// ten times a second, was up to 134 ms late itself), or one process did. What was due then was late, never early, and not
/// by more than this.
const LATE_MAX: Micros = 130_000;
/// How often in a case. What is late every time has another reason.
const LATE_OFTEN: usize = 6;
/// A client that was told nothing believes its entry for at most 45 s, then asks the old address for 5 s and 3 s more,
/// ten echoes a second.
const BELIEVED_MAX: u32 = 545;

/// Where the played case differs.
pub(super) fn differ(recorded: &Story, played: &Story) -> Vec<Difference> {
    let mut judge = Judge::new(recorded, played);
    judge.transitions();
    judge.adverts();
    judge.announcements();
    judge.ends();
    judge.found.extend(lost_echoes(recorded, played));
    judge.logs();
    if judge.late.len() > LATE_OFTEN {
        let late = judge.late.len();
        judge.note("late times", format!("at most {LATE_OFTEN}"), late);
    }
    judge.found
}

/// How a field's name ends whose time was recorded late.
const LATE: &str = " (recorded late)";

struct Judge<'a> {
    stories: (&'a Story, &'a Story),
    recorded: Timeline,
    played: Timeline,
    deaf: (Vec<Deaf>, Vec<Deaf>),
    /// When something was late in the recording; what followed from it within the same moment counts as one.
    late: Vec<Micros>,
    found: Vec<Difference>,
}

impl<'a> Judge<'a> {
    fn new(recorded: &'a Story, played: &'a Story) -> Self {
        let lines = (Timeline::of(recorded), Timeline::of(played));
        let deaf = (Deaf::all(recorded, &lines.0), Deaf::all(played, &lines.1));
        Judge {
            stories: (recorded, played),
            recorded: lines.0,
            played: lines.1,
            deaf,
            late: Vec::new(),
            found: Vec::new(),
        }
    }

    fn note(&mut self, field: impl Display, expected: impl Display, observed: impl Display) {
        self.found.push(Difference {
            field: field.to_string(),
            expected: expected.to_string(),
            observed: observed.to_string(),
        });
    }

    // ── times ──

    /// Notes a difference if nothing that may have led to the two things is equally far back.
    fn time(&mut self, field: impl Display, node: &str, of: About, recorded: Micros, played: Micros) {
        let there = self.recorded.causes(node, of, recorded);
        let here = self.played.causes(node, of, played);
        let pairs = there.iter().filter_map(|(cause, there)| Some(there - here.get(cause)?));
        let nearest = pairs.chain([recorded - played]).min_by_key(|late| late.abs()).unwrap_or(0);
        if nearest.abs() <= TOLERANCE || self.is_put_off_alike(node, of.vrid(), recorded, played) {
            return;
        }
        let is_late = nearest > 0 && nearest <= LATE_MAX;
        if is_late && self.late.iter().all(|at| (at - recorded).abs() > LATE_MAX) {
            self.late.push(recorded);
        }
        let shown = |at: Micros, causes: &Causes| {
            let since: Vec<String> =
                causes.iter().map(|(cause, since)| format!("{cause:?} {}", seconds(*since))).collect();
            format!("{} (since {})", seconds(at), since.join(", "))
        };
        let field = format!("{field}{}", if is_late { LATE } else { "" });
        self.note(field, shown(recorded, &there), shown(played, &here));
    }

    /// With `vrrp_startup_delay`, each advert that is heard before its end puts the end of the wait off by the time that
    /// is left: it ends at (adverts + 1) × the end of the delay + `master_down` - the times of the adverts. The start of a
    /// process is known to some 5 ms, and counts once more for each advert.
    fn is_put_off_alike(&self, node: &str, vrid: Option<u8>, recorded: Micros, played: Micros) -> bool {
        const START_KNOWN: Micros = 5_000;
        let story = self.stories.0;
        let (Some(delay), Some(start)) = (story.startup_delays.get(node), story.started_before(node, recorded)) else {
            return false;
        };
        let own =
            story.vrids.iter().filter(|((of, _), of_vrid)| of == node && vrid.is_none_or(|vrid| vrid == **of_vrid));
        own.map(|(_, vrid)| *vrid).any(|vrid| {
            let heard = |line: &Timeline| line.heard_between(node, vrid, start, start + delay);
            let (there, here) = (heard(&self.recorded), heard(&self.played));
            let shift: Micros = there.iter().zip(&here).map(|(there, here)| there - here).sum();
            self.recorded.is_first_mastership(node, vrid, start, recorded)
                && there.len() == here.len()
                && (recorded - played + shift).abs() <= TOLERANCE + START_KNOWN * there.len() as Micros
        })
    }

    fn transitions(&mut self) {
        for node in self.recorded.transitions.keys().cloned().collect::<Vec<_>>() {
            let there = self.recorded.transitions[&node].clone();
            let here = self.played.transitions.get(&node).cloned().unwrap_or_default();
            let list = |changes: &[Transition]| {
                let words =
                    changes.iter().map(|change| format!("{} {} {}", seconds(change.at), change.instance, change.state));
                words.collect::<Vec<_>>().join(", ")
            };
            let what = |changes: &[Transition]| {
                let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for change in changes {
                    keys.entry(change.instance.clone()).or_default().push(change.state.clone());
                }
                keys
            };
            if what(&there) != what(&here) {
                self.note(format!("{node} transitions"), list(&there), list(&here));
                continue;
            }
            for instance in what(&there).into_keys() {
                let own = |changes: &[Transition]| -> Vec<Transition> {
                    changes.iter().filter(|change| change.instance == instance).cloned().collect()
                };
                for (number, (there, here)) in own(&there).iter().zip(own(&here)).enumerate() {
                    let field = format!("{node} {instance} transition {number} to {}", there.state);
                    self.transition(field, &node, there, &here);
                }
            }
        }
    }

    /// The first state of a process that was started is where the replay puts it.
    fn transition(&mut self, field: String, node: &str, there: &Transition, here: &Transition) {
        const START: Micros = 1_000_000;
        let started = self.stories.0.started_before(node, there.at);
        if there.is_first && here.is_first && started.is_some_and(|start| there.at - start < START) {
            return;
        }
        self.time(field, node, About::Router(there.vrid), there.at, here.at);
    }

    // ── adverts ──

    fn adverts(&mut self) {
        let mut keys: Vec<(String, u8)> = self.recorded.adverts.keys().cloned().collect();
        keys.extend(self.played.adverts.keys().cloned());
        keys.sort();
        keys.dedup();
        for key in keys {
            let (node, vrid) = (&key.0, key.1);
            let own = |line: &Timeline, deaf: &[Deaf]| -> Vec<Advert> {
                let list = line.adverts.get(&key).cloned().unwrap_or_default();
                list.into_iter().filter(|advert| !deaf.iter().any(|deaf| deaf.covers(node, vrid, advert.at))).collect()
            };
            let there = periods(&own(&self.recorded, &self.deaf.0));
            let here = periods(&own(&self.played, &self.deaf.1));
            let name = format!("{node} adverts of {vrid}");
            if there.len() != here.len() {
                let show = |periods: &[Vec<Advert>]| {
                    let words = periods.iter().map(|period| {
                        let from = period.first().map_or(0, |advert| advert.at);
                        format!("{} from {}", period.len(), seconds(from))
                    });
                    words.collect::<Vec<_>>().join(", ")
                };
                self.note(format!("{name}: periods"), show(&there), show(&here));
                continue;
            }
            for (number, (there, here)) in there.iter().zip(&here).enumerate() {
                self.period(&format!("{name}: period {number}"), node, vrid, there, here);
            }
        }
        self.deaf_adverts();
    }

    fn period(&mut self, name: &str, node: &str, vrid: u8, there: &[Advert], here: &[Advert]) {
        if there.len().abs_diff(here.len()) > 1 {
            self.note(format!("{name} count"), there.len(), here.len());
        }
        for (number, (a, b)) in there.iter().zip(here).enumerate() {
            if a.packet != b.packet {
                self.note(format!("{name} advert {number} bytes"), hex(&a.packet), hex(&b.packet));
                return;
            }
            let (before_a, before_b) = match number {
                0 => {
                    self.time(format!("{name} begins"), node, About::Router(Some(vrid)), a.at, b.at);
                    continue;
                }
                _ => (&there[number - 1], &here[number - 1]),
            };
            let steps = |now: &Advert, before: &Advert| {
                (now.id.wrapping_sub(before.id), now.sequence.wrapping_sub(before.sequence))
            };
            let (steps_a, steps_b) = (steps(a, before_a), steps(b, before_b));
            if steps_a != steps_b {
                self.note(format!("{name} advert {number} id"), format!("{steps_a:?}"), format!("{steps_b:?}"));
            }
            if ((a.at - before_a.at) - (b.at - before_b.at)).abs() > TOLERANCE {
                self.time(
                    format!("{name} advert {number} of priority {}", a.priority),
                    node,
                    About::Router(Some(vrid)),
                    a.at,
                    b.at,
                );
            }
        }
    }

    /// Of masters that do not believe each other: which of them sends is free, that one does in each round is not.
    fn deaf_adverts(&mut self) {
        let (there, here) = (self.deaf.0.clone(), self.deaf.1.clone());
        if there.len() != here.len() {
            return self.note("masters that do not believe each other", there.len(), here.len());
        }
        for (there, here) in there.iter().zip(&here) {
            let name = format!("{} and {}, deaf to each other as {}", there.nodes.0, there.nodes.1, there.vrid);
            for problem in there.inconsistent(self.stories.0, &self.recorded) {
                self.note(format!("{name}, recorded"), "one line for each advert heard", problem);
            }
            for problem in here.inconsistent(self.stories.1, &self.played) {
                self.note(format!("{name}, played"), "one line for each advert heard", problem);
            }
            let (a, b) = (there.rounds(&self.recorded), here.rounds(&self.played));
            if a.len().abs_diff(b.len()) > 1 {
                self.note(format!("{name}: adverts"), a.len(), b.len());
            }
            let steps = |rounds: &[Micros], from: Micros| -> Vec<Micros> {
                let before = [from].into_iter().chain(rounds.iter().copied());
                before.zip(rounds).map(|(before, at)| at - before).collect()
            };
            let pairs = steps(&a, there.from).into_iter().zip(steps(&b, here.from));
            for (number, (a, b)) in pairs.enumerate().filter(|(_, (a, b))| (a - b).abs() > TOLERANCE) {
                let late = if a > b && a - b <= LATE_MAX { LATE } else { "" };
                self.late.extend(Some(there.from).filter(|_| !late.is_empty()));
                self.note(format!("{name}: advert {number}{late}"), seconds(a), seconds(b));
            }
        }
    }

    // ── gratuitous ARPs ──

    fn announcements(&mut self) {
        let mut keys: Vec<(String, String)> = self.recorded.garps.keys().cloned().collect();
        keys.extend(self.played.garps.keys().cloned());
        keys.sort();
        keys.dedup();
        for key in keys {
            let there = bursts(self.recorded.garps.get(&key).map_or(&[][..], |list| list));
            let here = bursts(self.played.garps.get(&key).map_or(&[][..], |list| list));
            let name = format!("{} gratuitous ARP for {}", key.0, key.1);
            let show = |bursts: &[(Micros, usize)]| {
                let words = bursts.iter().map(|(at, count)| format!("{count} at {}", seconds(*at)));
                words.collect::<Vec<_>>().join(", ")
            };
            let counts = |bursts: &[(Micros, usize)]| bursts.iter().map(|(_, count)| *count).collect::<Vec<_>>();
            if counts(&there) != counts(&here) {
                self.note(name, show(&there), show(&here));
                continue;
            }
            for (number, ((a, _), (b, _))) in there.iter().zip(&here).enumerate() {
                if self.recorded.follows_advert(&key.0, *a) && !self.played.follows_advert(&key.0, *b) {
                    self.note(format!("{name} {number}"), "after the advert", "before the advert");
                }
            }
            let mut last: Option<(Micros, Micros)> = None;
            for (number, ((a, _), (b, _))) in there.iter().zip(&here).enumerate() {
                // The second batch comes so long after the first.
                let follows = last.is_some_and(|(there, here)| ((a - there) - (b - here)).abs() <= TOLERANCE);
                last = Some((*a, *b));
                if !follows {
                    self.time(format!("{name} {number}"), &key.0, About::Address(&key.1), *a, *b);
                }
            }
        }
    }

    // ── the end ──

    fn ends(&mut self) {
        let (recorded, played) = self.stories;
        for (node, there) in &recorded.addresses {
            let here = played.addresses.get(node).cloned().unwrap_or_default();
            if *there != here {
                self.note(format!("{node} addresses at the end"), there.join(", "), here.join(", "));
            }
        }
        for (target, _) in &recorded.echoes {
            let none = "none".to_owned();
            let there = recorded.entries.get(target).unwrap_or(&none);
            let here = played.entries.get(target).unwrap_or(&none);
            if there != here {
                self.note(format!("client's entry for {target}"), there, here);
            }
        }
        if recorded.notified != played.notified {
            self.note("notify scripts", recorded.notified.join(", "), played.notified.join(", "));
        }
    }

    // ── the log ──

    fn logs(&mut self) {
        let (recorded, played) = self.stories;
        for (node, lines) in &recorded.logs {
            let kept = |lines: &[(Micros, String)], deaf: &[Deaf]| -> Vec<(Micros, String)> {
                let is_free = |at: Micros, text: &str| {
                    lines::is_rejection(text) && deaf.iter().any(|deaf| deaf.names(node) && deaf.lasts(at))
                };
                lines.iter().filter(|(at, text)| !is_free(*at, text)).cloned().collect()
            };
            let there = lines::compared(&kept(lines, &self.deaf.0));
            let here = lines::compared(&kept(played.logs.get(node).map_or(&[][..], |lines| lines), &self.deaf.1));
            let names: BTreeSet<&String> = there.keys().chain(here.keys()).collect();
            for name in names {
                let none = Vec::new();
                let (there, here) = (there.get(name).unwrap_or(&none), here.get(name).unwrap_or(&none));
                let same = there.iter().zip(here).take_while(|(a, b)| a == b).count();
                if same < there.len().max(here.len()) {
                    let show =
                        |lines: &[String]| lines.iter().skip(same).take(3).cloned().collect::<Vec<_>>().join(" / ");
                    self.note(format!("{node} log {name}, line {same}"), show(there), show(here));
                }
            }
        }
    }
}

/// Lost echoes, in runs without a break: each as long as recorded, give or take one.
pub(super) fn lost_echoes(recorded: &Story, played: &Story) -> Vec<Difference> {
    let mut found = Vec::new();
    for ((target, sent), (_, here)) in recorded.echoes.iter().zip(&played.echoes) {
        let (there, here) = (losses(sent), losses(here));
        let near = |a: u32, b: u32| a.abs_diff(b) <= 1;
        let is_same_count = there.len() == here.len();
        let mut pairs = there.iter().zip(&here);
        if is_same_count && pairs.all(|(a, b)| near(a.0, b.0) && near(a.1, b.1)) {
            continue;
        }
        let show = |runs: &[(u32, u32)]| {
            let words = runs.iter().map(|(from, count)| format!("{count} from {}", f64::from(*from) / 10.0));
            words.collect::<Vec<_>>().join(", ")
        };
        // Everything but the length of runs that ended when the client asked again.
        let ended_by_question = is_same_count
            && there.iter().zip(&here).all(|(a, b)| {
                let asked = || a.1.max(b.1) <= BELIEVED_MAX && asked_at_end(recorded, sent, *a, target);
                near(a.0, b.0) && (near(a.1, b.1) || asked())
            });
        let how = if ended_by_question { " until the client asked again" } else { "" };
        found.push(Difference {
            field: format!("echoes lost to {target}{how}"),
            expected: show(&there),
            observed: show(&here),
        });
    }
    found
}

/// Runs of lost echoes: the first number, and how many.
fn losses(echoes: &[Echo]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (number, _, lost) in echoes {
        match runs.last_mut().filter(|(from, count)| from + count == *number) {
            Some((_, count)) if *lost => *count += 1,
            _ if *lost => runs.push((*number, 1)),
            _ => {}
        }
    }
    runs
}

/// Whether a run of lost echoes ended with a question of the client for the address, to everybody.
fn asked_at_end(story: &Story, sent: &[Echo], run: (u32, u32), target: &str) -> bool {
    const NEAR: Micros = 150_000;
    let Some((_, end, _)) = sent.iter().find(|(number, ..)| *number == run.0 + run.1) else { return false };
    let Ok(address) = target.parse::<std::net::Ipv4Addr>() else { return false };
    story.frames.iter().any(|(at, owner, frame)| {
        (at - end).abs() <= NEAR
            && owner.as_deref() == Some("cl")
            && frame.get(..6) == Some(&[0xff; 6])
            && frame.get(12..14) == Some(&[8, 6])
            && frame.get(38..42) == Some(&address.octets())
    })
}

fn seconds(at: Micros) -> impl Display {
    format!("{:.3}", at as f64 / 1e6)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
