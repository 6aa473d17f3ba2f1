//! Published entries (`ip neigh add proxy`, `arp -s … pub`): addresses for which a host answers in place of the machine
//! that has them, on one interface.

use super::Neighbours;
use crate::base::id::IfaceId;
use crate::tables::Refusal;
use crate::wire::Ipv4Addr;

/// Published entries that a host may have.
const PUBLISHED_MAX: usize = 16_384;

impl Neighbours {
    /// Publishes an address on an interface. An entry that is there stays.
    ///
    /// # Errors
    /// `TooMany`.
    pub fn publish(&mut self, iface: IfaceId, address: Ipv4Addr) -> Result<(), Refusal> {
        if self.published.len() >= PUBLISHED_MAX {
            return Err(Refusal::TooMany);
        }
        self.published.insert((iface, address));
        Ok(())
    }

    /// Takes a published entry back.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn withdraw(&mut self, iface: IfaceId, address: Ipv4Addr) -> Result<(), Refusal> {
        if self.published.remove(&(iface, address)) { Ok(()) } else { Err(Refusal::NotFound) }
    }

    /// Whether an address is published on an interface.
    pub fn publishes(&self, iface: IfaceId, address: Ipv4Addr) -> bool {
        self.published.contains(&(iface, address))
    }

    /// The published entries, by interface and address.
    pub fn published(&self) -> impl Iterator<Item = (IfaceId, Ipv4Addr)> {
        self.published.iter().copied()
    }
}
