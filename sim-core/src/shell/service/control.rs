//! The three ways to a service: `systemctl VERB NAME`, `service NAME VERB`, `/etc/init.d/NAME VERB`.

use super::turnover::{Turnover, Wanted};
use super::unit;
use super::verdict::verdict;
use super::{Kind, NOT_MODELLED, SERVICES, Service, find, has_systemd, names};
use crate::kernel::process::{Fd, Signal};
use crate::kernel::syscall::Sys;
use crate::shell::command::{Call, Command, Fault, Opt, Outcome, base_name, did_you_mean};

/// `systemctl`.
pub(in crate::shell) const SYSTEMCTL: Command = Command {
    names: &["systemctl"],
    summary: "starts and stops services",
    options: VERBS,
    check: check_systemctl,
    run: run_systemctl,
};

/// `service`.
pub(in crate::shell) const SERVICE: Command = Command {
    names: &["service"],
    summary: "runs the start script of a service",
    options: VERBS,
    check: check_service,
    run: run_service,
};

/// `/etc/init.d/NAME`.
pub(in crate::shell) const INIT_SCRIPT: Command = Command {
    names: &["/etc/init.d/"],
    summary: "the start script of a service",
    options: VERBS,
    check: check_script,
    run: run_script,
};

const VERBS: &[Opt] = &[
    Opt::flag("start", "starts it"),
    Opt::flag("stop", "stops it"),
    Opt::flag("restart", "stops and starts it"),
    Opt::flag("condrestart", "restarts it if it runs"),
    Opt::flag("try-restart", "restarts it if it runs"),
    Opt::flag("reload", "makes it read its configuration again"),
    Opt::flag("status", "says whether it runs"),
    Opt::flag("is-active", "says whether it runs, in a word"),
    Opt::flag("save", "keeps the rules in a file (ipvsadm, arptables_jf)"),
    Opt::flag("--now", "starts or stops it too (enable, disable)"),
    Opt::accepted("enable", false, "what runs after a restart is what the boot lines start"),
    Opt::accepted("disable", false, "what runs after a restart is what the boot lines start"),
    Opt::flag("list-units", "what runs"),
    Opt::flag("is-enabled", "always: what runs after a restart is what the boot lines start"),
    Opt::flag("kill", "a signal to its processes (-s)"),
    Opt::flag("show", "its properties (-p)"),
    Opt::accepted("daemon-reload", false, "unit files are not read"),
    Opt::accepted("reset-failed", false, "a failure is not remembered"),
    Opt::refused("cat", false, "unit files are not modelled"),
    Opt::refused("mask", false, "stop the service instead"),
    Opt::refused("edit", false, "unit files are not modelled"),
];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Start,
    Stop,
    Restart,
    RestartIfActive,
    Reload,
    Save,
}

fn check_systemctl(_: &Command, words: &[&str]) -> Vec<Fault> {
    let mut plain = plain_words(&words[1..]).into_iter().map(|(at, word)| (at + 1, word));
    let Some((at, verb)) = plain.next() else { return Vec::new() };
    let mut faults: Vec<Fault> = match verb {
        "list-units" => Vec::new(),
        _ => plain.filter_map(|(at, name)| check_name(at, name)).collect(),
    };
    faults.extend(check_verb(at, verb));
    faults
}

/// The words that are neither options nor their values, with their places.
fn plain_words<'a>(words: &[&'a str]) -> Vec<(usize, &'a str)> {
    let is_value = |at: usize| at > 0 && VALUED.contains(&words[at - 1]);
    words.iter().copied().enumerate().filter(|(at, word)| !word.starts_with('-') && !is_value(*at)).collect()
}

/// Options of systemctl that take the next word.
const VALUED: [&str; 8] = ["-s", "--signal", "-p", "--property", "-t", "--type", "-n", "--lines"];

/// The values given to one of these options of systemctl.
fn values<'a>(names: [&str; 2], words: &[&'a str]) -> Vec<&'a str> {
    let next = |at: usize| words.get(at + 1).copied();
    let one = |(at, word): (usize, &&'a str)| match word.split_once('=') {
        Some((name, value)) if names.contains(&name) => Some(value),
        _ if names.contains(word) => next(at),
        _ => word.strip_prefix(names[0]).filter(|rest| !rest.is_empty() && !word.starts_with("--")),
    };
    words.iter().enumerate().filter_map(one).flat_map(|value| value.split(',')).collect()
}

fn check_service(_: &Command, words: &[&str]) -> Vec<Fault> {
    let name = words.get(1).and_then(|name| check_name(1, name));
    name.into_iter().chain(words.get(2).and_then(|verb| check_verb(2, verb))).collect()
}

fn check_script(_: &Command, words: &[&str]) -> Vec<Fault> {
    let name = words.first().and_then(|path| check_name(0, base_name(path)));
    name.into_iter().chain(words.get(1).and_then(|verb| check_verb(1, verb))).collect()
}

fn check_name(at: usize, name: &str) -> Option<Fault> {
    let name = name.strip_suffix(".service").unwrap_or(name);
    if find(name).is_some() {
        return None;
    }
    if NOT_MODELLED.contains(&name) {
        return Some(Fault::not_modelled(at, format!("the service {name} is not modelled")));
    }
    let fault = Fault::unknown(at, format!("there is no service {name}"));
    Some(match did_you_mean(name, names()) {
        Some(near) => fault.hint(format!("did you mean {near}?")),
        None => fault.hint(format!("services: {}", SERVICES.iter().map(|s| s.names[0]).collect::<Vec<_>>().join(", "))),
    })
}

fn check_verb(at: usize, verb: &str) -> Option<Fault> {
    match VERBS.iter().find(|known| known.name == verb) {
        Some(Opt { status: crate::shell::command::Status::Refused, note, .. }) => {
            Some(Fault::not_modelled(at, format!("{verb} is not modelled")).hint(*note))
        }
        Some(_) => None,
        None => {
            let fault = Fault::unknown(at, format!("a service cannot \"{verb}\""));
            let near = did_you_mean(verb, VERBS.iter().map(|verb| verb.name));
            Some(near.map_or(fault.clone(), |near| fault.hint(format!("did you mean {near}?"))))
        }
    }
}

fn run_systemctl(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let args: Vec<&str> = call.args().iter().map(String::as_str).collect();
    let words: Vec<&str> = plain_words(&args).into_iter().map(|(_, word)| word).collect();
    let now = args.contains(&"--now");
    let Some((&verb, units)) = words.split_first() else { return unit::list(call, sys) };
    match verb {
        "list-units" => return unit::list(call, sys),
        "daemon-reload" | "reset-failed" => return Outcome::Done(0),
        _ => {}
    }
    if units.is_empty() {
        return call.fail(1, "Too few arguments.\n");
    }
    if let [unit] = units
        && is_network(unit)
        && CHANGES.contains(&verb)
    {
        return super::network::service(verb, sys);
    }
    let mut code = 0;
    let mut turnover = Turnover::default();
    for unit in units {
        let unit = unit.strip_suffix(".service").unwrap_or(unit);
        let ended = match find(unit) {
            Some(service) => match verb {
                "kill" => {
                    let signal = values(["-s", "--signal"], &args).first().copied().unwrap_or("TERM");
                    unit::kill(service, signal, call, sys)
                }
                "show" => unit::show(service, &values(["-p", "--property"], &args), call, sys),
                "is-enabled" => {
                    call.out("enabled\n");
                    0
                }
                _ => unit_verb(verb, now, service, &mut turnover, call, sys),
            },
            None if matches!(verb, "status" | "is-active") => {
                call.out(if verb == "status" {
                    format!("Unit {unit}.service could not be found.\n")
                } else {
                    "inactive\n".into()
                });
                if verb == "status" { 4 } else { 3 }
            }
            None => {
                call.err(format!("Failed to {verb} {unit}.service: Unit {unit}.service not found.\n"));
                5
            }
        };
        code = if ended == 0 { code } else { ended };
    }
    turnover.finish(code)
}

fn unit_verb(verb: &str, now: bool, service: &Service, turnover: &mut Turnover, call: &mut Call, sys: &mut Sys) -> i32 {
    let name = service.names[0];
    let verb = match verb {
        "start" => Verb::Start,
        "stop" => Verb::Stop,
        "restart" => Verb::Restart,
        "try-restart" | "condrestart" => Verb::RestartIfActive,
        "reload" => Verb::Reload,
        "status" => return unit::status(service, call, sys),
        "is-active" => {
            let active = service.is_active(sys);
            call.out(if active { "active\n" } else { "inactive\n" });
            return if active { 0 } else { 3 };
        }
        "enable" | "disable" if now => {
            if verb == "enable" {
                Verb::Start
            } else {
                Verb::Stop
            }
        }
        "enable" => {
            let link = format!("/etc/systemd/system/multi-user.target.wants/{name}.service");
            call.err(format!("Created symlink {link} → /lib/systemd/system/{name}.service.\n"));
            return 0;
        }
        "disable" => {
            call.err(format!("Removed /etc/systemd/system/multi-user.target.wants/{name}.service.\n"));
            return 0;
        }
        other => {
            call.err(format!("Unknown command verb {other}.\n"));
            return 1;
        }
    };
    let failed = format!(
        "Job for {name}.service failed because the control process exited with error code.\n\
         See \"systemctl status {name}.service\" and \"journalctl -xeu {name}.service\" for details.\n"
    );
    let says = Says { good: String::new(), bad: (Fd::STDERR, failed), is_logged: true };
    match carry_out(verb, service, says, turnover, sys) {
        Ok(()) => 0,
        Err(problem) => {
            call.err(format!("Job for {name}.service failed: {problem}"));
            1
        }
    }
}

fn run_service(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let [name, verb] = call.args() else {
        return call.fail(1, "Usage: service < option > | --status-all | [ service_name [ command ] ]\n");
    };
    let (name, verb) = (name.clone(), verb.clone());
    let Some(service) = find(&name) else {
        return call.fail(1, format!("{name}: unrecognized service\n"));
    };
    if is_network(&name) && CHANGES.contains(&verb.as_str()) {
        if has_systemd(sys.kernel.os) {
            call.out(format!("Redirecting to /bin/systemctl {verb} {name}.service\n"));
        }
        return super::network::service(&verb, sys);
    }
    if has_systemd(sys.kernel.os) && verb != "save" {
        call.out(format!("Redirecting to /bin/systemctl {verb} {}.service\n", service.names[0]));
        let mut turnover = Turnover::default();
        let code = unit_verb(&verb, false, service, &mut turnover, call, sys);
        return turnover.finish(code);
    }
    script(&verb, service, call, sys)
}

fn run_script(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let path = call.argv[0].clone();
    let Some(service) = find(base_name(&path)) else {
        return call.fail(127, format!("bash: {path}: No such file or directory\n"));
    };
    let verb = call.args().first().cloned().unwrap_or_default();
    if matches!(service.kind, Kind::Network) && CHANGES.contains(&verb.as_str()) {
        return super::network::service(&verb, sys);
    }
    script(&verb, service, call, sys)
}

/// What is done to the network by scripts of its own.
const CHANGES: [&str; 5] = ["start", "stop", "restart", "reload", "force-reload"];

fn is_network(name: &str) -> bool {
    find(name).is_some_and(|service| matches!(service.kind, Kind::Network))
}

/// What a System V start script says and does.
fn script(verb: &str, service: &Service, call: &mut Call, sys: &mut Sys) -> Outcome {
    let name = service.names[0];
    if verb == "status" {
        return script_status(service, call, sys);
    }
    let steps: &[(Verb, &str)] = match (verb, &service.kind) {
        ("start", Kind::Rules(_)) => &[(Verb::Start, "Applying")],
        ("start", _) => &[(Verb::Start, "Starting")],
        ("stop", Kind::Rules(_)) => &[(Verb::Stop, "Clearing")],
        ("stop", _) => &[(Verb::Stop, "Stopping")],
        ("restart", Kind::Rules(_)) => &[(Verb::Stop, "Clearing"), (Verb::Start, "Applying")],
        ("restart", _) => &[(Verb::Stop, "Stopping"), (Verb::Start, "Starting")],
        ("reload", _) => &[(Verb::Reload, "Reloading")],
        ("condrestart" | "try-restart", _) if !service.is_active(sys) => &[],
        ("condrestart" | "try-restart", _) => &[(Verb::Stop, "Stopping"), (Verb::Start, "Starting")],
        ("save", Kind::Rules(_)) => &[(Verb::Save, "Saving")],
        _ => return call.fail(2, format!("Usage: {name} {{start|stop|status|restart|reload|condrestart}}\n")),
    };
    let mut code = 0;
    let mut turnover = Turnover::default();
    for (verb, doing) in steps {
        let was_active = service.is_active(sys);
        let said = |good: bool| -> String {
            sentences(*verb, doing, service).iter().map(|what| verdict(name, what, good)).collect()
        };
        let says = Says { good: said(true), bad: (Fd::STDOUT, said(false)), is_logged: false };
        let waiting = turnover.wanted();
        let ended = carry_out(*verb, service, says, &mut turnover, sys);
        let pointless = *verb == Verb::Stop && !was_active && matches!(service.kind, Kind::Daemon { .. });
        // What is started says itself how that went.
        if turnover.wanted() == waiting {
            call.out(said(ended.is_ok() && !pointless));
        }
        if let Err(problem) = ended {
            call.err(problem);
            code = 1;
        }
    }
    turnover.finish(code)
}

fn sentences(verb: Verb, doing: &str, service: &Service) -> Vec<String> {
    let name = service.names[0];
    match (&service.kind, verb) {
        (Kind::Rules(_), Verb::Stop) if name == "iptables" => vec![
            "iptables: Setting chains to policy ACCEPT: filter".into(),
            "iptables: Flushing firewall rules:".into(),
            "iptables: Unloading modules:".into(),
        ],
        (Kind::Rules(rules), Verb::Save) if name == "iptables" => {
            vec![format!("iptables: Saving firewall rules to {}:", rules.file)]
        }
        (Kind::Rules(_), _) if name == "iptables" => vec![format!("iptables: {doing} firewall rules:")],
        (Kind::Rules(rules), Verb::Save) if name == "ipvsadm" => {
            vec![format!("ipvsadm: Saving IPVS table to {}:", rules.file)]
        }
        (Kind::Rules(rules), Verb::Save) => vec![format!("Saving current rules to {}:", rules.file)],
        (Kind::Rules(_), Verb::Stop) if name == "ipvsadm" => {
            vec!["ipvsadm: Clearing the current IPVS table:".into(), "ipvsadm: Unloading modules:".into()]
        }
        (Kind::Rules(_), Verb::Start) if name == "ipvsadm" => {
            vec!["ipvsadm: Clearing the current IPVS table:".into(), "ipvsadm: Applying IPVS configuration:".into()]
        }
        (Kind::Rules(_), Verb::Stop) => vec!["Flushing all current rules and user defined chains:".into()],
        (Kind::Rules(_), _) => vec![format!("{doing} arptables firewall rules:")],
        (Kind::Daemon { .. } | Kind::Network | Kind::Never, _) => vec![format!("{doing} {name}:")],
    }
}

fn script_status(service: &Service, call: &mut Call, sys: &Sys) -> Outcome {
    let name = service.names[0];
    if let Kind::Daemon { program, .. } = service.kind {
        let pids: Vec<String> = sys.kernel.processes.named(program).iter().map(|pid| pid.0.to_string()).collect();
        if pids.is_empty() {
            call.out(format!("{name} is stopped\n"));
            return Outcome::Done(3);
        }
        call.out(format!("{name} (pid  {}) is running...\n", pids.join(" ")));
        return Outcome::Done(0);
    }
    let active = service.is_active(sys);
    call.out(format!("{name} is {}\n", if active { "active" } else { "stopped" }));
    Outcome::Done(if active { 0 } else { 3 })
}

/// What is said when a start has come off or not.
struct Says {
    good: String,
    bad: (Fd, String),
    is_logged: bool,
}

fn carry_out(verb: Verb, service: &Service, says: Says, turnover: &mut Turnover, sys: &mut Sys) -> Result<(), String> {
    match (verb, &service.kind) {
        // Its own scripts do that.
        (_, Kind::Network) | (Verb::Stop | Verb::RestartIfActive, Kind::Never) => Ok(()),
        (_, Kind::Never) => {
            Err(format!("{} is not modelled in the lab; write rules with iptables\n", service.names[0]))
        }
        (Verb::Start, Kind::Daemon { program, .. }) if service.is_active(sys) && !turnover.stops(program) => Ok(()),
        (Verb::Start, Kind::Daemon { program, start }) => {
            let Says { good, bad, is_logged } = says;
            turnover.start(Wanted { program, start: *start, good, bad, is_logged });
            Ok(())
        }
        (Verb::Stop, Kind::Daemon { program, .. }) => {
            turnover.stop(program, sys);
            Ok(())
        }
        (Verb::Restart, Kind::Daemon { program, .. }) => {
            turnover.stop(program, sys);
            carry_out(Verb::Start, service, says, turnover, sys)
        }
        (Verb::RestartIfActive, Kind::Daemon { .. }) if service.is_active(sys) => {
            carry_out(Verb::Restart, service, says, turnover, sys)
        }
        (Verb::RestartIfActive, _) => Ok(()),
        (Verb::Reload, Kind::Daemon { .. }) if !service.is_active(sys) => Err("the service is not active\n".into()),
        (Verb::Reload, Kind::Daemon { program, .. }) => {
            tell(program, Signal::Hup, sys);
            Ok(())
        }
        (Verb::Save, Kind::Daemon { .. }) => Err("a daemon has no rules to save\n".into()),
        (Verb::Start | Verb::Restart | Verb::Reload, Kind::Rules(rules)) => (rules.load)(sys),
        (Verb::Stop, Kind::Rules(rules)) => {
            (rules.clear)(sys);
            Ok(())
        }
        (Verb::Save, Kind::Rules(rules)) => {
            if (rules.save)(sys) {
                Ok(())
            } else {
                Err(format!("{}: cannot be written\n", rules.file))
            }
        }
    }
}

fn tell(program: &str, signal: Signal, sys: &mut Sys) {
    for pid in super::mains(program, sys) {
        sys.kill(pid, signal);
    }
}
