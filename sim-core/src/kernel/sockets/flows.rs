//! The flows of a host: where they stand, when they are due, how they end.

use super::flow::{Beginning, Flow, Role};
use super::time_wait::TimeWait;
use super::{Kind, POOL_MAX, Place, Sockets};
use crate::base::time::Instant;
use crate::kernel::socket::Event;
use crate::trace::Stage;
use crate::world::node::Cx;
use std::cmp::Reverse;

impl Sockets {
    /// Lets a flow send what it can, and notes when it wants to be called again.
    pub(super) fn drain(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that is driven is there");
        let before = cx.context();
        (cx.cause, cx.packet) = flow.last;
        cx.stage = Stage::Socket;
        let (mtu, leaps, made) = (flow.mtu, flow.leaps, &mut self.made);
        flow.deadline = self.stacks.drain(mtu, leaps, flow.set_mut(), made, cx);
        self.take_made(place, cx);
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that is driven is there");
        if flow.waits() {
            flow.retransmission.wait(cx.now);
        }
        self.arm(place);
        cx.resume(before);
    }

    /// Moves what smoltcp made into the queue of packets to be sent.
    pub(super) fn take_made(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that is driven is there");
        for packet in self.made.drain(..) {
            self.outgoing.push_back(flow.finish(packet, cx));
        }
    }

    pub(super) fn arm(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        let Some(flow) = &place.flow else { return };
        let due = flow.deadline.min(flow.retransmission.due).min(flow.give_up);
        if due < place.armed {
            place.armed = due;
            self.timers.push(Reverse((due, index)));
        }
    }

    pub(super) fn begin(&mut self, beginning: Beginning, cx: &mut Cx) -> u32 {
        let mut flow = self.pool.pop().unwrap_or_else(Flow::blank);
        flow.begin(beginning, cx);
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize].flow = Some(flow);
                place
            }
            None => {
                self.places.push(Place { flow: Some(flow), armed: Instant::NEVER });
                self.places.len() as u32 - 1
            }
        };
        self.flows.insert(beginning.key, place);
        self.kinds.insert(beginning.id, Kind::Flow(place));
        place
    }

    /// The connection is over: nothing more is received. The place is freed as soon as its process lets go.
    pub(super) fn finish_flow(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a flow that ends is there");
        flow.is_over = true;
        flow.deadline = Instant::NEVER;
        flow.retransmission.due = Instant::NEVER;
        flow.give_up = Instant::NEVER;
        self.flows.remove(&flow.key);
        let is_held = !flow.is_orphan && matches!(flow.role, Role::Client | Role::Accepted | Role::Queued(_));
        if !is_held {
            self.free_place(place, cx);
        }
    }

    pub(super) fn keep_time_wait(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_ref().expect("a flow that ends is there");
        let record = TimeWait {
            expires: cx.now,
            next_seq: flow.next_seq,
            next_ack: flow.next_ack,
            window: flow.window,
            peer_timestamp: flow.peer_timestamp,
            timestamp_offset: flow.timestamp_offset,
        };
        self.time_waits.insert(flow.key, record, cx.now);
        self.finish_flow(place, cx);
    }

    /// Takes a flow out altogether.
    pub(super) fn free_place(&mut self, index: u32, _cx: &mut Cx) {
        let Some(mut flow) = self.places[index as usize].flow.take() else { return };
        if self.flows.get(&flow.key) == Some(&index) {
            self.flows.remove(&flow.key);
        }
        self.kinds.remove(&flow.id);
        match flow.role {
            Role::Embryo(listener) => {
                if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                    listener.embryos = listener.embryos.saturating_sub(1);
                }
            }
            Role::Queued(listener) => {
                if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                    listener.queue.retain(|waiting| *waiting != flow.id);
                }
            }
            Role::Client | Role::Accepted => {
                if !flow.is_orphan {
                    self.let_go(flow.owner);
                }
            }
        }
        if self.pool.len() < POOL_MAX && !flow.had_loss {
            flow.is_put_off = false;
            self.pool.push(flow);
        }
        self.free.push(index);
    }

    pub(super) fn tell(&mut self, place: u32) {
        let Some(flow) = &self.places[place as usize].flow else { return };
        if !flow.is_orphan && matches!(flow.role, Role::Client | Role::Accepted) {
            let (cause, packet) = flow.last;
            self.events.push(Event { owner: flow.owner, socket: flow.id, cause, packet });
        }
    }
}
