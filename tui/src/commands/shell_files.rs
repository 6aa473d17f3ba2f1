//! `lvslab completions` and `lvslab man`: made from the same description as `--help`.

use super::Arguments;
use crate::failure::Failure;
use crate::paint::Screen;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Write completions for a shell.
///
/// For bash: lvslab completions bash > ~/.local/share/bash-completion/completions/lvslab
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

pub(crate) fn completions(arguments: &Completions, screen: &mut Screen) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "lvslab", &mut text);
    screen.put(&String::from_utf8_lossy(&text))
}

pub(crate) fn man(screen: &mut Screen) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
    screen.put(&String::from_utf8_lossy(&text))
}
