//! The same scenario and seed give the same bytes.

use crate::lvslab::prints;
use sim_core::trace::Level;

#[test]
fn every_bundled_scenario_runs_twice_with_the_same_digest() {
    for name in crate::lvslab::scenarios() {
        let printed = prints(&["run", &name, "--twice"]);
        assert!(printed.contains("digest "), "{name} prints its digest\n{printed}");
    }
}

#[test]
fn what_is_recorded_does_not_change_what_happens() {
    for name in scenarios::library::names() {
        let bundled = scenarios::library::find(name).expect("a name of the library is in it");
        let model = scenarios::load(&bundled.file(), &bundled).expect("a bundled scenario is sound");
        let digest = |level| {
            let mut sim = scenarios::assemble(&model, scenarios::Options { level, ..scenarios::Options::default() });
            sim.run();
            sim.digest()
        };
        assert_eq!(digest(Level::Frames), digest(Level::Everything), "{name}");
    }
}
