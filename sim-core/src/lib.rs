//! A deterministic simulator of Linux hosts, switches and Linux Virtual Server.
//!
//! The rooms, from the ground up; each uses only rooms below it:
//!
//! | floor | room | what stands there |
//! |---|---|---|
//! | 0 | [`base`] | time, ids, chance, the event queue |
//! | 1 | [`wire`] | bytes and their meaning |
//! | 2 | [`trace`] | events, reasons, and what reads them |
//! | 3 | [`world`] | the queue, links, one step of the run |
//! | 3 | [`tables`] | what a host knows: interfaces, routes, neighbours, filters, settings |
//! | 4 | [`ipvs`] | virtual services, connections, schedulers, forwarding methods |
//! | 5 | [`kernel`] | one host's packet path, sockets, processes, system calls |
//! | 6 | [`apps`] | the programs of a host |
//! | 6 | [`keepalived`] | VRRP and health checks |
//! | 6 | [`ldirectord`] | health checks for IPVS from one simple file |
//! | 7 | [`shell`] | the commands a host understands |
//! | 8 | [`nodes`] | what plugs into the world: host, switch, puppet |
//!
//! This crate knows no file system, no terminal, no clock and no thread.

pub mod apps;
pub mod base;
pub mod ipvs;
pub mod keepalived;
pub mod kernel;
pub mod ldirectord;
pub mod nodes;
pub mod shell;
pub mod tables;
pub mod trace;
pub mod wire;
pub mod world;
