//! `nginx`: checks its files, starts the server, signals it.

use super::command::{Call, Command, NOT_MODELLED, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::http_server::{Flavour, HttpServer};
use crate::apps::proxy::{Problem, Proxy, Setup, nginx};
use crate::kernel::process::{Process, Signal};
use crate::kernel::syscall::Sys;

/// `nginx`.
pub(super) const COMMAND: Command = Command {
    names: &["nginx"],
    summary: "a web server and proxy, from /etc/nginx/nginx.conf and conf.d",
    options: &[
        Opt::value("-c", "the configuration file"),
        Opt::flag("-t", "only reads the files and says what is wrong with them"),
        Opt::value("-s", "stop, quit, reload, reopen"),
        Opt::flag("-v", "its version"),
        Opt::flag("-V", "its version"),
        Opt::accepted("-q", false, "says less"),
        Opt::accepted("-g", true, "directives for processes change nothing here"),
        Opt::refused("-T", false, "cat the files"),
        Opt::refused("-p", true, "its folder is /etc/nginx"),
    ],
    check: getopt,
    run,
};

const HTTP: u16 = 80;

/// What the usual files say.
fn setup(sys: &mut Sys) -> Option<Setup> {
    let (setup, problems) = nginx::read(nginx::FILE, sys);
    problems.iter().all(|problem| problem.is_note).then_some(setup)
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("nginx")),
    };
    if options.has(&["-v", "-V"]) {
        call.err("nginx version: nginx/1.22.1\n");
        return Outcome::Done(0);
    }
    if let Some(verb) = options.value(&["-s"]) {
        return signal(verb, call, sys);
    }
    let file = options.value(&["-c"]).unwrap_or(nginx::FILE).to_owned();
    let is_usual = file == nginx::FILE && !nginx::is_configured(sys);
    let (setup, problems) = if is_usual { (Setup::default(), Vec::new()) } else { nginx::read(&file, sys) };
    let code = complain(&problems, call);
    if options.has(&["-t"]) {
        if code.is_none() {
            call.err(format!("nginx: the configuration file {file} syntax is ok\n"));
        }
        let verdict = if code.is_none() { "is successful" } else { "failed" };
        call.err(format!("nginx: configuration file {file} test {verdict}\n"));
        return Outcome::Done(code.unwrap_or(0));
    }
    if let Some(code) = code {
        return Outcome::Done(code);
    }
    if let Some(refusal) = setup.first_refusal(sys) {
        return call.fail(1, format!("{refusal}\n"));
    }
    let body: Box<dyn Process> = match is_usual {
        true => Box::new(HttpServer::new(Flavour::Nginx, HTTP)),
        false => Box::new(Proxy::new(setup, self::setup)),
    };
    match sys.daemon("nginx", body) {
        Ok(_) => Outcome::Done(0),
        Err(error) => call.fail(1, format!("nginx: {error}\n")),
    }
}

fn signal(verb: &str, call: &mut Call, sys: &mut Sys) -> Outcome {
    let signal = match verb {
        "stop" => Signal::Term,
        "quit" => Signal::Quit,
        "reload" => Signal::Hup,
        "reopen" => Signal::Usr1,
        other => return call.fail(1, format!("nginx: invalid option: \"-s {other}\"\n")),
    };
    let pids = sys.kernel.processes.named("nginx");
    // The command that asks is called nginx too.
    let own = sys.pid;
    let others: Vec<_> = pids.into_iter().filter(|pid| *pid != own).collect();
    if others.is_empty() {
        return call.fail(1, "nginx: [error] open() \"/run/nginx.pid\" failed (2: No such file or directory)\n");
    }
    if verb == "reload" && nginx::is_configured(sys) {
        let (_, problems) = nginx::read(nginx::FILE, sys);
        if let Some(code) = complain(&problems, call) {
            return Outcome::Done(code);
        }
    }
    for pid in others {
        sys.kill(pid, signal);
    }
    Outcome::Done(0)
}

fn complain(problems: &[Problem], call: &mut Call) -> Option<i32> {
    let mut code = None;
    for problem in problems {
        let Problem { file, line, text, is_not_modelled, is_note } = problem;
        let level = if *is_note { "warn" } else { "emerg" };
        call.err(format!("nginx: [{level}] {text} in {file}:{line}\n"));
        match (is_not_modelled, is_note) {
            (true, _) => code = Some(NOT_MODELLED),
            (false, false) => code = code.or(Some(1)),
            (false, true) => {}
        }
    }
    code
}
