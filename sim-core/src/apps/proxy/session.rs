//! One connection of a client through a proxy, and the one to a server that belongs to it.

use crate::base::time::Instant;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, Sys};
use crate::wire::flow::SocketAddr;

/// A client and its server.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) frontend: usize,
    pub(super) client: SocketId,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) began: Instant,
    pub(super) phase: Phase,
    /// Backend and server, as far as chosen.
    pub(super) backend: Option<usize>,
    pub(super) server: Option<usize>,
    pub(super) uplink: Option<SocketId>,
    /// The ends of the connection to the server.
    pub(super) relayed: Option<(SocketAddr, SocketAddr)>,
    /// Servers that refused this connection.
    pub(super) tried: Vec<usize>,
    pub(super) tries: u32,
    pub(super) to_server: Pipe,
    pub(super) to_client: Pipe,
    /// When it has waited too long.
    pub(super) until: Instant,
    pub(super) request: String,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) connected_at: Option<Instant>,
    pub(super) answered_at: Option<Instant>,
}

impl Session {
    /// Whether its client has asked for nothing yet.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Reading && self.to_server.octets.is_empty()
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The request's head is still coming.
    Reading,
    /// The server was called.
    Connecting,
    /// The server's head is still coming (http).
    Answering,
    /// Octets both ways.
    Carrying,
    /// The rest goes to the client.
    Closing,
}

/// Octets on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) octets: Vec<u8>,
    sent: usize,
    /// Nothing more will come.
    pub(super) is_ended: bool,
    /// The other end was told so.
    is_shut: bool,
    pub(super) carried: u64,
}

/// Octets that wait in one direction, at most: then nothing more is read.
const WAITING_MAX: usize = 65_536;
const READ_MAX: usize = 16_384;

impl Pipe {
    /// All there is to send.
    pub(super) fn of(octets: Vec<u8>) -> Self {
        Pipe { octets, is_ended: true, ..Pipe::default() }
    }

    /// Takes what has come. False if the connection is broken.
    pub(super) fn fill(&mut self, from: SocketId, sys: &mut Sys) -> bool {
        while !self.is_ended && self.octets.len() < WAITING_MAX {
            match sys.recv(from, READ_MAX) {
                Read::Data(bytes) => self.octets.extend(bytes),
                Read::Wait => return true,
                Read::End => self.is_ended = true,
                Read::Failed(_) => {
                    self.is_ended = true;
                    return false;
                }
            }
        }
        true
    }

    /// Sends what can be sent, then the end. False if the connection is broken.
    pub(super) fn drain(&mut self, to: SocketId, sys: &mut Sys) -> bool {
        while self.sent < self.octets.len() {
            match sys.send(to, &self.octets[self.sent..]) {
                Ok(0) => return true,
                Ok(count) => {
                    self.sent += count;
                    self.carried += count as u64;
                }
                Err(_) => return false,
            }
        }
        self.octets.clear();
        self.sent = 0;
        if self.is_ended && !std::mem::replace(&mut self.is_shut, true) {
            sys.shutdown(to);
        }
        true
    }

    /// Whether all of it has gone, and the end was told.
    pub(super) fn is_done(&self) -> bool {
        self.is_shut && self.octets.is_empty()
    }
}
