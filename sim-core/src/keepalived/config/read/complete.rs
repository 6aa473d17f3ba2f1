//! From drafts to a whole configuration: defaults, corrections, conflicts, and whether scripts can be run.
//!
//! The order is keepalived's: health checks by themselves, and for VRRP scripts, groups, instances, conflicts.

mod instances;
mod scripts;
mod services;

use super::draft::{Family, InstanceDraft};
use super::parser::Parser;
use crate::base::time::Duration;
use crate::keepalived::config::{Config, ErrorClass, Place, Reader, Remark, RemarkKind, Script, SyncGroup};

/// Completes what was read.
pub(super) fn complete(mut p: Parser<'_>) -> (Config, Vec<Remark>) {
    let mut config = p.drafts.plain();
    if let Some(timeout) = p.drafts.global.startup_timeout
        && let Some((_, span)) = &mut p.drafts.global.global.startup_script
    {
        *span = timeout;
    }
    if let Some(timeout) = p.drafts.global.shutdown_timeout
        && let Some((_, span)) = &mut p.drafts.global.global.shutdown_script
    {
        *span = timeout;
    }
    config.global = p.drafts.global.global.clone();
    config.track_groups = std::mem::take(&mut p.drafts.track_groups);
    (config.names_vrrp, config.names_checks) = (p.names_vrrp, p.names_checks);
    p.reader = Reader::Parent;
    if p.lines.file_error {
        let text = "the configuration cannot be read completely";
        let remark = p.remark(RemarkKind::Fatal(ErrorClass::File), Place::default(), text);
        p.push(remark);
    }
    scripts::start_and_stop(&mut p);
    if !p.stopped {
        p.reader = Reader::Checkers;
        services::complete(&mut p, &mut config);
        p.reader = Reader::Vrrp;
        vrrp(&mut p, &mut config);
    }
    (config, p.remarks)
}

/// What the VRRP process does when it has read the file; it ends at the first thing it cannot go on with.
fn vrrp(p: &mut Parser<'_>, config: &mut Config) {
    if p.interface_missing {
        let text = "Non-existent interface specified in configuration";
        let remark = p.remark(RemarkKind::Fatal(ErrorClass::File), Place::default(), text);
        p.push(remark);
        return;
    }
    scripts::vrrp(p);
    for index in 0..p.drafts.instances.len() {
        let draft = &p.drafts.instances[index];
        let (name, place) = (&draft.it.name, draft.place.clone());
        if draft.it.vrid == 0 {
            let text = format!("({name}) the virtual router id must be set");
            p.fatal(place, &text);
            return;
        }
        // keepalived asks here whether the instance is unicast before it has worked that out.
        if !draft.has_interface {
            let text = format!("({name}) Unknown interface!");
            p.fatal(place, &text);
            return;
        }
    }
    groups(p, config);
    for index in 0..p.drafts.instances.len() {
        let mut draft = p.drafts.instances.remove(index);
        let group = config.sync_groups.iter().position(|group| group.members.contains(&draft.it.name));
        let good = instances::complete(p, config, &mut draft, group);
        p.drafts.instances.insert(index, draft);
        if !good {
            return;
        }
    }
    if conflicts(p) {
        return;
    }
    config.instances = std::mem::take(&mut p.drafts.instances).into_iter().map(|draft| draft.it).collect();
    owners_in_groups(p, config);
    twice_tracked(p, config);
    track_groups(p, config);
    sync_daemon(p, config);
    used_scripts(p, config);
}

/// Groups with those of their members that exist.
fn groups(p: &mut Parser<'_>, config: &mut Config) {
    let mut taken: Vec<String> = Vec::new();
    for draft in std::mem::take(&mut p.drafts.groups) {
        let name = draft.it.name.clone();
        let Some(given) = draft.members else {
            p.conclude(format!("Sync group {name} has no virtual router(s). removing"), draft.place);
            continue;
        };
        let mut members: Vec<String> = Vec::new();
        for member in given {
            if !p.drafts.instances.iter().any(|instance| instance.it.name == member) {
                let text = format!("Virtual router {member} specified in sync group {name} doesn't exist - ignoring");
                p.conclude(text, draft.place.clone());
            } else if taken.contains(&member) {
                let text = format!("Virtual router {member} cannot exist in more than one sync group; ignoring {name}");
                p.conclude(text, draft.place.clone());
            } else {
                taken.push(member.clone());
                members.push(member);
            }
        }
        match members.len() {
            0 => {
                let text =
                    format!("Sync group {name}, no matching virtual router found in group declaration - removing");
                p.conclude(text, draft.place);
                continue;
            }
            1 => {
                let text =
                    format!("Sync group {name} has only 1 virtual router(s) - this probably isn't what you want");
                p.conclude(text, draft.place);
            }
            _ => {}
        }
        let global = &p.drafts.global;
        let mut it = SyncGroup { members, ..draft.it };
        it.notify.smtp_alert = draft.smtp_alert.or(global.smtp_alert_vrrp).or(global.smtp_alert).unwrap_or(false);
        it.notify.priority_changes = draft.priority_changes.unwrap_or(global.priority_changes);
        for member in &it.members {
            if let Some(instance) = p.drafts.instances.iter_mut().find(|instance| instance.it.name == *member)
                && draft.priority_changes.is_some()
                && instance.priority_changes.is_none()
            {
                instance.priority_changes = draft.priority_changes;
            }
        }
        config.sync_groups.push(it);
    }
}

/// Two instances of one virtual router id on one interface. True: the process ends.
fn conflicts(p: &mut Parser<'_>) -> bool {
    let family = |draft: &InstanceDraft| draft.family.unwrap_or(Family::V4);
    let mut found = Vec::new();
    for (index, one) in p.drafts.instances.iter().enumerate() {
        for other in &p.drafts.instances[index + 1..] {
            if one.it.vrid != other.it.vrid
                || one.it.interface != other.it.interface
                || one.it.unicast.is_some() != other.it.unicast.is_some()
                || family(one) != family(other)
            {
                continue;
            }
            let (a, b) = (&one.it.name, &other.it.name);
            let text = match (&one.it.unicast, &other.it.unicast) {
                (Some(own), Some(their)) => {
                    let shared =
                        own.peers.iter().any(|peer| their.peers.iter().any(|other| other.address == peer.address));
                    if !shared || one.it.source != other.it.source {
                        continue;
                    }
                    format!("({a}) duplicate VRID conflict with {b} VRID {}", one.it.vrid)
                }
                _ if one.it.multicast_group != other.it.multicast_group => continue,
                _ => {
                    let ip = if family(one) == Family::V6 { "IPv6" } else { "IPv4" };
                    format!("{a} and {b} both use VRID {} with {ip} on interface {}", one.it.vrid, one.it.interface)
                }
            };
            found.push((text, other.place.clone()));
        }
        if found.len() > CONFLICTS_MAX {
            break;
        }
    }
    for (text, place) in &found {
        p.fatal(place.clone(), text);
    }
    !found.is_empty()
}

/// Conflicts that are told.
const CONFLICTS_MAX: usize = 32;

/// A group with an address owner has no weights; one of owners and others does not work.
fn owners_in_groups(p: &mut Parser<'_>, config: &mut Config) {
    let instances = std::mem::take(&mut config.instances);
    for group in &mut config.sync_groups {
        let owner = |name: &String| instances.iter().any(|it| it.name == *name && it.priority == 255);
        if !group.members.iter().any(owner) {
            continue;
        }
        let tracks = &mut group.tracks;
        let lists = [
            ("script", "clearing weight", &mut tracks.scripts),
            ("file", "setting weight 0", &mut tracks.files),
            ("process", "setting weight 0", &mut tracks.processes),
            ("bfd", "setting weight 0", &mut tracks.bfds),
            ("interface", "clearing weight", &mut tracks.interfaces),
        ];
        for (what, then, list) in lists {
            for tracked in list.iter_mut().filter(|tracked| tracked.weight.value != 0) {
                tracked.weight.value = 0;
                let text = format!(
                    "({}) Cannot have weighted track {what} '{}' with member having priority 255 - {then}",
                    group.name, tracked.name
                );
                p.conclude(text, Place::default());
            }
        }
    }
    config.instances = instances;
}

/// An interface that a group and one of its members both track. A member tracks the one that it runs on.
fn twice_tracked(p: &mut Parser<'_>, config: &Config) {
    for group in &config.sync_groups {
        for name in group.tracks.interfaces.iter().map(|tracked| &tracked.name) {
            for member in group.members.iter().filter_map(|member| config.instance(member)) {
                let own = member.tracks_own_interface && member.interface == *name;
                if own || member.tracks.interfaces.iter().any(|tracked| tracked.name == *name) {
                    let text = format!(
                        "({}) track_interface {name} is configured on VRRP instance and sync group. Remove vrrp instance or sync group config",
                        member.name
                    );
                    p.conclude(text, Place::default());
                }
            }
        }
    }
}

fn track_groups(p: &mut Parser<'_>, config: &mut Config) {
    let known = |name: &String| config.instances.iter().any(|it| it.name == *name);
    for group in &mut config.track_groups {
        for member in group.members.iter().filter(|member| !known(member)) {
            let text =
                format!("Virtual router {member} specified in track group {} doesn't exist - ignoring", group.name);
            p.conclude(text, Place::default());
        }
        group.members.retain(|member| known(member));
    }
}

fn sync_daemon(p: &mut Parser<'_>, config: &mut Config) {
    let Some(daemon) = &mut config.global.lvs_sync_daemon else { return };
    if daemon.instance.is_empty() {
        return;
    }
    match config.instances.iter().find(|it| it.name == daemon.instance) {
        Some(instance) => daemon.id = daemon.id.or(Some(instance.vrid)),
        None => {
            let text =
                format!("Unable to find vrrp instance {} for lvs_syncd - clearing lvs_syncd config", daemon.instance);
            p.conclude(text, Place::default());
            config.global.lvs_sync_daemon = None;
        }
    }
}

/// Scripts that nobody tracks are not run.
fn used_scripts(p: &mut Parser<'_>, config: &mut Config) {
    for draft in std::mem::take(&mut p.drafts.scripts) {
        let name = &draft.it.name;
        let tracks = config.instances.iter().map(|it| &it.tracks).chain(config.sync_groups.iter().map(|it| &it.tracks));
        if !tracks.flat_map(|tracks| &tracks.scripts).any(|tracked| tracked.name == *name) {
            if !p.test {
                p.conclude(format!("Warning - script {name} is not used"), draft.place);
            }
            continue;
        }
        let timeout: Duration = draft.timeout.unwrap_or(draft.it.interval);
        config.scripts.push(Script { timeout, ..draft.it });
    }
}
