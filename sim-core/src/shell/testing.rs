//! A bench for tests: a kernel without a network, on which lines are typed.

use super::{Programs, Shell, parse};
use crate::base::id::{EventId, IfaceId, NodeId, PacketId, PortId};
use crate::base::rng::Stream;
use crate::base::time::{Duration, Instant};
use crate::kernel::exec::{self, Bodies};
use crate::kernel::process::Processes;
use crate::kernel::{Kernel, Os};
use crate::trace::record::LinkKind;
use crate::trace::recorder::Level;
use crate::trace::{Cast, Recorder, Stage};
use crate::wire::Mac;
use crate::world::node::{Cx, Outbox, Pool};
use std::rc::Rc;

/// A kernel and what it needs to run.
pub(super) struct Bench {
    pub(super) kernel: Kernel,
    bodies: Bodies,
    pen: Recorder,
    pool: Pool,
    pub(super) now: Instant,
    commands: u32,
}

/// What a line came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Result {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: i32,
}

impl Bench {
    pub(super) fn new(os: Os) -> Bench {
        let mut kernel = Kernel::new(NodeId(0), "rs1", os);
        kernel.processes = Processes::new(Rc::new(Programs));
        Bench {
            kernel,
            bodies: Bodies::default(),
            pen: Recorder::new(Level::Everything, Cast::default()),
            pool: Pool::default(),
            now: Instant::ZERO,
            commands: 0,
        }
    }

    /// The same with `lo` and an `eth0` that are up; 172.25.92.5/24 and a gateway are set.
    pub(super) fn networked(os: Os) -> Bench {
        let mut bench = Bench::new(os);
        bench.with(|kernel, out, cx| {
            kernel.tables.start("rs1", cx);
            let mac = Mac([2, 0, 0, 0, 4, 1]);
            let eth0 = kernel.tables.add_interface("eth0", LinkKind::Ethernet(PortId(0)), mac, 1500, cx);
            kernel.set_up(IfaceId(1), true, out, cx).expect("lo is there");
            kernel.set_up(eth0.expect("a fresh host has room"), true, out, cx).expect("eth0 is there");
        });
        let result = bench.run("ip addr add 172.25.92.5/24 brd + dev eth0; ip route add default via 172.25.92.1");
        assert_eq!((result.err.as_str(), result.code), ("", 0));
        bench
    }

    /// Types one text as one script and lets time pass until it has ended (at most 100 s).
    pub(super) fn run(&mut self, text: &str) -> Result {
        let script = match parse::script(text, "-bash") {
            Ok(script) => script,
            Err(problems) => panic!("{text}: {problems:?}"),
        };
        let script = parse::Script { typed: true, ..script };
        let body = Box::new(Shell::new(script, Vec::new(), &crate::kernel::process::Env::new()));
        self.run_body(body)
    }

    pub(super) fn run_body(&mut self, body: Box<dyn crate::kernel::process::Process>) -> Result {
        self.commands += 1;
        let terminal = self.commands;
        let pid = self.kernel.start("bash", body, Some(terminal), self.now).expect("a fresh kernel has room");
        let end = self.now + Duration::from_secs(100);
        loop {
            self.turn();
            if let Some((_, code)) = self.kernel.processes.take_ended().into_iter().find(|(ended, _)| *ended == pid) {
                let (out, err) = self.kernel.take_output(terminal);
                return Result { out, err, code };
            }
            match self.kernel.next_wake() {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ => {
                    let (out, err) = self.kernel.take_output(terminal);
                    return Result { out, err, code: -1 };
                }
            }
        }
    }

    fn turn(&mut self) {
        let mut bodies = std::mem::take(&mut self.bodies);
        self.with(|kernel, out, cx| {
            kernel.wake(out, cx);
            exec::run(kernel, &mut bodies, out, cx);
        });
        self.bodies = bodies;
    }

    fn with(&mut self, act: impl FnOnce(&mut Kernel, &mut Outbox, &mut Cx)) {
        let mut rng = Stream::named(1, "node/rs1");
        let mut cx = Cx {
            now: self.now,
            node: NodeId(0),
            rng: &mut rng,
            pen: &mut self.pen,
            pool: &mut self.pool,
            cause: EventId::NONE,
            packet: PacketId::NONE,
            stage: Stage::Process,
        };
        act(&mut self.kernel, &mut Outbox::default(), &mut cx);
    }
}
