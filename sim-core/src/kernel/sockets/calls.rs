//! What processes ask of TCP sockets, and of any socket that is to be closed: the bodies of the system calls.

use super::flow::{Beginning, FlowKey, Role};
use super::{BACKLOG_MAX, CONNECT_PATIENCE, FIN_PATIENCE, Kind, Listener, SOCKETS_MAX, Sockets, endpoint};
use crate::base::id::{PacketId, Pid};
use crate::kernel::socket::{Event, SocketError, SocketId};
use crate::kernel::syscall::{Read, TcpState};
use crate::tables::Tables;
use crate::trace::Why;
use crate::wire::flow::SocketAddr;
use crate::world::node::Cx;
use smoltcp::socket::tcp::State;
use std::net::Ipv4Addr;

/// Octets that were not read, from which on reading may open the window enough to tell the other end.
const WINDOW_IS_TIGHT: usize = 16_384;

impl Sockets {
    pub(crate) fn connect(
        &mut self,
        owner: Pid,
        local: Option<SocketAddr>,
        remote: SocketAddr,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<SocketId, SocketError> {
        if self.kinds.len() >= SOCKETS_MAX {
            return Err(SocketError::AddressNotAvailable);
        }
        if remote.port == 0 || remote.address.is_multicast() || remote.address.is_broadcast() {
            return Err(SocketError::NetUnreachable);
        }
        // Linux connects to 0.0.0.0 as to itself.
        let remote = if remote.address.is_unspecified() {
            SocketAddr { address: Ipv4Addr::LOCALHOST, ..remote }
        } else {
            remote
        };
        let fixed = local.map(|local| local.address).filter(|address| !address.is_unspecified());
        let (source, mtu) = source_and_mtu(fixed, remote.address, tables)?;
        let port = match local.map_or(0, |local| local.port) {
            0 => {
                let (ports, flows, time_waits) = (&mut self.ports, &self.flows, &self.time_waits);
                let listening = &self.listening;
                let now = cx.now;
                ports.pick(cx, |port| {
                    let local = SocketAddr { address: source, port };
                    let key = FlowKey { local, remote };
                    !flows.contains(&key)
                        && !time_waits.contains(&key, now)
                        && !listening.contains(&local)
                        && !listening.contains(&SocketAddr { address: Ipv4Addr::UNSPECIFIED, port })
                })
            }
            port => Some(port),
        };
        let port = port.ok_or(SocketError::AddressNotAvailable)?;
        let key = FlowKey { local: SocketAddr { address: source, port }, remote };
        if self.flows.contains(&key) || self.time_waits.contains(&key, cx.now) {
            return Err(SocketError::AddressNotAvailable);
        }
        let id = self.new_id();
        let last = (cx.cause, PacketId::NONE);
        let give_up = cx.now + CONNECT_PATIENCE;
        let place = self.begin(Beginning { id, owner, key, role: Role::Client, mtu, give_up, last }, cx);
        self.hold(owner);
        let interface = self.stacks.of(mtu, cx);
        let flow = self.places[place as usize].flow.as_mut().expect("the flow was just made");
        flow.tcp_mut()
            .connect(interface.context(), endpoint(remote), endpoint(key.local))
            .expect("a socket that is not open connects to a unicast address and a port");
        self.drain(place, cx);
        Ok(id)
    }

    pub(crate) fn listens_at(&self, socket: SocketId) -> Option<SocketAddr> {
        self.listeners.iter().find(|listener| listener.id == socket).map(|listener| listener.local)
    }

    pub(crate) fn listen(
        &mut self,
        owner: Pid,
        local: SocketAddr,
        backlog: u32,
        tables: &Tables,
    ) -> Result<SocketId, SocketError> {
        let may_be_foreign = local.address.is_unspecified() || tables.sysctl.hot().nonlocal_bind;
        if !may_be_foreign && !is_local(local.address, tables) {
            return Err(SocketError::AddressNotAvailable);
        }
        let is_taken = self.listeners.iter().any(|other| overlaps(other.local, local));
        if is_taken || local.port == 0 {
            return Err(SocketError::AddressInUse);
        }
        let id = self.new_id();
        self.listeners.push(Listener {
            id,
            owner,
            local,
            backlog: backlog.min(BACKLOG_MAX),
            embryos: 0,
            queue: std::collections::VecDeque::new(),
        });
        self.listening.insert(local, id);
        self.kinds.insert(id, Kind::Listener);
        self.hold(owner);
        Ok(id)
    }

    pub(crate) fn accept(&mut self, pid: Pid, listener: SocketId) -> Option<(SocketId, SocketAddr)> {
        let listener = self.listeners.iter_mut().find(|known| known.id == listener)?;
        let id = listener.queue.pop_front()?;
        let more = (!listener.queue.is_empty()).then_some((listener.id, listener.owner));
        if let Some((socket, owner)) = more {
            self.events.push(Event::more(owner, socket));
        }
        let Some(Kind::Flow(place)) = self.kinds.get(&id).copied() else { return None };
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        flow.role = Role::Accepted;
        flow.owner = pid;
        let peer = self.toa.peer(flow);
        if flow.tcp().can_recv() || flow.state() != State::Established {
            self.tell(place);
        }
        self.hold(pid);
        Some((id, peer))
    }

    pub(crate) fn tcp_state(&self, socket: SocketId) -> TcpState {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else { return TcpState::Closed };
        let flow = self.places[place as usize].flow.as_ref().expect("a socket's place has its flow");
        if let Some(error) = flow.error {
            return TcpState::Failed(error);
        }
        match flow.state() {
            State::SynSent | State::SynReceived => TcpState::Connecting,
            State::Established | State::FinWait1 | State::FinWait2 | State::CloseWait => TcpState::Connected,
            State::Closed | State::Listen | State::Closing | State::LastAck | State::TimeWait => TcpState::Closed,
        }
    }

    pub(crate) fn ends(&self, socket: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else { return None };
        let flow = self.places[place as usize].flow.as_ref()?;
        Some((flow.key.local, flow.key.remote))
    }

    pub(crate) fn send(&mut self, socket: SocketId, bytes: &[u8], cx: &mut Cx) -> Result<usize, SocketError> {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else { return Err(SocketError::BadDescriptor) };
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        if let Some(error) = flow.error {
            return Err(error);
        }
        if flow.is_over {
            return Err(SocketError::BrokenPipe);
        }
        match flow.state() {
            State::SynSent | State::SynReceived => {
                flow.wants_room = true;
                return Ok(0);
            }
            State::Established | State::CloseWait => {}
            State::Closed
            | State::Listen
            | State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => return Err(SocketError::BrokenPipe),
        }
        let taken = flow.tcp_mut().send_slice(bytes).map_err(|_| SocketError::BrokenPipe)?;
        flow.wants_room = taken < bytes.len();
        if taken > 0 {
            self.drain(place, cx);
        }
        Ok(taken)
    }

    pub(crate) fn recv(&mut self, socket: SocketId, max: usize, cx: &mut Cx) -> Read {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else {
            return Read::Failed(SocketError::BadDescriptor);
        };
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        let waiting = flow.tcp().recv_queue();
        if waiting > 0 {
            let mut bytes = vec![0; waiting.min(max)];
            let taken = flow.tcp_mut().recv_slice(&mut bytes).unwrap_or(0);
            bytes.truncate(taken);
            if waiting > WINDOW_IS_TIGHT && !flow.is_over {
                self.drain(place, cx);
            }
            return Read::Data(bytes);
        }
        if let Some(error) = flow.error {
            return Read::Failed(error);
        }
        match flow.state() {
            _ if flow.is_over => Read::End,
            State::SynSent | State::SynReceived | State::Established | State::FinWait1 | State::FinWait2 => Read::Wait,
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait | State::Closed | State::Listen => {
                Read::End
            }
        }
    }

    pub(crate) fn shutdown(&mut self, socket: SocketId, cx: &mut Cx) {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else { return };
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        if !flow.is_over && !matches!(flow.state(), State::SynSent) {
            flow.tcp_mut().close();
            self.drain(place, cx);
        }
    }

    /// Closes any socket of `owner`.
    pub(crate) fn close(&mut self, socket: SocketId, cx: &mut Cx) {
        match self.kinds.get(&socket).copied() {
            None => {}
            Some(Kind::Flow(place)) => self.close_flow(place, cx),
            Some(Kind::Listener) => self.close_listener(socket, cx),
            Some(Kind::Udp) => {
                if let Some(at) = self.udp.iter().position(|known| known.id == socket) {
                    let closed = self.udp.remove(at);
                    self.left.extend(closed.multicast.joined);
                    self.bound.remove(&closed.local);
                    self.kinds.remove(&socket);
                    self.let_go(closed.owner);
                }
            }
            Some(Kind::Packet) => {
                if let Some(owner) = self.taps.close(socket) {
                    self.kinds.remove(&socket);
                    self.let_go(owner);
                }
            }
            Some(Kind::Raw) => {
                if let Some(at) = self.raw.iter().position(|known| known.id == socket) {
                    let closed = self.raw.remove(at);
                    self.left.extend(closed.multicast.joined);
                    self.kinds.remove(&socket);
                    self.let_go(closed.owner);
                }
            }
        }
    }

    pub(crate) fn reset(&mut self, socket: SocketId, cx: &mut Cx) {
        let Some(Kind::Flow(place)) = self.kinds.get(&socket).copied() else { return self.close(socket, cx) };
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        if !flow.is_over && flow.state() != State::SynSent {
            flow.tcp_mut().abort();
            self.drain(place, cx);
        }
        self.free_place(place, cx);
    }

    /// A process has ended: its sockets are closed.
    pub(crate) fn close_all_of(&mut self, pid: Pid, cx: &mut Cx) {
        if !self.owned.contains(&pid) {
            return;
        }
        let flows = self.places.iter().filter_map(|place| place.flow.as_ref());
        let flows = flows.filter(|flow| flow.owner == pid && !flow.is_orphan);
        let flows = flows.filter(|flow| matches!(flow.role, Role::Client | Role::Accepted)).map(|flow| flow.id);
        let others = self.listeners.iter().filter(|socket| socket.owner == pid).map(|socket| socket.id);
        let udp = self.udp.iter().filter(|socket| socket.owner == pid).map(|socket| socket.id);
        let raw = self.raw.iter().filter(|socket| socket.owner == pid).map(|socket| socket.id);
        let taps = self.taps.of(pid);
        let all: Vec<SocketId> = flows.chain(others).chain(udp).chain(raw).chain(taps).collect();
        for socket in all {
            self.close(socket, cx);
        }
    }

    fn close_flow(&mut self, place: u32, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("a socket's place has its flow");
        if flow.is_over || flow.state() == State::SynSent {
            return self.free_place(place, cx);
        }
        if flow.tcp().recv_queue() > 0 {
            flow.tcp_mut().abort();
            self.drain(place, cx);
            return self.free_place(place, cx);
        }
        let owner = flow.owner;
        flow.is_orphan = true;
        flow.is_put_off = false;
        if flow.state() == State::FinWait2 {
            flow.give_up = cx.now + FIN_PATIENCE;
        }
        flow.tcp_mut().close();
        self.let_go(owner);
        self.drain(place, cx);
    }

    fn close_listener(&mut self, socket: SocketId, cx: &mut Cx) {
        let Some(at) = self.listeners.iter().position(|known| known.id == socket) else { return };
        let listener = self.listeners.remove(at);
        self.listening.remove(&listener.local);
        self.kinds.remove(&socket);
        self.let_go(listener.owner);
        let hers = |role: Role| role == Role::Embryo(socket) || role == Role::Queued(socket);
        let orphans: Vec<u32> = (0..self.places.len() as u32)
            .filter(|place| self.places[*place as usize].flow.as_ref().is_some_and(|flow| hers(flow.role)))
            .collect();
        for place in orphans {
            let flow = self.places[place as usize].flow.as_mut().expect("the place was just looked at");
            if matches!(flow.role, Role::Queued(_)) && !flow.is_over {
                flow.tcp_mut().abort();
                self.drain(place, cx);
            }
            self.free_place(place, cx);
        }
    }
}

/// The source address and the path MTU towards `destination`.
pub(super) fn source_and_mtu(
    source: Option<Ipv4Addr>,
    destination: Ipv4Addr,
    tables: &Tables,
) -> Result<(Ipv4Addr, u32), SocketError> {
    if source.is_some_and(|source| !is_local(source, tables)) {
        return Err(SocketError::AddressNotAvailable);
    }
    let route = tables.routes.lookup(destination, source, 0, &tables.interfaces).map_err(unreachable)?;
    Ok((source.unwrap_or(route.source), route.mtu))
}

/// What a process is told if there is no way.
pub(super) fn unreachable(why: Why) -> SocketError {
    match why {
        Why::RouteRefused { .. } => SocketError::HostUnreachable,
        _ => SocketError::NetUnreachable,
    }
}

pub(super) fn is_local(address: Ipv4Addr, tables: &Tables) -> bool {
    address.is_loopback() || tables.interfaces.local(address).is_some()
}

/// Whether two sockets cannot stand beside each other.
pub(super) fn overlaps(a: SocketAddr, b: SocketAddr) -> bool {
    a.port == b.port && (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified())
}
