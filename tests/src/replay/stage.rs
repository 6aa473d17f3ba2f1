//! What a node replay knows of the case as a whole: its steps, its NICs, its clock, and who holds which address when.

use crate::recording::capture::Seen;
use crate::recording::history::{Deed, Done, History};
use crate::recording::{CaseFolder, ReadError};
use sim_core::base::time::Instant;
use sim_core::wire::{Ipv4Addr, Mac};
use std::collections::BTreeSet;

/// The clock of the replay begins this much before the first event of the recording.
const LEAD_US: i64 = 1_000_000;

/// A step: a unit of the comparison. Frames belong to the step in which they were taken off the taps: those after the
/// end of the step before.
pub(super) struct Step {
    pub(super) key: String,
    pub(super) from: Instant,
    pub(super) until: Instant,
}

/// A NIC of some host of the case.
pub(super) struct Port {
    pub(super) host: String,
    pub(super) device: String,
    pub(super) switch: String,
    pub(super) mac: Mac,
    pub(super) mtu: u32,
}

/// What is known of the case as a whole.
pub(super) struct Stage<'a> {
    pub(super) case: &'a CaseFolder,
    pub(super) history: History,
    pub(super) ports: Vec<Port>,
    pub(super) steps: Vec<Step>,
    start_us: i64,
}

impl<'a> Stage<'a> {
    /// Reads what was done and where.
    pub(super) fn of(case: &'a CaseFolder) -> Result<Self, ReadError> {
        let history = case.history()?;
        let start_us = history.events.first().map_or(0, |done| done.at_us.min(0)) - LEAD_US;
        let mut stage = Stage { case, history, ports: Vec::new(), steps: Vec::new(), start_us };
        for done in &stage.history.events {
            match &done.deed {
                Deed::Link { device, switch, mac, mtu } => stage.ports.push(Port {
                    host: done.host.clone().unwrap_or_default(),
                    device: device.clone(),
                    switch: switch.clone(),
                    mac: parse_mac(mac).ok_or_else(|| case.wrong("replay.json", format!("not a MAC: {mac}")))?,
                    mtu: *mtu,
                }),
                Deed::Step { key, until_us } => {
                    let (from, until) = (stage.instant(done.at_us), stage.instant(*until_us));
                    stage.steps.push(Step { key: key.clone(), from, until });
                }
                _ => {}
            }
        }
        Ok(stage)
    }

    /// What was done on a host.
    pub(super) fn deeds_of<'s>(&'s self, host: &'s str) -> impl Iterator<Item = &'s Done> + Clone + use<'s> {
        self.history.events.iter().filter(move |done| done.host.as_deref() == Some(host))
    }

    /// A time of the history on the clock of the replay.
    pub(super) fn instant(&self, at_us: i64) -> Instant {
        Instant::from_nanos((at_us - self.start_us).max(0) as u64 * 1000)
    }

    /// When a captured frame passed, on the clock of the replay.
    pub(super) fn capture_instant(&self, seen: &Seen) -> Instant {
        let zero = self.history.capture_zero_ns.unwrap_or_default();
        let since_start = (zero as i64 / 1000 - self.start_us.abs()) as u64 * 1000 + zero % 1000;
        Instant::from_nanos(seen.at_ns.saturating_sub(since_start))
    }

    /// Who is asked for: the MAC of the host on this switch that holds `address` on a NIC that is up at `now`.
    pub(super) fn holder(&self, switch: &str, address: Ipv4Addr, now: Instant) -> Option<Mac> {
        let mut up: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut holds: BTreeSet<(&str, &str)> = BTreeSet::new();
        for done in self.history.events.iter().filter(|done| self.instant(done.at_us) <= now) {
            let (Some(host), Deed::Command { line, .. }) = (&done.host, &done.deed) else {
                continue;
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["ip", "link", "set", device, "up"] => drop(up.insert((host, device))),
                ["ip", "link", "set", device, "down"] => drop(up.remove(&(&host[..], device))),
                ["ip", "addr", verb, net, "dev", device] if prefix_address(net) == Some(address) => match verb {
                    "add" => drop(holds.insert((host, device))),
                    _ => drop(holds.remove(&(&host[..], device))),
                },
                _ => {}
            }
        }
        let port = self.ports.iter().find(|port| {
            let name = (&port.host[..], &port.device[..]);
            port.switch == switch && up.contains(&name) && holds.contains(&name)
        })?;
        Some(port.mac)
    }
}

/// A frame at a NIC of the host that is replayed, in the recording or here.
#[derive(Clone)]
pub(super) struct Sighting {
    pub(super) at: Instant,
    pub(super) device: usize,
    pub(super) frame: Vec<u8>,
}

/// The address of `10.0.2.2/24`.
pub(super) fn prefix_address(net: &str) -> Option<Ipv4Addr> {
    net.split('/').next()?.parse().ok()
}

fn parse_mac(text: &str) -> Option<Mac> {
    let octets: Vec<u8> = text.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect::<Option<_>>()?;
    Some(Mac(octets.try_into().ok()?))
}
