//! The backup's side: entries of the table made from what a master tells. They are bound to a server of this host's own
//! table if it has one with that address, and live as long as they are told to; no packet moves their state until this
//! host is the director.

use super::Daemon;
use crate::base::time::Duration;
use crate::ipvs::Ipvs;
use crate::ipvs::conn::{Conn, ConnId, Kind};
use crate::ipvs::log::Line;
use crate::ipvs::server::ServerId;
use crate::ipvs::state::{Manner, is_one_way};
use crate::tables::Tables;
use crate::tables::sysctl::Vs;
use crate::trace::record::{ConnState, Method};
use crate::trace::{Stage, Why};
use crate::wire::checksum;
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::wire::sync::{SyncEntry, flag, read};
use crate::world::node::Cx;
use smoltcp::wire::IpProtocol;

/// What an entry becomes here.
#[derive(Clone, Copy)]
struct Heard {
    kind: Kind,
    transport: Option<Transport>,
    state: ConnState,
    is_inactive: bool,
    /// The method, should it lead to no server of this host.
    method: Method,
    one_way: bool,
    any_client_port: bool,
}

/// How long an entry lives whose timeout was not told and that has no state to go by.
const UNTOLD: Duration = Duration::from_secs(180);
const UDP_HEADER: usize = 8;

impl Ipvs {
    /// Whether a packet for this host is a message for its backup daemon.
    pub fn hears(&self, packet: &Packet) -> bool {
        let Some(Daemon { options, iface, ports, .. }) = &self.sync.backup else { return false };
        let (ip, udp) = (packet.ip(), packet.payload());
        ip.next_header() == IpProtocol::Udp
            && ip.dst_addr() == options.group
            && packet.iif == Some(*iface)
            && udp.len() >= UDP_HEADER
            && (options.port..options.port.saturating_add(*ports)).contains(&u16::from_be_bytes([udp[2], udp[3]]))
    }

    /// A message for the backup daemon.
    pub fn take_message(&mut self, packet: &Packet, tables: &Tables, cx: &mut Cx) {
        cx.stage = Stage::Ipvs;
        let (ip, udp) = (packet.ip(), packet.payload());
        let length = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
        let Some(message) = udp.get(UDP_HEADER..length) else { return cx.drop(Why::Malformed) };
        let has_sum = udp[6..8] != [0, 0];
        let sum = || checksum::transport_sum(ip.src_addr(), ip.dst_addr(), IpProtocol::Udp.into(), &udp[..length]);
        if has_sum && sum() != 0xffff {
            return cx.drop(Why::BadTransportChecksum);
        }
        let Some(daemon) = &self.sync.backup else { return };
        let own = daemon.options.sync_id;
        let Some((header, entries)) = read(message).filter(|_| length <= daemon.longest_datagram()) else {
            return cx.drop(Why::Malformed);
        };
        if own != 0 && header.sync_id != own {
            return cx.drop(Why::IpvsSyncOther { sync_id: header.sync_id, own });
        }
        cx.note(Why::IpvsSyncHeard { connections: header.count });
        for entry in entries {
            match entry {
                Ok(Some(entry)) => self.hear(&entry, tables.sysctl.vs(), cx),
                Ok(None) => {}
                Err(what) => {
                    self.log.say_limited(Line::BadMessage(what), cx.now);
                    return;
                }
            }
        }
    }

    /// Linux `ip_vs_proc_conn`.
    fn hear(&mut self, entry: &SyncEntry, settings: &Vs, cx: &mut Cx) {
        let Some(heard) = Heard::of(entry) else { return };
        let known = match heard.kind {
            Kind::Template => self.conns.template(heard.transport, entry.client, entry.virtual_),
            Kind::Flow | Kind::OnePacket => self.conns.request(&flow_of(entry, heard.transport)),
        };
        let known = match known {
            Some(id) if heard.kind == Kind::Flow && self.conns.get(id).server != entry.server => {
                // The end of a connection whose place another one has taken.
                if heard.is_inactive {
                    return;
                }
                self.end(id, cx);
                None
            }
            known => known,
        };
        let id = match known {
            Some(id) => self.renew(id, entry, heard, cx),
            None => self.conceive(entry, heard, cx),
        };
        let Some(id) = id else { return };
        let by_state = match heard.kind {
            Kind::Flow | Kind::OnePacket => self.timeouts.of(Manner::Linux, heard.state),
            Kind::Template => UNTOLD,
        };
        let conn = self.conns.get_mut(id);
        conn.in_packets = settings.sync_threshold.0;
        conn.state = heard.state;
        conn.told.state = heard.state;
        conn.timeout = match entry.timeout_s {
            0 => by_state,
            seconds => Duration::from_secs(u64::from(seconds)),
        };
        self.restart(id, cx);
    }

    /// A known entry: it may change from active to inactive, and be bound to a server that has come since.
    fn renew(&mut self, id: ConnId, entry: &SyncEntry, heard: Heard, cx: &mut Cx) -> Option<ConnId> {
        let conn = self.conns.get_mut(id);
        let changes = conn.active == heard.is_inactive;
        conn.active = !heard.is_inactive;
        let Some(dest) = conn.dest else {
            let dest = self.own_server(entry, heard)?;
            let conn = self.conns.remove(id);
            return self.begin(self.bound(conn, dest), cx).ok();
        };
        if changes && heard.kind != Kind::Template {
            let server = self.services.server_mut(dest);
            server.active = server.active.saturating_add_signed(if heard.is_inactive { -1 } else { 1 });
            self.server_changed(dest, cx);
        }
        Some(id)
    }

    fn conceive(&mut self, entry: &SyncEntry, heard: Heard, cx: &mut Cx) -> Option<ConnId> {
        let conn = Conn {
            server: entry.server,
            state: heard.state,
            mark: entry.mark,
            from_sync: true,
            one_way: heard.one_way,
            active: !heard.is_inactive,
            any_client_port: heard.any_client_port,
            ..Conn::unbound(heard.kind, heard.transport, entry.client, entry.virtual_, heard.method)
        };
        let conn = match self.own_server(entry, heard) {
            Some(dest) => self.bound(conn, dest),
            None => conn,
        };
        self.begin(conn, cx).ok()
    }

    /// An entry that takes its way from a server of this host.
    fn bound(&self, conn: Conn, dest: ServerId) -> Conn {
        let method = self.services.server(dest).method;
        Conn { dest: Some(dest), method, one_way: is_one_way(method), ..conn }
    }

    /// The server of this host's own table that an entry names (Linux `ip_vs_find_dest`). FULLNAT's connections are
    /// not told of.
    fn own_server(&self, entry: &SyncEntry, heard: Heard) -> Option<ServerId> {
        let service = self.services.find(&flow_of(entry, heard.transport), entry.mark)?;
        let keeps_port = entry.mark != 0 && heard.method != Method::Nat;
        let ports = if keeps_port { [0, entry.server.port] } else { [entry.server.port, 0] };
        ports
            .into_iter()
            .find_map(|port| self.services.find_server(service, SocketAddr { port, ..entry.server }))
            .map(|(_, id)| id)
            .filter(|id| self.services.server(*id).method != Method::FullNat)
    }
}

impl Heard {
    /// None for a protocol, method or state that this host does not have.
    fn of(entry: &SyncEntry) -> Option<Heard> {
        let is_template = entry.flags & flag::TEMPLATE != 0;
        let transport = match entry.protocol {
            6 => Some(Transport::Tcp),
            17 => Some(Transport::Udp),
            0 if is_template => None,
            _ => return None,
        };
        let state = match (is_template, transport) {
            (true, _) if entry.state & 1 != 0 => ConnState::Assured,
            (true, _) => ConnState::None,
            (false, Some(Transport::Tcp)) => ConnState::of_tcp(entry.state)?,
            (false, _) if entry.state == 0 => ConnState::Udp,
            (false, _) => return None,
        };
        let method = match entry.flags & flag::METHOD {
            0 => Method::Nat,
            2 => Method::Tun,
            3 => Method::Dr,
            4 => Method::Bypass,
            _ => return None,
        };
        Some(Heard {
            kind: if is_template { Kind::Template } else { Kind::Flow },
            transport,
            state,
            is_inactive: entry.flags & flag::INACTIVE != 0,
            method,
            one_way: entry.flags & flag::NO_OUTPUT != 0,
            any_client_port: entry.flags & flag::NO_CLIENT_PORT != 0,
        })
    }
}

impl Daemon {
    /// The longest datagram that fits the buffer.
    fn longest_datagram(&self) -> usize {
        self.options.longest as usize + UDP_HEADER
    }
}

fn flow_of(entry: &SyncEntry, transport: Option<Transport>) -> Flow {
    Flow { transport: transport.unwrap_or(Transport::Tcp), source: entry.client, destination: entry.virtual_ }
}
