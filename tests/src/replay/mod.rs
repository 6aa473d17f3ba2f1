//! Replays: the lab is done to what was done to the real thing, and what comes out is compared unit by unit.
//!
//! | kind | how | unit |
//! |---|---|---|
//! | `mode-*` `state-*` `sync-*` | node replay: one host alone gets the frames its NICs received; what it sends and shows is compared | a step |
//! | `arp-locktime` | one host alone hears messages made by hand; its neighbour table is compared | a row |
//! | `arp-matrix` `arp-scope` | scenario replay: who answers whom, and what the router then knows | a row |
//! | `ka-*` | scenario replay: keepalived's health checks; its log, the table, and what clients see | a run of keepalived |
//! | `vrrp/*` | scenario replay: keepaliveds and a client on a bridge; who is master when, adverts, ARP, log | a case |
//! | `sched-*` | scenario replay: a director, clients and servers; who gets each connection, and the counters | a run |
//!
//! Cases of other kinds are not replayed yet, and say so.

pub mod bench;
pub mod canonical;
pub mod compare;
pub mod endpoints;
pub mod host_plan;
mod judge;
pub mod ka;
mod lan;
pub mod locktime;
pub mod matrix;
pub mod node;
mod own;
pub mod program;
pub mod schedule;
pub mod segment;
mod stage;
pub mod station;
mod unit;
pub mod view;
pub mod vrrp;

pub use unit::{Difference, Outcome, Unit};

use crate::recording::{CaseFolder, ReadError};

/// Replays a case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    let kind = case.name.split('-').next().unwrap_or_default();
    if case.path.parent().is_some_and(|folder| folder.ends_with("vrrp")) {
        return vrrp::replay(case);
    }
    match kind {
        "mode" | "state" | "sync" => node::replay(case),
        "ka" => ka::replay(case),
        "sched" => schedule::replay(case),
        "arp" if case.name == "arp-locktime" => locktime::replay(case),
        "arp" if matches!(&*case.name, "arp-matrix" | "arp-scope") => matrix::replay(case),
        "arp" if case.name == "arp-static-arptables-garp" => node::replay(case),
        _ => Ok(Outcome::NotYet("cases of this kind are not replayed yet".to_owned())),
    }
}
