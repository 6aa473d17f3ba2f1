//! `real_server` and `sorry_server`.

use super::checker::Checker;
use super::notify::Command;
use crate::trace::record::Method;
use std::net::IpAddr;

/// A real server, everything resolved against its virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealServer {
    /// Its address.
    pub address: IpAddr,
    /// Its port; that of the virtual server for DR and TUN, 0 for a firewall mark with them.
    pub port: u16,
    /// How packets come to it.
    pub forwarding: Forwarding,
    /// 0 to 2147483647.
    pub weight: u32,
    /// `uthreshold`, in connections; 0: none.
    pub upper_threshold: u32,
    /// `lthreshold`, in connections; 0: none.
    pub lower_threshold: u32,
    /// `inhibit_on_failure`: weight 0 instead of removal.
    pub inhibit_on_failure: bool,
    /// `alpha`: down until a check succeeds.
    pub alpha: bool,
    /// `notify_up`.
    pub notify_up: Option<Command>,
    /// `notify_down`.
    pub notify_down: Option<Command>,
    /// `smtp_alert`, resolved.
    pub smtp_alert: bool,
    /// `virtualhost`, resolved; empty: none.
    pub virtualhost: String,
    /// Its checkers, in file order; none: it is always up.
    pub checkers: Vec<Checker>,
}

/// `lb_kind`, `lvs_method`: the forwarding method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// The method.
    pub method: Method,
    /// What stands behind `TUN` (`type gue port 5555 nocsum`); empty: IPIP.
    pub tunnel: Vec<String>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Forwarding { method: Method::Nat, tunnel: Vec::new() }
    }
}

/// `sorry_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SorryServer {
    /// Its address.
    pub address: IpAddr,
    /// Its port; that of the virtual server if not given.
    pub port: u16,
    /// `sorry_server_lvs_method`, or the virtual server's.
    pub forwarding: Forwarding,
    /// Its weight; 1.
    pub weight: u32,
    /// `sorry_server_inhibit`: weight 0 instead of removal.
    pub inhibit: bool,
}
