//! Heads of HTTP messages on their way through a proxy: read, with other headers, and answers of the proxy's own.

use super::{Backend, Program};
use std::net::Ipv4Addr;

/// Octets of a head, at most.
pub(super) const HEAD_MAX: usize = 16 * 1024;

/// A head that has come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) length: usize,
    pub(super) method: String,
    pub(super) path: String,
    version: u8,
    headers: Vec<(String, String)>,
}

/// How a head stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head<T> {
    Whole(T),
    Incomplete,
    Malformed,
}

/// Reads a request's head.
pub(super) fn request(input: &[u8]) -> Head<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(input) {
        Ok(httparse::Status::Complete(length)) => Head::Whole(Request {
            length,
            method: parsed.method.unwrap_or_default().to_owned(),
            path: parsed.path.unwrap_or_default().to_owned(),
            version: parsed.version.unwrap_or_default(),
            headers: owned(parsed.headers),
        }),
        Ok(httparse::Status::Partial) if input.len() < HEAD_MAX => Head::Incomplete,
        Ok(httparse::Status::Partial) | Err(_) => Head::Malformed,
    }
}

/// The status of an answer, and its head with `Connection: close`; what follows the head in `input` is kept.
pub(super) fn answer(input: &[u8]) -> Head<(u16, Vec<u8>)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(input) {
        Ok(httparse::Status::Complete(length)) => {
            let status = parsed.code.unwrap_or_default();
            let mut text = format!("HTTP/1.1 {status} {}\r\n", parsed.reason.unwrap_or_default());
            for (name, value) in owned(parsed.headers) {
                if !is_of_one_hop(&name) {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
            }
            text.push_str("Connection: close\r\n\r\n");
            let mut whole = text.into_bytes();
            whole.extend_from_slice(&input[length..]);
            Head::Whole((status, whole))
        }
        Ok(httparse::Status::Partial) if input.len() < HEAD_MAX => Head::Incomplete,
        Ok(httparse::Status::Partial) | Err(_) => Head::Malformed,
    }
}

/// Where a request comes from and goes to, for the variables of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journey<'a> {
    pub(super) client: Ipv4Addr,
    pub(super) own: Ipv4Addr,
    pub(super) own_port: u16,
    pub(super) backend: &'a Backend,
    pub(super) forwards_for: bool,
    pub(super) program: Program,
}

impl Request {
    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The head that the server gets.
    pub(super) fn forwarded(&self, journey: Journey<'_>) -> Vec<u8> {
        let version = match journey.program {
            Program::Haproxy => self.version,
            Program::Nginx => 0,
        };
        let mut headers: Vec<(String, String)> =
            self.headers.iter().filter(|(name, _)| !is_of_one_hop(name)).cloned().collect();
        if journey.program == Program::Nginx {
            set(&mut headers, "Host", journey.backend.name.clone());
        }
        for (name, value) in &journey.backend.headers {
            set(&mut headers, name, self.filled_in(value, journey));
        }
        if journey.forwards_for {
            headers.push(("X-Forwarded-For".into(), journey.client.to_string()));
        }
        headers.push(("Connection".into(), "close".into()));
        let mut text = format!("{} {} HTTP/1.{version}\r\n", self.method, self.path);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// A value with nginx' variables filled in; longer names first, since one may begin another.
    fn filled_in(&self, value: &str, journey: Journey<'_>) -> String {
        let client = journey.client.to_string();
        let host = self.header("Host").unwrap_or_default();
        let forwarded = match self.header("X-Forwarded-For") {
            Some(before) => format!("{before}, {client}"),
            None => client.clone(),
        };
        let port = journey.own_port.to_string();
        let own = journey.own.to_string();
        let known: [(&str, &str); 9] = [
            ("$proxy_add_x_forwarded_for", &forwarded),
            ("$remote_addr", &client),
            ("$proxy_host", &journey.backend.name),
            ("$http_host", host),
            ("$server_addr", &own),
            ("$server_port", &port),
            ("$request_uri", &self.path),
            ("$scheme", "http"),
            ("$host", host.split(':').next().unwrap_or_default()),
        ];
        known.iter().fold(value.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// An answer of the proxy's own.
pub(super) fn own(program: Program, status: u16, text: &str) -> Vec<u8> {
    let reason = reason(status);
    let body = match (text.is_empty(), program) {
        (false, _) => text.to_owned(),
        (true, Program::Haproxy) => {
            let why = match status {
                400 => "Your browser sent an invalid request.",
                503 => "No server is available to handle this request.",
                504 => "The server didn't respond in time.",
                _ => "The server returned an invalid or incomplete response.",
            };
            format!("<html><body><h1>{status} {reason}</h1>\n{why}\n</body></html>\n")
        }
        (true, Program::Nginx) => format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        ),
    };
    let length = body.len();
    format!("HTTP/1.1 {status} {reason}\r\nContent-Length: {length}\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// The words beside a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
    headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect()
}

/// Headers that are about one connection only.
fn is_of_one_hop(name: &str) -> bool {
    ["Connection", "Keep-Alive", "Proxy-Connection"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn set(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value));
}
