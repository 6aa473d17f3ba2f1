//! Reads an `ldirectord.cf`: one directive a line, sections indented by four blanks or a tab.
//!
//! ldirectord stops at the first error; here all of them are found.

use super::config::{CheckType, Config, Fallback, Globals, Inherited, Reading, Remark, RemarkKind, Virtual};
use super::ports::SERVICES;
use crate::base::time::Duration;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::{SocketAddr, Transport};
use std::net::Ipv4Addr;

mod real;

/// Lines that are read, and real servers of all sections together.
const LINES_MAX: usize = 100_000;
const REALS_MAX: usize = 16_384;
const REMARKS_MAX: usize = 500;
/// Octets that a regular expression may take when it is compiled.
const EXPRESSION_MAX: usize = 1 << 18;

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

/// A directive that is checked as ldirectord does, and has no effect.
const fn idle(
    word: &'static str,
    stands: Stands,
    about: &'static str,
    set: fn(&mut Reader<'_>, &str) -> Set,
) -> Directive {
    Directive { word, stands, about, status: Status::Accepted, set }
}

/// What a directive says if its value is not what ldirectord looks for behind the word: the line is no command at all.
const UNKNOWN: &str = "";

/// The longest persistence that `ipvsadm` takes: 31 days.
const PERSISTENT_MAX: u64 = 2_678_400;

const NO_MAIL: &str = "mail is not sent";
const NO_LOGIN: &str = "checks do not log in";

/// Every directive but `virtual`.
pub const DIRECTIVES: &[Directive] = &[
    row("checktimeout", Stands::Both, "seconds (5), for connect, ping and external", |r, v| {
        r.inherited().check_timeout = Some(r.seconds(v, "check timeout")?);
        Ok(())
    }),
    row("negotiatetimeout", Stands::Both, "seconds (30), for negotiate", |r, v| {
        r.inherited().negotiate_timeout = Some(r.seconds(v, "negotiate timeout")?);
        Ok(())
    }),
    row("checkinterval", Stands::Both, "seconds between rounds (10); in a section only with fork=yes", |r, v| {
        match r.section.is_some() {
            true => {
                r.seconds(v, "checkinterval")?;
                r.warn("checkinterval is ignored in a section unless fork=yes");
            }
            false => r.globals.check_interval = r.seconds(v, "check interval")?,
        }
        Ok(())
    }),
    row("checkcount", Stands::Both, "echoes of a ping (1)", |r, v| {
        r.inherited().check_count = Some(r.number(v, "check count")?);
        r.warn("checkcount option is deprecated and slated for removal.  please see 'failurecount'");
        Ok(())
    }),
    row("failurecount", Stands::Both, "failures in a row before a server is down (1)", |r, v| {
        r.inherited().failure_count = Some(r.number(v, "failure count")?);
        Ok(())
    }),
    row("autoreload", Stands::Outside, "yes or no (no): the file is read again when it changes", |r, v| {
        r.globals.autoreload = yes_no(v, "autoreload")?;
        Ok(())
    }),
    row("callback", Stands::Outside, "\"COMMAND\", run when the file has changed", |r, v| {
        quoted(v).ok_or(UNKNOWN)?.clone_into(&mut r.globals.callback);
        Ok(())
    }),
    row("fallback", Stands::Both, "ADDRESS[:PORT] [gate|masq|ipip], when no server is up", |r, v| {
        let fallback = fallback(v)?;
        r.inherited().fallback = Some(fallback);
        Ok(())
    }),
    row("fallbackcommand", Stands::Both, "COMMAND, run with start or stop", |r, v| {
        // Only a section takes quotes away.
        let command = if r.section.is_some() { quoted(v).unwrap_or(v) } else { v };
        r.inherited().fallback_command = Some(given(command, "invalid fallback command")?.trim_end().to_owned());
        Ok(())
    }),
    row("logfile", Stands::Outside, "\"PATH\" or a \"FACILITY\" of syslog (/var/log/ldirectord.log)", |r, v| {
        quoted(v).ok_or(UNKNOWN)?.clone_into(&mut r.globals.log);
        Ok(())
    }),
    row("supervised", Stands::Outside, "yes or no (no): it stays in the foreground", |r, v| {
        r.globals.supervised = v.trim().is_empty() || yes_no(v, "supervised")?;
        if v.is_empty() {
            r.warn("please update your config not to use a bare supervised directive");
        }
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
    row("readdquiescent", Stands::Outside, "yes or no (no)", |r, v| {
        r.inherited().readd_quiescent = Some(yes_no(v, "readdquiescent")?);
        Ok(())
    }),
    row("cleanstop", Stands::Both, "yes or no (yes): everything is removed at the end", |r, v| {
        r.inherited().clean_stop = Some(yes_no(v, "cleanstop")?);
        Ok(())
    }),
    row("maintenancedir", Stands::Outside, "a folder: a server with a file of its name there is down", |r, v| {
        let folder = given(v, "maintenance directory not specified")?;
        folder.trim_end_matches('/').clone_into(&mut r.globals.maintenance);
        Ok(())
    }),
    Directive {
        word: "execute",
        stands: Stands::Outside,
        about: "start the other instance by itself",
        status: Status::Refused,
        set: |_, _| Ok(()),
    },
    idle("emailalert", Stands::Both, NO_MAIL, |_, v| {
        given(quoted(v).unwrap_or(v), "no email address specified").map(|_| ())
    }),
    idle("emailalertfrom", Stands::Outside, NO_MAIL, |_, v| given(v, "no email from address specified").map(|_| ())),
    idle("emailalertfreq", Stands::Both, NO_MAIL, |_, v| match v.starts_with(|c: char| c.is_ascii_digit()) {
        true => Ok(()),
        false => Err("invalid email alert frequency".to_owned()),
    }),
    idle("emailalertstatus", Stands::Both, NO_MAIL, |_, v| {
        const KNOWN: &[&str] = &["none", "all", "starting", "stopping", "running", "reloading"];
        let states: Vec<&str> = v.split(',').map(str::trim).collect();
        if let Some(unknown) = states.iter().find(|state| !KNOWN.contains(state)) {
            return Err(format!("invalid email alert status at: \"{unknown}\""));
        }
        match states.iter().find(|state| **state != "none") {
            Some(state) if states.contains(&"none") => {
                Err(format!("invalid email alert status: \"{state}\" specified with \"none\""))
            }
            _ => Ok(()),
        }
    }),
    idle("smtp", Stands::Both, NO_MAIL, |_, v| {
        match v.starts_with(|c: char| c.is_ascii_alphanumeric() || "._+-".contains(c)) {
            true => Ok(()),
            false => Err("invalid SMTP server address".to_owned()),
        }
    }),
    row(
        "real",
        Stands::Section,
        "ADDRESS[->LAST][:PORT] gate|masq|ipip [WEIGHT] [\"REQUEST\", \"RECEIVE\"] [l:N] [u:N]",
        real::read,
    ),
    row("checktype", Stands::Section, "negotiate, connect, ping, external, off, on or a number", |r, v| {
        const REFUSED: &str = "checktype must be \"connect\", \"negotiate\", \"on\", \"off\", \"ping\", \"external\", \"external-perl\" or a positive number";
        // A number anywhere in it is the number.
        if let Some(digits) = run(v, |c| c.is_ascii_digit()) {
            r.section()?.it.check = CheckType::Combined(digits.parse().map_err(|_| REFUSED)?);
            return Ok(());
        }
        let check = match run(v, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-').unwrap_or_default() {
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
            _ => return Err(REFUSED.to_owned()),
        };
        r.section()?.it.check = check;
        Ok(())
    }),
    row("service", Stands::Section, "what is spoken there (by the port)", |r, v| {
        let v = word(v);
        let known = SERVICES.iter().any(|(_, name)| *name == v) || OTHER_SERVICES.contains(&v);
        if !known {
            return Err("service must be dns, ftp, http, https, http_proxy, imap, imaps, ldap, ldaps, mysql, nntp, none, oracle, pop, pops, radius, pgsql, simpletcp, sip, smtp or submission".to_owned());
        }
        v.clone_into(&mut r.section()?.it.service);
        Ok(())
    }),
    row("request", Stands::Section, "\"PATH\"", |r, v| {
        r.section()?.it.request = path(given(quoted(v).ok_or(UNKNOWN)?, "no request string specified")?);
        Ok(())
    }),
    row("receive", Stands::Section, "\"EXPRESSION\" that the answer must match", |r, v| {
        let pattern = given(quoted(v).ok_or(UNKNOWN)?, "invalid receive string")?.to_owned();
        r.expression(&pattern);
        r.section()?.it.receive = pattern;
        Ok(())
    }),
    row("virtualhost", Stands::Section, "\"NAME\" of the web site", |r, v| {
        let name = v.strip_prefix('"').unwrap_or(v).split('"').next().unwrap_or_default();
        name.trim_end().clone_into(&mut r.section()?.it.virtualhost);
        Ok(())
    }),
    row("httpmethod", Stands::Section, "GET or HEAD (GET)", |r, v| {
        r.section()?.it.head = match word(v).to_ascii_uppercase().as_str() {
            "GET" => false,
            "HEAD" => true,
            _ => return Err("httpmethod must be GET or HEAD".to_owned()),
        };
        Ok(())
    }),
    row("checkport", Stands::Section, "PORT, if not the server's", |r, v| {
        let digits = run(v, |c| c.is_ascii_digit()).ok_or("invalid port")?;
        r.section()?.it.check_port =
            Some(digits.parse().ok().filter(|p| *p > 0).ok_or("checkport must be in range 1..65536")?);
        Ok(())
    }),
    row("checkcommand", Stands::Section, "\"COMMAND\" (/bin/true)", |r, v| {
        given(quoted(v).unwrap_or(v), "invalid check command")?
            .trim_end()
            .clone_into(&mut r.section()?.it.check_command);
        Ok(())
    }),
    row("scheduler", Stands::Section, "a scheduler (wrr)", |r, v| {
        const REFUSED: &str = "invalid scheduler, should be only lowercase letters (a-z)";
        run(v, |c| c.is_ascii_lowercase()).ok_or(REFUSED)?.clone_into(&mut r.section()?.it.scheduler);
        Ok(())
    }),
    row("persistent", Stands::Section, "seconds a client stays with its server", |r, v| {
        let digits = run(v, |c| c.is_ascii_digit()).ok_or("invalid persistent timeout")?;
        match digits.parse().ok().filter(|seconds| (1..=PERSISTENT_MAX).contains(seconds)) {
            Some(seconds) => r.section()?.it.persistent = Some(Duration::from_secs(seconds)),
            None => r.not_modelled(
                "ipvsadm takes no such time (-p): the service would never be there",
                "from 1 to 2678400 seconds, or leave it out",
            ),
        }
        Ok(())
    }),
    row("netmask", Stands::Section, "clients that are one client", |r, v| {
        const REFUSED: &str = "invalid netmask: dotted quad notation is required";
        let parts: Vec<&str> = v.split('.').collect();
        let digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        if parts.len() != 4 || !parts.iter().all(digits) {
            return Err(REFUSED.to_owned());
        }
        match v.parse() {
            Ok(netmask) => r.section()?.it.netmask = netmask,
            Err(_) => r.not_modelled(
                "ipvsadm takes no such netmask (-M): the service would never be there",
                "such as 255.255.255.0",
            ),
        }
        Ok(())
    }),
    row("protocol", Stands::Section, "tcp, udp or fwm", protocol),
    row("ops", Stands::Section, "yes or no (no): each datagram is scheduled anew", |r, v| {
        r.section()?.it.one_packet = yes_no(v, "ops")?;
        Ok(())
    }),
    idle("login", Stands::Section, NO_LOGIN, |_, v| string(v, "invalid login string")),
    idle("passwd", Stands::Section, NO_LOGIN, |_, v| string(v, "invalid password")),
    idle("database", Stands::Section, NO_LOGIN, |_, v| string(v, "invalid database")),
    idle("secret", Stands::Section, NO_LOGIN, |_, v| string(v, "invalid secret")),
    idle("load", Stands::Section, "it has no effect in ldirectord either", |_, v| {
        string(v, "invalid string for load testing")
    }),
    idle("monitorfile", Stands::Section, "no such file is written", anything),
    idle("servicename", Stands::Section, "only for people", anything),
    idle("comment", Stands::Section, "only for people", anything),
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
                self.unknown("an empty line ends the section");
            }
            self.end_section();
            return;
        }
        if self.section.is_some() && blanks >= 4 {
            // Blanks behind a value stay: `yes ` is neither yes nor no.
            let value = without_comment(raw).trim_start();
            if !value.is_empty() {
                self.directive(value, true);
            }
            return;
        }
        self.end_section();
        if blanks > 0 {
            let hint = "lines of a section follow its `virtual` without an empty line, indented by 4 blanks or a tab";
            self.unknown(hint);
            return;
        }
        if let Some(value) = value_of(trimmed, "virtual") {
            self.open_section(without_comment(value).trim_end());
        } else if value_of(trimmed, "virtual6").is_some() {
            self.not_modelled("IPv6 is not modelled", "use IPv4 addresses");
        } else {
            self.directive(raw, false);
        }
    }

    fn directive(&mut self, text: &str, in_section: bool) {
        let split = text.split_once('=').map(|(word, value)| (word.trim_end(), value.trim_start()));
        // Only `supervised` stands without `=`.
        let bare = text.trim_end();
        let (word, value) = split.unwrap_or((if bare == "supervised" { bare } else { "" }, ""));
        match word {
            "connecttimeout" => {
                return self.error("connecttimeout directive deprecated in favour of negotiatetimeout".to_owned(), "");
            }
            "timeout" if !in_section => {
                let text = "timeout directive deprecated in favour of checktimeout and negotiatetimeout";
                return self.error(text.to_owned(), "");
            }
            _ => {}
        }
        match word {
            "real6" | "fallback6" if in_section => {
                let meant = &word[..word.len() - 1];
                return self.error(format!("cannot specify \"{word}\" here.  please use \"{meant}\" instead"), "");
            }
            "fallback6" => return self.not_modelled("IPv6 is not modelled", "use IPv4 addresses"),
            _ => {}
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
            self.unknown(hint);
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
        match (directive.set)(self, value) {
            Ok(()) => {}
            Err(text) if text == UNKNOWN => self.unknown(directive.about),
            Err(text) if value != value.trim_end() && directive.about.starts_with("yes or no") => {
                self.error(text, "ldirectord does not take the blanks behind the value, nor a comment behind it");
            }
            Err(text) => self.error(text, directive.about),
        }
    }

    /// The line is none of ldirectord's.
    fn unknown(&mut self, hint: &str) {
        let text = match self.section.is_some() {
            true => format!("Unknown command \"{}\"", self.raw),
            false => format!("Unknown command {}", self.raw),
        };
        self.error(text, hint);
    }

    fn open_section(&mut self, value: &str) {
        let mark = value.find(|c: char| !c.is_ascii_digit()).map_or(value, |end| &value[..end]);
        let address = value.split([' ', '\t']).next().and_then(address_port);
        let key = match (address, mark.parse::<u32>()) {
            (Some(at), _) if value.contains(':') => Some(ServiceKey::Address(Transport::Tcp, at)),
            (_, Ok(mark)) if mark > 0 && !value.contains(':') => {
                if value.contains('.') {
                    self.note(
                        &format!("ldirectord takes this for the firewall mark {mark}: there is no port"),
                        "virtual=ADDRESS:PORT",
                    );
                }
                Some(ServiceKey::Mark(mark))
            }
            (_, Ok(0)) if !value.contains(':') => {
                self.not_modelled("no packet has the firewall mark 0: ipvsadm refuses it", "from 1 on");
                None
            }
            _ => {
                let named = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
                let text = match value.split_once(':') {
                    Some((host, _)) if !host.is_empty() && host.chars().all(named) => {
                        "invalid address for virtual service"
                    }
                    Some(("[", _)) => "cannot specify an IPv6 address here. please use \"virtual6\" instead.",
                    Some(_) | None => "invalid address for virtual server",
                };
                self.error(text.to_owned(), "ADDRESS:PORT, or a firewall mark; names are not looked up here");
                None
            }
        };
        let Some(key) = key else {
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
        // ldirectord says it where the section has ended.
        let line = self.line;
        if self.virtuals.iter().any(|known| known.it.key == section.it.key) {
            self.error("duplicate virtual server".to_owned(), "a virtual server stands once");
        } else if self.line == section.line {
            self.error("duplicate virtual server".to_owned(), "ldirectord reads a `virtual` in the last line twice");
        }
        self.line = section.line;
        let speaks = matches!(section.it.check, CheckType::Negotiate | CheckType::Combined(_));
        if speaks && UNSPOKEN.contains(&section.it.service.as_str()) {
            let text = format!("the service {} is not modelled", section.it.service);
            self.not_modelled(&text, "checktype=connect");
        }
        if section.it.one_packet && section.it.protocol() == "tcp" {
            self.not_modelled(
                "ipvsadm takes -o for UDP only: the service would never be there",
                "protocol=udp, or ops=no",
            );
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
        if regex::RegexBuilder::new(pattern).size_limit(EXPRESSION_MAX).build().is_err() {
            self.not_modelled("this regular expression is not modelled", "look-around and back-references are not");
        }
    }

    fn error(&mut self, text: String, hint: &str) {
        self.say(RemarkKind::Error, text, hint);
    }

    fn warn(&mut self, text: &str) {
        self.say(RemarkKind::Warning, text.to_owned(), "");
    }

    /// Something that ldirectord does not say.
    fn note(&mut self, text: &str, hint: &str) {
        self.say(RemarkKind::Note, text.to_owned(), hint);
    }

    /// A number of seconds, and so on: the first digits of the value; zero is none.
    fn number(&self, value: &str, what: &str) -> Result<u32, String> {
        let behind = if self.section.is_some() { "" } else { " value" };
        let digits = run(value, |c| c.is_ascii_digit());
        digits
            .and_then(|digits| digits.parse().ok())
            .filter(|n| *n > 0)
            .ok_or_else(|| format!("invalid {what}{behind}"))
    }

    fn seconds(&self, value: &str, what: &str) -> Result<Duration, String> {
        self.number(value, what).map(|seconds| Duration::from_secs(seconds.into()))
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
    section.it.key = match (word(value), section.it.key) {
        ("", _) => return Err("invalid protocol".to_owned()),
        ("tcp", ServiceKey::Address(_, at)) => ServiceKey::Address(Transport::Tcp, at),
        ("udp", ServiceKey::Address(_, at)) => ServiceKey::Address(Transport::Udp, at),
        ("fwm", ServiceKey::Mark(mark)) => ServiceKey::Mark(mark),
        (_, ServiceKey::Mark(_)) => {
            return Err("protocol must be fwm if the virtual service is a fwmark (a number)".to_owned());
        }
        (_, ServiceKey::Address(..)) => {
            return Err("protocol must be tcp or udp if the virtual service is an address and port".to_owned());
        }
    };
    Ok(())
}

fn fallback(value: &str) -> Result<Fallback, String> {
    let mut words = value.split_whitespace();
    let at = words.next().and_then(address_port).ok_or_else(|| format!("invalid fallback server: {value}"))?;
    // ldirectord looks at the last word.
    let method = match words.next_back() {
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
    text.split('#').next().unwrap_or_default()
}

/// The value behind a word and `=`.
fn value_of<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.trim_start().strip_prefix('=').map(str::trim)
}

/// The first characters of that kind, wherever they stand.
fn run(value: &str, kind: impl Fn(char) -> bool) -> Option<&str> {
    let rest = &value[value.find(&kind)?..];
    Some(&rest[..rest.find(|c| !kind(c)).unwrap_or(rest.len())])
}

/// The first word.
fn word(value: &str) -> &str {
    run(value, |c| c.is_ascii_alphanumeric() || c == '_').unwrap_or_default()
}

/// A value that must not be empty.
fn given<'v>(value: &'v str, otherwise: &str) -> Result<&'v str, String> {
    if value.is_empty() { Err(otherwise.to_owned()) } else { Ok(value) }
}

/// A value in quotes that is not used.
fn string(value: &str, otherwise: &str) -> Set {
    given(quoted(value).ok_or(UNKNOWN)?, otherwise).map(|_| ())
}

fn anything(_: &mut Reader<'_>, _: &str) -> Set {
    Ok(())
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
        assert_eq!(found, [(4, "Unknown command     service=http".to_owned())]);
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
