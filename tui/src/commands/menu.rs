//! `lvslab` alone on a terminal: a menu of the bundled scenarios.

use super::{Arguments, Command};
use crate::failure::{Failure, say};
use crate::paint::Screen;
use crate::stepper::config;
use crate::stepper::labs::{Choice, Labs};
use clap::Parser;
use std::io::{self, IsTerminal};

/// Whether the menu is meant: nothing was said, and somebody sits at a terminal.
pub(crate) fn is_meant() -> bool {
    std::env::args_os().len() == 1 && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Shows the menu until it is left. `dispatch` carries out what was chosen, as if it had been typed.
pub(crate) fn run(
    dispatch: fn(Command, &mut Screen) -> Result<(), Failure>,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let mut labs = Labs::new(&config::load()?, (0, 0));
    loop {
        let (verb, name) = match labs.choose()? {
            Choice::Quit => return Ok(()),
            Choice::Open(name) => ("tui", name),
            Choice::Run(name) => ("run", name),
        };
        let typed = Arguments::parse_from(["lvslab", verb, name]);
        match dispatch(typed.command, screen) {
            Ok(()) | Err(Failure::Expectation) => {}
            Err(failure) => labs.note = Some(failure.text()),
        }
        if verb == "run" {
            screen.line("")?;
            screen.finish()?;
            say("Enter goes back to the menu ");
            if io::stdin().read_line(&mut String::new())? == 0 {
                return Ok(());
            }
        }
    }
}
