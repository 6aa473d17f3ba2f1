//! A closed-loop load: a number of lanes, each of which asks, reads the whole answer and at once asks again.
//!
//! ```text
//!   lane: start ─► connecting ─► reading ─► (FIN) ─► start …      until all requests are done
//! ```
//! A request is answered if the other end closed after exactly the octets that were expected. Lane i starts
//! i × stagger after the program.

use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Read, Sys, TcpState};
use crate::wire::flow::SocketAddr;
use std::rc::Rc;

/// What is asked of whom, and how often.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// Whom.
    pub remote: SocketAddr,
    /// Octets that are sent after the connection is there.
    pub request: Rc<[u8]>,
    /// Octets that a whole answer has; none: any.
    pub answer: Option<u64>,
    /// How many requests in all.
    pub requests: u64,
    /// How many at once.
    pub lanes: u32,
    /// How much later each lane starts than the one before.
    pub stagger: Duration,
}

/// The process. At the end it prints how many requests were answered and how many failed.
#[derive(Debug)]
pub struct Load {
    plan: LoadPlan,
    began: Option<Instant>,
    lanes_begun: u32,
    lanes: Lookup<SocketId, Lane>,
    begun: u64,
    answered: u64,
    failed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Lane {
    Connecting,
    Asking { sent: usize },
    Reading { received: u64 },
    Answered,
}

const READ_MAX: usize = 65_536;

impl Load {
    /// A load that begins when the process does.
    pub fn new(plan: LoadPlan) -> Self {
        Load { plan, began: None, lanes_begun: 0, lanes: Lookup::default(), begun: 0, answered: 0, failed: 0 }
    }

    fn lane_start(&self, began: Instant) -> Instant {
        began + self.plan.stagger.times(u64::from(self.lanes_begun))
    }

    /// Begins the next request of a lane. One that fails at once is counted, and the lane goes on to the next.
    fn begin(&mut self, sys: &mut Sys) {
        while self.begun < self.plan.requests {
            self.begun += 1;
            match sys.connect(None, self.plan.remote) {
                Ok(socket) => {
                    self.lanes.insert(socket, Lane::Connecting);
                    return;
                }
                Err(_) => self.failed += 1,
            }
        }
    }

    fn attend(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(lane) = self.lanes.get(&socket).copied() else { return };
        let went_on = match lane {
            Lane::Connecting => match sys.tcp_state(socket) {
                TcpState::Connecting => Some(Lane::Connecting),
                TcpState::Connected => self.ask(socket, 0, sys),
                TcpState::Failed(_) | TcpState::Closed => None,
            },
            Lane::Asking { sent } => self.ask(socket, sent, sys),
            Lane::Reading { received } => self.read(socket, received, sys),
            Lane::Answered => return,
        };
        match went_on {
            Some(Lane::Answered) => {
                self.answered += 1;
                self.end(socket, sys);
            }
            Some(lane) => {
                self.lanes.insert(socket, lane);
            }
            None => {
                self.failed += 1;
                self.end(socket, sys);
            }
        }
    }

    fn ask(&mut self, socket: SocketId, mut sent: usize, sys: &mut Sys) -> Option<Lane> {
        while sent < self.plan.request.len() {
            match sys.send(socket, &self.plan.request[sent..]).ok()? {
                0 => return Some(Lane::Asking { sent }),
                count => sent += count,
            }
        }
        Some(Lane::Reading { received: 0 })
    }

    /// Reads what there is; none if the connection failed or ended with a wrong length.
    fn read(&mut self, socket: SocketId, mut received: u64, sys: &mut Sys) -> Option<Lane> {
        loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(bytes) => received += bytes.len() as u64,
                Read::Wait => return Some(Lane::Reading { received }),
                Read::Failed(_) => return None,
                Read::End => return self.plan.answer.is_none_or(|whole| whole == received).then_some(Lane::Answered),
            }
        }
    }

    fn end(&mut self, socket: SocketId, sys: &mut Sys) {
        self.lanes.remove(&socket);
        sys.close(socket);
        self.begin(sys);
    }
}

impl Process for Load {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let began = *self.began.get_or_insert(sys.now());
        while self.lanes_begun < self.plan.lanes && self.lane_start(began) <= sys.now() {
            self.lanes_begun += 1;
            self.begin(sys);
        }
        while let Some(socket) = sys.next_ready() {
            self.attend(socket, sys);
        }
        if self.answered + self.failed == self.plan.requests {
            let report = format!("{} answered, {} failed\n", self.answered, self.failed);
            let _nobody_reads = sys.write(Fd::STDOUT, report.as_bytes());
            return Next::Exit(i32::from(self.failed > 0));
        }
        let until = (self.lanes_begun < self.plan.lanes).then(|| self.lane_start(began));
        Next::Wait(Wait { until, any: vec![On::AnySocket] })
    }
}
