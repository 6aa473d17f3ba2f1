//! An HTTP client for one request: `curl` and `wget -qO-`.
//!
//! ```text
//!   Start ─► Connecting ─► Receiving ─► Flushing ─► exit
//!              └──────────────┴── refused, timed out, reset ─► message, exit
//! ```
//!
//! # Not modelled
//! TLS, names other than those of `/etc/hosts`, uploads, redirects, chunked bodies, the progress meter.

use crate::base::time::{Duration, Instant};
use crate::kernel::Os;
use crate::kernel::process::{Fd, Next, On, Process, SocketId, Wait};
use crate::kernel::syscall::{Open, Read, SocketError, Sys, TcpState};
use crate::trace::record::{Outcome, RequestRecord};
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;

/// Which program it passes for: messages and exit codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Program {
    /// `curl`.
    #[default]
    Curl,
    /// `wget`.
    Wget,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which program.
    pub program: Program,
    /// The URL as typed; `http://` may be missing.
    pub url: String,
    /// `-I`: ask for the head only.
    pub head_only: bool,
    /// `-i`: show the response's head too.
    pub include: bool,
    /// `-s`: no messages.
    pub silent: bool,
    /// `-S`: messages in spite of `-s`.
    pub show_error: bool,
    /// `-f`: a status of 400 and above is an error.
    pub fail: bool,
    /// `-v`: what is sent and received, on standard error.
    pub verbose: bool,
    /// `-o`, `-O`: a file for the body; none: standard output.
    pub output: Option<String>,
    /// `-w`: printed at the end.
    pub write_out: Option<String>,
    /// `-m`: the longest the whole may take.
    pub max_time: Option<Duration>,
    /// `--connect-timeout`.
    pub connect_timeout: Option<Duration>,
    /// `-H`: further header lines.
    pub headers: Vec<String>,
    /// `-A`.
    pub user_agent: Option<String>,
    /// `--interface` given as an address, and `--local-port`.
    pub local: Option<SocketAddr>,
}

/// The process.
#[derive(Debug)]
pub struct HttpClient {
    options: Options,
    url: Url,
    started: Instant,
    record: u32,
    timing: Timing,
    state: State,
}

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The host as typed.
    pub host: String,
    /// The port; 80 if not given.
    pub port: u16,
    /// The path and query; `/` if not given.
    pub path: String,
}

/// Why a URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A scheme other than http.
    #[error("protocol \"{0}\" is not modelled; use http")]
    Scheme(String),
    /// Not a host or not a port.
    #[error("URL using bad/illegal format or missing URL")]
    Malformed,
}

#[derive(Debug, Default)]
struct Timing {
    connected: Option<Instant>,
    first_byte: Option<Instant>,
    ended: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Start,
    Connecting { socket: SocketId, remote: SocketAddr },
    Receiving { socket: SocketId, response: Response },
    Flushing { stdout: Vec<u8>, exit: i32 },
}

#[derive(Debug, Default)]
struct Response {
    octets: Vec<u8>,
    head: Option<ResponseHead>,
}

#[derive(Debug)]
struct ResponseHead {
    length: usize,
    status: u16,
    body: Option<usize>,
}

/// How a request failed: curl's exit code, and the message as it is printed after `curl: (n) `.
struct Failure {
    code: i32,
    message: String,
    reason: String,
}

const RESPONSE_MAX: usize = 16 * 1024 * 1024;
/// Linux gives up connecting after 6 retries (`tcp_syn_retries`), 127 s; curl itself after 300 s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(300);

impl HttpClient {
    /// A client that will make this request.
    ///
    /// # Errors
    /// If the URL cannot be used.
    pub fn new(options: Options) -> Result<Self, UrlError> {
        let url = Url::parse(&options.url)?;
        let timing = Timing::default();
        Ok(HttpClient { options, url, started: Instant::ZERO, record: 0, timing, state: State::Start })
    }

    fn start(&mut self, sys: &mut Sys) -> Result<(), Failure> {
        self.started = sys.now();
        self.record = sys.cx.pen.next_request();
        let Some(address) = sys.resolve(&self.url.host) else {
            self.begin_record(None, None, sys);
            let message = format!("Could not resolve host: {}", self.url.host);
            return Err(Failure { code: 6, reason: message.clone(), message });
        };
        let remote = SocketAddr { address, port: self.url.port };
        match sys.connect(self.options.local, remote) {
            Ok(socket) => {
                let client = sys.ends(socket).map(|(local, _)| local);
                self.begin_record(client, Some(remote), sys);
                self.verbose(&format!("*   Trying {remote}...\n"), sys);
                self.state = State::Connecting { socket, remote };
                Ok(())
            }
            Err(error) => {
                self.begin_record(None, Some(remote), sys);
                Err(self.connect_failed(remote, error, sys))
            }
        }
    }

    fn begin_record(&self, client: Option<SocketAddr>, asked: Option<SocketAddr>, sys: &mut Sys) {
        let record = RequestRecord {
            node: sys.kernel.node,
            url: format!("http://{}{}{}", self.url.host, self.url.shown_port(), self.url.path).into(),
            started: self.started,
            ended: None,
            client,
            asked,
            outcome: Outcome::Running,
        };
        sys.cx.change(Change::RequestStarted(record));
    }

    fn end_record(&self, outcome: Outcome, sys: &mut Sys) {
        if let Some(begun) = sys.cx.pen.trace().requests.get(self.record as usize) {
            let record = RequestRecord { ended: Some(sys.now()), outcome, ..begun.clone() };
            sys.cx.change(Change::RequestEnded(self.record, record));
        }
    }

    fn connecting(&mut self, socket: SocketId, remote: SocketAddr, sys: &mut Sys) -> Result<Option<Next>, Failure> {
        match sys.tcp_state(socket) {
            TcpState::Connecting => {
                let (deadline, limit) = self.connect_deadline();
                if sys.now() < deadline {
                    return Ok(Some(Next::on_or_until(On::Socket(socket), deadline)));
                }
                sys.reset(socket);
                let message = format!("Connection timed out after {} milliseconds", elapsed_ms(limit));
                Err(Failure { code: 28, message, reason: "Connection timed out".into() })
            }
            TcpState::Connected => {
                self.timing.connected = Some(sys.now());
                self.verbose(
                    &format!("* Connected to {} ({}) port {} (#0)\n", self.url.host, remote.address, remote.port),
                    sys,
                );
                let request = self.request_text(sys.kernel.os);
                for line in request.trim_end_matches("\r\n").split("\r\n") {
                    self.verbose(&format!("> {line}\n"), sys);
                }
                self.verbose("> \n", sys);
                // A request head is far smaller than a send buffer.
                sys.send(socket, request.as_bytes()).map_err(|error| receive_failed(error, false))?;
                self.state = State::Receiving { socket, response: Response::default() };
                Ok(None)
            }
            TcpState::Failed(error) => Err(self.connect_failed(remote, error, sys)),
            TcpState::Closed => Err(self.connect_failed(remote, SocketError::Reset, sys)),
        }
    }

    fn connect_deadline(&self) -> (Instant, Duration) {
        let limit = self.options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let limit = self.options.max_time.map_or(limit, |max| max.min(limit));
        (self.started + limit, limit)
    }

    fn request_text(&self, os: Os) -> String {
        let method = if self.options.head_only { "HEAD" } else { "GET" };
        let agent = self.options.user_agent.as_deref().unwrap_or(match (self.options.program, os) {
            (Program::Wget, _) => "Wget/1.21.3",
            (Program::Curl, Os::CentOs4) => "curl/7.12.1",
            (Program::Curl, Os::Rhel6) => "curl/7.19.7",
            (Program::Curl, Os::CentOs7) => "curl/7.29.0",
            (Program::Curl, Os::Debian12) => "curl/7.88.1",
        });
        let mut text = format!("{method} {} HTTP/1.1\r\n", self.url.path);
        let own_host = self.options.headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:"));
        if !own_host {
            text += &format!("Host: {}{}\r\n", self.url.host, self.url.shown_port());
        }
        text += &format!("User-Agent: {agent}\r\nAccept: */*\r\n");
        for line in &self.options.headers {
            text += &format!("{line}\r\n");
        }
        text + "\r\n"
    }

    fn receiving(&mut self, socket: SocketId, mut response: Response, sys: &mut Sys) -> Result<Option<Next>, Failure> {
        loop {
            match sys.recv(socket, 64 * 1024) {
                Read::Data(bytes) => {
                    self.timing.first_byte.get_or_insert(sys.now());
                    response.octets.extend_from_slice(&bytes);
                    if response.octets.len() > RESPONSE_MAX {
                        sys.reset(socket);
                        return Err(failure(63, "Maximum file size exceeded"));
                    }
                    response.read_head(self.options.head_only)?;
                    if response.is_complete() {
                        return self.finish(socket, &response, sys);
                    }
                }
                Read::Wait => return self.wait_for_more(socket, response, sys),
                Read::End => return self.ended_early(socket, &response, sys),
                Read::Failed(error) => {
                    sys.close(socket);
                    return Err(receive_failed(error, !response.octets.is_empty()));
                }
            }
        }
    }

    fn wait_for_more(&mut self, socket: SocketId, response: Response, sys: &mut Sys) -> Result<Option<Next>, Failure> {
        let Some(limit) = self.options.max_time else {
            self.state = State::Receiving { socket, response };
            return Ok(Some(Next::on(On::Socket(socket))));
        };
        let deadline = self.started + limit;
        if sys.now() < deadline {
            self.state = State::Receiving { socket, response };
            return Ok(Some(Next::on_or_until(On::Socket(socket), deadline)));
        }
        sys.close(socket);
        let received = response.octets.len() - response.head.as_ref().map_or(response.octets.len(), |head| head.length);
        let expected = response.head.as_ref().and_then(|head| head.body);
        let of = expected.map_or(String::new(), |expected| format!(" out of {expected}"));
        let message =
            format!("Operation timed out after {} milliseconds with {received}{of} bytes received", elapsed_ms(limit));
        Err(Failure { code: 28, message, reason: "Operation timed out".into() })
    }

    fn ended_early(&mut self, socket: SocketId, response: &Response, sys: &mut Sys) -> Result<Option<Next>, Failure> {
        match &response.head {
            None => {
                sys.close(socket);
                Err(failure(52, "Empty reply from server"))
            }
            Some(ResponseHead { body: None, .. }) => self.finish(socket, response, sys),
            Some(ResponseHead { body: Some(expected), length, .. }) => {
                sys.close(socket);
                let missing = expected - (response.octets.len() - length);
                Err(failure(18, &format!("transfer closed with {missing} bytes remaining to read")))
            }
        }
    }

    fn finish(&mut self, socket: SocketId, response: &Response, sys: &mut Sys) -> Result<Option<Next>, Failure> {
        self.timing.ended = Some(sys.now());
        let ends = sys.ends(socket);
        sys.close(socket);
        let head = response.head.as_ref().expect("a complete response has a head");
        let (head_text, body) = response.octets.split_at(head.length);
        let body = &body[..head.body.unwrap_or(body.len()).min(body.len())];
        for line in String::from_utf8_lossy(head_text).trim_end().split("\r\n") {
            self.verbose(&format!("< {line}\n"), sys);
        }
        self.end_record(Outcome::Answered { status: head.status, bytes: body.len() as u64 }, sys);
        if self.options.fail && head.status >= 400 {
            let exit = if self.options.program == Program::Wget { 8 } else { 22 };
            self.complain(exit, &format!("The requested URL returned error: {}", head.status), sys);
            let stdout = self.write_out(head.status, 0, ends).into_bytes();
            self.state = State::Flushing { stdout, exit };
            return Ok(None);
        }
        let mut shown = Vec::new();
        if self.options.include || self.options.head_only {
            shown.extend_from_slice(head_text);
        }
        shown.extend_from_slice(body);
        let mut exit = 0;
        if let Some(path) = self.options.output.clone() {
            if !write_whole(&path, &shown, sys) {
                self.complain(23, "Failure writing output to destination", sys);
                exit = 23;
            }
            shown.clear();
        }
        shown.extend_from_slice(self.write_out(head.status, body.len(), ends).as_bytes());
        self.verbose(&format!("* Connection #0 to host {} left intact\n", self.url.host), sys);
        self.state = State::Flushing { stdout: shown, exit };
        Ok(None)
    }

    fn connect_failed(&self, remote: SocketAddr, error: SocketError, sys: &Sys) -> Failure {
        let ms = elapsed_ms(sys.now().since(self.started));
        let SocketAddr { address, port } = remote;
        let host = &self.url.host;
        let message = match sys.kernel.os {
            Os::CentOs4 | Os::Rhel6 => "couldn't connect to host".to_owned(),
            Os::CentOs7 => format!("Failed connect to {host}:{port}; {error}"),
            // curl 7.85 and later say the same about every reason.
            Os::Debian12 => {
                format!("Failed to connect to {host} port {port} after {ms} ms: Couldn't connect to server")
            }
        };
        let code = if error == SocketError::TimedOut { 28 } else { 7 };
        Failure { code, message, reason: format!("{error} ({address}:{port})") }
    }

    fn fail(&mut self, failure: Failure, sys: &mut Sys) {
        self.timing.ended = Some(sys.now());
        self.end_record(Outcome::Failed { reason: failure.reason.into() }, sys);
        let exit = match self.options.program {
            Program::Curl => failure.code,
            Program::Wget => 4,
        };
        self.complain(exit, &failure.message, sys);
        self.state = State::Flushing { stdout: self.write_out(0, 0, None).into_bytes(), exit };
    }

    fn complain(&self, code: i32, message: &str, sys: &mut Sys) {
        if self.options.silent && !self.options.show_error {
            return;
        }
        let text = match self.options.program {
            Program::Curl => format!("curl: ({code}) {message}\n"),
            Program::Wget => format!("wget: {message}\n"),
        };
        // Nobody reads it any more: as with SIGPIPE, nothing is left to say.
        let _unread = sys.write(Fd::STDERR, text.as_bytes());
    }

    fn verbose(&self, text: &str, sys: &mut Sys) {
        if self.options.verbose {
            let _unread = sys.write(Fd::STDERR, text.as_bytes());
        }
    }

    /// The text of `-w` with its variables and escapes filled in.
    fn write_out(&self, status: u16, bytes: usize, ends: Option<(SocketAddr, SocketAddr)>) -> String {
        let Some(format) = &self.options.write_out else { return String::new() };
        let seconds = |at: Option<Instant>| {
            let micros = at.map_or(0, |at| at.since(self.started).nanos() / 1_000);
            format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
        };
        let (local, remote) = ends.map_or((None, None), |(local, remote)| (Some(local), Some(remote)));
        let address = |end: Option<SocketAddr>| end.map_or(String::new(), |end| end.address.to_string());
        let port = |end: Option<SocketAddr>| end.map_or("0".to_owned(), |end| end.port.to_string());
        let value = |name: &str| match name {
            "http_code" | "response_code" => format!("{status:03}"),
            "time_total" => seconds(self.timing.ended),
            "time_connect" => seconds(self.timing.connected),
            "time_starttransfer" => seconds(self.timing.first_byte),
            "size_download" => bytes.to_string(),
            "local_ip" => address(local),
            "local_port" => port(local),
            "remote_ip" => address(remote),
            "remote_port" => port(remote),
            "url" | "url_effective" => format!("http://{}{}{}", self.url.host, self.url.shown_port(), self.url.path),
            other => format!("curl: unknown --write-out variable: '{other}'\n"),
        };
        let mut text = String::new();
        let mut rest = format.as_str();
        while let Some(at) = rest.find(['%', '\\']) {
            text += &rest[..at];
            rest = &rest[at..];
            if let Some((name, after)) = rest.strip_prefix("%{").and_then(|tail| tail.split_once('}')) {
                text += &value(name);
                rest = after;
            } else if let Some(after) = ["\\n", "\\t", "\\r", "%%"].iter().find_map(|escape| rest.strip_prefix(escape))
            {
                text.push(match &rest[..2] {
                    "\\n" => '\n',
                    "\\t" => '\t',
                    "\\r" => '\r',
                    _ => '%',
                });
                rest = after;
            } else {
                text += &rest[..1];
                rest = &rest[1..];
            }
        }
        text + rest
    }
}

impl Process for HttpClient {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        loop {
            let step = match std::mem::replace(&mut self.state, State::Flushing { stdout: Vec::new(), exit: 0 }) {
                State::Start => self.start(sys).map(|()| None),
                State::Connecting { socket, remote } => {
                    self.state = State::Connecting { socket, remote };
                    self.connecting(socket, remote, sys)
                }
                State::Receiving { socket, response } => self.receiving(socket, response, sys),
                State::Flushing { mut stdout, exit } => {
                    let Ok(taken) = sys.write(Fd::STDOUT, &stdout) else { return Next::Exit(23) };
                    stdout.drain(..taken);
                    if stdout.is_empty() {
                        return Next::Exit(exit);
                    }
                    self.state = State::Flushing { stdout, exit };
                    return Next::Wait(Wait { until: None, any: vec![On::Writable(Fd::STDOUT)] });
                }
            };
            match step {
                Ok(Some(next)) => return next,
                Ok(None) => {}
                Err(failure) => self.fail(failure, sys),
            }
        }
    }
}

impl Response {
    fn read_head(&mut self, head_only: bool) -> Result<(), Failure> {
        if self.head.is_some() {
            return Ok(());
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut headers);
        match parsed.parse(&self.octets) {
            Ok(httparse::Status::Partial) => Ok(()),
            Err(_) => Err(failure(1, "Received HTTP/0.9 when not allowed")),
            Ok(httparse::Status::Complete(length)) => {
                let declared = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("Content-Length"));
                let declared = declared.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
                let body = if head_only { Some(0) } else { declared };
                self.head = Some(ResponseHead { length, status: parsed.code.unwrap_or(0), body });
                Ok(())
            }
        }
    }

    fn is_complete(&self) -> bool {
        let Some(ResponseHead { length, body: Some(body), .. }) = self.head else { return false };
        self.octets.len() - length >= body
    }
}

impl Url {
    /// Takes `http://host:port/path` apart; scheme, port and path may be missing.
    ///
    /// # Errors
    /// If the scheme is another one, or host or port make no sense.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(UrlError::Scheme(scheme.to_owned())),
            None => text,
        };
        let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(cut);
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| UrlError::Malformed)?),
            None => (authority, 80),
        };
        let sound = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !sound || port == 0 || path.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return Err(UrlError::Malformed);
        }
        Ok(Url { host: host.to_owned(), port, path })
    }

    fn shown_port(&self) -> String {
        if self.port == 80 { String::new() } else { format!(":{}", self.port) }
    }
}

fn write_whole(path: &str, content: &[u8], sys: &mut Sys) -> bool {
    let Ok(fd) = sys.open(path, Open::Truncate) else { return false };
    let written = sys.write(fd, content);
    sys.close_fd(fd);
    written == Ok(content.len())
}

fn receive_failed(error: SocketError, some_came: bool) -> Failure {
    match error {
        SocketError::Reset => failure(56, "Recv failure: Connection reset by peer"),
        _ if some_came => failure(18, &error.to_string()),
        _ => failure(56, &format!("Recv failure: {error}")),
    }
}

fn failure(code: i32, message: &str) -> Failure {
    Failure { code, message: message.to_owned(), reason: message.to_owned() }
}

/// curl counts a timeout one millisecond late.
fn elapsed_ms(span: Duration) -> u64 {
    span.millis() + u64::from(span.millis() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_lack_scheme_port_and_path() {
        let url = |host: &str, port, path: &str| Ok(Url { host: host.into(), port, path: path.into() });
        assert_eq!(Url::parse("172.25.92.100"), url("172.25.92.100", 80, "/"));
        assert_eq!(Url::parse("http://10.0.0.1:8080/a?b#c"), url("10.0.0.1", 8080, "/a?b"));
        assert_eq!(Url::parse("www.test.com?x"), url("www.test.com", 80, "/?x"));
    }

    #[test]
    fn nonsense_is_not_a_url() {
        for text in ["", "http://", "10.0.0.1:", "10.0.0.1:99999", "10.0.0.1:0", "a b", "http://h/a b"] {
            assert_eq!(Url::parse(text), Err(UrlError::Malformed), "{text}");
        }
        assert_eq!(Url::parse("https://x"), Err(UrlError::Scheme("https".into())));
    }
}
