//! Facts about the language, read off keepalived.

use super::keywords::{BLOCKS, KEYWORDS, Status, of};
use super::*;
use crate::base::time::Duration;
use crate::keepalived::config::instance::{Authentication, Preemption, Version, Wanted};
use crate::keepalived::config::service::{GroupEntry, Protocol, ServiceName};
use crate::keepalived::config::{CheckerKind, ErrorClass, Reader, RemarkKind, test_status};
use crate::trace::record::Method;
use std::collections::BTreeMap;

/// A host of a few files.
#[derive(Default)]
struct Disk {
    files: BTreeMap<&'static str, &'static str>,
}

impl Surroundings for Disk {
    fn file(&self, path: &str) -> Option<IncludedFile> {
        self.files.get(path).map(|text| IncludedFile { text: (*text).to_owned(), executable: path.ends_with(".sh") })
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let below = self.files.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
        below.filter_map(|rest| rest.split('/').next()).map(str::to_owned).collect()
    }

    fn exists(&self, path: &str) -> bool {
        self.files
            .keys()
            .any(|file| file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    fn script(&self, program: &str) -> Program {
        match self.files.contains_key(program) {
            true if program.ends_with(".sh") => Program::Runnable,
            true => Program::NotExecutable,
            false => Program::Missing,
        }
    }

    fn has_interface(&self, name: &str) -> bool {
        matches!(name, "lo" | "eth0" | "eth1")
    }
}

const NAME: &str = "/etc/keepalived/keepalived.conf";

fn read_on(text: &str, around: &dyn Surroundings) -> (Config, Vec<Remark>) {
    read(&Input { name: NAME, text, id: "lb1", test: false, around })
}

fn config(text: &str) -> Config {
    let (config, remarks) = read_on(text, &Nowhere);
    let said: Vec<&str> = remarks.iter().filter(|remark| remark.is_keepalived()).map(|remark| &*remark.text).collect();
    assert_eq!(said, [""; 0], "{text}");
    config
}

/// What keepalived's children say.
fn said(text: &str) -> Vec<String> {
    let (_, remarks) = read_on(text, &Nowhere);
    remarks.iter().filter(|remark| remark.is_keepalived()).map(|remark| remark.log_line(Reader::Vrrp)).collect()
}

/// A file with one good instance that has these lines too.
fn instance(lines: &str) -> String {
    format!(
        "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 10.0.0.100/24\n }}\n{lines}\n}}\n"
    )
}

/// A file with one good virtual server that has these lines too.
fn service(lines: &str, server: &str) -> String {
    format!(
        "virtual_server 10.0.0.100 80 {{\n lb_algo rr\n lb_kind DR\n protocol TCP\n{lines}\n real_server 10.0.1.1 80 {{\n{server}\n}}\n}}\n"
    )
}

#[test]
fn defaults_are_those_of_2_2_7() {
    let it = &config(&instance("")).instances[0];
    assert_eq!((it.priority, it.wanted, it.version), (100, Wanted::Backup, Version::V2));
    assert_eq!((it.advert_interval, it.down_timer_adverts), (Duration::from_secs(1), 3));
    assert_eq!((it.garp.delay, it.garp.repeat), (Duration::from_secs(5), 5));
    assert_eq!((it.garp.lower_prio_delay, it.garp.lower_prio_repeat), (Duration::from_secs(5), 5));
    assert!(it.accept && it.tracks_own_interface && !it.strict);
    assert_eq!((it.addresses[0].prefix_len, it.addresses[0].interface.as_str()), (24, "eth0"));
}

#[test]
fn state_master_without_a_priority_is_the_address_owner() {
    assert_eq!(config(&instance("state MASTER")).instances[0].priority, 255);
    assert_eq!(config(&instance("state MASTER\npriority 150")).instances[0].priority, 150);
    assert_eq!(config(&instance("priority 255")).instances[0].wanted, Wanted::Master);
}

#[test]
fn braces_may_stand_anywhere() {
    let spread =
        "vrrp_instance\tVI_1\n{\ninterface eth0\nvirtual_router_id 51 priority\nvirtual_ipaddress\n{ 10.0.0.1 }\n}";
    let tight = "vrrp_instance VI_1 { interface eth0\nvirtual_router_id 51\nvirtual_ipaddress { 10.0.0.1\n10.0.0.2 } }";
    assert_eq!(config(spread).instances[0].addresses.len(), 1);
    assert_eq!(config(tight).instances[0].addresses.len(), 2);
}

#[test]
fn comments_begin_with_a_mark_or_a_hash() {
    let it = &config(&instance(
        "priority 90 ! lower\n# priority 20\n!priority 10\nauthentication {\nauth_type PASS\nauth_pass \"a#b!\"\n}",
    ))
    .instances[0];
    assert_eq!(it.priority, 90);
    assert_eq!(it.authentication, Some(Authentication::Pass(*b"a#b!\0\0\0\0")));
}

#[test]
fn an_unknown_word_is_said_with_its_place_and_a_hint() {
    let text = instance("prioriti 90\nlb_algo rr");
    let (config, remarks) = read_on(&text, &Nowhere);
    assert_eq!(config.instances.len(), 1);
    let lines: Vec<String> = remarks.iter().map(|remark| remark.log_line(Reader::Vrrp)).collect();
    assert_eq!(
        lines,
        [format!("({NAME}: Line 7) Unknown keyword 'prioriti'"), format!("({NAME}: Line 8) Unknown keyword 'lb_algo'")]
    );
    assert_eq!(remarks[0].hint, "did you mean `priority`?");
    assert_eq!(remarks[1].hint, "`lb_algo` stands in virtual_server");
    assert_eq!((remarks[0].place.line, remarks[0].place.column, remarks[0].place.length), (7, 1, 8));
    assert_eq!(remarks[0].reader, Reader::Vrrp);
    assert_eq!(remarks[0].log_line(Reader::Parent), "(Line 7) Unknown keyword 'prioriti'");
    assert_eq!(test_status(&remarks), 5);
}

#[test]
fn the_contents_of_an_unknown_block_are_read_as_those_of_the_block_around_it() {
    // The `}` of the unknown block ends the instance: keepalived does not know that it was a block.
    let text = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nwhatever {\npriority 70\n}\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n";
    let lines = said(text);
    assert_eq!(lines[0], format!("({NAME}: Line 4) Unknown keyword 'whatever'"));
    assert_eq!(lines[1], format!("({NAME}: Line 4) Unexpected '{{' - ignoring"));
    assert_eq!(lines[2], format!("({NAME}: Line 7) Unknown keyword 'virtual_ipaddress'"));
    assert!(lines.contains(&"(VI_1) No VIP specified; at least one is sensible".to_owned()));
}

#[test]
fn a_missing_parameter_ends_keepalived() {
    let (_, remarks) = read_on(&instance("priority"), &Nowhere);
    let last = remarks.last().expect("something is said");
    assert_eq!(last.kind, RemarkKind::Fatal(ErrorClass::Parameter));
    assert_eq!(
        last.text,
        "*** Configuration line starting `priority` is missing a parameter after keyword `priority` at word position 2"
    );
}

#[test]
fn braces_are_counted() {
    assert_eq!(
        said("vrrp_script a {\nscript \"/bin/true\"\n").last().map(String::as_str),
        Some("Warning - script a is not used")
    );
    assert!(said("global_defs {\n").contains(&"There are 1 missing '}'s or extra '{'s".to_owned()));
    assert!(said("}\n").contains(&format!("({NAME}: Line 1) Extra '}}' found")));
}

#[test]
fn files_are_included_with_wildcards_and_relative_to_the_one_that_includes() {
    let disk = Disk {
        files: BTreeMap::from([
            ("/etc/keepalived/conf.d/a.conf", "include ../global"),
            (
                "/etc/keepalived/conf.d/b.conf",
                "vrrp_instance B {\ninterface eth1\nwrong\nvirtual_router_id 2\nvirtual_ipaddress {\n10.0.0.2\n}\n}",
            ),
            ("/etc/keepalived/conf.d/c.txt", "garbage"),
            ("/etc/keepalived/global", "global_defs {\nrouter_id X\n}"),
        ]),
    };
    let (config, remarks) = read_on("include conf.d/*.conf\n", &disk);
    assert_eq!((config.global.router_id.as_str(), config.instances.len()), ("X", 1));
    let lines: Vec<String> = remarks.iter().map(|remark| remark.log_line(Reader::Parent)).collect();
    assert_eq!(lines, ["(/etc/keepalived/conf.d/b.conf: Line 3) Unknown keyword 'wrong'"]);
    let (_, remarks) = read_on("include nothing/*.conf\nincludew none-*\ninclude x\nincluder conf.d/c.sh", &disk);
    let lines: Vec<&str> = remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert!(lines.contains(&"No config files matched 'none-*'."), "{lines:?}");
    assert!(lines.contains(&"Config files missing 'x'."), "{lines:?}");
    assert_eq!(test_status(&remarks), 4);
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let disk = Disk { files: BTreeMap::from([("/etc/keepalived/keepalived.conf", "include keepalived.conf")]) };
    let (_, remarks) = read_on("include keepalived.conf", &disk);
    assert!(remarks.iter().any(|remark| remark.kind == RemarkKind::Refused));
}

#[test]
fn a_line_may_be_meant_for_one_configuration_id() {
    let it = &config(&instance("@lb1 priority 150\n@^lb1 priority 100\n@lb2 priority 50")).instances[0];
    assert_eq!(it.priority, 150);
}

#[test]
fn definitions_hold_from_where_they_stand() {
    let text = "$VIP=10.0.0.100\n$PRIO=150\nvrrp_instance ${_INSTANCE}_1 {\ninterface eth0\nvirtual_router_id 51\npriority $PRIO\nvirtual_ipaddress {\n${VIP}/24 dev eth0\n}\n}";
    let it = &config(text).instances[0];
    assert_eq!((it.name.as_str(), it.priority, it.addresses[0].prefix_len), ("lb1_1", 150, 24));
}

#[test]
fn a_definition_may_have_several_lines() {
    let text = "$CHECK=TCP_CHECK {\\\nconnect_timeout 2\\\n}\nvirtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.1.1 80 {\n$CHECK\n}\nreal_server 10.0.1.2 80 {\n$CHECK\n}\n}";
    let service = &config(text).virtual_servers[0];
    assert_eq!(service.servers.len(), 2);
    for server in &service.servers {
        assert_eq!(server.checkers[0].connect.timeout, Duration::from_secs(2));
    }
}

#[test]
fn a_sequence_repeats_a_line_also_one_of_several_lines() {
    let it = &config(&instance("virtual_ipaddress_excluded {\n~SEQ(N, 1, 3) 10.1.0.${N}/32\n}")).instances[0];
    assert_eq!(it.excluded_addresses.len(), 3);
    let text = "$RS=real_server 10.0.1.${N} 80 {\\\nweight ${N}\\\n}\nvirtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n~SEQ(N, 1, 3) $RS\n~LST(N, 7, 9) $RS\n}";
    let weights: Vec<u32> = config(text).virtual_servers[0].servers.iter().map(|server| server.weight).collect();
    assert_eq!(weights, [1, 2, 3, 7, 9]);
}

#[test]
fn an_endless_sequence_ends() {
    let (_, remarks) = read_on("~SEQ(N, 1, 99999999999) vrrp_script s$N {\n", &Nowhere);
    assert!(remarks.iter().any(|remark| remark.kind == RemarkKind::Refused), "bounded");
}

#[test]
fn what_does_not_go_together_is_cleared() {
    let check =
        |lines: &str, line: &str| assert!(said(&instance(lines)).contains(&format!("(VI_1) {line}")), "{lines}");
    check(
        "state MASTER\npriority 100\nnopreempt",
        "Warning - nopreempt will not work with initial state MASTER - clearing",
    );
    check(
        "version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}",
        "VRRP version 3 does not support authentication. Ignoring.",
    );
    check(
        "strict_mode\nauthentication {\nauth_type PASS\nauth_pass x\n}",
        "Strict mode does not support authentication. Ignoring.",
    );
    check("nopreempt\npreempt_delay 5", "preempt_delay is incompatible with nopreempt mode - resetting");
    check("advert_int 1.5", "VRRPv2 advertisement interval 1.500000s must be an integer. rounding");
    let (config, _) = read_on(&instance("state MASTER\npriority 100\nnopreempt\nadvert_int 0.5"), &Nowhere);
    assert_eq!(config.instances[0].preemption, Preemption::Always);
    assert_eq!(config.instances[0].advert_interval, Duration::from_secs(1));
    let (config, _) = read_on(&instance("version 3\nadvert_int 0.25\npreempt_delay 2.5"), &Nowhere);
    assert_eq!(config.instances[0].advert_interval, Duration::from_millis(250));
    assert_eq!(config.instances[0].preemption, Preemption::After(Duration::from_millis(2500)));
}

#[test]
fn a_long_password_is_cut_and_said() {
    let text = instance("authentication {\nauth_type PASS\nauth_pass 12345678abc\n}");
    assert_eq!(said(&text), [format!("({NAME}: Line 9) Truncating auth_pass to 8 characters")]);
}

#[test]
fn an_interface_that_is_not_there_stops_vrrp() {
    let text = instance("").replace("eth0", "ens9");
    let (config, remarks) = read_on(&text, &Disk::default());
    let lines: Vec<&str> = remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        lines,
        [
            "WARNING - interface ens9 for vrrp_instance VI_1 doesn't exist",
            "Non-existent interface specified in configuration"
        ]
    );
    assert_eq!((config.instances.len(), test_status(&remarks)), (0, 5));
    assert!(config.has_vrrp());
}

#[test]
fn two_instances_of_one_id_on_one_interface_stop_vrrp() {
    let text = format!("{}{}", instance(""), instance("").replace("VI_1", "VI_2"));
    let lines = said(&text);
    assert_eq!(lines, ["VI_1 and VI_2 both use VRID 51 with IPv4 on interface eth0"]);
    config(&format!("{}{}", instance(""), instance("").replace("VI_1", "VI_2").replace("eth0", "eth1")));
}

#[test]
fn tracked_things_must_stand_before_the_instance() {
    let script = "vrrp_script chk {\nscript \"killall -0 nginx\"\ninterval 2\nweight -20\nfall 2\nrise 3\n}\n";
    let text = format!("{script}{}", instance("track_script {\nchk\n}\ntrack_interface {\neth1 weight -10\n}"));
    let found = config(&text);
    assert_eq!(found.scripts[0].command.argv, ["killall", "-0", "nginx"]);
    assert_eq!((found.scripts[0].timeout, found.scripts[0].rise), (Duration::from_secs(2), 3));
    assert_eq!(found.instances[0].tracks.scripts[0].weight.value, -20);
    assert_eq!(found.instances[0].tracks.interfaces[0].weight.value, -10);
    let lines = said(&format!("{}{script}", instance("track_script {\nchk\n}")));
    assert_eq!(lines[0], format!("({NAME}: Line 8) (VI_1) track script chk not found, ignoring..."));
    assert_eq!(lines[1], "Warning - script chk is not used");
}

#[test]
fn a_script_that_cannot_run_is_taken_out() {
    let disk = Disk { files: BTreeMap::from([("/etc/m.sh", ""), ("/etc/b", "")]) };
    let text = instance("notify_master /etc/m.sh\nnotify_backup /etc/b\nnotify_fault /etc/none.sh");
    let (config, remarks) = read_on(&text, &disk);
    let notify = &config.instances[0].notify;
    assert!(notify.master.is_some() && notify.backup.is_none() && notify.fault.is_none());
    let lines: Vec<&str> = remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        lines,
        [
            "WARNING - script '/etc/b' is not executable for uid:gid 0:0 - disabling.",
            "Script /etc/none.sh cannot be accessed - No such file or directory",
            "SECURITY VIOLATION - scripts are being executed but script_security not enabled.",
        ]
    );
    assert_eq!(test_status(&remarks), 6);
    let secure = |user: &str| {
        let text =
            format!("global_defs {{\nenable_script_security\n{user}\n}}\n{}", instance("notify_master /etc/m.sh"));
        let (config, remarks) = read_on(&text, &disk);
        (config.instances[0].notify.master.is_some(), test_status(&remarks))
    };
    assert_eq!(secure("script_user root"), (true, 0));
    // Nobody has made a user keepalived_script.
    assert_eq!(secure(""), (false, 5));
}

#[test]
fn what_stands_behind_a_script_is_a_user() {
    let lines = said(&instance("notify_master /etc/m.sh master\nnotify_backup \"/etc/m.sh backup\" root"));
    assert_eq!(
        lines,
        ["Script user 'master' does not exist", "Invalid user/group for notify script /etc/m.sh - ignoring"]
    );
}

#[test]
fn numbers_with_something_behind_them_are_warnings_until_they_are_tested() {
    let text = instance("advert_int 2s\ngarp_master_delay 7x");
    let (config, remarks) = read_on(&text, &Nowhere);
    assert_eq!(config.instances[0].garp.delay, Duration::from_secs(7));
    assert_eq!(remarks[2].text, "WARNING - invalid number '7x'");
    let (config, remarks) = read(&Input { name: NAME, text: &text, id: "", test: true, around: &Nowhere });
    assert_eq!(config.instances[0].garp.delay, Duration::from_secs(5));
    let lines: Vec<&str> = remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert!(lines.contains(&"(VI_1): garp_master_delay '7x' invalid - ignoring"), "{lines:?}");
}

#[test]
fn groups_keep_the_members_that_exist() {
    let two = format!("{}{}", instance(""), instance("").replace("VI_1", "VI_2").replace("eth0", "eth1"));
    let found = config(&format!("vrrp_sync_group G {{\ngroup {{\nVI_1\nVI_2\n}}\n}}\n{two}"));
    assert_eq!(found.sync_groups[0].members, ["VI_1", "VI_2"]);
    let lines = said(&format!("vrrp_sync_group G {{\ngroup {{\nVI_1\nVI_9\n}}\n}}\n{}", instance("")));
    assert_eq!(
        lines,
        [
            "Virtual router VI_9 specified in sync group G doesn't exist - ignoring",
            "Sync group G has only 1 virtual router(s) - this probably isn't what you want",
        ]
    );
}

#[test]
fn a_service_has_its_servers_and_their_checkers() {
    let text = service(
        "delay_loop 6\npersistence_timeout 50",
        "weight 3\nHTTP_GET {\nurl {\npath /\nstatus_code 200 301-302\n}\nconnect_timeout 3\nretry 3\ndelay_before_retry 2\n}",
    );
    let service = &config(&text).virtual_servers[0];
    assert_eq!((service.protocol, service.scheduler.as_str()), (Protocol::Tcp, "rr"));
    assert_eq!(service.persistence, Some(Duration::from_secs(50)));
    let server = &service.servers[0];
    assert_eq!((server.weight, server.forwarding.method), (3, Method::Dr));
    let checker = &server.checkers[0];
    assert_eq!(
        (checker.retry, checker.delay_loop, checker.warmup),
        (3, Duration::from_secs(6), Duration::from_secs(6))
    );
    let CheckerKind::Http(http) = &checker.kind else { panic!("an HTTP check") };
    assert_eq!(http.urls[0].status, [(200, 200), (301, 302)]);
}

#[test]
fn defaults_of_checkers_differ_by_their_kind() {
    let check = |server: &str, retry, delay| {
        let found = config(&service("delay_loop 7", server));
        let checker = &found.virtual_servers[0].servers[0].checkers[0];
        assert_eq!((checker.retry, checker.delay_before_retry), (retry, Duration::from_secs(delay)), "{server}");
    };
    check("TCP_CHECK {\n}", 1, 1);
    check("HTTP_GET {\nurl {\npath /\n}\n}", 1, 3);
    check("MISC_CHECK {\nmisc_path \"/bin/true\"\n}", 0, 1);
    check("PING_CHECK {\n}", 1, 1);
}

#[test]
fn services_are_corrected_and_said() {
    let lines =
        said("virtual_server 10.0.0.1 80 {\nreal_server 10.0.1.1 8080 {\n}\n real_server 10.0.1.1 8080 {\n}\n}");
    assert_eq!(
        lines,
        [
            "Virtual server [10.0.0.1]:none:80: no protocol set - defaulting to UDP",
            "Virtual server [10.0.0.1]:udp:80: no scheduler set, setting default 'wlc'",
            "VS [10.0.0.1]:udp:80: real server [10.0.1.1]:udp:8080 is duplicated - removing second rs",
            "Virtual server [10.0.0.1]:udp:80: no forwarding method set, setting default NAT",
        ]
    );
    let lines = said(
        &service("quorum 5\nhysteresis 9", "weight 2").replace("real_server 10.0.1.1 80", "real_server 10.0.1.1 81"),
    );
    assert_eq!(
        lines,
        [
            "Warning - quorum 5 for [10.0.0.100]:tcp:80 exceeds total weight of real servers 2, reducing quorum to 2",
            "Virtual server [10.0.0.100]:tcp:80: hysteresis 9 >= quorum 2; setting hysteresis to 1",
            "WARNING - virtual server [10.0.0.100]:tcp:80 and real server [10.0.1.1]:tcp:81 ports don't match - resetting",
        ]
    );
    assert_eq!(said("virtual_server fwmark 1 {\n}"), ["Virtual server FWM 1 has no real servers - ignoring"]);
}

#[test]
fn a_group_of_services_has_ranges_and_marks() {
    let text = "virtual_server_group G {\n10.0.0.1 80\n10.0.0.10-12 443\n10.1.0.0/30 80\nfwmark 7\n}\nvirtual_server group G {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.1.1 80 {\n}\n}";
    let found = config(text);
    let ranges: Vec<String> = found.virtual_server_groups[0]
        .entries
        .iter()
        .map(|entry| match entry {
            GroupEntry::Range(first, last, port) => format!("{first}-{last}:{port}"),
            GroupEntry::Mark(mark) => format!("mark {mark}"),
        })
        .collect();
    assert_eq!(ranges, ["10.0.0.1-10.0.0.1:80", "10.0.0.10-10.0.0.12:443", "10.1.0.0-10.1.0.3:80", "mark 7"]);
    assert_eq!(found.virtual_servers[0].name, ServiceName::Group("G".to_owned()));
}

#[test]
fn every_keyword_stands_in_a_block_that_is_listed_and_once() {
    for (block, name) in BLOCKS {
        let mut words: Vec<&str> = of(*block).map(|keyword| keyword.word).collect();
        assert!(!words.is_empty(), "{name} has keywords");
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "{name} has a keyword twice");
    }
    for keyword in KEYWORDS.iter().flat_map(|part| part.iter()) {
        assert!(!keyword.about.is_empty() || keyword.status == Status::Modelled, "{} says why", keyword.word);
        assert!(
            keyword.blocks.iter().all(|block| BLOCKS.iter().any(|(listed, _)| listed == block)),
            "{}",
            keyword.word
        );
    }
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    /// A file with most of the language in it.
    const WHOLE: &str = include_str!("tests/whole.conf");

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "\\PC{0,400}") {
            read_on(&text, &Nowhere);
        }

        #[test]
        fn any_words_of_the_language_are_read_to_their_end(
            picks in prop::collection::vec((0usize..400, "[{}\\n \"$~@]{0,3}", "[0-9a-z./:$%-]{0,8}"), 0..120)
        ) {
            let all: Vec<&str> = KEYWORDS.iter().flat_map(|part| part.iter()).map(|keyword| keyword.word).collect();
            let text: String = picks.iter().map(|(pick, glue, value)| format!("{} {value}{glue}\n", all[pick % all.len()])).collect();
            read_on(&text, &Disk::default());
        }

        #[test]
        fn a_real_file_with_a_slip_is_read_to_its_end(from in 0usize..4000, take in 0usize..40, put in "[{}\\n \"'$~@#!\\\\a0-9]{0,6}") {
            let mut text = WHOLE.to_owned();
            let from = (0..=from.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let to = (from + take..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            text.replace_range(from..to, &put);
            read_on(&text, &Disk::default());
        }
    }

    #[test]
    fn the_whole_language_is_read_without_a_word() {
        let (found, remarks) = read_on(WHOLE, &Nowhere);
        let errors = remarks.iter().filter(|r| r.is_keepalived() && r.kind != RemarkKind::Logged);
        let said: Vec<String> = errors.map(|r| r.log_line(Reader::Parent)).collect();
        assert_eq!(said, [""; 0]);
        assert!(found.instances.len() > 1 && found.virtual_servers.len() > 1 && found.scripts.len() > 1);
    }
}

/// What the lab refuses in a text that would not end.
fn refused(text: &str, around: &dyn Surroundings) -> Vec<String> {
    let (_, remarks) = read_on(text, around);
    let refused = remarks.into_iter().filter(|remark| remark.kind == RemarkKind::Refused);
    refused.map(|remark| remark.text).collect()
}

#[test]
fn a_file_that_includes_itself_twice_is_refused() {
    const TWICE: &str = "include keepalived.conf\ninclude keepalived.conf\nglobal_defs {\n}\n";
    let disk = Disk { files: BTreeMap::from([(NAME, TWICE)]) };
    let found = refused(TWICE, &disk);
    assert_eq!(found.iter().filter(|text| *text == "files include each other too often").count(), 1, "{found:?}");
    assert_eq!(found.last().map(String::as_str), Some("the configuration is too long to be read to its end"));
}

#[test]
fn what_repeats_itself_without_end_is_refused() {
    let bombs = [
        "~SEQ(I, 1, 1000000) vrrp_script s${I} { script /bin/true }".to_owned(),
        "~SEQ(A, 1, 1000)~SEQ(B, 1, 1000) virtual_server 10.0.${A}.${B} 80 {".to_owned(),
        "~SEQ(A, 1, 9999999) ~SEQ(B, 1, 9999999) ~SEQ(C, 1, 9999999) x".to_owned(),
        "vrrp_script x {\n}\n".repeat(6_000),
        format!("vrrp_instance V {{\n{}}}\n", "virtual_ipaddress {\n10.0.0.1\n}\n".repeat(40_000)),
        "x".repeat(5 << 20),
        "#\n".repeat(200_000),
    ];
    for bomb in bombs {
        let found = refused(&bomb, &Nowhere);
        let too_long = found.iter().any(|text| text == "the configuration is too long to be read to its end");
        assert!(too_long, "{:.60}: {found:?}", bomb);
    }
}

#[test]
fn definitions_that_double_with_every_step_are_cut_where_keepalived_s_buffer_ends() {
    let mut text = "$A0=xxxxxxxxxxxxxxxx\n".to_owned();
    for step in 1..40 {
        text += &format!("$A{step}=${{A{}}}${{A{}}}\n", step - 1, step - 1);
    }
    text += "global_defs {\n router_id ${A39}\n}\n";
    let (_, remarks) = read_on(&text, &Nowhere);
    assert!(remarks.iter().any(|remark| remark.text.contains("would exceed maximum line length")), "{remarks:?}");
    let mut many: String = (0..20_000).map(|number| format!("$N{number}=${{N{}}}\n", number + 1)).collect();
    many += "global_defs {\n router_id ${N0}\n}\n";
    assert_eq!(refused(&many, &Nowhere), ["the definitions of this line name each other without end"]);
}
