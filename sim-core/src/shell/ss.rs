//! `ss`: the sockets of the host.
//!
//! # Not modelled
//! The number of a descriptor in `-p`, timers, memory, the inside of TCP, sockets in files.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use super::ipvsadm::service_name;
use super::options::Options;
use crate::kernel::sockets::SocketView;
use crate::kernel::syscall::Sys;
use crate::trace::record::program;
use crate::wire::flow::{SocketAddr, Transport};

/// `ss`.
pub(super) const COMMAND: Command = Command {
    names: &["ss"],
    summary: "the sockets of the host",
    options: &[
        Opt::flag("-t", "TCP"),
        Opt::flag("--tcp", "TCP"),
        Opt::flag("-u", "UDP"),
        Opt::flag("--udp", "UDP"),
        Opt::flag("-n", "numbers in place of names"),
        Opt::flag("--numeric", "numbers in place of names"),
        Opt::flag("-l", "those that listen"),
        Opt::flag("--listening", "those that listen"),
        Opt::flag("-a", "all states"),
        Opt::flag("--all", "all states"),
        Opt::flag("-p", "the process (without its descriptor's number)"),
        Opt::flag("--processes", "the process (without its descriptor's number)"),
        Opt::flag("-H", "no heading"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::refused("-i", false, "the inside of TCP is not shown"),
        Opt::refused("-o", false, "timers are not shown"),
        Opt::refused("-m", false, "memory is not modelled"),
        Opt::refused("-s", false, "ss -ta | wc -l counts"),
        Opt::refused("-x", false, "there are no sockets in files"),
        Opt::refused("-w", false, "raw sockets are not shown"),
        Opt::refused("-K", false, "kill the process"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
    ],
    check: |command, words| {
        let mut faults = getopt(command, words);
        let filter: Vec<&str> = words[1..].iter().copied().filter(|word| !word.starts_with('-')).collect();
        if Filter::read(&filter).is_none()
            && let Some(at) = words.iter().skip(1).position(|word| !word.starts_with('-'))
        {
            let fault = Fault::not_modelled(at + 1, "this filter of ss is not modelled");
            faults.push(fault.hint("state NAME, sport = :N, dport = :N, src A, dst A are, one after another"));
        }
        faults
    },
    run,
};

/// Which sockets are shown, besides the options.
#[derive(Debug, Default)]
struct Filter {
    state: Option<String>,
    source: Option<String>,
    destination: Option<String>,
    sport: Option<u16>,
    dport: Option<u16>,
}

impl Filter {
    fn read(words: &[&str]) -> Option<Filter> {
        let mut filter = Filter::default();
        let mut words = words.iter().copied().filter(|word| !matches!(*word, "and" | "(" | ")"));
        while let Some(word) = words.next() {
            match word {
                "state" => filter.state = Some(words.next()?.to_owned()),
                "src" => filter.source = Some(words.next()?.to_owned()),
                "dst" => filter.destination = Some(words.next()?.to_owned()),
                "sport" | "dport" => {
                    let mut port = words.next()?;
                    if matches!(port, "=" | "==" | "eq") {
                        port = words.next()?;
                    }
                    let port = Some(port.trim_start_matches(['=', ':']).parse().ok()?);
                    if word == "sport" { filter.sport = port } else { filter.dport = port }
                }
                _ => return None,
            }
        }
        Some(filter)
    }

    /// Whether sockets of this state are wanted, by what was typed or else by `-a` and `-l`.
    fn wants_state(&self, state: &str, all: bool, listening: bool) -> bool {
        let listens = matches!(state, "LISTEN" | "UNCONN");
        match self.state.as_deref() {
            Some("all") => true,
            Some("connected") => !listens,
            Some("established") => state == "ESTAB",
            Some("listening" | "listen") => listens,
            Some(wanted) => state.eq_ignore_ascii_case(wanted),
            None if all => true,
            None if listening => listens,
            None => !listens && !matches!(state, "TIME-WAIT" | "SYN-RECV"),
        }
    }

    fn lets(&self, socket: &SocketView) -> bool {
        let is = |wanted: &Option<String>, end: Option<SocketAddr>| {
            wanted.as_ref().is_none_or(|wanted| {
                end.is_some_and(|end| *wanted == end.address.to_string() || *wanted == end.to_string())
            })
        };
        let port = |wanted: Option<u16>, end: Option<SocketAddr>| {
            wanted.is_none_or(|wanted| end.is_some_and(|end| end.port == wanted))
        };
        is(&self.source, Some(socket.local))
            && is(&self.destination, socket.remote)
            && port(self.sport, Some(socket.local))
            && port(self.dport, socket.remote)
    }
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Ok(options) = Options::read(&COMMAND, call.args()) else {
        return call.fail(255, "ss: invalid option\nUsage: ss [ OPTIONS ]\n");
    };
    let Some(filter) = Filter::read(&options.words) else {
        return call.fail(255, "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n");
    };
    let (tcp, udp) = (options.has(&["-t", "--tcp"]), options.has(&["-u", "--udp"]));
    let (tcp, udp) = if tcp || udp { (tcp, udp) } else { (true, true) };
    let (listening, all) = (options.has(&["-l", "--listening"]), options.has(&["-a", "--all"]));
    let is_wanted = |socket: &SocketView| filter.wants_state(socket.state, all, listening);
    let sockets = sys.kernel.sockets.view(sys.cx.now);
    let shown = sockets.iter().filter(|socket| match socket.transport {
        Transport::Tcp => tcp,
        Transport::Udp => udp,
    });
    let shown: Vec<&SocketView> = shown.filter(|socket| is_wanted(socket) && filter.lets(socket)).collect();
    let numeric = options.has(&["-n", "--numeric"]);
    let port = |port: u16| match service_name(port).filter(|_| !numeric) {
        Some(name) => name.to_owned(),
        None => port.to_string(),
    };
    let end = |end: Option<SocketAddr>| match end {
        Some(end) => (end.address.to_string(), port(end.port)),
        None => ("0.0.0.0".into(), "*".into()),
    };
    let mut rows: Vec<[String; 9]> = Vec::new();
    if !options.has(&["-H"]) {
        let head = ["Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port", "Process"];
        rows.push(head.map(str::to_owned));
    }
    for socket in shown {
        let (local, remote) = (end(Some(socket.local)), end(socket.remote));
        let owner = socket.owner.filter(|_| options.has(&["-p", "--processes"]));
        let name = owner.and_then(|pid| sys.kernel.processes.list().find(|process| process.pid == pid));
        let users = name
            .map_or(String::new(), |process| format!("users:((\"{}\",pid={}))", program(&process.name), process.pid.0));
        rows.push([
            socket.transport.name().to_lowercase(),
            socket.state.to_owned(),
            socket.received.to_string(),
            socket.unsent.to_string(),
            local.0,
            local.1,
            remote.0,
            remote.1,
            users,
        ]);
    }
    call.out(table(&rows, tcp && udp));
    Outcome::Done(0)
}

/// The rows below each other; the first column only where there are several kinds.
fn table(rows: &[[String; 9]], with_kind: bool) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..9).map(width).collect();
    let mut text = String::new();
    for [netid, state, received, unsent, local, sport, remote, dport, users] in rows {
        if with_kind {
            text += &format!("{netid:<0$} ", widths[0]);
        }
        text += &format!("{state:<0$} {received:<1$} {unsent:<2$} ", widths[1], widths[2], widths[3]);
        text +=
            &format!("{local:>0$}:{sport:<1$} {remote:>2$}:{dport:<3$} ", widths[4], widths[5], widths[6], widths[7]);
        text += users;
        text.push('\n');
    }
    text
}
