//! The system calls: the only door through which a process reaches its kernel. None re-enters a process: what is
//! spawned or killed runs in its own turn.

use super::Kernel;
use super::process::{Env, ExecError, Fd, Process, Signal, SocketId};
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::wire::flow::SocketAddr;
use crate::world::node::{Cx, Outbox};
use std::net::Ipv4Addr;

/// What a process may do.
pub struct Sys<'a, 'cx> {
    /// The host's kernel: tables, IPVS, files are its fields, and commands use their methods.
    pub kernel: &'a mut Kernel,
    /// Where frames leave; only handed on.
    pub out: &'a mut Outbox,
    /// The time, chance and the pen.
    pub cx: &'a mut Cx<'cx>,
    /// The process.
    pub pid: Pid,
}

/// What a read returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Some octets.
    Data(Vec<u8>),
    /// Nothing yet.
    Wait,
    /// Nothing will come: the other end closed.
    End,
    /// The connection was reset, or never came about.
    Failed(SocketError),
}

/// What went wrong with a socket, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    /// ECONNREFUSED.
    #[error("Connection refused")]
    Refused,
    /// ECONNRESET.
    #[error("Connection reset by peer")]
    Reset,
    /// ETIMEDOUT.
    #[error("Connection timed out")]
    TimedOut,
    /// EHOSTUNREACH.
    #[error("No route to host")]
    HostUnreachable,
    /// ENETUNREACH.
    #[error("Network is unreachable")]
    NetUnreachable,
    /// EADDRINUSE.
    #[error("Address already in use")]
    AddressInUse,
    /// EADDRNOTAVAIL: the address is not this host's, or no port is left.
    #[error("Cannot assign requested address")]
    AddressNotAvailable,
    /// EPIPE.
    #[error("Broken pipe")]
    BrokenPipe,
    /// EMSGSIZE.
    #[error("Message too long")]
    MessageTooLong,
    /// EPERM: a filter refused it.
    #[error("Operation not permitted")]
    NotPermitted,
}

/// How far a TCP socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpState {
    /// SYN sent.
    Connecting,
    /// Data can flow.
    Connected,
    /// It failed.
    Failed(SocketError),
    /// It is over.
    Closed,
}

/// Where a child's descriptors 0, 1 and 2 lead: descriptors of the parent, handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stdio {
    /// Standard input.
    pub stdin: Fd,
    /// Standard output.
    pub stdout: Fd,
    /// Standard error.
    pub stderr: Fd,
}

impl Default for Stdio {
    fn default() -> Self {
        Stdio { stdin: Fd::STDIN, stdout: Fd::STDOUT, stderr: Fd::STDERR }
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// `<`
    Read,
    /// `>`
    Truncate,
    /// `>>`
    Append,
}

impl Sys<'_, '_> {
    /// The time.
    pub fn now(&self) -> Instant {
        self.cx.now
    }

    // ── descriptors, pipes, files ──

    /// Writes to a descriptor; how many octets were taken (a full pipe takes fewer: wait for `Writable`).
    ///
    /// # Errors
    /// `BrokenPipe` if nobody reads.
    pub fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, SocketError> {
        todo!("{fd:?} {bytes:?}")
    }

    /// Reads at most `max` octets.
    pub fn read(&mut self, fd: Fd, max: usize) -> Read {
        todo!("{fd:?} {max}")
    }

    /// Closes a descriptor.
    pub fn close_fd(&mut self, fd: Fd) {
        todo!("{fd:?}")
    }

    /// A pipe: what is written to the second can be read from the first.
    pub fn pipe(&mut self) -> (Fd, Fd) {
        todo!()
    }

    /// Opens a file of the host (`/proc` included).
    ///
    /// # Errors
    /// In the words of `strerror`: `No such file or directory`.
    pub fn open(&mut self, path: &str, how: Open) -> Result<Fd, FileError> {
        todo!("{path} {how:?}")
    }

    /// The whole content of a file (`/proc` included).
    ///
    /// # Errors
    /// As [`Sys::open`].
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        todo!("{path}")
    }

    // ── processes ──

    /// Starts a program.
    ///
    /// # Errors
    /// As [`super::process::Exec::exec`].
    pub fn spawn(&mut self, argv: &[String], env: &Env, stdio: Stdio) -> Result<Pid, ExecError> {
        todo!("{argv:?} {env:?} {stdio:?}")
    }

    /// Starts a process with the given body (`fork`): a pipeline, a subshell, a daemon's child.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn fork(&mut self, name: &str, body: Box<dyn Process>, stdio: Stdio) -> Result<Pid, ExecError> {
        todo!("{name} {body:?} {stdio:?}")
    }

    /// The exit status of a child that has ended; it is then reaped. 128 + n if signal n ended it.
    pub fn wait(&mut self, child: Pid) -> Option<i32> {
        todo!("{child:?}")
    }

    /// Sends a signal.
    ///
    /// Returns false if there is no such process.
    pub fn kill(&mut self, pid: Pid, signal: Signal) -> bool {
        todo!("{pid:?} {signal:?}")
    }

    // ── TCP ──

    /// Begins a connection; wait on the socket, then look at [`Sys::tcp_state`]. `local` fixes the source address, and
    /// its port if not 0.
    ///
    /// # Errors
    /// What `connect` refuses at once: no route, no port left.
    pub fn connect(&mut self, local: Option<SocketAddr>, remote: SocketAddr) -> Result<SocketId, SocketError> {
        todo!("{local:?} {remote}")
    }

    /// Listens. `0.0.0.0` is every address of the host, also those that come later.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub fn listen(&mut self, local: SocketAddr, backlog: u32) -> Result<SocketId, SocketError> {
        todo!("{local} {backlog}")
    }

    /// The next connection of a listener: its socket and the client's end.
    pub fn accept(&mut self, listener: SocketId) -> Option<(SocketId, SocketAddr)> {
        todo!("{listener:?}")
    }

    /// How far a TCP socket is.
    pub fn tcp_state(&mut self, socket: SocketId) -> TcpState {
        todo!("{socket:?}")
    }

    /// The local and the remote end of a TCP socket.
    pub fn ends(&mut self, socket: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        todo!("{socket:?}")
    }

    /// A socket of this process at which something happened since it was last returned here (like an edge-triggered
    /// `epoll`): connected, refused, a connection to accept, data, room to send, the end.
    pub fn next_ready(&mut self) -> Option<SocketId> {
        todo!()
    }

    /// Sends; how many octets were taken.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, socket: SocketId, bytes: &[u8]) -> Result<usize, SocketError> {
        todo!("{socket:?} {bytes:?}")
    }

    /// Receives at most `max` octets.
    pub fn recv(&mut self, socket: SocketId, max: usize) -> Read {
        todo!("{socket:?} {max}")
    }

    /// Sends FIN after what is still to be sent; receiving goes on.
    pub fn shutdown(&mut self, socket: SocketId) {
        todo!("{socket:?}")
    }

    /// Closes any socket. TCP: FIN after what is still to be sent, RST if something was not read.
    pub fn close(&mut self, socket: SocketId) {
        todo!("{socket:?}")
    }

    /// Closes with RST (`SO_LINGER` 0).
    pub fn reset(&mut self, socket: SocketId) {
        todo!("{socket:?}")
    }

    // ── UDP and raw ──

    /// A UDP socket. Port 0 takes a free one.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`.
    pub fn udp(&mut self, local: SocketAddr) -> Result<SocketId, SocketError> {
        todo!("{local}")
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// No route, or too long with DF.
    pub fn send_to(&mut self, socket: SocketId, remote: SocketAddr, bytes: &[u8]) -> Result<(), SocketError> {
        todo!("{socket:?} {remote} {bytes:?}")
    }

    /// The next datagram and its sender.
    pub fn recv_from(&mut self, socket: SocketId) -> Option<(Vec<u8>, SocketAddr)> {
        todo!("{socket:?}")
    }

    /// A raw socket that gets a copy of every packet of this protocol (1 is ICMP) that reaches this host.
    pub fn raw(&mut self, protocol: u8) -> SocketId {
        todo!("{protocol}")
    }

    /// Sends a payload by a raw socket; the kernel writes the IPv4 header. `ttl` 0 is the default of 64.
    ///
    /// # Errors
    /// No route.
    pub fn raw_send(
        &mut self,
        socket: SocketId,
        source: Option<Ipv4Addr>,
        to: Ipv4Addr,
        ttl: u8,
        payload: &[u8],
    ) -> Result<(), SocketError> {
        todo!("{socket:?} {source:?} {to} {ttl} {payload:?}")
    }

    /// The next packet of a raw socket, IPv4 header included.
    pub fn raw_recv(&mut self, socket: SocketId) -> Option<Vec<u8>> {
        todo!("{socket:?}")
    }

    // ── the rest ──

    /// Writes a log line (`/var/log/messages` and the trace).
    pub fn log(&mut self, program: &str, text: &str) {
        todo!("{program} {text}")
    }
}

/// What went wrong with a file, in the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// ENOENT.
    #[error("No such file or directory")]
    NotFound,
    /// EISDIR.
    #[error("Is a directory")]
    IsDirectory,
    /// ENOTDIR.
    #[error("Not a directory")]
    NotDirectory,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOTEMPTY.
    #[error("Directory not empty")]
    NotEmpty,
    /// EACCES: `/proc` files that cannot be written.
    #[error("Permission denied")]
    Denied,
    /// EINVAL: a value `/proc` does not take.
    #[error("Invalid argument")]
    Invalid,
    /// EFBIG: the host's files may take 64 MiB together.
    #[error("File too large")]
    TooLarge,
}
