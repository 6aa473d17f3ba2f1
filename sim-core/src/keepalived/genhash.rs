//! `genhash`: asks a web server for a page and prints the MD5 of its body, for the `digest` of an HTTP_GET.

use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Read, Sys, TcpState};
use crate::wire::flow::SocketAddr;
use md5::{Digest, Md5};
use std::fmt::Write;

/// The program.
#[derive(Debug)]
pub struct Genhash {
    server: SocketAddr,
    path: String,
    host: String,
    socket: Option<SocketId>,
    is_asked: bool,
    until: Instant,
    answer: Vec<u8>,
}

/// How long it waits.
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_MAX: usize = 1 << 20;
const READ_MAX: usize = 16_384;

impl Genhash {
    /// Asks `server` for `path`; `host` stands in the header.
    pub fn new(server: SocketAddr, path: &str, host: &str) -> Self {
        let (path, host) = (path.to_owned(), host.to_owned());
        Genhash { server, path, host, socket: None, is_asked: false, until: Instant::ZERO, answer: Vec::new() }
    }

    fn fail(&self, text: &str, sys: &mut Sys) -> Next {
        // Where messages go, nobody can be told that they do not arrive.
        let _ = sys.write(Fd::STDERR, format!("{text}\n").as_bytes());
        Next::Exit(1)
    }

    fn ask(&mut self, socket: SocketId, sys: &mut Sys) {
        if std::mem::replace(&mut self.is_asked, true) {
            return;
        }
        let text = format!(
            "GET {} HTTP/1.0\r\nUser-Agent: KeepAlive GenHash Client\r\nHost: {}\r\n\r\n",
            self.path, self.host
        );
        // A server that is gone is noticed when it does not answer.
        let _ = sys.send(socket, text.as_bytes());
    }

    fn finish(&self, sys: &mut Sys) -> Next {
        let body = self.answer.windows(4).position(|octets| octets == b"\r\n\r\n").map(|at| &self.answer[at + 4..]);
        let Some(body) = body else { return self.fail("no answer that is HTTP", sys) };
        let sum = Md5::digest(body).iter().fold(String::new(), |mut text, octet| {
            // Writing to a string does not fail.
            let _ = write!(text, "{octet:02x}");
            text
        });
        let _unread = sys.write(Fd::STDOUT, format!("MD5SUM = {sum}\n").as_bytes());
        Next::Exit(0)
    }
}

impl Process for Genhash {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let socket = match self.socket {
            Some(socket) => socket,
            None => match sys.connect(None, self.server) {
                Ok(socket) => {
                    self.until = sys.now() + PATIENCE;
                    *self.socket.insert(socket)
                }
                Err(error) => return self.fail(&format!("Error connecting server: {error}"), sys),
            },
        };
        match sys.tcp_state(socket) {
            TcpState::Failed(error) => return self.fail(&format!("Error connecting server: {error}"), sys),
            TcpState::Connected => self.ask(socket, sys),
            TcpState::Connecting | TcpState::Closed => {}
        }
        loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(bytes) if self.answer.len() < ANSWER_MAX => self.answer.extend(bytes),
                Read::Wait if sys.now() >= self.until => return self.fail("Timeout", sys),
                Read::Wait => return Next::Wait(Wait { until: Some(self.until), any: vec![On::Socket(socket)] }),
                Read::Data(_) | Read::End | Read::Failed(_) => return self.finish(sys),
            }
        }
    }
}
