//! Masqueraded flows: a small connection tracking for the nat table (MASQUERADE, SNAT).
//!
//! While nat has rules, every flow that begins is noted; the rules are asked once, for its first packet, in
//! POSTROUTING. A translated flow's later packets get the same source, and its answers their old destination back in
//! PREROUTING. Follows Linux `nf_conntrack` and `nf_nat`.
//!
//! # Not modelled
//! DNAT, helpers, TCP window tracking, confirmation of flows by INPUT. What IPVS sends or answers is not translated
//! (`net.ipv4.vs.conntrack` is 0), so the path does not ask.

use super::filter::ip::{IpTables, Translation};
use crate::base::id::NodeId;
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::trace::record::{TrackedProtocol, TrackedRecord, TrackedState};
use crate::trace::recorder::Change;
use crate::trace::{Level, Why};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;
use smoltcp::wire::{IpProtocol, Ipv4Packet};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The flows of one host.
#[derive(Clone, Debug, Default)]
pub struct Nat {
    node: NodeId,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_packet: Lookup<Tuple, (u32, Side)>,
    due: BTreeSet<(Instant, u32)>,
}

/// What a packet shows of its flow. The ports of ICMP echo are its identifier, at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Tuple {
    protocol: u8,
    source: SocketAddr,
    destination: SocketAddr,
}

/// Which direction of a flow a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Origin,
    Reply,
}

#[derive(Clone, Debug)]
struct Entry {
    origin: Tuple,
    /// What an answer looks like before it is translated back.
    reply: Tuple,
    decided: bool,
    answered: bool,
    closing: bool,
    /// A RST was its last segment.
    reset: bool,
    /// How long it stays after its last packet.
    stays: Duration,
    /// What the trace says of it: its source on the way out, its state, how long it stays.
    told: Option<(SocketAddr, TrackedState, Duration)>,
    expires: Instant,
    /// When it stands in `due`: at or before `expires`.
    armed: Instant,
}

const ENTRIES_MAX: usize = 65_536;
const PORTS: std::ops::RangeInclusive<u16> = 1024..=65_535;

impl Nat {
    /// No flow yet.
    pub(super) fn new(node: NodeId) -> Self {
        Nat { node, ..Nat::default() }
    }

    /// Whether there is nothing to do: no rules, and no flow that is remembered.
    pub fn is_idle(&self, rules: &IpTables) -> bool {
        self.due.is_empty() && !rules.translates()
    }

    /// PREROUTING (and OUTPUT): finds the packet's flow, or notes a new one; an answer to a translated flow gets its
    /// old destination back.
    ///
    /// # Errors
    /// If no further flow can be noted.
    pub fn prerouting(&mut self, packet: &mut Packet, rules: &IpTables, cx: &mut Cx) -> Result<(), Why> {
        if self.is_idle(rules) {
            return Ok(());
        }
        let Some(tuple) = Tuple::of(packet) else {
            self.error_about_a_flow(packet, cx);
            return Ok(());
        };
        match self.by_packet.get(&tuple).copied() {
            None if rules.translates() => self.begin(tuple, cx.now),
            None | Some((_, Side::Origin)) => Ok(()),
            Some((id, Side::Reply)) => {
                let entry = self.entry_mut(id);
                entry.answered = true;
                let to = entry.origin.source;
                if to != tuple.destination {
                    tuple.write_destination(packet, to);
                    cx.note(Why::Unmasqueraded { to: to.address, port: to.port });
                }
                self.refresh(id, packet, cx);
                Ok(())
            }
        }
    }

    /// POSTROUTING: asks the rules about the first packet of a flow; writes the flow's new source into each packet.
    /// `masquerade` is the address of the interface it leaves by.
    ///
    /// # Errors
    /// If a rule drops the packet, or no port is free for it.
    pub fn postrouting(
        &mut self,
        packet: &mut Packet,
        rules: &mut IpTables,
        ifaces: (&str, &str),
        masquerade: Ipv4Addr,
        cx: &mut Cx,
    ) -> Result<(), Why> {
        if self.is_idle(rules) {
            return Ok(());
        }
        let Some(tuple) = Tuple::of(packet) else { return Ok(()) };
        let Some((id, Side::Origin)) = self.by_packet.get(&tuple).copied() else { return Ok(()) };
        if !self.entry_mut(id).decided {
            self.entry_mut(id).decided = true;
            let source = match rules.translation(packet, ifaces, cx)? {
                Translation::None => None,
                Translation::Masquerade => Some(masquerade),
                Translation::Source(address) => Some(address),
            };
            if let Some(address) = source {
                self.translate(id, address)?;
            }
        }
        let new = self.entry_mut(id).reply.destination;
        if new != tuple.source {
            tuple.write_source(packet, new);
            cx.note(Why::Masqueraded { to: new.address, port: new.port });
        }
        self.refresh(id, packet, cx);
        Ok(())
    }

    /// When a flow may be forgotten next.
    pub fn next_wake(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Forgets the flows that have been silent for too long.
    pub fn wake(&mut self, cx: &mut Cx) {
        let before = cx.context();
        while let Some((at, id)) = self.due.first().copied()
            && at <= cx.now
        {
            self.due.pop_first();
            let entry = self.entry_mut(id);
            if entry.expires > cx.now {
                entry.armed = entry.expires;
                let armed = entry.armed;
                self.due.insert((armed, id));
                continue;
            }
            let (origin, reply) = (entry.origin, entry.reply);
            self.by_packet.remove(&origin);
            self.by_packet.remove(&reply);
            self.note_end(id, cx);
            cx.resume(before);
            self.entries[id as usize] = None;
            self.free.push(id);
        }
    }

    fn begin(&mut self, origin: Tuple, now: Instant) -> Result<(), Why> {
        if self.by_packet.len() >= 2 * ENTRIES_MAX {
            return Err(Why::NatTableFull);
        }
        let stays = Duration::from_secs(30);
        let expires = now + stays;
        let reply = origin.reversed();
        let entry = Entry {
            origin,
            reply,
            decided: false,
            answered: false,
            closing: false,
            reset: false,
            stays,
            told: None,
            expires,
            armed: expires,
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() as u32 - 1
        });
        self.entries[id as usize] = Some(entry);
        self.by_packet.insert(origin, (id, Side::Origin));
        self.by_packet.insert(reply, (id, Side::Reply));
        self.due.insert((expires, id));
        Ok(())
    }

    /// Gives the flow another source: the same port if it is free, else the next one that is.
    fn translate(&mut self, id: u32, address: Ipv4Addr) -> Result<(), Why> {
        let (origin, old_reply) = (self.entry_mut(id).origin, self.entry_mut(id).reply);
        self.by_packet.remove(&old_reply);
        let with_port = |port| Tuple { destination: SocketAddr { address, port }, ..old_reply };
        let wanted = origin.source.port;
        let others = (1..=PORTS.len() as u32).map(|step| {
            let offset = (u32::from(wanted.saturating_sub(*PORTS.start())) + step) % PORTS.len() as u32;
            PORTS.start() + offset as u16
        });
        let port = std::iter::once(wanted).chain(others).find(|port| !self.by_packet.contains(&with_port(*port)));
        let Some(port) = port else {
            self.by_packet.insert(old_reply, (id, Side::Reply));
            self.entry_mut(id).decided = false;
            return Err(Why::NatTableFull);
        };
        let reply = if origin.protocol == ICMP { with_port(port).with_identifier(port) } else { with_port(port) };
        self.entry_mut(id).reply = reply;
        self.by_packet.insert(reply, (id, Side::Reply));
        Ok(())
    }

    fn refresh(&mut self, id: u32, packet: &Packet, cx: &mut Cx) {
        let entry = self.entry_mut(id);
        let flags = (entry.origin.protocol == TCP).then(|| packet.payload().get(13).copied()).flatten().unwrap_or(0);
        entry.closing |= flags & (FIN | RST) != 0;
        entry.reset = flags & RST != 0;
        let seconds = match (entry.origin.protocol, entry.closing, entry.answered) {
            (TCP, true, _) if entry.reset => 10,
            (TCP, true, _) | (TCP, false, false) => 120,
            (TCP, false, true) => 432_000,
            (UDP, _, true) => 120,
            _ => 30,
        };
        entry.stays = Duration::from_secs(seconds);
        entry.expires = cx.now + entry.stays;
        if entry.expires < entry.armed {
            let (old, new) = (entry.armed, entry.expires);
            entry.armed = new;
            self.due.remove(&(old, id));
            self.due.insert((new, id));
        }
        self.note(id, cx);
    }

    /// Writes what is new about a flow that has left this host, at level everything and not below. One that ended here, or
    /// that IPVS took, is none of those that `conntrack -L` would show: it was never confirmed.
    fn note(&mut self, id: u32, cx: &mut Cx) {
        if cx.pen.level() < Level::Everything {
            return;
        }
        let node = self.node;
        let entry = self.entry_mut(id);
        if !entry.decided {
            return;
        }
        let news = Some((entry.reply.destination, entry.state(), entry.stays));
        if entry.told != news {
            entry.told = news;
            cx.change(Change::Tracked(entry.record(node, true)));
        }
    }

    fn note_end(&mut self, id: u32, cx: &mut Cx) {
        let node = self.node;
        let entry = self.entry_mut(id);
        if entry.told.take().is_some() {
            cx.change(Change::Tracked(entry.record(node, false)));
        }
    }

    /// The host is switched off: no flow is remembered.
    pub(super) fn switch_off(&mut self, cx: &mut Cx) {
        for id in 0..self.entries.len() as u32 {
            if self.entries[id as usize].is_some() {
                self.note_end(id, cx);
            }
        }
    }

    /// An ICMP error that quotes a packet which left here translated: both it and its quotation get the old source.
    fn error_about_a_flow(&mut self, packet: &mut Packet, cx: &mut Cx) {
        let Some(quoted) = Tuple::quoted(packet) else { return };
        let Some((id, Side::Reply)) = self.by_packet.get(&quoted.reversed()).copied() else { return };
        let to = self.entry_mut(id).origin.source;
        if to == quoted.source {
            return;
        }
        let has_ports = quoted.protocol != ICMP;
        rewrite::set_quoted_source(packet, to.address, has_ports.then_some(to.port), true);
        rewrite::set_destination(packet, to.address, None);
        cx.note(Why::Unmasqueraded { to: to.address, port: to.port });
    }

    fn entry_mut(&mut self, id: u32) -> &mut Entry {
        self.entries[id as usize].as_mut().expect("an id in the lookup or among the due ones has its entry")
    }
}

impl Entry {
    fn state(&self) -> TrackedState {
        match (self.reset, self.closing, self.answered) {
            (true, _, _) => TrackedState::Reset,
            (_, true, _) => TrackedState::Closing,
            (_, _, true) => TrackedState::Replied,
            (_, _, false) => TrackedState::Unreplied,
        }
    }

    fn record(&self, node: NodeId, present: bool) -> TrackedRecord {
        let protocol = match self.origin.protocol {
            TCP => TrackedProtocol::Tcp,
            UDP => TrackedProtocol::Udp,
            _ => TrackedProtocol::Icmp,
        };
        let Tuple { source, destination, .. } = self.origin;
        let (leaves_as, state, stays) = (self.reply.destination, self.state(), self.stays);
        TrackedRecord { node, protocol, source, destination, leaves_as, state, stays, present }
    }
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const FIN: u8 = 0x01;
const RST: u8 = 0x04;

impl Tuple {
    /// Of TCP, UDP and ICMP echo; none for anything else.
    fn of(packet: &Packet) -> Option<Tuple> {
        let ip = packet.ip();
        if ip.frag_offset() != 0 {
            return None;
        }
        Tuple::of_parts(&ip, packet.payload())
    }

    /// Of the packet that an ICMP error quotes.
    fn quoted(packet: &Packet) -> Option<Tuple> {
        let icmp = packet.payload();
        if packet.ip().next_header() != IpProtocol::Icmp || !matches!(icmp.first(), Some(3 | 4 | 11 | 12)) {
            return None;
        }
        let quoted = icmp.get(8..)?;
        let header = usize::from(quoted.first()? & 0x0f) * 4;
        let payload = quoted.get(header.max(20)..)?;
        Tuple::of_parts(&Ipv4Packet::new_unchecked(quoted), payload)
    }

    fn of_parts(ip: &Ipv4Packet<&[u8]>, payload: &[u8]) -> Option<Tuple> {
        let (source, destination) = (ip.src_addr(), ip.dst_addr());
        if ip.next_header() == IpProtocol::Icmp {
            let is_echo = matches!(payload.first(), Some(0 | 8));
            let identifier = payload.get(4..6).filter(|_| is_echo)?;
            let port = u16::from_be_bytes([identifier[0], identifier[1]]);
            let end = |address| SocketAddr { address, port };
            return Some(Tuple { protocol: ICMP, source: end(source), destination: end(destination) });
        }
        let Flow { transport, source, destination } = Flow::of_parts(source, destination, ip.next_header(), payload)?;
        let protocol = match transport {
            Transport::Tcp => TCP,
            Transport::Udp => UDP,
        };
        Some(Tuple { protocol, source, destination })
    }

    fn reversed(self) -> Tuple {
        Tuple { protocol: self.protocol, source: self.destination, destination: self.source }
    }

    fn with_identifier(self, port: u16) -> Tuple {
        Tuple { source: SocketAddr { port, ..self.source }, ..self }
    }

    fn write_source(&self, packet: &mut Packet, new: SocketAddr) {
        let port = (self.protocol != ICMP).then_some(new.port);
        rewrite::set_source(packet, new.address, port);
        if self.protocol == ICMP {
            rewrite::set_echo_identifier(packet, new.port);
        }
    }

    fn write_destination(&self, packet: &mut Packet, new: SocketAddr) {
        let port = (self.protocol != ICMP).then_some(new.port);
        rewrite::set_destination(packet, new.address, port);
        if self.protocol == ICMP {
            rewrite::set_echo_identifier(packet, new.port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::ip::{Matches, Rule, Table, Target};
    use super::*;
    use crate::base::id::{EventId, PacketId};
    use crate::base::rng::Stream;
    use crate::trace::{Cast, Recorder, Stage};
    use crate::wire::frame::Buffer;
    use crate::world::node::Pool;
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{Ipv4Repr, UdpPacket, UdpRepr};

    const INSIDE: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 168, 0, 18), Ipv4Addr::new(192, 168, 0, 28)];
    const OUTSIDE: Ipv4Addr = Ipv4Addr::new(172, 16, 254, 9);
    const ROUTER: Ipv4Addr = Ipv4Addr::new(172, 16, 254, 200);

    fn datagram(source: SocketAddr, destination: SocketAddr) -> Packet {
        let udp = UdpRepr { src_port: source.port, dst_port: destination.port };
        let ip = Ipv4Repr {
            src_addr: source.address,
            dst_addr: destination.address,
            next_header: IpProtocol::Udp,
            payload_len: 12,
            hop_limit: 64,
        };
        let mut buffer = Buffer::zeroed(32, PacketId(0), Vec::new());
        let checksums = ChecksumCapabilities::default();
        ip.emit(&mut Ipv4Packet::new_unchecked(buffer.bytes_mut()), &checksums);
        let mut inner = UdpPacket::new_unchecked(&mut buffer.bytes_mut()[20..]);
        udp.emit(&mut inner, &source.address.into(), &destination.address.into(), 4, |body| body.fill(7), &checksums);
        Packet::new(buffer)
    }

    fn end(address: Ipv4Addr, port: u16) -> SocketAddr {
        SocketAddr { address, port }
    }

    /// Lets `does` use a context at this time; gives back what it recorded of flows.
    fn at(now: Instant, does: impl FnOnce(&mut Cx)) -> Vec<TrackedRecord> {
        let (mut rng, mut pool) = (Stream::named(1, "test"), Pool::default());
        let mut pen = Recorder::new(Level::Everything, Cast::default());
        does(&mut Cx {
            now,
            node: NodeId(0),
            rng: &mut rng,
            pen: &mut pen,
            pool: &mut pool,
            cause: EventId::NONE,
            packet: PacketId(0),
            stage: Stage::Postrouting,
        });
        pen.into_trace().tracked
    }

    fn through(nat: &mut Nat, rules: &mut IpTables, mut packet: Packet) -> (Packet, Vec<TrackedRecord>) {
        let records = at(Instant::ZERO, |cx| {
            nat.prerouting(&mut packet, rules, cx).unwrap();
            nat.postrouting(&mut packet, rules, ("eth1", "eth0"), ROUTER, cx).unwrap();
        });
        (packet, records)
    }

    fn masquerading() -> IpTables {
        let mut rules = IpTables::default();
        let source = Some(super::super::filter::Maybe::is("192.168.0.0/24".parse().unwrap()));
        let matches = Matches { source, ..Matches::default() };
        let rule = Rule { matches, target: Target::Masquerade, packets: 0, bytes: 0 };
        rules.insert(Table::Nat, "POSTROUTING", None, rule).unwrap();
        rules
    }

    #[test]
    fn two_hosts_with_one_port_get_two_and_their_own_answers() {
        let (mut nat, mut rules) = (Nat::default(), masquerading());
        let ports: Vec<u16> = INSIDE
            .iter()
            .map(|inside| {
                let (asked, _) = through(&mut nat, &mut rules, datagram(end(*inside, 5000), end(OUTSIDE, 53)));
                let flow = Flow::of(&asked).unwrap();
                assert_eq!(flow.source.address, ROUTER);
                flow.source.port
            })
            .collect();
        assert_ne!(ports[0], ports[1]);
        for (inside, port) in INSIDE.iter().zip(ports) {
            let (answer, _) = through(&mut nat, &mut rules, datagram(end(OUTSIDE, 53), end(ROUTER, port)));
            assert_eq!(Flow::of(&answer).unwrap().destination, end(*inside, 5000));
            let (source, destination) = (answer.ip().src_addr(), answer.ip().dst_addr());
            let udp = UdpPacket::new_checked(answer.payload()).unwrap();
            assert!(answer.ip().verify_checksum() && udp.verify_checksum(&source.into(), &destination.into()));
        }
    }

    #[test]
    fn a_flow_that_began_outside_keeps_its_addresses() {
        let (mut nat, mut rules) = (Nat::default(), masquerading());
        through(&mut nat, &mut rules, datagram(end(OUTSIDE, 4000), end(INSIDE[0], 80)));
        let (answer, _) = through(&mut nat, &mut rules, datagram(end(INSIDE[0], 80), end(OUTSIDE, 4000)));
        assert_eq!(Flow::of(&answer).unwrap().source, end(INSIDE[0], 80));
    }

    #[test]
    fn silent_flows_are_forgotten() {
        let (mut nat, mut rules) = (Nat::default(), masquerading());
        through(&mut nat, &mut rules, datagram(end(INSIDE[0], 5000), end(OUTSIDE, 53)));
        assert_eq!(nat.next_wake(), Some(Instant::ZERO + Duration::from_secs(30)));
        let records = at(Instant::ZERO + Duration::from_secs(31), |cx| nat.wake(cx));
        assert_eq!(records.iter().map(|record| record.present).collect::<Vec<_>>(), [false]);
        assert!(nat.next_wake().is_none() && nat.by_packet.is_empty());
    }

    #[test]
    fn a_flow_is_recorded_when_it_leaves_and_is_answered_and_not_at_every_packet() {
        let (mut nat, mut rules) = (Nat::default(), masquerading());
        let mut records = Vec::new();
        for _ in 0..3 {
            records.extend(through(&mut nat, &mut rules, datagram(end(INSIDE[0], 5000), end(OUTSIDE, 53))).1);
        }
        for _ in 0..3 {
            records.extend(through(&mut nat, &mut rules, datagram(end(OUTSIDE, 53), end(ROUTER, 5000))).1);
        }
        let told: Vec<_> = records.iter().map(|record| (record.leaves_as, record.state)).collect();
        let leaves_as = end(ROUTER, 5000);
        assert_eq!(told, [(leaves_as, TrackedState::Unreplied), (leaves_as, TrackedState::Replied)]);
        assert_eq!(records[1].stays, Duration::from_secs(120));
    }
}
