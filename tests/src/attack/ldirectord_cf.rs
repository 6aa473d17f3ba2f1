//! An `ldirectord.cf`.

use sim_core::ldirectord::config::read;

/// Reads the octets as such a file.
pub(super) fn attack(octets: &[u8]) {
    read(&String::from_utf8_lossy(octets));
}
