//! How an entry begins, moves from state to state, and ends; the counts of its server go with it.

use super::Ipvs;
use super::conn::{Conn, ConnId, Kind};
use super::forward::{Reserve, registry};
use super::service::ServerId;
use super::state::{Direction, Flags, Manner};
use super::stats::Counts;
use crate::base::time::{Duration, Instant};
use crate::tables::Tables;
use crate::trace::Why;
use crate::trace::record::ConnState;
use crate::wire::flow::Transport;
use crate::world::node::Cx;

/// What an entry that still leads others gets when it is due.
const LATER: Duration = Duration::from_secs(60);

impl Ipvs {
    /// Puts an entry in, and counts it for its server.
    pub(super) fn begin(&mut self, mut conn: Conn, cx: &mut Cx) -> Result<ConnId, Why> {
        conn.helper = self.helper_for(&conn);
        let method = registry::of(conn.method);
        if conn.kind != Kind::Template {
            self.bind(&mut conn, cx)?;
        }
        let keys = method.keys(&conn);
        let (dest, kind, timeout, is_active) = (conn.dest, conn.kind, conn.timeout, conn.active);
        let id = match self.conns.insert(conn, keys) {
            Ok(id) => id,
            Err(conn) => {
                method.release(&conn, &mut self.pools);
                return Err(Why::IpvsTableFull);
            }
        };
        if let Some(dest) = dest {
            let server = self.services.server_mut(dest);
            match kind {
                Kind::Flow | Kind::OnePacket => {
                    server.active += u32::from(is_active);
                    server.gain();
                }
                Kind::Template => server.persistent += 1,
            }
            self.server_changed(dest, cx);
        }
        if kind == Kind::Template {
            self.conns.restart(id, cx.now + timeout);
        }
        Ok(id)
    }

    /// Gives a new connection what its method needs of its service and of the host.
    fn bind(&mut self, conn: &mut Conn, cx: &mut Cx) -> Result<(), Why> {
        let Some(dest) = conn.dest else { return Ok(()) };
        let service = self.services.service_mut(self.services.server(dest).service);
        let mut from = Reserve {
            service: service.key,
            scheduler: service.scheduler_name,
            locals: &mut service.locals,
            conn_timeout: service.conn_timeout,
            pools: &mut self.pools,
        };
        registry::of(conn.method).bind(conn, &mut from, cx)
    }

    /// What a packet does to the state.
    pub(super) fn step(&mut self, id: ConnId, direction: Direction, flags: Option<Flags>, cx: &mut Cx) {
        let guards = self.defence.guards;
        let conn = self.conns.get_mut(id);
        let (from, manner) = (conn.state, Manner::of(conn.method).guarded(guards));
        if direction == Direction::Output {
            conn.one_way = false;
        }
        let to = match conn.transport {
            Some(Transport::Tcp) => manner.next_tcp(from, direction, flags.unwrap_or_default()),
            Some(Transport::Udp) | None => ConnState::Udp,
        };
        conn.state = to;
        let own = conn.crossing.as_ref().and_then(|crossing| crossing.established);
        conn.timeout = match own.filter(|_| to == ConnState::Established) {
            Some(own) => own,
            None => self.timeouts.of(manner, to),
        };
        let (control, timeout_s) = (conn.control, conn.timeout.secs() as u32);
        let active = manner.counts_as_active(to);
        let shift = conn.dest.filter(|_| conn.active != active).map(|dest| (dest, active));
        conn.active = shift.map_or(conn.active, |(_, active)| active);
        if from == ConnState::None {
            cx.note(Why::IpvsConn { state: to, timeout_s, active });
        } else if from != to {
            cx.note(Why::IpvsState { from, to, timeout_s, active });
        }
        if let Some((dest, is_active)) = shift {
            let server = self.services.server_mut(dest);
            server.active = server.active.saturating_add_signed(if is_active { 1 } else { -1 });
            self.server_changed(dest, cx);
        }
        let assures = match to {
            ConnState::Established => from != to,
            ConnState::Udp => direction == Direction::Output,
            _ => false,
        };
        if assures && let Some(control) = control.filter(|id| self.conns.get(*id).kind == Kind::Template) {
            self.conns.get_mut(control).state = ConnState::Assured;
        }
    }

    /// Begins an entry's timeout anew.
    pub(super) fn restart(&mut self, id: ConnId, cx: &mut Cx) {
        let expires = cx.now + self.conns.get(id).timeout;
        self.conns.restart(id, expires);
        self.record_conn(id, cx);
    }

    /// An entry is due: it ends, or it is given more time because it still leads others.
    pub(super) fn expire(&mut self, id: ConnId, tables: &Tables, cx: &mut Cx) {
        let conn = self.conns.get_mut(id);
        if conn.controls > 0 {
            conn.timeout = LATER;
            let settings = tables.sysctl.vs();
            self.offer(id, settings.sync_threshold.0, settings, cx);
            self.restart(id, cx);
            return;
        }
        cx.note(Why::IpvsExpired { state: conn.state });
        if conn.state == ConnState::Established {
            let conn = self.conns.get(id);
            self.outgoing.extend(registry::of(conn.method).farewell(conn, cx));
        }
        self.end(id, cx);
    }

    /// Takes an entry out, and off the counts of its server.
    pub(super) fn end(&mut self, id: ConnId, cx: &mut Cx) {
        let conn = self.conns.remove(id);
        registry::of(conn.method).release(&conn, &mut self.pools);
        if let Some(control) = conn.control {
            self.conns.get_mut(control).controls -= 1;
        }
        self.record_ended(&conn, cx);
        let Some(dest) = conn.dest else { return };
        let server = self.services.server_mut(dest);
        match conn.kind {
            Kind::Template => server.persistent -= 1,
            Kind::Flow | Kind::OnePacket => {
                if conn.active {
                    server.active -= 1;
                }
                server.lose();
            }
        }
        self.server_changed(dest, cx);
    }

    /// The counts of a server have changed.
    pub(super) fn server_changed(&mut self, id: ServerId, cx: &mut Cx) {
        self.services.tell_change(id);
        self.record_server(id, cx);
    }

    /// Counts a packet for the connection's server, its service and the host; nothing once the server was deleted.
    pub(super) fn count(&mut self, id: ConnId, now: Instant, add: impl Fn(&mut Counts)) {
        let now = self.estimated(now);
        let Some(dest) = self.conns.get(id).dest else { return };
        let server = self.services.server_mut(dest);
        if !server.available {
            return;
        }
        add(server.stats.counting(now));
        let service = server.service;
        add(self.services.service_mut(service).stats.counting(now));
        add(self.total.counting(now));
    }
}
