//! The sockets of one process at which something happened.

use crate::base::map::Lookup;
use crate::kernel::socket::SocketId;
use std::collections::VecDeque;

/// Sockets at which something happened, in order, each once.
#[derive(Debug, Default)]
pub(super) struct ReadySockets {
    order: VecDeque<SocketId>,
    announced: Lookup<SocketId, ()>,
}

impl ReadySockets {
    pub(super) fn announce(&mut self, socket: SocketId) {
        if self.announced.insert(socket, ()).is_none() {
            if self.order.len() > 2 * self.announced.len() + 64 {
                let announced = &self.announced;
                self.order.retain(|old| announced.contains(old));
            }
            self.order.push_back(socket);
        }
    }

    /// Takes one out; whether it was there. Its place in the order is passed over when its turn comes.
    pub(super) fn forget(&mut self, socket: SocketId) -> bool {
        self.announced.remove(&socket).is_some()
    }

    pub(super) fn next(&mut self) -> Option<SocketId> {
        loop {
            let socket = self.order.pop_front()?;
            if self.forget(socket) {
                return Some(socket);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.announced.is_empty()
    }
}
