//! The small programs of a replay: a datagram socket that sends at given times, and the senders of ready-made packets
//! and frames (segments of TCP endpoints as recorded, frames made by hand).

use super::endpoints::{Client, Web};
use sim_core::base::id::PortId;
use sim_core::base::time::Instant;
use sim_core::kernel::path;
use sim_core::kernel::process::{Next, Process, SocketId};
use sim_core::kernel::syscall::{RawPayload, SocketError, Sys};
use sim_core::trace::record::LinkKind;
use sim_core::wire::Mac;
use sim_core::wire::echo;
use sim_core::wire::flow::SocketAddr;
use sim_core::wire::frame::Frame;
use sim_core::wire::packet::Packet;
use std::net::Ipv4Addr;

/// Octets of a packet in a tunnel over Ethernet.
const TUNNEL_MTU: u32 = 1480;

/// A program of a replay.
#[derive(Clone, Debug)]
pub enum Program {
    /// Sends an IPv4 packet as it is.
    Packet(Vec<u8>),
    /// Puts an Ethernet frame on the wire.
    Frame(PortId, Vec<u8>),
    /// Holds a datagram socket.
    Datagrams(Datagrams),
    /// Writes a file.
    File(String, Vec<u8>),
    /// A web server that is opened and closed.
    Web(Web),
    /// A client with connections that live long.
    Client(Client),
    /// Sends echo requests.
    Echoes(Echoes),
    /// Loads the kernel's module `ipip`, as if it had been there from the beginning.
    Tunnel,
}

/// A datagram socket: bound, used at given times, closed.
#[derive(Clone, Debug)]
pub struct Datagrams {
    local: SocketAddr,
    peer: Option<SocketAddr>,
    sends: Vec<Datagram>,
    until: Instant,
    next: usize,
    socket: Option<SocketId>,
}

/// Echo requests at given times, as the recordings' `pinger.py` sends them. Who looks at the answers is the trace.
#[derive(Clone, Debug)]
pub struct Echoes {
    target: Ipv4Addr,
    sends: Vec<(Instant, u16)>,
    next: usize,
    socket: Option<SocketId>,
}

impl Echoes {
    /// Requests to `target`, each at its time with its number.
    pub fn new(target: Ipv4Addr, sends: Vec<(Instant, u16)>) -> Self {
        Echoes { target, sends, next: 0, socket: None }
    }

    fn wake(&mut self, sys: &mut Sys) -> Next {
        const ICMP: u8 = 1;
        const IDENTIFIER: u16 = 4711;
        let socket = *self.socket.get_or_insert_with(|| sys.raw(ICMP));
        while sys.raw_recv(socket).is_some() {}
        while let Some((_, number)) = self.sends.get(self.next).filter(|(at, _)| *at <= sys.now()) {
            let data = &echo::request(IDENTIFIER, *number, &[0; 16]);
            let payload = RawPayload { source: None, to: self.target, ttl: Some(64), stays_whole: false, data };
            // What is refused is lost, as it was there.
            let _lost = sys.raw_send(socket, &payload);
            self.next += 1;
        }
        match self.sends.get(self.next) {
            Some((at, _)) => Next::until(*at),
            None => Next::Exit(0),
        }
    }
}

/// A datagram to be sent.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// When.
    pub at: Instant,
    /// From; used where the packet is made by hand.
    pub from: SocketAddr,
    /// To.
    pub to: SocketAddr,
    /// What.
    pub payload: Vec<u8>,
    /// IP_MTU_DISCOVER, if the program set it: 0 never sets DF, 2 always does.
    pub mtu_discover: Option<u8>,
}

impl Datagrams {
    /// A socket bound to `local` until `until`, and connected to `peer` if there is one.
    pub fn new(local: SocketAddr, peer: Option<SocketAddr>, sends: Vec<Datagram>, until: Instant) -> Self {
        Datagrams { local, peer, sends, until, next: 0, socket: None }
    }

    fn wake(&mut self, sys: &mut Sys) -> Next {
        let socket = match self.socket {
            Some(socket) => socket,
            None => match open(self.local, self.peer, sys) {
                Ok(socket) => *self.socket.insert(socket),
                Err(_) => return Next::Exit(1),
            },
        };
        while sys.recv_from(socket).is_some() {}
        while let Some(datagram) = self.sends.get(self.next).filter(|datagram| datagram.at <= sys.now()) {
            self.next += 1;
            match datagram.mtu_discover {
                // What a program is refused (too long, no route) it does not send: nothing to do.
                None => drop(sys.send_to(socket, datagram.to, &datagram.payload)),
                Some(discover) => send_packet(&datagram.packet(discover == 2), sys),
            }
        }
        match self.sends.get(self.next) {
            Some(datagram) => Next::until(datagram.at),
            None if sys.now() < self.until => Next::until(self.until),
            None => {
                sys.close(socket);
                Next::Exit(0)
            }
        }
    }
}

impl Datagram {
    /// The packet, with DF or without.
    fn packet(&self, df: bool) -> Vec<u8> {
        const UDP: u8 = 17;
        let length = (8 + self.payload.len()) as u16;
        let mut udp = [self.from.port.to_be_bytes(), self.to.port.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
        udp.extend_from_slice(&self.payload);
        let ends = [self.from.address.octets(), self.to.address.octets()].concat();
        let pseudo = [&ends[..], &[0, UDP], &length.to_be_bytes(), &udp].concat();
        udp[6..8].copy_from_slice(&super::station::checksum(&pseudo).to_be_bytes());
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, if df { 0x40 } else { 0 }, 0, 64, UDP, 0, 0];
        ip[2..4].copy_from_slice(&(20 + length).to_be_bytes());
        // Drawn by Linux; any number but 0 will do, and fragments of one packet share it.
        ip[4..6].copy_from_slice(&(0x8000 | self.from.port.rotate_left(3)).to_be_bytes());
        ip.extend_from_slice(&ends);
        let header_checksum = super::station::checksum(&ip);
        ip[10..12].copy_from_slice(&header_checksum.to_be_bytes());
        ip.extend_from_slice(&udp);
        ip
    }
}

impl Process for Program {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        match self {
            Program::Packet(bytes) => {
                send_packet(bytes, sys);
                Next::Exit(0)
            }
            Program::Frame(port, bytes) => {
                sys.out.send(*port, Frame::from_bytes(bytes, sys.cx.packet));
                Next::Exit(0)
            }
            Program::Datagrams(datagrams) => datagrams.wake(sys),
            Program::File(path, content) => {
                let made = sys.kernel.files.place(path, content, 0o644);
                Next::Exit(i32::from(made.is_err()))
            }
            Program::Web(web) => web.wake(sys),
            Program::Client(client) => client.wake(sys),
            Program::Echoes(echoes) => echoes.wake(sys),
            Program::Tunnel => {
                let made = sys.kernel.tables.add_interface("tunl0", LinkKind::Ipip, Mac([0; 6]), TUNNEL_MTU, sys.cx);
                Next::Exit(i32::from(made.is_err()))
            }
        }
    }
}

fn open(local: SocketAddr, peer: Option<SocketAddr>, sys: &mut Sys) -> Result<SocketId, SocketError> {
    let socket = sys.udp(local)?;
    if let Some(peer) = peer {
        sys.connect_datagrams(socket, peer)?;
    }
    Ok(socket)
}

fn send_packet(bytes: &[u8], sys: &mut Sys) {
    let mut buffer = sys.cx.new_buffer(bytes.len());
    buffer.bytes_mut().copy_from_slice(bytes);
    path::send(sys.kernel, Packet::new(buffer), sys.out, sys.cx);
}
