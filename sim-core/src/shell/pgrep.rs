//! `pgrep`, `pkill`: processes by an expression. Unlike `killall` they look for a part of the name, or with -f of the
//! whole command line.

use super::command::{Call, Command, Fault, Opt, Outcome, base_name, getopt};
use super::options::Options;
use super::processes::signal_of;
use crate::kernel::process::Signal;
use crate::kernel::process::table::ProcessInfo;
use crate::kernel::syscall::Sys;

/// `pgrep`, `pkill`.
pub(super) const COMMAND: Command = Command {
    names: &["pgrep", "pkill"],
    summary: "processes by an expression; pkill sends them a signal",
    options: &[
        Opt::flag("-f", "looks into the whole command line"),
        Opt::flag("--full", "looks into the whole command line"),
        Opt::flag("-x", "the whole name"),
        Opt::flag("--exact", "the whole name"),
        Opt::flag("-l", "pgrep: with the name"),
        Opt::flag("--list-name", "pgrep: with the name"),
        Opt::flag("-a", "pgrep: with the command line"),
        Opt::flag("--list-full", "pgrep: with the command line"),
        Opt::flag("-c", "counts them"),
        Opt::flag("--count", "counts them"),
        Opt::flag("-n", "the newest only"),
        Opt::flag("--newest", "the newest only"),
        Opt::flag("-o", "the oldest only"),
        Opt::flag("--oldest", "the oldest only"),
        Opt::flag("-v", "pgrep: the others"),
        Opt::flag("-i", "capitals do not matter"),
        Opt::flag("-e", "pkill: says what is killed"),
        Opt::value("-P", "children of this process"),
        Opt::value("--parent", "children of this process"),
        Opt::value("-d", "pgrep: what stands between"),
        Opt::value("--signal", "pkill: the signal"),
        Opt::accepted("-u", true, "everybody is root"),
        Opt::refused("-g", true, "there are no process groups"),
        Opt::refused("-t", true, "terminals have no names"),
    ],
    check,
    run,
};

/// `-9`, `-HUP`, `-SIGHUP`: signals of pkill stand where options do.
fn is_signal(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|name| {
        name.len() > 1 && Signal::named(&name.to_uppercase()).is_some() || name.parse::<u8>().is_ok()
    })
}

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let own: Vec<&str> = words.iter().map(|word| if is_signal(word) { "--" } else { *word }).collect();
    let Some(at) = own.iter().position(|word| *word == "--") else { return getopt(command, words) };
    getopt(command, &[&words[..1], &words[at + 1..]].concat())
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let kills = call.name() == "pkill";
    let name = call.name();
    let usage = format!("Try `{name} --help' for more information.\n");
    let signals: Vec<String> = call.args().iter().filter(|word| kills && is_signal(word)).cloned().collect();
    let args: Vec<String> = call.args().iter().filter(|word| !(kills && is_signal(word))).cloned().collect();
    let options = match Options::read(&COMMAND, &args) {
        Ok(options) => options,
        Err(wrong) => return call.fail(2, format!("{name}: {wrong}\n{usage}")),
    };
    let parent = match options.value(&["-P", "--parent"]).map(str::parse::<u32>) {
        Some(Err(_)) => {
            return call.fail(2, format!("{name}: not a number: {}\n", options.value(&["-P"]).unwrap_or("")));
        }
        Some(Ok(parent)) => Some(parent),
        None => None,
    };
    let pattern = match options.words.as_slice() {
        [] if parent.is_some() => "",
        [] => return call.fail(2, format!("{name}: no matching criteria specified\n{usage}")),
        [pattern] => pattern,
        _ => return call.fail(2, format!("{name}: only one pattern can be provided\n{usage}")),
    };
    let exact = options.has(&["-x", "--exact"]);
    let text = if exact { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    let expression = match super::regular::extended(&text, options.has(&["-i"])) {
        Ok(expression) => expression,
        Err(message) => return call.fail(2, format!("{name}: {message}\n")),
    };
    let named = options.value(&["--signal"]).map(|word| vec![format!("-{word}")]).unwrap_or(signals);
    let signal = match signal_of(&named) {
        Ok((signal, _)) => signal,
        Err(word) => return call.fail(2, format!("{name}: unknown signal '{word}'\n")),
    };
    let (full, others) = (options.has(&["-f", "--full"]), options.has(&["-v"]));
    let is_wanted = |process: &ProcessInfo| {
        // The kernel keeps 15 octets of a name.
        let program: String = program(process).chars().take(15).collect();
        let matches = expression.is_match(if full { &process.name } else { &program });
        let of_parent = parent.is_none_or(|parent| process.parent.0 == parent);
        // Neither itself nor the shell that it was typed in counts as found.
        matches != others && of_parent && process.pid != sys.pid && process.state != ENDED
    };
    let mut found: Vec<ProcessInfo> = sys.kernel.processes.list().filter(is_wanted).collect();
    if options.has(&["-n", "--newest"]) {
        found.drain(..found.len().saturating_sub(1));
    }
    if options.has(&["-o", "--oldest"]) {
        found.truncate(1);
    }
    let status = i32::from(found.is_empty());
    if options.has(&["-c", "--count"]) {
        call.out(format!("{}\n", found.len()));
    }
    if kills {
        for process in &found {
            if let Some(signal) = signal {
                sys.kill(process.pid, signal);
            }
            if options.has(&["-e"]) {
                call.out(format!("{} killed (pid {})\n", program(process), process.pid.0));
            }
        }
    } else if !options.has(&["-c", "--count"]) && status == 0 {
        let line =
            |process: &ProcessInfo| match (options.has(&["-a", "--list-full"]), options.has(&["-l", "--list-name"])) {
                (true, _) => format!("{} {}", process.pid.0, process.name),
                (false, true) => format!("{} {}", process.pid.0, program(process)),
                (false, false) => process.pid.0.to_string(),
            };
        let between = options.value(&["-d"]).unwrap_or("\n");
        let lines: Vec<String> = found.iter().map(line).collect();
        call.out(format!("{}\n", lines.join(between)));
    }
    Outcome::Done(status)
}

/// The name of the program, without its folder and what follows.
fn program(process: &ProcessInfo) -> &str {
    base_name(process.name.split([' ', ':']).next().unwrap_or_default())
}

/// A process that has ended, and whose parent has not asked yet how: shells and daemons ask at once.
const ENDED: char = 'Z';
