//! Reads `haproxy.cfg`: `global`, `defaults`, `frontend`, `backend`, `listen`.
//!
//! Follows haproxy 2.6's configuration manual for what is here. Words that change nothing in the lab are accepted; what
//! would change something is refused, with its line.

mod acl;
mod defaults;
mod known;

use super::when::{Test, When};
use super::words::words;
use super::{
    Action, Backend, Balance, Check, Frontend, HttpCheck, LogFormat, Mode, Problem, Program, Route, Server, Setup,
    read_end,
};
use crate::base::time::Duration;
use defaults::Defaults;
use known::{ACCEPTED, ACCEPTED_OPTIONS, OTHER_SECTIONS, REFUSED};

/// Where the file is, as every distribution has it.
pub const FILE: &str = "/etc/haproxy/haproxy.cfg";

/// A section being read.
#[derive(Clone, Debug)]
struct Section {
    kind: Kind,
    name: String,
    line: usize,
    settings: Defaults,
    binds: Vec<crate::wire::flow::SocketAddr>,
    servers: Vec<Server>,
    /// `acl`, each line by its name.
    acls: Vec<(String, Test)>,
    /// `use_backend`, with its line.
    switches: Vec<(String, When, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Global,
    Defaults,
    Frontend,
    Backend,
    Listen,
}

struct Reader<'a> {
    file: &'a str,
    problems: Vec<Problem>,
    defaults: Defaults,
    logs: bool,
    sections: Vec<Section>,
}

/// What the file says, and what is wrong with it; it can be used if nothing but notes is.
pub fn read(text: &str, file: &str) -> (Setup, Vec<Problem>) {
    let mut reader =
        Reader { file, problems: Vec::new(), defaults: Defaults::default(), logs: false, sections: Vec::new() };
    let (mut kind, mut in_other) = (None, false);
    for (line, text) in text.lines().enumerate() {
        let split = words(text);
        let words: Vec<&str> = split.iter().map(String::as_str).collect();
        let Some((first, rest)) = words.split_first() else { continue };
        match *first {
            "global" => kind = Some(Kind::Global),
            "defaults" => {
                kind = Some(Kind::Defaults);
                reader.defaults = Defaults { logs: false, ..Defaults::default() };
            }
            "frontend" | "backend" | "listen" => {
                kind = Some(match *first {
                    "frontend" => Kind::Frontend,
                    "backend" => Kind::Backend,
                    _ => Kind::Listen,
                });
                reader.open(kind.unwrap_or(Kind::Listen), rest, line + 1);
            }
            other if OTHER_SECTIONS.contains(&other) && !text.starts_with([' ', '\t']) => {
                kind = None;
                in_other = true;
                reader.not_modelled(line + 1, other);
            }
            _ if in_other && kind.is_none() => {}
            _ => match kind {
                Some(kind) => reader.statement(kind, first, rest, line + 1),
                None => reader.wrong(line + 1, format!("unknown keyword '{first}' out of section.")),
            },
        }
    }
    let setup = reader.finish();
    (setup, reader.problems)
}

impl Reader<'_> {
    fn wrong(&mut self, line: usize, text: String) {
        self.say(line, text, false, false);
    }

    fn not_modelled(&mut self, line: usize, what: &str) {
        self.say(line, format!("'{what}' is not modelled"), true, false);
    }

    fn say(&mut self, line: usize, text: String, is_not_modelled: bool, is_note: bool) {
        self.problems.push(Problem { file: self.file.to_owned(), line, text, is_not_modelled, is_note });
    }

    fn open(&mut self, kind: Kind, rest: &[&str], line: usize) {
        let Some(name) = rest.first() else {
            return self.wrong(line, "a section needs a name: '<id>'.".to_owned());
        };
        let mut settings = self.defaults.clone();
        settings.logs = self.defaults.logs;
        let mut section = Section {
            kind,
            name: (*name).to_owned(),
            line,
            settings,
            binds: Vec::new(),
            servers: Vec::new(),
            acls: Vec::new(),
            switches: Vec::new(),
        };
        // The old way: `listen NAME ADDRESS:PORT`.
        for end in rest.iter().skip(1).flat_map(|words| words.split(',')) {
            match read_end(end, 80) {
                Some(bind) => section.binds.push(bind),
                None => self.wrong(line, format!("invalid address: '{end}'")),
            }
        }
        self.sections.push(section);
    }

    fn statement(&mut self, kind: Kind, word: &str, rest: &[&str], line: usize) {
        if word == "no" {
            return self.say(line, format!("'no {}' changes nothing here", rest.join(" ")), false, true);
        }
        if word == "log" {
            match kind {
                Kind::Global => self.logs = rest.first() != Some(&"global"),
                Kind::Defaults => self.defaults.logs = true,
                Kind::Frontend | Kind::Backend | Kind::Listen => {
                    if let Some(section) = self.sections.last_mut() {
                        section.settings.logs = true;
                    }
                }
            }
            return;
        }
        if ACCEPTED.contains(&word) || word.starts_with("tune.") || (kind == Kind::Global && word == "maxconn") {
            if word == "stats" && matches!(rest.first(), Some(&("enable" | "uri" | "auth"))) {
                self.say(line, "the statistics page is not served".to_owned(), false, true);
            }
            return;
        }
        if REFUSED.contains(&word) && matches!(kind, Kind::Global | Kind::Defaults) {
            return self.not_modelled(line, word);
        }
        match kind {
            Kind::Global => self.wrong(line, format!("unknown keyword '{word}' in 'global' section")),
            Kind::Defaults => {
                let mut defaults = self.defaults.clone();
                self.setting(&mut defaults, word, rest, line, "defaults");
                self.defaults = defaults;
            }
            Kind::Frontend | Kind::Backend | Kind::Listen => self.in_section(kind, word, rest, line),
        }
    }

    fn in_section(&mut self, kind: Kind, word: &str, rest: &[&str], line: usize) {
        let title = match kind {
            Kind::Frontend => "frontend",
            Kind::Backend => "backend",
            Kind::Listen | Kind::Global | Kind::Defaults => "listen",
        };
        let Some(mut section) = self.sections.pop() else { return };
        match (word, kind) {
            ("bind", Kind::Frontend | Kind::Listen) => {
                for end in rest.first().into_iter().flat_map(|ends| ends.split(',')) {
                    match read_end(end, 80) {
                        Some(bind) => section.binds.push(bind),
                        None => self.wrong(line, format!("'bind' : invalid address: '{end}'")),
                    }
                }
                let mut options = rest.iter().skip(1);
                while let Some(option) = options.next() {
                    match *option {
                        "transparent" | "defer-accept" | "v4v6" | "tfo" => {}
                        "process" | "name" | "id" | "level" | "mode" | "user" | "group" | "maxconn" | "backlog"
                        | "nice" | "alpn" | "thread" | "shards" | "interface" | "mss" | "tcp-ut" => {
                            options.next();
                        }
                        "accept-proxy" => self.not_modelled(line, "bind … accept-proxy"),
                        "ssl" => {
                            self.not_modelled(line, "bind … ssl");
                            break;
                        }
                        "crt" => self.not_modelled(line, "bind … crt"),
                        other => self.wrong(line, format!("'bind {}' : unknown keyword '{other}'.", rest[0])),
                    }
                }
            }
            ("server", Kind::Backend | Kind::Listen) => {
                if let Some(server) = self.server(rest, line, &section.settings) {
                    section.servers.push(server);
                }
            }
            ("acl", _) => {
                if let Some(test) = self.acl(rest, line) {
                    section.acls.push((rest[0].to_owned(), test));
                }
            }
            ("use_backend", Kind::Frontend | Kind::Listen) => match rest {
                [name, ..] if name.contains("%[") => self.not_modelled(line, "use_backend %[…]"),
                [name, condition @ ..] => {
                    if let Some(when) = self.when(condition, &section.acls, line) {
                        section.switches.push(((*name).to_owned(), when, line));
                    }
                }
                [] => self.wrong(line, "'use_backend' expects a backend name.".to_owned()),
            },
            // They write into a request or an answer what nobody here reads.
            ("http-request" | "http-response", _)
                if matches!(
                    rest.first(),
                    Some(
                        &("set-header" | "add-header" | "del-header" | "replace-header" | "set-log-level" | "capture")
                    )
                ) =>
            {
                self.say(line, format!("'{word} {}' has no effect here", rest[0]), false, true);
            }
            ("reqadd" | "rspadd" | "reqidel" | "rspidel" | "reqirep" | "rspirep" | "rspdel" | "reqdel", _) => {
                self.say(line, format!("'{word}' has no effect here"), false, true);
            }
            _ if REFUSED.contains(&word) => self.not_modelled(line, word),
            ("default-server", _) => {
                let usual = crate::wire::flow::SocketAddr { address: std::net::Ipv4Addr::UNSPECIFIED, port: 0 };
                let words: Vec<&str> = rest.iter().copied().chain(["check"]).collect();
                let mut server = Server::new("default", usual);
                self.server_options(&mut server, &words, line, section.settings.check_inter);
                section.settings.check_inter = server.check;
            }
            _ => {
                let mut settings = section.settings.clone();
                self.setting(&mut settings, word, rest, line, title);
                section.settings = settings;
            }
        }
        self.sections.push(section);
    }

    fn setting(&mut self, settings: &mut Defaults, word: &str, rest: &[&str], line: usize, title: &str) {
        let first = rest.first().copied().unwrap_or_default();
        match word {
            "mode" => match first {
                "tcp" => settings.mode = Mode::Tcp,
                "http" => settings.mode = Mode::Http,
                "health" => self.not_modelled(line, "mode health"),
                other => self.wrong(line, format!("unknown proxy mode '{other}'.")),
            },
            "balance" => match first {
                "roundrobin" | "static-rr" => settings.balance = Balance::RoundRobin,
                "leastconn" => settings.balance = Balance::LeastConnections,
                "source" => settings.balance = Balance::Source,
                "first" => settings.balance = Balance::First,
                "uri" | "url_param" | "rdp-cookie" | "random" | "hash" => {
                    self.not_modelled(line, &format!("balance {first}"))
                }
                other if other.starts_with("hdr(") => self.not_modelled(line, "balance hdr()"),
                other => self.wrong(line, format!("unknown balance algorithm '{other}'.")),
            },
            "timeout" | "contimeout" | "clitimeout" | "srvtimeout" => self.timeout(settings, word, rest, line),
            "retries" => match first.parse() {
                Ok(count) => settings.retries = count,
                Err(_) => {
                    self.wrong(line, "'retries' expects an integer argument (dispatch counts for one).".to_owned())
                }
            },
            "maxconn" => match first.parse() {
                Ok(count) => settings.max_connections = count,
                Err(_) => self.wrong(line, "'maxconn' expects an integer argument.".to_owned()),
            },
            "default_backend" => settings.default_backend = first.to_owned(),
            "option" => self.option(settings, rest, line),
            "http-check" => match rest {
                ["expect", "status", status] => match (status.parse(), &mut settings.http_check) {
                    (Ok(status), Some(check)) => check.expected = Some(status),
                    (Ok(_), None) => self.wrong(line, "'http-check' needs 'option httpchk'".to_owned()),
                    (Err(_), _) => self.wrong(line, format!("'http-check expect' : invalid status '{status}'")),
                },
                ["send", words @ ..] => {
                    let usual = HttpCheck {
                        method: "OPTIONS".into(),
                        uri: "/".into(),
                        version: "HTTP/1.0".into(),
                        expected: None,
                    };
                    let check = settings.http_check.get_or_insert(usual);
                    for pair in words.chunks(2) {
                        match pair {
                            ["meth", value] => check.method = (*value).to_owned(),
                            ["uri", value] => check.uri = (*value).to_owned(),
                            ["ver", value] => check.version = (*value).to_owned(),
                            _ => {}
                        }
                    }
                }
                ["disable-on-404" | "send-state", ..] => {}
                _ => self.not_modelled(line, &format!("http-check {}", rest.join(" "))),
            },
            "bind" | "server" => self.wrong(line, format!("'{word}' not allowed in '{title}' section.")),
            other => self.wrong(line, format!("unknown keyword '{other}' in '{title}' section")),
        }
    }

    fn timeout(&mut self, settings: &mut Defaults, word: &str, rest: &[&str], line: usize) {
        let (what, value) = match (word, rest) {
            ("contimeout", [value, ..]) => ("connect", *value),
            ("clitimeout", [value, ..]) => ("client", *value),
            ("srvtimeout", [value, ..]) => ("server", *value),
            (_, [what, value, ..]) => (*what, *value),
            _ => return self.wrong(line, "'timeout' expects a name and a time.".to_owned()),
        };
        let Some(time) = duration(value) else {
            return self.wrong(line, format!("unexpected character in 'timeout {what}' : '{value}'"));
        };
        match what {
            "connect" => settings.connect = time,
            "client" => settings.client = time,
            "server" => settings.server = time,
            "queue" | "check" | "http-request" | "http-keep-alive" | "tunnel" | "client-fin" | "server-fin"
            | "tarpit" => {}
            other => self.wrong(line, format!("'timeout' does not have a name '{other}'")),
        }
    }

    fn option(&mut self, settings: &mut Defaults, rest: &[&str], line: usize) {
        match rest {
            ["httplog", ..] => settings.log = LogFormat::Http,
            ["tcplog", ..] => settings.log = LogFormat::Tcp,
            ["forwardfor", ..] => settings.forwards_for = true,
            ["redispatch", ..] => settings.redispatches = true,
            ["tcp-check"] => settings.http_check = None,
            ["httpchk", words @ ..] => {
                let (method, uri, version) = match words {
                    [] => ("OPTIONS", "/", "HTTP/1.0".to_owned()),
                    [uri] => ("OPTIONS", *uri, "HTTP/1.0".to_owned()),
                    [method, uri] => (*method, *uri, "HTTP/1.0".to_owned()),
                    [method, uri, version @ ..] => (*method, *uri, version.join(" ")),
                };
                let check = HttpCheck { method: method.to_owned(), uri: uri.to_owned(), version, expected: None };
                settings.http_check = Some(check);
            }
            [name, ..] if ACCEPTED_OPTIONS.contains(name) => {}
            [
                "ssl-hello-chk" | "mysql-check" | "redis-check" | "smtpchk" | "ldap-check" | "pgsql-check" | "persist"
                | "transparent" | "http_proxy" | "prefer-last-server" | "external-check" | "originalto",
                ..,
            ] => {
                self.not_modelled(line, &format!("option {}", rest[0]));
            }
            [name, ..] => self.wrong(line, format!("unknown option '{name}'.")),
            [] => self.wrong(line, "'option' expects an option name.".to_owned()),
        }
    }

    fn server(&mut self, rest: &[&str], line: usize, settings: &Defaults) -> Option<Server> {
        let [name, end, options @ ..] = rest else {
            self.wrong(line, "'server' expects <name> and <addr>[:<port>] as arguments.".to_owned());
            return None;
        };
        let Some(address) = read_end(end, 80) else {
            self.wrong(line, format!("'server {name}' : could not resolve address '{end}'."));
            return None;
        };
        let mut server = Server::new(name, address);
        self.server_options(&mut server, options, line, settings.check_inter);
        Some(server)
    }

    fn server_options(&mut self, server: &mut Server, options: &[&str], line: usize, usual: Option<Check>) {
        let mut check = usual.unwrap_or_default();
        let mut is_checked = false;
        let mut words = options.iter().copied();
        while let Some(word) = words.next() {
            let mut number = |problem: &mut Vec<Problem>, file: &str| -> u32 {
                let value = words.next().unwrap_or_default();
                value.parse().unwrap_or_else(|_| {
                    let text = format!("'server {}' : '{word}' expects a number, not '{value}'", server.name);
                    problem.push(Problem { file: file.to_owned(), line, text, is_not_modelled: false, is_note: false });
                    0
                })
            };
            match word {
                "check" => is_checked = true,
                "backup" => server.is_backup = true,
                "disabled" => server.is_disabled = true,
                "enabled" => server.is_disabled = false,
                "non-stick" | "no-check" | "no-ssl" | "no-verifyhost" | "tfo" | "stick" => {}
                "weight" => server.weight = number(&mut self.problems, self.file).min(256),
                "maxconn" => server.max_connections = number(&mut self.problems, self.file) as usize,
                "rise" => check.rise = number(&mut self.problems, self.file),
                "fall" => check.fall = number(&mut self.problems, self.file),
                "port" => check.port = number(&mut self.problems, self.file) as u16,
                "inter" => {
                    let value = words.next().unwrap_or_default();
                    match duration(value).filter(|time| *time > Duration::ZERO) {
                        Some(time) => check.inter = time,
                        None => self.wrong(line, format!("invalid 'inter' value '{value}'")),
                    }
                }
                // Only with `cookie`, which is refused by itself.
                "cookie" | "maxqueue" | "minconn" | "slowstart" | "on-marked-down" | "on-marked-up" | "id"
                | "fastinter" | "downinter" | "init-addr" | "resolve-prefer" | "tcp-ut" | "error-limit"
                | "agent-inter" => {
                    words.next();
                }
                "ssl" | "verify" | "send-proxy" | "send-proxy-v2" | "addr" | "track" | "observe" | "resolvers"
                | "source" | "redir" => {
                    self.not_modelled(line, &format!("server … {word}"));
                    words.next();
                }
                other => self.wrong(line, format!("'server {}' : unknown keyword '{other}'.", server.name)),
            }
        }
        if is_checked {
            server.check = Some(check);
        }
    }

    fn finish(&mut self) -> Setup {
        let mut setup = Setup { program: Program::Haproxy, ..Setup::default() };
        let sections = std::mem::take(&mut self.sections);
        setup.logs = self.logs && sections.iter().any(|section| section.settings.logs);
        let mut numbers: Vec<(String, usize)> = Vec::new();
        for section in sections.iter().filter(|section| section.kind != Kind::Frontend) {
            if section.kind == Kind::Listen && section.servers.is_empty() {
                continue;
            }
            numbers.push((section.name.clone(), setup.backends.len()));
            let Defaults { balance, connect, server, retries, redispatches, http_check, forwards_for, .. } =
                section.settings.clone();
            setup.backends.push(Backend {
                name: section.name.clone(),
                balance,
                servers: section.servers.clone(),
                connect_timeout: connect,
                server_timeout: server,
                retries,
                redispatches,
                http_check,
                forwards_for,
                headers: Vec::new(),
            });
        }
        for section in sections.iter().filter(|section| section.kind != Kind::Backend) {
            let Section { kind, name, line, settings, binds, servers, .. } = section;
            let own = (*kind == Kind::Listen && !servers.is_empty()).then_some(name);
            let wanted = own.unwrap_or(&settings.default_backend);
            let backend = numbers.iter().find(|(known, _)| known == wanted).map(|(_, number)| *number);
            if binds.is_empty() {
                self.say(
                    *line,
                    format!(
                        "{} '{name}' has no 'bind' directive. Please declare it as a backend if this was intended.",
                        if own.is_some() { "listen" } else { "frontend" }
                    ),
                    false,
                    true,
                );
                continue;
            }
            if backend.is_none() && !wanted.is_empty() {
                self.wrong(*line, format!("Proxy '{name}': unable to find required default_backend: '{wanted}'."));
            }
            let route =
                |when, backend| Route { prefix: "/".into(), exact: false, when, action: Action::Backend(backend) };
            let mut routes = Vec::new();
            for (wanted, when, line) in &section.switches {
                match numbers.iter().find(|(known, _)| known == wanted) {
                    Some((_, number)) => routes.push(route(Some(when.clone()), *number)),
                    None => {
                        self.wrong(*line, format!("Proxy '{name}': unable to find required use_backend: '{wanted}'."))
                    }
                }
            }
            routes.extend(backend.map(|backend| route(None, backend)));
            setup.frontends.push(Frontend {
                name: name.clone(),
                binds: binds.clone(),
                mode: settings.mode,
                routes,
                forwards_for: settings.forwards_for,
                log: settings.log,
                client_timeout: settings.client,
                max_connections: settings.max_connections,
            });
        }
        setup
    }
}

/// haproxy's times: milliseconds unless a unit follows.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = match unit {
        "us" => Duration::from_micros(1),
        "" | "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(86_400),
        _ => return None,
    };
    number.checked_mul(unit.nanos()).map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "global\n log 127.0.0.1 local2\n maxconn 4000\n daemon\ndefaults\n mode http\n log global\n option httplog\n option forwardfor except 127.0.0.0/8\n retries 3\n timeout connect 10s\n timeout client 1m\n timeout server 1m\nfrontend main\n bind *:5000\n default_backend app\nbackend app\n balance roundrobin\n server a 10.0.0.1:80 check inter 1000 rise 1 fall 2 weight 3\n server b 10.0.0.2 check backup\n";

    #[test]
    fn the_usual_file_is_read() {
        let (setup, problems) = read(USUAL, "haproxy.cfg");
        assert_eq!(problems, []);
        assert!(setup.logs);
        let [frontend] = &setup.frontends[..] else { panic!("one frontend") };
        assert_eq!((frontend.binds[0].to_string().as_str(), frontend.mode), ("0.0.0.0:5000", Mode::Http));
        let [a, b] = &setup.backends[0].servers[..] else { panic!("two servers") };
        assert_eq!((a.weight, a.check), (3, Some(Check { inter: Duration::from_secs(1), rise: 1, fall: 2, port: 0 })));
        assert_eq!((b.address.port, b.is_backup), (80, true));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, words) in [
            ("frontend f\n bind *:80\n acl x nbsrv(a) lt 1\n", 3, "'acl … nbsrv(a)' is not modelled"),
            (
                "frontend f\n bind *:80\n use_backend b if x\n",
                3,
                "error detected while parsing a condition : no such ACL : 'x'.",
            ),
            ("frontend f\n bind *:80\n ballance x\n", 3, "unknown keyword 'ballance' in 'frontend' section"),
            ("listen f\n bind *:80\n server a\n", 3, "'server' expects <name> and <addr>[:<port>] as arguments."),
            ("listen f\n bind *:80\n balance best\n", 3, "unknown balance algorithm 'best'."),
            (
                "frontend f\n bind *:80\n default_backend no\n",
                1,
                "Proxy 'f': unable to find required default_backend: 'no'.",
            ),
            ("bind *:80\n", 1, "unknown keyword 'bind' out of section."),
        ] {
            let (_, problems) = read(text, "haproxy.cfg");
            assert!(
                problems.iter().any(|problem| problem.line == line && problem.text == words),
                "{text}: {problems:?}"
            );
        }
    }
}
