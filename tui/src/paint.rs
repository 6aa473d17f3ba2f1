//! Standard output: its width, its colours, and writing to it.

use crate::failure::Failure;
use clap::ValueEnum;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    out: BufWriter<Stdout>,
    colored: bool,
    terminal: bool,
    /// Columns, 60 to 100.
    pub(crate) width: usize,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// A heading.
    Strong,
    /// Less important than the rest.
    Faint,
    /// It holds.
    Good,
    /// It does not.
    Bad,
    /// A name to remember: a code, a host.
    Name,
}

const WIDEST: usize = 100;
const NARROWEST: usize = 60;

impl Screen {
    pub(crate) fn new(color: Color) -> Self {
        let terminal = io::stdout().is_terminal();
        let colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let columns = terminal_size::terminal_size().map_or(WIDEST, |(width, _)| usize::from(width.0));
        let width = if terminal { columns.clamp(NARROWEST, WIDEST) } else { WIDEST };
        Screen { out: BufWriter::new(io::stdout()), colored, terminal, width }
    }

    /// Whether somebody is looking.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A piece of text in its colour.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        if !self.colored || text.is_empty() {
            return text.to_string();
        }
        let code = match ink {
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Name => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Writes text as it is.
    pub(crate) fn put(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.put(text.trim_end())?;
        self.put("\n")
    }

    /// Writes out what is still in the buffer.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}
