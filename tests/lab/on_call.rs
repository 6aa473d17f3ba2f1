//! What somebody on call types and reads: commands on a host in the middle of a failover, and the account of one.

use crate::lvslab::{prints, run, text};

/// What a line typed on a host prints, with its exit status: both streams.
fn types(scenario: &str, host: &str, at: &str, line: &str) -> (i32, String) {
    let output = run(&["exec", scenario, host, "--at", at, "--", line]);
    (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn what_an_endless_command_has_printed_is_shown_when_the_run_ends() {
    let (status, said) = types("tutorial-003-vrrp", "ka1", "15s", "tail -f /var/log/messages");
    assert_eq!(status, 124, "{said}");
    assert!(said.contains("(VI_1) removing VIPs.") && said.contains("still running when the run ended"), "{said}");
    let (status, said) = types("tutorial-003-vrrp", "ka1", "15s", "timeout 2.5 tcpdump -i ens33 -nn vrrp");
    assert_eq!((status, said.matches("vrid 100, prio 100").count()), (124, 2), "{said}");
    assert!(said.contains("2 packets captured"), "{said}");
}

#[test]
fn a_typed_line_is_answered_by_the_real_programs_words_and_a_hint_of_the_lab() {
    let cases = [
        ("ipvsadm -Ln --frob", 255, "--frob: unknown option", "hint: lvslab commands ipvsadm"),
        ("keepalivd -t", 127, "keepalivd: command not found", "hint: did you mean \"keepalived\"?"),
        ("systemctl start keepalive", 5, "Unit keepalive.service not found.", "hint: did you mean keepalived?"),
        ("tc qdisc add dev ens33 root netem loss 30%", 125, "tc is not modelled", "set_link"),
    ];
    for (line, status, words, hint) in cases {
        let (found, said) = types("tutorial-003-vrrp", "ka1", "15s", line);
        assert_eq!(found, status, "{line}: {said}");
        assert!(said.contains(words) && said.contains(hint), "{line}: {said}");
        assert!(!said.contains("note:"), "what is to be said about the scenario is no answer: {said}");
    }
}

#[test]
fn restarting_the_network_takes_the_virtual_address_away_until_the_router_is_master_again() {
    let (_, said) = types("tutorial-003-vrrp", "ka1", "41s", "systemctl restart network; ip -br a; sleep 8; ip -br a");
    let cards: Vec<&str> = said.lines().filter(|line| line.starts_with("ens33")).map(str::trim_end).collect();
    let bare = "ens33            UP             192.168.10.170/24";
    assert_eq!(cards, [bare.to_owned(), format!("{bare} 192.168.10.240/24")], "{said}");
}

#[test]
fn the_account_says_who_had_the_address_and_why_a_backup_took_over() {
    let cases = [
        ("failover-crash", "n2 took over from n1, 3648 ms after the last advert it heard"),
        ("failover-stop", "n2 took over from n1, 648 ms after it heard that n1 leaves"),
        ("weight-enough", "n2 took over from n1: it preempts, with priority 90 against 80"),
        ("password-mismatch", "it heard adverts and believed none, for they had another password"),
        ("firewall-drops-vrrp", "it heard no advert; announced 0.30 ms later; n1 was still master"),
        ("stale-vip-after-kill-9", "the address was on: n1 3.609–40.000, n2 15.259–43.609, n1 43.609–the end"),
        ("tutorial-002-pair", "the address was on: lb1 10.000–40.000, lb2 45.726–75.000, lb1 80.000–the end"),
        ("garp-lost", "client believed 02:00:00:00:02:01 (n1:eth0) wrongly for 21.9 s"),
    ];
    for (scenario, told) in cases {
        let printed = prints(&["run", scenario]);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&printed).contains(told), "{scenario}: {told}\n{printed}");
    }
    let printed = prints(&["run", "weight-enough"]);
    assert!(!printed.contains("is claimed by"), "a handover is no dispute: {printed}");
}
