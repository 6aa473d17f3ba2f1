//! Floor 3: what a host knows. Tables and their own rules; no packet is sent from here.

pub mod address;
pub mod filter;
pub mod fou;
pub mod interfaces;
pub mod link;
pub mod memberships;
pub mod nat;
pub mod neighbours;
pub mod refusal;
pub mod routes;
pub mod sysctl;
pub mod verdict;

pub use refusal::Refusal;

use crate::base::id::NodeId;

/// The tables of one host, as its packet path and IPVS look at them.
#[derive(Debug)]
pub struct Tables {
    /// Network interfaces and their addresses.
    pub interfaces: interfaces::Interfaces,
    /// Routing tables and rules.
    pub routes: routes::Routes,
    /// Who is where on the link.
    pub neighbours: neighbours::Neighbours,
    /// Multicast groups that were joined.
    pub memberships: memberships::Memberships,
    /// `arptables` and `iptables`.
    pub filter: filter::Filter,
    /// UDP ports at which the kernel opens tunnels.
    pub fou: fou::Fou,
    /// Masqueraded flows.
    pub nat: nat::Nat,
    /// Kernel settings.
    pub sysctl: sysctl::Sysctl,
}

impl Tables {
    /// The tables of a host that was just switched on: no interface (not even `lo`), the standard rules, the kernel's
    /// own settings.
    pub fn new(node: NodeId) -> Self {
        Tables {
            interfaces: interfaces::Interfaces::new(node),
            routes: routes::Routes::new(node),
            neighbours: neighbours::Neighbours::new(node),
            memberships: memberships::Memberships::default(),
            filter: filter::Filter::new(node),
            fou: fou::Fou::default(),
            nat: nat::Nat::new(node),
            sysctl: sysctl::Sysctl::new(node),
        }
    }
}

#[cfg(test)]
mod tests;
