//! What `ipvsadm` and keepalived change: services and real servers.

use super::Ipvs;
use super::conn::Kind;
use super::forward;
use super::local::{LOCALS_MAX, Local, Locals};
use super::log::Line;
use super::schedule::registry;
use super::service::{ServerOptions, Service, ServiceId, ServiceOptions};
use super::stats::Stats;
use crate::base::time::Duration;
use crate::tables::Tables;
use crate::tables::interfaces::Address;
use crate::trace::record::{ConnState, RouteKind, ServiceKey};
use crate::trace::{Stage, Why};
use crate::wire::flow::SocketAddr;
use crate::world::node::Cx;
use std::net::Ipv4Addr;

/// A deleted server's connections end with `expire_nodest_conn` at the next tick of the kernel (`CONFIG_HZ` 250).
const TICK: Duration = Duration::from_millis(4);

/// Why the kernel refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlError {
    /// EEXIST for `-A`.
    ServiceExists,
    /// ENOENT for `-A` and `-E`: no scheduler of that name.
    NoScheduler,
    /// ESRCH: there is no such service.
    NoService,
    /// EEXIST for `-a`.
    ServerExists,
    /// ENOENT for `-e` and `-d`.
    NoServer,
    /// EINVAL: the address is not unicast, or the method is not in the kernel.
    Invalid,
    /// EEXIST for `--add-laddr`: the service has this local address already.
    LocalExists,
    /// ENOENT for `--del-laddr`: the service has no such local address.
    NoLocal,
    /// EBUSY for `--del-laddr`: connections use it.
    LocalBusy,
    /// ENODEV: there is no interface of that name.
    NoInterface,
    /// ENOSPC: the service has as many local addresses as it may.
    TooManyLocals,
    /// ERANGE: the lower threshold is above the upper.
    OutOfRange,
}

impl Ipvs {
    /// `ipvsadm -A`.
    ///
    /// # Errors
    /// `ServiceExists`, `NoScheduler`.
    pub fn add_service(&mut self, key: ServiceKey, options: &ServiceOptions, cx: &mut Cx) -> Result<(), ControlError> {
        if self.services.id(key).is_some() {
            return Err(ControlError::ServiceExists);
        }
        let (scheduler_name, make) = self.scheduler(&options.scheduler)?;
        self.load_scheduler(scheduler_name);
        let id = self.services.add(Service {
            key,
            scheduler_name,
            flags: options.flags,
            persistent: options.persistent,
            one_packet: options.one_packet,
            conn_timeout: options.conn_timeout,
            locals: Locals::default(),
            stats: Stats::default(),
            scheduler: make(),
            list: Vec::new(),
        });
        let (scheduler, servers) = self.services.scheduling(id);
        scheduler.begin(&servers);
        self.record_service(id, true, cx);
        Ok(())
    }

    /// `ipvsadm -E`: everything is replaced; the scheduler begins anew only if it is another one.
    ///
    /// # Errors
    /// `NoService`, `NoScheduler`.
    pub fn edit_service(&mut self, key: ServiceKey, options: &ServiceOptions, cx: &mut Cx) -> Result<(), ControlError> {
        let id = self.find_service(key)?;
        let (scheduler_name, make) = self.scheduler(&options.scheduler)?;
        self.load_scheduler(scheduler_name);
        let service = self.services.service_mut(id);
        service.flags = options.flags;
        service.persistent = options.persistent;
        service.one_packet = options.one_packet;
        service.conn_timeout = options.conn_timeout;
        if service.scheduler_name != scheduler_name {
            service.scheduler_name = scheduler_name;
            service.scheduler = make();
            let (scheduler, servers) = self.services.scheduling(id);
            scheduler.begin(&servers);
        }
        self.record_service(id, true, cx);
        Ok(())
    }

    /// `ipvsadm -D`: its connections stay until they time out, and their packets are dropped.
    ///
    /// # Errors
    /// `NoService`.
    pub fn delete_service(&mut self, key: ServiceKey, tables: &Tables, cx: &mut Cx) -> Result<(), ControlError> {
        let id = self.find_service(key)?;
        self.remove_service(id, tables, cx);
        Ok(())
    }

    /// `ipvsadm -C`: deletes every service.
    pub fn clear(&mut self, tables: &Tables, cx: &mut Cx) {
        let keys: Vec<ServiceKey> = self.services().map(|service| service.key).collect();
        for id in keys.into_iter().filter_map(|key| self.services.id(key)).collect::<Vec<_>>() {
            self.remove_service(id, tables, cx);
        }
    }

    /// `ipvsadm -a`: the server stands first in the service's list. One that was deleted a short while ago is revived,
    /// with its connections and counts.
    ///
    /// # Errors
    /// `NoService`, `ServerExists`, `Invalid` (not a unicast address, or a method that is not in the kernel),
    /// `OutOfRange` (lower threshold above the upper).
    pub fn add_server(
        &mut self,
        service: ServiceKey,
        options: &ServerOptions,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        let id = self.find_service(service)?;
        check(options)?;
        if !is_unicast_or_local(options.server.address, tables) {
            return Err(ControlError::Invalid);
        }
        if self.services.find_server(id, options.server).is_some() {
            return Err(ControlError::ServerExists);
        }
        let server = self.services.add_server(id, options, cx.now);
        self.record_server(server, cx);
        Ok(())
    }

    /// `ipvsadm -e`: everything but the address is replaced.
    ///
    /// # Errors
    /// `NoService`, `NoServer`, `OutOfRange`.
    pub fn edit_server(
        &mut self,
        service: ServiceKey,
        options: &ServerOptions,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        let id = self.find_service(service)?;
        check(options)?;
        let (_, server) = self.services.find_server(id, options.server).ok_or(ControlError::NoServer)?;
        self.services.edit_server(id, server, options);
        self.record_server(server, cx);
        Ok(())
    }

    /// `ipvsadm -d`: its connections stay until they time out, and their packets are dropped.
    ///
    /// # Errors
    /// `NoService`, `NoServer`.
    pub fn delete_server(
        &mut self,
        service: ServiceKey,
        server: SocketAddr,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        let id = self.find_service(service)?;
        let (place, _) = self.services.find_server(id, server).ok_or(ControlError::NoServer)?;
        self.remove_server(id, place, tables, cx);
        Ok(())
    }

    /// `ipvsadm --add-laddr`: a local address more for FULLNAT, at the end of the service's list. If no interface of this
    /// host holds it yet, `iface` does so from here on, as in DPVS.
    ///
    /// # Errors
    /// `NoService`, `LocalExists`, `Invalid` (no unicast address, or the interface cannot take it), `TooManyLocals`.
    pub fn add_local(
        &mut self,
        service: ServiceKey,
        local: Local,
        tables: &mut Tables,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        let id = self.find_service(service)?;
        let locals = &self.services.service(id).locals;
        if locals.find(local.address).is_some() {
            return Err(ControlError::LocalExists);
        }
        if locals.len() >= LOCALS_MAX {
            return Err(ControlError::TooManyLocals);
        }
        if !is_unicast_or_local(local.address, tables) {
            return Err(ControlError::Invalid);
        }
        if tables.interfaces.local(local.address).is_none() {
            let name = tables.interfaces.get(local.iface).map(|interface| interface.name.to_string());
            let address = Address::new(local.address, 32, &name.ok_or(ControlError::Invalid)?);
            tables.add_address(local.iface, address, cx).map_err(|_| ControlError::Invalid)?;
        }
        self.services.service_mut(id).locals.add(local);
        Ok(())
    }

    /// `ipvsadm --del-laddr`: connections keep a local address; while there are any, it stays. The host keeps it too.
    ///
    /// # Errors
    /// `NoService`, `NoLocal` (also on another interface than it was added with), `LocalBusy`.
    pub fn delete_local(&mut self, service: ServiceKey, local: Local) -> Result<(), ControlError> {
        let id = self.find_service(service)?;
        let locals = &mut self.services.service_mut(id).locals;
        let place = locals.iter().position(|known| *known == local).ok_or(ControlError::NoLocal)?;
        if self.pools.ports.connections(service, local.address) > 0 {
            return Err(ControlError::LocalBusy);
        }
        locals.remove(place);
        Ok(())
    }

    /// `ipvsadm -Z`: sets the counts of one service and its servers to 0, or all counts.
    ///
    /// # Errors
    /// `NoService`.
    pub fn zero(&mut self, key: Option<ServiceKey>, cx: &Cx) -> Result<(), ControlError> {
        let now = self.estimated(cx.now);
        let ids = match key {
            Some(key) => vec![self.find_service(key)?],
            None => {
                self.total.zero(now);
                self.services.iter().filter_map(|service| self.services.id(service.key)).collect()
            }
        };
        for id in ids {
            let service = self.services.service_mut(id);
            service.stats.zero(now);
            for server in service.list.clone() {
                self.services.server_mut(server).stats.zero(now);
            }
        }
        Ok(())
    }

    /// `ipvsadm --set`: a zero leaves the value. Holds for packets from here on.
    pub fn set_timeouts(&mut self, tcp: Duration, tcp_fin: Duration, udp: Duration) {
        self.timeouts.set(tcp, tcp_fin, udp);
    }

    fn scheduler(&mut self, name: &str) -> Result<(&'static str, registry::Make), ControlError> {
        registry::find(name).ok_or_else(|| {
            self.log.say(Line::NoScheduler(name.into()));
            ControlError::NoScheduler
        })
    }

    fn find_service(&self, key: ServiceKey) -> Result<ServiceId, ControlError> {
        self.services.id(key).ok_or(ControlError::NoService)
    }

    fn remove_service(&mut self, id: ServiceId, tables: &Tables, cx: &mut Cx) {
        while !self.services.service(id).list.is_empty() {
            self.remove_server(id, 0, tables, cx);
        }
        self.record_service(id, false, cx);
        self.services.remove(id);
    }

    fn remove_server(&mut self, service: ServiceId, place: usize, tables: &Tables, cx: &mut Cx) {
        let server = self.services.delete_server(service, place, cx.now);
        self.record_server(server, cx);
        if tables.sysctl.vs().expire_nodest_conn {
            self.orphans_due.get_or_insert(cx.now + TICK);
        }
    }

    /// Ends the connections of deleted servers, and templates that then lead to nothing and were never confirmed.
    pub(super) fn end_orphans(&mut self, cx: &mut Cx) {
        let before = cx.context();
        for id in self.conns.ids() {
            if !self.conns.holds(id) {
                continue;
            }
            let conn = self.conns.get(id);
            let is_orphan = conn.dest.is_some_and(|dest| !self.services.server(dest).available);
            if conn.kind == Kind::Template || !is_orphan || conn.controls > 0 {
                continue;
            }
            let control = conn.control;
            cx.stage = Stage::Ipvs;
            cx.note(Why::IpvsNoDest);
            self.end(id, cx);
            if let Some(control) = control
                && self.conns.get(control).controls == 0
                && self.conns.get(control).state != ConnState::Assured
            {
                self.end(control, cx);
            }
            cx.resume(before);
        }
    }
}

fn check(options: &ServerOptions) -> Result<(), ControlError> {
    if options.lower > options.upper {
        return Err(ControlError::OutOfRange);
    }
    forward::registry::find(options.method).map(|_| ()).ok_or(ControlError::Invalid)
}

fn is_unicast_or_local(address: Ipv4Addr, tables: &Tables) -> bool {
    if address.is_unspecified() || address.is_multicast() || address.octets()[0] >= 240 {
        return false;
    }
    match tables.routes.local_kind(address) {
        Some(RouteKind::Broadcast) => false,
        Some(_) | None => true,
    }
}
