//! What processes ask of UDP and raw sockets: the bodies of the system calls.

use super::calls::{is_local, overlaps, source_and_mtu, unreachable};
use super::datagram::{self, Exit, Header, Multicast, Queue, Raw, Udp};
use super::{Kind, Sockets};
use crate::base::id::{IfaceId, Pid};
use crate::kernel::socket::{RawPayload, SocketError, SocketId};
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
        let is_fit = local.address.is_unspecified() || local.address.is_multicast() || is_local(local.address, tables);
        if !is_fit {
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
        self.udp.push(Udp {
            id,
            owner,
            local,
            peer: None,
            error: None,
            queue: Queue::default(),
            multicast: Multicast::default(),
        });
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

    /// What an ICMP message said since the last call (`SO_ERROR`).
    pub(crate) fn take_datagram_error(&mut self, socket: SocketId) -> Option<SocketError> {
        self.udp.iter_mut().find(|known| known.id == socket)?.error.take()
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
        let (exit, ttl) = known.multicast.exit(remote.address, None);
        let fixed = Some(local.address).filter(|address| !address.is_unspecified() && !address.is_multicast());
        let (source, mtu) = way(exit, fixed, remote.address, tables)?;
        let local = SocketAddr { address: source, ..local };
        let payload = datagram::datagram(local, remote, bytes);
        let header = Header {
            source,
            destination: remote.address,
            protocol: 17,
            ttl: ttl.unwrap_or(64),
            id: self.next_datagram_id(cx),
            dont_fragment: payload.len() + 20 <= mtu as usize,
        };
        self.originate(header, &payload, exit, cx);
        Ok(())
    }

    pub(crate) fn recv_from(&mut self, socket: SocketId) -> Option<(Vec<u8>, SocketAddr)> {
        let known = self.udp.iter_mut().find(|known| known.id == socket)?;
        known.queue.take(known.owner, socket, &mut self.events)
    }

    pub(crate) fn raw(&mut self, owner: Pid, protocol: u8) -> SocketId {
        let id = self.new_id();
        self.raw.push(Raw {
            id,
            owner,
            protocol,
            device: None,
            queue: Queue::default(),
            multicast: Multicast::default(),
        });
        self.kinds.insert(id, Kind::Raw);
        self.hold(owner);
        id
    }

    pub(crate) fn raw_send(
        &mut self,
        socket: SocketId,
        sent: &RawPayload<'_>,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), SocketError> {
        let RawPayload { source, to, ttl, stays_whole, data } = *sent;
        let known = self.raw.iter().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        let protocol = known.protocol;
        let (exit, group_ttl) = known.multicast.exit(to, known.device);
        if data.len() > 65_515 {
            return Err(SocketError::MessageTooLong);
        }
        let (source, mtu) = way(exit, source, to, tables)?;
        let fits = data.len() + 20 <= mtu as usize;
        if stays_whole && !fits {
            return Err(SocketError::MessageTooLong);
        }
        let header = Header {
            source,
            destination: to,
            protocol,
            ttl: ttl.or(group_ttl).unwrap_or(64),
            id: self.next_datagram_id(cx),
            dont_fragment: fits,
        };
        self.originate(header, data, exit, cx);
        Ok(())
    }

    /// Sends a packet whose header the process wrote (`IP_HDRINCL`): its length and checksum are filled in, its source
    /// and identification if they are 0.
    pub(crate) fn raw_send_header(
        &mut self,
        socket: SocketId,
        iface: Option<IfaceId>,
        packet: &[u8],
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), SocketError> {
        let known = self.raw.iter().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        if packet.len() < 20 || packet[0] != 0x45 {
            return Err(SocketError::Invalid);
        }
        let at = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        let (source, to) = (at(12), at(16));
        let (mut exit, _) = known.multicast.exit(to, known.device);
        exit.oif = iface.or(exit.oif);
        let fixed = Some(source).filter(|source| !source.is_unspecified());
        let (source, mtu) = match (exit.oif, fixed) {
            // Linux does not ask whose address it is.
            (Some(_), Some(source)) => (source, way(exit, None, to, tables)?.1),
            _ => way(exit, fixed, to, tables)?,
        };
        if packet.len() > mtu as usize {
            return Err(SocketError::MessageTooLong);
        }
        let id = u16::from_be_bytes([packet[4], packet[5]]);
        let id = if id == 0 { self.next_datagram_id(cx) } else { id };
        let before = cx.context();
        cx.stage = Stage::Socket;
        let mut made = datagram::with_header(packet, source, id, cx);
        cx.resume(before);
        (made.oif, made.loops) = (exit.oif, exit.loops);
        self.outgoing.push_back(made);
        Ok(())
    }

    pub(crate) fn bind_to_device(&mut self, socket: SocketId, iface: Option<IfaceId>) -> Result<(), SocketError> {
        let known = self.raw.iter_mut().find(|known| known.id == socket).ok_or(SocketError::BadDescriptor)?;
        known.device = iface;
        Ok(())
    }

    pub(crate) fn set_multicast(
        &mut self,
        socket: SocketId,
        iface: Option<IfaceId>,
        ttl: u8,
        loops: bool,
    ) -> Result<(), SocketError> {
        let multicast = self.multicast_of(socket)?;
        (multicast.iface, multicast.ttl, multicast.loops) = (iface, ttl, loops);
        Ok(())
    }

    pub(crate) fn join_group(
        &mut self,
        socket: SocketId,
        group: Ipv4Addr,
        iface: IfaceId,
        tables: &mut Tables,
    ) -> Result<(), SocketError> {
        if tables.interfaces.get(iface).is_none() {
            return Err(SocketError::NoDevice);
        }
        let multicast = self.multicast_of(socket)?;
        if multicast.joined.contains(&(iface, group)) {
            return Err(SocketError::AddressInUse);
        }
        if !tables.memberships.join(iface, group) {
            return Err(SocketError::Invalid);
        }
        multicast.joined.push((iface, group));
        Ok(())
    }

    pub(crate) fn leave_group(
        &mut self,
        socket: SocketId,
        group: Ipv4Addr,
        iface: IfaceId,
        tables: &mut Tables,
    ) -> Result<(), SocketError> {
        let multicast = self.multicast_of(socket)?;
        let place = multicast.joined.iter().position(|joined| *joined == (iface, group));
        multicast.joined.remove(place.ok_or(SocketError::AddressNotAvailable)?);
        tables.memberships.leave(iface, group);
        Ok(())
    }

    fn multicast_of(&mut self, socket: SocketId) -> Result<&mut Multicast, SocketError> {
        let udp = self.udp.iter_mut().find(|known| known.id == socket).map(|known| &mut known.multicast);
        let raw = self.raw.iter_mut().find(|known| known.id == socket).map(|known| &mut known.multicast);
        udp.or(raw).ok_or(SocketError::BadDescriptor)
    }

    pub(crate) fn raw_recv(&mut self, socket: SocketId) -> Option<Vec<u8>> {
        let known = self.raw.iter_mut().find(|known| known.id == socket)?;
        known.queue.take(known.owner, socket, &mut self.events)
    }

    fn originate(&mut self, header: Header, payload: &[u8], exit: Exit, cx: &mut Cx) {
        let before = cx.context();
        cx.stage = Stage::Socket;
        let mut packet = datagram::packet(header, payload, cx);
        cx.resume(before);
        (packet.oif, packet.loops) = (exit.oif, exit.loops);
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

impl Multicast {
    /// How a packet to `destination` leaves, and with which TTL if it is a group.
    fn exit(&self, destination: Ipv4Addr, device: Option<IfaceId>) -> (Exit, Option<u8>) {
        match destination.is_multicast() {
            true => (Exit { oif: device.or(self.iface), loops: self.loops }, Some(self.ttl)),
            false => (Exit { oif: device, loops: false }, None),
        }
    }
}

/// The source address and the path MTU towards `destination`, by the interface that was chosen or by route.
fn way(
    exit: Exit,
    source: Option<Ipv4Addr>,
    destination: Ipv4Addr,
    tables: &Tables,
) -> Result<(Ipv4Addr, u32), SocketError> {
    let Some(oif) = exit.oif else { return source_and_mtu(source, destination, tables) };
    if source.is_some_and(|source| !is_local(source, tables)) {
        return Err(SocketError::AddressNotAvailable);
    }
    let route = tables.routes.lookup_by(oif, destination, source, 0, &tables.interfaces).map_err(unreachable)?;
    Ok((route.source, route.mtu))
}
