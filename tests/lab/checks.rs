//! Every kind of health check of keepalived: good, bad, late; when it looks again; and what its server and its service
//! come to. Read from the records of the trace, so that a log line that lies would not help.

use crate::checked::Checked;
use sim_core::base::id::EventId;
use sim_core::trace::{Kind, Trace};

/// What the checks, the servers and the service come to when the director has this file and this happens.
fn told(conf: &str, script: &str) -> Vec<String> {
    lines(&Checked { os: "Debian12", conf, boot: "", script }.run())
}

fn lines(trace: &Trace) -> Vec<String> {
    let mut all = Vec::new();
    for (event, id) in trace.events.iter().zip((0..).map(EventId)) {
        let text = match event.kind {
            Kind::Check(at) => {
                let record = &trace.checks[at as usize];
                format!("{} {record}", record.server)
            }
            Kind::Health(at) => {
                let record = &trace.health[at as usize];
                format!("health {} is {}, weight {}", record.server, record.standing.name(), record.weight)
            }
            Kind::Quorum(at) => {
                let record = &trace.quorums[at as usize];
                format!(
                    "quorum of {} is {}: {} of {}",
                    record.service,
                    record.standing.name(),
                    record.weight,
                    record.needed
                )
            }
            _ => continue,
        };
        let millis = trace.at(id).nanos() / 1_000_000;
        all.push(format!("{}.{:03} {text}", millis / 1_000, millis % 1_000));
    }
    all
}

/// A service with one server, and one checker with what it needs.
fn one(server: &str, checker: &str) -> String {
    format!(
        "virtual_server 10.0.0.100 80 {{\ndelay_loop 2\nlb_algo rr\nlb_kind DR\nprotocol TCP\n\
         real_server 10.0.0.11 80 {{\nweight 1\n{server}\n{checker}\n}}\n}}"
    )
}

/// The looks only, up to a time, each without the server's name.
fn looks(all: &[String], until: u32) -> Vec<String> {
    let is_in_time =
        |line: &&String| line.split('.').next().is_some_and(|at| at.parse::<u32>().is_ok_and(|at| at < until));
    let all = all.iter().filter(is_in_time).filter(|line| line.contains("_CHECK") || line.contains("_GET"));
    all.map(|line| line.replacen("10.0.0.11:80 ", "", 1)).collect()
}

#[test]
fn a_connection_is_tried_again_before_and_after_a_server_is_down() {
    let conf = one("", "TCP_CHECK {\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\n}");
    let all = told(
        &conf,
        r#"(at: "4500ms", on: "rs1", run: "systemctl stop httpd"), (at: "9500ms", on: "rs1", run: "systemctl start httpd")"#,
    );
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_server_that_says_nothing_is_found_down_after_the_timeout() {
    let conf = one("", "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}");
    let all = told(
        &conf,
        r#"(at: "2500ms", on: "rs1", run: "iptables -A INPUT -p tcp -j DROP"), (at: "6500ms", power_off: "rs1")"#,
    );
    insta::assert_snapshot!(looks(&all, 14).join("\n"));
}

#[test]
fn pages_are_asked_for_one_a_round_and_the_one_that_failed_must_be_good_first() {
    let conf = one(
        "",
        "HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nurl {\npath /b.html\nstatus_code 200\n}\nconnect_timeout 1\nretry 0\nwarmup 0\n}",
    );
    let script = r#"(at: "0.5s", on: "rs1", run: "echo b > /var/www/html/b.html"), (at: "5500ms", on: "rs1", run: "rm /var/www/html/b.html"), (at: "10500ms", on: "rs1", run: "echo b > /var/www/html/b.html")"#;
    insta::assert_snapshot!(looks(&told(&conf, script), 24).join("\n"));
}

#[test]
fn a_page_is_known_by_its_digest() {
    // The MD5 of "right\n". A web server that is down is asked again after delay_before_retry, 3 s, if that is longer.
    let conf = one(
        "",
        "HTTP_GET {\nurl {\npath /x\ndigest aa1fd6a0f7b485ddcb4b2b066acab6ed\n}\nconnect_timeout 1\nretry 0\nwarmup 0\n}",
    );
    let all = told(&conf, r#"(at: "0.5s", on: "rs1", run: "echo wrong > /var/www/html/x")"#);
    assert_eq!(
        looks(&all, 6),
        [
            "1.000 HTTP_GET: the MD5 of its page is another one: down",
            "4.000 HTTP_GET: the MD5 of its page is another one: still down"
        ]
    );
}

#[test]
fn a_command_says_by_its_exit_status_how_the_server_is() {
    let misc = |words: &str| {
        one("", &format!("MISC_CHECK {{\nmisc_path \"/bin/bash /usr/local/bin/c.sh\"\n{words}\nwarmup 0\n}}"))
    };
    let set = |body: &str| format!("(at: \"100ms\", on: \"director\", run: \"echo '{body}' > /usr/local/bin/c.sh\")");
    let first = |conf: &str, body: &str| looks(&told(conf, &set(body)), 4)[0].clone();
    let plain = misc("");
    assert_eq!(first(&plain, "exit 0"), "1.000 MISC_CHECK finds nothing wrong: up");
    assert_eq!(first(&plain, "exit 3"), "1.000 MISC_CHECK: the command ended with status 3: down");
    assert_eq!(first(&misc("misc_timeout 1"), "sleep 9"), "2.000 MISC_CHECK: the command took longer than 1 s: down");
    let dynamic = told(&misc("misc_dynamic"), &set("exit 7"));
    assert!(dynamic.contains(&"1.000 health 10.0.0.11:80 is up, weight 5".to_owned()), "{dynamic:#?}");
    assert_eq!(first(&misc("misc_dynamic"), "exit 1"), "1.000 MISC_CHECK: the command ended with status 1: down");
}

#[test]
fn an_echo_a_datagram_and_a_greeting_find_a_server_that_is_gone() {
    let ping = one("", "PING_CHECK {\nconnect_timeout 1\nretry 1\ndelay_before_retry 1\nwarmup 0\n}");
    let off = r#"(at: "3500ms", power_off: "rs1")"#;
    insta::assert_snapshot!("ping", looks(&told(&ping, off), 16).join("\n"));
    let udp = one("", "UDP_CHECK {\nconnect_port 53\nconnect_timeout 1\nretry 0\nwarmup 0\n}");
    insta::assert_snapshot!(
        "udp",
        looks(&told(&udp, r#"(at: "3500ms", on: "rs1", run: "nc -u -l -p 53 > /tmp/heard &")"#), 8).join("\n")
    );
    let reply = one("", "UDP_CHECK {\nconnect_port 53\nrequire_reply\nconnect_timeout 1\nretry 0\nwarmup 0\n}");
    insta::assert_snapshot!(
        "udp_reply",
        looks(&told(&reply, r#"(at: "100ms", on: "rs1", run: "nc -u -l -p 53 > /tmp/heard &")"#), 6).join("\n")
    );
    let smtp = one("", "SMTP_CHECK {\nconnect_port 25\nconnect_timeout 1\nretry 0\nwarmup 0\n}");
    insta::assert_snapshot!(
        "smtp",
        looks(&told(&smtp, r#"(at: "3500ms", on: "rs1", run: "systemctl stop postfix")"#), 8).join("\n")
    );
}

#[test]
fn with_alpha_a_server_is_down_until_it_has_proved_itself() {
    let conf = one("alpha\ninhibit_on_failure", "TCP_CHECK {\nconnect_timeout 1\nwarmup 0\n}");
    let all = told(&conf, "");
    let expected = [
        "0.000 health 10.0.0.11:80 is down, weight 1",
        "0.000 quorum of TCP 10.0.0.100:80 is down: 0 of 1",
        "1.000 10.0.0.11:80 TCP_CHECK finds nothing wrong: up",
        "1.000 health 10.0.0.11:80 is up, weight 1",
        "1.000 quorum of TCP 10.0.0.100:80 is up: 1 of 1",
    ];
    assert_eq!(all[..5], expected);
}

#[test]
fn a_hysteresis_makes_a_quorum_harder_to_gain_than_to_keep() {
    let server = |last: u8, weight: u8| {
        format!(
            "real_server 10.0.0.{last} 80 {{\nweight {weight}\nTCP_CHECK {{\nconnect_timeout 1\nretry 0\nwarmup 0\n}}\n}}\n"
        )
    };
    let conf = format!(
        "virtual_server_group G {{\n10.0.0.100-101 80\nfwmark 7\n}}\nvirtual_server group G {{\ndelay_loop 2\nlb_algo rr\nlb_kind DR\nprotocol TCP\nquorum 2\nhysteresis 1\n{}{}}}",
        server(11, 1),
        server(12, 2)
    );
    let script = r#"(at: "2500ms", on: "rs2", run: "systemctl stop httpd"), (at: "6500ms", on: "rs1", run: "systemctl stop httpd"), (at: "10500ms", on: "rs2", run: "systemctl start httpd"), (at: "14500ms", on: "rs1", run: "systemctl start httpd")"#;
    let all = told(&conf, script);
    let quorums: Vec<&str> =
        all.iter().filter(|line| line.contains("quorum")).map(|line| line.split(" is ").nth(1).unwrap()).collect();
    // 3 weights; without rs2 one, which is enough to keep it; without both none; rs2 alone is not enough to gain it.
    assert_eq!(quorums, ["up: 3 of 1", "up: 1 of 1", "down: 0 of 3", "down: 2 of 3", "up: 3 of 1"]);
}

#[test]
fn first_looks_are_spread_over_the_warmup() {
    let conf = one("", "TCP_CHECK {\nconnect_timeout 1\nwarmup 10\n}");
    let all = looks(&told(&conf, ""), 30);
    let first: f64 = all[0].split(' ').next().unwrap().parse().unwrap();
    assert!((1.0..11.1).contains(&first) && first.fract() != 0.0, "{all:?}");
}
