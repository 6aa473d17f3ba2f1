//! Programs that people type on such hosts and that the lab does not have: what to type or write in their place.

use super::command::{Call, Command, Fault, Outcome};
use crate::kernel::syscall::Sys;

/// Every such program.
pub(super) const COMMAND: Command = Command {
    names: &NAMES,
    summary: "refused: each says what to type instead",
    options: &[],
    check: |_, words| {
        let name = super::command::base_name(words[0]);
        let instead = INSTEAD.iter().find(|(known, _)| *known == name).map_or("", |(_, instead)| instead);
        vec![Fault::not_modelled(0, format!("{name} is not modelled")).hint(instead)]
    },
    run: nothing,
};

const INSTEAD: [(&str, &str); 33] = [
    (
        "tc",
        "loss, delay and rate belong to the cable: (at: \"5s\", set_link: (\"lb1:eth0\", (loss: \"30%\"))) in the script:",
    ),
    ("nft", "write the rules with iptables"),
    ("iptables-restore", "service iptables start reads /etc/sysconfig/iptables; or type the rules with iptables"),
    ("conntrack", "the stepper shows the connections that are tracked (key 9)"),
    (
        "man",
        "the book explains keepalived.conf, ipvsadm and the rest; lvslab commands NAME lists the options of a command",
    ),
    ("info", "lvslab commands NAME lists the options of a command"),
    ("top", "ps aux lists the processes; nothing in the lab uses processor time"),
    ("htop", "ps aux lists the processes; nothing in the lab uses processor time"),
    ("free", "the memory of hosts is not modelled"),
    ("df", "the disks of hosts are not modelled"),
    ("du", "the disks of hosts are not modelled"),
    ("lsof", "ss -lntp lists who listens"),
    ("fuser", "ss -lntp lists who listens"),
    ("strace", "lvslab tui steps through what a host does; lvslab explain tells a packet's journey"),
    ("nmap", "nc -zv HOST PORT tries a port"),
    ("telnet", "nc HOST PORT talks to a port"),
    ("dig", "names come from the host's /etc/hosts; there is no DNS"),
    ("nslookup", "names come from the host's /etc/hosts; there is no DNS"),
    ("host", "names come from the host's /etc/hosts; there is no DNS"),
    ("mtr", "traceroute and ping are modelled"),
    ("tracepath", "traceroute is modelled"),
    ("iperf", "ab -n -c loads a server; lvslab bench measures the lab"),
    ("iperf3", "ab -n -c loads a server; lvslab bench measures the lab"),
    ("hping3", "curl, nc, ping and ab are modelled"),
    ("lynx", "curl shows a page"),
    ("links", "curl shows a page"),
    ("elinks", "curl shows a page"),
    ("su", "everybody is root already"),
    ("find", "ls lists a folder, grep looks into files"),
    ("diff", "cat shows both files; lvslab diff compares two scenarios"),
    ("crontab", "what happens at which time stands in the scenario's script:"),
    ("nmcli", "ip addr, ip route, ifup and service network change what is configured"),
    ("python3", "scripts are written for bash"),
];

const NAMES: [&str; INSTEAD.len()] = {
    let mut names = [""; INSTEAD.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = INSTEAD[at].0;
        at += 1;
    }
    names
};

/// What is not modelled gets here only from a caller that did not ask the check.
fn nothing(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let name = call.name();
    call.fail(super::command::NOT_MODELLED, format!("{name} is not modelled\n"))
}
