//! `ip tunnel`: IP-in-IP devices. A device unwraps whatever comes for an address of this host; sending into it is not
//! modelled.

use super::{Done, Ip, Stop, address_of, answer, command};
use crate::shell::command::Fault;
use crate::trace::record::LinkKind;
use crate::wire::Mac;

const COMMANDS: &[&str] = &["add", "change", "delete", "show", "list", "lst", "prl", "6rd", "help"];
const MTU: u32 = 1480;

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    let mode = words.iter().position(|word| *word == "mode").map(|at| at + 1);
    match mode.and_then(|at| words.get(at).map(|word| (at, *word))) {
        Some((at, word @ ("gre" | "sit" | "isatap" | "vti"))) => {
            vec![Fault::not_modelled(at, format!("tunnels of mode {word} are not modelled")).hint("ipip is")]
        }
        _ => Vec::new(),
    }
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
            let interfaces = ip.sys.kernel.tables.interfaces.iter();
            let text: String = interfaces
                .filter(|interface| interface.kind == LinkKind::Ipip)
                .map(|interface| format!("{}: ip/ip remote any local any ttl inherit nopmtudisc\n", interface.name))
                .collect();
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
            "remote" | "local" => match ip.words.value()? {
                "any" => {}
                text => drop(address_of(text)?),
            },
            "ttl" | "hoplimit" | "tos" | "dsfield" | "dev" => drop(ip.words.value()?),
            "nopmtudisc" | "pmtudisc" => {}
            "name" => name = Some(ip.words.value()?),
            word if name.is_none() => name = Some(word),
            word => return Err(Stop(255, format!("Error: argument \"{word}\" is wrong: unknown"))),
        }
    }
    match mode {
        Some("ipip" | "ip/ip" | "ipv4") => {}
        None => {
            return Err(Stop(
                255,
                "Tunnel interface type: cannot determine tunnel mode (ipip, gre, vti or sit)".into(),
            ));
        }
        Some(mode) => return Err(Stop(255, format!("Unknown tunnel mode \"{mode}\""))),
    }
    make(ip.sys);
    let name = name.unwrap_or("tunl1");
    if name == "tunl0" {
        return Err(Stop(1, "add tunnel \"tunl0\" failed: File exists".into()));
    }
    let made = ip.sys.kernel.tables.add_interface(name, LinkKind::Ipip, Mac([0; 6]), MTU, ip.sys.cx);
    made.map(drop).map_err(|refusal| Stop(1, format!("add tunnel \"tunl0\" failed: {refusal}")))
}

/// Loading the ipip module makes `tunl0`.
pub(in crate::shell) fn make(sys: &mut crate::kernel::syscall::Sys<'_, '_>) {
    if sys.kernel.tables.interfaces.named("tunl0").is_none() {
        // A host full of interfaces gets no further one; the command that needs it will say so.
        let _ = sys.kernel.tables.add_interface("tunl0", LinkKind::Ipip, Mac([0; 6]), MTU, sys.cx);
    }
}
