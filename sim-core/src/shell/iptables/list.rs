//! Prints the rules: `-L` as a table, `-S` as they are typed.

use super::Problem;
use super::read::Shown;
use crate::tables::filter::RuleError;
use crate::tables::filter::ip::{Chain, IpTables, MarkMatch, Matches, Ports, Rule, Table, Target};
use crate::tables::filter::{IfaceName, Maybe};
use ipnet::Ipv4Net;

/// `-L`.
pub(super) fn table(tables: &IpTables, table: Table, chain: Option<&str>, shown: Shown) -> Result<String, Problem> {
    let parts: Vec<String> =
        chains(tables, table, chain)?.map(|chain| chain_table(chain, tables, table, shown)).collect();
    Ok(parts.join("\n"))
}

/// `-S`.
pub(super) fn typed(tables: &IpTables, table: Table, chain: Option<&str>) -> Result<String, Problem> {
    let mut text = String::new();
    for chain in chains(tables, table, chain)? {
        text += &match chain.policy {
            Some(policy) => format!("-P {} {}\n", chain.name, policy.name()),
            None => format!("-N {}\n", chain.name),
        };
    }
    for chain in chains(tables, table, chain)? {
        for rule in &chain.rules {
            text += &format!("-A {} {rule}", chain.name);
            text = text.trim_end().to_owned() + "\n";
        }
    }
    Ok(text)
}

fn chains<'t>(
    tables: &'t IpTables,
    table: Table,
    only: Option<&str>,
) -> Result<impl Iterator<Item = &'t Chain>, Problem> {
    let chains = tables.chains(table);
    if only.is_some_and(|only| !chains.iter().any(|chain| &*chain.name == only)) {
        return Err(RuleError::NoChain.into());
    }
    let only = only.map(String::from);
    Ok(chains.iter().filter(move |chain| only.as_ref().is_none_or(|only| *only == *chain.name)))
}

fn chain_table(chain: &Chain, tables: &IpTables, table: Table, shown: Shown) -> String {
    let about = match chain.policy {
        Some(policy) if shown.verbose => {
            format!(
                "policy {} {} packets, {} bytes",
                policy.name(),
                count(chain.packets, shown),
                count(chain.bytes, shown)
            )
        }
        Some(policy) => format!("policy {}", policy.name()),
        None => format!("{} references", references(&chain.name, tables, table)),
    };
    let number = if shown.numbered { "num  " } else { "" };
    let columns = if shown.verbose {
        format!("{number} pkts bytes target     prot opt in     out     source               destination         ")
    } else {
        format!("{number}target     prot opt source               destination         ")
    };
    let mut text = format!("Chain {} ({about})\n{columns}\n", chain.name);
    for (number, rule) in (1..).zip(&chain.rules) {
        text += &row(number, rule, shown);
    }
    text
}

fn row(number: usize, rule: &Rule, shown: Shown) -> String {
    let Rule { matches, target, .. } = rule;
    let mut text = if shown.numbered { format!("{number:<4} ") } else { String::new() };
    if shown.verbose {
        text += &format!("{:>5} {:>5} ", count(rule.packets, shown), count(rule.bytes, shown));
    }
    text += &format!("{:<10} {:<4} --  ", target.name(), protocol(matches));
    if shown.verbose {
        text += &format!("{:<6} {:<6}  ", iface(&matches.in_iface, shown), iface(&matches.out_iface, shown));
    }
    text += &format!("{:<20} {:<20} ", net(&matches.source, shown), net(&matches.destination, shown));
    text += &extras(matches, target, shown);
    text + "\n"
}

fn extras(matches: &Matches, target: &Target, shown: Shown) -> String {
    let mut parts = Vec::new();
    let transport = protocol(matches);
    for (label, ports) in [("spt", &matches.source_ports), ("dpt", &matches.destination_ports)] {
        if let Some(Maybe { value, inverted }) = ports {
            let many = if value.first == value.last { "" } else { "s" };
            parts.push(format!("{transport} {label}{many}:{}{}", not(*inverted), port_range(*value, shown)));
        }
    }
    if let Some(Maybe { value, inverted }) = &matches.tcp_flags {
        parts.push(format!("{transport} flags:{}0x{:02X}/0x{:02X}", not(*inverted), value.mask, value.set));
    }
    if let Some(Maybe { value, inverted }) = &matches.icmp_type {
        parts.push(format!("{}icmptype {value}", not(*inverted)));
    }
    if let Some(Maybe { value, inverted }) = &matches.mark {
        parts.push(format!("mark match {}{}", not(*inverted), value));
    }
    match target {
        Target::Reject(with) => {
            parts.push(format!("reject-with {}", with.name()));
        }
        Target::Mark(MarkMatch { value, mask: u32::MAX }) => parts.push(format!("MARK set 0x{value:x}")),
        Target::Mark(set) => parts.push(format!("MARK xset {set}")),
        Target::Snat(to) => parts.push(format!("to:{to}")),
        Target::Count | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Masquerade => {}
    }
    parts.join(" ")
}

fn protocol(matches: &Matches) -> String {
    let inverted = matches.protocol.is_some_and(|protocol| protocol.inverted);
    format!("{}{}", not(inverted), matches.protocol_name())
}

fn net(net: &Option<Maybe<Ipv4Net>>, shown: Shown) -> String {
    match net {
        None if shown.numeric => "0.0.0.0/0".into(),
        None => "anywhere".into(),
        Some(Maybe { value, inverted }) if value.prefix_len() == 32 => format!("{}{}", not(*inverted), value.addr()),
        Some(Maybe { value, inverted }) => format!("{}{value}", not(*inverted)),
    }
}

fn iface(iface: &Option<Maybe<IfaceName>>, shown: Shown) -> String {
    match iface {
        None if shown.numeric => "*".into(),
        None => "any".into(),
        Some(Maybe { value, inverted }) => format!("{}{}", not(*inverted), value.0),
    }
}

fn port_range(Ports { first, last }: Ports, shown: Shown) -> String {
    let port = |port: u16| match port {
        21 if !shown.numeric => "ftp".to_owned(),
        22 if !shown.numeric => "ssh".to_owned(),
        53 if !shown.numeric => "domain".to_owned(),
        80 if !shown.numeric => "http".to_owned(),
        443 if !shown.numeric => "https".to_owned(),
        other => other.to_string(),
    };
    if first == last { port(first) } else { format!("{}:{}", port(first), port(last)) }
}

fn references(name: &str, tables: &IpTables, table: Table) -> usize {
    let jumps = |rule: &&Rule| matches!(&rule.target, Target::Jump(to) if &**to == name);
    tables.chains(table).iter().map(|chain| chain.rules.iter().filter(jumps).count()).sum()
}

/// Counters above 99,999 are shortened, unless `-x` was given.
fn count(number: u64, shown: Shown) -> String {
    match number {
        _ if shown.exact => number.to_string(),
        0..100_000 => number.to_string(),
        100_000..10_000_000 => format!("{}K", (number + 500) / 1_000),
        _ => format!("{}M", (number + 500_000) / 1_000_000),
    }
}

fn not(inverted: bool) -> &'static str {
    if inverted { "!" } else { "" }
}

#[cfg(test)]
mod tests {
    use crate::kernel::Os;
    use crate::shell::testing::Bench;

    #[test]
    fn a_guides_masquerade_rule_is_listed_as_it_was_typed() {
        let mut bench = Bench::new(Os::CentOs7);
        bench.run("iptables -t nat -F; iptables -t nat -X");
        let done = bench.run("iptables -t nat -A POSTROUTING -s 192.168.0.0/24 -j MASQUERADE");
        assert_eq!((done.code, &*done.err), (0, ""));
        let typed = bench.run("iptables -t nat -S POSTROUTING").out;
        assert_eq!(typed, "-P POSTROUTING ACCEPT\n-A POSTROUTING -s 192.168.0.0/24 -j MASQUERADE\n");
    }

    #[test]
    fn rules_are_listed_in_columns() {
        let mut bench = Bench::new(Os::Debian12);
        bench.run("iptables -A INPUT -p tcp --dport 80 ! -s 10.0.2.2 -j DROP");
        let listed = bench.run("iptables -L INPUT -n -v").out;
        let expected = "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination         \n    0     0 DROP       tcp  --  *      *       !10.0.2.2            0.0.0.0/0            tcp dpt:80\n";
        assert_eq!(listed, expected);
    }

    #[test]
    fn what_is_wrong_is_said_in_the_tools_words() {
        let mut bench = Bench::new(Os::Debian12);
        for (line, code, part) in [
            ("iptables -A NOWHERE -j DROP", 1, "iptables: No chain/target/match by that name."),
            ("iptables -D INPUT -j DROP", 1, "iptables: Bad rule (does a matching rule exist in that chain?)."),
            ("iptables -A INPUT --dport 80 -j DROP", 2, "unknown option \"--dport\""),
            ("iptables", 2, "no command specified"),
        ] {
            let done = bench.run(line);
            assert_eq!(done.code, code, "{line}: {}", done.err);
            assert!(done.err.contains(part), "{line}: {}", done.err);
        }
    }
}
