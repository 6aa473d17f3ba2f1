//! `lvslab`: the command line and the screen.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Run a Linux Virtual Server cluster packet by packet, and ask every packet why.
#[derive(Debug, Parser)]
#[command(name = "lvslab", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the speed of the fixed works: one JSON line a run.
    Bench(commands::bench::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Bench(args) => commands::bench::main(&args),
    }
}
