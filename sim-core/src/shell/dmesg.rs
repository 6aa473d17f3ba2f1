//! `dmesg`: the kernel's own lines of the log, with the seconds since the host was switched on.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::base::calendar::Date;
use crate::kernel::syscall::Sys;

/// `dmesg`.
pub(super) const COMMAND: Command = Command {
    names: &["dmesg"],
    summary: "the kernel's messages",
    options: &[
        Opt::flag("-T", "with dates"),
        Opt::flag("-t", "without times"),
        Opt::flag("-c", "and forgets them"),
        Opt::flag("-C", "forgets them"),
        Opt::accepted("-L", false, "there are no colours"),
        Opt::accepted("-H", false, "there is no pager"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("dmesg")),
    };
    let (dates, bare) = (options.has(&["-T"]), options.has(&["-t"]));
    if !options.has(&["-C"]) {
        let mut text = String::new();
        for (at, line) in sys.kernel.log.ring() {
            if dates {
                let date = Date::of(at);
                text.push_str(&format!("[{} {} {}] ", date.weekday_name(), date.syslog(), date.year));
            } else if !bare {
                text.push_str(&format!("[{:>5}.{:06}] ", at.nanos() / 1_000_000_000, at.nanos() / 1000 % 1_000_000));
            }
            text.push_str(line);
            text.push('\n');
        }
        call.out(text);
    }
    if options.has(&["-c", "-C"]) {
        sys.kernel.log.clear_ring();
    }
    Outcome::Done(0)
}
