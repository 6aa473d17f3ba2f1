//! ldirectord: a daemon that looks after the real servers of IPVS.
//!
//! ```text
//!   config.rs ◄─ parse.rs         what the file says
//!        │
//!   daemon.rs ── rounds ──► check.rs     one real server after the other, each with one attempt
//!        ├────── outcome ─► pool.rs      the kernel's IPVS table: restore, quiesce, delete, fallback
//!        └─────────────────► account.rs  what the trace is told
//! ```
//! Follows ldirectord 4.12.
//!
//! # Not modelled
//! `fork=yes`, `execute`, IPv6, mail, reverse DNS for maintenance files; logging in (ftp, pop, imap, smtp are their
//! greeting), and services that the lab has no server of (dns, ldap, mysql, nntp, oracle, pgsql, radius, sip).

mod account;
mod check;
pub mod config;
pub mod daemon;
mod parse;
mod pool;
mod ports;
