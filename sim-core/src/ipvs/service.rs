//! Virtual services and their real servers, in the kernel's order.
//!
//! A server that is added stands first in its service's list. One that is deleted goes to the trash, where its
//! connections still find it; added again within that time, the same object comes back with its connections and counts.
//! Follows Linux `ip_vs_ctl.c`.

use super::schedule::{Scheduler, Servers};
use super::stats::Stats;
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::tables::sysctl::Vs;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use std::net::Ipv4Addr;

/// A service, while it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(u32);

/// A real server, from `ipvsadm -a` until it leaves the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u32);

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
}

/// Persistence: a client stays with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// How long after its last new connection a client is remembered.
    pub timeout: Duration,
    /// Clients that are equal under this mask are one client.
    pub mask: Ipv4Addr,
}

/// What `ipvsadm -a` and `-e` say about a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// Its address; port 0 (only with firewall marks) keeps the packet's own.
    pub server: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// `-w`; 0 takes no new connections.
    pub weight: u32,
    /// `-x`: no new connections at this many; 0 is no limit.
    pub upper: u32,
    /// `-y`: new ones again below this many; 0 is three quarters of `upper`.
    pub lower: u32,
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
    /// What was counted.
    pub stats: Stats,
    pub(super) scheduler: Box<dyn Scheduler>,
    /// Its servers, the one added last first.
    pub(super) list: Vec<ServerId>,
}

/// A real server of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address; port 0 (only with firewall marks) keeps the packet's own.
    pub address: SocketAddr,
    /// How packets are brought to it.
    pub method: Method,
    /// Its weight; 0 takes no new connections.
    pub weight: u32,
    /// The weight at adding, then the last that was not 0 (Maglev keeps its slots by it).
    pub last_weight: u32,
    /// No new connections at this many; 0 is no limit.
    pub upper: u32,
    /// New ones again below this many; 0 is three quarters of `upper`.
    pub lower: u32,
    /// The upper threshold was reached, and the lower not yet.
    pub overloaded: bool,
    /// In its service's list; false in the trash.
    pub available: bool,
    /// Connections in an active state.
    pub active: u32,
    /// All connections but templates.
    pub total: u32,
    /// Templates.
    pub persistent: u32,
    /// What was counted.
    pub stats: Stats,
    pub(super) service: ServiceId,
    /// The service it belongs or belonged to: only there it can be revived.
    pub(super) service_key: ServiceKey,
    /// When the trash first found it without connections.
    idle_since: Option<Instant>,
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

impl Server {
    /// Connections that are not active.
    pub fn inactive(&self) -> u32 {
        self.total - self.active
    }

    /// Whether a scheduler may choose it.
    pub fn is_usable(&self) -> bool {
        self.weight > 0 && !self.overloaded
    }

    /// Where the count must fall below so that an overloaded server takes connections again.
    fn lower_effective(&self) -> u32 {
        if self.lower != 0 { self.lower } else { self.upper - self.upper / 4 }
    }

    /// One more connection.
    pub(super) fn gain(&mut self) {
        self.total += 1;
        if self.total == self.upper {
            self.judge_load(self.lower_effective(), self.upper);
        }
    }

    /// One connection less.
    pub(super) fn lose(&mut self) {
        let leaves_lower = self.total == self.lower_effective();
        self.total -= 1;
        if leaves_lower {
            self.judge_load(self.upper, self.upper);
        }
    }

    /// Sets or clears `overloaded`: set at `set_at` connections, kept from `keep_at` on.
    fn judge_load(&mut self, set_at: u32, keep_at: u32) {
        if self.upper == 0 {
            self.overloaded = false;
        } else if self.total >= set_at {
            self.overloaded = true;
        } else if self.total < keep_at {
            self.overloaded = false;
        }
    }

    /// Takes over what was typed.
    fn update(&mut self, options: &ServerOptions, is_new: bool) {
        self.method = options.method;
        self.weight = options.weight;
        if is_new || options.weight != 0 {
            self.last_weight = options.weight;
        }
        if (self.upper, self.lower) != (options.upper, options.lower) {
            (self.upper, self.lower) = (options.upper, options.lower);
            self.judge_load(self.upper, self.lower_effective());
        }
    }
}

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

impl ServiceId {
    /// A service that was deleted.
    const NONE: ServiceId = ServiceId(u32::MAX);
}

impl ServerId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(upper: u32, lower: u32) -> Server {
        let address = SocketAddr { address: Ipv4Addr::new(10, 0, 0, 1), port: 80 };
        Server {
            address,
            method: Method::Dr,
            weight: 1,
            last_weight: 1,
            upper,
            lower,
            overloaded: false,
            available: true,
            active: 0,
            total: 0,
            persistent: 0,
            stats: Stats::default(),
            service: ServiceId(0),
            service_key: ServiceKey::Mark(1),
            idle_since: None,
        }
    }

    /// The counts at which the mark is set while connections come, and cleared while they go.
    fn check(upper: u32, lower: u32, expected: (u32, u32)) {
        let mut server = server(upper, lower);
        while !server.overloaded {
            server.gain();
        }
        let set_at = server.total;
        while server.overloaded {
            server.lose();
        }
        assert_eq!((set_at, server.total), expected, "-x {upper} -y {lower}");
    }

    #[test]
    fn overload_begins_at_the_upper_threshold_and_ends_below_the_lower() {
        check(4, 0, (4, 2));
        check(6, 3, (6, 2));
        check(2, 0, (2, 1));
        check(5, 5, (5, 4));
    }

    #[test]
    fn a_server_that_comes_back_with_more_connections_than_its_new_limit_is_overloaded_at_once() {
        let mut server = server(0, 0);
        for _ in 0..3 {
            server.gain();
        }
        let options = ServerOptions { server: server.address, method: Method::Dr, weight: 1, upper: 2, lower: 0 };
        server.update(&options, true);
        assert!(server.overloaded);
    }
}
