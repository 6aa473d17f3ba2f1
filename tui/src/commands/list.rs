//! `lvslab list`: the bundled scenarios.

use crate::failure::Failure;
use crate::paint::{Ink, Screen};
use crate::session;
use clap::Args;
use pcap_out::layout::{pad, wrap};

/// List the bundled scenarios.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Names only, one a line, for scripts
    #[arg(long)]
    names: bool,
}

pub(crate) fn run(arguments: &List, screen: &mut Screen) -> Result<(), Failure> {
    let bundled = session::bundled();
    if arguments.names {
        return bundled.iter().try_for_each(|one| screen.line(one.name));
    }
    let column = bundled.iter().map(|one| one.name.len()).max().unwrap_or(0);
    for one in &bundled {
        let title = session::open(one.name).map_or_else(|_| "(does not load)".to_string(), |model| model.title);
        let alias = one.alias.map_or(String::new(), |alias| format!("  (also: {alias})"));
        let lines = wrap(&format!("{title}{alias}"), screen.width.saturating_sub(column + 2).max(20));
        for (line, index) in lines.iter().zip(0..) {
            let name = pad(if index == 0 { one.name } else { "" }, column);
            screen.line(&format!("{}  {line}", screen.ink(Ink::Name, &name)))?;
        }
    }
    screen.line("")?;
    screen.line("lvslab run NAME     lvslab show NAME     lvslab tui NAME")
}
