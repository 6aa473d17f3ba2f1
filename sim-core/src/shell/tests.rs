//! What commands answer: texts and exit statuses of the real ones.

use super::testing::Bench;
use super::{COMMANDS, Status, parse, registry};
use crate::kernel::Os;
use proptest::prelude::*;

/// Standard output of a text on a host with an address; it must not complain.
fn check(text: &str, expected: &str) {
    check_on(Os::Debian12, text, expected);
}

fn check_on(os: Os, text: &str, expected: &str) {
    let result = Bench::networked(os).run(text);
    assert_eq!((result.out.as_str(), result.err.as_str()), (expected, ""), "{text}");
}

/// Exit status and standard error of a text.
fn fails(text: &str, code: i32, message: &str) {
    let result = Bench::networked(Os::Debian12).run(text);
    assert_eq!((result.code, result.err.as_str()), (code, message), "{text}");
}

/// What loading a line says: message and hint.
fn refused(text: &str, message: &str, hint: &str) {
    let problems = parse::lines(text, &[]).expect_err(text);
    let first = problems.iter().find(|problem| !problem.warning).expect("an error is no warning");
    assert_eq!((first.message.as_str(), first.hint.as_deref().unwrap_or("")), (message, hint), "{text}");
}

#[test]
fn ip_addr_shows_addresses_as_iproute2_does() {
    check(
        "ip addr add 172.25.92.100/24 dev eth0; ip addr",
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    \
         link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    \
         inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n\
         2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP group default qlen 1000\n    \
         link/ether 02:00:00:00:04:01 brd ff:ff:ff:ff:ff:ff\n    \
         inet 172.25.92.5/24 brd 172.25.92.255 scope global eth0\n       valid_lft forever preferred_lft forever\n    \
         inet 172.25.92.100/24 scope global secondary eth0\n       valid_lft forever preferred_lft forever\n",
    );
    check(
        "ip -br a",
        "lo               UNKNOWN        127.0.0.1/8 \neth0             UP             172.25.92.5/24 \n",
    );
    check(
        "ip -4 -o addr show dev eth0",
        "2: eth0    inet 172.25.92.5/24 brd 172.25.92.255 scope global eth0\\       valid_lft forever preferred_lft forever\n",
    );
    check(
        "ip addr add 10.0.0.1/32 dev lo label lo:0; ip -4 addr show lo | grep lo:0",
        "    inet 10.0.0.1/32 scope global lo:0\n",
    );
    check(
        "ip link add dummy0 type dummy; ip link set dummy0 up; ip link show dummy0 | head -1",
        "3: dummy0: <BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UNKNOWN group default qlen 1000\n",
    );
}

#[test]
fn ip_refuses_with_the_words_of_iproute2() {
    fails("ip addr add 172.25.92.5/24 dev eth0", 2, "RTNETLINK answers: File exists\n");
    fails("ip addr del 10.9.9.9/32 dev eth0", 2, "RTNETLINK answers: Cannot assign requested address\n");
    fails("ip addr add 1.2.3.4/24 dev eth9", 1, "Cannot find device \"eth9\"\n");
    fails("ip addr add 1.2.3.4/24", 255, "Not enough information: \"dev\" argument is required.\n");
    fails(
        "ip addr add 1.2.3.400/24 dev eth0",
        1,
        "Error: any valid prefix is expected rather than \"1.2.3.400/24\".\n",
    );
    fails("ip addr show dev eth9", 1, "Device \"eth9\" does not exist.\n");
    fails("ip route del 10.0.0.0/8", 2, "RTNETLINK answers: No such process\n");
    fails("ip route add 10.0.0.0/8 via 9.9.9.9", 2, "Error: Nexthop has invalid gateway.\n");
    fails("ip neigh del 172.25.92.9 dev eth0", 2, "RTNETLINK answers: No such file or directory\n");
    fails("ip addr frob", 255, "Command \"frob\" is unknown, try \"ip address help\".\n");
}

#[test]
fn ip_route_lists_and_asks() {
    check(
        "ip route",
        "default via 172.25.92.1 dev eth0 \n172.25.92.0/24 dev eth0 proto kernel scope link src 172.25.92.5 \n",
    );
    // As recorded: `ip route get` of a client behind a gateway.
    check("ip route get 10.0.2.100", "10.0.2.100 via 172.25.92.1 dev eth0 src 172.25.92.5 uid 0 \n    cache \n");
    check("ip route get 172.25.92.5", "local 172.25.92.5 dev lo src 172.25.92.5 uid 0 \n    cache <local> \n");
    check("ip route add blackhole 10.0.0.0/8; ip r | grep black", "blackhole 10.0.0.0/8 \n");
    check(
        "ip rule add fwmark 1 table 100; ip route add local 0.0.0.0/0 dev lo table 100; ip rule; ip route show table 100",
        "0:\tfrom all lookup local\n32765:\tfrom all fwmark 0x1 lookup 100\n32766:\tfrom all lookup main\n\
         32767:\tfrom all lookup default\nlocal default dev lo scope host \n",
    );
}

#[test]
fn ip_neigh_sets_and_shows() {
    check(
        "ip neigh replace 172.25.92.9 lladdr 02:00:00:00:00:04 dev eth0 nud permanent; ip neigh show; ip neigh flush all; arp -an",
        "172.25.92.9 dev eth0 lladdr 02:00:00:00:00:04 PERMANENT \n? (172.25.92.9) at 02:00:00:00:00:04 [ether] PERM on eth0\n",
    );
    check(
        "arp -s 172.25.92.9 02:00:00:00:00:04; arp -n",
        "Address                  HWtype  HWaddress           Flags Mask            Iface\n\
         172.25.92.9              ether   02:00:00:00:00:04   CM                    eth0\n",
    );
}

#[test]
fn arping_announces_once_a_second() {
    // As recorded, word for word.
    check(
        "arping -U -c 2 -w 3 -I eth0 172.25.92.5; date +%s",
        "ARPING 172.25.92.5 from 172.25.92.5 eth0\nSent 2 probes (2 broadcast(s))\nReceived 0 response(s)\n946684802\n",
    );
    fails(
        "arping -I eth0 -c 3 -s 192.168.1.6192.168.1.1 10.0.0.1",
        2,
        "arping: invalid source 192.168.1.6192.168.1.1\n",
    );
    fails("arping -I eth9 -c 1 10.0.0.1", 2, "arping: Device eth9 not available.\n");
}

#[test]
fn ifconfig_sets_labels_and_shows_them_in_both_layouts() {
    let set = "ifconfig lo:0 192.168.2.188 netmask 255.255.255.255 broadcast 192.168.2.188 up";
    check(
        &format!("{set}; ifconfig lo:0; ip -4 addr show lo | tail -2 | head -1"),
        "lo:0: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 192.168.2.188  netmask 255.255.255.255\n        \
         loop  txqueuelen 1000  (Local Loopback)\n\n    inet 192.168.2.188/32 brd 192.168.2.188 scope global lo:0\n",
    );
    // As the tutorial shows it on CentOS 4, before and after.
    check_on(
        Os::CentOs4,
        &format!("ifconfig lo:0; {set}; ifconfig lo:0; ifconfig lo:0 down; ifconfig lo:0"),
        "lo:0      Link encap:Local Loopback  \n          UP LOOPBACK RUNNING  MTU:16436  Metric:1\n\n\
         lo:0      Link encap:Local Loopback  \n          inet addr:192.168.2.188  Mask:255.255.255.255\n          \
         UP LOOPBACK RUNNING  MTU:16436  Metric:1\n\n\
         lo:0      Link encap:Local Loopback  \n          UP LOOPBACK RUNNING  MTU:16436  Metric:1\n\n",
    );
    fails("ifconfig eth0:0 down", 1, "SIOCSIFFLAGS: Cannot assign requested address\n");
}

#[test]
fn route_takes_labels_with_and_without_dev() {
    check(
        "ifconfig eth0:0 172.25.92.38 broadcast 172.25.92.38 netmask 255.255.255.255 up
         route add -host 172.25.92.38 dev eth0:0
         route -n",
        "Kernel IP routing table\n\
         Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n\
         0.0.0.0         172.25.92.1     0.0.0.0         UG    0      0        0 eth0\n\
         172.25.92.0     0.0.0.0         255.255.255.0   U     0      0        0 eth0\n\
         172.25.92.38    0.0.0.0         255.255.255.255 UH    0      0        0 eth0\n",
    );
    check(
        "ifconfig lo:0 10.0.0.9 netmask 255.255.255.255 up; route add -host 10.0.0.9 lo:0; ip route show 10.0.0.9",
        "10.0.0.9 dev lo scope link \n",
    );
    fails("route del -host 9.9.9.9", 7, "SIOCDELRT: No such process\n");
}

#[test]
fn settings_are_set_by_sysctl_and_by_echo() {
    check(
        "sysctl -w net.ipv4.conf.lo.arp_ignore=1; cat /proc/sys/net/ipv4/conf/lo/arp_ignore",
        "net.ipv4.conf.lo.arp_ignore = 1\n1\n",
    );
    check("echo \"2\">/proc/sys/net/ipv4/conf/all/arp_announce; sysctl -n net.ipv4.conf.all.arp_announce", "2\n");
    check(
        "printf '# x\\nnet.ipv4.ip_forward = 1\\n' > /etc/sysctl.conf; sysctl -p; sysctl -q net.ipv4.ip_forward=0; cat /proc/sys/net/ipv4/ip_forward",
        "net.ipv4.ip_forward = 1\n0\n",
    );
    fails("sysctl net.nothing", 1, "sysctl: cannot stat /proc/sys/net/nothing: No such file or directory\n");
    fails("echo x > /proc/sys/net/ipv4/ip_forward", 1, "-bash: echo: write error: Invalid argument\n");
    fails("echo x > /proc/sys/net/ipv4/nothing", 1, "-bash: /proc/sys/net/ipv4/nothing: No such file or directory\n");
}

#[test]
fn texts_stream_through_pipes() {
    check("printf 'a\\nb\\nab\\n' | grep -c a", "2\n");
    check("printf '1\\n2\\n3\\n' | tail -n 2 | head -1", "2\n");
    check("echo one two | wc -w; printf 'a\\n' > /tmp/f; wc -l /tmp/f", "2\n1 /tmp/f\n");
    check("seq 5 | grep -v -E '2|4' | sort -nr", "5\n3\n1\n");
    check("cat > /tmp/x <<EOF\nhi\nEOF\ncat /tmp/x; cat < /tmp/x", "hi\nhi\n");
    check("seq 20000 | wc -l", "20000\n");
    check(
        "yes_() { while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done; }; yes_ | head -1",
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n",
    );
    fails("cat /none", 1, "cat: /none: No such file or directory\n");
    fails("grep x /none", 2, "grep: /none: No such file or directory\n");
}

#[test]
fn files_are_made_moved_and_run() {
    check(
        "mkdir -p /a/b; touch /a/b/c; ls /a; cp -r /a /z; mv /z/b/c /z/d; ls /z; rm -rf /z; [ -e /z ] || echo gone",
        "b\nb\nd\ngone\n",
    );
    check("cd /etc; pwd; cd -; ls /etc/init.d | wc -l", "/etc\n/root\n0\n");
    check(
        "echo 'echo \"$0 $1\"' > /tmp/s; bash /tmp/s x; chmod +x /tmp/s; /tmp/s y; cd /tmp; ./s z",
        "/tmp/s x\n/tmp/s y\n./s z\n",
    );
    check("ln -s /tmp/t /l; echo q > /tmp/t; cat /l; for f in /tmp/*; do echo $f; done", "q\n/tmp/t\n");
    fails("echo x > /tmp/s; /tmp/s", 126, "-bash: /tmp/s: Permission denied\n");
    fails("bash /none", 127, "bash: /none: No such file or directory\n");
}

#[test]
fn a_named_pipe_leads_from_writers_to_a_reader() {
    let quiet = |text: &str, expected: &str| {
        let result = Bench::networked(Os::Debian12).run(&format!("{{ {text}; }} 2> /tmp/err"));
        assert_eq!(result.out, expected, "{text}");
    };
    quiet("mkfifo /tmp/p; [ -p /tmp/p ] && [ ! -f /tmp/p ] && echo pipe; mkfifo /tmp/p || echo twice", "pipe\ntwice\n");
    // A writer waits for a reader, and a reader for a writer.
    quiet(
        "mkfifo /tmp/p; (echo one > /tmp/p; echo went) & sleep 1; date +%S; cat /tmp/p > /tmp/got; wait; cat /tmp/got",
        "01\nwent\none\n",
    );
    quiet("mkfifo /tmp/p; (sleep 2; echo late > /tmp/p) & read x < /tmp/p; echo $x; date +%S", "late\n02\n");
    // The end comes when the last writer has closed it; the next reader waits anew.
    quiet(
        "mkfifo /tmp/p; (while read x; do echo got $x; done < /tmp/p; echo end) & (echo a; sleep 1; echo b) > /tmp/p; wait",
        "got a\ngot b\nend\n",
    );
    quiet(
        "mkfifo /tmp/p; (echo 1 > /tmp/p; sleep 1; echo 2 > /tmp/p) & cat /tmp/p; cat /tmp/p; rm /tmp/p; ls /tmp",
        "1\n2\nerr\n",
    );
}

#[test]
fn a_script_that_kills_itself_goes_no_further() {
    for (text, expected) in [
        ("bash -c 'kill -9 $$; echo on'; echo $?", "137\n"),
        ("bash -c 'kill -TERM $$; echo on'; echo $?", "143\n"),
        ("bash -c 'trap \"echo caught\" TERM; kill -TERM $$; echo on'; echo $?", "caught\non\n0\n"),
        ("bash -c 'kill -0 $$; kill -CONT $$; echo on'; echo $?", "on\n0\n"),
    ] {
        assert_eq!(Bench::networked(Os::Debian12).run(text).out, expected, "{text}");
    }
}

#[test]
fn time_passes_only_where_a_script_waits() {
    for (text, expected) in [
        ("date +%s; sleep 1.5; date +%s; sleep 2 & sleep 1; wait; echo $SECONDS", "946684800\n946684801\n3\n"),
        ("sleep 100 & kill $!; wait $!; echo $?", "143\n"),
    ] {
        // A terminal also says which job it is.
        let result = Bench::networked(Os::Debian12).run(text);
        assert_eq!((result.out.as_str(), &result.err[..4]), (expected, "[1] "), "{text}");
    }
}

#[test]
fn what_cannot_work_is_found_when_a_line_is_loaded() {
    refused("ipvsadn -Ln", "there is no command \"ipvsadn\"", "did you mean \"ipvsadm\"?");
    refused("ip -6 addr", "ip -6 is not modelled", "IPv6 is not modelled");
    refused("ip adr add", "ip has no object \"adr\"", "address, link, route, neighbour, rule and tunnel are modelled");
    refused("curl -X POST x", "curl -X is not modelled", "only GET and HEAD are modelled");
    refused(
        "if true; then echo",
        "something that begins here is not ended",
        "a quote, a bracket, or `fi`, `done`, `esac`, the end of a << text",
    );
    refused("case x in @(a|b)) :;; esac", "patterns such as @(a|b) are not modelled", "use case a|b)");
    refused("x=(1 2)", "arrays are not modelled", "use a list of words: for x in $LIST");
    refused(
        "vim /etc/x",
        "vim needs somebody at a screen",
        "give the file in the host's files:, or write it with cat > FILE << EOF",
    );
}

#[test]
fn all_problems_of_a_text_are_found_at_once() {
    let problems =
        parse::lines("ipp a\necho ok\ncurl -X y\nif x\necho )\nip -6 a\n", &[]).expect_err("five lines are wrong");
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6], "{problems:?}");
}

#[test]
fn lines_of_a_text_are_its_complete_commands() {
    let text = "x=1 # one\n\nif true\nthen echo $x\nfi\ncat <<EOF\nhi\nEOF\n# end\n";
    let (lines, notes) = parse::lines(text, &[]).expect("everything is right");
    let texts: Vec<&str> = lines.iter().map(|line| &*line.text).collect();
    assert_eq!(texts, ["x=1 # one", "if true\nthen echo $x\nfi", "cat <<EOF\nhi\nEOF"]);
    assert!(notes.is_empty());
}

#[test]
fn pasted_text_is_corrected_with_a_note() {
    let (lines, notes) = parse::lines("[root@server4 ~]# ipvsadm \u{2013}Ln\r\n", &[]).expect("it is corrected");
    assert_eq!(&*lines[0].text, "ipvsadm -Ln");
    assert_eq!(notes.len(), 3);
    assert!(notes.iter().all(|note| note.warning));
}

#[test]
fn a_service_is_started_anew_when_it_has_ended() {
    let pids = "ps -C httpd --no-header | wc -l";
    let result = Bench::networked(Os::Rhel6).run(&format!(
        "/etc/init.d/httpd start; /etc/init.d/httpd restart; {pids}; service httpd stop; service httpd start; {pids}"
    ));
    let counts: Vec<&str> = result.out.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(counts, ["1", "1"], "{result:?}");
    fails("[ $unset -eq 0 ]", 2, "-bash: [: -eq: unary operator expected\n");
}

#[test]
fn a_text_typed_at_once_is_one_line() {
    let (line, _) = parse::line("A=5\nif [ $A -eq 5 ]\nthen echo five\nfi\n", &[]).expect("it is right");
    let body = super::Shell::typed(&line.expect("there is something"), None);
    assert_eq!(Bench::new(Os::Debian12).run_body(body).out, "five\n");
}

#[test]
fn not_modelled_in_a_script_is_exit_status_125() {
    let result = Bench::networked(Os::Debian12).run("x=-6; ip $x addr; echo $?");
    assert_eq!(
        (result.out.as_str(), result.err.as_str()),
        ("125\n", "-bash: ip -6 is not modelled (IPv6 is not modelled)\n")
    );
}

#[test]
fn every_refused_option_says_why() {
    for command in COMMANDS.iter().copied().flatten() {
        for option in command.options {
            assert!(
                option.status != Status::Refused || !option.note.is_empty(),
                "{} {}",
                command.names[0],
                option.name
            );
        }
    }
    assert!(registry::commands().count() > 60);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_read_without_panic_or_hang(text in ".{0,120}") {
        let _ = parse::lines(&text, &[]);
        let _ = parse::script(&text, "x");
    }

    #[test]
    fn arbitrary_shell_pieces_are_read_and_run(pieces in prop::collection::vec(prop::sample::select(vec![
        "if ", "then ", "fi ", "while ", "do ", "done ", "for i in ", "case x in ", "esac ", "(", ")", "{ ", "}", "$(", "`",
        "\"", "'", "$x", "${x:-", "$((", "))", "|", "||", "&&", "&", ";", "\n", "> /tmp/o ", "< /tmp/o ", "<<EOF\n", "EOF\n",
        "echo a ", "x=1 ", "x=$x$x ", "f() ", "f ", "[ a = b ] ", "[[ a == b ]] ", "! ", "true ", "break ", "return ", "*",
        "~", "\\", "read y ", "shift ", "eval ", "cat ", "2>&1 ", "# c\n", "i ", "in ",
    ]), 0..14)) {
        let text = pieces.concat();
        let _ = parse::lines(&text, &[]);
        if let Ok(script) = parse::script(&text, "x") {
            prop_assert!(parse::op::is_sound(&script.ops));
            let body = super::Shell::new(script, Vec::new(), &crate::kernel::process::Env::new());
            Bench::new(Os::Debian12).run_body(Box::new(body));
        }
    }
}

#[test]
fn timeout_ends_what_would_not_end() {
    check("timeout 3 sleep 100; echo $?; date +%s", "124\n946684803\n");
    check("timeout 3 echo hi; echo $?", "hi\n0\n");
    check("timeout -s KILL 1 sleep 5; echo $?", "137\n");
    check("timeout -k 2 1 bash -c 'trap \"\" TERM; sleep 9; sleep 9'; echo $?; date +%s", "137\n946684803\n");
    fails("timeout x sleep 1", 125, "timeout: invalid time interval 'x'\nTry 'timeout --help' for more information.\n");
    refused("timeout 5 ipvsadn -Ln", "there is no command \"ipvsadn\"", "did you mean \"ipvsadm\"?");
}

#[test]
fn the_command_behind_sudo_nohup_and_env_runs() {
    check("sudo echo hi; nohup echo ho; env A=b bash -c 'echo $A'; env A=b | grep ^A", "hi\nho\nb\nA=b\n");
    fails("sudo ipvsadn", 127, "bash: ipvsadn: command not found\n");
}

#[test]
fn pipelines_are_made_of_cut_tr_tee_and_xargs() {
    check("echo a:b:c | cut -d: -f2-; echo abcdef | cut -c2-3,5", "b:c\nbce\n");
    check("echo 'a  b' | tr -s ' ' | tr a-z '[:upper:]' | tr -d B", "A \n");
    check("echo x | tee /tmp/a | tee -a /tmp/a; cat /tmp/a", "x\nx\nx\n");
    check("seq 3 | xargs -n 2 echo n; seq 2 | xargs -I{} echo '<{}>'", "n 1 2\nn 3\n<1>\n<2>\n");
    check("basename /etc/a.conf .conf; dirname /etc/a.conf; dirname a", "a\n/etc\n.\n");
    fails(
        "cut x",
        1,
        "cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n",
    );
}

#[test]
fn processes_are_found_by_an_expression() {
    let text = "sleep 50 & sleep 60 & sleep 1; pgrep -a slee; pgrep -fa 'sleep 6'; pkill -f 'sleep 5'; sleep 1; \
                pgrep -c sleep; ps -C sleep -o ppid=,args=";
    let expected = "403 sleep 50\n404 sleep 60\n404 sleep 60\n1\n    402 sleep 60\n";
    assert_eq!(Bench::networked(Os::Debian12).run(text).out, expected);
    fails("pgrep", 2, "pgrep: no matching criteria specified\nTry `pgrep --help' for more information.\n");
}

#[test]
fn what_the_lab_does_not_have_says_what_to_type_instead() {
    refused("nmap 10.0.0.1", "nmap is not modelled", "nc -zv HOST PORT tries a port");
    let result = Bench::networked(Os::Debian12).run("tc=tc; $tc qdisc");
    assert_eq!(result.code, 125);
    assert!(result.err.contains("set_link"), "{}", result.err);
}

#[test]
fn the_journal_shows_a_service_and_nobody_else() {
    let mut bench = Bench::networked(Os::Debian12);
    let log = "Jan  1 00:00:01 rs1 Keepalived_vrrp[405]: (VI_1) Entering MASTER STATE\\n\
               Jan  1 00:00:02 rs1 nginx[9]: started\\nJan  1 00:00:05 rs1 Keepalived[404]: Stopping\\n";
    let text = format!(
        "printf '{log}' > /var/log/messages; sleep 6; journalctl -u keepalived; journalctl -u keepalived -o cat -n 1; \
                        journalctl --since '3 s ago' -t nginx; journalctl -g master -o cat; journalctl -u x"
    );
    let first = "Jan 01 00:00:01 rs1 Keepalived_vrrp[405]: (VI_1) Entering MASTER STATE\n";
    let second = "Jan 01 00:00:05 rs1 Keepalived[404]: Stopping\n";
    let expected =
        format!("{first}{second}Stopping\n-- No entries --\n(VI_1) Entering MASTER STATE\n-- No entries --\n");
    assert_eq!(bench.run(&text).out, expected);
    fails("journalctl --since soon", 1, "Failed to parse timestamp: soon\n");
}

#[test]
fn the_network_service_sets_the_cards_by_their_files_and_forgets_what_was_added() {
    let mut bench = Bench::networked(Os::Rhel6);
    let folder = "/etc/sysconfig/network-scripts";
    let files = format!(
        "mkdir -p {folder}; printf 'DEVICE=lo\\nIPADDR=127.0.0.1\\nNETMASK=255.0.0.0\\n' > {folder}/ifcfg-lo; \
         printf 'DEVICE=eth0\\nIPADDR=172.25.92.5\\nNETMASK=255.255.255.0\\nGATEWAY=172.25.92.1\\n' > {folder}/ifcfg-eth0; \
         printf 'DEVICE=lo:0\\nIPADDR=10.0.0.9\\nNETMASK=255.255.255.255\\n' > {folder}/ifcfg-lo:0"
    );
    assert_eq!(bench.run(&files).err, "");
    let text = "ip addr add 172.25.92.100/24 dev eth0; service network restart | tail -1; ip -br a; ip route | head -1";
    let expected = "Bringing up interface eth0:                                [  OK  ]\n\
                    lo               UNKNOWN        127.0.0.1/8 10.0.0.9/32 \n\
                    eth0             UP             172.25.92.5/24 \ndefault via 172.25.92.1 dev eth0 \n";
    let result = bench.run(text);
    assert_eq!((result.out.as_str(), result.err.as_str()), (expected, ""));
    assert_eq!(bench.run("ifdown eth0; ip -br a show eth0").out, "eth0             DOWN           \n");
    assert_eq!(bench.run("ifup eth9").code, 1);
}

#[test]
fn a_firewall_that_is_not_there_can_be_stopped() {
    let mut bench = Bench::networked(Os::CentOs7);
    let result =
        bench.run("systemctl stop firewalld; systemctl disable --now firewalld; systemctl is-active firewalld");
    assert_eq!((result.out.as_str(), result.code), ("inactive\n", 3));
    assert_ne!(bench.run("systemctl start firewalld").code, 0);
}

#[test]
fn sockets_and_routes_are_listed_by_netstat_too() {
    check(
        "netstat -rn",
        "Kernel IP routing table\n\
         Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n\
         0.0.0.0         172.25.92.1     0.0.0.0         UG        0 0          0 eth0\n\
         172.25.92.0     0.0.0.0         255.255.255.0   U         0 0          0 eth0\n",
    );
    check(
        "systemctl start httpd; sleep 1; netstat -lnt | tail -1 | cut -c 1-79",
        "tcp        0      0 0.0.0.0:80              0.0.0.0:*               LISTEN     \n",
    );
}
