//! Node replay: one host alone. It is configured as recorded, gets the frames that its NICs received, at their times,
//! and the frames it sends are compared with those it sent.
//!
//! ```text
//!   replay.json ── commands, settings, sockets ──►┐
//!                                                  ├─► the host on a bench ──► frames ── compare ◄── captures (sent)
//!   captures ───── frames received ───────────────►┘        ▲
//!                                                            └── answers to questions that the recording did not have
//! ```
//! What is compared:
//!
//! * Every IPv4 frame, octet by octet but for what [`super::canonical`] says, except IGMP, and except TCP of the host's
//!   own sockets (sequence numbers and windows are not determined). Those segments are sent as recorded, so that what
//!   they cause in the host's tables happens. So are the packets of programs that the lab does not have.
//! * ARP answers and announcements; broadcast questions only in the step that first needs that neighbour (after that
//!   the random reachable time decides when it is asked for again); unicast questions never.

use super::bench::Bench;
use super::host_plan::Typist;
use super::judge::Judge;
use super::own::{Own, is_known};
use super::program::{Datagram, Datagrams, Program};
use super::segment::{Arp, Packet};
use super::stage::{Port, Sighting, Stage};
use super::unit::{Outcome, Unit};
use crate::recording::history::{Deed, Done, Payload};
use crate::recording::{CaseFolder, ReadError};
use sim_core::base::id::{LineId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::wire::Ipv4Addr;
use sim_core::wire::flow::SocketAddr;
use std::collections::BTreeMap;

/// An answer that the recording holds comes within this time of our question.
const ANSWER_WITHIN_NS: u64 = 100_000_000;
/// How long after our question an answer comes that the recording does not hold.
const ANSWER_AFTER_NS: u64 = 10_000;

/// Replays every host of the case all of whose NICs have a capture.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    let stage = Stage::of(case)?;
    if stage.steps.is_empty() {
        return Ok(Outcome::NotYet("no packets were kept".to_owned()));
    }
    let mut units: Vec<Unit> =
        stage.steps.iter().map(|step| Unit { name: step.key.clone(), differences: Vec::new() }).collect();
    let taps = case.taps().map_err(|error| case.wrong("", error))?;
    let mut hosts: Vec<String> = Vec::new();
    for port in &stage.ports {
        let kept = stage.ports.iter().filter(|other| other.host == port.host);
        let whole = kept.clone().all(|port| taps.contains(&(port.host.clone(), port.device.clone())));
        if whole && !hosts.contains(&port.host) {
            hosts.push(port.host.clone());
        }
    }
    for host in hosts {
        Player::of(&stage, &host)?.play(&mut units);
    }
    Ok(Outcome::Replayed(units))
}

/// One thing that is done to the host.
enum Input<'a> {
    Frame(&'a Sighting),
    Typed(LineId),
}

/// One host and its part of the recording.
pub(super) struct Player<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) host: &'a str,
    pub(super) ports: Vec<&'a Port>,
    pub(super) received: Vec<Sighting>,
    pub(super) recorded: Vec<Sighting>,
    pub(super) own: Own,
}

impl<'a> Player<'a> {
    fn of(stage: &'a Stage<'a>, host: &'a str) -> Result<Self, ReadError> {
        let ports: Vec<&Port> = stage.ports.iter().filter(|port| port.host == host).collect();
        let (mut received, mut recorded) = (Vec::new(), Vec::new());
        for (device, port) in ports.iter().enumerate() {
            for seen in stage.case.capture(host, &port.device)? {
                let at = stage.capture_instant(&seen);
                if seen.frame.get(6..12) == Some(port.mac.as_bytes()) {
                    recorded.push(Sighting { at, device, frame: seen.frame });
                } else {
                    received.push(Sighting { at, device, frame: seen.frame });
                }
            }
        }
        received.sort_by_key(|seen: &Sighting| seen.at);
        recorded.sort_by_key(|sent: &Sighting| sent.at);
        let own = Own::of(stage, stage.deeds_of(host), &received, &recorded);
        Ok(Player { stage, host, ports, received, recorded, own })
    }

    /// What was done on this host.
    pub(super) fn deeds(&self) -> impl Iterator<Item = &'a Done> + Clone + use<'a> {
        self.stage.deeds_of(self.host)
    }

    fn play(self, units: &mut [Unit]) {
        let mut typist = Typist::default();
        let mut inputs: Vec<(Instant, Input)> = Vec::new();
        if self.deeds().any(|done| matches!(&done.deed, Deed::Command { line, .. } if line.contains("tunl0"))) {
            inputs.push((Instant::ZERO, Input::Typed(typist.program(Program::Tunnel))));
        }
        for done in self.deeds() {
            if let Some(line) = self.typed(done, &mut typist) {
                inputs.push((self.stage.instant(done.at_us), Input::Typed(line)));
            }
        }
        for sent in self.recorded.iter().filter(|sent| self.own.is_sent_as_recorded(sent)) {
            let line = typist.program(Program::Packet(sent.frame[14..].to_vec()));
            inputs.push((sent.at, Input::Typed(line)));
        }
        inputs.extend(self.received.iter().map(|seen| (seen.at, Input::Frame(seen))));
        inputs.sort_by_key(|(at, _)| *at);
        let nics: Vec<_> = self.ports.iter().map(|port| (port.device.clone(), port.mac, port.mtu)).collect();
        let mut bench = Bench::new(self.host, &nics, typist.lines());
        let mut events = Events { player: &self, answers: BTreeMap::new(), observed: Vec::new() };
        for (at, input) in inputs {
            events.advance(&mut bench, at);
            match input {
                Input::Frame(seen) => bench.receive(seen.device, &seen.frame),
                Input::Typed(line) => bench.type_line(line),
            }
            events.collect(&mut bench);
        }
        let end = self.stage.steps.last().map_or(Instant::ZERO, |step| step.until);
        events.advance(&mut bench, end);
        let judge = Judge { player: &self };
        judge.frames(&events.observed, units);
        judge.commands(&bench, units);
    }

    /// The line that stands for a deed, if it is one of this host's own doing. A datagram socket is one program from
    /// its opening to its end.
    fn typed(&self, done: &Done, typist: &mut Typist) -> Option<LineId> {
        match &done.deed {
            Deed::Command { line, .. } => is_known(line).then(|| typist.line(line)),
            Deed::View { line, .. } => is_known(line).then(|| typist.line(line)),
            // There is no IPv6 here, by design: nothing to switch off.
            Deed::Sysctl { key, .. } if key.starts_with("net.ipv6.") => None,
            Deed::Sysctl { key, value } => Some(typist.setting(key, value)),
            Deed::Listen { proto, address, port } if proto == "udp" => {
                let local = SocketAddr { address: address.parse().ok()?, port: *port };
                Some(typist.program(self.datagrams(done, local, None)))
            }
            Deed::Connect { proto, me, peer, .. } if proto == "udp" => {
                let local = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: socket_address(me)?.port };
                Some(typist.program(self.datagrams(done, local, socket_address(peer))))
            }
            Deed::Send { proto, me: Some(me), peer: Some(peer), what: Payload::Octets(count), options }
                if proto == "udp" && !self.holds_socket(done, socket_address(me)?.port) =>
            {
                let (from, to) = (socket_address(me)?, socket_address(peer)?);
                let at = self.stage.instant(done.at_us);
                let payload = payload_of(&self.recorded, from.port, to.port, *count);
                let datagram = Datagram { at, from, to, payload, mtu_discover: options.mtu_discover };
                let until = at + Duration::from_micros(1);
                Some(typist.program(Program::Datagrams(Datagrams::new(from, None, vec![datagram], until))))
            }
            Deed::Frame { device, bytes } => {
                let nic = self.ports.iter().position(|port| port.device == *device)?;
                Some(typist.program(Program::Frame(PortId(nic as u32), bytes.clone())))
            }
            _ => None,
        }
    }

    /// Whether a program holds a datagram socket at this port when `done` is done; else it is opened for that alone.
    fn holds_socket(&self, done: &Done, port: u16) -> bool {
        let ends_here = |text: &str| socket_address(text).is_some_and(|end| end.port == port);
        let mut held = false;
        for before in self.deeds().take_while(|before| *before != done) {
            match &before.deed {
                Deed::Listen { proto, port: opened, .. } if proto == "udp" && *opened == port => held = true,
                Deed::Connect { proto, me, .. } if proto == "udp" && ends_here(me) => held = true,
                Deed::Unlisten { proto, port: closed, .. } if proto == "udp" && *closed == port => held = false,
                Deed::Close { proto, me: Some(me), .. } if proto == "udp" && ends_here(me) => held = false,
                _ => {}
            }
        }
        held
    }

    /// The program that holds a datagram socket from `opened` on: what it sends until it is closed.
    fn datagrams(&self, opened: &Done, local: SocketAddr, peer: Option<SocketAddr>) -> Program {
        let mut sends = Vec::new();
        let mut until = Instant::NEVER;
        for done in self.deeds().filter(|done| done.at_us >= opened.at_us && *done != opened) {
            match &done.deed {
                Deed::Send { proto, me: Some(me), peer: Some(peer), what: Payload::Octets(count), options }
                    if proto == "udp" =>
                {
                    let ends = socket_address(me).zip(socket_address(peer));
                    let Some((from, to)) = ends.filter(|(from, _)| from.port == local.port) else {
                        continue;
                    };
                    let payload = payload_of(&self.recorded, from.port, to.port, *count);
                    let at = self.stage.instant(done.at_us);
                    sends.push(Datagram { at, from, to, payload, mtu_discover: options.mtu_discover });
                }
                Deed::Unlisten { proto, port, .. } if proto == "udp" && *port == local.port => {
                    until = self.stage.instant(done.at_us);
                    break;
                }
                Deed::Close { proto, me: Some(me), .. }
                    if proto == "udp" && socket_address(me).is_some_and(|me| me.port == local.port) =>
                {
                    until = self.stage.instant(done.at_us);
                    break;
                }
                _ => {}
            }
        }
        Program::Datagrams(Datagrams::new(local, peer, sends, until))
    }

    /// Whether the recording holds an answer to a question asked now.
    fn is_answered(&self, device: usize, target: Ipv4Addr, now: Instant) -> bool {
        let last = Instant::from_nanos(now.nanos() + ANSWER_WITHIN_NS);
        let from = self.received.partition_point(|seen| seen.at < now);
        self.received[from..].iter().take_while(|seen| seen.at <= last).any(|seen| {
            let answer = Arp::of(&seen.frame).filter(|answer| answer.operation == 2 && answer.sender == target);
            seen.device == device && answer.is_some()
        })
    }
}

/// The replay under way: answers that are due, and what the host has sent.
struct Events<'a, 'b> {
    player: &'b Player<'a>,
    answers: BTreeMap<(Instant, usize), Vec<u8>>,
    observed: Vec<Sighting>,
}

impl Events<'_, '_> {
    /// Lets time pass until `until`: timers of the host, and answers that the recording does not hold.
    fn advance(&mut self, bench: &mut Bench, until: Instant) {
        loop {
            let answer_at = self.answers.keys().next().map(|(at, _)| *at);
            let next = answer_at.into_iter().chain(bench.next_wake()).min().filter(|at| *at <= until);
            let Some(at) = next else {
                break;
            };
            if answer_at == Some(at) {
                let ((_, device), frame) = self.answers.pop_first().expect("an answer is due");
                bench.go_to(at);
                bench.receive(device, &frame);
            } else {
                bench.wake(at);
            }
            self.collect(bench);
        }
        bench.go_to(until);
    }

    /// Takes what the host sent, and answers its questions where the recording does not.
    fn collect(&mut self, bench: &mut Bench) {
        for (at, device, frame) in bench.take_sent() {
            if let Some(arp) = Arp::of(&frame).filter(Arp::is_question) {
                let port = self.player.ports[device];
                let holder = self.player.stage.holder(&port.switch, arp.target, at);
                if let Some(mac) = holder.filter(|_| !self.player.is_answered(device, arp.target, at)) {
                    let later = Instant::from_nanos(at.nanos() + ANSWER_AFTER_NS);
                    self.answers.insert((later, device), arp.answer(mac));
                }
            }
            self.observed.push(Sighting { at, device, frame });
        }
    }
}

/// What a datagram carried: the octets of a recorded one of this size; else its first octet over and over.
fn payload_of(recorded: &[Sighting], sport: u16, dport: u16, count: usize) -> Vec<u8> {
    let mut fill = b'u';
    for frame in recorded.iter().map(|sent| &sent.frame) {
        let Some(packet) = Packet::of(frame) else {
            continue;
        };
        let udp = 14 + usize::from(frame[14] & 0x0f) * 4;
        let first = u16::from_be_bytes([frame[20], frame[21]]) & 0x1fff == 0;
        if packet.protocol != 17 || !first || frame.len() < udp + 9 {
            continue;
        }
        let ports = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
        if frame[udp..udp + 4] == ports[..] {
            let length = usize::from(u16::from_be_bytes([frame[udp + 4], frame[udp + 5]]));
            if length == count + 8 && frame.len() >= udp + length {
                return frame[udp + 8..udp + length].to_vec();
            }
            fill = frame[udp + 8];
        }
    }
    vec![fill; count]
}

fn socket_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? })
}
