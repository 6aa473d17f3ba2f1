//! `vrrp_instance` and what stands in it.

use super::draft::{AuthType, Family, InstanceDraft};
use super::limits::{SECONDS_MAX, TIMER_MAX};
use super::parser::{Outcome, Parser};
use super::words::Words;
use super::{address, route, script, track};
use crate::base::time::Duration;
use crate::keepalived::config::instance::{OldChecksum, Peer, Vmac};
use crate::keepalived::config::{Instance, Version, Wanted};
use std::net::IpAddr;

/// How long a name of an interface may be.
const INTERFACE_NAME_MAX: usize = 15;
/// What `preempt_delay` takes, in seconds.
const PREEMPT_DELAY_MAX: u32 = 1000;

fn name(p: &mut Parser<'_>) -> String {
    p.instance().it.name.clone()
}

fn it<'p>(p: &'p mut Parser<'_>) -> &'p mut Instance {
    &mut p.instance().it
}

pub(super) fn open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let [name] = words.from(1) else {
        p.say(words, 0, "vrrp_instance must have a name");
        p.skip_block();
        return Ok(());
    };
    if p.drafts.instances.iter().any(|known| known.it.name == *name) {
        p.say(words, 1, &format!("vrrp instance {name} already defined"));
        p.skip_block();
        return Ok(());
    }
    let mut draft = InstanceDraft::new(name, words.place(1), &p.drafts.global);
    draft.named = words.line.named;
    p.drafts.instances.push(draft);
    Ok(())
}

pub(super) fn close(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let draft = p.instance();
    if draft.unicast && draft.vmac.is_some() {
        if !draft.has_interface {
            draft.vmac = None;
            let text = format!("({name}): Cannot use VMAC/ipvlan with unicast and no interface - clearing use_vmac");
            p.say(words, 0, &text);
        } else if !draft.transmit_by_base {
            draft.transmit_by_base = true;
            p.say(words, 0, &format!("({name}) unicast with use_vmac requires vmac_xmit_base - setting"));
        }
    }
    let draft = p.instance();
    if draft.peers.is_empty() && draft.ttl.take().is_some() {
        p.say(words, 0, &format!("({name}): Cannot use unicast_ttl without unicast peers - resetting"));
    }
    Ok(())
}

pub(super) fn state(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    match p.word(words, 1)? {
        "MASTER" => p.instance().wanted = Some(Wanted::Master),
        "BACKUP" if p.instance().wanted == Some(Wanted::Master) => {
            p.say(words, 1, &format!("({name}) state previously set as MASTER - ignoring BACKUP"));
        }
        "BACKUP" => p.instance().wanted = Some(Wanted::Backup),
        other => {
            p.say_hint(
                words,
                1,
                &format!("({name}) unknown state '{other}', defaulting to BACKUP"),
                "MASTER or BACKUP, in capitals",
            );
            p.instance().wanted = Some(Wanted::Backup);
        }
    }
    Ok(())
}

pub(super) fn interface(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let name = name(p);
    if given.len() > INTERFACE_NAME_MAX {
        p.say(words, 1, &format!("Interface name '{given}' too long - ignoring"));
        return Ok(());
    }
    let known = p.knows_interface(&given);
    let usable = known && given != "lo";
    if !known {
        p.say(words, 1, &format!("WARNING - interface {given} for vrrp_instance {name} doesn't exist"));
    } else if given == "lo" {
        p.say(words, 1, &format!("({name}) cannot use a loopback interface ({given}) for vrrp - ignoring"));
    }
    p.instance().has_interface = usable;
    it(p).interface = if usable { given } else { String::new() };
    Ok(())
}

pub(super) fn vrid(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, 255, false)? {
        None => p.say(words, 1, &format!("({name}): VRID '{given}' not valid - must be between 1 & 255")),
        Some(vrid) => it(p).vrid = u8::try_from(vrid).unwrap_or(0),
    }
    Ok(())
}

pub(super) fn priority(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let priority = p.unsigned(words, 1, 1, 255, false)?;
    if priority.is_none() {
        p.say(words, 1, &format!("({name}) Priority not valid! must be between 1 & 255. Using default 100"));
    }
    p.instance().priority = priority.map_or(Some(100), |priority| u8::try_from(priority).ok());
    Ok(())
}

pub(super) fn advert_int(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let given = words.get(1).unwrap_or_default();
    match p.time(words, 1, (10_000, 255_000_000))? {
        None => p.say(words, 1, &format!("({name}) Advert interval ({given}) not valid! Must be > 0 - ignoring")),
        Some(interval) => p.instance().advert = Some(interval),
    }
    Ok(())
}

pub(super) fn version(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let (version, number) = match p.int(words, 1, 2, 3, true)? {
        None => {
            p.say(words, 1, &format!("({name}): Version must be either 2 or 3"));
            return Ok(());
        }
        Some(2) => (Version::V2, 2),
        Some(_) => (Version::V3, 3),
    };
    let draft = p.instance();
    let known = draft.version;
    if known.is_some_and(|known| known != version) || version == Version::V2 && draft.family == Some(Family::V6) {
        let deduced = match known {
            None => 0,
            Some(Version::V2) => 2,
            Some(Version::V3) => 3,
        };
        let text =
            format!("({name}) vrrp_version {number} conflicts with configured or deduced version {deduced}; ignoring.");
        p.say(words, 1, &text);
        return Ok(());
    }
    draft.version = Some(version);
    Ok(())
}

pub(super) fn addresses(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    p.value_block(words, |p, line| {
        let Some(address) = address::line(p, line, false)? else { return Ok(()) };
        let family = Family::of(address.address);
        if *p.instance().family.get_or_insert(family) != family {
            let given = line.keyword();
            p.say(line, 0, &format!("({name}): address family must match VRRP instance [{given}] - ignoring"));
            return Ok(());
        }
        address::refuse_v6(p, line, 0, &address);
        it(p).addresses.push(address);
        Ok(())
    })
}

pub(super) fn excluded(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(address) = address::line(p, line, false)? {
            address::refuse_v6(p, line, 0, &address);
            it(p).excluded_addresses.push(address);
        }
        Ok(())
    })
}

pub(super) fn routes(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(found) = route::route(p, line, false)? {
            it(p).routes.push(found);
        }
        Ok(())
    })
}

pub(super) fn rules(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        if let Some(found) = route::rule(p, line, false)? {
            it(p).rules.push(found);
        }
        Ok(())
    })
}

pub(super) fn tracks(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let owner = name(p);
    let kind = track::Kind::of(words.keyword());
    p.value_block(words, |p, line| {
        let mut list = std::mem::take(kind.list(&mut it(p).tracks));
        let read = track::tracked(p, line, kind, &owner, &mut list);
        *kind.list(&mut it(p).tracks) = list;
        read
    })
}

pub(super) fn dont_track_primary(p: &mut Parser<'_>, _: &Words) -> Outcome {
    it(p).tracks_own_interface = false;
    Ok(())
}

/// `mcast_src_ip`, `unicast_src_ip`.
pub(super) fn source(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if words.keyword() == "unicast_src_ip" {
        p.instance().unicast = true;
    }
    let given = p.word(words, 1)?.to_owned();
    let name = name(p);
    let Some(address) = address::host(&given) else {
        let text = format!("Configuration error: VRRP instance[{name}] malformed src address[{given}]. Skipping...");
        p.say(words, 1, &text);
        return Ok(());
    };
    let family = Family::of(address);
    if *p.instance().family.get_or_insert(family) == family {
        it(p).source = Some(address);
    } else {
        let text = format!(
            "Configuration error: VRRP instance[{name}] and src address[{given}] MUST be of the same family !!! Skipping..."
        );
        p.say(words, 1, &text);
    }
    Ok(())
}

pub(super) fn track_src_ip(p: &mut Parser<'_>, _: &Words) -> Outcome {
    it(p).track_source = true;
    Ok(())
}

pub(super) fn mcast_dst_ip(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.to_owned();
    let name = name(p);
    match address::host(&given) {
        None => p.say(words, 1, &format!("({name}) malformed mcast dest address {given}. Skipping...")),
        Some(group) if p.instance().family.is_some_and(|family| family != Family::of(group)) => {
            let text = format!("({name}) mcast dest address {given} MUST match VRRP instance family. Skipping...");
            p.say(words, 1, &text);
        }
        Some(IpAddr::V4(group)) if group.is_multicast() => p.instance().multicast = Some(group),
        Some(IpAddr::V4(_)) => p.say(words, 1, &format!("({name}) mcast_dst_ip {given} not multicast. Skipping...")),
        Some(IpAddr::V6(_)) => p.refuse(words, 1, "IPv6 is not modelled", "use an IPv4 group"),
    }
    Ok(())
}

pub(super) fn unicast_peers(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.instance().unicast = true;
    let name = name(p);
    p.value_block(words, |p, line| {
        let given = line.keyword().to_owned();
        let Some(address) = address::host(&given) else {
            let text = format!(
                "Configuration error: VRRP instance[{name}] malformed unicast peer address[{given}]. Skipping..."
            );
            p.say(line, 0, &text);
            return Ok(());
        };
        let family = Family::of(address);
        if *p.instance().family.get_or_insert(family) != family {
            let text = format!(
                "Configuration error: VRRP instance[{name}] and unicast peer address[{given}] MUST be of the same family !!! Skipping..."
            );
            p.say(line, 0, &text);
            return Ok(());
        }
        let mut peer = Peer { address, min_ttl: 0, max_ttl: 255 };
        peer_options(p, line, &name, &mut peer)?;
        p.instance().peers.push(peer);
        Ok(())
    })
}

fn peer_options(p: &mut Parser<'_>, line: &Words, name: &str, peer: &mut Peer) -> Outcome {
    for index in (1..line.count()).step_by(2) {
        let option = line.get(index).unwrap_or_default();
        if line.get(index + 1).is_none() {
            p.say(line, index, &format!("({name}) {option} is missing a value"));
            break;
        }
        let Some(ttl) = p.unsigned(line, index + 1, 0, 255, false)? else { continue };
        let slot = match option {
            "min_ttl" => &mut peer.min_ttl,
            "max_ttl" => &mut peer.max_ttl,
            _ => {
                p.say(line, index, &format!("({name}) unknown unicast_peer option {option}"));
                break;
            }
        };
        *slot = u8::try_from(ttl).unwrap_or(255);
        p.instance().check_unicast_source = true;
    }
    if peer.min_ttl > peer.max_ttl {
        let text =
            format!("({name}) min_ttl {} > max_ttl {} - all packets will be discarded", peer.min_ttl, peer.max_ttl);
        p.say(line, 0, &text);
    }
    Ok(())
}

pub(super) fn unicast_ttl(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, 255, false)? {
        None => p.say(words, 1, &format!("({name}): TTL '{given}' not valid - must be between 0 & 255")),
        Some(ttl) => p.instance().ttl = u8::try_from(ttl).ok(),
    }
    Ok(())
}

pub(super) fn fault_no_peer(p: &mut Parser<'_>, _: &Words) -> Outcome {
    let draft = p.instance();
    (draft.unicast, draft.fault_without_peer) = (true, true);
    Ok(())
}

pub(super) fn check_unicast_src(p: &mut Parser<'_>, _: &Words) -> Outcome {
    let draft = p.instance();
    (draft.unicast, draft.check_unicast_source) = (true, true);
    Ok(())
}

pub(super) fn old_checksum(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    p.instance().unicast = true;
    match words.get(1) {
        None => p.instance().old_checksum = OldChecksum::Use,
        Some("never") => p.instance().old_checksum = OldChecksum::Never,
        Some(other) => p.say(words, 1, &format!("({name}) Unknown old_unicast_chksum mode {other} - ignoring")),
    }
    Ok(())
}

pub(super) fn use_vmac(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let mut vmac = p.instance().vmac.take().unwrap_or_default();
    for index in 1..words.count().min(3) {
        let given = words.get(index).unwrap_or_default();
        if given.contains(':') {
            vmac_address(p, words, index, &mut vmac);
        } else if !vmac.interface.is_empty() {
            p.say(words, index, "VMAC interface name already specified");
        } else if given.is_empty()
            || given.len() > INTERFACE_NAME_MAX
            || given == "."
            || given == ".."
            || given.contains('/')
        {
            p.say(words, index, &format!("VMAC interface name '{given}' too long or invalid characters - ignoring"));
        } else if let Some(other) = vmac_owner(p, given) {
            p.say(words, index, &format!("({name}) VRRP instance {other} is already using {given} - ignoring name"));
        } else {
            given.clone_into(&mut vmac.interface);
        }
    }
    p.instance().vmac = Some(vmac);
    Ok(())
}

/// Whether it has an address of its own is asked when the instance is complete.
pub(super) fn use_ipvlan(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let has_address = words.from(1).iter().any(|word| word.contains(['.', '/', ':']));
    p.instance().ipvlan_without_address = !has_address;
    Ok(())
}

pub(super) fn native_ipv6(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if *p.instance().family.get_or_insert(Family::V6) == Family::V4 {
        let text = format!("({}) Cannot specify native_ipv6 with IPv4 addresses", name(p));
        p.say(words, 0, &text);
    }
    Ok(())
}

fn vmac_owner(p: &Parser<'_>, interface: &str) -> Option<String> {
    let uses = |draft: &&InstanceDraft| draft.vmac.as_ref().is_some_and(|vmac| vmac.interface == interface);
    p.drafts.instances.iter().find(uses).map(|draft| draft.it.name.clone())
}

fn vmac_address(p: &mut Parser<'_>, words: &Words, index: usize, vmac: &mut Vmac) {
    let given = words.get(index).unwrap_or_default();
    if vmac.mac.is_some() {
        p.say(words, index, "VMAC interface address already specified");
        return;
    }
    if given.contains(|c: char| !c.is_ascii_hexdigit() && c != ':') {
        p.say(words, index, &format!("VMAC invalid MAC address {given}"));
        return;
    }
    let octets: Option<Vec<u8>> = given
        .trim_end_matches(':')
        .split(':')
        .map(|octet| u8::from_str_radix(octet, 16).ok().filter(|_| octet.len() <= 2))
        .collect();
    // Five octets: the virtual router id is the sixth.
    let vrid = it(p).vrid;
    let mac: Option<[u8; 6]> = octets.and_then(|mut octets| {
        if octets.len() == 5 {
            octets.push(vrid);
        }
        octets.try_into().ok()
    });
    match mac {
        None => p.say(words, index, &format!("VMAC invalid MAC address {given} - ignored")),
        Some(mac) if mac[0] & 1 == 1 => {
            p.say(words, index, &format!("VMAC MAC address is multicast {given} - ignoring"));
        }
        Some([0, 0, 0x5e, 0, 1 | 2, _]) => {
            let text = format!("VMAC MAC address not allowed to be RFC5798 address ({given}) - ignoring");
            p.say(words, index, &text);
        }
        Some(mac) => vmac.mac = Some(mac),
    }
}

pub(super) fn vmac_xmit_base(p: &mut Parser<'_>, _: &Words) -> Outcome {
    p.instance().transmit_by_base = true;
    Ok(())
}

pub(super) fn auth_open(_: &mut Parser<'_>, _: &Words) -> Outcome {
    Ok(())
}

pub(super) fn auth_type(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    match p.word(words, 1)? {
        "PASS" => p.instance().auth_type = Some(AuthType::Pass),
        "AH" => p.instance().auth_type = Some(AuthType::Ah),
        other => p.say(words, 1, &format!("({name}) unknown authentication type '{other}'")),
    }
    Ok(())
}

pub(super) fn auth_pass(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let given = p.word(words, 1)?.as_bytes().to_owned();
    if given.len() > 8 {
        p.say(words, 1, "Truncating auth_pass to 8 characters");
    }
    let mut key = [0; 8];
    let length = given.len().min(8);
    key[..length].copy_from_slice(&given[..length]);
    p.instance().key = key;
    Ok(())
}

pub(super) fn accept(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.instance().accept = Some(words.keyword() == "accept");
    Ok(())
}

pub(super) fn preempt(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.instance().nopreempt = words.keyword() == "nopreempt";
    Ok(())
}

pub(super) fn preempt_delay(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let delay = p.time(words, 1, (0, u64::from(PREEMPT_DELAY_MAX) * 1_000_000))?;
    if delay.is_none() {
        p.say(words, 1, &format!("({name}) Preempt_delay not valid! must be between 0-{PREEMPT_DELAY_MAX}"));
    }
    p.instance().preempt_delay = delay.unwrap_or_default();
    Ok(())
}

/// `lower_prio_no_advert`, `higher_prio_send_advert`, `skip_check_adv_addr`, `strict_mode`.
pub(super) fn switch(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let keyword = words.keyword();
    let Some(on) = Parser::on_off(words, 1) else {
        let given = words.get(1).unwrap_or_default();
        p.say(words, 1, &format!("({name}) invalid {keyword} {given} specified"));
        return Ok(());
    };
    let draft = p.instance();
    match keyword {
        "lower_prio_no_advert" => draft.lower_prio_no_advert = Some(on),
        "higher_prio_send_advert" => draft.higher_prio_send_advert = Some(on),
        "strict_mode" => draft.strict = Some(on),
        // In 2.2.7 `off` switches it on as well.
        _ => draft.it.skip_check_adv_addr = true,
    }
    Ok(())
}

pub(super) fn notify(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let name = name(p);
    let notify = &it(p).notify;
    let given = match keyword {
        "notify_master" => &notify.master,
        "notify_backup" => &notify.backup,
        "notify_fault" => &notify.fault,
        "notify_stop" => &notify.stop,
        "notify_master_rx_lower_pri" => &notify.master_rx_lower_priority,
        _ => &notify.any,
    };
    if given.is_some() {
        let script = p.word(words, 1)?;
        p.say(words, 1, &format!("({name}) {keyword} script already specified - ignoring {script}"));
        return Ok(());
    }
    let command = script::notify(p, words, "notify")?;
    let notify = &mut it(p).notify;
    match keyword {
        "notify_master" => notify.master = command,
        "notify_backup" => notify.backup = command,
        "notify_fault" => notify.fault = command,
        "notify_stop" => notify.stop = command,
        "notify_master_rx_lower_pri" => notify.master_rx_lower_priority = command,
        _ => notify.any = command,
    }
    Ok(())
}

pub(super) fn notify_deleted(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    if p.instance().notify_deleted {
        let script = words.get(1).unwrap_or_default();
        p.say(words, 0, &format!("({name}) notify_deleted already specified - ignoring {script}"));
        return Ok(());
    }
    p.instance().notify_deleted = true;
    if words.count() > 1 {
        it(p).notify.deleted = script::notify(p, words, "notify")?;
    }
    Ok(())
}

pub(super) fn smtp_alert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match Parser::on_off(words, 1) {
        Some(on) => p.instance().smtp_alert = Some(on),
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("Invalid vrrp_instance smtp_alert parameter {given}"));
        }
    }
    Ok(())
}

pub(super) fn priority_changes(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    match Parser::on_off(words, 1) {
        Some(on) => p.instance().priority_changes = Some(on),
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("({name}) Invalid value '{given}' for notify_priority_changes specified"));
        }
    }
    Ok(())
}

/// `garp_master_delay` and its kin.
pub(super) fn garp(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let keyword = words.keyword();
    let most = match keyword {
        "garp_master_delay" | "garp_lower_prio_delay" => SECONDS_MAX,
        "garp_lower_prio_repeat" => i32::MAX as u32,
        _ => u32::MAX,
    };
    let given = words.get(1).unwrap_or_default();
    let Some(mut value) = p.unsigned(words, 1, 0, most, true)? else {
        let text = match keyword {
            "garp_master_refresh" => format!("({name}): Invalid garp_master_refresh '{given}' - ignoring"),
            "garp_lower_prio_repeat" => format!("({name}): Invalid garp_lower_prio_repeat '{given}'"),
            _ => format!("({name}): {keyword} '{given}' invalid - ignoring"),
        };
        p.say(words, 1, &text);
        if keyword == "garp_master_refresh" {
            it(p).garp.refresh = Duration::ZERO;
        }
        return Ok(());
    };
    if value == 0 && matches!(keyword, "garp_master_repeat" | "garp_master_refresh_repeat") {
        p.say(words, 1, &format!("({name}): {keyword} must be greater than 0, setting to 1"));
        value = 1;
    }
    let span = Duration::from_secs(value.into());
    let draft = p.instance();
    match keyword {
        "garp_master_delay" => draft.it.garp.delay = span,
        "garp_master_repeat" => draft.it.garp.repeat = value,
        "garp_master_refresh" => draft.it.garp.refresh = span,
        "garp_master_refresh_repeat" => draft.it.garp.refresh_repeat = value,
        "garp_lower_prio_delay" => draft.garp_lower_delay = Some(span),
        _ => draft.garp_lower_repeat = Some(value),
    }
    Ok(())
}

pub(super) fn garp_extra_if(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let keyword = words.keyword().to_owned();
    if keyword == "vmac_garp_intvl" {
        p.say(words, 0, "Keyword \"vmac_garp_intvl\" is deprecated - please use \"garp_extra_if\"");
    }
    let mut delay = None;
    for index in 1..words.count() {
        let given = words.get(index).unwrap_or_default();
        if given == "all" {
            continue;
        }
        delay = p.unsigned(words, index, 0, 86_400, true)?;
        if delay.is_none() {
            p.say(words, index, &format!("({name}): {keyword} '{given}' invalid - ignoring"));
            return Ok(());
        }
    }
    match delay {
        None => p.say(words, 0, &format!("({name}): {keyword} specified without time - ignoring")),
        Some(delay) => p.instance().garp_extra = Some(Duration::from_secs(delay.into())),
    }
    Ok(())
}

pub(super) fn down_timer_adverts(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 1, 100, true)? {
        None => p.say(words, 1, &format!("({name}): Invalid down_timer_adverts [1:100] '{given}'")),
        Some(count) => it(p).down_timer_adverts = u8::try_from(count).unwrap_or(3),
    }
    Ok(())
}

pub(super) fn promote_secondaries(p: &mut Parser<'_>, _: &Words) -> Outcome {
    it(p).promote_secondaries = true;
    Ok(())
}

pub(super) fn debug(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let given = words.get(1).unwrap_or_default();
    match p.unsigned(words, 1, 0, 4, true)? {
        None => p.say(words, 1, &format!("({name}) Debug value '{given}' not valid; must be between 0-4")),
        Some(debug) => it(p).debug = u8::try_from(debug).unwrap_or(0),
    }
    Ok(())
}

pub(super) fn kernel_rx_buf_size(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    if words.count() != 2 || p.unsigned(words, 1, 0, u32::try_from(TIMER_MAX).unwrap_or(u32::MAX), false)?.is_none() {
        p.say(words, 0, &format!("({name}) invalid kernel_rx_buf_size specified"));
    }
    Ok(())
}

pub(super) fn linkbeat(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let text = format!("({name}) 'linkbeat_use_polling' in vrrp instance deprecated - use linkbeat_interfaces block");
    p.say(words, 0, &text);
    it(p).linkbeat_polling = true;
    Ok(())
}

pub(super) fn sync_daemon_interface(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let name = name(p);
    let text = format!("({name}) Specifying lvs_sync_daemon_interface against a vrrp is deprecated.");
    p.say(words, 0, &text);
    let indent = " ".repeat(name.len().abs_diff(2));
    p.say(words, 0, &format!("      {indent}Please use global lvs_sync_daemon"));
    let given = p.word(words, 1)?.to_owned();
    if let Some(known) = &p.drafts.global.global.lvs_sync_daemon {
        let text =
            format!("({name}) lvs_sync_daemon_interface has already been specified as {} - ignoring", known.interface);
        p.say(words, 1, &text);
        return Ok(());
    }
    it(p).sync_daemon_interface.clone_from(&given);
    p.drafts.global.global.lvs_sync_daemon =
        Some(crate::keepalived::config::global::SyncDaemon { interface: given, instance: name, ..Default::default() });
    Ok(())
}
