//! Reads an `ldirectord.cf`: one directive a line, sections indented by four blanks or a tab.
//!
//! ldirectord stops at the first error; here all of them are found.

use super::config::{CheckType, Config, Fallback, Globals, Inherited, Reading, Real, Remark, RemarkKind, Virtual};
use super::ports::SERVICES;
use crate::base::time::Duration;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{SocketAddr, Transport};
use std::net::Ipv4Addr;

/// Lines that are read, and real servers of all sections together.
const LINES_MAX: usize = 100_000;
const REALS_MAX: usize = 16_384;
const REMARKS_MAX: usize = 500;

/// Services that have no port of their own.
const OTHER_SERVICES: &[&str] = &["none", "simpletcp"];
/// Services whose protocol is not spoken here.
const UNSPOKEN: &[&str] = &["dns", "ldap", "ldaps", "mysql", "nntp", "oracle", "pgsql", "radius", "sip"];

/// Where a directive may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Outside of sections.
    Outside,
    /// In a section.
    Section,
    /// Either.
    Both,
}

/// A directive of the language.
#[derive(Debug)]
pub struct Directive {
    /// Its name.
    pub word: &'static str,
    /// Where it stands.
    pub stands: Stands,
    /// What it takes and means; for one without effect, why.
    pub about: &'static str,
    /// What the lab does with it.
    pub status: Status,
    set: fn(&mut Reader<'_>, &str) -> Set,
}

/// What the lab does with a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As ldirectord.
    Modelled,
    /// Read and without effect.
    Accepted,
    /// Read and refused.
    Refused,
}

impl Status {
    /// As the book writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Modelled => "**modelled**",
            Status::Accepted => "accepted",
            Status::Refused => "*refused*",
        }
    }
}

/// What came of a value.
type Set = Result<(), String>;

const fn row(
    word: &'static str,
    stands: Stands,
    about: &'static str,
    set: fn(&mut Reader<'_>, &str) -> Set,
) -> Directive {
    Directive { word, stands, about, status: Status::Modelled, set }
}

const fn idle(word: &'static str, stands: Stands, about: &'static str) -> Directive {
    Directive { word, stands, about, status: Status::Accepted, set: |_, _| Ok(()) }
}

const NO_MAIL: &str = "mail is not sent";
const NO_LOGIN: &str = "checks do not log in";

/// Every directive but `virtual`.
pub const DIRECTIVES: &[Directive] = &[
    row("checktimeout", Stands::Both, "seconds (5), for connect, ping and external", |r, v| {
        r.inherited().check_timeout = Some(seconds(v, "checktimeout")?);
        Ok(())
    }),
    row("negotiatetimeout", Stands::Both, "seconds (30), for negotiate", |r, v| {
        r.inherited().negotiate_timeout = Some(seconds(v, "negotiatetimeout")?);
        Ok(())
    }),
    row("checkinterval", Stands::Both, "seconds between rounds (10); in a section only with fork=yes", |r, v| {
        let interval = seconds(v, "checkinterval")?;
        match r.section.is_some() {
            true => r.warn("checkinterval is ignored in a section unless fork=yes"),
            false => r.globals.check_interval = interval,
        }
        Ok(())
    }),
    row("checkcount", Stands::Both, "echoes of a ping (1)", |r, v| {
        r.inherited().check_count = Some(number(v, "checkcount")?);
        Ok(())
    }),
    row("failurecount", Stands::Both, "failures in a row before a server is down (1)", |r, v| {
        r.inherited().failure_count = Some(number(v, "failurecount")?);
        Ok(())
    }),
    row("autoreload", Stands::Outside, "yes or no (no): the file is read again when it changes", |r, v| {
        r.globals.autoreload = yes_no(v, "autoreload")?;
        Ok(())
    }),
    row("callback", Stands::Outside, "\"COMMAND\", run when the file has changed", |r, v| {
        quoted(v).ok_or("invalid callback")?.clone_into(&mut r.globals.callback);
        Ok(())
    }),
    row("fallback", Stands::Both, "ADDRESS[:PORT] [gate|masq|ipip], when no server is up", |r, v| {
        let fallback = fallback(v)?;
        r.inherited().fallback = Some(fallback);
        Ok(())
    }),
    row("fallbackcommand", Stands::Both, "COMMAND, run with start or stop", |r, v| {
        r.inherited().fallback_command = Some(quoted(v).unwrap_or(v).to_owned());
        Ok(())
    }),
    row("logfile", Stands::Outside, "\"PATH\" or a facility of syslog (/var/log/ldirectord.log)", |r, v| {
        quoted(v).unwrap_or(v).clone_into(&mut r.globals.log);
        Ok(())
    }),
    row("supervised", Stands::Outside, "[yes|no] (no): it stays in the foreground", |r, v| {
        r.globals.supervised = v.is_empty() || yes_no(v, "supervised")?;
        Ok(())
    }),
    Directive {
        word: "fork",
        stands: Stands::Outside,
        about: "one process for all sections: leave it out, or say no",
        status: Status::Modelled,
        set: |r, v| {
            if yes_no(v, "fork")? {
                r.not_modelled("`fork=yes` is not modelled", "leave it out: one process checks all sections");
            }
            Ok(())
        },
    },
    row("quiescent", Stands::Both, "yes or no (no): weight 0 instead of removal", |r, v| {
        r.inherited().quiescent = Some(yes_no(v, "quiescent")?);
        Ok(())
    }),
    row("readdquiescent", Stands::Both, "yes or no (no)", |r, v| {
        r.inherited().readd_quiescent = Some(yes_no(v, "readdquiescent")?);
        Ok(())
    }),
    row("cleanstop", Stands::Both, "yes or no (yes): everything is removed at the end", |r, v| {
        r.inherited().clean_stop = Some(yes_no(v, "cleanstop")?);
        Ok(())
    }),
    row("maintenancedir", Stands::Outside, "a folder: a server with a file of its name there is down", |r, v| {
        v.trim_end_matches('/').clone_into(&mut r.globals.maintenance);
        Ok(())
    }),
    Directive {
        word: "execute",
        stands: Stands::Outside,
        about: "start the other instance by itself",
        status: Status::Refused,
        set: |_, _| Ok(()),
    },
    idle("emailalert", Stands::Both, NO_MAIL),
    idle("emailalertfrom", Stands::Both, NO_MAIL),
    idle("emailalertfreq", Stands::Both, NO_MAIL),
    idle("emailalertstatus", Stands::Both, NO_MAIL),
    idle("smtp", Stands::Both, NO_MAIL),
    row(
        "real",
        Stands::Section,
        "ADDRESS[->LAST][:PORT] gate|masq|ipip [WEIGHT] [\"REQUEST\", \"RECEIVE\"] [l:N] [u:N]",
        real,
    ),
    row("checktype", Stands::Section, "negotiate, connect, ping, external, off, on or a number", |r, v| {
        let check = match v {
            "negotiate" => CheckType::Negotiate,
            "connect" => CheckType::Connect,
            "ping" => CheckType::Ping,
            "external" => CheckType::External,
            "external-perl" => {
                r.not_modelled("`external-perl` is not modelled", "external runs the same script");
                CheckType::External
            }
            "off" => CheckType::Off,
            "on" => CheckType::On,
            _ => CheckType::Combined(v.parse().ok().filter(|n| *n > 0).ok_or(
                "checktype must be \"connect\", \"negotiate\", \"ping\", \"off\", \"on\", \"external\", \"external-perl\" or a positive number",
            )?),
        };
        r.section()?.it.check = check;
        Ok(())
    }),
    row("service", Stands::Section, "what is spoken there (by the port)", |r, v| {
        let known = SERVICES.iter().any(|(_, name)| *name == v) || OTHER_SERVICES.contains(&v);
        if !known {
            return Err("service must be \"dns\", \"ftp\", \"http\", \"https\", \"http_proxy\", \"imap\", \"imaps\", \"ldap\", \"ldaps\", \"mysql\", \"nntp\", \"none\", \"oracle\", \"pgsql\", \"pop\", \"pops\", \"radius\", \"simpletcp\", \"sip\", \"smtp\" or \"submission\"".to_owned());
        }
        v.clone_into(&mut r.section()?.it.service);
        Ok(())
    }),
    row("request", Stands::Section, "\"PATH\"", |r, v| {
        r.section()?.it.request = path(quoted(v).ok_or("no request string specified")?);
        Ok(())
    }),
    row("receive", Stands::Section, "\"EXPRESSION\" that the answer must match", |r, v| {
        let pattern = quoted(v).ok_or("invalid receive string")?.to_owned();
        r.expression(&pattern);
        r.section()?.it.receive = pattern;
        Ok(())
    }),
    row("virtualhost", Stands::Section, "\"NAME\" of the web site", |r, v| {
        quoted(v).unwrap_or(v).clone_into(&mut r.section()?.it.virtualhost);
        Ok(())
    }),
    row("httpmethod", Stands::Section, "GET or HEAD (GET)", |r, v| {
        r.section()?.it.head = match v.to_ascii_uppercase().as_str() {
            "GET" => false,
            "HEAD" => true,
            _ => return Err("httpmethod must be GET or HEAD".to_owned()),
        };
        Ok(())
    }),
    row("checkport", Stands::Section, "PORT, if not the server's", |r, v| {
        r.section()?.it.check_port =
            Some(v.parse().ok().filter(|p| *p > 0).ok_or("checkport must be between 1 and 65536")?);
        Ok(())
    }),
    row("checkcommand", Stands::Section, "\"COMMAND\" (/bin/true)", |r, v| {
        quoted(v).unwrap_or(v).clone_into(&mut r.section()?.it.check_command);
        Ok(())
    }),
    row("scheduler", Stands::Section, "a scheduler (wrr)", |r, v| {
        if v.is_empty() || !v.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err("invalid scheduler, should be only letters (a-z)".to_owned());
        }
        v.clone_into(&mut r.section()?.it.scheduler);
        Ok(())
    }),
    row("persistent", Stands::Section, "seconds a client stays with its server", |r, v| {
        r.section()?.it.persistent = Some(seconds(v, "persistent timeout")?);
        Ok(())
    }),
    row("netmask", Stands::Section, "clients that are one client", |r, v| {
        r.section()?.it.netmask = v.parse().map_err(|_| "invalid netmask".to_owned())?;
        Ok(())
    }),
    row("protocol", Stands::Section, "tcp, udp or fwm", protocol),
    row("ops", Stands::Section, "yes or no (no): each datagram is scheduled anew", |r, v| {
        r.section()?.it.one_packet = yes_no(v, "ops")?;
        Ok(())
    }),
    idle("login", Stands::Section, NO_LOGIN),
    idle("passwd", Stands::Section, NO_LOGIN),
    idle("database", Stands::Section, NO_LOGIN),
    idle("secret", Stands::Section, NO_LOGIN),
    idle("load", Stands::Section, "it has no effect in ldirectord either"),
    idle("monitorfile", Stands::Section, "no such file is written"),
    idle("servicename", Stands::Section, "only for people"),
    idle("comment", Stands::Section, "only for people"),
    Directive {
        word: "schedflags",
        stands: Stands::Section,
        about: "set the flags with ipvsadm -b",
        status: Status::Refused,
        set: |_, _| Ok(()),
    },
];

/// A section that is read.
struct Section {
    it: Virtual,
    inherited: Inherited,
    line: usize,
    protocol_set: bool,
    service_set: bool,
}

/// The state of a reading.
struct Reader<'a> {
    globals: Globals,
    virtuals: Vec<Section>,
    section: Option<Section>,
    remarks: Vec<Remark>,
    raw: &'a str,
    line: usize,
    reals: usize,
}

/// Reads a file.
pub fn read(text: &str) -> Reading {
    let mut reader = Reader {
        globals: Globals::default(),
        virtuals: Vec::new(),
        section: None,
        remarks: Vec::new(),
        raw: "",
        line: 0,
        reals: 0,
    };
    for (index, raw) in text.lines().take(LINES_MAX).enumerate() {
        (reader.raw, reader.line) = (raw, index + 1);
        reader.line(raw);
    }
    reader.end_section();
    let Reader { globals, virtuals, remarks, .. } = reader;
    let virtuals = virtuals.into_iter().map(|section| resolve(section, &globals.inherited)).collect();
    Reading { config: Config { globals, virtuals }, remarks }
}

impl Reader<'_> {
    fn line(&mut self, raw: &str) {
        let trimmed = raw.trim();
        if trimmed.starts_with('#') {
            return;
        }
        let blanks: usize = raw.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
        if trimmed.is_empty() {
            // An empty line ends a section; one of blanks only is an unknown command in it.
            if self.section.is_some() && blanks > 4 {
                self.error("Unknown command ".to_owned() + raw, "an empty line ends the section");
            }
            self.end_section();
            return;
        }
        if self.section.is_some() && blanks >= 4 {
            let value = without_comment(trimmed);
            if !value.is_empty() {
                self.directive(value, true);
            }
            return;
        }
        self.end_section();
        if blanks > 0 {
            let hint = "lines of a section follow its `virtual` without an empty line, indented by 4 blanks or a tab";
            self.error(format!("Unknown command {trimmed}"), hint);
            return;
        }
        if let Some(value) = value_of(trimmed, "virtual") {
            self.open_section(without_comment(value));
        } else if value_of(trimmed, "virtual6").is_some() {
            self.not_modelled("IPv6 is not modelled", "use IPv4 addresses");
        } else {
            self.directive(trimmed, false);
        }
    }

    fn directive(&mut self, text: &str, in_section: bool) {
        let (word, value) = text.split_once('=').map_or((text, ""), |(word, value)| (word.trim_end(), value.trim()));
        if matches!(word, "timeout" | "connecttimeout") {
            self.error(format!("{word} is deprecated"), "checktimeout and negotiatetimeout");
            return;
        }
        if matches!(word, "real6" | "fallback6") {
            self.not_modelled("IPv6 is not modelled", "use IPv4 addresses");
            return;
        }
        let fits = |directive: &&Directive| {
            directive.word == word
                && (directive.stands == Stands::Both || (directive.stands == Stands::Section) == in_section)
        };
        let Some(directive) = DIRECTIVES.iter().find(fits) else {
            let elsewhere = DIRECTIVES.iter().any(|directive| directive.word == word);
            let hint = match (elsewhere, in_section) {
                (true, true) => "it stands outside of sections",
                (true, false) => "it stands in a section, below its `virtual`, indented",
                (false, _) => "",
            };
            self.error(format!("Unknown command {text}"), hint);
            return;
        };
        if directive.status == Status::Refused {
            self.not_modelled(&format!("`{word}` is not modelled"), directive.about);
            return;
        }
        if word == "service"
            && let Some(section) = &mut self.section
        {
            section.service_set = true;
        }
        if let Err(text) = (directive.set)(self, value) {
            self.error(text, directive.about);
        }
    }

    fn open_section(&mut self, value: &str) {
        let key = if let Ok(mark) = value.parse::<u32>() {
            (mark > 0).then_some(ServiceKey::Mark(mark))
        } else {
            address_port(value).filter(|at| at.port > 0).map(|at| ServiceKey::Address(Transport::Tcp, at))
        };
        let Some(key) = key else {
            self.error("invalid address for virtual server".to_owned(), "ADDRESS:PORT, or a firewall mark");
            // What belongs to it is still read.
            self.section = Some(Section::new(ServiceKey::Mark(0), self.line));
            return;
        };
        let mut section = Section::new(key, self.line);
        if let ServiceKey::Address(_, at) = key {
            let service = SERVICES.iter().find(|(port, _)| *port == at.port).map_or("none", |(_, name)| name);
            service.clone_into(&mut section.it.service);
            if at.port == 53 {
                section.it.key = ServiceKey::Address(Transport::Udp, at);
            }
        }
        self.section = Some(section);
    }

    fn end_section(&mut self) {
        let Some(section) = self.section.take() else { return };
        if section.it.key == ServiceKey::Mark(0) {
            return;
        }
        let line = self.line;
        self.line = section.line;
        if self.virtuals.iter().any(|known| known.it.key == section.it.key) {
            self.error("duplicate virtual server".to_owned(), "");
        }
        let speaks = matches!(section.it.check, CheckType::Negotiate | CheckType::Combined(_));
        if speaks && UNSPOKEN.contains(&section.it.service.as_str()) {
            let text = format!("the service {} is not modelled", section.it.service);
            self.not_modelled(&text, "checktype=connect");
        }
        if section.it.one_packet && section.it.protocol() == "tcp" {
            self.error("ops only works with UDP services".to_owned(), "protocol=udp");
        }
        self.line = line;
        self.virtuals.push(section);
    }

    fn section(&mut self) -> Result<&mut Section, String> {
        self.section.as_mut().ok_or_else(|| "it stands in a section".to_owned())
    }

    fn inherited(&mut self) -> &mut Inherited {
        match &mut self.section {
            Some(section) => &mut section.inherited,
            None => &mut self.globals.inherited,
        }
    }

    fn expression(&mut self, pattern: &str) {
        if regex::Regex::new(pattern).is_err() {
            self.not_modelled("this regular expression is not modelled", "look-around and back-references are not");
        }
    }

    fn error(&mut self, text: String, hint: &str) {
        self.say(RemarkKind::Error, text, hint);
    }

    fn warn(&mut self, text: &str) {
        self.say(RemarkKind::Warning, text.to_owned(), "");
    }

    fn not_modelled(&mut self, text: &str, hint: &str) {
        self.say(RemarkKind::NotModelled, text.to_owned(), hint);
    }

    fn say(&mut self, kind: RemarkKind, text: String, hint: &str) {
        if self.remarks.len() >= REMARKS_MAX {
            return;
        }
        let column = self.raw.chars().take_while(|c| c.is_whitespace()).count() + 1;
        let length = self.raw.trim().chars().count();
        self.remarks.push(Remark { line: self.line, column, length, kind, text, hint: hint.to_owned() });
    }
}

impl Section {
    fn new(key: ServiceKey, line: usize) -> Self {
        let it = Virtual {
            key,
            scheduler: "wrr".to_owned(),
            persistent: None,
            netmask: Ipv4Addr::BROADCAST,
            one_packet: false,
            check: CheckType::Negotiate,
            service: "none".to_owned(),
            request: "/".to_owned(),
            receive: String::new(),
            virtualhost: String::new(),
            head: false,
            check_port: None,
            check_command: "/bin/true".to_owned(),
            check_timeout: Duration::from_secs(5),
            negotiate_timeout: Duration::from_secs(30),
            check_count: 1,
            failure_count: 1,
            quiescent: false,
            readd_quiescent: false,
            clean_stop: true,
            fallback: None,
            fallback_command: String::new(),
            reals: Vec::new(),
        };
        Section { it, inherited: Inherited::default(), line, protocol_set: false, service_set: false }
    }
}

/// A section with what it takes from outside.
fn resolve(section: Section, outer: &Inherited) -> Virtual {
    let (mut it, own) = (section.it, section.inherited);
    let seconds = Duration::from_secs;
    it.check_timeout = own
        .check_timeout
        .or(own.negotiate_timeout)
        .or(outer.check_timeout)
        .or(outer.negotiate_timeout)
        .unwrap_or(seconds(5));
    it.negotiate_timeout = own
        .negotiate_timeout
        .or(own.check_timeout)
        .or(outer.negotiate_timeout)
        .or(outer.check_timeout)
        .unwrap_or(seconds(30));
    it.check_count = own.check_count.or(outer.check_count).unwrap_or(1).clamp(1, 100);
    it.failure_count = own.failure_count.or(outer.failure_count).unwrap_or(1).max(1);
    it.quiescent = own.quiescent.or(outer.quiescent).unwrap_or(false);
    it.readd_quiescent = own.readd_quiescent.or(outer.readd_quiescent).unwrap_or(false);
    it.clean_stop = own.clean_stop.or(outer.clean_stop).unwrap_or(true);
    it.fallback = own.fallback.or(outer.fallback);
    it.fallback_command = own.fallback_command.or_else(|| outer.fallback_command.clone()).unwrap_or_default();
    it
}

fn protocol(r: &mut Reader<'_>, value: &str) -> Set {
    let section = r.section()?;
    section.protocol_set = true;
    section.it.key = match (value, section.it.key) {
        ("tcp", ServiceKey::Address(_, at)) => ServiceKey::Address(Transport::Tcp, at),
        ("udp", ServiceKey::Address(_, at)) => ServiceKey::Address(Transport::Udp, at),
        ("fwm", ServiceKey::Mark(mark)) => ServiceKey::Mark(mark),
        ("fwm", ServiceKey::Address(..)) => return Err("protocol fwm can only be used with a fwmark".to_owned()),
        ("tcp" | "udp", ServiceKey::Mark(_)) => {
            return Err("protocol must be fwm if the virtual service is a fwmark (a number)".to_owned());
        }
        _ => return Err("protocol must be tcp, udp or fwm".to_owned()),
    };
    Ok(())
}

/// `real=`.
fn real(r: &mut Reader<'_>, value: &str) -> Set {
    let mut words = value.split_whitespace();
    let (place, method) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let method = method_of(method).ok_or("forward method must be gate, masq or ipip")?;
    let (first, rest) = match place.split_once("->") {
        Some((first, rest)) => (first, rest),
        None => ("", place),
    };
    let last = address_port(rest).ok_or("invalid address for real server")?;
    let first =
        if first.is_empty() { last.address } else { first.parse().map_err(|_| "invalid address for real server")? };
    let (from, to) = (first.to_bits(), last.address.to_bits());
    if from > to {
        return Err("the range of real servers ends before it begins".to_owned());
    }
    let behind = value.trim_start().strip_prefix(place).unwrap_or_default().trim_start();
    let behind = behind.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
    let mut it =
        Real { address: last, method, weight: 1, request: String::new(), receive: String::new(), upper: 0, lower: 0 };
    options(r, behind, &mut it)?;
    r.reals += (to - from) as usize + 1;
    if r.reals > REALS_MAX {
        r.not_modelled("more than 16384 real servers are not modelled", "");
        return Ok(());
    }
    let reals = (from..=to)
        .map(|bits| Real { address: SocketAddr { address: Ipv4Addr::from_bits(bits), port: last.port }, ..it.clone() });
    r.section()?.it.reals.extend(reals);
    Ok(())
}

/// `[weight] ["request", "receive"] [l:N] [u:N]`.
fn options(r: &mut Reader<'_>, text: &str, it: &mut Real) -> Set {
    let mut strings = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('"') {
            let end = inner.find('"').ok_or("unmatched quote in the line of a real server")?;
            strings.push(inner[..end].to_owned());
            rest = inner[end + 1..].trim_start_matches([',', ' ', '\t']);
            continue;
        }
        let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
        let word = &rest[..end];
        if let Some(lower) = word.strip_prefix("l:") {
            it.lower = number(lower, "lower threshold")?;
        } else if let Some(upper) = word.strip_prefix("u:") {
            it.upper = number(upper, "upper threshold")?;
        } else {
            it.weight = word.parse().map_err(|_| format!("invalid weight {word} of a real server"))?;
        }
        rest = rest[end..].trim_start_matches([',', ' ', '\t']);
    }
    let mut strings = strings.into_iter();
    if let Some(request) = strings.next() {
        it.request = if request.starts_with("http://") { request } else { path(&request) };
    }
    if let Some(receive) = strings.next() {
        r.expression(&receive);
        it.receive = receive;
    }
    Ok(())
}

fn fallback(value: &str) -> Result<Fallback, String> {
    let mut words = value.split_whitespace();
    let at = words.next().and_then(address_port).ok_or("invalid address for fallback server")?;
    let method = match words.next() {
        None => Method::Dr,
        Some(word) => method_of(word).ok_or("forward method must be gate, masq or ipip")?,
    };
    Ok(Fallback { address: at.address, port: at.port, method })
}

fn method_of(word: &str) -> Option<Method> {
    match word {
        "gate" => Some(Method::Dr),
        "masq" => Some(Method::Nat),
        "ipip" => Some(Method::Tun),
        _ => None,
    }
}

/// `ADDRESS[:PORT]`; the port may be the name of a service.
fn address_port(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':').unwrap_or((text, "0"));
    let named = || {
        SERVICES.iter().find(|(_, name)| *name == port || (port == "domain" && *name == "dns")).map(|(port, _)| *port)
    };
    let port = port.parse().ok().or_else(named)?;
    Some(SocketAddr { address: address.parse().ok()?, port })
}

fn path(text: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("/{text}") }
}

/// What stands in `"…"`.
fn quoted(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('"')?;
    inner.rfind('"').map(|end| &inner[..end])
}

fn without_comment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default().trim_end()
}

/// The value behind a word and `=`.
fn value_of<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.trim_start().strip_prefix('=').map(str::trim)
}

fn number(value: &str, what: &str) -> Result<u32, String> {
    value.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("invalid {what} value"))
}

fn seconds(value: &str, what: &str) -> Result<Duration, String> {
    number(value, what).map(|seconds| Duration::from_secs(seconds.into()))
}

fn yes_no(value: &str, what: &str) -> Result<bool, String> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(format!("{what} must be 'yes' or 'no'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Vec<(usize, String)> {
        read(text).remarks.into_iter().map(|remark| (remark.line, remark.text)).collect()
    }

    const TUTORIAL: &str = "checktimeout=3\ncheckinterval=1\nquiescent=no\nvirtual=172.25.92.100:80     #the VIP\n        real=172.25.92.5:80 gate    #first\n        real=172.25.92.6:80 gate\n        fallback=127.0.0.1:80 gate\n        service=http\n        scheduler=rr\n        #persistent=600\n        protocol=tcp\n        checktype=negotiate\n        checkport=80\n        request=\"index.html\"\n";

    #[test]
    fn a_usual_file_is_read_with_comments_behind_its_lines() {
        let Reading { config, remarks } = read(TUTORIAL);
        assert_eq!(remarks, []);
        let it = &config.virtuals[0];
        assert_eq!((it.name().as_str(), it.reals.len(), it.scheduler.as_str()), ("172.25.92.100:80", 2, "rr"));
        assert_eq!((it.request.as_str(), it.check_timeout), ("/index.html", Duration::from_secs(3)));
        assert_eq!(it.negotiate_timeout, Duration::from_secs(3));
        assert_eq!(it.fallback.map(|fallback| fallback.method), Some(Method::Dr));
    }

    #[test]
    fn defaults_are_those_of_4_12() {
        let it = &read("virtual=10.0.0.1:80\n\treal=10.0.1.1:80 masq\n").config.virtuals[0];
        assert_eq!((it.scheduler.as_str(), it.check, it.service.as_str()), ("wrr", CheckType::Negotiate, "http"));
        assert_eq!((it.check_timeout, it.negotiate_timeout), (Duration::from_secs(5), Duration::from_secs(30)));
        assert!(!it.quiescent && it.clean_stop && !it.readd_quiescent);
        assert_eq!(read("virtual=3\n\tprotocol=fwm\n").config.virtuals[0].service, "none");
        assert_eq!(read("virtual=10.0.0.1:53\n").config.virtuals[0].protocol(), "udp");
    }

    #[test]
    fn an_empty_line_ends_a_section() {
        let found = said("virtual=10.0.0.1:80\n    real=10.0.1.1:80 gate\n\n    service=http\n");
        assert_eq!(found, [(4, "Unknown command service=http".to_owned())]);
        assert_eq!(said("virtual=10.0.0.1:80\n  real=10.0.1.1:80 gate\n").len(), 1);
    }

    #[test]
    fn servers_may_be_a_range_with_their_own_words() {
        let it = &read("virtual=10.0.0.1:80\n\treal=10.0.1.1->10.0.1.4:8080 masq 3 \"a.html\", \"OK\" l:10 u:20\n")
            .config
            .virtuals[0];
        assert_eq!(it.reals.len(), 4);
        let last = &it.reals[3];
        assert_eq!((last.address.to_string().as_str(), last.weight), ("10.0.1.4:8080", 3));
        assert_eq!((last.request.as_str(), last.receive.as_str(), last.lower, last.upper), ("/a.html", "OK", 10, 20));
    }

    #[test]
    fn all_errors_are_told_with_their_lines() {
        let found = said(
            "chekinterval=5\nvirtual=10.0.0.1\n\treal=10.0.1.1:80 gatee\n\tprotocol=fwm\n\nfork=yes\nautoreload=maybe\n",
        );
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 6, 7], "{found:?}");
    }

    #[test]
    fn every_directive_stands_once() {
        for (index, directive) in DIRECTIVES.iter().enumerate() {
            assert!(DIRECTIVES[..index].iter().all(|other| other.word != directive.word), "{}", directive.word);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC{0,300}") {
            read(&text);
        }

        #[test]
        fn a_file_with_a_slip_is_read_to_its_end(from in 0usize..400, take in 0usize..20, put in "[ \\n\t=:>#\"a0-9-]{0,6}") {
            let mut text = TUTORIAL.to_owned();
            let from = from.min(text.len());
            let to = (from + take).min(text.len());
            text.replace_range(from..to, &put);
            read(&text);
        }
    }
}
