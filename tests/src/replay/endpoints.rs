//! The programs at both ends of a connection in recordings of keepalived: a small web server that is opened and closed
//! by a script, and a client whose connections live long.

use sim_core::base::time::{Duration, Instant};
use sim_core::kernel::process::{Next, On, Process, SocketId, Wait};
use sim_core::kernel::syscall::{Read, Sys, TcpState};
use sim_core::wire::flow::SocketAddr;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What the log of a host calls these programs.
pub const WEB: &str = "web";
/// The client.
pub const CLIENT: &str = "client";

/// A web server that answers every request with the same page. Closing its port leaves its connections open.
#[derive(Clone, Debug)]
pub struct Web {
    script: Vec<(Instant, WebDeed)>,
    next: usize,
    status: u16,
    listener: Option<SocketId>,
    clients: BTreeMap<SocketId, Vec<u8>>,
}

/// What happens to a web server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebDeed {
    /// It listens.
    Up,
    /// It stops listening.
    Down,
    /// It answers with this status from now on.
    Answers(u16),
}

/// A client with many connections.
#[derive(Clone, Debug)]
pub struct Client {
    script: Vec<(Instant, ClientDeed)>,
    next: usize,
    open: BTreeMap<u16, SocketId>,
    waiting: BTreeMap<u16, Waiting>,
}

/// What a client does with the connection of a local port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientDeed {
    /// Opens it.
    Open(SocketAddr, SocketAddr),
    /// Sends a request, and waits for the answer a while.
    Ask(u16),
    /// Closes it.
    Close(u16),
}

/// Until when a client waits, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Connection(Instant),
    Answer(Instant),
}

const HTTP: u16 = 80;
const PATIENCE: Duration = Duration::from_millis(300);

impl Web {
    /// A server with this script, in order of time.
    pub fn new(script: Vec<(Instant, WebDeed)>) -> Self {
        Web { script, next: 0, status: 200, listener: None, clients: BTreeMap::new() }
    }

    fn attend(&mut self, socket: SocketId, sys: &mut Sys) {
        let Some(heard) = self.clients.get_mut(&socket) else { return };
        let mut is_over = false;
        loop {
            match sys.recv(socket, 4096) {
                Read::Data(bytes) => heard.extend(bytes),
                Read::Wait => break,
                Read::End | Read::Failed(_) => {
                    is_over = true;
                    break;
                }
            }
        }
        if heard.windows(4).any(|octets| octets == b"\r\n\r\n") {
            let page = "hello from x\n";
            let head = format!("HTTP/1.0 {} X\r\nContent-Length: {}\r\nConnection: close", self.status, page.len());
            // A client that is gone does not read it.
            let _unread = sys.send(socket, format!("{head}\r\n\r\n{page}").as_bytes());
            is_over = true;
        }
        if is_over {
            self.clients.remove(&socket);
            sys.close(socket);
        }
    }
}

impl Process for Web {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        while let Some((_, deed)) = self.script.get(self.next).filter(|(at, _)| *at <= sys.now()) {
            self.next += 1;
            match *deed {
                WebDeed::Up => {
                    let any = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: HTTP };
                    self.listener = sys.listen(any, 512).ok();
                }
                WebDeed::Down => {
                    if let Some(listener) = self.listener.take() {
                        sys.close(listener);
                    }
                }
                WebDeed::Answers(status) => self.status = status,
            }
        }
        while let Some(socket) = sys.next_ready() {
            if Some(socket) != self.listener {
                self.attend(socket, sys);
                continue;
            }
            while let Some((socket, client)) = sys.accept(socket) {
                sys.log(WEB, &format!("accept {client}"));
                self.clients.insert(socket, Vec::new());
                self.attend(socket, sys);
            }
        }
        Next::Wait(Wait { until: self.script.get(self.next).map(|(at, _)| *at), any: vec![On::AnySocket] })
    }
}

impl Client {
    /// A client with this script, in order of time.
    pub fn new(script: Vec<(Instant, ClientDeed)>) -> Self {
        Client { script, next: 0, open: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    fn carry_out(&mut self, deed: ClientDeed, sys: &mut Sys) {
        match deed {
            ClientDeed::Open(local, remote) => match sys.connect(Some(local), remote) {
                Ok(socket) => {
                    self.open.insert(local.port, socket);
                    self.waiting.insert(local.port, Waiting::Connection(sys.now() + PATIENCE));
                }
                Err(error) => sys.log(CLIENT, &format!("connect {} {error}", local.port)),
            },
            ClientDeed::Ask(port) => {
                let Some(socket) = self.open.get(&port).copied() else { return };
                // What cannot be sent is not answered either.
                let _unsent = sys.send(socket, b"GET / HTTP/1.0\r\n\r\n");
                self.waiting.insert(port, Waiting::Answer(sys.now() + PATIENCE));
            }
            ClientDeed::Close(port) => {
                if let Some(socket) = self.open.remove(&port) {
                    sys.close(socket);
                }
            }
        }
    }

    fn look(&mut self, sys: &mut Sys) {
        for (port, waiting) in self.waiting.clone() {
            let Some(socket) = self.open.get(&port).copied() else {
                self.waiting.remove(&port);
                continue;
            };
            let text = match waiting {
                Waiting::Connection(until) => match sys.tcp_state(socket) {
                    TcpState::Connected => format!("connect {port} ok"),
                    TcpState::Failed(_) => format!("connect {port} refused"),
                    TcpState::Connecting | TcpState::Closed if sys.now() < until => continue,
                    TcpState::Connecting | TcpState::Closed => format!("connect {port} timeout"),
                },
                Waiting::Answer(until) => match sys.recv(socket, 1000) {
                    Read::Data(bytes) => format!("talk {port} {} bytes", bytes.len()),
                    Read::Wait if sys.now() < until => continue,
                    Read::Wait => format!("talk {port} timed out"),
                    Read::End | Read::Failed(_) => format!("talk {port} reset"),
                },
            };
            sys.log(CLIENT, &text);
            self.waiting.remove(&port);
            if matches!(waiting, Waiting::Answer(_)) || !text.ends_with("ok") {
                self.open.remove(&port);
                sys.close(socket);
            }
        }
    }
}

impl Process for Client {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        while sys.next_ready().is_some() {}
        while let Some((_, deed)) = self.script.get(self.next).filter(|(at, _)| *at <= sys.now()).copied() {
            self.next += 1;
            self.carry_out(deed, sys);
        }
        self.look(sys);
        let script = self.script.get(self.next).map(|(at, _)| *at);
        let patience = self.waiting.values().map(|waiting| match waiting {
            Waiting::Connection(until) | Waiting::Answer(until) => *until,
        });
        let until = script.into_iter().chain(patience).min();
        Next::Wait(Wait { until, any: vec![On::AnySocket] })
    }
}
