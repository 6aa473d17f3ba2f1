//! `ip rule`: add del show flush.

use super::route::{table_name, table_of};
use super::{Done, Ip, Stop, answer, check_words, command, link, network_of};
use crate::shell::command::Fault;
use crate::tables::routes::{Rule, RuleAction, TABLE_MAIN};
use ipnet::Ipv4Net;

const COMMANDS: &[&str] = &["add", "delete", "show", "list", "lst", "flush", "save", "restore", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    check_words(
        words,
        &[
            ("tos", "rules by TOS are not modelled"),
            ("dsfield", "rules by TOS are not modelled"),
            ("oif", "rules by outgoing interface are not modelled"),
            ("uidrange", "every process is root's"),
            ("ipproto", "use fwmark"),
            ("sport", "use fwmark"),
            ("dport", "use fwmark"),
            ("not", "inverted rules are not modelled"),
            ("suppress_prefixlength", "not modelled"),
            ("goto", "not modelled"),
            ("save", "put the commands into a script"),
            ("restore", "put the commands into a script"),
        ],
    )
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "rule")? {
        "add" => {
            let (rule, priority) = typed(ip)?;
            answer(ip.sys.kernel.tables.routes.add_rule(rule, priority, ip.sys.cx))
        }
        "del" => {
            if ip.words.peek().is_none() {
                return Err(Stop(2, "RTNETLINK answers: Invalid argument".into()));
            }
            let (rule, priority) = typed(ip)?;
            let said = Said::of(&ip.words, &rule);
            let meant = |known: &Rule| {
                priority.is_none_or(|priority| priority == known.priority)
                    && (rule.from.is_none() || rule.from == known.from)
                    && (rule.to.is_none() || rule.to == known.to)
                    && (rule.mark.is_none() || rule.mark == known.mark)
                    && (rule.iif.is_none() || rule.iif == known.iif)
                    && (!said.action || rule.action == known.action)
            };
            answer(ip.sys.kernel.tables.routes.delete_rule(meant, ip.sys.cx).map(drop))
        }
        "show" => show(ip),
        "flush" => {
            let routes = &mut ip.sys.kernel.tables.routes;
            while routes.delete_rule(|rule| rule.priority != 0, ip.sys.cx).is_ok() {}
            Ok(())
        }
        other => Err(Stop(255, format!("ip rule {other}: see ip-rule(8)"))),
    }
}

/// What was said of a rule to be deleted.
struct Said {
    action: bool,
}

impl Said {
    fn of(words: &super::Words<'_>, rule: &Rule) -> Said {
        let named = ["table", "lookup", "blackhole", "unreachable", "prohibit"];
        let action = words.words.iter().any(|word| named.contains(&word.as_str()));
        Said { action: action || rule.action != RuleAction::Lookup(TABLE_MAIN) }
    }
}

fn typed(ip: &mut Ip<'_, '_, '_, '_>) -> Result<(Rule, Option<u32>), Stop> {
    let mut rule =
        Rule { priority: 0, from: None, to: None, mark: None, iif: None, action: RuleAction::Lookup(TABLE_MAIN) };
    let mut priority = None;
    while let Some(word) = ip.words.next() {
        match word {
            "from" => rule.from = some(network_of(ip.words.value()?)?),
            "to" => rule.to = some(network_of(ip.words.value()?)?),
            "fwmark" => {
                let text = ip.words.value()?;
                let (mark, mask) = text.split_once('/').map_or((text, None), |(mark, mask)| (mark, Some(mask)));
                let mask = mask.map_or(Ok(u32::MAX), |mask| link::number(mask, "fwmask"))?;
                rule.mark = Some((link::number(mark, "fwmark")?, mask));
            }
            "iif" | "dev" => rule.iif = Some(ip.next_device()?),
            "table" | "lookup" => rule.action = RuleAction::Lookup(table_of(ip.words.value()?)?),
            "priority" | "pref" | "preference" | "order" => {
                priority = Some(link::number(ip.words.value()?, "preference")?);
            }
            "blackhole" => rule.action = RuleAction::Blackhole,
            "unreachable" => rule.action = RuleAction::Unreachable,
            "prohibit" => rule.action = RuleAction::Prohibit,
            word => return Err(Stop(255, format!("Error: argument \"{word}\" is wrong: Failed to parse rule type"))),
        }
    }
    Ok((rule, priority))
}

fn some(network: Ipv4Net) -> Option<Ipv4Net> {
    (network.prefix_len() > 0).then_some(network)
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let mut text = String::new();
    for rule in ip.sys.kernel.tables.routes.rules() {
        let net = |net: Ipv4Net| if net.prefix_len() == 32 { net.addr().to_string() } else { net.to_string() };
        text.push_str(&format!("{}:\tfrom {}", rule.priority, rule.from.map_or("all".to_owned(), net)));
        if let Some(to) = rule.to {
            text.push_str(&format!(" to {}", net(to)));
        }
        match rule.mark {
            Some((mark, u32::MAX)) => text.push_str(&format!(" fwmark {mark:#x}")),
            Some((mark, mask)) => text.push_str(&format!(" fwmark {mark:#x}/{mask:#x}")),
            None => {}
        }
        if let Some(iif) = rule.iif {
            text.push_str(&format!(" iif {}", ip.name_of(iif)));
        }
        match rule.action {
            RuleAction::Lookup(table) => text.push_str(&format!(" lookup {}\n", table_name(table))),
            RuleAction::Unreachable => text.push_str(" unreachable\n"),
            RuleAction::Prohibit => text.push_str(" prohibit\n"),
            RuleAction::Blackhole => text.push_str(" blackhole\n"),
        }
    }
    ip.out(text);
    Ok(())
}
