//! What keepalived's virtual routers do where no recording of ours compares it: AH, strict mode, FAULT from the start, the
//! generation before 2.0, a VMAC whose adverts leave by the interface below.

use crate::lan::Alone;
use scenarios::problem::{SourceFile, render};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::{Trace, record::VrrpState};
use sim_core::world::sim::Sim;
use std::sync::Arc;

/// Two directors and a client; what each director's instance says besides, and what is done.
#[derive(Default)]
struct Lab {
    os: &'static str,
    global: &'static str,
    more: [&'static str; 2],
    script: &'static str,
}

impl Lab {
    fn text(&self) -> String {
        let os = if self.os.is_empty() { "Debian12" } else { self.os };
        let director = |name: &str, address: u8, state: &str, priority: u8, more: &str| {
            let global = self.global;
            format!(
                r##"
        "{name}": (os: {os}, nics: {{ "eth0": (to: "lan", address: "10.0.0.{address}/24"), "eth1": (to: "back", address: "10.0.1.{address}/24") }},
            files: {{ "/etc/keepalived/keepalived.conf": Text(r#"
global_defs {{
    router_id {name}
    script_user root
    {global}
}}
vrrp_script chk {{
    script "/bin/false"
    interval 1
}}
vrrp_instance VI_1 {{
    state {state}
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    {more}
    virtual_ipaddress {{
        10.0.0.100/24
    }}
}}
"#) }}),"##
            )
        };
        let (n1, n2) =
            (director("n1", 11, "MASTER", 100, self.more[0]), director("n2", 12, "BACKUP", 90, self.more[1]));
        let script = self.script;
        format!(
            r#"Scenario(
    title: "Virtual routers", about: "", seed: 1, until: "40s",
    link: (rate: "1Gbit", delay: "50us"),
    switches: {{ "lan": (), "back": () }},
    hosts: {{{n1}{n2}
        "client": (nics: {{ "eth0": (to: "lan", address: "10.0.0.50/24") }}),
    }},
    script: [
{script}
    ],
    expect: [],
)"#
        )
    }

    fn run(&self) -> Sim {
        let file = Arc::new(SourceFile { name: "routers.ron".into(), text: self.text() });
        let model = scenarios::load_text(&file, &Alone).unwrap_or_else(|problems| panic!("{}", render(&problems)));
        let mut sim = scenarios::assemble(&model, scenarios::Options::default());
        sim.run_until(Instant::ZERO + Duration::from_secs(40));
        sim
    }
}

const BOTH: &str = r#"        (at: "1s", on: "n1", run: "keepalived -D"),
        (at: "1.2s", on: "n2", run: "keepalived -D"),
"#;

/// What the VRRP child of a host wrote, and when, in milliseconds.
fn said(trace: &Trace, host: &str) -> Vec<(u64, String)> {
    let lines = trace.events.iter().filter_map(|event| {
        let sim_core::trace::Kind::Log(at) = event.kind else { return None };
        let (record, step) = (&trace.logs[at as usize], trace.steps[event.step as usize]);
        let is_its =
            &*trace.cast.nodes[step.node.index()].name == host && record.program.starts_with("Keepalived_vrrp");
        is_its.then(|| (step.at.nanos() / 1_000_000, record.text.to_string()))
    });
    lines.collect()
}

fn says(trace: &Trace, host: &str, text: &str) -> Option<u64> {
    said(trace, host).into_iter().find(|(_, line)| line.contains(text)).map(|(at, _)| at)
}

/// Times as master of a host, from the trace's records.
fn masters(trace: &Trace, host: &str) -> usize {
    let records = trace.vrrp.iter().filter(|record| &*trace.cast.nodes[record.node.index()].name == host);
    let states: Vec<VrrpState> = records.map(|record| record.state).collect();
    let mut changes = states.clone();
    changes.dedup();
    changes.iter().filter(|state| **state == VrrpState::Master).count()
}

fn lost(trace: &Trace) -> String {
    let ping = trace.commands.iter().find(|command| command.text.starts_with("ping")).expect("it was typed");
    ping.stdout.lines().find(|line| line.contains("packet loss")).unwrap_or_default().to_owned()
}

#[test]
fn ah_goes_on_from_the_number_last_heard_and_a_restarted_master_takes_over_again() {
    const AH: &str = "authentication {\n auth_type AH\n auth_pass 1111\n }";
    let script = Box::leak(
        format!(
            "{BOTH}        (at: \"12s\", on: \"n1\", run: \"killall -9 keepalived\"),
        (at: \"20s\", on: \"n1\", run: \"keepalived -D\"),\n"
        )
        .into_boxed_str(),
    );
    let sim = Lab { more: [AH, AH], script, ..Lab::default() }.run();
    let trace = sim.trace();
    assert!(says(trace, "n1", "Initial state master is incompatible with AH authentication - clearing").is_some());
    assert_eq!((masters(trace, "n1"), masters(trace, "n2")), (2, 1));
    for host in ["n1", "n2"] {
        assert_eq!(says(trace, host, "IPSEC"), None, "nothing was replayed or changed");
    }
}

#[test]
fn ah_with_another_password_is_named_by_its_sum() {
    const ONE: &str = "authentication {\n auth_type AH\n auth_pass 1111\n }";
    const OTHER: &str = "authentication {\n auth_type AH\n auth_pass 2222\n }";
    let sim = Lab { more: [ONE, OTHER], script: BOTH, ..Lab::default() }.run();
    let text = "(VI_1) IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !";
    assert!(says(sim.trace(), "n2", text).is_some());
    assert_eq!((masters(sim.trace(), "n1"), masters(sim.trace(), "n2")), (1, 1), "both become master");
}

#[test]
fn strict_mode_takes_away_password_and_answers() {
    const PASS: &str = "authentication {\n auth_type PASS\n auth_pass 1111\n }";
    let script = Box::leak(
        format!("{BOTH}        (at: \"10s\", on: \"client\", run: \"ping -c 5 10.0.0.100\"),\n").into_boxed_str(),
    );
    let sim = Lab { global: "vrrp_strict", more: [PASS, PASS], script, ..Lab::default() }.run();
    let trace = sim.trace();
    assert!(says(trace, "n1", "Strict mode does not support authentication. Ignoring.").is_some());
    assert!(says(trace, "n1", "State MASTER must match being address owner").is_some());
    assert_eq!(masters(trace, "n1"), 1);
    assert!(lost(trace).contains("100% packet loss"), "{}", lost(trace));
}

#[test]
fn a_cable_that_is_out_at_the_start_is_fault_with_its_reason_first() {
    const TRACKED: &str = "track_interface {\n eth1\n }";
    let script = Box::leak(
        format!("        (at: \"0.5s\", unplug: \"n1:eth1\"),\n{BOTH}        (at: \"10s\", plug: \"n1:eth1\"),\n")
            .into_boxed_str(),
    );
    let sim = Lab { more: [TRACKED, ""], script, ..Lab::default() }.run();
    let lines: Vec<String> = said(sim.trace(), "n1").into_iter().map(|(_, line)| line).collect();
    let place = |text: &str| lines.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
    let reason = place("(VI_1): entering FAULT state (interface eth1 down)");
    assert!(reason < place("(VI_1) entering FAULT state"));
    assert!(place("(VI_1) entering FAULT state") < place("Registering gratuitous ARP shared channel"));
    assert!(!lines.iter().any(|line| line.contains("Entering FAULT STATE")));
    assert_eq!(says(sim.trace(), "n1", "(VI_1) Entering BACKUP STATE"), Some(10_000));
    assert_eq!(says(sim.trace(), "n1", "Entering MASTER STATE"), Some(13_609));
}

#[test]
fn a_script_that_fails_from_the_start_leaves_fault_unsaid() {
    const TRACKED: &str = "track_script {\n chk\n }";
    let sim = Lab { more: [TRACKED, ""], script: BOTH, ..Lab::default() }.run();
    let trace = sim.trace();
    assert!(says(trace, "n1", "Script `chk` now returning 1").is_some());
    assert!(says(trace, "n1", "VRRP_Script(chk) failed (exited with status 1)").is_some());
    for state in ["BACKUP", "FAULT", "MASTER"] {
        assert_eq!(says(trace, "n1", &format!("Entering {state} STATE")), None);
    }
    assert_eq!(masters(trace, "n2"), 1);
}

#[test]
fn before_2_0_the_first_master_says_that_it_becomes_one_and_is_one_an_interval_later() {
    let sim = Lab { os: "Rhel6", script: BOTH, ..Lab::default() }.run();
    let trace = sim.trace();
    let transition = says(trace, "n1", "VRRP_Instance(VI_1) Transition to MASTER STATE").expect("it is said");
    let entering = says(trace, "n1", "VRRP_Instance(VI_1) Entering MASTER STATE").expect("it is said");
    assert_eq!((transition, entering), (2_000, 3_000));
    assert_eq!(says(trace, "n1", "VRRP_Instance(VI_1) setting protocol VIPs."), Some(3_000));
    assert!(says(trace, "n2", "VRRP_Instance(VI_1) Entering BACKUP STATE").is_some());
    assert_eq!(masters(trace, "n2"), 0);
}

/// The advert leaves before the gratuitous ARPs, so that the old master, whose macvlan alone gets what comes from its own
/// MAC, has given the address up when it is announced, and does not answer.
#[test]
fn a_vmac_whose_adverts_leave_by_the_interface_below_moves_without_a_loss() {
    const VMAC: &str = "use_vmac\n vmac_xmit_base";
    let sim = Lab {
        more: [VMAC, VMAC],
        script: r#"        (at: "1s", on: "n2", run: "keepalived -D"),
        (at: "6s", on: "client", run: "ping -q -i 0.1 -c 300 10.0.0.100"),
        (at: "10s", on: "n1", run: "keepalived -D"),
"#,
        ..Lab::default()
    }
    .run();
    assert_eq!((masters(sim.trace(), "n1"), masters(sim.trace(), "n2")), (1, 1));
    assert!(lost(sim.trace()).contains(" 0% packet loss"), "{}", lost(sim.trace()));
}
