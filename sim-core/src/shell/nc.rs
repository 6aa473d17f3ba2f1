//! `nc`, as OpenBSD's. What it does stands in `apps/netcat`.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::ipvsadm::service_name;
use super::options::Options;
use crate::apps::netcat::{self, Netcat};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// `nc`.
pub(super) const COMMAND: Command = Command {
    names: &["nc", "netcat", "ncat"],
    summary: "standard input to a connection and back",
    options: &[
        Opt::flag("-l", "listens"),
        Opt::flag("-k", "listens again after a connection"),
        Opt::flag("-u", "UDP"),
        Opt::flag("-z", "connects and nothing else; ports may be a range"),
        Opt::flag("-v", "says what comes about and what does not"),
        Opt::flag("-d", "does not read standard input"),
        Opt::flag("-N", "FIN at the end of the input"),
        Opt::value("-w", "seconds for connecting, and of silence"),
        Opt::value("-q", "ends so many seconds after the end of the input"),
        Opt::value("-p", "the port of this end"),
        Opt::value("-s", "the address of this end"),
        Opt::accepted("-n", false, "names are those of /etc/hosts"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::accepted("-t", false, "telnet's questions are not answered"),
        Opt::refused("-e", true, "write a pipe"),
        Opt::refused("-c", false, "there is no TLS"),
        Opt::refused("-U", false, "there are no sockets in files"),
        Opt::refused("-x", true, "there is no proxy"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
    ],
    check: getopt,
    run,
};

/// Ports that one call may try.
const PORTS_MAX: usize = 4096;

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(1, format!("nc: {unreadable}\n")),
    };
    match translate(&options, sys) {
        Ok(options) => Outcome::Became(Box::new(Netcat::new(options))),
        Err(problem) => call.fail(1, format!("{problem}\n")),
    }
}

fn translate(options: &Options, sys: &mut Sys) -> Result<netcat::Options, String> {
    const USAGE: &str = "usage: nc [-46dklNnuvz] [-p port] [-q seconds] [-s source] [-w timeout] [destination] [port]";
    let listens = options.has(&["-l"]);
    let (host, ports) = match options.words[..] {
        [port] if listens => ("0.0.0.0", port),
        [] if listens => ("0.0.0.0", options.value(&["-p"]).ok_or(USAGE)?),
        [host, port] => (host, port),
        _ => return Err(USAGE.into()),
    };
    let unknown = || format!("nc: getaddrinfo for host \"{host}\" port {ports}: Name or service not known");
    let address = if listens && host == "0.0.0.0" { Some(Ipv4Addr::UNSPECIFIED) } else { sys.resolve(host) };
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let wrong = || format!("nc: port number invalid: {ports}");
    let range = match ports.split_once('-') {
        Some((least, most)) => number(least).zip(number(most)).ok_or_else(wrong)?,
        None => number(ports).map(|port| (port, port)).ok_or_else(wrong)?,
    };
    let (least, most) = (range.0.min(range.1), range.0.max(range.1));
    if usize::from(most - least) >= PORTS_MAX {
        return Err(format!("nc: the lab tries {PORTS_MAX} ports of one call at most"));
    }
    let seconds = |name: &str| match options.value(&[name]) {
        None => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(seconds) => Ok(u64::try_from(seconds).ok().map(Duration::from_secs)),
            Err(_) => Err(format!("nc: timeout invalid: {text}")),
        },
    };
    let own_port = options.value(&["-p"]).filter(|_| !listens);
    let port = own_port.map_or(Ok(0), |text| number(text).ok_or(format!("nc: port number invalid: {text}")))?;
    let own = match options.value(&["-s"]) {
        None => Ipv4Addr::UNSPECIFIED,
        Some(text) => text.parse().map_err(|_| format!("nc: getaddrinfo: {text}: Name or service not known"))?,
    };
    let local = SocketAddr { address: own, port };
    Ok(netcat::Options {
        address: address.ok_or_else(unknown)?,
        host: host.to_owned(),
        ports: (least..=most).map(|port| (port, service_name(port).unwrap_or("*").to_owned())).collect(),
        listens,
        keeps_listening: options.has(&["-k"]),
        udp: options.has(&["-u"]),
        scans: options.has(&["-z"]),
        verbose: options.has(&["-v"]),
        detached: options.has(&["-d"]),
        timeout: seconds("-w")?,
        quits_after: seconds("-q")?,
        shuts_down: options.has(&["-N"]),
        local: (!own.is_unspecified() || port != 0).then_some(local),
    })
}
