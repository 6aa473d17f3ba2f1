//! Reads a command line of `iptables`.

use super::{NOT_MODELLED, Problem, table};
use crate::tables::filter::ip::{
    MarkMatch, Matches, Ports, REJECTIONS, RejectWith, TCP_FLAGS, Table, Target, TcpFlags,
};
use crate::tables::filter::{IfaceName, Maybe};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A command line, taken apart.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) table: Table,
    pub(super) action: Option<Action>,
    pub(super) matches: Matches,
    pub(super) target: Target,
    pub(super) shown: Shown,
}

/// How a listing looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    pub(super) numeric: bool,
    pub(super) verbose: bool,
    pub(super) exact: bool,
    pub(super) numbered: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Action {
    Append(String),
    Insert(String, usize),
    Delete(String),
    DeleteAt(String, usize),
    Policy(String, String),
    New(String),
    DeleteChain(Option<String>),
    Flush(Option<String>),
    Zero(Option<String>),
    List(Option<String>),
    ListRules(Option<String>),
}

/// What targets need, in whatever order it was typed.
#[derive(Debug, Default)]
struct TargetWords<'a> {
    name: Option<&'a str>,
    reject_with: Option<&'a str>,
    mark: Option<(&'a str, bool)>,
    to_source: Option<&'a str>,
}

/// ICMP types by the names that `iptables` knows.
pub(super) const ICMP_TYPES: [(&str, u8); 6] = [
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("redirect", 5),
    ("echo-request", 8),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
];

/// Reads the words after the name.
pub(super) fn line(args: &[String]) -> Result<Line, Problem> {
    let mut line = Line {
        table: Table::Filter,
        action: None,
        matches: Matches::default(),
        target: Target::Count,
        shown: Shown::default(),
    };
    let mut target = TargetWords::default();
    let mut words = args.iter().map(String::as_str).peekable();
    let mut inverted = false;
    while let Some(word) = words.next() {
        if word == "!" {
            inverted = true;
            continue;
        }
        let (word, glued) =
            word.split_once('=').filter(|_| word.starts_with("--")).map_or((word, None), |(w, v)| (w, Some(v)));
        let missing = || Problem::Usage(format!("option \"{word}\" requires an argument"));
        let mut value = || glued.or_else(|| words.next()).ok_or_else(missing);
        match word {
            "-t" | "--table" => line.table = table(value()?)?,
            "-A" | "--append" => line.action = Some(Action::Append(value()?.into())),
            "-N" | "--new-chain" => line.action = Some(Action::New(value()?.into())),
            "-P" | "--policy" => line.action = Some(Action::Policy(value()?.into(), value()?.into())),
            "-I" | "--insert" => {
                let chain = value()?.to_owned();
                let at = words.next_if(|word| word.parse::<usize>().is_ok());
                line.action = Some(Action::Insert(chain, at.and_then(|at| at.parse().ok()).unwrap_or(1)));
            }
            "-D" | "--delete" => {
                let chain = value()?.to_owned();
                let at = words.next_if(|word| word.parse::<usize>().is_ok());
                line.action = Some(match at.and_then(|at| at.parse().ok()) {
                    Some(at) => Action::DeleteAt(chain, at),
                    None => Action::Delete(chain),
                });
            }
            "-X" | "--delete-chain" | "-F" | "--flush" | "-Z" | "--zero" | "-L" | "--list" | "-S" | "--list-rules" => {
                let chain = words.next_if(|word| !word.starts_with('-') && *word != "!").map(String::from);
                let action: fn(Option<String>) -> Action = match word {
                    "-X" | "--delete-chain" => Action::DeleteChain,
                    "-F" | "--flush" => Action::Flush,
                    "-Z" | "--zero" => Action::Zero,
                    "-L" | "--list" => Action::List,
                    _ => Action::ListRules,
                };
                line.action = Some(action(chain));
            }
            "-n" | "--numeric" => line.shown.numeric = true,
            "-v" | "--verbose" => line.shown.verbose = true,
            "-x" | "--exact" => line.shown.exact = true,
            "--line-numbers" => line.shown.numbered = true,
            "-w" | "--wait" => {
                words.next_if(|word| word.parse::<u32>().is_ok());
            }
            "-m" | "--match" => known_match(value()?)?,
            "--comment" => {
                value()?;
            }
            "-j" | "--jump" => target.name = Some(value()?),
            "--reject-with" => target.reject_with = Some(value()?),
            "--set-mark" => target.mark = Some((value()?, true)),
            "--set-xmark" => target.mark = Some((value()?, false)),
            "--to-source" => target.to_source = Some(value()?),
            "--tcp-flags" => {
                let (mask, set) = (flags(value()?)?, flags(value()?)?);
                line.matches.tcp_flags =
                    Some(Maybe { value: TcpFlags { mask, set }, inverted: std::mem::take(&mut inverted) });
            }
            "--syn" => {
                let value = TcpFlags { mask: 0x17, set: 0x02 };
                line.matches.tcp_flags = Some(Maybe { value, inverted: std::mem::take(&mut inverted) });
            }
            "-Ln" | "-nL" | "-Lnv" | "-nvL" | "-vnL" | "-Lvn" | "-Lv" | "-vL" => {
                line.action = Some(Action::List(words.next_if(|word| !word.starts_with('-')).map(String::from)));
                line.shown.numeric |= word.contains('n');
                line.shown.verbose |= word.contains('v');
            }
            "-nv" | "-vn" => (line.shown.numeric, line.shown.verbose) = (true, true),
            _ if word.starts_with('-') => {
                let value = value()?;
                let (value, inverted) = match value {
                    "!" => (words.next().ok_or_else(missing)?, true),
                    value => (value, std::mem::take(&mut inverted)),
                };
                read_match(&mut line.matches, word, value, inverted)?;
            }
            other => return Err(Problem::Usage(format!("Bad argument `{other}'"))),
        }
    }
    line.target = target.read()?;
    Ok(line)
}

fn read_match(matches: &mut Matches, option: &str, value: &str, inverted: bool) -> Result<(), Problem> {
    match option {
        "-s" | "--source" | "--src" => matches.source = Some(Maybe { value: net(value)?, inverted }),
        "-d" | "--destination" | "--dst" => matches.destination = Some(Maybe { value: net(value)?, inverted }),
        "-i" | "--in-interface" => matches.in_iface = Some(Maybe { value: IfaceName(value.into()), inverted }),
        "-o" | "--out-interface" => matches.out_iface = Some(Maybe { value: IfaceName(value.into()), inverted }),
        "-p" | "--protocol" => matches.protocol = Some(Maybe { value: protocol(value)?, inverted }),
        "--sport" | "--source-port" => matches.source_ports = Some(Maybe { value: ports(value)?, inverted }),
        "--dport" | "--destination-port" => matches.destination_ports = Some(Maybe { value: ports(value)?, inverted }),
        "--icmp-type" => matches.icmp_type = Some(Maybe { value: icmp_type(value)?, inverted }),
        "--mark" => matches.mark = Some(Maybe { value: mark(value)?, inverted }),
        _ => return Err(Problem::Usage(format!("unknown option \"{option}\""))),
    }
    let ports = matches.source_ports.is_some() || matches.destination_ports.is_some();
    let named = matches!(matches.protocol, Some(Maybe { value: 6 | 17, inverted: false }));
    if ports && !named {
        return Err(Problem::Usage(format!("unknown option \"{option}\"")));
    }
    Ok(())
}

impl TargetWords<'_> {
    fn read(&self) -> Result<Target, Problem> {
        let target = match self.name {
            None => Target::Count,
            Some("ACCEPT") => Target::Accept,
            Some("DROP") => Target::Drop,
            Some("RETURN") => Target::Return,
            Some("REJECT") => Target::Reject(match self.reject_with {
                None => RejectWith::Unreachable(3),
                Some(name) => {
                    let found = REJECTIONS
                        .iter()
                        .find(|(known, _)| *known == name || known.strip_prefix("icmp-") == Some(name));
                    found.ok_or_else(|| Problem::Usage(format!("unknown reject type \"{name}\"")))?.1
                }
            }),
            Some("MARK") => match self.mark {
                Some((text, or_mask)) => {
                    let MarkMatch { value, mask } = mark(text)?;
                    Target::Mark(MarkMatch { value, mask: if or_mask { mask | value } else { mask } })
                }
                None => {
                    return Err(Problem::Usage(
                        "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required".into(),
                    ));
                }
            },
            Some("MASQUERADE") => Target::Masquerade,
            Some("SNAT") => match self.to_source.map(str::parse::<Ipv4Addr>) {
                Some(Ok(address)) => Target::Snat(address),
                Some(Err(_)) => return Err(Problem::NotModelled("a port or range behind --to-source".into())),
                None => return Err(Problem::Usage("SNAT: option \"--to-source\" must be specified".into())),
            },
            Some(name) if NOT_MODELLED[2].1.contains(&name) => {
                return Err(Problem::NotModelled(format!("the target {name}")));
            }
            Some(chain) => Target::Jump(chain.into()),
        };
        Ok(target)
    }
}

fn known_match(name: &str) -> Result<(), Problem> {
    match name {
        "tcp" | "udp" | "icmp" | "mark" | "comment" => Ok(()),
        name if NOT_MODELLED[1].1.contains(&name) => Err(Problem::NotModelled(format!("the match {name}"))),
        name => Err(Problem::Usage(format!("Couldn't load match `{name}':No such file or directory"))),
    }
}

fn net(text: &str) -> Result<Ipv4Net, Problem> {
    let bad = || Problem::Usage(format!("host/network `{text}' not found"));
    let (address, mask) = text.split_once('/').unwrap_or((text, "32"));
    let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
    let prefix = match mask.parse::<u8>() {
        Ok(prefix) => prefix,
        Err(_) => ipnet::ipv4_mask_to_prefix(mask.parse().map_err(|_| bad())?).map_err(|_| bad())?,
    };
    Ok(Ipv4Net::new(address, prefix).map_err(|_| Problem::Usage(format!("invalid mask `{mask}' specified")))?.trunc())
}

fn protocol(text: &str) -> Result<u8, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "all" => Ok(0),
        "icmp" => Ok(1),
        "ipip" | "ipencap" => Ok(4),
        "tcp" => Ok(6),
        "udp" => Ok(17),
        "gre" => Ok(47),
        "vrrp" => Ok(112),
        other => other.parse().map_err(|_| Problem::Usage(format!("unknown protocol \"{text}\" specified"))),
    }
}

fn ports(text: &str) -> Result<Ports, Problem> {
    let (first, last) = match text.split_once(':') {
        None => (port(text)?, port(text)?),
        Some((first, last)) => {
            (if first.is_empty() { 0 } else { port(first)? }, if last.is_empty() { u16::MAX } else { port(last)? })
        }
    };
    if first > last {
        return Err(Problem::Usage(format!("invalid portrange (min > max) \"{text}\"")));
    }
    Ok(Ports { first, last })
}

fn port(text: &str) -> Result<u16, Problem> {
    match text {
        "ftp" => Ok(21),
        "ssh" => Ok(22),
        "domain" => Ok(53),
        "http" => Ok(80),
        "https" => Ok(443),
        number => number.parse().map_err(|_| Problem::Usage(format!("invalid port/service `{number}' specified"))),
    }
}

fn icmp_type(text: &str) -> Result<u8, Problem> {
    let named = ICMP_TYPES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
    named.or_else(|| text.parse().ok()).ok_or_else(|| Problem::Usage(format!("Invalid ICMP type `{text}'")))
}

fn flags(text: &str) -> Result<u8, Problem> {
    match text {
        "ALL" => return Ok(0x3f),
        "NONE" => return Ok(0),
        _ => {}
    }
    text.split(',').try_fold(0, |sum, name| {
        let flag = TCP_FLAGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        flag.map(|(_, bit)| sum | bit).ok_or_else(|| Problem::Usage(format!("Unknown TCP flag `{name}'")))
    })
}

fn mark(text: &str) -> Result<MarkMatch, Problem> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    match (number(value), number(mask)) {
        (Some(value), Some(mask)) => Ok(MarkMatch { value, mask }),
        _ => Err(Problem::Usage(format!("bad mark value: \"{text}\""))),
    }
}
