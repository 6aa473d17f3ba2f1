//! `haproxy`: checks its file, starts the proxy.

use super::command::{Call, Command, NOT_MODELLED, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::proxy::{Problem, Proxy, Setup, haproxy};
use crate::base::id::Pid;
use crate::kernel::process::Signal;
use crate::kernel::syscall::Sys;

/// `haproxy`.
pub(super) const COMMAND: Command = Command {
    names: &["haproxy"],
    summary: "a proxy for TCP and HTTP, from /etc/haproxy/haproxy.cfg",
    options: &[
        Opt::value("-f", "the configuration file"),
        Opt::flag("-c", "only reads the file and says what is wrong with it"),
        Opt::flag("-D", "goes to the background"),
        Opt::flag("-db", "stays in the foreground"),
        Opt::flag("-W", "master and worker; goes on in the background with -D"),
        Opt::flag("-Ws", "as -W, for systemd"),
        Opt::value("-p", "the pid file"),
        Opt::value("-sf", "these processes finish softly"),
        Opt::value("-st", "these processes end at once"),
        Opt::flag("-v", "its version"),
        Opt::flag("-vv", "its version"),
        Opt::accepted("-q", false, "says nothing"),
        Opt::accepted("-V", false, "says more"),
        Opt::accepted("-dM", false, "memory is the lab's"),
        Opt::refused("-L", true, "peers are not modelled"),
        Opt::refused("-x", true, "listeners are opened anew"),
    ],
    check: getopt,
    run,
};

/// What stands in the file that `-f` names; only the usual one can be read again at a reload.
pub(super) fn setup(sys: &mut Sys) -> Option<Setup> {
    let text = sys.read_file(haproxy::FILE).ok()?;
    let (setup, problems) = haproxy::read(&String::from_utf8_lossy(&text), haproxy::FILE);
    problems.iter().all(|problem| problem.is_note).then_some(setup)
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("haproxy")),
    };
    if options.has(&["-v", "-vv"]) {
        call.out("HAProxy version 2.6.12 2023/03/28 - https://haproxy.org/\n");
        return Outcome::Done(0);
    }
    let Some(file) = options.value(&["-f"]).map(str::to_owned) else {
        return call.fail(1, "[NOTICE]   (1) : haproxy version is 2.6.12\nUsage : haproxy [-f <cfgfile>]* [ -vdVD ] [ -c ] [ -p <pidfile> ]\n");
    };
    let text = match sys.read_file(&file) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => {
            return call.fail(1, format!("[ALERT]    (1) : Could not open configuration file {file} : {error}\n"));
        }
    };
    let (setup, problems) = haproxy::read(&text, &file);
    if let Some(code) = complain(&problems, call) {
        return Outcome::Done(code);
    }
    if options.has(&["-c"]) {
        call.out("Configuration file is valid\n");
        return Outcome::Done(0);
    }
    if setup.frontends.is_empty() {
        return call.fail(
            2,
            "[ALERT]    (1) : [haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting.\n",
        );
    }
    let ends_softly = options.has(&["-sf"]);
    let named = options.value(&["-sf"]).or(options.value(&["-st"]));
    for pid in named.into_iter().chain(options.words.iter().copied()).filter_map(|word| word.parse().ok().map(Pid)) {
        sys.kill(pid, if ends_softly { Signal::Usr1 } else { Signal::Term });
    }
    // Its listeners are taken over from the process that ends softly.
    if !ends_softly && let Some(refusal) = setup.first_refusal(sys) {
        let main =
            "[ALERT]    (1) : [/usr/sbin/haproxy.main()] Some protocols failed to start their listeners! Exiting.";
        return call.fail(1, format!("{refusal}\n{main}\n"));
    }
    let proxy = Proxy::new(setup, self::setup);
    let name = format!("/usr/sbin/haproxy {}", call.args().join(" "));
    if !options.has(&["-D", "-Ws", "-W"]) {
        sys.rename(&name);
        return Outcome::Became(Box::new(proxy));
    }
    match sys.daemon(&name, Box::new(proxy)) {
        Ok(pid) => {
            if let Some(file) = options.value(&["-p"]) {
                // A pid file that cannot be written is not missed: the process is found by its name.
                let _ = sys.write_file(file, format!("{}\n", pid.0).as_bytes());
            }
            Outcome::Done(0)
        }
        Err(error) => call.fail(1, format!("haproxy: {error}\n")),
    }
}

/// Says what is wrong; the exit status if the file cannot be used.
pub(super) fn complain(problems: &[Problem], call: &mut Call) -> Option<i32> {
    let (mut code, mut unreadable) = (None, None);
    for problem in problems {
        let Problem { file, line, text, is_not_modelled, is_note } = problem;
        // What only shows when the whole file is read has no line.
        let is_of_whole = text.starts_with("Proxy '");
        let place = if is_of_whole { String::new() } else { format!("parsing [{file}:{line}] : ") };
        let level = if *is_note { "[WARNING]  " } else { "[ALERT]    " };
        call.err(format!("{level}(1) : config : {place}{text}\n"));
        if !is_note && !is_of_whole {
            unreadable = Some(file);
        }
        if *is_not_modelled {
            code = Some(NOT_MODELLED);
        } else if !is_note && code.is_none() {
            code = Some(1);
        }
    }
    if let Some(file) = unreadable {
        call.err(format!("[ALERT]    (1) : config : Error(s) found in configuration file : {file}\n"));
    }
    if code.is_some() {
        call.err("[ALERT]    (1) : config : Fatal errors found in configuration.\n");
    }
    code
}
