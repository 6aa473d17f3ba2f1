//! A transfer of one session: its data connection, and the octets that go by it.

use super::{Data, Session};
use crate::apps::ftp_server::config::Config;
use crate::apps::ftp_server::listing;
use crate::base::time::Instant;
use crate::kernel::Os;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Open, Read, Sys, TcpState};
use crate::wire::flow::SocketAddr;

#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) what: What,
    pub(super) stage: Stage,
    pub(super) since: Instant,
}

#[derive(Debug)]
pub(super) enum What {
    List(Vec<u8>),
    Send { name: String, content: Vec<u8> },
    Receive { path: String, content: Vec<u8>, append: bool },
}

#[derive(Debug)]
pub(super) enum Stage {
    Accepting(SocketId),
    Connecting(SocketId),
    Moving { socket: SocketId, moved: usize },
}

/// What came of a step of a transfer.
pub(super) enum Step {
    Waits,
    On,
}

const READ_MAX: usize = 65_536;
const UPLOAD_MAX: usize = 16 << 20;

impl Session {
    pub(super) fn list(&mut self, long: bool, argument: &str, config: &Config, sys: &mut Sys) {
        if !config.list {
            return self.say("550 Permission denied.");
        }
        let (options, path) = match argument.strip_prefix('-') {
            Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
            None => ("", argument),
        };
        let path = self.path(path, config, sys);
        let (long, hidden) = (long || options.contains('l'), options.contains('a'));
        let text = listing::of(&sys.kernel.files, &path, long, hidden, sys.now());
        self.begin(What::List(text.into_bytes()), config, sys);
    }

    pub(super) fn retrieve(&mut self, name: &str, config: &Config, sys: &mut Sys) {
        let restart = std::mem::take(&mut self.restart);
        if !config.download {
            return self.say("550 Permission denied.");
        }
        match self.file(name, config, sys) {
            Ok(content) => {
                let content = content.get(restart..).unwrap_or_default().to_vec();
                self.begin(What::Send { name: name.to_owned(), content }, config, sys);
            }
            Err(_) => self.say("550 Failed to open file."),
        }
    }

    pub(super) fn store(&mut self, name: &str, append: bool, config: &Config, sys: &mut Sys) {
        let path = self.path(name, config, sys);
        let there = sys.kernel.files.stat(&path).is_ok();
        if !config.write || !config.upload || (there && !config.other_writes) {
            let refusal =
                if config.write && config.upload { "553 Could not create file." } else { "550 Permission denied." };
            return self.say(refusal);
        }
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        if sys.kernel.files.stat(folder).is_err() {
            return self.say("553 Could not create file.");
        }
        self.begin(What::Receive { path, content: Vec::new(), append }, config, sys);
    }

    fn begin(&mut self, what: What, config: &Config, sys: &mut Sys) {
        let stage = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => return self.say("425 Use PORT or PASV first."),
            Data::Passive(listener) => Stage::Accepting(listener),
            Data::Active(to) => {
                let port = if config.from_port_20 { config.data_port } else { 0 };
                match sys.connect(Some(SocketAddr { port, ..self.local }), to) {
                    Ok(socket) => {
                        self.opened.push(socket);
                        Stage::Connecting(socket)
                    }
                    Err(_) => return self.say("425 Failed to establish connection."),
                }
            }
        };
        self.transfer = Some(Transfer { what, stage, since: sys.now() });
    }

    /// One step of the transfer.
    pub(super) fn advance(&mut self, config: &Config, sys: &mut Sys) -> Step {
        let Some(mut transfer) = self.transfer.take() else { return Step::On };
        match transfer.stage {
            Stage::Accepting(listener) => {
                let Some((socket, peer)) = sys.accept(listener) else {
                    self.transfer = Some(transfer);
                    return Step::Waits;
                };
                self.close(listener, sys);
                if peer.address != self.peer.address && !config.passive_promiscuous {
                    sys.close(socket);
                    self.say("425 Security: Bad IP connecting.");
                    return Step::On;
                }
                self.opened.push(socket);
                transfer.stage = Stage::Moving { socket, moved: 0 };
                self.announce(&transfer.what);
            }
            Stage::Connecting(socket) => match sys.tcp_state(socket) {
                TcpState::Connecting => {
                    self.transfer = Some(transfer);
                    return Step::Waits;
                }
                TcpState::Connected => {
                    transfer.stage = Stage::Moving { socket, moved: 0 };
                    self.announce(&transfer.what);
                }
                TcpState::Failed(_) | TcpState::Closed => {
                    self.close(socket, sys);
                    self.say("425 Failed to establish connection.");
                    return Step::On;
                }
            },
            Stage::Moving { socket, ref mut moved } => {
                let before = *moved;
                let done = move_octets(&mut transfer.what, socket, moved, sys);
                if *moved > before {
                    self.last_used = sys.now();
                }
                match done {
                    None => {
                        self.transfer = Some(transfer);
                        return Step::Waits;
                    }
                    Some(done) => {
                        self.close(socket, sys);
                        self.last_used = sys.now();
                        self.finish(transfer.what, done, sys);
                        return Step::On;
                    }
                }
            }
        }
        self.transfer = Some(transfer);
        self.last_used = sys.now();
        Step::On
    }

    fn announce(&mut self, what: &What) {
        match what {
            What::List(_) => self.say("150 Here comes the directory listing."),
            What::Send { name, content } => {
                let octets = content.len();
                self.say(&format!("150 Opening BINARY mode data connection for {name} ({octets} bytes)."));
            }
            What::Receive { .. } => self.say("150 Ok to send data."),
        }
    }

    fn finish(&mut self, what: What, done: Result<(), &'static str>, sys: &mut Sys) {
        let old = sys.kernel.os == Os::CentOs4;
        let text = match (done, what) {
            (Err(problem), _) => problem,
            (Ok(()), What::List(_)) => "226 Directory send OK.",
            (Ok(()), What::Send { .. }) if old => "226 File send OK.",
            (Ok(()), What::Receive { path, content, append }) => {
                let how = if append { Open::Append } else { Open::Truncate };
                let written = sys.open(&path, how).map(|fd| {
                    let written = sys.write(fd, &content).is_ok();
                    sys.close_fd(fd);
                    written
                });
                match written {
                    Ok(true) if old => "226 File receive OK.",
                    Ok(true) => "226 Transfer complete.",
                    Ok(false) | Err(_) => "451 Failure writing to local file.",
                }
            }
            (Ok(()), What::Send { .. }) => "226 Transfer complete.",
        };
        self.say(text);
    }
}

/// Sends or receives as much as goes without waiting; none if there is more to come.
fn move_octets(
    what: &mut What,
    socket: SocketId,
    moved: &mut usize,
    sys: &mut Sys,
) -> Option<Result<(), &'static str>> {
    match what {
        What::List(content) | What::Send { content, .. } => {
            while *moved < content.len() {
                match sys.send(socket, &content[*moved..]) {
                    Ok(0) => return None,
                    Ok(count) => *moved += count,
                    Err(_) => return Some(Err("426 Failure writing network stream.")),
                }
            }
            Some(Ok(()))
        }
        What::Receive { content, .. } => loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(octets) => {
                    *moved += octets.len();
                    content.extend_from_slice(&octets);
                    if content.len() > UPLOAD_MAX {
                        return Some(Err("451 Failure writing to local file."));
                    }
                }
                Read::Wait => return None,
                Read::End => return Some(Ok(())),
                Read::Failed(_) => return Some(Err("426 Failure reading network stream.")),
            }
        },
    }
}
