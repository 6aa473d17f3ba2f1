//! `kill`, `killall`, `pidof`, `reboot`: signals to processes of the host, and to the host itself.

use super::command::{Call, Command, Opt, Outcome, anything, getopt, refused_words};
use crate::base::id::Pid;
use crate::kernel::Power;
use crate::kernel::process::Signal;
use crate::kernel::syscall::Sys;

/// `kill`.
pub(super) const KILL: Command = Command {
    names: &["kill"],
    summary: "signals to processes",
    options: &[
        Opt::flag("-9", "KILL; other numbers and names too"),
        Opt::value("-s", "the signal"),
        Opt::flag("-0", "only asks"),
        Opt::flag("-l", "names"),
    ],
    check: anything,
    run: kill,
};

/// `killall`.
pub(super) const KILLALL: Command = Command {
    names: &["killall"],
    summary: "signals to processes of a name",
    options: &[
        Opt::flag("-9", "KILL; other numbers and names too"),
        Opt::flag("-0", "only asks"),
        Opt::flag("-q", "says nothing"),
        Opt::flag("-s", "the signal"),
        Opt::accepted("-w", false, "what is killed ends at once or not at all"),
        Opt::refused("-r", false, "pkill takes an expression"),
        Opt::refused("-u", true, "everybody is root"),
        Opt::refused("-i", false, "type the signal and the name"),
    ],
    check: refused_words,
    run: killall,
};

/// `pidof`.
pub(super) const PIDOF: Command = Command {
    names: &["pidof"],
    summary: "numbers of the processes of a name",
    options: &[Opt::flag("-s", "one of them"), Opt::accepted("-x", false, "scripts too")],
    check: getopt,
    run: pidof,
};

/// `reboot`, `poweroff`, `halt`, `shutdown`.
pub(super) const POWER: Command = Command {
    names: &["reboot", "poweroff", "halt", "shutdown", "init"],
    summary: "switches the host off, or on again",
    options: &[Opt::flag("-r", "shutdown: on again"), Opt::flag("-h", "shutdown: off")],
    check: anything,
    run: power,
};

/// The signal that the first word names, and the other words; `None` is signal 0.
pub(super) fn signal_of(words: &[String]) -> Result<(Option<Signal>, &[String]), String> {
    let (name, rest) = match words {
        [flag, name, rest @ ..] if flag == "-s" || flag == "--signal" => (name.as_str(), rest),
        [flag, rest @ ..] if flag.len() > 1 && flag.starts_with('-') && flag != "--" => (&flag[1..], rest),
        [dashes, rest @ ..] if dashes == "--" => return Ok((Some(Signal::Term), rest)),
        rest => return Ok((Some(Signal::Term), rest)),
    };
    match name {
        "0" => Ok((None, rest)),
        name => Signal::named(&name.to_uppercase()).map(|signal| (Some(signal), rest)).ok_or_else(|| name.to_owned()),
    }
}

fn kill(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    if call.args().first().is_some_and(|word| word == "-l") {
        call.out("1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 9) SIGKILL\t10) SIGUSR1\t12) SIGUSR2\t15) SIGTERM\n");
        return Outcome::Done(0);
    }
    let (signal, words) = match signal_of(call.args()) {
        Ok(read) => read,
        Err(name) => return call.fail(1, format!("-bash: kill: {name}: invalid signal specification\n")),
    };
    if words.is_empty() {
        return call
            .fail(2, "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n");
    }
    let mut status = 0;
    for word in words {
        let Ok(pid) = word.parse::<u32>().map(Pid) else {
            call.err(format!("-bash: kill: {word}: arguments must be process or job IDs\n"));
            status = 1;
            continue;
        };
        let there = match signal {
            Some(signal) => sys.kernel.processes.is_alive(pid) && sys.kill(pid, signal),
            None => sys.kernel.processes.is_alive(pid),
        };
        if !there {
            call.err(format!("-bash: kill: ({word}) - No such process\n"));
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn killall(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let quiet = call.args().iter().any(|word| word == "-q");
    let words: Vec<String> = call.args().iter().filter(|word| *word != "-q" && *word != "-w").cloned().collect();
    let (signal, names) = match signal_of(&words) {
        Ok(read) => read,
        Err(name) => return call.fail(1, format!("{name}: unknown signal; killall -l lists signals.\n")),
    };
    if names.is_empty() {
        return call.fail(1, "Usage: killall [OPTION]... [--] NAME...\n");
    }
    let mut status = 0;
    for name in names {
        let pids = sys.kernel.processes.named(super::command::base_name(name));
        if pids.is_empty() {
            if !quiet {
                call.err(format!("{name}: no process found\n"));
            }
            status = 1;
        }
        for pid in pids {
            if let Some(signal) = signal {
                sys.kill(pid, signal);
            }
        }
    }
    Outcome::Done(status)
}

fn pidof(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let one = call.args().iter().any(|word| word == "-s");
    let mut all: Vec<String> = Vec::new();
    for name in call.args().iter().filter(|word| !word.starts_with('-')) {
        let mut pids = sys.kernel.processes.named(super::command::base_name(name));
        pids.reverse();
        all.extend(pids.iter().map(|pid| pid.0.to_string()));
    }
    if all.is_empty() {
        return Outcome::Done(1);
    }
    all.truncate(if one { 1 } else { usize::MAX });
    call.out(format!("{}\n", all.join(" ")));
    Outcome::Done(0)
}

fn power(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let again = match call.name() {
        "reboot" => true,
        "shutdown" => words.contains(&"-r"),
        "init" => match words.as_slice() {
            ["6"] => true,
            ["0"] => false,
            _ => return call.fail(1, "init: 0 and 6 are modelled\n"),
        },
        _ => false,
    };
    sys.power(if again { Power::Again } else { Power::Off });
    Outcome::Done(0)
}
