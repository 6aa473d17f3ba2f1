//! `ip address`: add change replace del show flush.

use super::{Done, Ip, Stop, answer, check_words, command, link, network_of, prefix_of, scope_name, scope_of};
use crate::base::id::IfaceId;
use crate::shell::command::Fault;
use crate::tables::interfaces::{Address, Interface};
use crate::trace::record::Scope;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

const COMMANDS: &[&str] =
    &["add", "change", "chg", "replace", "delete", "show", "list", "lst", "flush", "save", "restore", "help"];

pub(super) fn check(words: &[&str]) -> Vec<Fault> {
    check_words(
        words,
        &[
            ("peer", "point-to-point addresses are not modelled"),
            ("remote", "point-to-point addresses are not modelled"),
            ("save", "put the commands into a script"),
            ("restore", "put the commands into a script"),
            ("valid_lft", "addresses do not expire in the lab"),
            ("preferred_lft", "addresses do not expire in the lab"),
            ("noprefixroute", "delete the route after adding the address"),
        ],
    )
}

pub(super) fn run(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    match command(&mut ip.words, COMMANDS, "address")? {
        "add" => modify(ip, false),
        "change" | "chg" | "replace" => modify(ip, true),
        "del" => delete(ip),
        "show" => show(ip),
        "flush" => flush(ip),
        other => Err(Stop(255, format!("ip address {other}: see ip-address(8)"))),
    }
}

fn modify(ip: &mut Ip<'_, '_, '_, '_>, replace: bool) -> Done {
    let (mut local, mut device, mut label, mut scope) = (None, None, None, None);
    let mut broadcast: Option<&str> = None;
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => device = Some(ip.words.value()?),
            "brd" | "broadcast" => broadcast = Some(ip.words.value()?),
            "label" => label = Some(ip.words.value()?),
            "scope" => {
                let text = ip.words.value()?;
                scope =
                    Some(scope_of(text).ok_or_else(|| {
                        Stop(255, format!("Error: argument \"{text}\" is wrong: invalid scope value."))
                    })?);
            }
            "metric" | "proto" => drop(ip.words.value()?),
            "local" => local = Some(prefix_of(ip.words.value()?)?),
            word if local.is_none() => local = Some(prefix_of(word)?),
            word => {
                return Err(Stop(255, format!("Error: either \"local\" is duplicate, or \"{word}\" is a garbage.")));
            }
        }
    }
    let Some(device) = device else {
        return Err(Stop(255, "Not enough information: \"dev\" argument is required.".into()));
    };
    if let Some(label) = label.filter(|label| !label.starts_with(device)) {
        return Err(Stop(255, format!("\"dev\" ({device}) must match \"label\" ({label}).")));
    }
    let id = ip.device(device)?;
    let Some((address, prefix)) = local else {
        return Err(Stop(2, "RTNETLINK answers: Invalid argument".into()));
    };
    let mut new = Address::new(address, prefix, label.unwrap_or(device));
    new.broadcast = match broadcast {
        None => None,
        Some("+") => Some(Ipv4Net::new_assert(address, prefix).broadcast()),
        Some("-") => Some(Ipv4Net::new_assert(address, prefix).network()),
        Some(text) => Some(super::address_of(text)?),
    };
    new.scope = scope.unwrap_or(new.scope);
    if replace {
        // The same address with the same prefix keeps its place; only what was said changes, which the lab does by
        // putting it there anew.
        let known = ip.sys.kernel.tables.interfaces.get(id).is_some_and(|interface| {
            interface.addresses.iter().any(|known| known.address == address && known.prefix == prefix)
        });
        if known {
            answer(ip.sys.kernel.tables.delete_address(id, address, Some(prefix), ip.sys.cx))?;
        }
    }
    answer(ip.sys.kernel.tables.add_address(id, new, ip.sys.cx))
}

fn delete(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let (mut local, mut device) = (None, None);
    let mut wildcard = false;
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => device = Some(ip.words.value()?),
            "brd" | "broadcast" | "label" | "scope" | "metric" => drop(ip.words.value()?),
            word if local.is_none() => {
                let text = if word == "local" { ip.words.value()? } else { word };
                wildcard = !text.contains('/');
                local = Some(prefix_of(text)?);
            }
            word => {
                return Err(Stop(255, format!("Error: either \"local\" is duplicate, or \"{word}\" is a garbage.")));
            }
        }
    }
    let Some(device) = device else {
        return Err(Stop(255, "Not enough information: \"dev\" argument is required.".into()));
    };
    let id = ip.device(device)?;
    let Some((address, prefix)) = local else {
        return Err(Stop(2, "RTNETLINK answers: Cannot assign requested address".into()));
    };
    if wildcard {
        let text = format!(
            "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         Explicitly specify the prefix length ({address}/32) to avoid this warning.\n         This special behaviour is likely to disappear in further releases,\n         fix your scripts!\n"
        );
        ip.call.err(text);
    }
    answer(ip.sys.kernel.tables.delete_address(id, address, (!wildcard).then_some(prefix), ip.sys.cx))
}

/// Which addresses are meant.
#[derive(Default)]
struct Which<'w> {
    device: Option<IfaceId>,
    label: Option<&'w str>,
    scope: Option<Scope>,
    to: Option<Ipv4Net>,
    secondary: Option<bool>,
    up: bool,
}

impl Which<'_> {
    fn picks(&self, address: &Address) -> bool {
        self.label.is_none_or(|label| crate::shell::run::pattern::matches(label, &address.label))
            && self.scope.is_none_or(|scope| scope == address.scope)
            && self.to.is_none_or(|to| to.contains(&address.address))
            && self.secondary.is_none_or(|secondary| secondary == address.secondary)
    }

    fn picks_all(&self) -> bool {
        self.label.is_none() && self.scope.is_none() && self.to.is_none() && self.secondary.is_none()
    }
}

fn which<'w>(ip: &mut Ip<'_, 'w, '_, '_>) -> Result<Which<'w>, Stop> {
    let mut which = Which::default();
    while let Some(word) = ip.words.next() {
        match word {
            "dev" => which.device = Some(ip.next_shown_device()?),
            "label" => which.label = Some(ip.words.value()?),
            "scope" => match ip.words.value()? {
                "all" => {}
                text => {
                    which.scope =
                        Some(scope_of(text).ok_or_else(|| {
                            Stop(255, format!("Error: argument \"{text}\" is wrong: invalid \"scope\""))
                        })?);
                }
            },
            "to" => which.to = Some(network_of(ip.words.value()?)?),
            "up" => which.up = true,
            "secondary" => which.secondary = Some(true),
            "primary" => which.secondary = Some(false),
            "permanent" | "all" => {}
            "dynamic" => which.label = Some(""),
            word => which.device = Some(ip.shown_device(word)?),
        }
    }
    Ok(which)
}

fn flush(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let filtered = ip.words.peek().is_some();
    let which = which(ip)?;
    if !filtered {
        return Err(Stop(1, "Flush requires arguments.".into()));
    }
    let ids: Vec<IfaceId> = ip.sys.kernel.tables.interfaces.iter().map(|interface| interface.id).collect();
    for id in ids.into_iter().filter(|id| which.device.is_none_or(|device| device == *id)) {
        let found: Vec<(Ipv4Addr, u8)> = ip.sys.kernel.tables.interfaces.get(id).map_or(Vec::new(), |interface| {
            interface.addresses.iter().filter(|address| which.picks(address)).map(|a| (a.address, a.prefix)).collect()
        });
        for (address, prefix) in found.into_iter().rev() {
            // With a primary address its secondary ones have gone already.
            let _ = ip.sys.kernel.tables.delete_address(id, address, Some(prefix), ip.sys.cx);
        }
    }
    Ok(())
}

fn show(ip: &mut Ip<'_, '_, '_, '_>) -> Done {
    let which = which(ip)?;
    let style = ip.style;
    let mut text = String::new();
    for interface in ip.sys.kernel.tables.interfaces.iter() {
        if which.device.is_some_and(|id| id != interface.id) || (which.up && !interface.up) {
            continue;
        }
        let picked: Vec<&Address> = interface.addresses.iter().filter(|address| which.picks(address)).collect();
        if picked.is_empty() && (style.ipv4 || !which.picks_all()) {
            continue;
        }
        if style.brief {
            text.push_str(&format!("{:<16} {:<14} ", interface.name, link::state(interface)));
            for address in picked {
                text.push_str(&format!("{}/{} ", address.address, address.prefix));
            }
            text.push('\n');
        } else if style.one_line {
            for address in picked {
                text.push_str(&format!("{}: {}    {}\n", interface.id.0, interface.name, line(address, "\\")));
            }
        } else {
            text.push_str(&first_lines(interface, style.ipv4));
            for address in picked {
                text.push_str(&format!("    {}\n", line(address, "\n")));
            }
        }
    }
    ip.out(text);
    Ok(())
}

fn first_lines(interface: &Interface, ipv4: bool) -> String {
    match ipv4 {
        true => format!("{}\n", link::first_line(interface)),
        false => format!("{}\n", link::head(interface, "\n")),
    }
}

fn line(address: &Address, separator: &str) -> String {
    let broadcast = address.broadcast.map_or_else(String::new, |broadcast| format!(" brd {broadcast}"));
    let secondary = if address.secondary { " secondary" } else { "" };
    format!(
        "inet {}/{}{broadcast} scope {}{secondary} {}{separator}       valid_lft forever preferred_lft forever",
        address.address,
        address.prefix,
        scope_name(address.scope),
        address.label
    )
}
