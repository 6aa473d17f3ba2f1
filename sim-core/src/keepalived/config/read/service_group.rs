//! `virtual_server_group`: addresses and firewall marks that are one service.

use super::parser::{Outcome, Parser, Stop};
use super::service::{RANGE_MAX, address_port, range_end};
use super::words::Words;
use crate::keepalived::config::{GroupEntry, Reader, VirtualServerGroup};
use std::net::IpAddr;

/// `virtual_server_group NAME { … }`.
pub(super) fn group(p: &mut Parser<'_>, words: &Words) -> Outcome {
    p.reader = Reader::Checkers;
    let name = p.word(words, 1)?.to_owned();
    let mut it = VirtualServerGroup { name: name.clone(), entries: Vec::new() };
    let mut is_empty = true;
    p.value_block_behind(words, 2, &mut |p, line| {
        match group_entry(p, line, &name)? {
            Entry::Wrong => return Ok(()),
            Entry::Refused => {}
            Entry::Good(entry) => it.entries.push(entry),
        }
        is_empty = false;
        Ok(())
    })?;
    if is_empty {
        p.say(words, 1, &format!("virtual server group {name} has no entries - removing"));
    } else {
        p.drafts.service_groups.push(it);
    }
    Ok(())
}

/// A line of a virtual server group.
enum Entry {
    Good(GroupEntry),
    /// keepalived would take it.
    Refused,
    /// keepalived has said what is wrong with it.
    Wrong,
}

fn group_entry(p: &mut Parser<'_>, line: &Words, group: &str) -> Result<Entry, Stop> {
    let given = line.keyword().to_owned();
    if given == "fwmark" {
        let mark = p.word(line, 1)?.to_owned();
        let read = p.unsigned(line, 1, 0, u32::MAX, true)?;
        if read.is_none() {
            p.say(line, 1, &format!("({group}): fwmark '{mark}' must be in [0, 4294967295] - ignoring"));
        }
        if let Some(family) = line.get(2).filter(|&family| family != "inet" && family != "inet6") {
            p.say(line, 2, &format!("({group}): fwmark '{mark}' family {family} unknown - ignoring"));
            return Ok(Entry::Wrong);
        }
        return Ok(read.map_or(Entry::Wrong, |mark| Entry::Good(GroupEntry::Mark(mark))));
    }
    let Some((first, port)) = address_port(p, line, 0)? else {
        let port = line.get(1).filter(|port| port.chars().any(|c| c != '0'));
        let (label, port) = port.map_or(("", String::new()), |port| ("/port/", port.to_owned()));
        let text = format!("Invalid virtual server group IP address {given} {label}{port} - skipping");
        p.say(line, 0, &text);
        return Ok(Entry::Wrong);
    };
    let IpAddr::V4(start) = first else {
        p.refuse(line, 0, "IPv6 is not modelled", "use IPv4 addresses");
        return Ok(Entry::Refused);
    };
    let Some(end) = range_end(p, line, &given, start)? else { return Ok(Entry::Wrong) };
    if end.to_bits() - start.to_bits() > RANGE_MAX {
        p.refuse(
            line,
            0,
            "a range of more than 65536 addresses is not modelled",
            "name the network by a firewall mark",
        );
        return Ok(Entry::Refused);
    }
    Ok(Entry::Good(GroupEntry::Range(first, IpAddr::V4(end), port)))
}
