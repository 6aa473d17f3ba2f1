//! What a `defaults` section hands down, and what holds without one.

use crate::apps::proxy::{Balance, Check, HttpCheck, LogFormat, Mode};
use crate::base::time::Duration;

/// What `defaults` gives to what follows.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) mode: Mode,
    pub(super) balance: Balance,
    pub(super) connect: Duration,
    pub(super) client: Duration,
    pub(super) server: Duration,
    pub(super) check_inter: Option<Check>,
    pub(super) retries: u32,
    pub(super) redispatches: bool,
    pub(super) forwards_for: bool,
    pub(super) log: LogFormat,
    pub(super) http_check: Option<HttpCheck>,
    pub(super) default_backend: String,
    pub(super) max_connections: usize,
    pub(super) logs: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Defaults {
            mode: Mode::Tcp,
            balance: Balance::RoundRobin,
            connect: Duration::from_secs(5),
            client: Duration::from_secs(3600),
            server: Duration::from_secs(3600),
            check_inter: None,
            retries: 3,
            redispatches: false,
            forwards_for: false,
            log: LogFormat::Plain,
            http_check: None,
            default_backend: String::new(),
            max_connections: 2000,
            logs: false,
        }
    }
}
