//! The lab beside the recordings: the cases that must be equal are, or their differences stand in the table.

use lab_tests::differences::Table;
use lab_tests::recording::archive;
use lab_tests::score::{Standing, score};

/// The cases that are compared on every push, one a line.
static CONFORMING: &str = include_str!("../conforming.txt");

fn check(prefix: &str) {
    let recordings = archive::unpacked().expect("the archive can be unpacked");
    let table = Table::of_the_repository();
    for name in CONFORMING.lines().filter(|name| name.starts_with(prefix)) {
        let case = recordings.case(name).expect("the folders can be read").expect("the case was recorded");
        match score(&case, &table).expect("the recording can be read") {
            Standing::NotYet(reason) => panic!("{name} cannot be replayed: {reason}"),
            Standing::Compared(score, unequal) => {
                println!("{name} {}/{} covered {}", score.equal, score.units, score.covered);
                assert!(
                    score.is_complete(),
                    "{name}: {:#?}",
                    unequal.iter().filter(|unit| !unit.is_covered).collect::<Vec<_>>()
                );
            }
        }
    }
}

#[test]
fn hosts_send_the_frames_that_the_real_ones_sent() {
    check("mode-");
}

#[test]
fn schedulers_choose_the_servers_that_the_real_ones_chose() {
    check("sched-");
}
