//! Floor 3: what a host knows. Tables and their own rules; no packet is sent from here.

pub mod filter;
pub mod interfaces;
pub mod nat;
pub mod neighbours;
pub mod routes;
pub mod sysctl;
pub mod verdict;

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
    /// `arptables` and `iptables`.
    pub filter: filter::Filter,
    /// Masqueraded flows.
    pub nat: nat::Nat,
    /// Kernel settings.
    pub sysctl: sysctl::Sysctl,
}

impl Tables {
    /// Empty tables of the host `node`.
    pub fn new(_node: NodeId) -> Self {
        Tables {
            interfaces: interfaces::Interfaces,
            routes: routes::Routes,
            neighbours: neighbours::Neighbours,
            filter: filter::Filter::default(),
            nat: nat::Nat::default(),
            sysctl: sysctl::Sysctl,
        }
    }
}
