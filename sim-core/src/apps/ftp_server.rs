//! `vsftpd`: an FTP server for anonymous clients, over the host's own files.
//!
//! ```text
//!   control:  USER ─► PASS ─► (commands, one after another) ─► QUIT
//!   data:     PASV, EPSV ─► listens ─┐                       ┌─► sends a list or a file ─┐
//!             PORT, EPRT ─► connects ┴─► LIST, NLST, RETR, STOR ─► receives a file ──────┴─► 226
//! ```
//! One process with many sockets. A client's next command waits until its transfer is over. Texts are vsftpd's.
//!
//! # Not modelled
//! Local users (no user of a host has a password: their login is incorrect), TLS, ASCII translation, the delay after a
//! failed login, transfer logs, a process per session.

pub mod config;
mod listing;
mod session;

use crate::base::time::Instant;
use crate::kernel::process::{Fd, Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;
use config::Config;
pub(super) use session::six_numbers;
use session::{Session, Turn};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// The process.
#[derive(Debug, Default)]
pub struct FtpServer {
    /// The file that was given by name; none: where the package puts it.
    file: Option<String>,
    serving: Option<Serving>,
}

#[derive(Debug)]
struct Serving {
    config: Config,
    listener: SocketId,
    sessions: BTreeMap<u32, Session>,
    /// Whose a socket is.
    owners: BTreeMap<SocketId, u32>,
    /// When sessions are to be looked at, at the latest; entries may be too early.
    due: BinaryHeap<Reverse<(Instant, u32)>>,
    next: u32,
}

const BACKLOG: u32 = 32;
const PROGRAM: &str = "vsftpd";

impl FtpServer {
    /// A server that reads this file, or the package's.
    pub fn new(file: Option<String>) -> Self {
        FtpServer { file, serving: None }
    }

    fn start(&self, sys: &mut Sys) -> Result<Serving, String> {
        let path = self.file.clone().unwrap_or_else(|| config::path(sys.kernel.os).into());
        let text = match (sys.read_file(&path), &self.file) {
            (Ok(text), _) => text,
            (Err(_), None) => config::packaged(sys.kernel.os).into(),
            (Err(_), Some(_)) => return Err(format!("500 OOPS: vsftpd: cannot read config file: {path}")),
        };
        let config = Config::read(&String::from_utf8_lossy(&text))?;
        let local = SocketAddr { address: config.address, port: config.port };
        let listener =
            sys.listen(local, BACKLOG).map_err(|_| "500 OOPS: could not bind listening IPv4 socket".to_owned())?;
        let (sessions, owners) = (BTreeMap::new(), BTreeMap::new());
        Ok(Serving { config, listener, sessions, owners, due: BinaryHeap::new(), next: 0 })
    }
}

impl Serving {
    fn serve(&mut self, sys: &mut Sys) -> Next {
        while let Some(socket) = sys.next_ready() {
            if socket != self.listener {
                if let Some(id) = self.owners.get(&socket).copied() {
                    self.attend(id, sys);
                }
                continue;
            }
            while let Some((socket, peer)) = sys.accept(self.listener) {
                self.welcome(socket, peer, sys);
            }
        }
        while let Some(&Reverse((at, id))) = self.due.peek().filter(|due| due.0.0 <= sys.now()) {
            self.due.pop();
            if let Some(session) = self.sessions.get_mut(&id) {
                session.armed = None;
                if at <= sys.now() && session.deadline(&self.config) <= sys.now() {
                    session.time_is_up(sys);
                }
                self.attend(id, sys);
            }
        }
        Next::Wait(Wait { until: self.due.peek().map(|due| due.0.0), any: vec![On::AnySocket] })
    }

    fn welcome(&mut self, socket: SocketId, peer: SocketAddr, sys: &mut Sys) {
        let of_this = self.sessions.values().filter(|session| session.peer.address == peer.address).count();
        let (all_max, each_max) = (self.config.clients_max, self.config.per_address_max);
        let refusal = if all_max > 0 && self.sessions.len() >= all_max {
            Some("421 There are too many connected users, please try later.")
        } else if each_max > 0 && of_this >= each_max {
            Some("421 There are too many connections from your internet address.")
        } else {
            None
        };
        let Some(local) = sys.ends(socket).map(|(local, _)| local) else { return sys.close(socket) };
        let id = self.next;
        self.next += 1;
        self.owners.insert(socket, id);
        self.sessions.insert(id, Session::new(socket, peer, local, refusal, &self.config, sys));
        self.attend(id, sys);
    }

    /// Lets a session go on, and notes the sockets and the deadline it then has.
    fn attend(&mut self, id: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let turn = session.go_on(&self.config, sys);
        for socket in session.closed.drain(..) {
            self.owners.remove(&socket);
        }
        for socket in session.opened.drain(..) {
            self.owners.insert(socket, id);
        }
        if turn == Turn::Over {
            self.sessions.remove(&id);
            return;
        }
        let deadline = session.deadline(&self.config);
        if session.armed.is_none_or(|armed| deadline < armed) {
            session.armed = Some(deadline);
            self.due.push(Reverse((deadline, id)));
        }
    }
}

impl Process for FtpServer {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        if let Some(serving) = &mut self.serving {
            return serving.serve(sys);
        }
        match self.start(sys) {
            Ok(serving) => self.serving.insert(serving).serve(sys),
            Err(problem) => {
                sys.log(PROGRAM, &problem);
                // A daemon's standard error leads nowhere; that of a command typed by hand does not.
                let _unread = sys.write(Fd::STDERR, format!("{problem}\n").as_bytes());
                Next::Exit(2)
            }
        }
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            // The file is read again; sessions go on. One that cannot be read leaves the old settings.
            Signal::Hup => {
                let path = self.file.clone().unwrap_or_else(|| config::path(sys.kernel.os).into());
                let text = sys.read_file(&path).unwrap_or_default();
                match (Config::read(&String::from_utf8_lossy(&text)), &mut self.serving) {
                    (Ok(config), Some(serving)) => serving.config = config,
                    (Err(problem), _) => sys.log(PROGRAM, &problem),
                    (Ok(_), None) => {}
                }
                Some(self.wake(sys))
            }
            _ => None,
        }
    }
}
