//! `iptables`, also as `iptables-legacy` and `iptables-nft`: the tables filter, nat and mangle.
//!
//! # Not modelled
//! Matches on connection state and limits, targets DNAT, REDIRECT, LOG, TPROXY, tables raw and security: refused.

mod list;
mod read;
pub(super) mod saved;

use super::command::{Call, Command, Fault, Opt, Outcome, Status, unknown_option};
use crate::kernel::syscall::Sys;
use crate::tables::filter::RuleError;
use crate::tables::filter::ip::{IpTables, Policy, Rule, Table};
use read::{Action, Line};

/// `iptables`.
pub(super) const COMMAND: Command = Command {
    names: &["iptables", "iptables-legacy", "iptables-nft"],
    summary: "rules for packets",
    options: &[
        Opt::value("-t", "the table: filter, nat, mangle"),
        Opt::value("--table", "the table: filter, nat, mangle"),
        Opt::value("-A", "appends a rule to a chain"),
        Opt::value("--append", "appends a rule to a chain"),
        Opt::value("-I", "inserts a rule into a chain"),
        Opt::value("--insert", "inserts a rule into a chain"),
        Opt::value("-D", "deletes a rule of a chain"),
        Opt::value("--delete", "deletes a rule of a chain"),
        Opt::value("-P", "what happens at the end of a chain"),
        Opt::value("--policy", "what happens at the end of a chain"),
        Opt::value("-N", "makes a chain"),
        Opt::value("--new-chain", "makes a chain"),
        Opt::flag("-X", "deletes chains"),
        Opt::flag("--delete-chain", "deletes chains"),
        Opt::flag("-F", "deletes all rules"),
        Opt::flag("--flush", "deletes all rules"),
        Opt::flag("-Z", "zeroes the counters"),
        Opt::flag("--zero", "zeroes the counters"),
        Opt::flag("-L", "lists the rules"),
        Opt::flag("--list", "lists the rules"),
        Opt::flag("-S", "lists the rules as they are typed"),
        Opt::flag("--list-rules", "lists the rules as they are typed"),
        Opt::flag("-n", "numbers, not names"),
        Opt::flag("--numeric", "numbers, not names"),
        Opt::flag("-v", "counters and interfaces too"),
        Opt::flag("--verbose", "counters and interfaces too"),
        Opt::flag("-x", "counters are not shortened"),
        Opt::flag("--line-numbers", "numbers in front"),
        Opt::accepted("-w", false, "nobody else changes the rules"),
        Opt::accepted("--wait", false, "nobody else changes the rules"),
        Opt::value("-s", "source"),
        Opt::value("--source", "source"),
        Opt::value("--src", "source"),
        Opt::value("-d", "destination"),
        Opt::value("--destination", "destination"),
        Opt::value("--dst", "destination"),
        Opt::value("-i", "the interface it came by"),
        Opt::value("--in-interface", "the interface it came by"),
        Opt::value("-o", "the interface it leaves by"),
        Opt::value("--out-interface", "the interface it leaves by"),
        Opt::value("-p", "the protocol"),
        Opt::value("--protocol", "the protocol"),
        Opt::value("-m", "further matches: tcp, udp, icmp, mark, comment"),
        Opt::value("--match", "further matches: tcp, udp, icmp, mark, comment"),
        Opt::value("--sport", "source port or ports"),
        Opt::value("--source-port", "source port or ports"),
        Opt::value("--dport", "destination port or ports"),
        Opt::value("--destination-port", "destination port or ports"),
        Opt::value("--tcp-flags", "which flags are looked at, and which of them are set"),
        Opt::flag("--syn", "the first segment of a connection"),
        Opt::value("--icmp-type", "the type, as a number or echo-request and the like"),
        Opt::value("--mark", "the mark, and a mask"),
        Opt::accepted("--comment", true, "kept nowhere"),
        Opt::value("-j", "what happens: ACCEPT DROP REJECT RETURN MARK MASQUERADE SNAT, a chain"),
        Opt::value("--jump", "what happens: ACCEPT DROP REJECT RETURN MARK MASQUERADE SNAT, a chain"),
        Opt::value("--reject-with", "how it is refused"),
        Opt::value("--set-mark", "the mark to set, and a mask"),
        Opt::value("--set-xmark", "the mark to set, and a mask"),
        Opt::value("--to-source", "the source to write"),
        Opt::refused("--state", true, "connection state is not modelled"),
        Opt::refused("--ctstate", true, "connection state is not modelled"),
        Opt::refused("--limit", true, "limits are not modelled"),
        Opt::refused("--dports", true, "one rule for each port"),
        Opt::refused("--sports", true, "one rule for each port"),
        Opt::refused("--to-destination", true, "DNAT is not modelled"),
        Opt::refused("--to-ports", true, "REDIRECT is not modelled"),
        Opt::refused("-f", false, "fragments are put together before the filter"),
        Opt::refused("-g", true, "use -j"),
        Opt::refused("-R", true, "delete the rule and insert another"),
        Opt::refused("-C", true, "list the rules"),
    ],
    check,
    run,
};

/// What exists on Linux behind `-t`, `-m` and `-j` and is not modelled.
const NOT_MODELLED: [(&[&str], &[&str]); 3] = [
    (&["-t", "--table"], &["raw", "security"]),
    (
        &["-m", "--match"],
        &["state", "conntrack", "limit", "multiport", "recent", "set", "statistic", "addrtype", "owner", "mac"],
    ),
    (
        &["-j", "--jump"],
        &[
            "DNAT", "REDIRECT", "LOG", "NFLOG", "TPROXY", "CONNMARK", "TCPMSS", "NOTRACK", "CT", "NETMAP", "CLASSIFY",
            "TEE",
        ],
    ),
];

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, word) in words.iter().enumerate().skip(1) {
        let before = words[at - 1];
        let foreign = NOT_MODELLED.iter().any(|(flags, names)| flags.contains(&before) && names.contains(word));
        if foreign {
            faults.push(Fault::not_modelled(at, format!("iptables {before} {word} is not modelled")));
        }
        if !word.starts_with('-') || word.parse::<i64>().is_ok() {
            continue;
        }
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        let is_cluster = !word.starts_with("--") && word.len() > 2 && word[1..].chars().all(|c| "LnvxFZSX".contains(c));
        match command.options.iter().find(|option| option.name == name) {
            Some(Opt { status: Status::Refused, note, .. }) => {
                let fault = Fault::not_modelled(at, format!("iptables {name} is not modelled"));
                faults.push(fault.hint(*note));
            }
            Some(_) => {}
            None if is_cluster => {}
            None => faults.push(unknown_option(command, at, name)),
        }
    }
    faults
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let done = read::line(call.args()).and_then(|line| apply(line, &mut sys.kernel.tables.filter.ip));
    match done {
        Ok(text) => {
            call.out(text);
            Outcome::Done(0)
        }
        Err(Problem::Usage(problem)) => {
            let help = "Try `iptables -h' or 'iptables --help' for more information.";
            call.fail(2, format!("iptables v1.8.9 (legacy): {problem}\n{help}\n"))
        }
        Err(Problem::NotModelled(what)) => call.fail(125, format!("iptables: {what} is not modelled\n")),
        Err(Problem::Kernel(error)) => call.fail(1, format!("iptables: {error}\n")),
    }
}

/// What is wrong with a line.
enum Problem {
    /// It cannot be read.
    Usage(String),
    /// It exists on Linux only.
    NotModelled(String),
    /// The kernel refuses it.
    Kernel(RuleError),
}

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        Problem::Kernel(error)
    }
}

fn apply(line: Line, tables: &mut IpTables) -> Result<String, Problem> {
    let Line { table, action, matches, target, shown } = line;
    let Some(action) = action else { return Err(Problem::Usage("no command specified".into())) };
    match action {
        Action::Append(chain) => tables.insert(table, &chain, None, Rule { matches, target, packets: 0, bytes: 0 })?,
        Action::Insert(chain, at) => {
            let rule = Rule { matches, target, packets: 0, bytes: 0 };
            tables.insert(table, &chain, Some(at.saturating_sub(1)), rule)?;
        }
        Action::Delete(chain) => tables.delete(table, &chain, &matches, &target)?,
        Action::DeleteAt(chain, at) => tables.delete_at(table, &chain, at.saturating_sub(1))?,
        Action::Policy(chain, policy) => {
            let policy = match &*policy {
                "ACCEPT" => Policy::Accept,
                "DROP" => Policy::Drop,
                _ => return Err(Problem::Usage("Bad policy name. Run `dmesg' for more information.".into())),
            };
            tables.set_policy(table, &chain, policy)?;
        }
        Action::New(chain) => tables.new_chain(table, &chain)?,
        Action::DeleteChain(chain) => tables.delete_chain(table, chain.as_deref())?,
        Action::Flush(chain) => tables.flush(table, chain.as_deref())?,
        Action::Zero(chain) => tables.zero(table, chain.as_deref())?,
        Action::List(chain) => return list::table(tables, table, chain.as_deref(), shown),
        Action::ListRules(chain) => return list::typed(tables, table, chain.as_deref()),
    }
    Ok(String::new())
}

fn table(name: &str) -> Result<Table, Problem> {
    match name {
        "filter" => Ok(Table::Filter),
        "nat" => Ok(Table::Nat),
        "mangle" => Ok(Table::Mangle),
        "raw" | "security" => Err(Problem::NotModelled(format!("the table {name}"))),
        _ => Err(Problem::Usage(format!(
            "can't initialize iptables table `{name}': Table does not exist (do you need to insmod?)"
        ))),
    }
}
