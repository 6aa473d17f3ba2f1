//! `ldirectord [FILE] start|stop|restart|reload|status`.

use super::command::{Call, Command, NOT_MODELLED, Opt, Outcome, getopt};
use super::options::Options;
use super::service::started::Started;
use crate::base::id::Pid;
use crate::kernel::process::Signal;
use crate::kernel::syscall::{Stdio, Sys};
use crate::ldirectord::config::{Remark, RemarkKind, read};
use crate::ldirectord::daemon::{FILES, Ldirectord, PROGRAM};

/// `ldirectord`.
pub(super) const COMMAND: Command = Command {
    names: &["ldirectord"],
    summary: "health checks for IPVS from /etc/ha.d/ldirectord.cf",
    options: OPTIONS,
    check: getopt,
    run,
};

const OPTIONS: &[Opt] = &[
    Opt::accepted("-d", false, "it stays in the background; its log tells everything"),
    Opt::accepted("--debug", false, "it stays in the background; its log tells everything"),
    Opt::flag("-h", "how it is called"),
    Opt::flag("-v", "its version"),
];

const USAGE: &str =
    "Usage: ldirectord [options] [configfile] start | stop | restart | try-restart | reload | force-reload | status\n";

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(_) => return call.fail(2, USAGE),
    };
    if options.has(&["-v"]) {
        call.out("ldirectord version 1.186-ha\n");
        return Outcome::Done(0);
    }
    if options.has(&["-h"]) {
        call.out(USAGE);
        return Outcome::Done(0);
    }
    let words: Vec<&str> = call.args().iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let (file, verb) = match words[..] {
        [verb] => (None, verb.to_owned()),
        [file, verb] => (Some(file.to_owned()), verb.to_owned()),
        _ => return call.fail(2, USAGE),
    };
    let path = path_of(file.as_deref(), sys);
    match verb.as_str() {
        "start" => Outcome::Done(start(&path, call, sys)),
        "stop" => {
            tell(&path, Signal::Term, sys);
            Outcome::Done(0)
        }
        "restart" | "try-restart" => {
            // The new one finds the table as the old one leaves it.
            let was_running = tell(&path, Signal::Term, sys);
            if verb == "try-restart" && !was_running {
                return Outcome::Done(0);
            }
            Outcome::Done(launch(&path, call, sys))
        }
        "reload" | "force-reload" => {
            if !tell(&path, Signal::Hup, sys) {
                return call.fail(7, format!("ldirectord is not running for {path}\n"));
            }
            Outcome::Done(0)
        }
        "status" => match pid(&path, sys) {
            Some(pid) => {
                call.out(format!("ldirectord for {path} is running with pid: {}\n", pid.0));
                Outcome::Done(0)
            }
            None => {
                call.out(format!("ldirectord is stopped for {path}\n"));
                Outcome::Done(3)
            }
        },
        _ => call.fail(2, USAGE),
    }
}

/// The file that is meant: the one that is named, or the usual one.
fn path_of(file: Option<&str>, sys: &Sys) -> String {
    let exists = |path: &str| sys.kernel.files.stat(path).is_ok();
    match file {
        Some(file) if file.contains('/') => sys.absolute(file),
        Some(file) => {
            format!("/etc/ha.d/{}", if file.ends_with(".cf") { file.to_owned() } else { format!("{file}.cf") })
        }
        None => FILES.iter().copied().find(|path| exists(path)).unwrap_or(FILES[0]).to_owned(),
    }
}

/// The process that looks after this file.
fn pid(path: &str, sys: &mut Sys) -> Option<Pid> {
    let text = sys.read_file(&Ldirectord::pid_file(path)).ok()?;
    let pid = String::from_utf8_lossy(&text).trim().parse().map(Pid).ok()?;
    sys.kernel.processes.is_alive(pid).then_some(pid)
}

fn tell(path: &str, signal: Signal, sys: &mut Sys) -> bool {
    pid(path, sys).is_some_and(|pid| sys.kill(pid, signal))
}

/// `start`, unless it runs already.
pub(super) fn start(path: &str, call: &mut Call, sys: &mut Sys) -> i32 {
    if let Some(pid) = pid(path, sys) {
        call.err(format!("Exiting with exit_status 1: ldirectord is already running with pid: {}\n", pid.0));
        return 1;
    }
    launch(path, call, sys)
}

fn launch(path: &str, call: &mut Call, sys: &mut Sys) -> i32 {
    let Ok(text) = sys.read_file(path) else {
        call.err(format!("Error [{}] reading file {path} at line 0: can not open file {path}\n", sys.pid.0));
        return 1;
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut code = 0;
    for remark in &read(&text).remarks {
        let (word, status) = match remark.kind {
            RemarkKind::Error => ("Error", 2),
            RemarkKind::Warning => ("Warning", 0),
            RemarkKind::Note => continue,
            RemarkKind::NotModelled => ("lab: Error", NOT_MODELLED),
        };
        call.err(format!("{word} [{}] reading file {path} at line {}: {}\n", sys.pid.0, remark.line, remark.text));
        code = code.max(status);
    }
    if code != 0 {
        return code;
    }
    match sys.daemon(&format!("{PROGRAM} {path} start"), Box::new(Ldirectord::new(path, &text))) {
        Ok(_) => 0,
        Err(error) => {
            call.err(format!("ldirectord: {error}\n"));
            1
        }
    }
}

/// Starts it as a service does.
pub(super) fn start_service(sys: &mut Sys<'_, '_>, _: Stdio) -> Started {
    let path = path_of(None, sys);
    let Ok(text) = sys.read_file(&path) else { return Started::Failed };
    let text = String::from_utf8_lossy(&text).into_owned();
    if read(&text).remarks.iter().any(Remark::stops) || pid(&path, sys).is_some() {
        return Started::Failed;
    }
    let daemon = Ldirectord::new(&path, &text);
    sys.daemon(&format!("{PROGRAM} {path} start"), Box::new(daemon)).map_or(Started::Failed, |_| Started::Runs)
}

#[cfg(test)]
mod tests {
    use crate::kernel::Os;
    use crate::shell::testing::Bench;

    const FILE: &str = "printf 'quiescent=no\\nvirtual=10.0.0.1:80\\n\\treal=10.0.0.2:80 masq\\n\\tfallback=127.0.0.1:80\\n\\tchecktype=on\\n' > /etc/ha.d/ldirectord.cf; ";

    fn check(line: &str, out: &str, err: &str) {
        let result = Bench::networked(Os::Rhel6).run(&format!("mkdir -p /etc/ha.d; {FILE}{line}"));
        assert_eq!((result.out.as_str(), result.err.as_str()), (out, err), "{line}");
    }

    #[test]
    fn it_starts_says_so_and_stops() {
        check(
            "service ldirectord start; sleep 0.1; ipvsadm -Sn",
            "Starting ldirectord... success\n-A -t 10.0.0.1:80 -s wrr\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n",
            "",
        );
        check(
            "ldirectord start; sleep 0.1; ldirectord stop; sleep 0.1; ipvsadm -Sn; ldirectord status",
            "ldirectord is stopped for /etc/ha.d/ldirectord.cf\n",
            "",
        );
    }

    #[test]
    fn the_table_is_left_clean_and_the_log_says_what_was_done() {
        check(
            "ldirectord ldirectord.cf start; sleep 0.1; ldirectord stop; sleep 0.1; grep -o '\\] .*' /var/log/ldirectord.log",
            "] Starting Linux Director v1.186-ha as daemon\n\
             ] Added virtual server: 10.0.0.1:80\n\
             ] Added real server: 10.0.0.2:80 (10.0.0.1:80) (Weight set to 1)\n\
             ] Deleted real server: 10.0.0.2:80 (10.0.0.1:80)\n\
             ] Added fallback server: 127.0.0.1:80 (10.0.0.1:80) (Weight set to 1)\n\
             ] Added real server: 10.0.0.2:80 (10.0.0.1:80) (Weight set to 1)\n\
             ] Deleted fallback server: 127.0.0.1:80 (10.0.0.1:80)\n\
             ] Linux Director Daemon terminated on signal: TERM\n\
             ] Deleted real server: 10.0.0.2:80 (10.0.0.1:80)\n\
             ] Purged virtual server (stop): 10.0.0.1:80\n",
            "",
        );
    }

    #[test]
    fn a_bad_file_stops_it() {
        let result =
            Bench::networked(Os::Rhel6).run("echo 'viirtual=1' > /tmp/x.cf; ldirectord /tmp/x.cf start; echo $?");
        assert!(result.err.contains("reading file /tmp/x.cf at line 1: Unknown command viirtual=1"), "{}", result.err);
        assert_eq!(result.out, "2\n");
    }
}
