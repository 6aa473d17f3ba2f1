//! `traceroute`. What it does stands in `apps/traceroute`.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::{Options, Unreadable};
use crate::apps::traceroute::{self, Probe, Traceroute};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;

/// `traceroute`.
pub(super) const COMMAND: Command = Command {
    names: &["traceroute"],
    summary: "the routers on the way to a host",
    options: &[
        Opt::flag("-I", "echo requests"),
        Opt::flag("-T", "SYNs"),
        Opt::flag("-U", "datagrams (what it does anyway)"),
        Opt::flag("-n", "addresses once"),
        Opt::value("-f", "the first TTL"),
        Opt::value("-m", "the last TTL (30)"),
        Opt::value("-q", "probes per hop (3)"),
        Opt::value("-w", "seconds an answer may take (5)"),
        Opt::value("-p", "the port (UDP: the first)"),
        Opt::value("-s", "the source address"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::refused("-i", true, "give -s"),
        Opt::refused("-g", true, "IP options are not modelled"),
        Opt::refused("-A", false, "there are no autonomous systems"),
        Opt::refused("-F", false, "probes are small"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(Unreadable::Unknown(name)) => return call.fail(2, format!("Bad option `{name}' (argc 1)\n")),
        Err(Unreadable::NoValue(name)) => {
            return call.fail(2, format!("Option `{name}' (argc 1) requires an argument\n"));
        }
    };
    let Some(host) = options.words.first().copied() else {
        return call.fail(2, "Specify \"host\" missing argument.\n");
    };
    let Some(target) = sys.resolve(host) else {
        return call.fail(2, format!("{host}: Name or service not known\nCannot handle \"host\" cmdline arg `{host}' on position 1 (argc 1)\n"));
    };
    match translate(&options, host, target) {
        Ok(options) => Outcome::Became(Box::new(Traceroute::new(options))),
        Err(problem) => call.fail(2, format!("{problem}\n")),
    }
}

fn translate(options: &Options, host: &str, target: std::net::Ipv4Addr) -> Result<traceroute::Options, String> {
    let number = |name: &str, least: u16, most: u16, default: u16| match options.value(&[name]) {
        None => Ok(default),
        Some(text) => match text.parse::<u16>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(format!("Cannot handle `{name}' option with arg `{text}' (argc 2)")),
        },
    };
    let probe = match (options.has(&["-I"]), options.has(&["-T"])) {
        (true, _) => Probe::Icmp,
        (false, true) => Probe::Tcp,
        (false, false) => Probe::Udp,
    };
    let hops = number("-m", 1, 255, 30)?;
    let first = number("-f", 1, 255, 1)?;
    if first > hops {
        return Err("first hop out of range".into());
    }
    let source =
        options.value(&["-s"]).map(|text| text.parse().map_err(|_| format!("{text}: Name or service not known")));
    Ok(traceroute::Options {
        host: host.to_owned(),
        target,
        probe,
        first: first as u8,
        hops: hops as u8,
        each: number("-q", 1, 10, 3)? as u8,
        patience: Duration::from_secs(number("-w", 1, 300, 5)?.into()),
        port: number("-p", 1, u16::MAX, if probe == Probe::Tcp { 80 } else { 33_434 })?,
        source: source.transpose()?,
        numeric: options.has(&["-n"]),
    })
}
