//! Addresses in the file: alone, and as a line of `virtual_ipaddress` with its options.

use super::parser::{Parser, Stop};
use super::words::Words;
use crate::keepalived::config::{ErrorClass, RemarkKind, VirtualAddress};
use crate::trace::record::Scope;
use std::net::{IpAddr, Ipv4Addr};

/// An address as keepalived takes it where it wants a host: what stands behind `-` or `/` does not count.
pub(super) fn host(text: &str) -> Option<IpAddr> {
    let end = text.find('-').or_else(|| text.find('/')).unwrap_or(text.len());
    alone(&text[..end])
}

/// An address and nothing else.
pub(super) fn alone(text: &str) -> Option<IpAddr> {
    match text.contains(':') {
        true => text.parse().ok().map(IpAddr::V6),
        false => text.parse().ok().map(IpAddr::V4),
    }
}

/// An address as C's `inet_aton` reads one: fewer than four numbers are taken too, the last one fills what is left.
pub(super) fn aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text.split('.').map(super::number::based).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    let room = 32 - 8 * u32::try_from(first.len()).ok().filter(|&given| given < 4)?;
    let fits = first.iter().all(|&octet| octet < 256) && u64::from(*last) < 1 << room;
    let high = first.iter().enumerate().fold(0, |bits, (index, octet)| bits | octet << (24 - 8 * index));
    fits.then(|| Ipv4Addr::from_bits(high | last))
}

/// `ADDR[/LEN]` as `virtual_ipaddress` takes it.
pub(super) fn with_prefix(
    p: &mut Parser<'_>,
    words: &Words,
    index: usize,
    mask: bool,
) -> Result<Option<(IpAddr, u8)>, Stop> {
    let text = p.word(words, index)?.to_owned();
    let most = if text.contains(':') { 128 } else { 32 };
    let (address, len) = match text.split_once('/').filter(|_| mask) {
        Some((address, len)) => (address, Some(len)),
        None => (text.as_str(), None),
    };
    let mut prefix_len = most;
    if let Some(len) = len {
        match p.unsigned_in(words, index, len, (0, most), true) {
            Some(len) => prefix_len = len,
            None => {
                let message = format!("Invalid address prefix len {len} for address {text} - using {most}");
                p.say(words, index, &message);
            }
        }
    }
    let Some(address) = alone(address) else {
        p.say(words, index, &format!("VRRP parsed invalid IP {text}. skipping IP..."));
        return Ok(None);
    };
    Ok(Some((address, u8::try_from(prefix_len).unwrap_or(32))))
}

/// A line of `virtual_ipaddress` or `static_ipaddress`; none if keepalived throws it away.
pub(super) fn line(p: &mut Parser<'_>, words: &Words, is_static: bool) -> Result<Option<VirtualAddress>, Stop> {
    let Some((address, prefix_len)) = with_prefix(p, words, 0, true)? else { return Ok(None) };
    let mut it = VirtualAddress {
        address,
        prefix_len,
        interface: String::new(),
        broadcast: None,
        scope: Scope::Global,
        label: String::new(),
        peer: None,
        untracked: false,
        flags: Vec::new(),
        preferred_lifetime_s: None,
        use_vmac: false,
        track_group: String::new(),
    };
    let mut broadcast = Broadcast::None;
    let mut index = 1;
    while let Some(option) = words.get(index) {
        let takes = matches!(option, "dev" | "scope" | "broadcast" | "brd" | "label" | "peer" | "preferred_lft")
            || is_static && option == "track_group";
        let value = words.get(index + 1);
        if takes && value.is_none() {
            let given = words.keyword();
            p.say(words, index, &format!("No {option} parameter specified for {given}"));
            return Ok(None);
        }
        let value = value.unwrap_or_default();
        let kept = match option {
            "dev" => device(p, words, index + 1, &mut it),
            "scope" => {
                scope(p, words, index + 1, &mut it);
                true
            }
            "broadcast" | "brd" => match Broadcast::read(p, words, index + 1, &it) {
                Some(read) => {
                    broadcast = read;
                    true
                }
                None => false,
            },
            "label" if value.len() >= 16 => {
                let text = format!("Address label {value} is longer than maximum length 15 - removing address");
                p.say(words, index + 1, &text);
                false
            }
            "label" => {
                value.clone_into(&mut it.label);
                true
            }
            "peer" => {
                peer(p, words, index + 1, &mut it)?;
                true
            }
            "home" | "-nodad" | "mngtmpaddr" | "noprefixroute" | "autojoin" => {
                it.flags.push(option.to_owned());
                true
            }
            "no_track" => {
                it.untracked = true;
                true
            }
            "preferred_lft" if value == "forever" => true,
            "preferred_lft" => {
                it.preferred_lifetime_s = p.unsigned(words, index + 1, 0, u32::MAX, true)?;
                if it.preferred_lifetime_s.is_none() {
                    p.say(words, index + 1, &format!("preferred_lft {value} is invalid"));
                }
                true
            }
            "track_group" if is_static => {
                if p.drafts.track_groups.iter().any(|group| group.name == value) {
                    value.clone_into(&mut it.track_group);
                } else {
                    p.say(words, index + 1, &format!("track_group {value} not found"));
                }
                true
            }
            "use_vmac" if !is_static => {
                it.use_vmac = true;
                true
            }
            other => {
                p.say(words, index, &format!("Unknown configuration entry '{other}' for ip address - ignoring"));
                true
            }
        };
        if !kept {
            return Ok(None);
        }
        index += 1 + usize::from(takes);
    }
    broadcast.apply(p, words, &mut it);
    if is_static && it.interface.is_empty() && !default_interface(p, words, &mut it) {
        return Ok(None);
    }
    if it.address.is_ipv6() {
        only_v4(p, words, &mut it);
    }
    Ok(Some(it))
}

fn device(p: &mut Parser<'_>, words: &Words, index: usize, it: &mut VirtualAddress) -> bool {
    let (name, own) = (words.get(index).unwrap_or_default(), words.keyword());
    if !it.interface.is_empty() {
        p.say(words, index, &format!("Cannot specify ipaddress device more than once for {own}"));
        return false;
    }
    if !p.knows_interface(name) {
        p.say(words, index, &format!("WARNING - interface {name} for ip address {own} doesn't exist"));
        return false;
    }
    name.clone_into(&mut it.interface);
    true
}

fn scope(p: &mut Parser<'_>, words: &Words, index: usize, it: &mut VirtualAddress) {
    let given = words.get(index).unwrap_or_default();
    match given {
        "global" | "universe" | "0" => it.scope = Scope::Global,
        "link" | "253" => it.scope = Scope::Link,
        "host" | "254" => it.scope = Scope::Host,
        "site" | "200" | "nowhere" | "255" => {
            let text = format!("scope {given} of {} is taken for global", words.keyword());
            p.note_hint(words, index, &text, "");
        }
        _ => {
            let text = format!("Invalid scope '{given}' specified for {} - ignoring", words.keyword());
            p.say(words, index, &text);
        }
    }
}

fn peer(p: &mut Parser<'_>, words: &Words, index: usize, it: &mut VirtualAddress) -> Result<(), Stop> {
    let given = words.get(index).unwrap_or_default();
    if it.peer.is_some() {
        p.say(words, index, &format!("Peer {given} - another peer has already been specified"));
        return Ok(());
    }
    match with_prefix(p, words, index, false)? {
        None => p.say(words, index, &format!("Invalid peer address {given}")),
        Some((peer, _)) if peer.is_ipv4() != it.address.is_ipv4() => {
            p.say(words, index, &format!("Peer address {given} does not match address family"));
        }
        Some((peer, prefix_len)) => {
            if it.prefix_len != prefix_len {
                p.say(words, index, "Cannot specify address prefix when specifying peer address - ignoring");
            }
            it.peer = Some((peer, prefix_len));
            it.prefix_len = prefix_len;
        }
    }
    Ok(())
}

fn default_interface(p: &mut Parser<'_>, words: &Words, it: &mut VirtualAddress) -> bool {
    let given = p.drafts.global.global.default_interface.clone();
    let name = if given.is_empty() { "eth0".to_owned() } else { given };
    if p.around.has_interface(&name) {
        it.interface = name;
        return true;
    }
    let text =
        format!("Static address {} requires either an interface or default interface must exist", words.keyword());
    let mut remark = p.remark(RemarkKind::Warning(ErrorClass::File), words.place(0), &text);
    remark.placed = true;
    p.push(remark);
    false
}

fn only_v4(p: &mut Parser<'_>, words: &Words, it: &mut VirtualAddress) {
    let own = words.keyword();
    if it.scope != Scope::Global {
        p.say(words, 0, &format!("Cannot specify scope for IPv6 addresses ({own}) - ignoring scope"));
        it.scope = Scope::Global;
    }
    if !it.label.is_empty() {
        p.say(words, 0, &format!("Cannot specify label for IPv6 addresses ({own}) - ignoring label"));
        it.label.clear();
    }
}

/// `brd`.
enum Broadcast {
    None,
    Given(Ipv4Addr),
    /// `+`: all bits of the host part set.
    Ones,
    /// `-`: none.
    Zeros,
}

impl Broadcast {
    fn read(p: &mut Parser<'_>, words: &Words, index: usize, it: &VirtualAddress) -> Option<Self> {
        let given = words.get(index).unwrap_or_default();
        if it.address.is_ipv6() {
            let (option, own) = (words.get(index - 1).unwrap_or_default(), words.keyword());
            let text = format!(
                "VRRP is trying to assign a broadcast {option} to the IPv6 address {own} !!?? WTF... skipping VIP..."
            );
            p.say(words, index, &text);
            return None;
        }
        match given {
            "-" => Some(Broadcast::Zeros),
            "+" => Some(Broadcast::Ones),
            _ => match given.parse() {
                Ok(address) => Some(Broadcast::Given(address)),
                Err(_) => {
                    let text = format!("VRRP is trying to assign invalid broadcast {given}. skipping VIP...");
                    p.say(words, index, &text);
                    None
                }
            },
        }
    }

    fn apply(self, p: &mut Parser<'_>, words: &Words, it: &mut VirtualAddress) {
        if matches!(self, Broadcast::None) {
            return;
        }
        if it.peer.is_some() {
            p.say(words, 0, "Cannot specify broadcast and peer addresses - ignoring broadcast address");
            return;
        }
        let Some(address) = it.v4() else { return };
        if let Broadcast::Given(broadcast) = self {
            it.broadcast = Some(broadcast);
        } else if it.prefix_len > 30 {
            p.say(words, 0, &format!("Address prefix length {} too long for broadcast", it.prefix_len));
        } else {
            let host_part = u32::MAX >> it.prefix_len;
            let bits = match self {
                Broadcast::Ones => address.to_bits() | host_part,
                _ => address.to_bits() & !host_part,
            };
            it.broadcast = Some(Ipv4Addr::from_bits(bits));
        }
    }
}

/// Says that IPv6 is not modelled, where it is.
pub(super) fn refuse_v6(p: &mut Parser<'_>, words: &Words, index: usize, address: &VirtualAddress) {
    if address.address.is_ipv6() {
        p.refuse(words, index, "IPv6 is not modelled", "use IPv4 addresses");
    }
}
