//! What strangers send and write does no harm: every place that is attacked takes its seeds, what fuzzers once found
//! (`tests/data/attack/TARGET/`), and slips of the pen in the seeds.

use crate::lvslab::root;
use lab_tests::attack::{LENGTH_MAX, TARGETS, Target};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::fs;

/// Slips that are tried for each target, in the seeds that are quick: the fuzzers try the rest.
const SLIPS: u32 = 24;

/// What was once found for a target.
fn found(target: &Target) -> Vec<(String, Vec<u8>)> {
    let Ok(folder) = fs::read_dir(root().join("tests/data/attack").join(target.name)) else { return Vec::new() };
    let paths = folder.map(|entry| entry.expect("an entry can be read").path());
    paths.map(|path| (path.display().to_string(), fs::read(&path).expect("a finding can be read"))).collect()
}

#[test]
fn what_fuzzers_once_found_does_no_harm() {
    for target in TARGETS {
        for (name, octets) in found(target) {
            eprintln!("{name}");
            (target.attack)(&octets);
        }
    }
}

#[test]
fn seeds_and_slips_of_the_pen_in_them_do_no_harm() {
    for target in TARGETS {
        let seeds: Vec<Vec<u8>> = (target.seeds)().into_iter().filter(|seed| seed.len() <= LENGTH_MAX).collect();
        assert!(!seeds.is_empty(), "{} has something to begin with", target.name);
        let slip = (0..seeds.len(), any::<prop::sample::Index>(), 0..40usize, prop::collection::vec(any::<u8>(), 0..8));
        let mut runner =
            TestRunner::new(ProptestConfig { cases: SLIPS, failure_persistence: None, ..ProptestConfig::default() });
        let ran = runner.run(&slip, |(seed, at, lost, put)| {
            let mut octets = seeds[seed].clone();
            let begin = at.index(octets.len().max(1));
            let end = (begin + lost).min(octets.len());
            octets.splice(begin..end, put);
            (target.attack)(&octets);
            Ok(())
        });
        assert!(ran.is_ok(), "{}: {}", target.name, ran.unwrap_err());
    }
}

#[test]
fn every_target_has_its_fuzzer() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("the manifest of the fuzzers can be read");
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{} is in fuzz/Cargo.toml", target.name);
        let path = root().join(format!("fuzz/fuzz_targets/{}.rs", target.name));
        assert!(path.exists(), "{} is there", path.display());
    }
}
