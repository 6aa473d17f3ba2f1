//! `lvslab commands`: what a simulated host understands, from the shell's own registry.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::suggest::did_you_mean;
use clap::Args;
use pcap_out::layout::{pad, wrap};
use sim_core::shell::registry::{commands, find, names};
use sim_core::shell::{Command, Opt, Status};

/// List the commands that a simulated host understands.
///
/// With a name: its options, in three groups: what runs, what is accepted without effect, what is refused.
#[derive(Debug, Args)]
pub(crate) struct Commands {
    /// A command
    name: Option<String>,
}

pub(crate) fn run(arguments: &Commands, screen: &mut Screen) -> Result<(), Failure> {
    match &arguments.name {
        None => all(screen),
        Some(name) => match find(name) {
            Some(command) => one(screen, command),
            None => {
                let meant = did_you_mean(name, names());
                Err(Failure::Usage(format!("a simulated host has no command {name}{meant}")))
            }
        },
    }
}

fn all(screen: &mut Screen) -> Result<(), Failure> {
    let column = commands().map(|command| command.names.join(", ").len()).max().unwrap_or(0).min(24);
    for command in commands() {
        let names = command.names.join(", ");
        let lines = wrap(command.summary, screen.width.saturating_sub(column + 2).max(20));
        for (line, index) in lines.iter().zip(0..) {
            let name = pad(if index == 0 { &names } else { "" }, column);
            screen.line(&format!("{}  {line}", screen.ink(Ink::Name, &name)))?;
        }
    }
    screen.line("")?;
    screen.line("lvslab commands NAME shows the options of one: what runs, what has no effect, what is refused")
}

fn one(screen: &mut Screen, command: &Command) -> Result<(), Failure> {
    screen.line(&format!("{}   {}", screen.ink(Ink::Strong, &command.names.join(", ")), command.summary))?;
    for (status, title) in [
        (Status::Modelled, "runs"),
        (Status::Accepted, "accepted without effect"),
        (Status::Refused, "refused: it exists in Linux and is not modelled"),
    ] {
        let options: Vec<&Opt> = command.options.iter().filter(|option| option.status == status).collect();
        if !options.is_empty() {
            screen.line("")?;
            screen.line(&format!("  {title}"))?;
        }
        for option in options {
            let name = if option.value { format!("{} VALUE", option.name) } else { option.name.to_string() };
            screen.line(&format!("    {}  {}", screen.ink(Ink::Name, &pad(&name, 24)), option.note))?;
        }
    }
    Ok(())
}
