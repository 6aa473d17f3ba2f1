//! keepalived: VRRP, health checks, and the file that tells it what to do.

pub mod config;
