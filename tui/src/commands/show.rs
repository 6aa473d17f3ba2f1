//! `lvslab show`: a scenario as it is written.

use crate::failure::Failure;
use crate::paint::Screen;
use crate::session;
use clap::Args;

/// Show a scenario as it is written.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A scenario file or name
    #[arg(value_name = "S")]
    scenario: String,
}

pub(crate) fn run(arguments: &Show, screen: &mut Screen) -> Result<(), Failure> {
    screen.put(&session::text(&arguments.scenario)?)
}
