//! `lvslab`: run an LVS cluster packet by packet, and ask every packet why.
//!
//! ```text
//!   arguments ─► commands/* ─► session (load, run) ─► trace ─► text on standard output, files
//! ```
//! Results go to standard output, everything else to standard error. Exit status: 0 good, 1 an expectation failed, 2 wrong
//! usage, 3 the scenario is invalid, 4 a file cannot be read or written, 5 two runs differ, 101 a bug of ours.

mod commands;
mod drawing;
mod failure;
mod files;
mod filter;
mod paint;
mod place;
mod session;
mod stepper;
mod suggest;
mod tables;
mod typed;

use clap::Parser;
use commands::{Arguments, Command};
use failure::Failure;
use paint::Screen;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // If nobody can hear it, there is nothing left to do.
        let _ = writeln!(std::io::stderr(), "this is a bug of lvslab, please report it with the scenario: {panic}");
    }));
    files::bear_limits();
    if commands::menu::is_meant() {
        let mut screen = Screen::new(paint::Color::Auto);
        let result = commands::menu::run(dispatch, &mut screen).and_then(|()| screen.finish());
        return ended(result, &mut screen);
    }
    let arguments = Arguments::parse();
    if let Command::Bench(arguments) = &arguments.command {
        return commands::bench::main(arguments);
    }
    let mut screen = Screen::new(arguments.color);
    let result = dispatch(arguments.command, &mut screen).and_then(|()| screen.finish());
    ended(result, &mut screen)
}

fn ended(result: Result<(), Failure>, screen: &mut Screen) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(failure) => {
            // What was written before the failure belongs in front of it.
            let flushed = screen.finish();
            failure.report();
            ExitCode::from(if flushed.is_err() { 4.max(failure.status()) } else { failure.status() })
        }
    }
}

fn dispatch(command: Command, screen: &mut Screen) -> Result<(), Failure> {
    match command {
        Command::Run(arguments) => commands::run::run(&arguments, screen),
        Command::Tui(arguments) => commands::step::run(&arguments, screen),
        Command::Explain(arguments) => commands::explain::run(&arguments, screen),
        Command::Exec(arguments) => commands::exec::run(&arguments, screen),
        Command::Timeline(arguments) => commands::timeline::run(&arguments, screen),
        Command::Diff(arguments) => commands::diff::run(&arguments, screen),
        Command::Check(arguments) => commands::check::run(&arguments, screen),
        Command::List(arguments) => commands::list::run(&arguments, screen),
        Command::Show(arguments) => commands::show::run(&arguments, screen),
        Command::Commands(arguments) => commands::understood::run(&arguments, screen),
        Command::Config(arguments) => commands::config::run(&arguments, screen),
        Command::Completions(arguments) => commands::shell_files::completions(&arguments, screen),
        Command::Bench(_) => unreachable!("it has its own door"),
        Command::Man => commands::shell_files::man(screen),
    }
}
