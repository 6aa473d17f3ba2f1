//! What is `ftp`'s own: its commands, its way of logging in and of showing what was said.

use super::talk::{Answer, Mode, Said};
use super::{FtpClient, Step, Task, Verb};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;

const NOT_CONNECTED: &str = "Not connected.\n";

impl FtpClient {
    /// What comes after a step of logging in, or after the command itself (nothing).
    pub(super) fn after_netkit(&mut self, step: Step, answer: &Answer) -> Result<Option<Step>, String> {
        let refused = matches!(answer, Answer::Refused { .. });
        Ok(match step {
            Step::Connect if refused => return Err(String::new()),
            Step::Connect if self.options.logs_in => {
                self.ask_for_name();
                None
            }
            Step::Connect => None,
            Step::User => match answer {
                Answer::Good { code: 331 | 332, .. } => Some(Step::Password),
                Answer::Good { .. } => Some(Step::System),
                _ => return Err("Login failed.".into()),
            },
            Step::Password if refused => return Err("Login failed.".into()),
            Step::Password => {
                self.logged_in = true;
                Some(Step::System)
            }
            Step::System => {
                if self.options.shows && !refused {
                    self.say("Remote system type is UNIX.\nUsing binary mode to transfer files.\n");
                }
                Some(Step::Image)
            }
            Step::Image => {
                self.image = true;
                None
            }
            Step::Features | Step::Secure | Step::Home | Step::Folder | Step::Verb | Step::Quit => None,
        })
    }

    /// The next two lines are name and password.
    fn ask_for_name(&mut self) {
        let host = self.options.server.as_ref().map_or("", |(host, ..)| host).to_owned();
        match &self.options.user {
            Some((name, password)) => {
                let line = format!("user {name} {password}");
                self.lines.push_front(line);
            }
            None => {
                self.say(&format!("Name ({host}:root): "));
                self.lines.push_front("\u{0}name".into());
            }
        }
    }

    pub(super) fn obey_netkit(&mut self, line: &str, sys: &mut Sys) {
        if line == "\u{0}name" {
            return self.read_name(sys);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((&verb, arguments)) = words.split_first() else { return };
        let (first, second) = (arguments.first().copied(), arguments.get(1).copied());
        match (verb, first) {
            ("quit" | "bye" | "exit", _) => {
                self.input_ended = true;
                self.input.clear();
                self.lines.clear();
                self.leave(sys);
            }
            ("open", Some(host)) => match sys.resolve(host) {
                Some(address) => {
                    let port = second.and_then(|port| port.parse().ok()).unwrap_or(21);
                    self.options.server = Some((host.to_owned(), address, port));
                    self.talk.hang_up(sys);
                    self.talk.rename(super::url(&self.options));
                    self.task = Task::At(Step::Connect, Some(Verb::Open));
                }
                None => self.say(&format!("ftp: {host}: Name or service not known\n")),
            },
            ("passive", _) => {
                let passive = self.talk.mode == Mode::Active;
                self.talk.mode = if passive { Mode::Passive } else { Mode::Active };
                self.say(if passive { "Passive mode on.\n" } else { "Passive mode off.\n" });
            }
            ("verbose", _) => {
                self.options.shows = !self.options.shows;
                self.say(if self.options.shows { "Verbose mode on.\n" } else { "Verbose mode off.\n" });
            }
            ("hash" | "prompt" | "bell" | "debug" | "tick" | "progress" | "epsv4", _) => {}
            ("lcd", Some(path)) => match sys.change_directory(path) {
                Ok(()) => {
                    let folder = sys.directory().to_owned();
                    self.say(&format!("Local directory now {folder}\n"));
                }
                Err(error) => self.say(&format!("local: {path}: {error}\n")),
            },
            ("help" | "?" | "status", _) => self.say("Commands: ascii binary bye cd close delete dir get lcd ls mkdir nlist open passive put pwd quit quote rmdir size system user verbose\n"),
            _ if !self.talk.is_connected() => {
                let known = is_known(verb);
                self.say(if known { NOT_CONNECTED } else { "?Invalid command\n" });
            }
            ("close" | "disconnect", _) => self.begin(Step::Quit, Some(Verb::Open), sys),
            ("user", Some(name)) => {
                self.options.user = Some((name.to_owned(), second.unwrap_or_default().to_owned()));
                self.begin(Step::User, Some(Verb::Open), sys);
            }
            ("ls" | "dir", _) => self.list("LIST", first, sys),
            ("nlist", _) => self.list("NLST", first, sys),
            ("cd", Some(path)) => self.start(Verb::Change(path.to_owned()), sys),
            ("pwd", _) => self.tell("PWD", true, sys),
            ("binary" | "bin" | "image", _) => self.tell("TYPE I", false, sys),
            ("ascii" | "asc", _) => self.tell("TYPE A", false, sys),
            ("system", _) => self.tell("SYST", true, sys),
            ("quote" | "literal", Some(_)) => self.tell(&arguments.join(" "), true, sys),
            ("size", Some(path)) => self.tell(&format!("SIZE {path}"), true, sys),
            ("delete", Some(path)) => self.tell(&format!("DELE {path}"), false, sys),
            ("mkdir", Some(path)) => self.tell(&format!("MKD {path}"), false, sys),
            ("rmdir", Some(path)) => self.tell(&format!("RMD {path}"), false, sys),
            ("get" | "recv", Some(remote)) => {
                let local = second.unwrap_or_else(|| remote.rsplit('/').next().unwrap_or(remote)).to_owned();
                if self.options.shows {
                    self.say(&format!("local: {local} remote: {remote}\n"));
                }
                self.start(Verb::Get { remote: remote.to_owned(), local: Some(local) }, sys);
            }
            ("put" | "send", Some(local)) => match sys.read_file(local) {
                Ok(content) => {
                    let remote = second.unwrap_or_else(|| local.rsplit('/').next().unwrap_or(local)).to_owned();
                    if self.options.shows {
                        self.say(&format!("local: {local} remote: {remote}\n"));
                    }
                    self.start(Verb::Put { content, remote }, sys);
                }
                Err(error) => self.say(&format!("local: {local}: {error}\n")),
            },
            (verb, None) if is_known(verb) => self.say(&format!("usage: {verb} name\n")),
            _ => self.say("?Invalid command\n"),
        }
    }

    fn read_name(&mut self, sys: &mut Sys) {
        let Some(name) = self.next_line(sys) else {
            if !self.input_ended {
                self.lines.push_front("\u{0}name".into());
            }
            return;
        };
        let name = if name.is_empty() { "root".to_owned() } else { name };
        self.say("Password:\n");
        let password = self.next_line(sys).unwrap_or_default();
        self.options.user = Some((name, password));
        self.begin(Step::User, Some(Verb::Open), sys);
    }

    fn list(&mut self, word: &str, path: Option<&str>, sys: &mut Sys) {
        let path = path.map_or(String::new(), |path| format!(" {path}"));
        self.start(Verb::List(format!("{word}{path}")), sys);
    }

    fn tell(&mut self, command: &str, shows: bool, sys: &mut Sys) {
        self.start(Verb::Say { command: command.to_owned(), shows }, sys);
    }

    pub(super) fn lost_netkit(&mut self, reason: &str, verb: &Verb, sys: &mut Sys) {
        let text = match verb {
            Verb::Open => format!("ftp: connect: {reason}\n"),
            _ if reason.starts_with("Data connection") => {
                format!("ftp: connect: {}\n", reason.trim_start_matches("Data connection: "))
            }
            _ => "421 Service not available, remote server has closed connection\n".to_owned(),
        };
        self.complain(&text, sys);
    }

    /// Replies are shown if one asked for them; without, only what begins with 5.
    pub(super) fn show_netkit(&mut self, said: &Said) {
        match said {
            Said::Heard(text) if self.options.shows || text.starts_with('5') => self.say(&format!("{text}\n")),
            Said::Note(_) | Said::Sent(_) | Said::Heard(_) => {}
        }
    }

    pub(super) fn say_transferred_netkit(&mut self, octets: usize, took: Duration, upload: bool) {
        if !self.options.shows || octets == 0 {
            return;
        }
        let micros = (took.nanos() / 1_000).max(1);
        let hundredths = octets as u64 * 100_000_000 / 1024 / micros;
        let way = if upload { "sent" } else { "received" };
        self.say(&format!(
            "{octets} bytes {way} in {}.{:02} secs ({}.{:04} kB/s)\n",
            micros / 1_000_000,
            micros % 1_000_000 / 10_000,
            hundredths / 100,
            hundredths % 100 * 100,
        ));
    }
}

fn is_known(verb: &str) -> bool {
    const KNOWN: &[&str] = &[
        "ascii",
        "asc",
        "binary",
        "bin",
        "image",
        "cd",
        "close",
        "disconnect",
        "delete",
        "dir",
        "get",
        "recv",
        "lcd",
        "ls",
        "mkdir",
        "nlist",
        "open",
        "put",
        "send",
        "pwd",
        "quote",
        "literal",
        "rmdir",
        "size",
        "system",
        "user",
    ];
    KNOWN.contains(&verb)
}
