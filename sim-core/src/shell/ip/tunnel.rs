//! `ip tunnel`, and the tunnels of `ip link`: IP-in-IP and GRE devices. A device unwraps whatever comes for an address of
//! this host; sending into it is not modelled, so its ends, TTL and encapsulation change nothing.

use super::{Done, Ip, Stop, address_of, answer, command};
use crate::shell::command::Fault;
use crate::trace::record::LinkKind;
use crate::wire::Mac;

const COMMANDS: &[&str] = &["add", "change", "delete", "show", "list", "lst", "prl", "6rd", "help"];
const IPIP_MTU: u32 = 1480;
pub(super) const GRE_MTU: u32 = 1476;

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    let mode = words.iter().position(|word| *word == "mode").map(|at| at + 1);
    match mode.and_then(|at| words.get(at).map(|word| (at, *word))) {
        Some((at, word @ ("sit" | "isatap" | "vti"))) => {
            vec![Fault::not_modelled(at, format!("tunnels of mode {word} are not modelled")).hint("ipip and gre are")]
        }
        _ => keyed(words),
    }
}

/// GRE's keys and sequence numbers: IPVS sends none, and a device that asks for them would open nothing.
pub(super) fn keyed(words: &[&str]) -> Vec<Fault> {
    let is_keyed = |word: &&str| matches!(*word, "key" | "ikey" | "okey" | "seq" | "iseq" | "oseq" | "external");
    let at = words.iter().position(is_keyed);
    at.map(|at| Fault::not_modelled(at, format!("tunnels with {} are not modelled", words[at]))).into_iter().collect()
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "tunnel")? {
        "add" => add(ip),
        // `change` of ends: nothing is sent into the device.
        "change" => Ok(()),
        "del" => {
            let word = ip.words.value()?;
            let name = if matches!(word, "dev" | "name") { ip.words.value()? } else { word };
            let id = ip.device(name)?;
            answer(ip.sys.kernel.tables.delete_interface(id, ip.sys.cx))
        }
        "show" => {
            let shown = ip.sys.kernel.tables.interfaces.iter().filter_map(|interface| {
                let mode = match interface.kind {
                    LinkKind::Ipip => "ip/ip",
                    LinkKind::Gre => "gre/ip",
                    LinkKind::Loopback | LinkKind::Ethernet(_) | LinkKind::Macvlan { .. } | LinkKind::Dummy => {
                        return None;
                    }
                };
                Some(format!("{}: {mode} remote any local any ttl inherit nopmtudisc\n", interface.name))
            });
            let text: String = shown.collect();
            ip.out(text);
            Ok(())
        }
        other => Err(Stop(255, format!("ip tunnel {other}: see ip-tunnel(8)"))),
    }
}

fn add(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let (mut name, mut mode) = (None, None);
    while let Some(word) = ip.words.next() {
        match word {
            "mode" => mode = Some(ip.words.value()?),
            "name" => name = Some(ip.words.value()?),
            word if name.is_none() && !OPTIONS.contains(&word) => name = Some(word),
            word => take_option(ip, word)?,
        }
    }
    let kind = match mode {
        Some("ipip" | "ip/ip" | "ipv4") => LinkKind::Ipip,
        Some("gre" | "gre/ip") => LinkKind::Gre,
        None => {
            return Err(Stop(
                255,
                "Tunnel interface type: cannot determine tunnel mode (ipip, gre, vti or sit)".into(),
            ));
        }
        Some(mode) => return Err(Stop(255, format!("Unknown tunnel mode \"{mode}\""))),
    };
    let (own, mtu) = own_device(kind);
    make(kind, ip.sys);
    let name = name.unwrap_or(if kind == LinkKind::Gre { "gre1" } else { "tunl1" });
    if name == own {
        return Err(Stop(1, format!("add tunnel \"{own}\" failed: File exists")));
    }
    let made = ip.sys.kernel.tables.add_interface(name, kind, Mac([0; 6]), mtu, ip.sys.cx);
    made.map(drop).map_err(|refusal| Stop(1, format!("add tunnel \"{own}\" failed: {refusal}")))
}

/// What may be said of a tunnel and changes nothing here.
const OPTIONS: &[&str] = &[
    "remote",
    "local",
    "ttl",
    "hoplimit",
    "tos",
    "dsfield",
    "dev",
    "nopmtudisc",
    "pmtudisc",
    "ignore-df",
    "noignore-df",
    "csum",
    "icsum",
    "ocsum",
    "encap",
    "noencap",
    "encap-sport",
    "encap-dport",
    "encap-csum",
    "noencap-csum",
    "encap-remcsum",
    "noencap-remcsum",
];

/// Whether `ip link … type` makes a tunnel of this kind.
pub(super) fn is_kind(kind: &str) -> bool {
    matches!(kind, "ipip" | "gre")
}

/// Takes an option of a tunnel, with its value.
pub(super) fn take_option(ip: &mut Ip<'_, '_, '_, '_>, word: &str) -> Done {
    match word {
        "remote" | "local" => match ip.words.value()? {
            "any" => {}
            text => drop(address_of(text)?),
        },
        "encap" => match ip.words.value()? {
            "gue" | "fou" | "none" => {}
            other => return Err(Stop(255, format!("Error: argument \"{other}\" is wrong: Invalid encap type."))),
        },
        "ttl" | "hoplimit" | "tos" | "dsfield" | "dev" | "encap-sport" | "encap-dport" => drop(ip.words.value()?),
        word if OPTIONS.contains(&word) => {}
        word => return Err(Stop(255, format!("Error: argument \"{word}\" is wrong: unknown"))),
    }
    Ok(())
}

/// Loading a module of tunnels makes its own device: `tunl0`, `gre0`. Whether the module is one of them.
pub(in crate::shell) fn load(module: &str, sys: &mut crate::kernel::syscall::Sys<'_, '_>) -> bool {
    match module {
        "ipip" => make(LinkKind::Ipip, sys),
        "ip_gre" | "gre" => make(LinkKind::Gre, sys),
        _ => return false,
    }
    true
}

fn make(kind: LinkKind, sys: &mut crate::kernel::syscall::Sys<'_, '_>) {
    let (own, mtu) = own_device(kind);
    if sys.kernel.tables.interfaces.named(own).is_none() {
        // A host full of interfaces gets no further one; the command that needs it will say so.
        let _ = sys.kernel.tables.add_interface(own, kind, Mac([0; 6]), mtu, sys.cx);
    }
}

/// The device that comes with the module, and the MTU of such devices.
fn own_device(kind: LinkKind) -> (&'static str, u32) {
    if kind == LinkKind::Gre { ("gre0", GRE_MTU) } else { ("tunl0", IPIP_MTU) }
}
