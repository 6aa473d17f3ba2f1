//! `watch`: a command again and again. Each screen is printed below the one before.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use crate::base::calendar::Date;
use crate::base::id::Pid;
use crate::base::time::{Duration, Instant};
use crate::kernel::process::{Env, Fd, Next, On, Process};
use crate::kernel::syscall::{Stdio, Sys};

/// `watch`.
pub(super) const COMMAND: Command = Command {
    names: &["watch"],
    summary: "a command again and again",
    options: &[
        Opt::value("-n", "seconds from one to the next (2)"),
        Opt::value("--interval", "seconds from one to the next (2)"),
        Opt::flag("-t", "no heading"),
        Opt::flag("--no-title", "no heading"),
        Opt::flag("-e", "stops when the command fails"),
        Opt::accepted("-d", false, "differences are not coloured"),
        Opt::accepted("--differences", false, "differences are not coloured"),
        Opt::accepted("-c", false, "there are no colours"),
        Opt::accepted("-x", false, "the words are run as they are"),
    ],
    check: |command, words| own(words).map_or_else(Vec::new, |own| check(command, own)),
    run,
};

const LEAST: Duration = Duration::from_millis(100);
/// Columns of a screen that is no terminal.
const COLUMNS: usize = 80;

#[derive(Debug)]
struct Watch {
    interval: Duration,
    shown_interval: String,
    command: String,
    title: bool,
    stops: bool,
    child: Option<Pid>,
    next: Instant,
    env: Env,
}

/// The options in front of the command are watch's own.
fn own<'a, 'w>(words: &'a [&'w str]) -> Option<&'a [&'w str]> {
    let mut at = 1;
    while words.get(at).is_some_and(|word| word.starts_with('-')) {
        at += 1 + usize::from(matches!(words[at], "-n" | "--interval"));
    }
    words.get(..at.min(words.len()))
}

fn check(command: &Command, own: &[&str]) -> Vec<Fault> {
    getopt(command, own)
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let mut watch = Watch {
        interval: Duration::from_secs(2),
        shown_interval: "2.0".into(),
        command: String::new(),
        title: true,
        stops: false,
        child: None,
        next: Instant::ZERO,
        env: call.env.clone(),
    };
    let mut words = call.args().iter().map(String::as_str).peekable();
    while let Some(word) = words.next_if(|word| word.starts_with('-')) {
        let value = match word
            .strip_prefix("--interval=")
            .or_else(|| word.strip_prefix("-n").filter(|rest| !rest.is_empty()))
        {
            Some(value) => Some(value),
            None if matches!(word, "-n" | "--interval") => words.next(),
            None => None,
        };
        match (word, value) {
            (_, Some(value)) => {
                let Some(interval) = Duration::parse(&format!("{value}s")) else {
                    return call.fail(1, format!("watch: failed to parse argument: '{value}'\n"));
                };
                watch.interval = interval.max(LEAST);
                let tenths = watch.interval.millis() / 100;
                watch.shown_interval = format!("{}.{}", tenths / 10, tenths % 10);
            }
            ("-t" | "--no-title", _) => watch.title = false,
            ("-e", _) => watch.stops = true,
            ("-d" | "--differences" | "-c" | "-x", _) => {}
            (word, _) => {
                return call.fail(1, format!("watch: invalid option -- '{}'\n", word.trim_start_matches('-')));
            }
        }
    }
    watch.command = words.collect::<Vec<_>>().join(" ");
    if watch.command.is_empty() {
        return call.fail(1, "\nUsage:\n watch [options] command\n");
    }
    Outcome::Became(Box::new(watch))
}

impl Process for Watch {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        if let Some(child) = self.child {
            match sys.wait(child) {
                None => return Next::on(On::Child(child)),
                Some(0) => {}
                Some(code) if self.stops => return Next::Exit(code),
                Some(_) => {}
            }
            self.child = None;
            self.next = sys.now() + self.interval;
        }
        if sys.now() < self.next {
            return Next::until(self.next);
        }
        if self.title {
            let left = format!("Every {}s: {}", self.shown_interval, self.command);
            let date = Date::of(sys.now());
            let right = format!("{}: {} {} {}", sys.kernel.hostname, date.weekday_name(), date.syslog(), date.year);
            let room = COLUMNS.saturating_sub(left.len()).max(right.len() + 1);
            if sys.write(Fd::STDOUT, format!("{left}{right:>room$}\n\n").as_bytes()).is_err() {
                return Next::Exit(141);
            }
        }
        let argv = ["sh", "-c", self.command.as_str()].map(str::to_owned);
        match sys.spawn(&argv, &self.env, Stdio::default()) {
            Ok(child) => {
                self.child = Some(child);
                Next::on(On::Child(child))
            }
            Err(error) => {
                let _unread = sys.write(Fd::STDERR, format!("watch: {error}\n").as_bytes());
                Next::Exit(1)
            }
        }
    }
}
