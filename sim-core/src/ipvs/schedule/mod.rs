//! Schedulers: who gets a new connection. One file each; [`registry::SCHEDULERS`] is the list.

mod cache;
mod cheapest;
mod dh;
mod fo;
mod index;
mod lblc;
mod lblcr;
mod lc;
mod mh;
mod nq;
mod ovf;
pub mod registry;
mod rr;
mod sed;
mod sh;
mod twos;
mod wlc;
mod wrr;

use super::server::{Server, ServerId};
use crate::base::rng::Stream;
use crate::base::time::Instant;
use crate::tables::sysctl::Vs;
use crate::trace::record::Family;
use crate::wire::Ipv4Addr;
use crate::wire::flow::Flow;
use std::fmt::Debug;

/// Chooses among the servers of one service. It keeps places in the list, and is told when they move.
pub trait Scheduler: Debug {
    /// The server of the next connection.
    ///
    /// # Errors
    /// Why none can be had.
    fn schedule(&mut self, servers: &Servers, ask: &mut Ask) -> Result<Pick, Refusal>;

    /// The service got this scheduler, with the servers it had.
    fn begin(&mut self, servers: &Servers) {
        let _ = servers;
    }

    /// A server was added; it stands first. A scheduler that keeps no place in the list begins again.
    fn added(&mut self, servers: &Servers) {
        self.begin(servers);
    }

    /// The server that stood at `place` is no longer in the list.
    fn removed(&mut self, place: usize, servers: &Servers) {
        let _ = place;
        self.begin(servers);
    }

    /// Something of a server was edited, or nothing: an edit tells of itself.
    fn edited(&mut self, servers: &Servers) {
        self.begin(servers);
    }

    /// The counts of a server in the list, or its mark, have changed. Only schedulers that look at them listen.
    fn changed(&mut self, id: ServerId, server: &Server) {
        let _ = (id, server);
    }

    /// What a server costs by this scheduler's measure, for the explanation of a choice; 0 where there is none.
    fn cost(&self, server: &Server) -> u64 {
        let _ = server;
        0
    }

    /// When this scheduler wants to tidy up.
    fn next_wake(&self) -> Option<Instant> {
        None
    }

    /// That time has come.
    fn wake(&mut self, now: Instant, settings: &Vs) {
        let _ = (now, settings);
    }

    /// Whether something here still leads to a server that was deleted.
    fn holds(&self, server: ServerId) -> bool {
        let _ = server;
        false
    }
}

/// What a new connection brings with it.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The client's flow.
    pub flow: Flow,
    /// The service's scheduler flags (`-b`).
    pub flags: u8,
    /// The time.
    pub now: Instant,
    /// `net.ipv4.vs.*`.
    pub settings: &'a Vs,
    /// The host's chance.
    pub rng: &'a mut Stream,
}

/// A choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The server.
    pub server: ServerId,
    /// On what grounds.
    pub family: Family,
}

/// Why there is no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No server can be had.
    NoDestination,
    /// No server can be had, and the log does not say so (lblcr, for a destination that it does not know).
    Unsaid,
    /// wrr's words: there are weights, but all these servers are overloaded.
    AllOverloaded,
}

/// The servers of a service, in list order: the one added last first.
#[derive(Clone, Copy, Debug)]
pub struct Servers<'a> {
    list: &'a [ServerId],
    slab: &'a [Option<Server>],
}

impl<'a> Servers<'a> {
    /// The servers named by `list`.
    pub(super) fn new(list: &'a [ServerId], slab: &'a [Option<Server>]) -> Self {
        Servers { list, slab }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The server at a place.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, place: usize) -> &'a Server {
        self.slab[self.list[place].index()].as_ref().expect("a list names servers that exist")
    }

    /// Which server stands at a place.
    pub fn id(&self, place: usize) -> ServerId {
        self.list[place]
    }

    /// A server that was in the list once, and may be in the trash.
    pub fn known(&self, id: ServerId) -> &'a Server {
        self.slab[id.index()].as_ref().expect("a server that a scheduler holds is not forgotten")
    }

    /// The servers in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Server> {
        let slab = self.slab;
        self.list.iter().map(move |id| slab[id.index()].as_ref().expect("a list names servers that exist"))
    }
}

impl Pick {
    /// The cheapest of an index, if it can be had.
    fn cheapest(best: index::Price, servers: &Servers) -> Result<Pick, Refusal> {
        Pick::by_cost((best.weight > 0).then_some(best.place as usize), servers)
    }

    /// A choice by cost; none is a refusal.
    fn by_cost(place: Option<usize>, servers: &Servers) -> Result<Pick, Refusal> {
        let place = place.ok_or(Refusal::NoDestination)?;
        Ok(Pick { server: servers.id(place), family: Family::Cost })
    }
}

/// Connections as lc, wlc, lblc, lblcr and twos count them: an inactive one is a small part of an active one
/// (Linux 6.1.187 and later; before, an active one was 256).
fn overhead(server: &Server) -> u64 {
    u64::from(server.active) * 257 + u64::from(server.inactive())
}

/// Linux's `hash_32`: multiplicative hashing, the highest `bits`.
fn hash_32(value: u32, bits: u32) -> u32 {
    const GOLDEN_RATIO: u32 = 0x61c8_8647;
    value.wrapping_mul(GOLDEN_RATIO) >> (32 - bits)
}

/// An address as the hashing schedulers take it.
fn fold(address: Ipv4Addr) -> u32 {
    address.to_bits()
}
