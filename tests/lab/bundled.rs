//! Every bundled scenario shows what its tutorial observed: all its expectations hold, and it has some.

use crate::lvslab::{prints, run, scenarios, text};

#[test]
fn every_expectation_of_every_bundled_scenario_holds() {
    let mut wrong = Vec::new();
    for name in scenarios() {
        let output = run(&["run", &name]);
        let printed = text(&output.stdout);
        let held =
            printed.lines().find_map(|line| line.split_once(" expectations hold")).map(|(before, _)| before.trim());
        let figures = held.and_then(|held| held.rsplit_once(" of "));
        let all = figures.is_some_and(|(held, of)| held.split_whitespace().last() == Some(of) && of != "0");
        if !output.status.success() || !all {
            wrong.push(format!("{name}: {}\n{printed}{}", output.status, text(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_bundled_scenario_passes_the_check() {
    for name in scenarios() {
        prints(&["check", &name]);
    }
}

#[test]
fn every_bundled_scenario_can_be_shown() {
    for name in scenarios() {
        assert!(prints(&["show", &name]).contains("Scenario("), "{name} is a scenario file");
    }
}
