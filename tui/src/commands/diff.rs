//! `lvslab diff`: two runs beside each other.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::place::Place;
use crate::session::{self, Options, Ran};
use crate::stepper::diff;
use crate::stepper::theme::Ink as Shade;
use clap::Args;
use scenarios::Model;

/// Run two scenarios, and show where they first differ and which tables differ in the end.
///
/// What is compared: the events in order, frame by frame and decision by decision; how each request ended; the tables of
/// hosts of the same name at the end, or at another instant.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// A scenario file or name, or a run that was saved with run --save
    #[arg(value_name = "A")]
    old: String,
    /// What is compared with it
    #[arg(value_name = "B")]
    new: String,
    /// Compare the tables at this instant of both, not at the end: a time 1.2s, or a frame f21 or an event e73 of A
    #[arg(long, value_name = "PLACE")]
    at: Option<Place>,
    /// Another seed than the scenarios'
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(crate) fn run(arguments: &Diff, screen: &mut Screen) -> Result<(), Failure> {
    let options = Options { seed: arguments.seed, until: None };
    let (old, new) = (read(&arguments.old, &options)?, read(&arguments.new, &options)?);
    let at = match arguments.at {
        Some(Place::Time(at)) => Some(at),
        Some(place) => Some(old.1.trace.at(place.event(&old.1.trace)?)),
        None => None,
    };
    screen.line(&screen.ink(Ink::Bad, &format!("- {}   {}", old.1.about.scenario, old.1.about.title)))?;
    screen.line(&screen.ink(Ink::Good, &format!("+ {}   {}", new.1.about.scenario, new.1.about.title)))?;
    screen.line("")?;
    for (shade, text) in diff::runs(old, new, at) {
        let line = match shade {
            Shade::Title => screen.ink(Ink::Strong, &text),
            Shade::Name => screen.ink(Ink::Name, &text),
            Shade::Good => screen.ink(Ink::Good, &text),
            Shade::Bad => screen.ink(Ink::Bad, &text),
            _ => text,
        };
        screen.line(&line)?;
    }
    Ok(())
}

fn read(name: &str, options: &Options) -> Result<(Model, Ran), Failure> {
    if let Some(saved) = session::saved(name)? {
        return Ok((session::from_texts(&saved.texts)?, session::of_saved(saved)));
    }
    let model = session::open(name)?;
    let ran = session::run(&model, options)?;
    session::complain_about_end(&ran);
    Ok((model, ran))
}
