//! UDP ports at which the kernel itself opens tunnels (`ip fou`). Follows Linux `net/ipv4/fou.c`.
//!
//! # Not modelled
//! Ports of plain "foo over UDP" (`ipproto`), which say nothing of what is inside; ports of one interface or address.

use super::Refusal;
use std::collections::BTreeSet;

/// The ports of GUE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fou {
    ports: BTreeSet<u16>,
}

impl Fou {
    /// `ip fou add port N gue`.
    ///
    /// # Errors
    /// `Exists`.
    pub fn add(&mut self, port: u16) -> Result<(), Refusal> {
        if self.ports.insert(port) { Ok(()) } else { Err(Refusal::Exists) }
    }

    /// `ip fou del port N`; whether it was there.
    pub fn delete(&mut self, port: u16) -> bool {
        self.ports.remove(&port)
    }

    /// Whether datagrams to this port are tunnels.
    pub fn opens(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// Whether there is no such port.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// The ports, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.ports.iter().copied()
    }
}
