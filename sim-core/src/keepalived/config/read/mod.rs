//! Reads a `keepalived.conf`: text → logical lines → blocks of keywords → drafts → a whole [`Config`].
//!
//! ```text
//!  text, define, sequence, include ─► lines ─► walk ──┬─ keywords (which word, in which block) ─┐
//!                                                     └─ global instance group track …  ◄───────┘
//!                                                                   │ drafts
//!                                                                   ▼
//!                                             complete: defaults, corrections, conflicts ─► Config + Remarks
//! ```
//! What is an error, what only a warning, and in which words keepalived says so, follows keepalived 2.2.7.
//!
//! Everything is bounded: nesting by the table of keywords, lines, definitions, sequences and includes in `lines.rs`.

mod address;
mod checker;
mod complete;
mod define;
mod draft;
mod global;
mod group;
mod include;
mod instance;
pub mod keywords;
mod limits;
mod lines;
mod local;
mod number;
mod parser;
mod route;
mod script;
mod sequence;
mod server;
mod service;
mod service_group;
mod surroundings;
mod text;
mod track;
mod walk;
mod words;

#[cfg(test)]
mod tests;

pub use surroundings::{IncludedFile, Input, Nowhere, Program, Surroundings};

use super::{Config, Remark};

/// Reads a configuration: what it says, and what there is to say about it, in the order of the file.
pub fn read(input: &Input<'_>) -> (Config, Vec<Remark>) {
    let mut parser = parser::Parser::new(input);
    parser.file();
    complete::complete(parser)
}
