//! Reads `nginx.conf`: `http`, `upstream`, `server`, `location`, with `include`.
//!
//! Words that change nothing in the lab are accepted; what would change something is refused, with its line.
//! Addresses are frontends: the `server` blocks at one address are told apart by `server_name`.

mod by_name;
mod known;

use super::when::{self, How, Test, What, When};
use super::{Action, Backend, Balance, Frontend, LogFormat, Mode, Problem, Program, Route, Server, Setup, read_end};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use by_name::{Virtual, by_address, names_of};
use known::{ACCEPTED, REFUSED};
use std::cmp::Reverse;

/// Where the file is.
pub const FILE: &str = "/etc/nginx/nginx.conf";

/// What stands there if nobody wrote another: everything in `conf.d`.
const USUAL: &str = "events {} http { include /etc/nginx/conf.d/*.conf; }";

/// Where pages are, if no `root` says otherwise.
const ROOT: &str = "/usr/share/nginx/html";

/// Files that are included, and bytes of them, at most.
const INCLUDES_MAX: usize = 64;

struct Reader<'a, 'b, 'c> {
    sys: &'a mut Sys<'b, 'c>,
    problems: Vec<Problem>,
    included: usize,
}

/// A directive with its block, if it has one.
#[derive(Clone, Debug)]
struct Directive {
    file: String,
    line: usize,
    words: Vec<String>,
    block: Option<Vec<Directive>>,
}

/// What a block hands down to those in it.
#[derive(Clone, Debug, Default)]
struct Inherited {
    root: Option<String>,
    headers: Vec<(String, String)>,
    connect: Option<Duration>,
    read: Option<Duration>,
}

/// What the host's files say, and what is wrong with them.
pub fn read(file: &str, sys: &mut Sys) -> (Setup, Vec<Problem>) {
    let mut reader = Reader { sys, problems: Vec::new(), included: 0 };
    let text = match reader.sys.read_file(file) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(_) if file == FILE => USUAL.to_owned(),
        Err(error) => {
            reader.wrong(file, 0, format!("open() \"{file}\" failed ({error})"));
            return (Setup::default(), reader.problems);
        }
    };
    let whole = reader.parse(&text, file);
    let setup = reader.lay_out(&whole);
    (setup, reader.problems)
}

/// Whether the host has anything to read but what the package brings.
pub fn is_configured(sys: &mut Sys) -> bool {
    sys.kernel.files.stat(FILE).is_ok()
        || sys.kernel.files.list("/etc/nginx/conf.d").is_ok_and(|names| !names.is_empty())
}

impl Reader<'_, '_, '_> {
    fn wrong(&mut self, file: &str, line: usize, text: String) {
        self.problems.push(Problem { file: file.into(), line, text, is_not_modelled: false, is_note: false });
    }

    fn not_modelled(&mut self, directive: &Directive) {
        let text = format!("\"{}\" is not modelled", directive.words[0]);
        let Directive { file, line, .. } = directive;
        self.problems.push(Problem { file: file.clone(), line: *line, text, is_not_modelled: true, is_note: false });
    }

    // ── text to directives ──

    fn parse(&mut self, text: &str, file: &str) -> Vec<Directive> {
        let tokens = tokens(text);
        let mut at = 0;
        let found = self.block(&tokens, &mut at, file, 0);
        if at < tokens.len() {
            self.wrong(file, tokens[at].1, "unexpected \"}\"".to_owned());
        }
        found
    }

    fn block(&mut self, tokens: &[(Token, usize)], at: &mut usize, file: &str, depth: usize) -> Vec<Directive> {
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut began = 0;
        while let Some((token, line)) = tokens.get(*at) {
            match token {
                Token::Word(word) => {
                    if words.is_empty() {
                        began = *line;
                    }
                    words.push(word.clone());
                    *at += 1;
                }
                Token::End => {
                    *at += 1;
                    if words.is_empty() {
                        self.wrong(file, *line, "unexpected \";\"".to_owned());
                        continue;
                    }
                    let words = std::mem::take(&mut words);
                    if words[0] == "include" {
                        let path = words.get(1).cloned().unwrap_or_default();
                        found.extend(self.include(&path, file, began));
                    } else {
                        found.push(Directive { file: file.into(), line: began, words, block: None });
                    }
                }
                Token::Open => {
                    *at += 1;
                    if words.is_empty() || depth > 8 {
                        self.wrong(file, *line, "unexpected \"{\"".to_owned());
                        words = vec!["block".to_owned()];
                    }
                    let inner = self.block(tokens, at, file, depth + 1);
                    match tokens.get(*at) {
                        Some((Token::Close, _)) => *at += 1,
                        _ => self.wrong(file, *line, "unexpected end of file, expecting \"}\"".to_owned()),
                    }
                    let words = std::mem::take(&mut words);
                    found.push(Directive { file: file.into(), line: began, words, block: Some(inner) });
                }
                Token::Close => {
                    if !words.is_empty() {
                        self.wrong(file, *line, format!("directive \"{}\" is not terminated by \";\"", words[0]));
                    }
                    return found;
                }
            }
        }
        if let Some(word) = words.first() {
            let text = format!("unexpected end of file, expecting \";\" or \"}}\" after \"{word}\"");
            self.wrong(file, began, text);
        }
        found
    }

    fn include(&mut self, path: &str, file: &str, line: usize) -> Vec<Directive> {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/etc/nginx/{path}") };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let names: Vec<String> = match name.split_once('*') {
            Some((before, after)) => {
                let all = self.sys.kernel.files.list(if folder.is_empty() { "/" } else { folder }).unwrap_or_default();
                all.into_iter().filter(|name| name.starts_with(before) && name.ends_with(after)).collect()
            }
            None => vec![name.to_owned()],
        };
        let mut found = Vec::new();
        for name in names {
            let whole = format!("{folder}/{name}");
            if name.starts_with("mime.types") || name.ends_with("_params") {
                continue;
            }
            self.included += 1;
            if self.included > INCLUDES_MAX {
                self.wrong(file, line, "too many included files".to_owned());
                return found;
            }
            match self.sys.read_file(&whole) {
                Ok(text) => found.extend(self.parse(&String::from_utf8_lossy(&text), &whole)),
                Err(error) => self.wrong(file, line, format!("open() \"{whole}\" failed ({error})")),
            }
        }
        found
    }

    // ── directives to a setup ──

    fn lay_out(&mut self, whole: &[Directive]) -> Setup {
        let mut setup = Setup { program: Program::Nginx, logs: true, ..Setup::default() };
        let http = whole.iter().filter(|directive| directive.words[0] == "http");
        let inside: Vec<&Directive> = http.filter_map(|directive| directive.block.as_ref()).flatten().collect();
        for directive in whole.iter().filter(|directive| !["http", "events"].contains(&directive.words[0].as_str())) {
            self.plain(directive);
        }
        if !whole.iter().any(|directive| directive.words[0] == "events") {
            self.wrong(FILE, 0, "no \"events\" section in configuration".to_owned());
        }
        let mut inherited = Inherited::default();
        for directive in &inside {
            match directive.words[0].as_str() {
                "upstream" => self.upstream(directive, &mut setup),
                "server" => {}
                _ => self.common(directive, &mut inherited),
            }
        }
        let mut servers = Vec::new();
        for directive in inside.iter().filter(|directive| directive.words[0] == "server") {
            let server = self.server(directive, &inherited, &mut setup);
            servers.push(server);
        }
        setup.frontends = by_address(&servers);
        setup
    }

    /// A directive that is not one of those handled by name.
    fn plain(&mut self, directive: &Directive) {
        let word = directive.words[0].as_str();
        if REFUSED.contains(&word) {
            self.not_modelled(directive);
        } else if !ACCEPTED.contains(&word) {
            self.wrong(&directive.file, directive.line, format!("unknown directive \"{word}\""));
        }
    }

    fn common(&mut self, directive: &Directive, inherited: &mut Inherited) {
        let word = |n: usize| directive.words.get(n).cloned().unwrap_or_default();
        match directive.words[0].as_str() {
            "root" => inherited.root = Some(word(1).trim_end_matches('/').to_owned()),
            "proxy_set_header" => inherited.headers.push((word(1), word(2))),
            "proxy_connect_timeout" => inherited.connect = self.time(&word(1), directive),
            "proxy_read_timeout" => inherited.read = self.time(&word(1), directive),
            _ => self.plain(directive),
        }
    }

    fn time(&mut self, text: &str, directive: &Directive) -> Option<Duration> {
        let time = duration(text);
        if time.is_none() {
            let text = format!("\"{}\" directive invalid value", directive.words[0]);
            self.wrong(&directive.file, directive.line, text);
        }
        time
    }

    fn upstream(&mut self, directive: &Directive, setup: &mut Setup) {
        let mut backend = usual_backend(directive.words.get(1).map_or("", String::as_str));
        for inner in directive.block.iter().flatten() {
            match inner.words[0].as_str() {
                "server" => {
                    if let Some(server) = self.upstream_server(inner) {
                        backend.servers.push(server);
                    }
                }
                "ip_hash" => backend.balance = Balance::IpHash,
                "least_conn" => backend.balance = Balance::LeastConnections,
                _ => self.plain(inner),
            }
        }
        if backend.servers.is_empty() {
            let text = format!("no servers are inside upstream in {}:{}", directive.file, directive.line);
            self.wrong(&directive.file, directive.line, text);
        }
        setup.backends.push(backend);
    }

    fn upstream_server(&mut self, directive: &Directive) -> Option<Server> {
        let end = directive.words.get(1).cloned().unwrap_or_default();
        let Some(address) = read_end(&end, 80) else {
            self.wrong(&directive.file, directive.line, format!("host not found in upstream \"{end}\""));
            return None;
        };
        let mut server = Server { max_fails: 1, ..Server::new(&end, address) };
        for word in directive.words.iter().skip(2) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let number = value.parse::<u32>().ok();
            match (name, number) {
                ("weight", Some(weight)) if weight > 0 => server.weight = weight,
                ("max_fails", Some(count)) => server.max_fails = count,
                ("max_conns", Some(count)) => server.max_connections = count as usize,
                ("fail_timeout", _) => match duration(value) {
                    Some(time) => server.fail_timeout = time,
                    None => self.wrong(&directive.file, directive.line, format!("invalid parameter \"{word}\"")),
                },
                ("backup", _) => server.is_backup = true,
                ("down", _) => server.is_disabled = true,
                _ => self.wrong(&directive.file, directive.line, format!("invalid parameter \"{word}\"")),
            }
        }
        Some(server)
    }

    fn server(&mut self, directive: &Directive, inherited: &Inherited, setup: &mut Setup) -> Virtual {
        let mut inherited = inherited.clone();
        let mut frontend = Frontend {
            mode: Mode::Http,
            log: LogFormat::Http,
            client_timeout: Duration::from_secs(60),
            max_connections: 65_536,
            ..Frontend::default()
        };
        let (mut locations, mut names, mut usual_at) = (Vec::new(), Vec::new(), Vec::new());
        for inner in directive.block.iter().flatten() {
            match inner.words[0].as_str() {
                "listen" => {
                    let end = inner.words.get(1).cloned().unwrap_or_default();
                    match read_end(&end, 80) {
                        Some(bind) => {
                            if inner.words.iter().any(|word| matches!(word.as_str(), "default_server" | "default")) {
                                usual_at.push(bind);
                            }
                            frontend.binds.push(bind);
                        }
                        // IPv6 is not modelled; the same server listens by IPv4 too.
                        None if end.starts_with('[') => {}
                        None => self.wrong(
                            &inner.file,
                            inner.line,
                            format!("host not found in \"{end}\" of the \"listen\" directive"),
                        ),
                    }
                    if inner.words.iter().any(|word| word == "ssl") {
                        self.not_modelled(&Directive { words: vec!["listen … ssl".to_owned()], ..inner.clone() });
                    }
                }
                "server_name" => {
                    names.extend(inner.words.iter().skip(1).cloned());
                    frontend.name = inner.words.get(1).cloned().unwrap_or_default();
                }
                "location" => locations.push(inner),
                "return" => locations.push(inner),
                _ => self.common(inner, &mut inherited),
            }
        }
        if frontend.binds.is_empty() {
            frontend.binds.extend(read_end("80", 80));
        }
        for location in locations {
            let route = self.location(location, &inherited, setup);
            frontend.routes.extend(route);
        }
        let root = inherited.root.unwrap_or_else(|| ROOT.to_owned());
        frontend.routes.push(Route { prefix: "/".into(), exact: false, when: None, action: Action::Files(root) });
        // `=` first, then expressions in file order, then the longest prefix.
        frontend.routes.sort_by_key(|route| match (route.exact, route.when.is_some()) {
            (true, _) => (0, Reverse(0)),
            (false, true) => (1, Reverse(0)),
            (false, false) => (2, Reverse(route.prefix.len())),
        });
        Virtual { frontend, names: names_of(&names), usual_at }
    }

    fn location(&mut self, directive: &Directive, inherited: &Inherited, setup: &mut Setup) -> Option<Route> {
        if directive.words[0] == "return" {
            let action = answer(&directive.words);
            return Some(Route { prefix: "/".into(), exact: false, when: None, action });
        }
        let (exact, prefix) = match &directive.words[1..] {
            [prefix] if !prefix.starts_with('@') => (false, prefix.clone()),
            [modifier, prefix] if modifier == "=" => (true, prefix.clone()),
            [modifier, prefix] if modifier == "^~" => (false, prefix.clone()),
            [modifier, pattern] if modifier == "~" || modifier == "~*" => {
                let ignores_case = modifier == "~*";
                if when::expression(pattern, ignores_case).is_none() {
                    self.not_modelled(&Directive { words: vec![format!("location ~ {pattern}")], ..directive.clone() });
                    return None;
                }
                let test = Test { what: What::Path, how: How::Matches, values: vec![pattern.clone()], ignores_case };
                let when = Some(When::one(test));
                let plain = Directive { words: vec!["location".into(), "/".into()], ..directive.clone() };
                return self.location(&plain, inherited, setup).map(|route| Route { when, ..route });
            }
            [name] if name.starts_with('@') => {
                self.not_modelled(&Directive { words: vec!["location @".into()], ..directive.clone() });
                return None;
            }
            _ => {
                self.wrong(
                    &directive.file,
                    directive.line,
                    "invalid number of arguments in \"location\" directive".into(),
                );
                return None;
            }
        };
        let mut inherited = inherited.clone();
        let own_headers = directive.block.iter().flatten().any(|inner| inner.words[0] == "proxy_set_header");
        if own_headers {
            // Headers are handed down only to a level that sets none.
            inherited.headers.clear();
        }
        let mut action = None;
        for inner in directive.block.iter().flatten() {
            match inner.words[0].as_str() {
                "proxy_pass" => action = Some((inner, inner.words.get(1).cloned().unwrap_or_default())),
                "return" => return Some(Route { prefix, exact, when: None, action: answer(&inner.words) }),
                _ => self.common(inner, &mut inherited),
            }
        }
        let Some((inner, url)) = action else {
            let root = inherited.root.unwrap_or_else(|| ROOT.to_owned());
            return Some(Route { prefix, exact, when: None, action: Action::Files(root) });
        };
        let Some(rest) = url.strip_prefix("http://") else {
            self.wrong(&inner.file, inner.line, "invalid URL prefix".to_owned());
            return None;
        };
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() || (rest.ends_with('/') && prefix != "/") {
            self.not_modelled(&Directive { words: vec!["proxy_pass with a path".into()], ..inner.clone() });
        }
        let base = match setup.backends.iter().find(|backend| backend.name == name) {
            Some(backend) => backend.clone(),
            None => {
                let Some(address) = read_end(name, 80) else {
                    self.wrong(&inner.file, inner.line, format!("host not found in upstream \"{name}\""));
                    return None;
                };
                // A single address is never left alone for its failures.
                Backend { servers: vec![Server::new(name, address)], ..usual_backend(name) }
            }
        };
        let usual = Duration::from_secs(60);
        let connect_timeout = inherited.connect.unwrap_or(usual);
        let server_timeout = inherited.read.unwrap_or(usual);
        let headers = inherited.headers;
        let backend = Backend { headers, connect_timeout, server_timeout, ..base };
        let place = match setup.backends.iter().position(|known| *known == backend) {
            Some(place) => place,
            None => {
                setup.backends.push(backend);
                setup.backends.len() - 1
            }
        };
        Some(Route { prefix, exact, when: None, action: Action::Backend(place) })
    }
}

fn usual_backend(name: &str) -> Backend {
    Backend {
        name: name.to_owned(),
        connect_timeout: Duration::from_secs(60),
        server_timeout: Duration::from_secs(60),
        redispatches: true,
        ..Backend::default()
    }
}

fn answer(words: &[String]) -> Action {
    let status = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(200);
    Action::Answer(status, words.get(2).cloned().unwrap_or_default())
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    End,
    Open,
    Close,
}

/// Words and marks with their lines.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => line += 1,
            '#' => while letters.next_if(|letter| *letter != '\n').is_some() {},
            ';' => found.push((Token::End, line)),
            '{' => found.push((Token::Open, line)),
            '}' => found.push((Token::Close, line)),
            '"' | '\'' => {
                let began = line;
                let mut word = String::new();
                for inner in letters.by_ref() {
                    if inner == letter {
                        break;
                    }
                    line += usize::from(inner == '\n');
                    word.push(inner);
                }
                found.push((Token::Word(word), began));
            }
            letter if letter.is_whitespace() => {}
            letter => {
                let mut word = String::from(letter);
                while let Some(inner) = letters.next_if(|next| !next.is_whitespace() && !";{}".contains(*next)) {
                    word.push(inner);
                }
                found.push((Token::Word(word), line));
            }
        }
    }
    found
}

/// nginx' times: seconds unless a unit follows.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "" | "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        _ => return None,
    };
    number.checked_mul(unit.nanos()).map(Duration::from_nanos)
}
