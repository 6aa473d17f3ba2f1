//! What is a host's own: the flows of its sockets, and the packets of programs that the lab does not have. They are not
//! determined by the rules, so a replay sends them as recorded.

use super::segment::{ACK, Packet, SYN, Tcp};
use super::stage::{Sighting, Stage, prefix_address};
use crate::recording::history::{Deed, Done, Payload};
use sim_core::base::time::Instant;
use sim_core::shell::registry;
use sim_core::wire::Ipv4Addr;
use std::collections::BTreeSet;

/// What is the host's own: its addresses, the flows of its sockets, the times when a program runs that the lab has not.
#[derive(Default)]
pub(super) struct Own {
    addresses: BTreeSet<Ipv4Addr>,
    flows: BTreeSet<(Ipv4Addr, u16, Ipv4Addr, u16)>,
    foreign_programs: Vec<(Instant, Instant)>,
}

impl Own {
    /// The host's own flows are those of which it sent the SYN or the SYN+ACK without having received it, and those of
    /// segments that a program made by hand.
    pub(super) fn of<'a>(
        stage: &Stage,
        deeds: impl Iterator<Item = &'a Done> + Clone,
        received: &[Sighting],
        recorded: &[Sighting],
    ) -> Own {
        let mut own = Own::default();
        for done in deeds.clone() {
            let Deed::Command { line, took_us, .. } = &done.deed else {
                continue;
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["ip", "addr", "add", net, ..] = words[..] {
                own.addresses.extend(prefix_address(net));
            }
            if !is_known(line) {
                let span = (stage.instant(done.at_us), stage.instant(done.at_us + took_us));
                own.foreign_programs.push(span);
            }
        }
        let passing: BTreeSet<Tcp> = received.iter().filter_map(|seen| Packet::of(&seen.frame)?.tcp).collect();
        let passes = |tcp: &Tcp| {
            passing.iter().any(|other| {
                (other.seq, other.flags) == (tcp.seq, tcp.flags)
                    && (other.sport == tcp.sport || other.dport == tcp.dport)
            })
        };
        let raw: Vec<&Vec<u8>> = deeds
            .filter_map(|done| match &done.deed {
                Deed::Send { what: Payload::Bytes(bytes), .. } => Some(bytes),
                _ => None,
            })
            .collect();
        for sent in recorded {
            let Some(packet) = Packet::of(&sent.frame) else {
                continue;
            };
            let by_hand = raw.iter().any(|bytes| sent.frame.get(34..) == Some(bytes));
            if let Some(tcp) = packet.tcp.filter(|_| by_hand) {
                own.flows.insert((packet.source, tcp.sport, packet.destination, tcp.dport));
            }
            if let Some(tcp) = packet.tcp.filter(|tcp| tcp.flags & SYN != 0 && !passes(tcp)) {
                let here = (packet.source, tcp.sport, packet.destination, tcp.dport);
                own.flows.insert(here);
            }
        }
        own
    }

    /// TCP of the host's own sockets, and the packets of a program that the lab has not.
    pub(super) fn is_sent_as_recorded(&self, sent: &Sighting) -> bool {
        let Some(packet) = Packet::of(&sent.frame) else {
            return false;
        };
        self.is_tcp(&packet) || (self.is_program(&packet, &sent.frame) && self.in_foreign_program(sent.at))
    }

    /// A segment of one of the host's own sockets.
    pub(super) fn is_tcp(&self, packet: &Packet) -> bool {
        packet.tcp.is_some_and(|tcp| {
            let here = (packet.source, tcp.sport, packet.destination, tcp.dport);
            self.flows.contains(&here)
        })
    }

    /// Sent by a program, not by the kernel: an echo request, a datagram, a segment with a SYN.
    fn is_program(&self, packet: &Packet, frame: &[u8]) -> bool {
        let payload = 14 + usize::from(frame[14] & 0x0f) * 4;
        let asks = match packet.protocol {
            1 => frame.get(payload) == Some(&8),
            6 => packet.tcp.is_some_and(|tcp| tcp.flags & (SYN | ACK) == SYN),
            protocol => protocol == 17,
        };
        asks && self.addresses.contains(&packet.source)
    }

    fn in_foreign_program(&self, at: Instant) -> bool {
        self.foreign_programs.iter().any(|(from, until)| *from <= at && at <= *until)
    }
}

/// Whether the lab has the program that the line calls.
pub(super) fn is_known(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| registry::find(word).is_some())
}
