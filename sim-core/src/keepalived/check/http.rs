//! `HTTP_GET`, `SSL_GET`: pages of a web server, one a round: their status, the MD5 of their body.
//!
//! ```text
//!   connect ─► GET ─► everything till the end ─► status? digest? ─┬─ good ─► next url, delay_loop later ─► all good: up
//!                                                                 └─ bad  ─► the same url again
//! ```
//! The url that brought the server down must be good before all of them are asked for from the first. The first
//! generations begin with the first url after every failure.
//! ```text
//! ```
//! # Not modelled
//! TLS: `SSL_GET` asks in the clear, at the same port. `regex` (refused by the reader).

use super::probe::{Event, Finding, Job, Probe, Progress, Tries, connect, connected, plain_mail};
use crate::base::time::{Duration, Instant};
use crate::keepalived::config::checker::{Http as Spec, HttpProtocol, Url};
use crate::keepalived::era::Era;
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, Sys};
use crate::trace::record::CheckFlaw;
use md5::{Digest, Md5};
use std::fmt::Write;

/// One at work.
#[derive(Debug)]
pub(super) struct Http {
    spec: Spec,
    /// Which url is looked at.
    url: usize,
    talk: Option<Talk>,
    /// By how many octets each page was shorter than its head said, when that was logged.
    missing: Vec<i64>,
}

#[derive(Debug)]
struct Talk {
    socket: SocketId,
    is_asked: bool,
    until: Instant,
    answer: Vec<u8>,
}

/// Octets of an answer, at most: what comes after does not count.
const ANSWER_MAX: usize = 1 << 20;

const READ_MAX: usize = 16_384;

impl Http {
    pub(super) fn new(spec: &Spec) -> Self {
        Http { spec: spec.clone(), url: 0, talk: None, missing: vec![0; spec.urls.len()] }
    }

    fn look(&mut self, job: &Job<'_>, sys: &mut Sys) -> Option<Finding> {
        let url = self.spec.urls.get(self.url)?.clone();
        let talk = self.talk.as_mut()?;
        match connected(talk.socket, sys) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => {
                let what = if job.era.is_old() { "Error connecting" } else { "Connection failed" };
                return Some(self.bad(error.flaw(), format!("{what} server {}.", job.server), job, sys));
            }
        }
        if !talk.is_asked {
            talk.is_asked = true;
            talk.until = job.timeout(sys);
            let text = request(&self.spec, &url, job);
            if sys.send(talk.socket, text.as_bytes()).is_err() {
                let text = format!("Cannot send get request to server {}.", job.server);
                return Some(self.bad(CheckFlaw::Broken, text, job, sys));
            }
        }
        loop {
            match sys.recv(talk.socket, READ_MAX) {
                Read::Data(bytes) if talk.answer.len() + bytes.len() <= ANSWER_MAX => {
                    talk.answer.extend(bytes);
                    talk.until = job.timeout(sys);
                }
                Read::Data(_) | Read::End => break,
                Read::Wait => return None,
                Read::Failed(_) => {
                    let text = format!("Read error with server {}.", job.server);
                    return Some(self.bad(CheckFlaw::Broken, text, job, sys));
                }
            }
        }
        let answer = std::mem::take(&mut talk.answer);
        self.look_at_length(&answer, &url, job, sys);
        Some(match judge(&answer, &url, job) {
            Ok(how) => self.good(how, &url, job, sys),
            Err((flaw, why)) => self.bad(flaw, why, job, sys),
        })
    }

    fn good(&mut self, how: &str, url: &Url, job: &Job<'_>, sys: &mut Sys) -> Finding {
        self.abandon(sys);
        if !job.is_up && !job.era.is_old() {
            job.voice.say(&format!("{how} success to {} url({})", job.server, url.path), sys);
        } else if !job.is_up {
            job.voice.say(&format!("{how} success to {} url({}).", job.server, self.url + 1), sys);
        }
        let pause = match self.spec.fast_recovery && !(job.is_up && job.has_run) {
            true => Duration::ZERO,
            false => job.spec.delay_loop,
        };
        if job.is_page_bad {
            self.url = 0;
            return Finding::More(pause);
        }
        self.url += 1;
        if self.url < self.spec.urls.len() {
            return Finding::More(pause);
        }
        self.url = 0;
        Finding::Good
    }

    fn bad(&mut self, flaw: CheckFlaw, why: String, job: &Job<'_>, sys: &mut Sys) -> Finding {
        self.abandon(sys);
        if job.era.is_old() {
            self.url = 0;
        }
        Finding::Bad(flaw, why)
    }

    /// A page that is not as long as its head says is none the worse, but a line tells, once for every difference.
    fn look_at_length(&mut self, answer: &[u8], url: &Url, job: &Job<'_>, sys: &mut Sys) {
        let Some(head) = read_head(answer).filter(|head| is_good(head.status, url) && !job.era.is_old()) else {
            return;
        };
        let received = answer.len() - head.length;
        let said = head.body.unwrap_or(received);
        let missing = said as i64 - received as i64;
        let Some(known) = self.missing.get_mut(self.url) else { return };
        if std::mem::replace(known, missing) != missing && missing != 0 {
            let (server, service, host, path) = (job.server, job.service, &url.virtualhost, &url.path);
            let text = format!(
                "http_check for RS {server} VS {service} url {host}{path}: content_length ({said}) does not match \
                 received bytes ({received})"
            );
            job.voice.say(&text, sys);
        }
    }
}

impl Probe for Http {
    fn begin(&mut self, job: &Job<'_>, sys: &mut Sys) -> Progress {
        let socket = match connect(job, sys) {
            Ok(socket) => socket,
            Err(finding) => {
                let text = format!("HTTP_CHECK - network unreachable server {}.", job.server);
                return Progress::Over(match finding {
                    Finding::Bad(flaw, _) => self.bad(flaw, text, job, sys),
                    other => other,
                });
            }
        };
        let until = job.timeout(sys);
        self.talk = Some(Talk { socket, is_asked: false, until, answer: Vec::new() });
        self.look(job, sys).map_or(Progress::Socket(socket, until), Progress::Over)
    }

    fn go_on(&mut self, event: Event, job: &Job<'_>, sys: &mut Sys) -> Progress {
        if let Some(finding) = self.look(job, sys) {
            return Progress::Over(finding);
        }
        let Some(talk) = &self.talk else { return Progress::Over(Finding::Bad(CheckFlaw::NotAsked, String::new())) };
        if event == Event::Socket || sys.now() < talk.until {
            return Progress::Socket(talk.socket, talk.until);
        }
        let (flaw, what) = match (talk.is_asked, talk.answer.is_empty()) {
            (false, _) => (job.no_connection(), "connecting"),
            (true, true) => (job.no_answer(), "WEB read"),
            (true, false) => (job.no_answer(), "HTTP read"),
        };
        Progress::Over(self.bad(flaw, format!("Timeout {what} server {}.", job.server), job, sys))
    }

    fn abandon(&mut self, sys: &mut Sys) {
        if let Some(talk) = self.talk.take() {
            sys.close(talk.socket);
        }
    }

    fn mail(&self, flaw: Option<CheckFlaw>, _: &str) -> String {
        match flaw {
            None => plain_mail("CHECK", flaw),
            Some(_) => "=> CHECK failed on service : HTTP request failed <=".to_owned(),
        }
    }

    fn success(&self, job: &Job<'_>) -> String {
        format!("Remote Web server {} succeed on service.", job.server)
    }

    fn failure(&self, tries: Tries, job: &Job<'_>) -> Option<String> {
        match job.era {
            Era::V1_1 | Era::V1_3 => tries.of_old(job.server),
            Era::V2_2 => Some(format!("HTTP_CHECK on service {} {}", job.server, tries.how())),
        }
    }
}

fn request(spec: &Spec, url: &Url, job: &Job<'_>) -> String {
    let (version, close) = match spec.protocol {
        HttpProtocol::Http10 => ("1.0", ""),
        HttpProtocol::Http10Close => ("1.0", "Connection: close\r\n"),
        HttpProtocol::Http11 => ("1.1", "Connection: close\r\n"),
    };
    let host = match url.virtualhost.is_empty() {
        true => format!("{}:{}", job.spec.connect.address, job.spec.connect.port),
        false => url.virtualhost.clone(),
    };
    let path = &url.path;
    format!("GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n")
}

/// What a whole answer has, as far as its head says.
struct Head {
    status: u16,
    length: usize,
    body: Option<usize>,
}

fn read_head(answer: &[u8]) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(answer).ok()? else { return None };
    let body = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body = body.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
    Some(Head { status: parsed.code?, length, body })
}

/// Whether the file asks for this status.
fn is_good(status: u16, url: &Url) -> bool {
    url.status.iter().any(|(first, last)| (*first..=*last).contains(&status))
}

/// What was good (`HTTP status code`), or what was not.
fn judge(answer: &[u8], url: &Url, job: &Job<'_>) -> Result<&'static str, (CheckFlaw, String)> {
    let server = job.server;
    let Some(head) = read_head(answer) else {
        return Err((CheckFlaw::Broken, format!("Read, no data received from  server {server}.")));
    };
    // The first generation looks at the status only if the file names one; its default is then not there.
    let is_status_given = url.status != [(200, 299)] || !job.era.is_old();
    if is_status_given && !is_good(head.status, url) {
        let text = match job.era {
            Era::V1_1 => {
                format!("HTTP status code error to {server} url({}), status_code [{}].", url.path, head.status)
            }
            Era::V1_3 | Era::V2_2 => format!("HTTP status code error to server {server}."),
        };
        return Err((CheckFlaw::Status(head.status), text));
    }
    let Some(wanted) = url.digest else { return Ok(if is_status_given { "HTTP status code" } else { "HTTP" }) };
    let body = &answer[head.length..];
    let found = Md5::digest(&body[..head.body.unwrap_or(body.len()).min(body.len())]);
    if found[..] == wanted {
        return Ok("MD5 digest");
    }
    let text = match job.era {
        Era::V1_1 => format!("MD5 digest error to {server} url[{}], MD5SUM [{}].", url.path, hex(&found)),
        Era::V1_3 | Era::V2_2 => format!("MD5 digest error to server {server}."),
    };
    Err((CheckFlaw::Digest, text))
}

/// `e3b0…`
pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a string does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
