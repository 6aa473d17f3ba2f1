//! keepalived: VRRP, health checks, and the file that tells it what to do.
//!
//! ```text
//!   keepalived -D ─► Daemon (Keepalived) ─┬─ Checkers (Keepalived_healthcheckers) ─► the kernel's IPVS table
//!                                         └─ Vrrp (Keepalived_vrrp) ─► addresses, adverts, gratuitous ARP
//! ```

mod around;
pub mod check;
pub mod config;
pub mod daemon;
pub mod era;
mod fifo;
pub mod genhash;
pub mod launch;
pub mod mail;
mod sync_daemon;
mod tracked_file;
pub mod voice;
pub mod vrrp;
