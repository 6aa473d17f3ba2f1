//! One client of `vsftpd`: its control connection, its place in the folders, its transfer.

use super::config::{Config, home};
use super::listing;
use crate::base::calendar::Date;
use crate::base::time::Instant;
use crate::kernel::Os;
use crate::kernel::files::{FileError, FileKind, absolute};
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Open, Read, Sys, TcpState};
use crate::trace::record::ServedRecord;
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// Whether a session lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Waits,
    Over,
}

#[derive(Debug)]
pub(super) struct Session {
    socket: SocketId,
    pub(super) peer: SocketAddr,
    local: SocketAddr,
    input: Vec<u8>,
    output: Vec<u8>,
    user: Option<String>,
    logged_in: bool,
    failed_logins: u8,
    /// As the client sees it.
    folder: String,
    data: Data,
    transfer: Option<Transfer>,
    restart: usize,
    rename_from: Option<String>,
    last_used: Instant,
    closing: bool,
    /// When the process looks at this session at the latest.
    pub(super) armed: Option<Instant>,
    pub(super) opened: Vec<SocketId>,
    pub(super) closed: Vec<SocketId>,
}

/// How the next data connection comes about.
#[derive(Debug)]
enum Data {
    None,
    Passive(SocketId),
    Active(SocketAddr),
}

#[derive(Debug)]
struct Transfer {
    what: What,
    stage: Stage,
    since: Instant,
}

#[derive(Debug)]
enum What {
    List(Vec<u8>),
    Send { name: String, content: Vec<u8> },
    Receive { path: String, content: Vec<u8>, append: bool },
}

#[derive(Debug)]
enum Stage {
    Accepting(SocketId),
    Connecting(SocketId),
    Moving { socket: SocketId, moved: usize },
}

/// What came of a step of a transfer.
enum Step {
    Waits,
    On,
}

const LINE_MAX: usize = 4096;
const READ_MAX: usize = 65_536;
const LOGINS_MAX: u8 = 3;
const UPLOAD_MAX: usize = 16 << 20;

impl Session {
    pub(super) fn new(
        socket: SocketId,
        peer: SocketAddr,
        local: SocketAddr,
        refusal: Option<&str>,
        config: &Config,
        sys: &Sys,
    ) -> Self {
        let mut session = Session {
            socket,
            peer,
            local,
            input: Vec::new(),
            output: Vec::new(),
            user: None,
            logged_in: false,
            failed_logins: 0,
            folder: "/".into(),
            data: Data::None,
            transfer: None,
            restart: 0,
            rename_from: None,
            last_used: sys.now(),
            closing: refusal.is_some(),
            armed: None,
            opened: Vec::new(),
            closed: Vec::new(),
        };
        match (refusal, &config.banner) {
            (Some(refusal), _) => session.say(refusal),
            (None, Some(banner)) => session.say(&format!("220 {banner}")),
            (None, None) => session.say(&format!("220 (vsFTPd {})", version(sys.kernel.os))),
        }
        session
    }

    /// Until when the client must have done something.
    pub(super) fn deadline(&self, config: &Config) -> Instant {
        match &self.transfer {
            None => self.last_used + config.idle,
            Some(Transfer { stage: Stage::Accepting(_), since, .. }) => *since + config.accept,
            Some(Transfer { stage: Stage::Connecting(_), since, .. }) => *since + config.connect,
            Some(Transfer { stage: Stage::Moving { .. }, .. }) => self.last_used + config.data_idle,
        }
    }

    /// The deadline has come.
    pub(super) fn time_is_up(&mut self, sys: &mut Sys) {
        match self.transfer.take() {
            None => {
                self.say("421 Timeout.");
                self.closing = true;
            }
            Some(transfer) => match transfer.stage {
                Stage::Accepting(socket) | Stage::Connecting(socket) => {
                    self.close(socket, sys);
                    self.say("425 Failed to establish connection.");
                }
                Stage::Moving { socket, .. } => {
                    self.close(socket, sys);
                    self.say("421 Data timeout. Reconnect. Sorry.");
                    self.closing = true;
                }
            },
        }
        self.last_used = sys.now();
    }

    /// Goes on as far as it can without waiting.
    pub(super) fn go_on(&mut self, config: &Config, sys: &mut Sys) -> Turn {
        loop {
            while !self.output.is_empty() {
                match sys.send(self.socket, &self.output) {
                    Ok(0) => return Turn::Waits,
                    Ok(count) => drop(self.output.drain(..count)),
                    Err(_) => return self.end(sys),
                }
            }
            if self.transfer.is_some() {
                match self.advance(config, sys) {
                    Step::Waits => return Turn::Waits,
                    Step::On => continue,
                }
            }
            if self.closing {
                return self.end(sys);
            }
            if let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                self.last_used = sys.now();
                self.obey(&line, config, sys);
                continue;
            }
            if self.input.len() > LINE_MAX {
                self.say("500 Input line too long.");
                self.closing = true;
                continue;
            }
            match sys.recv(self.socket, LINE_MAX) {
                Read::Data(octets) => self.input.extend_from_slice(&octets),
                Read::Wait => return Turn::Waits,
                Read::End | Read::Failed(_) => return self.end(sys),
            }
        }
    }

    fn end(&mut self, sys: &mut Sys) -> Turn {
        self.forget_data(sys);
        if let Some(transfer) = self.transfer.take() {
            let (Stage::Accepting(socket) | Stage::Connecting(socket) | Stage::Moving { socket, .. }) = transfer.stage;
            self.close(socket, sys);
        }
        self.close(self.socket, sys);
        Turn::Over
    }

    fn obey(&mut self, line: &str, config: &Config, sys: &mut Sys) {
        let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
        let (word, argument) = (word.to_ascii_uppercase(), argument.trim());
        match word.as_str() {
            "QUIT" => {
                self.say("221 Goodbye.");
                self.closing = true;
            }
            "USER" => self.user(argument, config, sys),
            "PASS" => self.password(config, sys),
            "FEAT" if self.logged_in || sys.kernel.os != Os::CentOs4 => self.features(),
            "OPTS" if self.logged_in || sys.kernel.os != Os::CentOs4 => {
                match argument.eq_ignore_ascii_case("UTF8 ON") {
                    true => self.say("200 Always in UTF8 mode."),
                    false => self.say("501 Option not understood."),
                }
            }
            _ if !self.logged_in => self.say("530 Please login with USER and PASS."),
            word => self.serve(word, argument, config, sys),
        }
    }

    /// The commands of a client that has logged in.
    fn serve(&mut self, word: &str, argument: &str, config: &Config, sys: &mut Sys) {
        match word {
            "PWD" | "XPWD" => {
                let text = if sys.kernel.os >= Os::CentOs7 { " is the current directory" } else { "" };
                self.say(&format!("257 \"{}\"{text}", self.folder));
            }
            "CWD" | "XCWD" => self.change_folder(argument, config, sys),
            "CDUP" | "XCUP" => self.change_folder("..", config, sys),
            "TYPE" => match argument.to_ascii_uppercase().as_str() {
                "I" | "L8" | "L 8" => self.say("200 Switching to Binary mode."),
                "A" | "A N" => self.say("200 Switching to ASCII mode."),
                _ => self.say("500 Unrecognised TYPE command."),
            },
            "MODE" if argument.eq_ignore_ascii_case("S") => self.say("200 Mode set to S."),
            "MODE" => self.say("504 Bad MODE command."),
            "STRU" if argument.eq_ignore_ascii_case("F") => self.say("200 Structure set to F."),
            "STRU" => self.say("504 Bad STRU command."),
            "ALLO" => self.say("202 ALLO command ignored."),
            "NOOP" => self.say("200 NOOP ok."),
            "SYST" => self.say("215 UNIX Type: L8"),
            "HELP" => self.say("214-The following commands are recognized.\r\n ABOR ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\r\n MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REST RETR RMD  RNFR\r\n RNTO SIZE STOR STRU SYST TYPE USER\r\n214 Help OK."),
            "PASV" | "EPSV" if !config.passive => self.say("550 Permission denied."),
            "PORT" | "EPRT" if !config.active => self.say("550 Permission denied."),
            "PASV" => self.passive(false, config, sys),
            "EPSV" if matches!(argument, "" | "1") => self.passive(true, config, sys),
            "EPSV" if argument.eq_ignore_ascii_case("ALL") => self.say("200 EPSV ALL ok."),
            "EPSV" => self.say("522 Bad network protocol."),
            "PORT" => self.active(six_numbers(argument), "PORT", config, sys),
            "EPRT" => self.active(delimited(argument), "EPRT", config, sys),
            "LIST" | "NLST" => self.list(word == "LIST", argument, config, sys),
            "RETR" => self.retrieve(argument, config, sys),
            "STOR" | "APPE" => self.store(argument, word == "APPE", config, sys),
            "REST" => match argument.parse() {
                Ok(at) => {
                    self.restart = at;
                    self.say(&format!("350 Restart position accepted ({at})."));
                }
                Err(_) => self.say("501 Bad REST position."),
            },
            "SIZE" => match self.file(argument, config, sys) {
                Ok(content) => self.say(&format!("213 {}", content.len())),
                Err(_) => self.say("550 Could not get file size."),
            },
            "MDTM" => match sys.kernel.files.stat(&self.path(argument, config, sys)) {
                Ok(file) => {
                    let Date { year, month, day, hour, minute, second, .. } = Date::of(file.changed);
                    self.say(&format!("213 {year}{month:02}{day:02}{hour:02}{minute:02}{second:02}"));
                }
                Err(_) => self.say("550 Could not get file modification time."),
            },
            "ABOR" => self.say("225 No transfer to ABOR."),
            "MKD" | "XMKD" | "RMD" | "XRMD" | "DELE" | "RNFR" | "RNTO" => self.change(word, argument, config, sys),
            _ => self.say("500 Unknown command."),
        }
    }

    // ── who it is ──

    fn user(&mut self, name: &str, config: &Config, sys: &mut Sys) {
        let anonymous = is_anonymous(name);
        if self.logged_in {
            return self.say(if anonymous { "331 Any password will do." } else { "530 Can't change from guest user." });
        }
        if !anonymous && !config.local_users {
            return self.say("530 This FTP server is anonymous only.");
        }
        self.user = Some(name.to_owned());
        if anonymous && config.anonymous && config.no_anonymous_password {
            return self.log_in(sys);
        }
        self.say("331 Please specify the password.");
    }

    fn password(&mut self, config: &Config, sys: &mut Sys) {
        if self.logged_in {
            return self.say("230 Already logged in.");
        }
        let Some(name) = self.user.take() else { return self.say("503 Login with USER first.") };
        if is_anonymous(&name) && config.anonymous {
            return self.log_in(sys);
        }
        self.say("530 Login incorrect.");
        self.failed_logins += 1;
        self.closing = self.failed_logins >= LOGINS_MAX;
    }

    fn log_in(&mut self, sys: &mut Sys) {
        self.logged_in = true;
        self.say("230 Login successful.");
        let remote = sys.ends(self.socket).map_or(self.peer, |(_, remote)| remote);
        sys.cx.change(Change::Served(ServedRecord {
            node: sys.kernel.node,
            program: super::PROGRAM.into(),
            peer: self.peer,
            remote,
            local: self.local,
            path: "/".into(),
            status: 230,
            relayed: None,
        }));
    }

    fn features(&mut self) {
        self.say(
            "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End",
        );
    }

    // ── where it is ──

    fn change_folder(&mut self, to: &str, config: &Config, sys: &Sys) {
        let path = self.path(to, config, sys);
        match sys.kernel.files.stat(&path).map(|file| matches!(file.kind, FileKind::Folder)) {
            Ok(true) => {
                self.folder = absolute(&self.folder, to);
                self.say("250 Directory successfully changed.");
            }
            Ok(false) | Err(_) => self.say("550 Failed to change directory."),
        }
    }

    /// The host's path of what the client calls `path`.
    fn path(&self, path: &str, config: &Config, sys: &Sys) -> String {
        let root = config.root.as_deref().unwrap_or(home(sys.kernel.os));
        absolute("/", &format!("{root}{}", absolute(&self.folder, path)))
    }

    fn file(&self, name: &str, config: &Config, sys: &mut Sys) -> Result<Vec<u8>, FileError> {
        sys.kernel.files.read(&self.path(name, config, sys)).map(<[u8]>::to_vec)
    }

    fn change(&mut self, word: &str, name: &str, config: &Config, sys: &mut Sys) {
        let makes = matches!(word, "MKD" | "XMKD");
        let may = config.write && if makes { config.make_folders } else { config.other_writes };
        if !may {
            return self.say("550 Permission denied.");
        }
        let path = self.path(name, config, sys);
        let now = sys.now();
        let files = &mut sys.kernel.files;
        let (done, good, bad) = match word {
            "MKD" | "XMKD" => {
                let made = format!("257 \"{}\" created", absolute(&self.folder, name));
                (files.make_folder(&path, now), made, "550 Create directory operation failed.")
            }
            "RMD" | "XRMD" => {
                let good = "250 Remove directory operation successful.".into();
                (files.remove_folder(&path), good, "550 Remove directory operation failed.")
            }
            "DELE" => (files.remove(&path), "250 Delete operation successful.".into(), "550 Delete operation failed."),
            "RNFR" => {
                let there = files.stat(&path).map(|_| ());
                self.rename_from = there.is_ok().then_some(path);
                (there, "350 Ready for RNTO.".into(), "550 RNFR command failed.")
            }
            _ => match self.rename_from.take() {
                Some(from) => (files.rename(&from, &path), "250 Rename successful.".into(), "550 Rename failed."),
                None => return self.say("503 RNFR required first."),
            },
        };
        match done {
            Ok(()) => self.say(&good),
            Err(_) => self.say(bad),
        }
    }

    // ── data connections ──

    fn passive(&mut self, extended: bool, config: &Config, sys: &mut Sys) {
        self.forget_data(sys);
        let (least, most) = config.passive_ports;
        let (least, most) = (least.max(1024), if most == 0 { u16::MAX } else { most.max(1024) });
        let mut listener = None;
        // vsftpd tries as often, with ports by chance.
        for _ in 0..9 {
            let range = u64::from(most.saturating_sub(least)) + 1;
            let port = least + sys.cx.rng.below(range) as u16;
            if let Ok(socket) = sys.listen(SocketAddr { port, ..self.local }, 1) {
                listener = Some((socket, port));
                break;
            }
        }
        let Some((socket, port)) = listener else {
            self.say("500 OOPS: vsf_sysutil_bind, maximum number of attempts to find a listening port exceeded");
            self.closing = true;
            return;
        };
        self.opened.push(socket);
        self.data = Data::Passive(socket);
        let dot = if sys.kernel.os == Os::CentOs4 { "" } else { "." };
        if extended {
            return self.say(&format!("229 Entering Extended Passive Mode (|||{port}|){dot}"));
        }
        let [a, b, c, d] = config.passive_address.unwrap_or(self.local.address).octets();
        let [high, low] = port.to_be_bytes();
        self.say(&format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low}){dot}"));
    }

    fn active(&mut self, named: Option<SocketAddr>, word: &str, config: &Config, sys: &mut Sys) {
        self.forget_data(sys);
        let is_own =
            |to: &SocketAddr| config.active_promiscuous || (to.address == self.peer.address && to.port >= 1024);
        let Some(to) = named.filter(is_own) else { return self.say(&format!("500 Illegal {word} command.")) };
        self.data = Data::Active(to);
        let other = if word == "PORT" { "PASV" } else { "EPSV" };
        self.say(&format!("200 {word} command successful. Consider using {other}."));
    }

    fn forget_data(&mut self, sys: &mut Sys) {
        if let Data::Passive(socket) = std::mem::replace(&mut self.data, Data::None) {
            self.close(socket, sys);
        }
    }

    fn close(&mut self, socket: SocketId, sys: &mut Sys) {
        sys.close(socket);
        self.closed.push(socket);
    }

    // ── transfers ──

    fn list(&mut self, long: bool, argument: &str, config: &Config, sys: &mut Sys) {
        if !config.list {
            return self.say("550 Permission denied.");
        }
        let (options, path) = match argument.strip_prefix('-') {
            Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
            None => ("", argument),
        };
        let path = self.path(path, config, sys);
        let (long, hidden) = (long || options.contains('l'), options.contains('a'));
        let text = listing::of(&sys.kernel.files, &path, long, hidden, sys.now());
        self.begin(What::List(text.into_bytes()), config, sys);
    }

    fn retrieve(&mut self, name: &str, config: &Config, sys: &mut Sys) {
        let restart = std::mem::take(&mut self.restart);
        if !config.download {
            return self.say("550 Permission denied.");
        }
        match self.file(name, config, sys) {
            Ok(content) => {
                let content = content.get(restart..).unwrap_or_default().to_vec();
                self.begin(What::Send { name: name.to_owned(), content }, config, sys);
            }
            Err(_) => self.say("550 Failed to open file."),
        }
    }

    fn store(&mut self, name: &str, append: bool, config: &Config, sys: &mut Sys) {
        let path = self.path(name, config, sys);
        let there = sys.kernel.files.stat(&path).is_ok();
        if !config.write || !config.upload || (there && !config.other_writes) {
            let refusal =
                if config.write && config.upload { "553 Could not create file." } else { "550 Permission denied." };
            return self.say(refusal);
        }
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        if sys.kernel.files.stat(folder).is_err() {
            return self.say("553 Could not create file.");
        }
        self.begin(What::Receive { path, content: Vec::new(), append }, config, sys);
    }

    fn begin(&mut self, what: What, config: &Config, sys: &mut Sys) {
        let stage = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => return self.say("425 Use PORT or PASV first."),
            Data::Passive(listener) => Stage::Accepting(listener),
            Data::Active(to) => {
                let port = if config.from_port_20 { config.data_port } else { 0 };
                match sys.connect(Some(SocketAddr { port, ..self.local }), to) {
                    Ok(socket) => {
                        self.opened.push(socket);
                        Stage::Connecting(socket)
                    }
                    Err(_) => return self.say("425 Failed to establish connection."),
                }
            }
        };
        self.transfer = Some(Transfer { what, stage, since: sys.now() });
    }

    /// One step of the transfer.
    fn advance(&mut self, config: &Config, sys: &mut Sys) -> Step {
        let Some(mut transfer) = self.transfer.take() else { return Step::On };
        match transfer.stage {
            Stage::Accepting(listener) => {
                let Some((socket, peer)) = sys.accept(listener) else {
                    self.transfer = Some(transfer);
                    return Step::Waits;
                };
                self.close(listener, sys);
                if peer.address != self.peer.address && !config.passive_promiscuous {
                    sys.close(socket);
                    self.say("425 Security: Bad IP connecting.");
                    return Step::On;
                }
                self.opened.push(socket);
                transfer.stage = Stage::Moving { socket, moved: 0 };
                self.announce(&transfer.what);
            }
            Stage::Connecting(socket) => match sys.tcp_state(socket) {
                TcpState::Connecting => {
                    self.transfer = Some(transfer);
                    return Step::Waits;
                }
                TcpState::Connected => {
                    transfer.stage = Stage::Moving { socket, moved: 0 };
                    self.announce(&transfer.what);
                }
                TcpState::Failed(_) | TcpState::Closed => {
                    self.close(socket, sys);
                    self.say("425 Failed to establish connection.");
                    return Step::On;
                }
            },
            Stage::Moving { socket, ref mut moved } => {
                let before = *moved;
                let done = move_octets(&mut transfer.what, socket, moved, sys);
                if *moved > before {
                    self.last_used = sys.now();
                }
                match done {
                    None => {
                        self.transfer = Some(transfer);
                        return Step::Waits;
                    }
                    Some(done) => {
                        self.close(socket, sys);
                        self.last_used = sys.now();
                        self.finish(transfer.what, done, sys);
                        return Step::On;
                    }
                }
            }
        }
        self.transfer = Some(transfer);
        self.last_used = sys.now();
        Step::On
    }

    fn announce(&mut self, what: &What) {
        match what {
            What::List(_) => self.say("150 Here comes the directory listing."),
            What::Send { name, content } => {
                let octets = content.len();
                self.say(&format!("150 Opening BINARY mode data connection for {name} ({octets} bytes)."));
            }
            What::Receive { .. } => self.say("150 Ok to send data."),
        }
    }

    fn finish(&mut self, what: What, done: Result<(), &'static str>, sys: &mut Sys) {
        let old = sys.kernel.os == Os::CentOs4;
        let text = match (done, what) {
            (Err(problem), _) => problem,
            (Ok(()), What::List(_)) => "226 Directory send OK.",
            (Ok(()), What::Send { .. }) if old => "226 File send OK.",
            (Ok(()), What::Receive { path, content, append }) => {
                let how = if append { Open::Append } else { Open::Truncate };
                let written = sys.open(&path, how).map(|fd| {
                    let written = sys.write(fd, &content).is_ok();
                    sys.close_fd(fd);
                    written
                });
                match written {
                    Ok(true) if old => "226 File receive OK.",
                    Ok(true) => "226 Transfer complete.",
                    Ok(false) | Err(_) => "451 Failure writing to local file.",
                }
            }
            (Ok(()), What::Send { .. }) => "226 Transfer complete.",
        };
        self.say(text);
    }

    fn say(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// Sends or receives as much as goes without waiting; none if there is more to come.
fn move_octets(
    what: &mut What,
    socket: SocketId,
    moved: &mut usize,
    sys: &mut Sys,
) -> Option<Result<(), &'static str>> {
    match what {
        What::List(content) | What::Send { content, .. } => {
            while *moved < content.len() {
                match sys.send(socket, &content[*moved..]) {
                    Ok(0) => return None,
                    Ok(count) => *moved += count,
                    Err(_) => return Some(Err("426 Failure writing network stream.")),
                }
            }
            Some(Ok(()))
        }
        What::Receive { content, .. } => loop {
            match sys.recv(socket, READ_MAX) {
                Read::Data(octets) => {
                    *moved += octets.len();
                    content.extend_from_slice(&octets);
                    if content.len() > UPLOAD_MAX {
                        return Some(Err("451 Failure writing to local file."));
                    }
                }
                Read::Wait => return None,
                Read::End => return Some(Ok(())),
                Read::Failed(_) => return Some(Err("426 Failure reading network stream.")),
            }
        },
    }
}

fn is_anonymous(name: &str) -> bool {
    name.eq_ignore_ascii_case("anonymous") || name.eq_ignore_ascii_case("ftp")
}

const fn version(os: Os) -> &'static str {
    match os {
        Os::CentOs4 => "2.0.1",
        Os::Rhel6 => "2.2.2",
        Os::CentOs7 => "3.0.2",
        Os::Debian12 => "3.0.3",
    }
}

/// `h,h,h,h,p,p`.
pub(in crate::apps) fn six_numbers(text: &str) -> Option<SocketAddr> {
    let numbers: Result<Vec<u8>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    let [a, b, c, d, high, low] = numbers.ok()?[..] else { return None };
    Some(SocketAddr { address: Ipv4Addr::new(a, b, c, d), port: u16::from_be_bytes([high, low]) })
}

/// `|1|address|port|`.
fn delimited(text: &str) -> Option<SocketAddr> {
    let bar = text.chars().next()?;
    let fields: Vec<&str> = text.split(bar).collect();
    let ["", "1", address, port, ""] = fields[..] else { return None };
    Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? })
}
