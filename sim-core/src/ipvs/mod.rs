//! Floor 4: Linux Virtual Server. Virtual services, their real servers, the connection table, schedulers, forwarding.
//!
//! ```text
//!   kernel INPUT   ──► input   ─┬─ reply of a real server to a client on this host ─► source written back, accepted
//!                               └─ request ─► known connection? else service? ─► schedule ─► forwarding method ─► Stolen
//!   kernel FORWARD ──► forward ─── ICMP about a forwarded flow, then replies of NAT servers ─► source written back, accepted
//!   kernel OUTPUT  ──► output  ─── the same two for packets that begin on this host
//! ```
//! IPVS is *asked*: it never calls the kernel. Follows Linux `net/netfilter/ipvs`.
//!
//! | file | |
//! |---|---|
//! | [`service`] | services and servers, in the kernel's order; the trash |
//! | [`conn`] | the connection table and its timers |
//! | `control` | what `ipvsadm` and keepalived change |
//! | `input`, `output`, `icmp` | a packet's way |
//! | `admit`, `persistence` | a flow's first packet: service, server, entry |
//! | [`local`] | FULLNAT's local addresses and their ports |
//! | [`state`] | TCP and UDP states |
//! | `ftp` | the FTP helper |
//! | `life` | how an entry begins, moves and ends, with the counts of its server |
//! | [`sync`] | the sync daemon |
//! | `defence` | what is done against floods |
//! | `log` | the kernel's log |
//! | [`schedule`], [`forward`] | the schedulers; the forwarding methods |
//! | [`proc`] | `/proc/net/ip_vs*` |
//!
//! # Not modelled
//! Persistence engines. `net.ipv4.vs.conntrack` is refused: netfilter's tracking of connections is not here.
//! `sloppy_sctp` and `sync_sock_size` have no effect.

mod admit;
pub mod conn;
mod control;
mod defence;
pub mod forward;
mod ftp;
mod icmp;
mod input;
mod life;
pub mod local;
mod log;
mod output;
mod persistence;
pub mod proc;
mod records;
pub mod schedule;
pub mod server;
pub mod service;
pub mod state;
pub mod stats;
pub mod sync;

pub use control::ControlError;
pub use service::{Persistence, Server, ServerOptions, Service, ServiceOptions};
pub use sync::{DaemonError, DaemonOptions};

use crate::base::id::NodeId;
use crate::base::time::{Duration, Instant};
use crate::tables::Tables;
use crate::tables::sysctl::Vs;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::record::ServiceKey;
use crate::trace::why::Hook;
use crate::trace::{Stage, Why};
use crate::wire::flow::{Flow, SocketAddr};
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use conn::{Conn, Connections};
use defence::Defence;
use forward::Pools;
use log::Log;
use schedule::Servers;
use service::Services;
use smoltcp::wire::IpProtocol;
use state::Timeouts;
use stats::{Estimator, Stats};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use sync::Sync;

/// The IPVS of one host.
#[derive(Debug)]
pub struct Ipvs {
    node: NodeId,
    services: Services,
    conns: Connections,
    timeouts: Timeouts,
    total: Stats,
    pools: Pools,
    sync: Sync,
    defence: Defence,
    estimator: Estimator,
    log: Log,
    /// When the connections of deleted servers end, with `expire_nodest_conn`.
    orphans_due: Option<Instant>,
    /// `ip_vs_ftp` is loaded.
    ftp_helper: bool,
    /// `ip_vs` is loaded, by a service or by `modprobe`.
    loaded: bool,
    /// Modules of schedulers that were loaded, in this order.
    schedulers: Vec<&'static str>,
    /// Packets that IPVS sends by itself and that nobody has asked for yet.
    outgoing: VecDeque<Packet>,
}

/// A packet that IPVS sends by itself.
#[derive(Debug)]
pub enum Outgoing {
    /// Its way is looked up as for any other.
    Routed(Packet),
    /// Its way is settled.
    By(Xmit),
}

impl Ipvs {
    /// No service, no connection, timeouts as Linux begins.
    pub fn new(node: NodeId) -> Self {
        Ipvs {
            node,
            services: Services::default(),
            conns: Connections::default(),
            timeouts: Timeouts::default(),
            total: Stats::default(),
            pools: Pools::default(),
            sync: Sync::default(),
            defence: Defence::default(),
            estimator: Estimator::default(),
            log: Log::default(),
            orphans_due: None,
            ftp_helper: false,
            loaded: false,
            schedulers: Vec::new(),
            outgoing: VecDeque::new(),
        }
    }

    // ── the hooks ──

    /// Whether there is no service: the hooks are then not registered, and the packet path skips them.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// LOCAL_IN: a packet for an address of this host. Fragments have been put together.
    pub fn input(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        self.look_at(packet, Hook::Input, tables, cx)
    }

    /// FORWARD: a packet on its way through this host; its TTL has been taken down. Fragments have been put together.
    pub fn forward(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        self.look_at(packet, Hook::Forward, tables, cx)
    }

    /// LOCAL_OUT: a packet that begins on this host, but none that IPVS itself sends ([`Verdict::Stolen`]). An accepted
    /// packet may have another source or destination than before.
    pub fn output(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        self.look_at(packet, Hook::Output, tables, cx)
    }

    /// The next packet that IPVS sends by itself; to be asked after every hook and [`Ipvs::wake`] until there is none.
    pub fn poll_transmit(&mut self, tables: &mut Tables, cx: &mut Cx) -> Option<Outgoing> {
        match self.outgoing.pop_front() {
            Some(packet) => Some(Outgoing::Routed(packet)),
            None => self.next_message(tables, cx).map(Outgoing::By),
        }
    }

    /// Settings may have changed.
    pub fn heed(&mut self, settings: &Vs, now: Instant) {
        self.defence.heed(settings, now);
        self.estimator.heed(settings.run_estimation, now);
    }

    /// The time by the estimator's clock, which stands still while `run_estimation` is 0: what counters and rates are
    /// shown by.
    pub fn estimated(&self, now: Instant) -> Instant {
        self.estimator.clock(now)
    }

    /// Lines for the kernel's log; to be asked after every hook, change and [`Ipvs::wake`].
    pub fn take_log(&mut self) -> Vec<String> {
        self.log.take()
    }

    /// Ends what is due: connections, deleted servers, what schedulers remember.
    pub fn wake(&mut self, tables: &mut Tables, cx: &mut Cx) {
        let before = cx.context();
        while let Some(id) = self.conns.due(cx.now) {
            cx.stage = Stage::Ipvs;
            self.expire(id, tables, cx);
            cx.resume(before);
        }
        self.wake_sync(cx.now);
        self.wake_defence(tables, cx);
        if self.orphans_due.is_some_and(|due| due <= cx.now) {
            self.orphans_due = None;
            self.end_orphans(cx);
        }
        self.services.wake_schedulers(cx.now, tables.sysctl.vs());
        self.services.sweep_trash(cx.now);
    }

    /// When something is due next. Not hooks: connections end also when there is no service.
    pub fn next_wake(&self) -> Option<Instant> {
        let timers = [
            self.conns.next_timer(),
            self.services.trash_due(),
            self.services.schedulers_due(),
            self.orphans_due,
            self.sync_due(),
            self.defence.due(),
        ];
        Instant::soonest(timers)
    }

    // ── views ──

    /// `modprobe ip_vs`.
    pub fn load(&mut self) {
        self.loaded = true;
    }

    /// Whether the module is loaded: it stays when the last service has gone.
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    /// The schedulers whose modules were loaded, because a service has or had them, or by `modprobe`.
    pub fn schedulers_loaded(&self) -> &[&'static str] {
        &self.schedulers
    }

    /// Loads the module of a scheduler; false if there is no such scheduler.
    pub fn load_scheduler(&mut self, name: &str) -> bool {
        let Some((name, _)) = schedule::registry::find(name) else { return false };
        self.loaded = true;
        if !self.schedulers.contains(&name) {
            self.schedulers.push(name);
        }
        true
    }

    /// Takes the module of a scheduler out; false if a service uses it.
    pub fn unload_scheduler(&mut self, name: &str) -> bool {
        let is_free = self.services().all(|service| service.scheduler_name != name);
        if is_free {
            self.schedulers.retain(|loaded| *loaded != name);
        }
        is_free
    }

    /// The services, in the order in which they were made.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// One service.
    pub fn service(&self, key: ServiceKey) -> Option<&Service> {
        self.services.id(key).map(|id| self.services.service(id))
    }

    /// The servers of a service, the one added last first.
    pub fn servers<'a>(&'a self, service: &'a Service) -> Servers<'a> {
        self.services.servers_of(service)
    }

    /// One server of a service.
    pub fn server(&self, service: ServiceKey, address: SocketAddr) -> Option<&Server> {
        let (_, id) = self.services.find_server(self.services.id(service)?, address)?;
        Some(self.services.server(id))
    }

    /// How many connections of a service use one of its local addresses.
    pub fn local_connections(&self, service: ServiceKey, local: Ipv4Addr) -> u32 {
        self.pools.ports.connections(service, local)
    }

    /// The connection table.
    pub fn connections(&self) -> &Connections {
        &self.conns
    }

    /// The entry of a client's flow, if there is one.
    pub fn connection(&self, flow: &Flow) -> Option<&Conn> {
        self.conns.request(flow).map(|id| self.conns.get(id))
    }

    /// Timeouts of ESTABLISHED, FIN_WAIT and UDP (`ipvsadm -L --timeout`).
    pub fn timeouts(&self) -> [Duration; 3] {
        self.timeouts.shown()
    }

    /// What was counted over all services (`/proc/net/ip_vs_stats`).
    pub fn total(&self) -> &Stats {
        &self.total
    }

    fn look_at(&mut self, packet: Packet, hook: Hook, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        if packet.by_ipvs || self.stands_aside(tables) {
            return Verdict::Accept(packet);
        }
        let before = cx.stage;
        cx.stage = Stage::Ipvs;
        let verdict = if packet.ip().next_header() == IpProtocol::Icmp {
            self.icmp(packet, hook, tables, cx)
        } else {
            self.segment(packet, hook, tables, cx)
        };
        cx.stage = before;
        verdict
    }

    /// TCP and UDP: replies first, then requests; a request is never looked for in FORWARD.
    fn segment(&mut self, packet: Packet, hook: Hook, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        let Some(flow) = Flow::of(&packet) else { return Verdict::Accept(set_aside(packet, tables, cx)) };
        if let Some(id) = self.conns.reply(&flow) {
            return self.reply(id, packet, tables, cx);
        }
        match hook {
            Hook::Input | Hook::Output => self.request(flow, packet, hook, tables, cx),
            Hook::Forward => self.unknown_reply(flow, packet, tables, cx),
            Hook::Prerouting | Hook::Postrouting => Verdict::Accept(packet),
        }
    }
}

/// With `ignore_tunneled`, a packet of a protocol that IPVS does not know is not looked at again, and neither is what is
/// inside.
fn set_aside(mut packet: Packet, tables: &Tables, cx: &mut Cx) -> Packet {
    const KNOWN: [u8; 5] = [6, 17, 132, 50, 51];
    if tables.sysctl.vs().ignore_tunneled && !KNOWN.contains(&packet.ip().next_header().into()) {
        packet.by_ipvs = true;
        cx.note(Why::IpvsSetAside);
    }
    packet
}

#[cfg(test)]
mod tests;
