//! The full-screen stepper: every header at every hop, forwards and back, read from the recorded run.
//!
//! ```text
//!   terminal ─► message ─► update ─► model ─► panes ─► terminal
//!                            │                  (each draws, none decides)
//!                            └─► effect ─► app: run a fork on a thread (job), save, suspend
//! ```

mod align;
mod app;
pub(crate) mod bench;
pub(crate) mod config;
mod describe;
pub(crate) mod diff;
mod difference;
mod editor;
mod explain_field;
mod fields;
mod fork;
mod input;
mod job;
pub(crate) mod keymap;
pub(crate) mod labs;
mod layout;
mod message;
pub(crate) mod model;
mod pages;
pub(crate) mod pane;
pub(crate) mod panes;
mod predict;
mod rows;
mod run;
mod save;
mod scene;
mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod theme;
mod tree;
mod update;
mod watch;
mod whynot;

pub(crate) use app::{Opening, What, open};
