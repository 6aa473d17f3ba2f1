//! The archive of the recordings can be unpacked and read, and the table of differences is in order.

use lab_tests::differences::{Table, matches};
use lab_tests::recording::archive;

#[test]
fn every_recorded_case_can_be_read() {
    let recordings = archive::unpacked().expect("the archive can be unpacked");
    let cases = recordings.cases().expect("the folders can be read");
    assert!(cases.len() > 100, "{} cases", cases.len());
    for case in cases.iter().filter(|case| case.path.parent().is_some_and(|parent| parent.ends_with("kernel"))) {
        let read = case.case().expect("case.json can be read");
        assert!(!read.topology.is_empty(), "{} has a topology", case.name);
        if case.name.starts_with("sched-") {
            assert!(!read.scheduler_runs().expect("runs can be read").is_empty(), "{} has runs", case.name);
        } else {
            assert!(!case.history().expect("replay.json can be read").events.is_empty(), "{} has a history", case.name);
        }
        for (host, device) in case.taps().expect("the folder can be read") {
            case.capture(&host, &device).expect("a capture can be read");
        }
    }
}

#[test]
fn the_same_recordings_give_the_same_archive() {
    let recordings = archive::unpacked().expect("the archive can be unpacked");
    let case = recordings.case("mode-dr").expect("the folders can be read").expect("mode-dr was recorded");
    let pack = || archive::pack(&case.path).expect("a case can be packed");
    assert_eq!(pack(), pack());
}

#[test]
fn every_row_of_the_table_of_differences_gives_a_reason() {
    for row in Table::of_the_repository().rows {
        assert!(row.reason.len() > 40, "{} {} {}: a reason is a sentence", row.case, row.unit, row.field);
    }
}

#[test]
fn a_star_in_a_pattern_is_anything() {
    assert!(matches("mode-*", "mode-dr") && matches("*", "") && matches("a*c*e", "abcde") && matches("x", "x"));
    assert!(!matches("mode-*", "sched-rr") && !matches("a*b", "ab c") && !matches("x", "xy"));
}
