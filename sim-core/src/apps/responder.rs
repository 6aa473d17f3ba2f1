//! A TCP server that answers every request of a given length with the same octets, then closes: the other end of
//! [`super::load`], without a protocol that would have to be parsed.

use crate::base::map::Lookup;
use crate::kernel::process::{Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Read, Sys};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// The process.
#[derive(Debug)]
pub struct Responder {
    port: u16,
    request: usize,
    answer: Rc<[u8]>,
    listener: Option<SocketId>,
    clients: Lookup<SocketId, Client>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Client {
    received: usize,
    sent: usize,
}

const BACKLOG: u32 = 4_096;
const READ_MAX: usize = 65_536;

impl Responder {
    /// A server at this port of every address: after `request` octets it sends `answer`.
    pub fn new(port: u16, request: usize, answer: Rc<[u8]>) -> Self {
        Responder { port, request, answer, listener: None, clients: Lookup::default() }
    }

    fn attend(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(client) = self.clients.get_mut(&socket) else { return };
        let ended = loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(bytes) => client.received += bytes.len(),
                Read::Wait => break false,
                Read::End | Read::Failed(_) => break true,
            }
        };
        if client.received >= self.request {
            while client.sent < self.answer.len() {
                match sys.send(socket, &self.answer[client.sent..]) {
                    Ok(0) => return,
                    Ok(count) => client.sent += count,
                    Err(_) => break,
                }
            }
        } else if !ended {
            return;
        }
        self.clients.remove(&socket);
        sys.close(socket);
    }
}

impl Process for Responder {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let listener = match self.listener {
            Some(listener) => listener,
            None => {
                let local = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: self.port };
                let Ok(listener) = sys.listen(local, BACKLOG) else { return Next::Exit(1) };
                *self.listener.insert(listener)
            }
        };
        while let Some(socket) = sys.next_ready() {
            if socket != listener {
                self.attend(socket, sys);
                continue;
            }
            while let Some((socket, _)) = sys.accept(listener) {
                self.clients.insert(socket, Client::default());
                self.attend(socket, sys);
            }
        }
        Next::Wait(Wait { until: None, any: vec![On::AnySocket] })
    }
}
