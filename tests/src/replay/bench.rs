//! A host on a bench: no world around it, frames are put into its NICs by hand and taken out again, time is what the
//! replay says.

use super::host_plan::{self, Card};
use sim_core::base::id::{EventId, LineId, NodeId, PacketId, PortId};
use sim_core::base::rng::Stream;
use sim_core::base::time::Instant;
use sim_core::nodes::host::{Host, Lines};
use sim_core::trace::record::CommandRecord;
use sim_core::trace::{Cast, Level, NodeCard, PortCard, Recorder, Stage};
use sim_core::wire::Mac;
use sim_core::wire::frame::Frame;
use sim_core::world::node::{Action, Cx, Node, Outbox, Pool};
use std::rc::Rc;

/// A host on a bench. Its NICs are numbered from 0, as are their ports.
pub struct Bench {
    host: Host,
    now: Instant,
    pen: Recorder,
    chance: Stream,
    pool: Pool,
    out: Outbox,
    sent: Vec<(Instant, usize, Vec<u8>)>,
}

impl Bench {
    /// A host that was just switched on.
    pub fn new(name: &str, nics: &[(String, Mac, u32)], lines: Rc<dyn Lines>) -> Self {
        let cards: Vec<Card> = nics
            .iter()
            .enumerate()
            .map(|(index, (name, mac, mtu))| (PortId(index as u32), name.clone(), *mac, *mtu))
            .collect();
        let cast = Cast {
            deeds: Vec::new(),
            nodes: vec![NodeCard { name: name.into(), role: "host".into(), is_switch: false }],
            ports: cards
                .iter()
                .map(|(_, name, mac, _)| PortCard {
                    node: NodeId(0),
                    name: name.as_str().into(),
                    mac: Some(*mac),
                    address: None,
                    peer: None,
                })
                .collect(),
        };
        let mut bench = Bench {
            host: host_plan::host(NodeId(0), name, &cards, lines),
            now: Instant::ZERO,
            pen: Recorder::new(Level::Frames, cast),
            chance: Stream::named(1, &format!("node/{name}")),
            pool: Pool::default(),
            out: Outbox::default(),
            sent: Vec::new(),
        };
        bench.turn(|host, out, cx| host.act(&Action::Boot, out, cx));
        bench
    }

    /// When the host next wants to wake.
    pub fn next_wake(&self) -> Option<Instant> {
        self.host.next_wake().map(|at| at.max(self.now))
    }

    /// Lets time pass; the caller has woken the host whenever it wanted to.
    pub fn go_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }

    /// Wakes the host.
    pub fn wake(&mut self, at: Instant) {
        self.go_to(at);
        self.turn(|host, out, cx| host.wake(out, cx));
    }

    /// A frame comes in by a NIC.
    pub fn receive(&mut self, nic: usize, frame: &[u8]) {
        let frame = Frame::from_bytes(frame, PacketId::NONE);
        self.turn(|host, out, cx| host.receive(PortId(nic as u32), frame, out, cx));
    }

    /// A line is typed.
    pub fn type_line(&mut self, line: LineId) {
        self.turn(|host, out, cx| host.act(&Action::Run(line), out, cx));
    }

    /// What was typed, and what came back.
    pub fn commands(&self) -> &[CommandRecord] {
        &self.pen.trace().commands
    }

    /// Takes the frames that left since the last call: when, by which NIC, and what.
    pub fn take_sent(&mut self) -> Vec<(Instant, usize, Vec<u8>)> {
        std::mem::take(&mut self.sent)
    }

    fn turn(&mut self, call: impl FnOnce(&mut Host, &mut Outbox, &mut Cx)) {
        self.pen.begin_step(self.now, NodeId(0));
        let packet = self.pen.new_packet(PacketId::NONE);
        let mut cx = Cx {
            now: self.now,
            node: NodeId(0),
            rng: &mut self.chance,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet,
            stage: Stage::Wire,
        };
        call(&mut self.host, &mut self.out, &mut cx);
        for (port, frame) in self.out.drain() {
            self.sent.push((self.now, port.index(), frame.bytes().to_vec()));
        }
    }
}
