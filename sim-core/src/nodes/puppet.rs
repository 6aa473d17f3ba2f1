//! A node without a mind of its own, for replays and tests: it sends given frames at given times, keeps every frame it
//! gets, answers ARP requests from a table if asked to, and lets a [`Script`] speak for it.

use crate::base::id::PortId;
use crate::base::time::Instant;
use crate::trace::{Stage, Why};
use crate::wire::frame::{ETHERNET_HEADER, ETHERTYPE_ARP, Frame};
use crate::wire::{Ipv4Addr, Mac};
use crate::world::action::Action;
use crate::world::node::{Cx, Node, Outbox};
use smoltcp::wire::{ArpOperation, ArpPacket, ArpRepr, EthernetFrame, EthernetProtocol};
use std::any::Any;
use std::collections::BTreeMap;

/// A frame at a port at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When.
    pub at: Instant,
    /// Where.
    pub port: PortId,
    /// From the Ethernet destination on.
    pub bytes: Box<[u8]>,
}

/// Speaks for a puppet: hears every frame and may send frames.
pub trait Script: Any {
    /// A frame came; what is pushed to `out` is sent at once.
    fn receive(&mut self, frame: &Sighting, out: &mut Vec<(PortId, Vec<u8>)>);

    /// The time that `next_wake` gave has come.
    fn wake(&mut self, now: Instant, out: &mut Vec<(PortId, Vec<u8>)>);

    /// When the script next wants to do something by itself.
    fn next_wake(&self) -> Option<Instant>;
}

/// A puppet.
#[derive(Default)]
pub struct Puppet {
    /// What it still has to send, the latest first.
    sends: Vec<Sighting>,
    received: Vec<Sighting>,
    answers: BTreeMap<Ipv4Addr, Mac>,
    script: Option<Box<dyn Script>>,
}

/// How many frames a puppet keeps.
const RECEIVED_MAX: usize = 1 << 20;

impl Puppet {
    /// A puppet that sends these frames, each at its time; those of one instant in the given order.
    pub fn sending(mut frames: Vec<Sighting>) -> Self {
        frames.sort_by_key(|frame| frame.at);
        frames.reverse();
        Puppet { sends: frames, ..Puppet::default() }
    }

    /// Lets it answer ARP requests about these addresses, as the recorded hosts would.
    pub fn answering(mut self, answers: BTreeMap<Ipv4Addr, Mac>) -> Self {
        self.answers = answers;
        self
    }

    /// Lets a script speak for it.
    pub fn speaking(mut self, script: Box<dyn Script>) -> Self {
        self.script = Some(script);
        self
    }

    /// Every frame it got (the first 1,048,576), in order.
    pub fn received(&self) -> &[Sighting] {
        &self.received
    }

    /// Takes out what it got so far.
    pub fn take_received(&mut self) -> Vec<Sighting> {
        std::mem::take(&mut self.received)
    }

    /// Its script, if it is a `T`.
    pub fn script<T: Script>(&self) -> Option<&T> {
        let script: &dyn Any = self.script.as_deref()?;
        script.downcast_ref()
    }

    fn send_due(&mut self, out: &mut Outbox, cx: &mut Cx) {
        while let Some(frame) = self.sends.pop_if(|frame| frame.at <= cx.now) {
            send(frame.port, &frame.bytes, out, cx);
        }
    }
}

impl Node for Puppet {
    fn receive(&mut self, port: PortId, frame: Frame, out: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Process;
        let seen = Sighting { at: cx.now, port, bytes: frame.bytes().into() };
        if let Some(answer) = arp_answer(frame.bytes(), &self.answers) {
            send(port, &answer, out, cx);
        }
        if let Some(script) = &mut self.script {
            let mut frames = Vec::new();
            script.receive(&seen, &mut frames);
            for (port, bytes) in frames {
                send(port, &bytes, out, cx);
            }
        }
        cx.take_up(frame.buffer());
        cx.note(Why::PuppetTook);
        cx.recycle(frame.into_buffer());
        if self.received.len() < RECEIVED_MAX {
            self.received.push(seen);
        }
    }

    fn wake(&mut self, out: &mut Outbox, cx: &mut Cx) {
        cx.stage = Stage::Process;
        self.send_due(out, cx);
        if let Some(script) = &mut self.script {
            let mut frames = Vec::new();
            if script.next_wake().is_some_and(|at| at <= cx.now) {
                script.wake(cx.now, &mut frames);
            }
            for (port, bytes) in frames {
                send(port, &bytes, out, cx);
            }
        }
    }

    fn act(&mut self, action: &Action, _: &mut Outbox, _: &mut Cx) {
        match action {
            // Nothing touches a puppet: it plays its part to the end.
            Action::Boot
            | Action::Run(_)
            | Action::Carrier { .. }
            | Action::PowerOff
            | Action::PowerOn
            | Action::Crash
            | Action::Freeze
            | Action::Thaw
            | Action::Cut(_)
            | Action::Heal => {}
        }
    }

    fn next_wake(&self) -> Option<Instant> {
        let send = self.sends.last().map(|frame| frame.at);
        let script = self.script.as_ref().and_then(|script| script.next_wake());
        [send, script].into_iter().flatten().min()
    }
}

fn send(port: PortId, bytes: &[u8], out: &mut Outbox, cx: &mut Cx) {
    let mut buffer = cx.new_buffer(bytes.len());
    buffer.bytes_mut().copy_from_slice(bytes);
    buffer.cause = cx.cause;
    out.send(port, Frame::new(buffer));
}

/// The answer to an ARP request about one of these addresses.
fn arp_answer(frame: &[u8], answers: &BTreeMap<Ipv4Addr, Mac>) -> Option<Vec<u8>> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    if u16::from(ethernet.ethertype()) != ETHERTYPE_ARP {
        return None;
    }
    let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, target_protocol_addr, .. } =
        ArpRepr::parse(&ArpPacket::new_checked(ethernet.payload()).ok()?).ok()?
    else {
        return None;
    };
    let mac = *answers.get(&target_protocol_addr)?;
    if operation != ArpOperation::Request {
        return None;
    }
    let answer = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr: mac,
        source_protocol_addr: target_protocol_addr,
        target_hardware_addr: source_hardware_addr,
        target_protocol_addr: source_protocol_addr,
    };
    let mut bytes = vec![0; ETHERNET_HEADER + answer.buffer_len()];
    let mut ethernet = EthernetFrame::new_unchecked(&mut bytes);
    ethernet.set_dst_addr(source_hardware_addr);
    ethernet.set_src_addr(mac);
    ethernet.set_ethertype(EthernetProtocol::Arp);
    answer.emit(&mut ArpPacket::new_unchecked(ethernet.payload_mut()));
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::NodeId;
    use crate::base::time::Duration;
    use crate::trace::{Level, NodeCard, PortCard};
    use crate::world::{Deed, LinkChange, LinkSettings, Plan, Sim, Stopped};

    fn pair(left: Puppet, right: Puppet, deeds: Vec<(Instant, Deed)>) -> Sim {
        pair_at(Level::Frames, left, right, deeds)
    }

    fn pair_at(level: Level, left: Puppet, right: Puppet, deeds: Vec<(Instant, Deed)>) -> Sim {
        let card = |name: &str| NodeCard { name: name.into(), role: "host".into(), is_switch: false };
        let port = |node| PortCard { node: NodeId(node), name: "eth0".into(), mac: None, address: None, peer: None };
        Sim::new(Plan {
            seed: 1,
            level,
            nodes: vec![(card("left"), Box::new(left)), (card("right"), Box::new(right))],
            ports: vec![port(0), port(1)],
            cables: vec![(PortId(0), PortId(1), LinkSettings::default())],
            deeds,
            until: Instant::from_nanos(1_000_000_000),
        })
    }

    fn sighting(at_us: u64, bytes: &[u8]) -> Sighting {
        Sighting { at: Instant::from_nanos(at_us * 1_000), port: PortId(0), bytes: bytes.into() }
    }

    /// Says a frame to itself forever, at one instant.
    struct Restless;

    impl Script for Restless {
        fn receive(&mut self, _: &Sighting, _: &mut Vec<(PortId, Vec<u8>)>) {}
        fn wake(&mut self, _: Instant, _: &mut Vec<(PortId, Vec<u8>)>) {}
        fn next_wake(&self) -> Option<Instant> {
            Some(Instant::ZERO)
        }
    }

    #[test]
    fn what_one_sends_the_other_gets_after_serialisation_and_delay() {
        let mut sim = pair(Puppet::sending(vec![sighting(5, &[7; 60])]), Puppet::default(), vec![]);
        assert_eq!(sim.run(), Stopped::Quiet);
        let got = sim.node::<Puppet>(NodeId(1)).unwrap().received();
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].at, Instant::from_nanos(5_000 + 672 + 50_000));
        assert_eq!(*got[0].bytes, [7; 60]);
        assert_eq!(sim.counters().packet_hops, 1);
    }

    #[test]
    fn a_pulled_cable_loses_what_is_under_way_and_what_is_sent_meanwhile() {
        let at = |us: u64| Instant::from_nanos(us * 1_000);
        let deeds = vec![(at(10), Deed::Unplug(PortId(1))), (at(100), Deed::Plug(PortId(0)))];
        let frames = [1, 20, 200].map(|at_us| sighting(at_us, &[at_us as u8; 60]));
        let mut sim = pair(Puppet::sending(frames.to_vec()), Puppet::default(), deeds);
        sim.run();
        let got = sim.node::<Puppet>(NodeId(1)).unwrap().received();
        assert_eq!(got.iter().map(|frame| frame.bytes[0]).collect::<Vec<_>>(), [200]);
        assert_eq!(sim.counters().drops, 2);
    }

    #[test]
    fn a_changed_link_concerns_what_is_sent_later() {
        let change = LinkChange { delay: Some(Duration::from_millis(5)), ..LinkChange::default() };
        let deeds = vec![(Instant::from_nanos(10_000), Deed::SetLink(PortId(1), change))];
        let frames = [1, 20].map(|at_us| sighting(at_us, &[0; 60])).to_vec();
        let mut sim = pair(Puppet::sending(frames), Puppet::default(), deeds);
        sim.run();
        let got = sim.node::<Puppet>(NodeId(1)).unwrap().received();
        assert_eq!(got[0].at, Instant::from_nanos(1_000 + 672 + 50_000));
        assert_eq!(got[1].at, Instant::from_nanos(20_000 + 672 + 5_000_000));
    }

    #[test]
    fn an_arp_request_about_a_listed_address_is_answered() {
        let asked = Ipv4Addr::new(10, 0, 0, 2);
        let request = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: Mac([2, 0, 0, 0, 0, 1]),
            source_protocol_addr: Ipv4Addr::new(10, 0, 0, 1),
            target_hardware_addr: Mac([0; 6]),
            target_protocol_addr: asked,
        };
        let mut bytes = [0xff; 14 + 28];
        bytes[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        bytes[12..14].copy_from_slice(&[0x08, 0x06]);
        request.emit(&mut ArpPacket::new_unchecked(&mut bytes[14..]));
        let answering = Puppet::default().answering(BTreeMap::from([(asked, Mac([2, 0, 0, 0, 0, 2]))]));
        let mut sim = pair(Puppet::sending(vec![sighting(1, &bytes)]), answering, vec![]);
        sim.run();
        let got = sim.node::<Puppet>(NodeId(0)).unwrap().received();
        let answer = ArpRepr::parse(&ArpPacket::new_checked(&got[0].bytes[14..]).unwrap()).unwrap();
        let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, source_protocol_addr, .. } = answer else {
            panic!("an ARP message about IPv4")
        };
        assert_eq!(operation, ArpOperation::Reply);
        assert_eq!((source_hardware_addr, source_protocol_addr), (Mac([2, 0, 0, 0, 0, 2]), asked));
    }

    #[test]
    fn a_node_that_wakes_forever_at_one_instant_ends_the_run() {
        let mut sim = pair(Puppet::default(), Puppet::default().speaking(Box::new(Restless)), vec![]);
        assert_eq!(sim.run(), Stopped::Livelock { node: NodeId(1), at: Instant::ZERO });
    }

    #[test]
    fn the_digest_is_the_same_at_frames_and_everything_and_none_at_counters() {
        let digest = |level| {
            let frames = vec![sighting(5, &[7; 60]), sighting(6, &[8; 600])];
            let mut sim = pair_at(level, Puppet::sending(frames), Puppet::default(), vec![]);
            sim.run();
            sim.digest()
        };
        assert!(digest(Level::Frames).is_some());
        assert_eq!(digest(Level::Frames), digest(Level::Everything));
        assert_eq!(digest(Level::Counters), None);
    }
}
