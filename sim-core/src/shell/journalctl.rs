//! `journalctl`: the log of the host, by unit. The journal and `/var/log/messages` are one here.
//!
//! # Not modelled
//! Fields, cursors, other outputs than `short` and `cat`, earlier boots.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::base::calendar::Date;
use crate::base::time::{Duration, Instant};
use crate::kernel::Os;
use crate::kernel::process::{Fd, Next, On, Process};
use crate::kernel::syscall::Sys;

/// `journalctl`.
pub(super) const COMMAND: Command = Command {
    names: &["journalctl"],
    summary: "the log, by service",
    options: &[
        Opt::value("-u", "of this service"),
        Opt::value("--unit", "of this service"),
        Opt::value("-t", "of this program"),
        Opt::value("--identifier", "of this program"),
        Opt::flag("-f", "goes on as the log grows"),
        Opt::flag("--follow", "goes on as the log grows"),
        Opt::value("-n", "the last lines"),
        Opt::value("--lines", "the last lines"),
        Opt::value("-g", "lines that match"),
        Opt::value("--grep", "lines that match"),
        Opt::value("-S", "from this time on: HH:MM:SS, \"30 s ago\", -30s"),
        Opt::value("--since", "from this time on: HH:MM:SS, \"30 s ago\", -30s"),
        Opt::value("-U", "up to this time"),
        Opt::value("--until", "up to this time"),
        Opt::flag("-r", "the newest first"),
        Opt::flag("--reverse", "the newest first"),
        Opt::value("-o", "short, or cat: without time and name"),
        Opt::value("--output", "short, or cat: without time and name"),
        Opt::flag("-e", "the last thousand"),
        Opt::flag("--pager-end", "the last thousand"),
        Opt::accepted("-x", false, "there is no catalogue of explanations"),
        Opt::accepted("--catalog", false, "there is no catalogue of explanations"),
        Opt::accepted("-b", false, "the log begins with this boot's"),
        Opt::accepted("--boot", false, "the log begins with this boot's"),
        Opt::accepted("-a", false, "everything is shown"),
        Opt::accepted("-q", false, "nothing else is said"),
        Opt::accepted("--no-pager", false, "there is no pager"),
        Opt::accepted("--full", false, "lines are not cut"),
        Opt::accepted("-l", false, "lines are not cut"),
        Opt::accepted("--no-full", false, "lines are not cut"),
        Opt::refused("-k", false, "dmesg shows the kernel's messages"),
        Opt::refused("-p", true, "lines have no priority; use -g"),
        Opt::refused("--vacuum-size", true, "the log is kept whole"),
        Opt::refused("--disk-usage", false, "disks are not modelled"),
    ],
    check: getopt,
    run,
};

/// Which lines are shown, and how.
#[derive(Debug)]
struct Wanted {
    programs: Vec<String>,
    pattern: Option<regex::Regex>,
    since: Option<Instant>,
    until: Option<Instant>,
    plain: bool,
}

impl Wanted {
    /// The line as the journal shows it, if it is wanted.
    fn shows(&self, line: &str) -> Option<String> {
        let (stamp, rest) = line.split_at_checked(STAMP)?;
        let message = rest.split_once(' ')?.1;
        let program = message.split([':', '[']).next()?;
        // The processes of keepalived log as Keepalived, Keepalived_vrrp, Keepalived_healthcheckers.
        let is_of = |unit: &String| {
            let same = program.eq_ignore_ascii_case(unit);
            let prefix = program.get(..unit.len()).is_some_and(|head| head.eq_ignore_ascii_case(unit));
            same || (prefix && program[unit.len()..].starts_with(['_', '/']))
                || (program == "systemd" && message.contains(&format!("{unit}.service")))
        };
        let at = seconds(stamp);
        let in_time = self.since.is_none_or(|since| at.is_some_and(|at| at >= since.nanos() / 1_000_000_000))
            && self.until.is_none_or(|until| at.is_some_and(|at| at <= until.nanos() / 1_000_000_000));
        let shown = (self.programs.is_empty() || self.programs.iter().any(is_of))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(message))
            && in_time;
        let text = message.split_once(": ").map_or(message, |(_, text)| text);
        // The journal writes days with two figures.
        let dated = || format!("{}{}", stamp.replacen("  ", " 0", 1), rest);
        shown.then(|| if self.plain { text.to_owned() } else { dated() })
    }
}

/// The last lines of the log of a service, as its status shows them.
pub(super) fn last_of(unit: &str, count: usize, sys: &mut Sys) -> Vec<String> {
    let wanted = Wanted { programs: vec![unit.to_owned()], pattern: None, since: None, until: None, plain: false };
    let content = sys.read_file(LOG).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let mut lines: Vec<String> = text.lines().rev().filter_map(|line| wanted.shows(line)).take(count).collect();
    lines.reverse();
    lines
}

/// `Jan  1 00:00:40` as seconds of the run: a run is shorter than a month.
fn seconds(stamp: &str) -> Option<u64> {
    let day: u64 = stamp.get(4..6)?.trim().parse().ok()?;
    clock(stamp.get(7..15)?).map(|clock| day.saturating_sub(1) * 86_400 + clock)
}

/// `00:00:40` or `00:00` as seconds.
fn clock(text: &str) -> Option<u64> {
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hours, minutes] => Some(hours * 3600 + minutes * 60),
        [hours, minutes, seconds] => Some(hours * 3600 + minutes * 60 + seconds),
        _ => None,
    }
}

/// A time as systemd.time(7) has it, as far as a run of hours needs.
fn instant(text: &str, now: Instant) -> Option<Instant> {
    let text = text.trim();
    match text {
        "now" => return Some(now),
        "today" | "yesterday" => return Some(Instant::ZERO),
        _ => {}
    }
    let back = text.strip_suffix("ago").map(str::trim).or_else(|| text.strip_prefix('-'));
    if let Some(back) = back {
        let end = back.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = back[..end].parse().ok()?;
        let unit = match back[end..].trim() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        let span = Duration::from_secs(number.checked_mul(unit)?);
        return Some(Instant::from_nanos(now.nanos().saturating_sub(span.nanos())));
    }
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (Some(date), time),
        None => (None, text),
    };
    let day: u64 = match date.map(|date| date.strip_prefix("2000-01-")) {
        Some(day) => day?.parse().ok()?,
        None => u64::from(Date::of(now).day),
    };
    let seconds = day.checked_sub(1)?.checked_mul(86_400)?.checked_add(clock(time)?)?;
    Some(Instant::from_nanos(seconds.checked_mul(1_000_000_000)?))
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    if sys.kernel.os < Os::CentOs7 {
        return call.fail(127, "-bash: journalctl: command not found\n");
    }
    let args = with_numbers(call.args());
    let options = match Options::read(&COMMAND, &args) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, format!("journalctl: {wrong}\n")),
    };
    let now = sys.now();
    let mut times = [None, None];
    for (time, names) in times.iter_mut().zip([["-S", "--since"], ["-U", "--until"]]) {
        if let Some(text) = options.value(&names) {
            let Some(at) = instant(text, now) else {
                return call.fail(1, format!("Failed to parse timestamp: {text}\n"));
            };
            *time = Some(at);
        }
    }
    // Capitals matter only to somebody who types one.
    let read = |text: &str| super::regular::extended(text, !text.contains(char::is_uppercase));
    let pattern = match options.value(&["-g", "--grep"]).map(read) {
        Some(Err(message)) => return call.fail(1, format!("Bad pattern: {message}\n")),
        Some(Ok(pattern)) => Some(pattern),
        None => None,
    };
    let plain = match options.value(&["-o", "--output"]) {
        None | Some("short") => false,
        Some("cat") => true,
        Some(other) => {
            let text = format!("journalctl -o {other} is not modelled: short and cat are\n");
            return call.fail(super::command::NOT_MODELLED, text);
        }
    };
    let units = options.values(&["-u", "--unit"]).map(|unit| unit.strip_suffix(".service").unwrap_or(unit));
    let programs = units.chain(options.values(&["-t", "--identifier"])).map(str::to_owned).collect();
    let wanted = Wanted { programs, pattern, since: times[0], until: times[1], plain };
    let follows = options.has(&["-f", "--follow"]);
    let last = match options.value(&["-n", "--lines"]) {
        Some("all") => None,
        Some(text) => match text.parse::<usize>() {
            Ok(number) => Some(number),
            Err(_) => return call.fail(1, format!("Failed to parse lines '{text}'\n")),
        },
        None if follows => Some(10),
        None if options.has(&["-e", "--pager-end"]) => Some(1000),
        None => None,
    };
    let content = sys.read_file(LOG).unwrap_or_default();
    let text = String::from_utf8_lossy(&content);
    let mut lines: Vec<String> = text.lines().filter_map(|line| wanted.shows(line)).collect();
    if let Some(last) = last {
        lines.drain(..lines.len().saturating_sub(last));
    }
    if options.has(&["-r", "--reverse"]) {
        lines.reverse();
    }
    let mut shown = String::new();
    if sys.kernel.os == Os::CentOs7 && !plain {
        let date = Date::of(now);
        let first = Date::of(Instant::ZERO);
        let stamp = |date: &Date| {
            let (year, month, day) = (date.year, date.month, date.day);
            let (hour, minute, second) = (date.hour, date.minute, date.second);
            format!("{} {year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC", date.weekday_name())
        };
        shown = format!("-- Logs begin at {}, end at {}. --\n", stamp(&first), stamp(&date));
    } else if lines.is_empty() && !follows {
        shown = "-- No entries --\n".into();
    }
    shown.extend(lines.iter().flat_map(|line| [line.as_str(), "\n"]));
    if !follows {
        call.out(shown);
        return Outcome::Done(0);
    }
    Outcome::Became(Box::new(Follow { wanted, at: content.len(), out: shown.into_bytes() }))
}

/// The words, with the ten that `-n` without a number means.
fn with_numbers(args: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for (at, word) in args.iter().enumerate() {
        words.push(word.clone());
        let next = args.get(at + 1);
        let is_number = next.is_some_and(|next| next == "all" || next.parse::<usize>().is_ok());
        if matches!(word.as_str(), "-n" | "--lines") && !is_number {
            words.push("10".into());
        }
    }
    words
}

/// `journalctl -f`: looks ten times a second, and ends by a signal.
#[derive(Debug)]
struct Follow {
    wanted: Wanted,
    at: usize,
    out: Vec<u8>,
}

impl Process for Follow {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let content = sys.read_file(LOG).unwrap_or_default();
        let new = content.get(self.at.min(content.len())..).unwrap_or_default();
        for line in String::from_utf8_lossy(new).lines() {
            if let Some(line) = self.wanted.shows(line) {
                self.out.extend_from_slice(line.as_bytes());
                self.out.push(b'\n');
            }
        }
        self.at = content.len();
        while !self.out.is_empty() {
            match sys.write(Fd::STDOUT, &self.out) {
                Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                Ok(taken) => drop(self.out.drain(..taken)),
                Err(_) => return Next::Exit(141),
            }
        }
        Next::until(sys.now() + LOOK_EVERY)
    }
}

const LOG: &str = "/var/log/messages";
/// Octets of the time in front of a line.
const STAMP: usize = "Jan  1 00:00:40 ".len();
const LOOK_EVERY: Duration = Duration::from_millis(100);
