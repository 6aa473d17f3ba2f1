//! One `vrrp_instance`: what is not said, and what does not go together.

use super::super::draft::{AuthType, Family, InstanceDraft};
use super::super::parser::Parser;
use crate::base::time::Duration;
use crate::keepalived::config::{Authentication, Config, Preemption, RemarkKind, Tracked, Unicast, Version, Wanted};

/// Addresses that fit into an advert.
const ADDRESSES_MAX: usize = 255;

/// Completes an instance. False: the VRRP process ends.
pub(super) fn complete(p: &mut Parser<'_>, config: &Config, draft: &mut InstanceDraft, group: Option<usize>) -> bool {
    let global = &p.drafts.global;
    draft.it.strict = draft.strict.unwrap_or(global.global.strict);
    draft.it.version = match (draft.version, draft.family) {
        (Some(version), _) => version,
        (None, Some(Family::V6)) => Version::V3,
        (None, _) => global.version,
    };
    let (strict, v3) = (draft.it.strict, draft.it.version == Version::V3);
    if draft.it.addresses.is_empty() {
        if v3 || strict {
            let text = format!("({}) No VIP specified; at least one is required", draft.it.name);
            p.fatal(draft.place.clone(), &text);
            return false;
        }
        say(p, draft, "No VIP specified; at least one is sensible");
    }
    state_and_priority(p, draft);
    authentication(p, draft);
    if !unicast(p, draft) {
        return false;
    }
    too_many_addresses(p, draft);
    preemption(p, draft);
    accept(p, draft);
    multicast(p, draft);
    garp(p, draft);
    notify(p, config, draft, group);
    advert_interval(p, draft);
    vmac(p, draft);
    if draft.it.source.is_none() {
        draft.it.track_source = false;
    }
    for address in draft.it.addresses.iter_mut().chain(&mut draft.it.excluded_addresses) {
        if address.interface.is_empty() {
            address.interface.clone_from(&draft.it.interface);
        }
    }
    // keepalived says this once more when it has sorted the addresses by their interfaces.
    if draft.it.addresses.is_empty() {
        say(p, draft, "No VIP specified; at least one is sensible");
    }
    tracks(p, config, draft, group);
    true
}

fn say(p: &mut Parser<'_>, draft: &InstanceDraft, text: &str) {
    p.conclude(format!("({}) {text}", draft.it.name), draft.place.clone());
}

fn state_and_priority(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let owner_by_state = draft.wanted == Some(Wanted::Master);
    draft.it.priority = draft.priority.unwrap_or(if owner_by_state { 255 } else { 100 });
    let by_priority = if draft.it.priority == 255 { Wanted::Master } else { Wanted::Backup };
    draft.it.wanted = draft.wanted.unwrap_or(by_priority);
    if draft.it.strict && draft.it.wanted != by_priority {
        say(p, draft, "State MASTER must match being address owner");
        draft.it.wanted = by_priority;
    }
}

fn authentication(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let Some(kind) = draft.auth_type else { return };
    let reason = if draft.it.strict {
        "Strict mode does not support authentication. Ignoring."
    } else if draft.it.version == Version::V3 {
        "VRRP version 3 does not support authentication. Ignoring."
    } else if draft.key[0] == 0 {
        "Authentication specified but no password given. Ignoring"
    } else if draft.family == Some(Family::V6) && kind == AuthType::Ah {
        "Cannot use AH authentication with IPv6. ignoring"
    } else {
        if kind == AuthType::Ah && draft.it.wanted == Wanted::Master && draft.it.priority != 255 {
            say(p, draft, "Initial state master is incompatible with AH authentication - clearing");
            draft.it.wanted = Wanted::Backup;
        }
        draft.it.authentication = Some(match kind {
            AuthType::Pass => Authentication::Pass(draft.key),
            AuthType::Ah => Authentication::Ah(draft.key),
        });
        return;
    };
    say(p, draft, reason);
}

fn unicast(p: &mut Parser<'_>, draft: &mut InstanceDraft) -> bool {
    if !draft.unicast {
        return true;
    }
    if draft.peers.is_empty() && !draft.fault_without_peer {
        say(
            p,
            draft,
            "A unicast keyword has been specified without any unicast peers. Defaulting to multicast. This usage is deprecated - please update your configuration.",
        );
        return true;
    }
    if draft.peers.is_empty() {
        let text = format!("({}) Cannot use unicast without any peers - going to fault state", draft.it.name);
        let remark = p.remark(RemarkKind::Logged, draft.place.clone(), &text);
        p.push(remark);
    }
    draft.it.unicast = Some(Unicast {
        peers: std::mem::take(&mut draft.peers),
        ttl: draft.ttl,
        check_source: draft.check_unicast_source || p.drafts.global.check_unicast_source,
        fault_without_peer: draft.fault_without_peer,
        old_checksum: draft.old_checksum,
    });
    true
}

fn too_many_addresses(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let count = draft.it.addresses.len();
    if count <= ADDRESSES_MAX {
        return;
    }
    let text = format!(
        "Number of VIPs ({count}) exceeds maximum/space available in packet (max {ADDRESSES_MAX} addresses) - excess moved to eVIPs"
    );
    say(p, draft, &text);
    let excess = draft.it.addresses.split_off(ADDRESSES_MAX);
    draft.it.excluded_addresses.extend(excess);
}

fn preemption(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let mut delayed = draft.preempt_delay > Duration::ZERO;
    if draft.nopreempt && draft.it.priority == 255 {
        say(p, draft, "nopreempt is incompatible with priority 255. resetting nopreempt");
        draft.nopreempt = false;
    }
    if draft.it.wanted == Wanted::Master {
        if draft.nopreempt {
            say(p, draft, "Warning - nopreempt will not work with initial state MASTER - clearing");
            draft.nopreempt = false;
        }
        if delayed {
            say(p, draft, "Warning - preempt delay will not work with initial state MASTER - clearing");
            delayed = false;
        }
    }
    if delayed && draft.it.strict {
        say(p, draft, "preempt_delay is incompatible with strict mode - resetting");
        delayed = false;
    }
    if delayed && draft.nopreempt {
        say(p, draft, "preempt_delay is incompatible with nopreempt mode - resetting");
        delayed = false;
    }
    if draft.it.down_timer_adverts != 3 && draft.it.strict {
        say(p, draft, "down_timer_adverts is incompatible with strict mode - resetting");
        draft.it.down_timer_adverts = 3;
    }
    draft.it.preemption = match (draft.nopreempt, delayed) {
        (true, _) => Preemption::Never,
        (false, true) => Preemption::After(draft.preempt_delay),
        (false, false) => Preemption::Always,
    };
}

fn accept(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let owner = draft.it.priority == 255;
    draft.it.accept = draft.accept.unwrap_or(owner || !draft.it.strict);
    if draft.it.accept && !owner && draft.it.strict && draft.it.version == Version::V2 {
        say(p, draft, "warning - accept mode for VRRP version 2 does not comply with RFC3768 - resetting");
        draft.it.accept = false;
    }
    if (!draft.it.accept || draft.vmac.is_some()) && !p.firewall_noted {
        p.firewall_noted = true;
        let text = "use_vmac or no_accept/strict specified, but no firewall configured - using nftables";
        let remark = p.remark(RemarkKind::Logged, draft.place.clone(), text);
        p.push(remark);
    }
}

fn multicast(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let group = p.drafts.global.global.multicast_group;
    if draft.it.unicast.is_some() && draft.multicast.take().is_some() {
        say(p, draft, "multicast destination specified with unicast - ignoring");
    }
    draft.it.multicast_group = draft.multicast.unwrap_or(group);
}

/// What an instance takes from `global_defs`, and what strict mode makes of it.
fn garp(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let strict = draft.it.strict;
    let global = &p.drafts.global;
    let repeat = global.garp_lower_repeat.unwrap_or(global.garp_repeat);
    let delay = global.garp_lower_delay.unwrap_or(global.garp_delay);
    let (silent, last) = (global.lower_prio_no_advert, global.higher_prio_send_advert);
    let extra = global.garp_extra;
    draft.it.garp.lower_prio_repeat = match draft.garp_lower_repeat {
        None => {
            if strict {
                0
            } else {
                repeat
            }
        }
        Some(given) if strict && given > 0 => {
            say(p, draft, "Strict mode requires no repeat garps. resetting");
            0
        }
        Some(given) => given,
    };
    draft.it.garp.lower_prio_delay = match draft.garp_lower_delay {
        None => {
            if strict {
                Duration::ZERO
            } else {
                delay
            }
        }
        Some(given) if strict && given > Duration::ZERO => {
            say(p, draft, "Strict mode requires no repeat garp delay. resetting");
            Duration::ZERO
        }
        Some(given) => given,
    };
    draft.it.lower_prio_no_advert = match draft.lower_prio_no_advert {
        None => strict || silent,
        Some(false) if strict => {
            say(p, draft, "Strict mode requires no lower priority advert. resetting");
            true
        }
        Some(given) => given,
    };
    draft.it.higher_prio_send_advert = match draft.higher_prio_send_advert {
        None => !strict && last,
        Some(true) if strict => {
            say(p, draft, "strict mode requires higher_prio_send_advert to be clear. resetting");
            false
        }
        Some(given) => given,
    };
    draft.it.garp.extra_interface = draft.garp_extra.unwrap_or(extra);
}

fn notify(p: &Parser<'_>, config: &Config, draft: &mut InstanceDraft, group: Option<usize>) {
    let global = &p.drafts.global;
    let of_group = group.and_then(|group| config.sync_groups.get(group)).map(|group| group.notify.priority_changes);
    draft.it.notify.smtp_alert = draft.smtp_alert.or(global.smtp_alert_vrrp).or(global.smtp_alert).unwrap_or(false);
    draft.it.notify.priority_changes = draft.priority_changes.or(of_group).unwrap_or(global.priority_changes);
}

/// Version 2 counts in seconds, version 3 in hundredths.
fn advert_interval(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    let micros = draft.advert.unwrap_or(Duration::from_secs(1)).nanos() / 1_000;
    let (unit, most, name) = match draft.it.version {
        Version::V2 => (1_000_000, 256_000_000, "VRRPv2"),
        Version::V3 => (10_000, 40_960_000, "VRRPv3"),
    };
    let seconds = |micros: u64, digits: usize| {
        let scale = 10u64.pow(u32::try_from(6 - digits).unwrap_or(0));
        let rounded = (micros + scale / 2) / scale;
        let whole = 10u64.pow(u32::try_from(digits).unwrap_or(0));
        format!("{}.{:0digits$}", rounded / whole, rounded % whole)
    };
    let interval = if micros >= most {
        let (limit, cut) = match draft.it.version {
            Version::V2 => ("256".to_owned(), "255".to_owned()),
            Version::V3 => (seconds(most, 2), seconds(most - unit, 2)),
        };
        let text = format!(
            "{name} advertisement interval {}s is out of range. Must be less than {limit}s. Setting to {cut}s",
            seconds(micros, 2)
        );
        say(p, draft, &text);
        most - unit
    } else if !micros.is_multiple_of(unit) {
        let must = match draft.it.version {
            Version::V2 => "an integer. rounding",
            Version::V3 => "in units of 10ms - rounding",
        };
        say(p, draft, &format!("{name} advertisement interval {}s must be {must}", seconds(micros, 6)));
        ((micros + unit / 2) / unit * unit).max(unit)
    } else {
        micros
    };
    draft.it.advert_interval = Duration::from_micros(interval);
}

fn vmac(p: &mut Parser<'_>, draft: &mut InstanceDraft) {
    if draft.ipvlan_without_address {
        let ip = if draft.family == Some(Family::V6) { "IPv6" } else { "IPv4" };
        let text =
            format!("{ip} ipvlan requires a source ip address to be configured. setting instance to fault state");
        say(p, draft, &text);
    }
    if draft.vmac.is_none() {
        if draft.transmit_by_base {
            say(p, draft, "vmac_xmit_base is only valid with a vmac");
        }
        return;
    }
    if draft.it.strict && draft.vmac.as_mut().is_some_and(|vmac| vmac.mac.take().is_some()) {
        p.conclude(
            format!("({}): cannot specify MAC address with strict mode - clearing", draft.it.name),
            draft.place.clone(),
        );
    }
    if draft.it.strict && draft.transmit_by_base {
        say(p, draft, "xmit_base is incompatible with strict mode - resetting");
        draft.transmit_by_base = false;
    }
    if draft.it.promote_secondaries {
        say(p, draft, "promote_secondaries is automatically set for vmacs - ignoring");
        draft.it.promote_secondaries = false;
    }
    if let Some(mut vmac) = draft.vmac.take() {
        if vmac.interface.is_empty() {
            vmac.interface = format!("vrrp.{}", draft.it.vrid);
        }
        vmac.transmit_by_base = draft.transmit_by_base;
        draft.it.vmac = Some(vmac);
    }
}

/// In a sync group, or for an address owner, weights do not count.
fn tracks(p: &mut Parser<'_>, config: &Config, draft: &mut InstanceDraft, group: Option<usize>) {
    let own = draft.it.interface.clone();
    if draft.it.tracks.interfaces.iter().any(|tracked| tracked.name == own) {
        say(p, draft, &format!("Ignoring track_interface {own} since own interface"));
        draft.it.tracks.interfaces.retain(|tracked| tracked.name != own);
    }
    let grouped = group.and_then(|group| config.sync_groups.get(group)).is_some_and(|group| !group.tracking_weight);
    let owner = draft.it.priority == 255;
    if !grouped && !owner {
        return;
    }
    let (due, due_interface) = if grouped { ("SYNC group", "SYNC group") } else { ("address_owner", "address owner") };
    let mut tracks = std::mem::take(&mut draft.it.tracks);
    let weighted = |tracked: &&Tracked| tracked.weight.value != 0;
    for tracked in tracks.interfaces.iter().filter(weighted) {
        let what = if grouped { "weight " } else { "" };
        say(p, draft, &format!("ignoring {} tracked interface {what}due to {due_interface}", tracked.name));
    }
    if grouped {
        tracks.interfaces.iter_mut().for_each(|tracked| tracked.weight.value = 0);
    } else {
        tracks.interfaces.retain(|tracked| tracked.weight.value == 0);
    }
    for tracked in tracks.scripts.iter().filter(weighted) {
        say(p, draft, &format!("ignoring tracked script {} with weights due to {due}", tracked.name));
    }
    tracks.scripts.retain(|tracked| tracked.weight.value == 0);
    for tracked in tracks.files.iter().filter(weighted) {
        let (name, weight) = (&tracked.name, tracked.weight.value);
        let text = match weight {
            1 => format!("ignoring weight from tracked file {name} due to {due}. specify weight 0"),
            _ => format!("ignoring tracked file {name} with weight {weight} due to {due}"),
        };
        say(p, draft, &text);
    }
    tracks.files.retain(|tracked| matches!(tracked.weight.value, 0 | 1));
    tracks.files.iter_mut().for_each(|tracked| tracked.weight.value = 0);
    for tracked in tracks.bfds.iter().filter(weighted) {
        let (name, weight) = (&tracked.name, tracked.weight.value);
        say(p, draft, &format!("ignoring tracked bfd {name} with weight {weight} due to {due}"));
    }
    tracks.bfds.retain(|tracked| tracked.weight.value == 0);
    draft.it.tracks = tracks;
}
