//! A rule as `arptables` lists and saves it.

use super::{ArpRule, ArpTarget};
use ipnet::Ipv4Net;

impl ArpRule {
    /// `-j DROP -i eth0 -d 10.0.2.100 `, with a blank behind each word. `any` stands for an interface that is not asked
    /// for; without it such an interface is left out.
    pub fn typed(&self, any: Option<&str>) -> String {
        let mut text = match self.target {
            ArpTarget::Accept => "-j ACCEPT ".to_owned(),
            ArpTarget::Drop => "-j DROP ".to_owned(),
            ArpTarget::Continue => "-j CONTINUE ".to_owned(),
            ArpTarget::Mangle { .. } => "-j mangle ".to_owned(),
        };
        for (flag, iface) in [("-i", &self.matches.in_iface), ("-o", &self.matches.out_iface)] {
            match (iface, any) {
                (Some(iface), _) => text += &format!("{}{flag} {} ", not(iface.inverted), iface.value.0),
                (None, Some(any)) => text += &format!("{flag} {any} "),
                (None, None) => {}
            }
        }
        for (flag, net) in [("-s", &self.matches.source), ("-d", &self.matches.destination)] {
            if let Some(net) = net {
                text += &format!("{}{flag} {} ", not(net.inverted), shown(net.value));
            }
        }
        if let Some(mac) = &self.matches.source_mac {
            text += &format!("{}--src-mac {} ", not(mac.inverted), mac.value);
        }
        if let Some(opcode) = &self.matches.opcode {
            text += &format!("{}--opcode {} ", not(opcode.inverted), opcode.value);
        }
        if let ArpTarget::Mangle { sender, target, then_drop } = self.target {
            for (flag, address) in [("--mangle-ip-s", sender), ("--mangle-ip-d", target)] {
                text += &address.map_or(String::new(), |address| format!("{flag} {address} "));
            }
            text += if then_drop { "--mangle-target DROP " } else { "" };
        }
        text
    }
}

fn not(inverted: bool) -> &'static str {
    if inverted { "! " } else { "" }
}

fn shown(net: Ipv4Net) -> String {
    if net.prefix_len() == 32 { net.addr().to_string() } else { net.to_string() }
}
