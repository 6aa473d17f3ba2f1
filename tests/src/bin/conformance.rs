//! The comparison with recordings of the real thing:
//! `cargo run --release -p lab-tests --bin conformance -- [--why | --played] DIR [CASE…]`.
//!
//! Reads `DIR/kernel` and `DIR/vrrp`; one line a case, `NAME equal/units`, and in the last line
//! `equal N of M, covered K`. K are unequal units all of whose differences a row of `tests/differences.ron` covers.
//! Exit status 0 only if N + K = M and no case was left out. `--why` prints the differences of every unequal unit;
//! `--played` compares nothing and prints what the lab does in a case of `vrrp/`.

use lab_tests::differences::Table;
use lab_tests::recording::{CaseFolder, Recordings};
use lab_tests::replay::vrrp;
use lab_tests::score::{Score, Standing, score};
use std::process::ExitCode;

/// With `--why`: at most so many differences of a unit are printed.
const SHOWN: usize = 12;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut flag =
        |name: &str| arguments.iter().position(|given| given == name).map(|at| arguments.remove(at)).is_some();
    let (why, played) = (flag("--why"), flag("--played"));
    let Some((folder, wanted)) = arguments.split_first().filter(|(folder, _)| !folder.starts_with("--")) else {
        eprintln!("usage: conformance [--why | --played] DIR [CASE…]");
        return ExitCode::from(2);
    };
    let cases = match Recordings::open(folder.as_ref()).and_then(|recordings| recordings.cases()) {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("conformance: {folder}: {error}");
            return ExitCode::from(4);
        }
    };
    if let Some(name) = wanted.iter().find(|name| !cases.iter().any(|case| case.name == **name)) {
        eprintln!("conformance: no case {name} in {folder}");
        return ExitCode::from(2);
    }
    let chosen = || cases.iter().filter(|case| wanted.is_empty() || wanted.contains(&case.name));
    if played {
        return tell(chosen());
    }
    let table = Table::of_the_repository();
    let mut total = Score::default();
    let mut left_out = 0;
    for case in chosen() {
        match score(case, &table) {
            Ok(standing) => left_out += usize::from(print(&case.name, &standing, why, &mut total)),
            Err(error) => {
                println!("{} unreadable: {error}", case.name);
                left_out += 1;
            }
        }
    }
    println!("equal {} of {}, covered {}", total.equal, total.units, total.covered);
    if left_out == 0 && total.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints what the lab does.
fn tell<'a>(cases: impl Iterator<Item = &'a CaseFolder>) -> ExitCode {
    for case in cases {
        println!("{}", case.name);
        match vrrp::played(case) {
            Ok(lines) => lines.iter().for_each(|line| println!("  {line}")),
            Err(error) => println!("  unreadable: {error}"),
        }
    }
    ExitCode::SUCCESS
}

/// Prints a case and adds it up; whether it was left out.
fn print(name: &str, standing: &Standing, why: bool, total: &mut Score) -> bool {
    let (score, unequal) = match standing {
        Standing::NotYet(reason) => {
            println!("{name} not yet: {reason}");
            return true;
        }
        Standing::Compared(score, unequal) => (score, unequal),
    };
    println!("{name} {}/{}", score.equal, score.units);
    *total += *score;
    for unit in unequal.iter().filter(|_| why) {
        println!("  {}{}", unit.name, if unit.is_covered { " (covered)" } else { "" });
        for difference in unit.differences.iter().take(SHOWN) {
            println!("    {}", difference.field);
            println!("      recorded {}", difference.expected);
            println!("      here     {}", difference.observed);
        }
        if unit.differences.len() > SHOWN {
            println!("    and {} more", unit.differences.len() - SHOWN);
        }
    }
    false
}
