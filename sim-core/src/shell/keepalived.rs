//! `keepalived`: reads its command line and starts the parent process.

use super::command::{Call, Command, NOT_MODELLED, Opt, Outcome, getopt};
use super::options::Options;
use crate::keepalived::config::{Reader, RemarkKind, test_status};
use crate::keepalived::daemon::Daemon;
use crate::keepalived::era::Era;
use crate::keepalived::launch::{Launch, PROGRAM};
use crate::kernel::syscall::Sys;

/// `keepalived`.
pub(super) const COMMAND: Command = Command {
    names: &["keepalived"],
    summary: "VRRP and health checks from /etc/keepalived/keepalived.conf",
    options: OPTIONS,
    check: getopt,
    run,
};

const OPTIONS: &[Opt] = &[
    Opt::value("-f", "the configuration file"),
    Opt::value("--use-file", "the configuration file"),
    Opt::flag("-P", "only VRRP"),
    Opt::flag("--vrrp", "only VRRP"),
    Opt::flag("-C", "only health checks"),
    Opt::flag("--check", "only health checks"),
    Opt::flag("--all", "both children, whatever the file says"),
    Opt::flag("-D", "detailed log messages"),
    Opt::flag("--log-detail", "detailed log messages"),
    Opt::flag("-l", "the log goes to standard error too"),
    Opt::flag("--log-console", "the log goes to standard error too"),
    Opt::flag("-G", "no log to syslog"),
    Opt::flag("--no-syslog", "no log to syslog"),
    Opt::flag("-n", "stays in the foreground"),
    Opt::flag("--dont-fork", "stays in the foreground"),
    Opt::flag("-V", "addresses and routes stay when it stops"),
    Opt::flag("--dont-release-vrrp", "addresses and routes stay when it stops"),
    Opt::flag("-I", "the IPVS table stays when it stops"),
    Opt::flag("--dont-release-ipvs", "the IPVS table stays when it stops"),
    Opt::flag("-R", "a child that dies is not started again"),
    Opt::flag("--dont-respawn", "a child that dies is not started again"),
    Opt::value("-p", "the pid file of the parent"),
    Opt::value("--pid", "the pid file of the parent"),
    Opt::value("-r", "the pid file of the VRRP child"),
    Opt::value("--vrrp_pid", "the pid file of the VRRP child"),
    Opt::value("-c", "the pid file of the child of the health checks"),
    Opt::value("--checkers_pid", "the pid file of the child of the health checks"),
    Opt::value("-i", "chooses the lines that begin with @ID"),
    Opt::value("--config-id", "chooses the lines that begin with @ID"),
    Opt::flag("-t", "only reads the file (named with = or -f) and says what is wrong with it"),
    Opt::flag("--config-test", "only reads the file (named with = or -f) and says what is wrong with it"),
    Opt::flag("-v", "its version"),
    Opt::flag("--version", "its version"),
    Opt::flag("-h", "its options"),
    Opt::flag("--help", "its options"),
    Opt::accepted("-d", false, "what was read is not written to the log"),
    Opt::accepted("--dump-conf", false, "what was read is not written to the log"),
    Opt::accepted("-S", true, "every facility goes to /var/log/messages"),
    Opt::accepted("--log-facility", true, "every facility goes to /var/log/messages"),
    Opt::accepted("-X", false, "addresses are always released when it stops"),
    Opt::accepted("--release-vips", false, "addresses are always released when it stops"),
    Opt::accepted("-B", false, "there is no BFD child"),
    Opt::accepted("--no_bfd", false, "there is no BFD child"),
    Opt::accepted("-b", true, "there is no BFD child"),
    Opt::accepted("--bfd_pid", true, "there is no BFD child"),
    Opt::accepted("-m", false, "nothing dumps core"),
    Opt::accepted("--core-dump", false, "nothing dumps core"),
    Opt::accepted("-M", true, "nothing dumps core"),
    Opt::accepted("--core-dump-pattern", true, "nothing dumps core"),
    Opt::accepted("-u", true, "files have no owner"),
    Opt::accepted("--umask", true, "files have no owner"),
    Opt::accepted("-a", false, "addresses are in the trace"),
    Opt::accepted("--address-monitoring", false, "addresses are in the trace"),
    Opt::refused("-g", true, "its log is /var/log/messages"),
    Opt::refused("--log-file", true, "its log is /var/log/messages"),
    Opt::refused("--flush-log-file", false, "its log is /var/log/messages"),
    Opt::refused("-s", true, "network namespaces are not modelled: use another host"),
    Opt::refused("--namespace", true, "network namespaces are not modelled: use another host"),
    Opt::refused("-T", false, "type genhash"),
    Opt::refused("--genhash", false, "type genhash"),
    Opt::refused("--signum", true, "kill and killall know the signals by name"),
    Opt::refused("--debug", true, "step through the run instead"),
];

/// `keepalived -t` found something that keepalived does not take.
const EXIT_CONFIG_TEST: i32 = 4;

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let version = Era::of(sys.kernel.os).version();
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => {
            let text = wrong.coreutils(&call.argv[0]);
            let first = text.lines().next().unwrap_or_default();
            return call.fail(1, format!("{first}\nUsage: {} [OPTION...]\n", call.argv[0]));
        }
    };
    if options.has(&["-v", "--version"]) {
        call.err(format!("Keepalived {version}\n"));
        return Outcome::Done(0);
    }
    if options.has(&["-h", "--help"]) {
        call.out(help(&call.argv[0]));
        return Outcome::Done(0);
    }
    let launch = launch(call.argv, &options);
    if options.has(&["-t", "--config-test"]) {
        return test(&launch, call, sys);
    }
    let name = launch.shown();
    if launch.foreground {
        sys.rename(&name);
        return Outcome::Became(Box::new(Daemon::new(launch)));
    }
    match sys.daemon(&name, Box::new(Daemon::new(launch))) {
        Ok(_) => Outcome::Done(0),
        Err(error) => call.fail(1, format!("keepalived: {error}\n")),
    }
}

/// What a command line says. The program's own path is what `ps` shows, however it was called.
fn launch(argv: &[String], options: &Options<'_>) -> Launch {
    let value = |names: &[&str]| options.value(names).map(str::to_owned);
    let (vrrp_only, checkers_only) = (options.has(&["-P", "--vrrp"]), options.has(&["-C", "--check"]));
    let mut words = argv.to_vec();
    if words.first().is_some_and(|word| word == "keepalived") {
        words[0] = PROGRAM.to_owned();
    }
    let usual = Launch::default();
    Launch {
        words,
        file: value(&["-f", "--use-file"]).unwrap_or(usual.file),
        config_id: value(&["-i", "--config-id"]),
        vrrp: vrrp_only || !checkers_only,
        checkers: checkers_only || !vrrp_only,
        all: options.has(&["--all"]),
        foreground: options.has(&["-n", "--dont-fork"]),
        detail: options.has(&["-D", "--log-detail"]),
        console: options.has(&["-l", "--log-console"]),
        syslog: !options.has(&["-G", "--no-syslog"]),
        release_vrrp: !options.has(&["-V", "--dont-release-vrrp"]),
        release_ipvs: !options.has(&["-I", "--dont-release-ipvs"]),
        respawn: !options.has(&["-R", "--dont-respawn"]),
        pid_file: value(&["-p", "--pid"]),
        vrrp_pid_file: value(&["-r", "--vrrp_pid"]),
        checkers_pid_file: value(&["-c", "--checkers_pid"]),
    }
}

/// `keepalived -t`: what is wrong with the file, on standard error.
fn test(launch: &Launch, call: &mut Call, sys: &mut Sys) -> Outcome {
    let named = call.args().iter().find_map(|word| {
        word.strip_prefix("--config-test=").or_else(|| word.strip_prefix("-t").filter(|file| file.starts_with('/')))
    });
    let launch = Launch { file: named.map_or(launch.file.clone(), str::to_owned), ..launch.clone() };
    let Some(given) = launch.test(sys) else {
        return call.fail(EXIT_CONFIG_TEST, format!("Config files missing '{}'.\n", launch.file));
    };
    let mut code = i32::from(test_status(&given.remarks));
    for reader in [Reader::Parent, Reader::Checkers, Reader::Vrrp, Reader::Bfd] {
        for remark in given.remarks.iter().filter(|remark| remark.is_said_by(reader)) {
            call.err(format!("{}\n", remark.log_line(reader)));
        }
    }
    for remark in given.remarks.iter().filter(|remark| remark.kind == RemarkKind::Refused) {
        call.err(format!("lab: {}: {}\n", remark.log_line(remark.reader), remark.hint));
        code = NOT_MODELLED;
    }
    Outcome::Done(code)
}

fn help(name: &str) -> String {
    let mut text = format!("Usage: {name} [OPTION...]\n");
    for option in OPTIONS {
        text.push_str(&format!("  {:<24} {}\n", option.name, option.note));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::kernel::Os;
    use crate::shell::testing::Bench;

    const CONF: &str = "mkdir -p /etc/keepalived; touch /etc/keepalived/keepalived.conf; ";

    fn check(os: Os, line: &str, out: &str) {
        let result = Bench::networked(os).run(&format!("{CONF}{line}"));
        assert_eq!((result.out.as_str(), result.err.as_str()), (out, ""), "{line}");
    }

    #[test]
    fn three_processes_have_one_name() {
        let shown = "/usr/sbin/keepalived -D\n".repeat(3);
        check(Os::Rhel6, "keepalived -D; sleep 0.1; ps -C keepalived | grep -o '/usr/sbin/keepalived.*'", &shown);
    }

    #[test]
    fn two_children_are_only_there_if_the_file_asks_for_them() {
        check(Os::Debian12, "keepalived -D; sleep 0.1; pidof keepalived | wc -w", "1\n");
        check(Os::Debian12, "keepalived -D --all; sleep 0.1; pidof keepalived | wc -w", "3\n");
        check(Os::Debian12, "keepalived -D --all -P; sleep 0.1; pidof keepalived | wc -w", "2\n");
    }

    #[test]
    fn a_killed_child_is_there_again_within_20_ms() {
        let line = "keepalived --all; sleep 0.1; kill -9 $(cat /run/vrrp.pid); sleep 0.02; pidof keepalived | wc -w; \
                    kill -0 $(cat /run/vrrp.pid) && grep -c 'VRRP child process(.*) died: Respawning' /var/log/messages";
        check(Os::Debian12, line, "3\n1\n");
    }

    #[test]
    fn a_child_that_dies_again_and_again_is_started_ever_more_slowly() {
        let line = "keepalived --all; for n in 1 2 3 4; do sleep 5; kill -9 $(cat /run/checkers.pid); done; \
                    sleep 10; grep -o 'delayed [0-9]* seconds' /var/log/messages";
        check(Os::Debian12, line, "delayed 0 seconds\ndelayed 1 seconds\ndelayed 2 seconds\ndelayed 4 seconds\n");
    }

    #[test]
    fn without_respawn_the_parent_ends_with_its_child() {
        check(
            Os::Debian12,
            "keepalived --all -R; sleep 0.1; kill -9 $(cat /run/vrrp.pid); sleep 2; pidof keepalived",
            "",
        );
    }

    #[test]
    fn children_end_in_order_when_their_parent_is_killed() {
        let line = "keepalived --all; sleep 0.1; kill -9 $(cat /run/keepalived.pid); sleep 2; pidof keepalived; \
                    grep -c 'Stopped - used' /var/log/messages";
        check(Os::Debian12, line, "2\n");
    }

    #[test]
    fn nothing_is_said_when_all_are_killed() {
        let line = "keepalived --all; sleep 0.1; killall -9 keepalived; sleep 2; killall -0 keepalived; \
                    grep -c Stopp /var/log/messages";
        let result = Bench::networked(Os::Debian12).run(&format!("{CONF}{line}"));
        assert_eq!((result.out.as_str(), result.err.as_str()), ("0\n", "keepalived: no process found\n"));
    }

    #[test]
    fn a_service_stops_by_its_parent_and_starts_again() {
        let line = "service keepalived start; sleep 1; service keepalived status | tr -d 0-9; service keepalived restart; \
                    sleep 1; pidof keepalived | wc -w; /etc/init.d/keepalived stop; pidof keepalived; ls /var/run";
        let line = line.replace(" | tr -d 0-9", " | wc -l");
        let (start, stop) =
            (format!("{:<59}[  OK  ]", "Starting keepalived:"), format!("{:<59}[  OK  ]", "Stopping keepalived:"));
        check(Os::Rhel6, &line, &format!("{start}\n1\n{stop}\n{start}\n3\n{stop}\n"));
    }

    #[test]
    fn what_keepalived_was_given_at_start_stands_in_its_settings_file() {
        let line = "echo 'KEEPALIVED_OPTIONS=\"-D -S 0\"' > /etc/sysconfig/keepalived; systemctl start keepalived; sleep 1; \
                    ps -C keepalived | grep -o '/usr/sbin/keepalived.*'";
        check(Os::CentOs7, line, "/usr/sbin/keepalived -D -S 0\n");
    }

    #[test]
    fn a_second_keepalived_does_not_start() {
        let line = "keepalived; sleep 0.1; keepalived; sleep 0.1; pidof keepalived | wc -w; \
                    grep -c 'daemon is already running' /var/log/messages";
        check(Os::Debian12, line, "1\n1\n");
    }

    #[test]
    fn without_a_file_keepalived_does_not_run() {
        let result = Bench::networked(Os::Debian12)
            .run("keepalived; sleep 1; killall -0 keepalived; tail -n 1 /var/log/messages");
        assert!(
            result.out.contains("Unable to find configuration file /etc/keepalived/keepalived.conf"),
            "{}",
            result.out
        );
        assert_eq!(result.err, "keepalived: no process found\n");
    }

    #[test]
    fn the_log_of_a_foreground_keepalived_is_on_the_terminal() {
        let result = Bench::networked(Os::Debian12)
            .run(&format!("{CONF}keepalived -n -l & sleep 1; killall keepalived; sleep 2"));
        assert!(
            result.err.contains("Sat Jan  1 00:00:00 2000: Starting Keepalived v2.2.7 (01/16,2022)\n"),
            "{}",
            result.err
        );
        assert!(result.err.ends_with(": Stopped Keepalived v2.2.7 (01/16,2022)\n"), "{}", result.err);
    }
}
