//! `tcpdump`. What it does stands in `apps/sniffer`; here its expression (pcap-filter(7)) becomes a filter of the lab.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::sniffer::{self, Sniffer, Stamp};
use crate::kernel::syscall::Sys;
use crate::trace::filter::Filter;
use std::net::Ipv4Addr;

/// `tcpdump`.
pub(super) const COMMAND: Command = Command {
    names: &["tcpdump"],
    summary: "shows the frames that pass an interface",
    options: &[
        Opt::value("-i", "the interface, or any"),
        Opt::value("-c", "stops after so many"),
        Opt::flag("-e", "the Ethernet header too"),
        Opt::flag("-v", "the IPv4 header too"),
        Opt::flag("-vv", "the IPv4 header too"),
        Opt::flag("-t", "no time; -tt, -ttt, -tttt: seconds, since the line before, with the date"),
        Opt::flag("-vvv", "the IPv4 header too"),
        Opt::accepted("-n", false, "addresses are shown as numbers anyway"),
        Opt::accepted("-nn", false, "ports are shown as numbers anyway"),
        Opt::accepted("-l", false, "every line is written at once anyway"),
        Opt::accepted("-p", false, "a switch shows a card only what is flooded or for it"),
        Opt::accepted("-s", true, "frames are always taken whole"),
        Opt::refused("-w", true, "lvslab run --pcap writes captures"),
        Opt::refused("-r", true, "lvslab run --pcap writes captures"),
        Opt::refused("-A", false, "the stepper shows octets"),
        Opt::refused("-X", false, "the stepper shows octets"),
        Opt::refused("-q", false, "every line is as long as it is"),
        Opt::refused("-D", false, "type ip link"),
    ],
    check: getopt,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(1, format!("tcpdump: {unreadable}\n")),
    };
    let interfaces = &sys.kernel.tables.interfaces;
    let first = || interfaces.iter().find(|interface| interface.port().is_some()).map(|interface| &*interface.name);
    let name = options.value(&["-i"]).or_else(first).unwrap_or("any").to_owned();
    let iface = match name.as_str() {
        "any" => None,
        name => match interfaces.named(name) {
            Some(interface) => Some(interface.id),
            None => return call.fail(1, format!("tcpdump: {name}: No such device exists\n(No such device exists)\n")),
        },
    };
    let words: Vec<String> = options.words.iter().flat_map(|word| split(word)).collect();
    let filter = match expression(&words) {
        Ok(filter) => filter,
        Err(()) => return call.fail(1, "tcpdump: can't parse filter expression: syntax error\n"),
    };
    let count = match options.value(&["-c"]).map(str::parse::<u64>) {
        None => None,
        Some(Ok(count)) if count > 0 => Some(count),
        Some(_) => return call.fail(1, "tcpdump: invalid packet count\n"),
    };
    Outcome::Became(Box::new(Sniffer::new(sniffer::Options {
        iface,
        name,
        filter,
        count,
        ethernet: options.has(&["-e"]),
        verbose: options.has(&["-v", "-vv", "-vvv"]),
        stamp: match options.given.iter().filter(|(name, _)| *name == "-t").count() {
            0 => Stamp::Clock,
            1 => Stamp::None,
            2 => Stamp::Unix,
            3 => Stamp::Gap,
            4 => Stamp::Date,
            _ => Stamp::SinceFirst,
        },
    })))
}

/// Words of an expression; brackets are words of their own.
fn split(text: &str) -> Vec<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('!', " not ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// The filter that an expression means; none if there is no expression.
fn expression(words: &[String]) -> Result<Option<Filter>, ()> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut text = String::new();
    let mut at = 0;
    let mut wants_operator = false;
    while let Some(word) = words.get(at) {
        let joins = matches!(word.as_str(), "and" | "&&" | "or" | "||" | ")");
        if wants_operator && !joins {
            // Two primitives side by side: both.
            text.push_str(" && ");
        }
        at += 1;
        wants_operator = match word.as_str() {
            "and" | "&&" => {
                text.push_str(" && ");
                false
            }
            "or" | "||" => {
                text.push_str(" || ");
                false
            }
            "not" => {
                text.push_str(" !");
                false
            }
            "(" => {
                text.push('(');
                false
            }
            ")" => {
                text.push(')');
                true
            }
            _ => {
                let (primitive, used) = primitive(&words[at - 1..])?;
                text.push_str(&primitive);
                at += used - 1;
                true
            }
        };
    }
    Filter::parse(&text).map(Some).map_err(drop)
}

/// One primitive, and how many words it took.
fn primitive(words: &[String]) -> Result<(String, usize), ()> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let (protocol, rest) = match word(0) {
        name @ ("tcp" | "udp" | "arp" | "icmp" | "ip") => (Some(name), 1),
        "vrrp" => (Some("ip.proto == 112"), 1),
        _ => (None, 0),
    };
    let (way, rest) = match word(rest) {
        way @ ("src" | "dst") => (Some(way), rest + 1),
        _ => (None, rest),
    };
    let of = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>().join(" || ");
    let (text, used) = match word(rest) {
        "host" => (host(way, word(rest + 1))?, rest + 2),
        "net" => {
            let net: ipnet::Ipv4Net = word(rest + 1).parse().map_err(drop)?;
            let field = match way {
                None => "ip.addr",
                Some("src") => "ip.src",
                Some(_) => "ip.dst",
            };
            (format!("{field} == {net}"), rest + 2)
        }
        "port" => {
            let port: u16 = word(rest + 1).parse().map_err(drop)?;
            let field = match way {
                None => "port",
                Some("src") => "srcport",
                Some(_) => "dstport",
            };
            let tcp = format!("tcp.{field} == {port}");
            let udp = format!("udp.{field} == {port}");
            (of(&[&tcp, &udp]), rest + 2)
        }
        "proto" => {
            let number: u8 = match word(rest + 1).trim_start_matches('\\') {
                "icmp" => 1,
                "tcp" => 6,
                "udp" => 17,
                "vrrp" => 112,
                text => text.parse().map_err(drop)?,
            };
            return Ok((format!("ip.proto == {number}"), rest + 2));
        }
        address if way.is_some() || protocol.is_none() => (host(way, address)?, rest + 1),
        _ => return Ok((format!("({})", protocol.ok_or(())?), rest)),
    };
    Ok(match protocol {
        None => (format!("({text})"), used),
        Some(protocol) => (format!("({protocol} && ({text}))"), used),
    })
}

fn host(way: Option<&str>, address: &str) -> Result<String, ()> {
    let address: Ipv4Addr = address.parse().map_err(drop)?;
    Ok(match way {
        Some("src") => format!("ip.src == {address} || arp.src.proto_ipv4 == {address}"),
        Some(_) => format!("ip.dst == {address} || arp.dst.proto_ipv4 == {address}"),
        None => {
            format!("ip.addr == {address} || arp.src.proto_ipv4 == {address} || arp.dst.proto_ipv4 == {address}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(expression_typed: &str) -> Option<String> {
        expression(&split(expression_typed)).ok()?.map(|filter| filter.text().to_owned())
    }

    #[test]
    fn an_expression_becomes_a_filter() {
        for (typed, meant) in [
            ("vrrp", "(ip.proto == 112)"),
            ("proto 112", "ip.proto == 112"),
            ("arp or icmp", "(arp) || (icmp)"),
            ("tcp port 80", "(tcp && (tcp.port == 80 || udp.port == 80))"),
            ("not src host 10.0.0.1", "!(ip.src == 10.0.0.1 || arp.src.proto_ipv4 == 10.0.0.1)"),
        ] {
            assert_eq!(text(typed).as_deref(), Some(meant));
        }
        assert!(text("host 224.0.0.18").is_some_and(|filter| filter.contains("ip.addr == 224.0.0.18")));
        assert!(expression(&split("nonsense words")).is_err());
        assert!(expression(&split("host")).is_err());
    }
}
