//! `ip fou`: UDP ports at which the kernel opens GUE tunnels.

use super::{Done, Ip, Stop, answer, command};
use crate::shell::command::Fault;

const COMMANDS: &[&str] = &["add", "delete", "show", "list", "lst", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    let plain = words.iter().position(|word| *word == "ipproto");
    let narrow = words.iter().position(|word| matches!(*word, "-6" | "dev" | "peer" | "peer_port" | "local"));
    let fault =
        |at: usize, hint: &str| Fault::not_modelled(at, format!("ip fou {} is not modelled", words[at])).hint(hint);
    let plain = plain.map(|at| fault(at, "ip fou add port N gue is"));
    plain.or(narrow.map(|at| fault(at, "a port is open on all interfaces"))).into_iter().collect()
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "fou")? {
        "add" => {
            let (port, is_gue) = port(ip)?;
            if !is_gue {
                return Err(Stop(255, "fou: must set ipproto or gue".into()));
            }
            answer(ip.sys.kernel.tables.fou.add(port))
        }
        "del" => {
            let (port, _) = port(ip)?;
            match ip.sys.kernel.tables.fou.delete(port) {
                true => Ok(()),
                false => Err(Stop(2, "RTNETLINK answers: Invalid argument".into())),
            }
        }
        "show" => {
            let text: String = ip.sys.kernel.tables.fou.iter().map(|port| format!("port {port} gue\n")).collect();
            ip.out(text);
            Ok(())
        }
        other => Err(Stop(255, format!("ip fou {other}: see ip-fou(8)"))),
    }
}

fn port(ip: &mut Ip<'_, '_, '_, '_>) -> Result<(u16, bool), Stop> {
    let (mut port, mut is_gue) = (None, false);
    while let Some(word) = ip.words.next() {
        match word {
            "port" => {
                let text = ip.words.value()?;
                let number = text.parse::<u16>().ok().filter(|port| *port != 0);
                port = Some(number.ok_or_else(|| Stop(255, "invalid port".into()))?);
            }
            "gue" => is_gue = true,
            other => return Err(Stop(255, format!("fou: unknown command \"{other}\"?"))),
        }
    }
    let port = port.ok_or_else(|| Stop(255, "fou: missing port".into()))?;
    Ok((port, is_gue))
}
