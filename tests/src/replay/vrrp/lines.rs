//! Log lines as they are compared: in one order for each instance, without what no two runs have in common.

use super::story::Micros;
use std::collections::{BTreeMap, BTreeSet};

/// The lines of each instance and those of no instance, each in their order: instances of one process do what they do at
/// one moment in an order of microseconds. Batches of gratuitous ARPs that a timer lets go are a list of their own: a
/// batch falls due in the very millisecond in which, so many whole seconds later, something is heard.
pub(super) fn compared(lines: &[(Micros, String)]) -> BTreeMap<String, Vec<String>> {
    let mut compared = BTreeMap::new();
    for (name, lines) in streams(&canonical(lines)) {
        let (main, timed) = without_timed_batches(lines);
        compared.insert(format!("{name}: timed batches"), timed);
        compared.insert(name, main);
    }
    compared
}

/// Takes out the batches of gratuitous ARPs that do not directly follow what they are an answer to.
fn without_timed_batches(lines: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut main, mut timed) = (Vec::new(), Vec::new());
    let mut follows_its_cause = false;
    // Of the batch that the lines belong to: whether it stays, and the addresses it has named.
    let mut batch: Option<(bool, BTreeSet<String>)> = None;
    for line in lines {
        let is_head = line.contains("Sending/queueing gratuitous ARPs");
        if !is_head && !line.starts_with("Sending gratuitous ARP") {
            follows_its_cause = line.contains("setting VIPs.") || line.contains("Received advert from");
            batch = None;
            main.push(line);
            continue;
        }
        let address = line.rsplit(' ').next().unwrap_or_default().to_owned();
        if is_head && batch.as_ref().is_none_or(|(_, named)| named.contains(&address)) {
            batch = Some((std::mem::take(&mut follows_its_cause), BTreeSet::new()));
        }
        match &mut batch {
            Some((stays, named)) => {
                named.insert(address);
                if *stays { main.push(line) } else { timed.push(line) }
            }
            None => timed.push(line),
        }
    }
    (main, timed)
}

/// Whether a line says why an advert is not believed.
pub(super) fn is_rejection(text: &str) -> bool {
    const WHY: [&str; 10] = [
        "vrrp packet too",
        "invalid TTL/HL",
        "wrong version. Received",
        " auth, expecting ",
        "received an invalid passwd",
        "advertisement interval mismatch",
        "Invalid packet type",
        "received an unexpected ip number count",
        "Invalid VRRPv",
        "not present in MASTER advert",
    ];
    WHY.iter().any(|why| text.contains(why)) || text.contains("IPSEC")
}

/// Lines by the instance that they begin with.
fn streams(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let several = {
        let names: BTreeSet<&str> = lines.iter().filter_map(|line| instance_of(line)).collect();
        names.len() > 1
    };
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // Which instance an address is of: it says so before the lines about single frames.
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for line in lines {
        let address = line.rsplit(' ').next().unwrap_or_default();
        if let Some(name) = instance_of(line).filter(|_| line.contains("Sending/queueing")) {
            owners.insert(address, name);
        }
        let owner = owners.get(address).copied().filter(|_| line.starts_with("Sending gratuitous ARP"));
        let name = instance_of(line).or(owner).filter(|_| several).unwrap_or("of the process");
        streams.entry(name.to_owned()).or_default().push(line.clone());
    }
    streams
}

fn instance_of(line: &str) -> Option<&str> {
    Some(line.strip_prefix('(')?.split_once(')')?.0).filter(|name| !name.contains(' '))
}

/// Log lines without pids, descriptors, indexes, paths, versions of the kernel, times of the processor. What parent and
/// child write at a start or reload is sorted: they write side by side.
pub(super) fn canonical(lines: &[(Micros, String)]) -> Vec<String> {
    const AT_START: [&str; 21] = [
        "Starting Keepalived",
        "Running on",
        "Opening file",
        "Configuration file",
        "NOTICE",
        "Starting VRRP child",
        "Registering",
        "Assigned address",
        "Startup complete",
        "VRRP sockpool",
        "SECURITY VIOLATION",
        "Delaying startup",
        "use_vmac or no_accept",
        "removing VIPs.",
        "Entering BACKUP STATE (init)",
        "Success creating",
        "removing firewall drop rule",
        "Reload",
        "VRRP version 3 does not",
        "Strict mode",
        "Truncating",
    ];
    let mut all: Vec<String> = Vec::new();
    let mut starting: Vec<String> = Vec::new();
    for (_, text) in lines {
        // Paths; and what keepalived says to those who look for mistakes in it.
        if text.starts_with("Command line:") || text.starts_with("              '") || text.starts_with("read eventfd")
        {
            continue;
        }
        let text = plain(text);
        if AT_START.iter().any(|word| text.contains(word)) {
            starting.push(text);
            continue;
        }
        starting.sort();
        all.append(&mut starting);
        all.push(text);
    }
    starting.sort();
    all.append(&mut starting);
    all
}

fn plain(text: &str) -> String {
    if text.starts_with("Running on Linux") {
        return "Running on Linux".to_owned();
    }
    for (begins, stays) in [
        ("Starting VRRP child process, pid=", "Starting VRRP child process"),
        ("Opening file", "Opening file"),
        ("Configuration file", "Configuration file"),
        ("Stopped - used", "Stopped - used"),
        ("CPU usage", "CPU usage"),
        ("VRRP child process(", "VRRP child process died"),
        ("  Please log an issue at", "  Please log an issue at"),
        ("A thread timer expired", "A thread timer expired"),
    ] {
        if text.starts_with(begins) {
            return stays.to_owned();
        }
    }
    let mut text = text.to_owned();
    if let Some((_, rest)) = text.strip_prefix("(").and_then(|rest| rest.split_once(".conf: Line ")) {
        text = format!("(Line {rest}");
    }
    if text.starts_with("pid ") {
        let rest = text.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
        return format!("pid {rest}");
    }
    if let Some((before, rest)) = text.split_once("ifindex(")
        && let Some((_, rest)) = rest.split_once(')')
        && let Some((between, after)) = rest.split_once("fd(")
        && let Some((_, after)) = after.split_once(')')
    {
        return format!("{before}ifindex(){between}fd(){after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<(Micros, String)> {
        text.iter().map(|line| (0, (*line).to_owned())).collect()
    }

    #[test]
    fn a_batch_that_falls_due_as_an_advert_is_heard_may_come_before_or_after_it() {
        const HEAD: &str = "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.100";
        const ONE: &str = "Sending gratuitous ARP on eth0 for 10.0.0.100";
        const HEARD: &str = "(VI_1) Received advert from 10.0.0.12 with lower priority 90, ours 100";
        let before = compared(&lines(&[HEAD, ONE, HEARD, HEAD, ONE]));
        let after = compared(&lines(&[HEARD, HEAD, ONE, HEAD, ONE]));
        let missing = compared(&lines(&[HEARD, HEAD, ONE]));
        assert_eq!(before, after);
        assert_ne!(before, missing);
    }

    #[test]
    fn the_rounds_of_a_batch_over_several_addresses_belong_together() {
        const SET: &str = "(VI_1) setting VIPs.";
        let head = |last: u8| format!("(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.0.0.{last}");
        let one = |last: u8| format!("Sending gratuitous ARP on eth0 for 10.0.0.{last}");
        let texts = [SET.to_owned(), head(1), one(1), head(2), one(2), one(1), one(2), head(1), one(1)];
        let (main, timed) = without_timed_batches(texts.to_vec());
        assert_eq!((main.len(), timed.len()), (7, 2));
    }
}
