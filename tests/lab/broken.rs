//! What is wrong with a scenario is said all at once, each with its place, the text underlined, and a hint. The snapshots
//! are what an author reads; a changed one is reviewed like code.

use crate::lan::Alone;
use proptest::prelude::*;
use scenarios::problem::{SourceFile, render};
use scenarios::{Model, Problem};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::recorder::Level;
use std::sync::Arc;

/// A sound scenario; each case breaks it in one or several places.
const SOUND: &str = r#"Scenario(
    title: "Sound",
    about: "Every case breaks this in some place.",
    seed: 1, until: "12s",
    link: (rate: "1Gbit", delay: "50us"),
    switches: { "lan": () },
    hosts: {
        "client": (role: Client, gateway: "172.25.92.4", nics: { "eth0": (to: "lan", address: "172.25.92.1/24") }),
        "server4": (role: Director, nics: { "eth0": (to: "lan", address: "172.25.92.4/24") },
            boot: Text(r"
                ip addr add 172.25.92.100/24 dev eth0
                ipvsadm -A -t 172.25.92.100:80 -s rr
                ipvsadm -a -t 172.25.92.100:80 -r 172.25.92.5:80 -g -w 1
            ")),
        "server{5..6}": (role: RealServer, nics: { "eth0": (to: "lan", address: "172.25.92.{n}/24") }),
    },
    script: [
        (at: "1s", on: "client", run: "curl 172.25.92.100", times: 4, every: "200ms"),
        (at: "5s", on: "server5", run: "systemctl stop httpd"),
    ],
    expect: [
        Requests(ok: 4),
        NeverSees(host: "server4", packet: "ip.src == 172.25.92.100 && tcp.srcport == 80"),
    ],
)
"#;

/// A name, and what is replaced by what.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    ("unknown-host-in-script", &[(r#"on: "server5""#, r#"on: "sever5""#)]),
    ("unknown-host-in-expectation", &[(r#"host: "server4""#, r#"host: "director""#)]),
    ("dash-of-a-web-page", &[("ipvsadm -A", "ipvsadm \u{2013}A")]),
    ("one-address-twice", &[("172.25.92.1/24", "172.25.92.5/24")]),
    ("gateway-on-no-link", &[(r#"gateway: "172.25.92.4""#, r#"gateway: "172.25.29.4""#)]),
    ("unknown-field", &[("seed: 1", "sead: 1")]),
    ("double-field", &[("seed: 1,", "seed: 1, seed: 2,")]),
    ("missing-field", &[(r#"to: "lan", address: "172.25.92.1/24""#, r#"address: "172.25.92.1/24""#)]),
    ("field-of-another-type", &[("times: 4", r#"times: "four""#)]),
    (
        "no-such-switch",
        &[(r#""eth0": (to: "lan", address: "172.25.92.1/24")"#, r#""eth0": (to: "lam", address: "172.25.92.1/24")"#)],
    ),
    ("no-such-command", &[("systemctl stop httpd", "sistemctl stop httpd")]),
    ("no-such-option", &[("curl 172.25.92.100", "curl --sielnt 172.25.92.100")]),
    ("option-that-is-not-modelled", &[("-s rr", "-s rr --pe sip")]),
    ("no-such-service", &[("systemctl stop httpd", "systemctl stop htpd")]),
    ("bad-filter", &[("ip.src == 172.25.92.100", "ip.sorce == 172.25.92.100")]),
    ("after-the-end", &[(r#"at: "5s""#, r#"at: "50s""#)]),
    ("bracket-left-open", &[("    ],\n    expect", "    expect")]),
    ("empty-range", &[("server{5..6}", "server{6..5}")]),
    ("no-such-unit", &[(r#"until: "12s""#, r#"until: "12 parsecs""#)]),
    ("no-such-address", &[("172.25.92.4/24", "172.25.92.400/24")]),
    ("no-such-role", &[("role: Client", "role: Cleint")]),
    ("file-that-is-not-there", &[("role: Client,", r#"role: Client, boot: File("client.sh"),"#)]),
    ("file-outside-the-folder", &[("role: Client,", r#"role: Client, boot: File("../../etc/passwd"),"#)]),
    ("quote-left-open", &[("curl 172.25.92.100", "curl '172.25.92.100")]),
    (
        "no-such-action",
        &[(r#"(at: "5s", on: "server5", run: "systemctl stop httpd")"#, r#"(at: "5s", unplugg: "server5:eth0")"#)],
    ),
    (
        "no-such-card",
        &[(r#"(at: "5s", on: "server5", run: "systemctl stop httpd")"#, r#"(at: "5s", unplug: "server5:eth1")"#)],
    ),
    (
        "pasted-from-a-web-page",
        &[("ip addr add", "[root@server4 ~]# ip\u{a0}addr add"), ("on: \"server5\"", "on: \"server7\"")],
    ),
    (
        "everything-at-once",
        &[
            (r#"on: "server5""#, r#"on: "sever5""#),
            ("ipvsadm -A", "ipvsadm \u{2013}A"),
            ("-w 1", "-w one --pe sip"),
            (r#"gateway: "172.25.92.4""#, r#"gateway: "172.25.29.4""#),
            ("times: 4", "tims: 4"),
        ],
    ),
];

/// What the real tool itself refuses is no problem of the file: it says so at run time, in its own words.
#[test]
fn a_scheduler_that_does_not_exist_is_no_problem_of_the_file() {
    assert_eq!(said(&SOUND.replace("-s rr", "-s rrr")), "");
}

#[test]
fn every_problem_has_its_place_and_a_hint() {
    assert_eq!(said(SOUND), "", "the scenario that is broken must be sound before");
    for (name, replacements) in CASES {
        let mut text = SOUND.to_owned();
        for (from, to) in *replacements {
            assert!(text.contains(from), "{name}: nothing to replace by {to}");
            text = text.replacen(from, to, 1);
        }
        insta::assert_snapshot!(*name, said(&text));
    }
}

/// What the tools themselves refuse happens at run time, in their words and with their exit status.
const REFUSED: &[&str] = &[
    "ipvsadm -A -t 172.25.92.100:80 -s rr",
    "ipvsadm -A -t 172.25.92.100:81 -s rrr",
    "ipvsadm -a -t 172.25.92.100:99 -r 172.25.92.5:80",
    "ipvsadm -a -t 172.25.92.100:80 -r 172.25.92.5:80",
    "ipvsadm -d -t 172.25.92.100:80 -r 172.25.92.77:80",
    "ipvsadm -a -t 172.25.92.100:80 -r 172.25.92.6 -w one",
    "ipvsadm -A -t 172.25.92.300:80",
    "ip addr add 172.25.92.4/24 dev eth0",
    "ip addr add 172.25.93.4/24 dev eth9",
    "ip addr del 172.25.92.77/24 dev eth0",
    "ip route add default via 10.9.9.9",
    "ip route add 10.1.0.0/16 via 172.25.92.5; ip route add 10.1.0.0/16 via 172.25.92.5",
    "ip link set eth7 up",
    "ip neigh del 172.25.92.77 dev eth0",
    "ifconfig eth9 172.25.92.9",
    "route add -host 10.1.2.3 dev eth5",
    "arptables -A NOWHERE -d 172.25.92.100 -j DROP",
    "iptables -A INPUT --dport 80 -j DROP",
    "sysctl -w net.ipv4.no_such=1",
    "sysctl -w net.ipv4.ip_forward=yes",
    "sysctl -w net.ipv4.vs.conntrack=1",
    "echo 1 > /proc/sys/net/ipv4/no_such",
    "cat /no/such/file",
    "cd /no/such/folder",
    "curl -m 1 172.25.92.77",
    "curl 172.25.92.5:81",
    "curl no-such-host",
    "ping -c 1 -W 1 no-such-host",
    "x=no-such-command; $x --help",
];

#[test]
fn what_a_tool_refuses_is_said_in_its_words_with_its_exit_status() {
    let script: String = (1..)
        .zip(REFUSED)
        .map(|(second, line)| format!("(at: \"{second}s\", on: \"server4\", run: {line:?}),"))
        .collect();
    let text = SOUND.replace("until: \"12s\"", "until: \"60s\"").replace("script: [", &format!("script: [{script}"));
    let model = load(&text).unwrap_or_else(|problems| panic!("{}", render(&problems)));
    let mut sim = scenarios::assemble(&model, scenarios::Options::default());
    sim.run();
    let mut said = String::new();
    for line in REFUSED {
        let ran = sim.trace().commands.iter().rfind(|command| &*command.text == *line).expect("every line was typed");
        let status = ran.exit.map_or("still runs".into(), |exit| format!("exit status {exit}"));
        said += &format!("$ {line}\n{}{}{status}\n\n", ran.stdout, ran.stderr);
    }
    insta::assert_snapshot!("refused-at-run-time", said);
}

#[test]
fn a_file_that_is_no_scenario_is_refused() {
    for text in
        ["", "Scenario", "Scenario(", "{}", "\u{0}\u{1}\u{2}", "(((((((((((((((((((", "Scenario(title: \"", "[1,2"]
    {
        assert!(said(text).contains("error"), "{text:?} is no scenario");
    }
}

#[test]
fn brackets_without_end_are_refused_without_harm() {
    for bracket in ["(", "[", "{", "Some(", "Scenario(hosts: {\"a\": ", "(a: [", "/*", "r#\""] {
        let text = format!("Scenario(title: {}", bracket.repeat(50_000));
        assert!(said(&text).contains("error"), "{bracket} many times is no scenario");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_checked_without_panic_or_hang(text in ".{0,200}") {
        said(&text);
    }

    /// Slips of the pen in a sound scenario: a piece is lost, another one is put in its place.
    #[test]
    fn a_scenario_with_slips_is_checked_and_run_without_panic_or_hang(
        slips in prop::collection::vec((0..SOUND.len(), 0..40usize, "[ -~\n]{0,8}|[{}()\\[\\]\",:'$`|;&]{1,6}"), 1..6),
    ) {
        let mut text = SOUND.to_owned();
        for (at, lost, put) in slips {
            let begin = at.min(text.len());
            let end = (begin + lost).min(text.len());
            text.replace_range(begin..end, &put);
        }
        if let Ok(model) = load(&text) {
            let options = scenarios::Options { level: Level::Counters, ..scenarios::Options::default() };
            scenarios::assemble(&model, options).run_until(Instant::ZERO + Duration::from_secs(6));
        }
    }
}

/// What an author reads; empty if nothing is wrong.
fn said(text: &str) -> String {
    match load(text) {
        Ok(model) => render(&model.warnings),
        Err(problems) => render(&problems),
    }
}

fn load(text: &str) -> Result<Model, Vec<Problem>> {
    let file = Arc::new(SourceFile { name: "broken.ron".into(), text: text.into() });
    scenarios::load_text(&file, &Alone)
}
