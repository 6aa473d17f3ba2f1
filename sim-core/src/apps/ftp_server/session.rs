//! One client of `vsftpd`: its control connection, its place in the folders, its transfer.

mod transfer;

use super::config::{Config, home};
use crate::base::calendar::Date;
use crate::base::time::Instant;
use crate::kernel::Os;
use crate::kernel::files::{FileError, FileKind, absolute};
use crate::kernel::process::SocketId;
use crate::kernel::syscall::{Read, Sys};
use crate::trace::record::ServedRecord;
use crate::trace::recorder::Change;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;
use transfer::{Stage, Step, Transfer};

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

const LINE_MAX: usize = 4096;
const LOGINS_MAX: u8 = 3;

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

    fn say(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
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
