//! Writes what a fuzzer begins with: `cargo run -p lab-tests --bin seeds -- TARGET FOLDER`. Without arguments: the targets.

use lab_tests::attack::{LENGTH_MAX, TARGETS, find};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (target, folder) = match &arguments[..] {
        [] => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            return ExitCode::SUCCESS;
        }
        [name, folder] if find(name).is_some() => (find(name), Path::new(folder)),
        _ => {
            eprintln!("usage: seeds TARGET FOLDER");
            return ExitCode::from(2);
        }
    };
    let seeds = target.map_or_else(Vec::new, |target| (target.seeds)());
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut short = seeds.iter().enumerate().filter(|(_, seed)| seed.len() <= LENGTH_MAX);
        short.try_for_each(|(number, seed)| fs::write(folder.join(format!("seed-{number:03}")), seed))
    });
    match written {
        Ok(()) => {
            println!("{} seeds in {}", seeds.len(), folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("seeds: {}: {error}", folder.display());
            ExitCode::from(4)
        }
    }
}
