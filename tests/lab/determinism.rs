//! The same scenario and seed give the same bytes.

use crate::lvslab::{prints, scenarios};

#[test]
fn every_bundled_scenario_runs_twice_with_the_same_digest() {
    for name in scenarios() {
        let printed = prints(&["run", &name, "--twice"]);
        assert!(printed.contains("digest "), "{name} prints its digest\n{printed}");
    }
}
