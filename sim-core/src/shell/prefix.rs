//! `timeout`, `nohup`, `sudo`, `env`, `nice`, `stdbuf`, `setsid`: commands that run the command behind them.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use super::options::Options;
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Env, Fd, Next, On, Process, Signal};
use crate::kernel::syscall::{Stdio, Sys};

/// `timeout`.
pub(super) const TIMEOUT: Command = Command {
    names: &["timeout"],
    summary: "runs a command for so long at most",
    options: &[
        Opt::value("-s", "the signal (TERM)"),
        Opt::value("--signal", "the signal (TERM)"),
        Opt::value("-k", "KILL so long after the signal"),
        Opt::value("--kill-after", "KILL so long after the signal"),
        Opt::flag("--preserve-status", "the exit status is that of the command"),
        Opt::accepted("--foreground", false, "every command has the terminal"),
    ],
    check: |command, words| check(command, words, 1),
    run: timeout,
};

/// `nohup`, `sudo`, `env`, `nice`, `stdbuf`, `setsid`.
pub(super) const AS_IT_IS: Command = Command {
    names: &["env", "nohup", "sudo", "nice", "stdbuf", "setsid"],
    summary: "runs the command behind it; env with further variables, or lists them",
    options: &[
        Opt::accepted("-n", true, "nice: there are no priorities"),
        Opt::accepted("-o", true, "stdbuf: nothing is held back"),
        Opt::accepted("-e", true, "stdbuf: nothing is held back"),
        Opt::flag("-i", "env: without the variables there are"),
        Opt::refused("-u", true, "there is one user, root"),
    ],
    check: |command, words| check(command, words, 0),
    run: as_it_is,
};

/// Waits for the command, and sends it signals when its time is over.
#[derive(Debug)]
struct Wrapped {
    argv: Vec<String>,
    env: Env,
    child: Option<Pid>,
    limit: Option<Limit>,
}

#[derive(Debug)]
struct Limit {
    span: Duration,
    signal: Signal,
    kill_after: Option<Duration>,
    keeps_status: bool,
    ends: Option<Instant>,
    sent: Option<Signal>,
}

/// How many words of a wrapper stand in front of its command: its options, `NAME=VALUE`, and `own` further words.
fn front(command: &Command, words: &[&str], own: usize) -> usize {
    let takes_value = |word: &str| command.options.iter().any(|option| option.name == word && option.value);
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-') && word.len() > 1) {
        at += 1 + usize::from(takes_value(word) && !(words[0] == "sudo" && *word == "-n"));
    }
    at += own;
    while words.get(at).is_some_and(|word| words[0] == "env" && word.contains('=')) {
        at += 1;
    }
    at.min(words.len())
}

/// The wrapper's own words; those of the command behind it are looked at as that command's.
fn check(command: &Command, words: &[&str], own: usize) -> Vec<Fault> {
    getopt(command, &words[..front(command, words, own)])
}

/// Where the command behind a wrapper begins, if the words are a wrapper's.
pub(super) fn behind(command: &Command, words: &[&str]) -> Option<usize> {
    let own = match command.names[0] {
        "timeout" => 1,
        "env" => 0,
        _ => return None,
    };
    Some(front(command, words, own)).filter(|start| *start < words.len())
}

fn timeout(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    const TRY: &str = "Try 'timeout --help' for more information.\n";
    let words: Vec<&str> = call.argv.iter().map(String::as_str).collect();
    let start = front(&TIMEOUT, &words, 1);
    let own = &call.argv[1..start];
    let options = match Options::read(&TIMEOUT, own) {
        Ok(options) => options,
        Err(wrong) => return call.fail(125, wrong.coreutils("timeout")),
    };
    let ([span], Some(_)) = (options.words.as_slice(), call.argv.get(start)) else {
        return call.fail(125, format!("timeout: missing operand\n{TRY}"));
    };
    let Some(span) = super::sleep::span(span) else {
        return call.fail(125, format!("timeout: invalid time interval '{span}'\n{TRY}"));
    };
    let named = options.value(&["-s", "--signal"]).unwrap_or("TERM");
    let Some(signal) = Signal::named(&named.to_uppercase()) else {
        return call.fail(125, format!("timeout: '{named}': invalid signal\n{TRY}"));
    };
    let kill_after = match options.value(&["-k", "--kill-after"]).map(|text| (text, super::sleep::span(text))) {
        Some((text, None)) => return call.fail(125, format!("timeout: invalid time interval '{text}'\n{TRY}")),
        Some((_, span)) => span,
        None => None,
    };
    let keeps_status = options.has(&["--preserve-status"]);
    let limit = Limit { span, signal, kill_after, keeps_status, ends: None, sent: None };
    let argv = call.argv[start..].to_vec();
    Outcome::Became(Box::new(Wrapped { argv, env: call.env.clone(), child: None, limit: Some(limit) }))
}

fn as_it_is(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.argv.iter().map(String::as_str).collect();
    let name = call.name();
    let start = front(&AS_IT_IS, &[&[name], &words[1..]].concat(), 0);
    let own = &call.argv[1..start];
    let mut env = if own.iter().any(|word| word == "-i") && name == "env" { Env::new() } else { call.env.clone() };
    let settings = own.iter().filter(|word| !word.starts_with('-')).filter_map(|word| word.split_once('='));
    env.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let argv = call.argv[start..].to_vec();
    if argv.is_empty() {
        return match name {
            "env" => {
                let text: String = env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
                call.out(text);
                Outcome::Done(0)
            }
            "sudo" => call.fail(1, "usage: sudo [-n] command [arg ...]\n"),
            "nice" => {
                call.out("0\n");
                Outcome::Done(0)
            }
            name => call.fail(125, format!("{name}: missing operand\nTry '{name} --help' for more information.\n")),
        };
    }
    Outcome::Became(Box::new(Wrapped { argv, env, child: None, limit: None }))
}

impl Process for Wrapped {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let child = match self.child {
            Some(child) => child,
            None => match sys.spawn(&self.argv, &self.env, Stdio::default()) {
                Ok(child) => *self.child.insert(child),
                Err(error) => {
                    // A terminal takes everything.
                    let _ = sys.write(Fd::STDERR, format!("{error}\n").as_bytes());
                    return Next::Exit(126);
                }
            },
        };
        let now = sys.now();
        if let Some(status) = sys.wait(child) {
            return Next::Exit(self.limit.as_ref().map_or(status, |limit| limit.status(status)));
        }
        let Some(limit) = &mut self.limit else { return Next::on(On::Child(child)) };
        if limit.span == Duration::ZERO {
            return Next::on(On::Child(child));
        }
        let ends = *limit.ends.get_or_insert(now + limit.span);
        if now < ends {
            return Next::on_or_until(On::Child(child), ends);
        }
        match (limit.sent, limit.kill_after) {
            (None, kill_after) => {
                limit.sent = Some(limit.signal);
                sys.kill(child, limit.signal);
                match kill_after {
                    Some(after) => {
                        limit.ends = Some(now + after);
                        Next::on_or_until(On::Child(child), now + after)
                    }
                    None => Next::on(On::Child(child)),
                }
            }
            (Some(Signal::Kill), _) | (Some(_), None) => Next::on(On::Child(child)),
            (Some(_), Some(_)) => {
                limit.sent = Some(Signal::Kill);
                sys.kill(child, Signal::Kill);
                Next::on(On::Child(child))
            }
        }
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        let child = self.child?;
        if signal == Signal::Child {
            return None;
        }
        sys.kill(child, signal);
        Some(self.wake(sys))
    }
}

impl Limit {
    fn status(&self, of_command: i32) -> i32 {
        match self.sent {
            Some(Signal::Kill) => 137,
            Some(_) if !self.keeps_status => 124,
            Some(_) | None => of_command,
        }
    }
}
