//! keepalived's settings that no recording of ours varies, one at a time: what 2.2.7 does and says, read off its source.

use crate::lan::Alone;
use scenarios::problem::{SourceFile, render};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::{Kind, Trace};
use sim_core::world::sim::Sim;
use std::sync::Arc;

/// Two directors with two cables each and a client. Each one's instance, besides what both have, what stands in its file
/// outside of it, and what is done.
struct Lab<'a> {
    top: [&'a str; 2],
    instance: [&'a str; 2],
    priorities: [u8; 2],
    script: &'a str,
}

impl Default for Lab<'_> {
    fn default() -> Self {
        Lab { top: ["", ""], instance: ["", ""], priorities: [100, 90], script: BOTH }
    }
}

const BOTH: &str = r#"(at: "1s", on: "n1", run: "keepalived -D"), (at: "1.2s", on: "n2", run: "keepalived -D"),"#;
const UNTIL: Duration = Duration::from_secs(40);

impl Lab<'_> {
    fn conf(&self, at: usize, priority: u8, instance: &str) -> String {
        let virtual_addresses = match instance.contains("virtual_ipaddress {") {
            true => "",
            false => "virtual_ipaddress {\n 10.0.0.100/24\n}",
        };
        format!(
            "{}\nvrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id 51\n priority \
             {priority}\n{instance}\n{virtual_addresses}\n}}\n",
            self.top[at]
        )
    }

    fn run(&self) -> Sim {
        let host = |at: usize| {
            let (name, address) = (["n1", "n2"][at], 11 + at);
            let conf = self.conf(at, self.priorities[at], self.instance[at]);
            format!(
                r###"
        "{name}": (nics: {{ "eth0": (to: "lan", address: "10.0.0.{address}/24"), "eth1": (to: "back", address: "10.0.1.{address}/24") }},
            files: {{ "/etc/keepalived/keepalived.conf": Text(r##"{conf}"##) }}),"###
            )
        };
        let (n1, n2, script) = (host(0), host(1), self.script);
        let text = format!(
            r#"Scenario(
    title: "Settings", about: "", seed: 1, until: "40s",
    link: (rate: "1Gbit", delay: "50us"),
    switches: {{ "lan": (), "back": () }},
    hosts: {{{n1}{n2}
        "client": (nics: {{ "eth0": (to: "lan", address: "10.0.0.50/24") }}),
    }},
    script: [ {script} ],
    expect: [],
)"#
        );
        let file = Arc::new(SourceFile { name: "settings.ron".into(), text });
        let model = scenarios::load_text(&file, &Alone).unwrap_or_else(|problems| panic!("{}", render(&problems)));
        let mut sim = scenarios::assemble(&model, scenarios::Options::default());
        sim.run_until(Instant::ZERO + UNTIL);
        sim
    }
}

/// Types a new file on n1 and tells keepalived to read it.
fn reload(at: &str, conf: &str) -> String {
    format!(
        "(at: \"{at}\", on: \"n1\", run: r##\"cat > /etc/keepalived/keepalived.conf <<'EOF'\n{conf}\nEOF\nkillall -HUP \
         keepalived\"##),"
    )
}

/// What the VRRP child of a host wrote from this second on.
fn said_from(trace: &Trace, host: &str, second: u64) -> Vec<String> {
    let lines = trace.events.iter().filter_map(|event| {
        let Kind::Log(at) = event.kind else { return None };
        let (record, step) = (&trace.logs[at as usize], trace.steps[event.step as usize]);
        let is_its = &*trace.cast.nodes[step.node.index()].name == host
            && record.program.starts_with("Keepalived_vrrp")
            && step.at >= Instant::ZERO + Duration::from_secs(second);
        is_its.then(|| record.text.to_string())
    });
    lines.collect()
}

fn said(trace: &Trace, host: &str) -> Vec<String> {
    said_from(trace, host, 0)
}

#[track_caller]
fn has(lines: &[String], text: &str) {
    assert!(lines.iter().any(|line| line == text), "{text}: {lines:#?}");
}

#[track_caller]
fn has_not(lines: &[String], text: &str) {
    assert!(!lines.iter().any(|line| line.contains(text)), "{text}: {lines:#?}");
}

/// When a host said this, in milliseconds.
fn when(trace: &Trace, host: &str, text: &str) -> Vec<u64> {
    let found = trace.events.iter().filter_map(|event| {
        let Kind::Log(at) = event.kind else { return None };
        let (record, step) = (&trace.logs[at as usize], trace.steps[event.step as usize]);
        let is_it = &*trace.cast.nodes[step.node.index()].name == host && &*record.text == text;
        is_it.then(|| step.at.nanos() / 1_000_000)
    });
    found.collect()
}

fn output(trace: &Trace, line: &str) -> String {
    let typed = trace.commands.iter().rfind(|command| &*command.text == line);
    typed.unwrap_or_else(|| panic!("{line} was not typed")).stdout.to_string()
}

// ── what is tracked ──

/// The address could not be set if that interface were down.
#[test]
fn the_interface_of_a_virtual_address_is_tracked_unless_it_says_no_track() {
    const ON_ETH1: &str = "virtual_ipaddress {\n 10.0.0.100/24\n 10.0.1.100/24 dev eth1\n}";
    const UNTRACKED: &str = "virtual_ipaddress {\n 10.0.0.100/24\n 10.0.1.100/24 dev eth1 no_track\n}";
    let script = format!("{BOTH}(at: \"10s\", unplug: \"n1:eth1\"), (at: \"20s\", plug: \"n1:eth1\"),");
    let sim = Lab { instance: [ON_ETH1, ON_ETH1], script: &script, ..Lab::default() }.run();
    assert_eq!(when(sim.trace(), "n1", "(VI_1) Entering FAULT STATE"), [10_000]);
    assert_eq!(when(sim.trace(), "n1", "(VI_1) Entering BACKUP STATE"), [20_000]);
    let sim = Lab { instance: [UNTRACKED, UNTRACKED], script: &script, ..Lab::default() }.run();
    has_not(&said(sim.trace(), "n1"), "FAULT");
}

#[test]
fn an_owner_is_a_backup_first_when_its_cable_comes_back_but_master_at_once_when_it_only_waited_for_a_script() {
    let script = format!("{BOTH}(at: \"10s\", unplug: \"n1:eth0\"), (at: \"20s\", plug: \"n1:eth0\"),");
    let lab = Lab { priorities: [255, 90], script: &script, ..Lab::default() };
    const OWNER: &str = "state MASTER";
    let sim = Lab { instance: [OWNER, ""], ..lab }.run();
    assert_eq!(when(sim.trace(), "n1", "(VI_1) Entering BACKUP STATE"), [20_000]);
    assert_eq!(when(sim.trace(), "n1", "(VI_1) Entering MASTER STATE"), [1_000, 23_003]);

    const CHECK: &str = "vrrp_script chk {\n script /bin/true\n interval 1\n}";
    const TRACKED: &str = "state MASTER\n track_script {\n chk\n}";
    let sim = Lab { top: [CHECK, ""], instance: [TRACKED, ""], priorities: [255, 90], ..Lab::default() }.run();
    let lines = said(sim.trace(), "n1");
    has(&lines, "(VI_1) Entering MASTER STATE");
    has_not(&lines, "BACKUP");
    has_not(&lines, "Receive advertisement timeout");
}

/// 2.2.7 writes `skipping run` and starts the script all the same.
#[test]
fn a_script_that_hangs_is_started_again_and_counts_once_an_interval() {
    const CHECK: &str = "vrrp_script chk {\n script \"/bin/sleep 100\"\n interval 2\n fall 3\n weight -20\n}";
    let sim = Lab { top: [CHECK, ""], instance: ["track_script {\n chk\n}", ""], ..Lab::default() }.run();
    let trace = sim.trace();
    let skipped = when(trace, "n1", "Track script chk is already running, expect idle - skipping run");
    assert_eq!(skipped, [3_000], "{:#?}", said(trace, "n1"));
    // The first failure counts alone.
    assert_eq!(when(trace, "n1", "VRRP_Script(chk) timed_out"), [3_000]);
    assert_eq!(when(trace, "n1", "(VI_1) Changing effective priority from 100 to 80"), [3_000]);
}

#[test]
fn a_tracked_file_speaks_in_keepalived_s_words() {
    const FILE: &str = "track_file load {\n file /tmp/load\n init_file 0\n}";
    let script = format!(
        "{BOTH}(at: \"10s\", on: \"n1\", run: \"echo -20 > /tmp/load\"), (at: \"15s\", on: \"n1\", run: \"echo -300 > \
         /tmp/load\"), (at: \"20s\", on: \"n1\", run: \"echo 0x5 > /tmp/load\"),"
    );
    const TRACKED: &str = "track_file {\n load\n}";
    let sim = Lab { top: [FILE, ""], instance: [TRACKED, ""], script: &script, ..Lab::default() }.run();
    let lines = said(sim.trace(), "n1");
    has(&lines, "(VI_1) Changing effective priority from 100 to 80");
    has(&lines, "(VI_1): tracked file load now FAULT state");
    has(&lines, "(VI_1): tracked file load leaving FAULT state");
    has(&lines, "(VI_1) Setting effective priority to 105");
}

#[test]
fn a_tracked_process_has_a_quorum() {
    const PROCESS: &str = "vrrp_track_process proxy {\n process sleep\n}";
    let script = format!(
        "(at: \"0.5s\", on: \"n1\", run: \"sleep 12 &\"),{BOTH}(at: \"20s\", on: \"n1\", run: \"sleep 100 &\"),"
    );
    const TRACKED: &str = "track_process {\n proxy weight 0\n}";
    let sim = Lab { top: [PROCESS, ""], instance: [TRACKED, ""], script: &script, ..Lab::default() }.run();
    let lines = said(sim.trace(), "n1");
    has(&lines, "Quorum lost for tracked process proxy");
    has(&lines, "Quorum gained for tracked process proxy");
    has(&lines, "(VI_1) Entering FAULT STATE");
}

/// After an advert that it discards, keepalived knows only how long is left to wait, and a change of priority adds the
/// difference of a whole wait to that.
#[test]
fn a_change_of_priority_after_a_discarded_advert_begins_the_wait_anew() {
    const CHECK: &str = "vrrp_script chk {\n script \"/bin/test ! -e /tmp/more\"\n interval 1\n weight 10\n}";
    const SCRIPT: &str = r#"(at: "0.9s", on: "n1", run: "touch /tmp/more"), (at: "1s", on: "n2", run: "keepalived -D"),
        (at: "10.5s", on: "n1", run: "keepalived -D"), (at: "12.8s", on: "n1", run: "rm /tmp/more"),"#;
    let sim =
        Lab { top: [CHECK, ""], instance: ["track_script {\n chk\n}", ""], script: SCRIPT, ..Lab::default() }.run();
    let trace = sim.trace();
    assert_eq!(when(trace, "n1", "(VI_1) Changing effective priority from 100 to 110"), [13_500]);
    // Heard and discarded last at 12.650: of 14.109, 1.459 s were left. 3.570 s instead of those: 16.220.
    assert_eq!(when(trace, "n1", "(VI_1) Entering MASTER STATE"), [16_220], "{:#?}", said(trace, "n1"));
}

// ── adverts ──

#[test]
fn skip_check_adv_addr_also_skips_the_count_once_the_master_is_known() {
    const TWO: &str = "virtual_ipaddress {\n 10.0.0.100/24\n 10.0.0.101/24\n}";
    let one = Lab::default().conf(0, 100, "");
    let script = format!("{BOTH}{}", reload("10s", &one));
    let lab = Lab {
        instance: [TWO, "skip_check_adv_addr\nvirtual_ipaddress {\n 10.0.0.100/24\n 10.0.0.101/24\n}"],
        ..Lab::default()
    };
    let sim = Lab { script: &script, ..lab }.run();
    has_not(&said(sim.trace(), "n2"), "unexpected ip number count");
    assert_eq!(when(sim.trace(), "n2", "(VI_1) Entering MASTER STATE"), [] as [u64; 0]);
    let sim = Lab { instance: [TWO, TWO], script: &script, ..Lab::default() }.run();
    has(&said(sim.trace(), "n2"), "(VI_1) received an unexpected ip number count 1, expected 2!");
}

#[test]
fn a_unicast_peer_with_another_ttl_is_told_so_and_an_unknown_one_too() {
    const N1: &str = "unicast_src_ip 10.0.0.11\nunicast_ttl 64\nunicast_peer {\n 10.0.0.12\n}";
    const N2: &str = "unicast_src_ip 10.0.0.12\nunicast_peer {\n 10.0.0.11 min_ttl 200 max_ttl 255\n}";
    const OTHER: &str = "unicast_src_ip 10.0.0.12\ncheck_unicast_src\nunicast_peer {\n 10.0.0.13\n}";
    let sim = Lab { instance: [N1, N2], ..Lab::default() }.run();
    has(&said(sim.trace(), "n2"), "(VI_1) TTL/HL 64 not in range 200 - 255");
    let sim = Lab { instance: [N1, OTHER], ..Lab::default() }.run();
    has(&said(sim.trace(), "n2"), "(VI_1) unicast source address 10.0.0.11 not a unicast peer");
}

#[test]
fn who_comes_back_from_fault_tells_its_unicast_peers_where_it_is() {
    const N1: &str = "unicast_src_ip 10.0.0.11\nunicast_peer {\n 10.0.0.12\n}";
    const N2: &str = "unicast_src_ip 10.0.0.12\nunicast_peer {\n 10.0.0.11\n}";
    let script = format!("{BOTH}(at: \"10s\", unplug: \"n1:eth0\"), (at: \"20s\", plug: \"n1:eth0\"),");
    let sim = Lab { instance: [N1, N2], script: &script, ..Lab::default() }.run();
    assert_eq!(when(sim.trace(), "n1", "VI_1: sending gratuitous ARP for 10.0.0.11"), [20_000]);
    assert_eq!(when(sim.trace(), "n1", "Sending gratuitous ARP on eth0 for 10.0.0.11"), [20_000]);
}

#[test]
fn an_unknown_router_is_named_with_the_interface_if_that_is_asked_for() {
    const LOGS: &str = "global_defs {\n log_unknown_vrids\n}";
    let sim = Lab { top: [LOGS, ""], instance: ["", "virtual_router_id 52"], ..Lab::default() }.run();
    has(&said(sim.trace(), "n1"), "Unknown VRID(52) received on interface(eth0). ignoring...");
}

// ── what a master holds ──

#[test]
fn excluded_addresses_routes_and_rules_have_lines_of_their_own() {
    const HELD: &str = "virtual_ipaddress_excluded {\n 10.0.0.150/24\n}\nvirtual_routes {\n 10.9.0.0/16 via 10.0.0.50\n}\n\
                        virtual_rules {\n from 10.0.0.100 table 100\n}";
    let script = format!("{BOTH}(at: \"10s\", on: \"n1\", run: \"killall keepalived\"),");
    let sim = Lab { instance: [HELD, ""], script: &script, ..Lab::default() }.run();
    let all = said(sim.trace(), "n1");
    let lines: Vec<&str> = all.iter().filter_map(|line| line.strip_prefix("(VI_1) ")).collect();
    let from = lines.iter().position(|line| *line == "setting VIPs.").expect("it becomes master");
    assert_eq!(
        lines[from..from + 4],
        ["setting VIPs.", "setting E-VIPs.", "setting Virtual Routes", "setting Virtual Rules"]
    );
    let from = lines.iter().position(|line| *line == "sent 0 priority").expect("it stops");
    assert_eq!(
        lines[from + 1..],
        ["removing Virtual Rules", "removing Virtual Routes", "removing VIPs.", "removing E-VIPs."]
    );
}

#[test]
fn the_sync_daemon_follows_its_instance() {
    const SYNC: &str = "global_defs {\n lvs_sync_daemon eth1 inst VI_1 id 7\n}";
    const LOOK: &str = "ipvsadm -L --daemon";
    let script = format!(
        "{BOTH}(at: \"3s\", on: \"n1\", run: \"{LOOK}\"), (at: \"8s\", on: \"n1\", run: \"{LOOK} \"), (at: \"10s\", \
         unplug: \"n1:eth0\"), (at: \"12s\", on: \"n1\", run: \" {LOOK}\"), (at: \"13s\", on: \"n1\", run: \"killall \
         keepalived\"), (at: \"15s\", on: \"n1\", run: \" {LOOK} \"),"
    );
    let sim = Lab { top: [SYNC, ""], script: &script, ..Lab::default() }.run();
    let trace = sim.trace();
    let shown: Vec<String> = trace
        .commands
        .iter()
        .filter(|command| command.text.trim() == LOOK)
        .map(|command| command.stdout.split(", maxlen").next().unwrap_or_default().to_owned())
        .collect();
    let daemon = |role: &str| format!("{role} sync daemon (mcast=eth1, syncid=7");
    assert_eq!(shown, [daemon("backup"), daemon("master"), daemon("backup"), String::new()]);
}

#[test]
fn sigusr2_writes_what_was_counted() {
    let script = format!(
        "{BOTH}(at: \"10.2s\", on: \"n2\", run: \"kill -USR2 $(cat /run/keepalived.pid)\"), (at: \"11s\", on: \"n2\", run: \"cat \
         /tmp/keepalived.stats\"),"
    );
    const PASS: &str = "authentication {\n auth_type PASS\n auth_pass one\n}";
    const OTHER: &str = "authentication {\n auth_type PASS\n auth_pass two\n}";
    let sim = Lab { script: &script, instance: [PASS, OTHER], ..Lab::default() }.run();
    let shown = output(sim.trace(), "cat /tmp/keepalived.stats");
    let count = |name: &str| -> u64 {
        let line = shown.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{name}: {shown}")).parse().expect("it is a number")
    };
    assert!(shown.starts_with("VRRP Instance: VI_1\n  Advertisements:\n    Received: 0\n"), "{shown}");
    assert_eq!((count("Became master"), count("Released master"), count("Type Mismatch")), (1, 0, 0));
    assert!(count("Failure") >= 1, "{shown}");
}

/// The macvlan of a keepalived that was killed is found again, and its address taken away.
#[test]
fn a_vmac_that_was_left_behind_is_found_again_and_goes_down_with_its_parent() {
    let script = format!(
        "{BOTH}(at: \"8s\", on: \"n1\", run: \"killall -9 keepalived\"), (at: \"15s\", on: \"n1\", run: \"keepalived -D\"), \
         (at: \"25s\", unplug: \"n1:eth0\"), (at: \"30s\", plug: \"n1:eth0\"),"
    );
    let sim = Lab { script: &script, instance: ["use_vmac", "use_vmac"], ..Lab::default() }.run();
    let trace = sim.trace();
    let lines = said_from(trace, "n1", 15);
    has(&lines, "(VI_1) Found matching interface vrrp.51");
    has(&lines, "(VI_1) removing VIPs.");
    for (name, at) in [("down", 25_000), ("up", 30_000)] {
        assert_eq!(when(trace, "n1", &format!("Netlink reports eth0 {name}")), [at]);
        assert_eq!(when(trace, "n1", &format!("Netlink reports vrrp.51 {name}")), [at]);
    }
    assert_eq!(when(trace, "n1", "(VI_1) Entering FAULT STATE"), [25_000]);
    assert_eq!(when(trace, "n1", "(VI_1) Entering BACKUP STATE"), [30_000]);
}

/// All of one instance, then its group.
#[test]
fn a_group_follows_when_the_first_has_given_its_addresses_up() {
    const GROUP: &str = "vrrp_sync_group VG {\n group {\n VI_1\n VI_2\n }\n}\nvrrp_instance VI_2 {\n state BACKUP\n interface \
                         eth1\n virtual_router_id 52\n priority 90\n virtual_ipaddress {\n 10.0.1.100/24\n}\n}";
    let first = GROUP.replace("priority 90", "priority 100");
    let script = "(at: \"1s\", on: \"n2\", run: \"keepalived -D\"), (at: \"8s\", on: \"n1\", run: \"keepalived -D\"),";
    let sim = Lab { top: [&first, GROUP], script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n2", 8);
    let place =
        |text: &str| lines.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
    let group = place("VRRP_Group(VG) Syncing instances to BACKUP state");
    let before = |name: &str| place(&format!("({name}) removing VIPs.")) < group;
    assert!(before("VI_1") != before("VI_2"), "{lines:#?}");
}

// ── a reload ──

#[test]
fn a_reload_announces_new_addresses_once_and_names_those_that_are_gone() {
    let other = Lab::default().conf(0, 100, "virtual_ipaddress {\n 10.0.0.101/24\n}");
    let script = format!("{BOTH}{} (at: \"15s\", on: \"n1\", run: \"ip -br addr show eth0\"),", reload("10s", &other));
    let sim = Lab { script: &script, ..Lab::default() }.run();
    let trace = sim.trace();
    let lines = said_from(trace, "n1", 10);
    has(&lines, "(VI_1) ip address 10.0.0.100/24 dev eth0, no longer exist");
    has(&lines, "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.101");
    assert_eq!(when(trace, "n1", "Sending gratuitous ARP on eth0 for 10.0.0.101").len(), 5, "no second batch");
    let shown = output(trace, "ip -br addr show eth0");
    assert!(shown.contains("10.0.0.101/24") && !shown.contains("10.0.0.100/24"), "{shown}");
}

/// A thread that was to announce is gone with the old configuration.
#[test]
fn a_reload_forgets_delayed_announcements_and_fewer_instances_do_no_harm() {
    const MORE: &str = "global_defs {\n vrrp_garp_interval 0.5\n}\nvrrp_instance VI_2 {\n interface eth0\n \
                        virtual_router_id 52\n priority 100\n virtual_ipaddress {\n 10.0.0.200/24\n 10.0.0.201/24\n}\n}";
    let fewer = Lab::default().conf(0, 100, "");
    let script = format!("{BOTH}{}", reload("5s", &fewer));
    let sim = Lab { top: [MORE, ""], script: &script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n1", 5);
    has(&lines, "(VI_2) sent 0 priority");
    has_not(&lines, "gratuitous");
}

#[test]
fn a_script_is_as_good_after_a_reload_as_before() {
    const CHECK: &str = "vrrp_script chk {\n script /bin/false\n interval 1\n weight -20\n}";
    let again = Lab { top: [CHECK, ""], ..Lab::default() }.conf(0, 100, "track_script {\n chk\n}");
    let script = format!("{BOTH}{}", reload("10s", &again));
    let sim =
        Lab { top: [CHECK, ""], instance: ["track_script {\n chk\n}", ""], script: &script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n1", 10);
    has(&lines, "VRRP_Script(chk) considered unsuccessful on reload");
    has_not(&lines, "VRRP_Script(chk) failed");
}

/// Nobody is told by an advert of priority 0: the backup waits for its whole time.
#[test]
fn a_master_whose_new_file_tracks_what_is_down_gives_up_silently() {
    let tracks = Lab::default().conf(0, 100, "track_interface {\n eth1\n}");
    let script = format!("{BOTH}(at: \"8s\", unplug: \"n1:eth1\"),{}", reload("10s", &tracks));
    let sim = Lab { script: &script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n1", 10);
    has(&lines, "(VI_1): entering FAULT state (interface eth1 down)");
    has(&lines, "(VI_1) entering FAULT state");
    has(&lines, "(VI_1) removing VIPs.");
    has_not(&lines, "sent 0 priority");
    has_not(&lines, "Entering FAULT STATE");
    assert_eq!(when(sim.trace(), "n2", "(VI_1) Entering MASTER STATE"), [13_648]);
}

#[test]
fn an_instance_under_another_name_is_the_same_router() {
    let renamed = Lab::default().conf(0, 100, "").replace("VI_1", "WEB");
    let script = format!("{BOTH}{}", reload("10s", &renamed));
    let sim = Lab { script: &script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n1", 10);
    has_not(&lines, "sent 0 priority");
    has(&lines, "(WEB) setting VIPs.");
    has_not(&lines, "Entering");
}

#[test]
fn who_was_in_fault_begins_anew_with_a_file_that_tracks_nothing() {
    let free = Lab::default().conf(0, 100, "");
    let script = format!("(at: \"0.5s\", unplug: \"n1:eth1\"),{BOTH}{}", reload("10s", &free));
    let sim = Lab { instance: ["track_interface {\n eth1\n}", ""], script: &script, ..Lab::default() }.run();
    let lines = said_from(sim.trace(), "n1", 10);
    has(&lines, "(VI_1) Entering BACKUP STATE (init)");
    assert_eq!(when(sim.trace(), "n1", "(VI_1) Entering MASTER STATE"), [13_609]);
}

// ── the beginning ──

/// The owner's own address is a virtual one, so nothing is left to send from.
#[test]
fn an_interface_with_virtual_addresses_only_has_none_of_its_own() {
    const OWN: &str = "virtual_ipaddress {\n 10.0.0.11/24\n}";
    let sim = Lab { instance: [OWN, OWN], priorities: [255, 100], ..Lab::default() }.run();
    let lines = said(sim.trace(), "n1");
    let place = |text: &str| lines.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
    let assigned = place("Assigned address 10.0.0.11 for interface eth0");
    let fault = place("(VI_1) entering FAULT state (no IPv4 address for interface)");
    let registering = place("Registering gratuitous ARP shared channel");
    assert!(assigned < fault && fault < registering && registering < place("(VI_1) removing VIPs."));
}

#[test]
fn without_d_only_what_matters_is_said() {
    let script = BOTH.replace("keepalived -D", "keepalived");
    let script = format!("{script}(at: \"10s\", on: \"n1\", run: \"killall keepalived\"),");
    let sim = Lab { script: &script, ..Lab::default() }.run();
    let lines = said(sim.trace(), "n2");
    assert_eq!(lines, ["(VI_1) Entering BACKUP STATE (init)", "(VI_1) Entering MASTER STATE"]);
}
