//! `lvslab config`: the configuration of the stepper.

use crate::failure::Failure;
use crate::paint::Screen;
use crate::stepper::config;
use clap::{Args, Subcommand};

/// The keys and colours of the stepper.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

/// What to do with it.
#[derive(Debug, Subcommand)]
enum What {
    /// Print the whole configuration in force, as it can be written into the file
    Print,
}

pub(crate) fn run(arguments: &Config, screen: &mut Screen) -> Result<(), Failure> {
    match arguments.what {
        What::Print => screen.put(&config::print(&config::load()?)),
    }
}
