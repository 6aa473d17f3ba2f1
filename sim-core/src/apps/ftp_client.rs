//! FTP clients: `lftp` and `ftp`.
//!
//! ```text
//!   words of -e, then lines of standard input ─► a command ─┬─ of this host: done
//!                                                            └─ of the server: (connect, log in) ─► exchanges ─► output
//! ```
//! `lftp` connects when a command needs it, and again when the connection is lost, with a pause of 30 s from one attempt
//! to the next; `ftp` connects at once and gives up. What they say to the server stands in `talk`.
//!
//! # Not modelled
//! TLS, wildcards, jobs in the background, mirrors, ASCII translation, a terminal: who types nothing has reached the end
//! of the input.

mod lftp;
mod netkit;
mod talk;

pub use talk::Mode;

use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Fd, Next, On, Process, Wait};
use crate::kernel::syscall::{Open, Read, Sys};
use crate::wire::flow::SocketAddr;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use talk::{Answer, Order, Talk};

/// Which program it passes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `lftp`.
    Lftp,
    /// `ftp`.
    Ftp,
}

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which program.
    pub program: Program,
    /// The server as typed, and its address.
    pub server: Option<(String, Ipv4Addr, u16)>,
    /// Name and password; none: anonymous (`lftp`), asked for (`ftp`).
    pub user: Option<(String, String)>,
    /// `lftp -e`, `-c`: what is done first.
    pub commands: Option<String>,
    /// Whether lines of standard input follow.
    pub reads_input: bool,
    /// How data connections come about.
    pub mode: Mode,
    /// What is said and heard is shown (`-d`, `-v`).
    pub shows: bool,
    /// `ftp` without `-n`: name and password are asked for at once.
    pub logs_in: bool,
}

/// The process.
#[derive(Debug)]
pub struct FtpClient {
    options: Options,
    talk: Talk,
    input: Vec<u8>,
    input_ended: bool,
    lines: VecDeque<String>,
    task: Task,
    logged_in: bool,
    /// Where the client stands on the server; none: where the login leads.
    folder: Option<String>,
    home: Option<String>,
    image: bool,
    settings: Settings,
    out: Vec<u8>,
    status: i32,
    attempts: u32,
    pause: Duration,
    last_attempt: Option<Instant>,
    transfer_began: Instant,
}

/// `set` of `lftp`.
#[derive(Clone, Debug)]
struct Settings {
    patience: Duration,
    retries: u32,
    pause: Duration,
    mends_address: bool,
}

/// What is being done.
#[derive(Debug)]
enum Task {
    /// The next command.
    Idle,
    /// The exchange of this step is under way.
    At(Step, Option<Verb>),
    /// Until the next attempt.
    Pausing(Instant, Verb),
    /// All was said; the output is to be read.
    Leaving,
}

/// An exchange on the way of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Features,
    Secure,
    User,
    Password,
    System,
    Home,
    Folder,
    Image,
    Verb,
    Quit,
}

/// A command of the server.
#[derive(Clone, Debug)]
enum Verb {
    /// To be connected and logged in.
    Open,
    /// A list to standard output.
    List(String),
    /// A file to standard output or to a file.
    Get { remote: String, local: Option<String> },
    /// A file to the server.
    Put { content: Vec<u8>, remote: String },
    /// Another folder.
    Change(String),
    /// Any command; its reply is shown if nothing else is.
    Say { command: String, shows: bool },
}

const LINE_MAX: usize = 64 * 1024;
const PAUSE_MAX: Duration = Duration::from_secs(600);

impl FtpClient {
    /// A client that begins when its process does.
    pub fn new(options: Options) -> Self {
        let url = url(&options);
        let settings = Settings {
            patience: Duration::from_secs(300),
            retries: 1000,
            pause: Duration::from_secs(30),
            mends_address: true,
        };
        let patience = settings.patience;
        let mut talk = Talk::new(url, options.mode, patience);
        talk.mends_address = options.program == Program::Lftp;
        let first = match (options.program, options.server.is_some()) {
            (Program::Ftp, true) => Task::At(Step::Connect, Some(Verb::Open)),
            (Program::Ftp, false) | (Program::Lftp, _) => Task::Idle,
        };
        let mut lines = VecDeque::new();
        if let Some(commands) = &options.commands {
            lines.extend(commands.split(['\n', ';']).map(|line| line.trim().to_owned()));
        }
        FtpClient {
            pause: settings.pause,
            input_ended: !options.reads_input,
            options,
            talk,
            input: Vec::new(),
            lines,
            task: first,
            logged_in: false,
            folder: None,
            home: None,
            image: false,
            settings,
            out: Vec::new(),
            status: 0,
            attempts: 0,
            last_attempt: None,
            transfer_began: Instant::ZERO,
        }
    }

    /// The next line of the script, if there is one by now.
    fn next_line(&mut self, sys: &mut Sys) -> Option<String> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if let Some(end) = self.input.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim().to_owned());
            }
            if self.input_ended {
                let rest = std::mem::take(&mut self.input);
                return (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).trim().to_owned());
            }
            match sys.read(Fd::STDIN, LINE_MAX) {
                Read::Data(octets) if self.input.len() + octets.len() <= LINE_MAX => self.input.extend(octets),
                Read::Wait => return None,
                Read::Data(_) | Read::End | Read::Failed(_) => self.input_ended = true,
            }
        }
    }

    fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn complain(&mut self, text: &str, sys: &mut Sys) {
        self.status = 1;
        match self.options.program {
            Program::Ftp => self.say(text),
            Program::Lftp => {
                // Nobody reads it: then nobody misses it.
                let _unread = sys.write(Fd::STDERR, text.as_bytes());
            }
        }
    }

    /// Begins a command of the server: what must come before it comes first.
    fn start(&mut self, verb: Verb, sys: &mut Sys) {
        self.talk.was_left(sys);
        self.show_talk(sys);
        if !self.talk.is_connected() {
            self.logged_in = false;
            self.image = false;
        }
        let step = if !self.talk.is_connected() {
            Step::Connect
        } else if !self.logged_in && self.options.program == Program::Lftp {
            Step::Features
        } else {
            self.step_before(&verb)
        };
        self.begin(step, Some(verb), sys);
    }

    /// A transfer is in octets: TYPE I first.
    fn step_before(&self, verb: &Verb) -> Step {
        match verb {
            Verb::Get { .. } | Verb::Put { .. } if !self.image && self.options.program == Program::Lftp => Step::Image,
            _ => Step::Verb,
        }
    }

    fn begin(&mut self, step: Step, verb: Option<Verb>, sys: &mut Sys) {
        let say = |text: String| Order::Say(text);
        let (name, password) = self.login();
        let order = match (step, &verb) {
            (Step::Connect, _) => {
                let Some((_, address, port)) = self.options.server else {
                    self.task = Task::Idle;
                    return;
                };
                if let Some(at) = self.last_attempt.map(|last| last + self.pause).filter(|at| *at > sys.now())
                    && self.options.program == Program::Lftp
                    && let Some(verb) = verb
                {
                    self.task = Task::Pausing(at, verb);
                    return;
                }
                self.last_attempt = Some(sys.now());
                self.talk.patience = self.settings.patience;
                Order::Connect(SocketAddr { address, port })
            }
            (Step::Features, _) => say("FEAT".into()),
            (Step::Secure, _) => say("AUTH TLS".into()),
            (Step::User, _) => say(format!("USER {name}")),
            (Step::Password, _) => say(format!("PASS {password}")),
            (Step::System, _) => say("SYST".into()),
            (Step::Home, _) => say("PWD".into()),
            (Step::Folder, _) => say(format!("CWD {}", self.folder.as_deref().unwrap_or("/"))),
            (Step::Image, _) => say("TYPE I".into()),
            (Step::Quit, _) => say("QUIT".into()),
            (Step::Verb, None | Some(Verb::Open)) => {
                self.task = Task::Idle;
                return;
            }
            (Step::Verb, Some(Verb::List(command))) => Order::Data { command: command.clone(), upload: None },
            (Step::Verb, Some(Verb::Get { remote, .. })) => {
                Order::Data { command: format!("RETR {remote}"), upload: None }
            }
            (Step::Verb, Some(Verb::Put { content, remote })) => {
                Order::Data { command: format!("STOR {remote}"), upload: Some(content.clone()) }
            }
            (Step::Verb, Some(Verb::Change(to))) => say(format!("CWD {to}")),
            (Step::Verb, Some(Verb::Say { command, .. })) => say(command.clone()),
        };
        self.transfer_began = sys.now();
        self.task = Task::At(step, verb);
        if let Some(answer) = self.talk.begin(order, sys) {
            self.answered(answer, sys);
        }
    }

    fn login(&self) -> (String, String) {
        self.options.user.clone().unwrap_or_else(|| ("anonymous".into(), "lftp@".into()))
    }

    /// An exchange is over.
    fn answered(&mut self, answer: Answer, sys: &mut Sys) {
        self.show_talk(sys);
        let Task::At(step, verb) = std::mem::replace(&mut self.task, Task::Idle) else { return };
        if step == Step::Quit {
            match answer {
                Answer::Good { code, .. } | Answer::Refused { code, .. } => self.talk.finish(code, sys),
                Answer::Lost(_) => {}
            }
            self.logged_in = false;
            self.task = if verb.is_none() { Task::Leaving } else { Task::Idle };
            return;
        }
        let answer = match answer {
            Answer::Lost(reason) => return self.lost(&reason, verb, sys),
            other => other,
        };
        let next = match self.options.program {
            Program::Lftp => self.after_lftp(step, &answer),
            Program::Ftp => self.after_netkit(step, &answer),
        };
        match (next, verb) {
            (Ok(Some(Step::Verb)), Some(verb)) => {
                let step = self.step_before(&verb);
                self.begin(step, Some(verb), sys);
            }
            (Ok(Some(next)), verb) => self.begin(next, verb, sys),
            (Ok(None), Some(verb)) => self.done(verb, answer, sys),
            (Ok(None), None) => {}
            (Err(problem), verb) => {
                let name = verb.as_ref().map_or("open", Verb::name);
                let text = match self.options.program {
                    Program::Lftp => format!("{name}: {problem}\n"),
                    Program::Ftp if problem.is_empty() => String::new(),
                    Program::Ftp => format!("{problem}\n"),
                };
                if self.options.program == Program::Lftp {
                    self.talk.lose(&problem, sys);
                }
                self.complain(&text, sys);
            }
        }
    }

    fn lost(&mut self, reason: &str, verb: Option<Verb>, sys: &mut Sys) {
        self.logged_in = false;
        self.image = false;
        let Some(verb) = verb else { return };
        if self.options.program == Program::Ftp {
            return self.lost_netkit(reason, &verb, sys);
        }
        self.attempts += 1;
        if self.settings.retries > 0 && self.attempts >= self.settings.retries {
            self.attempts = 0;
            let text = format!("{}: Fatal error: max-retries exceeded ({reason})\n", verb.name());
            return self.complain(&text, sys);
        }
        if self.attempts > 1 {
            self.pause = Duration::from_nanos(self.pause.nanos() / 2 * 3).min(PAUSE_MAX);
        }
        self.begin(Step::Connect, Some(verb), sys);
    }

    /// A command of the server has succeeded.
    fn done(&mut self, verb: Verb, answer: Answer, sys: &mut Sys) {
        self.attempts = 0;
        self.status = 0;
        let Answer::Good { text, data, .. } = answer else {
            if let Answer::Refused { text, .. } = answer {
                self.refused(&verb, &text, sys);
            }
            return;
        };
        match verb {
            Verb::Open => {}
            Verb::List(_) => {
                let shown: Vec<u8> = data.into_iter().filter(|octet| *octet != b'\r').collect();
                self.out.extend(shown);
            }
            Verb::Get { local: None, .. } => self.out.extend(data),
            Verb::Get { local: Some(local), remote } => self.keep(&local, &remote, &data, sys),
            Verb::Put { content, .. } => self.say_transferred(content.len(), sys, true),
            Verb::Change(to) => {
                let base = self.folder.clone().or_else(|| self.home.clone()).unwrap_or_else(|| "/".into());
                self.folder = Some(crate::kernel::files::absolute(&base, &to));
            }
            Verb::Say { shows, .. } => {
                if shows && !self.options.shows {
                    self.say(&format!("{text}\n"));
                }
            }
        }
    }

    fn keep(&mut self, local: &str, remote: &str, data: &[u8], sys: &mut Sys) {
        let written = sys.open(local, Open::Truncate).map(|fd| {
            let written = sys.write(fd, data);
            sys.close_fd(fd);
            written
        });
        match written {
            Ok(Ok(_)) => self.say_transferred(data.len(), sys, false),
            Ok(Err(error)) => self.complain(&format!("get: {local}: {error}\n"), sys),
            Err(error) => self.complain(&format!("get: {local}: {error} ({remote})\n"), sys),
        }
    }

    fn refused(&mut self, verb: &Verb, text: &str, sys: &mut Sys) {
        let text = match self.options.program {
            Program::Lftp => {
                let about = verb.about().map_or(String::new(), |about| format!(" ({about})"));
                format!("{}: Access failed: {text}{about}\n", verb.name())
            }
            // Shown as it came in.
            Program::Ftp => String::new(),
        };
        self.complain(&text, sys);
    }

    fn show_talk(&mut self, sys: &mut Sys) {
        for said in std::mem::take(&mut self.talk.said) {
            match self.options.program {
                Program::Lftp => self.show_lftp(&said, sys),
                Program::Ftp => self.show_netkit(&said),
            }
        }
    }

    /// The input has ended: QUIT, if there is somebody to say it to.
    fn leave(&mut self, sys: &mut Sys) {
        self.talk.was_left(sys);
        if self.talk.is_connected() {
            self.begin(Step::Quit, None, sys);
        } else {
            self.task = Task::Leaving;
        }
    }
}

impl Process for FtpClient {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        loop {
            while !self.out.is_empty() {
                match sys.write(Fd::STDOUT, &self.out) {
                    Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                    Ok(count) => drop(self.out.drain(..count)),
                    Err(_) => return Next::Exit(141),
                }
            }
            match &self.task {
                // `ftp` ends with 0 whatever happened in it.
                Task::Leaving if self.options.program == Program::Ftp => return Next::Exit(0),
                Task::Leaving => return Next::Exit(self.status),
                Task::Pausing(at, _) if *at > sys.now() => return Next::until(*at),
                Task::Pausing(..) => {
                    let Task::Pausing(_, verb) = std::mem::replace(&mut self.task, Task::Idle) else { continue };
                    self.start(verb, sys);
                }
                Task::At(Step::Connect, _) if !self.talk.is_connected() => {
                    let Task::At(step, verb) = std::mem::replace(&mut self.task, Task::Idle) else { continue };
                    self.begin(step, verb, sys);
                }
                Task::At(..) => match self.talk.go_on(sys) {
                    Some(answer) => self.answered(answer, sys),
                    None => {
                        self.show_talk(sys);
                        if self.out.is_empty() {
                            return Next::Wait(Wait { until: self.talk.deadline(), any: self.talk.waits_for() });
                        }
                    }
                },
                Task::Idle => match self.next_line(sys) {
                    Some(line) => match self.options.program {
                        Program::Lftp => self.obey_lftp(&line, sys),
                        Program::Ftp => self.obey_netkit(&line, sys),
                    },
                    None if self.input_ended => self.leave(sys),
                    None => {
                        self.talk.was_left(sys);
                        let mut any = self.talk.waits_for();
                        any.push(On::Readable(Fd::STDIN));
                        return Next::Wait(Wait { until: None, any });
                    }
                },
            }
        }
    }
}

impl Verb {
    /// As `lftp` calls it.
    fn name(&self) -> &str {
        match self {
            Verb::Open => "open",
            Verb::List(command) if command.starts_with("NLST") => "nlist",
            Verb::List(_) => "ls",
            Verb::Get { local: None, .. } => "cat",
            Verb::Get { .. } => "get",
            Verb::Put { .. } => "put",
            Verb::Change(_) => "cd",
            Verb::Say { command, .. } => match command.split(' ').next() {
                Some("DELE") => "rm",
                Some("MKD") => "mkdir",
                Some("RMD") => "rmdir",
                Some("PWD") => "pwd",
                _ => "quote",
            },
        }
    }

    /// What a refusal is about.
    fn about(&self) -> Option<&str> {
        match self {
            Verb::Get { remote, .. } | Verb::Put { remote, .. } | Verb::Change(remote) => Some(remote),
            Verb::Say { command, .. } => command.split_once(' ').map(|(_, argument)| argument),
            Verb::List(command) => command.split_once(' ').map(|(_, argument)| argument),
            Verb::Open => None,
        }
    }
}

fn url(options: &Options) -> String {
    match &options.server {
        None => String::new(),
        Some((host, _, 21)) => format!("ftp://{host}/"),
        Some((host, _, port)) => format!("ftp://{host}:{port}/"),
    }
}
