//! The places where a stranger's text or octets come in, each as one function that takes any octets whatever: it ends, soon,
//! without panic and within bounds of memory.
//!
//! The fuzzers in `fuzz/` call these functions with what they make up, `lab/attack.rs` with what was once found
//! (`tests/data/attack`), with the seeds, and with slips of the pen in them.

mod director;
mod filter;
mod frames;
mod ipvsadm_restore;
mod keepalived_conf;
mod keepalived_runs;
mod ldirectord_cf;
mod lone;
mod packets;
mod scenario;
pub mod seeds;
mod shell_line;
mod vrrp;

/// A place that is attacked.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As the fuzzer is called.
    pub name: &'static str,
    /// Takes any octets.
    pub attack: fn(&[u8]),
    /// Octets to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "keepalived_conf", attack: keepalived_conf::attack, seeds: seeds::keepalived_confs },
    Target { name: "ldirectord_cf", attack: ldirectord_cf::attack, seeds: seeds::ldirectord_cfs },
    Target { name: "vrrp", attack: vrrp::attack, seeds: seeds::adverts },
    Target { name: "packets", attack: packets::attack, seeds: seeds::packets },
    Target { name: "keepalived_runs", attack: keepalived_runs::attack, seeds: seeds::keepalived_confs },
    Target { name: "scenario", attack: scenario::attack, seeds: seeds::scenarios },
    Target { name: "filter", attack: filter::attack, seeds: seeds::filters },
    Target { name: "shell_line", attack: shell_line::attack, seeds: seeds::shell_lines },
    Target { name: "ipvsadm_restore", attack: ipvsadm_restore::attack, seeds: seeds::rules },
];

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Lets a target have these octets.
///
/// # Panics
/// If there is no such target, or if the octets do harm.
pub fn run(name: &str, octets: &[u8]) {
    (find(name).expect("there is such a target").attack)(octets);
}

/// Longer inputs than this are not tried: 16 KiB.
pub const LENGTH_MAX: usize = 16 << 10;
