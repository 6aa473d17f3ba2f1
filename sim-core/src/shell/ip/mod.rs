//! `ip` (iproute2 6.1): addresses, links, routes, neighbours, rules, tunnels, ports of GUE. Objects and commands may be shortened as
//! there: the first that begins so is meant, and `ip add` is `ip address`.
//!
//! # Not modelled
//! IPv6, network namespaces, JSON, monitor, xfrm, multicast routes; they are refused.

mod address;
mod fou;
mod link;
mod neigh;
mod route;
mod rule;
mod tunnel;

use super::command::{Call, Command, Fault, Opt, Outcome, did_you_mean};
use crate::base::id::IfaceId;
use crate::kernel::syscall::Sys;
use crate::tables::Refusal;
use crate::trace::record::Scope;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// `ip`.
pub(super) const COMMAND: Command = Command {
    names: &["ip"],
    summary: "addresses, links, routes, neighbours, rules, tunnels",
    options: &[
        Opt::flag("-4", "IPv4 only"),
        Opt::flag("-o", "one line each"),
        Opt::flag("-br", "in short"),
        Opt::flag("-s", "counters"),
        Opt::accepted("-d", false, "details: nothing more is known"),
        Opt::accepted("-c", false, "colour"),
        Opt::accepted("-h", false, "readable numbers"),
        Opt::accepted("-N", false, "numbers for names"),
        Opt::flag("address", "add change replace del show flush"),
        Opt::flag("link", "add del set show"),
        Opt::flag("route", "add append change replace prepend del show flush get"),
        Opt::flag("neighbour", "add change replace del show flush"),
        Opt::flag("rule", "add del show flush"),
        Opt::flag("tunnel", "add change del show"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
        Opt::refused("-j", false, "read the text instead"),
        Opt::refused("-n", true, "a host is a host of its own here"),
        Opt::refused("-b", true, "use a script"),
        Opt::refused("addrlabel", false, "IPv6 is not modelled"),
        Opt::refused("maddress", false, "multicast groups are joined by programs"),
        Opt::refused("ntable", false, "use sysctl net.ipv4.neigh"),
        Opt::refused("l2tp", false, "only ipip, gre and gue tunnels are modelled"),
        Opt::flag("fou", "add del show: ports of GUE"),
        Opt::refused("ila", false, "IPv6 is not modelled"),
        Opt::refused("macsec", false, "encryption is not modelled"),
        Opt::refused("tuntap", false, "use a dummy interface"),
        Opt::refused("token", false, "IPv6 is not modelled"),
        Opt::refused("tcpmetrics", false, "TCP keeps no metrics in the lab"),
        Opt::refused("monitor", false, "the run's events say what changed"),
        Opt::refused("xfrm", false, "encryption is not modelled"),
        Opt::refused("mroute", false, "multicast routes are not modelled"),
        Opt::refused("mrule", false, "multicast routes are not modelled"),
        Opt::refused("netns", false, "a host is a host of its own here"),
        Opt::refused("netconf", false, "use sysctl"),
        Opt::refused("vrf", false, "use ip rule and tables"),
        Opt::refused("sr", false, "IPv6 is not modelled"),
        Opt::refused("nexthop", false, "name the gateway in the route"),
        Opt::refused("mptcp", false, "not modelled"),
    ],
    check,
    run,
};

pub(super) use tunnel::load;

/// Objects in the order in which a shortened word is looked for.
const OBJECTS: &[&str] = &[
    "address",
    "addrlabel",
    "maddress",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "ntable",
    "link",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "tunnel",
    "tunl",
    "tuntap",
    "token",
    "tcpmetrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netns",
    "netconf",
    "vrf",
    "sr",
    "nexthop",
    "mptcp",
    "help",
];

/// How things are to be shown.
#[derive(Clone, Copy, Debug, Default)]
struct Style {
    /// `-4`
    ipv4: bool,
    /// `-o`
    one_line: bool,
    /// `-br`
    brief: bool,
    /// `-s`
    counters: bool,
}

/// Why a command ended: exit status and message.
struct Stop(i32, String);

type Done = Result<(), Stop>;

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut at = 1;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let meant = option(word);
        let row = command.options.iter().find(|row| row.name == meant);
        match row {
            Some(row) if row.status == super::command::Status::Refused => {
                return vec![Fault::not_modelled(at, format!("ip {word} is not modelled")).hint(row.note)];
            }
            Some(_) => {}
            None if matches!(meant, "-f" | "-V" | "-l" | "-rc" | "-t" | "-a") => {}
            None => return vec![super::command::unknown_option(command, at, word)],
        }
        at += 1 + usize::from(meant == "-f" || meant == "-l");
    }
    let Some(word) = words.get(at) else { return Vec::new() };
    let Some(object) = OBJECTS.iter().find(|object| object.starts_with(word)) else {
        let fault = Fault::unknown(at, format!("ip has no object \"{word}\""));
        return vec![match did_you_mean(word, OBJECTS.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean \"{near}\"?")),
            None => fault.hint("address, link, route, neighbour, rule and tunnel are modelled"),
        }];
    };
    let row = command.options.iter().find(|row| row.name == *object);
    match row {
        Some(row) if row.status == super::command::Status::Refused => {
            vec![Fault::not_modelled(at, format!("ip {object} is not modelled")).hint(row.note)]
        }
        _ => {
            let rest = &words[at + 1..];
            let mut faults = match *object {
                "address" => address::check(rest),
                "link" => link::check(rest),
                "route" => route::check(rest),
                "neighbor" | "neighbour" => neigh::check(rest),
                "rule" => rule::check(rest),
                "tunnel" | "tunl" => tunnel::check(rest),
                "fou" => fou::check(rest),
                _ => Vec::new(),
            };
            for fault in &mut faults {
                fault.word += at + 1;
            }
            faults
        }
    }
}

/// An option as it stands in the table: `-oneline`, `--oneline` and `-o` are `-o`.
fn option(word: &str) -> &str {
    let word = if word.starts_with("--") { &word[1..] } else { word };
    for (name, shortest) in [
        ("-oneline", 2),
        ("-brief", 3),
        ("-statistics", 2),
        ("-stats", 2),
        ("-details", 2),
        ("-color", 2),
        ("-human", 2),
        ("-iec", 2),
        ("-Numeric", 2),
        ("-json", 2),
        ("-netns", 2),
        ("-batch", 2),
        ("-family", 2),
        ("-Version", 2),
        ("-loops", 2),
        ("-rcvbuf", 3),
        ("-resolve", 2),
        ("-timestamp", 2),
        ("-all", 2),
    ] {
        if word.len() >= shortest && name.starts_with(word) {
            return match name {
                "-brief" => "-br",
                "-iec" => "-h",
                "-resolve" => "-N",
                "-rcvbuf" => "-rc",
                _ => &name[..2],
            };
        }
    }
    word
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let mut words = Words { words: call.args(), at: 0 };
    let mut style = Style::default();
    while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
        words.at += 1;
        match option(word) {
            "-4" => style.ipv4 = true,
            "-o" => style.one_line = true,
            "-br" => style.brief = true,
            "-s" => style.counters = true,
            "-f" => match words.next() {
                Some("inet") => style.ipv4 = true,
                other => {
                    let name = other.unwrap_or_default();
                    return call.fail(255, format!("Error: argument \"{name}\" is wrong: invalid protocol family\n"));
                }
            },
            "-V" => {
                call.out("ip utility, iproute2-6.1.0, libbpf 1.1.0\n");
                return Outcome::Done(0);
            }
            "-l" => {
                words.next();
            }
            "-c" | "-d" | "-h" | "-N" | "-rc" | "-t" | "-a" => {}
            _ => return call.fail(255, format!("Option \"{word}\" is unknown, try \"ip -help\".\n")),
        }
    }
    let Some(word) = words.next() else { return call.fail(255, USAGE) };
    let object = OBJECTS.iter().find(|object| object.starts_with(word)).copied();
    let mut it = Ip { call, sys, words, style };
    let done = match object {
        Some("address") => address::run(&mut it),
        Some("link") => link::run(&mut it),
        Some("route") => route::run(&mut it),
        Some("neighbor" | "neighbour") => neigh::run(&mut it),
        Some("rule") => rule::run(&mut it),
        Some("tunnel" | "tunl") => tunnel::run(&mut it),
        Some("fou") => fou::run(&mut it),
        Some("help") => Err(Stop(255, USAGE.trim_end().to_owned())),
        _ => Err(Stop(1, format!("Object \"{word}\" is unknown, try \"ip help\"."))),
    };
    match done {
        Ok(()) => Outcome::Done(0),
        Err(Stop(code, message)) if message.is_empty() => Outcome::Done(code),
        Err(Stop(code, message)) => call.fail(code, format!("{message}\n")),
    }
}

/// One call of `ip`.
struct Ip<'i, 'c, 'a, 'cx> {
    call: &'i mut Call<'c>,
    sys: &'i mut Sys<'a, 'cx>,
    words: Words<'c>,
    style: Style,
}

/// The words that are left.
#[derive(Clone, Copy, Debug)]
struct Words<'w> {
    words: &'w [String],
    at: usize,
}

impl<'w> Words<'w> {
    fn next(&mut self) -> Option<&'w str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    fn peek(&self) -> Option<&'w str> {
        self.words.get(self.at).map(String::as_str)
    }

    /// The word after a keyword.
    fn value(&mut self) -> Result<&'w str, Stop> {
        self.next().ok_or_else(|| Stop(255, "Command line is not complete. Try option \"help\"".into()))
    }
}

impl Ip<'_, '_, '_, '_> {
    /// The interface that `dev NAME` means, for changes.
    fn device(&self, name: &str) -> Result<IfaceId, Stop> {
        let found = self.sys.kernel.tables.interfaces.named(name);
        found.map(|interface| interface.id).ok_or_else(|| Stop(1, format!("Cannot find device \"{name}\"")))
    }

    /// The same, for looking.
    fn shown_device(&self, name: &str) -> Result<IfaceId, Stop> {
        let found = self.sys.kernel.tables.interfaces.named(name);
        found.map(|interface| interface.id).ok_or_else(|| Stop(1, format!("Device \"{name}\" does not exist.")))
    }

    /// The interface that the next word names, for changes.
    fn next_device(&mut self) -> Result<IfaceId, Stop> {
        let name = self.words.value()?;
        self.device(name)
    }

    /// The same, for looking.
    fn next_shown_device(&mut self) -> Result<IfaceId, Stop> {
        let name = self.words.value()?;
        self.shown_device(name)
    }

    fn name_of(&self, id: IfaceId) -> String {
        let found = self.sys.kernel.tables.interfaces.get(id);
        found.map_or_else(|| format!("if{}", id.0), |interface| interface.name.to_string())
    }

    fn out(&mut self, text: impl AsRef<[u8]>) {
        self.call.out(text);
    }
}

/// The command after an object; the first of `commands` that begins so.
fn command(words: &mut Words<'_>, commands: &[&'static str], object: &str) -> Result<&'static str, Stop> {
    let Some(word) = words.next() else { return Ok("show") };
    match commands.iter().find(|command| command.starts_with(word)) {
        Some(&("list" | "lst")) => Ok("show"),
        Some(&"delete") => Ok("del"),
        Some(command) => Ok(command),
        None => Err(Stop(255, format!("Command \"{word}\" is unknown, try \"ip {object} help\"."))),
    }
}

/// Finds words that a command does not know; `values` are keywords that take a value.
fn check_words(words: &[&str], refused: &[(&str, &str)]) -> Vec<Fault> {
    let found = words.iter().enumerate().find_map(|(at, word)| {
        let (name, note) = refused.iter().find(|(name, _)| name == word)?;
        Some(Fault::not_modelled(at, format!("\"{name}\" is not modelled")).hint(*note))
    });
    found.into_iter().collect()
}

/// What the kernel answered to a change.
fn answer(done: Result<(), Refusal>) -> Done {
    done.map_err(|refusal| match refusal.detail() {
        // The kernel names this one only since 6.6.
        Some(detail) if refusal != Refusal::NoSuchAddress => Stop(2, format!("Error: {detail}")),
        _ => Stop(2, format!("RTNETLINK answers: {refusal}")),
    })
}

/// An address, or what `ip` says about one that is none.
fn address_of(text: &str) -> Result<Ipv4Addr, Stop> {
    lenient(text).ok_or_else(|| Stop(1, format!("Error: any valid address is expected rather than \"{text}\".")))
}

/// `ADDRESS/PREFIX` with its host bits; the prefix is 32 if it is not given.
fn prefix_of(text: &str) -> Result<(Ipv4Addr, u8), Stop> {
    let wrong = || Stop(1, format!("Error: any valid prefix is expected rather than \"{text}\"."));
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address = lenient(address).ok_or_else(wrong)?;
    let length = match length {
        None => 32,
        Some(mask) if mask.contains('.') => {
            let mask: Ipv4Addr = mask.parse().map_err(|_| wrong())?;
            ipnet::ipv4_mask_to_prefix(mask).map_err(|_| wrong())?
        }
        Some(length) => length.parse().ok().filter(|length| *length <= 32).ok_or_else(wrong)?,
    };
    Ok((address, length))
}

/// A network; `default` and `any` are 0.0.0.0/0. Host bits stay and are refused by the kernel.
fn network_of(text: &str) -> Result<Ipv4Net, Stop> {
    if matches!(text, "default" | "any" | "all") {
        return Ok(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0));
    }
    let (address, length) = prefix_of(text)?;
    let length = if text.contains('/') { length } else { length_of(text) };
    Ok(Ipv4Net::new_assert(address, length))
}

/// As iproute2 reads addresses: `10.1` is 10.1.0.0.
fn lenient(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let mut octets = [0; 4];
    if parts.len() > 4 {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(&parts) {
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    Some(Ipv4Addr::from(octets))
}

/// `10.1` without a prefix length is 10.1.0.0/16.
fn length_of(text: &str) -> u8 {
    text.split('.').count() as u8 * 8
}

fn scope_of(text: &str) -> Option<Scope> {
    Some(match text {
        "global" | "universe" | "0" => Scope::Global,
        "link" | "253" => Scope::Link,
        "host" | "254" => Scope::Host,
        "nowhere" | "255" => Scope::Nowhere,
        _ => return None,
    })
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Global => "global",
        Scope::Link => "link",
        Scope::Host => "host",
        Scope::Nowhere => "nowhere",
    }
}

const USAGE: &str = "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | link | neighbour | route | rule | tunnel | fou }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -4 | -o[neline] | -br[ief] }
";
