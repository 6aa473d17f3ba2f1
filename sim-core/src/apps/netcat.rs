//! `nc`, OpenBSD's: standard input to a connection, what comes back to standard output.
//!
//! ```text
//!   ports ─► connecting ─► relay ─► exit          -z: connecting only, one port after another
//!   -l:      listening  ─► relay ─► exit (-k: listening again)
//! ```

use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Read, Sys, TcpState};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The other end; with [`Options::listens`] this one. Its ports are tried one after another.
    pub address: Ipv4Addr,
    /// The other end as typed.
    pub host: String,
    /// The ports, each with the name of its service (`http`, or `*`).
    pub ports: Vec<(u16, String)>,
    /// `-l`.
    pub listens: bool,
    /// `-k`.
    pub keeps_listening: bool,
    /// `-u`.
    pub udp: bool,
    /// `-z`: connects and nothing else.
    pub scans: bool,
    /// `-v`.
    pub verbose: bool,
    /// `-d`: standard input is not read.
    pub detached: bool,
    /// `-w`: for connecting, and for silence.
    pub timeout: Option<Duration>,
    /// `-q`: ends so long after the end of the input.
    pub quits_after: Option<Duration>,
    /// `-N`: FIN at the end of the input.
    pub shuts_down: bool,
    /// `-s`, `-p`.
    pub local: Option<SocketAddr>,
}

/// The process.
#[derive(Debug)]
pub struct Netcat {
    options: Options,
    next_port: usize,
    state: State,
    since: Instant,
    input_ended: Option<Instant>,
    to_send: Vec<u8>,
    to_show: Vec<u8>,
    peer: Option<SocketAddr>,
    connected: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Starting,
    Connecting(SocketId, u16),
    Listening(SocketId),
    Relay(SocketId),
    Datagrams(SocketId),
}

const READ_MAX: usize = 16_384;

/// Whether the process waits, or has ended.
enum Turn {
    On,
    Waits,
    Ends(i32),
}

impl Netcat {
    /// A netcat that begins when its process does.
    pub fn new(options: Options) -> Self {
        Netcat {
            options,
            next_port: 0,
            state: State::Starting,
            since: Instant::ZERO,
            input_ended: None,
            to_send: Vec::new(),
            to_show: Vec::new(),
            peer: None,
            connected: false,
        }
    }

    fn start(&mut self, sys: &mut Sys) -> Turn {
        let Some((port, _)) = self.options.ports.get(self.next_port).cloned() else {
            return Turn::Ends(i32::from(!self.connected));
        };
        self.since = sys.now();
        let remote = SocketAddr { address: self.options.address, port };
        let nowhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 };
        let opened = match (self.options.listens, self.options.udp) {
            (true, false) => sys.listen(remote, 1).map(State::Listening),
            (true, true) => sys.udp(remote).map(State::Datagrams),
            (false, false) => sys.connect(self.options.local, remote).map(|socket| State::Connecting(socket, port)),
            (false, true) => sys.udp(self.options.local.unwrap_or(nowhere)).and_then(|socket| {
                sys.connect_datagrams(socket, remote)?;
                self.peer = Some(remote);
                self.connected = true;
                self.tell_connected(port, "udp", sys);
                Ok(State::Datagrams(socket))
            }),
        };
        match opened {
            Ok(state) => {
                if self.options.listens && self.options.verbose {
                    let address = self.options.address;
                    tell(&format!("Listening on {address} {port}\n"), sys);
                }
                self.state = state;
                Turn::On
            }
            Err(error) if self.options.listens => {
                tell(&format!("nc: {error}\n"), sys);
                Turn::Ends(1)
            }
            Err(error) => self.failed(port, &error.to_string(), sys),
        }
    }

    fn failed(&mut self, port: u16, reason: &str, sys: &mut Sys) -> Turn {
        if self.options.verbose {
            let (host, kind) = (&self.options.host, if self.options.udp { "udp" } else { "tcp" });
            tell(&format!("nc: connect to {host} port {port} ({kind}) failed: {reason}\n"), sys);
        }
        self.next_port += 1;
        self.state = State::Starting;
        Turn::On
    }

    fn tell_connected(&self, port: u16, kind: &str, sys: &mut Sys) {
        if self.options.verbose {
            let name = self.options.ports.get(self.next_port).map_or("*", |(_, name)| name);
            let host = &self.options.host;
            tell(&format!("Connection to {host} {port} port [{kind}/{name}] succeeded!\n"), sys);
        }
    }

    fn connecting(&mut self, socket: SocketId, port: u16, sys: &mut Sys) -> Turn {
        match sys.tcp_state(socket) {
            TcpState::Connecting => {
                let late = self.options.timeout.is_some_and(|timeout| sys.now() >= self.since + timeout);
                if !late {
                    return Turn::Waits;
                }
                sys.reset(socket);
                self.failed(port, "Operation now in progress", sys)
            }
            TcpState::Connected => {
                self.connected = true;
                self.tell_connected(port, "tcp", sys);
                self.since = sys.now();
                if self.options.scans {
                    sys.close(socket);
                    self.next_port += 1;
                    self.state = State::Starting;
                } else {
                    self.state = State::Relay(socket);
                }
                Turn::On
            }
            TcpState::Failed(error) => {
                sys.close(socket);
                self.failed(port, &error.to_string(), sys)
            }
            TcpState::Closed => self.failed(port, "Connection reset by peer", sys),
        }
    }

    fn listening(&mut self, listener: SocketId, sys: &mut Sys) -> Turn {
        let Some((socket, peer)) = sys.accept(listener) else { return Turn::Waits };
        if self.options.verbose {
            let SocketAddr { address, port } = peer;
            tell(&format!("Connection received on {address} {port}\n"), sys);
        }
        sys.close(listener);
        self.connected = true;
        self.since = sys.now();
        self.state = State::Relay(socket);
        Turn::On
    }

    /// Reads what standard input has; false if it waits for more.
    fn read_input(&mut self, sys: &mut Sys) {
        while self.input_ended.is_none() && self.to_send.len() < READ_MAX {
            match sys.read(Fd::STDIN, READ_MAX) {
                _ if self.options.detached => self.input_ended = Some(sys.now()),
                Read::Data(octets) => self.to_send.extend(octets),
                Read::Wait => return,
                Read::End | Read::Failed(_) => self.input_ended = Some(sys.now()),
            }
        }
    }

    fn relay(&mut self, socket: SocketId, sys: &mut Sys) -> Turn {
        let had_ended = self.input_ended.is_some();
        self.read_input(sys);
        while !self.to_send.is_empty() {
            match sys.send(socket, &self.to_send) {
                Ok(0) => break,
                Ok(count) => {
                    self.to_send.drain(..count);
                    self.since = sys.now();
                    self.read_input(sys);
                }
                Err(_) => return self.over(socket, sys),
            }
        }
        if !had_ended && self.input_ended.is_some() && self.to_send.is_empty() && self.options.shuts_down {
            sys.shutdown(socket);
        }
        while self.to_show.len() < READ_MAX {
            match sys.recv(socket, READ_MAX) {
                Read::Data(octets) => {
                    self.to_show.extend(octets);
                    self.since = sys.now();
                }
                Read::Wait => break,
                Read::End | Read::Failed(_) if self.to_show.is_empty() => return self.over(socket, sys),
                Read::End | Read::Failed(_) => return Turn::On,
            }
        }
        self.wait_or_end(socket, sys)
    }

    fn datagrams(&mut self, socket: SocketId, sys: &mut Sys) -> Turn {
        self.read_input(sys);
        if let (Some(peer), false) = (self.peer, self.to_send.is_empty()) {
            let octets = std::mem::take(&mut self.to_send);
            self.since = sys.now();
            if sys.send_to(socket, peer, &octets).is_err() {
                return Turn::Ends(1);
            }
        }
        while self.to_show.len() < READ_MAX
            && let Some((octets, peer)) = sys.recv_from(socket)
        {
            self.to_show.extend(octets);
            self.peer.get_or_insert(peer);
            self.since = sys.now();
        }
        if self.options.scans {
            return Turn::Ends(0);
        }
        self.wait_or_end(socket, sys)
    }

    fn wait_or_end(&mut self, socket: SocketId, sys: &mut Sys) -> Turn {
        if !self.to_show.is_empty() {
            return Turn::On;
        }
        if self.until().is_some_and(|until| until <= sys.now()) {
            return self.over(socket, sys);
        }
        Turn::Waits
    }

    /// When silence or the end of the input ends it.
    fn until(&self) -> Option<Instant> {
        let silent = self.options.timeout.map(|timeout| self.since + timeout);
        let quits = self.input_ended.zip(self.options.quits_after).map(|(ended, after)| ended + after);
        [silent, quits.filter(|_| self.to_send.is_empty())].into_iter().flatten().min()
    }

    fn over(&mut self, socket: SocketId, sys: &mut Sys) -> Turn {
        sys.close(socket);
        if self.options.listens && self.options.keeps_listening && !self.options.udp {
            self.state = State::Starting;
            return Turn::On;
        }
        Turn::Ends(0)
    }

    fn waits_for(&self) -> Wait {
        let mut any = match self.state {
            State::Starting => Vec::new(),
            State::Connecting(socket, _) | State::Listening(socket) => vec![On::Socket(socket)],
            State::Relay(socket) | State::Datagrams(socket) => vec![On::Socket(socket)],
        };
        let relays = matches!(self.state, State::Relay(_) | State::Datagrams(_));
        if relays && self.input_ended.is_none() && self.to_send.is_empty() {
            any.push(On::Readable(Fd::STDIN));
        }
        let until = match self.state {
            State::Connecting(..) => self.options.timeout.map(|timeout| self.since + timeout),
            State::Relay(_) | State::Datagrams(_) => self.until(),
            State::Starting | State::Listening(_) => None,
        };
        Wait { until, any }
    }
}

impl Process for Netcat {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        loop {
            while !self.to_show.is_empty() {
                match sys.write(Fd::STDOUT, &self.to_show) {
                    Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                    Ok(count) => drop(self.to_show.drain(..count)),
                    Err(_) => return Next::Exit(141),
                }
            }
            let turn = match self.state {
                State::Starting => self.start(sys),
                State::Connecting(socket, port) => self.connecting(socket, port, sys),
                State::Listening(listener) => self.listening(listener, sys),
                State::Relay(socket) => self.relay(socket, sys),
                State::Datagrams(socket) => self.datagrams(socket, sys),
            };
            match turn {
                Turn::On => {}
                Turn::Waits => return Next::Wait(self.waits_for()),
                Turn::Ends(code) => return Next::Exit(code),
            }
        }
    }
}

fn tell(text: &str, sys: &mut Sys) {
    // Nobody reads it: then nobody misses it.
    let _unread = sys.write(Fd::STDERR, text.as_bytes());
}
