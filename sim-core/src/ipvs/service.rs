//! Virtual services and their real servers, in the kernel's order.
//!
//! A server that is added stands first in its service's list. One that is deleted goes to the trash, where its
//! connections still find it; added again within that time, the same object comes back with its connections and counts.
//! Follows Linux `ip_vs_ctl.c`.

use super::local::Locals;
use super::schedule::{Scheduler, Servers};
pub use super::server::{Server, ServerId, ServerOptions, ServiceId};
use super::stats::Stats;
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::tables::sysctl::Vs;
use crate::trace::record::ServiceKey;
use crate::wire::flow::{Flow, SocketAddr, Transport};
use std::net::Ipv4Addr;

/// What `ipvsadm -A` and `-E` say about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOptions {
    /// `-s`: a name of the registry of schedulers.
    pub scheduler: String,
    /// `-b`: flags of the scheduler; bits `0x08` flag-1, `0x10` flag-2, `0x20` flag-3.
    pub flags: u8,
    /// `-p` and `-M`.
    pub persistent: Option<Persistence>,
    /// `-o`: every datagram is scheduled anew.
    pub one_packet: bool,
    /// `--conn-timeout`: how long FULLNAT's connections live in ESTABLISHED.
    pub conn_timeout: Option<Duration>,
}

/// Persistence: a client stays with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// How long after its last new connection a client is remembered.
    pub timeout: Duration,
    /// Clients that are equal under this mask are one client.
    pub mask: Ipv4Addr,
}

/// A virtual service.
#[derive(Debug)]
pub struct Service {
    /// What names it.
    pub key: ServiceKey,
    /// The scheduler's name.
    pub scheduler_name: &'static str,
    /// Flags of the scheduler (`-b`).
    pub flags: u8,
    /// Clients stay with their server.
    pub persistent: Option<Persistence>,
    /// Every datagram is scheduled anew.
    pub one_packet: bool,
    /// How long FULLNAT's connections live in ESTABLISHED, if not as long as others.
    pub conn_timeout: Option<Duration>,
    /// FULLNAT's local addresses.
    pub locals: Locals,
    /// What was counted.
    pub stats: Stats,
    pub(super) scheduler: Box<dyn Scheduler>,
    /// Its servers, the one added last first.
    pub(super) list: Vec<ServerId>,
}

/// All services and servers of a host.
#[derive(Debug, Default)]
pub(super) struct Services {
    services: Vec<Option<Service>>,
    free_services: Vec<u32>,
    /// In the order in which they were made.
    order: Vec<ServiceId>,
    index: Lookup<ServiceKey, ServiceId>,
    servers: Vec<Option<Server>>,
    free_servers: Vec<u32>,
    /// Deleted servers, the newest first.
    trash: Vec<ServerId>,
    /// When the trash is looked through next.
    trash_due: Option<Instant>,
    /// When a scheduler wants to tidy up, or earlier.
    tidy_due: Option<Instant>,
    marks: u32,
    any_port: u32,
    ftp: u32,
}

/// How often the trash is looked through.
const TRASH_PERIOD: Duration = Duration::from_secs(60);
/// A server without connections is forgotten after this long.
const TRASH_IDLE: Duration = Duration::from_secs(120);
/// TCP port of FTP's control connections.
const FTP: u16 = 21;
/// The first port that anyone may use.
const FIRST_UNPRIVILEGED: u16 = 1024;

impl Services {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn id(&self, key: ServiceKey) -> Option<ServiceId> {
        self.index.get(&key).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Service> {
        self.order.iter().map(|&id| self.service(id))
    }

    pub(super) fn service(&self, id: ServiceId) -> &Service {
        self.services[id.0 as usize].as_ref().expect("a service that is named exists")
    }

    pub(super) fn service_mut(&mut self, id: ServiceId) -> &mut Service {
        self.services[id.0 as usize].as_mut().expect("a service that is named exists")
    }

    pub(super) fn server(&self, id: ServerId) -> &Server {
        self.servers[id.0 as usize].as_ref().expect("a server that is named exists")
    }

    pub(super) fn server_mut(&mut self, id: ServerId) -> &mut Server {
        self.servers[id.0 as usize].as_mut().expect("a server that is named exists")
    }

    /// The servers of a service, as schedulers and lists look at them.
    pub(super) fn servers_of<'a>(&'a self, service: &'a Service) -> Servers<'a> {
        Servers::new(&service.list, &self.servers)
    }

    /// A service to ask its scheduler, beside its servers.
    pub(super) fn scheduling(&mut self, id: ServiceId) -> (&mut dyn Scheduler, Servers<'_>) {
        let service = self.services[id.0 as usize].as_mut().expect("a service that is named exists");
        (&mut *service.scheduler, Servers::new(&service.list, &self.servers))
    }

    /// The service that wants a packet: by mark, by address and port, FTP's for its data, by address alone.
    pub(super) fn find(&self, flow: &Flow, mark: u32) -> Option<ServiceId> {
        if self.marks > 0
            && mark != 0
            && let Some(id) = self.id(ServiceKey::Mark(mark))
        {
            return Some(id);
        }
        let at = |port| {
            let destination = SocketAddr { port, ..flow.destination };
            self.id(ServiceKey::Address(flow.transport, destination))
        };
        let port = flow.destination.port;
        if let Some(id) = at(port) {
            return Some(id);
        }
        if self.ftp > 0
            && flow.transport == Transport::Tcp
            && (port == FTP - 1 || port >= FIRST_UNPRIVILEGED)
            && let Some(id) = at(FTP)
        {
            return Some(id);
        }
        if self.any_port > 0 { at(0) } else { None }
    }

    pub(super) fn add(&mut self, service: Service) -> ServiceId {
        self.count(service.key, 1);
        let key = service.key;
        let id = match self.free_services.pop() {
            Some(free) => {
                self.services[free as usize] = Some(service);
                ServiceId(free)
            }
            None => {
                self.services.push(Some(service));
                ServiceId(self.services.len() as u32 - 1)
            }
        };
        self.order.push(id);
        self.index.insert(key, id);
        id
    }

    /// Takes a service without servers out.
    pub(super) fn remove(&mut self, id: ServiceId) -> Service {
        let service = self.services[id.0 as usize].take().expect("a service is deleted once");
        assert!(service.list.is_empty(), "the servers of a service are deleted before it");
        self.count(service.key, -1);
        self.index.remove(&service.key);
        self.order.retain(|&other| other != id);
        self.free_services.push(id.0);
        for server in &self.trash {
            let server = self.servers[server.index()].as_mut().expect("the trash names servers that exist");
            if server.service == id {
                server.service = ServiceId::NONE;
            }
        }
        service
    }

    fn count(&mut self, key: ServiceKey, by: i32) {
        let counter = match key {
            ServiceKey::Mark(_) => &mut self.marks,
            ServiceKey::Address(_, SocketAddr { port: 0, .. }) => &mut self.any_port,
            ServiceKey::Address(_, SocketAddr { port: FTP, .. }) => &mut self.ftp,
            ServiceKey::Address(..) => return,
        };
        *counter = counter.saturating_add_signed(by);
    }

    /// The server of a service with this address, and its place in the list.
    pub(super) fn find_server(&self, service: ServiceId, address: SocketAddr) -> Option<(usize, ServerId)> {
        let list = &self.service(service).list;
        let place = list.iter().position(|&id| self.server(id).address == address)?;
        Some((place, list[place]))
    }

    /// Puts a server first in the list, revived from the trash if it is there, and tells the scheduler.
    pub(super) fn add_server(&mut self, service: ServiceId, options: &ServerOptions, now: Instant) -> ServerId {
        let service_key = self.service(service).key;
        let id = self.revive(service, service_key, options, now).unwrap_or_else(|| {
            self.place(Server {
                address: options.server,
                method: options.method,
                tunnel: options.tunnel,
                weight: options.weight,
                last_weight: options.weight,
                upper: 0,
                lower: 0,
                overloaded: false,
                available: true,
                active: 0,
                total: 0,
                persistent: 0,
                stats: Stats::default(),
                service,
                service_key,
                idle_since: None,
            })
        });
        self.server_mut(id).update(options, true);
        self.service_mut(service).list.insert(0, id);
        let (scheduler, servers) = self.scheduling(service);
        scheduler.added(&servers);
        id
    }

    pub(super) fn edit_server(&mut self, service: ServiceId, server: ServerId, options: &ServerOptions) {
        self.server_mut(server).update(options, false);
        let (scheduler, servers) = self.scheduling(service);
        scheduler.edited(&servers);
    }

    /// Moves a server from the list to the trash, and tells the scheduler.
    pub(super) fn delete_server(&mut self, service: ServiceId, place: usize, now: Instant) -> ServerId {
        let id = self.service_mut(service).list.remove(place);
        let server = self.server_mut(id);
        server.available = false;
        server.idle_since = None;
        self.trash.insert(0, id);
        self.trash_due.get_or_insert(now + TRASH_PERIOD);
        let (scheduler, servers) = self.scheduling(service);
        scheduler.removed(place, &servers);
        id
    }

    fn revive(
        &mut self,
        service: ServiceId,
        key: ServiceKey,
        options: &ServerOptions,
        now: Instant,
    ) -> Option<ServerId> {
        let place = self.trash.iter().position(|&id| {
            let server = self.server(id);
            server.address == options.server && server.service_key == key
        })?;
        let id = self.trash.remove(place);
        if self.trash.is_empty() {
            self.trash_due = None;
        }
        let server = self.server_mut(id);
        server.available = true;
        if server.service != service {
            server.service = service;
            server.stats.zero(now);
        }
        Some(id)
    }

    fn place(&mut self, server: Server) -> ServerId {
        match self.free_servers.pop() {
            Some(free) => {
                self.servers[free as usize] = Some(server);
                ServerId(free)
            }
            None => {
                self.servers.push(Some(server));
                ServerId(self.servers.len() as u32 - 1)
            }
        }
    }

    /// When the trash is looked through next.
    pub(super) fn trash_due(&self) -> Option<Instant> {
        self.trash_due
    }

    /// Forgets deleted servers that nothing refers to.
    pub(super) fn sweep_trash(&mut self, now: Instant) {
        if self.trash_due.is_none_or(|due| due > now) {
            return;
        }
        let mut kept = Vec::with_capacity(self.trash.len());
        for id in std::mem::take(&mut self.trash) {
            let is_held = self.is_held(id);
            let server = self.server_mut(id);
            let forget = match server.idle_since {
                Some(since) if !is_held => now.since(since) >= TRASH_IDLE,
                Some(_) | None => false,
            };
            if !is_held {
                server.idle_since.get_or_insert(now);
            }
            if forget {
                self.servers[id.0 as usize] = None;
                self.free_servers.push(id.0);
            } else {
                kept.push(id);
            }
        }
        self.trash_due = (!kept.is_empty()).then(|| now + TRASH_PERIOD);
        self.trash = kept;
    }

    /// Tells the scheduler of a server in the list that its counts or its mark have changed.
    pub(super) fn tell_change(&mut self, id: ServerId) {
        let server = self.servers[id.index()].as_ref().expect("a server that is named exists");
        if server.available
            && let Some(service) = self.services[server.service.0 as usize].as_mut()
        {
            service.scheduler.changed(id, server);
        }
    }

    /// When a scheduler wants to tidy up. Only the caching ones do.
    pub(super) fn schedulers_due(&self) -> Option<Instant> {
        self.tidy_due
    }

    /// A scheduler wants to tidy up then.
    pub(super) fn wants_to_tidy(&mut self, due: Instant) {
        self.tidy_due = Some(self.tidy_due.map_or(due, |earlier| earlier.min(due)));
    }

    /// Lets the schedulers tidy up.
    pub(super) fn wake_schedulers(&mut self, now: Instant, settings: &Vs) {
        if self.tidy_due.is_none_or(|due| due > now) {
            return;
        }
        for service in self.services.iter_mut().flatten() {
            if service.scheduler.next_wake().is_some_and(|due| due <= now) {
                service.scheduler.wake(now, settings);
            }
        }
        self.tidy_due = self.iter().filter_map(|service| service.scheduler.next_wake()).min();
    }

    /// Whether a server with this address serves this protocol.
    pub(super) fn is_server(&self, transport: Transport, address: SocketAddr) -> bool {
        let serves = |service: &Service| match service.key {
            ServiceKey::Address(its, _) => its == transport,
            ServiceKey::Mark(_) => true,
        };
        self.iter()
            .filter(|service| serves(service))
            .any(|service| self.servers_of(service).iter().any(|server| server.address == address))
    }

    fn is_held(&self, id: ServerId) -> bool {
        let server = self.server(id);
        server.total > 0 || server.persistent > 0 || self.iter().any(|service| service.scheduler.holds(id))
    }
}
