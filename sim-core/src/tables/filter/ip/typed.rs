//! A rule as it is typed and as `iptables -S` lists it: `-s 192.168.0.0/24 -j MASQUERADE`.

use super::{MarkMatch, Matches, Ports, RejectWith, Rule, Target};
use crate::tables::filter::Maybe;
use std::fmt;

/// TCP flags by name.
pub const TCP_FLAGS: [(&str, u8); 6] = [("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32)];

/// What a packet is rejected with, by name.
pub const REJECTIONS: [(&str, RejectWith); 8] = [
    ("icmp-port-unreachable", RejectWith::Unreachable(3)),
    ("icmp-net-unreachable", RejectWith::Unreachable(0)),
    ("icmp-host-unreachable", RejectWith::Unreachable(1)),
    ("icmp-proto-unreachable", RejectWith::Unreachable(2)),
    ("icmp-net-prohibited", RejectWith::Unreachable(9)),
    ("icmp-host-prohibited", RejectWith::Unreachable(10)),
    ("icmp-admin-prohibited", RejectWith::Unreachable(13)),
    ("tcp-reset", RejectWith::TcpReset),
];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = matches(&self.matches).into_iter().chain(target(&self.target)).collect();
        f.write_str(&words.join(" "))
    }
}

impl Target {
    /// `DROP`, or the chain it leads to; empty if it only counts.
    pub fn name(&self) -> &str {
        match self {
            Target::Count => "",
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Reject(_) => "REJECT",
            Target::Return => "RETURN",
            Target::Jump(chain) => chain,
            Target::Mark(_) => "MARK",
            Target::Masquerade => "MASQUERADE",
            Target::Snat(_) => "SNAT",
        }
    }
}

impl RejectWith {
    /// `icmp-port-unreachable`.
    pub fn name(self) -> &'static str {
        let named = REJECTIONS.iter().find(|(_, known)| *known == self);
        named.map_or("icmp-port-unreachable", |(name, _)| name)
    }
}

impl Matches {
    /// `tcp`, without its `!`; `all` if it is not asked for.
    pub fn protocol_name(&self) -> String {
        match self.protocol.map_or(0, |protocol| protocol.value) {
            0 => "all".to_owned(),
            1 => "icmp".to_owned(),
            4 => "ipencap".to_owned(),
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            47 => "gre".to_owned(),
            112 => "vrrp".to_owned(),
            number => number.to_string(),
        }
    }
}

/// `0x1`, and its mask if that is not whole.
impl fmt::Display for MarkMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u32::MAX => write!(f, "0x{:x}", self.value),
            mask => write!(f, "0x{:x}/0x{mask:x}", self.value),
        }
    }
}

fn matches(matches: &Matches) -> Vec<String> {
    let mut words = Vec::new();
    let mut put = |inverted: bool, text: String| words.push(if inverted { format!("! {text}") } else { text });
    for (flag, net) in [("-s", &matches.source), ("-d", &matches.destination)] {
        if let Some(Maybe { value, inverted }) = net {
            put(*inverted, format!("{flag} {value}"));
        }
    }
    for (flag, iface) in [("-i", &matches.in_iface), ("-o", &matches.out_iface)] {
        if let Some(Maybe { value, inverted }) = iface {
            put(*inverted, format!("{flag} {}", value.0));
        }
    }
    let protocol = matches.protocol_name();
    if let Some(Maybe { inverted, .. }) = matches.protocol {
        put(inverted, format!("-p {protocol}"));
    }
    let looks = matches.source_ports.is_some() || matches.destination_ports.is_some() || matches.tcp_flags.is_some();
    if looks || matches.icmp_type.is_some() {
        put(false, format!("-m {protocol}"));
    }
    for (flag, ports) in [("--sport", &matches.source_ports), ("--dport", &matches.destination_ports)] {
        if let Some(Maybe { value: Ports { first, last }, inverted }) = ports {
            let range = if first == last { first.to_string() } else { format!("{first}:{last}") };
            put(*inverted, format!("{flag} {range}"));
        }
    }
    if let Some(Maybe { value, inverted }) = &matches.tcp_flags {
        put(*inverted, format!("--tcp-flags {} {}", flags(value.mask), flags(value.set)));
    }
    if let Some(Maybe { value, inverted }) = &matches.icmp_type {
        put(*inverted, format!("--icmp-type {value}"));
    }
    if let Some(Maybe { value, inverted }) = &matches.mark {
        put(false, "-m mark".into());
        put(*inverted, format!("--mark {value}"));
    }
    words
}

fn target(target: &Target) -> Option<String> {
    Some(match target {
        Target::Count => return None,
        Target::Reject(with) => format!("-j REJECT --reject-with {}", with.name()),
        Target::Mark(MarkMatch { value, mask }) => format!("-j MARK --set-xmark 0x{value:x}/0x{mask:x}"),
        Target::Snat(to) => format!("-j SNAT --to-source {to}"),
        Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Masquerade => {
            format!("-j {}", target.name())
        }
    })
}

fn flags(bits: u8) -> String {
    match bits {
        0 => "NONE".into(),
        bits => {
            let names: Vec<&str> = TCP_FLAGS.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
            names.join(",")
        }
    }
}
