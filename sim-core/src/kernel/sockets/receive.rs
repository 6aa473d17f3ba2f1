//! Packets that came in: which socket a segment, a datagram or an ICMP error is for, and what it leads to there.

use super::flow::{Beginning, FlowKey, Role};
use super::segment::{self, ACK, FIN, RST, SYN, Seen};
use super::time_wait::Answer;
use super::{
    CONFIRM_PAUSE, Delivery, EMBRYO_PATIENCE, EMBRYOS_MAX, FIN_PATIENCE, SOCKETS_MAX, Sockets, drop_packet, is_unicast,
};
use crate::base::time::Instant;
use crate::kernel::socket::{Event, SocketError, SocketId};
use crate::tables::Tables;
use crate::trace::{Stage, Why};
use crate::wire::flow::{Flow as FlowOnWire, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use smoltcp::socket::tcp::State;
use smoltcp::wire::{IpAddress, IpListenEndpoint, IpProtocol, UdpPacket};
use std::net::Ipv4Addr;

impl Sockets {
    /// Gives a packet to the socket it is for. It was addressed to this host and passed INPUT.
    pub fn deliver(&mut self, packet: Packet, tables: &Tables, cx: &mut Cx) -> Delivery {
        cx.stage = Stage::Socket;
        let protocol = packet.ip().next_header();
        if !self.raw.is_empty() {
            self.copy_to_raw(&packet, cx);
        }
        match protocol {
            IpProtocol::Tcp => {
                self.deliver_segment(packet, tables, cx);
                Delivery::Taken
            }
            IpProtocol::Udp => self.deliver_datagram(packet, cx),
            _ => Delivery::NotMine(packet),
        }
    }

    /// Whether a raw socket listens to this protocol.
    pub(crate) fn hears(&self, protocol: u8) -> bool {
        self.raw.iter().any(|raw| raw.protocol == protocol)
    }

    /// A filter refuses a segment by RST: the answer goes out as if nothing listened.
    pub(crate) fn refuse(&mut self, packet: &Packet, cx: &mut Cx) {
        if let Ok(seen) = Seen::of(packet)
            && let Some(answer) = segment::reset(&seen, cx)
        {
            self.send_out(answer, cx);
        }
    }

    fn deliver_segment(&mut self, packet: Packet, tables: &Tables, cx: &mut Cx) {
        let seen = match Seen::of(&packet) {
            Ok(seen) => seen,
            Err(unsound) => {
                return drop_packet(packet, unsound.why(), cx);
            }
        };
        let ends = [seen.source, seen.destination];
        if ends.iter().any(|end| end.port == 0 || !is_unicast(end.address)) {
            return drop_packet(packet, Why::StraySegment { port: seen.destination.port }, cx);
        }
        let key = FlowKey { local: seen.destination, remote: seen.source };
        if let Some(place) = self.flows.get(&key).copied() {
            return self.segment_for(place, &seen, packet, cx);
        }
        match self.time_waits.segment(&key, &seen, cx.now) {
            None | Some(Answer::Reuse) => {}
            Some(Answer::Silence) => {
                cx.note(Why::Delivered { port: key.local.port });
                return cx.recycle(packet.into_buffer());
            }
            Some(Answer::Acknowledge(bare)) => {
                cx.note(Why::Delivered { port: key.local.port });
                let answer = segment::bare(bare, cx);
                self.send_out(answer, cx);
                return cx.recycle(packet.into_buffer());
            }
        }
        if seen.flags & (SYN | ACK | RST | FIN) == SYN
            && let Some(listener) = self.listener_at(key.local)
        {
            return self.welcome(listener, key, &seen, packet, tables, cx);
        }
        let port = key.local.port;
        let why = if seen.has(RST) || seen.has(ACK) { Why::StraySegment { port } } else { Why::NoListener { port } };
        cx.drop(why);
        if let Some(answer) = segment::reset(&seen, cx) {
            self.send_out(answer, cx);
        }
        cx.recycle(packet.into_buffer());
    }

    /// A SYN for a listener: a new flow.
    fn welcome(&mut self, listener: usize, key: FlowKey, seen: &Seen, packet: Packet, tables: &Tables, cx: &mut Cx) {
        let to = &mut self.listeners[listener];
        let port = key.local.port;
        if to.queue.len() > to.backlog as usize || to.embryos >= EMBRYOS_MAX || self.kinds.len() >= SOCKETS_MAX {
            return drop_packet(packet, Why::BacklogFull { port }, cx);
        }
        to.embryos += 1;
        let (listener, owner) = (to.id, to.owner);
        let mtu = tables
            .routes
            .lookup(key.remote.address, Some(key.local.address), packet.mark, &tables.interfaces)
            .map_or(1500, |route| route.mtu);
        cx.note(Why::Delivered { port });
        let last = (cx.cause, packet.buffer().packet);
        let id = self.new_id();
        let give_up = cx.now + EMBRYO_PATIENCE;
        let beginning = Beginning { id, owner, key, role: Role::Embryo(listener), mtu, give_up, last };
        let place = self.begin(beginning, cx);
        let flow = self.places[place as usize].flow.as_mut().expect("the flow was just made");
        if !seen.has_scale {
            flow.do_not_scale();
        }
        flow.peer_timestamp = seen.timestamp.map(|(value, _)| value);
        let endpoint = IpListenEndpoint { addr: Some(IpAddress::Ipv4(key.local.address)), port };
        flow.tcp_mut().listen(endpoint).expect("a socket that is not open can listen at a port");
        self.stacks.feed(flow.mtu, flow.leaps, flow.set_mut(), packet.bytes(), &mut self.made, cx);
        cx.recycle(packet.into_buffer());
        self.drain(place, cx);
    }

    /// A segment of a known flow.
    fn segment_for(&mut self, place: u32, seen: &Seen, packet: Packet, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("the index names places with a flow");
        let port = flow.key.local.port;
        let before = flow.state();
        let completes = matches!(flow.role, Role::Embryo(_)) && seen.flags & (ACK | SYN | RST) == ACK;
        if completes
            && let Role::Embryo(id) = flow.role
            && let Some(listener) = self.listeners.iter().find(|listener| listener.id == id)
            && listener.queue.len() > listener.backlog as usize
        {
            return drop_packet(packet, Why::BacklogFull { port }, cx);
        }
        cx.note(Why::Delivered { port });
        flow.last = (cx.cause, packet.buffer().packet);
        flow.heard = cx.now;
        let is_new = seen.payload > 0 && (seen.seq.wrapping_add(seen.payload).wrapping_sub(flow.next_ack) as i32) > 0;
        if flow.is_orphan && is_new && matches!(before, State::FinWait1 | State::FinWait2) {
            // Nobody will ever read this.
            flow.tcp_mut().abort();
            cx.recycle(packet.into_buffer());
            self.drain(place, cx);
            return self.free_place(place, cx);
        }
        if seen.payload > 0 {
            flow.count_data();
            flow.had_loss |= seen.seq != flow.next_ack;
        }
        if before == State::SynSent && !seen.has_scale {
            flow.do_not_scale();
        }
        if let Some((value, _)) = seen.timestamp
            && flow.peer_timestamp.is_none_or(|last| (value.wrapping_sub(last) as i32) >= 0)
        {
            flow.peer_timestamp = Some(value);
        }
        let unread = flow.tcp().recv_queue();
        self.stacks.feed(flow.mtu, flow.leaps, flow.set_mut(), packet.bytes(), &mut self.made, cx);
        cx.recycle(packet.into_buffer());
        if seen.has(ACK) {
            flow.retransmission.acknowledged(seen.ack, seen.window, cx.now);
        }
        // Linux answers whatever it already had (`tcp_send_dupack`), smoltcp a FIN or SYN now and then.
        let was_synchronized = !matches!(before, State::Listen | State::SynSent | State::SynReceived);
        let is_old = (seen.seq.wrapping_add(seen.length()).wrapping_sub(flow.next_ack) as i32) <= 0;
        if self.made.is_empty() && was_synchronized && is_old && seen.length() > 0 && !seen.has(RST) {
            let mut answer = segment::bare(flow.acknowledge_again(cx.now), cx);
            answer.buffer_mut().cause = cx.cause;
            self.outgoing.push_back(answer);
        }
        let after = flow.state();
        let has_data = flow.tcp().recv_queue() > unread;
        let has_room = flow.wants_room && flow.tcp().can_send();
        if has_room {
            flow.wants_room = false;
        }
        if seen.has(ACK) && (flow.confirmed == Instant::NEVER || cx.now.since(flow.confirmed) >= CONFIRM_PAUSE) {
            flow.confirmed = cx.now;
            self.confirmed.push(flow.key.remote.address);
        }
        self.after_segment(place, before, after, seen, cx);
        if before != after || has_data || has_room {
            self.tell(place);
        }
    }

    /// What a segment's effect on the state leads to.
    fn after_segment(&mut self, place: u32, before: State, after: State, seen: &Seen, cx: &mut Cx) {
        let flow = self.places[place as usize].flow.as_mut().expect("the flow is there until it is freed");
        if after == State::Closed && before != State::Closed {
            if before != State::LastAck || seen.has(RST) {
                flow.error = Some(match before {
                    State::SynSent => SocketError::Refused,
                    State::CloseWait => SocketError::BrokenPipe,
                    _ => SocketError::Reset,
                });
            }
            self.take_made(place, cx);
            return self.finish_flow(place, cx);
        }
        if after == State::Listen {
            // RST in answer to SYN+ACK.
            self.take_made(place, cx);
            return self.free_place(place, cx);
        }
        if after == State::TimeWait {
            self.drain(place, cx);
            return self.keep_time_wait(place, cx);
        }
        if before == State::SynSent && after == State::Established {
            flow.give_up = Instant::NEVER;
        }
        if after == State::FinWait2 && flow.is_orphan {
            flow.give_up = cx.now + FIN_PATIENCE;
        }
        if let Role::Embryo(listener) = flow.role
            && matches!(after, State::Established | State::CloseWait)
        {
            flow.role = Role::Queued(listener);
            self.toa.look(flow, seen, cx);
            flow.give_up = Instant::NEVER;
            let (id, owner, port) = (flow.id, flow.owner, flow.key.local.port);
            cx.note(Why::Accepted { port });
            if let Some(listener) = self.listeners.iter_mut().find(|known| known.id == listener) {
                listener.embryos = listener.embryos.saturating_sub(1);
                listener.queue.push_back(id);
                let event = Event { owner, socket: listener.id, cause: cx.cause, packet: cx.packet };
                self.events.push(event);
            }
        }
        let flow = self.places[place as usize].flow.as_mut().expect("the flow is there until it is freed");
        // The process is about to close, most likely: its FIN then carries the acknowledgement.
        if after == State::CloseWait && before == State::Established && self.made.is_empty() {
            if !flow.is_put_off {
                flow.is_put_off = true;
                self.put_off.push(place);
            }
            return;
        }
        self.drain(place, cx);
    }

    fn deliver_datagram(&mut self, packet: Packet, cx: &mut Cx) -> Delivery {
        let ip = packet.ip();
        let (source, destination) = (ip.src_addr(), ip.dst_addr());
        let Ok(udp) = UdpPacket::new_checked(packet.payload()) else {
            drop_packet(packet, Why::Malformed, cx);
            return Delivery::Taken;
        };
        if udp.checksum() != 0 && !udp.verify_checksum(&IpAddress::Ipv4(source), &IpAddress::Ipv4(destination)) {
            drop_packet(packet, Why::BadTransportChecksum, cx);
            return Delivery::Taken;
        }
        let local = SocketAddr { address: destination, port: udp.dst_port() };
        let remote = SocketAddr { address: source, port: udp.src_port() };
        let anywhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: local.port };
        let id = self.bound.get(&local).or_else(|| self.bound.get(&anywhere)).copied();
        let is_for = |id: &SocketId| {
            let socket = self.udp.iter().find(|socket| socket.id == *id);
            socket.is_some_and(|socket| socket.peer.is_none_or(|peer| peer == remote))
        };
        let Some(id) = id.filter(is_for) else {
            cx.note(Why::NoListener { port: local.port });
            return Delivery::NoListener(packet);
        };
        cx.note(Why::Delivered { port: local.port });
        let bytes = udp.payload().to_vec();
        let (cause, packet_id) = (cx.cause, packet.buffer().packet);
        let socket = self.udp.iter_mut().find(|socket| socket.id == id).expect("bound names sockets that are there");
        if socket.queue.push(bytes.len(), (bytes, remote)) {
            self.events.push(Event { owner: socket.owner, socket: id, cause, packet: packet_id });
        }
        cx.recycle(packet.into_buffer());
        Delivery::Taken
    }

    fn copy_to_raw(&mut self, packet: &Packet, cx: &mut Cx) {
        let protocol = u8::from(packet.ip().next_header());
        for socket in self.raw.iter_mut().filter(|socket| socket.protocol == protocol) {
            if socket.device.is_some_and(|device| packet.iif != Some(device)) {
                continue;
            }
            if socket.queue.push(packet.bytes().len(), packet.bytes().to_vec()) {
                self.events.push(Event {
                    owner: socket.owner,
                    socket: socket.id,
                    cause: cx.cause,
                    packet: packet.buffer().packet,
                });
            }
        }
    }

    /// An ICMP error about a packet of this host's own came in. `flow` is as the quoted packet shows it: its source is
    /// this host. `mtu` is of 3/4 only.
    pub fn icmp_error(&mut self, flow: FlowOnWire, kind: u8, code: u8, mtu: u32, cx: &mut Cx) {
        if flow.transport == Transport::Udp {
            if (kind, code) != (3, 4) {
                self.datagram_error(flow, SocketError::of_icmp(kind, code), cx);
            }
            return;
        }
        let key = FlowKey { local: flow.source, remote: flow.destination };
        let Some(place) = self.flows.get(&key).copied() else { return };
        let flow = self.places[place as usize].flow.as_mut().expect("the index names places with a flow");
        if (kind, code) == (3, 4) {
            // Linux `min_pmtu`: no lower, however small a value is claimed.
            let mtu = mtu.max(552);
            if mtu < flow.mtu {
                flow.mtu = mtu;
                self.drain(place, cx);
            }
            return;
        }
        if flow.state() != State::SynSent {
            return;
        }
        let Some(error) = SocketError::of_icmp(kind, code) else { return };
        flow.error = Some(error);
        flow.last = (cx.cause, cx.packet);
        self.tell(place);
        self.finish_flow(place, cx);
    }

    /// Only a connected UDP socket hears of errors.
    fn datagram_error(&mut self, flow: FlowOnWire, error: Option<SocketError>, cx: &Cx) {
        let is_its =
            |udp: &&mut super::datagram::Udp| udp.local.port == flow.source.port && udp.peer == Some(flow.destination);
        let (Some(udp), Some(_)) = (self.udp.iter_mut().find(is_its), error) else { return };
        udp.error = error;
        let (owner, socket) = (udp.owner, udp.id);
        self.events.push(Event { owner, socket, cause: cx.cause, packet: cx.packet });
    }
}
