//! What processes ask of UDP and raw sockets: the bodies of the system calls.

use super::calls::{is_local, overlaps, source_and_mtu};
use super::datagram::{self, Header, Queue, Raw, Udp};
use super::{Event, Kind, Sockets};
use crate::base::id::{EventId, PacketId, Pid};
use crate::kernel::process::SocketId;
use crate::kernel::syscall::SocketError;
use crate::tables::Tables;
use crate::trace::Stage;
use crate::wire::flow::SocketAddr;
use crate::world::node::Cx;
use std::net::Ipv4Addr;

/// What fits into one UDP datagram.
const DATAGRAM_MAX: usize = 65_507;

impl Sockets {
    pub(crate) fn udp(
        &mut self,
        owner: Pid,
        local: SocketAddr,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<SocketId, SocketError> {
        if !local.address.is_unspecified() && !is_local(local.address, tables) {
            return Err(SocketError::AddressNotAvailable);
        }
        if self.udp.len() >= 4_096 {
            return Err(SocketError::AddressNotAvailable);
        }
        let port = match local.port {
            0 => {
                let (ports, udp) = (&mut self.ports, &self.udp);
                ports
                    .pick(cx, |port| udp.iter().all(|other| !overlaps(other.local, SocketAddr { port, ..local })))
                    .ok_or(SocketError::AddressInUse)?
            }
            port => port,
        };
        let local = SocketAddr { port, ..local };
        if self.udp.iter().any(|other| overlaps(other.local, local)) {
            return Err(SocketError::AddressInUse);
        }
        let id = self.new_id();
        self.udp.push(Udp { id, owner, local, peer: None, queue: Queue::default() });
        self.bound.insert(local, id);
        self.kinds.insert(id, Kind::Udp);
        self.hold(owner);
        Ok(id)
    }

    pub(crate) fn connect_datagrams(&mut self, socket: SocketId, peer: SocketAddr) -> Result<(), SocketError> {
        let known = self.udp.iter_mut().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        known.peer = Some(peer);
        Ok(())
    }

    pub(crate) fn send_to(
        &mut self,
        socket: SocketId,
        remote: SocketAddr,
        bytes: &[u8],
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), SocketError> {
        let known = self.udp.iter().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        if bytes.len() > DATAGRAM_MAX {
            return Err(SocketError::MessageTooLong);
        }
        let local = known.local;
        let fixed = Some(local.address).filter(|address| !address.is_unspecified());
        let (source, mtu) = source_and_mtu(fixed, remote.address, tables)?;
        let local = SocketAddr { address: source, ..local };
        let payload = datagram::datagram(local, remote, bytes);
        let header = Header {
            source,
            destination: remote.address,
            protocol: 17,
            ttl: 64,
            id: self.next_datagram_id(cx),
            dont_fragment: payload.len() + 20 <= mtu as usize,
        };
        self.originate(header, &payload, cx);
        Ok(())
    }

    pub(crate) fn recv_from(&mut self, socket: SocketId) -> Option<(Vec<u8>, SocketAddr)> {
        let known = self.udp.iter_mut().find(|known| known.id == socket)?;
        let datagram = known.queue.pop();
        if !known.queue.is_empty() {
            let event = Event { owner: known.owner, socket, cause: EventId::NONE, packet: PacketId::NONE };
            self.events.push(event);
        }
        datagram
    }

    pub(crate) fn raw(&mut self, owner: Pid, protocol: u8) -> SocketId {
        let id = self.new_id();
        self.raw.push(Raw { id, owner, protocol, queue: Queue::default() });
        self.kinds.insert(id, Kind::Raw);
        self.hold(owner);
        id
    }

    #[expect(clippy::too_many_arguments, reason = "a system call's arguments and what it works on")]
    pub(crate) fn raw_send(
        &mut self,
        socket: SocketId,
        source: Option<Ipv4Addr>,
        to: Ipv4Addr,
        ttl: u8,
        dont_fragment: bool,
        payload: &[u8],
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), SocketError> {
        let known = self.raw.iter().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        let protocol = known.protocol;
        if payload.len() > 65_515 {
            return Err(SocketError::MessageTooLong);
        }
        let (source, mtu) = source_and_mtu(source, to, tables)?;
        let fits = payload.len() + 20 <= mtu as usize;
        if dont_fragment && !fits {
            return Err(SocketError::MessageTooLong);
        }
        let header = Header {
            source,
            destination: to,
            protocol,
            ttl: if ttl == 0 { 64 } else { ttl },
            id: self.next_datagram_id(cx),
            dont_fragment: fits,
        };
        self.originate(header, payload, cx);
        Ok(())
    }

    pub(crate) fn raw_recv(&mut self, socket: SocketId) -> Option<Vec<u8>> {
        let known = self.raw.iter_mut().find(|known| known.id == socket)?;
        let packet = known.queue.pop();
        if !known.queue.is_empty() {
            let event = Event { owner: known.owner, socket, cause: EventId::NONE, packet: PacketId::NONE };
            self.events.push(event);
        }
        packet
    }

    fn originate(&mut self, header: Header, payload: &[u8], cx: &mut Cx) {
        let before = cx.context();
        cx.stage = Stage::Socket;
        let packet = datagram::packet(header, payload, cx);
        cx.resume(before);
        self.outgoing.push_back(packet);
    }

    fn next_datagram_id(&mut self, cx: &mut Cx) -> u16 {
        if self.datagram_id == 0 {
            self.datagram_id = cx.rng.u32() as u16 | 1;
        }
        let id = self.datagram_id;
        self.datagram_id = id.checked_add(1).unwrap_or(1);
        id
    }
}
