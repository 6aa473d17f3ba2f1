//! What is `lftp`'s own: its commands, its settings, its way of logging in and of showing what was said.

use super::talk::{Answer, Mode, Said};
use super::{FtpClient, Step, Verb};
use crate::base::time::Duration;
use crate::kernel::process::Fd;
use crate::kernel::syscall::Sys;

/// Settings without effect in the lab.
const ACCEPTED: &[&str] = &[
    "bmk:save-passwords",
    "cmd:fail-exit",
    "cmd:interactive",
    "cmd:prompt",
    "color:use-color",
    "dns:cache-enable",
    "dns:order",
    "ftp:list-options",
    "ftp:ssl-allow",
    "ftp:sync-mode",
    "ftp:use-feat",
    "net:idle",
    "net:persist-retries",
    "net:reconnect-interval-multiplier",
    "xfer:clobber",
    "xfer:verify",
];

/// Commands that need a server.
const OF_THE_SERVER: &[&str] = &[
    "ls", "dir", "nlist", "cls", "cd", "get", "pget", "cat", "put", "rm", "mkdir", "rmdir", "quote", "open", "lftp",
    "user", "login", "lcd",
];

impl FtpClient {
    /// What comes after a step of logging in, or after the command itself (nothing).
    pub(super) fn after_lftp(&mut self, step: Step, answer: &Answer) -> Result<Option<Step>, String> {
        let refusal = match answer {
            Answer::Refused { text, .. } => Some(text.clone()),
            Answer::Good { .. } | Answer::Lost(_) => None,
        };
        Ok(match step {
            Step::Connect => match refusal {
                Some(text) => return Err(format!("Access failed: {text}")),
                None => Some(Step::Features),
            },
            // TLS is tried unless the server has said what it can and TLS is not among it.
            Step::Features if refusal.is_some() => Some(Step::Secure),
            Step::Features | Step::Secure => Some(Step::User),
            Step::User => match answer {
                Answer::Good { code: 331 | 332, .. } => Some(Step::Password),
                Answer::Good { .. } => self.lftp_logged_in(),
                Answer::Refused { text, .. } => return Err(format!("Login failed: {text}")),
                Answer::Lost(reason) => return Err(reason.clone()),
            },
            Step::Password => match refusal {
                Some(text) => return Err(format!("Login failed: {text}")),
                None => self.lftp_logged_in(),
            },
            Step::Home => {
                if let Answer::Good { text, .. } = answer {
                    self.home = text.split('"').nth(1).map(str::to_owned);
                }
                Some(if self.folder.is_some() { Step::Folder } else { Step::Verb })
            }
            Step::Folder => Some(Step::Verb),
            Step::Image => {
                self.image = true;
                Some(Step::Verb)
            }
            Step::System | Step::Verb | Step::Quit => None,
        })
    }

    fn lftp_logged_in(&mut self) -> Option<Step> {
        self.logged_in = true;
        self.pause = self.settings.pause;
        Some(Step::Home)
    }

    pub(super) fn obey_lftp(&mut self, line: &str, sys: &mut Sys) {
        let line = line.split(" #").next().unwrap_or_default();
        let words: Vec<String> = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((&verb, arguments)) = words.split_first() else { return };
        let paths: Vec<&str> = arguments.iter().copied().filter(|word| !word.starts_with('-')).collect();
        let option = |name: &str| {
            let at = arguments.iter().position(|word| *word == name)?;
            arguments.get(at + 1).copied()
        };
        let first = paths.first().copied();
        match (verb, first) {
            ("#", _) => {}
            (comment, _) if comment.starts_with('#') => {}
            ("quit" | "bye" | "exit" | "close", _) => {
                if let Some(code) = first.and_then(|code| code.parse().ok()).filter(|_| verb != "close") {
                    self.status = code;
                }
                if verb != "close" {
                    self.input_ended = true;
                    self.input.clear();
                    self.lines.clear();
                    return self.leave(sys);
                }
                if self.talk.is_connected() {
                    self.begin(Step::Quit, Some(Verb::Open), sys);
                }
            }
            ("echo", _) => self.say(&format!("{}\n", arguments.join(" "))),
            ("open" | "lftp", Some(host)) => self.open_lftp(host, &option, sys),
            ("user" | "login", Some(name)) => {
                let password = paths.get(1).copied().unwrap_or_default();
                self.options.user = Some((name.to_owned(), password.to_owned()));
                self.logged_in = false;
            }
            ("set", _) => self.set_lftp(arguments, sys),
            ("debug", _) => self.options.shows = first != Some("off"),
            ("lpwd", _) => {
                let folder = sys.directory().to_owned();
                self.say(&format!("{folder}\n"));
            }
            ("lcd", Some(path)) => match sys.change_directory(path) {
                Ok(()) => {
                    let folder = sys.directory().to_owned();
                    self.say(&format!("lcd ok, local cwd={folder}\n"));
                }
                Err(error) => self.complain(&format!("lcd: {path}: {error}\n"), sys),
            },
            ("pwd", _) => {
                let folder = self.folder.clone().or_else(|| self.home.clone()).unwrap_or_default();
                let url = super::url(&self.options);
                self.say(&format!("{}{folder}\n", url.trim_end_matches('/')));
            }
            (verb, _) if !OF_THE_SERVER.contains(&verb) => {
                self.complain(&format!("Unknown command `{verb}'.\n"), sys);
            }
            _ if self.options.server.is_none() => self.complain(&format!("{verb}: Not connected\n"), sys),
            ("ls" | "dir", _) => {
                let path = first.map_or(String::new(), |path| format!(" {path}"));
                self.start(Verb::List(format!("LIST{path}")), sys);
            }
            ("nlist" | "cls", _) => {
                let path = first.map_or(String::new(), |path| format!(" {path}"));
                self.start(Verb::List(format!("NLST{path}")), sys);
            }
            ("cd", Some(path)) => self.start(Verb::Change(path.to_owned()), sys),
            ("get" | "pget", Some(remote)) => {
                let local = option("-o").unwrap_or_else(|| remote.rsplit('/').next().unwrap_or(remote)).to_owned();
                let remote = paths.iter().find(|path| **path != local || option("-o").is_none()).copied();
                let remote = remote.unwrap_or(&local).to_owned();
                self.start(Verb::Get { remote, local: Some(local) }, sys);
            }
            ("cat", Some(remote)) => self.start(Verb::Get { remote: remote.to_owned(), local: None }, sys),
            ("put", Some(local)) => {
                let remote = option("-o").unwrap_or_else(|| local.rsplit('/').next().unwrap_or(local)).to_owned();
                match sys.read_file(local) {
                    Ok(content) => self.start(Verb::Put { content, remote }, sys),
                    Err(error) => self.complain(&format!("put: {local}: {error}\n"), sys),
                }
            }
            ("rm", Some(path)) => self.start(Verb::Say { command: format!("DELE {path}"), shows: false }, sys),
            ("mkdir", Some(path)) => self.start(Verb::Say { command: format!("MKD {path}"), shows: false }, sys),
            ("rmdir", Some(path)) => self.start(Verb::Say { command: format!("RMD {path}"), shows: false }, sys),
            ("quote", Some(_)) => {
                self.start(Verb::Say { command: arguments.join(" "), shows: true }, sys);
            }
            (verb, _) => self.complain(&format!("Usage: {verb} path\n"), sys),
        }
    }

    fn open_lftp<'a>(&mut self, host: &str, option: &dyn Fn(&str) -> Option<&'a str>, sys: &mut Sys) {
        if let Some((name, password)) = option("-u").map(|user| user.split_once(',').unwrap_or((user, ""))) {
            self.options.user = Some((name.to_owned(), password.to_owned()));
        }
        let host = host.trim_start_matches("ftp://").trim_end_matches('/');
        let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, port.parse().ok()));
        let port = option("-p").and_then(|port| port.parse().ok()).or(port).unwrap_or(21);
        match sys.resolve(host) {
            Some(address) => {
                self.talk.hang_up(sys);
                self.options.server = Some((host.to_owned(), address, port));
                (self.folder, self.home, self.logged_in) = (None, None, false);
                self.talk.rename(super::url(&self.options));
            }
            None => self.complain(&format!("open: {host}: Name or service not known\n"), sys),
        }
    }

    fn set_lftp(&mut self, arguments: &[&str], sys: &mut Sys) {
        let [name, value, ..] = arguments else { return };
        let yes = matches!(*value, "yes" | "on" | "true" | "1");
        let seconds = Duration::parse(&format!("{}s", value.trim_end_matches('s')));
        let mut sound = true;
        match name.split('/').next().unwrap_or_default() {
            "ftp:passive-mode" => self.talk.mode = if yes { Mode::Passive } else { Mode::Active },
            "ftp:prefer-epsv" => {
                if self.talk.mode != Mode::Active {
                    self.talk.mode = if yes { Mode::Extended } else { Mode::Passive };
                }
            }
            "ftp:fix-pasv-address" => {
                self.settings.mends_address = yes;
                self.talk.mends_address = yes;
            }
            "net:timeout" => match seconds {
                Some(seconds) => {
                    self.settings.patience = seconds;
                    self.talk.patience = seconds;
                }
                None => sound = false,
            },
            "net:max-retries" => match value.parse() {
                Ok(count) => self.settings.retries = count,
                Err(_) => sound = false,
            },
            "net:reconnect-interval-base" => match seconds {
                Some(seconds) => (self.settings.pause, self.pause) = (seconds, seconds),
                None => sound = false,
            },
            name if ACCEPTED.contains(&name) => {}
            name => {
                return self
                    .complain(&format!("{name}: no such variable. Use `set -a' to look at all variables.\n"), sys);
            }
        }
        if !sound {
            self.complain(&format!("{name}: invalid value `{value}'\n"), sys);
        }
    }

    pub(super) fn show_lftp(&mut self, said: &Said, sys: &mut Sys) {
        if !self.options.shows {
            return;
        }
        let text = match said {
            Said::Sent(text) => format!("---> {text}\n"),
            Said::Heard(text) => format!("<--- {text}\n"),
            Said::Note(text) => format!("---- {text}\n"),
        };
        // Nobody reads it: then nobody misses it.
        let _unread = sys.write(Fd::STDERR, text.as_bytes());
    }

    /// What was transferred; `lftp` says how fast from one second on, `ftp` always.
    pub(super) fn say_transferred(&mut self, octets: usize, sys: &Sys, upload: bool) {
        let took = sys.now().since(self.transfer_began);
        if self.options.program == super::Program::Ftp {
            return self.say_transferred_netkit(octets, took, upload);
        }
        let seconds = took.secs();
        let plural = if octets == 1 { "" } else { "s" };
        let speed = match seconds {
            0 => String::new(),
            _ => {
                let per_second = octets as u64 / seconds;
                let s = if seconds == 1 { "" } else { "s" };
                match per_second {
                    0..1024 => format!(" in {seconds} second{s} ({per_second} B/s)"),
                    _ => format!(
                        " in {seconds} second{s} ({}.{} KiB/s)",
                        per_second / 1024,
                        per_second % 1024 * 10 / 1024
                    ),
                }
            }
        };
        self.say(&format!("{octets} byte{plural} transferred{speed}\n"));
    }
}

/// Words, with quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut has_word) = (String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            ('"' | '\'', None) => (quote, has_word) = (Some(c), true),
            (c, None) if c.is_whitespace() => {
                if has_word {
                    words.push(std::mem::take(&mut word));
                    has_word = false;
                }
            }
            (c, _) => {
                word.push(c);
                has_word = true;
            }
        }
    }
    if has_word {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words("get \"a file\" -o 'b'  c"), ["get", "a file", "-o", "b", "c"]);
        assert_eq!(words("  "), Vec::<String>::new());
    }
}
