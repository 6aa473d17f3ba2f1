//! Floor 7: the commands a host understands, and the shell that runs them.
//!
//! ```text
//!   text ─► paste (what web pages did to it) ─► parse (brush's tree → flat ops) ─► Script
//!                                                                                   │
//!   Script ─► run::Shell, a process ─► command (looked up in COMMANDS) ─► Done(code) or Became(process)
//! ```
//! One file per command, one row per file in [`COMMANDS`].

mod ab;
mod arp;
mod arping;
mod arptables;
mod bash;
mod build;
mod builtins;
mod cat;
mod columns;
pub mod command;
mod curl;
mod disk;
mod dmesg;
mod echo;
mod elsewhere;
mod files;
mod filter;
mod ftp;
mod genhash;
mod grep;
mod haproxy;
mod host;
mod housekeeping;
mod ifconfig;
mod ip;
mod iptables;
pub mod ipvsadm;
mod journalctl;
mod keepalived;
mod ldirectord;
mod lines;
mod ls;
mod nc;
mod netstat;
mod nginx;
mod options;
pub mod parse;
pub mod paste;
mod pgrep;
mod ping;
mod prefix;
mod printf;
mod processes;
pub mod programs;
mod ps;
pub mod registry;
mod regular;
mod route;
pub mod run;
mod sed;
mod service;
mod sleep;
mod ss;
mod sysctl;
mod tcpdump;
mod test;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod traceroute;
mod truth;
mod watch;
mod wget;

pub use command::{Call, Command, Fault, FaultKind, Opt, Outcome, Source, Start, Status};
pub use parse::{Line, Script, ScriptProblem};
pub use programs::Programs;
pub use registry::COMMANDS;
pub use run::Shell;
pub use service::install_network;
