//! `service network`, `ifup`, `ifdown`: take the addresses of the cards away and set them again, from the files that the
//! installer wrote. What was added by hand or by keepalived is gone after that, as on the real ones.
//!
//! Follows `ifup-eth` and `ifdown-eth` of the initscripts (Red Hat), and ifupdown's `inet static` (Debian). Both are
//! scripts, and so is what runs here.
//!
//! # Not modelled
//! DHCP, bonds, bridges, `up` and `down` lines of `/etc/network/interfaces`. Switching on does not read the files: the
//! cards are then as the scenario says.

use super::super::command::{Call, Command, Fault, Opt, Outcome, Source, Start, getopt};
use super::verdict::verdict;
use crate::kernel::Os;
use crate::kernel::files::Files;
use crate::kernel::syscall::Sys;
use ipnet::Ipv4Net;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// `ifup`, `ifdown`.
pub(in crate::shell) const IFUP: Command = Command {
    names: &["ifup", "ifdown"],
    summary: "sets a card up, or down, by its file in /etc/sysconfig/network-scripts or /etc/network/interfaces",
    options: &[
        Opt::flag("-a", "all"),
        Opt::accepted("--force", false, "what is down is set down again"),
        Opt::refused("-n", false, "nothing is only shown"),
    ],
    check: |command, words| {
        let mut faults = getopt(command, words);
        if words.len() < 2 {
            faults.push(Fault::unknown(0, format!("{} needs the name of a card", words[0])).hint("ifup eth0"));
        }
        faults
    },
    run: if_up_or_down,
};

/// What a file says of one card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Config {
    device: String,
    address: Option<Ipv4Net>,
    gateway: Option<Ipv4Addr>,
    on_boot: bool,
}

const SCRIPTS: &str = "/etc/sysconfig/network-scripts";
const INTERFACES: &str = "/etc/network/interfaces";

/// Writes the files that an installer leaves for these cards, where the scenario has not given them.
pub fn install(os: Os, cards: &[(&str, Option<Ipv4Net>)], gateway: Option<Ipv4Addr>, files: &mut Files) {
    let via = |net: Ipv4Net| gateway.filter(|gateway| net.contains(gateway));
    let mut place = |path: &str, text: String| {
        if files.stat(path).is_err() {
            // A scenario may have put a file where a folder has to be: then there is none.
            let _ = files.place(path, text.as_bytes(), 0o644);
        }
    };
    if os == Os::Debian12 {
        let mut text = String::from("auto lo\niface lo inet loopback\n");
        for (card, address) in cards {
            let Some(net) = address else { continue };
            let _ = write!(text, "\nauto {card}\niface {card} inet static\n    address {net}\n");
            if let Some(gateway) = via(*net) {
                let _ = writeln!(text, "    gateway {gateway}");
            }
        }
        return place(INTERFACES, text);
    }
    place(
        &format!("{SCRIPTS}/ifcfg-lo"),
        "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\nONBOOT=yes\nNAME=loopback\n".into(),
    );
    for (card, address) in cards {
        let mut text = format!("DEVICE={card}\nONBOOT=yes\nBOOTPROTO=none\n");
        if let Some(net) = address {
            let _ = write!(text, "IPADDR={}\nNETMASK={}\n", net.addr(), net.netmask());
            if let Some(gateway) = via(*net) {
                let _ = writeln!(text, "GATEWAY={gateway}");
            }
        }
        place(&format!("{SCRIPTS}/ifcfg-{card}"), text);
    }
}

/// What `service network VERB` does.
pub(super) fn service(verb: &str, sys: &mut Sys) -> Outcome {
    let all = configs(sys);
    let os = sys.kernel.os;
    let says = if os < Os::CentOs7 { Says::Much } else { Says::Nothing };
    let mut script = String::new();
    if matches!(verb, "stop" | "restart" | "reload" | "force-reload") {
        // Cards first, the loopback last; aliases go with their card.
        for config in all.iter().filter(|config| !config.is_alias() && config.device != "lo") {
            down(config, os, says, &mut script);
        }
        let lo = Config { device: "lo".into(), ..Config::default() };
        down(&lo, os, says, &mut script);
        if says == Says::Much && sys.read_file("/proc/sys/net/ipv4/ip_forward").is_ok_and(|text| text.starts_with(b"1"))
        {
            script += "echo -n 'Disabling IPv4 packet forwarding:  '; sysctl -w net.ipv4.ip_forward=0\n";
        }
    }
    if matches!(verb, "start" | "restart" | "reload" | "force-reload") {
        if files_exist(sys, "/etc/sysctl.conf") {
            script += "sysctl -p > /dev/null 2>&1\n";
        }
        let (first, then): (Vec<&Config>, Vec<&Config>) =
            all.iter().partition(|config| config.device.starts_with("lo"));
        for config in first.into_iter().chain(then).filter(|config| config.on_boot) {
            up(config, os, says, &mut script);
        }
    }
    run(script)
}

fn if_up_or_down(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let (name, os) = (call.name(), sys.kernel.os);
    let all = configs(sys);
    let wanted: Vec<String> = match call.args().iter().any(|word| word == "-a") {
        true => all.iter().filter(|config| config.on_boot).map(|config| config.device.clone()).collect(),
        false => call
            .args()
            .iter()
            .filter(|word| !word.starts_with('-'))
            .map(|word| word.trim_start_matches("ifcfg-").to_owned())
            .collect(),
    };
    let mut script = String::new();
    for device in wanted {
        let Some(config) = all.iter().find(|config| config.device == device) else {
            return match (os, name) {
                (Os::Debian12, _) => call.fail(1, format!("{name}: unknown interface {device}\n")),
                (_, "ifup") => call.fail(
                    1,
                    format!("/sbin/ifup: configuration for {device} not found.\nUsage: ifup <configuration>\n"),
                ),
                (_, _) => call.fail(1, "usage: ifdown <configuration>\n"),
            };
        };
        if name == "ifdown" {
            down(config, os, Says::Nothing, &mut script);
            continue;
        }
        up(config, os, Says::Nothing, &mut script);
        // A card's aliases come up with it.
        for alias in all.iter().filter(|alias| alias.is_alias() && alias.card() == device && alias.on_boot) {
            up(alias, os, Says::Nothing, &mut script);
        }
    }
    run(script)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Nothing,
    /// `Bringing up interface eth0:  [  OK  ]`
    Much,
}

impl Config {
    fn is_alias(&self) -> bool {
        self.device.contains(':')
    }

    fn card(&self) -> &str {
        self.device.split(':').next().unwrap_or(&self.device)
    }
}

fn down(config: &Config, os: Os, says: Says, script: &mut String) {
    let device = &config.device;
    if config.is_alias() {
        let _ = writeln!(script, "ip addr flush dev {} label {device}", config.card());
        return;
    }
    if os == Os::Debian12 && device != "lo" {
        let _ = writeln!(script, "ip addr flush dev {device} label {device}");
    } else {
        let _ = writeln!(script, "ip addr flush dev {device}");
    }
    let _ = writeln!(script, "ip link set {device} down");
    if says == Says::Much {
        let what = if device == "lo" {
            "Shutting down loopback interface:".into()
        } else {
            format!("Shutting down interface {device}:")
        };
        said(&what, script);
    }
}

fn up(config: &Config, os: Os, says: Says, script: &mut String) {
    let (device, card) = (&config.device, config.card());
    let _ = writeln!(script, "ip link set {card} up");
    let is_lo = card == "lo";
    if let Some(net) = config.address {
        let address = net.addr();
        let broadcast =
            if net.prefix_len() < 31 && !is_lo { format!(" brd {}", net.broadcast()) } else { String::new() };
        let add = format!("ip addr add {net}{broadcast} dev {card} label {device}");
        let _ = match (os, is_lo) {
            // The kernel gives a loopback that comes up its own address.
            (Os::Debian12, _) | (_, true) => writeln!(script, "ip addr show dev {card} | grep -qwF {net} || {add}"),
            // The card asks whether somebody has the address, and says twice that it has it now.
            (_, false) => writeln!(
                script,
                "if arping -q -c 2 -w 3 -D -I {card} {address}; then\n{add}\narping -q -A -c 1 -I {card} {address}\n( sleep 2; arping -q -U -c 1 -I {card} {address} ) > /dev/null 2>&1 < /dev/null &\n\
                 else\necho 'Error, some other host already uses address {address}.'\nfi"
            ),
        };
    }
    if let Some(gateway) = config.gateway {
        let _ = writeln!(script, "ip route replace default via {gateway} dev {card}");
    }
    if says == Says::Much {
        let what = if device == "lo" {
            "Bringing up loopback interface:".into()
        } else {
            format!("Bringing up interface {device}:")
        };
        said(&what, script);
    }
}

fn said(what: &str, script: &mut String) {
    let _ = writeln!(script, "echo '{}'", verdict("network", what, true).trim_end());
}

fn run(script: String) -> Outcome {
    Outcome::Shell(Start { source: Source::Text(script, "network".into()), args: Vec::new(), options: String::new() })
}

/// What the files say, cards in order of their names.
fn configs(sys: &mut Sys) -> Vec<Config> {
    if sys.kernel.os == Os::Debian12 {
        let text = sys.read_file(INTERFACES).unwrap_or_default();
        return interfaces(&String::from_utf8_lossy(&text));
    }
    let names = super::super::files::names(sys, SCRIPTS);
    let mut all = Vec::new();
    for name in names.iter().filter_map(|name| name.strip_prefix("ifcfg-")) {
        let text = sys.read_file(&format!("{SCRIPTS}/ifcfg-{name}")).unwrap_or_default();
        all.push(ifcfg(name, &String::from_utf8_lossy(&text)));
    }
    all.retain(|config| is_name(&config.device));
    all
}

/// `ifcfg-eth0`: assignments of a shell.
fn ifcfg(name: &str, text: &str) -> Config {
    let value = |wanted: &str| {
        let lines = text.lines().filter_map(|line| line.trim().split_once('='));
        lines.filter(|(key, _)| *key == wanted).map(|(_, value)| value.trim().trim_matches(['"', '\''])).next_back()
    };
    let length = match (value("PREFIX"), value("NETMASK")) {
        (Some(prefix), _) => prefix.parse().ok(),
        (None, Some(mask)) => mask.parse().ok().and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok()),
        (None, None) => Some(24),
    };
    let address = value("IPADDR").and_then(|address| address.parse().ok());
    Config {
        device: value("DEVICE").unwrap_or(name).to_owned(),
        address: address.zip(length).and_then(|(address, length)| Ipv4Net::new(address, length).ok()),
        gateway: value("GATEWAY").and_then(|gateway| gateway.parse().ok()),
        on_boot: value("ONBOOT").is_none_or(|on| !on.eq_ignore_ascii_case("no")),
    }
}

/// `/etc/network/interfaces`: stanzas.
fn interfaces(text: &str) -> Vec<Config> {
    let mut all: Vec<Config> = Vec::new();
    let mut auto: Vec<&str> = Vec::new();
    let mut netmask: Option<u8> = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            ["auto" | "allow-hotplug", names @ ..] => auto.extend(names),
            ["iface", name, ..] => {
                netmask = None;
                all.push(Config { device: (*name).to_owned(), ..Config::default() });
            }
            ["address", address] => {
                let net = address.parse().ok().or_else(|| {
                    let address = address.parse().ok()?;
                    Ipv4Net::new(address, netmask.unwrap_or(24)).ok()
                });
                if let Some(last) = all.last_mut() {
                    last.address = net;
                }
            }
            ["netmask", mask] => {
                netmask = mask.parse().ok().or_else(|| ipnet::ipv4_mask_to_prefix(mask.parse().ok()?).ok());
                if let Some(last) = all.last_mut() {
                    last.address = last.address.and_then(|net| Ipv4Net::new(net.addr(), netmask?).ok());
                }
            }
            ["gateway", gateway] => {
                if let Some(last) = all.last_mut() {
                    last.gateway = gateway.parse().ok();
                }
            }
            _ => {}
        }
    }
    for config in &mut all {
        config.on_boot = auto.contains(&config.device.as_str());
    }
    all.retain(|config| is_name(&config.device));
    all
}

fn is_name(device: &str) -> bool {
    !device.is_empty()
        && device.chars().all(|c| c.is_ascii_alphanumeric() || ":._-".contains(c))
        && !device.starts_with('-')
}

fn files_exist(sys: &mut Sys, path: &str) -> bool {
    super::super::files::exists(sys, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_an_alias_is_read_as_red_hat_writes_it() {
        let read = ifcfg(
            "lo:0",
            "DEVICE=lo:0\nIPADDR=192.168.2.188\nNETMASK=255.255.255.255\nONBOOT=yes\nNAME=\"loopback\"\n",
        );
        assert_eq!(read.device, "lo:0");
        assert_eq!(read.address, "192.168.2.188/32".parse().ok());
        assert!(read.on_boot && read.is_alias() && read.card() == "lo");
    }

    #[test]
    fn stanzas_of_debian_may_have_the_mask_behind_the_address() {
        let read = interfaces(
            "auto eth0\niface eth0 inet static\n  address 10.0.0.4\n  netmask 255.255.0.0\n  gateway 10.0.0.1 # router\n",
        );
        assert_eq!(read.len(), 1);
        assert_eq!(
            (read[0].address, read[0].gateway, read[0].on_boot),
            ("10.0.0.4/16".parse().ok(), "10.0.0.1".parse().ok(), true)
        );
    }
}
