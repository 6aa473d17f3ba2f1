//! `arptables`, also as `arptables-legacy` and `arptables-nft`: rules for ARP messages.
//!
//! The chains are called INPUT and OUTPUT; in Red Hat's `arptables_jf` (CentOS 4, RHEL 6) IN and OUT.
//!
//! # Not modelled
//! The FORWARD chain, chains of the user's, matches on lengths and hardware types.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use crate::kernel::Os;
use crate::kernel::syscall::Sys;
use crate::tables::filter::arp::{ArpHook, ArpMatches, ArpRule, ArpTables, ArpTarget, Variant};
use crate::tables::filter::{IfaceName, Maybe, RuleError};
use crate::wire::Mac;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// `arptables`.
pub(super) const COMMAND: Command = Command {
    names: &["arptables", "arptables-legacy", "arptables-nft"],
    summary: "rules for ARP messages",
    options: &[
        Opt::value("-A", "appends a rule to a chain"),
        Opt::value("-I", "inserts a rule into a chain"),
        Opt::value("-D", "deletes a rule of a chain"),
        Opt::value("-P", "what happens at the end of a chain"),
        Opt::flag("-L", "lists the rules"),
        Opt::flag("-F", "deletes all rules"),
        Opt::flag("-Z", "zeroes the counters"),
        Opt::value("-s", "sender address"),
        Opt::value("-d", "target address"),
        Opt::value("-i", "the interface it came by"),
        Opt::value("-o", "the interface it leaves by"),
        Opt::value("-j", "what happens: ACCEPT, DROP, CONTINUE, mangle"),
        Opt::value("--source-mac", "sender MAC"),
        Opt::value("--opcode", "1 request, 2 reply"),
        Opt::value("--mangle-ip-s", "the sender address to write"),
        Opt::value("--mangle-ip-d", "the target address to write"),
        Opt::value("--mangle-target", "DROP, CONTINUE or ACCEPT afterwards"),
        Opt::flag("-n", "numbers, not names"),
        Opt::flag("-v", "counters too"),
        Opt::refused("-N", true, "chains of the user's are not modelled"),
        Opt::refused("-X", false, "chains of the user's are not modelled"),
        Opt::refused("-R", true, "delete the rule and insert another"),
        Opt::refused("--destination-mac", true, "ARP questions have no target MAC"),
        Opt::refused("--mangle-mac-s", true, "only addresses are written"),
        Opt::refused("--mangle-mac-d", true, "only addresses are written"),
        Opt::refused("--h-length", true, "all hardware is Ethernet"),
        Opt::refused("--h-type", true, "all hardware is Ethernet"),
        Opt::refused("--proto-type", true, "all addresses are IPv4"),
    ],
    check,
    run,
};

/// One command line, taken apart.
#[derive(Debug, Default)]
struct Line {
    action: Option<Action>,
    matches: ArpMatches,
    target: Option<String>,
    mangle_sender: Option<Ipv4Addr>,
    mangle_target: Option<Ipv4Addr>,
    then: Option<String>,
    numeric: bool,
    verbose: bool,
}

#[derive(Clone, Debug)]
enum Action {
    Append(String),
    Insert(String, usize),
    Delete(String, Option<usize>),
    Policy(String, String),
    List(Option<String>),
    Flush(Option<String>),
    Zero(Option<String>),
}

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let plain: Vec<&str> = words.iter().map(|word| if *word == "!" { "-n" } else { word }).collect();
    getopt(command, &plain)
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let os = sys.kernel.os;
    let variant = match (call.name(), os) {
        ("arptables-nft", _) | ("arptables", Os::Debian12) => Variant::Nft,
        _ => Variant::Legacy,
    };
    let version = if variant == Variant::Nft { "v1.8.9 (nf_tables)" } else { "v0.0.4" };
    let done = read(call.args()).and_then(|line| apply(line, variant, os, &mut sys.kernel.tables.filter.arp));
    match done {
        Ok(text) => {
            call.out(text);
            Outcome::Done(0)
        }
        Err(Problem::Usage(problem)) => {
            let help = "Try `arptables -h' or 'arptables --help' for more information.";
            call.fail(2, format!("arptables {version}: {problem}\n{help}\n"))
        }
        Err(Problem::Kernel(error)) => call.fail(1, format!("arptables: {error}\n")),
    }
}

enum Problem {
    Usage(String),
    Kernel(RuleError),
}

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        Problem::Kernel(error)
    }
}

fn read(args: &[String]) -> Result<Line, Problem> {
    let mut line = Line::default();
    let mut args = args.iter().map(String::as_str).peekable();
    let mut inverted = false;
    while let Some(word) = args.next() {
        if word == "!" {
            inverted = true;
            continue;
        }
        let (word, glued) = word.split_once('=').map_or((word, None), |(word, value)| (word, Some(value)));
        let missing = || Problem::Usage(format!("option \"{word}\" requires an argument"));
        let mut value = || {
            if glued.is_some() {
                return glued.ok_or_else(missing);
            }
            if args.peek() == Some(&"!") {
                inverted = true;
                args.next();
            }
            args.next().ok_or_else(missing)
        };
        match word {
            "-A" | "--append" => line.action = Some(Action::Append(value()?.into())),
            "-I" | "--insert" => {
                let chain = value()?.to_owned();
                let at = args.next_if(|word| word.parse::<usize>().is_ok()).and_then(|at| at.parse().ok()).unwrap_or(1);
                line.action = Some(Action::Insert(chain, at));
            }
            "-D" | "--delete" => {
                let chain = value()?.to_owned();
                let at = args.next_if(|word| word.parse::<usize>().is_ok()).and_then(|at| at.parse().ok());
                line.action = Some(Action::Delete(chain, at));
            }
            "-P" | "--policy" => {
                let chain = value()?.to_owned();
                let policy = args.next().ok_or_else(missing)?.to_owned();
                line.action = Some(Action::Policy(chain, policy));
            }
            "-L" | "--list" | "-F" | "--flush" | "-Z" | "--zero" => {
                let chain = args.next_if(|word| !word.starts_with('-')).map(String::from);
                line.action = Some(match word {
                    "-L" | "--list" => Action::List(chain),
                    "-F" | "--flush" => Action::Flush(chain),
                    _ => Action::Zero(chain),
                });
            }
            "-n" | "--numeric" => line.numeric = true,
            "-v" | "--verbose" => line.verbose = true,
            "-nv" | "-vn" => (line.numeric, line.verbose) = (true, true),
            "-s" | "--source-ip" | "--src-ip" => line.matches.source = Some(net(value()?)?),
            "-d" | "--destination-ip" | "--dst-ip" => line.matches.destination = Some(net(value()?)?),
            "-i" | "--in-interface" => line.matches.in_iface = Some(Maybe::is(IfaceName(value()?.into()))),
            "-o" | "--out-interface" => line.matches.out_iface = Some(Maybe::is(IfaceName(value()?.into()))),
            "--source-mac" | "--src-mac" => line.matches.source_mac = Some(Maybe::is(mac(value()?)?)),
            "--opcode" => line.matches.opcode = Some(Maybe::is(opcode(value()?)?)),
            "-j" | "--jump" => line.target = Some(value()?.into()),
            "--mangle-ip-s" => line.mangle_sender = Some(address(value()?)?),
            "--mangle-ip-d" => line.mangle_target = Some(address(value()?)?),
            "--mangle-target" => line.then = Some(value()?.into()),
            "-Ln" | "-nL" => (line.action, line.numeric) = (Some(Action::List(None)), true),
            "-Lnv" | "-nvL" | "-vnL" | "-Lvn" => {
                (line.action, line.numeric, line.verbose) = (Some(Action::List(None)), true, true);
            }
            other if other.starts_with('-') => return Err(Problem::Usage(format!("unknown option \"{other}\""))),
            other => return Err(Problem::Usage(format!("Bad argument `{other}'"))),
        }
        if std::mem::take(&mut inverted) {
            line.matches.invert(word)?;
        }
    }
    Ok(line)
}

impl ArpMatches {
    /// `!` stood before or behind this option.
    fn invert(&mut self, option: &str) -> Result<(), Problem> {
        let place = match option {
            "-s" | "--source-ip" | "--src-ip" => self.source.as_mut().map(|field| &mut field.inverted),
            "-d" | "--destination-ip" | "--dst-ip" => self.destination.as_mut().map(|field| &mut field.inverted),
            "-i" | "--in-interface" => self.in_iface.as_mut().map(|field| &mut field.inverted),
            "-o" | "--out-interface" => self.out_iface.as_mut().map(|field| &mut field.inverted),
            "--source-mac" | "--src-mac" => self.source_mac.as_mut().map(|field| &mut field.inverted),
            "--opcode" => self.opcode.as_mut().map(|field| &mut field.inverted),
            _ => None,
        };
        let place = place.ok_or_else(|| Problem::Usage(format!("unexpected ! flag before {option}")))?;
        *place = true;
        Ok(())
    }
}

fn apply(line: Line, variant: Variant, os: Os, tables: &mut ArpTables) -> Result<String, Problem> {
    let Some(action) = line.action.clone() else { return Err(Problem::Usage("no command specified".into())) };
    let hook = |name: &str| hook(name, os);
    match action {
        Action::Append(chain) => {
            let rule = ArpRule { target: target(&line)?, matches: line.matches, packets: 0, bytes: 0 };
            tables.insert(variant, hook(&chain)?, None, rule)?;
        }
        Action::Insert(chain, at) => {
            let rule = ArpRule { target: target(&line)?, matches: line.matches, packets: 0, bytes: 0 };
            tables.insert(variant, hook(&chain)?, Some(at.saturating_sub(1)), rule)?;
        }
        Action::Delete(chain, None) => {
            tables.delete(variant, hook(&chain)?, &line.matches, &target(&line)?)?;
        }
        Action::Delete(chain, Some(at)) => {
            let at = at.checked_sub(1).ok_or(RuleError::NoIndex)?;
            tables.delete_at(variant, hook(&chain)?, at)?;
        }
        Action::Policy(chain, policy) => {
            let drops = match &*policy {
                "DROP" => true,
                "ACCEPT" => false,
                _ => return Err(Problem::Usage("Bad policy name".into())),
            };
            tables.set_policy(variant, hook(&chain)?, drops);
        }
        Action::List(chain) => return list(&line, chain.as_deref(), variant, os, tables),
        Action::Flush(chain) => hooks(chain.as_deref(), os)?.iter().for_each(|hook| tables.flush(variant, *hook)),
        Action::Zero(chain) => hooks(chain.as_deref(), os)?.iter().for_each(|hook| tables.zero(variant, *hook)),
    }
    Ok(String::new())
}

/// The chain of this name, or all.
fn hooks(chain: Option<&str>, os: Os) -> Result<Vec<ArpHook>, Problem> {
    match chain {
        Some(name) => Ok(vec![hook(name, os)?]),
        None => Ok(HOOKS.to_vec()),
    }
}

const HOOKS: [ArpHook; 2] = [ArpHook::Input, ArpHook::Output];

fn hook(name: &str, os: Os) -> Result<ArpHook, Problem> {
    HOOKS.into_iter().find(|hook| chain_name(*hook, os) == name).ok_or(Problem::Kernel(RuleError::NoChain))
}

/// Red Hat's `arptables_jf` has names of its own.
fn chain_name(hook: ArpHook, os: Os) -> &'static str {
    match (hook, os) {
        (ArpHook::Input, Os::CentOs4 | Os::Rhel6) => "IN",
        (ArpHook::Output, Os::CentOs4 | Os::Rhel6) => "OUT",
        (ArpHook::Input, Os::CentOs7 | Os::Debian12) => "INPUT",
        (ArpHook::Output, Os::CentOs7 | Os::Debian12) => "OUTPUT",
    }
}

fn target(line: &Line) -> Result<ArpTarget, Problem> {
    match line.target.as_deref() {
        None | Some("CONTINUE") => Ok(ArpTarget::Continue),
        Some("ACCEPT") => Ok(ArpTarget::Accept),
        Some("DROP") => Ok(ArpTarget::Drop),
        Some("mangle") => {
            let (sender, target) = (line.mangle_sender, line.mangle_target);
            if sender.is_none() && target.is_none() {
                return Err(Problem::Usage("no mangle option specified: --mangle-ip-s or --mangle-ip-d".into()));
            }
            Ok(ArpTarget::Mangle { sender, target, then_drop: line.then.as_deref() == Some("DROP") })
        }
        Some(_) => Err(RuleError::NoChain.into()),
    }
}

fn list(line: &Line, chain: Option<&str>, variant: Variant, os: Os, tables: &ArpTables) -> Result<String, Problem> {
    let mut text = String::new();
    if variant == Variant::Nft && tables.has_rules(Variant::Legacy) {
        text += "# Warning: arptables-legacy tables present, use arptables-legacy to see them\n";
    }
    let only = chain.map(|name| hook(name, os)).transpose()?;
    let mut headed = false;
    for hook in HOOKS.into_iter().filter(|hook| only.is_none_or(|only| only == *hook)) {
        let chain = tables.chain(variant, hook);
        let policy = if chain.drops_by_default { "DROP" } else { "ACCEPT" };
        text += if std::mem::replace(&mut headed, true) { "\n" } else { "" };
        text += &heading(chain_name(hook, os), policy, (chain.packets, chain.bytes), line.verbose);
        for rule in &chain.rules {
            text += &describe(rule, line.verbose, line.numeric);
        }
    }
    if variant == Variant::Legacy && only.is_none() {
        text += "\n";
        text += &heading("FORWARD", "ACCEPT", (0, 0), line.verbose);
    }
    Ok(text)
}

fn heading(name: &str, policy: &str, (packets, bytes): (u64, u64), verbose: bool) -> String {
    let counted = if verbose { format!(" {packets} packets, {bytes} bytes") } else { String::new() };
    format!("Chain {name} (policy {policy}{counted})\n")
}

/// `-j DROP -i * -o * -d 10.0.2.100 , pcnt=0 -- bcnt=0 `.
fn describe(rule: &ArpRule, verbose: bool, numeric: bool) -> String {
    let any = if numeric { "*" } else { "any" };
    let mut text = rule.typed(verbose.then_some(any));
    if verbose {
        text += &format!(", pcnt={} -- bcnt={} ", rule.packets, rule.bytes);
    }
    text + "\n"
}

fn net(text: &str) -> Result<Maybe<Ipv4Net>, Problem> {
    let net = text.parse::<Ipv4Net>().ok().or_else(|| Some(Ipv4Net::from(text.parse::<Ipv4Addr>().ok()?)));
    net.map(|net| Maybe::is(net.trunc())).ok_or_else(|| Problem::Usage(format!("host/network `{text}' not found")))
}

fn address(text: &str) -> Result<Ipv4Addr, Problem> {
    text.parse().map_err(|_| Problem::Usage(format!("host/network `{text}' not found")))
}

fn mac(text: &str) -> Result<Mac, Problem> {
    let mut octets = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut octets {
        let part = parts.next().and_then(|part| u8::from_str_radix(part, 16).ok());
        *octet = part.ok_or_else(|| Problem::Usage(format!("Problem with specified mac: {text}")))?;
    }
    Ok(Mac(octets))
}

fn opcode(text: &str) -> Result<u16, Problem> {
    match text {
        "Request" | "request" => Ok(1),
        "Reply" | "reply" => Ok(2),
        text => text.parse().map_err(|_| Problem::Usage("Problem with specified opcode".into())),
    }
}

/// The rules as `arptables-save` writes them, one line each, for `/etc/sysconfig/arptables`.
pub(super) fn save(os: Os, tables: &ArpTables) -> String {
    let variant = if os == Os::Debian12 { Variant::Nft } else { Variant::Legacy };
    let mut text = "*filter\n".to_owned();
    for hook in HOOKS {
        let policy = if tables.chain(variant, hook).drops_by_default { "DROP" } else { "ACCEPT" };
        text += &format!(":{} {policy}\n", chain_name(hook, os));
    }
    for hook in HOOKS {
        for rule in &tables.chain(variant, hook).rules {
            text += &format!("-A {} {}", chain_name(hook, os), describe(rule, false, true));
        }
    }
    text + "COMMIT\n"
}

/// Loads what [`save`] wrote in place of what there is; the lines that cannot be read are returned.
pub(super) fn restore(saved: &str, os: Os, tables: &mut ArpTables) -> Vec<String> {
    let variant = if os == Os::Debian12 { Variant::Nft } else { Variant::Legacy };
    for hook in HOOKS {
        tables.flush(variant, hook);
        tables.set_policy(variant, hook, false);
        tables.zero(variant, hook);
    }
    let mut unreadable = Vec::new();
    for line in saved.lines().map(str::trim) {
        let words: Vec<String> = match line.strip_prefix(':').and_then(|policy| policy.split_once(' ')) {
            Some((chain, policy)) => ["-P", chain, policy].map(String::from).into(),
            None if line.starts_with("-A") => line.split_whitespace().map(String::from).collect(),
            None => continue,
        };
        let done = read(&words).and_then(|line| apply(line, variant, os, tables));
        if done.is_err() {
            unreadable.push(line.to_owned());
        }
    }
    unreadable
}
