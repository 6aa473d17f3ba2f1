//! What is typed, and what comes back: standard output, standard error, exit status.

use super::*;
use crate::base::id::{EventId, NodeId, PacketId, PortId};
use crate::base::rng::Stream;
use crate::base::time::Instant;
use crate::kernel::Os;
use crate::shell::command::FaultKind;
use crate::tables::interfaces::Address;
use crate::trace::record::LinkKind;
use crate::trace::{Level, Recorder, Stage};
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Pool;

/// Types lines on a fresh director that holds 10.0.2.100.
fn session(lines: &[&str]) -> Vec<Answer> {
    let mut kernel = Kernel::new(NodeId(0), "dir", Os::Debian12);
    let mut cx = Cx {
        now: Instant::ZERO,
        node: NodeId(0),
        rng: &mut Stream::named(1, "node/dir"),
        pen: &mut Recorder::new(Level::Counters, Default::default()),
        pool: &mut Pool::default(),
        cause: EventId::NONE,
        packet: PacketId::NONE,
        stage: Stage::Process,
    };
    let tables = &mut kernel.tables;
    if tables.interfaces.named("lo").is_none() {
        tables.add_interface("lo", LinkKind::Loopback, Mac::default(), 65_536, &mut cx).expect("new");
    }
    let eth0 = tables.add_interface("eth0", LinkKind::Ethernet(PortId(0)), Mac::default(), 1500, &mut cx);
    let eth0 = eth0.expect("new");
    tables.set_up(eth0, true, &mut cx).expect("exists");
    tables.add_address(eth0, Address::new(Ipv4Addr::new(10, 0, 2, 100), 24, "eth0"), &mut cx).expect("new");
    kernel.files.place("/etc/hosts", b"10.0.2.100 www.test.com www # the VIP\n", 0o644).expect("a path");
    lines.iter().map(|line| restore_line(line, &mut kernel, &mut cx)).collect()
}

/// What the last of these lines prints.
fn check(lines: &[&str], expected: &str) {
    let answers = session(lines);
    let last = answers.last().expect("a line was typed");
    assert_eq!((last.out.as_str(), last.err.as_str(), last.code), (expected, "", 0), "{lines:?}");
}

/// What the last of these lines is refused with.
fn refused(lines: &[&str], code: i32, expected: &str) {
    let answers = session(lines);
    let last = answers.last().expect("a line was typed");
    assert_eq!((last.err.trim_end(), last.code, last.out.as_str()), (expected, code, ""), "{lines:?}");
}

const RULES: &[&str] = &[
    "-A -t 10.0.2.100:80 -s rr",
    "-a -t 10.0.2.100:80 -r 10.0.3.22:8080 -m",
    "-a -t 10.0.2.100:80 -r 10.0.3.21:8080 -m -w 1",
    "-a -t 10.0.2.100:80 -r 10.9.9.9:8888 -g",
    "-a -t 10.0.2.100:80 -r 10.9.9.8 -m -w 70000",
    "-A -u 10.0.2.100:53 -s rr",
    "-A -f 5 -s wlc -p",
    "-A -t 10.0.2.100:96 -s wlc -p 10",
    "-A -t 10.0.2.100:95",
];

fn after_rules(line: &'static str) -> Vec<&'static str> {
    RULES.iter().copied().chain([line]).collect()
}

#[test]
fn lists_are_sorted_and_have_blanks_behind_the_last_number() {
    let expected = [
        "IP Virtual Server version 1.2.1 (size=4096)\n",
        "Prot LocalAddress:Port Scheduler Flags\n",
        "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n",
        "TCP  10.0.2.100:80 rr\n",
        "  -> 10.0.3.21:8080               Masq    1      0          0         \n",
        "  -> 10.0.3.22:8080               Masq    1      0          0         \n",
        "  -> 10.9.9.8:80                  Masq    70000  0          0         \n",
        "  -> 10.9.9.9:80                  Route   1      0          0         \n",
        "TCP  10.0.2.100:95 wlc\n",
        "TCP  10.0.2.100:96 wlc persistent 10\n",
        "UDP  10.0.2.100:53 rr\n",
        "FWM  5 wlc persistent 360\n",
    ];
    check(&after_rules("-Ln"), &expected.concat());
    check(&after_rules("-ln"), &expected.concat());
    check(&after_rules("--list --numeric"), &expected.concat());
    let only = "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn \
                InActConn\nFWM  5 wlc persistent 360\n";
    check(&after_rules("-L -n -f 5"), only);
}

#[test]
fn titles_and_columns_are_those_of_the_real_tool() {
    let rules = |line| vec!["-A -t 10.0.2.100:80 -s rr", "-a -t 10.0.2.100:80 -r 10.0.3.21:8080 -m", line];
    check(
        &rules("-Ln --stats"),
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n\
         \x20 -> RemoteAddress:Port\n\
         TCP  10.0.2.100:80                       0        0        0        0        0\n\
         \x20 -> 10.0.3.21:8080                      0        0        0        0        0\n",
    );
    check(
        &rules("-Ln --rate"),
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n\
         \x20 -> RemoteAddress:Port\n\
         TCP  10.0.2.100:80                       0        0        0        0        0\n\
         \x20 -> 10.0.3.21:8080                      0        0        0        0        0\n",
    );
    check(
        &rules("-Ln --thresholds"),
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n\
         \x20 -> RemoteAddress:Port\n\
         TCP  10.0.2.100:80 rr\n\
         \x20 -> 10.0.3.21:8080               0          0          0          0         \n",
    );
    check(
        &rules("-Ln --persistent-conn"),
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n\
         \x20 -> RemoteAddress:Port\n\
         TCP  10.0.2.100:80 rr\n\
         \x20 -> 10.0.3.21:8080               1         0           0          0         \n",
    );
    check(&rules("-Ln --timeout"), "Timeout (tcp tcpfin udp): 900 120 300\n");
    check(&rules("-Ln --daemon"), "");
    check(
        &rules("-Lnc"),
        "IPVS connection entries\npro expire state       source             virtual            destination\n",
    );
}

#[test]
fn rules_are_saved_so_that_they_can_be_read_again() {
    let saved = "-A -t 10.0.2.100:80 -s rr\n\
                 -a -t 10.0.2.100:80 -r 10.0.3.21:8080 -m -w 1\n\
                 -a -t 10.0.2.100:80 -r 10.0.3.22:8080 -m -w 1\n\
                 -a -t 10.0.2.100:80 -r 10.9.9.8:80 -m -w 70000\n\
                 -a -t 10.0.2.100:80 -r 10.9.9.9:80 -g -w 1\n\
                 -A -t 10.0.2.100:95 -s wlc\n\
                 -A -t 10.0.2.100:96 -s wlc -p 10\n\
                 -A -u 10.0.2.100:53 -s rr\n\
                 -A -f 5 -s wlc -p 360\n";
    check(&after_rules("-Sn"), saved);
    let again: Vec<&str> = saved.lines().chain(["-S -n"]).collect();
    check(&again, saved);
}

#[test]
fn without_n_hosts_and_ports_have_names() {
    check(
        &["-A -t www:http -s rr -p 50", "-L"],
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> \
         RemoteAddress:Port           Forward Weight ActiveConn InActConn\nTCP  www.test.com:http rr persistent 50\n",
    );
}

#[test]
fn what_the_kernel_refuses_has_exit_status_255() {
    refused(&after_rules("-A -t 10.0.2.100:80 -s rr"), 255, "Service already exists");
    refused(&after_rules("-A -t 10.0.2.100:99 -s nosuch"), 255, "Scheduler or persistence engine not found");
    refused(&after_rules("-a -t 10.0.2.100:98 -r 10.9.9.9:80"), 255, "Service not defined");
    refused(&after_rules("-a -t 10.0.2.100:80 -r 10.0.3.21:8080 -m"), 255, "Destination already exists");
    refused(&after_rules("-d -t 10.0.2.100:80 -r 10.9.9.1:80"), 255, "No such destination");
    refused(&after_rules("-e -t 10.0.2.100:80 -r 10.9.9.1:80"), 255, "No such destination");
    refused(&after_rules("-D -t 10.0.2.100:98"), 255, "No such service");
    refused(&after_rules("-L -t 10.0.2.100:98"), 255, "No such service");
}

#[test]
fn what_the_tool_refuses_has_exit_status_2() {
    refused(&["-A -t 10.0.2.100 -s rr"], 2, "Zero port specified for non-persistent service");
    refused(&["-A -t 10.0.2.100:97 -s rr -b sh-port"], 2, "incompatible scheduler flag `sh-port'");
    refused(&["-A -t nowhere:80"], 2, "illegal virtual server address[:port] specified");
    refused(&["-A -t 10.0.2.100:80 -o"], 2, "One-Packet Scheduling is only for UDP virtual services");
    refused(&["-A -s rr"], 2, "You need to supply the 'service-address' option for the 'add-service' command");
    refused(&["-a -t 10.0.2.100:80"], 2, "You need to supply the 'real-server' option for the 'add-server' command");
    refused(&["-D -t 10.0.2.100:80 -w 1"], 2, "Illegal 'weight' option with the 'delete-service' command");
    refused(&["-A -t 10.0.2.100:80 -u 10.0.2.100:80"], 2, "multiple 'service-address' options specified");
    refused(&["-a -t 10.0.2.100:80 -r 10.0.3.1 -w x"], 2, "illegal weight specified");
    refused(&["-L -c --stats"], 2, "options conflicts in the list command");
    refused(&["-Ln extra"], 2, "unexpected argument extra");
    refused(&["-A -f 0"], 2, "invalid fwmark value `0' specified");
    refused(&["-n"], 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information.");
    refused(&["-A -t 10.0.2.100:80 --nosuch"], 255, "--nosuch: unknown option");
}

#[test]
fn the_value_of_p_is_optional_and_w_may_stand_close() {
    let lines = ["-A -t 10.0.2.100:80 -p -s rr", "-a -t 10.0.2.100:80 -r 10.0.3.1 -w3 -i", "--set 5 3 2", "-S -n"];
    check(&lines, "-A -t 10.0.2.100:80 -s rr -p 360\n-a -t 10.0.2.100:80 -r 10.0.3.1:80 -i -w 3 --tun-type ipip\n");
}

const FULLNAT: &[&str] = &[
    "-A -t 10.0.2.100:80 -s wlc --conn-timeout 600",
    "-a -t 10.0.2.100:80 -r 10.0.3.21:8080 -b -w 2",
    "-P -z 10.0.2.200 -t 10.0.2.100:80 -F eth0",
    "--add-laddr -z 10.0.2.201 -t 10.0.2.100:80 -F eth0",
];

fn after_fullnat(line: &'static str) -> Vec<&'static str> {
    FULLNAT.iter().copied().chain([line]).collect()
}

#[test]
fn fullnat_is_listed_saved_and_has_local_addresses() {
    let listed = "IP Virtual Server version 1.2.1 (size=4096)\n\
        Prot LocalAddress:Port Scheduler Flags\n\
        \x20 -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
        TCP  10.0.2.100:80 wlc conn-timeout 600\n\
        \x20 -> 10.0.3.21:8080               FullNat 2      0          0         \n";
    check(&after_fullnat("-Ln"), listed);
    let saved = "-A -t 10.0.2.100:80 -s wlc --conn-timeout 600\n\
        -a -t 10.0.2.100:80 -r 10.0.3.21:8080 -b -w 2\n\
        --add-laddr -z 10.0.2.200 -t 10.0.2.100:80 -F eth0\n\
        --add-laddr -z 10.0.2.201 -t 10.0.2.100:80 -F eth0\n";
    check(&after_fullnat("-Sn"), saved);
    let locals = "VIP:VPORT            TOTAL    SNAT_IP              CONFLICTS  CONNS     \n\
        10.0.2.100:80        2        \n\
        \x20                             10.0.2.200           0          0         \n\
        \x20                             10.0.2.201           0          0         \n";
    check(&after_fullnat("-G"), locals);
    check(&after_fullnat("--get-laddr -t 10.0.2.100:80"), locals);
    let mut deleted = after_fullnat("-Q -z 10.0.2.200 -t 10.0.2.100:80 -F eth0");
    deleted.push("-G");
    let one = "VIP:VPORT            TOTAL    SNAT_IP              CONFLICTS  CONNS     \n\
        10.0.2.100:80        1        \n\
        \x20                             10.0.2.201           0          0         \n";
    check(&deleted, one);
}

#[test]
fn what_cannot_be_a_local_address_is_refused() {
    let refused = |line, code, text| refused(&after_fullnat(line), code, text);
    refused("-P -z 10.0.2.200 -t 10.0.2.100:80 -F eth0", 255, "Local address already exists");
    refused("-P -z 10.0.2.202 -t 10.0.2.100:81 -F eth0", 255, "Service not defined");
    refused("-P -z 10.0.2.202 -t 10.0.2.100:80 -F eth7", 255, "No such device");
    refused("-Q -z 10.0.2.202 -t 10.0.2.100:80 -F eth0", 255, "No such Local address");
    refused(
        "-P -z 10.0.2.202 -t 10.0.2.100:80",
        2,
        "You need to supply the 'ifname' option for the 'add-laddr' command",
    );
    refused(
        "-P -t 10.0.2.100:80 -F eth0",
        2,
        "You need to supply the 'local-address' option for the 'add-laddr' command",
    );
    refused("-Q -z nobody -t 10.0.2.100:80 -F eth0", 2, "illegal local address");
    refused("-G -z 10.0.2.200", 2, "Illegal 'local-address' option with the 'get-laddr' command");
    refused("-a -t 10.0.2.100:80 -r 10.0.3.22 -b -m", 2, "multiple 'forwarding-method' options specified");
}

#[test]
fn b_is_fullnat_for_servers_and_flags_for_services() {
    let lines = ["-A -t 10.0.2.100:80 -s sh -b sh-port", "-a -t 10.0.2.100:80 -r 10.0.3.1 -bw3", "-S -n"];
    check(&lines, "-A -t 10.0.2.100:80 -s sh -b sh-port\n-a -t 10.0.2.100:80 -r 10.0.3.1:80 -b -w 3\n");
}

#[test]
fn tunnels_are_saved_and_listed_with_their_kind() {
    let lines = |line| {
        vec![
            "-A -t 10.0.2.100:80 -s rr",
            "-a -t 10.0.2.100:80 -r 10.0.3.1 -i",
            "-a -t 10.0.2.100:80 -r 10.0.3.2 -i --tun-type gre --tun-csum",
            "-a -t 10.0.2.100:80 -r 10.0.3.3 -i --tun-type gue --tun-port 5555 --tun-remcsum",
            "-a -t 10.0.2.100:80 -r 10.0.3.4 -m",
            line,
        ]
    };
    let listed = "Prot LocalAddress:Port Scheduler Flags\n\
        \x20 -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n\
        TCP  10.0.2.100:80 rr\n\
        \x20 -> 10.0.3.1:80                  Tunnel  ipip          1      0          0         \n\
        \x20 -> 10.0.3.2:80                  Tunnel  gre:+c        1      0          0         \n\
        \x20 -> 10.0.3.3:80                  Tunnel  gue:5555:r+c  1      0          0         \n\
        \x20 -> 10.0.3.4:80                  Masq    n/a           1      0          0         \n";
    check(&lines("-Ln -t 10.0.2.100:80 --tun-info"), listed);
    let saved = "-A -t 10.0.2.100:80 -s rr\n\
        -a -t 10.0.2.100:80 -r 10.0.3.1:80 -i -w 1 --tun-type ipip\n\
        -a -t 10.0.2.100:80 -r 10.0.3.2:80 -i -w 1 --tun-type gre --tun-csum\n\
        -a -t 10.0.2.100:80 -r 10.0.3.3:80 -i -w 1 --tun-type gue --tun-port 5555 --tun-remcsum\n\
        -a -t 10.0.2.100:80 -r 10.0.3.4:80 -m -w 1\n";
    check(&lines("-Sn"), saved);
}

#[test]
fn options_of_tunnels_that_do_not_go_together_are_refused() {
    let wrong = |line: &'static str, text| refused(&["-A -t 10.0.2.100:80 -s rr", line], 2, text);
    const A: &str = "You need to supply the 'tun-port' option for the 'gue' tunnel type";
    wrong("-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-type gue", A);
    wrong(
        "-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-port 5555",
        "Illegal 'tun-port' option with the 'ipip' tunnel type",
    );
    wrong(
        "-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-type gre --tun-remcsum",
        "Illegal 'tun-remcsum' option with the 'gre' tunnel type",
    );
    wrong(
        "-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-type gre --tun-nocsum --tun-csum",
        "The option 'tun-csum' conflicts with the 'tun-nocsum' option in the 'gre' tunnel type",
    );
    wrong("-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-type sit", "illegal tunnel type specified");
    wrong("-a -t 10.0.2.100:80 -r 10.0.3.1 -i --tun-type gue --tun-port 0", "illegal tunnel port specified");
    wrong("-a -t 10.0.2.100:80 -r 10.0.3.1 -m --tun-type gre", "Tunnel options conflict with forward method");
}

#[test]
fn the_loader_is_told_of_what_is_not_modelled() {
    let faults = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        check_words(&words)
    };
    assert_eq!(faults("ipvsadm -A -t 10.0.2.100:80 -s rr"), []);
    assert_eq!(faults("ipvsadm -Lnc"), []);
    assert_eq!(faults("ipvsadm -A -u 10.0.0.1:5060 -p --pe sip"), [(5, FaultKind::NotModelled)]);
    assert_eq!(faults("ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue"), [], "the tool asks for a port");
    assert_eq!(faults("ipvsadm -A -t 10.0.0.1:80 -j enable"), [(4, FaultKind::NotModelled)]);
    assert_eq!(faults("ipvsadm --start-daemon master --syncid 7"), []);
    assert_eq!(faults("ipvsadm -Lnq"), [(1, FaultKind::Unknown)]);
    assert_eq!(faults("ipvsadm -A -t 10.0.0.1:80 -s wrrr"), [], "the kernel says so when it is typed");
}

#[test]
fn daemons_are_started_listed_and_stopped_in_the_tools_words() {
    let line = |role: &str, rest: &str| format!("{role} sync daemon ({rest}, group=224.0.0.81, port=8848, ttl=1)\n");
    let start = "--start-daemon master --mcast-interface eth0 --syncid 7";
    check(&[start], "");
    check(&[start, "-Ln --daemon"], &line("master", "mcast=eth0, syncid=7, maxlen=1472"));
    let backup = "--start-daemon backup --sync-maxlen 100";
    let both =
        line("master", "mcast=eth0, syncid=7, maxlen=1472") + &line("backup", "mcast=eth0, syncid=0, maxlen=1024");
    check(&[start, backup, "-L --daemon"], &both);
    check(&[start, "--stop-daemon master", "-L --daemon"], "");
    let own = "--start-daemon master --mcast-group 239.1.1.1 --mcast-port 9000 --mcast-ttl 3";
    let shown = "master sync daemon (mcast=eth0, syncid=0, maxlen=1472, group=239.1.1.1, port=9000, ttl=3)\n";
    check(&[own, "-L --daemon"], shown);
    refused(&[start, start], 255, "Daemon has already run");
    refused(&["--stop-daemon backup"], 255, "No daemon is running");
    refused(&["--start-daemon master --mcast-interface eth9"], 255, "No such device");
    refused(&["--start-daemon both"], 2, "illegal start_daemon specified");
    refused(&["--start-daemon master --syncid 256"], 2, "illegal syncid specified");
    refused(&["--start-daemon master --mcast-group 10.0.0.1"], 2, "invalid IPv4 mcast-group `10.0.0.1'");
    refused(&["--stop-daemon master --syncid 1"], 2, "Illegal 'syncid' option with the 'stop-daemon' command");
}

fn check_words(words: &[&str]) -> Vec<(usize, FaultKind)> {
    (IPVSADM.check)(&IPVSADM, words).into_iter().map(|fault| (fault.word, fault.kind)).collect()
}
