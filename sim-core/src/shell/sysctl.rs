//! `sysctl` (procps): shows and sets kernel settings.

use super::command::{Call, Command, Opt, Outcome, getopt};
use crate::kernel::files::FileError;
use crate::kernel::syscall::Sys;

/// `sysctl`.
pub(super) const COMMAND: Command = Command {
    names: &["sysctl"],
    summary: "kernel settings",
    options: &[
        Opt::flag("-w", "sets (key=value alone does, too)"),
        Opt::flag("-n", "values only"),
        Opt::flag("-N", "names only"),
        Opt::flag("-a", "all"),
        Opt::flag("-A", "all"),
        Opt::flag("-p", "reads settings from a file; /etc/sysctl.conf if none is named"),
        Opt::flag("-q", "says nothing about what it set"),
        Opt::flag("-e", "unknown keys are no error"),
        Opt::flag("--system", "reads /etc/sysctl.conf"),
        Opt::value("-r", "only keys that match"),
        Opt::flag("--all", "all"),
        Opt::flag("--load", "as -p"),
        Opt::flag("--write", "as -w"),
        Opt::flag("--values", "as -n"),
        Opt::flag("--quiet", "as -q"),
        Opt::flag("--ignore", "as -e"),
        Opt::value("--pattern", "as -r"),
    ],
    check: getopt,
    run,
};

#[derive(Default)]
struct Options {
    values: bool,
    names: bool,
    all: bool,
    load: bool,
    quiet: bool,
    ignore: bool,
    pattern: Option<String>,
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let mut options = Options::default();
    let mut words: Vec<String> = Vec::new();
    let mut args = call.args().iter();
    while let Some(word) = args.next() {
        match word.as_str() {
            "--system" | "--load" => options.load = true,
            "--all" => options.all = true,
            "--values" => options.values = true,
            "--quiet" => options.quiet = true,
            "--ignore" => options.ignore = true,
            "--write" => {}
            "--pattern" | "-r" => options.pattern = args.next().cloned(),
            _ if word.starts_with('-') && !word.starts_with("--") && word.len() > 1 => {
                for letter in word[1..].chars() {
                    match letter {
                        'n' => options.values = true,
                        'N' => options.names = true,
                        'a' | 'A' | 'X' => options.all = true,
                        'p' => options.load = true,
                        'q' => options.quiet = true,
                        'e' => options.ignore = true,
                        'w' => {}
                        other => return call.fail(1, format!("sysctl: invalid option -- '{other}'\n")),
                    }
                }
            }
            _ if word.starts_with("--") => return call.fail(1, format!("sysctl: unrecognized option '{word}'\n")),
            _ => words.push(word.clone()),
        }
    }
    if options.load {
        if words.is_empty() {
            words.push("/etc/sysctl.conf".into());
        }
        let files = words;
        let mut status = 0;
        for file in files {
            status |= load(&file, &options, call, sys);
        }
        return Outcome::Done(status);
    }
    if options.all {
        return all(&options, call, sys);
    }
    if words.is_empty() {
        return call.fail(1, "\nUsage:\n sysctl [options] [variable[=value] ...]\n");
    }
    let mut status = 0;
    for word in words {
        // `sysctl -w key = value` is three words, and fails on Linux as it does here.
        status |= match word.split_once('=') {
            Some((key, value)) => set(key, value, &options, call, sys),
            None => show(&word, &options, call, sys),
        };
    }
    Outcome::Done(status)
}

fn path_of(key: &str) -> String {
    // `net.ipv4.conf.eth0/5.arp_ignore`: a slash stands for a dot in a name, unless the key is written with slashes.
    let slashes = key.find('/').is_some_and(|slash| key.find('.').is_none_or(|dot| slash < dot));
    let path = if slashes {
        key.to_owned()
    } else {
        key.chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '/' {
                    '.'
                } else {
                    c
                }
            })
            .collect()
    };
    format!("/proc/sys/{path}")
}

fn dotted(key: &str) -> String {
    path_of(key)["/proc/sys/".len()..]
        .chars()
        .map(|c| {
            if c == '/' {
                '.'
            } else if c == '.' {
                '/'
            } else {
                c
            }
        })
        .collect()
}

fn show(key: &str, options: &Options, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> i32 {
    let path = path_of(key);
    match sys.read_file(&path) {
        Ok(text) => {
            print(&dotted(key), String::from_utf8_lossy(&text).trim_end(), options, call);
            0
        }
        // `sysctl net.ipv4.conf.lo` shows everything below.
        Err(_) => {
            let prefix = format!("{}.", dotted(key).trim_end_matches('.'));
            let keys: Vec<String> =
                sys.kernel.tables.sysctl.keys().into_iter().filter(|known| known.starts_with(&prefix)).collect();
            if keys.is_empty() {
                return unknown(&path, options, call);
            }
            for key in keys {
                if let Ok(value) = sys.kernel.tables.sysctl.get(&key) {
                    print(&key, &value, options, call);
                }
            }
            0
        }
    }
}

fn set(key: &str, value: &str, options: &Options, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> i32 {
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || value.is_empty() {
        call.err(format!("sysctl: malformed setting \"{key}={value}\"\n"));
        return 1;
    }
    match sys.write_file(&path_of(key), value.as_bytes()) {
        Ok(()) => {
            if !options.quiet {
                print(&dotted(key), value, options, call);
            }
            0
        }
        Err(FileError::NotFound) => unknown(&path_of(key), options, call),
        Err(FileError::Denied) => {
            call.err(format!("sysctl: permission denied on key \"{}\"\n", dotted(key)));
            1
        }
        Err(error) => {
            call.err(format!("sysctl: setting key \"{}\": {error}\n", dotted(key)));
            1
        }
    }
}

fn unknown(path: &str, options: &Options, call: &mut Call<'_>) -> i32 {
    if options.ignore {
        return 0;
    }
    call.err(format!("sysctl: cannot stat {path}: No such file or directory\n"));
    1
}

fn print(key: &str, value: &str, options: &Options, call: &mut Call<'_>) {
    call.out(match (options.values, options.names) {
        (true, _) => format!("{value}\n"),
        (false, true) => format!("{key}\n"),
        (false, false) => format!("{key} = {value}\n"),
    });
}

fn all(options: &Options, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let pattern = match options.pattern.as_deref().map(|pattern| super::regular::extended(pattern, false)) {
        Some(Err(message)) => return call.fail(1, format!("sysctl: {message}\n")),
        Some(Ok(pattern)) => Some(pattern),
        None => None,
    };
    for key in sys.kernel.tables.sysctl.keys() {
        if pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&key)) {
            continue;
        }
        if let Ok(value) = sys.kernel.tables.sysctl.get(&key) {
            print(&key, &value, options, call);
        }
    }
    Outcome::Done(0)
}

fn load(file: &str, options: &Options, call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> i32 {
    let path = call.path(file);
    let Ok(text) = sys.read_file(&path) else {
        call.err(format!("sysctl: cannot open \"{file}\": No such file or directory\n"));
        return 1;
    };
    let mut status = 0;
    for (number, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => status |= set(key.trim().trim_start_matches('-'), value, options, call, sys),
            None => {
                call.err(format!("sysctl: {file}({}): invalid syntax, continuing...\n", number + 1));
                status = 1;
            }
        }
    }
    status
}
