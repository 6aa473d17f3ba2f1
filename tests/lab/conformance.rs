//! The lab beside the recordings: the cases that must be equal are, or their differences stand in the table.

use crate::lvslab::root;
use lab_tests::differences::Table;
use lab_tests::recording::{CaseFolder, archive};
use lab_tests::score::{Score, Standing, score};
use std::fs;

/// The cases that are compared on every push, one a line.
static CONFORMING: &str = include_str!("../conforming.txt");

/// Figures of every case of a kind that can be replayed. A case that must be equal and is not fails.
fn check(kind: &str) {
    let recordings = archive::unpacked().expect("the archive can be unpacked");
    let table = Table::of_the_repository();
    let mut total = Score::default();
    for case in recordings.cases().expect("the folders can be read").iter().filter(|case| is_of(case, kind)) {
        let must = CONFORMING.lines().any(|name| name == case.name);
        match score(case, &table).expect("the recording can be read") {
            Standing::NotYet(reason) => assert!(!must, "{} cannot be replayed: {reason}", case.name),
            Standing::Compared(score, unequal) => {
                println!("{} {}/{} covered {}", case.name, score.equal, score.units, score.covered);
                total += score;
                let open: Vec<_> = unequal.iter().filter(|unit| !unit.is_covered).collect();
                assert!(!must || open.is_empty(), "{}: {open:#?}", case.name);
            }
        }
    }
    let (equal, units) = claimed(kind);
    // Not fewer, and not more that differ; recordings that are replayed since may have come on top.
    let differ = total.units - total.equal;
    assert!(
        total.equal >= equal && differ <= units - equal,
        "the README says {equal} of {units} for {kind}*: {total:?}"
    );
}

/// `vrrp/` is a folder; the others are how names begin.
fn is_of(case: &CaseFolder, kind: &str) -> bool {
    let folder = case.path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
    match kind {
        "vrrp/" => folder == "vrrp",
        kind => folder != "vrrp" && case.name.starts_with(kind),
    }
}

/// The figures of a kind in the README's table.
fn claimed(kind: &str) -> (usize, usize) {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README can be read");
    let row = readme.lines().find(|line| line.contains(&format!("`{kind}*`"))).expect("the README has a row for it");
    let figures = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
    let (equal, units) = figures.trim().split_once(" of ").expect("figures are N of M");
    (equal.parse().expect("a number"), units.parse().expect("a number"))
}

#[test]
fn hosts_send_the_frames_that_the_real_ones_sent() {
    check("mode-");
}

#[test]
fn health_checks_find_what_the_real_ones_found() {
    check("ka-");
}

#[test]
fn schedulers_choose_the_servers_that_the_real_ones_chose() {
    check("sched-");
}

#[test]
fn connections_have_the_states_that_the_real_ones_had() {
    check("state-");
}

#[test]
fn backups_know_the_connections_that_the_real_ones_knew() {
    check("sync-");
}

#[test]
fn neighbours_are_believed_as_the_real_ones_were() {
    check("arp-");
}

#[test]
fn virtual_routers_have_the_masters_that_the_real_ones_had() {
    check("vrrp/");
}
