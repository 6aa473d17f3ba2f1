//! The system calls: the only door through which a process reaches its kernel. None re-enters a process: what is
//! spawned or killed runs in its own turn.

pub use super::socket::{RawPayload, SocketError};

use super::files::{self, FileError, FileKind};
use super::process::descriptor::{End, Handle, OpenFile, Pipe};
use super::process::table::INIT;
use super::process::{Ending, Env, ExecError, Fd, Process, Signal};
use super::socket::SocketId;
use super::socket::Way;
use super::{ArpMessage, Kernel, Power, path, proc};
use crate::base::id::{IfaceId, Pid};
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

impl SocketError {
    /// What an ICMP message of this type and code is to a socket; none if it is nothing.
    pub(crate) const fn of_icmp(kind: u8, code: u8) -> Option<SocketError> {
        match (kind, code) {
            (3, 0 | 6 | 11) => Some(SocketError::NetUnreachable),
            (3, 2 | 3) => Some(SocketError::Refused),
            (3 | 11, _) => Some(SocketError::HostUnreachable),
            _ => None,
        }
    }
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
    /// `BrokenPipe` if nobody reads, `BadDescriptor` if it is not open for writing, `NoSpace` if the disk is full.
    pub fn write(&mut self, fd: Fd, bytes: &[u8]) -> Result<usize, SocketError> {
        let processes = &mut self.kernel.processes;
        match processes.handle(self.pid, fd).ok_or(SocketError::BadDescriptor)? {
            Handle::Null => Ok(bytes.len()),
            Handle::Terminal { terminal, error } => {
                processes.write_terminal(terminal, error, bytes);
                Ok(bytes.len())
            }
            Handle::PipeRead(_) => Err(SocketError::BadDescriptor),
            Handle::PipeWrite(pipe) => {
                let ends = processes.pipes.get(pipe);
                let taken = bytes.len().min(ends.room().ok_or(SocketError::BrokenPipe)?);
                ends.bytes.extend(&bytes[..taken]);
                if taken > 0 {
                    processes.wake_sleepers(pipe);
                }
                Ok(taken)
            }
            Handle::File(file) => self.write_open(file, bytes),
        }
    }

    /// Reads at most `max` octets.
    pub fn read(&mut self, fd: Fd, max: usize) -> Read {
        let processes = &mut self.kernel.processes;
        match processes.handle(self.pid, fd) {
            None => Read::Failed(SocketError::BadDescriptor),
            Some(Handle::Null | Handle::Terminal { .. }) => Read::End,
            Some(Handle::PipeWrite(_)) => Read::Failed(SocketError::BadDescriptor),
            Some(Handle::PipeRead(pipe)) => {
                let ends = processes.pipes.get(pipe);
                if ends.bytes.is_empty() {
                    return if ends.has_ended() { Read::End } else { Read::Wait };
                }
                let taken = max.min(ends.bytes.len());
                let data = ends.bytes.drain(..taken).collect();
                processes.wake_sleepers(pipe);
                Read::Data(data)
            }
            Some(Handle::File(file)) => {
                let open = processes.opens.get(file);
                let (path, position) = (open.path.clone(), open.position);
                let Ok(content) = self.read_file(&path) else { return Read::End };
                let data = content.get(position..).unwrap_or_default();
                let data = data[..max.min(data.len())].to_vec();
                if data.is_empty() {
                    return Read::End;
                }
                self.kernel.processes.opens.get(file).position += data.len();
                Read::Data(data)
            }
        }
    }

    /// Closes a descriptor.
    pub fn close_fd(&mut self, fd: Fd) {
        self.kernel.processes.close_fd(self.pid, fd);
    }

    /// Opens a second descriptor to where `fd` leads.
    ///
    /// # Errors
    /// `Descriptors` if the process has too many.
    pub fn duplicate(&mut self, fd: Fd) -> Result<Fd, FileError> {
        let handle = self.kernel.processes.handle(self.pid, fd).ok_or(FileError::NotFound)?;
        self.kernel.processes.install(self.pid, handle).ok_or(FileError::Descriptors)
    }

    /// A pipe: what is written to the second can be read from the first.
    ///
    /// # Errors
    /// `Descriptors` if the process has too many.
    pub fn pipe(&mut self) -> Result<(Fd, Fd), FileError> {
        let processes = &mut self.kernel.processes;
        let pipe = processes.pipes.put(Pipe::default());
        let Some(reader) = processes.install(self.pid, Handle::PipeRead(pipe)) else {
            processes.pipes.take(pipe);
            return Err(FileError::Descriptors);
        };
        let Some(writer) = processes.install(self.pid, Handle::PipeWrite(pipe)) else {
            processes.close_fd(self.pid, reader);
            return Err(FileError::Descriptors);
        };
        Ok((reader, writer))
    }

    /// Opens a file of the host (`/proc` and `/dev/null` included).
    ///
    /// # Errors
    /// In the words of `strerror`: `No such file or directory`.
    pub fn open(&mut self, path: &str, how: Open) -> Result<Fd, FileError> {
        let path = self.absolute(path);
        if path == "/dev/null" {
            return self.kernel.processes.install(self.pid, Handle::Null).ok_or(FileError::Descriptors);
        }
        let path = self.kernel.files.resolve(&path).unwrap_or(path);
        if let Some(number) = self.kernel.files.fifo(&path) {
            let end = if how == Open::Read { End::Reader } else { End::Writer };
            return self.kernel.processes.open_fifo(self.pid, number, end).ok_or(FileError::Descriptors);
        }
        match (proc::is_inside(&path), how) {
            (true, Open::Read) => drop(self.read_file(&path)?),
            (true, Open::Truncate | Open::Append) => proc::check_writable(self.kernel, &path)?,
            (false, Open::Read) => drop(self.kernel.files.read(&path)?),
            (false, Open::Truncate) => self.kernel.files.write(&path, b"", self.cx.now)?,
            (false, Open::Append) => self.kernel.files.append(&path, b"", self.cx.now)?,
        }
        let processes = &mut self.kernel.processes;
        let file = processes.opens.put(OpenFile {
            path: path.into(),
            position: 0,
            append: how == Open::Append,
            writable: how != Open::Read,
            holders: 0,
        });
        let Some(fd) = processes.install(self.pid, Handle::File(file)) else {
            processes.opens.take(file);
            return Err(FileError::Descriptors);
        };
        Ok(fd)
    }

    /// The whole content of a file (`/proc` included).
    ///
    /// # Errors
    /// As [`Sys::open`].
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = self.absolute(path);
        let path = self.kernel.files.resolve(&path).unwrap_or(path);
        if proc::is_inside(&path) {
            return proc::read(self.kernel, &path, self.cx);
        }
        if path == "/dev/null" {
            return Ok(Vec::new());
        }
        self.kernel.files.read(&path).map(<[u8]>::to_vec)
    }

    /// An address, or a name of the host's `/etc/hosts`.
    pub fn resolve(&mut self, host: &str) -> Option<Ipv4Addr> {
        if let Ok(address) = host.parse() {
            return Some(address);
        }
        if host == "localhost" {
            return Some(Ipv4Addr::LOCALHOST);
        }
        let hosts = self.read_file("/etc/hosts").ok()?;
        let hosts = String::from_utf8_lossy(&hosts);
        hosts.lines().find_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
        })
    }

    /// Sets the whole content of a file (`/proc` included).
    ///
    /// # Errors
    /// As [`Sys::open`].
    pub fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.absolute(path);
        if path == "/dev/null" {
            return Ok(());
        }
        if proc::is_inside(&path) {
            return proc::write(self.kernel, &path, content, self.cx);
        }
        self.kernel.files.write(&path, content, self.cx.now)
    }

    /// `path` as seen from this process's working directory, normal.
    pub fn absolute(&self, path: &str) -> String {
        files::absolute(self.directory(), path)
    }

    /// The working directory.
    pub fn directory(&self) -> &str {
        self.kernel.processes.entry(self.pid).map_or("/", |entry| &entry.directory)
    }

    /// Changes the working directory of this process.
    ///
    /// # Errors
    /// If it is not there or no folder.
    pub fn change_directory(&mut self, path: &str) -> Result<(), FileError> {
        let path = self.absolute(path);
        if !proc::is_inside(&path) {
            match self.kernel.files.stat(&path)?.kind {
                FileKind::Folder => {}
                FileKind::Regular(_) | FileKind::Link(_) | FileKind::Fifo(_) => return Err(FileError::NotDirectory),
            }
        }
        if let Some(entry) = self.kernel.processes.entry_mut(self.pid) {
            entry.directory = path.into();
        }
        Ok(())
    }

    /// The variables this process was started with.
    pub fn env(&self) -> Env {
        self.kernel.processes.entry(self.pid).map(|entry| entry.env.clone()).unwrap_or_default()
    }

    fn write_open(&mut self, file: u32, bytes: &[u8]) -> Result<usize, SocketError> {
        let open = self.kernel.processes.opens.get(file);
        if !open.writable {
            return Err(SocketError::BadDescriptor);
        }
        let (path, position, append) = (open.path.clone(), open.position, open.append);
        let written = if proc::is_inside(&path) {
            proc::write(self.kernel, &path, bytes, self.cx)
        } else if append {
            self.kernel.files.append(&path, bytes, self.cx.now)
        } else {
            self.kernel.files.write_at(&path, position, bytes, self.cx.now)
        };
        written.map_err(|error| match error {
            FileError::Denied => SocketError::NotPermitted,
            FileError::Invalid => SocketError::Invalid,
            FileError::NotSupported => SocketError::NotSupported,
            FileError::NotFound
            | FileError::IsDirectory
            | FileError::NotDirectory
            | FileError::Exists
            | FileError::NotEmpty
            | FileError::Descriptors
            | FileError::TooLarge => SocketError::NoSpace,
        })?;
        self.kernel.processes.opens.get(file).position += bytes.len();
        Ok(bytes.len())
    }

    // ── processes ──

    /// Starts a program.
    ///
    /// # Errors
    /// As [`super::process::Exec::exec`].
    pub fn spawn(&mut self, argv: &[String], env: &Env, stdio: Stdio) -> Result<Pid, ExecError> {
        let exec = self.kernel.processes.exec.clone();
        let exec = exec.ok_or_else(|| ExecError::NotFound(argv.first().cloned().unwrap_or_default()))?;
        let body = exec.exec(argv, env)?;
        self.add(&argv.join(" "), body, env.clone(), stdio)
    }

    /// Starts a process with the given body (`fork`): a pipeline, a subshell, a daemon's child.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn fork(&mut self, name: &str, body: Box<dyn Process>, stdio: Stdio) -> Result<Pid, ExecError> {
        let env = self.env();
        self.add(name, body, env, stdio)
    }

    /// Starts a daemon: it belongs to init, and its three descriptors lead nowhere.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn daemon(&mut self, name: &str, body: Box<dyn Process>) -> Result<Pid, ExecError> {
        let env = self.env();
        let nowhere = vec![Some(Handle::Null); 3];
        self.kernel.processes.add(name, body, INIT, nowhere, env, self.cx.now)
    }

    /// The exit status of a child that has ended; it is then reaped. 128 + n if signal n ended it.
    pub fn wait(&mut self, child: Pid) -> Option<i32> {
        self.wait_ending(child).map(Ending::status)
    }

    /// How a child has ended; it is then reaped.
    pub fn wait_ending(&mut self, child: Pid) -> Option<Ending> {
        self.kernel.processes.reap(self.pid, child)
    }

    /// This process will not ask for the status of `child`: it belongs to init.
    pub fn disown(&mut self, child: Pid) {
        self.kernel.processes.disown(self.pid, child);
    }

    /// Sends a signal.
    ///
    /// Returns false if there is no such process.
    pub fn kill(&mut self, pid: Pid, signal: Signal) -> bool {
        self.kernel.processes.kill(self.pid, pid, signal)
    }

    /// `child` gets this signal when this process dies (`prctl(PR_SET_PDEATHSIG)`, which the child would ask for).
    pub fn end_with_parent(&mut self, child: Pid, signal: Signal) {
        self.kernel.processes.end_with_parent(self.pid, child, signal);
    }

    /// Sets what `ps` shows for this process.
    pub fn rename(&mut self, name: &str) {
        self.kernel.processes.rename(self.pid, name);
    }

    /// Asks for the machine to be switched off, or on again, when this turn is over.
    pub fn power(&mut self, power: Power) {
        self.kernel.power = Some(power);
    }

    fn add(&mut self, name: &str, body: Box<dyn Process>, env: Env, stdio: Stdio) -> Result<Pid, ExecError> {
        let processes = &mut self.kernel.processes;
        let descriptors = [stdio.stdin, stdio.stdout, stdio.stderr].map(|fd| processes.handle(self.pid, fd)).to_vec();
        processes.add(name, body, self.pid, descriptors, env, self.cx.now)
    }

    // ── TCP ──

    /// Begins a connection; wait on the socket, then look at [`Sys::tcp_state`]. `local` fixes the source address, and
    /// its port if not 0.
    ///
    /// # Errors
    /// What `connect` refuses at once: no route, no port left.
    pub fn connect(&mut self, local: Option<SocketAddr>, remote: SocketAddr) -> Result<SocketId, SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.connect(self.pid, local, remote, tables, self.cx)
    }

    /// Listens. `0.0.0.0` is every address of the host, also those that come later.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub fn listen(&mut self, local: SocketAddr, backlog: u32) -> Result<SocketId, SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.listen(self.pid, local, backlog, tables)
    }

    /// Whether it could listen there now.
    ///
    /// # Errors
    /// As `listen`.
    pub fn may_listen(&mut self, local: SocketAddr) -> Result<(), SocketError> {
        let socket = self.listen(local, 1)?;
        self.close(socket);
        Ok(())
    }

    /// Where a socket of this process listens, if it does.
    pub fn listens_at(&self, socket: SocketId) -> Option<SocketAddr> {
        self.kernel.sockets.listens_at(socket)
    }

    /// The next connection of a listener: its socket and the client's end.
    pub fn accept(&mut self, listener: SocketId) -> Option<(SocketId, SocketAddr)> {
        self.kernel.sockets.accept(self.pid, listener)
    }

    /// How far a TCP socket is.
    pub fn tcp_state(&mut self, socket: SocketId) -> TcpState {
        self.kernel.sockets.tcp_state(socket)
    }

    /// The local and the remote end of a TCP socket.
    pub fn ends(&mut self, socket: SocketId) -> Option<(SocketAddr, SocketAddr)> {
        self.kernel.sockets.ends(socket)
    }

    /// A socket of this process at which something happened since it was last returned here (like an edge-triggered
    /// `epoll`): connected, refused, a connection to accept, data, room to send, the end.
    pub fn next_ready(&mut self) -> Option<SocketId> {
        self.kernel.processes.next_ready(self.pid)
    }

    /// Sends; how many octets were taken.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, socket: SocketId, bytes: &[u8]) -> Result<usize, SocketError> {
        self.kernel.sockets.send(socket, bytes, self.cx)
    }

    /// Receives at most `max` octets.
    pub fn recv(&mut self, socket: SocketId, max: usize) -> Read {
        self.kernel.sockets.recv(socket, max, self.cx)
    }

    /// Sends FIN after what is still to be sent; receiving goes on.
    pub fn shutdown(&mut self, socket: SocketId) {
        self.kernel.sockets.shutdown(socket, self.cx);
    }

    /// Closes any socket. TCP: FIN after what is still to be sent, RST if something was not read.
    pub fn close(&mut self, socket: SocketId) {
        self.kernel.processes.forget_socket(self.pid, socket);
        self.kernel.sockets.close(socket, self.cx);
    }

    /// Closes with RST (`SO_LINGER` 0).
    pub fn reset(&mut self, socket: SocketId) {
        self.kernel.processes.forget_socket(self.pid, socket);
        self.kernel.sockets.reset(socket, self.cx);
    }

    // ── UDP and raw ──

    /// A UDP socket. Port 0 takes a free one.
    ///
    /// # Errors
    /// `AddressInUse`, `AddressNotAvailable`.
    pub fn udp(&mut self, local: SocketAddr) -> Result<SocketId, SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.udp(self.pid, local, tables, self.cx)
    }

    /// Connects a UDP socket: from then on it takes datagrams of this peer only, and others are told that nobody listens.
    ///
    /// # Errors
    /// `BadDescriptor`.
    pub fn connect_datagrams(&mut self, socket: SocketId, peer: SocketAddr) -> Result<(), SocketError> {
        self.kernel.sockets.connect_datagrams(socket, peer)
    }

    /// What an ICMP message said of a connected UDP socket's datagrams since the last call (`SO_ERROR`).
    pub fn datagram_error(&mut self, socket: SocketId) -> Option<SocketError> {
        self.kernel.sockets.take_datagram_error(socket)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// No route, or too long with DF.
    pub fn send_to(&mut self, socket: SocketId, remote: SocketAddr, bytes: &[u8]) -> Result<(), SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.send_to(socket, remote, bytes, tables, self.cx)
    }

    /// The next datagram and its sender.
    pub fn recv_from(&mut self, socket: SocketId) -> Option<(Vec<u8>, SocketAddr)> {
        self.kernel.sockets.recv_from(socket)
    }

    /// A raw socket that gets a copy of every packet of this protocol (1 is ICMP) that reaches this host.
    pub fn raw(&mut self, protocol: u8) -> SocketId {
        self.kernel.sockets.raw(self.pid, protocol)
    }

    /// Sends a payload by a raw socket; the kernel writes the IPv4 header.
    ///
    /// # Errors
    /// No route; `MessageTooLong` if it must stay whole and the path, as far as known, takes less.
    pub fn raw_send(&mut self, socket: SocketId, payload: &RawPayload<'_>) -> Result<(), SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.raw_send(socket, payload, tables, self.cx)
    }

    /// The next packet of a raw socket, IPv4 header included.
    pub fn raw_recv(&mut self, socket: SocketId) -> Option<Vec<u8>> {
        self.kernel.sockets.raw_recv(socket)
    }

    /// Sends a packet whose IPv4 header the process wrote (`IP_HDRINCL`), without options. The kernel fills in length and
    /// checksum, and source and identification if they are 0. `iface` is the device it must leave by, else the one the
    /// socket is bound to, else the route's.
    ///
    /// # Errors
    /// `Invalid` (no header), `MessageTooLong`, no route.
    pub fn raw_send_header(
        &mut self,
        socket: SocketId,
        iface: Option<IfaceId>,
        packet: &[u8],
    ) -> Result<(), SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.raw_send_header(socket, iface, packet, tables, self.cx)
    }

    /// A raw socket hears only what comes by this interface, and sends by it (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    /// `BadDescriptor`.
    pub fn bind_to_device(&mut self, socket: SocketId, iface: Option<IfaceId>) -> Result<(), SocketError> {
        self.kernel.sockets.bind_to_device(socket, iface)
    }

    // ── multicast ──

    /// A UDP or raw socket joins a group on an interface: the host takes packets to it from there until every socket
    /// that joined has left or is closed.
    ///
    /// # Errors
    /// `Invalid` (no group), `NoDevice`, `AddressInUse` (has joined already), `BadDescriptor`.
    pub fn join_group(&mut self, socket: SocketId, group: Ipv4Addr, iface: IfaceId) -> Result<(), SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.join_group(socket, group, iface, tables)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// `AddressNotAvailable` (has not joined), `BadDescriptor`.
    pub fn leave_group(&mut self, socket: SocketId, group: Ipv4Addr, iface: IfaceId) -> Result<(), SocketError> {
        let Kernel { sockets, tables, .. } = &mut *self.kernel;
        sockets.leave_group(socket, group, iface, tables)
    }

    /// How a UDP or raw socket sends to groups: the interface (none: by route), the TTL (1 by default), and whether this
    /// host hears it too if it has joined (by default it does).
    ///
    /// # Errors
    /// `BadDescriptor`.
    pub fn set_multicast(
        &mut self,
        socket: SocketId,
        iface: Option<IfaceId>,
        ttl: u8,
        loopback: bool,
    ) -> Result<(), SocketError> {
        self.kernel.sockets.set_multicast(socket, iface, ttl, loopback)
    }

    // ── packet sockets ──

    /// A packet socket (`AF_PACKET`): a copy of every frame that comes in by an interface (or any) or leaves by it, as on
    /// the cable, before any filter.
    pub fn packet_socket(&mut self, iface: Option<IfaceId>) -> SocketId {
        self.kernel.sockets.packet_socket(self.pid, iface)
    }

    /// The next frame: by which interface, which way, and its octets from the Ethernet header on.
    pub fn packet_recv(&mut self, socket: SocketId) -> Option<(IfaceId, Way, Vec<u8>)> {
        self.kernel.sockets.packet_recv(socket)
    }

    /// Sends a whole Ethernet frame by an interface, past routing and filters.
    ///
    /// # Errors
    /// `Invalid` (no Ethernet header), `NoDevice`, `NetworkDown`, `BadDescriptor`.
    pub fn packet_send(&mut self, socket: SocketId, iface: IfaceId, frame: &[u8]) -> Result<(), SocketError> {
        if !self.kernel.sockets.has_packet_socket(socket) {
            return Err(SocketError::BadDescriptor);
        }
        // What the process sent before by other sockets leaves before.
        self.kernel.transmit(self.out, self.cx);
        path::egress::raw_frame(self.kernel, iface, frame, self.out, self.cx)
    }

    // ── ARP ──

    /// A packet socket that gets a copy of every ARP message an interface hears (`AF_PACKET`); a process has one at
    /// most.
    pub fn arp_listen(&mut self, iface: IfaceId) -> SocketId {
        self.kernel.path.ears.open(self.pid, iface)
    }

    /// The next message of that socket.
    pub fn arp_recv(&mut self) -> Option<ArpMessage> {
        self.kernel.path.ears.next(self.pid)
    }

    /// Sends an ARP message by an interface, through `arptables` OUTPUT. False if the interface cannot.
    pub fn arp_send(&mut self, iface: IfaceId, message: ArpMessage) -> bool {
        self.kernel.send_arp(iface, message, self.out, self.cx)
    }

    // ── the rest ──

    /// Writes a log line (`/var/log/messages` and the trace).
    pub fn log(&mut self, program: &str, text: &str) {
        self.kernel.write_log(program, text, self.cx);
    }
}
