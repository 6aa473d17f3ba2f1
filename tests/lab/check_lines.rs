//! What keepalived's health checks log, kind by kind: what a user reads in `/var/log/messages` when a server fails, is
//! tried again, and comes back. The texts and when they come are those of keepalived 2.2.7; the older wording stands at
//! the end.

use crate::checked::Checked;
use sim_core::base::id::EventId;
use sim_core::trace::{Kind, Trace};

struct Case {
    os: &'static str,
    conf: String,
    boot: &'static str,
    script: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Case { os: "Debian12", conf: String::new(), boot: "", script: "" }
    }
}

impl Case {
    fn read<T>(&self, read: impl FnOnce(&Trace) -> T) -> T {
        read(&Checked { os: self.os, conf: &self.conf, boot: self.boot, script: self.script }.run())
    }

    /// What the process of the checks logs once they are activated, each line with its time.
    fn lines(&self) -> String {
        self.read(lines)
    }

    /// What commands print.
    fn output(&self) -> Vec<String> {
        self.read(|trace| trace.commands.iter().map(|command| command.stdout.clone()).collect())
    }
}

fn lines(trace: &Trace) -> String {
    let mut all = Vec::new();
    for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
        let Kind::Log(at) = event.kind else { continue };
        let record = &trace.logs[at as usize];
        if record.program.contains("healthcheckers") {
            let millis = trace.at(id).nanos() / 1_000_000;
            all.push(format!("{}.{:03} {}", millis / 1_000, millis % 1_000, record.text));
        }
    }
    let begin = all.iter().rposition(|line| line.contains("ctivating ")).map_or(0, |at| at + 1);
    all[begin..].join("\n")
}

/// A service with one server at port 80, and one checker with what it needs.
fn one(service: &str, server: &str, checker: &str) -> String {
    format!(
        "virtual_server 10.0.0.100 80 {{\ndelay_loop 2\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{service}\n\
         real_server 10.0.0.11 80 {{\nweight 1\n{server}\n{checker}\n}}\n}}"
    )
}

fn checked(checker: &str) -> Case {
    Case { conf: one("", "", checker), ..Case::default() }
}

const STOP_AND_START: &str = r#"(at: "4500ms", on: "rs1", run: "systemctl stop httpd"), (at: "12500ms", on: "rs1", run: "systemctl start httpd")"#;

#[test]
fn lines_of_a_connection() {
    let quiet = "TCP_CHECK {\nconnect_timeout 1\nretry 2\ndelay_before_retry 1\nwarmup 0\n}";
    let loud = "TCP_CHECK {\nconnect_timeout 1\nretry 2\ndelay_before_retry 1\nwarmup 0\nlog_all_failures\n}";
    insta::assert_snapshot!("tcp", Case { script: STOP_AND_START, ..checked(quiet) }.lines());
    insta::assert_snapshot!("tcp_all_failures", Case { script: STOP_AND_START, ..checked(loud) }.lines());
    let drop = r#"(at: "0.5s", on: "rs1", run: "iptables -A INPUT -p tcp -j DROP")"#;
    insta::assert_snapshot!("tcp_first_look", Case { script: drop, ..checked(loud) }.lines());
}

#[test]
fn lines_of_pages() {
    let http = |words: &str| {
        format!(
            "HTTP_GET {{\nurl {{\npath /\n{words}\n}}\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\nlog_all_failures\n}}"
        )
    };
    insta::assert_snapshot!("http", Case { script: STOP_AND_START, ..checked(&http("")) }.lines());
    insta::assert_snapshot!("http_status", checked(&http("status_code 404")).lines());
    insta::assert_snapshot!("http_digest", checked(&http("digest 00000000000000000000000000000000")).lines());
    let deaf = r#"(at: "3500ms", on: "rs1", run: "systemctl stop httpd; nc -l -p 80 -k > /dev/null &")"#;
    insta::assert_snapshot!("http_deaf", Case { script: deaf, ..checked(&http("")) }.lines());
    let ssl = http("").replace("HTTP_GET", "SSL_GET");
    insta::assert_snapshot!("ssl", Case { script: STOP_AND_START, ..checked(&ssl) }.lines());
}

#[test]
fn a_page_that_fails_once_more_before_it_brought_its_server_back_is_not_waited_for_again() {
    // The first good answer clears the mark of the failed page; a failure after it does not set it again.
    let http = "HTTP_GET {\nurl {\npath /\n}\nconnect_timeout 1\nretry 0\nwarmup 0\n}";
    let script = r#"(at: "2500ms", on: "rs1", run: "systemctl stop httpd"), (at: "5s", on: "rs1", run: "systemctl start httpd"), (at: "7s", on: "rs1", run: "systemctl stop httpd"), (at: "10s", on: "rs1", run: "systemctl start httpd")"#;
    insta::assert_snapshot!("http_again", Case { script, ..checked(http) }.lines());
}

#[test]
fn lines_of_datagrams_and_echoes() {
    let udp = |words: &str| {
        format!(
            "UDP_CHECK {{\nconnect_port 53\n{words}\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\nlog_all_failures\n}}"
        )
    };
    let script = r#"(at: "100ms", on: "rs1", run: "nc -u -l -p 53 > /tmp/heard &"), (at: "4500ms", on: "rs1", run: "killall nc")"#;
    insta::assert_snapshot!("udp", Case { script, ..checked(&udp("")) }.lines());
    insta::assert_snapshot!("udp_no_reply", Case { script, ..checked(&udp("require_reply")) }.lines());
    let ping = "PING_CHECK {\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\nlog_all_failures\n}";
    let off = r#"(at: "3500ms", power_off: "rs1"), (at: "13500ms", power_on: "rs1")"#;
    insta::assert_snapshot!("ping", Case { script: off, ..checked(ping) }.lines());
}

#[test]
fn lines_of_a_greeting() {
    let smtp = "SMTP_CHECK {\nconnect_port 25\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\n}";
    let script = r#"(at: "4500ms", on: "rs1", run: "systemctl stop postfix"), (at: "12500ms", on: "rs1", run: "systemctl start postfix")"#;
    insta::assert_snapshot!("smtp", Case { script, ..checked(smtp) }.lines());
    let rude = r#"(at: "100ms", on: "rs1", run: "systemctl stop postfix; while true; do echo 554 go away | nc -l -p 25; done")"#;
    insta::assert_snapshot!("smtp_rude", Case { script: rude, ..checked(smtp) }.lines());
}

#[test]
fn lines_of_a_command() {
    let misc =
        |words: &str| format!("MISC_CHECK {{\nmisc_path \"/bin/bash /usr/local/bin/c.sh\"\n{words}\nwarmup 0\n}}");
    let good = r#""echo 'exit 0' > /usr/local/bin/c.sh","#;
    let fails = r#"(at: "2s", on: "director", run: "echo 'exit 3' > /usr/local/bin/c.sh"), (at: "12s", on: "director", run: "echo 'exit 0' > /usr/local/bin/c.sh")"#;
    let case = |words: &str, script: &'static str| Case { boot: good, script, ..checked(&misc(words)) };
    insta::assert_snapshot!("misc", case("", fails).lines());
    insta::assert_snapshot!("misc_retry", case("retry 2\ndelay_before_retry 1\nlog_all_failures", fails).lines());
    let late = r#"(at: "2s", on: "director", run: "echo 'sleep 9' > /usr/local/bin/c.sh")"#;
    insta::assert_snapshot!("misc_late", case("misc_timeout 1", late).lines());
    // It does not end at SIGTERM, and is killed.
    let stubborn = r#"(at: "2s", on: "director", run: "printf \"trap '' TERM\\nsleep 9\\n\" > /usr/local/bin/c.sh")"#;
    insta::assert_snapshot!("misc_stubborn", case("misc_timeout 1", stubborn).lines());
    let killed = r#"(at: "2s", on: "director", run: "echo 'kill -9 $$; exit 0' > /usr/local/bin/c.sh"), (at: "6s", on: "director", run: "echo 'exit 137' > /usr/local/bin/c.sh")"#;
    insta::assert_snapshot!("misc_killed", case("", killed).lines());
}

#[test]
fn a_commands_status_is_a_weight_and_0_gives_back_the_weight_of_the_file() {
    let misc = "MISC_CHECK {\nmisc_path \"/bin/bash /usr/local/bin/c.sh\"\nmisc_dynamic\nwarmup 0\n}";
    let boot = r#""echo 'exit 7' > /usr/local/bin/c.sh","#;
    let script = r#"(at: "4s", on: "director", run: "echo 'exit 0' > /usr/local/bin/c.sh"), (at: "8s", on: "director", run: "echo 'exit 2' > /usr/local/bin/c.sh"), (at: "12s", on: "director", run: "echo 'exit 1' > /usr/local/bin/c.sh"), (at: "16s", on: "director", run: "echo 'exit 4' > /usr/local/bin/c.sh")"#;
    insta::assert_snapshot!("misc_dynamic", Case { boot, script, ..checked(misc) }.lines());
}

#[test]
fn lines_of_a_sorry_server_and_of_inhibited_servers() {
    let tcp = "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}";
    let sorry = Case { conf: one("sorry_server 10.0.0.12 80", "", tcp), script: STOP_AND_START, ..Case::default() };
    insta::assert_snapshot!("sorry", sorry.lines());
    let inhibited = Case {
        conf: one("sorry_server 10.0.0.12 80\nsorry_server_inhibit", "inhibit_on_failure", tcp),
        script: STOP_AND_START,
        ..Case::default()
    };
    insta::assert_snapshot!("inhibited", inhibited.lines());
}

#[test]
fn with_alpha_a_first_failure_is_told_and_with_omega_the_end_is() {
    let tell = "notify_up \"/bin/echo\"\nnotify_down \"/usr/local/bin/down.sh\"";
    let boot =
        r#""printf '#!/bin/bash\necho $1 >> /tmp/told\n' > /usr/local/bin/down.sh; chmod +x /usr/local/bin/down.sh","#;
    let conf = one(
        "alpha\nomega\nquorum_down \"/usr/local/bin/down.sh quorum\"",
        &tell.replace("down.sh", "down.sh server"),
        "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}",
    );
    let closed =
        r#"(at: "0.5s", on: "rs1", run: "systemctl stop httpd"), (at: "5s", on: "director", run: "cat /tmp/told")"#;
    let case = Case { conf: conf.clone(), boot, script: closed, ..Case::default() };
    insta::assert_snapshot!("alpha", case.lines());
    assert_eq!(case.output().last().map(String::as_str), Some("server\n"));
    let end =
        r#"(at: "5s", on: "director", run: "killall keepalived"), (at: "8s", on: "director", run: "cat /tmp/told")"#;
    let case = Case { conf: conf.clone(), boot, script: end, ..Case::default() };
    insta::assert_snapshot!("omega", case.lines());
    assert_eq!(case.output().last().map(String::as_str), Some("server\nquorum\n"));
    let quiet = Case { conf: conf.replace("omega\n", ""), boot, script: end, ..Case::default() };
    assert!(!quiet.output().iter().any(|text| text.contains("server")), "nobody is told without omega");
}

#[test]
fn lines_of_the_first_generations() {
    let script = STOP_AND_START;
    let old = |os: &'static str, checker: &str| Case { os, script, ..checked(checker) }.lines();
    let tcp = "TCP_CHECK {\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\n}";
    insta::assert_snapshot!("tcp_1_3", old("Rhel6", tcp));
    insta::assert_snapshot!("tcp_1_1", old("CentOs4", "TCP_CHECK {\nconnect_timeout 1\n}"));
    let http =
        "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nconnect_timeout 1\nnb_get_retry 1\ndelay_before_retry 1\n}";
    insta::assert_snapshot!("http_1_3", old("Rhel6", http));
    let conf = one(
        "quorum_down \"/bin/echo quorum\"",
        "notify_down \"/bin/echo server\"",
        "TCP_CHECK {\nconnect_timeout 1\n}",
    );
    insta::assert_snapshot!("scripts_1_3", Case { os: "Rhel6", conf, script, ..Case::default() }.lines());
}

#[test]
fn a_number_in_a_file_is_added_to_a_weight_or_takes_a_server_down() {
    let file = |weight: &str| {
        let conf = one("", "", "FILE_CHECK {\ntrack_file drain\n}");
        Case {
            conf: format!("track_file drain {{\nfile /tmp/drain\n{weight}\ninit_file 0\n}}\n{conf}"),
            script: r#"(at: "2s", on: "director", run: "echo 4 > /tmp/drain"), (at: "4s", on: "director", run: "ipvsadm -Ln"), (at: "6s", on: "director", run: "rm /tmp/drain")"#,
            ..Case::default()
        }
    };
    insta::assert_snapshot!("file", file("weight 0").lines());
    insta::assert_snapshot!("file_weight", file("weight 2").lines());
    assert!(file("weight 2").output().iter().any(|text| text.contains("10.0.0.11:80                 Route   9")));
    assert!(!file("weight 0").output().iter().any(|text| text.contains("10.0.0.11:80")));
}

#[test]
fn a_pipe_is_told_of_every_server_and_quorum() {
    let tcp = "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}";
    let reader = r#""printf '#!/bin/bash\nwhile read line; do echo got $line >> /tmp/told; done < $1\necho end >> /tmp/told\n' > /usr/local/bin/reader.sh; chmod +x /usr/local/bin/reader.sh","#;
    let conf = format!(
        "global_defs {{\nlvs_notify_fifo /tmp/lvs.fifo\nlvs_notify_fifo_script /usr/local/bin/reader.sh\n}}\n{}",
        one("omega", "", tcp)
    );
    let script = r#"(at: "4500ms", on: "rs1", run: "systemctl stop httpd"), (at: "6500ms", on: "rs1", run: "systemctl start httpd"), (at: "10s", on: "director", run: "test -p /tmp/lvs.fifo || echo none"), (at: "12s", on: "director", run: "killall keepalived"), (at: "15s", on: "director", run: "cat /tmp/told; ls /tmp")"#;
    let output = Case { conf, boot: reader, script, ..Case::default() }.output();
    let expected = "got VS [10.0.0.100]:tcp:80 UP\n\
                    got RS [10.0.0.11]:tcp:80 [10.0.0.100]:tcp:80 DOWN\n\
                    got VS [10.0.0.100]:tcp:80 DOWN\n\
                    got RS [10.0.0.11]:tcp:80 [10.0.0.100]:tcp:80 UP\n\
                    got VS [10.0.0.100]:tcp:80 UP\n\
                    got RS [10.0.0.11]:tcp:80 [10.0.0.100]:tcp:80 DOWN\n\
                    got VS [10.0.0.100]:tcp:80 DOWN\n\
                    end\n\
                    told\n";
    assert_eq!(output.last().map(String::as_str), Some(expected));
}

#[test]
fn a_pipe_is_told_of_every_state_and_only_it_of_priorities() {
    let conf = "global_defs {\nvrrp_notify_fifo /tmp/vrrp.fifo\nvrrp_notify_priority_changes\n}\n\
                vrrp_script chk {\nscript \"/usr/bin/test -e /tmp/good\"\ninterval 1\nweight 20\n}\n\
                vrrp_sync_group G {\ngroup {\nVI_1\n}\nsync_group_tracking_weight\n}\n\
                vrrp_instance VI_1 {\nstate BACKUP\ninterface eth0\nvirtual_router_id 51\npriority 100\nadvert_int 1\n\
                notify \"/usr/local/bin/notify.sh\"\n\
                track_script {\nchk\n}\nvirtual_ipaddress {\n10.0.0.100/24\n}\n}\n";
    let boot = r#""printf '#!/bin/bash\necho script $* >> /tmp/told\n' > /usr/local/bin/notify.sh; chmod +x /usr/local/bin/notify.sh","mkfifo /tmp/vrrp.fifo; cat /tmp/vrrp.fifo > /tmp/heard &", "keepalived -D -P","#;
    let script = r#"(at: "8s", on: "director", run: "touch /tmp/good"), (at: "12s", on: "director", run: "killall keepalived"), (at: "15s", on: "director", run: "cat /tmp/heard"), (at: "16s", on: "director", run: "cat /tmp/told; test -p /tmp/vrrp.fifo && echo stays")"#;
    let output = Case { conf: conf.into(), boot, script, ..Case::default() }.output();
    let heard = "GROUP \"G\" BACKUP 0\nINSTANCE \"VI_1\" BACKUP 100\nINSTANCE \"VI_1\" MASTER 100\nGROUP \"G\" MASTER 0\n\
                 INSTANCE \"VI_1\" MASTER_PRIORITY 120\nINSTANCE \"VI_1\" STOP 120\nGROUP \"G\" STOP 0\n";
    let told =
        "script INSTANCE VI_1 BACKUP 100\nscript INSTANCE VI_1 MASTER 100\nscript INSTANCE VI_1 STOP 120\nstays\n";
    assert_eq!(output[output.len() - 2..], [heard, told]);
}

#[test]
fn a_table_that_is_flushed_at_the_end_goes_without_a_word_about_servers() {
    let tcp = "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}";
    let script = r#"(at: "3s", on: "director", run: "ipvsadm -A -t 10.0.0.9:80; killall keepalived"), (at: "5s", on: "director", run: "ipvsadm -Sn")"#;
    for (words, left) in [("lvs_flush_on_stop", ""), ("lvs_flush_on_stop VS", "-A -t 10.0.0.9:80 -s wlc\n")] {
        let conf = format!("global_defs {{\n{words}\n}}\n{}", one("", "", tcp));
        let case = Case { conf, script, ..Case::default() };
        assert!(!case.lines().contains("Shutting down service"), "{words}");
        assert_eq!(case.output().last().map(String::as_str), Some(left), "{words}");
    }
}

#[test]
fn a_command_that_is_not_there_is_not_run_and_its_server_is_held_for_up() {
    let case = checked("MISC_CHECK {\nmisc_path \"/usr/local/bin/none.sh 10.0.0.11\"\nwarmup 0\n}");
    let all: Vec<String> = case.read(|trace| trace.logs.iter().map(|record| record.text.to_string()).collect());
    let said = "Disabling misc script '/usr/local/bin/none.sh' '10.0.0.11' since not found/accessible";
    assert!(all.iter().any(|line| line.ends_with(said)), "{all:#?}");
    assert!(!case.lines().contains("Removing service"));
}
