//! What IPVS writes into the trace about its tables: the new values, at level everything and not below.

use super::Ipvs;
use super::conn::{Conn, ConnId, Kind};
use super::service::{Server, ServerId, ServiceId};
use crate::trace::Level;
use crate::trace::record::{ConnRecord, ServerRecord, ServiceRecord};
use crate::trace::recorder::Change;
use crate::world::node::Cx;

impl Ipvs {
    pub(super) fn record_service(&self, id: ServiceId, present: bool, cx: &mut Cx) {
        if cx.pen.level() < Level::Everything {
            return;
        }
        let service = self.services.service(id);
        cx.change(Change::Service(ServiceRecord {
            node: self.node,
            key: service.key,
            scheduler: service.scheduler_name,
            persistent: service.persistent.map(|persistence| persistence.timeout),
            present,
        }));
    }

    pub(super) fn record_server(&self, id: ServerId, cx: &mut Cx) {
        if cx.pen.level() < Level::Everything {
            return;
        }
        let server = self.services.server(id);
        self.write_server(server, server.available, cx);
    }

    fn write_server(&self, server: &Server, present: bool, cx: &mut Cx) {
        cx.change(Change::Server(ServerRecord {
            node: self.node,
            service: server.service_key,
            server: server.address,
            method: server.method,
            weight: server.weight,
            active: server.active,
            inactive: server.inactive(),
            present,
        }));
    }

    /// The host is switched off: connections, servers and services are gone.
    pub fn switch_off(&self, cx: &mut Cx) {
        if cx.pen.level() < Level::Everything {
            return;
        }
        self.conns.iter().for_each(|conn| self.record_ended(conn, cx));
        for service in self.services() {
            for server in self.servers(service).iter() {
                self.write_server(server, false, cx);
            }
            if let Some(id) = self.services.id(service.key) {
                self.record_service(id, false, cx);
            }
        }
    }

    pub(super) fn record_conn(&self, id: ConnId, cx: &mut Cx) {
        if cx.pen.level() == Level::Everything {
            self.record(self.conns.get(id), true, cx);
        }
    }

    pub(super) fn record_ended(&self, conn: &Conn, cx: &mut Cx) {
        if cx.pen.level() == Level::Everything && conn.kind != Kind::OnePacket {
            self.record(conn, false, cx);
        }
    }

    fn record(&self, conn: &Conn, present: bool, cx: &mut Cx) {
        cx.change(Change::Connection(ConnRecord {
            node: self.node,
            transport: conn.transport,
            client: conn.client,
            virtual_: conn.virtual_,
            server: conn.server,
            local: conn.local(),
            method: conn.method,
            state: conn.state,
            expires: conn.expires,
            present,
        }));
    }
}
