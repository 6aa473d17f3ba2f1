//! `global_defs`, and the single words that stand at the root of the file.

use super::notify::Command;
use crate::base::time::Duration;
use std::net::{IpAddr, Ipv4Addr};

/// What holds for the whole of keepalived. Options that only give instances a default are resolved there; here they
/// stand as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// `router_id` (old `lvs_id`); empty: the host's name.
    pub router_id: String,
    /// `notification_email`: the addresses.
    pub email_to: Vec<String>,
    /// `notification_email_from`; empty: root at the host's name.
    pub email_from: String,
    /// `smtp_server HOST [PORT]`; port 25.
    pub smtp_server: Option<(String, u16)>,
    /// `smtp_helo_name`; empty: the host's name.
    pub smtp_helo_name: String,
    /// `smtp_connect_timeout`; 30 s.
    pub smtp_connect_timeout: Duration,
    /// `no_email_faults`.
    pub no_email_faults: bool,
    /// `no_checker_emails`.
    pub no_checker_emails: bool,
    /// `vrrp_mcast_group4`; 224.0.0.18.
    pub multicast_group: Ipv4Addr,
    /// `default_interface`; empty: `eth0`.
    pub default_interface: String,
    /// `dynamic_interfaces`.
    pub dynamic_interfaces: bool,
    /// `lvs_sync_daemon`.
    pub lvs_sync_daemon: Option<SyncDaemon>,
    /// `lvs_timeouts tcp N tcpfin N udp N`; zero: unchanged.
    pub lvs_timeouts: LvsTimeouts,
    /// `lvs_flush`: the IPVS table is emptied at start.
    pub lvs_flush: bool,
    /// `lvs_flush_on_stop`.
    pub lvs_flush_on_stop: LvsFlush,
    /// `vrrp_garp_interval`, `vrrp_gna_interval`: between two on any interface that is in no group; zero: none.
    pub garp_interval: Duration,
    /// See [`Global::garp_interval`].
    pub gna_interval: Duration,
    /// `vrrp_startup_delay`: no instance becomes master before.
    pub startup_delay: Duration,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// `vrrp_strict`.
    pub strict: bool,
    /// `checker_log_all_failures`.
    pub checker_log_all_failures: bool,
    /// `rs_init_notifies`: `notify_up` and so on also run for the first state.
    pub rs_init_notifies: bool,
    /// `script_user USER [GROUP]`; empty: the default user.
    pub script_user: (String, String),
    /// `enable_script_security`.
    pub script_security: bool,
    /// `notify_fifo`: all processes write there.
    pub notify_fifo: Option<Fifo>,
    /// `vrrp_notify_fifo`.
    pub vrrp_notify_fifo: Option<Fifo>,
    /// `lvs_notify_fifo`.
    pub lvs_notify_fifo: Option<Fifo>,
    /// `fifo_write_vrrp_states_on_reload`.
    pub fifo_states_on_reload: bool,
    /// `startup_script` and how long it may take.
    pub startup_script: Option<(Command, Duration)>,
    /// `shutdown_script` and how long it may take.
    pub shutdown_script: Option<(Command, Duration)>,
    /// `child_wait_time`: how long the parent waits for its children at the end; 5 s.
    pub child_wait_time: Duration,
    /// `random_seed`.
    pub random_seed: Option<u32>,
    /// `instance NAME`; empty: none.
    pub instance_name: String,
    /// `net_namespace NAME`; empty: none.
    pub net_namespace: String,
    /// `use_pid_dir`.
    pub use_pid_dir: bool,
    /// `reload_check_config`: a reload with a bad file is not done.
    pub reload_check_config: bool,
    /// Whether `max_auto_priority` was given (without it keepalived says it would run better with it).
    pub max_auto_priority: Option<i32>,
}

/// `lvs_sync_daemon IF [inst NAME] [id N] [maxlen N] [port N] [ttl N] [group A]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncDaemon {
    /// The interface.
    pub interface: String,
    /// The instance whose state decides; empty: always a backup daemon and a master daemon.
    pub instance: String,
    /// `id`; by default the instance's virtual router id.
    pub id: Option<u8>,
    /// `maxlen`, in octets.
    pub max_len: Option<u16>,
    /// `port`.
    pub port: Option<u16>,
    /// `ttl`.
    pub ttl: Option<u8>,
    /// `group`.
    pub group: Option<IpAddr>,
}

/// `lvs_timeouts`: zero leaves the kernel's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LvsTimeouts {
    /// `tcp`.
    pub tcp: Duration,
    /// `tcpfin`.
    pub tcp_fin: Duration,
    /// `udp`.
    pub udp: Duration,
}

/// `lvs_flush_on_stop [VS]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LvsFlush {
    /// Server by server, service by service.
    #[default]
    No,
    /// The whole IPVS table at once.
    All,
    /// Each virtual service at once.
    Services,
}

/// A named pipe and the script that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    /// The path of the pipe.
    pub path: String,
    /// `…_fifo_script`.
    pub script: Option<Command>,
}

impl Default for Global {
    fn default() -> Self {
        Global {
            router_id: String::new(),
            email_to: Vec::new(),
            email_from: String::new(),
            smtp_server: None,
            smtp_helo_name: String::new(),
            smtp_connect_timeout: Duration::from_secs(30),
            no_email_faults: false,
            no_checker_emails: false,
            multicast_group: Ipv4Addr::new(224, 0, 0, 18),
            default_interface: String::new(),
            dynamic_interfaces: false,
            lvs_sync_daemon: None,
            lvs_timeouts: LvsTimeouts::default(),
            lvs_flush: false,
            lvs_flush_on_stop: LvsFlush::No,
            garp_interval: Duration::ZERO,
            gna_interval: Duration::ZERO,
            startup_delay: Duration::ZERO,
            log_unknown_vrids: false,
            strict: false,
            checker_log_all_failures: false,
            rs_init_notifies: false,
            script_user: (String::new(), String::new()),
            script_security: false,
            notify_fifo: None,
            vrrp_notify_fifo: None,
            lvs_notify_fifo: None,
            fifo_states_on_reload: false,
            startup_script: None,
            shutdown_script: None,
            child_wait_time: Duration::from_secs(5),
            random_seed: None,
            instance_name: String::new(),
            net_namespace: String::new(),
            use_pid_dir: false,
            reload_check_config: false,
            max_auto_priority: None,
        }
    }
}
