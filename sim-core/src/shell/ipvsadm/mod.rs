//! `ipvsadm`: the table of virtual services. Text, errors and exit statuses are those of ipvsadm 1.31.
//!
//! `ipvsadm-save` and `ipvsadm-restore` are the two scripts that come with it; [`service`] is its start script.
//!
//! # Not modelled
//! IPv6, SCTP and persistence engines are refused.

mod laddr;
mod list;
mod names;
mod parse;
mod restore;
mod save;
pub mod service;
#[cfg(test)]
mod tests;
mod tunnel;
mod words;

use super::command::{Call, Command, Fault, Outcome, unknown_option};
use crate::ipvs::{ControlError, DaemonError};
use crate::kernel::Kernel;
use crate::kernel::syscall::Sys;
use crate::world::node::Cx;
use names::Names;
pub(super) use names::service_name;
use parse::Request;
use words::Failure;

/// `ipvsadm`.
pub const IPVSADM: Command = Command {
    names: &["ipvsadm"],
    summary: "virtual services, their real servers, and connections",
    options: words::OPTIONS,
    check,
    run,
};

/// `ipvsadm-save`.
pub const SAVE: Command = Command {
    names: &["ipvsadm-save"],
    summary: "the virtual services as lines for ipvsadm-restore",
    options: &[super::command::Opt::flag("-n", "numbers instead of names")],
    check: super::command::getopt,
    run: |call, sys| {
        let numeric = call.args().iter().any(|word| word == "-n");
        let text = saved(sys.kernel, numeric);
        call.out(text);
        Outcome::Done(0)
    },
};

/// `ipvsadm-restore`.
pub const RESTORE: Command = Command {
    names: &["ipvsadm-restore"],
    summary: "virtual services from the lines of ipvsadm-save on standard input",
    options: &[],
    check: super::command::getopt,
    run: |_, _| Outcome::Became(Box::<restore::Restore>::default()),
};

const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// What the tool leaves behind: text for standard output and standard error, and its exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    out: String,
    err: String,
    code: i32,
}

fn check(command: &Command, line: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let words = words::read(&line[1..]);
    for given in &words.given {
        if given.is_refused() {
            let name = given.option.name;
            faults.push(
                Fault::not_modelled(given.word, format!("ipvsadm {name} is not modelled")).hint(given.option.note),
            );
        }
    }
    if let Some(words::Slip::Unknown { word, option }) = words.slip {
        faults.push(unknown_option(command, word, &option));
    }
    faults
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let args: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let names = names_of(sys.kernel);
    match parse::read(&args, &names) {
        Ok(Request::Restore) => Outcome::Became(Box::<restore::Restore>::default()),
        Ok(request) => {
            let answer = answer(&request, &names, sys.kernel, sys.cx);
            call.out(answer.out);
            call.err(answer.err);
            Outcome::Done(answer.code)
        }
        Err(Failure { text, code }) => call.fail(code, text),
    }
}

/// Carries out one request.
fn answer(request: &Request, names: &Names, kernel: &mut Kernel, cx: &mut Cx) -> Answer {
    let Kernel { ipvs, tables, .. } = kernel;
    let done = match request {
        Request::AddService(key, options) => ipvs.add_service(*key, options, cx),
        Request::EditService(key, options) => ipvs.edit_service(*key, options, cx),
        Request::DeleteService(key) => ipvs.delete_service(*key, tables, cx),
        Request::AddServer(key, options) => ipvs.add_server(*key, options, tables, cx),
        Request::EditServer(key, options) => ipvs.edit_server(*key, options, cx),
        Request::DeleteServer(key, server) => ipvs.delete_server(*key, *server, tables, cx),
        Request::Zero(key) => ipvs.zero(*key, cx),
        Request::Clear => {
            ipvs.clear(tables, cx);
            Ok(())
        }
        Request::Timeouts([tcp, fin, udp]) => {
            ipvs.set_timeouts(*tcp, *fin, *udp);
            Ok(())
        }
        Request::AddLocal(key, typed) => laddr::add(*key, typed, ipvs, tables, cx),
        Request::DeleteLocal(key, typed) => laddr::delete(*key, typed, ipvs, tables),
        Request::ListLocals(only) => match laddr::list(ipvs, *only) {
            Some(text) => return Answer::text(text),
            None => Err(ControlError::NoService),
        },
        Request::StartDaemon(role, options) => return daemon(ipvs.start_daemon(*role, options, tables, cx)),
        Request::StopDaemon(role) => return daemon(ipvs.stop_daemon(*role, tables)),
        Request::List(list) => match list::text(ipvs, list, names, cx.now) {
            Some(text) => return Answer::text(text),
            None => Err(ControlError::NoService),
        },
        Request::Save { numeric } => return Answer::text(save::text(ipvs, &tables.interfaces, *numeric, names)),
        Request::Help => return Answer::text(usage()),
        Request::Version => return Answer::text(VERSION.to_owned()),
        Request::Restore => Ok(()),
    };
    match done {
        Ok(()) => Answer::default(),
        Err(error) => Answer { err: format!("{}\n", complaint(request, error)), code: 255, ..Answer::default() },
    }
}

/// What the kernel says to a daemon, in the tool's words.
fn daemon(done: Result<(), DaemonError>) -> Answer {
    let text = match done {
        Ok(()) => return Answer::default(),
        Err(DaemonError::NoDevice) => "No such device",
        Err(DaemonError::Runs) => "Daemon has already run",
        Err(DaemonError::RunsNot) => "No daemon is running",
        Err(DaemonError::Invalid) => INVALID,
        Err(DaemonError::NoRoom) => "No buffer space available",
    };
    Answer { err: format!("{text}\n"), code: 255, ..Answer::default() }
}

/// EINVAL in the tool's words.
const INVALID: &str = "Invalid operation.  Possibly wrong module version, address not unicast, ...";

/// The kernel's refusal in the tool's words.
fn complaint(request: &Request, error: ControlError) -> &'static str {
    let is_about_server = matches!(
        request,
        Request::AddServer(..)
            | Request::EditServer(..)
            | Request::DeleteServer(..)
            | Request::AddLocal(..)
            | Request::DeleteLocal(..)
            | Request::ListLocals(..)
    );
    match error {
        ControlError::ServiceExists => "Service already exists",
        ControlError::NoScheduler => "Scheduler or persistence engine not found",
        ControlError::NoService if is_about_server => "Service not defined",
        ControlError::NoService => "No such service",
        ControlError::ServerExists => "Destination already exists",
        ControlError::NoServer => "No such destination",
        ControlError::Invalid => INVALID,
        ControlError::LocalExists => "Local address already exists",
        ControlError::NoLocal => "No such Local address",
        ControlError::LocalBusy => "Device or resource busy",
        ControlError::NoInterface => "No such device",
        ControlError::TooManyLocals => "No space left on device",
        ControlError::OutOfRange => "Numerical result out of range",
    }
}

/// One line of rules, as `-R` reads them.
fn restore_line(line: &str, kernel: &mut Kernel, cx: &mut Cx) -> Answer {
    let words = save::words(line);
    if words.is_empty() {
        return Answer::default();
    }
    let names = names_of(kernel);
    match parse::read(&words, &names) {
        Ok(Request::Restore) => Answer::default(),
        Ok(request) => answer(&request, &names, kernel, cx),
        Err(Failure { text, code }) => Answer { err: text, code, ..Answer::default() },
    }
}

/// The rules as `ipvsadm -S` prints them.
fn saved(kernel: &Kernel, numeric: bool) -> String {
    save::text(&kernel.ipvs, &kernel.tables.interfaces, numeric, &names_of(kernel))
}

fn names_of(kernel: &Kernel) -> Names {
    let hosts = kernel.files.read("/etc/hosts").unwrap_or_default();
    Names::of(&String::from_utf8_lossy(hosts))
}

fn usage() -> String {
    let mut text = VERSION.to_owned();
    text.push_str(
        "Usage:\n\
         \x20 ipvsadm -A|E SERVICE [-s scheduler] [-p [timeout]] [-M netmask] [-o] [-b flags]\n\
         \x20 ipvsadm -D SERVICE\n\
         \x20 ipvsadm -C | -R | -S [-n]\n\
         \x20 ipvsadm -a|e SERVICE -r host[:port] [-g|-i|-m|-b] [-w weight] [-x upper] [-y lower]\n\
         \x20 ipvsadm -d SERVICE -r host[:port]\n\
         \x20 ipvsadm -P|Q SERVICE -z local-address -F interface\n\
         \x20 ipvsadm -G [SERVICE]\n\
         \x20 ipvsadm -L|l [SERVICE] [-n] [-c] [options]\n\
         \x20 ipvsadm -Z [SERVICE]\n\
         \x20 ipvsadm --set tcp tcpfin udp\n\
         \x20 ipvsadm --start-daemon master|backup [--mcast-interface if] [--syncid id] [options]\n\
         \x20 ipvsadm --stop-daemon master|backup\n\
         \x20 ipvsadm -h | -v\n\
         SERVICE is -t host:port, -u host:port or -f mark. Options:\n",
    );
    for option in words::OPTIONS.iter().filter(|option| option.name.starts_with("--")) {
        text.push_str(&format!("  {:<20} {}\n", option.name, option.note));
    }
    text
}

impl Answer {
    fn text(out: String) -> Answer {
        Answer { out, ..Answer::default() }
    }
}
