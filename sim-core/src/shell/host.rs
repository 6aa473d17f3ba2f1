//! Questions about the host: `hostname`, `date`, `which`, `uname`, `seq`, `id`, `whoami`.

use super::command::{Call, Command, Opt, Outcome, anything, getopt};
use super::options::Options;
use crate::base::calendar::Date;
use crate::base::time::EPOCH_UNIX_SECONDS;
use crate::kernel::syscall::Sys;
use std::fmt::Write;

/// `hostname`.
pub(super) const HOSTNAME: Command = Command {
    names: &["hostname"],
    summary: "the host's name",
    options: &[
        Opt::flag("-s", "without the domain"),
        Opt::flag("-f", "with the domain"),
        Opt::flag("-I", "its addresses"),
        Opt::flag("-i", "its first address"),
    ],
    check: getopt,
    run: hostname,
};

/// `date`.
pub(super) const DATE: Command = Command {
    names: &["date"],
    summary: "the simulated time; a run begins on 2000-01-01 00:00:00 UTC",
    options: &[
        Opt::accepted("-u", false, "it is UTC"),
        Opt::refused("-s", true, "the clock is the run's"),
        Opt::refused("-d", true, "only the time of the run is known"),
    ],
    check: getopt,
    run: date,
};

/// `which`.
pub(super) const WHICH: Command =
    Command { names: &["which"], summary: "where a program is", options: &[], check: anything, run: which };

/// `uname`.
pub(super) const UNAME: Command = Command {
    names: &["uname"],
    summary: "the kernel",
    options: &[
        Opt::flag("-a", "everything"),
        Opt::flag("-r", "the release"),
        Opt::flag("-n", "the host's name"),
        Opt::flag("-s", "the system"),
        Opt::flag("-m", "the machine"),
    ],
    check: getopt,
    run: uname,
};

/// `whoami`, `id`.
pub(super) const WHOAMI: Command = Command {
    names: &["whoami", "id"],
    summary: "root",
    options: &[Opt::flag("-u", "the number")],
    check: getopt,
    run: whoami,
};

/// `seq`.
pub(super) const SEQ: Command = Command {
    names: &["seq"],
    summary: "numbers",
    options: &[Opt::value("-s", "what stands between"), Opt::flag("-w", "all of one width")],
    check: |_, _| Vec::new(),
    run: seq,
};

fn hostname(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let name = match sys.kernel.tables.sysctl.get("kernel.hostname") {
        Ok(name) => name,
        Err(_) => sys.kernel.hostname.to_string(),
    };
    let options = match Options::read(&HOSTNAME, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("hostname")),
    };
    if let Some(new) = options.words.first() {
        return match sys.write_file("/proc/sys/kernel/hostname", new.as_bytes()) {
            Ok(()) => Outcome::Done(0),
            Err(error) => call.fail(1, format!("hostname: {error}\n")),
        };
    }
    if options.has(&["-I", "-i"]) {
        let addresses = sys.kernel.tables.interfaces.iter().flat_map(|interface| &interface.addresses);
        let mut all: Vec<String> =
            addresses.map(|a| a.address).filter(|a| !a.is_loopback()).map(|a| a.to_string()).collect();
        if options.has(&["-i"]) {
            all.truncate(1);
        }
        call.out(format!("{} \n", all.join(" ")));
        return Outcome::Done(0);
    }
    let shown = if options.has(&["-s"]) { name.split('.').next().unwrap_or(&name) } else { &name };
    call.out(format!("{shown}\n"));
    Outcome::Done(0)
}

fn date(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let now = sys.now();
    let date = Date::of(now);
    let format = call.args().iter().find_map(|word| word.strip_prefix('+'));
    let Some(format) = format else {
        call.out(format!("{}\n", expand("%a %b %e %H:%M:%S UTC %Y", &date, now.nanos())));
        return Outcome::Done(0);
    };
    call.out(format!("{}\n", expand(format, &date, now.nanos())));
    Outcome::Done(0)
}

fn expand(format: &str, date: &Date, ns: u64) -> String {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let Some(code) = letters.next() else {
            out.push('%');
            break;
        };
        out.push_str(&match code {
            'Y' => date.year.to_string(),
            'y' => format!("{:02}", date.year % 100),
            'm' => format!("{:02}", date.month),
            'd' => format!("{:02}", date.day),
            'e' => format!("{:>2}", date.day),
            'H' => format!("{:02}", date.hour),
            'I' => format!("{:02}", (date.hour + 11) % 12 + 1),
            'M' => format!("{:02}", date.minute),
            'S' => format!("{:02}", date.second),
            'N' => format!("{:09}", ns % 1_000_000_000),
            's' => (EPOCH_UNIX_SECONDS + ns / 1_000_000_000).to_string(),
            'F' => format!("{}-{:02}-{:02}", date.year, date.month, date.day),
            'T' => format!("{:02}:{:02}:{:02}", date.hour, date.minute, date.second),
            'D' => format!("{:02}/{:02}/{:02}", date.month, date.day, date.year % 100),
            'a' => date.weekday_name().to_owned(),
            'b' | 'h' => date.month_name().to_owned(),
            'Z' => "UTC".into(),
            'z' => "+0000".into(),
            'p' => if date.hour < 12 { "AM" } else { "PM" }.into(),
            'n' => "\n".into(),
            't' => "\t".into(),
            '%' => "%".into(),
            other => format!("%{other}"),
        });
    }
    out
}

fn which(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let mut status = 0;
    for name in call.args().to_vec().iter().filter(|name| !name.starts_with('-')) {
        let folders = ["/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin", "/usr/sbin", "/usr/bin"];
        let file =
            folders.iter().map(|folder| format!("{folder}/{name}")).find(|path| super::files::is_executable(sys, path));
        match file.or_else(|| (call.path_of)(name)) {
            Some(path) => call.out(format!("{path}\n")),
            None => {
                status = 1;
                if !matches!(sys.kernel.os, crate::kernel::Os::Debian12) {
                    let path = call.env.get("PATH").cloned().unwrap_or_default();
                    call.err(format!("/usr/bin/which: no {name} in ({path})\n"));
                }
            }
        }
    }
    Outcome::Done(status)
}

fn uname(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&UNAME, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("uname")),
    };
    let all = options.has(&["-a"]);
    let mut words: Vec<String> = Vec::new();
    if all || options.has(&["-s"]) || options.given.is_empty() {
        words.push("Linux".into());
    }
    if all || options.has(&["-n"]) {
        words.push(sys.kernel.hostname.to_string());
    }
    if all || options.has(&["-r"]) {
        words.push("6.1.0".into());
    }
    if all || options.has(&["-m"]) {
        words.push("x86_64".into());
    }
    call.out(format!("{}\n", words.join(" ")));
    Outcome::Done(0)
}

fn whoami(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let number = call.args().iter().any(|word| word == "-u");
    let text = match (call.name(), number) {
        ("id", true) => "0\n",
        ("id", false) => "uid=0(root) gid=0(root) groups=0(root)\n",
        _ => "root\n",
    };
    call.out(text);
    Outcome::Done(0)
}

fn seq(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let mut separator = "\n".to_owned();
    let mut wide = false;
    let mut numbers = Vec::new();
    let mut words = call.args().iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" => separator = words.next().cloned().unwrap_or_default(),
            "-w" => wide = true,
            text => match text.parse::<i64>() {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    let text = format!(
                        "seq: invalid floating point argument: '{text}'\nTry 'seq --help' for more information.\n"
                    );
                    return call.fail(1, text);
                }
            },
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] => (*first, *step, *last),
        _ => return call.fail(1, "seq: missing operand\nTry 'seq --help' for more information.\n"),
    };
    if step == 0 {
        return call.fail(1, "seq: invalid Zero increment value: '0'\nTry 'seq --help' for more information.\n");
    }
    let count = if (last >= first) == (step > 0) { last.abs_diff(first) / step.unsigned_abs() + 1 } else { 0 };
    let widest = first.to_string().len().max(last.to_string().len());
    if count > NUMBERS_MAX || count.saturating_mul((widest + separator.len()) as u64) > TEXT_MAX {
        let text = "seq: more than 100000 numbers, or 8 MiB, are not modelled\n";
        return call.fail(super::command::NOT_MODELLED, text);
    }
    let width = if wide { widest } else { 0 };
    let mut row = String::new();
    for n in 0..count as i64 {
        if n > 0 {
            row.push_str(&separator);
        }
        // Between `first` and `last`, although the product may not fit.
        let _ = write!(row, "{:0width$}", first.wrapping_add(n.wrapping_mul(step)));
    }
    if count > 0 {
        row.push('\n');
        call.out(row);
    }
    Outcome::Done(0)
}

const NUMBERS_MAX: u64 = 100_000;
const TEXT_MAX: u64 = 8 << 20;
