//! `ping`. What it does stands in `apps/ping`.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::ping::{self, Ping};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use std::net::Ipv4Addr;

/// `ping`.
pub(super) const COMMAND: Command = Command {
    names: &["ping"],
    summary: "asks a host for an echo",
    options: &[
        Opt::value("-c", "stops after so many"),
        Opt::value("-i", "seconds from one to the next"),
        Opt::value("-W", "seconds to wait for the last answer"),
        Opt::value("-w", "stops after so many seconds"),
        Opt::value("-s", "octets of data"),
        Opt::value("-t", "TTL"),
        Opt::value("-I", "source address, or the interface that has it"),
        Opt::flag("-q", "the summary only"),
        Opt::accepted("-n", false, "addresses are shown as numbers anyway"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::value("-M", "do: never in fragments; want: DF is set if it fits"),
        Opt::refused("-f", false, "give -i a small value"),
        Opt::refused("-b", false, "hosts do not answer broadcasts"),
        Opt::refused("-R", false, "IP options are not modelled"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(2, format!("ping: {unreadable}\n")),
    };
    let [target] = options.words[..] else { return call.fail(2, "ping: usage error: Destination address required\n") };
    let Some(address) = sys.resolve(target) else {
        return call.fail(2, format!("ping: {target}: Name or service not known\n"));
    };
    match translate(&options, target, address, sys) {
        Ok(options) => Outcome::Became(Box::new(Ping::new(options))),
        Err(problem) => call.fail(2, format!("ping: {problem}\n")),
    }
}

fn translate(options: &Options, target: &str, address: Ipv4Addr, sys: &Sys) -> Result<ping::Options, String> {
    let source = match options.value(&["-I"]) {
        None => None,
        Some(text) => match (text.parse(), sys.kernel.tables.interfaces.named(text)) {
            (Ok(address), _) => Some(address),
            (Err(_), Some(interface)) => interface.addresses.first().map(|address| address.address),
            (Err(_), None) => return Err(format!("unknown iface: {text}")),
        },
    };
    Ok(ping::Options {
        target: target.to_owned(),
        address,
        count: number(options, "-c", 1, i64::MAX as u64)?,
        interval: seconds(options, "-i")?.unwrap_or(Duration::from_secs(1)).max(Duration::from_millis(2)),
        timeout: seconds(options, "-W")?,
        deadline: seconds(options, "-w")?,
        size: number(options, "-s", 0, 65_507)?.map_or(56, |size| size as u16),
        ttl: number(options, "-t", 1, 255)?.map(|ttl| ttl as u8),
        source,
        whole: match options.value(&["-M"]) {
            Some("do") => true,
            None | Some("want") => false,
            Some("dont") => return Err("-M dont is not modelled".into()),
            Some(other) => return Err(format!("invalid -M argument: {other}")),
        },
        quiet: options.has(&["-q"]),
    })
}

fn number(options: &Options, name: &str, least: u64, most: u64) -> Result<Option<u64>, String> {
    let Some(text) = options.value(&[name]) else { return Ok(None) };
    let number = text.parse::<u64>().map_err(|_| format!("invalid argument: '{text}'"))?;
    if (least..=most).contains(&number) {
        return Ok(Some(number));
    }
    Err(format!("invalid argument: '{text}': out of range: {least} <= value <= {most}"))
}

fn seconds(options: &Options, name: &str) -> Result<Option<Duration>, String> {
    let Some(text) = options.value(&[name]) else { return Ok(None) };
    Duration::parse(&format!("{text}s")).map(Some).ok_or_else(|| format!("bad timing interval: {text}"))
}
