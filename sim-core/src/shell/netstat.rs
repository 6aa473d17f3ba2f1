//! `netstat` (net-tools): sockets, routes, cards, groups.
//!
//! # Not modelled
//! Queues of sockets in files, timers, the counters of protocols.

use super::command::{Call, Command, Opt, Outcome, base_name, getopt};
use super::ipvsadm::service_name;
use super::options::Options;
use crate::kernel::sockets::SocketView;
use crate::kernel::syscall::Sys;
use crate::trace::record::LinkKind;
use crate::wire::flow::{SocketAddr, Transport};
use std::fmt::Write;

/// `netstat`.
pub(super) const COMMAND: Command = Command {
    names: &["netstat"],
    summary: "sockets (-t -u -l -a -p), routes (-r), cards (-i)",
    options: &[
        Opt::flag("-t", "TCP"),
        Opt::flag("--tcp", "TCP"),
        Opt::flag("-u", "UDP"),
        Opt::flag("--udp", "UDP"),
        Opt::flag("-l", "those that listen"),
        Opt::flag("--listening", "those that listen"),
        Opt::flag("-a", "all"),
        Opt::flag("--all", "all"),
        Opt::flag("-n", "numbers in place of names"),
        Opt::flag("--numeric", "numbers in place of names"),
        Opt::flag("-p", "the process"),
        Opt::flag("--programs", "the process"),
        Opt::flag("-r", "the routing table"),
        Opt::flag("--route", "the routing table"),
        Opt::flag("-i", "the cards"),
        Opt::flag("--interfaces", "the cards"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::accepted("-W", false, "addresses are not cut"),
        Opt::refused("-e", false, "ss -p names the process"),
        Opt::refused(
            "-s",
            false,
            "the counters of protocols are not kept; cat /proc/net/ip_vs_stats has those of IPVS",
        ),
        Opt::refused("-g", false, "tcpdump -i eth0 igmp shows who joins a group"),
        Opt::refused("-c", false, "watch -n1 netstat … repeats it"),
        Opt::refused("-x", false, "there are no sockets in files"),
        Opt::refused("-w", false, "raw sockets are not shown"),
        Opt::refused("-o", false, "timers are not shown"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => {
            return call.fail(4, format!("netstat: {wrong}\nusage: netstat [-atulnpri]\n"));
        }
    };
    let numeric = options.has(&["-n", "--numeric"]);
    if options.has(&["-r", "--route"]) {
        return super::route::kernel_table(numeric, super::route::Layout::Netstat, call, sys);
    }
    if options.has(&["-i", "--interfaces"]) {
        call.out(cards(sys));
        return Outcome::Done(0);
    }
    let (tcp, udp) = (options.has(&["-t", "--tcp"]), options.has(&["-u", "--udp"]));
    let (tcp, udp) = if tcp || udp { (tcp, udp) } else { (true, true) };
    let (listening, all) = (options.has(&["-l", "--listening"]), options.has(&["-a", "--all"]));
    let waits = |socket: &SocketView| matches!(socket.state, "LISTEN" | "UNCONN");
    let is_wanted = |socket: &&SocketView| {
        let kind = if socket.transport == Transport::Tcp { tcp } else { udp };
        kind && (all || waits(socket) == listening)
    };
    let sockets = sys.kernel.sockets.view(sys.cx.now);
    let what = match (listening, all) {
        (true, false) => "(only servers)",
        (_, true) => "(servers and established)",
        (false, false) => "(w/o servers)",
    };
    let with_owner = options.has(&["-p", "--programs"]);
    let mut text = format!("Active Internet connections {what}\n");
    text += "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ";
    text += if with_owner { " PID/Program name    \n" } else { " \n" };
    for socket in sockets.iter().filter(is_wanted) {
        let end = |end: Option<SocketAddr>| match end {
            Some(end) => {
                let port =
                    service_name(end.port).filter(|_| !numeric).map_or_else(|| end.port.to_string(), str::to_owned);
                format!("{}:{port}", end.address)
            }
            None => "0.0.0.0:*".into(),
        };
        let _ = write!(
            text,
            "{:<5} {:>6} {:>6} {:<23} {:<23} {:<11} ",
            socket.transport.name().to_lowercase(),
            socket.received,
            // The length of a listener's backlog is ss's alone.
            if socket.state == "LISTEN" { 0 } else { socket.unsent },
            end(Some(socket.local)),
            end(socket.remote),
            state(socket.state),
        );
        if with_owner {
            let owner = socket.owner.and_then(|pid| sys.kernel.processes.list().find(|process| process.pid == pid));
            let owner = owner.map_or("-".into(), |process| {
                format!("{}/{}", process.pid.0, base_name(process.name.split([' ', ':']).next().unwrap_or_default()))
            });
            let _ = write!(text, "{owner:<20}");
        }
        text.push('\n');
    }
    call.out(text);
    Outcome::Done(0)
}

/// A state in the words of net-tools.
fn state(state: &str) -> String {
    match state {
        "ESTAB" => "ESTABLISHED".into(),
        "SYN-RECV" => "SYN_RECV".into(),
        "FIN-WAIT-1" => "FIN_WAIT1".into(),
        "FIN-WAIT-2" => "FIN_WAIT2".into(),
        "UNCONN" => String::new(),
        other => other.replace('-', "_"),
    }
}

fn cards(sys: &Sys) -> String {
    let mut text = String::from(
        "Kernel Interface table\nIface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n",
    );
    let mut all: Vec<_> = sys.kernel.tables.interfaces.iter().filter(|interface| interface.up).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    for interface in all {
        let counters = interface.counters;
        let flags = match (interface.kind, interface.running()) {
            (LinkKind::Loopback, _) => "LRU",
            (_, true) => "BMRU",
            (_, false) => "BMU",
        };
        let _ = writeln!(
            text,
            "{:<8} {:>5} {:>8}      0      0 0      {:>8}      0      0      0 {flags}",
            interface.name, interface.mtu, counters.rx_packets, counters.tx_packets
        );
    }
    text
}
