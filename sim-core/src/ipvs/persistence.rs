//! Persistence (`-p`): a client that comes again gets its server again, without asking the scheduler.
//!
//! | service | a template stands for |
//! |---|---|
//! | ordinary | protocol, client & mask, VIP and port |
//! | port 21 or 0 | protocol, client & mask, VIP |
//! | firewall mark | client & mask, mark |
//!
//! A template's timer begins anew with each new connection, not with each packet. One that still has connections when it
//! is due gets 60 s more, again and again.

use super::Ipvs;
use super::admit::{First, Turned};
use super::conn::{ConnId, Kind};
use super::service::{Persistence, ServerId, ServiceId};
use crate::base::time::Instant;
use crate::tables::sysctl::Vs;
use crate::trace::Why;
use crate::trace::record::ServiceKey;
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::world::node::Cx;
use std::net::Ipv4Addr;

const FTP: u16 = 21;

/// What a template stands for.
struct Scope {
    transport: Option<Transport>,
    client: SocketAddr,
    virtual_: SocketAddr,
}

impl Ipvs {
    pub(super) fn admit_persistent(
        &mut self,
        service: ServiceId,
        persistence: Persistence,
        first: First,
        cx: &mut Cx,
    ) -> Result<ConnId, Turned> {
        let First { flow, mark, settings } = first;
        let key = self.services.service(service).key;
        let scope = scope(key, persistence, flow);
        let (template, server) = match self.valid_template(&scope, settings) {
            Some((template, server)) => {
                let address = self.services.server(server).address;
                cx.note(Why::IpvsPersistent { server: address.address, port: address.port });
                (template, server)
            }
            None => self.new_template(service, persistence, &scope, first, cx)?,
        };
        let is_own_port = matches!(key, ServiceKey::Address(_, address) if address.port == flow.destination.port);
        let kind = self.kind_of_flow(service, flow);
        let mut conn = self.new_conn(kind, flow, server, flow.destination.port, mark);
        if !is_own_port {
            conn.server.port = flow.destination.port;
        }
        conn.control = Some(template);
        let id = self.establish(service, conn, cx)?;
        self.conns.get_mut(template).controls += 1;
        self.restart(template, cx);
        Ok(id)
    }

    /// The template of this client, if its server may still be used; one whose server may not is left to its timer under
    /// a key that nobody asks for.
    fn valid_template(&mut self, scope: &Scope, settings: &Vs) -> Option<(ConnId, ServerId)> {
        let id = self.conns.template(scope.transport, scope.client, scope.virtual_)?;
        let dest = self.conns.get(id).dest;
        let is_valid = dest.is_some_and(|dest| {
            let server = self.services.server(dest);
            server.available && !(settings.expire_quiescent_template && server.weight == 0)
        });
        if is_valid {
            return dest.map(|dest| (id, dest));
        }
        self.conns.forget_key(id);
        let template = self.conns.get_mut(id);
        template.virtual_.port = u16::MAX;
        template.server.port = u16::MAX;
        None
    }

    fn new_template(
        &mut self,
        service: ServiceId,
        persistence: Persistence,
        scope: &Scope,
        first: First,
        cx: &mut Cx,
    ) -> Result<(ConnId, ServerId), Turned> {
        let server = self.schedule(service, first.flow, first.settings, cx)?;
        let mut template = self.new_conn(Kind::Template, first.flow, server, 0, first.mark);
        (template.transport, template.client, template.virtual_) = (scope.transport, scope.client, scope.virtual_);
        if scope.virtual_.port == 0 {
            template.server.port = 0;
        }
        template.timeout = persistence.timeout;
        template.expires = Instant::NEVER;
        let id = self.begin(template, cx).map_err(Turned::Dropped)?;
        Ok((id, server))
    }
}

fn scope(key: ServiceKey, persistence: Persistence, flow: &Flow) -> Scope {
    let client = SocketAddr { address: flow.source.address & persistence.mask, port: 0 };
    match key {
        ServiceKey::Mark(mark) => {
            Scope { transport: None, client, virtual_: SocketAddr { address: Ipv4Addr::from(mark), port: 0 } }
        }
        ServiceKey::Address(transport, address) => {
            let port = if address.port == FTP { 0 } else { address.port };
            let virtual_ = SocketAddr { port, ..flow.destination };
            Scope { transport: Some(transport), client, virtual_ }
        }
    }
}
