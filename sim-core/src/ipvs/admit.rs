//! A flow's first packet: is there a service that wants it, which server gets it, and the entry that remembers both.

use super::Ipvs;
use super::conn::{Conn, ConnId, Kind};
use super::log::Line;
use super::schedule::{Ask, Pick, Refusal, Scheduler, Servers};
use super::service::{ServerId, ServiceId};
use super::state::{Flags, is_one_way};

use crate::tables::sysctl::Vs;
use crate::trace::record::{Candidate, Evidence, Family, ServiceKey};
use crate::trace::why::{EvidenceId, Hook};
use crate::trace::{Level, Why};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// Why a first packet gets no entry.
pub(super) enum Turned {
    /// The host's own stack gets it.
    NotMine,
    /// It ends here.
    Dropped(Why),
    /// It ends here, and the client is told.
    Refused(Why),
}

/// What a first packet brings.
#[derive(Clone, Copy)]
pub(super) struct First<'a> {
    pub(super) flow: &'a Flow,
    pub(super) mark: u32,
    pub(super) settings: &'a Vs,
}

/// FTP's ports.
const FTP_DATA: u16 = 20;
const FTP: u16 = 21;

impl Ipvs {
    pub(super) fn admit(
        &mut self,
        flow: &Flow,
        flags: Option<Flags>,
        packet: &Packet,
        hook: Hook,
        settings: &Vs,
        cx: &mut Cx,
    ) -> Result<ConnId, Turned> {
        let vip = flow.destination;
        let Some(service) = self.services.find(flow, packet.mark) else {
            cx.note(Why::IpvsNotMine { port: vip.port });
            return Err(Turned::NotMine);
        };
        let is_fullnat = !self.services.service(service).locals.is_empty();
        let begins = flags.is_none_or(|flags| match is_fullnat {
            true => flags.is_pure_syn(),
            false => !flags.rst && (flags.syn || settings.sloppy_tcp),
        });
        if !begins {
            cx.note(Why::IpvsNoSyn);
            return Err(Turned::NotMine);
        }
        if let Some(why) = self.defence.drops_packet() {
            return Err(Turned::Dropped(why));
        }
        let answers_a_local_request = || hook == Hook::Output && self.conns.request(&flow.reversed()).is_some();
        if flow.source.port == FTP_DATA || answers_a_local_request() {
            cx.note(Why::IpvsNotMine { port: vip.port });
            return Err(Turned::NotMine);
        }
        cx.note(Why::IpvsNew { address: vip.address, port: vip.port });
        self.pools.lports = settings.fullnat_lports;
        let found = self.services.service(service);
        if let Some(persistence) = found.persistent {
            let first = First { flow, mark: packet.mark, settings };
            return self.admit_persistent(service, persistence, first, cx);
        }
        match found.key {
            ServiceKey::Address(_, SocketAddr { port: FTP, .. }) if vip.port != FTP => {
                cx.note(Why::IpvsNotMine { port: vip.port });
                return Err(Turned::NotMine);
            }
            ServiceKey::Address(_, address) if address.port != vip.port => {
                let evidence = self.no_evidence(service, cx);
                return Err(Turned::Refused(Why::IpvsNoDestination { evidence }));
            }
            ServiceKey::Address(..) | ServiceKey::Mark(_) => {}
        }
        let server = self.schedule(service, flow, settings, cx)?;
        let kind = self.kind_of_flow(service, flow);
        let conn = self.new_conn(kind, flow, server, vip.port, packet.mark);
        self.establish(service, conn, cx)
    }

    /// Whether the flow is one datagram of a one-packet service.
    pub(super) fn kind_of_flow(&self, service: ServiceId, flow: &Flow) -> Kind {
        let one_packet = self.services.service(service).one_packet && flow.transport == Transport::Udp;
        if one_packet { Kind::OnePacket } else { Kind::Flow }
    }

    /// An entry for a flow, bound to a server. `port` is the server's, unless it has one of its own.
    pub(super) fn new_conn(&self, kind: Kind, flow: &Flow, server: ServerId, port: u16, mark: u32) -> Conn {
        let found = self.services.server(server);
        let server_port = if found.address.port != 0 { found.address.port } else { port };
        Conn {
            server: SocketAddr { address: found.address.address, port: server_port },
            mark,
            dest: Some(server),
            one_way: is_one_way(found.method),
            active: false,
            ..Conn::unbound(kind, Some(flow.transport), flow.source, flow.destination, found.method)
        }
    }

    /// Puts a flow's entry in and counts it as a connection of its server, service and host.
    pub(super) fn establish(&mut self, service: ServiceId, conn: Conn, cx: &mut Cx) -> Result<ConnId, Turned> {
        let dest = conn.dest;
        let id = self.begin(conn, cx).map_err(Turned::Dropped)?;
        let now = self.estimated(cx.now);
        if let Some(dest) = dest {
            self.services.server_mut(dest).stats.counting(now).conns += 1;
        }
        self.services.service_mut(service).stats.counting(now).conns += 1;
        self.total.counting(now).conns += 1;
        Ok(id)
    }

    /// Asks the service's scheduler, and notes on what grounds it chose.
    pub(super) fn schedule(
        &mut self,
        service: ServiceId,
        flow: &Flow,
        settings: &Vs,
        cx: &mut Cx,
    ) -> Result<ServerId, Turned> {
        let found = self.services.service(service);
        let (key, name, flags) = (found.key, found.scheduler_name, found.flags);
        let (scheduler, servers) = self.services.scheduling(service);
        let mut ask = Ask { flow: *flow, flags, now: cx.now, settings, rng: cx.rng };
        let picked = scheduler.schedule(&servers, &mut ask);
        let tidy_due = scheduler.next_wake();
        let evidence = if cx.pen.level() < Level::Everything {
            EvidenceId(0)
        } else {
            cx.pen.evidence(evidence(key, name, scheduler, &servers, picked))
        };
        if let Some(due) = tidy_due {
            self.services.wants_to_tidy(due);
        }
        match picked {
            Ok(pick) => {
                cx.note(Why::IpvsScheduled { evidence });
                Ok(pick.server)
            }
            Err(refusal) => {
                if refusal != Refusal::Unsaid {
                    let line = Line::NoDestination { scheduler: name, service: key, refusal };
                    self.log.say_limited(line, cx.now);
                }
                Err(Turned::Refused(Why::IpvsNoDestination { evidence }))
            }
        }
    }

    /// The grounds of a refusal without asking the scheduler.
    fn no_evidence(&mut self, service: ServiceId, cx: &mut Cx) -> EvidenceId {
        let found = self.services.service(service);
        let (key, name) = (found.key, found.scheduler_name);
        let (scheduler, servers) = self.services.scheduling(service);
        cx.pen.evidence(evidence(key, name, scheduler, &servers, Err(Refusal::NoDestination)))
    }
}

/// What an explanation needs: the winner, and three others in the order of looking.
fn evidence(
    service: ServiceKey,
    scheduler_name: &'static str,
    scheduler: &dyn Scheduler,
    servers: &Servers,
    picked: Result<Pick, Refusal>,
) -> Evidence {
    let candidate = |id: ServerId| {
        let server = servers.known(id);
        Candidate { server: server.address, weight: server.weight, cost: scheduler.cost(server) }
    };
    let winner = picked.ok().map(|pick| pick.server);
    let mut rivals = [None; 3];
    let others = (0..servers.len()).map(|place| servers.id(place)).filter(|id| Some(*id) != winner);
    for (slot, id) in rivals.iter_mut().zip(others) {
        *slot = Some(candidate(id));
    }
    Evidence {
        scheduler: scheduler_name,
        service,
        family: picked.map_or(Family::Cost, |pick| pick.family),
        winner: winner.map(candidate),
        rivals,
        servers: servers.len() as u32,
    }
}
