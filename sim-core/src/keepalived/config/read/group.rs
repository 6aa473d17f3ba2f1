//! `vrrp_sync_group`, `track_group`, `garp_group`, `interface_up_down_delays`.

use super::draft::{GarpGroupDraft, GroupDraft};
use super::parser::{Outcome, Parser};
use super::words::Words;
use super::{script, track};
use crate::base::time::Duration;
use crate::keepalived::config::{ErrorClass, InterfaceDelay, Reader, RemarkKind, SyncGroup, TrackGroup};

/// The name behind a keyword that must have one and nothing else.
fn name(p: &mut Parser<'_>, words: &Words, missing: &str) -> Option<String> {
    match words.from(1) {
        [name] => Some(name.clone()),
        _ => {
            p.say(words, 0, missing);
            p.skip_block();
            None
        }
    }
}

pub(super) fn open(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(name) = name(p, words, "vrrp_sync_group must have a name - skipping") else { return Ok(()) };
    if p.drafts.groups.iter().any(|group| group.it.name == name) {
        p.say(words, 1, &format!("vrrp sync group {name} already defined"));
        p.skip_block();
        return Ok(());
    }
    let it = SyncGroup { name, ..SyncGroup::default() };
    p.drafts.groups.push(GroupDraft { it, place: words.place(1), ..GroupDraft::default() });
    Ok(())
}

pub(super) fn close(_: &mut Parser<'_>, _: &Words) -> Outcome {
    Ok(())
}

/// The names in a block.
fn names(p: &mut Parser<'_>, words: &Words) -> Result<Vec<String>, super::parser::Stop> {
    let mut found = Vec::new();
    p.value_block(words, |_, line| {
        found.extend_from_slice(line.from(0));
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn members(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let own = p.group().it.name.clone();
    if p.group().members.is_some() {
        p.say(words, 0, &format!("Group list already specified for sync group {own}"));
        p.skip_block();
        return Ok(());
    }
    let found = names(p, words)?;
    if found.is_empty() {
        p.say(words, 0, &format!("Warning - sync group {own} has empty group block"));
    } else {
        p.group().members = Some(found);
    }
    Ok(())
}

pub(super) fn tracks(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let own = p.group().it.name.clone();
    let kind = track::Kind::of(words.keyword());
    p.value_block(words, |p, line| {
        let mut list = std::mem::take(kind.list(&mut p.group().it.tracks));
        let read = track::tracked(p, line, kind, &own, &mut list);
        *kind.list(&mut p.group().it.tracks) = list;
        read
    })
}

pub(super) fn notify(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let own = p.group().it.name.clone();
    let notify = &p.group().it.notify;
    let given = match keyword {
        "notify_master" => &notify.master,
        "notify_backup" => &notify.backup,
        "notify_fault" => &notify.fault,
        "notify_stop" => &notify.stop,
        _ => &notify.any,
    };
    if given.is_some() {
        let script = p.word(words, 1)?;
        let text = format!("vrrp group {own}: {keyword} script already specified - ignoring {script}");
        p.say(words, 1, &text);
        return Ok(());
    }
    let command = script::notify(p, words, "notify")?;
    let notify = &mut p.group().it.notify;
    match keyword {
        "notify_master" => notify.master = command,
        "notify_backup" => notify.backup = command,
        "notify_fault" => notify.fault = command,
        "notify_stop" => notify.stop = command,
        _ => notify.any = command,
    }
    Ok(())
}

pub(super) fn smtp_alert(p: &mut Parser<'_>, words: &Words) -> Outcome {
    match Parser::on_off(words, 1) {
        Some(on) => p.group().smtp_alert = Some(on),
        None => {
            let given = words.get(1).unwrap_or_default();
            p.say(words, 1, &format!("Invalid vrrp_group smtp_alert parameter {given}"));
        }
    }
    Ok(())
}

pub(super) fn priority_changes(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let own = p.group().it.name.clone();
    match Parser::on_off(words, 1) {
        Some(on) => p.group().priority_changes = Some(on),
        None => {
            let given = words.get(1).unwrap_or_default();
            let text = format!("({own}) Invalid value '{given}' for sync group notify_priority_changes specified");
            p.say(words, 1, &text);
        }
    }
    Ok(())
}

pub(super) fn global_tracking(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let own = p.group().it.name.clone();
    let text = format!("({own}) global_tracking is deprecated. Use track_interface/script/file on the sync group");
    p.say(words, 0, &text);
    p.group().it.tracking_weight = true;
    Ok(())
}

pub(super) fn tracking_weight(p: &mut Parser<'_>, _: &Words) -> Outcome {
    p.group().it.tracking_weight = true;
    Ok(())
}

pub(super) fn track_group(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let Some(name) = name(p, words, "track_group must have a name - skipping") else { return Ok(()) };
    if p.drafts.track_groups.iter().any(|group| group.name == name) {
        p.say(words, 1, &format!("track_group {name} already defined"));
        p.skip_block();
        return Ok(());
    }
    p.drafts.track_groups.push(TrackGroup { name, members: Vec::new() });
    Ok(())
}

pub(super) fn track_group_members(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let own = p.drafts.track_groups.last().map(|group| group.name.clone()).unwrap_or_default();
    if p.drafts.track_groups.last().is_some_and(|group| !group.members.is_empty()) {
        p.say(words, 0, &format!("Group list already specified for sync group {own}"));
        p.skip_block();
        return Ok(());
    }
    let found = names(p, words)?;
    if found.is_empty() {
        p.say(words, 0, &format!("Warning - track group {own} has empty group block"));
    }
    if let Some(group) = p.drafts.track_groups.last_mut() {
        group.members = found;
    }
    Ok(())
}

pub(super) fn garp_group(p: &mut Parser<'_>, _: &Words) -> Outcome {
    p.drafts.garp_groups.push(GarpGroupDraft::default());
    Ok(())
}

pub(super) fn garp_group_interval(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let keyword = words.keyword();
    let given = p.word(words, 1)?.to_owned();
    let Some(span) = p.time(words, 1, (0, i32::MAX as u64))? else {
        p.say(words, 1, &format!("garp_group {keyword} '{given}' invalid"));
        return Ok(());
    };
    if let Some(group) = p.drafts.garp_groups.last_mut() {
        group.has_interval = true;
        match keyword {
            "gna_interval" => group.it.gna_interval = span,
            _ => group.it.garp_interval = span,
        }
    }
    if span >= Duration::from_secs(1) {
        p.log(words, &format!("The {keyword} is very large - {given} seconds"));
    }
    Ok(())
}

fn add_garp_interface(p: &mut Parser<'_>, words: &Words, index: usize) -> Outcome {
    let name = p.word(words, index)?.to_owned();
    if !p.knows_interface(&name) {
        p.say(words, index, &format!("WARNING - interface {name} specified for garp_group doesn't exist"));
    } else if p.drafts.garp_groups.iter().any(|group| group.it.interfaces.contains(&name)) {
        p.say(words, index, &format!("garp_group already specified for {name} - ignoring"));
    } else if let Some(group) = p.drafts.garp_groups.last_mut() {
        group.it.interfaces.push(name);
    }
    Ok(())
}

pub(super) fn garp_group_interface(p: &mut Parser<'_>, words: &Words) -> Outcome {
    add_garp_interface(p, words, 1)
}

pub(super) fn garp_group_interfaces(p: &mut Parser<'_>, words: &Words) -> Outcome {
    let mut empty = true;
    let number = p.drafts.garp_groups.iter().filter(|group| group.number > 0).count() + 1;
    let mut lines = Vec::new();
    p.value_block(words, |_, line| {
        empty = false;
        lines.push(line.clone());
        Ok(())
    })?;
    // They are looked at behind the block.
    for line in lines {
        (0..line.count()).try_for_each(|index| add_garp_interface(p, &line, index))?;
    }
    if empty {
        p.say(words, 0, "Warning - empty garp_group interfaces block");
    } else if let Some(group) = p.drafts.garp_groups.last_mut() {
        group.number = u32::try_from(number).unwrap_or(u32::MAX);
    }
    Ok(())
}

pub(super) fn garp_group_end(p: &mut Parser<'_>, words: &Words) -> Outcome {
    if let Some(number) = p.drafts.garp_groups.last().filter(|group| !group.has_interval).map(|group| group.number) {
        p.say(words, 0, &format!("garp group {number} does not have any delay set - removing"));
        p.drafts.garp_groups.pop();
    }
    Ok(())
}

pub(super) fn interface_delays(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.value_block(words, |p, line| {
        let name = line.keyword().to_owned();
        if !p.around.has_interface(&name) && !p.drafts.global.global.dynamic_interfaces {
            let mut remark = p.remark(
                RemarkKind::Warning(ErrorClass::File),
                line.place(0),
                &format!("unknown interface {name} specified for up/down delay"),
            );
            (remark.placed, remark.reader) = (true, Reader::Vrrp);
            p.push(remark);
            return Ok(());
        }
        if line.count() < 2 {
            p.log(line, &format!("No timeouts specified for {name} up/down delays"));
            return Ok(());
        }
        if line.count() > 3 {
            p.log(line, &format!("Too many parameters for {name} up/down delays"));
        }
        let mut delay = InterfaceDelay { interface: name.clone(), ..InterfaceDelay::default() };
        for (index, what) in [(1, "down"), (2, "up")] {
            let Some(given) = line.get(index) else { break };
            let Some(span) = p.time(line, index, (0, 255_000_000))? else {
                p.log(line, &format!("Invalid {what} delay {given} for {name}"));
                return Ok(());
            };
            if index == 1 { delay.down = span } else { delay.up = span }
        }
        p.drafts.interface_delays.retain(|known| known.interface != name);
        p.drafts.interface_delays.push(delay);
        Ok(())
    })
}
