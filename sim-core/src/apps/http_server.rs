//! A web server: `httpd` or `nginx`, serving the host's own files.
//!
//! One process with many sockets: a connection waits for a request, gets its answer, and is closed or kept for the next
//! one as the real server's default configuration does. A directory without `index.html` answers with the host's name,
//! so that one can see who served.
//!
//! # Not modelled
//! Methods other than GET and HEAD (405), ranges, virtual hosts, TLS, chunked bodies.

use crate::base::calendar::Date;
use crate::base::id::NodeId;
use crate::base::time::{Duration, Instant};
use crate::kernel::Os;
use crate::kernel::files::FileError;
use crate::kernel::process::{Next, On, Process, Signal, SocketId, Wait};
use crate::kernel::syscall::{Open, Read, Sys};
use crate::trace::record::ServedRecord;
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// Which web server it is, with its default configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Apache.
    Httpd,
    /// nginx.
    Nginx,
}

/// The process.
#[derive(Debug)]
pub struct HttpServer {
    flavour: Flavour,
    port: u16,
    state: State,
}

#[derive(Debug)]
enum State {
    Starting,
    Serving { listener: SocketId, clients: BTreeMap<SocketId, Client>, idle: VecDeque<(Instant, SocketId)> },
}

#[derive(Debug)]
struct Client {
    peer: SocketAddr,
    remote: SocketAddr,
    local: SocketAddr,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
    last_used: Instant,
    closing: bool,
}

/// What a request head says, as far as it matters here.
struct Request {
    head_length: usize,
    method: String,
    target: String,
    keep_alive: bool,
    user_agent: String,
}

/// An answer before it is turned into octets.
struct Answer {
    status: u16,
    reason: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

const HEAD_MAX: usize = 16 * 1024;
const CLIENTS_MAX: usize = 65_536;
const BACKLOG: u32 = 511;

impl HttpServer {
    /// A server that will listen on every address, on this TCP port.
    pub fn new(flavour: Flavour, port: u16) -> Self {
        HttpServer { flavour, port, state: State::Starting }
    }

    fn start(&mut self, sys: &mut Sys) -> Result<(), i32> {
        let local = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: self.port };
        match sys.listen(local, BACKLOG) {
            Ok(listener) => {
                self.state = State::Serving { listener, clients: BTreeMap::new(), idle: VecDeque::new() };
                Ok(())
            }
            Err(error) => {
                sys.log(self.flavour.program(), &self.flavour.cannot_bind(self.port, &error.to_string()));
                Err(1)
            }
        }
    }

    fn serve(&mut self, sys: &mut Sys) -> Next {
        let State::Serving { listener, clients, idle } = &mut self.state else { return Next::Exit(1) };
        while let Some(socket) = sys.next_ready() {
            if socket == *listener {
                while clients.len() < CLIENTS_MAX
                    && let Some((socket, peer)) = sys.accept(*listener)
                {
                    clients.insert(socket, Client::new(socket, peer, sys));
                    attend(self.flavour, socket, clients, idle, sys);
                }
            } else {
                attend(self.flavour, socket, clients, idle, sys);
            }
        }
        let until = close_idle(self.flavour, clients, idle, sys);
        Next::Wait(Wait { until, any: vec![On::AnySocket] })
    }
}

impl Process for HttpServer {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        if let State::Starting = self.state
            && let Err(code) = self.start(sys)
        {
            return Next::Exit(code);
        }
        self.serve(sys)
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        match signal {
            Signal::Hup | Signal::Usr1 | Signal::Usr2 | Signal::Child | Signal::Cont => Some(self.serve(sys)),
            Signal::Term | Signal::Int | Signal::Quit | Signal::Kill | Signal::Stop => {
                if let State::Serving { listener, clients, .. } = &self.state {
                    sys.close(*listener);
                    for socket in clients.keys() {
                        sys.close(*socket);
                    }
                }
                Some(Next::Exit(0))
            }
        }
    }
}

impl Client {
    fn new(socket: SocketId, peer: SocketAddr, sys: &mut Sys) -> Self {
        let nowhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 };
        let (local, remote) = sys.ends(socket).unwrap_or((nowhere, peer));
        Client {
            peer,
            remote,
            local,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            last_used: sys.now(),
            closing: false,
        }
    }

    fn has_output(&self) -> bool {
        self.sent < self.output.len()
    }
}

/// Reads, answers and sends at one connection as far as it goes without waiting; closes it when it is done with.
fn attend(
    flavour: Flavour,
    socket: SocketId,
    clients: &mut BTreeMap<SocketId, Client>,
    idle: &mut VecDeque<(Instant, SocketId)>,
    sys: &mut Sys,
) {
    let Some(client) = clients.get_mut(&socket) else { return };
    client.last_used = sys.now();
    let mut ended = false;
    while !ended && !client.closing && client.input.len() <= HEAD_MAX {
        match sys.recv(socket, HEAD_MAX) {
            Read::Data(bytes) => client.input.extend_from_slice(&bytes),
            Read::Wait => break,
            Read::End | Read::Failed(_) => ended = true,
        }
    }
    answer_all(flavour, client, sys);
    while client.has_output() {
        match sys.send(socket, &client.output[client.sent..]) {
            Ok(0) => return,
            Ok(count) => client.sent += count,
            Err(_) => {
                ended = true;
                break;
            }
        }
    }
    if ended || client.closing {
        clients.remove(&socket);
        sys.close(socket);
        return;
    }
    if !client.output.is_empty() {
        client.output.clear();
        client.sent = 0;
        idle.push_back((client.last_used + flavour.keep_alive(sys.kernel.os), socket));
    }
}

/// Answers every whole request that has come.
fn answer_all(flavour: Flavour, client: &mut Client, sys: &mut Sys) {
    while !client.closing && !client.input.is_empty() {
        let (request, answer) = match read_head(&client.input) {
            Head::Incomplete if client.input.len() < HEAD_MAX => return,
            Head::Incomplete | Head::Malformed => {
                client.closing = true;
                client.input.clear();
                let body = "<h1>400 Bad Request</h1>\n".into();
                let answer = Answer { status: 400, reason: "Bad Request", content_type: "text/html", body };
                put(flavour, client, &answer, true, sys);
                return;
            }
            Head::Complete(request) => {
                client.input.drain(..request.head_length);
                let answer = look_up(flavour, &request, sys);
                (request, answer)
            }
        };
        client.closing = !request.keep_alive || flavour.keep_alive(sys.kernel.os) == Duration::ZERO;
        put(flavour, client, &answer, request.method != "HEAD", sys);
        let node: NodeId = sys.kernel.node;
        sys.cx.change(Change::Served(ServedRecord {
            node,
            program: flavour.program().into(),
            peer: client.peer,
            remote: client.remote,
            local: client.local,
            path: request.target.as_str().into(),
            status: answer.status,
            relayed: None,
        }));
        write_access_log(flavour, client.peer, &request, &answer, sys);
    }
}

fn put(flavour: Flavour, client: &mut Client, answer: &Answer, with_body: bool, sys: &Sys) {
    let Answer { status, reason, content_type, body } = answer;
    let connection = if client.closing { "close" } else { "keep-alive" };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nDate: {}\r\nServer: {}\r\nContent-Length: {}\r\nConnection: {connection}\r\nContent-Type: {content_type}\r\n\r\n",
        Date::of(sys.now()).http(),
        flavour.server_header(sys.kernel.os),
        body.len(),
    );
    client.output.extend_from_slice(head.as_bytes());
    if with_body {
        client.output.extend_from_slice(body);
    }
}

enum Head {
    Complete(Request),
    Incomplete,
    Malformed,
}

fn read_head(input: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_length = match parsed.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Head::Incomplete,
        Err(_) => return Head::Malformed,
    };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let connection = header("Connection").unwrap_or_default().to_ascii_lowercase();
    let keep_alive = if parsed.version == Some(1) { connection != "close" } else { connection == "keep-alive" };
    Head::Complete(Request {
        head_length,
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        keep_alive,
        user_agent: header("User-Agent").unwrap_or_else(|| "-".to_owned()),
    })
}

fn look_up(flavour: Flavour, request: &Request, sys: &mut Sys) -> Answer {
    if request.method != "GET" && request.method != "HEAD" {
        let body = "<h1>405 Method Not Allowed</h1>\n".into();
        return Answer { status: 405, reason: "Method Not Allowed", content_type: "text/html", body };
    }
    let path = request.target.split(['?', '#']).next().unwrap_or("/");
    let climbs = path.split('/').any(|part| part == "..");
    let file = format!("{}{}{path}", flavour.document_root(), if path.starts_with('/') { "" } else { "/" });
    let found = if climbs { Err(FileError::NotFound) } else { read_page(&file, sys) };
    match found {
        Ok(body) => Answer { status: 200, reason: "OK", content_type: content_type(&file), body },
        Err(_) if path == "/" || path == "/index.html" => {
            let body = format!("<h1>{}</h1>\n", sys.kernel.hostname).into_bytes();
            Answer { status: 200, reason: "OK", content_type: "text/html", body }
        }
        Err(_) => {
            let body = format!("<h1>404 Not Found</h1>\n<p>{path} was not found on {}.</p>\n", sys.kernel.hostname);
            Answer { status: 404, reason: "Not Found", content_type: "text/html", body: body.into_bytes() }
        }
    }
}

/// A page below a folder, by the path of a request: as a proxy's `root` serves it.
///
/// # Errors
/// If it is not there.
pub(crate) fn page(root: &str, path: &str, sys: &mut Sys) -> Result<Vec<u8>, FileError> {
    if path.split('/').any(|part| part == "..") {
        return Err(FileError::NotFound);
    }
    match read_page(&format!("{root}{path}"), sys) {
        Err(_) if path == "/" || path == "/index.html" => {
            Ok(format!("<h1>{}</h1>\n", sys.kernel.hostname).into_bytes())
        }
        answer => answer,
    }
}

fn read_page(file: &str, sys: &mut Sys) -> Result<Vec<u8>, FileError> {
    if file.ends_with('/') {
        return sys.read_file(&format!("{file}index.html"));
    }
    match sys.read_file(file) {
        Err(FileError::IsDirectory) => sys.read_file(&format!("{file}/index.html")),
        answer => answer,
    }
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("txt" | "log") => "text/plain",
        Some("css") => "text/css",
        Some("js") => "application/javascript",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "text/html",
    }
}

/// Combined log format. A full disk is not the client's trouble: the line is lost.
fn write_access_log(flavour: Flavour, peer: SocketAddr, request: &Request, answer: &Answer, sys: &mut Sys) {
    let line = format!(
        "{} - - [{}] \"{} {} HTTP/1.1\" {} {} \"-\" \"{}\"\n",
        peer.address,
        Date::of(sys.now()).access_log(),
        request.method,
        request.target,
        answer.status,
        answer.body.len(),
        request.user_agent,
    );
    if let Ok(fd) = sys.open(flavour.access_log(), Open::Append) {
        let _lost_if_full = sys.write(fd, line.as_bytes());
        sys.close_fd(fd);
    }
}

/// Closes connections that have been kept for nothing; returns when the next one may be due.
fn close_idle(
    flavour: Flavour,
    clients: &mut BTreeMap<SocketId, Client>,
    idle: &mut VecDeque<(Instant, SocketId)>,
    sys: &mut Sys,
) -> Option<Instant> {
    let keep = flavour.keep_alive(sys.kernel.os);
    while let Some((due, socket)) = idle.front().copied() {
        let lives_on = clients.get(&socket).filter(|client| !client.has_output()).map(|client| client.last_used + keep);
        if due > sys.now() && lives_on.is_some() {
            return Some(due);
        }
        idle.pop_front();
        if lives_on.is_some_and(|due| due <= sys.now()) {
            clients.remove(&socket);
            sys.close(socket);
        }
    }
    None
}

impl Flavour {
    /// The program's name: `httpd`.
    pub const fn program(self) -> &'static str {
        match self {
            Flavour::Httpd => "httpd",
            Flavour::Nginx => "nginx",
        }
    }

    /// Where its pages are.
    pub const fn document_root(self) -> &'static str {
        match self {
            Flavour::Httpd => "/var/www/html",
            Flavour::Nginx => "/usr/share/nginx/html",
        }
    }

    const fn access_log(self) -> &'static str {
        match self {
            Flavour::Httpd => "/var/log/httpd/access_log",
            Flavour::Nginx => "/var/log/nginx/access.log",
        }
    }

    /// How long a connection is kept for a further request; zero: not at all (Red Hat's `httpd.conf` up to version 6).
    const fn keep_alive(self, os: Os) -> Duration {
        match (self, os) {
            (Flavour::Httpd, Os::CentOs4 | Os::Rhel6) => Duration::ZERO,
            (Flavour::Httpd, Os::CentOs7 | Os::Debian12) => Duration::from_secs(5),
            (Flavour::Nginx, _) => Duration::from_secs(65),
        }
    }

    const fn server_header(self, os: Os) -> &'static str {
        match (self, os) {
            (Flavour::Httpd, Os::CentOs4) => "Apache/2.0.52 (CentOS)",
            (Flavour::Httpd, Os::Rhel6) => "Apache/2.2.15 (Red Hat)",
            (Flavour::Httpd, Os::CentOs7) => "Apache/2.4.6 (CentOS)",
            (Flavour::Httpd, Os::Debian12) => "Apache/2.4.62 (Debian)",
            (Flavour::Nginx, Os::CentOs4 | Os::Rhel6 | Os::CentOs7) => "nginx/1.20.1",
            (Flavour::Nginx, Os::Debian12) => "nginx/1.22.1",
        }
    }

    fn cannot_bind(self, port: u16, error: &str) -> String {
        match self {
            Flavour::Httpd => format!("(98){error}: make_sock: could not bind to address 0.0.0.0:{port}"),
            Flavour::Nginx => format!("nginx: [emerg] bind() to 0.0.0.0:{port} failed (98: {error})"),
        }
    }
}
